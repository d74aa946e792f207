"""Tasks: their life, RunTask, StopTask, ListTasks, DescribeTasks (Developer Guide, "Amazon ECS task lifecycle")."""

from __future__ import annotations

from typing import Any

import pytest

from tests.embedded.ecs_stack import APP_RUNNER_TRUST, Stack
from tests.embedded.images import ImageSpec, web_app
from tests.embedded.refusals import refused
from tests.embedded_process import PATIENCE, control, eventually, start


def python(code: str) -> ImageSpec:
    """An image that runs a line of Python."""
    return ImageSpec({"/app/main.py": code}, ["python", "main.py"])


def definition(stack: Stack, **environment: str) -> str:
    """Register a definition of ``web_app`` with an environment; return its ARN."""
    variables = [{"name": name, "value": value} for name, value in environment.items()]
    return stack.definition(stack.container(stack.app, environment=variables))


def test_a_task_as_run_task_answers_it(stack: Stack) -> None:
    """RunTask: lastStatus PROVISIONING, desiredStatus RUNNING, group family:…, PENDING containers."""
    arn = definition(stack)
    task = stack.run(arn, startedBy="me", tags=[{"key": "k", "value": "v"}])
    assert (task["lastStatus"], task["desiredStatus"]) == ("PROVISIONING", "RUNNING")
    assert (task["group"], task["startedBy"], task["launchType"]) == ("family:f", "me", "FARGATE")
    assert task["taskDefinitionArn"] == arn
    assert (task["cpu"], task["memory"], task["platformVersion"]) == ("256", "512", "1.4.0")
    assert task["tags"] == [{"key": "k", "value": "v"}]
    container = task["containers"][0]
    assert (container["name"], container["lastStatus"]) == ("app", "PENDING")
    identifier = task["taskArn"].removeprefix("arn:aws:ecs:us-east-2:123456789012:task/c/")
    assert (len(identifier), identifier.isalnum()) == (32, True)


def test_a_task_that_was_just_made_has_its_zone_and_no_connection(stack: Stack) -> None:
    """The members of the CLI's recorded run-task of a Fargate task: availabilityZone, fargateEphemeralStorage beside
    ephemeralStorage, the attachment's subnet; connectivity comes with connectivityAt, as in describe-tasks.
    """
    task = stack.run(definition(stack))
    (attachment,) = task["attachments"]
    assert (attachment["status"], [one["name"] for one in attachment["details"]]) == (
        "PRECREATED",
        ["subnetId"],
    )
    assert task["fargateEphemeralStorage"] == task["ephemeralStorage"] == {"sizeInGiB": 20}
    assert not {"connectivity", "connectivityAt"} & task.keys()
    running = stack.reaches(task["taskArn"], "RUNNING")
    assert running["availabilityZone"] == task["availabilityZone"]
    assert (running["connectivity"], "connectivityAt" in running) == ("CONNECTED", True)
    details = {one["name"]: one["value"] for one in running["attachments"][0]["details"]}
    assert details["subnetId"] == attachment["details"][0]["value"]


def test_a_running_task_has_an_interface(stack: Stack) -> None:
    """Task attachments: ElasticNetworkInterface, ATTACHED, with subnet, address and interface ids."""
    task = stack.reaches(stack.run(definition(stack))["taskArn"], "RUNNING")
    attachment = task["attachments"][0]
    details = {one["name"]: one["value"] for one in attachment["details"]}
    assert (attachment["type"], attachment["status"]) == ("ElasticNetworkInterface", "ATTACHED")
    assert details["subnetId"] in stack.subnets
    interfaces = stack.ec2.describe_network_interfaces(NetworkInterfaceIds=[details["networkInterfaceId"]])
    interface = interfaces["NetworkInterfaces"][0]
    assert interface["PrivateIpAddress"] == details["privateIPv4Address"]
    assert interface["Status"] == "in-use"
    assert [group["GroupId"] for group in interface["Groups"]] == [stack.group]
    assert interface["Description"].startswith("arn:aws:ecs:us-east-2:123456789012:attachment/")
    assert "PublicIp" in interface["Association"]
    assert task["availabilityZone"] == interface["AvailabilityZone"]
    assert task["containers"][0]["networkInterfaces"] == [
        {"attachmentId": attachment["id"], "privateIpv4Address": details["privateIPv4Address"]}
    ]


