"""The settings of one stack, as frozen sections, with the rules that concern several settings."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Annotated, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PrivateAttr,
    ValidationInfo,
    field_validator,
)

from .values import (
    DEFAULT_REGION,
    FARGATE_MEMORY,
    LONGEST_BALANCER_NAME,
    LONGEST_GROUP_NAME,
    LONGEST_QUIET_MINUTES,
    MOST_TAGS,
    MOST_WAIT_MINUTES,
    REGION,
    RETENTION_DAYS,
    VIEWER_CERTIFICATES_IN,
    BuildCache,
    CertificateArn,
    Cidr,
    Domain,
    GroupId,
    GroupName,
    HttpsUrl,
    KeyArn,
    LoadBalancerName,
    Name,
    Path,
    PolicyArn,
    Port,
    RoleName,
    SecretReference,
    SubnetId,
    TargetGroupName,
    Text,
    as_tags,
    as_text,
    build_secrets,
    comma_separated,
    distinct,
    github_branch,
    github_repository,
    listed,
    log_group_name,
    matching,
    not_one,
    path_or_none,
    secret_in_secrets_manager,
    shell_words,
    somebody,
    web_acl_arn,
    web_acl_arn_for_cloudfront,
)


class Section(BaseModel):
    """A part of the settings: frozen, with no other members than these; its errors show no values."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


class TaskSettings(Section):
    """The task definition's own properties; ``cpu`` in CPU units (1024 are one vCPU), ``memory`` in MiB."""

    family: Name = "lobster-streamlit-task"
    cpu: int = 512
    memory: Annotated[int, Field(validate_default=True)] = 1024
    architecture: Literal["X86_64", "ARM64"] = "X86_64"
    execution_role: RoleName = "ecsTaskExecutionRole"
    task_role: RoleName = "ecsTaskRole"
    policies: Annotated[
        tuple[PolicyArn, ...],
        Field(max_length=10),
        BeforeValidator(comma_separated),
        AfterValidator(distinct),
    ] = ()
    """ARNs of managed policies that the app needs; they are attached to the task role."""
    permissions_boundary: PolicyArn | None = None
    """The ARN of the permissions boundary of the stack's roles: task, execution and deploy role."""

    @field_validator("task_role")
    @classmethod
    def _roles_differ(cls, role: str, info: ValidationInfo) -> str:
        if role == info.data.get("execution_role"):
            raise ValueError(
                "must differ from task.execution_role: the app would get permissions that only ECS needs"
            )
        return role

    @field_validator("cpu")
    @classmethod
    def _fargate_has_the_cpu(cls, cpu: int) -> int:
        if cpu not in FARGATE_MEMORY:
            raise ValueError(f"Fargate has no {cpu} CPU units; it has {listed(FARGATE_MEMORY)}")
        return cpu

    @field_validator("memory")
    @classmethod
    def _fargate_has_the_pair(cls, memory: int, info: ValidationInfo) -> int:
        cpu = info.data.get("cpu")
        if cpu in FARGATE_MEMORY and memory not in FARGATE_MEMORY[cpu]:
            sizes = listed(FARGATE_MEMORY[cpu])
            raise ValueError(f"Fargate has no {memory} MiB with cpu {cpu}; it has {sizes}")
        return memory


class ContainerSettings(Section):
    """The app's container; ``secrets`` maps an environment variable to the ARN or name of its secret or parameter."""

    name: Name = "lobster-streamlit"
    port: Port = 8501
    command: Annotated[tuple[str, ...], BeforeValidator(shell_words)] | None = None
    environment: dict[str, Text] = Field(default_factory=dict)
    secrets: dict[str, SecretReference] = Field(default_factory=dict)
    secret_keys: Annotated[
        tuple[KeyArn, ...], BeforeValidator(comma_separated), AfterValidator(distinct)
    ] = ()
    """ARNs of the KMS keys that encrypt the secrets, where these are customer managed keys."""

    @field_validator("environment", "secrets")
    @classmethod
    def _names_are_of_variables(cls, given: dict[str, str]) -> dict[str, str]:
        if any(not name or "=" in name for name in given):
            raise ValueError("the name of a variable must not be empty or contain '='")
        return given

    @field_validator("secrets")
    @classmethod
    def _a_name_has_one_source(cls, secrets: dict[str, str], info: ValidationInfo) -> dict[str, str]:
        if both := sorted(info.data.get("environment", {}).keys() & secrets.keys()):
            raise ValueError(f"{listed(both)} is in environment too; set it in only one of them")
        return secrets


