"""An app behind a sign-in: set up, released, signed in to by a person with a browser, looked at, and taken away."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests
from websockets.exceptions import InvalidURI

from lobster_tasks.apprunner import cleanup
from lobster_tasks.aws import Aws
from lobster_tasks.rollout import Progress
from lobster_tasks.settings import load
from tests.apprunner.moving import CutoverScenario
from tests.clocks import PatientClock
from tests.embedded.apprunner_stack import Sites
from tests.embedded.certificates import server_context
from tests.embedded.identity_provider import CLIENT, SECRET, IdentityProvider
from tests.embedded.test_conformance_elbv2_tls import make_certificate
from tests.embedded_process import PATIENCE, EmbeddedProcess, start
from tests.project import Project, make
from tests.web_socket import connect

pytestmark = pytest.mark.filterwarnings("ignore::urllib3.exceptions.InsecureRequestWarning")

SPEED = 100.0
SESSION = "AWSELBAuthSessionCookie-0"


@dataclass(frozen=True)
class SignedIn:
    """A project behind a sign-in with ``provider``, released; ``url`` is where the release says it is."""

    embedded: EmbeddedProcess
    project: Project
    provider: IdentityProvider
    said: str
    url: str

    def browser(self) -> requests.Session:
        """A person's browser; nobody vouches for certificates here."""
        made = requests.Session()
        made.trust_env, made.verify = False, False
        return made


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SignedIn]:
    """Set up and released once."""
    folder = tmp_path_factory.mktemp("behind")
    provider = IdentityProvider("idp", "127.0.0.1", 0, tls=server_context("localhost", folder))
    try:
        with start(speed=SPEED, boot_allowance=2) as swift:
            project = make(folder, swift.url)
            project.write("invoke.yaml", json.dumps({"lobster": settings(swift, provider)}))
            project.inv("setup-fargate", "--yes").check()
            project.inv("push-image", "--tag", "one", "--builder", "process").check()
            released = project.inv("deploy", "--tag", "one").check()
            yield SignedIn(swift, project, provider, released.said, released.out.splitlines()[-1])
    finally:
        provider.stop()


def settings(swift: EmbeddedProcess, provider: IdentityProvider) -> dict[str, object]:
    """HTTPS with a certificate of one's own, and a sign-in whose client secret is in Secrets Manager."""
    made = make_certificate("app.example.com")
    acm = swift.client("acm")
    arn = acm.import_certificate(Certificate=made.certificate, PrivateKey=made.key)["CertificateArn"]
    swift.client("secretsmanager").create_secret(Name="app/sign-in", SecretString=SECRET)
    return {
        "load_balancer": {"certificate": arn},
        "deployment": {"deregistration_delay": 5, "wait_minutes": 300},
        "sign_in": {
            "kind": "oidc",
            "issuer": provider.issuer,
            "authorization_endpoint": f"{provider.issuer}/authorize",
            "token_endpoint": f"{provider.issuer}/token",
            "user_info_endpoint": f"{provider.issuer}/userinfo",
            "client_id": CLIENT,
            "client_secret": "app/sign-in",
        },
    }


def host(app: SignedIn) -> str:
    """The provider's, as people see it."""
    return urlsplit(app.provider.issuer).netloc


def test_a_release_is_live_and_says_that_visitors_sign_in(app: SignedIn) -> None:
    assert app.url.startswith("https://")
    assert f"visitors sign in at {host(app)}" in app.said
    assert "WebSocket /_stcore/stream not opened: visitors sign in first" in app.said
    assert SECRET not in app.said


def test_a_person_signs_in_and_the_app_knows_who(app: SignedIn) -> None:
    with app.browser() as browser:
        first = browser.get(app.url, timeout=PATIENCE, allow_redirects=False)
        assert (first.status_code, first.headers["Location"].partition("?")[0]) == (
            302,
            f"{app.provider.issuer}/authorize",
        )
        page = browser.get(f"{app.url}/", timeout=PATIENCE)
        assert page.status_code == 200
        assert [each.status_code for each in page.history] == [302, 302, 302]
        assert page.url == f"{app.url}/"
        assert "Basic" in app.provider.calls("/token")[-1]["authorization"]
        cookies = "; ".join(f"{each.name}={each.value}" for each in browser.cookies)
    where = f"wss://{urlsplit(app.url).netloc}/_stcore/stream"
    trusting = server_trust()
    with connect(where, ssl=trusting, additional_headers={"Cookie": cookies}) as socket:
        socket.send("hello")
        assert socket.recv(timeout=PATIENCE)
    with pytest.raises(InvalidURI, match=host(app)):
        connect(where, ssl=trusting)


