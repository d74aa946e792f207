"""Tasks as containers of a real engine: what the definition says of a container holds, and nothing is left behind.

What has to be the same where tasks are processes is tried on both runtimes (``both``); ``CANNOT`` names what a runtime
does not do. All in one file, which one worker runs: several of these tests look at everything that the engine has of
ours.
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
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest
import requests

from tests.embedded.ecs_stack import Stack
from tests.embedded.identities import allow, policy
from tests.embedded.images import ZSTD_LAYER, ImageSpec, Link, Script
from tests.embedded.images import push as pushed
from tests.embedded_process import EMBEDDED_AWS, PATIENCE, EmbeddedProcess, control, eventually, serve
from tests.engines import LABEL, ContainerEngine, NoEngineError, busybox
from tests.engines.machine_image import import_python, push
from tests.engines.real_images import ENTRY_POINT, NODE, PACKAGE, STREAMLIT, App, foreign_app
from tests.project import Ended, Project, make

pytestmark = pytest.mark.engine

SPEED = 20.0
TASK = "embedded-aws.task"
"""The label of what an embedded AWS makes for a task."""
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
DATA = {"sourceVolume": "data", "containerPath": "/data"}
VOLUMES = [{"name": "data"}]
SETTINGS = "probe: {path: /, websocket: false}"
APPLETS = (
    "cat",
    "echo",
    "env",
    "false",
    "httpd",
    "id",
    "kill",
    "ls",
    "sh",
    "sleep",
    "stat",
    "touch",
    "wc",
    "wget",
)
CANNOT = {
    "process": {
        "localhost": "a program that is not Python's reaches its own 127.0.0.1, which is the machine's",
        "root": "a process writes to a read-only root",
        "read-only": "a process writes to a volume that is mounted read-only",
        "modes": "a volume's owner and mode are those of the user who runs the embedded AWS",
        "tmpfs": "a file system in memory is a folder on disk, without a size",
    },
    "docker": {},
    "podman": {},
}
APP = Path(__file__).parents[1] / "embedded" / "web_app.py"
SSM = [f"ssmmessages:{verb}{kind}Channel" for verb in ("Create", "Open") for kind in ("Control", "Data")]


@dataclass(frozen=True)
class Tried:
    """A runtime with an empty embedded AWS, and the image of the tests in it."""

    runtime: str
    stack: Stack
    image: str

    def needs(self, what: str) -> None:
        """Skip the test, by name, where the runtime cannot do something."""
        if why := CANNOT[self.runtime].get(what):
            pytest.skip(f"{self.runtime}: {why}")

    def can(self, what: str) -> bool:
        """Whether the runtime can do something."""
        return what not in CANNOT[self.runtime]

    def needs_memory_together(self) -> None:
        """Skip the test, by name, where a task's memory is the limit of each container."""
        told = control.get(f"{self.stack.aws.url}/_embedded/runtime", timeout=PATIENCE).json()
        if told["taskMemory"] == "each":
            pytest.skip(f"{self.runtime}: a task's memory is the limit of each container here")

    def container(self, *command: str, name: str = "app", **more: Any) -> dict[str, Any]:
        """A container definition that logs, without a port."""
        about = {
            "command": list(command),
            "logConfiguration": self.stack.log_options(),
            "portMappings": [],
            **more,
        }
        return self.stack.container(self.image, name, **about)

    def start(self, *containers: dict[str, Any], **more: Any) -> str:
        """Run a task; returns its ARN."""
        return str(self.stack.run(self.stack.definition(*containers, **more))["taskArn"])

    def once(self, *containers: dict[str, Any], **more: Any) -> dict[str, Any]:
        """Run a task to its end; returns the containers by name, and the task as "task"."""
        task = self.stack.reaches(self.start(*containers, **more), "STOPPED")
        return {"task": task, **{one["name"]: one for one in task["containers"]}}


@contextmanager
def running(engine: ContainerEngine, **how: Any) -> Iterator[EmbeddedProcess]:
    """An embedded AWS whose tasks are containers of an engine."""
    env = {**os.environ, **engine.environment, "EMBEDDED_AWS_ENGINE": engine.program}
    words = [*EMBEDDED_AWS, "--until-stdin-ends", "--speed", f"{SPEED}", "--boot-allowance", "5"]
    words += ["--runtime", "container"]
    with serve(words, env=env, stdin=subprocess.PIPE, process_group=0, **how) as aws:
        yield aws


