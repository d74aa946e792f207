"""When a failure has come back."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from lobster_tasks.rollout.deployment.fail_fast import counted_since, has_failed_enough, repeated_failure
from lobster_tasks.rollout.observation.snapshot import Snapshot, Task

from .shapes import NEW, OLD, deployment, event, record, service, snapshot, stopped, task

ours = deployment(2, NEW, rollout="IN_PROGRESS")
ASSUME = "service s failed to launch a task with (error ECS was unable to assume the role 'arn:aws:iam::1:role/r' …)."


def failing(*tasks: Task) -> Snapshot:
    """Our deployment with these tasks."""
    return snapshot(service(ours), record=record("IN_PROGRESS"), tasks=tasks)


def refused(*events: tuple[str, int], failures: int) -> Snapshot:
    """Our deployment without tasks, with events some minutes after noon."""
    told = tuple(event(text, minutes) for text, minutes in events)
    return snapshot(service(ours, events=told), record=record("IN_PROGRESS", failures=failures))


no_image = stopped("a", "CannotPullContainerError: x: not found", stop_code="TaskFailedToStart")
refused_pull = stopped("a", "CannotPullContainerError: pull access denied", stop_code="TaskFailedToStart")
exited = stopped("b", "Essential container in task exited", 1)


@pytest.mark.parametrize(
    ("seen", "comes_back"),
    [
        (failing(), False),
        (failing(exited), False),
        (failing(no_image), True),
        (failing(refused_pull), False),
        (failing(refused_pull, exited), False),
        (failing(refused_pull, replace(refused_pull, arn="…/c")), True),
        (failing(exited, stopped("c", "Essential container in task exited", 2)), False),
        (failing(stopped("a", "Scaling activity initiated by (deployment ecs-svc/2)"), exited), False),
        (failing(replace(no_image, task_definition=OLD), replace(no_image, started_by="ecs-svc/1")), False),
        (failing(task("a"), task("b")), False),
        (refused((ASSUME, 1), failures=1), False),
        (refused((ASSUME, 1), failures=2), True),
        (refused((ASSUME, -1), failures=2), False),
        (refused(("(service s) has reached a steady state.", 1), failures=2), False),
    ],
    ids=[
        "nothing",
        "once",
        "an image that is not there, once",
        "what may be another thing, once",
        "two different ones",
        "twice",
        "two exit codes",
        "a replacement is no failure",
        "other deployments' tasks",
        "all run",
        "a role, once",
        "a role, twice",
        "a role, before our time",
        "something else",
    ],
)
def test_what_comes_back(seen: Snapshot, comes_back: bool) -> None:
    assert bool(repeated_failure(seen)) is comes_back


def test_each_further_failure_is_considered_anew() -> None:
    """A role may have become known meanwhile."""
    assert repeated_failure(refused((ASSUME, 1), failures=2)) != repeated_failure(
        refused((ASSUME, 1), failures=3)
    )


def complete(*tasks: Task, failures: int = 0, events: tuple[tuple[str, int], ...] = ()) -> Snapshot:
    """Our deployment, which ECS has completed."""
    done = deployment(2, NEW, failed=failures)
    told = tuple(event(text, minutes) for text, minutes in events)
    return snapshot(service(done, events=told), record=record("SUCCESSFUL", failures=failures), tasks=tasks)


def exit_of(letter: str) -> Task:
    """A task whose program ended."""
    return replace(exited, arn=f"…/{letter}")


def test_only_what_fails_while_a_completed_deployment_is_followed_counts() -> None:
    """Two tasks that somebody ended in the last hour are no failure of the third one, which starts."""
    before = [exit_of(letter) for letter in "abc"]
    first = complete(*before, task("d"), failures=3, events=((ASSUME, 1),))
    assert repeated_failure(first) is not None
    assert has_failed_enough(first)

    def counts(*tasks: Task, **members: Any) -> tuple[bool, bool]:
        last = counted_since(first, complete(*before, *tasks, **members))
        return repeated_failure(last) is not None, has_failed_enough(last)

    was = {"failures": 3, "events": ((ASSUME, 1),)}
    assert counts(task("d"), **was) == (False, False)
    assert counts(exit_of("d"), **was) == (False, False)
    assert counts(exit_of("d"), exit_of("e"), **was) == (True, False)
    assert counts(exit_of("d"), exit_of("e"), exit_of("f"), **was) == (True, True)
    assert counts(failures=6, events=((ASSUME, 1),)) == (False, True)
    assert counts(failures=5, events=((f"{ASSUME} again", 2), (ASSUME, 1))) == (True, False)


def test_all_failures_count_while_the_deployment_is_in_progress() -> None:
    going = failing(exit_of("a"), exit_of("b"))
    assert counted_since(None, going) is going
