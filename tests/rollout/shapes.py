"""Makes rollout data for tests: a deployment of revision 2 over revision 1, unless told otherwise."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from lobster_tasks.rollout.observation.snapshot import (
    Container,
    Deployment,
    Event,
    Rollout,
    Service,
    ServiceDeployment,
    Snapshot,
    Target,
    TargetGroup,
    Task,
)

NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)
FAMILY = "arn:aws:ecs:us-east-2:123456789012:task-definition/lobster-streamlit-task"
OLD, NEW, THIRD = f"{FAMILY}:1", f"{FAMILY}:2", f"{FAMILY}:3"
GROUP = TargetGroup("arn:aws:elasticloadbalancing:…:targetgroup/lobster-tg/1", "lobster-streamlit", 8501)

ROLLOUT = Rollout(
    "lobster-cluster",
    "lobster-streamlit-service",
    NEW,
    previous=OLD,
    deployment="ecs-svc/2",
    created_at=NOON,
    target_groups=(GROUP,),
)


def deployment(number: int, task_definition: str, **members: Any) -> Deployment:
    """Deployment ``ecs-svc/<number>``, made that many minutes about noon: number 2 at noon."""
    made = NOON + timedelta(minutes=number - 2)
    plain = Deployment(f"ecs-svc/{number}", "PRIMARY", task_definition, 1, 1, 0, "COMPLETED", "", made)
    return replace(plain, **members)


def service(*deployments: Deployment, **members: Any) -> Service:
    """An active service that wants one task."""
    primary = next((each for each in deployments if each.status == "PRIMARY"), None)
    definition = primary.task_definition if primary else ""
    return replace(Service("ACTIVE", 1, 1, 0, definition, deployments), **members)


def record(status: str, **members: Any) -> ServiceDeployment:
    """Our service deployment."""
    return replace(ServiceDeployment("arn:…:service-deployment/c/s/2", status), **members)


def task(letter: str, started_by: int = 2, task_definition: str = NEW, **members: Any) -> Task:
    """A running task whose id is ``letter`` 32 times, at an address of its own."""
    plain = Task(
        f"arn:aws:ecs:us-east-2:123456789012:task/lobster-cluster/{letter * 32}",
        "RUNNING",
        "RUNNING",
        task_definition,
        f"ecs-svc/{started_by}",
        ip=f"10.0.0.{ord(letter)}",
        containers=(Container("lobster-streamlit", "RUNNING"),),
        created_at=NOON,
    )
    return replace(plain, **members)


def stopped(letter: str, reason: str, exit_code: int | None = None, **members: Any) -> Task:
    """A task that has ended."""
    container = Container("lobster-streamlit", "STOPPED", exit_code)
    ended: dict[str, Any] = {
        "status": "STOPPED",
        "desired_status": "STOPPED",
        "stopped_reason": reason,
        "containers": (container,),
        "stopped_at": NOON,
    }
    return task(letter, **{**ended, **members})


def target(of: Task, state: str = "healthy", reason: str = "", description: str = "") -> Target:
    """The target that stands for a task."""
    return Target(GROUP.arn, of.ip, 8501, state, reason, description)


def event(message: str, minutes: int = 0) -> Event:
    """A service event, ``minutes`` after noon."""
    return Event(message, NOON + timedelta(minutes=minutes), message)


def snapshot(of: Service, *, rollout: Rollout = ROLLOUT, **members: Any) -> Snapshot:
    """What was seen at one moment."""
    return Snapshot(0.0, rollout, of, **members)
