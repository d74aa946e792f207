"""Words in columns at every width."""

from __future__ import annotations

import pytest
from rich.text import Text

from lobster_tasks.report.layout import clock_time, labelled, listed, plural, rows

from .drawn import drawn

THREE = rows(
    ("+", "load balancer", "lobster-alb", "not there, and it is to be in two zones"),
    ("", "└ part", "which begins in an earlier column"),
    ("=", "role", "ecsTaskRole", "kept"),
)


def test_columns_line_up_where_there_is_room() -> None:
    assert drawn(THREE, 100) == [
        "+  load balancer  lobster-alb  not there, and it is to be in two zones",
        "   └ part         which begins in an earlier column",
        "=  role           ecsTaskRole  kept",
    ]


def test_the_last_cell_hangs() -> None:
    assert drawn(THREE, 60)[:2] == [
        "+  load balancer  lobster-alb  not there, and it is to be in",
        "                               two zones",
    ]


def test_below_each_other_where_there_is_none() -> None:
    assert drawn(THREE, 40) == [
        "+ load balancer lobster-alb",
        "    not there, and it is to be in two",
        "    zones",
        "└ part",
        "    which begins in an earlier column",
        "= role ecsTaskRole",
        "    kept",
    ]


@pytest.mark.parametrize("columns", range(20, 90, 7))
def test_nothing_is_lost_at_any_width(columns: int) -> None:
    long = rows(("name", "x" * 70), ("other", "short"))
    for what in (THREE, long):
        lines = drawn(what, columns)
        assert max(map(len, lines)) <= columns
        assert sorted("".join("".join(lines).split())) == sorted("".join("".join(drawn(what)).split()))


def test_a_label_and_its_text() -> None:
    assert drawn(labelled("why", "because it is so, and not otherwise"), 40) == [
        "why       because it is so, and not",
        "          otherwise",
    ]
    assert drawn(rows()) == []
    assert drawn(rows(("a", Text("")))) == ["a"]


def test_small_words() -> None:
    assert [clock_time(seconds) for seconds in (0, 59.9, 72, 3600)] == ["0:00", "0:59", "1:12", "60:00"]
    assert [plural(count, "task") for count in (0, 1, 2)] == ["0 tasks", "1 task", "2 tasks"]
    assert listed(["a", "b", "c"]) == "a, b, c"
    assert listed(["a", "b", "c", "d"]) == "a, b, c and 1 more"
