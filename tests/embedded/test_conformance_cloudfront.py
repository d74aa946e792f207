"""CloudFront's API: distributions, VPC origins, policies and tags.

Sources, quoted by their names: "Developer Guide" and "API Reference" are of Amazon CloudFront; "model" is botocore's
model of the service (members, limits, codes and texts of errors); "Terraform" is terraform-provider-aws. What none of
them says is marked: not verified.
"""

from __future__ import annotations

from collections.abc import Iterator
from copy import deepcopy
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.embedded.firewalls import web_acl
from tests.embedded.fronted import (
    ALL_VIEWER,
    CACHING_DISABLED,
    SERVICE_GROUP,
    Fronted,
    certificate,
    with_alias,
)
from tests.embedded.identities import allow, session
from tests.embedded.refusals import refused
from tests.embedded.strangers import STRANGER, Stranger
from tests.embedded_process import EmbeddedProcess, eventually, start

ABSENT = "E1ABSENT000000"
NEVER = 10_000_000
"""AWS seconds that no test lasts, at the speed of 1000."""


@pytest.fixture(scope="module")
def fronted(rapid_process: EmbeddedProcess) -> Iterator[Fronted]:
    """One internal load balancer for all tests of this file, each of which makes what it needs before it."""
    rapid_process.reset()
    made = Fronted(rapid_process)
    made.await_active()
    yield made
    made.close()
    rapid_process.reset()


@pytest.fixture(autouse=True)
def _clean(fronted: Fronted) -> Iterator[None]:
    """Every distribution is disabled and deleted, then every VPC origin."""
    yield
    fronted.aws.forgive()
    client = fronted.cloudfront
    for one in client.list_distributions()["DistributionList"].get("Items", []):
        fronted.await_deployed(one["Id"])
        if one["Enabled"]:
            fronted.update(one["Id"], Enabled=False)
            fronted.await_deployed(one["Id"])
        fronted.delete(one["Id"])
    for one in client.list_vpc_origins()["VpcOriginList"].get("Items", []):
        fronted.await_origin(one["Id"])
        client.delete_vpc_origin(Id=one["Id"], IfMatch=fronted.origin(one["Id"])["ETag"])
    eventually(lambda: not client.list_vpc_origins()["VpcOriginList"]["Quantity"])


@pytest.fixture
def origin(fronted: Fronted) -> str:
    """A deployed VPC origin."""
    return fronted.make_origin()


def changed(config: dict[str, Any], path: str, value: Any) -> dict[str, Any]:
    """A configuration with the member at ``path`` (``DefaultCacheBehavior.CachePolicyId``) replaced."""
    made = deepcopy(config)
    inner: Any = made
    *names, last = path.split(".")
    for name in names:
        inner = inner[int(name)] if name.isdigit() else inner[name]
    inner[last] = value
    return made


# VPC origins


def test_a_vpc_origin_is_deployed_after_a_while(fronted: Fronted) -> None:
    """CreateVpcOrigin answers 202 with ``Location`` and ``ETag`` (model); Deploying, then Deployed (Terraform waits
    for these); the ARN is ``vpcorigin/<id>`` (Service Authorization Reference). Ids that begin with ``vo_``: not
    verified."""
    given = fronted.endpoint("first")
    made = fronted.cloudfront.create_vpc_origin(VpcOriginEndpointConfig=given)
    origin = made["VpcOrigin"]
    assert made["ResponseMetadata"]["HTTPStatusCode"] == 202
    assert made["Location"].endswith(f"/2020-05-31/vpc-origin/{origin['Id']}")
    assert origin["Arn"] == f"arn:aws:cloudfront::123456789012:vpcorigin/{origin['Id']}"
    assert origin["Id"].startswith("vo_")
    assert (origin["Status"], origin["AccountId"]) == ("Deploying", "123456789012")
    assert given.items() <= origin["VpcOriginEndpointConfig"].items()
    fronted.await_origin(origin["Id"])
    assert fronted.origin(origin["Id"])["ETag"] == made["ETag"]


def test_vpc_origins_are_listed_by_pages(fronted: Fronted) -> None:
    """ListVpcOrigins: Marker, MaxItems, NextMarker, and of each what VpcOriginSummary has (model)."""
    ids = [fronted.make_origin(name) for name in ("a", "b", "c")]
    first = fronted.cloudfront.list_vpc_origins(MaxItems="2")["VpcOriginList"]
    assert (first["Quantity"], first["IsTruncated"], first["MaxItems"]) == (2, True, 2)
    rest = fronted.cloudfront.list_vpc_origins(Marker=first["NextMarker"])["VpcOriginList"]
    assert (rest["Quantity"], rest["IsTruncated"]) == (1, False)
    assert [one["Id"] for one in [*first["Items"], *rest["Items"]]] == ids
    assert {(one["OriginEndpointArn"], one["Status"]) for one in first["Items"]} == {
        (fronted.arn, "Deployed")
    }


def test_a_vpc_origins_name_is_taken_once(fronted: Fronted, origin: str) -> None:
    """EntityAlreadyExists: "The entity already exists. You must provide a unique entity." (model), 409."""
    with refused("EntityAlreadyExists", "must provide a unique entity"):
        fronted.cloudfront.create_vpc_origin(VpcOriginEndpointConfig=fronted.endpoint())


def test_an_account_has_25_vpc_origins(fronted: Fronted) -> None:
    """ "Quotas": 25 VPC origins per account; EntityLimitExceeded (model)."""
    for number in range(25):
        fronted.cloudfront.create_vpc_origin(VpcOriginEndpointConfig=fronted.endpoint(f"origin-{number}"))
    with refused("EntityLimitExceeded"):
        fronted.cloudfront.create_vpc_origin(VpcOriginEndpointConfig=fronted.endpoint("one-more"))


