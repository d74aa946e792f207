"""A domain led from App Runner to Fargate, a step back, and back by hand, each under 50 clients who resolve it anew."""

from __future__ import annotations

import contextlib
import random
import tempfile
import threading
import time
import warnings
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import requests

from lobster_tasks.apprunner.cutover import CutoverResult, cut_over, go_back
from lobster_tasks.aws import Aws
from lobster_tasks.rehearsal.app_runner import associate_domain, create_service
from lobster_tasks.rollout import Progress
from lobster_tasks.settings import Settings, load

from .common import embedded_aws
from .crowd import CLIENTS, an_account, at_work, first_release

_SPEED = 20.0
_DOMAIN, _TTL_SECONDS = "app.example.com", 60


def figures() -> Iterator[str]:
    """Failed requests (aim 0) on the way there, of a step back that a broken probe causes, and of ``--back``."""
    with embedded_aws(_SPEED) as url, tempfile.TemporaryDirectory() as folder:
        aws = an_account(url, _SPEED)
        settings = load({"domains": [_DOMAIN], "probe": {"path": "/asked", "websocket": "/ws"}})
        first_release(aws, settings, Path(folder), "two")
        image = f"{aws.account}.dkr.ecr.{aws.region}.amazonaws.com/{settings.repository}:two"
        zone = associate_domain(aws, create_service(aws, settings, image), _DOMAIN)
        yield _told(*_under_visitors(aws, zone, lambda: _broken_at_half(aws, settings)))
        _repair(aws)
        yield _told(*_under_visitors(aws, zone, lambda: cut_over(aws, settings)))
        yield _told(*_under_visitors(aws, zone, lambda: go_back(aws, settings)))


def _told(ended: CutoverResult, visitors: Visitors) -> str:
    share = ended.shares[0][1]
    kinds = f" {dict(visitors.answers)}" if visitors.failed else ""
    return (
        f"cut-over {ended.verdict} ({share} % to Fargate, {ended.seconds:.0f} s modelled) under {CLIENTS} clients: "
        f"{visitors.answers.total()} requests, {visitors.failed} failed (aim 0){kinds}"
    )


def _under_visitors(aws: Aws, zone: str, work: Any) -> tuple[CutoverResult, Visitors]:
    visitors = Visitors(aws, zone)
    with visitors.present():
        ended = work()
    return ended, visitors


def _broken_at_half(aws: Aws, settings: Settings) -> CutoverResult:
    def observe(progress: Progress) -> None:
        if any(line.startswith("50 %: 50") for line in progress.said):
            _break(aws)

    return cut_over(aws, settings, observe=observe)


def _break(aws: Aws) -> None:
    """What the probe asks for is broken from now on, and nothing else."""
    aws.call(
        "elbv2:CreateRule",
        ListenerArn=_secure_listener(aws),
        Priority=1,
        Conditions=[{"Field": "path-pattern", "Values": ["/asked"]}],
        Actions=[{"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": "500"}}],
    )


def _repair(aws: Aws) -> None:
    rules = aws.call("elbv2:DescribeRules", ListenerArn=_secure_listener(aws))["Rules"]
    for rule in rules:
        if not rule["IsDefault"]:
            aws.call("elbv2:DeleteRule", RuleArn=rule["RuleArn"])


def _secure_listener(aws: Aws) -> str:
    balancer = aws.call("elbv2:DescribeLoadBalancers")["LoadBalancers"][0]["LoadBalancerArn"]
    listeners = aws.call("elbv2:DescribeListeners", LoadBalancerArn=balancer)["Listeners"]
    return next(str(each["ListenerArn"]) for each in listeners if each["Port"] == 443)


@dataclass
class Visitors:
    """Browsers: they ask the name servers, remember the answer for the TTL, and follow to HTTPS at that address."""

    aws: Aws
    zone: str
    answers: Counter[str] = field(default_factory=Counter)
    _stop: threading.Event = field(default_factory=threading.Event)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def failed(self) -> int:
        """Answers that are no page of either app."""
        return self.answers.total() - self.answers["one"] - self.answers["two"]

    @contextlib.contextmanager
    def present(self) -> Iterator[None]:
        """They are there as long as the block."""
        with at_work(self._stop, [self._visit] * CLIENTS):
            yield

    def _visit(self) -> None:
        until, address = 0.0, ""
        with requests.Session() as session:
            while not self._stop.is_set():
                if time.monotonic() >= until:
                    address = self._resolve()
                    until = time.monotonic() + random.uniform(0.5, 1.0) * _TTL_SECONDS / _SPEED
                answer = self._ask(session, address)
                with self._lock:
                    self.answers[answer] += 1
                self._stop.wait(0.02)

    def _resolve(self) -> str:
        asked = {"HostedZoneId": self.zone, "RecordName": _DOMAIN, "RecordType": "A"}
        return str(self.aws.call("route53:TestDNSAnswer", **asked)["RecordData"][0]).rstrip(".")

    def _ask(self, session: requests.Session, address: str) -> str:
        try:
            answer = self._get(session, f"http://{address}/")
            if answer.is_redirect:
                answer = self._get(session, f"https://{address}/")
        except requests.RequestException as error:
            return type(error).__name__
        return answer.text if answer.status_code == 200 else str(answer.status_code)

    def _get(self, session: requests.Session, url: str) -> requests.Response:
        return session.get(url, headers={"Host": _DOMAIN}, timeout=60, verify=False, allow_redirects=False)


warnings.filterwarnings("ignore", message="Unverified HTTPS request")  # nobody vouches for certificates here