def server_trust() -> object:
    """A TLS client that takes every certificate."""
    import ssl

    trust = ssl.create_default_context()
    trust.check_hostname, trust.verify_mode = False, ssl.CERT_NONE
    return trust


def test_nobody_passes_without_https(app: SignedIn) -> None:
    with app.browser() as browser:
        plain = browser.get(app.url.replace("https", "http"), timeout=PATIENCE, allow_redirects=False)
    assert plain.status_code == 301
    assert plain.headers["Location"].startswith("https://")


def test_who_looks_is_told_of_the_sign_in(app: SignedIn) -> None:
    assert app.project.inv("status", "--json").check().json["sign_in"] == f"{app.provider.issuer}/authorize"
    shown = app.project.inv("status").check().out
    assert re.search(rf"sign-in +{re.escape(host(app))} +visitors sign in there", shown)
    checks = {each["id"]: each for each in app.project.inv("validate-fargate-setup", "--json").json["checks"]}
    assert [each for each in checks.values() if each["status"] == "fail"] == []
    assert f"visitors sign in at {host(app)}" in checks["answers.page"]["saw"]
    assert checks["targets.healthy"]["saw"] == "1 of 1 healthy"


def test_a_comparison_with_app_runner_says_what_it_cannot_see(app: SignedIn) -> None:
    Sites(app.embedded).create("site")
    told = app.project.inv("compare-apprunner", "--service", "site", "--json").check().json
    assert {row["what"]: (row["new"], row["verdict"]) for row in told["rows"]} == dict.fromkeys(
        ("GET /_stcore/health", "GET /", "WebSocket /_stcore/stream"), ("sign-in", "skip")
    )


def test_the_last_gate_of_a_clean_up_says_what_it_cannot_see(app: SignedIn, tmp_path: Path) -> None:
    """It neither passes, since nothing was compared, nor fails."""
    service = Sites(app.embedded).create("leaving")
    given = json.loads((app.project.folder / "invoke.yaml").read_text())["lobster"]
    mine, aws = load({**given, "apprunner": {"service": "leaving"}}), door(app)
    plan = cleanup.CleanupPlan("leaving", service["ServiceArn"], "RUNNING", "pause")
    gate = cleanup.with_parity_gate(aws, mine, plan).gates[-1]
    assert (gate.id, gate.status) == ("parity.rows", "skip")
    assert f"visitors of the new service sign in first, at {host(app)}" in gate.saw
    assert "GET /_stcore/health, GET /, WebSocket /_stcore/stream" in gate.saw
    assert app.url in str(gate.fix)
    elbv2 = app.embedded.client("elbv2")
    rule = elbv2.create_rule(
        ListenerArn=listener(app)["ListenerArn"],
        Priority=1,
        Conditions=[{"Field": "path-pattern", "Values": ["/_stcore/stream"]}],
        Actions=listener(app)["DefaultActions"][1:],
    )["Rules"][0]["RuleArn"]
    opened = cleanup.with_parity_gate(aws, mine, plan).gates[-1]
    elbv2.delete_rule(RuleArn=rule)
    assert (opened.status, opened.fix) == ("fail", "inv compare-apprunner")
    assert "WebSocket /_stcore/stream" in opened.saw


def listener(app: SignedIn) -> dict[str, Any]:
    """The HTTPS listener, as DescribeListeners shows it."""
    elbv2 = app.embedded.client("elbv2")
    (balancer,) = elbv2.describe_load_balancers()["LoadBalancers"]
    found = elbv2.describe_listeners(LoadBalancerArn=balancer["LoadBalancerArn"])["Listeners"]
    (secure,) = [each for each in found if each["Port"] == 443]
    return dict(secure)


def door(app: SignedIn) -> Aws:
    """The library's door to the account."""
    keys = {"aws_access_key_id": "AKIAEXAMPLE", "aws_secret_access_key": "example"}
    return Aws("us-east-2", endpoint_url=app.embedded.url, credentials=keys, clock=PatientClock(speed=SPEED))


