"""What Application Auto Scaling refuses, and what tagging finds (their API References)."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

TARGET = {
    "ServiceNamespace": "ecs",
    "ResourceId": "service/c/s",
    "ScalableDimension": "ecs:service:DesiredCount",
}
WHERE = "service namespace: ecs, resource ID: service/c/s, scalable dimension: ecs:service:DesiredCount"
TRACKING = {
    "PolicyType": "TargetTrackingScaling",
    "TargetTrackingScalingPolicyConfiguration": {
        "TargetValue": 60.0,
        "PredefinedMetricSpecification": {"PredefinedMetricType": "ECSServiceAverageCPUUtilization"},
    },
}


@pytest.fixture
def scaling(client: Any) -> Any:
    """Application Auto Scaling."""
    return client("application-autoscaling")


@pytest.fixture
def service(client: Any) -> None:
    """An ECS service ``s`` of no tasks in cluster ``c``."""
    trust = {
        "Effect": "Allow",
        "Principal": {"Service": "ecs-tasks.amazonaws.com"},
        "Action": "sts:AssumeRole",
    }
    document = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
    role = client("iam").create_role(RoleName="exec", AssumeRolePolicyDocument=document)["Role"]["Arn"]
    ecs = client("ecs")
    ecs.create_cluster(clusterName="c")
    image = "123456789012.dkr.ecr.us-east-2.amazonaws.com/app:1"
    ecs.register_task_definition(
        family="f",
        requiresCompatibilities=["FARGATE"],
        networkMode="awsvpc",
        cpu="256",
        memory="512",
        executionRoleArn=role,
        containerDefinitions=[{"name": "app", "image": image, "essential": True}],
    )
    subnets = [one["SubnetId"] for one in client("ec2").describe_subnets()["Subnets"]]
    network = {"awsvpcConfiguration": {"subnets": subnets, "assignPublicIp": "ENABLED"}}
    ecs.create_service(
        cluster="c",
        serviceName="s",
        taskDefinition="f",
        desiredCount=0,
        launchType="FARGATE",
        networkConfiguration=network,
    )


def refused(call: Callable[..., Any], **parameters: Any) -> tuple[str, str]:
    """The code and message that a call is refused with."""
    with pytest.raises(ClientError) as error:
        call(**parameters)
    return error.value.response["Error"]["Code"], error.value.response["Error"]["Message"]


def test_a_target_needs_its_service_also_when_there_is_no_cluster(scaling: Any) -> None:
    """ValidationException (RegisterScalableTarget)."""
    expected = ("ValidationException", "ECS service doesn't exist: service/c/s")
    assert refused(scaling.register_scalable_target, **TARGET, MinCapacity=1, MaxCapacity=2) == expected


def test_what_is_not_registered_is_not_found(scaling: Any) -> None:
    """ObjectNotFoundException (DeregisterScalableTarget, PutScalingPolicy, DeleteScalingPolicy)."""
    code = "ObjectNotFoundException"
    gone = refused(scaling.deregister_scalable_target, **TARGET)
    assert gone == (code, f"No scalable target found for {WHERE}")
    put = refused(scaling.put_scaling_policy, **TARGET, PolicyName="p", **TRACKING)
    assert put == (code, f"No scalable target registered for {WHERE}")
    deleted = refused(scaling.delete_scaling_policy, **TARGET, PolicyName="p")
    assert deleted == (code, f"No scaling policy found for {WHERE}, policy name: p")


@pytest.mark.usefixtures("service")
def test_registering_again_changes_bounds(scaling: Any) -> None:
    """'If you register again, the values that are not specified stay' (RegisterScalableTarget)."""
    scaling.register_scalable_target(**TARGET, MinCapacity=0, MaxCapacity=2)
    scaling.register_scalable_target(**TARGET, MaxCapacity=4)
    (found,) = scaling.describe_scalable_targets(ServiceNamespace="ecs")["ScalableTargets"]
    assert (found["MinCapacity"], found["MaxCapacity"]) == (0, 4)
    assert refused(scaling.register_scalable_target, **TARGET, MinCapacity=5)[0] == "ValidationException"


@pytest.mark.usefixtures("service")
def test_a_target_is_described_whole(scaling: Any) -> None:
    """The members of the CLI's recorded describe-scalable-targets: the service-linked role where no other is named,
    and what is suspended, which is nothing at first and stays where it is left out.
    """
    arn = scaling.register_scalable_target(**TARGET, MinCapacity=0, MaxCapacity=2)["ScalableTargetARN"]
    (found,) = scaling.describe_scalable_targets(ServiceNamespace="ecs")["ScalableTargets"]
    assert found.pop("CreationTime")
    nothing = {"DynamicScalingInSuspended", "DynamicScalingOutSuspended", "ScheduledScalingSuspended"}
    role = "ecs.application-autoscaling.amazonaws.com/AWSServiceRoleForApplicationAutoScaling_ECSService"
    assert found == {
        **TARGET,
        "MinCapacity": 0,
        "MaxCapacity": 2,
        "RoleARN": f"arn:aws:iam::123456789012:role/aws-service-role/{role}",
        "SuspendedState": dict.fromkeys(nothing, False),
        "ScalableTargetARN": arn,
    }
    scaling.register_scalable_target(**TARGET, SuspendedState={"ScheduledScalingSuspended": True})
    scaling.register_scalable_target(**TARGET, SuspendedState={"DynamicScalingInSuspended": True})
    (found,) = scaling.describe_scalable_targets(ServiceNamespace="ecs")["ScalableTargets"]
    on = {"ScheduledScalingSuspended", "DynamicScalingInSuspended"}
    assert found["SuspendedState"] == {kind: kind in on for kind in nothing}


@pytest.mark.usefixtures("service")
def test_what_has_been_scaled_is_told(scaling: Any) -> None:
    """The texts of the CLI's recorded describe-scaling-activities ("minimum capacity was set to 15", "Setting … to",
    "Successfully set … Change successfully fulfilled by …"), the newest first.
    """
    assert scaling.describe_scaling_activities(ServiceNamespace="ecs")["ScalingActivities"] == []
    scaling.register_scalable_target(**TARGET, MinCapacity=2, MaxCapacity=4)
    scaling.register_scalable_target(**TARGET, MinCapacity=0, MaxCapacity=1)
    scaling.register_scalable_target(**TARGET, MinCapacity=1, MaxCapacity=4)
    down, up = scaling.describe_scaling_activities(**TARGET)["ScalingActivities"]
    assert {name: up[name] for name in TARGET} == TARGET
    assert (up["Description"], up["Cause"]) == (
        "Setting desired count to 2.",
        "minimum capacity was set to 2",
    )
    assert up["StatusMessage"] == "Successfully set desired count to 2. Change successfully fulfilled by ecs."
    assert (up["StatusCode"], up["StartTime"] <= up["EndTime"], bool(up["ActivityId"])) == (
        "Successful",
        True,
        True,
    )
    assert down["Cause"] == "maximum capacity was set to 1"
    first = scaling.describe_scaling_activities(ServiceNamespace="ecs", MaxResults=1)
    rest = scaling.describe_scaling_activities(ServiceNamespace="ecs", NextToken=first["NextToken"])
    assert [each["ActivityId"] for each in rest["ScalingActivities"]] == [up["ActivityId"]]
    other = scaling.describe_scaling_activities(ServiceNamespace="ecs", ResourceId="service/c/other")
    assert other["ScalingActivities"] == []


@pytest.mark.usefixtures("service")
def test_a_new_target_needs_both_bounds(scaling: Any) -> None:
    """'This property is required when registering a new scalable target' (MinCapacity, MaxCapacity)."""
    assert refused(scaling.register_scalable_target, **TARGET, MinCapacity=1)[0] == "ValidationException"


@pytest.mark.usefixtures("service")
def test_policies_go_with_their_target(scaling: Any) -> None:
    """'Deregistering a scalable target deletes the scaling policies that are associated with it'."""
    scaling.register_scalable_target(**TARGET, MinCapacity=0, MaxCapacity=2)
    for _ in range(2):
        scaling.put_scaling_policy(**TARGET, PolicyName="p", **TRACKING)
    (policy,) = scaling.describe_scaling_policies(ServiceNamespace="ecs")["ScalingPolicies"]
    assert policy["TargetTrackingScalingPolicyConfiguration"]["TargetValue"] == 60.0
    scaling.deregister_scalable_target(**TARGET)
    assert scaling.describe_scaling_policies(ServiceNamespace="ecs")["ScalingPolicies"] == []


def test_tagging_finds_resources_of_every_service_of_ours(client: Any) -> None:
    """GetResources (Resource Groups Tagging API), by tag."""
    tags = [{"Key": "lobster:stack", "Value": "x"}]
    client("ecs").create_cluster(clusterName="c", tags=[{"key": "lobster:stack", "value": "x"}])
    client("logs").create_log_group(logGroupName="/g", tags={"lobster:stack": "x"})
    client("ecr").create_repository(repositoryName="app", tags=tags)
    client("secretsmanager").create_secret(Name="s", SecretString="v", Tags=tags)
    client("ssm").put_parameter(Name="p", Value="v", Type="String", Tags=tags)
    ec2 = client("ec2")
    kind = [{"ResourceType": "security-group", "Tags": tags}]
    group = ec2.create_security_group(GroupName="g", Description="d", TagSpecifications=kind)["GroupId"]
    vpc = ec2.describe_vpcs()["Vpcs"][0]["VpcId"]
    client("elbv2").create_target_group(
        Name="tg", Protocol="HTTP", Port=80, VpcId=vpc, TargetType="ip", Tags=tags
    )
    filters = [{"Key": "lobster:stack", "Values": ["x"]}]
    found = client("resourcegroupstaggingapi").get_resources(TagFilters=filters)["ResourceTagMappingList"]
    arns = sorted(one["ResourceARN"].split(":", 5)[2] for one in found)
    assert arns == ["ec2", "ecr", "ecs", "elasticloadbalancing", "logs", "secretsmanager", "ssm"]
    assert any(one["ResourceARN"].endswith(f"/{group}") for one in found)


def test_scalable_targets_carry_tags(scaling: Any, service: None) -> None:
    """RegisterScalableTarget: "Tags: Assigns one or more tags to the scalable target. Use this parameter to tag the
    scalable target when it is created. To tag an existing scalable target, use the TagResource operation."
    """
    arn = scaling.register_scalable_target(**TARGET, MinCapacity=0, MaxCapacity=2, Tags={"a": "1"})[
        "ScalableTargetARN"
    ]
    scaling.tag_resource(ResourceARN=arn, Tags={"b": "2"})
    assert scaling.list_tags_for_resource(ResourceARN=arn)["Tags"] == {"a": "1", "b": "2"}
    scaling.untag_resource(ResourceARN=arn, TagKeys=["a"])
    assert scaling.list_tags_for_resource(ResourceARN=arn)["Tags"] == {"b": "2"}
    with pytest.raises(ClientError) as unknown:
        scaling.list_tags_for_resource(ResourceARN=f"{arn}x")
    assert unknown.value.response["Error"]["Code"] == "ResourceNotFoundException"


def test_the_first_target_makes_the_service_linked_role(client: Any, scaling: Any, service: None) -> None:
    """RegisterScalableTarget: 'Application Auto Scaling creates a service-linked role in your account, if the role does
    not exist already'."""
    for _ in range(2):
        scaling.register_scalable_target(**TARGET, MinCapacity=0, MaxCapacity=2)
    role = client("iam").get_role(RoleName="AWSServiceRoleForApplicationAutoScaling_ECSService")["Role"]
    assert role["Path"] == "/aws-service-role/ecs.application-autoscaling.amazonaws.com/"
