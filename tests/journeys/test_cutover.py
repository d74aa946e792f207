"""Domains brought from a live App Runner service to Fargate and back, under visitors who must not notice."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from lobster_tasks import rollout
from lobster_tasks.apprunner import cutover
from lobster_tasks.errors import InterruptedRunError, LobsterError, OutOfTimeError, RefusedError
from lobster_tasks.rollout import Progress
from tests.apprunner.moving import SPEED, CutoverScenario, VisitorsByName, begin, in_region, leave, said
from tests.embedded.firewalls import associate, web_acl
from tests.embedded.test_conformance_elbv2_tls import make_certificate
from tests.embedded.zones import Zone, alias, change, simple, weighted
from tests.embedded_process import eventually, start
from tests.project import make


@pytest.fixture(scope="session")
def standing() -> Iterator[CutoverScenario]:
    """Both services serve; set up once."""
    with start(speed=SPEED, boot_allowance=2) as running:
        yield begin(running)


@pytest.fixture
def move(standing: CutoverScenario) -> Iterator[CutoverScenario]:
    """Both services serve. Every test has zones of its own."""
    yield standing
    standing.embedded.forgive()
    leave(standing)


def names_on_the_way(move: CutoverScenario) -> dict[str, tuple[str, str | None]]:
    """The names with which the way of visitors begins: the state of each, and the cause that keeps visitors out."""
    way = [hop for hop in rollout.status(move.aws, move.settings).way if hop.kind == "name"]
    return {hop.name: (hop.state, hop.trouble.code if hop.trouble else None) for hop in way}


def test_visitors_notice_nothing_there_and_back(move: CutoverScenario) -> None:
    zone = move.zone("notice.org")
    move.cname(zone, "app.notice.org", ttl=300)
    move.apex(zone)
    mine = move.of("app.notice.org", "notice.org")
    simple_records = zone.records()
    with (
        VisitorsByName(zone, "app.notice.org").present() as sub,
        VisitorsByName(zone, "notice.org", count=2).present() as apex,
    ):
        there = mine.cut_over()
        assert (there.verdict, there.exit_code, there.todo) == ("cut_over", 0, ())
        assert there.shares == (("app.notice.org", 100), ("notice.org", 100))
        assert zone.ask("app.notice.org") == zone.ask("notice.org") == [move.new]
        eventually(lambda: sub.answers["new"] > 0 and apex.answers["new"] > 0)
        assert names_on_the_way(mine) == {
            "app.notice.org": ("100% of visitors led here", None),
            "notice.org": ("100% of visitors led here", None),
            move.new: ("", None),
        }
        back = mine.back()
        assert (back.verdict, back.shares) == ("back", (("app.notice.org", 0), ("notice.org", 0)))
        assert names_on_the_way(mine)["notice.org"] == ("0% of visitors led here", "name-elsewhere")
    lines = said(there).splitlines()
    for step in there.steps:
        announced = next(n for n, line in enumerate(lines) if line.startswith(f"{step.name}: "))
        assert lines[announced + 1].startswith("undo: ")
    assert said(there).count("inv cutover --back") == 5
    assert (sub.failed, apex.failed) == ({}, {})
    assert sub.answers["old"] > 0
    with_low_ttl = [{**each, "TTL": 60} if each["Type"] == "CNAME" else each for each in simple_records]
    kept = [each for each in zone.records() if each["Name"] in ("app.notice.org.", "notice.org.")]
    assert kept == [each for each in with_low_ttl if each in kept]
    assert len(kept) == 2


def test_a_wrong_answer_sends_everybody_back(move: CutoverScenario) -> None:
    zone = move.zone("wrong.org")
    move.cname(zone, "app.wrong.org")
    mine = move.of("app.wrong.org", probe={"path": "/asked"})
    elbv2 = move.embedded.client("elbv2")

    def break_it(progress: Progress) -> None:
        """From 50 % on, what is asked for is broken; what visitors ask for is not."""
        if any(line.startswith("50 %: 50") for line in progress.said):
            listeners = elbv2.describe_listeners(LoadBalancerArn=mine.balancer)["Listeners"]
            secure = next(each["ListenerArn"] for each in listeners if each["Port"] == 443)
            elbv2.create_rule(
                ListenerArn=secure,
                Priority=1,
                Conditions=[{"Field": "path-pattern", "Values": ["/asked"]}],
                Actions=[{"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": "500"}}],
            )

    with VisitorsByName(zone, "app.wrong.org").present() as visitors:
        ended = mine.cut_over(observe=break_it)
        eventually(lambda: zone.ask("app.wrong.org") == [move.old])
    assert (ended.verdict, ended.exit_code, ended.shares) == ("stepped_back", 3, (("app.wrong.org", 0),))
    assert "GET /asked answers 500" in ended.cause
    assert visitors.failed == {}
    assert "100 %" not in said(ended)
    with pytest.raises(RefusedError) as refused:
        mine.cut_over()
    assert "DNS was not changed" in refused.value.what


def test_the_account_alone_says_how_far_it_has_come(move: CutoverScenario) -> None:
    zone = move.zone("again.org")
    move.cname(zone, "app.again.org")
    mine = move.of("app.again.org")
    first = mine.cut_over(to=10)
    assert (first.verdict, first.shares) == ("partly", (("app.again.org", 10),))

    def interrupt(progress: Progress) -> None:
        if any(line.startswith("50 %") for line in progress.said):
            raise KeyboardInterrupt

    with pytest.raises(InterruptedRunError) as stopped:
        mine.cut_over(observe=interrupt)
    assert "inv cutover --back" in stopped.value.next_step
    assert mine.now.share == 10
    ended = mine.cut_over()
    assert ended.verdict == "cut_over"
    assert not said(ended).startswith(("certificate", "https", "records", "10 %"))
    move.embedded.forget_calls()
    assert mine.cut_over().verdict == "cut_over"
    assert move.embedded.calls(mutating=True) == []


def test_nobody_leaves_a_firewall_behind_unless_that_is_meant(move: CutoverScenario) -> None:
    zone, waf = move.zone("wall.org"), move.embedded.client("wafv2")
    move.cname(zone, "app.wall.org")
    mine, records = move.of("app.wall.org"), zone.records()
    ours = web_acl(move.embedded, "ours")
    associate(move.embedded, ours, move.service)
    try:
        for look in (mine.cut_over, lambda: cutover.preview(mine.aws, mine.settings)):
            with pytest.raises(RefusedError, match="lose their web ACL") as refused:
                look()
        assert "web ACL ours protects lobster, and no web ACL lobster-alb" in refused.value.why
        assert f"set load_balancer.web_acl={ours}" in refused.value.next_step
        assert "inv cutover --accept firewall-lost" in refused.value.next_step
        move.embedded.order({"operation": "GetWebACLForResource", "error": {"code": "AccessDeniedException"}})
        with pytest.raises(RefusedError, match="lose their web ACL") as refused:
            mine.cut_over(accept=("firewall-lost",))
        assert "--accept firewall-unknown" in refused.value.next_step
        move.embedded.forgive()
        assert zone.records() == records
        accepted = mine.cut_over(to=10, accept=("firewall-lost",))
        assert accepted.verdict == "partly"
        assert "accepted (firewall-lost): web ACL ours protects lobster" in said(accepted)
        mine.back()
        associate(move.embedded, ours, move.balancer)
        assert mine.cut_over(to=10).verdict == "partly"
        mine.back()
    finally:
        for arn in (move.service, move.balancer):
            waf.disassociate_web_acl(ResourceArn=arn)


def test_a_code_that_no_gate_has_is_refused(tmp_path: Path, move: CutoverScenario) -> None:
    project = make(tmp_path, move.embedded.url)
    for task in ("cutover", "cleanup-apprunner"):
        ended = project.inv(task, "--accept", "everything").check(2)
        assert "firewall-lost, firewall-unknown" in ended.err


def test_an_answer_that_is_lost_changes_nothing(move: CutoverScenario) -> None:
    zone = move.zone("lost.org")
    move.cname(zone, "app.lost.org")
    mine = move.of("app.lost.org")

    def lose(progress: Progress) -> None:
        if any(line.startswith("records") for line in progress.said):
            move.embedded.order({"operation": "ChangeResourceRecordSets", "nth": 1, "drop": "after"})

    move.embedded.order({"operation": "RequestCertificate", "nth": 1, "drop": "after"})
    assert mine.cut_over(to=10, observe=lose).verdict == "partly"
    assert move.embedded.applied() == 2
    certificates = move.embedded.client("acm").list_certificates()["CertificateSummaryList"]
    assert [each["DomainName"] for each in certificates].count("app.lost.org") == 1


def test_a_certificate_that_caa_records_forbid(move: CutoverScenario) -> None:
    """User Guide, "Troubleshoot CAA problems": "you must update your CAA records and request a certificate again"."""
    zone = move.zone("caa.org")
    move.cname(zone, "app.caa.org")
    forbids = {
        "Name": "caa.org", "Type": "CAA", "TTL": 60, "ResourceRecords": [{"Value": '0 issue "letsencrypt.org"'}]
    }  # fmt: skip
    zone.settle(forbids)
    mine = move.of("app.caa.org")
    with pytest.raises(LobsterError, match=r"The certificate for app\.caa\.org is FAILED") as failed:
        mine.cut_over()
    assert failed.value.why == "CAA_ERROR"
    assert 'Add there 0 issue "amazon.com"' in failed.value.next_step
    assert "dig CAA app.caa.org" in failed.value.next_step


def test_dns_that_is_elsewhere(move: CutoverScenario) -> None:
    mine = move.of("elsewhere.org")
    with pytest.raises(OutOfTimeError) as pending:
        mine.cut_over(wait=30.0)
    assert pending.value.exit_code == 4
    assert "continues where this run stopped" in pending.value.next_step
    (record,) = mine.validation("elsewhere.org")
    assert f"{record['Name']} CNAME {record['Value']}" in pending.value.why
    zone = move.zone("elsewhere.org")  # until its certificate is issued
    zone.create(simple(record["Name"], record["Value"]))
    eventually(lambda: mine.now.proven)
    zone.change(*(change("DELETE", each) for each in zone.records()))
    zone.route53.delete_hosted_zone(Id=zone.id)
    ended = mine.cut_over()
    assert (ended.verdict, ended.shares) == ("instructions", (("elsewhere.org", None),))
    assert [(each.name, each.kind, each.value) for each in ended.records] == [
        ("elsewhere.org.", "CNAME", move.new)
    ]


def test_a_name_without_a_record_leads_here_at_once(move: CutoverScenario) -> None:
    zone = move.zone("fresh.org")
    mine = move.of("fresh.org")
    ended = mine.cut_over()
    assert (ended.verdict, zone.ask("fresh.org")) == ("cut_over", [move.new])
    with pytest.raises(RefusedError, match="one record, which leads to Fargate"):
        mine.back()


def test_nobody_is_sent_back_to_where_nobody_is(move: CutoverScenario) -> None:
    zone = move.zone("gone.org")
    old, new = (
        weighted("app.gone.org", name, weight, ttl=60)
        for name, weight in (("127.0.0.1:1", 0), (move.new, 100))
    )
    zone.settle({**old, "SetIdentifier": "lobster in us-east-2: App Runner"}, new)
    with pytest.raises(RefusedError) as refused:
        move.of("app.gone.org").back()
    assert "127.0.0.1:1 does not serve app.gone.org" in refused.value.what
    assert "resume-service" in refused.value.next_step
    assert sorted(each["Weight"] for each in zone.records()) == [0, 100]


def test_without_a_domain_it_says_what_cannot_move(move: CutoverScenario) -> None:
    with pytest.raises(RefusedError) as refused:
        move.of().cut_over()
    assert refused.value.what == "The awsapprunner.com address cannot move."
    assert "tell users the new address" in refused.value.next_step
    zone = move.zone("known.org")
    move.cname(zone, "app.known.org")
    with pytest.raises(RefusedError) as knows:
        move.of().cut_over()
    assert "domains: [app.known.org]" in knows.value.next_step


def test_a_certificate_that_is_named_has_to_fit(move: CutoverScenario) -> None:
    made = make_certificate("other.org")
    acm = move.embedded.client("acm")
    arn = acm.import_certificate(Certificate=made.certificate, PrivateKey=made.key)["CertificateArn"]
    with pytest.raises(RefusedError) as refused:
        move.of("app.fit.org", load_balancer={"certificate": arn}).cut_over()
    assert "is not for all of app.fit.org" in refused.value.what
    acm.delete_certificate(CertificateArn=arn)


def test_zones_that_do_not_count(move: CutoverScenario) -> None:
    vpc = move.embedded.client("ec2").describe_vpcs()["Vpcs"][0]["VpcId"]
    place = {"VPC": {"VPCRegion": "us-east-2", "VPCId": vpc}, "HostedZoneConfig": {"PrivateZone": True}}
    Zone(move.embedded, "private.org", **place)
    assert move.of("app.private.org").now.elsewhere == ("app.private.org",)
    longest = [move.zone(name) for name in ("deep.org", "sub.deep.org")][1]
    assert move.of("app.sub.deep.org").now.zones == {"app.sub.deep.org": longest.id}
    Zone(move.embedded, "deep.org", HostedZoneConfig={"Comment": "a second one", "PrivateZone": False})
    with pytest.raises(RefusedError, match=r"2 public hosted zones match app\.deep\.org"):
        _ = move.of("app.deep.org").now


def test_a_zone_that_nobody_asks_is_not_cut_over(move: CutoverScenario) -> None:
    """Route 53, "Making Route 53 the DNS service": the parent has to name the zone's four name servers."""
    zone = move.zone("delegated.org")
    move.cname(zone, "app.delegated.org")
    mine, before = move.of("app.delegated.org"), zone.records()
    for public, told in (
        (frozenset(), "public DNS knows no name servers for delegated.org"),
        (frozenset({"ns1.registrar.example"}), "public DNS knows ns1.registrar.example for delegated.org"),
    ):
        with pytest.raises(RefusedError, match=zone.id) as refused:
            mine.cut_over(name_servers=lambda name, public=public: public)
        assert told in refused.value.why
        assert refused.value.next_step.endswith("inv cutover --accept dns-undelegated")
    assert zone.records() == before
    seen_inside = frozenset({"dc1.corp.example"})  # by a resolver that answers for a network of its own
    went_on = mine.cut_over(to=10, name_servers=lambda name: seen_inside, accept=("dns-undelegated",))
    assert went_on.verdict == "partly"
    assert "accepted (dns-undelegated): public DNS knows dc1.corp.example for delegated.org" in said(went_on)
    own = zone.created["DelegationSet"]["NameServers"]
    spelled = frozenset(f"{each.rstrip('.')}" for each in own[:1])
    assert mine.cut_over(to=10, name_servers=lambda name: spelled).verdict == "partly"
    ended = mine.cut_over(to=10, name_servers=lambda name: None)
    assert re.search(r"not checked whether \S+ is delegated to the hosted zone", said(ended))