class XRaySettings(Section):
    """A sidecar container, the AWS Distro for OpenTelemetry collector, which sends the app's traces to AWS X-Ray."""

    enabled: bool = False
    image: Annotated[
        str,
        matching(r"[A-Za-z0-9][\w.:/@-]{1,511}", "takes the reference of an image, as public.ecr.aws/x/y:1"),
    ] = "public.ecr.aws/aws-observability/aws-otel-collector:v0.43.1"


class LogSettings(Section):
    """The log group in CloudWatch Logs."""

    group: Annotated[
        str,
        Field(max_length=512),
        matching(r"[.\-_/#A-Za-z0-9]{1,512}", "takes letters, digits and . - _ / # only"),
        AfterValidator(log_group_name),
    ] = "/ecs/lobster-streamlit"
    retention_days: int = 30

    @field_validator("retention_days")
    @classmethod
    def _retention_is_one_of(cls, days: int) -> int:
        if days not in RETENTION_DAYS:
            raise ValueError(f"CloudWatch Logs has no {days} days; it has {listed(RETENTION_DAYS)}")
        return days


class NetworkSettings(Section):
    """The network of the service; by default two subnets in two Availability Zones of the default VPC."""

    vpc: (
        Annotated[str, matching(r"vpc-[0-9a-f]{1,40}", "takes the id of a VPC, as in vpc-0a1b2c3d")] | None
    ) = None
    subnets: (
        Annotated[tuple[SubnetId, ...], BeforeValidator(comma_separated), AfterValidator(distinct)] | None
    ) = None
    public: bool = True
    """Whether tasks get a public IP address, which they need in a public subnet to reach ECR and Secrets Manager."""
    task_subnets: Annotated[
        tuple[SubnetId, ...],
        Field(max_length=16),
        BeforeValidator(comma_separated),
        AfterValidator(distinct),
    ] = ()
    """Subnets of the tasks, where they differ from the load balancer's; they must be in its zones to get requests."""
    security_groups: Annotated[
        tuple[GroupId, ...],
        Field(max_length=4),
        BeforeValidator(comma_separated),
        AfterValidator(distinct),
    ] = ()
    """Additional security groups of the tasks, such as one that a database allows."""

    @field_validator("subnets")
    @classmethod
    def _two_subnets(cls, subnets: tuple[str, ...] | None) -> tuple[str, ...] | None:
        if subnets is not None and len(subnets) < 2:
            raise ValueError("a load balancer takes at least two, in two Availability Zones")
        return subnets


@dataclass(frozen=True)
class LoadBalancerNames:
    """The names of a load balancer, its target group and its security group."""

    name: str
    target_group: str
    security_group: str

    @property
    def second(self) -> LoadBalancerNames:
        """The names of a second one beside it."""
        return LoadBalancerNames(
            _second(self.name, LONGEST_BALANCER_NAME),
            _second(self.target_group, LONGEST_BALANCER_NAME),
            _second(self.security_group, LONGEST_GROUP_NAME),
        )


def _second(name: str, most: int) -> str:
    """``name-2``, shortened to ``most`` characters; another number where that is the same name."""
    names = (f"{name[: most - 2].rstrip('-')}-{number}" for number in (2, 3))
    return next(each for each in names if each != name)


