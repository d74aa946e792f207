"""Out of App Runner: the comparison, the gates, the pause, and what goes with the service and what stays."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from lobster_tasks import report, settings
from lobster_tasks.apprunner import cleanup, policy_statements
from lobster_tasks.apprunner.cleanup import CleanupPlan
from lobster_tasks.apprunner.parity import compare, compare_service
from lobster_tasks.aws import Aws
from lobster_tasks.clock import Clock
from lobster_tasks.dns import Lookup
from lobster_tasks.errors import AwsCallError, LobsterError, OutOfTimeError, RefusedError, UsageError
from lobster_tasks.settings import Settings
from tests.clocks import PatientClock
from tests.embedded.apprunner_stack import BUSY, Sites
from tests.embedded.firewalls import associate, web_acl
from tests.embedded.zones import Zone, simple, weighted
from tests.embedded_process import EmbeddedProcess, eventually, start
from tests.project import make

from .releasing import set_up

SECRET = "sk-" + "aB3" * 12
SPEED = 200.0
KEYS = {"aws_access_key_id": "AKIAEXAMPLE", "aws_secret_access_key": "example"}


class Leaving:
    """An App Runner service ``name`` that is to go, in an account of an embedded AWS; seen as the library sees it."""

    def __init__(self, process: EmbeddedProcess, folder: Path, name: str = "site") -> None:
        self.sites, self.folder, self.name = Sites(process), folder, name
        self.aws = door(process)
        self.told: list[str] = []

    def settings(self, *flags: str) -> Settings:
        """The settings, with more of them."""
        own = (f"apprunner.service={self.name}", "apprunner.soak_hours=0", "apprunner.quiet_minutes=1")
        return settings.load({}, flags=(*own, *flags))

    def create(self, **variables: str) -> dict[str, Any]:
        """The service, running the test app."""
        source = self.sites.source(RuntimeEnvironmentVariables=variables)
        return self.sites.create(self.name, SourceConfiguration=source)

    def survey(self, *flags: str, delete: bool = False) -> CleanupPlan:
        """What ``inv cleanup-apprunner`` looks at."""
        return cleanup.plan_cleanup(self.aws, self.settings(*flags), "", self.folder, delete=delete)

    def clean(self, *, delete: bool = False) -> None:
        """What it does once every gate is open."""
        cleanup.carry_out(
            self.aws, self.settings(), self.survey(delete=delete), self.folder, self.told.append
        )

    def gate(self, id: str, *flags: str) -> tuple[str, str]:
        """How a gate stands, and what it saw."""
        (found,) = [each for each in self.survey(*flags).gates if each.id == id]
        return found.status, found.saw


@cache  # making its clients takes longer than most tests
def door(process: EmbeddedProcess, kind: type[Aws] = Aws, *, hurried: bool = False) -> Aws:
    """The library's door to it; for one that is ``hurried`` every time is over at once."""
    clock = Clock(speed=SPEED * 10_000) if hurried else PatientClock(speed=SPEED)
    return kind("us-east-2", endpoint_url=process.url, credentials=KEYS, clock=clock)


@pytest.fixture(scope="module")
def moved() -> Iterator[EmbeddedProcess]:
    """An account with a release on Fargate; each test brings an App Runner service of its own."""
    with start(speed=SPEED, boot_allowance=2) as process:
        set_up(process, door(process)).deploy("v1")
        yield process


@pytest.fixture(scope="module")
def swift() -> Iterator[EmbeddedProcess]:
    """An embedded AWS for what needs no release."""
    with start(speed=SPEED, boot_allowance=2) as process:
        yield process


@pytest.fixture
def leaving(swift: EmbeddedProcess, tmp_path: Path) -> Leaving:
    """A service in an account that is otherwise empty."""
    swift.reset()
    return Leaving(swift, tmp_path)


def test_the_same_app_compares_as_the_same_but_for_websockets(moved: EmbeddedProcess, tmp_path: Path) -> None:
    leaving = Leaving(moved, tmp_path, "alike")
    leaving.create(VERSION="v1")
    made = compare(leaving.aws, leaving.settings("apprunner.slow_path=/slow?seconds=12"))
    assert made.ok
    better = {row.what: (row.old, row.new) for row in made.rows if row.verdict == "better"}
    assert better == {
        "WebSocket /_stcore/stream": ("403", "open"),
        "GET /slow?seconds=12 (slow)": ("504", "200"),
    }
    assert {row.verdict for row in made.rows} == {"same", "better"}


