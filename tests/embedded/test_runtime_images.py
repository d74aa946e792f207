"""Images: which one a reference names, and what unpacking its layers gives."""

from __future__ import annotations

import gzip
import io
import json
import tarfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from lobster_tasks.embedded.runtime.images import PullError
from lobster_tasks.embedded.runtime.unpack import BadLayerError, unpack
from tests.embedded.images import (
    MANIFEST,
    ImageSpec,
    Script,
    digest_of,
    layer_of,
    manifest_of,
)
from tests.embedded.runtime_world import ACCOUNT, REGION, Runtime, runtime

INDEX = "application/vnd.oci.image.index.v1+json"
URI = f"{ACCOUNT}.dkr.ecr.{REGION}.amazonaws.com/homara"


@pytest.fixture(scope="module")
def store() -> Iterator[Runtime]:
    """A runtime that the module shares."""
    with runtime() as made:
        yield made


@pytest.fixture(autouse=True)
def _empty(store: Runtime) -> None:
    store.world.reset()


def entry(
    name: str, kind: bytes = tarfile.REGTYPE, data: bytes = b"", link: str = "", mode: int = 0o644
) -> bytes:
    """One tar entry with its content, without the archive's end."""
    info = tarfile.TarInfo(name)
    info.type, info.size, info.linkname, info.mode = kind, len(data), link, mode
    return info.tobuf(tarfile.PAX_FORMAT) + data + b"\0" * (-len(data) % 512)


def unpacked(path: Path, *layers: bytes) -> Path:
    """A root made of layers, each the entries of one tar file."""
    root = path / "root"
    unpack([lambda layer=layer: io.BytesIO(layer + b"\0" * 1024) for layer in layers], root)  # type: ignore[misc]
    return root


class TestReferences:
    def test_by_tag_and_digest(self, store: Runtime) -> None:
        """ECR: an image is named by tag, by digest, or by both, where the digest decides."""
        first = store.pull(store.put(ImageSpec({"/app/a": "1"}))).digest
        store.put(ImageSpec({"/app/a": "2"}))
        for reference in (f"{URI}@{first}", f"{URI}:v1@{first}"):
            assert store.world.images.resolve(ACCOUNT, REGION, reference) == first
        assert store.world.images.resolve(ACCOUNT, REGION, f"{URI}:v1") != first

    def test_latest_is_understood(self, store: Runtime) -> None:
        """A reference without tag and digest means ``:latest``."""
        reference = store.put(ImageSpec({"/app/a": "1"}), tag="latest")
        assert store.world.images.resolve(ACCOUNT, REGION, URI) == store.pull(reference).digest

    @pytest.mark.parametrize(
        "reference",
        [
            f"{URI}:absent",
            f"{URI}-absent:v1",
            f"{URI}@sha256:{'0' * 64}",
            "nginx:latest",
            URI.replace("2", "3"),
        ],
    )
    def test_absent(self, store: Runtime, reference: str) -> None:
        """ECS, stopped tasks: ``CannotPullContainerError: … failed to resolve ref <uri>: <uri>: not found``."""
        store.put(ImageSpec({"/app/a": "1"}))
        with pytest.raises(PullError) as caught:
            store.world.images.resolve(ACCOUNT, REGION, reference)
        assert str(caught.value) == (
            "CannotPullContainerError: pull image manifest has been retried 5 time(s): failed to resolve ref "
            f"{reference}: {reference}: not found"
        )

    def test_what_an_image_says(self, store: Runtime) -> None:
        """OCI image configuration: Entrypoint, Cmd, Env, WorkingDir, User, ExposedPorts, StopSignal."""
        spec = ImageSpec(
            {"/app/a": "1"},
            ["b"],
            ["a"],
            {"NAME": "x=y"},
            "/srv",
            "app",
            (80, 8501),
            "arm64",
            stop_signal="SIGINT",
        )
        image = store.pull(store.put(spec))
        assert (image.entry_point, image.command) == (("a",), ("b",))
        assert image.environment["NAME"] == "x=y"
        assert (image.working_directory, image.user, image.exposed_ports) == ("/srv", "app", (80, 8501))
        assert (image.platform, image.stop_signal) == ("linux/arm64", "SIGINT")
        assert image.size_bytes == len(layer_of(spec.files))

    def test_unpacked_once(self, store: Runtime) -> None:
        """Two pulls of one digest share a folder."""
        first, second = (store.pull(store.put(ImageSpec({"/app/a": "1"}))) for _ in range(2))
        assert first.root == second.root
        assert (first.root / "app/a").read_text() == "1"

    def test_pulls_are_recorded(self, store: Runtime) -> None:
        """ImageDetail: ``lastRecordedPullTime``."""
        digest = store.pull(store.put(ImageSpec({"/app/a": "1"}))).digest
        assert digest in store.world.images.repository(ACCOUNT, REGION, "homara").pulls

    def test_broken_layer(self, store: Runtime) -> None:
        """ECS, stopped tasks: ``CannotPullContainerError: ref pull has been retried 1 time(s): …``."""
        with pytest.raises(PullError, match=r"CannotPullContainerError: ref pull .* failed to extract layer"):
            store.pull(store.put(ImageSpec(), layers=[b"this is no archive"]))


