"""What stands beside App Runner services: configurations, connectors, connections, ingress connections, tags."""

from __future__ import annotations

import re
from typing import Any

import pytest
import requests

from tests.embedded.apprunner_stack import Sites
from tests.embedded.refusals import refused
from tests.embedded_process import PATIENCE, eventually

PRIVATE = {"IngressConfiguration": {"IsPubliclyAccessible": False}}


def scaling(sites: Sites, name: str = "busy", **more: Any) -> dict[str, Any]:
    """CreateAutoScalingConfiguration."""
    made = sites.api.create_auto_scaling_configuration(AutoScalingConfigurationName=name, **more)
    return dict(made["AutoScalingConfiguration"])


def described(sites: Sites, arn: str) -> dict[str, Any]:
    """DescribeAutoScalingConfiguration."""
    found = sites.api.describe_auto_scaling_configuration(AutoScalingConfigurationArn=arn)
    return dict(found["AutoScalingConfiguration"])


def test_every_account_has_a_default_auto_scaling_configuration(sites: Sites) -> None:
    """DefaultConfiguration, revision 1: MaxConcurrency 100, MinSize 1, MaxSize 25."""
    (found,) = sites.api.list_auto_scaling_configurations()["AutoScalingConfigurationSummaryList"]
    assert (found["AutoScalingConfigurationName"], found["IsDefault"]) == ("DefaultConfiguration", True)
    whole = described(sites, found["AutoScalingConfigurationArn"])
    assert (whole["MaxConcurrency"], whole["MinSize"], whole["MaxSize"]) == (100, 1, 25)
    assert found["AutoScalingConfigurationArn"].endswith("/DefaultConfiguration/1/" + "1".zfill(32))


def test_a_name_gets_revisions(sites: Sites) -> None:
    """CreateAutoScalingConfiguration: "call it again with the same name" gives the next revision; Latest says which."""
    first, second = scaling(sites, MinSize=2), scaling(sites, MaxConcurrency=7)
    revisions = [one["AutoScalingConfigurationRevision"] for one in (first, second)]
    assert revisions == [1, 2]
    assert [described(sites, one["AutoScalingConfigurationArn"])["Latest"] for one in (first, second)] == [
        False,
        True,
    ]
    assert (second["MinSize"], second["MaxConcurrency"], second["MaxSize"]) == (1, 7, 25)


@pytest.mark.parametrize(
    ("asked", "revisions"), [({}, [2]), ({"LatestOnly": True}, [2]), ({"LatestOnly": False}, [1, 2])]
)
def test_a_listing_has_the_latest_revisions_unless_all_are_asked_for(
    sites: Sites, asked: dict[str, bool], revisions: list[int]
) -> None:
    """LatestOnly: "Set to false to list all revisions for each requested configuration name. Default: true"."""
    for _ in range(2):
        scaling(sites)
        sites.api.create_observability_configuration(ObservabilityConfigurationName="traced")
    listed = sites.api.list_auto_scaling_configurations(AutoScalingConfigurationName="busy", **asked)
    found = listed["AutoScalingConfigurationSummaryList"]
    assert [one["AutoScalingConfigurationRevision"] for one in found] == revisions
    listed = sites.api.list_observability_configurations(ObservabilityConfigurationName="traced", **asked)
    found = listed["ObservabilityConfigurationSummaryList"]
    assert [one["ObservabilityConfigurationRevision"] for one in found] == revisions


def test_the_status_of_an_auto_scaling_configuration_has_small_letters(sites: Sites) -> None:
    """The model says ACTIVE; AWS sends ``active``, which is what terraform-provider-aws waits for.

    Source: its internal/service/apprunner/auto_scaling_configuration_version.go, whose statuses are "active" and
    "inactive".
    """
    made = scaling(sites)
    assert (made["Status"], described(sites, made["AutoScalingConfigurationArn"])["Status"]) == (
        "active",
        "active",
    )
    listed = sites.api.list_auto_scaling_configurations()["AutoScalingConfigurationSummaryList"]
    assert {one["Status"] for one in listed} == {"active"}
    service = sites.create(AutoScalingConfigurationArn=made["AutoScalingConfigurationArn"])
    assert service["AutoScalingConfigurationSummary"]["Status"] == "active"


