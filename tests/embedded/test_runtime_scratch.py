"""The folder that goes with an embedded AWS: it goes, and those of dead ones too, whatever is in them."""

from __future__ import annotations

import io
import os
import subprocess
import tarfile
from pathlib import Path

import pytest

from embedded_aws.runtime.removal import remove
from embedded_aws.runtime.roots import make_root
from embedded_aws.runtime.scratch import LOCK, Scratch
from embedded_aws.runtime.unpack import BadLayerError, Disk, unpack

DEPTHS = (300, 1100)  # deeper than functions of Python may call themselves


def deep_layer(*depths: int) -> bytes:
    """A layer with a file at each depth."""
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w", format=tarfile.PAX_FORMAT) as archive:
        for depth in depths:
            archive.addfile(tarfile.TarInfo("a/" * depth + "f"))
    return file.getvalue()


def unpacked(root: Path, *layers: bytes) -> Path:
    """A root made of layers."""
    unpack([lambda layer=layer: io.BytesIO(layer) for layer in layers], root, Disk(10**9))  # type: ignore[misc]
    return root


@pytest.mark.parametrize("depths", [DEPTHS, DEPTHS[::-1]])
def test_a_deep_image_is_unpacked_copied_and_removed(tmp_path: Path, depths: tuple[int, ...]) -> None:
    scratch = Scratch(tmp_path)
    image = unpacked(scratch.path / "image", deep_layer(*depths))
    deepest = "a/" * max(depths) + "f"
    assert (image / deepest).is_file()
    assert make_root(image, scratch.path / "root", "/app").host_path(f"/{deepest}").is_file()
    scratch.close()
    assert not scratch.path.exists()


def test_what_a_deep_folder_hides_goes(tmp_path: Path) -> None:
    """Open Container Initiative, Image Layer Filesystem Changeset: an opaque whiteout hides what lower layers have."""
    opaque = io.BytesIO()
    with tarfile.open(fileobj=opaque, mode="w") as archive:
        archive.addfile(tarfile.TarInfo("a/" * 1050 + "kept"))
        archive.addfile(tarfile.TarInfo("a/.wh..wh..opq"))
    image = unpacked(tmp_path / "image", deep_layer(*DEPTHS), opaque.getvalue())
    assert (image / ("a/" * 1050 + "kept")).is_file()
    assert not (image / ("a/" * 300 + "f")).exists()
    assert not (image / ("a/" * 1051)).exists()
    remove(image)
    assert not image.exists()


def test_a_name_that_is_too_long_is_refused(tmp_path: Path) -> None:
    """path_resolution(7): PATH_MAX is 4096 bytes, which containerd's own folders are part of."""
    for name in ("a/" * 2030 + "f", "a/" * 2100 + "f", "\u00e9" * 2000, "a" * 256):
        archive = io.BytesIO()
        with tarfile.open(fileobj=archive, mode="w", format=tarfile.PAX_FORMAT) as members:
            members.addfile(tarfile.TarInfo(name))
        with pytest.raises(BadLayerError, match=r"[Ff]ile name too long"):
            unpacked(tmp_path / "image", archive.getvalue())
    remove(tmp_path / "image")  # pytest, which tidies up later, goes no thousand folders down


def test_a_folder_deeper_than_a_path_may_be_goes(tmp_path: Path) -> None:
    """A program gets there with relative paths."""
    make = "import os\nfor _ in range(25):\n    os.mkdir('d' * 200); os.chdir('d' * 200)\n"
    (tmp_path / "left").mkdir()
    subprocess.run(["python3", "-c", make], cwd=tmp_path / "left", check=True)
    (tmp_path / "left" / "shut").mkdir(mode=0o000)
    (tmp_path / "left" / "link").symlink_to(tmp_path)
    remove(tmp_path / "left")
    assert list(tmp_path.iterdir()) == []


def test_folders_of_dead_ones_go_and_what_cannot_is_told(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    first = Scratch(tmp_path)
    parent = first.path.parent
    unpacked(parent / "dead", deep_layer(*DEPTHS))
    (parent / "odd" / LOCK).mkdir(parents=True)
    (parent / "a file").write_text("")
    second = Scratch(tmp_path)
    assert {each.name for each in parent.iterdir()} >= {first.path.name, second.path.name, "odd"}
    assert not (parent / "dead").exists()
    [told] = caplog.messages
    assert told.startswith(f"{parent / 'odd'} is of no use and could not be removed: ")
    assert "\n" not in told
    second.close()
    first.close()
    assert sorted(os.listdir(parent)) == [LOCK, "a file", "odd"]
