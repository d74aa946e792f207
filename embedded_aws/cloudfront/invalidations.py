"""Invalidations: edge locations cache nothing here, so these only take some time.

Source: API Reference, "CreateInvalidation": ``InProgress``, then ``Completed``.
"""

from __future__ import annotations

import time
from typing import Any

from ..moto.adapter import AwsError
from .answers import Request, page
from .distributions import find
from .edge import Edge
from .model import CloudFrontState, Distribution, Invalidation, new_id

LASTS = 30.0
"""AWS seconds until an invalidation is completed; not verified."""


def create(edge: Edge, state: CloudFrontState, request: Request) -> dict[str, Any]:
    """CreateInvalidation; the same caller reference and paths return the same invalidation."""
    found, batch = _distribution(state, request), request["InvalidationBatch"]
    if batch["Paths"]["Quantity"] != len(batch["Paths"].get("Items") or ()):
        message = "The value of Quantity and the size of Items don't match."
        raise AwsError("InconsistentQuantities", message)
    same = [one for one in found.invalidations if one.batch["CallerReference"] == batch["CallerReference"]]
    if same and same[0].batch != batch:
        raise AwsError(
            "InvalidArgument", "The caller reference is that of another invalidation."
        )  # (own words)
    made = same[0] if same else Invalidation(new_id("I", 25), batch, time.monotonic() + edge.pace.real(LASTS))
    if not same:
        found.invalidations.append(made)
    location = f"https://cloudfront.amazonaws.com/2020-05-31/distribution/{found.id}/invalidation/{made.id}"
    return {"Location": location, "Invalidation": _shown(made)}


def get(edge: Edge, state: CloudFrontState, request: Request) -> dict[str, Any]:
    """GetInvalidation."""
    made = [one for one in _distribution(state, request).invalidations if one.id == request["Id"]]
    if not made:
        raise AwsError("NoSuchInvalidation", "The specified invalidation does not exist.")
    return {"Invalidation": _shown(made[0])}


def list_summaries(edge: Edge, state: CloudFrontState, request: Request) -> dict[str, Any]:
    """ListInvalidations, newest first."""
    shown = (_shown(one) for one in reversed(_distribution(state, request).invalidations))
    items = [{name: one[name] for name in ("Id", "CreateTime", "Status")} for one in shown]
    return {"InvalidationList": page(items, request.get("Marker"), request.get("MaxItems"))}


def _distribution(state: CloudFrontState, request: Request) -> Distribution:
    return find(state, {"Id": request["DistributionId"]})


def _shown(made: Invalidation) -> dict[str, Any]:
    status = "Completed" if time.monotonic() >= made.completed_at else "InProgress"
    return {"Id": made.id, "Status": status, "CreateTime": made.created, "InvalidationBatch": made.batch}
