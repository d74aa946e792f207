"""Real container engines for tests: docker with a daemon of the tests' own, and podman with a storage of its own.

Nothing of the machine's own engines is used where the tests can start theirs: dockerd by root (``keeper``), podman by
anybody. Elsewhere a docker that answers is used as it is. What tests make in an engine has the label ``LABEL``.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from tests.embedded_process import PATIENCE
from tests.engines import keeper

LABEL = "lobster.tests"
"""Every image, container, network and volume that a test makes has this label."""

CONTAINERS_CONF = """\
[containers]
default_ulimits = ["nofile=20000:20000", "nproc=1000:1000"]

[engine]
cgroup_manager = "cgroupfs"
events_logger = "file"
runtime = "runc"
tmp_dir = "{short}/tmp"
"""
STORAGE_CONF = """\
[storage]
driver = "vfs"
graphroot = "{folder}/storage"
runroot = "{short}/run"
"""
OURS, FOLDER = "embedded-aws", "embedded-aws.folder"
"""Labels of what an embedded AWS makes: which one, and the folder with its files."""
BUSYBOX = ("/bin/busybox", "/usr/bin/busybox")


class NoEngineError(Exception):
    """This machine has no such engine; the text says what is missing."""


@dataclass(frozen=True)
class _Kind:
    """A kind of what an engine has: what lists it, what inspects it, and where its labels are then."""

    listing: tuple[str, ...]
    inspection: tuple[str, ...]
    labels: str


_KINDS = (
    _Kind(("ps", "-a"), ("container", "inspect"), ".Config.Labels"),
    _Kind(("volume", "ls"), ("volume", "inspect"), ".Labels"),
    _Kind(("network", "ls"), ("network", "inspect"), ".Labels"),
    _Kind(("images",), ("image", "inspect"), ".Config.Labels"),
)


@dataclass(frozen=True)
class ContainerEngine:
    """An engine that answers: its name, its program, and the variables by which the program finds its storage.

    The variables have a TMPDIR too, by which what an embedded AWS has made for these tests can be told (``made``).
    """

    name: str
    program: str
    folder: Path
    environment: Mapping[str, str] = field(default_factory=dict)

    def run(self, *words: str, data: str | None = None, code: int | None = 0) -> str:
        """What a command says on both streams; AssertionError with it for another exit code, unless that is None."""
        env = {**os.environ, **self.environment}
        done = subprocess.run(
            [self.program, *words],
            input=data,
            env=env,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=PATIENCE,
            check=False,
        )
        assert code in (None, done.returncode), f"{' '.join(words)}: exit {done.returncode}\n{done.stdout}"
        return done.stdout

    def build(self, reference: str, dockerfile: str, files: Mapping[str, str | bytes] | None = None) -> None:
        """Build an image of a Dockerfile's text and the files beside it, which may be ``busybox``."""
        folder = self.folder / "context"
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        for name, content in {"Dockerfile": dockerfile, **(files or {})}.items():
            (folder / name).write_bytes(content.encode() if isinstance(content, str) else content)
            (folder / name).chmod(0o755)
        self.run("build", "--label", f"{LABEL}={os.getpid()}", "-t", reference, str(folder))

    def digest_of(self, reference: str) -> str:
        """The digest under which the engine pulled or pushed an image."""
        told = json.loads(self.run("image", "inspect", reference))[0]["RepoDigests"]
        return str(told[0]).rpartition("@")[2]

    def labelled(self, label: str) -> list[str]:
        """The containers, volumes, networks and images that have a label."""
        return [name for kind in _KINDS for name in self._listed(kind, label)]

    def made(self, label: str = OURS) -> list[str]:
        """The containers, volumes, networks and images with a label that embedded AWSes of this process have made.

        All test processes share an engine; the label ``FOLDER`` says where an embedded AWS has its files.
        """
        return [
            name
            for kind in _KINDS
            for name in self._listed(kind, label)
            if self._folder_of(kind, name).is_relative_to(self.environment["TMPDIR"])
        ]

    def _listed(self, kind: _Kind, label: str) -> list[str]:
        return self.run(*kind.listing, "--quiet", "--filter", f"label={label}").split()

    def _folder_of(self, kind: _Kind, name: str) -> Path:
        """The label ``FOLDER``; empty where somebody has removed the thing meanwhile."""
        template = f'{{{{index {kind.labels} "{FOLDER}"}}}}'
        told = self.run(*kind.inspection, "--format", template, name, code=None)
        return Path(told.strip())

    def remove_own(self) -> None:
        """Remove the containers and images that this process's tests have made."""
        mine = f"label={LABEL}={os.getpid()}"
        for kind, listing in (("rm", ("ps", "-a")), ("rmi", ("images",))):
            found = self.run(*listing, "--quiet", "--no-trunc", "--filter", mine).split()
            if found:
                self.run(kind, "--force", *dict.fromkeys(found), code=None)


