"""The current call and its caller."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field, replace

from ...moto.adapter import DEFAULT_ACCOUNT_ID
from ...moto.wire import Call
from ..conditions import resource_account
from ..policy import Decision, Document
from . import callers
from .callers import Caller
from .query import AuthorizationQuery


@dataclass
class CallContext:
    """One call of a caller that IAM knows, and its authorization queries."""

    caller: Caller
    call: Call
    asked: list[AuthorizationQuery] = field(default_factory=list)

    def ask(self, query: AuthorizationQuery, policy: Document | None = None) -> Decision:
        """Decide one query, also by the resource's own policy if it has one, and record it."""
        owner = resource_account(query.resource, self.caller.account)
        known = {**self._general(), "aws:ResourceAccount": owner, **query.context}
        decision = self.caller.decides(query.action, query.resource, known, policy)
        self.asked.append(replace(query, context=known, allowed=decision.allowed))
        return decision

    def _general(self) -> dict[str, str]:
        """The condition keys of every call, and that of a user's name."""
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
    """Set ``current`` while a call is answered; None for a caller that IAM does not know."""
    caller = callers.find(DEFAULT_ACCOUNT_ID, call.access_key)
    call_context = CallContext(caller, call) if caller else None
    token = _current.set(call_context)
    try:
        yield call_context
    finally:
        _current.reset(token)


def current() -> CallContext | None:
    """The current call; None where there is none, or its caller is unknown to IAM."""
    return _current.get()


def may(query: AuthorizationQuery) -> bool:
    """Whether the current caller is authorized for an additional action that the call can do without."""
    call_context = current()
    return call_context is None or call_context.ask(query).allowed
