"""The quotas that AWS refuses a creation for, by error code: their names, and how more is requested. Pure.

Sources: each service's page of quotas ("Quotas for your Application Load Balancers", "Amazon VPC quotas", "IAM and AWS
STS quotas", "Amazon ECS service quotas", "Amazon ECR service quotas", ACM's, CloudFront's and Route 53's "Quotas"),
which link to Service Quotas by code; the error codes are those of the services' models, and "Error codes for the
Amazon EC2 API". Where no page gives a code, the next step names the page of the console instead of guessing one.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

_AGAIN = "Then run the same command again"
# Service Quotas' names of services; EC2's security groups and rules are in Amazon VPC's quotas.
_SERVICES = {"elbv2": "elasticloadbalancing", "ec2": "vpc"}
# Services of the whole account: Service Quotas has theirs in us-east-1.
_GLOBAL = frozenset({"cloudfront", "iam", "route53"})
# Codes for a rate, which passes, although they look like those of quotas.
_RATES = frozenset({"RequestLimitExceeded", "TooManyRequestsException", "TooManyUpdates"})
_RATE = re.compile(r"rate exceeded|throttl|too many requests|per second", re.IGNORECASE)
_CODE = re.compile(r"(Limit|Limits|Quota|MaxVersionLimit)Exceeded|^TooMany|AssociationLimit$")


@dataclass(frozen=True)
class Quota:
    """A quota that is used up: ``name`` as AWS spells it, and ``instead``, what else makes room.

    ``service`` is Service Quotas' code, ``code`` the quota's. ``is_fixed``: AWS does not raise it.
    """

    name: str
    service: str
    code: str = ""
    instead: str = ""
    is_fixed: bool = False
    is_global: bool = False

    @property
    def what(self) -> str:
        """What is used up."""
        return f"A quota of {self.service} is used up: {self.name}."

    @property
    def next_step(self) -> str:
        """How room is made, or more is requested."""
        steps = [self.instead, "" if self.is_fixed else self._request]
        return f"{', or '.join(filter(None, steps))}. {_AGAIN}"

    @property
    def _request(self) -> str:
        if not self.code:
            page = f"https://console.aws.amazon.com/servicequotas/home/services/{self.service}/quotas"
            return f"request more in Service Quotas{' (us-east-1)' if self.is_global else ''}: {page}"
        where = " --region us-east-1" if self.is_global else ""
        return (
            f"request more: aws service-quotas request-service-quota-increase --service-code {self.service} "
            f"--quota-code {self.code} --desired-value N{where}"
        )


@dataclass(frozen=True)
class _Known:
    """A quota that is known by name: the operations' prefix, the error code, and a text in the message."""

    operations: str
    error: str
    text: str
    name: str
    code: str = ""
    instead: str = ""
    is_fixed: bool = False


