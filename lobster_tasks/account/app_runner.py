"""Reads App Runner services."""

from __future__ import annotations

from typing import Any

from ..aws import Aws

_GONE = ("ResourceNotFoundException",)
_DELETED = "DELETED"
# App Runner, "AWS App Runner endpoints and quotas".
APP_RUNNER_REGIONS = (
    *(
        "us-east-1",
        "us-east-2",
        "us-west-2",
        "ap-northeast-1",
        "ap-south-1",
        "ap-southeast-1",
        "ap-southeast-2",
    ),
    *("eu-central-1", "eu-west-1", "eu-west-2", "eu-west-3"),
)


def list_app_runner_services(aws: Aws) -> list[dict[str, Any]]:
    """ListServices: the region's services without deleted ones. Raises AwsCallError."""
    listed = aws.pages("apprunner:ListServices", "ServiceSummaryList", f"App Runner services in {aws.region}")
    return [each for each in listed if each["Status"] != _DELETED]


def describe_app_runner_services(aws: Aws, *, but: str = "") -> list[dict[str, Any]]:
    """ListServices and DescribeService: the region's services without deleted ones, and without that of the ARN
    ``but``. Raises AwsCallError."""
    arns = [each["ServiceArn"] for each in list_app_runner_services(aws)]
    found = [
        aws.find("apprunner:DescribeService", _GONE, each, ServiceArn=each) for each in arns if each != but
    ]
    return [each["Service"] for each in found if each]
