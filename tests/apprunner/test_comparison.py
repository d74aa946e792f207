"""What counts as the same answer, and what is better."""

from __future__ import annotations

from typing import Any

import pytest

from lobster_tasks.apprunner import comparison
from lobster_tasks.http_client import Response

REFUSED = Response(error=ConnectionError())


def seen(status: int = 200, cookies: tuple[str, ...] = (), body: bytes = b"", **headers: str) -> Response:
    """An answer; header names with underscores."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Response(status, named, frozenset(cookies), body)


ERROR_PAGE = seen(x_cache="Error from cloudfront")


@pytest.mark.parametrize(
    ("asks", "new", "verdict"), [(True, "sign-in", "skip"), (False, "GET / 200", "differs")]
)
def test_a_sign_in_is_not_compared_but_has_to_be_asked_for(asks: bool, new: str, verdict: str) -> None:
    row = comparison.behind_sign_in("GET /", seen().said, asks, "GET / 200")
    assert (row.what, row.old, row.new, row.verdict) == ("GET /", "200", new, verdict)


@pytest.mark.parametrize(
    ("old", "new", "verdict"),
    [
        (seen(), seen(), "same"),
        (seen(404), seen(404), "same"),
        (seen(), seen(302), "differs"),
        (seen(), REFUSED, "differs"),
        (REFUSED, REFUSED, "differs"),
        (seen(), ERROR_PAGE, "differs"),
    ],
)
def test_statuses(old: Response, new: Response, verdict: str) -> None:
    assert comparison.statuses("/", old, new).verdict == verdict


def test_an_error_page_of_the_distribution_is_no_answer_of_the_app() -> None:
    """With the status 200: what fails behind it is not shown."""
    assert comparison.statuses("/", seen(), ERROR_PAGE).new == "200, an error page of CloudFront"
    assert comparison.uploads(5 * 2**20, seen(), ERROR_PAGE).verdict == "differs"
    assert comparison.slow_answers("/slow", seen(504), ERROR_PAGE).verdict == "differs"


def test_a_status_that_is_missing_is_told_as_trouble() -> None:
    assert comparison.statuses("/", seen(), REFUSED).new == "ConnectionError"


ALIKE: list[tuple[str, Response, Response]] = [
    ("dates", seen(date="1"), seen(date="2")),
    ("who serves", seen(server="envoy"), seen(server="uvicorn")),
    ("the side's own host", seen(location="https://old/a?b=1"), seen(location="http://new/a?b=1")),
    (
        "the load balancer's cookies",
        seen(),
        seen(cookies=("AWSALB", "AWSALBTG", "AWSALBCORS", "AWSALBAPP-0")),
    ),
]


@pytest.mark.parametrize(("old", "new"), [each[1:] for each in ALIKE], ids=[each[0] for each in ALIKE])
def test_headers_that_must_differ_do_not_count(old: Response, new: Response) -> None:
    assert [row.verdict for row in comparison.headers("/", old, new)] == ["same"]


OTHERS: list[tuple[Any, ...]] = [
    ("cache-control of /", seen(cache_control="no-store"), seen()),
    ("content-type of /", seen(content_type="text/html"), seen(content_type="text/plain")),
    ("location of /", seen(location="/a"), seen(location="/b")),
    ("set-cookie of /", seen(cookies=("session",)), seen()),
]


@pytest.mark.parametrize(("what", "old", "new"), OTHERS, ids=[each[0] for each in OTHERS])
def test_headers_that_decide_are_compared(what: str, old: Response, new: Response) -> None:
    (row,) = comparison.headers("/", old, new)
    assert (row.what, row.verdict) == (what, "differs")


def test_there_are_no_headers_without_an_answer() -> None:
    assert comparison.headers("/", seen(), REFUSED) == []


def test_bodies_are_compared_byte_by_byte() -> None:
    assert comparison.bodies("/health", seen(body=b"ok"), seen(body=b"ok")).verdict == "same"
    assert comparison.bodies("/health", seen(body=b"ok"), seen(body=b"<html>")).verdict == "differs"


@pytest.mark.parametrize(
    ("old", "new", "verdict"),
    [
        ([10.0] * 20, [40.0] * 20, "same"),  # four times as long, and nobody notices
        ([300.0] * 20, [500.0] * 20, "same"),
        ([20.0] * 20, [480.0] * 20, "same"),  # a busy machine
        ([600.0] * 20, [1200.0] * 20, "same"),
        ([100.0] * 20, [900.0] * 20, "differs"),
        ([900.0] * 20, [100.0] * 20, "better"),
        ([10.0] * 20, [20.0] * 18 + [900.0] * 2, "same"),  # one visit in ten has had bad luck
        ([5.0], [5.0], "same"),
    ],
)
def test_latencies(old: list[float], new: list[float], verdict: str) -> None:
    row = comparison.latencies("/", old, new)
    assert row.verdict == verdict
    assert row.old.startswith(f"p50 {old[0]:.0f} ms")


@pytest.mark.parametrize(
    ("old", "new", "verdict"),
    [
        ("403", "open", "better"),
        ("open", "open", "same"),
        ("open", "403", "differs"),
        ("403", "403", "differs"),
    ],
)
def test_websockets(old: str, new: str, verdict: str) -> None:
    assert comparison.websockets("/ws", old, new).verdict == verdict


@pytest.mark.parametrize(
    ("old", "new", "verdict"),
    [
        (405, 405, "same"),
        (413, 405, "better"),
        (405, 413, "differs"),
        (200, 404, "differs"),
        (502, 502, "differs"),
    ],
)
def test_uploads(old: int, new: int, verdict: str) -> None:
    assert comparison.uploads(5 * 2**20, seen(old), seen(new)).verdict == verdict


@pytest.mark.parametrize(
    ("old", "new", "verdict"), [(504, 200, "better"), (200, 200, "same"), (504, 504, "differs")]
)
def test_slow_answers(old: int, new: int, verdict: str) -> None:
    assert comparison.slow_answers("/slow", seen(old), seen(new)).verdict == verdict