def test_two_regions_and_one_domain(move: CutoverScenario) -> None:
    """A hosted zone is the same in all regions: neither stack takes the other's records for App Runner's."""
    zone = move.zone("both.org")
    move.cname(zone, "app.both.org")
    here, there = move.of("app.both.org"), in_region(move, "eu-west-1").of("app.both.org")

    def alone() -> None:
        here.cut_over()
        names = cutover.hosted_domains(here.aws, here.settings.domains)
        cutover.finish(
            here.aws, cutover.idle_pairs(names, here.old, here.new), here.old, here.settings.domains
        )

    def by_hand() -> None:
        (one,) = [each for each in zone.records() if each["Name"] == "app.both.org."]
        halves = [weighted("app.both.org", each.new, 50, ttl=60) for each in (here, there)]
        zone.change(change("DELETE", one), *(change("CREATE", each) for each in halves))

    ways: dict[str, Callable[[], object]] = {
        here.old: lambda: None,
        "lobster in us-east-2: App Runner": lambda: here.cut_over(to=10),
        here.new: alone,
        f"weighted record '{here.new}'": by_hand,
    }
    for named, lead in ways.items():
        lead()
        with unchanged(move, zone), pytest.raises(RefusedError, match="some of its records") as refused:
            there.cut_over()
        assert named in refused.value.why
    with unchanged(move, zone), pytest.raises(RefusedError, match="some of its records") as refused:
        here.cut_over()
    assert f"weighted record '{there.new}'" in refused.value.why


