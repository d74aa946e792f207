"""The client for AWS: retries, calls without retries, and errors when AWS refuses a call."""

from __future__ import annotations

import json
import re
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import count
from typing import Any, ClassVar

import pytest
from botocore.session import Session

from lobster_tasks import __version__
from lobster_tasks.aws import Aws, spelled
from lobster_tasks.clock import Clock
from lobster_tasks.errors import AwsCallError, CredentialsError, LobsterError, RefusedError, SettingsError
from tests.embedded_process import EmbeddedProcess
from tests.environment import environment
from tests.other_letters import SERVICES, other_letters
from tests.serving import in_background

ANYBODY = {"aws_access_key_id": "x", "aws_secret_access_key": "x"}
DEFINITION: dict[str, Any] = {
    "family": "f",
    "cpu": "256",
    "memory": "512",
    "networkMode": "awsvpc",
    "requiresCompatibilities": ["FARGATE"],
    "containerDefinitions": [{"name": "c", "image": "public.ecr.aws/x/y"}],
}


def test_a_call_is_named_as_aws_names_it(aws: Aws) -> None:
    made = aws.call("ecs:CreateCluster", "cluster c", clusterName="c")
    assert made["cluster"]["clusterName"] == "c"
    assert aws.call("sts:GetCallerIdentity")["Account"] == aws.account == "123456789012"
    assert aws.partition == "aws"


def test_every_page_is_drained(aws: Aws, embedded: EmbeddedProcess) -> None:
    for number in range(120):
        embedded.client("ecs").create_cluster(clusterName=f"c{number}")
    assert len(aws.pages("ecs:ListClusters", "clusterArns")) == 120


def test_absence_is_none_where_it_is_expected(aws: Aws) -> None:
    assert aws.find("iam:GetRole", ("NoSuchEntity",), "role x", RoleName="x") is None
    with pytest.raises(AwsCallError) as refused:
        aws.find("iam:GetRole", ("SomethingElse",), "role x", RoleName="x")
    assert (refused.value.code, refused.value.operation) == ("NoSuchEntity", "iam:GetRole")
    assert refused.value.what == "AWS refused iam:GetRole on role x."
    assert refused.value.why.startswith("NoSuchEntity: ")
    assert refused.value.exit_code == 1


# What is repeated


@pytest.mark.parametrize("operation", ["CreateCluster", "RegisterTaskDefinition"])
def test_throttling_is_waited_out(aws: Aws, embedded: EmbeddedProcess, operation: str) -> None:
    embedded.order({"service": "ecs", "operation": operation, "nth": [1, 2], "throttle": True})
    parameters = DEFINITION if operation == "RegisterTaskDefinition" else {"clusterName": "c"}
    aws.call(f"ecs:{operation}", **parameters)
    assert [call["status"] for call in embedded.calls(operation)] == [400, 400, 200]


def test_a_lost_answer_is_asked_for_again(aws: Aws, embedded: EmbeddedProcess) -> None:
    embedded.order({"service": "ecs", "operation": "CreateCluster", "nth": 1, "drop": "after"})
    aws.call("ecs:CreateCluster", clusterName="c")
    assert [call["status"] for call in embedded.calls("CreateCluster")] == [None, 200]


def test_what_would_make_a_second_thing_is_not_sent_twice(aws: Aws, embedded: EmbeddedProcess) -> None:
    embedded.order({"service": "ecs", "operation": "RegisterTaskDefinition", "nth": 1, "drop": "after"})
    with pytest.raises(AwsCallError) as unanswered:
        aws.call("ecs:RegisterTaskDefinition", "task-definition f", **DEFINITION)
    assert unanswered.value.what == "ecs:RegisterTaskDefinition on task-definition f got no answer."
    assert "run the same command again" in unanswered.value.next_step
    assert len(embedded.client("ecs").list_task_definitions()["taskDefinitionArns"]) == 1


