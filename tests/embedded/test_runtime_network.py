"""Addresses: every task has its own, so that all may listen on one port, and a localhost that is its own too."""

from __future__ import annotations

import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest
import requests
import websockets.sync.client

from embedded_aws.runtime.addresses import LEASE_PORT, TaskAddresses, low_port_shift
from embedded_aws.runtime.programs import SHIM
from tests.embedded.images import ImageSpec, Script, web_app
from tests.embedded.machine import Machine, Ran, runtime
from tests.embedded_process import PATIENCE, eventually


@pytest.fixture(scope="module")
def shared() -> Iterator[Machine]:
    """A runtime that the module shares."""
    with runtime() as made:
        yield made


@pytest.fixture
def machine(shared: Machine) -> Machine:
    """The runtime, empty."""
    shared.plane.reset()
    return shared


def python(text: str) -> ImageSpec:
    """An image that runs a Python program."""
    return ImageSpec({"/app/main.py": text}, ["python", "main.py"])


def refused(address: str, port: int = 8501) -> bool:
    """Whether nobody listens there."""
    try:
        socket.create_connection((address, port), timeout=PATIENCE).close()
    except ConnectionRefusedError:
        return True
    return False


def reaches(ran: Ran, host: str, port: int = 8501) -> str:
    """What a connection from inside the container comes to."""
    return ran.get(f"/connect?host={host}&port={port}")


class TestAddresses:
    def test_stable_and_distinct(self, machine: Machine) -> None:
        """One VPC address, one loopback address, until it is released; other VPCs have others."""
        addresses = machine.addresses
        one = addresses.loopback("vpc-1", "10.0.0.4")
        assert addresses.loopback("vpc-1", "10.0.0.4") == one
        others = {addresses.loopback("vpc-1", "10.0.0.5"), addresses.loopback("vpc-2", "10.0.0.4")}
        assert len({one, *others}) == 3
        addresses.release("vpc-1", "10.0.0.4")
        assert addresses.loopback("vpc-1", "10.0.0.6") not in {one, *others}

    def test_two_at_once_do_not_collide(self, machine: Machine) -> None:
        """Each embedded AWS has a range of its own."""
        with another() as (one, _), another() as (two, _):
            assert len({machine.addresses.range, one, two}) == 3

    def test_a_range_goes_back(self) -> None:
        """Even after kill -9 nothing holds the range: not a child that is still about to end, either."""
        with another() as (name, family):
            assert holder(name) in family
        assert holder(name) not in family


