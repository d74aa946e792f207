"""Tasks that deploy a release."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from ..cli import project
from ..cli.command import Run, command, required
from ..cli.following import busy_choice, finish, show_preview, transferring

if TYPE_CHECKING:
    from ..images import BuildOptions
    from ..rollout import IfBusy, Outcome, Preview, Progress


@command(
    json=True,
    changes=True,
    help={
        "tag": "the tag to push",
        "builder": "docker, podman or process (default: images.builder)",
        "build-arg": "a build argument, NAME=value; may be repeated",
        "target": "the stage of the Dockerfile that becomes the image (default: images.target)",
        "secret": "a secret for RUN: id=NAME,src=FILE or id=NAME,env=VARIABLE; may be repeated",
        "cache-from": "where the builder looks for results of earlier builds; may be repeated",
        "cache-to": "where the builder leaves its results; may be repeated",
        "once": "do not build if the repository has the tag already",
    },
    iterable=["build_arg", "secret", "cache_from", "cache_to"],
)
def push_image(
    run: Run,
    tag: str = "",
    builder: str = "",
    build_arg: list[str] | None = None,
    target: str = "",
    secret: list[str] | None = None,
    cache_from: list[str] | None = None,
    cache_to: list[str] | None = None,
    once: bool = False,
) -> None:
    """Build the Dockerfile and push it as --tag.

    The settings name the Dockerfile; the repository has to exist (inv setup-fargate creates it).
    """
    required("tag", tag, "inv push-image --tag T")

    from pathlib import Path

    from .. import report, step_outputs
    from ..images import options_of, push_image
    from ..rollout import keep_serving
    from ..settings import with_images

    run.settings = with_images(
        run.settings, target=target, secrets=secret, cache_from=cache_from, cache_to=cache_to
    )
    options = options_of(run.settings, dict(each.partition("=")[::2] for each in build_arg or []))
    if run.dry_run:
        _plan(run, tag, builder, options)
        return
    keep_serving(run.aws, run.settings, run.console.say)
    with transferring(run) as observe:
        image = push_image(
            *(run.aws, run.settings, tag, Path.cwd(), builder or None, options, run.console.say),
            once=once,
            observe=observe,
        )
    step_outputs.write(step_outputs.of_image(image))
    run.console.say(report.pushed(image))
    if run.json:
        run.console.json(report.pushed_json(image))


def _plan(run: Run, tag: str, builder: str, options: BuildOptions) -> None:
    from pathlib import Path

    from .. import report
    from ..images import plan_push

    planned = plan_push(run.aws, run.settings, tag, Path.cwd(), builder or None, options)
    run.console.say(report.planned_push(planned))
    if run.json:
        run.console.json(report.planned_push_json(planned))


@command(
    help={
        "tag": "a tag in the repository",
        "output": "the file to write (default: stdout)",
        "circuit-breaker": "bring the service's circuit breaker to deployment.rollback too",
    }
)
def render_task_definition(run: Run, tag: str = "", output: str = "", circuit_breaker: bool = False) -> None:
    """Write the task definition for --tag.

    It is the input of RegisterTaskDefinition, and of GitHub's official render and deploy actions. The deploy action
    leaves the service's circuit breaker as it is; --circuit-breaker makes it roll back or not, as the settings say.
    """
    required("tag", tag, "inv render-task-definition --tag T")

    from .. import templates
    from ..console import json_document
    from ..rollout import find_image, keep_promise

    image = find_image(run.aws, run.settings.repository, tag)
    definition = templates.task_definition(run.settings, run.aws.account, run.aws.partition, image.uri)
    if output:
        project.write(output, json_document(definition))
        run.console.say(f"{output}: {run.settings.task.family} with {image.uri}")
    else:
        run.console.documents([definition])
    if circuit_breaker:
        run.console.say(keep_promise(run.aws, run.settings))


@command(
    json=True,
    changes=True,
    help={
        "tag": "a tag in the repository, a digest, or a full image reference",
        "registered": "follow the deployment of this task definition (ARN) that something else started",
        "force": "start new tasks even if nothing differs",
        "if-busy": "if another deployment is in progress: wait (default), supersede or refuse",
        "accept": "do not refuse for this cause's code; may be repeated",
    },
    iterable=["accept"],
)
def deploy(
    run: Run,
    tag: str = "",
    registered: str = "",
    force: bool = False,
    if_busy: str = "",
    accept: list[str] | None = None,
) -> int:
    """Deploy --tag and verify that it is live.

    Registers a revision if it differs, updates the service, follows that deployment to its verdict, and probes
    the app as visitors reach it. Exit codes: 0 live, 1 failed, 3 rolled back, 4 out of time, 5 refused.
    --dry-run checks everything and shows what would change, after any wait that --if-busy asks for.
    """
    from ..errors import UsageError

    if bool(tag) == bool(registered):
        raise UsageError("inv deploy takes --tag T or --registered ARN.", next_step="inv deploy --tag T")

    busy = busy_choice(if_busy or "wait")
    run.settings = run.settings.accepting(accept or ())

    from .. import report
    from ..image_reference import check_reference
    from ..rollout import deploy, follow

    check_reference(tag or registered)
    run.tell_settings()
    run.console.say(report.release_heading(run.settings, tag or registered))
    if run.dry_run and tag:
        return _preview(run, tag, busy if if_busy else None)

    def release(observe: Callable[[Progress], None]) -> Outcome:
        if registered:
            return follow(run.aws, run.settings, registered, observe=observe)
        return deploy(run.aws, run.settings, tag, force=force, if_busy=busy, observe=observe)

    return finish(run, f"{run.settings.service}, {tag or registered}", release)


def _preview(run: Run, tag: str, if_busy: IfBusy | None) -> int:
    from ..rollout import preview

    def look(observe: Callable[[Progress], None]) -> Preview:
        return preview(run.aws, run.settings, tag, if_busy=if_busy, observe=observe)

    return show_preview(run, tag, look)
