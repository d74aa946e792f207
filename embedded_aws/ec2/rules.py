"""The rules of security groups: added all or none, removed by their content or by id."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network
from typing import Any

from ..moto.adapter import AwsError, SecurityGroupRule

MOST = 60
"""Rules of a group per direction, separately for IPv4 and IPv6 ("Amazon VPC quotas")."""
WEIGHTS = {"com.amazonaws.global.cloudfront.origin-facing": 55}
"""Weights of AWS-managed prefix lists ("AWS-managed prefix lists"); lists not named here count as one rule."""

LAST_PORT = 65535
LAST_PROTOCOL = 255
PORTS_NEEDED = ("tcp", "udp")
NUMBERS = {"1": "icmp", "6": "tcp", "17": "udp", "58": "icmpv6", "-1": "-1"}
DESCRIPTION = re.compile(r"[a-zA-Z0-9. _\-:/()#,@\[\]+=&;{}!$*]{0,255}")
WRONG_DESCRIPTION = (
    "Invalid rule description. Valid descriptions are strings less than 256 characters from the following "
    "set:"
)
SET = "a-zA-Z0-9. _-:/()#,@[]+=&;{}!$*"


@dataclass(frozen=True)
class Direction:
    """Ingress or egress."""

    egress: bool

    def rules(self, group: Any) -> list[Any]:
        """The group's rules of this direction, as a list to change in place."""
        found: list[Any] = group.egress_rules if self.egress else group.ingress_rules
        return found


def add(
    store: Any, group: Any, permissions: Sequence[Mapping[str, Any]], direction: Direction, tags: Any
) -> list[Any]:
    """Add the rules of ``permissions``, or none: InvalidPermission.Duplicate where one exists."""
    made = [rule for one in permissions for rule in _rules(store, group, one, direction, tags)]
    present = {key(rule) for rule in direction.rules(group)}
    for rule in made:
        if key(rule) in present:
            raise AwsError("InvalidPermission.Duplicate", _duplicate(rule))
        present.add(key(rule))
    every = [*direction.rules(group), *made]
    if max(sum(_weight(store, rule, family) for rule in every) for family in ("IPv4", "IPv6")) > MOST:
        message = "The maximum number of rules per security group has been reached."
        raise AwsError("RulesPerSecurityGroupLimitExceeded", message)
    direction.rules(group).extend(made)
    return made


def remove(
    store: Any, group: Any, permissions: Sequence[Mapping[str, Any]], direction: Direction
) -> tuple[list[Any], list[Mapping[str, Any]]]:
    """Remove the rules of ``permissions``; returns the removed rules, and the permissions without a matching rule.

    In a VPC that is not the default one, an unknown rule is InvalidPermission.NotFound and none is removed.
    """
    there = {key(rule): rule for rule in direction.rules(group)}
    gone, unknown = [], []
    for permission in permissions:
        for rule in _rules(store, group, permission, direction, {}):
            found = there.get(key(rule))
            gone.append(found) if found else unknown.append(permission)
    if unknown and not store.vpcs[group.vpc_id].is_default:
        message = "The specified rule does not exist in this security group."
        raise AwsError("InvalidPermission.NotFound", message)
    _drop(group, gone, direction)
    return gone, unknown


def remove_by_id(group: Any, rule_ids: Iterable[str], direction: Direction) -> list[Any]:
    """Remove rules by id, or none: InvalidSecurityGroupRuleId.NotFound."""
    there = {rule.id: rule for rule in direction.rules(group)}
    for rule_id in rule_ids:
        if rule_id not in there:
            message = f"The security group rule ID '{rule_id}' does not exist"
            raise AwsError("InvalidSecurityGroupRuleId.NotFound", message)
    gone = [there[rule_id] for rule_id in rule_ids]
    _drop(group, gone, direction)
    return gone


def answer(rule: Any) -> dict[str, Any]:
    """A rule in the shape of DescribeSecurityGroupRules."""
    store = rule.ec2_backend
    prefix = f"arn:aws:ec2:{store.region_name}:{store.account_id}:security-group-rule"
    unlimited = rule.from_port is None
    return {
        "SecurityGroupRuleId": rule.id,
        "SecurityGroupRuleArn": f"{prefix}/{rule.id}",
        "GroupId": rule.group_id,
        "GroupOwnerId": rule.owner_id,
        "IsEgress": rule.is_egress,
        "IpProtocol": rule.ip_protocol,
        "FromPort": -1 if unlimited else rule.from_port,
        "ToPort": -1 if unlimited else rule.to_port,
        "CidrIpv4": rule.cidr_ipv4,
        "CidrIpv6": rule.cidr_ipv6,
        "PrefixListId": rule.prefix_list_id,
        "ReferencedGroupInfo": _referenced(rule),
        "Description": rule.ip_range.get("Description") or rule.source_group.get("Description"),
        "Tags": rule.get_tags(),
    }


def key(rule: Any) -> tuple[Any, ...]:
    """The identity of a rule: everything except its description, tags and id."""
    return (
        rule.ip_protocol,
        rule.from_port,
        rule.to_port,
        rule.cidr_ipv4,
        rule.cidr_ipv6,
        rule.source_group.get("GroupId"),
        rule.prefix_list_id,
    )


