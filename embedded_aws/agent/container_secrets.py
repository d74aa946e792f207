"""Fetches a container's secrets with the execution role, from Secrets Manager and SSM.

Forms of ``valueFrom`` (Developer Guide, "Pass Secrets Manager secrets through Amazon ECS environment variables"):
a full or partial secret ARN; ``ARN:json-key:version-stage:version-id``, each part may be empty; an SSM
parameter's ARN; its name, in the same region.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ..ec2.egress import EgressPath
from ..kernel.place import Place
from ..moto import adapter
from ..moto.adapter import AwsError
from . import key_access
from .agent_errors import ServiceUnreachableError
from .permissions import Permissions

UNABLE = "ResourceInitializationError: unable to pull secrets or registry auth: "
CANCELED = "RequestCanceled: request context canceled caused by: context deadline exceeded"
NO_KEY = (
    "The ciphertext refers to a customer master key that does not exist, does not exist in this region, or you are "
    "not allowed to access."
)
SECRET_ARN = re.compile(r"^arn:aws[a-z-]*:secretsmanager:(?P<region>[^:]+):(?P<account>\d+):secret:")


class SecretError(Exception):
    """A secret cannot be fetched; the text follows "execution resource retrieval failed: "."""


@dataclass(frozen=True)
class SecretPath:
    """The location of a value in Secrets Manager."""

    arn: str
    region: str
    account: str
    key: str
    stage: str
    version: str

    @classmethod
    def parse(cls, value_from: str) -> SecretPath | None:
        """The path in ``value_from``, or None where it is not a secret's ARN."""
        found = SECRET_ARN.match(value_from)
        if found is None:
            return None
        parts = [*value_from.split(":"), "", "", ""]
        return cls(":".join(parts[:7]), found["region"], found["account"], parts[7], parts[8], parts[9])


def fetch(
    place: Place, container: Mapping[str, Any], allowed: Permissions, egress: EgressPath
) -> dict[str, str]:
    """The container's secrets as environment variables; SecretError, ServiceUnreachableError with ECS's messages.

    Secrets Manager and SSM call KMS themselves, so the task needs no route to KMS.
    """
    return {
        secret["name"]: _value(place, secret["valueFrom"], allowed, egress)
        for secret in container.get("secrets", ())
    }


def _value(place: Place, value_from: str, allowed: Permissions, egress: EgressPath) -> str:
    path = SecretPath.parse(value_from)
    return _parameter(place, value_from, allowed, egress) if path is None else _secret(path, allowed, egress)


def _secret(path: SecretPath, allowed: Permissions, egress: EgressPath) -> str:
    if egress.timeout("secretsmanager", path.region, f"secretsmanager.{path.region}.amazonaws.com"):
        raise ServiceUnreachableError(
            f"{UNABLE}unable to retrieve secret from asm: There is a connection issue between the task and AWS Secrets "
            "Manager. Check your task network configuration. failed to fetch secret "
            f"{path.arn} from AWS Secrets Manager: {CANCELED}"
        )
    head = (
        "unable to retrieve secret from asm: service call has been retried 1 time(s): failed to fetch secret "
        f"{path.arn} from secrets manager: "
    )
    complete = adapter.arn_of_secret(path.account, path.region, path.arn)
    if denied := allowed.denial("secretsmanager:GetSecretValue", complete):
        raise SecretError(head + denied)
    try:
        found = adapter.get_secret_value(
            path.account, path.region, path.arn, path.version or None, path.stage or None
        )
    except AwsError as error:
        raise SecretError(f"{head}{error.code}: {error.message}") from error
    key = adapter.key_of_secret(path.account, path.region, path.arn)
    if not _may_decrypt(key, allowed, "secretsmanager"):
        raise SecretError(f"{head}AccessDeniedException: Access to KMS is not allowed")
    text = found.get("SecretString")
    if text is None:
        raise SecretError(f"{head}InvalidParameterException: the secret has no SecretString")
    return _member(text, path) if path.key else str(text)


def _may_decrypt(key: str | None, allowed: Permissions, service: str) -> bool:
    """Whether the role may use a customer managed key; AWS managed keys need no permission."""
    if key is None or allowed.role is None:
        return key is None
    return key_access.may_decrypt(allowed.account, allowed.role, key, service)


def _member(text: str, path: SecretPath) -> str:
    head = "unable to retrieve secret from asm: service call has been retried 1 time(s): "
    try:
        members = json.loads(text)
    except json.JSONDecodeError as error:
        raise SecretError(head + go_json_error(text)) from error
    if not isinstance(members, dict) or path.key not in members:
        raise SecretError(f"{head}retrieved secret from Secrets Manager did not contain json key {path.key}")
    value = members[path.key]
    return value if isinstance(value, str) else json.dumps(value)


def go_json_error(text: str) -> str:
    """The error message of the agent's JSON parser for ``text``, which is not JSON."""
    text = text.strip()
    for word in ("true", "false", "null"):
        if text[:1] == word[0]:
            wrong = next((i for i, want in enumerate(word) if text[i : i + 1] != want), len(word))
            if wrong < min(len(word), len(text)):
                return f"invalid character '{text[wrong]}' in literal {word} (expecting '{word[wrong]}')"
    if not text:
        return "unexpected end of JSON input"
    return f"invalid character '{text[0]}' looking for beginning of value"


def _parameter(place: Place, value_from: str, allowed: Permissions, egress: EgressPath) -> str:
    head = "unable to retrieve secrets from ssm: service call has been retried 1 time(s): "
    account, region = place.account, place.region
    arn = value_from
    if value_from.startswith("arn:"):
        region, account = value_from.split(":")[3:5]
    else:
        arn = f"arn:aws:ssm:{region}:{account}:parameter/{value_from.lstrip('/')}"
    if egress.timeout("ssm", region, f"ssm.{region}.amazonaws.com"):
        raise ServiceUnreachableError(
            f"{UNABLE}execution resource retrieval failed: unable to retrieve secrets from ssm: service call has been "
            f"retried 5 time(s): {CANCELED}. Please check your task network configuration."
        )
    if denied := allowed.denial("ssm:GetParameters", arn):
        raise SecretError(f"{head}operation error SSM: GetParameters, {denied}")
    name = _parameter_name(value_from)
    values, missing = adapter.get_parameters(account, region, [name])
    if missing:
        raise SecretError(f"{head}invalid parameters: {value_from}")
    if not _may_decrypt(adapter.key_of_parameter(account, region, name), allowed, "ssm"):
        raise SecretError(f"{head}operation error SSM: GetParameters, AccessDeniedException: {NO_KEY}")
    return values[name]


def _parameter_name(value_from: str) -> str:
    if not value_from.startswith("arn:"):
        return value_from
    path = value_from.split(":parameter", 1)[1]
    return path if path.count("/") > 1 else path.lstrip("/")
