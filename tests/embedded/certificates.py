"""Creates self-signed certificates, and imports them into ACM."""

from __future__ import annotations

import datetime
import ssl
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from tests.embedded.balanced import Balanced
from tests.embedded.zones import Zone, simple
from tests.embedded_process import EmbeddedProcess, eventually


@dataclass(frozen=True)
class Made:
    """A self-signed certificate and its key, in PEM."""

    certificate: bytes
    key: bytes


def make_certificate(name: str) -> Made:
    """Create a certificate for a host name."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    now = datetime.datetime.now(datetime.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=30))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .sign(key, hashes.SHA256())
    )
    encoding = serialization.Encoding.PEM
    secret = key.private_bytes(encoding, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    return Made(certificate.public_bytes(encoding), secret)


def import_certificate(balanced: Balanced, name: str) -> tuple[str, Made]:
    """Import a new certificate into ACM; returns its ARN and the certificate."""
    made = make_certificate(name)
    arn = balanced.aws.client("acm").import_certificate(Certificate=made.certificate, PrivateKey=made.key)
    return str(arn["CertificateArn"]), made


def server_context(name: str, folder: Path) -> ssl.SSLContext:
    """A server's TLS context with such a certificate; ``folder`` is for the file that ``ssl`` needs."""
    made = make_certificate(name)
    file = folder / f"{name}.pem"
    file.write_bytes(made.certificate + made.key)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file)
    return context


def issued(aws: EmbeddedProcess, *names: str, tags: Sequence[Mapping[str, str]] = ()) -> str:
    """A certificate of ACM in us-east-1 for these names of example.com, by its ARN, once it is issued."""
    acm = aws.client("acm", "us-east-1")
    zone = Zone(aws, "example.com", HostedZoneConfig={"Comment": uuid4().hex, "PrivateZone": False})
    more: dict[str, Any] = {"SubjectAlternativeNames": list(names[1:])} if names[1:] else {}
    more |= {"Tags": list(tags)} if tags else {}
    arn = str(acm.request_certificate(DomainName=names[0], ValidationMethod="DNS", **more)["CertificateArn"])

    def records() -> Any:
        options = acm.describe_certificate(CertificateArn=arn)["Certificate"]["DomainValidationOptions"]
        return [each.get("ResourceRecord") for each in options]

    eventually(lambda: all(records()))
    zone.create(*(simple(each["Name"], each["Value"]) for each in records()))
    eventually(lambda: acm.describe_certificate(CertificateArn=arn)["Certificate"]["Status"] == "ISSUED")
    return arn
