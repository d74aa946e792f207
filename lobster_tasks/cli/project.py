"""The project of the current command: its folder, and its settings, which Invoke must not read.

Invoke would parse the section ``lobster:`` as YAML 1.1, which changes values, and cast ``INVOKE_LOBSTER_…`` variables
to the types of the parsed values, again for each task; this leads to tracebacks, or to other values than those
written. So this module reads the section, and removes it from Invoke's configuration while ``tasks.py`` is
loaded. Errors in a file are reported in words, before Invoke fails on it.
"""

from __future__ import annotations

import codecs
import functools
import os
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from types import FrameType
from typing import Any

from invoke.config import AmbiguousMergeError, Config, merge_dicts
from invoke.context import Context
from invoke.exceptions import AmbiguousEnvVar, Exit, UncastableEnvVar
from invoke.program import Program

from .. import as_written, text_file
from ..foreign import one_line, powerless
from ..github import Annotation, hand_over, is_here
from ..masking import mask_shapes

SECTION = "lobster"
_SUFFIXES = ("yaml", "yml", "json", "py")  # Invoke reads the first that exists
_USAGE = 2
_TASKS = "lobster_tasks.tasks."


def refusal(what: str, why: str = "", step: str = "") -> Exit:
    """The exception with which Invoke prints a message and exits, like an error of a task."""
    what, why, step = map(mask_shapes, (what, why, step))
    parts = (("✘ ", what), ("why       ", why), ("next      ", step))
    lines = [f"{label}{one_line(text)}" for label, text in parts if text]
    hand_over(Annotation("error", "Deploy to Fargate", "\n".join(each for each in (what, why, step) if each)))
    return Exit("\n".join(powerless(line) if is_here() else line for line in lines), code=_USAGE)


def _here() -> Path:
    """The current folder; raises Exit where it has been deleted."""
    try:
        return Path.cwd()
    except FileNotFoundError:
        raise refusal("The current folder does not exist any more.", step="change to another one") from None


STARTED_IN = _here()
_folder = STARTED_IN
_program: Program | None = None
_sections: list[Mapping[str, Any] | None] = []
"""The section ``lobster:`` of each file that has one, in increasing precedence; None where it is empty."""


_found: list[tuple[str, bool]] = []
"""Each existing file of settings, and whether it has the section."""


def prepare() -> None:
    """Find the folder, and read the files instead of Invoke; raises Exit, which Invoke prints as a message."""
    global _folder, _program
    loader = _invokes_loader()
    _folder = (loader and _folder_of(loader)) or STARTED_IN
    _program = loader and _program_of(loader)
    files = list(_files())
    trees = [_tree(path) for path in files]
    _found[:] = [(_shown(path), SECTION in tree) for path, tree in zip(files, trees, strict=True)]
    _refuse_what_does_not_go_together(trees)
    _sections[:] = [tree[SECTION] for tree in trees if SECTION in tree]
    if _program is not None:
        _keep_invoke_from_the_section(_program.config)


def section(context: Context) -> Any:
    """The settings from files and from a collection's ``configure``, before environment variables and flags.

    Settings that a project's own task has put into Invoke's configuration replace all of them.
    """
    from ..settings import merge

    if (given := context.config.get(SECTION)) is not None:
        return given
    return functools.reduce(merge, filter(None, _sections), _configured())


def settings_source() -> str:
    """Where the settings come from, in a line; also says when there are none, so that the defaults apply."""
    sources = [name for name, has_section in _found if has_section]
    sources += ["tasks.py"] if _configured() else []
    if sources:
        return f"Settings of {', '.join(sources)}."
    others = ", ".join(name for name, _ in _found)
    none = f"{others} has no section {SECTION}" if others else f"There is no invoke.yaml in {_folder}"
    return f"{none}: the defaults are used (inv settings shows them)."


