"""Tasks that bring the account to what the settings say, and that take it away again."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from . import access
from .command import Run, command

if TYPE_CHECKING:
    from rich.console import RenderableType

    from ..converge import Plan
    from ..cost import Cost
    from ..settings import Settings
    from ..stack import Live, Resource, Stack

_ADOPT = {"adopt": "adopt resources that have the stack's names but not its tag"}


@command(json=True, help={**_ADOPT, "detailed-exitcode": "exit code 8 if there are changes"})
def plan(run: Run, adopt: bool = False, detailed_exitcode: bool = False) -> int | None:
    """Show what would change, why, and the cost.

    Reads the account and changes nothing. Exit code with --detailed-exitcode: 0 no changes, 8 changes; 5 if
    inv setup-fargate would refuse.
    """
    from ..converge import refuse_impossible

    whole = _everything(run)
    made = _planned(run, whole, adopt)
    _show(run, whole, made, run.console.show)
    if run.json:
        _answer(run, whole, made, made.live, applied=False)
    refuse_impossible(made)
    if made.changes:
        run.console.say(f"\nApply it:  inv setup-fargate{' --adopt' if adopt else ''}")
    return 8 if detailed_exitcode and made.changes else None


@command(json=True, changes=True, help=_ADOPT)
def setup_fargate(run: Run, adopt: bool = False) -> None:
    """Create or repair everything.

    Roles, log group, repository, security groups, load balancer, cluster, task definition and service. The service
    is created without tasks, even if the repository has images; inv deploy starts the first release.
    """
    _converge(run, _stack(run), adopt)


@command(json=True, changes=True, help=_ADOPT)
def setup_aws(run: Run, adopt: bool = False) -> None:
    """Let GitHub deploy, and set up everything.

    The OIDC identity provider, the role that workflows of this repository assume, and all that setup-fargate
    creates. Prints the variables that the repository needs; there is no access key to store.
    """
    from .. import report, stack

    run.settings = access.with_repository(run)
    whole = stack.build_access(run.settings, run.aws.account, run.aws.partition) + _stack(run)
    role = access.role_arn(run)
    live, made, applied = _converge_quietly(run, whole, adopt)
    if run.json:
        _answer(run, whole, made, live, applied=applied, github=report.access_json(run.settings, role))
    elif not run.dry_run:
        _conclude(run, live, made)
        access.tell(run, role)


@command(json=True, changes=True, help=_ADOPT)
def create_iam_policies(run: Run, adopt: bool = False) -> None:
    """Create or repair the two roles.

    The execution role pulls the image, writes the logs and reads the secrets; the task role is the app's own.
    """
    _converge(run, _stack(run, "role"), adopt)


@command(json=True, changes=True, help=_ADOPT)
def create_security_groups(run: Run, adopt: bool = False) -> None:
    """Create or repair the security groups.

    Visitors reach the load balancer; only the load balancer reaches the tasks.
    """
    _converge(run, _stack(run, "security-group"), adopt)


@command(json=True, changes=True, help=_ADOPT)
def setup_application_load_balancer(run: Run, adopt: bool = False) -> None:
    """Create or repair the load balancer.

    With its target group, its listener and its security group.
    """
    _converge(run, _stack(run, "listener", "target-group"), adopt)


@command(json=True, changes=True, help=_ADOPT)
def create_ecs_cluster(run: Run, adopt: bool = False) -> None:
    """Create the ECS cluster."""
    _converge(run, _stack(run, "cluster"), adopt)


@command(json=True, changes=True, help=_ADOPT)
def create_task_definition(run: Run, adopt: bool = False) -> None:
    """Register the task definition.

    And create or repair the roles, the log group and the repository that it names. The image stays that of the
    revision before: inv deploy decides it.
    """
    _converge(run, _stack(run, "task-definition"), adopt)


@command(json=True, changes=True, help=_ADOPT)
def create_fargate_service(run: Run, adopt: bool = False) -> None:
    """Create or repair the ECS service.

    With its auto scaling, where the settings have one, and everything that it stands on.
    """
    _converge(run, _stack(run, "service", "scalable-target"), adopt)


@command(json=True, changes=True, help={"data": "delete the images and the logs too"})
def teardown(run: Run, data: bool = False) -> None:
    """Delete everything with the stack's tag.

    In the order of the dependencies. Images and logs stay unless --data says otherwise; what was adopted stays, and
    loses the tag.
    """
    from .. import report
    from ..apprunner.cutover import led_here
    from ..converge import apply, dependents, plan_removal, read, verify_removal

    whole = _everything(run, removing=True)
    live = read(run.aws, whole)
    others = dependents(run.aws, whole, live)
    made = left = plan_removal(whole, live, others, keep_data=not data)
    run.tell_settings()
    if not run.json:
        run.console.say(report.heading(run.aws.account, run.aws.region, run.settings, run.aws.endpoint_url))
        run.console.say()
    run.console.say(report.removal(made))
    applied = bool(made.changes) and not run.dry_run
    if made.changes and (led := led_here(run.aws, run.settings)):
        run.console.say(f"! {', '.join(led)}: DNS still leads visitors here; run inv cutover --back first.")
    if applied:
        run.ask(f"{_leave_to_remove(made)}?", destroys=True)
        apply(run.aws, made, lambda change: run.console.say(report.change_done(change)))
        left = verify_removal(run.aws, whole, others, keep_data=not data)
    if run.json:
        before = _total(_cost_now(run, made.live))
        run.console.json(report.plan_json(made, applied=applied, url=None, before=before, after=0.0))
    elif not run.dry_run:
        run.console.say(_teardown_words(made, left))


def _leave_to_remove(made: Plan) -> str:
    deleted, released = made.count("delete"), made.count("release")
    told = [f"Delete these {deleted}"] if deleted else []
    return " and ".join([*told, *([f"let go of {released} that stay"] if released else [])])


def _teardown_words(made: Plan, left: Plan) -> str:
    """What has been done, and what stands now."""
    gone = "Nothing else of the stack is left." if left.kept else "Nothing of the stack is left."
    told = [gone if made.changes else "Nothing to do."]
    if left.kept:
        data = any(resource.holds_data for resource in left.kept)
        hint = " (inv teardown --data deletes those that belong to the stack)" if data else ""
        told.append(f"Kept: {', '.join(resource.label for resource in left.kept)}{hint}.")
    return " ".join(told)


def _stack(run: Run, *kinds: str) -> Stack:
    """The whole stack, or the resources of these kinds and what they stand on."""
    from .. import stack

    whole = stack.build(run.settings, run.aws.account, run.aws.partition)
    return whole.slice(kinds) if kinds else whole


def _everything(run: Run, *, removing: bool = False) -> Stack:
    """The whole stack, with GitHub's access where the settings name a repository or it was set up before."""
    from .. import stack

    if not access.is_there(run):
        return _stack(run)
    settings = run.settings if removing else access.with_repository(run)
    return stack.build_access(settings, run.aws.account, run.aws.partition) + _stack(run)


