"""The job of CI that uses the action against an embedded AWS of its own."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.action.runner import ROOT, Repository, checkout, official

WORKFLOW = ".github/workflows/ci.yml"


@pytest.mark.exhaustive  # GitHub runs it for every change
def test_the_action_against_an_embedded_aws(tmp_path: Path) -> None:
    repository = Repository(tmp_path / "checkout", tmp_path / "home", {"AWS_EC2_METADATA_DISABLED": "true"})
    repository.actions = official(ROOT / "action.yml", ROOT / WORKFLOW)
    checkout(repository.folder, tests=True)
    repository.commit("A change")
    ran = repository.push(WORKFLOW, "action").check(green=True)
    [annotation] = ran.annotations
    assert "exit code 3" in annotation
