"""The one reader of an App Runner service: everything about it in one description. Changes nothing.

What may not be read does not stop the rest: it is named in ``unknown``. The value of a secret is never asked for.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

from ..aws import Aws
from ..doctor.check import refusal
from ..doctor.network import endpoint_services, way_out
from ..doctor.permissions import describe_parameters, key_arn, look_at_secret
from ..doctor.references import ecr_image, is_secret, parameter_name, region_of
from ..errors import AwsCallError, LobsterError
from ..in_parallel import in_parallel
from ..settings import STACK_TAG
from ..stack.firewall import protecting
from ..stack.resource import tags_of
from . import asking, measured, services
from .description import AwsDict, Description, ImageFacts, RoleFacts, SecretFacts, Subnet, Vpc, Way
from .mapping.beside import WEB_ACL
from .source import read_source_file

T = TypeVar("T")
_PUBLIC_REGISTRY = "public.ecr.aws/"
_LOGS = "/aws/apprunner/{ServiceName}/{ServiceId}/"


class Reading:
    """One service's reading: what is refused or gone is noted, and stands as its default."""

    def __init__(self, aws: Aws) -> None:
        self.aws = aws
        self.unknown: dict[str, str] = {}

    def attempt(self, what: str, work: Callable[[], T]) -> T | None:
        """What ``work`` finds, or None where AWS does not let us look."""
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
    """Everything about the service that ``given``, a name or an ARN, means.

    ``folder`` is the project, in which ``apprunner.yaml`` is looked for. Raises UsageError and RefusedError where
    no service is meant or its description would not last.
    """
    arn = services.find(aws, given)
    service = _service(aws, arn)
    operations = tuple(aws.pages("apprunner:ListOperations", "OperationSummaryList", arn, ServiceArn=arn))
    services.refuse_unsettled(service, operations)
    return _description(Reading(aws), service, operations, folder)


def _service(aws: Aws, arn: str) -> AwsDict:
    try:
        found: AwsDict = aws.as_sent("apprunner:DescribeService", arn, ServiceArn=arn)["Service"]
    except AwsCallError as refused:
        if refused.code == "ResourceNotFoundException":
            raise services.no_such_arn(arn) from refused
        raise
    return found


def _description(
    reading: Reading, service: AwsDict, operations: tuple[AwsDict, ...], folder: Path | None
) -> Description:
    """Companions, and what these lead to, side by side."""
    aws, arn = reading.aws, service["ServiceArn"]
    source, instance = service["SourceConfiguration"], service.get("InstanceConfiguration", {})
    access = source.get("AuthenticationConfiguration", {})
    before = Description(service, aws.account, aws.region, source_file=read_source_file(source, folder))
    (scaling, observability, network, tags, domains, roles, secrets, image, more) = in_parallel(
        lambda: _scaling(reading, service),
        lambda: _observability(reading, service),
        lambda: _network(reading, service),
        lambda: reading.attempt("Tags", lambda: _tags(aws, arn)) or {},
        lambda: reading.attempt("CustomDomains", lambda: _domains(aws, arn)) or {},
        lambda: [
            _role(reading, each) for each in (instance.get("InstanceRoleArn"), access.get("AccessRoleArn"))
        ],
        lambda: _secrets(reading, before.configuration.get("RuntimeEnvironmentSecrets", {})),
        lambda: _image(reading, source),
        lambda: _beside(reading, service),
    )
    return replace(
        before,
        tags=tags,
        scaling=scaling,
        observability=observability,
        connection=_connection(reading, access.get("ConnectionArn")),
        domains=domains,
        operations=operations,
        instance_role=roles[0],
        access_role=roles[1],
        secrets=secrets,
        image=image,
        unknown=reading.unknown,
        **network,
        **more,
    )


def _scaling(reading: Reading, service: AwsDict) -> AwsDict:
    arn = service["AutoScalingConfigurationSummary"]["AutoScalingConfigurationArn"]
    member = "AutoScalingConfiguration"
    return reading.described(f"Describe{member}", member, AutoScalingConfigurationArn=arn) or {}


def _observability(reading: Reading, service: AwsDict) -> AwsDict | None:
    arn = service.get("ObservabilityConfiguration", {}).get("ObservabilityConfigurationArn")
    member = "ObservabilityConfiguration"
    return arn and reading.described(f"Describe{member}", member, ObservabilityConfigurationArn=arn)


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


def _connection(reading: Reading, arn: str | None) -> AwsDict | None:
    """The connection to the code's host, of which there is no description but in the list."""
    if not arn:
        return None

    def look() -> AwsDict | None:
        every = reading.aws.pages("apprunner:ListConnections", "ConnectionSummaryList", arn)
        return next((each for each in every if each["ConnectionArn"] == arn), None)

    return reading.attempt("Connection", look)


def _role(reading: Reading, arn: str | None) -> RoleFacts | None:
    """A role's permissions; one that is gone is not found."""
    if not arn:
        return None
    name = arn.rpartition("/")[2]
    return reading.attempt(f"role {name}", lambda: _permissions(reading.aws, arn, name)) or RoleFacts(arn)


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


def _secrets(reading: Reading, named: Mapping[str, str]) -> tuple[SecretFacts, ...]:
    """Whether each secret and parameter is there, and its key."""
    here = {name: source for name, source in named.items() if region_of(source) in ("", reading.aws.region)}
    parameters = {name: source for name, source in here.items() if not is_secret(source)}
    found = [
        *(_secret(reading.aws, name, source) for name, source in here.items() if is_secret(source)),
        *_parameters(reading, parameters),
        *(
            SecretFacts(name, source, None, unknown=f"it is in {region_of(source)}")
            for name, source in named.items()
            if name not in here
        ),
    ]
    return tuple(sorted(found, key=lambda each: each.name))


