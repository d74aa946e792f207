"""A rolling deployment under 50 kept-alive clients and 10 open WebSockets."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from lobster_tasks.rollout import deploy
from lobster_tasks.settings import load

from .common import embedded_aws
from .crowd import CLIENTS, SOCKETS, Crowd, an_account, first_release

_SPEED = 20.0


def figures() -> Iterator[str]:
    """Failed requests (aim 0), and how long the WebSockets that were open at the start lived."""
    with embedded_aws(_SPEED) as url, tempfile.TemporaryDirectory() as folder:
        aws = an_account(url, _SPEED)
        settings = load({"probe": {"websocket": "/ws"}})
        address = first_release(aws, settings, Path(folder), "two")
        crowd = Crowd(address)
        with crowd.present():
            ended = deploy(aws, settings, "two")
            replaced = time.monotonic()
        delay = settings.deployment.deregistration_delay
    lived = [(closed - crowd.started) * _SPEED for closed in crowd.closed]
    yield (
        f"rolling deployment {ended.verdict} under {CLIENTS} clients: {crowd.answers.total()} requests, "
        f"{crowd.failed} failed (aim 0) {dict(crowd.answers) if crowd.failed else ''}"
    )
    took = (replaced - crowd.started) * _SPEED
    yield (
        f"{SOCKETS} WebSockets open at the start, {len(lived)} ended by the deployment after {min(lived):.0f} to "
        f"{max(lived):.0f} s of {took:.0f} s (modelled; the draining takes {delay} s)"
    )
