"""Marked values in every place where a secret may be: no task shows them, whatever it is asked to show."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import requests

from tests.embedded.apprunner_stack import Sites
from tests.embedded_process import EmbeddedProcess, eventually, start
from tests.project import DOCKERFILE, Project, make

SPEED = 100.0


def mark(place: str) -> str:
    """A value that only one place holds; it has no shape by which a secret could be told."""
    return f"mark{place}Quux4711"


# Where each mark is put. The first kind is written into the definition by the user; it is still not to be shown.
VARIABLE, BY_FLAG = mark("variable"), mark("flag")
STORED, PARAMETER = mark("stored"), mark("parameter")
ARGUMENT = mark("argument")
KEY, SESSION = mark("key"), mark("session")
TOKENS = {
    "GITHUB_TOKEN": mark("github"),
    "ACTIONS_ID_TOKEN_REQUEST_TOKEN": mark("oidc"),
    "INVOKE_LOBSTER_CONTAINER_ENVIRONMENT_BY_VARIABLE": mark("environ"),
}
THERE = mark("apprunner")
IN_DEFINITION = {VARIABLE, BY_FLAG, TOKENS["INVOKE_LOBSTER_CONTAINER_ENVIRONMENT_BY_VARIABLE"]}
EVERY = {*IN_DEFINITION, STORED, PARAMETER, ARGUMENT, KEY, SESSION, *TOKENS.values(), THERE}

SETTINGS = f"""
container:
  environment: {{PASSWORD: {VARIABLE}, BY_VARIABLE: "", BY_FLAG: ""}}
  secrets: {{API_KEY: /app/key, OTHER: STORED_ARN}}
