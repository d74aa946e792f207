"""App Runner services: what is created, described, listed, paused, changed and deleted, and in which states."""

from __future__ import annotations

import re
from typing import Any

import pytest

from tests.embedded.apprunner_stack import BUSY, Sites
from tests.embedded.images import push, web_app
from tests.embedded.refusals import refused
from tests.embedded_process import eventually

ENDS = {"EXIT_CODE": "3"}


def test_a_service_is_created_in_the_background(sites: Sites) -> None:
    """CreateService: "This is an asynchronous operation"; it answers OPERATION_IN_PROGRESS, then it is RUNNING."""
    begun = sites.begin()
    assert begun["Status"] == BUSY
    assert sites.settled(begun["ServiceArn"])["Status"] == "RUNNING"
    assert sites.operations(begun["ServiceArn"]) == [("CREATE_SERVICE", "SUCCEEDED")]
    assert sites.get(begun).text == "web_app"


def test_a_new_service_has_the_defaults_of_the_api_reference(sites: Sites) -> None:
    """InstanceConfiguration: 1 vCPU, 2 GB; HealthCheckConfiguration: TCP, 5 s, 2 s, 1, 5; NetworkConfiguration."""
    service = sites.begin()
    assert service["InstanceConfiguration"] == {"Cpu": "1024", "Memory": "2048"}
    assert service["HealthCheckConfiguration"] == {
        "Protocol": "TCP",
        "Interval": 5,
        "Timeout": 2,
        "HealthyThreshold": 1,
        "UnhealthyThreshold": 5,
    }
    assert service["NetworkConfiguration"] == {
        "EgressConfiguration": {"EgressType": "DEFAULT"},
        "IngressConfiguration": {"IsPubliclyAccessible": True},
        "IpAddressType": "IPV4",
    }
    summary = service["AutoScalingConfigurationSummary"]
    assert summary["AutoScalingConfigurationName"] == "DefaultConfiguration"


def test_what_no_request_has_mentioned_is_not_in_the_answer(sites: Sites) -> None:
    """A Service without ObservabilityConfiguration has no such member, so in the AWS CLI's recorded describe-service;
    with one, terraform-provider-aws would take it away again at each plan (its block is optional, not computed).
    """
    assert "ObservabilityConfiguration" not in sites.create()
    off = sites.create("other", ObservabilityConfiguration={"ObservabilityEnabled": False})
    assert off["ObservabilityConfiguration"] == {"ObservabilityEnabled": False}


def test_identifiers_have_app_runners_forms(sites: Sites) -> None:
    """ServiceId is 32 hexadecimal characters; the ARN is ``service/<name>/<id>``; ServiceUrl has no scheme."""
    service = sites.begin()
    assert re.fullmatch("[0-9a-f]{32}", service["ServiceId"])
    assert service["ServiceArn"].endswith(f":service/site/{service['ServiceId']}")
    assert re.fullmatch(r"127\.0\.0\.1:\d+", service["ServiceUrl"])


def test_names_are_unique_among_services_that_live(sites: Sites) -> None:
    """CreateService: ServiceName "must be unique across all the running App Runner services" of the Region."""
    service = sites.create()
    with refused("InvalidRequestException", "Service with the provided name already exists: site."):
        sites.begin()
    sites.api.delete_service(ServiceArn=service["ServiceArn"])
    sites.settled(service["ServiceArn"])
    assert sites.begin()["ServiceArn"] != service["ServiceArn"]


@pytest.mark.parametrize("name", ["-site", "a site", "x" * 41])
def test_names_follow_the_models_pattern(sites: Sites, name: str) -> None:
    """ServiceName: ``[A-Za-z0-9][A-Za-z0-9-_]{3,39}``."""
    with refused("InvalidRequestException", "at 'serviceName' failed to satisfy constraint"):
        sites.begin(name)


def test_a_deleted_service_is_described_but_not_listed(sites: Sites) -> None:
    """DeleteService: "the service and its configuration are gone"; DescribeService answers DELETED for a while."""
    arn = sites.create()["ServiceArn"]
    assert [one["ServiceArn"] for one in sites.api.list_services()["ServiceSummaryList"]] == [arn]
    sites.api.delete_service(ServiceArn=arn)
    assert sites.settled(arn)["Status"] == "DELETED"
    assert sites.api.list_services()["ServiceSummaryList"] == []
    with refused("ResourceNotFoundException"):
        sites.api.delete_service(ServiceArn=arn)


