"""What others in the account run beside the stack: before something is deleted it is asked whether they use it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from ..aws import Aws
from ..together import together

Definition = Mapping[str, Any]
_AT_ONCE = 8


@dataclass(frozen=True)
class Neighbours:
    """``definitions`` is the newest revision of each family that is not the stack's."""

    aws: Aws
    definitions: Sequence[Definition] = ()

    @classmethod
    def of(cls, aws: Aws, *own: str) -> Neighbours:
        """Those of all families but ``own``: ListTaskDefinitionFamilies, DescribeTaskDefinition."""
        operation, label = "ecs:ListTaskDefinitionFamilies", "the task definitions"
        families = [
            each for each in aws.pages(operation, "families", label, status="ACTIVE") if each not in own
        ]
        groups = (families[start : start + _AT_ONCE] for start in range(0, len(families), _AT_ONCE))
        found = [
            each for group in groups for each in together(*(partial(_newest, aws, name) for name in group))
        ]
        return cls(aws, tuple(each for each in found if each))

    def with_role(self, arn: str) -> tuple[str, ...]:
        """The families whose tasks have a role."""
        named = {arn, arn.rpartition("/")[2]}  # a role's name alone is taken too
        return tuple(_words(each) for each in self.definitions if named & _roles(each))

    def with_image_of(self, repository: str) -> tuple[str, ...]:
        """The families with an image of a repository (its URI)."""
        used = (each for each in self.definitions if repository in map(_repository, _images(each)))
        return tuple(map(_words, used))

    def with_log_group(self, name: str) -> tuple[str, ...]:
        """The families that log to a group."""
        return tuple(_words(each) for each in self.definitions if name in _log_groups(each))


def _newest(aws: Aws, family: str) -> Definition | None:
    """None for a family whose last revision went meanwhile."""
    found = aws.find("ecs:DescribeTaskDefinition", ("ClientException",), family, taskDefinition=family)
    return found["taskDefinition"] if found else None


def _words(definition: Definition) -> str:
    return f"task definition {definition['family']}"


def _roles(definition: Definition) -> set[str]:
    return {definition.get("executionRoleArn", ""), definition.get("taskRoleArn", "")}


def _images(definition: Definition) -> Iterator[str]:
    for container in definition.get("containerDefinitions", []):
        yield container.get("image", "")


def _repository(image: str) -> str:
    """An image's reference without tag and digest; a colon before the last slash is a port's."""
    name = image.partition("@")[0]
    host, slash, rest = name.rpartition("/")
    return host + slash + rest.partition(":")[0]


def _log_groups(definition: Definition) -> Iterator[str]:
    for container in definition.get("containerDefinitions", []):
        yield container.get("logConfiguration", {}).get("options", {}).get("awslogs-group", "")
