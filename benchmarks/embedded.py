"""The embedded AWS: how soon it answers, and 16 clients at once."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

import boto3

from .common import embedded_aws, median, seconds

_STARTS, _CLIENTS, _ROUNDS = 5, 16, 15


def figures() -> Iterator[str]:
    """Start-up to the first answer of ECS; calls a second and errors of 16 concurrent clients."""
    yield f"start to the first answer of ECS: {median([seconds(_start) for _ in range(_STARTS)]):.2f} s (aim 2)"
    with embedded_aws() as url:
        errors: list[BaseException] = []
        threads = [threading.Thread(target=_use, args=(url, n, errors)) for n in range(_CLIENTS)]
        taken = seconds(lambda: ([t.start() for t in threads], [t.join() for t in threads]))
    calls = _CLIENTS * _ROUNDS * 6
    yield f"{_CLIENTS} clients, {calls} calls: {calls / taken:.0f} calls/s, {len(errors)} errors (aim 0)"


def _client(service: str, url: str) -> Any:
    keys = {"aws_access_key_id": "benchmark", "aws_secret_access_key": "benchmark"}
    return boto3.session.Session().client(service, region_name="us-east-2", endpoint_url=url, **keys)


def _start() -> None:
    with embedded_aws() as url:
        _client("ecs", url).list_clusters()


def _use(url: str, number: int, errors: list[BaseException]) -> None:
    ecs, ec2, iam, logs = (_client(service, url) for service in ("ecs", "ec2", "iam", "logs"))
    try:
        for each in range(_ROUNDS):
            name = f"c{number}-{each}"
            ecs.create_cluster(clusterName=name)
            logs.create_log_group(logGroupName=name)
            ec2.describe_subnets()
            iam.list_roles()
            ecs.describe_clusters(clusters=[name])
            logs.describe_log_groups(logGroupNamePrefix=name)
    except Exception as error:  # noqa: BLE001 - every kind is counted
        errors.append(error)