# The same on podman takes ten minutes: with its storage each start of a container takes many seconds.
ENGINES = ["docker", pytest.param("podman", marks=pytest.mark.exhaustive)]
PROCESS = ContainerEngine("process", "", Path())
"""Instead of an engine: tasks are processes."""
both = pytest.mark.parametrize("engine", ["process", *ENGINES], indirect=True, scope="module")
"""The test runs on both runtimes."""


@pytest.fixture(scope="module", params=ENGINES)
def engine(request: pytest.FixtureRequest) -> ContainerEngine:
    """Each of the engines, with the image of tools; ``PROCESS`` where a test runs on ``both``."""
    if request.param == PROCESS.name:
        return PROCESS
    found: ContainerEngine = request.getfixturevalue(request.param)
    found.build("localhost/tools:1", TOOLS, {"busybox": busybox(), "health": "ok\n"})
    return found


@pytest.fixture(scope="module")
def containers(engine: ContainerEngine) -> Iterator[EmbeddedProcess]:
    """One embedded AWS for the tests of an engine; in the end it has left nothing in it."""
    if engine is PROCESS:
        words = [*EMBEDDED_AWS, "--until-stdin-ends", "--speed", f"{SPEED}", "--boot-allowance", "5"]
        with serve(words, stdin=subprocess.PIPE, process_group=0) as aws:
            yield aws
        return
    with running(engine) as aws:
        yield aws
    assert engine.made() == []


@pytest.fixture
def stack(containers: EmbeddedProcess) -> Stack:
    """A stack in an empty embedded AWS."""
    containers.reset()
    return Stack(containers)


@pytest.fixture
def tools(stack: Stack, engine: ContainerEngine) -> str:
    """The image of tools in ECR; it serves /health on port 8501."""
    return push(stack.aws.client("ecr"), engine, "localhost/tools:1", "tools")


def container_of(engine: ContainerEngine, task: dict[str, Any]) -> list[str]:
    """The containers of a task, its pod included."""
    host = task["attachments"][0]["details"]
    (name,) = (one["value"] for one in host if one["name"] == "privateDnsName")
    return engine.run("ps", "--quiet", "--filter", f"label={TASK}={name}").split()


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


@pytest.fixture
def tried(stack: Stack, engine: ContainerEngine) -> Tried:
    """A runtime with an empty embedded AWS."""
    try:
        program = Script(busybox())
    except NoEngineError as missing:
        pytest.skip(str(missing))
    files = {"/bin/busybox": program, **{f"/bin/{name}": Link("busybox") for name in APPLETS}}
    spec = ImageSpec(
        {**files, "/www/health": "ok\n", "/seed/file": "seed\n"}, ["sleep", "600"], working_directory="/www",
        volumes=["/seed"],
    )  # fmt: skip
    return Tried(engine.name, stack, stack.image(spec))


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


def test_a_reset_leaves_nothing_of_a_task(
    containers: EmbeddedProcess, engine: ContainerEngine, stack: Stack, tools: str
) -> None:
    """A task with several containers and a volume: they and the pod are gone with the reset."""
    more = {"mountPoints": [DATA]}
    beside = stack.container(tools, "beside", command=["sleep", "600"], portMappings=[], **more)
    started = stack.run(stack.definition(stack.container(tools, **more), beside, volumes=VOLUMES))
    stack.reaches(started["taskArn"], "RUNNING")
    assert len(engine.made(TASK)) == 4  # a pod, two containers, a volume
    containers.reset()
    assert engine.made(TASK) == []


SLOW = """\
#!/bin/sh
case "$*" in "{order} "*)
    touch {folder}/begun
    until test -e {folder}/go; do sleep 0.1; done
    {program} "$@"
    code=$?
    touch {folder}/over
    exit $code
esac
exec {program} "$@"
"""


