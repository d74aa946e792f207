"""What is shown of a failure, and what never is."""

from __future__ import annotations

import json

import pytest

from lobster_tasks import report, settings
from lobster_tasks.aws import Aws
from lobster_tasks.errors import UsageError
from lobster_tasks.rollout import Outcome, follow

from .releasing import Account, beside, said

LEAK = "import os, sys; print('cannot use', os.environ['API_TOKEN'], 'at', os.environ['PORT']); sys.exit(1)"
TOKEN = "correct-horse-battery-staple-9"


def shown(outcome: Outcome) -> str:
    """All that people and programs get to see."""
    return json.dumps(report.outcome_json(outcome))


def test_values_of_the_environment_are_not_shown(account: Account) -> None:
    site = beside(account, "leaky")
    environment = [{"name": "API_TOKEN", "value": TOKEN}, {"name": "PORT", "value": "8501"}]
    outcome = site.follow(command=["python", "-c", LEAK], environment=environment)
    assert outcome.cause is not None, said(outcome)
    assert "cannot use *** at 8501" in outcome.cause.message
    assert any("adds the environment variable API_TOKEN" in line for line in outcome.cause.changed)
    assert TOKEN not in shown(outcome)


def test_the_last_twenty_lines_of_the_log(account: Account) -> None:
    site = beside(account, "wordy")
    script = "for i in $(seq 1 50); do echo line $i; done; exit 3"
    outcome = site.follow(command=["sh", "-c", script])
    assert outcome.cause is not None, said(outcome)
    logged = [line for line in outcome.cause.evidence if line.startswith("log: ")]
    assert logged == [f"log: line {number}" for number in range(31, 51)]


def test_what_the_release_changed(account: Account) -> None:
    site = beside(account, "changed")
    outcome = site.follow(command=["streamlti"], cpu="256")
    assert outcome.cause is not None, said(outcome)
    assert "revision 2: cpu 512 → 256" in outcome.cause.changed
    assert any(line.startswith("revision 2: command default → [streamlti]") for line in outcome.cause.changed)


def test_what_cannot_be_read_is_said(account: Account) -> None:
    site = beside(account, "closed")
    for service, operation in (("logs", "GetLogEvents"), ("ecs", "DescribeServiceRevisions")):
        denied = {"code": "AccessDeniedException", "message": f"may not {operation}"}
        account.order_fault(service=service, operation=operation, error=denied)
    outcome = site.deploy("closed", EXIT_CODE="3")
    assert (outcome.verdict, outcome.cause and outcome.cause.code) == ("rolled_back", "exits")
    assert outcome.cause is not None, said(outcome)
    assert "not read: the log (AccessDeniedException: may not GetLogEvents)" in outcome.cause.evidence


def test_calls_are_counted_and_few(account: Account) -> None:
    """A tenth of what ECS allows for reading services (20 a second) and tasks (20 a second) is 240 a minute."""
    outcome = beside(account, "counted").deploy("counted")
    assert report.outcome_json(outcome)["calls"]["total"] == outcome.calls > 30
    assert 0 < outcome.calls_per_minute < 240


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ("nonsense", "is not the ARN of a task definition's revision"),
        ("arn:aws:ecs:us-east-2:123456789012:task-definition/f", "is not the ARN"),
        ("arn:aws:ecs:us-east-2:123456789012:service/c/s", "is not the ARN"),
        ("arn:aws:ecs:us-east-2:210987654321:task-definition/f:1", "is of another account or region"),
        ("arn:aws:ecs:eu-west-1:123456789012:task-definition/f:1", "is of another account or region"),
        ("$(rm -rf /):1", "is not the ARN"),
    ],
)
def test_what_cannot_be_followed(aws: Aws, given: str, says: str) -> None:
    with pytest.raises(UsageError, match=says):
        follow(aws, settings.load({}), given)