def _secret(aws: Aws, name: str, source: str) -> SecretFacts:
    seen = look_at_secret(aws, name, source)
    return SecretFacts(name, source, seen.found, _key(aws, seen.key), seen.unknown)


def _key(aws: Aws, key: str) -> str:
    """The key behind an alias, since IAM takes keys; empty for one that AWS keeps itself."""
    if ":alias/" not in key:
        return key
    try:
        found = aws.find("kms:DescribeKey", ("NotFoundException",), key, KeyId=key)
    except AwsCallError:
        return key
    described = (found or {}).get("KeyMetadata", {})
    return "" if described.get("KeyManager") == "AWS" else str(described.get("Arn", key))


def _parameters(reading: Reading, named: Mapping[str, str]) -> list[SecretFacts]:
    """SSM DescribeParameters, which says what a parameter is without its value."""
    try:
        seen = describe_parameters(reading.aws, (parameter_name(source) for source in named.values()))
    except LobsterError as error:
        return [SecretFacts(name, source, None, unknown=refusal(error)) for name, source in named.items()]
    beside = f"arn:{reading.aws.partition}:ssm:{reading.aws.region}:{reading.aws.account}:"
    return [
        SecretFacts(
            name,
            source,
            found is not None,
            _key(reading.aws, key_arn(beside, (found or {}).get("KeyId", ""))),
        )
        for name, source in named.items()
        for found in [seen.get(parameter_name(source))]
    ]


def _image(reading: Reading, source: AwsDict) -> ImageFacts | None:
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
    if (image.registry, image.region) != (reading.aws.account, reading.aws.region):
        return facts
    found = reading.attempt("image", lambda: _looked_up(reading.aws, facts)) or facts
    stack = reading.attempt("repository", lambda: _stack_of(reading.aws, facts.repository))
    return replace(found, stack=stack or "")


def _stack_of(aws: Aws, repository: str) -> str:
    """The stack whose tag the repository carries; empty where it is nobody's, or gone."""
    arn = f"arn:{aws.partition}:ecr:{aws.region}:{aws.account}:repository/{repository}"
    absent = ("RepositoryNotFoundException",)
    found = aws.find("ecr:ListTagsForResource", absent, repository, resourceArn=arn)
    return tags_of(found["tags"]).get(STACK_TAG, "") if found else ""


def _looked_up(aws: Aws, facts: ImageFacts) -> ImageFacts:
    """With the digest that the tag has now, and the number of images beside it."""
    images = aws.pages(
        "ecr:DescribeImages", "imageDetails", facts.repository, repositoryName=facts.repository
    )
    tagged = (each["imageDigest"] for each in images if facts.tag and facts.tag in each.get("imageTags", ()))
    digest = facts.digest or next(tagged, "")
    return ImageFacts(facts.repository, facts.registry, facts.region, facts.tag, digest, len(images))


def _network(reading: Reading, service: AwsDict) -> dict[str, Any]:
    """The connector, the ingress connections, and the VPC that they are in."""
    aws = reading.aws
    egress = service.get("NetworkConfiguration", {}).get("EgressConfiguration", {})
    connector = (
        reading.described("DescribeVpcConnector", "VpcConnector", VpcConnectorArn=egress["VpcConnectorArn"])
        if egress.get("VpcConnectorArn")
        else None
    )
    ingress = reading.attempt("VpcIngressConnection", lambda: _ingress(aws, service["ServiceArn"])) or ()
    into = next((each["IngressVpcConfiguration"].get("VpcId", "") for each in ingress), "")
    subnets = (connector or {}).get("Subnets", [])
    vpc = reading.attempt("network", lambda: vpc_of(aws, subnets, into))
    return {"connector": connector, "ingress": ingress, "ingress_vpc": into, "vpc": vpc}


def _ingress(aws: Aws, arn: str) -> tuple[AwsDict, ...]:
    """Private ways in; the list is asked for the service and described one by one."""
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
    return _surveyed(aws, vpcs[0]) if vpcs else None


def _surveyed(aws: Aws, vpc: AwsDict) -> Vpc:
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
                _way(way_out(tables, each["SubnetId"])),
                any(_associated(block) for block in each.get("Ipv6CidrBlockAssociationSet", ())),
            )
            for each in sorted(subnets, key=lambda each: (each["AvailabilityZone"], each["SubnetId"]))
        ),
        endpoint_services(endpoints, aws.region),
    )


def _associated(block: AwsDict) -> bool:
    return bool(block.get("Ipv6CidrBlockState", {}).get("State") == "associated")


def _way(gateway: str) -> Way:
    if gateway in ("", "blackhole"):
        return ""
    kinds: dict[str, Way] = {"igw-": "internet", "nat-": "nat"}
    return kinds.get(gateway[:4], "other")


def _beside(reading: Reading, service: AwsDict) -> dict[str, Any]:
    """What stands outside of App Runner: firewall, log groups, what it answers, how much it works."""
    aws = reading.aws
    return {
        "web_acl": reading.attempt(WEB_ACL, lambda: protecting(aws, service["ServiceArn"])) or "",
        "log_groups": reading.attempt("log groups", lambda: _log_groups(aws, service)) or {},
        "answers": asking.ask(service),
        "active_hours": reading.attempt("activity", lambda: measured.active_hours(aws, service)),
    }


def _log_groups(aws: Aws, service: AwsDict) -> dict[str, int | None]:
    prefix = _LOGS.format(**service)
    found = aws.pages("logs:DescribeLogGroups", "logGroups", prefix, logGroupNamePrefix=prefix)
    return {each["logGroupName"]: each.get("retentionInDays") for each in found}
