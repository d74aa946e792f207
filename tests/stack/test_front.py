"""The front door: a distribution before an internal load balancer, made in order, put right, and taken away again."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from copy import deepcopy
from dataclasses import replace
from typing import Any

import pytest

from lobster_tasks import converge
from lobster_tasks.account import find_authority, find_distribution_before
from lobster_tasks.aws import Aws
from lobster_tasks.errors import AccountHeldError, LobsterError, NotOursError, RefusedError, SettingsError
from lobster_tasks.http_client import Response
from lobster_tasks.probe import PublicEndpoint, get, shake_hands
from lobster_tasks.stack import LiveResources
from lobster_tasks.stack.origin_access import is_refused, is_through
from lobster_tasks.stack.subnets import without_vpc_origins
from tests.clocks import PatientClock
from tests.conftest import SWIFT
from tests.embedded.fronted import PREFIX_LIST, SERVICE_GROUP
from tests.embedded_process import EmbeddedProcess, eventually

from .stand import Stand

KINDS = ("listener", "target-group", "vpc-origin", "distribution", "security-group-rule")
DISTRIBUTION, ORIGIN = "distribution/lobster-us-east-2", "vpc-origin/lobster-us-east-2"
BALANCER, GROUP = "load-balancer/lobster-alb", "security-group/lobster-alb-sg"
RULE = "security-group-rule/lobster-alb-sg:80"
Config = dict[str, Any]


@pytest.fixture(scope="module")
def door(swift: EmbeddedProcess) -> Aws:
    """The library's door to it."""
    keys = {"aws_access_key_id": "AKIAEXAMPLE", "aws_secret_access_key": "example"}
    return Aws("us-east-2", endpoint_url=swift.url, credentials=keys, clock=PatientClock(speed=SWIFT))


@pytest.fixture
def account(swift: EmbeddedProcess, door: Aws) -> Aws:
    """An account in which nothing is."""
    swift.reset()
    return door


@pytest.fixture
def standing(swift: EmbeddedProcess, door: Aws) -> Iterator[Stand]:
    """Everything, as it should be; made anew only where it is not."""
    made = stand(door)
    if made.plan().changes:
        swift.reset()
        made.converge()
    yield made
    swift.forgive()


def stand(aws: Aws, **more: Any) -> Stand:
    """The load balancer and everything of CloudFront."""
    return Stand.of(aws, *KINDS, **{"front": {"kind": "cloudfront"}, **more})


def operations(swift: EmbeddedProcess, *of_interest: str) -> list[str]:
    """Those calls that were carried out, in order."""
    done = [call["operation"] for call in swift.calls(mutating=True) if call["status"] < 300]
    return [each for each in done if each in of_interest]


def rules(swift: EmbeddedProcess) -> set[str]:
    """Whom the load balancer's group lets in, by id."""
    named = [{"Name": "group-name", "Values": ["lobster-alb-sg"]}]
    (group,) = swift.client("ec2").describe_security_groups(Filters=named)["SecurityGroups"]
    return {
        *(each["GroupId"] for rule in group["IpPermissions"] for each in rule["UserIdGroupPairs"]),
        *(each["PrefixListId"] for rule in group["IpPermissions"] for each in rule["PrefixListIds"]),
    }


def service_group(swift: EmbeddedProcess) -> str:
    """The id of CloudFront's own group."""
    named = [{"Name": "group-name", "Values": [SERVICE_GROUP]}]
    (group,) = swift.client("ec2").describe_security_groups(Filters=named)["SecurityGroups"]
    return str(group["GroupId"])


def prefix_list(swift: EmbeddedProcess) -> str:
    """The id of the list of CloudFront's addresses."""
    named = [{"Name": "prefix-list-name", "Values": [PREFIX_LIST]}]
    found = swift.client("ec2").describe_managed_prefix_lists(Filters=named)["PrefixLists"]
    return str(found[0]["PrefixListId"])


def change(swift: EmbeddedProcess, stand: Stand, edit: Callable[[Config], object]) -> None:
    """Edit the distribution's configuration by hand, and wait until every edge knows that."""
    cloudfront, id = swift.client("cloudfront"), stand.live(DISTRIBUTION).id
    found = cloudfront.get_distribution_config(Id=id)
    config = deepcopy(found["DistributionConfig"])
    edit(config)
    cloudfront.update_distribution(Id=id, IfMatch=found["ETag"], DistributionConfig=config)
    eventually(lambda: cloudfront.get_distribution(Id=id)["Distribution"]["Status"] == "Deployed")


