"""Finds in a container's log why its command did not start a program: it, a library or a right is missing, or an
argument is wrong.

These are messages of shells (dash, bash, BusyBox), env, tini, container runtimes, loaders, and command lines of Python,
Click and Node, each beside the exit code with which it ends the task. Beside another code it is somebody else's: a
program may survive what it writes. Pure.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from ..cause_code import CauseCode

# What a carriage return looks like at the end of a name: itself, or as env, bash and kernels write it.
_CR = r"(?:\\r|\r|\^M)"
_CARRIAGE_RETURN = re.compile(
    rf"{_CR}['’\"]?: (?:(?:command )?not found|[Nn]o such file or directory|bad interpreter|invalid option)"
    rf"|\$'[^']{{0,255}}{_CR}'|: Illegal option -\r?$"
)
_NAME = r"['‘\"]?(?P<program>[^\s:'‘’\"]{1,255})['’\"]?"
# Where a name begins; what a loader cannot open is "shared object file", of which none is a name.
_BEGINS = r"(?<![^\s:])(?<!cannot open shared object )"
# A shell's own script: dash's line 0 (in any other it is a redirection), and BusyBox's quoted name.
_OPENED = (
    r"(?:: 0: (?i:can)(?:'t|not) open (?P<opened>[^\s:'\"]{1,255})"
    r"|: can't (?:open|execute) '(?P<quoted>[^\s:'\"]{1,255})')"
)
# runc, which also wrote the message without the name; and tini.
_RUNTIME = (
    rf"^(?:exec {_NAME}: |\[FATAL tini \(\d{{1,9}}\)\] exec (?P<by_tini>\S{{1,255}}) failed: "
    r"|standard_init_linux\.go:\d{1,5}: exec user process caused:? \"?)"
)
_EXEC_MISSING = re.compile(rf"{_RUNTIME}no such file or directory", re.IGNORECASE)
_EXEC_DENIED = re.compile(rf"{_RUNTIME}permission denied", re.IGNORECASE)
_BAD_INTERPRETER = re.compile(r": (?P<program>[^\s:]{1,255}): bad interpreter: No such file")
_MISSING = re.compile(
    rf"{_BEGINS}{_NAME}: "
    r"(?:(?:command )?not found|No such file or directory|cannot execute: required file not found)$"
    rf"|{_OPENED}(?:: No such file|$)"
)
_DENIED = re.compile(rf"{_BEGINS}{_NAME}: (?:cannot execute: )?Permission denied$")
_A_FOLDER = re.compile(rf"{_BEGINS}{_NAME}: Is a directory$")
_CANNOT_OPEN = re.compile(rf"{_OPENED}: No such file")
# The loaders of glibc and musl, which end with 127 too.
_NO_LIBRARY = re.compile(
    r": error while loading shared libraries: (?P<glibc>[^\s:]{1,255}): cannot open shared object file: No such file"
    r"|Error loading shared library (?P<musl>[^\s:]{1,255}): No such file or directory"
)
# Debian's and Ubuntu's packages of libraries whose name has been the same in all their releases.
_PACKAGES = {"libGL.so.1": "libgl1", "libgomp.so.1": "libgomp1", "libpq.so.5": "libpq5"}
# argparse's and Click's UsageError (exit code 2 in both), Python's, Node's (9) and shells'.
_USAGE = re.compile(
    r"^(?:Usage|usage): |^Error: (?:No such (?:option|command)|Invalid value|Missing (?:argument|option|parameter)"
    r"|Got unexpected extra)|: error: (?:unrecognized arguments|the following arguments are required|argument "
    r"|invalid choice|ambiguous option)|(?:^|: )(?:unrecognized|unknown|bad|illegal|invalid) option\b|can't open file"
    r"|[Ss]yntax error(?:: |$| near)",
    re.IGNORECASE | re.MULTILINE,
)
_ENDED = frozenset({0, 137, 143})  # by itself, or by ECS
_NOT_EXECUTABLE, _NOT_FOUND = 126, 127
_OF_A_COMMAND_LINE = frozenset({2, 9, 64})
COMMAND = "CMD and ENTRYPOINT (or container.command)"
"""Where a container's command comes from."""
_LINE_FEEDS = "dos2unix SCRIPT, and in .gitattributes: SCRIPT text eol=lf"


@dataclass(frozen=True)
class StartFault:
    """What is wrong (``message``, a sentence; empty where the exit code and the last line tell it) and the remedy."""

    code: CauseCode
    step: str
    message: str = field(default="")


