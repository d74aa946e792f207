"""Amazon ECR."""

from __future__ import annotations

from ..moto_door import ECRResponse


class Ecr(ECRResponse):
    """Amazon ECR with real images: layers are uploaded, stored and pulled."""
