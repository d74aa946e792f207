"""Containers as processes: how they start, what they see, how they end."""

from __future__ import annotations

import io
import json
import os
import signal
import subprocess
import sys
import time
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from embedded_aws.runtime.interface import CannotStart
from embedded_aws.runtime.memory import MIB, tree_bytes
from tests.embedded.images import ImageSpec, Script, web_app
from tests.embedded.machine import Machine, runtime
from tests.embedded_process import PATIENCE, eventually

PLAIN = ImageSpec({"/app/text": "content"})


@pytest.fixture(scope="module")
def shared() -> Iterator[Machine]:
    """A runtime that the module shares."""
    with runtime() as made:
        yield made


@pytest.fixture
def machine(shared: Machine) -> Machine:
    """The runtime, empty."""
    shared.plane.reset()
    return shared


def python(text: str, **more: Any) -> ImageSpec:
    """An image that runs a Python program."""
    return ImageSpec({"/app/main.py": text}, ["python", "main.py"], **more)


def wheel(module: str) -> bytes:
    """A wheel of one empty module."""
    about = f"{module}-1.dist-info"
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr(f"{module}.py", "")
        archive.writestr(f"{about}/METADATA", f"Metadata-Version: 2.1\nName: {module}\nVersion: 1\n")
        archive.writestr(f"{about}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        archive.writestr(f"{about}/RECORD", f"{module}.py,,\n{about}/METADATA,,\n{about}/WHEEL,,\n")
    return packed.getvalue()


class TestStart:
    def test_entry_point_and_command(self, machine: Machine) -> None:
        """Docker: the command is what the entry point gets; an overriding entry point makes it void."""
        spec = ImageSpec(command=["from image"], entry_point=["echo", "image"])
        for more, line in (
            ({}, "image from image"),
            ({"command": ["given"]}, "image given"),
            ({"entry_point": ["echo", "other"]}, "other"),
            ({"entry_point": ["echo", "other"], "command": ["given"]}, "other given"),
        ):
            command = more.pop("command", ())
            ran = machine.run(spec, *command, **more)
            assert (ran.exit_code, ran.lines) == (0, [line])

    def test_working_directory(self, machine: Machine) -> None:
        """WORKDIR is where it runs; a task definition's workingDirectory replaces it; it is made if absent."""
        for more in ({}, {"working_directory": "/some/where"}):
            ran = machine.run(PLAIN, "python", "-c", "import os; print(os.getcwd())", **more)
            assert ran.exit_code == 0
            assert ran.lines[0].endswith(more.get("working_directory", "/app"))

    @pytest.mark.parametrize(
        ("command", "problem", "code"),
        [
            (["nope"], 'exec: "nope": executable file not found in $PATH', 127),
            (["/app/nope"], 'exec: "/app/nope": stat /app/nope: no such file or directory', 127),
            (["./nope"], 'exec: "./nope": stat ./nope: no such file or directory', 127),
            (["/app/text"], 'exec: "/app/text": permission denied', 126),
            (["/app"], 'exec: "/app": is a directory', 126),
            (["/opt/venv/bin/nope"], 'exec: "/opt/venv/bin/nope": stat /opt/venv/bin/nope: no such', 127),
        ],
    )
    def test_programs_that_cannot_start(
        self, machine: Machine, command: list[str], problem: str, code: int
    ) -> None:
        """ECS, stopped tasks: ``CannotStartContainerError: … starting container process …: exec: "x": …``."""
        with pytest.raises(CannotStart) as caught:
            machine.run(PLAIN, *command)
        assert str(caught.value).startswith("CannotStartContainerError: ResourceInitializationError: ")
        assert problem in str(caught.value)
        assert caught.value.exit_code == code

    @pytest.mark.parametrize(("script", "code"), [("nope", 127), ("./text", 126), ("exit 7", 7)])
    def test_what_a_shell_cannot_start(self, machine: Machine, script: str, code: int) -> None:
        """Shell form: the container runs, and ends with the shell's own status: 127 not found, 126 not executable."""
        assert machine.run(PLAIN, "/bin/sh", "-c", script).exit_code == code

    def test_no_command(self, machine: Machine) -> None:
        """An image without CMD and ENTRYPOINT needs a command."""
        with pytest.raises(CannotStart, match="no command specified"):
            machine.run(PLAIN)

    @pytest.mark.parametrize(
        ("files", "line"),
        [
            ({"/app/run": Script("#!/bin/bash\r\necho hi\r\n")}, "exec ./run: no such file or directory"),
            ({"/app/run": Script("#!/nowhere/sh\n")}, "exec ./run: no such file or directory"),
            ({"/app/run": Script("echo hi\n")}, "exec ./run: exec format error"),
        ],
    )
    def test_programs_that_cannot_be_loaded(self, machine: Machine, files: Any, line: str) -> None:
        """Docker: such a container starts, says so in its log, and ends with 255; CRLF scripts are the classic."""
        ran = machine.run(ImageSpec(files), "./run")
        assert (ran.exit_code, ran.lines) == (255, [line])

    def test_another_architecture(self, machine: Machine) -> None:
        """ECS: an image for another processor logs ``exec format error`` (a single-platform image is pulled)."""
        ran = machine.run(ImageSpec(command=["python", "-V"], architecture="arm64"))
        assert (ran.exit_code, ran.lines) == (255, ["exec python: exec format error"])
        fitting = ImageSpec(command=["python", "-c", "print(1)"], architecture="arm64")
        assert machine.run(fitting, platform="linux/arm64").exit_code == 0


class TestPrograms:
    @pytest.mark.parametrize(
        "program",
        ["python", "python3", "/usr/local/bin/python", "/opt/venv/bin/python3", "/usr/bin/python3.99"],
    )
    def test_python_is_this_one(self, machine: Machine, program: str) -> None:
        """Whatever Python an image would have, it is the one that runs the embedded AWS, with its packages."""
        ran = machine.run(PLAIN, program, "-c", "import sys, psutil; print(sys.executable)")
        assert (ran.exit_code, ran.lines) == (0, [sys.executable])

    def test_console_scripts(self, machine: Machine) -> None:
        """Console scripts are found beside that Python, by name and by a path that an image would have."""
        for program in ("uvicorn", "/usr/local/bin/uvicorn", "/app/.venv/bin/uvicorn"):
            ran = machine.run(PLAIN, program, "--version")
            assert ran.exit_code == 0, ran.lines
            assert "Running uvicorn" in ran.lines[0]

    def test_image_before_machine(self, machine: Machine) -> None:
        """A program is looked up in the image's PATH first."""
        spec = ImageSpec(
            {
                "/app/bin/ls": Script("#!/bin/sh\necho own\n"),
                "/usr/local/bin/start": Script("#!/bin/sh\nls\n"),
            },
            environment={"PATH": "/app/bin:/usr/local/bin:/usr/bin:/bin"},
        )
        for command in (["ls"], ["start"], ["sh", "-c", "ls"], ["/app/bin/ls"], ["/usr/local/bin/start"]):
            ran = machine.run(spec, *command)
            assert (ran.exit_code, ran.lines) == (0, ["own"])

    def test_entry_point_scripts(self, machine: Machine) -> None:
        """An entry point that names the image's paths, prepares, and hands over with exec "$@"."""
        script = """\
            #!/bin/bash
            set -euo pipefail
            . /opt/venv/bin/activate
            export PYTHONPATH=/app/src
            cd /app
            echo "$GREETING" > /app/data/out.txt
            exec "$@"
            """
        program = "import sys, mod; print(open('data/out.txt').read().strip(), *sys.argv[1:], mod.NAME)"
        spec = ImageSpec(
            {
                "/usr/local/bin/docker-entrypoint.sh": Script("\n".join(map(str.strip, script.splitlines()))),
                "/app/main.py": program,
                "/app/src/mod.py": "NAME = 'mod'",
                "/app/data/.keep": "",
            },
            ["python", "/app/main.py", "x"],
            ["docker-entrypoint.sh"],
            {"GREETING": "hello"},
            working_directory="/",
        )
        ran = machine.run(spec)
        assert (ran.exit_code, ran.lines) == (0, ["hello x mod"])

    def test_shell_form(self, machine: Machine) -> None:
        """Shell form with the image's paths and variables; what only looks like a path stays."""
        text = "cd /app && exec /usr/local/bin/python /app/main.py --text=/app/text $PORT http://x/app"
        program = "import sys; print(open(sys.argv[1].partition('=')[2]).read(), *sys.argv[2:])"
        spec = ImageSpec(
            {"/app/main.py": program, "/app/text": "content"},
            ["/bin/sh", "-c", text],
            environment={"PORT": "8501"},
            working_directory="/",
        )
        ran = machine.run(spec)
        assert (ran.exit_code, ran.lines) == (0, ["content 8501 http://x/app"])

    @pytest.mark.parametrize(
        "shebang", ["#!/usr/bin/env python3", "#!/usr/local/bin/python", "#!/opt/v/bin/python"]
    )
    def test_python_scripts(self, machine: Machine, shebang: str) -> None:
        """A script's first line names a Python that an image would have."""
        spec = ImageSpec({"/app/run": Script(f"{shebang}\nimport sys\nprint(sys.executable)\n")})
        ran = machine.run(spec, "./run")
        assert (ran.exit_code, ran.lines) == (0, [sys.executable])

    @pytest.mark.parametrize(
        "command",
        [
            ["uv", "run", "--frozen", "--no-dev", "main.py", "x"],
            ["uv", "run", "--with", "rich", "python", "main.py", "x"],
            ["poetry", "run", "python", "-m", "main", "x"],
            ["sh", "-c", "uv run -- python3.9 main.py x"],
            ["/root/.local/bin/uv", "run", "-m", "main", "x"],
        ],
    )
    def test_runners(self, machine: Machine, command: list[str]) -> None:
        """``uv run`` and its like run what follows: the dependencies are installed around it already."""
        ran = machine.run(python("import sys; print(*sys.argv[1:])"), *command)
        assert (ran.exit_code, ran.lines) == (0, ["x"])


class TestEnvironment:
    def seen(self, machine: Machine, **environment: str) -> dict[str, str]:
        """What a program sees."""
        spec = ImageSpec(
            {"/app/bin/x": Script("#!/bin/sh\n"), "/app/conf/a.toml": ""},
            ["python", "-c", "import os, json; print(json.dumps(dict(os.environ)))"],
            environment={"FROM_IMAGE": "1", "BOTH": "image"},
        )
        ran = machine.run(spec, environment=environment)
        assert ran.exit_code == 0
        return dict(json.loads(ran.lines[0]))

    def test_given_over_image(self, machine: Machine) -> None:
        """ECS: the task definition's environment overrides the image's."""
        seen = self.seen(machine, BOTH="given", EMPTY="", LINES="a\nb=c")
        assert (seen["FROM_IMAGE"], seen["BOTH"]) == ("1", "given")
        assert (seen["EMPTY"], seen["LINES"]) == ("", "a\nb=c")

    def test_nothing_leaks(self, machine: Machine, machines_secret: None) -> None:
        """Only what is needed to run here comes from this machine."""
        known = {
            "FROM_IMAGE",
            "BOTH",
            "PATH",
            "HOME",
            "LANG",
            "TMPDIR",
            "PYTHONPATH",
            "PYTHONDONTWRITEBYTECODE",
            "PIP_TARGET",
        }
        assert set(self.seen(machine)) - known <= {"EMBEDDED_AWS_NETWORK", "LC_CTYPE", "LD_LIBRARY_PATH"}

    def test_paths_of_the_image(self, machine: Machine) -> None:
        """Values that are paths of the image, or lists of them, lead into the root; others stay."""
        seen = self.seen(
            machine,
            CONF="/app/conf/a.toml",
            LIST="/app/conf:/absent",
            BASE="/",
            URL="http://h/app/conf",
            T="x/app",
        )
        assert Path(seen["CONF"]).parts[-3:] == ("app", "conf", "a.toml")
        assert seen["CONF"].startswith(seen["HOME"].removesuffix("/root"))
        assert seen["LIST"] == f"{Path(seen['CONF']).parent}:/absent"
        assert (seen["BASE"], seen["URL"], seen["T"]) == ("/", "http://h/app/conf", "x/app")

    def test_home_and_temporary_files_are_private(self, machine: Machine) -> None:
        """HOME and TMPDIR are the container's own."""
        one, two = self.seen(machine), self.seen(machine)
        for name in ("HOME", "TMPDIR"):
            assert one[name] != two[name]
            assert one[name].startswith(str(machine.images.folder))

    def test_python_modules_of_the_image(self, machine: Machine) -> None:
        """ENV PYTHONPATH works, and the shim's folder does not show in sys.path."""
        spec = ImageSpec(
            {"/app/src/mod.py": "NAME = 'mod'"},
            ["python", "-c", "import mod, sys; print(mod.NAME, [p for p in sys.path if 'shim' in p])"],
            environment={"PYTHONPATH": "/app/src"},
        )
        ran = machine.run(spec)
        assert (ran.exit_code, ran.lines) == (0, ["mod []"])

    def test_what_pip_installs_stays_inside(self, machine: Machine) -> None:
        """An entry point that installs packages gives them to its container, not to this machine."""
        pytest.importorskip("pip")
        spec = ImageSpec({"/app/mod_of_mine-1-py3-none-any.whl": wheel("mod_of_mine")})
        install = "pip install -q --no-index ./*.whl && cd / && python -c 'import mod_of_mine as m; print(m.__file__)'"
        ran = machine.run(spec, "sh", "-c", install)
        assert ran.exit_code == 0, ran.lines
        assert ran.lines[-1].startswith(str(machine.images.folder))

    def test_own_sitecustomize(self, machine: Machine) -> None:
        """A sitecustomize of the image is still loaded."""
        spec = ImageSpec(
            {"/app/src/sitecustomize.py": "import builtins; builtins.OWN = 'loaded'"},
            ["python", "-c", "print(OWN)"],
            environment={"PYTHONPATH": "/app/src"},
        )
        ran = machine.run(spec)
        assert (ran.exit_code, ran.lines) == (0, ["loaded"])


@pytest.fixture
def machines_secret() -> Iterator[None]:
    """A variable in this process that must not show in containers."""
    os.environ["MACHINES_SECRET"] = "x"
    yield
    del os.environ["MACHINES_SECRET"]


class TestOutput:
    def test_both_streams_by_line(self, machine: Machine) -> None:
        """Standard output and standard error both go to the log, one line at a time; no last line is lost."""
        ran = machine.run(PLAIN, "sh", "-c", "echo out; echo err >&2; printf 'no end'")
        assert ran.exit_code == 0
        assert sorted(ran.lines) == ["err", "no end", "out"]

    def test_promptly(self, machine: Machine) -> None:
        """A line is logged while the program runs."""
        ran = machine.run(PLAIN, "sh", "-c", "echo first; exec sleep 1000")
        ran.wrote("first")
        assert ran.container.poll() is None

    def test_bytes_that_are_no_text(self, machine: Machine) -> None:
        """Undecodable bytes are replaced."""
        ran = machine.run(PLAIN, "printf", "a\\377b\\nä\\n")
        assert (ran.exit_code, ran.lines) == (0, ["a�b", "ä"])

    def test_long_lines(self, machine: Machine) -> None:
        """CloudWatch Logs: an event is at most 256 KiB, so longer lines are split, between characters."""
        ran = machine.run(PLAIN, "python", "-c", "print('x' + 'ä' * 200_000)")
        assert ran.exit_code == 0
        assert [len(line.encode()) <= 256 * 1024 for line in ran.lines] == [True, True]
        assert "".join(ran.lines) == "x" + "ä" * 200_000

    def test_much_output(self, machine: Machine) -> None:
        """All of it arrives, in order, before the end is reported."""
        ran = machine.run(PLAIN, "python", "-c", "for n in range(20000): print(n)")
        assert ran.exit_code == 0
        assert ran.lines == [str(number) for number in range(20000)]


class TestEnd:
    @pytest.mark.parametrize(
        ("program", "code"),
        [
            ("raise SystemExit(3)", 3),
            ("1 / 0", 1),
            ("import os, signal; os.kill(os.getpid(), signal.SIGKILL)", 137),
            ("import os; os.abort()", 134),
        ],
    )
    def test_exit_codes(self, machine: Machine, program: str, code: int) -> None:
        """Docker: the status of the main process, 128 + n when signal n ended it."""
        assert machine.run(PLAIN, "python", "-c", program).exit_code == code

    def test_a_handler_is_run(self, machine: Machine) -> None:
        """ECS StopTask sends SIGTERM: a program that handles it ends as it likes."""
        ran = machine.run(web_app())
        assert ran.get() == "web_app"
        ran.container.terminate()
        assert ran.exit_code == 0
        assert ran.lines[-1] == "SIGTERM"

    @pytest.mark.parametrize(
        "command",
        [["sleep", "1000"], ["sh", "-c", "sleep 1000 & wait"], ["sh", "-c", "sleep 1000; echo late"]],
    )
    def test_pid_1_without_a_handler_ignores_sigterm(self, machine: Machine, command: list[str]) -> None:
        """pid_namespaces(7): PID 1 gets only signals that it handles; so a shell needs exec, or SIGKILL: 137."""
        ran = machine.run(PLAIN, *command)
        ran.container.terminate()
        assert ran.container.wait(timeout=0.3) is None
        ran.container.kill()
        assert ran.exit_code == 137

    def test_a_signal_that_is_held_back_for_a_moment_is_not_waited_for(self, machine: Machine) -> None:
        """A shell holds signals back while it forks; on a busy machine that may take its time."""
        text = (
            "import signal, time\nsignal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTERM])\n"
            "print('busy', flush=True)\n"
            "end = time.monotonic() + 0.3\nwhile time.monotonic() < end: pass\n"
            "signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGTERM])\nprint('free', flush=True)\ntime.sleep(1000)"
        )
        ran = machine.run(python(text))
        ran.wrote("busy")
        ran.container.terminate()
        ran.wrote("free")
        ran.container.kill()
        assert ran.exit_code == 137

    @pytest.mark.parametrize(
        "wait",
        [
            "signal.sigwait([signal.SIGTERM])",
            "while not signal.sigpending(): time.sleep(0.02)",
        ],
    )
    def test_a_signal_that_is_held_back_for_good_arrives(self, machine: Machine, wait: str) -> None:
        """sigwait(3), and signalfd(2), take a signal that is blocked; tini as PID 1 does."""
        text = (
            "import signal, sys, time\nsignal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTERM])\n"
            f"print('ready', flush=True)\n{wait}\nsys.exit(7)"
        )
        ran = machine.run(python(text))
        ran.wrote("ready")
        ran.container.terminate()
        assert ran.exit_code == 7

    def test_below_an_init_process_it_is_ended(self, machine: Machine) -> None:
        """initProcessEnabled: the program is not PID 1, so SIGTERM ends it: 143."""
        ran = machine.run(PLAIN, "sleep", "1000", init=True)
        ran.container.terminate()
        assert ran.exit_code == 143

    def test_stop_signal(self, machine: Machine) -> None:
        """ECS: the image's STOPSIGNAL is sent instead of SIGTERM."""
        text = (
            "import signal, sys, time\n"
            "signal.signal(signal.SIGUSR1, lambda *_: sys.exit(9))\nprint('ready', flush=True)\ntime.sleep(1000)"
        )
        ran = machine.run(python(text, stop_signal="SIGUSR1"))
        ran.wrote("ready")
        ran.container.terminate()
        assert ran.exit_code == 9

    def test_children_do_not_get_sigterm(self, machine: Machine) -> None:
        """Docker stop signals the main process only."""
        child = "trap 'echo child got it' TERM; echo up; while :; do sleep 0.05; done"
        ran = machine.run(PLAIN, "sh", "-c", f"({child}) & trap 'exit 5' TERM; wait")
        ran.wrote("up")
        ran.container.terminate()
        assert ran.exit_code == 5
        assert "child got it" not in ran.lines

    def test_nothing_outlives_the_main_process(self, machine: Machine) -> None:
        """pid_namespaces(7): when PID 1 ends the kernel ends every other process, daemons too."""
        script = "sleep 4321 & setsid sleep 4321 & (setsid sleep 4321 &) ; nohup setsid sleep 4321 & exit 3"
        ran = machine.run(PLAIN, "sh", "-c", script)
        assert ran.exit_code == 3
        assert [p for p in psutil.process_iter(["cmdline"]) if p.info["cmdline"] == ["sleep", "4321"]] == []

    def test_kill_takes_everything(self, machine: Machine) -> None:
        """SIGKILL ends the whole container."""
        ran = machine.run(PLAIN, "sh", "-c", "setsid sleep 5432 & echo up; sleep 5432")
        ran.wrote("up")
        ran.container.kill()
        assert ran.exit_code == 137
        assert [p for p in psutil.process_iter(["cmdline"]) if p.info["cmdline"] == ["sleep", "5432"]] == []

    def test_closed_output_is_not_the_end(self, machine: Machine) -> None:
        """A program that closes its output still runs."""
        ran = machine.run(PLAIN, "sh", "-c", "exec >&- 2>&-; exec sleep 1000")
        assert ran.container.wait(timeout=0.3) is None

    def test_reset_ends_all(self, machine: Machine) -> None:
        """Emptying the embedded AWS ends every container before it returns."""
        ran = [machine.run(PLAIN, "sleep", "6543") for _ in range(3)]
        machine.plane.reset()
        assert [psutil.pid_exists(each.container.pid) for each in ran] == [False] * 3


def resident_mib(pid: int) -> float:
    """The resident memory of a process and all its children, in MiB."""
    return tree_bytes([pid])[pid] / MIB


class TestMemory:
    def test_above_the_limit(self, machine: Machine) -> None:
        """ECS: OutOfMemoryError: the container is killed, exit code 137."""
        ran = machine.run(web_app(EAT_MIB="200"), memory_limit_mib=128)
        assert ran.exit_code == 137
        assert ran.container.out_of_memory

    def test_below_the_limit(self, machine: Machine) -> None:
        """What stays below runs on."""
        ran = machine.run(web_app(EAT_MIB="30"), memory_limit_mib=128)
        ran.get()
        assert 30 < resident_mib(ran.container.supervisor_pid) < 128
        assert ran.container.poll() is None
        assert not ran.container.out_of_memory

    def test_children_count(self, machine: Machine) -> None:
        """The limit is for all processes of the container together."""
        eat = "import time; x = bytearray(b'x') * (80 << 20); time.sleep(1000)"
        ran = machine.run(
            PLAIN, "sh", "-c", f'python -c "{eat}" & python -c "{eat}" & wait', memory_limit_mib=128
        )
        assert ran.exit_code == 137
        assert ran.container.out_of_memory

    def test_shared_pages_count_once(self, machine: Machine) -> None:
        """A forked server's workers share memory, which a control group counts once."""
        fork = (
            "import os, time\nx = bytearray(b'x') * (60 << 20)\n"
            "for _ in range(3):\n    if os.fork() == 0: break\nprint('up', flush=True)\ntime.sleep(1000)"
        )
        ran = machine.run(python(fork), memory_limit_mib=128)
        eventually(lambda: ran.lines.count("up") >= 4)
        assert resident_mib(ran.container.supervisor_pid) > 128
        assert ran.container.wait(timeout=0.7) is None


@pytest.mark.skipif(not Path("/proc/self/schedstat").exists(), reason="the kernel does not tell who waits")
class TestBusyMachine:
    """A program that the machine does not let run has not failed to start."""

    def test_waiting_for_a_processor_does_not_count(self, machine: Machine) -> None:
        """Four loops on one processor soon have waited longer than the 2 s that the last is over the allowance."""
        loops = (
            "import os\nos.sched_setaffinity(0, {min(os.sched_getaffinity(0))})\n"
            "for _ in range(3):\n    if os.fork() == 0: break\nwhile True: pass"
        )
        ran = machine.run(python(loops))
        eventually(lambda: machine.processes.may_boot(ran.address, 12.0))
        ran.container.kill()

    def test_the_wait_that_goes_on_counts(self, machine: Machine) -> None:
        """Whenever it is looked at: of the time that a loop did not run, the kernel has not counted the latest part."""
        loops = (
            "import os\nos.sched_setaffinity(0, {min(os.sched_getaffinity(0))})\n"
            "for _ in range(30):\n    if os.fork() == 0: break\nelse: print('up', flush=True)\nwhile True: pass"
        )
        ran = machine.run(python(loops))
        eventually(lambda: ran.lines)
        (main,) = psutil.Process(ran.container.supervisor_pid).children()
        for _ in range(50):
            rest = time.time() - main.create_time() - ran.container.longest_wait()
            assert rest < sum(main.cpu_times()[:2]) + 0.1  # each of the three is known to a hundredth
        ran.container.kill()

    def test_a_program_that_waits_for_something_else_is_late(self, machine: Machine) -> None:
        """It sleeps, and so it is not the machine that keeps it."""
        ran = machine.run(python("import time; print('asleep', flush=True); time.sleep(1000)"))
        eventually(lambda: ran.lines)
        assert machine.processes.may_boot(ran.address, 9.9)
        assert not machine.processes.may_boot(ran.address, 3600.0)


class TestExecute:
    def test_in_the_same_place(self, machine: Machine) -> None:
        """Container health checks run inside the container: its files, environment and localhost."""
        ran = machine.run(web_app(VERSION="7"))
        ran.get()
        lines: list[str] = []
        url = "http://localhost:8501/"
        check = f"import os, urllib.request as u; print(u.urlopen('{url}').read().decode(), os.listdir())"
        probe = machine.processes.execute(ran.container, ["python", "-c", check], lines.append)
        assert (probe.wait(timeout=PATIENCE), lines) == (0, ["7 ['web_app.py']"])

    @pytest.mark.parametrize("bind", ["0.0.0.0", "127.0.0.1"])
    def test_other_programs_reach_localhost(self, machine: Machine, bind: str) -> None:
        """A check by curl or wget finds localhost, whichever of the addresses the program listens on."""
        ran = machine.run(web_app(BIND=bind))
        ran.wrote("listening on 8501")
        script = "echo curl http://localhost:8501/x; echo nc 127.0.0.1 8501"
        lines: list[str] = []
        machine.processes.execute(ran.container, ["sh", "-c", script], lines.append).wait(30)
        first, second, third, fourth = ran.address.split(".")
        where = ran.address if bind == "0.0.0.0" else f"{first}.{second}.{int(third) + 128}.{fourth}"
        assert lines == [f"curl http://{where}:8501/x", f"nc {where} 8501"]

    def test_it_ends_with_the_container(self, machine: Machine) -> None:
        """Nothing runs in a container that has ended."""
        ran = machine.run(PLAIN, "sleep", "1000")
        other = machine.processes.execute(ran.container, ["sleep", "1000"])
        ran.container.kill()
        assert other.wait(timeout=PATIENCE) == 137
        with pytest.raises(CannotStart):
            machine.processes.execute(ran.container, ["true"])


class TestOrphans:
    def test_supervisor_killed(self, machine: Machine) -> None:
        """A container whose supervisor was killed is killed too."""
        ran = machine.run(PLAIN, "sleep", "1000")
        os.kill(ran.container.supervisor_pid, signal.SIGKILL)
        assert ran.exit_code == 137
        eventually(lambda: not psutil.pid_exists(ran.container.pid))

    def test_nothing_is_left_on_disk(self, machine: Machine) -> None:
        """What a killed embedded AWS left, the next one removes; what another one uses stays."""
        text = (
            f"import sys; sys.path.insert(0, {str(Path(__file__).parents[2])!r})\n"
            "from tests.embedded.machine import Machine\n"
            "print(Machine().images.folder, flush=True); import time; time.sleep(1000)"
        )
        folders = []
        for _ in range(2):
            with subprocess.Popen([sys.executable, "-c", text], stdout=subprocess.PIPE, text=True) as other:
                assert other.stdout is not None
                folders.append(Path(other.stdout.readline().strip()))
                assert folders[-1].exists()
                other.kill()
        assert not folders[0].exists()
        assert machine.images.folder.exists()

    HOLDER = """
import sys, time
sys.path.insert(0, {root!r})
from tests.embedded.images import ImageSpec, web_app
from tests.embedded.machine import Machine
machine = Machine()
one = machine.run(web_app())
two = machine.run(ImageSpec({{"/app/x": ""}}), "sh", "-c", "setsid sleep {seconds} & exec sleep {seconds}")
three = machine.run(ImageSpec({{"/app/x": ""}}), "sh", "-c", "trap '' TERM HUP INT; while :; do sleep 0.1; done")
one.get()
print(one.container.pid, two.container.pid, three.container.pid, flush=True)
time.sleep(1000)
"""

    @pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
    def test_no_child_outlives_the_embedded_aws(self, number: int) -> None:
        """Even kill -9 leaves nothing behind: neither Python programs, nor others, nor what they started."""
        seconds = str(7600 + number)  # tells this test's processes from those of its twin
        text = self.HOLDER.format(root=str(Path(__file__).parents[2]), seconds=seconds)
        with subprocess.Popen([sys.executable, "-c", text], stdout=subprocess.PIPE, text=True) as holder:
            assert holder.stdout is not None
            pids = [int(pid) for pid in holder.stdout.readline().split()]
            assert len(pids) == 3
            family = [child.pid for child in psutil.Process(holder.pid).children(recursive=True)]
            assert set(pids) < set(family)
            holder.send_signal(number)
            holder.wait(timeout=PATIENCE)
        eventually(lambda: not any(map(psutil.pid_exists, family)))
        left = [p for p in psutil.process_iter(["cmdline"]) if p.info["cmdline"] == ["sleep", seconds]]
        assert left == []
