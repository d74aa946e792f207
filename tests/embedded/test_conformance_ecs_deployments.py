"""Rolling deployments that go well (Developer Guide, "Deploy Amazon ECS services by replacing tasks")."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import requests

from tests.embedded.ecs_stack import PORT, Stack
from tests.embedded.images import web_app
from tests.embedded_process import PATIENCE, eventually


def version(stack: Stack, name: str, **environment: str) -> str:
    """Register a task definition whose app answers ``name``."""
    image = stack.image(web_app(VERSION=name, **environment), tag=name)
    return stack.definition(stack.container(image))


@contextmanager
def visitors(stack: Stack, path: str = "/", method: str = "GET") -> Iterator[Counter[tuple[int, str]]]:
    """Send requests through the load balancer, each 20 ms or so; counts (status, text) of the answers."""
    seen: Counter[tuple[int, str]] = Counter()
    url, over = f"{stack.url}{path}", threading.Event()

    def visit() -> None:
        while not over.is_set():
            answer = requests.request(method, url, timeout=PATIENCE)
            seen[answer.status_code, answer.text[:40]] += 1
            over.wait(0.02)

    threads = [threading.Thread(target=visit) for _ in range(2)]
    for thread in threads:
        thread.start()
    try:
        yield seen
    finally:
        over.set()
        for thread in threads:
            thread.join()


def in_order(messages: list[str], *parts: str) -> None:
    """Each part is in a message that comes after the one of the part before."""
    rest = iter(messages)
    for part in parts:
        assert any(part in message for message in rest), f"{part!r} not found in order in {messages}"


def test_a_service_starts_and_is_served(stack: Stack) -> None:
    """Tasks are started, registered and healthy: COMPLETED, and the load balancer reaches them."""
    stack.service(version(stack, "one"), desired=2, loadBalancers=stack.balanced)
    seen = stack.completed()
    assert (seen["runningCount"], seen["pendingCount"]) == (2, 0)
    deployment = seen["deployments"][0]
    assert deployment["rolloutStateReason"] == f"ECS deployment {deployment['id']} completed."
    assert (deployment["desiredCount"], deployment["runningCount"]) == (2, 2)
    assert (stack.get().status_code, stack.get().text) == (200, "one")
    health = stack.elb.describe_target_health(TargetGroupArn=stack.served_group)
    assert [one["TargetHealth"]["State"] for one in health["TargetHealthDescriptions"]] == ["healthy"] * 2


def test_the_events_of_a_first_deployment(stack: Stack) -> None:
    """Service events, oldest first: has started, registered, deployment completed, has reached a steady state."""
    stack.service(stack.definition(), loadBalancers=stack.balanced)
    deployment = stack.completed()["deployments"][0]["id"]
    task = stack.tasks("s")[0]["taskArn"].split("/")[-1]
    stack.reaches(stack.run("f")["taskArn"], "RUNNING")  # time passes: nothing is told twice
    assert stack.messages() == [
        f"(service s) has started 1 tasks: (task {task}).",
        f"(service s) registered 1 targets in (target-group {stack.served_group})",
        f"(service s) (deployment {deployment}) deployment completed.",
        "(service s) has reached a steady state.",
    ]


def test_events_are_newest_first(stack: Stack) -> None:
    """Service.events: "The event stream for your service. A maximum of 100 of the latest events are displayed."."""
    stack.service(stack.definition(), loadBalancers=stack.balanced)
    stack.completed()
    times = [event["createdAt"] for event in stack.describe()["events"]]
    assert times == sorted(times, reverse=True)


def test_an_update_replaces_tasks_without_losing_a_request(stack: Stack) -> None:
    """minimumHealthyPercent 100: old tasks stop only once new ones are healthy, and drain before they stop."""
    stack.service(version(stack, "one"), desired=2, loadBalancers=stack.balanced)
    stack.completed()
    two = version(stack, "two")
    with visitors(stack) as seen:
        stack.update(taskDefinition=two)
        assert stack.completed()["taskDefinition"] == two
        eventually(lambda: seen[200, "two"] > 20)
    assert set(seen) == {(200, "one"), (200, "two")}


def test_requests_in_flight_are_finished(stack: Stack) -> None:
    """Old tasks stop only after the deregistration delay: what they are answering is answered."""
    group = stack.target_group(delay=150)
    stack.listener(group)
    balancers = [{"targetGroupArn": group, "containerName": "app", "containerPort": PORT}]
    stack.service(version(stack, "one"), loadBalancers=balancers)
    stack.completed()
    two = version(stack, "two")
    with visitors(stack, "/slow?seconds=0.9", "POST") as seen:
        stack.update(taskDefinition=two)
        stack.completed()
    assert set(seen) == {(200, "late")}


def test_an_update_as_it_is_answered(stack: Stack) -> None:
    """UpdateService: a new PRIMARY deployment, the old one ACTIVE and COMPLETED; taskDefinition the full ARN."""
    stack.service(stack.definition(), loadBalancers=stack.balanced)
    before = stack.completed()["deployments"][0]
    stack.definition()
    answer = stack.update(taskDefinition="f:2")
    primary, active = answer["deployments"]
    assert answer["taskDefinition"].endswith("task-definition/f:2")
    assert (primary["status"], primary["rolloutState"]) == ("PRIMARY", "IN_PROGRESS")
    assert (active["id"], active["status"], active["rolloutState"]) == (before["id"], "ACTIVE", "COMPLETED")
    assert active["runningCount"] == 1


def test_the_events_of_an_update(stack: Stack) -> None:
    """Service events of a rolling update, in this order."""
    stack.service(stack.definition(), loadBalancers=stack.balanced)
    stack.completed()
    old = stack.tasks("s")[0]["taskArn"].split("/")[-1]
    stack.definition()
    stack.update(taskDefinition="f")
    deployment = stack.completed()["deployments"][0]["id"]
    group = stack.served_group
    in_order(
        stack.messages(),
        "has reached a steady state.",
        "has started 1 tasks",
        f"(service s) registered 1 targets in (target-group {group})",
        f"(service s) deregistered 1 targets in (target-group {group})",
        "(service s) has begun draining connections on 1 tasks.",
        f"(service s) has stopped 1 running tasks: (task {old}).",
        f"(service s) (deployment {deployment}) deployment completed.",
        "(service s) has reached a steady state.",
    )


def test_replaced_tasks_say_so(stack: Stack) -> None:
    """Stopped tasks: ServiceSchedulerInitiated, "Scaling activity initiated by (deployment ecs-svc/…)"."""
    stack.service(stack.definition(), loadBalancers=stack.balanced)
    stack.completed()
    stack.definition()
    stack.update(taskDefinition="f")
    deployment = stack.completed()["deployments"][0]["id"]
    stopped = stack.tasks("s", "STOPPED")[0]
    assert stopped["stopCode"] == "ServiceSchedulerInitiated"
    assert stopped["stoppedReason"] == f"Scaling activity initiated by (deployment {deployment})"


@pytest.mark.parametrize(
    ("least", "most", "highest", "lowest"),
    [(100, 200, 4, 2), (50, 100, 2, 1), (0, 100, 2, 0), (100, 150, 3, 2)],
)
def test_minimum_and_maximum_percent(stack: Stack, least: int, most: int, highest: int, lowest: int) -> None:
    """DeploymentConfiguration: never more than maximumPercent tasks, never fewer healthy than the minimum."""
    config = {"minimumHealthyPercent": least, "maximumPercent": most}
    stack.service(
        version(stack, "one"), desired=2, loadBalancers=stack.balanced, deploymentConfiguration=config
    )
    stack.completed()
    two = version(stack, "two")
    stack.update(taskDefinition=two)
    counts: list[tuple[int, int]] = []

    def done() -> bool:
        tasks = stack.tasks("s")
        counts.append((len(tasks), sum(task["lastStatus"] == "RUNNING" for task in tasks)))
        states = [one["rolloutState"] for one in stack.describe()["deployments"]]
        return states == ["COMPLETED"]

    eventually(done)
    assert max(count for count, _ in counts) == highest
    assert min(running for _, running in counts) >= lowest
    assert {task["taskDefinitionArn"] for task in stack.tasks("s")} == {two}


def test_percents_that_leave_no_room_are_told(stack: Stack) -> None:
    """Event: "was unable to stop or start tasks during a deployment because of the service deployment …"."""
    config = {"minimumHealthyPercent": 100, "maximumPercent": 150}
    stack.service(stack.definition(), loadBalancers=stack.balanced, deploymentConfiguration=config)
    stack.completed()
    stack.update(forceNewDeployment=True)
    message = (
        "(service s) was unable to stop or start tasks during a deployment because of the service deployment "
        "configuration. Update the minimumHealthyPercent or maximumPercent value and try again."
    )
    eventually(lambda: message in stack.messages())
    assert len(stack.tasks("s")) == 1


def test_an_update_that_changes_nothing_deploys_nothing(stack: Stack) -> None:
    """UpdateService without a change: 200, and the same deployment."""
    stack.service(stack.definition(), desired=0)
    before = stack.completed()
    same = stack.update(taskDefinition="f", networkConfiguration=stack.network, enableECSManagedTags=True)
    assert same["deployments"] == before["deployments"]
    assert same["currentServiceDeployment"] == before["currentServiceDeployment"]


def test_a_forced_deployment_replaces_tasks_of_the_same_definition(stack: Stack) -> None:
    """UpdateService forceNewDeployment: "use this option to start a new deployment with no changes"."""
    stack.service(stack.definition(), loadBalancers=stack.balanced)
    before = stack.completed()
    task = stack.tasks("s")[0]["taskArn"]
    stack.update(forceNewDeployment=True)
    after = stack.completed()
    assert after["deployments"][0]["id"] != before["deployments"][0]["id"]
    assert after["taskDefinition"] == before["taskDefinition"]
    assert stack.tasks("s")[0]["taskArn"] != task


def test_another_network_is_another_deployment(stack: Stack) -> None:
    """UpdateService networkConfiguration: a change starts a new deployment."""
    stack.service(stack.definition(), desired=0)
    before = stack.completed()["deployments"][0]["id"]
    config = {"subnets": stack.subnets[:1], "securityGroups": [stack.group], "assignPublicIp": "ENABLED"}
    answer = stack.update(networkConfiguration={"awsvpcConfiguration": config})
    assert answer["deployments"][0]["id"] != before
    assert answer["networkConfiguration"]["awsvpcConfiguration"] == config


def test_scaling_is_no_deployment(stack: Stack) -> None:
    """UpdateService desiredCount alone: tasks are started or stopped within the same deployment."""
    stack.service(stack.definition(), desired=1, loadBalancers=stack.balanced)
    before = stack.completed()["deployments"][0]["id"]
    assert stack.update(desiredCount=3)["desiredCount"] == 3
    eventually(lambda: stack.describe()["runningCount"] == 3)
    stack.update(desiredCount=1)
    eventually(lambda: stack.describe()["runningCount"] == 1)
    assert [one["id"] for one in stack.describe()["deployments"]] == [before]
    eventually(lambda: stack.messages()[-1] == "(service s) has reached a steady state.")


def test_a_service_without_tasks_completes_at_once(stack: Stack) -> None:
    """A deployment with desiredCount 0 has nothing to wait for."""
    stack.service(stack.definition(), desired=0)
    assert stack.completed()["runningCount"] == 0
    stack.update(desiredCount=1)
    eventually(lambda: stack.describe()["runningCount"] == 1)


def test_a_newer_deployment_ends_the_one_in_progress(stack: Stack) -> None:
    """A new UpdateService during a deployment: the earlier service deployment is STOPPED, the new one succeeds."""
    stack.service(version(stack, "one"), loadBalancers=stack.balanced)
    stack.completed()
    version(stack, "sick", HEALTH_STATUS="500")
    stack.update(taskDefinition="f:2")
    eventually(lambda: len(stack.tasks("s")) == 2)
    three = version(stack, "three")
    stack.update(taskDefinition=three)
    assert stack.completed()["taskDefinition"] == three
    assert [one["status"] for one in stack.deployments()] == ["SUCCESSFUL", "STOPPED", "SUCCESSFUL"]
    assert stack.get().text == "three"


def test_service_deployments_are_listed_newest_first(stack: Stack) -> None:
    """ListServiceDeployments: brief entries, by status if asked."""
    stack.service(stack.definition(), desired=0)
    stack.completed()
    stack.update(forceNewDeployment=True)
    stack.completed()
    listed = stack.ecs.list_service_deployments(cluster="c", service="s")["serviceDeployments"]
    assert [one["status"] for one in listed] == ["SUCCESSFUL", "SUCCESSFUL"]
    assert listed[0]["createdAt"] > listed[1]["createdAt"]
    assert listed[0]["serviceDeploymentArn"] == stack.describe()["currentServiceDeployment"]
    assert set(listed[0]) >= {
        "serviceArn",
        "clusterArn",
        "startedAt",
        "finishedAt",
        "targetServiceRevisionArn",
    }
    listed = stack.ecs.list_service_deployments(cluster="c", service="s", status=["IN_PROGRESS"])
    assert listed["serviceDeployments"] == []
    page = stack.ecs.list_service_deployments(cluster="c", service="s", maxResults=1)
    assert (len(page["serviceDeployments"]), "nextToken" in page) == (1, True)


def test_deployments_of_more_than_90_days_ago_are_not_seen_any_more(stack: Stack) -> None:
    """'You can see the most recent 90-day history for deployments' ("Viewing Amazon ECS service deployments"). What a
    later one has for its source, 'the currently deployed workload configuration', can be described: of service
    revisions only those are told to be gone that were 'created before October 25, 2024' (DescribeServiceRevisions)."""
    stack.service(stack.definition(), desired=0)
    stack.completed()
    (first,) = stack.deployments()
    stack.aws.forget_deployments()
    assert stack.ecs.list_service_deployments(cluster="c", service="s")["serviceDeployments"] == []
    answer = stack.ecs.describe_service_deployments(serviceDeploymentArns=[first["serviceDeploymentArn"]])
    assert (answer["serviceDeployments"], answer["failures"][0]["reason"]) == ([], "MISSING")
    stack.update(taskDefinition=stack.definition())
    stack.completed()
    (second,) = stack.deployments()
    (source,) = second["sourceServiceRevisions"]
    assert source["arn"] == first["targetServiceRevision"]["arn"]
    found = stack.ecs.describe_service_revisions(serviceRevisionArns=[source["arn"]])["serviceRevisions"]
    assert found[0]["taskDefinition"].endswith(":1")


def test_a_service_deployment_in_full(stack: Stack) -> None:
    """DescribeServiceDeployments: source and target revisions with counts, configuration, circuit breaker."""
    config = {"deploymentCircuitBreaker": {"enable": True, "rollback": True}}
    stack.service(stack.definition(), loadBalancers=stack.balanced, deploymentConfiguration=config)
    stack.completed()
    stack.update(forceNewDeployment=True)
    stack.completed()
    second, first = stack.deployments()
    assert first["sourceServiceRevisions"] == []
    assert second["sourceServiceRevisions"][0]["arn"] == first["targetServiceRevision"]["arn"]
    target = second["targetServiceRevision"]
    assert [target[f"{kind}TaskCount"] for kind in ("requested", "running", "pending")] == [1, 1, 0]
    assert second["deploymentCircuitBreaker"] == {
        "status": "MONITORING_COMPLETE",
        "failureCount": 0,
        "threshold": 3,
    }
    assert second["deploymentConfiguration"]["deploymentCircuitBreaker"] == config["deploymentCircuitBreaker"]
    assert second["alarms"]["status"] == "DISABLED"
    assert second["startedAt"] <= second["finishedAt"]


def test_a_service_deployment_in_progress(stack: Stack) -> None:
    """DescribeServiceDeployments: PENDING, then IN_PROGRESS with the circuit breaker MONITORING."""
    config = {"deploymentCircuitBreaker": {"enable": True, "rollback": False}}
    stack.service(
        version(stack, "slow", START_DELAY="60"), loadBalancers=stack.balanced, deploymentConfiguration=config
    )
    eventually(lambda: stack.deployments()[0]["status"] == "IN_PROGRESS")
    seen = stack.deployments()[0]
    assert seen["deploymentCircuitBreaker"]["status"] == "MONITORING"
    assert seen["lifecycleStage"] == "SCALE_UP"
    assert "finishedAt" not in seen


def test_absent_service_deployments_and_revisions_are_failures(stack: Stack) -> None:
    """DescribeServiceDeployments and DescribeServiceRevisions: failures with MISSING; at most 20."""
    arn = "arn:aws:ecs:us-east-2:123456789012:service-deployment/c/s/x"
    seen = stack.ecs.describe_service_deployments(serviceDeploymentArns=[arn])
    assert seen["failures"] == [{"arn": arn, "reason": "MISSING"}]
    seen = stack.ecs.describe_service_revisions(serviceRevisionArns=[arn])
    assert seen["failures"] == [{"arn": arn, "reason": "MISSING"}]


def revision(stack: Stack) -> dict[str, Any]:
    """The newest deployment's target revision."""
    arn = stack.deployments()[0]["targetServiceRevision"]["arn"]
    return dict(stack.ecs.describe_service_revisions(serviceRevisionArns=[arn])["serviceRevisions"][0])


