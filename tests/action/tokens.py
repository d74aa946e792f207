"""GitHub's token service, as a job with the permission id-token finds it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

from tests.embedded.identities import Workflow
from tests.serving import in_background


@dataclass
class Tokens:
    """What the runner's environment says of the service, and the audiences for which tokens were asked."""

    environment: dict[str, str] = field(default_factory=dict)
    audiences: list[str] = field(default_factory=list)


@contextmanager
def token_service() -> Iterator[Tokens]:
    """Answers as GitHub does ("OpenID Connect reference", requesting the JWT): GET with a bearer, ``{"value": …}``."""
    given = Tokens()

    class Answers(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked = parse_qs(urlsplit(self.path).query)
            known = self.headers["Authorization"] == "Bearer of-this-job"
            given.audiences += asked.get("audience", []) if known else []
            body = json.dumps({"value": Workflow().token()}).encode()
            self.send_response(200 if known else 401)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *values: object) -> None:
            """Nothing to say."""

    with in_background(ThreadingHTTPServer(("127.0.0.1", 0), Answers)) as address:
        given.environment = {
            "ACTIONS_ID_TOKEN_REQUEST_URL": f"http://{address}/token?api-version=2.0",
            "ACTIONS_ID_TOKEN_REQUEST_TOKEN": "of-this-job",
        }
        yield given
