"""Fargate without room, and Fargate Spot (Developer Guide, "Viewing Amazon ECS service event messages", "Fargate
capacity providers", "AWS Fargate Spot termination notices").
"""

from __future__ import annotations

from typing import Any

import pytest

from tests.embedded.ecs_stack import Stack
from tests.embedded.images import web_app
from tests.embedded.refusals import refused
from tests.embedded_process import PATIENCE, control, eventually, start

NO_ROOM = "Capacity is unavailable at this time. Please try again later or in a different availability zone."
QUOTA = "You’ve reached the limit on the number of vCPUs you can run concurrently"
ROLLBACK = {"deploymentCircuitBreaker": {"enable": True, "rollback": True}}
SPOT = [{"capacityProvider": "FARGATE_SPOT", "weight": 1}]
ON_DEMAND = [{"capacityProvider": "FARGATE", "weight": 1}]


def test_no_capacity_is_told_and_heals(stack: Stack) -> None:
    """Event "(service s) was unable to place a task. Reason: Capacity is unavailable at this time. …": no task is
    made, and ECS tries again.
    """
    stack.aws.order({"capacity_unavailable_seconds": 100000})
    stack.service(stack.definition())
    eventually(lambda: f"(service s) was unable to place a task. Reason: {NO_ROOM}" in stack.messages())
    assert stack.tasks("s") == stack.tasks("s", "STOPPED") == []
    stack.aws.forgive()
    eventually(lambda: stack.describe()["runningCount"] == 1)


def test_room_for_some_more_tasks_is_used_up(stack: Stack) -> None:
    """``capacity_for_tasks`` counts from the order, those that have stopped again, too."""
    stack.aws.order({"capacity_for_tasks": 2})
    stack.service(stack.definition(), desiredCount=3)
    eventually(lambda: any(NO_ROOM in message for message in stack.messages()))
    assert len(stack.tasks("s")) + len(stack.tasks("s", "STOPPED")) == 2
    stack.ecs.stop_task(cluster="c", task=stack.tasks("s")[0]["taskArn"])
    eventually(lambda: len(stack.tasks("s")) == 1)
    stack.aws.forgive()
    eventually(lambda: stack.describe()["runningCount"] == 3)


def test_a_deployment_is_not_completed_before_its_service_is_steady(stack: Stack) -> None:
    """``steady_state_delay_seconds``: what the service runs is there, and its deployment goes on."""
    stack.aws.order({"steady_state_delay_seconds": 100000})
    stack.service(stack.definition())
    eventually(lambda: stack.describe()["runningCount"] == 1)
    assert stack.describe()["deployments"][0]["rolloutState"] == "IN_PROGRESS"
    stack.aws.forgive()
    stack.completed()


def test_no_capacity_for_an_update_keeps_what_runs(rapid_stack: Stack) -> None:
    """minimumHealthyPercent 100: without room for a new task, no old one is stopped. The breaker rolls back
    after three failures, which takes about three quarters of an hour where nothing can be placed, by reports.
    """
    rapid_stack.service(rapid_stack.definition(), deploymentConfiguration=ROLLBACK)
    good = rapid_stack.completed()["taskDefinition"]
    running = rapid_stack.tasks("s")[0]["taskArn"]
    rapid_stack.aws.order({"capacity_unavailable_seconds": 100000})
    rapid_stack.update(taskDefinition=rapid_stack.definition())
    eventually(lambda: rapid_stack.deployments()[0]["status"] == "ROLLBACK_SUCCESSFUL")
    assert rapid_stack.completed()["taskDefinition"] == good
    assert [task["taskArn"] for task in rapid_stack.tasks("s")] == [running]
    assert any("deployment failed: tasks failed to start" in message for message in rapid_stack.messages())


