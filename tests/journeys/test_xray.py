"""A collector for traces beside the app: it gets them, and the app does not stand on it."""

from __future__ import annotations

from typing import Any

import pytest

from lobster_tasks import templates
from lobster_tasks.aws import Aws
from lobster_tasks.doctor import consult
from lobster_tasks.errors import NotReadyError
from lobster_tasks.rollout import deploy, history
from lobster_tasks.settings import load
from lobster_tasks.stack import build
from tests.embedded.images import ImageSpec, push, web_app
from tests.embedded_process import EmbeddedProcess, eventually

from .releasing import Account, said, set_up

# What the collector does for the app: it listens where the app's traces go to (ADOT, config/ecs/ecs-xray.yaml).
COLLECTOR = """\
import socket, sys
with socket.create_server(("127.0.0.1", 4317)) as server:
    print("collecting by", *sys.argv[1:], flush=True)
    while True:
        connection, _ = server.accept()
        print("a trace:", connection.recv(99).decode(), flush=True)
"""
TRACING = """\
import socket, time, urllib.request
for _ in range(200):
    try:
        with socket.create_connection(("127.0.0.1", 4317), 1) as collector:
            collector.sendall(b"GET /")
        break
    except OSError:
        time.sleep(0.05)
"""


def image_of(embedded: EmbeddedProcess, program: str) -> str:
    """A stand-in for the collector's image, in ECR."""
    spec = ImageSpec({"/app/collector.py": program}, entry_point=["python", "collector.py"])
    return push(embedded.client("ecr"), spec, repository="collector", tag="one").by_digest


def with_collector(embedded: EmbeddedProcess, aws: Aws, program: str) -> Account:
    """A stack with the setting."""
    return set_up(embedded, aws, "xray.enabled=true", f"xray.image={image_of(embedded, program)}")


def containers(account: Account) -> dict[str, dict[str, Any]]:
    """Those of the one task, by name."""
    ecs, where = account.client("ecs"), {"cluster": account.settings.cluster}
    (task,) = ecs.describe_tasks(**where, tasks=ecs.list_tasks(**where)["taskArns"])["tasks"]
    return {each["name"]: each for each in task["containers"]}


def lines(account: Account) -> str:
    """What the collector has written."""
    found = account.client("logs").filter_log_events(
        logGroupName=account.settings.logs.group, logStreamNamePrefix="xray/"
    )
    return "\n".join(event["message"] for event in found["events"])


def test_traces_reach_the_collector_beside_the_app(embedded: EmbeddedProcess, aws: Aws) -> None:
    account = with_collector(embedded, aws, COLLECTOR)
    image = account.push("v1").by_digest
    outcome = deploy(aws, account.settings, "v1")
    assert outcome.verdict == "live", said(outcome)
    assert {each["lastStatus"] for each in containers(account).values()} == {"RUNNING"}
    assert containers(account)["lobster-streamlit"]["image"] == image
    assert eventually(lambda: lines(account)) == "collecting by --config=/etc/ecs/ecs-xray.yaml"
    attached = account.client("iam").list_attached_role_policies(RoleName="ecsTaskRole")["AttachedPolicies"]
    assert [each["PolicyName"] for each in attached] == ["AWSXRayDaemonWriteAccess"]


def test_what_the_app_sends_arrives(embedded: EmbeddedProcess, aws: Aws) -> None:
    account = with_collector(embedded, aws, COLLECTOR)
    serving = "exec(open('/app/trace.py').read()); exec(open('/app/web_app.py').read())"
    app = web_app(VERSION="v1")
    traced = ImageSpec(
        {**app.files, "/app/trace.py": TRACING}, ["python", "-c", serving], environment=app.environment
    )
    push(account.client("ecr"), traced, repository="homara", tag="v1")
    outcome = deploy(aws, account.settings, "v1")
    assert outcome.verdict == "live", said(outcome)
    assert eventually(lambda: "a trace: GET /" in lines(account))


