"""One call on its way, and who makes it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field, replace

from ...moto.moto_door import DEFAULT_ACCOUNT_ID
from ...moto.wire import Call
from ..policy import Decision
from . import callers
from .callers import Caller
from .question import Asked


@dataclass
class Passage:
    """One call of a caller that IAM knows, and what IAM was asked about it."""

    caller: Caller
    call: Call
    asked: list[Asked] = field(default_factory=list)

    def ask(self, question: Asked) -> Decision:
        """Decide one question, and remember it."""
        known = {**self._general(), **question.context}
        decision = self.caller.decides(question.action, question.resource, known)
        self.asked.append(replace(question, context=known, allowed=decision.allowed))
        return decision

    def _general(self) -> dict[str, str]:
        """The condition keys that every call has, and the name that a user alone has."""
        name = self.caller.user_name
        return {
            "aws:PrincipalArn": self.caller.principal,
            "aws:PrincipalAccount": self.caller.account,
            "aws:PrincipalType": "User" if name else "AssumedRole",
            "aws:RequestedRegion": self.call.region,
            **({"aws:username": name} if name else {}),
        }


_current: ContextVar[Passage | None] = ContextVar("passage", default=None)


@contextmanager
def opened(call: Call) -> Iterator[Passage | None]:
    """While a call is answered, ``current`` is its passage; None for a caller whom IAM does not know."""
    caller = callers.find(DEFAULT_ACCOUNT_ID, call.access_key)
    passage = Passage(caller, call) if caller else None
    token = _current.set(passage)
    try:
        yield passage
    finally:
        _current.reset(token)


def current() -> Passage | None:
    """The call that is being answered now; None where nobody calls, or one whom IAM does not know."""
    return _current.get()


def may(question: Asked) -> bool:
    """Whether who is calling now may do what the call tries besides, and can do without."""
    passage = current()
    return passage is None or passage.ask(question).allowed
