"""The user claims that a target receives; the load balancer signs them, so that the target can verify the sender."""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any
from uuid import uuid4

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

LASTS = 120  # seconds until the signed claims expire; not verified
HALF = 32  # bytes of each of the two integers of a signature (RFC 7518, 3.4)


@dataclass(frozen=True)
class Signer:
    """Signs with a key of this process: "An Application Load Balancer uses ES256 (ECDSA using P-256 and SHA256)"."""

    kid: str = field(default_factory=lambda: str(uuid4()))

    def public_key(self, kid: str) -> str | None:
        """The public key (PEM) for ``kid``; None for an unknown one."""
        if kid != self.kid:
            return None
        form = serialization.PublicFormat.SubjectPublicKeyInfo
        return self._key.public_key().public_bytes(serialization.Encoding.PEM, form).decode()

    def sign(self, claims: Mapping[str, Any], *, issuer: str, client: str, signer: str) -> str:
        """A JSON Web Token of the claims; ``signer`` is the load balancer's ARN."""
        head = {
            "typ": "JWT",
            "kid": self.kid,
            "alg": "ES256",
            "iss": issuer,
            "client": client,
            "signer": signer,
            "exp": int(time.time()) + LASTS,
        }
        signed = f"{_encoded(_json(head))}.{_encoded(_json(claims))}"
        pair = decode_dss_signature(self._key.sign(signed.encode(), ec.ECDSA(hashes.SHA256())))
        return f"{signed}.{_encoded(b''.join(number.to_bytes(HALF) for number in pair))}"

    @cached_property
    def _key(self) -> ec.EllipticCurvePrivateKey:
        return ec.generate_private_key(ec.SECP256R1())


def _json(value: Mapping[str, Any]) -> bytes:
    return json.dumps(value).encode()


def _encoded(data: bytes) -> str:
    """ "base64 URL encoded, and includes padding characters at the end"."""
    return base64.urlsafe_b64encode(data).decode()
