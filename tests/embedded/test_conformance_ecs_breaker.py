"""Deployments that fail (Developer Guide, "How the Amazon ECS deployment circuit breaker detects failures")."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from tests.embedded.ecs_stack import APP_RUNNER_TRUST, Stack
from tests.embedded.images import web_app
from tests.embedded.refusals import refused
from tests.embedded_process import eventually

ROLLBACK = {"deploymentCircuitBreaker": {"enable": True, "rollback": True}}
SPEED = 100
"""How many AWS seconds pass in one real second for ``stack``."""
BOOT_ALLOWANCE = 2
"""How many real seconds programs have there for what AWS gives them time for."""
NO_ROLLBACK = {"deploymentCircuitBreaker": {"enable": True, "rollback": False}}


def version(stack: Stack, name: str, **environment: str) -> str:
    """Register a task definition whose app answers ``name``."""
    image = stack.image(web_app(VERSION=name, **environment), tag=name)
    return stack.definition(stack.container(image))


def crashing(stack: Stack) -> str:
    """A task definition whose app exits at once with 3."""
    return version(stack, "crash", EXIT_CODE="3")


def sick(stack: Stack) -> str:
    """A task definition whose app answers health checks with 500."""
    return version(stack, "sick", HEALTH_STATUS="500")


def record(stack: Stack) -> dict[str, Any]:
    """The newest service deployment."""
    return stack.deployments()[0]


def ends(stack: Stack, status: str) -> dict[str, Any]:
    """The newest service deployment, once it has this status."""
    eventually(lambda: record(stack)["status"] == status)
    return record(stack)


def serving(stack: Stack, configuration: dict[str, Any]) -> dict[str, Any]:
    """A service of version ``one`` behind the load balancer, completed."""
    definition = version(stack, "one")
    stack.service(definition, loadBalancers=stack.balanced, deploymentConfiguration=configuration)
    return stack.completed()


def test_a_crashing_deployment_is_rolled_back(stack: Stack) -> None:
    """Circuit breaker with rollback: the last completed deployment's revision is PRIMARY and COMPLETED again."""
    good = serving(stack, ROLLBACK)
    stack.update(taskDefinition=crashing(stack))
    ended = ends(stack, "ROLLBACK_SUCCESSFUL")
    message = "Service deployment rolled back because the circuit breaker threshold was exceeded."
    assert ended["statusReason"] == message
    assert ended["deploymentCircuitBreaker"] == {"status": "TRIGGERED", "failureCount": 3, "threshold": 3}
    assert ended["rollback"]["serviceRevisionArn"] == good["currentServiceRevisions"][0]["arn"]
    assert {"reason", "startedAt"} <= set(ended["rollback"])
    assert stack.completed()["taskDefinition"] == good["taskDefinition"]
    assert stack.get().text == "one"


def test_the_deployments_during_a_rollback(stack: Stack) -> None:
    """rolloutState FAILED with its reason for the failed one; the new PRIMARY names where it goes back to."""
    good = serving(stack, ROLLBACK)["deployments"][0]["id"]
    delay = {
        "Key": "deregistration_delay.timeout_seconds",
        "Value": "60",
    }  # for time to look at the failed one
    stack.elb.modify_target_group_attributes(TargetGroupArn=stack.served_group, Attributes=[delay])
    failing = stack.update(taskDefinition=sick(stack))["deployments"][0]["id"]
    seen: dict[str, Any] = {}
    before: dict[str, list[Any]] = {}

    def rolled_back() -> bool:
        service = stack.describe()
        assert len(service["deployments"]) <= 2
        for one in service["deployments"]:
            seen[one["id"]] = one
            before.setdefault(one["id"], []).append(one)
        return len(service["deployments"]) == 1 and record(stack)["status"] == "ROLLBACK_SUCCESSFUL"

    eventually(rolled_back)
    back = stack.describe()["deployments"][0]
    assert back["id"] not in (good, failing)
    failed = seen[failing]
    assert (failed["status"], failed["rolloutState"], failed["desiredCount"]) == ("ACTIVE", "FAILED", 0)
    assert failed["rolloutStateReason"] == "ECS deployment circuit breaker: tasks failed to start."
    reasons = {one["rolloutStateReason"] for one in before[back["id"]]}
    assert f"ECS deployment circuit breaker: rolling back to deploymentId {good}." in reasons
    assert f"(service s) (deployment {failing}) deployment failed: tasks failed to start." in stack.messages()
    assert f"(service s) rolling back to deployment {good}." in stack.messages()


