"""invoke.yaml, environment and flags become one frozen ``Settings``; everything wrong is reported at once.

The section ``lobster:`` of ``invoke.yaml`` is overridden by ``INVOKE_LOBSTER_<SECTION>_<KEY>``, then by flags
(``--set section.key=value``). The defaults build the system of the plan, in us-east-2.
"""

from __future__ import annotations

import difflib
import re
import shlex
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    ValidationInfo,
    field_validator,
)

from .errors import SettingsError

ENV_PREFIX = "INVOKE_LOBSTER_"
DEFAULT_REGION = "us-east-2"

# Task CPU units -> the memory sizes (MiB) that Fargate has for them ("Fargate task CPU and memory").
FARGATE_MEMORY: dict[int, Sequence[int]] = {
    256: (512, 1024, 2048),
    512: range(1024, 4096 + 1, 1024),
    1024: range(2048, 8192 + 1, 1024),
    2048: range(4096, 16384 + 1, 1024),
    4096: range(8192, 30720 + 1, 1024),
    8192: range(16384, 61440 + 1, 4096),
    16384: range(32768, 122880 + 1, 8192),
}
# CloudWatch Logs, PutRetentionPolicy, retentionInDays.
RETENTION_DAYS = (
    *(1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731),
    *(1096, 1827, 2192, 2557, 2922, 3288, 3653),
)
_SECRET_PREFIXES = (
    "sk-",
    "sk_",
    "pk_",
    "rk_",
    "whsec_",
    "ghp_",
    "gho_",
    "github_pat_",
    "xox",
    "AKIA",
    "ASIA",
)
_SECRET_ARN = re.compile(
    r"arn:aws[\w-]*:(secretsmanager:[\w-]+:\d{12}:secret:|ssm:[\w-]+:\d{12}:parameter/)\S+"
)
_PARAMETER_NAME = re.compile(r"/?[A-Za-z0-9_.-]+(/[A-Za-z0-9_.-]+)*")


def _elb_name(value: str) -> str:
    """The name rules of CreateLoadBalancer and CreateTargetGroup."""
    if len(value) > 32:
        raise ValueError(f"is {len(value)} characters long; Elastic Load Balancing takes at most 32")
    if not re.fullmatch(r"[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?", value):
        raise ValueError("Elastic Load Balancing takes letters, digits and inner hyphens only")
    if value.startswith("internal-"):
        raise ValueError("Elastic Load Balancing refuses names that begin with 'internal-'")
    return value


def _group_name(value: str) -> str:
    """The name rules of CreateSecurityGroup."""
    if value.startswith("sg-"):
        raise ValueError("EC2 refuses security group names that begin with 'sg-'")
    return value


def _secret_reference(value: str) -> str:
    """A secret is named, never valued; the message must not repeat what may be one."""
    if _SECRET_ARN.fullmatch(value):
        return value
    if not _PARAMETER_NAME.fullmatch(value) or _looks_like_a_secret(value):
        raise ValueError(
            "looks like a secret's value; give the ARN of a Secrets Manager secret, or the ARN or name of an "
            "SSM parameter (its name begins with '/')"
        )
    return value


def _looks_like_a_secret(value: str) -> bool:
    if value.startswith("/"):
        return False
    kinds = sum(bool(re.search(kind, value)) for kind in ("[a-z]", "[A-Z]", "[0-9]"))
    return value.startswith(_SECRET_PREFIXES) or (len(value) >= 20 and kinds == 3)


def _comma_separated(value: object) -> object:
    return [part.strip() for part in value.split(",") if part.strip()] if isinstance(value, str) else value


def _shell_words(value: object) -> object:
    return shlex.split(value) if isinstance(value, str) else value


def _path_or_none(value: object) -> object:
    """``false`` is a word when it comes from the environment or a flag."""
    if value is False or value in ("false", ""):
        return None
    if not isinstance(value, str) or not value.startswith("/"):
        raise ValueError("takes a path that begins with '/', or false")
    return value


def _listed(values: Iterable[object]) -> str:
    return ", ".join(map(str, values))


