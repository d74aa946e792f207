"""Health checks and the states of targets.

Quotes are from "Health checks for Application Load Balancer target groups" unless they name another source.
"""

from __future__ import annotations

import socket
from contextlib import closing
from typing import Any

import pytest

from tests.embedded.balanced import PORT, Balanced, permission
from tests.embedded_process import eventually, start

CHECKING = {
    "State": "initial",
    "Reason": "Elb.InitialHealthChecking",
    "Description": "Initial health checks in progress",
}
REFUSED = {
    "State": "unhealthy",
    "Reason": "Target.FailedHealthChecks",
    "Description": "Health checks failed",
}
TIMED_OUT = {"State": "unhealthy", "Reason": "Target.Timeout", "Description": "Request timed out"}


def await_health(balanced: Balanced, ip: str, expected: dict[str, str]) -> None:
    """Wait until a target's health is exactly this."""
    eventually(lambda: balanced.health(ip) == expected)


def test_a_healthy_target_has_no_reason(balanced: Balanced) -> None:
    """TargetHealth.Reason: "If the target state is healthy, a reason code is not provided." """
    balanced.add("one")
    assert balanced.health(balanced.addresses["one"]) == {"State": "healthy"}


def test_a_new_target_is_initial() -> None:
    """initial: "in the process of registering the target or performing the initial health checks"."""
    with start(speed=1, boot_allowance=2) as slow, closing(Balanced(slow)) as balanced:
        ip = balanced.make_address()
        balanced.register(ip)
        assert balanced.health(ip) == {
            "State": "initial",
            "Reason": "Elb.RegistrationInProgress",
            "Description": "Target registration is in progress",
        }
        await_health(balanced, ip, CHECKING)


def test_one_success_is_enough_for_a_new_target(balanced: Balanced) -> None:
    """ "After your target is registered, it must pass one health check to be considered healthy." """
    balanced.elb.modify_target_group(TargetGroupArn=balanced.target_group, HealthyThresholdCount=10)
    site = balanced.add("one")
    assert len(site.checks) < 10


def test_an_unhealthy_target_needs_the_threshold(balanced: Balanced) -> None:
    """HealthyThresholdCount: "The number of consecutive successful health checks required before considering an
    unhealthy target healthy."
    """
    balanced.elb.modify_target_group(TargetGroupArn=balanced.target_group, HealthyThresholdCount=4)
    site = balanced.add("one")
    site.health = 500
    balanced.await_state(balanced.addresses["one"], "unhealthy")
    site.checks.clear()
    site.health = 200
    balanced.await_state(balanced.addresses["one"], "healthy")
    assert len(site.checks) >= 4


def test_failures_must_reach_the_threshold(balanced: Balanced) -> None:
    """UnhealthyThresholdCount: "The number of consecutive failed health checks required before considering a target
    unhealthy."
    """
    balanced.elb.modify_target_group(TargetGroupArn=balanced.target_group, UnhealthyThresholdCount=5)
    site = balanced.add("one")
    site.checks.clear()
    site.health = 500
    balanced.await_state(balanced.addresses["one"], "unhealthy")
    assert len(site.checks) >= 5


def test_a_wrong_code(balanced: Balanced) -> None:
    """Target.ResponseCodeMismatch: "Health checks failed with these codes: [code]"."""
    balanced.add("one").health = 404
    await_health(
        balanced,
        balanced.addresses["one"],
        {
            "State": "unhealthy",
            "Reason": "Target.ResponseCodeMismatch",
            "Description": "Health checks failed with these codes: [404]",
        },
    )


@pytest.mark.parametrize(("matcher", "status"), [("200,404", 404), ("200-299", 250), ("300-302,401", 301)])
def test_the_matcher(balanced: Balanced, matcher: str, status: int) -> None:
    """Matcher: "You can specify multiple values (for example, "200,202") or a range of values (for example,
    "200-299")."; a redirect is not followed.
    """
    balanced.elb.modify_target_group(TargetGroupArn=balanced.target_group, Matcher={"HttpCode": matcher})
    site = balanced.start("one")
    site.health = status
    balanced.register(balanced.addresses["one"])
    balanced.await_state(balanced.addresses["one"], "healthy")
    site.health = 200 if "200" not in matcher else 499
    balanced.await_state(balanced.addresses["one"], "unhealthy")


def test_a_refused_connection(balanced: Balanced) -> None:
    """Target.FailedHealthChecks: "an error while establishing a connection to the target" (TargetHealth)."""
    balanced.add("one").stop()
    await_health(balanced, balanced.addresses["one"], REFUSED)


