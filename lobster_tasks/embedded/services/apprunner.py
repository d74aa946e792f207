"""AWS App Runner: which function answers which operation."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from ..apprunner import answers, services
from ..apprunner.model import Room
from ..apprunner.part import AppRunner as Part
from ..moto_door import ActionResult, BaseResponse
from ..world import current

Answer = dict[str, Any]
Reading = Callable[[Room, Mapping[str, Any]], Answer]
Moving = Callable[[Part, Room, Mapping[str, Any]], Answer]


def answered_by(operation: Reading) -> Callable[[AppRunner], ActionResult]:
    """A response method that calls ``operation`` with the caller's account and region, the lock held."""

    def answer(self: AppRunner) -> ActionResult:
        request = self._get_params()
        answers.check(self._get_action(), request)
        with current().lock:
            return ActionResult(operation(self.room, request))

    return answer


def moved_by(operation: Moving) -> Callable[[AppRunner], ActionResult]:
    """The same for what begins an asynchronous operation."""
    return answered_by(lambda room, request: operation(current().apprunner, room, request))


class AppRunner(BaseResponse):
    """AWS App Runner; moto has none of it."""

    def __init__(self) -> None:
        super().__init__(service_name="apprunner")
        self.automated_parameter_parsing = True

    @property
    def room(self) -> Room:
        """App Runner in the caller's account and region."""
        return current().apprunner.room(self.current_account, self.region)

    create_service = moved_by(services.create)
    describe_service = answered_by(services.describe)
    list_services = answered_by(services.list_summaries)
    update_service = moved_by(services.update)
    delete_service = moved_by(services.delete)
    pause_service = moved_by(services.pause)
    resume_service = moved_by(services.resume)
    start_deployment = moved_by(services.deploy)
    list_operations = answered_by(services.list_operations)
