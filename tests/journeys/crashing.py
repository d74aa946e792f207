"""Strikes a task at every call that it makes, and looks whether the same task, run again, ends where it would have.

A case is a task, a kind of fault, and the number of the call that is struck. The task is run as ``inv`` runs it, but
that its clock goes as fast as the embedded AWS's; where it is killed it runs in a process of its own.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator, Mapping
from contextlib import chdir
from dataclasses import dataclass, field, replace
from functools import cached_property, partial
from importlib import import_module
from itertools import count
from multiprocessing.context import ForkServerProcess
from pathlib import Path
from typing import Any, Literal

from invoke.context import Context

from lobster_tasks.aws import Aws
from lobster_tasks.cli.command import Run
from lobster_tasks.errors import LobsterError
from lobster_tasks.settings import Settings, load
from tests import forked
from tests.clocks import PatientClock
from tests.embedded.images import push, web_app
from tests.embedded_process import PATIENCE, EmbeddedProcess, eventually

from .dump import Dump, at_rest, certificates, dump

SPEED = 200.0
SETTINGS = (
    *("deployment.deregistration_delay=5", "health_check.unhealthy_threshold=2"),
    "deployment.wait_minutes=300",  # of AWS's time, of which little is much here
)
KEYS = {"aws_access_key_id": "AKIAEXAMPLE", "aws_secret_access_key": "example"}
AND_ALL_LATER = 1_000_000


How = Literal["in the same run", "by the same command again"]


@dataclass(frozen=True)
class Task:
    """A task of ours with its flags and more settings; ``module`` is below lobster_tasks.tasks."""

    module: str
    name: str
    flags: Mapping[str, Any] = field(default_factory=dict)
    settings: tuple[str, ...] = ()

    def run(self, run: Run) -> LobsterError | None:
        """Run its body; the error that it ended with, if it did."""
        body = getattr(import_module(f"lobster_tasks.tasks.{self.module}"), self.name).body.__wrapped__
        try:
            code = body(run, **self.flags)
        except LobsterError as error:
            return error
        return LobsterError(f"{self.name} ended with {code}") if code else None


FIREWALL = "load_balancer.web_acl={}"
CERTIFICATE = "load_balancer.certificate={}"
SET_UP = Task("setup", "setup_fargate")
TEAR_DOWN = Task("setup", "teardown", {"data": True})


def deployed(tag: str) -> Task:
    """``inv deploy``."""
    return Task("deploy", "deploy", {"tag": tag})


def new_run(url: str, *flags: str) -> Run:
    """A task's run as from the command line with ``--json --yes``, at the speed of the embedded AWS."""
    run = Run(Context(), json=True, yes=True)
    settings = load({}, flags=(*SETTINGS, *flags))
    aws = Aws(settings.region, endpoint_url=url, credentials=KEYS, clock=PatientClock(speed=SPEED))
    run.__dict__.update(settings=settings, aws=aws)
    return run


@dataclass
class Stage:
    """An embedded AWS of speed SPEED and a project's ``folder``, where one case after the other is played."""

    embedded: EmbeddedProcess
    folder: Path
    undisturbed: dict[str, Undisturbed] = field(default_factory=dict)
    runs: dict[tuple[str, ...], Run] = field(default_factory=dict)

    @cached_property
    def settings(self) -> Settings:
        """The plan's settings, with a shorter wait."""
        return load({}, flags=SETTINGS)

    def run(self, task: Task) -> LobsterError | None:
        """Run a task in this process, where clients are made once; the error that it ended with, if it did."""
        here = self.here(task).settings
        if task.settings not in self.runs:
            self.runs[task.settings] = new_run(self.embedded.url, *here)
        run = self.runs[task.settings]
        run.__dict__["settings"] = load({}, flags=(*SETTINGS, *here))
        with chdir(self.folder):
            return task.run(run)

    def here(self, task: Task) -> Task:
        """The task with the ARNs of the account's web ACL and certificate, where its settings speak of them: AWS makes
        them up."""
        known = {FIREWALL: self._web_acl, CERTIFICATE: self._certificate}
        settings = (each.format(known[each]()) if each in known else each for each in task.settings)
        return replace(task, settings=tuple(settings))

    def _web_acl(self) -> str:
        (found,) = self.embedded.client("wafv2").list_web_acls(Scope="REGIONAL")["WebACLs"]
        return str(found["ARN"])

    def _certificate(self) -> str:
        (found,) = certificates(self.embedded.client("acm"))
        return str(found["CertificateArn"])

    def push(self, tag: str) -> None:
        """A release into the repository."""
        ecr = self.embedded.client("ecr")
        push(ecr, web_app(VERSION=tag), repository=self.settings.repository, tag=tag)

    def done(self, task: Task) -> None:
        """Run a task that has to succeed."""
        if error := self.run(task):
            raise error

    def reset(self) -> None:
        """An account and a folder in which nothing is."""
        self.embedded.reset()
        for each in self.folder.iterdir():
            each.unlink()

    def dump(self) -> Dump:
        """All that there is."""
        return dump(self.embedded, self.folder)

    @cached_property
    def empty(self) -> Dump:
        """An account in which nothing is but what AWS puts there."""
        self.reset()
        return self.dump()