class LoadBalancerSettings(Section):
    """The Application Load Balancer; ``idle_timeout`` in seconds, ``certificate`` is the ARN of an ACM
    certificate."""

    _other: LoadBalancerNames | None = PrivateAttr(default=None)

    name: LoadBalancerName = "lobster-alb"
    target_group: TargetGroupName = "lobster-tg"
    security_group: GroupName = "lobster-alb-sg"
    internal: bool = False
    allowed_cidrs: (
        Annotated[
            tuple[Cidr, ...],
            Field(max_length=30),
            BeforeValidator(comma_separated),
            AfterValidator(distinct),
            AfterValidator(somebody),
        ]
        | None
    ) = None
    """CIDR blocks that may reach the load balancer, or the distribution in front of it; None allows everybody. EC2
    allows 60 rules per security group, and each port needs one per block."""
    dual_stack: bool = False
    """Whether the load balancer has IPv6 addresses too; its subnets then need IPv6 CIDR blocks."""
    idle_timeout: Annotated[int, Field(ge=1, le=4000)] = 300
    certificate: CertificateArn | None = None
    stickiness: bool = True
    web_acl: Annotated[str, AfterValidator(web_acl_arn)] | None = None
    """The ARN of the AWS WAF web ACL that protects the load balancer. It is associated, but never created, changed
    or deleted. None leaves an existing association as it is."""

    @property
    def names(self) -> LoadBalancerNames:
        """Its name and those of its groups."""
        return LoadBalancerNames(self.name, self.target_group, self.security_group)

    @property
    def other(self) -> LoadBalancerNames:
        """The names of the load balancer that takes its place, or whose place it takes, where the scheme changes."""
        return self._other or self.names.second

    def swapped(self) -> LoadBalancerSettings:
        """The same settings with the names of the other load balancer."""
        made = self.model_copy(update=asdict(self.other))
        made._other = self.names
        return made


class FrontSettings(Section):
    """What visitors connect to: the load balancer, or a CloudFront distribution in front of an internal one."""

    kind: Literal["none", "cloudfront"] = "none"
    certificate: CertificateArn | None = None
    """The ARN of an ACM certificate in us-east-1 for ``domains``, in place of one that ``inv cutover`` requests."""
    web_acl: Annotated[str, AfterValidator(web_acl_arn_for_cloudfront)] | None = None
    """The ARN of the AWS WAF web ACL that protects the distribution. It is used, but never created, changed or deleted.
    None leaves another one as it is."""


# The settings of each kind of sign-in, besides those that both have: all are required, and none is another kind's.
_SIGN_IN_NEEDS: Mapping[str, Sequence[str]] = {
    "none": (),
    "oidc": (
        *("issuer", "authorization_endpoint", "token_endpoint", "user_info_endpoint"),
        *("client_id", "client_secret"),
    ),
    "cognito": ("user_pool", "user_pool_domain", "client_id"),
}


class SignInSettings(Section):
    """Sign-in at the load balancer, with an OpenID Connect provider or a user pool of Amazon Cognito.

    ``session_timeout`` in seconds.
    """

    kind: Literal["none", "oidc", "cognito"] = "none"
    issuer: HttpsUrl | None = None
    authorization_endpoint: HttpsUrl | None = None
    token_endpoint: HttpsUrl | None = None
    user_info_endpoint: HttpsUrl | None = None
    client_id: Annotated[str, matching(r"[\x21-\x7e]{1,1024}", "takes an id without spaces")] | None = None
    client_secret: Annotated[str, AfterValidator(secret_in_secrets_manager)] | None = None
    """The name or ARN of the secret in Secrets Manager that contains the client secret."""
    user_pool: (
        Annotated[
            str,
            matching(
                r"arn:aws[\w-]{0,20}:cognito-idp:[\w-]{1,40}:\d{12}:userpool/[\w-]{1,55}|[a-z0-9-]{1,40}_[A-Za-z0-9]{1,40}",
                "takes the ARN or the id of a user pool, as in us-east-2_AbCdEfGhI",
            ),
        ]
        | None
    ) = None
    user_pool_domain: (
        Annotated[
            str,
            matching(
                r"[a-z0-9]([a-z0-9.-]{0,250}[a-z0-9])?",
                "takes the prefix of the user pool's domain, or its own domain name",
            ),
        ]
        | None
    ) = None
    scope: Annotated[
        str, matching(r"[\x21-\x7e]{1,255}( [\x21-\x7e]{1,255}){0,50}", "takes scopes separated by spaces")
    ] = "openid"
    session_timeout: Annotated[int, Field(ge=1, le=604_800)] = 604_800

    @property
    def is_on(self) -> bool:
        """Whether visitors have to sign in."""
        return self.kind != "none"


