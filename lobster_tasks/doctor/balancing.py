"""Checks of the load balancer, its target group, and what answers through it. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from ipaddress import ip_network
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from ..account import hidden_errors
from ..forwarding import best_forwarding_rule, forwarding, unguarded
from ..stack.distribution import ALL_VIEWER
from ..stack.visitors import is_web_acl_of
from ..stack.vpc_origin import DEPLOYED
from .check import CheckResult, UnknownError, failed, listed, passed, warned
from .facts import Facts

if TYPE_CHECKING:
    from ..probe import Answer

_FIX = "inv setup-application-load-balancer"
_HEALTH = "/_stcore/health"
# Remedies for the reasons of an unhealthy target (DescribeTargetHealth, TargetHealth.Reason).
_REMEDIES = {
    "Target.Timeout": "inv create-security-groups",
    "Target.ResponseCodeMismatch": "set health_check.path to what the app answers with 200",
    "Target.FailedHealthChecks": "inv logs; the app must listen on container.port, on 0.0.0.0",
    "Target.NotInUse": _FIX,
}


def active(facts: Facts) -> CheckResult:
    """The load balancer is active."""
    balancer = facts.known("load_balancer")
    if balancer is None:
        return failed(f"there is no load balancer {facts.settings.load_balancer.name}", _FIX)
    name = balancer.get("LoadBalancerName", facts.settings.load_balancer.name)
    state = balancer["State"]["Code"]
    if state == "active":
        return passed(f"{name} is active, {balancer['Scheme']}")
    if state == "provisioning":
        return warned(f"{name} is being provisioned", "wait two or three minutes, then check again")
    saw = f"{name} is {state}: {balancer['State'].get('Reason', 'AWS gives no reason')}"
    return failed(saw, _FIX) if state == "failed" else warned(saw)


def zones(facts: Facts) -> CheckResult:
    """The load balancer is in every zone of the tasks; tasks in other zones get no requests."""
    balancer = facts.need("load_balancer", f"there is no load balancer {facts.settings.load_balancer.name}")
    enabled = {zone["ZoneName"] for zone in balancer["AvailabilityZones"]}
    used = {subnet["AvailabilityZone"] for subnet in facts.known("network")}
    if used <= enabled:
        return passed(f"the load balancer is in {listed(sorted(used))}, as the tasks are")
    return failed(
        f"tasks may start in {listed(sorted(used - enabled))}, where the load balancer is not", _FIX
    )


def forwards(facts: Facts) -> CheckResult:
    """A listener or a listener rule forwards to our target group."""
    name = _name(facts)
    group = facts.need("target_group", f"there is no target group {name}")
    listeners = facts.known("listeners")
    ours = forwarding(listeners, group["TargetGroupArn"])
    if ours:
        return passed(f"{listed([_named(each) for each in ours])} → {name}")
    if not listeners:
        return failed(f"the load balancer has no listener: nothing reaches {name}", _FIX, "no-listener")
    return failed(f"{listed([_named(each) for each in listeners])} does not forward to {name}", _FIX)


def web_acl(facts: Facts) -> CheckResult:
    """The web ACL in the settings exists and protects the load balancer."""
    arn = facts.settings.load_balancer.web_acl
    if arn is None:
        found = facts.known("protection")
        return passed(
            f"{found}, which is not in the settings" if found else "no web ACL, as the settings say"
        )
    owner = arn.split(":")[4]
    if owner != facts.account:
        return failed(f"{arn} is in account {owner}, not in {facts.account}", "correct load_balancer.web_acl")
    described = facts.known("web_acl")
    if described is None:
        return failed(f"there is no web ACL {arn}", "aws wafv2 list-web-acls --scope REGIONAL")
    found = facts.known("protection")
    if found != arn:
        return failed(f"{found or 'no web ACL'} protects the load balancer, not {described['Name']}", _FIX)
    return passed(_in_short(described))


def sign_in(facts: Facts) -> CheckResult:
    """With a sign-in in the settings, no listener forwards visitors who have not signed in."""
    group = facts.need("target_group", f"there is no target group {_name(facts)}")["TargetGroupArn"]
    listeners = facts.known("listeners")
    best = best_forwarding_rule(listeners, group)
    told = f"visitors sign in at {urlsplit(best.sign_in).netloc}" if best and best.sign_in else ""
    if not facts.settings.sign_in.is_on:
        return passed(f"{told}, which is not in the settings" if told else "no sign-in, as the settings say")
    if best is None:
        raise UnknownError("no listener forwards to the tasks")
    if open_ones := unguarded(listeners, group):
        return failed(
            f"{listed([_named(each) for each in open_ones])} lets visitors in without a sign-in", _FIX
        )
    return passed(told)


def distribution(facts: Facts) -> CheckResult:
    """An enabled distribution leads to the load balancer and forwards the visitors' Host."""
    if not facts.settings.is_fronted:
        return passed("no distribution, as the settings say")
    found = facts.known("distribution")
    if found is None:
        return failed(
            "no distribution leads to the load balancer, or this identity has no permission to find it", _FIX
        )
    name, config = f"distribution {found['Id']}", found["DistributionConfig"]
    if not config["Enabled"]:
        return failed(f"{name} is disabled", _FIX)
    if config["DefaultCacheBehavior"].get("OriginRequestPolicyId") != ALL_VIEWER:
        return failed(
            f"{name} does not pass on the visitors' Host, which Streamlit compares with Origin", _FIX
        )
    if found["Status"] != DEPLOYED:
        return warned(f"{name} is {found['Status']}", "wait some minutes, then check again")
    if hidden := hidden_errors(config):
        saw = f"{name} answers 200 with a custom error page in place of {listed(list(map(str, hidden)), 11)}"
        fix = f"aws cloudfront get-distribution-config --id {found['Id']} shows CustomErrorResponses"
        return warned(saw, f"{fix}: give them the error's own ResponseCode")
    return passed(f"{name}, https://{found['DomainName']}")


