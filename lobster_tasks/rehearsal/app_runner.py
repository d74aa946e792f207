"""Sets up the app before the migration: on App Runner, usually with a domain of its own."""

from __future__ import annotations

import json
import shlex
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from ..aws import Aws
from ..errors import LobsterError
from ..images import Observer, options_of, push_image, unobserved
from ..secrecy import shown_log
from ..settings import Settings, service_name

T = TypeVar("T")

TAG = "on-app-runner"
DOMAIN = "example.com"
_NAME_LENGTH = (4, 40)  # CreateService, ServiceName
_WAIT_SECONDS = 900.0
_LAST_LINES = 5
_LOOK_EVERY_SECONDS = 2.0
_PULL = "policy/service-role/AWSAppRunnerServicePolicyForECRAccess"
# Instance sizes of App Runner, CPU units -> MiB ("InstanceConfiguration").
_SIZES = (
    *((256, 512), (256, 1024), (512, 1024), (1024, 2048), (1024, 3072), (1024, 4096)),
    *((2048, 4096), (2048, 6144), (4096, 8192), (4096, 10240), (4096, 12288)),
)


@dataclass(frozen=True)
class AppRunnerApp:
    """The App Runner service: its name, ARN and address, and its domain with the hosted zone's id.

    Without a domain, which CloudFront does not need, ``domain`` and ``zone`` are empty.
    """

    name: str
    arn: str
    address: str
    domain: str
    zone: str


def deploy_app(
    aws: Aws,
    settings: Settings,
    folder: Path,
    observe: Observer = unobserved,
    builder: str = "process",
) -> AppRunnerApp:
    """Create an App Runner service that matches ``settings``, with its roles and its image.

    ``observe`` gets the progress of the image's transfer. ``builder`` makes the image: process, docker or podman.
    Raises LobsterError where the app does not run.
    """
    aws.call("ecr:CreateRepository", settings.repository, repositoryName=settings.repository)
    image = push_image(
        aws, settings, TAG, folder, builder, options_of(settings, {"RELEASE": TAG}), observe=observe
    )
    service = create_service(aws, settings, image.reference)
    domain = _domain(settings)
    zone = associate_domain(aws, service, domain) if domain else ""
    address = f"http://{service['ServiceUrl']}"
    return AppRunnerApp(service["ServiceName"], service["ServiceArn"], address, domain, zone)


def _domain(settings: Settings) -> str:
    """The domain that the app has; empty where the settings name none and visitors use CloudFront's own name."""
    made_up = "" if settings.is_fronted else f"{settings.name}.{DOMAIN}".lower()
    return next((each for each in settings.domains if "*" not in each), made_up)


def create_service(aws: Aws, settings: Settings, image: str) -> dict[str, Any]:
    """Run an image (its reference) on App Runner, with roles of its own; returns the service as in
    DescribeService."""
    name = app_runner_name(settings)
    made = aws.call("apprunner:CreateService", name, **_request(aws, settings, name, image))
    return _running(aws, made["Service"]["ServiceArn"])


def app_runner_name(settings: Settings) -> str:
    """The stack's name, within App Runner's rules."""
    least, most = _NAME_LENGTH
    if settings.apprunner.service:
        return service_name(settings.apprunner.service)
    return settings.name.replace(".", "-")[:most].ljust(least, "x")


def size(cpu: int, memory: int) -> tuple[int, int]:
    """CPU units and MiB of the smallest sufficient App Runner instance; the largest where none suffices. Pure."""
    return next((each for each in _SIZES if each[0] >= cpu and each[1] >= memory), _SIZES[-1])


def _request(aws: Aws, settings: Settings, name: str, image: str) -> dict[str, Any]:
    container = settings.container
    cpu, memory = size(settings.task.cpu, settings.task.memory)
    configuration: dict[str, Any] = {
        "Port": str(container.port),
        "RuntimeEnvironmentVariables": dict(container.environment),
        "RuntimeEnvironmentSecrets": dict(container.secrets),
    }
    if container.command:
        configuration["StartCommand"] = shlex.join(container.command)
    return {
        "ServiceName": name,
        "SourceConfiguration": {
            "ImageRepository": {
                "ImageIdentifier": image,
                "ImageRepositoryType": "ECR",
                "ImageConfiguration": configuration,
            },
            "AutoDeploymentsEnabled": False,
            "AuthenticationConfiguration": {"AccessRoleArn": _access_role(aws, name)},
        },
        "InstanceConfiguration": {
            "Cpu": str(cpu),
            "Memory": str(memory),
            "InstanceRoleArn": _instance_role(aws, name),
        },
    }


