"""Listeners and rules in the API.

Quotes are from the Elastic Load Balancing API reference (2015-12-01) unless they name another source.
"""

from __future__ import annotations

from typing import Any

import pytest
import requests
from botocore.exceptions import ClientError

from tests.embedded.balanced import Balanced
from tests.embedded_process import PATIENCE


def error_of(call: Any, **given: Any) -> tuple[str, str]:
    """The code and message of a refusal."""
    with pytest.raises(ClientError) as refused:
        call(**given)
    error = refused.value.response["Error"]
    assert refused.value.response["ResponseMetadata"]["HTTPStatusCode"] == 400
    return error["Code"], error["Message"]


def to(balanced: Balanced) -> dict[str, Any]:
    """The short way to write a forward action."""
    return {"Type": "forward", "TargetGroupArn": balanced.target_group}


def fixed(**settings: str) -> dict[str, Any]:
    """A fixed-response action."""
    return {"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": "404"} | settings}


def redirect(**settings: str) -> dict[str, Any]:
    """A redirect action."""
    return {"Type": "redirect", "RedirectConfig": {"StatusCode": "HTTP_301"} | settings}


PATH = {"Field": "path-pattern", "Values": ["/a*"]}


def make_rule(balanced: Balanced, **settings: Any) -> Any:
    """CreateRule."""
    given = {
        "ListenerArn": balanced.listener,
        "Priority": 10,
        "Conditions": [PATH],
        "Actions": [to(balanced)],
    } | settings
    return balanced.elb.create_rule(**given)["Rules"][0]


# Listeners


def test_what_a_listener_looks_like(balanced: Balanced) -> None:
    """DescribeListeners: an action names its target group in both ways, with weight 1, and has no stickiness."""
    (found,) = balanced.elb.describe_listeners(LoadBalancerArn=balanced.arn)["Listeners"]
    assert found == {
        "ListenerArn": balanced.listener,
        "LoadBalancerArn": balanced.arn,
        "Port": 80,
        "Protocol": "HTTP",
        "DefaultActions": [
            {
                "Type": "forward",
                "TargetGroupArn": balanced.target_group,
                "ForwardConfig": {
                    "TargetGroups": [{"TargetGroupArn": balanced.target_group, "Weight": 1}],
                    "TargetGroupStickinessConfig": {"Enabled": False},
                },
            }
        ],
    }
    start, _, digits = balanced.listener.rpartition("/")
    assert (start, len(digits)) == (balanced.arn.replace(":loadbalancer/", ":listener/"), 16)


def test_the_same_again_is_the_same_one(balanced: Balanced) -> None:
    """ "If you attempt to create multiple listeners with the same settings, each call succeeds." Both ways to write
    the action are the same.
    """
    assert balanced.listen(80, to(balanced)) == balanced.listener
    assert balanced.listen(80, balanced.forward(balanced.target_group)) == balanced.listener
    assert len(balanced.elb.describe_listeners(LoadBalancerArn=balanced.arn)["Listeners"]) == 1


def test_the_same_port_with_other_settings(balanced: Balanced) -> None:
    """DuplicateListener: "A listener with the specified port already exists." """
    problem = (
        "DuplicateListener",
        f"A listener already exists on this port for this load balancer '{balanced.arn}'",
    )
    assert error_of(lambda: balanced.listen(80, fixed())) == problem
    other = balanced.listen(8080, fixed())
    assert error_of(balanced.elb.modify_listener, ListenerArn=other, Port=80) == problem


@pytest.mark.parametrize(
    ("settings", "text"),
    [
        ({"Port": 65536}, "65535"),
        ({"Protocol": "TCP"}, "Listener protocol 'TCP' must be one of 'HTTP, HTTPS'"),
        ({"Protocol": "http"}, "Member must satisfy enum value set"),
        ({"Certificates": [{"CertificateArn": "arn:aws:acm:us-east-2:1:certificate/1"}]}, "Certificates"),
        ({"SslPolicy": "ELBSecurityPolicy-2016-08"}, "SSL policy"),
    ],
    ids=str,
)
def test_listener_settings_are_checked(balanced: Balanced, settings: dict[str, Any], text: str) -> None:
    """CreateListener: "For Application Load Balancers, the supported protocols are HTTP and HTTPS." """
    given = {"LoadBalancerArn": balanced.arn, "Protocol": "HTTP", "Port": 81, "DefaultActions": [fixed()]}
    code, message = error_of(balanced.elb.create_listener, **(given | settings))
    assert code == "ValidationError"
    assert text in message


