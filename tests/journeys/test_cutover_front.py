"""Domains brought from a live App Runner service to a distribution in front of Fargate, and back."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from lobster_tasks import converge, rollout, stack, templates
from lobster_tasks.account import find_authority, with_live_names
from lobster_tasks.apprunner import cutover
from lobster_tasks.aws import Aws
from lobster_tasks.errors import AwsCallError, RefusedError
from lobster_tasks.http_client import Client
from lobster_tasks.rollout import Progress
from lobster_tasks.settings import Settings
from tests.apprunner.moving import SPEED, CutoverScenario, VisitorsByName, begin, leave, said
from tests.clocks import PatientClock
from tests.embedded.certificates import make_certificate
from tests.embedded.fronted import CLOUDFRONT_ZONE
from tests.embedded.identities import ACCOUNT
from tests.embedded.zones import Zone
from tests.embedded_process import PATIENCE, eventually, start
from tests.project import Project, make

from .permitted import asked, session_with
from .test_least_privilege import denied

FRONT = "front.kind=cloudfront"
SERVICE = {"apprunner": {"service": "lobster"}}
DEPLOYMENT = (
    "deployment: {deregistration_delay: 5, wait_minutes: 300}\nhealth_check: {unhealthy_threshold: 2}"
)


@pytest.fixture(scope="module")
def standing() -> Iterator[CutoverScenario]:
    """Both services serve, the new one behind a distribution; set up once."""
    with start(speed=SPEED, boot_allowance=2) as running:
        yield begin(running, FRONT)


@pytest.fixture
def move(standing: CutoverScenario) -> Iterator[CutoverScenario]:
    """Both services serve. Every test has zones of its own, and leaves the distribution without aliases."""
    yield standing
    standing.embedded.forgive()
    leave(standing)
    bring(standing)


def bring(move: CutoverScenario) -> None:
    """The new stack as it is without domains."""
    converge.bring(move.aws, stack.build(move.of().settings, ACCOUNT))


def policy(settings: Settings) -> Any:
    """What the setup policy and the migration policy allow together."""
    both = (
        templates.setup_policy(settings, ACCOUNT, "aws"),
        templates.migration_policy(settings, ACCOUNT, "aws"),
    )
    return {**both[0], "Statement": [each for one in both for each in one["Statement"]]}


def as_mover(move: CutoverScenario) -> CutoverScenario:
    """The same, by somebody with these policies."""
    who = session_with(move.embedded, "moves", policy(move.settings))
    clock = PatientClock(speed=SPEED)
    aws = Aws(move.region, endpoint_url=move.embedded.url, credentials=who.credentials, clock=clock)
    return replace(move, aws=aws)


def page(move: CutoverScenario, domain: str) -> int | None:
    """The status that a visitor of the domain gets who verifies the certificate."""
    url = f"https://{move.new}/"
    with Client(domain, authority=find_authority(move.aws, url)) as client:
        return client.request(url, PATIENCE).status


def records(zone: Zone, *names: str) -> list[dict[str, Any]]:
    """The zone's records of these names."""
    return [each for each in zone.records() if each["Name"].rstrip(".") in names]


def test_visitors_notice_nothing_there_and_back(move: CutoverScenario) -> None:
    """Apex and subdomain, by who has the two policies and nothing else."""
    zone = move.zone("front.org")
    move.cname(zone, "app.front.org")
    move.apex(zone)
    names = ("app.front.org", "front.org")
    mine, before = as_mover(move.of(*names, **SERVICE)), records(zone, *names)
    move.embedded.forget_calls()
    with (
        VisitorsByName(zone, "app.front.org").present() as sub,
        VisitorsByName(zone, "front.org", count=2).present() as apex,
    ):
        there = mine.cut_over()
        assert (there.verdict, there.exit_code, there.todo) == ("cut_over", 0, ())
        assert there.shares == (("app.front.org", 100), ("front.org", 100))
        assert zone.ask("app.front.org") == zone.ask("front.org") == [move.new]
        eventually(lambda: sub.answers["new"] > 0 and apex.answers["new"] > 0)
        assert (page(move, "app.front.org"), page(move, "front.org")) == (200, 200)
        seen = rollout.status(move.aws, move.settings)
        assert seen is not None
        assert {hop.name for hop in seen.way if hop.kind == "name"} == {*names, move.new}
        (led,) = [each["AliasTarget"] for each in records(zone, "front.org") if each["Weight"] == 100]
        assert {**led, "DNSName": led["DNSName"].rstrip(".")} == {
            "HostedZoneId": CLOUDFRONT_ZONE,
            "DNSName": move.new,
            "EvaluateTargetHealth": False,
        }
        back = mine.back()
        assert (back.verdict, back.shares) == ("back", (("app.front.org", 0), ("front.org", 0)))
    assert denied(asked(move.embedded), policy(mine.settings)) == set()
    assert (sub.failed, apex.failed) == ({}, {})
    assert sub.answers["old"] > 0
    assert records(zone, *names) == before
    assert "app.front.org, front.org on distribution E" in said(there)


