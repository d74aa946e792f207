"""The handlers that a request passes before a service answers it."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier, BrokenBarrierError

import pytest

from embedded_aws.endpoint.handlers import Request, chained, one_at_a_time
from embedded_aws.moto.dispatch import Answer


def test_no_two_calls_are_answered_at_once() -> None:
    """Services write into each other's stores: CreateCluster, say, creates a role while IAM looks through all roles."""
    met = Barrier(2)

    def service(request: Request) -> Answer:
        with pytest.raises(BrokenBarrierError):
            met.wait(timeout=0.3)
        return Answer(200, (), b"alone")

    answer = chained((one_at_a_time(),), service)
    with ThreadPoolExecutor(2) as clients:
        answers = list(clients.map(answer, [Request({}), Request({})]))
    assert [each.body for each in answers if each] == [b"alone", b"alone"]
