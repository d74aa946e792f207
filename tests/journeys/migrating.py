"""The whole move from App Runner under the setup policy and the migration policy."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from lobster_tasks import settings as settings_
from lobster_tasks import templates
from lobster_tasks.apprunner import cleanup, cutover, migration
from lobster_tasks.apprunner.parity import compare
from lobster_tasks.aws import Aws
from lobster_tasks.clock import Clock
from lobster_tasks.settings import Settings
from tests.apprunner.moving import SPEED
from tests.clocks import PatientClock
from tests.embedded.apprunner_stack import PULL, Sites
from tests.embedded.firewalls import associate, web_acl
from tests.embedded.identities import ACCOUNT, Identity
from tests.embedded.images import push, web_app
from tests.embedded.zones import Zone, simple
from tests.embedded_process import EmbeddedProcess, eventually

from .permitted import Document, session_with
from .releasing import FAST, set_up

HIDDEN = "sk-" + "aB3" * 12
APP_RUNNER = {"Effect": "Allow", "Action": "apprunner:*", "Resource": "*"}
MIXED = {"Effect": "Allow", "Action": ["apprunner:*", "s3:ListBucket"], "Resource": "*"}
_MOST_VERSIONS = 5


def settings_of(name: str, *flags: str) -> Settings:
    """The settings of the move of one service, which has a domain of its own."""
    own = (f"apprunner.service={name}", "apprunner.soak_hours=0", f"domains=app.{name}.org")
    return settings_.load({}, {}, (*FAST, *own, *flags))


def migration_policy(settings: Settings, *, edits_policies: bool = True) -> Document:
    """What the move needs besides the setup policy."""
    return templates.migration_policy(settings, ACCOUNT, "aws", edits_policies=edits_policies)


def beside_setup(settings: Settings, policy: Document) -> Document:
    """The setup policy and another one as one policy, as somebody has both."""
    setup = templates.setup_policy(settings, ACCOUNT, "aws")
    return {**setup, "Statement": [*setup["Statement"], *policy["Statement"]]}


def stand(process: EmbeddedProcess) -> None:
    """The stack with a release, an administrator's work."""
    account = set_up(process, Aws("us-east-2", endpoint_url=process.url, credentials=_KEYS, clock=_clock()))
    outcome = account.deploy("v1")
    assert outcome.verdict == "live", outcome


_KEYS = {"aws_access_key_id": "AKIAEXAMPLE", "aws_secret_access_key": "example"}


def _clock() -> Clock:
    return PatientClock(speed=SPEED)


@dataclass(frozen=True)
class Moving:
    """A service ``name`` of App Runner that uses all that there is to use, and who moves it."""

    process: EmbeddedProcess
    name: str
    folder: Path
    policy: Document
    role: str = "moves"
    said: list[str] = field(default_factory=list)

    @property
    def settings(self) -> Settings:
        """Of this move."""
        return settings_of(self.name)

    @cached_property
    def sites(self) -> Sites:
        """App Runner as an administrator sees it."""
        return Sites(self.process)

    @cached_property
    def who(self) -> Identity:
        """Whoever moves it. A role's inline policies are too small for both: the migration policy is a managed one."""
        name, iam = self.role, self.client("iam")
        setup = templates.setup_policy(self.settings, ACCOUNT, "aws")
        who = session_with(self.process, name, setup)
        made = iam.create_policy(PolicyName=name, PolicyDocument=json.dumps(self.policy))
        iam.attach_role_policy(RoleName=name, PolicyArn=made["Policy"]["Arn"])
        return who

    @cached_property
    def aws(self) -> Aws:
        """The library's door for whoever moves it."""
        credentials = self.who.credentials
        return Aws("us-east-2", endpoint_url=self.process.url, credentials=credentials, clock=_clock())

    def client(self, service: str) -> Any:
        """An administrator's client."""
        return self.process.client(service)

    def steps(self) -> Iterator[Callable[[], None]]:
        """What is done on the way, one after the other."""
        yield from (self.read, self.lift, self.compare, self.cut_over, self.pause, self.delete)

    def read(self) -> None:
        """``import-apprunner``, which lists every service, this one among them."""
        migration.list_services(self.aws, self.folder)

    def lift(self) -> None:
        """``import-apprunner --lift-secrets``, twice."""
        for _ in range(2):
            migration.lift_secrets(
                self.aws, migration.plan_migration(self.aws, self.name, self.folder), self.said.append
            )

    def compare(self) -> None:
        """``compare-apprunner``."""
        compare(self.aws, self.settings)

    def cut_over(self) -> None:
        """``cutover``, and ``cutover --back``."""
        accepted = ("firewall-lost",)  # the settings are made before the web ACL, and name none
        ended = cutover.cut_over(self.aws, self.settings, to=10, hold=0.0, wait=20_000.0, accept=accepted)
        assert ended.verdict == "partly", ended.cause
        cutover.go_back(self.aws, self.settings)

    def pause(self) -> None:
        """``cleanup-apprunner``."""
        self._clean(delete=False)
        self.who.client("apprunner").resume_service(ServiceArn=self.arn)  # as the guide says: it comes back
        self.sites.settled(self.arn)

    def delete(self) -> None:
        """``cleanup-apprunner --delete`` of a service with an ingress connection."""
        make_private(self)
        self._clean(delete=True)

    def _clean(self, *, delete: bool) -> None:
        found = cleanup.plan_cleanup(self.aws, self.settings, "", self.folder, delete=delete)
        cleanup.carry_out(self.aws, self.settings, found, self.folder, self.said.append)

    @cached_property
    def arn(self) -> str:
        """The service's ARN."""
        (one,) = self.sites.api.list_services()["ServiceSummaryList"]
        return str(one["ServiceArn"])


