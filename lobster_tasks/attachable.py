"""Splits an IAM policy into documents small enough for managed policies, which may have 6,144 characters. Pure.

"IAM and AWS STS quotas" (IAM User Guide): "The size of each managed policy can't exceed 6,144 characters. … IAM
doesn't count white space". Attached together the documents allow what the one policy allows: one allowing statement
is enough.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from .errors import TemplateError

MOST = 6_144
Document = Mapping[str, Any]


def documents(policy: Document) -> list[dict[str, Any]]:
    """The policy in as few documents as its statements fit into, in their order; raises TemplateError.

    A statement that is too large for one document is split by its resources or actions.
    """
    made: list[list[Document]] = []
    for statement in _small_enough(policy, policy["Statement"]):
        room = next((each for each in made if size(_with(policy, [*each, statement])) <= MOST), None)
        if room is None:
            made.append([statement])
        else:
            room.append(statement)
    return [_with(policy, each) for each in made] or [dict(policy)]


def size(policy: Document) -> int:
    """Characters of a policy, including blanks inside texts."""
    return len(json.dumps(policy, separators=(",", ":"), ensure_ascii=False))


def _with(policy: Document, statements: Iterable[Document]) -> dict[str, Any]:
    return {**policy, "Statement": list(statements)}


def _small_enough(policy: Document, statements: Iterable[Document]) -> Iterator[Document]:
    for statement in statements:
        if size(_with(policy, [statement])) <= MOST:
            yield statement
        else:
            yield from _small_enough(policy, _halves(statement))


def _halves(statement: Document) -> Iterator[Document]:
    """The statement in two halves: what is allowed on a list of resources is allowed on each, and likewise
    actions."""
    if statement["Effect"] == "Allow":
        for element in ("Resource", "Action"):
            members = statement.get(element)
            if isinstance(members, list) and len(members) > 1:
                middle = len(members) // 2
                yield {**statement, "Sid": f"{statement['Sid']}1", element: members[:middle]}
                yield {**statement, "Sid": f"{statement['Sid']}2", element: members[middle:]}
                return
    raise TemplateError(
        f"The statement {statement.get('Sid', '')} alone is larger than the {MOST:,} characters of a managed policy.",
        "its condition contains too many names",
        "set fewer or shorter domains, or one with an asterisk for several; for AskForTheCertificate set a certificate "
        "of your own (load_balancer.certificate or front.certificate); or write a template of your own under "
        "task-definitions/",
    )
