"""Tasks that bring the account to what the settings say, and that take it away again."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..cli.command import Run, command

if TYPE_CHECKING:
    from collections.abc import Callable

    from rich.console import RenderableType

    from ..apprunner.cutover import LedDomains
    from ..converge import Changes, Convergence, Plan
    from ..cost import Cost
    from ..stack import Stack

_ADOPT = {"adopt": "adopt resources that have the stack's names but not its tag"}


@command(json=True, help={**_ADOPT, "detailed-exitcode": "exit code 8 if there are changes"})
def plan(run: Run, adopt: bool = False, detailed_exitcode: bool = False) -> int | None:
    """Show what would change, why, and the cost.

    Reads the account and changes nothing. Exit code with --detailed-exitcode: 0 no changes, 8 changes; 5 if
    inv setup-fargate would refuse.
    """
    from .. import stack
    from ..converge import Convergence, Dialogue, bring

    def show(made: Plan) -> None:
        _show(run, made, run.console.show)
        _answer(run, Convergence(made, made, applied=False))

    whole = stack.build_all(run.aws, run.settings_to_build, run.environ)
    made = bring(run.aws, whole, Dialogue(show), adopt=adopt, dry_run=True).plan
    if made.changes:
        run.console.say(f"\nApply it:  inv setup-fargate{' --adopt' if adopt else ''}")
    return 8 if detailed_exitcode and made.changes else None


@command(json=True, changes=True, help=_ADOPT)
def setup_fargate(run: Run, adopt: bool = False) -> None:
    """Create or repair everything.

    Roles, log group, repository, security groups, load balancer, cluster, task definition and service. The service
    is created without tasks, even if the repository has images; inv deploy starts the first release.
    """
    _setup(run, _stack(run), adopt)


@command(json=True, changes=True, help=_ADOPT)
def setup_aws(run: Run, adopt: bool = False) -> None:
    """Let GitHub deploy, and set up everything.

    The OIDC identity provider, the role that workflows of this repository assume, and all that setup-fargate
    creates. Prints the variables that the repository needs; there is no access key to store.
    """
    from .. import report, stack

    run.settings = stack.access.with_repository(run.settings, run.environ)
    account, partition = run.aws.account, run.aws.partition
    role = stack.access.role_arn(run.settings, account, partition)
    done = _bring(run, stack.build_access(run.settings, account, partition) + _stack(run), adopt)
    _conclude(run, done, github=report.access_json(run.settings, role))
    if not run.dry_run:
        run.console.say(report.access(run.settings))
        run.console.show(report.variable_lines(run.settings, role))
        run.console.say(report.access_next(run.settings, role))


@command(json=True, changes=True, help=_ADOPT)
def create_iam_policies(run: Run, adopt: bool = False) -> None:
    """Create or repair the two roles.

    The execution role pulls the image, writes the logs and reads the secrets; the task role is the app's own.
    """
    _setup(run, _stack(run, "role"), adopt)


@command(json=True, changes=True, help=_ADOPT)
def create_security_groups(run: Run, adopt: bool = False) -> None:
    """Create or repair the security groups.

    Visitors reach the load balancer; only the load balancer reaches the tasks.
    """
    _setup(run, _stack(run, "security-group"), adopt)


@command(json=True, changes=True, help=_ADOPT)
def setup_application_load_balancer(run: Run, adopt: bool = False) -> None:
    """Create or repair the load balancer.

    Includes its target group, listener and security group, and, if front.kind is cloudfront, what CloudFront needs.
    """
    front = ("vpc-origin", "distribution", "security-group-rule")
    _setup(run, _stack(run, "listener", "target-group", *front), adopt)


@command(json=True, changes=True, help=_ADOPT)
def create_ecs_cluster(run: Run, adopt: bool = False) -> None:
    """Create the ECS cluster."""
    _setup(run, _stack(run, "cluster"), adopt)


@command(json=True, changes=True, help=_ADOPT)
def create_task_definition(run: Run, adopt: bool = False) -> None:
    """Register the task definition.

    Also creates or repairs the roles, the log group and the repository that it names. The image stays that of the
    previous revision: only inv deploy changes it.
    """
    _setup(run, _stack(run, "task-definition"), adopt)


@command(json=True, changes=True, help=_ADOPT)
def create_fargate_service(run: Run, adopt: bool = False) -> None:
    """Create or repair the ECS service.

    Includes auto scaling, if the settings define it, and everything that the service depends on.
    """
    _setup(run, _stack(run, "service", "scalable-target"), adopt)


@command(json=True, changes=True)
def remove_old_load_balancer(run: Run) -> None:
    """End a change of front.kind.

    Setup has created the other load balancer beside the old one, and both serve. This deletes the old one with what
    belongs to it: its address stops answering. Refused while the new one does not serve, or while DNS leads a domain to
    the old one.
    """
    from .. import report, stack
    from ..apprunner.cutover import leave_former, public_lookup, refuse_led_to_former
    from ..converge import Dialogue, bring, refuse_unready

    settings = run.settings_to_build
    led = refuse_led_to_former(run.aws, settings, public_lookup(run.aws))
    _tell_dns(run, led)

    def ask(made: Plan) -> None:
        run.ask(report.farewell(made), destroys=True)
        if not led.is_unread:
            leave_former(run.aws, settings)

    dialogue: Changes = Dialogue(
        show=lambda made: _show(run, made, run.console.say),
        ask=ask,
        done=lambda change: run.console.say(report.change_done(change)),
    )
    where = run.aws.account, run.aws.partition
    refuse_unready(run.aws, stack.build(settings, *where))
    left = stack.build(settings, *where, leaves_former=True)
    _conclude(run, bring(run.aws, left, dialogue, dry_run=run.dry_run), led)


@command(json=True, changes=True, help={"data": "delete the images and the logs too"})
def teardown(run: Run, data: bool = False) -> None:
    """Delete everything with the stack's tag.

    In the order of the dependencies. Images and logs stay unless --data says otherwise; what was adopted stays, and
    loses the tag.
    """
    from .. import report, stack
    from ..converge import Dialogue, remove
    from ..cost import current_cost

    led: LedDomains | None = None

    def show(made: Plan) -> None:
        nonlocal led
        led = _show_removal(run, made)

    whole = stack.build_all(run.aws, run.settings_to_build, run.environ, removing=True)
    dialogue: Changes = Dialogue(
        show=show,
        ask=lambda made: run.ask(report.removal_question(made), destroys=True),
        done=lambda change: run.console.say(report.change_done(change)),
    )
    done = remove(run.aws, whole, dialogue, keep_data=not data, dry_run=run.dry_run)
    if run.json:
        before = current_cost(run.settings, done.plan.live)
        run.console.json(
            report.plan_json(done.plan, applied=done.applied, url=None, before=before, after=None, led=led)
        )
    elif not run.dry_run:
        run.console.say(report.removed(done))


def _stack(run: Run, *kinds: str) -> Stack:
    """The whole stack, or the resources of these kinds and what they stand on."""
    from .. import stack

    whole = stack.build(run.settings_to_build, run.aws.account, run.aws.partition)
    return whole.slice(kinds) if kinds else whole


def _setup(run: Run, stack: Stack, adopt: bool) -> None:
    _conclude(run, _bring(run, stack, adopt))


def _bring(run: Run, stack: Stack, adopt: bool) -> Convergence:
    """Bring the account to the stack, with the person's leave."""
    from .. import report
    from ..converge import Dialogue, bring

    dialogue: Changes = Dialogue(
        show=lambda made: _show(run, made, run.console.say),
        ask=lambda made: _ask(run, made),
        done=lambda change: run.console.say(report.change_done(change)),
    )
    return bring(run.aws, stack, dialogue, adopt=adopt, dry_run=run.dry_run)