@contextmanager
def entered() -> Iterator[None]:
    """Make the project's folder the current one for the duration of the block, because settings have relative
    paths."""
    try:
        os.chdir(_folder)
    except OSError as error:
        raise refusal(f"{_folder} cannot be entered.", str(error.strerror)) from None
    try:
        yield
    finally:
        with suppress(OSError):  # it may have been deleted
            os.chdir(STARTED_IN)


def write(given: str, text: str) -> None:
    """Write a file named on the command line, relative to the folder in which the command was given."""
    from ..errors import RefusedError

    file = STARTED_IN / given
    try:
        file.write_text(text, encoding="utf-8")
    except OSError as error:
        raise RefusedError(
            f"{given} cannot be written.", str(error.strerror), "choose another --output"
        ) from error


def write_all(given: str, texts: Mapping[str, str]) -> None:
    """Write files, by name, into a folder named on the command line."""
    _make_folder(given)
    for name, text in texts.items():
        write(f"{given}/{name}", text)


def _make_folder(given: str) -> None:
    from ..errors import RefusedError

    try:
        (STARTED_IN / given).mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise RefusedError(
            f"{given} cannot be created.", str(error.strerror), "choose another --output"
        ) from error


def names() -> dict[str, str]:
    """Original task name → the project's name, such as ``aws.deploy``, where it differs."""
    return {own: name for own, name in _all_names().items() if own != name}


def program() -> Program | None:
    """The Invoke program that has loaded this project's tasks; None where something else has."""
    return _program


def _all_names() -> dict[str, str]:
    return {} if getattr(_program, "collection", None) is None else _names_in(_program)


@functools.cache
def _names_in(program: Any) -> dict[str, str]:
    collection = program.collection
    found: dict[str, str] = {}
    for name in sorted(collection.task_names, key=len, reverse=True):  # the shortest name is used
        task = collection[name]
        if task.body.__module__.startswith(_TASKS):
            found[task.name.replace("_", "-")] = name
    return found


def _configured() -> dict[str, Any]:
    """The arguments of ``configure`` on the library's collection and those around it."""
    name = next(iter(_all_names().values()), None)
    if _program is None or name is None:
        return {}
    return _program.collection.configuration(name).get(SECTION) or {}


def _keep_invoke_from_the_section(config: Config) -> None:
    """Delete the section from Invoke's configuration, which then stays deleted ("Nested configuration").

    It must exist to be deleted, as a mapping or as None, like in the files.
    """
    nothing: Any = None if None in _sections else {}
    config[SECTION] = nothing
    del config[SECTION]


def _invokes_loader() -> FrameType | None:
    """The frame of Invoke's loader, if it is loading tasks.py (or a tasks/ package) now."""
    frame: FrameType | None = sys._getframe()
    while frame is not None and frame.f_globals.get("__name__") != "invoke.loader":
        frame = frame.f_back
    return frame


def _folder_of(loader: FrameType) -> Path | None:
    """The folder of the tasks that are being loaded: that of the outermost module."""
    frame: FrameType | None = sys._getframe()
    file = ""
    while frame is not None and frame is not loader:
        if frame.f_code.co_name == "<module>":
            file = frame.f_globals.get("__file__", "")
        frame = frame.f_back
    if not file:
        return None
    found = Path(file).resolve()
    return found.parent.parent if found.name == "__init__.py" else found.parent


def _program_of(loader: FrameType) -> Program | None:
    """The program of the loader: ``inv``, or a program of the project's own."""
    frame: FrameType | None = loader
    while frame is not None and not isinstance(frame.f_locals.get("self"), Program):
        frame = frame.f_back
    return frame.f_locals["self"] if frame else None