def busybox() -> bytes:
    """A static busybox, for images without a base; NoEngineError without one."""
    found = next(filter(_is_static, map(Path, BUSYBOX)), None)
    if found is None:
        raise NoEngineError("no static busybox (Debian: apt-get install busybox-static)")
    return found.read_bytes()


@contextmanager
def docker(folder: Path) -> Iterator[ContainerEngine]:
    """Docker: with a daemon that all test processes of this machine share, or the one that answers; NoEngineError."""
    program = shutil.which("docker")
    if program is None:
        raise NoEngineError("no docker (Debian: apt-get install docker.io)")
    with _own_socket() if keeper.can_start() else _any_socket(program) as address:
        configuration = folder / "docker"
        configuration.mkdir()
        env = {"DOCKER_CONFIG": str(configuration), "TMPDIR": _scratch(folder)}
        env |= {"DOCKER_HOST": address} if address else {}
        with _used(ContainerEngine("docker", program, folder, env)) as engine:
            yield engine


@contextmanager
def podman(folder: Path) -> Iterator[ContainerEngine]:
    """Podman, with its storage in a folder; NoEngineError."""
    program = shutil.which("podman")
    if program is None:
        raise NoEngineError("no podman (Debian: apt-get install podman runc)")
    with _short_folder() as short:
        (folder / "auth.json").write_text("{}")
        (folder / "containers.conf").write_text(CONTAINERS_CONF.format(short=short))
        (folder / "storage.conf").write_text(STORAGE_CONF.format(folder=folder, short=short))
        env = {
            "CONTAINERS_CONF": str(folder / "containers.conf"),
            "CONTAINERS_STORAGE_CONF": str(folder / "storage.conf"),
            "REGISTRY_AUTH_FILE": str(folder / "auth.json"),
            "BUILDAH_ISOLATION": "chroot",
            "TMPDIR": _scratch(folder),
        }
        engine = ContainerEngine("podman", program, folder, env)
        if not _answers(program, {**os.environ, **env}, ["info"]):
            raise NoEngineError("podman is installed but does not work here")
        with _used(engine):
            yield engine


def _scratch(folder: Path) -> str:
    made = folder / "scratch"
    made.mkdir()
    return str(made.resolve())


@contextmanager
def _short_folder() -> Iterator[Path]:
    """A folder for what podman runs, with sockets; its path is short wherever the tests have their files.

    Before 5.1, podman takes a configured runroot of more than 50 characters, but refuses it as an argument, with which
    it is called at the end of each container: that end is then noticed late (its issue 22272).
    """
    folder = Path(tempfile.mkdtemp(prefix="lobster-", dir="/tmp"))
    (folder / "tmp").mkdir()
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def _used(engine: ContainerEngine) -> Iterator[ContainerEngine]:
    try:
        yield engine
    finally:
        engine.remove_own()


@contextmanager
def _own_socket() -> Iterator[str]:
    with ExitStack() as running:
        try:
            address = running.enter_context(keeper.socket())
        except keeper.NoDaemonError as error:
            raise NoEngineError(f"dockerd does not start here: {error}") from error
        yield address


@contextmanager
def _any_socket(program: str) -> Iterator[str]:
    if not _answers(program, os.environ, ["version"]):
        raise NoEngineError("docker's daemon does not answer, and only root with dockerd can start one")
    yield ""


def _answers(program: str, environment: Mapping[str, str], words: Sequence[str]) -> bool:
    done = subprocess.run(
        [program, *words], env=environment, capture_output=True, timeout=PATIENCE, check=False
    )
    return done.returncode == 0


def _is_static(path: Path) -> bool:
    return path.is_file() and b"/lib64/ld-linux" not in path.read_bytes()[:4096]
