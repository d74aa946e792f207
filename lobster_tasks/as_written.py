"""Reads YAML and JSON with scalars as they are written: ``24.10`` stays 24.10, ``0123`` is not 83, ``on`` is text.

YAML 1.1, as Invoke reads it, turns unquoted words into numbers, dates and truth values, and converting these back
changes the text. Here the code that knows a value's purpose converts it. A key that is given twice is refused; YAML
and JSON silently use the last one.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any, Literal

import invoke.util

from .yaml_errors import in_words, syntax_error_in_words

_YAML: Any = vars(invoke.util)["yaml"]  # Invoke contains its own copy of PyYAML
_MOST_VALUES = 100_000
_TOO_DEEP = "it is nested too deeply to be read"
_TYPE = "tag:yaml.org,2002:"
_PAIR = re.compile("[\ud800-\udbff][\udc00-\udfff]")  # of surrogates


class UnreadableError(ValueError):
    """A file that cannot be read; the message says where and why."""


class PlainScalar(str):
    """An unquoted scalar as it is written, which YAML takes for a number, a date or a truth value."""

    __slots__ = ()

    @property
    def meaning(self) -> Any:
        """The value that YAML takes it for."""
        return _YAML.safe_load(self)


class _Loader(_YAML.SafeLoader):  # type: ignore[misc]
    """Reads scalars as they are written; null is None."""

    def compose_scalar_node(self, anchor: Any) -> Any:
        """A scalar with whole characters: JSON, which YAML includes, escapes one beyond U+FFFF as two halves."""
        node = super().compose_scalar_node(anchor)
        node.value = _PAIR.sub(_whole, node.value)
        return node

    def as_written(self, node: Any) -> PlainScalar:
        """The scalar's text, which ``_refuse_unconvertible`` has let through."""
        return PlainScalar(self.construct_scalar(node))

    def refused(self, node: Any) -> None:
        """Refuse an indicator of YAML 1.1 that stands for a value, because Invoke would fail on it."""
        problem = f"{node.value} without quotes has a meaning of its own in YAML; put it in quotes"
        raise _YAML.constructor.ConstructorError(None, None, problem, node.start_mark)


_KEPT = frozenset(_TYPE + kept for kept in ("bool", "int", "float", "timestamp"))
_MERGE = _TYPE + "merge"
_SIGNS = frozenset((_TYPE + "value", _MERGE))  # = and <<
for _kept in _KEPT:
    _Loader.add_constructor(_kept, _Loader.as_written)
for _sign in _SIGNS:
    _Loader.add_constructor(_sign, _Loader.refused)


def load_yaml(text: str, section: str | None = None) -> Any:
    """The value of a YAML text, with scalars as written (``PlainScalar`` where YAML takes them for more).

    ``section`` is for a file that Invoke reads, too: keys outside of this section and of lists must be text for YAML,
    because Invoke would fail on others. Raises UnreadableError, and nothing else, for whatever cannot be read.
    """
    try:
        loader = _Loader(text)
        document = _composed(loader)
        _refuse_too_many(document)
        _refuse_unconvertible(document)
        for problem in _wrong_keys(document, section):
            raise UnreadableError(problem)
        return None if document is None else loader.construct_document(document)
    except _YAML.YAMLError as error:
        raise UnreadableError(_why(error, text)) from None
    except RecursionError:
        raise UnreadableError(_TOO_DEEP) from None


def _whole(pair: re.Match[str]) -> str:
    return pair[0].encode("utf-16", "surrogatepass").decode("utf-16")


def _composed(loader: Any) -> Any:
    """The document's node. PyYAML converts numbers of escape sequences and directives without checking them."""
    try:
        return loader.get_single_node()
    except (ValueError, OverflowError):
        problem = "found the number of a character or of a version that is too large; expected text in single quotes"
        raise UnreadableError(f"line {loader.line + 1}: {problem}") from None


def given_twice(names: Iterable[str]) -> list[str]:
    """The names that occur more than once, in their order."""
    return [name for name, times in Counter(names).items() if times > 1]


