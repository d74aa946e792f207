"""A load balancer whose scheme has to change: another one beside it, both in use, then the first one away."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import pytest

from lobster_tasks import converge, report, stack
from lobster_tasks.account import with_live_names
from lobster_tasks.apprunner.cutover import LedDomains, domains_here, leave_former, refuse_led_to_former
from lobster_tasks.aws import Aws
from lobster_tasks.cost import current_cost
from lobster_tasks.dns import Lookup
from lobster_tasks.errors import AwsCallError, NotOursError, RefusedError, SettingsError
from lobster_tasks.settings import STACK_TAG, LoadBalancerNames, Settings, load
from tests.clocks import PatientClock
from tests.conftest import SWIFT
from tests.embedded.zones import Zone, change, simple, weighted
from tests.embedded_process import EmbeddedProcess

NAMES = LoadBalancerNames("lobster-alb", "lobster-tg", "lobster-alb-sg")
INSIDE = {"load_balancer": {"internal": True}}
FRONTED = {"front": {"kind": "cloudfront"}}
OFFICE = "203.0.113.0/24"
LISTED = {"load_balancer": {"allowed_cidrs": [OFFICE]}}
EVERYBODY = "everybody"
SCALED = {"scaling": {"max": 4, "requests_per_target": 100}}


@dataclass(frozen=True)
class Setup:
    """What the tasks do with some settings, in an account."""

    embedded: EmbeddedProcess
    aws: Aws

    dialogue: converge.Changes | None = None

    def settings(self, **given: Any) -> Settings:
        """The settings, with the names that the account asks for."""
        return with_live_names(self.aws, load(given), replacing=True)

    def stack(self, *, leaves_former: bool = False, **given: Any) -> stack.Stack:
        """The stack of these settings."""
        return stack.build(self.settings(**given), self.aws.account, leaves_former=leaves_former)

    def bring(self, **given: Any) -> converge.Convergence:
        """Set up."""
        return converge.bring(self.aws, self.stack(**given), self.dialogue)

    def leave(self, **given: Any) -> converge.Convergence:
        """Remove the old load balancer."""
        converge.refuse_unready(self.aws, self.stack(**given))
        return converge.bring(self.aws, self.stack(leaves_former=True, **given), self.dialogue)

    def client(self, service: str) -> Any:
        """A boto3 client that knows nothing of the library."""
        return self.embedded.client(service)

    def let_in(self) -> set[str]:
        """The address ranges that the public load balancers and the enabled distributions let in now."""
        return {*self._by_balancers(), *self._by_distributions()}

    def _by_balancers(self) -> Iterator[str]:
        found = self.client("elbv2").describe_load_balancers()["LoadBalancers"]
        ids = [id for each in found if each["Scheme"] == "internet-facing" for id in each["SecurityGroups"]]
        groups = self.client("ec2").describe_security_groups(GroupIds=ids)["SecurityGroups"] if ids else []
        for rule in (rule for group in groups for rule in group["IpPermissions"]):
            yield from (each["CidrIp"] for each in rule["IpRanges"])
            yield from (each["CidrIpv6"] for each in rule["Ipv6Ranges"])

    def _by_distributions(self) -> Iterator[str]:
        waf = self.embedded.client("wafv2", "us-east-1")
        listed = self.client("cloudfront").list_distributions()["DistributionList"].get("Items", [])
        for each in (each for each in listed if each["Enabled"]):
            limited = each["WebACLId"] and waf.get_web_acl(ARN=each["WebACLId"])["WebACL"]["DefaultAction"]
            if limited != {"Block": {}}:
                yield EVERYBODY
            for one in waf.list_ip_sets(Scope="CLOUDFRONT")["IPSets"]:
                named = {"Scope": "CLOUDFRONT", "Name": one["Name"], "Id": one["Id"]}
                yield from waf.get_ip_set(**named)["IPSet"]["Addresses"]

    @property
    def distribution(self) -> str:
        """The distribution's domain name."""
        (found,) = self.client("cloudfront").list_distributions()["DistributionList"]["Items"]
        return str(found["DomainName"])

    @property
    def public(self) -> dict[str, Any]:
        """The load balancer with public addresses."""
        every = self.client("elbv2").describe_load_balancers()["LoadBalancers"]
        return next(each for each in every if each["Scheme"] == "internet-facing")

    @property
    def inside(self) -> str:
        """The DNS name of the load balancer without public addresses."""
        every = self.client("elbv2").describe_load_balancers()["LoadBalancers"]
        return next(str(each["DNSName"]) for each in every if each["Scheme"] == "internal")

    @property
    def balancers(self) -> dict[str, str]:
        """The names of the load balancers that are there, and their schemes."""
        found = self.client("elbv2").describe_load_balancers()["LoadBalancers"]
        return {each["LoadBalancerName"]: each["Scheme"] for each in found}

    @property
    def target_groups(self) -> list[str]:
        """The names of the target groups that the service is in."""
        named = {"cluster": "lobster-cluster", "services": ["lobster-streamlit-service"]}
        (service,) = self.client("ecs").describe_services(**named)["services"]
        return [each["targetGroupArn"].split("/")[-2] for each in service["loadBalancers"]]

    def groups(self) -> dict[str, str]:
        """The stack's security groups: id by name."""
        named = [{"Name": "tag:lobster:stack", "Values": ["lobster"]}]
        found = self.client("ec2").describe_security_groups(Filters=named)["SecurityGroups"]
        return {each["GroupName"]: each["GroupId"] for each in found}

    def reaching_tasks(self) -> set[str]:
        """The names of the groups that the tasks' group lets in."""
        ids = {id: name for name, id in self.groups().items()}
        found = self.client("ec2").describe_security_groups(GroupIds=[self.groups()["lobster-ecs-sg"]])
        (group,) = found["SecurityGroups"]
        return {ids[each["GroupId"]] for rule in group["IpPermissions"] for each in rule["UserIdGroupPairs"]}

    def counted(self) -> set[str]:
        """The load balancers whose requests are scaled by."""
        found = self.client("application-autoscaling").describe_scaling_policies(ServiceNamespace="ecs")
        told = [each["TargetTrackingScalingPolicyConfiguration"] for each in found["ScalingPolicies"]]
        specified = [each["PredefinedMetricSpecification"] for each in told]
        return {each["ResourceLabel"].split("/")[1] for each in specified if "ResourceLabel" in each}


