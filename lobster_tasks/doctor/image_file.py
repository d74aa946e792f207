"""Checks of the Dockerfile: how the image will behave on Fargate. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from ..definition import container_of
from ..dockerfile import Command, Dockerfile, Mistake, Stage, mistake
from ..dockerfile.commands import (
    is_path_with_blanks,
    program_words,
    script_of,
    takes_its_words,
    unwrapped,
)
from ..dockerfile.glued_words import Glue, GluedWord, glued_program, glued_words, quoted_script
from ..dockerfile.programs import is_known, programs
from ..dockerfile.scripts import Fault, FaultyScript
from ..dockerfile.shell import ends_in_the_background
from ..dockerfile.shell_syntax import Construct, uninterpreted, words_behind_a_script
from ..dockerfile.signals import signal_name
from ..errors import DockerfileError
from ..secrecy import shown_words
from .check import CheckResult, UnknownError, failed, listed, passed, warned
from .command import ServerAddress, is_open, servers, swallows_signals
from .facts import Facts
from .in_image import process_environment, process_words

# How to correct each mistake.
_MENDED: Mapping[Mistake, str] = {
    "single-quotes": "write it with double quotes",
    "typographic-quotes": 'write it with plain double quotes, "',
    "a-comma-too-many": "remove the last comma",
    "a-comma-missing": "write a comma between all words",
    "text-behind-the-list": "move the text after the ] to its own line",
    "a-quote-missing": "close the quote",
    "a-bracket-missing": "begin the list with [ and end it with ]",
    "other-brackets": "begin the list with [ and end it with ]",
    "quotes-around-the-list": "remove the quotes around the list",
    "text-before-the-list": "begin the list right behind the name of the instruction",
    "a-single-backslash": "write each backslash twice",
    "no-quotes": "write each word in double quotes",
    "no-brackets": 'write it as a list, as in ["streamlit", "run", "app.py"]',
    "several-mistakes": "write it as a JSON list of texts",
}


_LAST_PORT = 65535
_LONGEST_GRACE = 2_147_483_647  # seconds (Amazon ECS, CreateService, healthCheckGracePeriodSeconds)


def readable(facts: Facts) -> CheckResult:
    """A builder can parse the Dockerfile."""
    wrong = facts.error("dockerfile")
    if isinstance(wrong, DockerfileError):
        return failed(wrong.what.rstrip("."), "correct the line")
    stage = _file(facts).final
    if stage.warnings:
        return warned(
            "; ".join(each.says for each in stage.warnings), "correct the line: a later builder refuses it"
        )
    return passed(f"{facts.settings.dockerfile}: FROM {stage.base}, {_shown(_words(facts, stage))}")


def command(facts: Facts) -> CheckResult:
    """The entry point and the command mean what they were meant to."""
    stage = _file(facts).final
    written = [each for each in (stage.entry_point, stage.command) if each]
    for each in written:
        if found := _misread(each):
            return found
    if says := _not_for_its_program(stage, facts):
        return failed(says, 'write CMD as a list too, as in CMD ["app.py"]')
    if found := _unknown_program(facts, stage):
        return found
    if found := _without_its_shell(facts, stage) or _in_the_background(facts, stage):
        return found
    return passed(" and ".join(each.keyword for each in written) or "the base image's command is used")


def _not_for_its_program(stage: Stage, facts: Facts) -> str:
    """Why the entry point gets words that were not meant for it, those of CMD in shell form; empty where it does not.

    Source: Dockerfile reference, "Understand how CMD and ENTRYPOINT interact". Wrappers such as tini start the shell,
    and so may a script.
    """
    entry, command = stage.entry_point, stage.command
    if not entry or entry.is_shell_form or not command or not command.is_shell_form:
        return ""
    started, _ = unwrapped(entry.words, {})
    is_known_one = bool(started) and takes_its_words(started[0])
    if facts.settings.container.command is not None or not is_known_one or script_of(entry.words) is not None:
        return ""
    words = listed([_shown((*entry.words, *command.words))])
    return (
        f"CMD (line {command.line}) is in shell form behind an ENTRYPOINT in exec form: {words} is started, and the "
        f"entry point takes {command.words[0]} for its own argument"
    )


def start_scripts(facts: Facts) -> CheckResult:
    """The start scripts have Linux line endings."""
    _file(facts)
    found: Sequence[FaultyScript] = facts.known("start_scripts")
    for fault, (says, result) in _SCRIPT_FAULTS.items():
        if scripts := [each for each in found if each.fault == fault]:
            first = scripts[0].name
            fix = f"dos2unix {first}, and in .gitattributes: {first} text eol=lf"
            return result(says.format(listed([each.place for each in scripts])), fix)
    if names := [each.name for each in found if each.fault == "byte-order-mark"]:
        saw = (
            f"{listed(names)} begins with a byte order mark, so Linux does not see its #!, and no task starts"
        )
        return failed(saw, f"dos2unix --remove-bom {names[0]}", "byte-order-mark")
    return passed("no start script that the Dockerfile copies from here has Windows line endings")


_SCRIPT_FAULTS: Mapping[Fault, tuple[str, Callable[[str, str], CheckResult]]] = {
    "interpreter": (
        "the lines of {} end in CR LF: Linux cannot find the interpreter, and no task starts",
        failed,
    ),
    "shell": (
        "the lines of {} end in CR LF: the shell takes the CR for a part of each line's last word, and finds no such "
        "command",
        failed,
    ),
    "line": (
        "later lines of {} end in CR LF, and the shell takes the CR for a part of their last word",
        warned,
    ),
}


def exposes(facts: Facts) -> CheckResult:
    """The EXPOSE instruction names the container's port."""
    stage, container_port = _file(facts).final, facts.settings.container.port
    ports = [port.number for port in stage.ports if port.protocol == "tcp" and port.number]
    if not ports or container_port in ports:
        return passed(f"EXPOSE {container_port}" if ports else "no EXPOSE, which Fargate does not need")
    saw = f"EXPOSE {listed(_ranges(ports))}; container.port is {container_port}"
    if len(ports) > 1:
        return warned(saw, "set container.port to the one that the app listens on")
    return warned(saw, f"set container.port: {ports[0]}, if that is what the app listens on")


