"""Archives that ADD unpacks: whatever is in one, it is unpacked or refused in words."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import tarfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lobster_tasks.images.archive import BadArchiveError, is_archive, unpacked
from lobster_tasks.images.tree import Tree

PACKED: dict[str, Callable[[bytes], bytes]] = {
    "plain": bytes,
    "gzip": gzip.compress,
    "bzip2": bz2.compress,
    "xz": lzma.compress,
}


def entry(name: str, **more: Any) -> tarfile.TarInfo:
    """A member with what it says of itself."""
    made = tarfile.TarInfo(name)
    for key, value in more.items():
        setattr(made, key, value)
    return made


def tar(*members: tarfile.TarInfo, content: bytes = b"x" * 40_000) -> bytes:
    """An archive of them, each with content where it is a file."""
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w") as archive:
        for member in members:
            if member.isreg() and not member.size:
                member.size = len(content)
            archive.addfile(member, io.BytesIO(content) if member.isreg() else None)
    return file.getvalue()


def link(name: str, to: str, kind: bytes = tarfile.LNKTYPE) -> tarfile.TarInfo:
    """A link, a hard one unless it is said."""
    return entry(name, type=kind, linkname=to)


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    """Where it is."""
    return tmp_path / "all.tar"


def backwards() -> Iterator[bytes]:
    """A member whose size is below 0, in the number that GNU tar has for large ones, and in that of pax."""
    header = bytearray(tar(entry("a"), content=b""))[:512]
    header[124:136] = b"\xff" * 10 + b"\xfe\x00"
    header[148:156] = b" " * 8
    header[148:156] = b"%06o\0 " % sum(header)
    yield bytes(header) + bytes(10_240)
    yield tar(entry("a", pax_headers={"size": "-512"}), content=b"")


BAD = {
    "no target": (tar(entry("g"), link("h", "absent")), "h is a link to absent, which is not in the archive"),
    "itself": (tar(link("h", "h")), "h is a link to h, which is not in the archive"),
    "a circle": (tar(link("a", "b", tarfile.SYMTYPE), link("b", "a", tarfile.SYMTYPE), link("h", "a")), ""),
    "its name": (tar(entry("a/" * 2100 + "f")), "is longer than Linux allows (4096 bytes)"),
    "its size": (next(backwards()), "a has a size below 0"),
    "its size, in pax": (list(backwards())[1], ""),
    "its end": (tar(entry("a"), entry("b"))[:60_000], "it is damaged ("),
}


@pytest.mark.parametrize("bad", BAD)
def test_what_cannot_be_unpacked_is_told(archive: Path, bad: str) -> None:
    data, why = BAD[bad]
    archive.write_bytes(data)
    with pytest.raises(BadArchiveError) as refused:
        list(unpacked(archive))
    assert why in str(refused.value)


@pytest.mark.parametrize("packing", PACKED)
@pytest.mark.parametrize("damage", ["the end is missing", "zeros in the middle"])
def test_a_damaged_one_is_told(archive: Path, packing: str, damage: str) -> None:
    whole = bytes(range(256)) * 40 + b"".join(bytes([each % 251, each % 17]) * 3 for each in range(20_000))
    data = PACKED[packing](tar(entry("a"), entry("b"), content=whole))
    half = len(data) // 2
    archive.write_bytes(data[:half] if damage == "the end is missing" else data[:half] + bytes(half // 2))
    with pytest.raises(BadArchiveError):
        list(unpacked(archive))


def test_a_deep_one_is_unpacked(archive: Path) -> None:
    archive.write_bytes(tar(entry("a/" * 1800 + "f")))
    tree = Tree()
    for path, node in unpacked(archive):
        tree.put(path, node)
    assert len(tree.nodes) == 1801


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow], deadline=None)
@given(packing=st.sampled_from(list(PACKED)), data=st.data())
def test_whatever_is_changed_in_one_it_is_unpacked_or_refused(archive: Path, packing: str, data: Any) -> None:
    members = (entry("a", pax_headers={"comment": "long" * 20}), entry("b" * 120), link("c", "a"))
    made = bytearray(PACKED[packing](tar(*members, content=b"text")))
    for at, byte in data.draw(st.dictionaries(st.integers(0, len(made) - 1), st.integers(0, 255))).items():
        made[at] = byte
    archive.write_bytes(made[: data.draw(st.integers(0, len(made)))])
    try:
        found = is_archive(archive) and list(unpacked(archive))
    except BadArchiveError as error:
        found = str(error) != ""
    assert found is not None
