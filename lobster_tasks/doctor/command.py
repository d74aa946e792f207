"""Derives from the words of a container's command which programs it starts and where these listen. Pure.

Sources of the servers' defaults: Streamlit's ``config.toml`` reference, the settings of Gunicorn, the command lines
of Uvicorn, Hypercorn, Daphne, FastAPI and Waitress, Flask's ``run``, Django's ``runserver``, ``http.server``.
"""

from __future__ import annotations

import posixpath
import shlex
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from ..dockerfile.commands import is_assignment, script_of, unwrapped
from ..dockerfile.programs import Program, is_known, programs
from ..dockerfile.shell import (
    LastList,
    OpenScriptError,
    SimpleCommand,
    last_lists,
    simple_commands,
    without_functions,
)
from ..dockerfile.spaces import is_number
from ..loopback import is_loopback

_STREAMLIT_PORT = 8501
_DEEPEST = 50  # functions that call one another

Words = Sequence[str]
Variables = Mapping[str, str]


@dataclass(frozen=True)
class ServerAddress:
    """Where a ``program`` listens; ``port_by`` and ``address_by`` name what sets each. No address means every address.

    No port means that its words do not say; ``port_text`` is what they say in its place, where that is no number.
    """

    program: str
    port: int | None = None
    address: str = ""
    port_by: str = ""
    address_by: str = ""
    base_path: str = ""
    port_text: str = ""

    @property
    def is_unreachable(self) -> bool:
        """Whether the address is reachable only from the container itself."""
        return is_loopback(self.address)


def servers(
    words: Words, environment: Variables, config: Mapping[str, Any], *, gunicorn_file_binds: bool = False
) -> tuple[ServerAddress, ...]:
    """Every program that the command starts and that may listen; empty where its words name no server.

    A shell may, where its script cannot be read.

    ``config`` is the ``[server]`` section of Streamlit's config.toml. ``gunicorn_file_binds`` is whether the
    gunicorn.conf.py that Gunicorn reads without being told sets where it listens. Programs of several branches that
    listen alike are one.
    """
    found = []
    for each in programs(words, environment):
        told = _server(each, config, gunicorn_file_binds=gunicorn_file_binds)
        if told:
            found.append(_by_a_shell(told) if each.is_by_shell else told)
    return tuple(dict.fromkeys(found))


def _by_a_shell(found: ServerAddress) -> ServerAddress:
    """Without the port's text where a shell finds the port out, as with ``$(…)``."""
    return found if is_known(found.port_text) else replace(found, port_text="")


def swallows_signals(words: Words, shell: str = "dash") -> bool | None:
    """Whether a shell stays process 1 and keeps SIGTERM to itself; ``shell`` is what ``sh`` is in the image.

    None is not known: a trap may pass it on, or the script cannot be read.

    ``exec`` makes the program process 1. Without it, dash (``sh`` of Debian) starts the program as a child. ash
    (BusyBox, ``sh`` of Alpine) replaces itself by the last simple command, and bash where this is neither in a
    compound command nor redirected, and not behind ``&``; both only without a trap, outside of loops and functions.
    Measured with dash 0.5.12, bash 5.2 and BusyBox 1.35.
    """
    started, _ = unwrapped(words, {})
    script = script_of(started)
    if script is None:
        return False
    name = posixpath.basename(started[0])
    kind = shell if name == "sh" else name
    try:
        commands = simple_commands(script)
    except OpenScriptError:
        return None
    traps = [action for each in commands if (action := _trap(each))]
    if _Script(commands).leaves_no_shell("" if traps else kind):
        return False
    return None if any("kill" in each for each in traps) else True


def is_open(words: Words) -> bool:
    """Whether the words are those of a shell whose script cannot be read, with an open quote, for example."""
    try:
        simple_commands(script_of(unwrapped(words, {})[0]) or "")
    except OpenScriptError:
        return True
    return False


def _trap(command: SimpleCommand) -> str:
    """What the shell does for a signal by this command; empty where it does nothing, or what it would do anyway."""
    name, *operands = _without_variables(command) or ("",)
    given = [word for word in operands if word != "--"]
    is_set = name == "trap" and len(given) > 1 and not given[0].startswith("-")
    return given[0].strip("'\"") if is_set else ""


