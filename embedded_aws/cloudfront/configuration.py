"""Validates a distribution's configuration, and adds CloudFront's defaults.

Members, limits and codes are those of botocore's model; texts that are not AWS's own are marked (own words).
"""

from __future__ import annotations

import re
import ssl
from collections.abc import Iterator, Mapping, Sequence
from copy import deepcopy
from typing import Any

from ..kernel.wildcards import wildcard
from ..moto.adapter import AwsError, find_certificate
from ..wafv2.store import find_web_acl
from .answers import invalid
from .error_pages import check_error_responses
from .model import CloudFrontState, Config, Distribution, origins
from .policies import (
    CACHE_POLICIES,
    ORIGIN_REQUEST_POLICIES,
    no_cache_policy,
    no_origin_request_policy,
)

CERTIFICATES_IN = "us-east-1"
ALIASES_MOST = 100
COMMENT_MOST = 128
METHODS = (2, 3, 7)
NONE: Config = {"Quantity": 0}
_COUNTRY = re.compile("[A-Z]{2}")  # ISO 3166-1 alpha-2 (model, "GeoRestriction")
UNSUPPORTED = (
    "FieldLevelEncryptionId",
    "FunctionAssociations",
    "LambdaFunctionAssociations",
    "RealtimeLogConfigArn",
    "ResponseHeadersPolicyId",
    "TrustedKeyGroups",
    "TrustedSigners",
)
"""Members of a cache behavior that are refused."""

NO_CERTIFICATE = (
    "The specified SSL certificate doesn't exist, isn't in us-east-1 region, isn't valid, or doesn't include a valid "
    "certificate chain."
)
NOT_COVERED = (
    "The certificate that is attached to your distribution doesn't cover the alternate domain name (CNAME) that you're "
    "trying to add."
)
NOT_ATTACHED = (
    "To add an alternate domain name (CNAME) to a CloudFront distribution, you must attach a trusted certificate that "
    "validates your authorization to use the domain name."
)
ALIAS_TAKEN = "One or more of the CNAMEs you provided are already associated with a different resource."
NO_BUCKET = "The parameter Origin DomainName does not refer to a valid S3 bucket."
NO_ORIGIN = "One or more of your origins or origin groups do not exist."
NO_VPC_ORIGIN = "The entity was not found."


def completed(given: Config) -> dict[str, Any]:
    """The given configuration with CloudFront's additional members. Which members these are is not verified."""
    config = _default(
        deepcopy(dict(given)),
        Aliases=NONE,
        DefaultRootObject="",
        OriginGroups=NONE,
        CacheBehaviors=NONE,
        CustomErrorResponses=NONE,
        Logging={"Enabled": False, "IncludeCookies": False, "Bucket": "", "Prefix": ""},
        PriceClass="PriceClass_All",
        ViewerCertificate={"CloudFrontDefaultCertificate": True},
        Restrictions={"GeoRestriction": {"RestrictionType": "none", "Quantity": 0}},
        WebACLId="",
        HttpVersion="http2",
        IsIPV6Enabled=True,
        ContinuousDeploymentPolicyId="",
        Staging=False,
    )
    certificate = config["ViewerCertificate"]
    if certificate.get("CloudFrontDefaultCertificate"):
        certificate.update(MinimumProtocolVersion="TLSv1", CertificateSource="cloudfront")
    elif arn := certificate.get("ACMCertificateArn"):
        certificate.update(CloudFrontDefaultCertificate=False, Certificate=arn, CertificateSource="acm")
    for origin in origins(config):
        _complete_origin(origin)
    for behavior in behaviors(config):
        _complete_behavior(behavior)
    return config


def _complete_origin(origin: dict[str, Any]) -> None:
    shield = {"Enabled": False}
    _default(origin, OriginPath="", CustomHeaders=NONE, ConnectionAttempts=3, ConnectionTimeout=10)
    _default(origin, OriginShield=shield, OriginAccessControlId="")
    for kind in ("VpcOriginConfig", "CustomOriginConfig"):
        if origin.get(kind) is not None:
            _default(origin[kind], OriginReadTimeout=30, OriginKeepaliveTimeout=5)


def _complete_behavior(behavior: dict[str, Any]) -> None:
    cached = {"Quantity": 2, "Items": ["HEAD", "GET"]}
    nobody = {"Enabled": False, "Quantity": 0}
    _default(
        behavior,
        TrustedSigners=nobody,
        TrustedKeyGroups=nobody,
        AllowedMethods={**cached, "CachedMethods": cached},
        SmoothStreaming=False,
        Compress=False,
        LambdaFunctionAssociations=NONE,
        FunctionAssociations=NONE,
        FieldLevelEncryptionId="",
        GrpcConfig={"Enabled": False},
    )
    _default(behavior["AllowedMethods"], CachedMethods=cached)


