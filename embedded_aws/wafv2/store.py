"""The web ACLs of AWS WAF and their associations: moto's store, corrected where AWS differs.

A load balancer or an App Runner service has at most one web ACL. An association lives as long as its resource.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from ipaddress import ip_network
from typing import Any
from uuid import uuid4

from ..kernel.data_plane import DataPlane
from ..moto.adapter import AwsError, WAFV2Backend, elbv2_backends, wafv2_backends
from .firewall import Firewall, WebAclRule

KNOWN_WITHIN = 5.0
"""AWS seconds until a new web ACL, load balancer or service is known everywhere: "from a few seconds to a number of
minutes"."""

MOST_WEB_ACLS = 100
"""Per account and region ("AWS WAF quotas")."""

NO_SUCH = "AWS WAF couldn’t perform the operation because your resource doesn’t exist."
UNAVAILABLE = "AWS WAF couldn’t retrieve the resource that you requested. Retry your request."
IN_USE = (
    "AWS WAF couldn’t perform the operation because your resource is being used by another resource or it’s associated "
    "with another resource."
)
TOO_MANY = "AWS WAF couldn’t perform the operation because you exceeded your resource limit."
DUPLICATE = (
    "AWS WAF couldn’t perform the operation because some resource in your request is a duplicate of an "
    "existing one."
)
NOT_AN_ARN = (
    "The ARN isn't valid. A valid ARN begins with arn: and includes other information separated by colons "
    "or slashes."
)
_WEB_ACL = re.compile(r"arn:[\w-]+:wafv2:([\w-]+):(\d{12}):(regional|global)/webacl/[\w-]+/[\w-]+")
_PROTECTED = {
    "APPLICATION_LOAD_BALANCER": re.compile(
        r"arn:[\w-]+:elasticloadbalancing:([\w-]+):(\d{12}):loadbalancer/app/[\w-]+/[\w-]+"
    ),
    "APP_RUNNER_SERVICE": re.compile(r"arn:[\w-]+:apprunner:([\w-]+):(\d{12}):service/[\w-]+/[\w-]+"),
}

MadeAt = Callable[[str], datetime | None]
"""Returns when an App Runner service was created, by ARN; None where it does not exist."""


IsUsed = Callable[[str, str], bool]
"""Returns whether a distribution of an account uses a web ACL, by ARN."""


