"""Replaces task names in messages by those of the project that runs them. Pure.

A project may have put the tasks into a collection of its own (``inv aws.deploy``) or keep their underscores. Messages
name a task by its original name (``inv deploy``), which is replaced by the project's name when they are printed.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

_COMMAND = re.compile(r"\binv ([a-z]{1,30}(?:-[a-z]{1,30}){0,5})(?!\w|\.\w)")


def as_called(text: str, names: Mapping[str, str]) -> str:
    """The text with every ``inv TASK`` replaced; ``names`` maps a task's original name to the project's."""
    parts, done = [], 0
    for start, end, name in places(text, names):
        parts += [text[done:start], name]
        done = end
    return "".join([*parts, text[done:]])


def places(text: str, names: Mapping[str, str]) -> Iterator[tuple[int, int, str]]:
    """Where names are replaced: start, end, and the new name."""
    for found in _COMMAND.finditer(text):
        if found[1] in names:
            yield found.start(1), found.end(1), names[found[1]]