def test_an_unknown_service_is_not_found(sites: Sites) -> None:
    """DescribeService: ResourceNotFoundException."""
    arn = "arn:aws:apprunner:us-east-2:123456789012:service/none/" + "0" * 32
    with refused("ResourceNotFoundException"):
        sites.api.describe_service(ServiceArn=arn)


def test_errors_carry_a_member_named_message(sites: Sites) -> None:
    """The error shapes of the API Reference have the member ``Message``, with a capital letter."""
    with pytest.raises(sites.api.exceptions.ResourceNotFoundException) as refusal:
        sites.api.describe_service(ServiceArn="arn:aws:apprunner:us-east-2:123456789012:service/none/x")
    answer: dict[str, Any] = refusal.value.response
    assert answer["Message"].startswith("Service not found")
    assert answer["ResponseMetadata"]["HTTPStatusCode"] == 400


@pytest.mark.parametrize(
    ("cpu", "memory", "kept"),
    [("1 vCPU", "3 GB", ("1024", "3072")), ("0.25 vCPU", "0.5 GB", ("256", "512")), ("4096", "12288", None)],
)
def test_sizes_are_kept_without_units(
    sites: Sites, cpu: str, memory: str, kept: tuple[str, str] | None
) -> None:
    """Cpu ``256|512|1024|2048|4096|(0.25|0.5|1|2|4) vCPU``; Memory in MB or ``GB``."""
    service = sites.begin(InstanceConfiguration={"Cpu": cpu, "Memory": memory})
    sizes = service["InstanceConfiguration"]
    assert (sizes["Cpu"], sizes["Memory"]) == (kept or (cpu, memory))


REFUSED: list[tuple[dict[str, Any], str]] = [
    ({"InstanceConfiguration": {"Cpu": "256", "Memory": "2048"}}, "Memory 2048 is not valid with Cpu 256"),
    ({"InstanceConfiguration": {"Cpu": "3 vCPU"}}, "at 'instanceConfiguration.cpu'"),
    ({"HealthCheckConfiguration": {"Interval": 21}}, "value less than or equal to 20"),
    ({"HealthCheckConfiguration": {"Protocol": "UDP"}}, "enum value set: [TCP, HTTP]"),
    ({"NetworkConfiguration": {"EgressConfiguration": {"EgressType": "VPC"}}}, "VpcConnectorArn"),
    ({"AutoScalingConfigurationArn": "arn:aws:apprunner:us-east-2:123456789012:x/none"}, "does not exist"),
    ({"ObservabilityConfiguration": {"ObservabilityEnabled": True}}, "ObservabilityConfigurationArn"),
]


@pytest.mark.parametrize(("more", "text"), REFUSED, ids=[text for _, text in REFUSED])
def test_a_service_that_cannot_be_is_refused(sites: Sites, more: dict[str, Any], text: str) -> None:
    """CreateService: InvalidRequestException for values outside of the model's ranges and enumerations."""
    with refused("InvalidRequestException", text):
        sites.begin(**more)


def test_private_images_need_an_access_role(sites: Sites) -> None:
    """AuthenticationConfiguration: AccessRoleArn "is required for ECR image repositories (but not for ECR Public)"."""
    source = {**sites.source(), "AuthenticationConfiguration": {}}
    with refused("InvalidRequestException", "Authentication configuration is invalid."):
        sites.begin(SourceConfiguration=source)


def test_a_source_is_an_image_or_code(sites: Sites) -> None:
    """SourceConfiguration: "You must provide either this member or ImageRepository, but not both"."""
    with refused("InvalidRequestException", "exactly one of ImageRepository and CodeRepository"):
        sites.begin(SourceConfiguration={**sites.source(), **sites.code(sites.connection())})


