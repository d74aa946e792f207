"""Spans of time as people say them."""

from __future__ import annotations

import pytest

from lobster_tasks.apprunner.gates import span


@pytest.mark.parametrize(
    ("seconds", "said"),
    [(30, "30 s"), (120, "2 min"), (7199, "120 min"), (7200, "2 h"), (86400, "24 h"), (259200, "3 days")],
)
def test_spans(seconds: float, said: str) -> None:
    assert span(seconds) == said
