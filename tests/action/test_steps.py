"""The shell steps of the action by themselves, as processes: what they refuse, and what they hand on."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import yaml

from tests.action.runner import ROOT, checkout, environment_of_a_runner
from tests.embedded_process import EmbeddedProcess, eventually
from tests.project import Project, in_a_new_process
from tests.runner_log import carried_out
from tests.test_step_outputs import read

ACTION = ROOT / "scripts" / "action"
INPUTS = ("TAG", "IMAGE", "REGION", "CLUSTER", "SERVICE", "CONTAINER", "WAIT_MINUTES", "ROLLBACK")
GIVEN = {**dict.fromkeys(INPUTS, ""), "SETUP": "false"}
STEP = (sys.executable, str(ACTION / "step.py"))


def tools(folder: Path, python: str = "") -> str:
    """A PATH with what every machine has, and a ``python3`` of this text."""
    folder.mkdir()
    for name in ("bash", "cksum", "cut", "dirname", "env", "sed"):
        (folder / name).symlink_to(str(shutil.which(name)))
    if python:
        (folder / "python3").write_text(python)
        (folder / "python3").chmod(0o755)
    return str(folder)


OLD = """#!/bin/sh
case "$*" in
*version_info*) exit 1 ;;
*python_version*) echo 3.10.12 ;;
esac
"""


@pytest.mark.parametrize(
    ("python", "says"),
    [
        (OLD, "Python 3.11 or newer is needed; this runner's python3 is 3.10.12."),
        ("", "There is no python3 on this runner."),
        ('#!/bin/sh\n[ "$2" != venv ]\n', "cannot make a virtual environment."),
    ],
)
def test_a_python_that_will_not_do_is_said(tmp_path: Path, python: str, says: str) -> None:
    environment = {
        "PATH": tools(tmp_path / "bin", python),
        "RUNNER_TEMP": str(tmp_path),
        **GIVEN,
        "TAG": "v1",
    }
    ended = in_a_new_process([str(ACTION / "prepare")], tmp_path, environment)
    assert ended.code == 2
    [error] = [line for line in ended.err.splitlines() if line.startswith("::error")]
    assert says in error
    assert error.endswith("Next: actions/setup-python before this step.")
    assert ended.out == ""


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({}, "Neither tag nor image is given."),
        ({"TAG": "a", "IMAGE": "b"}, "Both tag and image are given."),
        ({"TAG": "a", "SETUP": "yes\n::set-env name=x::y"}, "The input setup is neither true nor false."),
        (
            {"TAG": "v1\n::set-output name=verdict::live"},
            r"The input tag is $'v1\n::set-output name=verdict::live'",
        ),
        ({"TAG": "v1 ##[add-mask]live"}, r"The input tag is v1\ ##\[add-mask\]live, and it takes letters"),
        ({"TAG": "é"}, r"The input tag is $'\303\251', and it takes letters"),
        ({"IMAGE": "sha256:\x1b[2J%0A::error::x"}, r"The input image is $'sha256:\E[2J%250A::error::x'"),
        ({"TAG": "a", "ROLLBACK": "perhaps\n::error::x"}, r"The input rollback is $'perhaps\n::error::x'"),
        ({"TAG": "a", "SERVICE": "web\r::error::x"}, r"The input service is $'web\r::error::x'"),
    ],
)
def test_inputs_that_will_not_do_are_said(tmp_path: Path, given: dict[str, str], says: str) -> None:
    environment = {"PATH": tools(tmp_path / "bin"), "RUNNER_TEMP": str(tmp_path), **GIVEN, **given}
    ended = in_a_new_process([str(ACTION / "prepare")], tmp_path, environment)
    assert ended.code == 2
    assert ended.out.startswith(f"::error title=Deploy to Fargate::{says}")
    assert len(ended.out.splitlines()) == 1


def test_the_library_is_installed_once_and_again_when_it_changed(tmp_path: Path) -> None:
    library, temporary = tmp_path / "a folder" / "action", tmp_path / "temp"
    checkout(library)
    temporary.mkdir()
    environment = {**environment_of_a_runner(tmp_path / "home"), "RUNNER_TEMP": str(temporary)}

    def install() -> str:
        ended = in_a_new_process([str(library / "scripts/action/install")], tmp_path, environment)
        assert ended.code == 0, ended.err
        venv = ended.out.strip()
        asked = "import lobster_tasks; print(lobster_tasks.__version__, lobster_tasks.__file__)"
        told = in_a_new_process([f"{venv}/bin/python", "-c", asked], tmp_path, environment).out
        version, file = told.split(maxsplit=1)
        assert file.startswith(venv)
        assert venv.startswith(str(temporary))
        return version

    assert install() == "0.1.0"
    when = [file.stat().st_mtime_ns for file in temporary.glob("*/installed")]
    assert install() == "0.1.0"
    assert [file.stat().st_mtime_ns for file in temporary.glob("*/installed")] == when
    module = library / "lobster_tasks" / "version.py"
    module.write_text(module.read_text().replace('"0.1.0"', '"0.2.0"'))
    assert install() == "0.2.0"


HASH = re.compile(r"sha256:[0-9a-f]{64}")


def spoil(lock: Path, package: str) -> None:
    """As if the index gave other files than those that were locked."""
    before, start, rest = lock.read_text().partition(f"\n{package}==")
    block, end, after = rest.partition("\n" + _next_pin(rest))
    lock.write_text(before + start + HASH.sub("sha256:" + "0" * 64, block) + end + after)


def _next_pin(rest: str) -> str:
    """The beginning of the next package's lines."""
    return next(line for line in rest.splitlines()[1:] if line[:1].isalpha())


