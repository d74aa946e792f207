"""Determines the images of a repository that expire under its lifecycle policy. Pure.

Source: Amazon ECR User Guide, "Automate the cleanup of images by using lifecycle policies" (the evaluation rules),
and "Examples of lifecycle policies", whose results ``tests/embedded/test_conformance_ecr_lifecycle.py`` verifies.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta
from typing import Any

from ..kernel.wildcards import wildcard

Rule = Mapping[str, Any]


def expiring(
    tags: Mapping[str, Sequence[str]], ages: Mapping[str, timedelta], rules: Iterable[Rule]
) -> frozenset[str]:
    """The digests of the images that expire; ``tags`` and ``ages`` (since the push) are by digest.

    Of two images with the same age, the later one in ``tags`` is the younger.

    Each rule identifies the images with its tags, whether an earlier rule has marked them or not. It cannot mark
    images that an earlier rule has identified.
    """
    number = {digest: number for number, digest in enumerate(tags)}
    youngest_first = sorted(tags, key=lambda each: (ages[each], -number[each]))
    identified: set[str] = set()
    marked: set[str] = set()
    for rule in sorted(rules, key=lambda each: int(each["rulePriority"])):
        selection = rule["selection"]
        found = [each for each in youngest_first if _selects(selection, tags[each])]
        marked |= set(_beyond(selection, found, ages)) - identified
        identified |= set(found)
    return frozenset(marked)


def _selects(selection: Rule, tags: Sequence[str]) -> bool:
    if selection["tagStatus"] == "untagged":
        return not tags
    patterns = [f"{each}*" for each in selection.get("tagPrefixList", ())]
    patterns += selection.get("tagPatternList", ())
    return all(any(wildcard(each).fullmatch(tag) for tag in tags) for each in patterns)


def _beyond(selection: Rule, youngest_first: list[str], ages: Mapping[str, timedelta]) -> list[str]:
    count = int(selection["countNumber"])
    if selection["countType"] == "sinceImagePushed":
        return [each for each in youngest_first if ages[each] > timedelta(days=count)]
    return youngest_first[count:]
