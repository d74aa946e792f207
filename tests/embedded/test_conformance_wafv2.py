"""AWS WAF: web ACLs, what they protect, and what becomes of a request that they block."""

from __future__ import annotations

import itertools
from typing import Any

import pytest

from tests.embedded.apprunner_stack import Sites
from tests.embedded.balanced import Balanced
from tests.embedded.firewalls import (
    SEEN,
    associate,
    blocking,
    get_from,
    ip_set,
    of_set,
    protecting,
    rule,
    web_acl,
)
from tests.embedded.refusals import refused
from tests.embedded.test_conformance_apprunner_companions import ingress, state
from tests.embedded_process import EmbeddedProcess, eventually

HERE = "us-east-2:123456789012"
NOBODY = f"arn:aws:elasticloadbalancing:{HERE}:loadbalancer/app/nobody/0123456789abcdef"
BAD, GOOD = "127.0.0.9", "127.0.0.1"


@pytest.fixture
def waf(balanced: Balanced) -> Any:
    """A client of AWS WAF; the account has a load balancer."""
    return balanced.aws.client("wafv2")


def test_a_web_acl_is_made_read_listed_and_deleted(waf: Any, balanced: Balanced) -> None:
    """API Reference, CreateWebACL, GetWebACL (by ARN, or by Name, Id and Scope), ListWebACLs, DeleteWebACL."""
    arn = web_acl(balanced.aws, "one", default="Block", Description="of ours")
    found = waf.get_web_acl(ARN=arn)
    assert found["WebACL"]["DefaultAction"] == {"Block": {}}
    assert found["WebACL"]["Description"] == "of ours"
    named = {"Name": "one", "Scope": "REGIONAL", "Id": arn.rpartition("/")[2]}
    assert waf.get_web_acl(**named)["WebACL"]["ARN"] == arn
    assert [each["ARN"] for each in waf.list_web_acls(Scope="REGIONAL")["WebACLs"]] == [arn]
    waf.delete_web_acl(**named, LockToken=found["LockToken"])
    assert waf.list_web_acls(Scope="REGIONAL")["WebACLs"] == []
    with refused("WAFNonexistentItemException", "your resource doesn’t exist"):
        waf.get_web_acl(ARN=arn)


def test_a_name_is_given_once(waf: Any, balanced: Balanced) -> None:
    """API Reference, CreateWebACL, Errors: WAFDuplicateItemException."""
    web_acl(balanced.aws, "one")
    with refused("WAFDuplicateItemException", "duplicate"):
        web_acl(balanced.aws, "one")


def test_a_region_holds_100(waf: Any, balanced: Balanced) -> None:
    """Developer Guide, "AWS WAF quotas": maximum number of web ACLs per account per Region, 100."""
    for number in range(100):
        web_acl(balanced.aws, f"acl-{number}")
    with refused("WAFLimitsExceededException", "exceeded your resource limit"):
        web_acl(balanced.aws, "one-more")


def test_what_is_for_cloudfront_is_asked_for_in_us_east_1(balanced: Balanced) -> None:
    """API Reference, CreateWebACL, Scope: "To work with CloudFront, you must also specify the Region US East (N.
    Virginia)"."""
    with refused("WAFInvalidParameterException", "field: SCOPE_VALUE, parameter: CLOUDFRONT"):
        web_acl(balanced.aws, "one", Scope="CLOUDFRONT")
    made = balanced.aws.client("wafv2", "us-east-1").create_web_acl(
        Name="one", Scope="CLOUDFRONT", DefaultAction={"Allow": {}}, VisibilityConfig=SEEN
    )
    arn = made["Summary"]["ARN"]
    assert arn.startswith("arn:aws:wafv2:us-east-1:123456789012:global/webacl/one/")
    eventually(lambda: balanced.aws.client("wafv2", "us-east-1").get_web_acl(ARN=arn))
    with refused("WAFInvalidParameterException", arn):  # (own words)
        balanced.aws.client("wafv2").associate_web_acl(WebACLArn=arn, ResourceArn=balanced.arn)


@pytest.mark.parametrize(
    ("version", "address"),
    [
        ("IPV4", "0.0.0.0/0"),
        ("IPV6", "::/0"),
        ("IPV4", "203.0.113.7"),
        ("IPV4", "2001:db8::/32"),
        ("IPV4", "x/8"),
    ],
)
def test_an_ip_set_takes_ranges_of_its_version_but_not_all(waf: Any, version: str, address: str) -> None:
    """API Reference, IPSet: "AWS WAF supports all IPv4 and IPv6 CIDR ranges except for /0"; they "must be specified
    using Classless Inter-Domain Routing (CIDR) notation"."""
    asked = {"Scope": "REGIONAL", "IPAddressVersion": version}
    with refused("WAFInvalidParameterException", address):
        waf.create_ip_set(Name="one", Addresses=[address], **asked)
    made = waf.create_ip_set(Name="one", Addresses=[], **asked)["Summary"]
    named = {"Name": "one", "Scope": "REGIONAL", "Id": made["Id"], "LockToken": made["LockToken"]}
    with refused("WAFInvalidParameterException", address):
        waf.update_ip_set(**named, Addresses=[address])
    with refused("WAFDuplicateItemException"):
        waf.create_ip_set(Name="one", Addresses=[], **asked)


