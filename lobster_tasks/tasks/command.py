"""What every task has in common: settings, the door to AWS, the flags, and one place where errors end."""

from __future__ import annotations

import functools
import inspect
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from invoke.context import Context
from invoke.exceptions import Exit
from invoke.tasks import task

from ..console import Console

if TYPE_CHECKING:
    from ..aws import Aws
    from ..errors import LobsterError
    from ..settings import Settings

_PROJECT_FILES = ("invoke.yaml", "tasks.py")
_HELP = {
    "set": "a setting, as in --set task.cpu=1024; may be repeated",
    "debug": "show the traceback of an error",
    "json": "print one JSON object and nothing else on stdout",
    "dry-run": "stop before anything is changed",
    "yes": "do not ask",
}


@dataclass
class Run:
    """One run of one task: its flags, and what it needs, made when it is first asked for."""

    context: Context
    set: Sequence[str] = ()
    json: bool = False
    dry_run: bool = False
    yes: bool = False
    debug: bool = False
    environ: Mapping[str, str] = field(default_factory=lambda: os.environ)

    @cached_property
    def console(self) -> Console:
        """Where it speaks."""
        return Console(quiet=self.json)

    @cached_property
    def settings(self) -> Settings:
        """The settings; raises SettingsError."""
        from ..settings import load

        given = self.context.config.get("lobster") or {}
        return load(dict(given), self.environ, self.set)

    @cached_property
    def aws(self) -> Aws:
        """The account; the first look finds out whether there are credentials."""
        from ..aws import Aws

        return Aws(self.settings.region)

    def may(self, question: str, *, destroys: bool = False) -> bool:
        """Whether to go on: asks on a terminal; without one it destroys only with ``--yes``."""
        from ..errors import RefusedError

        if self.yes:
            return True
        if self.console.interactive and not self.json:
            return self.console.confirm(question)
        if destroys:
            raise RefusedError("Nothing was deleted.", "there is no terminal to ask on", "add --yes")
        return True


Body = Callable[..., int | None]


def command(
    *,
    help: Mapping[str, str] | None = None,
    json: bool = False,
    changes: bool = False,
    iterable: Sequence[str] = (),
    incrementable: Sequence[str] = (),
) -> Callable[[Body], Any]:
    """Make an Invoke task of ``body(run, …)``, which answers with an exit code, or None for 0.

    ``json`` and ``changes`` give it the flags that reporting and changing tasks have.
    """
    common = ["set", "debug", *(["json"] if json else []), *(["dry_run", "yes"] if changes else [])]

    def decorate(body: Body) -> Any:
        @functools.wraps(body)
        def wrapper(context: Context, **given: Any) -> None:
            flags = {name: given.pop(name) for name in common if name in given}
            _run(body, Run(context, **flags), given)

        wrapper.__signature__ = _signature(body, common)  # type: ignore[attr-defined]
        texts = {name: text for name, text in _HELP.items() if name.replace("-", "_") in common}
        return task(
            help={**texts, **(help or {})},
            iterable=["set", *iterable],
            auto_shortflags=False,
        )(wrapper)

    return decorate


def _signature(body: Body, common: Sequence[str]) -> inspect.Signature:
    _run_parameter, *own = inspect.signature(body).parameters.values()
    kind = inspect.Parameter.POSITIONAL_OR_KEYWORD
    context = inspect.Parameter("context", kind)
    flags = [inspect.Parameter(name, kind, default=[] if name == "set" else False) for name in common]
    return inspect.Signature([context, *own, *flags])


def _run(body: Body, run: Run, given: Mapping[str, Any]) -> None:
    """The one place where errors end: a message, an exit code, and no traceback unless it is asked for."""
    from ..errors import InterruptedRunError, LobsterError

    _go_to_project()
    try:
        code = body(run, **given)
    except LobsterError as error:
        code = _tell(run, error)
    except KeyboardInterrupt:
        code = _tell(run, InterruptedRunError("Interrupted.", next_step="run the same command again"))
    except BrokenPipeError:
        sys.stdout = open(os.devnull, "w")  # noqa: SIM115 - so that the interpreter's last flush is quiet
        code = 0
    except Exit:
        raise
    except Exception as error:  # noqa: BLE001 - the edge of the program
        code = _tell(run, _unexpected(error))
    if code:
        raise Exit(code=code)


def _tell(run: Run, error: LobsterError) -> int:
    from .. import report

    if run.debug:
        import traceback

        traceback.print_exception(error)
    if run.json:
        run.console.json({"error": {"what": error.what, "why": error.why, "next": error.next_step}})
    run.console.error(report.error(error))
    return error.exit_code


def _unexpected(error: Exception) -> LobsterError:
    from ..errors import LobsterError

    what = f"This is a defect in lobster-tasks: {type(error).__name__}: {error}"
    told = LobsterError(what, next_step="run it again with --debug and report what it shows")
    told.__cause__ = error
    return told


def _go_to_project() -> None:
    """Invoke finds tasks.py in a folder above; paths in the settings are relative to that folder."""
    here = Path.cwd()
    for folder in (here, *here.parents):
        if any((folder / name).is_file() for name in _PROJECT_FILES):
            os.chdir(folder)
            return
