"""The certificate of the app's own domains."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, ClassVar
from uuid import uuid4

from ..aws import Aws
from ..settings import REGION_TAG, VIEWER_CERTIFICATES_IN
from .neighbours import Neighbours
from .resource import Attributes, Live, LiveResources, Presence, Resource, tag_list, tags_of

ISSUED, PENDING = "ISSUED", "PENDING_VALIDATION"
# By default ListCertificates returns only certificates with small RSA keys (ACM, "Filters").
_KEYS = ("RSA_1024", "RSA_2048", "RSA_3072", "RSA_4096", "EC_prime256v1", "EC_secp384r1", "EC_secp521r1")
_FREE_WITHIN_SECONDS = 300.0


@dataclass(frozen=True)
class Certificate(Resource):
    """An ACM certificate for all of ``domains``, whoever requested it; issued ones are preferred.

    Validating a domain takes people or time: ``inv cutover`` requests the certificate and waits. A plan uses an
    existing one.
    """

    kind: ClassVar[str] = "certificate"
    domains: tuple[str, ...]

    def place(self, aws: Aws) -> Aws:
        """ACM in the region of the certificate."""
        return aws

    def presence(self, known: LiveResources) -> Presence:
        """Setup neither creates nor deletes it."""
        return "as-found"

    def read(self, aws: Aws, known: LiveResources) -> Live | None:
        """ListCertificates, and the tags of the chosen one; ``status`` and ``names`` are its attributes."""
        acm = self.place(aws)
        listed = acm.pages(
            "acm:ListCertificates",
            "CertificateSummaryList",
            self.label,
            CertificateStatuses=[ISSUED, PENDING],
            Includes={"keyTypes": list(_KEYS)},
        )
        fitting = [each for each in listed if covers(_names(each), self.domains)]
        if not fitting:
            return None
        chosen = min(fitting, key=self._rank)
        arn = chosen["CertificateArn"]
        tags = tags_of(acm.call("acm:ListTagsForCertificate", self.label, CertificateArn=arn)["Tags"])
        attributes = {"status": chosen["Status"], "names": tuple(sorted(_names(chosen)))}
        return Live(arn, attributes, tags, chosen, tags.get(REGION_TAG, acm.region))

    def once_issued(self, live: Live | None) -> Live:
        """What was read, if anything, as it would be once it is requested and issued."""
        found = live or Live("", {"names": tuple(sorted(self.domains))}, self.tags, region=self.region)
        return replace(found, attributes={**found.attributes, "status": ISSUED})

    def desired(self, known: LiveResources) -> Attributes:
        """No attribute can be changed."""
        return {}

    def create(self, aws: Aws, known: LiveResources) -> Live:
        """RequestCertificate with DNS validation; PENDING_VALIDATION at first.

        The idempotency token is new for each call, so that a retried request is the same one, and one after a
        deletion is not.
        """
        others = {"SubjectAlternativeNames": list(self.domains[1:])} if self.domains[1:] else {}
        arn = self.place(aws).call(
            "acm:RequestCertificate",
            self.label,
            DomainName=self.domains[0],
            ValidationMethod="DNS",
            IdempotencyToken=uuid4().hex,
            Tags=tag_list(self.tags),
            **others,
        )["CertificateArn"]
        return Live(arn, {"status": PENDING, "names": tuple(sorted(self.domains))}, self.tags)

    def update(self, aws: Aws, live: Live, changed: frozenset[str], known: LiveResources) -> Live:
        """Nothing can be changed."""
        return live

    def used_by(self, neighbours: Neighbours, live: Live, known: LiveResources) -> tuple[str, ...]:
        """Other AWS resources that use it."""
        ours = {name for found in known.values() for name in (found.id, found.raw.get("ARN"))}
        acm = self.place(neighbours.aws)
        described = acm.call("acm:DescribeCertificate", self.label, CertificateArn=live.id)["Certificate"]
        return tuple(each for each in described.get("InUseBy", []) if each not in ours)

    def delete(self, aws: Aws, live: Live) -> None:
        """DeleteCertificate; a deleted load balancer may still use it for a while."""

        def delete() -> None:
            absent = ("ResourceNotFoundException",)
            self.place(aws).find("acm:DeleteCertificate", absent, self.label, CertificateArn=live.id)

        aws.retry_while(delete, {"ResourceInUseException": ()}, within=_FREE_WITHIN_SECONDS)

    def tag(self, aws: Aws, live: Live, tags: Mapping[str, str]) -> None:
        """AddTagsToCertificate."""
        acm, its = self.place(aws), tag_list(tags)
        acm.call("acm:AddTagsToCertificate", self.label, CertificateArn=live.id, Tags=its)

    def untag(self, aws: Aws, live: Live, names: tuple[str, ...]) -> None:
        """RemoveTagsFromCertificate."""
        keys = [{"Key": name} for name in names]
        acm = self.place(aws)
        acm.call("acm:RemoveTagsFromCertificate", self.label, CertificateArn=live.id, Tags=keys)

    def _rank(self, found: Mapping[str, Any]) -> tuple[bool, bool, str]:
        """A sort key: the first is chosen, and a younger certificate never replaces an older one of the same rank."""
        made = found.get("CreatedAt") or found.get("ImportedAt")
        return found["Status"] != ISSUED, set(_names(found)) != set(self.domains), str(made)


@dataclass(frozen=True)
class ViewerCertificate(Certificate):
    """The certificate of a distribution, in us-east-1, where the stacks of all regions have theirs."""

    is_global: ClassVar[bool] = True

    def place(self, aws: Aws) -> Aws:
        """ACM in us-east-1."""
        return aws.in_region(VIEWER_CERTIFICATES_IN)


def covers(names: Iterable[str], domains: Iterable[str]) -> bool:
    """Whether a certificate for ``names`` is valid for every domain; a wildcard stands for one label."""
    known = {name.lower() for name in names}
    return all(domain in known or f"*.{domain.partition('.')[2]}" in known for domain in domains)


def _names(found: Mapping[str, Any]) -> list[str]:
    return list(found.get("SubjectAlternativeNameSummaries") or [found.get("DomainName", "")])
