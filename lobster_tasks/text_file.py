"""Reads the project's text files, whichever editor wrote them: UTF-8, with or without a byte order mark.

PowerShell's ``>`` writes UTF-16, editors on Windows write byte order marks and Latin-1.
"""

from __future__ import annotations

import codecs
import os
import stat
from pathlib import Path

_MOST = 1024 * 1024  # bytes
# Opening a pipe without a writer would block. Windows has no such flag, but one for bytes as they are.
_READ = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)

# The longer marks first: that of UTF-32 begins with that of UTF-16.
_OTHER_MARKS = {
    codecs.BOM_UTF32_LE: "UTF-32",
    codecs.BOM_UTF32_BE: "UTF-32",
    codecs.BOM_UTF16_LE: "UTF-16",
    codecs.BOM_UTF16_BE: "UTF-16",
}


class EncodingError(ValueError):
    """A file is not UTF-8 text of a normal size; the message says what it is, where, and what to do."""


def read(path: Path, *, any_bytes: bool = False) -> str:
    r"""The text of a file, with ``\n`` at the end of each line.

    ``any_bytes`` is for files in which a builder accepts any bytes, for example in comments: bytes that are not UTF-8
    become lone surrogates. Raises OSError, and EncodingError.
    """
    return read_as_written(path, any_bytes=any_bytes).replace("\r\n", "\n").replace("\r", "\n")


def read_as_written(path: Path, *, any_bytes: bool = False) -> str:
    """The text of a file with the line ends that it has, for where they count. Raises OSError, and EncodingError."""
    return decoded(contents(path), any_bytes=any_bytes)


def contents(path: Path) -> bytes:
    """The bytes of a file. Raises OSError, and EncodingError for what is not a regular file, or too large."""
    descriptor = os.open(path, _READ)
    with open(descriptor, "rb") as file:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise EncodingError("it is not a regular file")
        data = file.read(_MOST + 1)
    if len(data) > _MOST:
        raise EncodingError(f"it is larger than {_MOST >> 20} MiB, which no file of this kind is")
    return data


def line_end(path: Path) -> str:
    r"""The most frequent line end of a file, ``\r\n`` or ``\n``; ``\n`` where the file does not exist.

    Raises OSError, and EncodingError.
    """
    data = contents(path) if path.is_file() else b""
    return "\r\n" if data.count(b"\r\n") * 2 > data.count(b"\n") else "\n"


def decoded(data: bytes, *, any_bytes: bool = False) -> str:
    """The bytes decoded, without a byte order mark, with line ends as they are. Raises EncodingError. Pure."""
    if encoding := _other_encoding(data):
        raise EncodingError(f"it is in {encoding}; save it as UTF-8")
    try:
        return data.removeprefix(codecs.BOM_UTF8).decode(errors="surrogateescape" if any_bytes else "strict")
    except UnicodeDecodeError as error:
        line, byte = error.object.count(b"\n", 0, error.start) + 1, error.object[error.start]
        told = f"line {line}: the byte 0x{byte:02x} is not UTF-8 (it may be Latin-1); save the file as UTF-8"
        raise EncodingError(told) from None


def _other_encoding(data: bytes) -> str:
    marked = next((name for mark, name in _OTHER_MARKS.items() if data.startswith(mark)), "")
    return marked or ("UTF-16, or no text" if b"\0" in data else "")
