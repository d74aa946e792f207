"""Authorization tokens, by which a client of a registry is who asked for the token.

"An authorization token represents your IAM authentication credentials and can be used to access any Amazon ECR registry
that your IAM principal has access to. The authorization token is valid for 12 hours" (GetAuthorizationToken).
"""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

LIFE = timedelta(hours=12)
USER = "AWS"


class InvalidTokenError(ValueError):
    """The text is no token of ECR's."""


@dataclass(frozen=True)
class Token:
    """The access key of who asked for the token, and when the token expires."""

    access_key: str
    expires: datetime

    @classmethod
    def issued(cls, access_key: str) -> Token:
        """A new token."""
        return cls(access_key, datetime.now(UTC) + LIFE)

    @classmethod
    def read(cls, text: str) -> Token:
        """The token that a client sends after ``Basic``; InvalidTokenError."""
        try:
            user, _, password = base64.b64decode(text, validate=True).decode().partition(":")
            told = json.loads(base64.b64decode(password, validate=True))
            token = cls(str(told["key"]), datetime.fromtimestamp(told["expiration"], UTC))
        except (ArithmeticError, KeyError, OSError, TypeError, ValueError) as error:
            raise InvalidTokenError(text) from error
        if user != USER:
            raise InvalidTokenError(text)
        return token

    @property
    def text(self) -> str:
        """The token as GetAuthorizationToken gives it out: the user ``AWS`` and a password, in base64."""
        told = {"key": self.access_key, "expiration": self.expires.timestamp()}
        password = base64.b64encode(json.dumps(told).encode()).decode()
        return base64.b64encode(f"{USER}:{password}".encode()).decode()

    @property
    def is_expired(self) -> bool:
        """Whether its twelve hours are over."""
        return datetime.now(UTC) >= self.expires
