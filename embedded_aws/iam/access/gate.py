"""Lets a call through, or says why not, in the words of its service.

"Troubleshoot access denied error messages" (IAM User Guide) has the form of the message; each service its code.
"""

from __future__ import annotations

from typing import Any

from ...moto.moto_door import AwsError
from ..policy import Decision
from . import request
from .asked import Questions
from .passage import Passage, current
from .question import Asked

CODES = {
    "cloudfront": "AccessDenied",
    "ec2": "UnauthorizedOperation",
    "elasticloadbalancing": "AccessDenied",
    "iam": "AccessDenied",
    "monitoring": "AccessDenied",
    "route53": "AccessDenied",
    "sts": "AccessDenied",
}


class Gate:
    """Asks IAM about each call."""

    def __init__(self, questions: Questions) -> None:
        self._questions = questions

    def refused(self, environ: dict[str, Any]) -> AwsError | None:
        """Why who is calling now may not make the call of this environ; None where it is allowed."""
        passage = current()
        if passage is None:
            return None
        members = request.members(passage.call, environ)
        for question in self._questions.of_call(passage.caller.account, passage.call, members):
            decision = passage.ask(question)
            if not decision.allowed:
                return _denial(passage, question, decision)
        return None


def status_of(denial: AwsError) -> int:
    """The HTTP status of a refusal: services that speak JSON have 400."""
    return 400 if denial.code == "AccessDeniedException" else 403


def _denial(passage: Passage, question: Asked, decision: Decision) -> AwsError:
    told = (
        f"User: {passage.caller.arn} is not authorized to perform: {question.action} on resource: "
        f"{question.resource} {_because(question.action, decision)}"
    )
    if passage.call.service == "ec2":
        told = f"You are not authorized to perform this operation. {told}"
    return AwsError(CODES.get(passage.call.service, "AccessDeniedException"), told)


def _because(action: str, decision: Decision) -> str:
    kind = "identity-based policy" if decision.within_boundary else "permissions boundary"
    if decision.verdict == "explicitDeny":
        return f"with an explicit deny in {'an' if kind[0] == 'i' else 'a'} {kind}"
    return f"because no {kind} allows the {action} action"