@pytest.mark.exhaustive
def test_a_wrong_answer_of_the_distribution_sends_everybody_back(move: CutoverScenario) -> None:
    """Between the distribution and the load balancer: the tasks are healthy all the while."""
    zone = move.zone("wrong.org")
    move.cname(zone, "app.wrong.org")
    mine, ec2 = move.of("app.wrong.org"), move.embedded.client("ec2")

    def break_it(progress: Progress) -> None:
        if any(line.startswith("50 %: 50") for line in progress.said):
            named = [{"Name": "group-name", "Values": ["lobster-alb-sg"]}]
            (group,) = ec2.describe_security_groups(Filters=named)["SecurityGroups"]
            if group["IpPermissions"]:
                where = {"GroupId": group["GroupId"], "IpPermissions": group["IpPermissions"]}
                ec2.revoke_security_group_ingress(**where)

    ended = mine.cut_over(observe=break_it)
    assert (ended.verdict, ended.exit_code, ended.shares) == ("stepped_back", 3, (("app.wrong.org", 0),))
    assert "504" in ended.cause
    eventually(lambda: zone.ask("app.wrong.org") == [move.old])
    assert mine.cut_over(to=10).verdict == "partly"  # the step https puts the rule back


@pytest.mark.exhaustive
def test_a_name_that_another_distribution_has_is_told_before_dns_is_changed(move: CutoverScenario) -> None:
    zone = move.zone("taken.org")
    move.cname(zone, "app.taken.org")
    mine, cloudfront = move.of("app.taken.org"), move.embedded.client("cloudfront")
    with suppress(Exception):
        mine.cut_over(wait=0.0)  # the certificate is requested
    eventually(lambda: mine.now.proven)
    (listed,) = cloudfront.list_distributions()["DistributionList"]["Items"]
    config = cloudfront.get_distribution_config(Id=listed["Id"])["DistributionConfig"]
    found = mine.now.found
    assert found is not None
    config |= {
        "CallerReference": "theirs",
        "Comment": "theirs",
        "Aliases": {"Quantity": 1, "Items": ["app.taken.org"]},
        "ViewerCertificate": {
            "ACMCertificateArn": found.id,
            "SSLSupportMethod": "sni-only",
            "MinimumProtocolVersion": "TLSv1.2_2021",
        },
    }
    theirs = cloudfront.create_distribution(DistributionConfig=config)["Distribution"]["Id"]
    before = zone.records()
    with pytest.raises(AwsCallError, match="another distribution has one of them") as refused:
        mine.cut_over()
    assert refused.value.why == f"distribution {theirs} of this account has app.taken.org"
    assert "associate-alias" in refused.value.next_step
    assert zone.records() == before
    cloudfront.associate_alias(TargetDistributionId=listed["Id"], Alias="app.taken.org")
    assert mine.cut_over(to=10).verdict == "partly"


@pytest.mark.exhaustive
def test_a_name_without_a_record_leads_there_at_once(move: CutoverScenario) -> None:
    zone = move.zone("fresh.org")
    mine = move.of("fresh.org")
    ended = mine.cut_over()
    assert (ended.verdict, zone.ask("fresh.org"), zone.ask("fresh.org", "AAAA")) == (
        "cut_over",
        [move.new],
        [move.new],
    )
    assert cutover.domains_here(mine.aws, mine.settings).domains == ("fresh.org",)
    with pytest.raises(RefusedError, match="one record, which leads to Fargate"):
        mine.back()


@pytest.mark.exhaustive
def test_a_certificate_that_is_named_has_to_fit(move: CutoverScenario) -> None:
    made, acm = make_certificate("other.org"), move.embedded.client("acm", "us-east-1")
    arn = acm.import_certificate(Certificate=made.certificate, PrivateKey=made.key)["CertificateArn"]
    with pytest.raises(RefusedError) as refused:
        move.of("app.fit.org", front={"certificate": arn}).cut_over()
    assert "is not for all of app.fit.org" in refused.value.what
    assert "remove front.certificate" in refused.value.next_step
    acm.delete_certificate(CertificateArn=arn)