def load_json(text: str) -> Any:
    """The value of a JSON text, with numbers as written. Raises UnreadableError."""
    try:
        found = json.loads(
            text,
            parse_int=_integer,
            parse_float=PlainScalar,
            parse_constant=PlainScalar,
            object_pairs_hook=_Members,
        )
    except json.JSONDecodeError as error:
        told = syntax_error_in_words(error.msg, text[error.pos :])
        raise UnreadableError(f"line {error.lineno}, column {error.colno}: {told}") from None
    except RecursionError:
        raise UnreadableError(_TOO_DEEP) from None
    return _each_once(found, text)


def _integer(text: str) -> PlainScalar:
    """The number as written; refused where Python cannot convert it, because Invoke would fail on it."""
    try:
        int(text)
    except ValueError:
        raise UnreadableError(f"a number in it has {len(text)} digits; put it in quotes") from None
    return PlainScalar(text)


def _refuse_too_many(document: Any) -> None:
    """Refuse a document whose aliases expand to too many values: code that copies or merges it visits each of
    them."""
    if document is not None and _counted(document, {}) > _MOST_VALUES:
        raise UnreadableError(f"its aliases expand to more than {_MOST_VALUES} values; write the values out")


def _counted(node: Any, known: dict[int, int | None]) -> int:
    """The number of values below a node, with aliases expanded."""
    if id(node) not in known:
        known[id(node)] = None
        pairs = node.value if isinstance(node, _YAML.MappingNode) else ()
        below = [each for pair in pairs for each in pair]
        below += node.value if isinstance(node, _YAML.SequenceNode) else ()
        known[id(node)] = 1 + sum(_counted(each, known) for each in below)
    found = known[id(node)]
    if found is None:
        line = node.start_mark.line + 1
        raise UnreadableError(f"line {line}: the value that begins here contains an alias of itself")
    return found


def _refuse_unconvertible(document: Any) -> None:
    """Refuse keys and values that YAML cannot convert to what it takes them for: Invoke, which converts them, would
    fail."""
    converting = _YAML.SafeLoader("")
    for node in _scalars(document, set()):
        try:
            converting.construct_object(node, deep=True)
        except _YAML.YAMLError:
            raise
        except Exception as error:  # noqa: BLE001 - PyYAML's constructors raise whatever Python's conversions raise
            raise _unconvertible(node, converting, error) from None
        if node.tag in _KEPT and _meant(converting, node) not in _KEPT:
            raise _unconvertible(node, converting, None)


def _scalars(node: Any, seen: set[int]) -> Iterator[Any]:
    """The scalars below a node, keys and values, without YAML's signs (= and <<)."""
    if node is None or id(node) in seen:
        return
    seen.add(id(node))
    if _is_scalar(node):
        yield from () if node.tag in _SIGNS else (node,)
        return
    for each in node.value:
        for part in each if isinstance(each, tuple) else (each,):
            yield from _scalars(part, seen)


def _meant(loader: Any, node: Any) -> str:
    """The tag that the scalar would have without quotes and without a tag of its own."""
    return str(loader.resolve(_YAML.ScalarNode, node.value, (True, False)))


def _unconvertible(node: Any, loader: Any, error: Exception | None) -> Exception:
    """The error for a scalar; a value is repeated only where it looks like a number or a date."""
    if node.style is None and _meant(loader, node) == node.tag:
        why = f" ({error})" if node.tag == f"{_TYPE}timestamp" else ""
        problem = f"{node.value:.40} looks like a number or a date but is neither{why}; put it in quotes"
    else:
        tag = node.tag.replace(_TYPE, "!!")
        problem = (
            f"found a text that is not valid for the tag {tag}; expected the text in quotes, without the tag"
        )
    place = node.start_mark
    return UnreadableError(f"line {place.line + 1}, column {place.column + 1}: {problem}")


class _Members(tuple[tuple[str, Any], ...]):
    """The members of a JSON object; two of them may have the same name."""

    __slots__ = ()


def _each_once(found: Any, text: str) -> Any:
    if isinstance(found, list):
        return [_each_once(each, text) for each in found]
    if not isinstance(found, _Members):
        return found
    names = [name for name, _ in found]
    if twice := given_twice(names):
        raise UnreadableError(next(_lines_of_json(text), f"{twice[0]!r} is given twice"))
    return {name: _each_once(value, text) for name, value in found}


