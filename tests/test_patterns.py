"""Regular expressions for text of others, such as logs, reasons and names, take linear time for any text.

The test finds every pattern of the library by itself: those in its modules' values, and those in calls. Patterns that
are built from a project's own pattern, or from somebody's policy, are listed with a reason.
"""

from __future__ import annotations

import ast
import functools
import importlib
import pkgutil
import re
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any

import pytest

import lobster_tasks
from embedded_aws.iam.conditions import glob
from embedded_aws.kernel.expressions import expression
from embedded_aws.kernel.wildcards import wildcard
from lobster_tasks import forwarding
from lobster_tasks.dockerfile.ignore import DockerIgnore
from lobster_tasks.dockerfile.words import expand
from lobster_tasks.doctor import trust
from lobster_tasks.secrecy import shown_log, shown_words
from tests.test_architecture import LIBRARY, PACKAGE, name_of, tree_of

_PARSER = importlib.import_module("re._parser")
_CODES = importlib.import_module("re._constants")
UNBOUNDED = _CODES.MAXREPEAT
USES = {"compile", "search", "match", "fullmatch", "sub", "split", "findall", "finditer"}
# Patterns built at runtime, each with the reason why they do not apply to text of others.
MADE = {
    (
        "lobster_tasks/dockerfile/lines.py",
        r"f'(?:^|(?<=[^{re.escape(source.escape)}])){re.escape(source.escape)}[ \\t]{{0,1000}}+$'",
    ): "one character of the project's Dockerfile, of two that may be",
    (
        "lobster_tasks/rollout/observation/aws_words.py",
        "pattern",
    ): "those of a table that the module holds, compiled",
    (
        "lobster_tasks/rollout/diagnosis/stop_reasons.py",
        "sign.pattern",
    ): "those of the causes, which the module holds, compiled",
    ("lobster_tasks/settings/values.py", "pattern"): "given by callers, whose patterns are here",
    ("lobster_tasks/secrecy.py", "kind"): "one character each",
}
# Functions for wildcards of others, each called with a pattern and a text.
WILD: Mapping[str, Callable[[str, str], object]] = {
    "dockerignore": lambda pattern, text: DockerIgnore([pattern])(text),
    "dockerignore's exceptions": lambda pattern, text: DockerIgnore([f"!{pattern}"]).reaches_below(text),
    "dockerfile, first": lambda pattern, text: expand(f"${{X#{pattern}}}${{X##{pattern}}}", {"X": text}),
    "dockerfile, last": lambda pattern, text: expand(f"${{X%{pattern}}}${{X%%{pattern}}}", {"X": text}),
    "dockerfile, all": lambda pattern, text: expand(f"${{X//{escaped(pattern)}/y}}", {"X": text}),
    "listener rule": lambda pattern, text: forwarding._fits([pattern], text),
    "trust policy": lambda pattern, text: trust._is_met("StringLike", [pattern], text),
    "policy, embedded": lambda pattern, text: glob(pattern, text),
    "trust policy, of ARNs": lambda pattern, text: trust._is_met(
        "ArnLike", [f"a:b:c:d:e:{pattern}"], f"a:b:c:d:e:{text}"
    ),
    "listener rule, embedded": lambda pattern, text: wildcard(pattern, ignore_case=True).fullmatch(text),
}
# Functions for regular expressions of others.
EXPRESSIONS: Mapping[str, Callable[[str, str], object]] = {
    "listener rule": lambda pattern, text: forwarding._matches(pattern, text),
    "listener rule, embedded": lambda pattern, text: expression(pattern)(text),
}
# Each takes exponential time where a text is divided in every way.
EXPONENTIAL = ("(a*)*b", "(a|a)*b", "^(a+)+$", "(.*)*c", "(a?){40}a{40}b", ".*.*.*.*.*=.*c")
# With several wildcards, a text that does not match can be divided among them in very many ways.
WILDCARDS = ("*a" * 9 + "b", "**/a/" * 9 + "b", "[a-b]*" * 9 + "c", "?*" * 9 + "c", "*" * 40 + "b", "a*" * 9)
LENGTHS = (65_536, 262_144)
MOST = 12  # texts per pattern
QUICK = 150_000_000  # nanoseconds, below which a machine's own variation is larger than the growth


