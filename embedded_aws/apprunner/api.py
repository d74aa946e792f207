"""AWS App Runner: maps operations to functions."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from ..kernel.data_plane import DataPlane
from ..moto.adapter import ActionResult, BaseResponse
from . import companion_api, domains, ingress, scaling, services, tagging
from .component import AppRunnerComponent
from .model import AppRunnerState

Answer = dict[str, Any]
Reading = Callable[[AppRunnerState, Mapping[str, Any]], Answer]
Moving = Callable[[AppRunnerComponent, AppRunnerState, Mapping[str, Any]], Answer]


def answered_by(operation: Reading) -> Callable[[AppRunner], ActionResult]:
    """A response method that calls ``operation`` with the caller's account and region, the lock held."""

    def answer(self: AppRunner) -> ActionResult:
        request = self._get_params()
        with self.plane.lock:
            return ActionResult(operation(self.state, request))

    return answer


def moved_by(operation: Moving) -> Callable[[AppRunner], ActionResult]:
    """The same for a function that begins an asynchronous operation."""

    def answer(self: AppRunner) -> ActionResult:
        request = self._get_params()
        with self.plane.lock:
            return ActionResult(operation(self.app_runner, self.state, request))

    return answer


class AppRunner(BaseResponse):
    """AWS App Runner, which moto does not support."""

    def __init__(self, plane: DataPlane, app_runner: AppRunnerComponent) -> None:
        super().__init__(service_name="apprunner")
        self.plane = plane
        self.app_runner = app_runner
        self.automated_parameter_parsing = True

    @property
    def state(self) -> AppRunnerState:
        """App Runner in the caller's account and region."""
        return self.app_runner.state(self.current_account, self.region)

    create_service = moved_by(services.create)
    describe_service = answered_by(services.describe)
    list_services = answered_by(services.list_summaries)
    update_service = moved_by(services.update)
    delete_service = moved_by(services.delete)
    pause_service = moved_by(services.pause)
    resume_service = moved_by(services.resume)
    start_deployment = moved_by(services.deploy)
    list_operations = answered_by(services.list_operations)

    create_auto_scaling_configuration = answered_by(scaling.create)
    describe_auto_scaling_configuration = answered_by(scaling.describe)
    list_auto_scaling_configurations = answered_by(scaling.list_summaries)
    delete_auto_scaling_configuration = answered_by(scaling.delete)
    list_services_for_auto_scaling_configuration = answered_by(scaling.list_services)
    update_default_auto_scaling_configuration = answered_by(scaling.make_default)

    create_observability_configuration = answered_by(companion_api.create_tracing)
    describe_observability_configuration = answered_by(companion_api.describe_tracing)
    list_observability_configurations = answered_by(companion_api.list_tracing)
    delete_observability_configuration = answered_by(companion_api.delete_tracing)

    create_vpc_connector = answered_by(companion_api.create_connector)
    describe_vpc_connector = answered_by(companion_api.describe_connector)
    list_vpc_connectors = answered_by(companion_api.list_connectors)
    delete_vpc_connector = answered_by(companion_api.delete_connector)

    create_vpc_ingress_connection = moved_by(ingress.create)
    describe_vpc_ingress_connection = answered_by(ingress.describe)
    list_vpc_ingress_connections = answered_by(ingress.list_summaries)
    update_vpc_ingress_connection = moved_by(ingress.update)
    delete_vpc_ingress_connection = moved_by(ingress.delete)

    create_connection = answered_by(companion_api.create_connection)
    list_connections = answered_by(companion_api.list_connections)
    delete_connection = answered_by(companion_api.delete_connection)

    associate_custom_domain = moved_by(domains.associate)
    describe_custom_domains = answered_by(domains.describe)
    disassociate_custom_domain = moved_by(domains.disassociate)

    tag_resource = answered_by(tagging.add)
    untag_resource = answered_by(tagging.remove)
    list_tags_for_resource = answered_by(tagging.listing)
