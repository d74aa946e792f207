"""Formats plans: each change with its reason and its subject, the counts, the cost. Pure."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from rich.console import Group, RenderableType
from rich.text import Text

from ..masking import mask_shapes
from . import policies
from .layout import plural, rows

if TYPE_CHECKING:
    from ..apprunner.cutover import LedDomains
    from ..converge import Change, Convergence, Lockout, Opening, Plan, Widening
    from ..cost import Cost
    from ..settings import Settings
    from ..stack import Live, Resource
    from ..stack.doors import Rule

_SIGNS = {"create": "+", "update": "~", "replace": "!", "delete": "-", "adopt": "@", "release": "="}
_STYLES = {
    "create": "green",
    "update": "yellow",
    "replace": "bold red",
    "delete": "red",
    "adopt": "cyan",
    "release": "cyan",
}
_DONE = {
    "create": "created",
    "update": "changed",
    "delete": "deleted",
    "adopt": "adopted",
    "release": "let go of",
}
_DOCUMENTS = ("policy", "trust")
Row = tuple[str | Text, ...]


def heading(account: str, region: str, settings: Settings, endpoint: str | None) -> RenderableType:
    """The account, the region and the stack of a plan."""
    where = f"Account {account} · {region} · stack {settings.name}"
    return Text(where + (f" · at {mask_shapes(endpoint)}" if endpoint else ""), style="bold")


def plan(made: Plan) -> RenderableType:
    """Every change with its reason, then what is kept, then the counts."""
    lines = [line for change in made.changes for line in _change(change, made)]
    lines += [line for resource in made.kept for line in _kept(resource, made)]
    return Group(rows(*lines), *_warnings(made), Text(), counts(made)) if lines else counts(made)


def plan_and_cost(made: Plan, before: Cost | None, after: Cost | None) -> RenderableType:
    """The plan, and the monthly cost if the plan changes it, or another load balancer still serves."""
    same = not made.changes or total(before) == total(after)
    if after is None or (same and former_url_of(made.live) is None):
        return plan(made)
    return Group(plan(made), Text(), cost(before, after))


def _warnings(made: Plan) -> list[RenderableType]:
    """What a person must know before confirming."""
    told = (*_about_addresses(made), *(message for _, message in _coded_warnings(made)))
    return [Text(f"! {each}", style="bold yellow") for each in told]


def _coded_warnings(made: Plan) -> Iterator[tuple[str, str]]:
    """The warnings about who is let in: code and message."""
    if (old := former_url_of(made.live)) and made.former_lets_in_more:
        yield (
            "old-load-balancer-lets-in-more",
            f"{old} keeps its rules: it goes on letting in visitors whom the settings keep out, until "
            "inv remove-old-load-balancer.",
        )
    for each in made.openings:
        yield _OPENING_CODES[each.rule], _opening(each)
    for widening in made.widenings:
        yield f"widens-{'egress' if widening.direction == 'out' else 'ingress'}", _widening(widening)
    if made.lockout:
        yield made.lockout.code, _locked_out(made.lockout)


def _locked_out(lockout: Lockout) -> str:
    """What a plan that limits visitors means for this machine."""
    if lockout.code == "own-address-not-checked":
        return f"Not checked whether this machine can still use the app, because {lockout.why}."
    return (
        f"{lockout.address}, the address of this machine, is not in load_balancer.allowed_cidrs: "
        "afterwards the app cannot be used from here."
    )


def _about_addresses(made: Plan) -> list[str]:
    """What becomes of the addresses of the app, where a load balancer takes the place of another one."""
    old = former_url_of(made.live)
    if old is None:
        return []
    if any(each.action == "delete" and each.resource.former for each in made.changes):
        return [f"{old} stops answering."]
    if made.creates("load-balancer"):
        return [
            f"The app gets another address; {old} goes on serving beside it, with its rules as they are, until "
            "inv remove-old-load-balancer.",
            "Tasks are replaced as in a release: no request fails, but WebSockets have to reconnect.",
        ]
    return [f"{old} serves too, until inv remove-old-load-balancer."]


_OPENING_CODES: Mapping[Rule, str] = {
    "addresses": "opens-to-more-addresses",
    "web-acl": "opens-past-a-web-acl",
    "sign-in": "opens-without-the-sign-in",
}


def _opening(opening: Opening) -> str:
    """Whom a door lets in that was not there, or kept them out; names the setting that limits it."""
    tell = {"addresses": _more_addresses, "web-acl": _other_web_acl, "sign-in": _other_sign_in}
    kind, _, name = opening.label.partition("/")
    return f"{kind.replace('-', ' ')} {name}: {tell[opening.rule](opening)}"


def _widening(widening: Widening) -> str:
    """What gets through a security group from now on; network.security_groups is for rules of one's own."""
    kind, _, name = widening.label.partition("/")
    verb = "goes out" if widening.direction == "out" else "comes in"
    found = ", ".join(widening.before)
    now = f"only {found}" if found and found != "nothing" else "nothing"
    return f"{kind.replace('-', ' ')} {name}: {', '.join(widening.rules)} {verb} from now on, so far {now}."