def test_a_service_revision_in_full(stack: Stack) -> None:
    """DescribeServiceRevisions: task definition, network, load balancers and the resolved image digests."""
    definition = stack.definition()
    stack.service(definition, loadBalancers=stack.balanced)
    stack.completed()
    seen = revision(stack)
    assert seen["taskDefinition"] == definition
    assert seen["loadBalancers"] == stack.balanced
    assert seen["networkConfiguration"] == stack.network
    image = seen["containerImages"][0]
    assert (image["containerName"], image["image"]) == ("app", stack.app)
    assert image["imageDigest"].startswith("sha256:")
    assert seen["resolvedConfiguration"]["loadBalancers"][0]["targetGroupArn"] == stack.served_group
    assert stack.describe()["currentServiceRevisions"] == [
        {
            "arn": seen["serviceRevisionArn"],
            "requestedTaskCount": 1,
            "runningTaskCount": 1,
            "pendingTaskCount": 0,
        }
    ]


def test_a_tag_means_one_digest_for_a_whole_deployment(stack: Stack) -> None:
    """versionConsistency: ECS resolves the tag once a deployment; a re-pushed tag needs a new deployment."""
    stack.service(stack.definition(stack.container(stack.image(web_app(VERSION="one"), "latest"))))
    eventually(lambda: stack.describe()["runningCount"] == 1)
    digest = revision(stack)["containerImages"][0]["imageDigest"]
    stack.image(web_app(VERSION="two"), "latest")
    stack.update(desiredCount=2)
    eventually(lambda: stack.describe()["runningCount"] == 2)
    assert {task["containers"][0]["imageDigest"] for task in stack.tasks("s")} == {digest}
    stack.update(forceNewDeployment=True)
    eventually(lambda: "imageDigest" in revision(stack)["containerImages"][0])
    assert revision(stack)["containerImages"][0]["imageDigest"] != digest


