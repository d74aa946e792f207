"""Every error that people meet, as one tree; each leaf knows its exit code.

LobsterError                   1   something failed
├── UsageError                 2   the command or the settings are wrong; nothing was looked at
│   ├── SettingsError          2   one or more settings are wrong, all named at once
│   ├── TemplateError          2   a template cannot be rendered
│   └── DockerfileError        2   the Dockerfile cannot be read
├── RefusedError               5   the account or the project does not allow it; nothing was changed
│   ├── CredentialsError       5   AWS does not know who is asking
│   ├── NotReadyError          5   something that a deployment needs is not as it has to be; has a cause code
│   └── NotOursError           5   a resource with our name that does not carry our tag
├── AwsCallError               1   AWS refused a call
│   └── AccountHeldError       1   AWS keeps the account from it until somebody asks AWS
├── OutOfTimeError             4   still moving when the time was up
└── InterruptedRunError      130   Ctrl-C; what is in flight is named

Catch ``LobsterError`` to catch them all. An error says what happened, to which resource, why, and the next
command. It never carries a secret: whatever has the shape of one is masked, in what AWS and botocore say too.
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
    """A setting, by the names on its way from the top, and why its value is refused."""

    path: tuple[str, ...]
    why: str

    @property
    def key(self) -> str:
        """The dotted name of the setting."""
        return mask_shapes(".".join(self.path))

    @property
    def sentence(self) -> str:
        """The problem as people read it."""
        return f"{self.key}: {mask_shapes(self.why)}"


class SettingsError(UsageError):
    """``problems`` are all that is wrong with the settings, one sentence each.

    ``invalid`` are those of them that are about the value of one setting.
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
    """A line of the Dockerfile that a builder would refuse, or cannot find the files of."""


class RefusedError(LobsterError):
    """Refused before anything was changed."""

    exit_code = 5


class NotReadyError(RefusedError):
    """Something that a deployment needs is not as it has to be.

    ``code`` is its cause code (see docs/causes/); ``problems`` are all that is wrong, where it is more than one thing.
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
    """There are no credentials, or AWS does not accept them; ``code`` is AWS's error code where it said one."""

    def __init__(self, what: str, why: str = "", next_step: str = "", *, code: str = "") -> None:
        super().__init__(what, why, next_step)
        self.code = code


class NotOursError(RefusedError):
    """A resource has our name but does not carry our tag."""


class AwsCallError(LobsterError):
    """AWS refused a call; ``code`` is its error code, ``operation`` is ``service:Operation``."""

    def __init__(self, what: str, why: str = "", next_step: str = "", *, code: str, operation: str) -> None:
        super().__init__(what, why, next_step)
        self.code = code
        self.operation = operation


class AccountHeldError(AwsCallError):
    """AWS keeps the account from something until somebody asks AWS to lift it."""


class OutOfTimeError(LobsterError):
    """The time was up and AWS is still at work."""

    exit_code = 4


class InterruptedRunError(LobsterError):
    """Ctrl-C; says what goes on in AWS and how to take it up again."""

    exit_code = 130
