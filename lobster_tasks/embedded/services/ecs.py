"""Amazon ECS."""

from __future__ import annotations

from ..moto_door import EC2ContainerServiceResponse


class Ecs(EC2ContainerServiceResponse):
    """Amazon ECS as Fargate users see it."""
