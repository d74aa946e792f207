"""The official action that signs docker in to ECR works with an embedded AWS, and what it gives out leads there."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.action.runner import Repository, official
from tests.embedded_process import EmbeddedProcess
from tests.engines import LABEL, ContainerEngine

WORKFLOW = ".github/workflows/push.yml"
TEXT = """\
on: push
jobs:
  push:
    runs-on: ubuntu-24.04
    steps:
      - uses: actions/checkout@3d3c42e5aac5ba805825da76410c181273ba90b1 # v7.0.1
      - id: login
        uses: aws-actions/amazon-ecr-login@03f1aad4c6c7ffd436567f42f9384779290529bd # v2.1.7
      - shell: bash
        env:
          IMAGE: ${{ steps.login.outputs.registry }}/homara:act
        run: |
          docker build --tag "$IMAGE" app
          docker push "$IMAGE"
          docker rmi "$IMAGE"
"""


@pytest.mark.engine
def test_signs_in_and_pushes(tmp_path: Path, embedded: EmbeddedProcess, docker: ContainerEngine) -> None:
    ecr = embedded.client("ecr")
    ecr.create_repository(repositoryName="homara")
    environment = {
        **docker.environment,
        "AWS_ENDPOINT_URL": embedded.url,
        "AWS_REGION": "us-east-2",
        "AWS_ACCESS_KEY_ID": "AKIAEXAMPLE",
        "AWS_SECRET_ACCESS_KEY": "example",
        "AWS_EC2_METADATA_DISABLED": "true",
    }
    repository = Repository(tmp_path / "app", tmp_path / "home", environment)
    repository.write(WORKFLOW, TEXT)
    repository.actions = official(repository.folder / WORKFLOW)
    repository.write("app/Dockerfile", f"FROM scratch\nLABEL {LABEL}={os.getpid()}\nCOPY text /text\n")
    repository.write("app/text", "text")
    repository.commit("Push an image")
    repository.push(WORKFLOW).check(green=True)
    (held,) = ecr.describe_images(repositoryName="homara")["imageDetails"]
    assert held["imageTags"] == ["act"]
