"""How the endpoint as a whole behaves, whichever the service."""

from __future__ import annotations

import http.client
import io
import json
import os
import re
import signal
import socket
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

import boto3
import psutil
import pytest
import requests
from botocore.config import Config
from botocore.exceptions import ClientError

from tests.embedded.ecs_stack import Stack
from tests.embedded.handlers import HANDLERS
from tests.embedded_process import EMBEDDED_AWS, PATIENCE, EmbeddedProcess, control, eventually
from tests.project import Ended, heard, rest_of

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

CONTROL = {"X-Embedded-Aws": "tests"}


def error_of(call: Callable[..., Any], **parameters: Any) -> tuple[str, str, int]:
    """Code, message and HTTP status that a call is refused with."""
    with pytest.raises(ClientError) as refused:
        call(**parameters)
    answer = refused.value.response
    return answer["Error"]["Code"], answer["Error"]["Message"], answer["ResponseMetadata"]["HTTPStatusCode"]


UNKNOWN = [
    ("ecs", "submit_task_state_change", {}, "ecs SubmitTaskStateChange"),
    (
        "elbv2",
        "describe_trust_store_associations",
        {"TrustStoreArn": "x"},
        "elasticloadbalancing DescribeTrustStoreAssociations",
    ),
    ("ec2", "describe_capacity_blocks", {}, "ec2 DescribeCapacityBlocks"),
    ("cloudfront", "list_anycast_ip_lists", {}, "cloudfront ListAnycastIpLists"),
    ("batch", "describe_service_job", {"jobId": "x"}, "batch DescribeServiceJob"),
    (
        "route53",
        "list_cidr_blocks",
        {"CollectionId": "0" * 8 + "-0000" * 3 + "-" + "0" * 12},
        "route53 ListCidrBlocks",
    ),
    ("dynamodb", "list_contributor_insights", {}, "dynamodb ListContributorInsights"),
    ("braket", "search_devices", {"filters": []}, "braket SearchDevices"),
]


@pytest.mark.parametrize(("service", "operation", "parameters", "name"), UNKNOWN, ids=[u[3] for u in UNKNOWN])
def test_an_operation_that_is_not_known_is_refused_by_name(
    aws: EmbeddedProcess, service: str, operation: str, parameters: dict[str, str], name: str
) -> None:
    """'UnknownOperationException: The action or operation requested is invalid', 400 (Common Errors).

    In each wire form: json, query, ec2, rest-xml, rest-json; ours, moto's, and a service that nobody has.
    """
    call = getattr(aws.client(service, parameter_validation=False), operation)
    assert error_of(call, **parameters) == (
        "UnknownOperationException",
        f"The embedded AWS does not know {name}.",
        400,
    )


def test_a_filter_that_is_not_known_is_refused_by_name(aws: EmbeddedProcess) -> None:
    """Rather than passing everything."""
    call = aws.client("ec2").describe_subnets
    assert error_of(call, Filters=[{"Name": "outpost-arn", "Values": ["x"]}]) == (
        "UnknownOperationException",
        "The embedded AWS does not know ec2 DescribeSubnets with the filter 'outpost-arn'.",
        400,
    )


def test_what_moto_fails_at_is_refused_by_its_operation(aws: EmbeddedProcess) -> None:
    """A client would send it again for a 500, and again."""
    code, message, status = error_of(aws.client("ssm").get_patch_baseline_for_patch_group, PatchGroup="x")
    assert (code, status) == ("UnknownOperationException", 400)
    assert message == "The embedded AWS does not support ssm GetPatchBaselineForPatchGroup with these values."


@pytest.mark.parametrize(
    "call", [("ecs", "list_clusters"), ("iam", "list_roles"), ("elbv2", "describe_rules")]
)
def test_each_answer_has_an_id_of_its_own(aws: EmbeddedProcess, call: tuple[str, str]) -> None:
    """<RequestId>7a62c49f-347e-4fc4-9331-6e8eEXAMPLE</RequestId>: so AWS's own examples; refusals have one, too."""
    service, operation = call

    def id_of_one() -> UUID:
        try:
            answer = getattr(aws.client(service), operation)()
        except ClientError as refused:
            answer = refused.response
        return UUID(answer["ResponseMetadata"]["RequestId"])

    assert id_of_one() != id_of_one()