def test_partial_arns_name_a_revision_or_the_latest(sites: Sites) -> None:
    """AutoScalingConfigurationArn: "…/name/revision", or "…/name" for the latest."""
    arns = [scaling(sites)["AutoScalingConfigurationArn"] for _ in range(2)]
    base = arns[0].rsplit("/", 2)[0]
    assert described(sites, base)["AutoScalingConfigurationArn"] == arns[1]
    assert described(sites, f"{base}/1")["AutoScalingConfigurationArn"] == arns[0]


def test_sizes_that_contradict_each_other_are_refused(sites: Sites) -> None:
    """MinSize is at most MaxSize; MaxConcurrency 1 to 200."""
    with refused("InvalidRequestException", "MinSize"):
        scaling(sites, MinSize=3, MaxSize=2)
    with refused("InvalidRequestException", "less than or equal to 200"):
        scaling(sites, MaxConcurrency=201)


def test_a_configuration_in_use_cannot_be_deleted(sites: Sites) -> None:
    """DeleteAutoScalingConfiguration: "You can't delete … one that's used by one or more App Runner services"."""
    used = scaling(sites)["AutoScalingConfigurationArn"]
    service = sites.create(AutoScalingConfigurationArn=used)
    assert described(sites, used)["HasAssociatedService"] is True
    listed = sites.api.list_services_for_auto_scaling_configuration(AutoScalingConfigurationArn=used)
    assert listed["ServiceArnList"] == [service["ServiceArn"]]
    with refused("InvalidRequestException", "is in use"):
        sites.api.delete_auto_scaling_configuration(AutoScalingConfigurationArn=used)
    sites.api.delete_service(ServiceArn=service["ServiceArn"])
    sites.settled(service["ServiceArn"])
    gone = sites.api.delete_auto_scaling_configuration(AutoScalingConfigurationArn=used)
    assert gone["AutoScalingConfiguration"]["Status"] == "inactive"
    with refused("ResourceNotFoundException"):
        described(sites, used)


def test_all_revisions_can_be_deleted_at_once(sites: Sites) -> None:
    """DeleteAllRevisions: "Set to true to delete all of the revisions"."""
    for _ in range(2):
        arn = scaling(sites)["AutoScalingConfigurationArn"]
    sites.api.delete_auto_scaling_configuration(AutoScalingConfigurationArn=arn, DeleteAllRevisions=True)
    found = sites.api.list_auto_scaling_configurations(AutoScalingConfigurationName="busy")
    assert found["AutoScalingConfigurationSummaryList"] == []


def test_another_configuration_can_be_the_default(sites: Sites) -> None:
    """UpdateDefaultAutoScalingConfiguration: new services have it; the default "can't" be deleted."""
    arn = scaling(sites)["AutoScalingConfigurationArn"]
    sites.api.update_default_auto_scaling_configuration(AutoScalingConfigurationArn=arn)
    assert sites.begin()["AutoScalingConfigurationSummary"]["AutoScalingConfigurationArn"] == arn
    with refused("InvalidRequestException", "default"):
        sites.api.delete_auto_scaling_configuration(AutoScalingConfigurationArn=arn)


def test_quotas_hold(sites: Sites) -> None:
    """ "Auto scaling configurations … revisions per name: 5": ServiceQuotaExceededException."""
    for _ in range(5):
        scaling(sites)
    with refused("ServiceQuotaExceededException"):
        scaling(sites)


def test_observability_configurations_are_kept_in_revisions(sites: Sites) -> None:
    """CreateObservabilityConfiguration, with TraceConfiguration.Vendor AWSXRAY; a service names it."""
    made = sites.api.create_observability_configuration(
        ObservabilityConfigurationName="traced", TraceConfiguration={"Vendor": "AWSXRAY"}
    )["ObservabilityConfiguration"]
    arn = made["ObservabilityConfigurationArn"]
    assert (made["ObservabilityConfigurationRevision"], made["Latest"], made["Status"]) == (1, True, "ACTIVE")
    named = {"ObservabilityEnabled": True, "ObservabilityConfigurationArn": arn.rsplit("/", 2)[0]}
    service = sites.begin(ObservabilityConfiguration=named)
    assert service["ObservabilityConfiguration"]["ObservabilityConfigurationArn"] == arn
    with refused("InvalidRequestException", "is in use"):
        sites.api.delete_observability_configuration(ObservabilityConfigurationArn=arn)
    (listed,) = sites.api.list_observability_configurations()["ObservabilityConfigurationSummaryList"]
    assert listed["ObservabilityConfigurationArn"] == arn


