"""The module that is imported as ``uvloop`` in a task: asyncio under uvloop's names."""

from __future__ import annotations

import asyncio
from asyncio import SelectorEventLoop as Loop
from asyncio import new_event_loop, run

__all__ = ["Loop", "install", "new_event_loop", "run"]
__version__ = "0"


def __getattr__(name: str) -> object:
    if name == "EventLoopPolicy":  # deprecated from Python 3.14 on, so imported only when used
        return asyncio.DefaultEventLoopPolicy
    raise AttributeError(name)


def install() -> None:
    """Nothing: asyncio's own loop is the default."""
