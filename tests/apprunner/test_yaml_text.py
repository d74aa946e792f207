"""Settings go into invoke.yaml so that the rest of it stays as it is."""

from __future__ import annotations

from typing import Any

import pytest
import yaml
from hypothesis import example, given
from hypothesis import strategies as st

from lobster_tasks.apprunner.yaml_text import load, with_section
from lobster_tasks.as_written import PlainScalar
from lobster_tasks.errors import RefusedError, UsageError

BEFORE = """\
# our own
tasks:
    collection: deploy   # four spaces
lobster:
  name: old
# a comment inside
  task: {cpu: 256}

# about what follows
run: {echo: true}
"""


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("", "lobster:\n  name: shop\n"),
        ("run: {}", "run: {}\n\nlobster:\n  name: shop\n"),
        ("lobster: {name: old}\nrun: {}\n", "lobster:\n  name: shop\nrun: {}\n"),
        ("lobster:\n", "lobster:\n  name: shop\n"),
        (
            BEFORE,
            BEFORE.replace("  name: old\n# a comment inside\n  task: {cpu: 256}\n", "  name: shop\n"),
        ),
        ("lobsters: 1\n", "lobsters: 1\n\nlobster:\n  name: shop\n"),
    ],
)
def test_only_the_section_changes(before: str, after: str) -> None:
    assert with_section(before, {"name": "shop"}, "x") == after


VALUES: dict[str, Any] = {
    "plain": "arn:aws:iam::aws:policy/X",
    "words": "yes",
    "number": "0123",
    "time": "12:30",
    "hard": 'a: b # c "d" \\ \t\n\x7f\x85\u2028 😀 {{x}}',
    "empty": "",
    "tilde": "~",
    "list": ["a", "true", "1"],
    "bool": True,
    "int": 8501,
    "map": {"A.B": "x", "<<": "y", "null": "z", "12": "12"},
    "nothing": {},
}


def test_every_value_comes_back_as_it_was() -> None:
    text = with_section("", VALUES, "x")
    assert meant(load(text, "x")) == yaml.safe_load(text) == {"lobster": VALUES}


def test_what_was_written_stays_as_it_was_written() -> None:
    text = "lobster:\n  container:\n    environment: {A: 24.10, B: 0123, C: on, D: 22:30, E: '1.50'}\n"
    again = load(with_section("", load(text, "x")["lobster"], "x"), "x")
    assert again["lobster"] == load(text, "x")["lobster"]
    kept = {"A": "24.10", "B": "0123", "C": "on", "D": "22:30", "E": "1.50"}
    assert again["lobster"]["container"]["environment"] == kept


def meant(found: Any) -> Any:
    """What YAML makes of what is written."""
    if isinstance(found, dict):
        return {key: meant(value) for key, value in found.items()}
    return found.meaning if isinstance(found, PlainScalar) else found


def test_what_is_no_yaml_is_told_by_its_line() -> None:
    with pytest.raises(UsageError) as refused:
        load("a: [1\nb: 2\n", "apprunner.yaml")
    assert refused.value.what == "apprunner.yaml cannot be read."
    assert refused.value.why.startswith("line 2, column 2: ")


# Ways to write the section, of which not all are lines that can be told apart from the rest.
SECTIONS = (
    "lobster:\n  name: old\n  task: {cpu: 256}\n",
    '"lobster":\n  name: old\n',
    "'lobster': {name: old}\n",
    "lobster : {name: old}\n",
    "? lobster\n: {name: old}\n",
    "? lobster\n:\n  name: old\n",
    "!!str lobster: {name: old}\n",
    "&key lobster: {name: old}\n",
    "lobster: {\n  name: old\n}\n",
    "lobster: {\nname: old}\n",
    "lobster: !!map\n  name: old\n",
    "lobster:\n  name: |\n    old\n\n    lines\n",
    "lobster:\n  name: 'old\n\n    text'\n",
    "lobster: &all\n  name: &one old\n",
    "lobster: *base\n",
    "lobster:\n  <<: *base\n  name: old\n",
    "lobster:\n  list:\n  - a\n",
    "lobster:\n",
    "lobster: null\n",
    '"lob\\x73ter": {name: old}\n',
    "",
)
BEFORE_IT = ("", "base: &base {a: 1}\n", "---\nbase: &base\n  a: on\n", "%YAML 1.1\n---\nbase: &base {}\n")
BEHIND_IT = (
    "",
    "# a comment\n",
    "run: {echo: true, shell: '0123'}\n",
    "use: *one\nuses: *all\n",
    "used: {<<: *all}\n",
    "text: |\n  lobster:\n  no section\n",
    "text: |\nlobster: 1\n",
    "text: 'a\n\nlobster: b'\n",
    "tasks:\n- lobster\n",
    "...\n",
    "---\nanother: document\n",
)


@given(
    before=st.sampled_from(BEFORE_IT),
    section=st.sampled_from(SECTIONS),
    behind=st.sampled_from(BEHIND_IT),
    flow=st.booleans(),
    ends=st.sampled_from(("\n", "\r\n")),
    settings=st.sampled_from(({"name": "shop"}, VALUES)),
)
@example("", "", "{lobster: {name: old}, run: {echo: true}}\n", False, "\n", VALUES)
@example("{lobster: {name: old},\n", "", "run: {echo: true}}\n", False, "\n", VALUES)
def test_a_section_is_written_right_or_not_at_all(
    before: str, section: str, behind: str, flow: bool, ends: str, settings: dict[str, Any]
) -> None:
    text = (before + section + behind).replace("\n", ends)
    try:
        was = load(text, "x") or {}
    except UsageError:
        return  # it was no YAML before
    if flow:
        text = yaml.safe_dump(yaml.safe_load(text), default_flow_style=True)
        was = load(text, "x") or {}
    try:
        found = yaml.safe_load(with_section(text, settings, "x"))
    except RefusedError:
        return
    assert found.pop("lobster") == settings
    assert found == {key: value for key, value in (yaml.safe_load(text) or {}).items() if key != "lobster"}
    assert was.keys() >= found.keys()


@pytest.mark.parametrize("section", [SECTIONS[number] for number in (0, 11, 16, 17, 20)])
def test_a_section_as_it_is_written_everywhere_can_be_replaced(section: str) -> None:
    text = f"base: &base {{a: 1}}\n{section}run: {{echo: true}}\n"
    assert set(yaml.safe_load(with_section(text, VALUES, "x"))) == {"base", "lobster", "run"}


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (
            '"lobster":\n  name: old\n',
            "the file would no longer be valid YAML (line 4: lobster is already in line 1",
        ),
        ("lobster: {\n  name: old\n}\n", "the file would no longer be valid YAML ("),
        ("lobster:\n  task: &one {cpu: 256}\nuse: *one\n", "the file would no longer be valid YAML ("),
        ("text: 'a\n\nlobster: b'\n", "the file would no longer be valid YAML ("),
        ('{text: "a\nlobster: b\nc"}\n', "other sections of the file would change;"),
    ],
)
def test_what_cannot_be_replaced_is_told_with_what_to_do(text: str, why: str) -> None:
    with pytest.raises(RefusedError) as refused:
        with_section(text, {"name": "shop"}, "invoke.yaml")
    what = "The section lobster of invoke.yaml cannot be written without damage to the file."
    assert refused.value.what == what
    assert refused.value.why.startswith(why)
    assert refused.value.next_step.startswith("write it as a line `lobster:` and its keys below")
