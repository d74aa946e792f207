"""The targets and policies of Application Auto Scaling: moto's store, corrected where AWS differs."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

from ..iam.access.stored import linked_role_arn
from ..moto.adapter import (
    ApplicationAutoscalingBackend,
    AwsError,
    applicationautoscaling_backends,
    aws_errors,
)

POLICIES_MOST = 50  # per scalable target ("Quotas for Application Auto Scaling")
LINKED = "ecs.application-autoscaling.amazonaws.com"


def _suspended(known: Any, given: Mapping[str, bool] | None) -> dict[str, bool]:
    """The suspended state: omitted members keep their value, initially false."""
    kinds = ("DynamicScalingInSuspended", "DynamicScalingOutSuspended", "ScheduledScalingSuspended")
    return {**dict.fromkeys(kinds, False), **(known.suspended_state if known else {}), **(given or {})}


class AutoScalingStore(ApplicationAutoscalingBackend):
    """The scalable targets of one account in one region; ``tags_of`` by their ARNs."""

    def __init__(self, region_name: str, account_id: str) -> None:
        super().__init__(region_name, account_id)
        self.tags_of: dict[str, dict[str, str]] = {}
        self.activities: list[dict[str, Any]] = []

    def note_scaling(self, target: Any, count: int, cause: str, refused: str | None) -> None:
        """Record a change of the desired count, or ECS's refusal, for DescribeScalingActivities."""
        moment = datetime.now(UTC).timestamp()
        done = f"Successfully set desired count to {count}. Change successfully fulfilled by ecs."
        if refused:
            done = f"Failed to set desired count to {count}. Reason: {refused}"
        self.activities.insert(
            0,
            {
                "ActivityId": str(uuid4()),
                "ServiceNamespace": target.service_namespace,
                "ResourceId": target.resource_id,
                "ScalableDimension": target.scalable_dimension,
                "Description": f"Setting desired count to {count}.",
                "Cause": cause,
                "StartTime": moment,
                "EndTime": moment,
                "StatusCode": "Failed" if refused else "Successful",
                "StatusMessage": done,
            },
        )

    def register_scalable_target(
        self,
        namespace: str,
        r_id: str,
        dimension: str,
        min_capacity: int | None = None,
        max_capacity: int | None = None,
        **more: Any,
    ) -> Any:
        """Register or change a target; omitted limits keep their value."""
        known = self.targets.get(dimension, {}).get(r_id)
        least = known.min_capacity if known and min_capacity is None else min_capacity
        most = known.max_capacity if known and max_capacity is None else max_capacity
        if least is not None and most is not None and most < least:
            message = "Maximum capacity cannot be less than minimum capacity"
            raise AwsError("ValidationException", message)
        if known is None and (least is None or most is None):
            message = "Both MinCapacity and MaxCapacity are required for a new scalable target"
            raise AwsError("ValidationException", message)
        more["role_arn"] = more.get("role_arn") or linked_role_arn(self.account_id, LINKED)
        more["suspended_state"] = _suspended(known, more.get("suspended_state"))
        return super().register_scalable_target(
            namespace, r_id, dimension, min_capacity=min_capacity, max_capacity=max_capacity, **more
        )

    def deregister_scalable_target(self, namespace: str, r_id: str, dimension: str) -> None:
        """Deregister a target and delete its policies."""
        self._check_target(namespace, r_id, dimension, "found")
        super().deregister_scalable_target(namespace, r_id, dimension)
        for policy in list(self.policies.values()):
            if (policy.resource_id, policy.scalable_dimension) == (r_id, dimension):
                super().delete_scaling_policy(policy.policy_name, namespace, r_id, dimension)

    def put_scaling_policy(
        self, policy_name: str, service_namespace: str, resource_id: str, scalable_dimension: str, **more: Any
    ) -> Any:
        """Create or change a policy of a registered target."""
        self._check_target(service_namespace, resource_id, scalable_dimension, "registered")
        there = {
            policy.policy_name
            for policy in self.policies.values()
            if (policy.resource_id, policy.scalable_dimension) == (resource_id, scalable_dimension)
        }
        if len(there | {policy_name}) > POLICIES_MOST:
            raise AwsError("LimitExceededException", "A per-account resource limit is exceeded.")
        return super().put_scaling_policy(
            policy_name, service_namespace, resource_id, scalable_dimension, **more
        )

    def delete_scaling_policy(
        self, policy_name: str, service_namespace: str, resource_id: str, scalable_dimension: str
    ) -> None:
        """Delete a policy, or ObjectNotFoundException."""
        given = (policy_name, service_namespace, resource_id, scalable_dimension)
        try:
            with aws_errors():
                super().delete_scaling_policy(*given)
        except AwsError as missing:
            raise AwsError("ObjectNotFoundException", missing.message) from missing

    def _check_target(self, namespace: str, r_id: str, dimension: str, verb: str) -> None:
        if not self._scalable_target_exists(r_id, dimension):
            where = f"{namespace}, resource ID: {r_id}, scalable dimension: {dimension}"
            message = f"No scalable target {verb} for service namespace: {where}"
            raise AwsError("ObjectNotFoundException", message)

    def _ecs_service_exists_for_target(self, r_id: str) -> bool:
        try:
            with aws_errors():
                return bool(super()._ecs_service_exists_for_target(r_id))
        except AwsError as missing:  # also where the cluster does not exist
            raise AwsError("ValidationException", f"ECS service doesn't exist: {r_id}") from missing


applicationautoscaling_backends.keep_in(AutoScalingStore)
