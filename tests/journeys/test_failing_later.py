"""Tasks that end once ECS has called the deployment successful: its circuit breaker does not count them any more."""

from __future__ import annotations

from pathlib import Path

import pytest

from lobster_tasks.rollout import Outcome, Progress, follow
from tests.embedded_process import eventually

from .releasing import Account, beside, said


@pytest.fixture
def end(tmp_path: Path) -> Path:
    """The file that ends the program of ``deployed``, and each one after it."""
    return tmp_path / "end"


def deployed(site: Account, end: Path) -> str:
    """Somebody's deployment of a program that serves until it has to end; returns the task definition's ARN."""
    script = (
        f"python web_app.py & while ! test -e {end}; do sleep 0.1; done; echo 'the licence is over'; exit 4"
    )
    arn = site.register(site.image, command=["sh", "-c", script])
    site.update(taskDefinition=arn, desiredCount=1)
    return arn


def failed_by_the_program(outcome: Outcome) -> bool:
    """Whether the verdict is that it failed, by the program's exit."""
    assert outcome.cause is not None, said(outcome)
    told = "The program ended with exit code 4; its last log line: the licence is over"
    return (outcome.verdict, outcome.cause.code) == ("failed", "exits") and told in outcome.cause.message


def serving(site: Account) -> int:
    """How many tasks are running."""
    return int(site.service()["runningCount"])


@pytest.mark.parametrize("rollback", ["true", "false"])
def test_tasks_that_keep_failing_after_the_deployment_are_the_verdict(
    account: Account, end: Path, rollback: str
) -> None:
    site = beside(account, "later", f"deployment.rollback={rollback}")
    arn = deployed(site, end)
    site.await_completed()
    end.touch()
    eventually(lambda: serving(site) == 0)
    outcome = follow(site.aws, site.settings, arn)
    assert failed_by_the_program(outcome), said(outcome)
    assert "ECS has completed the deployment, so nothing rolls it back" in said(outcome)
    assert outcome.why.endswith("inv rollback goes back to the previous release")


def test_tasks_that_fail_before_the_app_is_probed_are_the_cause(account: Account, end: Path) -> None:
    """What the door says then, 503, is no fault of the probe's path."""
    site = beside(account, "probed")
    arn = deployed(site, end)

    def observe(progress: Progress) -> None:
        record = progress.snapshot.record if progress.snapshot else None
        if record is not None and record.status == "SUCCESSFUL" and not end.exists():
            end.touch()
            eventually(lambda: serving(site) == 0)

    outcome = follow(site.aws, site.settings, arn, observe=observe)
    assert failed_by_the_program(outcome), said(outcome)


def followed_after(site: Account, end: Path, failures: int, code: int, then: str) -> Outcome:
    """The outcome of following a completed deployment whose program has ended so often with an exit code.

    Once it is followed, the program does ``then``.
    """
    starts, go = end.with_name("starts"), end.with_name("go")
    serves = f"python web_app.py & while ! test -e {end}; do sleep 0.1; done; exit {code}"
    script = (
        f"echo again >> {starts}; n=$(grep -c again {starts}); if [ $n = 1 ]; then {serves}; fi; "
        f"if [ $n -le {failures} ]; then exit {code}; fi; while ! test -e {go}; do sleep 0.1; done; {then}"
    )
    arn = site.register(site.image, command=["sh", "-c", script])
    site.update(taskDefinition=arn, desiredCount=1)
    site.await_completed()
    end.touch()
    eventually(lambda: starts.read_text().count("again") > failures)

    def observe(progress: Progress) -> None:
        if progress.snapshot is not None:
            go.touch()

    return follow(site.aws, site.settings, arn, observe=observe)


def test_what_failed_before_a_completed_deployment_is_followed_is_no_failure_of_the_task_that_starts(
    account: Account, end: Path
) -> None:
    outcome = followed_after(beside(account, "before"), end, 3, 4, "exec python web_app.py")
    assert (outcome.verdict, outcome.cause) == ("live", None), said(outcome)


def test_the_failure_that_decides_is_the_one_that_is_named(account: Account, end: Path) -> None:
    """Other failures, of before the completed deployment is followed, are more, and not what is told."""
    outcome = followed_after(beside(account, "named"), end, 5, 7, "echo 'the licence is over'; exit 4")
    assert failed_by_the_program(outcome), said(outcome)
