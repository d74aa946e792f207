"""The signals that STOPSIGNAL takes. Source: ``ParseSignal`` and ``SignalMap`` of moby/sys/signal, for Linux."""

from __future__ import annotations

from .spaces import is_number, upper

_NAMES = frozenset(
    (
        *("ABRT", "ALRM", "BUS", "CHLD", "CLD", "CONT", "FPE", "HUP", "ILL", "INT", "IO", "IOT", "KILL"),
        *("PIPE", "POLL", "PROF", "PWR", "QUIT", "SEGV", "STKFLT", "STOP", "SYS", "TERM", "TRAP", "TSTP"),
        *("TTIN", "TTOU", "URG", "USR1", "USR2", "VTALRM", "WINCH", "XCPU", "XFSZ", "RTMIN", "RTMAX"),
        *(f"RTMIN+{number}" for number in range(1, 16)),
        *(f"RTMAX-{number}" for number in range(1, 15)),
    )
)


def is_signal(text: str) -> bool:
    """Whether it is a number but 0, or a name with or without SIG, in letters of either case."""
    if is_number(text):
        return int(text) != 0
    return upper(text).removeprefix("SIG") in _NAMES


def signal_name(text: str) -> str:
    """The name of a signal, such as SIGTERM, for its number or its name with or without SIG; the text where it is none.

    Source of the numbers: signal(7), for x86 and ARM.
    """
    if is_number(text):
        return f"SIG{_NUMBERED[int(text) - 1]}" if 0 < int(text) <= len(_NUMBERED) else text
    return f"SIG{upper(text).removeprefix('SIG')}"


_NUMBERED = (
    *(
        "HUP",
        "INT",
        "QUIT",
        "ILL",
        "TRAP",
        "ABRT",
        "BUS",
        "FPE",
        "KILL",
        "USR1",
        "SEGV",
        "USR2",
        "PIPE",
        "ALRM",
        "TERM",
    ),
    *(
        "STKFLT",
        "CHLD",
        "CONT",
        "STOP",
        "TSTP",
        "TTIN",
        "TTOU",
        "URG",
        "XCPU",
        "XFSZ",
        "VTALRM",
        "PROF",
        "WINCH",
        "POLL",
    ),
    *("PWR", "SYS"),
)
