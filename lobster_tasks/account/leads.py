"""Finds out where public DNS leads a domain: for those without an address record in this account's Route 53, or in a
zone that the internet does not ask, and for every domain that an App Runner service serves."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Literal

from .. import dns
from ..aws import Aws
from ..http_client import Client
from ..in_parallel import in_parallel
from .embedded import is_embedded
from .hosted_domains import NameServers, bare

LookUp = Callable[[str], dns.Lookup | None]
"""Returns what public DNS has for a name; None if that is not known."""


AtEdge = Callable[[str, str], bool | None]
"""Returns whether an address answers for a name as CloudFront does; None where nothing answers."""
_EDGE_WITHIN_SECONDS = 3.0


@dataclass(frozen=True)
class PublicDns:
    """The functions that ask public DNS."""

    look_up: LookUp
    name_servers: NameServers


@dataclass(frozen=True)
class Address:
    """An address that visitors can be led to: its DNS ``name``, empty where it does not exist.

    Distributions share addresses with others (``shares_addresses``): their names tell them apart, and which of their
    ``aliases`` a request is for.
    """

    name: str
    shares_addresses: bool = False
    aliases: frozenset[str] = frozenset()


NO_ADDRESS = Address("")


@dataclass(frozen=True)
class Lead:
    """Where public DNS leads a name: to the address in question (``there``), to an ``other`` one that is known,
    ``elsewhere``, ``nowhere``, or it is ``unknown``.

    ``saw`` is what public DNS has, or why it is not known, in words. ``other`` is the name of the other address.
    """

    where: Literal["there", "other", "elsewhere", "nowhere", "unknown"]
    saw: str
    other: str = ""


def public_lookup(aws: Aws) -> LookUp | None:
    """The function that asks public DNS; None for an embedded AWS, whose names are not public."""
    return None if is_embedded(aws.endpoint_url) else dns.look_up


def hurried_dns(aws: Aws, within: float) -> PublicDns | None:
    """The functions that ask public DNS for at most ``within`` seconds a question; None for an embedded AWS."""
    if is_embedded(aws.endpoint_url):
        return None
    return PublicDns(partial(dns.look_up, within=within), partial(dns.name_servers, within=within))


def find_lead(
    name: str, there: Address, ask: LookUp | None, *others: Address, at_edge: AtEdge | None = None
) -> Lead:
    """Where public DNS leads a domain: by the names of its CNAME records or, as with ALIAS and ANAME, by its addresses.

    It leads ``there`` where it may do so for some visitors, and to one of the ``others`` where it does for all of them.
    ``at_edge`` asks an address whether it is CloudFront's, by default with a request.
    """
    if ask is None:
        return Lead("unknown", "the names of an embedded AWS are not in public DNS")
    found = ask(name)
    if found is None:
        return Lead("unknown", f"public DNS does not answer for {name}")
    hosts = {bare(each) for each in found.names}
    if not hosts and not found.addresses:
        return Lead("nowhere", f"public DNS has no address for {name}")
    saw = ", ".join(sorted(hosts) or sorted(found.addresses))
    if there.name and bare(there.name) in hosts:
        return Lead("there", saw)
    if named := next((each.name for each in others if each.name and bare(each.name) in hosts), ""):
        return Lead("other", saw, named)
    by_addresses = _by_addresses(name, found.addresses, there, others, ask)
    if by_addresses is None or by_addresses.where == "unknown":
        front = next((each for each in (there, *others) if name in each.aliases), NO_ADDRESS)
        edges = _at_edges(name, found.addresses, at_edge or is_at_edge) if front.name else ()
        if front.name == there.name and any(edges):
            return Lead("there", saw)
        if edges and all(edges):
            return Lead("other", saw, front.name)
    return by_addresses or Lead("elsewhere", saw)


def is_at_edge(name: str, address: str, authority: str = "") -> bool | None:
    """Whether an address answers for a name as CloudFront does: with a certificate for it, and CloudFront's headers.

    It is then the distribution that has the name as an alias, which only one can have, also where a proxy is in
    between. None where nothing answers there. ``authority`` (PEM) is trusted instead of this machine's own.
    Sources: CloudFront, "Restrictions on using alternate domain names", "Request and response behavior for custom
    origins".
    """
    host = f"[{address}]" if address.count(":") > 1 else address
    with Client(name.replace("*", "www", 1), authority=authority, by_proxy=False) as client:
        answer = client.request(f"https://{host}/", _EDGE_WITHIN_SECONDS, most=0)
    if answer.status is None and not answer.is_tls_refused:
        return None
    return "x-amz-cf-id" in answer.headers and answer.headers.get("via", "").endswith("(CloudFront)")


def _at_edges(name: str, addresses: frozenset[str], at_edge: AtEdge) -> tuple[bool, ...]:
    """Whether each of the addresses is CloudFront's; without those of IPv6 that this machine may not reach."""
    asked = sorted(addresses)
    answers = in_parallel(*(partial(at_edge, name, each) for each in asked))
    return tuple(
        bool(answer)
        for address, answer in zip(asked, answers, strict=True)
        if answer is not None or ":" not in address
    )


def _by_addresses(
    name: str, addresses: frozenset[str], there: Address, others: Sequence[Address], ask: LookUp
) -> Lead | None:
    """Whether the addresses are those of a load balancer or of App Runner: one of them there, or all of another's."""
    saw, known = ", ".join(sorted(addresses)), {each: _addresses(each, ask) for each in (there, *others)}
    of_there = known.pop(there)
    if of_there is not None and addresses & of_there:
        return Lead("there", saw)
    silent = [there] if of_there is None else [each for each, its in known.items() if its is None]
    led = next((each.name for each, its in known.items() if its and addresses and addresses <= its), "")
    if led and of_there is not None:
        return Lead("other", saw, led)
    if silent:
        return Lead("unknown", f"public DNS does not answer for {silent[0].name}")
    if shared := ", ".join(sorted(_shared(addresses, there, ask))):
        others_too = f"addresses that {there.name} shares with other distributions"
        return Lead("unknown", f"public DNS leads {name} to {others_too}: {shared}")
    return None


def _shared(addresses: frozenset[str], address: Address, ask: LookUp) -> frozenset[str]:
    """Those of the addresses that are also a distribution's."""
    found = ask(address.name) if address.name and address.shares_addresses else None
    return addresses & found.addresses if found else frozenset()


def _addresses(address: Address, ask: LookUp) -> frozenset[str] | None:
    """The addresses by which it can be recognised; None where they are not known."""
    if not address.name or address.shares_addresses:
        return frozenset()
    found = ask(address.name)
    return None if found is None else found.addresses
