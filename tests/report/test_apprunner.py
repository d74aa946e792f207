"""What a comparison and a clean-up look like."""

from __future__ import annotations

from lobster_tasks.apprunner.cleanup import CleanupPlan
from lobster_tasks.apprunner.comparison import ComparisonRow
from lobster_tasks.apprunner.owned_resources import KeptResource, OwnedResource, OwnedResources
from lobster_tasks.apprunner.parity import Parity
from lobster_tasks.doctor.check import Check
from lobster_tasks.report import cleaned, cleanup_plan, nothing_to_clean, parity

from .drawn import drawn

ARN = "arn:aws:apprunner:us-east-2:123456789012:service/site/8fe1e10304f84fd2b0df550fe98a71fa"
OPEN = Check("live.since", "pass", "lobster-streamlit-service has been live for 25 h")
SHUT = Check("traffic.requests", "fail", "7 requests in the last 60 min", "inv cutover")
ROLE = OwnedResource("role", "instance", "arn:aws:iam::123456789012:role/instance")


def test_a_comparison() -> None:
    rows = (
        ComparisonRow("GET /", "200", "200", "same"),
        ComparisonRow("GET /old", "200", "404", "differs"),
        ComparisonRow("WebSocket /ws", "403", "open", "better", "this is a reason for moving"),
        ComparisonRow("answers past 120 s", "–", "–", "skip"),
    )
    lines = drawn(parity(Parity(ARN, "https://old", "http://new", rows)))
    assert lines[0] == "https://old  →  http://new"
    assert [line.split()[0] for line in lines[3:6]] == ["✔", "✘", "+"]
    assert "this is a reason for moving" in lines[6]
    assert lines[-1] == "1 the same, 1 better, 1 differs, 1 not compared."


def test_gates_and_what_goes_and_stays() -> None:
    kept = (
        KeptResource(OwnedResource("VPC-connector", "inside/1", "arn"), "other in us-east-2 uses it too"),
    )
    found = CleanupPlan("site", ARN, "RUNNING", "delete", (OPEN, SHUT), (), OwnedResources((ROLE,), kept))
    lines = drawn(cleanup_plan(found))
    assert lines[0] == "site · App Runner · RUNNING"
    assert lines[2].split()[:2] == ["live", "✔"]
    assert lines[3].split()[:2] == ["traffic", "✘"]
    assert lines[4].strip() == "→ inv cutover"
    assert [line.split()[:2] for line in lines[6:9]] == [["-", "service"], ["-", "role"], ["=", "VPC"]]
    assert "other in us-east-2 uses it too" in lines[8]


def test_a_pause_is_told_with_its_way_back() -> None:
    found = CleanupPlan("site", ARN, "RUNNING", "pause", (OPEN,))
    assert drawn(cleanup_plan(found))[-1] == "~  service  site · would be paused, and can be resumed"
    said = "\n".join(drawn(cleaned(found)))
    assert f"aws apprunner resume-service --service-arn {ARN}" in said


def test_nothing_to_do_says_why() -> None:
    paused = drawn(nothing_to_clean(CleanupPlan("site", ARN, "PAUSED", "none")))
    assert paused[0].startswith("Nothing to do: site is paused")
    left = drawn(nothing_to_clean(CleanupPlan("site", "", "DELETED", "none", owned=OwnedResources((ROLE,)))))
    assert left == ["site is gone; it left 1 thing:  inv cleanup-apprunner --delete"]
    gone = drawn(nothing_to_clean(CleanupPlan("site", "", "DELETED", "none")))
    assert gone == ["Nothing to do: site is gone, and so is everything that only it used."]


def test_the_end_of_a_deletion_counts_what_went_with_the_service() -> None:
    found = CleanupPlan("site", ARN, "RUNNING", "delete", owned=OwnedResources((ROLE,)))
    assert drawn(cleaned(found)) == ["site is gone, and 1 thing with it."]
