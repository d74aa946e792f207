"""The commands that our sentences name, as they are called in the project that runs them. Pure.

A project may have put the tasks into a collection of its own (``inv aws.deploy``) or keep their underscores. Sentences
name a task by its own name (``inv deploy``); where they are printed, the name of the project's own stands there.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

_COMMAND = re.compile(r"\binv ([a-z]{1,30}(?:-[a-z]{1,30}){0,5})(?!\w|\.\w)")


def as_called(text: str, names: Mapping[str, str]) -> str:
    """The text with every ``inv TASK`` as ``names`` has it, by the task's own name."""
    parts, done = [], 0
    for start, end, name in places(text, names):
        parts += [text[done:start], name]
        done = end
    return "".join([*parts, text[done:]])


def places(text: str, names: Mapping[str, str]) -> Iterator[tuple[int, int, str]]:
    """Where in the text another name belongs: from, to, and the name."""
    for found in _COMMAND.finditer(text):
        if found[1] in names:
            yield found.start(1), found.end(1), names[found[1]]
