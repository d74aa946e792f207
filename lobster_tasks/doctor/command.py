"""What a container's command listens on, as far as its words tell. Pure."""

from __future__ import annotations

import posixpath
import re
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..dockerfile.words import WordError, expand

_SHELLS = frozenset({"sh", "bash", "dash", "ash", "zsh"})
_DEFAULT_PORT = 8501  # Streamlit, server.port
_SEPARATORS = re.compile(r"&&|\|\||[;|&\n]")
_LOOPBACK = re.compile(r"^(localhost|127\.|::1$|\[::1\]$)")


@dataclass(frozen=True)
class Listens:
    """Where Streamlit listens: ``where`` says which word decides. No address is every address."""

    port: int
    address: str
    port_by: str
    address_by: str

    @property
    def is_unreachable(self) -> bool:
        """Whether only the container itself reaches the address."""
        return bool(_LOOPBACK.match(self.address))


def listens(
    words: Sequence[str], environment: Mapping[str, str], config: Mapping[str, Any]
) -> Listens | None:
    """Where the command listens; None when it does not run Streamlit by its own words, or cannot be read.

    As in Streamlit, an option counts more than the environment, that more than ``config`` (the ``[server]``
    section of config.toml).
    """
    options = _streamlit_options(words, environment)
    if options is None:
        return None
    port, port_by = _setting("port", options, environment, config)
    address, address_by = _setting("address", options, environment, config)
    if port and not port.isdecimal():
        return None
    return Listens(int(port or _DEFAULT_PORT), address, port_by or "Streamlit's default", address_by)


def script_of(words: Sequence[str]) -> str | None:
    """The script of ``sh -c script``; None for what does not begin with a shell."""
    if not words or posixpath.basename(words[0]) not in _SHELLS:
        return None
    options = [index for index, word in enumerate(words[1:], 1) if re.fullmatch(r"-[a-z]*c", word)]
    return words[options[0] + 1] if options and options[0] + 1 < len(words) else None


def swallows_signals(words: Sequence[str]) -> bool:
    """Whether a shell stays process 1 and keeps SIGTERM to itself.

    dash and ash, which are ``/bin/sh`` in Debian and Alpine, start the program as a child unless it is
    ``exec``ed; bash replaces itself where the script is one plain command.
    """
    script = script_of(words)
    if script is None:
        return False
    parts = [part.strip() for part in _SEPARATORS.split(script) if part.strip()]
    if not parts or parts[-1].startswith("exec "):
        return False
    return posixpath.basename(words[0]) != "bash" or len(parts) > 1


def _streamlit_options(words: Sequence[str], environment: Mapping[str, str]) -> list[str] | None:
    """The words after ``streamlit run``, up to a lone ``--``, after which they are the app's own."""
    script = script_of(words)
    if script is not None:
        return next(
            (found for part in _SEPARATORS.split(script) if (found := _in_script(part, environment))), None
        )
    names = [posixpath.basename(word) for word in words]
    for index in range(len(names) - 1):
        if names[index] == "streamlit" and names[index + 1] == "run":
            rest = list(words[index + 2 :])
            return rest[: rest.index("--")] if "--" in rest else rest
    return None


def _in_script(part: str, environment: Mapping[str, str]) -> list[str] | None:
    try:
        words = shlex.split(expand(part, environment, quotes=False))
    except (WordError, ValueError):
        return None
    return _streamlit_options(words, environment) if script_of(words) is None else None


def _setting(
    name: str, options: Sequence[str], environment: Mapping[str, str], config: Mapping[str, Any]
) -> tuple[str, str]:
    flag, variable = f"--server.{name}", f"STREAMLIT_SERVER_{name.upper()}"
    for index, word in enumerate(options):
        if word.startswith(f"{flag}="):
            return word.partition("=")[2], flag
        if word == flag and index + 1 < len(options):
            return options[index + 1], flag
    if environment.get(variable):
        return environment[variable], variable
    if name in config:
        return str(config[name]), ".streamlit/config.toml"
    return "", ""