def _default(given: dict[str, Any], **values: Any) -> dict[str, Any]:
    for name, value in values.items():
        if given.get(name) is None:
            given[name] = deepcopy(value)
    return given


def behaviors(config: Config) -> list[dict[str, Any]]:
    """The cache behaviors in order of evaluation, the default one last."""
    return [*(config["CacheBehaviors"].get("Items") or ()), config["DefaultCacheBehavior"]]


def oldest_tls(config: Config) -> ssl.TLSVersion:
    """The oldest version of TLS for viewers, by the security policy.

    TLS 1.0 and 1.1, which older policies allow, are not supported.
    """
    policy = config["ViewerCertificate"].get("MinimumProtocolVersion") or ""
    return ssl.TLSVersion.TLSv1_3 if policy.startswith("TLSv1.3") else ssl.TLSVersion.TLSv1_2


def check(state: CloudFrontState, config: Config, others: Sequence[Distribution]) -> None:
    """Raise an error for an invalid configuration; ``others`` are all other distributions, of every account."""
    _check_quantities(config)
    _check_supported(config)
    if len(config.get("Comment") or "") > COMMENT_MOST:
        raise invalid(f"The parameter Comment is too long: at most {COMMENT_MOST} characters.")  # (own words)
    if not origins(config):
        raise invalid("The parameter Origins is required.")  # (own words)
    for origin in origins(config):
        _check_origin(state, origin)
    for behavior in behaviors(config):
        _check_behavior(config, behavior)
    check_error_responses(config)
    _check_geo_restriction(config)
    _check_certificate(state.account, config)
    _check_aliases(state.account, config, others)
    if config["WebACLId"] and find_web_acl(config["WebACLId"]) is None:
        message = f"Web ACL is not accessible by the requester: {config['WebACLId']}"  # (own words)
        raise invalid(message, "InvalidWebACLId")


def _check_geo_restriction(config: Config) -> None:
    geo = config["Restrictions"]["GeoRestriction"]
    kind, countries = geo["RestrictionType"], geo.get("Items") or ()
    is_known = kind in ("none", "blacklist", "whitelist") and not (kind == "none" and countries)
    if not is_known or not all(_COUNTRY.fullmatch(each) for each in countries):
        told = "The specified geo restriction parameter is not valid."
        raise invalid(told, "InvalidGeoRestrictionParameter")


def _check_supported(config: Config) -> None:
    """Refuse what edge locations would do and these do not, instead of serving without it."""
    if config["OriginGroups"]["Quantity"]:
        raise invalid("The embedded AWS does not support OriginGroups.")
    for behavior in behaviors(config):
        for name in UNSUPPORTED:
            given = behavior.get(name)
            if given and (isinstance(given, str) or given["Quantity"]):
                raise invalid(f"The embedded AWS does not support {name} of a cache behavior.")


def _check_quantities(value: Any) -> None:
    """Check that ``Quantity`` is the number of ``Items`` in every list."""
    for each in _maps(value):
        if "Quantity" in each and each["Quantity"] != len(each.get("Items") or ()):
            message = "The value of Quantity and the size of Items don't match."
            raise invalid(message, "InconsistentQuantities")


def _maps(value: Any) -> Iterator[Mapping[str, Any]]:
    if isinstance(value, Mapping):
        yield value
        value = list(value.values())
    for each in value if isinstance(value, list) else ():
        yield from _maps(each)


def _check_origin(state: CloudFrontState, origin: Config) -> None:
    kinds = [each for each in ("S3OriginConfig", "CustomOriginConfig", "VpcOriginConfig") if origin.get(each)]
    if len(kinds) > 1:
        raise invalid(f"An origin is of one kind, not {' and '.join(kinds)}.")  # (own words)
    if not kinds or (kinds == ["S3OriginConfig"] and ".s3" not in origin["DomainName"]):
        raise invalid(NO_BUCKET)
    for name, most in (("ConnectionAttempts", 3), ("ConnectionTimeout", 10)):
        _check_number(name, origin[name], most)
    if kinds == ["S3OriginConfig"]:
        return
    reading = origin[kinds[0]]
    _check_number("OriginReadTimeout", reading["OriginReadTimeout"], 120, "InvalidOriginReadTimeout")
    keepalive = reading["OriginKeepaliveTimeout"]
    _check_number("OriginKeepaliveTimeout", keepalive, 120, "InvalidOriginKeepaliveTimeout")
    whole = origin.get("ResponseCompletionTimeout")
    if whole is not None and whole < reading["OriginReadTimeout"]:  # (own words)
        raise invalid("ResponseCompletionTimeout must not be less than OriginReadTimeout.")
    if kinds == ["VpcOriginConfig"]:
        _check_vpc_origin(state, reading["VpcOriginId"])