def _planned(run: Run, stack: Stack, adopt: bool) -> Plan:
    from ..converge import plan, read

    return plan(stack, read(run.aws, stack), adopt=adopt)


def _converge(run: Run, stack: Stack, adopt: bool) -> None:
    """Read, plan, show, ask, apply, verify, and say what stands now."""
    live, made, applied = _converge_quietly(run, stack, adopt)
    if run.json:
        _answer(run, stack, made, live, applied=applied)
    elif not run.dry_run:
        _conclude(run, live, made)


def _converge_quietly(
    run: Run, stack: Stack, adopt: bool
) -> tuple[Mapping[Resource, Live | None], Plan, bool]:
    """Read, plan, show, ask, apply, verify: what there is now, the plan, and whether it was applied."""
    from .. import report
    from ..converge import apply, refuse_impossible, verify
    from ..rollout import keep_serving

    made = _planned(run, stack, adopt)
    live = made.live
    _show(run, stack, made, run.console.say)
    refuse_impossible(made)
    applied = bool(made.changes) and not run.dry_run
    if applied:
        _ask_first(run, made)
        run.ask(f"Make these {len(made.changes)} changes?", destroys=made.count("delete") > 0)
        if any("lifecycle" in change.changed for change in made.changes):
            keep_serving(run.aws, run.settings, run.console.say)  # before a policy that would take it
        apply(run.aws, made, lambda change: run.console.say(report.change_done(change)))
        live = verify(run.aws, stack).live
    return live, made, applied


