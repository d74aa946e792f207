"""The actions of listener rules: forward, redirect, fixed-response."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Action:
    """What a rule does with a request."""

    @property
    def target_groups(self) -> tuple[str, ...]:
        """The target groups that get requests from it."""
        return ()


@dataclass(frozen=True)
class Forward(Action):
    """Forward the request to one of these target groups, by weight.

    ``sticky_seconds`` is how long a client stays with its target group (None: no stickiness).
    """

    groups: tuple[tuple[str, int], ...]
    sticky_seconds: int | None = None

    @property
    def target_groups(self) -> tuple[str, ...]:
        """All of them, whatever their weight."""
        return tuple(arn for arn, _ in self.groups)


@dataclass(frozen=True)
class Redirect(Action):
    """Redirect the client.

    The parts may contain ``#{protocol}``, ``#{host}``, ``#{port}``, ``#{path}`` and ``#{query}`` of the request.
    """

    status: int
    protocol: str = "#{protocol}"
    host: str = "#{host}"
    port: str = "#{port}"
    path: str = "/#{path}"
    query: str = "#{query}"

    def location(self, protocol: str, host: str, port: str, path: str, query: str) -> str:
        """The Location header for a request with these parts; ``path`` without its leading slash."""
        parts = {"protocol": protocol.lower(), "host": host, "port": port, "path": path, "query": query}

        def fill(text: str) -> str:
            for name, value in parts.items():
                text = text.replace("#{" + name + "}", value)
            return text

        target = f"{fill(self.protocol).lower()}://{fill(self.host)}:{fill(self.port)}{fill(self.path)}"
        return f"{target}?{fill(self.query)}" if fill(self.query) else target


@dataclass(frozen=True)
class FixedResponse(Action):
    """Return a fixed response."""

    status: int
    content_type: str = "text/plain"
    body: str = ""


def read_action(data: dict[str, Any]) -> Action:
    """An action from AWS's shape; ValueError for an unsupported type."""
    match data["Type"]:
        case "forward":
            return _forward(data)
        case "redirect":
            return _redirect(data["RedirectConfig"])
        case "fixed-response":
            given = data["FixedResponseConfig"]
            kind = given.get("ContentType") or "text/plain"
            return FixedResponse(int(given["StatusCode"]), kind, given.get("MessageBody") or "")
        case other:
            raise ValueError(f"no data plane for actions of type {other}")


def _forward(data: dict[str, Any]) -> Forward:
    config = data.get("ForwardConfig") or {}
    named = [{"TargetGroupArn": data["TargetGroupArn"]}] if data.get("TargetGroupArn") else []
    groups = config.get("TargetGroups") or named
    pairs = tuple((one["TargetGroupArn"], int(one.get("Weight", 1))) for one in groups)
    sticky = config.get("TargetGroupStickinessConfig") or {}
    seconds = int(sticky["DurationSeconds"]) if str(sticky.get("Enabled")).lower() == "true" else None
    return Forward(pairs, seconds)


def _redirect(config: dict[str, Any]) -> Redirect:
    names = {"protocol": "Protocol", "host": "Host", "port": "Port", "path": "Path", "query": "Query"}
    given = {name: config[key] for name, key in names.items() if config.get(key) is not None}
    return Redirect(int(config["StatusCode"].removeprefix("HTTP_")), **given)
