"""The claims of an identity provider's token, a JSON Web Token."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ..iam.access import reference
from ..moto.adapter import AwsError


@dataclass(frozen=True)
class Token:
    """``issuer`` without ``https://``; ``expires`` in seconds since 1970, None where the token does not say."""

    issuer: str
    subject: str
    audiences: tuple[str, ...]
    expires: int | None
    others: Mapping[str, str] = field(default_factory=dict)

    @property
    def claims(self) -> Mapping[str, str | list[str]]:
        """The claims that a trust policy's conditions can use ("Available keys for AWS OIDC federation").

        Besides subject and audience these are the claims that AWS validates for this issuer; other claims of a
        token have no key (Service Authorization Reference, AssumeRoleWithWebIdentity).
        """
        action = reference.find("sts", "AssumeRoleWithWebIdentity")
        known = {name: value for name, value in self.others.items() if action.knows(f"{self.issuer}:{name}")}
        return {**known, "sub": self.subject, "aud": list(self.audiences)}


def read(text: str) -> Token:
    """A token's claims; InvalidIdentityToken for an invalid token."""
    claims = _payload(text)
    if not (claims.get("iss") and claims.get("sub") and claims.get("aud")):
        raise AwsError("InvalidIdentityToken", "Missing a required claim: iss, sub or aud")
    audiences = claims["aud"] if isinstance(claims["aud"], list) else [claims["aud"]]
    expires = claims.get("exp")
    return Token(
        str(claims["iss"]).removeprefix("https://"),
        str(claims["sub"]),
        tuple(map(str, audiences)),
        int(expires) if isinstance(expires, int | float) else None,
        {name: value for name, value in claims.items() if isinstance(value, str)},
    )


def _payload(text: str) -> Mapping[str, Any]:
    parts = text.split(".")
    try:
        claims = json.loads(base64.urlsafe_b64decode(parts[1] + "==")) if len(parts) == 3 else None
    except ValueError:
        claims = None
    if not isinstance(claims, dict):
        message = (
            "The ID Token provided is not a valid JWT. (You may see this error if you sent an Access Token)"
        )
        raise AwsError("InvalidIdentityToken", message)
    return claims