@pytest.mark.exhaustive
def test_after_the_clean_up_one_record_is_left(move: CutoverScenario) -> None:
    zone = move.zone("done.org")
    move.cname(zone, "app.done.org")
    mine = move.of("app.done.org")
    mine.cut_over()
    names = cutover.hosted_domains(mine.aws, mine.settings.domains)
    name = cutover.destination_name(mine.aws, mine.settings)
    assert name == move.new
    cutover.finish(mine.aws, cutover.idle_pairs(names, mine.old, name), mine.old, mine.settings.domains)
    (left,) = records(zone, "app.done.org")
    assert left["ResourceRecords"] == [{"Value": move.new}]


def switch(move: CutoverScenario, project: Project, kind: str) -> CutoverScenario:
    """Another ``front.kind`` with the same domain, set up: both addresses serve."""
    (domain,) = move.settings.domains
    project.settings(f"domains: [{domain}]\nfront: {{kind: {kind}}}\n{DEPLOYMENT}")
    switched = replace(move, flags=(f"front.kind={kind}",)).of(domain)
    settings = with_live_names(move.aws, switched.settings, replacing=True)
    converge.bring(move.aws, stack.build(settings, ACCOUNT))
    return replace(switched, settings=settings)


def tells_the_former_address(project: Project, domain: str, former: cutover.Destination) -> None:
    """It is neither App Runner nor unknown, and serves: to status and to the clean-up of App Runner."""
    kind = "" if former.is_distribution else "load balancer "
    words = f"the former {kind}{former.name}"
    way = project.inv("status", "--json").check().json["way"]
    (name,) = [each for each in way if each["name"] == domain]
    assert f"0% of visitors led here, others to {words}, which serves too" in name["state"]
    assert name["cause"] is None
    planned = project.inv("cleanup-apprunner", "--service", "lobster", "--dry-run", "--json").json
    (gate,) = [each for each in planned["gates"] if each["id"] == "dns.records"]
    assert gate["status"] == "warn"
    assert gate["saw"] == f"{domain} leads to {words} of this stack, which serves too: not to App Runner"
    assert gate["fix"] == "inv cutover, then inv remove-old-load-balancer"


def test_a_domain_moves_from_the_former_address_to_the_new_one(move: CutoverScenario, tmp_path: Path) -> None:
    """From the distribution to a public load balancer, and to a new distribution; each with its way back."""
    zone, project = move.zone("doors.org"), make(tmp_path, move.embedded.url)
    move.cname(zone, "app.doors.org")
    mine = move.of("app.doors.org")
    mine.cut_over()
    with VisitorsByName(zone, "app.doors.org").present() as visitors:
        for kind in ("none", "cloudfront"):
            former, mine = mine.now.destination, switch(mine, project, kind)
            assert zone.ask("app.doors.org") == [former.dns_name]
            assert mine.now.share == 0
            refused = project.inv("remove-old-load-balancer", "--yes").check(5)
            assert "app.doors.org: DNS still leads visitors" in refused.err
            assert "inv cutover leads them to" in refused.err
            tells_the_former_address(project, "app.doors.org", former)
            there = mine.cut_over()
            new = mine.now.destination
            assert (there.verdict, there.shares) == ("cut_over", (("app.doors.org", 100),))
            assert (there.source, there.goal) == (former.name, new.name)
            assert f"10 % of the visitors to {new.name}, 90 % to {former.name}" in said(there)
            assert zone.ask("app.doors.org") == [new.dns_name]
            back = mine.back()
            assert (back.verdict, back.shares) == ("back", (("app.doors.org", 0),))
            assert zone.ask("app.doors.org") == [former.dns_name]
            mine.cut_over()
            assert len(records(zone, "app.doors.org")) == 3
            denied = {"code": "AccessDenied", "message": "not this one", "status": 403}
            move.embedded.order({"operation": "ListHostedZones", "error": denied})
            unknown = project.inv("remove-old-load-balancer", "--dry-run").check()
            assert "! Not known whether DNS still leads visitors to what is deleted" in unknown.said
            answer = project.inv("remove-old-load-balancer", "--dry-run", "--json").check().json
            assert "dns-unknown" in [each["code"] for each in answer["warnings"]]
            move.embedded.forgive()
            project.inv("remove-old-load-balancer", "--yes").check()
            assert {
                each["ResourceRecords"][0]["Value"]: each["Weight"] for each in records(zone, "app.doors.org")
            } == {
                move.old: 0,
                new.dns_name: 100,
            }
            assert (mine.now.source, mine.now.goal) == ("App Runner", "Fargate")
        assert mine.back().shares == (("app.doors.org", 0),)
    assert visitors.failed == {}