@pytest.fixture
def setup(swift: EmbeddedProcess) -> Iterator[Setup]:
    """An account in which nothing is."""
    swift.reset()
    keys = {"aws_access_key_id": "AKIAEXAMPLE", "aws_secret_access_key": "example"}
    clock = PatientClock(speed=SWIFT)
    yield Setup(swift, Aws("us-east-2", endpoint_url=swift.url, credentials=keys, clock=clock))
    swift.reset()


def test_both_are_there_until_the_old_one_is_left_and_the_same_the_other_way(setup: Setup) -> None:
    setup.bring(**SCALED)
    setup.bring(**SCALED, **INSIDE)
    assert setup.balancers == {"lobster-alb": "internet-facing", "lobster-alb-2": "internal"}
    assert setup.target_groups == ["lobster-tg-2", "lobster-tg"]
    assert setup.reaching_tasks() == {"lobster-alb-sg", "lobster-alb-sg-2"}
    assert setup.counted() == {"lobster-alb", "lobster-alb-2"}
    assert setup.bring(**SCALED, **INSIDE).plan.changes == ()
    setup.leave(**SCALED, **INSIDE)
    assert setup.balancers == {"lobster-alb-2": "internal"}
    assert setup.target_groups == ["lobster-tg-2"]
    assert setup.groups().keys() == {"lobster-alb-sg-2", "lobster-ecs-sg"}
    assert setup.reaching_tasks() == {"lobster-alb-sg-2"}
    assert setup.counted() == {"lobster-alb-2"}
    assert setup.leave(**SCALED, **INSIDE).plan.changes == ()
    setup.bring(**SCALED)
    setup.leave(**SCALED)
    assert setup.balancers == {"lobster-alb": "internet-facing"}
    assert setup.counted() == {"lobster-alb"}
    converge.remove(setup.aws, setup.stack(**SCALED), keep_data=False)
    assert (setup.balancers, setup.groups()) == ({}, {})