@pytest.mark.parametrize(
    "arn", ["x", "arn:aws:elasticloadbalancing:us-east-2:123456789012:loadbalancer/app/no/1"]
)
def test_a_vpc_origin_leads_to_a_load_balancer_that_is_there(fronted: Fronted, arn: str) -> None:
    """InvalidArgument (model); the texts are not verified."""
    with refused("InvalidArgument"):
        fronted.cloudfront.create_vpc_origin(VpcOriginEndpointConfig=fronted.endpoint(Arn=arn))


def test_a_vpc_origin_needs_an_active_load_balancer_and_an_internet_gateway(fronted: Fronted) -> None:
    """Developer Guide, "Restrict access with VPC origins": the load balancer is active before the origin is made,
    and its VPC has an internet gateway, although no traffic takes it. The texts are not verified."""
    with start(speed=1, boot_allowance=2) as slow:
        new = Fronted(slow)
        with refused("InvalidArgument", "not active"):
            new.cloudfront.create_vpc_origin(VpcOriginEndpointConfig=new.endpoint())
    [gateway] = fronted.ec2.describe_internet_gateways()["InternetGateways"]
    where = {"InternetGatewayId": gateway["InternetGatewayId"], "VpcId": fronted.vpc}
    fronted.ec2.detach_internet_gateway(**where)
    try:
        with refused("InvalidArgument", "internet gateway"):
            fronted.cloudfront.create_vpc_origin(VpcOriginEndpointConfig=fronted.endpoint())
    finally:
        fronted.ec2.attach_internet_gateway(**where)


def test_a_vpc_origin_is_changed_by_its_version(fronted: Fronted, origin: str) -> None:
    """UpdateVpcOrigin: InvalidIfMatchVersion without, PreconditionFailed (412) with another ETag (model)."""
    config = fronted.endpoint(HTTPPort=8080)
    with refused("PreconditionFailed") as _:
        fronted.cloudfront.update_vpc_origin(Id=origin, IfMatch="E0", VpcOriginEndpointConfig=config)
    before = fronted.origin(origin)["ETag"]
    made = fronted.cloudfront.update_vpc_origin(Id=origin, IfMatch=before, VpcOriginEndpointConfig=config)
    assert made["VpcOrigin"]["Status"] == "Deploying"
    assert made["VpcOrigin"]["VpcOriginEndpointConfig"]["HTTPPort"] == 8080
    assert made["ETag"] != before
    with refused("IllegalUpdate"):
        fronted.cloudfront.update_vpc_origin(Id=origin, IfMatch=made["ETag"], VpcOriginEndpointConfig=config)


def test_a_vpc_origin_that_is_used_stays_as_it_is(fronted: Fronted, origin: str) -> None:
    """CannotUpdateEntityWhileInUse, CannotDeleteEntityWhileInUse (model), 409; "The specified VPC origin is
    currently associated with one or more distributions" in projects' logs. Also after the distribution was changed,
    until that is deployed."""
    made = fronted.create(fronted.config(origin))
    other = fronted.make_origin("other")
    version = fronted.origin(origin)["ETag"]
    used = "VPC origin is currently associated with one or more distributions"
    with refused("CannotUpdateEntityWhileInUse", used):
        fronted.cloudfront.update_vpc_origin(
            Id=origin, IfMatch=version, VpcOriginEndpointConfig=fronted.endpoint(HTTPPort=81)
        )
    with refused("CannotDeleteEntityWhileInUse", used):
        fronted.cloudfront.delete_vpc_origin(Id=origin, IfMatch=version)
    ids = fronted.cloudfront.list_distributions_by_vpc_origin_id(VpcOriginId=origin)["DistributionIdList"]
    assert ids["Items"] == [made["Id"]]
    fronted.await_deployed(made["Id"])
    fronted.update(made["Id"], Origins=fronted.config(other)["Origins"])
    with refused("CannotDeleteEntityWhileInUse", used):
        fronted.cloudfront.delete_vpc_origin(Id=origin, IfMatch=version)
    fronted.await_deployed(made["Id"])
    fronted.cloudfront.delete_vpc_origin(Id=origin, IfMatch=version)


def test_a_vpc_origin_is_deleted_asynchronously_and_only_once_deployed(fronted: Fronted) -> None:
    """DeleteVpcOrigin answers 202 (model); IllegalDelete before it is Deployed ("delete is not allowed for this vpc
    origin" in projects' logs); gone is EntityNotFound (Terraform)."""
    made = fronted.cloudfront.create_vpc_origin(VpcOriginEndpointConfig=fronted.endpoint())
    id = made["VpcOrigin"]["Id"]
    with refused("IllegalDelete", "delete is not allowed for this vpc origin"):
        fronted.cloudfront.delete_vpc_origin(Id=id, IfMatch=made["ETag"])
    fronted.await_origin(id)
    gone = fronted.cloudfront.delete_vpc_origin(Id=id, IfMatch=made["ETag"])
    assert gone["VpcOrigin"]["Status"] == "Deploying"
    assert fronted.origin(id)["Status"] == "Deploying"
    eventually(lambda: not fronted.cloudfront.list_vpc_origins()["VpcOriginList"]["Quantity"])
    with refused("EntityNotFound"):
        fronted.cloudfront.get_vpc_origin(Id=id)


