"""Runs the README's commands unchanged, in a shell without settings."""

from __future__ import annotations

import os
import re
import socket
import subprocess
import sys
from pathlib import Path

from tests.embedded_process import PATIENCE
from tests.project import make

README = (Path(__file__).parents[1] / "README.md").read_text(encoding="utf-8")


def snippet(heading: str) -> list[str]:
    """The lines of the first shell snippet below a heading."""
    found = re.search(rf"^## {heading}\n+```sh\n(.+?)```", README, re.MULTILINE | re.DOTALL)
    assert found
    return found[1].splitlines()


def free_port() -> int:
    """A port on which nothing listens."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


def test_the_embedded_aws_answers_the_aws_cli_as_the_readme_says(tmp_path: Path) -> None:
    port = str(free_port())
    start, *rest = [line.replace("4566", port) for line in snippet("The embedded AWS")]
    assert start.startswith("inv embedded-aws ")
    project = make(tmp_path, None)
    fresh = {
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        "HOME": str(tmp_path / "home"),
        "LANG": "C.UTF-8",
    }
    with subprocess.Popen(
        ["bash", "-c", f"exec {start}"], cwd=project.folder, env=fresh, stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == f"AWS_ENDPOINT_URL=http://127.0.0.1:{port}\n"
            shell = ["bash", "-eu", "-c", "\n".join(rest)]
            done = subprocess.run(
                shell, env=fresh, capture_output=True, text=True, timeout=PATIENCE, check=False
            )
        finally:
            process.terminate()
    assert (done.returncode, done.stderr) == (0, "")
    assert "clusterArns" in done.stdout