def test_setting_it_back_is_the_way_back(setup: Setup) -> None:
    setup.bring()
    setup.bring(**INSIDE)
    (change,) = setup.bring().plan.changes
    assert (change.resource.kind, *change.changed) == ("service", "target-group")
    assert setup.target_groups == ["lobster-tg", "lobster-tg-2"]
    setup.leave()
    assert setup.balancers == {"lobster-alb": "internet-facing"}
    assert setup.bring().plan.changes == ()


def test_a_lost_answer_about_a_vpc_origin_is_made_good(setup: Setup) -> None:
    """boto3 sends the call again, and AWS answers that it exists: it is read beside what this run has created."""
    setup.embedded.order({"operation": "CreateVpcOrigin", "nth": 1, "drop": "after"})
    setup.bring(**FRONTED)
    assert setup.embedded.applied() == 1
    setup.embedded.forgive()
    assert len(setup.client("cloudfront").list_vpc_origins()["VpcOriginList"]["Items"]) == 1
    assert setup.bring(**FRONTED).plan.changes == ()


def test_back_from_a_distribution_nobody_is_let_in_who_is_not_listed(setup: Setup) -> None:
    setup.bring(**FRONTED, **LISTED)
    assert setup.let_in() == {OFFICE}
    seen: list[set[str]] = []
    watched = replace(setup, dialogue=converge.Changes(done=lambda _: seen.append(setup.let_in())))
    watched.bring(**LISTED)
    assert setup.balancers == {"lobster-alb": "internal", "lobster-alb-2": "internet-facing"}
    assert setup.let_in() == {OFFICE}
    settled = setup.bring(**LISTED).plan
    assert settled.changes == ()
    cost = current_cost(setup.settings(**LISTED), settled.live)
    assert cost is not None
    assert [each.monthly for each in cost.lines if "web ACL" in each.what] == [6.0]  # until it is removed
    domain = "app.office.org"
    zone, public = Zone(setup.embedded, "office.org"), str(setup.public["DNSName"])
    zone.settle(simple(domain, setup.distribution))
    with pytest.raises(RefusedError) as refused:
        refuse_led_to_former(setup.aws, setup.settings(domains=[domain], **LISTED))
    assert refused.value.what == f"{domain}: DNS still leads visitors to the distribution before lobster-alb."
    assert f"inv cutover leads them to lobster-alb-2, {public}, or shows" in refused.value.next_step
    zone.await_sync(zone.change(change("UPSERT", simple(domain, public))))
    refuse_led_to_former(setup.aws, setup.settings(domains=[domain], **LISTED))
    with pytest.raises(RefusedError) as refused:
        refuse_led_to_former(setup.aws, setup.settings(domains=[domain], **FRONTED, **LISTED))
    assert refused.value.what == f"{domain}: DNS still leads visitors to lobster-alb-2."
    goal = f"inv cutover leads them to the distribution before lobster-alb, {setup.distribution}, or shows"
    assert goal in refused.value.next_step

    left = watched.leave(**LISTED)
    assert {"distribution/lobster-us-east-2", "web-ACL/lobster-us-east-2"} <= {
        each.resource.label for each in left.plan.changes
    }
    assert left.plan.openings == ()
    assert setup.balancers == {"lobster-alb-2": "internet-facing"}
    assert setup.let_in() == {OFFICE}
    assert len(seen) > 10
    assert set().union(*seen) == {OFFICE}


