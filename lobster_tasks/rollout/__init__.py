"""From a tag to a verdict: make a deployment, follow it by identity, ask the app, say what became of it."""

from .busy import CHOICES as IF_BUSY
from .busy import IfBusy
from .causes import CODES, Cause
from .history import History, Release, history
from .keeping import keep_serving
from .logs import LogLine, tail
from .outcome import Moment, Outcome, Progress
from .pipeline import deploy, follow
from .preview import Preview, preview
from .rollback import preview_rollback, rollback
from .scale import ScaleChange, Scaled, before_scaling, scale
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
    "ScaleChange",
    "Scaled",
    "ServiceStatus",
    "before_scaling",
    "deploy",
    "exec_command",
    "follow",
    "history",
    "keep_serving",
    "preview",
    "preview_rollback",
    "rollback",
    "scale",
    "status",
    "tail",
    "watched",
]
