"""Simplifies DNS after the end of a cut-over: a pair with an unused record becomes one record."""

from __future__ import annotations

from collections.abc import Sequence

from ...account import HostedDomains, hosted_domains, leads_to
from ...aws import Aws
from ...settings import Settings
from . import records, routes
from .routes import Route
from .state import destination_name, former_destinations


def idle_pairs(names: HostedDomains, host: str, dns_name: str) -> tuple[Route, ...]:
    """The pairs with one record for ``host``, which gets no visitors, and one for Fargate."""
    return tuple(
        route
        for domain, zone in names.zones.items()
        for route in routes.idle_pairs(domain, zone, names.records[domain], host, dns_name)
    )


def finish(aws: Aws, found: Sequence[Route], host: str, domains: Sequence[str]) -> None:
    """Keep only the record that gets the visitors; ``domains`` are the stack's. Raises AwsCallError, OutOfTimeError."""

    def is_done(changed: Sequence[Route]) -> bool:
        zones = {route.domain: route.zone for route in changed}
        now = hosted_domains(aws, list(zones), known=zones).records.values()
        return not any(leads_to(record, host) for listed in now for record in listed)

    records.change(aws, found, routes.keep, is_done, domains)


def leave_former(aws: Aws, settings: Settings) -> None:
    """Remove the records without visitors that lead to the load balancer that another one replaces, or to its
    distribution. Raises AmbiguousZoneError, AwsCallError, OutOfTimeError."""
    if not settings.domains:
        return
    former = former_destinations(aws, settings)
    if not former:
        return
    dns_name, names = destination_name(aws, settings), hosted_domains(aws, settings.domains)
    for each in former:
        finish(aws, idle_pairs(names, each.dns_name, dns_name), each.dns_name, settings.domains)
