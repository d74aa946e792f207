"""Finding the rule that forwards to a target group, and the requests that it takes."""

from __future__ import annotations

from typing import Any

import pytest

from lobster_tasks.forwarding import ForwardingRule, best_forwarding_rule, forwarding, leading, unguarded
from lobster_tasks.probe import PublicEndpoint

OURS, THEIRS = "arn:ours", "arn:theirs"


def forward(*groups: str, weight: int = 1) -> list[dict[str, Any]]:
    """A forward action."""
    named = [{"TargetGroupArn": group, "Weight": weight} for group in groups]
    return [{"Type": "forward", "ForwardConfig": {"TargetGroups": named}}]


FIXED = [{"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": "200"}}]
REDIRECT = [
    {"Type": "redirect", "RedirectConfig": {"Port": "443", "Protocol": "HTTPS", "StatusCode": "HTTP_301"}}
]


def listener(
    port: int, default: list[dict[str, Any]], *rules: dict[str, Any], protocol: str = "HTTP"
) -> dict[str, Any]:
    """A listener; its default rule is also among the rules, as in DescribeRules."""
    every = [*rules, {"Priority": "default", "IsDefault": True, "Actions": default}]
    return {"Protocol": protocol, "Port": port, "DefaultActions": default, "Rules": every}


def rule(priority: int, actions: list[dict[str, Any]], **conditions: list[str]) -> dict[str, Any]:
    """A rule, with its conditions by field."""
    fields = {"host": ("host-header", "HostHeaderConfig"), "path": ("path-pattern", "PathPatternConfig")}
    made = [{"Field": fields[on][0], fields[on][1]: {"Values": values}} for on, values in conditions.items()]
    return {"Priority": str(priority), "Conditions": made, "Actions": actions}


def condition(field: str, config: str, **members: Any) -> dict[str, Any]:
    """A rule for our target group with another kind of condition."""
    return {"Priority": "1", "Conditions": [{"Field": field, config: members}], "Actions": forward(OURS)}


def matching(priority: int, actions: list[dict[str, Any]], **conditions: list[str]) -> dict[str, Any]:
    """A rule that compares with regular expressions (HostHeaderConditionConfig and PathPatternConditionConfig,
    RegexValues)."""
    made = rule(priority, actions, **conditions)
    for each in made["Conditions"]:
        config = each["HostHeaderConfig" if each["Field"] == "host-header" else "PathPatternConfig"]
        config["RegexValues"] = config.pop("Values")
    return made


def shared(weights: dict[str, int]) -> list[dict[str, Any]]:
    """A forward action to several target groups."""
    named = [{"TargetGroupArn": group, "Weight": weight} for group, weight in weights.items()]
    return [{"Type": "forward", "ForwardConfig": {"TargetGroups": named}}]


# "If the token is valid, the load balancer forwards the request … Otherwise, it rejects the request."
# Application Load Balancers guide, "Verify JWTs using an Application Load Balancer".
JWT = {
    "Type": "jwt-validation",
    "Order": 1,
    "JwtValidationConfig": {
        "JwksEndpoint": "https://id.example.com/keys",
        "Issuer": "https://id.example.com",
    },
}
TLS = {"protocol": "HTTPS"}
OTHERS_TLS = listener(443, FIXED, **TLS)


