"""The certificates of HTTPS listeners: from ACM or IAM where their keys are known, or a self-signed one."""

from __future__ import annotations

import ipaddress
import os
import ssl
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from ..kernel.wildcards import wildcard
from ..moto import adapter
from .settings import Listener


@dataclass(frozen=True)
class KeyPair:
    """A certificate (with its chain) and its private key, in PEM; ``names`` are its subject names."""

    certificate: bytes
    key: bytes
    names: tuple[str, ...] = ()

    def context(self) -> ssl.SSLContext:
        """A server's TLS context with this certificate."""
        made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        made.set_alpn_protocols(["http/1.1"])
        with tempfile.NamedTemporaryFile() as file:  # ssl reads certificates only from files
            os.fchmod(file.fileno(), 0o600)
            file.write(self.certificate + b"\n" + self.key)
            file.flush()
            made.load_cert_chain(file.name)
        return made


def server_context(account: str, region: str, listener: Listener) -> ssl.SSLContext:
    """The TLS context of a listener: its first certificate, and the others by server name (SNI)."""
    pairs = [stored(account, region, arn) for arn in listener.certificates]
    return context_of([pair for pair in pairs if pair is not None] or [self_signed()])


def context_of(pairs: Sequence[KeyPair]) -> ssl.SSLContext:
    """A server's TLS context with several certificates: the first, and the others by server name (SNI)."""
    contexts = [(pair.names, pair.context()) for pair in pairs]
    default = contexts[0][1]

    def choose(connection: ssl.SSLObject, name: str | None, _: ssl.SSLContext) -> None:
        for names, context in contexts:
            if name and any(wildcard(one, ignore_case=True).fullmatch(name) for one in names):
                connection.context = context
                return

    default.sni_callback = choose
    return default


@cache
def self_signed() -> KeyPair:
    """A self-signed certificate for localhost and 127.0.0.1."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    names: list[x509.GeneralName] = [x509.DNSName("localhost")]
    names.append(x509.IPAddress(ipaddress.IPv4Address("127.0.0.1")))
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=365))
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .sign(key, hashes.SHA256())
    )
    secret = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return KeyPair(certificate.public_bytes(serialization.Encoding.PEM), secret)


def stored(account: str, region: str, arn: str) -> KeyPair | None:
    """A certificate of ACM or IAM with a matching private key, or None."""
    found = adapter.find_certificate(account, region, arn)
    if found is None or not found.key:
        return None
    pair = KeyPair(found.certificate, found.key, found.names)
    try:
        pair.context()
    except ssl.SSLError:  # the key does not match the certificate; ACM would have refused it
        return None
    return pair
