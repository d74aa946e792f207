"""Explains tasks that do not start: image, network, permissions, secrets, logs, roles, capacity. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, replace

from ...definition import container_of, log_groups, secrets
from ...doctor import Check
from ...settings import FARGATE_MEMORY
from ...templates import OWN_DEFINITION
from ..cause_code import CauseCode
from ..observation.aws_words import (
    EC2_ANSWERS,
    NETWORK_MISSING,
    SERVER_ERROR,
    first_match,
    reason_in,
    without_wrapping,
)
from ..observation.snapshot import Task
from .culprit import culprit
from .evidence import Evidence
from .registries import DOCKER_HUB, Image, foreign_image, owner_of, push_again

_ROLES = "inv create-iam-policies"
_GROUPS = "security.tasks-out"
_REACHABLE = "set network.public: true, or name subnets with a route to the internet"
_DISK_GIB = 20  # Fargate's default without ephemeralStorage
_SHOWN = 200
_MISSING = re.compile(NETWORK_MISSING)
# containerd, oci.WithUser: "no users found", and the file that it reads.
_NO_USER = re.compile(r"no users found|(?:cannot|unable to) find user|/etc/passwd")
_NOT_ALLOWED = "UnauthorizedOperation|OperationNotPermitted|AccessDenied|TagPolicyViolation"
# Service Quotas: what AWS's words are about, the service, and the quota's code and name.
_QUOTAS = (
    (re.compile(r"[Ss]pot"), "fargate", "L-36FBB829", "Fargate Spot"),
    (re.compile(r"vCPUs|number of tasks|(CPU|MEMORY) configuration"), "fargate", "L-3032A538", "Fargate"),
    (
        re.compile(r"NetworkInterfaceLimitExceeded|network interfaces"),
        "vpc",
        "L-DF5E4CA3",
        "network interface",
    ),
)


@dataclass(frozen=True)
class Case:
    """One failure: AWS's message (``text``) and the tasks that failed with it, empty where none was created."""

    code: str
    text: str
    tasks: tuple[Task, ...] = ()


@dataclass(frozen=True)
class Finding:
    """The problem and its remedy; ``heals`` says whether waiting may help, None where the code decides."""

    code: str
    message: str
    remedy: str
    heals: bool | None = None


def said(message: str, remedy: str) -> Callable[[Evidence, Case], Finding]:
    """An explanation with these texts.

    ``{said}`` stands for AWS's message, ``{role}`` for the execution role, ``{tag}`` for the tag to deploy again,
    ``{again}`` for the command that does, ``{definition}`` for the task definition's file.
    """

    def explain(evidence: Evidence, case: Case) -> Finding:
        words = {
            "said": said_by_aws(case.text),
            "role": _role(evidence),
            "tag": evidence.tag,
            "again": evidence.again,
            "definition": OWN_DEFINITION,
        }
        return Finding(case.code, message.format(**words), remedy.format(**words))

    return explain


def image_not_found(evidence: Evidence, case: Case) -> Finding:
    """Explain which image is missing, and how to push it."""
    image = first_match(
        r"(?:resolve ref|manifest for|pull access denied for) (\S{1,500}?)[:,]? ", f"{case.text} "
    )
    of, other = owner_of(evidence, case.text), foreign_image(evidence, case.text)
    named, push = image.rpartition("/")[2] or "the image", push_again(evidence, case.text)
    if case.text.startswith("CannotPull") and "repository" in case.text and "does not exist" in case.text:
        of = f"{of}, or its repository" if of else " or its repository"
    where = other.registry if other else "The repository"
    step = f"{push}; then" if other or owner_of(evidence, case.text) else f"{push}, then"
    return Finding(case.code, f"{where} does not have {named}{of}.", f"{step} {evidence.again}")


