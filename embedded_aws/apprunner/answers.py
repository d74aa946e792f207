"""Helpers of all App Runner operations: errors, pages, tags."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

from ..kernel import paging
from ..moto.adapter import AwsError

T = TypeVar("T")


def invalid(message: str) -> AwsError:
    """InvalidRequestException."""
    return AwsError("InvalidRequestException", message)


def wrong_state(message: str) -> AwsError:
    """InvalidStateException."""
    return AwsError("InvalidStateException", message)


def quota_exceeded(message: str) -> AwsError:
    """ServiceQuotaExceededException."""
    return AwsError("ServiceQuotaExceededException", message)


def not_found(what: str, arn: str) -> AwsError:
    """ResourceNotFoundException."""
    return AwsError("ResourceNotFoundException", f"{what} not found for arn: {arn}")


def page(found: Sequence[T], request: Mapping[str, Any], limit: int = 100) -> tuple[list[T], dict[str, str]]:
    """One page of ``found`` and, if there are more, ``{"NextToken": …}``; at most ``limit`` items per page."""
    asked = request.get("MaxResults") or limit
    first = paging.offset(request.get("NextToken"))
    more = first + asked < len(found)
    return list(found[first : first + asked]), ({"NextToken": paging.token(first + asked)} if more else {})


def tags_of(given: Sequence[Mapping[str, str]] | None) -> dict[str, str]:
    """AWS's list of tags as a dict."""
    return {tag["Key"]: tag.get("Value", "") for tag in given or ()}
