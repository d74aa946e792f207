"""Each cause has its page, and each page its cause."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from lobster_tasks.doctor import CHECKS
from lobster_tasks.rollout import CODES, Cause
from lobster_tasks.rollout.cause_code import CauseCode
from lobster_tasks.rollout.diagnosis.causes import RECORDS, Heals, Lead

DOCS = Path(__file__).parents[1] / "docs"
HEADINGS = ["## What it looks like in AWS", "## Why", "## How to fix it"]


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


def test_each_cause_has_one_record_and_a_meaning() -> None:
    assert set(RECORDS) == {*CauseCode, *Lead}
    assert list(CODES) == list(CauseCode)
    assert all(meaning.endswith(".") for meaning in CODES.values())


def test_what_is_told_first_is_decided() -> None:
    ranks = [sign.rank for record in RECORDS.values() for sign in record.signs]
    assert len(ranks) == len(set(ranks))


def test_what_looks_for_a_cause_is_a_check_of_the_doctor() -> None:
    named = {check for record in RECORDS.values() for check in (*record.looked_at, *record.found_by)}
    assert named <= set(CHECKS)
    found = [check for record in RECORDS.values() for check in record.found_by]
    assert len(found) == len(set(found))


def test_what_aws_says_is_explained() -> None:
    said = {code for code, record in RECORDS.items() if record.signs or record.stop_codes}
    said |= {also for record in RECORDS.values() for sign in record.signs for also in sign.also}
    assert [code for code in said if RECORDS[code].explain is None] == []


def test_what_cannot_heal_is_a_cause() -> None:
    unhealed = (Heals.NEVER, Heals.WHEN_THERE, Heals.WHEN_ALLOWED)
    assert set(CODES) >= {code for code, record in RECORDS.items() if record.heals in unhealed}


def test_a_code_that_is_used_is_a_cause() -> None:
    """Wherever a cause is created, its code is in the list."""
    folder = Path(__file__).parents[1] / "lobster_tasks" / "rollout"
    for path in folder.rglob("*.py"):
        for code in re.findall(
            r'(?:code=|Cause\(\s*|Finding\(\s*|Problem\(\s*)"([a-z0-9-]+)"', path.read_text()
        ):
            assert code in CODES, (path.name, code)
