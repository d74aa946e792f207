"""Changes records in Route 53 and waits until every name server has the changes."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

from ...aws import Aws
from ...errors import AwsCallError, OutOfTimeError
from ...templates import domains_together
from .routes import TTL_SECONDS, Change, Route

Changed = TypeVar("Changed")
_INVALID = "InvalidChangeBatch"
_SYNC_WITHIN_SECONDS, _SYNC_EVERY_SECONDS = 600.0, 2.0


def change(
    aws: Aws,
    changed: Sequence[Route],
    changes: Callable[[Route], list[Change]],
    is_done: Callable[[Sequence[Route]], bool],
    domains: Sequence[str],
) -> None:
    """Send the ``batches`` of ``domains``, one after the other. ``is_done`` reads whether these routes are as they
    should be.

    Raises AwsCallError, OutOfTimeError.
    """
    for here in batches(changed, lambda route: (route.zone, route.domain), domains):
        zone = here[0].zone
        batch = [change for route in here for change in changes(route)]
        about = ", ".join(dict.fromkeys(route.domain for route in here))
        change_batch = {"Comment": "inv cutover", "Changes": batch}
        try:
            made = send(aws, zone, change_batch, about)
        except AwsCallError as refused:
            # The first call may have succeeded although its answer was lost; Route 53 then refuses the repeated call.
            if refused.code != _INVALID or not is_done(here):
                raise
            aws.clock.sleep(TTL_SECONDS)
        else:
            _await_sync(aws, made["ChangeInfo"]["Id"], about)


def batches(
    changed: Sequence[Changed], place: Callable[[Changed], tuple[str, str]], domains: Sequence[str]
) -> list[list[Changed]]:
    """What one request may change: what is in one zone, and of ``domains`` that a policy allows together.

    ``place`` returns the zone and the domain of a change.
    """
    groups = {domain: number for number, each in enumerate(domains_together(domains)) for domain in each}
    made: dict[tuple[str, int], list[Changed]] = {}
    for each in changed:
        zone, domain = place(each)
        made.setdefault((zone, groups.get(domain, 0)), []).append(each)
    return list(made.values())


def send(aws: Aws, zone: str, batch: Mapping[str, Any], about: str) -> dict[str, Any]:
    """ChangeResourceRecordSets in a zone (id). Raises AwsCallError; Route 53 refuses a batch as a whole, also where one
    of its records is protected ("Protecting records from changes", Route 53 Developer Guide)."""
    try:
        return aws.call("route53:ChangeResourceRecordSets", about, HostedZoneId=zone, ChangeBatch=batch)
    except AwsCallError as refused:
        if refused.code != _INVALID:
            raise
        raise AwsCallError(
            refused.what,
            refused.why,
            "change what the message names, then run the same command again; where a record is protected, remove its "
            f"protection first: aws route53 list-resource-record-set-protections --hosted-zone-id {zone}",
            code=refused.code,
            operation=refused.operation,
        ) from refused


def _await_sync(aws: Aws, change: str, about: str) -> None:
    def is_in_sync() -> bool:
        status = aws.call("route53:GetChange", about, Id=change)["ChangeInfo"]["Status"]
        return bool(status == "INSYNC")

    if not aws.clock.poll(is_in_sync, _SYNC_WITHIN_SECONDS, _SYNC_EVERY_SECONDS):
        raise OutOfTimeError(
            f"Route 53 has not propagated the change of {about} yet.",
            f"{change} has been PENDING for {_SYNC_WITHIN_SECONDS:.0f} s",
            "inv cutover continues where this run stopped",
        )
