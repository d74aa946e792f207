"""Cluster, task definition and service: what a release decides, and what a change restarts."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from lobster_tasks.aws import Aws
from lobster_tasks.errors import AwsCallError
from lobster_tasks.stack import LiveResources
from tests.embedded.images import push, web_app
from tests.embedded_process import EmbeddedProcess, eventually

from .stand import Stand

FAMILY, DEFINITION = "lobster-streamlit-task", "task-definition/lobster-streamlit-task"
SERVICE = "service/lobster-streamlit-service"
OWN_TEMPLATE = """{
  "family": {{ task.family | tojson }},
  "requiresCompatibilities": ["FARGATE"], "networkMode": "awsvpc", "cpu": "512", "memory": "1024",
  "executionRoleArn": {{ execution_role_arn | tojson }},
  "containerDefinitions": [
    {"name": "sidecar", "image": "public.ecr.aws/x/sidecar:1", "environment": [{"name": "A", "value": "1"}]},
    {"name": {{ container.name | tojson }}, "image": {{ image | tojson }},
     "environment": [{"name": "A", "value": "2"}]}
  ]
}"""


@pytest.fixture
def own_template(tmp_path: Path) -> Iterator[Path]:
    """A project whose task definition has a container before the app's."""
    path = tmp_path / "task-definitions" / "ecs-task-definition.json.j2"
    path.parent.mkdir()
    path.write_text(OWN_TEMPLATE)
    with contextlib.chdir(tmp_path):
        yield path


def newest(embedded: EmbeddedProcess) -> dict[str, Any]:
    """The family's newest revision."""
    found: dict[str, Any] = embedded.client("ecs").describe_task_definition(taskDefinition=FAMILY)
    definition: dict[str, Any] = found["taskDefinition"]
    return definition


def images(embedded: EmbeddedProcess) -> dict[str, str]:
    """The image of each container of the newest revision."""
    return {each["name"]: each["image"] for each in newest(embedded)["containerDefinitions"]}


# Task definition


def test_without_a_release_the_image_says_so(aws: Aws, embedded: EmbeddedProcess) -> None:
    Stand.of(aws, "task-definition").converge()
    account = "123456789012.dkr.ecr.us-east-2.amazonaws.com"
    assert images(embedded) == {"lobster-streamlit": f"{account}/homara:no-release-yet"}


def register(embedded: EmbeddedProcess, stand: Stand, image: str) -> str:
    """A revision with an image of the app, as a release registers it; its ARN."""
    definition = json.loads(stand.find(DEFINITION).definition)
    for container in definition["containerDefinitions"]:
        if container["name"] == "lobster-streamlit":
            container["image"] = image
    made = embedded.client("ecs").register_task_definition(**definition)
    return str(made["taskDefinition"]["taskDefinitionArn"])


def test_what_is_in_the_repository_is_nobodys_release(aws: Aws, embedded: EmbeddedProcess) -> None:
    """The newest object may be a signature, or somebody's branch."""
    Stand.of(aws, "repository").converge()
    for tag in ("one", "sha256-0123.sig", "latest"):
        push(embedded.client("ecr"), web_app(VERSION=tag), tag=tag)
    Stand.of(aws, "service").converge()
    assert images(embedded)["lobster-streamlit"].endswith("/homara:no-release-yet")
    assert (described(embedded)["desiredCount"], described(embedded)["runningCount"]) == (0, 0)


def test_a_repaired_revision_keeps_the_image_of_the_release(aws: Aws, embedded: EmbeddedProcess) -> None:
    stand = Stand.of(aws, "task-definition")
    stand.converge()
    definition = json.loads(stand.find(DEFINITION).definition)
    definition["containerDefinitions"][0]["image"] = "public.ecr.aws/x/released@sha256:" + "a" * 64
    embedded.client("ecs").register_task_definition(**definition)
    assert stand.plan().changes == ()  # an image alone is no difference
    Stand.of(aws, "task-definition", task={"cpu": 1024, "memory": 2048}).converge()
    assert images(embedded)["lobster-streamlit"].startswith("public.ecr.aws/x/released@")
    assert newest(embedded)["cpu"] == "1024"


def test_containers_are_told_by_their_names_not_by_their_places(
    aws: Aws, embedded: EmbeddedProcess, own_template: Path
) -> None:
    Stand.of(aws, "repository").converge()
    pushed = push(embedded.client("ecr"), web_app(), tag="one")
    stand = Stand.of(aws, "task-definition")
    stand.converge()
    register(embedded, stand, pushed.by_digest)
    assert images(embedded) == {
        "sidecar": "public.ecr.aws/x/sidecar:1",
        "lobster-streamlit": pushed.by_digest,
    }
    own_template.write_text(
        OWN_TEMPLATE.replace("sidecar:1", "sidecar:2").replace('"value": "1"', '"value": "3"')
    )
    changed = Stand.of(aws, "task-definition")
    (change,) = changed.plan().changes
    assert change.changed == {"sidecar.image", "sidecar.environment.A"}
    changed.converge()
    assert images(embedded) == {
        "sidecar": "public.ecr.aws/x/sidecar:2",
        "lobster-streamlit": pushed.by_digest,
    }


