"""Apps as people pack them, each with a Dockerfile whose RUN lines matter; all answer on port 8501.

The bases are made of this machine's own files, so that nothing is pulled.
"""

from __future__ import annotations

import ensurepip
import os
import shutil
import subprocess
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.engines import LABEL, ContainerEngine, busybox
from tests.engines.machine_image import import_node, import_python

_TOOLS = """\
FROM scratch
COPY busybox /bin/busybox
RUN ["/bin/busybox", "--install", "-s", "/bin"]
ENV PATH=/bin
"""
_ENTRY_POINT = f"""\
{_TOOLS}\
RUN mkdir -p /tmp /etc && chmod 1777 /tmp && echo 'app:x:1234:1234::/:/bin/sh' > /etc/passwd
COPY --chown=1234 start /usr/local/bin/
RUN chmod 755 /usr/local/bin/start
USER app
EXPOSE 8501
ENTRYPOINT ["/usr/local/bin/start"]
CMD ["httpd", "-f", "-p", "8501", "-h", "/tmp/www"]
"""
_START = """\
#!/bin/sh
set -e
mkdir -p /tmp/www/_stcore
echo ok > /tmp/www/_stcore/health
echo "started by $(id -un), process $$, as $*" > /tmp/www/index.html
exec "$@"
"""
_NODE = """\
FROM localhost/machine-node:1
WORKDIR /srv
COPY app.js ./
RUN node -e "require('fs').writeFileSync('built', 'by RUN, with Node ' + process.version)"
EXPOSE 8501
CMD ["node", "app.js"]
"""
_NODE_APP = """\
const page = require('fs').readFileSync('built');
const server = require('http').createServer((_, answer) => answer.end(page)).listen(8501);
process.on('SIGTERM', () => server.close(() => process.exit(0)));
"""
# The program's header says that it is for AArch64, as with a file that was downloaded for another machine.
_FOREIGN = """\
FROM scratch
COPY busybox /bin/busybox
EXPOSE 8501
CMD ["/bin/busybox", "httpd", "-f", "-p", "8501"]
"""
_STREAMLIT = """\
FROM localhost/machine-python:1
WORKDIR /tmp
WORKDIR /app
COPY pip.whl authorities.pem requirements.txt ./
ARG PIP_INDEX_URL PIP_EXTRA_INDEX_URL PIP_TRUSTED_HOST PIP_DEFAULT_TIMEOUT
RUN PIP_CERT=/app/authorities.pem python3 pip.whl/pip install --no-cache-dir -r requirements.txt
COPY app.py ./
EXPOSE 8501
CMD ["python3", "-m", "streamlit", "run", "app.py", "--server.port=8501", "--server.headless=true"]
"""
_STREAMLIT_APP = "import streamlit\nstreamlit.write('hello')\n"
_PACKAGE = """\
FROM localhost/machine-debian:1
RUN apt-get update && apt-get install --yes --no-install-recommends busybox-static && rm -rf /var/lib/apt/lists/*
RUN mkdir -p /www/_stcore && echo ok > /www/_stcore/health && dpkg-query -W busybox-static > /www/index.html
EXPOSE 8501
CMD ["busybox", "httpd", "-f", "-p", "8501", "-h", "/www"]
"""
_DEBIAN = "localhost/machine-debian:1"
_AARCH64 = bytes([0xB7, 0])  # e_machine of an ELF header, at offset 18
_AUTHORITIES = Path("/etc/ssl/certs/ca-certificates.crt")


@dataclass(frozen=True)
class App:
    """An app: its Dockerfile, how the files beside it and its base are made, and what its page has."""

    dockerfile: str
    page: str
    files: Callable[[], Mapping[str, str | bytes]] = dict
    base: Callable[[ContainerEngine], object] = lambda _: None
    arguments: tuple[str, ...] = field(default=())

    def write(self, folder: Path, engine: ContainerEngine) -> None:
        """Put it into a folder, and its base into an engine."""
        self.base(engine)
        for name, content in {"Dockerfile.streamlit": self.dockerfile, **self.files()}.items():
            (folder / name).write_bytes(content.encode() if isinstance(content, str) else content)
            (folder / name).chmod(0o755)
        with (folder / "Dockerfile.streamlit").open("a") as file:
            file.write(f"LABEL {LABEL}={os.getpid()}\n")


def foreign_app() -> App:
    """An app that no container of this machine can run."""
    program = busybox()
    return App(_FOREIGN, "", lambda: {"busybox": program[:18] + _AARCH64 + program[20:]})


def import_debian(engine: ContainerEngine) -> None:
    """An image with Debian's smallest system, from the mirror of this machine; skips a test without debootstrap."""
    if os.getuid() or not shutil.which("debootstrap"):
        pytest.skip("only root makes a system with debootstrap (Debian: apt-get install debootstrap)")
    root = engine.folder / "debian"
    subprocess.run(
        ["debootstrap", "--variant=minbase", "bookworm", str(root)], check=True, capture_output=True
    )
    env = {**os.environ, **engine.environment}
    with subprocess.Popen(["tar", "-C", str(root), "-c", "."], stdout=subprocess.PIPE) as packed:
        command = [engine.program, "import", "--change", f"LABEL {LABEL}={os.getpid()}", "-", _DEBIAN]
        subprocess.run(command, stdin=packed.stdout, env=env, check=True, capture_output=True)
    shutil.rmtree(root)


def _streamlit_files() -> Mapping[str, str | bytes]:
    (pip,) = (Path(ensurepip.__file__).parent / "_bundled").glob("pip-*.whl")
    return {
        "pip.whl": pip.read_bytes(),
        "authorities.pem": _AUTHORITIES.read_bytes(),
        "requirements.txt": "streamlit>=1.40\n",
        "app.py": _STREAMLIT_APP,
    }


def _pips_arguments() -> tuple[str, ...]:
    """The arguments of a build that reaches the index that this machine's pip is told to use."""
    names = ("PIP_INDEX_URL", "PIP_EXTRA_INDEX_URL", "PIP_TRUSTED_HOST", "PIP_DEFAULT_TIMEOUT")
    given = [f"{name}={os.environ[name]}" for name in names if name in os.environ]
    return tuple(word for each in given for word in ("--build-arg", each))


ENTRY_POINT = App(
    _ENTRY_POINT,
    "started by app, process 1, as httpd -f -p 8501",
    lambda: {"busybox": busybox(), "start": _START},
)
NODE = App(_NODE, "by RUN, with Node v", lambda: {"app.js": _NODE_APP}, import_node)
STREAMLIT = App(_STREAMLIT, "<title>Streamlit</title>", _streamlit_files, import_python, _pips_arguments())
PACKAGE = App(_PACKAGE, "busybox-static", base=import_debian)