def _ranges(numbers: Sequence[int]) -> list[str]:
    """The numbers in order, those that follow one another as one range: ``8501-8510``."""
    found: list[tuple[int, int]] = []
    for number in sorted(numbers):
        is_next = bool(found) and number == found[-1][1] + 1
        found[len(found) - is_next :] = [(found[-1][0] if is_next else number, number)]
    return [str(first) if first == last else f"{first}-{last}" for first, last in found]


def port(facts: Facts) -> CheckResult:
    """The command listens on the container's port."""
    found, container_port = _listens(facts), facts.settings.container.port
    if found.port is None:
        return _no_number(found)
    if not 0 < found.port <= _LAST_PORT:
        saw = f"the port is {found.port} ({found.port_by}), and ports are from 1 to {_LAST_PORT}"
        return failed(saw, f"let the command listen on {container_port}")
    if found.port == container_port:
        return passed(f"the command listens on {container_port} ({found.port_by})")
    saw = f"the command listens on {found.port} ({found.port_by}); container.port is {container_port}"
    return failed(saw, f"set container.port: {found.port}, or let the command listen on {container_port}")


def _no_number(found: ServerAddress) -> CheckResult:
    saw = f"the port is {found.port_text} ({found.port_by}), which is no number"
    if "$" not in found.port_text:
        return failed(saw, "write a number")
    return failed(
        f"{saw}: without a shell nothing replaces a variable",
        "write the number, or the command without the list, with exec in front of it: CMD exec …",
    )