@contextmanager
def another() -> Iterator[tuple[str, list[int]]]:
    """One more runtime, in a process that is killed in the end: its range, and its and its children's pids."""
    text = (
        f"import sys; sys.path.insert(0, {str(Path(__file__).parents[2])!r})\n"
        "from tests.embedded.machine import ImageSpec, Machine\n"
        "machine = Machine(); machine.run(ImageSpec(), 'sleep', '1000')\n"
        "print(machine.addresses.range, flush=True); import time; time.sleep(1000)"
    )
    with subprocess.Popen([sys.executable, "-c", text], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        name = process.stdout.readline().strip()
        children = psutil.Process(process.pid).children(recursive=True)
        try:
            yield name, [process.pid, *(child.pid for child in children)]
        finally:
            process.kill()


def holder(name: str) -> int | None:
    """The process that holds a range of addresses."""
    held = (each for each in psutil.net_connections("udp4") if each.laddr == (f"{name}.0.1", LEASE_PORT))
    return next((each.pid for each in held), None)


class TestBinding:
    def test_one_port_for_all(self, machine: Machine) -> None:
        """awsvpc: each task has its own interface, so all of them may listen on 0.0.0.0:8501."""
        ran = [machine.run(web_app(VERSION=str(number))) for number in range(3)]
        assert [each.get() for each in ran] == ["0", "1", "2"]

    def test_localhost_is_private(self, machine: Machine) -> None:
        """A program on 127.0.0.1 reaches itself; the load balancer, other tasks and this machine do not."""
        one, two = (machine.run(web_app(BIND=host)) for host in ("127.0.0.1", "localhost"))
        for ran in (one, two):
            ran.wrote("listening on 8501")
        lines: list[str] = []
        url = "http://127.0.0.1:8501/"
        ask = ["python", "-c", f"import urllib.request as u; print(u.urlopen('{url}').read())"]
        assert machine.processes.execute(one.container, ask, lines.append).wait(30) == 0
        assert lines == ["b'web_app'"]
        assert refused(one.address)
        assert refused("127.0.0.1")
        third = machine.run(web_app())
        assert reaches(third, one.address).startswith("ConnectionRefusedError")

    @pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "0.0.0.0"])
    def test_any_address_includes_localhost(self, machine: Machine, host: str) -> None:
        """What listens on 0.0.0.0 is reached at localhost, and at the task's own address."""
        ran = machine.run(web_app())
        ran.get()
        assert reaches(ran, host) == "connected"
        assert reaches(ran, ran.address) == "connected"

    def test_this_machine_is_out_of_reach(self, machine: Machine) -> None:
        """A database on the developer's 127.0.0.1 is not there on Fargate, and not here."""
        with socket.create_server(("127.0.0.1", 0)) as server:
            port = server.getsockname()[1]
            apart = machine.run(web_app())
            assert reaches(apart, "127.0.0.1", port).startswith("ConnectionRefusedError")
            given = machine.run(web_app(AWS_ENDPOINT_URL=f"http://127.0.0.1:{port}"))
            assert reaches(given, "127.0.0.1", port) == "connected"

    def test_containers_of_a_task_share_localhost(self, machine: Machine) -> None:
        """awsvpc: containers of one task "communicate over localhost"."""
        one = machine.run(web_app(BIND="127.0.0.1", PORT="9000"))
        one.wrote("listening on 9000")
        two = machine.run(web_app(), address=one.address)
        assert reaches(two, "127.0.0.1", 9000) == "connected"
        assert refused(one.address, 9000)

    def test_containers_of_a_task_share_ports(self, machine: Machine) -> None:
        """awsvpc: two containers of one task cannot both listen on one port."""
        one = machine.run(web_app())
        one.get()
        two = machine.run(web_app(), address=one.address)
        assert two.exit_code == 1
        assert any("Address already in use" in line for line in two.lines)

    def test_programs_in_other_languages(self, machine: Machine) -> None:
        """``0.0.0.0`` in the command of a program that is not Python's becomes the task's address."""
        ran = machine.run(ImageSpec(), "echo", "--listen=0.0.0.0:80", "0.0.0.0")
        assert (ran.exit_code, ran.lines) == (0, [f"--listen={ran.address}:80 {ran.address}"])

    def test_a_python_below_a_shell_that_sets_its_path(self, machine: Machine) -> None:
        """An entry point that sets PYTHONPATH does not lose the task's address."""
        spec = ImageSpec(
            {
                "/app/web_app.py": str(web_app().files["/app/web_app.py"]),
                "/app/start.sh": Script("#!/bin/sh\nPYTHONPATH=/app exec python web_app.py\n"),
            }
        )
        for _ in range(2):
            assert machine.run(spec, "/app/start.sh").get() == "web_app"

    def test_a_client_is_not_tied_down(self, machine: Machine) -> None:
        """A datagram socket bound to any port reaches other addresses of this machine."""
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
            server.bind(("127.0.0.1", 0))
            server.settimeout(PATIENCE)
            _, port = server.getsockname()
            text = (
                "import socket; s = socket.socket(type=socket.SOCK_DGRAM); s.bind(('', 0))\n"
                f"print(s.getsockname()[0]); s.sendto(b'hi', ('127.0.0.1', {port}))"
            )
            ran = machine.run(python(text), environment={"AWS_X": f"http://127.0.0.1:{port}"})
            assert (ran.exit_code, ran.lines) == (0, ["0.0.0.0"])
            assert server.recv(10) == b"hi"


ASYNCIO = """
import asyncio, sys
async def serve(reader, writer):
    await reader.readuntil(b"\\r\\n\\r\\n")
    writer.write(b"HTTP/1.1 200 OK\\r\\nContent-Length: 2\\r\\nConnection: close\\r\\n\\r\\nok")
    await writer.drain(); writer.close()
async def main():
    server = await asyncio.start_server(serve, {host!r}, 8501)
    print(len(server.sockets), flush=True)
    await server.serve_forever()
asyncio.run(main())
"""

