"""Sends the same requests to App Runner and the new service, and compares the answers.

This machine sends each request to both addresses in parallel. The app's own paths get GET requests only;
the upload goes to a path that no app has.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from ..account import find_service
from ..aws import Aws
from ..clock import Clock
from ..errors import AwsCallError, RefusedError, UsageError
from ..http_client import Client, Response
from ..in_parallel import in_parallel
from ..probe import Answer, PublicEndpoint, find_public_endpoint, get, lacks_distribution, shake_hands
from ..settings import AppRunnerSettings, Settings
from . import comparison, services
from .comparison import ComparisonRow
from .service_probe import address

_SAMPLES = 20
_ROUNDS = 3
_UPLOAD_BYTES = 5 * 2**20
_UPLOAD_PATH = "/.well-known/lobster-tasks-upload"
_BODY_BYTES = 64 * 1024
_WITHIN_SECONDS = 30.0  # real
_SLOW_WITHIN_SECONDS = 300.0


@dataclass(frozen=True)
class Parity:
    """The comparison of an App Runner service with the service that replaces it.

    ``sign_in`` is the URL at which visitors of the new service sign in, so that nothing behind it could be compared;
    empty where they do not.
    """

    service: str
    old: str
    new: str
    rows: tuple[ComparisonRow, ...]
    sign_in: str = ""

    @property
    def ok(self) -> bool:
        """Whether nothing differs, except for the better."""
        return not self.count("differs")

    def count(self, verdict: comparison.Verdict) -> int:
        """How many rows have this verdict."""
        return sum(row.verdict == verdict for row in self.rows)


def named_service(section: AppRunnerSettings, given: str) -> str:
    """The requested service, a name or an ARN: ``given``, else the settings'. Raises UsageError."""
    name = given or section.service
    if not name:
        raise UsageError(
            "No App Runner service is given.",
            next_step="--service NAME, or apprunner.service in invoke.yaml",
        )
    return name


def compare(aws: Aws, settings: Settings, given: str = "") -> Parity:
    """The comparison; raises RefusedError where one of the two cannot be reached."""
    arn = services.find(aws, named_service(settings.apprunner, given))
    service = aws.call("apprunner:DescribeService", arn, ServiceArn=arn)["Service"]
    return compare_service(aws, settings, service)


def compare_service(aws: Aws, settings: Settings, service: Mapping[str, Any]) -> Parity:
    """The comparison with a service in the shape of DescribeService."""
    old, new = _old(service), _new(aws, settings)
    # The certificate is for the visitors' host name, not for the load balancer's own, so it proves nothing here. The
    # warning filter applies to all threads, so it is set before they start.
    with warnings.catch_warnings(action="ignore"):
        rows = tuple(_rows(aws.clock, settings, old, new))
    return Parity(service["ServiceArn"], old.address, new.address, rows, new.sign_in)


def _old(service: Mapping[str, Any]) -> PublicEndpoint:
    name, status = service["ServiceName"], service["Status"]
    if status != "RUNNING":
        raise RefusedError(
            f"No service to compare with: {name} is {status}.",
            next_step="once it is RUNNING: inv compare-apprunner",
        )
    ingress = service.get("NetworkConfiguration", {}).get("IngressConfiguration", {})
    if not ingress.get("IsPubliclyAccessible", True):
        raise RefusedError(
            f"{name} cannot be probed from here.",
            "it is a private service, reached from its VPC only",
            "compare by hand from inside it; inv cleanup-apprunner --delete works once the service is paused: "
            f"aws apprunner pause-service --service-arn {service['ServiceArn']}",
        )
    return PublicEndpoint(address(service))


def _new(aws: Aws, settings: Settings) -> PublicEndpoint:
    endpoint = find_fargate_endpoint(aws, settings)
    if endpoint is None:
        raise RefusedError(
            f"No service to compare: {settings.service} is not behind a load balancer.",
            next_step="inv setup-fargate, then inv deploy --tag T",
        )
    if lacks_distribution(endpoint, settings):
        raise RefusedError(
            f"No address to compare: the distribution before the load balancer of {settings.service} was not found.",
            "it does not exist, or this identity has no permission to find it",
            "inv setup-fargate creates it; the policies of inv print-setup-policy may see it",
        )
    if not endpoint.allowed_sources and not endpoint.unread_sources and not endpoint.guard:
        return endpoint
    answer = get(aws.clock, endpoint, endpoint.path(settings.probe.path))
    if endpoint.blocks(answer):
        raise RefusedError(
            f"The distribution of {settings.service} does not allow this machine.",
            f"{endpoint.guard} refuses it",
            "run the same command on a machine with an address that it allows",
        )
    if endpoint.allowed_sources and not answer.reached:
        raise RefusedError(
            f"The load balancer of {settings.service} does not allow this machine.",
            f"its security group allows only {', '.join(endpoint.allowed_sources)}",
            "run the same command on a machine with one of these addresses",
        )
    if endpoint.unread_sources and not answer.reached:
        raise RefusedError(
            f"The load balancer of {settings.service} does not answer, and whether it allows this machine is not "
            "known.",
            f"its security groups cannot be read: {endpoint.unread_sources}",
            "allow ec2:DescribeSecurityGroups, which the policies of inv print-setup-policy allow, and run the same "
            "command again",
        )
    return endpoint


def find_fargate_endpoint(aws: Aws, settings: Settings) -> PublicEndpoint | None:
    """The address of the new service; None if there is no service behind a load balancer."""
    service = find_service(aws, settings.cluster, settings.service, settings.service)
    balancers = service.get("loadBalancers", []) if service and service["status"] == "ACTIVE" else []
    groups = [each["targetGroupArn"] for each in balancers]
    try:
        return find_public_endpoint(aws, groups, settings.name)
    except AwsCallError as refused:
        if refused.code == "LoadBalancerNotFound":
            return None
        raise


