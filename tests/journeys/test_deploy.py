"""Releases on the embedded AWS: real processes behind a real load balancer, from the tag to the verdict."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

import pytest

from lobster_tasks.aws import Aws
from lobster_tasks.clock import Clock
from lobster_tasks.errors import InterruptedRunError, OutOfTimeError, RefusedError, UsageError
from lobster_tasks.rollout import Progress, deploy, follow, status, tail
from tests.embedded_process import PATIENCE, EmbeddedProcess, eventually

from .releasing import Account, said, set_up
from .traffic import Traffic, ask

Door = TypeVar("Door", bound=Aws)


def test_the_first_release(account: Account) -> None:
    pushed = account.push("one")
    outcome = deploy(account.aws, account.settings, "one", observe=account.observe)
    assert (outcome.verdict, outcome.exit_code, outcome.cause) == ("live", 0, None)
    assert outcome.image == pushed.by_digest
    assert outcome.url is not None
    assert ask(outcome.url) == "one"
    service = account.service()
    assert (service["desiredCount"], service["runningCount"]) == (1, 1)
    assert service["taskDefinition"] == outcome.task_definition == account.revisions()[-1]
    assert outcome.previous_task_definition == account.revisions()[0]
    assert outcome.probe is not None
    assert account.only_the_new_release_answers
    for what in ("desired count 0 → 1", "deployment ecs-svc/", "image pulled", "target healthy", "completed"):
        assert what in said(outcome)
    assert [moment.at for moment in outcome.timeline] == sorted(moment.at for moment in outcome.timeline)


def test_releases_under_traffic(account: Account) -> None:
    first = account.deploy("one")
    assert first.url is not None
    with Traffic(first.url) as traffic:
        second = account.deploy("two")
        assert (second.verdict, ask(first.url)) == ("live", "two")
        broken = account.deploy("three", EXIT_CODE="3")
    assert broken.verdict == "rolled_back"
    assert broken.exit_code == 3
    assert traffic.answers.keys() == {"one", "two"}
    assert ask(first.url) == "two"
    assert second.previous_task_definition == first.task_definition
    assert broken.cause is not None
    assert broken.cause.code == "exits"
    assert "exit code 3; its last log line: giving up with 3." in broken.cause.message
    assert [line for line in broken.cause.changed if "image" in line]
    assert "log: giving up with 3" in broken.cause.evidence
    assert "circuit breaker: 2 of 3 failures" in said(broken)
    assert broken.probe is not None
    assert not account.only_the_new_release_answers


def test_a_release_tells_which_tasks_drain(embedded: EmbeddedProcess, aws: Aws) -> None:
    """For 15 real seconds, in which even a slow machine looks."""
    account = set_up(embedded, aws, "deployment.deregistration_delay=300")
    account.deploy("one")
    assert "draining" in said(account.deploy("two"))


def test_the_same_tag_again_changes_nothing(account: Account) -> None:
    account.deploy("one")
    account.forget_calls()
    again = deploy(account.aws, account.settings, "one")
    assert again.verdict == "live"
    assert not account.calls()
    assert "revision 2 needs no change" in said(again)
    assert deploy(account.aws, account.settings, again.image or "").verdict == "live"
    forced = deploy(account.aws, account.settings, "one", force=True)
    assert forced.verdict == "live"
    assert forced.task_definition == again.task_definition
    assert account.calls() == {"UpdateService": 1}
    assert "old task" in said(forced)


def test_the_same_tag_from_zero_is_a_deployment(account: Account) -> None:
    """A change of the count alone would make none, and nothing would watch over its tasks."""
    account.deploy("one")
    account.update(desiredCount=0)
    eventually(lambda: account.service()["runningCount"] == 0)
    account.forget_calls()
    assert deploy(account.aws, account.settings, "one").verdict == "live"
    assert account.calls() == {"UpdateService": 1}
    assert account.service()["runningCount"] == 1


def test_a_tag_that_is_not_there(account: Account) -> None:
    with pytest.raises(RefusedError) as empty:
        deploy(account.aws, account.settings, "v9")
    assert empty.value.what == "The repository homara is empty."
    assert empty.value.next_step == "inv push-image --tag v9"
    for number in range(7):
        account.push(f"v{number}")
    account.forget_calls()
    with pytest.raises(RefusedError) as unknown:
        deploy(account.aws, account.settings, "v9")
    assert unknown.value.exit_code == 5
    assert [f"v{number} (" in unknown.value.why for number in range(7)] == [False, False, *[True] * 5]
    assert " ago)" in unknown.value.why
    with pytest.raises(RefusedError):
        deploy(account.aws, account.settings, "sha256:" + "0" * 64)
    with pytest.raises(UsageError):
        deploy(account.aws, account.settings, "not a tag")
    assert not account.calls()


def test_what_is_missing_is_refused_before_anything_changes(account: Account) -> None:
    account.push("one")
    account.forget_calls()
    for flag, what in (
        ("cluster=other", "There is no cluster other in us-east-2."),
        ("service=other", "There is no service other in lobster-cluster."),
        ("repository=other", "There is no repository other in us-east-2."),
        ("logs.group=/ecs/other", "There is no log group /ecs/other in us-east-2."),
    ):
        with pytest.raises(RefusedError) as refused:
            deploy(account.aws, account.with_settings(flag).settings, "one")
        assert (refused.value.what, refused.value.next_step) == (what, "inv setup-fargate")
    with pytest.raises(RefusedError, match=r"deployment.desired_count is 0"):
        deploy(account.aws, account.with_settings("deployment.desired_count=0").settings, "one")
    assert not account.calls()


def test_a_first_release_that_fails(account: Account) -> None:
    outcome = account.deploy("one", EXIT_CODE="3")
    assert (outcome.verdict, outcome.exit_code) == ("failed", 1)
    assert outcome.why == "there is no previous release to roll back to"
    assert outcome.cause is not None, said(outcome)
    assert "exit code 3" in outcome.cause.message
    assert [finding.code for finding in outcome.findings] == ["no-release-before"]
    assert account.service()["desiredCount"] == 0
    account.await_completed()
    assert account.service()["taskDefinition"] == outcome.previous_task_definition
    assert account.deploy("two").verdict == "live"


def test_a_release_that_is_never_healthy(account: Account) -> None:
    first = account.deploy("one")
    assert first.url is not None
    with Traffic(first.url) as traffic:
        account.update(healthCheckGracePeriodSeconds=0)
        outcome = account.deploy("two", HEALTH_STATUS="500")
    assert outcome.verdict == "rolled_back"
    assert outcome.cause is not None, said(outcome)
    assert any("Health checks failed with these codes: [500]" in line for line in outcome.cause.evidence)
    assert traffic.answers.keys() == {"one"}


def test_out_of_time(account: Account) -> None:
    impatient = account.with_settings("deployment.wait_minutes=0.3")
    outcome = impatient.deploy("one", START_DELAY="60")
    assert (outcome.verdict, outcome.exit_code) == ("out_of_time", 4)
    assert outcome.cause is not None, said(outcome)
    assert outcome.cause.code == "out-of-time"
    assert "Still in progress after 0.3 minutes" in outcome.cause.message


def test_somebody_deploys_meanwhile(account: Account) -> None:
    first = account.deploy("one")
    account.push("two", START_DELAY="20")

    def interfere(progress: Progress) -> None:
        if any("image pulled" in what for what in progress.said):
            account.update(taskDefinition=first.task_definition)

    outcome = deploy(account.aws, account.settings, "two", observe=interfere)
    assert (outcome.verdict, outcome.exit_code) == ("superseded", 1)
    assert outcome.cause is not None, said(outcome)
    assert "took its place" in outcome.cause.message


@pytest.mark.parametrize("by", ["a signal", "the clock"])
def test_ctrl_c_says_what_goes_on(account: Account, by: str) -> None:
    """In the main thread Ctrl-C raises KeyboardInterrupt; sleepers elsewhere are woken by their clock."""
    account.push("one", START_DELAY="2")  # it cannot be over before it is interrupted
    clock = Clock(speed=account.aws.clock.speed)

    def interrupt(progress: Progress) -> None:
        if any(what.startswith("deployment") for what in progress.said):
            clock.stop()
            if by == "a signal":
                raise KeyboardInterrupt

    with pytest.raises(InterruptedRunError) as interrupted:
        deploy(door_to(account, clock), account.settings, "one", observe=interrupt)
    assert interrupted.value.exit_code == 130
    assert "continues in AWS" in interrupted.value.what
    assert interrupted.value.next_step.endswith("undo it: inv scale --to 0")  # there is nothing to go back to
    taken_up = deploy(account.aws, account.settings, "one")
    assert taken_up.verdict == "live"
    assert "this revision is being deployed already" in said(taken_up)


def door_to(account: Account, clock: Clock, kind: type[Door] = Aws) -> Door:  # type: ignore[assignment]
    """Another door to the same account, with a clock of its own."""
    keys = {"aws_access_key_id": "AKIAEXAMPLE", "aws_secret_access_key": "example"}
    return kind("us-east-2", endpoint_url=account.embedded.url, credentials=keys, clock=clock)


@pytest.mark.parametrize(
    ("phase", "says", "changed"),
    [
        ("checks passed", "Interrupted before anything was changed.", False),
        ("registered", "Interrupted in the middle of the update.", True),
        (
            "rolling back",
            "Interrupted: the rollback from revision 3 of lobster-streamlit-service continues",
            True,
        ),
        pytest.param(
            "GET /",
            "Interrupted: the deployment of revision 3 to lobster-streamlit-service was rolled back",
            True,
            marks=pytest.mark.exhaustive,
        ),
    ],
)
def test_ctrl_c_in_every_phase(account: Account, phase: str, says: str, changed: bool) -> None:
    if phase in ("rolling back", "GET /"):
        account.deploy("one")
    if phase == "rolling back":  # and not ready with it
        account.order_fault(steady_state_delay_seconds=100000)
    account.push("two", EXIT_CODE="127")
    account.forget_calls()

    def interrupt(progress: Progress) -> None:
        if any(phase in what for what in progress.said):
            raise KeyboardInterrupt

    with pytest.raises(InterruptedRunError) as interrupted:
        deploy(account.aws, account.settings, "two", observe=interrupt)
    assert interrupted.value.what.startswith(says)
    assert interrupted.value.next_step
    assert bool(account.calls()) is changed


def test_the_network_is_gone_for_half_a_minute(account: Account) -> None:
    """In the middle of a wait; the looks that get no answer are left out."""
    account.push("one")
    lost = threading.Timer(30 / account.aws.clock.speed, account.clear_faults)

    def lose(progress: Progress) -> None:
        if progress.snapshot is not None and not lost.ident:
            account.order_fault(service="*", drop="before")
            lost.start()

    outcome = deploy(account.aws, account.settings, "one", observe=lose)
    lost.join()
    assert (outcome.verdict, outcome.cause) == ("live", None)


def test_credentials_that_expire_halfway(account: Account) -> None:
    account.push("one", START_DELAY="1")

    def expire(progress: Progress) -> None:
        if any(what.endswith(" started") for what in progress.said):
            expired = {"code": "ExpiredTokenException", "message": "The security token included is expired"}
            account.order_fault(service="*", error=expired)

    with pytest.raises(OutOfTimeError) as lost:
        deploy(account.aws, account.settings, "one", observe=expire)
    assert lost.value.exit_code == 4
    assert "the deployment of revision 2 to lobster-streamlit-service continues in AWS" in lost.value.what
    assert "AWS does not accept the credentials" in lost.value.why
    account.clear_faults()
    assert deploy(account.aws, account.settings, "one").verdict == "live"


class Meeting(Aws):
    """A door whose user registers a revision when the other one does: neither has seen the other's."""

    both: threading.Barrier

    def call(self, operation: str, about: str = "", **parameters: Any) -> dict[str, Any]:
        """As the library's, but that one waits for the other."""
        if operation == "ecs:RegisterTaskDefinition":
            self.both.wait(timeout=PATIENCE)
        return super().call(operation, about, **parameters)