@pytest.mark.parametrize(
    ("listeners", "found"),
    [
        pytest.param([listener(80, forward(OURS))], ForwardingRule("HTTP", 80), id="the only one"),
        pytest.param(
            [OTHERS_TLS, listener(80, forward(OURS))], ForwardingRule("HTTP", 80), id="another app's HTTPS"
        ),
        pytest.param(
            [listener(80, forward(THEIRS)), listener(8080, forward(OURS))],
            ForwardingRule("HTTP", 8080),
            id="not the first",
        ),
        pytest.param(
            [listener(80, REDIRECT), listener(443, forward(OURS), **TLS)],
            ForwardingRule("HTTPS", 443),
            id="a redirect",
        ),
        pytest.param(
            [listener(80, forward(OURS)), listener(443, forward(OURS), **TLS)],
            ForwardingRule("HTTPS", 443),
            id="HTTPS before HTTP",
        ),
        pytest.param(
            [listener(80, [{"Type": "forward", "TargetGroupArn": OURS}])],
            ForwardingRule("HTTP", 80),
            id="short",
        ),
        pytest.param([listener(80, forward(OURS, weight=0))], None, id="no weight"),
        pytest.param([listener(80, forward(THEIRS)), OTHERS_TLS], None, id="none"),
        pytest.param([], None, id="no listeners"),
        pytest.param(
            [listener(443, FIXED, rule(5, forward(OURS), host=["app.example.com"]), **TLS)],
            ForwardingRule("HTTPS", 443, "app.example.com"),
            id="by host",
        ),
        pytest.param(
            [listener(80, FIXED, rule(5, forward(OURS), host=["*.example.com", "app.example.com"]))],
            ForwardingRule("HTTP", 80, "app.example.com"),
            id="a name before a pattern",
        ),
        pytest.param(
            [listener(80, FIXED, rule(5, forward(OURS), host=["*.example.com"]))],
            ForwardingRule("HTTP", 80, "www.example.com"),
            id="a pattern of names",
        ),
        pytest.param(
            [listener(80, FIXED, rule(5, forward(OURS), path=["/app/*"]))],
            ForwardingRule("HTTP", 80, paths=("/app/*",)),
            id="by path",
        ),
        pytest.param(
            [listener(80, forward(OURS), rule(5, FIXED, path=["/*"]))],
            ForwardingRule("HTTP", 80, wants=("priority",)),
            id="another rule takes everything before",
        ),
        pytest.param(
            [
                listener(
                    80, forward(OURS), rule(5, FIXED, path=["/other/*"]), rule(6, FIXED, host=["o.example"])
                )
            ],
            ForwardingRule("HTTP", 80),
            id="others' rules beside it",
        ),
        pytest.param(
            [listener(80, FIXED, rule(5, forward(OURS), path=["/app/*"]), rule(9, FIXED, path=["/*"]))],
            ForwardingRule("HTTP", 80, paths=("/app/*",)),
            id="a later rule does not count",
        ),
        pytest.param(
            [
                listener(
                    80,
                    FIXED,
                    rule(9, FIXED, host=["APP.example.com"]),
                    rule(10, forward(OURS), host=["app.example.com"]),
                )
            ],
            ForwardingRule("HTTP", 80, "app.example.com", wants=("priority",)),
            id="priorities are numbers, and names have no case",
        ),
        pytest.param(
            [
                listener(
                    80, FIXED, condition("http-header", "HttpHeaderConfig", HttpHeaderName="X", Values=["s"])
                )
            ],
            ForwardingRule("HTTP", 80, wants=("http-header",)),
            id="a header",
        ),
        pytest.param(
            [
                listener(80, FIXED, condition("source-ip", "SourceIpConfig", Values=["10.0.0.0/8"])),
                listener(81, forward(OURS)),
            ],
            ForwardingRule("HTTP", 81),
            id="an open one before one with conditions",
        ),
        pytest.param(
            [
                listener(
                    80,
                    FIXED,
                    condition("http-request-method", "HttpRequestMethodConfig", Values=["GET", "POST"]),
                )
            ],
            ForwardingRule("HTTP", 80),
            id="GET among the methods",
        ),
        pytest.param(
            [listener(80, forward(OURS), matching(5, FIXED, path=["^/api/.*$"]))],
            ForwardingRule("HTTP", 80),
            id="another app's paths, as a regular expression",
        ),
        pytest.param(  # aws-cdk 36363, aws-cli 9792
            [
                listener(
                    80, forward(OURS), matching(5, FIXED, path=["^/api/?.*$", "^/i/[a-z]{2}(-[A-Z]{2})?/"])
                )
            ],
            ForwardingRule("HTTP", 80),
            id="others' paths begin otherwise",
        ),
        pytest.param(
            [listener(80, forward(OURS), matching(5, FIXED, path=["^/api|/"]))],
            ForwardingRule("HTTP", 80, wants=("regular-expression",)),
            id="or otherwise",
        ),
        pytest.param(
            [listener(80, forward(OURS), matching(5, FIXED, path=["^/a?"]))],
            ForwardingRule("HTTP", 80, wants=("regular-expression",)),
            id="the letter before a question mark may be absent",
        ),
        pytest.param(
            [listener(80, forward(OURS), matching(5, FIXED, host=[r"^api\.example\.com$"]))],
            ForwardingRule("HTTP", 80),
            id="another app's host, as a regular expression",
        ),
        pytest.param(
            [listener(80, forward(OURS), matching(5, FIXED, path=["^/.*$"]))],
            ForwardingRule("HTTP", 80, wants=("priority",)),
            id="a regular expression that takes every path before",
        ),
        pytest.param(
            [listener(80, forward(OURS), matching(5, FIXED, path=["^/(?!app).*"]))],
            ForwardingRule("HTTP", 80, wants=("regular-expression",)),
            id="a regular expression that nobody here can match",
        ),
        pytest.param(
            [listener(80, forward(OURS), matching(5, FIXED, path=["/"]))],
            ForwardingRule("HTTP", 80, wants=("priority",)),
            id="a regular expression that is the path",
        ),
        pytest.param(
            [listener(80, forward(OURS), matching(5, FIXED, path=["^/(a|b)"]), rule(6, FIXED, path=["/*"]))],
            ForwardingRule("HTTP", 80, wants=("priority",)),
            id="what surely takes them before what may",
        ),
        pytest.param(
            [
                listener(
                    80,
                    FIXED,
                    matching(5, FIXED, host=["^api"]),
                    rule(6, forward(OURS), host=["api-app.example.com"]),
                )
            ],
            ForwardingRule("HTTP", 80, "api-app.example.com", wants=("regular-expression",)),
            id="whether the whole host has to match is not known",
        ),
        pytest.param(
            [listener(80, FIXED, matching(5, forward(OURS), host=["^app[.]example[.]com$"]))],
            ForwardingRule("HTTP", 80, wants=("host-header",)),
            id="our own host as a regular expression",
        ),
        pytest.param(
            [listener(80, FIXED, matching(5, forward(OURS), path=["^/app/.*"])), listener(81, forward(OURS))],
            ForwardingRule("HTTP", 81),
            id="an open one before our own path as a regular expression",
        ),
        pytest.param(
            [listener(80, shared({THEIRS: 99, OURS: 1}))],
            ForwardingRule("HTTP", 80, wants=("weight",)),
            id="most requests go to others",
        ),
        pytest.param(
            [listener(80, shared({THEIRS: 0, OURS: 1}))],
            ForwardingRule("HTTP", 80),
            id="none goes to others",
        ),
        pytest.param(
            [listener(443, [JWT, *forward(OURS)], **TLS)],
            ForwardingRule("HTTPS", 443, wants=("jwt-validation",)),
            id="only with a token",
        ),
        pytest.param(
            [listener(443, [JWT, *forward(OURS)], **TLS), listener(80, forward(OURS))],
            ForwardingRule("HTTP", 80),
            id="an open one before one with a token",
        ),
        pytest.param(
            [listener(443, forward(OURS), rule(5, [JWT, *forward(THEIRS)], path=["/*"]), **TLS)],
            ForwardingRule("HTTPS", 443, wants=("priority",)),
            id="refused by a rule before, without a token",
        ),
    ],
)
def test_the_way_to_a_target_group(listeners: list[dict[str, Any]], found: ForwardingRule | None) -> None:
    assert best_forwarding_rule(listeners, OURS) == found


