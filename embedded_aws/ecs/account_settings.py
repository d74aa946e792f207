"""Account settings: of the account, of a user or a role, and the defaults.

Source: Amazon ECS API Reference, PutAccountSetting, PutAccountSettingDefault, ListAccountSettings,
DeleteAccountSetting; Developer Guide, "Access Amazon ECS features with account settings" (the defaults).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ..iam.access import call_context
from .answers import invalid, page
from .model import EcsState

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
"""The values of each setting, the default first."""

_READ_ONLY = ("guardDutyActivate",)

Request = Mapping[str, Any]


def put(state: EcsState, request: Request) -> dict[str, Any]:
    """PutAccountSetting: for the caller, or for the given user or role."""
    return _put(state, request, _principal(state, request))


def put_default(state: EcsState, request: Request) -> dict[str, Any]:
    """PutAccountSettingDefault: for everybody without a setting of their own."""
    return _put(state, request, state.root)


def delete(state: EcsState, request: Request) -> dict[str, Any]:
    """DeleteAccountSetting: restores the account's setting, or the default."""
    name, principal = _known(request["name"]), _principal(state, request)
    value = state.account_settings.get(principal, {}).pop(name, None)
    return {"setting": _view(name, value or value_of(state, name, principal), principal)}


def listed(state: EcsState, request: Request) -> dict[str, Any]:
    """ListAccountSettings: the principal's own settings, or with ``effectiveSettings`` those that apply to it."""
    principal, name, value = _principal(state, request), request.get("name"), request.get("value")
    if value and not name:
        raise invalid("You must specify an account setting name to use this parameter.")  # (own words)
    found = list(_effective(state, principal)) if request.get("effectiveSettings") else _set(state, principal)
    fitting = [each for each in found if name in (None, each["name"]) and value in (None, each["value"])]
    settings, more = page(fitting, request)
    return {"settings": settings, **more}


def value_of(state: EcsState, name: str, principal: str | None = None) -> str:
    """The value that applies to a principal, by default the caller."""
    for holder in (principal or _caller(state), state.root):
        if name in state.account_settings.get(holder, {}):
            return state.account_settings[holder][name]
    return VALUES[name][0]


def _put(state: EcsState, request: Request, principal: str) -> dict[str, Any]:
    name, value = _known(request["name"]), request["value"]
    if name in _READ_ONLY or value not in VALUES[name]:
        raise invalid(f"Invalid value for the account setting {name}: {value}")  # (own words)
    state.account_settings.setdefault(principal, {})[name] = value
    return {"setting": _view(name, value, principal)}


def _known(name: str) -> str:
    if name not in VALUES:
        raise invalid(f"Invalid account setting name: {name}")  # (own words)
    return name


def _principal(state: EcsState, request: Request) -> str:
    return str(request.get("principalArn") or _caller(state))


def _caller(state: EcsState) -> str:
    calling = call_context.current()
    return calling.caller.principal if calling else state.root


def _set(state: EcsState, principal: str) -> list[dict[str, str]]:
    return [
        _view(name, value, principal) for name, value in state.account_settings.get(principal, {}).items()
    ]


def _effective(state: EcsState, principal: str) -> Iterator[dict[str, str]]:
    for name in VALUES:
        holder = principal if name in state.account_settings.get(principal, {}) else state.root
        yield _view(name, value_of(state, name, principal), holder)


def _view(name: str, value: str, principal: str) -> dict[str, str]:
    kind = "aws_managed" if name in _READ_ONLY else "user"
    return {"name": name, "value": value, "principalArn": principal, "type": kind}
