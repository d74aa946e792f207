"""What a history and a change of the count look like."""

from __future__ import annotations

from datetime import UTC, datetime

from lobster_tasks.report import history, scaled
from lobster_tasks.rollout import Cause, History, Release, Scaled

from .drawn import drawn

FAMILY = "arn:aws:ecs:us-east-2:123456789012:task-definition/lobster-streamlit-task"
NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)
IMAGE = "123456789012.dkr.ecr.us-east-2.amazonaws.com/homara@sha256:" + "9b" * 32


def release(revision: int, status: str, **members: object) -> Release:
    """A deployment of a revision at noon."""
    given = {"at": NOON, "seconds": 72.0, "tasks": 1, "image": IMAGE, **members}
    return Release(f"{FAMILY}:{revision}", status, **given)  # type: ignore[arg-type]


def test_a_history() -> None:
    releases = (
        release(42, "IN_PROGRESS", seconds=None, live=False, tags=("v3",)),
        release(41, "ROLLBACK_SUCCESSFUL", live=False),
        release(40, "SUCCESSFUL", live=True, current=True, tags=("v2", "latest")),
        release(39, "SUCCESSFUL", live=True, tags=("v1",)),
        release(38, "SUCCESSFUL", live=False, tasks=0),
    )
    lines = drawn(history(History("lobster-streamlit-service", releases)))
    assert lines[0] == "lobster-streamlit-service"
    assert lines[2].split() == ["revision", "at", "took", "ended", "image"]
    assert [line.split()[0] for line in lines[3:8]] == ["42", "41", "▸", "39", "38"]
    assert "2026-06-01 12:00" in lines[3]
    assert "1:12" in lines[4]
    for line, word in zip(
        lines[3:8], ["in progress", "rollback successful", "live", "was live", "no tasks"], strict=True
    ):
        assert word in line
    assert "v2, latest  homara@sha256:9b9b…9b9b" in lines[5]
    assert lines[-1] == "Roll back to one of them:  inv rollback --to N"


def test_a_history_holds_at_a_narrow_width() -> None:
    lines = drawn(history(History("s", (release(40, "SUCCESSFUL", live=True, current=True),))), 60)
    assert max(len(line) for line in lines) <= 60


def test_a_service_without_a_history() -> None:
    assert drawn(history(History("s", (), "only registered revisions are known: denied")))[2:] == [
        "There is no release yet.",
        "",
        "only registered revisions are known: denied",
    ]


def test_a_release_that_cannot_run_any_more_says_so() -> None:
    releases = (
        release(41, "SUCCESSFUL", live=True, current=True, gone=True),
        release(40, "SUCCESSFUL", live=True, gone=True),
        release(39, "SUCCESSFUL", live=True, gone=False),
        release(38, "ROLLBACK_SUCCESSFUL", live=False, gone=True),
    )
    lines = drawn(history(History("s", releases)))
    for line, word in zip(
        lines[3:7],
        [" live, image gone", "was live, image gone", "was live", "rollback successful"],
        strict=True,
    ):
        assert word in line
        assert ("gone" in line) == ("gone" in word)


def test_where_only_revisions_are_known() -> None:
    known = Release(f"{FAMILY}:40", at=NOON, image=IMAGE)
    assert "registered" in drawn(history(History("s", (known,))))[3]


def test_a_change_of_the_count() -> None:
    up = Scaled("s", 1, 3, 3, 3, reached=True, moving=False, seconds=41.0)
    assert drawn(scaled(up)) == ["", "3 tasks in 0:41 · 3 healthy"]
    down = Scaled("s", 1, 0, 0, 0, reached=True, moving=False, seconds=9.0)
    assert drawn(scaled(down)) == ["", "0 tasks in 0:09 · no task runs"]
    cause = Cause("no-capacity", "Fargate has no room.", ("event: no room",), "wait")
    stuck = Scaled("s", 1, 3, 1, 1, reached=False, moving=True, cause=cause, seconds=900.0)
    assert (up.exit_code, stuck.exit_code) == (0, 4)
    lines = drawn(scaled(stuck))
    assert lines[1] == "1 of 3 running, 1 healthy after 15:00"
    for what in ("no-capacity", "Fargate has no room.", "event: no room", "docs/causes/no-capacity.md"):
        assert any(what in line for line in lines), what
