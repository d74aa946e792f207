"""Checks of the cluster, the service, its revision and image, and the logs. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ..definition import container_of, log_groups
from ..image_reference import ecr_image
from ..stack.ecr import given_tags
from ..templates import OWN_DEFINITION
from .check import CheckResult, failed, passed, warned
from .expiry import ExpiryPosition
from .facts import ContainerLogGroup, Facts
from .registry import HeldBack, held_back

_NO_RELEASE_FIX = "inv push-image --tag T, then inv deploy --tag T"


def cluster(facts: Facts) -> CheckResult:
    """The cluster exists and is active."""
    name = facts.settings.cluster
    found = facts.known("cluster")
    if found is None or found["status"] != "ACTIVE":
        return failed(
            f"{name} is {found['status']}" if found else f"there is no cluster {name}",
            "inv create-ecs-cluster",
        )
    return passed(f"{name} is ACTIVE")


def service(facts: Facts) -> CheckResult:
    """The service runs its desired number of tasks."""
    name = facts.settings.service
    found = facts.known("service")
    if found is None:
        return failed(f"there is no service {name} in {facts.settings.cluster}", "inv create-fargate-service")
    if found["status"] != "ACTIVE":
        return failed(
            f"{name} is {found['status']}", "wait until it is deleted, then inv create-fargate-service"
        )
    running, desired = found["runningCount"], found["desiredCount"]
    saw = f"{running} of {desired} tasks run"
    if not desired:
        return warned(f"{name} has a desired count of 0", "inv deploy --tag T, or inv scale --to 1")
    if running >= desired:
        return passed(saw)
    events = found.get("events", [])
    says = f"; ECS says: {events[0]['message']}" if events else ""
    if _is_moving(found):
        return warned(f"{saw}, a deployment is in progress{says}", "wait for it, then check again")
    return failed(f"{saw}{says}", "inv status")


def _is_moving(found: Mapping[str, Any]) -> bool:
    return any(each.get("rolloutState") == "IN_PROGRESS" for each in found.get("deployments", []))


def revision(facts: Facts) -> CheckResult:
    """The revision that the service runs is active."""
    family = facts.settings.task.family
    found = facts.known("task_definition")
    if found is None:
        return failed(f"there is no task definition {family}", "inv create-task-definition")
    name = f"{found['family']}:{found['revision']}"
    if found.get("status", "ACTIVE") != "ACTIVE":
        return failed(f"{name} is {found['status']}: no new task of it can start", "inv deploy --tag T")
    ports = [
        mapping["containerPort"]
        for mapping in container_of(found, facts.settings.container.name).get("portMappings", [])
    ]
    container_port = facts.settings.container.port
    if container_port not in ports:
        opened = ", ".join(map(str, ports)) or "no port"
        return failed(
            f"{name} opens {opened}; container.port is {container_port}",
            "inv create-task-definition, then inv deploy",
        )
    return passed(f"{name} is ACTIVE")


def image(facts: Facts) -> CheckResult:
    """The revision's image is in the repository, so ECS can start a replacement task."""
    definition = facts.need("task_definition", f"there is no task definition {facts.settings.task.family}")
    reference = container_of(definition, facts.settings.container.name)["image"]
    found = facts.known("image")
    if found is None:
        return failed(f"{_short(reference)} is not in the repository", _NO_RELEASE_FIX)
    for other, there in facts.known("other_images").items():
        if there is None:
            return failed(
                f"{_short(other)} is not in its repository",
                f"push it there, or correct image in {OWN_DEFINITION}",
            )
        if held := _held_back(there, other):
            return failed(f"{_short(other)} {held.what}", held.fix)
    tags = f" ({', '.join(given_tags(found))})" if given_tags(found) else ""
    named = f"{facts.settings.repository}@{found['imageDigest'][:19]}…{tags}"
    if held := _held_back(found, reference):
        return failed(f"{named} {held.what}", held.fix)
    spot = facts.readings["expiry"].value
    again = f"inv deploy --tag {next(iter(given_tags(found)), found['imageDigest'])}"
    return _expiring(named, again, spot) if spot and spot.is_next else passed(f"{named} is in the repository")