def origin_is_deployed(swift: EmbeddedProcess, id: str) -> bool:
    """Whether a VPC origin has arrived everywhere."""
    found = swift.client("cloudfront").get_vpc_origin(Id=id)["VpcOrigin"]
    return bool(found["Status"] == "Deployed")


def test_it_is_made_in_aws_order_and_taken_away_in_that_order(account: Aws, swift: EmbeddedProcess) -> None:
    made = stand(account)
    swift.forget_calls()
    made.converge()
    order = ["CreateLoadBalancer", "CreateVpcOrigin", "CreateDistributionWithTags"]
    assert operations(swift, *order) == order
    steps = ["AuthorizeSecurityGroupIngress", "AuthorizeSecurityGroupIngress", "RevokeSecurityGroupIngress"]
    assert operations(swift, *steps) == steps  # the prefix list, CloudFront's group, no prefix list
    assert rules(swift) == {service_group(swift)}
    swift.forget_calls()
    made.remove()
    order = ["UpdateDistribution", "DeleteDistribution", "DeleteVpcOrigin", "DeleteLoadBalancer"]
    assert operations(swift, *order, "DeleteSecurityGroup") == [*order, "DeleteSecurityGroup"]
    cloudfront = swift.client("cloudfront")
    assert cloudfront.list_distributions()["DistributionList"]["Quantity"] == 0
    assert cloudfront.list_vpc_origins()["VpcOriginList"]["Quantity"] == 0
    named = [{"Name": "group-name", "Values": [SERVICE_GROUP]}]
    eventually(lambda: not swift.client("ec2").describe_security_groups(Filters=named)["SecurityGroups"])


def test_only_the_authority_of_this_machine_vouches_for_it(
    standing: Stand, swift: EmbeddedProcess, door: Aws
) -> None:
    url = f"https://{standing.live(DISTRIBUTION).raw['DomainName']}"
    trusted = PublicEndpoint(url, checked=True, authority=find_authority(door, url))
    assert get(door.clock, trusted, "/").status == 503  # there is no release
    assert shake_hands(door.clock, trusted, "/_stcore/stream").status == 503
    for ask in (get, shake_hands):
        unknown = ask(door.clock, PublicEndpoint(url, checked=True), "/")
        assert not unknown.reached
        assert "no TLS" in unknown.said


@pytest.mark.parametrize(
    ("endpoint", "url"),
    [
        ("", "https://127.0.0.1:1"),  # AWS itself
        ("http://192.0.2.1:4566", "https://127.0.0.1:1"),
        ("here", "https://d111111abcdef8.cloudfront.net"),
    ],
)
def test_nobody_else_is_asked_who_vouches(swift: EmbeddedProcess, endpoint: str, url: str) -> None:
    aws = Aws("us-east-2", endpoint_url=swift.url if endpoint == "here" else endpoint or None)
    assert find_authority(aws, url) == ""


# What somebody changes


def behavior(**members: Any) -> Callable[[Config], object]:
    """Members of the default cache behavior."""
    return lambda config: config["DefaultCacheBehavior"].update(members)


def origin(**members: Any) -> Callable[[Config], object]:
    """Members of the origin."""
    return lambda config: config["Origins"]["Items"][0].update(members)


def reading(**members: Any) -> Callable[[Config], object]:
    """Members of the origin's VpcOriginConfig."""
    return lambda config: config["Origins"]["Items"][0]["VpcOriginConfig"].update(members)


def whole(**members: Any) -> Callable[[Config], object]:
    """Members of the configuration itself."""
    return lambda config: config.update(members)


def methods(name: str, *items: str) -> Callable[[Config], object]:
    """Other methods."""

    def edit(config: Config) -> None:
        allowed = config["DefaultCacheBehavior"]["AllowedMethods"]
        listed = {"Quantity": len(items), "Items": list(items)}
        allowed.update(listed if name == "methods" else {"CachedMethods": listed})

    return edit


