"""Which listener rule takes a request, and what it does with it.

Quotes are from the Application Load Balancers user guide unless they name another source.
"""

from __future__ import annotations

from collections import Counter
from http.cookiejar import Cookie
from typing import Any

import pytest
import requests

from tests.embedded.balanced import Balanced
from tests.embedded_process import PATIENCE


def get(balanced: Balanced, path: str = "/", **more: Any) -> requests.Response:
    """GET through the load balancer, without following redirects."""
    return requests.get(balanced.url + path, timeout=PATIENCE, allow_redirects=False, **more)


def fixed(text: str) -> list[dict[str, Any]]:
    """An action that answers with a text."""
    config = {"StatusCode": "200", "ContentType": "text/plain", "MessageBody": text}
    return [{"Type": "fixed-response", "FixedResponseConfig": config}]


def add_rule(balanced: Balanced, priority: int, text: str, *conditions: dict[str, Any]) -> str:
    """A rule that answers with a text; its ARN."""
    made = balanced.elb.create_rule(
        ListenerArn=balanced.listener, Priority=priority, Conditions=list(conditions), Actions=fixed(text)
    )
    return str(made["Rules"][0]["RuleArn"])


def condition(field: str, config: str, **settings: Any) -> dict[str, Any]:
    """A condition."""
    return {"Field": field, config: settings}


def answer_by_default(balanced: Balanced) -> None:
    """Let the default rule answer ``default``."""
    balanced.elb.modify_listener(ListenerArn=balanced.listener, DefaultActions=fixed("default"))
    balanced.await_active()


CASES: dict[str, tuple[dict[str, Any], list[dict[str, Any]], list[dict[str, Any]]]] = {
    "path": (
        condition("path-pattern", "PathPatternConfig", Values=["/img/*.pn?"]),
        [{"path": "/img/a.png"}, {"path": "/img/a/b.png?x=1"}],
        [{"path": "/IMG/a.png"}, {"path": "/img/a.pn"}, {"path": "/a/img/a.png"}],
    ),
    "host": (
        condition("host-header", "HostHeaderConfig", Values=["*.example.com"]),
        [{"headers": {"Host": "a.example.com"}}, {"headers": {"Host": "B.EXAMPLE.com:80"}}],
        [{"headers": {"Host": "example.com"}}, {}],
    ),
    "header": (
        condition("http-header", "HttpHeaderConfig", HttpHeaderName="X-Secret", Values=["abc*", "xyz"]),
        [{"headers": {"x-secret": "abcd"}}, {"headers": {"X-Secret": "XYZ"}}],
        [{"headers": {"X-Secret": "ab"}}, {}],
    ),
    "query": (
        condition("query-string", "QueryStringConfig", Values=[{"Key": "v", "Value": "1*"}, {"Value": "x"}]),
        [{"path": "/?v=12"}, {"path": "/?a=b&c=x"}],
        [{"path": "/?v=2"}, {"path": "/?w=12"}, {}],
    ),
    "path, regular expression": (  # of aws/aws-cli#9792, "We need the match at the beginning of the path."
        condition(
            "path-pattern", "PathPatternConfig", RegexValues=["^/api/", "^/[a-z]{2}(-[A-Z]{2})?/login"]
        ),
        [{"path": "/api/v1?x=1"}, {"path": "/de/login"}, {"path": "/de-AT/login/now"}],
        [{"path": "/API/v1"}, {"path": "/v1/api/"}, {"path": "/deu/login"}, {"path": "/?/api/"}],
    ),
    "host, regular expression": (  # of the guide's example of a transform; its case is that of host names
        condition("host-header", "HostHeaderConfig", RegexValues=["^mywebsite-(.+).com$"]),
        [{"headers": {"Host": "mywebsite-a.com"}}, {"headers": {"Host": "MyWebsite-b.COM"}}],
        [{"headers": {"Host": "mywebsite-.com"}}, {"headers": {"Host": "x.mywebsite-a.com"}}, {}],
    ),
    "host and port": (  # hashicorp/terraform-provider-aws#49147: a port takes a regular expression
        condition("host-header", "HostHeaderConfig", RegexValues=[r"^example\.com:8443$"]),
        [{"headers": {"Host": "example.com:8443"}}],
        [{"headers": {"Host": "example.com"}}, {"headers": {"Host": "example.com:443"}}],
    ),
    "header, regular expression": (  # hashicorp/terraform-provider-aws#44714
        condition(
            "http-header",
            "HttpHeaderConfig",
            HttpHeaderName="cf-connecting-ip",
            RegexValues=["^90.170.150.(?:[0-9]{1,2}|1[0-9]{2}|2[0-4][0-9]|25[0-5])$"],
        ),
        [
            {"headers": {"CF-Connecting-IP": "90.170.150.7"}},
            {"headers": {"CF-Connecting-IP": "90.170.150.255"}},
        ],
        [{"headers": {"CF-Connecting-IP": "90.170.150.256"}}, {}],
    ),
    "source": (condition("source-ip", "SourceIpConfig", Values=["127.0.0.0/8"]), [{}], []),
    "other source": (condition("source-ip", "SourceIpConfig", Values=["203.0.113.0/24"]), [], [{}]),
}


