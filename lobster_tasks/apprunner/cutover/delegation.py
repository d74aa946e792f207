"""Checks whether public DNS uses the hosted zones whose records a cut-over changes."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping

from ...account import NameServers, apex_of
from ...aws import Aws
from ...errors import RefusedError

UNDELEGATED = "dns-undelegated"
"""The code by which the refusal is overridden: the resolvers of this machine may answer for a network of their own."""


def refuse_undelegated(
    aws: Aws, zones: Mapping[str, str], ask: NameServers, accept: Collection[str] = ()
) -> tuple[str, ...]:
    """Sentences about what could not be checked, or was accepted. ``zones`` maps domains to their hosted zones' ids.

    Raises RefusedError if public DNS has other name servers than the zone, so that nobody would see its records, unless
    ``accept`` has UNDELEGATED.
    """
    return tuple(
        unknown
        for zone in dict.fromkeys(zones.values())
        for unknown in _examine(
            aws, zone, next(name for name, id in zones.items() if id == zone), ask, accept
        )
    )


def _examine(aws: Aws, zone: str, domain: str, ask: NameServers, accept: Collection[str]) -> Iterator[str]:
    name, own = apex_of(aws, zone)
    public = ask(name)
    if public is None:
        yield (
            f"not checked whether {name} is delegated to the hosted zone {zone}: public DNS does not answer; "
            f"check it: dig NS {name} must list {', '.join(sorted(own))}"
        )
        return
    if own & public:
        return
    why = (
        f"public DNS knows {', '.join(sorted(public)) or 'no name servers'} for {name}, "
        f"the zone has {', '.join(sorted(own))}"
    )
    if UNDELEGATED in accept:
        yield f"accepted ({UNDELEGATED}): {why}"
        return
    raise RefusedError(
        f"The domain is not delegated to the hosted zone {zone} for {domain}; DNS was not changed.",
        f"{why}; this machine's own resolvers were asked",
        f"set the zone's name servers at the registrar of {name}; or, if its DNS is hosted elsewhere on purpose, "
        "delete this zone: inv cutover then prints the records to make there; or, if these resolvers answer for a "
        f"network of their own and dig NS {name} elsewhere lists the zone's name servers, inv cutover --accept "
        f"{UNDELEGATED}",
    )
