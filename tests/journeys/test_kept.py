"""What runs, and what can be rolled back to, outlasts the pushes after it; ECR carries out its lifecycle policy."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from lobster_tasks.doctor import examine
from lobster_tasks.errors import NotReadyError
from lobster_tasks.rollout import deploy, history, rollback, scale
from tests.project import Project

from .releasing import Account, said, set_up


@pytest.fixture
def keeping(embedded: Any, aws: Any) -> Account:
    """A stack whose repository keeps three images."""
    return set_up(embedded, aws, "images.keep=3")


def tags(account: Account) -> set[str]:
    """Those that people gave, of what is left in the repository."""
    found = account.client("ecr").describe_images(repositoryName="homara")["imageDetails"]
    every = {tag for each in found for tag in each.get("imageTags", ())}
    return {each for each in every if not each.startswith("lobster-live-")}


def pushes(account: Account, *names: str) -> None:
    """Push so many images, deploy none of them, and let a day go by."""
    for name in names:
        account.push(name)
    account.embedded.expire_images()


def check(account: Account, name: str) -> tuple[str, str]:
    """What the doctor says."""
    found = {each.id: each for each in examine(account.aws, account.settings, Path()).checks}[name]
    return found.status, found.saw


@pytest.mark.parametrize("mutability", ["MUTABLE", "IMMUTABLE"])
def test_the_image_that_runs_outlasts_the_pushes_after_it(keeping: Account, mutability: str) -> None:
    keeping.client("ecr").put_image_tag_mutability(repositoryName="homara", imageTagMutability=mutability)
    assert keeping.deploy("v1").verdict == "live"
    assert deploy(keeping.aws, keeping.settings, "v1").verdict == "live"
    pushes(keeping, "v2", "v3", "v4", "v5", "v6")
    assert tags(keeping) == {"v1", "v4", "v5", "v6"}
    assert scale(keeping.aws, keeping.settings, 2).reached
    assert check(keeping, "ecs.image")[0] == "pass"
    assert [each.tags for each in history(keeping.aws, keeping.settings).releases if each.live] == [("v1",)]


def test_releases_that_fail_take_no_place_from_the_one_that_serves(keeping: Account) -> None:
    keeping.deploy("v1")
    for name in ("bad1", "bad2", "bad3", "bad4"):
        assert keeping.deploy(name, EXIT_CODE="127").verdict == "rolled_back"
    keeping.embedded.expire_images()
    assert tags(keeping) == {"v1", "bad2", "bad3", "bad4"}


def test_as_many_releases_that_were_live_are_left_to_roll_back_to(keeping: Account) -> None:
    """The others are named, and passed over."""
    for name in ("v1", "v2", "v3", "v4"):
        keeping.deploy(name)
    pushes(keeping, "pr1", "pr2", "pr3")
    assert tags(keeping) == {"v2", "v3", "v4", "pr1", "pr2", "pr3"}
    known = [each for each in history(keeping.aws, keeping.settings).releases if each.live]
    assert [(each.tags, each.gone) for each in known] == [
        (("v4",), False),
        (("v3",), False),
        (("v2",), False),
        ((), True),
    ]
    back = rollback(keeping.aws, keeping.settings)
    assert back.verdict == "live"
    pushes(keeping, "pr4", "pr5")
    assert tags(keeping) == {"v2", "v3", "v4", "pr3", "pr4", "pr5"}
    with pytest.raises(NotReadyError, match="is not in the repository") as gone:
        rollback(keeping.aws, keeping.settings, to=2)
    assert gone.value.next_step == "inv rollback --to 5"


def test_what_somebody_else_has_deployed_is_kept_by_the_next_release(keeping: Account) -> None:
    """Through the console, or by a run that was interrupted: nobody has followed it to its end."""
    keeping.update(taskDefinition=keeping.register(keeping.push("v1").by_digest), desiredCount=1)
    keeping.await_completed()
    keeping.push("v2")
    keeping.push("v3")
    status, saw = check(keeping, "ecs.image")
    assert (status, "expires with the next image" in saw) == ("warn", True)
    assert keeping.deploy("bad", EXIT_CODE="127").verdict == "rolled_back"
    keeping.embedded.expire_images()
    assert tags(keeping) == {"v1", "v2", "v3", "bad"}


def test_a_push_keeps_what_serves_first(keeping: Account, project: Project) -> None:
    keeping.update(taskDefinition=keeping.register(keeping.push("v1").by_digest), desiredCount=1)
    keeping.await_completed()
    project.write("invoke.yaml", json.dumps({"lobster": {"images": {"keep": 3}}}))
    project.inv("push-image", "--tag", "mine", "--builder", "process").check()
    pushes(keeping, "v2", "v3")
    assert tags(keeping) == {"v1", "mine", "v2", "v3"}


def test_setup_keeps_what_serves_before_its_policy_would_take_it(
    embedded: Any, aws: Any, project: Project
) -> None:
    account = set_up(embedded, aws, "images.keep=0")
    assert account.deploy("v1").verdict == "live"
    for name in ("v2", "v3", "v4"):
        account.push(name)
    project.write("invoke.yaml", json.dumps({"lobster": {"images": {"keep": 2}}}))
    project.inv("setup-fargate").check()
    account.embedded.expire_images()
    assert tags(account) == {"v1", "v3", "v4"}


def test_a_repository_that_keeps_all_gets_no_tags(embedded: Any, aws: Any) -> None:
    account = set_up(embedded, aws, "images.keep=0")
    account.deploy("v1")
    (image,) = account.client("ecr").describe_images(repositoryName="homara")["imageDetails"]
    assert image["imageTags"] == ["v1"]


def test_a_release_whose_image_cannot_be_kept_is_live_all_the_same(keeping: Account) -> None:
    denied = {"code": "AccessDeniedException", "message": "not authorized to perform: ecr:PutImage"}
    keeping.push("v1")
    keeping.order_fault(service="ecr", operation="PutImage", error=denied)
    outcome = deploy(keeping.aws, keeping.settings, "v1")
    keeping.clear_faults()
    assert outcome.verdict == "live"
    assert "could not be protected from the repository's lifecycle policy" in said(outcome)