@pytest.mark.parametrize("missing", ["Protocol", "Port"])
def test_port_and_protocol_are_needed(balanced: Balanced, missing: str) -> None:
    """ValidationError."""
    given = {"LoadBalancerArn": balanced.arn, "Protocol": "HTTP", "Port": 81, "DefaultActions": [fixed()]}
    del given[missing]
    code, message = error_of(balanced.elb.create_listener, **given)
    assert (code, message) == ("ValidationError", f"A listener {missing.lower()} must be specified")


def test_what_is_not_there(balanced: Balanced) -> None:
    """LoadBalancerNotFound, ListenerNotFound, RuleNotFound."""
    elb, no = balanced.elb, f"{balanced.listener}0"
    balancer = f"{balanced.arn}0"
    settings = {"Protocol": "HTTP", "Port": 80, "DefaultActions": [fixed()]}
    assert error_of(elb.create_listener, LoadBalancerArn=balancer, **settings)[0] == "LoadBalancerNotFound"
    assert error_of(elb.describe_listeners, LoadBalancerArn=balancer)[0] == "LoadBalancerNotFound"
    assert error_of(elb.describe_listeners, ListenerArns=[no])[0] == "ListenerNotFound"
    assert error_of(elb.modify_listener, ListenerArn=no, Port=1)[0] == "ListenerNotFound"
    assert error_of(elb.delete_listener, ListenerArn=no)[0] == "ListenerNotFound"
    assert error_of(elb.describe_rules, ListenerArn=no)[0] == "ListenerNotFound"
    assert error_of(lambda: make_rule(balanced, ListenerArn=no))[0] == "ListenerNotFound"
    rule = make_rule(balanced)["RuleArn"] + "0"
    assert error_of(elb.describe_rules, RuleArns=[rule])[0] == "RuleNotFound"
    assert error_of(elb.modify_rule, RuleArn=rule, Conditions=[PATH])[0] == "RuleNotFound"
    assert error_of(elb.delete_rule, RuleArn=rule)[0] == "RuleNotFound"
    priorities = [{"RuleArn": rule, "Priority": 1}]
    assert error_of(elb.set_rule_priorities, RulePriorities=priorities)[0] == "RuleNotFound"


def test_a_listener_may_change(balanced: Balanced) -> None:
    """ModifyListener: "Any properties that you do not specify remain unchanged." """
    changed = balanced.elb.modify_listener(ListenerArn=balanced.listener, Port=8080)["Listeners"][0]
    assert (changed["Port"], changed["Protocol"]) == (8080, "HTTP")
    assert changed["DefaultActions"][0]["TargetGroupArn"] == balanced.target_group
    changed = balanced.elb.modify_listener(ListenerArn=balanced.listener, DefaultActions=[fixed()])[
        "Listeners"
    ][0]
    assert (changed["Port"], changed["DefaultActions"]) == (8080, [fixed()])
    (default,) = balanced.elb.describe_rules(ListenerArn=balanced.listener)["Rules"]
    assert default["Actions"] == [fixed()]


def test_a_target_group_has_one_load_balancer(balanced: Balanced) -> None:
    """TargetGroupAssociationLimit: "You've reached the limit on the number of load balancers per target group." """
    other = balanced.make_balancer("other")
    settings = {"LoadBalancerArn": other["LoadBalancerArn"], "Protocol": "HTTP", "Port": 80}
    assert error_of(balanced.elb.create_listener, DefaultActions=[to(balanced)], **settings) == (
        "TargetGroupAssociationLimit",
        "The following target groups cannot be associated with more than one load balancer: "
        + balanced.target_group,
    )
    balanced.elb.delete_listener(ListenerArn=balanced.listener)
    balanced.elb.create_listener(DefaultActions=[to(balanced)], **settings)


