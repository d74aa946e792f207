"""The real workflow and action: from a commit on main to the page that answers, and what a broken commit does."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.action.runner import ROOT, USES, Ran, Repository, checkout, official
from tests.action.tokens import Tokens, token_service
from tests.embedded_process import EmbeddedProcess
from tests.journeys.traffic import Traffic, ask
from tests.project import APP, DOCKERFILE, Project, make

WORKFLOW = ".github/workflows/deploy-to-aws.yml"


@dataclass
class Site:
    """This project with another app in it, and the account that it deploys to; one commit has been pushed."""

    repository: Repository
    embedded: EmbeddedProcess
    tokens: Tokens
    url: str
    commit: str
    pushed: Ran
    calls: list[dict[str, Any]]

    def running(self) -> str:
        """The image of the service's task definition."""
        ecs = self.embedded.client("ecs")
        where = {"cluster": "lobster-cluster", "services": ["lobster-streamlit-service"]}
        arn = ecs.describe_services(**where)["services"][0]["taskDefinition"]
        definition = ecs.describe_task_definition(taskDefinition=arn)["taskDefinition"]
        return str(definition["containerDefinitions"][0]["image"])


@pytest.fixture
def site(tmp_path_factory: pytest.TempPathFactory, embedded_process: EmbeddedProcess) -> Iterator[Site]:
    """The infrastructure is there, and the first commit was pushed."""
    actions = official(ROOT / "action.yml", ROOT / WORKFLOW)
    embedded_process.reset()
    folder = tmp_path_factory.mktemp("site")
    actions |= _without_buildx(folder / "actions")
    with token_service() as tokens:
        repository = _repository(folder, embedded_process, tokens, actions)
        url = _set_up(make(folder / "person", embedded_process.url), repository)
        commit = repository.commit("The first release")
        embedded_process.forget_calls()
        pushed = repository.push(WORKFLOW)
        yield Site(repository, embedded_process, tokens, url, commit, pushed, embedded_process.calls())


def _repository(
    folder: Path, embedded: EmbeddedProcess, tokens: Tokens, actions: dict[str, Path]
) -> Repository:
    """This project, its settings as they are, with an app of the tests. The runner has no key of AWS."""
    repository = Repository(
        folder / "app",
        folder / "home",
        {"AWS_ENDPOINT_URL": embedded.url, "AWS_EC2_METADATA_DISABLED": "true", **tokens.environment},
        {},
        actions,
    )
    checkout(repository.folder)
    repository.write("Dockerfile.streamlit", DOCKERFILE)
    repository.write("web_app.py", APP.read_text())
    repository.write(".dockerignore", "*\n!web_app.py\n")
    return repository


def _without_buildx(folder: Path) -> dict[str, Path]:
    """The actions for the build's cache, which fail as they do on a runner without buildx."""
    folder.mkdir()
    fails = "runs: {using: composite, steps: [{shell: bash, run: 'echo there is no buildx; exit 1'}]}\n"
    (folder / "action.yml").write_text(f"name: none\ndescription: none\n{fails}")
    used = USES.finditer((ROOT / WORKFLOW).read_text())
    return {
        f"{each['action']}@{each['ref']}": folder
        for each in used
        if each["action"].startswith(("docker/", "crazy-max/"))
    }


def _set_up(person: Project, repository: Repository) -> str:
    """What a person does once, with the variables that come of it. The app's address."""
    mine = ("--set", "github.repository=somebody/app")
    url, *variables = person.inv("setup-aws", *mine, folder=repository.folder).check().out.splitlines()
    repository.variables |= dict(line.split("=", 1) for line in variables)
    return url


def test_from_a_commit_to_the_page_and_a_broken_one(site: Site) -> None:
    """One test: two workers must not do it twice."""
    a_commit_becomes_the_page_that_answers(site)
    it_is_built_once_and_deployed_by_digest(site)
    it_signs_in_without_a_key(site)
    a_broken_commit_is_red_and_the_old_release_serves(site)


def a_commit_becomes_the_page_that_answers(site: Site) -> None:
    """The page is the release of the pushed commit."""
    site.pushed.check(green=True)
    assert "there is no buildx" in site.pushed.text
    assert ask(site.url) == site.commit
    assert "LIVE   revision 2" in site.pushed.text
    assert site.pushed.annotations == []


def it_is_built_once_and_deployed_by_digest(site: Site) -> None:
    """One image was put, and tagged once more when it was live; the service runs just that."""
    assert len([call for call in site.calls if call["operation"] == "PutImage"]) == 2
    [image] = site.embedded.client("ecr").describe_images(repositoryName="homara")["imageDetails"]
    assert image["imageTags"] == [site.commit, f"lobster-live-{image['imageDigest'][7:19]}"]
    assert site.running() == f"123456789012.dkr.ecr.us-east-2.amazonaws.com/homara@{image['imageDigest']}"


def it_signs_in_without_a_key(site: Site) -> None:
    """By a token of GitHub, for the audience that AWS expects."""
    assert site.tokens.audiences == ["sts.amazonaws.com"]
    assert site.calls[0]["operation"] == "AssumeRoleWithWebIdentity"


def a_broken_commit_is_red_and_the_old_release_serves(site: Site) -> None:
    """The job says why, and visitors notice nothing."""
    site.repository.write("Dockerfile.streamlit", DOCKERFILE + "ENV EXIT_CODE=3\n")
    site.repository.commit("A release that ends at once")
    before = site.running()
    with Traffic(site.url) as visitors:
        ended = site.repository.push(WORKFLOW).check(green=False)
    assert set(visitors.answers) == {site.commit}
    assert site.running() == before
    annotation = ended.annotations[0]
    assert "exit code 3" in annotation
    assert "giving up with 3" in annotation
    assert "ROLLED BACK" in ended.text
