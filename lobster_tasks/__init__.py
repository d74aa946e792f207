"""Invoke tasks that move a containerised web app from AWS App Runner to ECS on Fargate.

In a project's own ``tasks.py``::

    from lobster_tasks import namespace

    ns = namespace()
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .tasks import namespace
from .version import __version__

if TYPE_CHECKING:
    from .settings import Settings

__all__ = ["Settings", "__version__", "namespace"]


def __getattr__(name: str) -> Any:
    """Import Settings only when it is used: importing pydantic is slow."""
    if name == "Settings":
        from .settings import Settings

        return Settings
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