@pytest.mark.parametrize(
    "tags", [("two", "two"), pytest.param(("two", "three"), marks=pytest.mark.exhaustive)], ids="-".join
)
def test_two_machines_deploy_at_once(account: Account, tags: tuple[str, str]) -> None:
    """Each ends in a verdict that is true: one is live, and the other is, or hears that it was superseded.

    Of one tag there are two equal revisions then. One of them serves, and the next deployment finds it.
    """
    account.deploy("one")
    for tag in {*tags}:
        account.push(tag)
    clock, both = Clock(speed=account.aws.clock.speed), threading.Barrier(2)
    doors = [door_to(account, clock, Meeting) for _ in tags]
    for door in doors:
        door.both = both
    with ThreadPoolExecutor(2) as pool:
        outcomes = list(pool.map(lambda door, tag: deploy(door, account.settings, tag), doors, tags))
    assert sorted(outcome.verdict for outcome in outcomes) in (["live", "live"], ["live", "superseded"])
    assert len(account.revisions()) == 4
    service = account.service()
    assert (service["runningCount"], len(service["deployments"])) == (1, 1)
    serves = {each.task_definition: tag for each, tag in zip(outcomes, tags, strict=True)}
    by_verdict = {each.verdict: each for each in outcomes}
    assert ask(by_verdict["live"].url or "") == serves[service["taskDefinition"]]
    if lost := by_verdict.get("superseded"):
        assert f"revision {service['taskDefinition'].rpartition(':')[2]} took its place" in lost.why
    again = deploy(account.aws, account.settings, serves[service["taskDefinition"]])
    assert (again.verdict, again.task_definition) == ("live", service["taskDefinition"])
    assert len(account.revisions()) == 4