DRIFTS: dict[str, Callable[[Config], object]] = {
    "comment": whole(Comment="theirs"),
    "enabled": whole(Enabled=False),
    "HTTP-version": whole(HttpVersion="http2and3"),
    "IPv6": whole(IsIPV6Enabled=False),
    "price-class": whole(PriceClass="PriceClass_All"),
    "origin": origin(DomainName="elsewhere.example.com"),
    "origin-path": origin(OriginPath="/elsewhere"),
    "connection-attempts": origin(ConnectionAttempts=3),
    "connection-timeout": origin(ConnectionTimeout=10),
    "read-timeout": reading(OriginReadTimeout=30),
    "keepalive-timeout": reading(OriginKeepaliveTimeout=60),
    "viewer-protocol": behavior(ViewerProtocolPolicy="allow-all"),
    "compress": behavior(Compress=False),
    "cache-policy": behavior(CachePolicyId="658327ea-f89d-4fab-a63d-7e88639e58f6"),
    "origin-request-policy": behavior(OriginRequestPolicyId="b689b0a8-53d0-40ab-baf2-68738e2966ac"),
    "methods": methods("methods", "GET", "HEAD", "OPTIONS"),
    "cached-methods": methods("cached", "GET", "HEAD", "OPTIONS"),
}


def test_everything_at_once_is_named_and_repaired(standing: Stand, swift: EmbeddedProcess) -> None:
    change(swift, standing, lambda config: [edit(config) for edit in DRIFTS.values()])
    (found,) = standing.plan().changes
    assert (found.action, found.resource.label) == ("update", DISTRIBUTION)
    assert found.changed == DRIFTS.keys()
    swift.forget_calls()
    standing.converge()
    assert [call["operation"] for call in swift.calls(mutating=True)] == ["UpdateDistribution"]


@pytest.mark.exhaustive
@pytest.mark.parametrize("attribute", DRIFTS)
def test_a_drift_is_named_and_repaired_alone(standing: Stand, swift: EmbeddedProcess, attribute: str) -> None:
    change(swift, standing, DRIFTS[attribute])
    (found,) = standing.plan().changes
    assert (found.resource.label, *found.changed) == (DISTRIBUTION, attribute)
    assert found.resource.words(attribute) in found.reason
    standing.converge()


def test_every_attribute_has_its_drift(standing: Stand) -> None:
    """The VPC origin's are held below, and so is what is still on its way."""
    known = LiveResources(standing.read())
    desired = standing.find(DISTRIBUTION).desired(known).keys()
    of_domains = {"aliases", "certificate", "TLS-policy", "SSL-support"}  # test_front_domain.py
    of_visitors = {"web-ACL"}  # test_visitors.py
    assert desired - DRIFTS.keys() == {"VPC-origin", "status", *of_domains, *of_visitors}
    apart = {"load-balancer", "HTTP-port", "HTTPS-port", "protocol", "address-type", "status", "superseded"}
    assert standing.find(ORIGIN).desired(known).keys() == apart
    assert standing.find(RULE).desired(known).keys() == {"prefix-list"}


def test_what_people_added_to_the_distribution_stays(standing: Stand, swift: EmbeddedProcess) -> None:
    target: Config = {"Id": "docs", "DomainName": "docs.s3.us-east-2.amazonaws.com"}
    target |= {"S3OriginConfig": {"OriginAccessIdentity": ""}}
    theirs = {
        "PathPattern": "/docs/*",
        "TargetOriginId": "docs",
        "ViewerProtocolPolicy": "https-only",
        "CachePolicyId": "658327ea-f89d-4fab-a63d-7e88639e58f6",
    }

    pages = [{"ErrorCode": 502, "ResponsePagePath": "/docs/502.html", "ResponseCode": "200"}]
    pages += [{"ErrorCode": 503, "ResponsePagePath": "/docs/503.html", "ResponseCode": "503"}]

    def add(config: Config) -> None:
        config["Origins"] = {"Quantity": 2, "Items": [*config["Origins"]["Items"], target]}
        config["CacheBehaviors"] = {"Quantity": 1, "Items": [theirs]}
        config["CustomErrorResponses"] = {"Quantity": 2, "Items": pages}

    change(swift, standing, add)
    assert standing.plan().changes == ()
    told = standing.plan().remarks[standing.find(DISTRIBUTION)]
    assert told == ("its custom error pages stay: they answer 200 in place of 502",)
    change(swift, standing, whole(Comment="theirs"))
    standing.converge()
    id = standing.live(DISTRIBUTION).id
    config = swift.client("cloudfront").get_distribution_config(Id=id)["DistributionConfig"]
    assert [each["PathPattern"] for each in config["CacheBehaviors"]["Items"]] == ["/docs/*"]
    assert [each["ErrorCode"] for each in config["CustomErrorResponses"]["Items"]] == [502, 503]
    assert {each["Id"] for each in config["Origins"]["Items"]} == {"docs", "load-balancer"}
    change(swift, standing, whole(CustomErrorResponses={"Quantity": 0}))


