"""Asks public DNS, through the machine's own resolvers."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dns.resolver import Resolver

_WITHIN_SECONDS = 10.0


def name_servers(zone: str, asked: Resolver | None = None) -> frozenset[str] | None:
    """The name servers that public DNS has for ``zone``, in lower case without the trailing dot.

    Empty where the zone is not delegated; None where that is unknown. ``asked`` is the resolver, by default the
    machine's own.
    """
    from dns import exception, resolver

    try:
        found = asked or resolver.get_default_resolver()
        answer = found.resolve(f"{zone.rstrip('.')}.", "NS", lifetime=_WITHIN_SECONDS)
    except (resolver.NXDOMAIN, resolver.NoAnswer):
        return frozenset()
    except (exception.DNSException, OSError):
        return None
    return frozenset(str(each.target).rstrip(".").lower() for each in answer)
