"""Reads a Dockerfile as BuildKit does, into frozen data. Pure: no file is opened here.

Text becomes instructions (``lines``), their values are expanded (``words``), and the instructions are folded into
stages (``stages``). Source of the rules: the Dockerfile reference, and the behaviour of BuildKit where it is silent.
"""

from .model import (
    Command,
    Copy,
    Dockerfile,
    HealthCheck,
    Heredoc,
    MakeDirectory,
    NotCarriedOut,
    Port,
    Stage,
    Step,
)
from .stages import parse

__all__ = [
    "Command",
    "Copy",
    "Dockerfile",
    "HealthCheck",
    "Heredoc",
    "MakeDirectory",
    "NotCarriedOut",
    "Port",
    "Stage",
    "Step",
    "parse",
]
