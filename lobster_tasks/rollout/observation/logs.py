"""Reads the tasks' output from CloudWatch Logs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from ...aws import Aws
from ...definition import log_options
from ...errors import AwsCallError, RefusedError
from ...foreign import without_colours

_POLL_SECONDS = 2.0
# CloudWatch Logs accepts events late: each read goes back this far, and skips known events.
_LATE_SECONDS = 30.0
_GROUP_GONE = ("ResourceNotFoundException",)


@dataclass(frozen=True)
class LogLine:
    """One line: its time (UTC), the id of the task that wrote it, its text, and the container.

    The container is that of the log stream's name (awslogs: ``prefix/container/task id``), empty for other names.
    """

    at: datetime
    task: str
    message: str
    container: str = ""


@dataclass(frozen=True)
class Line:
    """A container's line without its colours, and its time in seconds since 1970."""

    at: float
    text: str


def tail(
    aws: Aws, group: str, task: str | None = None, since_seconds: float = 600.0, follow: bool = False
) -> Iterator[LogLine]:
    """A log group's lines of the last ``since_seconds``, oldest first; with ``follow`` also new ones, without end.

    ``task`` is a task's id or its beginning. Raises RefusedError where the log group, or such a task in it, does not
    exist.
    """
    start = int(aws.clock.ago(since_seconds) * 1000)
    told: dict[str, int] = {}

    def look() -> list[dict[str, Any]]:
        return _events(aws, group, _streams(aws, group, task, follow), start)

    for events in aws.clock.repeat(look, lambda _: _POLL_SECONDS):
        for event in events:
            if event["eventId"] not in told:
                told[event["eventId"]] = event["timestamp"]
                yield _line(event)
        if not follow:
            return
        start = _next_start(aws, start, told)


def last_lines(aws: Aws, container: Mapping[str, Any], task_id: str, count: int) -> list[Line]:
    """The last ``count`` lines of a container (as in its task definition) in a task."""
    return _lines(aws, container, task_id, count, from_head=False)[-count:]


def first_lines(aws: Aws, container: Mapping[str, Any], task_id: str, count: int) -> list[Line]:
    """The first ``count`` lines of a container in a task."""
    return _lines(aws, container, task_id, count, from_head=True)


def _lines(
    aws: Aws, container: Mapping[str, Any], task_id: str, count: int, *, from_head: bool
) -> list[Line]:
    where = stream_of(container, task_id)
    if where is None:
        return []
    group, stream = where
    answer = aws.find(
        "logs:GetLogEvents",
        _GROUP_GONE,
        f"log stream {stream}",
        logGroupName=group,
        logStreamName=stream,
        limit=count,
        startFromHead=from_head,
    )
    events = (answer or {}).get("events", [])
    return [
        Line(event["timestamp"] / 1000, without_colours(event["message"]).rstrip("\r\n")) for event in events
    ]


def stream_of(container: Mapping[str, Any], task_id: str) -> tuple[str, str] | None:
    """Log group and stream of a container (awslogs: ``prefix/container/task id``); None without such a log."""
    options = log_options(container)
    if "awslogs-group" not in options or "awslogs-stream-prefix" not in options:
        return None
    return options["awslogs-group"], f"{options['awslogs-stream-prefix']}/{container['name']}/{task_id}"


def _streams(aws: Aws, group: str, task: str | None, waits: bool) -> list[str] | None:
    """The streams of one task; None for all."""
    if task is None:
        return None
    names = [
        stream["logStreamName"] for stream in _pages(aws, "logs:DescribeLogStreams", "logStreams", group)
    ]
    matching = [name for name in names if _task_of(name).startswith(task.rstrip("…"))]
    if not matching and not waits:
        raise RefusedError(
            f"No task whose id begins with {task} has written to {group}.", next_step="inv status"
        )
    return matching


def _events(aws: Aws, group: str, streams: list[str] | None, start: int) -> list[dict[str, Any]]:
    """FilterLogEvents, every page, oldest first; at most 100 streams can be named in one call."""
    if streams == []:
        return []
    chosen = {} if streams is None else {"logStreamNames": streams[:100]}
    found = _pages(aws, "logs:FilterLogEvents", "events", group, startTime=start, **chosen)
    return sorted(found, key=lambda event: event["timestamp"])


def _pages(aws: Aws, operation: str, items: str, group: str, **parameters: Any) -> list[dict[str, Any]]:
    try:
        return aws.pages(operation, items, f"log group {group}", logGroupName=group, **parameters)
    except AwsCallError as refused:
        if refused.code not in _GROUP_GONE:
            raise
        raise RefusedError(f"There is no log group {group}.", next_step="inv setup-fargate") from refused


def _next_start(aws: Aws, start: int, told: dict[str, int]) -> int:
    """The start time of the next read; forgets known events before it."""
    later = max(start, int(aws.clock.ago(_LATE_SECONDS) * 1000))
    for event in [event for event, stamp in told.items() if stamp < later]:
        del told[event]
    return later


def _line(event: Mapping[str, Any]) -> LogLine:
    at = datetime.fromtimestamp(event["timestamp"] / 1000, tz=UTC)
    stream = str(event["logStreamName"])
    return LogLine(at, _task_of(stream), event["message"].rstrip("\r\n"), _container_of(stream))


def _task_of(stream: str) -> str:
    return stream.rsplit("/", 1)[-1]


def _container_of(stream: str) -> str:
    return stream.rsplit("/", 2)[-2] if "/" in stream else ""
