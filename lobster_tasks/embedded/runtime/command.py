"""What a container runs, made runnable here: program, arguments, environment and working directory."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from .addresses import Network
from .roots import SYSTEM, Root, is_machine_code, machine_path, on_machine

SHIM = Path(__file__).with_name("shim")
DEFAULT_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
LENT = ("LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH")  # this machine's programs may not start without
OWN_URL = re.compile(r"https?://127\.0\.0\.1:(\d+)")


class CannotStart(Exception):  # noqa: N818 (ECS calls it CannotStartContainerError)
    """A container whose program cannot be run.

    The text is what ECS gives as the container's reason; ``exit_code`` is 126 or 127, as docker has it.
    """

    def __init__(self, problem: str, exit_code: int = 127) -> None:
        super().__init__(
            "CannotStartContainerError: ResourceInitializationError: failed to create new container runtime "
            "task: failed to create shim task: OCI runtime create failed: runc create failed: "
            f"unable to start container process: {problem}: unknown"
        )
        self.exit_code = exit_code


@dataclass(frozen=True)
class Launch:
    """A process to be: ``name`` as it was asked for, ``program`` the file; argument 0 is the first."""

    name: str
    root: Root
    program: Path
    arguments: tuple[str, ...]
    environment: Mapping[str, str]
    folder: Path


def prepare(
    root: Root,
    network: Network,
    command: Sequence[str],
    environment: Mapping[str, str],
    working_directory: str,
) -> Launch:
    """The launch of ``command`` in a container. Raises CannotStart."""
    if not command:
        raise CannotStart("no command specified")
    folder = root.host_path(working_directory)
    if not folder.is_dir():
        raise CannotStart(f"mkdir {working_directory}: not a directory", 126)
    composed = compose_environment(root, network, environment)
    program = _find(root, command[0], folder, composed["PATH"])
    arguments = [root.translated(each) for each in command[1:]]
    if not _is_python(program):
        arguments = [each.replace("0.0.0.0", network.address) for each in arguments]
    return Launch(
        command[0], root, program, (_argument0(root, program, command[0]), *arguments), composed, folder
    )


def compose_environment(root: Root, network: Network, given: Mapping[str, str]) -> dict[str, str]:
    """What the container's processes see: ``given``, translated, and what running here needs.

    Nothing else of this machine's environment is passed on.
    """
    home = root.host_path("root")
    environment = {"HOME": str(home), "LANG": "C.UTF-8", "PYTHONDONTWRITEBYTECODE": "1"}
    environment |= {name: root.translated_list(value) for name, value in given.items() if name != "PATH"}
    environment |= {name: os.environ[name] for name in LENT if name in os.environ and name not in given}
    environment["TMPDIR"] = str(root.host_path("tmp"))
    environment["PATH"] = _search_path(root, given.get("PATH", DEFAULT_PATH))
    environment["PYTHONPATH"] = os.pathsep.join(filter(None, [str(SHIM), environment.get("PYTHONPATH")]))
    ours = (value for name, value in given.items() if name.startswith(("AWS_", "ECS_")))
    ports = sorted({port for value in ours for port in OWN_URL.findall(value)})
    environment["EMBEDDED_AWS_NETWORK"] = ",".join(
        [network.address, network.localhost, network.localhost6, *ports]
    )
    return environment


def _search_path(root: Root, image_path: str) -> str:
    """The image's folders, with this machine's before the system folders of an image that has a system."""
    inside = [each for each in image_path.split(":") if each.startswith("/") and each.strip("/")]
    system = [each for each in inside if each.split("/")[1] in SYSTEM]
    own = [each for each in inside if each not in system]
    machine = machine_path()
    has_system = root.host_path("/usr/bin/env").exists()
    order = [
        *_hosted(root, own),
        machine[0],
        *([] if has_system else _hosted(root, system)),
        *machine[1:],
        *(_hosted(root, system) if has_system else []),
    ]
    return os.pathsep.join(dict.fromkeys(order))


def _hosted(root: Root, folders: Sequence[str]) -> list[str]:
    return [str(root.host_path(each)) for each in folders if root.host_path(each).is_dir()]


def _find(root: Root, name: str, folder: Path, search_path: str) -> Path:
    if "/" not in name:
        return _search(name, search_path)
    if not name.startswith("/"):
        return _checked(name, folder / name)
    inside = root.host_path(name)
    here = on_machine(inside.name) if inside.parent.name in ("bin", "sbin") else None
    if here is not None and (not inside.exists() or is_machine_code(inside)):
        return here
    return _checked(name, inside)


def _search(name: str, search_path: str) -> Path:
    if re.fullmatch(r"python[\d.]*", name) and (python := on_machine(name)):
        return python
    for folder in search_path.split(os.pathsep):
        path = Path(folder, name)
        if path.is_file() and os.access(path, os.X_OK):
            return path
    raise CannotStart(f'exec: "{name}": executable file not found in $PATH')


def _checked(name: str, path: Path) -> Path:
    if not path.exists():
        raise CannotStart(f'exec: "{name}": stat {name}: no such file or directory')
    if path.is_dir():
        raise CannotStart(f'exec: "{name}": is a directory', 126)
    if not os.access(path, os.X_OK):
        raise CannotStart(f'exec: "{name}": permission denied', 126)
    return path


def _argument0(root: Root, program: Path, name: str) -> str:
    """What was written, where that leads somewhere here; Python finds its own library through it."""
    inside = program.is_relative_to(root.path) and "/" in name
    return str(program) if inside or _is_python(program) else name


def _is_python(program: Path) -> bool:
    """Whether the shim looks after this program's addresses: Python, or a script for it."""
    if program.name.startswith("python"):
        return True
    try:
        with program.open("rb") as file:
            first = file.readline(256)
    except OSError:
        return False
    return first.startswith(b"#!") and b"python" in first
