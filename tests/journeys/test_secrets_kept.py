"""Marked values in every place where a secret may be: no task shows them, whatever it is asked to show."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable, Iterator, Sequence
from copy import deepcopy
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import requests
from invoke.parser import Parser

from lobster_tasks.tasks import namespace
from tests.embedded.apprunner_stack import Sites
from tests.embedded.test_conformance_elbv2_tls import make_certificate
from tests.embedded.zones import Zone, weighted
from tests.embedded_process import PATIENCE, EmbeddedProcess, eventually, serve
from tests.images import stand_in
from tests.project import DOCKERFILE, INV, TASKS, Project, make


def mark(place: str) -> str:
    """A value that only one place holds; it has no shape by which a secret could be told."""
    return f"mark{place}Quux4711"


# Where each mark is put. The first kind is written into the definition by the user; it is still not to be shown.
VARIABLE, BY_FLAG = mark("variable"), mark("flag")
STORED, PARAMETER = mark("stored"), mark("parameter")
ARGUMENT = mark("argument")
KEY, SESSION = mark("key"), mark("session")
REMOTE, IN_URL, PROXY = mark("remote"), mark("url"), mark("proxy")
TOKENS = {
    "GITHUB_TOKEN": mark("github"),
    "ACTIONS_ID_TOKEN_REQUEST_TOKEN": mark("oidc"),
    "INVOKE_LOBSTER_CONTAINER_ENVIRONMENT_BY_VARIABLE": mark("environ"),
}
# What App Runner holds in the open: in a variable whose name tells it, and in commands.
THERE, STARTING, BUILDING = mark("apprunner"), mark("start"), mark("build")
IN_DEFINITION = {VARIABLE, BY_FLAG, TOKENS["INVOKE_LOBSTER_CONTAINER_ENVIRONMENT_BY_VARIABLE"]}
EVERY = {
    *IN_DEFINITION,
    *(STORED, PARAMETER, ARGUMENT, KEY, SESSION, REMOTE, IN_URL, PROXY, THERE, STARTING, BUILDING),
    *TOKENS.values(),
}

SETTINGS = f"""
container:
  environment: {{PASSWORD: {VARIABLE}, BY_VARIABLE: "", BY_FLAG: ""}}
  secrets: {{API_KEY: /app/key, OTHER: STORED_ARN}}
