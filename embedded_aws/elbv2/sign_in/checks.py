"""Validates, completes and shows the authentication actions of the API.

Members, defaults and limits are those of botocore's model ("AuthenticateOidcActionConfig",
"AuthenticateCognitoActionConfig", "JwtValidationActionConfig"). Texts without a source are marked: (own words).
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

from ...iam.access import call_context
from ...iam.access.query import AuthorizationQuery
from ..checks import refuse

OIDC, COGNITO, JWT = "authenticate-oidc", "authenticate-cognito", "jwt-validation"
CONFIGS = {OIDC: "AuthenticateOidcConfig", COGNITO: "AuthenticateCognitoConfig", JWT: "JwtValidationConfig"}
USER_POOL = re.compile(r"arn:aws[a-z-]*:cognito-idp:[a-z0-9-]+:\d{12}:userpool/[\w-]+")
ROUTING = ("forward", "redirect", "fixed-response")
ENDPOINTS = ("Issuer", "AuthorizationEndpoint", "TokenEndpoint", "UserInfoEndpoint")
DEFAULTS = {
    "SessionCookieName": "AWSELBAuthSessionCookie",
    "Scope": "openid",
    "SessionTimeout": 604_800,
    "OnUnauthenticatedRequest": "authenticate",
}
OWN_CLAIMS = ("exp", "iss", "nbf", "iat")
CLAIMS_MOST, VALUES_MOST, TEXT_MOST = 10, 10, 256
PARAMETERS_MOST = 10  # "The query parameters (up to 10)"
TIMEOUT_MOST = 604_800  # not verified
SECRET = ("ClientSecret", "UseExistingClientSecret")
"""Members that answers omit: "A live account omits it from every Describe call" (a report on floci)."""

INVALID = "InvalidLoadBalancerAction"

Actions = Sequence[Mapping[str, Any]]


def with_sign_in(actions: Actions, protocol: str, there: Actions) -> list[dict[str, Any]]:
    """The actions of a rule in their order, a routing action last, with AWS's defaults in an authentication action.

    ``there`` are the actions that they replace, whose client secret may be kept. Raises AwsError for what AWS refuses.
    """
    ordered = _in_order(actions)
    first, *rest = ordered
    if not rest:
        return ordered
    check_protocol(ordered, protocol)
    member = CONFIGS[first["Type"]]
    config = first.get(member)
    if not config:
        text = f"For actions of type '{first['Type']}', you must specify the following fields: '{member}'"
        refuse(text, INVALID)
    if first["Type"] == JWT:
        _check_jwt(config)
        return [first, *rest]
    whole = _whole_config({**DEFAULTS, **_present(config)})
    if first["Type"] == COGNITO:
        _check_user_pool(str(whole["UserPoolArn"]))
    else:
        whole = _whole_oidc(whole, there)
    return [{**first, member: whole}, *rest]


def check_protocol(actions: Actions, protocol: str) -> None:
    """ "The authenticate-cognito and authenticate-oidc action types are supported only with HTTPS listeners"; "a rule
    for an HTTPS listener can also include … jwt-validation" (Action)."""
    asking = next((one["Type"] for one in actions if one["Type"] in CONFIGS), None)
    if asking and protocol != "HTTPS":
        refuse(f"Actions of type '{asking}' are supported only on HTTPS listeners", INVALID)  # (own words)


def shown(action: Mapping[str, Any]) -> dict[str, Any]:
    """An action as the API returns it, without its secret."""
    member = CONFIGS.get(action["Type"])
    if member is None or action["Type"] == JWT:
        return dict(action)
    config = {name: value for name, value in action[member].items() if name not in SECRET}
    return {**action, member: config}


def _in_order(actions: Actions) -> list[dict[str, Any]]:
    """ "Each rule must include exactly one of the following routing actions: forward, fixed-response, or redirect, and
    it must be the last action to be performed. Optionally, a rule for an HTTPS listener can also include one of the
    following user authentication actions" (Action).
    """
    if not actions:
        refuse("You must specify at least one action")  # (own words)
    if unknown := next((one["Type"] for one in actions if one["Type"] not in (*ROUTING, *CONFIGS)), None):
        refuse(f"The embedded AWS does not do actions of type '{unknown}'", "UnsupportedOperation")
    if len(actions) > 1 and not all(one.get("Order") for one in actions):
        refuse("An order must be specified for each of multiple actions", INVALID)  # (own words)
    ordered = [dict(one) for one in sorted(actions, key=lambda one: int(one.get("Order") or 1))]
    if len({one.get("Order") for one in ordered}) < len(ordered):
        refuse("The order of each action must be unique", INVALID)  # (own words)
    kinds = [one["Type"] in ROUTING for one in ordered]
    if kinds.count(True) > 1 or kinds.count(False) > 1:
        refuse("You've reached the limit on the number of actions per rule", "TooManyActions")
    if not kinds[-1]:
        words = "', '".join(ROUTING)
        refuse(f"The last action must be one of: '{words}'", INVALID)  # (own words)
    return ordered


