"""The pages of the documentation that sentences name, where somebody who reads them finds them.

They travel in the wheel, so that they are there, offline too, whether the library was installed or checked out.
"""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path


def place(page: str) -> str:
    """The path of a page, as ``docs/causes.md``; empty where it is not there.

    From the current folder where it is below it.
    """
    package = Path(str(files("lobster_tasks")))
    found = next((path for path in (package / page, package.parent / page) if path.is_file()), None)
    if found is None:
        return ""
    here = Path.cwd()
    return str(found.relative_to(here) if found.is_relative_to(here) else found)
