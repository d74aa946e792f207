"""Checks whether the load balancer has the same web ACL as the App Runner service."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from ..aws import Aws
from ..doctor.check import refusal
from ..errors import AwsCallError, RefusedError, UsageError
from ..settings import Settings, service_name
from ..stack.firewall import protecting
from ..stack.load_balancing import find_balancer
from . import services

LOST, UNKNOWN = "firewall-lost", "firewall-unknown"
CODES = (LOST, UNKNOWN)


@dataclass(frozen=True)
class WebAclComparison:
    """The web ACLs of a service and the load balancer; ``code`` says what is wrong, empty where nothing is."""

    saw: str
    code: str = ""
    fix: str = ""


def check_codes(accept: Collection[str], known: Sequence[str] = CODES) -> None:
    """Raise UsageError for an unknown code."""
    if unknown := sorted(set(accept) - set(known)):
        raise UsageError(f"--accept {unknown[0]} is none of {', '.join(known)}.")


def compare(aws: Aws, balancer: str, service: str) -> WebAclComparison:
    """Compare the web ACLs of the service (ARN) and of a load balancer (name)."""
    name = service.split("/")[1]
    try:
        old = protecting(aws, service, name)
        new = _of_balancer(aws, balancer) if old else ""
    except AwsCallError as refused:
        saw = f"the web ACL of {name} or {balancer} cannot be read: {refusal(refused)}"
        return WebAclComparison(saw, UNKNOWN, refused.next_step)
    if old == new:
        return WebAclComparison(f"{_named(old)} protects both" if old else f"{name} has no web ACL")
    return WebAclComparison(
        f"{_named(old)} protects {name}, and {_named(new) if new else 'no web ACL'} {balancer}",
        LOST,
        f"set load_balancer.web_acl={old}, then inv setup-application-load-balancer",
    )


def refuse_unprotected(
    aws: Aws, settings: Settings, hosts: Collection[str], accept: Collection[str] = ()
) -> tuple[str, ...]:
    """Sentences about differences that were accepted or could not be read.

    Checks the services at ``hosts``, which serve the visitors, and the settings' own. Raises RefusedError where
    visitors would lose the protection of their current web ACL, or where that is unknown.
    """
    named = service_name(settings.apprunner.service or "")
    try:
        every = services.listed(aws)
    except AwsCallError as refused:
        saw = f"the web ACL of App Runner cannot be read: {refusal(refused)}"
        if not named:  # the name may never have been App Runner's
            return (saw,)
        comparisons = [WebAclComparison(saw, UNKNOWN, refused.next_step)]
    else:
        left = [each for each in every if each.get("ServiceUrl") in hosts or each["ServiceName"] == named]
        comparisons = [compare(aws, settings.load_balancer.name, each["ServiceArn"]) for each in left]
    wrong = [each for each in comparisons if each.code]
    for each in wrong:
        if each.code not in accept:
            raise RefusedError(
                "Visitors would lose their web ACL; DNS was not changed.",
                each.saw,
                f"{each.fix}; or, if that is intended, inv cutover --accept {each.code}",
            )
    return tuple(f"accepted ({each.code}): {each.saw}" for each in wrong)


def _of_balancer(aws: Aws, name: str) -> str:
    """The ARN of the load balancer's web ACL; empty where it has none, or does not exist."""
    found = find_balancer(aws, name)
    return protecting(aws, found["LoadBalancerArn"], name) if found else ""


def _named(arn: str) -> str:
    """``web ACL name``; an ARN ends in name and id."""
    return f"web ACL {arn.split('/')[-2]}"