def test_following_what_somebody_else_deployed(account: Account) -> None:
    pushed = account.push("one")
    definition = registrable(account, pushed.reference)
    arn = account.client("ecs").register_task_definition(**definition)["taskDefinition"]["taskDefinitionArn"]
    with pytest.raises(RefusedError, match=r"has no deployment of"):
        follow(account.aws, account.settings, arn)
    account.update(taskDefinition=arn, desiredCount=1)
    outcome = follow(account.aws, account.settings, arn)
    assert (outcome.verdict, outcome.task_definition, outcome.image) == ("live", arn, pushed.reference)
    assert follow(account.aws, account.settings, arn).verdict == "live"


def registrable(account: Account, image: str) -> dict[str, Any]:
    """The live definition with another image, as an action would register it."""
    described = account.client("ecs").describe_task_definition(taskDefinition=account.revisions()[-1])
    definition = described["taskDefinition"]
    kept = (
        "family",
        "cpu",
        "memory",
        "networkMode",
        "requiresCompatibilities",
        "executionRoleArn",
        "taskRoleArn",
    )
    return {
        **{name: definition[name] for name in kept},
        "containerDefinitions": [{**definition["containerDefinitions"][0], "image": image}],
    }


def test_following_what_was_rolled_back_before_we_came(account: Account) -> None:
    account.deploy("one")
    broken = account.deploy("two", EXIT_CODE="1")
    assert broken.verdict == "rolled_back"
    assert broken.task_definition is not None
    late = follow(account.aws, account.settings, broken.task_definition)
    assert (late.verdict, late.exit_code) == ("rolled_back", 3)
    assert late.cause is not None
    assert late.cause.code == "exits"