def test_a_vpc_origin_that_is_not_deployed_is_failed_where_that_is_ordered(fronted: Fronted) -> None:
    """``Status`` is a string without documented values (API Reference, "VpcOrigin"); Terraform waits for Deployed, and
    takes every value but Deploying for a failure. ``Failed``: (own word). It can be deleted as any other."""
    fronted.aws.order({"vpc_origin_failure": True})
    made = fronted.cloudfront.create_vpc_origin(VpcOriginEndpointConfig=fronted.endpoint("failing"))
    id = made["VpcOrigin"]["Id"]
    assert made["VpcOrigin"]["Status"] == "Deploying"
    fronted.aws.forgive()
    eventually(lambda: fronted.origin(id)["Status"] == "Failed")
    (listed,) = fronted.cloudfront.list_vpc_origins()["VpcOriginList"]["Items"]
    assert listed["Status"] == "Failed"
    fronted.cloudfront.delete_vpc_origin(Id=id, IfMatch=fronted.origin(id)["ETag"])
    eventually(lambda: not fronted.cloudfront.list_vpc_origins()["VpcOriginList"]["Quantity"])


def test_how_long_a_change_takes_can_be_ordered(fronted: Fronted, origin: str) -> None:
    """A distribution is InProgress until every edge location has the change (API Reference, "Distribution"); how long
    that takes is not documented."""
    fronted.aws.order({"cloudfront_deployment_seconds": NEVER})
    made = fronted.create(fronted.config(origin))
    fronted.aws.forgive()
    fronted.make_origin("second")  # is deployed meanwhile
    assert fronted.distribution(made["Id"])["Status"] == "InProgress"
    fronted.update(made["Id"], Enabled=False)  # the next change is as fast as ever
    fronted.await_deployed(made["Id"])


def test_cloudfront_has_a_group_of_its_own_in_the_vpc(fronted: Fronted) -> None:
    """The first VPC origin of a VPC makes ``CloudFront-VPCOrigins-Service-SG`` there (terraform-provider-aws, issue
    40683) and network interfaces in the load balancer's subnets; the name is reserved (Developer Guide). They go
    after the last origin has gone, but for a group that a rule names; how soon is not verified."""
    with refused("InvalidParameterValue", SERVICE_GROUP):
        fronted.make_group(SERVICE_GROUP)
    eventually(lambda: fronted.service_group() is None)
    id = fronted.make_origin()
    group = fronted.service_group()
    assert group
    asked = [{"Name": "group-id", "Values": [group]}]
    eventually(lambda: fronted.ec2.describe_network_interfaces(Filters=asked)["NetworkInterfaces"])
    found = fronted.ec2.describe_network_interfaces(Filters=asked)["NetworkInterfaces"]
    assert sorted(one["SubnetId"] for one in found) == sorted(fronted.subnets)
    fronted.allow_from(fronted.guarded, group, 80)
    fronted.cloudfront.delete_vpc_origin(Id=id, IfMatch=fronted.origin(id)["ETag"])
    eventually(lambda: not fronted.ec2.describe_network_interfaces(Filters=asked)["NetworkInterfaces"])
    clock = fronted.make_other_balancer("clock")
    fronted.await_provisioned(clock)  # longer than a group stays that nothing needs
    fronted.elb.delete_load_balancer(LoadBalancerArn=clock)
    assert fronted.service_group() == group
    rule = [{"IpProtocol": "tcp", "FromPort": 80, "ToPort": 80, "UserIdGroupPairs": [{"GroupId": group}]}]
    fronted.ec2.revoke_security_group_ingress(GroupId=fronted.guarded, IpPermissions=rule)
    eventually(lambda: fronted.service_group() is None)


def test_the_prefix_list_counts_as_55_rules(fronted: Fronted) -> None:
    """VPC User Guide, "AWS-managed prefix lists": the weight of com.amazonaws.global.cloudfront.origin-facing is
    55, of 60 rules that a group may have: one port, and not two."""
    group = fronted.make_group("weighed")
    listed = [{"PrefixListId": fronted.prefix_list()}]
    rule = {"IpProtocol": "tcp", "PrefixListIds": listed}
    fronted.ec2.authorize_security_group_ingress(
        GroupId=group, IpPermissions=[{**rule, "FromPort": 80, "ToPort": 80}]
    )
    for number in range(5):
        fronted.allow(group, 80, CidrIp=f"10.0.{number}.0/24")
    with refused("RulesPerSecurityGroupLimitExceeded"):
        fronted.allow(group, 80, CidrIp="10.0.9.0/24")
    with refused("RulesPerSecurityGroupLimitExceeded"):
        fronted.ec2.authorize_security_group_ingress(
            GroupId=group, IpPermissions=[{**rule, "FromPort": 443, "ToPort": 443}]
        )
    fronted.ec2.delete_security_group(GroupId=group)


# Distributions


def test_a_distribution_is_made_and_deployed_after_a_while(fronted: Fronted, origin: str) -> None:
    """CreateDistribution answers 201 with ``Location`` and ``ETag``; InProgress, then Deployed (model). The domain
    name is, as those of load balancers here, an address that clients reach."""
    made = fronted.cloudfront.create_distribution(DistributionConfig=fronted.config(origin))
    found = made["Distribution"]
    assert made["ResponseMetadata"]["HTTPStatusCode"] == 201
    assert found["ARN"] == f"arn:aws:cloudfront::123456789012:distribution/{found['Id']}"
    assert (found["Id"][0], len(found["Id"]), found["Status"]) == ("E", 14, "InProgress")
    assert made["Location"].endswith(f"/2020-05-31/distribution/{found['Id']}")
    fronted.await_deployed(found["Id"])
    [listed] = fronted.cloudfront.list_distributions()["DistributionList"]["Items"]
    assert (listed["Id"], listed["DomainName"], listed["Enabled"]) == (found["Id"], found["DomainName"], True)