def test_a_private_task_has_no_public_address(stack: Stack) -> None:
    """AwsVpcConfiguration assignPublicIp: "The default value is DISABLED"."""
    config = {"awsvpcConfiguration": {"subnets": stack.subnets, "securityGroups": [stack.group]}}
    answer = stack.ecs.run_task(
        cluster=stack.cluster,
        taskDefinition=definition(stack),
        launchType="FARGATE",
        networkConfiguration=config,
    )
    stack.reaches(answer["tasks"][0]["taskArn"], "PENDING")  # and no further: it reaches nothing
    assert "Association" not in stack.ec2.describe_network_interfaces()["NetworkInterfaces"][0]


def test_the_timestamps_of_a_running_task(stack: Stack) -> None:
    """Task: createdAt, connectivityAt, pullStartedAt, pullStoppedAt, startedAt, in this order."""
    task = stack.reaches(stack.run(definition(stack))["taskArn"], "RUNNING")
    names = ["createdAt", "connectivityAt", "pullStartedAt", "pullStoppedAt", "startedAt"]
    times = [task[name] for name in names]
    assert times == sorted(times)
    assert "stoppedAt" not in task


def test_a_running_container_as_described(stack: Stack) -> None:
    """Container: RUNNING, image as in the definition, imageDigest, runtimeId of the task."""
    task = stack.reaches(stack.run(definition(stack))["taskArn"], "RUNNING")
    container = task["containers"][0]
    assert (container["lastStatus"], container["healthStatus"]) == ("RUNNING", "UNKNOWN")
    assert container["image"] == stack.app
    assert container["imageDigest"].startswith("sha256:")
    assert container["runtimeId"].startswith(task["taskArn"].split("/")[-1])
    assert "exitCode" not in container


def test_a_stopped_task_as_described(stack: Stack) -> None:
    """StopTask: UserInitiated, "Task stopped by user", exit code of SIGTERM's handler; interface DELETED."""
    container = stack.container(stack.app, logConfiguration=stack.log_options())
    arn = stack.run(stack.definition(container))["taskArn"]
    logs = stack.aws.client("logs")
    eventually(lambda: "listening" in str(logs.filter_log_events(logGroupName=stack.logs)["events"]))
    stack.reaches(arn, "RUNNING")
    answer = stack.ecs.stop_task(cluster="c", task=arn)["task"]
    assert answer["desiredStatus"] == "STOPPED"
    task = stack.reaches(arn, "STOPPED")
    assert (task["stopCode"], task["stoppedReason"]) == ("UserInitiated", "Task stopped by user")
    assert (task["containers"][0]["exitCode"], task["containers"][0]["lastStatus"]) == (0, "STOPPED")
    times = [task[name] for name in ("stoppingAt", "executionStoppedAt", "stoppedAt")]
    assert times == sorted(times)
    assert task["attachments"][0]["status"] == "DELETED"
    assert stack.ec2.describe_network_interfaces()["NetworkInterfaces"] == []


def test_the_reason_of_the_user_is_kept(stack: Stack) -> None:
    """StopTask reason: "appears in subsequent DescribeTasks API operations on this task"."""
    arn = stack.run(definition(stack))["taskArn"]
    stack.ecs.stop_task(cluster="c", task=arn, reason="enough")
    assert stack.reaches(arn, "STOPPED")["stoppedReason"] == "enough"


def test_a_task_that_ends_by_itself(stack: Stack) -> None:
    """EssentialContainerExited, "Essential container in task exited", with the program's exit code."""
    task = stack.reaches(stack.run(definition(stack, EXIT_CODE="3"))["taskArn"], "STOPPED")
    assert task["stopCode"] == "EssentialContainerExited"
    assert task["stoppedReason"] == "Essential container in task exited"
    assert task["containers"][0]["exitCode"] == 3


