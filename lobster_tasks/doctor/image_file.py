"""Checks of the Dockerfile: what the image will do on Fargate. Pure."""

from __future__ import annotations

from collections.abc import Mapping

from ..dockerfile import Dockerfile, Stage
from ..errors import DockerfileError
from .check import Finding, UnknownError, bad, doubtful, good, listed
from .command import Listens, listens, script_of, swallows_signals
from .facts import Facts
from .references import container_of


def readable(facts: Facts) -> Finding:
    """A builder could read it."""
    wrong = facts.error("dockerfile")
    if isinstance(wrong, DockerfileError):
        return bad(wrong.what.rstrip("."), "correct the line")
    stage = _file(facts).final
    return good(f"{facts.settings.dockerfile}: FROM {stage.base}, {_shown(_words(facts, stage))}")


def exposes(facts: Facts) -> Finding:
    """The port that it says it exposes is the container's."""
    stage, wanted = _file(facts).final, facts.settings.container.port
    ports = [port.number for port in stage.ports if port.protocol == "tcp"]
    if not ports or wanted in ports:
        return good(f"EXPOSE {wanted}" if ports else "no EXPOSE, which Fargate does not need")
    saw = f"EXPOSE {', '.join(map(str, ports))}; container.port is {wanted}"
    return doubtful(saw, f"set container.port: {ports[0]}, if that is what the app listens on")


def port(facts: Facts) -> Finding:
    """The command listens on the container's port."""
    found, wanted = _listens(facts), facts.settings.container.port
    if found.port == wanted:
        return good(f"the command listens on {wanted} ({found.port_by})")
    saw = f"the command listens on {found.port} ({found.port_by}); container.port is {wanted}"
    return bad(saw, f"set container.port: {found.port}, or let the command listen on {wanted}")


def address(facts: Facts) -> Finding:
    """The command listens where the load balancer can reach it."""
    found = _listens(facts)
    if not found.is_unreachable:
        return good(f"it listens on {found.address or 'every address'}")
    saw = f"it listens on {found.address} ({found.address_by}), which nobody outside the container reaches"
    return bad(saw, "let it listen on 0.0.0.0")


def signals(facts: Facts) -> Finding:
    """SIGTERM reaches the app, so that a task stops in seconds."""
    stage = _file(facts).final
    words = _words(facts, stage)
    if not words:
        raise UnknownError("the base image's command counts, which is not known here")
    if looks_like_json(stage):
        return bad(
            "CMD is written with single quotes: it is no list, and a shell runs it as one word",
            "write it with double quotes",
        )
    if swallows_signals(words):
        saw = f"{_shown(words)}: the shell keeps SIGTERM to itself, so each stop takes 30 s and ends with SIGKILL"
        return doubtful(saw, 'write the command as a list, or begin it with "exec"')
    if script_of(words) is None and words[0].endswith(".sh"):
        raise UnknownError(f"{words[0]} decides; its last line should begin with exec")
    return good(f"{_shown(words)} hears SIGTERM itself")


def user(facts: Facts) -> Finding:
    """The app does not run as root."""
    name = _file(facts).final.user
    if name.partition(":")[0] in ("", "root", "0"):
        return doubtful(
            "the app runs as root, unless the base image says otherwise", "add a USER that is not root"
        )
    return good(f"USER {name}")


def health_check(facts: Facts) -> Finding:
    """ECS does not read an image's HEALTHCHECK, only the task definition's healthCheck."""
    found = _file(facts).final.health_check
    if found is None or not found.words:
        return good("no HEALTHCHECK; the load balancer checks")
    definition = facts.readings["task_definition"].value
    if definition and container_of(definition, facts.settings.container.name).get("healthCheck"):
        return good("the task definition has a health check of its own")
    return doubtful(
        f"HEALTHCHECK (line {found.line}) is not read by ECS; the load balancer checks",
        "nothing to do; do not rely on it",
    )


def base(facts: Facts) -> Finding:
    """The base images have a version."""
    found = _file(facts)
    bases = [stage.base for stage in found.stages if stage.parent is None and stage.base != "scratch"]
    loose = [name for name in dict.fromkeys(bases) if _is_loose(name)]
    if loose:
        return doubtful(
            f"FROM {listed(loose)} is another image some day", "name a version, such as python:3.13-slim"
        )
    return good(f"FROM {listed(list(dict.fromkeys(bases))) or 'scratch'}")


def looks_like_json(stage: Stage) -> bool:
    """Whether the command was meant to be in the exec form."""
    commands = (stage.entry_point, stage.command)
    return any(each and each.is_shell_form and each.text.startswith("[") for each in commands)


def _file(facts: Facts) -> Dockerfile:
    found: Dockerfile = facts.need("dockerfile", f"there is no {facts.settings.dockerfile} here")
    return found


def _words(facts: Facts, stage: Stage) -> tuple[str, ...]:
    """What the container starts: the settings' command counts instead of the image's."""
    command = facts.settings.container.command
    if command is None:
        return stage.arguments_of_process
    return (*(stage.entry_point.words if stage.entry_point else ()), *command)


def _environment(facts: Facts, stage: Stage) -> Mapping[str, str]:
    """The image's, and on it what the task definition sets."""
    container = facts.settings.container
    return {**stage.environment, "PORT": str(container.port), **container.environment}


def _listens(facts: Facts) -> Listens:
    stage = _file(facts).final
    words = _words(facts, stage)
    config = facts.known("streamlit_config")
    found = listens(words, _environment(facts, stage), config)
    if found is None:
        raise UnknownError(f"what {_shown(words)} listens on does not show in its words")
    return found


def _is_loose(name: str) -> bool:
    if "@" in name:
        return False
    tag = name.rpartition("/")[2].partition(":")[2]
    return tag in ("", "latest")


def _shown(words: tuple[str, ...]) -> str:
    text = " ".join(words)
    return (text if len(text) <= 60 else f"{text[:57]}…") if words else "the base image's command"
