"""A domain led from App Runner to Fargate, a step back, and back by hand, each under 50 clients who resolve it anew."""

from __future__ import annotations

import contextlib
import json
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

from lobster_tasks.apprunner.cutover import CutOver, cut_over, go_back
from lobster_tasks.aws import Aws
from lobster_tasks.rollout import Progress
from lobster_tasks.settings import Settings, load

from .common import embedded_aws
from .crowd import CLIENTS, an_account, first_release

_SPEED = 20.0
_DOMAIN, _ZONE, _TTL_SECONDS = "app.example.com", "example.com", 60
_PULL = "arn:aws:iam::aws:policy/service-role/AWSAppRunnerServicePolicyForECRAccess"


def figures() -> Iterator[str]:
    """Failed requests (aim 0) on the way there, of a step back that a broken probe causes, and of ``--back``."""
    with embedded_aws(_SPEED) as url, tempfile.TemporaryDirectory() as folder:
        aws = an_account(url, _SPEED)
        settings = load({"domains": [_DOMAIN], "probe": {"path": "/asked", "websocket": "/ws"}})
        first_release(aws, settings, Path(folder), "two")
        zone = _lead_to_app_runner(aws)
        yield _told(*_under_visitors(aws, zone, lambda: _broken_at_half(aws, settings)))
        _repair(aws)
        yield _told(*_under_visitors(aws, zone, lambda: cut_over(aws, settings)))
        yield _told(*_under_visitors(aws, zone, lambda: go_back(aws, settings)))


def _told(ended: CutOver, visitors: Visitors) -> str:
    share = ended.shares[0][1]
    kinds = f" {dict(visitors.answers)}" if visitors.failed else ""
    return (
        f"cut-over {ended.verdict} ({share} % to Fargate, {ended.seconds:.0f} s modelled) under {CLIENTS} clients: "
        f"{visitors.answers.total()} requests, {visitors.failed} failed (aim 0){kinds}"
    )


def _under_visitors(aws: Aws, zone: str, work: Any) -> tuple[CutOver, Visitors]:
    visitors = Visitors(aws, zone)
    with visitors.present():
        ended = work()
    return ended, visitors


def _broken_at_half(aws: Aws, settings: Settings) -> CutOver:
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


def _lead_to_app_runner(aws: Aws) -> str:
    """The same app on App Runner, under the domain; the hosted zone."""
    service = _service(aws)
    arn = service["ServiceArn"]
    made = aws.call("route53:CreateHostedZone", Name=_ZONE, CallerReference="benchmark")["HostedZone"]
    zone = str(made["Id"]).removeprefix("/hostedzone/")
    aws.call("apprunner:AssociateCustomDomain", ServiceArn=arn, DomainName=_DOMAIN, EnableWWWSubdomain=False)
    records = _await(lambda: _custom_domain(aws, arn)["CertificateValidationRecords"])
    _create(aws, zone, _DOMAIN, service["ServiceUrl"])
    for each in records:
        _create(aws, zone, each["Name"], each["Value"])
    _await(lambda: _custom_domain(aws, arn)["Status"] == "ACTIVE")
    return zone


def _service(aws: Aws) -> dict[str, Any]:
    statement = {"Effect": "Allow", "Action": "sts:AssumeRole"}
    trust = {"Statement": [{**statement, "Principal": {"Service": "build.apprunner.amazonaws.com"}}]}
    document = json.dumps({"Version": "2012-10-17", **trust})
    role = aws.call("iam:CreateRole", RoleName="pull", AssumeRolePolicyDocument=document)["Role"]["Arn"]
    aws.call("iam:AttachRolePolicy", RoleName="pull", PolicyArn=_PULL)
    image = {
        "ImageIdentifier": f"{aws.account}.dkr.ecr.{aws.region}.amazonaws.com/homara:two",
        "ImageRepositoryType": "ECR",
        "ImageConfiguration": {"Port": "8501"},
    }
    source = {"ImageRepository": image, "AutoDeploymentsEnabled": False}
    source |= {"AuthenticationConfiguration": {"AccessRoleArn": role}}
    made = aws.call("apprunner:CreateService", ServiceName="site", SourceConfiguration=source)["Service"]
    arn = made["ServiceArn"]
    _await(lambda: aws.call("apprunner:DescribeService", ServiceArn=arn)["Service"]["Status"] == "RUNNING")
    return dict(made)


def _custom_domain(aws: Aws, arn: str) -> dict[str, Any]:
    return dict(aws.call("apprunner:DescribeCustomDomains", ServiceArn=arn)["CustomDomains"][0])


def _create(aws: Aws, zone: str, name: str, value: str) -> None:
    record = {"Name": name, "Type": "CNAME", "TTL": _TTL_SECONDS, "ResourceRecords": [{"Value": value}]}
    batch = {"Changes": [{"Action": "CREATE", "ResourceRecordSet": record}]}
    aws.call("route53:ChangeResourceRecordSets", HostedZoneId=zone, ChangeBatch=batch)


def _await(look: Any, within: float = 60.0) -> Any:
    deadline = time.monotonic() + within
    while not (found := look()):
        assert time.monotonic() < deadline, "it takes too long"
        time.sleep(0.1)
    return found


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
        threads = [threading.Thread(target=self._visit) for _ in range(CLIENTS)]
        for thread in threads:
            thread.start()
        try:
            yield
        finally:
            self._stop.set()
            for thread in threads:
                thread.join(timeout=60)

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