ERROR = {"x-cache": "Error from cloudfront"}
OWN, BALANCERS = {"server": "CloudFront"}, {"server": "awselb/2.0"}


@pytest.mark.parametrize(
    ("answer", "through", "refused"),
    [
        (Response(200, {"x-cache": "Miss from cloudfront"}), True, False),
        (Response(404, ERROR), True, False),  # the app's
        (Response(503, {**ERROR, **BALANCERS}), True, False),
        (Response(504, {**ERROR, **OWN}), False, False),
        (Response(403, {**ERROR, **OWN}), False, True),
        (Response(200, {**ERROR, "server": "AmazonS3"}), False, True),  # a page for 504 or 403
        (Response(500, {**ERROR, "server": "AmazonS3"}), False, False),  # a page for 502
        (Response(), False, False),
    ],
)
def test_a_custom_error_page_does_not_show_that_requests_get_through(
    answer: Response, through: bool, refused: bool
) -> None:
    """It may stand for CloudFront's own error: the rule by which CloudFront comes in would be removed."""
    pages = [(504, "200"), (403, "200"), (502, "500")]
    items = [{"ErrorCode": error, "ResponsePagePath": "/x", "ResponseCode": code} for error, code in pages]
    config = {"CustomErrorResponses": {"Quantity": 3, "Items": items}}
    assert (is_through(answer, config), is_refused(answer, config)) == (through, refused)


def test_the_rules_are_put_right_in_two_steps(standing: Stand, swift: EmbeddedProcess) -> None:
    ec2, group = swift.client("ec2"), standing.live(GROUP).id
    port = {"IpProtocol": "tcp", "FromPort": 80, "ToPort": 80}
    by_list = {**port, "PrefixListIds": [{"PrefixListId": prefix_list(swift)}]}
    ours = {**port, "UserIdGroupPairs": [{"GroupId": service_group(swift)}]}
    ec2.authorize_security_group_ingress(GroupId=group, IpPermissions=[by_list])
    (found,) = standing.plan().changes
    assert (found.action, found.resource.label, *found.changed) == ("update", RULE, "prefix-list")
    standing.converge()
    assert rules(swift) == {service_group(swift)}
    ec2.revoke_security_group_ingress(GroupId=group, IpPermissions=[ours])
    assert [each.resource.label for each in standing.plan().changes] == [GROUP, RULE]
    swift.forget_calls()
    standing.converge()
    steps = ("AuthorizeSecurityGroupIngress", "RevokeSecurityGroupIngress")
    assert operations(swift, *steps) == [steps[0], steps[0], steps[1]]
    assert rules(swift) == {service_group(swift)}


def test_a_load_balancer_that_was_made_anew_is_led_to_and_the_address_stays(
    standing: Stand, swift: EmbeddedProcess
) -> None:
    elbv2, cloudfront = swift.client("elbv2"), swift.client("cloudfront")
    before = standing.live(DISTRIBUTION).raw["DomainName"]
    elbv2.delete_load_balancer(LoadBalancerArn=standing.live(BALANCER).id)
    told = {each.resource.label: each for each in standing.plan().changes}
    assert told[ORIGIN].changed == {"load-balancer"}
    assert {"VPC-origin", "origin"} <= told[DISTRIBUTION].changed
    swift.forget_calls()
    standing.converge()
    order = ["CreateVpcOrigin", "UpdateDistribution", "DeleteVpcOrigin"]
    assert operations(swift, *order) == order
    assert standing.live(DISTRIBUTION).raw["DomainName"] == before
    (left,) = cloudfront.list_vpc_origins()["VpcOriginList"]["Items"]
    assert left["Name"] == "lobster-us-east-2-2"
    standing.remove()
    assert cloudfront.list_vpc_origins()["VpcOriginList"]["Quantity"] == 0


