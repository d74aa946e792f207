"""Tasks as containers of a real engine: what the definition says of a container holds, and nothing is left behind.

All in one file, which one worker runs: several of these tests look at everything that the engine has of ours.
"""

from __future__ import annotations

import json
import os
import shlex
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest
import requests

from tests.embedded.ecs_stack import Stack
from tests.embedded.identities import allow, policy
from tests.embedded_process import EMBEDDED_AWS, PATIENCE, EmbeddedProcess, eventually, serve
from tests.engines import LABEL, ContainerEngine, busybox
from tests.engines.machine_image import import_python, push
from tests.engines.real_images import ENTRY_POINT, NODE, PACKAGE, STREAMLIT, App, foreign_app
from tests.project import Ended, Project, make

pytestmark = pytest.mark.engine

SPEED = 20.0
OURS = "embedded-aws"
TOOLS = """\
FROM scratch
COPY busybox /bin/busybox
RUN ["/bin/busybox", "--install", "-s", "/bin"]
COPY busybox health /www/
ENV PATH=/bin
EXPOSE 8501
CMD ["httpd", "-f", "-p", "8501", "-h", "/www"]
"""
WEB = """\
FROM {base}
WORKDIR /srv
COPY app.py .
RUN python3 -c "import pathlib; pathlib.Path('built').write_text('by RUN')"
EXPOSE 8501
CMD ["python3", "app.py"]
"""
DOCKERFILE = """\
FROM scratch
COPY busybox /bin/busybox
RUN ["/bin/busybox", "--install", "-s", "/bin"]
ENV PATH=/bin
COPY index.cgi /www/cgi-bin/
RUN mkdir -p /www/_stcore && echo ok > /www/_stcore/health && echo by RUN > /built
ARG RELEASE=dev
ENV VERSION=${RELEASE}
EXPOSE 8501
CMD ["httpd", "-f", "-p", "8501", "-h", "/www"]
"""
PAGE = """\
#!/bin/sh
head -c "${CONTENT_LENGTH:-0}" >/dev/null
printf 'Content-Type: text/plain\\r\\n\\r\\n'
cat /built
"""
SETTINGS = "probe: {path: /, websocket: false}"
APP = Path(__file__).parents[1] / "embedded" / "web_app.py"
SSM = [f"ssmmessages:{verb}{kind}Channel" for verb in ("Create", "Open") for kind in ("Control", "Data")]


@contextmanager
def running(engine: ContainerEngine, **how: Any) -> Iterator[EmbeddedProcess]:
    """An embedded AWS whose tasks are containers of an engine."""
    env = {**os.environ, **engine.environment, "EMBEDDED_AWS_ENGINE": engine.name}
    words = [*EMBEDDED_AWS, "--until-stdin-ends", "--speed", f"{SPEED}", "--boot-allowance", "5"]
    words += ["--runtime", "container"]
    with serve(words, env=env, stdin=subprocess.PIPE, process_group=0, **how) as aws:
        yield aws


# The same on podman takes ten minutes: with its storage each start of a container takes many seconds.
@pytest.fixture(scope="module", params=["docker", pytest.param("podman", marks=pytest.mark.exhaustive)])
def engine(request: pytest.FixtureRequest) -> ContainerEngine:
    """Each of the engines, with the image of tools."""
    found: ContainerEngine = request.getfixturevalue(request.param)
    found.build("localhost/tools:1", TOOLS, {"busybox": busybox(), "health": "ok\n"})
    return found


@pytest.fixture(scope="module")
def containers(engine: ContainerEngine) -> Iterator[EmbeddedProcess]:
    """One embedded AWS for the tests of an engine; in the end it has left nothing in it."""
    with running(engine) as aws:
        yield aws
    assert made(engine) == []


@pytest.fixture
def stack(containers: EmbeddedProcess) -> Stack:
    """A stack in an empty embedded AWS."""
    containers.reset()
    return Stack(containers)


@pytest.fixture
def tools(stack: Stack, engine: ContainerEngine) -> str:
    """The image of tools in ECR; it serves /health on port 8501."""
    return push(stack.aws.client("ecr"), engine, "localhost/tools:1", "tools")


