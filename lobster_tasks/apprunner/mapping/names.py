"""Names: one of App Runner's becomes all those of a stack, each by the rules of its service."""

from __future__ import annotations

import hashlib

from ..description import Description
from .rows import MappingRow, Rule, RuleResult, no_equivalent, translated

_ELB_LONGEST = 32
_SUFFIX = 4  # -alb
_HASH = 6


def names(description: Description) -> RuleResult:
    """ServiceName, and the address that cannot move."""
    name = description.name
    base = elb_base(name)
    role = role_base(description)
    group = f"apprunner-{name}" if name.startswith("sg-") else name
    settings = {
        "name": name,
        "region": description.region,
        "apprunner": {"service": description.arn},
        "cluster": name,
        "service": name,
        "task": {"family": name, "execution_role": f"{role}-execution", "task_role": f"{role}-task"},
        "container": {"name": name},
        "logs": {"group": f"/ecs/{name}"},
        "load_balancer": {
            "name": f"{base}-alb",
            "target_group": f"{base}-tg",
            "security_group": f"{group}-alb-sg",
        },
        "tasks_security_group": f"{group}-ecs-sg",
    }
    note = "" if base == name else f"Elastic Load Balancing accepts 32 letters, digits and hyphens: {base}"
    row = translated("ServiceName", name, f"stack, cluster, service and family {name}", note)
    return RuleResult((row, _address(description)), settings)


def elb_base(name: str) -> str:
    """What the names of load balancer and target group begin with: no ``_``, no ``internal-``, not too long."""
    base = name.replace("_", "-").strip("-")
    if base.startswith("internal-"):
        base = f"app-{base}"
    longest = _ELB_LONGEST - _SUFFIX
    if len(base) <= longest:
        return base
    digest = hashlib.sha256(name.encode()).hexdigest()[:_HASH]
    return f"{base[: longest - _HASH - 1].rstrip('-')}-{digest}"


def role_base(description: Description) -> str:
    """What the new roles' names begin with: the old ones are not touched, so theirs are taken."""
    name = description.name
    taken = {role.name for role in (description.instance_role, description.access_role) if role}
    return f"{name}-fargate" if taken & {f"{name}-task", f"{name}-execution"} else name


def _address(description: Description) -> MappingRow:
    """ServiceUrl."""
    url = description.service.get("ServiceUrl", "")
    domains = description.domains.get("CustomDomains", ())
    note = "the address, and the certificate that App Runner has for it, cannot move"
    decide = (
        "inv cutover moves the custom domain"
        if domains
        else (
            "tell users the new address, which is HTTP only; set front.kind: cloudfront for HTTPS without a domain, or "
            "give the service a domain and a certificate (load_balancer.certificate)"
        )
    )
    return no_equivalent("ServiceUrl", url, note, decide, "the load balancer's address")


RULES = (Rule(("Service.ServiceName", "Service.ServiceUrl"), names),)
