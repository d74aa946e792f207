"""Amazon CloudWatch: how many data points GetMetricStatistics returns, and at which resolution.

Source: API Reference, GetMetricStatistics. The data themselves are moto's, which keeps all of them as they
were sent.
"""

from __future__ import annotations

import time
from datetime import UTC, datetime
from math import ceil

from ..moto.adapter import ActionResult, AwsError, CloudWatchResponse

MOST_POINTS = 1440
_HOUR, _DAY = 3600, 86_400
# Seconds since the start, and the resolution in seconds of what CloudWatch still has from then on.
_RESOLUTIONS = ((3 * _HOUR, 1), (15 * _DAY, 60), (63 * _DAY, 300))
_COARSEST = 3600
_HIGH = (1, 5, 10, 20, 30)  # seconds: periods of high-resolution metrics


class CloudWatch(CloudWatchResponse):
    """Amazon CloudWatch."""

    def get_metric_statistics(self) -> ActionResult:
        """GetMetricStatistics: an error for too many data points or no time at all.

        No data points for a period that is too short for the start.
        """
        period = int(self._get_param("Period"))
        start, end = (_seconds(self._get_param(name)) for name in ("StartTime", "EndTime"))
        if period not in _HIGH and period % 60:
            raise AwsError("InvalidParameterValue", "Period must be 1, 5, 10, 20, 30 or a multiple of 60")
        if start == end:
            raise AwsError(
                "InvalidParameterValue", "The parameter StartTime must not equal parameter EndTime."
            )
        if (asked := points(start, end, period)) > MOST_POINTS:
            raise AwsError(
                "InvalidParameterCombination",
                f"You have requested up to {asked:,} datapoints, which exceeds the limit of {MOST_POINTS:,}. You may "
                "reduce the datapoints requested by increasing Period, or decreasing the time range.",
            )
        found = super().get_metric_statistics()
        if has_data(time.time() - start, period):
            return found
        return ActionResult({"Label": self._get_param("MetricName"), "Datapoints": []})


def points(start: float, end: float, period: int) -> int:
    """How many data points a request is for; start and end are seconds since 1970, the period is seconds."""
    return ceil((end - start) / period)


def has_data(age: float, period: int) -> bool:
    """Whether there are data points of a period (seconds) where the start is ``age`` seconds ago."""
    grain = next((grain for most, grain in _RESOLUTIONS if age <= most), _COARSEST)
    return period % grain == 0


def _seconds(at: datetime) -> float:
    return (at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp()
