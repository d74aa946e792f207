"""Every error that people meet, as one tree, with its exit code.

LobsterError                   1   something failed
├── UsageError                 2   the command or the settings are wrong; nothing was looked at
│   ├── SettingsError          2   one or more settings are wrong, all named at once
│   ├── TemplateError          2   a template cannot be rendered
│   └── DockerfileError        2   the Dockerfile cannot be read
├── RefusedError               5   the account or the project does not allow it; nothing was changed
│   ├── CredentialsError       5   AWS does not know the caller
│   ├── NotReadyError          5   a deployment's requirement is not met; has a cause code
│   └── NotOursError           5   a resource with our name that does not have our tag
├── AwsCallError               1   AWS refused a call
│   └── AccountHeldError       1   a restriction of the account that only AWS lifts, on request
├── OutOfTimeError             4   still in progress when the time was up
└── InterruptedRunError      130   Ctrl-C; names what continues in AWS

Catch ``LobsterError`` to catch them all. An error says what happened, to which resource, why, and the next
command. It never contains a secret: text that looks like one is masked, also in messages of AWS and botocore.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from .masking import mask_shapes


class LobsterError(Exception):
    """What happened (``what``), why (``why``), and the next command or step (``next_step``)."""

    exit_code = 1

    def __init__(self, what: str, why: str = "", next_step: str = "") -> None:
        self.what = mask_shapes(what)
        self.why = mask_shapes(why)
        self.next_step = mask_shapes(next_step)
        super().__init__(self.what)

    def lines(self) -> list[str]:
        """The error as people read it: one to three lines."""
        lines = [self.what]
        if self.why:
            lines.append(f"why   {self.why}")
        if self.next_step:
            lines.append(f"next  {self.next_step}")
        return lines


class UsageError(LobsterError):
    """The command line is wrong."""

    exit_code = 2


@dataclass(frozen=True)
class InvalidSetting:
    """An invalid setting: the names from the top to it, and why its value is refused."""

    path: tuple[str, ...]
    why: str

    @property
    def key(self) -> str:
        """The setting's dotted name."""
        return mask_shapes(".".join(self.path))

    @property
    def sentence(self) -> str:
        """The problem as people read it."""
        return f"{self.key}: {mask_shapes(self.why)}"


class SettingsError(UsageError):
    """``problems`` are all mistakes in the settings, one sentence each.

    ``invalid`` are the values of single settings among them.
    """

    def __init__(self, problems: Sequence[str], invalid: Sequence[InvalidSetting] = ()) -> None:
        problems = [*problems, *(each.sentence for each in invalid)]
        count = "A setting is" if len(problems) == 1 else f"{len(problems)} settings are"
        super().__init__(
            f"{count} wrong.", next_step="correct invoke.yaml, the flag or the environment variable"
        )
        self.problems = tuple(mask_shapes(problem) for problem in problems)
        self.invalid = tuple(invalid)

    def lines(self) -> list[str]:
        """The headline, then a line for each problem."""
        headline, *rest = super().lines()
        return [headline, *(f"  {problem}" for problem in self.problems), *rest]


class TemplateError(UsageError):
    """A template has an undefined name, a syntax error, or does not make valid JSON."""


class DockerfileError(UsageError):
    """A line of the Dockerfile that a builder would refuse, or whose files it would not find."""


class RefusedError(LobsterError):
    """Refused before anything was changed."""

    exit_code = 5


class NotReadyError(RefusedError):
    """A deployment's requirement is not met.

    ``code`` is the cause code (see docs/causes/); ``problems`` lists all of them, where there is more than one.
    """

    def __init__(
        self, what: str, why: str = "", next_step: str = "", *, code: str, problems: Sequence[str] = ()
    ) -> None:
        super().__init__(what, why, next_step)
        self.code = code
        self.problems = tuple(mask_shapes(problem) for problem in problems)

    def lines(self) -> list[str]:
        """The headline, then a line for each problem."""
        headline, *rest = super().lines()
        return [headline, *(f"  {problem}" for problem in self.problems), *rest]


class CredentialsError(RefusedError):
    """There are no credentials, or AWS does not accept them; ``code`` is AWS's error code, where there is one."""

    def __init__(self, what: str, why: str = "", next_step: str = "", *, code: str = "") -> None:
        super().__init__(what, why, next_step)
        self.code = code


class NotOursError(RefusedError):
    """A resource has our name but not our tag."""


class AwsCallError(LobsterError):
    """AWS refused a call; ``code`` is its error code, ``operation`` is ``service:Operation``."""

    def __init__(self, what: str, why: str = "", next_step: str = "", *, code: str, operation: str) -> None:
        super().__init__(what, why, next_step)
        self.code = code
        self.operation = operation


class AccountHeldError(AwsCallError):
    """A restriction of the account that only AWS lifts, on request."""


class OutOfTimeError(LobsterError):
    """The time was up while AWS was still at work."""

    exit_code = 4


class InterruptedRunError(LobsterError):
    """Ctrl-C; says what continues in AWS and how to resume it."""

    exit_code = 130