def made(engine: ContainerEngine, label: str = OURS) -> list[str]:
    """The containers, networks and images in an engine that have a label."""
    listings = (("ps", "-a"), ("network", "ls"), ("images",))
    found = [engine.run(*each, "--quiet", "--filter", f"label={label}").split() for each in listings]
    return [name for names in found for name in names]


def container_of(engine: ContainerEngine, task: dict[str, Any]) -> list[str]:
    """The containers of a task, its pod included."""
    host = task["attachments"][0]["details"]
    (name,) = (one["value"] for one in host if one["name"] == "privateDnsName")
    return engine.run("ps", "--quiet", "--filter", f"label=embedded-aws.task={name}").split()


def logged(stack: Stack, container: str = "app") -> list[str]:
    """The lines that the containers of a name have logged."""
    found = stack.aws.client("logs").filter_log_events(
        logGroupName=stack.logs, logStreamNamePrefix=f"web/{container}/"
    )
    return [event["message"] for event in found["events"]]


def once(stack: Stack, image: str, *command: str, **more: Any) -> dict[str, Any]:
    """Run a task of one container to its end; returns the task."""
    about = {"command": list(command), "logConfiguration": stack.log_options(), **more}
    started = stack.run(stack.definition(stack.container(image, **about)))
    return stack.reaches(started["taskArn"], "STOPPED")


def test_serves_through_the_load_balancer_and_is_rolled_back(stack: Stack, engine: ContainerEngine) -> None:
    """An image FROM a base, with RUN; the next one does not start, and the circuit breaker rolls back."""
    base = import_python(engine)
    engine.build("localhost/web:1", WEB.format(base=base), {"app.py": APP.read_bytes()})
    image = push(stack.aws.client("ecr"), engine, "localhost/web:1", "web")
    breaker = {"deploymentCircuitBreaker": {"enable": True, "rollback": True}}
    good = stack.definition(stack.container(image, environment=[{"name": "VERSION", "value": "one"}]))
    stack.service(good, loadBalancers=stack.balanced, deploymentConfiguration=breaker)
    stack.completed()
    assert requests.get(stack.url, timeout=PATIENCE).text == "one"
    (task,) = stack.tasks("s")
    _, app = sorted(container_of(engine, task), key=lambda one: "app.py" in engine.run("inspect", one))
    assert engine.run("exec", app, "python3", "-c", "print(open('built').read())").strip() == "by RUN"
    bad = stack.definition(stack.container(image, command=["python3", "nothing.py"]))
    stack.update(taskDefinition=bad)
    eventually(lambda: stack.describe()["deployments"][0]["taskDefinition"] == good)
    stack.completed()
    assert requests.get(stack.url, timeout=PATIENCE).text == "one"


def test_kills_a_container_above_its_memory_limit(stack: Stack, tools: str) -> None:
    """Stopped tasks: "OutOfMemoryError: Container killed due to memory usage", exit code 137."""
    eat = "x=xxxxxxxxxxxxxxxx; while true; do x=$x$x; done"
    (container,) = once(stack, tools, "sh", "-c", eat, memory=32)["containers"]
    assert container["exitCode"] == 137
    assert container["reason"] == "OutOfMemoryError: Container killed due to memory usage"


def test_a_sidecar_shares_the_network_of_its_task(stack: Stack, tools: str) -> None:
    """Task networking: "containers that belong to the same task can communicate over the localhost interface"."""
    ask = "until wget -qO- http://127.0.0.1:8501/health 2>/dev/null; do sleep 0.1; done; sleep 600"
    side = stack.container(
        tools, "side", portMappings=[], command=["sh", "-c", ask], logConfiguration=stack.log_options()
    )
    started = stack.run(stack.definition(stack.container(tools), side))
    stack.reaches(started["taskArn"], "RUNNING")
    eventually(lambda: logged(stack, "side") == ["ok"])
    other = once(stack, tools, "sh", "-c", "wget -qO- http://127.0.0.1:8501/health 2>&1 || echo nobody")
    assert other["containers"][0]["exitCode"] == 0
    assert "nobody" in logged(stack)


