"""The gates: conditions for pausing or deleting an App Runner service, each with what it found.

Read from the account only. The requests of ``inv compare-apprunner``, of ``inv import-apprunner`` and of the last
gate of ``inv cleanup-apprunner`` reach App Runner too and count as any others, because CloudWatch does not
distinguish them. After an interruption that follows the last gate the quiet time must pass again; while the pause or
deletion is in progress, gates are not checked.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from ..account import HostedDomains, find_service, is_at_rest, share_of
from ..aws import Aws
from ..doctor.check import Check, CheckResult, failed, passed, refusal, warned
from ..errors import AwsCallError, RefusedError
from ..in_parallel import in_parallel
from ..settings import Settings
from . import firewalls
from .cutover import (
    Address,
    Destination,
    Lead,
    LookUp,
    destination_address,
    find_lead,
    former_destinations,
)
from .metrics import datapoints, period_for

_MINUTE = 60.0
_HOUR = 3600.0
_DAY = 24 * _HOUR

ELSEWHERE, UNKNOWN = "dns-elsewhere", "dns-unknown"
CODES = (*firewalls.CODES, ELSEWHERE, UNKNOWN)

AwsDict = Mapping[str, Any]
Leads = Callable[[str], Lead]
"""Returns where public DNS leads a name."""


def examine(
    aws: Aws,
    settings: Settings,
    service: AwsDict,
    served: Sequence[str],
    names: HostedDomains,
    accept: Collection[str] = (),
    look_up: LookUp | None = None,
    former: Sequence[Destination] = (),
) -> tuple[Check, ...]:
    """The gates that send no request to the service: the new service, App Runner's traffic, the web ACL, DNS.

    ``served`` are the custom domains of the service, ``names`` their DNS records, ``accept`` those of ``CODES`` that
    do not fail a gate. ``look_up`` asks public DNS; None for an embedded AWS. ``former`` are the stack's own addresses
    that serve too.
    """
    leads = _leads(aws, settings, service, look_up, former)
    seen = in_parallel(
        lambda: live(aws, settings),
        lambda: traffic(aws, settings, service),
        lambda: firewall(aws, settings, service, accept),
    )
    found = (*seen, dns(service, served, names, leads, accept, former))
    ids = ("live.since", "traffic.requests", "firewall.same", "dns.records")
    return tuple(Check(id, one.status, one.saw, one.fix) for id, one in zip(ids, found, strict=True))


def live(aws: Aws, settings: Settings) -> CheckResult:
    """The new service runs its desired count, and first became live at least the soak time ago."""
    service = find_service(aws, settings.cluster, settings.service, settings.service)
    if service is None or service["status"] != "ACTIVE":
        return failed(f"{settings.service} does not exist", "inv setup-fargate, then inv deploy --tag T")
    if trouble := _unsettled(service):
        return failed(f"{settings.service} {trouble}", "inv status")
    return _soaked(settings, aws.clock.age(_live_since(aws, settings, service).timestamp()))


def _unsettled(service: AwsDict) -> str:
    primary = next(each for each in service["deployments"] if each["status"] == "PRIMARY")
    running, desired = service["runningCount"], service["desiredCount"]
    if not desired:
        return "has a desired count of 0"
    if running < desired:
        return f"runs {running} of {desired} tasks"
    if not is_at_rest(service):
        return f"is being deployed ({primary.get('rolloutState')})"
    return ""


def _live_since(aws: Aws, settings: Settings, service: AwsDict) -> datetime:
    """When a deployment first succeeded; ECS keeps 90 days."""
    asked: dict[str, Any] = {
        "cluster": settings.cluster,
        "service": settings.service,
        "status": ["SUCCESSFUL"],
    }
    listed = aws.pages("ecs:ListServiceDeployments", "serviceDeployments", settings.service, **asked)
    ends = [each["finishedAt"] for each in listed if each.get("finishedAt")]
    oldest: datetime = min(ends, default=service["deployments"][0]["createdAt"])
    return oldest


def _soaked(settings: Settings, age: float) -> CheckResult:
    soak = settings.apprunner.soak_hours * _HOUR
    saw = f"{settings.service} has been live for {span(age)}"
    if age >= soak:
        return passed(saw)
    return failed(
        f"{saw} of {span(soak)} (apprunner.soak_hours)", f"run the command again in {span(soak - age)}"
    )


def traffic(aws: Aws, settings: Settings, service: AwsDict) -> CheckResult:
    """App Runner served no visitor in the quiet time: by its metrics, or, where these cannot be read, by its log."""
    if service["Status"] != "RUNNING":
        return passed(f"none: the App Runner service is {service['Status']}")
    seconds = settings.apprunner.quiet_minutes * _MINUTE
    try:
        return _served(settings.apprunner.quiet_requests, seconds, *_requests(aws, service, seconds))
    except AwsCallError as refused:
        try:
            return _written(seconds, _logged(aws, service, seconds))
        except AwsCallError:
            return failed(f"cannot be read: {refusal(refused)}", "allow cloudwatch:GetMetricStatistics")


def _served(most: int, seconds: float, requests: int, client_errors: int) -> CheckResult:
    """The result of counting requests, of which there may be ``most``.

    Requests answered with 4xx are not counted: they are internet scanners'.
    """
    within = f"in the last {span(seconds)}"
    if not requests:
        return passed(f"no request {within}")
    visits = max(0, requests - client_errors)
    saw = f"{_many(visits, 'request')} {within}" if visits else f"no request {within}, except from scanners"
    if most:
        saw += f", of {most} allowed (apprunner.quiet_requests)"
    if client_errors:
        saw += f"; {client_errors} more were answered 4xx and do not count"
    if visits <= most:
        return passed(saw)
    return failed(
        f"{saw}; those of inv compare-apprunner, inv import-apprunner and an earlier clean-up count too",
        f"move the visitors (inv cutover), then wait {span(seconds)}; "
        "if these are scanners, set apprunner.quiet_requests",
    )


def _written(seconds: float, lines: int) -> CheckResult:
    within = f"in the last {span(seconds)}"
    if not lines:
        return passed(f"no line in App Runner's log {within}")
    return failed(
        f"{_many(lines, 'line')} in App Runner's log {within}",
        f"move the visitors (inv cutover), then wait {span(seconds)}",
    )


def _many(count: int, what: str) -> str:
    return f"{count} {what}" if count == 1 else f"{count} {what}s"


def _requests(aws: Aws, service: AwsDict, seconds: float) -> tuple[int, int]:
    """CloudWatch's ``Requests`` and ``4xxStatusResponses``, which App Runner reports each minute."""
    start = datetime.fromtimestamp(aws.clock.ago(seconds), tz=UTC)
    period = period_for(seconds / aws.clock.speed)
    every, refused = (
        round(sum(datapoints(aws, service, metric, "Sum", start, period)))
        for metric in ("Requests", "4xxStatusResponses")
    )
    return every, refused


