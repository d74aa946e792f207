"""Task definitions (API Reference: RegisterTaskDefinition; Developer Guide: task definition parameters)."""

from __future__ import annotations

from typing import Any

import pytest

from tests.embedded.refusals import refused

ROLE = "arn:aws:iam::123456789012:role/execution"
ECR = "123456789012.dkr.ecr.us-east-2.amazonaws.com/homara:v1"
APP = {"name": "app", "image": "nginx"}


@pytest.fixture
def ecs(client: Any) -> Any:
    """An ECS client."""
    return client("ecs")


def given(**changes: Any) -> dict[str, Any]:
    """A valid request, with changes; a change to None leaves the member out."""
    base: dict[str, Any] = {
        "family": "f",
        "requiresCompatibilities": ["FARGATE"],
        "networkMode": "awsvpc",
        "cpu": "256",
        "memory": "512",
        "containerDefinitions": [APP],
    }
    return {name: value for name, value in (base | changes).items() if value is not None}


def register(ecs: Any, **changes: Any) -> dict[str, Any]:
    """Register ``given`` and return the task definition."""
    return dict(ecs.register_task_definition(**given(**changes))["taskDefinition"])


def container_of(ecs: Any, **more: Any) -> dict[str, Any]:
    """What is echoed of a container ``app`` with more members."""
    return dict(
        register(ecs, containerDefinitions=[APP | more], executionRoleArn=ROLE)["containerDefinitions"][0]
    )


def test_an_empty_text_is_no_value(ecs: Any) -> None:
    """Recorded with botocore (examples-1.json, RegisterTaskDefinition): ``"taskRoleArn": ""`` is taken, and the answer
    has no such member; skeletons of task definitions hold such texts for what is not set.
    """
    made = register(ecs, taskRoleArn="", executionRoleArn="", containerDefinitions=[APP])
    assert not {"taskRoleArn", "executionRoleArn"} & made.keys()
    assert made["requiresAttributes"] == register(ecs)["requiresAttributes"]


def test_a_task_definition_has_at_most_64_kib(ecs: Any) -> None:
    """'Task definition size limit: 64 KB' (Amazon ECS service quotas).

    ClientException "Actual length: '66420'. Max allowed length is '65536' bytes.": public logs.
    """
    big = [{"name": "BIG", "value": "x" * 66_000}]
    many = [{"name": f"N{number}", "value": "ü" * 100} for number in range(400)]
    for variables in (big, many):
        with refused("ClientException", "'. Max allowed length is '65536' bytes."):
            ecs.register_task_definition(**given(containerDefinitions=[APP | {"environment": variables}]))
    assert ecs.list_task_definitions()["taskDefinitionArns"] == []
    register(ecs, containerDefinitions=[APP | {"environment": [{"name": "BIG", "value": "x" * 64_000}]}])


VALID = [
    (256, [512, 1024, 2048]),
    (512, [1024, 2048, 3072, 4096]),
    (1024, [2048, 5120, 8192]),
    (2048, [4096, 9216, 16384]),
    (4096, [8192, 16384, 30720]),
    (8192, [16384, 20480, 61440]),
    (16384, [32768, 40960, 122880]),
]
INVALID = [(256, 4096), (512, 512), (1024, 1024), (4096, 4096), (8192, 17408), (16384, 33792), (300, 512)]


@pytest.mark.parametrize(("cpu", "memories"), VALID)
def test_fargate_sizes_are_accepted(ecs: Any, cpu: int, memories: list[int]) -> None:
    """Developer Guide, "Task CPU and memory": the pairs of Fargate."""
    for memory in memories:
        made = register(ecs, cpu=str(cpu), memory=str(memory))
        assert (made["cpu"], made["memory"]) == (str(cpu), str(memory))


@pytest.mark.parametrize(("cpu", "memory"), INVALID)
def test_other_sizes_are_refused(ecs: Any, cpu: int, memory: int) -> None:
    """ClientException "No Fargate configuration exists for given values: 4096 CPU, 4096 memory"."""
    with refused(
        "ClientException", f"No Fargate configuration exists for given values: {cpu} CPU, {memory} memory"
    ):
        register(ecs, cpu=str(cpu), memory=str(memory))


@pytest.mark.parametrize("member", ["cpu", "memory"])
def test_fargate_needs_cpu_and_memory(ecs: Any, member: str) -> None:
    """ClientException "Fargate requires that 'cpu' be defined at the task level."."""
    with refused("ClientException", f"Fargate requires that '{member}' be defined at the task level."):
        register(ecs, **{member: None})


def test_units_are_understood(ecs: Any) -> None:
    """RegisterTaskDefinition cpu: "1 vCPU" becomes 1024; memory: "2 GB" becomes 2048."""
    made = register(ecs, cpu=".5 vCPU", memory="2 GB")
    assert (made["cpu"], made["memory"]) == ("512", "2048")


