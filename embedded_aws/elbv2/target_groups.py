"""The operations on target groups and targets."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..moto import adapter
from ..moto.adapter import ActionResult, AwsError
from .attributes import TARGET_GROUP, check_target_group, first_values
from .base import ElbBase, check_tags
from .checks import check_choice, check_health, check_ip_target, check_name, refuse
from .targets import NOT_REGISTERED, Target, TargetHealth

HEALTH_DEFAULTS = {
    "HealthCheckProtocol": "HTTP",
    "HealthCheckPort": "traffic-port",
    "HealthCheckPath": "/",
    "HealthCheckIntervalSeconds": 30,
    "HealthCheckTimeoutSeconds": 5,
    "HealthyThresholdCount": 5,
    "UnhealthyThresholdCount": 2,
    "HttpCode": "200",
}
"""Source: "Health checks for Application Load Balancer target groups", target types ``ip`` and ``instance``."""

GROUPS_MOST, TARGETS_MOST = 3000, 1000
"""Target groups per Region, targets per target group ("Quotas for your Application Load Balancers")."""

HEALTH_FIELDS = {
    "HealthCheckProtocol": "health_check_protocol",
    "HealthCheckPort": "health_check_port",
    "HealthCheckPath": "health_check_path",
    "HealthCheckIntervalSeconds": "health_check_interval_seconds",
    "HealthCheckTimeoutSeconds": "health_check_timeout_seconds",
    "HealthyThresholdCount": "healthy_threshold_count",
    "UnhealthyThresholdCount": "unhealthy_threshold_count",
}
"""moto's attributes for them."""


