"""This project's own image: pushed without a container engine, deployed, and asked as a visitor asks."""

from __future__ import annotations

from pathlib import Path

from lobster_tasks import converge, settings, stack
from lobster_tasks.aws import Aws
from lobster_tasks.doctor import examine
from lobster_tasks.images import options_of, push_image
from lobster_tasks.rollout import deploy

PROJECT = Path(__file__).parents[2]


def test_streamlit_serves_and_the_doctor_is_content(aws: Aws) -> None:
    chosen = settings.load({})
    resources = stack.build(chosen, aws.account, aws.partition)
    converge.apply(aws, converge.plan(resources, converge.read(aws, resources)), lambda _: None)
    pushed = push_image(aws, chosen, "4f2c1e9", PROJECT, options=options_of(chosen, {"RELEASE": "4f2c1e9"}))
    outcome = deploy(aws, chosen, "4f2c1e9")
    assert outcome.verdict == "live", outcome
    assert outcome.image is not None
    assert outcome.image.endswith(pushed.digest)
    assert outcome.probe is not None
    assert [answer.said for answer in outcome.probe.answers][-1] == "WebSocket open"
    report = examine(aws, chosen, PROJECT)
    assert [(check.id, check.status) for check in report.checks if check.status != "pass"] == []
