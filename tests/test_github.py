"""The presentation of a release in GitHub Actions."""

from __future__ import annotations

import html
import re
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from lobster_tasks import github
from lobster_tasks.rollout import Cause, Moment, Outcome, Progress
from lobster_tasks.rollout.observation.phases import TITLES

CAUSE = Cause(
    "secret-not-readable",
    "The execution role is not allowed to read OPENAI_API_KEY.",
    ("2 tasks stopped: a reason\nof two lines", "event: 100% of them", "log: x", "log: y"),
    "inv create-iam-policies, then inv deploy --tag v2",
    ("revision 41: adds the secret OPENAI_API_KEY",),
)
STUBBORN = Cause("ignores-sigterm", "The program does not end on SIGTERM.")
FAILED = Outcome(
    "rolled_back",
    "revision 41 never became healthy; revision 40 serves (GET / 200)",
    CAUSE,
    "http://lobster-alb-1.us-east-2.elb.amazonaws.com",
    seconds=48.0,
    timeline=(Moment(0.0, "deployment ecs-svc/1 started"), Moment(12.5, "task 5d2f… stopped: a | b <x>")),
    findings=(STUBBORN,),
)
LIVE = Outcome("live", "1/1 healthy", url="http://lb", seconds=72.0)


@pytest.mark.parametrize(
    ("environ", "here"), [({"GITHUB_ACTIONS": "true"}, True), ({}, False), ({"CI": "1"}, False)]
)
def test_whether_it_is_a_job(environ: dict[str, str], here: bool) -> None:
    assert github.is_here(environ) is here


def test_a_group_for_each_phase() -> None:
    groups = github.Groups(TITLES)
    steps = [
        Progress(0.0, ("17 checks passed",), None, "check"),
        Progress(1.0, (), None, "update"),
        Progress(2.0, ("revision 41 registered",), None, "update"),
        Progress(4.0, ("task 5d2f… pending", "task 5d2f… running"), None, "start"),
        Progress(65.0, ("task 5d2f… target healthy",), None, "start"),
    ]
    lines = [line for step in steps for line in groups.lines(step)]
    assert [*lines, *groups.end(), *groups.end()] == [
        "::group::Check the prerequisites",
        "  0:00  17 checks passed",
        "::endgroup::",
        "::group::Register and update",
        "  0:02  revision 41 registered",
        "::endgroup::",
        "::group::Start the tasks",
        "  0:04  task 5d2f… pending",
        "  0:04  task 5d2f… running",
        "  1:05  task 5d2f… target healthy",
        "::endgroup::",
    ]


def test_annotations() -> None:
    error, warning = github.annotate(FAILED)
    assert error == (
        "::error title=secret-not-readable::The execution role is not allowed to read OPENAI_API_KEY.%0A2 tasks "
        "stopped: a reason%0Aof two lines%0Aevent: 100%25 of them%0Alog: x%0A"
        "Next: inv create-iam-policies, then inv deploy --tag v2"
    )
    assert warning == "::warning title=ignores-sigterm::The program does not end on SIGTERM."


def test_both_causes_are_annotated_where_two_fit() -> None:
    other = replace(CAUSE, code="a:b,c", message="Or this.", evidence=(), remedy="")
    both = replace(FAILED, also=(other,), findings=())
    assert list(github.annotate(both))[1] == "::error title=a%3Ab%2Cc::Or this."


def test_a_release_that_is_live_has_no_annotation() -> None:
    assert list(github.annotate(LIVE)) == []
    assert [line.split()[0] for line in github.annotate(replace(LIVE, findings=(STUBBORN,)))] == ["::warning"]


