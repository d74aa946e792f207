"""The certificates of AWS Certificate Manager: moto's store, with requests that wait for DNS validation."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC
from typing import Any

from ..kernel.pace import Pace
from ..moto import adapter
from ..moto.adapter import AWSCertificateManagerBackend, AwsError, CertBundle
from ..route53.store import store

RECORD_SECONDS = 5.0
"""Seconds from a request until its validation records can be read: "a delay of several seconds"."""

VALIDATION_SECONDS = 60.0
"""Seconds that a record must exist until ACM has seen it; AWS says at most "several minutes"."""

PATIENCE_SECONDS = 72 * 3600.0
"""ACM "makes repeated attempts to validate a certificate for 72 hours and then times out"."""


AUTHORITIES = frozenset({"amazon.com", "amazontrust.com", "awstrust.com", "amazonaws.com"})
"""What a CAA record has to name so that ACM can issue ("Troubleshooting CAA problems")."""


class RequestedCertificate(CertBundle):
    """A requested certificate; ``names`` in the order of the request, starting with its domain name."""

    status: str
    account: str
    names: tuple[str, ...]
    method: str
    pace: Pace
    issued_at: float | None = None
    failure: str = ""

    @property
    def records(self) -> dict[str, dict[str, str]]:
        """The validation record of each name; a wildcard has that of the name below it."""
        return {name: validation_record(self.account, name) for name in self.names}

    @property
    def age(self) -> float:
        """The age of the request, in AWS's seconds."""
        return (time.time() - self._requested) * self.pace.speed

    def check(self) -> None:
        """Update the status."""
        if self.status != "PENDING_VALIDATION":
            return
        proven = [self._proven_at(name) for name in self.names]
        if all(at is not None and time.time() >= at for at in proven):
            if not all(self._is_authorized(name) for name in self.names):
                self.status, self.failure = "FAILED", "CAA_ERROR"
                return
            self.status, self.issued_at = "ISSUED", max(at for at in proven if at is not None)
        elif self.age > PATIENCE_SECONDS:
            self.status = "VALIDATION_TIMED_OUT"

    def describe(self) -> dict[str, Any]:
        """The certificate in the shape of DescribeCertificate."""
        found = super().describe()["Certificate"]
        issued = self.status == "ISSUED"
        if not issued:
            for member in ("NotBefore", "NotAfter", "Serial", "IssuedAt"):
                found.pop(member)
        more: dict[str, Any] = {"IssuedAt": self.issued_at} if issued else {}
        if self.failure:
            more["FailureReason"] = self.failure
        return {
            "Certificate": {
                **found,
                **more,
                "DomainName": self.names[0],
                "SubjectAlternativeNames": list(self.names),
                "DomainValidationOptions": [self._validation(name) for name in self.names],
            }
        }

    def _validation(self, name: str) -> dict[str, Any]:
        status = "SUCCESS" if self.is_proven(name) else "PENDING_VALIDATION"
        shown = {
            "DomainName": name,
            "ValidationDomain": name,
            "ValidationStatus": "FAILED" if self.status in _ENDED else status,
            "ValidationMethod": self.method,
        }
        readable = self.method == "DNS" and self.age >= RECORD_SECONDS
        return {**shown, "ResourceRecord": self.records[name]} if readable else shown

    def is_proven(self, name: str) -> bool:
        """Whether ACM has validated the name."""
        at = self._proven_at(name)
        return self.status == "ISSUED" or (at is not None and time.time() >= at)

    def _is_authorized(self, name: str) -> bool:
        """Whether CAA records let Amazon issue; ``issuewild``, where there is one, for a wildcard (RFC 8659, 4.3)."""
        values = store(self.account).authorization(name.removeprefix("*."))
        found = [_property(value) for value in values]
        wild = [value for tag, value in found if tag == "issuewild"] if name.startswith("*.") else []
        issuers = wild or [value for tag, value in found if tag == "issue"]
        return not issuers or any(value in AUTHORITIES for value in issuers)

    def _proven_at(self, name: str) -> float | None:
        if self.method != "DNS":  # nobody reads the e-mail
            return None
        record = self.records[name]
        since = store(self.account).served_since(record["Name"], record["Type"], record["Value"])
        if since is None:
            return None
        return max(since, self._requested) + self.pace.real(VALIDATION_SECONDS)

    @property
    def _requested(self) -> float:
        return float(self.created_at.replace(tzinfo=UTC).timestamp())


_ENDED = ("VALIDATION_TIMED_OUT", "FAILED")


def _property(value: str) -> tuple[str, str]:
    """The tag and the issuer of a CAA value, such as ``0 issue "amazon.com; policy=x"``."""
    _, tag, text = value.split(maxsplit=2)
    return tag.lower(), text.strip('"').partition(";")[0].strip().lower()


UsersOf = Callable[[str, str], list[str]]
"""Returns the ARNs of an account's distributions that use a certificate, by the certificate's ARN."""


class AcmStore(AWSCertificateManagerBackend):
    """The certificates of one account in one region."""

    def __init__(self, region_name: str, account_id: str, pace: Pace, in_cloudfront: UsersOf) -> None:
        super().__init__(region_name, account_id)
        self._in_cloudfront = in_cloudfront
        self._pace = pace

    def request_certificate(
        self,
        domain_name: str,
        idempotency_token: str | None,
        subject_alt_names: Sequence[str] | None,
        tags: Sequence[Mapping[str, str]] | None,
        *_: Any,
    ) -> str:
        """Request a certificate; within an hour, the same token returns the same one. Returns the ARN."""
        known = self._get_arn_from_idempotency_token(idempotency_token) if idempotency_token else None
        if known in self._certificates:
            return str(known)
        names = tuple(dict.fromkeys([domain_name, *(subject_alt_names or ())]))
        made = RequestedCertificate.generate_cert(
            domain_name, account_id=self.account_id, region=self.region_name, sans=list(names)
        )
        made.account, made.names, made.method = self.account_id, names, "DNS"
        made.pace = self._pace
        made.tags.add(list(tags or ()))
        self._certificates[made.arn] = made
        if idempotency_token:
            self._set_idempotency_token_arn(idempotency_token, made.arn)
        return str(made.arn)

    def delete_certificate(self, arn: str) -> None:
        """Delete a certificate that is not in use."""
        if self.users(arn):
            message = f"Certificate {arn} in account {self.account_id} is in use."
            raise AwsError("ResourceInUseException", message)
        super().delete_certificate(arn)

    def set_certificate_in_use_by(self, arn: str, load_balancer_name: str) -> None:
        """Nothing to store: the listeners show which certificates are in use."""

    def users(self, arn: str) -> list[str]:
        """The ARNs of the load balancers and distributions that use a certificate."""
        balancers = adapter.balancers_with_certificate(self.account_id, self.region_name, arn)
        return balancers + self._in_cloudfront(self.account_id, arn)


def validation_record(account: str, name: str) -> dict[str, str]:
    """The CNAME record that validates a name, the same for every request of an account ("DNS validation")."""
    bare = name.removeprefix("*.").lower()
    digest = hashlib.sha256(f"{account} {bare}".encode()).hexdigest()
    value = f"_{digest[32:64]}.{digest[:10]}.acm-validations.aws."
    return {"Name": f"_{digest[:32]}.{bare}.", "Type": "CNAME", "Value": value}
