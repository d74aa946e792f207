"""The way of visitors' requests, hop by hop: name, distribution, VPC origin, load balancer, target groups.

A hop that lets nobody through has a trouble, with the cause's code and the command that repairs it. ``read_path`` asks
AWS, ``with_names`` Route 53 too, and public DNS where Route 53 does not tell, and ``with_certificates`` opens a TLS
connection for each domain; the rest is pure.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from math import inf
from typing import Any
from urllib.parse import urlsplit

from ...account import (
    ADDRESS_TYPES,
    Address,
    Front,
    HostedDomains,
    Lead,
    NameServers,
    PublicDns,
    Record,
    aliases_of,
    apex_of,
    find_front,
    find_lead,
    find_target_group,
    hidden_errors,
    hosted_domains,
    is_embedded,
    is_left_to_others,
    share_of,
    target,
)
from ...aws import Aws
from ...denials import ACCESS_DENIED
from ...errors import AwsCallError, RefusedError
from ...in_parallel import in_parallel
from ...probe import PublicEndpoint, certificate_error, find_public_endpoint, lacks_distribution, listeners_of
from ...settings import LoadBalancerSettings, Settings
from ...stack.load_balancing import find_balancer
from ...stack.vpc_origin import has_failed
from ..cause_code import CauseCode, page_of

_NAMES_FOR_SECONDS = 60.0
_REPAIR, _LEAD = "inv setup-fargate", "inv cutover"


@dataclass(frozen=True)
class Trouble:
    """Why a hop lets nobody through: the cause, a sentence, and the command that repairs it."""

    code: CauseCode
    message: str
    remedy: str = _REPAIR

    @property
    def page(self) -> str:
        """The cause's page in the documentation."""
        return page_of(self.code)


@dataclass(frozen=True)
class Hop:
    """One hop of visitors' requests: what it is, as AWS calls it, its name, and its state in words."""

    kind: str
    name: str
    state: str = ""
    trouble: Trouble | None = None


@dataclass(frozen=True)
class FormerLoadBalancer:
    """The load balancer that another one replaces while both serve; ``next_step`` is what ends that, in words."""

    name: str
    target_group: str
    next_step: str


@dataclass(frozen=True)
class NameReading:
    """What was read of a domain.

    ``records`` are its records in Route 53 in this account; None where its DNS is elsewhere or may not be read, where
    its zone leaves it to a wildcard or to other name servers, and where public DNS does not ask its zone.
    ``lead`` is then where public DNS leads it: ``there`` is the stack's address, ``other`` that of the former load
    balancer; None where that was not asked. ``former`` is the former address that gets visitors, in words; empty where
    none does.
    ``certificate`` is why the certificate that visitors are shown for it is not valid; empty where it is.
    """

    domain: str
    records: tuple[Record, ...] | None = None
    certificate: str = ""
    lead: Lead | None = None
    former: str = ""


@dataclass(frozen=True)
class _FormerAddress:
    """An address at which the former load balancer serves: what it is, in words, and its name."""

    words: str
    address: Address

    def gets(self, records: Sequence[Record] | None, lead: Lead | None) -> bool:
        """Whether a domain's records, or public DNS, lead visitors there."""
        by_records = bool(share_of(records, self.address.name)) if records else False
        return by_records or (lead is not None and lead.other == self.address.name)


@dataclass(frozen=True)
class VisitorsPath:
    """What was read of the way to the target groups (names).

    ``endpoint`` is None where no listener forwards to them; then ``balancer`` is the load balancer that has them, or
    that of the settings' name, as DescribeLoadBalancers returns it, with its ``listeners``, and ``front`` what
    CloudFront has in front of it.
    ``unread`` is true where access to these is denied. ``names`` are the domains of the settings before a distribution
    or a public load balancer.
    """

    settings: Settings
    target_groups: tuple[str, ...]
    endpoint: PublicEndpoint | None = None
    balancer: Mapping[str, Any] | None = None
    listeners: tuple[Mapping[str, Any], ...] = ()
    front: Front | None = None
    unread: bool = False
    names: tuple[NameReading, ...] = ()