class Refusing:
    """Work that is refused ``times`` times, then succeeds."""

    def __init__(self, times: int, code: str = "Busy", message: str = "still draining") -> None:
        self.left, self.error = times, AwsCallError("x", f"{code}: {message}", code=code, operation="a:B")

    def __call__(self) -> str:
        if self.left:
            self.left -= 1
            raise self.error
        return "done"


@pytest.fixture
def fast() -> Aws:
    """A client without any calls."""
    return Aws("us-east-2", clock=Clock(speed=1000))


def test_a_refusal_that_passes_is_waited_out(fast: Aws) -> None:
    assert fast.retry_while(Refusing(3), {"Busy": ()}, within=60) == "done"
    assert fast.retry_while(Refusing(3), {"Other": (), "Busy": ("draining", "x")}, within=60) == "done"


@pytest.mark.parametrize("passing", [{"Other": ()}, {"Busy": ("another text",)}, {}])
def test_any_other_refusal_ends_it_at_once(fast: Aws, passing: dict[str, tuple[str, ...]]) -> None:
    work = Refusing(2)
    with pytest.raises(AwsCallError) as refused:
        fast.retry_while(work, passing, within=60)
    assert refused.value is work.error
    assert work.left == 1


def test_what_does_not_pass_in_time_is_raised_as_it_is(fast: Aws) -> None:
    work = Refusing(1_000_000)
    with pytest.raises(AwsCallError) as refused:
        fast.retry_while(work, {"Busy": ()}, within=30)
    assert refused.value is work.error


class Watch(Clock):
    """A clock whose stopwatch advances ten seconds at each reading, and that does not sleep."""

    looks: ClassVar[Iterator[int]] = count(0, 10)

    def stopwatch(self) -> float:
        """The next reading, ten seconds later."""
        return next(self.looks)

    def sleep(self, seconds: float) -> None:
        """Return at once."""


def test_what_is_waited_for_is_told_at_first_and_now_and_then() -> None:
    told: list[tuple[str, float]] = []
    aws = Aws("us-east-2", clock=Watch(), tell=lambda error, within: told.append((error.what, within)))
    work = Refusing(5)  # tried after 0, 10, 20, 30 and 40 seconds
    assert aws.in_region("eu-west-1").retry_while(work, {"Busy": ()}, within=60) == "done"
    assert told == [(work.error.what, 60)] * 3


# What people read


def refused(code: str, status: int = 400) -> Callable[[Aws, EmbeddedProcess], LobsterError]:
    """Returns a function that provokes a refusal with this code, and returns the resulting error."""

    def ask(aws: Aws, embedded: EmbeddedProcess) -> LobsterError:
        error = {"code": code, "message": "because", "status": status}
        embedded.order({"service": "ecs", "operation": "CreateCluster", "error": error})
        with pytest.raises(LobsterError) as told:
            aws.call("ecs:CreateCluster", "cluster c", clusterName="c")
        return told.value

    return ask


def test_what_is_denied_for_want_of_another_action_names_that(aws: Aws, embedded: EmbeddedProcess) -> None:
    role = "arn:aws:iam::123456789012:role/aws-service-role/elasticloadbalancing.amazonaws.com/A"
    message = (
        f"User: x is not authorized to perform: iam:CreateServiceLinkedRole on resource: {role} because no"
    )
    error = {"code": "AccessDenied", "message": message, "status": 403}
    embedded.order({"service": "ecs", "operation": "CreateCluster", "error": error})
    with pytest.raises(AwsCallError) as told:
        aws.call("ecs:CreateCluster", clusterName="c")
    assert told.value.next_step.startswith("allow iam:CreateServiceLinkedRole for the identity")


@pytest.mark.parametrize("code", ["AccessDeniedException", "AccessDenied", "UnauthorizedOperation"])
def test_what_is_denied_names_the_action_to_allow(aws: Aws, embedded: EmbeddedProcess, code: str) -> None:
    told = refused(code)(aws, embedded)
    assert told.next_step.startswith("allow ecs:CreateCluster for the identity that runs this")
    assert (told.why, told.exit_code) == (f"{code}: because", 1)