def _files() -> Iterator[Path]:
    """The files that Invoke reads ("Configuration files"): the system's, the user's, the project's, and that of
    ``-f``."""
    for place in ("/etc/invoke", f"{Path.home()}/.invoke", f"{_folder}/invoke"):
        named = (Path(f"{place}.{suffix}") for suffix in _SUFFIXES)
        yield from [path for path in named if _is_there(path)][:1]
    given = (_program and _program.args.config.value) or os.environ.get("INVOKE_RUNTIME_CONFIG")
    if given is None:
        return
    if Path(given).suffix.removeprefix(".") not in _SUFFIXES:
        raise refusal(
            f"-f, or INVOKE_RUNTIME_CONFIG, names {given!r:.200}, which is not a settings file.",
            f"their names end in {', '.join(_SUFFIXES)}",
            "name another file, or unset INVOKE_RUNTIME_CONFIG",
        )
    if _is_there(path := STARTED_IN / Path(given).expanduser()):
        yield path


def _is_there(path: Path) -> bool:
    """Whether Invoke tries to read it; a symbolic link to itself exists, and cannot be read."""
    try:
        path.stat()
    except FileNotFoundError:
        return False
    except OSError:
        pass
    return True


def _tree(path: Path) -> Mapping[str, Any]:
    """The content of a file; raises Exit where Invoke, or this library, cannot read it."""
    try:
        found = _READERS[path.suffix](path) if path.suffix in _READERS else _python(path)
    except Exception as error:  # noqa: BLE001 - whatever it is, Invoke would show its traceback
        raise _unreadable(path, str(error)) from None
    if not isinstance(found or {}, Mapping):
        raise _unreadable(
            path, "a settings file consists of sections, each a mapping: `lobster:` and its keys below"
        )
    given = (found or {}).get(SECTION)
    if given is not None and not isinstance(given, Mapping):
        raise _unreadable(
            path, f"{SECTION}: is {given!r:.40}; it takes keys and values, as in `region: us-east-2`"
        )
    return found or {}


def _json(path: Path) -> Any:
    """The content of a JSON file; refuses a byte order mark, which Invoke cannot read."""
    if text_file.contents(path).startswith(codecs.BOM_UTF8):
        raise text_file.EncodingError("it begins with a byte order mark; save it as UTF-8 without one")
    return as_written.load_json(text_file.read(path))


def _yaml(path: Path) -> Any:
    return as_written.load_yaml(text_file.read(path), SECTION)


def _python(path: Path) -> Any:
    text_file.contents(path)  # raises for files that would block, or have no end
    config = Config(lazy=True, defaults={}, runtime_path=path)
    config.load_runtime()
    return dict(config.items())  # iterating over it would give objects of Invoke's for the sections


_READERS: Mapping[str, Callable[[Path], Any]] = {".yaml": _yaml, ".yml": _yaml, ".json": _json}


def _refuse_what_does_not_go_together(trees: Sequence[Mapping[str, Any]]) -> None:
    """Refuse files in which a key is a section in one, or for Invoke, and a value in another, and variables that Invoke
    cannot take for what the files hold: it fails with a traceback."""
    merged: dict[str, Any] = {}
    try:
        for tree in (Config.global_defaults(), *trees):
            merge_dicts(merged, dict(tree))
    except AmbiguousMergeError as error:
        told = f"{', '.join(map(_shown, _files()))} and Invoke's own settings contradict each other."
        raise refusal(told, str(error)) from None
    others = {name: _meaning(value) for name, value in merged.items() if name != SECTION}
    try:
        Config(overrides=others, lazy=True).load_shell_env()
    except (AmbiguousEnvVar, UncastableEnvVar, ValueError, TypeError) as error:
        told = "Invoke cannot take its settings from the files and the INVOKE_ variables together."
        raise refusal(told, str(error), "rename a key, or unset the variable") from None


def _meaning(value: Any) -> Any:
    """A value as Invoke reads it."""
    if isinstance(value, Mapping):
        return {name: _meaning(each) for name, each in value.items()}
    return value.meaning if isinstance(value, as_written.PlainScalar) else value


def _unreadable(path: Path, why: str) -> Exit:
    return refusal(f"{_shown(path)} cannot be read.", why)


def _shown(path: Path) -> str:
    return path.name if path.parent == _folder else str(path)
