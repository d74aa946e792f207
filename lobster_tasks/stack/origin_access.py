"""The security group rule that limits access from CloudFront to the VPC origins of the load balancer's VPC."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, ClassVar

from ..account import find_authority, hidden_errors
from ..aws import Aws
from ..errors import OutOfTimeError
from ..http_client import Client, Response, is_by_cloudfront, says_error
from .distribution import Distribution
from .load_balancing import HTTP_PORT, Listener
from .network import SecurityGroup
from .origin_facing import OriginFacing, service_group
from .resource import Attributes, Live, LiveResources, Resource

_GROUP_WITHIN_SECONDS = 300.0
_ANSWER_WITHIN_SECONDS = 20.0
_THROUGH_WITHIN_SECONDS = 180.0
_EVERY_SECONDS = 2.0


@dataclass(frozen=True)
class OriginAccess(Resource):
    """The rule for CloudFront's own security group, which replaces the rule for its prefix list.

    CloudFront creates the group with the first VPC origin of a VPC, so this is the second of two steps: add the rule,
    request the app through the distribution, remove the rule for the prefix list, request the app again. Where a web
    ACL does not let this machine request anything, the rule for the prefix list stays besides ours. The live id is
    that of the load balancer's security group, which contains the rule; deleting the group deletes it.
    """

    kind: ClassVar[str] = "security-group-rule"
    taggable: ClassVar[bool] = False
    security_group: SecurityGroup
    front: OriginFacing
    distribution: Distribution
    listeners: tuple[Listener, ...]

    def read(self, aws: Aws, known: LiveResources) -> Live | None:
        """From the rules of the security group, which were read before; None if none allows CloudFront's group."""
        group, front = known.get(self.security_group), known.get(self.front)
        if group is None or front is None or not front.raw["group"]:
            return None
        by_group, by_list = _by_group(front.raw["group"]), _by_list(front.id)
        present = [_core(each) for each in self.security_group.every_rule(group)]
        ours = [_core(each) for each in self.security_group.own_rules(group)]
        return Live(group.id, {"prefix-list": by_list in ours}, group.tags) if by_group in present else None

    def desired(self, known: LiveResources) -> Attributes:
        """No rule of ours for the prefix list, except where a web ACL may have kept this from being tried."""
        return {} if self.distribution.is_limited(known) else {"prefix-list": False}

    def remarks(self, live: Live, known: LiveResources) -> tuple[str, ...]:
        """That the prefix list is still allowed."""
        if not live.attributes.get("prefix-list") or not self.distribution.is_limited(known):
            return ()
        return (
            "CloudFront's prefix list stays allowed too: the web ACL blocks this machine, so setup cannot check that "
            "the app answers without it",
        )

    def words(self, attribute: str) -> str:
        """The difference in words."""
        return "the prefix list is allowed too"

    def create(self, aws: Aws, known: LiveResources) -> Live:
        """Allow CloudFront's group, then remove the rule for the prefix list."""
        group = known[self.security_group]
        vpc = known[self.front.network].id
        find = partial(service_group, aws, vpc)
        if not (its := aws.clock.poll(find, _GROUP_WITHIN_SECONDS, _EVERY_SECONDS)):
            raise OutOfTimeError(
                f"There is no security group of CloudFront's own in {vpc}.",
                "CloudFront creates it with the first VPC origin; the load balancer allows the prefix list for now",
                "run the same command again",
            )
        self.security_group.allow(aws, group, _by_group(its))
        return self.update(aws, Live(group.id, {}, group.tags), frozenset({"prefix-list"}), known)

    def update(self, aws: Aws, live: Live, changed: frozenset[str], known: LiveResources) -> Live:
        """Remove the rule for the prefix list; restore it if requests do not get through without it."""
        group, by_list = known[self.security_group], _by_list(known[self.front].id)
        url = f"https://{known[self.distribution].raw['DomainName']}/"
        if not self._is_passing(aws, url, known):
            return Live(group.id, {"prefix-list": True}, group.tags)
        self.security_group.forbid(aws, group, by_list)
        try:
            self._is_passing(aws, url, known)
        except OutOfTimeError:
            self.security_group.allow(aws, group, by_list)
            raise
        return Live(group.id, {"prefix-list": False}, group.tags)

    def delete(self, aws: Aws, live: Live) -> None:
        """Does nothing: the rule is deleted with its security group."""

    def tag(self, aws: Aws, live: Live, tags: Mapping[str, str]) -> None:
        """Nothing: it carries none."""

    def untag(self, aws: Aws, live: Live, names: tuple[str, ...]) -> None:
        """Nothing: it carries none."""

    def _is_passing(self, aws: Aws, url: str, known: LiveResources) -> bool:
        """Request the app through the distribution until something behind CloudFront answers, with any status.

        False where a web ACL blocks this machine. Raises OutOfTimeError.
        """
        authority, limited = find_authority(aws, url), self.distribution.is_limited(known)

        def ask() -> Response:
            with Client(authority=authority) as client:
                return client.request(url, _ANSWER_WITHIN_SECONDS, most=0)

        config = known[self.distribution].raw["DistributionConfig"]

        def is_decided(answer: Response) -> bool:
            return is_through(answer, config) or (limited and is_refused(answer, config))

        answer = aws.clock.poll(ask, _THROUGH_WITHIN_SECONDS, _EVERY_SECONDS, until=is_decided)
        if not is_decided(answer):
            raise OutOfTimeError(
                f"{url} does not lead to {self.security_group.name} yet ({answer.said}).",
                "the load balancer goes on allowing CloudFront's prefix list, so nobody is kept out",
                f"{_before_again(answer, config)}run the same command again",
            )
        return is_through(answer, config)


