"""Application Auto Scaling, based on moto; its targets are this package's ECS services, and limits apply at once."""

from __future__ import annotations

import json
from typing import Any

from ..ecs import moto_mirror, services
from ..ecs.response import OnFargate
from ..iam.access.stored import ensure_linked_role, linked_role_arn
from ..kernel import paging, young
from ..moto.adapter import ApplicationAutoScalingResponse, AwsError
from . import store
from .store import LINKED

__all__ = ["ApplicationAutoScaling", "store"]

NO_TARGET = (
    "No scalable target registered for service namespace: ecs, resource ID: {}, scalable dimension: "
    "ecs:service:DesiredCount"
)
UNSUPPORTED = "Unsupported service namespace, resource type or scalable dimension"
UNKNOWN_CREDENTIALS = (
    "Unable to retrieve alarms for the scaling policy due to reason: The security token included in the request is "
    "invalid (Service: AmazonCloudWatch; Status Code: 403; Error Code: InvalidClientTokenId)"
)


class ApplicationAutoScaling(OnFargate, ApplicationAutoScalingResponse):
    """Application Auto Scaling. Policies are stored, but no metric ever triggers them."""

    def call_action(self) -> Any:
        """Handle a request, after moto's copy of the services is updated."""
        with self.plane.lock:
            moto_mirror.reflect(self.state)
        return super().call_action()

    def register_scalable_target(self) -> Any:
        """RegisterScalableTarget; scales a service that is outside the new limits into them."""
        if self._get_param("ServiceNamespace") == "ecs":
            _check_resource(self._get_param("ResourceId"), self._get_param("ScalableDimension"))
            self._check_young(self._get_param("ResourceId"))
        answer = super().register_scalable_target()
        arn = json.loads(answer)["ScalableTargetARN"]
        if tags := self._get_param("Tags"):
            self._tags(arn).update(tags)
        if self._get_param("ServiceNamespace") == "ecs":
            self._scale()
        return answer

    def put_scaling_policy(self) -> Any:
        """PutScalingPolicy; in a young account the target and the role's credentials are unknown at first."""
        if not young.lets_assume(
            self.plane, linked_role_arn(self.current_account, LINKED), young.CREDENTIALS_KNOWN
        ):
            raise AwsError("FailedResourceAccessException", UNKNOWN_CREDENTIALS)
        target = self.applicationautoscaling_backend.targets.get(self._get_param("ScalableDimension"), {})
        found = target.get(self._get_param("ResourceId"))
        if found is not None and not young.knows(self.plane, found.creation_time):
            raise AwsError("ObjectNotFoundException", NO_TARGET.format(self._get_param("ResourceId")))
        return super().put_scaling_policy()

    def _check_young(self, resource: str) -> None:
        """Refuse a service or its service-linked role while a young account does not know it yet."""
        _, cluster, name = resource.split("/")
        service = self.state.services.get((cluster, name))
        if service is not None and not young.knows(self.plane, service.created_at):
            raise AwsError("ValidationException", f"ECS service doesn't exist: {resource}")
        ensure_linked_role(self.current_account, LINKED)
        arn = linked_role_arn(self.current_account, LINKED)
        if not young.lets_assume(self.plane, arn):
            raise AwsError("ValidationException", f"Unable to assume IAM role: {arn}")

    def describe_scaling_activities(self) -> str:
        """DescribeScalingActivities: newest first, of a namespace, optionally of one resource or dimension."""
        asked = {
            name: self._get_param(name) for name in ("ServiceNamespace", "ResourceId", "ScalableDimension")
        }
        if asked["ScalableDimension"] and not asked["ResourceId"]:
            raise AwsError("ValidationException", "ResourceId must be specified with ScalableDimension.")
        found = [
            each
            for each in self.applicationautoscaling_backend.activities
            if all(value in (None, each[name]) for name, value in asked.items())
        ]
        first = paging.offset(self._get_param("NextToken"))
        last = first + int(self._get_param("MaxResults") or 50)
        more = {"NextToken": paging.token(last)} if len(found) > last else {}
        return json.dumps({"ScalingActivities": found[first:last], **more})

    def list_tags_for_resource(self) -> str:
        """ListTagsForResource."""
        return json.dumps({"Tags": self._tags(self._get_param("ResourceARN"))})

    def tag_resource(self) -> str:
        """TagResource."""
        self._tags(self._get_param("ResourceARN")).update(self._get_param("Tags"))
        return "{}"

    def untag_resource(self) -> str:
        """UntagResource."""
        tags = self._tags(self._get_param("ResourceARN"))
        for key in self._get_param("TagKeys"):
            tags.pop(key, None)
        return "{}"

    def _tags(self, arn: str) -> dict[str, str]:
        """The tags of a scalable target; ResourceNotFoundException for an unknown ARN."""
        backend = self.applicationautoscaling_backend
        if not any(each.arn == arn for named in backend.targets.values() for each in named.values()):
            raise AwsError("ResourceNotFoundException", f"The resource {arn} doesn't exist.")
        tags: dict[str, str] = backend.tags_of.setdefault(arn, {})
        return tags

    def _scale(self) -> None:
        _, cluster, name = self._get_param("ResourceId").split("/")
        target = self.applicationautoscaling_backend.targets[self._get_param("ScalableDimension")]
        bounds = target[self._get_param("ResourceId")]
        with self.plane.lock:
            service = services.find(self.state, cluster, name)
            within = min(max(service.desired, bounds.min_capacity), bounds.max_capacity)
            if within != service.desired:
                bound = "minimum" if within > service.desired else "maximum"
                cause = f"{bound} capacity was set to {within}"
                why = self._set(cluster, name, within)
                self.applicationautoscaling_backend.note_scaling(bounds, within, cause, why)

    def _set(self, cluster: str, name: str, count: int) -> str | None:
        """Change the desired count; returns why ECS refuses it, or None."""
        try:
            services.update(self.state, {"cluster": cluster, "service": name, "desiredCount": count})
        except AwsError as refused:
            return str(refused.message)
        return None


def _check_resource(resource: str, dimension: str) -> None:
    """Refuse what is not ``service/cluster/name``, and a dimension that ECS does not have."""
    kind, *names = resource.split("/")
    if kind != "service" or len(names) != 2 or not all(names) or dimension != "ecs:service:DesiredCount":
        raise AwsError("ValidationException", UNSUPPORTED)
