"""The only module that imports moto, apart from ``patches``.

moto has no public extension point, so everything that a new moto release may break is named here and
covered by one test (``tests/embedded/test_moto_adapter.py``). Other modules of ``embedded_aws`` import from this one.
Slow imports (moto's EC2 takes most of a second) happen on first use: moto's classes by this module's
``__getattr__``, its stores of resources by ``Backends``.
"""

from __future__ import annotations

import re
import secrets
import traceback
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib import import_module
from ipaddress import ip_address, ip_network
from pathlib import Path
from typing import Any

import moto
from botocore.exceptions import UnknownServiceError
from botocore.model import OperationNotFoundError
from cryptography.x509 import load_pem_x509_certificate
from moto.backend_index import backend_url_patterns
from moto.core import DEFAULT_ACCOUNT_ID
from moto.core.base_backend import BackendDict, BaseBackend
from moto.core.exceptions import ServiceException
from moto.core.model import OperationModel
from moto.core.model_instances import reset_model_data
from moto.core.parse import PROTOCOL_PARSERS, RequestParserError
from moto.core.request import JSON_TYPES, determine_request_protocol
from moto.core.responses import ActionResult, BaseResponse
from moto.core.routing import NotFound, get_service_router
from moto.core.serialize import get_serializer_class
from moto.core.utils import create_loader, get_service_model
from moto.moto_server.werkzeug_app import (
    BackendRequest,
    DomainDispatcherApplication,
    MotoRequestHandler,
    create_backend_app,
)
from werkzeug.exceptions import HTTPException

HOMES = {
    "AWSCertificateManagerBackend": "moto.acm.models",
    "AWSCertificateManagerResponse": "moto.acm.responses",
    "ApplicationAutoScalingResponse": "moto.applicationautoscaling.responses",
    "ApplicationAutoscalingBackend": "moto.applicationautoscaling.models",
    "CertBundle": "moto.acm.models",
    "CloudFrontResponse": "moto.cloudfront.responses",
    "CloudWatchResponse": "moto.cloudwatch.responses",
    "EC2Backend": "moto.ec2.models",
    "EC2ContainerServiceResponse": "moto.ecs.responses",
    "EC2Response": "moto.ec2.responses",
    "ECRBackend": "moto.ecr.models",
    "ECRResponse": "moto.ecr.responses",
    "ELBV2Response": "moto.elbv2.responses",
    "IAMBackend": "moto.iam.models",
    "IAMPolicyDocumentValidator": "moto.iam.policy_validation",
    "IAMTrustPolicyDocumentValidator": "moto.iam.policy_validation",
    "IamResponse": "moto.iam.responses",
    "LogsBackend": "moto.logs.models",
    "LogsResponse": "moto.logs.responses",
    "NetworkInterface": "moto.ec2.models.elastic_network_interfaces",
    "NotFoundException": "moto.iam.exceptions",
    "ResourceGroupsTaggingAPIBackend": "moto.resourcegroupstaggingapi.models",
    "ResourceGroupsTaggingAPIResponse": "moto.resourcegroupstaggingapi.responses",
    "Route53": "moto.route53.responses",
    "Route53Backend": "moto.route53.models",
    "SecretsManagerBackend": "moto.secretsmanager.models",
    "SecretsManagerResponse": "moto.secretsmanager.responses",
    "SecurityGroupRule": "moto.ec2.models.security_groups",
    "ServiceQuotasResponse": "moto.servicequotas.responses",
    "SimpleSystemManagerResponse": "moto.ssm.responses",
    "TaggableResourcesMixin": "moto.core.resource_tagging",
    "TaggedResource": "moto.core.resource_tagging",
    "TokenResponse": "moto.sts.responses",
    "WAFV2Backend": "moto.wafv2.models",
    "WAFV2Response": "moto.wafv2.responses",
    "make_tag_matcher": "moto.core.resource_tagging",
    "match_resource_type": "moto.core.resource_tagging",
}


