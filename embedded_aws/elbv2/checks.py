"""Validates names, health checks, actions, conditions and certificates."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NoReturn

from ..kernel.expressions import ExpressionError, expression
from ..moto.adapter import AwsError

NAME = re.compile(r"[A-Za-z0-9-]+")
HTTP_CODES = re.compile(r"\d{3}(-\d{3})?(,\d{3}(-\d{3})?)*")
CONTENT_TYPES = ("text/plain", "text/css", "text/html", "application/javascript", "application/json")
PRIVATE = tuple(
    ipaddress.ip_network(one) for one in ("10.0.0.0/8", "100.64.0.0/10", "172.16.0.0/12", "192.168.0.0/16")
)


def refuse(message: str, code: str = "ValidationError") -> NoReturn:
    """Raise an error."""
    raise AwsError(code, message)


def check_name(what: str, name: str) -> None:
    """Check a name: at most 32 letters, digits and hyphens; ``what`` is ``load balancer`` or ``target group``."""
    start = f"The {what} name '{name}'" if what == "load balancer" else f"Target group name '{name}'"
    if len(name) > 32:
        refuse(f"{start} cannot be longer than '32' characters")
    if not NAME.fullmatch(name):
        refuse(f"{start} can only contain characters that are alphanumeric characters and hyphens(-)")
    if name.startswith("-") or name.endswith("-"):
        refuse(f"{start} cannot begin or end with '-'")
    if what == "load balancer" and name.startswith("internal-"):
        refuse(f"{start} cannot begin with 'internal-'")


def check_choice(value: str, member: str, choices: Sequence[str]) -> None:
    """Check that a value is one of the service model's words that are supported."""
    if value not in choices:
        refuse(
            f"1 validation error detected: Value '{value}' at '{member}' failed to satisfy constraint: Member must "
            f"satisfy enum value set: [{', '.join(choices)}]"
        )


def check_health(settings: Mapping[str, Any]) -> None:
    """Check a target group's complete health check settings, under CreateTargetGroup's names."""
    timeout, interval = settings["HealthCheckTimeoutSeconds"], settings["HealthCheckIntervalSeconds"]
    if int(timeout) >= int(interval):
        refuse(f"Health check timeout '{timeout}' must be smaller than the interval '{interval}'")
    path = settings["HealthCheckPath"]
    if not path.startswith("/") or len(path) > 1024:
        refuse(f"Health check path '{path}' must begin with '/' and have at most 1024 characters")
    port = settings["HealthCheckPort"]
    if port != "traffic-port" and not (port.isdigit() and 1 <= int(port) <= 65_535):
        refuse(f"Health check port '{port}' must be 'traffic-port' or between '1-65535' inclusive")
    check_choice(settings["HealthCheckProtocol"], "healthCheckProtocol", ("HTTP", "HTTPS"))
    _check_matcher(settings["HttpCode"])


def _check_matcher(codes: str) -> None:
    if not HTTP_CODES.fullmatch(codes):
        refuse(f"Health check matcher HTTP code '{codes}' is not a list of codes and ranges")
    for code in re.findall(r"\d{3}", codes):
        if not 200 <= int(code) <= 499:
            refuse(f"Health check matcher HTTP code '{codes}' must be within '200-499' inclusive")


def refuse_unserved(given: Mapping[str, Any]) -> None:
    """Refuse the settings of a listener or rule that would change what happens to a request, and are not served."""
    if given.get("Transforms"):
        refuse("The embedded AWS does not rewrite requests (Transforms)", "UnsupportedOperation")
    if (given.get("MutualAuthentication") or {}).get("Mode", "off") != "off":
        refuse("The embedded AWS does not verify clients' certificates", "UnsupportedOperation")


NEEDED = {"redirect": "RedirectConfig", "fixed-response": "FixedResponseConfig"}


