"""From a tag to a verdict: make a deployment, follow it by identity, ask the app, say what became of it."""

from .busy import CHOICES as IF_BUSY
from .busy import IfBusy
from .logs import LogLine, tail
from .outcome import Cause, Moment, Outcome, Progress
from .pipeline import deploy, follow
from .status import ServiceStatus, status

__all__ = [
    "IF_BUSY",
    "Cause",
    "IfBusy",
    "LogLine",
    "Moment",
    "Outcome",
    "Progress",
    "ServiceStatus",
    "deploy",
    "follow",
    "status",
    "tail",
]
