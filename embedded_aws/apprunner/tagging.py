"""Tags of App Runner's resources."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .answers import invalid, not_found, tags_of, wrong_state
from .model import BUSY, AppRunnerState

MOST = 50

Request = Mapping[str, Any]


def add(state: AppRunnerState, request: Request) -> dict[str, Any]:
    """TagResource: replaces the values of existing keys."""
    tags, given = _tags(state, request, "tagged"), tags_of(request["Tags"])
    if len(tags | given) > MOST:
        raise invalid(f"A resource can have up to {MOST} tags.")
    tags.update(given)
    return {}


def remove(state: AppRunnerState, request: Request) -> dict[str, Any]:
    """UntagResource."""
    tags = _tags(state, request, "untagged")
    for key in request["TagKeys"]:
        tags.pop(key, None)
    return {}


def listing(state: AppRunnerState, request: Request) -> dict[str, Any]:
    """ListTagsForResource."""
    tags = _tags(state, request)
    return {"Tags": [{"Key": key, "Value": value} for key, value in tags.items()]}


def _tags(state: AppRunnerState, request: Request, verb: str | None = None) -> dict[str, str]:
    arn = request["ResourceArn"]
    service = state.services.get(arn)
    if service is not None and not service.gone:
        if verb and service.status == BUSY:
            raise wrong_state(f"Service cannot be {verb} in the current state: {service.status}.")
        return service.tags
    companion = state.companions.get(arn)
    if companion is None or companion.gone:
        raise not_found("Resource", arn)
    return companion.tags
