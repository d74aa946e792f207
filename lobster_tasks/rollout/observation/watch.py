"""Reads a rollout repeatedly: a few parallel calls make one snapshot.

ECS's request limits are far above the rate of these calls. If ECS still throttles, or the network fails briefly, a
snapshot is left out and the next one comes later.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any

from ...account import describe_service, find_target_health
from ...aws import Aws
from ...errors import AwsCallError, LobsterError
from ...in_parallel import in_parallel
from .snapshot import Rollout, Service, ServiceDeployment, Snapshot, Target, Task

LEAST = 0.5
SOON = 3.0
LATER = 5.0
AFTER_TROUBLE = 10.0
_DESCRIBE_TASKS_LIMIT = 100
_RECORDS_LOOKED_AT = 20

# Temporary errors: throttling, server errors, and (under botocore's names) network errors.
PASSING_CODES = frozenset(
    {
        "ThrottlingException",
        "Throttling",
        "TooManyRequestsException",
        "RequestLimitExceeded",
        "InternalFailure",
        "InternalError",
        "ServerException",
        "ServiceUnavailable",
        "ServiceUnavailableException",
        "RequestTimeout",
        "500",
        "502",
        "503",
        "ConnectTimeoutError",
        "ConnectionClosedError",
        "EndpointConnectionError",
        "HTTPClientError",
        "ReadTimeoutError",
        "ProxyConnectionError",
        "ResponseStreamingError",
    }
)
# A policy may not allow the newer service deployments API, and an endpoint may not have it.
NO_RECORDS = frozenset(
    {
        "AccessDeniedException",
        "AccessDenied",
        "InvalidAction",
        "UnknownOperationException",
        "UnsupportedFeatureException",
    }
)


def watch(aws: Aws, rollout: Rollout, within: float, drain: float = 0.0) -> Iterator[Snapshot]:
    """Snapshots of ``rollout`` for ``within`` seconds of the clock, as often as changes are expected.

    ``drain`` is how many seconds old targets drain, during which nothing happens.
    Raises LobsterError when AWS refuses a read for a reason that is not temporary.
    """
    watcher = Watcher(aws, rollout)

    def rest(seen: Snapshot | None) -> float:
        return AFTER_TROUBLE if seen is None else watcher.rest(drain)

    try:
        yield from aws.clock.repeat(watcher.snapshot, rest, within, _passes)
    except AwsCallError as trouble:
        if not _passes(trouble):
            raise


def pace(latest: Snapshot | None, drains_for: float = 0.0) -> float:
    """Seconds between snapshots; longer while old targets drain."""
    if latest is None or latest.record is None or len(latest.healthy) < max(1, latest.service.desired):
        return SOON
    is_draining = any(target.state == "draining" for target in latest.targets)
    return LATER if is_draining and drains_for > LATER else SOON


def _passes(trouble: BaseException) -> bool:
    return isinstance(trouble, AwsCallError) and trouble.code in PASSING_CODES


class Watcher:
    """Reads one rollout; remembers stopped tasks, and which record is ours."""

    def __init__(self, aws: Aws, rollout: Rollout) -> None:
        self.latest: Snapshot | None = None
        self._aws = aws
        self._began = 0.0
        self._draining_since: float | None = None
        self._rollout = rollout
        self._ended: dict[str, Task] = {}
        self._record_arn: str | None = None
        self._asks_for_records = rollout.recorded

    def snapshot(self) -> Snapshot:
        """Read a new snapshot."""
        self._began = self._aws.clock.now()
        groups = self._rollout.target_group_arns
        service, record, running, stopped, *healths = in_parallel(
            self._service,
            self._record,
            partial(self._task_arns, "RUNNING"),
            partial(self._task_arns, "STOPPED"),
            *(partial(targets, self._aws, group) for group in groups),
        )
        self.latest = Snapshot(
            at=self._aws.clock.now(),
            rollout=self._rollout,
            service=service,
            record=record,
            tasks=self._tasks([*running, *stopped]),
            targets=tuple(target for health in healths for target in health),
        )
        if self._draining_since is None and any(each.state == "draining" for each in self.latest.targets):
            self._draining_since = self.latest.at
        return self.latest

    def rest(self, drain: float) -> float:
        """Seconds to sleep until the next snapshot, less the time that this one took."""
        now = self._aws.clock.now()
        drained = 0.0 if self._draining_since is None else now - self._draining_since
        return max(LEAST, pace(self.latest, drain - drained) - (now - self._began))

    def _service(self) -> Service:
        return Service.of(service_of(self._aws, self._rollout))

    def _record(self) -> ServiceDeployment | None:
        if self._asks_for_records and self._record_arn is None:
            self._record_arn = self._find_record()
        return None if self._record_arn is None else read_record(self._aws, self._record_arn)

    def _find_record(self) -> str | None:
        try:
            found = find_record(self._aws, self._rollout)
        except AwsCallError as refused:
            if refused.code not in NO_RECORDS:
                raise
            self._asks_for_records = False
            return None
        return found["serviceDeploymentArn"] if found else None

    def _task_arns(self, status: str) -> list[str]:
        return task_arns(self._aws, self._rollout.cluster, self._rollout.service, status)

    def _tasks(self, arns: list[str]) -> tuple[Task, ...]:
        """The tasks; stopped ones are described only once, because they do not change any more."""
        unknown = [arn for arn in dict.fromkeys(arns) if arn not in self._ended]
        described = describe_tasks(self._aws, self._rollout.cluster, unknown)
        self._ended |= {task.arn: task for task in described if task.ended}
        moving = [task for task in described if not task.ended]
        return (*moving, *(task for arn, task in self._ended.items() if arn in arns))


def service_of(aws: Aws, rollout: Rollout) -> dict[str, Any]:
    """The service in the shape of DescribeServices, whatever its status; LobsterError where it does not exist."""
    found = describe_service(aws, rollout.cluster, rollout.service, f"service {rollout.service}")
    if found is None:
        raise LobsterError(
            f"There is no service {rollout.service} in cluster {rollout.cluster}.",
            next_step="inv setup-fargate",
        )
    return found


def find_record(aws: Aws, rollout: Rollout) -> dict[str, Any] | None:
    """The record of our deployment: of our revision, created after ``earlier``, closest to our time."""
    recent = aws.call(
        "ecs:ListServiceDeployments",
        f"service {rollout.service}",
        cluster=rollout.cluster,
        service=rollout.service,
        maxResults=_RECORDS_LOOKED_AT,
    )["serviceDeployments"]
    later: list[dict[str, Any]] = []
    for each in recent:  # newest first
        if each["serviceDeploymentArn"] == rollout.earlier:
            break
        later.append(each)
    revisions = _task_definitions(aws, [each["targetServiceRevisionArn"] for each in later])
    matching = [
        each for each in later if revisions.get(each["targetServiceRevisionArn"]) == rollout.task_definition
    ]
    if not matching or rollout.created_at is None:
        return matching[0] if matching else None
    made = rollout.created_at
    return min(matching, key=lambda each: abs((each["createdAt"] - made).total_seconds()))


def read_record(aws: Aws, arn: str) -> ServiceDeployment | None:
    """DescribeServiceDeployments for one ARN; None where it returns nothing."""
    answer = aws.call("ecs:DescribeServiceDeployments", arn, serviceDeploymentArns=[arn])
    found = answer.get("serviceDeployments") or []
    return ServiceDeployment.of(found[0]) if found else None


def task_arns(aws: Aws, cluster: str, service: str, status: str) -> list[str]:
    """ListTasks of a service by desired status, ``RUNNING`` or ``STOPPED``."""
    return aws.pages(
        "ecs:ListTasks",
        "taskArns",
        f"service {service}",
        cluster=cluster,
        serviceName=service,
        desiredStatus=status,
    )


def describe_tasks(aws: Aws, cluster: str, arns: list[str]) -> list[Task]:
    """DescribeTasks, a hundred per call; tasks that no longer exist are left out."""
    batches = [
        arns[first : first + _DESCRIBE_TASKS_LIMIT] for first in range(0, len(arns), _DESCRIBE_TASKS_LIMIT)
    ]
    answers = in_parallel(
        *(
            partial(aws.call, "ecs:DescribeTasks", f"cluster {cluster}", cluster=cluster, tasks=batch)
            for batch in batches
        )
    )
    return [Task.of(task) for answer in answers for task in answer["tasks"]]


def targets(aws: Aws, group: str) -> list[Target]:
    """DescribeTargetHealth of one target group; empty where it does not exist."""
    return [Target.of(group, each) for each in find_target_health(aws, group) or ()]


def _task_definitions(aws: Aws, revisions: list[str]) -> dict[str, str]:
    """Service revision -> task definition (DescribeServiceRevisions, at most 20 a call)."""
    if not revisions:
        return {}
    answer = aws.call(
        "ecs:DescribeServiceRevisions",
        "the service's revisions",
        serviceRevisionArns=list(dict.fromkeys(revisions)),
    )
    return {each["serviceRevisionArn"]: each["taskDefinition"] for each in answer["serviceRevisions"]}
