"""What App Runner services stand on, in an embedded AWS: images, roles, and the services themselves."""

from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import requests

from tests.embedded.images import push, web_app
from tests.embedded.zones import Zone, simple
from tests.embedded_process import PATIENCE, EmbeddedProcess, control, eventually

ACCOUNT = "123456789012"
PULL = "arn:aws:iam::aws:policy/service-role/AWSAppRunnerServicePolicyForECRAccess"
BUSY = "OPERATION_IN_PROGRESS"


def trust(principal: str) -> str:
    """A trust policy for one service."""
    statement = {"Effect": "Allow", "Principal": {"Service": principal}, "Action": "sts:AssumeRole"}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


@dataclass(frozen=True)
class Sites:
    """App Runner in one embedded AWS."""

    process: EmbeddedProcess

    @cached_property
    def api(self) -> Any:
        """A client of App Runner."""
        return self.process.client("apprunner")

    @cached_property
    def access_role(self) -> str:
        """A role that pulls images for App Runner."""
        arn = self.role("apprunner-access", "build.apprunner.amazonaws.com")
        self.process.client("iam").attach_role_policy(RoleName="apprunner-access", PolicyArn=PULL)
        return arn

    @cached_property
    def image(self) -> str:
        """The image of tests/embedded/web_app.py."""
        return push(self.process.client("ecr"), web_app()).reference

    def role(self, name: str, principal: str, *statements: dict[str, Any]) -> str:
        """A role that ``principal`` may assume, with an inline policy of ``statements``."""
        iam = self.process.client("iam")
        with suppress(iam.exceptions.EntityAlreadyExistsException):
            iam.create_role(RoleName=name, AssumeRolePolicyDocument=trust(principal))
        if statements:
            document = json.dumps({"Version": "2012-10-17", "Statement": statements})
            iam.put_role_policy(RoleName=name, PolicyName="inline", PolicyDocument=document)
        return str(iam.get_role(RoleName=name)["Role"]["Arn"])

    def source(
        self, image: str | None = None, role: str | None = None, **configuration: Any
    ) -> dict[str, Any]:
        """A SourceConfiguration of an image in ECR; ``configuration`` is its ImageConfiguration."""
        return {
            "ImageRepository": {
                "ImageIdentifier": image or self.image,
                "ImageRepositoryType": "ECR",
                "ImageConfiguration": {"Port": "8501", **configuration},
            },
            "AutoDeploymentsEnabled": False,
            "AuthenticationConfiguration": {"AccessRoleArn": role or self.access_role},
        }

    def begin(self, name: str = "site", **more: Any) -> dict[str, Any]:
        """CreateService; a web app on port 8501 unless told otherwise."""
        asked = {"ServiceName": name, "SourceConfiguration": self.source(), **more}
        return dict(self.api.create_service(**asked)["Service"])

    def create(self, name: str = "site", **more: Any) -> dict[str, Any]:
        """A service that has got to where it stays."""
        return self.settled(self.begin(name, **more)["ServiceArn"])

    def settled(self, arn: str) -> dict[str, Any]:
        """A service once no operation is under way."""

        def look() -> Any:
            service = self.api.describe_service(ServiceArn=arn)["Service"]
            return None if service["Status"] == BUSY else service

        return dict(eventually(look))

    def bind(self, arn: str, domain: str, zone: Zone) -> None:
        """Give a service a domain, prove it in its zone, and wait until the service is asked by its name."""
        self.api.associate_custom_domain(ServiceArn=arn, DomainName=domain, EnableWWWSubdomain=False)

        def about() -> Any:
            found = self.api.describe_custom_domains(ServiceArn=arn)["CustomDomains"]
            return next(each for each in found if each["DomainName"] == domain)

        records = eventually(lambda: about()["CertificateValidationRecords"])
        zone.create(*(simple(each["Name"], each["Value"]) for each in records))
        eventually(lambda: about()["Status"] == "active")

    def put(self, arn: str, status: str) -> None:
        """Bring about a state that AWS or a person brings about: maintenance, a handshake."""
        answer = control.post(
            f"{self.process.url}/_embedded/apprunner", json={"arn": arn, "status": status}, timeout=PATIENCE
        )
        answer.raise_for_status()

    def connection(self, name: str = "github") -> str:
        """A connection to GitHub whose handshake somebody completed."""
        made = self.api.create_connection(ConnectionName=name, ProviderType="GITHUB")
        arn = str(made["Connection"]["ConnectionArn"])
        self.put(arn, "AVAILABLE")
        return arn

    def code(self, connection: str, **more: Any) -> dict[str, Any]:
        """A SourceConfiguration of a repository of source code."""
        return {
            "CodeRepository": {
                "RepositoryUrl": "https://github.com/example/site",
                "SourceCodeVersion": {"Type": "BRANCH", "Value": "main"},
                "CodeConfiguration": {
                    "ConfigurationSource": "API",
                    "CodeConfigurationValues": {"Runtime": "PYTHON_311", **more},
                },
            },
            "AuthenticationConfiguration": {"ConnectionArn": connection},
        }

    def operations(self, arn: str) -> list[tuple[str, str]]:
        """Type and status of a service's operations, newest first."""
        found = self.api.list_operations(ServiceArn=arn)["OperationSummaryList"]
        return [(one["Type"], one["Status"]) for one in found]

    def get(self, service: dict[str, Any], path: str = "/", **more: Any) -> requests.Response:
        """What the service's address answers."""
        return requests.get(f"http://{service['ServiceUrl']}{path}", timeout=PATIENCE, **more)

    def lines(self, service: dict[str, Any], group: str, stream: str) -> list[str]:
        """The lines of a log stream of a service."""
        name = f"/aws/apprunner/{service['ServiceName']}/{service['ServiceId']}/{group}"
        found = self.process.client("logs").get_log_events(
            logGroupName=name, logStreamName=stream, startFromHead=True
        )
        return [event["message"] for event in found["events"]]
