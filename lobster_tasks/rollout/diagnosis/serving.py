"""Explains tasks that start but exit or are unhealthy: exit codes, ports, health checks. Pure."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence

from ...definition import container_of
from ...secrecy import shown_words
from ...templates import OWN_DEFINITION
from ..cause_code import CauseCode
from ..observation.aws_words import first_match
from .culprit import culprit
from .evidence import Evidence
from .listening import ListeningPort
from .start_faults import COMMAND, StartFault, start_fault
from .starting import Case, Finding, disk_full, line_ends, marked_script

# Exit codes of shells and container engines (POSIX shell "Exit Status for Commands", Docker "docker run").
_MEANINGS = {
    0: "normally; a web app has to keep running",
    1: "an error in the app",
    2: "an error in the app, often in its command line",
    126: "the program is not executable",
    127: "the shell did not find the program",
    255: "which is an error without a code of its own (-1)",
}
# The signals of Linux in the order of their numbers, from 1 (signal(7), x86 and ARM); this machine may run another
# system, where the numbers differ.
_SIGNALS = (
    *(
        "SIGHUP",
        "SIGINT",
        "SIGQUIT",
        "SIGILL",
        "SIGTRAP",
        "SIGABRT",
        "SIGBUS",
        "SIGFPE",
        "SIGKILL",
        "SIGUSR1",
    ),
    *("SIGSEGV", "SIGUSR2", "SIGPIPE", "SIGALRM", "SIGTERM", "SIGSTKFLT", "SIGCHLD", "SIGCONT", "SIGSTOP"),
    *("SIGTSTP", "SIGTTIN", "SIGTTOU", "SIGURG", "SIGXCPU", "SIGXFSZ", "SIGVTALRM", "SIGPROF", "SIGWINCH"),
    *("SIGIO", "SIGPWR", "SIGSYS"),
)
_ENDINGS = {
    "SIGKILL": "it was killed from outside, most often because of its memory",
    "SIGSEGV": "it crashed in native code",
    "SIGTERM": "it received SIGTERM",
}
_TELLING = re.compile(
    r"error|exception|fatal|cannot|can't|not found|no such|denied|refused|invalid|giving up", re.I
)
_FRAME = re.compile(r"^\s|^Traceback")
# How to make servers listen on every address.
_BIND = (
    ("uvicorn", "uvicorn --host 0.0.0.0"),
    ("listening at:", "gunicorn --bind 0.0.0.0:{port}"),
    ("running on http", "its host option set to 0.0.0.0"),
    ("url:", "--server.address=0.0.0.0"),
)
# What makes servers speak TLS.
_TLS = (
    ("uvicorn", "--ssl-keyfile and --ssl-certfile"),
    ("listening at:", "--keyfile and --certfile"),
    ("url:", "server.sslCertFile and server.sslKeyFile"),
)
# Messages of a kernel, env and shells about an interpreter, or a command, whose name ends in a carriage return.
_NO_INTERPRETER = re.compile(r"no such file or directory|bad interpreter|\r|not found", re.IGNORECASE)
# What servers answer to plain HTTP where they speak TLS: nginx ("The plain HTTP request was sent to HTTPS port"), Go.
_BAD_REQUEST = "400"
_OF_SHELLS = (126, 127)  # not executable, not found
_LONGEST = 160
_STEP = 30
_STATUS_CODES = r"failed with these codes: \[(\d{1,3})"
_LATER = CauseCode.UNHEALTHY_LATER
# Failures that another try does not fix.
_NO_USE = re.compile(
    r"ModuleNotFoundError|ImportError|SyntaxError|IndentationError|NameError|can't open file"
)


def explain_exit(evidence: Evidence, case: Case) -> Finding:
    """Explain a program that exited."""
    container = culprit(evidence.definition, case.tasks[0]) if case.tasks else None
    of = evidence.others(container.name) if container else ""
    code = container.exit_code if container else None
    log, end = "\n".join(evidence.log), _telling(evidence.log).lower()
    if end.endswith("exec format error"):
        return marked_script(evidence, of) or Finding(
            CauseCode.EXEC_FORMAT,
            "The program does not run on the task's processor: exec format error.",
            f"inv push-image --tag {evidence.tag} (it builds for task.architecture), then {evidence.again}",
        )
    if "no space left on device" in end:
        return disk_full(evidence)
    if _NO_INTERPRETER.search(log) and (wrong := evidence.failed_checks("dockerfile.start-scripts")):
        return line_ends(evidence, wrong[0], of)
    if fault := start_fault(code, evidence.log, of):
        return _not_started(
            evidence, fault, f"The program{of} ended {_meaning(code)}{_last_word(evidence.log)}.", of
        )
    heals = code not in _OF_SHELLS and not any(_NO_USE.search(line) for line in evidence.log)
    message = f"The program{of} ended {_meaning(code)}{_last_word(evidence.log)}."
    return Finding(
        CauseCode.EXITS, message, _mend(evidence, case, of, code), heals
    )  # an app may be waiting for another service


def _not_started(evidence: Evidence, fault: StartFault, message: str, of: str) -> Finding:
    """``of`` names a container whose image is not the app's, which no push of that changes."""
    mend = (
        f"in the image{of}, or its command in {OWN_DEFINITION}: {fault.step}; then {evidence.again}"
        if of
        else f"{fault.step}; then inv push-image --tag {evidence.tag} and {evidence.again}"
    )
    return Finding(fault.code, fault.message or message, mend, heals=False)


