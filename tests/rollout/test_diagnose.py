"""AWS's words, verbatim, and the causes that they mean.

Sources of the texts: Amazon ECS Developer Guide, "Resolve Amazon ECS stopped task errors" and its pages, "Viewing
Amazon ECS service event messages"; Elastic Load Balancing API, TargetHealth.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from lobster_tasks import report
from lobster_tasks.doctor import Check
from lobster_tasks.rollout.diagnosis.causes import CODES, RECORDS, Heals
from lobster_tasks.rollout.diagnosis.diagnose import diagnose, failures
from lobster_tasks.rollout.diagnosis.evidence import Evidence
from lobster_tasks.rollout.diagnosis.listening import listening_ports
from lobster_tasks.rollout.observation.judge import Verdict
from lobster_tasks.rollout.observation.snapshot import Container, Task

from .shapes import GROUP, NEW, deployment, service, snapshot, stopped, target, task

ROLE = "arn:aws:iam::123456789012:role/ecsTaskExecutionRole"
APP_ROLE = "arn:aws:iam::123456789012:role/ecsTaskRole"
IMAGE = "123456789012.dkr.ecr.us-east-2.amazonaws.com/homara:4f2c1e9"
SECRET = "arn:aws:secretsmanager:us-east-2:123456789012:secret:openai-x1Y2z3"
PULL = "CannotPullContainerError: "
AUTH = "ResourceInitializationError: unable to pull secrets or registry auth: "
FETCH = f"{AUTH}execution resource retrieval failed: "
LOGGER = "ResourceInitializationError: failed to validate logger args: "
ASM = f"{FETCH}unable to retrieve secret from asm: service call has been retried 1 time(s): "
SSM = f"{FETCH}unable to retrieve secrets from ssm: service call has been retried 1 time(s): "
SESSION = "User: arn:aws:sts::123456789012:assumed-role/ecsTaskExecutionRole/0123456789abcdef0123456789abcdef"
NOT_STARTED = "TaskFailedToStart"
EXITED = "Essential container in task exited"
SICK = f"Task failed ELB health checks in (target-group {GROUP.arn})"


def definition(**container: Any) -> dict[str, Any]:
    """The task definition of revision 2."""
    options = {"awslogs-group": "/ecs/lobster-streamlit", "awslogs-region": "us-east-2"}
    app = {
        "name": "lobster-streamlit",
        "image": IMAGE,
        "portMappings": [{"containerPort": 8501}],
        "secrets": [
            {"name": "OPENAI_API_KEY", "valueFrom": SECRET},
            {"name": "NCBI", "valueFrom": "/app/ncbi"},
        ],
        "logConfiguration": {"logDriver": "awslogs", "options": options},
    }
    return {
        "executionRoleArn": ROLE,
        "taskRoleArn": APP_ROLE,
        "cpu": "512",
        "memory": "1024",
        "containerDefinitions": [app | container],
    }


def evidence(*failed: Task, **members: Any) -> Evidence:
    """Of a rollout that failed; the parts that a case is about are given."""
    plain = Evidence(
        Verdict("failed", "the deployment failed"),
        snapshot(service(deployment(2, NEW, rollout="FAILED")), tasks=failed),
        tag="4f2c1e9",
        failed=failed,
        definition=definition(),
        target_group={"HealthCheckPath": "/_stcore/health", "HealthCheckTimeoutSeconds": 4},
    )
    return replace(plain, **members)


def not_started(reason: str) -> Task:
    """A task that never ran."""
    return stopped("a", reason, stop_code=NOT_STARTED)


def ended(exit_code: int, *, reason: str = "") -> Task:
    """A task whose program ended."""
    container = Container("lobster-streamlit", "STOPPED", exit_code, reason)
    return stopped("a", EXITED, stop_code="EssentialContainerExited", containers=(container,))


def unhealthy(reason: str, description: str, **members: Any) -> Evidence:
    """A task that the load balancer found unhealthy."""
    sick = task("a")
    failed = stopped("a", SICK, stop_code="ServiceSchedulerInitiated")
    return evidence(failed, unhealthy=(target(sick, "unhealthy", reason, description),), **members)


def check(name: str, status: Any, saw: str = "it", fix: str | None = None, **more: Any) -> dict[str, Check]:
    """One of the doctor's checks."""
    return {name: Check(name, status, saw, fix, **more)}


