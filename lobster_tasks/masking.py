"""Masks secrets in what is shown: values of environment variables, and text that looks like a key. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

MASK = "***"
_SHORTEST, _SHORTEST_NAMED = 6, 4
_SECRET_NAME = re.compile(
    r"key|token|secret|pass|pwd|credential|auth|dsn|private|salt|signature|cookie|_ur[li]$", re.IGNORECASE
)
# Parts that are shown: words, numbers, regions, versions, host names, paths.
_WORD = r"(?>(?:[A-Za-z]{1,15}|\d{1,5}|[A-Za-z]?\d{1,3}[A-Za-z]?)(?![A-Za-z0-9]))"
_PLAIN = re.compile(
    rf"{_WORD}(?:[-_.:,/ ]{_WORD}){{0,200}}|[a-z0-9.-]{{1,253}}\.[a-z]{{2,63}}(?::\d{{1,5}})?"
    r"|/?(?:[\w.-]{1,20}/){1,64}[\w.-]{0,20}"
)
_SHAPES = re.compile(
    r"\b(?:AKIA|ASIA)[A-Z0-9]{16}\b"
    r"|\b(?:sk|pk|rk)[-_][A-Za-z0-9_-]{16,}+"
    r"|\b(?:ghp|gho|ghs|github_pat|glpat|xox[abpr]|whsec)[-_][A-Za-z0-9_-]{10,}+"
    r"|\beyJ[A-Za-z0-9_-]{8,1024}+\.[A-Za-z0-9_-]{8,}+\.[A-Za-z0-9_-]*+"
    r"|-----BEGIN [A-Z ]{0,40}?PRIVATE KEY-----[^-]*+"
)
_NAMED = re.compile(
    r"(?<![:\w.-])(?P<name>[\w.-]{0,256}?"
    r"(?:password|passwd|secret|token|api[_-]?key|access[_-]?key|authorization)[\w.-]{0,256}+"
    r"['\"]?\s{0,100}+[=:]\s{0,100}+(?:bearer\s{1,100}+|basic\s{1,100}+)?['\"]?)(?P<value>[^\s'\",;&]{4,}+)",
    re.IGNORECASE,
)
_IN_URL = re.compile(r"(?P<before>://[^\s:/@]{0,256}+:)(?P<value>[^\s@/]++)(?=@)")


def secret_values(definition: Mapping[str, Any] | None) -> tuple[str, ...]:
    """Values of a task definition's environment variables that may be secrets, the longest first.

    A value of several lines also by its lines, which a log has one by one.
    """
    found = {
        part
        for container in (definition or {}).get("containerDefinitions", [])
        for variable in container.get("environment", [])
        if _may_be_secret(variable.get("name", ""), variable.get("value", ""))
        for part in _parts(variable.get("value", ""))
    }
    return tuple(sorted(found, key=lambda value: (-len(value), value)))


def mask(line: str, values: Iterable[str] = ()) -> str:
    """A log line with ``values``, and text that looks like a secret, masked."""
    line = mask_shapes(with_values_masked(line, values))
    return _NAMED.sub(lambda found: f"{found['name']}{MASK}", line)


def with_values_masked(line: str, values: Iterable[str]) -> str:
    """A line with ``values`` masked, and nothing else."""
    for value in values:
        line = line.replace(value, MASK)
    return line


def mask_shapes(text: str) -> str:
    """AWS's own text, where ``secret:`` is part of a name, with text in the form of a key masked."""
    return _IN_URL.sub(lambda found: f"{found['before']}{MASK}", _SHAPES.sub(MASK, text))


def _parts(value: str) -> Iterator[str]:
    yield value
    lines = [line.strip() for line in value.splitlines()]
    if len(lines) > 1:
        yield from (line for line in lines if len(line) >= _SHORTEST and not _PLAIN.fullmatch(line))


def _may_be_secret(name: str, value: str) -> bool:
    if _SECRET_NAME.search(name):
        return len(value) >= _SHORTEST_NAMED and not value.isdigit()
    return len(value) >= _SHORTEST and not _PLAIN.fullmatch(value)
