"""Which builder builds an image: a container engine, or this process, which does not execute RUN."""

from __future__ import annotations

from dataclasses import dataclass

from ..account import is_embedded, runs_containers
from ..aws import Aws
from ..errors import RefusedError
from .engines import Engine, choose

PROCESS = "process"


@dataclass(frozen=True)
class Builder:
    """The builder: an engine, or None for the process builder; ``reason`` is why it was chosen, empty where it was
    named."""

    engine: Engine | None
    reason: str = ""

    @property
    def name(self) -> str:
        """docker, podman or process."""
        return self.engine.name if self.engine else PROCESS


def choose_builder(aws: Aws, name: str) -> Builder:
    """The builder called ``name``: auto, docker, podman or process.

    ``auto`` takes the first engine that answers. On an embedded AWS it does so only where tasks are containers: as a
    process of this machine an app has nothing of what RUN installs. Raises RefusedError where there is no such builder.
    """
    embedded = is_embedded(aws.endpoint_url)
    if name == PROCESS and not embedded:
        raise RefusedError(
            "The process builder is for the embedded AWS only.",
            "it does not run RUN, so its image would have nothing installed on Fargate",
            "--builder docker, or podman",
        )
    if name == PROCESS:
        return Builder(None)
    if name == "auto" and embedded:
        return _for_embedded(aws)
    return Builder(choose(name), "the first engine that answers" if name == "auto" else "")


def _for_embedded(aws: Aws) -> Builder:
    if not runs_containers(aws):
        return Builder(None, "this embedded AWS runs tasks as processes; --runtime container runs containers")
    try:
        return Builder(choose("auto"), "this embedded AWS runs tasks as containers")
    except RefusedError as refused:
        return Builder(None, refused.what.rstrip("."))