def test_a_record_that_proves_the_domain_for_another_region_stays_as_it_is(move: CutoverScenario) -> None:
    zone = move.zone("proven.org")
    move.cname(zone, "app.proven.org")
    acm = move.embedded.client("acm", "eu-west-1")
    arn = acm.request_certificate(DomainName="app.proven.org", ValidationMethod="DNS")["CertificateArn"]

    def proof() -> Any:
        options = acm.describe_certificate(CertificateArn=arn)["Certificate"]["DomainValidationOptions"]
        return options[0].get("ResourceRecord")

    eventually(proof)
    zone.settle(simple(proof()["Name"], proof()["Value"], ttl=77))
    move.embedded.forget_calls()
    assert move.of("app.proven.org").cut_over(to=10).verdict == "partly"
    assert [each["TTL"] for each in zone.records() if each["Name"] == proof()["Name"]] == [77]
    assert len(move.embedded.calls("ChangeResourceRecordSets")) == 2  # the pair, and its weights


STAGES = ("10 %", "50 %", "100 %")
SIGN_IN = {
    "kind": "oidc",
    "issuer": "https://idp.example.com",
    "authorization_endpoint": "https://idp.example.com/authorize",
    "token_endpoint": "https://idp.example.com/token",
    "user_info_endpoint": "https://idp.example.com/userinfo",
    "client_id": "the-client",
    "client_secret": "moving/sign-in",
}