def _sign_in_is_whole(sign_in: SignInSettings) -> SignInSettings:
    """Check that the settings are those of the kind."""
    needs = _SIGN_IN_NEEDS[sign_in.kind]
    every = dict.fromkeys(name for names in _SIGN_IN_NEEDS.values() for name in names)
    if more := [name for name in every if name not in needs and getattr(sign_in, name) is not None]:
        kinds = [kind for kind, names in _SIGN_IN_NEEDS.items() if more[0] in names]
        raise ValueError(f"kind {sign_in.kind} has no {listed(more)}; kind {' or '.join(kinds)} has")
    if missing := [name for name in needs if getattr(sign_in, name) is None]:
        raise ValueError(f"kind {sign_in.kind} needs {listed(missing)} too")
    return sign_in


class HealthCheckSettings(Section):
    """The target group's health check; ``interval``, ``timeout`` and ``grace_period`` in seconds."""

    path: Path = "/_stcore/health"
    interval: Annotated[int, Field(ge=5, le=300)] = 5
    timeout: Annotated[int, Field(ge=2, le=120, validate_default=True)] = 4
    healthy_threshold: Annotated[int, Field(ge=2, le=10)] = 2
    unhealthy_threshold: Annotated[int, Field(ge=2, le=10)] = 3
    grace_period: Annotated[int, Field(ge=0, le=2_147_483_647)] = 60

    @field_validator("timeout")
    @classmethod
    def _timeout_is_within_the_interval(cls, timeout: int, info: ValidationInfo) -> int:
        if timeout >= (interval := info.data.get("interval", timeout + 1)):
            raise ValueError(f"{timeout} s must be less than the interval of {interval} s")
        return timeout


class DeploymentSettings(Section):
    """How ECS replaces tasks; ``deregistration_delay`` in seconds, ``wait_minutes`` is the time limit of a wait."""

    desired_count: Annotated[int, Field(ge=0)] = 1
    minimum_healthy_percent: Annotated[int, Field(ge=0, le=100)] = 100
    maximum_percent: Annotated[int, Field(ge=100, le=200, validate_default=True)] = 200
    deregistration_delay: Annotated[int, Field(ge=0, le=3600)] = 30
    wait_minutes: Annotated[float, Field(gt=0, le=MOST_WAIT_MINUTES)] = 15
    rollback: bool = True
    accept: Annotated[tuple[str, ...], BeforeValidator(comma_separated), AfterValidator(distinct)] = ()
    """Codes of causes for which ``inv deploy`` does not refuse a release in advance."""

    @field_validator("maximum_percent")
    @classmethod
    def _a_task_can_be_replaced(cls, maximum: int, info: ValidationInfo) -> int:
        """Check that a task can be replaced: ECS rounds the minimum up and the maximum down
        ("DeploymentConfiguration")."""
        minimum, count = info.data.get("minimum_healthy_percent"), info.data.get("desired_count")
        if minimum is None or count is None:
            return maximum
        tasks = max(count, 1)
        if tasks * maximum // 100 <= tasks <= -(-tasks * minimum // 100):
            raise ValueError(
                f"with minimum_healthy_percent {minimum} and {tasks} task{'' if tasks == 1 else 's'} ECS could "
                "neither start a new one nor stop an old one"
            )
        return maximum


