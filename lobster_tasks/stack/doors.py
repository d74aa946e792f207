"""The doors of a stack: which ways in visitors have, and whom each lets in. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from ipaddress import IPv4Network, IPv6Network, collapse_addresses, ip_network
from typing import Literal

from .distribution import Distribution
from .firewall import WEB_ACL, WebAclAssociation
from .load_balancing import Listener, LoadBalancer
from .network import ANYWHERE, ANYWHERE_IPV6, SecurityGroup
from .resource import Live, LiveResources, Resource
from .sign_in import provider_of

Range = IPv4Network | IPv6Network
Sees = Literal["visitors", "CloudFront"]
Rule = Literal["addresses", "web-acl", "sign-in"]
EVERYBODY: frozenset[Range] = frozenset(map(ip_network, (ANYWHERE, ANYWHERE_IPV6)))


@dataclass(frozen=True)
class Door:
    """One way in: a listener of the load balancer that forwards to the app, or the distribution.

    ``label`` is that of the listener or distribution, ``decided_by`` that of another resource that decides a rule,
    where it exists. ``internal``: only visitors in networks that reach the VPC can use it. ``ranges`` are the address
    ranges that may come in, whether or not the door has an IPv6 address itself. ``web_acls`` are the ARNs of web ACLs
    whose rules are not known here, each with whose addresses it sees: behind a distribution those of CloudFront.
    ``sign_in`` identifies the provider and the application at which visitors sign in; empty where they do not.
    """

    label: str
    internal: bool
    ranges: frozenset[Range] = EVERYBODY
    web_acls: frozenset[tuple[Sees, str]] = frozenset()
    sign_in: str = ""
    former: bool = False
    decided_by: Mapping[Rule, str] = field(default_factory=dict, compare=False)


def doors(state: Mapping[Resource, Live | None]) -> tuple[Door, ...]:
    """The doors of these resources that let in anybody; None stands for a resource that does not exist.

    Of a slice without a load balancer, the security groups tell what they would let in.
    """
    known = LiveResources(state)
    if any(isinstance(each, LoadBalancer) for each in state):
        direct = [_of_listener(each, known) for each in known if isinstance(each, Listener)]
    else:
        groups = [each for each in known if isinstance(each, SecurityGroup)]
        direct = [door for each in groups for door in _of_group(each, known)]
    fronts = [_of_distribution(each, known) for each in known if isinstance(each, Distribution)]
    return tuple(each for each in (*direct, *fronts) if each is not None and each.ranges)


def uncovered(door: Door, others: Iterable[Door]) -> tuple[Range, ...]:
    """The address ranges from which a door lets in visitors whom the others keep out, in order."""
    return outside(door.ranges, let_in(door, others))


def let_in(door: Door, others: Iterable[Door], leaving_out: Iterable[Rule] = ()) -> frozenset[Range]:
    """The address ranges from which the others let in everybody who passes a door, whatever the door's own ranges.

    Whom a web ACL or a sign-in lets in is not known: another door keeps out nobody more that has only web ACLs that
    this one has too, and the same sign-in or none. ``leaving_out``: as if the doors did not differ in these.
    """
    ignored = frozenset(leaving_out)
    wider = (each for each in others if _is_no_stricter(each, door, ignored))
    return frozenset[Range]().union(*(each.ranges for each in wider))


def outside(ranges: Iterable[Range], others: Iterable[Range]) -> tuple[Range, ...]:
    """Those of the ranges that the others do not contain together, in order."""
    within = frozenset(others)
    missing = (each for each in ranges if not _is_within(each, within))
    return tuple(sorted(missing, key=lambda each: (each.version, int(each.network_address), each.prefixlen)))


def shared(ranges: Iterable[Range], others: Iterable[Range]) -> frozenset[Range]:
    """What both have in common: of two blocks that overlap, one contains the other."""
    both = ((one, other) for one in ranges for other in others if one.overlaps(other))
    return frozenset(max(one, other, key=lambda each: each.prefixlen) for one, other in both)


def _is_no_stricter(wider: Door, door: Door, ignored: frozenset[Rule]) -> bool:
    """Whether it keeps out nobody of those whom ``door`` lets in, apart from addresses and from what is ignored."""
    return (
        (door.internal or not wider.internal)
        and ("web-acl" in ignored or wider.web_acls <= door.web_acls)
        and ("sign-in" in ignored or wider.sign_in in ("", door.sign_in))
    )


def _is_within(block: Range, ranges: Iterable[Range]) -> bool:
    """Whether ranges contain a block together; those with all of IPv4 keep out nobody by the address."""
    fours = list(collapse_addresses(each for each in ranges if isinstance(each, IPv4Network)))
    if ip_network(ANYWHERE) in fours:
        return True
    if isinstance(block, IPv4Network):
        return any(block.subnet_of(each) for each in fours)
    sixes = collapse_addresses(each for each in ranges if isinstance(each, IPv6Network))
    return any(block.subnet_of(each) for each in sixes)


def _of_listener(listener: Listener, known: LiveResources) -> Door | None:
    """The door of a listener that leads to the app; None of one that only redirects."""
    balancer, found = listener.load_balancer, known[listener]
    if balancer not in known or not listener.leads_to_app(found):
        return None
    return Door(
        listener.label,
        internal=known[balancer].attributes["scheme"] == "internal",
        ranges=_networks(balancer.cidr_blocks(known, listener.port)),
        web_acls=_regional(balancer, known, "visitors"),
        sign_in=provider_of(found.attributes),
        former=listener.former,
        decided_by={
            "addresses": balancer.security_group.label,
            "web-acl": f"{WebAclAssociation.kind}/{balancer.name}",
        },
    )


def _of_group(group: SecurityGroup, known: LiveResources) -> Iterator[Door]:
    """What a security group of a load balancer would let in, by port."""
    for port in () if group.source else group.ports:
        yield Door(
            group.label,
            internal=not group.for_visitors,
            ranges=_networks(group.cidr_blocks(known[group], port)),
            former=group.former,
        )


def _of_distribution(distribution: Distribution, known: LiveResources) -> Door | None:
    """The door of an enabled distribution: with the stack's own web ACL, or with another one, or with none."""
    attributes, own = known[distribution].attributes, known.get(distribution.visitors)
    if not attributes["enabled"]:
        return None
    attached, ranges, web_acls = attributes["web-ACL"], EVERYBODY, frozenset[tuple[Sees, str]]()
    is_own = own is not None and attached == (own.id or distribution.visitors.name)
    listed = distribution.visitors.lets_in(known) if is_own else None
    if listed is not None:
        ranges = _networks(listed)
    elif attached:
        web_acls = frozenset({("visitors", attached)})
    return Door(
        distribution.label,
        internal=False,
        ranges=ranges,
        web_acls=web_acls | _regional(distribution.vpc_origin.load_balancer, known, "CloudFront"),
        former=distribution.former,
        decided_by={"addresses": distribution.visitors.label},
    )


def _regional(balancer: LoadBalancer, known: LiveResources, sees: Sees) -> frozenset[tuple[Sees, str]]:
    """The web ACL that protects the load balancer; none where it must not be read, which the plan remarks."""
    found = (
        known[each].attributes.get(WEB_ACL)
        for each in known
        if isinstance(each, WebAclAssociation) and each.load_balancer == balancer
    )
    return frozenset((sees, arn) for arn in found if arn)


def _networks(blocks: Iterable[str]) -> frozenset[Range]:
    return frozenset(map(ip_network, blocks))