class _Script:
    """A script with its functions."""

    def __init__(self, commands: Sequence[SimpleCommand]) -> None:
        self._commands, self._functions = without_functions(commands)
        self._known: dict[str, bool] = {}
        self._brief = _BRIEF
        bodies = self._functions.items()
        self._brief = _BRIEF | {name for name, body in bodies if all(self._is_brief(each) for each in body)}

    def leaves_no_shell(self, shell: str) -> bool:
        """Whether no shell is left where the script ends; one of no name replaces itself only by ``exec``."""
        return self._is_replaced(self._commands, shell, _DEEPEST)

    def _is_replaced(self, commands: Sequence[SimpleCommand], shell: str, deepest: int) -> bool:
        ends = last_lists(commands, self._is_brief)
        if told := [(each, long) for each in ends if (long := self._long(each.commands))]:
            return all(self._is_replaced_by(each, long, shell, deepest) for each, long in told)
        return not self._long(commands)

    def _long(self, commands: Sequence[SimpleCommand]) -> Sequence[SimpleCommand]:
        return [each for each in commands if not self._is_brief(each)]

    def _is_brief(self, command: SimpleCommand) -> bool:
        """Whether a command of the shell ends at once, as one that only sets variables does."""
        words = _without_variables(command)
        return not words or words[0] in self._brief

    def _is_replaced_by(
        self, ends: LastList, long: Sequence[SimpleCommand], shell: str, deepest: int
    ) -> bool:
        if any(self._is_by_exec(each, deepest) for each in long):
            return True
        last, name = long[-1], _without_variables(long[-1])[0]
        is_last = last is ends.commands[-1] and not ends.is_followed and not _is_in_a_subshell(last)
        if not is_last or name in self._functions or name in _OWN or "!" in last.keywords:
            return False
        if shell == "ash":
            return True
        is_plain = not ends.is_nested and not last.is_redirected and last.before != "&" and name != "time"
        return shell in ("bash", "zsh") and is_plain

    def _is_by_exec(self, command: SimpleCommand, deepest: int) -> bool:
        """Whether the command is ``exec`` with a program, or a function that ends so."""
        name, *operands = _without_variables(command)
        if _is_in_a_subshell(command):
            return False
        return bool(operands) if name == "exec" else self._ends_by_exec(name, deepest)

    def _ends_by_exec(self, name: str, deepest: int) -> bool:
        body = self._functions.get(name)
        if body is None or not deepest:
            return False
        if name not in self._known:
            self._known[name] = False  # it may call itself
            self._known[name] = name not in self._brief and self._is_replaced(body, "", deepest - 1)
        return self._known[name]


def _is_in_a_subshell(command: SimpleCommand) -> bool:
    """Whether the command is in a pipe or in the background."""
    return command.before in ("|", "|&") or command.behind in ("|", "|&", "&")


# Commands of a shell that end at once.
_BRIEF = frozenset(
    {"true", "false", ":", "echo", "exit", "return", "export", "cd", "set", "trap", "break", "continue"}
)
# Commands of a shell that go on for longer and start what is no last command of the script.
_OWN = frozenset({"eval", "wait", ".", "source"})


def _without_variables(command: SimpleCommand) -> Words:
    words = command.words
    return words[next((at for at, word in enumerate(words) if not is_assignment(word)), len(words)) :]


def _server(
    started: Program, config: Mapping[str, Any], *, gunicorn_file_binds: bool
) -> ServerAddress | None:
    name, arguments, environment = started.name, list(started.words[1:]), started.environment
    if name == "streamlit":
        return _streamlit(arguments, environment, config)
    if name == "gunicorn":
        return _gunicorn(arguments, environment, file_binds=gunicorn_file_binds)
    if known := _SERVERS.get(name):
        return known(arguments, environment)
    if name.startswith("python") and len(arguments) > 1 and arguments[0].endswith("manage.py"):
        return _django(arguments[1:])
    may_listen = started.behind == "&" or script_of(started.words) is not None
    return ServerAddress(name) if may_listen else None


