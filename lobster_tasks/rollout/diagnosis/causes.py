"""The closed list of causes: each has a code, one record here, and a page in docs/causes/.

Other programs rely on the codes: a code never changes its meaning. Everything else that depends on the cause (AWS's
texts for it, its explanation, whether waiting helps, which checks find it) is derived from the records.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum, StrEnum, auto

from ..cause_code import CauseCode, page_of
from ..observation.aws_words import BY_USER, EC2_ANSWERS, NETWORK_MISSING, SERVER_ERROR
from . import serving, starting
from .evidence import Evidence
from .starting import Case, Finding, said

Explain = Callable[[Evidence, Case], Finding | Sequence[Finding]]


class Lead(StrEnum):
    """A message of AWS, or a target's reason (TargetHealth.Reason), that several causes can have."""

    ELB = "elb"
    EXITED = "exited"
    ROLE = "role"
    STATUS = "Target.ResponseCodeMismatch"
    TIMEOUT = "Target.Timeout"
    NOT_IN_USE = "Target.NotInUse"


class Heals(Enum):
    """Whether waiting may help."""

    MAYBE = auto()
    NEVER = auto()
    WHEN_THERE = auto()  # not by itself; but somebody may have created what was missing
    WHEN_ALLOWED = auto()  # a new role's permissions may not be effective yet
    UNLESS_FOUND = auto()  # waiting helps, unless one of the checks that find the cause fails


@dataclass(frozen=True)
class Sign:
    """A pattern for AWS's texts; where a text matches two, the one with the lower ``rank`` is used.

    ``also``: further causes that it may indicate.
    """

    rank: int
    pattern: str
    also: tuple[CauseCode, ...] = ()


@dataclass(frozen=True)
class CauseRecord:
    """Everything about a cause, or a lead.

    ``signs`` match AWS's texts for it, ``stop_codes`` those of tasks (Task, stopCode). ``explain`` returns the
    explanation and the remedy for a case. ``is_lack`` is true where AWS is currently short of something.
    ``looked_at`` are the checks that give details, ``found_by`` those that find it before a release; ``of_balancer``
    is true where these concern a service behind a load balancer.
    """

    meaning: str = ""
    signs: tuple[Sign, ...] = ()
    stop_codes: tuple[str, ...] = ()
    explain: Explain | None = None
    heals: Heals = Heals.MAYBE
    is_lack: bool = False
    looked_at: tuple[str, ...] = ()
    found_by: tuple[str, ...] = ()
    of_balancer: bool = False


