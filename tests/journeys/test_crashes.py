"""Whatever strikes a task, at whichever call: the same command ends where an undisturbed run would have ended."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.embedded_process import eventually, start
from tests.project import make

from .crash_stories import BY_NAME, STORIES
from .crashing import (
    FAULTS,
    HOW_OFTEN,
    KILLED,
    OFTEN,
    SET_UP,
    SPEED,
    Fault,
    Stage,
    Story,
    deployed,
    differences,
    every,
    side_by_side,
    strike,
)

SETUP = BY_NAME["setup-fargate"]
SAMPLE = [
    ("setup-fargate", 16),
    ("setup-fargate, a web ACL", 14),
    ("setup-fargate, a sign-in", 19),
    ("setup-fargate, a distribution", 5),
    ("setup-fargate, a distribution", 6),
    ("setup-fargate, a distribution with a web ACL", 3),
    ("setup-fargate, to a distribution", 11),
    ("remove-old-load-balancer, a distribution", 4),
    ("deploy", 2),
    ("teardown", 9),
    ("teardown, a web ACL", 6),
    ("teardown, a sign-in", 4),
    ("teardown, a distribution", 2),
    ("teardown, a distribution with a web ACL", 14),
]


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """An embedded AWS of its own, faster than that of other tests: much of this is waiting."""
    with start(speed=SPEED, boot_allowance=2) as embedded:
        yield Stage(embedded, tmp_path_factory.mktemp("project"))


@pytest.mark.parametrize(("name", "k"), SAMPLE)
def test_a_task_that_is_killed_is_finished_by_the_same_command(stage: Stage, name: str, k: int) -> None:
    result = strike(stage, BY_NAME[name], KILLED, k)
    assert result is not None
    assert result.how == "by the same command again", result


def test_the_command_itself_is_killed_and_run_again(stage: Stage, tmp_path: Path) -> None:
    project = make(tmp_path, stage.embedded.url)
    project.settings("deployment: {deregistration_delay: 5}\nhealth_check: {unhealthy_threshold: 2}")
    expected = SETUP.undisturbed(stage).ended
    SETUP.begin(stage)
    stage.embedded.order(*KILLED.rules(11))
    with project.start("setup-fargate") as process:
        eventually(stage.embedded.held)
        os.killpg(process.pid, signal.SIGKILL)
    stage.embedded.forgive()
    project.inv("setup-fargate").check()
    assert differences(stage, expected) == ""


@pytest.mark.parametrize("fault", FAULTS[1:], ids=lambda fault: str(fault.name))
def test_a_call_that_goes_wrong_is_made_good(stage: Stage, fault: Fault) -> None:
    result = strike(stage, SETUP, fault, 1 + FAULTS.index(fault) * 3)
    assert result is not None
    assert result.how is not None, result


def test_two_machines_at_once_make_one_stack(stage: Stage) -> None:
    expected = SETUP.undisturbed(stage).ended
    SETUP.begin(stage)
    assert side_by_side(stage, SET_UP, SET_UP) == [0, 0]
    assert differences(stage, expected) == ""


def test_roles_that_nobody_may_assume_yet_are_waited_for(stage: Stage) -> None:
    """IAM: "it can take a while until a role is known everywhere"; a minute is long."""
    story = BY_NAME["deploy, the first"]
    expected = story.undisturbed(stage).ended
    stage.reset()
    stage.embedded.order({"role_propagation_seconds": 60})
    stage.done(SET_UP)
    stage.push("one")
    stage.done(deployed("one"))
    assert differences(stage, expected) == ""


@pytest.mark.exhaustive
@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: str(fault.name))
@pytest.mark.parametrize("story", STORIES, ids=lambda story: str(story.name))
def test_every_call_of_every_task_may_be_struck(stage: Stage, story: Story, fault: Fault) -> None:
    results = list(every(stage, story, fault))
    assert results
    assert [str(result) for result in results if result.wrong] == []


@pytest.mark.exhaustive
@pytest.mark.parametrize("fault", OFTEN, ids=lambda fault: str(fault.name))
@pytest.mark.parametrize("story", STORIES, ids=lambda story: str(story.name))
def test_calls_may_be_struck_again_and_again(stage: Stage, story: Story, fault: Fault) -> None:
    results = [strike(stage, story, fault, n) for n in HOW_OFTEN]
    assert [str(result) for result in results if result and result.wrong] == []
