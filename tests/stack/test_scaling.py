"""Service auto scaling: its bounds, what it follows, and what it does while there is no release."""

from __future__ import annotations

from typing import Any

import pytest

from lobster_tasks.aws import Aws
from lobster_tasks.errors import NotOursError
from tests.embedded_process import EmbeddedProcess

from .stand import Stand

LABEL = "scalable-target/lobster-cluster/lobster-streamlit-service"


@pytest.fixture
def scaling(embedded: EmbeddedProcess) -> Any:
    """A client of the empty account."""
    return embedded.client("application-autoscaling")


def stand_of(aws: Aws, **scaling: Any) -> Stand:
    """The stack with auto scaling."""
    return Stand.of(aws, "scalable-target", scaling=scaling)


def test_without_a_maximum_there_is_none(aws: Aws, scaling: Any) -> None:
    Stand.of(aws, "scalable-target").converge()
    assert scaling.describe_scalable_targets(ServiceNamespace="ecs")["ScalableTargets"] == []
    stand_of(aws, max=2).converge()
    Stand.of(aws, "scalable-target").converge()
    assert scaling.describe_scalable_targets(ServiceNamespace="ecs")["ScalableTargets"] == []


def test_auto_scaling_of_others_is_theirs(aws: Aws, scaling: Any) -> None:
    stand = Stand.of(aws, "scalable-target")
    stand.converge()
    service = "service/lobster-cluster/lobster-streamlit-service"
    named = {
        "ServiceNamespace": "ecs",
        "ResourceId": service,
        "ScalableDimension": "ecs:service:DesiredCount",
    }
    scaling.register_scalable_target(**named, MinCapacity=0, MaxCapacity=2)
    assert stand.plan().changes == ()
    with pytest.raises(NotOursError):
        stand_of(aws, max=3).plan()
    stand_of(aws, max=3).converge(adopt=True)
    assert stand_of(aws, max=3).live(LABEL).stack == "lobster"


def test_bounds_and_policies_and_away_again(aws: Aws, scaling: Any) -> None:
    stand = stand_of(aws, min=2, max=5, average_memory=75, requests_per_target=1000)
    stand.converge()
    (target,) = scaling.describe_scalable_targets(ServiceNamespace="ecs")["ScalableTargets"]
    assert (target["MinCapacity"], target["MaxCapacity"]) == (0, 5)  # there is no release yet
    found = scaling.describe_scaling_policies(ServiceNamespace="ecs")["ScalingPolicies"]
    tracked = {each["PolicyName"]: each["TargetTrackingScalingPolicyConfiguration"] for each in found}
    assert {name: each["TargetValue"] for name, each in tracked.items()} == {
        "lobster-lobster-average_cpu": 60,
        "lobster-lobster-average_memory": 75,
        "lobster-lobster-requests_per_target": 1000,
    }
    label = tracked["lobster-lobster-requests_per_target"]["PredefinedMetricSpecification"]["ResourceLabel"]
    assert label.startswith("app/lobster-alb/")
    assert "/targetgroup/lobster-tg/" in label
    stand.remove()
    assert scaling.describe_scalable_targets(ServiceNamespace="ecs")["ScalableTargets"] == []


def test_tasks_in_other_subnets_and_more_security_groups(aws: Aws, embedded: EmbeddedProcess) -> None:
    ec2 = embedded.client("ec2")
    subnets = ec2.describe_subnets()["Subnets"]
    first, second, third = sorted(each["SubnetId"] for each in subnets)
    vpc = subnets[0]["VpcId"]
    group = ec2.create_security_group(GroupName="db", Description="x", VpcId=vpc)["GroupId"]
    network = {"vpc": vpc, "subnets": [first, second], "task_subnets": [third], "security_groups": [group]}
    Stand.of(aws, "service", network=network).converge()
    (service,) = embedded.client("ecs").describe_services(
        cluster="lobster-cluster", services=["lobster-streamlit-service"]
    )["services"]
    where = service["networkConfiguration"]["awsvpcConfiguration"]
    assert where["subnets"] == [third]
    assert group in where["securityGroups"]
    assert len(where["securityGroups"]) == 2
    (balancer,) = embedded.client("elbv2").describe_load_balancers()["LoadBalancers"]
    assert sorted(zone["SubnetId"] for zone in balancer["AvailabilityZones"]) == [first, second]
