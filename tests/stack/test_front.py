"""The front door: a distribution before an internal load balancer, made in order, put right, and taken away again."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from lobster_tasks.aws import Aws
from tests.clocks import PatientClock
from tests.embedded.fronted import SERVICE_GROUP
from tests.embedded_process import EmbeddedProcess, eventually, start

from .stand import Stand

SPEED = 200.0
KINDS = ("listener", "target-group", "vpc-origin", "distribution", "security-group-rule")
DISTRIBUTION, ORIGIN = "distribution/lobster-us-east-2", "vpc-origin/lobster-us-east-2"
RULE, GROUP = "security-group-rule/lobster-alb-sg:80", "security-group/lobster-alb-sg"


@pytest.fixture(scope="module")
def swift() -> Iterator[EmbeddedProcess]:
    """An embedded AWS of its own, where minutes are nothing."""
    with start(speed=SPEED, boot_allowance=2) as running:
        yield running


@pytest.fixture(scope="module")
def door(swift: EmbeddedProcess) -> Aws:
    """The library's door to it."""
    keys = {"aws_access_key_id": "AKIAEXAMPLE", "aws_secret_access_key": "example"}
    return Aws("us-east-2", endpoint_url=swift.url, credentials=keys, clock=PatientClock(speed=SPEED))


@pytest.fixture
def account(swift: EmbeddedProcess, door: Aws) -> Aws:
    """An account in which nothing is."""
    swift.reset()
    return door


def stand(aws: Aws, **more: Any) -> Stand:
    """The load balancer and everything of CloudFront."""
    return Stand.of(aws, *KINDS, **{"front": {"kind": "cloudfront"}, **more})


def test_it_is_made_in_aws_order_and_taken_away_in_that_order(account: Aws, swift: EmbeddedProcess) -> None:
    made = stand(account)
    swift.forget_calls()
    made.converge()
    told = [call["operation"] for call in swift.calls(mutating=True)]
    order = ["CreateLoadBalancer", "CreateVpcOrigin", "CreateDistributionWithTags"]
    assert [each for each in told if each in order] == order
    rules = [each for each in told if each.endswith("SecurityGroupIngress")]
    assert rules == [
        "AuthorizeSecurityGroupIngress",
        "AuthorizeSecurityGroupIngress",
        "RevokeSecurityGroupIngress",
    ]
    swift.forget_calls()
    made.remove()
    told = [call["operation"] for call in swift.calls(mutating=True) if call["status"] < 300]
    order = [
        "UpdateDistribution",
        "DeleteDistribution",
        "DeleteVpcOrigin",
        "DeleteLoadBalancer",
        "DeleteSecurityGroup",
    ]
    assert [each for each in told if each in order] == order
    cloudfront = swift.client("cloudfront")
    assert cloudfront.list_distributions()["DistributionList"]["Quantity"] == 0
    assert cloudfront.list_vpc_origins()["VpcOriginList"]["Quantity"] == 0
    named = [{"Name": "group-name", "Values": [SERVICE_GROUP]}]
    eventually(lambda: not swift.client("ec2").describe_security_groups(Filters=named)["SecurityGroups"])