@pytest.mark.parametrize("mode", ["bridge", "host"])
def test_fargate_has_one_network_mode(ecs: Any, mode: str) -> None:
    """ClientException "Fargate only supports network mode ‘awsvpc’." (with these quotes)."""
    with refused("ClientException", "Fargate only supports network mode ‘awsvpc’."):
        register(ecs, networkMode=mode)


def test_host_and_container_port_must_match(ecs: Any) -> None:
    """awsvpc: hostPort is absent or equal to containerPort."""
    ports = [{"containerPort": 8501, "hostPort": 80}]
    message = "When networkMode=awsvpc, the host ports and container ports in port mappings must match."
    with refused("ClientException", message):
        container_of(ecs, portMappings=ports)


def test_ecr_images_need_an_execution_role(ecs: Any) -> None:
    """ClientException "Fargate requires task definition to have execution role ARN to support ECR images."."""
    message = "Fargate requires task definition to have execution role ARN to support ECR images."
    with refused("ClientException", message):
        register(ecs, containerDefinitions=[APP | {"image": ECR}])


def test_awslogs_needs_an_execution_role(ecs: Any) -> None:
    """ClientException "… to have execution role ARN to support log driver awslogs."."""
    message = "Fargate requires task definition to have execution role ARN to support log driver awslogs."
    logs = {"logDriver": "awslogs", "options": {"awslogs-group": "g", "awslogs-region": "us-east-2"}}
    with refused("ClientException", message):
        register(ecs, containerDefinitions=[APP | {"logConfiguration": logs}])


def test_secrets_need_an_execution_role(ecs: Any) -> None:
    """ClientException "When you are specifying container secrets, you must also specify … 'executionRoleArn'."."""
    message = (
        "When you are specifying container secrets, you must also specify a value for 'executionRoleArn'."
    )
    with refused("ClientException", message):
        register(ecs, containerDefinitions=[APP | {"secrets": [{"name": "K", "valueFrom": "k"}]}])


def test_a_role_must_look_like_one(ecs: Any) -> None:
    """ClientException "Role is not valid"."""
    with refused("ClientException", "Role is not valid"):
        register(ecs, executionRoleArn="arn:aws:iam::123456789012:user/somebody")


@pytest.mark.parametrize(
    ("containers", "message"),
    [
        ([], "Container list cannot be empty."),
        ([{"image": "nginx"}], "Container.name should not be null or empty."),
        ([{"name": "a b", "image": "nginx"}], "Container.name contains invalid characters."),
        ([{"name": "app"}], "Container.image should not be null or empty."),
        ([APP, APP], "Container.name contains duplicate"),
        ([APP | {"essential": False}], "at least one essential container"),
        ([APP | {"privileged": True}], "privileged"),
        ([APP | {"links": ["other"]}], "links"),
        ([APP | {"stopTimeout": 121}], "120"),
        ([APP | {"healthCheck": {"command": ["curl"]}}], "CMD"),
        ([APP | {"healthCheck": {"command": ["CMD", "true"], "interval": 4}}], "interval"),
        ([APP | {"dependsOn": [{"containerName": "b", "condition": "START"}]}], "depends on 'b'"),
        ([APP | {"dependsOn": [{"containerName": "app", "condition": "START"}]}], "Circular"),
        ([APP | {"dependsOn": [{"containerName": "app", "condition": "HEALTHY"}]}], "health check"),
    ],
)
def test_containers_that_are_refused(ecs: Any, containers: list[dict[str, Any]], message: str) -> None:
    """ClientException for container definitions that cannot run on Fargate."""
    with refused("ClientException", message):
        register(ecs, containerDefinitions=containers)


NAMED = {"environment": [{"name": "DB_USER", "value": "x"}]}
SECRET = {"secrets": [{"name": "DB_USER", "valueFrom": "db-user"}]}
SHARED = (
    "The secret name must be unique and not shared with any new or existing environment variables set on the "
    "container, such as 'DB_USER'."
)
CPU_SUM = "The sum of all container 'cpu' values cannot be greater than the value of the task 'cpu'."
OTHER = APP | {"name": "other"}
SIZED = [
    ([APP | NAMED | SECRET], SHARED),
    ([APP | {"secrets": SECRET["secrets"] * 2}], SHARED),
    ([APP | {"memory": 513}], "The 'memory' setting for container 'app' is greater than for the task."),
    (
        [APP | {"memoryReservation": 513}],
        "The 'memory' setting for container 'app' is greater than for the task.",
    ),
    ([APP | {"cpu": 257}], CPU_SUM),
    ([APP | {"cpu": 128}, OTHER | {"cpu": 129}], CPU_SUM),
    ([APP | {"memory": 256}, OTHER | {"memory": 257}], "The sum of all container 'memory' values"),
    ([APP | {"memory": 100, "memoryReservation": 101}], "'memory' must be greater than 'memoryReservation'"),
    ([APP | {"cpu": -1}], "Invalid setting for container 'app'"),
    ([APP | {"environment": [{"name": "", "value": "x"}]}], "name '' is not valid"),
    ([APP | {"environment": [{"name": "A=B", "value": "x"}]}], "name 'A=B' is not valid"),
    ([APP | {"secrets": [{"name": "A=B", "valueFrom": "x"}]}], "name 'A=B' is not valid"),
]