def test_the_service_alone_is_compared_with_the_distribution_that_it_leaves_out(setup: Setup) -> None:
    """Also where the distribution must not be read: then it is not known to let in everybody already."""
    setup.bring(**FRONTED)
    service = setup.stack().slice(("service", "scalable-target"))
    alone = converge.bring(setup.aws, service, dry_run=True).plan
    assert "load-balancer/lobster-alb-2" in {each.resource.label for each in alone.changes}
    assert alone.openings == ()
    setup.embedded.order({"service": "cloudfront", "error": DENIED})
    unread = converge.bring(setup.aws, service, dry_run=True).plan
    assert [each.label for each in unread.openings] == ["security-group/lobster-alb-sg-2"]
    setup.embedded.forgive()


DENIED = {"code": "AccessDenied", "message": "no", "status": 403}
BROKEN = {"code": "InvalidInput", "message": "no", "status": 400}


def test_only_dns_that_may_not_be_read_is_left_alone_and_that_is_told(setup: Setup) -> None:
    """Where AWS refuses to read it for another reason, nothing is deleted: visitors may be led there."""
    setup.bring()
    old = str(setup.public["DNSName"])
    setup.bring(**FRONTED)
    domain, zone = "app.office.org", Zone(setup.embedded, "office.org")
    settings = setup.settings(domains=[domain], **FRONTED)
    zone.settle(weighted(domain, old, 0), weighted(domain, setup.distribution, 100))
    before = zone.records()
    for operation in ("ListHostedZones", "ListResourceRecordSets"):
        setup.embedded.order({"service": "route53", "operation": operation, "error": BROKEN})
        for refused in (refuse_led_to_former, leave_former, domains_here):
            with pytest.raises(AwsCallError, match=operation):
                refused(setup.aws, settings)
        setup.embedded.forgive()
        setup.embedded.order({"service": "route53", "operation": operation, "error": DENIED})
        assert operation in refuse_led_to_former(setup.aws, settings).unknown
        told = domains_here(setup.aws, settings)
        assert (told.domains, told.is_unread, operation in told.unknown) == ((), True, True)
        with pytest.raises(AwsCallError, match=operation):
            leave_former(setup.aws, settings)
        setup.embedded.forgive()
    assert zone.records() == before
    assert refuse_led_to_former(setup.aws, settings) == LedDomains()
    protected = {"code": "InvalidChangeBatch", "message": "no", "status": 400}
    setup.embedded.order({"operation": "ChangeResourceRecordSets", "error": protected})
    with pytest.raises(AwsCallError) as kept:
        leave_former(setup.aws, settings)
    assert f"list-resource-record-set-protections --hosted-zone-id {zone.id}" in kept.value.next_step
    setup.embedded.forgive()
    leave_former(setup.aws, settings)
    assert [each["ResourceRecords"][0]["Value"] for each in zone.records()] == [setup.distribution]
    second = setup.client("route53").create_hosted_zone(Name="office.org", CallerReference="second")
    assert "2 public hosted zones match" in refuse_led_to_former(setup.aws, settings).unknown
    assert "2 public hosted zones match" in domains_here(setup.aws, settings).unknown
    assert second["HostedZone"]["Name"] == "office.org."


UNAUTHORIZED = {"code": "UnauthorizedOperation", "message": "no", "status": 403}


def test_an_old_internal_load_balancer_is_read_without_what_a_distribution_needs(setup: Setup) -> None:
    """The setup policy allows the prefix list of CloudFront with ``front.kind: cloudfront`` only."""
    setup.bring(**INSIDE)
    setup.bring()
    domain, zone = "app.office.org", Zone(setup.embedded, "office.org")
    zone.settle(simple(domain, str(setup.public["DNSName"])))
    settings = setup.settings(domains=[domain])
    setup.embedded.order({"operation": "DescribeManagedPrefixLists", "error": UNAUTHORIZED})
    setup.embedded.order({"service": "cloudfront", "error": DENIED})
    assert refuse_led_to_former(setup.aws, settings) == LedDomains()
    leave_former(setup.aws, settings)
    setup.embedded.order({"operation": "DescribeSecurityGroups", "error": UNAUTHORIZED})
    unread = refuse_led_to_former(setup.aws, settings)
    assert (unread.is_unread, "DescribeSecurityGroups" in unread.unknown) == (True, True)
    setup.embedded.forgive()