def network(sites: Sites) -> tuple[str, str]:
    """A VPC and a subnet of it."""
    ec2 = sites.process.client("ec2")
    vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    return vpc, ec2.create_subnet(VpcId=vpc, CidrBlock="10.0.1.0/24")["Subnet"]["SubnetId"]


def test_a_connector_joins_subnets_of_one_vpc(sites: Sites) -> None:
    """CreateVpcConnector: "the default security group of the Amazon VPC" unless groups are given; no VpcId."""
    vpc, subnet = network(sites)
    made = sites.api.create_vpc_connector(VpcConnectorName="inside", Subnets=[subnet])["VpcConnector"]
    groups = sites.process.client("ec2").describe_security_groups(
        Filters=[{"Name": "vpc-id", "Values": [vpc]}, {"Name": "group-name", "Values": ["default"]}]
    )["SecurityGroups"]
    assert made["SecurityGroups"] == [groups[0]["GroupId"]]
    assert (made["VpcConnectorRevision"], made["Status"], "VpcId" in made) == (1, "ACTIVE", False)
    other = network(sites)[1]
    for subnets, text in (([subnet, other], "one VPC"), (["subnet-0"], "do not exist")):
        with refused("InvalidRequestException", text):
            sites.api.create_vpc_connector(VpcConnectorName="across", Subnets=subnets)


def test_a_connector_in_use_cannot_be_deleted(sites: Sites) -> None:
    """DeleteVpcConnector: "You can't delete a connector that's used by one or more App Runner services"."""
    connector = sites.api.create_vpc_connector(VpcConnectorName="inside", Subnets=[network(sites)[1]])
    arn = connector["VpcConnector"]["VpcConnectorArn"]
    egress = {"EgressConfiguration": {"EgressType": "VPC", "VpcConnectorArn": arn}}
    service = sites.create(NetworkConfiguration=egress)
    assert sites.get(service).ok
    with refused("InvalidRequestException", "is in use"):
        sites.api.delete_vpc_connector(VpcConnectorArn=arn)


def test_a_connection_waits_for_its_handshake(sites: Sites) -> None:
    """CreateConnection: PENDING_HANDSHAKE "until you complete the authentication handshake" in the console."""
    made = sites.api.create_connection(ConnectionName="github", ProviderType="GITHUB")["Connection"]
    assert made["Status"] == "PENDING_HANDSHAKE"
    arn = made["ConnectionArn"]
    with refused("InvalidRequestException", "is not in AVAILABLE status"):
        sites.begin(SourceConfiguration=sites.code(arn))
    sites.put(arn, "AVAILABLE")
    (listed,) = sites.api.list_connections()["ConnectionSummaryList"]
    assert listed["Status"] == "AVAILABLE"
    assert sites.api.delete_connection(ConnectionArn=arn)["Connection"]["Status"] == "DELETED"


def ingress(sites: Sites, service: dict[str, Any]) -> str:
    """CreateVpcIngressConnection to a VPC endpoint of App Runner."""
    vpc, subnet = network(sites)
    endpoint = sites.process.client("ec2").create_vpc_endpoint(
        VpcId=vpc,
        ServiceName="com.amazonaws.us-east-2.apprunner.requests",
        VpcEndpointType="Interface",
        SubnetIds=[subnet],
        PrivateDnsEnabled=False,
    )["VpcEndpoint"]["VpcEndpointId"]
    made = sites.api.create_vpc_ingress_connection(
        ServiceArn=service["ServiceArn"],
        VpcIngressConnectionName="inside",
        IngressVpcConfiguration={"VpcId": vpc, "VpcEndpointId": endpoint},
    )["VpcIngressConnection"]
    assert made["Status"] == "PENDING_CREATION"
    return str(made["VpcIngressConnectionArn"])


def state(sites: Sites, arn: str) -> str:
    """The status of an ingress connection."""
    found = sites.api.describe_vpc_ingress_connection(VpcIngressConnectionArn=arn)
    return str(found["VpcIngressConnection"]["Status"])


def test_a_private_service_is_reached_through_an_ingress_connection(sites: Sites) -> None:
    """IsPubliclyAccessible false: reachable "only from within an Amazon VPC", through a VPC ingress connection."""
    service = sites.create(NetworkConfiguration=PRIVATE)
    assert sites.get(service).status_code == 404
    arn = ingress(sites, service)
    eventually(lambda: state(sites, arn) == "AVAILABLE")
    assert sites.get(service).text == "web_app"


