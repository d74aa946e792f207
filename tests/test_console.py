"""What is printed is there, whatever the environment says of the terminal."""

from __future__ import annotations

import pytest

from lobster_tasks.console import Console

TEXT = "a line that is longer than any narrow terminal has room for"


@pytest.mark.parametrize("variable", ["COLUMNS", "LINES"])
@pytest.mark.parametrize(
    "size", ["", "0", "000", "-5", "x", "\u00b2", "\u0665", "9" * 5000, "1e3", "10000000"]
)
def test_a_size_that_is_none_does_not_count(
    variable: str, size: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Shells set COLUMNS=0 where they know no size."""
    monkeypatch.setenv(variable, size)
    console = Console()
    console.show(TEXT)
    console.say(TEXT)
    said = capsys.readouterr()
    assert (said.out, said.err) == (f"{TEXT}\n", f"{TEXT}\n")


@pytest.mark.parametrize(("columns", "lines"), [("80", 1), ("0080", 1), ("40", 2), ("20", 4)])
def test_a_size_that_is_one_counts(
    columns: str, lines: int, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", columns)
    Console().show(TEXT)
    assert len(capsys.readouterr().out.splitlines()) == lines