@pytest.mark.parametrize(("containers", "message"), SIZED)
def test_what_containers_have_of_their_task(ecs: Any, containers: list[dict[str, Any]], message: str) -> None:
    """Secrets: dagster-io/dagster, issue 11622. Memory: "The 'memory' setting for container 'worker' is greater than
    for the task." (pulumi/pulumi-awsx, issue 1220). CPU: aws/aws-cdk, issue 1553. ContainerDefinition (API): "The total
    amount of memory reserved for all containers within a task must be lower than the task memory value", "memory must
    be greater than memoryReservation"; these two texts, and those of names, are not known.
    """
    with refused("ClientException", message):
        register(ecs, containerDefinitions=containers, executionRoleArn=ROLE)


def test_containers_that_share_all_of_a_task(ecs: Any) -> None:
    """What is exactly the task's is taken; of a container with both, the reservation counts."""
    sized = {"cpu": 128, "memory": 512, "memoryReservation": 256}
    made = register(ecs, containerDefinitions=[APP | sized, OTHER | sized | NAMED])
    assert len(made["containerDefinitions"]) == 2


def test_memory_is_needed_somewhere(ecs: Any) -> None:
    """ "Invalid setting for container 'xxxx'. At least one of 'memory' or 'memoryReservation' must be specified."
    (aws/aws-cli, issue 4453).
    """
    message = "Invalid setting for container 'app'. At least one of 'memory' or 'memoryReservation' must be specified."
    with refused("ClientException", message):
        register(ecs, memory=None, cpu=None, requiresCompatibilities=["EC2"])


@pytest.mark.parametrize("family", ["a b", "x" * 256, "a.b"])
def test_a_family_has_letters_digits_dashes_and_underscores(ecs: Any, family: str) -> None:
    """RegisterTaskDefinition family: up to 255 letters, numbers, underscores and hyphens."""
    with refused("ClientException", "Family contains invalid characters."):
        register(ecs, family=family)


def test_defaults_are_filled_into_what_is_echoed(ecs: Any) -> None:
    """DescribeTaskDefinition shows cpu 0, essential true and empty lists that nobody sent."""
    register(ecs, containerDefinitions=[APP | {"portMappings": [{"containerPort": 8501}]}])
    seen = ecs.describe_task_definition(taskDefinition="f:1")["taskDefinition"]
    assert seen["containerDefinitions"] == [
        {
            "name": "app",
            "image": "nginx",
            "cpu": 0,
            "essential": True,
            "portMappings": [{"containerPort": 8501, "hostPort": 8501, "protocol": "tcp"}],
            "environment": [],
            "mountPoints": [],
            "volumesFrom": [],
            "systemControls": [],
        }
    ]
    assert (seen["volumes"], seen["placementConstraints"]) == ([], [])


def test_health_check_defaults(ecs: Any) -> None:
    """API Reference, HealthCheck: interval 30, timeout 5, retries 3."""
    check = container_of(ecs, healthCheck={"command": ["CMD-SHELL", "true"]})["healthCheck"]
    assert check == {"command": ["CMD-SHELL", "true"], "interval": 30, "timeout": 5, "retries": 3}


def test_what_describe_adds(ecs: Any) -> None:
    """TaskDefinition: status, revision, compatibilities, registeredAt, registeredBy, requiresAttributes."""
    made = register(ecs, containerDefinitions=[APP | {"image": ECR}], executionRoleArn=ROLE)
    assert made["taskDefinitionArn"] == "arn:aws:ecs:us-east-2:123456789012:task-definition/f:1"
    assert (made["status"], made["revision"]) == ("ACTIVE", 1)
    assert made["compatibilities"] == ["EC2", "FARGATE"]
    assert made["requiresCompatibilities"] == ["FARGATE"]
    assert made["registeredAt"].timestamp() > 0
    assert made["registeredBy"].startswith("arn:aws:iam::123456789012:")
    attributes = {attribute["name"] for attribute in made["requiresAttributes"]}
    assert "ecs.capability.execution-role-ecr-pull" in attributes
    assert "ecs.capability.task-eni" in attributes