def test_what_differs_is_told_and_shuts_the_last_gate(moved: EmbeddedProcess, tmp_path: Path) -> None:
    leaving = Leaving(moved, tmp_path, "different")
    leaving.create(HEALTH_STATUS="500")
    found = cleanup.with_parity_gate(leaving.aws, leaving.settings(), leaving.survey())
    assert found.parity is not None
    rows = {row.what: (row.old, row.new, row.verdict) for row in found.parity.rows}
    assert rows["GET /_stcore/health"] == ("500", "200", "differs")
    assert report.parity_json(found.parity)["ok"] is False
    assert found.gates[-1].status == "fail"
    with pytest.raises(RefusedError, match="different does not change"):
        cleanup.refuse_failed_gates(found)


def test_a_rule_of_the_listener_is_met_as_the_verdict_meets_it(
    moved: EmbeddedProcess, tmp_path: Path
) -> None:
    leaving, elbv2 = Leaving(moved, tmp_path, "by-name"), moved.client("elbv2")
    leaving.create(VERSION="v1")
    (listener,) = elbv2.describe_listeners(
        LoadBalancerArn=elbv2.describe_load_balancers(Names=["lobster-alb"])["LoadBalancers"][0][
            "LoadBalancerArn"
        ]
    )["Listeners"]
    which, forward = listener["ListenerArn"], listener["DefaultActions"]
    name = {"Field": "host-header", "Values": ["app.example.org"]}
    (rule,) = elbv2.create_rule(ListenerArn=which, Priority=1, Conditions=[name], Actions=forward)["Rules"]
    nothing = {"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": "404"}}
    elbv2.modify_listener(ListenerArn=which, DefaultActions=[nothing])
    made = compare(leaving.aws, leaving.settings())
    elbv2.modify_listener(ListenerArn=which, DefaultActions=forward)
    elbv2.delete_rule(RuleArn=rule["RuleArn"])
    assert made.ok
    assert made.new == "http://app.example.org"


def test_both_sides_have_to_be_there(leaving: Leaving) -> None:
    private = {"IngressConfiguration": {"IsPubliclyAccessible": False}}
    leaving.create()
    leaving.sites.create("inside", NetworkConfiguration=private)
    for given, said in (
        ("site", "lobster-streamlit-service is not behind a load balancer"),
        ("inside", "inside cannot be probed from here"),
        ("none", "There is no App Runner service none"),
    ):
        with pytest.raises(RefusedError, match=said):
            compare(leaving.aws, leaving.settings(), given)
    with pytest.raises(UsageError, match="No App Runner service is given"):
        compare(leaving.aws, settings.load({}))


def test_a_private_service_is_compared_by_hand_and_goes_once_it_is_paused(leaving: Leaving) -> None:
    private = {"IngressConfiguration": {"IsPubliclyAccessible": False}}
    arn = leaving.sites.create("site", NetworkConfiguration=private)["ServiceArn"]
    with pytest.raises(RefusedError) as refused:
        cleanup.with_parity_gate(leaving.aws, leaving.settings(), leaving.survey())
    assert f"aws apprunner pause-service --service-arn {arn}" in refused.value.next_step
    leaving.sites.api.pause_service(ServiceArn=arn)
    eventually(lambda: leaving.sites.api.describe_service(ServiceArn=arn)["Service"]["Status"] == "PAUSED")
    found = cleanup.with_parity_gate(leaving.aws, leaving.settings(), leaving.survey(delete=True))
    assert (found.gates[-1].status, found.gates[-1].saw) == ("skip", "it is PAUSED")


def test_the_new_service_has_to_have_been_live(
    moved: EmbeddedProcess, leaving: Leaving, tmp_path: Path
) -> None:
    assert Leaving(moved, tmp_path, "soaked").create()
    settled = Leaving(moved, tmp_path, "soaked")
    assert settled.gate("live.since")[0] == "pass"
    status, saw = settled.gate("live.since", "apprunner.soak_hours=2400")
    assert (status, "of 100 days (apprunner.soak_hours)" in saw) == ("fail", True)
    leaving.create()
    assert leaving.gate("live.since") == ("fail", "lobster-streamlit-service does not exist")