STOP_REASONS = {
    "no such tag": (
        "image-not-found",
        f"{PULL}pull image manifest has been retried 5 time(s): failed to resolve ref {IMAGE}: {IMAGE}: not found",
        "The repository does not have homara:4f2c1e9.",
    ),
    "no such tag, older agent": (
        "image-not-found",
        f"{PULL}Error response from daemon: manifest for {IMAGE} not found: manifest unknown: "
        "Requested image not found",
        "homara:4f2c1e9",
    ),
    "no such repository": (
        "image-not-found",
        f"{PULL}pull image manifest has been retried 1 time(s): failed to resolve ref {IMAGE}: unexpected status code "
        "[manifests 4f2c1e9]: 404 Not Found: name unknown: The repository with name 'homara' does not exist in the "
        "registry with id '123456789012'",
        "homara:4f2c1e9",
    ),
    "another platform": (
        "image-platform",
        f"{PULL}image Manifest does not contain descriptor matching platform 'linux/amd64'",
        "linux/amd64",
    ),
    "no way to the layers": (
        "no-route-to-registry",
        f"{PULL}pull image manifest has been retried 5 time(s): failed to resolve ref {IMAGE}: failed to do request: "
        'Head "https://…/v2/homara/manifests/4f2c1e9": dial tcp 3.5.1.2:443: i/o timeout',
        "cannot reach ECR",
    ),
    "no way to the token": (
        "no-route-to-registry",
        f"{AUTH}The task cannot pull registry auth from Amazon ECR: There is a connection issue between the task and "
        "Amazon ECR. Check your task network configuration. operation error ECR: GetAuthorizationToken, exceeded "
        "maximum number of attempts, 3, https response error StatusCode: 0, RequestID: , request send failed, Post "
        '"https://api.ecr.us-east-2.amazonaws.com/": dial tcp 3.5.1.2:443: i/o timeout',
        "cannot reach ECR",
    ),
    "no way to Secrets Manager": (
        "no-route-to-registry",
        f"{AUTH}unable to retrieve secret from asm: There is a connection issue between the task and AWS Secrets "
        "Manager. Check your task network configuration. failed to fetch secret from AWS Secrets Manager: "
        "RequestCanceled: request context canceled caused by: context deadline exceeded",
        "cannot reach Secrets Manager",
    ),
    "no token": (
        "registry-denied",
        f"{FETCH}unable to retrieve ecr registry auth: service call has been retried 3 time(s): AccessDeniedException: "
        f"{SESSION} is not authorized to perform: ecr:GetAuthorizationToken on resource: * because no identity-based "
        "policy allows the ecr:GetAuthorizationToken action",
        "ecsTaskExecutionRole is not allowed to ecr:GetAuthorizationToken",
    ),
    "no layers": (
        "registry-denied",
        f"{PULL}ref pull has been retried 1 time(s): failed to copy: httpReadSeeker: failed open: unexpected status "
        "code https://…: 403 Forbidden",
        "403 Forbidden",
    ),
    "too many pulls": (
        "pull-rate-limit",
        f"{PULL}inspect image has been retried 5 time(s): httpReaderSeeker: failed open: unexpected status code "
        "https://registry/…: 429 Too Many Requests - toomanyrequests: You have reached your pull rate limit",
        "refuses further pulls",
    ),
    "a secret may not be read": (
        "secret-not-readable",
        f"{ASM}failed to fetch secret {SECRET} from secrets manager: AccessDeniedException: {SESSION} is not "
        f"authorized to perform: secretsmanager:GetSecretValue on resource: {SECRET} because no identity-based policy "
        "allows the secretsmanager:GetSecretValue action",
        "is not allowed to read OPENAI_API_KEY",
    ),
    "a key may not be used": (
        "secret-not-readable",
        f"{ASM}failed to fetch secret {SECRET} from secrets manager: AccessDeniedException: Access to KMS "
        "is not allowed",
        "is not allowed to decrypt OPENAI_API_KEY",
    ),
    "a parameter may not be read": (
        "secret-not-readable",
        f"{SSM}operation error SSM: GetParameters, https response error StatusCode: 400, RequestID: 1, api error "
        f"AccessDeniedException: {SESSION} is not authorized to perform: ssm:GetParameters on resource: "
        "arn:aws:ssm:us-east-2:123456789012:parameter/app/ncbi because no identity-based policy allows it",
        "is not allowed to read NCBI",
    ),
    "a secret without a value": (
        "secret-not-found",
        f"{ASM}failed to fetch secret {SECRET} from secrets manager: ResourceNotFoundException: Secrets Manager can't "
        "find the specified secret value for staging label: AWSCURRENT",
        "The secret behind OPENAI_API_KEY has no value yet.",
    ),
    "no such secret": (
        "secret-not-found",
        f"{ASM}failed to fetch secret {SECRET} from secrets manager: ResourceNotFoundException: Secrets Manager can't "
        "find the specified secret.",
        "The secret behind OPENAI_API_KEY does not exist.",
    ),
    "no such parameter": (
        "secret-not-found",
        f"{SSM}invalid parameters: /app/ncbi",
        "The parameter of NCBI does not exist",
    ),
    "no such log group": (
        "log-group-missing",
        f"{LOGGER}create stream has been retried 1 times: failed to create Cloudwatch log stream: "
        "ResourceNotFoundException: The specified log group does not exist.",
        "There is no log group /ecs/lobster-streamlit in us-east-2.",
    ),
    "may not log": (
        "logs-denied",
        f"{LOGGER}create stream has been retried 1 times: failed to create Cloudwatch log stream: "
        f"AccessDeniedException: {SESSION} is not authorized to perform: logs:CreateLogStream on resource: "
        "arn:aws:logs:…",
        "is not allowed to logs:CreateLogStream",
    ),
    "may not log, in the words of the driver": (
        "logs-denied",
        "ResourceInitializationError: failed to initialize logging driver: failed to create Cloudwatch log stream: "
        f"AccessDeniedException: {SESSION} is not authorized to perform: logs:CreateLogStream on resource: "
        "arn:aws:logs:…",
        "is not allowed to logs:CreateLogStream",
    ),
    "no region to log to": (
        "log-options",
        f"{LOGGER}unable to get awslogs driver arguments: awslogs-region is required",
        "awslogs-region is required",
    ),
    "no such program": (
        "command-not-found",
        "CannotStartContainerError: ResourceInitializationError: failed to create new container runtime task: failed "
        "to create shim task: OCI runtime create failed: runc create failed: unable to start container process: exec: "
        '"streamlti": executable file not found in $PATH: unknown',
        "The image has no program streamlti.",
    ),
    "not a program of this machine": (
        "exec-format",
        "CannotStartContainerError: … unable to start container process: exec /app/run: exec format error",
        "exec format error",
    ),
    "not executable": (
        "cannot-start",
        'CannotStartContainerError: … unable to start container process: exec: "/app/run.sh": permission denied',
        "permission denied",
    ),
    "no room": (
        "no-capacity",
        "Capacity is unavailable at this time. Please try again later or in a different availability zone",
        "no room",
    ),
    "too many": (
        "quota",
        "You've reached the limit on the number of vCPUs you can run concurrently",
        "quota",
    ),
    "no address": (
        "no-addresses",
        "Unexpected EC2 error while attempting to Create Network Interface with public IP assignment enabled in subnet "
        "'subnet-1': InsufficientFreeAddressesInSubnet",
        "no free address",
    ),
}