def explain_health(evidence: Evidence, _: Case | None = None) -> list[Finding]:
    """Explain unhealthy targets: one finding, or the two that fit."""
    reason, description = _complaint(evidence)
    if evidence.were_healthy:
        said = description or reason or "the load balancer gives no reason"
        return [
            Finding(
                _LATER,
                f"The tasks were healthy, and then became unhealthy: {said}.",
                f"fix the app, then inv push-image and {evidence.again}; inv logs --follow shows its log",
            )
        ]
    if status := first_match(_STATUS_CODES, description):
        return [_path_status(evidence, status)]
    if "Timeout" in reason or "timed out" in description:
        return _timeout(evidence)
    if reason.startswith("Target.NotInUse"):
        return [_not_in_use(evidence)]
    if reason == "Target.FailedHealthChecks" or "Health checks failed" in description:
        return _refused(evidence)
    return []


def explain_container_health(evidence: Evidence, _: Case | None = None) -> Finding:
    """Explain a container whose own health check fails."""
    unhealthy = [
        each.name for task in evidence.failed for each in task.containers if each.health == "UNHEALTHY"
    ]
    container = container_of(evidence.definition, *unhealthy[:1]) if unhealthy else evidence.container
    of = evidence.others(container.get("name", ""))
    command = (container.get("healthCheck") or {}).get("command") or []
    words = " ".join(shown_words(command)[1:]) or "its command"
    also = "; a slim image has no curl" if "curl" in words or "wget" in words else ""
    return Finding(
        CauseCode.CONTAINER_HEALTH_CHECK,
        f"The container's own health check{of} fails: {words}{also}.",
        f"correct healthCheck in {OWN_DEFINITION}, then {evidence.again}",
    )


def _meaning(code: int | None) -> str:
    if code is None:
        return "and ECS shows no exit code"
    if code == 0:
        return f"with exit code 0, {_MEANINGS[0]}"
    if code in _MEANINGS:
        return f"with exit code {code}, {_MEANINGS[code]}"
    if not 0 < code - 128 <= len(_SIGNALS):
        return f"with exit code {code}"
    name = _SIGNALS[code - 129]
    return f"with exit code {code} ({name}): {_ENDINGS.get(name, 'which ended it')}"


def _telling(log: Sequence[str]) -> str:
    """The last line about an error, or the last line."""
    lines = [line for line in log if line.strip() and not _FRAME.match(line)]
    telling = next((line for line in reversed(lines) if _TELLING.search(line)), lines[-1] if lines else "")
    return telling.strip().rstrip(".")


def _last_word(log: Sequence[str]) -> str:
    told = _telling(log)
    told = told if len(told) <= _LONGEST else f"{told[:_LONGEST]}…"
    return f"; its last log line: {told}" if told else "; it wrote nothing"


def _mend(evidence: Evidence, case: Case, of: str, code: int | None) -> str:
    if of:
        return (
            f"correct image and command{of} in {OWN_DEFINITION} "
            f'(with "essential": false the app runs without it), then {evidence.again}'
        )
    task = (
        f" (all that it wrote: inv logs --task {case.tasks[0].arn.rpartition('/')[2][:8]})"
        if case.tasks
        else ""
    )
    wrong = f"correct {COMMAND}, or fix the app" if code in _OF_SHELLS else "fix the app"
    return f"{wrong}{task}, then inv push-image --tag T and inv deploy --tag T"


def _complaint(evidence: Evidence) -> tuple[str, str]:
    """Reason and description of the target that was last unhealthy, or of a deregistered one from an event."""
    if evidence.unhealthy:
        return evidence.unhealthy[-1].reason, evidence.unhealthy[-1].description
    told = [first_match(r"due to \(reason (.{1,1000})\)\.?$", event) for event in evidence.events]
    return "", next((each for each in reversed(told) if each), "")


