"""Replaces references of the settings to a real account by resources of the rehearsal."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from ..aws import Aws
from ..settings import (
    MOST_WAIT_MINUTES,
    ContainerSettings,
    DeploymentSettings,
    FrontSettings,
    NetworkSettings,
    Settings,
    SignInSettings,
    TaskSettings,
    XRaySettings,
)

VALUE = "rehearsal"


def patient(settings: Settings, speed: float) -> Settings:
    """The settings with ``deployment.wait_minutes`` as minutes of this machine instead of AWS's.

    The embedded AWS's time is ``speed`` times as fast, but programs and containers start no faster, and on a busy
    machine much slower.
    """
    minutes = min(settings.deployment.wait_minutes * max(speed, 1), MOST_WAIT_MINUTES)
    deployment = settings.deployment.model_copy(update={"wait_minutes": minutes})
    return settings.model_copy(update={"deployment": deployment})


@dataclass(frozen=True)
class _StandIn:
    """What takes the place of one section of the settings, and the sentence that says so."""

    section: str
    value: object
    note: str


def stand_in(aws: Aws, settings: Settings) -> tuple[Settings, tuple[str, ...]]:
    """The settings that can be rehearsed, and the changes, in sentences.

    Secrets are created with a placeholder value; network, certificate and an account's own policies are
    left out, because the embedded AWS has only its default VPC; the load balancer is made reachable from
    here; a service without tasks gets one.
    """
    made = [
        *_network(settings.network),
        *_load_balancer(settings),
        *_front(settings.front),
        *_sign_in(settings.sign_in),
        *_policies(settings.task),
        *_xray(settings.xray),
        *_desired_count(settings.deployment),
        *_container(aws, settings.container),
    ]
    changes = {each.section: each.value for each in made}
    return settings.model_copy(update=changes), tuple(each.note for each in made)


def _network(section: NetworkSettings) -> Iterator[_StandIn]:
    if section != NetworkSettings():
        yield _StandIn("network", NetworkSettings(), "network: the default VPC stands in for yours")


def _load_balancer(settings: Settings) -> Iterator[_StandIn]:
    section = settings.load_balancer
    plain: dict[str, object] = {"certificate": None, "dual_stack": False, "allowed_cidrs": None}
    if not settings.is_fronted:
        plain["internal"] = False
    if any(getattr(section, name) for name in plain):
        kind = "an internal one without IPv6" if settings.is_fronted else "an internet-facing one with HTTP"
        note = f"load_balancer: {kind} stands in for yours"
        yield _StandIn("load_balancer", section.model_copy(update=plain), note)


def _front(section: FrontSettings) -> Iterator[_StandIn]:
    if section.certificate:
        note = "front.certificate: one that is requested here stands in for yours"
        yield _StandIn("front", section.model_copy(update={"certificate": None}), note)


def _sign_in(section: SignInSettings) -> Iterator[_StandIn]:
    if section.is_on:
        yield _StandIn("sign_in", SignInSettings(), "sign_in: left out, since it needs HTTPS")


def _policies(section: TaskSettings) -> Iterator[_StandIn]:
    bound = section.permissions_boundary
    if foreign := [arn for arn in (*section.policies, bound) if arn and ":iam::aws:" not in arn]:
        managed = tuple(arn for arn in section.policies if arn not in foreign)
        kept = None if bound in foreign else bound
        update = {"policies": managed, "permissions_boundary": kept}
        yield _StandIn("task", section.model_copy(update=update), f"policies: {', '.join(foreign)} left out")


def _xray(section: XRaySettings) -> Iterator[_StandIn]:
    if section.enabled:
        note = "xray: no collector, since its image is not on this machine"
        yield _StandIn("xray", section.model_copy(update={"enabled": False}), note)


def _desired_count(section: DeploymentSettings) -> Iterator[_StandIn]:
    if not section.desired_count:
        note = "deployment.desired_count: 1 stands in for 0"
        yield _StandIn("deployment", section.model_copy(update={"desired_count": 1}), note)


def _container(aws: Aws, section: ContainerSettings) -> Iterator[_StandIn]:
    if secrets := section.secrets:
        note = f"secrets: {', '.join(secrets)} with stand-in values"
        yield _StandIn("container", section.model_copy(update={"secrets": _secrets(aws, secrets)}), note)


def _secrets(aws: Aws, sources: Mapping[str, str]) -> dict[str, str]:
    """Create the secrets and parameters of the sources; returns their new sources."""
    made: dict[str, str] = {}
    for source in sources.values():
        if _is_secret(source) and _name(source) not in made:
            same = [each for each in sources.values() if _is_secret(each) and _name(each) == _name(source)]
            made[_name(source)] = _make_secret(aws, _name(source), [_key(each) for each in same])
    return {
        variable: _within(made[_name(source)], _key(source))
        if _is_secret(source)
        else _parameter(aws, source)
        for variable, source in sources.items()
    }


def _make_secret(aws: Aws, name: str, keys: list[str]) -> str:
    """Create a secret in Secrets Manager, with JSON keys if there are any; returns its ARN."""
    named = [key for key in keys if key]
    value = json.dumps(dict.fromkeys(named, VALUE)) if named else VALUE
    return str(aws.call("secretsmanager:CreateSecret", name, Name=name, SecretString=value)["ARN"])


def _parameter(aws: Aws, source: str) -> str:
    """Create a parameter in SSM; returns its name, because its ARN would contain the real account."""
    name = _parameter_name(source)
    aws.call("ssm:PutParameter", name, Name=name, Value=VALUE, Type="SecureString", Overwrite=True)
    return name


def _is_secret(source: str) -> bool:
    return ":secretsmanager:" in source


def _name(source: str) -> str:
    """The name in a secret's ARN: ``arn:aws:secretsmanager:region:account:secret:NAME[:key:stage:version]``."""
    return source.split(":")[6]


def _key(source: str) -> str:
    return next(iter(source.split(":")[7:8]), "")


def _within(arn: str, key: str) -> str:
    """The ARN with the JSON key, without stage and version, which do not exist here."""
    return f"{arn}:{key}::" if key else arn


def _parameter_name(source: str) -> str:
    """``/app/key`` of ``arn:aws:ssm:region:account:parameter/app/key``; ``key`` of ``…parameter/key``."""
    if not source.startswith("arn:"):
        return source
    path = source.partition(":parameter")[2]
    return path if path.count("/") > 1 else path.lstrip("/")