@pytest.mark.parametrize(("code", "reason", "says"), STOP_REASONS.values(), ids=STOP_REASONS.keys())
def test_tasks_that_do_not_start(code: str, reason: str, says: str) -> None:
    [cause] = diagnose(evidence(not_started(reason)))
    assert (cause.code, says in cause.message) == (code, True), cause
    assert reason in cause.evidence[0]
    assert "inv deploy --tag 4f2c1e9" in cause.remedy


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("retrieved secret from Secrets Manager did not contain json key user", "has no JSON key user"),
        ("invalid character 'p' in literal true (expecting 'r')", "is not JSON, so it has no key user"),
        ("unexpected end of JSON input", "is not JSON, so it has no key user"),
    ],
)
def test_a_key_that_a_secret_does_not_have(text: str, says: str) -> None:
    keyed = definition(secrets=[{"name": "DB_USER", "valueFrom": f"{SECRET}:user::"}])
    [cause] = diagnose(evidence(not_started(ASM + text), definition=keyed))
    assert cause.code == "secret-key-missing"
    assert f"The secret behind DB_USER {says}." == cause.message


def test_a_log_group_of_another_region() -> None:
    options = {"awslogs-group": "/ecs/lobster-streamlit", "awslogs-region": "us-west-2"}
    elsewhere = definition(logConfiguration={"logDriver": "awslogs", "options": options})
    reason = STOP_REASONS["no such log group"][1]
    [cause] = diagnose(evidence(not_started(reason), definition=elsewhere))
    assert cause.code == "log-group-region"
    assert "in us-west-2" in cause.message


def test_what_the_newer_agent_says_of_logs_fits_two_causes() -> None:
    reason = (
        f"{LOGGER}The task cannot find the Amazon CloudWatch log group defined in the task definition. There is a "
        "connection issue between the task and Amazon CloudWatch. Check your network configuration. : signal: killed"
    )
    found = diagnose(evidence(not_started(reason)))
    assert [cause.code for cause in found] == ["log-group-missing", "no-route-to-registry"]
    assert "cannot reach CloudWatch" in found[1].message


EXITS = {
    "an error": (
        "exits",
        1,
        ["ValueError: no key"],
        "exit code 1, an error in the app; its last log line: Val",
    ),
    "by itself": ("exits", 0, ["done"], "exit code 0, normally"),
    "silent": ("exits", 3, [], "exit code 3; it wrote nothing"),
    "not executable": ("exits", 126, ["sh: 1: /app/run.sh: Permission denied"], "is not executable"),
    "killed": (
        "exits",
        137,
        ["listening on 8501"],
        "(SIGKILL): it was killed from outside, most often because of its memory",
    ),
    "crashed": ("exits", 139, ["Segmentation fault"], "(SIGSEGV): it crashed in native code"),
    "told to stop": ("exits", 143, [], "(SIGTERM): it received SIGTERM"),
    "bus error": ("exits", 135, [], "(SIGBUS): which ended it"),  # 7 on Linux, 10 on macOS
    "limit of a file's size": ("exits", 153, [], "(SIGXFSZ): which ended it"),
    "aborted": ("exits", 134, [], "(SIGABRT): which ended it"),
    "minus one": ("exits", 255, [], "exit code 255"),
    "not found": ("command-not-found", 127, ["sh: 1: streamlti: not found"], "no program streamlti"),
    "not found, bash": (
        "command-not-found",
        127,
        ["bash: line 1: streamlti: command not found"],
        "streamlti",
    ),
    "127 of its own": ("exits", 127, ["giving up with 127"], "the shell did not find the program"),
    "wrong machine": ("exec-format", 1, ["exec /usr/bin/python: exec format error"], "exec format error"),
    "a log that mentions another machine": (
        "exits",
        1,
        [
            "checked for exec format error: none",
            "checked for no space left on device: none",
            "ValueError: no model",
        ],
        "ValueError: no model",
    ),
    "wrong machine, 255": ("exec-format", 255, ["standard_init_linux.go: exec format error"], "exec format"),
}


@pytest.mark.parametrize(("code", "exit_code", "log", "says"), EXITS.values(), ids=EXITS.keys())
def test_programs_that_end(code: str, exit_code: int, log: list[str], says: str) -> None:
    [cause] = diagnose(evidence(ended(exit_code), log=tuple(log)))
    assert (cause.code, says in cause.message) == (code, True), cause
    assert f"exit code {exit_code}" in cause.evidence[0]
    assert [line.removeprefix("log: ") for line in cause.evidence if line.startswith("log: ")] == log


def test_the_error_counts_and_not_what_is_written_after_it() -> None:
    log = ("Traceback (most recent call last):", '  File "app.py", line 1', "ImportError: no pandas", "bye")
    [cause] = diagnose(evidence(ended(1), log=log))
    assert "its last log line: ImportError: no pandas." in cause.message