deployment: {{deregistration_delay: 5}}
apprunner: {{service: site, soak_hours: 0, quiet_minutes: 1}}
"""
FLAG = ("--set", f"container.environment.BY_FLAG={BY_FLAG}")
DOMAIN = "app.secret.org"


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


@dataclass(frozen=True)
class Scene:
    """A project with a mark in every place, its account, and what has been told so far."""

    project: Project
    running: EmbeddedProcess
    told: Told = field(default_factory=Told)

    def run(self, command: Command) -> None:
        """Run tasks one after the other, and keep what they say."""
        command.before(self)
        ended = self.project.inv(*command.words, **command.environment)
        self.told.add(" ".join(command.words), ended.check(command.code).said)


def nothing(scene: Scene) -> None:
    """What comes before most commands."""


@dataclass(frozen=True)
class Command:
    """The words of one command, its exit code, what has happened before it, and variables for it alone."""

    words: Sequence[str]
    code: int = 0
    before: Callable[[Scene], None] = nothing
    environment: dict[str, str] = field(default_factory=dict)


def each_with(flag: str, *tasks: str, to_all: tuple[str, ...] = ()) -> list[str]:
    """The words of one command: these tasks, each with the flags."""
    return [word for task in tasks for word in (*task.split(), *flag.split(), *to_all)]


def let_in(scene: Scene) -> None:
    """Execute command is enabled for the tasks to come."""
    where = {"cluster": "lobster-cluster", "service": "lobster-streamlit-service"}
    scene.running.client("ecs").update_service(**where, enableExecuteCommand=True)


SETTING_UP = (
    *("create-iam-policies", "create-security-groups", "setup-application-load-balancer"),
    *("create-ecs-cluster", "create-task-definition", "create-fargate-service", "setup-aws", "setup-fargate"),
    "remove-old-load-balancer",
)
PUSH = ("push-image", "--build-arg", f"TOKEN={ARGUMENT}", "--tag")
RELEASE = Command(
    each_with("--debug", "deploy --tag a", "status", "history", "logs", "exec --command env", to_all=FLAG),
    before=let_in,
    environment={"GITHUB_ACTIONS": "true"},
)
ON_FARGATE = (
    Command(
        [
            *each_with("--debug", "plan", *SETTING_UP, "settings", "print-setup-policy", to_all=FLAG),
            *(*PUSH, "a", "--debug"),
        ]
    ),
    Command(
        [
            *each_with("--json", "plan", *SETTING_UP, "settings", to_all=FLAG),
            *(*PUSH, "b", "--json"),
        ]
    ),
    RELEASE,
    Command(
        each_with(
            "--json",
            *("deploy --tag b", "rollback", "scale --to 2", "status", "history", "validate-fargate-setup"),
        )
    ),
    Command(
        each_with(
            "--debug",
            *("rollback", "scale --to 1", "render-task-definition --tag a --output rendered.json"),
            "validate-fargate-setup",
        )
    ),
)


def beside_app_runner(scene: Scene) -> None:
    """The app on App Runner too, a tenth of whose domain leads to Fargate, and a service of source code."""
    running, sites = scene.running, Sites(scene.running)
    everything = {"Effect": "Allow", "Action": "*", "Resource": "*"}
    [secret] = running.client("secretsmanager").list_secrets()["SecretList"]
    [repository] = running.client("ecr").describe_repositories()["repositories"]
    service = sites.create(
        "site",
        SourceConfiguration=sites.source(
            f"{repository['repositoryUri']}:a",
            StartCommand=f"python web_app.py --token {STARTING}",
            RuntimeEnvironmentVariables={"DATABASE_PASSWORD": THERE, "PORT_NAME": "plain"},
            RuntimeEnvironmentSecrets={"API_KEY": secret["ARN"]},
        ),
        InstanceConfiguration={
            "InstanceRoleArn": sites.role("inside", "tasks.apprunner.amazonaws.com", everything)
        },
    )
    build = f"pip install --index-url https://me:{BUILDING}@example.com/ app"
    source = sites.code(
        sites.connection(), BuildCommand=build, RuntimeEnvironmentVariables={"API_TOKEN": THERE}
    )
    sites.create("code", SourceConfiguration=source)
    balancer = running.client("elbv2").describe_load_balancers()["LoadBalancers"][0]["DNSName"]
    shares = [weighted(DOMAIN, service["ServiceUrl"], 90, ttl=1), weighted(DOMAIN, balancer, 10, ttl=1)]
    Zone(running, "secret.org").settle(*shares)
    made = make_certificate(DOMAIN)
    running.client("acm").import_certificate(Certificate=made.certificate, PrivateKey=made.key)


def runs_again(scene: Scene) -> None:
    """App Runner's service, after the pause."""
    sites = Sites(scene.running)
    sites.api.resume_service(ServiceArn=arn_of_site(sites))
    sites.settled(arn_of_site(sites))


def stands_still(scene: Scene) -> None:
    """It is paused, so that nobody has to be waited for, and the settings are those of before the import."""
    sites = Sites(scene.running)
    scene.told.add("invoke.yaml", (scene.project.folder / "invoke.yaml").read_text())
    scene.project.settings(SETTINGS.replace("OTHER: STORED_ARN", ""))
    sites.api.pause_service(ServiceArn=arn_of_site(sites))
    sites.settled(arn_of_site(sites))


def arn_of_site(sites: Sites) -> str:
    """The service that is moved."""
    listed = sites.api.list_services()["ServiceSummaryList"]
    return str(next(each["ServiceArn"] for each in listed if each["ServiceName"] == "site"))


