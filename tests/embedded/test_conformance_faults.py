"""Faults that are ordered, and the record of calls, one behaviour at a time (``embedded/faults.py``)."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError, ConnectionClosedError

from embedded_aws.kernel.faults import Faults
from embedded_aws.moto.wire import Call
from tests.embedded.ecs_stack import Stack
from tests.embedded_process import PATIENCE, EmbeddedProcess, control, eventually

TRUST = json.dumps(
    {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Principal": {"Service": "ecs-tasks.amazonaws.com"},
                "Action": "sts:AssumeRole",
            }
        ],
    }
)


@pytest.fixture
def order(aws: EmbeddedProcess) -> Callable[..., None]:
    """``order({…rule…})`` puts fault rules in force."""

    def post(*rules: dict[str, Any]) -> None:
        control.post(f"{aws.url}/_embedded/faults", json=list(rules), timeout=PATIENCE).raise_for_status()

    return post


def outcome(call: Callable[..., Any], **parameters: Any) -> str:
    """``ok``, or the code that the call is refused with."""
    try:
        call(**parameters)
    except ClientError as error:
        return str(error.response["Error"]["Code"])
    return "ok"


def listed(aws: EmbeddedProcess, what: str) -> list[dict[str, Any]]:
    """``GET /_embedded/<what>``."""
    found: list[dict[str, Any]] = control.get(f"{aws.url}/_embedded/{what}", timeout=PATIENCE).json()
    return found


SELECTIONS = [
    (None, "xxxxxx"),
    (2, ".x...."),
    ([2, 4], ".xxx.."),
    ({"every": 3}, "..x..x"),
]


@pytest.mark.parametrize(("nth", "hit"), SELECTIONS, ids=[str(n) for n, _ in SELECTIONS])
def test_the_kth_call_or_a_range_or_every_nth_is_hit(nth: Any, hit: str) -> None:
    faults = Faults()
    faults.add([{"throttle": True} if nth is None else {"throttle": True, "nth": nth}])
    seen = ["x" if faults.effects(Call("ecs", "ListClusters")) else "." for _ in range(6)]
    assert "".join(seen) == hit


MATCHES = [
    ({}, "ecs", "CreateService", True),
    ({"service": "ecs"}, "ecs", "CreateService", True),
    ({"service": "ecs"}, "ec2", "CreateService", False),
    ({"service": "elbv2"}, "elasticloadbalancing", "CreateRule", True),
    ({"operation": "Create*"}, "ecs", "CreateService", True),
    ({"operation": "Create*"}, "ecs", "DeleteService", False),
    ({"service": "e*", "operation": "*Service"}, "ecs", "DeleteService", True),
    ({"mutating": True}, "ecs", "DeleteService", True),
    ({"mutating": True}, "ecs", "DescribeServices", False),
    ({"mutating": False}, "ecs", "DescribeServices", True),
]


@pytest.mark.parametrize(("rule", "service", "operation", "hit"), MATCHES)
def test_rules_match_service_and_operation(rule: Any, service: str, operation: str, hit: bool) -> None:
    faults = Faults()
    faults.add([{**rule, "throttle": True}])
    assert bool(faults.effects(Call(service, operation))) is hit


@pytest.mark.parametrize(("moment", "made"), [("before", []), ("after", ["one"])])
def test_a_held_call_is_not_answered_until_the_rules_are_cleared(
    aws: EmbeddedProcess, order: Callable[..., None], moment: str, made: list[str]
) -> None:
    """So that a client can be killed at the very moment when its k-th call was done and it does not know."""
    order({"mutating": True, "nth": 1, "hold": moment})
    ended: list[str] = []

    def create() -> None:
        with pytest.raises(ConnectionClosedError):
            aws.client("ecs").create_cluster(clusterName="one")
        ended.append("cut")

    caller = threading.Thread(target=create)
    caller.start()
    eventually(lambda: listed(aws, "faults")[0]["held"])
    arns = aws.client("ecs").list_clusters()["clusterArns"]
    assert [arn.rpartition("/")[2] for arn in arns] == made
    assert not ended
    control.delete(f"{aws.url}/_embedded/faults", timeout=PATIENCE).raise_for_status()
    caller.join(30)
    assert ended == ["cut"]


def test_an_error_is_in_the_services_wire_form(aws: EmbeddedProcess, order: Callable[..., None]) -> None:
    """json, query, ec2, rest-xml: botocore reads code, message and status."""
    order({"error": {"code": "ServerException", "message": "ordered", "status": 503}})
    calls = [
        aws.client("ecs").list_clusters,
        aws.client("elbv2").describe_load_balancers,
        aws.client("iam").list_roles,
        aws.client("ec2").describe_vpcs,
        aws.client("route53").list_hosted_zones,
    ]
    for call in calls:
        with pytest.raises(ClientError) as error:
            call()
        answer = error.value.response
        assert (answer["Error"]["Code"], answer["Error"]["Message"]) == ("ServerException", "ordered")
        assert answer["ResponseMetadata"]["HTTPStatusCode"] == 503


THROTTLED = [
    ("ecs", "list_clusters", "ThrottlingException"),
    ("elbv2", "describe_load_balancers", "Throttling"),
    ("iam", "list_roles", "Throttling"),
    ("ec2", "describe_vpcs", "RequestLimitExceeded"),
    ("logs", "describe_log_groups", "ThrottlingException"),
]


@pytest.mark.parametrize(("service", "operation", "code"), THROTTLED)
def test_throttling_has_each_services_own_code(
    aws: EmbeddedProcess, order: Callable[..., None], service: str, operation: str, code: str
) -> None:
    order({"throttle": True, "nth": 1})
    call = getattr(aws.client(service), operation)
    assert [outcome(call), outcome(call)] == [code, "ok"]


def test_a_client_that_retries_gets_through_throttling(
    aws: EmbeddedProcess, order: Callable[..., None]
) -> None:
    """The code is one that botocore knows to retry."""
    order({"throttle": True, "nth": 1})
    patient = {"mode": "standard", "total_max_attempts": 2}
    client = boto3.client(
        "ecs",
        "us-east-2",
        endpoint_url=aws.url,
        aws_access_key_id="x",
        aws_secret_access_key="y",
        config=Config(retries=patient),
    )
    assert client.list_clusters()["clusterArns"] == []
    assert [call["status"] for call in listed(aws, "calls")] == [400, 200]


@pytest.mark.parametrize(("when", "made"), [("before", False), ("after", True)])
def test_an_answer_is_lost_before_or_after_the_work(
    aws: EmbeddedProcess, order: Callable[..., None], when: str, made: bool
) -> None:
    order({"service": "logs", "operation": "CreateLogGroup", "drop": when})
    logs = aws.client("logs")
    with pytest.raises(ConnectionClosedError):
        logs.create_log_group(logGroupName="/g")
    assert bool(logs.describe_log_groups()["logGroups"]) is made
    assert [call["status"] for call in listed(aws, "calls")] == [None, 200]


def test_a_delay_holds_the_answer_back(aws: EmbeddedProcess, order: Callable[..., None]) -> None:
    """In real seconds; at least so long, and other calls are not held back."""
    order({"service": "logs", "delay_seconds": 0.3})
    begun = time.monotonic()
    aws.client("logs").describe_log_groups()
    assert time.monotonic() - begun >= 0.3
    assert listed(aws, "faults")[0]["applied"] == 1


def test_a_delayed_call_is_not_carried_out_in_an_account_made_since(
    aws: EmbeddedProcess, order: Callable[..., None]
) -> None:
    order({"operation": "CreateLogGroup", "delay_seconds": 0.5})
    with ThreadPoolExecutor() as elsewhere:
        late = elsewhere.submit(aws.client("logs").create_log_group, logGroupName="/g")
        eventually(aws.applied)
        aws.reset()
        with pytest.raises(ConnectionClosedError):
            late.result()
    assert aws.client("logs").describe_log_groups()["logGroups"] == []
    assert len(aws.calls()) == 1


def test_every_call_can_be_made_slower(aws: EmbeddedProcess) -> None:
    """``POST /_embedded/latency``."""
    ecs = aws.client("ecs")
    ecs.list_clusters()
    control.post(f"{aws.url}/_embedded/latency", json={"seconds": 0.2}, timeout=PATIENCE).raise_for_status()
    begun = time.monotonic()
    ecs.list_clusters()
    assert time.monotonic() - begun >= 0.2


def test_rules_are_listed_with_their_counts_and_cleared(
    aws: EmbeddedProcess, order: Callable[..., None]
) -> None:
    rule = {"service": "ecs", "operation": "List*", "nth": 2, "throttle": True}
    order(rule)
    call = aws.client("ecs").list_clusters
    assert [outcome(call) for _ in range(3)] == ["ok", "ThrottlingException", "ok"]
    assert listed(aws, "faults") == [{**rule, "seen": 3, "applied": 1, "held": 0}]
    control.delete(f"{aws.url}/_embedded/faults", timeout=PATIENCE).raise_for_status()
    assert listed(aws, "faults") == []


WRONG = [
    [{}],
    ["x"],
    [{"throttle": True, "colour": "red"}],
    [{"error": "x"}],
    [{"drop": "now"}],
    [{"delay_seconds": "long"}],
    [{"throttle": True, "nth": "second"}],
    [{"throttle": True, "nth": {"every": 0}}],
    [{"vcpu_quota": "six"}],
    [{"capacity_unavailable_seconds": 60, "capacity_provider": "EC2"}],
]


@pytest.mark.parametrize("rules", WRONG, ids=[json.dumps(w) for w in WRONG])
def test_a_rule_that_cannot_be_understood_is_refused_with_all_that_came_with_it(
    aws: EmbeddedProcess, rules: list[Any]
) -> None:
    answer = control.post(f"{aws.url}/_embedded/faults", json=[{"throttle": True}, *rules], timeout=PATIENCE)
    assert answer.status_code == 400
    assert "RuleError" in answer.json()["error"]
    assert listed(aws, "faults") == []


@pytest.mark.parametrize(("method", "path"), [("GET", "nothing"), ("PUT", "faults")])
def test_what_does_not_exist_is_not_found(aws: EmbeddedProcess, method: str, path: str) -> None:
    answer = control.request(method, f"{aws.url}/_embedded/{path}", timeout=PATIENCE)
    assert answer.status_code == 404


def test_calls_are_recorded(aws: EmbeddedProcess) -> None:
    """So that a test can prove that nothing was changed."""
    aws.client("logs").describe_log_groups()
    aws.client("iam").create_role(RoleName="r", AssumeRolePolicyDocument=TRUST)
    aws.client("route53").list_hosted_zones()
    outcome(aws.client("iam").get_role, RoleName="none")
    calls = listed(aws, "calls")
    assert [(call["service"], call["operation"], call["mutating"], call["status"]) for call in calls] == [
        ("logs", "DescribeLogGroups", False, 200),
        ("iam", "CreateRole", True, 200),
        ("route53", "ListHostedZones", False, 200),
        ("iam", "GetRole", False, 404),
    ]
    numbers = [call["n"] for call in calls]
    assert numbers == list(range(numbers[0], numbers[0] + 4))
    control.delete(f"{aws.url}/_embedded/calls", timeout=PATIENCE).raise_for_status()
    assert listed(aws, "calls") == []


@pytest.mark.parametrize(
    ("operation", "mutating"),
    [
        ("DescribeServices", False),
        ("ListTasks", False),
        ("GetAuthorizationToken", False),
        ("BatchGetImage", False),
        ("BatchCheckLayerAvailability", False),
        ("FilterLogEvents", False),
        ("SimulatePrincipalPolicy", False),
        ("AssumeRoleWithWebIdentity", False),
        ("CreateService", True),
        ("RegisterTaskDefinition", True),
        ("PutImage", True),
        ("BatchDeleteImage", True),
        ("TagResource", True),
        ("AuthorizeSecurityGroupIngress", True),
    ],
)
def test_calls_that_may_change_something_are_marked(operation: str, mutating: bool) -> None:
    assert Call("any", operation).mutating is mutating


def test_a_new_role_is_not_assumable_for_a_while(aws: EmbeddedProcess, order: Callable[..., None]) -> None:
    """``role_propagation_seconds`` counts AWS seconds: at speed 20, ten of them are half a second."""
    order({"role_propagation_seconds": 10})
    arn = aws.client("iam").create_role(RoleName="r", AssumeRolePolicyDocument=TRUST)["Role"]["Arn"]
    ask = {"role": arn}

    def assumable() -> bool:
        answer = control.post(f"{aws.url}/_embedded/assumable", json=ask, timeout=PATIENCE)
        return bool(answer.json()["assumable"])

    assert not assumable()
    assert eventually(assumable)


def test_lack_of_capacity_is_over_after_a_while() -> None:
    """``capacity_unavailable_seconds`` counts AWS seconds from the order: at speed 100, twenty are 0.2 s."""
    faults = Faults()
    faults.add([{"capacity_unavailable_seconds": 20, "capacity_provider": "FARGATE_SPOT"}])
    assert faults.lacks_capacity("FARGATE_SPOT", speed=100)
    assert not faults.lacks_capacity("FARGATE", speed=100)
    eventually(lambda: not faults.lacks_capacity("FARGATE_SPOT", speed=100))


def test_killing_a_task_that_does_not_run_changes_nothing(aws: EmbeddedProcess) -> None:
    answer = control.post(f"{aws.url}/_embedded/kill-task", json={"task": "none"}, timeout=PATIENCE)
    assert answer.json() == {"killed": False}


def test_a_call_can_kill_a_task(stack: Stack) -> None:
    """After the call was answered; the task stops as if its program had died."""
    arn = stack.reaches(stack.run(stack.definition())["taskArn"], "RUNNING")["taskArn"]
    rule = {"service": "ecs", "operation": "ListClusters", "nth": 1, "kill_task": arn}
    control.post(f"{stack.aws.url}/_embedded/faults", json=rule, timeout=PATIENCE).raise_for_status()
    stack.ecs.list_clusters()
    task = stack.reaches(arn, "STOPPED")
    assert (task["stopCode"], task["containers"][0]["exitCode"]) == ("EssentialContainerExited", 137)


@pytest.mark.parametrize(("region", "partition"), [("cn-north-1", "aws-cn"), ("us-gov-west-1", "aws-us-gov")])
def test_roles_of_other_partitions_are_assumable_too(
    aws: EmbeddedProcess, region: str, partition: str
) -> None:
    """IAM identifiers: 'arn:partition:iam::account:role/…', the partition is aws, aws-cn or aws-us-gov."""
    arn = aws.client("iam", region).create_role(RoleName="r", AssumeRolePolicyDocument=TRUST)["Role"]["Arn"]
    assert arn == f"arn:{partition}:iam::123456789012:role/r"
    answer = control.post(f"{aws.url}/_embedded/assumable", json={"role": arn}, timeout=PATIENCE)
    assert answer.json() == {"assumable": True}