def test_a_sick_deployment_is_rolled_back_while_the_old_one_serves(stack: Stack) -> None:
    """Stage 2: tasks that fail health checks count; the old tasks serve all the time."""
    serving(stack, ROLLBACK)
    stack.update(taskDefinition=sick(stack))
    answers = []

    def over() -> bool:
        answers.append(stack.get().text)
        return bool(record(stack)["status"] == "ROLLBACK_SUCCESSFUL")

    eventually(over)
    assert set(answers) == {"one"}
    failed = [task for task in stack.tasks("s", "STOPPED") if "health checks" in task["stoppedReason"]]
    assert {task["stopCode"] for task in failed} == {"ServiceSchedulerInitiated"}
    reason = f"Task failed ELB health checks in (target-group {stack.served_group})"
    assert {task["stoppedReason"] for task in failed} == {reason}


def test_unhealthy_targets_are_told(stack: Stack) -> None:
    """Event: "(task …) (port 8501) is unhealthy in (target-group …) due to (reason Health checks failed …)."."""
    stack.service(sick(stack), loadBalancers=stack.balanced)
    group = stack.served_group
    why = "Health checks failed with these codes: [500]"
    tail = f"(port 8501) is unhealthy in (target-group {group}) due to (reason {why})."
    eventually(lambda: any(message.endswith(tail) for message in stack.messages()))


def test_without_rollback_the_failed_deployment_stays_primary(stack: Stack) -> None:
    """Circuit breaker without rollback: FAILED, no new tasks, the old deployment's tasks go on."""
    good = serving(stack, NO_ROLLBACK)["deployments"][0]["id"]
    failing = stack.update(taskDefinition=crashing(stack))["deployments"][0]["id"]
    ended = ends(stack, "STOPPED")
    assert {"stoppedAt", "finishedAt", "statusReason"} <= set(ended)
    assert "rollback" not in ended
    primary, active = stack.describe()["deployments"]
    assert (primary["id"], primary["rolloutState"], primary["desiredCount"]) == (failing, "FAILED", 0)
    assert primary["rolloutStateReason"] == "ECS deployment circuit breaker: tasks failed to start."
    assert (active["id"], active["runningCount"]) == (good, 1)
    assert stack.get().text == "one"


def test_the_old_tasks_are_kept_up_after_a_failure(stack: Stack) -> None:
    """A service whose newest deployment FAILED still keeps its desired count with the one before."""
    serving(stack, NO_ROLLBACK)
    stack.update(taskDefinition=crashing(stack))
    ends(stack, "STOPPED")
    old = stack.tasks("s")[0]["taskArn"]
    stack.ecs.stop_task(cluster="c", task=old)
    eventually(lambda: [task["taskArn"] for task in stack.tasks("s")] not in ([], [old]))


def test_a_first_deployment_has_nothing_to_roll_back_to(stack: Stack) -> None:
    """ROLLBACK_FAILED, "No rollback candidate was found to run the rollback."; rolloutState FAILED."""
    stack.service(crashing(stack), deploymentConfiguration=ROLLBACK)
    ended = ends(stack, "ROLLBACK_FAILED")
    assert ended["statusReason"] == "No rollback candidate was found to run the rollback."
    seen = stack.describe()
    assert [one["rolloutState"] for one in seen["deployments"]] == ["FAILED"]
    assert (seen["runningCount"], seen["deployments"][0]["failedTasks"]) == (0, 3)


def test_an_image_that_is_not_there_trips_the_breaker(stack: Stack) -> None:
    """Stage 1: tasks that do not reach RUNNING count."""
    image = stack.app.replace(":v1", ":nowhere")
    stack.service(stack.definition(stack.container(image)), deploymentConfiguration=ROLLBACK)
    ends(stack, "ROLLBACK_FAILED")
    task = stack.tasks("s", "STOPPED")[0]
    assert task["stopCode"] == "TaskFailedToStart"
    assert task["stoppedReason"].startswith("CannotPullContainerError: ")
    assert any(
        message.startswith("(service s) was unable to place a task. Reason: CannotPullContainerError")
        for message in stack.messages()
    )


