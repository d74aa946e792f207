"""Estimates what a stack costs per month of 730 hours, from the list prices in ``prices.json``. Pure.

List prices without tax, traffic, and free tiers other than that of the logs; amounts in USD. The file contains the
prices' date and sources. Not a quote.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cache
from importlib.resources import files
from typing import Any

from .settings import Settings
from .stack import Live, Resource

# "nights and weekends off" leaves 12 hours on 5 of 7 days
_OFFICE_HOURS_SHARE = 12 * 5 / (24 * 7)
_DEFAULT_SUBNETS = 2
_ARCHITECTURE_NAMES = {"X86_64": "x86", "ARM64": "ARM"}


@dataclass(frozen=True)
class CostLine:
    """One item of the cost; ``monthly`` in USD per month, not rounded."""

    what: str
    monthly: float


@dataclass(frozen=True)
class Variant:
    """A cheaper variant; ``saves`` in USD per month, ``how`` names the setting or the task for it."""

    name: str
    saves: float
    how: str


@dataclass(frozen=True)
class Cost:
    """The monthly cost; ``title`` says whose prices these are, ``notes`` what else to consider.

    ``advice`` recommends another way for visitors to reach the app, with the cost of both; it may be empty.
    """

    title: str
    lines: tuple[CostLine, ...]
    cheaper: tuple[Variant, ...]
    notes: tuple[str, ...] = ()
    advice: str = ""

    @property
    def total(self) -> float:
        """USD per month, rounded to cents."""
        return _total(self.lines)


@dataclass(frozen=True)
class _Shape:
    """The quantities that are billed: tasks and their size, addresses, gateways. ``share`` is the share of the
    month that tasks run."""

    vcpu: float
    memory_gb: float
    architecture: str
    tasks: int
    subnets: int
    internal: bool
    fronted: bool
    public_tasks: bool
    web_acl: bool
    share: float = 1.0


def monthly_cost(settings: Settings, tasks: int | None = None, subnets: int | None = None) -> Cost:
    """The cost of the stack that ``settings`` describe.

    ``tasks`` and ``subnets`` (of the load balancer) are actual counts, where they are known.
    """
    shape = _shape(settings, tasks, subnets)
    lines = tuple(_lines(shape))
    cheaper = tuple(
        Variant(name, saves, how)
        for name, how, variant in _variants(shape)
        if (saves := round(_total(lines) - _total(_lines(variant)), 2)) > 0
    )
    notes, advice = tuple(_notes(settings)), _advice(settings, shape)
    return Cost(_title(shape.tasks), lines, cheaper, notes, advice)


def current_cost(settings: Settings, live: Mapping[Resource, Live | None]) -> Cost | None:
    """The cost of the live resources that were read; None without a load balancer."""
    found = {resource.kind: each for resource, each in live.items() if each and not resource.former}
    former = _former_balancer(live)
    if "load-balancer" not in found and former is None:
        return None
    service: Mapping[str, Any] = found["service"].raw if "service" in found else {}
    size = _as_registered(settings, found["task-definition"].raw) if "task-definition" in found else settings
    tasks = service.get("desiredCount", 0)
    if former and "load-balancer" not in found:
        return replace(monthly_cost(_as_read(size, live, former=True), tasks=tasks), advice="")
    return _with_former(monthly_cost(_as_read(size, live, former=False), tasks=tasks), live)


def planned_cost(settings: Settings, live: Mapping[Resource, Live | None]) -> Cost | None:
    """The cost of the same resources once they are as planned; None without a load balancer.

    An existing service keeps its desired count; a new one has that of its first release. Where a load balancer exists,
    there is no ``advice``. ``live`` is without what the plan deletes.
    """
    kinds = {resource.kind: resource for resource in live if not resource.former}
    if "load-balancer" not in kinds:
        return None
    tasks: int | None = 0
    if "service" in kinds:
        found = live[kinds["service"]]
        tasks = found.raw.get("desiredCount") or None if found else None
    cost, former = monthly_cost(settings, tasks=tasks), _former_balancer(live)
    cost = replace(cost, advice="") if former or live[kinds["load-balancer"]] else cost
    return _with_former(cost, live)


def _former_balancer(live: Mapping[Resource, Live | None]) -> Live | None:
    """The load balancer that another one replaces."""
    return _former("load-balancer", live)


def _former(kind: str, live: Mapping[Resource, Live | None]) -> Live | None:
    """The stack's own resource of this kind that goes with the load balancer that another one replaces."""
    found = ((each, live[each]) for each in live if each.former and each.kind == kind)
    return next((one for each, one in found if one and each.is_ours(one)), None)


