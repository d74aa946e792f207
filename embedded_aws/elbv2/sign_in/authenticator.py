"""Authenticates clients for rules that require it: the authorization code flow ("Authentication flow")."""

from __future__ import annotations

import json
import secrets
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import urlencode, urlsplit

from aiohttp import web
from cryptography.fernet import Fernet, InvalidToken

from ...kernel.pace import Pace
from ...proxy import pages
from ..actions import SignIn
from ..settings import Listener, LoadBalancer
from .claims import Signer
from .provider import FAILED, REFUSED, UNAUTHORIZED, Provider, SignInError, Tokens
from .sessions import InvalidCookieError, Session, Sessions, TooLargeError

CALLBACK = "/oauth2/idpresponse"
NONCE = "AWSALBAuthNonce"
HEADERS = frozenset({b"x-amzn-oidc-accesstoken", b"x-amzn-oidc-identity", b"x-amzn-oidc-data"})
LOGIN_TIMEOUT = 900.0  # AWS seconds within which a client must "complete the authentication process"
ANSWER_TIMEOUT = 5.0  # AWS seconds that an endpoint of the provider may take ("Troubleshoot …", HTTP 500)


@dataclass(frozen=True)
class Admission:
    """A request that may go to the target.

    If the rule requires authentication (``asked``), ``headers`` tell the target who the user is, and replace the
    ``HEADERS`` that the client sent. ``cookies`` are for the client.
    """

    asked: bool = False
    headers: tuple[bytes, ...] = ()
    cookies: tuple[str, ...] = ()


NOBODY = Admission()


