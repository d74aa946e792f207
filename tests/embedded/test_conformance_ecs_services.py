"""What CreateService, UpdateService, DeleteService, DescribeServices and ListServices answer and refuse."""

from __future__ import annotations

from typing import Any

import pytest

from tests.embedded.ecs_stack import PORT, Stack
from tests.embedded.refusals import refused
from tests.embedded_process import eventually


def test_a_new_service_as_it_is_answered(stack: Stack) -> None:
    """CreateService: ACTIVE, full task definition ARN, one PRIMARY deployment IN_PROGRESS, defaults filled in."""
    definition = stack.definition()
    made = stack.service("f", desired=1, loadBalancers=stack.balanced)
    assert made["serviceArn"] == "arn:aws:ecs:us-east-2:123456789012:service/c/s"
    assert made["clusterArn"] == "arn:aws:ecs:us-east-2:123456789012:cluster/c"
    assert (made["status"], made["desiredCount"], made["runningCount"]) == ("ACTIVE", 1, 0)
    assert made["taskDefinition"] == definition
    assert made["loadBalancers"] == stack.balanced
    assert made["networkConfiguration"] == stack.network
    assert (made["launchType"], made["platformVersion"]) == ("FARGATE", "LATEST")
    assert made["healthCheckGracePeriodSeconds"] == 0
    assert made["schedulingStrategy"] == "REPLICA"
    assert made["deploymentController"] == {"type": "ECS"}
    assert made["propagateTags"] == "NONE"
    assert (made["enableECSManagedTags"], made["enableExecuteCommand"]) == (False, False)
    assert made["availabilityZoneRebalancing"] == "ENABLED"
    assert made["events"] == []
    assert made["roleArn"].endswith(":role/aws-service-role/ecs.amazonaws.com/AWSServiceRoleForECS")
    assert made["currentServiceDeployment"].startswith(
        "arn:aws:ecs:us-east-2:123456789012:service-deployment/c/s/"
    )


def test_the_first_deployment_as_it_is_answered(stack: Stack) -> None:
    """Deployment: id ecs-svc/<19 digits>, rolloutState IN_PROGRESS, "ECS deployment … in progress."."""
    deployment = stack.service(stack.definition())["deployments"][0]
    kind, _, number = deployment["id"].partition("/")
    assert kind == "ecs-svc"
    assert (len(number), number.isdigit()) == (19, True)
    assert (deployment["status"], deployment["rolloutState"]) == ("PRIMARY", "IN_PROGRESS")
    assert deployment["rolloutStateReason"] == f"ECS deployment {deployment['id']} in progress."
    assert (deployment["failedTasks"], deployment["pendingCount"], deployment["runningCount"]) == (0, 0, 0)
    assert deployment["platformVersion"] == "1.4.0"


def test_the_deployment_configuration_is_completed_and_echoed(stack: Stack) -> None:
    """DeploymentConfiguration: defaults 200, 100, no circuit breaker; what is given is echoed."""
    definition = stack.definition()
    plain = stack.service(definition, "plain", 0)["deploymentConfiguration"]
    assert (plain["maximumPercent"], plain["minimumHealthyPercent"]) == (200, 100)
    assert plain["deploymentCircuitBreaker"] == {"enable": False, "rollback": False}
    given = {
        "maximumPercent": 150,
        "minimumHealthyPercent": 50,
        "deploymentCircuitBreaker": {"enable": True, "rollback": True},
    }
    made = stack.service(definition, "given", 0, deploymentConfiguration=given)["deploymentConfiguration"]
    assert {name: made[name] for name in given} == given


def test_a_service_name_is_taken_while_it_is_active(stack: Stack) -> None:
    """CreateService twice: InvalidParameterException "Creation of service was not idempotent."."""
    definition = stack.definition()
    stack.service(definition, desired=0)
    with refused("InvalidParameterException", "Creation of service was not idempotent."):
        stack.service(definition, desired=0)


