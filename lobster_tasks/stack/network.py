"""The VPC and its subnets, which are found and never made, and the two security groups."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from ..aws import Aws
from ..errors import RefusedError
from .resource import Attributes, Known, Live, Resource, stack_of, tag_list

ANYWHERE = "0.0.0.0/0"
EVERYTHING_OUT = f"everything to {ANYWHERE}"
_GROUP_ABSENT = ("InvalidGroup.NotFound",)
_GROUP_IN_USE: dict[str, tuple[str, ...]] = {"DependencyViolation": ()}
# Network interfaces of a load balancer or a task let go minutes after they are gone (EC2, DeleteSecurityGroup).
_GROUP_RELEASE_SECONDS = 600.0


@dataclass(frozen=True)
class Network(Resource):
    """The VPC and the subnets in at least two zones that everything runs in.

    ``vpc`` and ``subnets`` are ids; empty means the default VPC and the first subnet of each of its first two
    zones, because each further one costs a public address. Its live id is the VPC's.
    """

    kind: ClassVar[str] = "network"
    taggable: ClassVar[bool] = False
    vpc: str = ""
    subnets: tuple[str, ...] = ()

    def read(self, aws: Aws, known: Known) -> Live | None:
        """DescribeVpcs and DescribeSubnets; raises RefusedError where there are not two zones."""
        vpc = self._vpc(aws)
        chosen = self._chosen(self._subnets(aws, vpc))
        attributes = {"vpc": vpc, "subnets": tuple(subnet["SubnetId"] for subnet in chosen)}
        zones = tuple(subnet["AvailabilityZone"] for subnet in chosen)
        return Live(vpc, attributes, self.stack, {"zones": zones})

    def wanted(self, known: Known) -> Attributes:
        """Nothing: the network is somebody else's."""
        return {}

    def create(self, aws: Aws, known: Known) -> Live:
        """Never called: ``read`` either finds the network or refuses."""
        raise AssertionError("a network is found, never made")

    def update(self, aws: Aws, live: Live, changed: frozenset[str], known: Known) -> None:
        """Nothing can differ."""

    def delete(self, aws: Aws, live: Live) -> None:
        """Never ours to delete."""

    def adopt(self, aws: Aws, live: Live) -> None:
        """Never ours to tag."""

    def _vpc(self, aws: Aws) -> str:
        if self.vpc:
            return self.vpc
        default = [{"Name": "is-default", "Values": ["true"]}]
        vpcs = aws.pages("ec2:DescribeVpcs", "Vpcs", "the default VPC", Filters=default)
        if not vpcs:
            raise RefusedError(
                f"There is no default VPC in {aws.region}.",
                "network.vpc and network.subnets are not set, so the default VPC was looked for",
                "set them in invoke.yaml, or make one: aws ec2 create-default-vpc",
            )
        return str(vpcs[0]["VpcId"])

    def _subnets(self, aws: Aws, vpc: str) -> list[dict[str, Any]]:
        inside = [{"Name": "vpc-id", "Values": [vpc]}]
        subnets = aws.pages("ec2:DescribeSubnets", "Subnets", f"the subnets of {vpc}", Filters=inside)
        if missing := sorted(set(self.subnets) - {subnet["SubnetId"] for subnet in subnets}):
            raise RefusedError(
                f"{vpc} has no subnet {', '.join(missing)}.",
                "every one of network.subnets has to be in network.vpc",
                "correct network.subnets in invoke.yaml",
            )
        return sorted(subnets, key=lambda subnet: (subnet["AvailabilityZone"], subnet["SubnetId"]))

    def _chosen(self, subnets: Iterable[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
        by_zone: dict[str, Mapping[str, Any]] = {}
        for subnet in subnets:
            if not self.subnets or subnet["SubnetId"] in self.subnets:
                by_zone.setdefault(subnet["AvailabilityZone"], subnet)
        chosen = list(by_zone.values())[: None if self.subnets else 2]
        if len(chosen) < 2:
            raise RefusedError(
                f"{self.name} has subnets in {len(chosen)} zone{'' if len(chosen) == 1 else 's'}.",
                "an Application Load Balancer takes subnets in at least two Availability Zones",
                "name subnets in two zones in network.subnets, or make one more subnet",
            )
        return chosen


@dataclass(frozen=True)
class SecurityGroup(Resource):
    """A security group; ``ports`` are TCP ports let in from ``source``, or from anywhere where that is None.

    Ingress is ours to the letter: a rule too many is taken away. Egress has to include everything, which is
    what EC2 gives a new group; more does no harm.
    """

    kind: ClassVar[str] = "security group"
    fixed: ClassVar[frozenset[str]] = frozenset({"vpc"})
    network: Network
    description: str
    ports: tuple[int, ...]
    source: SecurityGroup | None = None

    def read(self, aws: Aws, known: Known) -> Live | None:
        """DescribeSecurityGroups by name in the VPC."""
        filters = [
            {"Name": "group-name", "Values": [self.name]},
            {"Name": "vpc-id", "Values": [known[self.network].id]},
        ]
        groups = aws.pages("ec2:DescribeSecurityGroups", "SecurityGroups", self.label, Filters=filters)
        if not groups:
            return None
        names = {live.id: resource.name for resource, live in known.items()}
        attributes = {
            "ingress": _in_words(groups[0]["IpPermissions"], "from", names),
            "egress": EVERYTHING_OUT in _in_words(groups[0]["IpPermissionsEgress"], "to", names),
        }
        return Live(groups[0]["GroupId"], attributes, stack_of(groups[0].get("Tags", [])), groups[0])

    def wanted(self, known: Known) -> Attributes:
        """One ingress rule a port; everything out."""
        source = self.source.name if self.source else ANYWHERE
        return {"ingress": tuple(sorted(f"tcp {port} from {source}" for port in self.ports)), "egress": True}

    def create(self, aws: Aws, known: Known) -> Live:
        """CreateSecurityGroup, which lets everything out, then its ingress."""
        made = aws.call(
            "ec2:CreateSecurityGroup",
            self.label,
            GroupName=self.name,
            Description=self.description,
            VpcId=known[self.network].id,
            TagSpecifications=[{"ResourceType": "security-group", "Tags": tag_list(self.tags)}],
        )
        live = Live(made["GroupId"], {"ingress": (), "egress": True}, self.stack)
        self.update(aws, live, frozenset({"ingress"}), known)
        return live

    def update(self, aws: Aws, live: Live, changed: frozenset[str], known: Known) -> None:
        """Take away the ingress rules that are too many, add those that are missing, let everything out."""
        if "ingress" in changed:
            self._repair_ingress(aws, live, known)
        if "egress" in changed:
            everything = [{"IpProtocol": "-1", "IpRanges": [{"CidrIp": ANYWHERE}]}]
            aws.call(
                "ec2:AuthorizeSecurityGroupEgress", self.label, GroupId=live.id, IpPermissions=everything
            )

    def delete(self, aws: Aws, live: Live) -> None:
        """DeleteSecurityGroup, as often as it takes until its last network interface is gone."""

        def delete() -> None:
            aws.find("ec2:DeleteSecurityGroup", _GROUP_ABSENT, self.label, GroupId=live.id)

        aws.settle(delete, _GROUP_IN_USE, _GROUP_RELEASE_SECONDS)

    def adopt(self, aws: Aws, live: Live) -> None:
        """CreateTags."""
        aws.call("ec2:CreateTags", self.label, Resources=[live.id], Tags=tag_list(self.tags))

    def _repair_ingress(self, aws: Aws, live: Live, known: Known) -> None:
        names = {found.id: resource.name for resource, found in known.items()}
        present = _single_rules(live.raw.get("IpPermissions", []))
        wanted = {self._permission_words(port): self._permission(port, known) for port in self.ports}
        extra = [rule for rule in present if _in_words([rule], "from", names)[0] not in wanted]
        missing = [rule for words, rule in wanted.items() if words not in live.attributes["ingress"]]
        if extra:
            aws.call("ec2:RevokeSecurityGroupIngress", self.label, GroupId=live.id, IpPermissions=extra)
        if missing:
            aws.call("ec2:AuthorizeSecurityGroupIngress", self.label, GroupId=live.id, IpPermissions=missing)

    def _permission_words(self, port: int) -> str:
        return f"tcp {port} from {self.source.name if self.source else ANYWHERE}"

    def _permission(self, port: int, known: Known) -> dict[str, Any]:
        permission: dict[str, Any] = {"IpProtocol": "tcp", "FromPort": port, "ToPort": port}
        if self.source:
            return permission | {"UserIdGroupPairs": [{"GroupId": known[self.source].id}]}
        return permission | {"IpRanges": [{"CidrIp": ANYWHERE}]}


# The members of an IpPermission that name a peer, and the member within that is its id.
_PEERS = {
    "IpRanges": "CidrIp",
    "Ipv6Ranges": "CidrIpv6",
    "UserIdGroupPairs": "GroupId",
    "PrefixListIds": "PrefixListId",
}


def _single_rules(permissions: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Permissions with one peer each, so that one can be revoked without its neighbours."""
    rules = []
    for permission in permissions:
        base = {key: permission[key] for key in ("IpProtocol", "FromPort", "ToPort") if key in permission}
        for member, identity in _PEERS.items():
            rules += [{**base, member: [{identity: peer[identity]}]} for peer in permission.get(member, [])]
    return rules


def _in_words(
    permissions: Iterable[Mapping[str, Any]], preposition: str, names: Mapping[str, str]
) -> tuple[str, ...]:
    """Rules as ``tcp 8501 from lobster-alb-sg``; groups that we know go by their names."""
    words = []
    for rule in _single_rules(permissions):
        member = next(member for member in _PEERS if member in rule)
        peer = rule[member][0][_PEERS[member]]
        words.append(f"{_traffic(rule)} {preposition} {names.get(peer, peer)}")
    return tuple(sorted(words))


def _traffic(rule: Mapping[str, Any]) -> str:
    if rule["IpProtocol"] == "-1":
        return "everything"
    low, high = rule.get("FromPort"), rule.get("ToPort")
    ports = f"{low}" if low == high else f"{low}-{high}"
    return f"{rule['IpProtocol']} {ports}"
