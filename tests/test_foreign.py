"""Text of others, wherever it is printed, controls neither terminals nor GitHub Actions runners."""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Callable, Iterator
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import replace
from io import StringIO
from itertools import takewhile
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from rich.text import Text

from lobster_tasks import github, report, step_outputs
from lobster_tasks.console import Console
from lobster_tasks.errors import LobsterError, NotReadyError, SettingsError
from lobster_tasks.foreign import cut, one_line, powerless, visible
from lobster_tasks.report.layout import hanging, labelled, rows
from lobster_tasks.rollout import Cause, Moment, Outcome, Progress
from tests.runner_log import Command, RunnerLog, carried_out, unfenced

FORGED = [
    "::add-mask::live",
    "  \t\u3000::error title=FORGED::x",
    "\u200d::set-output name=verdict::live",
    ":\u00ad:warning::soft",
    "\ufe0f::WARNING::wide",
    "text before ##[set-output name=verdict]live",
    "#\u200d#\u034f[add-mask]live",
    "a reason\n::error::of two lines",
    "a reason\r::error::of two lines",
    "a reason\u2028::error::of two lines",
    "::stop-commands::endtoken",
    "##[stop-commands]endtoken",
    "\x1b]0;title\x07\x1b]52;c;ZWNobw==\x07\x1b[2J\x1b[31mred\x1b[8mhidden\x1b[0m",
    "\x9b2J\x9d0;title\x9c",
    "\u202egnp.exe\u2066x\u2069\u061c",
    "back\x08\x08\x08over\x7f\x00",
    "half \ud800 a sign",
]
WORDS = st.sampled_from(
    ["::", ":", "#", "##[", "[", "]", "error", "set-output name=x", "add-mask", " ", "\t", "\n", "\r", "\r\n"]
)
SIGNS = st.sampled_from(
    ["\u200b", "\u200d", "\ufe0f", "\x1b", "\x1b[", "\x9b", "\x00", "\u202e", "\u2028", "é", "%"]
)
HOSTILE = st.lists(WORDS | SIGNS | st.text(max_size=3), max_size=12).map("".join)
ALLOWED = frozenset("\u200c\u200d")


def obeyed(text: str) -> set[str]:
    """The control and invisible characters in a text, without line breaks and tabs."""
    unseen = ("Cc", "Cf", "Cs", "Zl", "Zp")
    return {each for each in text if unicodedata.category(each) in unseen and each not in "\n\t"} - ALLOWED


def outcome(text: str) -> Outcome:
    """A failure with this text in every member that others fill."""
    cause = Cause("exits", text, (f"log: {text}", text), text, (text,))
    return Outcome(
        "failed", text, cause, f"http://a/{text}", timeline=(Moment(1.0, text),), findings=(cause,)
    )


def renderables(text: str) -> Iterator[object]:
    """The reports' renderables of this text."""
    yield report.outcome(outcome(text))
    yield report.error(LobsterError(text, text, text))
    yield report.error(SettingsError([text]))
    yield report.error(NotReadyError(text, code="x", problems=[text]))
    yield from (report.moment(1.0, text), labelled("evidence", text), hanging("why", text), rows(("a", text)))
    yield from (Text(text), text)


Door = Callable[[Console, str], object]
DOORS: dict[str, Door] = {
    "say": lambda console, text: [console.say(each) for each in renderables(text)],  # type: ignore[arg-type]
    "show": lambda console, text: [console.show(each) for each in renderables(text)],  # type: ignore[arg-type]
    "error": lambda console, text: [console.error(each) for each in renderables(text)],  # type: ignore[arg-type]
    "json": lambda console, text: console.json({text: [text]}),
    "documents": lambda console, text: console.documents([{text: [text]}]),
    "write": lambda console, text: console.write(f"{text}\n"),
    "confirm": lambda console, text: console.confirm(text),
    "raw": lambda console, text: console.write(f"{text}\n", raw=True),
}


@pytest.fixture(autouse=True)
def _nobody_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", StringIO("\n"))


@pytest.mark.parametrize("door", [door for door in DOORS if door != "raw"])
@pytest.mark.parametrize("text", FORGED, ids=ascii)
def test_no_terminal_obeys_what_others_wrote(
    door: str, text: str, capsys: pytest.CaptureFixture[str]
) -> None:
    console = Console()
    DOORS[door](console, text)
    said = capsys.readouterr()
    assert not obeyed(said.out + said.err), ascii(said)


