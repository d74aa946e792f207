"""Finds the hop that fails between visitors and the app, and what does not let this machine in. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ...probe import Answer, Probe, PublicEndpoint, lacks_distribution
from ...settings import Settings
from ...stack.distribution import ALL_VIEWER
from ...stack.vpc_origin import DEPLOYED
from ..cause_code import CauseCode
from ..observation.way import Trouble, VisitorsPath, broken_hop, hops
from .causes import Cause

_AGAIN = "then inv deploy"


def missing_hop(path: VisitorsPath, answered: Probe) -> Cause | None:
    """The cause, if what was read of the way shows a hop that lets nobody through; None where all may."""
    broken, wrong = broken_hop(path), tuple(each.said for each in answered.answers if not each.ok)
    if not wrong or broken is None or broken.trouble is None:
        return None
    found = broken.trouble
    return Cause(found.code, found.message, wrong, f"{found.remedy}, {_AGAIN}")


def misled_names(path: VisitorsPath) -> tuple[Cause, ...]:
    """The domains whose visitors do not come in, of an app that answers by the own name of what they should reach."""
    return tuple(finding_of(each.trouble) for each in hops(path) if each.kind == "name" and each.trouble)


def finding_of(trouble: Trouble) -> Cause:
    """What a live release should know about a hop that lets nobody through."""
    return Cause(trouble.code, trouble.message, (), trouble.remedy)


def has_reached(answered: Probe | None, unasked: Sequence[Cause]) -> bool | None:
    """Whether the probe has reached what visitors use; None where none was made. ``unasked`` are the findings of one
    that tells nothing about the app."""
    if answered is None:
        return False if unasked else None
    return answered.page.reached


def not_reachable(endpoint: PublicEndpoint, settings: Settings) -> Cause:
    """Why this machine is not let in, where others may be, or why that is not known."""
    if endpoint.unread_sources and not endpoint.is_private:
        return _unread_sources(endpoint.unread_sources)
    if endpoint.countries and not endpoint.web_acl and endpoint.distribution:
        return _blocked_country(endpoint.distribution["Id"], endpoint.countries)
    if lacks_distribution(endpoint, settings):
        who = "The distribution before the load balancer was not found"
        remedy = (
            "inv setup-fargate creates it; if it exists, the identity that deploys has no permission to find it: "
            "inv setup-aws, or inv print-setup-policy --deploy"
        )
    elif endpoint.web_acl and endpoint.distribution:
        who = f"{endpoint.guard[:1].upper()}{endpoint.guard[1:]} protects the distribution"
        remedy = (
            "open the app from an address that it allows, or add this machine's to load_balancer.allowed_cidrs, then "
            "inv setup-application-load-balancer"
        )
        if endpoint.countries:  # CloudFront answers 403 for both
            remedy = f"for the web ACL, {remedy}; for the restriction, {_open_elsewhere(endpoint.distribution['Id'])}"
    elif endpoint.internal:
        who, remedy = "The load balancer is internal", "open the app from inside its network"
    else:
        who = f"The load balancer allows only {', '.join(endpoint.allowed_sources)}"
        remedy = (
            "open the app from one of these addresses, or add this machine's to load_balancer.allowed_cidrs, "
            "then inv create-security-groups"
        )
    door = "distribution" if endpoint.web_acl else "load balancer"
    message = f"{who} and this machine cannot reach the {door}: the app was not probed."
    return Cause(CauseCode.NOT_REACHABLE_FROM_HERE, message, (), remedy)


def _unread_sources(why: str) -> Cause:
    message = (
        f"Nothing answers at the load balancer, and whether it allows this machine is not known: its security groups "
        f"cannot be read ({why}). The app was not probed."
    )
    remedy = (
        "allow ec2:DescribeSecurityGroups, which is in the policies of inv setup-aws and inv print-setup-policy "
        "--deploy, then inv validate-fargate-setup"
    )
    return Cause(CauseCode.NOT_REACHABLE_FROM_HERE, message, (), remedy)


def _blocked_country(distribution: str, countries: str) -> Cause:
    message = (
        f"The distribution {distribution} lets in {countries}, by its geographic restriction, and not this machine: "
        "the app was not probed."
    )
    return Cause(CauseCode.COUNTRY_BLOCKED, message, (), _open_elsewhere(distribution))


def _open_elsewhere(distribution: str) -> str:
    return (
        "open the app from a country that it lets in; aws cloudfront get-distribution-config "
        f"--id {distribution} shows the restriction, which setup leaves as it is"
    )


def failing_hop(path: VisitorsPath, answered: Probe) -> Cause | None:
    """The cause, if the answers show that the distribution or its connection to the load balancer fails; None for a
    failure behind that."""
    distribution = path.endpoint.distribution if path.endpoint else None
    wrong = [each for each in answered.answers if not each.ok]
    if distribution is None or not wrong:
        return None
    name, config = distribution["Id"], distribution["DistributionConfig"]
    shown = tuple(each.said for each in wrong)
    if distribution["Status"] != DEPLOYED and all(_awaits_edges(each) for each in wrong):
        message = f"The distribution {name} is {distribution['Status']}: edge locations do not know its last change."
        return Cause(CauseCode.DISTRIBUTION_IN_PROGRESS, message, shown, f"inv setup-fargate, {_AGAIN}")
    if any(each.is_error_page for each in wrong):
        message = (
            f"The distribution {name} answers with a custom error page: what fails behind it is not shown."
        )
        return Cause(CauseCode.ERROR_PAGE, message, shown, f"{_take_out_pages(name)}, {_AGAIN}")
    if any(each.by_cloudfront and each.status == 403 for each in wrong):
        message = (
            f"CloudFront itself refuses the request (403) at the distribution {name}: the app was not asked."
        )
        remedy = (
            f"aws cloudfront get-distribution-config --id {name} shows what refuses it; remove that, {_AGAIN}"
        )
        return Cause(CauseCode.CLOUDFRONT_REFUSES, message, shown, remedy)
    if any(each.unanswered_by_origin for each in wrong):
        message = f"CloudFront reaches no load balancer behind the distribution {name}."
        return Cause(CauseCode.ORIGIN_UNREACHABLE, message, shown, f"inv create-security-groups, {_AGAIN}")
    if any(each.by_cloudfront and each.status == 502 for each in wrong):
        message = (
            f"The load balancer takes no connection of the distribution {name}, or speaks another protocol."
        )
        remedy = f"inv setup-application-load-balancer, {_AGAIN}"
        return Cause(CauseCode.ORIGIN_PROTOCOL, message, shown, remedy)
    if _is_refused(answered.websocket) and not _passes_host(config):
        message = f"The distribution {name} does not pass the Host of visitors on, so the app refuses their WebSockets."
        return Cause(CauseCode.HOST_NOT_FORWARDED, message, shown, f"inv setup-fargate, {_AGAIN}")
    return None


def hiding_pages(endpoint: PublicEndpoint | None) -> tuple[Cause, ...]:
    """What a live release should know about a distribution that answers 200 in place of errors."""
    if endpoint is None or endpoint.distribution is None or not (codes := endpoint.hides(200)):
        return ()
    name = endpoint.distribution["Id"]
    message = (
        f"The distribution {name} answers 200 with a custom error page in place of {' and '.join(map(str, codes))}: "
        "visitors and monitors see no error where there is one."
    )
    return (Cause(CauseCode.ERROR_PAGE, message, (), _take_out_pages(name)),)


def _take_out_pages(distribution: str) -> str:
    return (
        f"aws cloudfront get-distribution-config --id {distribution} shows CustomErrorResponses, which setup leaves as "
        "they are; take out those that hide errors, or give them the error's own ResponseCode"
    )


def _awaits_edges(answer: Answer) -> bool:
    """Whether an edge location answers as if it did not know the distribution, or before it was enabled."""
    return not answer.reached or (answer.by_cloudfront and answer.status == 403)


def _is_refused(websocket: Answer | None) -> bool:
    """Whether the app refuses the WebSocket, which it does where Host and Origin differ."""
    return websocket is not None and websocket.status == 403


def _passes_host(config: Mapping[str, Any]) -> bool:
    return bool(config["DefaultCacheBehavior"].get("OriginRequestPolicyId") == ALL_VIEWER)