@pytest.mark.parametrize(("test", "matching", "others"), CASES.values(), ids=CASES)
def test_conditions(
    balanced: Balanced, test: dict[str, Any], matching: list[dict[str, Any]], others: list[dict[str, Any]]
) -> None:
    """ "Condition types": host and header names and values, and query strings, whatever their case; paths are
    case-sensitive; ``*`` and ``?`` are wildcards.
    """
    answer_by_default(balanced)
    add_rule(balanced, 1, "rule", test)
    assert [get(balanced, **request).text for request in matching] == ["rule"] * len(matching)
    assert [get(balanced, **request).text for request in others] == ["default"] * len(others)


def test_methods(balanced: Balanced) -> None:
    """http-request-method: exact, in capital letters."""
    answer_by_default(balanced)
    add_rule(
        balanced, 1, "rule", condition("http-request-method", "HttpRequestMethodConfig", Values=["POST"])
    )
    assert get(balanced).text == "default"
    assert requests.post(balanced.url, timeout=PATIENCE).text == "rule"


def test_all_conditions_of_a_rule_must_hold(balanced: Balanced) -> None:
    """ "When the conditions for a rule are met, then its actions are performed." """
    answer_by_default(balanced)
    path = condition("path-pattern", "PathPatternConfig", Values=["/a", "/b"])
    header = condition("http-header", "HttpHeaderConfig", HttpHeaderName="X", Values=["1"])
    add_rule(balanced, 1, "rule", path, header)
    assert get(balanced, "/b", headers={"X": "1"}).text == "rule"
    assert get(balanced, "/b").text == "default"
    assert get(balanced, "/c", headers={"X": "1"}).text == "default"


def test_rules_are_tried_by_priority(balanced: Balanced) -> None:
    """ "Rules are evaluated in priority order, from the lowest value to the highest value. The default rule is
    evaluated last."
    """
    answer_by_default(balanced)
    anything = condition("path-pattern", "PathPatternConfig", Values=["*"])
    late = add_rule(balanced, 20, "late", anything)
    assert get(balanced).text == "late"
    early = add_rule(balanced, 3, "early", anything)
    assert get(balanced).text == "early"
    new = [{"RuleArn": late, "Priority": 3}, {"RuleArn": early, "Priority": 20}]
    balanced.elb.set_rule_priorities(RulePriorities=new)
    assert get(balanced).text == "late"
    balanced.elb.delete_rule(RuleArn=late)
    assert get(balanced).text == "early"
    balanced.elb.modify_rule(RuleArn=early, Actions=fixed("changed"))
    assert get(balanced).text == "changed"


def test_a_rule_forwards_to_its_own_target_group(balanced: Balanced) -> None:
    """Each rule may have its target groups."""
    balanced.add("one")
    other = balanced.make_target_group("other")
    path = condition("path-pattern", "PathPatternConfig", Values=["/two*"])
    actions = [balanced.forward(other)]
    balanced.elb.create_rule(ListenerArn=balanced.listener, Priority=1, Conditions=[path], Actions=actions)
    balanced.add("two", target_group=other)
    assert (get(balanced).text, get(balanced, "/two").text) == ("one", "two")