def address(facts: Facts) -> CheckResult:
    """The command listens on an address that the load balancer can reach."""
    found = _listens(facts)
    if not is_known(found.address):
        raise UnknownError(f"cannot tell the address that {found.program} listens on ({found.address_by})")
    if not found.is_unreachable:
        return passed(f"it listens on {found.address or 'every address'}")
    saw = f"it listens on {found.address} ({found.address_by}), which nothing outside the container can reach"
    return failed(saw, "let it listen on 0.0.0.0")


def signals(facts: Facts) -> CheckResult:
    """The signal of a stop, SIGTERM or that of STOPSIGNAL, reaches the app, so a task stops within seconds."""
    stage = _file(facts).final
    words, signal = _words(facts, stage), signal_name(stage.stop_signal or "SIGTERM")
    if signal in _UNCAUGHT:
        return warned(f"STOPSIGNAL {signal}: {_UNCAUGHT[signal]}", "remove STOPSIGNAL, or name SIGTERM there")
    if not words:
        raise UnknownError("the base image's command is used, which is not known here")
    if any(each and mistake(each.text) for each in (stage.entry_point, stage.command)):
        raise UnknownError("the command is not in exec form, but looks as if it should be")
    if says := _not_for_its_program(stage, facts):
        raise UnknownError(says)
    if is_open(words):
        raise _not_read(words)
    swallows = swallows_signals(words, _shell_of(facts))
    if swallows is None:
        raise UnknownError(f"cannot tell from the script of {_shown(words)} whether it passes {signal} on")
    if swallows:
        saw = f"{_shown(words)}: the shell does not pass {signal} on, so each stop takes 30 s and ends with SIGKILL"
        return warned(saw, 'write the command as a list, or begin it with "exec"')
    if script_of(words) is None and words[0].endswith(".sh"):
        raise UnknownError(
            f"the script {words[0]} has to pass {signal} on; its last line should begin with exec"
        )
    if signal in _IGNORED:
        raise UnknownError(f"STOPSIGNAL {signal} ends only a program that handles it")
    return passed(f"{_shown(words)} receives {signal}")


# Signals that no program can handle, and what each does (signal(7)).
_UNCAUGHT: Mapping[str, str] = {
    "SIGKILL": "each stop ends the app at once, in the middle of what it does for visitors",
    "SIGSTOP": "it halts the app, so each stop takes 30 s and ends with SIGKILL",
}
# Those that end no program that does not handle them.
_IGNORED = frozenset({"SIGCHLD", "SIGCLD", "SIGCONT", "SIGTSTP", "SIGTTIN", "SIGTTOU", "SIGURG", "SIGWINCH"})


def _shell_of(facts: Facts) -> str:
    """What ``sh`` is in the image, as far as the name of its base tells; else Debian's."""
    found = _file(facts)
    name = found.lineage(found.final)[0].base.lower()
    return next((shell for shell, bases in _SHELLS.items() if any(each in name for each in bases)), "dash")


_SHELLS: Mapping[str, Sequence[str]] = {
    "ash": ("alpine", "busybox"),
    "bash": (
        "amazonlinux",
        "fedora",
        "centos",
        "almalinux",
        "rockylinux",
        "oraclelinux",
        "redhat",
        "/ubi",
        "suse",
    ),
}


def user(facts: Facts) -> CheckResult:
    """The app does not run as root."""
    name = _file(facts).final.user
    if name.partition(":")[0] in ("", "root", "0"):
        return warned(
            "the app runs as root, unless the base image says otherwise", "add a USER that is not root"
        )
    return passed(f"USER {name}")


