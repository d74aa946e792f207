"""Images: which one a reference names, and what unpacking its layers gives."""

from __future__ import annotations

import bz2
import gzip
import io
import json
import lzma
import tarfile
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from embedded_aws.runtime.images import PullError
from embedded_aws.runtime.removal import remove
from embedded_aws.runtime.unpack import READS_ZSTD, BadLayerError, Disk, unpack
from tests.embedded.images import (
    MANIFEST,
    ZSTD_LAYER,
    ImageSpec,
    Script,
    as_zstd,
    digest_of,
    layer_of,
    manifest_of,
)
from tests.embedded.machine import ACCOUNT, REGION, Machine, runtime

INDEX = "application/vnd.oci.image.index.v1+json"
URI = f"{ACCOUNT}.dkr.ecr.{REGION}.amazonaws.com/homara"


@pytest.fixture(scope="module")
def store() -> Iterator[Machine]:
    """A runtime that the module shares."""
    with runtime() as made:
        yield made


@pytest.fixture(autouse=True)
def _empty(store: Machine) -> None:
    store.plane.reset()


def entry(
    name: str, kind: bytes = tarfile.REGTYPE, data: bytes = b"", link: str = "", mode: int = 0o644
) -> bytes:
    """One tar entry with its content, without the archive's end."""
    info = tarfile.TarInfo(name)
    info.type, info.size, info.linkname, info.mode = kind, len(data), link, mode
    return info.tobuf(tarfile.PAX_FORMAT) + data + b"\0" * (-len(data) % 512)


def unpacked(path: Path, *layers: bytes, room: int = 1024**2) -> Path:
    """A root made of layers, each the entries of one tar file, on a disk of so many bytes."""
    root = path / "root"
    files = [lambda layer=layer: io.BytesIO(layer + b"\0" * 1024) for layer in layers]  # type: ignore[misc]
    unpack(files, root, Disk(room))
    return root


def everything_in(folder: Path) -> dict[str, str]:
    """Each file below a folder, with its text."""
    return {str(path.relative_to(folder)): path.read_text() for path in folder.rglob("*") if path.is_file()}