def asks(type: str, **config: str) -> dict[str, Any]:
    """An authentication action."""
    member = {
        "authenticate-oidc": "AuthenticateOidcConfig",
        "authenticate-cognito": "AuthenticateCognitoConfig",
    }
    return {"Type": type, "Order": 1, member[type]: config}


POOL = {"UserPoolArn": "arn:aws:cognito-idp:eu-west-1:123456789012:userpool/eu-west-1_a"}


@pytest.mark.parametrize(
    ("action", "url"),
    [
        (
            asks("authenticate-oidc", AuthorizationEndpoint="https://login.example.com/a?b=c"),
            "https://login.example.com/a?b=c",
        ),
        (
            asks("authenticate-cognito", **POOL, UserPoolDomain="app"),
            "https://app.auth.eu-west-1.amazoncognito.com/oauth2/authorize",
        ),
        (
            asks("authenticate-cognito", **POOL, UserPoolDomain="auth.example.com"),
            "https://auth.example.com/oauth2/authorize",
        ),
        (
            asks(
                "authenticate-oidc", AuthorizationEndpoint="https://x.org", OnUnauthenticatedRequest="allow"
            ),
            "",
        ),
    ],
)
def test_where_visitors_sign_in(action: dict[str, Any], url: str) -> None:
    secure = listener(443, [action, *forward(OURS)], **TLS)
    found = best_forwarding_rule([secure], OURS)
    assert found == ForwardingRule("HTTPS", 443, sign_in=url)
    plain = listener(80, forward(OURS))
    assert unguarded([secure, plain, listener(81, forward(THEIRS))], OURS) == (
        [plain] if url else [secure, plain]
    )


