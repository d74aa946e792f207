"""The blocks of the documents, and the commands in them, so that what is written is what is run."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
README, GUIDE = "README.md", "AWS_FARGATE_DEPLOYMENT_GUIDE.md"
_BLOCK = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_HEADING = re.compile(r"^#{1,2} (?:\d+\. )?(.+)$", re.MULTILINE)


@dataclass(frozen=True)
class Block:
    """A fenced block: where it stands, its language, and its text."""

    document: str
    section: str
    language: str
    text: str

    @property
    def first_line(self) -> str:
        """What it is called by."""
        return self.text.partition("\n")[0]

    def commands(self) -> Iterator[str]:
        """The lines of a shell block that are commands."""
        if self.language == "sh":
            yield from (line for line in self.text.splitlines() if line.strip() and not line.startswith("#"))


def blocks(document: str) -> list[Block]:
    """Every fenced block of a document, under its heading of the first or second level."""
    text = (ROOT / document).read_text(encoding="utf-8")
    inside = [each.span() for each in _BLOCK.finditer(text)]
    headings = [
        (each.start(), each[1])
        for each in _HEADING.finditer(text)
        if not any(start <= each.start() < end for start, end in inside)
    ]
    return [
        Block(
            document, next((name for at, name in reversed(headings) if at < each.start()), ""), *each.groups()
        )
        for each in _BLOCK.finditer(text)
    ]


def in_section(document: str, section: str, language: str = "sh") -> list[Block]:
    """The blocks of one section and one language; there has to be one."""
    found = [each for each in blocks(document) if (each.section, each.language) == (section, language)]
    assert found, f"{document} has no {language} block under {section!r}"
    return found