def test_what_ignores_sigterm_is_killed(stack: Stack) -> None:
    """stopTimeout: SIGTERM, and SIGKILL after it; exit code 137."""
    app = stack.image(web_app(IGNORE_SIGTERM="1"), "stubborn")
    arn = stack.run(stack.definition(stack.container(app, stopTimeout=2)))["taskArn"]
    stack.reaches(arn, "RUNNING")
    stack.ecs.stop_task(cluster="c", task=arn)
    assert stack.reaches(arn, "STOPPED")["containers"][0]["exitCode"] == 137


def test_too_much_memory(stack: Stack) -> None:
    """ "OutOfMemoryError: Container killed due to memory usage", exit code 137."""
    arn = stack.run(definition(stack, EAT_MIB="600"))["taskArn"]
    container = stack.reaches(arn, "STOPPED")["containers"][0]
    assert container["exitCode"] == 137
    assert container["reason"].startswith("OutOfMemoryError: Container killed due to memory usage")


def test_a_killed_task(stack: Stack) -> None:
    """EssentialContainerExited with exit code 137 when the process is killed."""
    arn = stack.reaches(stack.run(definition(stack))["taskArn"], "RUNNING")["taskArn"]
    answer = control.post(f"{stack.aws.url}/_embedded/kill-task", json={"task": arn}, timeout=PATIENCE)
    assert answer.json() == {"killed": True}
    task = stack.reaches(arn, "STOPPED")
    assert (task["stopCode"], task["containers"][0]["exitCode"]) == ("EssentialContainerExited", 137)


def test_several_tasks_at_once(stack: Stack) -> None:
    """RunTask count: 1 to 10."""
    arn = definition(stack)
    assert len(stack.run(arn, count=1)) > 0
    answer = stack.ecs.run_task(
        cluster="c", taskDefinition=arn, launchType="FARGATE", networkConfiguration=stack.network, count=3
    )
    assert len(answer["tasks"]) == 3
    with refused("InvalidParameterException", "count"):
        stack.run(arn, count=11)


def test_overrides(stack: Stack) -> None:
    """RunTask overrides: command and environment of a container; an unknown container is refused."""
    arn = definition(stack, EXIT_CODE="1")
    override = {
        "name": "app",
        "command": ["python", "web_app.py"],
        "environment": [{"name": "EXIT_CODE", "value": "7"}],
    }
    task = stack.run(arn, overrides={"containerOverrides": [override]})
    assert task["overrides"]["containerOverrides"] == [override]
    assert stack.reaches(task["taskArn"], "STOPPED")["containers"][0]["exitCode"] == 7
    with refused("ClientException", "Override for container named other is not a container"):
        stack.run(arn, overrides={"containerOverrides": [{"name": "other"}]})


def test_several_containers_share_a_task(stack: Stack) -> None:
    """Containers of a task share its address and localhost."""
    client_code = (
        "import time, urllib.request as u\n"
        "for _ in range(100):\n"
        "    try:\n"
        "        print('got', u.urlopen('http://127.0.0.1:8501/').read().decode(), flush=True); break\n"
        "    except OSError: time.sleep(0.05)\n"
        "time.sleep(600)\n"
    )
    side = stack.container(
        stack.image(python(client_code), "side"),
        "side",
        portMappings=[],
        essential=False,
        logConfiguration=stack.log_options(),
    )
    arn = stack.run(stack.definition(stack.container(stack.app), side))["taskArn"]
    task = stack.reaches(arn, "RUNNING")
    assert {one["name"]: one["lastStatus"] for one in task["containers"]} == {
        "app": "RUNNING",
        "side": "RUNNING",
    }
    logs = stack.aws.client("logs")
    eventually(
        lambda: (
            [event["message"] for event in logs.filter_log_events(logGroupName=stack.logs)["events"]]
            == ["got web_app"]
        )
    )


