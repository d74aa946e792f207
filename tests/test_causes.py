"""Each cause has its page, and each page its cause."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from lobster_tasks.rollout import CODES, Cause
from lobster_tasks.rollout.diagnose import HOPELESS, PERMISSIONS

DOCS = Path(__file__).parents[1] / "docs"
HEADINGS = ["## What it looks like in AWS", "## Why", "## How to mend it"]


@pytest.mark.parametrize("code", CODES)
def test_a_cause_has_its_page(code: str) -> None:
    page = DOCS.parent / Cause(code, "").page
    lines = page.read_text().splitlines()
    assert lines[0] == f"# {code}"
    assert [line for line in lines if line.startswith("## ")] == HEADINGS
    for linked in re.findall(r"\]\(([\w-]+)\.md\)", page.read_text()):
        assert linked in CODES


def test_a_page_has_its_cause() -> None:
    assert {page.stem for page in (DOCS / "causes").iterdir()} == set(CODES)


def test_the_list_has_all_of_them_with_their_meanings() -> None:
    listed = (DOCS / "causes.md").read_text()
    for code, meaning in CODES.items():
        assert f"| [{code}](causes/{code}.md) | {meaning} |" in listed


def test_what_cannot_heal_is_a_cause() -> None:
    assert set(CODES) >= HOPELESS | PERMISSIONS


def test_a_code_that_is_used_is_a_cause() -> None:
    """Wherever a cause is made, its code is one of the list."""
    folder = Path(__file__).parents[1] / "lobster_tasks" / "rollout"
    for path in folder.glob("*.py"):
        for code in re.findall(
            r'(?:code=|Cause\(\s*|Finding\(\s*|Problem\(\s*)"([a-z0-9-]+)"', path.read_text()
        ):
            assert code in CODES, (path.name, code)