class TestReferences:
    def test_by_tag_and_digest(self, store: Machine) -> None:
        """ECR: an image is named by tag, by digest, or by both, where the digest decides."""
        first = store.pull(store.put(ImageSpec({"/app/a": "1"}))).digest
        store.put(ImageSpec({"/app/a": "2"}))
        for reference in (f"{URI}@{first}", f"{URI}:v1@{first}"):
            assert store.images.resolve(ACCOUNT, REGION, reference) == first
        assert store.images.resolve(ACCOUNT, REGION, f"{URI}:v1") != first

    def test_latest_is_understood(self, store: Machine) -> None:
        """A reference without tag and digest means ``:latest``."""
        reference = store.put(ImageSpec({"/app/a": "1"}), tag="latest")
        assert store.images.resolve(ACCOUNT, REGION, URI) == store.pull(reference).digest

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
    def test_absent(self, store: Machine, reference: str) -> None:
        """ECS, stopped tasks: ``CannotPullContainerError: … failed to resolve ref <uri>: <uri>: not found``."""
        store.put(ImageSpec({"/app/a": "1"}))
        with pytest.raises(PullError) as caught:
            store.images.resolve(ACCOUNT, REGION, reference)
        assert str(caught.value) == (
            "CannotPullContainerError: pull image manifest has been retried 7 time(s): failed to resolve ref "
            f"{reference}: {reference}: not found"
        )

    def test_what_an_image_says(self, store: Machine) -> None:
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

    def test_unpacked_once(self, store: Machine) -> None:
        """Two pulls of one digest share a folder."""
        first, second = (store.pull(store.put(ImageSpec({"/app/a": "1"}))) for _ in range(2))
        assert first.root == second.root
        assert (first.root / "app/a").read_text() == "1"

    def test_pulls_are_recorded(self, store: Machine) -> None:
        """ImageDetail: ``lastRecordedPullTime``."""
        digest = store.pull(store.put(ImageSpec({"/app/a": "1"}))).digest
        assert digest in store.images.repository(ACCOUNT, REGION, "homara").pulls

    def test_broken_layer(self, store: Machine) -> None:
        """ECS, stopped tasks: ``CannotPullContainerError: ref pull has been retried 1 time(s): …``."""
        with pytest.raises(PullError, match=r"CannotPullContainerError: ref pull .* failed to extract layer"):
            store.pull(store.put(ImageSpec(), layers=[b"this is no archive"]))

    def test_a_layer_that_this_python_does_not_read(self, store: Machine) -> None:
        """AWS's blog, "Reducing AWS Fargate Startup Times with zstd Compressed Container Images": Fargate reads layers
        of the media type application/vnd.oci.image.layer.v1.tar+zstd. What does not is told in own words."""
        layer = as_zstd(layer_of({"/app/text": "text"}))
        reference = store.put(ImageSpec(), layers=[layer], kind=ZSTD_LAYER)
        if READS_ZSTD:
            assert (store.pull(reference).root / "app/text").read_text() == "text"
            return
        with pytest.raises(PullError) as refused:
            store.pull(reference)
        told = str(refused.value)
        assert told.startswith(
            "CannotPullContainerError: ref pull has been retried 1 time(s): failed to extract layer "
            f"{digest_of(layer)}: {ZSTD_LAYER} is read by AWS, not here: build with gzip"
        )
        assert "--runtime container" in told
        assert "compression=gzip,force-compression=true" in told

    def test_what_a_configuration_cannot_be(self, store: Machine) -> None:
        """Foreign images say anything: that is the pull's failure, whatever it is."""
        for config in (
            {"ExposedPorts": {"8501-8503/tcp": {}}},
            {"Env": [1]},
            {"Env": 5},
            {"ExposedPorts": 80},
            [],
        ):
            reference = store.put(ImageSpec(), config={"config": config or [1]})
            with pytest.raises(PullError, match=r"CannotPullContainerError: .* failed to unmarshal config"):
                store.pull(reference)
        for text in (b"[]", b"1", b"null", b"{", b"\xff"):
            with pytest.raises(PullError, match=r"CannotPullContainerError: .* failed to unmarshal config"):
                store.pull(store.put(ImageSpec(), config=text))

    @pytest.mark.parametrize(
        "digest", ["sha256:../../../../etc/passwd", "/etc/passwd", "sha256:", "../config"]
    )
    def test_a_digest_is_no_path(self, store: Machine, digest: str) -> None:
        repository = store.images.repository(ACCOUNT, REGION, "homara")
        described = {"digest": digest, "size": 1}
        for body in ({"config": described, "layers": []}, {"config": {}, "layers": [described]}):
            repository.put(json.dumps({"schemaVersion": 2, **body}), MANIFEST, "v1")
            with pytest.raises(PullError, match="CannotPullContainerError"):
                store.pull(f"{URI}:v1")

    def test_a_task_s_disk_has_room_for_what_fits(self, store: Machine) -> None:
        """'The pulled, compressed, and the uncompressed container image for the task is stored on the ephemeral
        storage' (Fargate task ephemeral storage).

        The text is from public logs: "ref pull has been retried 1 time(s): failed to extract layer sha256:…: write
        /var/lib/containerd/io.containerd.snapshotter.v1.overlayfs/snapshots/86/fs/…: no space left on device: unknown".
        What was refused once fits on a larger disk, and an image that another task unpacked on one does not.
        """
        small = layer_of({"/a": b"1"})
        bomb = layer_of({"/app/zeros": bytes(8 * 1024**2)})
        assert len(bomb) < 10_000
        reference = store.put(ImageSpec(), layers=[small, bomb])
        too_small = (
            rf"^CannotPullContainerError: ref pull has been retried 1 time\(s\): failed to extract layer "
            rf"{digest_of(bomb)}: write /var/lib/containerd/io\.containerd\.snapshotter\.v1\.overlayfs/snapshots/"
            r"\d+/fs/app/zeros: no space left on device: unknown$"
        )
        for disk in (8 * 1024**2, 4 * 1024**2):
            with pytest.raises(PullError, match=too_small):
                store.pull(reference, disk=disk)
        assert (store.pull(reference, disk=9 * 1024**2).root / "app/zeros").stat().st_size == 8 * 1024**2
        with pytest.raises(PullError, match=too_small):
            store.pull(reference, disk=8 * 1024**2)
        assert store.pull(reference).root.is_dir()


