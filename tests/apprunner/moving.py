"""A live App Runner service and the Fargate service that takes its place, with domains to bring over."""

from __future__ import annotations

import random
import time
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, ClassVar

import requests
import urllib3

from lobster_tasks import converge, stack
from lobster_tasks import settings as settings_
from lobster_tasks.apprunner import cutover
from lobster_tasks.apprunner.cutover import CutoverResult, CutoverState
from lobster_tasks.aws import Aws
from lobster_tasks.settings import Settings
from tests.clocks import PatientClock
from tests.embedded.apprunner_stack import Sites
from tests.embedded.zones import Zone, alias, simple
from tests.embedded_process import PATIENCE, EmbeddedProcess, eventually
from tests.journeys.releasing import FAST, set_up
from tests.visitors import Visitors

SPEED = 200.0
APP_RUNNER_ZONE = "Z0224347AD7KVHMLOX31"
# Of AWS's time, of which little is much here.
PATIENT = ("deployment.wait_minutes=300",)
_TTL_SECONDS = 60.0
_VISIT_AGAIN_SECONDS = 0.02


@dataclass(frozen=True)
class CutoverScenario:
    """Both services serve; ``old`` is where App Runner answers. ``settings`` name the domains to bring over."""

    embedded: EmbeddedProcess
    aws: Aws
    old: str
    service: str
    settings: Settings = field(default_factory=lambda: settings_.load({}))
    region: str = "us-east-2"
    flags: tuple[str, ...] = ()

    def of(self, *domains: str, **more: Any) -> CutoverScenario:
        """The same for some domains."""
        given = {"domains": list(domains), "region": self.region, **more}
        return replace(self, settings=settings_.load(given, {}, (*FAST, *self.flags)))

    @property
    def now(self) -> CutoverState:
        """How far it has come."""
        return cutover.read_state(self.aws, self.settings)

    def cut_over(self, **options: Any) -> CutoverResult:
        """Cut over without watching the stages for long."""
        return cutover.cut_over(self.aws, self.settings, **{"hold": 0.0, "wait": 20_000.0, **options})

    def back(self) -> CutoverResult:
        """And back."""
        return cutover.go_back(self.aws, self.settings)

    @cached_property
    def new(self) -> str:
        """The load balancer's address, or that of the distribution in front of it."""
        listed = self.embedded.client("cloudfront").list_distributions()["DistributionList"]
        names = [each["DomainName"] for each in listed.get("Items", [])]
        return str(names[0] if names else self._described()["DNSName"])

    @cached_property
    def balancer(self) -> str:
        """The load balancer's ARN."""
        return str(self._described()["LoadBalancerArn"])

    def _described(self) -> Any:
        elbv2 = self.embedded.client("elbv2", self.region)
        return elbv2.describe_load_balancers()["LoadBalancers"][0]

    def validation(self, domain: str) -> list[dict[str, str]]:
        """The records that prove a domain whose certificate is pending."""
        acm = self.embedded.client("acm")
        listed = acm.list_certificates(CertificateStatuses=["PENDING_VALIDATION"])["CertificateSummaryList"]
        arn = next(each["CertificateArn"] for each in listed if each["DomainName"] == domain)
        options = acm.describe_certificate(CertificateArn=arn)["Certificate"]["DomainValidationOptions"]
        return [each["ResourceRecord"] for each in options]

    def zone(self, name: str) -> Zone:
        """A public hosted zone of the account."""
        return Zone(self.embedded, name)

    def cname(self, zone: Zone, domain: str, ttl: int = 60) -> None:
        """A domain that App Runner serves, with the record that its guide asks for."""
        self._bind(zone, domain)
        zone.settle(simple(domain, self.old, ttl=ttl))

    def apex(self, zone: Zone) -> None:
        """The same at the apex, where it is an alias."""
        self._bind(zone, zone.name)
        zone.settle(alias(zone.name, self.old, APP_RUNNER_ZONE))

    def _bind(self, zone: Zone, domain: str) -> None:
        Sites(self.embedded).bind(self.service, domain, zone)


def leave(move: CutoverScenario) -> None:
    """App Runner forgets its domains, of which a service has five at most."""
    api = move.embedded.client("apprunner")

    def served() -> list[str]:
        found = api.describe_custom_domains(ServiceArn=move.service)["CustomDomains"]
        return [each["DomainName"] for each in found if each["Status"] != "deleting"]

    for domain in served():
        api.disassociate_custom_domain(ServiceArn=move.service, DomainName=domain)
    eventually(lambda: not api.describe_custom_domains(ServiceArn=move.service)["CustomDomains"])


def begin(embedded: EmbeddedProcess, *flags: str) -> CutoverScenario:
    """Set both services up; ``flags`` are settings of the new one."""
    credentials = {"aws_access_key_id": "AKIAEXAMPLE", "aws_secret_access_key": "example"}
    aws = Aws(
        "us-east-2", endpoint_url=embedded.url, credentials=credentials, clock=PatientClock(speed=SPEED)
    )
    account = set_up(embedded, aws, *flags).with_settings(*PATIENT, *flags)
    assert account.deploy("new").verdict == "live"
    sites = Sites(embedded)
    image = account.push("old").reference
    service = sites.create("lobster", SourceConfiguration=sites.source(image))
    eventually(lambda: requests.get(f"http://{service['ServiceUrl']}/", timeout=PATIENCE).text == "old")
    where = str(service["ServiceUrl"]), str(service["ServiceArn"])
    return CutoverScenario(embedded, aws, *where, flags=flags)


def in_region(move: CutoverScenario, region: str) -> CutoverScenario:
    """The same account with a load balancer in another region, where App Runner never was."""
    aws = move.aws.in_region(region)
    desired = stack.build(settings_.load({"region": region}), aws.account).slice(("listener", "target-group"))
    converge.apply(aws, converge.plan(desired, converge.read(aws, desired)), lambda _: None)
    return replace(move, aws=aws, region=region)


@dataclass
class VisitorsByName(Visitors):
    """They ask for a domain by the name servers' answer, remember it for the TTL, and follow to HTTPS."""

    pages: ClassVar = ("old", "new")
    zone: Zone
    domain: str
    count: int = field(default=4, kw_only=True)

    def _visit(self) -> None:
        until, address = 0.0, ""
        with requests.Session() as session:
            while not self._over.is_set():
                if time.monotonic() >= until:
                    address = self.zone.ask(self.domain)[0].rstrip(".")
                    until = time.monotonic() + random.uniform(0.5, 1.0) * _TTL_SECONDS / SPEED
                answer = visit(session, address, self.domain)
                with self._lock:
                    self.answers[answer] += 1
                self._over.wait(_VISIT_AGAIN_SECONDS)


def visit(session: requests.Session, address: str, domain: str) -> str:
    """The page's text, or what went wrong."""
    try:
        answer = _get(session, f"http://{address}/", domain)
        if answer.is_redirect:
            assert answer.headers["Location"].startswith(f"https://{domain}")
            answer = _get(session, f"https://{address}/", domain)
    except requests.RequestException as error:
        return type(error).__name__
    return answer.text if answer.status_code == 200 else str(answer.status_code)


def _get(session: requests.Session, url: str, domain: str) -> requests.Response:
    with urllib3.warnings.catch_warnings(action="ignore"):  # nobody vouches for certificates here
        return session.get(
            url, headers={"Host": domain}, timeout=PATIENCE, verify=False, allow_redirects=False
        )


def said(ended: CutoverResult) -> str:
    """The timeline as one text."""
    return "\n".join(moment.what for moment in ended.timeline)