def test_an_ip_set_that_a_rule_refers_to_is_not_deleted(waf: Any, balanced: Balanced) -> None:
    """API Reference, DeleteIPSet, Errors: WAFAssociatedItemException, "your resource is being used by another
    resource"."""
    addresses = ip_set(balanced.aws, "one", "203.0.113.0/24")
    acl = web_acl(
        balanced.aws, "acl", rule({"OrStatement": {"Statements": [of_set(addresses), of_set(addresses)]}})
    )
    named = {"Name": "one", "Scope": "REGIONAL", "Id": addresses.rpartition("/")[2]}
    token = waf.get_ip_set(**named)["LockToken"]
    with refused("WAFAssociatedItemException", "being used by another resource"):
        waf.delete_ip_set(**named, LockToken=token)
    of_acl = {"Name": "acl", "Scope": "REGIONAL", "Id": acl.rpartition("/")[2]}
    waf.delete_web_acl(**of_acl, LockToken=waf.get_web_acl(**of_acl)["LockToken"])
    waf.delete_ip_set(**named, LockToken=token)


def test_what_is_for_cloudfront_carries_tags(balanced: Balanced) -> None:
    """API Reference, TagResource, UntagResource, ListTagsForResource."""
    waf = balanced.aws.client("wafv2", "us-east-1")
    tag = {"Key": "a", "Value": "b"}
    asked = {"Scope": "CLOUDFRONT", "IPAddressVersion": "IPV6", "Addresses": ["2001:db8::/32"]}
    arn = waf.create_ip_set(Name="one", Tags=[tag], **asked)["Summary"]["ARN"]
    assert arn.startswith("arn:aws:wafv2:us-east-1:123456789012:global/ipset/one/")
    assert waf.list_tags_for_resource(ResourceARN=arn)["TagInfoForResource"]["TagList"] == [tag]
    waf.untag_resource(ResourceARN=arn, TagKeys=["a"])
    assert waf.list_tags_for_resource(ResourceARN=arn)["TagInfoForResource"]["TagList"] == []


def test_a_resource_has_one_web_acl_at_most(waf: Any, balanced: Balanced) -> None:
    """API Reference, DisassociateWebACL: "A resource can have at most one web ACL association." That a second
    AssociateWebACL takes the place of the first, without an error, is what users report
    (aws-solutions-library-samples/guidance-for-custom-game-backend-hosting-on-aws issue 34, pulumi-aws issue 4782)."""
    first, second = web_acl(balanced.aws, "first"), web_acl(balanced.aws, "second")
    assert "WebACL" not in waf.get_web_acl_for_resource(ResourceArn=balanced.arn)
    associate(balanced.aws, first, balanced.arn)
    associate(balanced.aws, first, balanced.arn)
    assert waf.list_resources_for_web_acl(WebACLArn=first)["ResourceArns"] == [balanced.arn]
    associate(balanced.aws, second, balanced.arn)
    assert protecting(balanced.aws, balanced.arn) == second
    assert waf.list_resources_for_web_acl(WebACLArn=first)["ResourceArns"] == []
    waf.disassociate_web_acl(ResourceArn=balanced.arn)
    assert protecting(balanced.aws, balanced.arn) is None
    waf.disassociate_web_acl(ResourceArn=balanced.arn)  # "if it has one"


def test_a_web_acl_that_protects_something_is_not_deleted(waf: Any, balanced: Balanced) -> None:
    """API Reference, DeleteWebACL, Errors: WAFAssociatedItemException, "or it's associated with another resource"."""
    arn = web_acl(balanced.aws, "one")
    associate(balanced.aws, arn, balanced.arn)
    named = {"Name": "one", "Scope": "REGIONAL", "Id": arn.rpartition("/")[2]}
    token = waf.get_web_acl(ARN=arn)["LockToken"]
    with refused("WAFAssociatedItemException", "associated with another resource"):
        waf.delete_web_acl(**named, LockToken=token)
    balanced.elb.delete_load_balancer(LoadBalancerArn=balanced.arn)
    waf.delete_web_acl(**named, LockToken=token)  # the association goes with the load balancer (own words)