class ScalingSettings(Section):
    """Service auto scaling. It is on when ``max`` is set, and then controls the number of tasks.

    ``average_cpu`` and ``average_memory`` are percentages, ``requests_per_target`` is requests per minute; 0 is off.
    """

    min: Annotated[int, Field(ge=1)] = 1
    max: Annotated[int, Field(ge=1)] | None = None
    average_cpu: Annotated[int, Field(ge=0, le=100)] = 60
    average_memory: Annotated[int, Field(ge=0, le=100)] = 0
    requests_per_target: Annotated[int, Field(ge=0)] = 0

    @field_validator("max")
    @classmethod
    def _bounds_are_in_order(cls, most: int | None, info: ValidationInfo) -> int | None:
        if most is not None and most < (least := info.data.get("min", 1)):
            raise ValueError(f"{most} is less than scaling.min, which is {least}")
        return most

    @property
    def targets(self) -> dict[str, int]:
        """The target value of each metric that is on, by the metric's name in the settings."""
        given = {
            "average_cpu": self.average_cpu,
            "average_memory": self.average_memory,
            "requests_per_target": self.requests_per_target,
        }
        return {name: value for name, value in given.items() if value}


def _scales_by_something(scaling: ScalingSettings) -> ScalingSettings:
    if scaling.max is not None and not scaling.targets:
        raise ValueError(
            "max is given, but no metric to scale by: average_cpu, average_memory or requests_per_target"
        )
    return scaling


class ImageSettings(Section):
    """How many images ECR keeps (0 leaves the lifecycle policy alone), and how ``inv push-image`` builds."""

    keep: Annotated[int, Field(ge=0), AfterValidator(not_one)] = 20
    builder: Literal["auto", "docker", "podman", "process"] = "auto"
    target: (
        Annotated[
            str,
            BeforeValidator(as_text),
            matching(
                r"[A-Za-z0-9][\w.-]{0,127}", "takes the name or the number of a stage of the Dockerfile"
            ),
        ]
        | None
    ) = None
    """The stage that becomes the image; None is the last one."""
    secrets: Annotated[
        tuple[str, ...], Field(max_length=32), BeforeValidator(shell_words), AfterValidator(build_secrets)
    ] = ()
    """Secrets that RUN mounts while the image is built: ``id=NAME,src=FILE`` or ``id=NAME,env=VARIABLE``."""
    cache_from: Annotated[tuple[BuildCache, ...], BeforeValidator(shell_words)] = ()
    """Where a builder looks for results of earlier builds, as ``docker buildx build --cache-from`` takes it."""
    cache_to: Annotated[tuple[BuildCache, ...], BeforeValidator(shell_words)] = ()
    """Where a builder leaves its results for later builds, as ``docker buildx build --cache-to`` takes it."""


class GitHubSettings(Section):
    """The GitHub workflows that may deploy: those of a repository, on one branch or for one environment."""

    repository: (
        Annotated[
            str,
            matching(r"[\w-]{1,100}/[\w.-]{1,100}", "takes owner/name, as in octocat/hello-world"),
            AfterValidator(github_repository),
        ]
        | None
    ) = None
    branch: Annotated[
        str,
        matching(r"[^\s:*?$\[\\^~\x00-\x1f\x7f]{1,255}", "takes a branch's name, as in main, without $"),
        AfterValidator(github_branch),
    ] = "main"
    environment: (
        Annotated[
            str,
            Field(max_length=255),
            matching(r"[^:*?$\x00-\x1f\x7f]{1,255}", "takes a name without : * ? $ and without line breaks"),
        ]
        | None
    ) = None
    role: RoleName = "github-deploys"
    owner_id: Annotated[int, Field(ge=1)] | None = None
    repository_id: Annotated[int, Field(ge=1)] | None = None

    def subjects(self, partition: str) -> tuple[str, ...]:
        """Patterns for the ``sub`` claim of GitHub's tokens; empty without a repository.

        An environment replaces the branch. Repositories that were created, renamed or transferred since the middle of
        2026, and those that opted in, have ids after the names; others do not ("OpenID Connect reference", "Immutable
        subject claims"). ``*`` stands for an id that is not set. It also matches text that administrators of a
        repository put into a custom subject, so there is no such pattern where STS does not support ``claims``.
        """
        if self.repository is None:
            return ()
        owner, _, name = self.repository.partition("/")
        where = f"environment:{self.environment}" if self.environment else f"ref:refs/heads/{self.branch}"
        names = f"repo:{owner}/{name}:{where}"
        ids = f"repo:{owner}@{self.owner_id or '*'}/{name}@{self.repository_id or '*'}:{where}"
        if _sts_knows_claims(partition):
            return names, ids
        return (ids,) if self.owner_id and self.repository_id else (names,)

    def claims(self, partition: str) -> dict[str, str]:
        """Values of further claims of the tokens, each of which is a condition key of STS; empty without a
        repository.

        Every token has these claims, whatever its subject is, and no repository can set those of another ("OpenID
        Connect reference", "OIDC token claims"). In a subject a colon of an environment's name is ``%3A``.
        """
        if self.repository is None or not _sts_knows_claims(partition):
            return {}
        numbers = {"repository_owner_id": self.owner_id, "repository_id": self.repository_id}
        ids = {name: str(value) for name, value in numbers.items() if value}
        if self.environment:
            return {"repository": self.repository, **ids, "environment": self.environment.replace("%3A", ":")}
        return {"repository": self.repository, **ids, "ref": f"refs/heads/{self.branch}"}


