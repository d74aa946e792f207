"""The VPC and its subnets, which exist already, and the two security groups."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from ipaddress import ip_network
from typing import Any, ClassVar, Literal

from ..account import BLACKHOLE, covers_port, default_route_of, has_internet_gateway
from ..aws import Aws
from ..denials import ACCESS_DENIED
from ..errors import RefusedError
from ..settings import STACK_TAG
from .neighbours import Neighbours
from .origin_facing import CLOUDFRONT, OriginFacing
from .resource import Attributes, Live, LiveResources, Resource, tag_list, tags_of
from .subnets import (
    BALANCER_ADDRESSES,
    blocked,
    free_addresses,
    impossible,
    weak,
    without_fargate,
    without_vpc_origins,
)

ANYWHERE = "0.0.0.0/0"
ANYWHERE_IPV6 = "::/0"
_GROUP_ABSENT = ("InvalidGroup.NotFound",)
_GROUP_IN_USE: dict[str, tuple[str, ...]] = {"DependencyViolation": ()}
# Network interfaces of a deleted load balancer or task exist for some minutes more (EC2, DeleteSecurityGroup).
_GROUP_RELEASE_SECONDS = 600.0


@dataclass(frozen=True)
class Network(Resource):
    """The VPC and its subnets, in at least two Availability Zones.

    ``vpc`` and ``subnets`` are ids; empty means the default VPC and one subnet in each of its first two zones,
    because each further zone costs a public address. Subnets without Fargate and full ones are never chosen; where
    the settings name one, RefusedError says why not. Those in a zone that is impaired for now, or whose traffic is
    blocked, come last: ``raw["doubtful"]`` says why. ``public``: chosen subnets have a route to an internet
    gateway. Its live id is the VPC's, ``raw["zones"]`` maps each subnet that may be chosen to its zone.
    ``task_subnets`` are the tasks' subnets, where they differ. ``fronted``: CloudFront reaches the load balancer, so it
    must support VPC origins in the subnets' zones, and the VPC must have an internet gateway.

    ``addressed``: tasks have a public address, without which an internet gateway leads them nowhere. Where they have
    none, subnets with another way out are chosen first. ``raw["unreached"]`` are subnets whose tasks would need one.
    """

    kind: ClassVar[str] = "network"
    taggable: ClassVar[bool] = False
    vpc: str = ""
    subnets: tuple[str, ...] = ()
    public: bool = True
    task_subnets: tuple[str, ...] = ()
    fronted: bool = False
    addressed: bool = True

    def read(self, aws: Aws, known: LiveResources) -> Live | None:
        """DescribeVpcs, DescribeSubnets and DescribeRouteTables; RefusedError without subnets in two zones."""
        vpc = self._vpc(aws)
        if self.fronted:
            _refuse_without_gateway(aws, vpc)
        tables = self._tables(aws, vpc)
        zones, full, doubtful = self._zones(aws, vpc, tables)
        chosen = self._chosen(zones, full, doubtful)
        tasks = () if self.addressed else self.task_subnets or chosen
        unreached = tuple(each for each in tasks if has_internet_gateway(tables, each))
        taken = {each: doubtful[each] for each in (*chosen, *self.task_subnets) if each in doubtful}
        raw = {"zones": zones, "full": full, "unreached": unreached, "doubtful": taken}
        return Live(vpc, {"vpc": vpc, "subnets": chosen}, self.tags, raw)

    def remarks(self, live: Live, known: LiveResources) -> tuple[str, ...]:
        """That tasks without a public address would be in public subnets, and what is doubtful about the subnets."""
        doubts = tuple(
            f"{subnet}: {why}; tasks may not start or be reached there. Name other subnets in network.subnets, if that "
            "lasts"
            for subnet, why in live.raw.get("doubtful", {}).items()
        )
        if not (subnets := live.raw.get("unreached")):
            return doubts
        lead = "route" if len(subnets) > 1 else "routes"
        return (
            *doubts,
            f"tasks get no public address (network.public: false), and {', '.join(subnets)} {lead} to an internet "
            "gateway: without VPC endpoints for what they need they do not start. Name subnets with a NAT gateway in "
            "network.task_subnets, or set network.public: true",
        )

    def settled(self, known: LiveResources, present: Collection[str]) -> tuple[str, ...]:
        """The subnets for a resource that is in the subnets ``present`` (empty before it is created), sorted.

        Where the settings name none, suitable subnets stay: a new subnet in the VPC is no reason for a change.
        """
        found = known.get(self)
        if found is None:
            return ()
        zones = found.raw["zones"]
        placed = {zones[subnet] for subnet in present if subnet in zones}
        if not self.subnets and len(present) == len(placed) == 2:
            return tuple(sorted(present))
        chosen = tuple(sorted(found.attributes["subnets"]))
        if not present and (full := [each for each in chosen if each in found.raw.get("full", ())]):
            raise RefusedError(
                f"{', '.join(full)}: fewer than {BALANCER_ADDRESSES} addresses are free.",
                f"an Application Load Balancer needs {BALANCER_ADDRESSES} in each of its subnets",
                "name larger subnets in network.subnets, or free addresses in these",
            )
        return chosen

    def desired(self, known: LiveResources) -> Attributes:
        """No attributes: the network is not the stack's."""
        return {}

    def create(self, aws: Aws, known: LiveResources) -> Live:
        """Never called: ``read`` either finds the network or raises RefusedError."""
        raise AssertionError("setup uses an existing network and never creates one")

    def update(self, aws: Aws, live: Live, changed: frozenset[str], known: LiveResources) -> Live:
        """No attribute can differ."""
        return live

    def delete(self, aws: Aws, live: Live) -> None:
        """Nothing: the network is never deleted."""

    def tag(self, aws: Aws, live: Live, tags: Mapping[str, str]) -> None:
        """Nothing: the network is never tagged."""

    def untag(self, aws: Aws, live: Live, names: tuple[str, ...]) -> None:
        """Nothing: the network is never tagged."""

    def _vpc(self, aws: Aws) -> str:
        if self.vpc:
            return self.vpc
        default = [{"Name": "is-default", "Values": ["true"]}]
        vpcs = aws.pages("ec2:DescribeVpcs", "Vpcs", "the default VPC", Filters=default)
        if not vpcs:
            raise RefusedError(
                f"There is no default VPC in {aws.region}.",
                "network.vpc and network.subnets are not set, so setup looked for the default VPC",
                "set them in invoke.yaml, or create one: aws ec2 create-default-vpc",
            )
        return str(vpcs[0]["VpcId"])

    def _tables(self, aws: Aws, vpc: str) -> Sequence[Mapping[str, Any]]:
        """The VPC's route tables, where the choice or the tasks' addresses depend on them."""
        if self.addressed and (self.subnets or not self.public):
            return ()
        inside = [{"Name": "vpc-id", "Values": [vpc]}]
        return aws.pages("ec2:DescribeRouteTables", "RouteTables", f"the routes of {vpc}", Filters=inside)

    def _zones(
        self, aws: Aws, vpc: str, tables: Sequence[Mapping[str, Any]]
    ) -> tuple[dict[str, str], frozenset[str], dict[str, str]]:
        """The zone of each subnet that may be chosen, in order; the subnets too full for a load balancer; and those
        that are chosen last, each with the reason."""
        inside = [{"Name": "vpc-id", "Values": [vpc]}]
        subnets = aws.pages("ec2:DescribeSubnets", "Subnets", f"the subnets of {vpc}", Filters=inside)
        there = {subnet["SubnetId"] for subnet in subnets}
        for setting, named in (("subnets", self.subnets), ("task_subnets", self.task_subnets)):
            if missing := sorted(set(named) - there):
                raise RefusedError(
                    f"{vpc} has no subnet {', '.join(missing)}.",
                    f"every one of network.{setting} has to be in network.vpc",
                    f"correct network.{setting} in invoke.yaml",
                )
        found = zones_by_name(aws)
        unfit = self._unfit(aws.region, subnets, found)
        zones = {subnet["SubnetId"]: str(subnet["AvailabilityZone"]) for subnet in subnets}
        zones = {
            subnet: zone for subnet, zone in zones.items() if subnet not in unfit or subnet in self.subnets
        }
        full = frozenset(each["SubnetId"] for each in subnets if free_addresses(each) < BALANCER_ADDRESSES)
        eligible: Collection[str] = self.subnets or zones
        if self.public and not self.subnets:
            eligible = [each for each in zones if has_internet_gateway(tables, each)]
        ordered = sorted(eligible, key=lambda each: (zones[each], each))
        if not (self.addressed or self.public or self.subnets):
            ordered.sort(key=lambda each: _without_a_way_out(default_route_of(tables, each)))
        return {subnet: zones[subnet] for subnet in ordered}, full, self._doubtful(subnets, found)

    def _doubtful(
        self, subnets: Iterable[Mapping[str, Any]], zones: Mapping[str, Mapping[str, Any]]
    ) -> dict[str, str]:
        """The subnets that are chosen only where there are no others, each with the reason."""
        whys = {
            each["SubnetId"]: weak(each, zones.get(each["AvailabilityZone"], {}).get("State", ""))
            or blocked(each, self.public)
            for each in subnets
        }
        return {subnet: why for subnet, why in whys.items() if why}

    def _unfit(
        self, region: str, subnets: Iterable[Mapping[str, Any]], zones: Mapping[str, Mapping[str, Any]]
    ) -> set[str]:
        """The subnets that are never chosen; RefusedError where the settings name one in which no task can run."""
        unfit = set()
        for subnet in subnets:
            name = subnet["SubnetId"]
            why = impossible(subnet, zones.get(subnet["AvailabilityZone"], {}).get("ZoneType", ""))
            if why and name in (*self.subnets, *self.task_subnets):
                raise RefusedError(
                    f"No task can be in {name}.", why, "name another subnet in network.subnets"
                )
            unreached = without_vpc_origins(subnet) if self.fronted else ""
            if unreached and name in self.subnets:
                raise RefusedError(
                    f"CloudFront cannot reach a load balancer in {name}.",
                    unreached,
                    "name another subnet in network.subnets, or set front.kind: none",
                )
            if why or unreached or without_fargate(subnet, region):
                unfit.add(name)
        return unfit

    def _chosen(
        self, zones: Mapping[str, str], full: Collection[str], doubtful: Collection[str]
    ) -> tuple[str, ...]:
        by_zone: dict[str, str] = {}
        for subnet, zone in zones.items() if self.subnets else _sound_first(zones, full, doubtful):
            other = by_zone.setdefault(zone, subnet)
            if self.subnets and other != subnet:
                raise RefusedError(
                    f"{other} and {subnet} are both in {zone}.",
                    "an Application Load Balancer takes one subnet of each Availability Zone",
                    "keep one of them in network.subnets",
                )
        if len(by_zone) < 2:
            kind = "public subnets" if self.public and not self.subnets else "subnets"
            but = " (those in which Fargate does not run do not count)"
            raise RefusedError(
                f"{self.name} has {kind} in {len(by_zone)} zone{'' if len(by_zone) == 1 else 's'}.",
                f"an Application Load Balancer takes subnets in at least two Availability Zones{but}",
                "name subnets in two zones in network.subnets, or create another subnet",
            )
        return tuple(by_zone.values()) if self.subnets else tuple(by_zone.values())[:2]