def test_a_vpc_origin_that_cannot_be_changed_is_replaced(standing: Stand, swift: EmbeddedProcess) -> None:
    """By one that somebody changed while the distribution led elsewhere."""
    cloudfront, live = swift.client("cloudfront"), standing.live(ORIGIN)
    config = live.raw["VpcOriginEndpointConfig"]
    theirs = cloudfront.create_vpc_origin(VpcOriginEndpointConfig={**config, "Name": "theirs"})["VpcOrigin"][
        "Id"
    ]
    eventually(lambda: origin_is_deployed(swift, theirs))
    change(swift, standing, reading(VpcOriginId=theirs))
    assert {each.resource.label: each.changed for each in standing.plan().changes} == {
        DISTRIBUTION: {"VPC-origin"}
    }
    etag = cloudfront.get_vpc_origin(Id=live.id)["ETag"]
    wrong = {**config, "OriginProtocolPolicy": "match-viewer", "HTTPPort": 81, "HTTPSPort": 444}
    cloudfront.update_vpc_origin(Id=live.id, IfMatch=etag, VpcOriginEndpointConfig=wrong)
    eventually(lambda: origin_is_deployed(swift, live.id))
    change(swift, standing, reading(VpcOriginId=live.id))
    told = {each.resource.label: each.changed for each in standing.plan().changes}
    assert told == {ORIGIN: {"protocol", "HTTP-port", "HTTPS-port"}, DISTRIBUTION: {"VPC-origin"}}
    standing.converge()
    left = cloudfront.list_vpc_origins()["VpcOriginList"]["Items"]
    assert {each["Name"] for each in left} == {
        "theirs",
        standing.live(ORIGIN).raw["VpcOriginEndpointConfig"]["Name"],
    }
    assert len(left) == 2
    swift.reset()


def test_a_vpc_origin_that_cloudfront_does_not_deploy_is_replaced(
    account: Aws, swift: EmbeddedProcess
) -> None:
    made, cloudfront = stand(account), swift.client("cloudfront")
    swift.order({"vpc_origin_failure": True})
    with pytest.raises(LobsterError, match="is Failed") as failed:
        made.converge()
    assert failed.value.next_step.startswith("inv setup-fargate")
    swift.forgive()
    (first,) = cloudfront.list_vpc_origins()["VpcOriginList"]["Items"]
    assert first["Status"] == "Failed"
    assert {each.resource.label: each.changed for each in made.plan().changes}[ORIGIN] == {"status"}
    made.converge()
    (left,) = cloudfront.list_vpc_origins()["VpcOriginList"]["Items"]
    assert (left["Id"], left["Status"]) == (made.live(ORIGIN).id, "Deployed")
    assert left["Id"] != first["Id"]
    swift.reset()


def test_vpc_origins_that_cloudfront_does_not_deploy_do_not_become_more(
    account: Aws, swift: EmbeddedProcess
) -> None:
    made = stand(account)
    swift.order({"vpc_origin_failure": True})
    ids = set()
    for _ in range(3):
        with pytest.raises(LobsterError, match="is Failed"):
            made.converge()
        (left,) = swift.client("cloudfront").list_vpc_origins()["VpcOriginList"]["Items"]
        ids.add(left["Id"])
    assert len(ids) == 3
    swift.reset()


def test_failed_replacements_of_a_vpc_origin_that_is_used_do_not_become_more(
    standing: Stand, swift: EmbeddedProcess
) -> None:
    used = failed_and_used(swift, standing)
    swift.order({"vpc_origin_failure": True})
    for _ in range(3):
        with pytest.raises(LobsterError, match="is Failed"):
            standing.converge()
        assert len(of_the_stack(swift)) == 2
        assert used in of_the_stack(swift)
    swift.forgive()
    standing.converge()
    assert of_the_stack(swift) == {standing.live(ORIGIN).id}
    swift.reset()


def test_a_vpc_origin_that_fails_while_it_is_waited_for_is_an_error(
    standing: Stand, swift: EmbeddedProcess
) -> None:
    """The plan did not lead the distribution elsewhere; the next one does."""
    used, live = failed_and_used(swift, standing), standing.read()
    origin = standing.find(ORIGIN)
    found = live[origin]
    assert found
    deploying = {"status": "Deploying"}
    raw = {**found.raw, "Status": "Deploying"}
    live[origin] = replace(found, attributes={**found.attributes, **deploying}, raw=raw)
    (change,) = (planned := converge.plan(standing.desired, live)).changes
    assert (change.resource, change.changed) == (origin, {"status"})
    with pytest.raises(LobsterError, match="is Failed") as failed:
        converge.apply(standing.aws, planned, lambda _: None)
    assert failed.value.next_step.startswith("inv setup-fargate")
    assert of_the_stack(swift) == {used}
    standing.converge()
    assert used not in of_the_stack(swift)
    swift.reset()


def of_the_stack(swift: EmbeddedProcess) -> set[str]:
    """The ids of the VPC origins with the stack's name."""
    listed = swift.client("cloudfront").list_vpc_origins()["VpcOriginList"]["Items"]
    return {each["Id"] for each in listed if each["Name"].startswith("lobster-us-east-2")}