def read_path(aws: Aws, settings: Settings, target_groups: Sequence[str]) -> VisitorsPath:
    """Read the way to target groups (ARNs).

    Where no listener forwards to them, the load balancer is the one that has them, or else that of the settings' name.
    """
    names = tuple(each.split("/")[-2] for each in target_groups)
    endpoint = find_public_endpoint(aws, target_groups, settings.name)
    if endpoint is not None or not names:
        return VisitorsPath(settings, names, endpoint, front=endpoint.front if endpoint else None)
    try:
        balancer = _attached(aws, target_groups) or find_balancer(aws, settings.load_balancer.name)
        if balancer is None:
            return VisitorsPath(settings, names)
        arn = balancer["LoadBalancerArn"]
        front = find_front(aws, arn, settings.name) if settings.is_fronted else None
        return VisitorsPath(settings, names, None, balancer, tuple(listeners_of(aws, arn)), front)
    except AwsCallError as refused:
        if refused.code not in ACCESS_DENIED:
            raise
        return VisitorsPath(settings, names, unread=True)


def _attached(aws: Aws, target_groups: Sequence[str]) -> dict[str, Any] | None:
    """The first load balancer that has one of the target groups (ARNs); None where none has."""
    found = (find_target_group(aws, each, arn=each) for each in target_groups)
    arn = next((each for group in found if group for each in group["LoadBalancerArns"]), None)
    if arn is None:
        return None
    described = aws.call("elbv2:DescribeLoadBalancers", arn, LoadBalancerArns=[arn])
    return dict(described["LoadBalancers"][0])


def with_names(aws: Aws, path: VisitorsPath, ask: PublicDns | None) -> VisitorsPath:
    """The way with the domains of the settings, where visitors may use them, and where DNS leads them.

    ``ask`` asks public DNS; None for an embedded AWS.
    """
    endpoint, domains = path.endpoint, tuple(path.settings.domains)
    if endpoint is None or endpoint.internal:  # to which public DNS leads no domain
        return path
    former = _former_addresses(aws, path) if domains else ()
    read, (known, leads) = in_parallel(
        partial(with_certificates, aws, path), partial(_leading, aws, domains, endpoint, ask, former)
    )
    names = (_reading(each, known.get(each.domain), leads.get(each.domain), former) for each in read.names)
    return replace(path, names=tuple(names))


def _reading(
    read: NameReading,
    records: Sequence[Record] | None,
    lead: Lead | None,
    former: Sequence[_FormerAddress],
) -> NameReading:
    """The reading of a domain with where DNS leads it."""
    words = next((each.words for each in former if each.gets(records, lead)), "")
    return replace(read, records=None if records is None else tuple(records), lead=lead, former=words)


def _former_addresses(aws: Aws, path: VisitorsPath) -> tuple[_FormerAddress, ...]:
    """Where the former load balancer serves while another one takes its place; none where that may not be read."""
    former = find_former(path.settings, path.target_groups, None)
    try:
        balancer = find_balancer(aws, former.name) if former else None
        if balancer is None:
            return ()
        own = _FormerAddress(
            f"the former load balancer {balancer['LoadBalancerName']}", Address(balancer["DNSName"])
        )
        if balancer["Scheme"] != "internal":
            return (own,)
        distribution = find_front(aws, balancer["LoadBalancerArn"], path.settings.name).distribution
    except AwsCallError as refused:
        if refused.code not in ACCESS_DENIED:
            raise
        return ()
    if distribution is None:
        return (own,)
    aliases = frozenset(aliases_of(distribution["DistributionConfig"]))
    address = Address(distribution["DomainName"], shares_addresses=True, aliases=aliases)
    return _FormerAddress(f"the former distribution {distribution['Id']}", address), own