def _ask(run: Run, made: Plan) -> None:
    """Get leave, and see to what has to be known, or kept, before anything is changed."""
    from .. import doctor, report
    from ..rollout import keep_serving

    if made.creates("service") and (told := report.caution(doctor.vcpus(run.aws, run.settings))):
        run.console.say(told)
    if made.lockout and made.lockout.code == "own-address-not-allowed":
        run.ask(report.lockout_question(made.lockout))
    run.ask(report.question(made), destroys=made.count("delete") > 0)
    if made.alters("lifecycle"):
        keep_serving(run.aws, run.settings, run.console.say)  # before a policy that would take it


def _show(run: Run, made: Plan, tell: Callable[[RenderableType], None]) -> None:
    from .. import report

    if run.json:
        return
    _head(run, tell)
    tell(report.plan_and_cost(made, *_costs(run, made)))


def _costs(run: Run, made: Plan) -> tuple[Cost | None, Cost | None]:
    """The monthly cost now, and once the plan is applied."""
    from ..cost import current_cost, planned_cost

    return current_cost(run.settings, made.live), planned_cost(run.settings, made.afterwards)


def _show_removal(run: Run, made: Plan) -> LedDomains:
    """Show the plan, and the domains whose DNS leads visitors to what it deletes."""
    from .. import report
    from ..apprunner.cutover import LedDomains, domains_here, public_lookup

    _head(run, run.console.say)
    run.console.say(report.removal(made))
    led = (
        domains_here(run.aws, run.located_settings, public_lookup(run.aws)) if made.changes else LedDomains()
    )
    _tell_dns(run, led)
    return led


def _tell_dns(run: Run, led: LedDomains) -> None:
    from .. import report

    for line in report.dns_lines(led):
        run.console.say(line)


def _head(run: Run, tell: Callable[[RenderableType], None]) -> None:
    from .. import report

    run.tell_settings()
    tell(report.heading(run.aws.account, run.aws.region, run.settings, run.aws.endpoint_url))
    tell("")


def _answer(run: Run, done: Convergence, led: LedDomains | None = None, **more: Any) -> None:
    """The one object of ``--json``."""
    from .. import report

    if run.json:
        before, after = _costs(run, done.plan)
        url = report.url_of(done.now.live, run.settings)
        told = report.plan_json(done.plan, applied=done.applied, url=url, before=before, after=after, led=led)
        run.console.json({**told, **more})


def _conclude(run: Run, done: Convergence, led: LedDomains | None = None, **more: Any) -> None:
    """What stands now, and what to do next; the address last."""
    from .. import report

    _answer(run, done, led, **more)
    if run.dry_run:
        return
    run.console.say(report.brought(done, run.settings))
    if url := report.url_of(done.now.live, run.settings):
        run.console.show(url)
