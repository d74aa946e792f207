"""How tasks and deployments fail, told by ECS and Elastic Load Balancing together, and how the API may lag behind.

Developer Guide: "Resolve Amazon ECS stopped task errors", "Viewing Amazon ECS service event messages", "How the
Amazon ECS deployment circuit breaker detects failures".
"""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import boto3
import pytest
import requests
from botocore.config import Config
from botocore.exceptions import ClientError

from tests.embedded.ecs_stack import PORT, Stack
from tests.embedded.images import ImageSpec, web_app
from tests.embedded_process import EmbeddedProcess, eventually

REGION = "us-east-2"
ROLLBACK = {"deploymentCircuitBreaker": {"enable": True, "rollback": True}}


def version(stack: Stack, name: str, **environment: str) -> str:
    """Register a task definition whose app answers ``name``."""
    image = stack.image(web_app(VERSION=name, **environment), tag=name)
    return stack.definition(stack.container(image))


# What health checks find

CASES = {
    "not-found": ({"HEALTH_STATUS": "404"}, {}, "Health checks failed with these codes: [404]"),
    "error": ({"HEALTH_STATUS": "500"}, {}, "Health checks failed with these codes: [500]"),
    "slow": ({}, {"HealthCheckPath": "/slow?seconds=6"}, "Request timed out"),
    "hanging": ({}, {"HealthCheckPath": "/slow?seconds=1000"}, "Request timed out"),
    "wrong-port": ({"PORT": "9000"}, {}, "Health checks failed"),
    "own-address-only": ({"BIND": "127.0.0.1"}, {}, "Health checks failed"),
    "walled-off": ({}, {}, "Request timed out"),
}
"""By name: the app's environment, the target group's settings, what ECS tells."""


def test_why_a_target_is_unhealthy(stack: Stack) -> None:
    """Event "(service …) (task …) (port 8501) is unhealthy in (target-group …) due to (reason …).", and stoppedReason
    "Task failed ELB health checks in (target-group …)", ServiceSchedulerInitiated: wrong path, error, slow, hanging,
    wrong port, bound to 127.0.0.1, a security group in the way.
    """
    groups = {name: serve(stack, number, name) for number, name in enumerate(CASES)}
    for name, group in groups.items():
        eventually(lambda name=name: stack.tasks(name, "STOPPED"))
        ended = stack.last_stopped(name)
        identifier = ended["taskArn"].rsplit("/", 1)[-1]
        assert (ended["stopCode"], ended["stoppedReason"]) == (
            "ServiceSchedulerInitiated",
            f"Task failed ELB health checks in (target-group {group})",
        )
        told = (
            f"(service {name}) (task {identifier}) (port {PORT}) is unhealthy in (target-group {group}) "
            f"due to (reason {CASES[name][2]})."
        )
        assert told in stack.messages(name), name


def serve(stack: Stack, number: int, name: str) -> str:
    """A service of a case behind a listener of its own; its target group."""
    environment, settings, _ = CASES[name]
    group = stack.target_group(name, **settings)
    stack.listener(group, 8000 + number)
    closed = stack.ec2.create_security_group(GroupName=name, Description=name, VpcId=stack.vpc)["GroupId"]
    groups = [closed if name == "walled-off" else stack.group]
    config = {"subnets": stack.subnets, "securityGroups": groups, "assignPublicIp": "ENABLED"}
    variables = [{"name": key, "value": value} for key, value in environment.items()]
    stack.service(
        stack.definition(stack.container(stack.app, environment=variables), family=name),
        name,
        loadBalancers=[{"targetGroupArn": group, "containerName": "app", "containerPort": PORT}],
        networkConfiguration={"awsvpcConfiguration": config},
    )
    return group