def __getattr__(name: str) -> Any:
    if name not in HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    globals()[name] = getattr(import_module(HOMES[name]), name)
    return globals()[name]


@dataclass(frozen=True)
class Backends:
    """moto's stores of one service: ``backends[account][region]``; imported on first use."""

    service: str

    def __getitem__(self, account: str) -> Any:
        return self._all()[account]

    def keep_in(self, store: Callable[..., Any]) -> None:
        """Hold each account's and region's resources in a store from ``store``, which creates a subclass of
        moto's.

        It is called with the region, and the account as ``account_id``.
        """
        self._all().backend = store

    def _all(self) -> Any:
        return getattr(import_module(f"moto.{self.service}.models"), f"{self.service}_backends")


acm_backends = Backends("acm")
applicationautoscaling_backends = Backends("applicationautoscaling")
cloudwatch_backends = Backends("cloudwatch")
ec2_backends = Backends("ec2")
ecr_backends = Backends("ecr")
ecs_backends = Backends("ecs")
elbv2_backends = Backends("elbv2")
iam_backends = Backends("iam")
kms_backends = Backends("kms")
logs_backends = Backends("logs")
resourcegroupstaggingapi_backends = Backends("resourcegroupstaggingapi")
route53_backends = Backends("route53")
secretsmanager_backends = Backends("secretsmanager")
ssm_backends = Backends("ssm")
sts_backends = Backends("sts")
wafv2_backends = Backends("wafv2")

__all__ = [
    "DEFAULT_ACCOUNT_ID",
    "HOMES",
    "JSON_TYPES",
    "ActionResult",
    "AwsError",
    "BackendRequest",
    "Backends",
    "BaseResponse",
    "DomainDispatcherApplication",
    "MotoRequestHandler",
    "NotFound",
    "OperationModel",
    "RequestParserError",
    "ServiceException",
    "backend_url_patterns",
    "create_backend_app",
    "create_loader",
    "determine_request_protocol",
    "get_serializer_class",
    "get_service_model",
    "get_service_router",
]


class AwsError(ServiceException):
    """An error answer: ``AwsError(code, message)``, which moto converts to the service's protocol."""

    def __str__(self) -> str:
        """The message, also where AWS sends none."""
        return str(self.message)


@contextmanager
def aws_errors() -> Iterator[None]:
    """Convert every kind of error of moto's stores into ``AwsError``."""
    try:
        yield
    except AwsError:
        raise
    except ServiceException as error:
        raise AwsError(error.code, _plain(error.message)) from error
    except HTTPException as error:
        code = getattr(error, "error_type", error.name)
        raise AwsError(code, _plain(getattr(error, "message", error.description))) from error


def _plain(message: str | None) -> str:
    """A message without the prefix that clients add."""
    return re.sub(r"^An error occurred .* operation: ", "", " ".join((message or "").split()))


def empty_moto() -> None:
    """Discard every resource of every account.

    moto's own reset creates each store again before discarding it, which takes up to a second; ``reset`` is called
    only on stores that override it.
    """
    for backends in list(BackendDict._instances):
        for account in list(backends.values()):
            for backend in list(account.values()):
                if type(backend).reset is not BaseBackend.reset:
                    backend.reset()
        backends.clear()
    reset_model_data()


@dataclass(frozen=True)
class Eni:
    """An elastic network interface with the data that the data plane needs."""

    id: str
    private_ip: str
    private_dns_name: str | None
    public_ip: str | None
    mac_address: str
    subnet_id: str
    vpc_id: str
    availability_zone: str


def create_eni(
    account: str, region: str, subnet: str, groups: Sequence[str], description: str, public: bool
) -> Eni:
    """Create an interface with a free address in ``subnet``; AwsError without one, or for an unknown id.

    Empty ``groups`` mean the default security group. ``public`` assigns a public address. A description that
    begins with ``ELB`` makes it an interface of Elastic Load Balancing.
    """
    backend = ec2_backends[account][region]
    with aws_errors():
        made = backend.create_network_interface(
            backend.get_subnet(subnet),
            None,
            group_ids=list(groups),
            description=description,
            public_ip_auto_assign=public,
        )
    made.use_by("amazon-elb" if description.startswith("ELB") else account)
    return Eni(
        made.id,
        made.private_ip_address,
        made.private_dns_name,
        made.public_ip,
        made.mac_address,
        made.subnet_id,
        made.vpc_id,
        made.availability_zone,
    )


