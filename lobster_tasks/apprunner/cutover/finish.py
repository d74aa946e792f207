"""Makes DNS simple again once a cut-over is over for good: pairs with an idle App Runner half become one record."""

from __future__ import annotations

from collections.abc import Sequence

from ...aws import Aws
from . import records, routes
from .routes import Route
from .situation import records_of, zones_of


def left_over(aws: Aws, domains: Sequence[str], host: str) -> tuple[Route, ...]:
    """The pairs of these domains, in this account's zones, of which one half leads to ``host`` and has no visitors."""
    zones = zones_of(aws, domains)
    return tuple(
        route
        for domain, zone in zones.items()
        for route in routes.left_over(domain, zone, records_of(aws, zone, domain), host)
    )


def finish(aws: Aws, found: Sequence[Route], host: str) -> None:
    """Leave the half that has the visitors. Raises AwsCallError, OutOfTimeError."""

    def is_done(changed: Sequence[Route]) -> bool:
        return not left_over(aws, [route.domain for route in changed], host)

    records.change(aws, found, routes.keep, is_done)
