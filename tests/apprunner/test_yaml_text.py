"""Settings go into invoke.yaml so that the rest of it stays as it is."""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from lobster_tasks.apprunner.yaml_text import load, with_section
from lobster_tasks.as_written import Plain
from lobster_tasks.errors import UsageError

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
    assert with_section(before, {"name": "shop"}) == after


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
    text = with_section("", VALUES)
    assert meant(load(text, "x")) == yaml.safe_load(text) == {"lobster": VALUES}


def test_what_was_written_stays_as_it_was_written() -> None:
    text = "lobster:\n  container:\n    environment: {A: 24.10, B: 0123, C: on, D: 22:30, E: '1.50'}\n"
    again = load(with_section("", load(text, "x")["lobster"]), "x")
    assert again["lobster"] == load(text, "x")["lobster"]
    kept = {"A": "24.10", "B": "0123", "C": "on", "D": "22:30", "E": "1.50"}
    assert again["lobster"]["container"]["environment"] == kept


def meant(found: Any) -> Any:
    """What YAML makes of what is written."""
    if isinstance(found, dict):
        return {key: meant(value) for key, value in found.items()}
    return found.meaning if isinstance(found, Plain) else found


def test_what_is_no_yaml_is_told_by_its_line() -> None:
    with pytest.raises(UsageError) as refused:
        load("a: [1\nb: 2\n", "apprunner.yaml")
    assert refused.value.what == "apprunner.yaml cannot be read."
    assert refused.value.why.startswith("line 2, column 2: ")