def image_platform(evidence: Evidence, case: Case) -> Finding:
    """Explain for which platform the image has no variant."""
    platform = first_match(r"platform '?([\w/]{1,100})", case.text) or "the task's platform"
    of, push = owner_of(evidence, case.text), push_again(evidence, case.text)
    builds = "" if of else " (it builds for task.architecture)"
    return Finding(
        case.code,
        f"The image{of} has no variant for {platform}, the task's platform.",
        f"{push}{builds}, then {evidence.again}",
    )


def image_format(evidence: Evidence, case: Case) -> Finding:
    """Explain which media type is unsupported, where the agent reports it."""
    kind = first_match(r"stream processor for ([\w.+/-]{1,200}\w)", case.text)
    kind = kind or first_match(r"media[- ]?[tT]ype:? \"?([\w.+/-]{1,200}\w)", case.text)
    of, push = owner_of(evidence, case.text), push_again(evidence, case.text)
    return Finding(
        case.code,
        f"Fargate does not support a layer of the image{of}{f', of the media type {kind}' if kind else ''}.",
        f"{push} (with docker buildx: --provenance=false --sbom=false), then {evidence.again}",
    )


def cannot_pull(evidence: Evidence, case: Case) -> Finding:
    """Explain, in AWS's words, why an image cannot be pulled; and what in the image is wrong, where that is known."""
    of, push = owner_of(evidence, case.text), push_again(evidence, case.text)
    step = "fix what the message says (inv validate-fargate-setup checks the setup)"
    pushes = push if of else f"{push} pushes the image again"
    said = _after_class(case.text)
    if "diffIDs" in said or "mismatched image rootfs" in said:
        step = f"{pushes} (other builders: all layers with one compression, no attestations)"
    elif re.search(r"failed to extract layer .{1,300}zstd", case.text):
        gzip = "docker buildx: --output type=registry,compression=gzip,force-compression=true"
        step = f"{push} with layers of gzip ({gzip})"
    elif "content digest" in said:
        step = pushes
    elif "Lchown" in said:
        said = f"a file in the image has an owner whose number is too high ({said})"
        step = f"give the files another owner in the Dockerfile (COPY --chown, or chown), then {push}"
    return Finding(
        case.code,
        f"The image{of} cannot be pulled: {without_wrapping(said)}.",
        f"{step}; then {evidence.again}",
    )


def pull_rate_limit(evidence: Evidence, case: Case) -> Finding:
    """Explain which registry refuses further pulls: of the app's image, or of another container's."""
    other, of = foreign_image(evidence, case.text), owner_of(evidence, case.text)
    step = f"keep a copy in ECR: inv push-image --tag {evidence.tag}, then {evidence.again}"
    if other or of:
        also = ", or log in with repositoryCredentials" if other and other.registry == DOCKER_HUB else ""
        step = f"keep a copy of the image{of} in ECR and name that in {OWN_DEFINITION}{also}; then {evidence.again}"
    return Finding(
        case.code, f"{other.registry if other else 'The registry'} refuses further pulls for now.", step
    )


def disk_full(evidence: Evidence, case: Case | None = None) -> Finding:
    """Explain a full disk, whether images or a program filled it."""
    given = (evidence.definition.get("ephemeralStorage") or {}).get("sizeInGiB", _DISK_GIB)
    is_cut = case is not None and not re.search(r"space|Thin Pool", case.text)
    return Finding(
        CauseCode.DISK_FULL,
        f"The image cannot be pulled: a layer could not be written, most often because the task's disk of {given} GiB "
        "is full; AWS's message is cut off."
        if is_cut
        else f"The task's disk of {given} GiB is full: no space left on device.",
        f'make the image smaller, or set "ephemeralStorage": {{"sizeInGiB": N}} (21 to 200) in {OWN_DEFINITION}; '
        f"then {evidence.again}",
        heals=True if is_cut else None,
    )


