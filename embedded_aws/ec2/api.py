"""Amazon EC2: its networking operations."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..moto.adapter import ActionResult, AwsError, EC2Response
from . import filters, rules, zones
from .gateways import ShownSubnet, ShownTable
from .rules import Direction
from .store import Ec2Store
from .zones import EdgeZone

IN, OUT = Direction(egress=False), Direction(egress=True)


class Ec2(EC2Response):
    """The networking operations that Fargate and load balancers need."""

    @property
    def _store(self) -> Ec2Store:
        store: Ec2Store = self.ec2_backend
        return store

    def _filters_from_querystring(self) -> dict[str, Any]:
        """The filters of a request, which moto's operations ask for."""
        given: dict[str, Any] = super()._filters_from_querystring()
        filters.check(self._get_action(), given)
        return given

    def describe_availability_zones(self) -> ActionResult:
        """DescribeAvailabilityZones, including Local Zones and Wavelength Zones that the account has opted in to."""
        whole = super().describe_availability_zones().result["AvailabilityZones"]
        every = self._get_bool_param("AllAvailabilityZones", False)
        names, ids = self._get_param("ZoneNames", []), self._get_param("ZoneIds", [])
        edge = [zone for zone in self._store.visible_zones(every) if isinstance(zone, EdgeZone)]
        edge = [
            zone
            for zone in edge
            if zone.name in (names or [zone.name]) and zone.zone_id in (ids or [zone.zone_id])
        ]
        for one in self._filters_from_querystring().items():
            edge = [zone for zone in edge if _fits(zone, *one)]
        shown = [zones.answer(zone, self._store.opted_in) for zone in (*whole, *edge)]
        return ActionResult({"AvailabilityZones": shown})

    def modify_availability_zone_group(self) -> ActionResult:
        """ModifyAvailabilityZoneGroup: opting in only, "to opt out … contact AWS Support"."""
        group = self._get_param("GroupName")
        if group not in {zone.group for zone in zones.of_region(self.region)}:
            raise AwsError("InvalidParameterValue", f"Invalid availability zone group: '{group}'")
        self._store.opted_in.add(group)
        return ActionResult({"Return": True})

    def create_subnet(self) -> ActionResult:
        """CreateSubnet, in a zone of this region, or on an Outpost."""
        zone = self._get_param("AvailabilityZone")
        names = [one.name for one in self._store.visible_zones()]
        if zone and zone not in names:
            message = (
                f"Value ({zone}) for parameter availabilityZone is invalid. Subnets can currently only be "
                f"created in the following availability zones: {', '.join(names)}."
            )
            raise AwsError("InvalidParameterValue", message)
        made = super().create_subnet().result["Subnet"]
        made.outpost_arn = self._get_param("OutpostArn")
        return ActionResult({"Subnet": ShownSubnet(made, self._store.blocked(made))})

    def describe_subnets(self) -> ActionResult:
        """DescribeSubnets, with each subnet's VPC Block Public Access state."""
        subnets = super().describe_subnets().result["Subnets"]
        return ActionResult({"Subnets": [ShownSubnet(one, self._store.blocked(one)) for one in subnets]})

    def describe_vpc_block_public_access_options(self) -> ActionResult:
        """DescribeVpcBlockPublicAccessOptions."""
        return self._blocked()

    def modify_vpc_block_public_access_options(self) -> ActionResult:
        """ModifyVpcBlockPublicAccessOptions."""
        self._store.public_access.block(self._get_param("InternetGatewayBlockMode"))
        return self._blocked()

    def _blocked(self) -> ActionResult:
        options = self._store.public_access.options(self.current_account, self.region)
        return ActionResult({"VpcBlockPublicAccessOptions": options})

    def describe_vpc_block_public_access_exclusions(self) -> ActionResult:
        """DescribeVpcBlockPublicAccessExclusions."""
        ids = self._get_param("ExclusionIds", [])
        found = [one for one in self._store.public_access.exclusions.values() if one.id in (ids or [one.id])]
        return ActionResult({"VpcBlockPublicAccessExclusions": [one.answer() for one in found]})

    def create_vpc_block_public_access_exclusion(self) -> ActionResult:
        """CreateVpcBlockPublicAccessExclusion, for a VPC or a subnet."""
        vpc, subnet = self._get_param("VpcId"), self._get_param("SubnetId")
        found = self._store.get_subnet(subnet) if subnet else self._store.get_vpc(vpc)
        mode = self._get_param("InternetGatewayExclusionMode")
        kind = "subnet" if subnet else "vpc"
        arn = f"arn:aws:ec2:{self.region}:{self.current_account}:{kind}/{found.id}"
        made = self._store.public_access.exclude(found.id, mode, arn)
        return ActionResult({"VpcBlockPublicAccessExclusion": made.answer()})

    def delete_vpc_block_public_access_exclusion(self) -> ActionResult:
        """DeleteVpcBlockPublicAccessExclusion."""
        gone = self._store.public_access.include(self._get_param("ExclusionId"))
        return ActionResult({"VpcBlockPublicAccessExclusion": gone.answer("delete-complete")})

    def describe_route_tables(self) -> ActionResult:
        """DescribeRouteTables; routes to deleted targets are blackholes."""
        tables = super().describe_route_tables().result["RouteTables"]
        return ActionResult({"RouteTables": [ShownTable(table) for table in tables]})

    def create_tags(self) -> ActionResult:
        """CreateTags; refuses tags reserved for AWS."""
        for tag in self._get_param("Tags", []):
            if tag["Key"].lower().startswith("aws:"):
                message = f"Tag keys starting with 'aws:' are reserved for internal use: {tag['Key']}"
                raise AwsError("InvalidParameterValue", message)
        return super().create_tags()

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
        found = super().describe_security_group_rules().result["SecurityGroupRules"]
        return ActionResult({"SecurityGroupRules": [rules.answer(rule) for rule in found]})

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
        made = rules.add(self._store, self._group(), self._permissions(), direction, tags)
        return ActionResult({"Return": True, "SecurityGroupRules": [rules.answer(one) for one in made]})

    def _revoke(self, direction: Direction) -> ActionResult:
        self.error_on_dryrun()
        group, unknown = self._group(), list[Mapping[str, Any]]()
        if rule_ids := self._get_param("SecurityGroupRuleIds", []):
            gone = rules.remove_by_id(group, rule_ids, direction)
        else:
            gone, unknown = rules.remove(self._store, group, self._permissions(), direction)
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
        """IpPermissions, or the one permission in the request's top-level members."""
        given: list[Mapping[str, Any]] = self._get_param("IpPermissions", [])
        if given:
            return given
        one = {name: self._get_param(name) for name in ("IpProtocol", "FromPort", "ToPort")}
        if cidr := self._get_param("CidrIp"):
            one["IpRanges"] = [{"CidrIp": cidr}]
        if source := self._get_param("SourceSecurityGroupName"):
            one["UserIdGroupPairs"] = [{"GroupName": source}]
        return [one]


def _fits(zone: EdgeZone, name: str, values: list[str]) -> bool:
    shown = zones.answer(zone, set())
    member = {
        "zone-name": "ZoneName",
        "zone-id": "ZoneId",
        "zone-type": "ZoneType",
        "group-name": "GroupName",
    }
    return name not in member or shown[member[name]] in values


def _revoked(rule: Any) -> dict[str, Any]:
    shown = rules.answer(rule)
    return {**shown, "ReferencedGroupId": rule.source_group.get("GroupId")}
