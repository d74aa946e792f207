"""The state of a cut-over, read from the account."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from itertools import starmap
from typing import Any

from ... import converge, stack
from ...account import (
    NO_ADDRESS,
    Address,
    AmbiguousZoneError,
    HostedDomains,
    Lead,
    LookUp,
    NameServers,
    aliases_of,
    find_authority,
    find_lead,
    hosted_domains,
    share_of,
)
from ...aws import Aws
from ...converge import Plan
from ...denials import ACCESS_DENIED
from ...doctor.check import refusal
from ...errors import AwsCallError, RefusedError
from ...forwarding import sign_in_url
from ...in_parallel import in_parallel
from ...probe import allowed_sources
from ...settings import Settings
from ...stack import Live, Resource, Stack
from ...stack.certificates import ISSUED, Certificate, covers
from ...stack.load_balancing import HTTPS_PORT, Listener, find_balancer
from ...stack.sign_in import SignIn
from .. import services
from . import routes
from .routes import APP_RUNNER, Destination, Origin, Route

# The hosted zone of all distributions (Route 53 API Reference, "AliasTarget").
_CLOUDFRONT_ZONE = "Z2FDTNDATAQYW2"


@dataclass(frozen=True)
class CutoverState:
    """The certificate, the listeners or the distribution, and the routes of every domain.

    ``elsewhere`` are the domains whose records are in no public hosted zone of this account. ``https`` is the plan for
    what visitors connect to; ``certificate`` is None if the settings name one. ``authority`` (PEM) is trusted at the
    destination in addition to this machine's own.
    """

    domains: tuple[str, ...]
    destination: Destination
    authority: str
    origin: Origin
    target_group: str
    desired: Stack
    https: Plan
    certificate: Certificate | None
    zones: Mapping[str, str]
    routes: tuple[Route, ...]

    @property
    def elsewhere(self) -> tuple[str, ...]:
        """The domains whose DNS is not in this account."""
        return tuple(domain for domain in self.domains if domain not in self.zones)

    @property
    def found(self) -> Live | None:
        """The live certificate."""
        return self.https.live.get(self.certificate) if self.certificate else None

    @property
    def https_once_proven(self) -> Plan:
        """The plan for what visitors connect to, as it would be with the certificate, whether or not there is one."""
        live = {
            each: each.once_issued(one) if isinstance(each, (Certificate, SignIn)) else one
            for each, one in self.https.live.items()
        }
        return converge.plan(self.desired, live)

    @property
    def proven(self) -> bool:
        """Whether there is a certificate that can be used."""
        return self.certificate is None or (
            self.found is not None and self.found.attributes["status"] == ISSUED
        )

    @property
    def asks_to_sign_in(self) -> bool:
        """Whether visitors of the destination have to sign in, once HTTPS is as the settings say."""
        return any(each.sign_in for each in self.desired.resources if isinstance(each, Listener))

    @property
    def share(self) -> int:
        """The lowest percentage of visitors at the destination among the domains."""
        return min((route.share for route in self.routes), default=0)

    @property
    def source(self) -> str:
        """Where the visitors come from, in words: App Runner, or the former address that another one replaces."""
        return " and ".join(dict.fromkeys(route.source for route in self.routes)) or APP_RUNNER

    @property
    def goal(self) -> str:
        """Where they go, in words."""
        return self.destination.name if self.replaces_address else "Fargate"

    @property
    def replaces_address(self) -> bool:
        """Whether visitors come from a former address."""
        return any(route.is_from_former for route in self.routes)

    def share_of(self, domain: str) -> int | None:
        """The percentage for one domain; None if its DNS is elsewhere."""
        return min((route.share for route in self.routes if route.domain == domain), default=None)


def read_state(
    aws: Aws,
    settings: Settings,
    name_servers: NameServers | None = None,
    known: Mapping[str, str] | None = None,
) -> CutoverState:
    """Read the state without changing anything. Raises RefusedError without a load balancer or without a domain.

    ``name_servers`` and ``known`` are as for ``hosted_domains``.
    """
    if not settings.domains:
        raise _no_domain(aws)
    desired = _desired(aws, settings)
    live, names = in_parallel(
        lambda: converge.read(aws, desired),
        lambda: hosted_domains(aws, settings.domains, known=known, name_servers=name_servers),
    )
    destination, group = _standing(aws, settings, live)
    origin = Origin(settings.name, settings.region, _hosts(aws), _former(aws, live))
    return CutoverState(
        settings.domains,
        destination,
        find_authority(aws, f"https://{destination.dns_name}") if destination.is_distribution else "",
        origin,
        group.id,
        desired,
        converge.plan(desired, live),
        _certificate(desired, settings, aws),
        names.zones,
        _routes(names, destination, origin),
    )


def _desired(aws: Aws, settings: Settings) -> Stack:
    """What visitors connect to, with what is left of a former load balancer and its distribution."""
    with_distribution = settings.is_fronted or not settings.is_internal
    kinds = "listener", "certificate", *(["distribution"] if with_distribution else [])
    return stack.build(settings, aws.account, aws.partition).slice(kinds)


@dataclass(frozen=True)
class LedDomains:
    """Domains whose DNS leads visitors to the stack; ``unknown`` says why that is not known of all.

    ``former`` are those that lead to an address that another one replaces. ``is_unread`` is true where the records in
    this account could not be read.
    """

    domains: tuple[str, ...] = ()
    unknown: str = ""
    is_unread: bool = False
    former: tuple[str, ...] = ()


def destination_name(aws: Aws, settings: Settings) -> str:
    """The DNS name of the load balancer, or of the stack's distribution in front of it; empty where there is none."""
    return destination_address(aws, settings).name