deployment: {{deregistration_delay: 5}}
"""
FLAG = ("--set", f"container.environment.BY_FLAG={BY_FLAG}")
PUSH = ("push-image", "--tag", "a", "--build-arg", f"TOKEN={ARGUMENT}")
LOOKS = ("settings", "plan", "status", "history", "validate-fargate-setup")


@dataclass
class Told:
    """Everything that anybody could read, and by which command it was written."""

    texts: list[tuple[str, str]] = field(default_factory=list)

    def add(self, where: str, text: str) -> None:
        """Something that was written."""
        self.texts.append((where, text))

    def found(self, marks: set[str]) -> set[tuple[str, str]]:
        """The marks that are in it, and where."""
        return {(where, each) for where, text in self.texts for each in marks if each in text}


@pytest.fixture(scope="module")
def running() -> Iterator[EmbeddedProcess]:
    """An embedded AWS of its own: all of this happens in one account."""
    with start(speed=SPEED, boot_allowance=2) as embedded:
        yield embedded


@pytest.fixture
def project(running: EmbeddedProcess, tmp_path: Path, bytecode: Path) -> Project:
    """A project with a mark in every place."""
    running.reset()
    made = make(tmp_path, bytecode, running.url)
    made.environment |= {
        **TOKENS,
        "AWS_SECRET_ACCESS_KEY": KEY,
        "AWS_SESSION_TOKEN": SESSION,
        "GITHUB_STEP_SUMMARY": str(tmp_path / "summary.md"),
        "GITHUB_OUTPUT": str(tmp_path / "output.txt"),
    }
    running.client("ssm").put_parameter(Name="/app/key", Type="SecureString", Value=PARAMETER)
    secret = running.client("secretsmanager").create_secret(Name="other", SecretString=STORED)["ARN"]
    made.write("Dockerfile.streamlit", DOCKERFILE.replace("ARG RELEASE", "ARG TOKEN\nARG RELEASE"))
    made.settings(SETTINGS.replace("STORED_ARN", secret))
    return made


def run(project: Project, told: Told, *words: str, code: int = 0) -> None:
    """Run tasks one after the other, and keep what they say."""
    told.add(" ".join(words), project.inv(*words).check(code).said)


def test_no_task_shows_a_secret(project: Project, running: EmbeddedProcess) -> None:
    told = Told()
    run(
        project,
        told,
        *each_with("--debug", "plan", "setup-fargate", "settings", to_all=FLAG),
        *PUSH,
        "--debug",
    )
    run(project, told, *each_with("--debug", "deploy --tag a", "status", "history", "logs", to_all=FLAG))
    run(
        project,
        told,
        *each_with("--json", "settings", "plan", "deploy --tag a", "status", "history", "scale --to 2"),
    )
    run(project, told, *each_with("--debug", "render-task-definition --tag a --output rendered.json"))
    told.add("validate-fargate-setup", project.inv("validate-fargate-setup", "--json", "--debug").said)
    failures(project, told, running)
    told.add("task definition", definitions(running))
    told.add("app's log", logs(running))
    run(project, told, "teardown", "--yes", "--data", "--json", "--debug")
    for file in written(project):
        told.add(file.name, file.read_text(errors="replace"))
    where_they_belong = {
        (place, each) for place in ("task definition", "rendered.json") for each in IN_DEFINITION
    }
    assert ("task definition", VARIABLE) in told.found(EVERY)
    assert told.found(EVERY) - where_they_belong == set()


def each_with(flag: str, *tasks: str, to_all: tuple[str, ...] = ()) -> list[str]:
    """The words of one command: these tasks, each with the flags."""
    return [word for task in tasks for word in (*task.split(), flag, *to_all)]


def failures(project: Project, told: Told, running: EmbeddedProcess) -> None:
    """Errors of each kind: our own, what AWS refuses, wrong settings."""
    run(project, told, "deploy", "--tag", "nosuch", code=5)
    denied = {"code": "AccessDenied", "message": f"not with {KEY[:4]}", "status": 403}
    running.order({"operation": "UpdateService", "error": denied})
    run(
        project,
        told,
        "deploy",
        "--tag",
        "a",
        *FLAG,
        "--set",
        "task.cpu=1024",
        "--set",
        "task.memory=2048",
        code=1,
    )
    running.forgive()
    running.order({"operation": "DescribeServices", "error": {"code": "ClientException", "status": 400}})
    run(project, told, "status", "--json", "--debug", code=1)
    running.forgive()
    run(project, told, "plan", "--set", "container.environment=nonsense", code=2)


def definitions(running: EmbeddedProcess) -> str:
    """Every revision, as AWS tells it."""
    ecs = running.client("ecs")
    arns = ecs.list_task_definitions()["taskDefinitionArns"]
    return json.dumps([ecs.describe_task_definition(taskDefinition=arn) for arn in arns], default=str)


def logs(running: EmbeddedProcess) -> str:
    """What the app has written."""
    client, group = running.client("logs"), "/ecs/lobster-streamlit"
    return json.dumps(client.filter_log_events(logGroupName=group)["events"])


def written(project: Project) -> list[Path]:
    """The files that the tasks have written, caches too."""
    given = {"tasks.py", "invoke.yaml", "Dockerfile.streamlit", "web_app.py"}
    return [path for path in project.folder.rglob("*") if path.is_file() and path.name not in given]


def test_what_app_runner_holds_in_the_open_is_not_shown_either(
    project: Project, running: EmbeddedProcess
) -> None:
    sites, told = Sites(running), Told()
    variables = {"DATABASE_PASSWORD": THERE, "PORT_NAME": "plain"}
    sites.create("site", SourceConfiguration=sites.source(RuntimeEnvironmentVariables=variables))
    for flags in (("--dry-run",), ("--dry-run", "--json"), ("--lift-secrets", "--yes", "--json")):
        ended = project.inv("import-apprunner", "--service", "site", *flags, "--debug")
        assert ended.code in (0, 1), ended.said
        told.add(" ".join(flags), ended.said)
    for file in [*written(project), project.folder / "invoke.yaml"]:
        told.add(file.name, file.read_text(errors="replace"))
    assert told.found({THERE, KEY, SESSION, STORED, PARAMETER}) == set()
    secrets = running.client("secretsmanager")
    names = [each["Name"] for each in secrets.list_secrets()["SecretList"]]
    assert THERE in [secrets.get_secret_value(SecretId=name)["SecretString"] for name in names]


HOSTILE = {
    "QUOTES": "a\"b'c`d",
    "BRACES": "{{ settings }} {% raw %} }} ${HOME} $(id) {# c #}",
    "NEWLINES": "one\ntwo\r\n\tthree",
    "JSON": '"}],"image":"evil","x":[{"y":"\\u0000',
    "BACKSLASH": "a\\b\\\\n\\",
    "UNICODE": "ü€😀\u2028",
}


def test_no_value_gets_out_of_its_place(project: Project, running: EmbeddedProcess) -> None:
    """What is in the settings arrives at the running program as it is, and nothing else changes."""
    settings: dict[str, Any] = {
        "container": {"environment": HOSTILE},
        "deployment": {"deregistration_delay": 5},
    }
    project.write("invoke.yaml", json.dumps({"lobster": settings}))
    project.environment.pop("INVOKE_LOBSTER_CONTAINER_ENVIRONMENT_BY_VARIABLE")
    project.inv("setup-fargate").check()
    project.inv("push-image", "--tag", "a").check()
    url = project.inv("deploy", "--tag", "a").check().out.strip()
    found = eventually(lambda: requests.get(f"{url}/env", timeout=10).json())
    assert {name: found.get(name) for name in HOSTILE} == HOSTILE
    assert project.inv("plan", "--json").check().json["changes"] == []
