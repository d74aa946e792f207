"""Reads everything about an App Runner service into one description. Changes nothing.

A refused call does not stop the others: it is named in ``unknown``. The value of a secret is never read.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

from ..account import BLACKHOLE, default_route_of, endpoint_services
from ..aws import Aws
from ..doctor.check import refusal
from ..doctor.permissions import describe_parameters, describe_secret, key_arn
from ..doctor.references import is_secret, parameter_name, region_of
from ..errors import AwsCallError, LobsterError
from ..image_reference import ecr_image, repository_arn
from ..in_parallel import in_parallel
from ..settings import STACK_TAG
from ..stack.firewall import protecting
from ..stack.resource import tags_of
from . import metrics, service_probe, services
from .description import AwsDict, DefaultRoute, Description, ImageFacts, RoleFacts, SecretFacts, Subnet, Vpc
from .mapping.companion import WEB_ACL
from .source import read_source_file

T = TypeVar("T")
_PUBLIC_REGISTRY = "public.ecr.aws/"
_LOGS = "/aws/apprunner/{ServiceName}/{ServiceId}/"


class Discovery:
    """Reads one service: refused or missing parts are noted in ``unknown``, and have their default."""

    def __init__(self, aws: Aws) -> None:
        self.aws = aws
        self.unknown: dict[str, str] = {}

    def attempt(self, what: str, work: Callable[[], T]) -> T | None:
        """The result of ``work``, or None where AWS refuses it."""
        try:
            return work()
        except AwsCallError as refused:
            self.unknown[what] = refusal(refused)
            return None

    def described(self, operation: str, member: str, **parameters: Any) -> AwsDict | None:
        """One member of an answer of App Runner, with members that botocore does not know."""
        arn = str(next(iter(parameters.values())))

        def ask() -> AwsDict:
            found: AwsDict = self.aws.as_sent(f"apprunner:{operation}", arn, **parameters)[member]
            return found

        return self.attempt(member, ask)


def discover(aws: Aws, given: str, folder: Path | None = None) -> Description:
    """Everything about the service ``given``, a name or an ARN.

    ``folder`` is the project, in which ``apprunner.yaml`` is read. Raises UsageError and RefusedError where
    the service is not clear or is about to change.
    """
    arn = services.find(aws, given)
    service = _service(aws, arn)
    operations = tuple(aws.pages("apprunner:ListOperations", "OperationSummaryList", arn, ServiceArn=arn))
    services.refuse_unsettled(service, operations)
    return _description(Discovery(aws), service, operations, folder)


def _service(aws: Aws, arn: str) -> AwsDict:
    try:
        found: AwsDict = aws.as_sent("apprunner:DescribeService", arn, ServiceArn=arn)["Service"]
    except AwsCallError as refused:
        if refused.code == "ResourceNotFoundException":
            raise services.no_such_arn(arn) from refused
        raise
    return found


def _description(
    discovery: Discovery, service: AwsDict, operations: tuple[AwsDict, ...], folder: Path | None
) -> Description:
    """Read the companion resources, and what they refer to, in parallel."""
    aws, arn = discovery.aws, service["ServiceArn"]
    source, instance = service["SourceConfiguration"], service.get("InstanceConfiguration", {})
    access = source.get("AuthenticationConfiguration", {})
    before = Description(service, aws.account, aws.region, source_file=read_source_file(source, folder))
    (scaling, observability, network, tags, domains, roles, secrets, image, more) = in_parallel(
        lambda: _scaling(discovery, service),
        lambda: _observability(discovery, service),
        lambda: _network(discovery, service),
        lambda: discovery.attempt("Tags", lambda: _tags(aws, arn)) or {},
        lambda: discovery.attempt("CustomDomains", lambda: _domains(aws, arn)) or {},
        lambda: [
            _role(discovery, role_arn)
            for role_arn in (instance.get("InstanceRoleArn"), access.get("AccessRoleArn"))
        ],
        lambda: _secrets(discovery, before.configuration.get("RuntimeEnvironmentSecrets", {})),
        lambda: _image(discovery, source),
        lambda: _companions(discovery, service),
    )
    return replace(
        before,
        tags=tags,
        scaling=scaling,
        observability=observability,
        connection=_connection(discovery, access.get("ConnectionArn")),
        domains=domains,
        operations=operations,
        instance_role=roles[0],
        access_role=roles[1],
        secrets=secrets,
        image=image,
        unknown=discovery.unknown,
        **network,
        **more,
    )


def _scaling(discovery: Discovery, service: AwsDict) -> AwsDict:
    arn = service["AutoScalingConfigurationSummary"]["AutoScalingConfigurationArn"]
    member = "AutoScalingConfiguration"
    return discovery.described(f"Describe{member}", member, AutoScalingConfigurationArn=arn) or {}


def _observability(discovery: Discovery, service: AwsDict) -> AwsDict | None:
    arn = service.get("ObservabilityConfiguration", {}).get("ObservabilityConfigurationArn")
    member = "ObservabilityConfiguration"
    return arn and discovery.described(f"Describe{member}", member, ObservabilityConfigurationArn=arn)


def _tags(aws: Aws, arn: str) -> dict[str, str]:
    answer = aws.call("apprunner:ListTagsForResource", arn, ResourceArn=arn)
    return {tag["Key"]: tag.get("Value", "") for tag in answer["Tags"]}


def _domains(aws: Aws, arn: str) -> AwsDict:
    """All pages as one answer; a service has five domains at most."""
    page = aws.as_sent("apprunner:DescribeCustomDomains", arn, ServiceArn=arn)
    found = dict(page)
    while token := page.get("NextToken"):
        page = aws.as_sent("apprunner:DescribeCustomDomains", arn, ServiceArn=arn, NextToken=token)
        found["CustomDomains"] = [*found["CustomDomains"], *page["CustomDomains"]]
    return {member: value for member, value in found.items() if member != "NextToken"}


def _connection(discovery: Discovery, arn: str | None) -> AwsDict | None:
    """The connection to the source code's host, which can only be listed, not described."""
    if not arn:
        return None

    def look() -> AwsDict | None:
        every = discovery.aws.pages("apprunner:ListConnections", "ConnectionSummaryList", arn)
        return next((each for each in every if each["ConnectionArn"] == arn), None)

    return discovery.attempt("Connection", look)


