"""Somebody else's project: other names, another port, an entrypoint script, secrets, no WebSocket."""

from __future__ import annotations

import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

from tests.embedded_process import PATIENCE
from tests.project import Project, make

ROOT = Path(__file__).parent.parent.parent
SETTINGS = """
name: shop
region: eu-central-1
cluster: shop
service: shop-web
repository: acme/shop
task: {family: shop-web, cpu: 1024, memory: 2048, execution_role: shop-execution, task_role: shop-task}
container:
  name: web
  port: 8080
  environment: {GREETING: "it's \\"here\\""}
  secrets:
    API_KEY: arn:aws:secretsmanager:eu-central-1:999999999999:secret:shop/api-x1Y2z3
    DB_PASSWORD: arn:aws:secretsmanager:eu-central-1:999999999999:secret:shop/db-a1B2c3:password::v1
    TOKEN: /shop/token
    PIN: arn:aws:ssm:eu-central-1:999999999999:parameter/pin
logs: {group: /acme/shop}
network: {vpc: vpc-0123456789abcdef0, subnets: [subnet-a, subnet-b], public: false}
load_balancer: {name: shop, target_group: shop-web, security_group: shop-balancer, stickiness: false}
tasks_security_group: shop-tasks
health_check: {path: /ping}
deployment: {desired_count: 0}
probe: {path: /hello, websocket: false}
"""
DOCKERFILE = """\
# syntax=docker/dockerfile:1
FROM python:3.12-slim AS base
ENV APP_HOME=/srv/app
WORKDIR $APP_HOME
COPY src/ ./
COPY --chmod=755 entrypoint.sh /usr/local/bin/
RUN pip install nothing-much
EXPOSE 8080
ENTRYPOINT ["entrypoint.sh"]
CMD exec python shop.py --port $PORT
"""
ENTRYPOINT = """\
#!/bin/sh
set -e
for name in API_KEY DB_PASSWORD TOKEN PIN; do
    eval "value=\\$$name"
    [ "$value" = rehearsal ] || { echo "$name is not there"; exit 4; }
done
echo "starting in $PWD"
exec "$@"
"""
SHOP = """\
import argparse
import os
import signal
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Shop(BaseHTTPRequestHandler):
    def do_GET(self):
        known = {"/ping": "pong", "/hello": os.environ["GREETING"]}
        body = known.get(self.path, "").encode()
        self.send_response(200 if body else 404)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


signal.signal(signal.SIGTERM, lambda *_: os._exit(0))
parser = argparse.ArgumentParser()
parser.add_argument("--port", type=int)
ThreadingHTTPServer(("", parser.parse_args().port), Shop).serve_forever()
"""
FILES = {
    "Dockerfile.streamlit": DOCKERFILE,
    "entrypoint.sh": ENTRYPOINT,
    "src/shop.py": SHOP,
    "src/.dockerignore": "",
}


@pytest.fixture
def shop(tmp_path: Path) -> Project:
    """The other project."""
    project = make(tmp_path / "shop", None, FILES)
    project.settings(SETTINGS)
    return project


@pytest.fixture
def wheel(tmp_path: Path) -> Path:
    """The wheel of this checkout."""
    folder = tmp_path / "wheel"
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    [built] = folder.glob("*.whl")
    return built


@pytest.fixture
def python(tmp_path: Path, wheel: Path) -> Path:
    """A fresh environment with the wheel in it, and the dependencies that are installed here."""
    uv = str(Path(sys.executable).with_name("uv"))
    folder = tmp_path / "environment"
    found = folder / "bin" / "python"
    for command in (
        [uv, "venv", "--offline", "--python", sys.executable, str(folder)],
        [uv, "pip", "install", "--offline", "--no-deps", "--python", str(found), str(wheel)],
    ):
        subprocess.run(command, check=True, capture_output=True)
    [site] = folder.glob("lib/python*/site-packages")
    (site / "dependencies.pth").write_text(sysconfig.get_path("purelib") + "\n")
    return found


def run(project: Project, python: Path, *words: str) -> str:
    """Run the environment's Python in the project's folder; what it said."""
    done = subprocess.run(
        [str(python), "-P", *words],
        cwd=project.folder,
        env=project.environment,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


def test_it_is_rehearsed_as_it_is_by_what_the_wheel_holds(shop: Project, python: Path) -> None:
    where = run(shop, python, "-c", "import lobster_tasks; print(lobster_tasks.__file__)")
    assert where.startswith(str(python.parent.parent))
    assert "rehearse " in run(shop, python, "-m", "invoke", "--list")
    told = run(shop, python, "-m", "invoke", "rehearse", "--no-from-apprunner")
    for what in (
        "Rehearsing shop",
        "the default VPC stands in for yours",
        "deployment.desired_count: 1 stands in for 0",
        "secrets: API_KEY, DB_PASSWORD, TOKEN, PIN with stand-in values",
        "Dockerfile.streamlit as acme/shop:rehearsal-1",
        "GET /hello 200",
        "nothing is left of the stack",
        "PASSED in ",
    ):
        assert what in told
    assert "WebSocket" not in told
    assert "RELEASE" not in told
