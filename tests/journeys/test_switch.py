"""A stack with visitors gets a distribution, and goes back to a public load balancer: no request fails."""

from __future__ import annotations

import json
import random
import ssl
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

import pytest
import requests
from websockets.exceptions import ConnectionClosed

from tests.embedded_process import PATIENCE, EmbeddedProcess, control, eventually, start
from tests.project import Project, make
from tests.visitors import Visitors
from tests.web_socket import WebSocket, connect

SPEED = 100.0
CLIENTS, SOCKETS = 50, 10
BOTH = 38.10 + 16.43 + 7.30
"""USD/month of both: the load balancer of before has two addresses."""
_AGAIN_SECONDS = 2.0
STREAM = "/_stcore/stream"


@pytest.fixture(scope="module")
def swift() -> Iterator[EmbeddedProcess]:
    """An embedded AWS of its own, where minutes are nothing."""
    with start(speed=SPEED, boot_allowance=2) as running:
        yield running


@pytest.fixture(scope="module")
def authority(swift: EmbeddedProcess, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file with the certificate of who signs what distributions show."""
    path = tmp_path_factory.mktemp("trust") / "authority.pem"
    told = control.get(f"{swift.url}/_embedded/authority", timeout=PATIENCE).json()
    path.write_text(told["pem"])
    return path


def settings(kind: str) -> str:
    """The project's settings with a front."""
    deployment = {"deregistration_delay": 5, "wait_minutes": 300}
    return json.dumps({"lobster": {"front": {"kind": kind}, "deployment": deployment}})


@pytest.fixture(scope="module")
def project(swift: EmbeddedProcess, tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A project with a release on a public load balancer, and the image of another one."""
    swift.reset()
    made = make(tmp_path_factory.mktemp("switched"), swift.url)
    made.write("invoke.yaml", settings("none"))
    made.inv("setup-fargate", "--yes").check()
    for tag in ("one", "two"):
        image = ("--tag", tag, "--builder", "process", "--build-arg", f"RELEASE={tag}")
        made.inv("push-image", *image).check()
    made.inv("deploy", "--tag", "one").check()
    return made


@dataclass
class Browsers(Visitors):
    """They ask for the page at ``url``, each about every two seconds on a new connection."""

    pages: ClassVar = ("one", "two")
    url: str
    authority: Path
    by_url: Counter[str] = field(default_factory=Counter)
    count: int = field(default=CLIENTS, kw_only=True)

    def move(self, url: str) -> None:
        """All go to another address, and have been answered there."""
        self.url = url
        eventually(lambda: self.by_url[url] > CLIENTS)

    def _visit(self) -> None:
        while not self._over.is_set():
            url = self.url
            answer = page(url, self.authority)
            with self._lock:
                self.answers[answer] += 1
                self.by_url[url] += 1
            self._over.wait(random.uniform(0.5, 1.5) * _AGAIN_SECONDS)


def page(url: str, authority: Path) -> str:
    """The page's text, or what went wrong."""
    try:
        answer = requests.get(url, timeout=PATIENCE, verify=str(authority))
    except requests.RequestException as error:
        return f"{url}: {error}"
    return answer.text if answer.status_code == 200 else f"{url}: {answer.status_code}"


@contextmanager
def sockets(url: str, authority: Path) -> Iterator[list[WebSocket]]:
    """WebSockets through an address, open for as long as the block lasts, or the other end wants."""
    trust = ssl.create_default_context(cafile=str(authority)) if url.startswith("https") else None
    where = f"{url.replace('http', 'ws', 1)}{STREAM}"
    with ExitStack() as stack:
        yield [stack.enter_context(connect(where, ssl=trust)) for _ in range(SOCKETS)]


def serves(socket: WebSocket) -> bool:
    """Whether a WebSocket still echoes."""
    try:
        socket.send("hello")
        return bool(socket.recv(timeout=PATIENCE))
    except ConnectionClosed:
        return False


def balancers(swift: EmbeddedProcess) -> dict[str, str]:
    """The names of the load balancers that are there, and their schemes."""
    found = swift.client("elbv2").describe_load_balancers()["LoadBalancers"]
    return {each["LoadBalancerName"]: each["Scheme"] for each in found}


def target_groups(swift: EmbeddedProcess) -> list[str]:
    """The names of the target groups that the service is in."""
    found = swift.client("ecs").describe_services(
        cluster="lobster-cluster", services=["lobster-streamlit-service"]
    )
    return [each["targetGroupArn"].split("/")[-2] for each in found["services"][0]["loadBalancers"]]


def address(project: Project) -> str:
    """Where the app is, as its status says."""
    return str(project.inv("status", "--json").check().json["url"])


def switch(project: Project, kind: str) -> dict[str, Any]:
    """Change ``front.kind`` and set up; what setup told."""
    project.write("invoke.yaml", settings(kind))
    return project.inv("setup-fargate", "--yes", "--json").check().json


def tells_which_is_which(project: Project, new: str) -> None:
    """Status says which load balancer is the former one, and what ends that."""
    seen = project.inv("status", "--json").check().json
    states = {each["name"]: each["state"] for each in seen["way"] if each["kind"] == "target group"}
    assert states == {
        "lobster-tg-2": "present: lobster-alb-2",
        "lobster-tg": "former: lobster-alb serves too, until inv remove-old-load-balancer",
    }
    assert seen["former_load_balancer"] == {
        "name": "lobster-alb",
        "target_group": "lobster-tg",
        "next": f"lead visitors to {new}, then inv remove-old-load-balancer ends lobster-alb",
    }
    assert "former: lobster-alb serves too" in project.inv("status").check().said


def serves_both(project: Project, authority: Path, old: str, new: str) -> None:
    """A release in between is one of both; its address is the new one."""
    plan = project.inv("plan", "--json").check().json
    assert (plan["changes"], plan["cost"]["before"]) == ([], pytest.approx(BOTH, abs=0.02))
    shown = project.inv("plan").check().out
    assert f"{old} serves too, until inv remove-old-load-balancer" in shown
    assert "old load balancer, until it is removed" in shown
    kept = {each["resource"]: each["reason"] for each in plan["kept"]}
    assert kept["load-balancer/lobster-alb"] == "serves until inv remove-old-load-balancer"
    deployed = project.inv("deploy", "--tag", "two", "--json").check().json
    assert (deployed["verdict"], deployed["url"], address(project)) == ("live", new, new)
    assert {page(each, authority) for each in (old, new)} == {"two"}
    checks = project.inv("validate-fargate-setup", "--json").json["checks"]
    assert [each for each in checks if each["status"] == "fail"] == []


def ends_with_its_removal(project: Project, authority: Path, visitors: Browsers, old: str, new: str) -> None:
    """Nothing but the removal of the old load balancer ends what is open there."""
    with sockets(old, authority) as opened:
        visitors.move(new)
        assert all(map(serves, opened))
        refused = project.inv("remove-old-load-balancer").check(5)
        assert "add --yes" in refused.err
        assert all(map(serves, opened))
        removed = project.inv("remove-old-load-balancer", "--yes").check()
        assert f"{old} stops answering" in removed.said
        assert not any(map(serves, opened))
    with sockets(new, authority) as opened:
        assert all(map(serves, opened))


def test_to_a_distribution_and_back_without_a_failed_request(
    swift: EmbeddedProcess, project: Project, authority: Path
) -> None:
    old = address(project)
    visitors = Browsers(old, authority)
    with visitors.present():
        project.write("invoke.yaml", settings("cloudfront"))
        planned = project.inv("plan").check().out
        told = (
            f"{old} goes on serving beside it, with its rules as they are, until inv remove-old-load-balancer"
        )
        assert told in planned
        assert "old load balancer, until it is removed" in planned
        told = switch(project, "cloudfront")
        new = told["url"]
        assert new.startswith("https://")
        assert told["cost"] == {"before": 45.40, "after": pytest.approx(BOTH, abs=0.02)}
        assert balancers(swift) == {"lobster-alb": "internet-facing", "lobster-alb-2": "internal"}
        assert target_groups(swift) == ["lobster-tg-2", "lobster-tg"]
        tells_which_is_which(project, new)
        serves_both(project, authority, old, new)
        ends_with_its_removal(project, authority, visitors, old, new)
        assert balancers(swift) == {"lobster-alb-2": "internal"}
        assert target_groups(swift) == ["lobster-tg-2"]
        assert project.inv("plan", "--json").check().json["changes"] == []
        assert project.inv("status", "--json").check().json["former_load_balancer"] is None

        # And back.
        told = switch(project, "none")
        public = told["url"]
        assert told["cost"] == {"before": 38.10, "after": pytest.approx(45.40 + 16.43, abs=0.02)}
        assert balancers(swift) == {"lobster-alb": "internet-facing", "lobster-alb-2": "internal"}
        assert target_groups(swift) == ["lobster-tg", "lobster-tg-2"]
        visitors.move(public)
        project.inv("remove-old-load-balancer", "--yes").check()
        assert address(project) == public
        assert project.inv("plan", "--json").check().json["changes"] == []
    assert visitors.failed == {}
    assert balancers(swift) == {"lobster-alb": "internet-facing"}
    assert swift.client("cloudfront").list_distributions()["DistributionList"]["Quantity"] == 0
    assert swift.client("cloudfront").list_vpc_origins()["VpcOriginList"]["Quantity"] == 0
