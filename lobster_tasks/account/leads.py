"""Finds out where public DNS leads a domain: for those without an address record in this account's Route 53, or in a
zone that the internet does not ask, and for every domain that an App Runner service serves."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Literal

from .. import dns
from ..aws import Aws
from .embedded import is_embedded
from .hosted_domains import NameServers, bare

LookUp = Callable[[str], dns.Lookup | None]
"""Returns what public DNS has for a name; None if that is not known."""


@dataclass(frozen=True)
class PublicDns:
    """The functions that ask public DNS."""

    look_up: LookUp
    name_servers: NameServers


@dataclass(frozen=True)
class Address:
    """An address that visitors can be led to: its DNS ``name``, empty where it does not exist.

    Distributions share addresses with others (``shares_addresses``): only their names tell them apart.
    """

    name: str
    shares_addresses: bool = False


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


def find_lead(name: str, there: Address, ask: LookUp | None, *others: Address) -> Lead:
    """Where public DNS leads a domain: by the names of its CNAME records or, as with ALIAS and ANAME, by its addresses.

    It leads ``there`` where it may do so for some visitors, and to one of the ``others`` where it does for all of them.
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
    return _by_addresses(name, found.addresses, there, others, ask) or Lead("elsewhere", saw)


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
