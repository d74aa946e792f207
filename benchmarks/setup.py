"""``inv setup-fargate`` from nothing against the same resources made with the AWS CLI, in one run."""

from __future__ import annotations

import json
import shlex
import subprocess
from collections.abc import Callable, Iterator
from typing import Any

from lobster_tasks import stack
from lobster_tasks.settings import load
from lobster_tasks.templates import role_policies, task_definition, trust_policy

from .common import BIN, control, embedded_aws, environment, median, reset, run, seconds

_RUNS = 3
_LATENCY = 0.1
_ACCOUNT = "123456789012"
_INV = [str(BIN / "inv"), "setup-fargate"]


def figures() -> Iterator[str]:
    """First run, CLI sequence, second run, and the first run with 100 ms added to every call."""
    with embedded_aws() as url:
        first, second, cli = [], [], []
        for _ in range(_RUNS):
            reset(url)
            cli.append(seconds(lambda: aws_cli(url)))
            reset(url)
            first.append(seconds(lambda: run(_INV, url)))
            second.append(seconds(lambda: run(_INV, url)))
        mutating = _mutating_calls_of_a_second_run(url)
        yield (
            f"setup-fargate from nothing {median(first):.1f} s, the AWS CLI {median(cli):.1f} s: "
            f"{median(cli) / median(first):.1f} × faster (aim 10)"
        )
        yield f"a second run {median(second):.1f} s (aim 3), {mutating} mutating calls (aim 0)"
        yield _with_latency(url)


def _mutating_calls_of_a_second_run(url: str) -> int:
    control.delete(f"{url}/_embedded/calls", timeout=10)
    run(_INV, url)
    calls = control.get(f"{url}/_embedded/calls", timeout=10).json()
    return sum(bool(call["mutating"]) for call in calls)


def _with_latency(url: str) -> str:
    """What 100 ms a call add, against the critical path of the calls that were made."""
    reset(url)
    plain = seconds(lambda: run(_INV, url))
    reset(url)
    control.post(f"{url}/_embedded/latency", json={"seconds": _LATENCY}, timeout=10).raise_for_status()
    slow = seconds(lambda: run(_INV, url))
    control.post(f"{url}/_embedded/latency", json={"seconds": 0}, timeout=10).raise_for_status()
    path = critical_path()
    return (
        f"with 100 ms on every call {slow:.1f} s; start-up and work {plain:.1f} s, critical path {path} calls = "
        f"{path * _LATENCY:.1f} s: {(slow - plain) / (path * _LATENCY):.2f} × (aim 1.5)"
    )


def critical_path() -> int:
    """Calls on the longest chain of the dependency graph: identity, then read, make and read again."""
    resources = stack.build(load({}), _ACCOUNT).resources
    return 1 + sum(_longest(resources, calls) for calls in (_READ_ABSENT, _MAKE, _READ))


# Calls that each resource takes one after the other: to find out that it is not there, to make it, to read it.
_READ_ABSENT = {"network": 2}
_MAKE = {"network": 0, "service": 1, "cluster": 1, "listener": 1}
_READ = {
    "network": 2,
    "role": 2,
    "repository": 3,
    "load balancer": 3,
    "target group": 3,
    "service": 1,
    "cluster": 1,
}


def _longest(resources: tuple[stack.Resource, ...], calls: dict[str, int]) -> int:
    lengths: dict[stack.Resource, int] = {}
    for each in resources:
        before = max((lengths[needed] for needed in each.dependencies), default=0)
        lengths[each] = before + calls.get(each.kind, 1 if calls is _READ_ABSENT else 2)
    return max(lengths.values())


