"""What stands in, in a rehearsal, for what a real account holds."""

from __future__ import annotations

import json
from typing import Any

import pytest

from lobster_tasks.aws import Aws
from lobster_tasks.rehearsal.stand_in import patient, stand_in
from lobster_tasks.settings import Settings, load
from tests.embedded_process import EmbeddedProcess

SECRET = "arn:aws:secretsmanager:eu-west-1:999999999999:secret:"
PARAMETER = "arn:aws:ssm:eu-west-1:999999999999:parameter"


def with_secrets(**sources: str) -> Settings:
    """Settings with these secrets."""
    return load({"container": {"secrets": sources}})


def test_what_can_be_rehearsed_stays(aws: Aws) -> None:
    policies = {"policies": ["arn:aws:iam::aws:policy/ReadOnlyAccess"]}
    settings = load({"task": policies, "front": {"kind": "cloudfront"}})
    assert stand_in(aws, settings) == (settings, ())


@pytest.mark.parametrize(
    ("given", "speed", "waits"), [(15, 20, 300), (15, 100, 360), (0.5, 1, 0.5), (2, 0.5, 2)]
)
def test_a_rehearsal_waits_by_the_time_of_the_machine(given: float, speed: float, waits: float) -> None:
    """Programs start no faster because AWS's time does: a busy machine is no release that is out of time."""
    settings = load({"deployment": {"wait_minutes": given, "desired_count": 2}})
    assert patient(settings, speed).deployment.wait_minutes == waits
    assert patient(settings, speed).deployment.desired_count == 2


@pytest.mark.parametrize(
    ("given", "then", "note"),
    [
        (
            {"network": {"vpc": "vpc-1", "subnets": ["subnet-1", "subnet-2"]}},
            {"network": {"vpc": None, "subnets": None, "public": True}},
            "network: the default VPC stands in for yours",
        ),
        (
            {"load_balancer": {"internal": True, "name": "mine"}},
            {"load_balancer": {"internal": False, "name": "mine"}},
            "load_balancer: an internet-facing one with HTTP stands in for yours",
        ),
        (
            {"load_balancer": {"certificate": "arn:aws:acm:us-east-2:123456789012:certificate/x"}},
            {"load_balancer": {"certificate": None}},
            "load_balancer: an internet-facing one with HTTP stands in for yours",
        ),
        (
            {
                "domains": ["app.example.com"],
                "sign_in": {
                    "kind": "cognito",
                    "user_pool": "us-east-2_a",
                    "user_pool_domain": "app",
                    "client_id": "client",
                },
            },
            {"sign_in": {"kind": "none", "user_pool": None}},
            "sign_in: left out, since it needs HTTPS",
        ),
        (
            {"front": {"kind": "cloudfront"}, "load_balancer": {"internal": True, "dual_stack": True}},
            {"front": {"kind": "cloudfront"}, "load_balancer": {"internal": True, "dual_stack": False}},
            "load_balancer: an internal one without IPv6 stands in for yours",
        ),
        (
            {
                "front": {
                    "kind": "cloudfront",
                    "certificate": "arn:aws:acm:us-east-1:123456789012:certificate/x",
                },
                "domains": ["app.example.com"],
            },
            {"front": {"kind": "cloudfront", "certificate": None}},
            "front.certificate: one that is requested here stands in for yours",
        ),
        (
            {"task": {"policies": ["arn:aws:iam::aws:policy/X", "arn:aws:iam::123456789012:policy/Mine"]}},
            {"task": {"policies": ("arn:aws:iam::aws:policy/X",)}},
            "policies: arn:aws:iam::123456789012:policy/Mine left out",
        ),
        (
            {"task": {"permissions_boundary": "arn:aws:iam::123456789012:policy/Bound"}},
            {"task": {"permissions_boundary": None}},
            "policies: arn:aws:iam::123456789012:policy/Bound left out",
        ),
        (
            {"xray": {"enabled": True, "image": "mine:1"}},
            {"xray": {"enabled": False, "image": "mine:1"}},
            "xray: no collector, since its image is not on this machine",
        ),
        (
            {"deployment": {"desired_count": 0}},
            {"deployment": {"desired_count": 1}},
            "deployment.desired_count: 1 stands in for 0",
        ),
    ],
)
def test_what_cannot_is_replaced_and_said(
    aws: Aws, given: dict[str, Any], then: dict[str, dict[str, Any]], note: str
) -> None:
    settings, notes = stand_in(aws, load(given))
    assert notes == (note,)
    for section, values in then.items():
        assert {key: getattr(getattr(settings, section), key) for key in values} == values


def test_every_kind_of_secret_is_there(aws: Aws, embedded: EmbeddedProcess) -> None:
    given = with_secrets(
        WHOLE=f"{SECRET}whole-x1Y2z3",
        ONE=f"{SECRET}shared-a1B2c3:one::",
        TWO=f"{SECRET}shared-a1B2c3:two:AWSPREVIOUS:",
        NAMED="/app/named",
        BY_ARN=f"{PARAMETER}/app/by-arn",
        SHORT=f"{PARAMETER}/short",
    )
    settings, notes = stand_in(aws, given)
    found = settings.container.secrets
    assert notes == ("secrets: WHOLE, ONE, TWO, NAMED, BY_ARN, SHORT with stand-in values",)
    manager, ssm = embedded.client("secretsmanager"), embedded.client("ssm")
    assert manager.get_secret_value(SecretId=found["WHOLE"])["SecretString"] == "rehearsal"
    shared, _, rest = found["ONE"].rpartition(":one")
    assert (rest, found["TWO"]) == ("::", f"{shared}:two::")
    values = json.loads(manager.get_secret_value(SecretId=shared)["SecretString"])
    assert values == {"one": "rehearsal", "two": "rehearsal"}
    names = {name: found[name] for name in ("NAMED", "BY_ARN", "SHORT")}
    assert names == {"NAMED": "/app/named", "BY_ARN": "/app/by-arn", "SHORT": "short"}
    parameters = ssm.get_parameters(Names=list(names.values()), WithDecryption=True)["Parameters"]
    assert [each["Value"] for each in parameters] == ["rehearsal"] * 3