def test_listener_attributes(balanced: Balanced) -> None:
    """routing.http.response.server.enabled: "allow or remove the HTTP response server header" (ListenerAttribute)."""
    key = "routing.http.response.server.enabled"
    found = balanced.elb.describe_listener_attributes(ListenerArn=balanced.listener)["Attributes"]
    assert found == [{"Key": key, "Value": "true"}]
    balanced.await_active()
    assert requests.get(balanced.url, timeout=PATIENCE).headers["Server"] == "awselb/2.0"
    attributes = [{"Key": key, "Value": "false"}]
    balanced.elb.modify_listener_attributes(ListenerArn=balanced.listener, Attributes=attributes)
    assert "Server" not in requests.get(balanced.url, timeout=PATIENCE).headers
    nonsense = [{"Key": "nonsense", "Value": "1"}]
    call = balanced.elb.modify_listener_attributes
    assert error_of(call, ListenerArn=balanced.listener, Attributes=nonsense)[0] == "ValidationError"


# Actions


def test_a_redirect_is_given_back_whole(balanced: Balanced) -> None:
    """RedirectActionConfig: the parts that were left out have their keywords."""
    arn = balanced.listen(81, redirect(Protocol="HTTPS", Port="443"))
    (found,) = balanced.elb.describe_listeners(ListenerArns=[arn])["Listeners"]
    assert found["DefaultActions"] == [
        redirect(Protocol="HTTPS", Port="443", Host="#{host}", Path="/#{path}", Query="#{query}")
    ]
    assert balanced.listen(81, redirect(Protocol="HTTPS", Port="443")) == arn


BAD_ACTIONS: dict[str, tuple[dict[str, Any], str, str]] = {
    "loop": (redirect(), "InvalidLoadBalancerAction", "loop"),
    "redirect code": (redirect(StatusCode="HTTP_307", Port="1"), "ValidationError", "[HTTP_301, HTTP_302]"),
    "redirect protocol": (redirect(Protocol="FTP"), "ValidationError", r"^(HTTPS?|#\{protocol\})$"),
    "fixed code": (fixed(StatusCode="301"), "ValidationError", r"^(2|4|5)\d\d$"),
    "fixed type": (fixed(ContentType="image/png"), "InvalidLoadBalancerAction", "ContentType"),
    "fixed body": (fixed(MessageBody="x" * 1025), "ValidationError", "1024"),
    "unknown type": ({"Type": "nonsense"}, "ValidationError", "Member must satisfy enum value set"),
    "not the last": ({"Type": "jwt-validation"}, "InvalidLoadBalancerAction", "last action"),
}


@pytest.mark.parametrize(("action", "code", "text"), BAD_ACTIONS.values(), ids=BAD_ACTIONS)
def test_actions_are_checked(balanced: Balanced, action: dict[str, Any], code: str, text: str) -> None:
    """Action, RedirectActionConfig, FixedResponseActionConfig; in listeners and in rules."""
    for call in (
        lambda: balanced.listen(81, action),
        lambda: make_rule(balanced, Actions=[action]),
        lambda: balanced.elb.modify_listener(ListenerArn=balanced.listener, DefaultActions=[action]),
    ):
        found, message = error_of(call)
        assert found == code
        assert text in message


def test_forward_actions_are_checked(balanced: Balanced) -> None:
    """TargetGroupTuple: "The range is 0 to 999."; TargetGroupNotFound; five groups at most."""
    arn = balanced.target_group
    assert (
        error_of(lambda: balanced.listen(81, balanced.forward(arn, weights=(1000,))))[0] == "ValidationError"
    )
    assert error_of(lambda: balanced.listen(81, balanced.forward(f"{arn}0"))) == (
        "TargetGroupNotFound",
        f"Target group '{arn}0' not found",
    )
    sticky = {"TargetGroupStickinessConfig": {"Enabled": True}}
    assert error_of(lambda: balanced.listen(81, balanced.forward(arn, **sticky)))[0] == "ValidationError"
    many = [balanced.make_target_group(f"g{number}") for number in range(6)]
    assert error_of(lambda: balanced.listen(81, balanced.forward(*many)))[0] == "TooManyTargetGroups"