@dataclass(frozen=True)
class Pattern:
    """A pattern, and where it was found first."""

    text: str
    flags: int
    where: str

    @functools.cached_property
    def compiled(self) -> re.Pattern[str]:
        """The compiled pattern."""
        return re.compile(self.text, self.flags)

    @functools.cached_property
    def parts(self) -> Sequence[tuple[Any, Any]]:
        """The pattern as Python parses it."""
        return tuple(_PARSER.parse(self.text, self.flags))


def modules() -> Iterator[Any]:
    """The library's modules."""
    for found in pkgutil.walk_packages(lobster_tasks.__path__, "lobster_tasks."):
        if not found.name.endswith("__main__"):
            yield importlib.import_module(found.name)


def held(value: Any, depth: int = 4) -> Iterator[re.Pattern[str]]:
    """The patterns in a value."""
    if isinstance(value, re.Pattern):
        yield value
    elif isinstance(value, Mapping) and depth:
        yield from (each for inner in value.values() for each in held(inner, depth - 1))
    elif isinstance(value, (list, tuple, set, frozenset)) and depth:
        yield from (each for inner in value for each in held(inner, depth - 1))


@functools.cache
def calls_in(file: Path) -> Sequence[ast.Call]:
    """All calls of a file."""
    return tuple(node for node in ast.walk(tree_of(file)) if isinstance(node, ast.Call))


def is_of_re(call: ast.Call) -> bool:
    """Whether it calls one of ``re``'s functions."""
    match call.func:
        case ast.Attribute(value=ast.Name(id="re"), attr=name):
            return name in USES
    return False


@functools.cache
def takers() -> frozenset[str]:
    """The library's functions whose first argument becomes a pattern."""
    ours = set()
    for file in LIBRARY:
        if not (uses := [call for call in calls_in(file) if is_of_re(call)]):
            continue
        for node in ast.walk(tree_of(file)):
            if isinstance(node, ast.FunctionDef) and node.args.args:
                first, inside = node.args.args[0].arg, set(ast.walk(node))
                if any(call in inside and ast.unparse(call.args[0]) == first for call in uses):
                    ours.add(node.name)
    return frozenset(ours)


def calls_with_patterns(file: Path) -> Iterator[ast.Call]:
    """Calls with a pattern as their first argument."""
    yield from filter(is_of_re, calls_in(file))
    for call in calls_in(file):
        if isinstance(call.func, ast.Name) and call.func.id in takers():
            yield call


@functools.cache
def patterns() -> tuple[tuple[Pattern, ...], tuple[tuple[str, str], ...]]:
    """All patterns, and those that cannot be read from the source: file and expression."""
    found: dict[tuple[str, int], Pattern] = {}
    unknown: list[tuple[str, str]] = []

    def add(text: str, flags: int, where: str) -> None:
        flags &= ~re.UNICODE
        found.setdefault((text, flags), Pattern(text, flags, where))

    for module in modules():
        for each in held(list(vars(module).values())):
            if isinstance(each.pattern, str):
                add(each.pattern, each.flags, module.__name__)
    for file in LIBRARY:
        name = ".".join(file.relative_to(PACKAGE.parent).with_suffix("").parts).removesuffix(".__init__")
        for call in calls_with_patterns(file):
            values = vars(importlib.import_module(name))
            if (text := evaluated(call.args[0], values)) is None:
                unknown.append((name_of(file), ast.unparse(call.args[0])))
            elif isinstance(text, str):
                flags = [
                    evaluated(each, values) for each in (*call.args[1:], *(k.value for k in call.keywords))
                ]
                add(text, sum(each for each in flags if isinstance(each, re.RegexFlag)), name)
    return tuple(found.values()), tuple(dict.fromkeys(unknown))


def evaluated(expression: ast.expr, names: Mapping[str, Any]) -> Any:
    """The value of an expression; None where it depends on a function's local names."""
    try:
        return eval(compile(ast.Expression(expression), "", "eval"), dict(names))
    except NameError:
        return None


ALL = patterns()[0]
HERE = [
    pytest.param(each, id=f"{each.where.removeprefix('lobster_tasks.')}-{each.text[:30]!a}") for each in ALL
]


def test_every_pattern_is_found_or_named_with_its_reason() -> None:
    assert len(ALL) > 100
    assert set(patterns()[1]) == set(MADE)


