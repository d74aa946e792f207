"""Sign-in at the load balancer in the API: what is taken, filled in, refused and shown.

Quotes are from the Elastic Load Balancing API reference (2015-12-01), "AuthenticateOidcActionConfig" and
"AuthenticateCognitoActionConfig", unless they name another source.
"""

from __future__ import annotations

from typing import Any

import pytest

from tests.embedded.guarded import POOL, Guarded
from tests.embedded.identities import allow, session
from tests.embedded.identity_provider import CLIENT
from tests.embedded.refusals import refused
from tests.embedded_process import PATIENCE

pytestmark = pytest.mark.filterwarnings("ignore::urllib3.exceptions.InsecureRequestWarning")

INVALID = "InvalidLoadBalancerAction"


def config_of(actions: list[dict[str, Any]]) -> dict[str, Any]:
    """What the first of two actions says of the provider."""
    assert [one["Order"] for one in actions] == [1, 2]
    found: dict[str, Any] = (
        actions[0].get("AuthenticateOidcConfig") or actions[0]["AuthenticateCognitoConfig"]
    )
    return found


def test_what_is_left_out_is_filled_in(guarded: Guarded) -> None:
    """ "The default is AWSELBAuthSessionCookie", "The default is openid", "The default is 604800 seconds (7 days)",
    "authenticate … This is the default value"; the client's secret is not shown ("A live account omits it from every
    Describe call", a report on floci)."""
    made = guarded.rule(guarded.ask(), guarded.then())
    issuer = guarded.provider.issuer
    expected = {
        "Issuer": issuer,
        "AuthorizationEndpoint": f"{issuer}/authorize",
        "TokenEndpoint": f"{issuer}/token",
        "UserInfoEndpoint": f"{issuer}/userinfo",
        "ClientId": CLIENT,
        "SessionCookieName": "AWSELBAuthSessionCookie",
        "Scope": "openid",
        "SessionTimeout": 604_800,
        "OnUnauthenticatedRequest": "authenticate",
    }
    assert config_of(made["Actions"]) == expected
    described = guarded.elb.describe_rules(RuleArns=[made["RuleArn"]])["Rules"][0]["Actions"]
    assert config_of(described) == expected
    assert [one["Type"] for one in described] == ["authenticate-oidc", "forward"]


def test_a_listener_asks_too(guarded: Guarded) -> None:
    """DefaultActions of ModifyListener and DescribeListeners; what was given comes back."""
    settings = {
        "SessionCookieName": "mine",
        "Scope": "openid email",
        "SessionTimeout": 1,
        "OnUnauthenticatedRequest": "deny",
        "AuthenticationRequestExtraParams": {"prompt": "login", "display": "page"},
    }
    guarded.guard(**settings)
    found = guarded.elb.describe_listeners(ListenerArns=[guarded.listener])["Listeners"][0]
    config = config_of(found["DefaultActions"])
    assert {name: config[name] for name in settings} == settings
    assert "ClientSecret" not in config


def test_a_user_pool(guarded: Guarded) -> None:
    """AuthenticateCognitoActionConfig: the same defaults."""
    made = guarded.rule(guarded.ask_pool(), guarded.then())
    assert config_of(made["Actions"]) == {
        "UserPoolArn": POOL,
        "UserPoolClientId": CLIENT,
        "UserPoolDomain": "app",
        "SessionCookieName": "AWSELBAuthSessionCookie",
        "Scope": "openid",
        "SessionTimeout": 604_800,
        "OnUnauthenticatedRequest": "authenticate",
    }


def test_actions_are_in_their_order(guarded: Guarded) -> None:
    """ "The action with the lowest value for order is performed first" (Action), wherever it stands in the request."""
    made = guarded.rule({**guarded.then(), "Order": 200}, {**guarded.ask(), "Order": 100})
    assert [(one["Type"], one["Order"]) for one in made["Actions"]] == [
        ("authenticate-oidc", 100),
        ("forward", 200),
    ]


