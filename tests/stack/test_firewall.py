"""The web ACL that protects the load balancer: associated, kept, put right, and taken off again."""

from __future__ import annotations

from typing import Any

import pytest

from lobster_tasks import converge
from lobster_tasks.aws import Aws
from lobster_tasks.errors import AwsCallError, RefusedError, SettingsError
from tests.embedded.firewalls import associate, protecting, web_acl
from tests.embedded.identities import allow, session
from tests.embedded_process import EmbeddedProcess

from .stand import Stand

ASSOCIATION, BALANCER = "web-ACL-association/lobster-alb", "load-balancer/lobster-alb"


def stand(aws: Aws, arn: str | None = None, **more: Any) -> Stand:
    """Load balancer, firewall and listener."""
    named = {"load_balancer": {"web_acl": arn}} if arn else {}
    return Stand.of(aws, "listener", "target-group", **named, **more)


def adopted(aws: Aws, embedded: EmbeddedProcess) -> str:
    """A load balancer of our name that was there before; its ARN."""
    stand(aws).converge()
    arn = stand(aws).live(BALANCER).id
    embedded.client("elbv2").remove_tags(ResourceArns=[arn], TagKeys=["lobster:stack"])
    return arn


def test_it_is_there_before_anybody_gets_in(aws: Aws, embedded: EmbeddedProcess) -> None:
    firewall = web_acl(embedded, "ours")
    embedded.order({"waf_propagation_seconds": 60})
    embedded.forget_calls()
    made = stand(aws, firewall)
    made.converge()
    assert protecting(embedded, made.live(BALANCER).id) == firewall
    told = [call["operation"] for call in embedded.calls() if call["status"] == 200]
    assert told.index("AssociateWebACL") < told.index("CreateListener")
    refused = [call for call in embedded.calls("AssociateWebACL") if call["status"] != 200]
    assert refused  # it was not known everywhere at first


def test_another_one_is_put_right_and_a_missing_one_associated(aws: Aws, embedded: EmbeddedProcess) -> None:
    firewall, other = web_acl(embedded, "ours"), web_acl(embedded, "other")
    made = stand(aws, firewall)
    made.converge()
    balancer = made.live(BALANCER).id
    associate(embedded, other, balancer)
    (change,) = made.plan().changes
    assert (change.action, change.resource.label) == ("update", ASSOCIATION)
    assert change.reason == f"web ACL: {other} → {firewall}"
    made.converge()
    embedded.client("wafv2").disassociate_web_acl(ResourceArn=balancer)
    (change,) = made.plan().changes
    assert (change.action, change.resource.label) == ("create", ASSOCIATION)
    made.converge()
    assert protecting(embedded, balancer) == firewall


def test_without_the_setting_somebodys_firewall_stays_and_is_told(
    aws: Aws, embedded: EmbeddedProcess
) -> None:
    firewall = web_acl(embedded, "somebodys")
    made = stand(aws)
    made.converge()
    associate(embedded, firewall, made.live(BALANCER).id)
    plan = made.plan()
    assert plan.changes == ()
    assert plan.remarks[made.find(ASSOCIATION)] == (f"{firewall} stays: load_balancer.web_acl is not set",)
    made.remove()
    assert embedded.calls("DisassociateWebACL") == []
    assert embedded.client("wafv2").get_web_acl(ARN=firewall)["WebACL"]["Name"] == "somebodys"


def test_a_teardown_takes_it_off_before_the_load_balancer_goes(aws: Aws, embedded: EmbeddedProcess) -> None:
    firewall = web_acl(embedded, "ours")
    made = stand(aws, firewall)
    made.converge()
    embedded.forget_calls()
    made.remove()
    told = [call["operation"] for call in embedded.calls(mutating=True)]
    assert told.index("DeleteListener") < told.index("DisassociateWebACL") < told.index("DeleteLoadBalancer")
    assert embedded.client("wafv2").get_web_acl(ARN=firewall)["WebACL"]["Name"] == "ours"


