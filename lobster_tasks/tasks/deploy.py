"""Tasks that bring a release to the service."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .command import Run, command

if TYPE_CHECKING:
    from ..rollout import Outcome, Progress


@command(
    json=True,
    help={
        "tag": "the tag to push",
        "builder": "docker, podman or process; images.builder where it is not given",
        "build-arg": "a build argument, NAME=value; may be repeated",
    },
    iterable=["build_arg"],
)
def push_image(run: Run, tag: str, builder: str = "", build_arg: list[str] | None = None) -> None:
    """Build the Dockerfile and push it to the repository as --tag."""
    from pathlib import Path

    from .. import report
    from ..images import push_image

    arguments = dict(each.partition("=")[::2] for each in build_arg or [])
    image = push_image(run.aws, run.settings, tag, Path.cwd(), builder or None, arguments, run.console.say)
    run.console.say(report.pushed(image))
    if run.json:
        run.console.json(report.pushed_json(image))


@command(help={"tag": "a tag in the repository", "output": "the file to write; stdout where it is not given"})
def render_task_definition(run: Run, tag: str, output: str = "") -> None:
    """Write the task definition for --tag, as the official render and deploy actions take it."""
    import json
    from pathlib import Path

    from .. import templates
    from ..rollout.release import find_image

    image = find_image(run.aws, run.settings, tag)
    definition = templates.task_definition(run.settings, run.aws.account, run.aws.partition, image.uri)
    text = json.dumps(definition, indent=2) + "\n"
    if output:
        Path(output).write_text(text, encoding="utf-8")
        run.console.say(f"{output}: {run.settings.task.family} with {image.uri}")
    else:
        run.console.write(text)


@command(
    json=True,
    help={
        "tag": "a tag in the repository, a digest, or a full image reference",
        "registered": "follow the deployment of this task definition (ARN), which somebody else has made",
        "force": "new tasks even where nothing differs",
    },
)
def deploy(run: Run, tag: str = "", registered: str = "", force: bool = False) -> int:
    """Bring --tag to live: register, update, follow to a verdict, ask through the load balancer."""
    from .. import report
    from ..errors import RefusedError, UsageError
    from ..rollout import Outcome

    if bool(tag) == bool(registered):
        raise UsageError("inv deploy takes --tag T or --registered ARN.", next_step="inv deploy --tag T")
    try:
        ended = _rollout(run, tag, registered, force)
    except RefusedError as refusal:
        if not run.json:
            raise
        ended = Outcome.refused(refusal)
    run.console.say()
    if ended.verdict == "live":
        run.console.show(report.outcome(ended))
    else:
        run.console.say(report.outcome(ended))
    if run.json:
        run.console.json(ended.as_json())
    return ended.exit_code


def _rollout(run: Run, tag: str, registered: str, force: bool) -> Outcome:
    from .. import report
    from ..rollout import deploy, follow

    def observe(progress: Progress) -> None:
        for said in progress.said:
            run.console.say(report.moment(progress.at, said))

    if registered:
        return follow(run.aws, run.settings, registered, observe=observe)
    return deploy(run.aws, run.settings, tag, force=force, observe=observe)