def test_what_cannot_be_placed_is_no_failure_at_once(stack: Stack) -> None:
    """The event comes with the first attempt; ECS tries again, and the circuit breaker counts nothing yet."""
    stack.aws.order({"capacity_unavailable_seconds": 100000})
    stack.service(stack.definition(), deploymentConfiguration=ROLLBACK)
    eventually(lambda: f"(service s) was unable to place a task. Reason: {NO_ROOM}" in stack.messages())
    assert stack.deployments()[0]["deploymentCircuitBreaker"]["failureCount"] == 0


def test_a_provider_without_capacity_does_not_bar_the_other(stack: Stack) -> None:
    """FARGATE_SPOT "runs interruption tolerant tasks on spare compute capacity": that may be gone alone."""
    stack.aws.order({"capacity_unavailable_seconds": 100000, "capacity_provider": "FARGATE_SPOT"})
    definition = stack.definition()
    stack.service(definition, "spot", capacityProviderStrategy=SPOT)
    stack.service(definition, "plain", capacityProviderStrategy=ON_DEMAND)
    eventually(lambda: stack.describe("plain")["runningCount"] == 1)
    assert NO_ROOM in stack.messages("spot")[0]


def test_run_task_without_capacity(stack: Stack) -> None:
    """RunTask: ClientException "Capacity is unavailable at this time. …"."""
    stack.aws.order({"capacity_unavailable_seconds": 100000})
    definition = stack.definition()
    with refused("ClientException", NO_ROOM):
        stack.run(definition)
    stack.aws.forgive()
    stack.reaches(stack.run(definition)["taskArn"], "RUNNING")


def test_the_quota_of_vcpus(stack: Stack) -> None:
    """Event "… Reason: You’ve reached the limit on the number of vCPUs you can run concurrently" (0.25 each), so
    written (U+2019) in "Amazon ECS service event messages"; that on tasks has a plain apostrophe there."""
    stack.aws.order({"vcpu_quota": 0.5})
    definition = stack.definition()
    stack.service(definition, desired=3)
    eventually(lambda: f"(service s) was unable to place a task. Reason: {QUOTA}" in stack.messages())
    eventually(lambda: stack.describe()["runningCount"] == 2)
    with refused("ClientException", QUOTA):
        stack.run(definition)
    stack.ecs.stop_task(cluster="c", task=stack.tasks("s")[0]["taskArn"])
    stack.aws.order({"vcpu_quota": 0.75})
    assert len(stack.tasks("s")) <= 2  # the lowest quota holds
    stack.aws.forgive()
    eventually(lambda: stack.describe()["runningCount"] == 3)


def test_a_service_has_so_many_tasks(stack: Stack) -> None:
    """Amazon ECS service quotas: 'Tasks per service 5,000'; "InvalidParameterException: Desired count exceeds limit."
    (aws/containers-roadmap, issue 768).
    """
    definition = stack.definition()
    with refused("InvalidParameterException", "Desired count exceeds limit."):
        stack.service(definition, desired=5001)
    stack.service(definition, desired=0)
    with refused("InvalidParameterException", "Desired count exceeds limit."):
        stack.update(desiredCount=5001)
    assert stack.describe()["desiredCount"] == 0


def test_a_scaling_that_ecs_refuses_is_told(stack: Stack) -> None:
    """Application Auto Scaling API, ScalingActivity: StatusCode Failed. (Its message is in our words.)"""
    stack.service(stack.definition(), desired=0)
    scaling = stack.aws.client("application-autoscaling")
    target = {"ServiceNamespace": "ecs", "ResourceId": "service/c/s"}
    scaling.register_scalable_target(
        **target, ScalableDimension="ecs:service:DesiredCount", MinCapacity=6000, MaxCapacity=6000
    )
    told = scaling.describe_scaling_activities(**target)["ScalingActivities"][0]
    assert told["StatusCode"] == "Failed"
    assert told["StatusMessage"].endswith("Reason: Desired count exceeds limit.")
    assert stack.describe()["desiredCount"] == 0


