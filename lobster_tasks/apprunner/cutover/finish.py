"""Makes DNS simple again once a cut-over is over for good: pairs with an idle App Runner half become one record."""

from __future__ import annotations

from collections.abc import Sequence

from ...aws import Aws
from . import records, routes
from .routes import Route
from .state import HostedDomains, hosted_domains


def idle_pairs(names: HostedDomains, host: str, dns_name: str) -> tuple[Route, ...]:
    """The pairs of which one half leads to ``host`` and has no visitors, the other to the load balancer."""
    return tuple(
        route
        for domain, zone in names.zones.items()
        for route in routes.idle_pairs(domain, zone, names.records[domain], host, dns_name)
    )


def finish(aws: Aws, found: Sequence[Route], host: str) -> None:
    """Leave the half that has the visitors. Raises AwsCallError, OutOfTimeError."""

    def is_done(changed: Sequence[Route]) -> bool:
        now = hosted_domains(aws, [route.domain for route in changed]).records.values()
        return not any(routes.leads_to(record, host) for listed in now for record in listed)

    records.change(aws, found, routes.keep, is_done)
