"""The project that ``inv`` was started in: its folder, and settings that Invoke itself would stumble over.

Invoke reads ``invoke.yaml`` and the ``INVOKE_…`` variables after it has loaded ``tasks.py`` and before any task
runs, and ends in a traceback where it cannot. So both are tried while ``tasks.py`` is loaded: what is wrong is
said in words, and variables that only Invoke cannot take are kept out of its sight until a task reads them.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import FrameType
from typing import Any

from invoke.config import Config
from invoke.exceptions import Exit, UncastableEnvVar

_VARIABLES = "INVOKE_LOBSTER_"
_USAGE = 2


def _here() -> Path:
    """The current folder; raises Exit where it has been deleted meanwhile."""
    try:
        return Path.cwd()
    except FileNotFoundError:
        told = "✘ The folder that this was started in is gone.\nnext      change to another one"
        raise Exit(told, code=_USAGE) from None


STARTED_IN = _here()
_hidden: dict[str, str] = {}
_folder = STARTED_IN


def prepare() -> None:
    """Find the folder and try what Invoke will do; raises Exit, which Invoke shows as a message."""
    global _folder
    _folder = _loaded_by_invoke() or STARTED_IN
    config = Config(lazy=True, project_location=_folder)
    try:
        config.load_project()
    except Exception as error:  # noqa: BLE001 - whatever it is, Invoke would show its traceback
        raise Exit(f"✘ {_path(config)} cannot be read.\nwhy       {_why(error)}", code=_USAGE) from None
    if wrong := _unquoted(config.get("lobster")):
        raise Exit(
            f"✘ {_path(config)}: lobster.{wrong} is not text.\n"
            "why       YAML reads on, off, yes, no and numbers as something else\n"
            "next      put the name in quotes",
            code=_USAGE,
        )
    _hide_what_invoke_cannot_take(config)


@contextmanager
def entered() -> Iterator[None]:
    """For as long as the block lasts the project's folder is the current one, which paths in the settings are
    relative to; variables that were kept from Invoke are back."""
    os.environ.update(_hidden)
    _hidden.clear()
    try:
        os.chdir(_folder)
    except OSError as error:
        raise Exit(f"✘ {_folder} cannot be entered.\nwhy       {error.strerror}", code=_USAGE) from None
    try:
        yield
    finally:
        with suppress(OSError):  # it may be gone by now, and nobody needs it any more
            os.chdir(STARTED_IN)


def write(given: str, text: str) -> None:
    """Write a file that the command line names, relative to where the command was given."""
    from ..errors import RefusedError

    try:
        (STARTED_IN / given).write_text(text, encoding="utf-8")
    except OSError as error:
        raise RefusedError(
            f"{given} cannot be written.", str(error.strerror), "choose another --output"
        ) from error


def _loaded_by_invoke() -> Path | None:
    """The folder of the tasks.py (or the tasks/ package) that Invoke is loading now."""
    frame: FrameType | None = sys._getframe()
    file = ""
    while frame is not None and frame.f_globals.get("__name__") != "invoke.loader":
        if frame.f_code.co_name == "<module>":
            file = frame.f_globals.get("__file__", "")
        frame = frame.f_back
    if frame is None or not file:
        return None
    found = Path(file).resolve()
    return found.parent.parent if found.name == "__init__.py" else found.parent


def _hide_what_invoke_cannot_take(config: Config) -> None:
    """Invoke casts a variable to the type of what the file holds; a list or a wrong number ends in a traceback."""
    try:
        config.load_shell_env()
    except (UncastableEnvVar, ValueError):
        for name in [name for name in os.environ if name.startswith(_VARIABLES)]:
            _hidden[name] = os.environ.pop(name)


def _unquoted(tree: Any, prefix: str = "") -> str:
    """The first key that is not text, dotted; empty where there is none."""
    if not isinstance(tree, dict):
        return ""
    for key, value in tree.items():
        if not isinstance(key, str):
            return f"{prefix}{key}"
        if found := _unquoted(value, f"{prefix}{key}."):
            return found
    return ""


def _path(config: Config) -> str:
    names = (f"invoke.{suffix}" for suffix in ("yaml", "yml", "json", "py"))
    return next((name for name in names if (_folder / name).is_file()), "invoke.yaml")


def _why(error: Exception) -> str:
    mark = getattr(error, "problem_mark", None)
    if mark is not None:
        problem = getattr(error, "problem", None) or "not YAML"
        return f"line {mark.line + 1}, column {mark.column + 1}: {problem}"
    if isinstance(error, UnicodeDecodeError):
        return str(error)
    return "a file of settings is made of sections, each a mapping: `lobster:` and its keys below"
