"""Tasks that bring the account to what the settings say, and that take it away again."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from .command import Run, command

if TYPE_CHECKING:
    from ..converge import Plan
    from ..stack import Live, Resource, Stack

_ADOPT = {"adopt": "take over what has our name and not our tag"}


@command(json=True, help={**_ADOPT, "detailed-exitcode": "exit 8 where there are changes"})
def plan(run: Run, adopt: bool = False, detailed_exitcode: bool = False) -> int | None:
    """Show what setup-fargate would change, with reasons and the monthly cost; changes nothing."""
    made, live = _planned(run, _stack(run), adopt)
    _show(run, made, live)
    if run.json:
        _answer(run, made, live, applied=False)
    elif made.changes:
        run.console.say("\nApply it:  inv setup-fargate")
    return 8 if detailed_exitcode and made.changes else None


@command(json=True, changes=True, help=_ADOPT)
def setup_fargate(run: Run, adopt: bool = False) -> None:
    """Create or repair everything: roles, logs, repository, network, load balancer, cluster and service."""
    _converge(run, _stack(run), adopt)


@command(json=True, changes=True, help=_ADOPT)
def create_iam_policies(run: Run, adopt: bool = False) -> None:
    """Create or repair the execution role and the task role, with trust and policies."""
    _converge(run, _stack(run, "role"), adopt)


@command(json=True, changes=True, help=_ADOPT)
def create_security_groups(run: Run, adopt: bool = False) -> None:
    """Create or repair the security groups of the load balancer and of the tasks."""
    _converge(run, _stack(run, "security group"), adopt)


@command(json=True, changes=True, help=_ADOPT)
def setup_application_load_balancer(run: Run, adopt: bool = False) -> None:
    """Create or repair the load balancer, its target group and its listener."""
    _converge(run, _stack(run, "listener", "target group"), adopt)


@command(json=True, changes=True, help=_ADOPT)
def create_ecs_cluster(run: Run, adopt: bool = False) -> None:
    """Create the ECS cluster."""
    _converge(run, _stack(run, "cluster"), adopt)


@command(json=True, changes=True, help=_ADOPT)
def create_task_definition(run: Run, adopt: bool = False) -> None:
    """Register the task definition, and make the roles, log group and repository that it names."""
    _converge(run, _stack(run, "task definition"), adopt)


@command(json=True, changes=True, help=_ADOPT)
def create_fargate_service(run: Run, adopt: bool = False) -> None:
    """Create or repair the ECS service and everything that it stands on."""
    _converge(run, _stack(run, "service"), adopt)


@command(json=True, changes=True, help={"data": "delete the images and the logs too"})
def teardown(run: Run, data: bool = False) -> None:
    """Remove what carries the stack's tag, in order; images and logs stay unless --data."""
    from .. import report
    from ..converge import apply, plan_removal, read
    from ..errors import LobsterError

    stack = _stack(run)
    live = read(run.aws, stack)
    made = plan_removal(stack, live, keep_data=not data)
    run.console.say(report.plan(made))
    applied = bool(made.changes) and not run.dry_run
    if applied and not run.may(f"Delete these {len(made.changes)} resources?", destroys=True):
        return
    if applied:
        apply(run.aws, made, lambda change: run.console.say(report.change_done(change)))
        if left := plan_removal(stack, read(run.aws, stack), keep_data=not data).changes:
            raise LobsterError(
                f"{', '.join(change.resource.label for change in left)}: still there after the teardown.",
                next_step="inv teardown",
            )
    if run.json:
        run.console.json(report.plan_json(made, applied=applied, url=None, before=_now(run, live), after=0.0))
    elif not run.dry_run:
        run.console.say(_teardown_words(made))


def _teardown_words(made: Plan) -> str:
    kept = ", ".join(resource.label for resource in made.kept)
    gone = "Nothing of the stack is left." if made.changes else "Nothing to do."
    return f"{gone} Kept: {kept} (inv teardown --data deletes them)." if kept else gone


def _stack(run: Run, *kinds: str) -> Stack:
    """The whole stack, or the resources of these kinds and what they stand on."""
    from .. import stack

    whole = stack.build(run.settings, run.aws.account, run.aws.partition)
    return whole.slice(kinds) if kinds else whole


def _planned(run: Run, stack: Stack, adopt: bool) -> tuple[Plan, Mapping[Resource, Live | None]]:
    from ..converge import plan, read

    live = read(run.aws, stack)
    return plan(stack, live, adopt=adopt), live


def _converge(run: Run, stack: Stack, adopt: bool) -> None:
    """Read, plan, show, ask, apply, verify."""
    from .. import report
    from ..converge import apply, refuse_impossible, verify

    made, live = _planned(run, stack, adopt)
    _show(run, made, live)
    refuse_impossible(made)
    applied = bool(made.changes) and not run.dry_run
    if applied and not run.may(f"Make these {len(made.changes)} changes?"):
        return
    if applied:
        apply(run.aws, made, lambda change: run.console.say(report.change_done(change)))
        live = verify(run.aws, stack).live
    if run.json:
        _answer(run, made, live, applied=applied)
    elif not run.dry_run:
        _conclude(run, live, made)


def _show(run: Run, made: Plan, live: Mapping[Resource, Live | None]) -> None:
    from .. import report
    from ..cost import monthly_cost

    if run.json:
        return
    heading = report.heading(run.aws.account, run.aws.region, run.settings, run.aws.endpoint_url)
    run.console.say(heading)
    run.console.say()
    run.console.say(report.plan(made))
    if any(change.resource.kind in ("service", "load balancer") for change in made.changes):
        run.console.say()
        run.console.say(report.cost(_now(run, live), monthly_cost(run.settings)))


def _answer(run: Run, made: Plan, live: Mapping[Resource, Live | None], *, applied: bool) -> None:
    from .. import report
    from ..cost import monthly_cost

    after = monthly_cost(run.settings).total
    before = _now(run, made.live)
    run.console.json(
        report.plan_json(made, applied=applied, url=report.url_of(live), before=before, after=after)
    )


def _now(run: Run, live: Mapping[Resource, Live | None]) -> float:
    """USD a month of what is there now."""
    from ..cost import monthly_cost

    found = {resource.kind: each for resource, each in live.items() if each}
    if "load balancer" not in found:
        return 0.0
    service: Any = found["service"].raw if "service" in found else {}
    return monthly_cost(run.settings, tasks=service.get("desiredCount", 0)).total


def _conclude(run: Run, live: Mapping[Resource, Live | None], made: Plan) -> None:
    """What stands now, and what to do next; the address last."""
    from .. import report

    service = next((found for each, found in live.items() if each.kind == "service"), None)
    if not made.changes:
        run.console.say("Nothing to do: everything is as the settings say.")
    if service is None:
        return
    if not service.raw.get("desiredCount"):
        run.console.say("No release yet.  Next:  inv push-image --tag T   then   inv deploy --tag T")
    if any(change.resource.kind == "task definition" for change in made.changes):
        run.console.say("Running tasks keep their revision until the next inv deploy.")
    run.console.show(report.url_of(live) or "")