def test_what_was_not_sent_is_shown_with_its_default(fronted: Fronted, origin: str) -> None:
    """The defaults of the model: ``http2``, PriceClass_All, three attempts of 10 s, 30 s to read, 5 s to keep
    alive; and the members that Terraform reads back. The complete list is not verified."""
    sent = fronted.config(origin)
    config = fronted.create(sent)["DistributionConfig"]
    assert (config["HttpVersion"], config["PriceClass"], config["IsIPV6Enabled"]) == (
        "http2",
        "PriceClass_All",
        True,
    )
    assert config["ViewerCertificate"]["CloudFrontDefaultCertificate"] is True
    assert config["Aliases"] == config["CacheBehaviors"] == config["OriginGroups"] == {"Quantity": 0}
    assert config["Restrictions"]["GeoRestriction"]["RestrictionType"] == "none"
    [one] = config["Origins"]["Items"]
    assert (one["ConnectionAttempts"], one["ConnectionTimeout"]) == (3, 10)
    assert one["VpcOriginConfig"]["OriginReadTimeout"] == 30
    assert one["VpcOriginConfig"]["OriginKeepaliveTimeout"] == 5
    behavior = config["DefaultCacheBehavior"]
    assert sent["DefaultCacheBehavior"].items() <= behavior.items()


def test_a_caller_reference_makes_one_distribution(fronted: Fronted, origin: str) -> None:
    """DistributionAlreadyExists (model), 409: "The caller reference that you are using to create a distribution is
    associated with another distribution. Already exists: …"."""
    made = fronted.create(fronted.config(origin))
    with refused("DistributionAlreadyExists", f"Already exists: {made['Id']}"):
        fronted.create(fronted.config(origin, Comment="again"))


def test_an_update_replaces_everything_and_keeps_the_reference(fronted: Fronted, origin: str) -> None:
    """API Reference, "UpdateDistribution": what is left out is gone; the caller reference may not change
    (IllegalUpdate, model)."""
    made = fronted.create(fronted.config(origin, Comment="first", HttpVersion="http2and3"))
    config = fronted.config(origin, Comment="second")
    done = fronted.cloudfront.update_distribution(
        Id=made["Id"], IfMatch=made["ETag"], DistributionConfig=config
    )
    now = done["Distribution"]
    assert (now["Status"], now["DistributionConfig"]["Comment"]) == ("InProgress", "second")
    assert now["DistributionConfig"]["HttpVersion"] == "http2"
    assert done["ETag"] == fronted.distribution(made["Id"])["ETag"] != made["ETag"]
    with refused("IllegalUpdate"):
        fronted.update(made["Id"], CallerReference="other")


def test_changes_are_of_the_version_that_is_there(fronted: Fronted, origin: str) -> None:
    """InvalidIfMatchVersion (400) without, PreconditionFailed (412) with another ETag (model)."""
    made = fronted.create(fronted.config(origin))
    config = fronted.config(origin, Comment="x")
    client = fronted.cloudfront
    with refused("InvalidIfMatchVersion", "The If-Match version is missing or not valid"):
        client.update_distribution(Id=made["Id"], DistributionConfig=config)
    with pytest.raises(ClientError) as stale:
        client.update_distribution(Id=made["Id"], IfMatch="E0", DistributionConfig=config)
    assert stale.value.response["Error"]["Code"] == "PreconditionFailed"
    assert stale.value.response["ResponseMetadata"]["HTTPStatusCode"] == 412
    with refused("PreconditionFailed"):
        client.delete_distribution(Id=made["Id"], IfMatch="E0")


def test_a_distribution_is_disabled_everywhere_before_it_is_deleted(fronted: Fronted, origin: str) -> None:
    """ "Before you can delete a distribution, you must disable it" (model); DistributionNotDisabled (409): "The
    distribution you are trying to delete has not been disabled.", also while that is under way (Terraform)."""
    made = fronted.create(fronted.config(origin))
    not_disabled = "The distribution you are trying to delete has not been disabled."
    with refused("DistributionNotDisabled", not_disabled):
        fronted.delete(made["Id"])
    fronted.aws.order({"cloudfront_deployment_seconds": NEVER})
    fronted.update(made["Id"], Enabled=False)
    with refused("DistributionNotDisabled", not_disabled):
        fronted.delete(made["Id"])
    fronted.aws.forgive()
    fronted.update(made["Id"], Comment="disabled")  # which is deployed soon
    fronted.await_deployed(made["Id"])
    fronted.delete(made["Id"])
    with refused("NoSuchDistribution", "The specified distribution does not exist."):
        fronted.cloudfront.get_distribution(Id=made["Id"])


