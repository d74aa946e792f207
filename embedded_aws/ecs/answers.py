"""Helpers of all ECS operations: errors, pages, tags."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

from ..kernel import paging
from ..moto.adapter import AwsError

T = TypeVar("T")


def invalid(message: str) -> AwsError:
    """InvalidParameterException."""
    return AwsError("InvalidParameterException", message)


def client_error(message: str) -> AwsError:
    """ClientException."""
    return AwsError("ClientException", message)


def page(found: Sequence[T], request: Mapping[str, Any], limit: int = 100) -> tuple[list[T], dict[str, str]]:
    """One page of ``found`` and, if there are more, ``{"nextToken": …}``; at most ``limit`` items per page."""
    asked = request.get("maxResults") or limit
    if not 1 <= asked <= limit:
        raise invalid(f"maxResults must be between 1 and {limit}.")
    first = paging.offset(request.get("nextToken"))
    more = first + asked < len(found)
    return list(found[first : first + asked]), ({"nextToken": paging.token(first + asked)} if more else {})


def tags_of(given: Sequence[Mapping[str, str]] | None) -> dict[str, str]:
    """AWS's list of tags as a dict; InvalidParameterException for invalid ones."""
    tags = {tag["key"]: tag.get("value", "") for tag in given or ()}
    if len(tags) != len(given or ()):
        raise invalid("Duplicate tag keys found. Please note that Tag keys are case insensitive.")
    check_count(tags)
    if any(key.lower().startswith("aws:") for key in tags):
        raise invalid("Tag keys can not start with 'aws:'.")
    return tags


def check_count(tags: Mapping[str, str]) -> None:
    """Raise InvalidParameterException above the limit of tags; AWS's own do not count."""
    if sum(not key.startswith("aws:") for key in tags) > 50:
        raise invalid("The maximum number of tags allowed is 50.")


def tag_list(tags: Mapping[str, str]) -> list[dict[str, str]]:
    """A dict of tags as AWS's list."""
    return [{"key": key, "value": value} for key, value in tags.items()]


def some(**members: Any) -> dict[str, Any]:
    """The members that are not None."""
    return {name: value for name, value in members.items() if value is not None}
