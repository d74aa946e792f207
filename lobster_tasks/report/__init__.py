"""Formats plans, outcomes, status and checks: as rich renderables for people, or as plain data for JSON. Pure."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from rich.console import Group, RenderableType
from rich.text import Text

from ..errors import LobsterError, NotReadyError
from ..foreign import one_line
from ..masking import MASK
from ..secrecy import shown_member
from ..task_names import Exact, Verbatim, verbatim
from .access import access, access_json, access_next, variable_lines, variables
from .apprunner import (
    cleaned,
    cleanup_plan,
    cleanup_plan_json,
    cleanup_question,
    last_gate,
    nothing_to_clean,
    parity,
    parity_json,
)
from .attaching import NamedDocument, how_to_attach, named, policies_json
from .checks import caution, checks, checks_json, unchecked, unchecked_fix
from .cutovers import cut_over, cut_over_json, cutover_heading, cutover_steps
from .layout import hanging, labelled, rows
from .migrations import migration, migration_json, migrations, migrations_json, next_steps, row_json, written
from .operating import (
    before_scaling,
    before_scaling_json,
    history,
    history_json,
    log_line,
    scaled,
    scaled_json,
)
from .plans import (
    brought,
    change_done,
    cost,
    counts,
    dns_lines,
    farewell,
    former_url_of,
    heading,
    lockout_question,
    plan,
    plan_and_cost,
    plan_json,
    question,
    removal,
    removal_question,
    removed,
    url_of,
)
from .rehearsals import kept, rehearsal_end, rehearsal_heading, rehearsal_json, step
from .releases import (
    cause_json,
    moment,
    movement,
    outcome,
    outcome_json,
    planned_push,
    planned_push_json,
    preview,
    preview_json,
    pushed,
    pushed_json,
    release_heading,
    rollback_heading,
    status,
    status_json,
    transfer,
    transferred,
)

__all__ = [
    "NamedDocument",
    "access",
    "access_json",
    "access_next",
    "before_scaling",
    "before_scaling_json",
    "brought",
    "cause_json",
    "caution",
    "change_done",
    "checks",
    "checks_json",
    "cleaned",
    "cleanup_plan",
    "cleanup_plan_json",
    "cleanup_question",
    "cost",
    "counts",
    "cut_over",
    "cut_over_json",
    "cutover_heading",
    "cutover_steps",
    "dns_lines",
    "error",
    "error_json",
    "farewell",
    "former_url_of",
    "heading",
    "history",
    "history_json",
    "how_to_attach",
    "kept",
    "last_gate",
    "lockout_question",
    "log_line",
    "migration",
    "migration_json",
    "migrations",
    "migrations_json",
    "moment",
    "movement",
    "named",
    "next_steps",
    "nothing_to_clean",
    "outcome",
    "outcome_json",
    "parity",
    "parity_json",
    "plan",
    "plan_and_cost",
    "plan_json",
    "planned_push",
    "planned_push_json",
    "policies_json",
    "preview",
    "preview_json",
    "pushed",
    "pushed_json",
    "question",
    "rehearsal_end",
    "rehearsal_heading",
    "rehearsal_json",
    "release_heading",
    "removal",
    "removal_question",
    "removed",
    "rollback_heading",
    "row_json",
    "scaled",
    "scaled_json",
    "settings",
    "status",
    "status_json",
    "step",
    "transfer",
    "transferred",
    "unchecked",
    "unchecked_fix",
    "url_of",
    "variable_lines",
    "variables",
    "written",
]


def error(problem: LobsterError) -> RenderableType:
    """An error: what happened, all problems, why, what else happened, the next step."""
    lines: list[RenderableType] = [Text.assemble(("✘ ", "bold red"), one_line(problem.what))]
    lines += [Text(f"  {one_line(each)}") for each in _problems(problem)]
    lines += [labelled("cause", problem.code)] if isinstance(problem, NotReadyError) else []
    lines += [hanging("why", problem.why)] if problem.why else []
    lines += [hanging("", note) for note in getattr(problem, "__notes__", ())]
    lines += [labelled("next", problem.next_step)] if problem.next_step else []
    return Group(*lines)


def waiting(refused: LobsterError, within: float) -> RenderableType:
    """One line about a refusal that is retried."""
    return Text(f"… waiting, {within:.0f} s at most: {one_line(refused.what)} {one_line(refused.why)}")


def error_json(problem: LobsterError) -> dict[str, Any]:
    """The object that a task with ``--json`` prints for an error."""
    why = problem.why or "; ".join(_problems(problem))
    told = {"what": problem.what, "why": why, "next": problem.next_step, "exit_code": problem.exit_code}
    return {"error": told}


_NAMES = ("region", "cluster", "service")


def settings_json(found: Mapping[str, Any]) -> dict[str, Any]:
    """Every setting, without the values of variables, and with stars for what looks like a secret in a command.

    The names in AWS, which other programs take, are exact.
    """
    container = found["container"]
    hidden = {
        "environment": dict.fromkeys(container["environment"], MASK),
        "command": shown_member("command", container["command"]),
    }
    shown: dict[str, Any] = verbatim({**found, "container": {**container, **hidden}})
    for section, names in ((shown, _NAMES), (shown["container"], ("name",))):
        section.update({name: Exact(section[name]) for name in names if isinstance(section.get(name), str)})
    return shown


def settings(found: Mapping[str, Any]) -> RenderableType:
    """One line per setting, with the name that ``--set`` uses; text unchanged, other values as JSON."""
    return rows(*_dotted(found))


def _dotted(tree: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, str]]:
    for key, value in tree.items():
        if isinstance(value, Mapping) and value:
            yield from _dotted(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", Verbatim(value if isinstance(value, str) else json.dumps(value))


def _problems(problem: LobsterError) -> tuple[str, ...]:
    problems: tuple[str, ...] = getattr(problem, "problems", ())
    return problems
