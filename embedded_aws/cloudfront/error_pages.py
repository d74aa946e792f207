"""Custom error pages: what a distribution answers instead of an error of its origin. Pure.

Sources: Developer Guide, "Generate custom error responses" and its subpages, "How CloudFront processes HTTP 4xx and 5xx
status codes from your origin". How long errors are cached (ErrorCachingMinTTL) has no effect here, because nothing is
cached: "If you're using the CachingDisabled managed cache policy, CloudFront won't cache these status codes or custom
error pages".
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ..moto.adapter import AwsError
from .answers import invalid
from .model import Config

WITH_PAGES = frozenset({400, 403, 404, 405, 414, 416, 500, 501, 502, 503, 504})
"""The statuses that can have a page, and those with which one can be sent, besides 200."""

ONLY_CACHED = frozenset({412, 415})
""" "CloudFront doesn't support creating custom error pages for these HTTP status codes." """

PAGE_AND_CODE = "ResponsePagePath and ResponseCode must be specified together."  # (own words)
PATH = "The parameter ResponsePagePath has to begin with /."  # (own words)


@dataclass(frozen=True)
class ErrorPage:
    """The page for one status of an origin: its path at the distribution, and the status with which it is sent."""

    path: str
    status: int


def error_page(config: Config, status: int) -> ErrorPage | None:
    """The page that a distribution has for an error; None without one."""
    listed = config["CustomErrorResponses"].get("Items") or ()
    found = next((each for each in listed if each["ErrorCode"] == status and _path(each)), None)
    return ErrorPage(_path(found), int(found["ResponseCode"])) if found else None


def check_error_responses(config: Config) -> None:
    """Raise an error for custom error responses that CloudFront does not take."""
    for each in config["CustomErrorResponses"].get("Items") or ():
        _check(each)


def _check(response: Mapping[str, Any]) -> None:
    path, code, status = _path(response), response.get("ResponseCode") or "", response["ErrorCode"]
    if status not in (WITH_PAGES if path else WITH_PAGES | ONLY_CACHED):
        raise AwsError("InvalidErrorCode", "An invalid error code was specified.")
    if bool(path) != bool(code):
        raise invalid(PAGE_AND_CODE)
    if path and not path.startswith("/"):
        raise invalid(PATH)
    if code and code not in {str(each) for each in (200, *WITH_PAGES)}:
        raise AwsError("InvalidResponseCode", "A response code is not valid.")


def _path(response: Mapping[str, Any]) -> str:
    return str(response.get("ResponsePagePath") or "")