def _path_status(evidence: Evidence, status: str) -> Finding:
    said = f"GET {evidence.health_path} answers {status}"
    tls = [each for each in evidence.listening_ports if each.port == evidence.port and each.is_tls]
    if status == _BAD_REQUEST and tls and not _asks_by_tls(evidence):
        return _another_protocol(evidence, tls[-1])
    if status.startswith("5"):
        return Finding(
            CauseCode.HEALTH_PATH_STATUS,
            f"{said}: the app reports an error{_last_word(evidence.log)}.",
            f"fix the app, then inv push-image and {evidence.again}",
            heals=True,
        )
    meaning = {
        "404": ": the path does not exist",
        "401": ": the path needs a sign-in",
        "403": ": the app denies access",
    }
    leads = ": the path redirects" if status.startswith("3") else ""
    wrong = evidence.failed_checks("dockerfile.base-path")
    because = f" ({wrong[0].saw})" if wrong else ""
    path = wrong[0].fix if wrong else "set health_check.path to what the app answers with 200"
    base = "" if wrong or status != "404" else _logged_base_path(evidence)
    if base:
        because = f" (its log says that it is served at {base})"
        path = f"set health_check.path: {base}{evidence.health_path}, and probe.path and probe.websocket below {base}"
    return Finding(
        CauseCode.HEALTH_PATH_STATUS,
        f"{said}{meaning.get(status, leads)}{because}.",
        f"{path}; inv setup-application-load-balancer, then {evidence.again}",
        heals=False,
    )


def _logged_base_path(evidence: Evidence) -> str:
    """The path at which the app says that it is served, where the health check asks outside of it; otherwise empty.

    It is in the log whatever starts the app, where the Dockerfile may name a script only.
    """
    ours = [each.base_path for each in evidence.listening_ports if each.port == evidence.port]
    base = ours[-1] if ours else ""
    return "" if f"{evidence.health_path}/".startswith(f"{base}/") else base


def _timeout(evidence: Evidence) -> list[Finding]:
    """The security groups distinguish a dropped packet from a slow answer."""
    seconds = evidence.target_group.get("HealthCheckTimeoutSeconds")
    slow = Finding(
        CauseCode.HEALTH_CHECK_TIMEOUT,
        f"GET {evidence.health_path} is not answered{f' within {seconds} s' if seconds else ' in time'}.",
        "make it answer sooner, or set health_check.timeout and health_check.interval; "
        f"inv setup-application-load-balancer, then {evidence.again}",
    )
    groups = ("security.tasks", "security.load-balancer-out")
    wrong = evidence.failed_checks(*groups)
    blocked = Finding(
        CauseCode.SECURITY_GROUP_BLOCKS,
        f"The load balancer does not reach the tasks: {wrong[0].saw}."
        if wrong
        else f"The security groups might not let the load balancer reach port {evidence.port}.",
        f"inv create-security-groups, then {evidence.again}",
    )
    if wrong:
        return [blocked]
    known = all(evidence.status(each) == "pass" or _is_open(evidence, each) for each in groups)
    return [slow] if known else [slow, blocked]


def _is_open(evidence: Evidence, check: str) -> bool:
    """Whether a check only warns that a rule allows everybody, which is enough to connect."""
    return evidence.status(check) == "warn" and evidence.checks[check].code == "open-to-anywhere"


def _not_in_use(evidence: Evidence) -> Finding:
    wrong = evidence.failed_checks("load-balancer.listener", "load-balancer.zones")
    said = f": {wrong[0].saw}" if wrong else ""
    return Finding(
        CauseCode.TARGET_NOT_IN_USE,
        f"The target group gets no requests{said}.",
        f"inv setup-application-load-balancer, then {evidence.again}",
    )


def _refused(evidence: Evidence) -> list[Finding]:
    """Nothing accepts the connection, or it ends without an answer in HTTP.

    TargetHealth, Reason, Target.FailedHealthChecks: "The load balancer received an error while establishing a
    connection to the target or the target response was malformed."
    """
    port, told = evidence.port, evidence.listening_ports
    right = next((each for each in reversed(told) if each.port == port), None)
    if right and right.is_on_loopback:
        return [_loopback(evidence, right)]
    if right and _is_of_another_protocol(evidence, right):
        return [_another_protocol(evidence, right)]
    if right and _is_late(evidence, evidence.listened_after):
        after = evidence.listened_after or 0
        return [_slow(evidence, after, f"it logs {after:.0f} s after its start that it listens")]
    if right:
        return [_closed(evidence, right) if right.address else _loopback(evidence, right)]
    if told:
        return [_other_port(evidence, told[-1])]
    return _not_told(evidence)


