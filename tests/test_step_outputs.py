"""Outputs of a step, read back like a GitHub Actions runner does."""

from __future__ import annotations

from pathlib import Path

import pytest

from lobster_tasks import step_outputs
from lobster_tasks.errors import RefusedError
from lobster_tasks.images.push import PushedImage
from lobster_tasks.rollout import Cause, Outcome


def read(file: Path) -> dict[str, str]:
    """ "Workflow commands for GitHub Actions": ``name=value``, or ``name<<delimiter`` and lines up to the delimiter."""
    found, lines = {}, iter(file.read_text(encoding="utf-8").split("\n")[:-1])
    for line in lines:
        name, _, delimiter = line.partition("<<")
        assert delimiter, line
        value = []
        while (inner := next(lines)) != delimiter:
            value.append(inner)
        found[name] = "\n".join(value)
    return found


@pytest.mark.parametrize(
    "value", ["plain", "", "two\nlines", "x\nverdict=live", "a<<b\nc\nb", "end", "é ✘ %0A"]
)
def test_a_value_is_read_as_it_was_written(tmp_path: Path, value: str) -> None:
    file = tmp_path / "outputs"
    file.write_text("before<<e\nthis\ne\n")
    step_outputs.write({"first": value, "verdict": "failed"}, {"GITHUB_OUTPUT": str(file)})
    assert read(file) == {"before": "this", "first": value, "verdict": "failed"}


def test_nothing_is_written_outside_of_github_actions(tmp_path: Path) -> None:
    step_outputs.write({"verdict": "live"}, {})
    step_outputs.write({"verdict": "live"}, {"GITHUB_OUTPUT": ""})
    assert list(tmp_path.iterdir()) == []


def test_the_outputs_of_a_release() -> None:
    ended = Outcome(
        "rolled_back",
        "the circuit breaker",
        Cause("image-not-found", "There is no such image."),
        url="http://example",
        task_definition="arn:2",
        previous_task_definition="arn:1",
        image="123456789012.dkr.ecr.us-east-2.amazonaws.com/homara@sha256:ab",
        seconds=12.34,
    )
    assert step_outputs.of_outcome(ended) == {
        "verdict": "rolled_back",
        "cause": "image-not-found",
        "url": "http://example",
        "task-definition-arn": "arn:2",
        "previous-task-definition-arn": "arn:1",
        "image-digest": "sha256:ab",
        "seconds": 12.3,
    }
    refused = step_outputs.of_outcome(Outcome.refused(RefusedError("no")))
    assert (refused["verdict"], refused["url"], refused["image-digest"]) == ("refused", None, "")


def test_the_outputs_of_an_image_name_it_by_digest() -> None:
    pushed = PushedImage("registry.example:5000/homara:4f2c1e9", "sha256:ab", 1, True)
    assert step_outputs.of_image(pushed) == {
        "image": "registry.example:5000/homara@sha256:ab",
        "image-digest": "sha256:ab",
    }