@dataclass(frozen=True)
class Undisturbed:
    """How many calls a run makes that may change something, what it ends in, and what a teardown then leaves."""

    calls: int
    ended: Dump
    bare: Dump


@dataclass(frozen=True)
class Story:
    """A task, and what has happened ``before`` it.

    ``again`` waits until the same command may be given again. ``alone``: nothing but the stack is in the account, so
    that a teardown leaves it empty.
    """

    name: str
    task: Task
    before: Callable[[Stage], None]
    again: Callable[[Stage], None] = lambda _: None
    alone: bool = True

    def undisturbed(self, stage: Stage) -> Undisturbed:
        """What a run is like that nothing disturbs."""
        if self.name not in stage.undisturbed:
            self.begin(stage)
            stage.done(self.task)
            calls = len(stage.embedded.calls(mutating=True))
            eventually(lambda: at_rest(stage.dump()))
            ended = stage.dump()
            stage.undisturbed[self.name] = Undisturbed(calls, ended, self._bare(stage))
        return stage.undisturbed[self.name]

    def _bare(self, stage: Stage) -> Dump:
        if self.alone:
            return stage.empty
        self.tear_down(stage)
        eventually(lambda: at_rest(stage.dump()))
        return stage.dump()

    def begin(self, stage: Stage) -> None:
        """An account in which the task can be run."""
        stage.reset()
        self.before(stage)
        stage.embedded.forget_calls()

    def tear_down(self, stage: Stage) -> None:
        """``inv teardown`` with the same settings."""
        stage.done(replace(TEAR_DOWN, settings=self.task.settings))


@dataclass(frozen=True)
class Fault:
    """What strikes a call. ``rules`` gives the fault rules for the k-th, or for every k-th where it comes ``often``.

    ``kills``: whoever made the call dies then.
    """

    name: str
    rules: Callable[[int], list[dict[str, Any]]]
    kills: bool = False
    often: bool = False


def _struck(k: int, **effect: Any) -> list[dict[str, Any]]:
    return [{"mutating": True, "nth": k, **effect}]


def _held(k: int) -> list[dict[str, Any]]:
    """The k-th call is done and not answered; nothing that comes after it is done any more."""
    later = {"mutating": True, "nth": [k + 1, AND_ALL_LATER], "hold": "before"}
    return [*_struck(k, hold="after"), later]


_ERROR = {"code": "InternalFailure", "message": "The request processing has failed.", "status": 500}
FAULTS = (
    Fault("killed when the call was done, before its answer", _held, kills=True),
    Fault("connection cut before the call was done", partial(_struck, drop="before")),
    Fault("connection cut after the call was done", partial(_struck, drop="after")),
    Fault("throttled", partial(_struck, throttle=True)),
    Fault("answered 500", partial(_struck, error=_ERROR)),
    Fault("answered 5 s late", partial(_struck, delay_seconds=5 / SPEED)),
)
KILLED = FAULTS[0]


def _now_and_then(n: int, **effect: Any) -> list[dict[str, Any]]:
    return [{"nth": {"every": n}, **effect}]


# Every n-th call, those that only read too.
OFTEN = (
    Fault("throttled", partial(_now_and_then, throttle=True), often=True),
    Fault("answered 500", partial(_now_and_then, error=_ERROR), often=True),
    Fault("connection cut", partial(_now_and_then, drop="before"), often=True),
    Fault("answered 5 s late", partial(_now_and_then, delay_seconds=5 / SPEED), often=True),
)
HOW_OFTEN = (3, 5, 7, 11)


