"""How a release's end reads."""

from __future__ import annotations

import pytest

from lobster_tasks import report
from lobster_tasks.errors import AwsCallError, NotReadyError, SettingsError
from lobster_tasks.probe import Answer, Probe
from lobster_tasks.rollout.cause_code import CauseCode
from lobster_tasks.rollout.deployment.outcome import Outcome
from lobster_tasks.rollout.diagnosis.causes import Cause
from lobster_tasks.rollout.observation.status import ServiceStatus
from lobster_tasks.rollout.observation.way import Hop, Trouble

from .drawn import drawn

CAUSE = Cause(
    "secret-not-readable",
    "The execution role is not allowed to read OPENAI_API_KEY.",
    ("2 tasks stopped", "AccessDeniedException"),
    "inv create-iam-policies",
    ("revision 41 added the secret OPENAI_API_KEY",),
)


def test_one_cause_its_evidence_one_next_command_and_the_exit_code_last() -> None:
    also, finding = (
        Cause("exits", "The program ends."),
        Cause("ignores-sigterm", "It is killed.", remedy="exec"),
    )
    ended = Outcome(
        "rolled_back",
        "revision 41 never became healthy; revision 40 serves",
        CAUSE,
        seconds=48,
        also=(also,),
        findings=(finding,),
    )
    assert drawn(report.outcome(ended), 80) == [
        "ROLLED BACK   revision 41 never became healthy; revision 40 serves",
        "",
        "cause     secret-not-readable",
        "          The execution role is not allowed to read OPENAI_API_KEY.",
        "evidence  2 tasks stopped",
        "          AccessDeniedException",
        "changed   revision 41 added the secret OPENAI_API_KEY",
        "next      inv create-iam-policies",
        "docs      docs/causes/secret-not-readable.md",
        "",
        "cause     exits",
        "          The program ends.",
        "docs      docs/causes/exits.md",
        "note      It is killed.",
        "next      exec",
        "",
        "exit 3 after 0:48",
    ]


def test_live_in_a_line() -> None:
    page, socket = Answer(True, "GET / 200 in 84 ms"), Answer(True, "WebSocket open")
    arn = "arn:aws:ecs:us-east-2:123456789012:task-definition/lobster-streamlit-task:41"
    probe = Probe("http://x", page, socket)
    ended = Outcome("live", "1/1 healthy", task_definition=arn, seconds=72, probe=probe, url="http://x")
    assert drawn(report.outcome(ended)) == [
        "LIVE   revision 41 in 1:12 · 1/1 healthy · GET / 200 in 84 ms · WebSocket open"
    ]


def test_errors_say_no_secret() -> None:
    """Not even where botocore, or AWS, says one."""
    hidden = "letmein"
    url = f"https://me:{hidden}@example.com/"
    refused = AwsCallError(f"{url} failed.", f"no {url}", f"unset {url}", code="X", operation="ecs:X")
    for error in (
        refused,
        SettingsError([f"region: is {url}"]),
        NotReadyError("no", code="X", problems=[url]),
    ):
        for told in ("\n".join(drawn(report.error(error))), str(report.error_json(error)), str(error)):
            assert hidden not in told


def test_errors_say_all_they_know() -> None:
    settings = SettingsError(["task.cpu: is wrong", "region: is wrong"])
    assert drawn(report.error(settings))[:3] == [
        "✘ 2 settings are wrong.",
        "  task.cpu: is wrong",
        "  region: is wrong",
    ]
    assert report.error_json(settings)["error"]["why"] == "task.cpu: is wrong; region: is wrong"
    refused = AwsCallError("AWS refused x.", "Denied: no", "allow it", code="Denied", operation="ecs:X")
    refused.add_note("also: AWS refused y.")
    assert drawn(report.error(refused)) == [
        "✘ AWS refused x.",
        "why       Denied: no",
        "          also: AWS refused y.",
        "next      allow it",
    ]
    unready = NotReadyError("Not ready.", code="log-group-missing")
    assert "cause     log-group-missing" in drawn(report.error(unready))


def test_status_names_the_hop_that_lets_nobody_through_and_what_repairs_it() -> None:
    family = "arn:aws:ecs:us-east-2:123456789012:task-definition/app:2"
    trouble = Trouble(CauseCode.LISTENER_MISSING, "The load balancer alb has no listener.")
    way = (Hop("load balancer", "alb", "internal", trouble), Hop("target group", "tg"))
    now = ServiceStatus("c", "app", None, family, "image", 1, 1, 0, 1, (), None, (), (), way=way)
    shown = drawn(report.status(now))
    start = shown.index("load balancer  alb  internal")
    assert shown[start + 1 :] == [
        "target group   tg",
        "",
        "cause     listener-missing",
        "          The load balancer alb has no listener.",
        "next      inv setup-fargate",
        "docs      docs/causes/listener-missing.md",
        "",
        "no address",
    ]


ACL = "arn:aws:wafv2:us-east-2:123456789012:regional/webacl/wall/0"


def test_status_shows_where_visitors_sign_in() -> None:
    family = "arn:aws:ecs:us-east-2:123456789012:task-definition/app:2"
    at = "https://login.example.com/authorize"
    now = ServiceStatus("c", "app", None, family, "image", 1, 1, 0, 1, (), None, (), (), None, "", sign_in=at)
    (shown,) = [each for each in drawn(report.status(now)) if each.startswith("sign-in")]
    assert shown == "sign-in  login.example.com  visitors sign in there before they reach the app"


@pytest.mark.parametrize(
    ("web_acl", "unknown", "line"),
    [
        (ACL, "", "web ACL  wall  protects the load balancer"),
        (
            None,
            "AWS refused wafv2:GetWebACLForResource",
            "web ACL  not known  AWS refused wafv2:GetWebACLForResource",
        ),
        (None, "", None),
    ],
)
def test_status_shows_the_web_acl_of_the_load_balancer(
    web_acl: str | None, unknown: str, line: str | None
) -> None:
    family = "arn:aws:ecs:us-east-2:123456789012:task-definition/app:2"
    now = ServiceStatus("c", "app", None, family, "image", 1, 1, 0, 1, (), None, (), (), web_acl, unknown)
    shown = [each for each in drawn(report.status(now)) if each.startswith("web ACL")]
    assert shown == ([line] if line else [])