def platform_error(evidence: Evidence, case: Case) -> Finding:
    """Explain a failure of AWS itself, or of a registry."""
    answer = first_match(rf"({SERVER_ERROR})", case.text)
    said = f"AWS's own agent or runtime failed: {_after_class(case.text)}"
    other = foreign_image(evidence, case.text) if answer else None
    whose = other.registry if other else "The registry"
    said = f"{whose} has an error: it answers {answer}" if answer else said
    where = f"the status page of {other.registry}" if other else "health.aws.amazon.com"
    return Finding(
        case.code,
        f"{said}.",
        f"wait: ECS retries; if the error stays, check {where}, then {evidence.again}",
    )


def network_interface(evidence: Evidence, case: Case) -> Finding:
    """Explain EC2's failure to attach a network interface."""
    said = "it was not ready in time" if "Timeout waiting" in case.text else _after_class(case.text)
    if missing := _MISSING.search(case.text):
        mend = f"name existing ones in network.subnets; inv create-fargate-service, then {evidence.again}"
        if missing["group"]:
            mend = f"inv create-security-groups and inv create-fargate-service, then {evidence.again}"
        why = missing[0] if "does not exist" in missing[0] else said
        return Finding(
            case.code, f"EC2 did not create the task's network interface: {why}.", mend, heals=False
        )
    if re.search(rf"{EC2_ANSWERS}(?:{_NOT_ALLOWED})", case.text):
        return Finding(
            case.code,
            f"EC2 did not give the task its network interface: {said}.",
            "ECS asks EC2 as its service-linked role: see that there is one (aws iam get-role --role-name "
            "AWSServiceRoleForECS), that the subnets are this account's or still shared with it, and that no tag "
            f"policy forbids the tags of the task; then {evidence.again}",
        )
    return Finding(
        case.code,
        f"EC2 did not create the task's network interface: {said}.",
        f"wait: ECS tries again; if it happens again, check the subnets' free addresses and the account's tag and "
        f"service control policies, then {evidence.again}",
    )


def targets_refused(evidence: Evidence, case: Case) -> Finding:
    """Explain why a target group does not take the tasks, in AWS's words."""
    said = first_match(r"with \(error (.{1,1000})\)", case.text) or _after_class(case.text)
    return Finding(
        case.code,
        f"The target group does not accept the tasks: {said}.",
        f"name subnets of the load balancer's VPC in network.subnets; inv setup-fargate, then {evidence.again}",
    )


def target_missing(evidence: Evidence, case: Case) -> Finding:
    """Explain whether the target group or a target is missing."""
    is_gone = "GROUP IS NOT" in case.text or "to register targets" in case.text
    what = "The target group is gone" if is_gone else "A task is not registered as a target"
    return Finding(case.code, f"{what}.", f"inv setup-fargate, then {evidence.again}")


def said_by_aws(text: str, longest: int = _SHOWN) -> str:
    """AWS's message: the reason in an event, or a stop reason without the error class at its start."""
    return _after_class(reason_in(text) or text, longest)


def _after_class(text: str, longest: int = _SHOWN) -> str:
    said = re.sub(r"^\w{1,100}?(Error|Exception): ", "", text).strip()
    return (said if len(said) <= longest else f"{said[:longest]}…").rstrip(".")


def no_route(evidence: Evidence, case: Case) -> Finding:
    """Explain which endpoint the task cannot reach, with the results of the network checks."""
    whom = first_match(r"between the task and (?:Amazon |AWS )?([\w ]{1,200}?)\.", case.text)
    other = foreign_image(evidence, case.text)
    whom = other.registry if other else whom or _reached_for(case.text)
    if dropped := evidence.failed_checks("network.public-access"):
        return Finding(
            CauseCode.PUBLIC_ACCESS_BLOCKED,
            f"{dropped[0].saw}.",
            f"{dropped[0].fix}; then {evidence.again}",
            False,
        )
    wrong = evidence.failed_checks("network.routes", "network.public-address", _GROUPS)
    said = f": {wrong[0].saw}" if wrong else ""
    fix = wrong[0].fix if wrong else None
    is_command = fix and wrong[0].id == _GROUPS
    apply = fix if is_command else f"{fix or _REACHABLE}; inv create-fargate-service"
    return Finding(case.code, f"The task cannot reach {whom}{said}.", f"{apply}, then {evidence.again}")


