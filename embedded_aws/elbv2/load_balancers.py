"""The operations on load balancers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ..iam.access.stored import ensure_linked_role
from ..moto import adapter
from ..moto.adapter import ActionResult, AwsError
from .attributes import LOAD_BALANCER, check_load_balancer, first_values
from .base import ElbBase, check_tags
from .checks import check_name, refuse

ZONE_IDS = {
    "af-south-1": "Z268VQBMOI5EKX",
    "ap-east-1": "Z3DQVH9N71FHZ0",
    "ap-northeast-1": "Z14GRHDCWA56QT",
    "ap-northeast-2": "ZWKZPGTI48KDX",
    "ap-northeast-3": "Z5LXEXXYW11ES",
    "ap-south-1": "ZP97RAFLXTNZK",
    "ap-southeast-1": "Z1LMS91P8CMLE5",
    "ap-southeast-2": "Z1GM3OXH4ZPM65",
    "ca-central-1": "ZQSVJUPU6J1EY",
    "eu-central-1": "Z215JYRZR1TBD5",
    "eu-north-1": "Z23TAZ6LKFMNIO",
    "eu-south-1": "Z3ULH7SSC9OV64",
    "eu-west-1": "Z32O12XQLNTSW2",
    "eu-west-2": "ZHURV8PSTC4K8",
    "eu-west-3": "Z3Q77PNBQS71R4",
    "me-south-1": "ZS929ML54UICD",
    "sa-east-1": "Z2P70J7HTTTPLU",
    "us-east-1": "Z35SXDOTRQ7X7K",
    "us-east-2": "Z3AADJGX6KTTL2",
    "us-west-1": "Z368ELLRRE2KJ0",
    "us-west-2": "Z1H1FL5HABSF5",
}
"""Hosted zone ids of Application Load Balancers, "Elastic Load Balancing endpoints and quotas"."""

MOST = 50  # "Application Load Balancers per Region"
FREE_ADDRESSES = 8
LINKED = "elasticloadbalancing.amazonaws.com"
HELD = (
    "This AWS account currently does not support creating load balancers. For more information, please contact "
    "AWS Support."
)


class LoadBalancers(ElbBase):
    """The operations on load balancers."""

    def create_load_balancer(self) -> ActionResult:
        """CreateLoadBalancer; the same settings return the existing load balancer."""
        given = self.given
        check_name("load balancer", given["Name"])
        self._check_balancer_kind(given)
        subnets = self._check_subnets(given)
        groups = self._check_groups(given.get("SecurityGroups") or [], subnets[0].vpc_id)
        tags = check_tags(given.get("Tags"))
        named = [one for one in self.elbv2_backend.load_balancers.values() if one.name == given["Name"]]
        if named:
            return ActionResult(
                {"LoadBalancers": [self._same_balancer(named[0], given, subnets, groups, tags)]}
            )
        if len(self.elbv2_backend.load_balancers) >= MOST:
            refuse(
                "You've reached the limit on the number of load balancers for your AWS account",
                "TooManyLoadBalancers",
            )
        if self.plane.faults.holds("load-balancers"):
            refuse(HELD, "OperationNotPermitted")
        self._check_room(subnets, given.get("Scheme", "internet-facing"))
        made = self._make_balancer(given, subnets, groups)
        ensure_linked_role(self.current_account, LINKED)
        return ActionResult({"LoadBalancers": [self._balancer_view(made)]})

    def _make_balancer(self, given: Mapping[str, Any], subnets: Sequence[Any], groups: Sequence[str]) -> Any:
        """Create the load balancer, open its endpoint and give it its network interfaces."""
        made = self.elbv2_backend.create_load_balancer(
            name=given["Name"],
            security_groups=groups,
            subnet_ids=[subnet.id for subnet in subnets],
            scheme=given.get("Scheme", "internet-facing"),
            loadbalancer_type="application",
            ip_address_type="ipv4",
            tags=given.get("Tags") or [],
        )
        made.ip_address_type = given.get("IpAddressType", "ipv4")
        made.canonical_hosted_zone_id = ZONE_IDS.get(self.region, "Z3AADJGX6KTTL2")
        made.attrs = first_values(LOAD_BALANCER)
        made.dns_name = self.balancer.open(made.arn)
        self._make_interfaces(made, made.subnets)
        return made

    def describe_load_balancers(self) -> ActionResult:
        """DescribeLoadBalancers, by ARNs or names; LoadBalancerNotFound names the missing ones."""
        arns, names = self.given.get("LoadBalancerArns") or [], self.given.get("Names") or []
        self.check_arns("load balancer", *arns)
        every = list(self.elbv2_backend.load_balancers.values())
        missing = [arn for arn in arns if arn not in self.elbv2_backend.load_balancers]
        missing += [name for name in names if name not in {one.name for one in every}]
        if missing:
            refuse(f"Load balancers '[{', '.join(missing)}]' not found", "LoadBalancerNotFound")
        if arns or names:
            every = [one for one in every if one.arn in arns or one.name in names]
        return self.page("LoadBalancers", [self._balancer_view(one) for one in every], "LoadBalancerArn")

    def delete_load_balancer(self) -> ActionResult:
        """DeleteLoadBalancer, with its listeners; succeeds also where it does not exist."""
        arn = self.given["LoadBalancerArn"]
        self.check_arns("load balancer", arn)
        found = self.elbv2_backend.load_balancers.get(arn)
        if found is None:
            return ActionResult({})
        if found.attrs["deletion_protection.enabled"] == "true":
            message = f"Load balancer '{arn}' cannot be deleted because deletion protection is enabled"
            refuse(message, "OperationNotPermitted")
        tagging = self.elbv2_backend.tagging_service
        for one in (arn, *found.listeners):
            tagging.delete_all_tags_for_resource(one)
        del self.elbv2_backend.load_balancers[arn]
        self.balancer.shut(arn, self.current_account, self.region)
        return ActionResult({})

    def describe_load_balancer_attributes(self) -> ActionResult:
        """DescribeLoadBalancerAttributes."""
        return ActionResult({"Attributes": self.find_load_balancer(self.given["LoadBalancerArn"]).attrs})

    def modify_load_balancer_attributes(self) -> ActionResult:
        """ModifyLoadBalancerAttributes."""
        found = self.find_load_balancer(self.given["LoadBalancerArn"])
        changes = {one["Key"]: one.get("Value") or "" for one in self.given["Attributes"]}
        check_load_balancer(changes)
        found.attrs.update(changes)
        return ActionResult({"Attributes": found.attrs})

    def set_security_groups(self) -> ActionResult:
        """SetSecurityGroups, also on the network interfaces."""
        found = self.find_load_balancer(self.given["LoadBalancerArn"])
        found.security_groups = self._check_groups(self.given["SecurityGroups"], found.vpc_id)
        for eni in self.balancer.interfaces(found.arn):
            adapter.set_eni_groups(self.current_account, self.region, eni, found.security_groups)
        return ActionResult({"SecurityGroupIds": found.security_groups})

    def set_subnets(self) -> ActionResult:
        """SetSubnets: deletes network interfaces in removed subnets, creates those in new ones."""
        found = self.find_load_balancer(self.given["LoadBalancerArn"])
        subnets = self._check_subnets(self.given)
        if subnets[0].vpc_id != found.vpc_id:
            refuse("The subnets must be in the VPC of the load balancer", "InvalidSubnet")
        kept = {subnet.id for subnet in found.subnets}
        self._drop_interfaces(found.arn, {subnet.id for subnet in subnets})
        found.subnets = subnets
        self._make_interfaces(found, [subnet for subnet in subnets if subnet.id not in kept])
        zones = self._balancer_view(found)["AvailabilityZones"]
        return ActionResult({"AvailabilityZones": zones, "IpAddressType": found.ip_address_type})

    def set_ip_address_type(self) -> ActionResult:
        """SetIpAddressType."""
        found = self.find_load_balancer(self.given["LoadBalancerArn"])
        found.ip_address_type = self.given["IpAddressType"]
        return ActionResult({"IpAddressType": found.ip_address_type})

    def _check_balancer_kind(self, given: Mapping[str, Any]) -> None:
        if given.get("Type", "application") != "application":
            refuse("The embedded AWS has Application Load Balancers only", "UnsupportedOperation")

    def _check_subnets(self, given: Mapping[str, Any]) -> list[Any]:
        mapped = [one["SubnetId"] for one in given.get("SubnetMappings") or []]
        ids = list(given.get("Subnets") or []) + mapped
        ec2 = adapter.ec2_backends[self.current_account][self.region]
        subnets = [adapter.find_subnet(ec2, one) for one in ids]
        for one, subnet in zip(ids, subnets, strict=True):
            if subnet is None:
                refuse(f"The subnet ID '{one}' does not exist", "SubnetNotFound")
        zones = [subnet.availability_zone for subnet in subnets]
        if len(set(ids)) != len(ids) or (len(set(zones)) != len(zones) and len(set(zones)) > 1):
            message = "A load balancer cannot be attached to multiple subnets in the same Availability Zone"
            refuse(message, "InvalidConfigurationRequest")
        if len(set(zones)) < 2:
            refuse("At least two subnets in two different Availability Zones must be specified")
        if len({subnet.vpc_id for subnet in subnets}) > 1:
            refuse("All subnets must belong to the same VPC", "InvalidSubnet")
        return subnets

    def _check_room(self, subnets: Sequence[Any], scheme: str) -> None:
        """Check a new load balancer's subnets: free addresses, and a route to the internet for an internet-facing
        one."""
        for subnet in subnets:
            if subnet.available_ip_address_count < FREE_ADDRESSES:
                message = f"Not enough IP space available in {subnet.id}."
                refuse(
                    f"{message} ELB requires at least 8 free IP addresses in each subnet.", "InvalidSubnet"
                )
        vpc = subnets[0].vpc_id
        ec2 = adapter.ec2_backends[self.current_account][self.region]
        attached = {gateway.vpc.id for gateway in ec2.internet_gateways.values() if gateway.vpc}
        if scheme == "internet-facing" and vpc not in attached:
            refuse(f"VPC {vpc} has no internet gateway", "InvalidSubnet")

    def _check_groups(self, groups: Sequence[str], vpc: str) -> list[str]:
        ec2 = adapter.ec2_backends[self.current_account][self.region]
        if not groups:
            return [ec2.get_default_security_group(vpc).id]
        for one in groups:
            found = ec2.get_security_group_from_id(one)
            if found is None or found.vpc_id != vpc:
                refuse("One or more security groups are invalid", "InvalidConfigurationRequest")
        return list(groups)

    def _same_balancer(
        self,
        found: Any,
        given: Mapping[str, Any],
        subnets: list[Any],
        groups: list[str],
        tags: dict[str, str],
    ) -> dict[str, Any]:
        requested = (
            given.get("Scheme", "internet-facing"),
            given.get("IpAddressType", "ipv4"),
            {subnet.id for subnet in subnets},
            set(groups),
            tags,
        )
        now = (
            found.scheme,
            found.ip_address_type,
            {subnet.id for subnet in found.subnets},
            set(found.security_groups),
            self.tags_of(found.arn),
        )
        if requested != now:
            message = f"A load balancer with the same name '{found.name}' exists, but with different settings"
            raise AwsError("DuplicateLoadBalancerName", message)
        return self._balancer_view(found)

    def _make_interfaces(self, found: Any, subnets: Sequence[Any]) -> None:
        description = f"ELB {found.arn.partition(':loadbalancer/')[2]}"
        public = found.scheme == "internet-facing"
        for subnet in subnets:
            eni = adapter.create_eni(
                self.current_account, self.region, subnet.id, found.security_groups, description, public
            )
            self.balancer.interfaces(found.arn).append(eni.id)

    def _drop_interfaces(self, arn: str, kept: set[str]) -> None:
        ec2 = adapter.ec2_backends[self.current_account][self.region]
        mine = self.balancer.interfaces(arn)
        for eni in [one for one in mine if one in ec2.enis and ec2.enis[one].subnet.id not in kept]:
            adapter.delete_eni(self.current_account, self.region, eni)
            mine.remove(eni)

    def _balancer_view(self, found: Any) -> dict[str, Any]:
        """A load balancer in the shape of DescribeLoadBalancers."""
        state = "active" if self.balancer.is_active(found.arn) else "provisioning"
        zones = [
            {"ZoneName": subnet.availability_zone, "SubnetId": subnet.id, "LoadBalancerAddresses": []}
            for subnet in found.subnets
        ]
        return {
            "LoadBalancerArn": found.arn,
            "DNSName": found.dns_name,
            "CanonicalHostedZoneId": found.canonical_hosted_zone_id,
            "CreatedTime": found.created_time,
            "LoadBalancerName": found.name,
            "Scheme": found.scheme,
            "VpcId": found.vpc_id,
            "State": {"Code": state},
            "Type": "application",
            "AvailabilityZones": zones,
            "SecurityGroups": list(found.security_groups),
            "IpAddressType": found.ip_address_type,
        }