@pytest.mark.parametrize(
    "order",
    [
        "run --detach",
        "volume create",
        *(pytest.param(each, marks=pytest.mark.exhaustive) for each in ("create", "start --attach")),
    ],
)
def test_a_reset_while_a_task_starts_leaves_nothing_of_it(
    engine: ContainerEngine, tmp_path: Path, order: str
) -> None:
    """The engine is slow to follow an order for a task, and a reset comes before it has."""
    slow = tmp_path / engine.name
    slow.write_text(SLOW.format(order=order, folder=tmp_path, program=engine.program))
    slow.chmod(0o755)
    with running(replace(engine, program=str(slow))) as aws:
        stack = Stack(aws)
        image = push(aws.client("ecr"), engine, "localhost/tools:1", "tools")
        stack.run(stack.definition(stack.container(image, mountPoints=[DATA]), volumes=VOLUMES))
        eventually((tmp_path / "begun").exists)
        try:
            aws.reset()
        finally:
            (tmp_path / "go").touch()
        eventually((tmp_path / "over").exists)
        eventually(lambda: engine.made(TASK) == [])


def test_nothing_is_left_after_sigkill_and_nothing_of_others_is_touched(
    containers: EmbeddedProcess, engine: ContainerEngine
) -> None:
    containers.reset()
    assert engine.made(TASK) == []
    mine = f"{LABEL}={os.getpid()}"
    others = engine.made()
    with ExitStack() as ending:
        engine.run(
            "run", "--detach", "--label", mine, "--network", "none", "localhost/tools:1", "sleep", "600"
        )
        alive = ending.enter_context(running(engine))
        killed = ending.enter_context(running(engine))
        for aws in (alive, killed):
            stack = Stack(aws)
            image = push(aws.client("ecr"), engine, "localhost/tools:1", "tools")
            mounts = [{"sourceVolume": "data", "containerPath": "/data"}]
            definition = stack.definition(
                stack.container(image, mountPoints=mounts), volumes=[{"name": "data"}]
            )
            stack.reaches(stack.run(definition)["taskArn"], "RUNNING")
        before = set(engine.made()) - set(others)
        assert len(before) == 12  # each has a pod, a container, a volume, a network, and two images
        os.kill(killed.pid, signal.SIGKILL)
        assert before <= set(engine.made())
        with running(engine):
            kept = set(engine.made()) - set(others)
            assert len(kept) == 6
            assert kept < before
        assert Stack(alive).ecs.list_tasks(cluster="c")["taskArns"]
        assert engine.labelled(mine)
    assert set(engine.made()) == set(others)
    assert engine.labelled(mine)


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


def sh(script: str) -> tuple[str, str, str]:
    """A command that runs a script."""
    return ("sh", "-c", script)


def first(*condition: str, name: str = "first") -> list[dict[str, str]]:
    """dependsOn."""
    return [{"containerName": name, "condition": each} for each in condition]


@both
def test_containers_of_a_task_share_a_volume(tried: Tried) -> None:
    """Bind mounts: "To share a data volume from a source container with other containers in the same task", and "after
    all of the containers that use a bind mount are stopped … the data is removed"."""
    write = tried.container(
        *sh("ls /data; echo shared > /data/x"), name="first", essential=False, mountPoints=[DATA]
    )
    read = tried.container(
        *sh("cat /data/x"), dependsOn=first("SUCCESS"), mountPoints=[{**DATA, "readOnly": True}]
    )
    assert tried.once(write, read, volumes=VOLUMES)["app"]["exitCode"] == 0
    assert (logged(tried.stack, "first"), logged(tried.stack)) == ([], ["shared"])
    tried.once(tried.container(*sh("ls /data"), mountPoints=[DATA]), volumes=VOLUMES)
    assert logged(tried.stack) == ["shared"]  # the other task's volume is empty


@both
def test_a_volume_that_is_mounted_read_only(tried: Tried) -> None:
    """MountPoint, readOnly: "If this value is true, the container has read-only access to the volume."""
    tried.needs("read-only")
    write = tried.container(*sh("touch /data/x || exit 5"), mountPoints=[{**DATA, "readOnly": True}])
    assert tried.once(write, volumes=VOLUMES)["app"]["exitCode"] == 5