def test_the_secret_may_stay(guarded: Guarded) -> None:
    """ "If you are modifying a rule, you can omit this parameter if you set UseExistingClientSecret to true": the new
    cookie's name counts, and people still sign in with the old secret."""
    made = guarded.rule(guarded.ask(), guarded.then(), path="/*")
    again = guarded.ask(ClientSecret=None, UseExistingClientSecret=True, SessionCookieName="new")
    changed = guarded.elb.modify_rule(RuleArn=made["RuleArn"], Actions=[again, guarded.then()])["Rules"][0]
    config = config_of(changed["Actions"])
    assert (config["SessionCookieName"], "UseExistingClientSecret" in config) == ("new", False)
    before = guarded.browser()
    assert before.get(guarded.secure, timeout=PATIENCE).text == "one"
    guarded.elb.modify_rule(RuleArn=made["RuleArn"], Actions=[again, guarded.then()])
    after = guarded.browser()
    assert after.get(guarded.secure, timeout=PATIENCE).text == "one"
    sent = [one["authorization"] for one in guarded.provider.calls("/token")]
    assert sent == ["Basic dGhlLWNsaWVudDp0aGUtc2VjcmV0"] * 2


def test_the_secret_of_a_listener_may_stay(guarded: Guarded) -> None:
    """The same of ModifyListener, which without DefaultActions leaves them as they are."""
    guarded.guard()
    guarded.guard(ClientSecret=None, UseExistingClientSecret=True)
    guarded.elb.modify_listener(ListenerArn=guarded.listener, Port=443)
    assert guarded.browser().get(guarded.secure, timeout=PATIENCE).text == "one"
    assert guarded.provider.calls("/token")[-1]["authorization"] == "Basic dGhlLWNsaWVudDp0aGUtc2VjcmV0"


def test_both_secrets_are_refused(guarded: Guarded) -> None:
    """CreateRule and ModifyRule; the text is in a report (ansible-collections/amazon.aws, issue 1877)."""
    both = guarded.ask(UseExistingClientSecret=True)
    text = "You cannot both specify a client secret and set UseExistingClientSecret to true"
    with refused(INVALID, text):
        guarded.rule(both, guarded.then())
    made = guarded.rule(guarded.ask(), guarded.then())
    with refused(INVALID, text):
        guarded.elb.modify_rule(RuleArn=made["RuleArn"], Actions=[both, guarded.then()])


def test_a_new_rule_needs_a_secret(guarded: Guarded) -> None:
    """ "This parameter is required if you are creating a rule"; without UseExistingClientSecret also of one that is
    there (the texts: own words)."""
    without = guarded.ask(ClientSecret=None)
    with refused(INVALID, "must specify a client secret"):
        guarded.rule(without, guarded.then())
    existing = guarded.ask(ClientSecret=None, UseExistingClientSecret=True)
    with refused(INVALID, "no existing client secret"):
        guarded.rule(existing, guarded.then())
    made = guarded.rule(guarded.ask(), guarded.then())
    with refused(INVALID, "must specify a client secret"):
        guarded.elb.modify_rule(RuleArn=made["RuleArn"], Actions=[without, guarded.then()])


@pytest.mark.parametrize("member", ["Issuer", "AuthorizationEndpoint", "TokenEndpoint", "UserInfoEndpoint"])
@pytest.mark.parametrize("url", ["http://idp.example.com/a", "idp.example.com", "https://", "https://h:x/"])
def test_endpoints_are_urls_by_https(guarded: Guarded, member: str, url: str) -> None:
    """ "This must be a full URL, including the HTTPS protocol, the domain, and the path" (the text: own words)."""
    with refused(INVALID, member):
        guarded.rule(guarded.ask(**{member: url}), guarded.then())


LIMITS: dict[str, dict[str, Any]] = {
    # "you can configure a session timeout as short as 1 second" (user guide)
    "no session": {"SessionTimeout": 0},
    "a session too long": {"SessionTimeout": 604_801},
    # "The query parameters (up to 10)"
    "too many parameters": {"AuthenticationRequestExtraParams": {f"p{n}": "x" for n in range(11)}},
}


@pytest.mark.parametrize("settings", LIMITS.values(), ids=LIMITS)
def test_limits(guarded: Guarded, settings: dict[str, Any]) -> None:
    """The sources are beside the cases; the texts are own words, and so is the longest session."""
    with refused(INVALID):
        guarded.rule(guarded.ask(**settings), guarded.then())
    with refused(INVALID):
        guarded.rule(guarded.ask_pool(**settings), guarded.then())


def test_what_members_may_be_missing(guarded: Guarded) -> None:
    """Members that the model requires, and words of its enumerations, are looked at by the service, too."""
    client = guarded.aws.client("elbv2", parameter_validation=False)
    conditions = [{"Field": "path-pattern", "Values": ["/login"]}]
    bad = guarded.ask(Issuer=None), guarded.ask(OnUnauthenticatedRequest="ignore"), guarded.ask_pool()
    del bad[2]["AuthenticateCognitoConfig"]["UserPoolDomain"]
    for action in bad:
        with refused("ValidationError"):
            client.create_rule(
                ListenerArn=guarded.listener,
                Priority=1,
                Conditions=conditions,
                Actions=[action, guarded.then()],
            )


