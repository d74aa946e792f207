"""Which release was live last, and how long a deployment takes."""

from __future__ import annotations

from typing import Any

import pytest

from lobster_tasks.rollout.observation.history import Release, expected_seconds, live_before, with_current

FAMILY = "arn:aws:ecs:us-east-2:123456789012:task-definition/f"


def release(revision: int, live: bool | None = True, **members: Any) -> Release:
    """A deployment of a revision."""
    return Release(
        f"{FAMILY}:{revision}", "SUCCESSFUL" if live else "ROLLBACK_SUCCESSFUL", live=live, **members
    )


@pytest.mark.parametrize(
    ("releases", "current", "last"),
    [
        ([release(3), release(2)], 3, 2),
        ([release(4, False), release(3), release(2)], 3, 2),
        ([release(4, False), release(3), release(2)], 4, 3),
        ([release(3), release(3), release(2)], 3, 2),
        ([release(2), release(3), release(2)], 2, 3),
        ([release(2), release(1, False)], 2, None),
        ([], 2, None),
        ([release(3, None), release(2, None), release(1, None)], 2, 1),
        ([release(1, None)], 1, None),
    ],
    ids=[
        "the one before",
        "what was rolled back was not live",
        "on the way to one that is not live yet",
        "the same revision twice",
        "back and forth",
        "nothing else was live",
        "nothing at all",
        "only revisions are known",
        "only one revision is known",
    ],
)
def test_the_last_release_that_was_live(releases: list[Release], current: int, last: int | None) -> None:
    found = live_before(releases, f"{FAMILY}:{current}")
    assert (int(found[0].revision) if found else None) == last


def test_every_revision_that_was_live_once() -> None:
    releases = [release(5), release(4), release(3, False), release(4), release(2)]
    assert [each.revision for each in live_before(releases, f"{FAMILY}:5")] == ["4", "2"]


def test_those_of_which_nothing_is_known_come_last() -> None:
    unknown = [release(number, None) for number in (9, 4, 2, 1)]
    releases = [release(8), release(7, False), release(6), release(4, False), *unknown]
    assert [each.revision for each in live_before(releases, f"{FAMILY}:8")] == ["6", "2", "1"]


@pytest.mark.parametrize(
    ("releases", "marked"),
    [
        ([release(3), release(3), release(2)], 0),
        ([release(4, False), release(3, False, seconds=1.0), release(3)], 2),
        ([release(3, False), release(3)], 0),
        ([release(3, False, seconds=1.0), release(2)], 0),
        ([release(2)], None),
    ],
    ids=[
        "the newer of two",
        "the one that is live",
        "on its way",
        "none was live",
        "only others",
    ],
)
def test_one_release_serves(releases: list[Release], marked: int | None) -> None:
    found = with_current(releases, f"{FAMILY}:3")
    assert [n for n, each in enumerate(found) if each.current] == ([] if marked is None else [marked])


def test_how_long_a_deployment_is_likely_to_take() -> None:
    took = [release(4, seconds=70.0), release(3, seconds=90.0), release(2, seconds=60.0)]
    assert expected_seconds([*took, release(5, False, seconds=9.0), release(1)]) == 70.0
    assert expected_seconds([]) is None
