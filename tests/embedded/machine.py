"""The runtime of an embedded AWS inside the test's own process: addresses, images and processes, no endpoint."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import requests

from embedded_aws.kernel.data_plane import DataPlane
from embedded_aws.kernel.pace import Pace
from embedded_aws.runtime.container import ProcessContainer
from embedded_aws.runtime.images import DISK, Image
from embedded_aws.runtime.interface import ContainerSpec
from embedded_aws.runtime.processes import Processes
from embedded_aws.runtime.runtime import Runtime
from tests.embedded.images import LAYER, MANIFEST, ImageSpec, layer_of, manifest_of
from tests.embedded_process import PATIENCE, eventually

ACCOUNT, REGION = "123456789012", "us-east-2"


@dataclass
class Ran:
    """A container that a test started, and the lines that it wrote."""

    container: ProcessContainer
    address: str
    lines: list[str] = field(default_factory=list)

    @property
    def exit_code(self) -> int:
        """The exit code, once it has ended."""
        code = self.container.wait(timeout=PATIENCE)
        assert code is not None, f"still running; it wrote {self.lines}"
        return code

    def get(self, path: str = "/", port: int = 8501) -> str:
        """What the container answers over HTTP, as soon as it does."""

        def ask() -> list[str]:
            try:
                return [requests.get(f"http://{self.address}:{port}{path}", timeout=PATIENCE).text]
            except requests.ConnectionError:
                assert self.container.poll() is None, f"it ended; it wrote {self.lines}"
                return []

        return eventually(ask)[0]

    def wrote(self, line: str) -> None:
        """Wait until a line was written."""
        eventually(lambda: line in self.lines)


class Machine:
    """Runs images on this machine."""

    def __init__(self) -> None:
        self.plane = DataPlane(Pace())
        runtime = Runtime.on(self.plane)
        self.addresses, self.images = runtime.addresses, runtime.images
        assert isinstance(runtime.containers, Processes)
        self.processes = runtime.containers
        self.plane.components = runtime.components  # no scheduler and no load balancer
        self._count = 0

    def put(
        self,
        spec: ImageSpec,
        layers: Sequence[bytes] | None = None,
        repository: str = "homara",
        tag: str = "v1",
        config: bytes | dict[str, Any] | None = None,
        kind: str = LAYER,
    ) -> str:
        """Put an image into the store without ECR; returns its reference."""
        layers = [layer_of(spec.files)] if layers is None else layers
        config = config if isinstance(config, bytes) else json.dumps(config or spec.config).encode()
        for blob in (*layers, config):
            self.store(repository, blob)
        self.images.repository(ACCOUNT, REGION, repository).put(
            manifest_of(config, layers, kind), MANIFEST, tag
        )
        return f"{ACCOUNT}.dkr.ecr.{REGION}.amazonaws.com/{repository}:{tag}"

    def store(self, repository: str, blob: bytes) -> None:
        """Put a blob into a repository without ECR."""
        upload_id = self.images.begin_upload(ACCOUNT, REGION, repository)
        upload = self.images.repository(ACCOUNT, REGION, repository).uploads.pop(upload_id)
        upload.append(blob)
        self.images.store(ACCOUNT, REGION, repository, upload)

    def pull(self, reference: str, platform: str = "linux/amd64", disk: int = DISK) -> Image:
        """Pull an image."""
        return self.images.pull(ACCOUNT, REGION, reference, platform, disk)

    def run(self, spec: ImageSpec, *command: str, address: str | None = None, **more: Any) -> Ran:
        """Start a container of ``spec``, at an address of its own unless one is given."""
        self._count += 1
        address = address or self.addresses.loopback("vpc-1", f"10.0.0.{self._count}")
        lines: list[str] = []
        image = self.pull(self.put(spec))
        start = ContainerSpec(image, address, lines.append, command=command or None, **more)
        return Ran(self.processes.start(start), address, lines)


@contextmanager
def runtime() -> Iterator[Machine]:
    """A runtime that ends with the block, and everything in it."""
    made = Machine()
    made.plane.start()
    try:
        yield made
    finally:
        made.plane.stop()
        assert made.plane.loop.is_closed()