def test_a_container_that_fails_its_own_check_later(stack: Stack) -> None:
    """ "(task …) failed container health checks.", of a task that was HEALTHY; another one takes its place."""
    ask = "python -c \"import urllib.request as u; u.urlopen('http://127.0.0.1:8501/health')\""
    check = {"command": ["CMD-SHELL", ask], "interval": 5, "retries": 2}
    group = stack.target_group(HealthCheckPath="/")
    stack.listener(group)
    balancers = [{"targetGroupArn": group, "containerName": "app", "containerPort": PORT}]
    definition = stack.definition(stack.container(stack.app, healthCheck=check))
    stack.service(definition, loadBalancers=balancers)
    stack.completed()
    task = stack.tasks("s")[0]
    assert task["healthStatus"] == "HEALTHY"
    stack.get("/set-health?status=500")
    eventually(lambda: stack.task(task["taskArn"])["desiredStatus"] == "STOPPED")
    assert stack.task(task["taskArn"])["stoppedReason"] == "Task failed container health checks"
    identifier = task["taskArn"].rsplit("/", 1)[-1]
    assert f"(service s) (task {identifier}) failed container health checks." in stack.messages()
    assert stack.get("/health").status_code == 200  # the new one was there before
    assert stack.describe()["deployments"][0]["rolloutState"] == "COMPLETED"


# How programs end

SEGFAULT = "import ctypes; ctypes.string_at(0)"
KILLED = "import os; os.kill(os.getpid(), 9)"
ENDS = {
    1: ["sh", "-c", "exit 1"],
    126: ["sh", "-c", "/app/main.py"],
    127: ["sh", "-c", "no-such-program"],
    137: ["sh", "-c", f"python -c '{KILLED}'; exit $?"],
    139: ["python", "-c", SEGFAULT],
    143: ["sh", "-c", "sleep 60 & kill $!; wait $!"],
    255: ["sh", "-c", "exit 255"],
}


def test_exit_codes(stack: Stack) -> None:
    """EssentialContainerExited, "Essential container in task exited", exitCode as docker has it: 126 not executable,
    127 not found, 128 and the signal's number where one ended it.
    """
    image = stack.image(ImageSpec({"/app/main.py": "pass"}, ["python", "main.py"]), "ends")
    arns = {
        code: stack.run(stack.definition(stack.container(image, command=command), family=f"ends-{code}"))
        for code, command in ENDS.items()
    }
    for code, started in arns.items():
        task = stack.reaches(started["taskArn"], "STOPPED")
        assert task["containers"][0]["exitCode"] == code
        assert (task["stopCode"], task["stoppedReason"]) == (
            "EssentialContainerExited",
            "Essential container in task exited",
        )


def test_containers_share_the_tasks_memory(stack: Stack) -> None:
    """Task size memory: "a hard limit" for all containers together; here 150 MiB and 400 MiB of 512. What holds most
    is killed: "OutOfMemoryError: Container killed due to memory usage", exit code 137.
    """
    small = {"environment": [{"name": "EAT_MIB", "value": "150"}, {"name": "PORT", "value": "9000"}]}
    app = stack.container(stack.app, **small)
    side = stack.container(stack.app, "side", portMappings=[])
    side["environment"] = [{"name": "EAT_MIB", "value": "400"}]
    task = stack.reaches(stack.run(stack.definition(app, side))["taskArn"], "STOPPED")
    ended = {one["name"]: one for one in task["containers"]}
    assert ended["side"]["exitCode"] == 137
    assert ended["side"]["reason"] == "OutOfMemoryError: Container killed due to memory usage"
    assert "reason" not in ended["app"]


def test_out_of_memory_later_in_a_service(stack: Stack) -> None:
    """A task that grows beyond its limit while it serves: killed, told as such, replaced."""
    stack.service(version(stack, "one"), loadBalancers=stack.balanced)
    stack.completed()
    arn = stack.tasks("s")[0]["taskArn"]
    with suppress(requests.ConnectionError):  # it may still answer, or not
        stack.get("/eat?mib=600")
    task = stack.reaches(arn, "STOPPED")
    assert task["stopCode"] == "EssentialContainerExited"
    assert task["containers"][0]["reason"] == "OutOfMemoryError: Container killed due to memory usage"
    eventually(lambda: stack.describe()["runningCount"] == 1)