def distribution_web_acl(facts: Facts) -> CheckResult:
    """The web ACL of the settings, or the stack's own that allows the listed addresses, protects the distribution."""
    if not facts.settings.is_fronted:
        return passed("no distribution, as the settings say")
    arn, found = facts.settings.front.web_acl, facts.need("distribution", "no distribution was found")
    protecting = found["DistributionConfig"].get("WebACLId", "")
    if arn is not None:
        return _named_web_acl(facts, arn, protecting)
    if (allowed := facts.settings.load_balancer.allowed_cidrs) is not None:
        return _own_web_acl(facts, protecting, allowed)
    return passed(
        f"{protecting}, which is not in the settings" if protecting else "no web ACL, as the settings say"
    )


def _named_web_acl(facts: Facts, arn: str, protecting: str) -> CheckResult:
    """The result where the settings name a web ACL."""
    owner = arn.split(":")[4]
    if owner != facts.account:
        return failed(f"{arn} is in account {owner}, not in {facts.account}", "correct front.web_acl")
    described = facts.known("front_web_acl")
    if described is None:
        return failed(
            f"there is no web ACL {arn}", "aws wafv2 list-web-acls --scope CLOUDFRONT --region us-east-1"
        )
    if protecting != arn:
        return failed(
            f"{protecting or 'no web ACL'} protects the distribution, not {described['Name']}", _FIX
        )
    return passed(_in_short(described))


def _own_web_acl(facts: Facts, protecting: str, allowed: Sequence[str]) -> CheckResult:
    """The result where the settings list the allowed addresses."""
    if not protecting:
        return failed("no web ACL protects the distribution: everybody can use the app", _FIX)
    if not is_web_acl_of(protecting, facts.settings.name, facts.settings.region):
        return failed(f"{protecting} protects the distribution, not the stack's own web ACL", _FIX)
    described = facts.need("front_web_acl", f"{protecting} was not found")
    name, found = described["Name"], facts.known("front_ip_sets")
    if "Block" not in described["DefaultAction"]:
        return failed(f"{name} does not block addresses that load_balancer.allowed_cidrs does not list", _FIX)
    addresses = {str(ip_network(each, strict=False)) for one in found for each in one["Addresses"]}
    if more := sorted(addresses - set(allowed)):
        return failed(f"{name} lets in {listed(more)}, which load_balancer.allowed_cidrs does not list", _FIX)
    if less := sorted(set(allowed) - addresses):
        return warned(f"{name} does not let in {listed(less)}", _FIX)
    return passed(f"{name} lets in {listed(sorted(allowed))} only, as listed")


def _in_short(web_acl: Mapping[str, Any]) -> str:
    default = next(iter(web_acl["DefaultAction"]))
    rules = len(web_acl.get("Rules", ()))
    return f"{web_acl['Name']}, {rules} rule{'' if rules == 1 else 's'}, else {default.lower()}"


def _name(facts: Facts) -> str:
    """The name of the target group; the service may use another one than the settings name."""
    group = facts.known("target_group") or {}
    return str(group.get("TargetGroupName") or facts.settings.load_balancer.target_group)


def _named(listener: Mapping[str, Any]) -> str:
    return f"{listener['Protocol']}:{listener['Port']}"


