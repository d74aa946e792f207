"""The monthly cost, compared with totals calculated by hand from the list prices."""

from __future__ import annotations

import json
import re
from functools import partial
from importlib.resources import files
from itertools import product
from pathlib import Path
from typing import Any

import pytest

from lobster_tasks import namespace
from lobster_tasks.cost import Cost, app_runner_cost, current_cost, monthly_cost
from lobster_tasks.settings import Settings, load
from tests.converge.doors import EVERY, planned


def lines(cost: Cost) -> dict[str, float]:
    """The lines by name, rounded to cents."""
    return {line.what: round(line.monthly, 2) for line in cost.lines}


@pytest.mark.parametrize(
    ("given", "total"),
    [
        ({}, 45.40),
        ({"task": {"architecture": "ARM64"}}, 41.79),
        ({"network": {"public": False}}, 78.25),
        ({"network": {"subnets": ["subnet-1", "subnet-2", "subnet-3"]}}, 49.05),
        ({"deployment": {"desired_count": 2}}, 67.07),
        ({"deployment": {"desired_count": 0}}, 23.73),
        ({"load_balancer": {"internal": True}}, 38.10),
        ({"front": {"kind": "cloudfront"}}, 38.10),
        ({"task": {"cpu": 1024, "memory": 2048}}, 63.42),
    ],
)
def test_totals(given: dict[str, Any], total: float) -> None:
    assert monthly_cost(load(given)).total == total


def test_what_is_paid_for() -> None:
    cost = monthly_cost(Settings())
    assert lines(cost) == {
        "Fargate 0.5 vCPU, 1 GB, x86": 18.02,
        "load balancer, no traffic": 16.43,
        "public IPv4 × 3": 10.95,
        "logs, up to 5 GB": 0.0,
    }
    assert cost.title == "Monthly, us-east-2 list prices of 2026-06, 1 task, 730 h"
    assert cost.notes == ()


def test_a_distribution_saves_the_addresses_of_the_load_balancer() -> None:
    cost = monthly_cost(load({"front": {"kind": "cloudfront"}}))
    assert lines(cost) == {
        "Fargate 0.5 vCPU, 1 GB, x86": 18.02,
        "load balancer, no traffic": 16.43,
        "public IPv4 × 1": 3.65,
        "CloudFront, up to 1 TB and 10 million requests": 0.0,
        "logs, up to 5 GB": 0.0,
    }
    assert cost.advice == ""


def test_https_without_a_domain_is_recommended_with_the_cost_of_both() -> None:
    assert "front.kind: cloudfront, 38.10 USD instead of 45.40" in monthly_cost(Settings()).advice


@pytest.mark.parametrize(
    "given",
    [
        {"domains": ["app.example.com"]},
        {"load_balancer": {"internal": True}},
        {"load_balancer": {"allowed_cidrs": ["10.0.0.0/8"]}},
        {"front": {"kind": "cloudfront"}},
    ],
)
def test_whoever_has_another_way_gets_no_advice(given: dict[str, Any]) -> None:
    assert monthly_cost(load(given)).advice == ""


def test_private_tasks_need_a_gateway() -> None:
    cost = monthly_cost(load({"network": {"public": False}}))
    assert lines(cost)["NAT gateway × 1, no traffic"] == 32.85
    assert lines(cost)["public IPv4 × 3"] == 10.95
    assert "NAT gateway" in cost.notes[0]


def test_a_web_acl_costs_no_more_but_its_requests() -> None:
    """AWS Security Services Best Practices, "WAF Cost": "You pay per protection pack, not per resource associated to
    it"."""
    arn = "arn:aws:wafv2:us-east-2:123456789012:regional/webacl/ours/0"
    cost = monthly_cost(load({"load_balancer": {"web_acl": arn}}))
    assert cost.total == monthly_cost(Settings()).total
    (note,) = cost.notes
    assert "each request that it inspects" in note


def test_nothing_public_pays_for_the_gateways_address_only() -> None:
    cost = monthly_cost(load({"network": {"public": False}, "load_balancer": {"internal": True}}))
    assert lines(cost)["public IPv4 × 1"] == 3.65


def test_cheaper_ways() -> None:
    cost = monthly_cost(Settings())
    saved = {variant.name: variant.saves for variant in cost.cheaper}
    assert round(cost.total - saved["ARM64"], 2) == 41.79
    assert saved["nights and weekends off"] == 13.94
    assert len(saved) == 2


