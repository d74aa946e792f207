"""The App Runner service with which a rehearsal begins."""

from __future__ import annotations

from pathlib import Path

import pytest
import requests

from lobster_tasks import settings
from lobster_tasks.aws import Aws
from lobster_tasks.errors import LobsterError
from lobster_tasks.rehearsal.app_runner import app_runner_name, deploy_app, size
from tests.embedded_process import PATIENCE, EmbeddedProcess

ARN = "arn:aws:apprunner:us-east-2:123456789012"
APP = """
import os
from http.server import BaseHTTPRequestHandler, HTTPServer
class Page(BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
        self.wfile.write(os.environ["RELEASE"].encode() + b" " + os.environ["COLOUR"].encode())
HTTPServer(("0.0.0.0", 8501), Page).serve_forever()
"""
DOCKERFILE = (
    'FROM python\nARG RELEASE\nENV RELEASE=$RELEASE\nCOPY app.py /app.py\nCMD ["python", "/app.py"]\n'
)


def test_the_app_is_on_app_runner_with_its_domain(
    aws: Aws, embedded: EmbeddedProcess, tmp_path: Path
) -> None:
    (tmp_path / "app.py").write_text(APP)
    (tmp_path / "Dockerfile.streamlit").write_text(DOCKERFILE)
    before = deploy_app(aws, settings.load({"container": {"environment": {"COLOUR": "red"}}}), tmp_path)
    assert requests.get(before.address, timeout=PATIENCE).text == "on-app-runner red"
    answer = embedded.client("route53").test_dns_answer(
        HostedZoneId=before.zone, RecordName=before.domain, RecordType="A"
    )
    assert [f"http://{each}" for each in answer["RecordData"]] == [before.address]
    runner = embedded.client("apprunner")
    assert runner.describe_service(ServiceArn=before.arn)["Service"]["Status"] == "RUNNING"
    [domain] = runner.describe_custom_domains(ServiceArn=before.arn)["CustomDomains"]
    assert (domain["DomainName"], domain["Status"]) == ("lobster.example.com", "active")


def test_a_command_is_told_as_a_shell_takes_it(aws: Aws, embedded: EmbeddedProcess, tmp_path: Path) -> None:
    (tmp_path / "app.py").write_text(APP)
    (tmp_path / "Dockerfile.streamlit").write_text(DOCKERFILE)
    words = ["sh", "-c", "COLOUR='dark red' exec python /app.py"]
    before = deploy_app(aws, settings.load({"container": {"command": words}}), tmp_path)
    assert requests.get(before.address, timeout=PATIENCE).text == "on-app-runner dark red"


def test_an_app_that_does_not_start_there(aws: Aws, embedded: EmbeddedProcess, tmp_path: Path) -> None:
    (tmp_path / "Dockerfile.streamlit").write_text(
        'FROM python\nCMD ["sh", "-c", "echo no model; echo password=hunter2; exit 3"]\n'
    )
    with pytest.raises(LobsterError, match="does not start on App Runner: CREATE_FAILED") as failed:
        deploy_app(aws, settings.load({}), tmp_path)
    assert failed.value.why.startswith("its log ends with: no model · password=")
    assert "hunter2" not in failed.value.why
    assert "--no-from-apprunner" in failed.value.next_step


@pytest.mark.parametrize(
    ("task", "instance"),
    [
        ((256, 512), (256, 512)),
        ((512, 1024), (512, 1024)),
        ((256, 2048), (1024, 2048)),
        ((512, 3072), (1024, 3072)),
        ((2048, 16384), (4096, 12288)),
        ((16384, 32768), (4096, 12288)),
    ],
)
def test_the_nearest_size(task: tuple[int, int], instance: tuple[int, int]) -> None:
    assert size(*task) == instance


@pytest.mark.parametrize(
    ("given", "name"),
    [
        ({}, "lobster"),
        ({"name": "a.b"}, "a-bx"),
        ({"apprunner": {"service": "mine"}}, "mine"),
        ({"apprunner": {"service": f"{ARN}:service/mine/8fe1e10304f84fd2b0df550fe98a71fa"}}, "mine"),
    ],
)
def test_a_name_that_app_runner_takes(given: dict[str, object], name: str) -> None:
    assert app_runner_name(settings.load(given)) == name
