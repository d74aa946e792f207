"""Runs the cheapest benchmark, which uses names of the code that it measures."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from tests.embedded_process import PATIENCE

ROOT = Path(__file__).parent.parent


def test_what_moto_is_patched_for_is_measured() -> None:
    run = [sys.executable, "-m", "benchmarks", "answering"]
    done = subprocess.run(run, cwd=ROOT, capture_output=True, text=True, check=False, timeout=PATIENCE)
    assert done.returncode == 0, done.stderr
    assert [line.partition(":")[0].split(maxsplit=1)[1] for line in done.stdout.splitlines()] == [
        "an answer of six subnets",
        "a small answer of EC2",
    ]
