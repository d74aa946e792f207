"""Errors that keep the Fargate agent from starting a task."""

from __future__ import annotations

UNREACHABLE = 180.0
"""AWS seconds until the agent gives up on a service that does not answer (own figure: AWS gives none)."""

FAILED_PULL = 10.0
"""AWS seconds of a pull's retries when it is answered with an error (own figure)."""

RETRIED_PULL = 390.0
"""AWS seconds of the seven retries for a manifest that is missing or not for the platform (own figure)."""


class AgentError(Exception):
    """The task cannot start; ``reason`` is the text that ECS reports as stoppedReason.

    ``container`` is the name of the container that also has this reason; ``after`` is how many AWS seconds pass
    before the agent gives up.
    """

    def __init__(self, reason: str, container: str | None = None, after: float = 0.0) -> None:
        super().__init__(reason)
        self.reason = reason
        self.container = container
        self.after = after


class ServiceUnreachableError(Exception):
    """A service that the agent needs does not answer; the text is the complete stoppedReason."""
