"""What a build is told besides its Dockerfile and its folder."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from .. import text_file
from ..build_secret import BuildSecret, read_secret
from ..errors import RefusedError
from ..settings import Settings

ARCHITECTURES = {"X86_64": "amd64", "ARM64": "arm64"}
_SHORTEST_SECRET = 4  # characters; a shorter one would mask half of what a build says


@dataclass(frozen=True)
class BuildOptions:
    """``arguments`` are those of ``--build-arg``; ``target`` is the name or the number of the stage that becomes the
    image, empty for the last one. ``cache_from`` and ``cache_to`` are as ``docker buildx build`` takes them.
    ``architecture`` is amd64 or arm64."""

    architecture: str = "amd64"
    arguments: Mapping[str, str] = field(default_factory=dict)
    target: str = ""
    secrets: tuple[BuildSecret, ...] = ()
    cache_from: tuple[str, ...] = ()
    cache_to: tuple[str, ...] = ()

    @property
    def platform(self) -> str:
        """The platform as builders spell it, linux/amd64."""
        return f"linux/{self.architecture}"


def options_of(settings: Settings, arguments: Mapping[str, str] | None = None) -> BuildOptions:
    """The options that the settings give, with build arguments."""
    images = settings.images
    return BuildOptions(
        architecture=ARCHITECTURES[settings.task.architecture],
        arguments=arguments or {},
        target=images.target or "",
        secrets=tuple(map(read_secret, images.secrets)),
        cache_from=images.cache_from,
        cache_to=images.cache_to,
    )


def check_secrets(secrets: Iterable[BuildSecret], folder: Path) -> None:
    """Raise RefusedError for a secret that is not there: an engine would build with an empty one."""
    for secret in secrets:
        if secret.variable and not os.environ.get(secret.variable):
            raise RefusedError(
                f"The build secret {secret.name} is missing.",
                f"the environment has no {secret.variable}",
                f"set {secret.variable} in the environment, not on the command line",
            )
        if secret.file and not (folder / secret.file).is_file():
            raise RefusedError(
                f"The build secret {secret.name} is missing.",
                f"there is no file {folder / secret.file}",
                f"create it, or --secret id={secret.name},src=FILE",
            )


def values_of(secrets: Iterable[BuildSecret], folder: Path) -> tuple[str, ...]:
    """The lines of the secrets, the longest first, which nothing that a build says may show."""
    lines = {line.strip() for secret in secrets for line in _lines(secret, folder)}
    return tuple(sorted((line for line in lines if len(line) >= _SHORTEST_SECRET), key=len, reverse=True))


def _lines(secret: BuildSecret, folder: Path) -> Iterator[str]:
    if secret.variable:
        yield from os.environ.get(secret.variable, "").splitlines()
        return
    try:
        yield from text_file.read(folder / secret.file, any_bytes=True).splitlines()
    except (OSError, text_file.EncodingError):
        return