def _role(discovery: Discovery, arn: str | None) -> RoleFacts | None:
    """A role's permissions; ``found`` is false where it does not exist."""
    if not arn:
        return None
    name = arn.rpartition("/")[2]
    return discovery.attempt(f"role {name}", lambda: _permissions(discovery.aws, arn, name)) or RoleFacts(arn)


def _permissions(aws: Aws, arn: str, name: str) -> RoleFacts:
    found = aws.find("iam:GetRole", ("NoSuchEntity",), name, RoleName=name)
    if found is None:
        return RoleFacts(arn, found=False)
    inline = {}
    for policy in aws.pages("iam:ListRolePolicies", "PolicyNames", name, RoleName=name):
        asked = {"RoleName": name, "PolicyName": policy}
        inline[policy] = aws.call("iam:GetRolePolicy", name, **asked)["PolicyDocument"]
    attached = aws.pages("iam:ListAttachedRolePolicies", "AttachedPolicies", name, RoleName=name)
    boundary = found["Role"].get("PermissionsBoundary", {}).get("PermissionsBoundaryArn", "")
    managed = tuple(sorted(each["PolicyArn"] for each in attached))
    return RoleFacts(arn, inline=inline, managed=managed, boundary=boundary)


def _secrets(discovery: Discovery, named: Mapping[str, str]) -> tuple[SecretFacts, ...]:
    """Whether each secret and parameter exists, and its key."""
    here = {name: source for name, source in named.items() if region_of(source) in ("", discovery.aws.region)}
    parameters = {name: source for name, source in here.items() if not is_secret(source)}
    found = [
        *(_secret(discovery.aws, name, source) for name, source in here.items() if is_secret(source)),
        *_parameters(discovery, parameters),
        *(
            SecretFacts(name, source, None, unknown=f"it is in {region_of(source)}")
            for name, source in named.items()
            if name not in here
        ),
    ]
    return tuple(sorted(found, key=lambda each: each.name))


def _secret(aws: Aws, name: str, source: str) -> SecretFacts:
    seen = describe_secret(aws, name, source)
    return SecretFacts(name, source, seen.found, _key(aws, seen.key), seen.unknown)


