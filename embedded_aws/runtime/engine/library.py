"""The images of the embedded AWS in an engine: loaded from ECR's store once, when a task first needs them."""

from __future__ import annotations

import io
import subprocess
import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any, BinaryIO, cast

from ..images import UNREADABLE, Image, Images, PullError, StoredImage
from ..unpack import is_zstd
from . import archive
from .client import Engine, EngineError, explained
from .labels import Labels

REPOSITORY = "embedded-aws"
POD = Path(__file__).with_name("pod")


class Library:
    """Loads images; each is called ``embedded-aws:<instance>-<digest>`` in the engine."""

    def __init__(self, engine: Engine, labels: Labels, images: Images) -> None:
        self._engine = engine
        self._labels = labels
        self._images = images
        self._lock = threading.Lock()
        self._loading: dict[str, threading.Lock] = {}
        self._loaded: set[str] = set()

    def reference(self, image: Image) -> str:
        """What a loaded image is called in the engine."""
        return self._named(f"{image.digest.partition(':')[2]}-{image.platform.replace('/', '-')}")

    def load(self, stored: StoredImage) -> None:
        """Load an image of ECR's store, unless that was done; blocks. Raises PullError."""
        layers = [(path.stat().st_size, partial(_opened, path)) for path in stored.layers]
        reference = self.reference(stored.image)
        try:
            self._once(reference, lambda: self._load(reference, stored.config, layers))
        except EngineError as why:
            raise PullError(
                "CannotPullContainerError: ref pull has been retried 1 time(s): failed to extract layer "
                f"{stored.image.digest}: {why}: {self._advice(stored) or 'unknown'}"
            ) from why

    def _advice(self, stored: StoredImage) -> str:
        """What may be wrong with an image that an engine has refused: only newer engines read zstd."""
        kinds = [
            kind
            for path, kind in zip(stored.layers, stored.kinds, strict=True)
            if is_zstd(partial(_opened, path))
        ]
        reader = f"this {self._engine.name} may be too old for zstd"
        return UNREADABLE.format(kind=kinds[0], reader=reader) if kinds else ""

    def pod(self) -> str:
        """The image of pods, for the engine's processor; loaded unless that was done. Raises EngineError."""
        architecture = self._engine.platform.partition("/")[2]
        program = POD / f"pod.{architecture}"
        if not program.exists():
            raise EngineError(
                f"{self._engine.name} runs on {architecture}, for which there is no pod program"
            )
        layer, digest = archive.single_file("pod", program.read_bytes())
        config = {
            "architecture": architecture,
            "os": "linux",
            "config": {"Entrypoint": ["/pod"]},
            "rootfs": {"type": "layers", "diff_ids": [digest]},
        }
        reference = self._named("pod")
        blob: archive.Blob = (len(layer), lambda: io.BytesIO(layer))
        self._once(reference, lambda: self._load(reference, config, [blob]))
        return reference

    def _named(self, what: str) -> str:
        return f"{REPOSITORY}:{self._labels.instance}-{what}"

    def _once(self, reference: str, load: Callable[[], None]) -> None:
        with self._lock:
            turn = self._loading.setdefault(reference, threading.Lock())
        with turn:
            if reference not in self._loaded:
                load()
                self._loaded.add(reference)

    def _load(self, reference: str, config: Mapping[str, Any], layers: Sequence[archive.Blob]) -> None:
        loading = self._engine.begin("load", "--quiet", stdin=subprocess.PIPE)
        assert loading.stdin is not None
        labelled = archive.with_labels(config, self._labels.all)
        with suppress(BrokenPipeError):  # the engine has refused it, and says why
            archive.write(cast(BinaryIO, loading.stdin), reference, labelled, layers)
        said, complaint = loading.communicate()
        if loading.returncode or b"Loaded image" not in said:
            raise EngineError(explained(self._engine.name, (complaint or said).decode(errors="replace")))


def _opened(path: Path) -> BinaryIO:
    return path.open("rb")