def failed_and_used(swift: EmbeddedProcess, standing: Stand) -> str:
    """Let the stack's VPC origin fail, with the distribution leading to it; its id."""
    cloudfront, live = swift.client("cloudfront"), standing.live(ORIGIN)
    config = {**live.raw["VpcOriginEndpointConfig"]}
    made = cloudfront.create_vpc_origin(VpcOriginEndpointConfig={**config, "Name": "theirs"})["VpcOrigin"]
    eventually(lambda: origin_is_deployed(swift, made["Id"]))
    change(swift, standing, reading(VpcOriginId=made["Id"]))
    swift.order({"vpc_origin_failure": True})
    etag = cloudfront.get_vpc_origin(Id=live.id)["ETag"]
    cloudfront.update_vpc_origin(Id=live.id, IfMatch=etag, VpcOriginEndpointConfig=config)
    eventually(lambda: cloudfront.get_vpc_origin(Id=live.id)["VpcOrigin"]["Status"] == "Failed")
    swift.forgive()
    change(swift, standing, reading(VpcOriginId=live.id))
    return live.id


def test_what_is_still_on_its_way_is_waited_for(standing: Stand, swift: EmbeddedProcess) -> None:
    """As a teardown leaves it that was interrupted: disabled, and not every edge knows."""
    cloudfront, id = swift.client("cloudfront"), standing.live(DISTRIBUTION).id

    def plan_after(enabled: bool) -> frozenset[str]:
        found = cloudfront.get_distribution_config(Id=id)
        config = {**found["DistributionConfig"], "Enabled": enabled}
        cloudfront.update_distribution(Id=id, IfMatch=found["ETag"], DistributionConfig=config)
        return frozenset().union(*(each.changed for each in standing.plan().changes))

    # all the edges may know before a slow machine has read it
    eventually(lambda: [plan_after(each) for each in (True, False)][1] == {"enabled", "status"})
    standing.converge()


# Whose it is


def test_without_its_tags_it_is_somebodys_and_adopted_it_outlives_the_stack(
    standing: Stand, swift: EmbeddedProcess
) -> None:
    cloudfront = swift.client("cloudfront")
    for label, arn in ((DISTRIBUTION, "ARN"), (ORIGIN, "Arn")):
        keys = {"Items": ["lobster:stack", "lobster:region"]}
        cloudfront.untag_resource(Resource=standing.live(label).raw[arn], TagKeys=keys)
    with pytest.raises(NotOursError, match=f"{ORIGIN}.*{DISTRIBUTION}"):
        standing.plan()
    standing.converge(adopt=True)
    live = standing.read()
    made = converge.plan_removal(standing.desired, live, keep_data=False)
    let_go = {each.resource.label for each in made.changes if each.action == "release"}
    assert let_go == {DISTRIBUTION, ORIGIN}
    assert standing.find(BALANCER) in made.kept  # they need it
    swift.reset()


def strip(swift: EmbeddedProcess, stand: Stand) -> dict[str, str]:
    """Take the tags off both; the ARN of each by its label."""
    arns = {DISTRIBUTION: stand.live(DISTRIBUTION).raw["ARN"], ORIGIN: stand.live(ORIGIN).raw["Arn"]}
    for arn in arns.values():
        keys = {"Items": ["lobster:stack", "lobster:region"]}
        swift.client("cloudfront").untag_resource(Resource=arn, TagKeys=keys)
    return arns


def test_without_its_tags_and_changed_it_is_repaired_once_the_tags_are_back(
    standing: Stand, swift: EmbeddedProcess
) -> None:
    change(swift, standing, whole(Enabled=False))
    arns = strip(swift, standing)
    tags = "'Items=[{Key=lobster:stack,Value=lobster},{Key=lobster:region,Value=us-east-2}]'"
    with pytest.raises(NotOursError) as unadopted:
        standing.plan()
    assert "another name" not in unadopted.value.next_step
    for arn in arns.values():
        assert f"aws cloudfront tag-resource --resource {arn} --tags {tags}" in unadopted.value.next_step
    made = standing.plan(adopt=True)
    (impossible,) = made.impossible
    assert impossible.reason.startswith("enabled: no → yes")
    assert made.remarks[impossible.resource] == ()  # and not that it stays as it is
    with pytest.raises(RefusedError) as refused:
        converge.refuse_impossible(made)
    assert f"tag-resource --resource {arns[DISTRIBUTION]} --tags {tags}" in refused.value.next_step
    for arn in arns.values():
        swift.client("cloudfront").tag_resource(
            Resource=arn, Tags={"Items": [{"Key": key, "Value": value} for key, value in TAGS.items()]}
        )
    standing.converge()


