"""Requests about the embedded AWS itself: ``/_embedded/…``.

All but the last four need the header ``X-Embedded-Aws``, with any value, which web pages cannot send (see ``pages``).

| request | does |
|---|---|
| ``POST /_embedded/reset`` | empties every account, ends every task, forgets faults and calls |
| ``GET``, ``POST``, ``DELETE /_embedded/faults`` | lists, adds, clears fault rules (see ``faults``) |
| ``GET``, ``DELETE /_embedded/calls`` | lists, forgets the calls served (see ``calls``) |
| ``POST /_embedded/latency`` ``{"seconds": x}`` | delays every call by x real seconds |
| ``POST /_embedded/kill-task`` ``{"task": arn}`` | sends SIGKILL to a Fargate task's processes |
| ``POST /_embedded/interrupt-spot`` ``{"task": arn}`` | interrupts a task on FARGATE_SPOT, with a warning |
| ``POST /_embedded/forget-deployments`` | ends the history of service deployments, as if 90 days were over |
| ``POST /_embedded/expire-images`` | applies ECR's lifecycle policies, as AWS does within 24 hours |
| ``POST /_embedded/assumable`` ``{"role": arn}`` | returns whether a role is old enough for a service to assume it |
| ``POST /_embedded/address`` ``{"vpc": id, "ip": address}`` | returns the loopback address used for it |
| ``GET /_embedded/runtime`` | returns the engine of tasks, null for processes, and what a task's memory limits |
| ``GET /_embedded/authority`` | returns the CA certificate (PEM) of CloudFront's distributions |
| ``POST /_embedded/apprunner`` ``{"arn": arn, "status": …}`` | sets a status that AWS or a person sets elsewhere |
| ``GET /_embedded/tasks/…`` | returns metadata and credentials for a task's programs (see ``ecs.task_endpoint``) |
| ``GET /_embedded/instances/…`` | returns the same for App Runner's instances |
| ``GET /_embedded/public-keys/KID`` | returns what ``https://public-keys.auth.elb.REGION.amazonaws.com/KID`` is |
| ``GET /_embedded/layers/…`` | returns a layer of an image (the URLs of ECR's GetDownloadUrlForLayer) |
"""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Callable
from typing import Any

from ..apprunner.component import AppRunnerComponent
from ..ecs.scheduler import Fargate
from ..iam import roles
from ..kernel.data_plane import DataPlane
from ..kernel.faults import RuleError
from ..moto import adapter
from ..moto.dispatch import Answer, FilePart
from ..runtime.images import Images
from ..runtime.runtime import Runtime
from . import pages
from .calls import CallLog

# Errors of JSON that is invalid, or has other values than a request takes.
_INVALID = (RuleError, ArithmeticError, AttributeError, LookupError, RecursionError, TypeError, ValueError)
RANGE = re.compile(r"bytes=(\d{1,18})-(\d{0,18})", re.ASCII)


