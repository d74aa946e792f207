"""What the objects of ``--json`` hold, member by member and in their order: programs go by them."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from lobster_tasks import report
from lobster_tasks.apprunner.cleanup import CleanupPlan
from lobster_tasks.apprunner.comparison import ComparisonRow
from lobster_tasks.apprunner.cutover import CutoverResult, CutoverStep, LedDomains, RequiredRecord, Route
from lobster_tasks.apprunner.migration import ListedService, migration_of
from lobster_tasks.apprunner.owned_resources import KeptResource, OwnedResource, OwnedResources
from lobster_tasks.apprunner.parity import Parity
from lobster_tasks.converge import Plan
from lobster_tasks.doctor.check import Check
from lobster_tasks.rehearsal import Rehearsal
from lobster_tasks.rollout import Cause, History, Moment, Outcome, Preview, Release, ScaleChange, Scaled
from lobster_tasks.rollout.cause_code import CauseCode
from lobster_tasks.rollout.observation.snapshot import Event
from lobster_tasks.rollout.observation.status import ServiceStatus, TaskStatus
from lobster_tasks.rollout.observation.way import FormerLoadBalancer, Hop, Trouble
from tests.apprunner.descriptions import described
from tests.rollout.shapes import NEW, OLD, deployment, target, task

NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)
CAUSE = Cause("exits", "It ends.", ("log: no",), "fix the app", ("revision 2: cpu 512 → 256",))
CAUSE_JSON = {
    "code": "exits",
    "message": "It ends.",
    "evidence": ["log: no", "changed: revision 2: cpu 512 → 256"],
    "remedy": "fix the app",
}
MOMENTS = (Moment(0.04, "deployment created"), Moment(72.26, "live"))
TIMELINE = [{"at": 0.0, "what": "deployment created"}, {"at": 72.3, "what": "live"}]

OUTCOME = Outcome(
    "rolled_back",
    "why",
    CAUSE,
    "http://x",
    NEW,
    OLD,
    "image@sha256:1",
    72.26,
    MOMENTS,
    also=(CAUSE,),
    findings=(CAUSE,),
    calls=31,
    calls_per_minute=12.34,
)
OUTCOME_JSON = {
    "verdict": "rolled_back",
    "cause": CAUSE_JSON,
    "also": [CAUSE_JSON],
    "findings": [CAUSE_JSON],
    "url": "http://x",
    "task_definition": NEW,
    "previous_task_definition": OLD,
    "image": "image@sha256:1",
    "seconds": 72.3,
    "timeline": TIMELINE,
    "calls": {"total": 31, "per_minute": 12.3},
}

HISTORY = History(
    "app",
    (
        Release(NEW, "SUCCESSFUL", "", NOON, 72.26, 1, "image", ("v2",), True, True, False),
        Release(OLD),
    ),
)
HISTORY_JSON = {
    "service": "app",
    "releases": [
        {
            "revision": 2,
            "task_definition": NEW,
            "status": "SUCCESSFUL",
            "reason": None,
            "at": "2026-06-01T12:00:00+00:00",
            "seconds": 72.3,
            "tasks": 1,
            "image": "image",
            "tags": ["v2"],
            "live": True,
            "current": True,
            "image_gone": False,
        },
        {
            "revision": 1,
            "task_definition": OLD,
            "status": None,
            "reason": None,
            "at": None,
            "seconds": None,
            "tasks": None,
            "image": None,
            "tags": [],
            "live": None,
            "current": False,
            "image_gone": None,
        },
    ],
    "note": None,
}

SCALED = Scaled("app", 1, 2, 1, 1, False, True, CAUSE, 72.26, MOMENTS)
SCALED_JSON = {
    "service": "app",
    "before": 1,
    "desired": 2,
    "running": 1,
    "healthy": 1,
    "reached": False,
    "cause": CAUSE_JSON,
    "seconds": 72.3,
    "timeline": TIMELINE,
}

ACL = "arn:aws:wafv2:us-east-2:123456789012:regional/webacl/wall/0"
STATUS = ServiceStatus(
    "cluster",
    "app",
    None,
    NEW,
    "image",
    1,
    1,
    0,
    1,
    (deployment(2, NEW, reason="completed"),),
    None,
    (TaskStatus(task("a"), (target(task("a")),), True),),
    (Event("1", NOON, "has reached a steady state."),),
    ACL,
    way=(
        Hop("name", "app.example.com"),
        Hop("load balancer", "alb", "internet-facing", Trouble(CauseCode.LISTENER_MISSING, "There is none.")),
    ),
    former=FormerLoadBalancer("old-alb", "old-tg", "lead visitors to the new address"),
)
STATUS_JSON = {
    "cluster": "cluster",
    "service": "app",
    "url": None,
    "way": [
        {
            "kind": "name",
            "name": "app.example.com",
            "state": None,
            "cause": None,
            "message": None,
            "remedy": None,
        },
        {
            "kind": "load balancer",
            "name": "alb",
            "state": "internet-facing",
            "cause": "listener-missing",
            "message": "There is none.",
            "remedy": "inv setup-fargate",
        },
    ],
    "web_acl": ACL,
    "web_acl_unknown": None,
    "sign_in": None,
    "former_load_balancer": {
        "name": "old-alb",
        "target_group": "old-tg",
        "next": "lead visitors to the new address",
    },
    "task_definition": NEW,
    "image": "image",
    "desired": 1,
    "running": 1,
    "pending": 0,
    "healthy": 1,
    "deployments": [
        {
            "id": "ecs-svc/2",
            "status": "PRIMARY",
            "task_definition": NEW,
            "desired": 1,
            "running": 1,
            "failed": 0,
            "rollout": "COMPLETED",
            "reason": "completed",
        }
    ],
    "tasks": [
        {
            "task": "a" * 32,
            "status": "RUNNING",
            "task_definition": NEW,
            "current": True,
            "targets": [{"state": "healthy", "reason": None}],
        }
    ],
    "events": [{"at": "2026-06-01T12:00:00+00:00", "message": "has reached a steady state."}],
}

PARITY = Parity(
    "arn", "https://old", "http://new", (ComparisonRow("GET /", "200", "404", "differs", "look"),)
)
PARITY_JSON = {
    "service": "arn",
    "old": "https://old",
    "new": "http://new",
    "ok": False,
    "rows": [{"what": "GET /", "old": "200", "new": "404", "verdict": "differs", "note": "look"}],
}

SURVEY = CleanupPlan(
    "site",
    "arn",
    "RUNNING",
    "delete",
    (Check("live.since", "fail", "live for 1 h", "wait"),),
    (),
    OwnedResources(
        (OwnedResource("role", "app", "arn:role"),),
        (KeptResource(OwnedResource("log-group", "g", "arn:g"), "others"),),
    ),
    routes=(Route("app.example.com", "CNAME", "Z1", None, None, 100),),
)
SURVEY_JSON = {
    "service": "arn",
    "status": "RUNNING",
    "action": "delete",
    "ok": False,
    "gates": [{"id": "live.since", "status": "fail", "saw": "live for 1 h", "fix": "wait"}],
    "deletes": [
        OwnedResource("service", "site", "arn").label,
        OwnedResource("role", "app", "arn:role").label,
    ],
    "records": ["app.example.com CNAME"],
    "keeps": [{"resource": OwnedResource("log-group", "g", "arn:g").label, "why": "others"}],
    "applied": True,
    "description": "apprunner.json",
}

CUT_OVER = CutoverResult(
    "partly",
    (("app.example.com", 10), ("example.org", None)),
    (CutoverStep("shift", "10 % to Fargate", "inv cutover --back", True, 10),),
    (RequiredRecord("example.org", "CNAME", "lb.example", "elsewhere"),),
    "",
    "GET / 200",
    72.26,
    MOMENTS,
)
CUT_OVER_JSON = {
    "verdict": "partly",
    "domains": [{"name": "app.example.com", "share": 10}, {"name": "example.org", "share": None}],
    "steps": [{"step": "10 %", "what": "10 % to Fargate", "undo": "inv cutover --back", "done": True}],
    "records": [{"name": "example.org", "type": "CNAME", "value": "lb.example", "why": "elsewhere"}],
    "cause": None,
    "url": "https://app.example.com",
    "seconds": 72.3,
    "timeline": TIMELINE,
}

CHANGE = ScaleChange(1, 2, "Scaling may change it.")
PREVIEW = Preview("image", NEW, ("cpu 512 → 256",))


@pytest.mark.parametrize(
    ("made", "holds"),
    [
        (report.outcome_json(OUTCOME), OUTCOME_JSON),
        (
            report.preview_json(PREVIEW),
            {"applied": False, "image": "image", "task_definition": NEW, "changes": ["cpu 512 → 256"]},
        ),
        (report.history_json(HISTORY), HISTORY_JSON),
        (
            report.before_scaling_json(CHANGE),
            {
                "applied": False,
                "before": 1,
                "desired": 2,
                "says": ["desired count 1 → 2", "Scaling may change it."],
            },
        ),
        (report.scaled_json(SCALED), SCALED_JSON),
        (report.status_json(STATUS), STATUS_JSON),
        (report.parity_json(PARITY), PARITY_JSON),
        (report.cleanup_plan_json(SURVEY, applied=True, description=Path("apprunner.json")), SURVEY_JSON),
        (report.cut_over_json(CUT_OVER), CUT_OVER_JSON),
    ],
    ids=[
        "outcome",
        "preview",
        "history",
        "scale change",
        "scaled",
        "status",
        "parity",
        "clean-up",
        "cut-over",
    ],
)
def test_its_members_and_their_order(made: dict[str, Any], holds: dict[str, Any]) -> None:
    assert json.dumps(made) == json.dumps(holds)


@pytest.mark.parametrize(
    ("led", "told"),
    [
        (LedDomains(), []),
        (
            LedDomains(("a.example.com", "b.example.com")),
            [
                (
                    "dns-leads-here",
                    "a.example.com, b.example.com: DNS still leads visitors here; run inv cutover --back first.",
                )
            ],
        ),
        (
            LedDomains(("a.example.com",), "AWS refused."),
            [
                (
                    "dns-unknown",
                    "Not known whether DNS still leads visitors to what is deleted: AWS refused.",
                ),
                (
                    "dns-leads-here",
                    "a.example.com: DNS still leads visitors here; run inv cutover --back first.",
                ),
            ],
        ),
        (
            LedDomains(("a.example.com",), former=("b.example.com",)),
            [
                (
                    "dns-leads-here",
                    "a.example.com: DNS still leads visitors here; run inv cutover --back first.",
                ),
                (
                    "dns-leads-here",
                    "b.example.com: DNS still leads visitors to the old address, which is deleted too; "
                    "let the records lead elsewhere first.",
                ),
            ],
        ),
    ],
)
def test_a_plan_warns_of_dns_that_leads_to_what_is_deleted(
    led: LedDomains, told: list[tuple[str, str]]
) -> None:
    made = Plan("lobster", (), (), {})
    answer = report.plan_json(made, applied=False, url=None, before=None, after=None, led=led)
    assert [(each["code"], each["message"]) for each in answer["warnings"]] == told
    assert report.dns_lines(led) == [f"! {message}" for _, message in told]


def test_the_services_of_a_region() -> None:
    found = migration_of(described())
    known, unknown = report.migrations_json(
        [
            ListedService("site", "arn", "RUNNING", found),
            ListedService("other", "arn:other", "PAUSED", why_not="denied"),
        ]
    )["services"]
    assert list(known["classes"]) == ["same", "translated", "approximated", "no_equivalent"]
    assert sum(known["classes"].values()) == len(found.mapped.rows)
    assert known["cost"] == {"before": found.now.total, "after": found.then.total}
    assert (known["undecided"], known["why_not"]) == (len(found.mapped.undecided), None)
    assert json.dumps(unknown) == json.dumps(
        {
            "service": "arn:other",
            "name": "other",
            "status": "PAUSED",
            "classes": None,
            "undecided": None,
            "cost": None,
            "why_not": "denied",
        }
    )
    assert list(known) == list(unknown)


def test_a_rehearsal() -> None:
    rehearsal = Rehearsal(lambda _: None)
    rehearsal.add("embedded AWS up", "http://127.0.0.1:1")
    made = report.rehearsal_json(rehearsal, {"aws_endpoint_url": "http://127.0.0.1:1", "url": None})
    seconds, at = made["seconds"], made["timeline"][0]["at"]
    assert json.dumps(made) == json.dumps(
        {
            "verdict": "passed",
            "requests": {"sent": 0, "failed": 0},
            "seconds": seconds,
            "timeline": [{"at": at, "what": "embedded AWS up: http://127.0.0.1:1", "ok": True}],
            "aws_endpoint_url": "http://127.0.0.1:1",
            "url": None,
        }
    )
