"""Any service that App Runner takes becomes a stack that AWS takes, or a named finding: never an error."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import chdir
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as how
from hypothesis import strategies as st

from lobster_tasks import converge, stack
from lobster_tasks.apprunner.description import Description
from lobster_tasks.apprunner.discover import vpc_of
from lobster_tasks.apprunner.mapping import CLASSES, map_service
from lobster_tasks.apprunner.migration import draft_files, migration_of, write_files
from lobster_tasks.apprunner.yaml_text import load as load_yaml
from lobster_tasks.apprunner.yaml_text import with_section
from lobster_tasks.aws import Aws
from lobster_tasks.clock import Clock
from lobster_tasks.errors import RefusedError
from lobster_tasks.secrecy import looks_secret
from lobster_tasks.settings import load
from tests.conftest import SPEED
from tests.embedded_process import EmbeddedProcess

from .any_service import services
from .descriptions import ACCOUNT

QUIET = {"deadline": None, "database": None, "derandomize": True}


def check(description: Description) -> None:
    """What holds for every mapping."""
    made = map_service(description)
    settings = load(made.settings)
    stack.build(settings, ACCOUNT)
    assert load(load_yaml(with_section("", made.settings, "x"), "x")["lobster"]) == settings
    assert sum(made.count(kind) for kind in CLASSES) == len(made.rows)
    assert all(row.decide for row in made.rows if row.kind == "no_equivalent")
    assert not [row for row in made.rows if "does not know" in row.note]
    plain = description.configuration.get("RuntimeEnvironmentVariables", {})
    kept = settings.container.environment
    hidden = {name for name, value in plain.items() if looks_secret(name, value)}
    assert not hidden & kept.keys()
    told = {
        row.setting.partition(".")[2]
        for row in made.rows
        if row.setting.startswith("RuntimeEnvironmentVariables.")
    }
    assert told == plain.keys()
    assert all(kept[name] == plain[name] for name in kept)


@given(services())
@how(max_examples=60, suppress_health_check=[HealthCheck.too_slow], **QUIET)
def test_any_service_becomes_settings_and_findings(description: Description) -> None:
    check(description)


@pytest.mark.exhaustive
@given(services())
@how(max_examples=5000, suppress_health_check=list(HealthCheck), **QUIET)
def test_very_many_services_become_settings_and_findings(description: Description) -> None:
    check(description)


@pytest.fixture(scope="module")
def door(embedded_process: EmbeddedProcess) -> Aws:
    """The library's door to the embedded AWS."""
    credentials = {"aws_access_key_id": "AKIAEXAMPLE", "aws_secret_access_key": "example"}
    return Aws(
        "us-east-2", endpoint_url=embedded_process.url, credentials=credentials, clock=Clock(speed=SPEED)
    )


@pytest.fixture
def elsewhere(tmp_path: Path) -> Iterator[Path]:
    """A folder for one project after the other."""
    with chdir(tmp_path):
        yield tmp_path


def accepted(embedded: EmbeddedProcess, door: Aws, folder: Path, data: st.DataObject) -> None:
    """The stack of any service is made as it is planned, or refused by name where a finding says so."""
    embedded.reset()
    ec2 = embedded.client("ec2")
    vpc = vpc_of(door, [], "")
    assert vpc is not None
    groups = [
        ec2.create_security_group(GroupName=f"g{n}", Description="x", VpcId=vpc.id)["GroupId"]
        for n in range(5)
    ]
    migration = migration_of(data.draw(services(vpc, tuple(groups))))
    project = folder / str(len(os.listdir(folder)))
    project.mkdir()
    write_files(draft_files(migration, project), project)
    with chdir(project):
        _made(door, migration.mapped.undecided != (), project)


def _made(door: Aws, undecided: bool, project: Path) -> None:
    settings = load(load_yaml((project / "invoke.yaml").read_text(), "x")["lobster"])
    resources = stack.build(settings, door.account, door.partition)
    try:
        made = converge.plan(resources, converge.read(door, resources))
    except RefusedError:
        assert undecided
        return
    converge.apply(door, made, lambda _: None)
    assert converge.verify(door, resources).changes == ()


@given(data=st.data())
@how(max_examples=4, suppress_health_check=list(HealthCheck), **QUIET)
def test_aws_takes_the_stack_of_any_service(
    embedded_process: EmbeddedProcess, door: Aws, elsewhere: Path, data: st.DataObject
) -> None:
    accepted(embedded_process, door, elsewhere, data)


@pytest.mark.exhaustive
@pytest.mark.timeout(1800)
@given(data=st.data())
@how(max_examples=150, suppress_health_check=list(HealthCheck), **QUIET)
def test_aws_takes_the_stacks_of_many_services(
    embedded_process: EmbeddedProcess, door: Aws, elsewhere: Path, data: st.DataObject
) -> None:
    accepted(embedded_process, door, elsewhere, data)
