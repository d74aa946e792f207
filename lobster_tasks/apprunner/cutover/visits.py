"""Sends requests for the domains as visitors do, but not through DNS: to Fargate, and to the previous service."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

from ...account import describe_target_health, find_authority, is_embedded
from ...aws import Aws
from ...errors import RefusedError
from ...probe import Probe, PublicEndpoint, probe
from ...settings import ProbeSettings, Settings
from .routes import Destination, Route
from .state import CutoverState

# The time limit for retrying temporary failures (502, 503, 504, a refused connection).
_PATIENCE_SECONDS = 10.0


@dataclass(frozen=True)
class VisitResult:
    """``trouble`` is what is wrong, or empty; ``seen`` is the last answer."""

    trouble: str = ""
    seen: str = ""


def visit(aws: Aws, settings: Settings, now: CutoverState) -> VisitResult:
    """Request every domain from Fargate, page and WebSocket; requires a healthy task. Stops at the first trouble."""
    health = describe_target_health(aws, now.target_group, now.destination.name)
    if not any(each["TargetHealth"]["State"] == "healthy" for each in health):
        return VisitResult("no task of Fargate is healthy")
    seen = ""
    for domain in now.domains:
        endpoint = _endpoint(
            aws, f"https://{now.destination.dns_name}", domain, now.authority, now.destination
        )
        found = _probe(aws, settings.probe, endpoint)
        counted = [each for each in found.answers if each.reached or not endpoint.is_private]
        if wrong := [each.said for each in counted if not each.ok]:
            return VisitResult(f"{domain}: {'; '.join((*wrong, *_doubt(endpoint, found)))}")
        seen = " · ".join(each.said for each in counted) or "tasks are healthy"
    return VisitResult(seen=seen)


def _probe(aws: Aws, section: ProbeSettings, endpoint: PublicEndpoint) -> Probe:
    """Repeat requests without any answer once: the network in between, which visitors do not use, may be the cause."""
    asked = partial(probe, aws.clock, endpoint, section.path, section.websocket, _PATIENCE_SECONDS)
    found = asked()
    return found if all(each.reached for each in found.answers) or endpoint.is_private else asked()


def _doubt(endpoint: PublicEndpoint, found: Probe) -> tuple[str, ...]:
    """What else a missing answer may be due to, where nobody can tell."""
    if endpoint.is_private or not any(endpoint.explains(each) for each in found.answers):
        return ()
    return (
        "whether its security groups allow this machine is not known: they cannot be read "
        f"({endpoint.unread_sources})",
    )


def refuse_unresponsive(aws: Aws, path: str, now: CutoverState, route: Route) -> None:
    """Raise RefusedError if the previous location does not answer ``path`` for the route's domain."""
    former = now.origin.former_of(route.before) if route.before else None
    endpoint = _of_former(aws, former, route) if former else _of_app_runner(aws, route)
    answer = probe(aws.clock, endpoint, path, None, _PATIENCE_SECONDS).page
    if answer.ok or (endpoint.is_private and not answer.reached):
        return
    raise RefusedError(
        f"{route.leads_to} does not serve {route.domain}; DNS was not changed.",
        "; ".join((answer.said, *_doubt(endpoint, Probe(endpoint.url, answer)))),
        "inv status shows what serves there"
        if former
        else "start it again (aws apprunner resume-service), then inv cutover --back",
    )


def _of_former(aws: Aws, former: Destination, route: Route) -> PublicEndpoint:
    authority = find_authority(aws, former.url) if former.is_distribution else ""
    return _endpoint(aws, former.url, route.domain, authority, former)


def _of_app_runner(aws: Aws, route: Route) -> PublicEndpoint:
    scheme = "http" if ":" in route.leads_to else "https"  # on AWS an address has no port
    return _endpoint(aws, f"{scheme}://{route.leads_to}", route.domain)


def _endpoint(
    aws: Aws, url: str, domain: str, authority: str = "", there: Destination | None = None
) -> PublicEndpoint:
    """Certificates must be valid, except those of an embedded AWS that no ``authority`` has signed."""
    return PublicEndpoint(
        url,
        name=domain.replace("*", "www", 1),
        checked=not is_embedded(aws.endpoint_url) or bool(authority),
        authority=authority,
        internal=there.internal if there else False,
        allowed_sources=there.allowed_sources if there else (),
        unread_sources=there.unread_sources if there else "",
        sign_in=there.sign_in if there else "",
    )