ORIGIN, BEHAVIOR = "Origins.Items.0", "DefaultCacheBehavior"
READING = f"{ORIGIN}.VpcOriginConfig"
REFUSED: list[tuple[str, Any, str]] = [
    ("Comment", "x" * 129, "InvalidArgument"),
    ("Origins.Quantity", 2, "InconsistentQuantities"),
    (f"{BEHAVIOR}.AllowedMethods.Quantity", 3, "InconsistentQuantities"),
    (f"{BEHAVIOR}.AllowedMethods", {"Quantity": 1, "Items": ["GET"]}, "InvalidArgument"),
    (f"{BEHAVIOR}.TargetOriginId", "other", "NoSuchOrigin"),
    (f"{BEHAVIOR}.CachePolicyId", "none", "NoSuchCachePolicy"),
    (f"{BEHAVIOR}.OriginRequestPolicyId", "none", "NoSuchOriginRequestPolicy"),
    (f"{ORIGIN}.ConnectionAttempts", 4, "InvalidArgument"),
    (f"{ORIGIN}.ConnectionTimeout", 11, "InvalidArgument"),
    (f"{ORIGIN}.ResponseCompletionTimeout", 29, "InvalidArgument"),
    (f"{READING}.OriginReadTimeout", 121, "InvalidOriginReadTimeout"),
    (f"{READING}.OriginKeepaliveTimeout", 121, "InvalidOriginKeepaliveTimeout"),
    (f"{READING}.VpcOriginId", "vo_absent", "EntityNotFound"),
    ("WebACLId", "arn:aws:wafv2:us-east-1:123456789012:global/webacl/none/0", "InvalidWebACLId"),
    ("Aliases", {"Quantity": 1, "Items": ["app.example.com"]}, "InvalidViewerCertificate"),
    # "a two-letter, uppercase country code"; "none: No geo restriction is enabled" (model, "GeoRestriction")
    *(
        ("Restrictions", {"GeoRestriction": given}, "InvalidGeoRestrictionParameter")
        for given in (
            {"RestrictionType": "blacklist", "Quantity": 1, "Items": ["de"]},
            {"RestrictionType": "whitelist", "Quantity": 1, "Items": ["DEU"]},
            {"RestrictionType": "none", "Quantity": 1, "Items": ["DE"]},
        )
    ),
]


FUNCTION = "arn:aws:cloudfront::123456789012:function/f"
PAGE = {"ResponsePagePath": "/sorry", "ResponseCode": "200"}
ERRORS: list[tuple[dict[str, Any], str]] = [
    ({"ErrorCode": 418, **PAGE}, "InvalidErrorCode"),
    ({"ErrorCode": 200, **PAGE}, "InvalidErrorCode"),
    ({"ErrorCode": 412, **PAGE}, "InvalidErrorCode"),
    ({"ErrorCode": 415, **PAGE}, "InvalidErrorCode"),
    ({"ErrorCode": 502, **PAGE, "ResponseCode": "201"}, "InvalidResponseCode"),
    ({"ErrorCode": 502, **PAGE, "ResponseCode": "302"}, "InvalidResponseCode"),
    ({"ErrorCode": 502, "ResponsePagePath": "/sorry"}, "InvalidArgument"),
    ({"ErrorCode": 502, "ResponseCode": "200"}, "InvalidArgument"),
]


@pytest.mark.parametrize(("response", "code"), ERRORS)
def test_custom_error_responses_that_cloudfront_does_not_take(
    fronted: Fronted, origin: str, response: dict[str, Any], code: str
) -> None:
    """ "If you specify a value for ResponsePagePath, you must also specify a value for ResponseCode", and the other way
    round (model, CustomErrorResponse; the code of the refusal is not verified). "You can configure CloudFront to return
    any of the following HTTP status codes along with a custom error page: 200; 400, 403, 404, 405, 414, 416; 500, 501,
    502, 503, 504" (Developer Guide, "Change response codes returned by CloudFront"). "CloudFront doesn't support
    creating custom error pages for these HTTP status codes": 412, 415 ("HTTP 4xx and 5xx status codes that CloudFront
    caches"). The codes are the model's."""
    given = {"Quantity": 1, "Items": [response]}
    with refused(code):
        fronted.create(changed(fronted.config(origin), "CustomErrorResponses", given))


UNSUPPORTED: list[tuple[str, Any, str]] = [
    (
        f"{BEHAVIOR}.FunctionAssociations",
        {"Quantity": 1, "Items": [{"FunctionARN": FUNCTION, "EventType": "viewer-request"}]},
        "FunctionAssociations",
    ),
    (
        f"{BEHAVIOR}.ResponseHeadersPolicyId",
        "67f7725c-6f97-4210-82d7-5512b31e9d03",
        "ResponseHeadersPolicyId",
    ),
]


@pytest.mark.parametrize(("path", "value", "name"), UNSUPPORTED)
def test_what_would_not_be_done_is_refused(
    fronted: Fronted, origin: str, path: str, value: Any, name: str
) -> None:
    """(own words) A distribution that would serve without it is none."""
    with pytest.raises(ClientError, match=f"The embedded AWS does not support .*{name}"):
        fronted.create(changed(fronted.config(origin), path, value))


def test_how_long_errors_are_cached_is_kept_with_the_rest(fronted: Fronted, origin: str) -> None:
    """CustomErrorResponse: "a custom error page and/or a caching duration" (model). Nothing is cached here."""
    cached = [
        {"ErrorCode": 502, "ErrorCachingMinTTL": 0},
        {"ErrorCode": 503, **PAGE, "ErrorCachingMinTTL": 5},
    ]
    given = {"Quantity": 2, "Items": cached}
    made = fronted.create(changed(fronted.config(origin), "CustomErrorResponses", given))
    assert made["DistributionConfig"]["CustomErrorResponses"]["Items"] == cached


@pytest.mark.parametrize(("path", "value", "code"), REFUSED)
def test_values_that_cloudfront_does_not_take(
    fronted: Fronted, origin: str, path: str, value: Any, code: str
) -> None:
    """The limits and codes of the model: OriginReadTimeout 1 to 120 s, ConnectionAttempts 1 to 3, ConnectionTimeout
    1 to 10 s, 2, 3 or 7 methods, 128 characters of Comment, ``Quantity`` equal to the number of ``Items``."""
    with refused(code):
        fronted.create(changed(fronted.config(origin), path, value))
    assert not fronted.cloudfront.list_distributions()["DistributionList"]["Quantity"]