def test_what_is_to_be_allowed_is_what_aws_names(embedded: EmbeddedProcess, aws: Aws) -> None:
    denied = "User: arn:x is not authorized to perform: iam:PassRole on resource: arn:y because"
    error = {"code": "AccessDeniedException", "message": denied}
    embedded.order({"service": "ecs", "operation": "CreateCluster", "error": error})
    with pytest.raises(AwsCallError) as refused:
        aws.call("ecs:CreateCluster", clusterName="c")
    assert refused.value.next_step.startswith("allow iam:PassRole for the identity that runs this")


@pytest.mark.parametrize(
    "code", ["ExpiredTokenException", "UnrecognizedClientException", "InvalidClientTokenId"]
)
def test_credentials_that_aws_does_not_accept(aws: Aws, embedded: EmbeddedProcess, code: str) -> None:
    told = refused(code)(aws, embedded)
    assert isinstance(told, CredentialsError)
    assert told.exit_code == 5
    assert "sign in" in told.next_step


def test_no_credentials_at_all() -> None:
    nowhere = {"AWS_EC2_METADATA_DISABLED": "true", "AWS_CONFIG_FILE": "/none", "HOME": "/none"}
    with environment(**nowhere, AWS_SHARED_CREDENTIALS_FILE="/none"):
        with pytest.raises(CredentialsError, match="There are no AWS credentials"):
            _ = Aws("us-east-2").account
        with environment(AWS_PROFILE="nobody"), pytest.raises(CredentialsError, match="nobody") as missing:
            _ = Aws("us-east-2").account
    assert "AWS_PROFILE" in missing.value.next_step


def test_an_endpoint_where_nobody_answers() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        nobody = f"http://127.0.0.1:{taken.getsockname()[1]}"
        with pytest.raises(AwsCallError) as unanswered:
            _ = door("us-east-2", nobody).account
    assert unanswered.value.what == "sts:GetCallerIdentity got no answer."
    assert "check the network and AWS_ENDPOINT_URL" in unanswered.value.next_step


def test_a_parameter_that_the_api_does_not_have_is_not_sent(aws: Aws, embedded: EmbeddedProcess) -> None:
    with pytest.raises(RefusedError, match=r"ecs:CreateCluster was not sent\."):
        aws.call("ecs:CreateCluster", name="c")
    assert embedded.calls("CreateCluster") == []


def test_the_endpoint_comes_from_awss_own_variable(embedded: EmbeddedProcess) -> None:
    keys = {"AWS_ACCESS_KEY_ID": "x", "AWS_SECRET_ACCESS_KEY": "y"}
    with environment(AWS_ENDPOINT_URL=embedded.url, **keys):
        here = Aws("us-east-2")
        assert here.endpoint_url == embedded.url
        assert here.account == "123456789012"


# Regions


def door(region: str, url: str) -> Aws:
    """A client with credentials."""
    credentials = {"aws_access_key_id": "x", "aws_secret_access_key": "y"}
    return Aws(region, endpoint_url=url, credentials=credentials)


@pytest.mark.parametrize(("wrong", "meant"), [("us-esat-2", "us-east-2"), ("eu-west-9", "eu-west-")])
def test_a_region_that_nobody_knows_is_refused_with_the_nearest(wrong: str, meant: str) -> None:
    with pytest.raises(SettingsError) as refused:
        _ = door(wrong, "http://127.0.0.1:1").account
    (problem,) = refused.value.problems
    assert problem.startswith(f"region: the installed boto3 knows no region {wrong}; did you mean {meant}")


@pytest.mark.parametrize("region", ["us-east-2", "cn-north-1", "us-gov-west-1", "eu-central-2"])
def test_regions_of_every_partition_are_known(embedded: EmbeddedProcess, region: str) -> None:
    assert json.dumps(door(region, embedded.url).call("ecs:ListClusters"))


# What botocore sends, and what it does not know