def test_a_container_that_is_not_essential_may_end(stack: Stack) -> None:
    """essential false: "its failure doesn't affect the rest of the containers in a task"."""
    side = stack.container(stack.image(python("raise SystemExit(5)"), "side"), "side", essential=False)
    side["portMappings"] = []
    arn = stack.run(stack.definition(stack.container(stack.app), side))["taskArn"]

    def side_ended() -> bool:
        task = stack.task(arn)
        codes = {one["name"]: one.get("exitCode") for one in task["containers"]}
        return bool(task["lastStatus"] == "RUNNING" and codes == {"app": None, "side": 5})

    eventually(side_ended)


def test_an_essential_container_ends_the_others(stack: Stack) -> None:
    """essential: "if that container fails or stops for any reason, all other containers … are stopped"."""
    wait = "import socket, time\nwhile socket.socket().connect_ex(('127.0.0.1', 8501)): time.sleep(0.05)\n"
    side = stack.container(stack.image(python(wait), "side"), "side")
    side["portMappings"] = []
    arn = stack.run(stack.definition(stack.container(stack.app), side))["taskArn"]
    task = stack.reaches(arn, "STOPPED")
    assert task["stopCode"] == "EssentialContainerExited"
    assert {one["name"]: one["exitCode"] for one in task["containers"]} == {"app": 0, "side": 0}


def waiting(stack: Stack, condition: str, first: str, **more: Any) -> str:
    """Run a task whose ``app`` waits for a container ``first`` that runs this code; returns its ARN."""
    image = stack.image(python(first), "first")
    before = stack.container(image, "first", essential=False, portMappings=[], **more)
    depends = [{"containerName": "first", "condition": condition}]
    return str(stack.run(stack.definition(stack.container(stack.app, dependsOn=depends), before))["taskArn"])


def test_a_container_waits_for_another_to_succeed(stack: Stack) -> None:
    """dependsOn SUCCESS: "the same as COMPLETE, but it also requires that the container exits with a zero status"."""
    task = stack.reaches(waiting(stack, "SUCCESS", "import time; time.sleep(0.3)"), "RUNNING")
    codes = {one["name"]: one.get("exitCode") for one in task["containers"]}
    assert codes == {"app": None, "first": 0}


def test_a_container_whose_dependency_fails_never_starts(stack: Stack) -> None:
    """dependsOn SUCCESS of a container that exits with 4: TaskFailedToStart."""
    task = stack.reaches(waiting(stack, "SUCCESS", "raise SystemExit(4)"), "STOPPED")
    assert task["stopCode"] == "TaskFailedToStart"
    assert {one["name"]: one.get("exitCode") for one in task["containers"]} == {"app": None, "first": 4}


def test_a_container_waits_for_another_to_be_healthy(stack: Stack) -> None:
    """dependsOn HEALTHY: "validates that the dependent container passes its container health check"."""
    check = {"command": ["CMD", "python", "-c", "pass"], "interval": 5}
    task = stack.reaches(
        waiting(stack, "HEALTHY", "import time; time.sleep(60)", healthCheck=check), "RUNNING"
    )
    health = {one["name"]: one["healthStatus"] for one in task["containers"]}
    assert health == {"app": "UNKNOWN", "first": "HEALTHY"}


def test_what_the_embedded_aws_cannot_give_is_refused(stack: Stack) -> None:
    """File systems of EFS are not supported: the task says so instead of running without them."""
    mounts = [{"sourceVolume": "v", "containerPath": "/v"}]
    container = stack.container(stack.app, mountPoints=mounts)
    volume = {"name": "v", "efsVolumeConfiguration": {"fileSystemId": "fs-12345678"}}
    task = stack.reaches(stack.run(stack.definition(container, volumes=[volume]))["taskArn"], "STOPPED")
    assert "does not support efsVolumeConfiguration" in task["stoppedReason"]