# Roles that are on their way


def test_a_role_that_was_just_made_heals_by_itself(aws: EmbeddedProcess) -> None:
    """ "ECS was unable to assume the role …" for a while after CreateRole; ECS tries again, and the deployment
    succeeds: the circuit breaker gives it a minute.
    """
    stack = Stack(aws)
    aws.order({"role_propagation_seconds": 58})
    container = stack.container(stack.app)
    assert stack.cluster
    role = stack.role("fresh", policies=["arn:aws:iam::aws:policy/AdministratorAccess"])
    stack.service(stack.definition(container, executionRoleArn=role), deploymentConfiguration=ROLLBACK)
    error = f"service s failed to launch a task with (error ECS was unable to assume the role '{role}'"
    eventually(lambda: any(message.startswith(error) for message in stack.messages()))
    stack.completed()
    assert [one["status"] for one in stack.deployments()] == ["SUCCESSFUL"]


# Deployments


def test_a_rollback_may_fail_too(stack: Stack) -> None:
    """ROLLBACK_FAILED when the tasks of the earlier revision fail as well: here its image is gone."""
    config = {**ROLLBACK, "minimumHealthyPercent": 0, "maximumPercent": 100}
    stack.service(version(stack, "one"), deploymentConfiguration=config)
    stack.completed()
    stack.aws.client("ecr").batch_delete_image(repositoryName="homara", imageIds=[{"imageTag": "one"}])
    stack.update(taskDefinition=version(stack, "crash", EXIT_CODE="3"))
    eventually(lambda: stack.deployments()[0]["status"] == "ROLLBACK_FAILED")
    assert "startedAt" in stack.deployments()[0]["rollback"]


def test_failures_of_a_superseded_deployment_are_its_own(stack: Stack) -> None:
    """UpdateService during a failing deployment: that one is STOPPED and counts no further; the new one starts at 0."""
    breaker = {"enable": True, "rollback": True, "thresholdConfiguration": {"type": "COUNT", "value": 50}}
    config = {"deploymentCircuitBreaker": breaker}
    stack.service(version(stack, "one"), loadBalancers=stack.balanced, deploymentConfiguration=config)
    stack.completed()
    stack.update(taskDefinition=version(stack, "crash", EXIT_CODE="3"))
    eventually(lambda: stack.describe()["deployments"][0]["failedTasks"] >= 1)
    answer = stack.update(taskDefinition=version(stack, "two"))
    counted = stack.deployments()[1]["deploymentCircuitBreaker"]["failureCount"]
    assert counted >= 1
    assert answer["deployments"][0]["failedTasks"] == 0
    assert [one["status"] for one in answer["deployments"]] == ["PRIMARY", "ACTIVE", "ACTIVE"]
    stack.completed()
    newest, superseded, _ = stack.deployments()
    assert (newest["status"], newest["deploymentCircuitBreaker"]["failureCount"]) == ("SUCCESSFUL", 0)
    assert (superseded["status"], superseded["deploymentCircuitBreaker"]["failureCount"]) == (
        "STOPPED",
        counted,
    )
    assert "rollback" not in superseded


def test_no_address_left(stack: Stack) -> None:
    """ "Unexpected EC2 error while attempting to Create Network Interface …" when a subnet has no free address."""
    cidr = "172.31.250.0/28"
    small = stack.ec2.create_subnet(VpcId=stack.vpc, CidrBlock=cidr)["Subnet"]["SubnetId"]
    for _ in range(11):
        stack.ec2.create_network_interface(SubnetId=small)
    config = {"subnets": [small], "securityGroups": [stack.group], "assignPublicIp": "ENABLED"}
    stack.service(stack.definition(), networkConfiguration={"awsvpcConfiguration": config})
    ended = eventually(lambda: stack.tasks("s", "STOPPED"))[0]
    assert ended["stopCode"] == "TaskFailedToStart"
    head = "Unexpected EC2 error while attempting to Create Network Interface"
    assert ended["stoppedReason"].startswith(head)
    placed = f"(service s) was unable to place a task. Reason: {head}"
    eventually(lambda: any(message.startswith(placed) for message in stack.messages()))


