"""Everything about a service is read, and nothing that is secret (App Runner in the embedded AWS)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from lobster_tasks.apprunner.discover import discover
from lobster_tasks.apprunner.services import find, listed, refuse_unsettled
from lobster_tasks.aws import Aws
from lobster_tasks.clock import Clock
from lobster_tasks.errors import RefusedError, UsageError
from tests.conftest import SPEED
from tests.embedded.apprunner_stack import Sites
from tests.embedded_process import EmbeddedProcess

TASKS = "tasks.apprunner.amazonaws.com"
READING = ["secretsmanager:GetSecretValue", "ssm:GetParameters", "kms:Decrypt"]
ALLOW = {"Effect": "Allow", "Action": READING, "Resource": "*"}
BOUNDARY = "arn:aws:iam::aws:policy/PowerUserAccess"
READ_ONLY = "arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess"


@pytest.fixture(scope="module")
def sites(embedded_process: EmbeddedProcess) -> Sites:
    """App Runner in an account of its own for this module."""
    embedded_process.reset()
    return Sites(embedded_process)


@pytest.fixture(scope="module")
def door(embedded_process: EmbeddedProcess) -> Aws:
    """The library's door to it."""
    credentials = {"aws_access_key_id": "AKIAEXAMPLE", "aws_secret_access_key": "example"}
    return Aws(
        "us-east-2", endpoint_url=embedded_process.url, credentials=credentials, clock=Clock(speed=SPEED)
    )


@pytest.fixture(scope="module")
def whole(sites: Sites, door: Aws) -> dict[str, Any]:
    """A service with everything that an App Runner service can have."""
    client = sites.process.client
    role = sites.role("app-instance", TASKS, ALLOW)
    client("iam").attach_role_policy(RoleName="app-instance", PolicyArn=READ_ONLY)
    client("iam").put_role_permissions_boundary(RoleName="app-instance", PermissionsBoundary=BOUNDARY)
    key = client("kms").create_key()["KeyMetadata"]["Arn"]
    client("kms").create_alias(AliasName="alias/app", TargetKeyId=key)
    secret = client("secretsmanager").create_secret(Name="db", SecretString="s3cret", KmsKeyId="alias/app")[
        "ARN"
    ]
    client("ssm").put_parameter(Name="/app/pin", Value="1234", Type="SecureString", KeyId=key)
    subnets = client("ec2").describe_subnets()["Subnets"]
    named = [each["SubnetId"] for each in subnets[:2]]
    connector = sites.api.create_vpc_connector(VpcConnectorName="inside", Subnets=named)["VpcConnector"]
    tracing = sites.api.create_observability_configuration(
        ObservabilityConfigurationName="traced", TraceConfiguration={"Vendor": "AWSXRAY"}
    )["ObservabilityConfiguration"]["ObservabilityConfigurationArn"]
    scaling = sites.api.create_auto_scaling_configuration(
        AutoScalingConfigurationName="small", MinSize=1, MaxSize=3, MaxConcurrency=20
    )["AutoScalingConfiguration"]["AutoScalingConfigurationArn"]
    made = sites.create(
        "whole",
        SourceConfiguration=sites.source(
            RuntimeEnvironmentVariables={"GREETING": "hi"},
            RuntimeEnvironmentSecrets={"DB": secret, "PIN": "/app/pin"},
        ),
        InstanceConfiguration={"Cpu": "1 vCPU", "Memory": "2 GB", "InstanceRoleArn": role},
        AutoScalingConfigurationArn=scaling,
        NetworkConfiguration={
            "EgressConfiguration": {"EgressType": "VPC", "VpcConnectorArn": connector["VpcConnectorArn"]}
        },
        ObservabilityConfiguration={"ObservabilityEnabled": True, "ObservabilityConfigurationArn": tracing},
        Tags=[{"Key": "team", "Value": "a"}],
    )
    assert made["Status"] == "RUNNING"
    sites.api.associate_custom_domain(ServiceArn=made["ServiceArn"], DomainName="app.example.com")
    sites.settled(made["ServiceArn"])
    return {**made, "key": key, "connector": connector, "subnets": named}


def test_everything_is_read(sites: Sites, door: Aws, whole: dict[str, Any]) -> None:
    sites.process.forget_calls()
    found = discover(door, "whole")
    assert (found.arn, found.status, found.is_public) == (whole["ServiceArn"], "RUNNING", True)
    assert found.tags == {"team": "a"}
    assert (found.scaling["MinSize"], found.scaling["MaxSize"], found.scaling["MaxConcurrency"]) == (1, 3, 20)
    assert found.connector is not None
    assert found.connector["Subnets"] == whole["subnets"]
    assert found.observability is not None
    assert found.observability["TraceConfiguration"] == {"Vendor": "AWSXRAY"}
    (domain,) = found.domains["CustomDomains"]
    assert domain["DomainName"] == "app.example.com"
    assert found.vpc is not None
    assert [each.way for each in found.vpc.named(tuple(whole["subnets"]))] == ["internet", "internet"]
    assert found.image is not None
    assert (found.image.repository, found.image.tag, found.image.images) == ("homara", "v1", 1)
    assert found.image.digest.startswith("sha256:")
    assert found.answers is not None
    assert found.answers.streamlit
    assert {name.rpartition("/")[2] for name in found.log_groups} == {"application", "service"}
    assert found.unknown == {}
    assert not sites.process.calls(mutating=True)


