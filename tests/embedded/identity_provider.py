"""A small OpenID Connect provider at a loopback address, which signs in every user at once.

It also has the paths of a Cognito user pool.
"""

from __future__ import annotations

import asyncio
import base64
import json
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

from aiohttp import web

from tests.embedded.sites import Site

CLIENT, SECRET = "the-client", "the-secret"


def id_token(**claims: Any) -> str:
    """An ID token, with a signature that nobody verifies."""
    parts = ({"alg": "RS256", "typ": "JWT"}, claims)
    encoded = [base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=") for part in parts]
    return ".".join([*encoded, "signature"])


@dataclass(eq=False)
class IdentityProvider(Site):
    """``claims`` are those of every user; ``tokens`` are added to the token endpoint's answer (None removes a member).

    ``statuses`` maps paths to what they answer instead of 200, ``silent`` are paths that never answer. ``asked`` are
    the query parameters that the authorization endpoint received, ``forms`` what the token endpoint received.
    ``keys`` is the key set at /jwks.
    ``answer`` is what the redirect back to the load balancer contains, by default a code.
    """

    claims: dict[str, Any] = field(default_factory=lambda: {"sub": "user-1", "email": "user@example.com"})
    tokens: dict[str, Any] = field(default_factory=dict)
    keys: dict[str, Any] = field(default_factory=lambda: {"keys": []})
    statuses: dict[str, int] = field(default_factory=dict)
    silent: set[str] = field(default_factory=set)
    answer: dict[str, str] = field(default_factory=lambda: {"code": "the-code"})
    asked: list[dict[str, str]] = field(default_factory=list)
    forms: list[dict[str, str]] = field(default_factory=list)

    @property
    def issuer(self) -> str:
        """Its address; every endpoint is below it."""
        return f"https://{self.address}:{self._socket.getsockname()[1]}"

    def calls(self, path: str) -> list[dict[str, str]]:
        """The headers of the requests to one of its paths, with names in lower case."""
        found = [one for one in list(self.seen) if one.path.partition("?")[0] == path]
        return [{name.lower(): value for name, value in one.headers} for one in found]

    def _routes(self) -> dict[str, Callable[[web.Request], Awaitable[web.StreamResponse]]]:
        return {
            "/authorize": self._authorize,
            "/token": self._token,
            "/userinfo": self._user_info,
            "/jwks": self._key_set,
            "/oauth2/authorize": self._authorize,
            "/oauth2/token": self._token,
            "/oauth2/userInfo": self._user_info,
        }

    async def _authorize(self, request: web.Request) -> web.StreamResponse:
        self.asked.append(dict(request.query))
        given = {**self.answer, "state": request.query["state"]}
        raise web.HTTPFound(f"{request.query['redirect_uri']}?{urlencode(given)}")

    async def _token(self, request: web.Request) -> web.StreamResponse:
        self.forms.append({name: str(value) for name, value in (await request.post()).items()})
        claims = {
            "iss": self.issuer,
            "aud": CLIENT,
            "sub": self.claims["sub"],
            "exp": int(time.time()) + 3600,
        }
        given = {
            "access_token": f"access-{len(self.forms)}",
            "token_type": "Bearer",
            "expires_in": 3600,
            "id_token": id_token(**claims),
            **self.tokens,
        }
        return await self._said(request, {name: value for name, value in given.items() if value is not None})

    async def _user_info(self, request: web.Request) -> web.StreamResponse:
        return await self._said(request, self.claims)

    async def _key_set(self, request: web.Request) -> web.StreamResponse:
        return await self._said(request, self.keys)

    async def _said(self, request: web.Request, what: dict[str, Any]) -> web.StreamResponse:
        while request.path in self.silent and not self.release.is_set():
            await asyncio.sleep(0.01)
        return web.json_response(what, status=self.statuses.get(request.path, 200))