def test_visitors_shut_a_gate_with_their_number(leaving: Leaving) -> None:
    service = leaving.create()
    for _ in range(3):
        leaving.sites.get(service)
    told = (
        "3 requests in the last 10 min; "
        "those of inv compare-apprunner, inv import-apprunner and an earlier clean-up count too"
    )
    eventually(lambda: leaving.gate("traffic.requests", "apprunner.quiet_minutes=10") == ("fail", told))
    with pytest.raises(RefusedError) as refusal:
        cleanup.refuse_failed_gates(leaving.survey("apprunner.quiet_minutes=10"))
    assert told in refusal.value.why
    eventually(lambda: leaving.gate("traffic.requests") == ("pass", "no request in the last 60 s"))


def test_scanners_are_told_from_visitors(leaving: Leaving) -> None:
    """App Runner, "Metrics": ``4xxStatusResponses``. Who asks for what no app has gets no page of it."""
    service, long = leaving.create(), "apprunner.quiet_minutes=600"
    for path in ("/status?code=404", "/status?code=403"):
        leaving.sites.get(service, path)
    shown = "no request in the last 10 h, except from scanners; 2 more were answered 4xx and do not count"
    eventually(lambda: leaving.gate("traffic.requests", long) == ("pass", shown))
    leaving.sites.get(service, "/")
    eventually(lambda: leaving.gate("traffic.requests", long)[0] == "fail")
    shown = (
        "1 request in the last 10 h, of 1 allowed (apprunner.quiet_requests); "
        "2 more were answered 4xx and do not count"
    )
    assert leaving.gate("traffic.requests", long, "apprunner.quiet_requests=1") == ("pass", shown)


def test_where_the_metric_may_not_be_read_the_log_tells(leaving: Leaving) -> None:
    leaving.create()
    denied = {"code": "AccessDeniedException"}
    leaving.sites.process.order(
        {"service": "monitoring", "operation": "GetMetricStatistics", "error": denied}
    )
    status, saw = leaving.gate("traffic.requests", "apprunner.quiet_minutes=600")
    assert (status, "in App Runner's log in the last 10 h" in saw) == (
        "fail",
        True,
    )  # the app says that it has started
    leaving.sites.process.order({"operation": "FilterLogEvents", "error": denied})
    status, saw = leaving.gate("traffic.requests")
    assert (status, saw.startswith("cannot be read")) == ("fail", True)
    leaving.sites.process.forgive()


def test_the_firewall_has_to_have_come_along(moved: EmbeddedProcess, tmp_path: Path) -> None:
    leaving = Leaving(moved, tmp_path, "guarded")
    service = leaving.create()["ServiceArn"]
    assert leaving.gate("firewall.same") == ("pass", "guarded has no web ACL")
    ours = web_acl(moved, "ours")
    associate(moved, ours, service)
    here = moved.client("elbv2").describe_load_balancers()["LoadBalancers"][0]["LoadBalancerArn"]
    lost = "web ACL ours protects guarded, and no web ACL lobster-alb"
    assert leaving.gate("firewall.same") == ("fail", lost)
    with pytest.raises(RefusedError, match="guarded does not change"):
        cleanup.refuse_failed_gates(leaving.survey())
    accepted = cleanup.plan_cleanup(
        leaving.aws, leaving.settings(), "", leaving.folder, accept=("firewall-lost",)
    )
    (gate,) = [each for each in accepted.gates if each.id == "firewall.same"]
    assert (gate.status, gate.saw) == ("warn", f"accepted (firewall-lost): {lost}")
    associate(moved, web_acl(moved, "another"), here)
    assert leaving.gate("firewall.same")[1].endswith("and web ACL another lobster-alb")
    associate(moved, ours, here)
    assert leaving.gate("firewall.same") == ("pass", "web ACL ours protects both")
    moved.order({"operation": "GetWebACLForResource", "error": {"code": "AccessDeniedException"}})
    status, saw = leaving.gate("firewall.same")
    moved.forgive()
    assert (status, "cannot be read" in saw) == ("fail", True)