def test_version_consistency_can_be_turned_off(stack: Stack) -> None:
    """ContainerDefinition versionConsistency "disabled": the tag is resolved for each task."""
    image = stack.image(web_app(VERSION="one"), "latest")
    stack.service(stack.definition(stack.container(image, versionConsistency="disabled")))
    eventually(lambda: stack.describe()["runningCount"] == 1)
    stack.image(web_app(VERSION="two"), "latest")
    stack.update(desiredCount=2)
    eventually(lambda: stack.describe()["runningCount"] == 2)
    assert len({task["containers"][0]["imageDigest"] for task in stack.tasks("s")}) == 2


def test_tasks_are_spread_over_zones(stack: Stack) -> None:
    """Developer Guide: Fargate spreads the tasks of a service over the zones of its subnets."""
    stack.service(stack.definition(), desired=4)
    eventually(lambda: stack.describe()["runningCount"] == 4)
    zones = Counter(task["availabilityZone"] for task in stack.tasks("s"))
    assert sorted(zones.values()) == [2, 2]


def test_a_stopped_task_of_a_service_is_replaced(stack: Stack) -> None:
    """The service scheduler keeps the desired count; failedTasks stays 0 once the deployment is COMPLETED."""
    stack.service(stack.definition(), loadBalancers=stack.balanced)
    stack.completed()
    arn = stack.tasks("s")[0]["taskArn"]
    stack.ecs.stop_task(cluster="c", task=arn)
    eventually(lambda: [task["taskArn"] for task in stack.tasks("s")] not in ([], [arn]))
    eventually(lambda: stack.describe()["runningCount"] == 1)
    assert stack.describe()["deployments"][0]["failedTasks"] == 0