# Fixed responses and redirects


def test_a_fixed_response(balanced: Balanced) -> None:
    """ "drop client requests and return a custom HTTP response"."""
    config = {"StatusCode": "404", "ContentType": "application/json", "MessageBody": '{"error": 1}'}
    action = {"Type": "fixed-response", "FixedResponseConfig": config}
    balanced.elb.modify_listener(ListenerArn=balanced.listener, DefaultActions=[action])
    balanced.await_active()
    answer = get(balanced)
    assert (answer.status_code, answer.json()) == (404, {"error": 1})
    assert answer.headers["Content-Type"] == "application/json"
    assert answer.headers["Server"] == "awselb/2.0"


def redirect(**settings: str) -> dict[str, Any]:
    """A redirect action."""
    return {"Type": "redirect", "RedirectConfig": {"StatusCode": "HTTP_301", **settings}}


def test_a_redirect_keeps_what_is_not_named(balanced: Balanced) -> None:
    """ "The following URI components are retained": path, query and host by default; the port is written out."""
    action = redirect(Protocol="HTTPS", Port="443")
    balanced.elb.modify_listener(ListenerArn=balanced.listener, DefaultActions=[action])
    balanced.await_active()
    answer = get(balanced, "/a/b?c=d&e=f", headers={"Host": "app.example.com"})
    assert answer.status_code == 301
    assert answer.headers["Location"] == "https://app.example.com:443/a/b?c=d&e=f"
    assert answer.headers["Server"] == "awselb/2.0"


def test_a_redirect_to_another_place(balanced: Balanced) -> None:
    """Reserved keywords may be used in host, path and query."""
    action = redirect(
        Host="www.#{host}", Path="/new/#{path}", Query="from=#{protocol}&#{query}", StatusCode="HTTP_302"
    )
    balanced.elb.modify_listener(ListenerArn=balanced.listener, DefaultActions=[action])
    balanced.await_active()
    answer = get(balanced, "/old?a=b", headers={"Host": "example.com"})
    assert answer.status_code == 302
    assert answer.headers["Location"] == "http://www.example.com:80/new/old?from=http&a=b"


def test_a_redirect_by_the_dns_name_stays_on_its_port(balanced: Balanced) -> None:
    """The one liberty: a load balancer has one port here, for all its listeners, and its DNS name carries it."""
    balanced.elb.modify_listener(
        ListenerArn=balanced.listener, DefaultActions=[redirect(Protocol="HTTPS", Port="443")]
    )
    balanced.await_active()
    assert get(balanced, "/a?b").headers["Location"] == f"https://{balanced.host}/a?b"


# Weights and stickiness


def two_groups(balanced: Balanced, *weights: int, **config: Any) -> None:
    """Two target groups with a site each, ``one`` and ``two``, behind the default rule."""
    other = balanced.make_target_group("other")
    action = balanced.forward(balanced.target_group, other, weights=weights, **config)
    balanced.elb.modify_listener(ListenerArn=balanced.listener, DefaultActions=[action])
    balanced.add("one")
    balanced.add("two", target_group=other)


def test_weights(balanced: Balanced) -> None:
    """ "if you have two target groups, each with a weight of 10, each target group receives half the requests"."""
    two_groups(balanced, 90, 10)
    got = Counter(get(balanced).text for _ in range(200))
    assert got["two"] in range(5, 45)


def test_a_weight_of_zero_gets_nothing(balanced: Balanced) -> None:
    """TargetGroupTuple.Weight: "The range is 0 to 999."; 0 means no request."""
    two_groups(balanced, 0, 1)
    assert Counter(get(balanced).text for _ in range(20)) == {"two": 20}


def test_an_empty_group_is_no_reason_to_ask_the_other(balanced: Balanced) -> None:
    """ "the load balancer does not automatically fail over requests to another target group"."""
    two_groups(balanced, 1, 1)
    balanced.deregister(balanced.addresses["one"])
    got = Counter(get(balanced).status_code for _ in range(60))
    assert set(got) == {200, 503}


