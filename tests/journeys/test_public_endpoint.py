"""The verdict, the status and the doctor ask the listener or rule that leads to our tasks, and no other."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
import requests
from urllib3.exceptions import InsecureRequestWarning

from lobster_tasks.doctor import examine
from lobster_tasks.rollout import status
from tests.embedded.test_conformance_elbv2_tls import make_certificate
from tests.embedded_process import PATIENCE, eventually

from .releasing import Account, said

OTHERS = {"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": "200", "MessageBody": "others"}}
PLAIN = "probe.websocket=false"


def balancer_of(account: Account) -> dict[str, Any]:
    """The load balancer that the stack made."""
    named = [account.settings.load_balancer.name]
    found: dict[str, Any] = account.client("elbv2").describe_load_balancers(Names=named)["LoadBalancers"][0]
    return found


def listener_of(account: Account) -> dict[str, Any]:
    """Its listener."""
    arn = balancer_of(account)["LoadBalancerArn"]
    found: dict[str, Any] = account.client("elbv2").describe_listeners(LoadBalancerArn=arn)["Listeners"][0]
    return found


def visit(url: str, **how: Any) -> requests.Response:
    """The answer of the load balancer once it listens: a verdict without a probe does not wait for that."""

    def answers() -> list[requests.Response]:
        with suppress(requests.exceptions.ConnectionError):
            return [requests.get(url, timeout=PATIENCE, **how)]
        return []

    return eventually(answers)[0]


def test_another_teams_listener_does_not_answer_for_our_app(account: Account) -> None:
    """It is the first one, and answers 200; ours answers 500 on the page and is healthy by its health check."""
    balancer = balancer_of(account)
    account.client("elbv2").create_listener(
        LoadBalancerArn=balancer["LoadBalancerArn"], Protocol="HTTP", Port=79, DefaultActions=[OTHERS]
    )
    group = balancer["SecurityGroups"][0]
    account.client("ec2").authorize_security_group_ingress(
        GroupId=group, IpProtocol="tcp", FromPort=79, ToPort=79, CidrIp="0.0.0.0/0"
    )
    own = account.with_settings(PLAIN, "probe.path=/status?code=500")
    outcome = own.deploy("one")
    assert (outcome.verdict, outcome.cause and outcome.cause.code) == ("failed", "probe-failed"), said(
        outcome
    )
    assert status(own.aws, own.settings).url == outcome.url
    checks = {check.id: check for check in examine(own.aws, own.settings, Path.cwd()).checks}
    assert (checks["answers.page"].status, "500" in checks["answers.page"].saw) == ("fail", True)
    assert "HTTP:80 → " in checks["load-balancer.listener"].saw
    assert "tcp 80 in" in checks["security.visitors"].saw


@pytest.mark.parametrize("path", ["", "/app"])
def test_a_rule_for_a_host_is_asked_by_that_host(account: Account, path: str) -> None:
    """What stands for the listener itself is another team's."""
    elb, listener = account.client("elbv2"), listener_of(account)
    elb.create_rule(
        ListenerArn=listener["ListenerArn"],
        Priority=10,
        Conditions=[
            {"Field": "host-header", "HostHeaderConfig": {"Values": ["app.example.com"]}},
            *([{"Field": "path-pattern", "PathPatternConfig": {"Values": [f"{path}/*"]}}] if path else []),
        ],
        Actions=listener["DefaultActions"],
    )
    elb.modify_listener(
        ListenerArn=listener["ListenerArn"],
        DefaultActions=[{"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": "503"}}],
    )
    outcome = account.with_settings(PLAIN).deploy("one")
    assert outcome.verdict == "live", said(outcome)
    assert outcome.url == "http://app.example.com"
    assert f"GET {path}/ 200" in said(outcome)