ASGI = """
async def app(scope, receive, send):
    if scope["type"] == "http":
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"ok"})
"""

AIOHTTP = """
from aiohttp import web
async def answer(request): return web.Response(text="ok")
app = web.Application(); app.add_routes([web.get("/", answer)])
web.run_app(app, {arguments}port=8501)
"""

FORKING = """
import os, socket
server = socket.create_server(("", 8501), reuse_port=True)
for _ in range(2):
    if os.fork() == 0: break
while True:
    client, _ = server.accept()
    client.recv(1000)
    client.sendall(b"HTTP/1.1 200 OK\\r\\nContent-Length: 2\\r\\nConnection: close\\r\\n\\r\\nok")
    client.close()
"""

DUAL = """
import http.server, socket
class Server(http.server.ThreadingHTTPServer):
    address_family = socket.AF_INET6
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self): self.send_response(200); self.end_headers(); self.wfile.write(b"ok")
Server(("::", 8501), Handler).serve_forever()
"""


class TestServers:
    @pytest.mark.parametrize(
        "text",
        [
            pytest.param(ASYNCIO.format(host="0.0.0.0"), id="asyncio"),
            pytest.param(ASYNCIO.format(host=None), id="asyncio on both families"),
            pytest.param(AIOHTTP.format(arguments=""), id="aiohttp"),
            pytest.param(AIOHTTP.format(arguments="host='0.0.0.0', "), id="aiohttp on 0.0.0.0"),
            pytest.param(FORKING, id="forked workers"),
            pytest.param(DUAL, id="IPv6 that takes IPv4 too"),
            pytest.param(
                f"{ASGI}\nimport uvicorn; uvicorn.run(app, host='0.0.0.0', port=8501)", id="uvicorn"
            ),
        ],
    )
    def test_side_by_side(self, machine: Machine, text: str) -> None:
        """Servers of every make listen on one port, each in its task."""
        ran = [machine.run(python(text)) for _ in range(2)]
        assert [each.get() for each in ran] == ["ok", "ok"]

    def test_uvicorn_with_workers(self, machine: Machine) -> None:
        """A server that starts its workers as new processes."""
        spec = ImageSpec({"/app/main.py": ASGI})
        command = ["uvicorn", "main:app", "--host", "0.0.0.0", "--port", "8501", "--workers", "2"]
        ran = [machine.run(spec, *command) for _ in range(2)]
        assert [each.get() for each in ran] == ["ok", "ok"]

    @pytest.mark.parametrize("host", ["localhost", "::1", "127.0.0.1"])
    def test_asyncio_on_localhost(self, machine: Machine, host: str) -> None:
        """asyncio binds each address that a name has; a client inside finds the server, one outside does not."""
        ran = machine.run(python(ASYNCIO.format(host=host)))
        eventually(lambda: ran.lines)
        at = "localhost" if host == "localhost" else f"[{host}]" if ":" in host else host
        ask = f"import urllib.request as u; print(u.urlopen('http://{at}:8501/').read().decode())"
        lines: list[str] = []
        machine.processes.execute(ran.container, ["python", "-c", ask], lines.append).wait(30)
        assert lines == ["ok"]
        assert refused(ran.address)

    def test_ipv6_only_is_not_reached_by_ipv4(self, machine: Machine) -> None:
        """asyncio makes a server on "::" IPv6 only, which no load balancer of an IPv4 network reaches."""
        ran = machine.run(python(ASYNCIO.format(host="::")))
        eventually(lambda: ran.lines)
        assert refused(ran.address)

    def test_uvloop_is_replaced(self, machine: Machine) -> None:
        """uvloop's sockets pass Python by; where it is installed, asyncio's own loop is imported for it."""
        uses = "import asyncio, uvloop; uvloop.install()\nprint(type(uvloop.new_event_loop()).__module__)"
        installed = {"/app/lib/uvloop.py": "raise SystemExit('the real one')"}
        spec = ImageSpec({"/app/main.py": uses, **installed}, environment={"PYTHONPATH": "/app/lib"})
        ran = machine.run(spec, "python", "main.py")
        assert (ran.exit_code, ran.lines) == (0, ["asyncio.unix_events"])
        assert machine.run(python(uses)).exit_code == 1


