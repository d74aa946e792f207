"""Load balancer, target group and listeners, with a certificate and without."""

from __future__ import annotations

from typing import Any

import pytest

from lobster_tasks.aws import Aws
from lobster_tasks.errors import AccountHeldError
from lobster_tasks.stack import LiveResources
from tests.embedded.test_conformance_elbv2_tls import make_certificate
from tests.embedded_process import EmbeddedProcess

from .stand import Stand

LISTENERS = ("listener", "target-group")


def listeners(embedded: EmbeddedProcess) -> dict[int, str]:
    """What each port does: the type of its default action."""
    elbv2 = embedded.client("elbv2")
    (balancer,) = elbv2.describe_load_balancers()["LoadBalancers"]
    found = elbv2.describe_listeners(LoadBalancerArn=balancer["LoadBalancerArn"])["Listeners"]
    return {each["Port"]: each["DefaultActions"][0]["Type"] for each in found}


@pytest.fixture
def certificate(embedded: EmbeddedProcess) -> str:
    """The ARN of an issued certificate."""
    made = make_certificate("app.example.com")
    acm = embedded.client("acm")
    arn: str = acm.import_certificate(Certificate=made.certificate, PrivateKey=made.key)["CertificateArn"]
    return arn


def test_with_a_certificate_https_is_there_before_anybody_is_sent_to_it(
    aws: Aws, embedded: EmbeddedProcess, certificate: str
) -> None:
    Stand.of(aws, *LISTENERS).converge()
    assert listeners(embedded) == {80: "forward"}
    embedded.forget_calls()
    late = {"service": "ec2", "operation": "AuthorizeSecurityGroupIngress", "delay_seconds": 0.5}
    embedded.order(late)
    secure = Stand.of(aws, *LISTENERS, load_balancer={"certificate": certificate})
    secure.converge()
    assert listeners(embedded) == {80: "redirect", 443: "forward"}
    assert [call["operation"] for call in embedded.calls(mutating=True)] == [
        "AuthorizeSecurityGroupIngress",
        "CreateListener",
        "ModifyListener",
    ]


def test_back_to_http_it_serves_again_and_can_be_removed(
    aws: Aws, embedded: EmbeddedProcess, certificate: str
) -> None:
    Stand.of(aws, *LISTENERS, load_balancer={"certificate": certificate}).converge()
    plain = Stand.of(aws, *LISTENERS)
    embedded.forget_calls()
    plain.converge()
    assert listeners(embedded) == {80: "forward"}
    changes = [call["operation"] for call in embedded.calls(mutating=True)]
    assert changes.index("ModifyListener") < changes.index("DeleteListener")
    plain.remove()
    assert embedded.client("elbv2").describe_target_groups()["TargetGroups"] == []


def test_another_certificate_or_an_older_policy_is_put_right(
    aws: Aws, embedded: EmbeddedProcess, certificate: str
) -> None:
    stand = Stand.of(aws, *LISTENERS, load_balancer={"certificate": certificate})
    stand.converge()
    elbv2, made = embedded.client("elbv2"), make_certificate("other.example.com")
    other = embedded.client("acm").import_certificate(Certificate=made.certificate, PrivateKey=made.key)
    elbv2.modify_listener(
        ListenerArn=stand.live("listener/lobster-alb:443").id,
        Certificates=[{"CertificateArn": other["CertificateArn"]}],
        SslPolicy="ELBSecurityPolicy-2016-08",
    )
    (change,) = stand.plan().changes
    assert change.changed == {"certificate", "TLS-policy"}
    stand.converge()


@pytest.mark.parametrize(
    "redirect",
    [
        {"Protocol": "HTTPS", "Port": "8443", "StatusCode": "HTTP_301"},
        {"Host": "x", "StatusCode": "HTTP_302"},
    ],
)
def test_a_redirect_elsewhere_is_put_right(
    aws: Aws, embedded: EmbeddedProcess, certificate: str, redirect: dict[str, Any]
) -> None:
    stand = Stand.of(aws, *LISTENERS, load_balancer={"certificate": certificate})
    stand.converge()
    embedded.client("elbv2").modify_listener(
        ListenerArn=stand.live("listener/lobster-alb:80").id,
        DefaultActions=[{"Type": "redirect", "RedirectConfig": redirect}],
    )
    (change,) = stand.plan().changes
    assert change.changed == {"action"}
    stand.converge()


def test_listeners_of_others_on_the_load_balancer_are_theirs(aws: Aws, embedded: EmbeddedProcess) -> None:
    stand = Stand.of(aws, *LISTENERS)
    stand.converge()
    fixed = {"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": "200"}}
    embedded.client("elbv2").create_listener(
        LoadBalancerArn=stand.live("load-balancer/lobster-alb").id,
        Port=8080,
        Protocol="HTTP",
        DefaultActions=[fixed],
    )
    assert stand.plan().changes == ()
    assert listeners(embedded) == {80: "forward", 8080: "fixed-response"}