class WafStore(WAFV2Backend):
    """The web ACLs of one account in one region, or (as in moto) of CloudFront."""

    def __init__(
        self, region_name: str, account_id: str, plane: DataPlane, app_runner: MadeAt, in_cloudfront: IsUsed
    ) -> None:
        super().__init__(region_name, account_id)
        self._in_cloudfront = in_cloudfront
        self._plane = plane
        self._app_runner = app_runner
        self._associations: dict[str, str] = {}
        self._made_at: dict[str, float] = {}

    def create_web_acl(
        self, name: str, visibility: Any, default_action: Mapping[str, Any], *more: Any
    ) -> Any:
        """Create a web ACL with a new name, one default action, and existing IP sets."""
        if any(each.name == name for each in self.wacls.values()):
            raise AwsError("WAFDuplicateItemException", DUPLICATE)
        if len(self.wacls) >= MOST_WEB_ACLS:
            raise AwsError("WAFLimitsExceededException", TOO_MANY)
        if len({"Allow", "Block"} & default_action.keys()) != 1:
            raise invalid("The default action isn't valid.", "DEFAULT_ACTION", str(default_action))
        if missing := [arn for arn in _ip_sets(more) if arn not in self.ip_sets]:
            raise AwsError("WAFNonexistentItemException", f"{NO_SUCH} ({missing[0]})")
        made = super().create_web_acl(name, visibility, default_action, *more)
        self._made_at[made.arn] = time.time()
        return made

    def delete_web_acl(self, name: str, scope: str, _id: str, lock_token: str) -> None:
        """Delete a web ACL without associations."""
        arn = next((each.arn for each in self.wacls.values() if (each.name, each.id) == (name, _id)), "")
        if any(self.protected(arn, kind) for kind in _PROTECTED) or self._in_cloudfront(self.account_id, arn):
            raise AwsError("WAFAssociatedItemException", IN_USE)
        super().delete_web_acl(name, scope, _id, lock_token)

    def create_ip_set(
        self, name: str, scope: str, description: str, ip_address_version: str, addresses: Any, *more: Any
    ) -> Any:
        """Create an IP set with a new name, and addresses of its version."""
        if any(each.name == name for each in self.ip_sets.values()):
            raise AwsError("WAFDuplicateItemException", DUPLICATE)
        _check_addresses(ip_address_version, addresses)
        return _locked(super().create_ip_set(name, scope, description, ip_address_version, addresses, *more))

    def update_ip_set(
        self, name: str, scope: str, _id: str, description: Any, addresses: Any, lock_token: str
    ) -> Any:
        """Replace the addresses of an IP set."""
        _check_addresses(self.get_ip_set(name, scope, _id).ip_address_version, addresses)
        return _locked(super().update_ip_set(name, scope, _id, description, addresses, lock_token))

    def delete_ip_set(self, name: str, scope: str, _id: str, lock_token: str) -> None:
        """Delete an IP set that no web ACL refers to."""
        arn = self.get_ip_set(name, scope, _id).arn
        if any(arn in _ip_sets([rule.statement for rule in acl.rules]) for acl in self.wacls.values()):
            raise AwsError("WAFAssociatedItemException", IN_USE)
        super().delete_ip_set(name, scope, _id, lock_token)

    def associate_web_acl(self, web_acl_arn: str, resource_arn: str) -> None:
        """Associate a web ACL of this region with a resource, replacing its current one."""
        self._check_web_acl(web_acl_arn)
        self.check_resource(resource_arn)
        if web_acl_arn not in self.wacls:
            raise AwsError("WAFNonexistentItemException", NO_SUCH)
        if not (
            self._is_known(self._made_at[web_acl_arn])
            and self._is_known(self._resource_made_at(resource_arn))
        ):
            raise AwsError("WAFUnavailableEntityException", UNAVAILABLE)
        self._associations[resource_arn] = web_acl_arn

    def disassociate_web_acl(self, resource_arn: str) -> None:
        """Remove a resource's association, if any."""
        self.check_resource(resource_arn)
        self._associations.pop(resource_arn, None)

    def get_web_acl_for_resource(self, resource_arn: str) -> Any:
        """The web ACL that protects a resource, or None."""
        found = self._associations.get(resource_arn)
        return self.wacls.get(found) if found and self.exists(resource_arn) else None

    def protected(self, web_acl_arn: str, kind: str) -> list[str]:
        """The ARNs of the resources of a kind (``APPLICATION_LOAD_BALANCER``) that a web ACL protects."""
        pattern = _PROTECTED.get(kind)
        mine = [arn for arn, acl in self._associations.items() if acl == web_acl_arn and self.exists(arn)]
        return [arn for arn in mine if pattern and pattern.fullmatch(arn)]

    def check_resource(self, arn: str) -> None:
        """Raise WAFInvalidParameterException for a resource that this region's web ACLs cannot protect, and an
        error for one that does not exist."""
        found = next((each.fullmatch(arn) for each in _PROTECTED.values() if each.fullmatch(arn)), None)
        if found is None or found.groups() != (self.region_name, self.account_id):
            raise invalid(NOT_AN_ARN, "RESOURCE_ARN", arn)
        if not self.exists(arn):
            raise AwsError("WAFNonexistentItemException", NO_SUCH)

    def firewall(self, resource_arn: str) -> Firewall | None:
        """The evaluation of a resource's web ACL; None without one."""
        acl = self.get_web_acl_for_resource(resource_arn)
        return self.firewall_of(acl.arn) if acl else None

    def firewall_of(self, arn: str) -> Firewall:
        """The evaluation of one of its web ACLs."""
        acl = self.wacls[arn]
        rules = tuple(WebAclRule(each.priority, each.statement, each.action or {}) for each in acl.rules)
        addresses = {arn: tuple(each.addresses) for arn, each in list(self.ip_sets.items())}
        return Firewall(acl.default_action, rules, addresses)

    def _check_web_acl(self, arn: str) -> None:
        found = _WEB_ACL.fullmatch(arn)
        if found is None or found.groups() != (self.region_name, self.account_id, "regional"):
            raise invalid("The ARN isn't valid for a resource of this scope and Region.", "WEB_ACL", arn)

    def exists(self, arn: str) -> bool:
        """Whether a load balancer or a service exists."""
        if ":apprunner:" in arn:
            return self._app_runner(arn) is not None
        return arn in elbv2_backends[self.account_id][self.region_name].load_balancers

    def _resource_made_at(self, arn: str) -> float:
        """When a resource was created, in seconds since 1970."""
        if service_made_at := self._app_runner(arn):
            return service_made_at.timestamp()
        made = elbv2_backends[self.account_id][self.region_name].load_balancers[arn]
        return datetime.fromisoformat(made.created_time).timestamp()

    def _is_known(self, made_at: float) -> bool:
        within = max(KNOWN_WITHIN, self._plane.faults.waf_propagation)
        return time.time() - made_at >= self._plane.pace.real(within)