def _leading(
    aws: Aws,
    domains: Sequence[str],
    endpoint: PublicEndpoint,
    ask: PublicDns | None,
    former: Sequence[_FormerAddress],
) -> tuple[Mapping[str, Sequence[Record]], Mapping[str, Lead]]:
    """The records of the domains whose DNS is in this account, and where public DNS leads the others."""
    known = _records(aws, domains, ask.name_servers if ask else None)
    if ask is None:
        return known, {}
    here = Address(endpoint.dns_name, endpoint.distribution is not None, frozenset(_aliases(endpoint)))
    outside = [each for each in domains if each not in known]
    others = [each.address for each in former]
    leads = in_parallel(*(partial(find_lead, each, here, ask.look_up, *others) for each in outside))
    return known, dict(zip(outside, leads, strict=True))


class NamesReader:
    """Reads the names of a way that is read again and again, but not each time: they change seldom.

    They are read again after a minute, and for another address, other target groups or other aliases. ``ask`` asks
    public DNS; None for an embedded AWS.
    """

    def __init__(self, aws: Aws, ask: PublicDns | None) -> None:
        self._aws, self._ask = aws, ask
        self._names: tuple[NameReading, ...] = ()
        self._read_for: tuple[str, ...] | None = None
        self._read_at = -inf

    def __call__(self, path: VisitorsPath) -> VisitorsPath:
        """``with_names``, with the names of the last reading where that is new enough."""
        now, endpoint = self._aws.clock.now(), path.endpoint
        read_for = (
            (endpoint.url, endpoint.dns_name, *path.target_groups, *_aliases(endpoint)) if endpoint else ()
        )
        if read_for != self._read_for or now - self._read_at >= _NAMES_FOR_SECONDS:
            self._names = with_names(self._aws, path, self._ask).names
            self._read_for, self._read_at = read_for, now
        return replace(path, names=self._names)


def _records(aws: Aws, domains: Sequence[str], ask: NameServers | None) -> Mapping[str, Sequence[Record]]:
    """The records of the domains whose DNS is in this account; none without permission, or where two zones
    match a name and public DNS does not tell which counts.

    A zone that public DNS does not ask says nothing; where public DNS does not answer, it counts.
    """
    try:
        found = hosted_domains(aws, domains, name_servers=ask)
        unasked = _unasked(aws, found, ask) if ask else frozenset()
        return {
            domain: listed
            for domain, listed in found.records.items()
            if found.zones[domain] not in unasked
            and (found.has_address(domain) or not is_left_to_others(aws, found.zones[domain], domain))
        }
    except (AwsCallError, RefusedError):
        return {}


def _unasked(aws: Aws, found: HostedDomains, ask: NameServers) -> frozenset[str]:
    """The hosted zones (ids) that public DNS does not ask: their names are delegated to others, or not at all."""

    def is_unasked(zone: str) -> bool:
        name, own = apex_of(aws, zone)
        public = ask(name)
        return public is not None and not own & public

    zones = list(dict.fromkeys(found.zones.values()))
    answers = in_parallel(*(partial(is_unasked, each) for each in zones))
    return frozenset(zone for zone, unasked in zip(zones, answers, strict=True) if unasked)


def with_certificates(aws: Aws, path: VisitorsPath, reached: bool | None = None) -> VisitorsPath:
    """The way with the domains of the settings, where visitors may use them; Route 53 is not asked.

    ``reached`` is whether this machine has just reached the endpoint; None where that was not tried. Where it does not,
    or, untried, where a load balancer lets only some in, no certificate is asked for: that could end after a long wait.
    """
    endpoint = path.endpoint
    if endpoint is None or endpoint.internal:  # to which public DNS leads no domain
        return path
    is_open = endpoint.distribution is not None or (not endpoint.is_private if reached is None else reached)
    asked = [each for each in path.settings.domains if is_open and _shows_certificate(aws, endpoint, each)]
    errors = in_parallel(*(partial(certificate_error, endpoint, each) for each in asked))
    found = dict(zip(asked, errors, strict=True))
    names = (NameReading(each, certificate=found.get(each, "")) for each in path.settings.domains)
    return replace(path, names=tuple(names))


def _shows_certificate(aws: Aws, endpoint: PublicEndpoint, domain: str) -> bool:
    """Whether visitors of a domain are shown a certificate for it: a distribution has them for its aliases.

    That of an embedded load balancer is signed by nobody.
    """
    if endpoint.distribution:
        return domain in _aliases(endpoint)
    is_secure = endpoint.rule is not None and endpoint.rule.protocol == "HTTPS"
    return is_secure and not is_embedded(aws.endpoint_url)


