"""Starts an embedded AWS as a process, and ends it by its pid."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from typing import IO, Any, TypeVar

import boto3
import requests
from botocore.config import Config

T = TypeVar("T")

PATIENCE = 600.0
"""Seconds that a test waits for an event that never comes: only a defect gets there, however slow the machine is."""


@dataclass(frozen=True)
class EmbeddedProcess:
    """A running embedded AWS: its address and its pid."""

    url: str
    pid: int

    def client(self, service: str, region: str = "us-east-2", **more: Any) -> Any:
        """A boto3 client without retries, so that every answer is visible."""
        return _new_client(self.url, service, region, **more) if more else _client(self.url, service, region)

    def reset(self) -> None:
        """Empty every account and end every task."""
        self._ask("POST", "reset")

    def order(self, *rules: dict[str, Any]) -> None:
        """Add fault rules."""
        self._ask("POST", "faults", json=list(rules))

    def applied(self) -> int:
        """How many calls the rules have affected; a delayed one counts from its beginning."""
        return sum(rule["applied"] for rule in self._ask("GET", "faults"))

    def held(self) -> int:
        """How many calls the rules are holding."""
        return sum(rule["held"] for rule in self._ask("GET", "faults"))

    def forgive(self) -> None:
        """Remove every fault and the latency."""
        self._ask("DELETE", "faults")

    def expire_images(self) -> dict[str, list[str]]:
        """Apply ECR's lifecycle policies now; returns the removed digests, by repository."""
        gone: dict[str, list[str]] = self._ask("POST", "expire-images")
        return gone

    def forget_deployments(self) -> int:
        """End the history of service deployments now; returns how many had ended."""
        forgotten: dict[str, int] = self._ask("POST", "forget-deployments")
        return forgotten["forgotten"]

    def slow_down(self, seconds: float) -> None:
        """Delay every call by real seconds."""
        self._ask("POST", "latency", json={"seconds": seconds})

    def calls(self, operation: str | None = None, *, mutating: bool = False) -> list[dict[str, Any]]:
        """The recorded calls, of one operation, or only those that may change the account."""
        found: list[dict[str, Any]] = self._ask("GET", "calls")
        return [
            call
            for call in found
            if operation in (None, call["operation"]) and (call["mutating"] or not mutating)
        ]

    def forget_calls(self) -> None:
        """Discard the recorded calls."""
        self._ask("DELETE", "calls")

    def _ask(self, method: str, what: str, **more: Any) -> Any:
        answer = control.request(method, f"{self.url}/_embedded/{what}", timeout=PATIENCE, **more)
        answer.raise_for_status()
        return answer.json()


control = requests.Session()  # a new session for each request would take longer than the request
"""Sends control requests, with the header that web pages cannot send."""
control.trust_env = False
control.headers["X-Embedded-Aws"] = "tests"


def _new_client(url: str, service: str, region: str, **more: Any) -> Any:
    return boto3.client(
        service,
        region_name=region,
        endpoint_url=url,
        aws_access_key_id="AKIAEXAMPLE",
        aws_secret_access_key="example",
        config=Config(retries={"total_max_attempts": 1}, user_agent="tests", **more),
    )


_client = cache(_new_client)  # creating a client takes longer than most calls


EMBEDDED_AWS = (sys.executable, "-P", "-m", "embedded_aws")
"""The command that runs the embedded AWS, independent of the current folder."""

RUNNING: set[EmbeddedProcess] = set()
"""All that ``start`` has started."""


@contextmanager
def start(*, speed: float, boot_allowance: float, young: bool = False) -> Iterator[EmbeddedProcess]:
    """Run ``python -m embedded_aws`` for the duration of the block, at most as long as this process."""
    words = [*EMBEDDED_AWS, "--until-stdin-ends", *("--speed", f"{speed}")]
    words += ["--boot-allowance", f"{boot_allowance}", *(["--young"] if young else [])]
    with serve(words, stdin=subprocess.PIPE, process_group=0) as running:
        RUNNING.add(running)
        try:
            yield running
        finally:
            RUNNING.remove(running)


@contextmanager
def serve(command: Sequence[str], **how: Any) -> Iterator[EmbeddedProcess]:
    """Run a ``command`` that starts an embedded AWS; ``how`` are additional arguments of Popen."""
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, **how) as process:
        assert process.stdout is not None
        try:
            yield EmbeddedProcess(_address(process.stdout), process.pid)
        finally:
            process.terminate()
            process.wait(timeout=PATIENCE)


def _address(told: IO[str]) -> str:
    line = told.readline()
    name, _, url = line.strip().partition("=")
    assert name == "AWS_ENDPOINT_URL", f"the embedded AWS did not start; it printed {line!r}"
    return url


def eventually(look: Callable[[], T], within: float = PATIENCE) -> T:
    """Call ``look`` until its result is true, and return the result; AssertionError after ``within`` seconds."""
    deadline = time.monotonic() + within
    pause = 0.02
    while not (seen := look()):
        assert time.monotonic() < deadline, f"still {seen!r} after {within} s"
        time.sleep(pause)
        pause = min(0.1, 1.3 * pause)
    return seen