def test_dns_has_to_have_left(leaving: Leaving) -> None:
    service, api = leaving.create(), leaving.sites.api
    assert leaving.gate("dns.records")[0] == "skip"
    about: dict[str, Any] = {"ServiceArn": service["ServiceArn"], "EnableWWWSubdomain": False}
    api.associate_custom_domain(DomainName="app.example.com", **about)
    zone, url = Zone(leaving.sites.process), service["ServiceUrl"]
    zone.create(weighted("app.example.com", url, 10), weighted("app.example.com", "127.0.0.1:9", 30))
    assert leaving.gate("dns.records") == ("fail", "still leading to App Runner: app.example.com (25%)")
    zone.change({"Action": "UPSERT", "ResourceRecordSet": weighted("app.example.com", url, 0)})
    assert leaving.gate("dns.records") == ("pass", "app.example.com: no record leads to App Runner")
    api.associate_custom_domain(DomainName="app.example.org", **about)
    status, saw = leaving.gate("dns.records")
    assert (
        status,
        "app.example.org has no address record in this account's Route 53; not checked" in saw,
    ) == ("fail", True)


def test_dns_that_is_elsewhere_is_looked_up(leaving: Leaving, tmp_path: Path) -> None:
    service, name = leaving.create(), "app.example.org"
    leaving.sites.api.associate_custom_domain(
        ServiceArn=service["ServiceArn"], DomainName=name, EnableWWWSubdomain=False
    )
    here, told = balancer(leaving.sites.process), []

    def gate(host: str, *accept: str) -> tuple[str, str]:
        """How the gate stands where public DNS has a CNAME record to ``host``."""

        def look_up(name: str) -> Lookup:
            told.append(name)
            return Lookup(frozenset({host}) if name == "app.example.org" else frozenset())

        found = cleanup.plan_cleanup(
            leaving.aws, leaving.settings(), "", leaving.folder, accept=accept, look_up=look_up
        )
        (one,) = [each for each in found.gates if each.id == "dns.records"]
        return one.status, one.saw

    assert gate(here) == ("pass", f"{name}: no record leads to App Runner")
    assert gate(service["ServiceUrl"]) == ("fail", f"still leading to App Runner: {name} (public DNS)")
    assert gate("cdn.example")[0] == "fail"
    assert gate("cdn.example", "dns-elsewhere")[0] == "warn"
    assert set(told) == {name, here, service["ServiceUrl"]}
    project = make(tmp_path, leaving.sites.process.url)
    project.settings("apprunner:\n  service: site\n  soak_hours: 0")
    refused = project.inv("cleanup-apprunner", "--dry-run").check(5)
    assert f"{name} has no address record in this account's Route 53; not checked, because" in refused.said
    assert "inv cleanup-apprunner --accept dns-unknown" in refused.said
    accepted = project.inv("cleanup-apprunner", "--dry-run", "--accept", "dns-unknown").check(5)
    assert "accepted (dns-unknown)" in accepted.said


def test_dns_is_simple_again_before_the_service_goes(leaving: Leaving) -> None:
    """Route 53 answers with a record of weight 0 where no other is healthy: nobody may be led to what is gone."""
    service, process = leaving.create(), leaving.sites.process
    about: dict[str, Any] = {"ServiceArn": service["ServiceArn"], "EnableWWWSubdomain": False}
    leaving.sites.api.associate_custom_domain(DomainName="app.example.com", **about)
    zone, url, here = Zone(process), service["ServiceUrl"], balancer(process)
    zone.settle(weighted("app.example.com", url, 0), weighted("app.example.com", here, 100))
    assert leaving.survey().routes == ()  # a pause can be undone, and so can the cut-over then
    process.forget_calls()
    found = leaving.survey(delete=True)
    for once in ("DescribeCustomDomains", "ListHostedZones", "ListResourceRecordSets"):
        assert len(process.calls(once)) == 1, once
    assert report.cleanup_plan_json(found)["records"] == ["app.example.com CNAME"]
    process.order({"operation": "ChangeResourceRecordSets", "nth": 1, "drop": "after"})
    leaving.clean(delete=True)
    process.forgive()
    assert leaving.told[1] == "removed the records that led to App Runner: app.example.com"
    assert leaving.told[2] == "deleted service site"
    (record,) = zone.records()
    assert record == {**simple("app.example.com.", here), "TTL": record["TTL"]}


@pytest.mark.parametrize("weight", [10, 0])
def test_a_pair_that_has_visitors_still_or_leads_to_another_stays(leaving: Leaving, weight: int) -> None:
    service = leaving.create()
    zone, url = Zone(leaving.sites.process), service["ServiceUrl"]
    other = balancer(leaving.sites.process) if weight else "127.0.0.1:9"
    zone.settle(weighted("app.example.com", url, weight), weighted("app.example.com", other, 90))
    assert leaving.survey("domains=app.example.com", delete=True).routes == ()