class TestIndexes:
    def put(self, store: Machine, *architectures: str) -> str:
        """An index of one image for each architecture."""
        described = []
        for architecture in architectures:
            spec = ImageSpec({"/app/for": architecture}, architecture=architecture)
            layer, config = layer_of(spec.files), json.dumps(spec.config).encode()
            for blob in (layer, config):
                store.store("homara", blob)
            manifest = manifest_of(config, [layer])
            store.images.repository(ACCOUNT, REGION, "homara").put(manifest, MANIFEST, None)
            about = {"os": "linux", "architecture": architecture}
            described.append(
                {"mediaType": MANIFEST, "digest": digest_of(manifest.encode()), "platform": about}
            )
        body = json.dumps({"schemaVersion": 2, "mediaType": INDEX, "manifests": described})
        store.images.repository(ACCOUNT, REGION, "homara").put(body, INDEX, "v1")
        return f"{URI}:v1"

    @pytest.mark.parametrize("architecture", ["amd64", "arm64"])
    def test_chooses_the_platform(self, store: Machine, architecture: str) -> None:
        """OCI image index: the image for the platform is taken; the reference stays the index's digest."""
        reference = self.put(store, "amd64", "arm64")
        image = store.pull(reference, f"linux/{architecture}")
        assert (image.root / "app/for").read_text() == architecture
        assert image.platform == f"linux/{architecture}"
        assert image.digest == store.images.resolve(ACCOUNT, REGION, reference)

    def test_another_platform(self, store: Machine) -> None:
        """ECS, stopped tasks: ``image Manifest does not contain descriptor matching platform 'linux/amd64'``."""
        with pytest.raises(PullError) as caught:
            store.pull(self.put(store, "arm64"))
        assert str(caught.value) == (
            "CannotPullContainerError: pull image manifest has been retried 7 time(s): image Manifest does not contain "
            "descriptor matching platform 'linux/amd64'"
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

    @pytest.mark.parametrize("folder", ["", "app/", "app/deep/", ".wh./"])
    @pytest.mark.parametrize("name", [".wh.", ".wh..", ".wh...", ".wh../", ".wh..//."])
    def test_a_whiteout_deletes_in_its_own_folder_only(self, tmp_path: Path, folder: str, name: str) -> None:
        """containerd, archive/tar.go: 'invalid whiteout name: .wh..: invalid archive'."""
        neighbour = tmp_path / "neighbour"
        neighbour.write_text("1")
        kept = entry("app/deep/a", data=b"1") + entry("b", data=b"1")
        with pytest.raises(BadLayerError, match=r"invalid whiteout name: \.wh\.+: invalid archive"):
            unpacked(tmp_path, kept, entry(f"{folder}{name}"))
        assert everything_in(tmp_path) == {"neighbour": "1", "root/app/deep/a": "1", "root/b": "1"}

    def test_a_whiteout_does_not_follow_a_link(self, tmp_path: Path) -> None:
        """Neither one that is deleted nor one on the way."""
        (tmp_path / "outside").mkdir()
        (tmp_path / "outside/a").write_text("1")
        link = entry("out", tarfile.SYMTYPE, link="../outside")
        root = unpacked(
            tmp_path, link, entry("out/.wh.a") + entry("out/.wh..wh..opq"), link, entry(".wh.out")
        )
        assert everything_in(tmp_path) == {"outside/a": "1"}
        assert not (root / "out").is_symlink()

    def test_what_aufs_keeps_for_itself_is_no_file(self, tmp_path: Path) -> None:
        """containerd, archive/tar.go: 'Skip AUFS metadata dirs'."""
        root = unpacked(
            tmp_path, entry(".wh..wh.plnk/0", data=b"1") + entry(".wh..wh.aufs") + entry("a", data=b"1")
        )
        assert everything_in(root) == {"a": "1"}

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
            unpack([lambda layer=layer: io.BytesIO(layer)], tmp_path / str(number), Disk(10**6))  # type: ignore[misc]
            assert (tmp_path / str(number) / "a").read_text() == "1"

    @pytest.mark.parametrize("compress", [gzip.compress, bz2.compress, lzma.compress])
    @pytest.mark.parametrize("rest", [0, 100])
    def test_a_damaged_layer_is_refused(
        self, tmp_path: Path, compress: Callable[[bytes], bytes], rest: int
    ) -> None:
        """containerd: what cannot be decompressed fails the extraction of the layer."""
        data = b"".join(bytes([each % 251, each % 17]) * 3 for each in range(20_000))
        layer = compress(entry("a", data=data) + entry("b", data=data))
        cut = layer[: len(layer) // 2] + bytes(rest)
        with pytest.raises(BadLayerError):
            unpack([lambda: io.BytesIO(cut)], tmp_path / "root", Disk(10**9))

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

    @pytest.mark.parametrize(
        "layer",
        [
            entry("a", data=bytes(300_000)),
            entry("a", data=bytes(200_000)) + entry(".wh.a") + entry("b", data=bytes(200_000)),
            b"".join(entry(f"empty-{number}") for number in range(100)),
            b"".join(entry(f"folder-{number}", tarfile.DIRTYPE) for number in range(100)),
            b"".join(entry(f"link-{number}", tarfile.SYMTYPE, link="x") for number in range(100)),
        ],
        ids=["one file", "deleted in between", "empty files", "folders", "links"],
    )
    def test_nothing_is_unpacked_that_does_not_fit(self, tmp_path: Path, layer: bytes) -> None:
        """Each entry takes whole blocks; what is deleted stays in the layer below."""
        assert unpacked(tmp_path / "large", layer, room=500_000)
        with pytest.raises(BadLayerError, match=r"no space left on device$"):
            unpacked(tmp_path / "small", layer, room=299_000)
        used = sum(path.stat().st_size for path in (tmp_path / "small").rglob("*") if path.is_file())
        assert used < 299_000

    @pytest.mark.parametrize(
        "kind", [tarfile.XHDTYPE, tarfile.XGLTYPE, tarfile.GNUTYPE_LONGNAME, tarfile.GNUTYPE_LONGLINK]
    )
    def test_a_header_takes_no_memory(self, tmp_path: Path, kind: bytes) -> None:
        """tarfile reads names and extended headers whole."""
        header = tarfile.TarInfo("././@LongLink")
        header.type, header.size = kind, 8 * 1024**3
        with pytest.raises(BadLayerError, match="invalid tar header"):
            unpacked(tmp_path, header.tobuf(tarfile.GNU_FORMAT))

    def test_no_entry_leads_back(self, tmp_path: Path) -> None:
        """A negative size, as number or in an extended header, would be read for ever (CVE-2025-8194)."""
        back = tarfile.TarInfo("a")
        back.size = -1024
        extended = tarfile.TarInfo("a")
        extended.pax_headers = {"size": "-2048"}
        for info, form in ((back, tarfile.GNU_FORMAT), (extended, tarfile.PAX_FORMAT)):
            with pytest.raises(BadLayerError, match="invalid tar header"):
                unpacked(tmp_path, info.tobuf(form))

    @pytest.mark.parametrize("name", ["x" * 5000, "a/" * 1000 + "b", "a\udcff\n\x1b[31m", "/" * 300, "./."])
    def test_any_name_is_taken_or_refused(self, tmp_path: Path, name: str) -> None:
        info = tarfile.TarInfo(name)
        with suppress(BadLayerError):
            unpacked(tmp_path, info.tobuf(tarfile.GNU_FORMAT, errors="surrogateescape"))
        assert [path.name for path in tmp_path.iterdir()] == ["root"]
        remove(tmp_path / "root")  # pytest, which tidies up later, goes no thousand folders down

    def test_devices_are_left_out(self, tmp_path: Path) -> None:
        """Device nodes and pipes have no place in the folder that stands for a root."""
        root = unpacked(tmp_path, entry("dev/x", tarfile.CHRTYPE) + entry("pipe", tarfile.FIFOTYPE))
        assert [p for p in root.rglob("*") if not p.is_dir()] == []


class TestRoots:
    def test_a_task_writes_its_own_copy(self, store: Machine) -> None:
        """Fargate: a task's writable layer is its own, and goes with it."""
        spec = ImageSpec(
            {"/app/a": "1", "/app/run.sh": Script("#!/bin/sh\ncat a; echo 2 > a; echo 3 > b; ls\n")}
        )
        for _ in range(2):
            ran = store.run(spec, "/app/run.sh")
            assert ran.exit_code == 0
            assert ran.lines == ["1", "a", "b", "run.sh"] or ran.lines == ["1a", "b", "run.sh"]

    def test_system_folders_of_a_big_image_are_shared(self, store: Machine) -> None:
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


@pytest.mark.parametrize("name", [".wh..wh.big", ".wh..wh.plnk/x", "./", "a", ".wh.a"])
def test_every_entry_of_a_layer_takes_its_place(tmp_path: Path, name: str) -> None:
    """Also one that is passed over: its content is unpacked all the same, and a small layer may hold gigabytes."""
    layer = entry(name, data=b"x" * 300_000)
    with pytest.raises(BadLayerError, match="no space left on device"):
        unpacked(tmp_path, layer, room=200_000)
