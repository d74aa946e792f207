"""Regular expressions of others, matched in time linear in the text by the engine of pydantic."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache

from pydantic_core import SchemaError, SchemaValidator, core_schema

# What no load balancer takes, and the engine would: each alternative is a part of an expression, in which only the
# named ones are features that are not supported.
_PARTS = re.compile(
    r"(?P<class>\\[pP])|(?P<reference>\\[1-9kg])|\\.|(?P<group>\(\?(?:[=!>&R\d]|[+-]\d|<[=!]|P[>=]))"
    r"|(?P<possessive>[?*+}]\+)|.",
    re.DOTALL,
)
_NAMES = {
    "class": "Unicode character classes",
    "reference": "backreferences",
    "group": "lookaheads, lookbehinds, atomic groups, subroutines and recursion",
    "possessive": "possessive quantifiers",
}


class ExpressionError(ValueError):
    """A regular expression that is not supported; the text says why."""


@lru_cache(maxsize=4096)
def expression(pattern: str, ignore_case: bool = False) -> Callable[[str], bool]:
    """Whether a regular expression matches anywhere in a text. Raises ExpressionError.

    The features that it may have are those that the Application Load Balancers guide leaves ("Listener rules": no
    "lookaheads, lookbehinds, backreferences, atomic groups, possessive quantifiers, subroutines, recursion, and Unicode
    character classes"), so that it describes a regular language, which the engine (Rust's regex) matches without going
    back. The engine also refuses what would need too much memory.
    """
    _check(pattern)
    text = f"(?i){pattern}" if ignore_case else pattern
    try:
        engine = SchemaValidator(core_schema.str_schema(pattern=text, regex_engine="rust-regex"))
    except SchemaError as error:
        raise ExpressionError(str(error).rstrip().rpartition("\n")[2].strip()) from error
    return lambda asked: engine.isinstance_python(asked.encode(errors="replace").decode())


def _check(pattern: str) -> None:
    in_class = False
    for part in _PARTS.finditer(pattern):
        kind, text = part.lastgroup, part[0]
        if kind and (not in_class or kind in ("class", "reference")):
            raise ExpressionError(f"{_NAMES[kind]} are not supported: {text}")
        in_class = text != "]" if in_class else text == "["