class Unreadable(Aws):
    """The library's door, behind which nothing is told of a former load balancer."""

    refusal: LobsterError
    name = ""

    def call(self, operation: str, about: str = "", **parameters: Any) -> dict[str, Any]:
        """As the library's, but for that one."""
        if parameters.get("Names") == [self.name]:
            raise self.refusal
        return super().call(operation, about, **parameters)


@pytest.mark.parametrize(
    "refusal",
    [
        AwsCallError("AWS refused it.", code="AccessDenied", operation="elbv2:DescribeLoadBalancers"),
        RefusedError("It belongs to another stack."),
    ],
    ids=["denied", "refused"],
)
def test_a_former_address_that_cannot_be_read_keeps_nothing(leaving: Leaving, refusal: LobsterError) -> None:
    """Neither the gates nor the records, nor what is looked at once the service is gone."""
    service, process = leaving.create(), leaving.sites.process
    about: dict[str, Any] = {"ServiceArn": service["ServiceArn"], "EnableWWWSubdomain": False}
    leaving.sites.api.associate_custom_domain(DomainName="app.example.com", **about)
    here = balancer(process)
    Zone(process).settle(
        weighted("app.example.com", service["ServiceUrl"], 0), weighted("app.example.com", here, 100)
    )
    aws = Unreadable("us-east-2", endpoint_url=process.url, credentials=KEYS, clock=PatientClock(speed=SPEED))
    aws.refusal, aws.name = refusal, leaving.settings().load_balancer.other.name
    own = leaving.settings("domains=[app.example.com]")
    found = cleanup.plan_cleanup(aws, own, "", leaving.folder, delete=True)
    assert [route.domain for route in found.routes] == ["app.example.com"]
    leaving.clean(delete=True)
    assert cleanup.plan_cleanup(aws, own, "", leaving.folder, delete=True).action == "none"


def balancer(process: EmbeddedProcess) -> str:
    """The DNS name of a load balancer that has the stack's name."""
    subnets = [each["SubnetId"] for each in process.client("ec2").describe_subnets()["Subnets"][:2]]
    made = process.client("elbv2").create_load_balancer(Name="lobster-alb", Subnets=subnets)
    return str(made["LoadBalancers"][0]["DNSName"])


def test_a_pause_can_be_undone_and_is_done_once(leaving: Leaving) -> None:
    service = leaving.create(API_KEY=SECRET)
    arn = service["ServiceArn"]
    leaving.clean()
    assert leaving.sites.settled(arn)["Status"] == "PAUSED"
    kept = (leaving.folder / "apprunner-site.json").read_text()
    assert json.loads(kept)["service"]["ServiceArn"] == arn
    assert SECRET not in kept
    assert leaving.survey().action == "none"
    with pytest.raises(RefusedError, match="site is PAUSED"):
        compare_service(leaving.aws, leaving.settings(), leaving.sites.settled(arn))
    leaving.sites.api.resume_service(ServiceArn=arn)
    leaving.sites.settled(arn)
    assert leaving.sites.get(service).ok


@pytest.mark.parametrize(("delete", "ended"), [(False, "PAUSED"), (True, "DELETED")])
def test_who_runs_out_of_time_takes_it_up_again(leaving: Leaving, *, delete: bool, ended: str) -> None:
    """The app does not stop when it is told to, and the time is over at once for a clock that is so fast."""
    leaving.create(IGNORE_SIGTERM="1")
    whole, leaving.aws = leaving.aws, door(leaving.sites.process, hurried=True)
    with pytest.raises(OutOfTimeError) as late:
        leaving.clean(delete=delete)
    assert late.value.exit_code == 4
    assert "has not finished service site after 15 minutes" in late.value.what
    assert "run the same command again" in late.value.next_step
    leaving.aws = whole
    again = leaving.survey(delete=delete)
    assert (again.status, bool(again.going)) == (ended, delete)
    leaving.clean(delete=delete)
    assert leaving.survey(delete=delete).action == "none"


def test_a_way_in_that_is_going_already_is_waited_for(leaving: Leaving) -> None:
    """AWS refuses to delete what a run that was cut off has begun to delete: InvalidStateException."""
    furnish(leaving)
    (way_in,) = leaving.sites.api.list_vpc_ingress_connections()["VpcIngressConnectionSummaryList"]
    leaving.sites.put(way_in["VpcIngressConnectionArn"], "PENDING_DELETION")
    leaving.aws = door(leaving.sites.process, hurried=True)
    with pytest.raises(OutOfTimeError) as late:
        leaving.clean(delete=True)
    assert "has not finished VPC ingress connection way-in" in late.value.what