def furnish(moving: Moving) -> None:
    """Make the service, its domain, and everything that it uses."""
    clear(moving.sites)
    name, api = moving.name, moving.sites.api
    scaling = api.create_auto_scaling_configuration(AutoScalingConfigurationName=name)
    traced = api.create_observability_configuration(ObservabilityConfigurationName=name)
    service = moving.sites.create(
        name,
        SourceConfiguration=_source(moving),
        InstanceConfiguration={"InstanceRoleArn": _instance_role(moving)},
        AutoScalingConfigurationArn=scaling["AutoScalingConfiguration"]["AutoScalingConfigurationArn"],
        ObservabilityConfiguration={
            "ObservabilityEnabled": True,
            "ObservabilityConfigurationArn": traced["ObservabilityConfiguration"][
                "ObservabilityConfigurationArn"
            ],
        },
        NetworkConfiguration={"EgressConfiguration": _egress(moving)},
    )
    assert service["Status"] == "RUNNING"
    _protect(moving)
    _name(moving, service)
    _allow(moving)


def clear(sites: Sites) -> None:
    """No service is there any more: what another one uses would stay."""
    ways_in, named = "VpcIngressConnectionSummaryList", "VpcIngressConnectionArn"
    for each in sites.api.list_vpc_ingress_connections()[ways_in]:
        with suppress(sites.api.exceptions.InvalidStateException):  # whoever moved it was deleting it
            sites.api.delete_vpc_ingress_connection(**{named: each[named]})
    eventually(lambda: not sites.api.list_vpc_ingress_connections()[ways_in])
    for each in sites.api.list_services()["ServiceSummaryList"]:
        sites.api.delete_service(ServiceArn=each["ServiceArn"])
    eventually(lambda: not sites.api.list_services()["ServiceSummaryList"])


def _source(moving: Moving) -> dict[str, Any]:
    """An image in a repository of App Runner's own; a secret with an alias of a key, a parameter, a hidden value."""
    kms = moving.client("kms")
    alias = f"alias/{moving.name}"
    kms.create_alias(AliasName=alias, TargetKeyId=kms.create_key()["KeyMetadata"]["KeyId"])
    secret = moving.client("secretsmanager").create_secret(
        Name=f"of-{moving.name}", SecretString="hidden", KmsKeyId=alias
    )
    parameter = f"/{moving.name}/token"
    moving.client("ssm").put_parameter(Name=parameter, Value="hidden", Type="SecureString")
    role = moving.sites.role(f"{moving.name}-access", "build.apprunner.amazonaws.com")
    moving.client("iam").attach_role_policy(RoleName=f"{moving.name}-access", PolicyArn=PULL)
    image = push(moving.client("ecr"), web_app(), repository="before").reference
    secrets = {
        "KEY": secret["ARN"],
        "TOKEN": f"arn:aws:ssm:us-east-2:{ACCOUNT}:parameter{parameter}",
    }
    source = moving.sites.source(
        image,
        role,
        RuntimeEnvironmentVariables={"API_KEY": HIDDEN},
        RuntimeEnvironmentSecrets=secrets,
    )
    source["AuthenticationConfiguration"]["ConnectionArn"] = moving.sites.connection(moving.name)
    return source