def whole_action(action: Mapping[str, Any]) -> dict[str, Any]:
    """An action as AWS returns it: with defaults, and the target group in both members."""
    whole = dict(action)
    needed = NEEDED.get(whole["Type"])
    if needed and not whole.get(needed):
        text = f"For actions of type '{whole['Type']}', you must specify the following fields: '{needed}'"
        refuse(text, "InvalidLoadBalancerAction")
    if whole["Type"] == "forward":
        config = dict(whole.get("ForwardConfig") or {})
        named = [{"TargetGroupArn": whole["TargetGroupArn"]}] if whole.get("TargetGroupArn") else []
        groups = [{"Weight": 1, **group} for group in config.get("TargetGroups") or named]
        sticky = {"Enabled": False, **(config.get("TargetGroupStickinessConfig") or {})}
        whole["ForwardConfig"] = {"TargetGroups": groups, "TargetGroupStickinessConfig": sticky}
        if len(groups) == 1:
            whole["TargetGroupArn"] = groups[0]["TargetGroupArn"]
    if whole["Type"] == "redirect":
        first = {"Protocol": "#{protocol}", "Port": "#{port}", "Host": "#{host}"}
        first |= {"Path": "/#{path}", "Query": "#{query}"}
        whole["RedirectConfig"] = first | (whole.get("RedirectConfig") or {})
    return whole


def check_action(action: Mapping[str, Any], protocol: str, port: int, known: Iterable[str]) -> None:
    """Check the last action (``whole``) of a rule or listener; ``known`` are the existing target groups."""
    match action["Type"]:
        case "forward":
            _check_forward(action["ForwardConfig"], frozenset(known))
        case "redirect":
            _check_redirect(action["RedirectConfig"], protocol, port)
        case "fixed-response":
            _check_fixed(action.get("FixedResponseConfig") or {})


def _check_forward(config: Mapping[str, Any], known: frozenset[str]) -> None:
    groups = config["TargetGroups"]
    if not groups:
        refuse("A target group ARN must be specified")
    if len(groups) > 5:
        refuse("You can specify at most 5 target groups in a forward action", "TooManyTargetGroups")
    for group in groups:
        if group["TargetGroupArn"] not in known:
            refuse(f"Target group '{group['TargetGroupArn']}' not found", "TargetGroupNotFound")
        if not 0 <= int(group["Weight"]) <= 999:
            refuse(f"Target group weight '{group['Weight']}' must be between '0-999' inclusive")
    sticky = config["TargetGroupStickinessConfig"]
    seconds = sticky.get("DurationSeconds")
    if sticky["Enabled"] and seconds is None:
        refuse("A stickiness duration must be specified when stickiness is enabled")
    if seconds is not None and not 1 <= int(seconds) <= 604_800:
        refuse(f"Target group stickiness duration '{seconds}' must be between '1-604800' inclusive")


def _check_redirect(config: Mapping[str, Any], protocol: str, port: int) -> None:
    if config["Protocol"].upper() == "HTTP" and protocol == "HTTPS":
        refuse("You cannot redirect HTTPS to HTTP", "InvalidLoadBalancerAction")
    same_protocol = config["Protocol"].upper() in (protocol, "#{PROTOCOL}")
    same_port = config["Port"] in (str(port), "#{port}")
    same_rest = (config["Host"], config["Path"], config["Query"]) == ("#{host}", "/#{path}", "#{query}")
    if same_protocol and same_port and same_rest:
        message = "The redirect configuration is not valid because it creates a loop"
        refuse(message, "InvalidLoadBalancerAction")


def _check_fixed(config: Mapping[str, Any]) -> None:
    kind = config.get("ContentType")
    if kind and kind not in CONTENT_TYPES:
        choices = ", ".join(f"'{one}'" for one in CONTENT_TYPES)
        refuse(f"The ContentType must be one of: {choices}", "InvalidLoadBalancerAction")


CONFIGS = {
    "host-header": "HostHeaderConfig",
    "path-pattern": "PathPatternConfig",
    "http-header": "HttpHeaderConfig",
    "http-request-method": "HttpRequestMethodConfig",
    "query-string": "QueryStringConfig",
    "source-ip": "SourceIpConfig",
}


NAMES = ("host-header", "path-pattern")
"""The fields whose values may stand beside the configuration."""

WITH_EXPRESSIONS = (*NAMES, "http-header")
ONCE = (*NAMES, "http-request-method", "source-ip")