# Rules


def test_what_rules_look_like(balanced: Balanced) -> None:
    """DescribeRules: host and path conditions have their values in two places; the default rule is the last."""
    made = make_rule(balanced)
    assert made["RuleArn"].startswith(balanced.listener.replace(":listener/", ":listener-rule/") + "/")
    assert (made["Priority"], made["IsDefault"]) == ("10", False)
    assert made["Conditions"] == [
        {"Field": "path-pattern", "Values": ["/a*"], "PathPatternConfig": {"Values": ["/a*"]}}
    ]
    early = make_rule(balanced, Priority=9)
    found = balanced.elb.describe_rules(ListenerArn=balanced.listener)["Rules"]
    assert [one["Priority"] for one in found] == ["9", "10", "default"]
    assert [one["IsDefault"] for one in found] == [False, False, True]
    assert balanced.elb.describe_rules(RuleArns=[early["RuleArn"]])["Rules"] == [early]


def test_a_priority_is_used_once(balanced: Balanced) -> None:
    """PriorityInUse: "The specified priority is in use." """
    make_rule(balanced)
    assert error_of(lambda: make_rule(balanced)) == ("PriorityInUse", "Priority '10' is currently in use")


def test_priorities_may_be_exchanged(balanced: Balanced) -> None:
    """SetRulePriorities: "You can reorder the rules as long as there are no priority conflicts in the new order." """
    first, second = (make_rule(balanced, Priority=number)["RuleArn"] for number in (1, 2))
    swapped = [{"RuleArn": first, "Priority": 2}, {"RuleArn": second, "Priority": 1}]
    balanced.elb.set_rule_priorities(RulePriorities=swapped)
    found = balanced.elb.describe_rules(ListenerArn=balanced.listener)["Rules"]
    assert [one["RuleArn"] for one in found[:2]] == [second, first]
    clash = [{"RuleArn": first, "Priority": 1}]
    assert error_of(balanced.elb.set_rule_priorities, RulePriorities=clash)[0] == "PriorityInUse"


def test_the_range_of_priorities(balanced: Balanced) -> None:
    """Priority: "Valid Range: Minimum value of 1. Maximum value of 50000." """
    make_rule(balanced, Priority=50000)
    assert error_of(lambda: make_rule(balanced, Priority=50001))[0] == "ValidationError"


def test_the_default_rule_stays(balanced: Balanced) -> None:
    """DeleteRule: "You can't delete the default rule." """
    (default,) = balanced.elb.describe_rules(ListenerArn=balanced.listener)["Rules"]
    assert error_of(balanced.elb.delete_rule, RuleArn=default["RuleArn"])[0] == "OperationNotPermitted"


def test_a_rule_may_change(balanced: Balanced) -> None:
    """ModifyRule: "Any properties that you do not specify are unchanged." """
    arn = make_rule(balanced)["RuleArn"]
    changed = balanced.elb.modify_rule(RuleArn=arn, Actions=[fixed()])["Rules"][0]
    assert (changed["Conditions"][0]["Values"], changed["Actions"]) == (["/a*"], [fixed()])
    host = {"Field": "host-header", "HostHeaderConfig": {"Values": ["a.example.com"]}}
    changed = balanced.elb.modify_rule(RuleArn=arn, Conditions=[host])["Rules"][0]
    assert changed["Conditions"] == [{"Values": ["a.example.com"], **host}]
    assert changed["Actions"] == [fixed()]
    assert error_of(balanced.elb.modify_rule, RuleArn=arn)[0] == "ValidationError"