def _check_number(name: str, value: int, most: int, code: str = "InvalidArgument") -> None:
    if not 1 <= value <= most:
        raise invalid(f"The parameter {name} has to be between 1 and {most}.", code)  # (own words)


def _check_vpc_origin(state: CloudFrontState, id: str) -> None:
    found = state.vpc_origins.get(id)
    if found is None or found.deleting:
        raise AwsError("EntityNotFound", NO_VPC_ORIGIN)
    if not found.is_deployed:  # that AWS refuses this is not verified; (own words)
        raise invalid(f"The VPC origin {id} is not deployed.")


def _check_behavior(config: Config, behavior: Config) -> None:
    if behavior["TargetOriginId"] not in {each["Id"] for each in origins(config)}:
        raise AwsError("NoSuchOrigin", NO_ORIGIN)
    if behavior["AllowedMethods"]["Quantity"] not in METHODS:
        raise invalid("The parameter AllowedMethods does not have 2, 3 or 7 methods.")  # (own words)
    cache, forwarded = behavior.get("CachePolicyId"), behavior.get("OriginRequestPolicyId")
    if not cache and not behavior.get("ForwardedValues"):
        raise invalid("The parameter ForwardedValues is required.")  # (own words)
    if cache and cache not in CACHE_POLICIES:
        raise no_cache_policy()
    if forwarded and forwarded not in ORIGIN_REQUEST_POLICIES:
        raise no_origin_request_policy()


def _check_certificate(account: str, config: Config) -> None:
    given = config["ViewerCertificate"]
    arn = given.get("ACMCertificateArn")
    if not arn:
        return
    if not given.get("SSLSupportMethod"):
        message = "The parameter SSLSupportMethod is required with ACMCertificateArn."  # (own words)
        raise invalid(message, "InvalidViewerCertificate")
    if given["SSLSupportMethod"] == "sni-only" and given.get("MinimumProtocolVersion") == "SSLv3":
        message = "The minimum protocol version specified is not valid."
        raise invalid(message, "InvalidMinimumProtocolVersion")
    elsewhere = arn.split(":")[2:5] != ["acm", CERTIFICATES_IN, account]
    found = None if elsewhere else find_certificate(account, CERTIFICATES_IN, arn)
    if found is None or found.status != "ISSUED":
        raise invalid(NO_CERTIFICATE, "InvalidViewerCertificate")
    names = config["Aliases"].get("Items") or ()
    if not all(covers(found.names, name) for name in names):
        raise invalid(NOT_COVERED, "InvalidViewerCertificate")


def covers(names: tuple[str, ...], host: str) -> bool:
    """Whether a certificate for these names is valid for a host; ``*`` stands for one label."""
    return any(
        wildcard(each, ignore_case=True).fullmatch(host) and each.count(".") == host.count(".")
        for each in names
    )


def _check_aliases(account: str, config: Config, others: Sequence[Distribution]) -> None:
    names = {name.lower() for name in config["Aliases"].get("Items") or ()}
    if len(names) > ALIASES_MOST:
        message = "Your request contains more CNAMEs than are allowed per distribution."
        raise invalid(message, "TooManyDistributionCNAMEs")
    if names and not config["ViewerCertificate"].get("ACMCertificateArn"):
        raise invalid(NOT_ATTACHED, "InvalidViewerCertificate")
    if any(is_taken(name, account, each) for name in names for each in others):
        raise AwsError("CNAMEAlreadyExists", ALIAS_TAKEN)


def is_taken(name: str, account: str, other: Distribution) -> bool:
    """Whether another distribution prevents an alias of this account's.

    A name has one distribution. Overlapping ones (``*.example.com`` and ``www.example.com``) are allowed within an
    account ("Restrictions on using alternate domain names").
    """
    return name in other.aliases or (
        other.account != account and any(overlap(name, each) for each in other.aliases)
    )


def overlap(one: str, other: str) -> bool:
    """Whether two aliases are the same, or one is a wildcard for the other."""
    return covers((one,), other) or covers((other,), one)