class TargetGroups(ElbBase):
    """The operations on target groups and their targets."""

    def create_target_group(self) -> ActionResult:
        """CreateTargetGroup; the same settings return the existing target group."""
        given = self.given
        check_name("target group", given["Name"])
        self._check_group_kind(given)
        health = HEALTH_DEFAULTS | _health_given(given)
        check_health(health)
        tags = check_tags(given.get("Tags"))
        named = [one for one in self.elbv2_backend.target_groups.values() if one.name == given["Name"]]
        if named:
            return ActionResult({"TargetGroups": [self._same_group(named[0], given, health, tags)]})
        if len(self.elbv2_backend.target_groups) >= GROUPS_MOST:
            refuse(
                "You've reached the limit on the number of target groups for your AWS account",
                "TooManyTargetGroups",
            )
        made = self.elbv2_backend.create_target_group(
            given["Name"],
            vpc_id=given["VpcId"],
            protocol=given["Protocol"],
            protocol_version=given.get("ProtocolVersion"),
            port=given["Port"],
            target_type=given.get("TargetType", "instance"),
            ip_address_type=given.get("IpAddressType"),
        )
        self.elbv2_backend.tagging_service.tag_resource(made.arn, given.get("Tags") or [])
        made.attributes = first_values(TARGET_GROUP)
        _store_health(made, health)
        return ActionResult({"TargetGroups": [self._group_view(made)]})

    def describe_target_groups(self) -> ActionResult:
        """DescribeTargetGroups, by load balancer, ARNs or names; an error names the missing ones."""
        arns, names = self.given.get("TargetGroupArns") or [], self.given.get("Names") or []
        balancer = self.given.get("LoadBalancerArn")
        if sum(map(bool, (arns, names, balancer))) > 1:
            refuse("Target group names, target group ARNs, and a load balancer ARN cannot be given together")
        self.check_arns("target group", *arns)
        views = [self._group_view(one) for one in self.elbv2_backend.target_groups.values()]
        known = {view["TargetGroupArn"] for view in views} | {view["TargetGroupName"] for view in views}
        missing = [one for one in (*arns, *names) if one not in known]
        if missing:
            refuse(f"One or more target groups not found: '{', '.join(missing)}'", "TargetGroupNotFound")
        if balancer:
            self.find_load_balancer(balancer)
            views = [view for view in views if balancer in view["LoadBalancerArns"]]
        if arns or names:
            views = [v for v in views if v["TargetGroupArn"] in arns or v["TargetGroupName"] in names]
        views.sort(key=lambda view: str(view["TargetGroupName"]))
        return self.page("TargetGroups", views, "TargetGroupArn")

    def modify_target_group(self) -> ActionResult:
        """ModifyTargetGroup: the health check settings only."""
        found = self.find_target_group(self.given["TargetGroupArn"])
        if self.given.get("HealthCheckEnabled") is False:
            refuse("Health check enabled must be true for target groups with target type 'ip' or 'instance'")
        health = _health_of(found) | _health_given(self.given)
        check_health(health)
        _store_health(found, health)
        return ActionResult({"TargetGroups": [self._group_view(found)]})

    def delete_target_group(self) -> ActionResult:
        """DeleteTargetGroup; succeeds where it does not exist, refused while a listener or rule uses it."""
        arn = self.given["TargetGroupArn"]
        self.check_arns("target group", arn)
        if arn not in self.elbv2_backend.target_groups:
            return ActionResult({})
        if self._used_by(arn):
            refuse(f"Target group '{arn}' is currently in use by a listener or a rule", "ResourceInUse")
        self.balancer.forget_group(arn)
        self.elbv2_backend.tagging_service.delete_all_tags_for_resource(arn)
        del self.elbv2_backend.target_groups[arn]
        return ActionResult({})

    def describe_target_group_attributes(self) -> ActionResult:
        """DescribeTargetGroupAttributes."""
        return ActionResult({"Attributes": self.find_target_group(self.given["TargetGroupArn"]).attributes})

    def modify_target_group_attributes(self) -> ActionResult:
        """ModifyTargetGroupAttributes."""
        found = self.find_target_group(self.given["TargetGroupArn"])
        changes = {one["Key"]: one.get("Value") or "" for one in self.given["Attributes"]}
        check_target_group(changes, found.attributes)
        found.attributes.update(changes)
        return ActionResult({"Attributes": found.attributes})

    # Targets

    def register_targets(self) -> ActionResult:
        """RegisterTargets: all or none."""
        found = self.find_target_group(self.given["TargetGroupArn"])
        targets = [(self._address(found, one), self._port(found, one)) for one in self.given["Targets"]]
        there = {(one.ip, one.port) for one in self.balancer.registered(found.arn)}
        if len({*there, *targets}) > TARGETS_MOST:
            refuse("You've reached the limit on the number of targets", "TooManyTargets")
        for ip, port in targets:
            self.balancer.register(found.arn, ip, port)
        return ActionResult({})

    def deregister_targets(self) -> ActionResult:
        """DeregisterTargets; targets that are not registered are ignored."""
        found = self.find_target_group(self.given["TargetGroupArn"])
        for one in self.given["Targets"]:
            self.balancer.deregister(found.arn, one["Id"], self._port(found, one))
        return ActionResult({})

    def describe_target_health(self) -> ActionResult:
        """DescribeTargetHealth: of every target, or of the given ones, registered or not."""
        found = self.find_target_group(self.given["TargetGroupArn"])
        targets = self.balancer.registered(found.arn)
        views = [self._health_view(found, one.ip, one.port, one) for one in targets]
        if self.given.get("Targets"):
            known = {one.key: one for one in targets}
            keys = [(one["Id"], self._port(found, one)) for one in self.given["Targets"]]
            views = [self._health_view(found, *key, known.get(key)) for key in keys]
        return ActionResult({"TargetHealthDescriptions": views})

    def _health_view(self, found: Any, ip: str, port: int, target: Target | None) -> dict[str, Any]:
        health: TargetHealth = target.health if target else NOT_REGISTERED
        check_port = found.health_check_port
        zone = {"AvailabilityZone": target.zone or "all"} if target else {}
        state = {"State": health.state, "Reason": health.reason, "Description": health.description}
        return {
            "Target": {"Id": ip, "Port": port, **zone},
            "HealthCheckPort": str(port) if check_port == "traffic-port" else str(check_port),
            "TargetHealth": {key: value for key, value in state.items() if value},
        }

    def _port(self, found: Any, target: Mapping[str, Any]) -> int:
        port = int(target.get("Port") or found.port)
        if not 1 <= port <= 65_535:
            refuse(f"The port '{port}' must be between '1-65535' inclusive")
        return port

    def _address(self, found: Any, target: Mapping[str, Any]) -> str:
        name = str(target["Id"])
        if found.target_type == "instance":
            refuse(f"Instance ID '{name}' is not valid: the embedded AWS runs tasks only", "InvalidTarget")
        own = adapter.zone_of(self.current_account, self.region, found.vpc_id, name)
        check_ip_target(name, target.get("AvailabilityZone"), own)
        return name

    def _check_group_kind(self, given: Mapping[str, Any]) -> None:
        kind = given.get("TargetType", "instance")
        if kind in ("lambda", "alb"):
            message = "The embedded AWS has target groups of type ip and instance only"
            refuse(message, "UnsupportedOperation")
        for member, text in (("Protocol", "protocol"), ("Port", "port"), ("VpcId", "VPC ID")):
            if not given.get(member):
                refuse(f"A {text} must be specified")
        check_choice(given["Protocol"], "protocol", ("HTTP", "HTTPS"))
        check_choice(given.get("ProtocolVersion", "HTTP1"), "protocolVersion", ("HTTP1", "HTTP2", "GRPC"))
        if not 1 <= int(given["Port"]) <= 65_535:
            refuse(f"The port '{given['Port']}' must be between '1-65535' inclusive")
        if given["VpcId"] not in adapter.ec2_backends[self.current_account][self.region].vpcs:
            refuse(f"The VPC ID '{given['VpcId']}' is not found")

    def _same_group(
        self, found: Any, given: Mapping[str, Any], health: Mapping[str, Any], tags: Mapping[str, str]
    ) -> dict[str, Any]:
        requested = (
            given["Protocol"],
            int(given["Port"]),
            given["VpcId"],
            given.get("TargetType", "instance"),
            given.get("ProtocolVersion", "HTTP1"),
            health,
            tags,
        )
        now = (
            found.protocol,
            int(found.port),
            found.vpc_id,
            found.target_type,
            found.protocol_version,
            _health_of(found),
            self.tags_of(found.arn),
        )
        if requested != now:
            message = f"A target group with the same name '{found.name}' exists, but with different settings"
            raise AwsError("DuplicateTargetGroupName", message)
        return self._group_view(found)

    def _used_by(self, arn: str) -> list[str]:
        """The load balancers (at most one) with a listener or rule that uses the target group."""
        user = self.balancer.load_balancer_of(arn)
        return [user] if user else []

    def _group_view(self, found: Any) -> dict[str, Any]:
        """A target group in the shape of DescribeTargetGroups."""
        health = _health_of(found)
        matcher = {"Matcher": {"HttpCode": health.pop("HttpCode")}}
        return {
            "TargetGroupArn": found.arn,
            "TargetGroupName": found.name,
            "Protocol": found.protocol,
            "Port": int(found.port),
            "VpcId": found.vpc_id,
            "HealthCheckEnabled": True,
            **health,
            **matcher,
            "LoadBalancerArns": self._used_by(found.arn),
            "TargetType": found.target_type,
            "ProtocolVersion": found.protocol_version,
            "IpAddressType": found.ip_address_type,
        }


def _health_given(given: Mapping[str, Any]) -> dict[str, Any]:
    settings = {key: given[key] for key in HEALTH_FIELDS if given.get(key) is not None}
    code = (given.get("Matcher") or {}).get("HttpCode")
    return settings | ({"HttpCode": code} if code else {})


def _health_of(found: Any) -> dict[str, Any]:
    settings = {key: getattr(found, name) for key, name in HEALTH_FIELDS.items()}
    return settings | {"HttpCode": found.matcher["HttpCode"]}


def _store_health(found: Any, health: Mapping[str, Any]) -> None:
    for key, name in HEALTH_FIELDS.items():
        setattr(found, name, health[key])
    found.matcher = {"HttpCode": health["HttpCode"]}
