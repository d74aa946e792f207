"""Resource Groups Tagging API: moto's, which finds our ECS resources and repositories too."""

from __future__ import annotations

from typing import Any

from tenacity import Retrying, retry_if_exception_type, stop_after_attempt

from ..ecr import store
from ..ecs import moto_mirror
from ..ecs.scheduler import Fargate
from ..kernel.data_plane import DataPlane
from ..moto.moto_door import ResourceGroupsTaggingAPIResponse

__all__ = ["Tagging", "store"]


class Tagging(ResourceGroupsTaggingAPIResponse):
    """Resource Groups Tagging API."""

    def __init__(self, plane: DataPlane, fargate: Fargate) -> None:
        super().__init__()
        self.plane = plane
        self.fargate = fargate

    def call_action(self) -> Any:
        """Answer, knowing what ECS holds."""
        with self.plane.lock:
            moto_mirror.reflect(self.fargate.state(self.current_account, self.region))
        # moto walks what the threads of other services change meanwhile
        again = Retrying(
            retry=retry_if_exception_type(RuntimeError), stop=stop_after_attempt(20), reraise=True
        )
        return again(super().call_action)
