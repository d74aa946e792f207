"""No web page reaches the embedded AWS: what browsers send with a page's requests is refused, whatever is asked.

Fetch standard, "The `Origin` header" and "CORS-preflight fetch"; "Fetch Metadata Request Headers" (W3C); RFC 6761.
"""

from __future__ import annotations

import http.client
import json
import socket
from typing import Any
from urllib.parse import urlencode, urlsplit

import pytest
import requests

from tests.embedded.balanced import Balanced
from tests.embedded_process import PATIENCE, EmbeddedProcess, control, eventually

SIGNED = "AWS4-HMAC-SHA256 Credential=any/20260101/us-east-2/{}/aws4_request, SignedHeaders=host, Signature=0"
CREATE_CLUSTER = (
    "/",
    {
        "Authorization": SIGNED.format("ecs"),
        "X-Amz-Target": "AmazonEC2ContainerServiceV20141113.CreateCluster",
        "Content-Type": "application/x-amz-json-1.1",
    },
    json.dumps({"clusterName": "evil"}),
)
CREATE_USER = (
    "/",
    {"Authorization": SIGNED.format("iam"), "Content-Type": "application/x-www-form-urlencoded"},
    urlencode({"Action": "CreateUser", "Version": "2010-05-08", "UserName": "evil"}),
)
CREATE_TOPIC = (
    "/",
    {"Authorization": SIGNED.format("sns"), "Content-Type": "application/x-www-form-urlencoded"},
    urlencode({"Action": "CreateTopic", "Version": "2010-03-31", "Name": "evil"}),
)
CONTROLLED = ("/_embedded/latency", {"X-Embedded-Aws": "any"}, json.dumps({"seconds": 0}))
ASKED = {
    "json": ("POST", *CREATE_CLUSTER),
    "query": ("POST", *CREATE_USER),
    "moto's own": ("POST", *CREATE_TOPIC),
    "control": ("POST", *CONTROLLED),
}

OF_A_PAGE: list[dict[str, str]] = [
    {"Origin": "https://evil.example"},
    {"Origin": "http://127.0.0.1:8501"},
    {"Origin": "null"},
    {"Origin": ""},
    {"Sec-Fetch-Site": "cross-site"},
    {"Sec-Fetch-Site": "same-site"},
    {"Sec-Fetch-Site": "anything-new"},
    {"Access-Control-Request-Method": "POST"},
    {"Access-Control-Request-Private-Network": "true"},
    *(
        {"Host": host}
        for host in (
            "evil.example",
            "evil.example:{port}",
            "127.0.0.1.evil.example:{port}",
            "localhost.evil.example",
            "evil.example@127.0.0.1",
            "127.0.0.1,evil.example",
            "0.0.0.0:{port}",
            "10.0.0.1",
            "2130706433",
            "0177.0.0.1",
            "[::]:{port}",
            "[::ffff:127.0.0.1]",
            "checkip.amazonaws.com.evil.example",
            "",
        )
    ),
]


def send(
    aws: EmbeddedProcess, asked: tuple[str, str, dict[str, str], str], more: dict[str, str]
) -> tuple[int, str]:
    """Send one request with headers as they are; the status and the text of the answer."""
    method, path, headers, body = asked
    port = urlsplit(aws.url).port or 0
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
    connection.putrequest(method, path, skip_host=True)
    for name, value in {"Host": f"127.0.0.1:{port}", **headers, **more}.items():
        connection.putheader(name, value.replace("{port}", str(port)))
    connection.putheader("Content-Length", str(len(body)))
    connection.endheaders(body.encode())
    answer = connection.getresponse()
    text = answer.read().decode()
    allowed = [name for name, _ in answer.getheaders() if name.lower().startswith("access-control-")]
    assert not allowed
    connection.close()
    return answer.status, text


