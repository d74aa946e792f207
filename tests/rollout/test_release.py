"""How a service gets to a revision is decided from what stands."""

from __future__ import annotations

import pytest

from lobster_tasks.errors import UsageError
from lobster_tasks.image_reference import image_id
from lobster_tasks.rollout.deployment.release import decide_update
from lobster_tasks.rollout.observation.snapshot import Service

from .shapes import NEW, OLD, deployment, service

URI = "123456789012.dkr.ecr.us-east-2.amazonaws.com/homara"
DIGEST = "sha256:" + "0a" * 32

there = service(deployment(2, NEW))
elsewhere = service(deployment(1, OLD))


@pytest.mark.parametrize(
    ("kind", "force", "desired_count", "stands", "serves", "asked"),
    [
        ("update", False, None, elsewhere, False, False),
        ("update", False, 3, service(deployment(1, OLD), desired=0), False, False),
        ("update", True, 3, service(deployment(2, NEW), desired=0), False, False),
        ("verify", False, None, there, True, False),
        ("update", True, None, there, True, True),
        ("update", True, None, there, False, False),
        ("follow", False, None, service(deployment(2, NEW, rollout="IN_PROGRESS")), False, False),
        ("update", True, None, service(deployment(2, NEW, rollout="IN_PROGRESS")), False, True),
        ("update", True, None, service(deployment(2, NEW, rollout="FAILED")), False, False),
        ("update", False, None, service(), False, False),
    ],
    ids=[
        "another revision",
        "another revision, from zero",
        "the same revision, from zero: the count alone makes no deployment",
        "there and well",
        "there and well, but forced",
        "there, but not well",
        "on its way",
        "on its way, but forced",
        "failed before",
        "no deployment at all",
    ],
)
def test_how_to_get_there(
    kind: str, force: bool, desired_count: int | None, stands: Service, serves: bool, asked: bool
) -> None:
    decision = decide_update(stands, NEW, serves, asked, desired_count=3)
    assert (decision.kind, decision.force, decision.desired_count) == (kind, force, desired_count)


@pytest.mark.parametrize(
    ("reference", "identity"),
    [
        ("4f2c1e9", {"imageTag": "4f2c1e9"}),
        (DIGEST, {"imageDigest": DIGEST}),
        (f"{URI}:v1", {"imageTag": "v1"}),
        (f"{URI}@{DIGEST}", {"imageDigest": DIGEST}),
        (f"{URI}:v1@{DIGEST}", {"imageDigest": DIGEST}),
        ("homara:v1", {"imageTag": "v1"}),
    ],
)
def test_what_names_an_image(reference: str, identity: dict[str, str]) -> None:
    assert image_id(reference, "homara", URI) == identity


@pytest.mark.parametrize(
    "reference",
    [
        "a tag",
        "-v1",
        ".v1",
        "v" * 129,
        "größe",
        "feature/login",
        "sha256:123",
        f"{URI}@sha256:123",
        URI,
        f"{URI}:",
        "other:v1",
        "123456789012.dkr.ecr.us-east-1.amazonaws.com/homara:v1",
        "v1\n",
    ],
)
def test_what_cannot_name_an_image(reference: str) -> None:
    with pytest.raises(UsageError) as caught:
        image_id(reference, "homara", URI)
    assert caught.value.exit_code == 2