@pytest.mark.parametrize("door", DOORS)
@pytest.mark.parametrize("text", FORGED, ids=ascii)
def test_no_runner_takes_a_command_from_what_others_wrote(
    door: str, text: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither behind the fence nor before the runner has seen it, because the two streams are read separately."""
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    console = Console()
    DOORS[door](console, text)
    console.close()
    said = capsys.readouterr()
    assert not carried_out(said.err, said.out), ascii(said)
    assert not unfenced(said.err, said.out), ascii(said)


@given(HOSTILE)
def test_no_text_at_all_is_a_command(text: str) -> None:
    assert not RunnerLog().commands(powerless(text)), ascii(text)
    assert not obeyed(visible(text))
    assert not obeyed(one_line(text))
    assert "\n" not in one_line(text)
    assert powerless(powerless(text)) == powerless(text)


@pytest.mark.parametrize(
    "text",
    [
        "時刻: 12:00",
        ":memory: is a database",
        ": 12",
        "エラー::set-output name=x::y",
        "é::error::x",
        "12::error::x",
        "a::error::x",
        "# [x]",
        "##x[y]",
        "# ##",
        "#題#[x]",
        "  : a: b",
    ],
)
def test_a_line_that_is_no_command_stays_as_it_is(text: str) -> None:
    """ "actions/runner", src/Runner.Common/ActionCommand.cs, TryParseV2: ``message = message.TrimStart()``,
    ``if (!message.StartsWith(_commandKey)) return false`` with ``_commandKey = "::"``; TryParse:
    ``message.IndexOf("##[")``. A letter before the sign, or a blank within it, makes another text of it."""
    assert powerless(text) == text
    assert not RunnerLog().commands(text)


@given(st.text(st.characters(exclude_categories=("Cc", "Cf", "Cs", "Zl", "Zp"))))
def test_text_that_is_seen_stays_as_it_is(text: str) -> None:
    assert visible(text) == one_line(text) == text


def test_languages_and_signs_stay_whole() -> None:
    whole = "می\u200cخواهم 👩\u200d💻 ✔️ naïve 価格\u3000円"
    assert visible(whole) == whole
    assert visible("a\r\nb\tc") == "a\nb\tc"
    assert visible("50%\r100%\x1b[0m\u202e\U000e0041") == "50%\\x0d100%\\x1b[0m\\u202e\\U000e0041"


def test_what_is_cut_says_how_much_there_was() -> None:
    assert cut("abc", 3) == "abc"
    assert cut("abcd" * 1000, 3) == "abc… (3,997 more characters)"


def test_our_own_commands_pass_the_fence_and_nothing_after_them_does(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    console = Console()
    for _ in "ab":
        console.command("::group::A phase")
        console.say("\n::error::x")
        console.command("::endgroup::")
        console.say("##[error]y")
    console.close()
    console.close()
    said = capsys.readouterr().err
    assert [each.name for each in carried_out(said)] == ["group", "endgroup"] * 2
    assert len(set(re.findall("^::stop-commands::(.*)$", said, re.MULTILINE))) == 1


def test_a_fence_is_another_one_each_time() -> None:
    assert github.StopCommands().token != github.StopCommands().token
    assert re.fullmatch("[0-9a-f]{32}", github.StopCommands().token)


def test_there_is_no_fence_where_nobody_reads_it(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("GITHUB_ACTIONS", raising=False)
    console = Console()
    console.say("::error::x ##[error]y")
    console.command("::group::A phase")
    console.close()
    assert capsys.readouterr().err == "::error::x ##[error]y\n"


@pytest.mark.parametrize("text", FORGED, ids=ascii)
def test_a_group_holds_one_line_for_each_thing_said(text: str) -> None:
    groups = github.Groups({"start": text})
    lines = list(groups.lines(Progress(0.0, (text, text), None, "start")))
    assert len(lines) == 3
    found = carried_out("\n".join(lines))
    assert [each.name for each in found] == ["group"]
    assert not obeyed("".join(lines))
    assert not any("\n" in line for line in lines)


@pytest.mark.parametrize("text", FORGED, ids=ascii)
def test_an_annotation_is_one_command_whatever_it_tells(text: str) -> None:
    lines = list(github.annotate(outcome(text)))
    found = carried_out("\n".join(lines))
    assert [(each.name, each.properties) for each in found] == [
        ("error", "title=exits"),
        ("warning", "title=exits"),
    ]
    assert not obeyed("".join(lines))


@pytest.mark.parametrize("text", FORGED, ids=ascii)
def test_the_summary_shows_what_others_wrote(text: str, tmp_path: Path) -> None:
    file = tmp_path / "summary"
    github.write_summary(github.summary(outcome(text), text), {"GITHUB_STEP_SUMMARY": str(file)})
    assert not obeyed(file.read_text(encoding="utf-8"))


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        (
            "a <b> & [c](d) `e` *f* _g_ ~h~ $i$ |",
            "a \\<b\\> \\& \\[c\\](d) \\`e\\` \\*f\\* \\_g\\_ \\~h\\~ \\$i\\$ \\|",
        ),
        ("- no list", "\\- no list"),
        ("12. no list", "12\\. no list"),
        ("=== no heading", "\\=== no heading"),
        ("see https://evil.example, www.evil.example", "see `https://evil.example,` `www.evil.example`"),
    ],
)
def test_nothing_in_a_summary_is_markdown_of_others(text: str, shown: str) -> None:
    assert f"\n{shown}\n" in github.summary(outcome(text), "title")


def test_a_summary_stays_small_enough_to_be_shown(tmp_path: Path) -> None:
    """ "actions/runner", FileCommandManager.cs: "AttachmentSizeLimit = 1024 * 1024", more is an error instead."""
    large = "é" * 300_000
    many = replace(outcome(large), timeline=(Moment(1.0, large),) * 300)
    file = tmp_path / "summary"
    github.write_summary(github.summary(many, large), {"GITHUB_STEP_SUMMARY": str(file)})
    assert file.stat().st_size <= 1024 * 1024


@pytest.mark.parametrize("text", [*FORGED, "a\nEOF\nverdict=live", "verdict<<x\nlive\nx"], ids=ascii)
def test_an_output_holds_what_it_was_given_and_no_other_output(text: str, tmp_path: Path) -> None:
    file = tmp_path / "outputs"
    step_outputs.write({"first": text, "last": "x"}, {"GITHUB_OUTPUT": str(file)})
    assert [name for name, _ in outputs_of(file.read_bytes().decode())] == ["first", "last"]


def outputs_of(text: str) -> Iterator[tuple[str, str]]:
    """ "actions/runner", FileCommandManager.cs, EnvFileKeyValuePairs: a line ends with \\n, \\r\\n or \\r there."""
    lines = iter(re.split(r"\r\n|\r|\n", text))
    for line in lines:
        name, _, delimiter = line.partition("<<")
        if line:
            yield name, "\n".join(takewhile(delimiter.__ne__, lines))


@pytest.mark.parametrize("text", FORGED, ids=ascii)
def test_json_holds_what_it_was_given(text: str, capsys: pytest.CaptureFixture[str]) -> None:
    Console(quiet=True).json({"told": text})
    assert json.loads(capsys.readouterr().out) == {"told": text}


JSON_DOORS: dict[str, Door] = {
    "json": lambda console, text: console.json({"told": text}),
    "documents": lambda console, text: console.documents([{"told": text}]),
}


@pytest.mark.parametrize("is_job", [True, False])
@pytest.mark.parametrize("door", JSON_DOORS)
@given(text=HOSTILE)
@example(text="##[group]x")
@example(text="##[##[group]x\n::error::y\x7f\x9b\U000e0001")
def test_every_json_stays_json_and_is_no_command(door: str, is_job: bool, text: str) -> None:
    out = StringIO()
    with pytest.MonkeyPatch.context() as here, redirect_stdout(out), redirect_stderr(StringIO()):
        here.setenv("GITHUB_ACTIONS", str(is_job).lower())
        JSON_DOORS[door](Console(), text)
    assert json.loads(out.getvalue()) == {"told": text}
    assert not RunnerLog().commands(out.getvalue())


def test_documents_are_apart(capsys: pytest.CaptureFixture[str]) -> None:
    Console().documents([{"a": "##[b]"}, {"c": 1}])
    assert [json.loads(each) for each in capsys.readouterr().out.split("\n\n")] == [{"a": "##[b]"}, {"c": 1}]


def test_the_model_takes_what_the_runner_takes() -> None:
    """The examples of src/Test/L0/Worker/ActionCommandL0.cs and OutputManagerL0.cs, and those of the documentation."""
    assert carried_out("::do-something k1=v1,::msg") == []
    assert carried_out("   ::error k1=v1,k2=v2::msg") == [Command("error", "k1=v1,k2=v2", "msg")]
    assert carried_out(" >>>   ::error k1=v1,::msg") == []
    assert carried_out("##[Error k1=v1;]msg") == [Command("error", "k1=v1;", "msg")]
    assert carried_out("text ##[warning]a %0A b") == [Command("warning", "", "a %0A b")]
    token = github.StopCommands().token
    stopped = f"::stop-commands::{token}\n::warning::x\n##[error]y\n::{token}::\n::warning::z"
    assert carried_out(stopped) == [Command("warning", "", "z")]