def _text(value: object) -> object:
    """YAML reads PORT: 8501 as a number; an environment variable is text."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value) if isinstance(value, int | float) else value


Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]+$", min_length=1, max_length=255)]
RoleName = Annotated[str, Field(pattern=r"^[\w+=,.@-]+$", max_length=64)]
ElbName = Annotated[str, AfterValidator(_elb_name)]
GroupName = Annotated[
    str, Field(pattern=r"^[\w .\-:/()#,@\[\]+=&;{}!$*]+$", max_length=255), AfterValidator(_group_name)
]
Port = Annotated[int, Field(ge=1, le=65535)]
Path = Annotated[str, Field(pattern=r"^/", max_length=1024)]
Words = Annotated[tuple[str, ...], BeforeValidator(_comma_separated)]
Text = Annotated[str, BeforeValidator(_text)]
SecretReference = Annotated[str, AfterValidator(_secret_reference)]


class _Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


class TaskSettings(_Section):
    """The task definition's own members; ``cpu`` in CPU units (1024 is one vCPU), ``memory`` in MiB."""

    family: Name = "lobster-streamlit-task"
    cpu: int = 512
    memory: Annotated[int, Field(validate_default=True)] = 1024
    architecture: Literal["X86_64", "ARM64"] = "X86_64"
    execution_role: RoleName = "ecsTaskExecutionRole"
    task_role: RoleName = "ecsTaskRole"
    policies: Words = ()
    """ARNs of managed policies that the app needs, attached to the task role."""

    @field_validator("cpu")
    @classmethod
    def _fargate_has_the_cpu(cls, cpu: int) -> int:
        if cpu not in FARGATE_MEMORY:
            raise ValueError(f"Fargate has no {cpu} CPU units; it has {_listed(FARGATE_MEMORY)}")
        return cpu

    @field_validator("memory")
    @classmethod
    def _fargate_has_the_pair(cls, memory: int, info: ValidationInfo) -> int:
        cpu = info.data.get("cpu")
        if cpu in FARGATE_MEMORY and memory not in FARGATE_MEMORY[cpu]:
            sizes = _listed(FARGATE_MEMORY[cpu])
            raise ValueError(f"Fargate has no {memory} MiB with cpu {cpu}; it has {sizes}")
        return memory


class ContainerSettings(_Section):
    """The one container: ``secrets`` maps an environment variable to where its value is kept."""

    name: Name = "lobster-streamlit"
    port: Port = 8501
    command: Annotated[tuple[str, ...], BeforeValidator(_shell_words)] | None = None
    environment: dict[str, Text] = Field(default_factory=dict)
    secrets: dict[str, SecretReference] = Field(default_factory=dict)

    @field_validator("secrets")
    @classmethod
    def _a_name_has_one_source(cls, secrets: dict[str, str], info: ValidationInfo) -> dict[str, str]:
        if both := sorted(info.data.get("environment", {}).keys() & secrets.keys()):
            raise ValueError(f"{_listed(both)} is in environment too; a name has one source")
        return secrets


class LogSettings(_Section):
    """CloudWatch Logs."""

    group: Annotated[str, Field(pattern=r"^[.\-_/#A-Za-z0-9]+$", max_length=512)] = "/ecs/lobster-streamlit"
    retention_days: int = 30

    @field_validator("retention_days")
    @classmethod
    def _retention_is_one_of(cls, days: int) -> int:
        if days not in RETENTION_DAYS:
            raise ValueError(f"CloudWatch Logs has no {days} days; it has {_listed(RETENTION_DAYS)}")
        return days


class NetworkSettings(_Section):
    """Where it runs; nothing given means the default VPC and two of its subnets in two zones."""

    vpc: Annotated[str, Field(pattern=r"^vpc-")] | None = None
    subnets: Words | None = None
    public: bool = True
    """Tasks get a public address, which is how they reach ECR and Secrets Manager in a public subnet."""


