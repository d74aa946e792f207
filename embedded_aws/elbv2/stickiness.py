"""The cookies that keep a client with its target, or with its target group.

Source: "Sticky sessions for your Application Load Balancer". Their content is encrypted with a key of
this process, because the load balancer's own cookies cannot be read or created by others.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from email.utils import formatdate

from cryptography.fernet import Fernet, InvalidToken

TARGET = "AWSALB"
GROUP = "AWSALBTG"
APPLICATION = "AWSALBAPP-0"
SEVEN_DAYS = 604_800  # the fixed lifetime of AWSALBAPP


@dataclass(frozen=True)
class Stickiness:
    """Writes and reads the cookies; durations are in real seconds, as in browsers."""

    _key: Fernet = field(default_factory=lambda: Fernet(Fernet.generate_key()))

    def read(self, cookies: Mapping[str, str], name: str) -> str | None:
        """The content of the cookie ``name`` (or its CORS variant); None if it is missing, expired or forged."""
        for each in (name, f"{name}CORS"):
            try:
                text = self._key.decrypt(cookies.get(each, "").encode()).decode()
            except InvalidToken:
                continue
            until, _, value = text.partition(" ")
            if float(until) > time.time():
                return value
        return None

    def write(self, name: str, value: str, seconds: int, secure: bool) -> Iterator[str]:
        """The two ``Set-Cookie`` headers that keep a client for ``seconds``."""
        until = time.time() + seconds
        token = self._key.encrypt(f"{until} {value}".encode()).decode()
        plain = f"={token}; Expires={formatdate(until, usegmt=True)}; Path=/"
        yield f"{name}{plain}"
        yield f"{name}CORS{plain}; SameSite=None{'; Secure' if secure else ''}"

    def write_application(self, value: str, seconds: int) -> str:
        """The ``Set-Cookie`` header that accompanies the application's own cookie."""
        token = self._key.encrypt(f"{time.time() + seconds} {value}".encode()).decode()
        expires = formatdate(time.time() + SEVEN_DAYS, usegmt=True)
        return f"{APPLICATION}={token}; Expires={expires}; Path=/"