def _more_addresses(opening: Opening) -> str:
    door, ranges = opening.door, opening.ranges
    acl = "".join(f", as far as {arn} allows" for _, arn in sorted(door.web_acls))
    if not opening.to_everybody:
        where = ", from networks that reach the VPC" if door.internal else ""
        return f"visitors from {', '.join(map(str, ranges))} are let in from now on{where}{acl}."
    limit = "load_balancer.allowed_cidrs limits the addresses."
    if door.internal:
        return f"everybody in networks that reach the VPC is let in from now on{acl}. {limit}"
    return f"everybody is let in{acl}: the app becomes reachable from the internet. {limit}"


def _other_web_acl(opening: Opening) -> str:
    if arns := ", ".join(arn for _, arn in sorted(opening.door.web_acls)):
        return f"{arns} checks visitors from now on, in place of the web ACL that did before."
    return "the web ACL that checks visitors now no longer does so. load_balancer.web_acl and front.web_acl name one."


def _other_sign_in(opening: Opening) -> str:
    if opening.door.sign_in:
        return "visitors sign in at another provider, or for another application, than before."
    return "lets visitors in without a sign-in from now on. sign_in keeps it."


def removal(made: Plan) -> RenderableType:
    """Everything that a teardown deletes or releases, in its order, then what it keeps, then the counts."""
    lines = [_removed(change) for change in made.changes]
    lines += [
        (Text("=", style="dim"), each.noun, " · ".join((each.name, "kept", *made.remarks.get(each, ()))))
        for each in made.kept
    ]
    return Group(rows(*lines), Text(), counts(made)) if lines else counts(made)


def question(made: Plan) -> str:
    """The question before a plan is applied."""
    return f"Make these {len(made.changes)} changes?"


def lockout_question(lockout: Lockout) -> str:
    """The question before a plan is applied that keeps out this machine."""
    return f"Keep out {lockout.address}, the address of this machine?"


def farewell(made: Plan) -> str:
    """The question before the load balancer of before is removed."""
    old = former_url_of(made.live)
    return f"Delete what served at {old}?" if old else question(made)


def removal_question(made: Plan) -> str:
    """The question before a teardown."""
    deleted, released = made.count("delete"), made.count("release")
    told = [f"Delete these {deleted}"] if deleted else []
    return " and ".join([*told, *([f"let go of {released} that stay"] if released else [])]) + "?"


def brought(done: Convergence, settings: Settings) -> RenderableType:
    """The current state and the next step."""
    made, live = done.plan, done.now.live
    service = next((found for each, found in live.items() if each.kind == "service"), None)
    old, new = former_url_of(live), url_of(live, settings)
    if made.changes:
        told = [f"Done: {plural(len(made.changes), 'change')} made and verified."]
    else:
        told = ["Nothing to do: everything matches the settings."]
    if service is not None and not service.raw.get("desiredCount"):
        told.append("No release yet.  Next:  inv push-image --tag T   then   inv deploy --tag T")
    elif any(change.resource.kind == "task-definition" for change in made.changes):
        told.append("Running tasks keep their revision until the next inv deploy.")
    told += [f"{_widened(each)} again." for each in made.widenings]
    if old and new != old:
        told.append(
            f"{old} serves too.  Next:  lead visitors to {new}   then   inv remove-old-load-balancer; "
            "or set front.kind as it was, which makes the old address the app's again"
        )
    if any(each.kind == "certificate" and not found for each, found in live.items()):
        told.append(f"{', '.join(settings.domains)}: no certificate yet.  Next:  inv cutover")
    return Group(*map(Text, told))


