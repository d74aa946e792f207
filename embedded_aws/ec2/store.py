"""An account's networks in one region: moto's store, corrected where AWS differs."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from ipaddress import ip_network
from typing import Any

from ..moto.adapter import AwsError, NetworkInterface, SecurityGroupRule, ec2_backends
from . import zones
from .gateways import Gateways, is_in
from .public_access import PublicAccess

ANYWHERE = "0.0.0.0/0"
NAME = re.compile(r"[a-zA-Z0-9. _\-:/()#,@\[\]+=&;{}!$*]+")
SET = "a-zA-Z0-9. _-:/()#,@[]+=&;{}!$*"
GROUPS_MOST = 5  # security groups per network interface ("Amazon VPC quotas")
GROUP_FILTERS = re.compile(
    r"(description|group-id|group-name|owner-id|vpc-id|tag:.*|tag-key|tag-value|(egress\.)?ip-permission\..*)"
)
SERVICE_GROUP = "CloudFront-VPCOrigins-Service-SG"
"""The security group that CloudFront creates in a VPC with the first VPC origin there."""

RULE_FILTERS = re.compile(r"(group-id|security-group-rule-id|tag:.*|tag-key)")


class StoredInterface(NetworkInterface):
    """A network interface that services create and use, with the DNS names of its region."""

    def use_by(self, requester: str) -> None:
        """Assign it to a service (``amazon-elb``, or an account for Fargate), which alone may delete it."""
        self.requester_id, self.requester_managed, self.status = requester, True, "in-use"
        self.attached_at = datetime.now(UTC)

    @property
    def attachment(self) -> Any:
        """Its attachment, or None."""
        if not self.requester_managed:
            return super().attachment
        return {
            "AttachmentId": self.id.replace("eni-", "eni-attach-"),
            "AttachTime": self.attached_at,
            "DeleteOnTermination": False,
            "DeviceIndex": 1,
            "InstanceOwnerId": self.requester_id,
            "Status": "attached",
        }

    @property
    def association(self) -> dict[str, Any]:
        """Its public address, if any."""
        if not self.public_ip:
            return {}
        name = f"ec2-{self.public_ip.replace('.', '-')}.{_public_domain(self.ec2_backend.region_name)}"
        return {**super().association, "ipOwnerId": "amazon", "publicDnsName": name}

    def get_filter_value(self, filter_name: str, method_name: str | None = None) -> Any:
        """The value that a filter of DescribeNetworkInterfaces compares."""
        own = {
            "addresses.association.public-ip": self.public_ip or "",
            "addresses.private-ip-address": [one["PrivateIpAddress"] for one in self.private_ip_addresses],
            "association.public-ip": self.public_ip or "",
            "attachment.instance-owner-id": self.requester_id if self.requester_managed else self.owner_id,
            "availability-zone-id": self.subnet.availability_zone_id,
            "group-name": [group.name for group in self.group_set],
            "interface-type": self.interface_type,
            "mac-address": self.mac_address,
            "requester-id": self.requester_id,
            "requester-managed": str(self.requester_managed).lower(),
            "status": self.status,
        }
        return own[filter_name] if filter_name in own else super().get_filter_value(filter_name, method_name)


def _public_domain(region: str) -> str:
    return "compute-1.amazonaws.com" if region == "us-east-1" else f"{region}.compute.amazonaws.com"


def _private_domain(region: str) -> str:
    return "ec2.internal" if region == "us-east-1" else f"{region}.compute.internal"


@dataclass
class _Free:
    """The free addresses of a subnet: first those never used, in order, then released ones."""

    fresh: Iterator[str]
    returned: deque[str] = field(default_factory=deque)

    def take(self) -> str | None:
        """The next free address, or None."""
        return next(self.fresh, None) or (self.returned.popleft() if self.returned else None)


class Ec2Store(Gateways):
    """The networks of one account in one region."""

    def __init__(self, region_name: str, account_id: str) -> None:
        self._free: dict[str, _Free] = {}
        self.opted_in: set[str] = set()
        self.public_access = PublicAccess()
        super().__init__(region_name, account_id)

    def _load_amis(self) -> None:
        """Load no machine images: there are no instances, and moto would create hundreds after each reset."""

    def create_default_vpc(self) -> Any:
        """A default VPC as on AWS: a public subnet in every zone, with an internet gateway."""
        vpc = super().create_default_vpc()
        gateway = self.create_internet_gateway()
        self.attach_internet_gateway(gateway.id, vpc.id)
        (main,) = self.describe_route_tables(filters={"vpc-id": [vpc.id], "association.main": ["true"]})
        self.create_route(main.id, ANYWHERE, gateway_id=gateway.id)
        self.default_vpc = vpc
        return vpc

    def visible_zones(self, every: bool = False) -> list[Any]:
        """The zones that the account may use; ``every`` includes those that it has not opted in to."""
        edge = [zone for zone in zones.of_region(self.region_name) if every or zone.group in self.opted_in]
        return [*super().describe_availability_zones(), *edge]

    def create_subnet(self, *args: Any, **kwargs: Any) -> Any:
        """Create a subnet, in a zone of any type that the account may use."""
        given = dict(zip(("vpc_id", "cidr_block", "ipv6_cidr_block"), args, strict=False))
        names = ("availability_zone", "availability_zone_id")
        requested = [*args[3:5], *(kwargs.get(name) for name in names)]
        edge = next(
            (zone for zone in self.visible_zones() if {zone.name, zone.zone_id} & set(requested)), None
        )
        if not isinstance(edge, zones.EdgeZone):
            return super().create_subnet(*args, **kwargs)
        kwargs = {**given, **{key: value for key, value in kwargs.items() if key not in names}}
        made = super().create_subnet(**kwargs, availability_zone=edge.parent)
        self.subnets[edge.name][made.id] = self.subnets[edge.parent].pop(made.id)
        made._availability_zone, made.default_for_az = edge, False
        return made

    def blocked(self, subnet: Any) -> str:
        """The VPC Block Public Access state of a subnet."""
        return self.public_access.of(subnet.vpc_id, subnet.id)

    def get_vpc(self, vpc_id: str) -> Any:
        """The VPC, or InvalidVpcID.NotFound."""
        if vpc_id not in self.vpcs:
            raise AwsError("InvalidVpcID.NotFound", f"The vpc ID '{vpc_id}' does not exist")
        return super().get_vpc(vpc_id)

    def describe_vpcs(self, vpc_ids: list[str] | None = None, filters: Any = None) -> list[Any]:
        """The requested VPCs; InvalidVpcID.NotFound names the first unknown one."""
        for vpc_id in vpc_ids or []:
            self.get_vpc(vpc_id)
        found: list[Any] = super().describe_vpcs(vpc_ids, filters)
        return found

    def delete_vpc(self, vpc_id: str) -> Any:
        """Delete a VPC without resources; otherwise DependencyViolation."""
        used = any(gateway.vpc and gateway.vpc.id == vpc_id for gateway in self.internet_gateways.values())
        own = [group for group in self.groups.get(vpc_id, {}).values() if not group.is_default]
        if used or own:
            message = f"The vpc '{vpc_id}' has dependencies and cannot be deleted."
            raise AwsError("DependencyViolation", message)
        self.get_vpc(vpc_id)
        for group in list(self.groups.get(vpc_id, {}).values()):
            group.is_default = False  # it is deleted with its VPC only
            group.ingress_rules.clear()
        return super().delete_vpc(vpc_id)

    def delete_subnet(self, subnet_id: str) -> Any:
        """Delete a subnet without network interfaces; otherwise DependencyViolation."""
        self.get_subnet(subnet_id)
        if any(eni.subnet.id == subnet_id for eni in list(self.enis.values())):
            message = f"The subnet '{subnet_id}' has dependencies and cannot be deleted."
            raise AwsError("DependencyViolation", message)
        return super().delete_subnet(subnet_id)

    def create_network_interface(
        self,
        subnet: Any,
        private_ip_address: Any = None,
        private_ip_addresses: Any = None,
        group_ids: list[str] | None = None,
        *args: Any,
        **kwargs: Any,
    ) -> Any:
        """Create a network interface with a free address; AwsError without one, or for an unknown group."""
        for group_id in group_ids or []:
            self.group(group_id)
        if len(set(group_ids or [])) > GROUPS_MOST:
            message = "The maximum number of security groups per interface has been reached."
            raise AwsError("SecurityGroupsPerInterfaceLimitExceeded", message)
        subnet = self.get_subnet(subnet) if isinstance(subnet, str) else subnet
        if not private_ip_addresses:
            private_ip_address = self._address(subnet, private_ip_address)
        given = dict(zip(("description", "tags", "delete_on_termination"), args, strict=False))
        kwargs.update(given, group_ids=group_ids, private_ip_addresses=private_ip_addresses)
        eni = StoredInterface(self, subnet, private_ip_address, **kwargs)
        self._name(eni)
        self.enis[eni.id] = eni
        return eni

    def delete_network_interface(self, eni_id: str) -> None:
        """Delete a network interface; its address is reused after all others."""
        eni = self.get_network_interface(eni_id)
        super().delete_network_interface(eni_id)
        if eni.subnet.id in self._free:
            self._free[eni.subnet.id].returned.append(eni.private_ip_address)

    def _address(self, subnet: Any, requested: str | None) -> str:
        taken = {
            address["PrivateIpAddress"]
            for eni in list(self.enis.values())
            if eni.subnet.id == subnet.id
            for address in eni.private_ip_addresses
        }
        if requested in taken:
            raise AwsError("InvalidIPAddress.InUse", f"Address {requested} is in use.")
        if requested and is_in(subnet, requested):  # moto invents those of gateways and endpoints
            return requested
        if subnet.id not in self._free:  # AWS reserves the first four and the last
            block = ip_network(subnet.cidr_block)
            self._free[subnet.id] = _Free(str(block[each]) for each in range(4, block.num_addresses - 1))
        free = self._free[subnet.id]
        while address := free.take():
            if address not in taken:
                return address
        message = "The specified subnet does not have enough free addresses to satisfy the request."
        raise AwsError("InsufficientFreeAddressesInSubnet", message)

    def _name(self, eni: Any) -> None:
        vpc = self.get_vpc(eni.subnet.vpc_id)
        eni.private_dns_name = None
        for address in eni.private_ip_addresses:
            if vpc.enable_dns_hostnames:
                dashed = address["PrivateIpAddress"].replace(".", "-")
                address["PrivateDnsName"] = f"ip-{dashed}.{_private_domain(self.region_name)}"
                if address.get("Primary"):
                    eni.private_dns_name = address["PrivateDnsName"]

    def create_security_group(
        self,
        name: str,
        description: str,
        vpc_id: str | None = None,
        tags: dict[str, str] | None = None,
        force: bool = False,
        is_default: bool | None = None,
    ) -> Any:
        """Create a group that allows all egress; a VPC's default group also allows all ingress from itself."""
        if vpc_id is None and self.get_default_vpc() is None:
            raise AwsError("VPCIdNotSpecified", "No default VPC for this user")
        vpc_id = vpc_id or self.get_default_vpc().id
        self.get_vpc(vpc_id)
        if not is_default:
            _check_name(name)
            _check_description(description)
            if self.get_security_group_from_name(name, vpc_id) is not None:
                message = f"The security group '{name}' already exists for VPC '{vpc_id}'"
                raise AwsError("InvalidGroup.Duplicate", message)
        group = super().create_security_group(name, description, vpc_id, tags, True, is_default)
        if is_default:
            itself = {"GroupId": group.id, "UserId": self.account_id}
            rule = SecurityGroupRule(self, "-1", group.id, None, None, None, itself, is_egress=False)
            group.add_ingress_rule(rule)
        return group

    def describe_security_groups(
        self, group_ids: list[str] | None = None, groupnames: list[str] | None = None, filters: Any = None
    ) -> list[Any]:
        """The requested groups; InvalidGroup.NotFound names the first unknown one."""
        _check_filters(filters, GROUP_FILTERS)
        for group_id in group_ids or []:
            self.group(group_id)
        for name in groupnames or []:
            self.group_named(name)
        found: list[Any] = super().describe_security_groups(group_ids, groupnames, filters)
        return found

    def describe_security_group_rules(self, sg_rule_ids: Any, filters: Any) -> list[Any]:
        """The requested rules."""
        _check_filters(filters, RULE_FILTERS)
        found: list[Any] = super().describe_security_group_rules(sg_rule_ids, filters)
        return found

    def delete_security_group(self, name: str | None = None, group_id: str | None = None) -> None:
        """Delete an unused group; otherwise DependencyViolation; CannotDelete for a VPC's default group."""
        group = self.group(group_id) if group_id else self.group_named(name or "")
        if group.is_default:
            message = f'the specified group: "{group.id}" name: "{group.name}" cannot be deleted by a user'
            raise AwsError("CannotDelete", message)
        if any(self._uses(group)):
            raise AwsError("DependencyViolation", f"resource {group.id} has a dependent object")
        self.groups[group.vpc_id].pop(group.id)

    def service_group(self, vpc_id: str) -> Any:
        """CloudFront's security group in a VPC, created on first use."""
        found = self.get_security_group_from_name(SERVICE_GROUP, vpc_id)
        if found is not None:
            return found
        told = "VPC Origins Service SG"  # the text is not verified
        tags = {"aws.cloudfront.vpcorigin": "enabled"}
        return super().create_security_group(SERVICE_GROUP, told, vpc_id, tags, True)

    def drop_service_group(self, vpc_id: str) -> bool:
        """Delete that group; returns False where a rule or a network interface still uses it."""
        found = self.get_security_group_from_name(SERVICE_GROUP, vpc_id)
        if found is not None and any(self._uses(found)):
            return False
        if found is not None:
            self.groups[vpc_id].pop(found.id)
        return True

    def _uses(self, group: Any) -> Iterator[bool]:
        for eni in list(self.enis.values()):
            yield any(one.id == group.id for one in eni.group_set)
        for other in self._all_groups():
            if other.id != group.id:
                for rule in (*other.ingress_rules, *other.egress_rules):
                    yield rule.source_group.get("GroupId") == group.id

    def _all_groups(self) -> list[Any]:
        return [group for groups in list(self.groups.values()) for group in list(groups.values())]

    def group(self, group_id: str) -> Any:
        """The security group with this id, or InvalidGroup.NotFound."""
        group = self.get_security_group_from_id(group_id)
        if group is None and not group_id.startswith("sg-"):
            raise AwsError("InvalidGroupId.Malformed", f'Invalid id: "{group_id}" (expecting "sg-...")')
        if group is None:
            raise AwsError("InvalidGroup.NotFound", f"The security group '{group_id}' does not exist")
        return group

    def group_named(self, name: str) -> Any:
        """The security group of this name in the default VPC, or InvalidGroup.NotFound."""
        default = self.get_default_vpc()
        group = self.get_security_group_from_name(name, default.id) if default else None
        if group is None:
            where = f" in default VPC '{default.id}'" if default else ""
            raise AwsError("InvalidGroup.NotFound", f"The security group '{name}' does not exist{where}")
        return group


