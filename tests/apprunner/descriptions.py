"""Descriptions of App Runner services, as App Runner gives them, for the pure parts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from lobster_tasks.apprunner.description import Answers, DefaultRoute, Description, ImageFacts, Subnet, Vpc
from lobster_tasks.apprunner.mapping import MappedService, MappingRow, map_service

ACCOUNT, REGION = "123456789012", "us-east-2"
ARN = f"arn:aws:apprunner:{REGION}:{ACCOUNT}:service/shop/0123456789abcdef0123456789abcdef"
REGISTRY = f"{ACCOUNT}.dkr.ecr.{REGION}.amazonaws.com"
IMAGE = ImageFacts("shop", ACCOUNT, REGION, "v1", f"sha256:{'ab' * 32}", 3)
SCALING = {"MinSize": 1, "MaxSize": 25, "MaxConcurrency": 100}


def subnet(name: str, zone: str, way: DefaultRoute = "internet", *, ipv6: bool = False) -> Subnet:
    """A subnet ``subnet-<name>`` in zone ``us-east-2<zone>``."""
    return Subnet(f"subnet-{name}", f"{REGION}{zone}", way, ipv6)


DEFAULT_VPC = Vpc("vpc-1", True, (subnet("a", "a"), subnet("b", "b"), subnet("c", "c")))


def image_source(identifier: str = f"{REGISTRY}/shop:v1", **configuration: Any) -> dict[str, Any]:
    """A SourceConfiguration of an image."""
    kind = "ECR_PUBLIC" if identifier.startswith("public.ecr.aws") else "ECR"
    return {
        "ImageRepository": {
            "ImageIdentifier": identifier,
            "ImageRepositoryType": kind,
            "ImageConfiguration": configuration,
        },
        "AutoDeploymentsEnabled": False,
    }


def code_source(where: str = "API", **values: Any) -> dict[str, Any]:
    """A SourceConfiguration of source code."""
    return {
        "CodeRepository": {
            "RepositoryUrl": "https://github.com/example/shop",
            "SourceCodeVersion": {"Type": "BRANCH", "Value": "main"},
            "SourceDirectory": "/app",
            "CodeConfiguration": {"ConfigurationSource": where, "CodeConfigurationValues": values},
        },
        "AutoDeploymentsEnabled": False,
        "AuthenticationConfiguration": {"ConnectionArn": "arn:aws:apprunner:us-east-2:1:connection/github/1"},
    }


def described(service: Mapping[str, Any] | None = None, **facts: Any) -> Description:
    """A running image service with App Runner's defaults; ``service`` are members that differ."""
    whole: dict[str, Any] = {
        "ServiceName": "shop",
        "ServiceId": "0123456789abcdef0123456789abcdef",
        "ServiceArn": ARN,
        "ServiceUrl": "abcdefghij.us-east-2.awsapprunner.com",
        "Status": "RUNNING",
        "SourceConfiguration": image_source(),
        "InstanceConfiguration": {"Cpu": "1024", "Memory": "2048"},
        "NetworkConfiguration": {
            "EgressConfiguration": {"EgressType": "DEFAULT"},
            "IngressConfiguration": {"IsPubliclyAccessible": True},
            "IpAddressType": "IPV4",
        },
        **(service or {}),
    }
    known = {
        "scaling": SCALING,
        "image": IMAGE,
        "vpc": DEFAULT_VPC,
        "answers": Answers(streamlit=True, root=200),
    }
    return Description(whole, ACCOUNT, REGION, **{**known, **facts})


def mapped(service: Mapping[str, Any] | None = None, **facts: Any) -> MappedService:
    """The mapping of such a service."""
    return map_service(described(service, **facts))


def row(made: MappedService, setting: str) -> MappingRow:
    """The one row whose setting ends so."""
    found = [each for each in made.rows if each.setting == setting or each.setting.endswith(f".{setting}")]
    assert len(found) == 1, [each.setting for each in made.rows]
    return found[0]


def setting(made: MappedService, path: str) -> Any:
    """A setting by its dotted path; None where it is not given."""
    tree: Any = made.settings
    for name in path.split("."):
        tree = tree.get(name) if isinstance(tree, Mapping) else None
    return tree