def _instance_role(moving: Moving) -> str:
    everything = {"Effect": "Allow", "Action": "*", "Resource": "*"}
    return moving.sites.role(f"{moving.name}-instance", "tasks.apprunner.amazonaws.com", everything)


def _egress(moving: Moving) -> dict[str, Any]:
    subnet = moving.client("ec2").describe_subnets()["Subnets"][0]["SubnetId"]
    made = moving.sites.api.create_vpc_connector(VpcConnectorName=moving.name, Subnets=[subnet])
    return {"EgressType": "VPC", "VpcConnectorArn": made["VpcConnector"]["VpcConnectorArn"]}


def _protect(moving: Moving) -> None:
    """A web ACL."""
    associate(moving.process, web_acl(moving.process, moving.name), moving.arn)


def _name(moving: Moving, service: dict[str, Any]) -> None:
    """A domain of its own, whose records lead to App Runner."""
    zone, domain = Zone(moving.process, f"{moving.name}.org"), moving.settings.domains[0]
    moving.sites.bind(moving.arn, domain, zone)
    zone.settle(simple(domain, service["ServiceUrl"], ttl=60))


def _allow(moving: Moving) -> None:
    """Policies that speak of App Runner: alone, and of other things too."""
    iam, name = moving.client("iam"), moving.name
    iam.create_user(UserName=name)
    iam.create_group(GroupName=name)
    moving.sites.role(name, "ec2.amazonaws.com")
    for kind in ("role", "user", "group"):
        owner = {f"{kind.capitalize()}Name": name}
        for policy, statement in (("alone", APP_RUNNER), ("mixed", MIXED)):
            put = getattr(iam, f"put_{kind}_policy")
            put(**owner, PolicyName=policy, PolicyDocument=_document(statement))
    alone = _managed(iam, f"{name}-alone", APP_RUNNER, 2)
    _managed(iam, f"{name}-mixed", MIXED, _MOST_VERSIONS)
    for kind in ("role", "user", "group"):
        getattr(iam, f"attach_{kind}_policy")(**{f"{kind.capitalize()}Name": name}, PolicyArn=alone)


def _managed(iam: Any, name: str, statement: dict[str, Any], versions: int) -> str:
    arn = str(iam.create_policy(PolicyName=name, PolicyDocument=_document(statement))["Policy"]["Arn"])
    for _ in range(versions - 1):
        iam.create_policy_version(PolicyArn=arn, PolicyDocument=_document(statement), SetAsDefault=True)
    return arn


def _document(statement: dict[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def make_private(moving: Moving) -> None:
    """Only its VPC reaches it from now on, by an ingress connection."""
    api, ec2 = moving.sites.api, moving.client("ec2")
    private = {"IngressConfiguration": {"IsPubliclyAccessible": False}}
    api.update_service(ServiceArn=moving.arn, NetworkConfiguration=private)
    moving.sites.settled(moving.arn)
    subnet = ec2.describe_subnets()["Subnets"][0]
    endpoint = ec2.create_vpc_endpoint(
        VpcId=subnet["VpcId"],
        ServiceName="com.amazonaws.us-east-2.apprunner.requests",
        VpcEndpointType="Interface",
        SubnetIds=[subnet["SubnetId"]],
        PrivateDnsEnabled=False,
    )["VpcEndpoint"]["VpcEndpointId"]
    made = api.create_vpc_ingress_connection(
        ServiceArn=moving.arn,
        VpcIngressConnectionName=moving.name,
        IngressVpcConfiguration={"VpcId": subnet["VpcId"], "VpcEndpointId": endpoint},
    )["VpcIngressConnection"]["VpcIngressConnectionArn"]

    def status() -> str:
        shown = api.describe_vpc_ingress_connection(VpcIngressConnectionArn=made)
        return str(shown["VpcIngressConnection"]["Status"])

    eventually(lambda: status() == "AVAILABLE")
