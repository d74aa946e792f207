"""Gives a Python program in a task the task's own addresses.

Python imports this at start (it is on the task's PYTHONPATH). A task has no network namespace of its own, so
addresses are replaced where the program uses them: "any address" becomes the task's address;
127.0.0.1 and ::1 become two more loopback addresses of this task, and connections to them reach
what the task itself listens on. Servers on this machine's 127.0.0.1 cannot be reached, as on Fargate,
except for the ports of the embedded AWS itself.

``EMBEDDED_AWS_NETWORK`` is ``address,localhost,localhost6,shift[,port…]``; ``shift`` is added to ports below
1024 where this machine restricts them. ``HOSTNAME`` is the task's name. Known limits: code
that does not use Python's sockets (gRPC, and servers written in C or Rust), and ``python -I`` or ``-E``.
"""

from __future__ import annotations

import _socket
import os
import sys

TYPE_CHECKING = False  # importing typing would take longer than everything else
if TYPE_CHECKING:
    from types import ModuleType
    from typing import Any

HERE = os.path.dirname(os.path.abspath(__file__))
Plain: Any = _socket.socket
ANY = ("", "0.0.0.0", "<any>")
ANY6 = ("", "::", "::0")
LOCAL = ("127.0.0.1", "localhost")
LOCAL6 = ("::1", "localhost")
METHODS = ("bind", "connect", "connect_ex", "sendto")


class TaskNetwork:
    """The addresses of the task, and their replacement."""

    def __init__(self, address: str, localhost: str, localhost6: str, shift: str, *ports: str) -> None:
        self.address, self.localhost, self.localhost6 = address, localhost, localhost6
        self.shift = int(shift)
        self.ports = frozenset(map(int, ports))  # ports of this machine's 127.0.0.1 that can be reached
        self.name = os.environ.get("HOSTNAME") or os.uname().nodename
        self.names = ("127.0.1.1", os.uname().nodename, self.name)  # names of the machine itself

    def real(self, port: int) -> int:
        """The port on this machine for a port of the task."""
        return port + self.shift if 0 < port < 1024 else port

    def to_bind(self, sock: Any, where: Any) -> Any:
        """The address to bind instead of ``where``."""
        if not isinstance(where, tuple) or sock.family not in (_socket.AF_INET, _socket.AF_INET6):
            return where
        host, port = where[:2]
        if sock.type == _socket.SOCK_DGRAM and port == 0:
            return where  # a client, which must be able to reach any address
        if sock.family == _socket.AF_INET6:
            return self._to_bind6(sock, host, where)
        if host in ANY or host in self.names or host == self.address:
            return (self.address, self.real(port))
        return (self.localhost, self.real(port)) if host in LOCAL else where

    def _to_bind6(self, sock: Any, host: Any, where: Any) -> Any:
        """The IPv4-mapped address to bind; ::1 and IPv6-only sockets get an address apart from the task's."""
        if host not in ANY6 and host not in LOCAL6:
            return where
        alone = host in LOCAL6 or sock.getsockopt(_socket.IPPROTO_IPV6, _socket.IPV6_V6ONLY)
        sock.setsockopt(_socket.IPPROTO_IPV6, _socket.IPV6_V6ONLY, 0)
        own = self.localhost6 if alone else self.address
        return (f"::ffff:{own}", self.real(where[1]), *where[2:])

    def to_connect(self, sock: Any, where: Any) -> Any:
        """The address to connect to instead of ``where``."""
        if not isinstance(where, tuple) or where[1] in self.ports:
            return where
        host, port = where[:2]
        if sock.family == _socket.AF_INET:
            if host in self.names or host == self.address:
                return (self.address, self.real(port))
            if host in ANY or host in LOCAL:
                return self._listening(self.localhost, port, sock.type)
        if sock.family == _socket.AF_INET6 and (host in ANY6 or host in LOCAL6):
            own, real = self._listening(self.localhost6, port, sock.type)
            return (f"::ffff:{own}", real, *where[2:])
        return where

    def _listening(self, local: str, port: int, kind: int) -> tuple[str, int]:
        """The address for a connection to localhost, which reaches servers on any address, too."""
        real = self.real(port)
        here = not is_bound(local, real, kind) and is_bound(self.address, real, kind)
        return (self.address if here else local), real


def is_bound(host: str, port: int, kind: int) -> bool:
    """Whether a socket listens at an address; found out by trying to bind it."""
    probe = Plain(_socket.AF_INET, kind)
    try:
        probe.setsockopt(_socket.SOL_SOCKET, _socket.SO_REUSEADDR, 1)
        probe.bind((host, port))
    except OSError:
        return True
    finally:
        probe.close()
    return False


def exchange_addresses(network: TaskNetwork) -> None:
    """Replace the addresses in every Python socket, ``socket.socket`` and gevent's alike."""

    class socket(Plain):  # noqa: N801 (the name shows in reprs)
        __slots__ = ()

        def bind(self, where: Any, /) -> None:
            Plain.bind(self, network.to_bind(self, where))

        def connect(self, where: Any, /) -> None:
            Plain.connect(self, network.to_connect(self, where))

        def connect_ex(self, where: Any, /) -> Any:
            return Plain.connect_ex(self, network.to_connect(self, where))

        def sendto(self, data: Any, *more: Any) -> Any:
            return Plain.sendto(self, data, *more[:-1], network.to_connect(self, more[-1]))

    loaded: Any = sys.modules.get("socket")
    if loaded is not None:  # sockets were imported before this module
        for name in METHODS:
            setattr(loaded.socket, name, getattr(socket, name))
        return
    socket.__module__ = "_socket"
    vars(_socket).update(socket=socket, SocketType=socket)


def give_name(network: TaskNetwork) -> None:
    """Set the task's host name, and what it resolves to."""
    getaddrinfo, gethostbyname = _socket.getaddrinfo, _socket.gethostbyname

    def own(host: Any) -> Any:
        return network.address if host == network.name else host

    names = {
        "gethostname": lambda: network.name,
        "gethostbyname": lambda host, /: gethostbyname(own(host)),
    }
    vars(_socket).update(
        names, getaddrinfo=lambda host, *more, **named: getaddrinfo(own(host), *more, **named)
    )
    if "socket" in sys.modules:
        vars(sys.modules["socket"]).update(names)


class UvloopStandIn:
    """Imports asyncio's own loop for ``uvloop``, where that is installed: its sockets are not Python's."""

    @staticmethod
    def find_spec(name: str, _path: Any = None, _target: ModuleType | None = None) -> Any:
        """A finder for importlib."""
        if name != "uvloop":
            return None
        from importlib.machinery import PathFinder
        from importlib.util import spec_from_file_location

        if PathFinder.find_spec(name) is None:
            return None
        return spec_from_file_location(name, os.path.join(HERE, "uvloop_stand_in.py"))


def import_next() -> None:
    """Import the environment's own ``sitecustomize``, which this one hides."""
    sys.path[:] = [entry for entry in sys.path if os.path.abspath(entry) != HERE]
    this = sys.modules.pop("sitecustomize")
    try:
        __import__("sitecustomize")
    except ModuleNotFoundError as error:
        if error.name != "sitecustomize":
            raise
        sys.modules["sitecustomize"] = this


if os.environ.get("EMBEDDED_AWS_NETWORK"):
    _network = TaskNetwork(*os.environ["EMBEDDED_AWS_NETWORK"].split(","))
    exchange_addresses(_network)
    give_name(_network)
    sys.meta_path.insert(0, UvloopStandIn)
    import_next()