def _streamlit(arguments: Words, environment: Variables, config: Mapping[str, Any]) -> ServerAddress | None:
    """As in Streamlit, options override the environment, which overrides the file.

    Words after ``--`` are for the app.
    """
    if arguments[:1] != ["run"]:
        return None
    own = arguments[: arguments.index("--")] if "--" in arguments else arguments

    def setting(name: str, variable: str) -> tuple[str, str]:
        file = {f"--server.{name}": config.get(name)}
        return _option(own, (f"--server.{name}",), environment, variable) or _from_file(file)

    port, port_by = setting("port", "STREAMLIT_SERVER_PORT")
    address, address_by = setting("address", "STREAMLIT_SERVER_ADDRESS")
    base_path, _ = setting("baseUrlPath", "STREAMLIT_SERVER_BASE_URL_PATH")
    return _listens(
        "streamlit",
        (port or str(_STREAMLIT_PORT), port_by or "Streamlit's default"),
        (address, address_by),
        base_path.strip("/"),
    )


def _from_file(values: Mapping[str, Any]) -> tuple[str, str]:
    (value,) = values.values()
    return (str(value), ".streamlit/config.toml") if value is not None else ("", "")


def _gunicorn(arguments: Words, environment: Variables, *, file_binds: bool) -> ServerAddress:
    """``bind``: ``['127.0.0.1:8000']``, or ``0.0.0.0:$PORT`` where PORT is defined.

    The command line overrides GUNICORN_CMD_ARGS, which overrides the configuration file, "./gunicorn.conf.py" by
    default.
    """
    given = environment.get("GUNICORN_CMD_ARGS", "")
    try:
        more = shlex.split(given)
    except ValueError:  # a quote is open
        return ServerAddress("gunicorn")
    binds = _every(arguments, ("--bind", "-b"))
    every = arguments if binds else [*arguments, *more]
    names_a_file = bool({"-c", "--config"} & {word.partition("=")[0] for word in every})
    may_be_bound = file_binds or names_a_file or not is_known(given)
    if may_be_bound and not (binds or (is_known(given) and _every(more, ("--bind", "-b")))):
        return ServerAddress("gunicorn")
    port = environment.get("PORT")
    return _bound("gunicorn", every, f"0.0.0.0:{port}" if port else "127.0.0.1:8000")


def _bound(program: str, arguments: Words, default: str) -> ServerAddress:
    given = _every(arguments, ("--bind", "-b")) or [(default, f"{program}'s default")]
    value, by = given[0]
    if len(given) > 1 or value.startswith(("unix:", "fd://")):
        return ServerAddress(program)
    address, port = _split(value, "8000")
    return _listens(program, (port, by), (address, by))


def _split(value: str, default: str) -> tuple[str, str]:
    """An address and its port; an IPv6 address in brackets contains colons itself."""
    address, colon, port = value.rpartition(":")
    return (address, port) if colon and "]" not in port else (value, default)


def _host_and_port(
    program: str,
    hosts: tuple[str, ...],
    ports: tuple[str, ...],
    default: tuple[str, str],
    variables: tuple[str, str] = ("", ""),
    others: tuple[str, ...] = (),
    beside: bool = False,
) -> Callable[[Words, Variables], ServerAddress]:
    """For a program with options for host and port; ``default`` and ``variables`` are those of address and port.

    ``others`` are options that name a socket in their place, or ``beside`` them where they are given as well.
    """

    def read(arguments: Words, environment: Variables) -> ServerAddress:
        by = f"{program}'s default"
        if _every(arguments, others) and not (beside and _every(arguments, (*hosts, *ports))):
            return ServerAddress(program)
        address = _option(arguments, hosts, environment, variables[0]) or (default[0], by)
        port = _option(arguments, ports, environment, variables[1]) or (default[1], by)
        return _listens(program, port, address)

    return read


def _flask(arguments: Words, environment: Variables) -> ServerAddress | None:
    if "run" not in arguments:
        return None
    variables = ("FLASK_RUN_HOST", "FLASK_RUN_PORT")
    return _host_and_port("flask", ("--host", "-h"), ("--port", "-p"), ("127.0.0.1", "5000"), variables)(
        arguments, environment
    )


def _fastapi(arguments: Words, environment: Variables) -> ServerAddress | None:
    if not arguments or arguments[0] not in ("run", "dev"):
        return None
    address = "0.0.0.0" if arguments[0] == "run" else "127.0.0.1"
    return _host_and_port("fastapi", ("--host",), ("--port",), (address, "8000"), ("", "PORT"))(
        arguments, environment
    )