def calls_of(aws: EmbeddedProcess) -> list[dict[str, Any]]:
    """What ``/_embedded/calls`` lists."""
    found: list[dict[str, Any]] = control.get(f"{aws.url}/_embedded/calls", timeout=PATIENCE).json()
    return found


FIRST_CALLS = {
    "acm": lambda client: client.list_certificates(),
    "application-autoscaling": lambda client: client.describe_scalable_targets(ServiceNamespace="ecs"),
    "apprunner": lambda client: client.list_services(),
    "cloudfront": lambda client: client.list_distributions(),
    "ec2": lambda client: client.describe_vpcs(),
    "ecr": lambda client: client.describe_repositories(),
    "ecs": lambda client: client.list_clusters(),
    "elasticloadbalancing": lambda client: client.describe_load_balancers(),
    "iam": lambda client: client.list_roles(),
    "logs": lambda client: client.describe_log_groups(),
    "monitoring": lambda client: client.get_metric_statistics(
        Namespace="AWS/ECS",
        MetricName="CPUUtilization",
        StartTime=0,
        EndTime=60,
        Period=60,
        Statistics=["Sum"],
    ),
    "route53": lambda client: client.list_hosted_zones(),
    "secretsmanager": lambda client: client.list_secrets(),
    "servicequotas": lambda client: client.get_service_quota(ServiceCode="fargate", QuotaCode="L-3032A538"),
    "ssm": lambda client: client.describe_parameters(),
    "sts": lambda client: client.get_caller_identity(),
    "tagging": lambda client: client.get_resources(),
    "wafv2": lambda client: client.list_web_acls(Scope="REGIONAL"),
}
CLIENTS = {
    "elasticloadbalancing": "elbv2",
    "monitoring": "cloudwatch",
    "servicequotas": "service-quotas",
    "tagging": "resourcegroupstaggingapi",
}


@pytest.mark.parametrize("service", sorted(HANDLERS))
def test_every_class_of_ours_is_reached(aws: EmbeddedProcess, service: str) -> None:
    """An override under a name that no call is signed with would silently never be used."""
    assert service in FIRST_CALLS, f"give {service} a call here"
    FIRST_CALLS[service](aws.client(CLIENTS.get(service, service)))
    (call,) = calls_of(aws)
    assert (call["service"], call["handler"]) == (service, HANDLERS[service])


def test_classic_load_balancers_are_not_answered_by_version_2(aws: EmbeddedProcess) -> None:
    """Both versions sign as elasticloadbalancing; the request's Version tells them apart."""
    assert aws.client("elb").describe_load_balancers()["LoadBalancerDescriptions"] == []
    assert calls_of(aws)[0]["handler"] == "moto"


def winners(make: Callable[[], Any], expected: str) -> Counter[str]:
    """How 16 connections fare that make the same thing at once."""

    def attempt(_: int) -> str:
        try:
            make()
        except ClientError as error:
            return str(error.response["Error"]["Code"])
        return "made"

    with ThreadPoolExecutor(16) as pool:
        results = Counter(pool.map(attempt, range(16)))
    assert set(results) <= {"made", expected}, results
    return results


RACES: dict[str, tuple[str, str, str, dict[str, Any]]] = {
    "role": (
        "iam",
        "create_role",
        "EntityAlreadyExists",
        {"RoleName": "r", "AssumeRolePolicyDocument": TRUST},
    ),
    "log group": ("logs", "create_log_group", "ResourceAlreadyExistsException", {"logGroupName": "/g"}),
    "security group": (
        "ec2",
        "create_security_group",
        "InvalidGroup.Duplicate",
        {"GroupName": "g", "Description": "d"},
    ),
    "secret": (
        "secretsmanager",
        "create_secret",
        "ResourceExistsException",
        {"Name": "s", "SecretString": "x"},
    ),
    "parameter": (
        "ssm",
        "put_parameter",
        "ParameterAlreadyExists",
        {"Name": "p", "Value": "v", "Type": "String"},
    ),
    "repository": ("ecr", "create_repository", "RepositoryAlreadyExistsException", {"repositoryName": "rr"}),
}


