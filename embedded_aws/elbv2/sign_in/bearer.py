"""Validates the tokens of machines, for rules with a jwt-validation action.

Sources: "Verify JWTs using an Application Load Balancer" and botocore's model (JwtValidationActionConfig). A request
without a valid token gets 401, also where no key of the set has signed it.

Not verified: how long a load balancer keeps a key set (here ``KEPT``, and it asks again for a key that it does not
have), what it answers where it cannot get one (here 500, as for a sign-in's provider), and how many of a claim's
expected values a token must have (here all). Nothing is known of a leeway for clocks, or of a ``WWW-Authenticate``
header, so there is none. Not carried out: the log of the reasons.
"""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from aiohttp import web
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from ...kernel.pace import Pace
from ..actions import ExpectedClaim, ValidateToken
from ..settings import LoadBalancer
from .provider import FAILED, UNAUTHORIZED, SignInError, ask

KEPT = 300.0  # AWS seconds
ANSWER_TIMEOUT = 5.0  # AWS seconds
SET_MOST, KEYS_MOST = 150 * 1024, 10  # "Maximum response size: 150 KB", "Maximum number of keys: 10"
ALGORITHM = "RS256"  # "Only the RS256 algorithm is supported"


@dataclass(frozen=True)
class Token:
    """A JSON Web Token in its parts: the header, the claims, what is signed, and the signature."""

    header: Mapping[str, Any]
    claims: Mapping[str, Any]
    signed: bytes
    signature: bytes


@dataclass(frozen=True)
class KeySet:
    """The RSA keys of a JWKS, each with its id (None without one); ``until`` in seconds of the monotonic clock."""

    keys: Sequence[tuple[str | None, rsa.RSAPublicKey]]
    until: float

    def named(self, kid: object) -> list[rsa.RSAPublicKey]:
        """The keys that may have signed a token with this key id; every key where it has none."""
        return [key for name, key in self.keys if kid is None or name == kid]


@dataclass(frozen=True)
class TokenValidator:
    """Validates tokens with the providers' keys; ``leaves(balancer, host)`` is whether the load balancer's network lets
    it call a host."""

    pace: Pace
    leaves: Callable[[LoadBalancer, str], bool]
    _sets: dict[str, KeySet] = field(default_factory=dict)

    async def refusal(
        self, request: web.BaseRequest, balancer: LoadBalancer, action: ValidateToken
    ) -> int | None:
        """The status that the load balancer answers to a request itself; None for one with a valid token."""
        token = read(request.headers.get("Authorization", ""))
        if token is None or token.header.get("alg") != ALGORITHM or not is_expected(token.claims, action):
            return UNAUTHORIZED
        try:
            keys = await self._keys(balancer, action.jwks_endpoint, token.header.get("kid"))
        except SignInError:
            return FAILED
        return None if any(has_signed(key, token) for key in keys) else UNAUTHORIZED

    async def _keys(self, balancer: LoadBalancer, url: str, kid: object) -> list[rsa.RSAPublicKey]:
        """The keys that may have signed a token. Raises SignInError where the set cannot be had or is too large."""
        known = self._sets.get(url)
        if known is None or time.monotonic() >= known.until or not known.named(kid):
            is_open = self.leaves(balancer, urlsplit(url).hostname or "")
            seconds = self.pace.for_program(ANSWER_TIMEOUT)
            text = await ask("GET", url, seconds=seconds, is_open=is_open)
            known = self._sets[url] = KeySet(read_keys(text), time.monotonic() + self.pace.real(KEPT))
        return known.named(kid)


def read(header: str) -> Token | None:
    """The token of an Authorization header; None without a well-formed one."""
    scheme, _, text = header.strip().partition(" ")
    parts = text.strip().split(".")
    if scheme.lower() != "bearer" or len(parts) != 3:
        return None
    head, claims = _object(parts[0]), _object(parts[1])
    signature = _decoded(parts[2])
    if head is None or claims is None or signature is None:
        return None
    return Token(head, claims, f"{parts[0]}.{parts[1]}".encode(), signature)


def is_expected(claims: Mapping[str, Any], action: ValidateToken) -> bool:
    """Whether a token's claims are those that the action wants, now: "requires two mandatory claims: 'iss' (issuer) and
    'exp' (expiration). Additionally, if present in the token, ALB will also validate 'nbf' (not before) and 'iat'
    (issued at time) claims".
    """
    now = time.time()
    begins = [claims[name] for name in ("nbf", "iat") if name in claims]
    return (
        claims.get("iss") == action.issuer
        and _is_time(claims.get("exp"))
        and claims["exp"] > now
        and all(_is_time(each) and each <= now for each in begins)
        and all(_has(claims.get(each.name), each) for each in action.claims)
    )


def has_signed(key: rsa.RSAPublicKey, token: Token) -> bool:
    """Whether a key has signed a token."""
    try:
        key.verify(token.signature, token.signed, padding.PKCS1v15(), hashes.SHA256())
    except InvalidSignature:
        return False
    return True


def read_keys(text: bytes) -> list[tuple[str | None, rsa.RSAPublicKey]]:
    """The RSA keys of a JWKS (RFC 7517). Raises SignInError for one that is too large or none."""
    try:
        if len(text) > SET_MOST:
            raise SignInError(FAILED, "the key set is too large")
        keys = json.loads(text)["keys"]
        if len(keys) > KEYS_MOST:
            raise SignInError(FAILED, "the key set has too many keys")
        return [(each.get("kid"), _key(each)) for each in keys if each.get("kty") == "RSA"]
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as failure:
        raise SignInError(FAILED, "there is no key set") from failure


def _key(given: Mapping[str, str]) -> rsa.RSAPublicKey:
    exponent, modulus = (int.from_bytes(_decoded(given[name]) or b"") for name in ("e", "n"))
    return rsa.RSAPublicNumbers(exponent, modulus).public_key()


def _has(value: object, claim: ExpectedClaim) -> bool:
    """Whether a claim has the expected values, in its format."""
    match claim.format, value:
        case "single-string", str():
            there = [value]
        case "space-separated-values", str():
            there = value.split(" ")
        case "string-array", list():
            there = value
        case _:
            return False
    return all(each in there for each in claim.values)


def _is_time(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _object(text: str) -> dict[str, Any] | None:
    try:
        found = json.loads(_decoded(text) or b"")
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def _decoded(text: str) -> bytes | None:
    """Base64url without padding (RFC 7515, 2); None for anything else."""
    try:
        return base64.b64decode(text + "=" * (-len(text) % 4), altchars="-_", validate=True)
    except ValueError:
        return None
