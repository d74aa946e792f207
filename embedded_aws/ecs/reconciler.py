"""Moves one service one step towards its desired state, like the Amazon ECS service scheduler.

Source: Developer Guide, "Deploy Amazon ECS services by replacing tasks" (minimum and maximum percent) and
"Amazon ECS services" (unhealthy tasks: replacements first where maximumPercent allows).
Called with the data plane's lock held, on every tick.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from math import inf

from ..elbv2.balancer import Balancer
from . import breaker, launch, texts
from .capacity import Capacity
from .model import Deployment, EcsState, Service, Task, monotonic, now

UNCHECKED_WAIT = 40.0
"""AWS seconds after which a running task without any health check counts as healthy (API: minimumHealthyPercent)."""

PATIENCE = 3
"""Consecutive start failures before ECS waits longer between attempts."""

FIRST_BACKOFF, LONGEST_BACKOFF = 15.0, 1620.0
"""AWS seconds between attempts ("incrementally increased up to a maximum of 27 minutes", "Service throttle
logic")."""

REFUSED_BACKOFF = 20.0
"""The same where no task could be created: a new role can be assumed after a minute."""

PLACEMENT = 900.0
"""AWS seconds without a placed task that count as one failure: ECS tries often, and counts rarely."""

STARTED_AT_ONCE = 10
"""Tasks of a service that start in one step, during which all calls wait."""

Starter = Callable[[EcsState, Service, Deployment], Task]


@dataclass(frozen=True)
class PlacementFailure:
    """Why no task was created; ``may_pass``: because of missing capacity, not because of the task itself."""

    event: str
    may_pass: bool


@dataclass
class ServiceReconciler:
    """One step of a service."""

    balancer: Balancer
    capacity: Capacity
    state: EcsState
    service: Service
    start_task: Starter
    started: list[Task] = field(default_factory=list)
    halted: bool = False
    well: set[str] = field(default_factory=set)

    def take(self) -> None:
        """Count tasks, start and stop some, and complete deployments."""
        service = self.service
        if service.status == "INACTIVE":
            return
        self._begin_deployment()
        self._note_failures()
        self.well = {task.id for task in service.tasks if self._serves(task)}
        for task in service.tasks:
            if task.live and task.last_status == "RUNNING":
                self._examine(task)
        self._balance()
        self._tell_changes()
        self._settle()
        service.tasks = [task for task in service.tasks if task.last_status != "STOPPED" or not task.counted]

    # Deployments

    @property
    def current(self) -> Deployment | None:
        """The deployment that is maintained: the newest, or after a failure the last completed one."""
        primary = self.service.primary
        if primary.rollout != "FAILED":
            return primary
        good = self.service.last_good
        return good if good in self.service.deployments else None

    def _begin_deployment(self) -> None:
        deployment = self.service.primary
        record = deployment.record
        breaker.end_requested(self.service, deployment)
        if record.status == "PENDING":
            record.status, record.stage = "IN_PROGRESS", "SCALE_UP"
            record.started_at = record.updated_at = now()

    def _settle(self) -> None:
        service, current = self.service, self.current
        for deployment in service.deployments:
            deployment.desired = self._desired(deployment)
        if service.status == "DRAINING":
            self._retire()
            return
        if not self._is_as_desired() or self.state.plane.faults.delays_steady_state(
            self.state.plane.pace.speed
        ):
            service.steady = False
            return
        if current is service.primary and current.rollout == "IN_PROGRESS":
            breaker.complete(service, current)
        if not service.steady:
            service.steady = True
            service.tell(texts.steady(service.name))

    def _desired(self, deployment: Deployment) -> int:
        if deployment is self.current:
            return self.service.desired
        return sum(task.live for task in self.service.of(deployment.revision))

    def _is_as_desired(self) -> bool:
        current, desired = self.current, self.service.desired
        if current is None:
            return False
        mine = self.service.of(current.revision)
        healthy = sum(self.healthy(task) for task in mine)
        if healthy >= desired:
            current.record.stage = "CLEAN_UP"
        others = [
            task
            for task in self.service.tasks
            if task.revision is not current.revision and task.last_status != "STOPPED"
        ]
        return healthy == len(mine) == desired and not others

    def _retire(self) -> None:
        if all(task.last_status in ("STOPPING", "DEPROVISIONING", "STOPPED") for task in self.service.tasks):
            self.service.status = "INACTIVE"
            self.service.deployments = []

    # Health

    def healthy(self, task: Task) -> bool:
        """Whether a task counts for the minimum healthy percent."""
        return task.live and task.id in self.well

    def _serves(self, task: Task) -> bool:
        if not task.live or task.last_status != "RUNNING":
            return False
        checks = [one for one in task.containers if one.essential and "healthCheck" in one.definition]
        if any(one.health != "HEALTHY" for one in checks):
            return False
        if task.placement.load_balancers:
            return len(task.targets) > 0 and all(self._state(t) == "healthy" for t in self._targets(task))
        return bool(checks) or task.was_healthy or self._outlived_its_start(task)

    def _outlived_its_start(self, task: Task) -> bool:
        """Whether it ran for as long as a program that crashes at its start takes to crash.

        Time that a program waited for a processor does not count: on a busy machine it crashes later.
        """
        pace = self.state.plane.pace
        needed = pace.real(UNCHECKED_WAIT, at_least=min(UNCHECKED_WAIT, pace.boot_allowance / 2))
        ran = self._running_for(task)
        return ran >= needed and ran - _longest_wait(task) >= needed

    def _targets(self, task: Task) -> Iterable[tuple[str, str, int]]:
        return ((target.group, target.ip, target.port) for target in task.targets)

    def _state(self, target: tuple[str, str, int]) -> str:
        seen = self.balancer.health(*target)
        return seen.state if seen else "unused"

    def _running_for(self, task: Task) -> float:
        return monotonic() - (task.running_since or monotonic())

    def _examine(self, task: Task) -> None:
        if self.healthy(task):
            task.complaint = None
            if not task.was_healthy:
                task.was_healthy = True
                self._on_healthy(task)
            return
        if self._running_for(task) < self.state.plane.pace.for_program(self.service.grace):
            return
        complaint = self._complaint(task)
        if complaint and not task.complaint:
            self._count(task)
        task.complaint = complaint

    def _complaint(self, task: Task) -> str | None:
        """The stoppedReason of a task that fails a health check, and the event about it."""
        name = self.service.name
        for group, ip, port in self._targets(task):
            seen = self.balancer.health(group, ip, port)
            if seen is not None and seen.state == "unhealthy":
                if not task.complaint:
                    why = seen.description or "Health checks failed"
                    self.service.tell(texts.unhealthy_target(name, task.id, port, group, why))
                return texts.failed_elb(group)
        if any(one.health == "UNHEALTHY" for one in task.containers if one.essential):
            if not task.complaint:
                self.service.tell(texts.unhealthy_container(name, task.id))
            return texts.FAILED_CONTAINER_CHECKS
        return None

    def _on_healthy(self, task: Task) -> None:
        self.service.start_failures = 0
        deployment = self._deployment_of(task)
        if deployment is not None:
            breaker.count_healthy(deployment)

    # Failures

    def _note_failures(self) -> None:
        for task in self.service.tasks:
            if task.order is None or task.counted:
                continue
            task.counted = True
            if task.order.code == "TaskFailedToStart":
                self.service.tell_once(texts.unable_to_place(self.service.name, task.order.reason))
                self._back_off()
                self._count(task)
            elif task.order.code == "EssentialContainerExited":
                if not task.was_healthy:
                    self._back_off()
                self._count(task)

    def _count(self, task: Task) -> None:
        deployment = self._deployment_of(task)
        if deployment is not None:
            breaker.count_failure(self.service, deployment)

    def _deployment_of(self, task: Task) -> Deployment | None:
        return next((one for one in self.service.deployments if one.revision is task.revision), None)

    def _back_off(self, refused: bool = False) -> None:
        service = self.service
        service.start_failures += 1
        beyond = service.start_failures - (1 if refused else PATIENCE)
        if beyond >= 0:
            wait = min(LONGEST_BACKOFF, (REFUSED_BACKOFF if refused else FIRST_BACKOFF) * 2**beyond)
            service.not_before = monotonic() + self.state.plane.pace.real(wait)
        if service.start_failures >= PATIENCE:
            service.tell_once(texts.inconsistent(service.name))

    # Counts

    def _balance(self) -> None:
        current = self.current
        if current is None:
            for task in self._live():
                self._stop(task, texts.scaling(self.service.primary.id))
            return
        mine = [task for task in self._live() if task.revision is current.revision]
        bad = [task for task in mine if task.complaint]
        good = [task for task in mine if not task.complaint]
        self._grow(current, good, bad)
        self._shrink(current, good, bad)
        self._replace_old(current)

    def _live(self) -> list[Task]:
        return [task for task in self.service.tasks if task.live]

    def _grow(self, current: Deployment, good: list[Task], bad: list[Task]) -> None:
        service = self.service
        need = service.desired - len(good)
        space = max(service.maximum, service.desired if not self._old(current) else 0) - len(self._live())
        if need > 0 and monotonic() >= service.not_before:
            for _ in range(min(need, space, STARTED_AT_ONCE)):
                if not self._launch(current):
                    break
        for task in bad[: max(0, need - max(space, 0))]:
            self._stop(task, task.complaint or "")
        if need > 0 and space <= 0 and not self.halted:
            self._note_deadlock(current)

    def _launch(self, current: Deployment) -> bool:
        if refused := self._refusal(current):
            self.service.tell_once(refused.event)
            self._back_off(refused=True)
            if not refused.may_pass or self._is_unplaced():
                breaker.count_failure(self.service, current)
            return False
        self.service.unplaced_since = None
        self.started.append(self.start_task(self.state, self.service, current))
        return True

    def _is_unplaced(self) -> bool:
        """Whether no task could be placed for so long that it counts as a failure; restarts the period."""
        since = self.service.unplaced_since or monotonic()
        counts = monotonic() - since >= self.state.plane.pace.real(PLACEMENT)
        self.service.unplaced_since = monotonic() if counts else since
        return counts

    def _refusal(self, current: Deployment) -> PlacementFailure | None:
        """The event about why a task cannot be created, or None."""
        revision, name = current.revision, self.service.name
        if refused := launch.refusal(self.state, revision.definition):
            return PlacementFailure(texts.failed_to_launch(name, refused), may_pass=False)
        if refused := self.capacity.refusal(self.state, revision.definition, revision.placement):
            return PlacementFailure(texts.unable_to_place(name, refused), may_pass=True)
        return None

    def _shrink(self, current: Deployment, good: list[Task], bad: list[Task]) -> None:
        surplus = len(good) - self.service.desired
        for task in sorted(good, key=self.healthy)[: max(0, surplus)]:
            self._stop(task, texts.scaling(current.id))
        if sum(self.healthy(task) for task in good) >= self.service.desired:
            for task in bad:
                self._stop(task, task.complaint or "")

    def _old(self, current: Deployment) -> list[Task]:
        return [task for task in self._live() if task.revision is not current.revision]

    def _replace_old(self, current: Deployment) -> None:
        """Stop earlier tasks as far as minimumHealthyPercent allows, unhealthy ones first."""
        left = sum(self.healthy(task) for task in self._live())
        for task in sorted(self._old(current), key=self.healthy):
            serves = self.healthy(task)
            if not serves or left - 1 >= self.service.minimum:
                left -= serves
                self._stop(task, texts.scaling(current.id))

    def _note_deadlock(self, current: Deployment) -> None:
        stopping = any(not task.live and not task.ended for task in self.service.tasks)
        stuck = self._old(current) and not stopping and all(self.healthy(task) for task in self._live())
        healthy = sum(self.healthy(task) for task in self._live())
        if stuck and healthy - 1 < self.service.minimum and not current.deadlock_told:
            current.deadlock_told = True
            self.service.tell(texts.deadlocked(self.service.name))

    def _stop(self, task: Task, reason: str) -> None:
        if task.live:
            task.stop("ServiceSchedulerInitiated", reason)
            self.halted = True

    # Events

    def _tell_changes(self) -> None:
        service = self.service
        if self.started:
            replaced = sum(bool(task.complaint) for task in service.tasks)
            ids = [task.id for task in self.started]
            service.tell(texts.started(service.name, ids, min(replaced, len(ids))))
        for group, count in Counter(service.registered).items():
            service.tell(texts.registered(service.name, count, group))
        service.registered.clear()
        self._tell_drains()
        gone = [task for task in service.tasks if self._newly_stopped(task)]
        if gone:
            service.tell(texts.stopped(service.name, [task.id for task in gone]))
        for task in gone:
            task.stop_told = True

    def _tell_drains(self) -> None:
        service = self.service
        for group, tasks in Counter(group for _, group in service.drained).items():
            service.tell(texts.deregistered(service.name, tasks, group))
        if service.drained:
            service.tell(texts.draining(service.name, len({task for task, _ in service.drained})))
        service.drained.clear()

    @staticmethod
    def _newly_stopped(task: Task) -> bool:
        by_scheduler = task.order is not None and task.order.code == "ServiceSchedulerInitiated"
        return (
            by_scheduler
            and not task.stop_told
            and task.last_status in ("STOPPING", "DEPROVISIONING", "STOPPED")
        )


def _longest_wait(task: Task) -> float:
    """Seconds that a task's longest-waiting thread has waited for a processor; infinite where all have ended."""
    waits = [one.process.longest_wait() for one in task.containers if one.process]
    return max((seconds for seconds in waits if seconds < inf), default=inf)
