"""The project that ``inv`` was started in: its folder, and its settings, which Invoke itself is kept from.

Invoke would read the section ``lobster:`` with the eyes of YAML, which change values, and cast the variables
``INVOKE_LOBSTER_…`` to the types of what it has read, for each task anew; both end in tracebacks, or in other values
than what is written. So the section is read here, and taken out of the configuration of Invoke while ``tasks.py`` is
loaded. What is wrong with a file is said in words, before Invoke stumbles over it.
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
from invoke.exceptions import Exit
from invoke.program import Program

from .. import as_written, text_file
from ..foreign import one_line, powerless
from ..github import Annotation, hand_over, is_here

SECTION = "lobster"
_SUFFIXES = ("yaml", "yml", "json", "py")  # Invoke reads the first that is there
_USAGE = 2
_TASKS = "lobster_tasks.tasks."


def refusal(what: str, why: str = "", step: str = "") -> Exit:
    """What Invoke is to print and to end with, as a task prints an error; before there is one."""
    parts = (("✘ ", what), ("why       ", why), ("next      ", step))
    lines = [f"{label}{one_line(text)}" for label, text in parts if text]
    hand_over(Annotation("error", "Deploy to Fargate", "\n".join(each for each in (what, why, step) if each)))
    return Exit("\n".join(powerless(line) if is_here() else line for line in lines), code=_USAGE)


def _here() -> Path:
    """The current folder; raises Exit where it has been deleted meanwhile."""
    try:
        return Path.cwd()
    except FileNotFoundError:
        raise refusal("The current folder does not exist any more.", step="change to another one") from None


STARTED_IN = _here()
_folder = STARTED_IN
_program: Program | None = None
_sections: list[Mapping[str, Any] | None] = []
"""The section ``lobster:`` of each file that has one, those that count more last; None where it is empty."""


_found: list[tuple[str, bool]] = []
"""Each file of settings that there is, and whether it has the section."""


def prepare() -> None:
    """Find the folder, read the files and keep Invoke from them; raises Exit, which Invoke shows as a message."""
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
    """The settings of the files, and of ``configure`` of a collection of tasks, before environment and flags.

    What a task of the project's own has put into Invoke's configuration counts alone.
    """
    from ..settings import merge

    if (given := context.config.get(SECTION)) is not None:
        return given
    return functools.reduce(merge, filter(None, _sections), _configured())


def settings_source() -> str:
    """Where the settings are from, in a line; that none are found is said as well, for then the defaults count."""
    sources = [name for name, has_section in _found if has_section]
    sources += ["tasks.py"] if _configured() else []
    if sources:
        return f"Settings of {', '.join(sources)}."
    others = ", ".join(name for name, _ in _found)
    none = f"{others} has no section {SECTION}" if others else f"There is no invoke.yaml in {_folder}"
    return f"{none}: the defaults are used (inv settings shows them)."


@contextmanager
def entered() -> Iterator[None]:
    """For as long as the block lasts the project's folder is the current one, which paths in the settings are
    relative to."""
    try:
        os.chdir(_folder)
    except OSError as error:
        raise refusal(f"{_folder} cannot be entered.", str(error.strerror)) from None
    try:
        yield
    finally:
        with suppress(OSError):  # it may be gone by now, and nobody needs it any more
            os.chdir(STARTED_IN)


def write(given: str, text: str) -> None:
    """Write a file that the command line names, relative to where the command was given."""
    from ..errors import RefusedError

    file = STARTED_IN / given
    try:
        file.write_text(text, encoding="utf-8")
    except OSError as error:
        raise RefusedError(
            f"{given} cannot be written.", str(error.strerror), "choose another --output"
        ) from error


def write_all(given: str, texts: Mapping[str, str]) -> None:
    """Write files, by their names, into a folder that the command line names."""
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
    """What tasks are called in this project, by their own names, where it is something else: ``aws.deploy``."""
    return {own: name for own, name in _all_names().items() if own != name}


def program() -> Program | None:
    """Invoke's program that has loaded this project's tasks; None where something else has."""
    return _program


def _all_names() -> dict[str, str]:
    return {} if getattr(_program, "collection", None) is None else _names_in(_program)


@functools.cache
def _names_in(program: Any) -> dict[str, str]:
    collection = program.collection
    found: dict[str, str] = {}
    for name in sorted(collection.task_names, key=len, reverse=True):  # the shortest counts
        task = collection[name]
        if task.body.__module__.startswith(_TASKS):
            found[task.name.replace("_", "-")] = name
    return found


def _configured() -> dict[str, Any]:
    """What ``configure`` of our collection, and of those around it, has been told."""
    name = next(iter(_all_names().values()), None)
    if _program is None or name is None:
        return {}
    return _program.collection.configuration(name).get(SECTION) or {}


def _keep_invoke_from_the_section(config: Config) -> None:
    """What is deleted from Invoke's configuration stays so, whatever it reads later ("Nested configuration").

    It has to be there to be deleted, as a mapping or as nothing: whichever the files have.
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
    """The folder of what it is loading: of the outermost module below it."""
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
    """Whose loader it is: ``inv``, or a program of the project's own."""
    frame: FrameType | None = loader
    while frame is not None and not isinstance(frame.f_locals.get("self"), Program):
        frame = frame.f_back
    return frame.f_locals["self"] if frame else None


def _files() -> Iterator[Path]:
    """Those that Invoke reads ("Configuration files"): the system's, the person's, the project's, that of ``-f``."""
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
    """Whether Invoke tries to read it; a link that leads to itself is there, and cannot be read."""
    try:
        path.stat()
    except FileNotFoundError:
        return False
    except OSError:
        pass
    return True


def _tree(path: Path) -> Mapping[str, Any]:
    """What a file says; raises Exit where Invoke, or this library, cannot take it."""
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
    """Invoke cannot read a byte order mark in JSON."""
    if text_file.contents(path).startswith(codecs.BOM_UTF8):
        raise text_file.EncodingError("it begins with a byte order mark; save it as UTF-8 without one")
    return as_written.load_json(text_file.read(path))


def _yaml(path: Path) -> Any:
    return as_written.load_yaml(text_file.read(path))


def _python(path: Path) -> Any:
    text_file.contents(path)  # raises where nothing, or no end, would come
    config = Config(lazy=True, defaults={}, runtime_path=path)
    config.load_runtime()
    return dict(config)


_READERS: Mapping[str, Callable[[Path], Any]] = {".yaml": _yaml, ".yml": _yaml, ".json": _json}


def _refuse_what_does_not_go_together(trees: Sequence[Mapping[str, Any]]) -> None:
    """Keys below in one file and none in another end in a traceback of Invoke's."""
    merged: dict[str, Any] = {}
    try:
        for tree in trees:
            merge_dicts(merged, dict(tree))
    except AmbiguousMergeError as error:
        raise refusal(f"{', '.join(map(str, _files()))} contradict each other.", str(error)) from None


def _unreadable(path: Path, why: str) -> Exit:
    return refusal(f"{_shown(path)} cannot be read.", why)


def _shown(path: Path) -> str:
    return path.name if path.parent == _folder else str(path)
