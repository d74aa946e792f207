"""Reads the current state of the service."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any
from urllib.parse import urlsplit

from ...aws import Aws
from ...doctor.check import refusal
from ...errors import AwsCallError
from ...in_parallel import in_parallel
from ...probe import PublicEndpoint, find_public_endpoint, lacks_distribution, visitors_address
from ...settings import Settings
from ...stack.firewall import protecting
from .service import active_service, by_revision, image_of, rollout_of
from .snapshot import Deployment, Event, ServiceDeployment, Target, Task, revision_of
from .watch import AFTER_TROUBLE, SOON, Watcher, read_record

_EVENTS_SHOWN = 5


@dataclass(frozen=True)
class TaskStatus:
    """A task with its targets; ``current`` is whether it runs the service's revision."""

    task: Task
    targets: tuple[Target, ...]
    current: bool


@dataclass(frozen=True)
class Hop:
    """One hop of visitors' requests: what it is, as AWS calls it, its name, and its state in words."""

    kind: str
    name: str
    state: str = ""


@dataclass(frozen=True)
class FormerLoadBalancer:
    """The load balancer that another one replaces while both serve; ``next_step`` is what ends that, in words."""

    name: str
    target_group: str
    next_step: str


@dataclass(frozen=True)
class ServiceStatus:
    """The service, its deployments and tasks; ``events`` are the last few, newest first.

    ``way`` is what visitors' requests pass on their way to the tasks, in order; empty where there is no address.
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


def status(aws: Aws, settings: Settings) -> ServiceStatus:
    """Read the service; RefusedError where it does not exist."""
    raw = active_service(aws, settings.cluster, settings.service)
    rollout = by_revision(rollout_of(settings.cluster, raw, raw["taskDefinition"]))
    snapshot, record, image, (endpoint, web_acl, unknown) = in_parallel(
        Watcher(aws, rollout).snapshot,
        partial(_record, aws, raw),
        partial(image_of, aws, raw["taskDefinition"], settings.container.name),
        partial(_endpoint, aws, settings, rollout.target_group_arns),
    )
    url = visitors_address(endpoint, settings)
    groups = tuple(each.split("/")[-2] for each in rollout.target_group_arns)
    former = _former(settings, groups, url)
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
        way=tuple(_way(settings, endpoint, groups, former)) if endpoint else (),
        sign_in=(endpoint.sign_in if endpoint else "") or None,
        former=former,
    )


def _endpoint(
    aws: Aws, settings: Settings, target_groups: Sequence[str]
) -> tuple[PublicEndpoint | None, str | None, str]:
    """The visitors' endpoint, its web ACL, and why that could not be read."""
    endpoint = find_public_endpoint(aws, target_groups, settings.name)
    if endpoint is None or not endpoint.load_balancer:
        return endpoint, None, ""
    try:
        return endpoint, protecting(aws, endpoint.load_balancer, "the load balancer") or None, ""
    except AwsCallError as refused:
        return endpoint, None, refusal(refused)


def _former(settings: Settings, target_groups: Sequence[str], url: str | None) -> FormerLoadBalancer | None:
    """The one whose target group (name) the service is in besides that of the stack's own, which comes first."""
    names = _by_target_group(settings)
    both = [each for each in target_groups if each in names]
    if len(both) < 2:
        return None
    domains = ", ".join(settings.domains)
    lead = f"inv cutover leads {domains}" if domains else "lead visitors"
    end = f"{lead} to {url or 'the new address'}, then inv remove-old-load-balancer ends {names[both[1]]}"
    return FormerLoadBalancer(names[both[1]], both[1], end)


def _way(
    settings: Settings,
    endpoint: PublicEndpoint,
    target_groups: Sequence[str],
    former: FormerLoadBalancer | None,
) -> Iterator[Hop]:
    """From the names that visitors use to the target groups (names)."""
    config = endpoint.distribution["DistributionConfig"] if endpoint.distribution else {}
    for alias in config.get("Aliases", {}).get("Items", []):
        yield Hop("name", alias, "alias")
    if lacks_distribution(endpoint, settings):
        yield Hop("distribution", "not found", "none leads to the load balancer, or it may not be read")
    else:
        yield Hop("name", urlsplit(endpoint.address).netloc)
    if endpoint.distribution:
        enabled = "enabled" if config["Enabled"] else "disabled"
        state = f"{enabled}, {endpoint.distribution['Status']}"
        yield Hop("distribution", endpoint.distribution["Id"], state)
        for origin in config["Origins"]["Items"]:
            if vpc_origin := origin.get("VpcOriginConfig"):
                yield Hop("VPC origin", vpc_origin["VpcOriginId"])
    if endpoint.load_balancer and endpoint.rule:
        scheme = "internal" if endpoint.internal or endpoint.distribution else "internet-facing"
        state = f"{scheme}, {endpoint.rule.protocol} on port {endpoint.rule.port}"
        yield Hop("load balancer", endpoint.load_balancer.split("/")[-2], state)
    for group in target_groups:
        yield Hop("target group", group, _door(settings, group, former))


def _door(settings: Settings, group: str, former: FormerLoadBalancer | None) -> str:
    """Which of two load balancers a target group (name) belongs to, in words; empty while there is one only."""
    if former is None:
        return ""
    if group == former.target_group:
        return f"former: {former.name} serves too, until inv remove-old-load-balancer"
    present = _by_target_group(settings).get(group)
    return f"present: {present}" if present else ""


def _by_target_group(settings: Settings) -> dict[str, str]:
    """The names of the stack's two possible load balancers, by the names of their target groups."""
    section = settings.load_balancer
    return {each.target_group: each.name for each in (section.names, section.other)}


def watched(aws: Aws, settings: Settings) -> Iterator[ServiceStatus]:
    """The service's state again and again, without end: often during changes, rarely otherwise."""
    return aws.clock.repeat(
        lambda: status(aws, settings), lambda now: SOON if now and _is_moving(now) else AFTER_TROUBLE
    )


def _is_moving(now: ServiceStatus) -> bool:
    if now.pending or now.running != now.desired or now.healthy != now.desired:
        return True
    return any(each.rollout == "IN_PROGRESS" for each in now.deployments)


def _record(aws: Aws, raw: Mapping[str, Any]) -> ServiceDeployment | None:
    current = raw.get("currentServiceDeployment")
    return read_record(aws, current) if current else None
