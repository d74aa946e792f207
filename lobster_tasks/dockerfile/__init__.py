"""Reads a Dockerfile as BuildKit does, into frozen data. Pure, but for ``scripts``, which
looks into the build context.

Text becomes instructions (``lines``), their values are expanded (``words``), and the instructions are folded into
stages (``stages``). Source of the rules: the Dockerfile reference, and the behaviour of BuildKit where it is silent.
"""

from .exec_form import Mistake, mistake
from .model import (
    BuildWarning,
    Command,
    Copy,
    Dockerfile,
    HealthCheck,
    Heredoc,
    MakeDirectory,
    Port,
    Stage,
    Step,
    UnexecutedInstruction,
)
from .stages import DEFAULT_SHELL, parse

__all__ = [
    "DEFAULT_SHELL",
    "BuildWarning",
    "Command",
    "Copy",
    "Dockerfile",
    "HealthCheck",
    "Heredoc",
    "MakeDirectory",
    "Mistake",
    "Port",
    "Stage",
    "Step",
    "UnexecutedInstruction",
    "mistake",
    "parse",
]
