"""Prepares a container's command for this machine: program, arguments, environment and working directory."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from .addresses import TaskAddresses, low_port_shift, real_port
from .interface import CannotStart
from .programs import PYTHON, SHIM, is_python_script, machine_path, on_machine, puts_shim_back, stand_in
from .roots import SYSTEM, Root, is_machine_code

DEFAULT_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
LENT = ("LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH")  # this machine's programs may not start without them
LOCALHOST = re.compile(
    r"(?<![\w.-])(?:(?<=(?P<url>//)))?(?:localhost|127\.0\.0\.1|\[::1\])"
    r"(?:(?P<between>[: ])(?P<port>\d{1,5}))?(?![\w.-])"
)
OWN_URL = re.compile(r"https?://127\.0\.0\.1:(\d+)")


@dataclass(frozen=True)
class ProcessSpec:
    """A process to start: ``name`` as in the command, ``program`` is the file; ``arguments`` begins with argument
    0."""

    name: str
    root: Root
    program: Path
    arguments: tuple[str, ...]
    environment: Mapping[str, str]
    folder: Path


def prepare(
    root: Root,
    network: TaskAddresses,
    command: Sequence[str],
    environment: Mapping[str, str],
    working_directory: str,
    programs: Path,
) -> ProcessSpec:
    """The launch of ``command`` in a container; ``programs`` is the folder of ``write_programs``.

    Raises CannotStart.
    """
    if not command:
        raise CannotStart("no command specified")
    folder = root.host_path(working_directory)
    if not folder.is_dir():
        raise CannotStart(f"mkdir {working_directory}: not a directory", 126)
    composed = compose_environment(root, network, environment, programs)
    program = _find(root, command[0], folder, [Path(each) for each in composed["PATH"].split(os.pathsep)])
    arguments = [root.translated(each) for each in command[1:]]
    if not _is_python(program):
        arguments = [each.replace("0.0.0.0", network.address) for each in arguments]
    return ProcessSpec(
        command[0], root, program, (_argument0(root, program, command[0]), *arguments), composed, folder
    )


def reach_localhost(launch: ProcessSpec, network: TaskAddresses) -> ProcessSpec:
    """Replace ``localhost:port`` in the arguments of a program that is not run with the shim."""
    if _is_python(launch.program):
        return launch

    def reached(found: re.Match[str]) -> str:
        port = int(found["port"] or 80)
        if not found["port"] and not found["url"]:
            return found.group()
        if not found["port"] and real_port(port) == port:
            return network.listening(port)
        return f"{network.listening(port)}{found['between'] or ':'}{real_port(port)}"

    arguments = tuple(LOCALHOST.sub(reached, each) for each in launch.arguments)
    return replace(launch, arguments=arguments)


def compose_environment(
    root: Root, network: TaskAddresses, given: Mapping[str, str], programs: Path
) -> dict[str, str]:
    """The environment of the container's processes: ``given``, translated, and what they need on this machine.

    Nothing else of this machine's environment is passed on.
    """
    home = root.host_path("root")
    environment = {"HOME": str(home), "LANG": "C.UTF-8", "PYTHONDONTWRITEBYTECODE": "1"}
    environment |= {name: root.translated_list(value) for name, value in given.items() if name != "PATH"}
    environment |= {name: os.environ[name] for name in LENT if name in os.environ and name not in given}
    environment["TMPDIR"] = str(root.host_path("tmp"))
    environment["PATH"] = _search_path(root, given.get("PATH", DEFAULT_PATH), programs)
    packages = str(home / ".packages")
    environment["PIP_TARGET"] = packages  # an entry point that installs packages must not change this machine
    path = [str(SHIM), environment.get("PYTHONPATH"), packages]
    environment["PYTHONPATH"] = os.pathsep.join(filter(None, path))
    ours = (value for name, value in given.items() if name.startswith(("AWS_", "ECS_")))
    ports = sorted({port for value in ours for port in OWN_URL.findall(value)})
    environment["EMBEDDED_AWS_NETWORK"] = ",".join(
        [network.address, network.localhost, network.localhost6, str(low_port_shift()), *ports]
    )
    return environment


def _search_path(root: Root, image_path: str, programs: Path) -> str:
    """The image's folders, with this machine's before the system folders of an image with an operating system."""
    inside = [each for each in image_path.split(":") if each.startswith("/") and each.strip("/")]
    system = [each for each in inside if each.split("/")[1] in SYSTEM]
    own = [each for each in inside if each not in system]
    machine = machine_path()
    has_system = root.host_path("/usr/bin/env").exists()
    order = [
        *_hosted(root, own),
        str(programs),
        machine[0],
        *([] if has_system else _hosted(root, system)),
        *machine[1:],
        *(_hosted(root, system) if has_system else []),
    ]
    return os.pathsep.join(dict.fromkeys(order))


def _hosted(root: Root, folders: Sequence[str]) -> list[str]:
    return [str(root.host_path(each)) for each in folders if root.host_path(each).is_dir()]


def _find(root: Root, name: str, folder: Path, search_path: Sequence[Path]) -> Path:
    if "/" not in name:
        return _search(name, search_path)
    if not name.startswith("/"):
        return _checked(name, folder / name)
    inside = root.host_path(name)
    if not inside.exists() or (inside.parent.name in ("bin", "sbin") and is_machine_code(inside)):
        here = stand_in(name) or (name if os.access(name, os.X_OK) and name.split("/")[1] in SYSTEM else None)
        return Path(here) if here else _checked(name, inside)
    return _checked(name, inside)


def _search(name: str, search_path: Sequence[Path]) -> Path:
    """Like execvp, but without the scripts that only restore the shim."""
    if PYTHON.fullmatch(name) and (python := on_machine(name)):
        return python
    for folder in search_path:
        path = folder / name
        if path.is_file() and os.access(path, os.X_OK) and not puts_shim_back(path):
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
    """The name as written, where it exists on this machine; Python finds its library through it."""
    inside = program.is_relative_to(root.path) and "/" in name
    return str(program) if inside or _is_python(program) else name


def _is_python(program: Path) -> bool:
    """Whether the shim replaces this program's addresses."""
    return PYTHON.fullmatch(program.name) is not None or is_python_script(program)