def kind(facts: Facts) -> CheckResult:
    """The target group has the type that Fargate requires, ``ip``, and a protocol version that supports WebSockets.

    Application Load Balancers, "Listeners": an existing HTTP/1.1 connection is upgraded to a WebSocket one. HTTPS
    supports it too. Only the app knows which other protocol it uses.
    """
    name = _name(facts)
    group = facts.known("target_group")
    if group is None:
        return failed(f"there is no target group {name}", _FIX)
    if group["TargetType"] != "ip":
        return failed(f"{name} accepts targets of type {group['TargetType']}; Fargate needs type ip", _FIX)
    protocol, version = group["Protocol"], group.get("ProtocolVersion", "HTTP1")
    if version != "HTTP1" and facts.settings.probe.websocket is not None:
        return failed(f"{name} speaks {protocol} {version}; a WebSocket needs HTTP1", _FIX)
    if (protocol, version) != ("HTTP", "HTTP1"):
        saw = f"{name} speaks {protocol} {version} with the tasks"
        return CheckResult("warn", saw, f"make sure that the app uses {protocol} {version} on its port")
    return passed(f"{name} registers IP addresses and uses HTTP")


def port(facts: Facts) -> CheckResult:
    """Targets are registered with the container's port, and the health check uses it.

    A target group's own port "is used unless you specify a port override when registering the target"
    (CreateTargetGroup), and ECS registers each task with the service's containerPort (Amazon ECS, LoadBalancer).
    """
    name, container_port = _name(facts), facts.settings.container.port
    group = facts.need("target_group", f"there is no target group {name}")
    balanced = (facts.readings["service"].value or {}).get("loadBalancers", ())
    ports = [
        each["containerPort"] for each in balanced if each.get("targetGroupArn") == group["TargetGroupArn"]
    ]
    if wrong := [each for each in ports if each != container_port]:
        saw = f"ECS registers the tasks with port {wrong[0]}; the container listens on {container_port}"
        return failed(saw, "inv create-fargate-service")
    asked = group.get("HealthCheckPort", "traffic-port")
    if asked not in ("traffic-port", str(container_port)):
        return failed(f"the health check uses port {asked}; the container listens on {container_port}", _FIX)
    return passed(f"the tasks are registered in {name} with the container's port, {container_port}")


def health_path(facts: Facts) -> CheckResult:
    """The health check requests the path that only a working Streamlit server answers."""
    group = facts.need("target_group", f"there is no target group {_name(facts)}")
    path = group.get("HealthCheckPath", "/")
    if facts.settings.probe.websocket is None:
        return passed(f"{path} every {group['HealthCheckIntervalSeconds']} s")
    if path.endswith(_HEALTH):
        return passed(
            f"{path} every {group['HealthCheckIntervalSeconds']} s, which only a working Streamlit answers"
        )
    saw = f"{path} answers 200 on any Streamlit app, like every path: it shows a web server, not that the app works"
    return warned(saw, f"set health_check.path: {_HEALTH}")


def targets(facts: Facts) -> CheckResult:
    """The number of healthy targets equals the desired count."""
    service = facts.need("service", f"there is no service {facts.settings.service}")
    health = [each for each in facts.known("target_health") if each["TargetHealth"]["State"] != "draining"]
    desired = service["desiredCount"]
    if not health:
        if not service["runningCount"]:
            raise UnknownError("the service has no running task")
        return failed(f"no target is registered; the desired count is {desired}", _FIX)
    healthy = [each for each in health if each["TargetHealth"]["State"] == "healthy"]
    saw = f"{len(healthy)} of {desired} healthy"
    if len(healthy) >= desired:
        return passed(saw)
    others = [each["TargetHealth"] for each in health if each not in healthy]
    return _unhealthy(saw, others[0]) if others else warned(f"{saw}; the others are still starting")


def _unhealthy(saw: str, worst: Mapping[str, str]) -> CheckResult:
    reason = worst.get("Reason", "")
    saw = f"{saw}; one is {worst['State']}: {worst.get('Description') or reason or 'AWS gives no reason'}"
    if worst["State"] == "initial":
        return warned(saw, "wait for its first health checks, then check again")
    return failed(saw, _REMEDIES.get(reason, "inv logs"))


def page(facts: Facts) -> CheckResult:
    """The page answers as visitors reach it."""
    return _answer(facts.known("answers").page)


def websocket(facts: Facts) -> CheckResult:
    """The WebSocket opens as visitors reach it; a Streamlit page stays empty without it."""
    if facts.settings.probe.websocket is None:
        return passed("the app has no WebSocket (probe.websocket: false)")
    answer = facts.known("answers").websocket
    if answer is None:
        raise UnknownError("it was not probed")
    return _answer(answer)


def _answer(answer: Answer) -> CheckResult:
    return passed(answer.said) if answer.ok else failed(answer.said, "inv status, inv logs")
