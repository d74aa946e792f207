"""Service auto scaling: the limits of the desired count, and the targets of its policies."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from ..aws import Aws
from .ecs import Service
from .load_balancing import LoadBalancer, TargetGroup
from .resource import Attributes, Live, LiveResources, Presence, Resource

_ABSENT = ("ObjectNotFoundException",)
_DIMENSION = "ecs:service:DesiredCount"
_REQUESTS, _ELSEWHERE = "requests_per_target", "policies-of-before"
# The metric's name in the settings -> PredefinedMetricType of Application Auto Scaling, and its unit.
METRICS: Mapping[str, tuple[str, str]] = {
    "average_cpu": ("ECSServiceAverageCPUUtilization", " %"),
    "average_memory": ("ECSServiceAverageMemoryUtilization", " %"),
    "requests_per_target": ("ALBRequestCountPerTarget", " a minute"),
}


def identity(cluster: str, service: str) -> dict[str, str]:
    """The identity of an ECS service in Application Auto Scaling."""
    resource = f"service/{cluster}/{service}"
    return {"ServiceNamespace": "ecs", "ResourceId": resource, "ScalableDimension": _DIMENSION}


@dataclass(frozen=True)
class ScalableTarget(Resource):
    """The service as a scalable target, with one target tracking policy for each of ``targets``.

    ``targets`` are names of ``METRICS`` with their values. A minimum above the desired count scales at once, so it is
    0 while the service has no tasks; the first release raises it. Policies of others stay. Without a ``maximum``
    it is not desired. A policy that counts the requests of one load balancer stays while the service is behind that and
    the one which takes its place; then it is deleted.
    """

    kind: ClassVar[str] = "scalable-target"
    service: Service
    load_balancer: LoadBalancer
    target_group: TargetGroup
    minimum: int
    maximum: int | None
    targets: tuple[tuple[str, int], ...]

    def presence(self, known: LiveResources) -> Presence:
        """Desired where the settings have a maximum."""
        return "absent" if self.maximum is None else "present"

    def read(self, aws: Aws, known: LiveResources) -> Live | None:
        """DescribeScalableTargets, ListTagsForResource, DescribeScalingPolicies; None without a service."""
        if self.service not in known:
            return None
        operation, asked = "application-autoscaling:DescribeScalableTargets", self._asked()
        found = aws.pages(operation, "ScalableTargets", self.label, **asked)
        if not found:
            return None
        target = found[0]
        arn = target["ScalableTargetARN"]
        tags = aws.call("application-autoscaling:ListTagsForResource", self.label, ResourceARN=arn)["Tags"]
        policies, counting = self._read_policies(aws, known)
        attributes = {"minimum": target["MinCapacity"], "maximum": target["MaxCapacity"], **policies}
        return Live(arn, attributes, tags, {**target, _REQUESTS: counting})

    def desired(self, known: LiveResources) -> Attributes:
        """The limits, and a target for each metric; None for a metric without a policy of ours."""
        service = known.get(self.service)
        stands = service is None or service.raw.get("desiredCount", 0) > 0
        targets = dict(self.targets)
        return {
            "minimum": self.minimum if stands else 0,
            "maximum": self.maximum,
            **{metric: targets.get(metric) for metric in METRICS},
            _ELSEWHERE: self._elsewhere(known) if self.service.uses_former(known) else (),
        }

    def desired_when_adopted(self, live: Live, known: LiveResources) -> Attributes:
        """Our policies, which have names of their own; the limits stay."""
        ours = (*METRICS, _ELSEWHERE)
        return {name: value for name, value in self.desired(known).items() if name in ours}

    def withdraw(self, aws: Aws, live: Live, known: LiveResources) -> None:
        """DeleteScalingPolicy for each policy of ours."""
        for metric in METRICS:
            if live.attributes.get(metric) is not None:
                self._remove(aws, self._named(live, metric))
        for name in live.attributes.get(_ELSEWHERE, ()):
            self._remove(aws, name)

    def words(self, attribute: str) -> str:
        """A metric's name in the settings, in words."""
        return attribute.replace("_", " ").replace("cpu", "CPU")

    def describe(self, attribute: str, value: Any) -> str:
        """The value with its unit."""
        if value and attribute in METRICS:
            return f"{value}{METRICS[attribute][1]}"
        return super().describe(attribute, value)

    def create(self, aws: Aws, known: LiveResources) -> Live:
        """RegisterScalableTarget, then PutScalingPolicy for each metric."""
        made = self._register(aws, known, Tags=self.tags)
        live = Live(made["ScalableTargetARN"], {}, self.tags)
        return self.update(aws, live, frozenset(metric for metric, _ in self.targets), known)

    def update(self, aws: Aws, live: Live, changed: frozenset[str], known: LiveResources) -> Live:
        """RegisterScalableTarget for the limits, PutScalingPolicy and DeleteScalingPolicy for the metrics."""
        if changed & {"minimum", "maximum"}:
            self._register(aws, known)
        targets = dict(self.targets)
        for metric in METRICS:
            name = self._named(live, metric)
            if metric in changed and metric in targets:
                self._put(aws, name, metric, targets[metric], known)
            elif metric in changed:
                self._remove(aws, name)
        for name in live.attributes.get(_ELSEWHERE, ()) if _ELSEWHERE in changed else ():
            self._remove(aws, name)
        return live

    def delete(self, aws: Aws, live: Live) -> None:
        """DeregisterScalableTarget, which deletes its policies and their alarms."""
        operation = "application-autoscaling:DeregisterScalableTarget"
        aws.find(operation, _ABSENT, self.label, **self._identity())

    def tag(self, aws: Aws, live: Live, tags: Mapping[str, str]) -> None:
        """TagResource."""
        aws.call("application-autoscaling:TagResource", self.label, ResourceARN=live.id, Tags=tags)

    def untag(self, aws: Aws, live: Live, names: tuple[str, ...]) -> None:
        """UntagResource."""
        operation = "application-autoscaling:UntagResource"
        aws.call(operation, self.label, ResourceARN=live.id, TagKeys=list(names))

    def _identity(self) -> dict[str, str]:
        return identity(self.service.cluster.name, self.service.name)

    def _asked(self) -> dict[str, Any]:
        named = self._identity()
        return {"ResourceIds": [named.pop("ResourceId")], **named}

    def _register(self, aws: Aws, known: LiveResources, **more: Any) -> dict[str, Any]:
        desired = self.desired(known)
        bounds = {"MinCapacity": desired["minimum"], "MaxCapacity": desired["maximum"]}
        operation = "application-autoscaling:RegisterScalableTarget"
        return aws.call(operation, self.label, **self._identity(), **bounds, **more)

    def _policy(self, metric: str) -> str:
        return f"lobster-{self.stack}-{metric}"

    def _named(self, live: Live, metric: str) -> str:
        """The name of the policy for a metric: its own, or one that no load balancer of before has."""
        name, second = self._policy(metric), f"{self._policy(metric)}-2"
        if metric != _REQUESTS:
            return name
        return live.raw.get(_REQUESTS) or (second if name in live.attributes.get(_ELSEWHERE, ()) else name)

    def _elsewhere(self, known: LiveResources) -> tuple[str, ...]:
        found = known.get(self)
        return tuple(found.attributes[_ELSEWHERE]) if found else ()

    def _read_policies(self, aws: Aws, known: LiveResources) -> tuple[dict[str, Any], str]:
        """The attributes of our policies, and the name of the one that counts requests; empty without one."""
        operation = "application-autoscaling:DescribeScalingPolicies"
        found = aws.pages(operation, "ScalingPolicies", self.label, **self._identity())
        by_name = {
            each["PolicyName"]: each.get("TargetTrackingScalingPolicyConfiguration", {}) for each in found
        }
        names = [self._policy(_REQUESTS), f"{self._policy(_REQUESTS)}-2"]
        here = self._label(known) if self.load_balancer in known and self.target_group in known else ""
        counting = [name for name in names if name in by_name]
        own = next((name for name in counting if _counted(by_name[name]) == here), "")
        policies = {metric: by_name.get(self._policy(metric), {}) for metric in METRICS}
        policies[_REQUESTS] = by_name.get(own, {})
        return {
            **{metric: _value(policies[metric], kind) for metric, (kind, _) in METRICS.items()},
            _ELSEWHERE: tuple(name for name in counting if name != own),
        }, own

    def _put(self, aws: Aws, name: str, metric: str, value: int, known: LiveResources) -> None:
        kind, _ = METRICS[metric]
        specification = {"PredefinedMetricType": kind}
        if metric == _REQUESTS:
            specification["ResourceLabel"] = self._label(known)
        aws.call(
            "application-autoscaling:PutScalingPolicy",
            self.label,
            **self._identity(),
            PolicyName=name,
            PolicyType="TargetTrackingScaling",
            TargetTrackingScalingPolicyConfiguration={
                "TargetValue": float(value),
                "PredefinedMetricSpecification": specification,
            },
        )

    def _remove(self, aws: Aws, name: str) -> None:
        named = {"PolicyName": name, **self._identity()}
        aws.find("application-autoscaling:DeleteScalingPolicy", _ABSENT, self.label, **named)

    def _label(self, known: LiveResources) -> str:
        """``app/<name>/<id>/targetgroup/<name>/<id>`` (PredefinedMetricSpecification, ResourceLabel)."""
        balancer = known[self.load_balancer].id.partition(":loadbalancer/")[2]
        return f"{balancer}/{known[self.target_group].id.rpartition(':')[2]}"


def _counted(configuration: Mapping[str, Any]) -> str:
    """The load balancer and target group whose requests a policy counts, as a ResourceLabel."""
    return str(configuration.get("PredefinedMetricSpecification", {}).get("ResourceLabel", ""))


def _value(configuration: Mapping[str, Any], kind: str) -> float | None:
    """The target value, if the policy has the expected metric."""
    follows = configuration.get("PredefinedMetricSpecification", {}).get("PredefinedMetricType")
    return configuration["TargetValue"] if follows == kind else None