@pytest.mark.parametrize("what", sorted(ASKED))
@pytest.mark.parametrize("more", OF_A_PAGE, ids=lambda more: " ".join(f"{k} {v}" for k, v in more.items()))
def test_what_a_page_sends_is_refused(aws: EmbeddedProcess, more: dict[str, str], what: str) -> None:
    status, text = send(aws, ASKED[what], more)
    assert status == 403
    assert "The embedded AWS answers only programs on this machine, not web pages" in text
    assert "evil" not in text
    assert aws.calls() == []


@pytest.mark.parametrize("line", [b"no colon", b"X : y", b" folded", b"From here"])
def test_no_line_hides_an_origin(aws: EmbeddedProcess, line: bytes) -> None:
    """RFC 9112, 5.1: 400 for such a line, after which a lenient reader would see no more headers."""
    port = urlsplit(aws.url).port or 0
    _, headers, body = CREATE_CLUSTER
    given = "".join(f"{name}: {value}\r\n" for name, value in headers.items()).encode()
    with socket.create_connection(("127.0.0.1", port), timeout=600) as connection:
        connection.sendall(
            b"POST / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n%bContent-Length: %d\r\n%b\r\n"
            b"Origin: https://evil.example\r\n\r\n%b" % (given, len(body), line, body.encode())
        )
        assert connection.recv(1000).startswith(b"HTTP/1.1 400")
    assert aws.calls() == []


@pytest.mark.parametrize("what", sorted(ASKED))
@pytest.mark.parametrize(
    "more",
    [
        {},
        {"Sec-Fetch-Site": "none"},
        {"Sec-Fetch-Site": "same-origin"},
        {"Host": "localhost:{port}"},
        {"Host": "LOCALHOST"},
        {"Host": "aws.localhost:{port}"},
        {"Host": "127.0.0.1"},
        {"Host": "127.9.8.7:{port}"},
        {"Host": "[::1]:{port}"},
    ],
    ids=str,
)
def test_programs_of_this_machine_are_answered(aws: EmbeddedProcess, more: dict[str, str], what: str) -> None:
    assert send(aws, ASKED[what], more)[0] == 200


ITS_ADDRESS = {"Host": "checkip.amazonaws.com"}


def test_a_program_is_told_its_address(aws: EmbeddedProcess) -> None:
    """'Use the following service: Check IP', ``http://checkip.amazonaws.com/`` (EC2 User Guide, "Authorize inbound
    traffic for your Linux instances"): the public IPv4 address, and a line feed."""
    assert send(aws, ("GET", "/", {}, ""), ITS_ADDRESS) == (200, "127.0.0.1\n")


@pytest.mark.parametrize("what", sorted(ASKED))
def test_the_host_that_tells_addresses_serves_nothing_else(aws: EmbeddedProcess, what: str) -> None:
    assert send(aws, ASKED[what], ITS_ADDRESS) == (404, "")
    assert send(aws, ASKED[what], {**ITS_ADDRESS, "Origin": "https://evil.example"})[0] == 403
    assert aws.calls() == []


@pytest.mark.parametrize("path", ["/", "/_embedded/reset", "/bucket/key"])
def test_a_preflight_allows_nothing(aws: EmbeddedProcess, path: str) -> None:
    asking = {
        "Origin": "https://evil.example",
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "authorization,x-amz-target,x-embedded-aws",
        "Access-Control-Request-Private-Network": "true",
    }
    answer = requests.options(f"{aws.url}{path}", headers=asking, timeout=PATIENCE)
    assert answer.status_code == 403
    assert not [name for name in answer.headers if name.lower().startswith("access-control-")]


def test_a_request_line_that_names_another_host_is_refused(aws: EmbeddedProcess) -> None:
    """RFC 9112, 3.2.2: the host of an absolute request target goes before the Host header."""
    method, _, headers, body = ASKED["json"]
    assert send(aws, (method, "http://evil.example/", headers, body), {})[0] == 403
    assert aws.calls() == []


