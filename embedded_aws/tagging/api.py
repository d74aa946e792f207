"""Resource Groups Tagging API, based on moto; also finds the ECS resources, repositories and distributions."""

from __future__ import annotations

from typing import Any

from tenacity import Retrying, retry_if_exception_type, stop_after_attempt

from ..ecr import store
from ..ecs import moto_mirror
from ..ecs.response import OnFargate
from ..moto.adapter import ResourceGroupsTaggingAPIResponse

__all__ = ["Tagging", "store"]


class Tagging(OnFargate, ResourceGroupsTaggingAPIResponse):
    """Resource Groups Tagging API."""

    def call_action(self) -> Any:
        """Handle a request, after moto's copy of ECS's resources is updated."""
        with self.plane.lock:
            moto_mirror.reflect(self.state)
        # moto iterates over resources that the data plane changes
        again = Retrying(
            retry=retry_if_exception_type(RuntimeError), stop=stop_after_attempt(20), reraise=True
        )
        return again(super().call_action)