def _reached_for(text: str) -> str:
    if "from asm" in text or "from AWS Secrets Manager" in text:
        return "Secrets Manager"
    if "env files" in text:
        return "S3"
    if "from ssm" in text or "Parameter Store" in text:
        return "Systems Manager"
    return "CloudWatch Logs" if "logger args" in text or "logging driver" in text else "ECR"


def registry_denied(evidence: Evidence, case: Case) -> Finding:
    """Explain which ECR action is denied; or that another registry, which no role opens, does not let the task in."""
    action = first_match(r"perform: (ecr:\w{1,100})", case.text)
    other = None if action or "ecr registry auth" in case.text else foreign_image(evidence, case.text)
    answer = _answer(case.text)
    if other:
        return _not_let_in(evidence, other, answer)
    return Finding(
        case.code,
        f"The execution role {_role(evidence)} is not allowed to {action or f'pull the image{answer}'}.",
        f"{_ROLES}, then {evidence.again}",
    )


def _answer(text: str) -> str:
    """The registry's answer in brackets, if the message has one."""
    found = first_match(r"\b(40[13] (?:Unauthorized|Forbidden))", text) or first_match(
        r"(authentication required|no basic auth credentials|pull access denied|access (?:to \w{1,20} )?is denied)",
        text,
    )
    return f" ({found})" if found else ""


def _not_let_in(evidence: Evidence, image: Image, answer: str) -> Finding:
    of = evidence.others(image.container) if image.container else ""
    form = '{"username": "…", "password": "…"}'
    step = (
        f"make the image public, or set repositoryCredentials{of} in {OWN_DEFINITION} (the ARN of a secret {form}) and "
        f"{_ROLES}; or keep a copy in ECR and name that"
    )
    if image.credentials:
        step = (
            f"aws secretsmanager put-secret-value --secret-id {image.credentials} --secret-string … (as {form}) with a "
            "user that may pull the image"
        )
    return Finding(
        CauseCode.REGISTRY_CREDENTIALS,
        f"{image.registry} does not let the task pull {image.name}{of}{answer}.",
        f"{step}; then {evidence.again}",
        heals=False,
    )


def secret_not_found(evidence: Evidence, case: Case) -> Finding:
    """Explain which secret or parameter is missing, or has no value."""
    name, source = _secret(evidence, case.text)
    if ":secretsmanager:" in source:
        arn = ":".join(source.split(":")[:7])
        if "InvalidRequestException" in case.text or "for deletion" in case.text:
            step = f"aws secretsmanager restore-secret --secret-id {arn}, or correct {_place(evidence, name)}"
            return Finding(
                case.code,
                f"The secret behind {name} is scheduled for deletion.",
                f"{step}; then {evidence.again}",
            )
        is_empty = "staging label" in case.text
        lacks = "has no value yet" if is_empty else "does not exist"
        put = f"aws secretsmanager put-secret-value --secret-id {arn} --secret-string …"
        if not is_empty:
            put = f"create it (aws secretsmanager create-secret), or correct {_place(evidence, name)}"
        return Finding(case.code, f"The secret behind {name} {lacks}.", f"{put}, then {evidence.again}")
    put = f"aws ssm put-parameter --type SecureString --name {source or 'NAME'} --value …"
    return Finding(case.code, f"The parameter of {name} does not exist.", f"{put}, then {evidence.again}")