def test_a_busy_service_is_left_alone(leaving: Leaving) -> None:
    leaving.sites.put(leaving.create()["ServiceArn"], BUSY)
    with pytest.raises(RefusedError, match="site is busy"):
        leaving.survey()


def test_a_service_that_never_was_is_not_nothing_to_do(leaving: Leaving) -> None:
    leaving.name = "none"
    with pytest.raises(RefusedError, match="There is no App Runner service none"):
        leaving.survey(delete=True)


def test_what_never_ran_can_only_be_deleted(leaving: Leaving) -> None:
    leaving.create(EXIT_CODE="3")
    with pytest.raises(RefusedError, match="site is CREATE_FAILED"):
        leaving.survey()
    leaving.clean(delete=True)
    assert left(leaving) == []


def policies(leaving: Leaving) -> dict[str, Any]:
    """The account's own managed policies, by name."""
    iam = leaving.sites.process.client("iam")
    found = {}
    for each in iam.list_policies(Scope="Local")["Policies"]:
        version = iam.get_policy_version(PolicyArn=each["Arn"], VersionId=each["DefaultVersionId"])
        found[each["PolicyName"]] = version["PolicyVersion"]["Document"]["Statement"]
    return found


ALLOW_ECS = {"Effect": "Allow", "Action": ["ecs:*"], "Resource": "*"}


def furnish(leaving: Leaving) -> dict[str, Any]:
    """A private service that uses everything that there is to use, and policies that speak of it."""
    process, api = leaving.sites.process, leaving.sites.api
    ec2, iam = process.client("ec2"), process.client("iam")
    vpc = ec2.create_vpc(CidrBlock="10.9.0.0/16")["Vpc"]["VpcId"]
    subnet = ec2.create_subnet(VpcId=vpc, CidrBlock="10.9.1.0/24")["Subnet"]["SubnetId"]
    connector = api.create_vpc_connector(VpcConnectorName="inside", Subnets=[subnet])["VpcConnector"]
    scaling = api.create_auto_scaling_configuration(AutoScalingConfigurationName="busy")
    traced = api.create_observability_configuration(ObservabilityConfigurationName="traced")
    statements = [{**ALLOW_ECS, "Action": ["apprunner:*", "ecs:*"]}]
    for name, more in (("mixed", statements), ("alone", [{**ALLOW_ECS, "Action": "apprunner:*"}])):
        document = json.dumps({"Version": "2012-10-17", "Statement": more})
        iam.create_policy(PolicyName=name, PolicyDocument=document)
    service = leaving.sites.create(
        NetworkConfiguration={
            "EgressConfiguration": {"EgressType": "VPC", "VpcConnectorArn": connector["VpcConnectorArn"]},
            "IngressConfiguration": {"IsPubliclyAccessible": False},
        },
        AutoScalingConfigurationArn=scaling["AutoScalingConfiguration"]["AutoScalingConfigurationArn"],
        ObservabilityConfiguration={
            "ObservabilityEnabled": True,
            "ObservabilityConfigurationArn": traced["ObservabilityConfiguration"][
                "ObservabilityConfigurationArn"
            ],
        },
        InstanceConfiguration={
            "InstanceRoleArn": leaving.sites.role("instance", "tasks.apprunner.amazonaws.com")
        },
    )
    endpoint = ec2.create_vpc_endpoint(
        VpcId=vpc,
        ServiceName="com.amazonaws.us-east-2.apprunner.requests",
        VpcEndpointType="Interface",
        SubnetIds=[subnet],
        PrivateDnsEnabled=False,
    )["VpcEndpoint"]["VpcEndpointId"]
    made = api.create_vpc_ingress_connection(
        ServiceArn=service["ServiceArn"],
        VpcIngressConnectionName="way-in",
        IngressVpcConfiguration={"VpcId": vpc, "VpcEndpointId": endpoint},
    )["VpcIngressConnection"]["VpcIngressConnectionArn"]
    about = {"VpcIngressConnectionArn": made}
    eventually(
        lambda: api.describe_vpc_ingress_connection(**about)["VpcIngressConnection"]["Status"] == "AVAILABLE"
    )
    return service