class TestIndexes:
    def put(self, store: Runtime, *architectures: str) -> str:
        """An index of one image for each architecture."""
        described = []
        for architecture in architectures:
            spec = ImageSpec({"/app/for": architecture}, architecture=architecture)
            layer, config = layer_of(spec.files), json.dumps(spec.config).encode()
            for blob in (layer, config):
                store.world.images.store(ACCOUNT, REGION, "homara", digest_of(blob), blob)
            manifest = manifest_of(config, [layer])
            store.world.images.repository(ACCOUNT, REGION, "homara").put(manifest, MANIFEST, None)
            about = {"os": "linux", "architecture": architecture}
            described.append(
                {"mediaType": MANIFEST, "digest": digest_of(manifest.encode()), "platform": about}
            )
        body = json.dumps({"schemaVersion": 2, "mediaType": INDEX, "manifests": described})
        store.world.images.repository(ACCOUNT, REGION, "homara").put(body, INDEX, "v1")
        return f"{URI}:v1"

    @pytest.mark.parametrize("architecture", ["amd64", "arm64"])
    def test_chooses_the_platform(self, store: Runtime, architecture: str) -> None:
        """OCI image index: the image for the platform is taken; the reference stays the index's digest."""
        reference = self.put(store, "amd64", "arm64")
        image = store.pull(reference, f"linux/{architecture}")
        assert (image.root / "app/for").read_text() == architecture
        assert image.platform == f"linux/{architecture}"
        assert image.digest == store.world.images.resolve(ACCOUNT, REGION, reference)

    def test_another_platform(self, store: Runtime) -> None:
        """ECS, stopped tasks: ``image Manifest does not contain descriptor matching platform 'linux/amd64'``."""
        with pytest.raises(PullError) as caught:
            store.pull(self.put(store, "arm64"))
        assert str(caught.value) == (
            "CannotPullContainerError: image Manifest does not contain descriptor matching platform 'linux/amd64'"
        )


