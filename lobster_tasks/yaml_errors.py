"""Describes errors in YAML or JSON in plain words: what is found, and what is expected there. Pure.

The parsers of both use tokens, nodes and delimiters. A problem is identified by its text only; a text that is not
listed here is shown unchanged. No more than a single character of the file is repeated: what cannot be read may be a
secret.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

# The parser's tokens in plain words.
_TOKENS = {
    "<stream end>": "the end of the file",
    "<block mapping start>": "a key with another indentation than those before it",
    "<block sequence start>": "an item of a list",
    "<block end>": "a line with less indentation",
    "<document start>": "---, which begins another document",
    "<scalar>": "a text",
    "<alias>": "an alias, which begins with *",
    "-": "an item of a list",
    "?": "a key",
    "\\n": "the end of the line",
}
_CLOSED = "a comma, or the {0} that closes what line {line} opens"


@dataclass(frozen=True)
class _Words:
    """The words for a problem: {0} and {1} are its pattern's groups, {line} is where the affected part begins.

    ``at_begin``: name that line instead of the place where the parser stopped.
    """

    found: str
    expected: str
    at_begin: bool = False


_KNOWN = (
    (
        re.compile(r"found character '\\t' that cannot start"),
        _Words("a tab (\\t)", "spaces, with which lines are indented"),
    ),
    (
        re.compile(r"found character '(.{1,4})' that cannot start"),
        _Words("{0}, which cannot begin a value", "the value in quotes"),
    ),
    (
        re.compile(r"mapping values are not allowed here"),
        _Words(
            "a colon without a key",
            "one `key: value` in a line, indented as its neighbours, and quotes around a value that has a colon in it",
        ),
    ),
    (
        re.compile(r"could not find expected ':'"),
        _Words("a line without a colon", "`key: value`, or `key:` and lines below", at_begin=True),
    ),
    (re.compile(r"expected ',' or '(.)', but got '(.{1,40})'"), _Words("{1}", _CLOSED)),
    (
        re.compile(r"expected <block end>, but found '(.{1,40})'"),
        _Words("{0}", "an entry of the same kind and indentation as those before it"),
    ),
    (
        re.compile(r"expected the node content, but found '(.{1,40})'"),
        _Words("{0}", "a value, or what closes a bracket or a brace before it"),
    ),
    (
        re.compile(r"found unexpected end of stream"),
        _Words("a quote without its closing quote", "a closing quote", at_begin=True),
    ),
    (
        re.compile(r"found undefined alias"),
        _Words("an alias that has no anchor", "the value in quotes, if it begins with *"),
    ),
    (
        re.compile(r"found duplicate anchor"),
        _Words("an anchor that another value has", "the value in quotes, if it begins with &"),
    ),
    (
        re.compile(r"found undefined tag handle"),
        _Words("a tag of an unknown kind", "the value in quotes, if it begins with !"),
    ),
    (
        re.compile(r"expected alphabetic or numeric character, but found '(.{1,4})'"),
        _Words("* or & before {0}", "the value in quotes, if it begins with this character", at_begin=True),
    ),
    (
        re.compile(r"could not determine a constructor for the tag"),
        _Words(
            "an unknown tag",
            "a plain value, or quotes around a value that begins with !",
        ),
    ),
    (
        re.compile(r"^expected a (?:scalar|sequence|mapping|single mapping)\b.{0,40}but found"),
        _Words(
            "a value of another kind than its tag, or <<, takes", "the value without the tag, or << in quotes"
        ),
    ),
    (
        re.compile(r"^failed to (?:convert|decode) base64"),
        _Words("a text after !!binary that is not base64", "the text without the tag"),
    ),
    (
        re.compile(r"found unknown escape character '(.{1,4})'"),
        _Words(
            "a backslash before {0}, which is no escape sequence",
            "two backslashes, or single quotes around the text",
        ),
    ),
    (
        re.compile(r"found unhashable key"),
        _Words("a list or a mapping for a key", "a text; {{ }} of a template go into quotes"),
    ),
    (
        re.compile(r"but found another document"),
        _Words("---, which begins a second document", "one document"),
    ),
    (
        re.compile(r"expected chomping or indentation"),
        _Words("text after | or >", "the text on the lines below", at_begin=True),
    ),
)


def in_words(problem: str, begins: int | None = None) -> tuple[str, bool]:
    """The parser's ``problem`` in words, and whether it is reported at the line in which the part begins.

    ``begins`` is the line in which the affected part begins.
    """
    for pattern, known in _KNOWN:
        if match := pattern.search(problem):
            tokens = [_TOKENS.get(each, f"`{each}`") for each in match.groups()]
            found, expected = (
                text.format(*tokens, line=begins) if match.groups() else text
                for text in (known.found, known.expected)
            )
            return f"found {found}; expected {expected}", known.at_begin
    return problem, False


# The JSON parser's messages; a problem without ``found`` is about the text at its place.
_JSON = (
    (re.compile(r"^Expecting value"), _Words("", "a value; text goes into double quotes")),
    (re.compile(r"^Expecting property name"), _Words("", "a key in double quotes")),
    (re.compile(r"^Expecting ':' delimiter"), _Words("", "a colon after the key")),
    (re.compile(r"^Expecting ',' delimiter"), _Words("", "a comma, or the closing bracket or brace")),
    (
        re.compile(r"^Illegal trailing comma"),
        _Words("a comma after the last entry", "the closing bracket or brace"),
    ),
    (re.compile(r"^Extra data"), _Words("", "the end of the file")),
    (
        re.compile(r"^Unterminated string"),
        _Words("a quote without its closing quote", "a closing quote"),
    ),
    (re.compile(r"^Invalid control character"), _Words("", "an escape sequence, such as \\n or \\t")),
    (
        re.compile(r"^Invalid \\escape"),
        _Words("a backslash that does not begin an escape sequence", "two backslashes"),
    ),
    (re.compile(r"^Invalid \\uXXXX"), _Words("an incomplete \\u", "\\u and four hexadecimal digits")),
)


def syntax_error_in_words(problem: str, rest: str) -> str:
    """The parser's ``problem`` in words; ``rest`` is the text from its place on."""
    known = next((words for pattern, words in _JSON if pattern.search(problem)), None)
    return f"found {known.found or _found_in_json(rest)}; expected {known.expected}" if known else problem


def _found_in_json(rest: str) -> str:
    if not rest.strip():
        return _TOKENS["<stream end>"]
    if rest[0] < " ":
        return f"the character U+{ord(rest[0]):04X}"
    if rest[0] == '"':
        return "a text in double quotes"
    is_word = rest[0].isalnum() or rest[0] in "_.+-"
    return "a text or a number without quotes" if is_word else f"`{rest[0]}`"