def _as_read(settings: Settings, live: Mapping[Resource, Live | None], *, former: bool) -> Settings:
    """The settings as if they described the load balancer that was read and what is in front of it: the stack's own,
    or the ``former`` one. What is not among the resources of the stack's own stays as in the settings."""
    read = [
        (each, found if found and (not former or each.is_ours(found)) else None)
        for each, found in live.items()
        if each.former == former
    ]
    kinds = {each.kind: found for each, found in read}
    addresses = [
        one
        for each, found in read
        if each.kind == "IP-set" and found
        for one in found.attributes["addresses"]
    ]
    section, front = dict[str, Any](), dict[str, Any]()
    if balancer := kinds.get("load-balancer"):
        section["internal"] = balancer.attributes["scheme"] == "internal"
    if former or "distribution" in kinds:
        front["kind"] = "cloudfront" if kinds.get("distribution") else "none"
    if former or "web-ACL" in kinds:
        section["allowed_cidrs"] = tuple(addresses) if kinds.get("web-ACL") else None
    if former or "web-ACL-association" in kinds:
        association = kinds.get("web-ACL-association")
        section["web_acl"] = association.attributes.get("web-ACL") if association else None
    balancing = settings.load_balancer.model_copy(update=section)
    return settings.model_copy(
        update={"load_balancer": balancing, "front": settings.front.model_copy(update=front)}
    )


def _with_former(cost: Cost, live: Mapping[Resource, Live | None]) -> Cost:
    """The cost with that of the load balancer that goes on serving beside the stack's, and of its web ACL."""
    former = _former_balancer(live)
    if former is None:
        return cost
    prices, hours = _prices(), float(_prices()["hours_per_month"])
    lines = [CostLine("old load balancer, until it is removed", hours * prices["load_balancer"]["hour"])]
    if former.attributes["scheme"] != "internal":
        count = len(former.attributes["subnets"])
        lines.append(CostLine(f"its public IPv4 × {count}", count * hours * prices["public_ipv4_hour"]))
    if _former("web-ACL", live):
        lines.append(CostLine("its web ACL with a rule", _web_acl(prices)))
    return replace(cost, lines=(*cost.lines, *lines))


def _web_acl(prices: Mapping[str, Any]) -> float:
    """USD/month of a web ACL with one rule."""
    return float(prices["waf"]["web_acl_month"] + prices["waf"]["rule_month"])


def _as_registered(settings: Settings, definition: Mapping[str, Any]) -> Settings:
    """The settings with the CPU, memory and architecture of the registered task definition."""
    architecture = definition.get("runtimePlatform", {}).get("cpuArchitecture", "X86_64")
    size = {"cpu": int(definition["cpu"]), "memory": int(definition["memory"]), "architecture": architecture}
    return settings.model_copy(update={"task": settings.task.model_copy(update=size)})


def app_runner_cost(
    vcpu: float,
    memory_gb: float,
    active_hours: float,
    instances: int = 1,
    *,
    automatic: bool = False,
    region: str = "",
) -> Cost:
    """The cost of an App Runner service: memory for all hours, vCPUs while it handles requests.

    ``active_hours`` are instance hours per month; ``instances`` is 0 for a paused service; ``automatic`` deployments
    have a price of their own.
    """
    price, hours = _prices()["app_runner"], float(_prices()["hours_per_month"])
    count = f"{instances} × " if instances != 1 else ""
    lines = [
        CostLine(f"App Runner {count}{memory_gb:g} GB", instances * memory_gb * hours * price["gb_hour"]),
        CostLine(
            f"App Runner {vcpu:g} vCPU, {active_hours:.0f} active hours",
            vcpu * active_hours * price["active_vcpu_hour"],
        ),
    ]
    if automatic:
        lines.append(CostLine("automatic deployments", price["automatic_deployments_month"]))
    return Cost(_title(instances, "instance"), tuple(lines), (), tuple(_region_note(region)))


def _total(lines: Iterable[CostLine]) -> float:
    return round(sum(line.monthly for line in lines), 2)


@cache
def _prices() -> Mapping[str, Any]:
    return dict(json.loads((files("lobster_tasks") / "prices.json").read_text(encoding="utf-8")))


def _shape(settings: Settings, tasks: int | None, subnets: int | None) -> _Shape:
    named = len(settings.network.subnets or ())
    return _Shape(
        vcpu=settings.task.cpu / 1024,
        memory_gb=settings.task.memory / 1024,
        architecture=settings.task.architecture,
        tasks=settings.deployment.desired_count if tasks is None else tasks,
        subnets=subnets or named or _DEFAULT_SUBNETS,
        internal=settings.is_internal,
        fronted=settings.is_fronted,
        public_tasks=settings.network.public,
        web_acl=settings.is_fronted and settings.load_balancer.allowed_cidrs is not None,
    )


