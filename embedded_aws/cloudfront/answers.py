"""Helpers of CloudFront's operations: errors, versions, pages, tags."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ..moto.adapter import AwsError
from ..shapes import numbers
from .model import Entity

Request = Mapping[str, Any]

TAGS_MOST = 50
"""Tags per distribution ("Quotas on CloudFront")."""


def invalid(message: str, code: str = "InvalidArgument") -> AwsError:
    """InvalidArgument, or a more specific code."""
    return AwsError(code, message)


def check_version(entity: Entity, given: str | None) -> None:
    """Refuse a change to another version than the current one: InvalidIfMatchVersion, PreconditionFailed.

    The text of the second is the model's.
    """
    if not given:
        raise AwsError(
            "InvalidIfMatchVersion", "The If-Match version is missing or not valid for the resource."
        )
    if given != entity.etag:
        message = "The precondition in one or more of the request fields evaluated to false."
        raise AwsError("PreconditionFailed", message)


def page(found: Sequence[Any], marker: str | None, most: Any, key: str = "Id") -> dict[str, Any]:
    """The members of a list: the items after the one whose ``key`` is the marker."""
    size = _size(most)
    keys = [each if isinstance(each, str) else each[key] for each in found]
    first = keys.index(marker) + 1 if marker in keys else 0
    items = list(found[first : first + size])
    more = first + size < len(found)
    return {
        "Marker": marker or "",
        "MaxItems": size,
        "IsTruncated": more,
        "Quantity": len(items),
        **({"NextMarker": keys[first + size - 1]} if more else {}),
        **({"Items": items} if items else {}),
    }


def _size(most: Any) -> int:
    """MaxItems, which the model has as a text; InvalidArgument for what is no number (the words are our own)."""
    if size := numbers.page_size(text := str(most or 100)):
        return size
    raise invalid(f"The parameter MaxItems is not valid: {text}")


def tags_of(given: Any) -> dict[str, str]:
    """AWS's ``{Items: [{Key, Value}]}`` as a dict; InvalidTagging."""
    items = (given or {}).get("Items") or []
    tags = {each["Key"]: each.get("Value") or "" for each in items}
    if len(tags) != len(items):
        raise AwsError("InvalidTagging", "The tagging specified is not valid: a key is there twice.")
    check_tags(tags)
    return tags


def check_tags(tags: Mapping[str, str]) -> None:
    """Raise InvalidTagging for too many tags, or reserved ones."""
    if len(tags) > TAGS_MOST:
        raise AwsError("InvalidTagging", f"You have exceeded the number of tags ({TAGS_MOST}) of a resource.")
    if any(key.lower().startswith("aws:") for key in tags):
        raise AwsError("InvalidTagging", "System tags cannot be added or updated by requester.")


def tag_list(tags: Mapping[str, str]) -> dict[str, Any]:
    """Tags in CloudFront's shape."""
    return {"Items": [{"Key": key, "Value": value} for key, value in tags.items()]}