def test_a_long_line_is_cut() -> None:
    [cause] = diagnose(evidence(ended(1), log=("Error: " + "x" * 1000,)))
    assert cause.message.endswith("xxx….")
    assert len(cause.message) < 300


def test_what_has_the_shape_of_a_key_is_not_shown() -> None:
    key = "sk-proj-abcdefghijklmnopqrst"
    reason = (
        f'CannotStartContainerError: … unable to start container process: exec: "{key}": permission denied'
    )
    [cause] = diagnose(evidence(not_started(reason)))
    assert key not in f"{cause.message}{cause.evidence}"


@pytest.mark.parametrize(
    ("cpu", "memory", "more"),
    [
        ("512", "1024", "--set task.memory=2048"),
        ("512", "4096", "--set task.cpu=1024 --set task.memory=5120"),
        ("1024", "2048", "--set task.memory=3072"),
    ],
)
def test_out_of_memory(cpu: str, memory: str, more: str) -> None:
    killed = ended(137, reason="OutOfMemoryError: Container killed due to memory usage")
    sized = {**definition(), "cpu": cpu, "memory": memory}
    [cause] = diagnose(evidence(killed, definition=sized))
    assert cause.code == "out-of-memory"
    assert f"the {memory} MiB that the task has" in cause.message
    assert more in cause.remedy


def event(text: str) -> Evidence:
    """Nothing but an event tells."""
    return evidence(events=(f"(service s) {text}",))


ASSUME = (
    "service s failed to launch a task with (error ECS was unable to assume the role '{}' that was provided for this "
    "task. Please verify that the role being passed has the proper trust relationship and permissions and that your "
    "IAM user has permissions to pass this role.)."
)


UNTRUSTING = {"code": "not-assumable", "why": "it trusts nobody"}
ABSENT = {"code": "absent"}


@pytest.mark.parametrize(
    ("role", "saw", "found", "code", "says"),
    [
        (
            ROLE,
            "ecsTaskExecutionRole cannot be assumed by e: it trusts nobody",
            UNTRUSTING,
            "execution-role-not-assumable",
            "role ecsTaskExecutionRole: it trusts nobody.",
        ),
        (
            ROLE,
            "there is no role ecsTaskExecutionRole",
            ABSENT,
            "execution-role-not-assumable",
            "there is no role",
        ),
        (
            APP_ROLE,
            "there is no role ecsTaskRole",
            ABSENT,
            "task-role-missing",
            "there is no role ecsTaskRole",
        ),
        (
            APP_ROLE,
            "ecsTaskRole cannot be assumed by e: it trusts nobody",
            UNTRUSTING,
            "task-role-not-assumable",
            "role ecsTaskRole: it trusts nobody.",
        ),
        (APP_ROLE, "", {}, "task-role-missing", "cannot assume the task role ecsTaskRole"),
    ],
)
def test_roles(role: str, saw: str, found: dict[str, str], code: str, says: str) -> None:
    which = "roles.execution" if role == ROLE else "roles.task"
    made = check(which, "fail", saw, **found) if saw else {}
    [cause] = diagnose(evidence(events=(ASSUME.format(role),), checks=made))
    assert (cause.code, says in cause.message) == (code, True), cause
    assert cause.remedy == "inv create-iam-policies, then inv deploy --tag 4f2c1e9"


def test_a_role_that_the_definition_names_by_another_arn() -> None:
    why = f"the task definition names {ROLE}, but ecsTaskExecutionRole is another one"
    made = check("roles.execution", "fail", why, code="absent", why=why, fix="set task.execution_role")
    [cause] = diagnose(evidence(events=(ASSUME.format(ROLE),), checks=made))
    assert (cause.code, why in cause.message) == ("execution-role-not-assumable", True)
    assert cause.remedy == "set task.execution_role, then inv deploy --tag 4f2c1e9"


def test_a_role_of_a_moment_ago_may_still_become_known() -> None:
    new_roles = ("the role ecsTaskExecutionRole was made 12 s ago",)
    [cause] = diagnose(evidence(events=(ASSUME.format(ROLE),), new_roles=new_roles))
    assert "was made 12 s ago, and IAM takes up to a minute" in cause.message
    assert cause.heals


@pytest.mark.parametrize(
    ("text", "code"),
    [
        (
            "was unable to place a task. Reason: Capacity is unavailable at this time. Please try again later or in a "
            "different availability zone.",
            "no-capacity",
        ),
        (
            "was unable to place a task. Reason: You've reached the limit on the number of vCPUs you can run "
            "concurrently",
            "quota",
        ),
        (
            "was unable to stop or start tasks during a deployment because of the service deployment configuration. "
            "Update the minimumHealthyPercent or maximumPercent value and try again.",
            "deployment-percent",
        ),
        (f"was unable to place a task. Reason: {STOP_REASONS['no such tag'][1]}", "image-not-found"),
    ],
)
def test_what_only_an_event_tells(text: str, code: str) -> None:
    [cause] = diagnose(event(text))
    assert cause.code == code
    assert cause.evidence[0].startswith("event: (service s) ")


CODES_OF_CHECKS = {
    "404": ("health-path-status", "404", "GET /_stcore/health answers 404: the path does not exist."),
    "500": (
        "health-path-status",
        "500",
        "GET /_stcore/health answers 500: the app reports an error",
    ),
    "302": ("health-path-status", "302", "GET /_stcore/health answers 302: the path redirects."),
    "403": ("health-path-status", "403", "answers 403: the app denies access."),
}


