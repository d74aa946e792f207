"""``--chmod``: octal, or symbolic as chmod(1) takes it."""

from __future__ import annotations

import re

_CLAUSE = re.compile(r"([ugoa]{0,8})([-+=])([rwxX]{0,8}|[ugo])")
_SHIFTS = {"u": 6, "g": 3, "o": 0}
_BITS = {"r": 4, "w": 2, "x": 1}


def changed(mode: int, change: str, is_directory: bool) -> int:
    """``mode`` after ``change``; raises ValueError for what is neither form."""
    if re.fullmatch(r"[0-7]{1,4}", change):
        return int(change, 8)
    for clause in change.split(","):
        parsed = _CLAUSE.fullmatch(clause)
        if not parsed:
            raise ValueError(change)
        mode = _apply(mode, parsed[1], parsed[2], parsed[3], is_directory)
    return mode


def _apply(mode: int, who: str, operator: str, permissions: str, is_directory: bool) -> int:
    bits = _bits(mode, permissions, is_directory)
    for shift in (_SHIFTS[each] for each in ("ugo" if not who or "a" in who else who)):
        if operator == "=":
            mode = mode & ~(7 << shift) | bits << shift
        elif operator == "+":
            mode |= bits << shift
        else:
            mode &= ~(bits << shift)
    return mode


def _bits(mode: int, permissions: str, is_directory: bool) -> int:
    if permissions in _SHIFTS:
        return mode >> _SHIFTS[permissions] & 7
    executable = is_directory or bool(mode & 0o111)
    bits = sum(bit for name, bit in _BITS.items() if name in permissions)
    return bits | (1 if "X" in permissions and executable else 0)