def test_an_app_that_no_plain_request_reaches_is_not_asked(account: Account) -> None:
    """A header that only a distribution in front of it sends."""
    elb, listener = account.client("elbv2"), listener_of(account)
    elb.create_rule(
        ListenerArn=listener["ListenerArn"],
        Priority=10,
        Conditions=[
            {"Field": "http-header", "HttpHeaderConfig": {"HttpHeaderName": "X-Key", "Values": ["k"]}}
        ],
        Actions=listener["DefaultActions"],
    )
    elb.modify_listener(ListenerArn=listener["ListenerArn"], DefaultActions=[OTHERS])
    outcome = account.deploy("one")
    assert (outcome.verdict, outcome.probe) == ("live", None)
    assert "the app was not probed: the rule has a condition on http-header" in said(outcome)


@pytest.mark.parametrize(
    ("expression", "answer", "told"),
    [
        ("^/api/v[0-9]+/", "one", "GET / 200"),
        ("^/.*", "others", "not probed: an earlier rule of the listener takes the same requests"),
        (
            "^/([a-z]+)?$",
            "others",
            "not probed: not known: an earlier rule with a regular expression may take",
        ),
    ],
)
def test_a_rule_with_a_regular_expression_comes_first(
    account: Account, expression: str, answer: str, told: str
) -> None:
    """The load balancer carries it out; the verdict says what can be known of it."""
    account.client("elbv2").create_rule(
        ListenerArn=listener_of(account)["ListenerArn"],
        Priority=10,
        Conditions=[{"Field": "path-pattern", "PathPatternConfig": {"RegexValues": [expression]}}],
        Actions=[OTHERS],
    )
    outcome = account.with_settings(PLAIN).deploy("one")
    assert outcome.verdict == "live", said(outcome)
    assert told in said(outcome)
    visitor = visit(f"http://{balancer_of(account)['DNSName']}/")
    assert answer in visitor.text


def test_an_app_behind_a_regular_expression_is_not_asked(account: Account) -> None:
    """Which host names one takes is not known."""
    elb, listener = account.client("elbv2"), listener_of(account)
    elb.create_rule(
        ListenerArn=listener["ListenerArn"],
        Priority=10,
        Conditions=[{"Field": "host-header", "HostHeaderConfig": {"RegexValues": ["^(app|www)[.]example"]}}],
        Actions=listener["DefaultActions"],
    )
    elb.modify_listener(ListenerArn=listener["ListenerArn"], DefaultActions=[OTHERS])
    outcome = account.with_settings(PLAIN).deploy("one")
    assert (outcome.verdict, outcome.probe) == ("live", None)
    assert "the app was not probed: the rule has a condition on host-header" in said(outcome)
    host = {"Host": "www.example.com"}
    visitor = visit(f"http://{balancer_of(account)['DNSName']}/", headers=host)
    assert "one" in visitor.text


def test_an_app_that_asks_for_a_token_is_not_asked(account: Account) -> None:
    """The load balancer refuses whoever has none, and so the verdict rests on the health check."""
    elb, listener = account.client("elbv2"), listener_of(account)
    made = make_certificate("app.example.com")
    imported = account.client("acm").import_certificate(Certificate=made.certificate, PrivateKey=made.key)
    provider = {"JwksEndpoint": "https://idp.example.com/jwks", "Issuer": "https://idp.example.com"}
    balancer = balancer_of(account)
    elb.create_listener(
        LoadBalancerArn=balancer["LoadBalancerArn"],
        Protocol="HTTPS",
        Port=443,
        Certificates=[{"CertificateArn": imported["CertificateArn"]}],
        DefaultActions=[
            {"Type": "jwt-validation", "Order": 1, "JwtValidationConfig": provider},
            {**listener["DefaultActions"][0], "Order": 2},
        ],
    )
    elb.modify_listener(ListenerArn=listener["ListenerArn"], DefaultActions=[OTHERS])
    account.client("ec2").authorize_security_group_ingress(
        GroupId=balancer["SecurityGroups"][0], IpProtocol="tcp", FromPort=443, ToPort=443, CidrIp="0.0.0.0/0"
    )
    outcome = account.with_settings(PLAIN).deploy("one")
    assert (outcome.verdict, outcome.probe) == ("live", None)
    assert "not probed: the rule forwards only requests with a valid token (jwt-validation)" in said(outcome)
    url = f"https://{balancer['DNSName']}/"
    with pytest.warns(InsecureRequestWarning):
        assert visit(url, verify=False).status_code == 401