def test_ingress_connections_are_deleted_before_their_service(sites: Sites) -> None:
    """DeleteService: "Make sure that you don't have any active VPCIngressConnections associated"."""
    service = sites.create(NetworkConfiguration=PRIVATE)
    arn = ingress(sites, service)
    eventually(lambda: state(sites, arn) == "AVAILABLE")
    with refused("InvalidStateException", "VPC ingress connections"):
        sites.api.delete_service(ServiceArn=service["ServiceArn"])
    assert sites.api.delete_vpc_ingress_connection(VpcIngressConnectionArn=arn)["VpcIngressConnection"][
        "Status"
    ] in ("PENDING_DELETION", "DELETED")

    def listed() -> list[Any]:
        found = sites.api.list_vpc_ingress_connections(Filter={"ServiceArn": service["ServiceArn"]})
        return list(found["VpcIngressConnectionSummaryList"])

    eventually(lambda: not listed())
    sites.api.delete_service(ServiceArn=service["ServiceArn"])
    assert sites.settled(service["ServiceArn"])["Status"] == "DELETED"


def test_a_public_service_takes_no_ingress_connection(sites: Sites) -> None:
    """CreateVpcIngressConnection is for a service that is not publicly accessible."""
    with refused("InvalidRequestException", "publicly accessible"):
        ingress(sites, sites.create())


def test_everything_with_an_arn_has_tags(sites: Sites) -> None:
    """TagResource, UntagResource, ListTagsForResource; keys do not begin with "aws:"."""
    service = sites.create(Tags=[{"Key": "team", "Value": "web"}])["ServiceArn"]
    other = scaling(sites, Tags=[{"Key": "team", "Value": "web"}])["AutoScalingConfigurationArn"]
    for arn in (service, other):
        sites.api.tag_resource(ResourceArn=arn, Tags=[{"Key": "stage", "Value": "test"}])
        sites.api.untag_resource(ResourceArn=arn, TagKeys=["team"])
        assert sites.api.list_tags_for_resource(ResourceArn=arn)["Tags"] == [
            {"Key": "stage", "Value": "test"}
        ]
    with refused("InvalidRequestException", "tags.1.member.key"):
        sites.api.tag_resource(ResourceArn=service, Tags=[{"Key": "aws:x", "Value": ""}])
    with refused("ResourceNotFoundException"):
        sites.api.list_tags_for_resource(ResourceArn=service[:-1] + "x")


@pytest.mark.parametrize(
    ("kind", "pattern"),
    [
        ("vpcconnector", r"vpcconnector/name/1/[0-9a-f]{32}"),
        ("connection", r"connection/name/[0-9a-f]{32}"),
        ("observabilityconfiguration", r"observabilityconfiguration/name/1/[0-9a-f]{32}"),
    ],
)
def test_arns_have_app_runners_forms(sites: Sites, kind: str, pattern: str) -> None:
    """Resource types of the Service Authorization Reference: with a revision where there are revisions."""
    create = {
        "vpcconnector": lambda: sites.api.create_vpc_connector(
            VpcConnectorName="name", Subnets=[network(sites)[1]]
        )["VpcConnector"]["VpcConnectorArn"],
        "connection": lambda: sites.api.create_connection(ConnectionName="name", ProviderType="GITHUB")[
            "Connection"
        ]["ConnectionArn"],
        "observabilityconfiguration": lambda: sites.api.create_observability_configuration(
            ObservabilityConfigurationName="name"
        )["ObservabilityConfiguration"]["ObservabilityConfigurationArn"],
    }
    assert re.fullmatch(f"arn:aws:apprunner:us-east-2:123456789012:{pattern}", create[kind]())


def test_all_37_operations_are_answered(sites: Sites) -> None:
    """The API Reference lists 37 operations; each asks for what its request requires."""
    names = sites.api.meta.service_model.operation_names
    scope = "Credential=x/20260101/us-east-2/apprunner/aws4_request"
    signed = {"Authorization": f"AWS4-HMAC-SHA256 {scope}, SignedHeaders=host, Signature=0"}
    codes = set()
    for name in names:
        headers = {
            **signed,
            "X-Amz-Target": f"AppRunner.{name}",
            "Content-Type": "application/x-amz-json-1.0",
        }
        answer = requests.post(sites.process.url, headers=headers, data="{}", timeout=PATIENCE)
        codes.add(answer.json().get("__type", "answered").rpartition("#")[2])
    assert (len(names), codes) == (37, {"answered", "InvalidRequestException"})
