"""App Runner services: what is created, described, listed, paused, changed and deleted, and in which states."""

from __future__ import annotations

import re
from typing import Any

import pytest

from tests.embedded.apprunner_stack import BUSY, Sites
from tests.embedded.refusals import refused
from tests.embedded_process import EmbeddedProcess


@pytest.fixture
def sites(quick_process: EmbeddedProcess) -> Sites:
    """App Runner, empty."""
    quick_process.reset()
    return Sites(quick_process)


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