TAGS = {"lobster:stack": "lobster", "lobster:region": "us-east-2"}


def test_without_tags_and_comment_it_is_found_by_its_origin(standing: Stand, swift: EmbeddedProcess) -> None:
    id = standing.live(DISTRIBUTION).id
    change(swift, standing, whole(Comment=""))
    strip(swift, standing)
    with pytest.raises(NotOursError, match=DISTRIBUTION):
        standing.plan()
    told = {each.resource.label: each.action for each in standing.plan(adopt=True).changes}
    assert told == {ORIGIN: "adopt", DISTRIBUTION: "adopt"}
    assert standing.live(DISTRIBUTION).id == id
    swift.reset()


def test_a_vpc_origin_that_anothers_distribution_uses_stays(standing: Stand, swift: EmbeddedProcess) -> None:
    cloudfront, live = swift.client("cloudfront"), standing.live(DISTRIBUTION)
    config = {**live.raw["DistributionConfig"], "CallerReference": "theirs", "Comment": "theirs"}
    theirs = cloudfront.create_distribution(DistributionConfig=config)["Distribution"]["Id"]
    assert standing.plan().changes == ()
    removing = standing.read()
    others = converge.dependents(standing.aws, standing.desired, removing)
    assert others[standing.find(ORIGIN)] == (f"distribution {theirs}",)
    made = converge.plan_removal(standing.desired, removing, others, keep_data=False)
    assert {each.resource.label for each in made.changes} >= {DISTRIBUTION}
    assert standing.find(ORIGIN) in made.kept
    assert standing.find(BALANCER) in made.kept
    swift.reset()


def test_a_distribution_of_another_stack_is_none_before_our_load_balancer(
    standing: Stand, swift: EmbeddedProcess, door: Aws
) -> None:
    """It has the same origin, and is enabled; ours is not."""
    cloudfront, live = swift.client("cloudfront"), standing.live(DISTRIBUTION)
    balancer = standing.live(BALANCER).id
    config = {**live.raw["DistributionConfig"], "CallerReference": "theirs", "Comment": "theirs"}
    theirs = cloudfront.create_distribution(DistributionConfig=config)["Distribution"]
    change(swift, standing, whole(Enabled=False))

    def found() -> str:
        seen = find_distribution_before(door, balancer, "lobster")
        return str(seen["Id"]) if seen else ""

    def tag(**tags: str) -> None:
        items = [{"Key": f"lobster:{key}", "Value": value} for key, value in tags.items()]
        cloudfront.tag_resource(Resource=theirs["ARN"], Tags={"Items": items})

    assert found() == live.id
    strip(swift, standing)
    assert found() == theirs["Id"]
    for stack, region in (("theirs", "us-east-2"), ("lobster", "eu-west-1")):
        tag(stack=stack, region=region)
        assert found() == live.id
    tag(stack="lobster", region="us-east-2")
    assert found() == theirs["Id"]
    swift.order({"operation": "ListTagsForResource", "error": {"code": "AccessDenied", "status": 403}})
    assert found() == theirs["Id"]
    swift.reset()


# What is refused


def test_an_account_that_is_not_verified_is_told_what_to_do(account: Aws, swift: EmbeddedProcess) -> None:
    """AWS, 403 AccessDenied: "Your account must be verified before you can add new CloudFront resources"."""
    swift.order({"account_hold": "cloudfront"})
    made = stand(account)
    with pytest.raises(AccountHeldError, match="AWS has to verify this account") as held:
        made.converge()
    assert "support case" in held.value.next_step
    assert swift.calls("CreateTargetGroup") == []  # what may be denied comes first
    swift.forgive()
    made.converge()
    assert len(swift.client("cloudfront").list_vpc_origins()["VpcOriginList"]["Items"]) == 1


