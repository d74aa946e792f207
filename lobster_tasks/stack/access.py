"""The optional part of a stack that lets GitHub workflows deploy."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path

from pydantic import ValidationError

from .. import templates
from ..errors import SettingsError
from ..remote import github_repository
from ..settings import GitHubSettings, Settings
from .github import DeployRole, IdentityProvider
from .resource import Resource


def resources(settings: Settings, account: str, partition: str) -> tuple[Resource, ...]:
    """The OIDC provider of GitHub's tokens, and the role for the workflows of ``github.repository``."""
    arn = templates.github_provider_arn(account, partition)
    provider = IdentityProvider(templates.GITHUB_ISSUER, settings.name, arn)
    trust = json.dumps(templates.github_trust_policy(settings, account, partition))
    policy = json.dumps(templates.github_actions_policy(settings, account, partition))
    role, boundary = settings.github.role, settings.task.permissions_boundary or ""
    deploying = DeployRole(
        role, settings.name, trust, policy, boundary=boundary, provider=provider, setting="github.role"
    )
    return provider, deploying


def role_arn(settings: Settings, account: str, partition: str) -> str:
    """The deploy role's ARN."""
    return f"arn:{partition}:iam::{account}:role/{settings.github.role}"


def with_repository(settings: Settings, environ: Mapping[str, str] = os.environ) -> Settings:
    """The settings with ``github.repository``, by default that of this folder's git remote.

    Raises SettingsError.
    """
    given = settings.github
    repository = given.repository or github_repository(Path.cwd(), environ)
    if repository is None:
        raise SettingsError(
            ["github.repository: this folder has no git remote on GitHub; set it to owner/name"]
        )
    try:
        github = GitHubSettings.model_validate({**given.model_dump(), "repository": repository})
    except ValidationError:
        source = "GITHUB_REPOSITORY" if environ.get("GITHUB_REPOSITORY") else "the remote origin"
        raise SettingsError(
            [
                f"github.repository: {source} says {repository!r:.100}; it takes owner/name, as in octocat/hello-world"
            ]
        ) from None
    return settings.model_copy(update={"github": github})