@pytest.mark.parametrize("what", sorted(RACES))
def test_one_of_sixteen_clients_wins_a_race_to_create(aws: EmbeddedProcess, what: str) -> None:
    """Each of these names is unique in its account: the second creation is refused."""
    service, operation, code, parameters = RACES[what]
    make = getattr(aws.client(service, max_pool_connections=16), operation)
    results = winners(lambda: make(**parameters), code)
    assert results == {"made": 1, code: 15}


def test_sixteen_clients_of_all_services_meet_no_error(aws: EmbeddedProcess) -> None:
    """Writers and readers of the same lists at once."""
    clients = {name: aws.client(CLIENTS.get(name, name), max_pool_connections=16) for name in FIRST_CALLS}

    def work(number: int) -> None:
        for turn in range(4):
            name = f"n{number}-{turn}"
            clients["logs"].create_log_group(logGroupName=name)
            clients["iam"].create_role(RoleName=name, AssumeRolePolicyDocument=TRUST)
            clients["ec2"].create_security_group(GroupName=name, Description="d")
            for service, read in FIRST_CALLS.items():
                read(clients[service])

    with ThreadPoolExecutor(16) as pool:
        list(pool.map(work, range(16)))
    assert len(clients["iam"].list_roles(MaxItems=1000)["Roles"]) == 64
    assert all(call["status"] == 200 for call in calls_of(aws))


def test_connections_are_kept_open(aws: EmbeddedProcess) -> None:
    """HTTP/1.1: two calls over one connection, the first with a body that the service does not read."""
    address = urlsplit(aws.url)
    connection = http.client.HTTPConnection(address.hostname or "", address.port, timeout=PATIENCE)
    for _ in range(2):
        connection.request("POST", "/_embedded/latency", json.dumps({"seconds": 0}), CONTROL)
        assert connection.getresponse().read() == b"null"
    assert connection.sock is not None
    connection.close()


def test_a_body_may_come_in_chunks(aws: EmbeddedProcess) -> None:
    """Transfer-Encoding: chunked, as clients that stream send it."""
    signed = (
        "AWS4-HMAC-SHA256 Credential=x/20260101/us-east-2/ecs/aws4_request, SignedHeaders=host, Signature=0"
    )
    headers = {
        "Authorization": signed,
        "X-Amz-Target": "AmazonEC2ContainerServiceV20141113.ListClusters",
        "Content-Type": "application/x-amz-json-1.1",
    }
    answer = requests.post(aws.url, data=iter([b"{", b"}"]), headers=headers, timeout=PATIENCE)
    assert answer.json() == {"clusterArns": []}


def test_a_client_may_wait_before_it_sends_its_body(aws: EmbeddedProcess) -> None:
    """Expect: 100-continue, as S3 clients send it with files: exactly one 100 comes."""
    address = urlsplit(aws.url)
    with socket.create_connection((address.hostname, address.port), timeout=PATIENCE) as connection:
        head = "POST /_embedded/latency HTTP/1.1\r\nHost: localhost\r\nX-Embedded-Aws: any\r\n"
        connection.sendall(f"{head}Content-Length: 14\r\nExpect: 100-continue\r\n\r\n".encode())
        assert connection.recv(1000) == b"HTTP/1.1 100 Continue\r\n\r\n"
        connection.sendall(b'{"seconds": 0}')
        assert connection.recv(1000).startswith(b"HTTP/1.1 200 OK\r\n")


def test_what_is_not_http_does_no_harm(aws: EmbeddedProcess) -> None:
    """Neither to the endpoint nor to its log."""
    address = urlsplit(aws.url)
    for noise in (b"\x16\x03\x01\r\n\r\n", b"POST / HTTP/1.1\r\nContent-Length: x\r\n\r\n"):
        with socket.create_connection((address.hostname, address.port), timeout=PATIENCE) as connection:
            connection.sendall(noise)
            connection.recv(1000)
    assert aws.client("ecs").list_clusters()["clusterArns"] == []


