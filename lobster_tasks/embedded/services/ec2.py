"""Amazon EC2: the network side of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..moto_door import ActionResult, AwsError, EC2Response
from . import ec2_rules
from .ec2_gateways import ShownTable
from .ec2_rules import Direction
from .ec2_store import Ec2Store

IN, OUT = Direction(egress=False), Direction(egress=True)


class Ec2(EC2Response):
    """Networks as Fargate and load balancers need them."""

    @property
    def _store(self) -> Ec2Store:
        store: Ec2Store = self.ec2_backend
        return store

    def describe_availability_zones(self) -> ActionResult:
        """DescribeAvailabilityZones."""
        zones = super().describe_availability_zones().result["AvailabilityZones"]
        return ActionResult({"AvailabilityZones": [_zone(zone) for zone in zones]})

    def create_subnet(self) -> ActionResult:
        """CreateSubnet, in a zone of this region."""
        zone = self._get_param("AvailabilityZone")
        names = [one.name for one in self._store.describe_availability_zones()]
        if zone and zone not in names:
            message = (
                f"Value ({zone}) for parameter availabilityZone is invalid. Subnets can currently only be "
                f"created in the following availability zones: {', '.join(names)}."
            )
            raise AwsError("InvalidParameterValue", message)
        return super().create_subnet()

    def describe_route_tables(self) -> ActionResult:
        """DescribeRouteTables, with routes whose target is gone as blackholes."""
        tables = super().describe_route_tables().result["RouteTables"]
        return ActionResult({"RouteTables": [ShownTable(table) for table in tables]})

    def delete_network_interface(self) -> ActionResult:
        """DeleteNetworkInterface, unless a service uses it."""
        eni_id = self._get_param("NetworkInterfaceId")
        if self._store.get_network_interface(eni_id).status == "in-use":
            message = f"Network interface '{eni_id}' is currently in use."
            raise AwsError("InvalidParameterValue", message)
        return super().delete_network_interface()

    def delete_security_group(self) -> ActionResult:
        """DeleteSecurityGroup by id, or by name in the default VPC."""
        self.error_on_dryrun()
        group = self._group()
        self._store.delete_security_group(group_id=group.id)
        return ActionResult({"Return": True, "GroupId": group.id})

    def describe_security_group_rules(self) -> ActionResult:
        """DescribeSecurityGroupRules."""
        rules = super().describe_security_group_rules().result["SecurityGroupRules"]
        return ActionResult({"SecurityGroupRules": [ec2_rules.answer(rule) for rule in rules]})

    def authorize_security_group_ingress(self) -> ActionResult:
        """AuthorizeSecurityGroupIngress."""
        return self._authorize(IN)

    def authorize_security_group_egress(self) -> ActionResult:
        """AuthorizeSecurityGroupEgress."""
        return self._authorize(OUT)

    def revoke_security_group_ingress(self) -> ActionResult:
        """RevokeSecurityGroupIngress."""
        return self._revoke(IN)

    def revoke_security_group_egress(self) -> ActionResult:
        """RevokeSecurityGroupEgress."""
        return self._revoke(OUT)

    def _authorize(self, direction: Direction) -> ActionResult:
        self.error_on_dryrun()
        tags = self._parse_tag_specification().get("security-group-rule", {})
        made = ec2_rules.add(self._store, self._group(), self._permissions(), direction, tags)
        return ActionResult({"Return": True, "SecurityGroupRules": [ec2_rules.answer(one) for one in made]})

    def _revoke(self, direction: Direction) -> ActionResult:
        self.error_on_dryrun()
        group, unknown = self._group(), list[Mapping[str, Any]]()
        if rule_ids := self._get_param("SecurityGroupRuleIds", []):
            gone = ec2_rules.remove_by_id(group, rule_ids, direction)
        else:
            gone, unknown = ec2_rules.remove(self._store, group, self._permissions(), direction)
        result = {"Return": True, "RevokedSecurityGroupRules": [_revoked(rule) for rule in gone]}
        return ActionResult({**result, "UnknownIpPermissions": unknown} if unknown else result)

    def _group(self) -> Any:
        if group_id := self._get_param("GroupId"):
            return self._store.group(group_id)
        if name := self._get_param("GroupName"):
            return self._store.group_named(name)
        message = "The request must contain the parameter groupName or groupId"
        raise AwsError("MissingParameter", message)

    def _permissions(self) -> list[Mapping[str, Any]]:
        """IpPermissions, or the one that the request's own members make."""
        given: list[Mapping[str, Any]] = self._get_param("IpPermissions", [])
        if given:
            return given
        one = {name: self._get_param(name) for name in ("IpProtocol", "FromPort", "ToPort")}
        if cidr := self._get_param("CidrIp"):
            one["IpRanges"] = [{"CidrIp": cidr}]
        if source := self._get_param("SourceSecurityGroupName"):
            one["UserIdGroupPairs"] = [{"GroupName": source}]
        return [one]


def _zone(zone: Any) -> dict[str, Any]:
    return {
        "State": zone.state,
        "Messages": [],
        "RegionName": zone.region_name,
        "ZoneName": zone.name,
        "ZoneId": zone.zone_id,
        "ZoneType": zone.zone_type,
        "GroupName": f"{zone.region_name}-zg-1",
        "NetworkBorderGroup": zone.region_name,
        "OptInStatus": "opt-in-not-required",
    }


def _revoked(rule: Any) -> dict[str, Any]:
    shown = ec2_rules.answer(rule)
    return {**shown, "ReferencedGroupId": rule.source_group.get("GroupId")}