def test_the_same_request_with_the_same_client_token_returns_the_service(stack: Stack) -> None:
    """CreateService clientToken: "an identifier … to ensure the idempotency of the request"."""
    definition = stack.definition()
    first = stack.service(definition, desired=0, clientToken="t")
    assert stack.service(definition, desired=0, clientToken="t")["serviceArn"] == first["serviceArn"]
    with refused("InvalidParameterException", "Creation of service was not idempotent."):
        stack.service(definition, desired=1, clientToken="t")


def test_a_target_group_needs_a_listener(stack: Stack) -> None:
    """CreateService: "The target group with targetGroupArn … does not have an associated load balancer."."""
    group = stack.target_group("idle")
    balancers = [{"targetGroupArn": group, "containerName": "app", "containerPort": PORT}]
    message = f"The target group with targetGroupArn {group} does not have an associated load balancer."
    with refused("InvalidParameterException", message):
        stack.service(stack.definition(), loadBalancers=balancers)


def test_a_target_group_must_be_of_type_ip(stack: Stack) -> None:
    """CreateService: "… has target type instance, which is incompatible with the awsvpc network mode …"."""
    group = stack.target_group("old", TargetType="instance")
    stack.listener(group)
    balancers = [{"targetGroupArn": group, "containerName": "app", "containerPort": PORT}]
    message = (
        f"The provided target group {group} has target type instance, which is incompatible with the awsvpc "
        "network mode specified in the task definition."
    )
    with refused("InvalidParameterException", message):
        stack.service(stack.definition(), loadBalancers=balancers)


def test_a_target_group_must_exist(stack: Stack) -> None:
    """CreateService: InvalidParameterException that names the target group."""
    arn = "arn:aws:elasticloadbalancing:us-east-2:123456789012:targetgroup/gone/0123456789abcdef"
    balancers = [{"targetGroupArn": arn, "containerName": "app", "containerPort": PORT}]
    with refused("InvalidParameterException", arn):
        stack.service(stack.definition(), loadBalancers=balancers)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"containerName": "web"}, "The container web does not exist in the task definition."),
        ({"containerPort": 80}, "The container app did not have a container port 80 defined."),
    ],
)
def test_the_container_and_its_port_must_be_in_the_task_definition(
    stack: Stack, changes: dict[str, Any], message: str
) -> None:
    """CreateService loadBalancers: containerName and containerPort are those of the task definition."""
    with refused("InvalidParameterException", message):
        stack.service(stack.definition(), loadBalancers=[stack.balanced[0] | changes])


def network(**changes: Any) -> dict[str, Any]:
    """networkConfiguration."""
    return {"awsvpcConfiguration": changes}


def test_a_network_configuration_is_needed(stack: Stack) -> None:
    """CreateService: "Network Configuration must be provided when networkMode 'awsvpc' is specified."."""
    message = "Network Configuration must be provided when networkMode 'awsvpc' is specified."
    with refused("InvalidParameterException", message):
        stack.service(stack.definition(), networkConfiguration={})


def test_unknown_subnets_and_groups(stack: Stack) -> None:
    """CreateService: "Error retrieving subnet information for […]: The subnet ID '…' does not exist (…)"."""
    message = (
        "Error retrieving subnet information for [subnet-1]: The subnet ID 'subnet-1' does not exist "
        "(ErrorCode: InvalidSubnetID.NotFound)"
    )
    with refused("InvalidParameterException", message):
        stack.service(stack.definition(), networkConfiguration=network(subnets=["subnet-1"]))
    message = "The security group 'sg-1' does not exist (ErrorCode: InvalidGroup.NotFound)"
    with refused("InvalidParameterException", message):
        config = network(subnets=stack.subnets, securityGroups=["sg-1"])
        stack.service(stack.definition(), networkConfiguration=config)


def test_subnets_and_groups_of_another_vpc(stack: Stack) -> None:
    """CreateService: "Security group … does not appear to belong to the same VPC as the input subnets."."""
    vpc = stack.ec2.create_vpc(CidrBlock="10.9.0.0/16")["Vpc"]["VpcId"]
    group = stack.ec2.create_security_group(GroupName="x", Description="x", VpcId=vpc)["GroupId"]
    subnet = stack.ec2.create_subnet(VpcId=vpc, CidrBlock="10.9.1.0/24")["Subnet"]["SubnetId"]
    definition = stack.definition()
    message = f"Security group {group} does not appear to belong to the same VPC as the input subnets."
    with refused("InvalidParameterException", message):
        config = network(subnets=stack.subnets, securityGroups=[group])
        stack.service(definition, networkConfiguration=config)
    with refused("InvalidParameterException", "same VPC"):
        stack.service(definition, networkConfiguration=network(subnets=[stack.subnets[0], subnet]))