def test_an_old_load_balancer_without_our_tag_is_looked_up_too(setup: Setup) -> None:
    """Its listeners and its target group have the tag, and would be deleted all the same."""
    setup.bring()
    old, domain = setup.public, "app.office.org"
    setup.bring(**FRONTED)
    zone = Zone(setup.embedded, "office.org")
    zone.settle(simple(domain, str(old["DNSName"])))
    setup.client("elbv2").remove_tags(ResourceArns=[old["LoadBalancerArn"]], TagKeys=[STACK_TAG])
    with pytest.raises(RefusedError, match=r"DNS still leads visitors to lobster-alb\."):
        refuse_led_to_former(setup.aws, setup.settings(domains=[domain], **FRONTED))


def test_without_an_old_load_balancer_no_dns_is_read(setup: Setup) -> None:
    setup.bring()
    settings = setup.settings(domains=["app.office.org"])
    setup.embedded.order({"service": "route53", "error": DENIED})
    assert refuse_led_to_former(setup.aws, settings) == LedDomains()
    leave_former(setup.aws, settings)
    setup.embedded.forgive()


def test_a_domain_with_its_dns_elsewhere_is_looked_up_before_its_load_balancer_goes(setup: Setup) -> None:
    """By the names of its CNAME or, as with ALIAS and ANAME, by its addresses."""
    setup.bring()
    old, domain = str(setup.public["DNSName"]), "app.elsewhere.org"
    setup.bring(**FRONTED)
    settings = setup.settings(domains=[domain], **FRONTED)
    by_name = {domain: Lookup(frozenset({old}))}
    by_address = dict.fromkeys((domain, old), Lookup(addresses=frozenset({"192.0.2.1"})))
    for public in (by_name, by_address):
        with pytest.raises(RefusedError) as refused:
            refuse_led_to_former(setup.aws, settings, public.get)
        assert refused.value.what == f"{domain}: DNS still leads visitors to lobster-alb."
        assert domains_here(setup.aws, setup.settings(domains=[domain]), public.get).domains == (domain,)
    moved = {domain: Lookup(frozenset({setup.distribution})), old: Lookup()}
    assert refuse_led_to_former(setup.aws, settings, moved.get) == LedDomains()
    assert domains_here(setup.aws, settings, moved.get).domains == (domain,)
    silent = refuse_led_to_former(setup.aws, settings, {}.get)
    assert (silent.unknown, silent.is_unread) == (f"public DNS does not answer for {domain}", False)
    assert refuse_led_to_former(setup.aws, settings) == LedDomains()
    astray = {domain: Lookup(frozenset({"edge.cdn.example"})), old: Lookup()}
    told = f"public DNS leads {domain} to edge.cdn.example"
    assert refuse_led_to_former(setup.aws, settings, astray.get) == LedDomains(unknown=told)
    assert domains_here(setup.aws, settings, astray.get) == LedDomains(unknown=told)
    nowhere = {domain: Lookup(), old: Lookup()}
    assert refuse_led_to_former(setup.aws, settings, nowhere.get) == LedDomains()
    assert domains_here(setup.aws, settings, nowhere.get) == LedDomains()


def test_a_domain_that_a_zone_here_has_no_record_of_is_looked_up(setup: Setup) -> None:
    """It may be delegated to other name servers, or a wildcard answers for it, or nobody asks the zone here."""
    setup.bring()
    old, domain = str(setup.public["DNSName"]), "app.office.org"
    setup.bring(**FRONTED)
    settings, zone = setup.settings(domains=[domain], **FRONTED), Zone(setup.embedded, "office.org")
    zone.settle(simple("*.office.org", old), simple(domain, '"words"', "TXT"))
    public = {domain: Lookup(frozenset({old}))}
    with pytest.raises(RefusedError, match=f"{domain}: DNS still leads visitors to lobster-alb"):
        refuse_led_to_former(setup.aws, settings, public.get)
    assert domains_here(setup.aws, setup.settings(domains=[domain]), public.get).domains == (domain,)
    zone.settle(simple(domain, "192.0.2.1", "A"))
    assert refuse_led_to_former(setup.aws, settings, {}.get) == LedDomains()


