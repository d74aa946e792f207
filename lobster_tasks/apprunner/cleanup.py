"""Pauses an App Runner service, or deletes it with the resources that only it uses, once all gates pass.

``plan_cleanup`` reads and changes nothing; ``carry_out`` makes the changes of the plan, and ``clean_up`` does both
with a confirmation. Both use the account's current state, so that the same command continues an interrupted run.
After the service is deleted, its saved description names the resources that it may have left behind; whether they
still exist is read from the account.

This is not the removal of a stack (``converge.remove``): there the settings describe the resources, which know their
dependencies, and tags show their owner. Here only the service is described, the resources that only it used are
found by reading all other services, and App Runner determines the order of deletion. The dialogue is the same.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlsplit

from ..aws import Aws
from ..converge import Dialogue
from ..doctor.check import Check
from ..errors import LobsterError, OutOfTimeError, RefusedError
from ..settings import Settings, service_name
from . import cutover, gates, owned_resources, saved, services
from .owned_resources import KeptResource, OwnedResource, OwnedResources
from .parity import Parity, compare_service, named_service

_SETTLED_WITHIN_SECONDS = 900.0
_BETWEEN_SECONDS = 2.0
_BUSY = "OPERATION_IN_PROGRESS"
_GONE = ("ResourceNotFoundException",)
_OURS = ("PAUSE_SERVICE", "DELETE_SERVICE")
_UNDER_WAY = ("PENDING", "IN_PROGRESS")
_FREE_WITHIN_SECONDS = 120.0

AwsDict = Mapping[str, Any]
Say = Callable[[str], None]
Action = Literal["pause", "delete", "none"]


@dataclass(frozen=True)
class CleanupPlan:
    """The service and what to do with it. ``arn`` is empty once the service is deleted.

    ``routes`` are made simple records first; ``ingress`` and the service itself go before ``owned``. ``host`` is
    the service's own; ``parity`` is None where it was not asked for.
    """

    name: str
    arn: str
    status: str
    action: Action
    gates: tuple[Check, ...] = ()
    ingress: tuple[OwnedResource, ...] = ()
    owned: OwnedResources = field(default_factory=OwnedResources)
    parity: Parity | None = None
    host: str = ""
    routes: tuple[cutover.Route, ...] = ()

    @property
    def going(self) -> tuple[OwnedResource, ...]:
        """All resources to delete, in their order."""
        if self.action != "delete":
            return ()
        service = (OwnedResource("service", self.name, self.arn),) if self.arn else ()
        return (*self.ingress, *service, *self.owned.going)

    @property
    def kept(self) -> tuple[KeptResource, ...]:
        """The resources that the service uses and that are kept."""
        return self.owned.kept

    @property
    def failed(self) -> tuple[Check, ...]:
        """The gates that failed."""
        return tuple(gate for gate in self.gates if gate.status == "fail")


@dataclass(frozen=True)
class CleanupResult:
    """What was looked at, whether it was carried out, and the file of the description."""

    plan: CleanupPlan
    applied: bool
    description: Path | None = None


def clean_up(
    aws: Aws,
    settings: Settings,
    given: str,
    folder: Path,
    dialogue: Dialogue[CleanupPlan, str] | None = None,
    *,
    compared: Callable[[CleanupPlan], None] = lambda _: None,
    delete: bool = False,
    accept: Collection[str] = (),
    look_up: cutover.LookUp | None = None,
    dry_run: bool = False,
) -> CleanupResult:
    """Plan, show, ask for confirmation, compare once more, and pause or delete the service.

    ``compared`` gets the plan with the last gate. A ``dry_run``, or a failed gate, ends it before anything is
    changed.
    """
    dialogue = dialogue or Dialogue()
    found = plan_cleanup(aws, settings, given, folder, delete=delete, accept=accept, look_up=look_up)
    dialogue.show(found)
    if found.action == "none" or dry_run or found.failed:
        return CleanupResult(found, applied=False)
    dialogue.ask(found)
    found = with_parity_gate(aws, settings, found)
    compared(found)
    if found.failed:
        return CleanupResult(found, applied=False)
    return CleanupResult(found, True, carry_out(aws, settings, found, folder, dialogue.done))


def plan_cleanup(
    aws: Aws,
    settings: Settings,
    requested: str,
    folder: Path,
    *,
    delete: bool = False,
    accept: Collection[str] = (),
    look_up: cutover.LookUp | None = None,
) -> CleanupPlan:
    """Read the service, the gates, and the resources that only the service used. Sends no request to it.

    ``accept`` are codes of ``gates`` that do not fail one. ``look_up`` asks public DNS; None for an embedded AWS.
    Raises RefusedError where the service does not exist and none was saved in ``folder``, or where it is busy.
    """
    name = named_service(settings.apprunner, requested)
    service = _service(aws, name)
    if service is None or service["Status"] == "DELETED":
        return _after(aws, settings, name, folder, delete)
    arn, status = service["ServiceArn"], service["Status"]
    if status == "PAUSED" and not delete:
        return CleanupPlan(service["ServiceName"], arn, status, "none")
    if status != "RUNNING" and not delete:
        raise RefusedError(
            f"{service['ServiceName']} is {status}; only a running service can be paused.",
            next_step="inv cleanup-apprunner --delete",
        )
    served = gates.custom_domains(aws, arn)
    names = cutover.hosted_domains(aws, tuple(dict.fromkeys((*settings.domains, *served))))
    former = gates.read_former(aws, settings) if served or (delete and names.zones) else ()
    plan = CleanupPlan(
        service["ServiceName"],
        arn,
        status,
        "delete" if delete else "pause",
        gates.examine(aws, settings, service, served, names, accept, look_up, former),
    )
    if not delete:
        return plan
    return replace(
        plan,
        ingress=_ingress(aws, arn),
        owned=owned_resources.classify(aws, settings, service),
        host=service["ServiceUrl"],
        routes=_routes(aws, settings, service["ServiceUrl"], names, former),
    )


def _routes(
    aws: Aws,
    settings: Settings,
    host: str,
    names: cutover.HostedDomains,
    former: Sequence[cutover.Destination],
) -> tuple[cutover.Route, ...]:
    """The pairs without visitors at App Runner: they are at the new address, or at a former one of the stack."""
    if not host or not names.zones:
        return ()
    used = (cutover.destination_name(aws, settings), *(each.dns_name for each in former))
    return tuple(route for name in used for route in cutover.idle_pairs(names, host, name))


def _service(aws: Aws, given: str) -> AwsDict | None:
    """The service, once a pause or deletion in progress has ended; None where it does not exist."""
    try:
        arn = services.find(aws, given)
    except RefusedError:
        return None
    found = aws.find("apprunner:DescribeService", _GONE, arn, ServiceArn=arn)
    if found is None or found["Service"]["Status"] != _BUSY:
        return found and found["Service"]
    operations = aws.pages("apprunner:ListOperations", "OperationSummaryList", arn, ServiceArn=arn)
    if not operations or operations[0]["Type"] not in _OURS or operations[0]["Status"] not in _UNDER_WAY:
        services.refuse_unsettled(found["Service"], operations)
    return _settled(aws, arn)


def _after(aws: Aws, settings: Settings, given: str, folder: Path, delete: bool) -> CleanupPlan:
    """The plan after the service is deleted: the resources that it may have left behind, by its saved description."""
    name = service_name(given)
    known = saved.load(folder, name)
    if known is None:
        services.find(aws, given)  # raises an error that lists the services
        raise services.no_such_arn(given)
    found, host = owned_resources.classify(aws, settings, known), known.get("ServiceUrl", "")
    names = cutover.hosted_domains(aws, settings.domains)
    routes = _routes(aws, settings, host, names, gates.read_former(aws, settings) if names.zones else ())
    action: Action = "delete" if delete and (found.going or routes) else "none"
    return CleanupPlan(name, "", "DELETED", action, owned=found, host=host, routes=routes)


def _ingress(aws: Aws, arn: str) -> tuple[OwnedResource, ...]:
    operation, member = "apprunner:ListVpcIngressConnections", "VpcIngressConnectionSummaryList"
    found = aws.pages(operation, member, arn, Filter={"ServiceArn": arn})
    arns = [each["VpcIngressConnectionArn"] for each in found]
    return tuple(OwnedResource("VPC-ingress-connection", each.split("/")[1], each) for each in arns)


def with_parity_gate(aws: Aws, settings: Settings, found: CleanupPlan) -> CleanupPlan:
    """The plan with the last gate: the new service answers like the old one, which must be running.

    Not checked where visitors of the new service sign in first, except that they are asked to.
    """
    if found.status != "RUNNING":
        return replace(found, gates=(*found.gates, Check("parity.rows", "skip", f"it is {found.status}")))
    service = aws.call("apprunner:DescribeService", found.arn, ServiceArn=found.arn)["Service"]
    made = compare_service(aws, settings, service)
    return replace(found, gates=(*found.gates, _parity_gate(made)), parity=made)


def _parity_gate(made: Parity) -> Check:
    if made.ok and made.sign_in:
        asked = ", ".join(row.what for row in made.rows)
        saw = (
            f"visitors of the new service sign in first, at {urlsplit(made.sign_in).netloc}; each of these led there, "
            f"and what the app answers behind the sign-in was not compared: {asked}"
        )
        return Check("parity.rows", "skip", saw, f"sign in at {made.new} and use the app")
    counts = f"{made.count('same')} the same, {made.count('better')} better"
    differ = ", ".join(f"{row.what} ({row.old} → {row.new})" for row in made.rows if row.verdict == "differs")
    saw = f"{counts}, different: {differ or 'nothing'}"
    return Check(
        "parity.rows", "pass" if made.ok else "fail", saw, None if made.ok else "inv compare-apprunner"
    )


def refuse_failed_gates(found: CleanupPlan) -> None:
    """Raise RefusedError if a gate failed."""
    if found.failed:
        reasons = "; ".join(gate.saw for gate in found.failed)
        next_step = next((gate.fix for gate in found.failed if gate.fix), "")
        raise RefusedError(f"{found.name} does not change.", reasons, next_step or "")


def carry_out(aws: Aws, settings: Settings, found: CleanupPlan, folder: Path, say: Say) -> Path | None:
    """Save the description, then pause or delete; returns the file of the description.

    Raises OutOfTimeError where AWS is still at work when the time is up; the same command then continues.
    """
    described = saved.save(aws, found.arn, folder) if found.arn else None
    if described:
        say(f"described in {described.name}")
    if found.action == "pause":
        _pause(aws, found, say)
    elif found.action == "delete":
        _delete(aws, settings.domains, found, say)
    return described


def _pause(aws: Aws, found: CleanupPlan, say: Say) -> None:
    aws.call("apprunner:PauseService", found.name, ServiceArn=found.arn)
    _expect(_settled(aws, found.arn), "PAUSED")
    say(f"paused service {found.name}")


def _delete(aws: Aws, domains: Sequence[str], found: CleanupPlan, say: Say) -> None:
    if found.routes:
        cutover.finish(aws, found.routes, found.host, domains)
        names = ", ".join(dict.fromkeys(route.domain for route in found.routes))
        say(f"removed the records that led to App Runner: {names}")
    for each in found.ingress:
        _delete_ingress(aws, each)
        say(f"deleted {each.noun} {each.name}")
    if found.arn:
        aws.find("apprunner:DeleteService", _GONE, found.name, ServiceArn=found.arn)
        _expect(_settled(aws, found.arn), "DELETED")
        say(f"deleted service {found.name}")
    for each in found.owned.going:
        _remove(aws, each)
        say(f"deleted {each.noun} {each.name}")


def _remove(aws: Aws, thing: OwnedResource) -> None:
    """Delete one resource; App Runner needs a moment to see that a deleted service does not use it."""
    passing = {"InvalidRequestException": ("in use",)}
    aws.retry_while(lambda: owned_resources.remove(aws, thing), passing, _FREE_WITHIN_SECONDS)


def _delete_ingress(aws: Aws, thing: OwnedResource) -> None:
    named = {"VpcIngressConnectionArn": thing.id}

    def status() -> str:
        found = aws.find("apprunner:DescribeVpcIngressConnection", _GONE, thing.name, **named)
        return str(found["VpcIngressConnection"]["Status"]) if found else "DELETED"

    # After an interrupted run: AWS refuses a second deletion.
    if status() not in ("PENDING_DELETION", "DELETED"):
        aws.find("apprunner:DeleteVpcIngressConnection", _GONE, thing.name, **named)
    _until(aws, lambda: status() == "DELETED", f"{thing.noun} {thing.name}")


def _settled(aws: Aws, arn: str) -> AwsDict | None:
    """The service once no operation is in progress; None where AWS no longer knows it."""
    seen: list[AwsDict | None] = []

    def look() -> bool:
        found = aws.find("apprunner:DescribeService", _GONE, arn, ServiceArn=arn)
        seen.append(found and found["Service"])
        return found is None or found["Service"]["Status"] != _BUSY

    _until(aws, look, f"service {arn.split('/')[1]}")
    return seen[-1]


def _until(aws: Aws, done: Callable[[], bool], about: str) -> None:
    if not aws.clock.poll(done, _SETTLED_WITHIN_SECONDS, _BETWEEN_SECONDS):
        minutes = _SETTLED_WITHIN_SECONDS / 60
        raise OutOfTimeError(
            f"App Runner has not finished {about} after {minutes:.0f} minutes.",
            next_step="run the same command again; it continues from there",
        )


def _expect(service: AwsDict | None, status: str) -> None:
    now = service["Status"] if service else "DELETED"
    if now != status:
        name = service["ServiceName"] if service else "the service"
        raise LobsterError(
            f"{name} is {now}, not {status}.",
            "App Runner's operation failed",
            "read its log group …/service, then run the same command again",
        )
