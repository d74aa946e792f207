"""The Invoke tasks. Slow imports happen only when a task runs, so that ``inv --list`` stays fast."""

from __future__ import annotations

from invoke.collection import Collection

from ..cli import project
from . import apprunner, cutover, deploy, embedded, inspect, migrate, operate, policy, setup

_MODULES = (setup, policy, deploy, inspect, operate, migrate, cutover, apprunner, embedded)


def namespace() -> Collection:
    """Every task, for a ``tasks.py`` that says ``ns = namespace()``."""
    project.prepare()
    collection = Collection()
    for module in _MODULES:
        for task in Collection.from_module(module).tasks.values():
            collection.add_task(task)
    return collection
