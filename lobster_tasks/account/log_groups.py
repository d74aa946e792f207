"""Finds a log group in a region."""

from __future__ import annotations

from ..aws import Aws
from ..errors import SettingsError


def has_log_group(aws: Aws, name: str, region: str) -> bool:
    """Whether there is a log group of that name; there is none in a region that does not exist."""
    there = aws.in_region(region)
    try:
        found = there.pages(
            "logs:DescribeLogGroups", "logGroups", f"log group {name}", logGroupNamePrefix=name
        )
    except SettingsError:  # there is no such region
        return False
    return any(group["logGroupName"] == name for group in found)