def checked(stack: Stack, command: list[str], **environment: str) -> str:
    """Run a task whose container has a health check; returns its ARN."""
    image = stack.image(web_app(**environment), "checked")
    check = {"command": command, "interval": 5, "timeout": 2, "retries": 2}
    return str(stack.run(stack.definition(stack.container(image, healthCheck=check)))["taskArn"])


ASK = "python -c \"import urllib.request as u; u.urlopen('http://127.0.0.1:8501/health')\""


def test_a_container_health_check_that_passes(stack: Stack) -> None:
    """healthCheck CMD-SHELL: UNKNOWN, then HEALTHY, of the container and of the task."""
    arn = checked(stack, ["CMD-SHELL", ASK])
    task = eventually(lambda: stack.task(arn)["healthStatus"] == "HEALTHY" and stack.task(arn))
    assert task["containers"][0]["healthStatus"] == "HEALTHY"


def test_a_container_health_check_that_fails(stack: Stack) -> None:
    """healthCheck CMD: UNHEALTHY after ``retries`` failures in a row; RunTask's tasks go on all the same."""
    arn = checked(stack, ["CMD", "python", "-c", "raise SystemExit(1)"])
    eventually(lambda: stack.task(arn)["healthStatus"] == "UNHEALTHY")
    assert stack.task(arn)["lastStatus"] == "RUNNING"


def test_a_service_replaces_what_fails_its_container_health_check(stack: Stack) -> None:
    """stoppedReason "Task failed container health checks"; event "(task …) failed container health checks."."""
    check = {"command": ["CMD-SHELL", "exit 1"], "interval": 5, "retries": 1}
    stack.service(stack.definition(stack.container(stack.app, healthCheck=check)))
    eventually(lambda: stack.tasks("s", "STOPPED"))
    stopped = stack.last_stopped()
    assert stopped["stopCode"] == "ServiceSchedulerInitiated"
    assert stopped["stoppedReason"] == "Task failed container health checks"
    identifier = stopped["taskArn"].split("/")[-1]
    assert f"(service s) (task {identifier}) failed container health checks." in stack.messages()


def test_tasks_are_listed_by_what_is_asked(stack: Stack) -> None:
    """ListTasks: serviceName, family, startedBy, desiredStatus (RUNNING by default), in pages."""
    one = definition(stack)
    two = stack.definition(stack.container(stack.app), family="g")
    stack.service(one)
    stack.run(one, startedBy="me")
    stopped = stack.run(two)["taskArn"]
    stack.ecs.stop_task(cluster="c", task=stopped)
    eventually(lambda: stack.tasks("s"))

    def count(**query: Any) -> int:
        return len(stack.ecs.list_tasks(cluster="c", **query)["taskArns"])

    assert count() == 2
    assert count(serviceName="s") == 1
    assert count(family="f") == 2
    assert count(family="g") == 0
    assert count(startedBy="me") == 1
    assert stack.ecs.list_tasks(cluster="c", desiredStatus="STOPPED")["taskArns"] == [stopped]
    pages = stack.ecs.get_paginator("list_tasks").paginate(cluster="c", PaginationConfig={"PageSize": 1})
    assert [len(page["taskArns"]) for page in pages] == [1, 1]


def test_stopped_tasks_are_forgotten() -> None:
    """Developer Guide: "Stopped tasks … can be viewed for at least 1 hour": here for one."""
    with start(speed=3600, boot_allowance=2) as aws:
        stack = Stack(aws)
        stack.ecs.stop_task(cluster=stack.cluster, task=stack.run(definition(stack))["taskArn"])
        eventually(lambda: not stack.tasks(status="STOPPED"))
        assert stack.ecs.list_tasks(cluster="c")["taskArns"] == []


def test_absent_tasks(stack: Stack) -> None:
    """DescribeTasks: failures with MISSING; StopTask: "The referenced task was not found."."""
    seen = stack.ecs.describe_tasks(cluster=stack.cluster, tasks=["0" * 32])
    arn = f"arn:aws:ecs:us-east-2:123456789012:task/c/{'0' * 32}"
    assert seen["failures"] == [{"arn": arn, "reason": "MISSING"}]
    with refused("InvalidParameterException", "The referenced task was not found."):
        stack.ecs.stop_task(cluster="c", task="0" * 32)