@pytest.mark.parametrize(("code", "status", "says"), CODES_OF_CHECKS.values(), ids=CODES_OF_CHECKS.keys())
def test_statuses_of_the_health_path(code: str, status: str, says: str) -> None:
    description = f"Health checks failed with these codes: [{status}]"
    [cause] = diagnose(unhealthy("Target.ResponseCodeMismatch", description))
    assert (cause.code, says in cause.message) == (code, True), cause
    assert any(description in line for line in cause.evidence)
    assert cause.heals is (status == "500")


CRLF = check("dockerfile.start-scripts", "fail", "the lines of entry.sh end in CR LF", "dos2unix entry.sh")


@pytest.mark.parametrize(
    ("code", "line"),
    [
        (1, "exec ./entry.sh: no such file or directory"),
        (127, "env: 'bash\r': No such file or directory"),
        (126, "/bin/sh: ./entry.sh: /bin/bash^M: bad interpreter: No such file or directory"),
        (127, "entry.sh: line 2: $'\r': command not found"),
    ],
)
def test_a_start_script_with_the_line_ends_of_windows_is_the_cause(code: int, line: str) -> None:
    [cause] = diagnose(evidence(ended(code), log=(line,), checks=CRLF))
    assert cause.code == "command-not-found"
    assert "the lines of entry.sh end in CR LF" in cause.message
    assert cause.remedy.startswith("dos2unix entry.sh; then inv push-image")


def test_a_byte_order_mark_before_the_interpreter_is_the_cause() -> None:
    """The kernel answers ENOEXEC for what does not begin with ``#!`` (execve(2)), as for another machine's."""
    saw, fix = "entry.sh begins with a byte order mark", "dos2unix --remove-bom entry.sh"
    checks = check("dockerfile.start-scripts", "fail", saw, fix, code="byte-order-mark")
    [cause] = diagnose(evidence(ended(255), log=("exec /app/entry.sh: exec format error",), checks=checks))
    assert (cause.code, saw in cause.message) == ("exec-format", True)
    assert cause.remedy.startswith(f"{fix}; then inv push-image")
    [other] = diagnose(evidence(ended(255), log=("exec /app/entry.sh: exec format error",), checks=CRLF))
    assert "processor" in other.message


def test_what_ended_for_another_reason_is_not_blamed_on_line_ends() -> None:
    [cause] = diagnose(evidence(ended(3), log=("cannot connect to the database",), checks=CRLF))
    assert cause.code == "exits"


def test_the_remedy_of_a_path_that_is_not_there_names_the_one_that_answers() -> None:
    saw, fix = "the app is served at /tools/board", "set health_check.path: /tools/board/_stcore/health"
    description = "Health checks failed with these codes: [404]"
    checks = check("dockerfile.base-path", "fail", saw, fix)
    [cause] = diagnose(unhealthy("Target.ResponseCodeMismatch", description, checks=checks))
    assert saw in cause.message
    assert cause.remedy.startswith(f"{fix}; inv setup-application-load-balancer")


def test_behind_a_start_script_the_log_names_the_path_that_the_app_is_served_at() -> None:
    lines = ["  URL: http://0.0.0.0:8501/tools/board"]
    description = "Health checks failed with these codes: [404]"
    [cause] = diagnose(
        unhealthy("Target.ResponseCodeMismatch", description, listening_ports=listening_ports(lines))
    )
    assert "its log says that it is served at /tools/board" in cause.message
    assert "set health_check.path: /tools/board/_stcore/health, and probe.path and" in cause.remedy
    assert "; inv setup-application-load-balancer, then inv deploy" in cause.remedy


@pytest.mark.parametrize("line", ["  URL: http://0.0.0.0:8501/_stcore", "  URL: http://0.0.0.0:9000/other"])
def test_a_path_in_the_log_that_the_check_is_below_or_of_another_port_is_not_the_reason(line: str) -> None:
    description = "Health checks failed with these codes: [404]"
    [cause] = diagnose(
        unhealthy("Target.ResponseCodeMismatch", description, listening_ports=listening_ports([line]))
    )
    assert cause.remedy.startswith("set health_check.path to what the app answers with 200")


def test_a_port_that_another_program_has_is_not_called_the_app_s() -> None:
    line = "Successfully started service 'SparkUI' on port 4040."
    found = diagnose(unhealthy(*REFUSED, log=(line,), listening_ports=listening_ports([line])))
    assert not any("4040" in f"{cause.message}{cause.remedy}" for cause in found)
    assert any(cause.heals for cause in found)


REFUSED = ("Target.FailedHealthChecks", "Health checks failed")


@pytest.mark.parametrize(
    ("lines", "members", "codes", "says", "grace"),
    [
        (
            ["loading", "listening on 8501"],
            {"listened_after": 200.0},
            ["slow-start"],
            "200 s after its start",
            300,
        ),
        (["listening on 8501"], {"listened_after": 50.0}, ["bound-to-loopback"], "takes no connections", 0),
        (["listening on 8501"], {"listened_after": 58.0}, ["slow-start"], "count from 60 s on", 120),
        (
            ["loading"],
            {"lived": 200.0},
            ["slow-start", "wrong-port"],
            "does not say yet that it listens",
            300,
        ),
        (
            [],
            {"lived": 200.0},
            ["wrong-port", "bound-to-loopback"],
            "its log does not say where it listens",
            0,
        ),
        (
            ["URL: http://127.0.0.1:8501"],
            {"listened_after": 200.0},
            ["bound-to-loopback"],
            "127.0.0.1 only",
            0,
        ),
        (["listening on 9000"], {"lived": 200.0}, ["wrong-port"], "listens on port 9000", 0),
    ],
)
def test_an_app_that_is_not_up_yet(
    lines: list[str], members: dict[str, Any], codes: list[str], says: str, grace: int
) -> None:
    checked = {"HealthCheckPath": "/", "HealthCheckIntervalSeconds": 5, "HealthyThresholdCount": 2}
    known = {
        "log": tuple(lines),
        "listening_ports": listening_ports(lines),
        "target_group": checked,
        **members,
    }
    plain = unhealthy("Target.FailedHealthChecks", "Health checks failed", **known)
    seen = replace(plain, last=replace(plain.last, service=replace(plain.last.service, grace=60)))
    found = diagnose(seen)
    assert [cause.code for cause in found] == codes
    assert says in found[0].message
    assert not grace or f"health_check.grace_period: {grace};" in found[0].remedy