def whole_condition(condition: Mapping[str, Any]) -> dict[str, Any]:
    """A condition as AWS returns it: the values of host and path conditions in both members, and so the regular
    expressions of all conditions that may have some (not verified; in the configuration Terraform reads them).
    """
    whole = {"Values": [], **condition}
    field = whole.get("Field", "")
    member = CONFIGS.get(field, "")
    config = dict(whole.get(member) or {})
    expressions = whole.get("RegexValues") or config.get("RegexValues") or []
    if field in WITH_EXPRESSIONS and expressions:
        config["RegexValues"] = whole["RegexValues"] = expressions
        whole[member] = config
    if field in NAMES:
        values = whole["Values"] or config.get("Values") or []
        whole["Values"] = values
        whole[member] = {**config, "Values": values} if values or not expressions else config
    return whole


def check_conditions(conditions: Sequence[Mapping[str, Any]]) -> None:
    """Check the conditions (``whole``) of a rule: at most five values in all."""
    if not conditions:
        refuse("A condition must be specified")
    values = [value for condition in conditions for value in _condition_values(condition)]
    if len(values) > 5:
        refuse("A rule can have at most '5' condition values", "TooManyConditions")
    fields = [condition["Field"] for condition in conditions]
    if twice := next((field for field in ONCE if fields.count(field) > 1), None):
        refuse(f"A rule can have at most one condition on '{twice}'")  # (own words)


def _condition_values(condition: Mapping[str, Any]) -> Sequence[Any]:
    field = condition["Field"]
    if field not in CONFIGS:
        refuse(f"Condition field '{field}' must be one of '[{','.join(CONFIGS)}]'")
    if condition["Values"] and field not in NAMES:
        refuse(f"The 'Values' field is not compatible with '{field}'")
    if condition.get("RegexValues") and field not in WITH_EXPRESSIONS:
        refuse(f"The 'RegexValues' field is not compatible with '{field}'")
    config = condition.get(CONFIGS[field])
    if not config:
        refuse(f"A '{CONFIGS[field]}' must be specified with '{field}'")
    values, expressions = config.get("Values") or (), config.get("RegexValues") or ()
    if values and expressions:
        refuse(f"The '{field}' condition can have either values or regular expressions")  # (own words)
    if not values and not expressions:
        refuse("A condition value must be specified")
    for value in values:
        _check_condition_value(field, value)
    for value in expressions:
        _check_expression(field, value)
    return [*values, *expressions]


def _check_expression(field: str, value: str) -> None:
    """The service's own words are not known."""
    if not value:
        refuse("A condition value must be specified")
    if len(value) > 128:
        refuse(f"The '{field}' value is too long; the limit is '128'")
    try:
        expression(value)
    except ExpressionError as error:
        refuse(f"The '{field}' regular expression '{value}' is not valid: {error}")


def _check_condition_value(field: str, value: Any) -> None:
    texts = [value.get("Key") or "", value.get("Value") or ""] if field == "query-string" else [value]
    limit = 40 if field == "http-request-method" else 128
    if any(len(text) > limit for text in texts):
        refuse(f"The '{field}' value is too long; the limit is '{limit}'")
    if field == "http-request-method" and not re.fullmatch("[A-Z_-]+", value):
        refuse("The 'http-request-method' value is invalid; it may have A-Z, hyphen and underscore")
    if field == "source-ip" and not _is_network(value):
        refuse(f"The 'source-ip' value '{value}' must be in CIDR format")


def _is_network(text: str) -> bool:
    try:
        ipaddress.ip_network(text)
    except ValueError:
        return False
    return "/" in text


def check_ip_target(ip: str, zone: str | None, own_zone: str | None) -> None:
    """Check the address of an ``ip`` target; ``own_zone`` is that of its subnet, None outside the VPC."""
    try:
        address = ipaddress.ip_address(ip)
    except ValueError:
        refuse(f"The IP address '{ip}' is not a valid IPv4 address")
    if own_zone is None and zone is None:
        refuse(f"The Availability Zone is required for IP address '{ip}' because it is not in the VPC")
    if own_zone is None and not any(address in network for network in PRIVATE):
        refuse(f"The IP address '{ip}' cannot be registered, for it is neither private nor in the VPC")
    if own_zone is not None and zone == "all":
        refuse(
            f"The IP address '{ip}' is within the VPC, and cannot have its Availability Zone "
            f"overridden to 'all' from '{own_zone}'"
        )
