"""What is wrong with YAML, in words of everyday: what is found, and what is expected there. Pure.

A reader of YAML speaks of tokens, nodes and blocks. Its problems are known by their texts, which is all that it gives;
one that is not known here is told as the reader says it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

# What the reader calls what it has found.
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
    """Of a problem: {0} and {1} are the groups of its pattern, {line} is where the part begins that it is about.

    ``at_begin``: that is the place to name, and not where the reader gave up.
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
        re.compile(r"found undefined alias '(.{1,100})'"),
        _Words("the alias {0}, which has no anchor", "the value in quotes, if it begins with *"),
    ),
    (
        re.compile(r"expected alphabetic or numeric character, but found '(.{1,4})'"),
        _Words("* or & before {0}", "the value in quotes, if it begins with this character", at_begin=True),
    ),
    (
        re.compile(r"could not determine a constructor for the tag '(.{1,100})'"),
        _Words(
            "{0}, an unknown tag",
            "a plain value, or quotes around a value that begins with !",
        ),
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
    """What the reader's ``problem`` means; ``begins`` is the line in which the part begins that it is about.

    And whether its place is rather there.
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
