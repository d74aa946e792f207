"""The attributes of load balancers, listeners and target groups: defaults and allowed values.

Source: LoadBalancerAttribute and TargetGroupAttribute in the API reference.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from ..moto.adapter import AwsError


@dataclass(frozen=True)
class Attribute:
    """One attribute: its default, and its allowed integers or words (neither: any text)."""

    first: str
    low: int | None = None
    high: int = 0
    words: tuple[str, ...] = ()

    def check(self, key: str, value: str) -> None:
        """Raise ValidationError for an invalid value."""
        if self.words and value not in self.words:
            choices = ", ".join(self.words)
            raise AwsError("ValidationError", f"'{key}' value '{value}' must be one of [{choices}]")
        if self.low is None or value == self.first:
            return
        if not value.isdigit() or not self.low <= int(value) <= self.high:
            message = f"'{key}' value '{value}' must be between '{self.low}-{self.high}' inclusive"
            raise AwsError("ValidationError", message)


def _switch(first: str) -> Attribute:
    return Attribute(first, words=("true", "false"))


LOAD_BALANCER: Mapping[str, Attribute] = {
    "access_logs.s3.enabled": _switch("false"),
    "access_logs.s3.bucket": Attribute(""),
    "access_logs.s3.prefix": Attribute(""),
    "client_keep_alive.seconds": Attribute("3600", 60, 604_800),
    "connection_logs.s3.enabled": _switch("false"),
    "connection_logs.s3.bucket": Attribute(""),
    "connection_logs.s3.prefix": Attribute(""),
    "deletion_protection.enabled": _switch("false"),
    "health_check_logs.s3.enabled": _switch("false"),
    "health_check_logs.s3.bucket": Attribute(""),
    "health_check_logs.s3.prefix": Attribute(""),
    "idle_timeout.timeout_seconds": Attribute("60", 1, 4000),
    "ipv6.deny_all_igw_traffic": _switch("false"),
    "load_balancing.cross_zone.enabled": Attribute("true", words=("true",)),
    "routing.http.desync_mitigation_mode": Attribute(
        "defensive", words=("monitor", "defensive", "strictest")
    ),
    "routing.http.drop_invalid_header_fields.enabled": _switch("false"),
    "routing.http.preserve_host_header.enabled": _switch("false"),
    "routing.http.x_amzn_tls_version_and_cipher_suite.enabled": _switch("false"),
    "routing.http.xff_client_port.enabled": _switch("false"),
    "routing.http.xff_header_processing.mode": Attribute("append", words=("append", "preserve", "remove")),
    "routing.http2.enabled": _switch("true"),
    "waf.fail_open.enabled": _switch("false"),
    "zonal_shift.config.enabled": _switch("false"),
}

TARGET_GROUP: Mapping[str, Attribute] = {
    "deregistration_delay.timeout_seconds": Attribute("300", 0, 3600),
    "load_balancing.algorithm.anomaly_mitigation": Attribute("off", words=("on", "off")),
    "load_balancing.algorithm.type": Attribute(
        "round_robin", words=("round_robin", "least_outstanding_requests", "weighted_random")
    ),
    "load_balancing.cross_zone.enabled": Attribute(
        "use_load_balancer_configuration", words=("true", "false", "use_load_balancer_configuration")
    ),
    "slow_start.duration_seconds": Attribute("0", 30, 900),
    "stickiness.app_cookie.cookie_name": Attribute(""),
    "stickiness.app_cookie.duration_seconds": Attribute("86400", 1, 604_800),
    "stickiness.enabled": _switch("false"),
    "stickiness.lb_cookie.duration_seconds": Attribute("86400", 1, 604_800),
    "stickiness.type": Attribute("lb_cookie", words=("lb_cookie", "app_cookie")),
    "target_group_health.dns_failover.minimum_healthy_targets.count": Attribute("1", 1, 1000),
    "target_group_health.dns_failover.minimum_healthy_targets.percentage": Attribute("off", 1, 100),
    "target_group_health.unhealthy_state_routing.minimum_healthy_targets.count": Attribute("1", 1, 1000),
    "target_group_health.unhealthy_state_routing.minimum_healthy_targets.percentage": Attribute(
        "off", 1, 100
    ),
}

LISTENER: Mapping[str, Attribute] = {"routing.http.response.server.enabled": _switch("true")}


def first_values(table: Mapping[str, Attribute]) -> dict[str, str]:
    """The attributes of a new resource."""
    return {key: attribute.first for key, attribute in table.items()}


def check_load_balancer(changes: Mapping[str, str]) -> None:
    """Raise an error for invalid changes of a load balancer's attributes."""
    _check(LOAD_BALANCER, "Load balancer", changes)


def check_listener(changes: Mapping[str, str]) -> None:
    """Raise an error for invalid changes of a listener's attributes, and for headers that are not supported here."""
    _check(LISTENER, "Listener", changes)


def check_target_group(changes: Mapping[str, str], now: Mapping[str, str]) -> None:
    """Raise an error for invalid changes of a target group's attributes, also in combination with the values
    ``now``."""
    _check(TARGET_GROUP, "Target group", changes)
    after = {**now, **changes}
    cookie = after["stickiness.app_cookie.cookie_name"]
    if after["stickiness.type"] == "app_cookie" and not cookie:
        message = "You must set an application cookie name to enable stickiness of type 'app_cookie'"
        raise AwsError("InvalidConfigurationRequest", message)
    if cookie.upper().startswith("AWSALB"):
        message = f"Application cookie name '{cookie}' is reserved for use by the load balancer"
        raise AwsError("InvalidConfigurationRequest", message)
    if (
        after["load_balancing.algorithm.type"] != "round_robin"
        and after["slow_start.duration_seconds"] != "0"
    ):
        message = "Slow start is supported with the round robin routing algorithm only"
        raise AwsError("InvalidConfigurationRequest", message)


def _check(table: Mapping[str, Attribute], what: str, changes: Mapping[str, str]) -> None:
    for key, value in changes.items():
        if key not in table:
            raise AwsError("ValidationError", f"{what} attribute key '{key}' is not recognized")
        table[key].check(key, value)
