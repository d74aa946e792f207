"""The task that prints what people have to be allowed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from ..cli import project
from ..cli.command import Run, command

if TYPE_CHECKING:
    from ..report import NamedDocument
    from ..templates import Audience


@command(
    json=True,
    help={
        "deploy": "print the policies for a person who deploys",
        "migration": "print the migration policy for moving from App Runner",
        "edits-policies": "with --migration: allow editing IAM policies; amounts to administrator access",
        "output": "the folder to write each document to",
    },
)
def print_setup_policy(
    run: Run,
    deploy: bool = False,
    migration: bool = False,
    edits_policies: bool = False,
    output: str = "",
) -> None:
    """Print the IAM policies for setup.

    The IAM policies of whoever runs plan, setup-fargate and its parts, setup-aws, remove-old-load-balancer and
    teardown, each small enough to be attached, and the commands that attach them. With --deploy those of a person who
    deploys: push-image, deploy, rollback, scale, status, logs, history, exec, render-task-definition,
    validate-fargate-setup. With --migration those for the weeks of the move of the service apprunner.service:
    import-apprunner by itself, and compare-apprunner, cutover and cleanup-apprunner besides the other two. They may
    delete that service and what it left, roles too; take them away after that.
    """
    from .. import report

    made = _documents(run, deploy, migration, edits_policies)
    if run.json:
        run.console.json(report.policies_json(made, run.aws.account, run.aws.partition), exact=True)
    if output:
        project.write_all(output, {f"{each.name}.json": each.text for each in made})
    elif not run.json:
        run.console.documents(each.document for each in made)
    run.console.say(report.how_to_attach(made, run.aws.account, run.aws.partition, output))


def _documents(run: Run, deploy: bool, migration: bool, edits_policies: bool) -> Sequence[NamedDocument]:
    from .. import report
    from ..attachable import documents
    from ..errors import UsageError
    from ..templates import policy_of

    if edits_policies and not migration:
        raise UsageError("--edits-policies needs --migration.", next_step="add --migration")
    if deploy and migration:
        raise UsageError(
            "--deploy and --migration are separate policies.", next_step="print one, then the other"
        )
    kind: Audience = "deploy" if deploy else "migration" if migration else "setup"
    policy = policy_of(kind, run.settings, run.aws.account, run.aws.partition, edits_policies=edits_policies)
    return report.named(f"{run.settings.name}-{kind}", documents(policy))