class TestNames:
    def test_host_name(self, machine: Machine) -> None:
        """awsvpc: a task's host name is its own, in the environment too, and leads to its address."""
        text = (
            "import os, socket; name = socket.gethostname(); print(name, os.environ['HOSTNAME'])\n"
            "print(socket.gethostbyname(name), socket.getaddrinfo(name, 80)[0][4][0])\n"
            "server = socket.create_server((name, 8501)); print(server.getsockname()[0])"
        )
        name = "ip-10-0-0-9.us-east-2.compute.internal"
        ran = machine.run(python(text), host_name=name)
        assert (ran.exit_code, ran.lines) == (
            0,
            [f"{name} {name}", f"{ran.address} {ran.address}", ran.address],
        )


class TestLowPorts:
    def test_moved_where_they_are_not_free_for_all(self, machine: Machine) -> None:
        """A container may listen on port 80; where this machine's user may not, another port stands for it."""
        text = (
            "import socket; server = socket.create_server(('', 80)); print(server.getsockname()[1], flush=True)\n"
            "socket.create_connection(('localhost', 80)).close()\n"
            "socket.create_connection((socket.gethostname(), 80)).close()\nprint('connected')"
        )
        for shift in {low_port_shift(), 61000}:
            address = machine.addresses.loopback("vpc-1", f"10.0.9.{bool(shift)}")
            network = TaskAddresses(address)
            given = ",".join([address, network.localhost, network.localhost6, str(shift)])
            environment = {"PYTHONPATH": str(SHIM), "EMBEDDED_AWS_NETWORK": given}
            ran = subprocess.run(
                [sys.executable, "-c", text], env=environment, capture_output=True, text=True, check=True
            )
            assert ran.stdout.split() == [str(80 + shift), "connected"]


class TestStreamlit:
    def test_twice_on_one_port(self, machine: Machine) -> None:
        """Two real Streamlit apps on port 8501: health, page, and the WebSocket with its subprotocol."""
        spec = ImageSpec({"/app/app.py": "import streamlit as st\nst.write('hello')\n"})
        command = ["streamlit", "run", "app.py", "--server.port=8501", "--server.address=0.0.0.0"]
        command += ["--server.headless=true", "--browser.gatherUsageStats=false"]
        ran = [machine.run(spec, *command) for _ in range(2)]
        for each in ran:
            assert each.get("/_stcore/health") == "ok"
            assert "<title>Streamlit</title>" in each.get("/")
            where = f"ws://{each.address}:8501/_stcore/stream"
            with websockets.sync.client.connect(where, subprotocols=["streamlit"]) as socket_:
                assert socket_.subprotocol == "streamlit"
            each.container.terminate()
        assert [each.exit_code for each in ran] == [0, 0]


class TestWebApp:
    """The program of the test image `web_app` does what other tests rely on."""

    def test_misbehaviour(self, machine: Machine) -> None:
        """Exit code, refused health, environment, log."""
        assert machine.run(web_app(EXIT_CODE="3")).exit_code == 3
        ran = machine.run(web_app(HEALTH_STATUS="500", VERSION="v"))
        assert ran.get("/health") == "sick"
        ran.get("/set-health?status=200")
        assert ran.get("/_stcore/health") == "ok"
        assert '"VERSION": "v"' in ran.get("/env")
        ran.get("/print?line=hello")
        ran.wrote("hello")
        assert requests.post(f"http://{ran.address}:8501/x", b"12345", timeout=PATIENCE).text == "v POST 5"
        ran.get("/exit?code=9")
        assert ran.exit_code == 9

    def test_web_socket(self, machine: Machine) -> None:
        """It echoes, with the subprotocol that is offered."""
        ran = machine.run(web_app())
        ran.get()
        where = f"ws://{ran.address}:8501/_stcore/stream"
        with websockets.sync.client.connect(where, subprotocols=["streamlit"]) as client:  # type: ignore[list-item]
            assert client.subprotocol == "streamlit"
            for message in ("hi", "x" * 200, "y" * 70_000):
                client.send(message)
                assert client.recv(timeout=PATIENCE) == message

    def test_network(self) -> None:
        """The private addresses are in the upper half of a range."""
        network = TaskAddresses("127.31.3.7")
        assert (network.localhost, network.localhost6) == ("127.31.131.7", "127.31.195.7")
