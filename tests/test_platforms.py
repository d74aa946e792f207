"""The product is imported on macOS and Windows, the embedded AWS on macOS: nothing that only Linux has is in the way.

Sources: the "Availability" notes of docs.python.org/3/library/{os,signal,socket,select}.html, and the modules of
docs.python.org/3/library/unix.html.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.embedded_process import PATIENCE

PROJECT = Path(__file__).parents[1]

# Not on Windows.
UNIX_MODULES = ("fcntl", "grp", "posix_ipc", "pty", "pwd", "readline", "resource", "syslog", "termios", "tty")
UNIX_NAMES = {
    "os": (
        *("chown", "fork", "forkpty", "getegid", "geteuid", "getgid", "getpgid", "getuid", "initgroups"),
        *("killpg", "mkfifo", "nice", "openpty", "posix_spawn", "setgid", "setpgid", "setsid", "setuid"),
        *(
            "uname",
            "wait",
            "wait3",
            "wait4",
            "WNOHANG",
            "O_CLOEXEC",
            "O_DIRECTORY",
            "O_NOFOLLOW",
            "O_NONBLOCK",
        ),
    ),
    "signal": (
        *("SIGALRM", "SIGCHLD", "SIGCONT", "SIGHUP", "SIGKILL", "SIGPIPE", "SIGQUIT", "SIGSTOP", "SIGTSTP"),
        *("SIGUSR1", "SIGUSR2", "SIGWINCH", "alarm", "pthread_sigmask", "setitimer", "sigwait"),
    ),
    "socket": ("AF_UNIX", "SO_REUSEPORT", "socketpair"),
    "select": ("poll",),
}
# Not on macOS either.
LINUX_NAMES = {
    "os": (
        *("eventfd", "memfd_create", "pidfd_open", "pipe2", "posix_fadvise", "posix_fallocate"),
        *("sched_getaffinity", "sched_setaffinity", "setresuid", "splice", "O_PATH", "O_TMPFILE"),
    ),
    "signal": (
        "SIGPWR",
        "SIGRTMAX",
        "SIGRTMIN",
        "SIGSTKFLT",
        "pidfd_send_signal",
        "sigtimedwait",
        "sigwaitinfo",
    ),
    "socket": ("AF_NETLINK", "AF_PACKET", "SO_BINDTODEVICE", "SO_PEERCRED"),
    "select": ("epoll",),
}
# Other people's modules look for what they need on the system that they are on, so they are imported before.
IMPORTED = """
import importlib, pkgutil, sys

def all_of(package):
    found = importlib.import_module(package)
    for each in pkgutil.walk_packages(found.__path__, package + "."):
        if not each.name.endswith("__main__"):
            importlib.import_module(each.name)

package, modules, names = sys.argv[1], sys.argv[2].split(), sys.argv[3].split()
all_of(package)
before = {name for name in sys.modules if name.split(".")[0] == package}
for name in before:
    del sys.modules[name]
for module in modules:
    sys.modules[module] = None
for each in names:
    owner, _, name = each.partition(".")
    vars(importlib.import_module(owner)).pop(name, None)
all_of(package)
print(len(before), sum(name.split(".")[0] == package for name in sys.modules))
"""


@pytest.mark.parametrize(
    ("package", "modules", "names"),
    [
        pytest.param("lobster_tasks", UNIX_MODULES, (UNIX_NAMES, LINUX_NAMES), id="the product on Windows"),
        pytest.param("embedded_aws", (), (LINUX_NAMES,), id="the embedded AWS on macOS"),
    ],
)
def test_nothing_of_another_system_is_imported(
    package: str, modules: tuple[str, ...], names: tuple[dict[str, tuple[str, ...]], ...]
) -> None:
    hidden = [f"{owner}.{name}" for each in names for owner, found in each.items() for name in found]
    words = [sys.executable, "-c", IMPORTED, package, " ".join(modules), " ".join(hidden)]
    done = subprocess.run(words, capture_output=True, text=True, check=False, timeout=PATIENCE)
    assert done.returncode == 0, done.stderr
    before, after = map(int, done.stdout.split())
    assert after == before > 100


def test_the_dev_container_sets_the_project_up() -> None:
    container = json.loads((PROJECT / ".devcontainer" / "devcontainer.json").read_text())
    script = container["postCreateCommand"].split()[-1]
    assert (PROJECT / script).is_file()
