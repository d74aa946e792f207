"""Lists and finds App Runner services."""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from typing import Any

from ..account import list_app_runner_services
from ..aws import Aws
from ..errors import RefusedError, UsageError

_GONE = "DELETED"


def listed(aws: Aws) -> list[dict[str, Any]]:
    """The region's services (ListServices), without deleted ones, by name."""
    return sorted(list_app_runner_services(aws), key=lambda each: each["ServiceName"])


def find(aws: Aws, given: str) -> str:
    """The ARN of the service ``given``, a name or an ARN.

    Raises UsageError where two have the name or the ARN is of another account or region, RefusedError where it does
    not exist.
    """
    if given.startswith("arn:"):
        return _checked(aws, given)
    services = listed(aws)
    named = [each["ServiceArn"] for each in services if each["ServiceName"] == given]
    if len(named) > 1:
        raise UsageError(
            f"{len(named)} services have the name {given}.", ", ".join(named), "give the ARN of one of them"
        )
    if not named:
        raise _no_such(given, aws, [each["ServiceName"] for each in services])
    return str(named[0])


def _checked(aws: Aws, arn: str) -> str:
    parts = arn.split(":", 5)
    if len(parts) < 6 or parts[2] != "apprunner" or not parts[5].startswith("service/"):
        raise UsageError(f"{arn} is not the ARN of an App Runner service.")
    if (parts[3], parts[4]) != (aws.region, aws.account):
        raise UsageError(
            f"{arn} is of another account or region.",
            f"here it is {aws.account} in {aws.region}",
            f"--set region={parts[3]}, or sign in to {parts[4]}",
        )
    return arn


def _no_such(given: str, aws: Aws, names: Sequence[str]) -> RefusedError:
    near = difflib.get_close_matches(given, names, n=1)
    there = f"there are {', '.join(names)}" if names else "there is no service"
    return RefusedError(
        f"There is no App Runner service {given} in {aws.region}.",
        there,
        f"--service {near[0]}" if near else "inv import-apprunner lists them",
    )


def refuse_unsettled(service: Mapping[str, Any], operations: Sequence[Mapping[str, Any]]) -> None:
    """Raise RefusedError where the service is about to change: it is deleted, or an operation is in progress."""
    name, status = service["ServiceName"], service["Status"]
    if status == _GONE:
        raise RefusedError(f"{name} is deleted.", "App Runner still lists it for a while; nothing runs")
    if status == "OPERATION_IN_PROGRESS":
        under_way = next((each for each in operations if each["Status"].endswith("IN_PROGRESS")), None)
        what = f"{under_way['Type']} ({under_way['Id']})" if under_way else "App Runner's own maintenance"
        raise RefusedError(
            f"{name} is busy: {what} is in progress.",
            "App Runner may roll back its present settings",
            "run the same command again when it is done",
        )


def no_such_arn(arn: str) -> RefusedError:
    """The error for an ARN without a service."""
    return RefusedError(f"There is no App Runner service {arn}.", next_step="inv import-apprunner lists them")
