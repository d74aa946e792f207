"""Operations on alternate domain names (aliases) that another distribution has.

Sources: API Reference ("ListConflictingAliases", "AssociateAlias"); Developer Guide, "Move an alternate domain name".
"""

from __future__ import annotations

from typing import Any

from ..moto import adapter
from ..moto.adapter import AwsError
from .answers import Request, invalid, page
from .configuration import CERTIFICATES_IN, covers, overlap
from .distributions import change, find
from .edge import Edge
from .model import CloudFrontState, Distribution

SHOWN = 7
"""The last characters of ids that are shown; the others are hidden."""

NOT_COVERED = "The distribution has no certificate that includes the alias {}."  # (own words)
NOT_YOURS = "The alias is in use by a distribution of another account."  # (own words)


def list_conflicting(edge: Edge, state: CloudFrontState, request: Request) -> dict[str, Any]:
    """ListConflictingAliases: aliases that equal or overlap the given one, and who has them, partly hidden."""
    found, alias = find(state, {"Id": request["DistributionId"]}), request["Alias"].lower()
    _require_certificate(found, alias)
    items = [
        {"Alias": name, "DistributionId": _hidden(each.id), "AccountId": _hidden(each.account)}
        for each in edge.others()
        for name in sorted(each.aliases)
        if overlap(name, alias)
    ]
    shown = page(items, request.get("Marker"), request.get("MaxItems"), "Alias")
    return {"ConflictingAliasesList": shown}


def associate(edge: Edge, state: CloudFrontState, request: Request) -> dict[str, Any]:
    """AssociateAlias: moves an alias to another distribution of the account.

    Moving one of another account, whose distribution is disabled, is not supported.
    """
    target, alias = find(state, {"Id": request["TargetDistributionId"]}), request["Alias"].lower()
    _require_certificate(target, alias)
    source = next((each for each in edge.others(target) if alias in each.aliases), None)
    if source is not None and source.account != state.account:
        raise AwsError("AccessDenied", NOT_YOURS)
    if source is not None:
        _give(edge, source, source.aliases - {alias})
    _give(edge, target, target.aliases | {alias})
    return {}


def _give(edge: Edge, found: Distribution, names: frozenset[str]) -> None:
    aliases = {"Quantity": len(names), **({"Items": sorted(names)} if names else {})}
    change(edge, found, {**found.config, "Aliases": aliases})


def _require_certificate(found: Distribution, alias: str) -> None:
    arn = found.config["ViewerCertificate"].get("ACMCertificateArn")
    certificate = adapter.find_certificate(found.account, CERTIFICATES_IN, arn) if arn else None
    if certificate is None or not covers(certificate.names, alias):
        raise invalid(NOT_COVERED.format(alias))


def _hidden(id: str) -> str:
    return "*" * (len(id) - SHOWN) + id[-SHOWN:]
