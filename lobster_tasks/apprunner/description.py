"""The description of an App Runner service and its companion resources. Pure data.

Answers of AWS are as the service sends them (App Runner API reference, "Service", "AutoScalingConfiguration",
"VpcConnector", …). The value of a secret is never part of it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

AwsDict = Mapping[str, Any]
# The target of a subnet's default route: an internet gateway, a NAT gateway, another one, or none.
DefaultRoute = Literal["internet", "nat", "other", ""]


@dataclass(frozen=True)
class RoleFacts:
    """An IAM role with its permissions; ``found`` is false where it does not exist."""

    arn: str
    found: bool = True
    inline: Mapping[str, AwsDict] = field(default_factory=dict)
    managed: tuple[str, ...] = ()
    boundary: str = ""

    @property
    def name(self) -> str:
        """The role's name, without its path."""
        return self.arn.rpartition("/")[2]


@dataclass(frozen=True)
class SecretFacts:
    """The source of a variable's value; ``found`` is None where it cannot be read, ``key`` is a KMS key's ARN."""

    name: str
    source: str
    found: bool | None
    key: str = ""
    unknown: str = ""


@dataclass(frozen=True)
class ImageFacts:
    """The image of a service; ``registry`` is an account's number, empty for ECR Public.

    ``digest`` is the tag's current one, ``images`` the number of images in the repository (None: unknown), ``stack``
    the stack that the repository belongs to, if any.
    """

    repository: str
    registry: str = ""
    region: str = ""
    tag: str = ""
    digest: str = ""
    images: int | None = None
    stack: str = ""


@dataclass(frozen=True)
class Subnet:
    """A subnet, its Availability Zone, the target of its default route, and whether it has an IPv6 block."""

    id: str
    zone: str
    way: DefaultRoute
    ipv6: bool = False


@dataclass(frozen=True)
class Vpc:
    """A VPC with all its subnets.

    ``endpoints`` are the services (``ecr.api``) that the connector's subnets reach by a VPC endpoint.
    """

    id: str
    is_default: bool
    subnets: tuple[Subnet, ...]
    endpoints: frozenset[str] = frozenset()

    def named(self, ids: tuple[str, ...]) -> tuple[Subnet, ...]:
        """The subnets with these ids."""
        return tuple(each for each in self.subnets if each.id in ids)


@dataclass(frozen=True)
class Answers:
    """The running service's answers: whether it is a Streamlit app (``/_stcore/health`` answers ok)."""

    streamlit: bool
    root: int | None = None


@dataclass(frozen=True)
class Description:
    """Everything about one service. ``unknown`` says what could not be read, and why.

    ``vpc`` is that of the connector or of the ingress connection, otherwise the default VPC; None where there is
    none. ``source_file`` is the project's ``apprunner.yaml``, where the service is built from it. ``active_hours``
    are instance hours per month in which it handled requests. ``lifted`` are variables whose values have been moved
    to Secrets Manager, each with the ARN of its secret.
    """

    service: AwsDict = field(repr=False)  # with variables that may be secrets
    account: str
    region: str
    tags: Mapping[str, str] = field(default_factory=dict)
    scaling: AwsDict = field(default_factory=dict)
    connector: AwsDict | None = None
    ingress: tuple[AwsDict, ...] = ()
    observability: AwsDict | None = None
    connection: AwsDict | None = None
    domains: AwsDict = field(default_factory=dict)
    operations: tuple[AwsDict, ...] = ()
    instance_role: RoleFacts | None = None
    access_role: RoleFacts | None = None
    secrets: tuple[SecretFacts, ...] = ()
    image: ImageFacts | None = None
    vpc: Vpc | None = None
    ingress_vpc: str = ""
    web_acl: str = ""
    log_groups: Mapping[str, int | None] = field(default_factory=dict)
    answers: Answers | None = None
    source_file: AwsDict | None = field(default=None, repr=False)
    active_hours: float | None = None
    lifted: Mapping[str, str] = field(default_factory=dict)
    unknown: Mapping[str, str] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """ServiceName."""
        return str(self.service["ServiceName"])

    @property
    def arn(self) -> str:
        """ServiceArn."""
        return str(self.service["ServiceArn"])

    @property
    def status(self) -> str:
        """Status."""
        return str(self.service["Status"])

    @property
    def is_public(self) -> bool:
        """Whether the service is publicly accessible."""
        ingress = self.service.get("NetworkConfiguration", {}).get("IngressConfiguration", {})
        return bool(ingress.get("IsPubliclyAccessible", True))

    @property
    def configuration(self) -> AwsDict:
        """ImageConfiguration, or CodeConfigurationValues or ``apprunner.yaml``, which have the same members."""
        source = self.service["SourceConfiguration"]
        image = source.get("ImageRepository", {}).get("ImageConfiguration", {})
        code = (
            source.get("CodeRepository", {}).get("CodeConfiguration", {}).get("CodeConfigurationValues", {})
        )
        return {**code, **(self.source_file or {}), **image}