@both
def test_a_volume_has_what_the_image_declares(tried: Tried) -> None:
    """Bind mounts: "if the absolute path specified in the VOLUME directive is the same as the containerPath … the data
    in the VOLUME directive path is copied to the data volume". What is not declared is hidden."""
    mounts = [
        {"sourceVolume": "data", "containerPath": "/seed"},
        {"sourceVolume": "other", "containerPath": "/www"},
    ]
    volumes = [*VOLUMES, {"name": "other"}]
    tried.once(tried.container(*sh("cat /seed/file; ls /www"), mountPoints=mounts), volumes=volumes)
    assert logged(tried.stack) == ["seed"]


@both
def test_the_owner_of_a_volume(tried: Tried) -> None:
    """Bind mounts: "By default, the volume permissions are set to 0755 and the owner as root."""
    tried.needs("modes")
    tried.once(tried.container(*sh("stat -c '%a %u' /data"), mountPoints=[DATA]), volumes=VOLUMES)
    assert logged(tried.stack) == ["755 0"]


@both
def test_a_container_has_the_volumes_of_another_one(tried: Tried) -> None:
    """VolumeFrom: "Details on a data volume from another container in the same task definition": its mount points, and
    what its image declares."""
    source = tried.container(
        *sh("echo mine > /data/x; echo seeded > /seed/more; sleep 600"),
        name="first",
        mountPoints=[DATA],
    )
    wait = (
        "until test -e /data/x && test -e /seed/more; do sleep 0.1; done; cat /data/x /seed/file /seed/more"
    )
    reader = tried.container(*sh(wait), volumesFrom=[{"sourceContainer": "first", "readOnly": True}])
    assert tried.once(source, reader, volumes=VOLUMES)["app"]["exitCode"] == 0
    assert logged(tried.stack) == ["mine", "seed", "seeded"]


@both
def test_a_file_system_in_memory(tried: Tried) -> None:
    """Tmpfs, size: "The maximum size (in MiB) of the tmpfs volume"; it is the container's own.

    LinuxParameters: it "maps to the --tmpfs option to docker run", of which docker's reference says
    "rw,noexec,nosuid,nodev"; docker's "tmpfs mounts": "the pre-existing files are obscured by the mount".
    """
    given = {"tmpfs": [{"containerPath": "/www", "size": 1}]}
    fill = "ls; echo x > new && cat new; cat /bin/busybox > big && echo large; cat /proc/mounts"
    tried.once(tried.container(*sh(fill), linuxParameters=given))
    lines = logged(tried.stack)
    assert lines[0] == "x"
    assert ("large" in lines) is not tried.can("tmpfs")
    if tried.can("tmpfs"):
        (options,) = (line.split()[3] for line in lines if line.split()[1:2] == ["/www"])
        assert {"rw", "noexec", "nosuid", "nodev"} <= {*options.split(",")}


@both
def test_the_memory_of_a_task_is_that_of_all_its_containers(tried: Tried) -> None:
    """TaskDefinition, memory: "The amount (in MiB) of memory used by the task"; ContainerDefinition, memory: "The total
    amount of memory reserved for all containers within a task must be lower than the task memory value".

    Stopped tasks: "OutOfMemoryError: Container killed due to memory usage", exit code 137; it is the reason of the
    container that was killed, not of the one that ends with it.
    """
    tried.needs_memory_together()
    chunk = "c=xxxxxxxx; while test ${#c} -lt 8388608; do c=$c$c; done; i=0; "
    take = chunk + "while test $i -lt %d; do eval v$i=\\$c; i=$((i+1)); done; "
    least = tried.container(
        *sh(take % 20 + "echo full > /data/full; sleep 600; true"),
        name="first",
        mountPoints=[DATA],
        stopTimeout=2,
    )
    alone = tried.container(*sh(take % 42))
    assert tried.once(alone)["app"]["exitCode"] == 0
    wait = "until test -e /data/full; do sleep 0.1; done; "
    most = tried.container(*sh(wait + take % 42 + "sleep 600; true"), mountPoints=[DATA])
    ended = tried.once(least, most, volumes=VOLUMES)
    assert ended["task"]["stopCode"] == "EssentialContainerExited"
    assert ended["app"]["exitCode"] == 137
    assert ended["app"]["reason"] == "OutOfMemoryError: Container killed due to memory usage"
    assert "reason" not in ended["first"]