def _refuse_without_gateway(aws: Aws, vpc: str) -> None:
    """ "The VPC must have an internet gateway" (CloudFront, "Restrict access with VPC origins"); none is made."""
    attached = [{"Name": "attachment.vpc-id", "Values": [vpc]}]
    gateways = "ec2:DescribeInternetGateways", "InternetGateways", f"the gateways of {vpc}"
    if not aws.pages(*gateways, Filters=attached):
        raise RefusedError(
            f"{vpc} has no internet gateway.",
            "CloudFront reaches load balancers only in VPCs that have one, though no traffic uses it",
            "attach one (aws ec2 create-internet-gateway, attach-internet-gateway), or set front.kind: none",
        )


def _sound_first(
    zones: Mapping[str, str], full: Collection[str], doubtful: Collection[str]
) -> list[tuple[str, str]]:
    """Subnets with their zones; doubtful ones come later, and those without addresses for a load balancer last."""
    return sorted(zones.items(), key=lambda each: (each[0] in full, each[0] in doubtful))


def _without_a_way_out(route: str) -> int:
    """The rank of a subnet for tasks without a public address, by its default route: a NAT gateway or such comes first.

    An internet gateway comes last; without a route there may be VPC endpoints.
    """
    if route.startswith("igw-"):
        return 2
    return 1 if route in ("", BLACKHOLE) else 0


