"""A firewall on its way: from an App Runner service that has one to a load balancer that blocks the same requests."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests
import urllib3
import yaml
from requests.adapters import HTTPAdapter

from lobster_tasks.apprunner.cutover import cut_over
from lobster_tasks.aws import Aws
from lobster_tasks.clock import Clock
from lobster_tasks.settings import load
from tests.embedded.apprunner_stack import Sites
from tests.embedded.firewalls import associate, blocking, protecting
from tests.embedded.identities import allow, session
from tests.embedded.zones import Zone, simple
from tests.embedded_process import PATIENCE, EmbeddedProcess, eventually, start
from tests.project import Project, make

SPEED = 100.0
DOMAIN = "app.wall.org"
BAD, GOOD = "127.0.0.9", "127.0.0.1"


@pytest.fixture(scope="module")
def swift() -> Iterator[EmbeddedProcess]:
    """An embedded AWS of its own, where minutes are nothing."""
    with start(speed=SPEED, boot_allowance=2) as running:
        yield running


class _From(HTTPAdapter):
    """Comes from one of this machine's addresses."""

    def __init__(self, source: str) -> None:
        self._source = source
        super().__init__()

    def init_poolmanager(self, *args: object, **more: object) -> None:  # type: ignore[override]
        super().init_poolmanager(*args, source_address=(self._source, 0), **more)  # type: ignore[arg-type]


def asked(url: str, source: str) -> int:
    """The status of the domain's page for who comes from an address; nobody vouches for certificates here."""
    with requests.Session() as visitor, urllib3.warnings.catch_warnings(action="ignore"):
        visitor.trust_env = False
        for scheme in ("http://", "https://"):
            visitor.mount(scheme, _From(source))
        answer = visitor.get(
            url, headers={"Host": DOMAIN}, verify=False, allow_redirects=False, timeout=PATIENCE
        )
        return answer.status_code


def test_the_same_visitor_is_blocked_before_and_after(swift: EmbeddedProcess, tmp_path: Path) -> None:
    sites, zone, project = Sites(swift), Zone(swift, "wall.org"), make(tmp_path, swift.url)
    service = sites.create("site")
    old = f"http://{service['ServiceUrl']}/"
    firewall = blocking(swift, "wall", f"{BAD}/32")
    associate(swift, firewall, service["ServiceArn"])
    sites.bind(service["ServiceArn"], DOMAIN, zone)
    zone.settle(simple(DOMAIN, service["ServiceUrl"], ttl=1))
    assert (asked(old, BAD), asked(old, GOOD)) == (403, 200)

    project.inv("import-apprunner", "--service", "site", "--yes").check()
    settings = yaml.safe_load((tmp_path / "invoke.yaml").read_text())["lobster"]
    assert settings["load_balancer"]["web_acl"] == firewall
    assert "The web ACL costs no more" in project.inv("plan", "--adopt").check().said
    told = project.inv("setup-fargate", "--adopt", "--yes", "--json").check()
    associations = [each for each in told.json["changes"] if "web-ACL-association" in each["resource"]]
    assert [each["action"] for each in associations] == ["create"]
    balancer = swift.client("elbv2").describe_load_balancers()["LoadBalancers"][0]
    assert protecting(swift, balancer["LoadBalancerArn"]) == firewall

    project.inv("deploy", "--tag", "v1").check()
    aws = library(swift)
    ended = cut_over(aws, load(settings), hold=0.0, wait=20_000.0)
    assert ended.verdict == "cut_over", ended.cause
    eventually(lambda: zone.ask(DOMAIN) == [balancer["DNSName"]])
    new = f"https://{balancer['DNSName']}/"
    assert (asked(new, BAD), asked(new, GOOD)) == (403, 200)
    assert project.inv("status", "--json").json["web_acl"] == firewall
    assert re.search(r"web ACL +wall +protects the load balancer", project.inv("status").check().out)
    checks = project.inv("validate-fargate-setup", "--json").json["checks"]
    (seen,) = [each for each in checks if each["id"] == "load-balancer.web-acl"]
    assert (seen["status"], seen["saw"]) == ("pass", "wall, 1 rule, else allow")

    project.inv("teardown", "--yes", "--data").check()
    assert swift.client("wafv2").get_web_acl(ARN=firewall)["WebACL"]["Name"] == "wall"
    assert protecting(swift, service["ServiceArn"]) == firewall


def library(swift: EmbeddedProcess) -> Aws:
    """The library's door to it."""
    keys = {"aws_access_key_id": "AKIAEXAMPLE", "aws_secret_access_key": "example"}
    return Aws("us-east-2", endpoint_url=swift.url, credentials=keys, clock=Clock(speed=SPEED))


def test_an_import_that_may_not_look_says_that_it_is_not_known(
    swift: EmbeddedProcess, tmp_path: Path
) -> None:
    swift.reset()
    sites, project = Sites(swift), make(tmp_path, swift.url)
    service = sites.create("site")
    associate(swift, blocking(swift, "wall", f"{BAD}/32"), service["ServiceArn"])
    denied = {"Effect": "Deny", "Action": "wafv2:GetWebACL", "Resource": "*"}
    project.environment |= session(swift, "reads", allow("*"), denied).environment
    told = rows(project)
    assert (told["class"], told["from"]) == ("approximated", "not known")
    assert "wafv2:GetWebACL" in told["note"]


def rows(project: Project) -> dict[str, str]:
    """The row of the report that is about the firewall."""
    ended = project.inv("import-apprunner", "--service", "site", "--dry-run", "--json").check()
    (found,) = [each for each in ended.json["mapping"] if each["setting"] == "(web ACL)"]
    return dict(found)