@both
def test_entry_point_command_environment_and_folder(tried: Tried) -> None:
    """RegisterTaskDefinition, ContainerDefinition: entryPoint, command, environment, workingDirectory."""
    say = 'echo "$0 $1 $A"; cat health'
    about = {"entryPoint": ["sh", "-c", say], "environment": [{"name": "A", "value": "two\nlines"}]}
    ended = tried.once(tried.container("zero", "one", **about, workingDirectory="/www"))
    assert (ended["app"]["exitCode"], logged(tried.stack)) == (0, ["zero one two", "lines", "ok"])


@both
def test_a_read_only_root(tried: Tried) -> None:
    """ContainerDefinition: "When this parameter is true, the container is given read-only access to its root file
    system"; a volume can be written to."""
    tried.needs("root")
    about = {"readonlyRootFilesystem": True, "mountPoints": [DATA]}
    ended = tried.once(
        tried.container(*sh("touch /data/x || exit 5; touch /new || exit 6"), **about), volumes=VOLUMES
    )
    assert ended["app"]["exitCode"] == 6


@both
@pytest.mark.parametrize(("command", "code"), [("exit 3", 3), ("kill -9 $$", 137)])
def test_exit_codes(tried: Tried, command: str, code: int) -> None:
    """Container.exitCode: 128 and the signal's number for one that a signal ended."""
    ended = tried.once(tried.container(*sh(f"sh -c '{command}'; exit $?")))
    assert ended["app"]["exitCode"] == code


@both
def test_layers_compressed_with_zstd(tried: Tried) -> None:
    """ "zstd-compressed container images help reduce start up times on AWS Fargate" (AWS's blog, "Reducing AWS Fargate
    Startup Times with zstd Compressed Container Images"): newer engines read them, and Python from 3.14; whatever does
    not says what to do."""
    spec = ImageSpec({"/bin/busybox": Script(busybox())}, ["busybox", "true"], working_directory="/")
    image = pushed(tried.stack.aws.client("ecr"), spec, tag="zstd", zstd=True).reference
    container = {**tried.container("busybox", "true"), "image": image}
    ended = tried.once(container)
    reason = ended["task"]["stoppedReason"]
    if "exitCode" in ended["app"]:
        assert ended["app"]["exitCode"] == 0, reason
    else:
        assert f"{ZSTD_LAYER} is read by AWS, not here: build with gzip" in reason


@both
def test_a_program_that_does_not_exist(tried: Tried) -> None:
    """Stopped tasks: "CannotStartContainerError: … exec: "x": executable file not found in $PATH"."""
    reason = tried.once(tried.container("nowhere"))["task"]["stoppedReason"]
    assert reason.startswith("CannotStartContainerError: ")
    assert 'exec: "nowhere": executable file not found in $PATH: unknown' in reason


@both
def test_stops_with_sigterm_and_then_sigkill(tried: Tried) -> None:
    """stopTimeout: "Time duration (in seconds) to wait before the container is forcefully killed"."""
    trap = "trap 'echo told; sleep 600 & wait' TERM; while true; do sleep 0.1; done"
    arn = tried.start(tried.container(*sh(trap), stopTimeout=2))
    tried.stack.reaches(arn, "RUNNING")
    tried.stack.ecs.stop_task(cluster=tried.stack.cluster, task=arn)
    (container,) = tried.stack.reaches(arn, "STOPPED")["containers"]
    assert (logged(tried.stack), container["exitCode"]) == (["told"], 137)


@both
def test_the_health_check_runs_in_the_container(tried: Tried) -> None:
    """HealthCheck: the command's exit code decides."""
    look = {"command": ["CMD-SHELL", "test -e /www/sick && exit 1; exit 0"], "interval": 5, "retries": 1}
    arn = tried.start(tried.container(*sh("cd /www; sleep 600"), healthCheck=look))
    tried.stack.reaches(arn, "RUNNING")
    eventually(lambda: tried.stack.task(arn)["healthStatus"] == "HEALTHY")