@pytest.mark.parametrize("pattern", HERE)
def test_no_repetition_is_without_bounds(pattern: Pattern) -> None:
    """An unbounded repetition must be possessive, and at the end or after a character that it does not match
    itself.

    Then no two starts of a match share the text that it matches, and the work is proportional to the text's length.
    """
    assert list(loose(pattern.parts, (), is_end=True)) == []


@pytest.mark.parametrize("pattern", HERE)
def test_work_grows_with_the_text_and_no_faster(pattern: Pattern) -> None:
    """With up to a quarter of a mebibyte of adverse text: four times the text never takes eight times as long."""
    for text in list(dict.fromkeys(adverse(pattern)))[:MOST]:
        assert_linear(lambda text: sum(1 for _ in pattern.compiled.finditer(text)), text)
        assert_linear(pattern.compiled.fullmatch, text)


@pytest.mark.parametrize("taker", WILD)
@pytest.mark.parametrize("pattern", WILDCARDS)
def test_wildcards_of_others_grow_with_the_text_and_no_faster(taker: str, pattern: str) -> None:
    for text in ("a", "a/", "ab"):
        assert_linear(lambda text: WILD[taker](pattern, text), text, lengths=(16_384, 65_536))


@pytest.mark.parametrize("taker", EXPRESSIONS)
@pytest.mark.parametrize("pattern", EXPONENTIAL)
def test_regular_expressions_of_others_grow_with_the_text_and_no_faster(taker: str, pattern: str) -> None:
    for text in ("a", "a/", "ab", "=a"):
        assert_linear(lambda text: EXPRESSIONS[taker](pattern, text), text, lengths=(16_384, 65_536))


@pytest.mark.parametrize("show", [shown_log, shown_words], ids=lambda each: each.__name__)
@pytest.mark.parametrize(
    "text",
    [
        *(
            "+ curl -u a:b ",
            "login -p x ",
            "+ app --token=a ",
            "sh -c 'app --password x' ",
            "'",
            "-p ",
            "x: y ",
        ),
        *(
            "-----BEGIN PRIVATE KEY-----\n",
            "-----END PRIVATE KEY-----\n",
            "aB3+" * 16 + "\n",
            "Private-Lines: 1\n",
        ),
    ],
)
def test_logs_and_commands_are_shown_in_time_proportional_to_them(
    text: str, show: Callable[[list[str]], object]
) -> None:
    for parts in (str.splitlines, str.split):
        assert_linear(lambda whole, parts=parts: show(parts(whole)), text, lengths=(16_384, 65_536))


def escaped(pattern: str) -> str:
    """The pattern inside slashes."""
    return pattern.replace("/", "\\/")