def test_a_load_balancer_that_is_to_be_kept_is_not_switched(account: Aws, swift: EmbeddedProcess) -> None:
    """As one that was adopted: only the tasks put another one beside, and only beside one of the stack's own."""
    Stand.of(account, *KINDS).converge()
    swift.forget_calls()
    made = stand(account).plan()
    (impossible,) = made.impossible
    assert "scheme: internet-facing → internal" in impossible.reason
    with pytest.raises(RefusedError, match="cannot be changed in place") as refused:
        converge.apply(account, made, lambda _: None)
    assert "front.kind" in refused.value.next_step
    assert "load_balancer.name, target_group and security_group other names" in refused.value.next_step
    assert swift.calls(mutating=True) == []
    stand(account).remove()  # with the new settings, as the next step says
    assert swift.client("elbv2").describe_load_balancers()["LoadBalancers"] == []


def test_without_the_setting_it_goes_and_the_internal_load_balancer_stays(
    account: Aws, swift: EmbeddedProcess
) -> None:
    stand(account).converge()
    inside = Stand.of(account, *KINDS, load_balancer={"internal": True})
    told = {each.resource.label: each.action for each in inside.plan().changes}
    assert told == {GROUP: "update", DISTRIBUTION: "delete", ORIGIN: "delete"}
    inside.converge()
    assert inside.live(BALANCER).attributes["scheme"] == "internal"
    assert swift.client("cloudfront").list_vpc_origins()["VpcOriginList"]["Quantity"] == 0


def test_a_teardown_finds_it_by_its_tags_whatever_the_settings_say(
    standing: Stand, swift: EmbeddedProcess
) -> None:
    Stand.of(standing.aws, *KINDS).remove()
    cloudfront = swift.client("cloudfront")
    assert cloudfront.list_distributions()["DistributionList"]["Quantity"] == 0
    assert cloudfront.list_vpc_origins()["VpcOriginList"]["Quantity"] == 0
    assert swift.client("elbv2").describe_load_balancers()["LoadBalancers"] == []


def test_a_vpc_without_a_gateway_is_refused_before_anything_is_made(
    account: Aws, swift: EmbeddedProcess
) -> None:
    """CloudFront Developer Guide, "Restrict access with VPC origins": the VPC must have an internet gateway."""
    ec2 = swift.client("ec2")
    vpc = ec2.create_vpc(CidrBlock="10.9.0.0/16")["Vpc"]["VpcId"]
    zones = zip("ab", range(2), strict=True)
    subnets = [
        ec2.create_subnet(VpcId=vpc, CidrBlock=f"10.9.{n}.0/24", AvailabilityZone=f"us-east-2{zone}")[
            "Subnet"
        ]
        for zone, n in zones
    ]
    ids = [each["SubnetId"] for each in subnets]
    swift.forget_calls()
    with pytest.raises(RefusedError, match=f"{vpc} has no internet gateway") as refused:
        stand(account, network={"vpc": vpc, "subnets": ids, "public": False}).plan()
    assert "front.kind: none" in refused.value.next_step
    assert swift.calls(mutating=True) == []


def test_a_group_without_room_for_the_prefix_list_is_told(account: Aws, swift: EmbeddedProcess) -> None:
    ec2 = swift.client("ec2")
    vpc = ec2.describe_vpcs()["Vpcs"][0]["VpcId"]
    group = ec2.create_security_group(GroupName="lobster-alb-sg", Description="theirs", VpcId=vpc)["GroupId"]
    ranges = [{"CidrIp": f"10.0.{number}.0/24"} for number in range(6)]
    rule = {"IpProtocol": "tcp", "FromPort": 80, "ToPort": 80, "IpRanges": ranges}
    ec2.authorize_security_group_ingress(GroupId=group, IpPermissions=[rule])
    with pytest.raises(AccountHeldError, match="55 of 60") as refused:
        stand(account).converge(adopt=True)
    assert "L-0EA8095F" in refused.value.next_step


@pytest.mark.parametrize(
    ("zone", "fits"), [("use2-az1", True), ("use1-az3", False), ("apne2-az1", False), ("cac1-az3", False)]
)
def test_zones_without_vpc_origins(zone: str, fits: bool) -> None:
    """ "Restrict access with VPC origins": "except" use1-az3, usw1-az2, apne1-az3, apne2-az1, cac1-az3."""
    assert (without_vpc_origins({"AvailabilityZoneId": zone}) == "") is fits


def test_a_partition_without_vpc_origins(account: Aws) -> None:
    from lobster_tasks import stack
    from lobster_tasks.settings import load

    settings = load({"region": "cn-north-1", "front": {"kind": "cloudfront"}})
    with pytest.raises(SettingsError) as refused:
        stack.build(settings, "123456789012", "aws-cn")
    assert "front.kind" in refused.value.problems[0]
