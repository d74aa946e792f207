"""Checks numbers against the models' types: integers and floating point numbers of given sizes."""

from __future__ import annotations

import re
import sys

INTEGERS = {"integer": "Integer", "long": "Long", "short": "Short", "byte": "Byte"}
NAMES = {**INTEGERS, "float": "Float", "double": "Double"}
"""The names of the types in AWS's messages."""

_BITS = {"byte": 8, "short": 16, "integer": 32, "long": 64}
_GREATEST = {"float": (2 - 2**-23) * 2.0**127, "double": sys.float_info.max}
_WHOLE = re.compile(r"[+-]?\d{1,30}", re.ASCII)
_FRACTION = re.compile(r"[+-]?(?:\d{1,400}(?:\.\d{0,400})?|\.\d{1,400})(?:[eE][+-]?\d{1,5})?", re.ASCII)


def page_size(text: str) -> int | None:
    """A number of items above 0 that a model has as a text (MaxItems); None for what is no such number."""
    is_one = text.isascii() and text.isdigit() and int(text[:10]) > 0
    return int(text[:10]) if is_one else None


def fits(kind: str, number: float) -> bool:
    """Whether a number from JSON or XML fits the type: 1.0 is not an integer."""
    if kind in _BITS:
        end = 1 << (_BITS[kind] - 1)
        return type(number) is int and -end <= number < end
    return abs(number) <= _GREATEST[kind]


def is_written(kind: str, text: str) -> bool:
    """Whether a text is a number of this type."""
    if kind in _BITS:
        return _WHOLE.fullmatch(text) is not None and fits(kind, int(text))
    return _FRACTION.fullmatch(text) is not None and fits(kind, float(text))