def _sts_knows_claims(partition: str) -> bool:
    """Whether conditions can use claims of a token other than ``aud`` and ``sub``.

    "All AWS commercial Regions" ("AWS STS now supports validation of select identity provider specific claims",
    January 2026).
    """
    return partition == "aws"


class ProbeSettings(Section):
    """The paths that are probed as visitors reach them; ``websocket: false`` for an app without WebSockets."""

    path: Path = "/"
    websocket: Annotated[str | None, BeforeValidator(path_or_none)] = "/_stcore/stream"


def service_name(given: str) -> str:
    """The name of an App Runner service, from its name or its ARN."""
    return given.split("/")[1] if given.startswith("arn:") else given


class AppRunnerSettings(Section):
    """The App Runner service that the stack replaces, and the conditions for its clean-up."""

    service: (
        Annotated[
            str,
            matching(
                r"[A-Za-z0-9][A-Za-z0-9_-]{3,39}|arn:aws[\w-]{0,20}:apprunner:[\w-]{1,40}:\d{12}:service/[A-Za-z0-9][\w-]{3,39}(/[\w-]{1,64})?",
                "takes the name of an App Runner service, or its ARN",
            ),
        ]
        | None
    ) = None
    paths: Annotated[tuple[Path, ...], BeforeValidator(comma_separated), AfterValidator(distinct)] = ()
    """Paths that ``inv compare-apprunner`` requests besides the health check path and ``probe.path``."""
    slow_path: Annotated[str | None, BeforeValidator(path_or_none)] = None
    """A path whose response takes longer than App Runner's limit of 120 seconds per request."""
    soak_hours: Annotated[float, Field(ge=0)] = 24
    """How long the new service must have been live before ``inv cleanup-apprunner``, in hours."""
    quiet_minutes: Annotated[float, Field(ge=1, le=LONGEST_QUIET_MINUTES)] = 60
    """How long App Runner must have had no visitors before ``inv cleanup-apprunner``, in minutes.

    At most as long as CloudWatch keeps the number of requests.
    """
    quiet_requests: Annotated[int, Field(ge=0)] = 0
    """How many requests in ``quiet_minutes`` still count as no visitors; requests answered with 4xx are not
    counted."""


