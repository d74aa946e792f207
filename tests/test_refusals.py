"""What AWS refuses lastingly: its next step helps, and never is to try the same again."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from botocore.session import get_session

from lobster_tasks.errors import AccountHeldError
from lobster_tasks.refusals import refusal

PRODUCT = Path(__file__).parents[1] / "lobster_tasks"
_LOOKS = re.compile(r"Describe|Get|List|BatchGet|Lookup|Search|Simulate")
# A rate, not a quota: waiting helps, or the account has the tags of a resource that was there before.
_LIMIT = re.compile(r"(Limit|Limits|Quota|MaxVersionLimit)Exceeded|^TooMany|AssociationLimit$")
_PASSES = ("TooManyUpdates", "TooManyRequestsException")


def changing_operations() -> list[str]:
    """Every operation that the product calls and that changes something."""
    named = re.compile(r'"([a-z0-9-]+):([A-Z][A-Za-z]+)"')
    texts = [file.read_text(encoding="utf-8") for file in PRODUCT.rglob("*.py")]
    found = {match.groups() for text in texts for match in named.finditer(text)}
    known = frozenset(get_session().get_available_services())
    return sorted(
        f"{service}:{name}" for service, name in found if service in known and not _LOOKS.match(name)
    )


def limits() -> Iterator[tuple[str, str]]:
    """Each of these operations, with the error codes of its model that are about a quota."""
    session = get_session()
    for operation in changing_operations():
        service, _, name = operation.partition(":")
        model = session.get_service_model(service)
        if name not in model.operation_names:
            continue
        for shape in model.operation_model(name).error_shapes:
            code = shape.metadata.get("error", {}).get("code", shape.name)
            if _LIMIT.search(code) and code not in _PASSES:
                yield operation, code


def test_the_models_quotas_are_found() -> None:
    found = set(limits())
    assert ("elbv2:CreateLoadBalancer", "TooManyLoadBalancers") in found
    assert ("iam:CreateRole", "LimitExceeded") in found
    assert len(found) > 60


@pytest.mark.parametrize(("operation", "code"), sorted(set(limits())))
def test_no_quota_of_a_model_is_tried_again_unchanged(operation: str, code: str) -> None:
    """Each error of botocore's models that is a quota says what makes room, or where more is requested."""
    told = refusal(operation, "shop", {"Code": code, "Message": "The maximum number has been reached."})
    assert isinstance(told, AccountHeldError)
    assert code in told.why
    makes_room = re.match(
        "(delete|remove|set|attach|move|split|shorten|lower|request|expire) ", told.next_step
    )
    assert makes_room, told.next_step
    assert told.next_step.endswith("Then run the same command again")


QUOTAS = [
    (
        "elbv2:CreateLoadBalancer",
        "TooManyLoadBalancers",
        "The maximum number of load balancers has been reached.",
        "Application Load Balancers per Region",
        "elasticloadbalancing --quota-code L-53DA6B97",
    ),
    (
        "elbv2:CreateTargetGroup",
        "TooManyTargetGroups",
        "The maximum number of target groups has been reached",
        "Target Groups per Region",
        "elasticloadbalancing --quota-code L-B22855CB",
    ),
    (
        "iam:CreateRole",
        "LimitExceeded",
        "Cannot exceed quota for RolesPerAccount: 1000",
        "Roles per account",
        "iam --quota-code L-FE177D64 --desired-value N --region us-east-1",
    ),
    (
        "iam:AttachRolePolicy",
        "LimitExceeded",
        "Cannot exceed quota for PoliciesPerRole: 10",
        "Managed policies per role",
        "iam --quota-code L-0DA4ABF3 --desired-value N --region us-east-1",
    ),
    (
        "ec2:CreateSecurityGroup",
        "SecurityGroupLimitExceeded",
        "The maximum number of security groups for VPC 'vpc-1' has been reached.",
        "VPC security groups per Region",
        "vpc --quota-code L-E79EC296",
    ),
    (
        "acm:RequestCertificate",
        "LimitExceededException",
        "Error: you have reached your limit of 20 certificates in the last year.",
        "ACM certificates created in the last 365 days",
        "https://console.aws.amazon.com/servicequotas/home/services/acm/quotas",
    ),
    (
        "acm:RequestCertificate",
        "LimitExceededException",
        "Cannot request more certificates: too many domains",
        "Domain names per ACM certificate",
        "acm --quota-code L-FB94F0B0",
    ),
    (
        "ecs:UpdateService",
        "InvalidParameterException",
        "Desired count exceeds limit.",
        "Tasks per service",
        "https://console.aws.amazon.com/servicequotas/home/services/ecs/quotas",
    ),
    (
        "cloudfront:CreateVpcOrigin",
        "EntityLimitExceeded",
        "too many",
        "VPC origins per AWS account",
        "Service Quotas (us-east-1): https://console.aws.amazon.com/servicequotas/home/services/cloudfront/quotas",
    ),
    (
        "ec2:AuthorizeSecurityGroupEgress",
        "RulesPerSecurityGroupLimitExceeded",
        "The maximum number of rules per security group has been reached.",
        "Inbound or outbound rules per security group",
        "vpc --quota-code L-0EA8095F",
    ),
]