def domains_here(aws: Aws, settings: Settings, look_up: LookUp | None = None) -> LedDomains:
    """The domains whose DNS leads visitors to the stack: to its address, or to one that is replaced and still serves.

    ``look_up`` asks public DNS about those without an address record in this account; without it they are left out.
    Not known without permission to read, where two zones match a domain, and where public DNS leads one elsewhere.
    Raises AwsCallError for other refusals.
    """
    if not settings.domains:
        return LedDomains()

    def read() -> LedDomains:
        live, names = converge.read(aws, _desired(aws, settings)), hosted_domains(aws, settings.domains)
        own = {each: one for each, one in live.items() if not each.former and one is not None}
        both = _destinations(aws, own), _endangered(aws, live)
        present, former = map(_addresses, map(_reached_by_visitors, both))
        ask = cache(look_up) if look_up else None  # both readings ask for the same names
        led = _led(settings.domains, names, (*present, *former), ask)
        to_former = _led(settings.domains, names, former, ask).domains
        return replace(
            led, domains=tuple(each for each in led.domains if each not in to_former), former=to_former
        )

    return _unless_denied(read)


def _reached_by_visitors(found: Sequence[Destination]) -> tuple[Destination, ...]:
    """Without the load balancer behind a distribution."""
    return tuple(each for each in found if each.is_distribution) or tuple(found)


def _addresses(found: Iterable[Destination]) -> tuple[Address, ...]:
    return tuple(each.address for each in found)


def refuse_led_to_former(aws: Aws, settings: Settings, look_up: LookUp | None = None) -> LedDomains:
    """Raise RefusedError where DNS leads visitors to the load balancer that another one replaces, or to its
    distribution.

    Returns no domains, and why that is not known; ``look_up`` as for ``domains_here``. Raises AwsCallError where it
    could be read, but was not.
    """
    if not settings.domains:
        return LedDomains()

    def read() -> LedDomains:
        former = _endangered(aws, converge.read(aws, _desired(aws, settings)))
        if not former:
            return LedDomains()
        new, names = destination_address(aws, settings), hosted_domains(aws, settings.domains)
        unknown: dict[str, None] = {}
        for each in former:
            led = _led(settings.domains, names, _addresses([each]), look_up, new)
            unknown |= {led.unknown: None} if led.unknown else {}
            if led.domains:
                raise _led_to(each, led.domains, settings, new)
        return LedDomains(unknown="; ".join(unknown))

    return _unless_denied(read)


def _unless_denied(read: Callable[[], LedDomains]) -> LedDomains:
    """What was read, or why it may not be read."""
    try:
        return read()
    except AmbiguousZoneError as ambiguous:
        return LedDomains(unknown=refusal(ambiguous), is_unread=True)
    except AwsCallError as refused:
        if refused.code not in ACCESS_DENIED:
            raise
        return LedDomains(unknown=refusal(refused), is_unread=True)


