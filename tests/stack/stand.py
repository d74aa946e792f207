"""Single resources of the plan's stack, read and made on their own."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from lobster_tasks import converge, stack
from lobster_tasks.aws import Aws
from lobster_tasks.settings import load
from lobster_tasks.stack import Live, Resource


@dataclass(frozen=True)
class Stand:
    """The slice of a stack that some kinds of resources stand on."""

    aws: Aws
    desired: stack.Stack

    @classmethod
    def of(cls, aws: Aws, *kinds: str, **given: Any) -> Stand:
        """The slice for these kinds, with these settings."""
        whole = stack.build(load(given), aws.account, aws.partition)
        return cls(aws, whole.slice(kinds))

    def find(self, label: str) -> Any:
        """The resource of a label."""
        return next(each for each in self.desired.resources if each.label == label)

    def read(self) -> dict[Resource, Live | None]:
        """Everything as it is."""
        return converge.read(self.aws, self.desired)

    def live(self, label: str) -> Live:
        """One resource as it is; it has to be there."""
        found = self.read()[self.find(label)]
        assert found is not None
        return found

    def plan(self, *, adopt: bool = False) -> converge.Plan:
        """What would be changed."""
        return converge.with_openings(converge.plan(self.desired, self.read(), adopt=adopt))

    def converge(self, *, adopt: bool = False) -> None:
        """Make it so; what is left over is an error."""
        converge.apply(self.aws, self.plan(adopt=adopt), lambda _: None)
        assert self.plan().changes == ()

    def remove(self) -> None:
        """Take it away, data and all."""
        made = converge.plan_removal(self.desired, self.read(), keep_data=False)
        converge.apply(self.aws, made, lambda _: None)
