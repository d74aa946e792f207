"""The runtime of an embedded AWS inside the test's own process: addresses, images and processes, no endpoint."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import requests

from embedded_aws.kernel.pace import Pace
from embedded_aws.kernel.world import Part, World
from embedded_aws.runtime.addresses import Addresses
from embedded_aws.runtime.images import DISK, Image, Images
from embedded_aws.runtime.processes import Container, ContainerStart, Processes
from tests.embedded.images import MANIFEST, ImageSpec, digest_of, layer_of, manifest_of
from tests.embedded_process import eventually

ACCOUNT, REGION = "123456789012", "us-east-2"


@dataclass
class Ran:
    """A container that a test started, and the lines that it wrote."""

    container: Container
    address: str
    lines: list[str] = field(default_factory=list)

    @property
    def exit_code(self) -> int:
        """The exit code, once it has ended."""
        code = self.container.wait(timeout=300)
        assert code is not None, f"still running; it wrote {self.lines}"
        return code

    def get(self, path: str = "/", port: int = 8501) -> str:
        """What the container answers over HTTP, as soon as it does."""

        def ask() -> list[str]:
            try:
                return [requests.get(f"http://{self.address}:{port}{path}", timeout=10).text]
            except requests.ConnectionError:
                assert self.container.poll() is None, f"it ended; it wrote {self.lines}"
                return []

        return eventually(ask)[0]

    def wrote(self, line: str) -> None:
        """Wait until a line was written."""
        eventually(lambda: line in self.lines)


class RuntimeWorld(World):
    """A world of three parts."""

    @property
    def parts(self) -> list[Part]:
        """No scheduler and no load balancer."""
        return [self.processes, self.images, self.addresses]


class Runtime:
    """Runs images on this machine."""

    def __init__(self) -> None:
        self.world = RuntimeWorld(Pace())
        self.world.addresses = Addresses(self.world)
        self.world.images = Images(self.world)
        self.world.processes = Processes(self.world)
        self._count = 0

    def put(
        self,
        spec: ImageSpec,
        layers: Sequence[bytes] | None = None,
        repository: str = "homara",
        tag: str = "v1",
        config: bytes | dict[str, Any] | None = None,
    ) -> str:
        """Put an image into the store without ECR; returns its reference."""
        layers = [layer_of(spec.files)] if layers is None else layers
        config = config if isinstance(config, bytes) else json.dumps(config or spec.config).encode()
        for blob in (*layers, config):
            self.world.images.store(ACCOUNT, REGION, repository, digest_of(blob), blob)
        self.world.images.repository(ACCOUNT, REGION, repository).put(
            manifest_of(config, layers), MANIFEST, tag
        )
        return f"{ACCOUNT}.dkr.ecr.{REGION}.amazonaws.com/{repository}:{tag}"

    def pull(self, reference: str, platform: str = "linux/amd64", disk: int = DISK) -> Image:
        """Pull an image."""
        return self.world.images.pull(ACCOUNT, REGION, reference, platform, disk)

    def run(self, spec: ImageSpec, *command: str, address: str | None = None, **more: Any) -> Ran:
        """Start a container of ``spec``, at an address of its own unless one is given."""
        self._count += 1
        address = address or self.world.addresses.loopback("vpc-1", f"10.0.0.{self._count}")
        lines: list[str] = []
        image = self.pull(self.put(spec))
        start = ContainerStart(image, address, lines.append, command=command or None, **more)
        return Ran(self.world.processes.start(start), address, lines)


@contextmanager
def runtime() -> Iterator[Runtime]:
    """A runtime that ends with the block, and everything in it."""
    made = Runtime()
    made.world.start()
    try:
        yield made
    finally:
        made.world.stop()
        assert made.world.loop.is_closed()