def test_a_target_that_speaks_no_http(balanced: Balanced) -> None:
    """Target.FailedHealthChecks: "or the target response was malformed" (TargetHealth)."""
    ip = balanced.make_address()
    with socket.create_server((balanced.loopback(ip), PORT)) as server:
        balanced.register(ip)
        for _ in range(3):
            client, _ = server.accept()
            with client:
                client.sendall(b"SSH-2.0-OpenSSH_9.6\r\n")
        await_health(balanced, ip, REFUSED)


def test_a_target_that_does_not_answer(balanced: Balanced) -> None:
    """Target.Timeout: "The health check requests timed out." (TargetHealth)"""
    ip = balanced.make_address()
    with socket.create_server((balanced.loopback(ip), PORT)):
        balanced.register(ip)
        await_health(balanced, ip, TIMED_OUT)


def test_a_security_group_in_the_way(balanced: Balanced) -> None:
    """ "You must ensure that your load balancer can communicate with registered targets on both the listener port
    and the health check port": else packets are dropped, Target.Timeout.
    """
    balanced.add("one")
    balanced.ec2.revoke_security_group_ingress(
        GroupId=balanced.inner, IpPermissions=permission(balanced.outer, PORT)
    )
    await_health(balanced, balanced.addresses["one"], TIMED_OUT)
    balanced.allow_from(balanced.inner, balanced.outer, PORT)
    await_health(balanced, balanced.addresses["one"], {"State": "healthy"})