def test_a_routing_action_is_last(guarded: Guarded) -> None:
    """ "Each rule must include exactly one of the following routing actions: forward, fixed-response, or redirect, and
    it must be the last action to be performed. Optionally, a rule for an HTTPS listener can also include one of the
    following user authentication actions" (Action; the texts but that of TooManyActions: own words)."""
    first, last = guarded.ask(), guarded.then()
    with refused(INVALID, "last action"):
        guarded.rule(first)
    with refused(INVALID, "last action"):
        guarded.rule({**first, "Order": 2}, {**last, "Order": 1})
    with refused("TooManyActions", "limit on the number of actions per rule"):
        guarded.rule(first, {**guarded.ask_pool(), "Order": 2}, {**last, "Order": 3})
    with refused("TooManyActions", "limit on the number of actions per rule"):
        guarded.rule({**last, "Order": 1}, last)


def test_several_actions_have_an_order(guarded: Guarded) -> None:
    """ "This value is required for rules with multiple actions" (Action; the texts: own words)."""
    first, last = guarded.ask(), guarded.then()
    del first["Order"], last["Order"]
    with refused(INVALID, "order"):
        guarded.rule(first, last)
    with refused(INVALID, "order"):
        guarded.rule({**first, "Order": 1}, {**last, "Order": 1})


def test_its_own_settings_are_required(guarded: Guarded) -> None:
    """As of other actions: "For actions of type 'redirect', you must specify the following fields: 'RedirectConfig'" (a
    report on Terraform, hashicorp/terraform, issue 32620)."""
    text = "For actions of type 'authenticate-oidc', you must specify the following fields: 'AuthenticateOidcConfig'"
    with refused(INVALID, text):
        guarded.rule({"Type": "authenticate-oidc", "Order": 1}, guarded.then())


def test_it_takes_https(guarded: Guarded) -> None:
    """ "The authenticate-cognito and authenticate-oidc action types are supported only with HTTPS listeners" (user
    guide; the text: own words): not of a new listener, and not of one whose protocol changes."""
    text = "supported only on HTTPS listeners"
    with refused(INVALID, text):
        guarded.elb.create_listener(
            LoadBalancerArn=guarded.arn,
            Protocol="HTTP",
            Port=81,
            DefaultActions=[guarded.ask(), guarded.then()],
        )
    guarded.rule(guarded.ask(), guarded.then())
    with refused(INVALID, text):
        guarded.elb.modify_listener(ListenerArn=guarded.listener, Protocol="HTTP")
    found = guarded.elb.describe_listeners(ListenerArns=[guarded.listener])["Listeners"][0]
    assert found["Protocol"] == "HTTPS"


def test_a_user_pool_has_an_arn(guarded: Guarded) -> None:
    """UserPoolArn: "The Amazon Resource Name (ARN) of the Amazon Cognito user pool" (the text: own words)."""
    with refused(INVALID, "user pool ARN"):
        guarded.rule(guarded.ask_pool(UserPoolArn="us-east-2_abc"), guarded.then())


def test_who_names_a_user_pool_may_describe_its_clients(guarded: Guarded) -> None:
    """ "you must grant the user permission to call the cognito-idp:DescribeUserPoolClient action" (user guide), whose
    resource is the user pool (Service Authorization Reference); the refusal is in a report (awslabs/kubeflow-manifests,
    issue 18)."""
    rules = allow(["elasticloadbalancing:CreateRule", "elasticloadbalancing:DescribeRules"])
    other = POOL.replace("_abc", "_other")
    describe = "cognito-idp:DescribeUserPoolClient"
    may_not = session(guarded.aws, "may-not", rules, allow(describe, other)).client("elbv2")
    may = session(guarded.aws, "may", rules, allow(describe, POOL)).client("elbv2")
    given = {
        "ListenerArn": guarded.listener,
        "Priority": 1,
        "Conditions": [{"Field": "path-pattern", "Values": ["/login"]}],
        "Actions": [guarded.ask_pool(), guarded.then()],
    }
    with refused(INVALID, "User is not authorized to perform 'describeUserPoolClient'"):
        may_not.create_rule(**given)
    assert may.create_rule(**given)["Rules"][0]["Priority"] == "1"
    oidc = {**given, "Priority": 2, "Actions": [guarded.ask(), guarded.then()]}
    assert may_not.create_rule(**oidc)["Rules"][0]["Priority"] == "2"
