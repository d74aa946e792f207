"""The two log groups of a service.

Source: Developer Guide, "Viewing App Runner logs streamed to CloudWatch Logs": ``…/service`` has the streams
``events`` and ``deployment/<operation>``, ``…/application`` has a stream ``instance/<id>`` for each instance.
"""

from __future__ import annotations

from collections.abc import Callable

from ..agent.container_logs import LogStream
from ..moto.adapter import create_log_group, create_log_stream
from .model import AppRunnerState, Operation, Service


class Journal:
    """Writes a service's logs; call it with the data plane's lock held."""

    def __init__(self, state: AppRunnerState, service: Service) -> None:
        self._state = state
        self._service = service
        self._base = f"/aws/apprunner/{service.name}/{service.id}"

    def event(self, text: str) -> None:
        """Write a line to the stream ``events``."""
        self._stream("service", "events")(f"[AppRunner] {text}")

    def deployment(self, operation: Operation, text: str) -> None:
        """Write a line to the log of one deployment."""
        self._stream("service", f"deployment/{operation.id.replace('-', '')}")(f"[AppRunner] {text}")

    def status(self, status: str) -> None:
        """Set the service's status, and log it."""
        self._service.enter(status)
        self.event(f"Service status is set to {status}.")

    def application(self, instance: str) -> Callable[[str], None]:
        """A function that logs an instance's output; call it without the lock."""
        return self._stream("application", f"instance/{instance}")

    def _stream(self, group: str, stream: str) -> LogStream:
        place = (self._state.account, self._state.region, f"{self._base}/{group}")
        create_log_group(*place)
        create_log_stream(*place, stream)
        return LogStream(*place, stream)