def test_a_domain_at_addresses_that_distributions_share_is_told_before_the_old_one_goes(setup: Setup) -> None:
    """As with ALIAS and ANAME: which of the distributions it leads to is not known."""
    setup.bring(**FRONTED)
    setup.bring()
    domain, old, new = "app.elsewhere.org", setup.distribution, str(setup.public["DNSName"])
    settings = setup.settings(domains=[domain])
    edges, own = Lookup(addresses=frozenset({"192.0.2.1"})), Lookup(addresses=frozenset({"198.51.100.1"}))
    public = {old: edges, new: own, setup.inside: Lookup(addresses=frozenset({"10.0.0.1"}))}
    shared = refuse_led_to_former(setup.aws, settings, {**public, domain: edges}.get)
    addresses = f"addresses that {old} shares with other distributions: 192.0.2.1"
    assert f"public DNS leads {domain} to {addresses}" in shared.unknown
    assert refuse_led_to_former(setup.aws, settings, {**public, domain: own}.get) == LedDomains()
    led = {**public, domain: Lookup(frozenset({old}))}
    with pytest.raises(RefusedError, match="DNS still leads visitors to the distribution before"):
        refuse_led_to_former(setup.aws, settings, led.get)


@pytest.mark.parametrize(
    ("before", "after"), [({}, FRONTED), (FRONTED, {})], ids=["to CloudFront", "back from it"]
)
def test_a_teardown_in_between_looks_at_the_old_address_too(
    setup: Setup, before: dict[str, Any], after: dict[str, Any]
) -> None:
    """Both serve, and both go: visitors may still be led to the old one, by Route 53 or by other name servers."""
    setup.bring(**before)
    old = setup.distribution if before else str(setup.public["DNSName"])
    domain, elsewhere = "app.office.org", "app.elsewhere.org"
    domains = [domain, elsewhere]
    zone = Zone(setup.embedded, "office.org")
    zone.settle(simple(domain, old))
    public = {elsewhere: Lookup(frozenset({old}))}
    # Settings that are not set up yet: where another kind of address is wanted, the present one is the old one.
    unready = domains_here(setup.aws, load({"domains": domains, **after}), public.get)
    assert set(unready.domains + unready.former) == set(domains)
    setup.bring(**after)
    new = setup.distribution if after else str(setup.public["DNSName"])
    settings = load({"domains": domains, **after})
    located = with_live_names(setup.aws, settings)
    led = domains_here(setup.aws, located, public.get)
    assert (led.domains, led.former, led.unknown) == ((), (domain, elsewhere), "")
    assert any("to the old address" in each for each in report.dns_lines(led))
    zone.await_sync(zone.change(change("UPSERT", simple(domain, new))))
    led = domains_here(setup.aws, located, public.get)
    assert (led.domains, led.former) == ((domain,), (elsewhere,))
    moved = {elsewhere: Lookup(frozenset({new}))}
    led = domains_here(setup.aws, located, moved.get)
    assert (led.domains, led.former, led.unknown) == ((domain, elsewhere), (), "")


@pytest.mark.parametrize("given", [{}, INSIDE])
def test_a_teardown_in_between_leaves_nothing(setup: Setup, given: dict[str, Any]) -> None:
    setup.bring()
    setup.bring(**INSIDE)
    converge.remove(setup.aws, setup.stack(**given), keep_data=False)
    assert (setup.balancers, setup.groups()) == ({}, {})
    assert setup.client("elbv2").describe_target_groups()["TargetGroups"] == []


