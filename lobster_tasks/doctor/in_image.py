"""The process of the image, and the configuration files that it reads without being told.

Sources: Streamlit, "config.toml" (the user's, then that of the folder in which Streamlit starts, which overrides it);
Gunicorn, "Settings", ``config``: "./gunicorn.conf.py" by default.
"""

from __future__ import annotations

import posixpath
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from .. import text_file
from ..dockerfile import Dockerfile, Stage
from ..dockerfile.globs import BadPatternError
from ..dockerfile.ignore import ignore_file, read_ignore
from ..dockerfile.origins import Origin, origins, run_lines
from ..dockerfile.programs import programs
from ..settings import ContainerSettings
from .check import UnknownError

_STREAMLIT = ".streamlit/config.toml"
_GUNICORN = "gunicorn.conf.py"


def process_words(container: ContainerSettings, stage: Stage) -> tuple[str, ...]:
    """The words of the command; a command in the settings replaces the image's."""
    return stage.arguments_with(container.command)


def process_environment(container: ContainerSettings, stage: Stage) -> Mapping[str, str]:
    """The image's variables, overridden by those of the task definition."""
    return {**stage.environment, "PORT": str(container.port), **container.environment}


def streamlit_config(file: Dockerfile, container: ContainerSettings, folder: Path) -> Mapping[str, Any]:
    """The ``[server]`` section that Streamlit reads in the image; raises UnknownError where that is not known."""
    found: dict[str, Any] = {}
    home = _home(file.final, container)
    for place in dict.fromkeys((home, *_folders(file, container, "streamlit"))):
        if text := _text(file, posixpath.join(place, _STREAMLIT), folder):
            found |= streamlit_server(text)
    return found


def streamlit_server(text: str) -> Mapping[str, Any]:
    """The ``[server]`` section of a config.toml; raises UnknownError for what is no TOML, or no section."""
    try:
        found = tomllib.loads(text).get("server", {})
    except (ValueError, RecursionError) as error:  # also a long number, and arrays nested too deeply
        raise UnknownError(f"{_STREAMLIT} cannot be read ({error})") from error
    if not isinstance(found, dict):
        raise UnknownError(f"{_STREAMLIT} has no section [server], but a value of this name")
    return found


def gunicorn_file_binds(file: Dockerfile, container: ContainerSettings, folder: Path) -> bool:
    """Whether a gunicorn.conf.py in the folder in which Gunicorn starts may set where it listens."""
    try:
        texts = [
            _text(file, posixpath.join(place, _GUNICORN), folder)
            for place in _folders(file, container, "gunicorn")
        ]
    except UnknownError:
        return True
    return any("bind" in text for text in texts)


def _folders(file: Dockerfile, container: ContainerSettings, program: str) -> Iterator[str]:
    """The folders in which the process starts a program; raises UnknownError where one is not known."""
    stage = file.final
    for each in programs(process_words(container, stage), process_environment(container, stage)):
        if each.name == program and each.folder is None:
            raise UnknownError(
                f"cannot tell in which folder {program} starts, where its configuration would be"
            )
        if each.name == program:
            yield posixpath.normpath(posixpath.join(stage.working_directory, each.folder or ""))


def _home(stage: Stage, container: ContainerSettings) -> str:
    user = stage.user.partition(":")[0]
    at = "/root" if user in ("", "root", "0") else f"/home/{user}"
    return process_environment(container, stage).get("HOME") or at


def _text(file: Dockerfile, path: str, folder: Path) -> str:
    """The text of a file of the image, empty where it has none; raises UnknownError where that is not known."""
    name = posixpath.basename(path)
    if any(name in line for line in run_lines(file, file.final)):
        raise UnknownError(f"a RUN line of the Dockerfile names {name}, and may change it")
    for each in origins(file, file.final, path, folder):
        if each.text is not None:
            return each.text
        if found := _read(file, each, folder):
            return found
    return ""


def _read(file: Dockerfile, origin: Origin, folder: Path) -> str:
    try:
        text = text_file.read(folder / origin.source)
    except (FileNotFoundError, NotADirectoryError):
        return ""
    except (OSError, ValueError) as error:
        raise UnknownError(f"{origin.source} cannot be read ({error})") from error
    return "" if _is_ignored(file.name, origin.source, folder) else text


def _is_ignored(name: str, source: str, folder: Path) -> bool:
    """Whether a file is not in the build context; raises UnknownError where that is not known."""
    path = ignore_file(folder, name)
    try:
        return read_ignore(path)(source)
    except (OSError, text_file.EncodingError, BadPatternError) as error:
        raise UnknownError(f"{path and path.name} cannot be read ({error})") from error