def test_roles_must_trust_app_runner(sites: Sites) -> None:
    """Access roles trust build.apprunner.amazonaws.com, instance roles tasks.apprunner.amazonaws.com."""
    other = sites.role("other", "ecs-tasks.amazonaws.com")
    with refused("InvalidRequestException", f"Error in assuming access role {other}"):
        sites.begin(SourceConfiguration=sites.source(role=other))
    with refused("InvalidRequestException", f"Error in assuming instance role {other}"):
        sites.begin(InstanceConfiguration={"InstanceRoleArn": other})


def test_automatic_deployments_are_on_for_private_images_of_the_account(sites: Sites) -> None:
    """AutoDeploymentsEnabled: default true; "false for … ECR Public repository or … a different AWS account"."""
    source = sites.source()
    del source["AutoDeploymentsEnabled"]
    assert sites.begin(SourceConfiguration=source)["SourceConfiguration"]["AutoDeploymentsEnabled"] is True
    public = {"ImageIdentifier": "public.ecr.aws/nginx/nginx:latest", "ImageRepositoryType": "ECR_PUBLIC"}
    service = sites.begin("public", SourceConfiguration={"ImageRepository": public})
    assert service["SourceConfiguration"]["AutoDeploymentsEnabled"] is False
    with refused("InvalidRequestException", "Automatic deployments"):
        sites.begin("more", SourceConfiguration={"ImageRepository": public, "AutoDeploymentsEnabled": True})


def test_a_busy_service_refuses_changes(sites: Sites) -> None:
    """InvalidStateException: "You can't perform this action when the resource is in its current state"."""
    arn = sites.create()["ServiceArn"]
    sites.put(arn, BUSY)  # as AWS's own maintenance does
    state = f"in the current state: {BUSY}."
    for change in (
        lambda: sites.api.update_service(ServiceArn=arn),
        lambda: sites.api.pause_service(ServiceArn=arn),
        lambda: sites.api.delete_service(ServiceArn=arn),
        lambda: sites.api.tag_resource(ResourceArn=arn, Tags=[{"Key": "a", "Value": "b"}]),
        lambda: sites.api.associate_custom_domain(ServiceArn=arn, DomainName="example.com"),
    ):
        with refused("InvalidStateException", state):
            change()
    with refused("InvalidRequestException", BUSY):
        sites.api.start_deployment(ServiceArn=arn)


def test_a_paused_service_serves_nothing_and_resumes_at_the_same_address(sites: Sites) -> None:
    """PauseService: "App Runner reduces compute capacity … to zero"; ResumeService; the URL stays."""
    service = sites.create()
    arn = service["ServiceArn"]
    begun = sites.api.pause_service(ServiceArn=arn)
    assert begun["Service"]["Status"] == BUSY
    assert sites.settled(arn)["Status"] == "PAUSED"
    assert sites.get(service).status_code == 404
    for change in (sites.api.update_service, sites.api.pause_service):
        with refused("InvalidStateException", "in the current state: PAUSED."):
            change(ServiceArn=arn)
    with refused("InvalidRequestException", "PAUSED"):
        sites.api.start_deployment(ServiceArn=arn)
    sites.api.tag_resource(ResourceArn=arn, Tags=[{"Key": "a", "Value": "b"}])
    sites.api.resume_service(ServiceArn=arn)
    assert sites.settled(arn)["ServiceUrl"] == service["ServiceUrl"]
    assert sites.get(service).text == "web_app"
    assert sites.operations(arn)[:2] == [("RESUME_SERVICE", "SUCCEEDED"), ("PAUSE_SERVICE", "SUCCEEDED")]


def test_a_paused_service_can_be_deleted(sites: Sites) -> None:
    """DeleteService is among the actions that a paused service takes."""
    arn = sites.create()["ServiceArn"]
    sites.api.pause_service(ServiceArn=arn)
    sites.settled(arn)
    sites.api.delete_service(ServiceArn=arn)
    assert sites.settled(arn)["Status"] == "DELETED"