def secret_not_readable(evidence: Evidence, case: Case) -> Finding:
    """Explain which secret cannot be read, and whether its KMS key is the reason."""
    name, source = _secret(evidence, case.text)
    if "DecryptionFailure" in case.text or "InvalidKeyId" in case.text:
        return Finding(
            case.code,
            f"{name} cannot be decrypted: its KMS key is disabled or deleted, or the execution role cannot use it.",
            "aws kms describe-key --key-id KEY says which, aws kms enable-key or cancel-key-deletion brings it back; "
            f"{_ROLES} covers container.secret_keys; then {evidence.again}",
        )
    if "kms:" in case.text or "Access to KMS" in case.text:
        key = first_match(r"(arn:aws[\w-]{0,20}:kms:\S{1,500}?)[\s,]", f"{case.text} ") or "its key"
        step = f"name {key} in container.secret_keys, and let the key's policy delegate that to IAM policies; {_ROLES}"
        return Finding(
            case.code,
            f"The execution role {_role(evidence)} is not allowed to decrypt {name}.",
            f"{step}, then {evidence.again}",
        )
    step = _ROLES
    if source in evidence.uncovered_secrets:
        step = f"name {source} in container.secrets or in {OWN_DEFINITION}, from which the policy is made; {_ROLES}"
    return Finding(
        case.code,
        f"The execution role {_role(evidence)} is not allowed to read {name}.",
        f"{step}, then {evidence.again}",
    )


def secret_key_missing(evidence: Evidence, case: Case) -> Finding:
    """Explain which JSON key of which secret is missing."""
    key = first_match(r"json key (\S{1,500})", case.text)
    keyed = {
        name: source
        for name, source in evidence.secrets.items()
        if _json_key(source) and _json_key(source) == (key or _json_key(source))
    }
    name = next(iter(keyed), "a variable")
    key = key or _json_key(keyed.get(name, ""))
    lacks = "is not JSON, so it has no key" if "json key" not in case.text else "has no JSON key"
    return Finding(
        case.code,
        f"The secret behind {name} {lacks} {key}.".replace(" .", "."),
        f"put a JSON object with {key or 'the key'} into the secret, or correct {_place(evidence, name)}; "
        f"then {evidence.again}",
    )


def log_group_missing(evidence: Evidence, case: Case) -> Finding:
    """Explain which log group is missing, and whether it is configured in another region."""
    here = evidence.last.rollout.region
    written = log_groups(evidence.definition)
    for options in written.values():
        group, region = options["awslogs-group"], options.get("awslogs-region", "")
        if region and here and region != here:
            return Finding(
                CauseCode.LOG_GROUP_REGION,
                f"The tasks write to the log group {group} in {region}, where there is none; the service is in {here}.",
                f"set awslogs-region to {here} in {OWN_DEFINITION}, then {evidence.again}",
            )
    app = written.get(evidence.container.get("name", ""), {}).get("awslogs-group")
    others = sorted({options["awslogs-group"] for options in written.values()} - {app})
    make, groups = "inv create-task-definition", [app] if app else []
    if others and (not groups or evidence.status("logs.group") == "pass"):
        make, groups = f"aws logs create-log-group --log-group-name {others[0]}", others
    named = f"log group {' or '.join(groups)}" if groups else "log group"
    region = f" in {here}" if here else ""
    return Finding(case.code, f"There is no {named}{region}.", f"{make}, then {evidence.again}")


def logs_denied(evidence: Evidence, case: Case) -> Finding:
    """Explain which CloudWatch Logs action is denied."""
    action = first_match(r"perform: (logs:\w{1,100})", case.text)
    return Finding(
        case.code,
        f"The execution role {_role(evidence)} is not allowed to {action}.",
        f"{_ROLES}, then {evidence.again}",
    )


def log_options(evidence: Evidence, case: Case) -> Finding:
    """Explain which log options the driver refuses."""
    said = case.text.partition("logger args: ")[2] or case.text
    return Finding(
        case.code,
        f"The log driver does not accept its options: {said}.",
        f"correct logConfiguration in {OWN_DEFINITION}, then {evidence.again}",
    )