GOING = [
    "VPC-ingress-connection/way-in",
    "service/site",
    "auto-scaling-configuration/busy/1",
    "VPC-connector/inside/1",
    "observability-configuration/traced/1",
    "role/apprunner-access",
    "role/instance",
    "log-group",
    "log-group",
    "policy-statements/alone",
    "policy-statements/mixed",
]


def labels(found: CleanupPlan) -> list[str]:
    """What goes, log groups without the service's id, policies in order."""
    named = [each.label if each.kind != "log-group" else "log-group" for each in found.going]
    return [*named[:-2], *sorted(named[-2:])]


def left(leaving: Leaving) -> list[Any]:
    """What is still there of all that belonged to App Runner."""
    process, api = leaving.sites.process, leaving.sites.api
    roles = [each["RoleName"] for each in process.client("iam").list_roles()["Roles"]]
    groups = process.client("logs").describe_log_groups(logGroupNamePrefix="/aws/apprunner")["logGroups"]
    scaling = api.list_auto_scaling_configurations(AutoScalingConfigurationName="busy")
    return [
        *api.list_services()["ServiceSummaryList"],
        *api.list_vpc_connectors()["VpcConnectors"],
        *api.list_observability_configurations()["ObservabilityConfigurationSummaryList"],
        *scaling["AutoScalingConfigurationSummaryList"],
        *[role for role in roles if role in ("instance", "apprunner-access")],
        *groups,
    ]


def test_a_deletion_takes_what_only_the_service_used(leaving: Leaving) -> None:
    furnish(leaving)
    found = leaving.survey(delete=True)
    assert labels(found) == GOING
    assert left(leaving)  # a survey changes nothing
    leaving.clean(delete=True)
    assert left(leaving) == []
    assert policies(leaving) == {"mixed": [ALLOW_ECS]}
    images = leaving.sites.process.client("ecr").describe_images(repositoryName="homara")["imageDetails"]
    assert images
    again = leaving.survey(delete=True)
    assert (again.action, again.going) == ("none", ())


def test_a_log_group_with_deletion_protection_stays(leaving: Leaving) -> None:
    leaving.create()
    logs = leaving.sites.process.client("logs")
    groups = logs.describe_log_groups(logGroupNamePrefix="/aws/apprunner")["logGroups"]
    protected = groups[0]["logGroupName"]
    logs.put_log_group_deletion_protection(logGroupIdentifier=protected, deletionProtectionEnabled=True)
    found = leaving.survey(delete=True)
    kept = {each.thing.label: each.why for each in found.kept if each.thing.kind == "log-group"}
    assert kept == {f"log-group/{protected}": "it has deletion protection"}
    leaving.clean(delete=True)
    assert [each["logGroupName"] for each in left(leaving)] == [protected]


def test_a_version_of_a_policy_is_not_made_twice(swift: EmbeddedProcess) -> None:
    """Nobody knows whether a call that got no answer was carried out: the next run looks."""
    swift.reset()
    iam, aws = swift.client("iam"), door(swift)
    document = {"Version": "2012-10-17", "Statement": [{**ALLOW_ECS, "Action": ["apprunner:*", "ecs:*"]}]}
    iam.create_policy(PolicyName="mixed", PolicyDocument=json.dumps(document))
    (mixed,) = policy_statements.find(aws)
    swift.order({"operation": "CreatePolicyVersion", "nth": 1, "drop": "after"})
    with suppress(AwsCallError):
        policy_statements.remove(aws, mixed.id)
    swift.forgive()
    assert policy_statements.find(aws) == []
    assert len(iam.list_policy_versions(PolicyArn=mixed.policy)["Versions"]) == 2


def test_what_another_service_uses_stays(leaving: Leaving) -> None:
    service = furnish(leaving)
    arn = service["AutoScalingConfigurationSummary"]["AutoScalingConfigurationArn"]
    leaving.sites.create("other", AutoScalingConfigurationArn=arn)
    found = leaving.survey(delete=True)
    kept = {each.thing.label: each.why for each in found.kept}
    assert kept == {
        "auto-scaling-configuration/busy/1": "other in us-east-2 uses it too",
        "role/apprunner-access": "other in us-east-2 uses it too",
        "policy-statements/alone": "it may be about other in us-east-2",
        "policy-statements/mixed": "it may be about other in us-east-2",
    }
    leaving.clean(delete=True)
    assert leaving.sites.api.describe_auto_scaling_configuration(AutoScalingConfigurationArn=arn)
    assert set(policies(leaving)) == {"mixed", "alone"}
    (one,) = leaving.sites.api.list_services()["ServiceSummaryList"]
    assert one["ServiceName"] == "other"


