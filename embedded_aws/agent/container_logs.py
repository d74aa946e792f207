"""The awslogs driver: sends a container's lines to CloudWatch Logs.

Source: Developer Guide, "Send Amazon ECS logs to CloudWatch"; stream ``<prefix>/<container>/<task id>``.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from typing import Any

from ..ec2.egress import Egress
from ..kernel.place import Place
from ..moto import adapter
from ..moto.adapter import AwsError
from ..shapes.bounds import violations
from .agent_errors import ServiceUnreachableError
from .permissions import Permissions

_HEAD = "create stream has been retried 1 times: failed to create Cloudwatch log"
NO_CONNECTION = (
    "ResourceInitializationError: failed to validate logger args: The task cannot find the Amazon CloudWatch log "
    "group defined in the task definition. There is a connection issue between the task and Amazon CloudWatch. "
    "Check your network configuration. : signal: killed"
)
REQUIRED = ("awslogs-region", "awslogs-group", "awslogs-stream-prefix")


class LoggerError(Exception):
    """The driver cannot be set up; the text follows "failed to validate logger args: "."""


def discard(_line: str) -> None:
    """Discard a line; for a container without a log driver."""


def open_stream(
    place: Place, container: Mapping[str, Any], task_id: str, allowed: Permissions, egress: Egress
) -> Callable[[str], None]:
    """Create the container's log stream and return a function that writes a line; LoggerError,
    ServiceUnreachableError."""
    config = container.get("logConfiguration")
    if not config or config.get("logDriver") != "awslogs":
        return discard
    options = config.get("options") or {}
    _check_options(options)
    group, region = options["awslogs-group"], options["awslogs-region"]
    stream = f"{options['awslogs-stream-prefix']}/{container['name']}/{task_id}"
    if egress.timeout("logs", region, f"logs.{region}.amazonaws.com"):
        raise ServiceUnreachableError(NO_CONNECTION)
    if options.get("awslogs-create-group") == "true":
        _create_group(place, region, group, allowed)
    head = f"{_HEAD} stream: "
    _check_names(head, "CreateLogStream", logGroupName=group, logStreamName=stream)
    if denied := allowed.denial("logs:CreateLogStream", _stream_arn(place, region, group, stream)):
        raise LoggerError(head + denied)
    try:
        adapter.create_log_stream(place.account, region, group, stream)
    except AwsError as error:
        raise LoggerError(f"{head}{error.code}: {error.message}") from error
    return LogStream(place.account, region, group, stream)


def _check_options(options: Mapping[str, str]) -> None:
    for name in REQUIRED:
        if not options.get(name):
            raise LoggerError(f"unable to get awslogs driver arguments: {name} is required")
    if options.get("mode") == "blocking" and "max-buffer-size" in options:
        raise LoggerError("logger: max-buffer-size option is only supported with 'mode=non-blocking'")
    if "awslogs-datetime-format" in options and "awslogs-multiline-pattern" in options:
        raise LoggerError(
            "you cannot configure log opt 'awslogs-datetime-format' and 'awslogs-multiline-pattern' at the same time"
        )


def _check_names(head: str, operation: str, **members: str) -> None:
    """Raise LoggerError for names that CloudWatch Logs would refuse."""
    shape = adapter.get_service_model("logs").operation_model(operation).input_shape
    if wrong := violations(shape, members):
        raise LoggerError(f"{head}InvalidParameterException: 1 validation error detected: {wrong[0]}")


def _create_group(place: Place, region: str, group: str, allowed: Permissions) -> None:
    arn = f"arn:aws:logs:{region}:{place.account}:log-group:{group}:log-stream:"
    if denied := allowed.denial("logs:CreateLogGroup", arn):
        raise LoggerError(f"{_HEAD} group: {denied}")
    _check_names(f"{_HEAD} group: ", "CreateLogGroup", logGroupName=group)
    adapter.create_log_group(place.account, region, group)


def _stream_arn(place: Place, region: str, group: str, stream: str) -> str:
    return f"arn:aws:logs:{region}:{place.account}:log-group:{group}:log-stream:{stream}"


class LogStream:
    """Writes lines into one stream, from any thread; without the log group, lines are dropped."""

    def __init__(self, account: str, region: str, group: str, stream: str) -> None:
        self._place = (account, region, group, stream)
        self._lock = threading.Lock()

    def __call__(self, line: str) -> None:
        """Append a line; CloudWatch Logs stores no empty lines."""
        if not line:
            return
        with self._lock:
            try:
                adapter.put_log_events(*self._place, [(int(time.time() * 1000), line)])
            except AwsError:
                return