def test_a_collector_that_ends_leaves_the_app_running(embedded: EmbeddedProcess, aws: Aws) -> None:
    account = with_collector(embedded, aws, "raise SystemExit(1)")
    account.push("v1")
    outcome = deploy(aws, account.settings, "v1")
    assert outcome.verdict == "live", said(outcome)
    ended = eventually(lambda: containers(account)["aws-otel-collector"].get("exitCode"))
    assert (ended, containers(account)["lobster-streamlit"]["lastStatus"]) == (1, "RUNNING")


def test_a_release_is_told_by_the_apps_image_wherever_its_container_stands(
    embedded: EmbeddedProcess, aws: Aws
) -> None:
    account = with_collector(embedded, aws, COLLECTOR)
    image = account.push("v1").by_digest
    definition = templates.task_definition(account.settings, aws.account, "aws", image)
    definition["containerDefinitions"].reverse()
    made = account.client("ecs").register_task_definition(**definition)["taskDefinition"]["taskDefinitionArn"]
    account.update(taskDefinition=made, desiredCount=1)
    account.await_completed()
    newest = history(aws, account.settings).releases[0]
    assert (newest.image, newest.tags, newest.gone) == (image, ("v1",), False)
    account.order_fault(
        service="ecs", operation="ListServiceDeployments", error={"code": "AccessDeniedException"}
    )
    assert history(aws, account.settings).releases[0].image == image


def test_a_copy_of_the_image_that_is_not_there_is_seen_before(embedded: EmbeddedProcess, aws: Aws) -> None:
    gone = "123456789012.dkr.ecr.us-east-2.amazonaws.com/homara:collector"
    account = set_up(embedded, aws, "xray.enabled=true", f"xray.image={gone}")
    account.push("v1")
    with pytest.raises(NotReadyError, match="homara:collector, which is not in its repository"):
        deploy(aws, account.settings, "v1")


def test_without_the_setting_there_is_no_collector() -> None:
    made = templates.task_definition(load({}), "123456789012", "aws", "image")
    assert [each["name"] for each in made["containerDefinitions"]] == ["lobster-streamlit"]
    (role,) = [each for each in build(load({}), "123456789012").resources if each.name == "ecsTaskRole"]
    assert role.managed == ()  # type: ignore[attr-defined]


def test_a_public_image_needs_more_than_endpoints(embedded: EmbeddedProcess, aws: Aws) -> None:
    """In subnets without a way out, whatever endpoints of AWS's services there are."""
    account = set_up(embedded, aws, "xray.enabled=true")
    ec2 = account.client("ec2")
    for table in ec2.describe_route_tables()["RouteTables"]:
        for route in table["Routes"]:
            if route.get("DestinationCidrBlock") == "0.0.0.0/0":
                ec2.delete_route(RouteTableId=table["RouteTableId"], DestinationCidrBlock="0.0.0.0/0")
    vpc = ec2.describe_vpcs()["Vpcs"][0]["VpcId"]
    tables = [each["RouteTableId"] for each in ec2.describe_route_tables()["RouteTables"]]
    groups = [ec2.create_security_group(GroupName="endpoints", Description="open", VpcId=vpc)["GroupId"]]
    https = {"IpProtocol": "tcp", "FromPort": 443, "ToPort": 443, "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}
    ec2.authorize_security_group_ingress(GroupId=groups[0], IpPermissions=[https])
    interface = {"VpcEndpointType": "Interface", "PrivateDnsEnabled": True, "SecurityGroupIds": groups}
    for service in ("ecr.api", "ecr.dkr", "logs", "s3"):
        kind = {"VpcEndpointType": "Gateway", "RouteTableIds": tables} if service == "s3" else interface
        ec2.create_vpc_endpoint(VpcId=vpc, ServiceName=f"com.amazonaws.us-east-2.{service}", **kind)
    checks, _ = consult(aws, account.settings, ["network.routes"])
    assert (
        checks["network.routes"].status,
        "the registry of xray.image" in checks["network.routes"].saw,
    ) == (
        "fail",
        True,
    )
    own = account.with_settings(
        "xray.enabled=true", "xray.image=123456789012.dkr.ecr.us-east-2.amazonaws.com/c:1"
    )
    checks, _ = consult(aws, own.settings, ["network.routes"])
    assert checks["network.routes"].status == "pass", checks["network.routes"].saw
