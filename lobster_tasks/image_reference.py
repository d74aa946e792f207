"""Parses references to an image: tags, digests, and URIs of a repository. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass

from .errors import UsageError

_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
# Docker's grammar of tags, which ECR uses too (Amazon ECR, "PutImage", imageTag).
_TAG = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,127}")
_REFERENCE = re.compile(
    r"(?P<repository>[^@]{1,512}?)(?::(?P<tag>[^:/@]{1,128}))?(?:@(?P<digest>[^@]{1,512}))?"
)
# The suffix of names in each partition ("dnsSuffix" of botocore's partitions).
_SUFFIXES = {
    "aws": "amazonaws.com",
    "aws-us-gov": "amazonaws.com",
    "aws-cn": "amazonaws.com.cn",
    "aws-eusc": "amazonaws.eu",
    "aws-iso": "c2s.ic.gov",
    "aws-iso-b": "sc2s.sgov.gov",
    "aws-iso-e": "cloud.adc-e.uk",
    "aws-iso-f": "csp.hci.ic.gov",
}
# Registries of all partitions, and over IPv6 (botocore's partitions; Amazon ECR User Guide, "Making requests to Amazon
# ECR registries").
_SUFFIX = "|".join(map(re.escape, sorted(set(_SUFFIXES.values()))))
_DUAL_STACK = r"aws(?:\.scloud|(?:\.hci)?\.ic\.gov)?|amazonwebservices\.(?:com\.cn|eu)|cloud-aws\.adc-e\.uk"
_ECR = re.compile(
    rf"(?P<registry>\d{{12}})\.(?:dkr\.ecr(?:-fips)?\.(?P<region>[\w-]{{1,40}})\.(?:{_SUFFIX})"
    rf"|dkr-ecr(?:-fips)?\.(?P<region6>[\w-]{{1,40}})\.on\.(?:{_DUAL_STACK}))/"
    r"(?P<repository>[a-z0-9._/-]{1,256})(?::(?P<tag>[^@]{1,128}))?(?:@(?P<digest>sha256:[0-9a-f]{64}))?"
)
_IN_A_REFERENCE = re.compile(r"[A-Za-z0-9_./:@-]{1,512}")
_A_TAG = "a tag: letters, digits, '_', '.', '-', at most 128"


@dataclass(frozen=True)
class EcrImage:
    """An image in ECR; ``id`` is an image identifier for DescribeImages."""

    registry: str
    region: str
    repository: str
    id: dict[str, str]

    def repository_arn(self, partition: str) -> str:
        """The ARN of its repository."""
        return repository_arn(partition, self.region, self.registry, self.repository)


def repository_arn(partition: str, region: str, account: str, repository: str) -> str:
    """The ARN of a repository in ECR."""
    return f"arn:{partition}:ecr:{region}:{account}:repository/{repository}"


def registry_name(account: str, region: str, partition: str) -> str:
    """The name of an account's registry in a region."""
    return f"{account}.dkr.ecr.{region}.{_SUFFIXES.get(partition, _SUFFIXES['aws'])}"


def ecr_image(reference: str) -> EcrImage | None:
    """The parts of a reference; None if it does not point to ECR."""
    found = _ECR.fullmatch(reference)
    if not found:
        return None
    digest, tag = found["digest"], found["tag"]
    image_id = {"imageDigest": digest} if digest else {"imageTag": tag or "latest"}
    return EcrImage(found["registry"], found["region"] or found["region6"], found["repository"], image_id)


def registry_of(reference: str) -> str:
    """The registry that a reference names; Docker Hub where it names none (distribution/reference, ``splitDomain``)."""
    first, slash, _ = reference.partition("/")
    is_named = bool(slash) and (first == "localhost" or "." in first or ":" in first)
    return first if is_named else "docker.io"


def is_tag(text: str) -> bool:
    """Whether ECR accepts it as a tag."""
    return _TAG.fullmatch(text) is not None


def check_reference(reference: str) -> None:
    """Raise UsageError where the text cannot be a tag, a digest, an image reference or a task definition."""
    check_given(reference)
    if any(sign in reference for sign in ":/@"):
        _checked(_IN_A_REFERENCE, reference, "a reference: letters, digits and '_', '.', '-', '/', ':', '@'")
    else:
        _checked(_TAG, reference, _A_TAG)


def check_given(reference: str) -> None:
    """Raise UsageError where nothing is given."""
    if not reference or reference.isspace():
        raise UsageError("No tag is given.", next_step="inv deploy --tag T")


def image_id(reference: str, repository: str, uri: str) -> dict[str, str]:
    """ECR's ImageIdentifier; where there is a tag and a digest, the digest is used."""
    if _DIGEST.fullmatch(reference):
        return {"imageDigest": reference}
    tag: str | None = reference
    if any(sign in reference for sign in ":/@"):
        parts = _REFERENCE.fullmatch(reference)
        if parts is None or parts["repository"] not in (repository, uri):
            raise UsageError(
                f"{reference} is not an image of {uri}.",
                "a value with a slash, a colon or an at sign is read as a URI; a tag contains none of these",
                "give a tag, a digest, or its URI",
            )
        if parts["digest"] is not None:
            return {"imageDigest": _checked(_DIGEST, parts["digest"], "a digest: sha256: and 64 hex digits")}
        tag = parts["tag"]
    if tag is None:
        raise UsageError(
            f"{reference} names a repository, not an image.", next_step=f"give {reference}:<tag>"
        )
    return {"imageTag": _checked(_TAG, tag, _A_TAG)}


def _checked(pattern: re.Pattern[str], given: str, what: str) -> str:
    if not pattern.fullmatch(given):
        raise UsageError(f"{given!r} is not {what}.", next_step="inv deploy --tag T")
    return given
