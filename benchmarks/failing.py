"""A release that fails and one that lives, under constant traffic: failed requests, calls to AWS and their limits."""

from __future__ import annotations

import tempfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from lobster_tasks.aws import Aws
from lobster_tasks.rollout import Outcome, deploy
from lobster_tasks.settings import load

from .common import embedded_aws
from .crowd import CLIENTS, Crowd, an_account, first_release

_SPEED = 20.0
# Calls a second that ECS allows an account for ever ("Request throttling for the Amazon ECS API").
_SUSTAINED = {
    "cluster resource read": (20, ("ListTasks", "DescribeTasks")),
    "service read": (20, ("DescribeServices",)),
    "service deployment": (20, ("ListServiceDeployments", "DescribeServiceDeployments")),
    "service revision": (20, ("DescribeServiceRevisions",)),
    "task definition read": (20, ("DescribeTaskDefinition", "ListTaskDefinitions")),
    "task definition modify": (1, ("RegisterTaskDefinition",)),
    "service modify": (5, ("UpdateService",)),
}


def figures() -> Iterator[str]:
    """Of each release: failed requests (aim 0), calls, and the class of calls nearest to its limit (aim 10 %)."""
    with embedded_aws(_SPEED) as url, tempfile.TemporaryDirectory() as folder:
        aws = an_account(url, _SPEED)
        settings = load({"probe": {"websocket": "/ws"}})
        address = first_release(aws, settings, Path(folder), "two")
        broken = load({"probe": {"websocket": "/ws"}, "container": {"command": ["no-such-program"]}})
        for tag, app in (("one", broken), ("two", settings)):
            before = Counter(aws.calls)
            crowd = Crowd(address)
            with crowd.present():
                ended = deploy(aws, app, tag)
            yield (
                f"{ended.verdict} under {CLIENTS} clients: {crowd.answers.total()} requests, {crowd.failed} failed "
                f"(aim 0); {_calls(aws, before, ended)}"
            )


def _calls(aws: Aws, before: Counter[str], ended: Outcome) -> str:
    made = Counter(aws.calls) - before
    minutes = max(ended.seconds / 60, 1)
    shares = {
        name: sum(made[f"ecs:{each}"] for each in operations) / minutes / (sustained * 60)
        for name, (sustained, operations) in _SUSTAINED.items()
    }
    most = max(shares, key=lambda name: shares[name])
    return (
        f"{made.total()} calls in {ended.seconds:.0f} s, {ended.calls_per_minute:.0f} a minute while watched; "
        f"nearest to its limit: {most}, {shares[most]:.1%} (aim 10 %)"
    )