def test_a_crash_is_told_by_what_follows(stack: Stack) -> None:
    """A task that exits by itself: its target is deregistered, and another task is started."""
    stack.service(stack.definition(), loadBalancers=stack.balanced)
    stack.completed()
    stack.get("/exit?code=9")
    steady = "(service s) has reached a steady state."
    eventually(lambda: stack.messages().count(steady) == 2)
    in_order(
        stack.messages(),
        steady,
        f"(service s) deregistered 1 targets in (target-group {stack.served_group})",
        "(service s) has begun draining connections on 1 tasks.",
        steady,
    )
    stopped = stack.tasks("s", "STOPPED")[0]
    assert (stopped["stopCode"], stopped["containers"][0]["exitCode"]) == ("EssentialContainerExited", 9)
    assert stack.get().status_code == 200


def test_waiters_of_boto3_agree(stack: Stack) -> None:
    """Waiter ServicesStable: one deployment and runningCount equal to desiredCount; ServicesInactive."""
    stack.service(stack.definition(), loadBalancers=stack.balanced)
    quick = {"Delay": 1, "MaxAttempts": 20}
    stack.ecs.get_waiter("services_stable").wait(cluster="c", services=["s"], WaiterConfig=quick)
    stack.ecs.delete_service(cluster="c", service="s", force=True)
    stack.ecs.get_waiter("services_inactive").wait(cluster="c", services=["s"], WaiterConfig=quick)
