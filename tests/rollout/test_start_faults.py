"""What shells, env, container runtimes and command lines write where a program does not start, word for word.

Written here by dash 0.5.12, bash 5.2.15, BusyBox 1.35, env of coreutils 9.1, Python 3.11 and Click 8.5. Seen in public
reports: runc's line with exit code 255 (VonHoltenCodes/SlowBooks-Pro-2026 5) and its older one
(ryerkerk/aws-batch-python-tutorial 1), tini's (cedya77/aiometadata 578).
"""

from __future__ import annotations

from dataclasses import replace

import pytest

from lobster_tasks.rollout.diagnosis.diagnose import diagnose

from .test_diagnose import check, definition, ended, evidence

CR_LF = {
    "env": (127, "/usr/bin/env: ‘python3\\r’: No such file or directory"),
    "env in C": (127, "env: 'bash\\r': No such file or directory"),
    "bash": (127, "/start.sh: line 2: $'\\r': command not found"),
    "bash, a word": (127, "start.sh: line 2: $'streamlit\\r': command not found"),
    "bash, set": (2, "start.sh: line 2: set: -\r: invalid option"),
    "bash, and it goes on": (1, "start.sh: line 4: $'\\r': command not found"),
    "dash": (127, "start.sh: 2: streamlit\r: not found"),
    "dash, set": (2, "start.sh: 2: set: Illegal option -"),
    "a kernel": (126, "/bin/sh: ./start.sh: /bin/bash^M: bad interpreter: No such file or directory"),
}


@pytest.mark.parametrize(("code", "line"), CR_LF.values(), ids=CR_LF.keys())
def test_line_ends_of_windows_are_read_from_the_log_alone(code: int, line: str) -> None:
    """The build context may be elsewhere: the app is in an image that others built, or the check was not made."""
    [cause] = diagnose(evidence(ended(code), log=("starting", line, "bye")))
    assert cause.code == "command-not-found"
    assert "end in CR LF" in cause.message
    assert "\r" not in cause.message
    assert cause.remedy.startswith(
        "dos2unix SCRIPT, and in .gitattributes: SCRIPT text eol=lf; then inv push-image"
    )
    assert not cause.heals


NO_PROGRAM = {
    "runc, 255": (255, "exec /start.sh: no such file or directory", "/start.sh"),
    "runc, 1": (1, "exec /start.sh: no such file or directory", "/start.sh"),
    "runc, 127": (127, "exec /start.sh: no such file or directory", "/start.sh"),
    "tini": (127, "[FATAL tini (6)] exec /start.sh failed: No such file or directory", "/start.sh"),
    "runc, an older one": (
        1,
        "standard_init_linux.go:228: exec user process caused: no such file or directory",
        "of the name to start, or not the interpreter",
    ),
    "env": (127, "/usr/bin/env: 'bash': No such file or directory", "bash"),
    "env, BusyBox": (127, "env: can't execute 'python3': No such file or directory", "python3"),
    "bash": (127, "bash: line 1: streamlit: command not found", "streamlit"),
    "bash, a path": (127, "bash: line 1: /app/run: No such file or directory", "/app/run"),
    "bash, no interpreter": (127, "bash: line 1: ./run: cannot execute: required file not found", "./run"),
    "bash, exec": (127, "bash: line 1: exec: streamlit: not found", "streamlit"),
    "bash, a script": (127, "bash: start.sh: No such file or directory", "start.sh"),
    "dash": (127, "sh: 1: streamlit: not found", "streamlit"),
    "dash, exec": (127, "sh: 1: exec: streamlit: not found", "streamlit"),
    "dash, a script": (2, "sh: 0: cannot open start.sh: No such file", "start.sh"),
    "dash, an older one": (127, "sh: 0: Can't open start.sh", "start.sh"),
    "BusyBox, a script": (2, "sh: can't open 'start.sh': No such file or directory", "start.sh"),
    "a kernel": (
        126,
        "bash: ./run: /usr/bin/python: bad interpreter: No such file or directory",
        "/usr/bin/python",
    ),
}


