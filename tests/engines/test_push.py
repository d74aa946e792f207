"""`inv push-image` with real engines, to an embedded AWS, as to AWS."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.embedded_process import EmbeddedProcess
from tests.engines import LABEL, ContainerEngine
from tests.project import DOCKERFILE, Project

pytestmark = pytest.mark.engine

REGISTRY = "123456789012.dkr.ecr.us-east-2.amazonaws.com"


@pytest.fixture
def folder(project: Project) -> Path:
    """The project, with a Dockerfile that every engine can build offline."""
    dockerfile = f"FROM scratch\nLABEL {LABEL}={os.getpid()}\nARG RELEASE\nENV R=$RELEASE\nCOPY text /text\n"
    project.write("text", "one")
    project.write("Dockerfile.streamlit", dockerfile)
    return project.folder


def test_builds_and_pushes(
    project: Project, folder: Path, embedded: EmbeddedProcess, container_engine: ContainerEngine
) -> None:
    ecr = embedded.client("ecr")
    ecr.create_repository(repositoryName="homara", imageTagMutability="IMMUTABLE")
    words = ("push-image", "--builder", container_engine.name, "--tag", "one")
    environment = dict(container_engine.environment)
    told = project.inv(*words, "--build-arg", "RELEASE=one", "--json", **environment).check().json
    (held,) = ecr.describe_images(repositoryName="homara")["imageDetails"]
    assert (held["imageDigest"], held["imageTags"]) == (told["digest"], ["one"])
    assert told["reference"] == f"{REGISTRY}/homara:one"
    again = project.inv(*words, "--build-arg", "RELEASE=one", "--json", **environment).check().json
    assert not again["pushed"]
    project.write("text", "two")
    refused = project.inv(*words, "--build-arg", "RELEASE=one", **environment)
    assert refused.code != 0
    assert "The image tag 'one' already exists in the 'homara' repository" in refused.said
    container_engine.run("rmi", "--force", f"{embedded.url[7:]}/{REGISTRY}/homara:one")


def test_what_an_engine_pushed_is_deployed(
    project: Project, embedded: EmbeddedProcess, container_engine: ContainerEngine
) -> None:
    """A task gets the image from the same registry, by the reference that AWS has; also one of several in an index."""
    dockerfile = DOCKERFILE.replace("FROM python:3.13-slim", f"FROM scratch\nLABEL {LABEL}={os.getpid()}")
    project.write("Dockerfile.streamlit", dockerfile)
    project.settings("deployment: {deregistration_delay: 0}")
    project.inv("setup-fargate", "--yes").check()
    words = ("push-image", "--builder", container_engine.name, "--tag", "one", "--build-arg", "RELEASE=one")
    pushed = project.inv(*words, "--json", **container_engine.environment).check().json
    released = project.inv("deploy", "--tag", "one", "--json").check().json
    assert released["image"] == f"{REGISTRY}/homara@{pushed['digest']}"
    if container_engine.name == "podman":
        index = push_index(project, embedded, container_engine, "two")
        released = project.inv("deploy", "--tag", "two", "--json").check().json
        assert released["image"] == f"{REGISTRY}/homara@{index}"


def push_index(project: Project, embedded: EmbeddedProcess, podman: ContainerEngine, tag: str) -> str:
    """Build for two platforms, and push the index; its digest. The engine has signed in before."""
    index = f"{embedded.url[7:]}/{REGISTRY}/homara:{tag}"
    both = ("--platform", "linux/arm64,linux/amd64", "--build-arg", f"RELEASE={tag}", "--manifest", index)
    # Of an image FROM scratch podman takes the layers, and the platform, of an earlier build for another one.
    podman.run(
        "build",
        "--no-cache",
        *both,
        "--file",
        str(project.folder / "Dockerfile.streamlit"),
        str(project.folder),
    )
    podman.run("manifest", "push", "--all", "--tls-verify=false", index, f"docker://{index}")
    podman.run("manifest", "rm", index)
    images = embedded.client("ecr").describe_images(repositoryName="homara", imageIds=[{"imageTag": tag}])
    (held,) = images["imageDetails"]
    assert held["imageManifestMediaType"] == "application/vnd.oci.image.index.v1+json"
    return str(held["imageDigest"])
