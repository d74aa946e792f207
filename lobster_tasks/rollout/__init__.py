"""From a tag to a verdict: starts a deployment, follows it by its identity, probes the app, and reports the
outcome.

``deployment`` makes changes, ``diagnosis`` finds causes, ``observation`` reads; callers use the names exported here.
"""

from .deployment.busy import CHOICES as IF_BUSY
from .deployment.busy import IfBusy
from .deployment.circuit_breaker import keep_promise
from .deployment.keeping import keep_serving
from .deployment.outcome import Outcome
from .deployment.pipeline import deploy, follow
from .deployment.preview import Preview, preview
from .deployment.release import find_image
from .deployment.rollback import preview_rollback, rollback
from .deployment.scale import ScaleChange, Scaled, before_scaling, scale
from .diagnosis.causes import CODES, Cause
from .observation.history import History, Release, history
from .observation.logs import LogLine, tail
from .observation.phases import TITLES as PHASE_TITLES
from .observation.shell import exec_command
from .observation.snapshot import Deployment, Snapshot, Task
from .observation.status import ServiceStatus, TaskStatus, status, watched
from .observation.timeline import Moment, Observe, Progress, Timeline, unobserved
from .observation.way import Hop

__all__ = [
    "CODES",
    "IF_BUSY",
    "PHASE_TITLES",
    "Cause",
    "Deployment",
    "History",
    "Hop",
    "IfBusy",
    "LogLine",
    "Moment",
    "Observe",
    "Outcome",
    "Preview",
    "Progress",
    "Release",
    "ScaleChange",
    "Scaled",
    "ServiceStatus",
    "Snapshot",
    "Task",
    "TaskStatus",
    "Timeline",
    "before_scaling",
    "deploy",
    "exec_command",
    "find_image",
    "follow",
    "history",
    "keep_promise",
    "keep_serving",
    "preview",
    "preview_rollback",
    "rollback",
    "scale",
    "status",
    "tail",
    "unobserved",
    "watched",
]