def destination_address(aws: Aws, settings: Settings) -> Address:
    """The address of the load balancer, or of the stack's distribution in front of it; NO_ADDRESS where there is
    none."""
    if settings.is_fronted:
        front = stack.build(settings, aws.account, aws.partition).slice(("distribution",))
        live = [one for each, one in converge.read(aws, front).items() if each.kind == "distribution"]
        return _distribution(live[0]).address if live and live[0] else NO_ADDRESS
    found = find_balancer(aws, settings.load_balancer.name)
    return Address(found["DNSName"]) if found else NO_ADDRESS


def _led(
    domains: Sequence[str],
    names: HostedDomains,
    addresses: Sequence[Address],
    look_up: LookUp | None,
    new: Address = NO_ADDRESS,
) -> LedDomains:
    """The domains that lead to one of the addresses: by their records here, or by public DNS, which ``look_up`` asks.

    Of those that public DNS leads neither there nor to ``new`` it is unknown: a CDN may be in front of an address.
    """
    if not addresses:
        return LedDomains()
    led = [
        domain
        for domain, listed in names.records.items()
        if any(share_of(listed, each.name) for each in addresses)
    ]
    outside = [each for each in domains if look_up and not names.has_address(each)]
    leads = {
        name: min((find_lead(name, each, look_up, new) for each in addresses), key=_certainty)
        for name in outside
    }
    led += [each for each, lead in leads.items() if lead.where == "there"]
    return LedDomains(tuple(led), "; ".join(filter(None, starmap(_doubt, leads.items()))))


def _certainty(lead: Lead) -> int:
    """Sorts what decides about several addresses first: it leads to one of them, or that is not known of one."""
    return {"there": 0, "unknown": 1}.get(lead.where, 2)


def _doubt(domain: str, lead: Lead) -> str:
    """Why a domain may lead to the old address all the same; empty where it does not."""
    if lead.where == "elsewhere":
        return f"public DNS leads {domain} to {lead.saw}"
    return lead.saw if lead.where == "unknown" else ""


def _led_to(former: Destination, domains: Sequence[str], settings: Settings, new: Address) -> RefusedError:
    old = _what_visitors_reach(settings.load_balancer.swapped().name, former.is_distribution)
    goal = _what_visitors_reach(settings.load_balancer.name, settings.is_fronted)
    return RefusedError(
        f"{', '.join(domains)}: DNS still leads visitors to {old}.",
        "they would get no answer once it is deleted",
        f"inv cutover leads them to {', '.join(filter(None, (goal, new.name)))}, or shows the records to make; after "
        "their TTL, run the same command again",
    )


def _what_visitors_reach(load_balancer: str, is_fronted: bool) -> str:
    return f"the distribution before {load_balancer}" if is_fronted else load_balancer


def former_destinations(aws: Aws, settings: Settings) -> tuple[Destination, ...]:
    """The load balancer of the stack that another one replaces, and its distribution; empty where there is none."""
    if find_balancer(aws, settings.load_balancer.other.name) is None:
        return ()
    return _former(aws, converge.read(aws, _desired(aws, settings)))


def _endangered(aws: Aws, live: Mapping[Resource, Live | None]) -> tuple[Destination, ...]:
    """The old load balancer and its distribution, whoever they belong to, where something of them would be deleted."""
    old = {each: one for each, one in live.items() if each.former and one is not None}
    is_of_the_stack = any(each.taggable and each.is_ours(one) for each, one in old.items())
    return _destinations(aws, old) if is_of_the_stack else ()


def refresh_routes(aws: Aws, now: CutoverState) -> CutoverState:
    """The state with its routes read again; the rest does not change after HTTPS is set up."""
    names = hosted_domains(aws, now.domains, known=now.zones)
    return replace(now, routes=_routes(names, now.destination, now.origin))


def _standing(aws: Aws, settings: Settings, live: Mapping[Resource, Live | None]) -> tuple[Destination, Live]:
    needed = ("load-balancer", "target-group", *(["distribution"] if settings.is_fronted else []))
    own = {each: one for each, one in live.items() if not each.former}
    found = {each.kind: one for each, one in own.items() if one is not None}
    for each in own:
        if each.kind in needed and each.kind not in found:
            raise RefusedError(
                f"{each.name} does not exist: there is nothing to cut over to.",
                next_step="inv setup-fargate   then   inv deploy --tag T",
            )
    if distribution := found.get("distribution"):
        return _distribution(distribution), found["target-group"]
    return _load_balancer(aws, found["load-balancer"].raw, own), found["target-group"]


