"""Somebody's repository, and ``act`` as the runner of its workflows: on this machine, without a container engine."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
OFFICIAL = Path(os.environ.get("LOBSTER_OFFICIAL_ACTIONS") or ROOT.parent / "shared" / "official-actions")
ACT = Path(sys.executable).with_name("act")
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
USES = re.compile(r"uses:\s*(?P<action>[\w.-]+/[\w./-]+)@(?P<ref>\S+)(?:\s+#\s*(?P<version>\S+))?")
# What an installer needs to know of the machine that it runs on.
_OF_THE_MACHINE = ("PIP_", "UV_", "SSL_", "REQUESTS_", "http", "HTTP", "no_proxy", "NO_PROXY")
_WITHIN = 240.0
# act drops what it has not read yet of a step that fails (pkg/container/host_environment.go, exec: "if err != nil {
# return err }" comes before "<-logctx.Done()"): a step ends when the log has all that it said.
_BASH = """\
#!{bash}
{bash} "$@"
code=$?
if [ -t 1 ]; then
    mark="[heard $$-$EPOCHREALTIME]"
    echo "$mark"
    until grep -qF "$mark" '{log}'; do sleep 0.02; done
fi
exit $code
"""
_HEARD = re.compile(r"\[heard [\d.-]+\]\s*")
_WHO = ("-c", "user.name=Somebody", "-c", "user.email=somebody@example.com", "-c", "commit.gpgsign=false")


@dataclass(frozen=True)
class Ran:
    """How a run of a workflow ended, and what its log says."""

    green: bool
    log: Sequence[Mapping[str, Any]]

    @property
    def text(self) -> str:
        """The log as people read it."""
        return "\n".join(f"[{line.get('step', '')}] {line['msg']}" for line in self.log)

    @property
    def annotations(self) -> list[str]:
        """The errors that GitHub would show beside the run."""
        return [str(line["msg"]) for line in self.log if line.get("command") == "error"]

    def printed(self, step: str) -> list[str]:
        """What the commands of a step printed."""
        return [
            line["msg"].rstrip("\r\n")
            for line in self.log
            if line.get("step") == step and "raw_output" in line
        ]

    def check(self, green: bool) -> Ran:
        """The same, if it ended so."""
        assert self.green is green, self.text
        return self


@dataclass
class Repository:
    """A git repository with workflows; ``variables`` are those of the repository, ``environment`` the runner's."""

    folder: Path
    home: Path
    environment: dict[str, str] = field(default_factory=dict)
    variables: dict[str, str] = field(default_factory=dict)
    actions: dict[str, Path] = field(default_factory=dict)

    def write(self, name: str, text: str) -> None:
        """Put a file into the working tree."""
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    def commit(self, message: str) -> str:
        """Commit everything on main; the commit."""
        if not (self.folder / ".git").is_dir():
            self._git("init", "--quiet", "--initial-branch", "main")
        self._git("add", "--all")
        self._git("commit", "--quiet", "--message", message)
        return self._git("rev-parse", "HEAD").strip()

    def push(self, workflow: str, *jobs: str) -> Ran:
        """Run a workflow as a push to main does."""
        command = [str(ACT), "push", "--json", "--no-cache-server", "--workflows", workflow]
        command += ["--platform", "ubuntu-24.04=-self-hosted"]
        command += [word for job in jobs for word in ("--job", job)]
        command += _pairs("--env", self.environment) + _pairs("--var", self.variables)
        command += _pairs("--local-repository", {name: str(path) for name, path in self.actions.items()})
        environment = environment_of_a_runner(self.home)
        log = self.home / "act.log"
        _tool(self.home, "bash", _BASH.format(bash=shutil.which("bash"), log=log))
        with (
            log.open("w") as written,
            subprocess.Popen(
                command,
                cwd=self.folder,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=written,
                stderr=subprocess.STDOUT,
            ) as act,
        ):
            code = _wait(act)
        return Ran(code == 0, list(_read(log.read_text())))

    def _git(self, *arguments: str) -> str:
        command = ["git", *_WHO, *arguments]
        return subprocess.run(command, cwd=self.folder, check=True, capture_output=True, text=True).stdout


def checkout(folder: Path, *, tests: bool = False) -> None:
    """Copy what git knows, or would, of this project."""
    listed = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"]
    names = subprocess.run(listed, cwd=ROOT, check=True, capture_output=True, text=True).stdout.split("\0")
    for name in names:
        source = ROOT / name
        if name and (tests or not name.startswith("tests/")) and source.is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(source, folder / name)


def environment_of_a_runner(home: Path) -> dict[str, str]:
    """A home of its own, and the caches of this machine, so that nothing is downloaded twice."""
    tools = _tool(home, "python3", f'#!/bin/sh\nexec {sys.executable} "$@"\n').parent
    caches = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return {
        "PIP_CACHE_DIR": str(caches / "pip"),
        "UV_CACHE_DIR": str(caches / "uv"),
        **{name: value for name, value in os.environ.items() if name.startswith(_OF_THE_MACHINE)},
        "HOME": str(home),
        "PATH": f"{tools}:{os.environ['PATH']}",
        "LANG": "C.UTF-8",
        "NO_COLOR": "1",  # act gives its steps a terminal, which GitHub does not
        "COLUMNS": "5000",
    }


def _tool(home: Path, name: str, text: str) -> Path:
    """Put a command into the folder that comes first in the PATH of a runner."""
    tool = home / "bin" / name
    tool.parent.mkdir(parents=True, exist_ok=True)
    tool.write_text(text)
    tool.chmod(0o755)
    return tool


def official(*files: Path) -> dict[str, Path]:
    """Where act finds the official actions that the files use; skips the test where one is not there."""
    if not shutil.which("node"):
        pytest.skip("node, which runs the official actions, is not installed")
    found = {}
    for file in files:
        for used in USES.finditer(file.read_text()):
            owner, _, name = used["action"].partition("/")
            if owner != "aws-actions":
                continue
            folder = OFFICIAL / name
            if not folder.is_dir():
                pytest.skip(f"{name} is not in {OFFICIAL}; LOBSTER_OFFICIAL_ACTIONS names the folder")
            found[f"{used['action']}@{used['ref']}"] = folder
    return found


def _wait(act: subprocess.Popen[bytes]) -> int | None:
    """How act ends; None when it had to be told to, which makes it end the step that it is at."""
    try:
        return act.wait(_WITHIN)
    except subprocess.TimeoutExpired:
        act.terminate()
        return None


def _pairs(flag: str, values: Mapping[str, str]) -> list[str]:
    return [word for name, value in values.items() for word in (flag, f"{name}={value}")]


def _read(output: str) -> Iterator[dict[str, Any]]:
    for line in output.splitlines():
        try:
            told = json.loads(line)
        except ValueError:
            told = {"msg": line}
        if (text := _HEARD.sub("", told["msg"])) or not told["msg"]:
            yield {**told, "msg": text}
