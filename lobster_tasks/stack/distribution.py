"""The CloudFront distribution in front of an internal load balancer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from copy import deepcopy
from dataclasses import dataclass
from functools import partial
from typing import Any, ClassVar

from ..account import aliases_of, cloudfront_tags, find_distribution, hidden_errors, list_distributions
from ..aws import Aws
from ..denials import ACCESS_DENIED
from ..errors import AwsCallError, OutOfTimeError
from ..in_parallel import in_parallel
from ..settings import REGION_TAG
from .certificates import ISSUED, ViewerCertificate
from .resource import Attributes, Live, LiveResources, Presence, Resource, tag_list
from .visitors import WebAcl
from .vpc_origin import DEPLOYED, VpcOrigin, retagging, tag, tag_command, untag

AwsDict = Mapping[str, Any]
# CloudFront's managed policies: nothing is cached, and the app receives everything that a visitor sends. This includes
# Host and Origin, which Streamlit compares before it opens a WebSocket.
CACHING_DISABLED = "4135ea2d-6df8-44a3-9df3-4b5a84be39ad"
ALL_VIEWER = "216adef6-5c7f-47e4-b989-5492eafa07d3"
METHODS = ("DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT")
_CACHED = ("GET", "HEAD")
_ORIGIN = "load-balancer"
# Seconds. A request may take as long as with App Runner. If no connection is made, CloudFront reports it after eight
# seconds, before a probe gives up. Short connection timeouts suffice, because the hop is within AWS's network.
_READ_TIMEOUT, _KEEPALIVE_TIMEOUT, _CONNECTION_ATTEMPTS, _CONNECTION_TIMEOUT = 120, 5, 2, 4
_DEPLOYED_WITHIN_SECONDS = 5400.0  # as long as Terraform waits; usually a few minutes
_EVERY_SECONDS = 5.0
_ABSENT = ("NoSuchDistribution",)
_STALE: dict[str, tuple[str, ...]] = {"InvalidIfMatchVersion": (), "PreconditionFailed": ()}
_STALE_SECONDS = 60.0
_NOT_YET: dict[str, tuple[str, ...]] = {**_STALE, "DistributionNotDisabled": ()}
_NOT_YET_SECONDS = 300.0
# What AWS recommends where all viewers know SNI ("Supported protocols and ciphers between viewers and CloudFront").
_TLS_POLICY = "TLSv1.2_2021"
_TAKEN = "CNAMEAlreadyExists"
_OF_DOMAINS = ("aliases", "certificate", "TLS-policy", "SSL-support")
# Members that only a cache behavior without a cache policy can have.
_LEGACY = ("ForwardedValues", "MinTTL", "DefaultTTL", "MaxTTL")


@dataclass(frozen=True)
class Distribution(Resource):
    """A distribution that leads to the load balancer; its live id is its id, ``raw`` is what GetDistribution returns.

    Its tags assign it to the stack. The rest of its configuration (other cache behaviors, logging) stays as it is. It
    is created after ``firewall``. The web ACL of the settings (an ARN) protects it, or ``visitors``, which is the
    stack's own; where neither is desired, another web ACL stays.

    ``domains`` are its aliases, with the certificate ``certificate`` (an ACM ARN) or else ``viewer_certificate``, once
    that is issued; until then aliases and certificate stay as they are. Without domains it has neither.
    """

    kind: ClassVar[str] = "distribution"
    is_global: ClassVar[bool] = True
    may_be_denied: ClassVar[bool] = True
    decisive: ClassVar[frozenset[str]] = frozenset(
        {"enabled", "VPC-origin", "origin-request-policy", "aliases", "certificate", "web-ACL"}
    )
    vpc_origin: VpcOrigin
    firewall: Resource
    visitors: WebAcl
    domains: tuple[str, ...] = ()
    certificate: str = ""
    viewer_certificate: ViewerCertificate | None = None
    web_acl: str = ""

    def presence(self, known: LiveResources) -> Presence:
        """The same as that of its VPC origin."""
        return self.vpc_origin.presence(known)

    def read(self, aws: Aws, known: LiveResources) -> Live | None:
        """ListDistributions, the tags of those with a VPC origin or our comment, and GetDistribution of ours."""
        if not self.vpc_origin.fronted and self.vpc_origin not in known:
            return None
        listed = [each for each in list_distributions(aws, self.label) if self._may_be_ours(each)]
        tags = in_parallel(*(partial(cloudfront_tags, aws, each["ARN"], self.label) for each in listed))
        found = [
            Live(each["Id"], {}, its, each, its.get(REGION_TAG, ""))
            for each, its in zip(listed, tags, strict=True)
            if its is not None
        ]
        chosen = next((each for each in found if self.is_ours(each)), None)
        chosen = chosen or self._untagged(found, known)
        whole = find_distribution(aws, chosen.id, self.label) if chosen else None
        if chosen is None or whole is None:
            return None
        return _live(whole, chosen.tags)

    def _may_be_ours(self, summary: Mapping[str, Any]) -> bool:
        origins = summary["Origins"].get("Items", [])
        return summary["Comment"] == self.comment or any("VpcOriginConfig" in each for each in origins)

    def _untagged(self, found: Sequence[Live], known: LiveResources) -> Live | None:
        """The one without a stack's tag that leads to our VPC origin, or to our load balancer by another one.

        Prefers one with our comment: a second distribution would have another address.
        """
        leading = [each for each in found if each.stack is None and self._leads_here(each, known)]
        return min(leading, key=lambda each: (each.raw["Comment"] != self.comment, each.id), default=None)

    def _leads_here(self, found: Live, known: LiveResources) -> bool:
        """Whether its default cache behavior leads to our VPC origin, or to our load balancer's name."""
        behavior, origins = found.raw["DefaultCacheBehavior"], found.raw["Origins"]["Items"]
        target: AwsDict = next((each for each in origins if each["Id"] == behavior["TargetOriginId"]), {})
        origin, balancer = known.get(self.vpc_origin), known.get(self.vpc_origin.load_balancer)
        vpc_origin = target.get("VpcOriginConfig", {}).get("VpcOriginId")
        name = balancer.raw["DNSName"] if balancer else ""
        return bool(vpc_origin) and (
            (origin is not None and vpc_origin == origin.id) or target.get("DomainName") == name
        )

    def instead(self, live: Live) -> str:
        """It has no name of its own in the settings; with its tags it is the stack's, and is repaired."""
        return retagging(self, live.raw["ARN"])

    def tagging(self, live: Live) -> str:
        """The command that puts its tags back."""
        return tag_command(self, live.raw["ARN"])

    def is_limited(self, known: LiveResources) -> bool:
        """Whether a web ACL protects it, or will."""
        return bool(self._web_acl(self._live_web_acl(known), known))

    def limits_visitors(self, live: Live | None, changed: frozenset[str]) -> tuple[str, ...]:
        """The address ranges of the stack's own web ACL."""
        return self.visitors.addresses if live is None or "web-ACL" in changed else ()

    @property
    def comment(self) -> str:
        """The description that the console shows."""
        return f"{self.stack} in {self.region}, of lobster-tasks"

    def desired(self, known: LiveResources) -> Attributes:
        """The members of the configuration that are ours, and the status Deployed: every edge location has them."""
        if not self.vpc_origin.fronted:
            return {}
        ours = _attributes(self._with_ours({"WebACLId": self._live_web_acl(known)}, known))
        awaits = self.domains and not self._certificate(known)
        return {name: each for name, each in ours.items() if not (awaits and name in _OF_DOMAINS)} | {
            "status": DEPLOYED
        }

    def remarks(self, live: Live, known: LiveResources) -> tuple[str, ...]:
        """That a web ACL stays, where the settings name none, and that errors are hidden."""
        return *self._kept_web_acl(live, known), *_hiding(live.raw["DistributionConfig"])

    def _kept_web_acl(self, live: Live, known: LiveResources) -> tuple[str, ...]:
        current = live.attributes["web-ACL"]
        if not current or current != self._web_acl(current, known) or self.web_acl:
            return ()
        own = known.get(self.visitors)
        if own is not None and own.id == current:
            return ()
        return (f"{current} stays: front.web_acl is not set",)

    def create(self, aws: Aws, known: LiveResources) -> Live:
        """CreateDistributionWithTags, and wait until it is Deployed.

        The caller reference prevents a second distribution when the call is repeated. It contains the id of the VPC
        origin, so it differs after a teardown.
        """
        config = self._with_ours({"CallerReference": f"{self.name}-{known[self.vpc_origin].id}"}, known)
        try:
            made = self._create(aws, config)
        except AwsCallError as refused:
            if refused.code != _TAKEN:
                raise self._explained(refused) from None
            made = self._create(aws, {**config, "Aliases": _items(())})
            raise self._taken(aws, made["Id"], refused) from None
        return self._deployed(aws, made["Id"], self.tags)

    def _create(self, aws: Aws, config: AwsDict) -> AwsDict:
        made: AwsDict = aws.call(
            "cloudfront:CreateDistributionWithTags",
            self.label,
            DistributionConfigWithTags={"DistributionConfig": config, "Tags": {"Items": tag_list(self.tags)}},
        )["Distribution"]
        return made

    def update(self, aws: Aws, live: Live, changed: frozenset[str], known: LiveResources) -> Live:
        """UpdateDistribution without changing the rest, wait, and delete VPC origins that it no longer leads to."""
        if changed != {"status"}:
            self._bring(aws, live.id, known)
        done = self._deployed(aws, live.id, live.tags)
        superseded = known[self.vpc_origin].raw.get("superseded", ())
        self.vpc_origin.delete_superseded(aws, tuple(superseded))
        return done

    def delete(self, aws: Aws, live: Live) -> None:
        """Disable it, wait until it is disabled at every edge location, and DeleteDistribution."""

        def disabled(config: Mapping[str, Any]) -> dict[str, Any]:
            return {**config, "Enabled": False}

        found = find_distribution(aws, live.id, self.label)
        if found is not None and found["DistributionConfig"]["Enabled"]:
            self._change(aws, live.id, disabled)
        self._await_deployed(aws, live.id)

        def delete() -> None:
            if now := find_distribution(aws, live.id, self.label):
                asked = {"Id": live.id, "IfMatch": now["ETag"]}
                aws.find("cloudfront:DeleteDistribution", _ABSENT, self.label, **asked)

        aws.retry_while(delete, _NOT_YET, _NOT_YET_SECONDS)

    def tag(self, aws: Aws, live: Live, tags: Mapping[str, str]) -> None:
        """TagResource."""
        tag(aws, self, live.raw["ARN"], tags)

    def untag(self, aws: Aws, live: Live, names: tuple[str, ...]) -> None:
        """UntagResource."""
        untag(aws, self, live.raw["ARN"], names)

    def _bring(self, aws: Aws, id: str, known: LiveResources) -> None:
        """Set every member that is ours; without new aliases where another distribution has one, which is an
        error."""
        ours = partial(self._with_ours, known=known)
        try:
            self._change(aws, id, ours)
        except AwsCallError as refused:
            if refused.code != _TAKEN:
                raise self._explained(refused) from None
            with suppress(AwsCallError):  # the new certificate may not cover the aliases that are there
                self._change(aws, id, lambda config: {**ours(config), "Aliases": config["Aliases"]})
            raise self._taken(aws, id, refused) from None

    def _taken(self, aws: Aws, id: str, refused: AwsCallError) -> AwsCallError:
        """The error that names the distributions with our aliases; the certificate is attached by now, without which
        AWS neither tells them nor moves an alias."""
        names = {
            each["Id"]: aliases_of(each) for each in list_distributions(aws, self.label) if each["Id"] != id
        }
        here = {alias: one for one, its in names.items() for alias in self.domains if alias in its}
        elsewhere = [
            each for alias in self.domains if alias not in here for each in self._holders(aws, id, alias)
        ]
        told = [f"distribution {one} of this account has {alias}" for alias, one in here.items()]
        move = "; ".join(
            f"aws cloudfront associate-alias --target-distribution-id {id} --alias {alias}" for alias in here
        )
        return AwsCallError(
            f"{self.label} does not get its aliases: another distribution has one of them.",
            "; ".join([*told, *elsewhere]) or refused.why,
            f"move it: {move}; then run the same command again"
            if here
            else "have it deleted there, or delete it from domains, then run the same command again; an alias of an "
            'account that nobody can reach: CloudFront Developer Guide, "Move an alternate domain name"',
            code=refused.code,
            operation=refused.operation,
        )

    def _explained(self, refused: AwsCallError) -> AwsCallError:
        """The refusal, with the next step where it is about the certificate that the settings name."""
        if refused.code != "InvalidViewerCertificate" or not self.certificate:
            return refused
        return AwsCallError(
            refused.what,
            refused.why,
            "set front.certificate to an issued one in us-east-1 for all of domains, or delete the setting: "
            "inv cutover then requests one",
            code=refused.code,
            operation=refused.operation,
        )

    def _holders(self, aws: Aws, id: str, alias: str) -> list[str]:
        """Who has an alias, or one that overlaps with it, in words; AWS tells ids partly. Empty if that is denied."""
        operation, asked = "cloudfront:ListConflictingAliases", {"DistributionId": id, "Alias": alias}
        found = aws.find(operation, ACCESS_DENIED, self.label, **asked)
        listed = found["ConflictingAliasesList"].get("Items", []) if found else []
        return [
            f"distribution {each['DistributionId']} of account {each['AccountId']} has {each['Alias']}"
            for each in listed
        ]

    def _change(self, aws: Aws, id: str, changed: Any) -> None:
        """UpdateDistribution with the current ETag; the call replaces the whole configuration."""

        def change() -> None:
            if found := find_distribution(aws, id, self.label):
                config = changed(found["DistributionConfig"])
                asked = {"Id": id, "IfMatch": found["ETag"], "DistributionConfig": config}
                aws.find("cloudfront:UpdateDistribution", _ABSENT, self.label, **asked)

        aws.retry_while(change, _STALE, _STALE_SECONDS)

    def _deployed(self, aws: Aws, id: str, tags: Mapping[str, str]) -> Live:
        found = self._await_deployed(aws, id)
        if found is None:
            raise AwsCallError(
                f"{self.label} is gone.",
                "somebody else has deleted it meanwhile",
                "run the same command again",
                code="NoSuchDistribution",
                operation="cloudfront:GetDistribution",
            )
        return _live(found, tags)

    def _await_deployed(self, aws: Aws, id: str) -> Mapping[str, Any] | None:
        """The distribution once it is Deployed; None where it no longer exists. Raises OutOfTimeError."""

        def is_settled(found: Mapping[str, Any] | None) -> bool:
            return found is None or found["Status"] == DEPLOYED

        look = partial(find_distribution, aws, id, self.label)
        found = aws.clock.poll(look, _DEPLOYED_WITHIN_SECONDS, _EVERY_SECONDS, until=is_settled)
        if not is_settled(found):
            raise OutOfTimeError(
                f"{self.label} is not deployed after {_DEPLOYED_WITHIN_SECONDS / 60:.0f} minutes.",
                next_step="run the same command again",
            )
        return found

    def _live_web_acl(self, known: LiveResources) -> str:
        """The ARN of the web ACL that protects it now; empty without one."""
        found = known.get(self)
        return found.raw["DistributionConfig"].get("WebACLId", "") if found else ""

    def _web_acl(self, current: str, known: LiveResources) -> str:
        """The ARN of the web ACL that protects it, and its name before it exists; ``current`` is the one that does so
        now. Empty for none."""
        if self.web_acl:
            return self.web_acl
        own = known.get(self.visitors)
        if self.visitors.is_desired:
            return own.id if own else self.visitors.name
        return "" if own is not None and own.id == current and self.visitors.is_ours(own) else current

    def _with_ours(self, config: Mapping[str, Any], known: LiveResources) -> dict[str, Any]:
        """The configuration with every member that is ours set."""
        made = deepcopy(dict(config))
        behavior = made.get("DefaultCacheBehavior", {})
        origins = made.get("Origins", {}).get("Items", [])
        ours: AwsDict = next((each for each in origins if each["Id"] == _ORIGIN), {})
        others = [each for each in origins if each["Id"] != _ORIGIN]
        items = [*others, {**ours, **self._origin(known)}]
        return {
            **made,
            **self._own_domain(known),
            "Comment": self.comment,
            "Enabled": True,
            "HttpVersion": "http2",
            "IsIPV6Enabled": True,
            "PriceClass": "PriceClass_100",
            "WebACLId": self._web_acl(config.get("WebACLId", ""), known),
            "Origins": {"Quantity": len(items), "Items": items},
            "DefaultCacheBehavior": {
                **{name: value for name, value in behavior.items() if name not in _LEGACY},
                "TargetOriginId": _ORIGIN,
                "ViewerProtocolPolicy": "redirect-to-https",
                "Compress": True,
                "CachePolicyId": CACHING_DISABLED,
                "OriginRequestPolicyId": ALL_VIEWER,
                "AllowedMethods": {**_items(METHODS), "CachedMethods": _items(_CACHED)},
            },
        }

    def _own_domain(self, known: LiveResources) -> dict[str, Any]:
        """The members for the domains; empty while their certificate is not issued."""
        if not self.domains:
            return {"Aliases": _items(()), "ViewerCertificate": {"CloudFrontDefaultCertificate": True}}
        arn = self._certificate(known)
        certificate = {
            "ACMCertificateArn": arn,
            "SSLSupportMethod": "sni-only",
            "MinimumProtocolVersion": _TLS_POLICY,
        }
        return {"Aliases": _items(self.domains), "ViewerCertificate": certificate} if arn else {}

    def _certificate(self, known: LiveResources) -> str:
        """The ARN of the certificate; empty without one, or before it is issued."""
        if self.certificate or self.viewer_certificate is None:
            return self.certificate
        found = known.get(self.viewer_certificate)
        return found.id if found and found.attributes["status"] == ISSUED else ""

    def _origin(self, known: LiveResources) -> dict[str, Any]:
        """Our origin. The VPC origin's id is empty until a VPC origin exists that fits the load balancer."""
        balancer, vpc_origin = known.get(self.vpc_origin.load_balancer), known.get(self.vpc_origin)
        fits = vpc_origin is not None and self.vpc_origin.fits(known)
        return {
            "Id": _ORIGIN,
            "DomainName": balancer.raw["DNSName"] if balancer else "",
            "OriginPath": "",
            "CustomHeaders": {"Quantity": 0},
            "ConnectionAttempts": _CONNECTION_ATTEMPTS,
            "ConnectionTimeout": _CONNECTION_TIMEOUT,
            "VpcOriginConfig": {
                "VpcOriginId": vpc_origin.id if vpc_origin and fits else "",
                "OriginReadTimeout": _READ_TIMEOUT,
                "OriginKeepaliveTimeout": _KEEPALIVE_TIMEOUT,
            },
        }


