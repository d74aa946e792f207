"""One call on its way, and who makes it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field, replace

from ...moto.adapter import DEFAULT_ACCOUNT_ID
from ...moto.wire import Call
from ..policy import Decision
from . import callers
from .callers import Caller
from .query import AuthorizationQuery


@dataclass
class CallContext:
    """One call of a caller that IAM knows, and what IAM was asked about it."""

    caller: Caller
    call: Call
    asked: list[AuthorizationQuery] = field(default_factory=list)

    def ask(self, query: AuthorizationQuery) -> Decision:
        """Decide one question, and remember it."""
        known = {**self._general(), **query.context}
        decision = self.caller.decides(query.action, query.resource, known)
        self.asked.append(replace(query, context=known, allowed=decision.allowed))
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


_current: ContextVar[CallContext | None] = ContextVar("call_context", default=None)


@contextmanager
def opened(call: Call) -> Iterator[CallContext | None]:
    """While a call is answered, ``current`` is its context; None for a caller whom IAM does not know."""
    caller = callers.find(DEFAULT_ACCOUNT_ID, call.access_key)
    call_context = CallContext(caller, call) if caller else None
    token = _current.set(call_context)
    try:
        yield call_context
    finally:
        _current.reset(token)


def current() -> CallContext | None:
    """The call that is being answered now; None where nobody calls, or one whom IAM does not know."""
    return _current.get()


def may(query: AuthorizationQuery) -> bool:
    """Whether who is calling now may do what the call tries besides, and can do without."""
    call_context = current()
    return call_context is None or call_context.ask(query).allowed
