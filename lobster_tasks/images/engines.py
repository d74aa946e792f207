"""The container engines docker and podman, used through their command lines."""

from __future__ import annotations

import base64
import os
import re
import shutil
import subprocess
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from ..aws import Aws
from ..build_secret import attributes_of
from ..errors import LobsterError, RefusedError
from ..masking import with_values_masked
from .build import read_dockerfile
from .options import BuildOptions, check_secrets, values_of

_ENGINES = ("docker", "podman")
_ANSWERS_WITHIN = 15.0  # seconds; a running daemon answers in well under one
_SHOWN_ON_FAILURE = 15  # lines
_NOT_ON_THIS_MACHINE = (
    "--builder process, if the engine runs elsewhere (Docker Desktop, DOCKER_HOST) and cannot reach "
    "127.0.0.1 of this machine"
)
_NO_ENGINE = "install Docker or podman and start it, or let CI build the image"
# The engines' own words, which no program in a build says.
_NEXT_STEPS = (
    (
        re.compile(
            r"permission denied while trying to connect|connect: operation not permitted", re.IGNORECASE
        ),
        "get access to its socket: sudo usermod -aG docker $USER, then sign in again; or --builder podman",
    ),
    (
        re.compile(r"no space left on device", re.IGNORECASE),
        "free some disk space: `{name} system df` shows what {name} itself has",
    ),
    (
        re.compile(
            r"(cannot|unable to|failed to) connect to (the docker|podman)|is the docker daemon running",
            re.IGNORECASE,
        ),
        "start it: Docker Desktop, `sudo systemctl start docker`, or `podman machine start`",
    ),
)
_FOR_CACHES = (
    "if the message is about the cache: docker buildx create --use creates a builder for all of its types"
)


@dataclass(frozen=True)
class Engine:
    """An engine on this machine."""

    name: str
    program: str

    def check(self, folder: Path, options: BuildOptions) -> None:
        """Raise RefusedError for an option that this engine cannot follow, and for a secret that is not there."""
        check_secrets(options.secrets, folder)
        caches = (*options.cache_from, *options.cache_to)
        if self.name == "podman":
            for cache in caches:
                _repository(cache)
        elif caches and not self._has_buildx():
            raise RefusedError(
                f"{self.name} has no buildx, and needs it for a build cache.",
                next_step="install the plugin docker-buildx, or leave out images.cache_from and images.cache_to",
            )

    def build(
        self,
        folder: Path,
        dockerfile: str,
        reference: str,
        options: BuildOptions,
        say: Callable[[str], None],
    ) -> None:
        """Build ``folder`` as an image called ``reference``; raises LobsterError with the engine's last lines.

        What it says shows no secret.
        """
        hidden = values_of(options.secrets, folder)
        command = self._command(folder, dockerfile, options)
        arguments = [*command, "-f", dockerfile, "-t", reference]
        arguments += _flags("--build-arg", (f"{name}={value}" for name, value in options.arguments.items()))
        arguments += _flags("--secret", (secret.written for secret in options.secrets))
        caches = options.cache_from or options.cache_to
        self._run([*arguments, "."], say, folder, hidden, _FOR_CACHES if caches else "")

    def _command(self, folder: Path, dockerfile: str, options: BuildOptions) -> list[str]:
        """The beginning of the command: what the engines spell differently."""
        common = ["--platform", options.platform]
        if self.name == "podman":
            return [
                *("build", "--format", "docker", *common),  # OCI's has no SHELL, HEALTHCHECK and ONBUILD
                *_flags("--target", _podmans_target(folder, dockerfile, options)),
                *_flags("--cache-from", map(_repository, options.cache_from)),
                *_flags("--cache-to", map(_repository, options.cache_to)),
            ]
        common += _flags("--target", [options.target] if options.target else [])
        if not (options.cache_from or options.cache_to):
            return ["build", *common]
        # docker build takes the daemon's own builder, which lacks most kinds of caches; buildx takes the chosen one,
        # and leaves the image in there unless it is told to load it.
        caches = [*_flags("--cache-from", options.cache_from), *_flags("--cache-to", options.cache_to)]
        return ["buildx", "build", "--load", *common, *caches]

    def _has_buildx(self) -> bool:
        return _succeeds([self.program, "buildx", "version"])

    def login(self, host: str, password: str, *, plain_http: bool = False) -> None:
        """Sign in to a registry's ``host`` as AWS; the password is passed on standard input and never shown."""
        words = ["login", *self._without_tls(plain_http), "--username", "AWS", "--password-stdin", host]
        done = subprocess.run(
            [self.program, *words],
            input=password,
            capture_output=True,
            encoding="utf-8",
            errors="replace",
            check=False,
        )
        if done.returncode:
            said = done.stderr.replace(password, "…").strip()
            next_step = _known_step(self.name, said) or (_NOT_ON_THIS_MACHINE if plain_http else "")
            raise LobsterError(f"{self.name} cannot sign in to {host}.", said, next_step)

    def push(self, reference: str, say: Callable[[str], None], *, plain_http: bool = False) -> None:
        """Push a built image; raises LobsterError with the engine's last lines."""
        self._run(["push", *self._without_tls(plain_http), reference], say)

    def forget(self, host: str) -> None:
        """Remove the images that are named after a registry's ``host``, as far as nothing else uses them."""
        listing = [self.program, "images", "--format", "{{.Repository}}:{{.Tag}}"]
        told = subprocess.run(listing, capture_output=True, text=True, check=False).stdout
        if named := [each for each in told.split() if each.startswith(f"{host}/")]:
            subprocess.run([self.program, "rmi", *named], capture_output=True, check=False)

    def _without_tls(self, plain_http: bool) -> list[str]:
        """The flags for a registry without TLS; docker needs none for this machine's own addresses."""
        return ["--tls-verify=false"] if plain_http and self.name == "podman" else []

    def _run(
        self,
        arguments: Sequence[str],
        say: Callable[[str], None],
        folder: Path | None = None,
        hidden: Sequence[str] = (),
        next_step: str = "",
    ) -> None:
        # Attestations would make an index of every image, which counts twice in the repository.
        environment = {**os.environ, "BUILDX_NO_DEFAULT_ATTESTATIONS": "1"}
        if "--secret" in arguments:  # docker before 23 builds without BuildKit, which alone has secrets
            environment.setdefault("DOCKER_BUILDKIT", "1")
        last: deque[str] = deque(maxlen=_SHOWN_ON_FAILURE)
        with subprocess.Popen(
            [self.program, *arguments],
            cwd=folder,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
            errors="replace",
        ) as process:
            for line in process.stdout or ():
                shown = with_values_masked(line.rstrip(), hidden)
                last.append(shown)
                say(shown)
        if process.returncode:
            said = "\n".join(last)
            what = f"{self.name} {arguments[0]} failed (exit {process.returncode})."
            raise LobsterError(what, said, _known_step(self.name, said) or next_step)