def test_a_sign_in_comes_with_the_certificate_that_the_same_run_requests(tmp_path: Path) -> None:
    """From a load balancer without HTTPS. What would be refused once the certificate is issued is refused before it is
    requested: a client secret that is not there."""
    with start(speed=SPEED, boot_allowance=2) as running:
        move = begin(running)
        zone, domain = move.zone("asked.org"), "app.asked.org"
        move.cname(zone, domain)
        mine, before = move.of(domain, sign_in=SIGN_IN), zone.records()
        for run in (partial(cutover.preview, mine.aws, mine.settings), mine.cut_over):
            with pytest.raises(RefusedError, match="Visitors could not sign in") as refused:
                run()
            assert "create the secret that sign_in.client_secret names" in refused.value.next_step
            assert "ISSUED" not in refused.value.why
        assert zone.records() == before
        assert running.client("acm").list_certificates()["CertificateSummaryList"] == []
        running.client("secretsmanager").create_secret(Name="moving/sign-in", SecretString="a secret")
        planned = cutover.preview(mine.aws, mine.settings)
        assert [step.name for step in planned.todo] == ["certificate", "https", "records", *STAGES]
        there = mine.cut_over()
        assert (there.verdict, there.todo) == ("cut_over", ())
        assert "visitors sign in at idp.example.com" in there.seen
        elbv2 = running.client("elbv2")
        found = elbv2.describe_listeners(LoadBalancerArn=mine.balancer)["Listeners"]
        assert {each["Port"]: [one["Type"] for one in each["DefaultActions"]] for each in found} == {
            80: ["redirect"],
            443: ["authenticate-oidc", "forward"],
        }