def _rows(
    clock: Clock, settings: Settings, old: PublicEndpoint, new: PublicEndpoint
) -> Iterator[ComparisonRow]:
    health = settings.health_check.path
    if new.sign_in:
        yield from _behind_sign_in(clock, settings, old, new)
        return
    for path in dict.fromkeys((health, settings.probe.path, *settings.apprunner.paths)):
        before, after = in_parallel(partial(_get, clock, old, path), partial(_get, clock, new, path))
        yield comparison.statuses(path, before, after)
        yield from comparison.headers(path, before, after)
        if path == health:
            yield comparison.bodies(path, before, after)
    yield latency(clock, health, old, new)
    yield _websocket(clock, settings.probe.websocket, old, new)
    yield _upload(clock, old, new)
    yield _slow(clock, settings.apprunner.slow_path, old, new)


def _behind_sign_in(
    clock: Clock, settings: Settings, old: PublicEndpoint, new: PublicEndpoint
) -> Iterator[ComparisonRow]:
    """What can be seen without an account at the identity provider: that every path leads there."""
    paths = settings.health_check.path, settings.probe.path, *settings.apprunner.paths
    for path in dict.fromkeys(paths):
        before, after = in_parallel(partial(_get, clock, old, path), partial(get, clock, new, new.path(path)))
        yield comparison.behind_sign_in(f"GET {path}", before.said, after.ok, after.said)
    if (websocket := settings.probe.websocket) is not None:
        opened, asked = _handshakes(clock, websocket, old, new)
        yield comparison.behind_sign_in(f"WebSocket {websocket}", _opened(opened), asked.ok, asked.said)


def latency(
    clock: Clock, path: str, old: PublicEndpoint, new: PublicEndpoint, samples: int = _SAMPLES
) -> ComparisonRow:
    """How long ``samples`` answers take, requested in turn. A slower new address must show in every round.

    Each address has one connection, as in a browser: to open one takes this machine longer with TLS than without,
    which tells nothing about the app.
    """
    with _client(old) as before, _client(new) as after:
        ask_old, ask_new = partial(_send, clock, before, old, path), partial(_send, clock, after, new, path)
        for _ in range(_ROUNDS):
            row = comparison.latencies(path, *_times(ask_old, ask_new, samples))
            if row.verdict != "differs":
                break
    return row


def _times(
    ask_old: Callable[[], Response], ask_new: Callable[[], Response], samples: int
) -> tuple[list[float], list[float]]:
    times: tuple[list[float], list[float]] = ([], [])
    for sample in range(samples):
        pair = list(zip((ask_old, ask_new), times, strict=True))
        for ask, found in pair if sample % 2 else reversed(pair):  # load then affects both equally
            found.append(ask().milliseconds)
    return times


def _websocket(clock: Clock, path: str | None, old: PublicEndpoint, new: PublicEndpoint) -> ComparisonRow:
    if path is None:
        return ComparisonRow("WebSocket", "–", "–", "skip", "probe.websocket is false")
    before, after = _handshakes(clock, path, old, new)
    return comparison.websockets(path, _opened(before), _opened(after))


def _handshakes(clock: Clock, path: str, old: PublicEndpoint, new: PublicEndpoint) -> list[Answer]:
    return in_parallel(*(partial(shake_hands, clock, each, each.path(path)) for each in (old, new)))


def _opened(handshake: Answer) -> str:
    """``open``, or the status or trouble of the handshake."""
    return "open" if handshake.ok else str(handshake.status or handshake.said)


def _upload(clock: Clock, old: PublicEndpoint, new: PublicEndpoint) -> ComparisonRow:
    send = partial(_ask, clock, path=_UPLOAD_PATH, method="POST", data=bytes(_UPLOAD_BYTES))
    return comparison.uploads(_UPLOAD_BYTES, *in_parallel(partial(send, old), partial(send, new)))


def _slow(clock: Clock, path: str | None, old: PublicEndpoint, new: PublicEndpoint) -> ComparisonRow:
    if path is None:
        return ComparisonRow("answers past 120 s", "–", "–", "skip", "apprunner.slow_path is not set")
    wait = partial(_ask, clock, path=path, within=_SLOW_WITHIN_SECONDS)
    return comparison.slow_answers(path, *in_parallel(partial(wait, old), partial(wait, new)))


def _get(clock: Clock, endpoint: PublicEndpoint, path: str) -> Response:
    return _ask(clock, endpoint, path=path)


def _ask(clock: Clock, endpoint: PublicEndpoint, *, path: str, **how: Any) -> Response:
    """One request over a new connection, as ``_send`` sends it."""
    with _client(endpoint) as client:
        return _send(clock, client, endpoint, path, **how)


def _client(endpoint: PublicEndpoint) -> Client:
    return Client(endpoint.name, checked=endpoint.checked, authority=endpoint.authority)


def _send(
    clock: Clock,
    client: Client,
    endpoint: PublicEndpoint,
    path: str,
    *,
    method: str = "GET",
    data: bytes | None = None,
    within: float = _WITHIN_SECONDS,
) -> Response:
    """One request that meets the conditions of the app's rule; redirects are not followed.

    ``within`` is in real seconds: programs run at their own speed.
    """
    return client.request(
        f"{endpoint.url}{endpoint.path(path)}",
        within,
        method=method,
        data=data,
        most=_BODY_BYTES,
        stopwatch=clock.stopwatch,
    )
