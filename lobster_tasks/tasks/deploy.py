"""Tasks that bring a release to the service."""

from __future__ import annotations

from typing import TYPE_CHECKING

from . import project
from .command import Run, command, required

if TYPE_CHECKING:
    from ..rollout import IfBusy, Outcome, Progress


@command(
    json=True,
    help={
        "tag": "the tag to push",
        "builder": "docker, podman or process; images.builder where it is not given",
        "build-arg": "a build argument, NAME=value; may be repeated",
        "once": "build nothing where the repository has the tag already",
    },
    iterable=["build_arg"],
)
def push_image(
    run: Run, tag: str = "", builder: str = "", build_arg: list[str] | None = None, once: bool = False
) -> None:
    """Build the Dockerfile and push it as --tag.

    The Dockerfile is the one of the settings; the repository has to be there (inv setup-fargate makes it).
    """
    required("tag", tag, "inv push-image --tag T")

    from pathlib import Path

    from .. import report, step_outputs
    from ..images import push_image

    arguments = dict(each.partition("=")[::2] for each in build_arg or [])
    image = push_image(
        run.aws, run.settings, tag, Path.cwd(), builder or None, arguments, run.console.say, once=once
    )
    step_outputs.write(step_outputs.of_image(image))
    run.console.say(report.pushed(image))
    if run.json:
        run.console.json(report.pushed_json(image))


@command(help={"tag": "a tag in the repository", "output": "the file to write; stdout where it is not given"})
def render_task_definition(run: Run, tag: str = "", output: str = "") -> None:
    """Write the task definition for --tag.

    It is what RegisterTaskDefinition takes, and with it the official render and deploy actions.
    """
    required("tag", tag, "inv render-task-definition --tag T")

    import json

    from .. import templates
    from ..rollout.release import find_image

    image = find_image(run.aws, run.settings, tag)
    definition = templates.task_definition(run.settings, run.aws.account, run.aws.partition, image.uri)
    text = json.dumps(definition, indent=2) + "\n"
    if output:
        project.write(output, text)
        run.console.say(f"{output}: {run.settings.task.family} with {image.uri}")
    else:
        run.console.write(text)


@command(
    json=True,
    help={
        "tag": "a tag in the repository, a digest, or a full image reference",
        "registered": "follow the deployment of this task definition (ARN), which somebody else has made",
        "force": "new tasks even where nothing differs",
        "if-busy": "while another deployment is under way: wait, supersede or refuse",
    },
)
def deploy(run: Run, tag: str = "", registered: str = "", force: bool = False, if_busy: str = "wait") -> int:
    """Bring --tag to live and prove that it is.

    Registers a revision where it differs, updates the service, follows that deployment to its verdict, and asks
    the app through the load balancer. Exit codes: 0 live, 1 failed, 3 rolled back, 4 out of time, 5 refused.
    """
    from ..errors import RefusedError, UsageError

    if bool(tag) == bool(registered):
        raise UsageError("inv deploy takes --tag T or --registered ARN.", next_step="inv deploy --tag T")

    from .. import report, step_outputs
    from ..rollout import IF_BUSY, Outcome

    busy = next((each for each in IF_BUSY if each == if_busy), None)
    if busy is None:
        raise UsageError(f"--if-busy {if_busy} is none of {', '.join(IF_BUSY)}.")
    run.console.say(report.release_heading(run.settings, tag or registered))
    try:
        ended = _rollout(run, tag, registered, force, busy)
    except RefusedError as refusal:
        ended = Outcome.refused(refusal)
        if not run.json:
            step_outputs.write(step_outputs.of_outcome(ended))
            raise
    step_outputs.write(step_outputs.of_outcome(ended))
    run.console.say()
    run.console.say(report.outcome(ended))
    if run.json:
        run.console.json(ended.as_json())
    elif ended.verdict == "live" and ended.url:
        run.console.show(ended.url)
    return ended.exit_code


def _rollout(run: Run, tag: str, registered: str, force: bool, if_busy: IfBusy) -> Outcome:
    from .. import report
    from ..rollout import deploy, follow

    with run.console.live() as redraw:

        def observe(progress: Progress) -> None:
            for said in progress.said:
                run.console.say(report.moment(progress.at, said))
            redraw(report.movement(progress))

        if registered:
            return follow(run.aws, run.settings, registered, observe=observe)
        return deploy(run.aws, run.settings, tag, force=force, if_busy=if_busy, observe=observe)
