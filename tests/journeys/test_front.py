"""An app behind a distribution: from nothing to HTTPS without a domain, and back to nothing."""

from __future__ import annotations

import json
import ssl
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import requests
from websockets.sync.client import connect

from tests.embedded_process import PATIENCE, EmbeddedProcess, control, eventually, start
from tests.project import Project, make

from .dump import dump

SPEED = 100.0


@pytest.fixture(scope="module")
def swift() -> Iterator[EmbeddedProcess]:
    """An embedded AWS of its own, where minutes are nothing."""
    with start(speed=SPEED, boot_allowance=2) as running:
        yield running


@pytest.fixture(scope="module")
def project(swift: EmbeddedProcess, tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A project with a front door, set up and with a release; its folder has ``before``, the account before that."""
    folder = tmp_path_factory.mktemp("fronted")
    swift.reset()
    made = make(folder, swift.url)
    (folder / "nothing").mkdir()
    made.settings("front: {kind: cloudfront}\ndeployment: {deregistration_delay: 5}")
    (folder / "before").write_text(json.dumps(dump(swift, folder / "nothing"), default=str))
    made.inv("setup-fargate", "--yes").check()
    made.inv("push-image", "--tag", "one", "--builder", "process").check()
    return made


@pytest.fixture(scope="module")
def url(project: Project) -> str:
    """Where a release says that visitors reach it."""
    return str(project.inv("deploy", "--tag", "one", "--json").check().json["url"])


@pytest.fixture(scope="module")
def authority(swift: EmbeddedProcess, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file with the certificate of who signs what distributions show."""
    path = tmp_path_factory.mktemp("trust") / "authority.pem"
    told = control.get(f"{swift.url}/_embedded/authority", timeout=PATIENCE).json()
    path.write_text(told["pem"])
    return path


def test_the_page_opens_by_https(url: str, authority: Path) -> None:
    assert url.startswith("https://")
    answer = requests.get(url, verify=str(authority), timeout=PATIENCE)
    assert answer.status_code == 200
    plain = requests.get(url.replace("https", "http"), allow_redirects=False, timeout=PATIENCE)
    assert (plain.status_code, plain.headers["Location"].rstrip("/")) == (301, url)


def test_a_websocket_opens_through_it(url: str, authority: Path) -> None:
    trust = ssl.create_default_context(cafile=str(authority))
    where = f"wss://{urlsplit(url).netloc}/_stcore/stream"
    with connect(where, ssl=trust, origin=url) as socket:  # type: ignore[arg-type]
        socket.send("hello")
        assert socket.recv(timeout=PATIENCE)


def test_the_load_balancer_is_not_on_the_internet(swift: EmbeddedProcess, url: str) -> None:
    (balancer,) = swift.client("elbv2").describe_load_balancers()["LoadBalancers"]
    assert balancer["Scheme"] == "internal"
    with pytest.raises(requests.ConnectionError):
        requests.get(f"http://{balancer['DNSName']}", timeout=PATIENCE)


def test_whoever_tells_an_address_tells_this_one(project: Project, url: str) -> None:
    assert project.inv("status", "--json").check().json["url"] == url
    assert project.inv("plan", "--json").check().json["url"] == url
    assert url in project.inv("status").check().out
    checks = {each["id"]: each for each in project.inv("validate-fargate-setup", "--json").json["checks"]}
    wrong = [each for each in checks.values() if each["status"] in ("fail", "warn")]
    assert wrong == []


def test_a_teardown_leaves_nothing(swift: EmbeddedProcess, project: Project, url: str) -> None:
    project.inv("teardown", "--yes", "--data").check()
    before = json.loads((project.folder / "before").read_text())
    eventually(lambda: json.loads(json.dumps(dump(swift, project.folder / "nothing"), default=str)) == before)
    cloudfront = swift.client("cloudfront")
    assert cloudfront.list_distributions()["DistributionList"]["Quantity"] == 0
    assert cloudfront.list_vpc_origins()["VpcOriginList"]["Quantity"] == 0