@pytest.mark.parametrize(
    ("desired", "given", "threshold"),
    [
        (1, None, 3),
        (25, None, 13),
        (1000, None, 200),
        (4, {"type": "COUNT", "value": 7}, 7),
        (4, {"type": "UNBOUNDED_PERCENT", "value": 50}, 2),
        (20, {"type": "BOUNDED_PERCENT", "value": 25}, 5),
    ],
)
def test_thresholds(stack: Stack, desired: int, given: dict[str, Any] | None, threshold: int) -> None:
    """Threshold: half of the desired count, rounded up, from 3 to 200; or as thresholdConfiguration says."""
    breaker: dict[str, Any] = {"enable": True, "rollback": False}
    if given:
        breaker["thresholdConfiguration"] = given
    role = stack.role("of-app-runner", trust=APP_RUNNER_TRUST)
    definition = stack.definition(taskRoleArn=role)
    stack.service(definition, desired=desired, deploymentConfiguration={"deploymentCircuitBreaker": breaker})
    assert record(stack)["deploymentCircuitBreaker"]["threshold"] == threshold


@pytest.mark.parametrize("forgives", [True, False])
def test_a_healthy_task_forgives_failures(stack: Stack, forgives: bool) -> None:
    """resetOnHealthyTask (true): "a task that reaches a healthy state resets the failure count to 0"."""
    image = stack.image(web_app(EXIT_CODE="1"), tag="moving")
    definition = stack.definition(stack.container(image, versionConsistency="disabled"))
    breaker = {"enable": True, "rollback": False, "resetOnHealthyTask": forgives}
    breaker["thresholdConfiguration"] = {"type": "COUNT", "value": 100}
    config = {"deploymentCircuitBreaker": breaker}
    stack.service(definition, deploymentConfiguration=config, loadBalancers=stack.balanced)
    eventually(lambda: stack.describe()["deployments"][0]["failedTasks"] > 0)
    stack.image(web_app(VERSION="well"), tag="moving")
    assert stack.completed()["deployments"][0]["failedTasks"] == 0
    assert (record(stack)["deploymentCircuitBreaker"]["failureCount"] == 0) == forgives


def test_without_a_breaker_ecs_tries_for_ever(stack: Stack) -> None:
    """No circuit breaker: IN_PROGRESS, more and more failures, "is unable to consistently start tasks …"."""
    stack.service(crashing(stack))
    message = "(service s) is unable to consistently start tasks successfully."
    eventually(lambda: message in stack.messages())
    seen = stack.describe()["deployments"][0]
    assert seen["rolloutState"] == "IN_PROGRESS"
    assert seen["failedTasks"] >= 3
    assert record(stack)["deploymentCircuitBreaker"]["status"] == "DISABLED"
    before = seen["failedTasks"]
    eventually(lambda: stack.describe()["deployments"][0]["failedTasks"] > before)


def test_repeated_trouble_is_told_once(stack: Stack) -> None:
    """ECS suppresses repeated event messages."""
    image = stack.app.replace(":v1", ":nowhere")
    stack.service(stack.definition(stack.container(image)))
    eventually(lambda: stack.describe()["deployments"][0]["failedTasks"] >= 2)
    told = [message for message in stack.messages() if "was unable to place a task" in message]
    assert len(told) == 1


def test_an_unhealthy_task_is_replaced_after_a_deployment(stack: Stack) -> None:
    """ "Amazon ECS replaced 1 tasks due to an unhealthy status": first a new task, then the sick one stops."""
    serving(stack, ROLLBACK)
    sick_task = stack.tasks("s")[0]["taskArn"]
    stack.get("/set-health?status=500")
    tail = "Amazon ECS replaced 1 tasks due to an unhealthy status."
    eventually(lambda: any(message.endswith(tail) for message in stack.messages()))
    eventually(lambda: stack.task(sick_task)["desiredStatus"] == "STOPPED")
    group = stack.served_group
    assert (
        stack.task(sick_task)["stoppedReason"] == f"Task failed ELB health checks in (target-group {group})"
    )
    assert stack.get("/health").status_code == 200
    assert stack.describe()["deployments"][0]["rolloutState"] == "COMPLETED"


def test_the_grace_period_protects_slow_starters(stack: Stack) -> None:
    """healthCheckGracePeriodSeconds: unhealthy checks are ignored after a task started."""
    slow = version(stack, "slow", HEALTH_STATUS="500")
    stack.service(slow, loadBalancers=stack.balanced, healthCheckGracePeriodSeconds=100000)
    arn = eventually(lambda: stack.tasks("s"))[0]["taskArn"]

    def unhealthy() -> bool:
        seen = stack.elb.describe_target_health(TargetGroupArn=stack.served_group)
        return [one["TargetHealth"]["State"] for one in seen["TargetHealthDescriptions"]] == ["unhealthy"]

    eventually(unhealthy)
    assert not any("is unhealthy" in message for message in stack.messages())
    assert stack.task(arn)["lastStatus"] == "RUNNING"
    stack.get("/set-health?status=200")
    stack.completed()


