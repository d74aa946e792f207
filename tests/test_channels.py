"""One secret in every text that AWS, the app and the settings wrote: nothing that is shown, in any way, has it."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, fields, is_dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from rich.console import Group
from rich.text import Text

from lobster_tasks import github, report, step_outputs
from lobster_tasks.clock import Clock
from lobster_tasks.console import Console
from lobster_tasks.errors import LobsterError, NotReadyError
from lobster_tasks.rollout import Cause, Moment, Outcome, Preview, Progress
from lobster_tasks.rollout.diagnosis.diagnose import diagnose
from lobster_tasks.rollout.diagnosis.evidence import Evidence
from lobster_tasks.rollout.observation.changes import changes
from lobster_tasks.rollout.observation.judge import Verdict
from lobster_tasks.rollout.observation.phases import TITLES
from lobster_tasks.rollout.observation.status import ServiceStatus, TaskStatus
from lobster_tasks.rollout.observation.timeline import Timeline
from lobster_tasks.rollout.observation.way import Hop, Trouble
from lobster_tasks.secrecy import told_secrets
from lobster_tasks.settings import load
from lobster_tasks.stack.task_definition import differences
from lobster_tasks.task_names import Verbatim
from tests.rollout.shapes import (
    NEW,
    OLD,
    deployment,
    event,
    record,
    service,
    snapshot,
    stopped,
    target,
    task,
)

KEY, PASSWORD = "abcdefghijklmnopqrst", "hunter2secret"
SAYS = f'exec: "sk-proj-{KEY}" https://bot:{PASSWORD}@registry.example.com/v2/'
# Members of which logic knows the values, and addresses that other commands and steps take.
KNOWN = {
    "verdict",
    "phase",
    "code",
    "page",
    "arn",
    "status",
    "desired_status",
    "rollout",
    "group",
    "ip",
    "id",
}
KNOWN |= {
    "cluster",
    "service",
    "task_definition",
    "previous_task_definition",
    "revision",
    "deployment",
    "started_by",
    "previous",
}


def tainted(value: Any, name: str = "") -> Any:
    """The value with the secret in each text."""
    if isinstance(value, str):
        return value if name in KNOWN else type(value)(f"{value} {SAYS}")
    if isinstance(value, tuple):
        return tuple(tainted(each, name) for each in value)
    if is_dataclass(value) and not isinstance(value, type):
        members = {each.name: getattr(value, each.name) for each in fields(value) if each.init}
        return replace(value, **{key: tainted(each, key) for key, each in members.items()})
    return value


SICK = task("c")
BEFORE = snapshot(service(deployment(2, NEW, rollout="IN_PROGRESS"), deployment(1, OLD)), tasks=(task("b"),))
AFTER = tainted(
    snapshot(
        service(
            deployment(2, NEW, rollout="FAILED", reason="tasks failed to start"),
            events=(event("(service s) was unable to place a task. Reason: x"),),
        ),
        tasks=(
            stopped("a", "CannotStartContainerError"),
            task("b", desired_status="STOPPED", status="DEACTIVATING"),
            SICK,
        ),
        targets=(target(SICK, "unhealthy", "Target.FailedHealthChecks", "Health checks failed"),),
    )
)
CAUSE = tainted(Cause("exits", "The app ends.", ("log: x",), "inv deploy", ("revision 2: command",)))
OUTCOME = replace(
    tainted(
        Outcome(
            "rolled_back",
            "revision 2 failed",
            seconds=48.0,
            timeline=(Moment(1.0, "task a stopped:"), Moment(2.0, Verbatim("event:"))),
        )
    ),
    cause=CAUSE,
    also=(CAUSE,),
    findings=(CAUSE,),
    url="http://lb.example.com",
    image="registry/app@sha256:0af1",
    task_definition=NEW,
)
STATUS = tainted(
    ServiceStatus(
        *("cluster", "service", "http://lb", NEW, "image", 1, 1, 0, 1),
        deployments=(deployment(2, NEW, reason="it failed"),),
        record=record("ROLLBACK_FAILED", reason="it failed"),
        tasks=(TaskStatus(SICK, AFTER.targets, current=True),),
        events=(event("was unable"),),
        web_acl_unknown="because",
        way=(Hop("load balancer", "lb", "active", Trouble("load-balancer-missing", "it is not there", "x")),),
    )
)
REFUSED = NotReadyError(SAYS, SAYS, SAYS, code="image-not-found", problems=[SAYS])
REFUSED.add_note(SAYS)


@dataclass(frozen=True)
class Place:
    """Where a channel writes, apart from the terminal."""

    console: Console
    file: Path


def followed(place: Place, show: Callable[[Progress], None]) -> None:
    """What changed between two snapshots, as observers get it; the first one is shown too."""
    timeline = Timeline(Clock(), show)
    for before, after in ((None, BEFORE), (BEFORE, AFTER), (AFTER, replace(AFTER, record=_record()))):
        timeline.saw(after, changes(before, after))
    timeline.say(f"revision 2: command x → {SAYS}")
    place.console.json({"timeline": report.outcome_json(replace(OUTCOME, timeline=tuple(timeline.moments)))})
    github.write_summary(
        github.summary(replace(OUTCOME, timeline=tuple(timeline.moments)), SAYS),
        {"GITHUB_STEP_SUMMARY": str(place.file)},
    )


def _record() -> Any:
    return replace(tainted(record("ROLLBACK_FAILED", reason="it failed")), failures=3, threshold=3)


def in_a_log(place: Place) -> None:
    """A line for each change, and the table."""

    def show(progress: Progress) -> None:
        for said in progress.said:
            place.console.say(report.moment(progress.at, said))
        place.console.say(report.movement(progress))

    followed(place, show)


def in_a_job(place: Place) -> None:
    """Groups of GitHub Actions."""
    groups = github.Groups(TITLES)

    def show(progress: Progress) -> None:
        for line in groups.lines(progress):
            (place.console.command if isinstance(line, github.WorkflowCommand) else place.console.say)(line)

    followed(place, show)


def annotated(place: Place) -> None:
    """Annotations, as commands and in a file for the calling program."""
    for each in github.annotations_of(OUTCOME):
        place.console.command(each.command())
        assert github.hand_over(each, {github.ANNOTATIONS_FILE: str(place.file)})


CHANNELS: dict[str, Callable[[Place], None]] = {
    "the log of a run": in_a_log,
    "the log of a job": in_a_job,
    "the outcome": lambda place: place.console.say(report.outcome(OUTCOME)),
    "the outcome, JSON": lambda place: place.console.json(report.outcome_json(OUTCOME)),
    "the outputs of a step": lambda place: step_outputs.write(
        step_outputs.of_outcome(OUTCOME), {"GITHUB_OUTPUT": str(place.file)}
    ),
    "annotations": annotated,
    "a preview": lambda place: place.console.say(report.preview(Preview("image", NEW, (SAYS,)))),
    "a preview, JSON": lambda place: place.console.json(report.preview_json(Preview("image", NEW, (SAYS,)))),
    "the status": lambda place: place.console.show(report.status(STATUS)),
    "the status, JSON": lambda place: place.console.json(report.status_json(STATUS)),
    "an error": lambda place: place.console.error(report.error(REFUSED)),
    "an error, JSON": lambda place: place.console.json(report.error_json(REFUSED)),
    "a defect": lambda place: place.console.error(report.error(LobsterError(f"ValueError: {SAYS}"))),
    "a wait": lambda place: place.console.say(report.waiting(REFUSED, 3.0)),
    "a text": lambda place: place.console.say(SAYS),
    "a styled text": lambda place: place.console.show(Text.assemble(("✘ ", "red"), SAYS)),
    "texts together": lambda place: place.console.show(Group(SAYS, Group(Text(SAYS)))),
    "the settings": lambda place: place.console.show(report.settings({"a": {"b": SAYS, "c": [SAYS]}})),
}


@pytest.fixture(params=["terminal", "job"])
def place(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Place:
    """A console of a terminal or of a job, and a file."""
    if request.param == "job":
        monkeypatch.setenv("GITHUB_ACTIONS", "true")
    else:
        monkeypatch.delenv("GITHUB_ACTIONS", raising=False)
    return Place(Console(names={"deploy": "aws.deploy"}), tmp_path / "file")


@pytest.mark.parametrize("channel", CHANNELS)
def test_no_channel_shows_a_secret(channel: str, place: Place, capsys: pytest.CaptureFixture[str]) -> None:
    CHANNELS[channel](place)
    said = capsys.readouterr()
    file = place.file.read_text() if place.file.exists() else ""
    told = f"{said.out}{said.err}{file}"
    assert [secret for secret in (KEY, PASSWORD) if secret in told.replace("\n", "")] == []
    assert "***" in told or channel in ("the outputs of a step",)


def test_what_other_programs_take_stays_exact(capsys: pytest.CaptureFixture[str]) -> None:
    """A definition for RegisterTaskDefinition, and a policy."""
    console = Console()
    console.documents([{"command": SAYS}])
    console.json({"policy": {"Resource": SAYS}}, exact=True)
    assert capsys.readouterr().out.count(KEY) == 2


# A secret that only its place in a command tells: AWS repeats the command where there is no such program.
COMMAND = f"streamlit run app.py --api-key {PASSWORD}"
DEFINITION = {
    "containerDefinitions": [{"name": "lobster-streamlit", "command": [COMMAND], "essential": True}]
}
REASON = f'CannotStartContainerError: … exec: "{COMMAND}": executable file not found in $PATH'


def test_what_a_command_hides_is_not_in_the_timeline_either() -> None:
    timeline = Timeline(Clock(), hidden=told_secrets(DEFINITION))
    timeline.saw(AFTER, changes(BEFORE, replace(AFTER, tasks=(stopped("a", REASON),), targets=())))
    told = "".join(moment.what for moment in timeline.moments)
    assert "streamlit run app.py --api-key ***" in told
    assert PASSWORD not in told


def test_what_a_command_hides_is_not_in_a_cause_either() -> None:
    task = stopped("a", REASON, stop_code="TaskFailedToStart")
    found = Evidence(
        Verdict("failed", "the deployment failed"), BEFORE, failed=(task,), definition=DEFINITION, tag="v1"
    )
    [cause] = diagnose(found)
    assert cause.code == "command-not-found"
    assert "--api-key ***" in cause.message
    assert PASSWORD not in str(cause)


def test_what_a_command_hides_is_not_in_the_settings_and_what_changes() -> None:
    words = ["streamlit", "run", "app.py", "--api-key", PASSWORD]
    shown = report.settings_json(load({"container": {"command": words}}).model_dump(mode="json"))
    assert shown["container"]["command"] == [*words[:-1], "***"]
    definitions = [
        {"containerDefinitions": [{"name": "app", "command": each, **more}]}
        for each, more in (
            (words, {}),
            ([*words[:-1], "other"], {"logConfiguration": {"options": {"splunk-token": "anything"}}}),
        )
    ]
    assert differences(*definitions, "app") == [
        "command differs",
        "logConfiguration default → options=splunk-token=***",
    ]
    check = {"command": ["CMD", "curl", "-u", f"admin:{PASSWORD}", "localhost"]}
    definitions[0]["containerDefinitions"][0]["healthCheck"] = check
    assert PASSWORD not in str(differences(*definitions, "app"))
    assert told_secrets(definitions[0]) == (PASSWORD,)


@pytest.mark.parametrize("name", ["sk-app-9f8e7d6c1b2a3", f"sk-proj-{KEY}"])
def test_names_that_other_programs_take_are_exact(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    """The action hands them on, whatever they look like."""
    names = {"cluster": name, "service": name, "container": {"name": name}}
    Console().json(report.settings_json(load(names).model_dump(mode="json")))
    found = json.loads(capsys.readouterr().out)
    assert [found["cluster"], found["service"], found["container"]["name"]] == [name] * 3
    arn = f"arn:aws:ecs:us-east-2:123456789012:task-definition/{name}:12"
    Console().json(report.status_json(replace(STATUS, cluster=name, service=name, task_definition=arn)))
    found = json.loads(capsys.readouterr().out)
    assert [found["cluster"], found["service"], found["task_definition"]] == [name, name, arn]
    assert PASSWORD not in str(found)
