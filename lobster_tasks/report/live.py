"""Formats the clock of a running rollout: its phase, the elapsed time, and the expected time. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.text import Text

from .layout import clock_time

if TYPE_CHECKING:
    from ..rollout import Progress

_WIDTH = 20


def clock_line(progress: Progress) -> Text:
    """``Wait for health   0:31 ▕██████          ▏ expected ~1:10``; without the bar if no time is expected."""
    from ..rollout import PHASE_TITLES

    line = Text(f"  {PHASE_TITLES[progress.phase]:<26}{clock_time(progress.at):>6}", style="dim")
    if progress.expected:
        line.append(f"  {bar(progress.at / progress.expected)}  expected ~{clock_time(progress.expected)}")
    return line


def bar(done: float, width: int = _WIDTH) -> str:
    """The part that is done, from 0 to 1."""
    full = round(max(0.0, min(1.0, done)) * width)
    return f"▕{'█' * full}{' ' * (width - full)}▏"