def is_refused(answer: Response, config: Mapping[str, Any]) -> bool:
    """Whether CloudFront itself refuses the request, as it does what a web ACL blocks."""
    if 403 in _hidden(answer, config):
        return True
    return answer.status == 403 and is_by_cloudfront(answer.status, answer.headers)


def is_through(answer: Response, config: Mapping[str, Any]) -> bool:
    """Whether the answer comes from behind CloudFront; the ``Server`` header identifies CloudFront's own errors.

    Of a custom error page that is not known: its error may be CloudFront's, and it may come from another origin.
    """
    if answer.status is None or answer.is_error_page or _hidden(answer, config):
        return False
    return not is_by_cloudfront(answer.status, answer.headers)


def _before_again(answer: Response, config: Mapping[str, Any]) -> str:
    """What to do before the next try, where a custom error page hides what the load balancer answers."""
    if answer.is_error_page or _hidden(answer, config):
        return "deploy a release, or take out the distribution's custom error pages for the time being, then "
    return ""


def _hidden(answer: Response, config: Mapping[str, Any]) -> tuple[int, ...]:
    """The errors for which an answer may be a custom error page of the distribution, by its DistributionConfig."""
    may_be_a_page = answer.status is not None and says_error(answer.headers)
    return hidden_errors(config, answer.status) if may_be_a_page and answer.status else ()


def _core(rule: Mapping[str, Any]) -> dict[str, Any]:
    """A rule with one peer, without the account id of the peer's owner."""
    return {
        name: [{key: each[key] for key in each if key != "UserId"} for each in value]
        if isinstance(value, list)
        else value
        for name, value in rule.items()
    }


def _by_group(group: str) -> dict[str, Any]:
    return {**_PORT, "UserIdGroupPairs": [{"GroupId": group}]}


def _by_list(prefix_list: str) -> dict[str, Any]:
    return {**_PORT, "PrefixListIds": [{"PrefixListId": prefix_list}]}


_PORT = {"IpProtocol": "tcp", "FromPort": HTTP_PORT, "ToPort": HTTP_PORT}