@pytest.mark.parametrize(("operation", "code", "message", "name", "request_"), QUOTAS)
def test_a_quota_is_named_with_the_way_to_more(
    operation: str, code: str, message: str, name: str, request_: str
) -> None:
    """Codes of the quotas: the services' pages of quotas, which link each to Service Quotas by its code."""
    told = refusal(operation, "shop", {"Code": code, "Message": message})
    assert name in told.what
    assert request_ in told.next_step


@pytest.mark.parametrize(
    "message",
    [
        "A managed policy can have up to 5 versions. Before you create a new version, you must delete an existing "
        "version.",
        "Cannot exceed quota for VersionsPerPolicy: 5",
    ],
)
def test_the_versions_of_a_policy_are_no_quota_that_grows(message: str) -> None:
    """IAM's words ("Versioning IAM policies": "A managed policy can have up to five versions"); its page of quotas has
    it among those that nobody can raise."""
    told = refusal("iam:CreatePolicyVersion", "shop", {"Code": "LimitExceeded", "Message": message})
    assert "Versions per managed policy" in told.what
    assert (
        told.next_step
        == "delete an old version: aws iam delete-policy-version. Then run the same command again"
    )


def test_a_rate_passes_and_is_no_quota() -> None:
    for code, message in (
        ("RequestLimitExceeded", "Request limit exceeded."),
        ("LimitExceededException", "Rate exceeded"),
    ):
        told = refusal("ec2:CreateSecurityGroup", "shop", {"Code": code, "Message": message})
        assert not isinstance(told, AccountHeldError)


@pytest.mark.parametrize(
    ("operation", "code", "message"),
    [
        (
            "ecs:CreateService",
            "AccessDeniedException",
            "Your account is currently blocked and thus cannot launch any Fargate tasks.",
        ),
        ("ecs:RunTask", "ClientException", "Your AWS account is currently blocked"),
    ],
)
def test_a_blocked_account_is_told_whatever_the_code(operation: str, code: str, message: str) -> None:
    told = refusal(operation, "", {"Code": code, "Message": message})
    assert isinstance(told, AccountHeldError)
    assert "support case" in told.next_step


# Denials, in the words of "Troubleshoot access denied error messages" (IAM User Guide)

SCP_ARN = "arn:aws:organizations::987654321098:policy/o-qv5af4abcd/service_control_policy/p-2kgnabcd"
DENIALS = [
    ("with an explicit deny in a service control policy", "administrator of the organization"),
    (f"with an explicit deny in a service control policy: {SCP_ARN}", SCP_ARN),
    ("because no service control policy allows the ecs:CreateCluster action", "administrator of the organization"),
    ("with an explicit deny in a resource control policy", "administrator of the organization"),
    ("with an explicit deny in an identity-based policy", "a policy of the identity that runs this"),
    ("with an explicit deny in a permissions boundary", "the permissions boundary of the identity"),
    ("because no permissions boundary allows the ecs:CreateCluster action", "the permissions boundary of the identity"),
    ("with an explicit deny in a session policy", "the session policy"),
    ("because no session policy allows the ecs:CreateCluster action", "the session policy"),
    ("with an explicit deny in a VPC endpoint policy", "the policy of the VPC endpoint"),
    ("because no VPC endpoint policy allows the ecs:CreateCluster action", "the policy of the VPC endpoint"),
    ("with an explicit deny in a resource-based policy", "the owner of the resource"),
    ("because no resource-based policy allows the ecs:CreateCluster action", "the owner of the resource"),
    ("with an explicit deny in the role trust policy", "the trust policy of that role"),
    ("because no role trust policy allows the sts:AssumeRole action", "the trust policy of that role"),
]  # fmt: skip


@pytest.mark.parametrize("code", ["AccessDenied", "AccessDeniedException", "UnauthorizedOperation"])
@pytest.mark.parametrize(("because", "who"), DENIALS)
def test_a_denial_names_the_policy_and_who_can_lift_it(code: str, because: str, who: str) -> None:
    """ "An explicit deny in any of these policies overrides the allow" ("Policy evaluation logic")."""
    message = f"User: x is not authorized to perform: ecs:CreateCluster on resource: y {because}."
    told = refusal("ecs:CreateCluster", "shop", {"Code": code, "Message": message})
    assert told.next_step.startswith("ask ")
    assert who in told.next_step
    assert "ecs:CreateCluster" in told.next_step
    assert "for the identity that runs this" not in told.next_step
    assert ("no allow overrides a deny" in told.next_step) == ("explicit deny" in because)


def test_a_permission_that_nobody_gave_is_given_to_the_identity() -> None:
    message = (
        "User: x is not authorized to perform: ecs:CreateCluster on resource: y because no identity-based policy allows"
        " the ecs:CreateCluster action"
    )
    told = refusal("ecs:CreateCluster", "shop", {"Code": "AccessDeniedException", "Message": message})
    assert told.next_step.startswith("allow ecs:CreateCluster for the identity that runs this")


def test_a_denial_in_code_says_how_it_is_read() -> None:
    message = (
        f"You are not authorized to perform this operation. Encoded authorization failure message: {'A' * 40}"
    )
    told = refusal("ec2:CreateSecurityGroup", "", {"Code": "UnauthorizedOperation", "Message": message})
    assert "aws sts decode-authorization-message --encoded-message TEXT_OF_THE_MESSAGE" in told.next_step
