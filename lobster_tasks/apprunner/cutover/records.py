"""Changes records in Route 53 and waits until every name server has the changes."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from ...aws import Aws
from ...errors import AwsCallError, OutOfTimeError
from .routes import TTL_SECONDS, Change, Route

_SYNC_WITHIN_SECONDS, _SYNC_EVERY_SECONDS = 600.0, 2.0


def change(
    aws: Aws,
    changed: Sequence[Route],
    changes: Callable[[Route], list[Change]],
    is_done: Callable[[Sequence[Route]], bool],
) -> None:
    """Send one batch per zone. ``is_done`` reads whether these routes are as they should be.

    Raises AwsCallError, OutOfTimeError.
    """
    for zone in dict.fromkeys(route.zone for route in changed):
        here = [route for route in changed if route.zone == zone]
        batch = [change for route in here for change in changes(route)]
        about = ", ".join(dict.fromkeys(route.domain for route in here))
        change_batch = {"Comment": "inv cutover", "Changes": batch}
        try:
            made = aws.call(
                "route53:ChangeResourceRecordSets", about, HostedZoneId=zone, ChangeBatch=change_batch
            )
        except AwsCallError as refused:
            # The first call may have succeeded although its answer was lost; Route 53 then refuses the repeated call.
            if refused.code != "InvalidChangeBatch" or not is_done(here):
                raise
            aws.clock.sleep(TTL_SECONDS)
        else:
            _await_sync(aws, made["ChangeInfo"]["Id"], about)


def _await_sync(aws: Aws, change: str, about: str) -> None:
    def is_in_sync() -> bool:
        status = aws.call("route53:GetChange", about, Id=change)["ChangeInfo"]["Status"]
        return bool(status == "INSYNC")

    if not aws.clock.poll(is_in_sync, _SYNC_WITHIN_SECONDS, _SYNC_EVERY_SECONDS):
        raise OutOfTimeError(
            f"Route 53 has not spread the change of {about} yet.",
            f"{change} is PENDING for {_SYNC_WITHIN_SECONDS:.0f} s",
            "inv cutover continues where this run stopped",
        )
