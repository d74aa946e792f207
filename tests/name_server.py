"""A name server of the tests' own, at a loopback address, which stands for public DNS."""

from __future__ import annotations

import socketserver
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import dns.flags
import dns.message
import dns.rcode
import dns.resolver
import dns.rrset

Records = Mapping[str, Mapping[str, list[str]]]
"""Of each name its values by type; ``FAILS`` stands for SERVFAIL to questions for the listed types."""
FAILS = "FAILS"


class _Server(socketserver.ThreadingUDPServer):
    """Has the records that its handlers answer from."""

    records: Records


class _Handler(socketserver.BaseRequestHandler):
    """Answers as a resolver does: CNAME records with what they lead to, NXDOMAIN for names without records."""

    def handle(self) -> None:
        """Answer one query."""
        data, socket = self.request
        asked = dns.message.from_wire(data)
        answer = dns.message.make_response(asked)
        answer.flags |= dns.flags.RA
        kind = dns.rdatatype.to_text(asked.question[0].rdtype)
        assert isinstance(self.server, _Server)
        _fill(answer, self.server.records, asked.question[0].name.to_text().rstrip("."), kind)
        socket.sendto(answer.to_wire(), self.client_address)


def _fill(answer: Any, records: Records, name: str, kind: str) -> None:
    known = records.get(name.lower())
    if known is None:
        answer.set_rcode(dns.rcode.NXDOMAIN)
    elif kind in known.get(FAILS, ()):
        answer.set_rcode(dns.rcode.SERVFAIL)
    elif alias := known.get("CNAME"):
        answer.answer.append(dns.rrset.from_text(f"{name}.", 60, "IN", "CNAME", *alias))
        _fill(answer, records, alias[0].rstrip("."), kind)
    elif values := known.get(kind):
        answer.answer.append(dns.rrset.from_text(f"{name}.", 60, "IN", kind, *values))


@contextmanager
def public_dns(records: Records) -> Iterator[dns.resolver.Resolver]:
    """A resolver that asks a name server with these records."""
    with _Server(("127.0.0.1", 0), _Handler) as server:
        server.records = records
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            own = dns.resolver.Resolver(configure=False)
            own.nameservers, own.port = ["127.0.0.1"], server.server_address[1]
            yield own
        finally:
            server.shutdown()
            thread.join()
