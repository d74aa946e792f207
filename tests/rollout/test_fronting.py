"""Which hop a verdict names, from what CloudFront, the load balancer and the app answer."""

from __future__ import annotations

from typing import Any

import pytest

from lobster_tasks.http_client import is_by_cloudfront
from lobster_tasks.probe import Answer, Probe, PublicEndpoint
from lobster_tasks.rollout.diagnosis.fronting import failing_hop
from lobster_tasks.stack.distribution import ALL_VIEWER

URL = "https://d111111abcdef8.cloudfront.net"
LIVE = Answer(True, "GET / 200", 200)
OPEN = Answer(True, "WebSocket open", 101)


def distribution(policy: str = ALL_VIEWER, enabled: bool = True) -> dict[str, Any]:
    """As GetDistribution shows it."""
    behavior = {"OriginRequestPolicyId": policy}
    return {"Id": "E1", "DistributionConfig": {"Enabled": enabled, "DefaultCacheBehavior": behavior}}


def answer(status: int | None, by_cloudfront: bool = False) -> Answer:
    """One that is not as it should be."""
    return Answer(False, f"answers {status}", status, reached=status is not None, by_cloudfront=by_cloudfront)


CASES: list[tuple[str | None, dict[str, Any], Answer, Answer]] = [
    (None, distribution(), LIVE, OPEN),
    ("origin-unreachable", distribution(), answer(504, True), answer(504, True)),
    ("origin-protocol", distribution(), answer(502, True), answer(502, True)),
    ("distribution-disabled", distribution(enabled=False), answer(None), answer(None)),
    ("host-not-forwarded", distribution("other"), LIVE, answer(403)),
    (None, distribution(), LIVE, answer(403)),  # the app's own rules
    (None, distribution("other"), LIVE, answer(404)),
    (None, distribution(), answer(502), answer(502)),  # the load balancer's: the task gave no valid answer
    (None, distribution(), answer(503), answer(503)),
    (None, distribution(), answer(504), answer(504)),
    (None, distribution(), answer(500), OPEN),
]


@pytest.mark.parametrize(("code", "shown", "page", "websocket"), CASES)
def test_the_hop_that_fails_is_named(
    code: str | None, shown: dict[str, Any], page: Answer, websocket: Answer
) -> None:
    found = failing_hop(PublicEndpoint(URL, distribution=shown), Probe(URL, page, websocket))
    assert (found.code if found else None) == code
    if found:
        assert found.evidence == tuple(each.said for each in (page, websocket) if not each.ok)
        assert found.remedy.endswith("then inv deploy")


def test_without_a_distribution_no_hop_is_named() -> None:
    assert failing_hop(PublicEndpoint("http://alb"), Probe("http://alb", answer(504, True))) is None


@pytest.mark.parametrize(
    ("status", "server", "own"),
    [
        (504, "CloudFront", True),
        (502, "CloudFront", True),
        (504, "awselb/2.0", False),
        (200, "CloudFront", False),
    ],
)
def test_whose_an_error_is(status: int, server: str, own: bool) -> None:
    """CloudFront's own pages have ``Server: CloudFront`` (Developer Guide, "Request and response behavior for custom
    origins": what an origin sends is passed on)."""
    assert is_by_cloudfront(status, {"server": server}) is own
