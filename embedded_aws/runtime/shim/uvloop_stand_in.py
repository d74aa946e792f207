"""What is imported as ``uvloop`` inside a task: asyncio under uvloop's names."""

from __future__ import annotations

import asyncio
from asyncio import SelectorEventLoop as Loop
from asyncio import new_event_loop, run

__all__ = ["Loop", "install", "new_event_loop", "run"]
__version__ = "0"


def __getattr__(name: str) -> object:
    if name == "EventLoopPolicy":  # deprecated from Python 3.14 on, so only when asked for
        return asyncio.DefaultEventLoopPolicy
    raise AttributeError(name)


def install() -> None:
    """asyncio's own loop is in place already."""
