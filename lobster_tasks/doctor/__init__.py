"""Makes every check of an account and a project, each with its finding and how to fix it.

``gather`` reads everything once and in parallel; the checks are pure functions of these readings. A check that cannot
be made is skipped with the reason, and the others continue. ``consult`` makes only some checks.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

from ..aws import Aws
from ..errors import NotReadyError
from ..in_parallel import in_parallel
from ..settings import Settings
from . import account, balancing, image_file, network, public_access, roles, security, service
from .check import Check, CheckResult, Report, Status, UnknownError
from .facts import Facts, Name
from .gather import Readings, gather

__all__ = ["CHECKS", "Check", "Facts", "Report", "Status", "consult", "diagnose", "examine", "vcpus"]

# Every check by its id, ``group.name``, in the order in which they are shown.
CHECKS: Mapping[str, Callable[[Facts], CheckResult]] = {
    "identity.caller": roles.caller,
    "roles.execution": roles.execution_role,
    "roles.task": roles.task_role,
    "roles.service-linked": roles.service_linked_role,
    "roles.pull": roles.pull,
    "roles.logs": roles.log,
    "roles.secrets": roles.read_secrets,
    "roles.decrypt": roles.decrypt,
    "roles.pass": roles.pass_roles,
    "secrets.exist": roles.secrets_exist,
    "secrets.form": roles.secret_forms,
    "network.subnets": network.subnets,
    "network.routes": network.routes,
    "network.public-address": network.public_address,
    "network.public-access": public_access.blocked,
    "network.addresses": network.addresses,
    "account.vcpus": account.vcpus,
    "security.visitors": security.balancer_in,
    "security.load-balancer-out": security.balancer_out,
    "security.tasks": security.tasks_in,
    "security.tasks-out": security.tasks_out,
    "load-balancer.active": balancing.active,
    "load-balancer.zones": balancing.zones,
    "load-balancer.listener": balancing.forwards,
    "load-balancer.web-acl": balancing.web_acl,
    "load-balancer.sign-in": balancing.sign_in,
    "load-balancer.distribution": balancing.distribution,
    "load-balancer.distribution-web-acl": balancing.distribution_web_acl,
    "targets.kind": balancing.kind,
    "targets.port": balancing.port,
    "targets.health-path": balancing.health_path,
    "targets.healthy": balancing.targets,
    "ecs.cluster": service.cluster,
    "ecs.service": service.service,
    "ecs.revision": service.revision,
    "ecs.image": service.image,
    "logs.group": service.log_group,
    "logs.options": service.log_options,
    "answers.page": balancing.page,
    "answers.websocket": balancing.websocket,
    "dockerfile.readable": image_file.readable,
    "dockerfile.command": image_file.command,
    "dockerfile.start-scripts": image_file.start_scripts,
    "dockerfile.expose": image_file.exposes,
    "dockerfile.port": image_file.port,
    "dockerfile.address": image_file.address,
    "dockerfile.base-path": image_file.base_path,
    "dockerfile.signals": image_file.signals,
    "dockerfile.user": image_file.user,
    "dockerfile.health-check": image_file.health_check,
    "dockerfile.base": image_file.base,
}


def examine(aws: Aws, settings: Settings, folder: Path) -> Report:
    """Every check of the account, and of the Dockerfile in ``folder``. Changes nothing.

    Raises CredentialsError without credentials.
    """
    return diagnose(gather(aws, settings, folder))


def consult(
    aws: Aws, settings: Settings, checks: Iterable[str], given: Mapping[Name, Any] | None = None
) -> tuple[dict[str, Check], Facts]:
    """Some checks by their ids, and the facts behind them; reads only what they need.

    ``given`` are readings whose value is already known.
    """
    facts = Facts(settings, aws.account, aws.partition, Readings(aws, settings, Path.cwd(), given))
    made = in_parallel(*(partial(_check, name, CHECKS[name], facts) for name in checks))
    return {check.id: check for check in made}, facts


def vcpus(aws: Aws, settings: Settings) -> Check:
    """Check whether the quota allows the service's tasks; waiting does not change a quota.

    Raises NotReadyError if it does not; returns the check also if it could not be made.
    """
    checks, _ = consult(aws, settings, ["account.vcpus"])
    check = checks["account.vcpus"]
    if check.status == "fail":
        raise NotReadyError(f"{check.saw}.", "nothing was created", check.fix or "", code="quota")
    return check


def diagnose(facts: Facts) -> Report:
    """Make every check of the readings."""
    return Report(tuple(_check(each, function, facts) for each, function in CHECKS.items()))


def _check(name: str, function: Callable[[Facts], CheckResult], facts: Facts) -> Check:
    try:
        finding = function(facts)
    except UnknownError as unknown:
        return Check(name, "skip", str(unknown))
    return Check(name, finding.status, finding.saw, finding.fix, finding.code, finding.why)