def _items(values: tuple[str, ...]) -> dict[str, Any]:
    return {"Quantity": len(values), **({"Items": list(values)} if values else {})}


def _hiding(config: Mapping[str, Any]) -> tuple[str, ...]:
    """That its custom error pages hide errors, in words; nothing where they do not."""
    hidden = " and ".join(map(str, hidden_errors(config)))
    return (f"its custom error pages stay: they answer 200 in place of {hidden}",) if hidden else ()


def _live(found: Mapping[str, Any], tags: Mapping[str, str]) -> Live:
    attributes = {**_attributes(found["DistributionConfig"]), "status": found["Status"]}
    return Live(found["Id"], attributes, tags, found, tags.get(REGION_TAG, ""))


def _attributes(config: Mapping[str, Any]) -> dict[str, Any]:
    """The members of a configuration that are ours, in a flat form."""
    behavior = config["DefaultCacheBehavior"]
    target = behavior["TargetOriginId"]
    origin: AwsDict = next((each for each in config["Origins"]["Items"] if each["Id"] == target), {})
    vpc = origin.get("VpcOriginConfig", {})
    methods = behavior.get("AllowedMethods", {})
    shown = config.get("ViewerCertificate", {})
    own = shown.get("ACMCertificateArn") or shown.get("IAMCertificateId") or ""
    return {
        "comment": config["Comment"],
        "enabled": config["Enabled"],
        "HTTP-version": str(config.get("HttpVersion", "")).lower(),
        "IPv6": config.get("IsIPV6Enabled", False),
        "price-class": config.get("PriceClass", ""),
        "web-ACL": config.get("WebACLId", ""),
        "origin": origin.get("DomainName", ""),
        "origin-path": origin.get("OriginPath", ""),
        "connection-attempts": origin.get("ConnectionAttempts"),
        "connection-timeout": origin.get("ConnectionTimeout"),
        "VPC-origin": vpc.get("VpcOriginId", ""),
        "read-timeout": vpc.get("OriginReadTimeout"),
        "keepalive-timeout": vpc.get("OriginKeepaliveTimeout"),
        "viewer-protocol": behavior["ViewerProtocolPolicy"],
        "compress": behavior.get("Compress", False),
        "cache-policy": behavior.get("CachePolicyId", ""),
        "origin-request-policy": behavior.get("OriginRequestPolicyId", ""),
        "methods": tuple(sorted(methods.get("Items", []))),
        "aliases": tuple(sorted(aliases_of(config))),
        "certificate": own,
        "TLS-policy": shown.get("MinimumProtocolVersion", "") if own else "",
        "SSL-support": shown.get("SSLSupportMethod", "") if own else "",
        "cached-methods": tuple(sorted(methods.get("CachedMethods", {}).get("Items", []))),
    }