def test_a_token_guards_the_way_in_as_a_sign_in_does() -> None:
    assert unguarded([listener(443, [JWT, *forward(OURS)], **TLS)], OURS) == []


def test_a_sign_in_that_sends_nobody_away_to_sign_in_refuses_them() -> None:
    """AuthenticateOidcActionConfig, OnUnauthenticatedRequest: "deny - Return an HTTP 401 Unauthorized error." """
    denies = asks("authenticate-oidc", AuthorizationEndpoint="https://x.org", OnUnauthenticatedRequest="deny")
    secure = listener(443, [denies, *forward(OURS)], **TLS)
    assert best_forwarding_rule([secure], OURS) == ForwardingRule("HTTPS", 443, wants=("sign-in",))
    assert unguarded([secure], OURS) == []


@pytest.mark.parametrize(
    ("wants", "says"),
    [
        (("priority",), "an earlier rule of the listener takes the same requests"),
        (("regular-expression",), "an earlier rule with a regular expression may take the same requests"),
        (("weight",), "the rule forwards requests to other target groups too"),
        (("jwt-validation",), "the rule forwards only requests with a valid token (jwt-validation)"),
        (("sign-in",), "the rule refuses visitors who have not signed in (OnUnauthenticatedRequest: deny)"),
        (("http-header", "source-ip"), "the rule has a condition on http-header, source-ip"),
        ((), ""),
    ],
)
def test_why_the_app_is_not_asked(wants: tuple[str, ...], says: str) -> None:
    endpoint = PublicEndpoint("http://lb.example.com", rule=ForwardingRule("HTTP", 80, wants=wants))
    assert says in endpoint.wants
    assert bool(endpoint.wants) is bool(says)


@pytest.mark.parametrize(
    ("patterns", "asked"),
    [
        ((), "/"),
        (("/*",), "/"),
        (("/app/*",), "/app/"),
        (("/app*",), "/app/"),
        (("/app",), "/app"),
        (("/a", "/app/*"), "/app/"),
    ],
)
def test_the_path_that_a_rule_takes(patterns: tuple[str, ...], asked: str) -> None:
    assert ForwardingRule("HTTP", 80, paths=patterns).path("/") == asked


def test_a_path_that_is_below_it_already() -> None:
    way = ForwardingRule("HTTP", 80, paths=("/app/*",))
    assert way.path("/app/_stcore/stream") == "/app/_stcore/stream"
    assert way.path("/_stcore/stream") == "/app/_stcore/stream"


def test_a_redirect_to_our_listener_leads_to_it_too() -> None:
    plain, ours = listener(80, REDIRECT), listener(443, forward(OURS), **TLS)
    others = listener(8443, forward(THEIRS), **TLS)
    assert forwarding([plain, ours, others], OURS) == [ours]
    assert leading([plain, ours, others], OURS) == [plain, ours]
