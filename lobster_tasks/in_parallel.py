"""Runs independent reads in parallel: the shorter a snapshot takes, the more consistent it is."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any


def in_parallel(*works: Callable[[], Any]) -> list[Any]:
    """The results of ``works``, in order; the first error is raised once all have ended."""
    if not works:
        return []
    with ThreadPoolExecutor(len(works)) as pool:
        futures = [pool.submit(work) for work in works]
    return [future.result() for future in futures]