LATE_CRASH = """
import os, sys, time
os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
for _ in range(11):
    if os.fork() == 0:
        while True: pass
while time.process_time() < 0.3: pass
sys.exit(3)
"""
"""Ends after 0.3 s of a processor that twelve share, which takes it some 4 s."""


@pytest.mark.skipif(not Path("/proc/self/schedstat").exists(), reason="the kernel does not tell who waits")
def test_a_crash_that_the_machine_delays_is_no_success(stack: Stack) -> None:
    """minimumHealthyPercent: a task without health checks counts as healthy 40 s after it is RUNNING. Here it runs for
    longer, and most of that it only waits for a processor.
    """
    image = stack.image(ImageSpec({"/app/main.py": LATE_CRASH}, ["python", "main.py"]), "late")
    stack.service(stack.definition(stack.container(image)))
    eventually(lambda: stack.tasks("s", "STOPPED"))
    assert stack.last_stopped()["containers"][0]["exitCode"] == 3
    assert stack.describe()["deployments"][0]["rolloutState"] == "IN_PROGRESS"


# What the API shows, and when


def test_events_may_arrive_late(stack: Stack) -> None:
    """ECS's events are eventually consistent: what is over may not be told yet; they keep their times."""
    stack.aws.order({"event_delay_seconds": 100000})
    stack.service(stack.definition(), loadBalancers=stack.balanced)
    stack.completed()
    assert stack.messages() == []
    completed_by = datetime.now(UTC)
    stack.aws.forgive()
    events = stack.describe()["events"]
    assert "has reached a steady state" in events[0]["message"]
    assert all(event["createdAt"] <= completed_by for event in events)
    stack.aws.order({"event_delay_seconds": 100})
    stack.update(desiredCount=0)
    eventually(lambda: any("has stopped 1 running tasks" in message for message in stack.messages()))


READS = {
    "ecs": ["DescribeServices", "DescribeTasks", "ListTasks", "DescribeServiceDeployments"],
    "elbv2": ["DescribeTargetHealth"],
    "logs": ["GetLogEvents"],
}


def test_reads_are_throttled_while_a_deployment_goes_on(stack: Stack) -> None:
    """ECS "ThrottlingException: Rate exceeded", Elastic Load Balancing "Throttling": refused is the call, not the work;
    a client in retry mode standard gets its answer.
    """
    patient = boto3.client(
        "ecs",
        REGION,
        endpoint_url=stack.aws.url,
        aws_access_key_id="x",
        aws_secret_access_key="y",
        config=Config(retries={"mode": "standard", "max_attempts": 8}),
    )
    stack.service(stack.definition(stack.container(stack.app, logConfiguration=stack.log_options())))
    every = {"throttle": True, "nth": [1, 2]}
    stack.aws.order(
        *({"service": s, "operation": name, **every} for s, names in READS.items() for name in names)
    )
    assert refusals(stack) == {
        "ecs": "ThrottlingException",
        "elbv2": "Throttling",
        "logs": "ThrottlingException",
    }
    patient.describe_services(cluster="c", services=["s"])
    patient.list_tasks(cluster="c")
    stack.aws.forgive()
    stack.completed()


def refusals(stack: Stack) -> dict[str, str]:
    """The code with which each service refuses."""
    calls = {
        "ecs": lambda: stack.ecs.describe_services(cluster="c", services=["s"]),
        "elbv2": lambda: stack.elb.describe_target_health(TargetGroupArn=stack.served_group),
        "logs": lambda: stack.aws.client("logs").get_log_events(logGroupName=stack.logs, logStreamName="x"),
    }
    return {service: refusal(call) for service, call in calls.items()}


def refusal(call: Any) -> str:
    """The code with which a call is refused."""
    with pytest.raises(ClientError) as error:
        call()
    assert error.value.response["Error"]["Message"] == "Rate exceeded"
    return str(error.value.response["Error"]["Code"])
