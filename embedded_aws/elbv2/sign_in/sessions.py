"""The session of a signed-in user, which is stored only in the client's cookies.

The cookies are encrypted with a key of this process, because only the load balancer reads and writes them.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from email.utils import formatdate
from typing import Any

from cryptography.fernet import Fernet, InvalidToken

COOKIE_LASTS = 604_800
"""Seconds: "The cookie expiry is an attribute of the cookie, which is set to 7 days"."""

COOKIE_MOST = 4096
"""Bytes of a cookie with its name and attributes: "most browsers limit the cookie size to 4K"."""

SHARDS_MOST = 4
"""Application Load Balancers "can therefore create up to 4 shards to send to the client"."""


class InvalidCookieError(Exception):
    """A session cookie that this load balancer did not create, or an incomplete one (AuthInvalidCookie)."""


class TooLargeError(Exception):
    """The session does not fit into four cookies."""


@dataclass(frozen=True)
class Session:
    """``until`` is when the session times out, ``access_until`` when the access token expires, in seconds since 1970.

    ``claims`` are from the user info endpoint. Without ``refresh_token`` the access token's expiry has no effect.
    """

    balancer: str
    until: float
    access_token: str
    access_until: float | None
    refresh_token: str | None
    claims: Mapping[str, Any]

    @property
    def timed_out(self) -> bool:
        """Whether the session has timed out."""
        return time.time() >= self.until

    @property
    def needs_refresh(self) -> bool:
        """Whether the access token has expired and can be refreshed."""
        return bool(self.refresh_token) and self.access_until is not None and time.time() >= self.access_until


@dataclass(frozen=True)
class Sessions:
    """Writes sessions into cookies, and reads them."""

    _key: Fernet = field(default_factory=lambda: Fernet(Fernet.generate_key()))

    def read(self, cookies: Mapping[str, str], name: str, balancer: str) -> Session | None:
        """The session in the cookies ``name-0``, ``name-1`` …; None without one, and for another load balancer's.

        Raises InvalidCookieError.
        """
        text = "".join(_shards(cookies, name))
        if not text:
            return None
        try:
            found = Session(**json.loads(self._key.decrypt(text.encode())))
        except InvalidToken:
            raise InvalidCookieError from None
        return found if found.balancer == balancer else None

    def write(
        self, session: Session, name: str, before: Mapping[str, str], *, cross_site: bool
    ) -> tuple[str, ...]:
        """The ``Set-Cookie`` headers that store a session and expire the cookies in ``before`` that it no longer needs.

        Raises TooLargeError.
        """
        text = self._key.encrypt(json.dumps(asdict(session)).encode()).decode()
        end = f"; Expires={formatdate(time.time() + COOKIE_LASTS, usegmt=True)}{_attributes(cross_site)}"
        room = COOKIE_MOST - len(f"{name}-0={end}")
        parts = [text[start : start + room] for start in range(0, len(text), room)]
        if len(parts) > SHARDS_MOST:
            raise TooLargeError
        ended = f"; Expires={formatdate(0, usegmt=True)}{_attributes(cross_site)}"
        left = range(len(parts), len(list(_shards(before, name))))
        return (
            *(f"{name}-{number}={part}{end}" for number, part in enumerate(parts)),
            *(f"{name}-{number}={ended}" for number in left),
        )


def _attributes(cross_site: bool) -> str:
    """ "This cookie always contains the secure attribute", and "the SameSite=None attribute with CORS requests"."""
    return f"; Path=/; Secure; HttpOnly{'; SameSite=None' if cross_site else ''}"


def _shards(cookies: Mapping[str, str], name: str) -> Iterator[str]:
    for number in range(SHARDS_MOST):
        if f"{name}-{number}" not in cookies:
            return
        yield cookies[f"{name}-{number}"]
