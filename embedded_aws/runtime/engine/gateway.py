"""How the pods of an engine reach the embedded AWS, which listens on this machine's loopback interface only.

On Linux the gateway of the pods' network is an address of this machine: a port there leads to the embedded AWS, for
the pods of this network only. In Docker Desktop and podman's machine the engine runs in a virtual machine, where a
name leads to this machine's loopback interface.
"""

from __future__ import annotations

import asyncio
import ipaddress
import socket
from collections.abc import Callable, Coroutine
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from .client import Engine, EngineError
from .labels import Labels

CHUNK = 64 * 1024
IP_FREEBIND = 15  # of Linux; Python has no name for it
UPSTREAM = "embedded-aws"
MACHINES_HOST = "host.containers.internal"
"""What podman's machine calls the machine around it in each container's /etc/hosts."""
_SUBNETS = (
    "{{range .IPAM.Config}}{{.Subnet}} {{.Gateway}}\n{{end}}",  # docker
    "{{range .Subnets}}{{.Subnet}} {{.Gateway}}\n{{end}}",  # podman
)


@dataclass(frozen=True)
class Gateway:
    """Where pods find the embedded AWS: a name, its address for --add-host unless pods know it, and a port."""

    name: str
    address: str | None
    port: int


Handler = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Coroutine[Any, Any, None]]


class Network:
    """The network of the pods, which is made for the first one."""

    def __init__(self, engine: Engine, labels: Labels, port: int, loop: asyncio.AbstractEventLoop) -> None:
        self._engine = engine
        self._labels = labels
        self._port = port
        self._loop = loop
        self._server: asyncio.Server | None = None
        self._gateway: Gateway | None = None

    @property
    def name(self) -> str:
        """Its name in the engine."""
        return f"embedded-aws-{self._labels.instance}"

    def open(self) -> Gateway:
        """Make the network, unless that was done; blocks, one caller at a time. Raises EngineError."""
        if self._gateway is None:
            self._engine.run("network", "create", *self._labels.arguments(), self.name)
            self._gateway = self._led_here(*self._addresses())
        return self._gateway

    def close(self) -> None:
        """Close the port; the network is removed by its label."""
        if self._server is not None:
            self._server.close()

    def _addresses(self) -> tuple[str, str]:
        for template in _SUBNETS:
            told = self._engine.try_to("network", "inspect", "--format", template, self.name)
            for line in (told or "").splitlines():
                subnet, _, gateway = line.partition(" ")
                if "." in gateway:
                    return subnet, gateway
        raise EngineError(f"{self._engine.name}: the network {self.name} has no IPv4 address")

    def _led_here(self, subnet: str, gateway: str) -> Gateway:
        async def listen(bound: socket.socket) -> asyncio.Server:
            return await asyncio.start_server(self._admit(ipaddress.ip_network(subnet)), sock=bound)

        if self._engine.in_machine:
            return Gateway(MACHINES_HOST, None, self._port)
        try:
            bound = _bound(gateway, ahead=self._engine.name == "podman")
        except OSError:  # no address of this machine
            return Gateway(UPSTREAM, "host-gateway", self._port)
        self._server = asyncio.run_coroutine_threadsafe(listen(bound), self._loop).result()
        return Gateway(UPSTREAM, gateway, bound.getsockname()[1])

    def _admit(self, pods: ipaddress.IPv4Network | ipaddress.IPv6Network) -> Handler:
        async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            with suppress(OSError):
                if ipaddress.ip_address(writer.get_extra_info("peername")[0]) in pods:
                    await _relay(reader, writer, self._port)
            writer.close()

        return handle


def _bound(address: str, ahead: bool) -> socket.socket:
    """A socket at a free port of an address; ``ahead`` of the address, which podman makes with the first pod."""
    made = socket.socket()
    try:
        if ahead:
            made.setsockopt(socket.IPPROTO_IP, IP_FREEBIND, 1)
        made.bind((address, 0))
    except OSError:
        made.close()
        raise
    return made


async def _relay(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, port: int) -> None:
    onward_reader, onward_writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        await asyncio.gather(_copy(reader, onward_writer), _copy(onward_reader, writer))
    finally:
        onward_writer.close()


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await reader.read(CHUNK):
        writer.write(data)
        await writer.drain()
    if writer.can_write_eof():
        writer.write_eof()