def test_an_origin_of_no_kind_is_taken_for_a_bucket(fronted: Fronted, origin: str) -> None:
    """terraform-provider-aws, issue 18872: "InvalidArgument: The parameter Origin DomainName does not refer to a
    valid S3 bucket.\""""
    config = fronted.config(origin)
    del config["Origins"]["Items"][0]["VpcOriginConfig"]
    with refused("InvalidArgument", "The parameter Origin DomainName does not refer to a valid S3 bucket."):
        fronted.create(config)


def test_a_young_account_may_have_no_distribution(fronted: Fronted, origin: str) -> None:
    """AccessDenied, 403, which is not IAM's: "Your account must be verified before you can add new CloudFront
    resources. To verify your account, please contact AWS Support" (ten projects' logs). VPC origins are made all
    the same; not verified."""
    fronted.aws.order({"account_hold": "cloudfront"})
    with refused(
        "AccessDenied", "Your account must be verified before you can add new CloudFront resources."
    ):
        fronted.create(fronted.config(origin))
    fronted.make_origin("other")
    fronted.aws.forgive()
    fronted.create(fronted.config(origin))


# Tags, policies, invalidations, web ACLs


def test_tags_of_distributions_and_vpc_origins(fronted: Fronted) -> None:
    """CreateDistributionWithTags, CreateVpcOrigin with Tags, TagResource, UntagResource (model)."""
    client = fronted.cloudfront
    tags = {"Items": [{"Key": "a", "Value": "1"}, {"Key": "b", "Value": "2"}]}
    made = client.create_vpc_origin(VpcOriginEndpointConfig=fronted.endpoint(), Tags=tags)["VpcOrigin"]
    fronted.await_origin(made["Id"])
    arns = [made["Arn"], fronted.create(fronted.config(made["Id"]), a="1", b="2")["ARN"]]
    for arn in arns:
        assert client.list_tags_for_resource(Resource=arn)["Tags"] == tags
        client.tag_resource(Resource=arn, Tags={"Items": [{"Key": "b", "Value": "3"}]})
        client.untag_resource(Resource=arn, TagKeys={"Items": ["a"]})
        assert client.list_tags_for_resource(Resource=arn)["Tags"]["Items"] == [{"Key": "b", "Value": "3"}]
    with refused("NoSuchResource"):
        client.list_tags_for_resource(Resource=f"{arns[1]}x")
    with refused("InvalidTagging"):
        client.tag_resource(Resource=arns[0], Tags={"Items": [{"Key": "aws:x", "Value": ""}]})


def test_tagging_finds_them_in_us_east_1(fronted: Fronted) -> None:
    """GetResources: "Returns all the tagged or previously tagged resources that are located in the specified AWS Region
    for the account" (Resource Groups Tagging API Reference); those of CloudFront are in us-east-1. That VPC origins are
    among them is not verified."""
    origin = fronted.make_origin()
    fronted.cloudfront.tag_resource(
        Resource=fronted.origin(origin)["Arn"], Tags={"Items": [{"Key": "stack", "Value": "app"}]}
    )
    arn = fronted.create(fronted.config(origin), stack="app")["ARN"]

    def found(region: str, *kinds: str, value: str = "app") -> list[str]:
        tagging = fronted.aws.client("resourcegroupstaggingapi", region)
        tags = [{"Key": "stack", "Values": [value]}]
        answer = tagging.get_resources(TagFilters=tags, ResourceTypeFilters=list(kinds))
        return sorted(each["ResourceARN"] for each in answer["ResourceTagMappingList"])

    assert found("us-east-1") == sorted([arn, fronted.origin(origin)["Arn"]])
    assert found("us-east-1", "cloudfront:distribution") == [arn]
    assert found("us-east-1", "ecs") == found("us-east-1", value="other") == found("us-east-2") == []


def test_the_policies_that_aws_manages(fronted: Fronted) -> None:
    """Developer Guide, "Use managed cache policies", "Use managed origin request policies": their ids and names."""
    client = fronted.cloudfront
    cache = client.get_cache_policy(Id=CACHING_DISABLED)["CachePolicy"]["CachePolicyConfig"]
    assert (cache["Name"], cache["MinTTL"], cache["MaxTTL"]) == ("Managed-CachingDisabled", 0, 0)
    viewer = client.get_origin_request_policy(Id=ALL_VIEWER)["OriginRequestPolicy"][
        "OriginRequestPolicyConfig"
    ]
    assert (
        viewer["Name"],
        viewer["HeadersConfig"],
        viewer["CookiesConfig"],
        viewer["QueryStringsConfig"],
    ) == (
        "Managed-AllViewer",
        {"HeaderBehavior": "allViewer"},
        {"CookieBehavior": "all"},
        {"QueryStringBehavior": "all"},
    )
    for listed, kind, id in (
        (client.list_cache_policies()["CachePolicyList"], "CachePolicy", CACHING_DISABLED),
        (client.list_origin_request_policies()["OriginRequestPolicyList"], "OriginRequestPolicy", ALL_VIEWER),
    ):
        assert id in {one[kind]["Id"] for one in listed["Items"] if one["Type"] == "managed"}
    with refused("NoSuchCachePolicy"):
        client.get_cache_policy(Id=ALL_VIEWER)
    with refused("NoSuchOriginRequestPolicy"):
        client.get_origin_request_policy(Id=CACHING_DISABLED)


def test_invalidations_are_completed_after_a_while(fronted: Fronted, origin: str) -> None:
    """CreateInvalidation: InProgress, then Completed (API Reference)."""
    id = fronted.create(fronted.config(origin))["Id"]
    batch = {"Paths": {"Quantity": 1, "Items": ["/*"]}, "CallerReference": "one"}
    client = fronted.cloudfront
    made = client.create_invalidation(DistributionId=id, InvalidationBatch=batch)["Invalidation"]

    def status() -> str:
        found = client.get_invalidation(DistributionId=id, Id=made["Id"])["Invalidation"]
        return str(found["Status"])

    eventually(lambda: status() == "Completed")
    again = client.create_invalidation(DistributionId=id, InvalidationBatch=batch)["Invalidation"]
    assert again["Id"] == made["Id"]
    listed = client.list_invalidations(DistributionId=id)["InvalidationList"]
    assert [one["Id"] for one in listed["Items"]] == [made["Id"]]