def _widened(widening: Widening) -> str:
    verb = "lets out" if widening.direction == "out" else "lets in"
    return f"{widening.label.partition('/')[2]} {verb} {', '.join(widening.rules)}"


def removed(done: Convergence) -> RenderableType:
    """What a teardown did, and what is left."""
    left = done.now
    gone = "Nothing else of the stack is left." if left.kept else "Nothing of the stack is left."
    told = [gone if done.plan.changes else "Nothing to do."]
    if left.kept:
        data = any(resource.holds_data for resource in left.kept)
        hint = " (inv teardown --data deletes those that belong to the stack)" if data else ""
        told.append(f"Kept: {', '.join(resource.label for resource in left.kept)}{hint}.")
    return Text(" ".join(told))


def dns_lines(led: LedDomains) -> list[str]:
    """The warnings before the deletion of what DNS leads visitors to, or may lead them to."""
    return [f"! {message}" for _, message in _dns_warnings(led)]


def _dns_warnings(led: LedDomains) -> Iterator[tuple[str, str]]:
    """The same by code and message."""
    if led.unknown:
        why = f"Not known whether DNS still leads visitors to what is deleted: {led.unknown}"
        yield "dns-unknown", why
    if led.domains:
        names = ", ".join(led.domains)
        yield "dns-leads-here", f"{names}: DNS still leads visitors here; run inv cutover --back first."
    if led.former:
        names = ", ".join(led.former)
        where = "to the old address, which is deleted too"
        yield (
            "dns-leads-here",
            f"{names}: DNS still leads visitors {where}; let the records lead elsewhere first.",
        )


def counts(made: Plan) -> Text:
    """The number of changes by action, in one line."""
    parts = [
        (made.count("create"), "to create"),
        (made.count("update"), "to change"),
        (made.count("adopt"), "to adopt"),
        (made.count("replace"), "that cannot be changed in place"),
        (made.count("delete"), "to delete"),
        (made.count("release"), "to let go"),
        (len(made.kept), "kept"),
    ]
    told = ", ".join(f"{count} {what}" for count, what in parts if count)
    return Text(f"{told}." if told else "Nothing exists.")


def change_done(change: Change) -> RenderableType:
    """One line about a completed change."""
    return Text.assemble(
        ("✔ ", "green"), f"{_DONE[change.action]} {change.resource.noun} {change.resource.name}"
    )


def cost(before: Cost | None, after: Cost) -> RenderableType:
    """The monthly cost by item, before and after."""
    now = {line.what: line.monthly for line in before.lines} if before else {}
    names = list(dict.fromkeys([*(line.what for line in after.lines), *now]))
    then = {line.what: line.monthly for line in after.lines}
    header = ("", _figures("now", "then", "  USD", style="dim"))
    lines = [(f"  {name}", _figures(now.get(name), then.get(name))) for name in names]
    lines.append(("  together", _figures(before.total if before else None, after.total, style="bold")))
    cheaper = " · ".join(f"{variant.name} −{variant.saves:.2f} ({variant.how})" for variant in after.cheaper)
    notes = [f"cheaper: {cheaper}"] if cheaper else []
    said = [Text(f"  {note}", style="dim") for note in (*notes, *after.notes, after.advice) if note]
    return Group(Text(after.title), rows(header, *lines), *said)


def total(cost: Cost | None) -> float:
    """The total in USD per month; zero without a cost."""
    return cost.total if cost else 0.0


def plan_json(
    made: Plan,
    *,
    applied: bool,
    url: str | None,
    before: Cost | None,
    after: Cost | None,
    led: LedDomains | None = None,
) -> dict[str, Any]:
    """The object of ``plan``, ``setup-fargate`` and ``teardown`` with ``--json``.

    ``led`` are the domains whose DNS leads visitors to what the plan deletes.
    """
    warnings = [*_coded_warnings(made), *(_dns_warnings(led) if led else ())]
    changes = [
        {"action": change.action, "resource": change.resource.label, "reason": change.reason}
        for change in made.changes
    ]
    kept = [
        {"resource": resource.label, "reason": "; ".join(remarks)}
        for resource, remarks in made.remarks.items()
        if remarks and resource in made.kept
    ]
    return {
        "changes": changes,
        "kept": kept,
        "opens": list(dict.fromkeys(each.label for each in made.openings)),
        "warnings": [{"code": code, "message": message} for code, message in warnings],
        "applied": applied,
        "url": url,
        "cost": {"before": round(total(before), 2), "after": round(total(after), 2)},
    }


