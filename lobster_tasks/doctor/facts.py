"""What was read from the account and the project, as input for the checks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from ..errors import LobsterError
from ..settings import Settings
from .check import UnknownError, refusal

Name = Literal[
    "identity",
    "execution_role",
    "task_role",
    "service_linked_role",
    "secrets",
    "may_pull",
    "may_log",
    "may_read_secrets",
    "may_read_parameters",
    "may_decrypt",
    "may_pass",
    "cluster",
    "service",
    "task_definition",
    "image",
    "other_images",
    "expiry",
    "covered",
    "log_group",
    "other_log_groups",
    "network",
    "zones",
    "public_access",
    "vcpus",
    "route_tables",
    "endpoints",
    "security_groups",
    "load_balancer",
    "listeners",
    "web_acl",
    "protection",
    "distribution",
    "front_web_acl",
    "front_ip_sets",
    "target_group",
    "target_health",
    "answers",
    "dockerfile",
    "streamlit_config",
    "gunicorn_file_binds",
    "start_scripts",
]


@dataclass(frozen=True)
class Reading:
    """One reading: its ``value`` (None for what does not exist), the ``error``, or why it is ``unknown``."""

    value: Any = None
    error: LobsterError | None = None
    unknown: str = ""

    def known(self) -> Any:
        """The value; raises UnknownError if it could not be read."""
        if self.error:
            raise UnknownError(refusal(self.error))
        if self.unknown:
            raise UnknownError(self.unknown)
        return self.value


@dataclass(frozen=True)
class Facts:
    """Everything that the checks use; AWS's answers are as botocore returns them."""

    settings: Settings
    account: str
    partition: str
    readings: Mapping[Name, Reading]

    def known(self, name: Name) -> Any:
        """A reading's value, None for what does not exist; raises UnknownError if it is not known."""
        return self.readings[name].known()

    def need(self, name: Name, absent: str) -> Any:
        """A reading's value; raises UnknownError with ``absent`` if there is none."""
        value = self.known(name)
        if value is None:
            raise UnknownError(absent)
        return value

    def error(self, name: Name) -> LobsterError | None:
        """Why a reading failed, for checks of the failure itself."""
        return self.readings[name].error


@dataclass(frozen=True)
class ContainerLogGroup:
    """The log group ``name`` of a container, in ``region``, and whether it is there when the container starts."""

    container: str
    name: str
    region: str
    found: bool


@dataclass(frozen=True)
class Decision:
    """The decision of IAM's simulator on one action and resource: allowed, implicitDeny or explicitDeny.

    ``missing`` are condition keys whose values it does not know; ``doubt`` names another policy that may decide, which
    it does not evaluate. A denial with either is not certain. ``by`` names what refuses, if it is not IAM.
    """

    action: str
    resource: str
    decision: str
    missing: tuple[str, ...] = ()
    doubt: str = ""
    by: str = ""


@dataclass(frozen=True)
class Secret:
    """A secret or parameter of any container, by its variable; ``key`` is its own KMS key, if it has one."""

    name: str
    source: str
    found: bool | None
    arn: str
    key: str = ""
    unknown: str = ""