def _aliases(endpoint: PublicEndpoint) -> tuple[str, ...]:
    """The aliases of the distribution; none without one."""
    return aliases_of(endpoint.distribution["DistributionConfig"]) if endpoint.distribution else ()


def broken_hop(path: VisitorsPath) -> Hop | None:
    """The first hop that lets nobody through; None where all do, as far as they could be read."""
    return next((each for each in hops(path) if each.trouble), None)


def hops(path: VisitorsPath, former: FormerLoadBalancer | None = None) -> Iterator[Hop]:
    """From the names that visitors use to the target groups; empty where there are no target groups."""
    if not path.target_groups:
        return
    yield from _names(path)
    if path.settings.is_fronted or (path.endpoint and path.endpoint.distribution):
        yield from _in_front(path)
    yield from _load_balancer(path)
    for group in path.target_groups:
        yield Hop("target group", group, _door(path.settings.load_balancer, group, former))


def _names(path: VisitorsPath) -> Iterator[Hop]:
    endpoint = path.endpoint
    if endpoint is None:
        return
    yield from (_name(each, endpoint, path.settings) for each in path.names)
    known = [each.domain for each in path.names]
    yield from (Hop("name", each, "alias") for each in _aliases(endpoint) if each not in known)
    if not lacks_distribution(endpoint, path.settings):
        yield Hop("name", urlsplit(endpoint.address).netloc)


def _name(read: NameReading, endpoint: PublicEndpoint, settings: Settings) -> Hop:
    """A domain: where DNS leads it, and whether a distribution takes it; a load balancer takes every name."""
    share = share_of(read.records, endpoint.dns_name) if read.records is not None else None
    state = _led(share, read)
    if endpoint.distribution:
        state = f"{'alias' if read.domain in _aliases(endpoint) else 'no alias'}, {state}"
    trouble = _distrusted(read, endpoint, settings) or _misled(read, share, endpoint)
    return Hop("name", read.domain, state, trouble)


def _led(share: float | None, read: NameReading) -> str:
    """Where DNS leads a domain, in words."""
    lead = read.lead
    if share is not None:
        others = f", others to {read.former}, which serves too" if read.former else ""
        return f"{share:.0%} of visitors led here{others}"
    if read.former:
        return f"led by public DNS to {read.former}, which serves too"
    if lead is None:
        return "DNS not known"
    if lead.where == "there":
        return "led here by public DNS"
    if lead.where == "elsewhere":
        return f"public DNS leads it to {lead.saw}"
    return lead.saw if lead.where == "nowhere" else f"DNS not known: {lead.saw}"


def _distrusted(read: NameReading, endpoint: PublicEndpoint, settings: Settings) -> Trouble | None:
    """Why visitors of a domain do not trust the certificate that they are shown.

    Setup gives a distribution the certificate of its aliases; what a listener lacks, a cut-over requests.
    """
    if not read.certificate:
        return None
    message = f"The certificate of {_entrance(endpoint)} is not valid for {read.domain}: {read.certificate}."
    section = "front" if endpoint.distribution else "load_balancer"
    remedy = _REPAIR if endpoint.distribution else _LEAD
    if settings.certificate:
        remedy = f"set {section}.certificate to one for {read.domain}, then inv setup-fargate"
    return Trouble(CauseCode.CERTIFICATE_INVALID, message, remedy)


def _entrance(endpoint: PublicEndpoint) -> str:
    """What takes visitors' connections, in words."""
    if endpoint.distribution:
        return f"the distribution {endpoint.distribution['Id']}"
    return f"the load balancer {_named(endpoint)}"


