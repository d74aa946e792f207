"""Reads the current state of the service."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from ...account import hurried_dns
from ...aws import Aws
from ...doctor.check import refusal
from ...errors import AwsCallError
from ...in_parallel import in_parallel
from ...probe import visitors_address
from ...settings import Settings
from ...stack.firewall import protecting
from .service import active_service, by_revision, image_of, rollout_of
from .snapshot import Deployment, Event, ServiceDeployment, Target, Task, revision_of
from .watch import AFTER_TROUBLE, SOON, Watcher, read_record
from .way import FormerLoadBalancer, Hop, NamesReader, VisitorsPath, find_former, hops, read_path

_EVENTS_SHOWN = 5
# A question to public DNS: a resolver that answers at all does so within a second or two.
_DNS_WITHIN_SECONDS = 3.0


@dataclass(frozen=True)
class TaskStatus:
    """A task with its targets; ``current`` is whether it runs the service's revision."""

    task: Task
    targets: tuple[Target, ...]
    current: bool


@dataclass(frozen=True)
class ServiceStatus:
    """The service, its deployments and tasks; ``events`` are the last few, newest first.

    ``way`` is what visitors' requests pass on their way to the tasks, in order, with what is missing of it; empty for a
    service without a load balancer.
    ``web_acl`` is the ARN of the load balancer's web ACL, None without one; ``web_acl_unknown`` is why it was not
    read. ``sign_in`` is the URL at which visitors sign in, None without one. ``former`` is the load balancer that
    serves too, None while there is one only.
    """

    cluster: str
    service: str
    url: str | None
    task_definition: str
    image: str | None
    desired: int
    running: int
    pending: int
    healthy: int
    deployments: tuple[Deployment, ...]
    record: ServiceDeployment | None
    tasks: tuple[TaskStatus, ...]
    events: tuple[Event, ...]
    web_acl: str | None = None
    web_acl_unknown: str = ""
    way: tuple[Hop, ...] = ()
    sign_in: str | None = None
    former: FormerLoadBalancer | None = None

    @property
    def revision(self) -> str:
        """The service's revision number."""
        return revision_of(self.task_definition)


def names_reader(aws: Aws) -> NamesReader:
    """Reads the names before what visitors reach; where public DNS does not answer soon, they are not known."""
    return NamesReader(aws, hurried_dns(aws, _DNS_WITHIN_SECONDS))


def status(aws: Aws, settings: Settings, names: NamesReader | None = None) -> ServiceStatus:
    """Read the service; RefusedError where it does not exist. ``names`` is for who reads it again and again."""
    raw = active_service(aws, settings.cluster, settings.service)
    rollout = by_revision(rollout_of(settings.cluster, raw, raw["taskDefinition"]))
    snapshot, record, image, (path, web_acl, unknown) = in_parallel(
        Watcher(aws, rollout).snapshot,
        partial(_record, aws, raw),
        partial(image_of, aws, raw["taskDefinition"], settings.container.name),
        partial(_path, aws, settings, rollout.target_group_arns, names or names_reader(aws)),
    )
    endpoint = path.endpoint
    url = visitors_address(endpoint, settings)
    former = find_former(settings, path.target_groups, url)
    return ServiceStatus(
        cluster=settings.cluster,
        service=settings.service,
        url=url,
        task_definition=snapshot.service.task_definition,
        image=image,
        desired=snapshot.service.desired,
        running=snapshot.service.running,
        pending=snapshot.service.pending,
        healthy=len(snapshot.healthy),
        deployments=snapshot.service.deployments,
        record=record,
        tasks=tuple(
            TaskStatus(task, snapshot.targets_of(task), rollout.owns(task))
            for task in snapshot.tasks
            if not task.ended
        ),
        events=snapshot.service.events[:_EVENTS_SHOWN],
        web_acl=web_acl,
        web_acl_unknown=unknown,
        way=tuple(hops(path, former)),
        sign_in=(endpoint.sign_in if endpoint else "") or None,
        former=former,
    )


def _path(
    aws: Aws, settings: Settings, target_groups: Sequence[str], names: NamesReader
) -> tuple[VisitorsPath, str | None, str]:
    """The way to the tasks, the load balancer's web ACL, and why that could not be read."""
    path = names(read_path(aws, settings, target_groups))
    if path.endpoint is None or not path.endpoint.load_balancer:
        return path, None, ""
    try:
        return path, protecting(aws, path.endpoint.load_balancer, "the load balancer") or None, ""
    except AwsCallError as refused:
        return path, None, refusal(refused)


def watched(aws: Aws, settings: Settings) -> Iterator[ServiceStatus]:
    """The service's state again and again, without end: often during changes, rarely otherwise."""
    names = names_reader(aws)
    return aws.clock.repeat(
        lambda: status(aws, settings, names), lambda now: SOON if now and _is_moving(now) else AFTER_TROUBLE
    )


def _is_moving(now: ServiceStatus) -> bool:
    if now.pending or now.running != now.desired or now.healthy != now.desired:
        return True
    return any(each.rollout == "IN_PROGRESS" for each in now.deployments)


def _record(aws: Aws, raw: Mapping[str, Any]) -> ServiceDeployment | None:
    current = raw.get("currentServiceDeployment")
    return read_record(aws, current) if current else None
