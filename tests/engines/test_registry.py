"""Real engines, and skopeo, sign in to an embedded AWS's registry, push to it and pull from it."""

from __future__ import annotations

import base64
import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.embedded.identities import allow, person, policy
from tests.embedded.images import ImageSpec, push
from tests.embedded.registry_client import ACCOUNT
from tests.embedded_process import PATIENCE, EmbeddedProcess
from tests.engines import ContainerEngine, busybox

pytestmark = pytest.mark.engine

NAME = f"{ACCOUNT}.dkr.ecr.us-east-2.amazonaws.com"
DOCKERFILE = 'FROM scratch\nCOPY busybox /bin/sh\nCMD ["/bin/sh", "-c", "echo {}"]\n'
MIB = 1024 * 1024


class SignedIn:
    """An engine that is signed in to the registry, as who owns the ECR client."""

    def __init__(self, engine: ContainerEngine, ecr: Any) -> None:
        data = ecr.get_authorization_token()["authorizationData"][0]
        self.engine = engine
        self.registry = data["proxyEndpoint"].removeprefix("http://")
        self.plain = ["--tls-verify=false"] if engine.name == "podman" else []
        password = base64.b64decode(data["authorizationToken"]).decode().partition(":")[2]
        words = ["login", *self.plain, "--username", "AWS", "--password-stdin"]
        said = engine.run(*words, data["proxyEndpoint"], data=password)
        assert "Login Succeeded" in said

    def build(self, says: str, tag: str = "v1", repository: str = "homara", **files: bytes) -> str:
        """Build an image of the repository; its reference."""
        reference = f"{self.registry}/{repository}:{tag}"
        self.engine.build(reference, DOCKERFILE.format(says), {"busybox": busybox(), **files})
        return reference

    def push(self, reference: str, code: int | None = 0) -> str:
        """What a push says."""
        return self.engine.run("push", *self.plain, reference, code=code)


@pytest.fixture
def ecr(embedded: EmbeddedProcess) -> Any:
    """An ECR client, and a repository ``homara``."""
    ecr = embedded.client("ecr")
    ecr.create_repository(repositoryName="homara")
    return ecr


@pytest.fixture
def signed_in(container_engine: ContainerEngine, ecr: Any) -> SignedIn:
    """An engine that may do everything."""
    return SignedIn(container_engine, ecr)


def test_pushes_and_pulls(signed_in: SignedIn, ecr: Any) -> None:
    engine, reference = signed_in.engine, signed_in.build("hello")
    signed_in.push(reference)
    (held,) = ecr.describe_images(repositoryName="homara")["imageDetails"]
    assert held["imageTags"] == ["v1"]
    signed_in.push(reference)  # finds everything there
    engine.run("rmi", reference)
    by_digest = f"{signed_in.registry}/homara@{held['imageDigest']}"
    engine.run("pull", *signed_in.plain, by_digest)
    assert engine.run("run", "--rm", "--network", "none", by_digest).splitlines()[-1] == "hello"
    engine.run("rmi", "--force", by_digest)


def test_pushes_a_large_layer(signed_in: SignedIn, ecr: Any) -> None:
    """One that cannot be compressed, so that it is large on its way too."""
    reference = f"{signed_in.registry}/homara:large"
    dockerfile = DOCKERFILE.format("large") + "COPY noise /noise\n"
    signed_in.engine.build(reference, dockerfile, {"busybox": busybox(), "noise": os.urandom(80 * MIB)})
    signed_in.push(reference)
    (held,) = ecr.describe_images(repositoryName="homara")["imageDetails"]
    assert held["imageSizeInBytes"] > 80 * MIB


def test_pulls_what_was_pushed_by_the_api(signed_in: SignedIn, ecr: Any) -> None:
    pushed = push(ecr, ImageSpec({"/app/text": "text"}, ["python"]), tag="api")
    reference = f"{signed_in.registry}/homara:api"
    signed_in.engine.run("pull", *signed_in.plain, reference)
    assert signed_in.engine.digest_of(reference) == pushed.digest
    signed_in.engine.run("rmi", "--force", reference)


def test_says_what_ecr_refuses(signed_in: SignedIn, ecr: Any) -> None:
    reference = signed_in.build("one")
    signed_in.push(reference)
    ecr.put_image_tag_mutability(repositoryName="homara", imageTagMutability="IMMUTABLE")
    signed_in.build("two")
    said = signed_in.push(reference, code=None)
    assert "tag invalid: The image tag 'v1' already exists in the 'homara' repository" in said
    absent = signed_in.build("one", repository="absent")
    said = signed_in.push(absent, code=None)
    assert "name unknown: The repository with name 'absent' does not exist in the registry" in said


def test_pushes_as_who_signed_in(
    container_engine: ContainerEngine, embedded: EmbeddedProcess, ecr: Any
) -> None:
    may = ("GetAuthorizationToken", "BatchCheckLayerAvailability", "BatchGetImage")
    somebody = person(embedded, "somebody", json.loads(policy(allow([f"ecr:{each}" for each in may]))))
    signed_in = SignedIn(container_engine, somebody.client("ecr"))
    said = signed_in.push(signed_in.build("hello"), code=None)
    assert (
        f"denied: User: arn:aws:iam::{ACCOUNT}:user/somebody is not authorized to perform: ecr:Initiate"
        in said
    )


def test_podman_pulls_what_a_task_definition_says(podman: ContainerEngine, ecr: Any, tmp_path: Path) -> None:
    """With an entry in registries.conf, the reference is the same as on AWS."""
    pushed = push(ecr, ImageSpec({"/app/text": "text"}, ["python"]))
    signed_in = SignedIn(podman, ecr)
    configuration = tmp_path / "registries.conf"
    configuration.write_text(
        f'[[registry]]\nprefix = "{NAME}"\nlocation = "{signed_in.registry}"\ninsecure = true\n'
    )
    environment = {**podman.environment, "CONTAINERS_REGISTRIES_CONF": str(configuration)}
    mapped = ContainerEngine("podman", podman.program, tmp_path, environment)
    mapped.run("pull", pushed.reference)
    assert mapped.digest_of(pushed.reference) == pushed.digest
    mapped.run("rmi", pushed.reference)


@pytest.mark.skipif(shutil.which("skopeo") is None, reason="no skopeo (Debian: apt-get install skopeo)")
def test_skopeo_copies_within_the_registry(ecr: Any) -> None:
    pushed = push(ecr, ImageSpec({"/app/text": "text"}, ["python"]))
    ecr.create_repository(repositoryName="copy")
    data = ecr.get_authorization_token()["authorizationData"][0]
    registry = f"docker://{data['proxyEndpoint'].removeprefix('http://')}"
    user = base64.b64decode(data["authorizationToken"]).decode()
    words = ["skopeo", "copy", "--src-tls-verify=false", "--dest-tls-verify=false", "--src-creds", user]
    words += ["--dest-creds", user, "--preserve-digests", f"{registry}/homara:v1", f"{registry}/copy:v2"]
    done = subprocess.run(words, capture_output=True, text=True, timeout=PATIENCE, check=False)
    assert done.returncode == 0, done.stderr
    (held,) = ecr.describe_images(repositoryName="copy")["imageDetails"]
    assert (held["imageDigest"], held["imageTags"]) == (pushed.digest, ["v2"])
    words = ["skopeo", "list-tags", "--tls-verify=false", "--creds", user, f"{registry}/copy"]
    told = subprocess.run(words, capture_output=True, text=True, timeout=PATIENCE, check=True).stdout
    assert json.loads(told)["Tags"] == ["v2"]