def _locked(ip_set: Any) -> Any:
    """An IP set with a lock token that requests can contain; moto's is too short for its own pattern."""
    ip_set.lock_token = str(uuid4())
    return ip_set


def _check_addresses(version: str, addresses: Any) -> None:
    """ "AWS WAF supports all IPv4 and IPv6 CIDR ranges except for /0" (WAFV2 API Reference, "IPSet"); addresses of the
    other version are refused too (not verified)."""
    for each in addresses:
        try:
            network = ip_network(each, strict=False)
        except ValueError:
            network = None
        if network is None or "/" not in each or not network.prefixlen or f"IPV{network.version}" != version:
            raise invalid("The IP address isn't valid.", "IP_ADDRESS", each)


def firewall_of(arn: str) -> Firewall | None:
    """The evaluation of the web ACL of a load balancer or a service, by the protected resource's ARN."""
    _, _, _, region, account, _ = arn.split(":", 5)
    found: Firewall | None = wafv2_backends[account][region].firewall(arn)
    return found


def find_web_acl(arn: str) -> Any:
    """A web ACL for CloudFront, by its ARN; None where it does not exist."""
    found = _WEB_ACL.fullmatch(arn)
    if found is None or found.groups()[::2] != ("us-east-1", "global"):
        return None
    return wafv2_backends[found[2]]["global"].wacls.get(arn)


def firewall_for_cloudfront(arn: str) -> Firewall | None:
    """The evaluation of a web ACL for CloudFront, by its own ARN; None where it does not exist."""
    if find_web_acl(arn) is None:
        return None
    found: Firewall = wafv2_backends[arn.split(":")[4]]["global"].firewall_of(arn)
    return found


def invalid(reason: str, field: str, parameter: str) -> AwsError:
    """WAFInvalidParameterException, which names the ``field`` of the wrong ``parameter``."""
    error = AwsError(
        "WAFInvalidParameterException", f"Error reason: {reason}, field: {field}, parameter: {parameter}"
    )
    error.Field, error.Parameter, error.Reason = field, parameter, reason
    return error


def _ip_sets(value: Any) -> Iterator[str]:
    """The ARNs of the IP sets in rules, at any depth."""
    if isinstance(value, Mapping):
        if "IPSetReferenceStatement" in value:
            yield str(value["IPSetReferenceStatement"]["ARN"])
        value = list(value.values())
    for each in value if isinstance(value, list | tuple) else ():
        yield from _ip_sets(each)