CONTROL = [
    ("POST", "reset", None),
    ("GET", "calls", None),
    ("DELETE", "calls", None),
    ("GET", "faults", None),
    ("POST", "faults", [{"throttle": True}]),
    ("POST", "latency", {"seconds": 60}),
    ("POST", "kill-task", {"task": "x"}),
    ("POST", "anything", None),
]


@pytest.mark.parametrize(
    ("what", "body"),
    [
        ("faults", b"\xff"),
        ("faults", b"[" * 100_000),
        ("faults", b"9" * 5000),
        ("latency", b'{"seconds": "x"}'),
        ("latency", b'{"seconds": 1e999}'),
        ("latency", b'{"seconds": -1}'),
        ("kill-task", b'{"task": 5}'),
        ("assumable", b'{"role": 5}'),
        ("assumable", b"[]"),
    ],
    ids=lambda given: repr(given[:20]),
)
def test_control_that_is_no_json_or_has_other_values_is_refused(
    aws: EmbeddedProcess, what: str, body: bytes
) -> None:
    answer = control.post(f"{aws.url}/_embedded/{what}", data=body, timeout=PATIENCE)
    assert answer.status_code == 400
    assert "error" in answer.json()


@pytest.mark.parametrize(("method", "what", "body"), CONTROL, ids=[f"{m} {w}" for m, w, _ in CONTROL])
def test_control_needs_a_header_that_no_page_can_send(
    aws: EmbeddedProcess, method: str, what: str, body: Any
) -> None:
    """Only headers on the Fetch standard's safelist go without a preflight; those of old browsers, too."""
    answer = requests.request(method, f"{aws.url}/_embedded/{what}", json=body, timeout=PATIENCE)
    assert answer.status_code == 403
    assert answer.json() == {"error": f"a request to /_embedded/{what} needs the header X-Embedded-Aws: any"}
    assert control.get(f"{aws.url}/_embedded/faults", timeout=PATIENCE).json() == []


@pytest.mark.parametrize(
    "path", ["/moto-api/", "/moto-api/data.json", "/moto-api/config", "/favicon.ico", "/latest/meta-data/"]
)
def test_no_page_of_motos_is_served(aws: EmbeddedProcess, path: str) -> None:
    for method in ("GET", "POST"):
        assert requests.request(method, f"{aws.url}{path}", timeout=PATIENCE).status_code == 400
    aws.client("iam").create_user(UserName="u")
    requests.post(f"{aws.url}/moto-api/reset", timeout=PATIENCE)
    assert len(aws.client("iam").list_users()["Users"]) == 1


@pytest.mark.parametrize("path", ["/", "/bucket/page.html", "/_embedded/nothing"])
def test_no_answer_becomes_a_page_that_asks_for_more(aws: EmbeddedProcess, path: str) -> None:
    """'sandbox' (Content Security Policy 3): a page of an origin of its own, without scripts."""
    s3 = aws.client("s3", region="us-east-1")
    s3.create_bucket(Bucket="bucket")
    s3.put_object(Bucket="bucket", Key="page.html", Body=b"<script>evil()</script>", ContentType="text/html")
    headers = requests.get(f"{aws.url}{path}", timeout=PATIENCE).headers
    assert headers["Content-Security-Policy"] == "sandbox"
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Cross-Origin-Resource-Policy"] == "same-origin"


def test_load_balancers_serve_browsers(balanced: Balanced) -> None:
    """They are what pages are loaded from: an Origin, another site's fetch and any Host are theirs to take."""
    fixed = {"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": "200", "MessageBody": "served"}}
    balanced.elb.modify_listener(ListenerArn=balanced.listener, DefaultActions=[fixed])
    browser = {"Origin": "https://shop.example", "Sec-Fetch-Site": "cross-site", "Host": "shop.example"}

    def served() -> bool:
        try:
            answer = requests.get(f"{balanced.url}/_embedded/calls", headers=browser, timeout=PATIENCE)
        except requests.ConnectionError:  # it is being provisioned
            return False
        return answer.text == "served"

    eventually(served)
