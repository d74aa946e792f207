"""Deregistration delay, and replacing targets without losing a request.

Quotes are from the Application Load Balancers user guide unless they name another source.
"""

from __future__ import annotations

import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import requests
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

from tests.embedded.balanced import Balanced
from tests.embedded_process import PATIENCE, eventually


def deregister(balanced: Balanced, name: str) -> None:
    """Deregister a site by name."""
    balanced.deregister(balanced.addresses[name])


def state(balanced: Balanced, name: str) -> str | None:
    """A site's state, None when it is not registered any more."""
    health = balanced.health(balanced.addresses[name])
    return health["State"] if health else None


def test_a_deregistering_target_drains_and_is_then_gone(balanced: Balanced) -> None:
    """ "The initial state of a deregistering target is draining. After the deregistration delay elapses, the
    deregistration process completes and the state of the target is unused." """
    balanced.add("one")
    balanced.set_group(deregistration_delay__timeout_seconds=100)
    deregister(balanced, "one")
    assert balanced.health(balanced.addresses["one"]) == {
        "State": "draining",
        "Reason": "Target.DeregistrationInProgress",
        "Description": "Target deregistration is in progress",
    }
    balanced.await_state(balanced.addresses["one"], None)
    asked = [{"Id": balanced.addresses["one"]}]
    found = balanced.elb.describe_target_health(TargetGroupArn=balanced.target_group, Targets=asked)
    assert found["TargetHealthDescriptions"][0]["TargetHealth"] == {
        "State": "unused",
        "Reason": "Target.NotRegistered",
        "Description": "Target is not registered to the target group",
    }


def test_a_draining_target_gets_no_new_requests(balanced: Balanced) -> None:
    """ "Elastic Load Balancing stops sending requests to targets that are deregistering." """
    for name in ("old", "new"):
        balanced.add(name)
    deregister(balanced, "old")
    assert {requests.get(balanced.url, timeout=PATIENCE).text for _ in range(10)} == {"new"}
    assert state(balanced, "old") == "draining"


def test_the_last_target_drains_to_503(balanced: Balanced) -> None:
    """A draining target does not count as registered: HTTP 503, not a fail-open."""
    balanced.add("one")
    deregister(balanced, "one")
    assert requests.get(balanced.url, timeout=PATIENCE).status_code == 503


def test_a_draining_target_may_finish_what_it_does(balanced: Balanced) -> None:
    """The deregistration delay "can help in-flight requests to the target to complete"."""
    site = balanced.add("one")
    with ThreadPoolExecutor() as pool:
        waiting = pool.submit(requests.get, f"{balanced.url}/wait", timeout=PATIENCE)
        eventually(lambda: any(seen.path == "/wait" for seen in site.seen))
        deregister(balanced, "one")
        site.release.set()
        assert waiting.result().text == "one waited"


def test_a_request_that_outlasts_the_delay_is_cut(balanced: Balanced) -> None:
    """HTTP 502: "The deregistration delay period elapsed for a request being handled by a target that was
    deregistered."
    """
    site = balanced.add("one")
    balanced.set_group(deregistration_delay__timeout_seconds=20)
    with ThreadPoolExecutor() as pool:
        waiting = pool.submit(requests.get, f"{balanced.url}/wait", timeout=PATIENCE)
        eventually(lambda: any(seen.path == "/wait" for seen in site.seen))
        deregister(balanced, "one")
        assert waiting.result().status_code == 502
    assert state(balanced, "one") is None


def test_a_draining_target_that_hangs_up_is_an_error(balanced: Balanced) -> None:
    """ "If a deregistering target terminates the connection before the deregistration delay elapses, the client
    receives a 500-level error response." Nobody else is asked.
    """
    site = balanced.add("old")
    with ThreadPoolExecutor() as pool:
        waiting = pool.submit(requests.get, f"{balanced.url}/wait", timeout=PATIENCE)
        eventually(lambda: any(seen.path == "/wait" for seen in site.seen))
        balanced.add("new")
        deregister(balanced, "old")
        site.hang_up()
        assert waiting.result().status_code == 502


def test_a_websocket_lives_until_the_delay_ends(balanced: Balanced) -> None:
    """An open connection to a draining target works on, and is closed when the delay is over."""
    balanced.add("one")
    balanced.set_group(deregistration_delay__timeout_seconds=100)
    with connect(f"ws://{balanced.host}/ws") as socket:
        deregister(balanced, "one")
        socket.send("name")
        assert socket.recv() == "one"
        assert state(balanced, "one") == "draining"
        with pytest.raises(ConnectionClosed):
            socket.recv(timeout=PATIENCE)
    assert state(balanced, "one") is None


