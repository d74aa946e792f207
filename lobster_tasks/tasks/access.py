"""Whose workflows on GitHub may deploy, for the tasks that set this up."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ..settings import Settings
    from .command import Run


def with_repository(run: Run) -> Settings:
    """The settings with ``github.repository``, that of the git remote where they have none; raises SettingsError."""
    from pathlib import Path

    from pydantic import ValidationError

    from ..errors import SettingsError
    from ..remote import github_repository
    from ..settings import GitHubSettings

    given = run.settings.github
    repository = given.repository or github_repository(Path.cwd(), run.environ)
    if repository is None:
        raise SettingsError(
            ["github.repository: this folder has no git remote on GitHub; set it to owner/name"]
        )
    try:
        github = GitHubSettings.model_validate({**given.model_dump(), "repository": repository})
    except ValidationError:
        source = "GITHUB_REPOSITORY" if run.environ.get("GITHUB_REPOSITORY") else "the remote origin"
        raise SettingsError(
            [
                f"github.repository: {source} says {repository!r:.100}; it takes owner/name, as in octocat/hello-world"
            ]
        ) from None
    return run.settings.model_copy(update={"github": github})


def is_there(run: Run) -> bool:
    """Whether GitHub's access is part of the stack: the settings name a repository, or the role is ours."""
    from .. import stack

    if run.settings.github.repository:
        return True
    access = stack.build_access(run.settings, run.aws.account, run.aws.partition)
    role = access.resources[-1]
    found = role.read(run.aws, stack.Known({}))
    return found is not None and role.is_ours(found)


def role_arn(run: Run) -> str:
    """The deploy role's ARN."""
    return f"arn:{run.aws.partition}:iam::{run.aws.account}:role/{run.settings.github.role}"


def tell(run: Run, role: str) -> None:
    """Say who may deploy, and show the variables, each a line ``NAME=value`` on stdout."""
    from .. import report

    run.console.say(report.access(run.settings))
    for name, value in report.variables(run.settings, role).items():
        run.console.show(f"{name}={value}")
    run.console.say(report.access_next(run.settings, role))
