"""Calls to the account that several packages make: services, task definitions, target groups, roles.

Results have AWS's shape and names; None stands for a resource that does not exist.
"""

from .roles import delete_role
from .services import CLUSTER_NOT_FOUND, describe_service, describe_services, find_service
from .target_groups import describe_target_health, find_target_group, find_target_health
from .task_definitions import find_task_definition

__all__ = [
    "CLUSTER_NOT_FOUND",
    "delete_role",
    "describe_service",
    "describe_services",
    "describe_target_health",
    "find_service",
    "find_target_group",
    "find_target_health",
    "find_task_definition",
]