def _former(aws: Aws, live: Mapping[Resource, Live | None]) -> tuple[Destination, ...]:
    former = {each: one for each, one in live.items() if each.former and one is not None}
    return _destinations(aws, {each: one for each, one in former.items() if each.is_ours(one)})


def _destinations(aws: Aws, old: Mapping[Resource, Live]) -> tuple[Destination, ...]:
    found = {each.kind: one for each, one in old.items()}
    balancer, distribution = found.get("load-balancer"), found.get("distribution")
    return (
        *((_load_balancer(aws, balancer.raw, old),) if balancer else ()),
        *((_distribution(distribution),) if distribution else ()),
    )


def _distribution(found: Live) -> Destination:
    """IPv6 is always on."""
    return Destination(
        f"distribution {found.id}",
        found.raw["DomainName"],
        _CLOUDFRONT_ZONE,
        dual_stack=True,
        is_distribution=True,
        aliases=frozenset(aliases_of(found.raw["DistributionConfig"])),
    )


def _load_balancer(aws: Aws, raw: Mapping[str, Any], live: Mapping[Resource, Live | None]) -> Destination:
    """A load balancer, in the shape of DescribeLoadBalancers, with its listeners among ``live``."""
    let_in = allowed_sources(aws, raw.get("SecurityGroups", []), HTTPS_PORT)
    secure = [one.raw for one in live.values() if one is not None and one.raw.get("Protocol") == "HTTPS"]
    return Destination(
        raw["LoadBalancerName"],
        raw["DNSName"],
        raw["CanonicalHostedZoneId"],
        dual_stack=raw.get("IpAddressType", "ipv4") != "ipv4",
        internal=raw.get("Scheme") == "internal",
        allowed_sources=let_in.sources,
        unread_sources=let_in.unread,
        sign_in=sign_in_url(secure[0]["DefaultActions"]) if secure else "",
        secure=bool(secure),
    )


def _certificate(desired: Stack, settings: Settings, aws: Aws) -> Certificate | None:
    """The certificate of the domains. Raises RefusedError if the settings name one that does not cover all of them."""
    own = desired.certificate
    arn, setting = settings.certificate, f"{'front' if settings.is_fronted else 'load_balancer'}.certificate"
    if own is None and arn:
        acm = aws.in_region(arn.split(":")[3])
        shown = acm.call("acm:DescribeCertificate", setting, CertificateArn=arn)
        names = shown["Certificate"].get("SubjectAlternativeNames", [])
        if not covers(names, settings.domains):
            raise RefusedError(
                f"The certificate is not for all of {', '.join(settings.domains)}.",
                f"{arn} is for {', '.join(names)}",
                f"remove {setting} from the settings: inv cutover then requests one",
            )
    return own


def _routes(names: HostedDomains, destination: Destination, origin: Origin) -> tuple[Route, ...]:
    return tuple(
        route
        for domain, zone in names.zones.items()
        for route in routes.find(domain, zone, names.records[domain], destination, origin)
    )


def _no_domain(aws: Aws) -> RefusedError:
    served = _domains_of_app_runner(aws)
    known = f"App Runner serves {', '.join(served)}: set domains: [{', '.join(served)}], then inv cutover"
    new = (
        "tell users the new address, which inv status shows, and leave App Runner running until it gets no requests; "
        "or set domains to a custom domain, which then never has to move again"
    )
    return RefusedError(
        "The awsapprunner.com address cannot move.",
        "it belongs to App Runner and is deleted with the service; domains is not set",
        known if served else new,
    )


def _domains_of_app_runner(aws: Aws) -> list[str]:
    """Custom domains of the region's services; empty if they cannot be read."""
    try:
        found: list[dict[str, Any]] = []
        for each in services.listed(aws):
            arn = each["ServiceArn"]
            found += aws.pages("apprunner:DescribeCustomDomains", "CustomDomains", ServiceArn=arn)
    except AwsCallError:
        return []
    return [each["DomainName"] for each in found]


def _hosts(aws: Aws) -> frozenset[str]:
    """The hosts of the region's App Runner services; empty if they cannot be read (most names identify App Runner)."""
    try:
        return frozenset(each["ServiceUrl"] for each in services.listed(aws) if each.get("ServiceUrl"))
    except AwsCallError:
        return frozenset()
