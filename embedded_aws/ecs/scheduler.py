"""Fargate: keeps every service of every account at its desired state, and runs the tasks."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

from ..elbv2.balancer import Balancer
from ..kernel.data_plane import DataPlane
from ..moto.adapter import AwsError
from ..runtime.runtime import Runtime
from . import capacity, names, network, service_deployments, tagging, task_endpoint, texts
from .agent import Agent
from .capacity import Capacity
from .lifecycle import TICK, TaskLifecycle
from .model import (
    Cluster,
    ContainerState,
    Deployment,
    EcsState,
    Placement,
    Service,
    Task,
    TaskDefinition,
    monotonic,
    now,
)
from .reconciler import ServiceReconciler

log = logging.getLogger(__name__)

KEEP_STOPPED = 3600.0
"""AWS seconds for which a stopped task can be described."""


class Fargate:
    """Amazon ECS's state, by account and region, and its scheduler.

    Use ``state`` and the tasks in it with the data plane's lock held.
    """

    def __init__(self, plane: DataPlane, runtime: Runtime, balancer: Balancer, url: str) -> None:
        self._plane = plane
        self._runtime = runtime
        self._balancer = balancer
        self._agent = Agent(runtime, url)
        self.capacity = Capacity(plane, self.count_tasks)
        self._states: dict[tuple[str, str], EcsState] = {}
        self._lives: set[Future[None]] = set()
        self._expiry: list[tuple[float, EcsState, Task]] = []
        self._workers = ThreadPoolExecutor(max_workers=16, thread_name_prefix="fargate")

    def state(self, account: str, region: str) -> EcsState:
        """ECS's state in one account and region."""
        return self._states.setdefault((account, region), EcsState(self._plane, account, region))

    def count_tasks(self) -> int:
        """How many tasks of all accounts have not stopped."""
        return sum(
            t.last_status != "STOPPED" for state in self._states.values() for t in state.tasks.values()
        )

    def tags_of(self, account: str, region: str, arn: str) -> Mapping[str, str]:
        """The tags of an ECS resource, by ARN; empty where it does not exist."""
        with self._plane.lock:
            try:
                return dict(tagging.tags_of_arn(self.state(account, region), arn))
            except AwsError:
                return {}

    async def run(self) -> None:
        """Reconcile every service on each tick."""
        await self._plane.repeat(self._tick, TICK)

    def _tick(self) -> None:
        for state in list(self._states.values()):
            for service in list(state.services.values()):
                self._step(state, service)
        self._expire()

    def _step(self, state: EcsState, service: Service) -> None:
        try:
            ServiceReconciler(self._balancer, self.capacity, state, service, self.start_for_service).take()
        except Exception as defect:
            if str(defect) not in service.told:
                service.told.add(str(defect))
                log.exception("%s could not be moved", service.arn)

    def start_for_service(self, state: EcsState, service: Service, deployment: Deployment) -> Task:
        """Start a task of a service."""
        tags = dict(_propagated(service, deployment.revision.definition))
        if service.options.get("enableECSManagedTags"):
            tags |= {"aws:ecs:clusterName": service.cluster.name, "aws:ecs:serviceName": service.name}
        task = self._new(
            state, service.cluster, deployment.revision.definition, deployment.revision.placement
        )
        task.service, task.revision, task.tags = service, deployment.revision, tags
        task.group, task.started_by = f"service:{service.name}", deployment.id
        task.exec_enabled = bool(service.options.get("enableExecuteCommand"))
        service.tasks.append(task)
        self._launch(state, task)
        return task

    def start_alone(
        self,
        state: EcsState,
        cluster: Cluster,
        definition: TaskDefinition,
        placement: Placement,
        more: Mapping[str, Any],
    ) -> Task:
        """Start a standalone task (RunTask); ``more`` contains attributes of ``Task``."""
        task = self._new(state, cluster, definition, placement)
        for name, value in more.items():
            setattr(task, name, value)
        self._launch(state, task)
        return task

    def _new(
        self, state: EcsState, cluster: Cluster, definition: TaskDefinition, placement: Placement
    ) -> Task:
        task_id = names.task_id()
        path = f"{cluster.name}/{task_id}"
        containers = [
            ContainerState(
                definition=container,
                name=container["name"],
                arn=state.arn(f"container/{path}/{names.uuid()}"),
                runtime_id=names.runtime_id(task_id),
            )
            for container in definition.containers
        ]
        return Task(
            task_id,
            state.arn(f"task/{path}"),
            cluster,
            definition,
            placement,
            containers,
            f"family:{definition.family}",
            {},
            now(),
            capacity_provider=capacity.provider(state, placement.strategy),
        )

    def _launch(self, state: EcsState, task: Task) -> None:
        network.place(state, task)
        state.tasks[task.id] = task
        life = asyncio.run_coroutine_threadsafe(self._live(state, task), self._plane.loop)
        self._lives.add(life)
        life.add_done_callback(self._lives.discard)

    async def _live(self, state: EcsState, task: Task) -> None:
        try:
            life = TaskLifecycle(self._runtime, self._balancer, self._agent, self._workers, state, task)
            await life.run()
        except Exception:
            log.exception("%s was lost", task.arn)
            with self._plane.lock:
                task.stop("InfrastructureHealth", "The task's host failed.")
                task.enter("STOPPED", stoppedAt=now())
        with self._plane.lock:
            self._expiry.append((monotonic() + self._plane.pace.real(KEEP_STOPPED), state, task))

    def _expire(self) -> None:
        while self._expiry and self._expiry[0][0] <= monotonic():
            _, state, task = self._expiry.pop(0)
            state.tasks.pop(task.id, None)

    def tell_task(self, path: str) -> Mapping[str, Any] | None:
        """The answer for ``<task id>/…`` at ECS's endpoint for tasks; None for an unknown path."""
        task_id, _, rest = path.partition("/")
        with self._plane.lock:
            for state in self._states.values():
                if task_id in state.tasks:
                    return task_endpoint.answer(state, state.tasks[task_id], rest)
        return None

    def kill_task(self, task: str) -> bool:
        """SIGKILL every process of a task, by ARN or id; False where it does not run."""
        with self._plane.lock:
            containers = [container for one in self._named(task) for container in one.containers]
            processes = [c.process for c in containers if c.process and c.process.poll() is None]
        for process in processes:
            process.kill()
        return bool(processes)

    def forget_deployments(self) -> int:
        """Forget the ended deployments of services; returns how many."""
        with self._plane.lock:
            return sum(service_deployments.forget(state) for state in self._states.values())

    def interrupt_task(self, task: str) -> bool:
        """Interrupt a task on FARGATE_SPOT, by ARN or id; False where there is no such task to interrupt."""
        with self._plane.lock:
            found = [one for one in self._named(task) if one.live and one.capacity_provider == "FARGATE_SPOT"]
            for one in found:
                one.stop("SpotInterruption", texts.SPOT_INTERRUPTED)
        return bool(found)

    def _named(self, task: str) -> list[Task]:
        known = names.last_part(task)
        return [state.tasks[known] for state in self._states.values() if known in state.tasks]

    def reset(self) -> None:
        """Discard all state; a process that is still starting is killed by the code that starts it."""
        for life in list(self._lives):
            life.cancel()
        for state in self._states.values():
            for task in state.tasks.values():
                task.abandoned = True
                for container in task.containers:
                    if container.process is not None and container.process.poll() is None:
                        container.process.kill()
        self._states.clear()
        self._expiry.clear()

    def close(self) -> None:
        """End the worker threads."""
        self._workers.shutdown(wait=False, cancel_futures=True)


def _propagated(service: Service, definition: TaskDefinition) -> Mapping[str, str]:
    source = service.options.get("propagateTags")
    return {"SERVICE": service.tags, "TASK_DEFINITION": definition.tags}.get(source or "NONE", {})
