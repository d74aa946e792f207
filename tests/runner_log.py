"""Finds the commands in a step's log as a GitHub Actions runner does, by the rules of "actions/runner" (258d6c8).

src/Runner.Common/ActionCommand.cs, TryParseV2: "the message needs to start with the keyword after trim leading space"
(``message.TrimStart()``, ``StartsWith("::")``), then the next ``::`` ends the command's name and properties.
TryParse, which is tried next: ``message.IndexOf("##[")``, anywhere, up to the next ``]``. A name is one of those that
ActionCommandManager.cs registers, "StringComparer.OrdinalIgnoreCase".

``StartsWith(string)`` and ``IndexOf(string)`` compare by the culture ("Behavior changes when comparing strings on
.NET 5+", ICU), which ignores characters without a width: so each line is read with and without them.

ActionCommandManager.TryProcessCommand: after ``stop-commands`` with a token only that token is processed.
The two streams of a process are read separately, line by line (ProcessInvoker.cs, StreamReader.ReadLine: ``\\n``,
``\\r`` or ``\\r\\n``).
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass, field

NAMES = {
    "set-env",
    "set-output",
    "save-state",
    "add-mask",
    "add-path",
    "add-matcher",
    "remove-matcher",
    "debug",
}
NAMES |= {"warning", "error", "notice", "group", "endgroup", "echo", "stop-commands"}
OURS = re.compile(
    "[0-9a-f]{32}"
)  # a token that this project draws; to stop by another one is carried out, for others


@dataclass(frozen=True)
class Command:
    """A command that the runner executes."""

    name: str
    properties: str
    data: str


@dataclass
class RunnerLog:
    """The state of reading a step's log; ``text`` are the lines that are not commands."""

    token: str = ""
    text: list[str] = field(default_factory=list)

    def commands(self, stream: str) -> list[Command]:
        """The commands in one stream, from the current state on."""
        return list(self._carried_out(stream))

    def _carried_out(self, stream: str) -> Iterator[Command]:
        for line in re.split(r"\r\n|\r|\n", stream):
            found = self._parsed(line)
            if found and self.token:
                self.token = "" if found.name == self.token else self.token
            elif found and found.name == "stop-commands" and OURS.fullmatch(found.data):
                self.token = found.data
            elif found:
                yield found
            else:
                self.text.append(line)

    def _parsed(self, line: str) -> Command | None:
        readings = (line, "".join(each for each in line if not _is_ignored(each)))
        forms = (form(reading) for reading in readings for form in (_second_form, _first_form))
        known = NAMES | ({self.token} if self.token else set())
        return next((each for each in forms if each and each.name in known), None)


def carried_out(*streams: str) -> list[Command]:
    """The commands in streams that the runner reads one after the other."""
    whole = RunnerLog()
    together = [command for stream in streams for command in whole.commands(stream)]
    assert not whole.token, "nothing that comes later would be heard"
    return together


def unfenced(*streams: str) -> list[Command]:
    """The same without the fences, for a runner that has not seen the other stream's fence yet."""
    inside = "\n".join(streams)
    return RunnerLog().commands(re.sub(r"^::stop-commands::\w+$", "", inside, flags=re.MULTILINE))


def _second_form(line: str) -> Command | None:
    message = line.lstrip()
    end = message.find("::", 2)
    return _command(message[2:end], message[end + 2 :]) if message.startswith("::") and end > 0 else None


def _first_form(line: str) -> Command | None:
    start = line.find("##[")
    end = line.find("]", start)
    return _command(line[start + 3 : end], line[end + 1 :]) if start >= 0 and end >= 0 else None


def _command(info: str, data: str) -> Command:
    name, _, properties = info.partition(" ")
    return Command(name.lower(), properties, data)


def _is_ignored(character: str) -> bool:
    return unicodedata.category(character) in ("Cc", "Cf", "Cs", "Mn", "Me") and character != "\t"
