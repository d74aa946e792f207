"""Validates subnets, security groups and target groups of services and tasks, and attaches network interfaces."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ..ec2.interfaces import NetworkInterface
from ..moto import adapter
from ..moto.adapter import ec2_backends, elbv2_backends
from .answers import invalid
from .model import EcsState, Task, TaskDefinition


def awsvpc(state: EcsState, request: Mapping[str, Any]) -> dict[str, Any]:
    """The request's network configuration with AWS's defaults; InvalidParameterException for an invalid one."""
    given = (request.get("networkConfiguration") or {}).get("awsvpcConfiguration")
    if not given:
        raise invalid("Network Configuration must be provided when networkMode 'awsvpc' is specified.")
    subnets, groups = given.get("subnets") or [], given.get("securityGroups") or []
    if not subnets:
        raise invalid("subnets can not be empty.")
    for name, found, most in (("subnets", subnets, 16), ("securityGroups", groups, 5)):
        if len(found) > most:
            raise invalid(f"{name} can have at most {most} items.")
    vpc = _vpc_of(state, subnets)
    _check_groups(state, groups, vpc)
    public = given.get("assignPublicIp") or "DISABLED"
    if public not in ("ENABLED", "DISABLED"):
        raise invalid(f"Invalid value for assignPublicIp: {public}")
    return {
        "awsvpcConfiguration": {
            "subnets": list(subnets),
            "securityGroups": list(groups),
            "assignPublicIp": public,
        }
    }


def _vpc_of(state: EcsState, subnets: Sequence[str]) -> str:
    found = {subnet: find_subnet(state, subnet) for subnet in subnets}
    for name, subnet in found.items():
        if subnet is None:
            raise invalid(
                f"Error retrieving subnet information for [{', '.join(subnets)}]: The subnet ID '{name}' does not "
                "exist (ErrorCode: InvalidSubnetID.NotFound)"
            )
    vpcs = {subnet.vpc_id for subnet in found.values() if subnet is not None}
    if len(vpcs) > 1:
        raise invalid("All subnets must belong to the same VPC.")
    return str(vpcs.pop())


def _check_groups(state: EcsState, groups: Sequence[str], vpc: str) -> None:
    backend = ec2_backends[state.account][state.region]
    for group in groups:
        found = backend.get_security_group_from_id(group)
        if found is None:
            raise invalid(
                f"Error retrieving security group information for [{', '.join(groups)}]: The security group "
                f"'{group}' does not exist (ErrorCode: InvalidGroup.NotFound)"
            )
        if found.vpc_id != vpc:
            raise invalid(
                f"Security group {group} does not appear to belong to the same VPC as the input subnets."
            )


def find_subnet(state: EcsState, subnet: str) -> Any | None:
    """A subnet in EC2's store, or None."""
    zones = ec2_backends[state.account][state.region].subnets.values()
    return next((zone[subnet] for zone in list(zones) if subnet in zone), None)


def target_groups(
    state: EcsState,
    given: Sequence[Mapping[str, Any]],
    definition: TaskDefinition,
    network: Mapping[str, Any],
) -> tuple[dict[str, Any], ...]:
    """The service's load balancers; InvalidParameterException for an invalid one."""
    if len(given) > 5:
        raise invalid("loadBalancers can have at most 5 items.")
    for item in given:
        _check_container(item, definition)
        _check_target_group(state, item, network)
    return tuple(dict(item) for item in given)


def _check_container(item: Mapping[str, Any], definition: TaskDefinition) -> None:
    name, port = item.get("containerName"), item.get("containerPort")
    if not name:
        raise invalid("Container Name can not be blank.")
    container = next((one for one in definition.containers if one["name"] == name), None)
    if container is None:
        raise invalid(f"The container {name} does not exist in the task definition.")
    if port not in [mapping.get("containerPort") for mapping in container["portMappings"]]:
        raise invalid(f"The container {name} did not have a container port {port} defined.")


def _check_target_group(state: EcsState, item: Mapping[str, Any], network: Mapping[str, Any]) -> None:
    arn = item.get("targetGroupArn")
    if not arn:
        raise invalid("Classic Load Balancers are not supported with the awsvpc network mode.")
    backend = elbv2_backends[state.account][state.region]
    group = backend.target_groups.get(arn)
    if group is None:
        raise invalid(f"The target group {arn} does not exist.")
    if group.target_type != "ip":
        raise invalid(
            f"The provided target group {arn} has target type {group.target_type}, which is incompatible with the "
            "awsvpc network mode specified in the task definition."
        )
    if not backend._any_listener_using(arn):
        raise invalid(
            f"The target group with targetGroupArn {arn} does not have an associated load balancer."
        )
    subnets = network["awsvpcConfiguration"]["subnets"]
    if _vpc_of(state, subnets) != group.vpc_id:
        raise invalid(f"The target group {arn} does not belong to the same VPC as the input subnets.")


def attach(state: EcsState, task: Task) -> NetworkInterface:
    """Create the task's network interface in its subnet; AwsError when EC2 refuses it."""
    config = task.placement.network["awsvpcConfiguration"]
    eni = adapter.create_eni(
        state.account,
        state.region,
        task.subnet,
        config["securityGroups"],
        state.arn(f"attachment/{task.attachment_id}"),
        config["assignPublicIp"] == "ENABLED",
    )
    return NetworkInterface(
        eni.id,
        eni.vpc_id,
        eni.subnet_id,
        eni.availability_zone,
        eni.private_ip,
        eni.private_dns_name or _dns_name(eni.private_ip, state.region),
        eni.mac_address,
        eni.public_ip,
    )


def place(state: EcsState, task: Task) -> None:
    """Choose the subnet, and so the Availability Zone, with the fewest tasks of its service."""
    others = [one for one in (task.service.tasks if task.service else state.tasks.values()) if one.live]
    used = [one.subnet for one in others if one is not task and one.group == task.group]
    task.subnet = min(task.placement.network["awsvpcConfiguration"]["subnets"], key=used.count)
    found = find_subnet(state, task.subnet)
    task.zone = found.availability_zone if found is not None else ""


def _dns_name(ip: str, region: str) -> str:
    suffix = "ec2.internal" if region == "us-east-1" else f"{region}.compute.internal"
    return f"ip-{ip.replace('.', '-')}.{suffix}"


def detach(state: EcsState, interface: NetworkInterface) -> None:
    """Delete the interface and release its address."""
    adapter.delete_eni(state.account, state.region, interface.id)