def test_the_definition_of_a_container_holds(stack: Stack, tools: str) -> None:
    """RegisterTaskDefinition, ContainerDefinition: each member as its text says."""
    limit = "cat /sys/fs/cgroup/memory/memory.limit_in_bytes /sys/fs/cgroup/memory.max 2>/dev/null"
    write = "touch /new 2>/dev/null || echo read-only"
    say = f'echo "$0 $1 $A"; pwd; id -u; {write}; {limit}; true'
    task = once(
        stack,
        tools,
        *("zero", "one"),
        entryPoint=["sh", "-c", say],
        environment=[{"name": "A", "value": "two\nlines"}],
        workingDirectory="/www",
        user="1234",
        readonlyRootFilesystem=True,
        memory=64,
    )
    assert task["containers"][0]["exitCode"] == 0, task
    assert logged(stack) == [*("zero one two", "lines", "/www", "1234", "read-only", str(64 * 2**20))]


def test_ulimits(stack: Stack, tools: str, engine: ContainerEngine) -> None:
    """ContainerDefinition, ulimits: on Fargate those of ``nofile``."""
    if engine.name == "podman":
        pytest.skip("podman's --ulimit drops the defaults that containers.conf needs on this machine")
    limits = [{"name": "nofile", "softLimit": 111, "hardLimit": 222}]
    once(stack, tools, "sh", "-c", "ulimit -Sn; ulimit -Hn", ulimits=limits)
    assert logged(stack) == ["111", "222"]


def test_the_endpoint_for_tasks_and_the_tasks_role(stack: Stack, tools: str) -> None:
    """Task IAM role: the variables lead to metadata and to the credentials of the task's role, and to AWS."""
    ask = "wget -qO- $ECS_CONTAINER_METADATA_URI_V4/task; echo; wget -qO- $AWS_CONTAINER_CREDENTIALS_FULL_URI"
    role = stack.role("task")
    about = {"command": ["sh", "-c", ask], "logConfiguration": stack.log_options()}
    started = stack.run(stack.definition(stack.container(tools, **about), taskRoleArn=role))
    stack.reaches(started["taskArn"], "STOPPED")
    metadata, credentials = map(json.loads, logged(stack))
    assert metadata["TaskARN"] == started["taskArn"]
    assert credentials["RoleArn"] == role


def test_the_health_check_runs_in_the_container(stack: Stack, tools: str) -> None:
    """HealthCheck: the command's exit code decides."""
    look = {"command": ["CMD-SHELL", "test -e /sick && exit 1 || exit 0"], "interval": 5, "retries": 1}
    started = stack.run(stack.definition(stack.container(tools, healthCheck=look)))["taskArn"]
    stack.reaches(started, "RUNNING")
    eventually(lambda: stack.task(started)["healthStatus"] == "HEALTHY")


@pytest.mark.parametrize(("command", "code"), [("exit 3", 3), ("kill -9 $$", 137)])
def test_exit_codes(stack: Stack, tools: str, command: str, code: int) -> None:
    """Container.exitCode: 128 and the signal's number for one that a signal ended."""
    (container,) = once(stack, tools, "sh", "-c", f"sh -c '{command}'; exit $?")["containers"]
    assert container["exitCode"] == code


def test_a_program_that_does_not_exist(stack: Stack, tools: str) -> None:
    """Stopped tasks: "CannotStartContainerError: … exec: "x": executable file not found in $PATH"."""
    task = once(stack, tools, "nowhere")
    assert task["stoppedReason"].startswith("CannotStartContainerError: ")
    assert 'exec: "nowhere": executable file not found in $PATH: unknown' in task["stoppedReason"]


def test_stops_with_sigterm_and_then_sigkill(stack: Stack, tools: str) -> None:
    """stopTimeout: "Time duration (in seconds) to wait before the container is forcefully killed"."""
    trap = "trap 'echo told; sleep 600 & wait' TERM; while true; do sleep 0.1; done"
    about = {"command": ["sh", "-c", trap], "stopTimeout": 2, "logConfiguration": stack.log_options()}
    started = stack.run(stack.definition(stack.container(tools, **about)))["taskArn"]
    stack.reaches(started, "RUNNING")
    stack.ecs.stop_task(cluster=stack.cluster, task=started)
    (container,) = stack.reaches(started, "STOPPED")["containers"]
    assert (logged(stack), container["exitCode"]) == (["told"], 137)