def test_security_groups_are_optional(stack: Stack) -> None:
    """AwsVpcConfiguration: "If you don't specify a security group, the default security group for the VPC"."""
    config = network(subnets=stack.subnets)
    made = stack.service(stack.definition(), networkConfiguration=config)["networkConfiguration"]
    assert made["awsvpcConfiguration"]["assignPublicIp"] == "DISABLED"
    interface = eventually(lambda: stack.ec2.describe_network_interfaces()["NetworkInterfaces"])[0]
    assert [group["GroupName"] for group in interface["Groups"]] == ["default"]


def test_launch_type_and_strategy_exclude_each_other(stack: Stack) -> None:
    """CreateService: "If a capacityProviderStrategy is specified, the launchType parameter must be omitted"."""
    strategy = [{"capacityProvider": "FARGATE", "weight": 1}]
    with refused("InvalidParameterException", "launch type and capacity provider strategy"):
        stack.service(stack.definition(), launchType="FARGATE", capacityProviderStrategy=strategy)


def test_a_capacity_provider_strategy_replaces_the_launch_type(stack: Stack) -> None:
    """Service: capacityProviderStrategy with defaults; no launchType; tasks name their provider."""
    strategy = [{"capacityProvider": "FARGATE_SPOT", "weight": 1}]
    made = stack.service(stack.definition(), capacityProviderStrategy=strategy)
    assert made["capacityProviderStrategy"] == [{"capacityProvider": "FARGATE_SPOT", "weight": 1, "base": 0}]
    assert "launchType" not in made
    task = eventually(lambda: stack.tasks("s"))[0]
    assert task["capacityProviderName"] == "FARGATE_SPOT"


def test_a_strategy_without_its_provider_in_the_cluster(stack: Stack) -> None:
    """InvalidParameterException "The specified capacity provider strategy cannot contain a capacity provider that is
    not associated with the cluster", as users report it, of services and of tasks; an associated one that is in use
    stays (PutClusterCapacityProviders: ResourceInUseException).
    """
    strategy = [{"capacityProvider": "FARGATE_SPOT", "weight": 1}]
    told = "cannot contain a capacity provider that is not associated with the cluster"
    stack.service(stack.definition())
    stack.associate("FARGATE")
    with refused("InvalidParameterException", told):
        stack.update(capacityProviderStrategy=strategy, forceNewDeployment=True)
    with refused("InvalidParameterException", told):
        stack.ecs.run_task(
            cluster="c",
            taskDefinition="f",
            capacityProviderStrategy=strategy,
            networkConfiguration=stack.network,
        )
    stack.associate("FARGATE", "FARGATE_SPOT")
    stack.update(capacityProviderStrategy=strategy, forceNewDeployment=True)
    with refused("ResourceInUseException"):
        stack.associate("FARGATE")


def test_a_deployment_needs_room_to_move(stack: Stack) -> None:
    """InvalidParameterException of CreateService and UpdateService, as users report it."""
    tight = {"maximumPercent": 100, "minimumHealthyPercent": 100}
    told = "Both maximumPercent and minimumHealthyPercent cannot be 100 as this will block deployments."
    with refused("InvalidParameterException", told):
        stack.service(stack.definition(), deploymentConfiguration=tight)
    stack.service(stack.definition())
    with refused("InvalidParameterException", told):
        stack.update(deploymentConfiguration=tight)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"platformVersion": "9.9"}, "platform version"),
        (
            {"capacityProviderStrategy": [{"capacityProvider": "mine"}]},
            "capacity provider mine was not found",
        ),
        ({"desiredCount": -1}, "desiredCount"),
        ({"healthCheckGracePeriodSeconds": 30}, "Health check grace period is only valid"),
        (
            {"deploymentConfiguration": {"maximumPercent": 100, "minimumHealthyPercent": 101}},
            "minimumHealthy",
        ),
        ({"deploymentConfiguration": {"strategy": "CANARY"}}, "CANARY"),
        ({"schedulingStrategy": "DAEMON"}, "REPLICA"),
        (
            {"deploymentConfiguration": {"alarms": {"alarmNames": ["a"], "rollback": True, "enable": True}}},
            "alarms",
        ),
        ({"serviceRegistries": [{"registryArn": "arn:aws:servicediscovery:::x"}]}, "serviceRegistries"),
    ],
)
def test_what_a_service_cannot_be(stack: Stack, changes: dict[str, Any], message: str) -> None:
    """InvalidParameterException for values outside of their range, or of what the embedded AWS can do."""
    with refused("InvalidParameterException", message):
        stack.service(stack.definition(), **changes)


