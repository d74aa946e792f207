"""A person who is no administrator goes the guide's way, with the policies that the guide says, attached as printed."""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from tests.embedded.identities import user
from tests.embedded_process import EmbeddedProcess
from tests.project import Project, make

from . import releasing
from .permitted import settings_of

GUIDE = Path(__file__).parents[2] / "AWS_FARGATE_DEPLOYMENT_GUIDE.md"


def commands(first: int, last: int) -> Iterator[list[str]]:
    """The words of every inv command in the guide's blocks, from one section to another."""
    sections = re.split(r"^## (?=\d+\. )", GUIDE.read_text(encoding="utf-8"), flags=re.MULTILINE)
    for section in sections[first : last + 1]:
        for block in re.findall(r"^```sh\n(.*?)^```", section, re.MULTILINE | re.DOTALL):
            for line in block.replace("$(git rev-parse --short HEAD)", "one").splitlines():
                words = shlex.split(line, comments=True)
                if words[:1] == ["inv"]:
                    yield words[1:]


def attach(project: Project, told: str, name: str) -> None:
    """Run the commands that print-setup-policy tells, as an administrator."""
    aws = Path(sys.executable).with_name("aws")
    environment = {**os.environ, **project.environment, "AWS_DEFAULT_REGION": "us-east-2"}
    for line in told.splitlines():
        if line.startswith("  aws "):
            words = [str(aws), *shlex.split(line.replace(" NAME ", f" {name} "))[1:]]
            done = subprocess.run(
                words, cwd=project.folder, env=environment, capture_output=True, text=True, check=False
            )
            assert done.returncode == 0, done.stderr


def test_with_the_guides_policies_a_person_goes_the_guides_way(
    embedded_process: EmbeddedProcess, tmp_path: Path
) -> None:
    embedded_process.reset()
    project = make(tmp_path, embedded_process.url)
    settings = settings_of(*releasing.FAST, "github.repository=somebody/app")
    given = settings.model_dump(mode="json", exclude_unset=True)
    project.write("invoke.yaml", json.dumps({"lobster": given}))
    embedded_process.client("iam").create_user(UserName="alice")
    for command in commands(4, 4):
        attach(project, project.inv(*command).check().err, "alice")
    project.environment |= user(embedded_process, "alice").environment
    gone = [*commands(5, 8), ["history"], ["scale", "--to", "2"], *commands(12, 12)]
    assert {words[0] for words in gone} >= {
        "plan",
        "setup-fargate",
        "push-image",
        "deploy",
        "status",
        "teardown",
    }
    for words in gone:
        more = {"push-image": ["--builder", "process"], "teardown": ["--yes"]}.get(words[0], [])
        project.inv(*words, *more).check()