def test_what_would_change_a_request_and_is_not_served_is_refused(balanced: Balanced) -> None:
    """CreateRule.Transforms, ModifyRule.Transforms, CreateListener.MutualAuthentication, ModifyListener's (botocore's
    model): AWS takes them, so that a rule which ignored them would be another one. ModifyRule.ResetTransforms asks for
    what a rule has here.
    """
    rewrite = {"Rewrites": [{"Regex": "^/app(.*)$", "Replace": "$1"}]}
    transforms = [{"Type": "url-rewrite", "UrlRewriteConfig": rewrite}]
    mutual = {"MutualAuthentication": {"Mode": "passthrough"}}
    rule = make_rule(balanced)
    for call in (
        lambda: make_rule(balanced, Priority=11, Transforms=transforms),
        lambda: balanced.elb.modify_rule(RuleArn=rule["RuleArn"], Transforms=transforms),
        lambda: balanced.listen(81, fixed(), **mutual),
        lambda: balanced.elb.modify_listener(ListenerArn=balanced.listener, **mutual),
    ):
        assert error_of(call)[0] == "UnsupportedOperation"
    again = balanced.elb.modify_rule(RuleArn=rule["RuleArn"], ResetTransforms=True)["Rules"]
    assert again == [rule]


def bad(field: str, config: str, **settings: Any) -> dict[str, Any]:
    """A condition."""
    return {"Field": field, config: settings}


BAD_CONDITIONS = [
    [],
    [{"Field": "nonsense", "Values": ["a"]}],
    [{"Field": "path-pattern", "Values": ["/" + "a" * 128]}],
    [{"Field": "path-pattern"}],
    [{"Field": "http-header", "Values": ["a"]}],
    [bad("http-header", "HttpHeaderConfig", HttpHeaderName="X", Values=[])],
    [bad("http-request-method", "HttpRequestMethodConfig", Values=["get"])],
    [bad("source-ip", "SourceIpConfig", Values=["10.0.0.1"])],
    [bad("query-string", "QueryStringConfig", Values=[])],
]


@pytest.mark.parametrize("conditions", BAD_CONDITIONS, ids=str)
def test_conditions_are_checked(balanced: Balanced, conditions: list[dict[str, Any]]) -> None:
    """RuleCondition: ValidationError."""
    assert error_of(lambda: make_rule(balanced, Conditions=conditions))[0] == "ValidationError"


REGEX = "^/[a-z]{2}(-[A-Z]{2})?/login"


@pytest.mark.parametrize(
    "given",
    [
        {"Field": "path-pattern", "PathPatternConfig": {"RegexValues": [REGEX]}},
        {"Field": "path-pattern", "RegexValues": [REGEX]},
    ],
    ids=["in the configuration", "beside it"],
)
def test_regular_expressions_are_given_back(balanced: Balanced, given: dict[str, Any]) -> None:
    """PathPatternConditionConfig: "RegexValues. The regular expressions to compare against the request URL" (botocore's
    model), where Terraform reads them from DescribeRules; RuleCondition has a member RegexValues too.
    """
    made = make_rule(balanced, Conditions=[given])
    found = balanced.elb.describe_rules(RuleArns=[made["RuleArn"]])["Rules"][0]
    assert made["Conditions"] == found["Conditions"]
    assert found["Conditions"][0]["PathPatternConfig"] == {"RegexValues": [REGEX]}
    assert found["Conditions"][0]["RegexValues"] == [REGEX]


@pytest.mark.parametrize(
    "expression", ["^/(?-i:api)/", "(?i)^/api", "(?i-s:a.)b", "(?:a|b)", "(?s-i)a", "(?-i)a"]
)
def test_regular_expressions_may_have_flags(balanced: Balanced, expression: str) -> None:
    """None of the features that "Listener rules" names as not supported."""
    given = {"Field": "path-pattern", "PathPatternConfig": {"RegexValues": [expression]}}
    (made,) = make_rule(balanced, Conditions=[given])["Conditions"]
    assert made["PathPatternConfig"]["RegexValues"] == [expression]


def test_the_regular_expressions_of_a_header_are_given_back(balanced: Balanced) -> None:
    """HttpHeaderConditionConfig: "The regular expression to compare against the HTTP header." """
    config = {"HttpHeaderName": "X-Key", "RegexValues": ["^k[0-9]+$"]}
    made = make_rule(balanced, Conditions=[{"Field": "http-header", "HttpHeaderConfig": config}])
    assert made["Conditions"][0]["HttpHeaderConfig"] == config