class TestLayers:
    """Open Container Initiative, Image Layer Filesystem Changeset."""

    def test_later_layers_win(self, tmp_path: Path) -> None:
        """A later layer's file, folder or link replaces what was there, whatever it was."""
        root = unpacked(
            tmp_path,
            entry("a", data=b"1")
            + entry("b", tarfile.DIRTYPE)
            + entry("b/c", data=b"1")
            + entry("d", data=b"1"),
            entry("a", data=b"2")
            + entry("b", data=b"2")
            + entry("d", tarfile.DIRTYPE)
            + entry("d/e", data=b"2"),
        )
        assert {str(p.relative_to(root)): p.read_text() for p in root.rglob("*") if p.is_file()} == {
            "a": "2",
            "b": "2",
            "d/e": "2",
        }

    def test_whiteouts(self, tmp_path: Path) -> None:
        """``.wh.<name>`` deletes a file or a folder of a lower layer."""
        root = unpacked(
            tmp_path,
            entry("a", data=b"1") + entry("b/c", data=b"1") + entry("d", data=b"1"),
            entry(".wh.a") + entry(".wh.b") + entry(".wh.absent"),
        )
        assert sorted(p.name for p in root.iterdir()) == ["d"]

    def test_opaque_folders(self, tmp_path: Path) -> None:
        """``.wh..wh..opq`` hides what lower layers put into a folder, wherever in its layer it stands."""
        root = unpacked(
            tmp_path,
            entry("a/old", data=b"1") + entry("a/sub/old", data=b"1"),
            entry("a/new", data=b"2") + entry("a/sub/new", data=b"2") + entry("a/.wh..wh..opq"),
        )
        assert sorted(str(p.relative_to(root)) for p in root.rglob("*") if p.is_file()) == [
            "a/new",
            "a/sub/new",
        ]

    def test_modes(self, tmp_path: Path) -> None:
        """Executable bits are kept; set-user-id bits are not."""
        root = unpacked(tmp_path, entry("a", mode=0o4755) + entry("b", mode=0o644))
        assert [(root / name).stat().st_mode & 0o7777 for name in "ab"] == [0o755, 0o644]

    def test_compressions(self, tmp_path: Path) -> None:
        """Layers come as tar and as tar+gzip."""
        data = entry("a", data=b"1") + b"\0" * 1024
        for number, layer in enumerate((data, gzip.compress(data))):
            unpack([lambda layer=layer: io.BytesIO(layer)], tmp_path / str(number))  # type: ignore[misc]
            assert (tmp_path / str(number) / "a").read_text() == "1"

    @pytest.mark.parametrize(
        ("target", "where"),
        [("/data/x", "data/x"), ("../../../../data/x", "data/x"), ("x", "app/x"), ("../data/x", "data/x")],
    )
    def test_links_stay_inside(self, tmp_path: Path, target: str, where: str) -> None:
        """A link means in the root what it means in a container, where ``..`` ends at ``/``."""
        root = unpacked(tmp_path, entry("app/link", tarfile.SYMTYPE, link=target) + entry(where, data=b"1"))
        assert (root / "app/link").resolve() == root / where

    def test_a_link_cannot_be_used_to_leave(self, tmp_path: Path) -> None:
        """What is written through a link lands inside the root."""
        (tmp_path / "outside").mkdir()
        root = unpacked(
            tmp_path,
            entry("out", tarfile.SYMTYPE, link="../outside")
            + entry("abs", tarfile.SYMTYPE, link=str(tmp_path)),
            entry("out/a", data=b"1") + entry("abs/b", data=b"1"),
        )
        assert list((tmp_path / "outside").iterdir()) == []
        assert sorted(p.name for p in tmp_path.iterdir()) == ["outside", "root"]
        assert sorted(p.name for p in root.rglob("*") if p.is_file() and not p.is_symlink()) == ["a", "b"]

    def test_names_that_leave(self, tmp_path: Path) -> None:
        """An entry whose name climbs out is refused; a leading slash means the root."""
        for name in ("../a", "a/../../b", "/../a"):
            with pytest.raises(BadLayerError):
                unpacked(tmp_path, entry(name, data=b"1"))
        assert (unpacked(tmp_path, entry("/a", data=b"1")) / "a").read_text() == "1"

    def test_hard_links(self, tmp_path: Path) -> None:
        """A hard link is to a file of the image; one that leaves or leads nowhere is refused."""
        secret = tmp_path / "secret"
        secret.write_text("x")
        root = unpacked(tmp_path, entry("a", data=b"1") + entry("b", tarfile.LNKTYPE, link="a"))
        assert (root / "b").read_text() == "1"
        for target in ("../secret", "absent", str(secret)):
            with pytest.raises(BadLayerError):
                unpacked(tmp_path, entry("c", tarfile.LNKTYPE, link=target))

    def test_devices_are_left_out(self, tmp_path: Path) -> None:
        """Device nodes and pipes have no place in the folder that stands for a root."""
        root = unpacked(tmp_path, entry("dev/x", tarfile.CHRTYPE) + entry("pipe", tarfile.FIFOTYPE))
        assert [p for p in root.rglob("*") if not p.is_dir()] == []


class TestRoots:
    def test_a_task_writes_its_own_copy(self, store: Runtime) -> None:
        """Fargate: a task's writable layer is its own, and goes with it."""
        spec = ImageSpec(
            {"/app/a": "1", "/app/run.sh": Script("#!/bin/sh\ncat a; echo 2 > a; echo 3 > b; ls\n")}
        )
        for _ in range(2):
            ran = store.run(spec, "/app/run.sh")
            assert ran.exit_code == 0
            assert ran.lines == ["1", "a", "b", "run.sh"] or ran.lines == ["1a", "b", "run.sh"]

    def test_system_folders_of_a_big_image_are_shared(self, store: Runtime) -> None:
        """An image with an operating system is not copied for each task, but for where the task works."""
        spec = ImageSpec(
            {
                "/usr/bin/env": "",
                "/usr/lib/big": "1",
                "/usr/src/app/run.sh": Script("#!/bin/sh\necho 2 > new; cat ../../lib/big; ls\n"),
                "/usr/src/other": "1",
            },
            working_directory="/usr/src/app",
        )
        ran = store.run(spec, "./run.sh")
        assert ran.exit_code == 0
        assert ran.lines == ["1new", "run.sh"]
        image = store.pull(store.put(spec))
        assert sorted(p.name for p in (image.root / "usr/src/app").iterdir()) == ["run.sh"]