def _key(aws: Aws, key: str) -> str:
    """The key of an alias, since IAM policies need keys; empty for an AWS managed key."""
    if ":alias/" not in key:
        return key
    try:
        found = aws.find("kms:DescribeKey", ("NotFoundException",), key, KeyId=key)
    except AwsCallError:
        return key
    described = (found or {}).get("KeyMetadata", {})
    return "" if described.get("KeyManager") == "AWS" else str(described.get("Arn", key))


def _parameters(discovery: Discovery, named: Mapping[str, str]) -> list[SecretFacts]:
    """SSM DescribeParameters, which describes a parameter without its value."""
    try:
        seen = describe_parameters(discovery.aws, (parameter_name(source) for source in named.values()))
    except LobsterError as error:
        return [SecretFacts(name, source, None, unknown=refusal(error)) for name, source in named.items()]
    beside = f"arn:{discovery.aws.partition}:ssm:{discovery.aws.region}:{discovery.aws.account}:"
    return [
        SecretFacts(
            name,
            source,
            found is not None,
            _key(discovery.aws, key_arn(beside, (found or {}).get("KeyId", ""))),
        )
        for name, source in named.items()
        for found in [seen.get(parameter_name(source))]
    ]


def _image(discovery: Discovery, source: AwsDict) -> ImageFacts | None:
    identifier = source.get("ImageRepository", {}).get("ImageIdentifier")
    if not identifier:
        return None
    if identifier.startswith(_PUBLIC_REGISTRY):
        path = identifier.removeprefix(_PUBLIC_REGISTRY).partition("@")[0]
        repository, _, tag = path.partition(":")
        return ImageFacts(repository, tag=tag or "latest")
    image = ecr_image(identifier)
    if image is None:
        return None
    tag, digest = image.id.get("imageTag", ""), image.id.get("imageDigest", "")
    facts = ImageFacts(image.repository, image.registry, image.region, tag, digest)
    if (image.registry, image.region) != (discovery.aws.account, discovery.aws.region):
        return facts
    found = discovery.attempt("image", lambda: _looked_up(discovery.aws, facts)) or facts
    stack = discovery.attempt("repository", lambda: _stack_of(discovery.aws, facts.repository))
    return replace(found, stack=stack or "")


def _stack_of(aws: Aws, repository: str) -> str:
    """The stack in the repository's tag; empty without the tag or the repository."""
    arn = repository_arn(aws.partition, aws.region, aws.account, repository)
    absent = ("RepositoryNotFoundException",)
    found = aws.find("ecr:ListTagsForResource", absent, repository, resourceArn=arn)
    return tags_of(found["tags"]).get(STACK_TAG, "") if found else ""


def _looked_up(aws: Aws, facts: ImageFacts) -> ImageFacts:
    """The facts with the tag's current digest, and the number of images."""
    images = aws.pages(
        "ecr:DescribeImages", "imageDetails", facts.repository, repositoryName=facts.repository
    )
    tagged = (each["imageDigest"] for each in images if facts.tag and facts.tag in each.get("imageTags", ()))
    digest = facts.digest or next(tagged, "")
    return ImageFacts(facts.repository, facts.registry, facts.region, facts.tag, digest, len(images))


def _network(discovery: Discovery, service: AwsDict) -> dict[str, Any]:
    """The connector, the ingress connections, and the VPC that they are in."""
    aws = discovery.aws
    egress = service.get("NetworkConfiguration", {}).get("EgressConfiguration", {})
    connector = (
        discovery.described("DescribeVpcConnector", "VpcConnector", VpcConnectorArn=egress["VpcConnectorArn"])
        if egress.get("VpcConnectorArn")
        else None
    )
    ingress = discovery.attempt("VpcIngressConnection", lambda: _ingress(aws, service["ServiceArn"])) or ()
    into = next((each["IngressVpcConfiguration"].get("VpcId", "") for each in ingress), "")
    subnets = (connector or {}).get("Subnets", [])
    vpc = discovery.attempt("network", lambda: vpc_of(aws, subnets, into))
    return {"connector": connector, "ingress": ingress, "ingress_vpc": into, "vpc": vpc}