class LoadBalancerSettings(_Section):
    """The Application Load Balancer; ``idle_timeout`` in seconds, ``certificate`` an ACM ARN for HTTPS."""

    name: ElbName = "lobster-alb"
    target_group: ElbName = "lobster-tg"
    security_group: GroupName = "lobster-alb-sg"
    internal: bool = False
    idle_timeout: Annotated[int, Field(ge=1, le=4000)] = 300
    certificate: Annotated[str, Field(pattern=r"^arn:aws[\w-]*:acm:")] | None = None
    stickiness: bool = True


class HealthCheckSettings(_Section):
    """The target group's health check; ``interval``, ``timeout`` and ``grace_period`` in seconds."""

    path: Path = "/_stcore/health"
    interval: Annotated[int, Field(ge=5, le=300)] = 5
    timeout: Annotated[int, Field(ge=2, le=120, validate_default=True)] = 4
    healthy_threshold: Annotated[int, Field(ge=2, le=10)] = 2
    unhealthy_threshold: Annotated[int, Field(ge=2, le=10)] = 3
    grace_period: Annotated[int, Field(ge=0)] = 60

    @field_validator("timeout")
    @classmethod
    def _timeout_is_within_the_interval(cls, timeout: int, info: ValidationInfo) -> int:
        if timeout >= (interval := info.data.get("interval", timeout + 1)):
            raise ValueError(f"{timeout} s must be less than the interval of {interval} s")
        return timeout


class DeploymentSettings(_Section):
    """How ECS replaces tasks; ``deregistration_delay`` in seconds, ``wait_minutes`` bounds a wait."""

    desired_count: Annotated[int, Field(ge=0)] = 1
    minimum_healthy_percent: Annotated[int, Field(ge=0, le=100)] = 100
    maximum_percent: Annotated[int, Field(ge=100, le=200)] = 200
    deregistration_delay: Annotated[int, Field(ge=0, le=3600)] = 30
    wait_minutes: Annotated[float, Field(gt=0, le=360)] = 15
    rollback: bool = True


class ImageSettings(_Section):
    """What the ECR repository keeps, and how ``inv push-image`` builds."""

    keep: Annotated[int, Field(ge=2)] = 20
    builder: Literal["auto", "docker", "podman", "process"] = "auto"


class ProbeSettings(_Section):
    """What is asked of a release through the load balancer; ``websocket: false`` for an app without one."""

    path: Path = "/"
    websocket: Annotated[str | None, BeforeValidator(_path_or_none)] = "/_stcore/stream"


class Settings(_Section):
    """All settings of one stack; the defaults are the plan's names and numbers."""

    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$", max_length=64)] = "lobster"
    region: Annotated[str, Field(pattern=r"^[a-z]{2,}(-[a-z]+)+-\d$")] = DEFAULT_REGION
    cluster: Name = "lobster-cluster"
    service: Name = "lobster-streamlit-service"
    repository: Annotated[
        str, Field(pattern=r"^[a-z0-9]+([._/-][a-z0-9]+)*$", min_length=2, max_length=256)
    ] = "homara"
    dockerfile: str = "Dockerfile.streamlit"
    task: TaskSettings = Field(default_factory=TaskSettings)
    container: ContainerSettings = Field(default_factory=ContainerSettings)
    logs: LogSettings = Field(default_factory=LogSettings)
    images: ImageSettings = Field(default_factory=ImageSettings)
    network: NetworkSettings = Field(default_factory=NetworkSettings)
    load_balancer: LoadBalancerSettings = Field(default_factory=LoadBalancerSettings)
    tasks_security_group: GroupName = "lobster-ecs-sg"
    health_check: HealthCheckSettings = Field(default_factory=HealthCheckSettings)
    deployment: DeploymentSettings = Field(default_factory=DeploymentSettings)
    probe: ProbeSettings = Field(default_factory=ProbeSettings)
    profile: Literal["fast", "seed"] = "fast"

    @field_validator("tasks_security_group")
    @classmethod
    def _groups_differ(cls, group: str, info: ValidationInfo) -> str:
        balancer = info.data.get("load_balancer")
        if isinstance(balancer, LoadBalancerSettings) and balancer.security_group == group:
            raise ValueError("must differ from load_balancer.security_group")
        return group