def test_the_task_definition_must_be_there_and_active(stack: Stack) -> None:
    """CreateService: ClientException "TaskDefinition not found." / "TaskDefinition is inactive"."""
    with refused("ClientException", "TaskDefinition not found."):
        stack.service("nowhere")
    stack.definition()
    stack.ecs.deregister_task_definition(taskDefinition="f:1")
    with refused("ClientException", "TaskDefinition is inactive"):
        stack.service("f:1")


def test_zone_rebalancing_needs_room(stack: Stack) -> None:
    """availabilityZoneRebalancing: ENABLED by default; needs maximumPercent above 100."""
    definition = stack.definition()
    tight = {"maximumPercent": 100, "minimumHealthyPercent": 0}
    with refused("InvalidParameterException", "maximumPercent"):
        stack.service(
            definition, desired=0, deploymentConfiguration=tight, availabilityZoneRebalancing="ENABLED"
        )
    made = stack.service(definition, desired=0, deploymentConfiguration=tight)
    assert made["availabilityZoneRebalancing"] == "DISABLED"


def test_describing_absent_services_is_a_failure(stack: Stack) -> None:
    """DescribeServices: failures [{arn, reason: MISSING}]."""
    seen = stack.ecs.describe_services(cluster=stack.cluster, services=["nowhere"])
    arn = "arn:aws:ecs:us-east-2:123456789012:service/c/nowhere"
    assert (seen["services"], seen["failures"]) == ([], [{"arn": arn, "reason": "MISSING"}])


def test_at_most_ten_services_are_described(stack: Stack) -> None:
    """DescribeServices: "You may specify up to 10 services"."""
    with refused("InvalidParameterException", "10"):
        stack.ecs.describe_services(cluster=stack.cluster, services=[f"s{number}" for number in range(11)])


def test_service_tags_are_described_only_when_included(stack: Stack) -> None:
    """DescribeServices include TAGS."""
    tags = [{"key": "k", "value": "v"}]
    stack.service(stack.definition(), desired=0, tags=tags)
    assert "tags" not in stack.describe()
    assert stack.describe(include=["TAGS"])["tags"] == tags


def test_services_are_found_by_arn(stack: Stack) -> None:
    """DescribeServices and UpdateService take a name or an ARN."""
    arn = stack.service(stack.definition(), desired=0)["serviceArn"]
    assert stack.ecs.describe_services(cluster="c", services=[arn])["services"][0]["serviceName"] == "s"
    assert stack.ecs.update_service(cluster="c", service=arn)["service"]["serviceName"] == "s"


def test_services_are_listed_ten_a_page(stack: Stack) -> None:
    """ListServices: maxResults is 10 when not given."""
    definition = stack.definition()
    for number in range(11):
        stack.service(definition, f"s{number}", 0)
    first = stack.ecs.list_services(cluster="c")
    assert len(first["serviceArns"]) == 10
    rest = stack.ecs.list_services(cluster="c", nextToken=first["nextToken"])
    assert len(rest["serviceArns"]) == 1
    assert len(stack.ecs.list_services(cluster="c", maxResults=100)["serviceArns"]) == 11