def test_kept_alive_connections_to_a_draining_target_are_closed(balanced: Balanced) -> None:
    """ "If a deregistering target has no in-flight requests and no active connections, Elastic Load Balancing
    immediately completes the deregistration process": idle connections do not hold it up.
    """
    site = balanced.add("one")
    requests.get(balanced.url, timeout=PATIENCE)
    deregister(balanced, "one")
    eventually(lambda: not site.connections())
    assert state(balanced, "one") == "draining"


def test_it_is_shown_as_draining_although_it_is_done(balanced: Balanced) -> None:
    """ "However, even though target deregistration is complete, the status of the target will be displayed as
    draining until the deregistration delay elapses."
    """
    balanced.add("one")
    deregister(balanced, "one")
    assert state(balanced, "one") == "draining"


def test_an_unused_target_is_gone_at_once(balanced: Balanced) -> None:
    """A target that gets no requests has nothing to drain."""
    lonely = balanced.make_target_group("lonely")
    ip = balanced.make_address()
    balanced.register(ip, lonely)
    assert balanced.health(ip, lonely)["State"] == "unused"
    balanced.deregister(ip, lonely)
    assert balanced.health(ip, lonely) is None


def test_a_draining_target_may_come_back(balanced: Balanced) -> None:
    """ "You can register the target with the target group again when you are ready for it to resume receiving
    requests": it begins anew.
    """
    balanced.add("one")
    deregister(balanced, "one")
    balanced.sites[0].health = 503
    balanced.register(balanced.addresses["one"])
    assert state(balanced, "one") in ("initial", "unhealthy")
    balanced.sites[0].health = 200
    balanced.await_state(balanced.addresses["one"], "healthy")
    assert requests.get(balanced.url, timeout=PATIENCE).text == "one"


def test_deregistering_what_is_not_registered_is_fine(balanced: Balanced) -> None:
    """DeregisterTargets: "Note: If the specified target does not exist, the action returns successfully." """
    balanced.deregister(balanced.make_address())


def test_a_sticky_client_moves_on(balanced: Balanced) -> None:
    """ "if it refers to a target that was deregistered or is unhealthy, the load balancer selects a new target and
    updates the cookie with information about the new target."
    """
    for name in ("one", "two"):
        balanced.add(name)
    balanced.set_group(stickiness__enabled="true")
    with requests.Session() as session:
        first = session.get(balanced.url, timeout=PATIENCE).text
        other = ({"one", "two"} - {first}).pop()
        deregister(balanced, first)
        assert {session.get(balanced.url, timeout=PATIENCE).text for _ in range(5)} == {other}
        balanced.register(balanced.addresses[first])
        balanced.await_state(balanced.addresses[first], "healthy")
        assert {session.get(balanced.url, timeout=PATIENCE).text for _ in range(5)} == {other}


class Hammer:
    """Clients that keep their connections and ask each 50 ms or so; counts what they get."""

    def __init__(self, url: str, clients: int) -> None:
        self.got: Counter[str] = Counter()
        self._over = threading.Event()
        self._threads = [threading.Thread(target=self._ask, args=(url,)) for _ in range(clients)]

    def __enter__(self) -> Hammer:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: Any) -> None:
        self._over.set()
        for thread in self._threads:
            thread.join()

    def _ask(self, url: str) -> None:
        with requests.Session() as session:
            while not self._over.is_set():
                try:
                    answer = session.get(url, timeout=PATIENCE)
                    self.got[answer.text if answer.ok else str(answer.status_code)] += 1
                except requests.RequestException as error:
                    self.got[type(error).__name__] += 1
                self._over.wait(0.05)


def test_no_request_is_lost_while_targets_are_replaced(balanced: Balanced) -> None:
    """Rolling replacement: a new target is healthy before an old one is deregistered, and an old one drains before
    it stops. Nobody notices.
    """
    balanced.set_group(deregistration_delay__timeout_seconds=30)
    current = [balanced.add("0"), balanced.add("1")]
    with Hammer(balanced.url, clients=50) as hammer:
        for number in range(2, 8):
            current.append(balanced.add(str(number)))
            eventually(lambda: hammer.got[current[-1].name] > 10)
            old = current.pop(0)
            deregister(balanced, old.name)
            balanced.await_state(balanced.addresses[old.name], None)
            old.stop()
    assert set(hammer.got) == {str(number) for number in range(8)}
