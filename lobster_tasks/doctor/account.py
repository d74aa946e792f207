"""Checks of the account itself. Pure."""

from __future__ import annotations

from .check import CheckResult, failed, passed, warned
from .facts import Facts
from .gather import ON_DEMAND_VCPUS
from .network import most_tasks

_CPU_UNITS = 1024  # in one vCPU


def vcpus(facts: Facts) -> CheckResult:
    """The vCPU quota allows the tasks, and the additional tasks of a deployment.

    Other tasks of the account count against the quota too; this check ignores them.
    """
    quota, settings = facts.known("vcpus"), facts.settings
    each = settings.task.cpu / _CPU_UNITS
    needed, most = settings.deployment.desired_count * each, most_tasks(settings.deployment) * each
    saw = f"Fargate allows this account {quota:g} vCPU at once"
    ask = (
        "aws service-quotas request-service-quota-increase --service-code fargate "
        f"--quota-code {ON_DEMAND_VCPUS} --desired-value {max(10, round(2 * most)):g}; AWS answers in hours or days"
    )
    if quota < needed:
        return failed(f"{saw}, and the tasks need {needed:g}", ask)
    if quota < most:
        return warned(f"{saw}, and a deployment needs {most:g} for a while", ask)
    return passed(f"{saw}; a deployment needs {most:g}")