# Texts by which the ECS Developer Guide identifies network problems (its page on ResourceInitializationError), and
# others.
_NETWORK = (
    r"i/o timeout|connection issue between the task|network connection between the task|[Cc]heck your (task )?network"
    r"|dial (tcp|udp)|no such host|no route to host|connection reset|connection timed out|TLS handshake timeout"
    r"|[Cc]ontext (deadline exceeded|cancell?ed)|Client\.Timeout|request canceled|RequestCanceled"
    r"|send request failed|network is unreachable|\b(?:Get|Head|Post) \"?https?://\S{1,300}: (?:unexpected )?EOF"
)
_NO_CONTAINER = r"(?:Cannot(?:Start|Create)Container|create new container)"
# Causes that are checked before a release come first, in the order of their report.
RECORDS: Mapping[str, CauseRecord] = {
    CauseCode.EXECUTION_ROLE_NOT_ASSUMABLE: CauseRecord(
        meaning="ECS cannot assume the execution role.",
        heals=Heals.WHEN_ALLOWED,
        found_by=("roles.execution",),
    ),
    CauseCode.TASK_ROLE_MISSING: CauseRecord(
        meaning="The task role does not exist.",
        heals=Heals.WHEN_THERE,
        found_by=("roles.task",),
    ),
    CauseCode.PASS_ROLE_DENIED: CauseRecord(
        meaning="The identity that deploys has no permission to pass the roles to ECS.",
        found_by=("roles.pass",),
    ),
    CauseCode.SECRET_NOT_FOUND: CauseRecord(
        meaning="A secret or parameter does not exist or has no value.",
        signs=(
            # Secrets Manager API Reference, GetSecretValue, InvalidRequestException: a secret scheduled for deletion.
            Sign(
                150,
                r"find the specified secret|retrieve the secret with ARN|invalid parameters:"
                r"|marked for deletion|from asm.{0,1000}InvalidRequestException",
            ),
            Sign(170, r"(from asm|from ssm).{0,1000}(ResourceNotFound|ParameterNotFound)"),
        ),
        explain=starting.secret_not_found,
        heals=Heals.WHEN_THERE,
        looked_at=("secrets.exist",),
        found_by=("secrets.exist",),
    ),
    CauseCode.SECRET_KEY_MISSING: CauseRecord(
        meaning="A secret does not contain the JSON key in container.secrets.",
        signs=(
            Sign(
                180,
                r"did not contain json key|from asm.{0,1000}(invalid character|unexpected end of JSON"
                r"|cannot unmarshal)",
            ),
        ),
        explain=starting.secret_key_missing,
        heals=Heals.NEVER,
        looked_at=("secrets.form",),
        found_by=("secrets.form",),
    ),
    CauseCode.REGISTRY_DENIED: CauseRecord(
        meaning="The execution role has no permission to pull the image.",
        signs=(
            Sign(
                200,
                r"(AccessDenied|not authorized).{0,1000}ecr:|ecr registry auth.{0,1000}AccessDenied"
                r"|403 Forbidden|no basic auth credentials|401 Unauthorized|unauthorized: authentication required"
                r"|failed to authorize: failed to fetch|CannotPull.{0,1000}: (?:denied: denied|unauthorized)\b",
            ),
            Sign(220, r"role has the permissions to pull", (CauseCode.IMAGE_NOT_FOUND,)),
        ),
        explain=starting.registry_denied,
        heals=Heals.WHEN_ALLOWED,
        looked_at=("roles.execution", "roles.pull"),
        found_by=("roles.pull",),
    ),
    CauseCode.REGISTRY_CREDENTIALS: CauseRecord(
        meaning="A registry other than ECR does not let the task pull an image.",
        heals=Heals.NEVER,
    ),
    CauseCode.LOGS_DENIED: CauseRecord(
        meaning="The execution role has no permission to write to the log group.",
        signs=(Sign(70, r"(logger args|logging driver):.{0,1000}not authorized to perform: logs:"),),
        explain=starting.logs_denied,
        heals=Heals.WHEN_ALLOWED,
        looked_at=("roles.execution", "roles.logs"),
        found_by=("roles.logs",),
    ),
    CauseCode.SECRET_NOT_READABLE: CauseRecord(
        meaning="The execution role has no permission to read a secret or parameter.",
        signs=(
            Sign(
                140,
                r"(AccessDenied|not authorized).{0,1000}(secretsmanager:|ssm:|kms:)"
                r"|Access to KMS is not allowed|from asm.{0,1000}DecryptionFailure|from ssm.{0,1000}InvalidKeyId",
            ),
            Sign(160, r"(from asm|from ssm).{0,1000}(AccessDenied|not authorized)"),
        ),
        explain=starting.secret_not_readable,
        heals=Heals.WHEN_ALLOWED,
        looked_at=("roles.execution", "roles.secrets", "roles.decrypt"),
        found_by=("roles.secrets", "roles.decrypt"),
    ),
    CauseCode.NO_ROUTE_TO_REGISTRY: CauseRecord(
        meaning="The task has no network route to ECR, CloudWatch Logs or Secrets Manager.",
        signs=(
            # The older agent's words where the newer one names a connection issue: it waited in vain.
            Sign(95, r"(logger args|logging driver|pull command failed):[\s:]{0,9}signal: killed"),
            Sign(120, _NETWORK),
            # The layers come from S3, through the route that the guide names for each of these.
            Sign(
                250,
                r"pull command failed: panic|failed to copy: http|API error.{0,1000}https?://"
                r"|CannotPull\w{0,40}: API error$",
            ),
        ),
        explain=starting.no_route,
        heals=Heals.UNLESS_FOUND,
        looked_at=("network.routes", "network.public-address", "security.tasks-out", "network.public-access"),
        found_by=("network.routes", "network.public-address", "security.tasks-out"),
    ),
    CauseCode.PUBLIC_ACCESS_BLOCKED: CauseRecord(
        meaning="VPC Block Public Access drops what goes through the internet gateway.",
        found_by=("network.public-access",),
    ),
    CauseCode.ACCOUNT_BLOCKED: CauseRecord(
        meaning="AWS has blocked the account, or has not verified it yet.",
        signs=(
            # Seen in an event of ECS, in EC2's Blocked, and with "pods" in EKS; ECS, BlockedException: "account was
            # blocked"; EC2, PendingVerification, and Bedrock: "Your account is currently being verified."
            Sign(
                62,
                r"\baccount (is|was|has been) (currently )?(blocked|suspended|being verified)"
                rf"|{EC2_ANSWERS}(Blocked|PendingVerification|OptInRequired)\b",
            ),
        ),
        explain=said(
            "AWS lets this account start no tasks: {said}.",
            "open a support case with this message (Account and billing: https://console.aws.amazon.com/support/home); "
            "no policy and no setting of ours lifts it; then {again}",
        ),
        heals=Heals.NEVER,
    ),
    CauseCode.NO_ADDRESSES: CauseRecord(
        meaning="The subnets have no free address.",
        # The guide's text ends there; where an answer of EC2 follows, that one tells.
        signs=(
            Sign(112, r"InsufficientFreeAddresses|public IP assignment enabled in subnet[\s'…]{0,8}\.?$"),
        ),
        explain=said(
            "The subnets have no free address for the task's network interface.",
            "name larger subnets in network.subnets; inv create-fargate-service, then {again}",
        ),
        looked_at=("network.addresses",),
        found_by=("network.addresses",),
    ),
    CauseCode.QUOTA: CauseRecord(
        meaning="The account's quota is used up.",
        signs=(
            Sign(
                320,
                r"limit on the number of (vCPUs|tasks)|configuration is above your limit"
                r"|(exceeded|reached) .{0,200}quota|reached (the|your) (limit|maximum)",
            ),
            Sign(115, rf"{EC2_ANSWERS}\w{{1,60}}LimitExceeded\b"),
        ),
        explain=starting.quota,
        is_lack=True,
        looked_at=("account.vcpus",),
        found_by=("account.vcpus",),
    ),
    CauseCode.SECURITY_GROUP_BLOCKS: CauseRecord(
        meaning="A security group blocks traffic from the load balancer to the tasks.",
        heals=Heals.NEVER,
        found_by=("security.tasks", "security.load-balancer-out"),
        of_balancer=True,
    ),
    CauseCode.TARGET_NOT_IN_USE: CauseRecord(
        meaning="No listener forwards to the target group, or not in the task's zone.",
        heals=Heals.NEVER,
        found_by=("load-balancer.listener", "load-balancer.zones"),
        of_balancer=True,
    ),
    CauseCode.TARGET_GROUP_MISMATCH: CauseRecord(
        meaning="The target group does not fit the tasks.",
        signs=(Sign(405, r"failed to register targets .{0,1000}not in the target group VPC"),),
        explain=starting.targets_refused,
        found_by=("targets.kind",),
        of_balancer=True,
    ),
    CauseCode.IMAGE_NOT_FOUND: CauseRecord(
        meaning="The repository does not have the image.",
        signs=(
            Sign(190, r"pull access denied", (CauseCode.REGISTRY_DENIED,)),
            Sign(
                210,
                r"CannotPull.{0,1000}(not found|404 Not Found|manifest unknown|name unknown|does not exist)"
                r"|RepositoryNotFound",
            ),
            Sign(240, r"failed to resolve ref[\s:…]{0,4}$", (CauseCode.NO_ROUTE_TO_REGISTRY,)),
        ),
        explain=starting.image_not_found,
        heals=Heals.NEVER,
    ),
    CauseCode.IMAGE_PLATFORM: CauseRecord(
        meaning="The image is for another CPU architecture than the task's.",
        signs=(Sign(40, r"does not contain descriptor matching platform|no matching manifest for"),),
        explain=starting.image_platform,
        heals=Heals.NEVER,
    ),
    CauseCode.IMAGE_FORMAT: CauseRecord(
        meaning="The image has a layer with a media type that Fargate does not support.",
        signs=(
            Sign(
                30,
                r"no processor for media-type|(unsupported|unexpected) media type"
                r"|mediaType .{0,1000}not supported",
            ),
        ),
        explain=starting.image_format,
        heals=Heals.NEVER,
    ),
    CauseCode.CANNOT_PULL: CauseRecord(
        meaning="The image cannot be pulled or unpacked, and AWS's message says why.",
        signs=(
            # containerd has the image's manifest, and cannot make a file system of its layers.
            Sign(
                205,
                r"mismatched image rootfs|diffIDs don't match|failed to Lchown|content digest .{0,200}not found",
            ),
            Sign(255, r"CannotPull"),
        ),
        explain=starting.cannot_pull,
    ),
    CauseCode.PULL_RATE_LIMIT: CauseRecord(
        meaning="The registry refuses further pulls for now.",
        signs=(
            Sign(50, r"toomanyrequests|Too Many Requests|pull rate limit"),
            Sign(60, r"error pulling image conf", (CauseCode.NO_ROUTE_TO_REGISTRY,)),
        ),
        explain=starting.pull_rate_limit,
    ),
    CauseCode.LOG_GROUP_MISSING: CauseRecord(
        meaning="The log group does not exist.",
        signs=(
            Sign(80, r"log group does not exist|failed to initialize logging driver$"),
            Sign(90, r"cannot find the Amazon CloudWatch log group", (CauseCode.NO_ROUTE_TO_REGISTRY,)),
        ),
        explain=starting.log_group_missing,
        heals=Heals.WHEN_THERE,
        looked_at=("logs.group",),
    ),
    CauseCode.LOG_GROUP_REGION: CauseRecord(
        meaning="The task definition names the log group in another region.",
        heals=Heals.NEVER,
    ),
    CauseCode.LOG_OPTIONS: CauseRecord(
        meaning="The log driver rejects its options.",
        signs=(
            Sign(
                110,
                r"failed to (validate logger args|initialize logging driver): (?!.{0,1000}(time(d )?out|signal: "
                r"killed|LimitExceeded))",
            ),
        ),
        explain=starting.log_options,
        heals=Heals.NEVER,
    ),
    CauseCode.TASK_ROLE_NOT_ASSUMABLE: CauseRecord(
        meaning="ECS cannot assume the task role.",
        heals=Heals.WHEN_ALLOWED,
    ),
    CauseCode.SERVICE_ROLE_DENIED: CauseRecord(
        meaning="ECS lacks a permission that it needs for the service.",
        signs=(Sign(410, r"permissions policies have been misconfigured"),),
        explain=said(
            "ECS is not allowed to do what the service needs: {said}.",
            "inv validate-fargate-setup shows the roles; inv create-iam-policies puts ours right, then {again}",
        ),
    ),
    CauseCode.ENVIRONMENT_FILE: CauseRecord(
        meaning="The execution role cannot read an environment file from S3.",
        signs=(Sign(130, r"env(ironment variable)? files"),),
        explain=said(
            "The execution role {role} cannot read an environment file from S3.",
            "correct environmentFiles in {definition}, or allow s3:GetObject on the file and s3:GetBucketLocation on "
            "its bucket in task-definitions/fargate-iam-policies.json.j2, and inv create-iam-policies; then {again}",
        ),
    ),
    CauseCode.VOLUME_FAILED: CauseRecord(
        meaning="A volume of the task cannot be created or mounted.",
        signs=(Sign(100, r"EFS utils|CannotCreateVolumeError"),),
        explain=said(
            "A volume of the task cannot be made or mounted: {said}.",
            "correct volumes and mountPoints in {definition} (EFS: a mount target in every zone, and port 2049 open to "
            "the tasks' security group); then {again}",
        ),
    ),
    CauseCode.EXITS: CauseRecord(
        meaning="The program ends.",
    ),
    CauseCode.OUT_OF_MEMORY: CauseRecord(
        meaning="The container needs more memory than the task has.",
        signs=(
            Sign(10, r"OutOfMemoryError|[Cc]ontainer killed due to memory usage"),
            Sign(280, r"failed to get container status", (CauseCode.PLATFORM_ERROR,)),
        ),
        explain=starting.out_of_memory,
        heals=Heals.NEVER,
    ),
    CauseCode.DISK_FULL: CauseRecord(
        meaning="The task's disk is full.",
        signs=(
            Sign(20, r"no space left on device|Thin Pool has|not enough space on the disk"),
            # AWS cuts texts off, here before the reason.
            Sign(25, r"failed to (extract|register) layer [\w:]{1,100}: write \S{0,1000}$"),
        ),
        explain=starting.disk_full,
        heals=Heals.NEVER,
    ),
    CauseCode.START_TIMEOUT: CauseRecord(
        meaning="A container did not start within Fargate's start timeout.",
        signs=(
            Sign(300, r"timed out after waiting|(ContainerRuntime|Docker)TimeoutError|Docker timeout error"),
        ),
        explain=said(
            "A container did not start in the time that Fargate gives it: {said}.",
            "wait for the next try; if it happens again, raise startTimeout in {definition}, or task.cpu; then {again}",
        ),
    ),
    CauseCode.COMMAND_NOT_FOUND: CauseRecord(
        meaning="The image does not contain the program to run.",
        signs=(
            Sign(
                270,
                rf"{_NO_CONTAINER}.{{0,1000}}(executable file not found|no such file or directory)",
            ),
        ),
        explain=starting.command_not_found,
        heals=Heals.NEVER,
        looked_at=("dockerfile.start-scripts",),
    ),
    CauseCode.EXEC_FORMAT: CauseRecord(
        meaning="The program is for another CPU architecture, or the script has no #! line.",
        signs=(Sign(260, r"exec format error"),),
        explain=starting.exec_format,
        heals=Heals.NEVER,
        looked_at=("dockerfile.start-scripts",),
    ),
    CauseCode.CANNOT_START: CauseRecord(
        meaning="The container cannot be started.",
        signs=(
            # Before a program is looked for: the layers are mounted to read USER in /etc/passwd.
            Sign(265, rf"{_NO_CONTAINER}.{{0,300}}mount callback failed"),
            Sign(290, _NO_CONTAINER),
        ),
        explain=starting.cannot_start,
        heals=Heals.NEVER,
        looked_at=("dockerfile.start-scripts",),
    ),
    CauseCode.SLOW_START: CauseRecord(
        meaning="The app does not listen yet when its health checks have failed.",
    ),
    CauseCode.WRONG_PORT: CauseRecord(
        meaning="The app listens on another port than the container's.",
        heals=Heals.NEVER,
    ),
    CauseCode.BOUND_TO_LOOPBACK: CauseRecord(
        meaning="The app listens only on loopback, which the load balancer cannot reach.",
        heals=Heals.NEVER,
    ),
    CauseCode.HEALTH_PATH_STATUS: CauseRecord(
        meaning="The health check path answers with an unhealthy status code.",
    ),
    CauseCode.HEALTH_CHECK_TIMEOUT: CauseRecord(
        meaning="The health check is not answered in time.",
    ),
    CauseCode.TARGET_MISSING: CauseRecord(
        meaning="The target group was deleted, or the task was deregistered from it.",
        signs=(
            Sign(
                400,
                r"TARGET (GROUP )?IS NOT FOUND|failed to register targets .{0,1000}[Tt]arget groups? .{0,200}not found",
            ),
        ),
        explain=starting.target_missing,
        heals=Heals.NEVER,
    ),
    CauseCode.UNHEALTHY_LATER: CauseRecord(
        meaning="The tasks were healthy, and then became unhealthy.",
    ),
    CauseCode.CONTAINER_HEALTH_CHECK: CauseRecord(
        meaning="The container's own health check fails.",
        signs=(Sign(450, r"failed container health checks"),),
        explain=serving.explain_container_health,
    ),
    CauseCode.NO_CAPACITY: CauseRecord(
        meaning="Fargate has no capacity at the moment.",
        signs=(
            Sign(310, r"[Cc]apacity is (currently )?unavailable|RESOURCE:FARGATE"),
            Sign(370, r"could not launch .{0,1000} tasks? for deployment"),
        ),
        explain=said(
            "Fargate has no room for the task at the moment; ECS keeps trying.",
            "wait, or name more subnets in other zones (network.subnets); then {again}",
        ),
        is_lack=True,
    ),
    CauseCode.NETWORK_INTERFACE: CauseRecord(
        meaning="EC2 did not create the task's network interface.",
        signs=(
            Sign(113, NETWORK_MISSING),
            # Before _NETWORK: here ECS or the agent does not reach EC2, and the task has no interface to reach with.
            Sign(
                118,
                r"network interface provisioning|EC2 error while attempting to|failed to configure ENI"
                r"|setup regular eni",
            ),
        ),
        explain=starting.network_interface,
    ),
    CauseCode.ZONE_WITHOUT_FARGATE: CauseRecord(
        meaning="A subnet is in a zone in which Fargate starts no tasks.",
        signs=(Sign(380, r"Reason: Internal error", (CauseCode.PLATFORM_ERROR,)),),
        explain=said(
            "ECS could not place a task, most often because a subnet is in a zone in which Fargate starts none.",
            "name subnets in other zones (network.subnets); inv create-fargate-service, then {again}",
        ),
    ),
    CauseCode.THROTTLED: CauseRecord(
        meaning="AWS throttles ECS, which retries later.",
        signs=(
            Sign(65, r"Throttl\w{1,20}Exception: |ThrottlingException$"),
            Sign(114, rf"{EC2_ANSWERS}(RequestLimitExceeded|Throttling)"),
            Sign(
                330,
                r"provisioning capacity limit|are being throttled|[Rr]equest ?[Ll]imit ?[Ee]xceeded|[Rr]ate exceeded",
            ),
        ),
        explain=said(
            "AWS throttles ECS, which tries again later: {said}.",
            "wait, or {again} later",
        ),
        is_lack=True,
    ),
    CauseCode.PLATFORM_ERROR: CauseRecord(
        meaning="AWS's own agent or runtime failed.",
        signs=(
            Sign(
                230,
                rf"CannotPull.{{0,1000}}{SERVER_ERROR}|\(s\): (ServerException|Internal\w{{1,30}}|ServiceUnavailable)",
            ),
            Sign(
                500,
                r"InternalError|ContainerRuntimeError|Cannot(Stop|Inspect)ContainerError"
                r"|EphemeralStorage provisioning",
            ),
        ),
        stop_codes=("InfrastructureHealth",),
        explain=starting.platform_error,
    ),
    CauseCode.MAINTENANCE: CauseRecord(
        meaning="AWS stopped the task to maintain its host.",
        signs=(Sign(430, r"performing maintenance on the underlying"),),
        explain=said(
            "AWS stopped the task to maintain its host.",
            "{again}",
        ),
    ),
    CauseCode.NOT_ON_FARGATE: CauseRecord(
        meaning="The service starts its tasks on container instances, not on Fargate.",
        signs=(
            Sign(
                360,
                r"no container instance met|Container Instances were found|Amazon ECS Agent to start"
                r"|[Pp]lacement constraint|unused device index|compatible with the selected compute"
                r"|container-instance|\bRESOURCE:|\bATTRIBUTE\b|\bAGENT\b|\bLOCATION\b|NO ACTIVE INSTANCES"
                r"|EMPTY CAPACITY PROVIDER|Host EC2|[Cc]ontainer instance dereg",
            ),
        ),
        explain=said(
            "The service starts its tasks on container instances, not on Fargate.",
            "aws ecs update-service --capacity-provider-strategy capacityProvider=FARGATE,weight=1 "
            "--force-new-deployment (with --cluster and --service), then {again}",
        ),
        heals=Heals.NEVER,
    ),
    CauseCode.TASKS_PROTECTED: CauseRecord(
        meaning="More tasks are protected than the desired count.",
        signs=(Sign(390, r"number of protected tasks"),),
        explain=said(
            "More tasks have scale-in protection than the desired count, so ECS stops none.",
            "aws ecs update-task-protection --no-protection-enabled (with --cluster and --tasks), or wait until it "
            "ends; then {again}",
        ),
    ),
    CauseCode.SPOT_INTERRUPTED: CauseRecord(
        meaning="AWS took the Spot capacity back.",
        signs=(Sign(420, r"Spot Task was interrupted|SpotInterruption"),),
        stop_codes=("SpotInterruption", "TerminationNotice"),
        explain=said(
            "AWS took the Spot capacity back while the deployment was in progress.",
            "{again}; on-demand capacity (FARGATE) is not taken back",
        ),
    ),
    CauseCode.DEPLOYMENT_PERCENT: CauseRecord(
        meaning="Minimum and maximum percent do not let ECS replace a task.",
        signs=(Sign(470, r"minimumHealthyPercent or maximumPercent"),),
        explain=said(
            "ECS can neither start a new task nor stop an old one: minimum and maximum percent leave no room.",
            "set deployment.minimum_healthy_percent: 100 and deployment.maximum_percent: 200; "
            "inv create-fargate-service, then {again}",
        ),
    ),
    CauseCode.IGNORES_SIGTERM: CauseRecord(
        meaning="The program does not end on SIGTERM and is killed.",
    ),
    CauseCode.STOPPED_BY_USER: CauseRecord(
        meaning="Somebody stopped the tasks or the deployment.",
        signs=(Sign(490, r"stopped by user|stopped by a user"),),
        stop_codes=(BY_USER,),
        explain=starting.stopped_by_user,
    ),
    CauseCode.SUPERSEDED: CauseRecord(
        meaning="Another deployment replaced this one.",
    ),
    CauseCode.SERVICE_BUSY: CauseRecord(
        meaning="Another deployment is in progress.",
    ),
    CauseCode.SERVICE_GONE: CauseRecord(
        meaning="The service does not exist, or is being deleted.",
    ),
    CauseCode.SCALED_TO_ZERO: CauseRecord(
        meaning="The service's desired count is 0.",
    ),
    CauseCode.NO_RELEASE_BEFORE: CauseRecord(
        meaning="There is no release to roll back to.",
    ),
    CauseCode.ROLLBACK_FAILED: CauseRecord(
        meaning="The previous release does not serve either.",
    ),
    CauseCode.NAME_WITHOUT_RECORD: CauseRecord(
        meaning="The domain has no DNS record that leads to an address.",
    ),
    CauseCode.NAME_ELSEWHERE: CauseRecord(
        meaning="The domain's DNS record leads elsewhere.",
    ),
    CauseCode.ALIAS_MISSING: CauseRecord(
        meaning="The distribution does not have the domain as an alias.",
    ),
    CauseCode.CERTIFICATE_INVALID: CauseRecord(
        meaning="The certificate that visitors are shown is not valid for the domain.",
    ),
    CauseCode.DISTRIBUTION_MISSING: CauseRecord(
        meaning="No CloudFront distribution leads visitors to the load balancer.",
    ),
    CauseCode.DISTRIBUTION_DISABLED: CauseRecord(
        meaning="The CloudFront distribution is disabled.",
    ),
    CauseCode.DISTRIBUTION_IN_PROGRESS: CauseRecord(
        meaning="CloudFront's edge locations do not all know the distribution's last change yet.",
    ),
    CauseCode.VPC_ORIGIN_MISSING: CauseRecord(
        meaning="No VPC origin leads CloudFront to the load balancer.",
    ),
    CauseCode.VPC_ORIGIN_FAILED: CauseRecord(
        meaning="CloudFront has not deployed the VPC origin.",
    ),
    CauseCode.LOAD_BALANCER_MISSING: CauseRecord(
        meaning="The load balancer does not exist.",
    ),
    CauseCode.LISTENER_MISSING: CauseRecord(
        meaning="The load balancer has no listener.",
    ),
    CauseCode.ORIGIN_UNREACHABLE: CauseRecord(
        meaning="CloudFront cannot reach the load balancer.",
    ),
    CauseCode.ORIGIN_PROTOCOL: CauseRecord(
        meaning="The load balancer does not take CloudFront's connections, or speaks another protocol.",
    ),
    CauseCode.CLOUDFRONT_REFUSES: CauseRecord(
        meaning="CloudFront itself answers 403, and does not ask the app.",
    ),
    CauseCode.ERROR_PAGE: CauseRecord(
        meaning="A custom error page of the distribution hides the app's errors.",
    ),
    CauseCode.HOST_NOT_FORWARDED: CauseRecord(
        meaning="The distribution does not pass on the Host header that the app compares.",
    ),
    CauseCode.COUNTRY_BLOCKED: CauseRecord(
        meaning="The distribution's geographic restriction does not let this machine's country in.",
    ),
    CauseCode.PROBE_FAILED: CauseRecord(
        meaning="The app does not answer its visitors correctly.",
    ),
    CauseCode.NOT_REACHABLE_FROM_HERE: CauseRecord(
        meaning="The load balancer does not allow requests from this machine.",
    ),
    CauseCode.REFUSED: CauseRecord(
        meaning="A resource that the deployment needs does not exist.",
    ),
    CauseCode.OUT_OF_TIME: CauseRecord(
        meaning="The deployment was still in progress when the time was up.",
    ),
    CauseCode.UNKNOWN: CauseRecord(
        meaning="AWS says nothing of the cause, or something that fits no other code.",
    ),
    Lead.ROLE: CauseRecord(
        signs=(Sign(440, r"unable to assume the role|trust relationship has been misconfigured"),),
        explain=starting.role_not_assumable,
        looked_at=("roles.execution", "roles.task"),
    ),
    Lead.EXITED: CauseRecord(
        signs=(Sign(480, r"Essential container in task exited|[Dd]ependency failed|dependency graph:"),),
        stop_codes=("EssentialContainerExited",),
        explain=serving.explain_exit,
        looked_at=("dockerfile.start-scripts",),
    ),
    Lead.ELB: CauseRecord(
        signs=(Sign(460, r"failed ELB health checks|is unhealthy in \("),),
        explain=serving.explain_health,
    ),
    Lead.STATUS: CauseRecord(
        looked_at=("dockerfile.base-path",),
    ),
    Lead.TIMEOUT: CauseRecord(
        looked_at=("security.tasks", "security.load-balancer-out"),
    ),
    Lead.NOT_IN_USE: CauseRecord(
        looked_at=("load-balancer.listener", "load-balancer.zones"),
    ),
}
CODES: Mapping[str, str] = {code: RECORDS[code].meaning for code in CauseCode}
"""The meaning of each code."""


@dataclass(frozen=True)
class Cause:
    """Why a rollout is not live: a code, a sentence, the evidence, and the next command or step.

    ``changed`` is what the release changed, where that may be the reason. ``heals`` says whether waiting may help.
    """

    code: str
    message: str
    evidence: tuple[str, ...] = ()
    remedy: str = ""
    changed: tuple[str, ...] = ()
    heals: bool = True

    @property
    def page(self) -> str:
        """The code's page in the documentation."""
        return page_of(self.code)
