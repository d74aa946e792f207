"""How much an App Runner service has worked, from its CloudWatch metric ``ActiveInstances``."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from ..aws import Aws

_DAYS = 14
_HOURS_PER_MONTH = 730
_PERIOD = 3600  # seconds


def active_hours(aws: Aws, service: Mapping[str, Any]) -> float | None:
    """Instance hours a month in which it processed requests, by its last two weeks; None where there is no figure.

    ``ActiveInstances`` is the number of instances that process requests (App Runner, "Metrics").
    """
    end = datetime.fromtimestamp(aws.clock.ago(0), tz=UTC)
    names = {"ServiceName": service["ServiceName"], "ServiceID": service["ServiceId"]}
    answer = aws.call(
        "cloudwatch:GetMetricStatistics",
        service["ServiceArn"],
        Namespace="AWS/AppRunner",
        MetricName="ActiveInstances",
        Dimensions=[{"Name": name, "Value": value} for name, value in names.items()],
        StartTime=end - timedelta(days=_DAYS),
        EndTime=end,
        Period=_PERIOD,
        Statistics=["Average"],
    )
    points = answer["Datapoints"]
    if not points:
        return None
    hours: float = sum(point["Average"] for point in points)
    age = aws.clock.age(float(service["CreatedAt"])) / _PERIOD
    return hours * _HOURS_PER_MONTH / min(_DAYS * 24.0, max(age, 1.0))
