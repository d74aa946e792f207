"""What CloudWatch Logs keeps and returns, fact by fact (CloudWatch Logs API Reference)."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from botocore.exceptions import ClientError

from embedded_aws.logs.pattern import matcher
from tests.embedded_process import EmbeddedProcess

GROUP = "/ecs/app"
NO_GROUP = ("ResourceNotFoundException", "The specified log group does not exist.")
NO_STREAM = ("ResourceNotFoundException", "The specified log stream does not exist.")


@pytest.fixture
def logs(client: Any) -> Any:
    """Logs with one group."""
    made = client("logs")
    made.create_log_group(logGroupName=GROUP)
    return made


@pytest.fixture
def now() -> int:
    """Milliseconds since 1970."""
    return int(time.time() * 1000)


@pytest.fixture
def write(logs: Any, now: int) -> Callable[..., None]:
    """``write("stream", (5, "line"), …)`` puts lines at milliseconds after ``now``."""

    def put(stream: str, *lines: tuple[int, str]) -> None:
        named = {"logGroupName": GROUP, "logStreamName": stream}
        if not logs.describe_log_streams(logGroupName=GROUP, logStreamNamePrefix=stream)["logStreams"]:
            logs.create_log_stream(**named)
        logs.put_log_events(
            logEvents=[{"timestamp": now + at, "message": line} for at, line in lines], **named
        )

    return put


def refused(call: Callable[..., Any], **parameters: Any) -> tuple[str, str]:
    """The code and message that a call is refused with."""
    with pytest.raises(ClientError) as error:
        call(**parameters)
    return error.value.response["Error"]["Code"], error.value.response["Error"]["Message"]


def lines(answer: dict[str, Any]) -> list[str]:
    """The messages in an answer."""
    return [event["message"] for event in answer["events"]]


def test_a_group_name_is_unique(logs: Any) -> None:
    """ResourceAlreadyExistsException (CreateLogGroup)."""
    again = refused(logs.create_log_group, logGroupName=GROUP)
    assert again == ("ResourceAlreadyExistsException", "The specified log group already exists")


@pytest.mark.parametrize("name", ["a b", "a:b", "x" * 513, "aws/x"])
def test_group_names_are_checked(logs: Any, name: str) -> None:
    """'between 1 and 512 characters', [.-_/#A-Za-z0-9], 'can't start with the string aws/' (CreateLogGroup)."""
    assert refused(logs.create_log_group, logGroupName=name)[0] == "InvalidParameterException"


def test_a_protected_group_is_not_deleted(client: Any) -> None:
    """'If you attempt to delete a log group with deletion protection enabled, you receive a ValidationException with
    the message' ("Protecting log groups from deletion", CloudWatch Logs User Guide); 'By default log groups are
    created without deletion protection enabled' (CreateLogGroup); 'The name or ARN of the log group'
    (PutLogGroupDeletionProtection)."""
    logs = client("logs")

    def protected() -> bool:
        (group,) = logs.describe_log_groups()["logGroups"]
        return bool(group["deletionProtectionEnabled"])

    def protect(name: str, enabled: bool) -> None:
        logs.put_log_group_deletion_protection(logGroupIdentifier=name, deletionProtectionEnabled=enabled)

    told = "Cannot delete log group with deletion protection enabled. Disable deletion protection first."
    logs.create_log_group(logGroupName=GROUP, deletionProtectionEnabled=True)
    assert protected()
    assert refused(logs.delete_log_group, logGroupName=GROUP) == ("ValidationException", told)
    protect(GROUP, False)
    assert not protected()
    protect(logs.describe_log_groups()["logGroups"][0]["logGroupArn"], True)
    assert refused(logs.delete_log_group, logGroupName=GROUP) == ("ValidationException", told)
    protect(GROUP, False)
    logs.delete_log_group(logGroupName=GROUP)
    logs.create_log_group(logGroupName=GROUP)
    assert not protected()
    absent = {"logGroupIdentifier": "none", "deletionProtectionEnabled": True}
    assert refused(logs.put_log_group_deletion_protection, **absent) == NO_GROUP


def test_retention_is_one_of_a_list(logs: Any) -> None:
    """'Possible values are: 1, 3, 5, 7, 14, 30, …' (PutRetentionPolicy); absent means never."""
    assert "retentionInDays" not in logs.describe_log_groups()["logGroups"][0]
    code, text = refused(logs.put_retention_policy, logGroupName=GROUP, retentionInDays=8)
    assert code == "InvalidParameterException"
    assert text.startswith("1 validation error detected: Value '8' at 'retentionInDays' failed to satisfy")
    for _ in range(2):
        logs.put_retention_policy(logGroupName=GROUP, retentionInDays=30)
    assert logs.describe_log_groups()["logGroups"][0]["retentionInDays"] == 30
    assert refused(logs.put_retention_policy, logGroupName="/none", retentionInDays=30) == NO_GROUP


def test_groups_are_described_by_prefix_and_pattern_in_pages(logs: Any) -> None:
    """DescribeLogGroups: 'ASCII-sorted by log group name'; nextToken; class and ARNs."""
    for name in ("/ecs/b", "/ecs/a", "/other"):
        logs.create_log_group(logGroupName=name)
    first = logs.describe_log_groups(limit=2)
    assert [group["logGroupName"] for group in first["logGroups"]] == ["/ecs/a", "/ecs/app"]
    rest = logs.describe_log_groups(limit=2, nextToken=first["nextToken"])
    assert [group["logGroupName"] for group in rest["logGroups"]] == ["/ecs/b", "/other"]
    assert "nextToken" not in rest
    by_prefix = logs.describe_log_groups(logGroupNamePrefix="/ecs/a")["logGroups"]
    assert [group["logGroupName"] for group in by_prefix] == ["/ecs/a", "/ecs/app"]
    (found,) = logs.describe_log_groups(logGroupNamePattern="THE")["logGroups"]
    arn = "arn:aws:logs:us-east-2:123456789012:log-group:/other"
    assert (found["arn"], found["logGroupArn"], found["logGroupClass"]) == (f"{arn}:*", arn, "STANDARD")


def test_a_deleted_group_is_gone(logs: Any) -> None:
    """ResourceNotFoundException (DeleteLogGroup)."""
    logs.delete_log_group(logGroupName=GROUP)
    assert refused(logs.delete_log_group, logGroupName=GROUP) == NO_GROUP


def test_groups_are_tagged(logs: Any) -> None:
    """CreateLogGroup's tags, TagResource, ListTagsForResource, UntagResource."""
    logs.create_log_group(logGroupName="/tagged", tags={"a": "1"})
    arn = "arn:aws:logs:us-east-2:123456789012:log-group:/tagged"
    logs.tag_resource(resourceArn=arn, tags={"b": "2"})
    logs.untag_resource(resourceArn=arn, tagKeys=["a"])
    assert logs.list_tags_for_resource(resourceArn=arn)["tags"] == {"b": "2"}
    assert refused(logs.list_tags_for_resource, resourceArn=arn + "2")[0] == "ResourceNotFoundException"


def test_a_group_made_again_has_no_tags_of_the_one_before(logs: Any) -> None:
    """DeleteLogGroup: "Deletes the specified log group and permanently deletes all the archived log events"."""
    logs.create_log_group(logGroupName="/tagged", tags={"a": "1"})
    logs.delete_log_group(logGroupName="/tagged")
    logs.create_log_group(logGroupName="/tagged")
    arn = "arn:aws:logs:us-east-2:123456789012:log-group:/tagged"
    assert logs.list_tags_for_resource(resourceArn=arn)["tags"] == {}


def test_streams_are_made_once_in_a_group_that_exists(logs: Any) -> None:
    """CreateLogStream: ResourceAlreadyExistsException, ResourceNotFoundException, no ':' or '*'."""
    logs.create_log_stream(logGroupName=GROUP, logStreamName="s")
    again = refused(logs.create_log_stream, logGroupName=GROUP, logStreamName="s")
    assert again == ("ResourceAlreadyExistsException", "The specified log stream already exists")
    assert refused(logs.create_log_stream, logGroupName="/none", logStreamName="s") == NO_GROUP
    code, _ = refused(logs.create_log_stream, logGroupName=GROUP, logStreamName="a:b")
    assert code == "InvalidParameterException"


def test_events_need_a_stream(logs: Any, now: int) -> None:
    """PutLogEvents, GetLogEvents, FilterLogEvents: ResourceNotFoundException says which is missing."""
    event = [{"timestamp": now, "message": "m"}]
    named = {"logGroupName": GROUP, "logStreamName": "s"}
    assert refused(logs.put_log_events, **named, logEvents=event) == NO_STREAM
    assert refused(logs.get_log_events, **named) == NO_STREAM
    nowhere = {**named, "logGroupName": "/none"}
    assert refused(logs.put_log_events, **nowhere, logEvents=event) == NO_GROUP
    assert refused(logs.get_log_events, **nowhere) == NO_GROUP
    assert refused(logs.filter_log_events, logGroupName="/none") == NO_GROUP


def test_a_batch_is_in_order(logs: Any, now: int) -> None:
    """'The log events in the batch must be in chronological order' (PutLogEvents)."""
    named = {"logGroupName": GROUP, "logStreamName": "s"}
    logs.create_log_stream(**named)
    events = [{"timestamp": now, "message": "m"}, {"timestamp": now - 1, "message": "m"}]
    assert refused(logs.put_log_events, **named, logEvents=events)[0] == "InvalidParameterException"


def test_events_are_read_forward(logs: Any, write: Callable[..., None]) -> None:
    """nextForwardToken: 'If you have reached the end of the stream, it returns the same token' (GetLogEvents)."""
    write("s", *((number, f"line {number}") for number in range(5)))
    named = {"logGroupName": GROUP, "logStreamName": "s", "limit": 2, "startFromHead": True}
    seen, answer = [], logs.get_log_events(**named)
    while answer["events"]:
        seen += lines(answer)
        token = answer["nextForwardToken"]
        answer = logs.get_log_events(**named, nextToken=token)
    assert seen == [f"line {number}" for number in range(5)]
    assert answer["nextForwardToken"] == token
    write("s", (9, "later"))
    assert lines(logs.get_log_events(**named, nextToken=token)) == ["later"]


def test_following_an_empty_stream_misses_nothing(logs: Any, write: Callable[..., None]) -> None:
    """A token from before the first event leads to it (GetLogEvents)."""
    named = {"logGroupName": GROUP, "logStreamName": "s", "startFromHead": True}
    logs.create_log_stream(logGroupName=GROUP, logStreamName="s")
    token = logs.get_log_events(**named)["nextForwardToken"]
    write("s", (0, "first"))
    assert lines(logs.get_log_events(**named, nextToken=token)) == ["first"]


def test_without_a_token_the_latest_come_and_backward_the_earlier(
    logs: Any, write: Callable[..., None]
) -> None:
    """'If the value is false, the latest log events are returned first. The default is false' (GetLogEvents)."""
    write("s", *((number, f"line {number}") for number in range(5)))
    named = {"logGroupName": GROUP, "logStreamName": "s", "limit": 2}
    latest = logs.get_log_events(**named)
    assert lines(latest) == ["line 3", "line 4"]
    assert lines(logs.get_log_events(**named, nextToken=latest["nextBackwardToken"])) == ["line 1", "line 2"]
    code, _ = refused(logs.get_log_events, **named, nextToken="x")
    assert code == "InvalidParameterException"


def test_times_bound_what_is_read(logs: Any, now: int, write: Callable[..., None]) -> None:
    """startTime included, endTime not (GetLogEvents); both included (FilterLogEvents)."""
    write("s", *((number, f"line {number}") for number in range(5)))
    times = {"logGroupName": GROUP, "startTime": now + 1, "endTime": now + 3}
    assert lines(logs.get_log_events(**times, logStreamName="s")) == ["line 1", "line 2"]
    assert lines(logs.filter_log_events(**times)) == ["line 1", "line 2", "line 3"]


def test_filtering_interleaves_streams_in_pages(logs: Any, write: Callable[..., None]) -> None:
    """'The response from this operation always interleaves events from multiple log streams'; nextToken."""
    write("a", (0, "a0"), (2, "a2"), (4, "a4"))
    write("b", (1, "b1"), (3, "b3"))
    pages = logs.get_paginator("filter_log_events").paginate(
        logGroupName=GROUP, PaginationConfig={"PageSize": 2}
    )
    seen = [(event["logStreamName"], event["message"]) for page in pages for event in page["events"]]
    assert seen == [("a", "a0"), ("b", "b1"), ("a", "a2"), ("b", "b3"), ("a", "a4")]
    assert logs.filter_log_events(logGroupName=GROUP)["searchedLogStreams"] == []


def test_streams_are_chosen_by_name_or_prefix(logs: Any, write: Callable[..., None]) -> None:
    """'If you specify a value for both … InvalidParameterException' (FilterLogEvents)."""
    for stream in ("app/1", "app/2", "other"):
        write(stream, (0, stream))
    assert lines(logs.filter_log_events(logGroupName=GROUP, logStreamNamePrefix="app/")) == ["app/1", "app/2"]
    assert lines(logs.filter_log_events(logGroupName=GROUP, logStreamNames=["other"])) == ["other"]
    both = {"logGroupName": GROUP, "logStreamNames": ["other"], "logStreamNamePrefix": "app/"}
    assert refused(logs.filter_log_events, **both)[0] == "InvalidParameterException"


def test_streams_are_sorted_by_their_last_event(logs: Any, write: Callable[..., None]) -> None:
    """orderBy LastEventTime, descending; not together with a prefix (DescribeLogStreams)."""
    write("old", (0, "x"))
    write("new", (9, "x"))
    logs.create_log_stream(logGroupName=GROUP, logStreamName="empty")
    ask = {"logGroupName": GROUP, "orderBy": "LastEventTime"}
    streams = logs.describe_log_streams(**ask, descending=True)["logStreams"]
    assert [stream["logStreamName"] for stream in streams] == ["new", "old", "empty"]
    code, _ = refused(logs.describe_log_streams, **ask, logStreamNamePrefix="o")
    assert code == "InvalidParameterException"


@pytest.mark.parametrize(
    ("pattern", "line", "matches"),
    [
        (None, "anything", True),
        ("ERROR", "an ERROR here", True),
        ("ERROR", "an error here", False),
        ("ERROR port", "ERROR: port in use", True),
        ("ERROR port", "ERROR", False),
        ('"ERROR: port"', "ERROR: port in use", True),
        ('"port ERROR"', "ERROR: port", False),
        ("?ERROR ?WARN", "WARN low", True),
        ("?ERROR ?WARN", "INFO", False),
        ("ERROR -port", "ERROR: port", False),
        ("ERROR -port", "ERROR: disk", True),
        ("%E[A-Z]+R%", "an ERROR", True),
        ("%^E%", "an ERROR", False),
    ],
)
def test_filter_patterns(pattern: str | None, line: str, matches: bool) -> None:
    """'Terms … are case sensitive'; ?, -, quotes, %regex% (Filter pattern syntax)."""
    assert matcher(pattern)(line) is matches


def test_a_pattern_that_is_not_known_is_refused(logs: Any) -> None:
    """Rather than matching everything: patterns for JSON."""
    refusal = refused(logs.filter_log_events, logGroupName=GROUP, filterPattern='{ $.level = "error" }')
    assert refusal[0] == "UnknownOperationException"


def test_writers_and_readers_do_not_disturb_each_other(aws: EmbeddedProcess, logs: Any, now: int) -> None:
    """New streams appear while the group is read."""
    busy = aws.client("logs", max_pool_connections=8)

    def write_and_read(number: int) -> None:
        for turn in range(5):
            named = {"logGroupName": GROUP, "logStreamName": f"{number}-{turn}"}
            busy.create_log_stream(**named)
            busy.put_log_events(**named, logEvents=[{"timestamp": now, "message": "m"}])
            busy.filter_log_events(logGroupName=GROUP)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(write_and_read, range(8)))
    assert len(logs.filter_log_events(logGroupName=GROUP)["events"]) == 40


def test_a_key_is_associated_and_taken_off(logs: Any) -> None:
    """AssociateKmsKey: "causes log events ingested into that log group to be encrypted with that key"; LogGroup has it
    as ``kmsKeyId``. DisassociateKmsKey takes it off; of no group both say ResourceNotFoundException."""
    key = "arn:aws:kms:us-east-2:123456789012:key/0f1e2d3c-0000-4000-8000-000000000000"
    logs.associate_kms_key(logGroupName=GROUP, kmsKeyId=key)
    assert logs.describe_log_groups()["logGroups"][0]["kmsKeyId"] == key
    logs.disassociate_kms_key(logGroupName=GROUP)
    assert "kmsKeyId" not in logs.describe_log_groups()["logGroups"][0]
    assert refused(logs.associate_kms_key, logGroupName="gone", kmsKeyId=key) == NO_GROUP