@pytest.mark.parametrize(("code", "line", "program"), NO_PROGRAM.values(), ids=NO_PROGRAM.keys())
def test_a_program_that_is_not_there(code: int, line: str, program: str) -> None:
    [cause] = diagnose(evidence(ended(code), log=("starting", line)))
    assert cause.code == "command-not-found"
    assert f"The image has no program {program}" in cause.message
    assert ("or not the interpreter" in cause.message) == ("/" in program or " " in program)
    assert "CMD and ENTRYPOINT (or container.command)" in cause.remedy
    assert not cause.heals


LIBRARIES = {
    "glibc": (
        "python: error while loading shared libraries: libGL.so.1: cannot open shared object file: "
        "No such file or directory",
        "libGL.so.1",
        "Debian, Ubuntu: RUN apt-get update && apt-get install -y libgl1",
    ),
    "glibc, of a package that is not known": (
        "/app/run: error while loading shared libraries: libown.so.3: cannot open shared object file: "
        "No such file or directory",
        "libown.so.3",
        "Debian, Ubuntu: RUN apt-get update && apt-get install -y PACKAGE, which packages.debian.org finds by "
        "libown.so.3",
    ),
    "musl": (
        "Error loading shared library libown.so.3: No such file or directory (needed by /app/run)",
        "libown.so.3",
        "Alpine: RUN apk add PACKAGE, which pkgs.alpinelinux.org/contents finds by libown.so.3",
    ),
}


@pytest.mark.parametrize(("line", "library", "step"), LIBRARIES.values(), ids=LIBRARIES.keys())
def test_a_library_that_is_not_there_is_no_program(line: str, library: str, step: str) -> None:
    """The loaders end with 127, as a shell does that finds no program."""
    [cause] = diagnose(evidence(ended(127), log=("starting", line)))
    assert cause.message == f"The image has no shared library {library}, which its program needs."
    assert cause.remedy.startswith(f"install it in the Dockerfile ({step}); then inv push-image")
    assert not cause.heals


@pytest.mark.parametrize("file", ["libGL.so.1", "/usr/lib/libGL.so.1"])
def test_a_shared_object_that_a_program_opens_itself_is_no_program(file: str) -> None:
    line = f"ImportError: {file}: cannot open shared object file: No such file or directory"
    [cause] = diagnose(evidence(ended(127), log=(line,)))
    assert (cause.code, "no program" in cause.message) == ("exits", False), cause


def test_of_two_faults_the_later_one_ended_the_task() -> None:
    [cause] = diagnose(
        evidence(ended(127), log=(LIBRARIES["glibc"][0], "start.sh: line 2: streamlit: command not found"))
    )
    assert cause.message == "The image has no program streamlit."


NO_RIGHT = {
    "dash": (126, "/bin/sh: 1: ./start.sh: Permission denied"),
    "dash, exec": (126, "sh: 1: exec: ./start.sh: Permission denied"),
    "bash": (126, "bash: line 1: ./start.sh: Permission denied"),
    "bash, exec": (126, "bash: line 1: exec: ./start.sh: cannot execute: Permission denied"),
    "env": (126, "env: ‘./start.sh’: Permission denied"),
    "runc": (255, "exec ./start.sh: permission denied"),
    "tini": (126, "[FATAL tini (6)] exec ./start.sh failed: Permission denied"),
}


@pytest.mark.parametrize(("code", "line"), NO_RIGHT.values(), ids=NO_RIGHT.keys())
def test_a_program_that_may_not_be_run_is_made_executable(code: int, line: str) -> None:
    [cause] = diagnose(evidence(ended(code), log=(line,)))
    assert cause.code == "exits"
    assert cause.remedy.startswith("make ./start.sh executable in the Dockerfile")
    assert "chmod +x ./start.sh" in cause.remedy
    assert not cause.heals


def test_a_folder_is_no_program() -> None:
    [cause] = diagnose(evidence(ended(126), log=("bash: line 1: /app: Is a directory",)))
    assert "/app is a folder" in cause.remedy


USAGE = {
    "Click": (2, "Error: No such option: --server.port 9000"),
    "Streamlit": (2, "Error: Invalid value: File does not exist: app.py --server.port=9000"),
    "argparse": (2, "gunicorn: error: unrecognized arguments: --bnd 0.0.0.0:8501"),
    "Python": (2, "python: can't open file '/app/ap.py': [Errno 2] No such file or directory"),
    "Python, an option": (2, "unknown option --server.port"),
    "Node": (9, "node: bad option: --server.port"),
    "dash": (2, 'sh: 1: Syntax error: "&&" unexpected'),
    "bash": (2, "bash: -c: line 2: syntax error: unexpected end of file"),
}


