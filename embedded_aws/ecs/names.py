"""Identifiers in Amazon ECS's forms."""

from __future__ import annotations

import base64
import secrets
import uuid as _uuid


def uuid() -> str:
    """A dashed UUID: containers, attachments, events."""
    return str(_uuid.uuid4())


def task_id() -> str:
    """32 hexadecimal characters."""
    return _uuid.uuid4().hex


def digits() -> str:
    """19 digits: ``ecs-svc/…`` deployments and service revisions."""
    return str(secrets.randbelow(9 * 10**18) + 10**18)


def service_deployment_id() -> str:
    """21 characters of the URL-safe alphabet, such as ``ejGvqq2ilnbKT9qj0vLJe``."""
    return base64.urlsafe_b64encode(secrets.token_bytes(16)).decode().rstrip("=")[:21]


def runtime_id(task: str) -> str:
    """A Fargate container's runtime id: the task's id and ten digits."""
    return f"{task}-{secrets.randbelow(9 * 10**9) + 10**9}"


def last_part(name_or_arn: str) -> str:
    """The name in a name or ARN."""
    return name_or_arn.rsplit("/", 1)[-1]