def delete_eni(account: str, region: str, eni: str) -> None:
    """Delete an interface and release its address; does nothing when it does not exist."""
    backend = ec2_backends[account][region]
    if eni in backend.enis:
        backend.enis[eni].delete()


def create_log_stream(account: str, region: str, group: str, stream: str) -> None:
    """Create a log stream if it does not exist; AwsError ResourceNotFoundException without the group."""
    with aws_errors():
        logs_backends[account][region].ensure_log_stream(group, stream)


def create_log_group(account: str, region: str, group: str) -> None:
    """Create a log group if it does not exist."""
    logs_backends[account][region].ensure_log_group(group)


def put_log_events(
    account: str, region: str, group: str, stream: str, events: Iterable[tuple[int, str]]
) -> None:
    """Append ``(milliseconds since 1970, line)`` to a stream; AwsError without the group or stream."""
    log_events = [{"timestamp": at, "message": line} for at, line in events]
    with aws_errors():
        logs_backends[account][region].put_log_events(group, stream, log_events)


def put_metrics(account: str, region: str, namespace: str, data: Sequence[Mapping[str, Any]]) -> None:
    """Send metric data, in the form of PutMetricData, to CloudWatch."""
    cloudwatch_backends[account][region].put_metric_data(namespace, [dict(one) for one in data])


def get_secret_value(
    account: str, region: str, secret: str, version_id: str | None = None, stage: str | None = None
) -> dict[str, Any]:
    """GetSecretValue's answer by name, ARN or partial ARN; AwsError."""
    with aws_errors():
        found = secretsmanager_backends[account][region].get_secret_value(secret, version_id, stage)
        return dict(found)


def arn_of_secret(account: str, region: str, secret: str) -> str:
    """A secret's complete ARN from its name or partial ARN; an unknown name is returned as it is."""
    found = secretsmanager_backends[account][region].secrets
    return str(found[secret].arn) if secret in found else secret


def get_parameters(account: str, region: str, names: Sequence[str]) -> tuple[dict[str, str], list[str]]:
    """Decrypted values of SSM parameters by the requested name or ARN, and the invalid names."""
    with aws_errors():
        found = ssm_backends[account][region].get_parameters(list(names))
    values = {name: parameter.decrypt(parameter.value) for name, parameter in found.items()}
    return values, [name for name in names if name not in values]


def key_of_secret(account: str, region: str, secret: str) -> str | None:
    """The ARN of the customer managed KMS key of a secret; None for an AWS managed key."""
    return _customer_key(account, region, secretsmanager_backends[account][region].secrets[secret].kms_key_id)


def key_of_parameter(account: str, region: str, name: str) -> str | None:
    """The ARN of the customer managed KMS key of an SSM parameter; None without one."""
    found = ssm_backends[account][region].get_parameters([name])
    secure = [parameter for parameter in found.values() if parameter.parameter_type == "SecureString"]
    return _customer_key(account, region, secure[0].keyid) if secure else None


def _customer_key(account: str, region: str, key: str | None) -> str | None:
    if not key or "alias/aws/" in key:
        return None
    return key_arn(account, region, key)


def key_arn(account: str, region: str, key: str) -> str:
    """A KMS key's ARN, from its id or ARN, or an alias's name or ARN."""
    kms = kms_backends[account][region]
    known = kms.any_id_to_key_id(key)
    if known in kms.keys:
        return str(kms.keys[known].arn)
    return key if key.startswith("arn:") else f"arn:aws:kms:{region}:{account}:key/{key}"


def key_policy(arn: str) -> str | None:
    """The text of a KMS key's policy, by the key's ARN; None where the key does not exist."""
    _, _, _, region, account, name = arn.split(":", 5)
    key = kms_backends[account][region].keys.get(name.removeprefix("key/"))
    return str(key.policy) if key else None


