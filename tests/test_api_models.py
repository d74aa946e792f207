"""AWS's API models: loaded once, and what botocore finds wrong with an input, without its values."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.model import ServiceModel
from botocore.validate import ParamValidator

from lobster_tasks.api_models import loader, mistakes

HIDDEN = "hunter2hunter2"
APP = {"name": "app", "image": "x"}


def test_models_are_loaded_once() -> None:
    """By whoever asks, a client of AWS or the check of an input."""
    loader.cache_clear()
    loader(None)
    assert mistakes("ecs", "StopTask", {"task": "a"}) == []
    assert loader.cache_info().currsize == 1


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"family": "a"}, ["containerDefinitions is missing"]),
        (
            {"family": "a", "containerDefinitions": [], "colour": HIDDEN},
            ["colour is not a member of RegisterTaskDefinition"],
        ),
        (
            {"family": {"a": HIDDEN}, "containerDefinitions": [{**APP, "secrets": [{"name": [HIDDEN]}]}]},
            [
                "family is not a text",
                "containerDefinitions[0].secrets[0].valueFrom is missing",
                "containerDefinitions[0].secrets[0].name is not a text",
            ],
        ),
        (
            {"family": "a", "containerDefinitions": [{**APP, "cpu": HIDDEN, "essential": HIDDEN}]},
            [
                "containerDefinitions[0].cpu is not a whole number",
                "containerDefinitions[0].essential is not true or false",
            ],
        ),
        ({"family": "a", "containerDefinitions": HIDDEN}, ["containerDefinitions is not a list"]),
        (HIDDEN, ["it is not an object"]),
    ],
)
def test_each_mistake_that_botocore_reports_is_told_without_its_value(given: Any, told: list[str]) -> None:
    """botocore's own report repeats the values; the parts of it that have no value are not public."""
    model = ServiceModel(loader(None).load_service_model("ecs", "service-2"), "ecs")
    shape = model.operation_model("RegisterTaskDefinition").input_shape
    reported = ParamValidator().validate(given, shape).generate_report()
    assert mistakes("ecs", "RegisterTaskDefinition", given) == told
    assert len(reported.splitlines()) == len(told)
    assert HIDDEN not in "".join(told)