def test_roles_and_secrets_without_their_values(sites: Sites, door: Aws, whole: dict[str, Any]) -> None:
    sites.process.forget_calls()
    found = discover(door, whole["ServiceArn"])
    role = found.instance_role
    assert role is not None
    assert (role.name, role.managed, role.boundary) == ("app-instance", (READ_ONLY,), BOUNDARY)
    assert role.inline["inline"]["Statement"] == [ALLOW]
    assert found.access_role is not None
    assert found.access_role.name == "apprunner-access"
    assert [(each.name, each.found, each.key) for each in found.secrets] == [
        ("DB", True, whole["key"]),
        ("PIN", True, whole["key"]),
    ]
    assert "s3cret" not in repr(found)
    asked = {call["operation"] for call in sites.process.calls()}
    assert not asked & {"GetSecretValue", "BatchGetSecretValue", "GetParameter", "GetParameters"}


def test_what_may_not_be_read_does_not_stop_the_rest(sites: Sites, door: Aws, whole: dict[str, Any]) -> None:
    denied = {"error": {"code": "AccessDeniedException", "message": "no", "status": 400}}
    for service, operation in (("iam", "GetRole"), ("apprunner", "DescribeVpcConnector")):
        sites.process.order({"service": service, "operation": operation, **denied})
    try:
        found = discover(door, "whole")
    finally:
        sites.process.forgive()
    assert set(found.unknown) >= {"VpcConnector", "role app-instance"}
    assert found.tags == {"team": "a"}


@pytest.fixture(scope="module")
def paused(sites: Sites) -> dict[str, Any]:
    """A service that stands still."""
    made = sites.create("paused")
    sites.api.pause_service(ServiceArn=made["ServiceArn"])
    return sites.settled(made["ServiceArn"])


def test_a_paused_service_is_not_asked(door: Aws, paused: dict[str, Any]) -> None:
    found = discover(door, "paused")
    assert (found.status, found.answers) == ("PAUSED", None)


def test_services_by_name(door: Aws, whole: dict[str, Any], paused: dict[str, Any]) -> None:
    assert [each["ServiceName"] for each in listed(door)] == ["paused", "whole"]
    assert find(door, "paused") == paused["ServiceArn"]
    with pytest.raises(RefusedError) as refused:
        find(door, "hole")
    assert refused.value.why == "there are paused, whole"
    assert refused.value.next_step == "--service whole"


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda arn: arn.replace("us-east-2", "eu-west-1"), "of another account or region"),
        (lambda arn: arn.replace("123456789012", "999999999999"), "of another account or region"),
        (lambda arn: arn.replace("apprunner", "ecs"), "is not the ARN of an App Runner service"),
    ],
)
def test_arns_of_elsewhere(door: Aws, whole: dict[str, Any], change: Callable[[str], str], says: str) -> None:
    with pytest.raises(UsageError, match=says):
        find(door, change(whole["ServiceArn"]))


def test_an_arn_of_nothing(door: Aws, whole: dict[str, Any]) -> None:
    *all_but_one, last = whole["ServiceArn"]
    with pytest.raises(RefusedError, match="There is no App Runner service"):
        discover(door, "".join([*all_but_one, "1" if last == "0" else "0"]))


def test_two_of_one_name_are_told_by_their_arns(door: Aws) -> None:
    arns = [f"arn:aws:apprunner:us-east-2:123456789012:service/shop/{number}" for number in (1, 2)]

    class Two(Aws):
        """A door behind which two services have one name, which AWS lets happen for a while."""

        def pages(self, operation: str, items: str, about: str = "", **parameters: Any) -> list[Any]:
            return [{"ServiceName": "shop", "ServiceArn": arn, "Status": "RUNNING"} for arn in arns]

    with pytest.raises(UsageError) as refused:
        find(Two("us-east-2"), "shop")
    assert refused.value.what == "2 services have the name shop."
    assert refused.value.why == ", ".join(arns)


@pytest.mark.parametrize(
    ("status", "says"),
    [("OPERATION_IN_PROGRESS", "UPDATE_SERVICE \\(1\\) is in progress"), ("DELETED", "is deleted")],
)
def test_what_would_not_last_is_refused(status: str, says: str) -> None:
    operation = {"Type": "UPDATE_SERVICE", "Id": "1", "Status": "ROLLBACK_IN_PROGRESS"}
    with pytest.raises(RefusedError, match=says):
        refuse_unsettled({"ServiceName": "shop", "Status": status}, [operation])


def test_maintenance_is_no_operation() -> None:
    with pytest.raises(RefusedError, match="maintenance"):
        refuse_unsettled({"ServiceName": "shop", "Status": "OPERATION_IN_PROGRESS"}, [])


def test_whose_repository_it_is(sites: Sites, door: Aws, whole: dict[str, Any]) -> None:
    ecr = sites.process.client("ecr")
    image = discover(door, whole["ServiceArn"]).image
    assert image is not None
    assert image.stack == ""
    arn = f"arn:aws:ecr:us-east-2:123456789012:repository/{image.repository}"
    ecr.tag_resource(resourceArn=arn, tags=[{"Key": "lobster:stack", "Value": "theirs"}])
    found = discover(door, whole["ServiceArn"]).image
    ecr.untag_resource(resourceArn=arn, tagKeys=["lobster:stack"])
    assert found is not None
    assert found.stack == "theirs"
    assert found.images == image.images
