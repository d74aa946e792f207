"""The task that reads an App Runner service into settings."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from ..cli.command import Run, command

if TYPE_CHECKING:
    from ..apprunner.migration import Migration, ProjectFiles


@command(
    json=True,
    changes=True,
    help={
        "service": "the App Runner service, by name or ARN; without it, the region's services are listed",
        "lift-secrets": "move variables that look like secrets into Secrets Manager",
    },
)
def import_apprunner(run: Run, service: str = "", lift_secrets: bool = False) -> None:
    """Read an App Runner service into settings.

    Reports the class of each setting, and the cost of both. Writes invoke.yaml and, if needed, files
    under task-definitions/; does not change App Runner.
    """
    from .. import report
    from ..apprunner import migration

    if not service:
        _list(run)
        return
    found = migration.plan_migration(run.aws, service, Path.cwd())
    if lift_secrets and found.suspects and not run.dry_run:
        found = _lift(run, found)
    run.console.show(report.migration(found))
    if run.dry_run and run.json:  # what cannot be written is put in by hand
        run.console.json(report.migration_json(found))
    drafted = migration.draft_files(found, Path.cwd())
    if not run.dry_run:
        _write(run, found, drafted)
    if run.json:
        run.console.json(report.migration_json(found))


def _lift(run: Run, found: Migration) -> Migration:
    from ..apprunner import migration

    migration.draft_files(found, Path.cwd())  # no secret is made for a file that cannot be written
    run.ask(f"Move {', '.join(found.suspects)} into Secrets Manager?")
    return migration.lift_secrets(run.aws, found, run.console.say)


def _list(run: Run) -> None:
    from .. import report
    from ..apprunner import migration

    listed = migration.list_services(run.aws, Path.cwd())
    run.console.show(report.migrations(listed))
    if run.json:
        run.console.json(report.migrations_json(listed))
    elif listed:
        run.console.say("\nNext:  inv import-apprunner --service NAME")


def _write(run: Run, found: Migration, drafted: ProjectFiles) -> None:
    from .. import report
    from ..apprunner import migration

    if drafted.replaced:
        run.console.say(f"\nThis replaces what is there: {', '.join(drafted.replaced)}.")
        run.ask("Replace it?", destroys=True)
    migration.write_files(drafted, Path.cwd())
    run.console.say()
    run.console.say(report.written(drafted))
    run.console.say(report.next_steps(found))
