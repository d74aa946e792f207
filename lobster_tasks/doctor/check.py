"""The result of a check, including a check that cannot be made."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from ..errors import LobsterError

Status = Literal["pass", "warn", "fail", "skip"]


# What a check found, for code that needs more than its status.
Code = Literal["", "absent", "byte-order-mark", "no-listener", "not-assumable", "open-to-anywhere"]


@dataclass(frozen=True)
class CheckResult:
    """One check's result: its finding (``saw``) in words, and how to ``fix`` it (a command or a step).

    ``code`` is for programs; ``why`` is the part of the finding that gives the reason, if it has one.
    """

    status: Status
    saw: str
    fix: str | None = None
    code: Code = ""
    why: str = ""


@dataclass(frozen=True)
class Check:
    """A check's result with the check's id, ``group.name``."""

    id: str
    status: Status
    saw: str
    fix: str | None = None
    code: Code = ""
    why: str = ""

    @property
    def group(self) -> str:
        """The subject of the check: roles, network, targets …"""
        return self.id.partition(".")[0]


@dataclass(frozen=True)
class Report:
    """All checks, in the order in which they are shown."""

    checks: tuple[Check, ...]

    @property
    def ok(self) -> bool:
        """Whether no check failed."""
        return not any(check.status == "fail" for check in self.checks)

    def count(self, status: Status) -> int:
        """The number of checks with this ``status``."""
        return sum(check.status == status for check in self.checks)


class UnknownError(Exception):
    """A check cannot be made; the text says what is missing, or which call was refused."""


def passed(saw: str) -> CheckResult:
    """The check passes."""
    return CheckResult("pass", saw)


def warned(saw: str, fix: str | None = None, code: Code = "") -> CheckResult:
    """A warning: it works, but a person should know about it."""
    return CheckResult("warn", saw, fix, code)


def failed(saw: str, fix: str | None = None, code: Code = "", why: str = "") -> CheckResult:
    """A failure: it does not work like this."""
    return CheckResult("fail", saw, fix, code, why)


def refusal(error: LobsterError) -> str:
    """A refused call, as part of a sentence."""
    return f"{error.what.rstrip('.')} ({error.why})" if error.why else error.what.rstrip(".")


def listed(names: list[str], most: int = 3) -> str:
    """The first names, separated by commas, and the number of the others."""
    shown = ", ".join(names[:most])
    return f"{shown} and {len(names) - most} more" if len(names) > most else shown