@both
def test_a_task_ends_with_an_essential_container_alone(tried: Tried) -> None:
    """ContainerDefinition, essential: "if that container fails or stops for any reason, all other containers that are
    part of the task are stopped"; dependsOn COMPLETE."""
    before = tried.container(*sh("exit 4"), name="first", essential=False)
    app = tried.container(*sh("exit 0"), dependsOn=first("COMPLETE"))
    beside = tried.container("sleep", "600", name="beside", stopTimeout=2)
    ended = tried.once(before, app, beside)
    assert ended["task"]["stopCode"] == "EssentialContainerExited"
    assert [ended[name]["exitCode"] for name in ("first", "app", "beside")] == [4, 0, 137]


@both
def test_secrets_are_variables(tried: Tried) -> None:
    """Secret: "The name of the secret", and valueFrom; the execution role reads it."""
    arn = tried.stack.aws.client("secretsmanager").create_secret(Name="key", SecretString="hush")["ARN"]
    assert tried.stack.execution_role
    document = policy(allow(["secretsmanager:GetSecretValue"]))
    tried.stack.aws.client("iam").put_role_policy(
        RoleName="execution", PolicyName="read", PolicyDocument=document
    )
    tried.once(tried.container(*sh('echo "$KEY"'), secrets=[{"name": "KEY", "valueFrom": arn}]))
    assert logged(tried.stack) == ["hush"]


@both
def test_the_endpoint_for_tasks_and_the_tasks_role(tried: Tried) -> None:
    """Task IAM role: the variables lead to metadata and to the credentials of the task's role."""
    ask = "wget -qO- $ECS_CONTAINER_METADATA_URI_V4/task; echo; wget -qO- $AWS_CONTAINER_CREDENTIALS_FULL_URI"
    role = tried.stack.role("task")
    ended = tried.once(tried.container(*sh(ask)), taskRoleArn=role)
    metadata, credentials = map(json.loads, logged(tried.stack))
    assert metadata["TaskARN"] == ended["task"]["taskArn"]
    assert credentials["RoleArn"] == role


@both
def test_a_sidecar_shares_the_network_of_its_task(tried: Tried) -> None:
    """Task networking: "containers that belong to the same task can communicate over the localhost interface"."""
    tried.needs("localhost")
    ask = "until wget -qO- http://127.0.0.1:8501/health 2>/dev/null; do sleep 0.1; done"
    app = tried.container("httpd", "-f", "-p", "8501", "-h", "/www", name="first")
    assert tried.once(app, tried.container(*sh(ask)))["app"]["exitCode"] == 0
    assert logged(tried.stack) == ["ok"]
    tried.once(tried.container(*sh("wget -qO- http://127.0.0.1:8501/health 2>/dev/null || echo nobody")))
    assert "nobody" in logged(tried.stack)


@pytest.fixture
def project(tmp_path: Path, docker: ContainerEngine) -> Project:
    """A project whose image has RUN; no AWS anywhere."""
    dockerfile = f"{DOCKERFILE}LABEL {LABEL}={os.getpid()}\n"
    found = make(tmp_path, None, files={"Dockerfile.streamlit": dockerfile})
    for name, content in (("busybox", busybox()), ("index.cgi", PAGE.encode())):
        (found.folder / name).write_bytes(content)
        (found.folder / name).chmod(0o755)
    found.settings(SETTINGS)
    found.environment.update(docker.environment)
    return found


def test_rehearses_with_the_image_itself(project: Project, docker: ContainerEngine) -> None:
    before, images = docker.made(), built(docker)
    answer = project.inv("rehearse", "--runtime", "auto", "--no-from-apprunner", "--json").check().json
    told = "\n".join(moment["what"] for moment in answer["timeline"])
    assert answer["verdict"] == "passed", told
    assert "tasks are containers of docker" in told
    assert answer["requests"]["failed"] == 0
    assert docker.made() == before
    assert not [image for image in built(docker) - images if image.startswith("127.0.0.1:")]


def built(engine: ContainerEngine) -> set[str]:
    """The names of the images that this process's tests have in an engine."""
    mine = f"label={LABEL}={os.getpid()}"
    return set(engine.run("images", "--filter", mine, "--format", "{{.Repository}}:{{.Tag}}").split())


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
    assert engine.made(TASK) == []


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