CUT_OVER = f"cutover --to 10 --hold 0 --set domains={DOMAIN}"
LIFT = "import-apprunner --service site --lift-secrets --yes"
LEAVE = Command(
    each_with(
        "--debug",
        "cleanup-apprunner --delete --yes",
        "print-setup-policy --migration",
        "print-setup-policy --json",
    ),
    before=stands_still,
)
MOVING = (
    *(
        "import-apprunner",
        "import-apprunner --service site --dry-run",
        "import-apprunner --service code --dry-run",
    ),
    *("compare-apprunner", CUT_OVER),
)
OUT_OF_APP_RUNNER = (
    Command(each_with("--debug --json", "cleanup-apprunner --yes"), before=beside_app_runner),
    Command(each_with("--debug", *MOVING), before=runs_again),
    Command(each_with("--json", *MOVING)),
    Command(each_with("--debug --json", LIFT)),
    LEAVE,
)


def refuses(operation: str, **error: Any) -> Callable[[Scene], None]:
    """AWS refuses this operation from now on, and nothing else."""

    def order(scene: Scene) -> None:
        scene.running.forgive()
        scene.running.order({"operation": operation, "error": error})

    return order


def forgives(scene: Scene) -> None:
    """AWS refuses nothing any more."""
    scene.running.forgive()


# Errors of each kind: our own, what AWS refuses, who cannot be reached, wrong settings.
FAILURES = (
    Command(("deploy", "--tag", "nosuch", "--debug"), code=5),
    Command(
        ("deploy", "--tag", "a", "--debug", *FLAG, "--set", "task.cpu=1024", "--set", "task.memory=2048"),
        code=1,
        before=refuses("UpdateService", code="AccessDenied", message=f"not with {KEY[:4]}", status=403),
    ),
    Command(
        ("status", "--json", "--debug"),
        code=1,
        before=refuses("DescribeServices", code="ClientException", status=400),
    ),
    Command(("plan", "--set", "container.environment=nonsense", "--debug"), code=2, before=forgives),
    Command(("plan", "--debug"), code=5, environment={"AWS_ENDPOINT_URL": f"http://me:{IN_URL}@127.0.0.1:9"}),
    Command(("plan", "--debug"), code=5, environment={"HTTP_PROXY": f"http://me:{PROXY}@127.0.0.1:9"}),
)
TEARDOWN = Command(each_with("--yes", "teardown --debug", "teardown --data --json --debug"))
STORY = (*ON_FARGATE, *FAILURES, *OUT_OF_APP_RUNNER, TEARDOWN)
# The same in short: every place that a secret is in, and every room once.
IN_SHORT = (
    Command([*each_with("--debug", "plan", "setup-aws", to_all=FLAG), *PUSH, "a", "--debug"]),
    RELEASE,
    Command(each_with("--json", "settings", "plan", "status", "scale --to 2", "validate-fargate-setup")),
    *FAILURES,
    Command(
        each_with("--debug --json", "compare-apprunner", CUT_OVER, LIFT),
        before=beside_app_runner,
    ),
    LEAVE,
    TEARDOWN,
)
REHEARSALS = (
    Command(("rehearse", "--speed", "100", "--debug")),
    Command(("rehearse", "--speed", "100", "--no-from-apprunner", "--debug", "--json")),
)
EMBEDDED = ("embedded-aws", "--port", "0", "--speed", "100", "--verbose", "--debug")


def test_every_task_is_asked_to_show_all_that_it_can() -> None:
    contexts = deepcopy(namespace()).to_contexts()  # Invoke takes the help out of a task that it asks
    parser = Parser(contexts=contexts)
    asked = {
        (task.name, flag)
        for words in (EMBEDDED, *(command.words for command in (*STORY, *REHEARSALS)))
        for task in parser.parse_argv(list(words))
        for flag, argument in task.args.items()
        if argument.value
    }
    shows = {(task.name, flag) for task in contexts for flag in ("debug", "json") if flag in task.args}
    assert shows - asked == set()


@dataclass(frozen=True)
class Running:
    """The embedded AWS as ``inv`` runs it, and what it says of the calls that it gets."""

    aws: EmbeddedProcess
    says: Path


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """An embedded AWS of its own: all of this happens in one account."""
    folder = tmp_path_factory.mktemp("embedded")
    (folder / "tasks.py").write_text(TASKS)
    says = folder / "says"
    with says.open("w") as file, serve([str(INV), *EMBEDDED], cwd=folder, stderr=file) as embedded:
        yield Running(embedded, says)