def _access_role(aws: Aws, name: str) -> str:
    arn = _role(aws, f"{name}-apprunner-access", "build.apprunner.amazonaws.com")
    policy = f"arn:{aws.partition}:iam::aws:{_PULL}"
    aws.call("iam:AttachRolePolicy", name, RoleName=f"{name}-apprunner-access", PolicyArn=policy)
    return arn


def _instance_role(aws: Aws, name: str) -> str:
    role = f"{name}-apprunner-instance"
    arn = _role(aws, role, "tasks.apprunner.amazonaws.com")
    actions = ["secretsmanager:GetSecretValue", "ssm:GetParameters", "kms:Decrypt"]
    document = _document({"Effect": "Allow", "Action": actions, "Resource": "*"})
    aws.call("iam:PutRolePolicy", role, RoleName=role, PolicyName="secrets", PolicyDocument=document)
    return arn


def _role(aws: Aws, name: str, principal: str) -> str:
    trust = {"Effect": "Allow", "Principal": {"Service": principal}, "Action": "sts:AssumeRole"}
    made = aws.call("iam:CreateRole", name, RoleName=name, AssumeRolePolicyDocument=_document(trust))
    return str(made["Role"]["Arn"])


def _document(statement: dict[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def _wait(aws: Aws, look: Callable[[], T | None], otherwise: str) -> T:
    """The first true result of ``look``; LobsterError with ``otherwise`` when the time is up."""
    found = aws.clock.poll(look, _WAIT_SECONDS, _LOOK_EVERY_SECONDS)
    if not found:
        raise LobsterError(otherwise, f"it was still busy after {_WAIT_SECONDS / 60:.0f} min")
    return found


def _running(aws: Aws, arn: str) -> dict[str, Any]:
    def look() -> dict[str, Any] | None:
        service: dict[str, Any] = aws.call("apprunner:DescribeService", arn, ServiceArn=arn)["Service"]
        return None if service["Status"] == "OPERATION_IN_PROGRESS" else service

    service = _wait(aws, look, f"App Runner did not finish {arn}.")
    if service["Status"] != "RUNNING":
        raise LobsterError(
            f"The app does not start on App Runner: {service['Status']}.",
            f"its log ends with: {_last_words(aws, service) or 'nothing'}",
            "inv rehearse --no-from-apprunner, which begins on Fargate and names the cause",
        )
    return service


def _last_words(aws: Aws, service: dict[str, Any]) -> str:
    """The last lines of the app's log, masked."""
    group = f"/aws/apprunner/{service['ServiceName']}/{service['ServiceId']}/application"
    absent = ("ResourceNotFoundException",)
    found = aws.find("logs:FilterLogEvents", absent, group, logGroupName=group) or {"events": []}
    return " · ".join(shown_log([event["message"].strip() for event in found["events"][-_LAST_LINES:]]))


def associate_domain(aws: Aws, service: dict[str, Any], domain: str) -> str:
    """Create a hosted zone whose records validate the domain and route it to the service; returns the zone's id."""
    parent = domain.partition(".")[2] if domain.count(".") > 1 else domain
    zone = str(
        aws.call("route53:CreateHostedZone", parent, Name=parent, CallerReference=domain)["HostedZone"]["Id"]
    )
    arn = service["ServiceArn"]
    asked = {"ServiceArn": arn, "DomainName": domain, "EnableWWWSubdomain": False}
    target = aws.call("apprunner:AssociateCustomDomain", domain, **asked)["DNSTarget"]
    _write(aws, zone, domain, target)
    for record in _wait(
        aws, lambda: _proofs(aws, arn), f"App Runner returned no validation records for {domain}."
    ):
        _write(aws, zone, record["Name"], record["Value"])
    _wait(aws, lambda: _is_active(aws, arn), f"App Runner did not validate {domain}.")
    return zone


def _domains(aws: Aws, arn: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = aws.call("apprunner:DescribeCustomDomains", arn, ServiceArn=arn)[
        "CustomDomains"
    ]
    return found


def _proofs(aws: Aws, arn: str) -> list[dict[str, Any]]:
    return [record for each in _domains(aws, arn) for record in each.get("CertificateValidationRecords", ())]


def _is_active(aws: Aws, arn: str) -> bool:
    return all(each["Status"] == "ACTIVE" for each in _domains(aws, arn))


def _write(aws: Aws, zone: str, name: str, value: str) -> None:
    record = {"Name": name, "Type": "CNAME", "TTL": 60, "ResourceRecords": [{"Value": value}]}
    batch = {"Changes": [{"Action": "CREATE", "ResourceRecordSet": record}]}
    aws.call("route53:ChangeResourceRecordSets", name, HostedZoneId=zone, ChangeBatch=batch)
