"""WebSockets through an Application Load Balancer.

Quotes are from the Application Load Balancers user guide unless they name another source.
"""

from __future__ import annotations

from socket import SHUT_RDWR
from typing import Any

import pytest
import requests
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import ClientConnection, connect

from tests.embedded.balanced import Balanced
from tests.embedded.sites import MEGABYTE
from tests.embedded_process import PATIENCE, eventually


def open_socket(balanced: Balanced, **more: Any) -> ClientConnection:
    """A WebSocket through the load balancer to a site's ``/ws``."""
    return connect(f"ws://{balanced.host}/ws", max_size=None, **more)


def close_of(socket: ClientConnection) -> ConnectionClosed:
    """How a socket is closed by the other side."""
    with pytest.raises(ConnectionClosed) as closed:
        socket.recv(timeout=PATIENCE)
    return closed.value


def test_the_subprotocol_is_agreed_end_to_end(balanced: Balanced) -> None:
    """Sec-WebSocket-Protocol passes both ways (RFC 6455, 1.9); Streamlit's is ``streamlit``."""
    site = balanced.add("one")
    with open_socket(balanced, subprotocols=["other", "streamlit"]) as socket:
        assert socket.subprotocol == "streamlit"
    seen = site.seen[-1]
    assert (seen.header("Upgrade"), seen.header("Connection")) == ("websocket", "Upgrade")
    assert seen.header("X-Forwarded-For") == "127.0.0.1"
    assert seen.header("Host") == balanced.host


def test_messages_pass_both_ways(balanced: Balanced) -> None:
    """ "native support for WebSockets": text and binary, in order."""
    balanced.add("one")
    with open_socket(balanced) as socket:
        for message in ("name", "ü", b"\x00\xff", ""):
            socket.send(message)
        assert [socket.recv() for _ in range(4)] == ["one", "ü", b"\x00\xff", ""]


