"""The embedded AWS serves Terraform: a configuration applies, a plan then finds nothing to change, and it destroys.

Terraform itself waits for half a minute here and there, whatever the speed of what it talks to.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.embedded_process import PATIENCE, EmbeddedProcess

CONFIGURATION = Path(__file__).with_name("terraform") / "main.tf"
AWS_PROVIDER = "registry.terraform.io/hashicorp/aws"
FOLDERS = ("/opt", "/usr/share/terraform", "/usr/local/share/terraform", "~/.terraform.d")
"""Where machines keep Terraform's providers: in a folder of one of these."""


def mirror() -> Path | None:
    """The folder that holds the AWS provider, as ``terraform providers mirror`` lays it out; None without one."""
    found = (each for folder in FOLDERS for each in Path(folder).expanduser().glob(f"*/{AWS_PROVIDER}"))
    return next((each.parents[2] for each in found), None)


class Terraform:
    """Terraform in a folder with a configuration, for the embedded AWS."""

    def __init__(self, folder: Path, providers: Path, url: str) -> None:
        self.folder = folder
        shutil.copy(CONFIGURATION, folder)
        settings = folder / "terraform.rc"
        settings.write_text(
            f'disable_checkpoint = true\nprovider_installation {{\n  filesystem_mirror {{ path = "{providers}" }}\n}}\n'
        )
        kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
        self.environment = {
            **kept,
            "TF_CLI_CONFIG_FILE": str(settings),
            "AWS_ENDPOINT_URL": url,
            "TF_IN_AUTOMATION": "1",
        }

    def run(self, *arguments: str) -> str:
        """Run a command of Terraform's to its end; what it said."""
        words = ["terraform", *arguments, "-no-color"]
        run: dict[str, Any] = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True}
        done = subprocess.run(
            words, cwd=self.folder, env=self.environment, check=False, timeout=PATIENCE, **run
        )
        assert done.returncode == 0, done.stdout
        return done.stdout


@pytest.fixture
def terraform(tmp_path: Path, rapid_process: EmbeddedProcess) -> Iterator[Terraform]:
    """Terraform, ready to apply; skips where it, or its AWS provider, is not on this machine."""
    if shutil.which("terraform") is None:
        pytest.skip("terraform is not on this machine")
    if (providers := mirror()) is None:
        pytest.skip(f"terraform's provider {AWS_PROVIDER} is in no folder of {', '.join(FOLDERS)}")
    rapid_process.reset()
    ready = Terraform(tmp_path, providers, rapid_process.url)
    ready.run("init")
    yield ready
    rapid_process.reset()


@pytest.mark.timeout(1800)
def test_a_configuration_applies_plans_empty_and_destroys(
    terraform: Terraform, rapid_process: EmbeddedProcess
) -> None:
    terraform.run("apply", "-auto-approve")
    assert "No changes. Your infrastructure matches the configuration." in terraform.run(
        "plan", "-detailed-exitcode"
    )
    services = rapid_process.client("ecs").describe_services(cluster="app", services=["app"])["services"]
    assert [each["status"] for each in services] == ["ACTIVE"]
    (site,) = rapid_process.client("apprunner").list_services()["ServiceSummaryList"]
    domains = rapid_process.client("apprunner").describe_custom_domains(ServiceArn=site["ServiceArn"])
    assert [each["DomainName"] for each in domains["CustomDomains"]] == ["app.example.com"]
    terraform.run("destroy", "-auto-approve")
    assert not rapid_process.client("elbv2").describe_load_balancers()["LoadBalancers"]
    assert not rapid_process.client("ecs").list_clusters()["clusterArns"]
    assert not rapid_process.client("apprunner").list_services()["ServiceSummaryList"]
