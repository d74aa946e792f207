"""Everything that a diagnosis is based on, as frozen data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from ...definition import container_of, secrets
from ...doctor import Check
from ..observation.judge import Verdict
from ..observation.snapshot import Snapshot, Target, Task, revision_of
from .listening import ListeningPort

_ANY_TAG = "T"


@dataclass(frozen=True)
class Evidence:
    """The evidence about a rollout that is not live.

    ``tag`` is the tag to deploy again. ``failed`` are our tasks that ended, newest first, ``unhealthy`` our targets
    whose last state was unhealthy, ``were_healthy`` says that some of ours had been healthy before. ``log`` are the
    last lines of the container that ended the newest failed task, or of the app in a running one, ``listening_ports``
    the ports that the app reports. ``listened_after`` is how many seconds after its start the task reported the
    container's port, ``lived`` how many seconds it lived. ``definition`` and ``target_group`` are as AWS describes
    them, ``changed`` is what the definition changes about the previous one. ``checks`` are the doctor's, by id.
    ``new_roles`` names roles that were created moments ago. ``uncovered_secrets`` are the sources of secrets that the
    execution role's policy does not cover. ``gaps`` says what could not be read.
    """

    verdict: Verdict
    last: Snapshot
    tag: str = _ANY_TAG
    waited_minutes: float = 0.0
    failed: tuple[Task, ...] = ()
    unhealthy: tuple[Target, ...] = ()
    were_healthy: bool = False
    events: tuple[str, ...] = ()
    log: tuple[str, ...] = ()
    listening_ports: tuple[ListeningPort, ...] = ()
    listened_after: float | None = None
    lived: float | None = None
    definition: Mapping[str, Any] = field(default_factory=dict)
    target_group: Mapping[str, Any] = field(default_factory=dict)
    changed: tuple[str, ...] = ()
    checks: Mapping[str, Check] = field(default_factory=dict)
    new_roles: tuple[str, ...] = ()
    uncovered_secrets: frozenset[str] = frozenset()
    gaps: tuple[str, ...] = ()

    @property
    def again(self) -> str:
        """The command that deploys the same again."""
        return f"inv deploy --tag {self.tag}"

    @property
    def revision(self) -> str:
        """The number of our revision."""
        return revision_of(self.last.rollout.task_definition)

    @cached_property
    def container(self) -> Mapping[str, Any]:
        """The container behind the load balancer, or the first one; empty where the definition is unknown."""
        return container_of(self.definition, *(group.container for group in self.last.rollout.target_groups))

    @property
    def port(self) -> int:
        """The container's port, to which the load balancer connects."""
        groups = self.last.rollout.target_groups
        mappings = self.container.get("portMappings", [])
        return groups[0].port if groups else next((each["containerPort"] for each in mappings), 0)

    @property
    def secrets(self) -> Mapping[str, str]:
        """What the execution role reads, for any container: its purpose → its source."""
        return secrets(self.definition, self.container.get("name", ""))

    def others(self, name: str) -> str:
        """`` of NAME`` for a container other than the app's; empty for the app's."""
        return f" of {name}" if name != self.container.get("name", name) else ""

    @property
    def health_path(self) -> str:
        """The path of the load balancer's health check."""
        return str(self.target_group.get("HealthCheckPath", "the health check's path"))

    def status(self, check: str) -> str:
        """A check's status; ``skip`` for one that was not made."""
        return self.checks[check].status if check in self.checks else "skip"

    def failed_checks(self, *checks: str) -> tuple[Check, ...]:
        """Those of the checks that failed."""
        return tuple(self.checks[each] for each in checks if self.status(each) == "fail")