def assert_linear(work: Callable[[str], object], text: str, lengths: Sequence[int] = LENGTHS) -> None:
    """Compare the processor time of this thread; fast runs count as linear."""
    before = None
    for length in lengths:
        whole = (text * (length // len(text) + 1))[:length]
        now = taken(work, whole)
        if before is not None and now > max(QUICK, 8 * before):
            now = min(taken(work, whole) for _ in range(3))
            assert now <= max(QUICK, 8 * before), (ascii(text[:80]), length)
        before = now


def taken(work: Callable[[str], object], text: str) -> int:
    """Nanoseconds of processor time."""
    start = time.thread_time_ns()
    work(text)
    return time.thread_time_ns() - start


def adverse(pattern: Pattern) -> Iterator[str]:
    """Texts that a pattern matches partly again and again: its words, characters, and starts of matches."""
    for sample in samples(pattern.parts):
        yield from (f"{sample[:-1]}\x00", sample[:-1] or "a", f"{sample} ")
    for word in words(pattern.parts):
        yield from (word, f"{word} ")
    yield from ("a", " ", "a.", "1-", "/", ":", "=", "a:b", "#")


def samples(parts: Iterable[tuple[Any, Any]]) -> Iterator[str]:
    """Texts that a pattern approximately matches, from the first alternatives of each branch."""
    texts = [""]
    for code, given in parts:
        nexts = list(dict.fromkeys(one(code, given)))[:4]
        texts = [text + more for text in texts for more in nexts][:8]
    yield from filter(None, texts)


def one(code: Any, given: Any) -> Iterator[str]:
    """Texts that a part matches."""
    if code is _CODES.LITERAL:
        yield chr(given)
    elif code in (_CODES.IN, _CODES.NOT_LITERAL, _CODES.ANY):
        yield taken_by(code, given)
    elif code is _CODES.SUBPATTERN:
        yield from samples(given[3])
    elif code is _CODES.ATOMIC_GROUP:
        yield from samples(given)
    elif code is _CODES.BRANCH:
        yield from (text for branch in given[1] for text in list(samples(branch))[:1])
    elif code in (_CODES.MAX_REPEAT, _CODES.MIN_REPEAT, _CODES.POSSESSIVE_REPEAT):
        lowest, highest, inner = given
        for text in list(samples(inner))[:2]:
            yield text * max(lowest, min(int(highest), 3))
        if not lowest:
            yield ""
    else:
        yield ""


def words(parts: Iterable[tuple[Any, Any]]) -> Iterator[str]:
    """The literal words in a pattern."""
    word = ""
    for code, given in parts:
        if code is _CODES.LITERAL:
            word += chr(given)
            continue
        yield from [word] if word else []
        word = ""
        for inner in inside(code, given):
            yield from words(inner)
    yield from [word] if word else []


def inside(code: Any, given: Any) -> Iterator[Sequence[tuple[Any, Any]]]:
    """The parts inside a part."""
    if code is _CODES.SUBPATTERN:
        yield tuple(given[3])
    elif code is _CODES.ATOMIC_GROUP:
        yield tuple(given)
    elif code is _CODES.BRANCH:
        yield from map(tuple, given[1])
    elif code in (_CODES.MAX_REPEAT, _CODES.MIN_REPEAT, _CODES.POSSESSIVE_REPEAT):
        yield tuple(given[2])
    elif code in (_CODES.ASSERT, _CODES.ASSERT_NOT):
        yield tuple(given[1])


def loose(parts: Sequence[tuple[Any, Any]], before: tuple[str, ...], *, is_end: bool) -> Iterator[str]:
    """Repetitions that may backtrack; ``before`` are literals that have to come first."""
    for index, (code, given) in enumerate(parts):
        last = is_end and index == len(parts) - 1
        repeats = code in (_CODES.MAX_REPEAT, _CODES.MIN_REPEAT, _CODES.POSSESSIVE_REPEAT)
        if repeats and given[1] is UNBOUNDED and not is_tame(code, given[2], before, last):
            yield f"{given}"
        for inner in inside(code, given):
            yield from loose(inner, before, is_end=last and not repeats)
        if code is _CODES.LITERAL:
            before = (*before, chr(given))
        elif code is _CODES.SUBPATTERN:
            before = (*before, *(chr(each) for kind, each in given[3] if kind is _CODES.LITERAL))


def is_tame(code: Any, inner: Any, before: Sequence[str], last: bool) -> bool:
    """Whether an unbounded repetition matches no character twice."""
    if code is not _CODES.POSSESSIVE_REPEAT or len(inner) != 1:
        return False
    return last or any(not takes(*inner[0], each) for each in before)


def taken_by(code: Any, given: Any) -> str:
    """A character that a class matches."""
    likely = "a1A -_.:/=\n\t'\"x{}[]()<>#@$\\\u00e9\r"
    return next(each for each in chain(likely, map(chr, range(0x110000))) if takes(code, given, each))


def takes(code: Any, given: Any, character: str) -> bool:
    """Whether a class matches a character."""
    if code is _CODES.ANY:
        return True
    if code in (_CODES.LITERAL, _CODES.NOT_LITERAL):
        return (ord(character) == given) is (code is _CODES.LITERAL)
    negated = given[0][0] is _CODES.NEGATE
    return any(member(*each, character) for each in given) is not negated


def member(code: Any, given: Any, character: str) -> bool:
    """Whether a member of a class matches a character."""
    if code is _CODES.LITERAL:
        return ord(character) == given
    if code is _CODES.RANGE:
        return bool(given[0] <= ord(character) <= given[1])
    kinds = {
        "DIGIT": r"\d",
        "SPACE": r"\s",
        "WORD": r"\w",
        "NOT_DIGIT": r"\D",
        "NOT_SPACE": r"\S",
        "NOT_WORD": r"\W",
    }
    return code is _CODES.CATEGORY and bool(re.match(kinds[str(given).removeprefix("CATEGORY_")], character))
