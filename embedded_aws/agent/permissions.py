"""Permissions of a task's execution role, with the error messages of the services."""

from __future__ import annotations

from dataclasses import dataclass

from ..iam import roles


@dataclass(frozen=True)
class Permissions:
    """The execution role of one task; None for a task without one."""

    account: str
    role: str | None
    session: str

    def denial(self, action: str, resource: str = "*") -> str | None:
        """``AccessDeniedException: …`` when the role does not allow ``action``; None when it does."""
        if self.role is None:
            return "AccessDeniedException: the task has no execution role"
        decision = roles.role_allows(self.account, self.role, action, resource)
        if decision.allowed:
            return None
        name = self.role.rsplit("/", 1)[-1]
        because = (
            "with an explicit deny in an identity-based policy"
            if decision.verdict == "explicitDeny"
            else f"because no identity-based policy allows the {action} action"
        )
        return (
            f"AccessDeniedException: User: arn:aws:sts::{self.account}:assumed-role/{name}/{self.session} is not "
            f"authorized to perform: {action} on resource: {resource} {because}"
        )
