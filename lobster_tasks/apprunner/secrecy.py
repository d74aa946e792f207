"""Decides which plain environment variables, and which commands, look like secrets. Pure.

Sometimes wrong in both directions, because only a name and a value are known. A value that looks like a secret is
never written to a file; others are written to the settings.
"""

from __future__ import annotations

import re

from ..masking import mask, mask_shapes

_NAME = re.compile(
    r"pass(word|wd|phrase)?$|passw|pwd|secret|token|credential|private|signature|dsn$|salt$"
    r"|(api|access|auth|encryption|signing|master|service|account|_)_?key$|^key$",
    re.IGNORECASE,
)
# Names that describe a secret, such as its location, rather than contain it.
_ABOUT = re.compile(
    r"_(url|uri|endpoint|name|arn|id|ttl|expiry|expires|header|path|file|type|version)$", re.IGNORECASE
)
_REFERENCE = re.compile(r"arn:|/|\w{1,20}://")
_RANDOM = re.compile(r"[A-Za-z0-9+/=_-]{20,}+")
# A flag and its value; a variable reference or a number is not a secret.
_FLAG = re.compile(
    r"(?<!\S)--?[\w-]{0,64}?(?:password|passwd|secret|token|api[-_]?key)[\w-]{0,64}+(?:\s{1,8}+|=)"
    r"(?!['\"]?\$|-|\d{1,64}+(?:\s|$))\S{4}",
    re.IGNORECASE,
)
_KINDS = ("[a-z]", "[A-Z]", "[0-9]")
_SHORTEST = 4


def looks_secret(name: str, value: str) -> bool:
    """Whether a variable's value should not be written to a file."""
    if mask_shapes(value) != value:
        return True
    if len(value) < _SHORTEST or value.isdigit() or _REFERENCE.match(value):
        return False
    if _NAME.search(name) and not _ABOUT.search(name):
        return True
    return bool(_RANDOM.fullmatch(value)) and all(re.search(kind, value) for kind in _KINDS)


def hides_secret(command: str) -> bool:
    """Whether a command contains a secret, as in ``--password=…`` or a URL."""
    return mask_shapes(command) != command or bool(_FLAG.search(command)) or _assigns(command)


def _assigns(command: str) -> bool:
    """Whether a command assigns one, as in ``TOKEN=abcd python app.py``; variable references and numbers are
    harmless."""
    words = (word for word in command.split() if "$" not in word and not word.rpartition("=")[2].isdigit())
    return any(mask(word) != word for word in words)
