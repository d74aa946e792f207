"""Who may use a distribution: a web ACL of AWS WAF that blocks everybody except the allowed addresses.

Web ACLs and IP sets for CloudFront have the scope CLOUDFRONT, and are available in us-east-1 only, whatever the stack's
region is (WAFV2 API Reference, "CreateWebACL").
"""

from __future__ import annotations

import json
from abc import abstractmethod
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from ipaddress import ip_network
from typing import Any, ClassVar

from ..aws import Aws
from ..denials import ACCESS_DENIED
from ..errors import AwsCallError
from ..foreign import parsed_object
from ..settings import REGION_TAG
from .network import ANYWHERE, ANYWHERE_IPV6
from .resource import Attributes, Live, LiveResources, Presence, Resource, tag_list, tags_of
from .vpc_origin import VpcOrigin

SCOPE, REGION = "CLOUDFRONT", "us-east-1"
VERSIONS = ("IPV4", "IPV6")
_ABSENT = ("WAFNonexistentItemException",)
_STALE: dict[str, tuple[str, ...]] = {"WAFOptimisticLockException": ()}
_STALE_SECONDS = 60.0
# A new IP set is not known everywhere at once, and a distribution that was changed may still use its web ACL.
_NOT_YET: dict[str, tuple[str, ...]] = {
    **_STALE,
    "WAFUnavailableEntityException": (),
    "WAFNonexistentItemException": (),
}
_USED: dict[str, tuple[str, ...]] = {**_STALE, "WAFAssociatedItemException": ()}
_WITHIN_SECONDS = 300.0


@dataclass(frozen=True)
class _OfCloudFront(Resource):
    """A resource of AWS WAF for CloudFront; its live id is its ARN, ``raw`` what AWS shows, with its ``LockToken``.

    It belongs to the door of ``vpc_origin``: without one in the settings or in the account it is not looked for.
    """

    is_global: ClassVar[bool] = True
    noun_in_calls: ClassVar[str]
    listed_as: ClassVar[str]
    vpc_origin: VpcOrigin

    @property
    @abstractmethod
    def is_desired(self) -> bool:
        """Whether the settings want it."""

    def presence(self, known: LiveResources) -> Presence:
        """Present where the settings list addresses; of a door that another one replaces, it goes with the VPC
        origin."""
        if self.is_desired:
            return "present"
        return self.vpc_origin.presence(known) if self.vpc_origin.former else "absent"

    def read(self, aws: Aws, known: LiveResources) -> Live | None:
        """List it by its name, then its details and tags; None where it is not desired and access is denied."""
        if not self.is_desired and not self.vpc_origin.fronted and self.vpc_origin not in known:
            return None
        try:
            return self._read(aws.in_region(REGION))
        except AwsCallError as refused:
            if self.is_desired or refused.code not in ACCESS_DENIED:
                raise
            return None

    def _read(self, aws: Aws) -> Live | None:
        arn = self._arn(aws)
        found = self._get(aws, arn) if arn else None
        if found is None:
            return None
        told = aws.call("wafv2:ListTagsForResource", self.label, ResourceARN=arn)
        tags = tags_of(told["TagInfoForResource"]["TagList"])
        return Live(arn, self._attributes(found), tags, found, tags.get(REGION_TAG, ""))

    def _arn(self, aws: Aws) -> str:
        """The ARN of the one with its name; empty without one. The lists have AWS's markers, and no paginator."""
        named = (each["ARN"] for each in self._listed(aws) if each["Name"] == self.name)
        return next(map(str, named), "")

    def _listed(self, aws: Aws) -> Iterator[Mapping[str, Any]]:
        operation = f"wafv2:List{self.noun_in_calls}s"
        page = aws.call(operation, self.label, Scope=SCOPE, Limit=100)
        yield from page[self.listed_as]
        while (marker := page.get("NextMarker")) and page[self.listed_as]:
            page = aws.call(operation, self.label, Scope=SCOPE, Limit=100, NextMarker=marker)
            yield from page[self.listed_as]

    def _get(self, aws: Aws, arn: str) -> Mapping[str, Any] | None:
        found = aws.find(f"wafv2:Get{self.noun_in_calls}", _ABSENT, self.label, **self._named(arn))
        return {**found[self.noun_in_calls], "LockToken": found["LockToken"]} if found else None

    def _named(self, arn: str) -> dict[str, Any]:
        return {"Name": self.name, "Scope": SCOPE, "Id": arn.rpartition("/")[2]}

    @abstractmethod
    def _attributes(self, found: Mapping[str, Any]) -> Attributes: ...

    @abstractmethod
    def _parameters(self, known: LiveResources) -> dict[str, Any]: ...

    def create(self, aws: Aws, known: LiveResources) -> Live:
        """CreateIPSet or CreateWebACL, once AWS WAF knows what it refers to."""
        there = aws.in_region(REGION)
        asked = {
            "Name": self.name,
            "Scope": SCOPE,
            "Description": f"Who may use the app: {self.stack}, of lobster-tasks",
            "Tags": tag_list(self.tags),
            **self._first_parameters(),
            **self._parameters(known),
        }

        def create() -> dict[str, Any]:
            return there.call(f"wafv2:Create{self.noun_in_calls}", self.label, **asked)

        made = there.retry_while(create, _NOT_YET, _WITHIN_SECONDS)["Summary"]
        return Live(made["ARN"], {}, self.tags, made, self.region)

    def _first_parameters(self) -> dict[str, Any]:
        """The parameters that cannot be changed afterwards."""
        return {}

    def update(self, aws: Aws, live: Live, changed: frozenset[str], known: LiveResources) -> Live:
        """UpdateIPSet or UpdateWebACL, with the current lock token."""
        there = aws.in_region(REGION)

        def update() -> None:
            if found := self._get(there, live.id):
                asked = {"LockToken": found["LockToken"], **self._parameters(known)}
                there.call(f"wafv2:Update{self.noun_in_calls}", self.label, **self._named(live.id), **asked)

        there.retry_while(update, {**_STALE, "WAFUnavailableEntityException": ()}, _WITHIN_SECONDS)
        return live

    def delete(self, aws: Aws, live: Live) -> None:
        """DeleteIPSet or DeleteWebACL; what used it may still do so for some minutes."""
        there = aws.in_region(REGION)

        def delete() -> None:
            if found := self._get(there, live.id):
                asked = {**self._named(live.id), "LockToken": found["LockToken"]}
                there.find(f"wafv2:Delete{self.noun_in_calls}", _ABSENT, self.label, **asked)

        there.retry_while(delete, _USED, _WITHIN_SECONDS)

    def tag(self, aws: Aws, live: Live, tags: Mapping[str, str]) -> None:
        """TagResource."""
        asked = {"ResourceARN": live.id, "Tags": tag_list(tags)}
        aws.in_region(REGION).call("wafv2:TagResource", self.label, **asked)

    def untag(self, aws: Aws, live: Live, names: tuple[str, ...]) -> None:
        """UntagResource."""
        asked = {"ResourceARN": live.id, "TagKeys": list(names)}
        aws.in_region(REGION).call("wafv2:UntagResource", self.label, **asked)


