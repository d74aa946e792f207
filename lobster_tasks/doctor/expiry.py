"""Determines whether and when a lifecycle policy expires the running image. Pure.

Source: Amazon ECR User Guide, "Automate the cleanup of images by using lifecycle policies": "An image that matches the
tagging requirements of a rule cannot be expired by a rule with a lower priority"; "images are sorted from youngest to
oldest based on pushed_at_time and then all images greater than the specified count are expired"; within 24 hours.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from fnmatch import fnmatchcase
from typing import Any

from ..stack.ecr import LIVE_PATTERN

Image = Mapping[str, Any]
Rule = Mapping[str, Any]


@dataclass(frozen=True)
class ExpiryPosition:
    """The position of an image under the rule that selects it: ``newer`` images are newer, the rule keeps ``kept``.

    ``days`` is the age limit, for a rule with one; ``expires`` is whether the rule expires the image now. ``live`` is
    whether the rule is ours for images that were live, where a push alone displaces no image; ``is_ours`` is whether
    the policy has that rule.
    """

    newer: int = 0
    kept: int = 0
    days: int = 0
    expires: bool = False
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
    count, whose = (
        int(rule["selection"]["countNumber"]),
        {"live": _is_ours(rule), "is_ours": any(map(_is_ours, rules))},
    )
    if rule["selection"]["countType"] == "sinceImagePushed":
        return ExpiryPosition(days=count, expires=(now - ours["imagePushedAt"]).days >= count, **whose)
    newer = sum(_selects(rule, each) and each["imagePushedAt"] > ours["imagePushedAt"] for each in images)
    return ExpiryPosition(newer, count, expires=newer >= count, **whose)


def _is_ours(rule: Rule) -> bool:
    return list(rule["selection"].get("tagPatternList", ())) == [LIVE_PATTERN]


def _selects(rule: Rule, image: Image) -> bool:
    selection, tags = rule.get("selection", {}), image.get("imageTags") or []
    if selection.get("tagStatus") == "any":
        return True
    if selection.get("tagStatus") == "untagged":
        return not tags
    patterns = [f"{each}*" for each in selection.get("tagPrefixList", [])] + list(
        selection.get("tagPatternList", [])
    )
    return bool(tags) and all(any(fnmatchcase(tag, pattern) for tag in tags) for pattern in patterns)
