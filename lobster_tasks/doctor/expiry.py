"""Determines whether and when a lifecycle policy takes the running image away. Pure.

Source: Amazon ECR User Guide, "Automate the cleanup of images by using lifecycle policies": "An image that matches
the tagging requirements of a rule cannot be expired by a rule with a lower priority"; "With countType =
imageCountMoreThan, images are sorted from youngest to oldest based on pushed_at_time and then all images greater than
the specified count are expired or archived"; within 24 hours. "With countType = sinceImagePulled, all images whose
last_recorded_pulltime is older than the specified number of days based on countNumber are archived. If an image was
never pulled, the image's pushed_at_time is used […] If an image was archived and then restored at any point in the
past, but never pulled since the image was restored, the image's last_activated_at is used"; "With countType =
sinceImageTransitioned, all archived images whose last_archived_at is older than the specified number of days based on
countNumber are expired". "Archiving an image": "Archived images cannot be pulled".
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from fnmatch import fnmatchcase
from typing import Any, Literal

from ..stack.ecr import LIVE_PATTERN

Image = Mapping[str, Any]
Rule = Mapping[str, Any]


# What the age of an image counts from; "archived" is for images in the archive.
Since = Literal["pushed", "pulled", "archived"]
_SINCE: Mapping[str, Since] = {
    "sinceImagePushed": "pushed",
    "sinceImagePulled": "pulled",
    "sinceImageTransitioned": "archived",
}


@dataclass(frozen=True)
class ExpiryPosition:
    """The position of an image under the rule that selects it: ``newer`` images are newer, the rule keeps ``kept``.

    ``days`` is the age limit, for a rule with one, and ``since`` what the age counts from; ``expires`` is whether the
    rule takes the image away now, and ``archives`` whether it archives instead of deleting it. ``live`` is
    whether the rule is ours for images that were live, where a push alone displaces no image; ``is_ours`` is whether
    the policy has that rule.
    """

    newer: int = 0
    kept: int = 0
    days: int = 0
    since: Since = "pushed"
    expires: bool = False
    archives: bool = False
    live: bool = False
    is_ours: bool = False

    @property
    def is_next(self) -> bool:
        """Whether it expires after at most one more push."""
        return self.expires or (self.kept > 0 and not self.live and self.newer + 1 >= self.kept)


def expiry_position(
    rules: Sequence[Rule], images: Sequence[Image], digest: str, now: datetime
) -> ExpiryPosition | None:
    """The position of the image ``digest``; None if no rule selects it. ``images`` are from DescribeImages."""
    ours = next((each for each in images if each["imageDigest"] == digest), None)
    ordered = sorted(rules, key=lambda rule: int(rule.get("rulePriority", 0)))
    rule = next((each for each in ordered if ours is not None and _selects(each, ours)), None)
    if rule is None or ours is None:
        return None
    count, kind = int(rule["selection"]["countNumber"]), rule["selection"]["countType"]
    whose = {
        "live": _is_ours(rule),
        "is_ours": any(map(_is_ours, rules)),
        "archives": rule.get("action", {}).get("type") == "transition",
    }
    if since := _SINCE.get(kind):
        age = (now - _began(ours, since)).days
        return ExpiryPosition(days=count, since=since, expires=age >= count, **whose)
    if kind != "imageCountMoreThan":
        return None
    newer = sum(_selects(rule, each) and each["imagePushedAt"] > ours["imagePushedAt"] for each in images)
    return ExpiryPosition(newer, count, expires=newer >= count, **whose)


def _began(image: Image, since: Since) -> datetime:
    """When the image's age began."""
    pushed: datetime = image["imagePushedAt"]
    if since == "archived":
        return image.get("lastArchivedAt") or pushed
    if since == "pulled":
        return max(image.get("lastRecordedPullTime") or pushed, image.get("lastActivatedAt") or pushed)
    return pushed


def _is_ours(rule: Rule) -> bool:
    return list(rule.get("selection", {}).get("tagPatternList", ())) == [LIVE_PATTERN]


def _selects(rule: Rule, image: Image) -> bool:
    """Whether the rule is for the image, by its tags, and by its storage class: sinceImageTransitioned is for the
    archive, and the others are for what is not in it ("Lifecycle policy properties", storageClass)."""
    selection, tags = rule.get("selection", {}), image.get("imageTags") or []
    is_for_archive = selection.get("countType") == "sinceImageTransitioned"
    if is_for_archive != (image.get("imageStatus") == "ARCHIVED"):
        return False
    if selection.get("tagStatus") == "any":
        return True
    if selection.get("tagStatus") == "untagged":
        return not tags
    patterns = [f"{each}*" for each in selection.get("tagPrefixList", [])] + list(
        selection.get("tagPatternList", [])
    )
    return bool(tags) and all(any(fnmatchcase(tag, pattern) for tag in tags) for pattern in patterns)
