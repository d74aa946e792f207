"""The AWS managed cache policies and origin request policies, by id.

Source: Developer Guide, "Use managed cache policies", "Use managed origin request policies".
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from ..moto.adapter import AwsError
from .answers import Request

MADE = datetime(2020, 7, 22, tzinfo=UTC)
"""Not verified."""

CLOUDFRONT_HEADERS = (
    "CloudFront-Forwarded-Proto",
    "CloudFront-Is-Android-Viewer",
    "CloudFront-Is-Desktop-Viewer",
    "CloudFront-Is-IOS-Viewer",
    "CloudFront-Is-Mobile-Viewer",
    "CloudFront-Is-SmartTV-Viewer",
    "CloudFront-Is-Tablet-Viewer",
    "CloudFront-Viewer-Address",
    "CloudFront-Viewer-ASN",
    "CloudFront-Viewer-City",
    "CloudFront-Viewer-Country",
    "CloudFront-Viewer-Country-Name",
    "CloudFront-Viewer-Country-Region",
    "CloudFront-Viewer-Country-Region-Name",
    "CloudFront-Viewer-Http-Version",
    "CloudFront-Viewer-Latitude",
    "CloudFront-Viewer-Longitude",
    "CloudFront-Viewer-Metro-Code",
    "CloudFront-Viewer-Postal-Code",
    "CloudFront-Viewer-Time-Zone",
    "CloudFront-Viewer-TLS",
)
"""The headers that AllViewerAndCloudFrontHeaders-2022-06 adds."""


@dataclass(frozen=True)
class OriginRequestPolicy:
    """The parts of a viewer's request that are forwarded to the origin.

    ``behavior`` is HeadersConfig's: ``headers`` are forwarded, or with ``allExcept`` not forwarded.
    """

    name: str
    behavior: str
    headers: tuple[str, ...] = ()
    cookies: str = "none"
    query_strings: str = "none"

    def forwards(self, header: str) -> bool:
        """Whether a viewer's header is forwarded."""
        named = header.lower() in {each.lower() for each in self.headers}
        if self.behavior == "allExcept":
            return not named
        return self.behavior.startswith("allViewer") or named

    def view(self) -> dict[str, Any]:
        """Its OriginRequestPolicyConfig."""
        headers: dict[str, Any] = {"HeaderBehavior": self.behavior}
        if self.headers:
            headers["Headers"] = {"Quantity": len(self.headers), "Items": list(self.headers)}
        return {
            "Name": self.name,
            "HeadersConfig": headers,
            "CookiesConfig": {"CookieBehavior": self.cookies},
            "QueryStringsConfig": {"QueryStringBehavior": self.query_strings},
        }


@dataclass(frozen=True)
class CachePolicy:
    """How long responses are cached, in seconds. Nothing is cached here, whatever the policy."""

    name: str
    least: int
    default: int
    most: int

    def view(self) -> dict[str, Any]:
        """Its CachePolicyConfig; the cache key's parts are shown as none."""
        return {
            "Name": self.name,
            "MinTTL": self.least,
            "DefaultTTL": self.default,
            "MaxTTL": self.most,
            "ParametersInCacheKeyAndForwardedToOrigin": {
                "EnableAcceptEncodingGzip": self.most > 0,
                "EnableAcceptEncodingBrotli": self.most > 0,
                "HeadersConfig": {"HeaderBehavior": "none"},
                "CookiesConfig": {"CookieBehavior": "none"},
                "QueryStringsConfig": {"QueryStringBehavior": "none"},
            },
        }


CACHING_DISABLED = "4135ea2d-6df8-44a3-9df3-4b5a84be39ad"
ALL_VIEWER = "216adef6-5c7f-47e4-b989-5492eafa07d3"