def _misled(read: NameReading, share: float | None, endpoint: PublicEndpoint) -> Trouble | None:
    """Why visitors of a domain do not come to the distribution or load balancer, or are refused there."""
    led = [each for each in read.records or () if each["Type"] in ADDRESS_TYPES]
    if share is None:
        return _misled_elsewhere(read.domain, read.lead, endpoint) if read.lead else None
    if not led:
        entrance = "distribution" if endpoint.distribution else "load balancer"
        message = (
            f"{read.domain} has no address record in its hosted zone: DNS leads nobody to the {entrance}."
        )
        return Trouble(CauseCode.NAME_WITHOUT_RECORD, message, _LEAD)
    if not share and read.former:  # where they are served too
        return None
    if not share:
        there = ", ".join(dict.fromkeys(map(target, led)))
        message = f"DNS leads {read.domain} to {there}, not to {_entrance(endpoint)}."
        return Trouble(CauseCode.NAME_ELSEWHERE, message, _LEAD)
    return None if _takes(endpoint, read.domain) else _no_alias(read.domain, endpoint)


def _takes(endpoint: PublicEndpoint, domain: str) -> bool:
    """Whether a domain that leads here is served: a load balancer takes every name, a distribution its aliases."""
    return endpoint.distribution is None or domain in _aliases(endpoint)


def _misled_elsewhere(domain: str, lead: Lead, endpoint: PublicEndpoint) -> Trouble | None:
    """The same by public DNS: what it leads to may be a proxy that leads on."""
    if lead.where == "nowhere":
        message = f"{lead.saw[:1].upper()}{lead.saw[1:]}: DNS leads nobody to {_entrance(endpoint)}."
        return Trouble(CauseCode.NAME_WITHOUT_RECORD, message, f"{_LEAD} shows the record to make")
    if lead.where == "elsewhere":
        message = f"Public DNS leads {domain} to {lead.saw}, not to {_entrance(endpoint)}."
        remedy = f"{_LEAD} shows the record to make; nothing, if that address leads on to the app"
        return Trouble(CauseCode.NAME_ELSEWHERE, message, remedy)
    if lead.where == "there" and not _takes(endpoint, domain):
        return _no_alias(domain, endpoint)
    return None


def _no_alias(domain: str, endpoint: PublicEndpoint) -> Trouble:
    message = (
        f"DNS leads {domain} to {_entrance(endpoint)}, which does not have it as an alias: CloudFront shows another "
        "name's certificate, and answers 403."
    )
    return Trouble(CauseCode.ALIAS_MISSING, message)


def _in_front(path: VisitorsPath) -> Iterator[Hop]:
    """The distribution and its VPC origins; nothing where there is no load balancer to look in front of."""
    front = path.front
    if front is None or front.unread:
        if path.balancer or (path.endpoint and lacks_distribution(path.endpoint, path.settings)):
            yield Hop("distribution", "not found", "none leads to the load balancer, or access is denied")
        return
    name = path.balancer["LoadBalancerName"] if path.balancer else _named(path.endpoint)
    if front.distribution is None:
        yield Hop("distribution", "not found", "none leads to the load balancer", _undistributed(front, name))
    else:
        yield _distribution(front.distribution)
    yield from (_vpc_origin(each) for each in _used(front))
    if not front.vpc_origins:
        message = f"No VPC origin leads to the load balancer {name}, so CloudFront does not reach it."
        yield Hop(
            "VPC origin",
            "not found",
            "none leads to the load balancer",
            Trouble(CauseCode.VPC_ORIGIN_MISSING, message),
        )


def _undistributed(front: Front, balancer: str) -> Trouble | None:
    """The trouble of a missing distribution; a missing VPC origin explains it."""
    if not front.vpc_origins:
        return None
    message = (
        f"No distribution leads to the load balancer {balancer}, which is internal: visitors reach nothing."
    )
    return Trouble(CauseCode.DISTRIBUTION_MISSING, message)


def _distribution(found: Mapping[str, Any]) -> Hop:
    id, enabled = found["Id"], found["DistributionConfig"]["Enabled"]
    hidden = " and ".join(map(str, hidden_errors(found["DistributionConfig"])))
    pages = f", answers 200 in place of {hidden}" if hidden else ""
    state = f"{'enabled' if enabled else 'disabled'}, {found['Status']}{pages}"
    message = f"The distribution {id} is disabled, so CloudFront serves nobody."
    return Hop(
        "distribution", id, state, None if enabled else Trouble(CauseCode.DISTRIBUTION_DISABLED, message)
    )


