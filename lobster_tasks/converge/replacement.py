"""Decides whether a load balancer that another one replaces can be removed."""

from __future__ import annotations

from collections.abc import Mapping

from ..account import describe_target_health, find_service, is_at_rest
from ..aws import Aws
from ..errors import OutOfTimeError, RefusedError
from ..stack import Live, LiveResources, Resource, Stack
from ..stack.ecs import Service
from ..stack.load_balancing import TargetGroup
from .planner import plan
from .read import read

_AT_REST_WITHIN_SECONDS = 1800.0
_EVERY_SECONDS = 3.0


def refuse_unready(aws: Aws, stack: Stack) -> None:
    """Raise RefusedError unless the account is as the stack says and its own load balancer has healthy targets.

    A deployment in progress is waited for. Raises OutOfTimeError, and whatever ``plan`` raises.
    """
    live = read(aws, stack)
    _refuse_incomplete(stack, live)
    service, known = stack.service, LiveResources(live)
    if service is None or not known[service].raw.get("desiredCount"):
        return
    _await_completed_deployment(aws, service)
    _refuse_unhealthy(aws, service.target_group, known)


def _refuse_incomplete(stack: Stack, live: Mapping[Resource, Live | None]) -> None:
    left = [each for each in plan(stack, live).changes if not each.resource.former]
    if not left:
        return
    first, is_beside = left[0], any(live[each] for each in stack.former)
    raise RefusedError(
        "The new load balancer is not complete." if is_beside else "There is no old load balancer to remove.",
        f"{first.resource.label}: {first.reason} ({len(left)} changes are left)",
        "inv setup-fargate",
    )


def _await_completed_deployment(aws: Aws, service: Service) -> None:
    def rests() -> bool:
        found = find_service(aws, service.cluster.name, service.name, service.label)
        return found is not None and is_at_rest(found)

    if not aws.clock.poll(rests, _AT_REST_WITHIN_SECONDS, _EVERY_SECONDS):
        raise OutOfTimeError(
            f"{service.label} has a deployment in progress.",
            "the load balancers still send requests to the previous tasks",
            "run the same command again once inv status shows that it has ended",
        )


def _refuse_unhealthy(aws: Aws, group: TargetGroup, known: LiveResources) -> None:
    health = describe_target_health(aws, known[group].id, group.label)
    if not any(each["TargetHealth"]["State"] == "healthy" for each in health):
        raise RefusedError(
            f"{group.label} has no healthy target.",
            "visitors of the new load balancer would get no answer",
            "check inv status and inv validate-fargate-setup",
        )