def _waitress(arguments: Words, environment: Variables) -> ServerAddress:
    given = _every(arguments, ("--listen",))
    if listens := [(each, by) for value, by in given for each in value.split()]:
        (value, by), *more = listens
        address, port = _split(value, "8080")
        if more:
            return ServerAddress("waitress-serve")
        return _listens("waitress-serve", (port, by), (address.strip("*"), by))
    read = _host_and_port(
        "waitress-serve", ("--host",), ("--port",), ("0.0.0.0", "8080"), others=("--unix-socket",)
    )
    return read(arguments, environment)


def _http_server(arguments: Words, _: Variables) -> ServerAddress:
    valued = ("--bind", "-b", "--directory", "-d", "--protocol", "-p")
    numbers = [word for word in _operands(arguments, valued) if is_number(word)]
    address = _option(arguments, ("--bind", "-b")) or ("", "")
    return _listens("http.server", (numbers[0] if numbers else "8000", "http.server"), address)


def _django(arguments: Words) -> ServerAddress | None:
    if arguments[0] != "runserver":
        return None
    valued = ("--settings", "--pythonpath", "--verbosity", "-v")
    given = next(_operands(arguments[1:], valued), "127.0.0.1:8000")
    address, _, port = given.rpartition(":")
    return _listens("manage.py runserver", (port, "runserver"), (address or "127.0.0.1", "runserver"))


def _by_its_files(program: str) -> Callable[[Words, Variables], ServerAddress]:
    """For a program whose configuration files set where it listens."""
    return lambda arguments, environment: ServerAddress(program)


_SERVERS: Mapping[str, Callable[[Words, Variables], ServerAddress | None]] = {
    "hypercorn": lambda arguments, _: _bound("hypercorn", arguments, "127.0.0.1:8000"),
    "uvicorn": _host_and_port(
        "uvicorn",
        ("--host",),
        ("--port",),
        ("127.0.0.1", "8000"),
        ("UVICORN_HOST", "UVICORN_PORT"),
        others=("--uds", "--fd"),
    ),
    "daphne": _host_and_port(
        "daphne",
        ("-b", "--bind"),
        ("-p", "--port"),
        ("127.0.0.1", "8000"),
        others=("-u", "--unix-socket", "-e", "--endpoint", "--fd"),
        beside=True,
    ),
    "flask": _flask,
    "fastapi": _fastapi,
    "waitress-serve": _waitress,
    "http.server": _http_server,
    **{
        name: _by_its_files(name)
        for name in (
            "nginx",
            "apache2ctl",
            "httpd",
            "caddy",
            "haproxy",
            "envoy",
            "traefik",
            "supervisord",
            "service",
        )
    },
}


def _option(
    words: Words, names: tuple[str, ...], environment: Variables | None = None, variable: str = ""
) -> tuple[str, str] | None:
    """The value and name of an option, the last one given, or else of the environment variable.

    So do click and argparse, for options that take one value.
    """
    if given := _every(words, names):
        return given[-1]
    found = environment.get(variable) if environment is not None and variable else None
    return (found, variable) if found else None


def _every(words: Words, names: tuple[str, ...]) -> list[tuple[str, str]]:
    """The value and name of an option, as often as it is given."""
    found = []
    for index, word in enumerate(words):
        name, equals, value = word.partition("=")
        short = word[:2]
        if name in names and (equals or index + 1 < len(words)):
            found.append((value if equals else words[index + 1], name))
        elif short in names and len(word) > 2 and not word.startswith("--"):
            found.append((word[2:].removeprefix("="), short))
    return found


def _operands(words: Words, valued: tuple[str, ...]) -> Iterator[str]:
    """The words that are neither options nor the values of ``valued`` ones."""
    for before, word in zip(("", *words), words, strict=False):
        if before not in valued and not word.startswith("-"):
            yield word


def _listens(
    program: str, port: tuple[str, str], address: tuple[str, str], base_path: str = ""
) -> ServerAddress:
    given, port_by = port
    text = given.strip()  # as the programs' int() does
    number = int(text) if is_number(text) else None
    return ServerAddress(
        program, number, address[0], port_by, address[1], base_path, "" if number is not None else text
    )