def test_a_failed_creation_leaves_a_service_that_an_update_mends(sites: Sites) -> None:
    """CREATE_FAILED: "The service failed to create. … update the service", or delete it."""
    broken = sites.create(SourceConfiguration=sites.source(RuntimeEnvironmentVariables=ENDS))
    arn = broken["ServiceArn"]
    assert broken["Status"] == "CREATE_FAILED"
    assert sites.operations(arn) == [("CREATE_SERVICE", "FAILED")]
    with refused("InvalidStateException"):
        sites.api.pause_service(ServiceArn=arn)
    sites.api.update_service(ServiceArn=arn, SourceConfiguration=sites.source())
    assert sites.settled(arn)["Status"] == "RUNNING"


def test_a_failed_update_rolls_back(sites: Sites) -> None:
    """OperationSummary: ROLLBACK_SUCCEEDED; the service is RUNNING with what it was before."""
    service = sites.create()
    arn = service["ServiceArn"]
    sites.api.update_service(
        ServiceArn=arn, SourceConfiguration=sites.source(RuntimeEnvironmentVariables={"EXIT_CODE": "3"})
    )
    after = sites.settled(arn)
    assert after["Status"] == "RUNNING"
    assert sites.operations(arn)[0] == ("UPDATE_SERVICE", "ROLLBACK_SUCCEEDED")
    assert after["SourceConfiguration"] == service["SourceConfiguration"]
    assert sites.get(service).text == "web_app"


def test_an_update_changes_what_it_names_and_nothing_else(sites: Sites) -> None:
    """UpdateService: "The source configuration … Skip to keep"."""
    service = sites.create(HealthCheckConfiguration={"Protocol": "HTTP", "Path": "/health"})
    arn = service["ServiceArn"]
    sites.api.update_service(
        ServiceArn=arn, SourceConfiguration=sites.source(RuntimeEnvironmentVariables={"VERSION": "two"})
    )
    after = sites.settled(arn)
    assert sites.get(service).text == "two"
    assert after["HealthCheckConfiguration"]["Path"] == "/health"


def test_a_deployment_takes_the_image_that_the_tag_names_now(sites: Sites) -> None:
    """StartDeployment: "Initiate a manual deployment of the latest commit … or the latest image"."""
    service = sites.create()
    push(sites.process.client("ecr"), web_app(VERSION="two"))
    operation = sites.api.start_deployment(ServiceArn=service["ServiceArn"])["OperationId"]
    sites.settled(service["ServiceArn"])
    newest = sites.api.list_operations(ServiceArn=service["ServiceArn"])["OperationSummaryList"][0]
    assert (newest["Id"], newest["Type"], newest["Status"]) == (operation, "START_DEPLOYMENT", "SUCCEEDED")
    assert sites.get(service).text == "two"


def test_a_pushed_image_is_deployed_where_automatic_deployments_are_on(sites: Sites) -> None:
    """AutoDeploymentsEnabled: "each … image version push to your image repository … is automatically deployed"."""
    service = sites.create(SourceConfiguration={**sites.source(), "AutoDeploymentsEnabled": True})
    push(sites.process.client("ecr"), web_app(VERSION="two"))
    eventually(lambda: sites.get(service).text == "two")
    eventually(lambda: sites.operations(service["ServiceArn"])[0] == ("START_DEPLOYMENT", "SUCCEEDED"))


def test_listings_come_in_pages(sites: Sites) -> None:
    """ListServices and ListOperations: MaxResults 1 to 20, NextToken."""
    for name in ("site-a", "site-b"):
        sites.begin(name)
    first = sites.api.list_services(MaxResults=1)
    second = sites.api.list_services(MaxResults=1, NextToken=first["NextToken"])
    names = [page["ServiceSummaryList"][0]["ServiceName"] for page in (first, second)]
    assert (names, "NextToken" in second) == (["site-a", "site-b"], False)
    with refused("InvalidRequestException", "less than or equal to 20"):
        sites.api.list_services(MaxResults=21)


def test_encryption_is_shown_and_cannot_be_changed(sites: Sites) -> None:
    """EncryptionConfiguration: "An optional custom encryption key"; UpdateService has no such member."""
    key = "arn:aws:kms:us-east-2:123456789012:key/12345678-1234-1234-1234-123456789012"
    assert sites.begin(EncryptionConfiguration={"KmsKey": key})["EncryptionConfiguration"] == {"KmsKey": key}
    assert "EncryptionConfiguration" not in sites.begin("other")