def test_services_outside_our_world_work_as_moto_has_them(client: Any) -> None:
    """S3 here, with a body of bytes and a HEAD."""
    s3 = client("s3")
    s3.create_bucket(Bucket="b-u-c", CreateBucketConfiguration={"LocationConstraint": "us-east-2"})
    s3.put_object(Bucket="b-u-c", Key="k", Body=io.BytesIO(b"\0\xff"))
    assert s3.get_object(Bucket="b-u-c", Key="k")["Body"].read() == b"\0\xff"
    assert s3.head_object(Bucket="b-u-c", Key="k")["ContentLength"] == 2


@pytest.mark.parametrize("key", ["test", "AKIAIOSFODNN7EXAMPLE", "a-b_c"])
def test_any_credentials_are_taken_and_the_account_is_always_the_same(aws: EmbeddedProcess, key: str) -> None:
    """Account 123456789012, as in AWS's own examples."""
    sts = boto3.client(
        "sts", "eu-west-1", endpoint_url=aws.url, aws_access_key_id=key, aws_secret_access_key="any"
    )
    assert sts.get_caller_identity()["Account"] == "123456789012"


def test_a_service_that_needs_more_than_is_installed_is_not_known(client: Any) -> None:
    """As with every other operation that nobody here serves."""
    assert error_of(client("cloudformation").list_stacks) == (
        "UnknownOperationException",
        "The embedded AWS does not know cloudformation ListStacks.",
        400,
    )


CLI = [
    (["ec2", "describe-vpcs"], "Vpcs"),
    (["ecs", "list-clusters"], "clusterArns"),
    (["elbv2", "describe-load-balancers"], "LoadBalancers"),
]


@pytest.mark.parametrize(("command", "member"), CLI, ids=[" ".join(c) for c, _ in CLI])
def test_the_aws_cli_needs_the_endpoint_url_only(
    aws: EmbeddedProcess, command: list[str], member: str
) -> None:
    """AWS_ENDPOINT_URL: 'Specifies the endpoint that is used for all service requests' (AWS CLI)."""
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": os.devnull,
        "AWS_ENDPOINT_URL": aws.url,
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_DEFAULT_REGION": "us-east-2",
    }
    ran = subprocess.run(
        [sys.executable, "-m", "awscli", *command],
        env=environment,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
    )
    assert ran.returncode == 0, ran.stderr
    assert member in json.loads(ran.stdout)


def running(*arguments: str) -> AbstractContextManager[subprocess.Popen[str]]:
    """A process of its own, ended with the block."""
    return heard([*EMBEDDED_AWS, *arguments], Path.cwd(), os.environ)


def url_of(process: subprocess.Popen[str]) -> str:
    """The address that it printed."""
    return process.stdout.readline().strip().partition("=")[2]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it(number: signal.Signals) -> None:
    """SIGTERM and Ctrl-C; the port is free again, also with a connection open."""
    with running() as process:
        address = urlsplit(url_of(process))
        with socket.create_connection((address.hostname, address.port)):
            process.send_signal(number)
            assert process.wait(timeout=PATIENCE) == 0
        with socket.create_server((address.hostname, address.port)):
            pass
        assert process.stderr.read() == ""


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_no_task_outlives_it(number: signal.Signals) -> None:
    """Told to stop it ends what it started; killed, what it started notices."""
    with running("--speed", "100") as process:
        stack = Stack(EmbeddedProcess(url_of(process), process.pid))
        stack.reaches(stack.run(stack.definition())["taskArn"], "RUNNING")
        children = psutil.Process(process.pid).children(recursive=True)
        assert children
        process.send_signal(number)
        process.wait(timeout=PATIENCE)
        eventually(lambda: not [one for one in children if one.is_running()])


def test_a_port_in_use_is_one_clear_line() -> None:
    """Exit code 5: refused before anything changed."""
    with (
        socket.create_server(("127.0.0.1", 0)) as taken,
        running("--port", f"{taken.getsockname()[1]}") as process,
    ):
        port = taken.getsockname()[1]
        told = (
            f"The embedded AWS cannot start: port {port} is in use; "
            "choose another with --port, or 0 for a free one\n"
        )
        assert rest_of(process) == Ended(5, "", told)