def test_the_summary_of_a_failure() -> None:
    text = github.summary(FAILED, "lobster-streamlit-service, v2")
    assert text.startswith("### ↩️ Rolled back: lobster-streamlit-service, v2\n")
    assert (
        "**Cause:** `secret-not-readable`. The execution role is not allowed to read OPENAI\\_API\\_KEY."
        in text
    )
    assert "```text\n2 tasks stopped: a reason\nof two lines\n" in text
    assert "changed: revision 41: adds the secret OPENAI_API_KEY\n```" in text
    assert "**Next:** inv create-iam-policies, then inv deploy --tag v2" in text
    assert "**Note.** The program does not end on SIGTERM." in text
    assert "| 0:12 | task 5d2f… stopped: a \\| b \\<x\\> |" in text


def test_a_fence_is_longer_than_any_in_the_log() -> None:
    fenced = replace(CAUSE, evidence=("log: ```", "log: </details>"))
    assert "````text\nlog: ```\n" in github.summary(replace(FAILED, cause=fenced), "x")


# Text that GitHub turns into a link, a mention, a reference or an emoji ("GitHub Flavored Markdown Spec", Autolinks
# (extension); GitHub Docs, "Autolinked references and URLs", "Basic writing and formatting syntax").
LINKED = (
    *(
        "a@evil.com",
        "mailto:x@evil.com",
        "xmpp:x@evil.com/y",
        "www.evil.com",
        "WWW.evil.com",
        "(www.evil.com)",
    ),
    *(
        "http://evil.com",
        "https://evil.com",
        "ftp://evil.com",
        "HTTP://evil.com",
        "@user",
        "@org/team",
        "x,@user",
    ),
    *("#1", "GH-1", "gh-26", "org/repo#1", "(#1)", "user@a5c3785ed8d6a35868bc169f07e40e889087fd2e"),
    *(
        "a5c3785ed8d6a35868bc169f07e40e889087fd2e",
        "a5c3785",
        "org/repo@a5c3785",
        ":x:",
        "a:+1:b",
        ":rocket:!",
    ),
    *("a|b@c.com|", "`a@evil.com`", "``@x", r"a\|@x", "$`@x`$", "![x](http://evil.com/x)", "<a@evil.com>"),
)


def shown(text: str) -> tuple[str, str]:
    """A text rendered as Markdown in a table's cell: the whole, and the part outside code."""
    row = github._timeline(replace(LIVE, timeline=(Moment(1.0, text),))).splitlines()[-1]
    page = MarkdownIt("commonmark").enable("table").render(f"| at | what |\n|---|---|\n{row}\n")
    [cell] = re.findall(r"<td>0:01</td>\n<td>(.*)</td>", page)
    plain = re.sub(r"<code>[^<]*</code>", "\x00", cell)
    assert "<" not in plain
    return html.unescape(re.sub(r"</?code>", "", cell)), html.unescape(plain)


@pytest.mark.parametrize("word", LINKED)
@pytest.mark.parametrize("around", ["{}", "see {} now", "[{}]({}){}", "*{}*|{}"])
def test_nothing_in_a_summary_is_a_link(word: str, around: str) -> None:
    text = around.format(word, word, word)
    whole, plain = shown(text)
    assert whole == text
    assert not re.search(r"@|://|www|:\S+:|#|GH-|[0-9a-f]{7}", plain, re.IGNORECASE)


@given(st.text("a1`@:|\\*_<>&$#~[]() -w.\u00e9", max_size=30))
def test_a_summary_shows_what_is_said(text: str) -> None:
    assert shown(f"x{text}x")[0] == " ".join(f"x{text}x".split())


def test_the_summary_of_a_release_that_is_live() -> None:
    text = github.summary(LIVE, "s, v2")
    assert "✅ Live" in text
    assert "<http://lb>" in text
    assert "Cause" not in text


def test_the_summary_is_appended(tmp_path: Path) -> None:
    file = tmp_path / "summary"
    file.write_text("before\n")
    github.write_summary("after\n", {"GITHUB_STEP_SUMMARY": str(file)})
    github.write_summary("nowhere\n", {})
    assert file.read_text() == "before\nafter\n"
