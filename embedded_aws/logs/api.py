"""Amazon CloudWatch Logs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..moto.adapter import ActionResult, AwsError, LogsResponse
from .pattern import matcher
from .store import MOST, LogsStore, is_protected, key, place, token

GROUPS_ON_A_PAGE = 50
CLASSES = ("STANDARD", "INFREQUENT_ACCESS", "DELIVERY")


class Logs(LogsResponse):
    """Log groups and their events, read in pages while tasks write."""

    @property
    def _store(self) -> LogsStore:
        store: LogsStore = self.logs_backend
        return store

    def create_log_group(self) -> ActionResult:
        """CreateLogGroup, with its class and its deletion protection."""
        name, kind = self._get_param("logGroupName"), self._get_param("logGroupClass") or CLASSES[0]
        if kind not in CLASSES:
            raise AwsError("InvalidParameterException", f"Invalid logGroupClass: {kind}")
        more = {"kmsKeyId": self._get_param("kmsKeyId")}
        made = self._store.create_log_group(name, self._get_param("tags"), **more)
        made.log_group_class = kind
        self._store.protect(made, bool(self._get_param("deletionProtectionEnabled")))
        return ActionResult({})

    def put_log_group_deletion_protection(self) -> ActionResult:
        """PutLogGroupDeletionProtection, by name or ARN."""
        group = self._store.group(None, self._get_param("logGroupIdentifier"))
        self._store.protect(group, bool(self._get_param("deletionProtectionEnabled")))
        return ActionResult({})

    def associate_kms_key(self) -> ActionResult:
        """AssociateKmsKey of a log group."""
        self._group().kms_key_id = self._get_param("kmsKeyId")
        return ActionResult({})

    def disassociate_kms_key(self) -> ActionResult:
        """DisassociateKmsKey of a log group."""
        self._group().kms_key_id = None
        return ActionResult({})

    def describe_log_groups(self) -> ActionResult:
        """DescribeLogGroups: by prefix or by a part of the name, sorted by name."""
        prefix, part = self._get_param("logGroupNamePrefix"), self._get_param("logGroupNamePattern")
        if prefix and part:
            message = "LogGroup name prefix and LogGroup name pattern are mutually exclusive parameters."
            raise AwsError("InvalidParameterException", message)
        after, limit = self._get_param("nextToken") or "", self._limit(GROUPS_ON_A_PAGE)
        groups = [
            group
            for name, group in sorted(self._store.groups.items())
            if name.startswith(prefix or "") and (part or "").lower() in name.lower() and name > after
        ]
        page = {"logGroups": [_group(group) for group in groups[:limit]]}
        more = {"nextToken": groups[limit - 1].name} if len(groups) > limit else {}
        return ActionResult({**page, **more})

    def filter_log_events(self) -> ActionResult:
        """FilterLogEvents: events of many streams, interleaved by time."""
        group = self._group()
        limit = self._limit(MOST)
        found = self._store.search(
            group,
            self._stream_filter(),
            self._get_param("startTime"),
            self._get_param("endTime"),
            matcher(self._get_param("filterPattern")),
        )
        if after := self._get_param("nextToken"):
            found = [one for one in found if one[0] > place(after)]
        events = [
            {
                "logStreamName": stream,
                "timestamp": event.timestamp,
                "message": event.message,
                "ingestionTime": event.ingestion_time,
                "eventId": token(at),
            }
            for at, stream, event in found[:limit]
        ]
        more = {"nextToken": token(found[limit - 1][0])} if len(found) > limit else {}
        return ActionResult({"events": events, "searchedLogStreams": [], **more})

    def get_log_events(self) -> ActionResult:
        """GetLogEvents: one stream, forward or backward from a token or an end."""
        events = self._store.events(
            self._group(),
            self._get_param("logStreamName"),
            self._get_param("startTime"),
            self._get_param("endTime"),
        )
        limit = self._limit(MOST)
        given: str | None = self._get_param("nextToken")
        if given is None:
            page = events[:limit] if self._get_param("startFromHead") else events[-limit:]
        elif given.startswith("f/"):
            page = [event for event in events if key(event) > place(given[2:])][:limit]
        elif given.startswith("b/"):
            page = [event for event in events if key(event) < place(given[2:])][-limit:]
        else:
            raise AwsError("InvalidParameterException", "The specified nextToken is invalid.")
        here = given[2:] if given else token((0, 0))
        return ActionResult(
            {
                "events": [event.to_response_dict() for event in page],
                "nextForwardToken": f"f/{token(key(page[-1])) if page else here}",
                "nextBackwardToken": f"b/{token(key(page[0])) if page else here}",
            }
        )

    def _group(self) -> Any:
        return self._store.group(self._get_param("logGroupName"), self._get_param("logGroupIdentifier"))

    def _limit(self, most: int) -> int:
        return int(self._get_param("limit") or most)

    def _stream_filter(self) -> Callable[[str], bool]:
        names, prefix = self._get_param("logStreamNames", []), self._get_param("logStreamNamePrefix")
        if names and prefix:
            message = "logStreamNames and logStreamNamePrefix cannot both be given."
            raise AwsError("InvalidParameterException", message)
        if names:
            return lambda name: name in names
        return lambda name: name.startswith(prefix or "")


def _group(group: Any) -> dict[str, Any]:
    kind = getattr(group, "log_group_class", CLASSES[0])
    protected = is_protected(group)
    return {**group.to_describe_dict(), "logGroupClass": kind, "deletionProtectionEnabled": protected}
