"""What settings name in a real account and a rehearsal has to stand in for."""

from __future__ import annotations

import json

from ..aws import Aws
from ..settings import Settings


def stand_in(aws: Aws, settings: Settings) -> tuple[Settings, tuple[str, ...]]:
    """The settings as they can be rehearsed, and what was changed about them, in sentences.

    Secrets are made with values that say what they are; network, certificate and an account's own policies are
    left out, because the embedded AWS has only its default VPC.
    """
    changes: dict[str, object] = {}
    notes = []
    if settings.network.vpc or settings.network.subnets or not settings.network.public:
        network = {"vpc": None, "subnets": None, "public": True}
        changes["network"] = settings.network.model_copy(update=network)
        notes.append("network: the default VPC stands in for yours")
    if settings.load_balancer.certificate:
        changes["load_balancer"] = settings.load_balancer.model_copy(update={"certificate": None})
        notes.append("certificate: HTTP stands in for HTTPS")
    if foreign := [arn for arn in settings.task.policies if ":iam::aws:" not in arn]:
        managed = tuple(arn for arn in settings.task.policies if arn not in foreign)
        changes["task"] = settings.task.model_copy(update={"policies": managed})
        notes.append(f"policies: {', '.join(foreign)} left out")
    if settings.container.secrets:
        changes["container"] = settings.container.model_copy(update={"secrets": _secrets(aws, settings)})
        notes.append(f"secrets: {len(settings.container.secrets)} with stand-in values")
    return settings.model_copy(update=changes), tuple(notes)


def _secrets(aws: Aws, settings: Settings) -> dict[str, str]:
    made: dict[str, str] = {}
    secrets = {name: source for name, source in settings.container.secrets.items() if _is_secret(source)}
    for arn in {_base(source) for source in secrets.values()}:
        keys = [_key(source) for source in secrets.values() if _base(source) == arn]
        made[arn] = _make_secret(aws, arn, [key for key in keys if key])
    for name, source in settings.container.secrets.items():
        if not _is_secret(source):
            _make_parameter(aws, name, source)
    return {
        name: made[_base(source)] + source[len(_base(source)) :] if _is_secret(source) else source
        for name, source in settings.container.secrets.items()
    }


def _make_secret(aws: Aws, arn: str, keys: list[str]) -> str:
    name = arn.split(":")[6]
    value = json.dumps(dict.fromkeys(keys, "rehearsal")) if keys else "rehearsal"
    return str(aws.call("secretsmanager:CreateSecret", name, Name=name, SecretString=value)["ARN"])


def _make_parameter(aws: Aws, name: str, source: str) -> None:
    parameter = source.partition(":parameter")[2] or source
    aws.call("ssm:PutParameter", name, Name=parameter, Value="rehearsal", Type="SecureString", Overwrite=True)


def _is_secret(source: str) -> bool:
    return ":secretsmanager:" in source


def _base(source: str) -> str:
    return ":".join(source.split(":")[:7])


def _key(source: str) -> str:
    return ":".join(source.split(":")[7:8])