def test_a_cheaper_way_names_a_setting_or_a_task_that_there_is() -> None:
    """Variants that this library cannot provide are not suggested."""
    for variant in monthly_cost(Settings()).cheaper:
        name = variant.how.split()[1] if variant.how.startswith("inv ") else ""
        section, _, key = variant.how.partition(".")
        assert name in namespace().task_names or hasattr(getattr(Settings(), section), key)


def test_every_price_has_a_source_and_a_date() -> None:
    prices = json.loads((files("lobster_tasks") / "prices.json").read_text(encoding="utf-8"))
    priced = prices.keys() - {"region", "as_of", "currency", "hours_per_month", "sources"}
    assert priced == prices["sources"].keys()
    assert all(source.startswith("https://aws.amazon.com/") for source in prices["sources"].values())
    assert re.fullmatch(r"\d{4}-\d{2}", prices["as_of"])


def test_says_nothing_of_ways_that_save_nothing() -> None:
    assert [v.name for v in monthly_cost(load({"task": {"architecture": "ARM64"}})).cheaper] == [
        "nights and weekends off"
    ]
    assert monthly_cost(load({"deployment": {"desired_count": 0}})).cheaper == ()


def test_live_counts_win() -> None:
    assert lines(monthly_cost(Settings(), tasks=3, subnets=6))["public IPv4 × 9"] == 32.85


def test_what_it_costs_now_is_the_cost_of_what_was_read_whatever_the_new_settings_are() -> None:
    wrong = []
    for before, after in product(EVERY, EVERY):
        now = current_cost(load(after.given), planned(before, after).live)
        if now is None or now.lines != monthly_cost(load(before.given), tasks=0).lines:
            wrong.append(f"{before} → {after}")
    assert wrong == []


def test_says_that_another_region_has_its_own_prices() -> None:
    cost = monthly_cost(load({"region": "eu-west-1"}))
    assert cost.notes == ("The prices are those of us-east-2; eu-west-1 has other prices.",)


@pytest.mark.parametrize(
    ("vcpu", "memory_gb", "active_hours", "total"),
    [(0.5, 1, 220, 12.15), (1, 2, 30.4, 12.17), (1, 2, 0, 10.22)],
)
def test_app_runner(vcpu: float, memory_gb: float, active_hours: float, total: float) -> None:
    assert app_runner_cost(vcpu, memory_gb, active_hours).total == total


def test_app_runner_line_by_line() -> None:
    cost = app_runner_cost(1, 2, 100, 2, automatic=True, region="eu-west-1")
    assert lines(cost) == {
        "App Runner 2 × 2 GB": 20.44,
        "App Runner 1 vCPU, 100 active hours": 6.4,
        "automatic deployments": 1.0,
    }
    assert cost.title.endswith("2 instances, 730 h")
    assert "eu-west-1" in cost.notes[0]
    assert app_runner_cost(1, 2, 0, 0).total == 0


def test_the_guide_tells_what_each_way_in_costs() -> None:
    guide = (Path(__file__).parents[1] / "AWS_FARGATE_DEPLOYMENT_GUIDE.md").read_text(encoding="utf-8")
    rows = [line.split("|")[-3:-1] for line in guide.splitlines() if line.startswith("|")]
    figures = [tuple(cell.strip() for cell in row) for row in rows if all("." in cell for cell in row)]
    ways = [_app_runner, partial(_stack, "none"), partial(_stack, "cloudfront"), _shared]
    sizes = (256, 512), (512, 1024)
    assert figures[-4:] == [tuple(f"{way(*size):.2f}" for size in sizes) for way in ways]
    always = [app_runner_cost(cpu / 1024, memory / 1024, 730).total for cpu, memory in sizes]
    assert "with all 730 it costs {:.2f} and {:.2f}".format(*always) in guide


def _app_runner(cpu: int, memory: int) -> float:
    return app_runner_cost(cpu / 1024, memory / 1024, 220).total


def _stack(front: str, cpu: int, memory: int) -> float:
    return monthly_cost(load({"task": {"cpu": cpu, "memory": memory}, "front": {"kind": front}})).total


def _shared(cpu: int, memory: int) -> float:
    """Four apps: each has its task with a public address, and a quarter of the load balancer and its two addresses."""
    public = monthly_cost(load({"task": {"cpu": cpu, "memory": memory}}))
    task, balancer, addresses = (line.monthly for line in public.lines[:3])
    return task + addresses / 3 + (balancer + addresses * 2 / 3) / 4
