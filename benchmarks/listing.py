"""``inv --list`` of this project against that of an empty tasks.py, in turns."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

from .common import BIN, ROOT, median, run, seconds

_RUNS = 15


def figures() -> Iterator[str]:
    """The ratio of the medians; the aim is 1.25 at most."""
    command = [str(BIN / "inv"), "--list"]
    with tempfile.TemporaryDirectory() as empty:
        bare = Path(empty)
        (bare / "tasks.py").write_text("from invoke import task\n\n@task\ndef nothing(c):\n    pass\n")
        ours, theirs = [], []
        for folder in (bare, ROOT):
            run(command, cwd=folder)  # what is compiled once is not measured
        for _ in range(_RUNS):
            theirs.append(seconds(lambda: run(command, cwd=bare)))
            ours.append(seconds(lambda: run(command, cwd=ROOT)))
    yield (
        f"inv --list {median(ours) * 1000:.0f} ms, of a tasks.py with one task {median(theirs) * 1000:.0f} ms: "
        f"{median(ours) / median(theirs):.2f} × (aim 1.25)"
    )
