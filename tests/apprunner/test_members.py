"""No member of App Runner's descriptions is dropped: each has its rule, or is no setting."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

import botocore.session
import pytest

from lobster_tasks.apprunner.mapping import FACTS, RULES
from lobster_tasks.apprunner.mapping.members import MAPS

from .descriptions import described, mapped, row

# The operations that describe a service and its companions, and what their members are called here.
OPERATIONS = {
    "DescribeService": "",
    "DescribeAutoScalingConfiguration": "",
    "DescribeVpcConnector": "",
    "DescribeVpcIngressConnection": "",
    "DescribeObservabilityConfiguration": "",
    "DescribeCustomDomains": "CustomDomains",
    "ListConnections": "Connection",
    "ListTagsForResource": "",
}
PAGING = frozenset({"NextToken"})


def leaves(shape: Any, path: str) -> Iterator[str]:
    """The leaves of a shape of botocore's model, named as the rules name them."""
    if shape.type_name == "structure":
        for name, member in shape.members.items():
            if name not in PAGING:
                yield from leaves(member, f"{path}.{name}" if path else name)
    elif shape.type_name == "list":
        yield from leaves(shape.member, f"{path}[]")
    else:
        yield f"{path}{{}}" if shape.type_name == "map" else path


def members(operation: str) -> set[str]:
    """Every member of an operation's answer."""
    model = botocore.session.get_session().get_service_model("apprunner").operation_model(operation)
    found = leaves(model.output_shape, OPERATIONS[operation])
    return {path.replace("Connection.ConnectionSummaryList[]", "Connection") for path in found}


@pytest.mark.parametrize("operation", OPERATIONS)
def test_every_member_of_the_model_is_known(operation: str) -> None:
    known = {member for rule in RULES for member in rule.members} | FACTS.keys()
    assert members(operation) - known == set()


def test_no_rule_and_no_fact_is_about_a_member_that_is_not_there() -> None:
    there = {member for operation in OPERATIONS for member in members(operation)}
    ruled = Counter(member for rule in RULES for member in rule.members)
    assert set(ruled) - there == set()
    assert [member for member, times in ruled.items() if times > 1] == []
    assert set(ruled) & FACTS.keys() == set()


def test_maps_are_the_models() -> None:
    every = {path for operation in OPERATIONS for path in members(operation) if path.endswith("{}")}
    assert {path.rpartition(".")[2].removesuffix("{}") for path in every} == set(MAPS)


def test_what_botocore_does_not_know_is_told_without_its_value() -> None:
    newer = {"InstanceConfiguration": {"Cpu": "1024", "Memory": "2048", "Gpu": {"Kind": "sk-live-value"}}}
    made = mapped(newer, scaling={"MinSize": 1, "MaxSize": 1, "MaxConcurrency": 1, "Burst": [1, 2]})
    told = row(made, "Service.InstanceConfiguration.Gpu.Kind")
    assert (told.kind, told.old) == ("no_equivalent", "set")
    assert told.decide
    assert row(made, "AutoScalingConfiguration.Burst[]").kind == "no_equivalent"


def test_nothing_is_unknown_in_an_ordinary_service() -> None:
    assert not [each for each in mapped(described().service).rows if "does not know" in each.note]
