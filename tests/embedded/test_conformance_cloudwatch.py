"""GetMetricStatistics: how many data points it returns at the most, and at which period there are any.

Source: botocore's model of CloudWatch, the documentation of GetMetricStatistics and its members.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from embedded_aws.cloudwatch.api import has_data, points
from tests.embedded.refusals import refused
from tests.embedded_process import EmbeddedProcess

MINUTE, DAY = 60, 86_400


@pytest.fixture
def cloudwatch(aws: EmbeddedProcess) -> Any:
    """A client, in whose account a metric has one value of now."""
    client = aws.client("cloudwatch")
    client.put_metric_data(Namespace="ours", MetricData=[{"MetricName": "requests", "Value": 1.0}])
    return client


def asked(cloudwatch: Any, *, seconds: float, period: int) -> list[float]:
    """The sums since a time, for periods in seconds."""
    until = datetime.now(UTC).replace(second=0, microsecond=0) + timedelta(minutes=1)
    found = cloudwatch.get_metric_statistics(
        Namespace="ours",
        MetricName="requests",
        StartTime=until - timedelta(seconds=seconds),
        EndTime=until,
        Period=period,
        Statistics=["Sum"],
    )
    return [point["Sum"] for point in found["Datapoints"]]


def test_1440_data_points_are_the_most(cloudwatch: Any) -> None:
    """ "The maximum number of data points returned from a single call is 1,440. If you request more than 1,440 data
    points, CloudWatch returns an error."
    """
    assert asked(cloudwatch, seconds=1440 * MINUTE, period=60) == [1.0]
    with refused("InvalidParameterCombination", "up to 1,441 datapoints, which exceeds the limit of 1,440"):
        asked(cloudwatch, seconds=1440 * MINUTE + 1, period=60)
    assert points(0.0, 7 * DAY, 300) == 2016


def test_a_day_that_begins_within_a_minute_has_1440_minutes() -> None:
    """The points are those of the range, whatever its first second."""
    assert points(17.0, DAY + 17.0, MINUTE) == 1440


@pytest.mark.parametrize(
    ("days", "too_short", "long_enough"), [(14, None, 900), (16, 1020, 1200), (64, 3900, 7200)]
)
def test_the_older_the_start_the_longer_the_period(
    cloudwatch: Any, days: int, too_short: int | None, long_enough: int
) -> None:
    """ "You must specify the period as follows or no data points in that time range is returned": "Start time between 3
    hours and 15 days ago - Use a multiple of 60 seconds (1 minute). Start time between 15 and 63 days ago - Use a
    multiple of 300 seconds (5 minutes). Start time greater than 63 days ago - Use a multiple of 3600 seconds (1 hour)."
    """
    assert asked(cloudwatch, seconds=days * DAY, period=long_enough) == [1.0]
    if too_short:
        assert asked(cloudwatch, seconds=days * DAY, period=too_short) == []


@pytest.mark.parametrize("period", [1, 5, 10, 20, 30])
def test_periods_below_a_minute_are_kept_for_three_hours(period: int) -> None:
    """ "Data points with a period of less than 60 seconds are available for 3 hours" (GetMetricStatistics)."""
    assert has_data(3 * 3600, period)
    assert not has_data(3 * 3600 + 1, period)
    assert has_data(3 * 3600 + 1, MINUTE)


@pytest.mark.parametrize(
    ("seconds", "told"), [(0, "not equal parameter"), (-60, "be less than the parameter")]
)
def test_the_start_is_before_the_end(cloudwatch: Any, seconds: int, told: str) -> None:
    """ "InvalidParameterValue: The parameter StartTime must not equal parameter EndTime." (influxdata/telegraf, issue
    2022), "must be less than the parameter EndTime" (getmoto/moto, pull request 6380)."""
    with refused("InvalidParameterValue", f"The parameter StartTime must {told} EndTime"):
        asked(cloudwatch, seconds=seconds, period=60)


def test_a_period_is_a_multiple_of_a_minute(cloudwatch: Any) -> None:
    """ "The period can be 1, 5, 10, 20, 30, 60, or any multiple of 60." """
    with refused("InvalidParameterValue"):
        asked(cloudwatch, seconds=3600, period=90)