def health_check(facts: Facts) -> CheckResult:
    """ECS does not read an image's HEALTHCHECK, only the task definition's healthCheck."""
    found = _file(facts).final.health_check
    if found is None or not found.words:
        return passed("no HEALTHCHECK; the load balancer checks")
    definition, grace = facts.readings["task_definition"].value, _grace(facts)
    if found.start_period > _LONGEST_GRACE:
        saw = f"HEALTHCHECK (line {found.line}) gives the app {found.start_period:.0f} s to start; ECS ignores it"
        return warned(saw, "give it a --start-period that some start of the app can take")
    if found.start_period > grace:
        return warned(
            f"HEALTHCHECK (line {found.line}) gives the app {found.start_period:.0f} s to start; the load balancer's "
            f"checks count from {grace} s on",
            f"set health_check.grace_period: {found.start_period:.0f}; inv create-fargate-service",
        )
    if definition and container_of(definition, facts.settings.container.name).get("healthCheck"):
        return passed("the task definition has a health check of its own")
    return warned(
        f"HEALTHCHECK (line {found.line}) is ignored by ECS; the load balancer's health check decides",
        "nothing to do; do not rely on it",
    )


def _grace(facts: Facts) -> int:
    """The grace period for health checks in seconds: the service's, or else that of the settings."""
    service = facts.readings["service"].value or {}
    return int(service.get("healthCheckGracePeriodSeconds", facts.settings.health_check.grace_period))


def base(facts: Facts) -> CheckResult:
    """The base images have a version."""
    found = _file(facts)
    bases = [stage.base for stage in found.stages if stage.parent is None and stage.base != "scratch"]
    loose = [name for name in dict.fromkeys(bases) if _is_loose(name)]
    if loose:
        return warned(
            f"FROM {listed(loose)} can change to another image", "name a version, such as python:3.13-slim"
        )
    return passed(f"FROM {listed(list(dict.fromkeys(bases))) or 'scratch'}")


def base_path(facts: Facts) -> CheckResult:
    """The checked paths are below the path that the app is served on."""
    found, settings = _listens(facts), facts.settings
    if not found.base_path:
        return passed("the app is served at /")
    if not is_known(found.base_path):
        raise UnknownError(f"cannot tell the path that {found.program} serves the app on")
    root = f"/{found.base_path}"
    asked = {
        "health_check.path": settings.health_check.path,
        "probe.path": settings.probe.path,
        "probe.websocket": settings.probe.websocket,
    }
    astray = {key: path for key, path in asked.items() if path and not f"{path}/".startswith(f"{root}/")}
    if not astray:
        return passed(f"the app is served at {root}, and so are the checked paths")
    fixes = ", ".join(f"{key}: {root}{path}" for key, path in astray.items())
    return failed(
        f"the app is served at {root}, where {listed(list(astray.values()))} is not", f"set {fixes}"
    )


def _misread(command: Command) -> CheckResult | None:
    """A failure for an exec form that is not valid."""
    if found := mistake(command.text):
        where, words = f"{command.keyword} (line {command.line})", found.replace("-", " ")
        return failed(
            f"{where} has {words}: it is not a list, and a shell runs it as one word", _MENDED[found]
        )
    return None


def _unknown_program(facts: Facts, stage: Stage) -> CheckResult | None:
    """A failure where the name of the program contains blanks; a warning where an entry point gets it as an argument.

    An entry point of wrappers alone, such as tini, starts the program. A script may have a shell read its arguments.
    """
    words, entry = _words(facts, stage), stage.entry_point
    at = glued_program(words)
    if at is not None and _is_of_a_list(facts, stage, at):
        saw = f"{_written(facts, stage, at)} has {_shown(words[at : at + 1])} in one item of its list"
        return failed(f"{saw}: there is no program called {_shown(words[at : at + 1])}", _SEPARATELY)
    starts_it = entry is not None and not entry.is_shell_form and not program_words(entry.words)
    is_for_a_script = entry is not None and entry.words[-1:] and entry.words[-1].endswith(".sh")
    index = len(entry.words) if entry and (starts_it or is_for_a_script) else 0
    if not _is_of_a_list(facts, stage, index) or " " not in "".join(words[index : index + 1]).strip():
        return None
    if is_path_with_blanks(words[index]):
        return None
    where, of_it = _written(facts, stage, index), _list_of(facts, stage, index)
    saw = f"{where} is a list of one word: there is no program called {_shown(of_it, words)}"
    if len(of_it) > 1:
        saw = f"{where} begins with {_shown(of_it[:1], words)}: there is no program of that name"
    told = warned if is_for_a_script and index else failed
    return told(saw, _SEPARATELY)


