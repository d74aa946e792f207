"""WebSockets through CloudFront, a VPC origin and an internal load balancer.

Supported since May 2026 (What's New, "amazon-cloudfront-websockets-vpc-origins"). Quotes are from the CloudFront
Developer Guide, "Use WebSockets with CloudFront distributions" and "Quotas", unless they name another source.
"""

from __future__ import annotations

import ssl
import time
from collections.abc import Iterator
from typing import Any

import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus

from tests.embedded.fronted import Fronted
from tests.embedded_process import PATIENCE, EmbeddedProcess, eventually
from tests.web_socket import WebSocket, connect


class Edge(Fronted):
    """A distribution before the load balancer, and a site behind it."""

    def prepare(self) -> None:
        """Make all of it, and wait until it answers."""
        super().prepare()
        self.context = ssl.create_default_context(cadata=self.authority)

    def open(self, **more: Any) -> WebSocket:
        """A WebSocket to the site's ``/ws``."""
        return connect(f"wss://{self.name}/ws", ssl=self.context, max_size=None, **more)


@pytest.fixture(scope="module")
def made(rapid_process: EmbeddedProcess) -> Iterator[Edge]:
    """One for all tests of this file."""
    rapid_process.reset()
    edge = Edge(rapid_process)
    edge.prepare()
    yield edge
    edge.close()
    rapid_process.reset()


@pytest.fixture
def edge(made: Edge) -> Iterator[Edge]:
    """The same, without what was ordered or seen before."""
    made.site.seen.clear()
    made.site.gone.clear()
    yield made
    made.aws.forgive()


def test_messages_pass_both_ways(edge: Edge) -> None:
    """ "Data over a WebSocket connection can flow in both directions": text and binary, in order."""
    with edge.open() as socket:
        for message in ("name", "ü", b"\x00\xff", "x" * (1 << 20)):
            socket.send(message)
        assert [socket.recv() for _ in range(4)] == ["app", "ü", b"\x00\xff", "x" * (1 << 20)]


def test_the_handshake_passes(edge: Edge) -> None:
    """ "Forward all viewer request headers to your origin. You can use the AllViewer managed origin request
    policy"; Origin and Host are those of the viewer, so that an app that compares them (Streamlit) accepts."""
    origin: Any = f"https://{edge.name}"
    with edge.open(subprotocols=["other", "streamlit"], origin=origin) as socket:
        assert socket.subprotocol == "streamlit"
    seen = edge.site.seen[-1]
    assert (seen.header("Upgrade"), seen.header("Connection")) == ("websocket", "Upgrade")
    assert (seen.header("Host"), seen.header("Origin")) == (edge.name, origin)
    assert seen.header("Sec-WebSocket-Key")


def test_how_a_socket_is_closed_passes(edge: Edge) -> None:
    """The close code of either side (RFC 6455, 7.4) arrives at the other."""
    with edge.open() as socket:
        socket.send("close 4001")
        with pytest.raises(ConnectionClosed) as closed:
            socket.recv(timeout=PATIENCE)
        assert closed.value.rcvd is not None
        assert closed.value.rcvd.code == 4001
    with edge.open() as socket:
        socket.close(code=4002)
    eventually(lambda: "websocket 4002" in edge.site.gone)


def test_a_socket_whose_origin_is_silent_is_closed(edge: Edge) -> None:
    """ "If CloudFront hasn't detected any bytes sent from the origin to the client within the past 10 minutes, the
    connection is assumed to be idle and is closed." Here the time is ordered."""
    edge.aws.order({"websocket_idle_seconds": 1000})
    with edge.open() as socket:
        socket.send("name")
        assert socket.recv() == "app"
        with pytest.raises(ConnectionClosed) as closed:
            socket.recv(timeout=PATIENCE)
        assert closed.value.rcvd is None


def test_what_the_client_sends_does_not_keep_a_socket(edge: Edge) -> None:
    """The same: only bytes from the origin count. The client's are parts of one message, to which the site says
    nothing."""
    edge.aws.order({"websocket_idle_seconds": 1000})
    with edge.open() as socket, pytest.raises(ConnectionClosed):
        socket.send(_unfinished())


def _unfinished() -> Iterator[str]:
    """Parts of a message that lasts until the socket is closed."""
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until:
        time.sleep(0.02)
        yield "x"


def test_a_socket_that_the_app_refuses_is_refused(edge: Edge) -> None:
    """An answer to the handshake that is no 101 passes as it is."""
    with pytest.raises(InvalidStatus) as refused, connect(f"wss://{edge.name}/", ssl=edge.context):
        pass
    assert refused.value.response.status_code == 200
    assert refused.value.response.body == b"app"


def test_a_socket_without_a_way_is_504(edge: Edge) -> None:
    """As any other request: no rule, no connection."""
    listed = [{"PrefixListId": edge.prefix_list()}]
    rule = [{"IpProtocol": "tcp", "FromPort": 80, "ToPort": 80, "PrefixListIds": listed}]
    edge.ec2.revoke_security_group_ingress(GroupId=edge.guarded, IpPermissions=rule)
    with pytest.raises(InvalidStatus) as refused, edge.open():
        pass
    edge.let_cloudfront_in()
    assert refused.value.response.status_code == 504