def zones_by_name(aws: Aws) -> dict[str, Mapping[str, Any]]:
    """The zones by their names, in the shape of DescribeAvailabilityZones; empty without the permission."""
    found = aws.find("ec2:DescribeAvailabilityZones", ACCESS_DENIED, "the zones")
    return {zone["ZoneName"]: zone for zone in found["AvailabilityZones"]} if found else {}


@dataclass(frozen=True)
class SecurityGroup(Resource):
    """A security group; ``ports`` are TCP ports open to the group ``source``, or to the CIDR blocks ``sources``, or,
    with a ``front``, to CloudFront only: to its prefix list, or to its own group in the VPC. What it opens to the group
    ``former_source`` stays as it is until that group is deleted. ``for_visitors`` says whether these CIDR blocks are
    those of visitors from the internet.

    Its ingress rules must be exactly ours: others are revoked. Egress must include everything, as in a new group;
    further egress rules stay. An adopted group keeps its ingress rules, and gets ours with the stack in each rule's
    description.
    """

    kind: ClassVar[str] = "security-group"
    additions: ClassVar[frozenset[str]] = frozenset({"ingress"})
    network: Network
    description: str
    ports: tuple[int, ...]
    source: SecurityGroup | None = None
    sources: tuple[str, ...] = (ANYWHERE,)
    front: OriginFacing | None = None
    former_source: SecurityGroup | None = None
    for_visitors: bool = False

    def read(self, aws: Aws, known: LiveResources) -> Live | None:
        """DescribeSecurityGroups by name in the VPC."""
        filters = [
            {"Name": "group-name", "Values": [self.name]},
            {"Name": "vpc-id", "Values": [known[self.network].id]},
        ]
        listed = aws.pages("ec2:DescribeSecurityGroups", "SecurityGroups", self.label, Filters=filters)
        # A filter reads * as a wildcard (Amazon EC2 User Guide, "Filtering your resources"), which a name can contain.
        groups = [each for each in listed if each["GroupName"] == self.name]
        if not groups:
            return None
        attributes = {
            "ingress": _in_words(groups[0]["IpPermissions"], self._names(known)),
            "egress": _egress_in_words(groups[0]["IpPermissionsEgress"], self._names(known)),
        }
        return Live(groups[0]["GroupId"], attributes, tags_of(groups[0].get("Tags", [])), groups[0])

    def desired(self, known: LiveResources) -> Attributes:
        """One ingress rule per port and source; all egress."""
        return {"ingress": tuple(sorted({*self._rules(), *self._former_rules(known)})), "egress": _ALL_OUT}

    def desired_when_adopted(self, live: Live, known: LiveResources) -> Attributes:
        """Its own ingress rules and ours."""
        return {"ingress": tuple(sorted({*live.attributes["ingress"], *self._rules()}))}

    def _former_rules(self, known: LiveResources) -> set[str]:
        """The present rules for the former source, in words."""
        if self.former_source is None or self not in known:
            return set()
        words = {_words(_tcp(port), self.former_source.name) for port in self.ports}
        return words & set(known[self].attributes["ingress"])

    def cidr_blocks(self, live: Live, port: int) -> tuple[str, ...]:
        """The CIDR blocks that it lets in at a TCP port."""
        return cidr_blocks(live.raw.get("IpPermissions", ()), port)

    def permissions_afterwards(self, live: Live | None) -> list[dict[str, Any]]:
        """Its rules for CIDR blocks once they are as desired; an adopted group keeps its own."""
        sources = () if self.front or self.source else self.sources
        ours = [_with_block(_tcp(port), each) for port in self.ports for each in sources]
        return [*(self.every_rule(live) if live and self.is_shared(live) else ()), *ours]

    def limits_visitors(self, live: Live | None, changed: frozenset[str]) -> tuple[str, ...]:
        """The CIDR blocks of visitors; an adopted group loses no rule."""
        limits = self.for_visitors and not self.front and ANYWHERE not in self.sources
        narrows = live is None or ("ingress" in changed and not live.adopted)
        return self.sources if limits and narrows else ()

    def widened(
        self, live: Live, changed: frozenset[str], known: LiveResources
    ) -> Mapping[Direction, tuple[str, ...]]:
        """The rules that an update adds for peers that no rule has so far, in words, so that more gets in or out.

        A rule that takes the place of another one with the same peer, as after a change of the port, lets the same
        peer in, and so does one for a part of another one's addresses. A peer that does not exist yet has never been
        kept out.
        """
        found: dict[Direction, tuple[str, ...]] = {}
        if "egress" in changed:
            found["out"] = _ALL_OUT
        if "ingress" in changed and (self.front or self.source is None or self.source in known):
            now, names = live.attributes["ingress"], self._names(known)
            peers = {names.get(each, each) for each in map(_peer_of, self.every_rule(live))}
            new = [
                words
                for words, (_, peer) in self._rules().items()
                if words not in now and not _is_among(peer, peers)
            ]
            found |= {"in": tuple(sorted(new))} if new else {}
        return found

    def used_by(self, neighbours: Neighbours, live: Live, known: LiveResources) -> tuple[str, ...]:
        """Other groups whose rules name it, other load balancers and network interfaces in it."""
        aws, ours = neighbours.aws, {found.id for found in known.values()}
        named = ("ip-permission.group-id", "egress.ip-permission.group-id")
        filters = [[{"Name": name, "Values": [live.id]}] for name in named]
        groups = [
            group
            for each in filters
            for group in aws.pages("ec2:DescribeSecurityGroups", "SecurityGroups", self.label, Filters=each)
        ]
        balancers = aws.pages("elbv2:DescribeLoadBalancers", "LoadBalancers", self.label)
        having = [each for each in balancers if live.id in each.get("SecurityGroups", [])]
        told = [f"security group {each['GroupName']}" for each in groups if each["GroupId"] not in ours]
        told += [
            f"load balancer {each['LoadBalancerName']}"
            for each in having
            if each["LoadBalancerArn"] not in ours
        ]
        told += self._interfaces(neighbours, live)
        return tuple(dict.fromkeys(told))

    def _interfaces(self, neighbours: Neighbours, live: Live) -> list[str]:
        """Network interfaces in it, without those of load balancers and ECS tasks, which are reported by name."""
        operation, named = "ec2:DescribeNetworkInterfaces", [{"Name": "group-id", "Values": [live.id]}]
        found = neighbours.aws.pages(operation, "NetworkInterfaces", self.label, Filters=named)
        about = {each["NetworkInterfaceId"]: each.get("Description", "") for each in found}
        rest = [id for id, text in about.items() if not text.startswith(_BALANCERS) and _TASK not in text]
        return [
            *neighbours.in_group(live.id, about),
            *(f"network interface {id}" for id in rest),
        ]

    def _rules(self) -> dict[str, tuple[int, str]]:
        """The ingress rules: description → port, and CIDR block or group."""
        sources = [CLOUDFRONT] if self.front else [self.source.name] if self.source else self.sources
        return {_words(_tcp(port), each): (port, each) for port in self.ports for each in sources}

    def create(self, aws: Aws, known: LiveResources) -> Live:
        """CreateSecurityGroup, which allows all egress, then its ingress."""
        made = aws.call(
            "ec2:CreateSecurityGroup",
            self.label,
            GroupName=self.name,
            Description=self.description,
            VpcId=known[self.network].id,
            TagSpecifications=[{"ResourceType": "security-group", "Tags": tag_list(self.tags)}],
        )
        live = Live(made["GroupId"], {"ingress": (), "egress": _ALL_OUT}, self.tags)
        return self.update(aws, live, frozenset({"ingress"}), known)

    def update(self, aws: Aws, live: Live, changed: frozenset[str], known: LiveResources) -> Live:
        """Add missing ingress rules, revoke others, allow all egress."""
        if "ingress" in changed:
            self._repair_ingress(aws, live, known)
        if "egress" in changed:
            everything = {"IpProtocol": "-1", "IpRanges": [{"CidrIp": ANYWHERE}]}
            self._change(aws, live, "AuthorizeSecurityGroupEgress", everything)
        return live

    def delete(self, aws: Aws, live: Live) -> None:
        """DeleteSecurityGroup, repeated until its last network interface is gone.

        A former load balancer's is taken out of the stack's other groups first.
        """
        if self.former:
            self._revoke_references(aws, live.id)

        def delete() -> None:
            aws.find("ec2:DeleteSecurityGroup", _GROUP_ABSENT, self.label, GroupId=live.id)

        aws.retry_while(delete, _GROUP_IN_USE, _GROUP_RELEASE_SECONDS)

    def _revoke_references(self, aws: Aws, id: str) -> None:
        """Revoke the rules of the stack's groups that name it."""
        filters = [
            {"Name": "ip-permission.group-id", "Values": [id]},
            {"Name": f"tag:{STACK_TAG}", "Values": [self.stack]},
        ]
        groups = aws.pages("ec2:DescribeSecurityGroups", "SecurityGroups", self.label, Filters=filters)
        for group in groups:
            holder = Live(group["GroupId"], {})
            for rule in _single_rules(group["IpPermissions"]):
                if any(peer["GroupId"] == id for peer in rule.get("UserIdGroupPairs", [])):
                    self.forbid(aws, holder, rule)

    def tag(self, aws: Aws, live: Live, tags: Mapping[str, str]) -> None:
        """CreateTags."""
        aws.call("ec2:CreateTags", self.label, Resources=[live.id], Tags=tag_list(tags))

    def untag(self, aws: Aws, live: Live, names: tuple[str, ...]) -> None:
        """DeleteTags, whatever the tags' values are."""
        keys = [{"Key": name} for name in names]
        aws.call("ec2:DeleteTags", self.label, Resources=[live.id], Tags=keys)

    def withdraw(self, aws: Aws, live: Live, known: LiveResources) -> None:
        """Revoke the added rules."""
        for rule in self._marked_rules(live):
            self.forbid(aws, live, rule)

    def allow(self, aws: Aws, live: Live, rule: Mapping[str, Any]) -> None:
        """Add an ingress rule with one peer; in a group that was adopted it says whose it is."""
        rule = _described(rule, self._mark) if live.adopted else rule
        self._change(aws, live, "AuthorizeSecurityGroupIngress", rule)

    def forbid(self, aws: Aws, live: Live, rule: Mapping[str, Any]) -> None:
        """Take an ingress rule with one peer away."""
        self._change(aws, live, "RevokeSecurityGroupIngress", rule)

    def every_rule(self, live: Live) -> list[dict[str, Any]]:
        """The ingress rules, with one peer each."""
        return _single_rules(live.raw.get("IpPermissions", []))

    def own_rules(self, live: Live) -> list[dict[str, Any]]:
        """The ingress rules that are ours, with one peer each: in a group that was adopted those that say so."""
        return self._marked_rules(live) if live.adopted else self.every_rule(live)

    def _marked_rules(self, live: Live) -> list[dict[str, Any]]:
        """The ingress rules whose description says that this stack added them, with one peer each."""
        present = live.raw.get("IpPermissions", [])
        return _single_rules([_with_description(each, self._mark) for each in present])

    @property
    def _mark(self) -> str:
        """The description of an added rule."""
        return f"{STACK_TAG}={self.stack}"

    def _names(self, known: LiveResources) -> dict[str, str]:
        """What peers are called in words, by their ids."""
        names = {found.id: resource.name for resource, found in known.items()}
        front = known.get(self.front) if self.front else None
        return names | (dict.fromkeys(front.raw["peers"], CLOUDFRONT) if front else {})

    def _repair_ingress(self, aws: Aws, live: Live, known: LiveResources) -> None:
        names = self._names(known)
        present = _single_rules(live.raw.get("IpPermissions", []))
        desired = {words: self._permission(*rule, known) for words, rule in self._rules().items()}
        kept = {*desired, *self._former_rules(known)}
        extra = [rule for rule in present if _in_words([rule], names)[0] not in kept]
        extra = [] if live.adopted else extra
        missing = [rule for words, rule in desired.items() if words not in live.attributes["ingress"]]
        missing = [_described(rule, self._mark) for rule in missing] if live.adopted else missing
        full = (_NO_ROOM,) if extra else ()  # revoking these makes room
        add = "AuthorizeSecurityGroupIngress"
        late = [rule for rule in missing if not self._change(aws, live, add, rule, full)]
        for rule in extra:  # after the missing rules were added, to keep any interruption short
            self._change(aws, live, "RevokeSecurityGroupIngress", rule)
        for rule in late if extra else ():
            self._change(aws, live, add, rule)

    def _change(
        self, aws: Aws, live: Live, operation: str, rule: Mapping[str, Any], refusals: tuple[str, ...] = ()
    ) -> bool:
        """Change one rule; returns False where nothing was left to change, or for one of the ``refusals``.

        One rule per call, because an error for an existing or missing rule says nothing about others.
        """
        done = ("InvalidPermission.Duplicate", "InvalidPermission.NotFound", *refusals)
        told = aws.find(f"ec2:{operation}", done, self.label, GroupId=live.id, IpPermissions=[rule])
        return told is not None

    def _permission(self, port: int, source: str, known: LiveResources) -> dict[str, Any]:
        permission = _tcp(port)
        if self.front:
            return permission | {"PrefixListIds": [{"PrefixListId": known[self.front].id}]}
        if self.source:
            return permission | {"UserIdGroupPairs": [{"GroupId": known[self.source].id}]}
        return _with_block(permission, source)


