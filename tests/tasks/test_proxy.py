"""A proxy in the shell's environment that an embedded AWS is asked through: the error says so, and what helps."""

from __future__ import annotations

import re
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from tests.embedded_process import EmbeddedProcess
from tests.project import Project

ANSWERS = {
    "a refusal": (403, "<html><body><p>Forbidden by policy</body></html>"),
    "a refusal that is XML": (407, "<html><body>Authentication required</body></html>"),
    "no such host": (502, "<html>Bad gateway</html>"),
    "a page": (200, "<html><p>Sign in</html>"),
    "nothing": (404, ""),
}


@contextmanager
def proxy(status: int, page: str) -> Iterator[str]:
    """One that answers everything so; its address."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.send_response(status)
            self.send_header("Content-Length", str(len(page)))
            self.end_headers()
            self.wfile.write(page.encode())

        def log_message(self, *_: object) -> None:
            """Quietly."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield f"127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()


def suggestion(err: str) -> str:
    """The command that the error suggests."""
    found = re.search(r"export [^;]*?(?=, then)", err)
    assert found, err
    return found[0]


@pytest.mark.parametrize(("status", "page"), ANSWERS.values(), ids=ANSWERS.keys())
def test_a_proxy_that_does_not_reach_the_endpoint_is_named(
    project: Project, embedded: EmbeddedProcess, status: int, page: str
) -> None:
    with proxy(status, page) as address:
        ended = project.inv("plan", http_proxy=f"http://me:hunter2secret@{address}").check(5)
        assert f"127.0.0.1 is reached through the proxy {address}: export NO_PROXY=127.0.0.1" in ended.err
        assert "hunter2secret" not in ended.said
        assert "Traceback" not in ended.said
        project.inv("plan", http_proxy=f"http://{address}", NO_PROXY="127.0.0.1,localhost").check()


@pytest.mark.parametrize("before", [{}, {"NO_PROXY": "example.com"}, {"no_proxy": "example.com"}])
def test_what_the_error_suggests_helps(
    project: Project, embedded: EmbeddedProcess, before: dict[str, str]
) -> None:
    """Whatever is there already stays, in whichever letters it is."""
    around = {"http_proxy": "http://127.0.0.1:9", **before}
    said = suggestion(project.inv("plan", **around).check(5).err)
    script = f"{said}; env | grep -i ^no_proxy="
    told = subprocess.run(
        ["sh", "-c", script],
        env={**project.environment, **around},
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    name, _, value = told.strip().partition("=")
    assert before.get(name, "") in value
    project.inv("plan", **{**around, name: value}).check()


def test_a_proxy_before_aws_itself_is_named(project: Project) -> None:
    del project.environment["AWS_ENDPOINT_URL"]
    ended = project.inv("plan", HTTPS_PROXY="http://127.0.0.1:9").check(5)
    assert (
        "amazonaws.com is reached through the proxy 127.0.0.1:9: check that proxy, or add sts." in ended.err
    )


def test_an_endpoint_that_only_a_proxy_reaches_is_asked_through_it(project: Project) -> None:
    with proxy(502, "") as address:
        ended = project.inv(
            "plan", AWS_ENDPOINT_URL="http://aws.example:4566", http_proxy=f"http://{address}"
        ).check(5)
    assert f"aws.example is reached through the proxy {address}" in ended.err