# The plan's own numbers, as defaults under ``profile: seed``.
SEED_PROFILE: dict[str, dict[str, Any]] = {
    "health_check": {"path": "/healthz", "interval": 30, "timeout": 5, "healthy_threshold": 2},
    "deployment": {"deregistration_delay": 300},
}


def load(
    given: Mapping[str, Any],
    environ: Mapping[str, str] | None = None,
    flags: Sequence[str] = (),
) -> Settings:
    """Settings from the ``lobster:`` section, the environment and ``--set key=value`` flags.

    Later ones win. A key whose value is null is as good as not given.
    Raises SettingsError with every problem.
    """
    environ = environ or {}
    merged = _without_nulls(given)
    problems: list[str] = []
    for path, value in [*_from_environ(environ, problems), *_from_flags(flags, problems)]:
        _put(merged, path, value)
    problems += _settle_region(merged, environ)
    if merged.get("profile") == "seed":
        merged = _merge(SEED_PROFILE, merged)
    try:
        settings = Settings.model_validate(merged)
    except ValidationError as invalid:
        raise SettingsError(problems + [_sentence(error) for error in invalid.errors()]) from None
    if problems:
        raise SettingsError(problems)
    return settings


def keys(model: type[BaseModel] = Settings, prefix: str = "") -> Iterator[str]:
    """Every known key, dotted, sections' members included and the sections themselves left out."""
    for name, field in model.model_fields.items():
        if isinstance(field.annotation, type) and issubclass(field.annotation, _Section):
            yield from keys(field.annotation, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}"


def _from_environ(environ: Mapping[str, str], problems: list[str]) -> list[tuple[str, str]]:
    variables = {ENV_PREFIX + key.replace(".", "_").upper(): key for key in keys()}
    found = []
    for variable, value in environ.items():
        if variable in variables:
            found.append((variables[variable], value))
        elif variable.startswith(ENV_PREFIX):
            problems.append(f"{variable}: there is no such setting{_nearest(variable, variables)}")
    return found


def _from_flags(flags: Sequence[str], problems: list[str]) -> list[tuple[str, str]]:
    found = []
    for flag in flags:
        key, equals, value = flag.partition("=")
        if equals:
            found.append((key.strip(), value))
        else:
            problems.append(f"--set {flag}: is not of the form key=value")
    return found


def _settle_region(merged: dict[str, Any], environ: Mapping[str, str]) -> list[str]:
    """AWS_REGION counts where the settings are silent; where the two differ nothing is guessed."""
    ambient = environ.get("AWS_REGION") or environ.get("AWS_DEFAULT_REGION")
    if not ambient:
        return []
    if merged.setdefault("region", ambient) == ambient:
        return []
    return [f"region: the settings say {merged['region']}, AWS_REGION says {ambient}; they must agree"]


def _put(tree: dict[str, Any], path: str, value: Any) -> None:
    *sections, leaf = path.split(".")
    for section in sections:
        inner = tree.get(section)
        tree[section] = inner = inner if isinstance(inner, dict) else {}
        tree = inner
    tree[leaf] = value


def _without_nulls(tree: Mapping[str, Any]) -> dict[str, Any]:
    return {
        key: _without_nulls(value) if isinstance(value, Mapping) else value
        for key, value in tree.items()
        if value is not None
    }


def _merge(low: Mapping[str, Any], high: Mapping[str, Any]) -> dict[str, Any]:
    merged = dict(low)
    for key, value in high.items():
        both = isinstance(value, Mapping) and isinstance(low.get(key), Mapping)
        merged[key] = _merge(low[key], value) if both else value
    return merged


def _sentence(error: Any) -> str:
    path = ".".join(str(part) for part in error["loc"])
    message = str(error["msg"]).removeprefix("Value error, ")
    if error["type"] == "extra_forbidden":
        return f"{path}: there is no such setting{_nearest(path, list(keys()))}"
    return f"{path}: {message[0].lower() if message.startswith('Input') else message[0]}{message[1:]}"


def _nearest(wrong: str, known: Sequence[str] | Mapping[str, str]) -> str:
    near = difflib.get_close_matches(wrong, list(known), n=1, cutoff=0.6)
    return f"; did you mean {near[0]}?" if near else ""
