"""Replaces task names in messages by those of the project that runs them. Pure.

A project may have put the tasks into a collection of its own (``inv aws.deploy``) or keep their underscores. Messages
name a task by its original name (``inv deploy``), which is replaced by the project's name when they are printed.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

_COMMAND = re.compile(r"\binv ([a-z]{1,30}(?:-[a-z]{1,30}){0,5})(?!\w|\.\w)")


class Verbatim(str):
    """A text of others, or a value: a setting, a line of a log, an event, a name. It is printed as it is."""

    __slots__ = ()


class Exact(Verbatim):
    """A name or an ARN in data, which programs hand back to AWS: it is never masked."""

    __slots__ = ()


def verbatim(value: Any) -> Any:
    """The value with each text in it as it is printed, also below lists and mappings."""
    return with_texts(value, Verbatim)


def all_as_called(value: Any, names: Mapping[str, str]) -> Any:
    """The value with ``as_called`` for each text in it; the names of members stay."""
    return with_texts(value, lambda text: as_called(text, names))


def with_texts(value: Any, change: Callable[[str], str]) -> Any:
    """The value with each text in it changed, also below lists and mappings; the names of members stay."""
    if isinstance(value, str):
        return change(value)
    if isinstance(value, Mapping):
        return {name: with_texts(each, change) for name, each in value.items()}
    return [with_texts(each, change) for each in value] if isinstance(value, list | tuple) else value


def as_called(text: str, names: Mapping[str, str]) -> str:
    """The text with every ``inv TASK`` replaced; ``names`` maps a task's original name to the project's.

    A ``Verbatim`` text stays as it is.
    """
    if isinstance(text, Verbatim):
        return text
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