def test_more_tasks_than_this_machine_has_room_for() -> None:
    """ "unable to place a task. Reason: Capacity is unavailable at this time. …" for what is more; calls are answered
    meanwhile. Time stands almost still, so that no task comes to start a process.
    """
    with start(speed=0.01, boot_allowance=2) as running:
        stack = Stack(running)
        stack.service(stack.definition(), desired=5000)
        eventually(lambda: any(NO_ROOM in message for message in stack.messages()))
        pages = stack.ecs.get_paginator("list_tasks").paginate(cluster="c")
        assert 0 < sum(len(page["taskArns"]) for page in pages) <= 1000
        stack.update(desiredCount=0)
        assert stack.describe()["desiredCount"] == 0


# Spot


def interrupt(stack: Stack, arn: str) -> bool:
    """Order an interruption; whether it could be."""
    answer = control.post(f"{stack.aws.url}/_embedded/interrupt-spot", json={"task": arn}, timeout=PATIENCE)
    return bool(answer.json()["interrupted"])


def spot(stack: Stack, **environment: str) -> dict[str, Any]:
    """A running task on Spot of a service ``s``."""
    image = stack.image(web_app(**environment), "spot")
    stack.service(
        stack.definition(stack.container(image, stopTimeout=120)),
        capacityProviderStrategy=SPOT,
        loadBalancers=stack.balanced,
    )
    stack.completed()
    return stack.tasks("s")[0]


def test_a_spot_interruption_ends_a_task(stack: Stack) -> None:
    """stopCode SpotInterruption, stoppedReason "Your Spot Task was interrupted."; the service starts another."""
    task = spot(stack)
    assert task["capacityProviderName"] == "FARGATE_SPOT"
    assert interrupt(stack, task["taskArn"])
    ended = stack.reaches(task["taskArn"], "STOPPED")
    assert (ended["stopCode"], ended["stoppedReason"]) == (
        "SpotInterruption",
        "Your Spot Task was interrupted.",
    )
    assert ended["containers"][0]["exitCode"] == 0  # it heard SIGTERM
    eventually(lambda: stack.describe()["runningCount"] == 1)
    assert stack.describe()["deployments"][0]["failedTasks"] == 0


def test_the_warning_is_sigterm(stack: Stack) -> None:
    """ "The warning is sent … as a SIGTERM signal to the running task": desiredStatus STOPPED, lastStatus RUNNING, for
    as long as stopTimeout (at most 120 seconds), then SIGKILL.
    """
    task = spot(stack, IGNORE_SIGTERM="1")
    interrupt(stack, task["taskArn"])
    warned = stack.task(task["taskArn"])
    assert (warned["desiredStatus"], warned["lastStatus"]) == ("STOPPED", "RUNNING")
    assert stack.get("/health").status_code == 200  # still registered, and still serving
    ended = stack.reaches(task["taskArn"], "STOPPED")
    assert ended["containers"][0]["exitCode"] == 137


def test_a_spot_service_without_spare_capacity_waits(stack: Stack) -> None:
    """ "the service scheduler … attempts to launch additional tasks on Fargate Spot if capacity is available. A
    service with only one task is interrupted until capacity is available."
    """
    task = spot(stack)
    stack.aws.order({"capacity_unavailable_seconds": 100000, "capacity_provider": "FARGATE_SPOT"})
    interrupt(stack, task["taskArn"])
    eventually(lambda: any(NO_ROOM in message for message in stack.messages()))
    eventually(lambda: stack.describe()["runningCount"] == 0)
    stack.aws.forgive()
    eventually(lambda: stack.describe()["runningCount"] == 1)


@pytest.mark.parametrize("strategy", [ON_DEMAND, None], ids=["FARGATE", "launch type"])
def test_only_spot_tasks_are_interrupted(stack: Stack, strategy: Any) -> None:
    """A task on FARGATE, or of launch type FARGATE, is never interrupted."""
    more = {"capacityProviderStrategy": strategy} if strategy else {}
    stack.service(stack.definition(), **more)
    arn = eventually(lambda: stack.tasks("s"))[0]["taskArn"]
    assert not interrupt(stack, arn)
    assert stack.task(arn)["desiredStatus"] == "RUNNING"
