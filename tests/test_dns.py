"""Reading public DNS, from a name server of the tests' own."""

from __future__ import annotations

import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import dns.flags
import dns.message
import dns.rcode
import dns.resolver
import dns.rrset
import pytest

from lobster_tasks.dns import name_servers

ANSWERS = {
    "good.org.": ["NS-1.awsdns-1.com.", "ns-2.awsdns-2.net."],
    "bare.org.": [],
}


class Handler(socketserver.BaseRequestHandler):
    """Answers NS queries: NXDOMAIN for unknown names, SERVFAIL for a name that requests it."""

    def handle(self) -> None:
        """Answer one query."""
        data, socket = self.request
        asked = dns.message.from_wire(data)
        answer = dns.message.make_response(asked)
        answer.flags |= dns.flags.RA
        name = asked.question[0].name
        if name.to_text() == "fails.org.":
            answer.set_rcode(dns.rcode.SERVFAIL)
        elif name.to_text() not in ANSWERS:
            answer.set_rcode(dns.rcode.NXDOMAIN)
        elif servers := ANSWERS[name.to_text()]:
            answer.answer.append(dns.rrset.from_text(name, 60, "IN", "NS", *servers))
        socket.sendto(answer.to_wire(), self.client_address)


@contextmanager
def serving() -> Iterator[int]:
    """The server's port."""
    with socketserver.ThreadingUDPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield server.server_address[1]
        finally:
            server.shutdown()
            thread.join()


@pytest.mark.parametrize(
    ("zone", "known"),
    [
        ("good.org", {"ns-1.awsdns-1.com", "ns-2.awsdns-2.net"}),
        ("bare.org", set()),
        ("unknown.org", set()),
        ("fails.org", None),
    ],
)
def test_what_the_resolver_says(zone: str, known: set[str] | None) -> None:
    with serving() as port:
        own = dns.resolver.Resolver(configure=False)
        own.nameservers, own.port = ["127.0.0.1"], port
        assert name_servers(zone, own) == known


def test_without_a_resolver_nobody_knows() -> None:
    deaf = dns.resolver.Resolver(configure=False)
    deaf.nameservers, deaf.lifetime = ["127.0.0.1"], 0.2
    deaf.port = 9
    assert name_servers("good.org", deaf) is None