def test_large_messages_pass(balanced: Balanced) -> None:
    """There is no limit to a message; Streamlit's own is 200 MB."""
    balanced.add("one")
    message = bytes(range(256)) * (40 * MEGABYTE // 256)
    with open_socket(balanced, compression=None) as socket:
        socket.send(message)
        assert socket.recv() == message


def test_fragments_and_compression_pass(balanced: Balanced) -> None:
    """After the upgrade the load balancer passes bytes: what the two sides agreed on holds (RFC 7692)."""
    balanced.add("one")
    with open_socket(balanced, compression="deflate") as socket:
        socket.send(["one ", "in ", "parts"])
        assert socket.recv() == "one in parts"
        assert [type(one).__name__ for one in socket.protocol.extensions] == ["PerMessageDeflate"]


def test_pings_are_answered_by_the_target(balanced: Balanced) -> None:
    """Ping and pong are frames like others."""
    balanced.add("one")
    with open_socket(balanced) as socket:
        assert socket.ping().wait(timeout=PATIENCE)


def test_the_targets_close_code_arrives(balanced: Balanced) -> None:
    """A close frame passes with code and reason (RFC 6455, 7.1.5)."""
    balanced.add("one")
    with open_socket(balanced) as socket:
        socket.send("close 4001")
        received = close_of(socket).rcvd
    assert received is not None
    assert (received.code, received.reason) == (4001, "as asked")


def test_the_clients_close_code_arrives(balanced: Balanced) -> None:
    """The other way round."""
    site = balanced.add("one")
    with open_socket(balanced) as socket:
        socket.close(code=4002)
    assert eventually(lambda: site.gone) == ["websocket 4002"]


def test_a_client_that_vanishes_is_noticed(balanced: Balanced) -> None:
    """The target's connection ends with the client's: 1006, without a close frame."""
    site = balanced.add("one")
    with open_socket(balanced) as socket:
        socket.socket.shutdown(SHUT_RDWR)
        assert eventually(lambda: site.gone) == ["websocket 1006"]


def test_a_refused_upgrade_arrives_as_it_is(balanced: Balanced) -> None:
    """Any answer but 101 is passed on: Streamlit refuses a foreign Origin with 403."""
    balanced.add("one")
    with pytest.raises(InvalidStatus) as refused:
        connect(f"ws://{balanced.host}/elsewhere")
    assert refused.value.response.status_code == 200
    assert refused.value.response.body == b"one"


def test_without_target_there_is_no_websocket(balanced: Balanced) -> None:
    """HTTP 503, also to an upgrade."""
    balanced.await_active()
    with pytest.raises(InvalidStatus) as refused:
        open_socket(balanced)
    assert refused.value.response.status_code == 503


def test_a_silent_websocket_is_closed(balanced: Balanced) -> None:
    """ "If no data has been sent or received by the time that the idle timeout period elapses, the load balancer
    closes the connection."
    """
    balanced.add("one")
    balanced.set_balancer(idle_timeout__timeout_seconds=1)
    with open_socket(balanced, ping_interval=None) as socket:
        assert close_of(socket).rcvd is None


def test_a_minute_of_silence_is_a_real_minute(balanced: Balanced) -> None:
    """The idle timeout is 60 s by default, and programs that ping every 30 s rely on it: it is not made shorter than a
    minute by time that runs fast.
    """
    balanced.add("one")
    balanced.add("two")
    balanced.set_group(deregistration_delay__timeout_seconds=100)
    with open_socket(balanced, ping_interval=None) as socket:
        socket.send("name")
        other = ({"one", "two"} - {socket.recv()}).pop()
        balanced.deregister(balanced.addresses[other])
        balanced.await_state(balanced.addresses[other], None)
        socket.send("name")
        assert socket.recv() != other


def test_a_websocket_with_pings_stays(balanced: Balanced) -> None:
    """ "send at least 1 byte of data before each idle timeout period elapses"."""
    balanced.add("one")
    balanced.set_balancer(idle_timeout__timeout_seconds=1)
    with open_socket(balanced, ping_interval=0.2) as quiet, open_socket(balanced, ping_interval=None) as mute:
        assert close_of(mute).rcvd is None
        quiet.send("name")
        assert quiet.recv() == "one"


def test_a_websocket_counts_as_one_request(balanced: Balanced) -> None:
    """least_outstanding_requests: an open WebSocket is a request in progress."""
    for name in ("one", "two"):
        balanced.add(name)
    balanced.set_group(load_balancing__algorithm__type="least_outstanding_requests")
    with open_socket(balanced) as socket:
        socket.send("name")
        busy = socket.recv()
        others = {requests.get(balanced.url, timeout=PATIENCE).text for _ in range(10)}
    assert others == {"one", "two"} - {busy}


def test_a_websocket_goes_where_the_cookie_says(balanced: Balanced) -> None:
    """Stickiness holds for the request that asks for the upgrade; later the connection itself is sticky."""
    for name in ("one", "two"):
        balanced.add(name)
    balanced.set_group(stickiness__enabled="true")
    first = requests.get(balanced.url, timeout=PATIENCE)
    cookie = f"AWSALB={first.cookies['AWSALB']}"
    for _ in range(4):
        with open_socket(balanced, additional_headers={"Cookie": cookie}) as socket:
            socket.send("name")
            assert socket.recv() == first.text


def test_an_upgrade_gets_a_cookie(balanced: Balanced) -> None:
    """The response to the upgrade carries AWSALB and AWSALBCORS."""
    balanced.add("one")
    balanced.set_group(stickiness__enabled="true")
    with open_socket(balanced) as socket:
        assert socket.response is not None
        cookies = socket.response.headers.get_all("Set-Cookie")
    assert [cookie.partition("=")[0] for cookie in cookies] == ["AWSALB", "AWSALBCORS"]


def test_a_websocket_to_a_target_that_dies_ends(balanced: Balanced) -> None:
    """The client's connection ends with the target's."""
    site = balanced.add("one")
    with open_socket(balanced) as socket:
        site.stop()
        close_of(socket)