@pytest.fixture
def scene(running: Running, tmp_path: Path) -> Scene:
    """A project with a mark in every place."""
    running.aws.reset()
    folder = tmp_path / "project"
    folder.mkdir()
    project = make(folder, running.aws.url.replace("://", f"://me:{IN_URL}@"))
    project.environment |= {
        **TOKENS,
        "AWS_SECRET_ACCESS_KEY": KEY,
        "AWS_SESSION_TOKEN": SESSION,
        "GITHUB_STEP_SUMMARY": str(folder / "summary.md"),
        "GITHUB_OUTPUT": str(folder / "output.txt"),
        "PATH": f"{tmp_path / 'bin'}:{project.environment['PATH']}",
    }
    for program in ("aws", "session-manager-plugin"):
        stand_in.make(tmp_path, program)
    remote = f"https://x-access-token:{REMOTE}@github.com/somebody/app.git"
    for words in (["init", "--quiet"], ["remote", "add", "origin", remote]):
        subprocess.run(["git", "-C", str(folder), *words], check=True)
    running.aws.client("ssm").put_parameter(Name="/app/key", Type="SecureString", Value=PARAMETER)
    secret = running.aws.client("secretsmanager").create_secret(Name="other", SecretString=STORED)["ARN"]
    project.write("Dockerfile.streamlit", DOCKERFILE.replace("ARG RELEASE", "ARG TOKEN\nARG RELEASE"))
    project.settings(SETTINGS.replace("STORED_ARN", secret))
    return Scene(project, running.aws)


@pytest.mark.parametrize(
    "story",
    [pytest.param(IN_SHORT, id="in-short"), pytest.param(STORY, id="whole", marks=pytest.mark.exhaustive)],
)
def test_no_task_shows_a_secret(scene: Scene, running: Running, story: Sequence[Command]) -> None:
    for command in story[:-1]:
        scene.run(command)
    told = scene.told
    told.add("task definition", definitions(scene.running))
    told.add("app's log", logs(scene.running))
    secrets = values(scene.running)
    scene.run(story[-1])
    for file in written(scene.project):
        told.add(file.name, file.read_text(errors="replace"))
    told.add("embedded AWS", running.says.read_text())
    places = ("invoke.yaml", "task definition", "rendered.json")
    where_they_belong = {(place, each) for place in places for each in IN_DEFINITION}
    assert ("task definition", VARIABLE) in told.found(EVERY)
    assert told.found(EVERY) - where_they_belong == set()
    assert THERE in secrets


# A secret in a command, which ECS repeats where there is no such program, and what a program tells before it ends.
IN_COMMAND, TOLD, IN_KEY = mark("command"), mark("told"), "Quux4711KeyLine"
NOISY = f"""\
print("-----BEGIN PRIVATE KEY-----")
for number in range(30):
    print(f"{IN_KEY}{{number:02}}" + "aB3+" * 11 + "zY9")
print("-----END PRIVATE KEY-----")
print("+ curl -u admin:{TOLD} https://example.com")
print("+ mysql -p{TOLD}")
raise SystemExit("no model")
"""
LOOKS = (
    *("plan", "settings", "deploy --tag a --dry-run", "validate-fargate-setup", "status", "history"),
    *(f"{words} --json" for words in ("plan", "settings", "deploy --tag a --dry-run", "status", "history")),
    "validate-fargate-setup --json",
)