@contextmanager
def unchanged(move: CutoverScenario, zone: Zone) -> Iterator[None]:
    """Nothing in the block changes the account, or the zone."""
    before = zone.records()
    move.embedded.forget_calls()
    yield
    assert move.embedded.calls(mutating=True) == []
    assert zone.records() == before


def test_the_command(move: CutoverScenario, tmp_path: Path) -> None:
    """Its waits are real ones: the certificate is there already, and the visitors' tenth too."""
    zone = move.zone("command.org")
    move.cname(zone, "app.command.org", ttl=1)
    (record,) = [each for each in zone.records() if each["Name"] == "app.command.org."]
    pair = [
        weighted("app.command.org", move.old, 90, ttl=1),
        weighted("app.command.org", move.new, 10, ttl=1),
    ]
    zone.change(change("DELETE", record), *(change("CREATE", each) for each in pair))
    made = make_certificate("app.command.org")
    acm = move.embedded.client("acm")
    acm.import_certificate(Certificate=made.certificate, PrivateKey=made.key)
    project = make(tmp_path, move.embedded.url)
    project.settings("domains: [app.command.org]")
    before = zone.records()
    planned = project.inv("cutover", "--dry-run").check()
    for word in (
        "✔  certificate",
        "+  https",
        "✔  records",
        "✔  10 %",
        "+  50 %",
        "undo: inv cutover --back",
    ):
        assert word in planned.said
    assert zone.records() == before
    moved = project.inv("cutover", "--to", "10", "--hold", "0", "--json").check().json
    assert (moved["verdict"], moved["domains"]) == ("partly", [{"name": "app.command.org", "share": 10}])
    assert [each["done"] for each in moved["steps"]] == [True] * 4
    doomed = project.inv("teardown", "--dry-run").check()
    assert "! app.command.org: DNS still leads visitors here" in doomed.said
    (warning,) = project.inv("teardown", "--dry-run", "--json").check().json["warnings"]
    assert warning["code"] == "dns-leads-here"
    denied = {"code": "AccessDenied", "message": "not this one", "status": 403}
    move.embedded.order({"operation": "ListHostedZones", "error": denied})
    doomed = project.inv("teardown", "--dry-run").check()
    assert "! Not known whether DNS still leads visitors to what is deleted: AWS refused" in doomed.said
    move.embedded.forgive()
    assert "BACK" in project.inv("cutover", "--back").check().said
    project.inv("cutover", "--to", "101").check(2)


def test_a_wildcard_is_asked_for_by_a_name_that_it_stands_for(move: CutoverScenario) -> None:
    zone = move.zone("wild.org")
    zone.settle(alias("*.wild.org", move.old, "Z0224347AD7KVHMLOX31"))
    ended = move.of("*.wild.org").cut_over(to=10)
    assert (ended.verdict, ended.shares) == ("partly", (("*.wild.org", 10),))
    records: list[dict[str, Any]] = zone.records()
    assert [each["Weight"] for each in records if "Weight" in each] == [90, 10]