def test_run_task_refuses_roles_that_ecs_cannot_assume(stack: Stack) -> None:
    """RunTask: ClientException "ECS was unable to assume the role '…' that was provided for this task. …"."""
    role = stack.role("of-app-runner", trust=APP_RUNNER_TRUST)
    with refused(
        "ClientException", f"ECS was unable to assume the role '{role}' that was provided for this task."
    ):
        stack.run(stack.definition(taskRoleArn=role))


@pytest.mark.parametrize("source", ["SERVICE", "TASK_DEFINITION", "NONE"])
def test_tags_are_propagated_to_tasks(stack: Stack, source: str) -> None:
    """CreateService propagateTags, and enableECSManagedTags: aws:ecs:clusterName and aws:ecs:serviceName."""
    arn = stack.definition(tags=[{"key": "from", "value": "TASK_DEFINITION"}])
    stack.service(
        arn,
        propagateTags=source,
        enableECSManagedTags=True,
        tags=[{"key": "from", "value": "SERVICE"}],
    )
    tags = {tag["key"]: tag["value"] for tag in eventually(lambda: stack.tasks("s"))[0]["tags"]}
    managed = {"aws:ecs:clusterName": "c", "aws:ecs:serviceName": "s"}
    assert tags == (managed | ({} if source == "NONE" else {"from": source}))


def test_tags_are_changed_and_listed(stack: Stack) -> None:
    """TagResource, UntagResource and ListTagsForResource of clusters, services, tasks and definitions."""
    definition_arn = definition(stack)
    service = stack.service(definition_arn)["serviceArn"]
    task = stack.run(definition_arn)["taskArn"]
    cluster = "arn:aws:ecs:us-east-2:123456789012:cluster/c"
    for arn in (cluster, service, task, definition_arn):
        stack.ecs.tag_resource(resourceArn=arn, tags=[{"key": "a", "value": "1"}, {"key": "b", "value": "2"}])
        stack.ecs.untag_resource(resourceArn=arn, tagKeys=["a"])
        assert stack.ecs.list_tags_for_resource(resourceArn=arn)["tags"] == [{"key": "b", "value": "2"}]


def test_tags_of_what_is_not_there(stack: Stack) -> None:
    """TagResource: an unknown resource, a bad ARN and a reserved key are refused."""
    tags = [{"key": "a", "value": "1"}]
    with refused("ServiceNotFoundException"):
        stack.ecs.tag_resource(
            resourceArn=f"arn:aws:ecs:us-east-2:123456789012:service/{stack.cluster}/nowhere", tags=tags
        )
    with refused("InvalidParameterException"):
        stack.ecs.tag_resource(resourceArn="nonsense", tags=tags)
    with refused("InvalidParameterException", "aws:"):
        stack.ecs.tag_resource(
            resourceArn="arn:aws:ecs:us-east-2:123456789012:cluster/c", tags=[{"key": "aws:x", "value": "1"}]
        )


@pytest.mark.parametrize("task", ["", "None", "0" * 31, "arn:aws:ecs:us-east-2:123456789012:task/c/None"])
def test_the_id_of_a_task_has_its_length(stack: Stack, task: str) -> None:
    """ "An error occurred (InvalidParameterException) when calling the DescribeTasks operation: taskId length should be
    one of [32,36]": the words are our own. StopTask has the same ids."""
    stack.ecs.describe_tasks(cluster=stack.cluster, tasks=["0" * 32, "0" * 36])
    for call in (
        lambda: stack.ecs.describe_tasks(cluster="c", tasks=[task]),
        lambda: stack.ecs.stop_task(cluster="c", task=task),
    ):
        with refused("InvalidParameterException", "taskId length should be one of [32,36]"):
            call()
