"""This machine's own addresses: one function tells them from others, and nothing else decides by how a host begins."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from urllib3.exceptions import LocationParseError
from urllib3.util import parse_url

from lobster_tasks.account import is_embedded
from lobster_tasks.apprunner.cutover import public_dns
from lobster_tasks.aws import Aws
from lobster_tasks.doctor.command import ServerAddress
from lobster_tasks.endpoint import require_listening
from lobster_tasks.loopback import is_loopback, is_loopback_url
from lobster_tasks.rollout.diagnosis.listening import ListeningPort
from tests.environment import environment

OWN = ("localhost", "LOCALHOST", "127.0.0.1", "127.1.2.3", "127.255.255.254", "::1", "[::1]")
OTHERS = (
    *("127.evil.example", "127.0.0.1.evil.example", "localhost.evil.example", "localhost4", "127."),
    *("128.0.0.1", "0.0.0.0", "::", "[::]", "[::2]", "::1.evil.example", "[127.0.0.1.evil.example]", ""),
)
PIECES = (
    "127.0.0.1",
    "localhost",
    "[::1]",
    "evil.example",
    ".",
    "@",
    ":",
    "80",
    "/",
    "?",
    "#",
    "\\",
    "\t",
    "[",
    "]",
)


@pytest.mark.parametrize(
    ("host", "own"), [*((each, True) for each in OWN), *((each, False) for each in OTHERS)]
)
def test_a_host_is_this_machine_only_as_a_whole(host: str, own: bool) -> None:
    assert is_loopback(host) is own
    assert ServerAddress("app", 80, host).is_unreachable is own
    assert ListeningPort(80, host, "").is_on_loopback is own


@pytest.mark.parametrize("host", ["127.evil.example", "localhost.evil.example", "evil.example:1@127.example"])
def test_an_endpoint_elsewhere_is_no_embedded_aws(host: str) -> None:
    url = f"http://{host}:4566"
    assert not is_embedded(url)
    assert public_dns(Aws("us-east-2", endpoint_url=url)) is not None
    proxy = "http://127.0.0.1:9"
    with environment(http_proxy=proxy, HTTP_PROXY=proxy, no_proxy="", NO_PROXY=""):
        require_listening(url)  # the proxy reaches it; it is not tried from here


def test_the_embedded_aws_is_not_asked_about_public_names() -> None:
    assert public_dns(Aws("us-east-2", endpoint_url="http://127.0.0.1:4566")) is None
    assert public_dns(Aws("us-east-2")) is not None


@given(st.lists(st.sampled_from(PIECES), max_size=8).map("".join))
def test_a_url_of_this_machine_is_one_for_the_client_too(rest: str) -> None:
    """The client of HTTP is urllib3, by way of requests."""
    url = f"http://{rest}"
    if not is_loopback_url(url):
        return
    try:
        host = parse_url(url).host
    except LocationParseError:
        return  # the client does not ask anybody
    assert is_loopback(host or "")


LIBRARY = sorted(Path(is_loopback.__code__.co_filename).parent.rglob("*.py"))
TESTING = {
    "startswith",
    "endswith",
    "removeprefix",
    "removesuffix",
    "compile",
    "search",
    "match",
    "find",
    "index",
}
OF_A_HOST = re.compile(r"127\\?\.|localhost|::1|https?[?]?://|amazonaws|apprunner\.com|cloudfront\.net")
# What looks at texts that are no addresses to decide by, or matches a reference as a whole.
READING = {
    "secrecy.py": "finds secrets in values, such as those within a URL",
    "dockerfile/stages.py": "the grammar of image references: a registry is localhost as a whole",
    "images/stages.py": "what ADD downloads, by its scheme",
    "remote.py": "a whole URL of a remote",
    "report/rehearsals.py": "the words for an address of the embedded AWS",
    "rollout/diagnosis/evidence_collection.py": "shortens references that people read",
    "rollout/diagnosis/listening.py": "finds addresses in an app's log",
    "rollout/diagnosis/registries.py": "finds the registry that a message of AWS's is about",
}


def host_tests(tree: ast.Module) -> Iterator[str]:
    """The tests of how a text begins, ends, or what it contains, whose constant is a host's or a URL's."""
    for node in ast.walk(tree):
        compared: list[ast.expr] = []
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in TESTING:
            compared = node.args
        elif isinstance(node, ast.Compare) and any(isinstance(each, ast.In | ast.NotIn) for each in node.ops):
            compared = [node.left]
        texts = [each.value for one in compared for each in ast.walk(one) if isinstance(each, ast.Constant)]
        if any(isinstance(text, str) and OF_A_HOST.search(text) for text in texts):
            yield ast.unparse(node)


def test_nothing_else_decides_by_a_part_of_a_host() -> None:
    package = LIBRARY[0].parent
    found = {
        str(file.relative_to(package)): tests
        for file in LIBRARY
        if (tests := list(host_tests(ast.parse(file.read_text(encoding="utf-8")))))
    }
    assert found.keys() == READING.keys(), found


def test_only_one_module_parses_addresses_for_loopback() -> None:
    naming = {file.name for file in LIBRARY if ".is_loopback" in file.read_text(encoding="utf-8")}
    assert naming == {"loopback.py"}