@pytest.mark.parametrize(
    "expression",
    [
        "^/(?=a)",
        "^/(?!a)",
        "(?<=/)a",
        "(?<!/)a",
        r"(a)\1",
        r"(?P<x>a)\k<x>",
        "(?>a)b",
        "a++b",
        "a*+b",
        "a{2}+b",
        r"(a)(?1)",
        r"(a)(?-1)",
        r"(a)(?+1)(b)",
        "a(?R)?b",
        r"\p{L}",
        r"[\p{L}]",
        "(",
        "[a",
    ],
)
def test_regular_expressions_without_what_costs_time(balanced: Balanced, expression: str) -> None:
    """ "The regular expressions used in rule conditions and rule transforms do not support the following features:
    lookaheads, lookbehinds, backreferences, atomic groups, possessive quantifiers, subroutines, recursion, and Unicode
    character classes (such as \\p{L})" (Application Load Balancers guide, "Listener rules").
    """
    given = {"Field": "path-pattern", "PathPatternConfig": {"RegexValues": [expression]}}
    code, message = error_of(lambda: make_rule(balanced, Conditions=[given]))
    assert code == "ValidationError"
    assert expression in message


BAD_REGULAR_EXPRESSIONS: dict[str, tuple[list[dict[str, Any]], str]] = {
    "too long": ([bad("path-pattern", "PathPatternConfig", RegexValues=["a" * 129])], "'128'"),
    "empty": ([bad("path-pattern", "PathPatternConfig", RegexValues=[""])], "must be specified"),
    "none": ([bad("host-header", "HostHeaderConfig", RegexValues=[])], "must be specified"),
    "both": ([bad("host-header", "HostHeaderConfig", Values=["a.b"], RegexValues=["a"])], "either"),
    "another field": (
        [{"Field": "source-ip", "RegexValues": ["1"], "SourceIpConfig": {"Values": ["10.0.0.0/8"]}}],
        "'RegexValues'",
    ),
    "two hosts": ([{"Field": "host-header", "RegexValues": [each]} for each in "ab"], "at most one"),
    "too large": ([bad("path-pattern", "PathPatternConfig", RegexValues=["(a{1000}){1000}"])], "size limit"),
}


@pytest.mark.parametrize(
    ("conditions", "text"), BAD_REGULAR_EXPRESSIONS.values(), ids=BAD_REGULAR_EXPRESSIONS
)
def test_conditions_with_regular_expressions_are_checked(
    balanced: Balanced, conditions: list[dict[str, Any]], text: str
) -> None:
    """RuleCondition: "The maximum length of each string is 128 characters. Specify only when Field is http-header,
    host-header, or path-pattern"; "up to one of each of the following conditions: http-request-method, host-header,
    path-pattern, and source-ip"; "the value for a condition can't be empty". Terraform lets one give values or regular
    expressions, not both.
    """
    code, message = error_of(lambda: make_rule(balanced, Conditions=conditions))
    assert (code, text in message) == ("ValidationError", True), message


def test_five_values_in_all(balanced: Balanced) -> None:
    """ "Condition values per rule: 5" (quotas, Application Load Balancers guide)."""
    five = {"Field": "path-pattern", "Values": [f"/{number}" for number in range(5)]}
    host = {"Field": "host-header", "Values": ["a"]}
    make_rule(balanced, Conditions=[five])
    expression = {"Field": "host-header", "RegexValues": ["a"]}
    more = {"Priority": 11, "Conditions": [five, expression]}
    assert error_of(lambda: make_rule(balanced, **more))[0] == "TooManyConditions"
    assert (
        error_of(lambda: make_rule(balanced, Priority=11, Conditions=[five, host]))[0] == "TooManyConditions"
    )


def test_rules_have_tags(balanced: Balanced) -> None:
    """CreateRule.Tags, CreateListener.Tags."""
    tags = [{"Key": "a", "Value": "b"}]
    rule = make_rule(balanced, Tags=tags)["RuleArn"]
    listener = balanced.listen(81, fixed(), Tags=tags)
    found = balanced.elb.describe_tags(ResourceArns=[rule, listener])["TagDescriptions"]
    assert [one["Tags"] for one in found] == [tags, tags]