def test_execute_command_opens_a_terminal_in_the_container(
    stack: Stack, engine: ContainerEngine, tools: str
) -> None:
    """ExecuteCommand; instead of a session of Systems Manager it names an order of the engine."""
    role = stack.role("task")
    iam = stack.aws.client("iam")
    iam.put_role_policy(RoleName="task", PolicyName="exec", PolicyDocument=policy(allow(SSM)))
    started = stack.run(stack.definition(stack.container(tools), taskRoleArn=role), enableExecuteCommand=True)
    stack.reaches(started["taskArn"], "RUNNING")
    asked = {"cluster": stack.cluster, "task": started["taskArn"], "interactive": True}
    session = stack.ecs.execute_command(**asked, command="cat /www/health")["session"]
    words = json.loads(unquote(session["streamUrl"].removeprefix("exec:")))
    on_terminal = ["script", "--quiet", "--return", "--command", shlex.join(words), os.devnull]
    env = {**os.environ, **engine.environment}
    done = subprocess.run(
        on_terminal, env=env, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
    )
    said = done.stdout.replace("^@", "").strip()  # the terminal shows the end of its input
    assert (done.returncode, said) == (0, "ok"), done


def test_nothing_is_left_after_sigkill_and_nothing_of_others_is_touched(engine: ContainerEngine) -> None:
    mine = f"{LABEL}={os.getpid()}"
    others = made(engine)
    with ExitStack() as ending:
        engine.run(
            "run", "--detach", "--label", mine, "--network", "none", "localhost/tools:1", "sleep", "600"
        )
        alive = ending.enter_context(running(engine))
        killed = ending.enter_context(running(engine))
        for aws in (alive, killed):
            stack = Stack(aws)
            image = push(aws.client("ecr"), engine, "localhost/tools:1", "tools")
            stack.reaches(stack.run(stack.definition(stack.container(image)))["taskArn"], "RUNNING")
        before = set(made(engine)) - set(others)
        assert len(before) == 10  # each has a pod, a container, a network, and two images
        os.kill(killed.pid, signal.SIGKILL)
        assert before <= set(made(engine))
        with running(engine):
            kept = set(made(engine)) - set(others)
            assert len(kept) == 5
            assert kept < before
        assert Stack(alive).ecs.list_tasks(cluster="c")["taskArns"]
        assert made(engine, mine)
    assert set(made(engine)) == set(others)
    assert made(engine, mine)


@pytest.mark.skipif(
    os.getuid() != 0 or not shutil.which("iptables"), reason="only root closes ways with iptables"
)
def test_no_address_of_a_container_is_used(engine: ContainerEngine) -> None:
    """In Docker Desktop no process of the machine reaches a container's address: here the kernel refuses it."""
    if engine.name == "podman":
        pytest.skip(
            "podman publishes a port by translating addresses in the kernel, which the rule refuses too"
        )
    group = 54321
    rule = f"OUTPUT -m owner --gid-owner {group} -m conntrack --ctstate NEW ! -o lo -j REJECT".split()
    if subprocess.run(["iptables", "-I", *rule], capture_output=True, check=False).returncode:
        pytest.skip("this kernel's iptables does not know the owner of a packet")
    try:
        with running(engine, group=group) as aws:
            stack = Stack(aws)
            image = push(aws.client("ecr"), engine, "localhost/tools:1", "tools")
            stack.service(stack.definition(stack.container(image)), loadBalancers=stack.balanced)
            stack.completed()
            assert requests.get(f"{stack.url}/health", timeout=PATIENCE).text == "ok\n"
            (task,) = stack.tasks("s")
            told = json.loads(engine.run("inspect", container_of(engine, task)[-1]))[0]
            networks = told["NetworkSettings"]["Networks"].values()
            (ip,) = (one["IPAddress"] for one in networks if one["IPAddress"])
            closed = [sys.executable, "-c", f"import socket; socket.create_connection(('{ip}', 8501), 5)"]
            asked = subprocess.run(closed, group=group, capture_output=True, text=True, check=False)
            assert "ConnectionRefusedError" in asked.stderr
    finally:
        subprocess.run(["iptables", "-D", *rule], check=True)


