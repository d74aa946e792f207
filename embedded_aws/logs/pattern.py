"""Filter patterns for plain text lines ("Filter pattern syntax", CloudWatch Logs User Guide)."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

TERM = re.compile(r'(?P<sign>[?-]?)(?:"(?P<phrase>(?:[^"\\]|\\.)*)"|%(?P<regex>[^%]+)%|(?P<word>\S+))')


@dataclass(frozen=True)
class Term:
    """One term: required, excluded (``-``), or one of several alternatives (``?``)."""

    sign: str
    found: Callable[[str], bool]


def matcher(pattern: str | None) -> Callable[[str], bool]:
    """A function that tells whether a line matches; NotImplementedError for JSON and space-delimited patterns."""
    if not pattern or not pattern.strip():
        return lambda line: True
    if pattern.lstrip()[0] in "{[":
        raise NotImplementedError(f"the filter pattern {pattern}")
    terms = [_term(match) for match in TERM.finditer(pattern)]
    needed = [term for term in terms if not term.sign]
    excluded = [term for term in terms if term.sign == "-"]
    optional = [term for term in terms if term.sign == "?"]

    def matches(line: str) -> bool:
        return (
            all(term.found(line) for term in needed)
            and not any(term.found(line) for term in excluded)
            and (not optional or any(term.found(line) for term in optional))
        )

    return matches


def _term(match: re.Match[str]) -> Term:
    if match["regex"]:
        regex = re.compile(match["regex"])
        return Term(match["sign"], lambda line: regex.search(line) is not None)
    text = match["word"] or re.sub(r"\\(.)", r"\1", match["phrase"])
    return Term(match["sign"], lambda line: text in line)
