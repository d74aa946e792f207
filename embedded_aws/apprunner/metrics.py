"""App Runner's metrics of a service, sent to CloudWatch every minute.

Source: Developer Guide, "Viewing App Runner service metrics reported to CloudWatch": namespace ``AWS/AppRunner``,
dimensions ServiceName and ServiceID. Health checks do not count as requests.
"""

from __future__ import annotations

from typing import Any

from ..moto.adapter import put_metrics
from .model import AppRunnerState, Service

NAMESPACE = "AWS/AppRunner"
PERIOD = 60.0
"""AWS seconds between reports."""


class Meter:
    """Counts a service's requests between reports; on the data-plane thread."""

    def __init__(self, state: AppRunnerState, service: Service) -> None:
        self._state = state
        self._dimensions = [
            {"Name": "ServiceName", "Value": service.name},
            {"Name": "ServiceID", "Value": service.id},
        ]
        self._statuses: list[int] = []
        self._latencies: list[float] = []
        self._active: set[str] = set()

    def count(self, status: int, milliseconds: float) -> None:
        """Count an answered request."""
        self._statuses.append(status)
        self._latencies.append(milliseconds)

    def give(self, instance: str) -> None:
        """Count an instance as active, because it got a request."""
        self._active.add(instance)

    def report(self) -> None:
        """Send the metrics since the last report; without requests, none about them."""
        statuses, self._statuses = self._statuses, []
        latencies, self._latencies = self._latencies, []
        active, self._active = self._active, set()
        data = [self._datum("ActiveInstances", "Count", float(len(active)))]
        if statuses:
            data.append(self._datum("Requests", "Count", float(len(statuses))))
            data.append({**self._datum("RequestLatency", "Milliseconds"), "Values": latencies})
        for family in (2, 4, 5):
            if found := sum(status // 100 == family for status in statuses):
                data.append(self._datum(f"{family}xxStatusResponses", "Count", float(found)))
        put_metrics(self._state.account, self._state.region, NAMESPACE, data)

    def _datum(self, name: str, unit: str, value: float | None = None) -> dict[str, Any]:
        head = {"MetricName": name, "Unit": unit, "Dimensions": self._dimensions}
        return head if value is None else {**head, "Value": value}
