"""The deploy role's policy covers what a release really calls, and it calls nothing that changes more."""

from __future__ import annotations

from lobster_tasks import templates
from lobster_tasks.settings import load
from tests.embedded_process import EmbeddedProcess
from tests.project import Project

NEVER_DENIED = {"sts:GetCallerIdentity"}
COMMANDS = (
    ("push-image", "--tag", "one", "--builder", "process"),
    ("deploy", "--tag", "one"),
    ("render-task-definition", "--tag", "one"),
    ("status",),
    ("logs",),
)


def test_a_release_needs_no_more_than_the_deploy_role_may(
    project: Project, embedded: EmbeddedProcess
) -> None:
    project.inv("setup-fargate").check()
    embedded.forget_calls()
    for command in COMMANDS:
        project.inv(*command).check()
    called = {f"{call['service']}:{call['operation']}" for call in embedded.calls()}
    policy = templates.github_actions_policy(load({}), "123456789012", "aws")
    granted = [each["Action"] for each in policy["Statement"]]
    allowed = {action for each in granted for action in ([each] if isinstance(each, str) else each)}
    assert called - NEVER_DENIED <= allowed