def test_the_types_of_what_is_protected_are_asked_for_apart(balanced: Balanced, waf: Any) -> None:
    """API Reference, ListResourcesForWebACL: "If you don't provide a resource type, the call uses the resource type
    APPLICATION_LOAD_BALANCER"."""
    arn = web_acl(balanced.aws, "one")
    service = Sites(balanced.aws).create()["ServiceArn"]
    associate(balanced.aws, arn, balanced.arn)
    associate(balanced.aws, arn, service)
    assert waf.list_resources_for_web_acl(WebACLArn=arn)["ResourceArns"] == [balanced.arn]
    asked = {"WebACLArn": arn, "ResourceType": "APP_RUNNER_SERVICE"}
    assert waf.list_resources_for_web_acl(**asked)["ResourceArns"] == [service]
    assert waf.list_resources_for_web_acl(**asked | {"ResourceType": "API_GATEWAY"})["ResourceArns"] == []


@pytest.mark.parametrize("seconds", [None, 60.0])
def test_what_is_new_is_not_known_everywhere_at_once(
    balanced: Balanced, waf: Any, seconds: float | None
) -> None:
    """API Reference, AssociateWebACL: "After you create a web ACL, if you try to associate it with a resource, you
    might get an exception indicating that the web ACL is unavailable. … The propagation time can be from a few seconds
    to a number of minutes"; the message of WAFUnavailableEntityException is that of terraform-provider-aws issue 29080.
    ``waf_propagation_seconds`` makes it last."""
    if seconds:
        balanced.aws.order({"waf_propagation_seconds": seconds})
    names = (f"acl-{number}" for number in itertools.count())
    made: list[str] = []

    def is_too_new() -> bool:
        made.append(web_acl(balanced.aws, next(names)))
        try:
            waf.associate_web_acl(WebACLArn=made[-1], ResourceArn=balanced.arn)
        except waf.exceptions.WAFUnavailableEntityException as error:
            return "Retry your request" in str(error)
        return False  # this machine was slower than AWS's few seconds are here

    eventually(is_too_new)
    arn = made[-1]
    associate(balanced.aws, arn, balanced.arn)
    assert protecting(balanced.aws, balanced.arn) == arn


def test_what_is_not_there_cannot_be_associated(balanced: Balanced, waf: Any) -> None:
    """API Reference, AssociateWebACL, Errors: WAFNonexistentItemException; of a web ACL users report it
    (aws-load-balancer-controller issue 1089), of a load balancer it is (own words)."""
    arn = web_acl(balanced.aws, "one")
    gone = arn.replace("/one/", "/gone/")
    for acl, resource in ((gone, balanced.arn), (arn, NOBODY)):
        with refused("WAFNonexistentItemException", "your resource doesn’t exist"):
            waf.associate_web_acl(WebACLArn=acl, ResourceArn=resource)
    with refused("WAFNonexistentItemException"):
        waf.get_web_acl_for_resource(ResourceArn=NOBODY)


@pytest.mark.parametrize(
    "resource",
    [
        f"arn:aws:elasticloadbalancing:{HERE}:loadbalancer/net/one/0123456789abcdef",
        "arn:aws:elasticloadbalancing:eu-west-1:123456789012:loadbalancer/app/one/0123456789abcdef",
        "arn:aws:s3:::a-bucket-of-somebodys",
    ],
)
def test_only_what_a_web_acl_can_protect_is_taken(balanced: Balanced, waf: Any, resource: str) -> None:
    """API Reference, WAFInvalidParameterException: "Your request references an ARN that is malformed, or corresponds to
    a resource with which a web ACL can't be associated"; its members Field, Parameter and Reason."""
    arn = web_acl(balanced.aws, "one")
    with pytest.raises(waf.exceptions.WAFInvalidParameterException) as caught:
        waf.associate_web_acl(WebACLArn=arn, ResourceArn=resource)
    assert caught.value.response["Field"] == "RESOURCE_ARN"
    assert caught.value.response["Parameter"] == resource
    assert f"field: RESOURCE_ARN, parameter: {resource}" in str(caught.value)


def test_the_load_balancer_answers_what_is_blocked(balanced: Balanced) -> None:
    """Knowledge Center, "Troubleshoot 403 Forbidden errors from AWS WAF": by default 403 Forbidden; the load balancer's
    own page, with "Server: awselb/2.0" (Knowledge Center, "Global Accelerator with AWS WAF", which shows it)."""
    site = balanced.add("site")
    address = balanced.url.removeprefix("http://")
    associate(balanced.aws, blocking(balanced.aws, "one", f"{BAD}/32"), balanced.arn)
    status, headers, body = get_from(address, BAD)
    assert (status, headers["Server"]) == (403, "awselb/2.0")
    assert b"<center><h1>403 Forbidden</h1></center>" in body
    assert get_from(address, GOOD)[0] == 200
    assert site
    balanced.aws.client("wafv2").disassociate_web_acl(ResourceArn=balanced.arn)
    assert get_from(address, BAD)[0] == 200


