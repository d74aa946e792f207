"""Which numbers are of a type of the models: whole ones of so many bits, and fractions of so many."""

from __future__ import annotations

import re
import sys

INTEGERS = {"integer": "Integer", "long": "Long", "short": "Short", "byte": "Byte"}
NAMES = {**INTEGERS, "float": "Float", "double": "Double"}
"""What AWS calls each type in its texts."""

_BITS = {"byte": 8, "short": 16, "integer": 32, "long": 64}
_GREATEST = {"float": (2 - 2**-23) * 2.0**127, "double": sys.float_info.max}
_WHOLE = re.compile(r"[+-]?\d{1,30}", re.ASCII)
_FRACTION = re.compile(r"[+-]?(?:\d{1,400}(?:\.\d{0,400})?|\.\d{1,400})(?:[eE][+-]?\d{1,5})?", re.ASCII)


def fits(kind: str, number: float) -> bool:
    """Whether a number that was read from JSON or XML is one of this type: 1.0 is no whole one."""
    if kind in _BITS:
        end = 1 << (_BITS[kind] - 1)
        return type(number) is int and -end <= number < end
    return abs(number) <= _GREATEST[kind]


def is_written(kind: str, text: str) -> bool:
    """Whether a text is a number of this type."""
    if kind in _BITS:
        return _WHOLE.fullmatch(text) is not None and fits(kind, int(text))
    return _FRACTION.fullmatch(text) is not None and fits(kind, float(text))
