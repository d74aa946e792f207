"""Formats GitHub's access for people and workflows. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rich.console import Group, RenderableType
from rich.text import Text

if TYPE_CHECKING:
    from ..settings import GitHubSettings, Settings


def variables(settings: Settings, role: str) -> dict[str, str]:
    """The values for the repository's variables; none of them is a secret."""
    return {"AWS_DEPLOY_ROLE": role, "AWS_REGION": settings.region}


def variable_lines(settings: Settings, role: str) -> RenderableType:
    """The same, as lines ``NAME=value``."""
    return Group(*(Text(f"{name}={value}") for name, value in variables(settings, role).items()))


def access_json(settings: Settings, role: str) -> dict[str, Any]:
    """The member ``github`` of ``setup-aws`` with ``--json``; ``role`` is the deploy role's ARN."""
    github, partition = settings.github, role.split(":")[1]
    return {
        "repository": github.repository,
        "subjects": list(github.subjects(partition)),
        "claims": github.claims(partition),
        "variables": variables(settings, role),
    }


def access(settings: Settings) -> RenderableType:
    """Which workflows can deploy now, as an introduction to the variables."""
    github = settings.github
    whose = f"the environment {github.environment}" if github.environment else f"the branch {github.branch}"
    lines = [
        "",
        f"Workflows of {github.repository} for {whose} can deploy now. They need no access key.",
        "The variables of the repository (Settings → Secrets and variables → Actions → Variables):",
    ]
    return Group(*(Text(line) for line in lines))


def access_next(settings: Settings, role: str) -> RenderableType:
    """How to set the variables, and which settings would make the trust policy exact."""
    repository = f"--repo {settings.github.repository}"
    lines = [
        f"gh variable set {name} {repository} --body {value}"
        for name, value in variables(settings, role).items()
    ]
    return Group(Text(), *(Text(f"  {line}") for line in lines), *_note(settings.github, role.split(":")[1]))


def _note(github: GitHubSettings, partition: str) -> list[Text]:
    """Recommend ids, which a later owner of the name lacks; the subject must have them where STS does not know them."""
    if github.owner_id and github.repository_id:
        if github.claims(partition):
            return []
        told = (
            "Only subjects with these ids are trusted. A repository from before the middle of 2026 has to opt in to "
            "immutable subject claims first (its OIDC settings on GitHub)."
        )
        return [Text(), Text(told, style="dim")]
    told = (
        "github.owner_id and github.repository_id are not set: the role would also trust whoever gets this name "
        f"on GitHub later. Show them:  gh api repos/{github.repository} --jq '.owner.id, .id'"
    )
    return [Text(), Text(told, style="dim")]
