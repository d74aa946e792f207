"""What a renderable looks like at a width."""

from __future__ import annotations

from rich.console import Console, RenderableType


def drawn(what: RenderableType, columns: int = 10_000) -> list[str]:
    """Its lines, without colours and without blanks at their ends."""
    console = Console(width=columns, color_system=None, highlight=False, markup=False)
    with console.capture() as captured:
        console.print(what, crop=False)  # as the console of this program does
    return [line.rstrip() for line in captured.get().splitlines()]
