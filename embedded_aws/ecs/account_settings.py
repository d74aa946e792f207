"""Account settings: of the account, of a user or a role, and what holds where nobody has set anything.

Source: Amazon ECS API Reference, PutAccountSetting, PutAccountSettingDefault, ListAccountSettings,
DeleteAccountSetting; Developer Guide, "Access Amazon ECS features with account settings" (the defaults).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ..iam.access import passage
from .answers import invalid, page
from .model import Room

_SWITCH = ("enabled", "disabled")
VALUES: dict[str, tuple[str, ...]] = {
    "serviceLongArnFormat": _SWITCH,
    "taskLongArnFormat": _SWITCH,
    "containerInstanceLongArnFormat": _SWITCH,
    "awsvpcTrunking": ("disabled", "enabled"),
    "containerInsights": ("disabled", "enabled", "enhanced"),
    "dualStackIPv6": _SWITCH,
    "fargateFIPSMode": ("disabled", "enabled"),
    "fargateTaskRetirementWaitPeriod": ("7", "0", "14"),
    "tagResourceAuthorization": ("on", "off"),
    "defaultLogDriverMode": ("non-blocking", "blocking"),
    "guardDutyActivate": ("off", "on"),
}
"""Of each setting its values, the default first."""

_READ_ONLY = ("guardDutyActivate",)

Request = Mapping[str, Any]


def put(room: Room, request: Request) -> dict[str, Any]:
    """PutAccountSetting: for the caller, or for the user or role that is named."""
    return _put(room, request, _principal(room, request))


def put_default(room: Room, request: Request) -> dict[str, Any]:
    """PutAccountSettingDefault: for everybody who has set nothing."""
    return _put(room, request, room.root)


def delete(room: Room, request: Request) -> dict[str, Any]:
    """DeleteAccountSetting: the account's, or the default, holds again."""
    name, principal = _known(request["name"]), _principal(room, request)
    value = room.account_settings.get(principal, {}).pop(name, None)
    return {"setting": _view(name, value or value_of(room, name, principal), principal)}


def listed(room: Room, request: Request) -> dict[str, Any]:
    """ListAccountSettings: what the principal has set, or with ``effectiveSettings`` what holds for it."""
    principal, name, value = _principal(room, request), request.get("name"), request.get("value")
    if value and not name:
        raise invalid("You must specify an account setting name to use this parameter.")  # (own words)
    found = list(_effective(room, principal)) if request.get("effectiveSettings") else _set(room, principal)
    fitting = [each for each in found if name in (None, each["name"]) and value in (None, each["value"])]
    settings, more = page(fitting, request)
    return {"settings": settings, **more}


def value_of(room: Room, name: str, principal: str | None = None) -> str:
    """What holds for a principal, or for whoever is calling."""
    for holder in (principal or _caller(room), room.root):
        if name in room.account_settings.get(holder, {}):
            return room.account_settings[holder][name]
    return VALUES[name][0]


def _put(room: Room, request: Request, principal: str) -> dict[str, Any]:
    name, value = _known(request["name"]), request["value"]
    if name in _READ_ONLY or value not in VALUES[name]:
        raise invalid(f"Invalid value for the account setting {name}: {value}")  # (own words)
    room.account_settings.setdefault(principal, {})[name] = value
    return {"setting": _view(name, value, principal)}


def _known(name: str) -> str:
    if name not in VALUES:
        raise invalid(f"Invalid account setting name: {name}")  # (own words)
    return name


def _principal(room: Room, request: Request) -> str:
    return str(request.get("principalArn") or _caller(room))


def _caller(room: Room) -> str:
    calling = passage.current()
    return calling.caller.principal if calling else room.root


def _set(room: Room, principal: str) -> list[dict[str, str]]:
    return [_view(name, value, principal) for name, value in room.account_settings.get(principal, {}).items()]


def _effective(room: Room, principal: str) -> Iterator[dict[str, str]]:
    for name in VALUES:
        holder = principal if name in room.account_settings.get(principal, {}) else room.root
        yield _view(name, value_of(room, name, principal), holder)


def _view(name: str, value: str, principal: str) -> dict[str, str]:
    kind = "aws_managed" if name in _READ_ONLY else "user"
    return {"name": name, "value": value, "principalArn": principal, "type": kind}
