"""The VPC origin, through which CloudFront reaches an internal load balancer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, ClassVar

from ..account import cloudfront_tags, distributions_of, find_vpc_origin, list_vpc_origins
from ..aws import Aws
from ..denials import ACCESS_DENIED
from ..errors import AwsCallError, LobsterError, OutOfTimeError
from ..in_parallel import in_parallel
from ..settings import REGION_TAG
from .load_balancing import HTTP_PORT, HTTPS_PORT, LoadBalancer, find_balancer
from .neighbours import Neighbours
from .resource import Attributes, Live, LiveResources, Presence, Resource, tag_list

DEPLOYED = "Deployed"
_DEPLOYING = "Deploying"
_ACTIVE_WITHIN_SECONDS = 900.0
_DEPLOYED_WITHIN_SECONDS = 1800.0  # "up to 15 minutes"
_EVERY_SECONDS = 5.0
# Temporary errors: while an origin is created, and until every edge location knows that no distribution uses it.
_NOT_YET: dict[str, tuple[str, ...]] = {
    "CannotDeleteEntityWhileInUse": (),
    "IllegalDelete": (),
    "InvalidIfMatchVersion": (),
    "PreconditionFailed": (),
}


@dataclass(frozen=True)
class VpcOrigin(Resource):
    """A VPC origin that leads to the load balancer by HTTP; its live id is its id, ``raw`` what GetVpcOrigin returns.

    A VPC origin cannot be changed while a distribution uses it. A second one, with a number after its name, replaces
    it; the first one (``raw["superseded"]``) is deleted once the distribution uses the second. One that CloudFront has
    not deployed is replaced, too. One that no distribution uses is deleted before another one is created. If it is not
    ``fronted``, it is read only where the load balancer is internal.
    """

    kind: ClassVar[str] = "vpc-origin"
    is_global: ClassVar[bool] = True
    may_be_denied: ClassVar[bool] = True
    decisive: ClassVar[frozenset[str]] = frozenset(
        {"load-balancer", "HTTP-port", "HTTPS-port", "protocol", "address-type"}
    )
    load_balancer: LoadBalancer
    fronted: bool = True
    also: LoadBalancer | None = None

    @property
    def noun(self) -> str:
        """The name that AWS uses."""
        return "VPC origin"

    def presence(self, known: LiveResources) -> Presence:
        """Present if the settings put CloudFront in front of the load balancer."""
        return "present" if self.fronted else "absent"

    def read(self, aws: Aws, known: LiveResources) -> Live | None:
        """ListVpcOrigins, their tags, and GetVpcOrigin of the one that is ours.

        None where access is denied, the settings do not want one, and the load balancer's security group does not
        allow CloudFront.
        """
        both = [each for each in (self.load_balancer, self.also) if each and each in known]
        internal = [each for each in both if known[each].raw["Scheme"] == "internal"]
        if not self.fronted and not internal:
            return None
        try:
            return self._read(aws, known[internal[0]].id if internal else "")
        except AwsCallError as refused:
            if self.fronted or refused.code not in ACCESS_DENIED or _allows_cloudfront(internal[0], known):
                raise
            return None

    def _read(self, aws: Aws, balancer: str) -> Live | None:
        listed = [each for each in list_vpc_origins(aws, self.label) if each["Name"].startswith(self.name)]
        tags = in_parallel(*(partial(cloudfront_tags, aws, each["Arn"], self.label) for each in listed))
        ours, others = list[Live](), list[Live]()
        for summary, its in zip(listed, tags, strict=True):
            found = find_vpc_origin(aws, summary["Id"], self.label) if its is not None else None
            if found is None:
                continue
            live = _live(found, its or {})
            is_ours = live.stack == self.stack and live.region == self.region
            (ours if is_ours else others).append(live)
        if not ours:
            return next(
                (each for each in others if each.raw["VpcOriginEndpointConfig"]["Name"] == self.name), None
            )
        chosen = min(ours, key=lambda each: self._rank(each, balancer))
        rest = tuple(sorted(each.id for each in ours if each is not chosen))
        raw = {**chosen.raw, "superseded": rest}
        return Live(chosen.id, {**chosen.attributes, "superseded": rest}, chosen.tags, raw, chosen.region)

    def _rank(self, live: Live, balancer: str) -> tuple[bool, str]:
        """Sorts VPC origins that fit before others, and older ones before newer ones."""
        wrong = has_failed(live.raw) or any(
            live.attributes[name] != value for name, value in self._fixed(balancer).items()
        )
        return wrong, str(live.raw.get("CreatedTime"))

    def desired(self, known: LiveResources) -> Attributes:
        """The load balancer, HTTP, the status Deployed, and no superseded origin."""
        if not self.fronted:
            return {}
        balancer = known.get(self.load_balancer)
        return {**self._fixed(balancer.id if balancer else ""), "status": DEPLOYED, "superseded": ()}

    def fits(self, known: LiveResources) -> bool:
        """Whether the existing VPC origin can stay."""
        found, balancer = known.get(self), known.get(self.load_balancer)
        if found is None or balancer is None or has_failed(found.raw):
            return False
        return all(found.attributes.get(name) == value for name, value in self._fixed(balancer.id).items())

    def _fixed(self, balancer: str) -> dict[str, Any]:
        """What cannot be changed while a distribution uses it. The load balancer has no certificate, hence HTTP."""
        return {
            "load-balancer": balancer,
            "HTTP-port": HTTP_PORT,
            "HTTPS-port": HTTPS_PORT,
            "protocol": "http-only",
            "address-type": "ipv4",
        }

    def create(self, aws: Aws, known: LiveResources) -> Live:
        """CreateVpcOrigin once the load balancer is active, and wait until it is Deployed."""
        return self._create(aws, known, self.name)

    def _create(self, aws: Aws, known: LiveResources, name: str) -> Live:
        self._await_active(aws)
        fixed = self._fixed(known[self.load_balancer].id)
        config = {
            "Name": name,
            "Arn": fixed["load-balancer"],
            "HTTPPort": fixed["HTTP-port"],
            "HTTPSPort": fixed["HTTPS-port"],
            "OriginProtocolPolicy": fixed["protocol"],
            "IpAddressType": fixed["address-type"],
        }
        made = aws.call(
            "cloudfront:CreateVpcOrigin",
            self.label,
            VpcOriginEndpointConfig=config,
            Tags={"Items": tag_list(self.tags)},
        )["VpcOrigin"]
        found = self._await_deployed(aws, made["Id"]) or made
        return _live(found, self.tags)

    def update(self, aws: Aws, live: Live, changed: frozenset[str], known: LiveResources) -> Live:
        """Wait until it is Deployed; replace it if it had failed or does not fit. Unused ones are deleted first.

        Raises LobsterError where it fails meanwhile: the plan lets the distribution lead to it.
        """
        found = self._await_settled(aws, live.id)
        if found is None:  # it was being deleted
            return self.create(aws, known)
        is_unfit = bool(changed & self._fixed("").keys())
        if not is_unfit and not has_failed(live.raw):
            self._refuse_failed(found)
        replaces = is_unfit or has_failed(found)
        superseded = (*live.attributes.get("superseded", ()), *((live.id,) if replaces else ()))
        left = self.delete_superseded(aws, superseded)
        made = self._create(aws, known, self._free_name(aws)) if replaces else _live(found, live.tags)
        return Live(made.id, made.attributes, made.tags, {**made.raw, "superseded": left}, made.region)

    def delete_superseded(self, aws: Aws, ids: tuple[str, ...]) -> tuple[str, ...]:
        """Delete the VPC origins (ids) that no distribution uses; returns the ids of the others."""
        used = tuple(each for each in ids if distributions_of(aws, each, self.label))
        for each in ids:
            if each not in used:
                self._delete(aws, each)
        return used

    def _free_name(self, aws: Aws) -> str:
        taken = {each["Name"] for each in list_vpc_origins(aws, self.label)}
        numbered = (f"{self.name}-{number}" for number in range(2, len(taken) + 2))
        return next(name for name in (self.name, *numbered) if name not in taken)

    def used_by(self, neighbours: Neighbours, live: Live, known: LiveResources) -> tuple[str, ...]:
        """Distributions outside the stack that use it."""
        ours = {found.id for found in known.values()}
        ids = distributions_of(neighbours.aws, live.id, self.label)
        return tuple(f"distribution {each}" for each in ids if each not in ours)

    def instead(self, live: Live) -> str:
        """It has no name of its own in the settings; with its tags it is the stack's, and is repaired."""
        return retagging(self, live.raw["Arn"])

    def tagging(self, live: Live) -> str:
        """The command that puts its tags back."""
        return tag_command(self, live.raw["Arn"])

    def delete(self, aws: Aws, live: Live) -> None:
        """DeleteVpcOrigin for it and for those that it has superseded, and wait until they no longer exist."""
        for id in (live.id, *live.attributes.get("superseded", ())):
            self._delete(aws, id)

    def _delete(self, aws: Aws, id: str) -> None:
        def delete() -> None:
            found = find_vpc_origin(aws, id, self.label)
            if found is None:
                return
            asked = {"Id": id, "IfMatch": found["ETag"]}
            aws.find("cloudfront:DeleteVpcOrigin", ("EntityNotFound",), self.label, **asked)

        aws.retry_while(delete, _NOT_YET, _DEPLOYED_WITHIN_SECONDS)
        gone = partial(find_vpc_origin, aws, id, self.label)
        if aws.clock.poll(gone, _DEPLOYED_WITHIN_SECONDS, _EVERY_SECONDS, until=lambda found: found is None):
            raise self._out_of_time(f"still exists after {_DEPLOYED_WITHIN_SECONDS / 60:.0f} minutes")

    def tag(self, aws: Aws, live: Live, tags: Mapping[str, str]) -> None:
        """TagResource."""
        tag(aws, self, live.raw["Arn"], tags)

    def untag(self, aws: Aws, live: Live, names: tuple[str, ...]) -> None:
        """UntagResource."""
        untag(aws, self, live.raw["Arn"], names)

    def _await_active(self, aws: Aws) -> None:
        """Wait until the load balancer is active, which CreateVpcOrigin requires. Raises OutOfTimeError."""

        def is_active() -> bool:
            found = find_balancer(aws, self.load_balancer.name, self.label)
            return bool(found and found["State"]["Code"].startswith("active"))

        if not aws.clock.poll(is_active, _ACTIVE_WITHIN_SECONDS, _EVERY_SECONDS):
            raise self._out_of_time(f"waits for {self.load_balancer.label}, which is not active")

    def _await_deployed(self, aws: Aws, id: str) -> Mapping[str, Any] | None:
        """The VPC origin once it is Deployed; None where it is gone. LobsterError for any other final status."""
        found = self._await_settled(aws, id)
        if found is not None:
            self._refuse_failed(found)
        return found

    def _refuse_failed(self, found: Mapping[str, Any]) -> None:
        if has_failed(found):
            raise LobsterError(
                f"{self.label} is {found['Status']}.",
                "CloudFront has not deployed it",
                "inv setup-fargate, which creates another one in its place",
            )

    def _await_settled(self, aws: Aws, id: str) -> Mapping[str, Any] | None:
        """The VPC origin in a final status; None where it is gone."""

        def is_settled(found: Mapping[str, Any] | None) -> bool:
            return found is None or found["Status"] != _DEPLOYING

        look = partial(find_vpc_origin, aws, id, self.label)
        found = aws.clock.poll(look, _DEPLOYED_WITHIN_SECONDS, _EVERY_SECONDS, until=is_settled)
        if not is_settled(found):
            raise self._out_of_time(f"is not deployed after {_DEPLOYED_WITHIN_SECONDS / 60:.0f} minutes")
        return found

    def _out_of_time(self, what: str) -> OutOfTimeError:
        return OutOfTimeError(f"{self.label} {what}.", next_step="run the same command again")


