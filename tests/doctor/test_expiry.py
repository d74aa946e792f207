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


def of_archive(days: int, **more: Any) -> dict[str, Any]:
    """An image that was pushed so many days ago, with more members of DescribeImages: days ago, or a status."""
    ago = {name: NOW - timedelta(days=value) for name, value in more.items() if isinstance(value, int)}
    return {**image(days), **more, **ago}


def transition(rule: dict[str, Any]) -> dict[str, Any]:
    """The rule, archiving instead of expiring."""
    return {**rule, "action": {"type": "transition", "targetStorageClass": "archive"}}


PULLED = {"kind": "sinceImagePulled", "countUnit": "days"}
MOVED = {"kind": "sinceImageTransitioned", "countUnit": "days", "storageClass": "archive"}


@pytest.mark.parametrize(
    ("given", "found"),
    [
        (transition(rule(1, 30, **PULLED)), ExpiryPosition(days=30, since="pulled", archives=True)),
        (
            transition(rule(1, 10, **PULLED)),
            ExpiryPosition(days=10, since="pulled", expires=True, archives=True),
        ),
        (
            transition(rule(1, 30, kind="sinceImagePushed")),
            ExpiryPosition(days=30, expires=True, archives=True),
        ),
        (transition(rule(1, 1)), ExpiryPosition(1, 1, expires=True, archives=True)),
        (rule(1, 3, **MOVED), None),
        (rule(1, 3, kind="sinceSomethingElse"), None),
    ],
)
def test_the_rules_of_today(given: dict[str, Any], found: ExpiryPosition | None) -> None:
    """Age since the last pull, and the archive ("Lifecycle policy evaluation rules"); what is unknown says nothing."""
    images = [image(3), of_archive(40, lastRecordedPullTime=20), of_archive(50, imageStatus="ARCHIVED")]
    assert expiry_position([given], images, "40", NOW) == found


@pytest.mark.parametrize(
    ("more", "age"),
    [
        ({}, 40),
        ({"lastRecordedPullTime": 20}, 20),
        ({"lastRecordedPullTime": 20, "lastActivatedAt": 10}, 10),
        ({"lastRecordedPullTime": 5, "lastActivatedAt": 10}, 5),
        ({"lastActivatedAt": 10}, 10),
    ],
)
def test_when_an_image_was_last_needed(more: dict[str, int], age: int) -> None:
    for limit, expires in ((age, True), (age + 1, False)):
        spot = expiry_position([rule(1, limit, **PULLED)], [of_archive(40, **more)], "40", NOW)
        assert spot == ExpiryPosition(days=limit, since="pulled", expires=expires)


def test_an_archived_image_is_taken_by_the_rule_of_the_archive_alone() -> None:
    archived = of_archive(40, imageStatus="ARCHIVED", lastArchivedAt=9)
    rules = [rule(1, 1), rule(2, 9, **MOVED)]
    found = expiry_position(rules, [image(1), archived], "40", NOW)
    assert found == ExpiryPosition(days=9, since="archived", expires=True)
    assert expiry_position(rules[:1], [image(3), archived], "3", NOW) == ExpiryPosition(0, 1)