@dataclass(frozen=True)
class StoredRole:
    """A role in IAM; policies are the JSON texts as given."""

    name: str
    arn: str
    trust: str
    inline: Mapping[str, str]
    attached: Mapping[str, str]
    boundary: str | None
    created: datetime


def policy_text(policy: Any) -> str:
    """The JSON text of a managed policy's default version."""
    versions = {version.version_id: version.document for version in policy.versions}
    return str(versions[policy.default_version_id])


def find_role(account: str, role_arn: str) -> StoredRole | None:
    """The role with this ARN, or None."""
    elsewhere = (each for each in ("aws-cn", "aws-us-gov") if role_arn.startswith(f"arn:{each}:"))
    iam = iam_backends[account][next(elsewhere, "aws")]
    role = next((one for one in list(iam.roles.values()) if one.arn == role_arn), None)
    if role is None:
        return None
    boundary = iam.managed_policies.get(role.permissions_boundary_arn)
    return StoredRole(
        role.name,
        role.arn,
        role.assume_role_policy_document,
        dict(role.policies),
        {arn: policy_text(policy) for arn, policy in role.managed_policies.items()},
        policy_text(boundary) if boundary else None,
        role.create_date.replace(tzinfo=UTC),
    )


def find_subnet(ec2: Any, subnet: str) -> Any:
    """A subnet of one region's EC2 by id, or None."""
    zones = list(ec2.subnets.values())
    return next((by_id[subnet] for by_id in zones if subnet in by_id), None)


def zone_of(account: str, region: str, vpc: str, ip: str) -> str | None:
    """The Availability Zone of the subnet with an address of a VPC; None without such a subnet."""
    zones = list(ec2_backends[account][region].subnets.values())
    for subnet in (one for by_id in zones for one in list(by_id.values())):
        if subnet.vpc_id == vpc and _holds(subnet.cidr_block, ip):
            return str(subnet.availability_zone)
    return None


def _holds(cidr: str, ip: str) -> bool:
    try:
        return ip_address(ip) in ip_network(cidr)
    except ValueError:
        return False


def set_eni_groups(account: str, region: str, eni: str, groups: Sequence[str]) -> None:
    """Change the security groups of a network interface."""
    ec2 = ec2_backends[account][region]
    if eni in ec2.enis:
        ec2.enis[eni]._group_set = [ec2.get_security_group_from_id(group) for group in groups]


@dataclass(frozen=True)
class StoredCertificate:
    """A certificate (with its chain) and its private key, if known, both PEM."""

    status: str
    certificate: bytes
    key: bytes
    names: tuple[str, ...]
    imported: bool

    @property
    def self_signed(self) -> bool:
        """Whether it has no issuing authority; ACM's own certificates have one, although moto signs them with
        their own key."""
        certificate = load_pem_x509_certificate(self.certificate)
        return self.imported and certificate.issuer == certificate.subject


def find_certificate(account: str, region: str, arn: str) -> StoredCertificate | None:
    """A certificate of ACM, or of IAM, by ARN."""
    if arn.split(":")[2] == "iam":
        found = iam_backends[account]["aws"].get_certificate_by_arn(arn)
        if found is None:
            return None
        return StoredCertificate("ISSUED", found.cert_body.encode(), found.private_key.encode(), (), True)
    found = acm_backends[account][region]._certificates.get(arn)
    if found is None:
        return None
    found.check()  # moto's certificates update their status only here
    return StoredCertificate(
        found.status,
        found.cert + b"\n" + found.chain,
        found.key,
        (found.common_name, *found.sans),
        found.type == "IMPORTED",
    )


_RECORD_MEMBERS = {
    "Name": "name",
    "Type": "type",
    "SetIdentifier": "set_identifier",
    "Weight": "weight",
    "Region": "region",
    "GeoLocation": "geo_location",
    "Failover": "failover",
    "MultiValueAnswer": "multi_value_answer",
    "HealthCheckId": "health_check_id",
    "TTL": "ttl",
    "AliasTarget": "alias_target",
    "ResourceRecords": "resource_records",
}