def test_the_old_one_is_not_left_before_the_new_one_is_complete(setup: Setup) -> None:
    setup.bring()
    with pytest.raises(RefusedError, match="not complete") as refused:
        setup.leave(**INSIDE)
    assert refused.value.next_step == "inv setup-fargate"
    assert setup.balancers == {"lobster-alb": "internet-facing"}


def test_what_an_interrupted_removal_has_left_is_removed_by_setup_too(setup: Setup) -> None:
    setup.bring()
    setup.bring(**INSIDE)
    group = setup.client("elbv2").describe_target_groups(Names=["lobster-tg-2"])["TargetGroups"][0]
    entry = {"containerName": "lobster-streamlit", "containerPort": 8501}
    setup.client("ecs").update_service(
        cluster="lobster-cluster",
        service="lobster-streamlit-service",
        loadBalancers=[{**entry, "targetGroupArn": group["TargetGroupArn"]}],
    )
    made = setup.bring(**INSIDE).plan
    assert {each.action for each in made.changes} == {"delete"}
    assert {each.resource.name for each in made.changes} >= {"lobster-alb", "lobster-tg", "lobster-alb-sg"}
    assert setup.balancers == {"lobster-alb-2": "internal"}


def test_a_load_balancer_that_others_use_stays(setup: Setup) -> None:
    setup.bring()
    setup.bring(**INSIDE)
    elbv2 = setup.client("elbv2")
    old = elbv2.describe_load_balancers(Names=["lobster-alb"])["LoadBalancers"][0]["LoadBalancerArn"]
    answer = {"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": "200"}}
    elbv2.create_listener(LoadBalancerArn=old, Protocol="HTTP", Port=8080, DefaultActions=[answer])
    done = setup.leave(**INSIDE)
    told = {each.label: remarks for each, remarks in done.now.remarks.items() if each in done.now.kept}
    assert told["load-balancer/lobster-alb"] == ("others use it: listener HTTP:8080",)
    assert setup.balancers.keys() == {"lobster-alb", "lobster-alb-2"}
    assert setup.target_groups == ["lobster-tg-2"]


def test_what_only_has_the_name_of_a_second_one_is_not_touched(setup: Setup) -> None:
    elbv2 = setup.client("elbv2")
    subnets = [each["SubnetId"] for each in setup.client("ec2").describe_subnets()["Subnets"]][:2]
    elbv2.create_load_balancer(Name="lobster-alb-2", Subnets=subnets, Scheme="internal")
    made = setup.bring()
    assert "load-balancer/lobster-alb-2" not in {each.label for each in made.now.kept}
    with pytest.raises(NotOursError, match="load-balancer/lobster-alb-2"):
        setup.bring(**INSIDE)
    converge.remove(setup.aws, setup.stack(), keep_data=False)
    assert setup.balancers == {"lobster-alb-2": "internal"}


@pytest.mark.parametrize(
    ("name", "second"),
    [
        ("app", "app-2"),
        ("a" * 32, f"{'a' * 30}-2"),
        (f"{'a' * 29}-bc", f"{'a' * 29}-2"),
        (f"{'a' * 30}-2", f"{'a' * 30}-3"),
    ],
)
def test_the_second_names_fit(name: str, second: str) -> None:
    made = LoadBalancerNames(name, name, "g" * 255).second
    assert (made.name, made.target_group) == (second, second)
    assert len(made.security_group) == 255


def test_names_are_exchanged_and_exchanged_back() -> None:
    section = load({}).load_balancer
    assert section.swapped().names == NAMES.second
    assert section.swapped().other == NAMES
    assert section.swapped().swapped().names == NAMES


def test_the_tasks_group_is_no_second_one_of_a_load_balancer() -> None:
    with pytest.raises(SettingsError) as wrong:
        load({"load_balancer": {"security_group": "web"}, "tasks_security_group": "web-2"})
    told = "\n".join(wrong.value.lines())
    assert "must differ from web-2, the group of a second load balancer" in told
