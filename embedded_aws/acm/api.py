"""AWS Certificate Manager, based on moto; certificates are issued only when the domain is validated."""

from __future__ import annotations

from typing import Any

from ..kernel.data_plane import DataPlane
from ..moto.adapter import ActionResult, AWSCertificateManagerResponse, AwsError
from .store import AcmStore

DEFAULT_KEYS = ("RSA_1024", "RSA_2048")
SUMMARY = (
    "CertificateArn",
    "DomainName",
    "Status",
    "Type",
    "KeyAlgorithm",
    "RenewalEligibility",
    "NotBefore",
    "NotAfter",
    "CreatedAt",
    "IssuedAt",
    "ImportedAt",
)
MOST_ITEMS = 1000
NAMES_MOST = 10  # names per certificate, by default ("Quotas", AWS Certificate Manager User Guide)


class Acm(AWSCertificateManagerResponse):
    """Certificate Manager. The data plane's lock is held during every operation."""

    def __init__(self, plane: DataPlane) -> None:
        super().__init__()
        self.plane = plane

    @property
    def acm_backend(self) -> AcmStore:
        """The certificates of the account and region."""
        found: AcmStore = super().acm_backend
        return found

    def call_action(self) -> Any:
        """Handle a request."""
        with self.plane.lock:
            return super().call_action()

    def request_certificate(self) -> ActionResult:
        """RequestCertificate, with validation by DNS, or by e-mail, which is never answered."""
        names = {self._get_param("DomainName"), *(self._get_param("SubjectAlternativeNames") or ())}
        if len(names) > NAMES_MOST:
            raise AwsError("LimitExceededException", "Certificate has too many domains.")
        answer = super().request_certificate()
        made = self.acm_backend.get_certificate(answer.result["CertificateArn"])
        made.method = self._get_param("ValidationMethod") or "EMAIL"
        return answer

    def describe_certificate(self) -> ActionResult:
        """DescribeCertificate."""
        answer = super().describe_certificate()
        found = answer.result["Certificate"]
        return ActionResult({"Certificate": {**found, "InUseBy": self._users(found)}})

    def list_certificates(self) -> ActionResult:
        """ListCertificates, in pages; by default only RSA keys of up to 2048 bits."""
        statuses, includes = self._get_param("CertificateStatuses"), self._get_param("Includes") or {}
        includes = {"keyTypes": DEFAULT_KEYS, **includes}
        found = [
            self._summary(each.describe()["Certificate"])
            for each in self.acm_backend.list_certificates(statuses, includes)
        ]
        start, size = int(self._get_param("NextToken") or 0), int(self._get_param("MaxItems") or MOST_ITEMS)
        more = {"NextToken": str(start + size)} if len(found) > start + size else {}
        return ActionResult({"CertificateSummaryList": found[start : start + size], **more})

    def _summary(self, found: dict[str, Any]) -> dict[str, Any]:
        shown = {member: found[member] for member in SUMMARY if member in found}
        names = found["SubjectAlternativeNames"] or [found["DomainName"]]
        return {
            **shown,
            "SubjectAlternativeNameSummaries": names,
            "HasAdditionalSubjectAlternativeNames": False,
            "InUse": bool(self._users(found)),
        }

    def _users(self, found: dict[str, Any]) -> list[str]:
        return self.acm_backend.users(found["CertificateArn"])