def _logged(aws: Aws, service: AwsDict, seconds: float) -> int:
    """The number of lines in the app's log, used where its metrics cannot be read."""
    group = f"/aws/apprunner/{service['ServiceName']}/{service['ServiceId']}/application"
    start = int(aws.clock.ago(seconds) * 1000)
    return len(aws.pages("logs:FilterLogEvents", "events", group, logGroupName=group, startTime=start))


def firewall(aws: Aws, settings: Settings, service: AwsDict, accept: Collection[str]) -> CheckResult:
    """The web ACL that protects the service protects the load balancer too."""
    found = firewalls.compare(aws, settings.load_balancer.name, service["ServiceArn"])
    if not found.code:
        return passed(found.saw)
    if found.code in accept:
        return warned(f"accepted ({found.code}): {found.saw}")
    return failed(
        found.saw, f"{found.fix}; or, if that is intended, inv cleanup-apprunner --accept {found.code}"
    )


def read_former(aws: Aws, settings: Settings) -> tuple[Destination, ...]:
    """The addresses of the stack that a change of ``front.kind`` has left serving; none where they cannot be read."""
    try:
        return former_destinations(aws, settings)
    except (AwsCallError, RefusedError):
        return ()


def _leads(
    aws: Aws, settings: Settings, service: AwsDict, look_up: LookUp | None, former: Sequence[Destination]
) -> Leads:
    """The function that tells where public DNS leads a name: to the service, to the settings' address, or to a former
    one."""
    old = Address(service.get("ServiceUrl", ""))
    if look_up is None:
        return lambda name: find_lead(name, old, None)
    try:
        new = destination_address(aws, settings)
    except AwsCallError as refused:
        unknown = Lead("unknown", f"the new address cannot be read: {refusal(refused)}")
        return lambda _: unknown
    others = new, *(each.address for each in former)
    return lambda name: find_lead(name, old, look_up, *others)


