"""Lines become instructions: comments, the escape directive, continuations, flags and heredocs."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from ..errors import DockerfileError
from .exec_form import NotTextError, exec_form
from .model import Heredoc
from .spaces import head_and_rest, trimmed, upper
from .words import first_word, raw_words

_DIRECTIVE = re.compile(
    r"^#\s{0,100}+([a-zA-Z][a-zA-Z0-9]{0,100}+)\s{0,100}+=\s{0,100}+(\S.{0,1000}?)\s{0,100}+$",
    re.ASCII,
)
_HEREDOC = re.compile(r"^\d{0,9}<<(-?)\s{0,100}([^<]{1,500})$", re.ASCII)
_TAKES_HEREDOCS = frozenset({"ADD", "COPY", "RUN"})
_DIRECTIVES = frozenset({"check", "escape", "syntax"})
# Source: moby/buildkit, ``flags.Add…`` in frontend/dockerfile/instructions; other instructions have none.
_FLAGS: Mapping[str, Sequence[str]] = {
    "ADD": ("chown", "chmod", "link", "keep-git-dir", "checksum", "unpack", "exclude"),
    "COPY": ("chown", "chmod", "link", "from", "parents", "exclude"),
    "FROM": ("platform",),
    "HEALTHCHECK": ("interval", "timeout", "start-period", "start-interval", "retries"),
    "RUN": ("mount", "network", "security", "device"),
}


@dataclass(frozen=True)
class Instruction:
    """One instruction; ``line`` is where it begins, ``keyword`` is upper case, ``rest`` what follows the flags."""

    line: int
    keyword: str
    flags: tuple[tuple[str, str], ...]
    rest: str
    heredocs: tuple[Heredoc, ...] = ()

    def flag(self, name: str) -> str | None:
        """The value of ``--name``, the last one given; "true" for a flag without a value."""
        return dict(self.flags).get(name)

    def all_flags(self, name: str) -> tuple[str, ...]:
        """Every value of ``--name``."""
        return tuple(value for flag, value in self.flags if flag == name)


@dataclass(frozen=True)
class Source:
    """The text, with what its first lines set; ``name`` is how errors call it.

    A line may end in a CR. An instruction has none of it, the body of a heredoc keeps it (moby/buildkit, ``parser.go``:
    ``trimNewline``, ``heredoc.Content += string(bytesRead)``).
    """

    name: str
    lines: tuple[str, ...]
    escape: str

    def error(self, line: int, problem: str) -> DockerfileError:
        """An error that points at a line."""
        return DockerfileError(f"{self.name}, line {line}: {problem}")


def read(text: str, name: str) -> Source:
    """Split ``text`` and find its escape character."""
    lines = tuple(text.removeprefix("\ufeff").split("\n"))
    return Source(name, lines, _escape(lines, name))


def instructions(source: Source) -> Iterator[Instruction]:
    """Every instruction, in order."""
    at = 0
    while at < len(source.lines):
        if _is_idle(source.lines[at]):
            at += 1
            continue
        first = at + 1
        joined, at = _join(source, at)
        keyword, rest = head_and_rest(trimmed(joined))
        instruction = _instruction(source, first, keyword, rest)
        heredocs, at = _bodies(source, instruction, at)
        yield Instruction(first, instruction.keyword, instruction.flags, instruction.rest, heredocs)


def heredoc_mark(word: str) -> tuple[str, bool, bool] | None:
    """``<<-"EOF"`` as (name, expand, strip tabs); None for any other word."""
    mark = _HEREDOC.match(word)
    if not mark:
        return None
    name = re.sub(r"[\"']", "", mark[2])
    return (name, name == mark[2], mark[1] == "-") if name else None


def _escape(lines: tuple[str, ...], name: str) -> str:
    for number, line in enumerate(lines, 1):
        directive = _DIRECTIVE.match(line)
        if not directive or directive[1].lower() not in _DIRECTIVES:
            break
        if directive[1].lower() == "escape":
            if directive[2] not in ("\\", "`"):
                raise DockerfileError(
                    f"{name}, line {number}: the escape character is \\ or `, not {directive[2]}."
                )
            return directive[2]
    return "\\"


def _is_idle(line: str) -> bool:
    return trimmed(line)[:1] in ("", "#")


def _join(source: Source, at: int) -> tuple[str, int]:
    """The logical line that begins at ``at``, and where the next one begins."""
    parts: list[str] = []
    ends = re.compile(rf"(?:^|(?<=[^{re.escape(source.escape)}])){re.escape(source.escape)}[ \t]{{0,1000}}+$")
    while at < len(source.lines):
        line = source.lines[at].rstrip("\r")
        at += 1
        if parts and _is_idle(line):
            continue  # comments and empty lines inside an instruction do not end it
        continued = ends.search(line)
        parts.append(line[: continued.start()] if continued else line)
        if not continued:
            break
    return "".join(parts), at


def _instruction(source: Source, line: int, keyword: str, rest: str) -> Instruction:
    keyword, escape = upper(keyword), source.escape
    flags: list[tuple[str, str]] = []
    while rest.startswith("--"):
        word, rest = first_word(rest, escape)
        if word == "--":
            break
        name, equals, value = word[2:].partition("=")
        if name not in _FLAGS.get(keyword, ()):
            raise source.error(line, f"{keyword} has no flag --{name}{_meant(keyword, name)}")
        flags.append((name, value if equals else "true"))
    if not rest:
        raise source.error(line, f"{keyword} has no arguments.")
    return Instruction(line, keyword, tuple(flags), rest)


def _meant(keyword: str, name: str) -> str:
    near = difflib.get_close_matches(name, _FLAGS.get(keyword, ()), n=1)
    return f"; did you mean --{near[0]}?" if near else "."


def _bodies(source: Source, instruction: Instruction, at: int) -> tuple[tuple[Heredoc, ...], int]:
    """The heredocs that the instruction's shell words announce, read from line ``at`` on."""
    found = []
    for word in _shell_words(source, instruction):
        mark = heredoc_mark(word)
        if mark:
            name, expand, strip_tabs = mark
            text, at = _body(source, instruction.line, at, name, strip_tabs)
            found.append(Heredoc(name, text, expand))
    return tuple(found), at


def _shell_words(source: Source, instruction: Instruction) -> list[str]:
    """Where BuildKit looks for heredocs: in no exec form; a word in quotes is one word (``canContainHeredoc``)."""
    keyword, rest = instruction.keyword, instruction.rest
    if keyword == "ONBUILD":
        inner, rest = first_word(rest, source.escape)
        keyword = upper(inner)
    if keyword not in _TAKES_HEREDOCS or words_of_list(source, instruction, rest) is not None:
        return []
    return raw_words(rest, source.escape)


def words_of_list(source: Source, instruction: Instruction, text: str) -> tuple[str, ...] | None:
    """The exec form of ``text``; None for the shell form. Raises DockerfileError for what is neither."""
    try:
        return exec_form(text)
    except NotTextError:
        says = f"{instruction.keyword}: a list takes texts only; put every value into double quotes."
        raise source.error(instruction.line, says) from None


def _body(source: Source, line: int, at: int, name: str, strip_tabs: bool) -> tuple[str, int]:
    taken: list[str] = []
    for number in range(at, len(source.lines)):
        text = source.lines[number].lstrip("\t") if strip_tabs else source.lines[number]
        if text.rstrip("\r") == name:
            return "".join(f"{each}\n" for each in taken), number + 1
        taken.append(text)
    raise source.error(
        line, f"the heredoc {name} is not closed; close it with a line that contains only {name}."
    )