@pytest.mark.parametrize(
    ("name", "package", "says"),
    [
        ("requirements.lock", "uv", "-m pip cannot install uv as requirements.lock has it."),
        ("scripts/action/requirements.lock", "jinja2", "What the action needs cannot be installed"),
    ],
)
def test_other_files_than_those_that_were_locked_are_refused(
    tmp_path: Path, name: str, package: str, says: str
) -> None:
    library, temporary = tmp_path / "action", tmp_path / "temp"
    checkout(library)
    temporary.mkdir()
    spoil(library / name, package)
    environment = {
        **environment_of_a_runner(tmp_path / "home"),
        "RUNNER_TEMP": str(temporary),
        **GIVEN,
        "TAG": "v1",
    }
    ended = in_a_new_process([str(library / "scripts/action/prepare")], tmp_path, environment)
    assert ended.code == 2
    [error] = [line for line in ended.err.splitlines() if line.startswith("::error")]
    assert says in error
    assert "Next: see the reason above." in error
    assert "hash" in ended.err.partition("::error")[0].lower()
    assert not list(temporary.glob("*/installed"))


def test_the_own_environment_takes_uv_by_its_hash_too(tmp_path: Path) -> None:
    """Not by its version alone: an index may give another file for it."""
    checkout(tmp_path)
    spoil(tmp_path / "requirements.lock", "uv")
    environment = {**environment_of_a_runner(tmp_path / "home"), "PYTHON": sys.executable}
    ended = in_a_new_process([str(tmp_path / "scripts/setup")], tmp_path, environment)
    assert ended.code != 0
    assert "DO NOT MATCH THE HASHES" in ended.err
    assert not (tmp_path / ".venv/bin/uv").exists()


@pytest.mark.parametrize("name", ["requirements.lock", "requirements-embedded.lock"])
def test_the_action_installs_what_is_tested(name: str) -> None:
    """The same versions and files as those of the lock file that the tests run with, and each with a hash."""
    whole, part = (pins(file.read_text()) for file in (ROOT / "requirements.lock", ACTION / name))
    assert part.items() <= whole.items()
    assert all(part.values())
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    extra = project["optional-dependencies"]["embedded"] if "embedded" in name else []
    needed = {re.split(r"[<>=~\[]", each)[0] for each in [*project["dependencies"], *extra, "hatchling"]}
    assert needed <= {pin.partition("==")[0] for pin in part}


def pins(lock: str) -> dict[str, frozenset[str]]:
    """The hashes of each pinned version."""
    blocks = re.findall(r"^(\S+==\S+)(.*?)(?=^\S|\Z)", lock, re.MULTILINE | re.DOTALL)
    return {pin: frozenset(HASH.findall(hashes)) for pin, hashes in blocks}


@pytest.mark.parametrize(
    ("arrange", "says"),
    [
        ({"RUNNER_TEMP": ""}, "RUNNER_TEMP is not set."),
        ({"RUNNER_TEMP": "/nowhere"}, "The folder /nowhere (RUNNER_TEMP) cannot be entered."),
    ],
)
def test_a_runner_that_will_not_do_is_said(tmp_path: Path, arrange: dict[str, str], says: str) -> None:
    environment = {"PATH": tools(tmp_path / "bin"), **GIVEN, "TAG": "v1", **arrange}
    ended = in_a_new_process([str(ACTION / "prepare")], tmp_path, environment)
    assert ended.code == 2
    [error] = [line for line in ended.err.splitlines() if line.startswith("::error")]
    assert f"{says} Next: " in error