BAD = [
    ["--port", "x"],
    ["--port", "65536"],
    ["--speed", "0"],
    ["--speed", "nan"],
    ["--boot-allowance", "-1"],
    ["x"],
]


@pytest.mark.parametrize("arguments", BAD, ids=[" ".join(bad) for bad in BAD])
def test_bad_arguments_are_a_usage_error(arguments: list[str]) -> None:
    """Exit code 2, and nothing on standard output."""
    with running(*arguments) as process:
        ended = rest_of(process)
    assert (ended.code, ended.out) == (2, "")
    assert ended.err.startswith("usage:")


def test_verbose_logs_each_call_on_one_line_and_defects_too() -> None:
    """Standard output holds the address alone, whatever happens; the user's own AWS settings do not matter."""
    command = [sys.executable, "-m", "embedded_aws", "--verbose"]
    environment = {**os.environ, "AWS_PROFILE": "nobody", "AWS_ENDPOINT_URL": "http://127.0.0.1:9"}
    pipe = subprocess.PIPE
    with subprocess.Popen(command, env=environment, stdout=pipe, stderr=pipe, text=True) as process:
        assert process.stdout is not None
        url = process.stdout.readline().strip().partition("=")[2]
        config = Config(retries={"total_max_attempts": 1}, parameter_validation=False)
        keys = {"aws_access_key_id": "x", "aws_secret_access_key": "y"}
        boto3.client("ecs", "us-east-2", endpoint_url=url, config=config, **keys).list_clusters()
        with pytest.raises(ClientError):
            boto3.client("braket", "us-east-2", endpoint_url=url, config=config, **keys).search_devices(
                filters=[]
            )
        process.terminate()
        out, errors = process.communicate(timeout=PATIENCE)
    assert out == ""
    assert errors.splitlines() == [
        "1 us-east-2 ecs ListClusters -> 200",
        "braket SearchDevices is not known to the embedded AWS (no such service)",
        "2 us-east-2 braket SearchDevices -> 400",
    ]


def test_without_verbose_a_defect_is_one_line() -> None:
    """Named by its operation, with the place instead of a traceback."""
    with running() as process:
        url = url_of(process)
        config = Config(retries={"total_max_attempts": 1}, parameter_validation=False)
        keys = {"aws_access_key_id": "x", "aws_secret_access_key": "y"}
        ssm = boto3.client("ssm", "us-east-2", endpoint_url=url, config=config, **keys)
        with pytest.raises(ClientError):
            ssm.get_patch_baseline_for_patch_group(PatchGroup="x")
        process.terminate()
        errors = rest_of(process).err
    told = r"ssm GetPatchBaselineForPatchGroup failed: KeyError: None \(\w+\.py:\d+\)\n"
    assert re.fullmatch(told, errors)


def test_reset_forgets_everything(aws: EmbeddedProcess) -> None:
    """Resources of every service, calls and faults."""
    aws.client("logs").create_log_group(logGroupName="/g")
    aws.client("iam").create_role(RoleName="r", AssumeRolePolicyDocument=TRUST)
    rule = {"service": "logs", "throttle": True, "nth": 9}
    control.post(f"{aws.url}/_embedded/faults", json=[rule], timeout=PATIENCE).raise_for_status()
    aws.reset()
    assert calls_of(aws) == []
    assert control.get(f"{aws.url}/_embedded/faults", timeout=PATIENCE).json() == []
    assert aws.client("logs").describe_log_groups()["logGroups"] == []
    assert aws.client("iam").list_roles()["Roles"] == []


def test_every_loopback_only(aws: EmbeddedProcess) -> None:
    """Nobody outside this machine can reach it."""
    port = urlsplit(aws.url).port
    own = eventually(lambda: socket.gethostbyname_ex(socket.gethostname())[2] or ["127.0.0.1"])
    for address in own:
        if not address.startswith("127."):
            with pytest.raises(OSError), socket.create_connection((address, port), timeout=5):
                pass