def cookies(answer: requests.Response) -> dict[str, Cookie]:
    """The cookies of an answer, by name."""
    return {cookie.name: cookie for cookie in answer.cookies}


def test_a_sticky_client_stays(balanced: Balanced) -> None:
    """ "the load balancer detects it and routes the request to the same target"."""
    for name in ("one", "two"):
        balanced.add(name)
    balanced.set_group(stickiness__enabled="true")
    with requests.Session() as session:
        assert len({session.get(balanced.url, timeout=PATIENCE).text for _ in range(10)}) == 1
    assert {get(balanced).text for _ in range(4)} == {"one", "two"}


def test_the_stickiness_cookies(balanced: Balanced) -> None:
    """AWSALB, and AWSALBCORS "plus the SameSite attribute"; "Application Load Balancers use the Expires attribute
    in the cookie header instead of the Max-Age attribute".
    """
    balanced.add("one")
    balanced.set_group(stickiness__enabled="true", stickiness__lb_cookie__duration_seconds=3600)
    answer = get(balanced)
    header = answer.headers["Set-Cookie"]
    assert "Max-Age" not in header
    assert header.count("Expires=") == 2
    assert header.count("SameSite=None") == 1
    found = cookies(answer)
    assert set(found) == {"AWSALB", "AWSALBCORS"}
    assert found["AWSALB"].value == found["AWSALBCORS"].value
    assert found["AWSALB"].path == "/"


def test_a_forged_cookie_is_replaced(balanced: Balanced) -> None:
    """ "If the cookie is present but cannot be decoded, ... the load balancer selects a new target and updates the
    cookie".
    """
    balanced.add("one")
    balanced.set_group(stickiness__enabled="true")
    answer = get(balanced, cookies={"AWSALB": "forged"})
    assert (answer.text, set(cookies(answer))) == ("one", {"AWSALB", "AWSALBCORS"})


def test_a_sticky_client_leaves_an_unhealthy_target(balanced: Balanced) -> None:
    """ "or if it refers to a target that was deregistered or is unhealthy"."""
    sites = {name: balanced.add(name) for name in ("one", "two")}
    balanced.set_group(stickiness__enabled="true")
    with requests.Session() as session:
        first = session.get(balanced.url, timeout=PATIENCE).text
        sites[first].health = 500
        balanced.await_state(balanced.addresses[first], "unhealthy")
        assert session.get(balanced.url, timeout=PATIENCE).text == ({"one", "two"} - {first}).pop()


def test_without_stickiness_there_are_no_cookies(balanced: Balanced) -> None:
    """stickiness.enabled is false by default."""
    balanced.add("one")
    assert "Set-Cookie" not in get(balanced).headers


def test_stickiness_to_a_target_group(balanced: Balanced) -> None:
    """ "the load balancer generates a cookie named AWSALBTG that encodes information about the selected target
    group"."""
    two_groups(balanced, 1, 1, TargetGroupStickinessConfig={"Enabled": True, "DurationSeconds": 3600})
    with requests.Session() as session:
        first = session.get(balanced.url, timeout=PATIENCE)
        assert set(cookies(first)) == {"AWSALBTG", "AWSALBTGCORS"}
        assert {session.get(balanced.url, timeout=PATIENCE).text for _ in range(12)} == {first.text}
    assert {get(balanced).text for _ in range(40)} == {"one", "two"}


def test_stickiness_by_the_applications_cookie(balanced: Balanced) -> None:
    """ "When the Application Load Balancer receives the custom application cookie from the target, it automatically
    generates a new encrypted application cookie".
    """
    for name in ("one", "two"):
        balanced.add(name)
    balanced.set_group(
        stickiness__enabled="true",
        stickiness__type="app_cookie",
        stickiness__app_cookie__cookie_name="session",
    )
    with requests.Session() as session:
        assert "Set-Cookie" not in session.get(balanced.url, timeout=PATIENCE).headers
        first = session.get(f"{balanced.url}/cookie", timeout=PATIENCE)
        assert set(cookies(first)) == {"session", "AWSALBAPP-0"}
        assert {session.get(balanced.url, timeout=PATIENCE).text for _ in range(10)} == {first.text}
