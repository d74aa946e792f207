"""Amazon ECS: maps operations to functions."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from ..moto.adapter import ActionResult, EC2ContainerServiceResponse
from . import (
    account_settings,
    clusters,
    execute_command,
    service_deployments,
    services,
    tagging,
    task_definitions,
    tasks,
)
from .model import EcsState
from .response import OnFargate
from .scheduler import Fargate

Answer = dict[str, Any]
Operation = Callable[[EcsState, Mapping[str, Any]], Answer]
Launching = Callable[[Fargate, EcsState, Mapping[str, Any]], Answer]


def answered_by(operation: Operation) -> Callable[[Ecs], ActionResult]:
    """A response method that calls ``operation`` with the caller's account and region, the lock held."""

    def answer(self: Ecs) -> ActionResult:
        with self.plane.lock:
            return ActionResult(operation(self.state, self._get_params()))

    return answer


def launched_by(operation: Launching) -> Callable[[Ecs], ActionResult]:
    """The same for a function that starts or stops tasks."""

    def answer(self: Ecs) -> ActionResult:
        with self.plane.lock:
            return ActionResult(operation(self.fargate, self.state, self._get_params()))

    return answer


def refused(self: Ecs) -> ActionResult:
    """Refuse an operation of moto's that does not work with this package's state."""
    raise NotImplementedError(self._get_action())


class Ecs(OnFargate, EC2ContainerServiceResponse):
    """Amazon ECS for Fargate."""

    create_cluster = answered_by(clusters.create)
    describe_clusters = answered_by(clusters.describe)
    list_clusters = answered_by(clusters.list_arns)
    update_cluster = answered_by(clusters.update)
    update_cluster_settings = answered_by(clusters.update)
    put_cluster_capacity_providers = answered_by(clusters.put_providers)
    delete_cluster = answered_by(clusters.delete)
    describe_capacity_providers = answered_by(clusters.providers)

    register_task_definition = answered_by(task_definitions.register)
    describe_task_definition = answered_by(task_definitions.describe)
    list_task_definitions = answered_by(task_definitions.list_arns)
    list_task_definition_families = answered_by(task_definitions.list_families)
    deregister_task_definition = answered_by(task_definitions.deregister)
    delete_task_definitions = answered_by(task_definitions.delete)

    create_service = answered_by(services.create)
    update_service = answered_by(services.update)
    delete_service = answered_by(services.delete)
    describe_services = answered_by(services.describe)
    list_services = answered_by(services.list_arns)

    list_service_deployments = answered_by(service_deployments.list_briefs)
    describe_service_deployments = answered_by(service_deployments.describe)
    describe_service_revisions = answered_by(service_deployments.describe_revisions)
    stop_service_deployment = answered_by(service_deployments.stop)

    run_task = launched_by(tasks.run)
    stop_task = launched_by(tasks.stop)
    describe_tasks = answered_by(tasks.describe)
    list_tasks = answered_by(tasks.list_arns)

    execute_command = answered_by(execute_command.run)

    list_account_settings = answered_by(account_settings.listed)
    put_account_setting = answered_by(account_settings.put)
    put_account_setting_default = answered_by(account_settings.put_default)
    delete_account_setting = answered_by(account_settings.delete)

    tag_resource = answered_by(tagging.add)
    untag_resource = answered_by(tagging.remove)
    list_tags_for_resource = answered_by(tagging.listing)

    create_capacity_provider = refused
    update_capacity_provider = refused
    delete_capacity_provider = refused
    start_task = refused
    create_task_set = refused
    describe_task_sets = refused
    update_task_set = refused
    delete_task_set = refused
    update_service_primary_task_set = refused
    register_container_instance = refused
    deregister_container_instance = refused
    describe_container_instances = refused
    list_container_instances = refused
    update_container_instances_state = refused
    put_attributes = refused
    list_attributes = refused
    delete_attributes = refused