@pytest.mark.parametrize(
    ("command", "says"),
    [
        pytest.param(["python", "noisy.py", "--api-key", IN_COMMAND], "no model", id="ends"),
        pytest.param(
            [f"streamlit run app.py --api-key {IN_COMMAND}"], "streamlit run app.py", id="no-program"
        ),
    ],
)
def test_nothing_shows_a_secret_of_a_release_that_fails(
    scene: Scene, command: Sequence[str], says: str
) -> None:
    """Neither log, timeline, summary, annotations and JSON, nor what is asked afterwards."""
    project, told = scene.project, Told()
    project.write("noisy.py", NOISY)
    project.write("Dockerfile.streamlit", DOCKERFILE.replace("COPY web_app.py", "COPY web_app.py noisy.py"))
    project.settings(SETTINGS.replace("OTHER: STORED_ARN", ""))
    project.inv("setup-fargate").check()
    project.inv("push-image", "--tag", "a").check()
    given = ("--set", f"container.command={json.dumps(command)}", "--set", "deployment.wait_minutes=10")
    for flags, environment in (((), {"GITHUB_ACTIONS": "true"}), (("--json",), {})):
        ended = project.inv("deploy", "--tag", "a", "--force", *flags, *given, **environment)
        assert ended.code == 1
        assert says in ended.said
        told.add(f"deploy {' '.join(flags)}", ended.said)
    for words in LOOKS:
        told.add(words, project.inv(*words.split(), *(given[:2] if "status" not in words else ())).said)
    summary = (project.folder / "summary.md").read_text()
    assert "***" in summary
    told.add("summary", summary)
    told.add("outputs", (project.folder / "output.txt").read_text())
    assert told.found({IN_COMMAND, TOLD, IN_KEY, *IN_DEFINITION}) == set()


@pytest.mark.exhaustive
@pytest.mark.parametrize("command", REHEARSALS, ids=lambda command: " ".join(command.words))
def test_a_rehearsal_does_not_either(scene: Scene, command: Command) -> None:
    scene.run(command)
    for file in written(scene.project):
        scene.told.add(file.name, file.read_text(errors="replace"))
    assert scene.told.found(EVERY) == set()


def definitions(running: EmbeddedProcess) -> str:
    """Every revision, as AWS tells it."""
    ecs = running.client("ecs")
    arns = ecs.list_task_definitions()["taskDefinitionArns"]
    return json.dumps([ecs.describe_task_definition(taskDefinition=arn) for arn in arns], default=str)


def logs(running: EmbeddedProcess) -> str:
    """What the app has written, on Fargate and on App Runner."""
    client = running.client("logs")
    groups = [each["logGroupName"] for each in client.describe_log_groups()["logGroups"]]
    return json.dumps([client.filter_log_events(logGroupName=group)["events"] for group in groups])


def values(running: EmbeddedProcess) -> list[str]:
    """What Secrets Manager holds."""
    client = running.client("secretsmanager")
    names = [each["Name"] for each in client.list_secrets()["SecretList"]]
    return [client.get_secret_value(SecretId=name)["SecretString"] for name in names]


def written(project: Project) -> list[Path]:
    """The files that the tasks have written, caches too."""
    given = {"tasks.py", "invoke.yaml", "Dockerfile.streamlit", "web_app.py"}
    found = [path for path in project.folder.rglob("*") if path.is_file() and ".git" not in path.parts]
    return [path for path in found if path.name not in given]


HOSTILE = {
    "QUOTES": "a\"b'c`d",
    "BRACES": "{{ settings }} {% raw %} }} ${HOME} $(id) {# c #}",
    "NEWLINES": "one\ntwo\r\n\tthree",
    "JSON": '"}],"image":"evil","x":[{"y":"\\u0000',
    "BACKSLASH": "a\\b\\\\n\\",
    "UNICODE": "ü€😀\u2028",
}


def test_no_value_gets_out_of_its_place(scene: Scene) -> None:
    """What is in the settings arrives at the running program as it is, and nothing else changes."""
    settings: dict[str, Any] = {
        "container": {"environment": HOSTILE},
        "deployment": {"deregistration_delay": 5},
    }
    project = scene.project
    project.write("invoke.yaml", json.dumps({"lobster": settings}))
    project.environment.pop("INVOKE_LOBSTER_CONTAINER_ENVIRONMENT_BY_VARIABLE")
    project.inv("setup-fargate").check()
    project.inv("push-image", "--tag", "a").check()
    url = project.inv("deploy", "--tag", "a").check().out.strip()
    found = eventually(lambda: requests.get(f"{url}/env", timeout=PATIENCE).json())
    assert {name: found.get(name) for name in HOSTILE} == HOSTILE
    assert project.inv("plan", "--json").check().json["changes"] == []