def dns(
    service: AwsDict,
    served: Sequence[str],
    names: HostedDomains,
    leads: Leads,
    accept: Collection[str] = (),
    former: Sequence[Destination] = (),
) -> CheckResult:
    """No custom domain leads to App Runner any more: by its records in this account's Route 53, and by public DNS.

    Public DNS decides alone about a name without an address record here. Where it knows other records than those here,
    nobody asks the hosted zone here. A name that leads to a ``former`` address of the stack, which serves too, is a
    warning.
    """
    if service["Status"] == "DELETED":
        return passed("it is deleted")
    if not served:
        return CheckResult(
            "skip", "no custom domain; the awsapprunner.com address cannot move: tell its users"
        )
    shares = {name: share(names, name, service["ServiceUrl"]) for name in served}
    public = {name: leads(name) for name in served}
    still = [f"{name} ({part:.0%})" for name, part in shares.items() if part]
    still += [
        f"{name} (public DNS)"
        for name, found in public.items()
        if found.where == "there" and not shares[name]
    ]
    if still:
        return failed(f"still leading to App Runner: {', '.join(still)}", "inv cutover")
    unsure = [name for name in served if shares[name] is None and not _is_nowhere(name, names, public[name])]
    doubts = [doubt for name in unsure if (doubt := _doubt(name, public[name]))]
    if refused := next((each for each in doubts if each.code not in accept), None):
        step = f"{refused.fix}; or, if that is intended, inv cleanup-apprunner --accept {refused.code}"
        return failed(refused.saw, step)
    accepted = [f"accepted ({each.code}): {each.saw}" for each in doubts]
    places = {name: _place_before(names, name, public[name], former) for name in served}
    if left := {name: place for name, place in places.items() if place}:
        told = (f"{name} leads to {place}: not to App Runner" for name, place in left.items())
        return warned("; ".join((*accepted, *told)), _lead_on(left, names))
    if accepted:
        return warned("; ".join(accepted))
    return passed(f"{', '.join(served)}: no record leads to App Runner")


def _place_before(names: HostedDomains, name: str, found: Lead, former: Sequence[Destination]) -> str:
    """The former address that gets visitors of a name, in words; empty where none does."""
    return next((each.former_words for each in former if _gets(each, names, name, found)), "")


def _gets(former: Destination, names: HostedDomains, name: str, found: Lead) -> bool:
    """Whether the records here, or public DNS, lead visitors of a name to an address."""
    return bool(share(names, name, former.dns_name)) or found.other == former.dns_name


def _lead_on(led: Collection[str], names: HostedDomains) -> str:
    """What ends the change of address for these domains."""
    cutover = "inv cutover" if all(each in names.zones for each in led) else "inv cutover shows the records"
    return f"{cutover}, then inv remove-old-load-balancer"


@dataclass(frozen=True)
class _Doubt:
    """Why a name may still lead to App Runner: what was seen, the code, and what to do."""

    saw: str
    code: str
    fix: str


def _is_nowhere(name: str, names: HostedDomains, found: Lead) -> bool:
    """Whether neither a zone here, which matches the name, nor public DNS has an address for it."""
    return name in names.zones and found.where == "nowhere"


def _doubt(name: str, found: Lead) -> _Doubt | None:
    about = f"{name} has no address record in this account's Route 53"
    if found.where == "unknown":
        return _Doubt(f"{about}; not checked, because {found.saw}", UNKNOWN, f"check yourself: dig {name}")
    if found.where == "nowhere":
        return _Doubt(
            f"{about}, and {found.saw}", ELSEWHERE, f"check that it is meant to have none: dig {name}"
        )
    if found.where == "elsewhere":
        saw = f"{about}, and public DNS leads it to {found.saw}: neither to the new address nor to App Runner"
        return _Doubt(saw, ELSEWHERE, "let it lead to the new address (inv cutover shows the record)")
    return None


def custom_domains(aws: Aws, arn: str) -> tuple[str, ...]:
    """The custom domain names that an App Runner service serves."""
    domains = aws.pages("apprunner:DescribeCustomDomains", "CustomDomains", arn, ServiceArn=arn)
    return tuple(name for each in domains if each["Status"] != "DELETING" for name in _names(each))


def _names(domain: AwsDict) -> list[str]:
    name = domain["DomainName"]
    return [name, f"www.{name}"] if domain["EnableWWWSubdomain"] else [name]


def share(names: HostedDomains, name: str, target: str) -> float | None:
    """The share of a name's visitors that its records send to ``target``, 0 to 1; None without an address record
    here."""
    return share_of(names.records[name], target) if names.has_address(name) else None


def span(seconds: float) -> str:
    """A duration in words: ``30 s``, ``45 min``, ``6 h``, ``3 days``."""
    if seconds < 2 * _MINUTE:
        return f"{seconds:.0f} s"
    if seconds < 2 * _HOUR:
        return f"{seconds / _MINUTE:.0f} min"
    return f"{seconds / _HOUR:.0f} h" if seconds < 3 * _DAY else f"{seconds / _DAY:.0f} days"
