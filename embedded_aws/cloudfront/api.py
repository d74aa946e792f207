"""Amazon CloudFront: maps operations to functions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..kernel.data_plane import DataPlane
from ..moto.adapter import ActionResult, BaseResponse, CloudFrontResponse
from . import aliases, distributions, invalidations, origins, policies
from .answers import Request
from .edge import Edge
from .model import CloudFrontState

Operation = Callable[[Edge, CloudFrontState, Request], dict[str, Any]]


def answered_by(operation: Operation) -> Callable[[CloudFront], ActionResult]:
    """A response method that calls ``operation`` with the caller's account, the lock held."""

    def answer(self: CloudFront) -> ActionResult:
        request = self._get_params()
        with self.plane.lock:
            return ActionResult(operation(self.edge, self.edge.state(self.current_account), request))

    return answer


def told_by(reading: Callable[[Request], dict[str, Any]]) -> Callable[[CloudFront], ActionResult]:
    """The same for a function that does not depend on an account."""

    def answer(self: CloudFront) -> ActionResult:
        return ActionResult(reading(self._get_params()))

    return answer


class CloudFront(CloudFrontResponse):
    """Amazon CloudFront; moto handles functions, keys and origin access controls, which no distribution can use.

    moto does not keep all members of a distribution, and has no VPC origins.
    """

    def __init__(self, plane: DataPlane, edge: Edge) -> None:
        super().__init__()
        self.plane = plane
        self.edge = edge

    _get_action = BaseResponse._get_action  # moto's would also take WithTags from anywhere in a body

    create_distribution = answered_by(distributions.create)
    create_distribution_with_tags = answered_by(distributions.create_with_tags)
    get_distribution = answered_by(distributions.get)
    get_distribution_config = answered_by(distributions.get_config)
    update_distribution = answered_by(distributions.update)
    delete_distribution = answered_by(distributions.delete)
    list_distributions = answered_by(distributions.list_summaries)
    associate_distribution_web_acl = answered_by(distributions.associate_web_acl)
    disassociate_distribution_web_acl = answered_by(distributions.disassociate_web_acl)

    list_conflicting_aliases = answered_by(aliases.list_conflicting)
    associate_alias = answered_by(aliases.associate)

    create_invalidation = answered_by(invalidations.create)
    get_invalidation = answered_by(invalidations.get)
    list_invalidations = answered_by(invalidations.list_summaries)

    create_vpc_origin = answered_by(origins.create)
    get_vpc_origin = answered_by(origins.get)
    list_vpc_origins = answered_by(origins.list_summaries)
    update_vpc_origin = answered_by(origins.update)
    delete_vpc_origin = answered_by(origins.delete)
    list_distributions_by_vpc_origin_id = answered_by(origins.list_distributions)

    tag_resource = answered_by(distributions.tag)
    untag_resource = answered_by(distributions.untag)
    list_tags_for_resource = answered_by(distributions.list_tags)

    get_cache_policy = told_by(policies.get_cache_policy)
    list_cache_policies = told_by(policies.list_cache_policies)
    get_origin_request_policy = told_by(policies.get_origin_request_policy)
    list_origin_request_policies = told_by(policies.list_origin_request_policies)