def test_rules_are_tried_by_priority_and_then_the_default_action(balanced: Balanced) -> None:
    """API Reference, Rule, Priority: "AWS WAF evaluates each request against the Rules in order based on the value of
    Priority … starting from the lowest"; a rule that counts goes on; DefaultAction, where none of them matches."""
    balanced.add("site")
    address = balanced.url.removeprefix("http://")
    both = of_set(ip_set(balanced.aws, "both", f"{BAD}/32", f"{GOOD}/32"))
    good = of_set(ip_set(balanced.aws, "good", f"{GOOD}/32"))
    rules = [rule(both, "Block", 3), rule(both, "Count", 1), rule(good, "Allow", 2)]
    associate(balanced.aws, web_acl(balanced.aws, "ordered", *rules), balanced.arn)
    assert [get_from(address, who)[0] for who in (GOOD, BAD)] == [200, 403]
    only = web_acl(balanced.aws, "only", rule(good, "Allow"), default="Block")
    associate(balanced.aws, only, balanced.arn)
    assert [get_from(address, who)[0] for who in (GOOD, BAD)] == [200, 403]
    others = web_acl(balanced.aws, "others", rule({"NotStatement": {"Statement": good}}))
    associate(balanced.aws, others, balanced.arn)
    assert [get_from(address, who)[0] for who in (GOOD, BAD)] == [200, 403]


def test_an_address_in_a_header_counts_where_the_rule_says_so(balanced: Balanced) -> None:
    """API Reference, IPSetForwardedIPConfig: HeaderName, Position, FallbackBehavior, and "If the specified header isn't
    present in the request, AWS WAF doesn't apply the rule to the web request at all"."""
    balanced.add("site")
    address = balanced.url.removeprefix("http://")
    addresses = ip_set(balanced.aws, "far", "203.0.113.0/24")
    config = {"HeaderName": "X-Forwarded-For", "FallbackBehavior": "MATCH", "Position": "FIRST"}
    statement = of_set(addresses, IPSetForwardedIPConfig=config)
    associate(balanced.aws, web_acl(balanced.aws, "far", rule(statement)), balanced.arn)

    def asked(*told: str) -> int:
        return get_from(address, GOOD, headers=[("X-Forwarded-For", each) for each in told])[0]

    assert asked() == 200
    assert asked("203.0.113.7") == 403
    assert asked("198.51.100.1, 203.0.113.7") == 200
    assert asked("nobody knows") == 403


def test_app_runner_lets_nothing_through_that_is_blocked(sites: Sites) -> None:
    """App Runner Developer Guide, "Associating an AWS WAF web ACL with your service": on block "App Runner blocks the
    request from reaching your web application"; the answer is (own words)."""
    service = sites.create()
    associate(sites.process, blocking(sites.process, "one", f"{BAD}/32"), service["ServiceArn"])
    assert get_from(service["ServiceUrl"], BAD)[0] == 403
    assert get_from(service["ServiceUrl"], GOOD)[0] == 200


def test_a_private_service_knows_no_source_addresses(sites: Sites) -> None:
    """The same page: "Source IP rules for App Runner private services that are associated with WAF web ACLs do not
    adhere to IP based rules"."""
    private = {"IngressConfiguration": {"IsPubliclyAccessible": False}}
    service = sites.create(NetworkConfiguration=private)
    way_in = ingress(sites, service)
    eventually(lambda: state(sites, way_in) == "AVAILABLE")
    associate(sites.process, blocking(sites.process, "one", f"{BAD}/32"), service["ServiceArn"])
    assert get_from(service["ServiceUrl"], BAD)[0] == 200
    associate(sites.process, web_acl(sites.process, "none", default="Block"), service["ServiceArn"])
    assert get_from(service["ServiceUrl"], BAD)[0] == 403


def test_a_deleted_service_needs_no_firewall(sites: Sites) -> None:
    """The association goes with the service (own words)."""
    aws: EmbeddedProcess = sites.process
    arn = web_acl(aws, "one")
    service = sites.create()["ServiceArn"]
    associate(aws, arn, service)
    sites.api.delete_service(ServiceArn=service)
    sites.settled(service)
    asked = {"WebACLArn": arn, "ResourceType": "APP_RUNNER_SERVICE"}
    assert aws.client("wafv2").list_resources_for_web_acl(**asked)["ResourceArns"] == []