def test_https_of_others_is_theirs(aws: Aws, embedded: EmbeddedProcess, certificate: str) -> None:
    stand = Stand.of(aws, *LISTENERS)
    stand.converge()
    embedded.client("elbv2").create_listener(
        LoadBalancerArn=stand.live("load-balancer/lobster-alb").id,
        Port=443,
        Protocol="HTTPS",
        Certificates=[{"CertificateArn": certificate}],
        DefaultActions=[{"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": "200"}}],
    )
    assert stand.plan().changes == ()
    assert listeners(embedded) == {80: "forward", 443: "fixed-response"}


def test_domains_are_served_with_whatever_certificate_covers_them(
    aws: Aws, embedded: EmbeddedProcess, certificate: str
) -> None:
    stand = Stand.of(aws, *LISTENERS, domains=["app.example.com"])
    stand.converge()
    assert listeners(embedded) == {80: "redirect", 443: "forward"}
    stand.remove()
    acm = embedded.client("acm")
    assert acm.describe_certificate(CertificateArn=certificate)["Certificate"]["Status"] == "ISSUED"


def test_a_certificate_of_ours_goes_with_the_stack(aws: Aws, embedded: EmbeddedProcess) -> None:
    stand = Stand.of(aws, *LISTENERS, domains=["app.example.com", "example.com"])
    stand.converge()
    assert listeners(embedded) == {80: "forward"}
    resource = stand.find("certificate/app.example.com")
    made = resource.create(aws, LiveResources({}))
    found = stand.live("certificate/app.example.com")
    assert (found.id, found.stack) == (made.id, "lobster")
    assert found.attributes == {"status": "PENDING_VALIDATION", "names": ("app.example.com", "example.com")}
    assert stand.plan().changes == ()
    stand.remove()
    assert embedded.client("acm").list_certificates()["CertificateSummaryList"] == []


def test_a_target_group_speaks_what_a_websocket_needs(aws: Aws, embedded: EmbeddedProcess) -> None:
    Stand.of(aws, *LISTENERS).converge()
    (group,) = embedded.client("elbv2").describe_target_groups()["TargetGroups"]
    assert (group["TargetType"], group["Protocol"], group["ProtocolVersion"], group["Port"]) == (
        "ip",
        "HTTP",
        "HTTP1",
        8501,
    )
    assert (group["HealthCheckPath"], group["HealthCheckIntervalSeconds"]) == ("/_stcore/health", 5)


def test_a_load_balancer_of_another_vpc_cannot_be_taken_over(aws: Aws, embedded: EmbeddedProcess) -> None:
    ec2 = embedded.client("ec2")
    vpc = ec2.create_vpc(CidrBlock="10.9.0.0/16")["Vpc"]["VpcId"]
    subnets = [
        ec2.create_subnet(VpcId=vpc, CidrBlock=f"10.9.{n}.0/24", AvailabilityZone=f"us-east-2{zone}")
        for n, zone in enumerate("ab")
    ]
    ids = [each["Subnet"]["SubnetId"] for each in subnets]
    embedded.client("elbv2").create_load_balancer(Name="lobster-alb", Subnets=ids, Scheme="internal")
    stand = Stand.of(aws, "load-balancer")
    (change,) = stand.plan(adopt=True).impossible
    assert {"vpc", "scheme"} <= change.changed


def test_stickiness_is_a_setting(aws: Aws, embedded: EmbeddedProcess) -> None:
    Stand.of(aws, *LISTENERS).converge()
    Stand.of(aws, *LISTENERS, load_balancer={"stickiness": False}).converge()
    elbv2 = embedded.client("elbv2")
    (group,) = elbv2.describe_target_groups()["TargetGroups"]
    found = elbv2.describe_target_group_attributes(TargetGroupArn=group["TargetGroupArn"])["Attributes"]
    assert {each["Key"]: each["Value"] for each in found}["stickiness.enabled"] == "false"


def test_a_listener_that_is_just_gone_holds_its_target_group_for_a_while(
    aws: Aws, embedded: EmbeddedProcess
) -> None:
    stand = Stand.of(aws, *LISTENERS)
    stand.converge()
    busy = {"code": "ResourceInUse", "message": "currently in use by a listener or a rule"}
    embedded.order({"operation": "DeleteTargetGroup", "nth": [1, 2], "error": busy})
    stand.remove()
    assert embedded.client("elbv2").describe_target_groups()["TargetGroups"] == []


def test_more_domains_than_a_certificate_takes(aws: Aws, embedded: EmbeddedProcess) -> None:
    """Ten, until more is asked for (ACM, "Quotas"): the setting is named, and what to ask for."""
    names = [f"n{number}.example.com" for number in range(11)]
    certificate = Stand.of(aws, "certificate", domains=names).find("certificate/n0.example.com")
    with pytest.raises(AccountHeldError) as refused:
        certificate.create(aws, LiveResources({}))
    assert "set fewer domains" in refused.value.next_step
    assert "L-FB94F0B0" in refused.value.next_step
    assert embedded.client("acm").list_certificates()["CertificateSummaryList"] == []
    ten = Stand.of(aws, "certificate", domains=names[:10]).find("certificate/n0.example.com")
    assert ten.create(aws, LiveResources({})).attributes["status"] == "PENDING_VALIDATION"