@dataclass(frozen=True)
class IpSet(_OfCloudFront):
    """The allowed address ranges of one version, IPV4 or IPV6; not desired without any."""

    kind: ClassVar[str] = "IP-set"
    fixed: ClassVar[frozenset[str]] = frozenset({"version"})
    decisive: ClassVar[frozenset[str]] = frozenset({"addresses"})
    noun_in_calls: ClassVar[str] = "IPSet"
    listed_as: ClassVar[str] = "IPSets"
    version: str
    addresses: tuple[str, ...]

    @property
    def is_desired(self) -> bool:
        """Whether the settings list addresses of its version."""
        return bool(self.addresses)

    def limits_visitors(self, live: Live | None, changed: frozenset[str]) -> tuple[str, ...]:
        """Its address ranges; those of the other version stay as they are."""
        return self.addresses if live is None or "addresses" in changed else ()

    def desired(self, known: LiveResources) -> Attributes:
        """The address ranges."""
        return (
            {"version": self.version, "addresses": tuple(sorted(self.addresses))} if self.is_desired else {}
        )

    def _attributes(self, found: Mapping[str, Any]) -> Attributes:
        listed = tuple(sorted(str(ip_network(each, strict=False)) for each in found["Addresses"]))
        return {"version": found["IPAddressVersion"], "addresses": listed}

    def _first_parameters(self) -> dict[str, Any]:
        return {"IPAddressVersion": self.version}

    def _parameters(self, known: LiveResources) -> dict[str, Any]:
        return {"Addresses": list(self.addresses)}


