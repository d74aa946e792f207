"""Where tasks and load balancer go: connectors, private services, zones, IPv6."""

from __future__ import annotations

from typing import Any

import pytest

from lobster_tasks.apprunner.description import Subnet, Vpc
from lobster_tasks.apprunner.mapping import MappedService
from lobster_tasks.settings import load

from .descriptions import mapped, row, setting, subnet

ENDPOINTS = frozenset({"ecr.api", "ecr.dkr", "logs", "s3"})
PUBLIC = (subnet("0a", "a"), subnet("0b", "b"), subnet("0c", "c"))
PRIVATE = (subnet("1a", "a", "nat"), subnet("1b", "b", "nat"), subnet("1c", "c", "nat"))
CUT_OFF = (subnet("2a", "a", ""), subnet("2b", "b", ""))


def network(*, egress: str = "VPC", public: bool = True, address: str = "IPV4") -> dict[str, Any]:
    """NetworkConfiguration."""
    arn = {"VpcConnectorArn": "arn:connector"} if egress == "VPC" else {}
    return {
        "NetworkConfiguration": {
            "EgressConfiguration": {"EgressType": egress, **arn},
            "IngressConfiguration": {"IsPubliclyAccessible": public},
            "IpAddressType": address,
        }
    }


def connected(
    vpc: Vpc | None, *named: Subnet, groups: tuple[str, ...] = ("sg-1",), **more: Any
) -> MappedService:
    """A service with a connector into these subnets."""
    connector = {"Subnets": [each.id for each in named], "SecurityGroups": list(groups)}
    return mapped(network(**more), vpc=vpc, connector=connector)


def vpc_of(*subnets: Subnet, endpoints: frozenset[str] = frozenset()) -> Vpc:
    """A VPC of these."""
    return Vpc("vpc-9", False, subnets, endpoints)


def placed(made: MappedService) -> tuple[Any, Any, Any]:
    """The load balancer's subnets, the tasks', and whether these have public addresses."""
    loaded = load(made.settings).network
    return loaded.subnets, loaded.task_subnets, loaded.public


def test_egress_by_app_runners_own_network_becomes_public_subnets() -> None:
    made = mapped()
    assert setting(made, "network") is None
    assert row(made, "EgressType").kind == "translated"


def test_no_default_vpc() -> None:
    assert row(mapped(vpc=None), "EgressType").kind == "approximated"
    one_zone = Vpc("vpc-1", True, (subnet("a", "a"), subnet("b", "b", "")))
    assert "two Availability Zones" in row(mapped(vpc=one_zone), "EgressType").note


def test_a_connectors_private_subnets_take_the_tasks() -> None:
    made = connected(vpc_of(*PUBLIC, *PRIVATE), *PRIVATE[:2])
    assert placed(made) == (("subnet-0a", "subnet-0b"), ("subnet-1a", "subnet-1b"), False)
    assert setting(made, "network.vpc") == "vpc-9"
    assert setting(made, "network.security_groups") == ["sg-1"]
    assert row(made, "VpcConnector.Subnets").kind == "translated"


def test_public_subnets_of_a_connector_give_tasks_public_addresses() -> None:
    made = connected(vpc_of(*PUBLIC), *PUBLIC[:2])
    assert placed(made) == (("subnet-0a", "subnet-0b"), ("subnet-0a", "subnet-0b"), True)


def test_only_those_with_a_way_out_are_taken() -> None:
    made = connected(vpc_of(*PUBLIC, *PRIVATE, *CUT_OFF), PRIVATE[0], CUT_OFF[1])
    told = row(made, "VpcConnector.Subnets")
    assert (told.kind, told.new) == ("approximated", "subnet-1a")
    assert placed(made)[1] == ("subnet-1a",)


def test_endpoints_are_a_way_out() -> None:
    made = connected(vpc_of(*PUBLIC, *CUT_OFF, endpoints=ENDPOINTS), *CUT_OFF)
    assert row(made, "VpcConnector.Subnets").kind == "translated"
    assert placed(made) == (("subnet-0a", "subnet-0b"), ("subnet-2a", "subnet-2b"), False)


def test_without_a_way_out_tasks_go_to_public_subnets_of_the_same_vpc() -> None:
    made = connected(vpc_of(*PUBLIC, *CUT_OFF), *CUT_OFF)
    told = row(made, "VpcConnector.Subnets")
    assert told.kind == "approximated"
    assert "no endpoint for ecr.api, ecr.dkr, logs, s3" in told.note
    assert "NAT gateway" in told.decide
    assert placed(made)[2] is True


def test_no_way_out_anywhere() -> None:
    made = connected(vpc_of(*CUT_OFF), *CUT_OFF)
    assert row(made, "VpcConnector.Subnets").kind == "approximated"
    assert row(made, "(load balancer subnets)").kind == "approximated"
    assert load(made.settings).network.task_subnets == ("subnet-2a", "subnet-2b")