_SEPARATELY = "write each word of the command as a separate list item"


def _list_of(facts: Facts, stage: Stage, index: int) -> tuple[str, ...]:
    """All words of the list that a word of the process is in."""
    entry, words = stage.entry_point, _words(facts, stage)
    return entry.words if entry and index < len(entry.words) else words[len(entry.words) if entry else 0 :]


def _without_its_shell(facts: Facts, stage: Stage) -> CheckResult | None:
    """A failure, or a warning where it may be meant, for a list with text that only a shell interprets."""
    words = _words(facts, stage)
    behind = words_behind_a_script(words)
    if behind and _is_of_a_list(facts, stage, len(words) - len(behind)):
        where = _written(facts, stage, len(words) - len(behind))
        return failed(
            f"{where} gives the shell one word as its script, which does not use the words behind it: "
            f"{_shown(behind, words)}",
            "write the whole script as one list item",
        )
    if (script := quoted_script(words)) and _is_of_a_list(facts, stage, words.index(script)):
        where = _written(facts, stage, words.index(script))
        return failed(
            f"{where} has quotes around the whole script: the shell takes {_shown((script,))} for the name of one "
            "program",
            "remove the quotes within the list item",
        )
    in_lists = [each for each in uninterpreted(words) if _is_of_a_list(facts, stage, each.index)]
    glued = [each for each in glued_words(words) if _is_of_a_list(facts, stage, each.index)]
    if not in_lists or (glued and glued[0].is_certain and not in_lists[0].is_certain):
        return _not_split(facts, stage, glued[0]) if glued else None
    first = in_lists[0]
    construct, meant = _CONSTRUCTS[first.construct]
    text, word = (_shown((each,), words) for each in (first.text, words[first.index]))
    saw = f"{_written(facts, stage, first.index)} has {construct} ({text}) in {word}"
    in_a_shell = (
        'write the command without the list, as in CMD exec streamlit run app.py, or begin the list with "sh", '
        '"-c"'
    )
    if first.is_certain:
        return failed(f"{saw}: a list is not read by a shell, {meant}", in_a_shell)
    return warned(
        f"{saw}: a list is not read by a shell, so {_shown((first.program,), words)} gets it as it is written",
        f"nothing, if that is intended; or {in_a_shell}",
    )


def _not_split(facts: Facts, stage: Stage, glued: GluedWord) -> CheckResult:
    """A failure, or a warning where it may be meant, for a list item that is not one word."""
    what, fix = _GLUES[glued.glue]
    word = _shown((_words(facts, stage)[glued.index],))
    saw = f"{_written(facts, stage, glued.index)} has {what} in {word}: {glued.program} gets it as it is written"
    return failed(saw, fix) if glued.is_certain else warned(saw, f"nothing, if that is intended; or {fix}")


_GLUES: Mapping[Glue, tuple[str, str]] = {
    "words": ("several words in one list item", _SEPARATELY),
    "script": (
        "an option and its value in one list item",
        'write "-c" and the whole script as two list items',
    ),
    "quotes": ("quotes in a list item", "remove the quotes within the list item"),
    "dash": ("a dash in the place of hyphens", 'write plain hyphens, "--"'),
}