def test_the_load_balancers_own_group_must_let_it_out(balanced: Balanced) -> None:
    """ "Security groups for your Application Load Balancer": outbound to the targets on their ports."""
    balanced.add("one")
    everything = [{"IpProtocol": "-1", "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}]
    balanced.ec2.revoke_security_group_egress(GroupId=balanced.outer, IpPermissions=everything)
    await_health(balanced, balanced.addresses["one"], TIMED_OUT)
    balanced.ec2.authorize_security_group_egress(
        GroupId=balanced.outer, IpPermissions=permission(balanced.inner, PORT)
    )
    await_health(balanced, balanced.addresses["one"], {"State": "healthy"})


def test_address_ranges_count(balanced: Balanced) -> None:
    """A rule may allow the load balancer's subnets instead of its group; all of them."""
    blocks = [
        one["CidrBlock"] for one in balanced.ec2.describe_subnets(SubnetIds=balanced.subnets)["Subnets"]
    ]
    guarded = balanced.make_group("guarded")
    balanced.allow(guarded, PORT, CidrIp=blocks[0])
    ip = balanced.make_address(guarded)
    balanced.start("one", ip)
    balanced.register(ip)
    await_health(balanced, ip, TIMED_OUT)
    balanced.allow(guarded, PORT, CidrIp=blocks[1])
    await_health(balanced, ip, {"State": "healthy"})


def test_an_address_without_interface_answers_nobody(balanced: Balanced) -> None:
    """Nothing is there to refuse a connection."""
    (block,) = {
        one["CidrBlock"] for one in balanced.ec2.describe_subnets(SubnetIds=balanced.subnets[:1])["Subnets"]
    }
    ip = block.rpartition(".")[0] + ".251"
    balanced.register(ip)
    await_health(balanced, ip, TIMED_OUT)


def test_how_it_asks(balanced: Balanced) -> None:
    """ "User-Agent: ELB-HealthChecker/2.0"; the host is the target's address; the connection is closed after it."""
    site = balanced.add("one")
    check = site.checks[0]
    assert (check.method, check.path) == ("GET", "/health")
    assert check.header("User-Agent") == "ELB-HealthChecker/2.0"
    assert check.header("Host") == f"{balanced.addresses['one']}:{PORT}"
    eventually(lambda: len(site.checks) > 2)
    assert check.header("Connection") == "close"


def test_the_settings_may_change(balanced: Balanced) -> None:
    """ModifyTargetGroup: path and port of the next check are the new ones."""
    balanced.add("one")
    beside = balanced.start("beside", balanced.addresses["one"], port=9000)
    balanced.allow_from(balanced.inner, balanced.outer, 9000)
    balanced.elb.modify_target_group(
        TargetGroupArn=balanced.target_group, HealthCheckPort="9000", HealthCheckPath="/other?x=1"
    )
    assert eventually(lambda: beside.seen)[0].path == "/other?x=1"
    found = balanced.elb.describe_target_health(TargetGroupArn=balanced.target_group)
    assert found["TargetHealthDescriptions"][0]["HealthCheckPort"] == "9000"


def describe(balanced: Balanced, target_group: str) -> Any:
    """The only target of a group, as DescribeTargetHealth shows it."""
    found = balanced.elb.describe_target_health(TargetGroupArn=target_group)["TargetHealthDescriptions"]
    assert len(found) == 1
    return found[0]


def test_a_group_without_listener_is_unused(balanced: Balanced) -> None:
    """Target.NotInUse: "Target group is not configured to receive traffic from the load balancer"."""
    lonely = balanced.make_target_group("lonely")
    ip = balanced.make_address()
    balanced.register(ip, lonely)
    assert describe(balanced, lonely) == {
        "Target": {"Id": ip, "Port": PORT, "AvailabilityZone": "us-east-2a"},
        "HealthCheckPort": str(PORT),
        "TargetHealth": {
            "State": "unused",
            "Reason": "Target.NotInUse",
            "Description": "Target group is not configured to receive traffic from the load balancer",
        },
    }
    balanced.listen(81, balanced.forward(lonely))
    assert describe(balanced, lonely)["TargetHealth"]["State"] == "initial"


def test_losing_the_listener_makes_targets_unused(balanced: Balanced) -> None:
    """ "you must ... specify its target group in a listener rule"; afterwards the checks begin anew."""
    balanced.add("one")
    balanced.elb.delete_listener(ListenerArn=balanced.listener)
    assert balanced.health(balanced.addresses["one"])["State"] == "unused"
    balanced.listen(80, balanced.forward(balanced.target_group))
    assert balanced.health(balanced.addresses["one"])["State"] == "initial"
    balanced.await_state(balanced.addresses["one"], "healthy")


def test_a_zone_that_is_not_enabled(balanced: Balanced) -> None:
    """Target.NotInUse: "Target is in an Availability Zone that is not enabled for the load balancer"."""
    every = balanced.ec2.describe_subnets()["Subnets"]
    elsewhere = next(one["SubnetId"] for one in every if one["SubnetId"] not in balanced.subnets)
    made = balanced.ec2.create_network_interface(SubnetId=elsewhere, Groups=[balanced.inner])
    ip = made["NetworkInterface"]["PrivateIpAddress"]
    balanced.register(ip)
    assert balanced.health(ip) == {
        "State": "unused",
        "Reason": "Target.NotInUse",
        "Description": "Target is in an Availability Zone that is not enabled for the load balancer",
    }
    balanced.elb.set_subnets(LoadBalancerArn=balanced.arn, Subnets=[*balanced.subnets, elsewhere])
    assert balanced.health(ip)["State"] == "initial"


def test_targets_that_were_never_registered(balanced: Balanced) -> None:
    """Target.NotRegistered: "Target is not registered to the target group"."""
    asked = [{"Id": balanced.make_address(), "Port": 1234}]
    found = balanced.elb.describe_target_health(TargetGroupArn=balanced.target_group, Targets=asked)
    (only,) = found["TargetHealthDescriptions"]
    assert only["Target"] == asked[0]
    assert only["TargetHealth"]["Reason"] == "Target.NotRegistered"


def test_one_address_may_be_registered_with_several_ports(balanced: Balanced) -> None:
    """ "You can register each EC2 instance or IP address with the same target group multiple times using different
    ports" ("Target groups for your Application Load Balancers").
    """
    balanced.add("one")
    balanced.register(balanced.addresses["one"], Port=9000)
    found = balanced.elb.describe_target_health(TargetGroupArn=balanced.target_group)
    assert [one["Target"]["Port"] for one in found["TargetHealthDescriptions"]] == [PORT, 9000]


def test_registering_again_changes_nothing(balanced: Balanced) -> None:
    """RegisterTargets of a registered target succeeds."""
    balanced.add("one")
    balanced.register(balanced.addresses["one"])
    assert balanced.health(balanced.addresses["one"]) == {"State": "healthy"}


def test_a_program_is_given_time_to_start() -> None:
    """The boot allowance: time runs fast here, but programs do not start faster; a port that is not open yet does
    not count while it lasts. What answers wrongly counts at once.
    """
    with start(speed=1000, boot_allowance=60) as running:
        balanced = Balanced(running)
        slow, wrong = balanced.make_address(), balanced.make_address()
        balanced.start("wrong", wrong).health = 500
        balanced.register(slow)
        balanced.register(wrong)
        balanced.await_state(wrong, "unhealthy")
        assert balanced.health(slow) == CHECKING
        site = balanced.start("slow", slow)
        balanced.await_state(slow, "healthy")
        site.stop()
        balanced.await_state(slow, "unhealthy")  # once a program has accepted, it has booted
        balanced.close()
