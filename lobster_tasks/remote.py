"""Finds the GitHub repository that a folder is a clone of."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Mapping
from pathlib import Path

# https://github.com/O/R.git, with or without credentials; git@github.com:O/R.git; ssh://git@github.com/O/R
_GITHUB = re.compile(
    r"(?:https?://|ssh://|git://)?(?:[^@/\s]{1,256}@)?(?:www\.)?(?:ssh\.)?github\.com(?::443)?[:/]"
    r"(?P<owner>[\w-]{1,100})/(?P<name>[\w.-]{1,100}?)(?:\.git)?/?",
    re.IGNORECASE | re.ASCII,
)


def github_repository(folder: Path, environ: Mapping[str, str] = os.environ) -> str | None:
    """``owner/name`` of the current workflow, or else of the remote ``origin``; None where it is not on GitHub."""
    return environ.get("GITHUB_REPOSITORY") or repository_of(_origin(folder))


def repository_of(url: str) -> str | None:
    """``owner/name`` of a remote's URL; None where it is not on GitHub."""
    found = _GITHUB.fullmatch(url.strip())
    return f"{found['owner']}/{found['name']}" if found else None


def _origin(folder: Path) -> str:
    command = ["git", "-C", str(folder), "remote", "get-url", "origin"]
    try:
        return subprocess.run(command, capture_output=True, encoding="utf-8", check=False).stdout
    except OSError:  # git is not installed
        return ""