def test_a_cut_over_takes_the_redirect_to_the_provider_for_an_answer_and_nothing_else(app: SignedIn) -> None:
    """From an app that asks nobody to sign in. At 50 % the load balancer answers somebody who has not signed in."""
    aws = door(app)
    service = Sites(app.embedded).create("moving")
    move = CutoverScenario(app.embedded, aws, service["ServiceUrl"], service["ServiceArn"])
    zone, domain = move.zone("example.com"), "app.example.com"
    move.cname(zone, domain)
    given = json.loads((app.project.folder / "invoke.yaml").read_text())["lobster"]
    mine = replace(move, settings=load({**given, "domains": [domain]}))
    (secure,) = [step.what for step in mine.cut_over(to=10).steps if step.kind == "https"]
    assert secure.endswith("visitors of Fargate sign in before they reach the app")

    def open_it(progress: Progress) -> None:
        if any(line.startswith("50 %: 50") for line in progress.said):
            elbv2 = app.embedded.client("elbv2")
            found = elbv2.describe_listeners(LoadBalancerArn=mine.balancer)["Listeners"]
            elbv2.create_rule(
                ListenerArn=next(each["ListenerArn"] for each in found if each["Port"] == 443),
                Priority=1,
                Conditions=[{"Field": "path-pattern", "Values": ["/"]}],
                Actions=[{"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": "200"}}],
            )

    ended = mine.cut_over(observe=open_it)
    assert (ended.verdict, ended.shares) == ("stepped_back", ((domain, 0),))
    assert "GET / answers 200 without a sign-in" in ended.cause
    elbv2 = app.embedded.client("elbv2")
    for listener in elbv2.describe_listeners(LoadBalancerArn=mine.balancer)["Listeners"]:
        for rule in elbv2.describe_rules(ListenerArn=listener["ListenerArn"])["Rules"]:
            if not rule["IsDefault"]:
                elbv2.delete_rule(RuleArn=rule["RuleArn"])
    there = mine.cut_over()
    assert there.verdict == "cut_over"
    assert f"visitors sign in at {host(app)}" in there.seen
    assert "WebSocket /_stcore/stream not opened: visitors sign in first" in there.seen
    assert zone.ask(domain) == [move.new]
    assert mine.back().shares == ((domain, 0),)


def test_a_plan_that_ends_the_sign_in_says_that_it_opens_the_app(app: SignedIn) -> None:
    off = {"kind": "none"}
    kept = json.loads((app.project.folder / "invoke.yaml").read_text())
    app.project.write("invoke.yaml", json.dumps({"lobster": {**kept["lobster"], "sign_in": off}}))
    assert app.project.inv("plan", "--json").check().json["opens"] == ["listener/lobster-alb:443"]
    assert "lets visitors in without a sign-in" in app.project.inv("plan").check().out
    app.project.write("invoke.yaml", json.dumps(kept))
    assert app.project.inv("plan", "--json").check().json["changes"] == []


def test_a_sign_in_that_somebody_takes_away_is_a_failed_check(app: SignedIn) -> None:
    elbv2, secure = app.embedded.client("elbv2"), listener(app)
    elbv2.modify_listener(ListenerArn=secure["ListenerArn"], DefaultActions=secure["DefaultActions"][1:])
    checks = {each["id"]: each for each in app.project.inv("validate-fargate-setup", "--json").json["checks"]}
    assert checks["load-balancer.sign-in"]["status"] == "fail"
    assert checks["load-balancer.sign-in"]["fix"] == "inv setup-application-load-balancer"
    app.project.inv("setup-application-load-balancer", "--yes").check()
    assert app.project.inv("plan", "--json").check().json["changes"] == []


def test_a_teardown_leaves_the_secret(app: SignedIn, tmp_path: Path) -> None:
    """The last of this module."""
    app.project.inv("teardown", "--yes", "--data").check()
    assert app.embedded.client("elbv2").describe_load_balancers()["LoadBalancers"] == []
    kept = app.embedded.client("secretsmanager").get_secret_value(SecretId="app/sign-in")
    assert kept["SecretString"] == SECRET
