"""The CloudWatch metrics of an App Runner service."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from math import ceil
from typing import Any

from ..aws import Aws

_DAYS = 14
_HOURS_PER_MONTH = 730
_PERIOD = 3600  # seconds
_DAY = 86_400.0
_MOST_POINTS = 1440
# Seconds since the start, and the shortest period, in seconds, at which CloudWatch has data points from then on. An
# hour less than AWS's 15 and 63 days, because AWS compares with its own clock when the request arrives.
_RESOLUTIONS = ((15 * _DAY - 3600, 60), (63 * _DAY - 3600, 300))
_COARSEST = 3600


def period_for(seconds: float) -> int:
    """The shortest period, in seconds, with which one call of GetMetricStatistics returns everything since ``seconds``
    ago.

    A call returns 1,440 data points at the most, from the start rounded down to the resolution that its age leaves, and
    none for a period that is not a multiple of that (API Reference, GetMetricStatistics).
    """
    grain = next((grain for most, grain in _RESOLUTIONS if seconds <= most), _COARSEST)
    return grain * max(1, ceil((seconds + 1) / grain / (_MOST_POINTS - 1)))


def datapoints(
    aws: Aws, service: Mapping[str, Any], metric: str, statistic: str, start: datetime, period: int
) -> list[float]:
    """One value for each ``period`` (seconds) since ``start`` that has one (GetMetricStatistics)."""
    names = {"ServiceName": service["ServiceName"], "ServiceID": service["ServiceId"]}
    answer = aws.call(
        "cloudwatch:GetMetricStatistics",
        service["ServiceName"],
        Namespace="AWS/AppRunner",
        MetricName=metric,
        Dimensions=[{"Name": name, "Value": value} for name, value in names.items()],
        StartTime=start,
        EndTime=datetime.fromtimestamp(aws.clock.ago(0), tz=UTC) + timedelta(seconds=1),
        Period=period,
        Statistics=[statistic],
    )
    return [point[statistic] for point in answer["Datapoints"]]


def active_hours(aws: Aws, service: Mapping[str, Any]) -> float | None:
    """Instance hours per month in which it handled requests, from the last two weeks; None without data.

    ``ActiveInstances`` is the number of instances that process requests (App Runner, "Metrics").
    """
    start = datetime.fromtimestamp(aws.clock.ago(0), tz=UTC) - timedelta(days=_DAYS)
    busy = datapoints(aws, service, "ActiveInstances", "Average", start, _PERIOD)
    if not busy:
        return None
    age = aws.clock.age(float(service["CreatedAt"])) / _PERIOD
    return sum(busy) * _HOURS_PER_MONTH / min(_DAYS * 24.0, max(age, 1.0))