_AGES = {
    "pushed": "it is older than {} days",
    "pulled": "it was not pulled for {} days",
    "archived": "it has been in the archive for {} days",
}


def _expiring(named: str, again: str, spot: ExpiryPosition) -> CheckResult:
    """The result for a lifecycle policy that expires the running image, so that no new task can start.

    ``again`` is the command that deploys the image again.
    """
    if spot.days:
        what, fix = (
            _AGES[spot.since].format(spot.days),
            "inv deploy --tag T with a newer image, or change the policy",
        )
    else:
        what = f"{spot.newer} images are newer, and {spot.kept} are kept"
        more = f"set images.keep: {2 * max(spot.kept, spot.newer + 1)} and inv setup-fargate, or deploy a newer image"
        fix = f"{again}: what is live is kept" if spot.is_ours and not spot.live else more
    takes = "archives it, after which it cannot be pulled," if spot.archives else "lets it expire"
    if spot.expires:
        return failed(
            f"{named} runs, and the repository's lifecycle policy {takes} within 24 hours: {what}", fix
        )
    goes = "is archived, and cannot be pulled any more," if spot.archives else "expires"
    return warned(f"{named} runs, and {goes} with the next image that is pushed: {what}", fix)


def _held_back(image: Mapping[str, Any], reference: str) -> HeldBack | None:
    named = ecr_image(reference)
    return held_back(image, named.repository, named.region) if named else None


def _short(reference: str) -> str:
    return reference.rpartition("/")[2]


def log_group(facts: Facts) -> CheckResult:
    """The log group of every container exists, so tasks can start, and the app's has a retention period."""
    name = facts.settings.logs.group
    found = facts.known("log_group")
    if found is None:
        return failed(f"there is no log group {name}: no task can start", "inv create-task-definition")
    others: Sequence[ContainerLogGroup] = facts.known("other_log_groups")
    if gone := [each for each in others if not each.found]:
        return _no_log_group(gone[0])
    days = found.get("retentionInDays")
    if days is None:
        return warned(
            f"{name} keeps events without limit, and storage costs grow", "inv create-task-definition"
        )
    return passed(f"{name} keeps events for {days} days")


def _no_log_group(gone: ContainerLogGroup) -> CheckResult:
    """The result for a container whose log group is not there."""
    saw = f"there is no log group {gone.name} in {gone.region}, to which {gone.container} writes: no task can start"
    create = f"aws logs create-log-group --log-group-name {gone.name} --region {gone.region}"
    return failed(saw, f"{create}, or correct awslogs-group of {gone.container} in {OWN_DEFINITION}")


def log_options(facts: Facts) -> CheckResult:
    """The revision writes to the log group, in this region."""
    definition = facts.need("task_definition", f"there is no task definition {facts.settings.task.family}")
    container = container_of(definition, facts.settings.container.name)
    log = container.get("logConfiguration", {})
    if log.get("logDriver") != "awslogs":
        return warned(
            f"{container['name']} logs with {log.get('logDriver', 'nothing')}; inv logs reads only awslogs"
        )
    options = log.get("options", {})
    expected = {"awslogs-group": facts.settings.logs.group, "awslogs-region": facts.settings.region}
    wrong = [
        f"{key} {options.get(key, 'nothing')}, not {value}"
        for key, value in expected.items()
        if options.get(key) != value
    ]
    if wrong:
        return failed(
            f"the revision has {' and '.join(wrong)}", "inv create-task-definition, then inv deploy --tag T"
        )
    far = {
        name: each["awslogs-region"]
        for name, each in log_groups(definition).items()
        if "awslogs-region" in each
    }
    if abroad := [name for name, region in far.items() if region != facts.settings.region]:
        saw = f"{abroad[0]} writes to {far[abroad[0]]}, not {facts.settings.region}"
        return failed(saw, f"correct awslogs-region in {OWN_DEFINITION}, then inv deploy --tag T")
    return passed(f"the revision writes to {options['awslogs-group']} in {options['awslogs-region']}")
