"""Raises auto scaling's minimum after a release; before the first one it would start tasks without an image."""

from __future__ import annotations

from ...aws import Aws
from ...errors import AwsCallError
from ...settings import ADOPTED_TAG, STACK_TAG, Settings
from ...stack.scaling import identity
from ..observation.timeline import Timeline

_REGISTER = "application-autoscaling:RegisterScalableTarget"
_TAGS = "application-autoscaling:ListTagsForResource"


def raise_scaling_minimum(aws: Aws, settings: Settings, timeline: Timeline) -> None:
    """Raise the minimum to that of the settings, where they have auto scaling and the scalable target is ours.

    The limits of an adopted target stay. The release is live whether or not this works; a failure is reported.
    """
    if settings.scaling.max is None:
        return
    target = identity(settings.cluster, settings.service)
    named = target["ResourceId"]
    asked = {"ServiceNamespace": target["ServiceNamespace"], "ResourceIds": [named]}
    try:
        found = aws.call("application-autoscaling:DescribeScalableTargets", named, **asked)["ScalableTargets"]
        if not found or found[0]["MinCapacity"] == settings.scaling.min:
            return
        tags = aws.call(_TAGS, named, ResourceARN=found[0]["ScalableTargetARN"])["Tags"]
        if tags.get(STACK_TAG) != settings.name or ADOPTED_TAG in tags:
            return
        aws.call(_REGISTER, named, **target, MinCapacity=settings.scaling.min)
    except AwsCallError as refused:
        timeline.say(f"auto scaling keeps its minimum: {refused.why}; inv create-fargate-service repairs it")
        return
    timeline.say(
        f"auto scaling keeps the count between {settings.scaling.min} and {settings.scaling.max} now"
    )
