"""People who are no administrators, with the policies that the documents say, and the documents' commands as they run.

Somebody is an IAM user with a key that was made in the embedded AWS: every other key is an administrator's there.
"""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from lobster_tasks.settings import merge
from tests.embedded.identities import user
from tests.embedded_process import EmbeddedProcess
from tests.project import Ended, Project, in_a_new_process, make

AWS = Path(sys.executable).with_name("aws")
# A terminal asks and a test has none; nobody has an engine for containers; a day and an hour are not waited for.
WITHOUT_A_TERMINAL = {
    "teardown": ("--yes",),
    "cleanup-apprunner": ("--yes",),
    "remove-old-load-balancer": ("--yes",),
}
SHORT = {
    "INVOKE_LOBSTER_IMAGES_BUILDER": "process",
    "INVOKE_LOBSTER_APPRUNNER_SOAK_HOURS": "0",
    "INVOKE_LOBSTER_APPRUNNER_QUIET_REQUESTS": "1000",
    "INVOKE_LOBSTER_DEPLOYMENT_DEREGISTRATION_DELAY": "5",
    "INVOKE_LOBSTER_HEALTH_CHECK_UNHEALTHY_THRESHOLD": "2",
}


@dataclass
class Somebody:
    """A user of the account, who has a project and runs commands in it; ``folder`` is the project's."""

    process: EmbeddedProcess
    folder: Path
    name: str = "alice"
    left_out: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.administrator = make(self.folder, self.process.url)
        path = f"{self._programs()}:{AWS.parent}:{os.environ['PATH']}"
        self.administrator.environment |= {"AWS_DEFAULT_REGION": "us-east-2", "PATH": path, **SHORT}
        self.process.client("iam").create_user(UserName=self.name)
        key = user(self.process, self.name).environment
        self.project = Project(self.folder, {**self.administrator.environment, **key})
        self._commit()

    def _programs(self) -> Path:
        """A folder with the plugin that would carry a terminal; the embedded AWS has none to carry."""
        plugin = self.folder / "home" / "bin" / "session-manager-plugin"
        plugin.parent.mkdir(parents=True)
        plugin.write_text("#!/bin/sh\n")
        plugin.chmod(0o755)
        return plugin.parent

    def _commit(self) -> None:
        """The documents name releases by ``git rev-parse --short HEAD``."""
        told = ("-c", "user.name=x", "-c", "user.email=x@example.com", "commit", "-qm", "x", "--allow-empty")
        remote = ("remote", "add", "origin", "https://github.com/somebody/app.git")
        for words in (("init", "-q"), remote, told):
            subprocess.run(["git", *words], cwd=self.folder, env=self.project.environment, check=True)

    def words(self, line: str) -> list[str]:
        """The words of a line of a document, as a shell makes them."""
        shell = ["bash", "-c", f'printf "%s\\0" {line}\n']
        done = subprocess.run(
            shell,
            cwd=self.folder,
            env=self.project.environment,
            capture_output=True,
            text=True,
            check=True,
        )
        return done.stdout.split("\0")[:-1]

    def does(self, line: str, code: int = 0, within: float = 110) -> Ended:
        """Run a line of a document as this person."""
        words = self.words(line)
        return self._run(self.project, words, within).check(code)

    def attempts(self, line: str) -> Ended:
        """The same, however it ends."""
        return self._run(self.project, self.words(line), 60)

    def lets(self, line: str) -> Ended:
        """Run a line as an administrator."""
        return self._run(self.administrator, self.words(line), 60).check()

    def _run(self, project: Project, words: Sequence[str], within: float) -> Ended:
        program, *rest = words
        if program == "inv":
            return project.inv(*rest, *WITHOUT_A_TERMINAL.get(rest[0], ()), within=within)
        assert program == "aws", program
        environment = {**os.environ, **project.environment}
        return in_a_new_process([str(AWS), *rest], project.folder, environment, within)

    def is_given(self, line: str) -> None:
        """What ``inv print-setup-policy …`` prints, attached by the commands that it prints, by an administrator."""
        for told in self.lets(line).err.splitlines():
            if told.startswith("  aws "):
                self._attach(told.replace(" NAME ", f" {self.name} "))

    def _attach(self, command: str) -> None:
        words = shlex.split(command)
        ended = self._run(self.administrator, words, 60)
        if "EntityAlreadyExists" in ended.err:  # printed again: "create-policy-version … --set-as-default"
            name, document = (words[words.index(each) + 1] for each in ("--policy-name", "--policy-document"))
            arn = f"arn:aws:iam::123456789012:policy/{name}"
            again = f"aws iam create-policy-version --policy-arn {arn} --policy-document {document}"
            ended = self._run(self.administrator, shlex.split(f"{again} --set-as-default"), 60)
        ended.check()

    def settles(self, given: Mapping[str, Any]) -> None:
        """Put settings into invoke.yaml, over those that are there."""
        file = self.folder / "invoke.yaml"
        there = yaml.safe_load(file.read_text()) if file.is_file() else {}
        settings = merge(there.get("lobster", {}), given["lobster"])
        file.write_text(yaml.safe_dump({"lobster": merge(settings, self.left_out)}))

    @property
    def denied(self) -> set[tuple[str, str]]:
        """What this person was denied since the calls were forgotten: actions, each on its resource."""
        return {
            (each["action"], each["resource"])
            for call in self.process.calls()
            for each in call["asked"]
            if each["allowed"] is False
        }
