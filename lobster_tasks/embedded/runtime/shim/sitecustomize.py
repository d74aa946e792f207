"""Gives a Python program inside a task the task's own addresses.

Python imports this at start (it is on the task's PYTHONPATH). A task has no network namespace of its own, so
the addresses that a program names are exchanged where it names them: "any address" becomes the task's address;
127.0.0.1 and ::1 become two more loopback addresses that only this task knows, and connections to them reach
what the task itself listens on. What listens on this machine's 127.0.0.1 is out of reach, as it is on Fargate,
except the ports of the embedded AWS itself.

``EMBEDDED_AWS_NETWORK`` is ``address,localhost,localhost6[,port…]``. Known limits: code that does not go
through Python's sockets (uvloop is kept from being imported; gRPC, Rust and C servers) and ``python -I``/``-E``.
"""

from __future__ import annotations

import _socket
import os
import sys

TYPE_CHECKING = False  # importing typing would take longer than all the rest
if TYPE_CHECKING:
    from typing import Any

Plain: Any = _socket.socket
ANY = ("", "0.0.0.0", "<any>")
ANY6 = ("", "::", "::0")
LOCAL = ("127.0.0.1", "localhost")
LOCAL6 = ("::1", "localhost")


class Network:
    """The addresses of the task, and the exchange."""

    def __init__(self, address: str, localhost: str, localhost6: str, *ports: str) -> None:
        self.address, self.localhost, self.localhost6 = address, localhost, localhost6
        self.ports = frozenset(map(int, ports))  # of this machine's 127.0.0.1 that can be reached
        self.names = ("127.0.1.1", os.uname().nodename)  # that a machine has for itself

    def to_bind(self, sock: Any, where: Any) -> Any:
        """The address to bind instead of ``where``."""
        if not isinstance(where, tuple) or sock.family not in (_socket.AF_INET, _socket.AF_INET6):
            return where
        host, port = where[:2]
        if sock.type == _socket.SOCK_DGRAM and port == 0:
            return where  # a client: it must be able to reach the world
        if sock.family == _socket.AF_INET6:
            return self._to_bind6(sock, host, where)
        if host in ANY or host in self.names:
            return (self.address, port)
        return (self.localhost, port) if host in LOCAL else where

    def _to_bind6(self, sock: Any, host: Any, where: Any) -> Any:
        """An IPv4 address in IPv6 clothes; what is for IPv6 only stays apart from the task's address."""
        if host not in ANY6 and host not in LOCAL6:
            return where
        alone = host in LOCAL6 or sock.getsockopt(_socket.IPPROTO_IPV6, _socket.IPV6_V6ONLY)
        sock.setsockopt(_socket.IPPROTO_IPV6, _socket.IPV6_V6ONLY, 0)
        return (f"::ffff:{self.localhost6 if alone else self.address}", *where[1:])

    def to_connect(self, sock: Any, where: Any) -> Any:
        """The address to connect to instead of ``where``."""
        if not isinstance(where, tuple) or where[1] in self.ports:
            return where
        host, port = where[:2]
        if sock.family == _socket.AF_INET:
            if host in self.names:
                return (self.address, port)
            if host in ANY or host in LOCAL:
                return (self._listening(self.localhost, port, sock.type), port)
        if sock.family == _socket.AF_INET6 and (host in ANY6 or host in LOCAL6):
            return (f"::ffff:{self._listening(self.localhost6, port, sock.type)}", *where[1:])
        return where

    def _listening(self, local: str, port: int, kind: int) -> str:
        """What listens on any address listens on localhost too."""
        here = not is_bound(local, port, kind) and is_bound(self.address, port, kind)
        return self.address if here else local


def is_bound(host: str, port: int, kind: int) -> bool:
    """Whether a socket listens at an address; asked by trying to take its place."""
    probe = Plain(_socket.AF_INET, kind)
    try:
        probe.setsockopt(_socket.SOL_SOCKET, _socket.SO_REUSEADDR, 1)
        probe.bind((host, port))
    except OSError:
        return True
    finally:
        probe.close()
    return False


def install(network: Network) -> None:
    """Put the exchange below every socket that Python makes, ``socket.socket`` and gevent's alike."""

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
    if loaded is not None:  # something on the path of this Python needed sockets first
        for name in ("bind", "connect", "connect_ex", "sendto"):
            setattr(loaded.socket, name, getattr(socket, name))
        return
    socket.__module__ = "_socket"
    vars(_socket).update(socket=socket, SocketType=socket)


def import_next() -> None:
    """Import the environment's own ``sitecustomize``, which this one stands before."""
    here = os.path.dirname(os.path.abspath(__file__))
    sys.path[:] = [entry for entry in sys.path if os.path.abspath(entry) != here]
    this = sys.modules.pop("sitecustomize")
    try:
        __import__("sitecustomize")
    except ModuleNotFoundError as error:
        if error.name != "sitecustomize":
            raise
        sys.modules["sitecustomize"] = this


if os.environ.get("EMBEDDED_AWS_NETWORK"):
    install(Network(*os.environ["EMBEDDED_AWS_NETWORK"].split(",")))
    vars(sys)["modules"]["uvloop"] = None  # its sockets are libuv's; asyncio's own loop is used instead
    import_next()
