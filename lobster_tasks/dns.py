"""Asks public DNS, through the machine's own resolvers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dns.message import QueryMessage
    from dns.resolver import Resolver

_WITHIN_SECONDS = 10.0
_OF_ADDRESSES = ("A", "AAAA")


@dataclass(frozen=True)
class Lookup:
    """What public DNS has for a name: the ``names`` that its CNAME records lead to, in lower case without the trailing
    dot, and its IPv4 and IPv6 ``addresses``. Both are empty where it has neither."""

    names: frozenset[str] = frozenset()
    addresses: frozenset[str] = frozenset()


def name_servers(
    zone: str, asked: Resolver | None = None, within: float = _WITHIN_SECONDS
) -> frozenset[str] | None:
    """The name servers that public DNS has for ``zone``, in lower case without the trailing dot.

    Empty where the zone is not delegated; None where that is unknown. ``asked`` is the resolver, by default the
    machine's own; ``within`` is how long it is waited for, in seconds.
    """
    from dns import exception, resolver

    try:
        found = asked or resolver.get_default_resolver()
        answer = found.resolve(f"{zone.rstrip('.')}.", "NS", lifetime=within)
    except (resolver.NXDOMAIN, resolver.NoAnswer):
        return frozenset()
    except (exception.DNSException, OSError):
        return None
    return frozenset(str(each.target).rstrip(".").lower() for each in answer)


def look_up(name: str, asked: Resolver | None = None, within: float = _WITHIN_SECONDS) -> Lookup | None:
    """Where public DNS leads ``name``; None where that is unknown for IPv4 or IPv6.

    ``asked`` is the resolver, by default the machine's own; ``within`` is how long it is waited for, in seconds, for
    each of the two.
    """
    names: set[str] = set()
    addresses: set[str] = set()
    for kind in _OF_ADDRESSES:
        answer = _response(f"{name.rstrip('.')}.", kind, asked, within)
        if answer is None:
            return None
        found = answer.resolve_chaining()
        names |= {str(each.target).rstrip(".").lower() for alias in found.cnames for each in alias}
        addresses |= {str(each.address) for each in found.answer or ()}
    return Lookup(frozenset(names), frozenset(addresses))


def _response(name: str, kind: str, asked: Resolver | None, within: float) -> QueryMessage | None:
    """The answer, also one that has no record or does not know the name; None without one."""
    from dns import exception, message, resolver
    from dns.name import from_text

    try:
        found = asked or resolver.get_default_resolver()
        answer = found.resolve(name, kind, lifetime=within, raise_on_no_answer=False).response
    except resolver.NXDOMAIN as unknown:
        answer = unknown.response(from_text(name))  # type: ignore[no-untyped-call]  # its CNAME records may lead to a name that is gone
    except (exception.DNSException, OSError):
        return None
    return answer if isinstance(answer, message.QueryMessage) else None