def _used(front: Front) -> list[Mapping[str, Any]]:
    """The VPC origins of the load balancer that the distribution uses; all of them without a distribution."""
    if front.distribution is None:
        return list(front.vpc_origins)
    origins = front.distribution["DistributionConfig"]["Origins"]["Items"]
    ids = {each["VpcOriginConfig"]["VpcOriginId"] for each in origins if each.get("VpcOriginConfig")}
    return [each for each in front.vpc_origins if each["Id"] in ids]


def _vpc_origin(found: Mapping[str, Any]) -> Hop:
    id, status = found["Id"], found["Status"]
    message = f"The VPC origin {id} is {status}, so CloudFront does not reach the load balancer."
    trouble = Trouble(CauseCode.VPC_ORIGIN_FAILED, message) if has_failed(found) else None
    return Hop("VPC origin", id, status, trouble)


def _load_balancer(path: VisitorsPath) -> Iterator[Hop]:
    endpoint, name = path.endpoint, path.settings.load_balancer.name
    if endpoint and endpoint.load_balancer and endpoint.rule:
        scheme = "internal" if endpoint.internal or endpoint.distribution else "internet-facing"
        state = f"{scheme}, {endpoint.rule.protocol} on port {endpoint.rule.port}"
        yield Hop("load balancer", _named(endpoint), state)
    elif endpoint is None and path.unread:
        yield Hop("load balancer", name, "not known: access is denied")
    elif endpoint is None:
        state = "not found" if path.balancer is None else str(path.balancer["Scheme"])
        yield Hop("load balancer", _unled_name(path), state, unled(path))


def unled(path: VisitorsPath) -> Trouble:
    """Why no listener forwards to the target groups."""
    name, groups = _unled_name(path), ", ".join(path.target_groups)
    if path.balancer is None:
        message = f"There is no load balancer {name}: visitors reach nothing."
        return Trouble(CauseCode.LOAD_BALANCER_MISSING, message)
    if not path.listeners:
        message = f"The load balancer {name} has no listener, so it takes no connection."
        return Trouble(CauseCode.LISTENER_MISSING, message)
    return Trouble(CauseCode.TARGET_NOT_IN_USE, f"No listener of {name} forwards to {groups}.")


def _unled_name(path: VisitorsPath) -> str:
    """The name of the load balancer that has the target groups, or that of the settings."""
    return str(path.balancer["LoadBalancerName"]) if path.balancer else path.settings.load_balancer.name


def _named(endpoint: PublicEndpoint | None) -> str:
    """The load balancer's name."""
    return endpoint.load_balancer.split("/")[-2] if endpoint and endpoint.load_balancer else ""


def find_former(
    settings: Settings, target_groups: Sequence[str], url: str | None
) -> FormerLoadBalancer | None:
    """The one whose target group (name) the service is in besides that of the stack's own, which comes first."""
    names = _by_target_group(settings.load_balancer)
    both = [each for each in target_groups if each in names]
    if len(both) < 2:
        return None
    domains = ", ".join(settings.domains)
    lead = f"inv cutover leads {domains}" if domains else "lead visitors"
    end = f"{lead} to {url or 'the new address'}, then inv remove-old-load-balancer ends {names[both[1]]}"
    return FormerLoadBalancer(names[both[1]], both[1], end)


def _door(section: LoadBalancerSettings, group: str, former: FormerLoadBalancer | None) -> str:
    """Which of two load balancers a target group (name) belongs to, in words; empty while there is one only."""
    if former is None:
        return ""
    if group == former.target_group:
        return f"former: {former.name} serves too, until inv remove-old-load-balancer"
    present = _by_target_group(section).get(group)
    return f"present: {present}" if present else ""


def _by_target_group(section: LoadBalancerSettings) -> dict[str, str]:
    """The names of the stack's two possible load balancers, by the names of their target groups."""
    return {each.target_group: each.name for each in (section.names, section.other)}