def _present(config: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in config.items() if value not in (None, "")}


def _whole_config(whole: dict[str, Any]) -> dict[str, Any]:
    """Check the members that both types share."""
    timeout = int(whole["SessionTimeout"])
    if not 1 <= timeout <= TIMEOUT_MOST:  # "as short as 1 second"; (own words)
        refuse(f"Session timeout '{timeout}' must be between '1-{TIMEOUT_MOST}' inclusive", INVALID)
    if len(whole.get("AuthenticationRequestExtraParams") or ()) > PARAMETERS_MOST:
        text = f"You can specify up to '{PARAMETERS_MOST}' authentication request extra params"  # (own words)
        refuse(text, INVALID)
    return whole


def _whole_oidc(whole: dict[str, Any], there: Actions) -> dict[str, Any]:
    for name in ENDPOINTS:
        _check_url(name, str(whole[name]))
    kept = {name: value for name, value in whole.items() if name not in SECRET}
    return {**kept, "ClientSecret": _secret(whole, there)}


def _check_jwt(config: Mapping[str, Any]) -> None:
    """Check the members of a jwt-validation action. (own words)"""
    endpoint, claims = config["JwksEndpoint"], config.get("AdditionalClaims") or ()
    _check_url("JwksEndpoint", endpoint)
    for name in ("JwksEndpoint", "Issuer"):
        if not 1 <= len(config[name]) <= TEXT_MOST:
            refuse(f"{name} must have between '1-{TEXT_MOST}' characters", INVALID)
    if len(claims) > CLAIMS_MOST:
        refuse(f"You can specify up to '{CLAIMS_MOST}' additional claims", INVALID)
    for claim in claims:
        _check_claim(claim["Name"], claim["Format"], claim["Values"])


def _check_claim(name: str, form: str, values: Sequence[str]) -> None:
    """ "You can't specify exp, iss, nbf, or iat because we validate them by default"; "Single-string: A single text
    value" (user guide); "If the format is space-separated-values, the values can't include spaces". (own words)"""
    if name in OWN_CLAIMS:
        refuse(f"The claim '{name}' is validated by default and cannot be specified", INVALID)
    if not 1 <= len(values) <= (1 if form == "single-string" else VALUES_MOST):
        refuse(f"The claim '{name}' has too many values, or none, for the format '{form}'", INVALID)
    if any(len(value) > TEXT_MOST for value in values):
        refuse(f"The values of the claim '{name}' can have at most '{TEXT_MOST}' characters", INVALID)
    if form == "space-separated-values" and any(" " in value for value in values):
        refuse(f"The values of the claim '{name}' cannot include spaces", INVALID)


def _check_user_pool(arn: str) -> None:
    """ "you must grant the user permission to call the cognito-idp:DescribeUserPoolClient action"; the
    error for a missing permission is from a report (awslabs/kubeflow-manifests, issue 18)."""
    if not USER_POOL.fullmatch(arn):
        refuse(f"The user pool ARN '{arn}' is not valid", INVALID)  # (own words)
    if not call_context.may(AuthorizationQuery("cognito-idp:DescribeUserPoolClient", arn)):
        refuse("User is not authorized to perform 'describeUserPoolClient'", INVALID)


def _check_url(name: str, url: str) -> None:
    """ "This must be a full URL, including the HTTPS protocol, the domain, and the path" (the guide's own examples
    have no path)."""
    try:
        parts = urlsplit(url)
        full = parts.scheme == "https" and bool(parts.hostname) and (parts.port is None or parts.port > 0)
    except ValueError:
        full = False
    if not full:
        refuse(f"{name} '{url}' must be a full URL with the HTTPS protocol", INVALID)  # (own words)


def _secret(config: Mapping[str, Any], there: Actions) -> str:
    """ "This parameter is required if you are creating a rule. If you are modifying a rule, you can omit this parameter
    if you set UseExistingClientSecret to true".
    """
    given = config.get("ClientSecret")
    existing = next((one[CONFIGS[OIDC]]["ClientSecret"] for one in there if one["Type"] == OIDC), None)
    if config.get("UseExistingClientSecret"):
        if given:
            text = "You cannot both specify a client secret and set UseExistingClientSecret to true"
            refuse(text, INVALID)
        if existing is None:
            refuse("There is no existing client secret to use", INVALID)  # (own words)
        return str(existing)
    if not given:
        refuse("You must specify a client secret", INVALID)  # (own words)
    return str(given)
