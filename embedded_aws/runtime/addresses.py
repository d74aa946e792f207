"""Loopback addresses that represent addresses of a VPC.

Every task has an address of its own, as on Fargate, so that all of them may listen on the same port. One
embedded AWS uses one /16 of 127.0.0.0/8; several at once (parallel tests) use different ones. In a range the
lower half of the third octet is for tasks' addresses; the upper half is for their localhost (see ``TaskAddresses``).
"""

from __future__ import annotations

import errno
import socket
from collections import deque
from dataclasses import dataclass
from functools import cache

from ..kernel.data_plane import DataPlane

LOW_PORT_SHIFT = 61000  # above Linux's ephemeral ports
LEASE_PORT = 27127  # below the ephemeral ports of Linux and macOS, above the privileged ones
SECOND_OCTETS = range(31, 255)
PROBE = 64  # where only some addresses are usable, look for this many


class NoAddressError(RuntimeError):
    """This machine has no free loopback addresses; the text says what to do."""


@cache
def low_port_shift() -> int:
    """The offset for a container's ports below 1024: 0 where this process may use such ports."""
    with socket.socket() as probe:
        try:
            probe.bind(("127.0.0.1", 1023))
        except PermissionError:
            return LOW_PORT_SHIFT
        except OSError:  # in use, so this process may use such ports
            return 0
    return 0


def real_port(port: int) -> int:
    """The port on this machine for a container's ``port``."""
    return port + low_port_shift() if 0 < port < 1024 else port


@dataclass(frozen=True)
class TaskAddresses:
    """The addresses of one task.

    Other tasks and the load balancer use ``address``. ``localhost`` replaces 127.0.0.1 inside the task, and
    ``localhost6`` replaces ::1; these two are not published.
    """

    address: str

    @property
    def localhost(self) -> str:
        """The replacement of 127.0.0.1 inside the task."""
        return self._moved(128)

    @property
    def localhost6(self) -> str:
        """The replacement of ::1, and of any IPv6-only address, inside the task."""
        return self._moved(192)

    def listening(self, port: int) -> str:
        """The task's address that a TCP connection to 127.0.0.1 and ``port`` inside the task reaches."""
        real = real_port(port)
        here = not is_bound(self.localhost, real) and is_bound(self.address, real)
        return self.address if here else self.localhost

    def _moved(self, by: int) -> str:
        first, second, third, fourth = self.address.split(".")
        return f"{first}.{second}.{int(third) + by}.{fourth}"


def is_bound(address: str, port: int) -> bool:
    """Whether a socket listens at a TCP address of this machine; found out by trying to bind it."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((address, port))
        except OSError:
            return True
    return False


class Addresses:
    """Allocates loopback addresses; the range is released when the process ends, in any way."""

    def __init__(self, plane: DataPlane, *, names_suffice: bool = False) -> None:
        """NoAddressError without usable addresses, unless ``names_suffice``: where nobody listens at them."""
        self._plane = plane
        self._lease: socket.socket | None
        try:
            self._lease, self.range = _lease_range()
            self._free = deque(_usable(self.range))
        except NoAddressError:
            if not names_suffice:
                raise
            self._lease, self.range = None, f"127.{SECOND_OCTETS[0]}"
            self._free = deque(_every(self.range))
        self._lent: dict[tuple[str, str], str] = {}

    def loopback(self, vpc_id: str, ip: str) -> str:
        """The loopback address for ``ip`` of a VPC; the same one until it is released.

        Recently released addresses are reused last, so that late packets reach nobody.
        Raises NoAddressError when all are in use.
        """
        with self._plane.lock:
            key = (vpc_id, ip)
            if key not in self._lent:
                if not self._free:
                    raise NoAddressError(f"All loopback addresses are in use. {_remedy(self.range)}")
                self._lent[key] = self._free.popleft()
            return self._lent[key]

    def release(self, vpc_id: str, ip: str) -> str | None:
        """Release an address, and return it; None if it is not allocated."""
        with self._plane.lock:
            address = self._lent.pop((vpc_id, ip), None)
            if address is not None:
                self._free.append(address)
            return address

    async def run(self) -> None:
        """Nothing: there is no background work."""

    def reset(self) -> None:
        """Release every address."""
        self._free.extend(self._lent.values())
        self._lent.clear()

    def close(self) -> None:
        """Release the range."""
        if self._lease is not None:
            self._lease.close()


def _lease_range() -> tuple[socket.socket, str]:
    """A range ``127.x`` that no other process uses: the process with the socket bound in it owns the range.

    The kernel frees a socket even after ``kill -9``, and manages it for every process that shares these addresses.
    """
    elsewhere = False
    for octet in SECOND_OCTETS:
        lease = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        try:
            lease.bind((f"127.{octet}.0.1", LEASE_PORT))
        except OSError as error:
            lease.close()
            elsewhere = elsewhere or error.errno == errno.EADDRNOTAVAIL
        else:
            return lease, f"127.{octet}"
    if elsewhere:
        raise NoAddressError(f"This system has only the loopback address 127.0.0.1. {_remedy('127.31')}")
    raise NoAddressError("Every range of loopback addresses is in use by another embedded AWS.")


def _every(prefix: str) -> list[str]:
    return [f"{prefix}.{third}.{fourth}" for third in range(64) for fourth in range(1, 255)][1:]


def _usable(prefix: str) -> list[str]:
    every = _every(prefix)
    if _answers(every[-1]):
        return every
    return [address for address in every[:PROBE] if _answers(address)]


def _answers(address: str) -> bool:
    network = TaskAddresses(address)
    for each in (network.address, network.localhost, network.localhost6):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
            try:
                probe.bind((each, 0))
            except OSError:
                return False
    return True


def _remedy(prefix: str) -> str:
    return (
        "Add addresses for 16 tasks with: for i in $(seq 1 17); do for j in 0 128 192; do "
        f"sudo ifconfig lo0 alias {prefix}.$j.$i; done; done"
    )