@pytest.mark.parametrize(("code", "line"), USAGE.values(), ids=USAGE.keys())
def test_arguments_that_a_program_does_not_take_are_in_the_command_and_not_in_the_app(
    code: int, line: str
) -> None:
    [cause] = diagnose(
        evidence(ended(code), log=("Usage: x [OPTIONS]" if line.startswith("Error") else "", line))
    )
    assert cause.code == "exits"
    assert line.split(": ")[-1].rstrip(".") in cause.message
    assert cause.remedy.startswith("correct the arguments in CMD and ENTRYPOINT (or container.command)")
    assert not cause.heals


SURVIVED = {
    "a shell that went on": (1, "start.sh: line 2: optional-tool: command not found", "KeyError: 'API_KEY'"),
    "a shell that went on, and Python": (3, "sh: 1: tool: not found", "RuntimeError: no model"),
    "a folder of data": (1, "mkdir: /data: Permission denied", "OSError: no folder"),
    "a progress bar": (1, " 10%|█\r 20%|██\r", "ValueError: not a model"),
    "a redirection, dash": (2, "sh: 1: cannot open /nope.csv: No such file", "bye"),
    "a redirection, BusyBox": (2, "sh: can't open /nope.csv: no such file", "bye"),
    "a redirection before another 127": (127, "sh: 1: cannot open /nope.csv: No such file", "bye"),
    "an app's own 2": (2, "starting", "Error: the model is not there"),
    "an app's own 126": (126, "starting", "giving up"),
    "an app's own 127": (127, "starting", "giving up"),
    "ended by ECS": (143, "exec /start.sh: no such file or directory", "bye"),
}


@pytest.mark.parametrize(("code", "line", "end"), SURVIVED.values(), ids=SURVIVED.keys())
def test_what_a_program_survives_is_not_why_it_ended(code: int, line: str, end: str) -> None:
    [cause] = diagnose(evidence(ended(code), log=(line, end)))
    assert (cause.code, "fix the app" in cause.remedy) == ("exits", True), cause


def test_the_check_of_the_build_context_names_the_script() -> None:
    """It knows the file; the log knows only that there is one."""
    seen = check(
        "dockerfile.start-scripts", "fail", "the lines of entry.sh end in CR LF", "dos2unix entry.sh"
    )
    line = "/usr/bin/env: ‘bash\\r’: No such file or directory"
    [cause] = diagnose(evidence(ended(127), log=(line,), checks=seen))
    assert cause.remedy.startswith("dos2unix entry.sh; then inv push-image")


def test_another_container_s_program_is_not_the_app_s() -> None:
    both = definition()
    both["containerDefinitions"].append({"name": "agent", "image": "ghcr.io/org/agent:1"})
    task = ended(127)
    container = task.containers[0]
    other = type(task)(
        **{**vars(task), "containers": (type(container)(**{**vars(container), "name": "agent"}),)}
    )
    [cause] = diagnose(evidence(other, definition=both, log=("sh: 1: agentd: not found",)))
    assert cause.message == "The image of agent has no program agentd."
    assert "its command in task-definitions/ecs-task-definition.json.j2" in cause.remedy


def test_another_container_s_remedy_does_not_push_the_app_s_image() -> None:
    both = definition()
    both["containerDefinitions"].append({"name": "agent", "image": "ghcr.io/org/agent:1"})
    task = ended(126)
    (container,) = task.containers
    other = replace(task, containers=(replace(container, name="agent"),))
    [cause] = diagnose(evidence(other, definition=both, log=("sh: 1: ./agentd: Permission denied",)))
    assert cause.remedy == (
        "in the image of agent, or its command in task-definitions/ecs-task-definition.json.j2: make ./agentd "
        "executable in the Dockerfile, for the user of USER too (RUN chmod +x ./agentd, or COPY --chmod=755); then "
        "inv deploy --tag 4f2c1e9"
    )