def test_a_web_acl_is_one_member_of_a_distribution(fronted: Fronted, origin: str) -> None:
    """AssociateDistributionWebACL, DisassociateDistributionWebACL (model); of scope CLOUDFRONT, made in us-east-1.
    While it is there, AWS WAF deletes it not: WAFAssociatedItemException (WAFV2 API Reference, "DeleteWebACL")."""
    waf = fronted.aws.client("wafv2", "us-east-1")
    made = waf.create_web_acl(
        Name="edge",
        Scope="CLOUDFRONT",
        DefaultAction={"Allow": {}},
        VisibilityConfig={
            "SampledRequestsEnabled": False,
            "CloudWatchMetricsEnabled": False,
            "MetricName": "edge",
        },
    )["Summary"]
    found = fronted.create(fronted.config(origin, WebACLId=made["ARN"]))
    gone = {"Name": "edge", "Scope": "CLOUDFRONT", "Id": made["Id"], "LockToken": made["LockToken"]}
    with refused("WAFAssociatedItemException"):
        waf.delete_web_acl(**gone)
    client = fronted.cloudfront
    done = client.disassociate_distribution_web_acl(Id=found["Id"], IfMatch=found["ETag"])
    assert done["ETag"] == fronted.distribution(found["Id"])["ETag"]
    assert fronted.distribution(found["Id"])["DistributionConfig"]["WebACLId"] == ""
    done = client.associate_distribution_web_acl(Id=found["Id"], WebACLArn=made["ARN"], IfMatch=done["ETag"])
    assert fronted.distribution(found["Id"])["DistributionConfig"]["WebACLId"] == made["ARN"]
    with refused("EntityNotFound"):
        client.disassociate_distribution_web_acl(Id=ABSENT)
    regional = web_acl(fronted.aws, "regional")
    with refused("InvalidWebACLId"):
        fronted.update(found["Id"], WebACLId=regional)
    client.disassociate_distribution_web_acl(Id=found["Id"], IfMatch=done["ETag"])
    waf.delete_web_acl(**gone)


# Certificates


def test_an_alias_has_a_certificate_in_us_east_1(fronted: Fronted, origin: str) -> None:
    """Developer Guide, "Requirements for using SSL/TLS certificates with CloudFront": us-east-1, ISSUED, covering
    every alias; InvalidViewerCertificate in the words of Terraform's and others' logs. CNAMEAlreadyExists (409) for
    an alias that another distribution has. ACM says who uses it."""
    arn, regional = (
        certificate(fronted, "app.example.com"),
        certificate(fronted, "app.example.com", "us-east-2"),
    )

    first, second = fronted.config(origin, "a"), fronted.config(origin, "b")
    with refused("InvalidViewerCertificate", "isn't in us-east-1 region"):
        fronted.create(with_alias(first, "app.example.com", regional))
    with refused("InvalidViewerCertificate", "doesn't cover the alternate domain name (CNAME)"):
        fronted.create(with_alias(first, "other.example.com", arn))
    made = fronted.create(with_alias(first, "app.example.com", arn))
    with refused("CNAMEAlreadyExists"):
        fronted.create(with_alias(second, "APP.example.com", arn))
    acm = fronted.aws.client("acm", "us-east-1")
    assert acm.describe_certificate(CertificateArn=arn)["Certificate"]["InUseBy"] == [made["ARN"]]
    with refused("ResourceInUseException"):
        acm.delete_certificate(CertificateArn=arn)


@pytest.fixture
def stranger(fronted: Fronted) -> Iterator[Stranger]:
    """Another account, without distributions."""
    made = Stranger(fronted.aws)
    yield made
    made.leave()


def test_an_alias_has_one_distribution_of_all_accounts(
    fronted: Fronted, origin: str, stranger: Stranger
) -> None:
    """Developer Guide, "Requirements for using alternate domain names": "You cannot add an alternate domain name to a
    CloudFront distribution if the alternate domain name already exists in another CloudFront distribution, even if
    your AWS account owns the other distribution"; overlapping ones are allowed "as long as both distributions were
    created by using the same AWS account". The text is of "Move an alternate domain name"."""
    taken = "One or more of the CNAMEs you provided are already associated with a different resource"
    stranger.take("app.example.com", "*.taken.example.com")
    arn, wild = certificate(fronted, "app.example.com"), certificate(fronted, "*.taken.example.com")
    with refused("CNAMEAlreadyExists", taken):
        fronted.create(with_alias(fronted.config(origin), "app.example.com", arn))
    with refused("CNAMEAlreadyExists", taken):
        fronted.create(with_alias(fronted.config(origin), "a.taken.example.com", wild))
    stranger.leave()
    fronted.create(with_alias(fronted.config(origin, "a"), "*.taken.example.com", wild))
    fronted.create(with_alias(fronted.config(origin, "b"), "b.taken.example.com", wild))