@dataclass(frozen=True)
class Result:
    """What came of one case: ``how`` it survived, or ``wrong``, which says what was not as it should be."""

    story: str
    fault: str
    often: bool
    k: int
    how: How | None
    wrong: str = ""

    def __str__(self) -> str:
        which = f"every call of {self.k}" if self.often else f"call {self.k}"
        return f"{self.story}, {which} {self.fault}: {self.how or self.wrong}"


def every(stage: Stage, story: Story, fault: Fault) -> Iterator[Result]:
    """A case for each call that the task makes, until it makes no more: how often AWS refuses one varies."""
    calls = story.undisturbed(stage).calls
    for k in count(1):
        if result := strike(stage, story, fault, k):
            yield result
        elif k > calls:
            return


def strike(stage: Stage, story: Story, fault: Fault, k: int) -> Result | None:
    """One case; None where the task made fewer than ``k`` calls this time."""
    expected = story.undisturbed(stage)
    story.begin(stage)
    stage.embedded.order(*fault.rules(k))
    how = _killed(stage, story) if fault.kills else _disturbed(stage, story)
    if how is None:
        return None
    wrong = _wrong_afterwards(stage, story, fault, how, expected)
    return Result(story.name, fault.name, fault.often, k, None if wrong else how, wrong)


def _wrong_afterwards(stage: Stage, story: Story, fault: Fault, how: How, expected: Undisturbed) -> str:
    """What is not as it should be once the command has been run again where it has to be; and once it is torn down."""
    if how == "by the same command again":
        story.again(stage)
        if error := stage.run(story.task):
            return f"the same command again: {error}"
    wrong = differences(stage, expected.ended)
    if wrong or not fault.kills:
        return wrong
    story.tear_down(stage)
    return differences(stage, expected.bare)


def _disturbed(stage: Stage, story: Story) -> How | None:
    """Run it while the rules are in force."""
    error = stage.run(story.task)
    met = stage.embedded.applied()
    stage.embedded.forgive()
    if not met:
        return None
    return "by the same command again" if error else "in the same run"


def _killed(stage: Stage, story: Story) -> How | None:
    """Run it in a process of its own, and kill that as soon as the call is held."""
    runner = _elsewhere(stage, story.task)
    eventually(lambda: stage.embedded.held() or forked.code_of(runner, 0) is not None)
    if struck := bool(stage.embedded.held()):
        runner.kill()
    code = forked.code_of(runner, PATIENCE)
    stage.embedded.forgive()
    assert code == (-signal.SIGKILL if struck else 0)
    return "by the same command again" if struck else None


def side_by_side(stage: Stage, *tasks: Task) -> list[int | None]:
    """Run tasks at once, each on a machine of its own; their exit codes."""
    runners = [_elsewhere(stage, task) for task in tasks]
    return [forked.code_of(runner, PATIENCE) for runner in runners]


def _elsewhere(stage: Stage, task: Task) -> ForkServerProcess:
    """Run it in a process of its own that says nothing."""
    return forked.start(_perform, stage.here(task), stage.embedded.url, stage.folder, dict(os.environ))


def _perform(task: Task, url: str, folder: Path, environment: Mapping[str, str]) -> None:
    forked.become(folder, environment, os.devnull, os.devnull)
    error = task.run(new_run(url, *task.settings))
    raise SystemExit(error.exit_code if error else 0)


def differences(stage: Stage, expected: Dump) -> str:
    """What is not as expected after some time, as paths with both sides; empty where nothing is."""
    found: list[str] = []

    def same() -> bool:
        found[:] = list(_differences(expected, stage.dump(), ""))
        return not found

    try:
        eventually(same)
    except AssertionError:
        return "; ".join(found[:3])
    return ""


def _differences(expected: Any, found: Any, path: str) -> Iterator[str]:
    if isinstance(expected, dict) and isinstance(found, dict):
        for key in sorted({*expected, *found}):
            yield from _differences(expected.get(key), found.get(key), f"{path}/{key}")
    elif isinstance(expected, list) and isinstance(found, list) and len(expected) == len(found):
        for number, (one, other) in enumerate(zip(expected, found, strict=True)):
            yield from _differences(one, other, f"{path}/{number}")
    elif expected != found:
        yield f"{path}: {expected!s:.200} expected, {found!s:.200} found"