@pytest.mark.parametrize(
    ("lines", "codes", "says"),
    [
        (
            ["Uvicorn running on http://0.0.0.0:8000"],
            ["wrong-port"],
            "The app listens on port 8000; the container's",
        ),
        (["listening on 9000"], ["wrong-port"], "listens on port 9000"),
        (["  URL: http://127.0.0.1:8501"], ["bound-to-loopback"], "The app listens on 127.0.0.1 only"),
        (["Uvicorn running on http://127.0.0.1:8501"], ["bound-to-loopback"], "127.0.0.1"),
        (["listening on 8501"], ["bound-to-loopback"], "takes no connections from outside"),
        (["metrics listening on 9090", "  URL: http://127.0.0.1:8501"], ["bound-to-loopback"], "127.0.0.1"),
        (["starting"], ["slow-start", "wrong-port"], "its log does not say yet that it listens"),
        (
            ['is the server running on host "db" and accepting TCP/IP connections on port 5432?'],
            ["slow-start", "wrong-port"],
            "its log does not say yet that it listens",
        ),
        ([], ["wrong-port", "bound-to-loopback"], "Nothing accepts connections on port 8501"),
    ],
)
def test_connections_that_are_refused(lines: list[str], codes: list[str], says: str) -> None:
    found = diagnose(unhealthy(*REFUSED, log=tuple(lines), listening_ports=listening_ports(lines)))
    assert [cause.code for cause in found] == codes
    assert says in found[0].message


@pytest.mark.parametrize(
    ("line", "how"),
    [
        ("Uvicorn running on http://127.0.0.1:8501", "uvicorn --host 0.0.0.0"),
        ("[INFO] Listening at: http://127.0.0.1:8501 (7)", "gunicorn --bind 0.0.0.0:8501"),
        ("  URL: http://127.0.0.1:8501", "--server.address=0.0.0.0"),
    ],
)
def test_the_remedy_is_in_the_words_of_the_server(line: str, how: str) -> None:
    [cause] = diagnose(unhealthy(*REFUSED, listening_ports=listening_ports([line])))
    assert how in cause.remedy


# An address that the load balancer reaches, as servers announce it, in HTTP
REACHED = [
    ["INFO:     Uvicorn running on http://0.0.0.0:8501 (Press CTRL+C to quit)"],
    ["Uvicorn running on http://[::]:8501"],
    ["[INFO] Listening at: http://0.0.0.0:8501 (7)"],
    ["  Local URL: http://localhost:8501", "  Network URL: http://10.0.0.5:8501"],
    [" * Running on http://127.0.0.1:8501", " * Running on http://10.0.0.5:8501"],
    ["ready - started server on 0.0.0.0:8501, url: http://localhost:8501"],
]


@pytest.mark.parametrize("lines", REACHED, ids=lambda lines: lines[-1])
def test_an_address_that_is_reached_is_not_loopback(lines: list[str]) -> None:
    """TargetHealth, Reason, Target.FailedHealthChecks: "The load balancer received an error while establishing a
    connection to the target or the target response was malformed." """
    [cause] = diagnose(unhealthy(*REFUSED, log=tuple(lines), listening_ports=listening_ports(lines)))
    assert cause.code == "target-group-mismatch"
    assert "port 8501, and does not answer GET /_stcore/health in HTTP" in cause.message
    assert cause.heals


BY_TLS = {
    "uvicorn": ("INFO:     Uvicorn running on https://0.0.0.0:8501 (Press CTRL+C to quit)", "--ssl-keyfile"),
    "gunicorn": ("[7] [INFO] Listening at: https://0.0.0.0:8501 (7)", "--keyfile and --certfile"),
    "hypercorn": ("[7] [INFO] Running on https://0.0.0.0:8501 (CTRL + C to quit)", "without TLS"),
    "Streamlit": ("  URL: https://0.0.0.0:8501", "server.sslCertFile"),
    "Streamlit without an address": ("  Local URL: https://localhost:8501", "server.sslCertFile"),
    "Werkzeug": (" * Running on https://10.0.0.5:8501", "without TLS"),
    "Node": ("HTTPS server listening on port 8501", "without TLS"),
    "Gin": ("[GIN-debug] Listening and serving HTTPS on :8501", "without TLS"),
    "Puma": ("* Listening on ssl://0.0.0.0:8501?cert=/c", "without TLS"),
    "ASP.NET": ("Now listening on: https://[::]:8501", "without TLS"),
    "Tomcat": ("Tomcat started on port 8501 (https) with context path ''", "without TLS"),
    "Jetty": ("Started ServerConnector@1b2c{SSL, (ssl, http/1.1)}{0.0.0.0:8501}", "without TLS"),
    "Next.js": ("   - Local:        https://localhost:8501", "without TLS"),
}