def test_what_nobody_thought_of_is_said_too(tmp_path: Path) -> None:
    """A tool that is missing ends the script wherever it is at."""
    path = tools(tmp_path / "bin", "#!/bin/sh\nexit 0\n")
    (tmp_path / "bin" / "cksum").unlink()
    environment = {"PATH": path, "RUNNER_TEMP": str(tmp_path), **GIVEN, "TAG": "v1"}
    ended = in_a_new_process([str(ACTION / "prepare")], tmp_path, environment)
    assert ended.code == 2
    [error] = [line for line in ended.err.splitlines() if line.startswith("::error")]
    assert "The action cannot be set up, for the reason above. Next: " in error


def test_settings_are_handed_on(project: Project, tmp_path: Path) -> None:
    project.settings("cluster: shop\ndeployment: {rollback: false}")
    project.environment.pop("INVOKE_LOBSTER_DEPLOYMENT_WAIT_MINUTES")
    outputs = tmp_path / "outputs"
    environment = {**project.environment, "GITHUB_OUTPUT": str(outputs), "INVOKE_LOBSTER_SERVICE": "web"}
    ended = in_a_new_process([*STEP, "settings"], project.folder, environment)
    assert (ended.code, ended.out) == (0, "")
    told = read(outputs)
    assert (told["cluster"], told["service"], told["container"]) == ("shop", "web", "lobster-streamlit")
    assert (told["region"], told["rollback"], told["wait-minutes"]) == ("us-east-2", "false", "15.0")


def test_what_inv_refuses_is_the_annotation(project: Project, tmp_path: Path) -> None:
    environment = {
        **project.environment,
        "INVOKE_LOBSTER_TASK_CPU": "300",
        "GITHUB_OUTPUT": str(tmp_path / "o"),
    }
    ended = in_a_new_process([*STEP, "settings"], project.folder, environment)
    assert ended.code == 2
    [line] = [line for line in ended.err.splitlines() if line.startswith("::")]
    assert ended.out == ""
    assert line.startswith("::error title=Deploy to Fargate::A setting is wrong.%0A")
    assert "Fargate has no 300 CPU units" in line
    assert "✘ A setting is wrong." in ended.err
    assert not (tmp_path / "o").exists()


def test_what_inv_annotates_itself_is_not_annotated_again(project: Project, tmp_path: Path) -> None:
    """A deployment that nobody has made cannot be followed."""
    project.inv("setup-fargate").check()
    outputs = tmp_path / "outputs"
    environment = {
        **project.environment,
        "GITHUB_ACTIONS": "true",
        "GITHUB_OUTPUT": str(outputs),
        "PREVIOUS": "arn:before",
        "TASK_DEFINITION": "arn:aws:ecs:us-east-2:123456789012:task-definition/lobster-streamlit-task:77",
    }
    ended = in_a_new_process([*STEP, "follow"], project.folder, environment)
    assert ended.code == 5
    [error] = [line for line in (ended.out + ended.err).splitlines() if line.startswith("::error")]
    assert "has no deployment of lobster-streamlit-task:77" in error
    told = read(outputs)
    assert (told["verdict"], told["cause"]) == ("refused", "refused")
    assert told["previous-task-definition-arn"] == "arn:before"


BREAKER_OFF = {"enable": False, "rollback": False}
BREAKER_STOPS = {"enable": True, "rollback": False}
BREAKER_ON = {"enable": True, "rollback": True}