@dataclass(frozen=True)
class WebAcl(_OfCloudFront):
    """The web ACL that allows the addresses of the IP sets and blocks all others; exactly ours."""

    kind: ClassVar[str] = "web-ACL"
    decisive: ClassVar[frozenset[str]] = frozenset({"default-action", "rules"})
    noun_in_calls: ClassVar[str] = "WebACL"
    listed_as: ClassVar[str] = "WebACLs"
    ip_sets: tuple[IpSet, ...]

    @property
    def is_desired(self) -> bool:
        """Whether the settings list addresses."""
        return any(each.is_desired for each in self.ip_sets)

    @property
    def addresses(self) -> tuple[str, ...]:
        """All allowed address ranges."""
        return tuple(address for each in self.ip_sets for address in each.addresses)

    def limits_visitors(self, live: Live | None, changed: frozenset[str]) -> tuple[str, ...]:
        """All allowed address ranges."""
        return self.addresses if live is None or changed & self.decisive else ()

    def lets_in(self, known: LiveResources) -> tuple[str, ...] | None:
        """The address ranges that the existing web ACL and IP sets allow; None where it has rules unlike ours."""
        attributes = known[self].attributes
        rules = [parsed_object(each) for each in attributes["rules"]]
        if not all(map(_is_like_ours, rules)):
            return None
        if attributes["default-action"] == "Allow":
            return (ANYWHERE, ANYWHERE_IPV6)
        named = ip_sets_in(rules)
        sets = (known[each] for each in self.ip_sets if each in known and known[each].id in named)
        return tuple(block for each in sets for block in each.attributes["addresses"])

    def describe(self, attribute: str, value: Any) -> str:
        """Rules are not shown: what counts in them are the addresses, which have their own line."""
        return "" if attribute == "rules" else super().describe(attribute, value)

    def desired(self, known: LiveResources) -> Attributes:
        """Block by default, and one rule that allows."""
        if not self.is_desired:
            return {}
        return {"default-action": "Block", "rules": _in_words(self._parameters(known)["Rules"])}

    def _attributes(self, found: Mapping[str, Any]) -> Attributes:
        return {
            "default-action": next(iter(found["DefaultAction"])),
            "rules": _in_words(found.get("Rules", ())),
        }

    def _parameters(self, known: LiveResources) -> dict[str, Any]:
        """One rule for both versions, because AWS charges by the rule."""
        sets = [known[each].id if each in known else "" for each in self.ip_sets if each.is_desired]
        named: list[dict[str, Any]] = [{"IPSetReferenceStatement": {"ARN": arn}} for arn in sets]
        rule = {
            "Name": "allowed",
            "Priority": 0,
            "Statement": named[0] if len(named) == 1 else {"OrStatement": {"Statements": named}},
            "Action": {"Allow": {}},
            "VisibilityConfig": self._unseen,
        }
        return {"DefaultAction": {"Block": {}}, "Rules": [rule], "VisibilityConfig": self._unseen}

    @property
    def _unseen(self) -> dict[str, Any]:
        """No metrics and no samples of requests, which would have costs of their own."""
        return {"SampledRequestsEnabled": False, "CloudWatchMetricsEnabled": False, "MetricName": self.name}


def web_acl_name(stack: str, region: str) -> str:
    """The name of a stack's own web ACL; AWS WAF takes no dots."""
    return f"{stack}-{region}".replace(".", "-")


def is_web_acl_of(arn: str, stack: str, region: str) -> bool:
    """Whether an ARN is that of a stack's own web ACL, by its name."""
    return arn.split("/")[-2:-1] == [web_acl_name(stack, region)]


def read_web_acl(aws: Aws, arn: str) -> Mapping[str, Any] | None:
    """A web ACL for CloudFront by its ARN; None where it does not exist."""
    found = aws.in_region(REGION).find("wafv2:GetWebACL", _ABSENT, arn, ARN=arn)
    return found["WebACL"] if found else None


def read_ip_set(aws: Aws, arn: str) -> Mapping[str, Any] | None:
    """An IP set for CloudFront by its ARN; None where it does not exist."""
    _, name, id = arn.rsplit("/", 2)
    found = aws.in_region(REGION).find("wafv2:GetIPSet", _ABSENT, arn, Name=name, Scope=SCOPE, Id=id)
    return found["IPSet"] if found else None


def ip_sets_in(rules: Iterable[Mapping[str, Any]]) -> list[str]:
    """The ARNs of the IP sets that rules like ours allow: each refers to one of them, or to any of several."""
    allowing = (rule["Statement"] for rule in rules if "Allow" in rule.get("Action", {}))
    single = (each for one in allowing for each in one.get("OrStatement", {}).get("Statements", [one]))
    return [each["IPSetReferenceStatement"]["ARN"] for each in single if "IPSetReferenceStatement" in each]


def _is_like_ours(rule: Mapping[str, Any]) -> bool:
    """Whether a rule only counts, or allows what is in IP sets."""
    action = rule.get("Action", {})
    statement = rule["Statement"]
    parts = statement.get("OrStatement", {}).get("Statements", [statement])
    return "Count" in action or (
        "Allow" in action and all("IPSetReferenceStatement" in each for each in parts)
    )


def _in_words(rules: Sequence[Mapping[str, Any]]) -> tuple[str, ...]:
    """Rules in a normal form, without what does not decide about a request."""
    shown = ("Name", "Priority", "Statement", "Action", "OverrideAction")
    return tuple(
        json.dumps({name: rule[name] for name in shown if rule.get(name) is not None}, sort_keys=True)
        for rule in sorted(rules, key=lambda each: int(each["Priority"]))
    )