def _check_name(name: str) -> None:
    invalid = f"Value ({name}) for parameter GroupName is invalid."
    if name.startswith("sg-"):
        message = f"{invalid} Group names may not be in the format sg-*"
        raise AwsError("InvalidParameterValue", message)
    if name in ("default", SERVICE_GROUP):
        raise AwsError("InvalidParameterValue", f"Cannot use reserved security group name: {name}")
    _check_text(invalid, name)


def _check_description(description: str) -> None:
    if not description:
        message = "The request must contain the parameter GroupDescription"
        raise AwsError("MissingParameter", message)
    _check_text(f"Value ({description}) for parameter GroupDescription is invalid.", description)


def _check_text(invalid: str, text: str) -> None:
    if not text.isascii():
        message = f"{invalid} Character sets beyond ASCII are not supported."
        raise AwsError("InvalidParameterValue", message)
    if len(text) > 255 or not NAME.fullmatch(text):
        message = f"{invalid} Valid values are strings less than 256 characters from the following set: {SET}"
        raise AwsError("InvalidParameterValue", message)


def _check_filters(filters: Iterable[str] | None, known: re.Pattern[str]) -> None:
    for name in filters or []:
        if not known.fullmatch(name):
            raise AwsError("InvalidParameterValue", f"The filter '{name}' is invalid")


ec2_backends.keep_in(Ec2Store)