def start_fault(exit_code: int | None, log: Sequence[str], of: str = "") -> StartFault | None:
    """The fault of a container that ended with ``exit_code``; ``of`` is `` of NAME`` where it is not the app's.

    None where the log does not say that its program could not start.
    """
    if exit_code is None or exit_code in _ENDED:
        return None
    lines = [line.strip(" \t") for line in log]
    return (
        _carriage_return(lines, of)
        or _by_the_runtime(lines, of)
        or _not_found(exit_code, lines, of)
        or _not_executable(exit_code, lines)
        or _command_line(exit_code, lines)
    )


def _carriage_return(lines: Sequence[str], of: str) -> StartFault | None:
    found = next((line for line in lines if _CARRIAGE_RETURN.search(line)), None)
    if found is None:
        return None
    return StartFault(
        CauseCode.COMMAND_NOT_FOUND,
        _LINE_FEEDS,
        f"The program{of} cannot be started: the lines of its start script end in CR LF, so the name that is looked "
        f"for ends in a carriage return ({_shown(found)}).",
    )


def _by_the_runtime(lines: Sequence[str], of: str) -> StartFault | None:
    """What a runtime writes into the container's log, with whatever exit code (255, 128, 127, 1)."""
    if found := _last(_EXEC_MISSING, lines):
        return _no_program(found["program"] or found["by_tini"] or "", of)
    if found := _last(_EXEC_DENIED, lines):
        return _without_right(found["program"] or found["by_tini"] or "the program")
    return None


def _not_found(exit_code: int, lines: Sequence[str], of: str) -> StartFault | None:
    if found := _last(_BAD_INTERPRETER, lines):
        return _no_program(found["program"], of)
    if exit_code == _NOT_FOUND:
        return next((fault for line in reversed(lines) if (fault := _missing(line, of))), None)
    if exit_code in _OF_A_COMMAND_LINE and (found := _last(_CANNOT_OPEN, lines)):
        return _no_program(found["opened"] or found["quoted"], of)
    return None


def _missing(line: str, of: str) -> StartFault | None:
    """The library, or else the program, that a line says is not there."""
    if found := _NO_LIBRARY.search(line):
        return _no_library(found["glibc"] or "", found["musl"] or "", of)
    if found := _MISSING.search(line):
        return _no_program(found["program"] or found["opened"] or found["quoted"], of)
    return None


def _no_library(by_glibc: str, by_musl: str, of: str) -> StartFault:
    library = by_glibc or by_musl
    known = _PACKAGES.get(library)
    if by_musl:
        how = f"Alpine: RUN apk add PACKAGE, which pkgs.alpinelinux.org/contents finds by {library}"
    elif known:
        how = f"Debian, Ubuntu: RUN apt-get update && apt-get install -y {known}"
    else:
        how = (
            "Debian, Ubuntu: RUN apt-get update && apt-get install -y PACKAGE, which packages.debian.org finds by "
            f"{library}"
        )
    return StartFault(
        CauseCode.EXITS,
        f"install it in the Dockerfile ({how})",
        f"The image{of} has no shared library {library}, which its program needs.",
    )


def _not_executable(exit_code: int, lines: Sequence[str]) -> StartFault | None:
    if exit_code != _NOT_EXECUTABLE:
        return None
    if found := _last(_A_FOLDER, lines):
        return StartFault(CauseCode.EXITS, f"correct {COMMAND}: {found['program']} is a folder")
    found = _last(_DENIED, lines)
    return _without_right(found["program"]) if found else None


def _command_line(exit_code: int, lines: Sequence[str]) -> StartFault | None:
    if exit_code in _OF_A_COMMAND_LINE and _USAGE.search("\n".join(lines)):
        return StartFault(CauseCode.EXITS, f"correct the arguments in {COMMAND}, or the start script")
    return None


def _no_program(program: str, of: str) -> StartFault:
    if program and "/" not in program:
        return StartFault(
            CauseCode.COMMAND_NOT_FOUND,
            f"add it to the image, or correct {COMMAND}",
            f"The image{of} has no program {program}.",
        )
    return StartFault(
        CauseCode.COMMAND_NOT_FOUND,
        f"correct {COMMAND}, or the script's first line; where its lines end in CR LF: {_LINE_FEEDS}",
        f"The image{of} has no program {program or 'of the name to start'}, or not the interpreter that its first line "
        "names.",
    )


def _without_right(program: str) -> StartFault:
    right = f"RUN chmod +x {program}, or COPY --chmod=755"
    return StartFault(
        CauseCode.EXITS, f"make {program} executable in the Dockerfile, for the user of USER too ({right})"
    )


def _last(pattern: re.Pattern[str], lines: Sequence[str]) -> re.Match[str] | None:
    return next((found for line in reversed(lines) if (found := pattern.search(line))), None)


def _shown(line: str) -> str:
    return line.replace("\r", "\\r")[:160]