_TAGS = "set fewer tags (the setting tags), or remove tags of that resource"
_DOMAINS = "set fewer domains"
_KNOWN = (
    _Known(
        "elbv2:", "TooManyLoadBalancers", "", "Application Load Balancers per Region",
        "L-53DA6B97", "delete a load balancer that nobody uses",
    ),
    _Known(
        "elbv2:", "TooManyTargetGroups", "", "Target Groups per Region",
        "L-B22855CB", "delete target groups that nobody uses",
    ),
    _Known(
        "elbv2:", "TooManyListeners", "", "Listeners per Application Load Balancer",
        "L-B6DF7632", "delete listeners of that load balancer",
    ),
    _Known(
        "elbv2:", "TooManyCertificates", "", "Certificates per Application Load Balancer",
        "L-9365A611", "remove certificates of that listener",
    ),
    _Known(
        "elbv2:", "TooManyUniqueTargetGroupsPerLoadBalancer", "", "Target Groups per Application Load Balancer",
        "", "remove rules of that load balancer that forward to other target groups", is_fixed=True,
    ),
    _Known(
        "elbv2:", "TargetGroupAssociationLimit", "", "Load balancers per target group",
        "", "remove the other load balancer's listeners and rules that forward to this target group", is_fixed=True,
    ),
    _Known(
        "elbv2:", "TooManyActions", "", "Actions per listener or rule", "", "remove actions of that listener",
        is_fixed=True,
    ),
    _Known(
        "ec2:", "SecurityGroupLimitExceeded", "", "VPC security groups per Region",
        "L-E79EC296", "delete security groups that nobody uses",
    ),
    _Known(
        "ec2:AuthorizeSecurityGroupIngress", "RulesPerSecurityGroupLimitExceeded", "",
        "Inbound or outbound rules per security group; CloudFront's prefix list alone counts as 55 of 60",
        "L-0EA8095F", "remove rules of that group",
    ),
    _Known(
        "ec2:", "RulesPerSecurityGroupLimitExceeded", "", "Inbound or outbound rules per security group",
        "L-0EA8095F", "remove rules of that group",
    ),
    _Known(
        "iam:", "LimitExceeded", "RolesPerAccount", "Roles per account",
        "L-FE177D64", "delete roles that nobody uses",
    ),
    _Known(
        "iam:", "LimitExceeded", "PoliciesPerRole", "Managed policies per role",
        "L-0DA4ABF3", "attach fewer managed policies to that role (task.policies)",
    ),
    _Known(
        "iam:", "LimitExceeded", "VersionsPerPolicy", "Versions per managed policy", "",
        "delete an old version: aws iam delete-policy-version", is_fixed=True,
    ),
    _Known(
        "iam:", "LimitExceeded", "you must delete an existing version", "Versions per managed policy",
        "", "delete an old version: aws iam delete-policy-version", is_fixed=True,
    ),
    _Known(
        "iam:", "LimitExceeded", "TagsPer", "Tags", "", _TAGS, is_fixed=True,
    ),
    _Known(
        "iam:", "LimitExceeded", "Maximum policy size", "Aggregate size of a role's inline policies", "",
        "move statements from the role's inline policies into managed ones (task.policies)", is_fixed=True,
    ),
    _Known(
        "iam:", "LimitExceeded", "PolicySize", "Size of a managed policy", "",
        "split that policy in two", is_fixed=True,
    ),
    _Known("iam:", "LimitExceeded", "ACLSizePerRole", "Role trust policy length", "", "shorten the trust policy"),
    _Known(
        "acm:RequestCertificate", "LimitExceededException", "too many domains", "Domain names per ACM certificate",
        "L-FB94F0B0", _DOMAINS,
    ),
    _Known(
        "acm:RequestCertificate", "LimitExceededException", "last year",
        "ACM certificates created in the last 365 days",
    ),
    _Known(
        "acm:RequestCertificate", "LimitExceededException", "", "ACM certificates",
        "L-F141DD1D", "delete certificates that nobody uses (aws acm list-certificates)",
    ),
    _Known(
        "ecs:", "InvalidParameterException", "Desired count exceeds limit", "Tasks per service", "",
        "set a lower deployment.desired_count and scaling.max",
    ),
    _Known(
        "ecs:", "InvalidParameterException", "number of services", "Services per cluster",
        "L-9EF96962", "delete services of that cluster that nobody uses, or set another cluster",
    ),
    _Known(
        "ecs:", "ClientException", "number of clusters", "Clusters per account",
        "L-21C621EB", "delete clusters that nobody uses",
    ),
    _Known(
        "ecr:CreateRepository", "LimitExceededException", "", "Registered repositories",
        "L-CFEB8E8D", "delete repositories that nobody uses",
    ),
    _Known(
        "ecr:PutImage", "LimitExceededException", "", "Images per repository",
        "L-03A36CE1", "delete old images of the repository (images.keep)",
    ),
    _Known(
        "cloudfront:", "TooManyDistributions", "", "Web distributions per AWS account",
        "L-24B04930", "delete distributions that nobody uses, or set front.kind: none",
    ),
    _Known(
        "cloudfront:", "TooManyDistributionCNAMEs", "", "Alternate domain names (CNAMEs) per distribution", "",
        _DOMAINS,
    ),
    _Known(
        "cloudfront:CreateVpcOrigin", "EntityLimitExceeded", "", "VPC origins per AWS account", "",
        "delete VPC origins that nobody uses (aws cloudfront list-vpc-origins)",
    ),
    _Known(
        "route53:CreateHostedZone", "TooManyHostedZones", "", "Hosted zones",
        "L-4EA4796A", "delete hosted zones that nobody uses",
    ),
    _Known("route53:", "LimitsExceeded", "", "Records per hosted zone", "L-E209CC9F", "delete records of that zone"),
)  # fmt: skip


def used_up(operation: str, error: str, message: str) -> Quota | None:
    """The quota behind a refusal; None for any other, also for a rate, which passes."""
    for known in _KNOWN:
        if (
            operation.startswith(known.operations)
            and error == known.error
            and known.text.casefold() in message.casefold()
        ):
            return _quota(operation, known)
    return next(_unnamed(operation, error, message), None)


def _quota(operation: str, known: _Known) -> Quota:
    service, is_global = _service(operation)
    return Quota(known.name, service, known.code, known.instead, known.is_fixed, is_global)


def _unnamed(operation: str, error: str, message: str) -> Iterator[Quota]:
    """A quota that only the error code tells of."""
    if error in _RATES or not _CODE.search(error) or _RATE.search(message):
        return
    service, is_global = _service(operation)
    if error.startswith("TooManyTags"):
        yield Quota("Tags per resource", service, "", _TAGS, is_fixed=True)
        return
    name = f"the message tells which ({error})"
    yield Quota(name, service, "", "delete what nobody uses of it", is_global=is_global)


def _service(operation: str) -> tuple[str, bool]:
    prefix = operation.partition(":")[0]
    return _SERVICES.get(prefix, prefix), prefix in _GLOBAL
