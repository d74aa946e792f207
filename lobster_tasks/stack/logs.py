"""The CloudWatch Logs group of the tasks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from ..aws import Aws
from .neighbours import Neighbours
from .resource import Attributes, Live, LiveResources, Resource


@dataclass(frozen=True)
class LogGroup(Resource):
    """A log group that keeps events for ``retention_days``."""

    kind: ClassVar[str] = "log-group"
    holds_data: ClassVar[bool] = True
    retention_days: int

    def read(self, aws: Aws, known: LiveResources) -> Live | None:
        """DescribeLogGroups by prefix, the only way to find a group, and its tags."""
        groups = aws.pages("logs:DescribeLogGroups", "logGroups", self.label, logGroupNamePrefix=self.name)
        group = next((each for each in groups if each["logGroupName"] == self.name), None)
        if group is None:
            return None
        arn = group["arn"].removesuffix(":*")
        tags = aws.call("logs:ListTagsForResource", self.label, resourceArn=arn)["tags"]
        retention = group.get("retentionInDays")
        return Live(arn, {"retention": _days(retention)}, tags, group)

    def desired(self, known: LiveResources) -> Attributes:
        """The retention."""
        return {"retention": _days(self.retention_days)}

    def create(self, aws: Aws, known: LiveResources) -> Live:
        """CreateLogGroup, then its retention."""
        aws.call("logs:CreateLogGroup", self.label, logGroupName=self.name, tags=self.tags)
        arn = f"arn:{aws.partition}:logs:{aws.region}:{aws.account}:log-group:{self.name}"
        live = Live(arn, {}, self.tags)
        return self.update(aws, live, frozenset({"retention"}), known)

    def update(self, aws: Aws, live: Live, changed: frozenset[str], known: LiveResources) -> Live:
        """PutRetentionPolicy."""
        aws.call(
            "logs:PutRetentionPolicy",
            self.label,
            logGroupName=self.name,
            retentionInDays=self.retention_days,
        )
        return live

    def used_by(self, neighbours: Neighbours, live: Live, known: LiveResources) -> tuple[str, ...]:
        """Other families that log to it, its filters, which would be deleted with it, and deletion protection."""
        told = [*neighbours.with_log_group(self.name)]
        for kind in ("Metric", "Subscription"):
            operation, members = f"logs:Describe{kind}Filters", f"{kind.lower()}Filters"
            found = neighbours.aws.pages(operation, members, self.label, logGroupName=self.name)
            told += [f"{kind.lower()} filter {each['filterName']}" for each in found]
        if live.raw.get("deletionProtectionEnabled"):  # AWS refuses to delete it
            told.append("whoever has set its deletion protection")
        return tuple(told)

    def delete(self, aws: Aws, live: Live) -> None:
        """DeleteLogGroup, with every event in it."""
        aws.find("logs:DeleteLogGroup", ("ResourceNotFoundException",), self.label, logGroupName=self.name)

    def tag(self, aws: Aws, live: Live, tags: Mapping[str, str]) -> None:
        """TagResource."""
        aws.call("logs:TagResource", self.label, resourceArn=live.id, tags=tags)

    def untag(self, aws: Aws, live: Live, names: tuple[str, ...]) -> None:
        """UntagResource."""
        aws.call("logs:UntagResource", self.label, resourceArn=live.id, tagKeys=list(names))


def _days(days: int | None) -> str:
    return f"{days} days" if days else "for ever"
