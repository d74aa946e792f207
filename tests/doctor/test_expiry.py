"""Where an image stands by a lifecycle policy; the rules are those of the Amazon ECR User Guide."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from lobster_tasks.doctor.expiry import ExpiryPosition, expiry_position

NOW = datetime(2026, 6, 1, tzinfo=UTC)


def image(days: int, *tags: str) -> dict[str, Any]:
    """An image that was pushed so many days ago; its digest is that number."""
    return {"imageDigest": str(days), "imagePushedAt": NOW - timedelta(days=days), "imageTags": list(tags)}


def rule(priority: int, count: int, *, kind: str = "imageCountMoreThan", **selection: Any) -> dict[str, Any]:
    """A rule, for any image unless it says otherwise."""
    return {
        "rulePriority": priority,
        "selection": {"tagStatus": "any", "countType": kind, "countNumber": count, **selection},
    }


IMAGES = [image(1, "pr2"), image(2, "pr1"), image(3, "v1"), image(4), image(5, "v0", "lobster-live-5")]
LIVE = {"tagStatus": "tagged", "tagPatternList": ["lobster-live-*"]}
TAGGED = {"tagStatus": "tagged", "tagPrefixList": ["v"]}


@pytest.mark.parametrize(
    ("rules", "digest", "found"),
    [
        ([rule(1, 2)], "1", ExpiryPosition(0, 2)),
        ([rule(1, 2)], "2", ExpiryPosition(1, 2)),
        ([rule(1, 2)], "3", ExpiryPosition(2, 2, expires=True)),
        ([rule(1, 5, **TAGGED), rule(2, 1)], "3", ExpiryPosition(0, 5)),
        ([rule(2, 1), rule(1, 5, **TAGGED)], "3", ExpiryPosition(0, 5)),
        ([rule(1, 5, tagStatus="tagged", tagPatternList=["*1"])], "3", ExpiryPosition(1, 5)),
        ([rule(1, 5, tagStatus="tagged", tagPrefixList=["v", "x"])], "3", None),
        ([rule(1, 1, tagStatus="untagged")], "3", None),
        ([rule(1, 1, tagStatus="untagged")], "4", ExpiryPosition(0, 1)),
        ([rule(1, 3, kind="sinceImagePushed")], "3", ExpiryPosition(days=3, expires=True)),
        ([rule(1, 9, kind="sinceImagePushed")], "3", ExpiryPosition(days=9)),
        ([], "3", None),
        ([rule(1, 2)], "gone", None),
        ([rule(1, 2, **LIVE), rule(2, 2)], "5", ExpiryPosition(0, 2, live=True, is_ours=True)),
        ([rule(1, 2, **LIVE), rule(2, 9)], "3", ExpiryPosition(2, 9, is_ours=True)),
    ],
)
def test_where_an_image_stands(
    rules: list[dict[str, Any]], digest: str, found: ExpiryPosition | None
) -> None:
    assert expiry_position(rules, IMAGES, digest, NOW) == found


@pytest.mark.parametrize(("newer", "is_next"), [(0, False), (1, False), (2, True), (3, True)])
def test_an_image_that_the_next_push_takes(newer: int, is_next: bool) -> None:
    assert ExpiryPosition(newer, 3, expires=newer >= 3).is_next is is_next