CACHE_POLICIES = {
    "658327ea-f89d-4fab-a63d-7e88639e58f6": CachePolicy("Managed-CachingOptimized", 1, 86_400, 31_536_000),
    CACHING_DISABLED: CachePolicy("Managed-CachingDisabled", 0, 0, 0),
}
ORIGIN_REQUEST_POLICIES = {
    ALL_VIEWER: OriginRequestPolicy("Managed-AllViewer", "allViewer", (), "all", "all"),
    "b689b0a8-53d0-40ab-baf2-68738e2966ac": OriginRequestPolicy(
        "Managed-AllViewerExceptHostHeader", "allExcept", ("host",), "all", "all"
    ),
    "33f36d7e-f396-46d9-90e0-52428a34d9dc": OriginRequestPolicy(
        "Managed-AllViewerAndCloudFrontHeaders-2022-06",
        "allViewerAndWhitelistCloudFront",
        CLOUDFRONT_HEADERS,
        "all",
        "all",
    ),
    "59781a5b-3903-41f3-afcb-af62929ccde1": OriginRequestPolicy(
        "Managed-CORS-CustomOrigin", "whitelist", ("origin",)
    ),
    "bf0718e1-ba1e-49d1-88b1-f726733018ae": OriginRequestPolicy(
        "Managed-HostHeaderOnly", "whitelist", ("host",)
    ),
    "acba4595-bd28-49b8-b9fe-13317c0390fa": OriginRequestPolicy(
        "Managed-UserAgentRefererHeaders", "whitelist", ("user-agent", "referer")
    ),
}


def get_cache_policy(request: Request) -> dict[str, Any]:
    """GetCachePolicy."""
    id = request["Id"]
    if id not in CACHE_POLICIES:
        raise no_cache_policy()
    return {"CachePolicy": _shown(id, "CachePolicyConfig", CACHE_POLICIES[id]), "ETag": _etag(id)}


def list_cache_policies(request: Request) -> dict[str, Any]:
    """ListCachePolicies: the managed ones; custom policies are not supported."""
    return {"CachePolicyList": _listing(request, "CachePolicy", "CachePolicyConfig", CACHE_POLICIES)}


def get_origin_request_policy(request: Request) -> dict[str, Any]:
    """GetOriginRequestPolicy."""
    id = request["Id"]
    if id not in ORIGIN_REQUEST_POLICIES:
        raise no_origin_request_policy()
    shown = _shown(id, "OriginRequestPolicyConfig", ORIGIN_REQUEST_POLICIES[id])
    return {"OriginRequestPolicy": shown, "ETag": _etag(id)}


def list_origin_request_policies(request: Request) -> dict[str, Any]:
    """ListOriginRequestPolicies: the managed ones; custom policies are not supported."""
    member = "OriginRequestPolicyConfig"
    listing = _listing(request, "OriginRequestPolicy", member, ORIGIN_REQUEST_POLICIES)
    return {"OriginRequestPolicyList": listing}


def no_cache_policy() -> AwsError:
    """NoSuchCachePolicy; the text is the model's."""
    return AwsError("NoSuchCachePolicy", "The cache policy does not exist.")


def no_origin_request_policy() -> AwsError:
    """NoSuchOriginRequestPolicy; the text is the model's."""
    return AwsError("NoSuchOriginRequestPolicy", "The origin request policy does not exist.")


def _shown(id: str, member: str, policy: CachePolicy | OriginRequestPolicy) -> dict[str, Any]:
    return {"Id": id, "LastModifiedTime": MADE, member: policy.view()}


def _listing(
    request: Request, kind: str, member: str, policies: Mapping[str, CachePolicy | OriginRequestPolicy]
) -> dict[str, Any]:
    every = {} if request.get("Type") == "custom" else policies
    items = [{"Type": "managed", kind: _shown(id, member, each)} for id, each in every.items()]
    return {"MaxItems": 100, "Quantity": len(items), "Items": items}


def _etag(id: str) -> str:
    return "E" + id.replace("-", "").upper()[:13]