def test_who_has_an_alias_is_told_in_part(fronted: Fronted, origin: str, stranger: Stranger) -> None:
    """ListConflictingAliases (model): aliases "that conflict or overlap with the provided alias", with distribution
    and account ids that are "partially hidden"; of "a standard distribution in your account that has an attached
    TLS certificate that includes the provided alias". How many characters are hidden is not verified."""
    arn = certificate(fronted, "app.example.com")
    mine = fronted.create(with_certificate(fronted.config(origin), arn))
    bare = fronted.create(fronted.config(origin, "bare"))
    [other] = stranger.take("app.example.com")
    client = fronted.cloudfront
    asked = {"DistributionId": mine["Id"], "Alias": "APP.example.com"}
    found = client.list_conflicting_aliases(**asked)["ConflictingAliasesList"]
    assert (found["Quantity"], found["Items"]) == (
        1,
        [
            {
                "Alias": "app.example.com",
                "DistributionId": f"{'*' * 7}{other[-7:]}",
                "AccountId": f"{'*' * 5}{STRANGER[-7:]}",
            }
        ],
    )
    for id, alias, code in (
        (bare["Id"], "app.example.com", "InvalidArgument"),
        (mine["Id"], "other.example.com", "InvalidArgument"),
        (ABSENT, "app.example.com", "NoSuchDistribution"),
    ):
        with refused(code):
            client.list_conflicting_aliases(DistributionId=id, Alias=alias)
    with refused("AccessDenied"):
        client.associate_alias(TargetDistributionId=mine["Id"], Alias="app.example.com")
    stranger.leave()
    assert not client.list_conflicting_aliases(**asked)["ConflictingAliasesList"]["Quantity"]


def test_an_alias_is_moved_within_an_account(fronted: Fronted, origin: str) -> None:
    """AssociateAlias (model): "you can move an alias that's already used for a standard distribution to a different
    standard distribution"; Developer Guide, "Move an alternate domain name": within an account, to a distribution
    with a certificate that includes it."""
    arn = certificate(fronted, "app.example.com")
    source = fronted.create(with_alias(fronted.config(origin, "a"), "app.example.com", arn))
    target = fronted.create(fronted.config(origin, "b"))
    move = {"TargetDistributionId": target["Id"], "Alias": "app.example.com"}
    with refused("InvalidArgument"):
        fronted.cloudfront.associate_alias(**move)
    fronted.update(target["Id"], ViewerCertificate=with_certificate({}, arn)["ViewerCertificate"])
    fronted.cloudfront.associate_alias(**move)
    aliases = [fronted.distribution(each["Id"])["DistributionConfig"]["Aliases"] for each in (source, target)]
    assert aliases == [{"Quantity": 0}, {"Quantity": 1, "Items": ["app.example.com"]}]
    denied = session(fronted.aws, "no-mover", allow("cloudfront:GetDistribution")).client("cloudfront")
    with refused("AccessDenied", f"cloudfront:AssociateAlias on resource: {target['ARN']}"):
        denied.associate_alias(**move)


def with_certificate(config: dict[str, Any], arn: str) -> dict[str, Any]:
    """The configuration with a certificate, and no alias yet."""
    return {**config, "ViewerCertificate": with_alias({}, "", arn)["ViewerCertificate"]}


# IAM


def test_iam_decides_by_resource_and_by_tag(fronted: Fronted, origin: str) -> None:
    """Service Authorization Reference, "Amazon CloudFront": ``distribution/<id>``, ``vpcorigin/<id>``,
    ``aws:ResourceTag``; CreateDistributionWithTags "requires the following IAM permissions: CreateDistribution,
    TagResource" (model)."""
    mine = fronted.create(fronted.config(origin, "mine"), owner="me")
    other = fronted.create(fronted.config(origin, "other"), owner="you")
    getting = allow("cloudfront:GetDistribution", StringEquals={"aws:ResourceTag/owner": "me"})
    client = session(fronted.aws, "reader", getting).client("cloudfront")
    assert client.get_distribution(Id=mine["Id"])["Distribution"]["Id"] == mine["Id"]
    with refused("AccessDenied", f"cloudfront:GetDistribution on resource: {other['ARN']}"):
        client.get_distribution(Id=other["Id"])
    with refused(
        "AccessDenied", "cloudfront:GetVpcOrigin on resource: arn:aws:cloudfront::123456789012:vpcorigin/"
    ):
        client.get_vpc_origin(Id=origin)
    creating = session(fronted.aws, "creator", allow("cloudfront:CreateDistribution")).client("cloudfront")
    asked = {
        "DistributionConfig": fronted.config(origin, "new"),
        "Tags": {"Items": [{"Key": "a", "Value": "b"}]},
    }
    made = "cloudfront:TagResource on resource: arn:aws:cloudfront::123456789012:distribution/*"
    with refused("AccessDenied", made):
        creating.create_distribution_with_tags(DistributionConfigWithTags=asked)


def test_the_first_vpc_origin_makes_cloudfronts_own_role(fronted: Fronted) -> None:
    """Developer Guide, "Use service-linked roles for CloudFront": AWSServiceRoleForCloudFrontVPCOrigin is made with the
    first VPC origin, for which the caller needs iam:CreateServiceLinkedRole. The form of the permission is IAM's."""
    fronted.make_origin()
    iam, name = fronted.aws.client("iam"), "AWSServiceRoleForCloudFrontVPCOrigin"
    path = "/aws-service-role/vpcorigin.cloudfront.amazonaws.com/"
    assert iam.get_role(RoleName=name)["Role"]["Path"] == path
    iam.delete_service_linked_role(RoleName=name)
    client = session(fronted.aws, "maker", allow("cloudfront:CreateVpcOrigin")).client("cloudfront")
    with refused(
        "AccessDenied", f"iam:CreateServiceLinkedRole on resource: arn:aws:iam::123456789012:role{path}{name}"
    ):
        client.create_vpc_origin(VpcOriginEndpointConfig=fronted.endpoint("other"))
    fronted.make_origin("other")
    iam.get_role(RoleName=name)
