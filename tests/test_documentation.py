"""Documentation that a message refers to exists for its reader."""

from __future__ import annotations

from contextlib import chdir
from pathlib import Path

from lobster_tasks import report
from lobster_tasks.documentation import place
from lobster_tasks.rollout import Cause, Outcome
from tests.report.drawn import drawn

ROOT = Path(__file__).parents[1]
PAGE = "docs/causes/exits.md"


def test_in_another_project_the_page_that_is_named_is_there(tmp_path: Path) -> None:
    ended = Outcome("failed", "it ended", Cause("exits", "The program ends."))
    with chdir(tmp_path):
        [told] = [line for line in drawn(report.outcome(ended), 60) if line.startswith("docs ")]
    path = Path(told.removeprefix("docs").strip())
    assert path.is_absolute()
    assert path.read_text().startswith("# exits\n")


def test_below_the_current_folder_it_is_named_from_there() -> None:
    with chdir(ROOT):
        assert place(PAGE) == PAGE


def test_what_is_not_there_is_not_named() -> None:
    assert place("docs/causes/nothing.md") == ""
    ended = Outcome("failed", "it ended", Cause("nothing", "Nothing."))
    assert not [line for line in drawn(report.outcome(ended)) if line.startswith("docs")]
