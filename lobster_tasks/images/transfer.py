"""How far the bytes of an image have come, for whoever watches: of a large folder they are long on their way."""

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
    """Nobody watches."""
