"""From a tag to a verdict: make a deployment, follow it by identity, ask the app, say what became of it."""

from .busy import CHOICES as IF_BUSY
from .busy import IfBusy
from .causes import CODES, Cause
from .history import History, Release, history
from .logs import LogLine, tail
from .outcome import Moment, Outcome, Progress
from .pipeline import deploy, follow
from .preview import Preview, preview
from .rollback import rollback
from .scale import Scaled, scale
from .shell import exec_command
from .status import ServiceStatus, status, watched

__all__ = [
    "CODES",
    "IF_BUSY",
    "Cause",
    "History",
    "IfBusy",
    "LogLine",
    "Moment",
    "Outcome",
    "Preview",
    "Progress",
    "Release",
    "Scaled",
    "ServiceStatus",
    "deploy",
    "exec_command",
    "follow",
    "history",
    "preview",
    "rollback",
    "scale",
    "status",
    "tail",
    "watched",
]