def test_the_grace_period_counts_from_when_the_task_runs(stack: Stack) -> None:
    """ "The period of time, in seconds, that the Amazon ECS service scheduler ignores unhealthy Elastic Load Balancing
    … health checks after a task has first started" (API Reference, CreateService).
    """
    never_well = version(stack, "never-well", HEALTH_STATUS="500")
    stack.service(never_well, loadBalancers=stack.balanced, healthCheckGracePeriodSeconds=600)
    arn = eventually(lambda: stack.tasks("s"))[0]["taskArn"]
    ended = eventually(lambda: stack.task(arn) if "stoppingAt" in stack.task(arn) else None)
    assert ended["stoppedReason"].startswith("Task failed ELB health checks")
    ignored_until = ended["startedAt"] + timedelta(seconds=600 / SPEED)
    assert ended["stoppingAt"] >= ignored_until


def test_a_program_has_its_grace_period_in_its_own_time(stack: Stack) -> None:
    """ "… after a task has first started": programs start no faster because AWS's time passes faster here."""
    slow = version(stack, "slow", HEALTH_STATUS="500")
    stack.service(slow, loadBalancers=stack.balanced, healthCheckGracePeriodSeconds=60)
    arn = eventually(lambda: stack.tasks("s"))[0]["taskArn"]
    ended = eventually(lambda: stack.task(arn) if "stoppingAt" in stack.task(arn) else None)
    assert ended["stoppingAt"] >= ended["startedAt"] + timedelta(seconds=BOOT_ALLOWANCE)


def test_a_deployment_is_stopped_by_hand_and_rolled_back(stack: Stack) -> None:
    """StopServiceDeployment ROLLBACK: ROLLBACK_REQUESTED, …, ROLLBACK_SUCCESSFUL; needs no circuit breaker."""
    good = serving(stack, {})
    stack.update(taskDefinition=sick(stack))
    arn = eventually(lambda: record(stack)["status"] == "IN_PROGRESS" and record(stack))[
        "serviceDeploymentArn"
    ]
    answer = stack.ecs.stop_service_deployment(serviceDeploymentArn=arn, stopType="ROLLBACK")
    assert answer["serviceDeploymentArn"] == arn
    ends(stack, "ROLLBACK_SUCCESSFUL")
    assert stack.completed()["taskDefinition"] == good["taskDefinition"]


def test_a_deployment_is_aborted(stack: Stack) -> None:
    """StopServiceDeployment ABORT: STOPPED, with stoppedAt; nothing is rolled back."""
    serving(stack, {})
    stack.update(taskDefinition=sick(stack))
    arn = record(stack)["serviceDeploymentArn"]
    stack.ecs.stop_service_deployment(serviceDeploymentArn=arn, stopType="ABORT")
    ended = ends(stack, "STOPPED")
    assert "stoppedAt" in ended
    assert "rollback" not in ended
    assert stack.get().text == "one"


def test_stopping_what_is_over_or_absent(stack: Stack) -> None:
    """StopServiceDeployment: ConflictException; ServiceDeploymentNotFoundException."""
    stack.service(stack.definition(), desired=0)
    stack.completed()
    arn = record(stack)["serviceDeploymentArn"]
    with refused("ConflictException"):
        stack.ecs.stop_service_deployment(serviceDeploymentArn=arn)
    with refused("ServiceDeploymentNotFoundException"):
        stack.ecs.stop_service_deployment(serviceDeploymentArn=f"{arn}x")


def test_a_deployment_after_a_rollback_can_succeed(stack: Stack) -> None:
    """The next UpdateService starts afresh; what was rolled back leaves nothing behind."""
    serving(stack, ROLLBACK)
    stack.update(taskDefinition=crashing(stack))
    ends(stack, "ROLLBACK_SUCCESSFUL")
    two = version(stack, "two")
    stack.update(taskDefinition=two)
    assert stack.completed()["taskDefinition"] == two
    statuses = [one["status"] for one in stack.deployments()]
    assert statuses == ["SUCCESSFUL", "ROLLBACK_SUCCESSFUL", "SUCCESSFUL"]
    assert stack.get().text == "two"