def test_the_app_does_not_answer_as_it_should(account: Account) -> None:
    outcome = account.with_settings("probe.websocket=/plain").deploy("one")
    assert (outcome.verdict, outcome.exit_code) == ("failed", 1)
    assert outcome.cause is not None, said(outcome)
    assert outcome.cause.code == "probe-failed"
    assert "there is no WebSocket at this path" in outcome.cause.evidence[0]


def test_throttling_and_dropped_connections_are_absorbed(account: Account) -> None:
    account.push("one")
    account.order_fault(service="ecs", operation="Describe*", nth={"every": 3}, throttle=True)
    account.order_fault(service="ecs", operation="ListTasks", nth={"every": 4}, drop="before")
    assert deploy(account.aws, account.settings, "one").verdict == "live"


def test_without_the_service_deployments_api(account: Account) -> None:
    account.order_fault(
        service="ecs", operation="ListServiceDeployments", error={"code": "AccessDeniedException"}
    )
    assert account.deploy("one").verdict == "live"
    assert account.deploy("two", EXIT_CODE="1").verdict == "rolled_back"


def test_losing_sight(account: Account) -> None:
    account.push("one")
    denied = {"code": "AccessDeniedException", "message": "is not authorized to perform: ecs:DescribeTasks"}
    account.order_fault(service="ecs", operation="DescribeTasks", error=denied)
    with pytest.raises(OutOfTimeError) as lost:
        deploy(account.aws, account.settings, "one")
    assert "continues in AWS" in lost.value.what
    assert "ecs:DescribeTasks" in lost.value.why


def test_status_and_logs(account: Account) -> None:
    outcome = account.deploy("one")
    seen = status(account.aws, account.settings)
    assert (seen.url, seen.revision, seen.image) == (outcome.url, "2", outcome.image)
    assert (seen.desired, seen.running, seen.healthy) == (1, 1, 1)
    assert [each.targets[0].state for each in seen.tasks if each.current] == ["healthy"]
    assert seen.events[0].message.endswith("has reached a steady state.")
    task = seen.tasks[0].task.arn.rsplit("/", 1)[-1]
    lines = list(tail(account.aws, account.settings.logs.group, task[:6]))
    assert [line.message for line in lines] == ["starting one", "listening on 8501"]
    assert {line.task for line in lines} == {task}
    assert not list(tail(account.aws, account.settings.logs.group, since_seconds=0))
    with pytest.raises(RefusedError):
        list(tail(account.aws, account.settings.logs.group, "nosuchtask"))
    with pytest.raises(RefusedError):
        next(tail(account.aws, "/ecs/other"))


def test_following_the_log(account: Account) -> None:
    outcome = account.deploy("one")
    lines = tail(account.aws, account.settings.logs.group, follow=True)
    assert [next(lines).message, next(lines).message] == ["starting one", "listening on 8501"]
    printing = threading.Thread(target=ask, args=(f"{outcome.url}/print?line=hello",))
    printing.start()
    assert next(lines).message == "hello"
    printing.join()
    lines.close()
