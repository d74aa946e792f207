"""Resource Groups Tagging API: moto's, which finds our ECS resources and repositories too."""

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
        """Answer, knowing what ECS holds."""
        with self.plane.lock:
            moto_mirror.reflect(self.state)
        # moto walks what the threads of other services change meanwhile
        again = Retrying(
            retry=retry_if_exception_type(RuntimeError), stop=stop_after_attempt(20), reraise=True
        )
        return again(super().call_action)
