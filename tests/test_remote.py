"""Finding the GitHub repository in a remote's URL."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from lobster_tasks.remote import github_repository, repository_of


@pytest.mark.parametrize(
    ("url", "repository"),
    [
        ("git@github.com:octocat/hello-world.git", "octocat/hello-world"),
        ("https://github.com/octocat/hello-world", "octocat/hello-world"),
        ("https://github.com/octocat/hello-world.git\n", "octocat/hello-world"),
        ("https://somebody:token@github.com/octocat/hello.world.git", "octocat/hello.world"),
        ("ssh://git@github.com/octocat/hello-world.git", "octocat/hello-world"),
        ("ssh://git@ssh.github.com:443/octocat/hello-world.git", "octocat/hello-world"),
        ("https://www.github.com/octocat/hello-world/", "octocat/hello-world"),
        ("git@gitlab.com:octocat/hello-world.git", None),
        ("https://github.com.example.org/octocat/hello-world", None),
        ("https://example.org/github.com/octocat/hello-world", None),
        ("/srv/git/hello-world.git", None),
        ("", None),
    ],
)
def test_a_remote_on_github(url: str, repository: str | None) -> None:
    assert repository_of(url) == repository


def test_the_remote_origin_of_a_folder(tmp_path: Path) -> None:
    assert github_repository(tmp_path, {}) is None
    for command in (
        ["init", "--quiet"],
        ["remote", "add", "origin", "git@github.com:octocat/hello-world.git"],
    ):
        subprocess.run(["git", "-C", str(tmp_path), *command], check=True)
    assert github_repository(tmp_path, {}) == "octocat/hello-world"


def test_a_workflow_knows_its_repository(tmp_path: Path) -> None:
    assert github_repository(tmp_path, {"GITHUB_REPOSITORY": "octocat/app"}) == "octocat/app"