def _weight(store: Any, rule: Any, family: str) -> int:
    """How many rules it counts as: one, or for a prefix list its maximum number of entries."""
    if rule.prefix_list_id:
        lists = {each.id: each for each in store.managed_prefix_lists.values()}
        found = lists.get(rule.prefix_list_id)
        if not found or found.address_family != family:
            return 0
        return WEIGHTS.get(found.prefix_list_name) or int(found.max_entries or 1)
    return int(bool(rule.source_group or (rule.cidr_ipv4 if family == "IPv4" else rule.cidr_ipv6)))


def _referenced(rule: Any) -> dict[str, str] | None:
    if not rule.source_group:
        return None
    return {"GroupId": rule.source_group["GroupId"], "UserId": rule.source_group["UserId"]}


def _drop(group: Any, gone: list[Any], direction: Direction) -> None:
    left = [rule for rule in direction.rules(group) if all(rule is not one for one in gone)]
    direction.rules(group)[:] = left


def _duplicate(rule: Any) -> str:
    peer = rule.cidr_ipv4 or rule.cidr_ipv6 or rule.prefix_list_id or rule.source_group["GroupId"]
    ports = f"from port: {rule.from_port}, to port: {rule.to_port}, " if rule.from_port is not None else ""
    protocol = "ALL" if rule.ip_protocol == "-1" else str(rule.ip_protocol).upper()
    return f'the specified rule "peer: {peer}, {protocol}, {ports}ALLOW" already exists'


def _rules(
    store: Any, group: Any, permission: Mapping[str, Any], direction: Direction, tags: Any
) -> list[Any]:
    protocol, first, last = _protocol(permission)
    peers: list[tuple[Any, Any, Any]] = [
        *((_range(one, IPv4Network), None, None) for one in permission.get("IpRanges", [])),
        *((_range(one, IPv6Network), None, None) for one in permission.get("Ipv6Ranges", [])),
        *((None, _source(store, one), None) for one in permission.get("UserIdGroupPairs", [])),
        *((None, None, _described(one)) for one in permission.get("PrefixListIds", [])),
    ]
    return [
        SecurityGroupRule(
            store, protocol, group.id, first, last, *peer, is_egress=direction.egress, tags=dict(tags)
        )
        for peer in peers
    ]


def _protocol(permission: Mapping[str, Any]) -> tuple[str, int, int]:
    protocol = _named(str(permission.get("IpProtocol", "")).lower())
    first, last = permission.get("FromPort"), permission.get("ToPort")
    if protocol in PORTS_NEEDED and (first is None or last is None):
        message = "Invalid value 'Must specify both from and to ports with TCP/UDP.' for portRange."
        raise AwsError("InvalidParameterValue", message)
    if protocol in PORTS_NEEDED:
        _check_ports(int(first or 0), int(last or 0))
    return protocol, -1 if first is None else int(first), -1 if last is None else int(last)


def _named(protocol: str) -> str:
    """A protocol as EC2 returns it: by name for those that have one, otherwise by its number; InvalidParameterValue."""
    if protocol in NUMBERS:
        return NUMBERS[protocol]
    number = protocol.isascii() and protocol.isdigit() and int(protocol[:4]) <= LAST_PROTOCOL
    if protocol in NUMBERS.values() or number:
        return protocol
    message = f"Invalid value '{protocol}' for IP protocol. Unknown protocol."
    raise AwsError("InvalidParameterValue", message)


def _check_ports(first: int, last: int) -> None:
    for which, port in (("from", first), ("to", last)):
        if not 0 <= port <= LAST_PORT:
            raise AwsError("InvalidParameterValue", f"TCP/UDP ({which}) port ({port}) out of range")
    if first > last:
        raise AwsError("InvalidParameterValue", f"Invalid TCP/UDP port range ({first}:{last})")


def _range(given: Mapping[str, str], family: type[IPv4Network | IPv6Network]) -> dict[str, str]:
    """A CIDR block of the given family; an address without a mask is refused."""
    cidr = given.get("CidrIp" if family is IPv4Network else "CidrIpv6") or ""
    try:
        address, _, size = cidr.partition("/")
        block = family((address, int(size)), strict=False)
    except ValueError as malformed:
        raise AwsError("InvalidParameterValue", f"CIDR block {cidr} is malformed") from malformed
    return {**_described(given), "CidrIp" if family is IPv4Network else "CidrIpv6": str(block)}


def _described(given: Mapping[str, str]) -> dict[str, str]:
    """The members of a peer, whose description has at most 255 of the allowed characters."""
    if not DESCRIPTION.fullmatch(given.get("Description") or ""):
        message = f"{WRONG_DESCRIPTION}  {SET}"
        raise AwsError("InvalidParameterValue", message)
    return dict(given)


def _source(store: Any, given: Mapping[str, str]) -> dict[str, str]:
    found = store.group(given["GroupId"]) if "GroupId" in given else store.group_named(given["GroupName"])
    kept = {name: value for name, value in _described(given).items() if name in ("Description", "VpcId")}
    return {**kept, "GroupId": found.id, "UserId": store.account_id}