def role_not_assumable(evidence: Evidence, case: Case) -> Finding:
    """Explain which role cannot be assumed: it does not exist, or does not trust ECS."""
    arn = first_match(r"assume the role '([^']{1,500})'", case.text)
    if not arn:  # an event without a role; the checks know which
        role = "taskRoleArn" if evidence.failed_checks("roles.task") else "executionRoleArn"
        arn = str(evidence.definition.get(role, ""))
    name = arn.rpartition("/")[2]
    is_task_role = (
        arn == evidence.definition.get("taskRoleArn") != evidence.definition.get("executionRoleArn")
    )
    which, check = ("task", "roles.task") if is_task_role else ("execution", "roles.execution")
    wrong = evidence.failed_checks(check)
    absent = bool(wrong) and wrong[0].code == "absent"
    code = CauseCode.EXECUTION_ROLE_NOT_ASSUMABLE
    if is_task_role:
        code = CauseCode.TASK_ROLE_MISSING if absent or not wrong else CauseCode.TASK_ROLE_NOT_ASSUMABLE
    why = f"ECS cannot assume the {which} role {name}"
    if wrong:
        why += f": {wrong[0].why or wrong[0].saw}"
    elif evidence.new_roles:
        why += f": {evidence.new_roles[0]}, and IAM takes up to a minute to make it known"
    step = (wrong[0].fix if wrong else "") or _ROLES
    return Finding(code, f"{why}.", f"{step}, then {evidence.again}")


def line_ends(evidence: Evidence, wrong: Check, of: str = "") -> Finding:
    """Explain a start script with Windows line ends in the build context."""
    return Finding(
        CauseCode.COMMAND_NOT_FOUND,
        f"The program{of} cannot be started: {wrong.saw}.",
        f"{wrong.fix}; then inv push-image --tag {evidence.tag} and {evidence.again}",
    )


def marked_script(evidence: Evidence, of: str = "") -> Finding | None:
    """Explain a start script that begins with a byte order mark, if the build context has one."""
    failed = evidence.failed_checks("dockerfile.start-scripts")
    wrong = next((each for each in failed if each.code == "byte-order-mark"), None)
    return replace(line_ends(evidence, wrong, of), code=CauseCode.EXEC_FORMAT) if wrong else None


def command_not_found(evidence: Evidence, case: Case) -> Finding:
    """Explain which program does not exist."""
    if wrong := evidence.failed_checks("dockerfile.start-scripts"):
        return line_ends(evidence, wrong[0])
    program = first_match(r'exec: "([^"]{1,500})"', case.text) or first_match(
        r"stat (\S{1,500}?):", case.text
    )
    return Finding(
        case.code,
        f"The image has no program {program}."
        if program
        else "The image does not contain the program to run.",
        f"correct CMD and ENTRYPOINT (or container.command), then inv push-image and {evidence.again}",
    )


def exec_format(evidence: Evidence, case: Case) -> Finding:
    """Explain that the program is for another architecture, or a script begins with a byte order mark."""
    if wrong := marked_script(evidence):
        return wrong
    architecture = evidence.definition.get("runtimePlatform", {}).get("cpuArchitecture", "X86_64")
    return Finding(
        case.code,
        f"The program does not run on {architecture}: exec format error.",
        f"inv push-image --tag {evidence.tag} (it builds for task.architecture), then {evidence.again}; "
        "a script needs its #! line",
    )


def cannot_start(evidence: Evidence, case: Case) -> Finding:
    """Explain the container runtime's error."""
    problem = case.text.rpartition("exec: ")[2] if "exec: " in case.text else case.text
    said = without_wrapping(problem) if problem != case.text or ": " in problem else ""
    step = "correct CMD, USER and WORKDIR in the Dockerfile"
    if _NO_USER.search(case.text):
        step = "correct USER in the Dockerfile (or user in the definition): the image's /etc/passwd has no such user"
    return Finding(
        case.code,
        f"The container cannot be started{f': {said}' if said else ''}.",
        f"{step}, then inv push-image and {evidence.again}",
    )


