"""Finds the pages of the documentation that messages refer to.

The wheel contains the pages, so they are available offline too, in an installation as in a checkout.
"""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path


def place(page: str) -> str:
    """The path of a page such as ``docs/causes.md``; empty where it does not exist.

    Relative to the current folder where the page is below it.
    """
    package = Path(str(files("lobster_tasks")))
    found = next((path for path in (package / page, package.parent / page) if path.is_file()), None)
    if found is None:
        return ""
    here = Path.cwd()
    return str(found.relative_to(here) if found.is_relative_to(here) else found)
