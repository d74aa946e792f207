"""The permissions that Application Auto Scaling requires besides its own action.

"Permissions validation for Application Auto Scaling API calls on target resources": the caller needs permissions in
the target service, ecs:DescribeServices and ecs:UpdateService, and in CloudWatch, for the alarms of target tracking.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ...moto.wire import Call
from .query import AuthorizationQuery

SERVICE = ("ecs:DescribeServices", "ecs:UpdateService")
ALARMS = {
    "DeleteScalingPolicy": ("cloudwatch:DeleteAlarms",),
    "DeregisterScalableTarget": ("cloudwatch:DeleteAlarms",),
    "PutScalingPolicy": ("cloudwatch:DescribeAlarms", "cloudwatch:PutMetricAlarm"),
}


def queries(account: str, call: Call, members: Mapping[str, Any]) -> Iterator[AuthorizationQuery]:
    """The queries about an ECS service (``service/cluster/name``) and its alarms."""
    if members.get("ServiceNamespace") != "ecs":
        return
    id = str(members.get("ResourceId", ""))
    if call.operation == "RegisterScalableTarget":
        arn = f"arn:aws:ecs:{call.region}:{account}:{id}"
        cluster = f"arn:aws:ecs:{call.region}:{account}:cluster/{id.split('/')[1]}"
        yield from (AuthorizationQuery(action, arn, {"ecs:cluster": cluster}) for action in SERVICE)
    alarm = f"arn:aws:cloudwatch:{call.region}:{account}:alarm:TargetTracking-{id}-*"
    yield from (AuthorizationQuery(action, alarm) for action in ALARMS.get(call.operation, ()))
