"""Web ACLs of AWS WAF, made and associated through the API."""

from __future__ import annotations

import http.client
from collections.abc import Sequence
from typing import Any

from tests.embedded_process import PATIENCE, EmbeddedProcess, eventually

SEEN = {"SampledRequestsEnabled": False, "CloudWatchMetricsEnabled": False, "MetricName": "seen"}


def web_acl(
    aws: EmbeddedProcess, name: str, *rules: dict[str, Any], default: str = "Allow", **more: Any
) -> str:
    """A web ACL, REGIONAL unless told otherwise; its ARN."""
    asked = {"Scope": "REGIONAL", **more}
    made = aws.client("wafv2").create_web_acl(
        Name=name, DefaultAction={default: {}}, Rules=list(rules), VisibilityConfig=SEEN, **asked
    )
    return str(made["Summary"]["ARN"])


def ip_set(aws: EmbeddedProcess, name: str, *addresses: str) -> str:
    """A set of ranges of addresses; its ARN."""
    asked = {"Scope": "REGIONAL", "IPAddressVersion": "IPV4", "Addresses": list(addresses)}
    return str(aws.client("wafv2").create_ip_set(Name=name, **asked)["Summary"]["ARN"])


def rule(statement: dict[str, Any], action: str = "Block", priority: int = 0) -> dict[str, Any]:
    """A rule with one statement."""
    name = f"rule-{priority}"
    return {
        "Name": name,
        "Priority": priority,
        "Statement": statement,
        "Action": {action: {}},
        "VisibilityConfig": {**SEEN, "MetricName": name},
    }


def of_set(arn: str, **more: Any) -> dict[str, Any]:
    """The statement that looks for the addresses of a set."""
    return {"IPSetReferenceStatement": {"ARN": arn, **more}}


def blocking(aws: EmbeddedProcess, name: str, *addresses: str) -> str:
    """A web ACL that blocks who comes from these addresses; its ARN."""
    return web_acl(aws, name, rule(of_set(ip_set(aws, name, *addresses))))


def associate(aws: EmbeddedProcess, acl: str, resource: str) -> None:
    """AssociateWebACL, once AWS WAF knows both."""
    waf = aws.client("wafv2")

    def done() -> bool:
        try:
            waf.associate_web_acl(WebACLArn=acl, ResourceArn=resource)
        except waf.exceptions.WAFUnavailableEntityException:
            return False
        return True

    eventually(done)


def protecting(aws: EmbeddedProcess, resource: str) -> str | None:
    """The ARN of the web ACL of a resource, or None."""
    found = aws.client("wafv2").get_web_acl_for_resource(ResourceArn=resource)
    return found["WebACL"]["ARN"] if "WebACL" in found else None


def get_from(
    address: str, source: str, path: str = "/", headers: Sequence[tuple[str, str]] = ()
) -> tuple[int, dict[str, str], bytes]:
    """Status, headers and body of GET at ``host:port`` for who comes from a loopback address."""
    host, _, port = address.partition(":")
    connection = http.client.HTTPConnection(host, int(port), timeout=PATIENCE, source_address=(source, 0))
    try:
        connection.request("GET", path, headers=dict(headers))
        answer = connection.getresponse()
        return answer.status, dict(answer.getheaders()), answer.read()
    finally:
        connection.close()