def test_every_registration_is_a_new_revision(ecs: Any) -> None:
    """RegisterTaskDefinition is not idempotent, even for identical content."""
    assert [register(ecs)["revision"] for _ in range(3)] == [1, 2, 3]


def test_tags_are_at_the_top_level_and_only_when_included(ecs: Any) -> None:
    """DescribeTaskDefinition include TAGS: ``tags`` beside ``taskDefinition``, not in it."""
    tags = [{"key": "k", "value": "v"}]
    made = ecs.register_task_definition(**given(tags=tags))
    assert made["tags"] == tags
    assert "tags" not in made["taskDefinition"]
    assert "tags" not in ecs.describe_task_definition(taskDefinition="f")
    assert ecs.describe_task_definition(taskDefinition="f", include=["TAGS"])["tags"] == tags


def test_a_family_means_its_latest_active_revision(ecs: Any) -> None:
    """DescribeTaskDefinition: "The family for the latest ACTIVE revision"."""
    for _ in range(3):
        register(ecs)
    ecs.deregister_task_definition(taskDefinition="f:3")
    assert ecs.describe_task_definition(taskDefinition="f")["taskDefinition"]["revision"] == 2


def test_a_deregistered_revision_is_inactive_and_still_described(ecs: Any) -> None:
    """DeregisterTaskDefinition: INACTIVE, with deregisteredAt; "can be discovered in your account indefinitely"."""
    arn = register(ecs)["taskDefinitionArn"]
    gone = ecs.deregister_task_definition(taskDefinition=arn)["taskDefinition"]
    assert gone["status"] == "INACTIVE"
    assert "deregisteredAt" in gone
    assert ecs.describe_task_definition(taskDefinition=arn)["taskDefinition"]["status"] == "INACTIVE"


def test_absent_definitions(ecs: Any) -> None:
    """DescribeTaskDefinition: ClientException "Unable to describe task definition."."""
    for name in ("nowhere", "nowhere:1"):
        with refused("ClientException", "Unable to describe task definition."):
            ecs.describe_task_definition(taskDefinition=name)
    with refused("InvalidParameterException", "Invalid revision number. Number: latest"):
        ecs.describe_task_definition(taskDefinition="nowhere:latest")


def test_definitions_are_listed_by_whole_family_name(ecs: Any) -> None:
    """ListTaskDefinitions familyPrefix: "The full family name"; ACTIVE and ascending unless asked otherwise."""
    for family in ("app", "app", "app-two"):
        register(ecs, family=family)
    ecs.deregister_task_definition(taskDefinition="app:1")

    def names(**query: Any) -> list[str]:
        arns = ecs.list_task_definitions(**query)["taskDefinitionArns"]
        return [arn.split("/")[-1] for arn in arns]

    assert names() == ["app:2", "app-two:1"]
    assert names(familyPrefix="app") == ["app:2"]
    assert names(familyPrefix="app", status="INACTIVE") == ["app:1"]
    assert names(sort="DESC") == ["app-two:1", "app:2"]


def test_definitions_are_listed_in_pages(ecs: Any) -> None:
    """ListTaskDefinitions: maxResults and nextToken."""
    for _ in range(5):
        register(ecs)
    pages = list(ecs.get_paginator("list_task_definitions").paginate(PaginationConfig={"PageSize": 2}))
    assert [len(page["taskDefinitionArns"]) for page in pages] == [2, 2, 1]


def test_families(ecs: Any) -> None:
    """ListTaskDefinitionFamilies: by prefix, and by whether a revision is ACTIVE."""
    for family in ("app", "app-two", "other"):
        register(ecs, family=family)
    ecs.deregister_task_definition(taskDefinition="app:1")

    def families(**query: Any) -> list[str]:
        return list(ecs.list_task_definition_families(**query)["families"])

    assert families(familyPrefix="app") == ["app", "app-two"]
    assert families(status="ACTIVE") == ["app-two", "other"]
    assert families(status="INACTIVE") == ["app"]


def test_only_inactive_definitions_can_be_deleted(ecs: Any) -> None:
    """DeleteTaskDefinitions: an ACTIVE one is a failure; an INACTIVE one becomes DELETE_IN_PROGRESS."""
    for _ in range(2):
        register(ecs)
    ecs.deregister_task_definition(taskDefinition="f:1")
    answer = ecs.delete_task_definitions(taskDefinitions=["f:1", "f:2"])
    assert [one["status"] for one in answer["taskDefinitions"]] == ["DELETE_IN_PROGRESS"]
    assert "still in ACTIVE status" in answer["failures"][0]["reason"]


def test_deregistering_needs_a_revision(ecs: Any) -> None:
    """DeregisterTaskDefinition: "You must specify a revision"."""
    register(ecs)
    with refused("ClientException", "Revision is missing."):
        ecs.deregister_task_definition(taskDefinition="f")