def _not_told(evidence: Evidence) -> list[Finding]:
    """The app's log does not say where it listens."""
    port, silent = evidence.port, "its log does not say where it listens"
    if evidence.log:  # servers log their address as soon as they listen
        other = f"Or it listens on another port than {port}: {silent}."
        step = f"start the app on port {port}, or set container.port and inv setup-fargate; then {evidence.again}"
        wrote = "when ECS gives up on the task, its log does not say yet that it listens"
        return [_slow(evidence, evidence.lived or 0, wrote), Finding(CauseCode.WRONG_PORT, other, step)]
    return [
        Finding(
            CauseCode.WRONG_PORT,
            f"Nothing accepts connections on port {port}: {silent}; it may listen on another port, or start slowly.",
            f"start the app on port {port}, or set container.port and health_check.grace_period; "
            f"inv setup-fargate, then {evidence.again}",
        ),
        Finding(
            CauseCode.BOUND_TO_LOOPBACK,
            f"Or it listens on loopback only, which the load balancer cannot reach: {silent}.",
            f"start the app on 0.0.0.0, then inv push-image and {evidence.again}",
        ),
    ]


def _is_of_another_protocol(evidence: Evidence, told: ListeningPort) -> bool:
    """Whether the app announces HTTPS where the load balancer speaks HTTP, or HTTP where it speaks HTTPS."""
    return told.scheme == "http" if _asks_by_tls(evidence) else told.is_tls


def _asks_by_tls(evidence: Evidence) -> bool:
    group = evidence.target_group
    return str(group.get("HealthCheckProtocol") or group.get("Protocol")) == "HTTPS"


def _another_protocol(evidence: Evidence, told: ListeningPort) -> Finding:
    theirs, asked = ("HTTPS", "HTTP") if told.is_tls else ("HTTP", "HTTPS")
    tls = next((way for sign, way in _TLS if sign in told.line.lower()), "TLS")
    step = (
        f"start it without {tls}, since TLS ends at the load balancer (container.command, or inv push-image)"
    )
    step = step if told.is_tls else "inv setup-fargate, whose target groups speak HTTP"
    return Finding(
        CauseCode.TARGET_GROUP_MISMATCH,
        f"The app speaks {theirs} on port {told.port}, and the target group {asked}: it does not answer the load "
        "balancer's requests.",
        f"{step}; then {evidence.again}",
        heals=False,
    )


def _closed(evidence: Evidence, told: ListeningPort) -> Finding:
    """The app's address is one that the load balancer reaches."""
    asked = "HTTPS" if _asks_by_tls(evidence) else "HTTP"
    return Finding(
        CauseCode.TARGET_GROUP_MISMATCH,
        f"The app listens on {told.address}, port {told.port}, and does not answer GET {evidence.health_path} in "
        f"{asked}, which the target group speaks: the connection fails, or ends without an answer.",
        f"see in inv logs whether the app expects another protocol, such as TLS, or fails with each request; then "
        f"{evidence.again}",
        heals=True,
    )


def _is_late(evidence: Evidence, after: float | None) -> bool:
    """Whether a moment after a task's start is too late to be healthy before ECS counts health checks."""
    if after is None:
        return False
    check = evidence.target_group.get(
        "HealthCheckIntervalSeconds", 0
    )  # a new target is healthy after one success
    return bool(after + check > evidence.last.service.grace)


def _slow(evidence: Evidence, after: float, what: str) -> Finding:
    grace = evidence.last.service.grace
    enough = _STEP * math.ceil(max(1.5 * after, 2.0 * grace, _STEP) / _STEP)
    return Finding(
        CauseCode.SLOW_START,
        f"The app starts slowly: {what}. Health checks count from {grace} s on.",
        f"set health_check.grace_period: {enough}; inv create-fargate-service, then {evidence.again}",
    )


def _other_port(evidence: Evidence, told: ListeningPort) -> Finding:
    return Finding(
        CauseCode.WRONG_PORT,
        f"The app listens on port {told.port}; the container's port is {evidence.port}.",
        f"start the app on port {evidence.port} (Streamlit: --server.port={evidence.port}), "
        f"or set container.port: {told.port} and inv setup-fargate; then {evidence.again}",
    )


def _loopback(evidence: Evidence, told: ListeningPort) -> Finding:
    where = told.address or "loopback"
    how = next((way for sign, way in _BIND if sign in told.line.lower()), "0.0.0.0 as its address")
    surely = "listens on" if told.address else "takes no connections from outside: it listens on"
    return Finding(
        CauseCode.BOUND_TO_LOOPBACK,
        f"The app {surely} {where} only, where the load balancer does not reach port {told.port}.",
        f"start it with {how.format(port=evidence.port)} (container.command), then {evidence.again}",
    )