def test_tasks_in_zones_without_the_load_balancer_are_left_out() -> None:
    made = connected(vpc_of(*PUBLIC[:2], *PRIVATE), *PRIVATE)
    assert placed(made) == (("subnet-0a", "subnet-0b"), ("subnet-1a", "subnet-1b"), False)
    assert row(made, "VpcConnector.Subnets (zones)").old == ["subnet-1c"]


def test_tasks_in_one_zone_have_a_load_balancer_in_two() -> None:
    made = connected(vpc_of(*PUBLIC, *PRIVATE), PRIVATE[2])
    assert placed(made) == (("subnet-0c", "subnet-0a"), ("subnet-1c",), False)


def test_a_vpc_without_public_subnets_has_no_internet_facing_load_balancer() -> None:
    made = connected(vpc_of(*PRIVATE), *PRIVATE)
    told = row(made, "(load balancer subnets)")
    assert told.kind == "approximated"
    assert "load_balancer.internal: true" in told.decide


def test_more_groups_than_a_task_has() -> None:
    groups = tuple(f"sg-{number}" for number in range(5))
    made = connected(vpc_of(*PUBLIC, *PRIVATE), *PRIVATE, groups=groups)
    assert load(made.settings).network.security_groups == groups[:4]
    assert row(made, "VpcConnector.SecurityGroups").decide == "merge the rules of sg-4 into the others"


def test_a_connector_that_may_not_be_read() -> None:
    made = mapped(network(), connector=None, unknown={"VpcConnector": "AWS refused it"})
    assert row(made, "VpcConnectorArn").kind == "approximated"
    assert row(connected(None, *PRIVATE), "VpcConnector.Subnets").kind == "approximated"


def test_a_network_that_may_not_be_read_is_not_one_that_is_not_there() -> None:
    made = mapped(vpc=None, unknown={"network": "AWS refused ec2:DescribeVpcs"})
    told = row(made, "EgressType")
    assert "AWS refused ec2:DescribeVpcs" in told.note
    assert "create-default-vpc" not in told.decide
    assert "there is no default VPC" in row(mapped(vpc=None), "EgressType").note


INGRESS = {
    "DomainName": "x.vpce.amazonaws.com",
    "IngressVpcConfiguration": {"VpcId": "vpc-9", "VpcEndpointId": "vpce-1"},
}


def private(vpc: Vpc | None, ingress: tuple[dict[str, Any], ...] = (INGRESS,)) -> MappedService:
    """A private service without a connector."""
    into = ingress[0]["IngressVpcConfiguration"]["VpcId"] if ingress else ""
    return mapped(network(egress="DEFAULT", public=False), vpc=vpc, ingress=ingress, ingress_vpc=into)


def test_a_private_service_has_an_internal_load_balancer_in_its_vpc() -> None:
    made = private(vpc_of(*PUBLIC, *PRIVATE))
    assert load(made.settings).load_balancer.internal is True
    assert placed(made) == (
        ("subnet-1a", "subnet-1b", "subnet-1c"),
        ("subnet-1a", "subnet-1b", "subnet-1c"),
        False,
    )
    assert row(made, "VpcIngressConnection.IngressVpcConfiguration.VpcId").kind == "same"
    assert row(made, "VpcIngressConnection.DomainName").kind == "translated"


def test_a_private_service_in_public_subnets_only() -> None:
    assert placed(private(vpc_of(*PUBLIC[:2])))[2] is True


def test_a_private_service_that_nobody_reaches() -> None:
    made = private(vpc_of(*PRIVATE), ingress=())
    assert row(made, "VpcIngressConnection").decide
    assert row(private(None), "EgressType").kind == "approximated"
    assert row(private(vpc_of(*CUT_OFF)), "EgressType").kind == "approximated"


def test_a_private_service_with_a_connector_elsewhere() -> None:
    other = {"IngressVpcConfiguration": {"VpcId": "vpc-7", "VpcEndpointId": "vpce-1"}, "DomainName": "x"}
    connector = {"Subnets": ["subnet-1a", "subnet-1b"], "SecurityGroups": []}
    made = mapped(
        network(public=False),
        vpc=vpc_of(*PRIVATE),
        connector=connector,
        ingress=(other,),
        ingress_vpc="vpc-7",
    )
    told = row(made, "VpcIngressConnection.IngressVpcConfiguration.VpcId")
    assert (told.kind, told.decide[:22]) == ("approximated", "peer vpc-7 with vpc-9,")
    assert placed(made)[0] == ("subnet-1a", "subnet-1b")


@pytest.mark.parametrize(
    ("ipv6", "kind", "dual"), [(True, "translated", True), (False, "approximated", False)]
)
def test_dual_stack_needs_ipv6_blocks(ipv6: bool, kind: str, dual: bool) -> None:
    vpc = Vpc("vpc-1", True, tuple(subnet(zone, zone, ipv6=ipv6) for zone in "abc"))
    made = mapped(network(egress="DEFAULT", address="DUAL_STACK"), vpc=vpc)
    assert row(made, "IpAddressType").kind == kind
    assert load(made.settings).load_balancer.dual_stack is dual