@dataclass(frozen=True)
class Authenticator:
    """Admits clients or redirects them to an identity provider; ``leaves(balancer, host)`` is whether the load
    balancer's network lets it call a host."""

    pace: Pace
    leaves: Callable[[LoadBalancer, str], bool]
    signer: Signer = field(default_factory=Signer)
    _sessions: Sessions = field(default_factory=Sessions)
    _key: Fernet = field(default_factory=lambda: Fernet(Fernet.generate_key()))

    def is_answer(self, request: web.BaseRequest, listener: Listener) -> bool:
        """Whether a client returns from an identity provider to which a rule of this listener has redirected it."""
        return request.rel_url.raw_path == CALLBACK and any(rule.sign_in for rule in listener.rules)

    async def admit(
        self, request: web.BaseRequest, balancer: LoadBalancer, sign_in: SignIn
    ) -> Admission | web.Response:
        """The admission of a client, or the answer that it gets instead."""
        try:
            session = self._sessions.read(request.cookies, sign_in.cookie, balancer.arn)
        except InvalidCookieError:
            return pages.page(UNAUTHORIZED)
        if session is not None and not session.timed_out:
            if not session.needs_refresh:
                return self._admission(balancer, sign_in, session)
            try:
                return await self._refreshed(request, balancer, sign_in, session)
            except (SignInError, TooLargeError):
                # "the refresh fails and the load balancer redirects the user to the IdP authorization endpoint"
                return self._to_provider(request, sign_in)
        if sign_in.otherwise == "allow":
            return Admission(asked=True)
        if sign_in.otherwise == "deny" and session is None:
            return pages.page(UNAUTHORIZED)
        return self._to_provider(request, sign_in)

    async def answer(
        self, request: web.BaseRequest, balancer: LoadBalancer, listener: Listener
    ) -> web.Response:
        """The answer to a client that returns from its provider: a redirect to the first URL, with a session."""
        try:
            return await self._signed_in(request, balancer, listener)
        except SignInError as failure:
            return pages.page(failure.status)
        except TooLargeError:
            return pages.page(FAILED)

    async def _signed_in(
        self, request: web.BaseRequest, balancer: LoadBalancer, listener: Listener
    ) -> web.Response:
        state = self._state(request)
        asked = (rule.sign_in for rule in listener.rules if rule.sign_in)
        sign_in = next((one for one in asked if _identity(one) == state["asked"]), None)
        if sign_in is None:
            raise SignInError(UNAUTHORIZED, "AuthInvalidStateParam")
        if error := request.query.get("error"):
            raise SignInError(UNAUTHORIZED if error == "access_denied" else REFUSED, error)
        code = request.query.get("code")
        if not code:
            raise SignInError(UNAUTHORIZED, "AuthMissingCodeParam")
        provider = self._provider(balancer, sign_in)
        tokens = await provider.redeem(code, _callback(request))
        until = time.time() + self.pace.real(sign_in.timeout)
        session = _session(balancer, until, tokens, await provider.claims(tokens))
        response = pages.page(302)
        response.headers["Location"] = str(state["url"])
        for cookie in self._write(request, sign_in, session):
            response.headers.add("Set-Cookie", cookie)
        return response

    async def _refreshed(
        self, request: web.BaseRequest, balancer: LoadBalancer, sign_in: SignIn, session: Session
    ) -> Admission:
        provider = self._provider(balancer, sign_in)
        tokens = await provider.refresh(session.refresh_token or "")
        renewed = _session(balancer, session.until, tokens, await provider.claims(tokens))
        cookies = self._write(request, sign_in, renewed)
        return replace(self._admission(balancer, sign_in, renewed), cookies=cookies)

    def _provider(self, balancer: LoadBalancer, sign_in: SignIn) -> Provider:
        hosts = {urlsplit(url).hostname or "" for url in (sign_in.token_endpoint, sign_in.user_info_endpoint)}
        is_open = all(self.leaves(balancer, host) for host in hosts)
        return Provider(sign_in, self.pace.for_program(ANSWER_TIMEOUT), is_open)

    def _write(self, request: web.BaseRequest, sign_in: SignIn, session: Session) -> tuple[str, ...]:
        cross_site = "Origin" in request.headers
        return self._sessions.write(session, sign_in.cookie, request.cookies, cross_site=cross_site)

    def _admission(self, balancer: LoadBalancer, sign_in: SignIn, session: Session) -> Admission:
        data = self.signer.sign(
            session.claims, issuer=sign_in.issuer, client=sign_in.client_id, signer=balancer.arn
        )
        told = {"accesstoken": session.access_token, "identity": session.claims["sub"], "data": data}
        lines = tuple(f"x-amzn-oidc-{name}: {value}".encode() for name, value in told.items())
        return Admission(asked=True, headers=lines)

    def _to_provider(self, request: web.BaseRequest, sign_in: SignIn) -> web.Response:
        """The redirect to the authorization endpoint; 401 for a request without ``Host``."""
        host = request.headers.get("Host")
        if not host:
            return pages.page(UNAUTHORIZED)
        nonce = secrets.token_urlsafe(12)
        state = {
            "nonce": nonce,
            "asked": _identity(sign_in),
            "until": time.time() + self.pace.for_program(LOGIN_TIMEOUT),
            "url": f"https://{host}{request.rel_url.raw_path_qs}",
        }
        query = {
            **dict(sign_in.extra),
            "client_id": sign_in.client_id,
            "redirect_uri": _callback(request),
            "response_type": "code",
            "scope": sign_in.scope,
            "state": self._key.encrypt(json.dumps(state).encode()).decode(),
        }
        response = pages.page(302)
        joint = "&" if "?" in sign_in.authorization_endpoint else "?"
        response.headers["Location"] = f"{sign_in.authorization_endpoint}{joint}{urlencode(query)}"
        response.headers.add("Set-Cookie", f"{NONCE}={nonce}; Path=/; Secure; HttpOnly")
        return response

    def _state(self, request: web.BaseRequest) -> Mapping[str, Any]:
        """The state from the redirect of this client to its provider. Raises SignInError if it is not valid."""
        if not request.headers.get("Host"):
            raise SignInError(UNAUTHORIZED, "AuthMissingHostHeader")
        try:
            found: dict[str, Any] = json.loads(self._key.decrypt(request.query.get("state", "").encode()))
        except InvalidToken:
            raise SignInError(UNAUTHORIZED, "AuthInvalidStateParam") from None
        if time.time() >= found["until"]:
            raise SignInError(UNAUTHORIZED, "the login took too long")
        if not secrets.compare_digest(found["nonce"].encode(), request.cookies.get(NONCE, "").encode()):
            raise SignInError(UNAUTHORIZED, "AuthInvalidAWSALBAuthNonce")
        return found


def _session(balancer: LoadBalancer, until: float, tokens: Tokens, claims: Mapping[str, Any]) -> Session:
    refresh = tokens.refresh_token
    return Session(balancer.arn, until, tokens.access_token, tokens.access_until, refresh, claims)


def _callback(request: web.BaseRequest) -> str:
    """The redirect URI: "must use all lowercase letters"."""
    return f"https://{request.headers['Host'].lower()}{CALLBACK}"


def _identity(sign_in: SignIn) -> list[str]:
    """What distinguishes the sign-ins of a listener."""
    return [sign_in.cookie, sign_in.issuer, sign_in.client_id]
