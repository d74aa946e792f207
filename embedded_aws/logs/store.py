"""The groups, streams and events of CloudWatch Logs: moto's store, corrected where AWS differs.

Requests and tasks' output come from different threads, so a lock protects the store.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Sequence
from typing import Any

from ..moto.adapter import AwsError, LogsBackend, logs_backends

RETENTION = (
    *(1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288),
    3653,
)
MOST = 10_000
TAGS_MOST = 50

Key = tuple[int, int]


def key(event: Any) -> Key:
    """The sort key of events: their time, then the order of arrival."""
    return int(event.timestamp), int(event.event_id)


def token(at: Key) -> str:
    """A token of 56 digits for a position among events."""
    return f"{at[0]:016d}{at[1]:040d}"


def place(digits: str) -> Key:
    """The position of a token; InvalidParameterException."""
    if not re.fullmatch(r"\d{56}", digits):
        raise AwsError("InvalidParameterException", "The specified nextToken is invalid.")
    return int(digits[:16]), int(digits[16:])


def _check_arn(text: str) -> None:
    """Refuse what is no ARN of CloudWatch Logs: InvalidParameterException (the words are our own)."""
    parts = text.split(":", 6)
    if len(parts) < 7 or parts[0] != "arn" or parts[2] != "logs":
        raise AwsError("InvalidParameterException", f"The resource ARN is not valid: {text}")


def is_protected(group: Any) -> bool:
    """Whether a log group has deletion protection; those that AWS's services make have none."""
    return bool(getattr(group, "deletion_protection", False))


class LogsStore(LogsBackend):
    """The log groups of one account in one region."""

    def __init__(self, region_name: str, account_id: str) -> None:
        super().__init__(region_name, account_id)
        self.lock = threading.RLock()

    def create_log_group(self, log_group_name: str, tags: dict[str, str] | None, **more: Any) -> Any:
        """Create a log group; InvalidParameterException for a reserved name."""
        if log_group_name.lower().startswith("aws/"):
            message = "Log groups starting with AWS/ are reserved for AWS."
            raise AwsError("InvalidParameterException", message)
        with self.lock:
            return super().create_log_group(log_group_name, tags or {}, **more)

    def delete_log_group(self, log_group_name: str) -> None:
        """Delete a log group with its tags, which moto keeps by name.

        ResourceNotFoundException; ValidationException while it has deletion protection.
        """
        with self.lock:
            group = self.group(log_group_name)
            if is_protected(group):
                told = "Cannot delete log group with deletion protection enabled."
                raise AwsError("ValidationException", f"{told} Disable deletion protection first.")
            arn = group.arn
            super().delete_log_group(log_group_name)
            self.tagger.delete_all_tags_for_resource(arn)

    def protect(self, group: Any, enabled: bool) -> None:
        """Enable or disable the deletion protection of a group."""
        with self.lock:
            group.deletion_protection = enabled

    def put_retention_policy(self, log_group_name: str, retention_in_days: Any) -> None:
        """Set the retention in days, to one of the allowed values."""
        if retention_in_days not in RETENTION:
            message = (
                f"1 validation error detected: Value '{retention_in_days}' at 'retentionInDays' failed to satisfy "
                f"constraint: Member must satisfy enum value set: [{', '.join(map(str, RETENTION))}]"
            )
            raise AwsError("InvalidParameterException", message)
        super().put_retention_policy(log_group_name, retention_in_days)

    def create_log_stream(self, log_group_name: str, log_stream_name: str) -> None:
        """Create a log stream with a new name."""
        with self.lock:
            if log_stream_name in self.group(log_group_name).streams:
                message = "The specified log stream already exists"
                raise AwsError("ResourceAlreadyExistsException", message)
            super().create_log_stream(log_group_name, log_stream_name)

    def ensure_log_stream(self, log_group_name: str, log_stream_name: str) -> None:
        """Create a log stream if it does not exist."""
        with self.lock:
            super().ensure_log_stream(log_group_name, log_stream_name)

    def describe_log_streams(self, *args: Any, **kwargs: Any) -> Any:
        """The streams of a group."""
        with self.lock:
            return super().describe_log_streams(*args, **kwargs)

    def put_log_events(self, log_group_name: str, log_stream_name: str, log_events: Any) -> Any:
        """Append events to a stream."""
        with self.lock:
            return super().put_log_events(log_group_name, log_stream_name, log_events)

    def tag_resource(self, arn: str, tags: dict[str, str] | None) -> None:
        """Tag a log group; TooManyTagsException above the limit."""
        _check_arn(arn)
        there = self.tagger.get_tag_dict_for_resource(arn)
        if len({**there, **(tags or {})}) > TAGS_MOST:
            message = f"A resource can have no more than {TAGS_MOST} tags."
            raise AwsError("TooManyTagsException", message)
        super().tag_resource(arn, tags or {})

    def list_tags_for_resource(self, resource_arn: str) -> Any:
        """The tags of a log group by its ARN."""
        arns = {group.arn for group in list(self.groups.values())}
        _check_arn(resource_arn)
        if resource_arn.split(":")[5] == "log-group" and resource_arn.removesuffix(":*") not in arns:
            raise AwsError("ResourceNotFoundException", "The specified resource does not exist.")
        return super().list_tags_for_resource(resource_arn.removesuffix(":*"))

    def group(self, name: str | None, identifier: str | None = None) -> Any:
        """A group by name or ARN, or ResourceNotFoundException."""
        group_name = name or (identifier or "").removesuffix(":*").split(":log-group:")[-1]
        if group_name not in self.groups:
            raise AwsError("ResourceNotFoundException", "The specified log group does not exist.")
        return self.groups[group_name]

    def search(
        self,
        group: Any,
        stream_filter: Callable[[str], bool],
        start: int | None,
        end: int | None,
        accepts: Callable[[str], bool],
    ) -> list[tuple[Key, str, Any]]:
        """(key, stream, event) from ``start`` to ``end`` in the selected streams, in order."""
        with self.lock:
            found = [
                (key(event), name, event)
                for name, stream in group.streams.items()
                if stream_filter(name)
                for event in stream.events
                if (start is None or event.timestamp >= start) and (end is None or event.timestamp <= end)
            ]
        return sorted((one for one in found if accepts(one[2].message)), key=lambda one: one[0])

    def events(self, group: Any, stream_name: str, start: int | None, end: int | None) -> Sequence[Any]:
        """A stream's events from ``start`` to before ``end``, in order."""
        with self.lock:
            if stream_name not in group.streams:
                raise AwsError("ResourceNotFoundException", "The specified log stream does not exist.")
            events = [
                event
                for event in group.streams[stream_name].events
                if (start is None or event.timestamp >= start) and (end is None or event.timestamp < end)
            ]
        return sorted(events, key=key)


logs_backends.keep_in(LogsStore)