def has_failed(found: Mapping[str, Any]) -> bool:
    """Whether CloudFront has not deployed a VPC origin, of which GetVpcOrigin or ListVpcOrigins has the status.

    AWS documents no statuses; Terraform waits for Deployed, and takes only Deploying for a way there.
    """
    return found["Status"] not in (DEPLOYED, _DEPLOYING)


def _allows_cloudfront(balancer: LoadBalancer, known: LiveResources) -> bool:
    """Whether its security group allows a group or a prefix list, which it does for CloudFront only."""
    group = known.get(balancer.security_group)
    rules = balancer.security_group.every_rule(group) if group else []
    return any("PrefixListIds" in each or "UserIdGroupPairs" in each for each in rules)


def tag(aws: Aws, resource: Resource, arn: str, tags: Mapping[str, str]) -> None:
    """TagResource of CloudFront."""
    aws.call("cloudfront:TagResource", resource.label, Resource=arn, Tags={"Items": tag_list(tags)})


def tag_command(resource: Resource, arn: str) -> str:
    """The command that gives a resource of CloudFront (ARN) the stack's tags."""
    tags = ",".join(f"{{Key={key},Value={value}}}" for key, value in resource.own_tags.items())
    return f"aws cloudfront tag-resource --resource {arn} --tags 'Items=[{tags}]'"


def retagging(resource: Resource, arn: str) -> str:
    """The next step where a resource of CloudFront without tags cannot be adopted as it is."""
    return f"if this stack created it, put its tags back: {tag_command(resource, arn)}; then run the same command again"


def untag(aws: Aws, resource: Resource, arn: str, names: tuple[str, ...]) -> None:
    """UntagResource of CloudFront."""
    aws.call("cloudfront:UntagResource", resource.label, Resource=arn, TagKeys={"Items": list(names)})


def _live(found: Mapping[str, Any], tags: Mapping[str, str]) -> Live:
    config = found["VpcOriginEndpointConfig"]
    attributes = {
        "load-balancer": config["Arn"],
        "HTTP-port": config["HTTPPort"],
        "HTTPS-port": config["HTTPSPort"],
        "protocol": config["OriginProtocolPolicy"],
        "address-type": config.get("IpAddressType", "ipv4"),
        "status": found["Status"],
        "superseded": (),
    }
    return Live(found["Id"], attributes, tags, {**found, "superseded": ()}, tags.get(REGION_TAG, ""))
