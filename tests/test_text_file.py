"""One reader for the project's text files, whichever editor wrote them."""

from __future__ import annotations

from pathlib import Path

import pytest

from lobster_tasks.text_file import EncodingError, decoded, read


def test_a_byte_order_mark_is_no_text(tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(b"\xef\xbb\xbfcaf\xc3\xa9\r\nb\rc\n")
    assert read(tmp_path / "x") == "café\nb\nc\n"


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be", "utf-32"])
@pytest.mark.parametrize("any_bytes", [False, True])
def test_other_encodings_are_told(encoding: str, any_bytes: bool) -> None:
    with pytest.raises(EncodingError, match=r"^it is in UTF-(16|32).*; save it as UTF-8$"):
        decoded("lobster: 1\r\n".encode(encoding), any_bytes=any_bytes)


def test_latin_1_is_told_with_its_line() -> None:
    with pytest.raises(
        EncodingError, match=r"^line 2: the byte 0xe9 is not UTF-8 \(it may be Latin-1\); save"
    ):
        decoded("a\n# caf\u00e9\n".encode("latin-1"))


def test_where_a_builder_takes_any_bytes_they_stay() -> None:
    data = "# Donn\u00e9es\n".encode("latin-1")
    assert decoded(data, any_bytes=True).encode(errors="surrogateescape") == data
