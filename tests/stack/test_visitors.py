"""Who may use a distribution: a web ACL with the allowed addresses, made, put right, taken away, or somebody's own."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from lobster_tasks import doctor, templates
from lobster_tasks.aws import Aws
from lobster_tasks.clock import Clock
from lobster_tasks.converge.lockout import limits
from lobster_tasks.cost import monthly_cost
from lobster_tasks.errors import NotOursError, SettingsError
from lobster_tasks.probe import PublicEndpoint, get
from lobster_tasks.settings import load
from tests.conftest import SWIFT
from tests.embedded.firewalls import SEEN, of_set, rule
from tests.embedded.identities import ACCOUNT
from tests.embedded_process import EmbeddedProcess, eventually
from tests.journeys.permitted import asked, needless, session_with

from .stand import Stand

KINDS = ("listener", "target-group", "vpc-origin", "distribution", "security-group-rule")
DISTRIBUTION = "distribution/lobster-us-east-2"
ACL, V4, V6 = "web-ACL/lobster-us-east-2", "IP-set/lobster-us-east-2-ipv4", "IP-set/lobster-us-east-2-ipv6"
OFFICE, HERE, OTHERS = "203.0.113.0/24", "127.0.0.0/8", "2001:db8::/32"


def given_of(*cidrs: str, web_acl: str | None = None) -> dict[str, Any]:
    """The settings for these addresses."""
    balancer = {"load_balancer": {"allowed_cidrs": list(cidrs)}} if cidrs else {}
    return {"front": {"kind": "cloudfront", "web_acl": web_acl}, **balancer}


def stand(aws: Aws, *cidrs: str, web_acl: str | None = None) -> Stand:
    """The load balancer and everything of CloudFront, for these addresses."""
    return Stand.of(aws, *KINDS, **given_of(*cidrs, web_acl=web_acl))


def checked(aws: Aws, *cidrs: str, web_acl: str | None = None) -> str:
    """What the doctor says of the distribution's web ACL."""
    check = "load-balancer.distribution-web-acl"
    made, _ = doctor.consult(aws, load(given_of(*cidrs, web_acl=web_acl)), [check])
    return made[check].status


@pytest.fixture(scope="module")
def door(swift: EmbeddedProcess) -> Aws:
    """The library's door to an account with a distribution."""
    keys = {"aws_access_key_id": "AKIAEXAMPLE", "aws_secret_access_key": "example"}
    made = Aws("us-east-2", endpoint_url=swift.url, credentials=keys, clock=Clock(speed=SWIFT))
    stand(made).converge()
    return made


@pytest.fixture
def account(door: Aws) -> Iterator[Aws]:
    """The account, where nothing limits visitors before and after."""
    yield door
    stand(door).converge()


@pytest.fixture
def waf(swift: EmbeddedProcess) -> Any:
    """AWS WAF for CloudFront, by plain boto3."""
    return swift.client("wafv2", "us-east-1")


def left(waf: Any) -> list[str]:
    """The names of the web ACLs and IP sets for CloudFront."""
    found = waf.list_web_acls(Scope="CLOUDFRONT")["WebACLs"] + waf.list_ip_sets(Scope="CLOUDFRONT")["IPSets"]
    return sorted(each["Name"] for each in found)


def attached(made: Stand) -> str:
    """The ARN of the distribution's web ACL."""
    return str(made.live(DISTRIBUTION).attributes["web-ACL"])


def status(aws: Aws, made: Stand) -> int | None:
    """What a visitor from this machine gets."""
    host = made.live(DISTRIBUTION).raw["DomainName"]
    answer = get(aws.clock, PublicEndpoint(f"https://{host}"), "/")
    return answer.status if answer.by_cloudfront else None


def test_only_the_listed_addresses_get_past_the_distribution(account: Aws, waf: Any) -> None:
    made = stand(account, OFFICE, OTHERS)
    assert limits(made.plan()) == (OFFICE, OTHERS)
    made.converge()
    assert attached(made) == made.live(ACL).id
    assert status(account, made) == 403
    wider = stand(account, OFFICE, HERE)
    assert limits(wider.plan()) == (OFFICE, HERE)
    wider.converge()
    assert status(account, wider) != 403
    assert left(waf) == ["lobster-us-east-2", "lobster-us-east-2-ipv4"]
    open_again = stand(account)
    plan = open_again.plan()
    assert [(each.rule, each.label) for each in plan.openings] == [("addresses", ACL)]
    assert limits(plan) == ()
    open_again.converge()
    assert (attached(open_again), left(waf)) == ("", [])


def test_whatever_is_changed_by_hand_is_named_and_put_right(
    account: Aws, swift: EmbeddedProcess, waf: Any
) -> None:
    made = stand(account, OFFICE, OTHERS)
    made.converge()
    for label, name in ((V4, "lobster-us-east-2-ipv4"), (V6, "lobster-us-east-2-ipv6")):
        named = {"Name": name, "Scope": "CLOUDFRONT", "Id": made.live(label).id.rpartition("/")[2]}
        token = waf.get_ip_set(**named)["LockToken"]
        waf.update_ip_set(**named, LockToken=token, Addresses=[])
    named = {"Name": "lobster-us-east-2", "Scope": "CLOUDFRONT", "Id": made.live(ACL).id.rpartition("/")[2]}
    token = waf.get_web_acl(**named)["LockToken"]
    rules = [rule(of_set(made.live(V4).id), "Count")]
    waf.update_web_acl(
        **named, LockToken=token, DefaultAction={"Allow": {}}, Rules=rules, VisibilityConfig=SEEN
    )
    cloudfront, id = swift.client("cloudfront"), made.live(DISTRIBUTION).id
    etag = cloudfront.get_distribution_config(Id=id)["ETag"]
    cloudfront.disassociate_distribution_web_acl(Id=id, IfMatch=etag)
    eventually(lambda: cloudfront.get_distribution(Id=id)["Distribution"]["Status"] == "Deployed")
    assert checked(account, OFFICE, OTHERS) == "fail"
    assert {each.resource.label: each.changed for each in made.plan().changes} == {
        V4: {"addresses"},
        V6: {"addresses"},
        ACL: {"default-action", "rules"},
        DISTRIBUTION: {"web-ACL"},
    }
    made.converge()


