"""The common part of every task: settings, the connection to AWS, the flags, and error handling."""

from __future__ import annotations

import functools
import inspect
import os
import signal
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

from invoke.context import Context
from invoke.exceptions import Exit
from invoke.tasks import Task, task

from ..console import Console
from ..github import Annotation, check_files, hand_over
from ..task_names import as_called
from . import project, spelling

if TYPE_CHECKING:
    from ..aws import Aws
    from ..errors import LobsterError
    from ..settings import Settings

_TITLE = "Deploy to Fargate"  # the action's name, used in annotations
_HELP = {
    "set": "a setting, as in --set task.cpu=1024; may be repeated",
    "debug": "show the traceback of an error",
    "json": "print one JSON object and nothing else on stdout",
    "dry-run": "stop before anything is changed",
    "yes": "do not ask",
}

_told = False
"""Whether the source of the settings has been printed."""


@dataclass
class Run:
    """One run of one task: its flags, and its dependencies, created on first use."""

    context: Context
    set: Sequence[str] = ()
    json: bool = False
    dry_run: bool = False
    yes: bool = False
    debug: bool = False
    environ: Mapping[str, str] = field(default_factory=lambda: os.environ)
    annotated: bool = field(default=False, init=False)

    @cached_property
    def console(self) -> Console:
        """The console of this run."""
        return Console(quiet=self.json, names=project.names())

    @cached_property
    def settings(self) -> Settings:
        """The settings; raises SettingsError, and CredentialsError for a profile that does not exist."""
        from ..aws import profiles_region

        return self._load(profiles_region)

    @property
    def located_settings(self) -> Settings:
        """The settings with the names of the load balancer that the account has now; reads the account."""
        from ..account import with_live_names

        return with_live_names(self.aws, self.settings)

    @property
    def settings_to_build(self) -> Settings:
        """The settings with the names of the load balancer that setup creates or repairs; reads the account."""
        from ..account import with_live_names

        return with_live_names(self.aws, self.settings, replacing=True)

    @cached_property
    def offline_settings(self) -> Settings:
        """The settings without reading a profile; raises SettingsError."""
        return self._load(lambda: None)

    def _load(self, profiles_region: Callable[[], tuple[str, str] | None]) -> Settings:
        from ..errors import SettingsError
        from ..settings import load

        given = project.section(self.context) or {}
        if not isinstance(given, Mapping):
            raise SettingsError(
                [f"lobster: is {given!r:.40}; it takes keys and values, as in `region: us-east-2`"]
            )
        return load(given, self.environ, self.set, profiles_region)

    @cached_property
    def aws(self) -> Aws:
        """The account, after its identity was read; raises RefusedError where that is not possible."""
        from ..aws import Aws
        from ..endpoint import require_listening
        from ..errors import AwsCallError, RefusedError

        aws = Aws(self.settings.region, tell=self.tell_of_waiting)
        require_listening(aws.endpoint_url)
        try:
            _ = aws.identity
        except AwsCallError as refused:
            raise RefusedError(refused.what, refused.why, refused.next_step) from refused
        return aws

    def tell_of_waiting(self, refused: LobsterError, within: float) -> None:
        """Print a line about a temporary refusal that is waited for."""
        from .. import report

        self.console.say(report.waiting(refused, within))

    def tell_settings(self) -> None:
        """Print where the settings come from, once for all tasks."""
        global _told
        if not _told and not self.json:
            self.console.say(project.settings_source())
            _told = True

    def annotate(self, annotation: Annotation) -> None:
        """Add an annotation to a GitHub Actions job."""
        self.annotated = self.annotated or annotation.kind == "error"
        if not hand_over(annotation, self.environ):
            self.console.command(annotation.command())

    def close(self) -> None:
        """End the task's output."""
        if "console" in vars(self):
            self.console.close()

    def ask(self, question: str, *, destroys: bool = False) -> None:
        """Ask for confirmation on a terminal; without a terminal, ``--yes`` is required to destroy anything.

        Raises RefusedError without confirmation.
        """
        from ..errors import RefusedError

        if self.yes:
            return
        if self.console.interactive and not self.json:
            if not self.console.confirm(question):
                raise RefusedError("Nothing was changed.", "the answer was not yes")
        elif destroys:
            raise RefusedError("Nothing was deleted.", "there is no terminal to ask on", "add --yes")


Body = Callable[..., int | None]


class _Called(Task[Body]):
    """A task whose help, which Invoke prints, uses the project's names of other tasks.

    It also checks the command line before Invoke, whose messages do not suggest what was meant.
    """

    def get_arguments(self, ignore_unknown_help: bool | None = None) -> list[Any]:
        """The arguments for Invoke, which asks for them after loading all tasks and before parsing the command
        line."""
        spelling.check()
        found = super().get_arguments(ignore_unknown_help)
        for each in found:
            each.help = as_called(each.help, project.names()) if each.help else each.help
        return found