def _ask_first(run: Run, made: Plan) -> None:
    """What the account may lack for ever, where AWS can be asked: NotReadyError before anything is made."""
    from .. import report
    from ..doctor import consult
    from ..errors import NotReadyError

    if not any(change.action == "create" and change.resource.kind == "service" for change in made.changes):
        return
    checks, _ = consult(run.aws, run.settings, ["account.vcpus"])
    check = checks["account.vcpus"]
    if check.status == "fail":
        raise NotReadyError(f"{check.saw}.", "nothing was created", check.fix or "", code="quota")
    if check.status == "skip":
        run.console.say(f"! not checked: {report.unchecked(check)}\n  → {report.unchecked_fix(check)}")
    elif check.status == "warn":
        run.console.say(f"! {check.saw}")


def _show(run: Run, stack: Stack, made: Plan, tell: Callable[[RenderableType], None]) -> None:
    from .. import report

    if run.json:
        return
    run.tell_settings()
    tell(report.heading(run.aws.account, run.aws.region, run.settings, run.aws.endpoint_url))
    tell("")
    tell(report.plan(made))
    now, then = _cost_now(run, made.live), _cost_then(run, stack, made.live)
    if then and made.changes and _total(now) != then.total:
        tell("")
        tell(report.cost(now, then))


def _answer(
    run: Run, stack: Stack, made: Plan, live: Mapping[Resource, Live | None], *, applied: bool, **more: Any
) -> None:
    from .. import report

    before, after = _total(_cost_now(run, made.live)), _total(_cost_then(run, stack, made.live))
    told = report.plan_json(made, applied=applied, url=report.url_of(live), before=before, after=after)
    run.console.json({**told, **more})


def _cost_now(run: Run, live: Mapping[Resource, Live | None]) -> Cost | None:
    """What is there now costs, of the resources that were looked at."""
    from ..cost import monthly_cost

    found = {resource.kind: each for resource, each in live.items() if each}
    if "load-balancer" not in found:
        return None
    service: Any = found["service"].raw if "service" in found else {}
    size = _size_now(run, found["task-definition"].raw) if "task-definition" in found else run.settings
    return monthly_cost(size, tasks=service.get("desiredCount", 0))


def _size_now(run: Run, definition: Mapping[str, Any]) -> Settings:
    """The settings, but with the size of the tasks as it is registered."""
    architecture = definition.get("runtimePlatform", {}).get("cpuArchitecture", "X86_64")
    size = {"cpu": int(definition["cpu"]), "memory": int(definition["memory"]), "architecture": architecture}
    return run.settings.model_copy(update={"task": run.settings.task.model_copy(update=size)})


def _cost_then(run: Run, stack: Stack, live: Mapping[Resource, Live | None]) -> Cost | None:
    """What these resources will cost; a service that is there keeps its count, a new one has its first release."""
    from ..cost import monthly_cost

    services = {resource.kind: resource for resource in stack.resources}
    if "load-balancer" not in services:
        return None
    if "service" not in services:
        return monthly_cost(run.settings, tasks=0)
    found = live[services["service"]]
    return monthly_cost(run.settings, tasks=found.raw.get("desiredCount") or None if found else None)


def _total(cost: Cost | None) -> float:
    return cost.total if cost else 0.0


def _conclude(run: Run, live: Mapping[Resource, Live | None], made: Plan) -> None:
    """What stands now, and what to do next; the address last."""
    from .. import report

    service = next((found for each, found in live.items() if each.kind == "service"), None)
    if made.changes:
        run.console.say(f"Done: {len(made.changes)} changes made and verified.")
    else:
        run.console.say("Nothing to do: everything matches the settings.")
    if service is not None and not service.raw.get("desiredCount"):
        run.console.say("No release yet.  Next:  inv push-image --tag T   then   inv deploy --tag T")
    elif any(change.resource.kind == "task-definition" for change in made.changes):
        run.console.say("Running tasks keep their revision until the next inv deploy.")
    if any(each.kind == "certificate" and not found for each, found in live.items()):
        run.console.say(f"{', '.join(run.settings.domains)}: no certificate yet.  Next:  inv cutover")
    if url := report.url_of(live):
        run.console.show(url)