class Settings(Section):
    """All settings of one stack; the defaults are the names and numbers of the migration plan."""

    name: Annotated[
        str,
        Field(max_length=64),
        matching(
            r"[A-Za-z0-9][A-Za-z0-9._-]{0,254}",
            "takes letters, digits and . - _ only, a letter or digit first",
        ),
    ] = "lobster"
    region: Annotated[str, matching(REGION, "takes a region's code, as in us-east-2")] = DEFAULT_REGION
    tags: Annotated[dict[str, Text], Field(max_length=MOST_TAGS), AfterValidator(as_tags)] = Field(
        default_factory=dict
    )
    """Additional tags of every resource of the stack."""
    cluster: Name = "lobster-cluster"
    service: Name = "lobster-streamlit-service"
    repository: Annotated[
        str,
        Field(min_length=2, max_length=256),
        matching(
            r"[a-z0-9]{1,256}([._/-][a-z0-9]{1,256}){0,127}",
            "takes lower-case letters, digits and single . _ - / between them (no registry, no tag)",
        ),
    ] = "homara"
    dockerfile: Annotated[str, Field(min_length=1)] = "Dockerfile.streamlit"
    task: TaskSettings = Field(default_factory=TaskSettings)
    container: ContainerSettings = Field(default_factory=ContainerSettings)
    xray: XRaySettings = Field(default_factory=XRaySettings)
    logs: LogSettings = Field(default_factory=LogSettings)
    images: ImageSettings = Field(default_factory=ImageSettings)
    network: NetworkSettings = Field(default_factory=NetworkSettings)
    load_balancer: LoadBalancerSettings = Field(default_factory=LoadBalancerSettings)
    front: FrontSettings = Field(default_factory=FrontSettings)
    domains: Annotated[
        tuple[Domain, ...],
        Field(max_length=100, validate_default=True),
        BeforeValidator(comma_separated),
        AfterValidator(distinct),
    ] = ()
    """The app's own domain names, which ``inv cutover`` moves. They get HTTPS with one ACM certificate for all of
    them."""
    sign_in: Annotated[SignInSettings, AfterValidator(_sign_in_is_whole)] = Field(
        default_factory=SignInSettings
    )
    tasks_security_group: GroupName = "lobster-ecs-sg"
    health_check: HealthCheckSettings = Field(default_factory=HealthCheckSettings)
    deployment: DeploymentSettings = Field(default_factory=DeploymentSettings)
    scaling: Annotated[ScalingSettings, AfterValidator(_scales_by_something)] = Field(
        default_factory=ScalingSettings
    )
    github: GitHubSettings = Field(default_factory=GitHubSettings)
    probe: ProbeSettings = Field(default_factory=ProbeSettings)
    apprunner: AppRunnerSettings = Field(default_factory=AppRunnerSettings)
    profile: Literal["fast", "seed"] = "fast"

    def task_policies(self, partition: str) -> tuple[str, ...]:
        """ARNs of the task role's managed policies: the app's, and the one that the X-Ray collector needs."""
        collects = f"arn:{partition}:iam::aws:policy/AWSXRayDaemonWriteAccess"
        return tuple(dict.fromkeys((*self.task.policies, *([collects] if self.xray.enabled else []))))

    @field_validator("load_balancer")
    @classmethod
    def _what_it_names_is_here(
        cls, balancer: LoadBalancerSettings, info: ValidationInfo
    ) -> LoadBalancerSettings:
        region = info.data.get("region")
        for name, arn in (("certificate", balancer.certificate), ("web_acl", balancer.web_acl)):
            if region and arn and arn.split(":")[3] != region:
                raise ValueError(f"{name} is not in {region}, where the load balancer is")
        return balancer

    @field_validator("front")
    @classmethod
    def _the_load_balancer_fits(cls, front: FrontSettings, info: ValidationInfo) -> FrontSettings:
        if front.certificate and front.kind == "none":
            raise ValueError(
                "certificate is for CloudFront; set load_balancer.certificate, or front.kind: cloudfront"
            )
        where = front.certificate.split(":")[3] if front.certificate else VIEWER_CERTIFICATES_IN
        if where != VIEWER_CERTIFICATES_IN:
            raise ValueError(
                f"certificate is in {where}, and CloudFront takes certificates of {VIEWER_CERTIFICATES_IN} only; "
                "delete front.certificate, and inv cutover requests one there, or set the ARN of one there"
            )
        balancer = info.data.get("load_balancer")
        if front.kind == "none" and front.web_acl:
            raise ValueError(
                "web_acl protects a distribution, and kind is none; set kind: cloudfront, or load_balancer.web_acl"
            )
        if front.kind == "none" or not isinstance(balancer, LoadBalancerSettings):
            return front
        if balancer.certificate:
            raise ValueError(
                "cloudfront reaches the load balancer by HTTP, and its own certificate is front.certificate; delete "
                "load_balancer.certificate"
            )
        listed = balancer.allowed_cidrs or ()
        if front.web_acl and listed:
            raise ValueError(
                "web_acl and load_balancer.allowed_cidrs exclude each other, because a distribution has one web ACL; "
                "allow the addresses in your web ACL, or delete front.web_acl"
            )
        if [each for each in listed if each.endswith("/0")]:
            raise ValueError(
                "cloudfront limits visitors by a web ACL, and AWS WAF takes no /0; delete load_balancer.allowed_cidrs "
                "to let everybody in"
            )
        return front

    @field_validator("domains")
    @classmethod
    def _the_certificate_has_domains(cls, domains: tuple[str, ...], info: ValidationInfo) -> tuple[str, ...]:
        front = info.data.get("front")
        if not domains and isinstance(front, FrontSettings) and front.certificate:
            raise ValueError("front.certificate is for domains; set them, or delete front.certificate")
        return domains

    @field_validator("sign_in")
    @classmethod
    def _sign_in_has_https(cls, sign_in: SignInSettings, info: ValidationInfo) -> SignInSettings:
        front, balancer = info.data.get("front"), info.data.get("load_balancer")
        if not sign_in.is_on:
            return sign_in
        if isinstance(front, FrontSettings) and front.kind == "cloudfront":
            raise ValueError(
                "a load balancer signs visitors in over HTTPS only, and front.kind: cloudfront reaches it over HTTP; "
                "set front.kind: none, and domains or load_balancer.certificate"
            )
        if isinstance(balancer, LoadBalancerSettings) and not (
            balancer.certificate or info.data.get("domains")
        ):
            raise ValueError(
                "a load balancer signs visitors in over HTTPS only; set domains or load_balancer.certificate"
            )
        return sign_in

    @field_validator("github")
    @classmethod
    def _deploy_role_differs(cls, github: GitHubSettings, info: ValidationInfo) -> GitHubSettings:
        task = info.data.get("task")
        if isinstance(task, TaskSettings) and github.role in (task.execution_role, task.task_role):
            raise ValueError(
                "role must differ from the task's roles: GitHub would get permissions that only ECS needs"
            )
        return github

    @field_validator("tasks_security_group")
    @classmethod
    def _groups_differ(cls, group: str, info: ValidationInfo) -> str:
        balancer = info.data.get("load_balancer")
        if not isinstance(balancer, LoadBalancerSettings):
            return group
        if balancer.security_group == group:
            raise ValueError("must differ from load_balancer.security_group")
        if balancer.names.second.security_group == group:
            raise ValueError(
                f"must differ from {group}, the group of a second load balancer, which a change of front.kind needs"
            )
        return group

    @property
    def is_fronted(self) -> bool:
        """Whether visitors reach the app through a distribution."""
        return self.front.kind == "cloudfront"

    @property
    def certificate(self) -> str:
        """The ARN of the certificate that the settings name for what visitors connect to; empty where none."""
        return (self.front.certificate if self.is_fronted else self.load_balancer.certificate) or ""

    @property
    def has_https_listener(self) -> bool:
        """Whether the load balancer gets a certificate, now or once it is issued."""
        return not self.is_fronted and bool(self.certificate or self.domains)

    @property
    def is_internal(self) -> bool:
        """Whether the load balancer has no public addresses."""
        return self.load_balancer.internal or self.is_fronted

    def accepting(self, codes: Iterable[str]) -> Settings:
        """A copy with additional codes in ``deployment.accept``."""
        accept = tuple(dict.fromkeys([*self.deployment.accept, *codes]))
        return self.model_copy(update={"deployment": self.deployment.model_copy(update={"accept": accept})})
