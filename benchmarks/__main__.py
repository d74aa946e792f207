"""Runs every benchmark, or those named on the command line; one line per figure."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator

from . import answering, cutting, embedded, failing, listing, rolling, setup

BENCHMARKS: dict[str, Callable[[], Iterator[str]]] = {
    "listing": listing.figures,
    "answering": answering.figures,
    "embedded": embedded.figures,
    "setup": setup.figures,
    "rolling": rolling.figures,
    "failing": failing.figures,
    "cutting": cutting.figures,
}


def main(names: list[str]) -> None:
    """Print the figures of the benchmarks called ``names``; of all where there are none."""
    for name in names or BENCHMARKS:
        for figure in BENCHMARKS[name]():
            print(f"{name:9} {figure}", flush=True)


main(sys.argv[1:])