def test_values_of_variables_are_not_told(aws: Aws) -> None:
    Stand.of(aws, "task-definition", container={"environment": {"A": "very", "B": "secret"}}).converge()
    other = Stand.of(aws, "task-definition", container={"environment": {"A": "other", "C": "secret"}})
    (change,) = other.plan().changes
    assert change.reason == "environment A differs; environment B is removed; environment C is added"


def test_secrets_of_commands_are_not_told(aws: Aws) -> None:
    before = ["streamlit", "run", "app.py", "--api-key", "hunter2secret"]
    Stand.of(aws, "task-definition", container={"command": before}).converge()
    other = Stand.of(aws, "task-definition", container={"command": [*before[:-1], "other2secret"]})
    assert [each.reason for each in other.plan().changes] == ["lobster-streamlit command differs"]
    other = Stand.of(aws, "task-definition", container={"command": ["streamlit", "hello"]})
    assert [each.reason for each in other.plan().changes] == [
        'lobster-streamlit command: ["streamlit", "run", "app.py", "--api-key", "***"] → ["streamlit", "hello"]'
    ]


def test_a_family_of_which_no_revision_is_ours_is_foreign(aws: Aws, embedded: EmbeddedProcess) -> None:
    stand = Stand.of(aws, "task-definition")
    definition = json.loads(stand.find(DEFINITION).definition)
    del definition["tags"]
    Stand.of(aws, "role").converge()
    for _ in range(3):
        embedded.client("ecs").register_task_definition(**definition)
    assert stand.live(DEFINITION).stack is None
    stand.converge(adopt=True)
    assert stand.live(DEFINITION).stack == "lobster"


def test_all_revisions_go(aws: Aws, embedded: EmbeddedProcess) -> None:
    stand = Stand.of(aws, "task-definition")
    stand.converge()
    Stand.of(aws, "task-definition", task={"cpu": 1024, "memory": 2048}).converge()
    stand.remove()
    assert embedded.client("ecs").list_task_definitions(familyPrefix=FAMILY)["taskDefinitionArns"] == []


def test_a_role_that_ecs_does_not_know_yet_is_waited_for(aws: Aws, embedded: EmbeddedProcess) -> None:
    young = {"code": "ClientException", "message": "Role is not valid"}
    embedded.order({"operation": "RegisterTaskDefinition", "nth": [1, 2], "error": young})
    Stand.of(aws, "task-definition").converge()
    assert newest(embedded)["revision"] == 1


# Service


def described(embedded: EmbeddedProcess) -> dict[str, Any]:
    """The service as DescribeServices has it."""
    asked = {"cluster": "lobster-cluster", "services": ["lobster-streamlit-service"]}
    found: dict[str, Any] = embedded.client("ecs").describe_services(**asked)["services"][0]
    return found


def test_a_service_waits_for_a_namesake_that_drains(aws: Aws, embedded: EmbeddedProcess) -> None:
    Stand.of(aws, "repository").converge()
    pushed = push(embedded.client("ecr"), web_app(), tag="one")
    stand = Stand.of(aws, "service")
    stand.converge()
    ecs = embedded.client("ecs")
    where = {"cluster": "lobster-cluster", "service": "lobster-streamlit-service"}
    ecs.update_service(**where, taskDefinition=register(embedded, stand, pushed.by_digest), desiredCount=1)
    eventually(lambda: described(embedded)["runningCount"] == 1)
    ecs.delete_service(cluster="lobster-cluster", service="lobster-streamlit-service", force=True)
    assert described(embedded)["status"] == "DRAINING"
    (change,) = stand.plan().changes
    assert (change.action, change.resource.label) == ("create", SERVICE)
    stand.converge()
    assert described(embedded)["status"] == "ACTIVE"


def test_nothing_is_restarted_for_what_concerns_no_task(aws: Aws, embedded: EmbeddedProcess) -> None:
    Stand.of(aws, "service").converge()
    deployment = described(embedded)["deployments"][0]["id"]
    Stand.of(
        aws,
        "service",
        health_check={"grace_period": 90},
        deployment={"rollback": False, "minimum_healthy_percent": 0, "maximum_percent": 150},
    ).converge()
    (now,) = described(embedded)["deployments"]
    assert now["id"] == deployment
    Stand.of(
        aws,
        "service",
        network={"public": False},
        health_check={"grace_period": 90},
        deployment={"rollback": False, "minimum_healthy_percent": 0, "maximum_percent": 150},
    ).converge()
    assert described(embedded)["deployments"][0]["id"] != deployment