def _lines(shape: _Shape) -> Iterator[CostLine]:
    prices, hours = _prices(), float(_prices()["hours_per_month"])
    yield _fargate(shape, hours)
    yield CostLine("load balancer, no traffic", hours * prices["load_balancer"]["hour"])
    if addresses := _addresses(shape):
        monthly = hours * prices["public_ipv4_hour"] * sum(count * share for count, share in addresses)
        yield CostLine(f"public IPv4 × {sum(count for count, _ in addresses)}", monthly)
    if shape.fronted:
        free = prices["cloudfront"]
        told = f"{free['free_gb'] / 1024:g} TB and {free['free_requests'] / 10**6:g} million requests"
        yield CostLine(f"CloudFront, up to {told}", 0.0)
    if shape.web_acl:
        yield CostLine("web ACL with a rule, no traffic", _web_acl(prices))
    if not shape.public_tasks:
        yield CostLine("NAT gateway × 1, no traffic", hours * prices["nat_gateway_hour"])
    yield CostLine(f"logs, up to {prices['logs']['free_gb']} GB", 0.0)


def _fargate(shape: _Shape, hours: float) -> CostLine:
    price = _prices()["fargate"][shape.architecture]
    per_hour = shape.vcpu * price["vcpu_hour"] + shape.memory_gb * price["gb_hour"]
    count = f"{shape.tasks} × " if shape.tasks != 1 else ""
    size = f"{shape.vcpu:g} vCPU, {shape.memory_gb:g} GB, {_ARCHITECTURE_NAMES[shape.architecture]}"
    return CostLine(f"Fargate {count}{size}", shape.tasks * shape.share * hours * per_hour)


def _addresses(shape: _Shape) -> list[tuple[int, float]]:
    """Numbers of public IPv4 addresses, each with the share of the month for which they are allocated."""
    balancer = 0 if shape.internal else shape.subnets
    tasks = (shape.tasks, shape.share) if shape.public_tasks else (1, 1.0)  # otherwise the NAT gateway's
    return [each for each in ((balancer, 1.0), tasks) if each[0]]


def _variants(shape: _Shape) -> Iterator[tuple[str, str, _Shape]]:
    """Cheaper variants that a setting or a task of this library provides."""
    if shape.architecture == "X86_64":
        yield "ARM64", "task.architecture", replace(shape, architecture="ARM64")
    yield (
        "nights and weekends off",
        "inv scale in a scheduled workflow",
        replace(shape, share=_OFFICE_HOURS_SHARE),
    )


def _title(count: int, what: str = "task") -> str:
    prices = _prices()
    plural = "" if count == 1 else "s"
    head = f"Monthly, {prices['region']} list prices of {prices['as_of']}"
    return f"{head}, {count} {what}{plural}, {prices['hours_per_month']} h"


def _notes(settings: Settings) -> Iterator[str]:
    yield from _region_note(settings.region)
    if not settings.network.public:
        yield "The cost includes one NAT gateway; an existing one, or VPC endpoints, have other costs."
    if settings.is_fronted and settings.load_balancer.allowed_cidrs is not None:
        price = _prices()["waf"]["requests_million"]
        yield f"AWS WAF charges {price:.2f} USD a million requests that the web ACL inspects, blocked ones included."
    if settings.load_balancer.web_acl:
        # "You pay per protection pack, not per resource" (AWS Security Services Best Practices, WAF Cost).
        yield (
            "The web ACL costs no more for protecting the load balancer too; AWS WAF charges each request that it "
            "inspects (https://aws.amazon.com/waf/pricing/)."
        )


def _advice(settings: Settings, shape: _Shape) -> str:
    """Recommends HTTPS without a domain, where the settings let everybody reach the app."""
    balancer = settings.load_balancer
    if settings.domains or balancer.certificate or balancer.allowed_cidrs is not None or shape.internal:
        return ""
    other = _total(_lines(replace(shape, internal=True, fronted=True)))
    return (
        f"HTTPS without a domain: front.kind: cloudfront, {other:.2f} USD instead of {_total(_lines(shape)):.2f}; "
        "a load balancer's own address serves HTTP only."
    )


def _region_note(region: str) -> Iterator[str]:
    priced = _prices()["region"]
    if region and region != priced:
        yield f"The prices are those of {priced}; {region} has other prices."
