"""A project in a folder of its own, and ``inv`` run in it as a process."""

from __future__ import annotations

import json
import os
import pty
import re
import select
import signal
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from fcntl import ioctl
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Any

from tests import forked
from tests.embedded_process import PATIENCE, EmbeddedProcess, control

INV = Path(sys.executable).with_name("inv")
TASKS = "from lobster_tasks import namespace\n\nns = namespace()\n"
APP = Path(__file__).parent / "embedded" / "web_app.py"
DOCKERFILE = """\
FROM python:3.13-slim
WORKDIR /app
COPY web_app.py ./
ARG RELEASE=dev
ENV VERSION=${RELEASE}
EXPOSE 8501
CMD ["python", "web_app.py"]
"""
_ANSI = re.compile(r"\x1b\[[0-?]*[ -/]*[@-~]")


@dataclass(frozen=True)
class Ended:
    """The result of a command."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> dict[str, Any]:
        """stdout, which must be one JSON object and nothing else."""
        found: dict[str, Any] = json.loads(self.out)
        assert isinstance(found, dict)
        return found

    def check(self, code: int = 0) -> Ended:
        """The result itself, after checking its exit code."""
        assert self.code == code, f"exit {self.code}\n{self.out}\n{self.err}"
        return self

    @property
    def said(self) -> str:
        """Both streams as one text."""
        return self.out + self.err


@dataclass
class Project:
    """A project's folder and the environment that its commands run in.

    ``as_people_do``: each command is a new interpreter, also one that could be forked.
    """

    folder: Path
    environment: dict[str, str] = field(default_factory=dict)
    as_people_do: bool = False

    def write(self, name: str, text: str) -> Path:
        """Put a file into the folder."""
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        return path

    def settings(self, yaml: str) -> None:
        """Write the lines below ``lobster:`` to invoke.yaml."""
        body = "".join(f"  {line}\n" for line in yaml.strip("\n").splitlines())
        self.write("invoke.yaml", f"lobster:\n{body}")

    def inv(
        self, *arguments: str, within: float = PATIENCE, folder: Path | None = None, **environment: str
    ) -> Ended:
        """Run ``inv`` without a terminal: forked, except with variables for the interpreter itself."""
        words, cwd, env = [str(INV), *arguments], folder or self.folder, {**self.environment, **environment}
        new = self.as_people_do or any(name.startswith("PYTHON") for name in environment)
        return (in_a_new_process if new else _forked)(words, cwd, env, within)

    def start(self, *arguments: str, **environment: str) -> AbstractContextManager[subprocess.Popen[str]]:
        """Run ``inv`` in the background, in a process group of its own, for the duration of the block."""
        return heard([str(INV), *arguments], self.folder, {**self.environment, **environment})

    def on_terminal(
        self,
        *arguments: str,
        answers: str = "",
        columns: int = 100,
        within: float = PATIENCE,
        **environment: str,
    ) -> Ended:
        """Run ``inv`` on a terminal of this width and type ``answers``; ``out`` contains both streams."""
        master, slave = pty.openpty()
        ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 40, columns, 0, 0))
        env = {**self.environment, "TERM": "xterm-256color", **environment}
        words, streams = [str(INV), *arguments], {"stdin": slave, "stdout": slave, "stderr": slave}
        with subprocess.Popen(words, cwd=self.folder, env=env, process_group=0, **streams) as process:
            os.close(slave)
            os.write(master, answers.encode())
            try:
                shown = _read(master, within)
                return Ended(process.wait(within), shown.replace("\r\n", "\n"), "")
            finally:
                process.kill()
                os.close(master)


@contextmanager
def heard(
    words: Sequence[str], folder: Path, environment: Mapping[str, str]
) -> Iterator[subprocess.Popen[str]]:
    """Run a command in the background, in a process group of its own, with both streams captured."""
    with subprocess.Popen(
        words,
        cwd=folder,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        process_group=0,
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def in_a_new_process(
    words: Sequence[str], folder: Path, environment: Mapping[str, str], within: float = PATIENCE
) -> Ended:
    """Run any command without a terminal."""
    done = subprocess.run(
        words,
        cwd=folder,
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=within,
        check=False,
    )
    return Ended(done.returncode, done.stdout, done.stderr)


def _forked(words: Sequence[str], folder: Path, environment: Mapping[str, str], within: float) -> Ended:
    with NamedTemporaryFile("r", encoding="utf-8") as out, NamedTemporaryFile("r", encoding="utf-8") as err:
        process = forked.start(_inv, words, folder, environment, out.name, err.name)
        code = forked.code_of(process, within)
        process.kill()
        ended = Ended(-1 if code is None else code, out.read(), err.read())
        assert code is not None, f"{words} is still running after {within} s\n{ended.said}"
        return ended


def _inv(words: Sequence[str], *where: Any) -> None:
    from invoke.main import program

    forked.become(*where)
    sys.argv = list(words)
    for name in [name for name in sys.modules if re.fullmatch(r"lobster_tasks(\.(tasks|cli).*)?", name)]:
        del sys.modules[name]  # they remember the folder in which they were imported
    program.run()


def _read(terminal: int, within: float) -> str:
    """The output until the program closes the terminal."""
    deadline, shown = time.monotonic() + within, b""
    while time.monotonic() < deadline:
        if not select.select([terminal], [], [], 0.2)[0]:
            continue
        try:
            more = os.read(terminal, 65536)
        except OSError:  # EIO: the other end is closed
            return shown.decode()
        if not more:
            return shown.decode()
        shown += more
    raise AssertionError(f"still running after {within} s; it has shown:\n{shown.decode()}")


def interrupt(process: subprocess.Popen[str]) -> Ended:
    """Send Ctrl-C as a terminal does, to the whole process group; returns the result."""
    os.killpg(process.pid, signal.SIGINT)
    return rest_of(process)


def rest_of(process: subprocess.Popen[str]) -> Ended:
    """The result of a process, with the output that has not been read yet."""
    err, out = process.stderr.read(), process.stdout.read()
    return Ended(process.wait(60), out, err)


def plain(text: str) -> str:
    """Text without colours and cursor movements."""
    return _ANSI.sub("", text)


def make(folder: Path, endpoint: str | None, files: Mapping[str, str] | None = None) -> Project:
    """A project with tasks.py, Dockerfile.streamlit and the test app; ``endpoint`` is its commands' AWS.

    The default quarter of an hour of AWS's time is 9 s or less there, too little for a release on a busy machine.
    """
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(folder / "home"),
        "LANG": "C.UTF-8",
        "AWS_EC2_METADATA_DISABLED": "true",
    }
    if endpoint:
        environment |= {
            "AWS_ENDPOINT_URL": endpoint,
            "AWS_ACCESS_KEY_ID": "AKIAEXAMPLE",
            "AWS_SECRET_ACCESS_KEY": "example",
            "INVOKE_LOBSTER_DEPLOYMENT_WAIT_MINUTES": "300",
        }
    project = Project(folder, environment)
    standard = {"tasks.py": TASKS, "Dockerfile.streamlit": DOCKERFILE, "web_app.py": APP.read_text()}
    for name, text in {**standard, **(files or {})}.items():
        project.write(name, text)
    (folder / "home").mkdir(exist_ok=True)
    return project


def calls(embedded: EmbeddedProcess) -> Sequence[str]:
    """The recorded operations that may change the account."""

    served = control.get(f"{embedded.url}/_embedded/calls", timeout=PATIENCE).json()
    return [call["operation"] for call in served if call["mutating"]]


def forget_calls(embedded: EmbeddedProcess) -> None:
    """Discard the recorded calls."""

    control.delete(f"{embedded.url}/_embedded/calls", timeout=PATIENCE).raise_for_status()
