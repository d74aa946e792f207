"""A value that makes no sense is the client's fault: AWS answers with 4xx, whatever the operation.

"5xx (server errors)" are of the service: "An error occurred on the AWS side", "4xx (client error)": "the request has a
problem" (AWS General Reference, 'AWS API error codes'). What each service says of the values below is quoted where
the tests of the service are; where it is not known, the words are our own.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import closing
from functools import cache
from html import unescape
from pathlib import Path
from random import Random
from typing import Any

import pytest
from botocore import xform_name

from embedded_aws import services
from embedded_aws.elbv2.checks import whole_action
from embedded_aws.elbv2.sign_in.checks import with_sign_in
from embedded_aws.moto.adapter import AwsError
from tests.embedded.malformed_requests import Wire, model_of, request
from tests.embedded.odd_values import OddValues, send
from tests.embedded_process import EmbeddedProcess

CLASSES = {
    "acm": services.Acm,
    "application-autoscaling": services.ApplicationAutoScaling,
    "apprunner": services.AppRunner,
    "cloudfront": services.CloudFront,
    "ec2": services.Ec2,
    "ecr": services.Ecr,
    "ecs": services.Ecs,
    "elbv2": services.ElasticLoadBalancingV2,
    "iam": services.Iam,
    "logs": services.Logs,
    "resourcegroupstaggingapi": services.Tagging,
    "route53": services.AmazonRoute53,
    "secretsmanager": services.SecretsManager,
    "service-quotas": services.ServiceQuotas,
    "ssm": services.Ssm,
    "sts": services.Sts,
    "wafv2": services.Wafv2,
}


CALLED = re.compile(r'"([a-z0-9-]+):([A-Z]\w+)"')
LIBRARY = Path(__file__).parents[2] / "lobster_tasks"


@cache
def _called() -> frozenset[tuple[str, ...]]:
    """The services and operations that the library names, as it does where it calls them."""
    return frozenset(
        found.groups() for path in LIBRARY.rglob("*.py") for found in CALLED.finditer(path.read_text("utf-8"))
    )


def own_operations(service: str) -> list[str]:
    """The operations that a class of the embedded AWS answers itself, or that the library calls."""
    classes = (each for each in CLASSES[service].__mro__ if each.__module__.startswith("embedded_aws."))
    own = {name for each in classes for name in vars(each)}
    return [
        name
        for name in model_of(service).operation_names
        if xform_name(name) in own or (service, name) in _called()
    ]


@pytest.fixture
def wire(aws: EmbeddedProcess) -> Iterator[Wire]:
    """A connection to an empty embedded AWS."""
    with closing(Wire(aws.url)) as opened:
        yield opened


UNSUPPORTED = "with these values"
"""In the answer where an exception came out of moto: a 400, too, but no answer of AWS's."""


def assert_no_defect(wire: Wire, service: str, operations: list[str], times: int, seed: str) -> None:
    """Send each operation so many requests: no 5xx, and of our own operations no exception from moto."""
    odd = OddValues(Random(seed))
    for listing in ("DescribeVpcs", "DescribeSubnets", "DescribeSecurityGroups"):
        odd.learn(wire.send(request("ec2", listing, {})))
    own = {*own_operations(service)}
    for number in range(times):
        for operation in operations:
            given, answer = send(wire, odd, service, operation)
            told = (f"seed {seed!r}, round {number}", operation, given, answer)
            assert answer.status < 500, told
            assert operation not in own or UNSUPPORTED not in answer.text, told


@pytest.mark.parametrize("service", CLASSES)
def test_no_value_is_a_defect(wire: Wire, service: str) -> None:
    """Of the operations that we answer ourselves, and of some that moto does."""
    assert_no_defect(wire, service, own_operations(service), 8, f"{service} own")
    assert_no_defect(wire, service, model_of(service).operation_names[::10], 1, f"{service} moto's")


@pytest.mark.exhaustive
@pytest.mark.parametrize("service", CLASSES)
@pytest.mark.parametrize("seed", range(5))
def test_no_value_is_a_defect_in_many(wire: Wire, service: str, seed: int) -> None:
    """The same with other values, and all operations."""
    assert_no_defect(wire, service, own_operations(service), 60, f"{service} {seed}")
    assert_no_defect(wire, service, model_of(service).operation_names, 2, f"{service} {seed} all")