@pytest.fixture
def project(tmp_path: Path, docker: ContainerEngine) -> Project:
    """A project whose image has RUN; no AWS anywhere."""
    found = make(tmp_path, None, files={"Dockerfile.streamlit": DOCKERFILE})
    for name, content in (("busybox", busybox()), ("index.cgi", PAGE.encode())):
        (found.folder / name).write_bytes(content)
        (found.folder / name).chmod(0o755)
    found.settings(SETTINGS)
    found.environment.update(docker.environment)
    return found


def test_rehearses_with_the_image_itself(project: Project, docker: ContainerEngine) -> None:
    before = made(docker)
    answer = project.inv("rehearse", "--runtime", "auto", "--no-from-apprunner", "--json").check().json
    told = "\n".join(moment["what"] for moment in answer["timeline"])
    assert answer["verdict"] == "passed", told
    assert "tasks are containers of docker" in told
    assert answer["requests"]["failed"] == 0
    assert made(docker) == before
    assert "127.0.0.1" not in docker.run("images")


def test_runs_a_command_in_a_task(project: Project, docker: ContainerEngine) -> None:
    with running(docker) as aws:
        access = {"AWS_ACCESS_KEY_ID": "AKIAEXAMPLE", "AWS_SECRET_ACCESS_KEY": "example"}
        project.environment.update(AWS_ENDPOINT_URL=aws.url, **access)
        ended = project.inv("setup-fargate", "push-image", "--tag", "a", "deploy", "--tag", "a").check()
        assert "builder: docker (this embedded AWS runs tasks as containers)" in ended.said
        iam, ecs = aws.client("iam"), aws.client("ecs")
        iam.put_role_policy(RoleName="ecsTaskRole", PolicyName="exec", PolicyDocument=policy(allow(SSM)))
        (service,) = ecs.list_services(cluster="lobster-cluster")["serviceArns"]
        where = {"cluster": "lobster-cluster", "service": service}
        ecs.update_service(**where, enableExecuteCommand=True, forceNewDeployment=True)
        ecs.get_waiter("services_stable").wait(
            cluster=where["cluster"],
            services=[where["service"]],
            WaiterConfig={"Delay": 1, "MaxAttempts": 600},
        )
        shown = project.on_terminal("exec", "--command", "cat /built")
        assert "by RUN" in shown.check().out, json.dumps(shown.said)


# The second pair takes minutes: Streamlit comes from the package index, and a system from Debian's mirror.
@pytest.mark.parametrize(
    "apps",
    [
        pytest.param((ENTRY_POINT, NODE), id="an entry point with a user, and Node"),
        pytest.param((STREAMLIT, PACKAGE), id="Streamlit, and a package", marks=pytest.mark.exhaustive),
    ],
)
def test_images_as_people_build_them(
    containers: EmbeddedProcess, engine: ContainerEngine, tmp_path: Path, apps: tuple[App, App]
) -> None:
    """Each is built, pushed and deployed, answers through the load balancer, and is gone after the teardown."""
    containers.reset()
    project = make(tmp_path, containers.url)
    project.settings(f"deployment: {{deregistration_delay: 0}}\ntask: {{memory: 2048, cpu: 512}}\n{SETTINGS}")
    project.environment.update(engine.environment)
    (url,) = project.inv("setup-fargate", "--yes").check().out.splitlines()[-1:]
    for tag, app in zip("ab", apps, strict=True):
        released(project, engine, tag, app).check()
        assert app.page in page(url)
    failed = released(project, engine, "foreign", foreign_app()).check(3).json
    assert (failed["cause"]["code"], failed["verdict"]) == ("exec-format", "rolled_back")
    assert apps[1].page in page(url)
    project.inv("rollback").check()
    assert apps[0].page in page(url)
    project.inv("teardown", "--yes", "--data").check()
    assert made(engine, "embedded-aws.task") == []


def released(project: Project, engine: ContainerEngine, tag: str, app: App) -> Ended:
    """An app that was built and pushed by an engine, and how its deployment ended."""
    app.write(project.folder, engine)
    words = ("push-image", "--builder", engine.name, "--tag", tag, *app.arguments)
    project.inv(*words).check()
    return project.inv("deploy", "--tag", tag, "--json")


def page(url: str) -> str:
    """What a visitor gets."""
    answer = requests.get(url, timeout=PATIENCE)
    assert answer.status_code == 200
    return answer.text