def test_a_service_above_zero_is_deleted_only_by_force(stack: Stack) -> None:
    """DeleteService: "The service cannot be stopped while it is scaled above 0."."""
    stack.service(stack.definition())
    with refused("InvalidParameterException", "The service cannot be stopped while it is scaled above 0."):
        stack.ecs.delete_service(cluster="c", service="s")
    assert stack.ecs.delete_service(cluster="c", service="s", force=True)["service"]["status"] == "DRAINING"


def test_a_deleted_service_drains_and_becomes_inactive(stack: Stack) -> None:
    """DeleteService: ACTIVE to DRAINING while tasks are cleaned up, then INACTIVE; still described."""
    definition = stack.definition()
    stack.service(definition)
    eventually(lambda: stack.describe()["runningCount"] == 1)
    stack.ecs.delete_service(cluster="c", service="s", force=True)
    with refused("InvalidParameterException", "Unable to Start a service that is still Draining."):
        stack.service(definition)
    eventually(lambda: stack.describe()["status"] == "INACTIVE")
    assert stack.ecs.list_services(cluster="c")["serviceArns"] == []
    assert stack.describe()["deployments"] == []


def test_an_inactive_service(stack: Stack) -> None:
    """UpdateService: ServiceNotActiveException; DeleteService: ServiceNotFoundException; its name is free."""
    definition = stack.definition()
    stack.service(definition, desired=0)
    stack.ecs.delete_service(cluster="c", service="s")
    eventually(lambda: stack.describe()["status"] == "INACTIVE")
    with refused("ServiceNotActiveException", "Service was not ACTIVE."):
        stack.update(desiredCount=1)
    with refused("ServiceNotFoundException", "Service not found."):
        stack.ecs.delete_service(cluster="c", service="s")
    assert stack.service(definition, desired=0)["status"] == "ACTIVE"


def test_a_service_can_be_scaled_after_its_listener_is_gone(stack: Stack) -> None:
    """UpdateService looks at the load balancers only for a new deployment."""
    arn = stack.target_group("short-lived")
    listener = stack.listener(arn)
    balancers = [{"targetGroupArn": arn, "containerName": "app", "containerPort": PORT}]
    stack.service(stack.definition(), loadBalancers=balancers)
    stack.elb.delete_listener(ListenerArn=listener)
    assert stack.update(desiredCount=0)["desiredCount"] == 0
    with refused("InvalidParameterException", "does not have an associated load balancer"):
        stack.update(forceNewDeployment=True)


def test_an_absent_service_is_not_found(stack: Stack) -> None:
    """ServiceNotFoundException "Service not found."."""
    for call in (
        lambda: stack.ecs.update_service(cluster=stack.cluster, service="nowhere"),
        lambda: stack.ecs.delete_service(cluster=stack.cluster, service="nowhere"),
        lambda: stack.ecs.list_service_deployments(cluster=stack.cluster, service="nowhere"),
        lambda: stack.ecs.list_tasks(cluster=stack.cluster, serviceName="nowhere"),
    ):
        with refused("ServiceNotFoundException", "Service not found."):
            call()


def test_exec_needs_a_task_role(stack: Stack) -> None:
    """ "The service couldn't be updated because a valid taskRoleArn is not being used. Specify a valid task role in
    your task definition and try again." (InvalidParameterException of UpdateService, "created" of CreateService): the
    words are our own."""
    stack.definition()
    words = "because a valid taskRoleArn is not being used. Specify a valid task role in your task definition and try"
    with refused("InvalidParameterException", f"The service couldn't be created {words} again."):
        stack.service("f", "new", 0, enableExecuteCommand=True)
    stack.service("f", "s", 0)
    with refused("InvalidParameterException", f"The service couldn't be updated {words} again."):
        stack.ecs.update_service(cluster="c", service="s", enableExecuteCommand=True)
    with_role = stack.definition(taskRoleArn=stack.role("task"))
    where = {"cluster": "c", "service": "s"}
    changed = stack.ecs.update_service(**where, enableExecuteCommand=True, taskDefinition=with_role)
    assert changed["service"]["enableExecuteCommand"] is True
    with refused("InvalidParameterException", f"The service couldn't be updated {words} again."):
        stack.ecs.update_service(**where, taskDefinition="f:1")
    stack.ecs.update_service(**where, enableExecuteCommand=False, taskDefinition="f:1")