def aws_cli(url: str) -> None:
    """The plan's shell script as it would have to be: the same resources, one CLI call after the other.

    Like the script, it asks whether each is there before it makes it; unlike it, it makes load balancer and service.
    """

    def aws(words: str) -> Any:
        command = [str(BIN / "aws"), "--region", "us-east-2", *shlex.split(words)]
        done = subprocess.run(command, check=True, env=environment(url), capture_output=True, text=True)
        return json.loads(done.stdout) if done.stdout.strip() else None

    for question in _IS_IT_THERE:  # as the script asked before each resource; a refusal is the answer no
        command = [str(BIN / "aws"), "--region", "us-east-2", *shlex.split(question)]
        subprocess.run(command, check=False, env=environment(url), capture_output=True)
    _cli_roles_logs_and_images(aws)
    vpc = aws("ec2 describe-vpcs --filters Name=is-default,Values=true")["Vpcs"][0]["VpcId"]
    found = aws(f"ec2 describe-subnets --filters Name=vpc-id,Values={vpc}")["Subnets"]
    subnets = [subnet["SubnetId"] for subnet in found[:2]]
    balancers, tasks = (_cli_group(aws, name, vpc) for name in ("lobster-alb-sg", "lobster-ecs-sg"))
    ingress = "ec2 authorize-security-group-ingress --protocol tcp"
    aws(f"{ingress} --group-id {balancers} --port 80 --cidr 0.0.0.0/0")
    aws(f"{ingress} --group-id {tasks} --port 8501 --source-group {balancers}")
    target_group = _cli_load_balancer(aws, vpc, subnets, balancers)
    aws("ecs create-cluster --cluster-name lobster-cluster")
    definition = shlex.quote(json.dumps(task_definition(load({}), _ACCOUNT, "aws", "homara:none")))
    aws(f"ecs register-task-definition --cli-input-json {definition}")
    aws(
        "ecs create-service --cluster lobster-cluster --service-name lobster-streamlit-service"
        " --task-definition lobster-streamlit-task --launch-type FARGATE --desired-count 0"
        f" --network-configuration 'awsvpcConfiguration={{subnets=[{','.join(subnets)}],"
        f"securityGroups=[{tasks}],assignPublicIp=ENABLED}}'"
        f" --load-balancers targetGroupArn={target_group},containerName=lobster-streamlit,containerPort=8501"
    )


Cli = Callable[[str], Any]

_IS_IT_THERE = (
    "iam get-role --role-name ecsTaskExecutionRole",
    "iam get-role --role-name ecsTaskRole",
    "logs describe-log-groups --log-group-name-prefix /ecs/lobster-streamlit",
    "ecr describe-repositories --repository-names homara",
    "ec2 describe-security-groups --filters Name=group-name,Values=lobster-alb-sg",
    "ec2 describe-security-groups --filters Name=group-name,Values=lobster-ecs-sg",
    "elbv2 describe-load-balancers --names lobster-alb",
    "elbv2 describe-target-groups --names lobster-tg",
    "ecs describe-clusters --clusters lobster-cluster",
    "ecs describe-services --cluster lobster-cluster --services lobster-streamlit-service",
)


def _cli_roles_logs_and_images(aws: Cli) -> None:
    trust = shlex.quote(json.dumps(trust_policy(load({}), _ACCOUNT, "aws")))
    policy = shlex.quote(json.dumps(role_policies(load({}), _ACCOUNT, "aws")["execution"]))
    for role in ("ecsTaskExecutionRole", "ecsTaskRole"):
        aws(f"iam create-role --role-name {role} --assume-role-policy-document {trust}")
    aws(f"iam put-role-policy --role-name ecsTaskExecutionRole --policy-name p --policy-document {policy}")
    aws("logs create-log-group --log-group-name /ecs/lobster-streamlit")
    aws("logs put-retention-policy --log-group-name /ecs/lobster-streamlit --retention-in-days 30")
    aws("ecr create-repository --repository-name homara --image-scanning-configuration scanOnPush=true")


def _cli_group(aws: Cli, name: str, vpc: str) -> str:
    made = aws(f"ec2 create-security-group --group-name {name} --description {name} --vpc-id {vpc}")
    return str(made["GroupId"])


def _cli_load_balancer(aws: Cli, vpc: str, subnets: list[str], group: str) -> str:
    subnet_words = " ".join(subnets)
    made = aws(
        f"elbv2 create-load-balancer --name lobster-alb --subnets {subnet_words} --security-groups {group}"
    )
    balancer = made["LoadBalancers"][0]["LoadBalancerArn"]
    aws(
        f"elbv2 modify-load-balancer-attributes --load-balancer-arn {balancer}"
        " --attributes Key=idle_timeout.timeout_seconds,Value=300"
    )
    made = aws(
        f"elbv2 create-target-group --name lobster-tg --protocol HTTP --port 8501 --target-type ip --vpc-id {vpc}"
        " --health-check-path /_stcore/health --health-check-interval-seconds 5 --health-check-timeout-seconds 4"
    )
    target_group = str(made["TargetGroups"][0]["TargetGroupArn"])
    aws(
        f"elbv2 modify-target-group-attributes --target-group-arn {target_group}"
        " --attributes Key=deregistration_delay.timeout_seconds,Value=30"
    )
    aws(
        f"elbv2 create-listener --load-balancer-arn {balancer} --protocol HTTP --port 80"
        f" --default-actions Type=forward,TargetGroupArn={target_group}"
    )
    return target_group