def test_what_may_not_be_looked_at_stays(leaving: Leaving) -> None:
    """Another region's services may use the roles; policies are not looked for without leave."""
    furnish(leaving)
    denied = {"code": "AccessDeniedException"}
    leaving.sites.process.order({"operation": "ListServices", "nth": [2, 20], "error": denied})
    leaving.sites.process.order({"operation": "GetAccountAuthorizationDetails", "error": denied})
    found = leaving.survey(delete=True)
    leaving.sites.process.forgive()
    kept = {each.thing.label for each in found.kept}
    assert kept >= {"role/apprunner-access", "role/instance", "policy-statements/of any policy"}
    assert not {"role", "policy-statements"} & {each.kind for each in found.going}


class KilledError(Exception):
    """What ends a run where SIGKILL would."""


class Mortal(Aws):
    """The library's door, which is killed right after its ``last`` call that changes something was carried out."""

    last = 0

    def call(self, operation: str, about: str = "", **parameters: Any) -> dict[str, Any]:
        """As the library's, until the last one."""
        answer = super().call(operation, about, **parameters)
        if not operation.split(":")[1].startswith(("Describe", "Get", "List")):
            self.last -= 1
            if self.last == 0:
                raise KilledError(operation)
        return answer


CALLS = 12
"""How many change something on the way from a furnished service to nothing."""


@pytest.mark.parametrize(
    "last", [1, *(pytest.param(k, marks=pytest.mark.exhaustive) for k in range(2, CALLS + 1))]
)
def test_a_run_that_was_killed_is_taken_up(leaving: Leaving, last: int) -> None:
    furnish(leaving)
    whole, leaving.aws = leaving.aws, door(leaving.sites.process, Mortal)
    leaving.aws.last = last  # type: ignore[attr-defined]
    with pytest.raises(KilledError):
        leaving.clean(delete=True)
    leaving.aws = whole
    leaving.clean(delete=True)
    assert left(leaving) == []
    assert policies(leaving) == {"mixed": [ALLOW_ECS]}
    assert leaving.survey(delete=True).going == ()
    kept = json.loads((leaving.folder / "apprunner-site.json").read_text())
    assert [each["VpcIngressConnectionName"] for each in kept["ingress"]] == ["way-in"]
    assert kept["ingress_vpc"]


def test_the_commands_refuse_with_the_figure_and_answer_in_json(
    moved: EmbeddedProcess, tmp_path: Path
) -> None:
    leaving = Leaving(moved, tmp_path, "commanded")
    project = make(tmp_path, moved.url)
    project.settings("apprunner:\n  service: commanded\n  soak_hours: 0\n  quiet_minutes: 60")
    service = leaving.create(VERSION="v1")
    assert project.inv("compare-apprunner", "--json").check().json["ok"] is True
    eventually(lambda: leaving.gate("traffic.requests", "apprunner.quiet_minutes=600")[0] == "fail")
    refused = project.inv("cleanup-apprunner", "--yes").check(5)
    assert "requests in the last 60 min" in refused.err
    ahead = project.inv("cleanup-apprunner", "--dry-run").check(5)
    assert ahead.err == refused.err
    assert "would be paused" in ahead.out
    listed = project.inv("cleanup-apprunner", "--delete", "--dry-run", "--json").check(5).json
    assert (listed["action"], listed["applied"], listed["ok"]) == ("delete", False, False)
    assert "service/commanded" in listed["deletes"]
    assert leaving.sites.get(service).ok


def test_without_a_terminal_nothing_goes_without_yes(moved: EmbeddedProcess, tmp_path: Path) -> None:
    leaving = Leaving(moved, tmp_path, "silent")
    project = make(tmp_path, moved.url)
    project.settings("apprunner:\n  service: silent\n  soak_hours: 0\n  quiet_minutes: 1")
    service = leaving.create(VERSION="v1")
    assert "add --yes" in project.inv("cleanup-apprunner").check(5).err
    assert leaving.gate("traffic.requests")[0] == "pass"  # refusing sent nothing
    done = project.inv("cleanup-apprunner", "--yes", "--json").check().json
    assert (done["action"], done["applied"]) == ("pause", True)
    assert leaving.sites.settled(service["ServiceArn"])["Status"] == "PAUSED"
