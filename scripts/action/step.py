"""The steps of action.yml that ask ``inv`` and hand its answers on as step outputs.

``settings``: what the project's settings say, the action's inputs included.
``setup``: makes and repairs the infrastructure.
``release``: the task definition of a release, and what the official actions need to know beside it.
``follow``: follows the deployment that they have made to its verdict.

Runs in the virtual environment that ``install`` makes, in the project's folder. Inputs come by the environment. What
goes wrong is the job's annotation.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import IO, Any

from lobster_tasks import github, step_outputs

INV = Path(sys.executable).with_name("inv")
LINES = 15  # of a talk that has no better end
FENCE = "::stop-commands::"


def settings() -> dict[str, object]:
    """Settings that later steps need, so that all of them have the same ones."""
    found = json.loads(inv("settings", "--json"))
    return {
        "python": sys.executable,
        "region": found["region"],
        "cluster": found["cluster"],
        "service": found["service"],
        "container": found["container"]["name"],
        "desired-count": found["deployment"]["desired_count"],
        "wait-minutes": found["deployment"]["wait_minutes"],
        "rollback": json.dumps(found["deployment"]["rollback"]),
    }


def setup() -> dict[str, object]:
    """There is nobody to ask: it is done without a question."""
    sys.stdout.write(inv("setup-fargate", "--yes"))
    return {}


def release() -> dict[str, object]:
    """Looks whether it can be deployed, once no other deployment is under way, and writes the definition to a file.

    Then the service's circuit breaker rolls back, or does not, as ``deployment.rollback`` says: the official action
    leaves it as it is.
    ``desired-count`` is empty unless the service stands at no tasks.
    """
    file = Path(os.environ["RUNNER_TEMP"], f"lobster-{os.environ['SERVICE']}.json")
    flag = f"--tag={os.environ['TAG'] or os.environ['IMAGE']}"
    look = ("deploy", "--dry-run", "--if-busy=wait", flag)
    render = ("render-task-definition", flag, f"--output={file}", "--circuit-breaker")
    before = json.loads(inv(*look, *render, "status", "--json"))
    image = image_of(json.loads(file.read_text(encoding="utf-8")), os.environ["CONTAINER"])
    return {
        "task-definition": file,
        "image": image,
        "image-digest": image.partition("@")[2],
        "desired-count": None if before["desired"] else os.environ["DESIRED_COUNT"],
        "previous-task-definition-arn": before["task_definition"],
    }


def follow() -> dict[str, object]:
    """The outputs are written by ``inv``, whatever the verdict; what ran before it can only guess by now."""
    try:
        sys.stdout.write(inv("deploy", f"--registered={os.environ['TASK_DEFINITION']}"))
    finally:
        step_outputs.write({"previous-task-definition-arn": os.environ["PREVIOUS"]})
    return {}


def image_of(definition: Mapping[str, Any], container: str) -> str:
    """The image of the container that is deployed."""
    images = {each["name"]: each["image"] for each in definition["containerDefinitions"]}
    return str(images[container])


def inv(*arguments: str) -> str:
    """What ``inv`` prints on stdout, while its talk goes to the log; ends this step as ``inv`` ends.

    A job that is cancelled tells this process only, which passes it on: ``inv`` says what goes on in AWS. What is to be
    an annotation it leaves in a file, so that nothing in its talk, which others have a part in, can pass for one.
    """
    with tempfile.TemporaryDirectory() as folder, tempfile.TemporaryFile("w+", encoding="utf-8") as answer:
        left = Path(folder, "annotations")
        code, end = run([INV, *arguments], answer, {**os.environ, github.ANNOTATIONS_FILE: str(left)})
        annotate(read(left), code, end)
        if code:
            sys.exit(code)
        answer.seek(0)
        return answer.read()


def run(command: Sequence[str | Path], answer: IO[str], environment: Mapping[str, str]) -> tuple[int, str]:
    """Run it, its stdout into ``answer`` and its talk into the log; the exit code, and the end of the talk.

    A fence that it leaves open, because it was killed behind it, is closed: the runner would hear nothing more.
    """
    last: deque[str] = deque(["\n"], maxlen=LINES)
    token = ""
    with subprocess.Popen(
        command,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=answer,
        stderr=subprocess.PIPE,
        encoding="utf-8",
        errors="replace",
    ) as process:
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda received, _: process.send_signal(received))
        for line in process.stderr or ():
            sys.stderr.write(line)
            last.append(line)
            token = fence_after(token, line.strip())
    if not last[-1].endswith("\n"):  # what comes next has a line of its own
        sys.stderr.write("\n")
    if token:
        sys.stderr.write(f"::{token}::\n")
    return process.returncode, "".join(each for each in last if not each.startswith(FENCE)).strip()


def fence_after(token: str, line: str) -> str:
    """The token of the fence that is open after a line, as the runner reads it; empty where none is."""
    if token:
        return "" if line == f"::{token}::" else token
    return line.removeprefix(FENCE) if line.startswith(FENCE) else ""


def read(left: Path) -> list[github.Annotation]:
    """The annotations that ``inv`` has left; it may have left none."""
    lines = left.read_text(encoding="utf-8").splitlines() if left.exists() else []
    return [github.Annotation(**json.loads(line)) for line in lines]


def annotate(left: Sequence[github.Annotation], code: int, end: str) -> None:
    """Into the same stream as the talk, at whose end ``inv`` lets the runner hear commands again.

    One that was killed, or never came to run a task, has left nothing: the end of what it said is shown instead.
    """
    if code and not any(each.kind == "error" for each in left):
        told = f"inv has ended with exit code {code}. The end of its log:\n{end}"
        left = [*left, github.Annotation("error", "Deploy to Fargate", told)]
    sys.stderr.write("".join(f"{each.command()}\n" for each in left))


STEPS: dict[str, Callable[[], dict[str, object]]] = {
    "settings": settings,
    "setup": setup,
    "release": release,
    "follow": follow,
}

if __name__ == "__main__":
    step_outputs.write(STEPS[sys.argv[1]]())
