"""The embedded AWS is a package of its own: it runs where neither the library nor Invoke is."""

from __future__ import annotations

import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.embedded_process import serve

ROOT = Path(__file__).parents[2]
HIDDEN = ("invoke", "lobster_tasks")
# ``python -m embedded_aws`` in an interpreter that finds none of these.
ALONE = f"""
import importlib.abc, runpy, sys

class Hides(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {HIDDEN!r}:
            raise ModuleNotFoundError(name, name=name)

sys.meta_path.insert(0, Hides())
runpy.run_module("embedded_aws", run_name="__main__", alter_sys=True)
"""


@pytest.mark.parametrize("hidden", HIDDEN)
def test_what_is_hidden_cannot_be_imported(hidden: str) -> None:
    program = ALONE.replace('runpy.run_module("embedded_aws"', f'runpy.run_module("{hidden}"')
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert f"ModuleNotFoundError: {hidden}" in done.stderr


def test_it_runs_without_the_library_and_without_invoke() -> None:
    """Every service of ours answers there; what is imported only for a call has been imported, too."""
    with serve([sys.executable, "-c", ALONE, "--until-stdin-ends"], stdin=subprocess.PIPE) as alone:
        assert alone.client("sts").get_caller_identity()["Account"] == "123456789012"
        alone.client("ecs").create_cluster(clusterName="alone")
        assert len(alone.client("ecs").list_clusters()["clusterArns"]) == 1
        assert alone.client("apprunner").list_services()["ServiceSummaryList"] == []
        assert alone.client("elbv2").describe_load_balancers()["LoadBalancers"] == []


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the sdist of this checkout, and the wheel that is made of that."""
    folder = tmp_path_factory.mktemp("built")
    uv = [str(Path(sys.executable).with_name("uv")), "build", "--no-build-isolation", "--offline"]
    made = [*uv, "--python", sys.executable, "--out-dir", str(folder), str(ROOT)]
    subprocess.run(made, check=True, capture_output=True, stdin=subprocess.DEVNULL, timeout=600)
    return folder


def sources() -> set[str]:
    """The paths of both packages' modules and tables."""
    files = (file for package in ("embedded_aws", "lobster_tasks") for file in (ROOT / package).rglob("*.*"))
    return {str(file.relative_to(ROOT)) for file in files if file.suffix in (".py", ".json", ".typed")}


def assert_holds_both(names: Sequence[str]) -> None:
    """Every module and every table of both packages is there."""
    assert sources() <= set(names)
    assert {"embedded_aws/__main__.py", "embedded_aws/iam/access/reference.json"} <= set(names)


def test_the_wheel_holds_both_packages(built: Path) -> None:
    [wheel] = built.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        assert_holds_both(archive.namelist())


def test_the_sdist_holds_both_packages(built: Path) -> None:
    [sdist] = built.glob("*.tar.gz")
    with tarfile.open(sdist) as archive:
        assert_holds_both([name.partition("/")[2] for name in archive.getnames()])