LONG = "x" * 20
ODD = [
    (
        "apprunner",
        "CreateConnection",
        {"ConnectionName": "abcd", "ProviderType": "GITHUB", "Tags": [{}]},
        "null",
    ),
    ("ec2", "CreateTags", {"Resources": ["vpc-12345678"], "Tags": [{"Value": "x"}]}, "MissingParameter"),
    ("ecs", "CreateCluster", {"tags": [{"value": "x"}]}, "InvalidParameterException"),
    ("cloudfront", "ListDistributions", {"MaxItems": "abc"}, "InvalidArgument"),
    ("cloudfront", "ListVpcOrigins", {"MaxItems": "0"}, "InvalidArgument"),
    ("logs", "ListTagsForResource", {"resourceArn": "abc"}, "InvalidParameterException"),
    ("logs", "TagResource", {"resourceArn": "abc", "tags": {"a": "b"}}, "InvalidParameterException"),
    ("route53", "ListHostedZones", {"MaxItems": "abc"}, "InvalidInput"),
    ("route53", "ListResourceRecordSets", {"HostedZoneId": "Z1", "MaxItems": "abc"}, "InvalidInput"),
    ("secretsmanager", "DescribeSecret", {"SecretId": "123456789012"}, "ResourceNotFoundException"),
    (
        "secretsmanager",
        "CreateSecret",
        {"Name": "s", "SecretString": "x", "AddReplicaRegions": [{}]},
        "InvalidParameterException",
    ),
    ("wafv2", "ListTagsForResource", {"ResourceARN": LONG}, "A valid ARN begins with arn: and includes"),
    (
        "wafv2",
        "TagResource",
        {"ResourceARN": LONG, "Tags": [{"Key": "a", "Value": "b"}]},
        "WAFInvalidParameterException",
    ),
    ("wafv2", "UntagResource", {"ResourceARN": LONG, "TagKeys": ["a"]}, "WAFInvalidParameterException"),
    *(
        (
            "application-autoscaling",
            "RegisterScalableTarget",
            {
                "ServiceNamespace": "ecs",
                "ResourceId": resource,
                "ScalableDimension": "ecs:service:DesiredCount",
                "MinCapacity": 1,
                "MaxCapacity": 2,
            },
            "Unsupported service namespace, resource type or scalable dimension",
        )
        for resource in ("x", "service/a", "task/a/b", "service//b")
    ),
]


@pytest.mark.parametrize(("service", "operation", "members", "words"), ODD)
def test_these_values_are_refused(
    aws: EmbeddedProcess, wire: Wire, service: str, operation: str, members: dict[str, Any], words: str
) -> None:
    """By code, or in these words.

    "Error reason: The ARN isn't valid. A valid ARN begins with arn: and includes other information separated by colons
    or slashes., field: RESOURCE_ARN" (AWS WAF); "ValidationException: Unsupported service namespace,
    resource type or scalable dimension" (Application Auto Scaling): the words are our own, here and of the others.
    """
    aws.client("secretsmanager").create_secret(Name="Allow", SecretString="x")
    answer = wire.send(request(service, operation, members))
    assert (answer.status, words in unescape(answer.text)) == (400, True), answer
    assert UNSUPPORTED not in answer.text


NEEDED = {
    "redirect": "RedirectConfig",
    "fixed-response": "FixedResponseConfig",
    "authenticate-oidc": "AuthenticateOidcConfig",
    "authenticate-cognito": "AuthenticateCognitoConfig",
}


@pytest.mark.parametrize("kind", NEEDED)
def test_an_action_without_its_settings_is_refused(kind: str) -> None:
    """ "InvalidLoadBalancerAction: For actions of type 'redirect', you must specify the following fields:
    'RedirectConfig'" (hashicorp/terraform, issue 32620)."""
    with pytest.raises(AwsError) as caught:
        with_sign_in([whole_action({"Type": kind, "Order": 1}), *_last(kind)], "HTTPS", [])
    told = f"For actions of type '{kind}', you must specify the following fields: '{NEEDED[kind]}'"
    assert (caught.value.code, caught.value.message) == ("InvalidLoadBalancerAction", told)


def _last(kind: str) -> list[dict[str, Any]]:
    config = {"StatusCode": "200"}
    fixed = {"Type": "fixed-response", "Order": 2, "FixedResponseConfig": config}
    return [fixed] if kind.startswith("authenticate") else []
