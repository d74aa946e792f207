"""What brings a release, as commands."""

from __future__ import annotations

import json
import re

import pytest
import requests

from tests.embedded.images import ImageSpec, push
from tests.embedded_process import PATIENCE, EmbeddedProcess
from tests.project import Project, calls, forget_calls, plain

REFERENCE = "123456789012.dkr.ecr.us-east-2.amazonaws.com/homara"
OUTCOME = {
    *("verdict", "cause", "url", "task_definition", "previous_task_definition"),
    *("image", "seconds", "timeline"),
}


@pytest.fixture
def live(project: Project) -> str:
    """The address of a first release, by a chain of tasks."""
    project.settings("deployment: {deregistration_delay: 0}")
    words = ("push-image", "--tag", "a", "--build-arg", "RELEASE=a", "deploy", "--tag", "a")
    return project.inv("setup-fargate", *words).check().out.splitlines()[-1]


def test_push_image(project: Project, embedded: EmbeddedProcess) -> None:
    project.inv("setup-fargate").check()
    forget_calls(embedded)
    planned = project.inv("push-image", "--tag", "a", "--dry-run", "--json").check()
    assert planned.json == {
        "applied": False,
        "reference": f"{REFERENCE}:a",
        "dockerfile": "Dockerfile.streamlit",
        "platform": "linux/amd64",
        "target": "",
        "builder": "process",
        "builder_reason": "this embedded AWS runs tasks as processes; --runtime container runs containers",
        "named": None,
    }
    assert not calls(embedded)
    answer = project.inv("push-image", "--tag", "a", "--json").check().json
    assert set(answer) == {
        "reference",
        "digest",
        "size_bytes",
        "pushed",
        "notes",
        "builder",
        "builder_reason",
    }
    assert (answer["reference"], answer["pushed"]) == (f"{REFERENCE}:a", True)
    [image] = embedded.client("ecr").describe_images(repositoryName="homara")["imageDetails"]
    assert image["imageDigest"] == answer["digest"]
    again = project.inv("push-image", "--tag", "a").check()
    assert f"already there: {REFERENCE}:a" in again.err
    planned = project.inv("push-image", "--tag", "a", "--dry-run").check()
    assert f"(process) and push it as {REFERENCE}:a, which names {answer['digest']} now." in planned.err
    assert again.out == ""


def test_render_task_definition(project: Project, embedded: EmbeddedProcess) -> None:
    project.settings("task: {cpu: 1024, memory: 2048}")
    pushed = project.inv("setup-fargate", "push-image", "--tag", "a", "--json").check()
    digest = json.loads(pushed.out[pushed.out.index("{") :])["digest"]
    forget_calls(embedded)
    printed = project.inv("render-task-definition", "--tag", "a").check().json
    below = project.folder / "below"
    below.mkdir()
    done = project.inv("render-task-definition", "--tag", "a", "--output", "definition.json", folder=below)
    assert done.check().out == ""
    assert json.loads((below / "definition.json").read_text()) == printed
    assert printed["containerDefinitions"][0]["image"] == f"{REFERENCE}@{digest}"
    assert (printed["cpu"], printed["memory"]) == ("1024", "2048")
    assert not calls(embedded)
    embedded.client("ecs").register_task_definition(**printed)  # AWS takes it as it is
    refused = project.inv("render-task-definition", "--tag", "a", "--output", "nowhere/x.json").check(5)
    assert "nowhere/x.json cannot be written." in refused.err


def test_a_release_is_told_and_counted(project: Project, embedded: EmbeddedProcess, live: str) -> None:
    words = ("push-image", "--tag", "b", "--build-arg", "RELEASE=b")
    project.inv(*words).check()
    answer = project.inv("deploy", "--tag", "b", "--json").check().json
    assert set(answer) >= OUTCOME
    assert (answer["verdict"], answer["cause"], answer["url"]) == ("live", None, live)
    assert answer["task_definition"].endswith(":task-definition/lobster-streamlit-task:3")
    assert answer["previous_task_definition"].endswith(":2")
    assert re.fullmatch(rf"{re.escape(REFERENCE)}@sha256:[0-9a-f]{{64}}", answer["image"])
    assert answer["seconds"] > 0
    assert all(set(moment) == {"at", "what"} for moment in answer["timeline"])
    assert requests.get(live, timeout=PATIENCE).text == "b"
    forget_calls(embedded)
    again = project.inv("deploy", "--tag", "b").check()
    assert again.out == f"{live}\n"
    assert "LIVE   revision 3" in again.err
    assert not calls(embedded)
    followed = project.inv("deploy", "--registered", answer["task_definition"], "--json").check().json
    assert (followed["verdict"], followed["image"]) == ("live", answer["image"])


def test_a_dry_run_says_what_would_differ(project: Project, embedded: EmbeddedProcess, live: str) -> None:
    push(embedded.client("ecr"), ImageSpec({"/app/release": "b"}), tag="b")
    forget_calls(embedded)
    told = project.inv(
        "deploy", "--tag", "b", "--dry-run", "--set", "task.cpu=1024", "--set", "task.memory=2048"
    )
    assert re.search(r"^  .*cpu.* 512 → 1024$", told.check().err, re.M)
    assert re.search(r"^  lobster-streamlit: image homara@sha256:.* → homara@sha256:", told.err, re.M)
    answer = project.inv("deploy", "--tag", "b", "--dry-run", "--json").check().json
    assert set(answer) == {"applied", "image", "task_definition", "changes"}
    assert (answer["applied"], len(answer["changes"])) == (False, 1)
    assert (
        "Nothing would differ from revision 2."
        in project.inv("deploy", "--tag", "a", "--dry-run").check().err
    )
    project.inv("deploy", "--tag", "nope", "--dry-run").check(5)
    assert not calls(embedded)


def test_a_release_on_a_terminal_shows_how_it_moves(project: Project, live: str) -> None:
    shown = plain(project.on_terminal("deploy", "--tag", "a", "--force").check().out)
    for what in ("lobster-streamlit-service · homara:a", "revision", "tasks", "targets", "2 new", "LIVE"):
        assert what in shown
    assert shown.rstrip().endswith(live)


def test_what_cannot_be_released_is_refused(project: Project, embedded: EmbeddedProcess, live: str) -> None:
    for tag in ("b", "c", "d", "e", "f", "g"):
        push(embedded.client("ecr"), ImageSpec({"/app/release": tag}), tag=tag)
    forget_calls(embedded)
    refused = project.inv("deploy", "--tag", "nope").check(5)
    assert "nope is not in the repository homara." in refused.err
    assert re.search(r"the newest tags: g \(.*f \(.*e \(.*d \(.*c \(", refused.err)
    assert "b (" not in refused.err
    answer = project.inv("deploy", "--tag", "nope", "--json").check(5).json
    assert set(answer) >= OUTCOME
    assert (answer["verdict"], answer["cause"]["code"]) == ("refused", "image-not-found")
    assert "nope is not in the repository" in answer["cause"]["message"]
    assert not calls(embedded)