def url_of(live: Mapping[Resource, Live | None], settings: Settings) -> str | None:
    """The address of the stack's distribution, or else of its load balancer, with HTTPS if it has a listener for it.

    Before they exist, this is the address of the load balancer that they replace. None without any, and where visitors
    need a distribution that is not among the resources.
    """
    own = {each: found for each, found in live.items() if not each.former}
    return _url(own, fronted=settings.is_fronted) or former_url_of(live)


def former_url_of(live: Mapping[Resource, Live | None]) -> str | None:
    """The address of the load balancer that another one replaces; None without one."""
    former = {each: found for each, found in live.items() if each.former and found and each.is_ours(found)}
    return _url(former)


def _url(live: Mapping[Resource, Live | None], *, fronted: bool = False) -> str | None:
    names = [found.raw["DomainName"] for found in live.values() if found and found.raw.get("DomainName")]
    if names:
        return f"https://{names[0]}"
    balancers = [found.raw for found in live.values() if found and found.raw.get("DNSName")]
    if not balancers or (fronted and balancers[0].get("Scheme") == "internal"):
        return None
    secure = any(found and found.raw.get("Protocol") == "HTTPS" for found in live.values())
    return f"{'https' if secure else 'http'}://{balancers[0]['DNSName']}"


def _figures(now: float | str | None, then: float | str | None, more: str = "", style: str = "") -> Text:
    told = ("–" if each is None else each if isinstance(each, str) else f"{each:.2f}" for each in (now, then))
    return Text("".join(f"{each:>9}" for each in told) + more, style=style)


def _change(change: Change, made: Plan) -> Iterator[Row]:
    resource, live = change.resource, made.live
    sign = Text(_SIGNS[change.action], style=_STYLES[change.action])
    first, *more = _reasons(change)
    about = _about(resource, live) if change.action == "create" and resource.kind != "security-group" else ""
    yield sign, resource.noun, resource.name, " · ".join(filter(None, (first, about)))
    for reason in more:
        yield "", "", "", reason
    for label, text in _parts(change, made.live):
        yield "", f"└ {label}", text
    for remark in made.remarks.get(resource, ()):
        yield "", "└ found", remark


def _removed(change: Change) -> Row:
    name = change.resource.name
    if change.action != "release":
        told = name
    else:
        added = "what was added to it goes" if change.withdraws else "what was added to it stays"
        told = f"{name} · stays: it was adopted; {added}"
    return Text(_SIGNS[change.action], style=_STYLES[change.action]), change.resource.noun, told


def _kept(resource: Resource, made: Plan) -> Iterator[Row]:
    about = _about(resource, made.live)
    told = Text(" · ".join(filter(None, ("kept", about))), style="dim")
    yield Text("=", style="dim"), resource.noun, resource.name, told
    for remark in made.remarks.get(resource, ()):
        yield "", "└ found", remark


def _reasons(change: Change) -> list[str]:
    """The reasons, one per line; ``_parts`` shows policy documents in detail."""
    if change.action in ("create", "delete"):
        return [change.reason]
    told = [str(each) for each in change.differences if each.attribute not in _DOCUMENTS]
    documents = [each.attribute for each in change.differences if each.attribute in _DOCUMENTS]
    first = [f"gets the tag lobster:stack={change.resource.stack}"] if change.action == "adopt" else []
    last = [change.obstacle] if change.obstacle else []
    named = (
        [f"{' and '.join(documents)} {'differ' if len(documents) > 1 else 'differs'}"] if documents else []
    )
    return [*first, *named, *told, *last]


def _parts(change: Change, live: Mapping[Resource, Live | None]) -> Iterator[tuple[str, str]]:
    """The details of a change: policies by statement, and ingress rules."""
    resource: Any = change.resource
    if change.action == "create":
        if resource.kind == "role":
            yield from (("trusted", line) for line in policies.conditions(resource.trust))
            yield from (("allowed", line) for line in policies.allowed(resource.policy))
        if resource.kind == "security-group":
            yield from (("ingress", line) for line in _ingress(resource))
        return
    found = live.get(resource)
    for each in change.differences:
        if each.attribute in _DOCUMENTS and found is not None:
            now, then = found.attributes.get(each.attribute, ""), getattr(resource, each.attribute)
            yield from ((each.attribute, line) for line in policies.differences(now, then))


