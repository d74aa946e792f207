"""Formats the doctor's report for people, or as plain data for JSON. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from rich.console import Group, RenderableType
from rich.text import Text

from .layout import plural, rows
from .unchecked import UNCHECKED

if TYPE_CHECKING:
    from ..doctor.check import Check, Report

_MARKS = {"pass": ("✔", "green"), "warn": ("!", "yellow"), "fail": ("✘", "bold red"), "skip": ("–", "dim")}


def checks(made: Report) -> RenderableType:
    """Every check with its finding and how to fix it, then the counts."""
    return Group(findings(made.checks), Text(), Text(_counted(made), style="bold"))


def findings(checks: Iterable[Check]) -> RenderableType:
    """Checks by group, each with its finding and how to fix it."""
    lines: list[tuple[str | Text, ...]] = []
    group = ""
    for check in checks:
        sign, style = _MARKS[check.status]
        saw = f"not checked: {unchecked(check)}" if check.status == "skip" else check.saw
        lines.append((check.group if check.group != group else "", Text(sign, style=style), saw))
        lines += [("", "", Text(f"→ {fix}", style="dim"))] if (fix := _fix(check)) else []
        group = check.group
    return rows(*lines)


def checks_json(made: Report) -> dict[str, Any]:
    """The object of ``validate-fargate-setup --json``."""
    return {
        "ok": made.ok,
        "checks": [
            {"id": check.id, "status": check.status, "saw": check.saw, "fix": _fix(check)}
            for check in made.checks
        ],
    }


def unchecked(check: Check) -> str:
    """What a check that could not be made checks, and why it was not made."""
    what, _ = UNCHECKED[check.id]
    return f"{what}: {check.saw}"


def unchecked_fix(check: Check) -> str:
    """What makes the check possible."""
    _, how = UNCHECKED[check.id]
    return check.fix or how


def _fix(check: Check) -> str | None:
    return (unchecked_fix(check) if check.status == "skip" else check.fix) or None


def _counted(made: Report) -> str:
    warnings, failures = (plural(made.count(status), word) for status, word in _WORDS)
    return f"{made.count('pass')} pass, {warnings}, {failures}, {made.count('skip')} not checked"


_WORDS: tuple[tuple[Any, str], ...] = (("warn", "warning"), ("fail", "failure"))


def caution(check: Check) -> str:
    """A warning or a check that could not be made, before a creation that continues; empty if the check passed."""
    if check.status == "skip":
        return f"! not checked: {unchecked(check)}\n  → {unchecked_fix(check)}"
    return f"! {check.saw}" if check.status == "warn" else ""
