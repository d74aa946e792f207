"""The arguments of the engine's orders that create containers. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from ..interface import ContainerSpec
from .client import Engine
from .gateway import Gateway

TASK_ENDPOINT = "169.254.170.2"
"""Where programs in a task find its metadata and credentials (Developer Guide, "Amazon ECS task IAM role")."""
CONTROL_GROUPS = "/docker"
"""Where docker has its containers' control groups, each called by the container's id."""
LEAST_SHARES = 2  # of Linux

# Nothing else of the image, and nothing that the engine keeps; podman waits before it removes, unless told not to.
_COMMON = ("--log-driver", "none", "--no-healthcheck", "--restart", "no", "--stop-timeout", "0")


@dataclass(frozen=True)
class Variables:
    """A container's environment: the text of a file for --env-file, and variables that no such file can have."""

    file: str
    others: Mapping[str, str]

    @classmethod
    def of(cls, environment: Mapping[str, str]) -> Variables:
        """Values with line ends are in ``others``: they pass by the engine's own environment, not its arguments,
        which every user of the machine can read."""
        lines = {name: value for name, value in environment.items() if not set(value) & {"\n", "\r", "\0"}}
        text = "".join(f"{name}={value}\n" for name, value in lines.items())
        return cls(text, {name: value for name, value in environment.items() if name not in lines})


def pod(
    image: str,
    network: str,
    gateway: Gateway,
    host_name: str | None,
    ports: Iterable[int],
    labels: Sequence[str],
    memory_mib: int | None = None,
) -> list[str]:
    """`run` of a pod, which holds a task's network; its ports are published on the loopback interface alone.

    ``memory_mib`` limits all containers in its control group together.
    """
    return [
        *("run", "--detach", *labels, *_COMMON),
        *(("--cgroup-parent", CONTROL_GROUPS, *_memory(memory_mib)) if memory_mib else ()),
        *("--network", network),
        *(("--add-host", f"{gateway.name}:{gateway.address}") if gateway.address else ()),
        *(("--hostname", host_name) if host_name else ()),
        *(word for port in ports for word in ("--publish", f"127.0.0.1::{port}")),
        *("--read-only", "--cap-drop", "ALL", "--cap-add", "NET_ADMIN", "--cap-add", "NET_BIND_SERVICE"),
        *(image, TASK_ENDPOINT, str(gateway.port), gateway.name),
    ]


def container(
    spec: ContainerSpec,
    image: str,
    pod: str,
    labels: Sequence[str],
    variables: Variables,
    file: str,
    engine: Engine,
    volumes: Mapping[str, str],
) -> list[str]:
    """`create` of one container of a task in a ``pod``; ``file`` is where the text of ``variables`` is.

    ``volumes`` has the engine's name of each volume of the task.
    """
    first, *rest = spec.full_command
    return [
        *("create", *labels, *_COMMON),
        *("--network", f"container:{pod}"),
        *("--workdir", spec.folder, "--entrypoint", first),
        *("--env-file", file, *(word for name in variables.others for word in ("--env", name))),
        *_limits(spec, engine, pod),
        *_isolation(spec),
        *_mounts(spec, volumes),
        *_in_memory(spec, engine),
        *(image, *rest),
    ]


def _mounts(spec: ContainerSpec, volumes: Mapping[str, str]) -> Iterable[str]:
    for mount in spec.mounts:
        # Fargate puts in what the image has only where the image says VOLUME; an engine would everywhere.
        options = ["ro" if mount.read_only else "rw", *([] if mount.from_image else ["nocopy"])]
        yield from ("--volume", f"{volumes[mount.volume]}:{mount.path}:{','.join(options)}")


def _in_memory(spec: ContainerSpec, engine: Engine) -> Iterable[str]:
    for each in spec.tmpfs:
        options = [f"size={each.size_mib}m", *each.options]
        # ECS promises docker's --tmpfs; podman's has the image's files in it, and lets programs run.
        if engine.name == "podman":
            options += ["notmpcopyup", *([] if {"exec", "noexec"} & {*each.options} else ["noexec"])]
        yield from ("--tmpfs", f"{each.path}:{','.join(options)}")


def _limits(spec: ContainerSpec, engine: Engine, pod: str) -> Iterable[str]:
    if spec.task_memory_mib and engine.limits_together:
        yield from ("--cgroup-parent", f"{CONTROL_GROUPS}/{pod}")
    memory = min(filter(None, (spec.memory_limit_mib, spec.task_memory_mib)), default=None)
    if memory:
        yield from _memory(memory)
    if spec.isolation.memory_reservation_mib:
        yield from ("--memory-reservation", f"{spec.isolation.memory_reservation_mib}m")
    if spec.isolation.task_cpus:
        yield from ("--cpus", f"{min(spec.isolation.task_cpus, engine.cpus):g}")  # no engine takes more
    yield from ("--cpu-shares", str(max(spec.isolation.cpu_units, LEAST_SHARES)))
    for name, (soft, hard) in spec.isolation.ulimits.items():
        yield from ("--ulimit", f"{name}={soft}:{hard}")


def _memory(mib: int) -> tuple[str, ...]:
    return ("--memory", f"{mib}m", "--memory-swap", f"{mib}m")  # Fargate has no swap


def _isolation(spec: ContainerSpec) -> Iterable[str]:
    if spec.isolation.user:
        yield from ("--user", spec.isolation.user)
    if spec.isolation.read_only_root:
        yield "--read-only"
    if spec.init:
        yield "--init"
    for name in spec.isolation.added_capabilities:
        yield from ("--cap-add", name)
    for name in spec.isolation.dropped_capabilities:
        yield from ("--cap-drop", name)
