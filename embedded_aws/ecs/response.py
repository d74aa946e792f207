"""The common base of response classes that work on ECS."""

from __future__ import annotations

from ..kernel.data_plane import DataPlane
from .model import EcsState
from .scheduler import Fargate


class OnFargate:
    """A base class before moto's response class, which knows the caller's account and region."""

    current_account: str
    region: str

    def __init__(self, plane: DataPlane, fargate: Fargate) -> None:
        super().__init__()
        self.plane = plane
        self.fargate = fargate

    @property
    def state(self) -> EcsState:
        """ECS in the caller's account and region."""
        return self.fargate.state(self.current_account, self.region)
