"""--chmod."""

from __future__ import annotations

import pytest

from lobster_tasks.images.modes import changed


@pytest.mark.parametrize(
    ("mode", "change", "is_directory", "expected"),
    [
        (0o644, "755", False, 0o755),
        (0o644, "0600", False, 0o600),
        (0o644, "+x", False, 0o755),
        (0o755, "-x", False, 0o644),
        (0o644, "u=rwx", False, 0o744),
        (0o644, "go-r", False, 0o600),
        (0o640, "g=u", False, 0o660),
        (0o600, "u=rwX,go=rX", False, 0o644),
        (0o600, "u=rwX,go=rX", True, 0o755),
        (0o700, "u=rwX,go=rX", False, 0o755),
        (0o777, "a=r", False, 0o444),
    ],
)
def test_changes(mode: int, change: str, is_directory: bool, expected: int) -> None:
    assert changed(mode, change, is_directory) == expected


@pytest.mark.parametrize("change", ["", "999", "rw", "u+q", "755 "])
def test_refuses(change: str) -> None:
    with pytest.raises(ValueError):
        changed(0o644, change, False)
