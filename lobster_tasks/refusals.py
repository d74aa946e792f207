"""AWS's refusals by error code: temporary ones, restrictions of an account, and the next step of all others. Pure.

PASSING applies to any caller: a new role, security group, service or credential is not known everywhere at once, and
the first resource of an account waits for its service-linked role. Sources: the API References; "Eventual
consistency in the Amazon EC2 API"; IAM, "Changes that I make are not always immediately visible";
terraform-provider-aws, which retries the same codes (retryClusterCreate, retryServiceCreate, registerScalableTarget,
resourcePolicyCreate, resourceRoleCreate, resourceListenerCreate, resourceLifecyclePolicyCreate, resourceServiceCreate
of apprunner, resourceDistributionCreate, resourceWebACLAssociationCreate).
_LASTING are restrictions of the account itself, which neither a policy nor waiting removes; ``quotas`` knows those that
are quotas, ``denials`` the policies that deny a call.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from . import denials
from .errors import AccountHeldError, AwsCallError, CredentialsError, LobsterError
from .quotas import used_up

SIGN_IN = "sign in (aws sso login, aws configure), set AWS_PROFILE, or export credentials; then run it again"
_AGAIN = "run the same command again; it continues where this one stopped"
_UNKNOWN_CALLER = frozenset(
    {
        "ExpiredToken",
        "ExpiredTokenException",
        "InvalidClientTokenId",
        "InvalidSignatureException",
        "RequestExpired",
        "SignatureDoesNotMatch",
        "UnrecognizedClientException",
    }
)
_DENIED = frozenset({*denials.ACCESS_DENIED, "AuthFailure"})

Texts = tuple[str, ...]
Codes = Mapping[str, Texts]

PASSING_WITHIN_SECONDS = 120.0
PASSING_WITHIN: Mapping[str, float] = {"wafv2:AssociateWebACL": 300.0}
"""Operations that need longer: "from a few seconds to a number of minutes" (WAFV2 API Reference, AssociateWebACL)."""

_LINKED_ROLE = "service linked role"
_SERVICE: Codes = {
    "InvalidParameterException": (
        "does not have an associated load balancer",
        _LINKED_ROLE,
        "service role being passed",
        "ErrorCode: InvalidGroup.NotFound",
        "Error retrieving security group information",
    ),
    "ClusterNotFoundException": (),
}
_GROUP: Codes = {"InvalidGroup.NotFound": ()}
_ROLE: Codes = {"NoSuchEntity": ("role",)}
_TRUST: Codes = {"MalformedPolicyDocument": ("Invalid principal",)}
_LOAD_BALANCER: Codes = {"LoadBalancerNotFound": ()}
_LISTENER: Codes = {**_LOAD_BALANCER, "TargetGroupNotFound": (), "CertificateNotFound": ()}
_VIEWER_CERTIFICATE: Codes = {"InvalidViewerCertificate": ("certificate doesn't exist",)}
_LOG_GROUP: Codes = {"ResourceNotFoundException": (), "OperationAbortedException": ()}
_TARGET: Codes = {
    "ValidationException": ("Unable to assume IAM role", "service doesn't exist"),
    "ConcurrentUpdateException": (),
}
_POLICY: Codes = {
    "FailedResourceAccessException": (
        "token included in the request is invalid",
        "is not authorized to perform",
        "Rate exceeded",
    ),
    "ObjectNotFoundException": (),
    "ConcurrentUpdateException": (),
}

PASSING: Mapping[str, Codes] = {
    "application-autoscaling:PutScalingPolicy": _POLICY,
    "application-autoscaling:RegisterScalableTarget": _TARGET,
    "apprunner:CreateService": {"InvalidRequestException": ("Error in assuming",)},
    "cloudfront:CreateDistributionWithTags": _VIEWER_CERTIFICATE,
    "cloudfront:UpdateDistribution": _VIEWER_CERTIFICATE,
    "ec2:AuthorizeSecurityGroupEgress": _GROUP,
    "ec2:AuthorizeSecurityGroupIngress": _GROUP,
    "ecr:PutImageScanningConfiguration": {"RepositoryNotFoundException": ()},
    "ecr:PutLifecyclePolicy": {"RepositoryNotFoundException": ()},
    "ecs:CreateCluster": {"InvalidParameterException": (_LINKED_ROLE,)},
    "ecs:CreateService": _SERVICE,
    "ecs:RegisterTaskDefinition": {"ClientException": ("Role is not valid",)},
    "ecs:UpdateService": {**_SERVICE, "ServiceNotFoundException": ()},
    "elbv2:CreateListener": _LISTENER,
    "elbv2:CreateLoadBalancer": {
        "InvalidConfigurationRequest": ("security groups are invalid",),
        "InvalidSecurityGroup": (),
    },
    "elbv2:ModifyListener": _LISTENER,
    "elbv2:ModifyLoadBalancerAttributes": _LOAD_BALANCER,
    "elbv2:ModifyTargetGroupAttributes": {"TargetGroupNotFound": ()},
    "iam:AttachRolePolicy": _ROLE,
    "iam:CreateRole": _TRUST,
    "iam:PutRolePermissionsBoundary": _ROLE,
    "iam:PutRolePolicy": _ROLE,
    "iam:UpdateAssumeRolePolicy": {**_ROLE, **_TRUST},
    "logs:CreateLogGroup": {"OperationAbortedException": ()},
    "logs:PutRetentionPolicy": _LOG_GROUP,
    "wafv2:AssociateWebACL": {"WAFUnavailableEntityException": (), "WAFNonexistentItemException": ()},
    "wafv2:GetWebACLForResource": {"WAFUnavailableEntityException": ()},
}
"""Operation -> error code -> texts of which the message contains one; no texts accept any message."""

_SUPPORT = (
    "open a support case (Account and billing, Account verification: https://console.aws.amazon.com/support/home#/"
    "case/create?issueType=customer-service&serviceCode=account-management&categoryCode=account-verification) with "
    "this message; no policy and no setting changes this. Then run the same command again"
)


@dataclass(frozen=True)
class AccountRestriction:
    """A restriction of an account, and the next step."""

    what: str
    next_step: str = _SUPPORT


@dataclass(frozen=True)
class _LastingRefusal:
    """A refusal that is not temporary: the operation's prefix, the error code or "" for any, and a text in the
    message."""

    operation: str
    code: str
    text: str
    hold: AccountRestriction


_LASTING = (
    _LastingRefusal(
        "elbv2:CreateLoadBalancer",
        "OperationNotPermitted",
        "does not support creating load balancers",
        AccountRestriction("AWS does not allow this account to create load balancers yet."),
    ),
    _LastingRefusal(
        "ecs:", "BlockedException", "", AccountRestriction("AWS has blocked this account: it runs no tasks.")
    ),
    _LastingRefusal(
        "cloudfront:",
        "AccessDenied",
        "account must be verified",
        AccountRestriction(
            "AWS has to verify this account before it creates anything in CloudFront; IAM cannot change this."
        ),
    ),
    _LastingRefusal("", "Blocked", "", AccountRestriction("AWS has blocked this account.")),
    _LastingRefusal(
        "", "", "account is currently blocked", AccountRestriction("AWS has blocked this account.")
    ),
    _LastingRefusal(
        "", "", "account has been suspended", AccountRestriction("AWS has suspended this account.")
    ),
    _LastingRefusal(
        "", "PendingVerification", "", AccountRestriction("AWS has not verified this account yet.")
    ),
    _LastingRefusal(
        "", "OptInRequired", "", AccountRestriction("This account is not signed up for the service.")
    ),
    _LastingRefusal(
        "",
        "SubscriptionRequiredException",
        "",
        AccountRestriction("This account is not signed up for the service."),
    ),
    _LastingRefusal(
        "ecs:",
        "InvalidParameterException",
        _LINKED_ROLE,
        AccountRestriction(
            "ECS cannot assume its service-linked role.",
            "aws iam create-service-linked-role --aws-service-name ecs.amazonaws.com, then run the same command again",
        ),
    ),
)


def hold(operation: str, code: str, message: str) -> AccountRestriction | None:
    """The account's restriction behind a refusal, which somebody must lift; None for other refusals."""
    for each in _LASTING:
        if operation.startswith(each.operation) and each.code in ("", code) and each.text in message:
            return each.hold
    quota = used_up(operation, code, message)
    return AccountRestriction(quota.what, quota.next_step) if quota else None


def refusal(operation: str, about: str, error: Mapping[str, Any]) -> LobsterError:
    """The error of a refused call, with the next step that helps; ``error`` is the answer's ``Error``."""
    code, message = error.get("Code", "Unknown"), error.get("Message", "")
    why = f"{code}: {message}"
    if code in _UNKNOWN_CALLER:
        return CredentialsError("AWS does not accept the credentials.", why, SIGN_IN, code=code)
    if held := hold(operation, code, message):
        return AccountHeldError(held.what, why, held.next_step, code=code, operation=operation)
    next_step = denials.next_step(operation, message) if code in _DENIED else _AGAIN
    what = f"AWS refused {subject(operation, about)}."
    return AwsCallError(what, why, next_step, code=code, operation=operation)


def subject(operation: str, about: str) -> str:
    """A call in words; ``about`` is the name of its resource, or empty."""
    return f"{operation} on {about}" if about else operation
