"""Reports misspelt names on the command line with a suggestion.

Invoke only prints "No idea what 'depoly' is!", and only a program of one's own could change this, because ``inv``
takes nothing from tasks.py for parsing the command line. But it asks every task for its arguments before it parses
the rest of the line, and a task class (``klass``) can act there: it parses the line first, with Invoke's own parser.
"""

from __future__ import annotations

import copy
import re
from collections.abc import Iterable, Iterator, Sequence
from difflib import SequenceMatcher
from typing import TYPE_CHECKING, Any

from invoke.exceptions import ParseError
from invoke.parser import Parser
from invoke.parser.context import ParserContext

from . import project

if TYPE_CHECKING:
    from invoke.collection import Collection
    from invoke.program import Program

_NEAR = 0.65  # of 1: tga is near tag, nope is not near no-dedupe
_ARGUMENT = re.compile(r"<Argument: ([\w-]{1,100})[^>]{0,100}>")  # a flag in Invoke's own messages
_read: Any = None
"""The command line that was checked, as Invoke holds it; each is checked once."""


def check() -> None:
    """Raise Exit where the command line has an unknown task or flag, or a flag without its value."""
    global _read
    program = project.program()
    if program is None or getattr(program, "collection", None) is None or program.core is _read:
        return
    _read = program.core
    _check_words(program, program.core.unparsed)
    asked = program.args.help.value
    tasks = _names(program.collection)
    if isinstance(asked, str) and asked not in tasks:
        raise _no_task(asked, tasks)


def nearest(word: str, known: Iterable[str]) -> str:
    """The name that was probably meant, in any collection; empty where none is similar."""
    likeness = {name: (_alike(_last(word), _last(name)), _alike(word, name)) for name in known}
    near = max(likeness, key=lambda name: likeness[name], default="")
    return near if near and likeness[near][0] >= _NEAR else ""


def _check_words(program: Program, words: Sequence[str]) -> None:
    contexts = {each.name: each for each in _contexts(program.collection, words)}
    initial = program.initial_context
    parser = Parser(contexts=contexts.values(), initial=initial, ignore_unknown=True)
    try:
        read = parser.parse_argv(list(words))
    except ParseError as error:
        task = (error.context and error.context.name) or ""
        told = _ARGUMENT.sub(r"--\1", str(error))
        raise project.refusal(told, step=f"inv --help {task}".rstrip()) from None
    if not read.unparsed:
        return
    task = read[-1].name or ""
    unknown = read.unparsed[0]
    if not unknown.startswith("-"):
        raise _no_task(unknown, _names(program.collection), after=task)
    meant = next(word for word in words if word.startswith(unknown))  # -tag is parsed as -t -a -g
    known = [*_flags(contexts[task] if task else initial), *_flags(initial)]
    raise _no_flag(meant.partition("=")[0], task, known)


def _no_task(word: str, known: Iterable[str], after: str = "") -> Exception:
    """The exception for an unknown task; ``after`` is the previous task, whose flag may have been meant."""
    near = nearest(word, known)
    step = f"inv --help {after}" if after and not near else "inv --list"
    return project.refusal(f"There is no task {word}{_meant(near)}", step=step)


def _no_flag(flag: str, task: str, known: Iterable[str]) -> Exception:
    names = {name.lstrip("-"): name for name in known}
    near = names.get(nearest(flag.lstrip("-"), names), "")
    command = f"inv {task}".rstrip()
    return project.refusal(f"{command} has no flag {flag}{_meant(near)}", step=f"inv --help {task}".rstrip())


def _meant(near: str) -> str:
    return f"; did you mean {near}?" if near else "."


def _contexts(collection: Collection, words: Sequence[str]) -> Iterator[ParserContext]:
    """Invoke's parser contexts of the tasks on the command line; creating all of them is slow.

    Uses copies, because Invoke removes the help from a task when it reads its arguments.
    """
    for name, aliases in collection.task_names.items():
        if not {name, *aliases}.intersection(words):
            continue
        task = copy.copy(collection[name])
        task.help = dict(task.help)
        yield ParserContext(name=name, aliases=aliases, args=task.get_arguments(ignore_unknown_help=True))


def _names(collection: Collection) -> list[str]:
    return [each for name, aliases in collection.task_names.items() for each in (name, *aliases)]


def _flags(context: ParserContext) -> list[str]:
    return [*context.flags, *context.inverse_flags]


def _last(name: str) -> str:
    return name.rpartition(".")[2]


def _alike(one: str, other: str) -> float:
    return SequenceMatcher(None, one, other).ratio()
