"""What moving an App Runner service means, as people read it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from lobster_tasks.apprunner.mapping import MappedService, MappingRow
from lobster_tasks.apprunner.migration import ListedService, Migration, ProjectFiles
from lobster_tasks.cost import app_runner_cost, monthly_cost
from lobster_tasks.report import migration, migrations, next_steps, written
from lobster_tasks.settings import load
from tests.apprunner.descriptions import ARN, IMAGE, described

from .drawn import drawn

ROWS = (
    MappingRow("ServiceUrl", "no_equivalent", "x.awsapprunner.com", None, "it cannot move", "tell users"),
    MappingRow(
        "SourceConfiguration.ImageRepository.ImageIdentifier", "same", "1.dkr/shop:v1", "repository shop"
    ),
    MappingRow("RuntimeEnvironmentVariables.A", "same", "set", "container.environment"),
    MappingRow("RuntimeEnvironmentVariables.B", "same", "set", "container.environment"),
    MappingRow("(unknown)", "no_equivalent", "hidden", None, "left out", "look it up"),
    MappingRow(
        "HealthCheckConfiguration.HealthyThreshold", "approximated", 1, 2, "a load balancer accepts 2 to 10"
    ),
    MappingRow(
        "InstanceConfiguration.InstanceRoleArn",
        "translated",
        "arn:aws:iam::1:role/app",
        "task role shop-task",
    ),
)


@pytest.fixture
def found() -> Migration:
    """A service with a row of every class."""
    made = MappedService(ARN, ROWS, {}, {})
    now = app_runner_cost(1, 2, 100)
    return Migration(described(), made, now, monthly_cost(load({})))


def test_what_needs_a_look_comes_first(found: Migration) -> None:
    lines = drawn(migration(found))
    order = [lines.index(word) for word in ("no equivalent", "approximated", "translated", "same")]
    assert order == sorted(order)
    assert "  HealthCheck.HealthyThreshold  1 → 2 · a load balancer accepts 2 to 10" in lines
    assert "  InstanceRoleArn               role/app → task role shop-task" in lines
    assert "  ImageIdentifier 1.dkr/shop:v1 · variables A, B" in lines
    assert "7 settings: 3 same, 1 translated, 1 approximated, 2 no equivalent." in lines
    assert lines[lines.index("To decide (2):") + 1] == "  ServiceUrl  tell users"
    assert lines[-1].startswith("Fargate costs more by ")
    assert "front.kind: cloudfront, 38.10 USD instead of 45.40" in " ".join(" ".join(lines).split())


def test_commands_are_shown_as_they_are_pasted_at_any_width(found: Migration) -> None:
    """Each on a line of its own, whole, and what several rows say once."""
    long = f"aws kms describe-key --key-id {'k' * 100} --query KeyMetadata.Arn"
    both = [
        MappingRow(name, "approximated", "x", "left out", "", "move it", ("inv lift",)) for name in ("A", "B")
    ]
    more = (*ROWS, *both, MappingRow("C", "approximated", "x", "y", "", "name it", (long,)))
    shown = drawn(migration(replace(found, mapped=MappedService(ARN, more, {}, {}))), 60)
    assert f"  {long}" in shown
    assert shown.count("  inv lift") == 1
    assert shown[shown.index("  inv lift") - 1] == "  # A, B"


@pytest.mark.parametrize("columns", [40, 80, 120])
def test_it_holds_at_any_width(found: Migration, columns: int) -> None:
    assert all(len(line) <= columns for line in drawn(migration(found), columns))


def test_the_services_of_a_region(found: Migration) -> None:
    listed = (
        ListedService("shop", ARN, "RUNNING", found),
        ListedService("busy", ARN, "OPERATION_IN_PROGRESS", why_not="busy is busy."),
    )
    first, second = drawn(migrations(listed))
    assert first.startswith("shop  RUNNING")
    assert "7 settings: 3 same, 1 translated, 1 approximated, 2 no equivalent · 2 to decide · " in first
    assert first.endswith(" USD a month")
    assert second.endswith("not checked: busy is busy.")
    assert drawn(migrations(())) == ["There are no App Runner services in this region."]


def test_what_was_written_and_what_comes_next(found: Migration) -> None:
    made = ProjectFiles({"invoke.yaml": "", "Dockerfile.apprunner": ""}, (), ("a note",))
    assert drawn(written(made)) == ["Written: invoke.yaml, Dockerfile.apprunner.", "a note"]
    assert drawn(next_steps(found))[0].startswith("Next:  inv plan --adopt")
    theirs = described(image=replace(IMAGE, stack="theirs"))
    assert drawn(next_steps(replace(found, description=theirs))) == [
        "Next:  inv plan",
        "To compare with ECS Express Mode and ECS Gateway first, read docs/express-and-gateway.md.",
    ]