class Control:
    """Answers ``/_embedded/…``."""

    def __init__(
        self,
        plane: DataPlane,
        runtime: Runtime,
        fargate: Fargate,
        app_runner: AppRunnerComponent,
        authority: str,
        public_key: Callable[[str], str | None],
        calls: CallLog,
    ) -> None:
        self._plane = plane
        self._runtime = runtime
        self._fargate = fargate
        self._app_runner = app_runner
        self._public_key = public_key
        self._faults = plane.faults
        self.calls = calls
        self._routes: dict[tuple[str, str], Callable[[Any], Any]] = {
            ("POST", "reset"): self._reset,
            ("GET", "faults"): lambda _: self._faults.listing(),
            ("POST", "faults"): lambda given: self._faults.add(given if isinstance(given, list) else [given]),
            ("DELETE", "faults"): lambda _: self._faults.clear(),
            ("GET", "calls"): lambda _: self.calls.listing(),
            ("DELETE", "calls"): lambda _: self.calls.clear(),
            ("POST", "latency"): self._latency,
            ("POST", "kill-task"): self._kill_task,
            ("POST", "interrupt-spot"): self._interrupt_spot,
            ("POST", "expire-images"): lambda _: self._runtime.images.expire(),
            ("POST", "forget-deployments"): lambda _: {"forgotten": self._fargate.forget_deployments()},
            ("POST", "assumable"): lambda given: {"assumable": roles.assumable(plane, given["role"])},
            ("GET", "runtime"): lambda _: {"engine": self._runtime.engine, "taskMemory": self._task_memory},
            ("GET", "authority"): lambda _: {"pem": authority},
            ("POST", "address"): self._address,
            ("POST", "apprunner"): self._apprunner,
        }

    def answer(self, environ: dict[str, Any]) -> Answer:
        """The answer to one request: JSON, 400 with ``{"error": …}`` when it is invalid."""
        name = environ["PATH_INFO"].removeprefix("/_embedded/").strip("/")
        if name.startswith("layers/"):
            return _layer(self._runtime.images, name.removeprefix("layers/"), environ.get("HTTP_RANGE", ""))
        if name.startswith("public-keys/"):
            key = self._public_key(name.removeprefix("public-keys/"))
            return _json(404, {"error": f"no {name}"}) if key is None else _text(key)
        if name.startswith("tasks/"):
            told = self._fargate.tell_task(name.removeprefix("tasks/"))
            return _json(404, {"error": f"no {name}"}) if told is None else _json(200, told)
        if name.startswith("instances/"):
            told = self._app_runner.tell_instance(name.removeprefix("instances/"))
            return _json(404, {"error": f"no {name}"}) if told is None else _json(200, told)
        if not pages.may_control(environ):
            return _json(
                403, {"error": f"a request to /_embedded/{name} needs the header {pages.CONTROL}: any"}
            )
        route = self._routes.get((environ["REQUEST_METHOD"], name))
        if route is None:
            return _json(404, {"error": f"no {environ['REQUEST_METHOD']} /_embedded/{name}"})
        try:
            body = environ["wsgi.input"].getvalue()
            return _json(200, route(json.loads(body) if body else None))
        except _INVALID as error:
            return _json(400, {"error": f"{type(error).__name__}: {error}"})

    def kill_task(self, task: str) -> bool:
        """SIGKILL a task; False where it does not run."""
        return self._fargate.kill_task(task)

    @property
    def _task_memory(self) -> str:
        """Whether a task's memory is the limit of all its containers together, or of each."""
        return "together" if self._runtime.limits_together else "each"

    def _reset(self, _: Any) -> None:
        self._plane.reset()
        adapter.empty_moto()
        self._faults.clear()
        self.calls.clear()

    def _latency(self, given: Any) -> None:
        seconds = float(given["seconds"])
        if not 0 <= seconds <= threading.TIMEOUT_MAX:
            raise ValueError(f"{seconds} is no number of seconds")
        self._faults.latency = seconds

    def _address(self, given: Any) -> dict[str, str]:
        return {"address": self._runtime.addresses.loopback(given["vpc"], given["ip"])}

    def _apprunner(self, given: Any) -> dict[str, str]:
        with self._plane.lock:
            self._app_runner.set_status(given["arn"], given["status"])
        return {"status": given["status"]}

    def _kill_task(self, given: Any) -> dict[str, bool]:
        return {"killed": self.kill_task(given["task"])}

    def _interrupt_spot(self, given: Any) -> dict[str, bool]:
        return {"interrupted": self._fargate.interrupt_task(given["task"])}


def _layer(images: Images, path: str, asked: str) -> Answer:
    """A blob by ``account/region/digest/repository``, or the range of its bytes that is ``asked`` for."""
    account, region, digest, repository = [*path.split("/", 3), "", "", ""][:4]
    try:
        file = images.blob(account, region, repository, digest)
    except KeyError:
        return _json(404, {"error": f"no layer {path}"})
    size = file.stat().st_size
    kind = ("Content-Type", "application/octet-stream")
    if not (bounds := RANGE.fullmatch(asked)):
        return Answer(200, (kind, ("Accept-Ranges", "bytes")), file=FilePart(file, 0, size))
    first, last = int(bounds[1]), min(int(bounds[2] or size - 1), size - 1)
    if first > last:
        return Answer(416, (("Content-Range", f"bytes */{size}"),))
    return Answer(
        206,
        (kind, ("Content-Range", f"bytes {first}-{last}/{size}")),
        file=FilePart(file, first, last - first + 1),
    )


def _text(text: str) -> Answer:
    return Answer(200, (("Content-Type", "text/plain"),), text.encode())


def _json(status: int, value: Any) -> Answer:
    return Answer(status, (("Content-Type", "application/json"),), json.dumps(value).encode())