def test_a_load_balancer_that_others_use_keeps_its_firewall(aws: Aws, embedded: EmbeddedProcess) -> None:
    firewall = web_acl(embedded, "ours")
    made = stand(aws, firewall)
    made.converge()
    balancer = made.live(BALANCER).id
    fixed = {"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": "200"}}
    embedded.client("elbv2").create_listener(
        LoadBalancerArn=balancer, Port=8080, Protocol="HTTP", DefaultActions=[fixed]
    )
    live = made.read()
    others = converge.dependents(aws, made.desired, live)
    removal = converge.plan_removal(made.desired, live, others, keep_data=False)
    converge.apply(aws, removal, lambda _: None)
    assert made.find(BALANCER) in removal.kept
    assert protecting(embedded, balancer) == firewall


def test_on_a_load_balancer_that_was_there_it_is_added_and_taken_off_again(
    aws: Aws, embedded: EmbeddedProcess
) -> None:
    balancer, firewall = adopted(aws, embedded), web_acl(embedded, "ours")
    made = stand(aws, firewall)
    made.converge(adopt=True)
    assert protecting(embedded, balancer) == firewall
    assert made.plan().changes == ()
    newer = web_acl(embedded, "newer")
    stand(aws, newer).converge()
    assert protecting(embedded, balancer) == newer
    stand(aws, newer).remove()
    assert protecting(embedded, balancer) is None
    (left,) = embedded.client("elbv2").describe_tags(ResourceArns=[balancer])["TagDescriptions"]
    assert left["Tags"] == []


@pytest.mark.parametrize("same", [True, False])
def test_a_firewall_that_was_there_before_is_nobodys_to_take(
    aws: Aws, embedded: EmbeddedProcess, same: bool
) -> None:
    balancer, theirs = adopted(aws, embedded), web_acl(embedded, "theirs")
    associate(embedded, theirs, balancer)
    made = stand(aws, theirs if same else web_acl(embedded, "ours"))
    if same:
        made.converge(adopt=True)
        made.remove()
    else:
        with pytest.raises(RefusedError) as refused:
            made.converge(adopt=True)
        assert f"set load_balancer.web_acl={theirs}" in refused.value.next_step
        assert "it existed before" in refused.value.why
    assert protecting(embedded, balancer) == theirs


def test_one_that_is_not_there_is_told_before_minutes_of_trying(aws: Aws, embedded: EmbeddedProcess) -> None:
    gone = f"arn:aws:wafv2:us-east-2:{aws.account}:regional/webacl/gone/0"
    with pytest.raises(RefusedError, match="There is no web ACL") as refused:
        stand(aws, gone).converge()
    assert "list-web-acls" in refused.value.next_step
    assert embedded.calls("AssociateWebACL") == []


def test_one_of_another_account_is_refused(aws: Aws) -> None:
    with pytest.raises(SettingsError) as refused:
        stand(aws, "arn:aws:wafv2:us-east-2:210987654321:regional/webacl/theirs/0")
    assert "is in account 210987654321" in refused.value.problems[0]


def test_who_has_no_use_for_it_does_without_aws_waf(aws: Aws, embedded: EmbeddedProcess) -> None:
    made = stand(aws)
    made.converge()
    embedded.order({"service": "wafv2", "error": {"code": "WAFInternalErrorException", "message": "later"}})
    plan = made.plan()
    assert plan.changes == ()
    assert "cannot be read: WAFInternalErrorException" in plan.remarks[made.find(ASSOCIATION)][0]


@pytest.mark.parametrize(
    "missing", ["wafv2:GetWebACL", "wafv2:GetWebACLForResource", "elasticloadbalancing:GetLoadBalancerWebACL"]
)
def test_who_may_not_look_does_not_know_that_there_is_none(
    aws: Aws, embedded: EmbeddedProcess, missing: str
) -> None:
    firewall = web_acl(embedded, "ours")
    stand(aws, firewall).converge()
    looking = ["wafv2:GetWebACL", "wafv2:GetWebACLForResource", "elasticloadbalancing:*", "ec2:*", "acm:*"]
    denied = {"Effect": "Deny", "Action": missing, "Resource": "*"}
    who = session(embedded, "looks", allow(looking), denied)
    less = Aws("us-east-2", endpoint_url=embedded.url, credentials=who.credentials)
    unset = stand(less)
    plan = unset.plan()
    (remark,) = plan.remarks[unset.find(ASSOCIATION)]
    assert remark.startswith("its web ACL cannot be read: AccessDeniedException")
    with pytest.raises(AwsCallError) as refused:
        stand(less, firewall).plan()
    assert f"change the statement that denies {missing}: " in refused.value.next_step
