"""What an Application Load Balancer does with requests.

Quotes are from the Application Load Balancers user guide unless they name another source.
"""

from __future__ import annotations

import pytest
import requests
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

from tests.embedded.balanced import Balanced


def test_a_healthy_target_answers(balanced: Balanced) -> None:
    """ "The load balancer routes requests to the registered targets that are healthy."""
    balanced.add("one")
    answer = requests.get(balanced.url, timeout=10)
    assert answer.text == "one"


def test_a_websocket_is_passed_through(balanced: Balanced) -> None:
    """ "Application Load Balancers provide native support for WebSockets."""
    balanced.add("one")
    url = f"ws://{balanced.host}/ws"
    with connect(url, subprotocols=["streamlit"], max_size=None) as socket:
        assert socket.subprotocol == "streamlit"
        socket.send("name")
        assert socket.recv() == "one"
        big = b"x" * (5 << 20)
        socket.send(big)
        assert socket.recv() == big
        socket.send("close 4001")
        with pytest.raises(ConnectionClosed) as closed:
            socket.recv()
    assert closed.value.rcvd is not None
    assert (closed.value.rcvd.code, closed.value.rcvd.reason) == (4001, "as asked")