@pytest.mark.parametrize(("line", "how"), BY_TLS.values(), ids=BY_TLS.keys())
@pytest.mark.parametrize(
    "answer",
    [REFUSED, ("Target.ResponseCodeMismatch", "Health checks failed with these codes: [400]")],
    ids=["closes", "answers 400"],
)
def test_an_app_that_expects_tls_is_told_from_one_on_loopback(
    line: str, how: str, answer: tuple[str, str]
) -> None:
    """Some servers close a connection that does not begin with a handshake, some answer 400 (nginx, page of its status
    497: "The plain HTTP request was sent to HTTPS port")."""
    [cause] = diagnose(unhealthy(*answer, log=(line,), listening_ports=listening_ports([line])))
    assert cause.code == "target-group-mismatch"
    assert cause.message.startswith("The app speaks HTTPS on port 8501, and the target group HTTP")
    assert how in cause.remedy
    assert not cause.heals


def test_tls_with_a_target_group_that_speaks_it_is_no_mismatch_and_http_is_one() -> None:
    over = {"HealthCheckPath": "/", "Protocol": "HTTPS"}
    said = "Uvicorn running on {}://0.0.0.0:8501"
    tls, plain = (listening_ports([said.format(scheme)]) for scheme in ("https", "http"))
    [fits] = diagnose(unhealthy(*REFUSED, listening_ports=tls, target_group=over))
    assert "does not answer GET / in HTTPS" in fits.message
    [does_not] = diagnose(unhealthy(*REFUSED, listening_ports=plain, target_group=over))
    assert "speaks HTTP on port 8501, and the target group HTTPS" in does_not.message


def test_a_url_of_a_domain_says_nothing_of_the_app_s_own_protocol() -> None:
    line = "Server is running at https://app.example.com:8501"
    [cause] = diagnose(unhealthy(*REFUSED, listening_ports=listening_ports([line])))
    assert "HTTPS" not in cause.message


def test_an_app_on_loopback_is_that_also_with_tls() -> None:
    line = "Uvicorn running on https://127.0.0.1:8501"
    [cause] = diagnose(unhealthy(*REFUSED, listening_ports=listening_ports([line])))
    assert cause.code == "bound-to-loopback"


TIMEOUT = ("Target.Timeout", "Request timed out")
OPEN = {**check("security.tasks", "pass"), **check("security.load-balancer-out", "pass")}


@pytest.mark.parametrize(
    ("checks", "codes"),
    [
        (OPEN, ["health-check-timeout"]),
        ({**OPEN, **check("security.tasks", "fail", "lets nothing in")}, ["security-group-blocks"]),
        (
            {**OPEN, **check("security.load-balancer-out", "fail", "lets nothing out")},
            ["security-group-blocks"],
        ),
        (
            {
                **OPEN,
                **check("security.tasks", "warn", "lets tcp 8501 in from anywhere", code="open-to-anywhere"),
            },
            ["health-check-timeout"],
        ),
        (
            {**OPEN, **check("security.tasks", "warn", "lets tcp 8501 in from 10.0.0.0/8 only")},
            ["health-check-timeout", "security-group-blocks"],
        ),
        (
            {**OPEN, **check("security.tasks", "skip", "AccessDenied")},
            ["health-check-timeout", "security-group-blocks"],
        ),
        ({}, ["health-check-timeout", "security-group-blocks"]),
    ],
    ids=[
        "open",
        "closed in",
        "closed out",
        "open to all",
        "open to some",
        "not allowed to look",
        "not looked",
    ],
)
def test_health_checks_that_time_out(checks: dict[str, Check], codes: list[str]) -> None:
    found = diagnose(unhealthy(*TIMEOUT, checks=checks))
    assert [cause.code for cause in found] == codes


def test_a_target_that_is_gone_is_known_from_its_event() -> None:
    """The target of a task that was stopped is no longer described."""
    told = (
        f"(service s) (task x) (port 8501) is unhealthy in (target-group {GROUP.arn}) due to (reason Health checks "
        "failed with these codes: [404]).",
    )
    failed = stopped("a", SICK, stop_code="ServiceSchedulerInitiated")
    [cause] = diagnose(evidence(failed, events=told))
    assert cause.code == "health-path-status"


def test_a_target_that_nothing_is_sent_to() -> None:
    failed = check("load-balancer.listener", "fail", "HTTP:80 does not forward to lobster-tg")
    why = "Target group is not configured to receive traffic from the load balancer"
    [cause] = diagnose(unhealthy("Target.NotInUse", why, checks=failed))
    assert cause.code == "target-not-in-use"
    assert "HTTP:80 does not forward" in cause.message


def test_unhealthy_after_it_was_healthy() -> None:
    [cause] = diagnose(unhealthy(*TIMEOUT, were_healthy=True))
    assert cause.code == "unhealthy-later"
    assert "Request timed out" in cause.message


def test_the_container_s_own_check() -> None:
    command = {"command": ["CMD-SHELL", "curl -f http://127.0.0.1:8501/"]}
    failed = stopped("a", "Task failed container health checks", stop_code="ServiceSchedulerInitiated")
    [cause] = diagnose(evidence(failed, definition=definition(healthCheck=command)))
    assert cause.code == "container-health-check"
    assert "a slim image has no curl" in cause.message


@pytest.mark.parametrize(
    ("stop_code", "reason", "code"),
    [
        ("SpotInterruption", "Your Spot Task was interrupted.", "spot-interrupted"),
        ("UserInitiated", "Task stopped by user", "stopped-by-user"),
        ("UserInitiated", "make room", "stopped-by-user"),
    ],
)
def test_incidents(stop_code: str, reason: str, code: str) -> None:
    [cause] = diagnose(evidence(stopped("a", reason, stop_code=stop_code)))
    assert cause.code == code


