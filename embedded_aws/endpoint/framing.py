"""Where a request's head and body end (RFC 9112); requests that could be parsed in two ways are refused."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from email.message import Message
from typing import Protocol

FIELD = re.compile(rb"[!#$%&'*+.^_`|~0-9A-Za-z-]{1,1000}:[^\r\n\0]{0,65536}\r?\n")
CHUNK = re.compile(rb"([0-9A-Fa-f]{1,15})(?:[ \t]{0,100};[^\r\n\0]{0,4000})?\r\n")
LENGTH = re.compile(r"\d{1,18}", re.ASCII)
ONCE = ("Host", "Authorization", "Content-Encoding", "Content-Type", "X-Amz-Security-Token", "X-Amz-Target")
LONGEST_LINE = 8192
MOST_TRAILERS = 100
PIECE = 256 * 1024


class MalformedRequestError(Exception):
    """The request is not valid HTTP/1.1; the text says why."""


class LineReader(Protocol):
    """A stream that is read by line or by size."""

    def readline(self, size: int = -1, /) -> bytes:
        """The next line with its end, or at most ``size`` bytes of it; empty at the end."""

    def read(self, size: int = -1, /) -> bytes:
        """``size`` bytes, or fewer at the end."""


class HeadRecorder:
    """Records the lines of a head while the standard library parses them, which ignores invalid ones."""

    def __init__(self, source: LineReader) -> None:
        self._source = source
        self.lines: list[bytes] = []

    def readline(self, size: int = -1, /) -> bytes:
        """The next line."""
        self.lines.append(self._source.readline(size))
        return self.lines[-1]


def check_head(lines: Sequence[bytes], fields: Message) -> None:
    """Raise MalformedRequestError unless the lines are fields and an empty line (RFC 9112, 5), with at most one of
    each field that has one value (RFC 9112, 3.2; RFC 9110, 5.3)."""
    *given, end = lines or (b"",)
    if end not in (b"\r\n", b"\n"):
        raise MalformedRequestError("the header does not end")
    if not all(map(FIELD.fullmatch, given)):
        raise MalformedRequestError("a line of the header is no field")
    for name in ONCE:
        if len(fields.get_all(name) or ()) > 1:
            raise MalformedRequestError(f"there is more than one {name}")


def length(fields: Message, version: str) -> int | None:
    """Content-Length in bytes; None for a chunked body; MalformedRequestError (RFC 9112, 6)."""
    lengths = {each.strip(" \t") for each in fields.get_all("Content-Length") or ()}
    codings = [each.strip(" \t").lower() for each in fields.get_all("Transfer-Encoding") or ()]
    if codings:
        if lengths or codings != ["chunked"] or version != "HTTP/1.1":
            raise MalformedRequestError("Transfer-Encoding is chunked, alone")
        return None
    if len(lengths) > 1 or not all(map(LENGTH.fullmatch, lengths)):
        raise MalformedRequestError("Content-Length is no number")
    return int(lengths.pop()) if lengths else 0


def pieces(source: LineReader, length: int | None) -> Iterator[bytes]:
    """A body of ``length`` bytes, or a chunked one for None, as it comes; MalformedRequestError."""
    return (
        _chunks(source)
        if length is None
        else _counted(source, length, "the body is shorter than its Content-Length")
    )


def _chunks(source: LineReader) -> Iterator[bytes]:
    """A chunked body (RFC 9112, 7.1); chunk extensions and trailers are ignored."""
    wrong = "a chunk of the body does not end where it says"
    while size := _chunk_size(source):
        yield from _counted(source, size, wrong)
        if source.readline(2) != b"\r\n":
            raise MalformedRequestError(wrong)
    _pass_over_trailers(source)


def _counted(source: LineReader, size: int, wrong: str) -> Iterator[bytes]:
    while size:
        piece = source.read(min(size, PIECE))
        if not piece:
            raise MalformedRequestError(wrong)
        size -= len(piece)
        yield piece


def _chunk_size(source: LineReader) -> int:
    line = CHUNK.fullmatch(source.readline(LONGEST_LINE))
    if line is None:
        raise MalformedRequestError("a chunk of the body has no size")
    return int(line[1], 16)


def _pass_over_trailers(source: LineReader) -> None:
    for _ in range(MOST_TRAILERS):
        line = source.readline(LONGEST_LINE)
        if line == b"\r\n":
            return
        if not FIELD.fullmatch(line):
            break
    raise MalformedRequestError("the trailers of the body are no fields, or too many")
