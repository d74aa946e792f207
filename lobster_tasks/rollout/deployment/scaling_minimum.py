"""Auto scaling's minimum, which waits for a release: before there is one it would start tasks that run nothing."""

from __future__ import annotations

from ...aws import Aws
from ...errors import AwsCallError
from ...settings import ADOPTED_TAG, STACK_TAG, Settings
from ...stack.scaling import identity
from ..observation.timeline import Timeline

_REGISTER = "application-autoscaling:RegisterScalableTarget"
_TAGS = "application-autoscaling:ListTagsForResource"


def raise_scaling_minimum(aws: Aws, settings: Settings, timeline: Timeline) -> None:
    """Raise the minimum to what the settings say, where they have auto scaling and the service has our target.

    The bounds of one that was there before stay. The release is live whether or not this works: what keeps it from
    working is said.
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
