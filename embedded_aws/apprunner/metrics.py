"""What App Runner reports to CloudWatch each minute about a service.

Source: Developer Guide, "Viewing App Runner service metrics reported to CloudWatch": namespace ``AWS/AppRunner``,
dimensions ServiceName and ServiceID. Health checks are no requests.
"""

from __future__ import annotations

from typing import Any

from ..moto.adapter import put_metrics
from .model import AppRunnerState, Service

NAMESPACE = "AWS/AppRunner"
PERIOD = 60.0
"""AWS seconds from one report to the next."""


class Meter:
    """Counts one service's requests between two reports; on the data-plane thread."""

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
        """A request was answered."""
        self._statuses.append(status)
        self._latencies.append(milliseconds)

    def give(self, instance: str) -> None:
        """A request was given to an instance, which makes it an active one."""
        self._active.add(instance)

    def report(self) -> None:
        """Send what was counted since the last report; nothing about requests when there were none."""
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
