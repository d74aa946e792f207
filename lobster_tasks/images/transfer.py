"""The progress of copying or uploading an image, which takes long for a large folder."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias


@dataclass(frozen=True)
class Transfer:
    """``done`` of ``total`` bytes are copied into the image, or uploaded: ``what`` is a path in it, or a digest."""

    verb: str
    what: str
    done: int
    total: int


Observer: TypeAlias = Callable[[Transfer], None]


def unobserved(transfer: Transfer) -> None:
    """Ignore the progress."""