def test_an_incident_is_not_why_the_others_failed() -> None:
    by_hand = stopped("a", "Task stopped by user", stop_code="UserInitiated")
    more = stopped("b", "Task stopped by user", stop_code="UserInitiated")
    [cause] = diagnose(evidence(by_hand, more, replace(ended(1), arn="arn:…/c")))
    assert cause.code == "exits"


def test_the_commonest_failure_counts() -> None:
    odd = not_started(STOP_REASONS["no such tag"][1])
    [cause] = diagnose(evidence(odd, replace(ended(1), arn="…/b"), replace(ended(1), arn="…/c")))
    assert cause.code == "exits"
    assert "2 tasks stopped, EssentialContainerExited, same reason: " in cause.evidence[0]
    assert "CannotPullContainerError" in cause.evidence[1]


def test_failures_are_the_same_whatever_the_task() -> None:
    denied = [
        STOP_REASONS["no token"][1].replace("0123456789abcdef" * 2, f"{letter * 32}") for letter in "ab"
    ]
    tasks = [replace(not_started(reason), arn=reason) for reason in denied]
    assert [len(each.tasks) for each in failures(tasks)] == [2]


@pytest.mark.parametrize(
    ("verdict", "service_now", "code"),
    [
        (Verdict("superseded", "deployment ecs-svc/3 of revision 3 took its place"), service(), "superseded"),
        (Verdict("failed", "the service is DRAINING"), service(status="DRAINING"), "service-gone"),
        (Verdict("failed", "the service's desired count is 0"), service(desired=0), "scaled-to-zero"),
        (Verdict("moving", "0 of 1 running"), service(), "out-of-time"),
        (Verdict("failed", *["Stop was requested by the user."] * 2), service(), "stopped-by-user"),
        (Verdict("failed", "the deployment failed"), service(), "unknown"),
    ],
)
def test_where_nothing_else_tells(verdict: Verdict, service_now: Any, code: str) -> None:
    [cause] = diagnose(evidence(verdict=verdict, last=snapshot(service_now)))
    assert cause.code == code


def test_a_failure_is_named_though_the_time_was_up() -> None:
    [cause] = diagnose(evidence(ended(1), verdict=Verdict("moving", "0 of 1 running")))
    assert cause.code == "exits"


def test_whoever_was_superseded_hears_of_that_and_not_of_failures() -> None:
    verdict = Verdict("superseded", "deployment ecs-svc/3 of revision 3 took its place")
    [cause] = diagnose(evidence(ended(1), verdict=verdict))
    assert cause.code == "superseded"
    assert cause.message == "Deployment ecs-svc/3 of revision 3 took its place."


def test_all_that_was_seen_is_shown() -> None:
    seen = unhealthy(
        *TIMEOUT,
        log=("one", "two"),
        checks={**OPEN, **check("security.tasks", "fail", "lets nothing in")},
        changed=("revision 2: cpu 512 → 256",),
        gaps=("the revision before (AccessDeniedException: no)",),
        events=("(service s) is unable to consistently start tasks successfully.",),
    )
    [cause] = diagnose(seen)
    ip = seen.unhealthy[0].ip
    assert cause.evidence == (
        f"task aaaa… stopped, ServiceSchedulerInitiated: {SICK}",
        f"target {ip}:8501 unhealthy (Target.Timeout: Request timed out)",
        "event: (service s) is unable to consistently start tasks successfully.",
        "security.tasks: lets nothing in",
        "log: one",
        "log: two",
        "not read: the revision before (AccessDeniedException: no)",
    )
    assert cause.changed == ("revision 2: cpu 512 → 256",)
    assert report.cause_json(cause)["evidence"] == [*cause.evidence, "changed: revision 2: cpu 512 → 256"]


def test_an_event_that_repeats_a_stop_reason_is_left_out() -> None:
    reason = STOP_REASONS["no such tag"][1]
    told = (f"(service s) was unable to place a task. Reason: {reason}",)
    [cause] = diagnose(evidence(not_started(reason), events=told))
    assert len(cause.evidence) == 1


@pytest.mark.parametrize(
    ("seen", "heals"),
    [
        (evidence(not_started(STOP_REASONS["no such tag"][1])), False),
        (evidence(not_started(STOP_REASONS["a secret may not be read"][1])), False),
        (
            evidence(
                not_started(STOP_REASONS["a secret may not be read"][1]), new_roles=("the role r was made",)
            ),
            True,
        ),
        (evidence(not_started(STOP_REASONS["no room"][1])), True),
        (evidence(not_started(STOP_REASONS["no way to the token"][1])), True),
        (
            evidence(
                not_started(STOP_REASONS["no way to the token"][1]),
                checks=check("network.routes", "fail", "no way out"),
            ),
            False,
        ),
        (evidence(ended(1), log=("waiting for the database",)), True),
        (evidence(ended(1), log=("ModuleNotFoundError: No module named 'pandas'",)), False),
        (evidence(ended(127)), False),
        (evidence(ended(126)), False),
        (evidence(ended(139)), True),
    ],
)
def test_what_heals_by_waiting(seen: Evidence, heals: bool) -> None:
    assert [cause.heals for cause in diagnose(seen)] == [heals]


def test_every_code_is_in_the_list() -> None:
    unhealed = (Heals.NEVER, Heals.WHEN_THERE, Heals.WHEN_ALLOWED)
    assert set(CODES) >= {code for code, record in RECORDS.items() if record.heals in unhealed}
    for reason in STOP_REASONS.values():
        assert reason[0] in CODES