class Recorder:
    """Stands for the door to AWS and notes what is sent."""

    def __init__(self) -> None:
        self.sent: dict[str, Any] = {}

    def call(self, operation: str, about: str = "", **parameters: Any) -> dict[str, Any]:
        """Note it."""
        self.sent = {"operation": operation, **parameters}
        return {}

    def retry_while(self, work: Callable[[], Any], passing: object, within: float) -> Any:
        """Do it."""
        return work()


@pytest.mark.parametrize(
    ("changed", "members"),
    [
        ({"health-check-grace-period"}, {"healthCheckGracePeriodSeconds"}),
        ({"circuit-breaker", "maximum-percent"}, {"deploymentConfiguration"}),
        ({"tags-on-tasks"}, {"propagateTags"}),
        ({"public-address", "subnets", "security-groups"}, {"networkConfiguration"}),
        ({"target-group", "health-check-grace-period"}, {"loadBalancers", "healthCheckGracePeriodSeconds"}),
    ],
)
def test_only_what_differs_is_sent(aws: Aws, changed: set[str], members: set[str]) -> None:
    """Network and load balancers restart every task, whatever is sent as theirs."""
    stand, recorder = Stand.of(aws, "service"), Recorder()
    stand.converge()
    live, service = stand.read(), stand.find(SERVICE)
    service.update(recorder, live[service], frozenset(changed), LiveResources(live))
    assert recorder.sent.keys() == {"operation", "cluster", "service", *members}


def test_without_room_for_another_task_zones_are_not_rebalanced(aws: Aws, embedded: EmbeddedProcess) -> None:
    Stand.of(aws, "service").converge()
    tight = {"minimum_healthy_percent": 0, "maximum_percent": 100}
    stand, recorder = Stand.of(aws, "service", deployment=tight), Recorder()
    live, service = stand.read(), stand.find(SERVICE)
    service.update(recorder, live[service], frozenset({"maximum-percent"}), LiveResources(live))
    assert recorder.sent["availabilityZoneRebalancing"] == "DISABLED"
    stand.converge()
    assert described(embedded)["availabilityZoneRebalancing"] == "DISABLED"


def test_fargate_spot_is_as_good(aws: Aws, embedded: EmbeddedProcess) -> None:
    stand = Stand.of(aws, "service")
    stand.converge()
    spot = [{"capacityProvider": "FARGATE_SPOT", "weight": 1}]
    embedded.client("ecs").put_cluster_capacity_providers(
        cluster="lobster-cluster", capacityProviders=["FARGATE_SPOT"], defaultCapacityProviderStrategy=[]
    )
    embedded.client("ecs").update_service(
        cluster="lobster-cluster",
        service="lobster-streamlit-service",
        capacityProviderStrategy=spot,
        forceNewDeployment=True,
    )
    assert stand.plan().changes == ()


def test_one_creation_whose_answer_was_lost_is_one_service(aws: Aws, embedded: EmbeddedProcess) -> None:
    embedded.order({"operation": "CreateService", "nth": 1, "drop": "after"})
    Stand.of(aws, "service").converge()
    assert [call["status"] for call in embedded.calls("CreateService")] == [None, 200]


def test_a_service_that_somebody_else_has_just_made_is_not_taken_over(
    aws: Aws, embedded: EmbeddedProcess
) -> None:
    stand = Stand.of(aws, "service")
    stand.converge()
    service, known = stand.find(SERVICE), LiveResources(stand.read())
    with pytest.raises(AwsCallError, match="AWS refused ecs:CreateService") as refused:
        service.create(aws, known)
    assert "not idempotent" in refused.value.why


def test_a_service_in_a_cluster_that_is_not_there_is_absent(aws: Aws) -> None:
    live = Stand.of(aws, "service").read()
    assert {each.label for each, found in live.items() if found} == {"network/the default VPC"}


# Cluster


def test_a_cluster_that_was_deleted_is_absent_and_can_be_made_again(
    aws: Aws, embedded: EmbeddedProcess
) -> None:
    stand = Stand.of(aws, "cluster")
    stand.converge()
    embedded.client("ecs").delete_cluster(cluster="lobster-cluster")
    (change,) = stand.plan().changes
    assert change.action == "create"
    stand.converge()


@pytest.mark.parametrize("code", ["ClusterContainsTasksException", "ClusterContainsServicesException"])
def test_a_cluster_goes_when_its_last_task_has_stopped(
    aws: Aws, embedded: EmbeddedProcess, code: str
) -> None:
    stand = Stand.of(aws, "cluster")
    stand.converge()
    error = {"code": code, "message": "still there"}
    embedded.order({"operation": "DeleteCluster", "nth": [1, 2], "error": error})
    stand.remove()
    assert embedded.client("ecs").list_clusters()["clusterArns"] == []


def test_the_service_linked_role_is_waited_for(aws: Aws, embedded: EmbeddedProcess) -> None:
    text = "Unable to assume the service linked role. Please verify that the ECS service linked role exists."
    young = {"code": "InvalidParameterException", "message": text}
    embedded.order({"operation": "CreateCluster", "nth": [1, 2], "error": young})
    Stand.of(aws, "cluster").converge()