@pytest.mark.parametrize(
    ("before", "rollback", "after"),
    [
        (BREAKER_OFF, "true", BREAKER_ON),
        (BREAKER_STOPS, "true", BREAKER_ON),
        (BREAKER_ON, "true", BREAKER_ON),
        (BREAKER_ON, "false", BREAKER_STOPS),
        (BREAKER_OFF, "false", BREAKER_OFF),
    ],
)
def test_the_circuit_breaker_is_as_the_input_says_before_the_deployment(
    project: Project,
    embedded: EmbeddedProcess,
    tmp_path: Path,
    before: dict[str, bool],
    rollback: str,
    after: dict[str, bool],
) -> None:
    """The step ``release`` with the environment that action.yml gives it: the official action leaves the breaker."""
    project.inv("setup-fargate", "--yes").check()
    project.inv("push-image", "--tag", "one", "--builder", "process").check()
    ecs = embedded.client("ecs")
    where = {"cluster": "lobster-cluster", "service": "lobster-streamlit-service"}
    sent = {"deploymentCircuitBreaker": before, "maximumPercent": 200, "minimumHealthyPercent": 100}
    stood = ecs.update_service(**where, deploymentConfiguration=sent)["service"]
    given = dict.fromkeys(environment_of("release"), "") | {
        "TAG": "one",
        "SERVICE": where["service"],
        "CONTAINER": "lobster-streamlit",
        "DESIRED_COUNT": "1",
        "INVOKE_LOBSTER_DEPLOYMENT_ROLLBACK": rollback,
    }
    set_to = {
        name: value for name, value in given.items() if value or not name.startswith(("INVOKE_", "AWS_"))
    }
    with_outputs = {"RUNNER_TEMP": str(tmp_path), "GITHUB_OUTPUT": str(tmp_path / "outputs")}
    assert "INVOKE_LOBSTER_DEPLOYMENT_ROLLBACK" in environment_of("release")
    ended = in_a_new_process(
        [*STEP, "release"], project.folder, {**project.environment, **set_to, **with_outputs}
    )
    assert ended.code == 0, ended.err
    [service] = ecs.describe_services(cluster=where["cluster"], services=[where["service"]])["services"]
    made = service["deploymentConfiguration"]
    assert made["deploymentCircuitBreaker"] == after
    assert [each["id"] for each in service["deployments"]] == [each["id"] for each in stood["deployments"]]
    assert (made["maximumPercent"], made["minimumHealthyPercent"]) == (200, 100)
    assert f"(deployment.rollback: {rollback})" in ended.err
    assert ("deployment.rollback is true" in ended.err) == (rollback == "true" and before != BREAKER_ON)


def environment_of(step: str) -> set[str]:
    """The names of the variables that action.yml gives a step."""
    steps = yaml.safe_load((ROOT / "action.yml").read_text())["runs"]["steps"]
    return {*next(each for each in steps if each.get("id") == step)["env"]}


KILLED = """
import os, signal, sys
from lobster_tasks.github import StopCommands

fence = StopCommands()
sys.stderr.write("it begins\\n" + {said})
sys.stderr.flush()
os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.mark.parametrize(
    "said",
    [
        '"the last line\\n"',
        '"half a line"',
        'fence.opened() + "::warning::theirs\\n"',
        'fence.opened() + "::warning::theirs\\n::stop-commands::mine\\n::mine::\\nhalf a line"',
        'fence.opened() + "theirs\\n" + fence.closed() + fence.opened()',
        'fence.opened() + "theirs\\n" + fence.closed()',
    ],
)
def test_an_inv_that_is_killed_is_the_annotation_wherever_it_was(
    project: Project, tmp_path: Path, said: str
) -> None:
    """Also behind a fence, from which on the runner takes no commands: the step closes it."""
    (project.folder / "tasks.py").write_text(KILLED.format(said=said))
    environment = {**project.environment, "GITHUB_ACTIONS": "true", "GITHUB_OUTPUT": str(tmp_path / "o")}
    ended = in_a_new_process([*STEP, "settings"], project.folder, environment)
    assert ended.code != 0
    [error] = carried_out(ended.err)
    assert (error.name, error.properties) == ("error", "title=Deploy to Fargate")
    assert "inv has ended with exit code -9. The end of its log:%0Ait begins" in error.data
    assert "stop-commands::" not in error.data


def test_a_cancelled_setup_says_what_is_so(
    project: Project, embedded: EmbeddedProcess, tmp_path: Path
) -> None:
    embedded.slow_down(0.2)
    with subprocess.Popen(
        [*STEP, "setup"],
        cwd=project.folder,
        env=project.environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as step:
        eventually(lambda: embedded.calls(mutating=True))
        os.kill(step.pid, signal.SIGINT)  # as a runner does: to this process alone
        out, err = step.communicate(timeout=600)
    embedded.forgive()
    assert step.returncode == 130
    assert "Interrupted" in err
    assert out == ""
    assert "\n::error title=Deploy to Fargate::Interrupted" in err