Direction = Literal["in", "out"]
_ALL_OUT, _NOTHING_OUT = ("everything",), ("nothing",)
_NO_ROOM = "RulesPerSecurityGroupLimitExceeded"
# Prefixes of the descriptions of load balancers' interfaces, without Classic ones, and a part of ECS's.
_BALANCERS = ("ELB app/", "ELB net/", "ELB gwy/")
_TASK = ":attachment/"
# The members of an IpPermission with its peers, and the key that identifies a peer.
_PEERS = {
    "IpRanges": "CidrIp",
    "Ipv6Ranges": "CidrIpv6",
    "UserIdGroupPairs": "GroupId",
    "PrefixListIds": "PrefixListId",
}


def _single_rules(permissions: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Permissions with one peer each, so that each can be revoked by itself."""
    rules = []
    for permission in permissions:
        base = {key: permission[key] for key in ("IpProtocol", "FromPort", "ToPort") if key in permission}
        for member, identity in _PEERS.items():
            rules += [{**base, member: [_peer(peer, identity)]} for peer in permission.get(member, [])]
    return rules


def cidr_blocks(permissions: Iterable[Mapping[str, Any]], port: int) -> tuple[str, ...]:
    """The CIDR blocks that IpPermissions let in at a TCP port."""
    blocks = {"IpRanges": "CidrIp", "Ipv6Ranges": "CidrIpv6"}
    return tuple(
        str(peer[identity])
        for rule in permissions
        if covers_port(rule, port)
        for member, identity in blocks.items()
        for peer in rule.get(member, [])
    )


def _described(rule: Mapping[str, Any], description: str) -> dict[str, Any]:
    """A rule with one peer, with a description."""
    member = next(member for member in _PEERS if member in rule)
    return {**rule, member: [{**rule[member][0], "Description": description}]}


def _with_description(permission: Mapping[str, Any], description: str) -> dict[str, Any]:
    """A permission with only those peers that have this description."""
    peers = {
        member: [each for each in permission.get(member, []) if each.get("Description") == description]
        for member in _PEERS
    }
    return {**permission, **peers}


def _peer(peer: Mapping[str, Any], identity: str) -> dict[str, Any]:
    """The identity of a peer; a group of another account needs its owner too."""
    return {key: peer[key] for key in (identity, "UserId") if key in peer}


def _in_words(
    permissions: Iterable[Mapping[str, Any]], names: Mapping[str, str], way: str = "from"
) -> tuple[str, ...]:
    """Rules as ``tcp 8501 from lobster-alb-sg``; known groups are given by name."""
    rules = [(rule, _peer_of(rule)) for rule in _single_rules(permissions)]
    return tuple(sorted({_words(rule, names.get(peer, peer), way) for rule, peer in rules}))


def _is_among(peer: str, peers: Collection[str]) -> bool:
    """Whether a peer, or a range of addresses that contains it, is among the peers."""
    if peer in peers or "/" not in peer:
        return peer in peers
    own = ip_network(peer, strict=False)
    ranges = [ip_network(each, strict=False) for each in peers if "/" in each]
    return any(own.network_address in each and own.prefixlen >= each.prefixlen for each in ranges)


def _peer_of(rule: Mapping[str, Any]) -> str:
    """The peer of a rule with one peer."""
    member = next(member for member in _PEERS if member in rule)
    return str(rule[member][0][_PEERS[member]])


def _egress_in_words(permissions: Iterable[Mapping[str, Any]], names: Mapping[str, str]) -> tuple[str, ...]:
    """Egress rules as ``tcp 443 to 0.0.0.0/0``; ``everything`` alone where one of them allows all there is."""
    if any(map(_is_everything, _single_rules(permissions))):
        return _ALL_OUT
    return _in_words(permissions, names, "to") or _NOTHING_OUT


def _words(rule: Mapping[str, Any], peer: str, way: str = "from") -> str:
    return f"{_traffic(rule)} {way} {peer}"


def _tcp(port: int) -> dict[str, Any]:
    return {"IpProtocol": "tcp", "FromPort": port, "ToPort": port}


def _with_block(permission: Mapping[str, Any], block: str) -> dict[str, Any]:
    """A permission for a CIDR block."""
    if ":" in block:
        return {**permission, "Ipv6Ranges": [{"CidrIpv6": block}]}
    return {**permission, "IpRanges": [{"CidrIp": block}]}


def _is_everything(rule: Mapping[str, Any]) -> bool:
    """Whether a rule with one peer allows all traffic to everybody."""
    return rule["IpProtocol"] == "-1" and rule.get("IpRanges") == [{"CidrIp": ANYWHERE}]


def _traffic(rule: Mapping[str, Any]) -> str:
    if rule["IpProtocol"] == "-1":
        return "everything"
    low, high = rule.get("FromPort"), rule.get("ToPort")
    ports = f"{low}" if low == high else f"{low}-{high}"
    return f"{rule['IpProtocol']} {ports}"
