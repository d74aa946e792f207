"""The load balancer's own requests to the identity provider: for tokens and for user claims."""

from __future__ import annotations

import asyncio
import base64
import json
import socket
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote_plus, urlsplit

import aiohttp

from ...kernel.loopback import is_loopback_address
from ..actions import SignIn

CLAIMS_MOST = 11 * 1024
"""The maximum size of user claims and access token together, in bytes."""

FAILED, UNAUTHORIZED, REFUSED = 500, 401, 561
"""Statuses ("Troubleshoot your Application Load Balancers"): the provider cannot be reached or its answer is too large;
its answer is not valid (not verified); it "returned an error code when authenticating the user"."""


class SignInError(Exception):
    """A user cannot be signed in; ``status`` is what the load balancer answers."""

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(reason)
        self.status = status


@dataclass(frozen=True)
class Tokens:
    """The tokens from the token endpoint; ``access_until`` in seconds since 1970, None where it states no expiry."""

    access_token: str
    access_until: float | None
    refresh_token: str | None
    id_token: str | None


@dataclass(frozen=True)
class Provider:
    """One identity provider; ``seconds`` (real) is its time limit for an answer, ``open`` whether the load balancer's
    network lets requests out to it."""

    sign_in: SignIn
    seconds: float
    open: bool

    async def redeem(self, code: str, redirect_uri: str) -> Tokens:
        """The tokens for an authorization code. Raises SignInError."""
        form = {"grant_type": "authorization_code", "code": code, "redirect_uri": redirect_uri}
        return self._checked(_tokens(await self._post(form)))

    async def refresh(self, refresh_token: str) -> Tokens:
        """New tokens for an existing session. Raises SignInError."""
        found = _tokens(await self._post({"grant_type": "refresh_token", "refresh_token": refresh_token}))
        kept = found.refresh_token or refresh_token
        return Tokens(found.access_token, found.access_until, kept, found.id_token)

    async def claims(self, tokens: Tokens) -> Mapping[str, Any]:
        """The claims from the user info endpoint. Raises SignInError."""
        bearer = {"Authorization": f"Bearer {tokens.access_token}"}
        text = await self._ask("GET", self.sign_in.user_info_endpoint, headers=bearer)
        if len(text) + len(tokens.access_token) > CLAIMS_MOST:
            raise SignInError(FAILED, "AuthUserinfoResponseSizeExceeded")
        found = _object(text, "AuthInvalidUserinfoResponse")
        subject = found.get("sub")
        if not _is_plain(subject):
            raise SignInError(UNAUTHORIZED, "AuthInvalidUserinfoResponse")
        return found

    def _checked(self, tokens: Tokens) -> Tokens:
        """The tokens, if the ID token has our client id, the right issuer, and has not expired. Raises SignInError.

        Its signature is not verified: no member of the action says where its key is, and "the TLS server validation
        MAY be used to validate the issuer in place of checking the token signature" (OpenID Connect Core, 3.1.3.7).
        """
        claims = _claims(tokens.id_token or "")
        audience = claims.get("aud")
        audiences = audience if isinstance(audience, list) else [audience]
        expires = claims.get("exp")
        if (
            claims.get("iss") != self.sign_in.issuer
            or self.sign_in.client_id not in audiences
            or not isinstance(expires, int | float)
            or expires <= time.time()
        ):
            raise SignInError(UNAUTHORIZED, "AuthInvalidIdToken")
        return tokens

    async def _post(self, form: Mapping[str, str]) -> bytes:
        """Call the token endpoint. The client secret is in the Authorization header, which is the default of OpenID
        Connect Core, 9 (client_secret_basic); how AWS sends it is not verified."""
        pair = aiohttp.BasicAuth(quote_plus(self.sign_in.client_id), quote_plus(self.sign_in.client_secret))
        headers = {"Authorization": pair.encode()}
        return await self._ask("POST", self.sign_in.token_endpoint, data=form, headers=headers)

    async def _ask(self, method: str, url: str, **more: Any) -> bytes:
        return await ask(method, url, seconds=self.seconds, is_open=self.open, **more)


async def ask(method: str, url: str, *, seconds: float, is_open: bool, **more: Any) -> bytes:
    """The body of an answer to the load balancer's own request, within ``seconds`` (real). Raises SignInError.

    ``is_open`` is whether its network lets the request out.
    """
    if not is_open:
        await asyncio.sleep(seconds)
        raise SignInError(FAILED, "no way out")
    connector = aiohttp.TCPConnector(family=socket.AF_INET)  # "Application Load Balancers only support IPv4"
    limit = aiohttp.ClientTimeout(total=seconds)
    try:
        async with (
            aiohttp.ClientSession(connector=connector, timeout=limit) as client,
            client.request(method, url, ssl=not _is_here(url), allow_redirects=False, **more) as answer,
        ):
            text = await answer.read()
    except (aiohttp.ClientError, TimeoutError, OSError) as failure:
        raise SignInError(FAILED, f"{url}: {type(failure).__name__}") from failure
    if not 200 <= answer.status < 300:
        raise SignInError(REFUSED, f"{url}: HTTP {answer.status}")
    return text


def _is_here(url: str) -> bool:
    """Whether a URL names an address of this machine; no public authority issues certificates for those."""
    return is_loopback_address(urlsplit(url).hostname or "")


def _tokens(text: bytes) -> Tokens:
    found = _object(text, "AuthInvalidTokenResponse")
    access, lasts = found.get("access_token"), found.get("expires_in")
    if not _is_plain(access):
        raise SignInError(UNAUTHORIZED, "AuthInvalidTokenResponse")
    until = time.time() + lasts if isinstance(lasts, int | float) else None
    refresh, id_token = found.get("refresh_token"), found.get("id_token")
    return Tokens(str(access), until, str(refresh) if refresh else None, str(id_token) if id_token else None)


def _is_plain(text: object) -> bool:
    """Whether a value may stand in a header."""
    return isinstance(text, str) and bool(text) and text.isascii() and text.isprintable()


def _object(text: bytes, reason: str) -> dict[str, Any]:
    try:
        found = json.loads(text)
    except ValueError:
        found = None
    if not isinstance(found, dict):
        raise SignInError(UNAUTHORIZED, reason)
    return found


def _claims(token: str) -> dict[str, Any]:
    """The claims of a JSON Web Token."""
    parts = token.split(".")
    try:
        text = base64.urlsafe_b64decode(parts[1] + "==") if len(parts) == 3 else b""
    except ValueError:
        text = b""
    return _object(text, "AuthInvalidIdToken")
