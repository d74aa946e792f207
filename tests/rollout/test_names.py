"""How often the names before a distribution are read, and how many at once."""

from __future__ import annotations

import socket
from dataclasses import dataclass, field
from threading import Thread
from typing import Any, cast

from lobster_tasks.aws import Aws
from lobster_tasks.probe import PublicEndpoint
from lobster_tasks.rollout.observation.way import NamesReader, VisitorsPath, with_certificates
from lobster_tasks.settings import load

DOMAINS = ["app.example.com", "www.example.com"]
SETTINGS = load({"front": {"kind": "cloudfront"}, "domains": DOMAINS})


def path(id: str, *aliases: str, url: str = "https://d111111abcdef8.cloudfront.net") -> VisitorsPath:
    """The way through a distribution."""
    distribution = {"Id": id, "DistributionConfig": {"Aliases": {"Items": list(aliases)}}}
    return VisitorsPath(SETTINGS, ("lobster-tg",), PublicEndpoint(url, distribution=distribution))


@dataclass
class Route53:
    """An account without a hosted zone, at a time of its clock; it counts the listings."""

    time: float = 0.0
    asked: list[str] = field(default_factory=list)

    @property
    def clock(self) -> Route53:
        """Its clock is itself."""
        return self

    def now(self) -> float:
        """The time."""
        return self.time

    def pages(self, operation: str, *_: str, **__: Any) -> list[dict[str, Any]]:
        """Nothing."""
        self.asked.append(operation)
        return []


def test_names_are_not_read_again_at_each_look() -> None:
    account = Route53()
    reads = NamesReader(cast(Aws, account))

    def listings(way: VisitorsPath, time: float) -> int:
        account.time = time
        names = reads(way).names
        assert [each.domain for each in names] == (DOMAINS if way.endpoint else [])
        return len(account.asked)

    assert listings(VisitorsPath(SETTINGS, ("lobster-tg",)), 0) == 0
    assert listings(path("E1"), 10) == 1
    assert listings(path("E1"), 20) == 1
    assert listings(path("E1"), 69) == 1
    assert listings(path("E1"), 70) == 2
    assert listings(path("E2"), 80) == 3


def waits_for_all(server: socket.socket, met: list[bool]) -> None:
    """Take two connections and no TLS; note whether both are open at one time."""
    taken = [server.accept()[0] for _ in DOMAINS]
    met.append(all(is_open(each) for each in taken))
    for each in taken:
        each.close()


def is_open(connection: socket.socket) -> bool:
    """Whether the other side has not closed it."""
    connection.setblocking(False)
    try:
        while connection.recv(4096):
            pass
    except BlockingIOError:
        return True
    return False


def test_the_certificates_of_all_domains_are_asked_for_at_once() -> None:
    """A domain whose edge does not answer takes as long as ten do."""
    met: list[bool] = []
    with socket.create_server(("127.0.0.1", 0)) as server:
        listener = Thread(target=waits_for_all, args=(server, met))
        listener.start()
        names = with_certificates(
            path("E1", *DOMAINS, url=f"https://127.0.0.1:{server.getsockname()[1]}")
        ).names
        listener.join()
    assert [(each.domain, each.certificate) for each in names] == [(each, "") for each in DOMAINS]
    assert met == [True]