def test_somebodys_own_web_acl_is_used_and_stays(account: Aws, swift: EmbeddedProcess, waf: Any) -> None:
    theirs = waf.create_web_acl(
        Name="theirs", Scope="CLOUDFRONT", DefaultAction={"Allow": {}}, VisibilityConfig=SEEN
    )["Summary"]
    made = stand(account, web_acl=theirs["ARN"])
    made.converge()
    assert attached(made) == theirs["ARN"]
    assert checked(account, web_acl=theirs["ARN"]) == "pass"
    assert checked(account, OFFICE) == "fail"
    unset = stand(account)
    plan = unset.plan()
    assert plan.changes == ()
    assert plan.remarks[unset.find(DISTRIBUTION)] == (f"{theirs['ARN']} stays: front.web_acl is not set",)
    stand(account, OFFICE).converge()  # the list takes its place
    stand(account).converge()
    assert left(waf) == ["theirs"]
    named = {"Name": "theirs", "Scope": "CLOUDFRONT", "Id": theirs["Id"]}
    waf.delete_web_acl(**named, LockToken=waf.get_web_acl(**named)["LockToken"])


def test_a_name_that_is_somebody_elses_is_not_taken_over(account: Aws, waf: Any) -> None:
    asked = {"Scope": "CLOUDFRONT", "IPAddressVersion": "IPV4", "Addresses": []}
    theirs = waf.create_ip_set(Name="lobster-us-east-2-ipv4", **asked)["Summary"]
    with pytest.raises(NotOursError, match=V4):
        stand(account, OFFICE).plan()
    assert stand(account).plan().changes == ()
    named = {"Name": "lobster-us-east-2-ipv4", "Scope": "CLOUDFRONT", "Id": theirs["Id"]}
    waf.delete_ip_set(**named, LockToken=theirs["LockToken"])


def test_all_of_it_is_done_under_the_setup_policy(account: Aws, swift: EmbeddedProcess, waf: Any) -> None:
    policy = templates.setup_policy(load({"front": {"kind": "cloudfront"}}), ACCOUNT, "aws")
    who = session_with(swift, "sets-up", policy)
    aws = Aws("us-east-2", endpoint_url=swift.url, credentials=who.credentials, clock=Clock(speed=SWIFT))
    swift.forget_calls()
    stand(aws, OFFICE).converge()
    stand(aws, HERE, OTHERS).converge()
    assert checked(aws, HERE, OTHERS) == "pass"
    stand(aws).converge()
    asking = asked(swift)
    assert [each for each in asking if not each.allowed_by(policy)] == []
    ours = ("SeeWhichWebAclsThereAre", "WhoMayUseTheDistribution")
    on_adoption = ("wafv2:TagResource", "wafv2:UntagResource")
    left_over = [each for each in needless(policy, asking) if each.startswith(ours)]
    assert [each for each in left_over if not each.endswith(on_adoption)] == []


def test_who_deploys_may_look_at_it(account: Aws, swift: EmbeddedProcess) -> None:
    settings = load(given_of(OFFICE, OTHERS))
    both = (templates.github_actions_policy, templates.deploy_policy)
    statements = [
        {**each, "Sid": f"{each['Sid']}{number}"}  # both have some of the same
        for number, one in enumerate(both)
        for each in one(settings, ACCOUNT, "aws")["Statement"]
    ]
    policy = {"Version": "2012-10-17", "Statement": statements}
    who = session_with(swift, "looks", policy)
    aws = Aws("us-east-2", endpoint_url=swift.url, credentials=who.credentials, clock=Clock(speed=SWIFT))
    stand(account, OFFICE, OTHERS).converge()
    swift.forget_calls()
    assert checked(aws, OFFICE, OTHERS) == "pass"
    asking = asked(swift)
    assert [each for each in asking if not each.allowed_by(policy)] == []
    assert [each for each in needless(policy, asking) if each.startswith("SeeWhoMayUseTheDistribution")] == []


def test_a_web_acl_of_another_account_is_refused(door: Aws) -> None:
    with pytest.raises(SettingsError) as refused:
        stand(door, web_acl="arn:aws:wafv2:us-east-1:210987654321:global/webacl/theirs/0")
    assert "front.web_acl: is in account 210987654321" in refused.value.problems[0]


def test_a_teardown_takes_it_with_the_distribution(account: Aws, swift: EmbeddedProcess, waf: Any) -> None:
    made = stand(account, OFFICE, OTHERS)
    made.converge()
    swift.forget_calls()
    made.remove()
    done = [call["operation"] for call in swift.calls(mutating=True) if call["status"] < 300]
    order = ["DeleteDistribution", "DeleteWebACL", "DeleteIPSet", "DeleteIPSet", "DeleteVpcOrigin"]
    assert [each for each in done if each in order] == order
    assert left(waf) == []


def test_it_has_its_price() -> None:
    given = {"front": {"kind": "cloudfront"}}
    limited = monthly_cost(load({**given, "load_balancer": {"allowed_cidrs": [OFFICE]}}))
    assert round(limited.total - monthly_cost(load(given)).total, 2) == 6.0
    assert "0.60 USD a million requests" in " ".join(limited.notes)