def _about(resource: Resource, live: Mapping[Resource, Live | None]) -> str:
    """The attributes to show in addition to the name."""
    tell = _ABOUT.get(resource.kind)
    return tell(resource, live) if tell else ""


def _role(resource: Any, live: Mapping[Resource, Live | None]) -> str:
    return f"for {', '.join(policies.trusted(resource.trust)) or 'nobody'}"


def _network(resource: Any, live: Mapping[Resource, Live | None]) -> str:
    found = live.get(resource)
    return ", ".join([found.id, *_zones(found)]) if found else ""


def _zones(network: Live) -> list[str]:
    """The zones of the chosen subnets."""
    return sorted(network.raw["zones"][subnet] for subnet in network.attributes["subnets"])


def _ingress(resource: Any) -> list[str]:
    found: Iterable[str] = resource.desired({})["ingress"]
    return list(found)


def _load_balancer(resource: Any, live: Mapping[Resource, Live | None]) -> str:
    network = live.get(resource.network)
    zones = _zones(network) if network else []
    return ", ".join([resource.scheme, *zones, f"idle timeout {resource.idle_timeout} s"])


def _target_group(resource: Any, live: Mapping[Resource, Live | None]) -> str:
    return f"HTTP {resource.port}, health GET {resource.health_path} every {resource.interval} s"


def _listener(resource: Any, live: Mapping[Resource, Live | None]) -> str:
    where = "redirect to HTTPS" if resource.redirects(live) else resource.target_group.name
    asks = "sign-in → " if resource.sign_in else ""
    return f"{resource.protocol} → {asks}{where}"


def _certificate(resource: Any, live: Mapping[Resource, Live | None]) -> str:
    found = live.get(resource)
    return f"{found.attributes['status']}, for {', '.join(found.attributes['names'])}" if found else ""


def _distribution(resource: Any, live: Mapping[Resource, Live | None]) -> str:
    told = f"HTTPS at {', '.join([*resource.domains, 'a name of *.cloudfront.net'])}"
    return _slow(told, live.get(resource))


def _service(resource: Any, live: Mapping[Resource, Live | None]) -> str:
    found = live.get(resource)
    count = found.raw.get("desiredCount", 0) if found else resource.desired_count
    where = "a public address" if resource.public else "no public address"
    return f"{plural(count, 'task')} behind {resource.target_group.name}, {where}"


def _slow(told: str, found: Live | None) -> str:
    return told if found else f"{told}; takes some minutes"


def _scalable_target(resource: Any, live: Mapping[Resource, Live | None]) -> str:
    by = ", ".join(f"{metric.replace('_', ' ')} {value}" for metric, value in resource.targets)
    return f"{resource.minimum} to {plural(resource.maximum, 'task')} by {by}"


def _task_definition(resource: Any, live: Mapping[Resource, Live | None]) -> str:
    definition = json.loads(resource.definition)
    secrets = sum(len(each.get("secrets", [])) for each in definition.get("containerDefinitions", []))
    size = f"cpu {definition.get('cpu', '–')}, memory {definition.get('memory', '–')} MiB"
    return size + (f", {plural(secrets, 'secret')}" if secrets else "")


_ABOUT: Mapping[str, Callable[[Any, Mapping[Resource, Live | None]], str]] = {
    "role": _role,
    "log-group": lambda resource, live: f"{resource.retention_days} days",
    "repository": lambda resource, live: f"scans on push, keeps {resource.keep or 'all its'} images",
    "network": _network,
    "security-group": lambda resource, live: "; ".join(_ingress(resource)),
    "load-balancer": _load_balancer,
    "target-group": _target_group,
    "certificate": _certificate,
    "listener": _listener,
    "sign-in": lambda resource, live: "OpenID Connect" if resource.secret else "Amazon Cognito",
    "vpc-origin": lambda resource, live: _slow("to the load balancer by HTTP", live.get(resource)),
    "distribution": _distribution,
    "security-group-rule": lambda resource, live: "only from this VPC's VPC origins",
    "IP-set": lambda resource, live: ", ".join(resource.addresses),
    "web-ACL": lambda resource, live: (
        f"blocks everybody except {plural(len(resource.addresses), 'address range')}"
    ),
    "web-ACL-association": lambda resource, live: resource.web_acl,
    "task-definition": _task_definition,
    "service": _service,
    "scalable-target": _scalable_target,
}
