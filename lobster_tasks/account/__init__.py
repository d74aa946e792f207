"""Reads of the account that several ask for: services, task definitions, target groups. Each is asked for here alone.

What is read is as AWS has it, with its names; None stands for what is not there.
"""

from .services import CLUSTER_NOT_FOUND, describe_service, describe_services, find_service
from .target_groups import describe_target_health, find_target_group, find_target_health
from .task_definitions import find_task_definition

__all__ = [
    "CLUSTER_NOT_FOUND",
    "describe_service",
    "describe_services",
    "describe_target_health",
    "find_service",
    "find_target_group",
    "find_target_health",
    "find_task_definition",
]