def record_views(zone: Any) -> Iterator[dict[str, Any]]:
    """The records of a hosted zone in the API's shape."""
    for record in zone.rrsets:
        found = {member: getattr(record, name) for member, name in _RECORD_MEMBERS.items()}
        yield {member: value for member, value in found.items() if value is not None}


def record_set(view: Mapping[str, Any]) -> Any:
    """A record of a hosted zone from the API's shape."""
    values = [each["Value"] for each in view.get("ResourceRecords") or ()]
    return import_module("moto.route53.models").RecordSet({**view, "ResourceRecords": values})


@dataclass(frozen=True)
class NamedBalancer:
    """A load balancer for DNS: its account, region, name, and the hosted zone id of such names."""

    account: str
    region: str
    arn: str
    dns_name: str
    zone: str


def named_balancers(account: str) -> Iterator[NamedBalancer]:
    """Every load balancer of an account."""
    for region, backend in list(elbv2_backends[account].items()):
        for found in list(backend.load_balancers.values()):
            zone = found.canonical_hosted_zone_id
            yield NamedBalancer(account, region, found.arn, found.dns_name, zone)


def target_groups(balancer: NamedBalancer) -> list[str]:
    """The ARNs of the target groups in its account and region."""
    return list(elbv2_backends[balancer.account][balancer.region].target_groups)


def balancers_with_certificate(account: str, region: str, arn: str) -> list[str]:
    """The ARNs of the load balancers that use a certificate."""
    balancers = list(elbv2_backends[account][region].load_balancers.values())
    return [
        each.arn
        for each in balancers
        if any(arn in listener.certificates for listener in list(each.listeners.values()))
    ]


def ssl_policy_exists(name: str) -> bool:
    """Whether Elastic Load Balancing has a security policy of this name."""
    return name in import_module("moto.elbv2.ssl_policies").SSL_POLICIES


def set_actions(rule: Any, actions: Sequence[dict[str, Any]]) -> None:
    """Change the actions of a listener rule."""
    action = import_module("moto.elbv2.models").FakeAction
    rule.actions = [action(one) for one in actions]


def add_rule(
    listener: Any, priority: int, conditions: Sequence[dict[str, Any]], actions: Sequence[dict[str, Any]]
) -> Any:
    """Add a rule to a listener."""
    arn = listener.arn.replace(":listener/", ":listener-rule/") + f"/{random_hex(16)}"
    made = import_module("moto.elbv2.models").FakeListenerRule(listener.arn, arn, conditions, priority, [])
    set_actions(made, actions)
    listener.register(arn, made)
    return made


def request_members(service: str, operation: str, environ: dict[str, Any]) -> dict[str, Any]:
    """A request's members by the names in botocore's model of ``service``; NotImplementedError for an unknown
    operation."""
    request = BackendRequest(environ)
    try:
        model = get_service_model(service)
        known = model.operation_model(operation)
        uri = get_service_router(service).match(request)[1] if model.protocol.startswith("rest") else {}
    except (NotFound, OperationNotFoundError, UnknownServiceError) as gap:
        raise NotImplementedError(operation) from gap
    wire = {
        "method": request.method,
        "values": request.values,
        "headers": request.headers,
        "body": request.data,
        "url_path": request.path,
        "url_params": uri,
    }
    protocol = determine_request_protocol(model, request.content_type)
    return dict(PROTOCOL_PARSERS[protocol](known).parse(wire))


def random_hex(length: int) -> str:
    """Hexadecimal digits, as in ARNs."""
    return secrets.token_hex(length // 2)


def is_motos(error: BaseException) -> bool:
    """Whether an unexpected error was raised in moto itself, not in this package."""
    frames = traceback.extract_tb(error.__traceback__)
    return bool(frames) and Path(frames[-1].filename).is_relative_to(Path(moto.__file__).parent)