@contextmanager
def answering(*pages: dict[str, Any], callers: list[str]) -> Iterator[Aws]:
    """A client for a service that answers calls with these bodies in order, and records the user agents."""
    left = list(pages)

    class Service(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            callers.append(self.headers["User-Agent"])
            self.rfile.read(int(self.headers["Content-Length"]))
            body = json.dumps(left.pop(0)).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Log nothing."""

    with in_background(ThreadingHTTPServer(("127.0.0.1", 0), Service)) as address:
        keys = {"aws_access_key_id": "x", "aws_secret_access_key": "y"}
        yield Aws("us-east-2", endpoint_url=f"http://{address}", credentials=keys)


def test_a_trail_shows_who_called() -> None:
    """CloudTrail's userAgent: "The agent through which the request was made, such as the AWS Management Console, an
    AWS service, the AWS SDKs or the AWS CLI."
    """
    callers: list[str] = []
    with answering({}, callers=callers) as aws:
        aws.call("ecs:ListClusters")
    [caller] = callers
    assert re.match(rf"lobster-tasks/{re.escape(__version__)} Boto3/\d", caller)
    assert "Botocore" in caller


def test_members_that_botocore_does_not_know_are_there_on_request() -> None:
    sent = {"Service": {"ServiceName": "shop", "Gpu": "1"}}
    with answering(sent, sent, callers=[]) as aws:
        arn = "arn:aws:apprunner:us-east-2:123456789012:service/shop/1"
        assert aws.as_sent("apprunner:DescribeService", ServiceArn=arn) == sent
        assert "Gpu" not in aws.call("apprunner:DescribeService", ServiceArn=arn)["Service"]


def test_pages_are_drained_where_botocore_has_no_paginator() -> None:
    first = {"ServiceSummaryList": [{"ServiceName": "a"}], "NextToken": "t"}
    with answering(first, {"ServiceSummaryList": [{"ServiceName": "b"}]}, callers=[]) as aws:
        found = aws.pages("apprunner:ListServices", "ServiceSummaryList")
    assert [each["ServiceName"] for each in found] == ["a", "b"]


# AWS's words


@pytest.mark.parametrize("service", SERVICES)
def test_words_of_an_enumeration_are_spelled_as_the_model_spells_them(service: str) -> None:
    model = Session().get_service_model(service)
    shapes = (model.shape_for(name) for name in model.shape_names)
    for shape in (each for each in shapes if getattr(each, "enum", None)):
        for other in (str.lower, str.upper, str.swapcase, str.title):
            assert [spelled(other(word), shape) for word in shape.enum] == shape.enum


def test_what_is_no_word_of_an_enumeration_stays_as_it_is(embedded: EmbeddedProcess) -> None:
    embedded.client("ssm").put_parameter(Name="/active", Value="active", Type="String")
    with other_letters(embedded.url) as url:
        door = Aws("us-east-2", endpoint_url=url, credentials=ANYBODY)
        found = door.call("ssm:GetParameter", Name="/active")["Parameter"]
    assert (found["Name"], found["Value"], found["Type"]) == ("/active", "active", "String")


def test_words_that_the_model_leaves_open_are_in_capitals_as_documented(embedded: EmbeddedProcess) -> None:
    embedded.client("ecs").create_cluster(clusterName="c")
    with other_letters(embedded.url) as url:
        door = Aws("us-east-2", endpoint_url=url, credentials=ANYBODY)
        assert door.call("ecs:DescribeClusters", clusters=["c"])["clusters"][0]["status"] == "ACTIVE"
        assert b'"active"' in door._sent.body


def test_an_answer_as_it_was_sent_has_its_words_spelled_too(embedded: EmbeddedProcess) -> None:
    embedded.client("apprunner").create_auto_scaling_configuration(AutoScalingConfigurationName="busy")
    door = Aws("us-east-2", endpoint_url=embedded.url, credentials=ANYBODY)
    listed = door.as_sent("apprunner:ListAutoScalingConfigurations")["AutoScalingConfigurationSummaryList"]
    assert {each["Status"] for each in listed} == {"ACTIVE"}