def _documentation(called: _Called) -> str | None:
    own = vars(called).get("__doc__")
    return as_called(own, project.names()) if own else own


_Called.__doc__ = property(_documentation, lambda called, own: vars(called).update(__doc__=own))  # type: ignore[assignment]


def command(
    *,
    help: Mapping[str, str] | None = None,
    json: bool = False,
    changes: bool = False,
    iterable: Sequence[str] = (),
) -> Callable[[Body], Any]:
    """Make an Invoke task of ``body(run, …)``, which returns an exit code, or None for 0.

    ``json`` and ``changes`` add the flags of tasks that report and of tasks that make changes.
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
            klass=_Called,
        )(wrapper)

    return decorate


def number(name: str, given: str, lowest: float = 0.0, of: str = "") -> float:
    """A number from the command line, for example ``of`` minutes (Invoke's own conversion fails with a traceback)."""
    from ..errors import UsageError

    try:
        value = float(given)
    except ValueError:
        value = float("nan")
    if not lowest <= value < float("inf"):
        raise UsageError(f"--{name} {given} is not a number{of and f' of {of}'} from {lowest:g} up.")
    return value


def required(name: str, given: str, example: str) -> str:
    """The value of a required flag; ``example`` is a complete command."""
    from ..errors import UsageError

    if not given:
        raise UsageError(f"--{name} is required.", next_step=example)
    return given


def _signature(body: Body, common: Sequence[str]) -> inspect.Signature:
    _run_parameter, *own = inspect.signature(body).parameters.values()
    kind = inspect.Parameter.POSITIONAL_OR_KEYWORD
    context = inspect.Parameter("context", kind)
    flags = [inspect.Parameter(name, kind, default=[] if name == "set" else False) for name in common]
    return inspect.Signature([context, *own, *flags])


def _run(body: Body, run: Run, given: Mapping[str, Any]) -> None:
    """Run a task in the project's folder and exit with its code."""
    _prepare_process()
    with project.entered():
        try:
            code = _outcome(body, run, given)
        finally:
            run.close()
    if code:
        raise Exit(code=code)


def _outcome(body: Body, run: Run, given: Mapping[str, Any]) -> int | None:
    """The one place where errors are handled: a message, an exit code, and a traceback only on request."""
    from ..errors import InterruptedRunError, LobsterError

    try:
        check_files(run.environ)
        return body(run, **given)
    except InterruptedRunError as error:
        return _leave(run, error)
    except LobsterError as error:
        return _tell(run, error)
    except KeyboardInterrupt as interrupt:
        return _leave(run, _interruption(interrupt))
    except BrokenPipeError:
        sys.stdout = open(os.devnull, "w")  # noqa: SIM115 - so that the interpreter's last flush is quiet
        return 0
    except Exit:
        raise
    except Exception as error:  # noqa: BLE001 - the edge of the program
        return _tell(run, _unexpected(error))


def _prepare_process() -> None:
    """Handle SIGTERM like Ctrl-C, and let Python compile modules only once.

    Invoke disables bytecode so that tasks.py leaves no files behind; tasks.py has been loaded by now.
    """
    sys.dont_write_bytecode = bool(os.environ.get("PYTHONDONTWRITEBYTECODE"))
    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGTERM, signal.default_int_handler)


def _leave(run: Run, error: LobsterError) -> int:
    """Report an interruption, and exit without waiting for threads that are not interrupted."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # a second Ctrl-C must not cut off the message
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    code = _tell(run, error)
    if any(each for each in threading.enumerate() if not each.daemon and each is not threading.main_thread()):
        run.close()
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)
    return code


def _interruption(interrupt: KeyboardInterrupt) -> LobsterError:
    """The interruption to report; the first one's message is kept when a second one comes before it is printed."""
    from ..errors import InterruptedRunError

    if isinstance(interrupt.__context__, InterruptedRunError):
        return interrupt.__context__
    return InterruptedRunError("Interrupted.", next_step="run the same command again")


def _tell(run: Run, error: LobsterError) -> int:
    from .. import report

    if run.debug:
        import traceback

        from ..masking import mask_shapes

        told = "".join(traceback.format_exception(error))
        run.console.error(mask_shapes(told).rstrip("\n"))
    run.console.error(report.error(error))
    if not run.annotated:
        hand_over(Annotation("error", _TITLE, "\n".join(error.lines())), run.environ)
    if run.json:
        run.console.json(report.error_json(error))
    return error.exit_code


def _unexpected(error: Exception) -> LobsterError:
    from ..errors import LobsterError

    what = f"This is a defect in lobster-tasks: {type(error).__name__}: {error}"
    told = LobsterError(what, next_step="run it again with --debug and report what it shows")
    told.__cause__ = error
    return told
