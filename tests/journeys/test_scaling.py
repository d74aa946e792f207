"""Auto scaling and releases: who decides the count, and from when on."""

from __future__ import annotations

from lobster_tasks import converge, stack
from lobster_tasks.aws import Aws
from tests.embedded_process import EmbeddedProcess

from .releasing import Account, said, set_up


def bounds(account: Account) -> tuple[int, int]:
    """Auto scaling's minimum and maximum."""
    found = account.client("application-autoscaling").describe_scalable_targets(ServiceNamespace="ecs")
    (target,) = found["ScalableTargets"]
    return target["MinCapacity"], target["MaxCapacity"]


def test_the_minimum_waits_for_the_first_release(embedded: EmbeddedProcess, aws: Aws) -> None:
    account = set_up(embedded, aws, "scaling.min=2", "scaling.max=3", "deployment.desired_count=2")
    assert bounds(account) == (0, 3)
    assert account.service()["desiredCount"] == 0
    outcome = account.deploy("one")
    assert outcome.verdict == "live"
    assert "auto scaling keeps the count between 2 and 3 now" in said(outcome)
    assert bounds(account) == (2, 3)
    account.update(desiredCount=3)  # auto scaling has seen more to do
    again = account.deploy("two")
    assert again.verdict == "live"
    assert "auto scaling" not in said(again)
    assert account.service()["desiredCount"] == 3
    resources = stack.build(account.settings, aws.account, aws.partition)
    assert converge.plan(resources, converge.read(aws, resources)).changes == ()
