"""The common base of Elastic Load Balancing's operations: look-ups, tags, paging."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ..kernel.data_plane import DataPlane
from ..moto.adapter import ActionResult, AwsError, ELBV2Response, get_service_model
from .balancer import Balancer
from .checks import refuse

KINDS = {
    "load balancer": "loadbalancer/",
    "target group": "targetgroup/",
    "listener": "listener/",
    "listener rule": "listener-rule/",
}
TAGS_AT_MOST = 50
TOO_MANY_TAGS = "You've reached the limit on the number of tags for this resource"


class ElbBase(ELBV2Response):
    """Look-ups in moto's store, with AWS's errors. The data plane's lock is held during every operation."""

    def __init__(self, plane: DataPlane, balancer: Balancer) -> None:
        super().__init__()
        self.plane = plane
        self.balancer = balancer

    @property
    def given(self) -> dict[str, Any]:
        """The request's members; an empty text in an optional one counts as absent."""
        given: dict[str, Any] = self._get_params()
        required = get_service_model("elbv2").operation_model(self._get_action()).input_shape.required_members
        return {name: value for name, value in given.items() if value != "" or name in required}

    def call_action(self) -> Any:
        """Handle a request; the data plane is told of every change."""
        with self.plane.lock:
            self.balancer.know(self.current_account, self.region)
            answer = super().call_action()
            if not self._get_action().startswith("Describe"):
                self.balancer.touch()
        return answer

    def check_arns(self, what: str, *arns: str) -> None:
        """Refuse what is no ARN of a load balancer, target group, listener or listener rule of this region."""
        for arn in arns:
            parts = arn.split(":", 5)
            own = ["elasticloadbalancing", self.region, self.current_account]
            if parts[0] != "arn" or parts[2:5] != own or not parts[-1].startswith(KINDS[what]):
                refuse(f"'{arn}' is not a valid {what} ARN")

    def find_load_balancer(self, arn: str) -> Any:
        """A load balancer by ARN; LoadBalancerNotFound."""
        self.check_arns("load balancer", arn)
        found = self.elbv2_backend.load_balancers.get(arn)
        return found or refuse(f"Load balancer '{arn}' not found", "LoadBalancerNotFound")

    def find_target_group(self, arn: str) -> Any:
        """A target group by ARN; TargetGroupNotFound."""
        self.check_arns("target group", arn)
        found = self.elbv2_backend.target_groups.get(arn)
        return found or refuse(f"Target groups '{arn}' not found", "TargetGroupNotFound")

    def find_listener(self, arn: str) -> Any:
        """A listener by ARN; ListenerNotFound."""
        self.check_arns("listener", arn)
        for balancer in self.elbv2_backend.load_balancers.values():
            if arn in balancer.listeners:
                return balancer.listeners[arn]
        return refuse("One or more listeners not found", "ListenerNotFound")

    def listeners(self) -> list[Any]:
        """Every listener of the account in the region."""
        balancers = self.elbv2_backend.load_balancers.values()
        return [one for balancer in balancers for one in balancer.listeners.values()]

    def page(self, key: str, items: Sequence[Any], name: str) -> ActionResult:
        """One page of an answer; the marker is a value of the member ``name``."""
        size = int(self.given.get("PageSize") or 400)
        marker = self.given.get("Marker")
        names = [item[name] for item in items]
        start = names.index(marker) + 1 if marker in names else 0
        rest = {"NextMarker": names[start + size - 1]} if len(items) > start + size else {}
        return ActionResult({key: list(items[start : start + size]), **rest})

    # Tags

    def tags_of(self, arn: str) -> dict[str, str]:
        """The tags of a resource."""
        tags: dict[str, str] = self.elbv2_backend.tagging_service.get_tag_dict_for_resource(arn)
        return tags

    def add_tags(self) -> ActionResult:
        """AddTags: at most 50 tags; the resources must exist."""
        tags = check_tags(self.given["Tags"])
        for arn in self.given["ResourceArns"]:
            self._tagged(arn)
            if len({**self.tags_of(arn), **tags}) > TAGS_AT_MOST:
                refuse(TOO_MANY_TAGS, "TooManyTags")
        for arn in self.given["ResourceArns"]:
            self.elbv2_backend.tagging_service.tag_resource(arn, self.given["Tags"])
        return ActionResult({})

    def describe_tags(self) -> ActionResult:
        """DescribeTags, for existing resources."""
        for arn in self.given["ResourceArns"]:
            self._tagged(arn)
        return super().describe_tags()

    def _tagged(self, arn: str) -> Any:
        if ":targetgroup/" in arn:
            return self.find_target_group(arn)
        if ":listener/" in arn:
            return self.find_listener(arn)
        if ":listener-rule/" in arn:
            rules = (rule for listener in self.listeners() for rule in listener.rules.values())
            found = next((rule for rule in rules if rule.arn == arn), None)
            return found or refuse(f"One or more rules not found: '{arn}'", "RuleNotFound")
        return self.find_load_balancer(arn)


def check_tags(tags: Iterable[Mapping[str, str]] | None) -> dict[str, str]:
    """Tags as a mapping; raises an error for invalid ones."""
    found: dict[str, str] = {}
    for tag in tags or ():
        key, value = tag["Key"], tag.get("Value") or ""
        if key in found:
            refuse(f"Tag key was specified more than once: {key}", "DuplicateTagKeys")
        if key.lower().startswith("aws:"):
            refuse(f"Tag key '{key}' cannot begin with 'aws:'")
        found[key] = value
    if len(found) > TAGS_AT_MOST:
        raise AwsError("TooManyTags", TOO_MANY_TAGS)
    return found
