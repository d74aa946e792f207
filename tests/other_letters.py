"""A relay to the embedded AWS that changes the case of every enumeration value."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import requests
from botocore.session import Session

from tests.serving import in_background

SERVICES = [
    "acm",
    "apprunner",
    "application-autoscaling",
    "cloudwatch",
    "ec2",
    "ecr",
    "ecs",
    "elbv2",
    "iam",
    "kms",
    "logs",
    "resourcegroupstaggingapi",
    "route53",
    "secretsmanager",
    "ssm",
    "sts",
    "wafv2",
]
OPEN = {
    "status": {"ACTIVE", "INACTIVE", "DRAINING", "PRIMARY", "ATTACHED", "DELETED"},
    "lastStatus": {"PROVISIONING", "PENDING", "ACTIVATING", "RUNNING", "DEACTIVATING", "STOPPING", "STOPPED"},
    "desiredStatus": {"RUNNING", "STOPPED"},
}
"""Values that are not enumerations in Amazon ECS's model."""

_WORD = re.compile(r'(?P<head>"(?P<name>\w+)": ?"|<(?P<tag>\w+)>)(?P<word>\w+(?:[-.]\w+)*)(?=[<"])')


def swapped(text: str) -> str:
    """An answer in JSON or XML with the case of enumeration values swapped."""
    return _WORD.sub(_other, text)


def _other(found: re.Match[str]) -> str:
    head, word = found["head"], found["word"]
    known = word in _words().get(found["name"] or found["tag"], ())
    return head + (word.swapcase() if known else word)


@cache
def _words() -> dict[str, set[str]]:
    """The enumeration values of all services, by the names of their members in answers."""
    session = Session()
    found = {name: set(words) for name, words in OPEN.items()}
    for service in SERVICES:
        model = session.get_service_model(service)
        shapes = [model.shape_for(name) for name in model.shape_names]
        for structure in (shape for shape in shapes if shape.type_name == "structure"):
            for name, member in structure.members.items():
                words: set[str] = set(getattr(member, "enum", ()))
                found.setdefault(member.serialization.get("name", name), set()).update(words)
    return found


@contextmanager
def other_letters(url: str) -> Iterator[str]:
    """The URL of a relay to the AWS at ``url`` that swaps the case of enumeration values in answers."""

    class Relay(BaseHTTPRequestHandler):
        def relay(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            headers = {
                name: value for name, value in self.headers.items() if name.lower() != "accept-encoding"
            }
            answer = requests.request(self.command, url + self.path, data=body, headers=headers, timeout=600)
            sent = swapped(answer.text).encode()
            self.send_response(answer.status_code)
            for name in ("Content-Type", "x-amzn-RequestId"):
                self.send_header(name, answer.headers.get(name, ""))
            self.send_header("Content-Length", str(len(sent)))
            self.end_headers()
            self.wfile.write(sent)

        def do_GET(self) -> None:
            self.relay()

        def do_POST(self) -> None:
            self.relay()

        def do_DELETE(self) -> None:
            self.relay()

        def log_message(self, *_: Any) -> None:
            """Log nothing."""

    with in_background(ThreadingHTTPServer(("127.0.0.1", 0), Relay)) as address:
        yield f"http://{address}"