def _ingress(aws: Aws, arn: str) -> tuple[AwsDict, ...]:
    """The ingress connections, which are listed and then described one by one."""
    operation, member = "apprunner:ListVpcIngressConnections", "VpcIngressConnectionSummaryList"
    found = aws.pages(operation, member, arn, Filter={"ServiceArn": arn})
    return tuple(
        aws.as_sent(
            "apprunner:DescribeVpcIngressConnection",
            each["VpcIngressConnectionArn"],
            VpcIngressConnectionArn=each["VpcIngressConnectionArn"],
        )["VpcIngressConnection"]
        for each in found
    )


def vpc_of(aws: Aws, connected: Sequence[str], ingress: str) -> Vpc | None:
    """The VPC of the connector's subnets, else that of the ingress connection, else the default one."""
    where = ingress
    if connected:
        found = aws.pages("ec2:DescribeSubnets", "Subnets", "the connector's subnets", SubnetIds=[*connected])
        where = found[0]["VpcId"]
    by = {"Name": "vpc-id", "Values": [where]} if where else {"Name": "is-default", "Values": ["true"]}
    vpcs = aws.pages("ec2:DescribeVpcs", "Vpcs", where or "the default VPC", Filters=[by])
    return _surveyed(aws, vpcs[0], connected) if vpcs else None


def _surveyed(aws: Aws, vpc: AwsDict, connected: Sequence[str]) -> Vpc:
    inside = [{"Name": "vpc-id", "Values": [vpc["VpcId"]]}]
    subnets, tables, endpoints = in_parallel(
        lambda: aws.pages("ec2:DescribeSubnets", "Subnets", vpc["VpcId"], Filters=inside),
        lambda: aws.pages("ec2:DescribeRouteTables", "RouteTables", vpc["VpcId"], Filters=inside),
        lambda: aws.pages("ec2:DescribeVpcEndpoints", "VpcEndpoints", vpc["VpcId"], Filters=inside),
    )
    return Vpc(
        vpc["VpcId"],
        vpc.get("IsDefault", False),
        tuple(
            Subnet(
                each["SubnetId"],
                each["AvailabilityZone"],
                _way(default_route_of(tables, each["SubnetId"])),
                any(_associated(block) for block in each.get("Ipv6CidrBlockAssociationSet", ())),
            )
            for each in sorted(subnets, key=lambda each: (each["AvailabilityZone"], each["SubnetId"]))
        ),
        _services(endpoints, aws.region, tables, connected),
    )


def _services(
    endpoints: Sequence[AwsDict], region: str, tables: Sequence[AwsDict], subnets: Sequence[str]
) -> frozenset[str]:
    """The services whose endpoints work for all of the subnets, of those that are certain."""
    found = [endpoint_services(endpoints, region, tables, each) for each in subnets]
    working = [{service for service, fault in each.items() if fault is None} for each in found]
    return frozenset(set.intersection(*working) if working else ())


def _associated(block: AwsDict) -> bool:
    return bool(block.get("Ipv6CidrBlockState", {}).get("State") == "associated")


def _way(gateway: str) -> DefaultRoute:
    if gateway in ("", BLACKHOLE):
        return ""
    kinds: dict[str, DefaultRoute] = {"igw-": "internet", "nat-": "nat"}
    return kinds.get(gateway[:4], "other")


def _companions(discovery: Discovery, service: AwsDict) -> dict[str, Any]:
    """Data outside App Runner: web ACL, log groups, the service's answers, its activity."""
    aws = discovery.aws
    return {
        "web_acl": discovery.attempt(WEB_ACL, lambda: protecting(aws, service["ServiceArn"])) or "",
        "log_groups": discovery.attempt("log groups", lambda: _log_groups(aws, service)) or {},
        "answers": service_probe.ask(service),
        "active_hours": discovery.attempt("activity", lambda: metrics.active_hours(aws, service)),
    }


def _log_groups(aws: Aws, service: AwsDict) -> dict[str, int | None]:
    prefix = _LOGS.format(**service)
    found = aws.pages("logs:DescribeLogGroups", "logGroups", prefix, logGroupNamePrefix=prefix)
    return {each["logGroupName"]: each.get("retentionInDays") for each in found}