def _flags(name: str, values: Iterable[str]) -> list[str]:
    """``name`` before each of the values."""
    return [word for value in values for word in (name, value)]


def _podmans_target(folder: Path, dockerfile: str, options: BuildOptions) -> list[str]:
    """The stage as podman finds it: by its name if it has one, as it is written, and else by its number."""
    if not options.target:
        return []
    stage = read_dockerfile(folder, dockerfile, options).final
    return [stage.name or str(stage.index)]


def _repository(cache: str) -> str:
    """The repository of a cache: the one kind that podman has. Raises RefusedError for any other."""
    parts = attributes_of(cache)
    if "type" not in parts:
        return cache
    if parts["type"] == "registry" and parts.get("ref"):
        return parts["ref"]
    raise RefusedError(
        f"podman has no build cache of type {parts['type']}.",
        "podman keeps its cache only in a repository, named without a tag: registry.example/app/cache",
        "--builder docker, or set images.cache_from and images.cache_to to a repository",
    )


def engine_for(runtime: str) -> Engine | None:
    """The engine that runs containers, for a runtime of the embedded AWS: auto, container or process.

    None where there are to be none, and for ``auto`` without an engine; for ``container`` that is a RefusedError.
    """
    if runtime == "process":
        return None
    try:
        return choose("auto")
    except RefusedError:
        if runtime == "container":
            raise
        return None


def choose(name: str) -> Engine:
    """The engine called ``name``, or for ``auto`` the first one that works.

    Raises RefusedError where there is none.
    """
    names = _ENGINES if name == "auto" else (name,)
    silent: dict[str, str] = {}
    for each in names:
        program = shutil.which(each)
        if program is None:
            continue
        complaint = _complaint([program, "version"])  # which contacts the daemon, where there is one
        if complaint is None:
            return Engine(each, program)
        silent[each] = complaint
    steps = (step for each, said in silent.items() if (step := _known_step(each, said)))
    raise RefusedError(
        f"There is no container engine: {_missing(names, silent)}.",
        "; ".join(f"{each}: {said}" for each, said in silent.items() if said),
        next(steps, _NO_ENGINE),
    )


@dataclass(frozen=True)
class RegistryAccess:
    """Where an engine pushes to, for 12 hours: ``registry`` is what references begin with, the host first.

    That is all of it on AWS; an embedded AWS has its own address before the registry's name.
    """

    registry: str
    password: str
    plain_http: bool

    @property
    def host(self) -> str:
        """The host for an engine's login."""
        return self.registry.partition("/")[0]


def registry_access(aws: Aws) -> RegistryAccess:
    """The access to the account's registry (ECR GetAuthorizationToken)."""
    data = aws.call("ecr:GetAuthorizationToken")["authorizationData"][0]
    token = base64.b64decode(data["authorizationToken"]).decode()
    scheme, _, registry = str(data["proxyEndpoint"]).partition("://")
    return RegistryAccess(registry, token.partition(":")[2], scheme == "http")


def _succeeds(command: Sequence[str]) -> bool:
    return _complaint(command) is None


def _complaint(command: Sequence[str]) -> str | None:
    """What a command complains of, on one line; None where it succeeds."""
    try:
        asked = subprocess.run(
            command, capture_output=True, timeout=_ANSWERS_WITHIN, text=True, errors="replace", check=False
        )
    except subprocess.TimeoutExpired:
        return f"no answer within {_ANSWERS_WITHIN:.0f} seconds"
    except OSError as error:
        return str(error.strerror)
    return " ".join(asked.stderr.split()) if asked.returncode else None


def _known_step(name: str, said: str) -> str:
    """The next step after an engine's complaint; empty where it is not known."""
    steps = (step for words, step in _NEXT_STEPS if words.search(said))
    return next(steps, "").format(name=name)


def _missing(names: Sequence[str], silent: Mapping[str, str]) -> str:
    return ", ".join(
        f"{name} is installed but does not answer" if name in silent else f"{name} is not installed"
        for name in names
    )
