"""Callers that IAM knows: sessions of roles, users with a key, and the tokens of an identity provider."""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import boto3
from botocore.config import Config

from lobster_tasks import attachable
from tests.embedded_process import EmbeddedProcess

ACCOUNT = "123456789012"
ISSUER = "token.actions.githubusercontent.com"
PROVIDER = f"arn:aws:iam::{ACCOUNT}:oidc-provider/{ISSUER}"
ANYBODY_HERE = {"AWS": ACCOUNT}


@dataclass(frozen=True)
class Identity:
    """Somebody's credentials, as boto3 takes them."""

    url: str
    credentials: Mapping[str, str]

    def client(self, service: str, region: str = "us-east-2") -> Any:
        """A client that calls as this identity, and does not retry."""
        config = Config(retries={"total_max_attempts": 1})
        return boto3.client(service, region, endpoint_url=self.url, config=config, **self.credentials)

    @property
    def environment(self) -> dict[str, str]:
        """The same for a command."""
        return {name.upper(): value for name, value in self.credentials.items()}


def allow(
    action: str | Sequence[str], resource: str | Sequence[str] = "*", **condition: Any
) -> dict[str, Any]:
    """A statement; ``condition`` is operator → keys."""
    made: dict[str, Any] = {"Effect": "Allow", "Action": action, "Resource": resource}
    return made | ({"Condition": condition} if condition else {})


def policy(*statements: Mapping[str, Any]) -> str:
    """A policy document."""
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def trust(principal: Mapping[str, str], action: str = "sts:AssumeRole", **condition: Any) -> str:
    """A trust policy."""
    made: dict[str, Any] = {"Effect": "Allow", "Principal": principal, "Action": action}
    return policy(made | ({"Condition": condition} if condition else {}))


def role(aws: EmbeddedProcess, name: str, *statements: Mapping[str, Any], document: str = "") -> str:
    """Make a role that everybody in the account may assume; its ARN."""
    iam = aws.client("iam")
    made = iam.create_role(RoleName=name, AssumeRolePolicyDocument=trust(ANYBODY_HERE))
    if statements or document:
        text = document or policy(*statements)
        iam.put_role_policy(RoleName=name, PolicyName="inline", PolicyDocument=text)
    return str(made["Role"]["Arn"])


def session(aws: EmbeddedProcess, name: str, *statements: Mapping[str, Any], document: str = "") -> Identity:
    """A session called ``test`` of a new role with these statements."""
    arn = role(aws, name, *statements, document=document)
    return identity(aws, aws.client("sts").assume_role(RoleArn=arn, RoleSessionName="test"))


def identity(aws: EmbeddedProcess, answer: Mapping[str, Any]) -> Identity:
    """The identity whose credentials STS gave."""
    given = answer["Credentials"]
    return Identity(
        aws.url,
        {
            "aws_access_key_id": given["AccessKeyId"],
            "aws_secret_access_key": given["SecretAccessKey"],
            "aws_session_token": given["SessionToken"],
        },
    )


def person(aws: EmbeddedProcess, name: str, *documents: Mapping[str, Any]) -> Identity:
    """A user with a key and these policies, each in as many managed policies as it needs."""
    iam = aws.client("iam")
    iam.create_user(UserName=name)
    parts = [part for document in documents for part in attachable.documents(document)]
    for number, part in enumerate(parts):
        made = iam.create_policy(PolicyName=f"{name}-{number}", PolicyDocument=json.dumps(part))
        iam.attach_user_policy(UserName=name, PolicyArn=made["Policy"]["Arn"])
    return user(aws, name)


def user(aws: EmbeddedProcess, name: str) -> Identity:
    """A user that is there, with a new key."""
    key = aws.client("iam").create_access_key(UserName=name)["AccessKey"]
    secret = key["SecretAccessKey"]
    return Identity(aws.url, {"aws_access_key_id": key["AccessKeyId"], "aws_secret_access_key": secret})


def token(subject: str, audience: str = "sts.amazonaws.com", issuer: str = ISSUER, **claims: Any) -> str:
    """A token as GitHub's service gives it, with a signature that nobody checks."""
    payload = {
        "iss": f"https://{issuer}",
        "sub": subject,
        "aud": audience,
        "exp": int(time.time()) + 300,
        **claims,
    }
    return ".".join(_encoded(part) for part in ({"alg": "RS256", "typ": "JWT"}, payload, "signature"))


@dataclass(frozen=True)
class Workflow:
    """A workflow of GitHub: what its tokens say, whatever subject the repository's administrators have chosen."""

    repository: str = "somebody/app"
    owner_id: int = 1
    repository_id: int = 2
    ref: str = "refs/heads/main"
    environment: str = ""

    @property
    def subjects(self) -> tuple[str, str]:
        """The default ones: as older repositories have it, and with ids ("OpenID Connect reference")."""
        owner, name = self.repository.split("/")
        where = f"environment:{self.environment}" if self.environment else f"ref:{self.ref}"
        ids = f"repo:{owner}@{self.owner_id}/{name}@{self.repository_id}:{where}"
        return f"repo:{self.repository}:{where}", ids

    def token(self, subject: str = "") -> str:
        """A token of it, whose claims are texts, the ids too."""
        claims = {
            "repository": self.repository,
            "repository_owner": self.repository.split("/")[0],
            "repository_owner_id": str(self.owner_id),
            "repository_id": str(self.repository_id),
            "ref": self.ref,
            **({"environment": self.environment} if self.environment else {}),
        }
        return token(subject or self.subjects[0], **claims)


def _encoded(part: Any) -> str:
    return base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=")
