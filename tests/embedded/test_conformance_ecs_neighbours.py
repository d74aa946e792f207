"""ECS beside other services: auto scaling, tagging, what a task is told about itself, many clients at once."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import requests

from tests.embedded.ecs_stack import Stack
from tests.embedded.images import ImageSpec
from tests.embedded.refusals import refused
from tests.embedded_process import PATIENCE, eventually

TARGET = {
    "ServiceNamespace": "ecs",
    "ResourceId": "service/c/s",
    "ScalableDimension": "ecs:service:DesiredCount",
}


def test_a_scalable_target_needs_its_service(stack: Stack) -> None:
    """RegisterScalableTarget: ValidationException "ECS service doesn't exist: service/c/s"."""
    autoscaling = stack.aws.client("application-autoscaling")
    assert stack.cluster == "c"
    with refused("ValidationException", "ECS service doesn't exist: service/c/s"):
        autoscaling.register_scalable_target(**TARGET, MinCapacity=1, MaxCapacity=2)


def test_a_scalable_target_scales_into_its_bounds_at_once(stack: Stack) -> None:
    """RegisterScalableTarget: a desired count outside of MinCapacity and MaxCapacity is brought inside."""
    autoscaling = stack.aws.client("application-autoscaling")
    stack.service(stack.definition(), desired=0)
    autoscaling.register_scalable_target(**TARGET, MinCapacity=2, MaxCapacity=4)
    assert stack.describe()["desiredCount"] == 2
    eventually(lambda: stack.describe()["runningCount"] == 2)
    found = autoscaling.describe_scalable_targets(ServiceNamespace="ecs")["ScalableTargets"]
    assert [(one["MinCapacity"], one["MaxCapacity"]) for one in found] == [(2, 4)]


def test_resources_are_found_by_tag(stack: Stack) -> None:
    """GetResources (Resource Groups Tagging API) finds clusters, services, tasks and task definitions by tag."""
    tags = [{"key": "stack", "value": "x"}]
    stack.ecs.create_cluster(clusterName="c", tags=tags)
    definition = stack.definition(tags=tags)
    service = stack.service(definition, desired=0, tags=tags)["serviceArn"]
    tagging = stack.aws.client("resourcegroupstaggingapi")
    seen = tagging.get_resources(
        TagFilters=[{"Key": "stack", "Values": ["x"]}],
        ResourceTypeFilters=["ecs:cluster", "ecs:service", "ecs:task-definition"],
    )
    arns = {one["ResourceARN"] for one in seen["ResourceTagMappingList"]}
    assert arns == {"arn:aws:ecs:us-east-2:123456789012:cluster/c", service, definition}


def told(stack: Stack, code: str, **more: Any) -> Any:
    """What a program printed, as JSON, in a task of its own."""
    image = stack.image(ImageSpec({"/app/main.py": code}, ["python", "main.py"]), "tell")
    container = stack.container(image, logConfiguration=stack.log_options())
    arn = stack.run(stack.definition(container, **more))["taskArn"]
    stack.reaches(arn, "STOPPED")
    events = stack.aws.client("logs").filter_log_events(logGroupName=stack.logs)["events"]
    return arn, json.loads(events[0]["message"])


def test_a_task_is_told_about_itself(stack: Stack) -> None:
    """ECS_CONTAINER_METADATA_URI_V4: ``/task`` has TaskARN, Family and Revision; ``/`` the container."""
    code = (
        "import json, os, urllib.request as u\n"
        "base = os.environ['ECS_CONTAINER_METADATA_URI_V4']\n"
        "print(json.dumps([json.load(u.urlopen(base + tail)) for tail in ('', '/task')]))\n"
    )
    arn, (container, task) = told(stack, code)
    assert (task["TaskARN"], task["Family"], task["Revision"]) == (arn, "f", "1")
    assert (task["LaunchType"], task["Limits"]) == ("FARGATE", {"CPU": 0.25, "Memory": 512})
    assert container["Name"] == "app"
    assert container["Labels"]["com.amazonaws.ecs.task-arn"] == arn


def test_a_program_acts_as_the_task_role(stack: Stack) -> None:
    """Developer Guide, "Amazon ECS task IAM role": the SDKs find the task role's credentials by themselves."""
    code = (
        "import boto3, json\n"
        "identity = boto3.client('sts').get_caller_identity()\n"
        "print(json.dumps(identity['Arn']))\n"
    )
    arn, identity = told(stack, code, taskRoleArn=stack.role("app-role"))
    assert identity == f"arn:aws:sts::123456789012:assumed-role/app-role/{arn.split('/')[-1]}"


def test_a_task_without_a_role_gets_no_credentials(stack: Stack) -> None:
    """taskRoleArn absent: no AWS_CONTAINER_CREDENTIALS_… in the environment."""
    code = "import json, os; print(json.dumps([n for n in os.environ if 'CREDENTIALS' in n]))"
    assert told(stack, code)[1] == []
    assert (
        requests.get(f"{stack.aws.url}/_embedded/tasks/none/credentials", timeout=PATIENCE).status_code == 404
    )


def test_the_host_name_is_that_of_the_interface(stack: Stack) -> None:
    """On Fargate a container's host name is the private DNS name of its interface."""
    code = "import json, socket; print(json.dumps(socket.gethostname()))"
    arn, name = told(stack, code)
    details = {one["name"]: one["value"] for one in stack.task(arn)["attachments"][0]["details"]}
    assert name == details["privateDnsName"]


def test_sixteen_clients_at_once(stack: Stack) -> None:
    """Each registration is its own revision; of sixteen creations of one service, one wins."""
    definition = stack.definition()
    network = stack.network
    assert stack.cluster == "c"

    def work(_number: int) -> tuple[int, bool]:
        ecs = stack.aws.client("ecs")
        made = ecs.register_task_definition(
            family="many",
            requiresCompatibilities=["FARGATE"],
            networkMode="awsvpc",
            cpu="256",
            memory="512",
            containerDefinitions=[{"name": "app", "image": "nginx"}],
        )
        try:
            ecs.create_service(
                cluster="c",
                serviceName="one",
                taskDefinition=definition,
                desiredCount=0,
                launchType="FARGATE",
                networkConfiguration=network,
            )
        except ecs.exceptions.InvalidParameterException:
            return int(made["taskDefinition"]["revision"]), False
        return int(made["taskDefinition"]["revision"]), True

    with ThreadPoolExecutor(16) as pool:
        results = list(pool.map(work, range(16)))
    assert sorted(revision for revision, _ in results) == list(range(1, 17))
    assert sum(won for _, won in results) == 1


@pytest.mark.parametrize("region", ["us-east-2", "eu-west-1"])
def test_regions_are_apart(stack: Stack, region: str) -> None:
    """Clusters and task definitions belong to one account and region."""
    ecs = stack.aws.client("ecs", region)
    ecs.create_cluster(clusterName="c")
    assert ecs.list_clusters()["clusterArns"] == [f"arn:aws:ecs:{region}:123456789012:cluster/c"]
