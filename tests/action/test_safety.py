"""What the action and the workflows may be: audited, pinned, with least permissions, with nothing interpolated."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.action.runner import OFFICIAL, ROOT, USES, WORKFLOWS
from tests.embedded_process import PATIENCE

ACTION = ROOT / "action.yml"
FILES = [ACTION, *WORKFLOWS]
# amazon-ecs-deploy-task-definition and its like, by release: a tag can be moved, a commit cannot.
PINNED = {
    "actions/checkout": ("3d3c42e5aac5ba805825da76410c181273ba90b1", "v7.0.1"),
    "actions/setup-python": ("a309ff8b426b58ec0e2a45f0f869d46889d02405", "v6.2.0"),
    "aws-actions/amazon-ecs-deploy-task-definition": ("c465972ecbd160473f22e683363b422a5412a3de", "v2.6.3"),
    "aws-actions/amazon-ecs-render-task-definition": ("138c24f321fdbdf7edee4a685519d253cae2cdea", "v1.9.0"),
    "crazy-max/ghaction-github-runtime": ("04d248b84655b509d8c44dc1d6f990c879747487", "v4.0.0"),
    "docker/setup-buildx-action": ("37fe631027851001ddb9b187196cc803df7f5f0e", "v4.3.0"),
    "aws-actions/configure-aws-credentials": ("e6de054238d6b7531b4efff3b6587d9aade6a06c", "v6.2.3"),
}


def load(file: Path) -> dict[Any, Any]:
    """The file; YAML reads ``on`` as True."""
    found: dict[Any, Any] = yaml.safe_load(file.read_text())
    return found


def jobs(file: Path) -> Iterator[dict[str, Any]]:
    """The jobs of a workflow."""
    yield from load(file)["jobs"].values()


def steps(file: Path) -> Iterator[dict[str, Any]]:
    """Every step, of the action or of all jobs."""
    if file == ACTION:
        yield from load(file)["runs"]["steps"]
        return
    for job in jobs(file):
        yield from job["steps"]


def test_the_audit_finds_nothing() -> None:
    zizmor = Path(sys.executable).with_name("zizmor")
    command = [str(zizmor), "--offline", "--persona=auditor", "--no-progress", "--strict-collection"]
    command += ["--config", ".github/zizmor.yml", "action.yml", ".github"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=PATIENCE, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "No findings to report" in done.stdout


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_other_peoples_actions_are_pinned_by_commit(file: Path) -> None:
    lines = [line for line in file.read_text().splitlines() if re.match(r"\s*(- )?uses:", line)]
    foreign = [line for line in lines if "uses: ./" not in line]
    found = [used for line in foreign if (used := USES.search(line))]
    assert len(found) == len(foreign)
    assert all((used["ref"], used["version"]) == PINNED[used["action"]] for used in found)


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_nothing_is_interpolated_into_a_command(file: Path) -> None:
    assert not [step["run"] for step in steps(file) if "${{" in step.get("run", "")]


@pytest.mark.parametrize("file", WORKFLOWS, ids=lambda file: file.name)
def test_permissions_are_least(file: Path) -> None:
    assert load(file)["permissions"] == {}
    for job in jobs(file):
        signs_in = any("configure-aws-credentials" in step.get("uses", "") for step in job["steps"])
        token = {"id-token": "write"} if signs_in else {}
        assert job["permissions"] == {"contents": "read", **token}
        assert job["timeout-minutes"] <= 60
        checkouts = [step for step in job["steps"] if "actions/checkout" in step.get("uses", "")]
        assert all(step["with"]["persist-credentials"] is False for step in checkouts)


def test_a_deployment_in_flight_is_never_cancelled() -> None:
    workflow = load(ROOT / ".github" / "workflows" / "deploy-to-aws.yml")
    assert workflow["concurrency"] == {"group": "deploy-to-aws", "cancel-in-progress": False}
    assert workflow[True] == {"push": {"branches": ["main"]}}


def test_the_official_deploy_action_never_waits() -> None:
    [deploy] = [step for step in steps(ACTION) if "deploy-task-definition" in step.get("uses", "")]
    assert deploy["with"]["wait-for-service-stability"] == "false"


def test_every_supported_python_is_tested() -> None:
    [tests] = [job for job in jobs(ROOT / ".github" / "workflows" / "ci.yml") if "strategy" in job]
    supported = re.findall(r"Python :: (3\.\d+)", (ROOT / "pyproject.toml").read_text())
    assert tests["strategy"]["matrix"]["python"] == supported
    assert any(step.get("run") == ".ci/run" for step in tests["steps"])


@pytest.mark.parametrize("file", [ACTION], ids=lambda file: file.name)
def test_inputs_of_the_official_actions_are_known_to_them(file: Path) -> None:
    """What an action does not know it ignores, with a warning that nobody reads."""
    for step in steps(file):
        owner, _, name = step.get("uses", "").partition("@")[0].partition("/")
        if owner != "aws-actions":
            continue
        if not (OFFICIAL / name).is_dir():
            pytest.skip(f"{name} is not in {OFFICIAL}; LOBSTER_OFFICIAL_ACTIONS names the folder")
        assert set(step["with"]) <= set(load(OFFICIAL / name / "action.yml")["inputs"])


def test_the_readme_tells_every_input_and_output() -> None:
    section = (ROOT / "README.md").read_text().partition("## The GitHub Action")[2].partition("\n## ")[0]
    action = load(ACTION)
    missing = [name for name in (*action["inputs"], *action["outputs"]) if f"`{name}`" not in section]
    assert missing == []