def out_of_memory(evidence: Evidence, case: Case) -> Finding:
    """Explain which container ran out of memory, under which limit, and suggest the next size."""
    cpu, memory = (int(evidence.definition.get(size, 0) or 0) for size in ("cpu", "memory"))
    ended = culprit(evidence.definition, case.tasks[0]) if case.tasks else None
    of = evidence.others(ended.name) if ended else ""
    own = container_of(evidence.definition, ended.name).get("memory", 0) if ended else 0
    if own and own < memory:  # a container's own limit, below the task's
        return Finding(
            case.code,
            f"The container{of} needs more memory than its own limit of {own} MiB.",
            f"raise its memory in {OWN_DEFINITION}, then {evidence.again}",
        )
    limit = f" than the {memory} MiB that the task has" if memory else ""
    return Finding(
        case.code,
        f"The container{of} needs more memory{limit}.",
        f"{evidence.again} {_more_memory(cpu, memory)} (and in invoke.yaml)",
    )


def _more_memory(cpu: int, memory: int) -> str:
    """The next larger memory size on Fargate."""
    for each in FARGATE_MEMORY.get(cpu, ()):
        if each > memory:
            return f"--set task.memory={each}"
    wider = next((each for each in FARGATE_MEMORY if each > cpu and max(FARGATE_MEMORY[each]) > memory), 0)
    size = next((each for each in FARGATE_MEMORY.get(wider, ()) if each > memory), 0)
    return f"--set task.cpu={wider} --set task.memory={size}"


def quota(evidence: Evidence, case: Case) -> Finding:
    """Explain which quota is used up."""
    said = said_by_aws(case.text)
    for pattern, service, code, name in _QUOTAS:
        if pattern.search(said):
            return Finding(
                case.code,
                f"The account's {name} quota is used up: {said}.",
                f"ask for more: aws service-quotas request-service-quota-increase --service-code {service} "
                f"--quota-code {code} --desired-value N, then {evidence.again}",
            )
    return Finding(
        case.code,
        f"A quota of the account is used up: {said}.",
        "ask for more of it: aws service-quotas list-service-quotas --service-code vpc (or fargate, ecs) has its "
        f"code, and request-service-quota-increase asks; then {evidence.again}",
    )


def stopped_by_user(evidence: Evidence, case: Case) -> Finding:
    """Explain what somebody stopped, with the reason given."""
    return Finding(case.code, f"Somebody stopped {_what(case)}: {case.text}.", evidence.again)


def _what(case: Case) -> str:
    return f"task {case.tasks[0].short}" if case.tasks else "the deployment"


def _role(evidence: Evidence) -> str:
    return str(evidence.definition.get("executionRoleArn", "")).rpartition("/")[2] or "of the task"


def _secret(evidence: Evidence, text: str) -> tuple[str, str]:
    """The variable and the source of the secret in a message."""
    arn = first_match(r"(arn:aws[\w-]{0,20}:secretsmanager:[^\s,]{1,500})", text)
    named = (
        arn
        or first_match(r"invalid parameters: (\S{1,500})", text)
        or first_match(r"(?:resource: )(\S{0,200}?:parameter/\S{1,500})", text)
    )
    for name, source in evidence.secrets.items():
        if named and (source.startswith(named) or named.startswith(":".join(source.split(":")[:7]))):
            return name, source
    tail = re.split(r"[:/]", named)[-1] if named else ""
    for name, source in evidence.secrets.items():
        if tail and source.endswith(tail):
            return name, source
    kind = "from asm" in text
    fitting = {
        name: source for name, source in evidence.secrets.items() if (":secretsmanager:" in source) == kind
    }
    return next(iter(fitting.items())) if len(fitting) == 1 else (tail or "a secret", named)


def _place(evidence: Evidence, name: str) -> str:
    """Where a secret is configured: the settings for the app's, the task definition for others."""
    is_apps = name in secrets(
        {"containerDefinitions": [evidence.container]}, evidence.container.get("name", "")
    )
    return f"container.secrets.{name}" if is_apps else f"{name} in {OWN_DEFINITION}"


def _json_key(source: str) -> str:
    parts = source.split(":")
    return parts[7] if len(parts) > 7 else ""
