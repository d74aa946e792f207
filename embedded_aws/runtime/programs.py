"""Programs of this machine that containers use.

RUN instructions of a Dockerfile are not executed, so an image lacks what they install: its Python, its console
scripts, its virtual environment. The interpreter that runs the embedded AWS, and its installed packages, replace
them. A folder of small scripts comes first in a container's PATH: they restore the shim, which an
entry point loses when it sets PYTHONPATH itself, and they let ``uv run`` and similar commands run programs here.
"""

from __future__ import annotations

import os
import re
import shlex
import shutil
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

SHIM = Path(__file__).with_name("shim")
PYTHON = re.compile(r"python[\d.]*")
PROGRAMS = "programs"  # the name of the folder
RUNNERS = ("uv", "poetry", "pipenv", "pdm", "rye", "hatch")
SAME = {"ash": "sh"}  # program -> the one that replaces it

WITH_SHIM = """#!/bin/sh
case "$PYTHONPATH" in {shim}|{shim}:*) ;; *) export PYTHONPATH={shim}"${{PYTHONPATH:+:$PYTHONPATH}}" ;; esac
exec {program} "$@"
"""

RUNNER = """#!/bin/sh
# "run" means to run a program with a project's dependencies; here they are installed already.
if [ "$1" != run ]; then
    {otherwise}
fi
shift
while [ $# -gt 0 ]; do
    case "$1" in
        --with|--with-editable|--with-requirements|--extra|--group|--only-group|--no-group|--index|--python|-p\\
        |--project|--directory|--env-file|-C|-P) shift 2 ;;
        -m|--module) exec python "$@" ;;
        --) shift; break ;;
        -*) shift ;;
        *) break ;;
    esac
done
case "$1" in *.py) exec python "$@" ;; esac
exec "$@"
"""


def machine_path() -> list[str]:
    """The folders with this machine's programs: this interpreter's own folder first."""
    entries = os.environ.get("PATH", os.defpath).split(os.pathsep)
    return list(dict.fromkeys([str(Path(sys.executable).parent), *filter(None, entries)]))


@cache
def on_machine(name: str) -> Path | None:
    """A program of this machine; any Python is the one that runs the embedded AWS."""
    if PYTHON.fullmatch(name):
        return Path(sys.executable)
    found = shutil.which(SAME.get(name, name), path=os.pathsep.join(machine_path()))
    return Path(found) if found else None


def stand_in(path: str) -> str | None:
    """The replacement of a program that an image would have at ``path``, in a shell script or as a command.

    Only for programs in a ``bin`` folder that does not exist on this machine. A virtual environment needs no
    activation, because its programs are found without it.
    """
    folder, _, name = path.rpartition("/")
    if folder.rpartition("/")[2] not in ("bin", "sbin"):
        return None
    if name == "activate":
        return os.devnull
    if os.path.exists(path) and not PYTHON.fullmatch(name):
        return None
    found = on_machine(name)
    return str(found) if found else None


def write_programs(folder: Path) -> None:
    """Write the scripts in the folder that comes first in every container's PATH."""
    folder.mkdir(parents=True, exist_ok=True)
    shim = shlex.quote(str(SHIM))
    for name, program in _python_programs():
        _write(folder / name, WITH_SHIM.format(shim=shim, program=shlex.quote(str(program))))
    for name in RUNNERS:
        found = on_machine(name)
        missing = f'echo "{name}: not found" >&2; exit 127'
        otherwise = f'exec {shlex.quote(str(found))} "$@"' if found else missing
        _write(folder / name, RUNNER.format(otherwise=otherwise))


def _python_programs() -> Iterator[tuple[str, Path]]:
    """This interpreter under the names of all Pythons, and its console scripts."""
    own = Path(sys.executable)
    for name in ("python", "python3", *(f"python3.{minor}" for minor in range(8, 20))):
        yield name, own
    for path in own.parent.iterdir():
        if not PYTHON.fullmatch(path.name) and is_python_script(path):
            yield path.name, path


def is_python_script(path: Path) -> bool:
    """Whether a file is a Python program, by its first line (or the second, after a long path's ``#!/bin/sh``)."""
    try:
        with path.open("rb") as file:
            first = file.readline(512)
            second = file.readline(512) if first.startswith(b"#!/bin/sh") else b""
    except OSError:
        return False
    return first.startswith(b"#!") and b"python" in first + second


def puts_shim_back(path: Path) -> bool:
    """Whether a program is one of the scripts that only add the shim."""
    return path.parent.name == PROGRAMS and path.name not in RUNNERS


def _write(path: Path, text: str) -> None:
    path.write_text(text)
    path.chmod(0o755)