def _lines_of_json(text: str) -> Iterator[str]:
    """Where a name is given twice. The JSON is parsed as YAML, with tabs replaced, because json reports no lines."""
    try:
        yield from _wrong_keys(_YAML.compose(text.replace("\t", " "), _Loader))
    except _YAML.YAMLError:
        return


def _wrong_keys(node: Any, section: str | None = None) -> Iterator[str]:
    """Mistakes in the keys of a document: keys given twice, empty ones, and outside of ``section``, if it is given,
    those that are more than text for YAML. Turns the other keys into text.

    Invoke does not look into lists: outside of ``section``, keys below one are only to be given once.
    """
    yield from _Keys(section).wrong(node, "", "ours" if section is None else "invoke")


_Reader = Literal["ours", "invoke", "nobody"]
"""Who needs the keys of a mapping: our settings, Invoke, or neither of them."""


class _Keys:
    """A way through the nodes of a document, from which each is visited once for every reader of it."""

    def __init__(self, section: str | None) -> None:
        self._section = section
        self._seen: set[tuple[int, _Reader]] = set()
        self._more: dict[int, str] = {}  # a key's node → the tag that it had

    def wrong(self, node: Any, path: str, reader: _Reader) -> Iterator[str]:
        """Mistakes in the keys below a node."""
        if node is None or (id(node), reader) in self._seen:
            return
        self._seen.add((id(node), reader))
        if isinstance(node, _YAML.SequenceNode):
            for each in node.value:
                yield from self.wrong(each, path, "nobody" if reader == "invoke" else reader)
        if isinstance(node, _YAML.MappingNode):
            yield from self._wrong_here(node, path, reader)
            for key, value in node.value:
                its = "ours" if not path and reader == "invoke" and key.value == self._section else reader
                for each in value.value if _merges_several(key, value) else (value,):
                    yield from self.wrong(each, f"{path}{key.value}." if _is_scalar(key) else path, its)

    def _wrong_here(self, node: Any, path: str, reader: _Reader) -> Iterator[str]:
        first: dict[str, int] = {}
        for key in (key for key, _ in node.value if _is_scalar(key) and key.tag != _MERGE):
            line = key.start_mark.line + 1
            tag = self._more.setdefault(id(key), key.tag)
            if problem := _mistaken(key, tag, reader):
                yield f"line {line}: {path}{problem}"
            if key.value in first:
                yield f"line {line}: {path}{key.value} is already in line {first[key.value]}; keep one of the two"
            first.setdefault(key.value, line)
            key.tag = f"{_TYPE}str"


def _mistaken(key: Any, tag: str, reader: _Reader) -> str:
    """Why a key does not do for its reader; empty where it does."""
    if reader == "nobody":
        return ""
    if tag == f"{_TYPE}null":
        return f"{key.value or '(no key)'} means null in YAML; put the key in quotes"
    if tag in _KEPT and reader == "invoke":
        return f"{key.value} is a number, a date or a truth value for YAML; put the key in quotes"
    is_text = tag in _KEPT | _SIGNS | {f"{_TYPE}str"}
    return "" if is_text else "(a key with a tag) is not a text; delete the tag"


def _merges_several(key: Any, value: Any) -> bool:
    """Whether a value lists mappings whose keys become those of the mapping that it is in."""
    return bool(key.tag == _MERGE and isinstance(value, _YAML.SequenceNode))


def _is_scalar(node: Any) -> bool:
    return isinstance(node, _YAML.ScalarNode)


def _why(error: Any, text: str) -> str:
    """Where the mistake is, what is there, and what is expected."""
    if isinstance(error, _YAML.reader.ReaderError):
        before = text[: error.position]
        line, column = before.count("\n") + 1, error.position - before.rfind("\n")
        return f"line {line}, column {column}: found the character U+{error.character:04X}; expected text"
    begin, mark = getattr(error, "context_mark", None), getattr(error, "problem_mark", None)
    if mark is None:
        return str(error).partition("\n")[0]
    told, at_begin = in_words(error.problem or "not YAML", begin and begin.line + 1)
    place = begin if at_begin and begin else mark
    return f"line {place.line + 1}, column {place.column + 1}: {told}"