def _in_the_background(facts: Facts, stage: Stage) -> CheckResult | None:
    """A failure for a script that ends while what it has started goes on: the task ends with its first process."""
    words = _words(facts, stage)
    script = script_of(unwrapped(words, {})[0])
    if script is None or not ends_in_the_background(script):
        return None
    saw = f"{_shown(words)}: the shell does not wait for what is in front of the last &, and the task ends with it"
    return failed(saw, "remove the & at the end")


# Each construct in words, and what becomes of it.
_CONSTRUCTS: Mapping[Construct, tuple[str, str]] = {
    "own-word": ("a word of the shell's own", "and there is no program of that name"),
    "assignment": ("an assignment", "and there is no program of that name"),
    "variable": ("a variable", "and nothing replaces it"),
    "substitution": ("a substitution", "and nothing replaces it"),
    "operator": ("an operator", "so it separates no commands and redirects nothing"),
    "home": ("a home folder", "and nothing replaces it"),
}


def _is_of_a_list(facts: Facts, stage: Stage, index: int) -> bool:
    """Whether a word of the process is an item of a list, and not of a shell form."""
    entry = stage.entry_point
    if entry and (entry.is_shell_form or index < len(entry.words)):
        return not entry.is_shell_form
    return facts.settings.container.command is not None or not (stage.command and stage.command.is_shell_form)


def _written(facts: Facts, stage: Stage, index: int) -> str:
    """Where a word of the process is written."""
    entry, command = stage.entry_point, stage.command
    if entry and index < len(entry.words):
        return f"{entry.keyword} (line {entry.line})"
    if facts.settings.container.command is not None or not command:
        return "container.command"
    return f"{command.keyword} (line {command.line})"


def _file(facts: Facts) -> Dockerfile:
    found: Dockerfile = facts.need("dockerfile", f"there is no {facts.settings.dockerfile} here")
    return found


def _words(facts: Facts, stage: Stage) -> tuple[str, ...]:
    """The words of the process."""
    return process_words(facts.settings.container, stage)


def _listens(facts: Facts) -> ServerAddress:
    """The only server that the command starts; UnknownError without one, with several, and without a known port."""
    stage = _file(facts).final
    words = _words(facts, stage)
    if reading := _not_for_its_program(stage, facts):
        raise UnknownError(reading)
    glued = [
        each for each in glued_words(words) if each.is_certain and _is_of_a_list(facts, stage, each.index)
    ]
    if glued or glued_program(words) is not None or quoted_script(words):
        raise UnknownError("an item of the command's list is not one word")
    if is_open(words):
        raise _not_read(words)
    binds = facts.known("gunicorn_file_binds")
    environment = process_environment(facts.settings.container, stage)
    config = facts.known("streamlit_config") if _starts(words, environment, "streamlit") else {}
    found = servers(words, environment, config, gunicorn_file_binds=binds)
    if not found:
        raise UnknownError(f"cannot tell the port of {_shown(words)} from its command line")
    if len(found) > 1:
        names = listed([each.program for each in found])
        raise UnknownError(
            f"{_shown(words)} starts {names}: cannot tell which of them serves the load balancer"
        )
    if found[0].port is None and not found[0].port_text:
        raise UnknownError(f"the words of {found[0].program} do not name its port, or name several addresses")
    return found[0]


def _not_read(words: tuple[str, ...]) -> UnknownError:
    return UnknownError(
        f"cannot read the script of {_shown(words)}: a quote, a bracket or a here-document in it is open"
    )


def _starts(words: Sequence[str], environment: Mapping[str, str], program: str) -> bool:
    return any(each.name == program for each in programs(words, environment))


def _is_loose(name: str) -> bool:
    if "@" in name:
        return False
    tag = name.rpartition("/")[2].partition(":")[2]
    return tag in ("", "latest")


def _shown(words: tuple[str, ...], of: tuple[str, ...] = ()) -> str:
    """The words of a command, or some of the words ``of`` a command, without secrets."""
    text = " ".join(shown_words(words, of))
    return (text if len(text) <= 60 else f"{text[:57]}…") if words else "the base image's command"
