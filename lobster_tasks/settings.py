"""Makes one frozen ``Settings`` of invoke.yaml, environment variables and flags, and reports all mistakes at once.

A value means the same in every source: sources give text as it is written, and the type of the setting converts it.
``INVOKE_LOBSTER_<SECTION>_<KEY>`` overrides the section ``lobster:`` of ``invoke.yaml``, and flags
(``--set section.key=value``) override both. Members of a map are set in the same way
(``container.environment.<NAME>``). The defaults describe the system of the migration plan, in us-east-2.
"""

from __future__ import annotations

import difflib
import re
import shlex
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from ipaddress import ip_network
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PrivateAttr,
    ValidationError,
    ValidationInfo,
    field_validator,
)

from .as_written import UnreadableError, given_twice, load_yaml
from .build_secret import attributes_of, read_secret
from .errors import InvalidSetting, SettingsError
from .foreign import parsed, visible

ENV_PREFIX = "INVOKE_LOBSTER_"
_NULLS = frozenset({"null", "Null", "NULL", "~"})  # as YAML 1.1 writes it, besides nothing at all
MOST_WAIT_MINUTES = 360
# "Data points with a period of 3600 seconds (1 hour) are available for 455 days" (CloudWatch, GetMetricStatistics).
LONGEST_QUIET_MINUTES = 455 * 24 * 60
# Settings that are maps: the user chooses the names of their members.
_MAPS = ("container.environment", "container.secrets", "tags")
DEFAULT_REGION = "us-east-2"
# The tag on every resource of a stack; its value is the stack's ``name``.
STACK_TAG = "lobster:stack"
# The additional tag of an adopted resource, which existed before the stack: it is given back, never deleted.
ADOPTED_TAG = "lobster:adopted"
# The prefix of tags that keep the properties of a service from before its adoption; the property's name follows.
BEFORE_TAG = "lobster:before"

# The tag that names the region of the stack which owns an account-wide resource, such as a role.
REGION_TAG = "lobster:region"
# The region of the certificates that distributions can use.
VIEWER_CERTIFICATES_IN = "us-east-1"
# The prefix of tags that record what was attached to an adopted resource: a hash follows, the value is the id of what
# was attached.
ATTACHED_TAG = "lobster:attached"

_REGION = r"[a-z]{2,10}(-[a-z]{1,20}){1,4}-\d{1,3}"
_OWN_TAGS = (STACK_TAG, ADOPTED_TAG, REGION_TAG)
MOST_TAGS = 50 - len(_OWN_TAGS)  # AWS allows 50
_IN_TAGS = "_.:/=+-@"
_LONGEST_BALANCER_NAME = 32  # a target group's too (CreateLoadBalancer, CreateTargetGroup)
_LONGEST_GROUP_NAME = 255

# Task CPU units -> the memory sizes in MiB that Fargate supports with them ("Fargate task CPU and memory").
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
# IAM policies are made of many settings. In a policy * and ? are wildcards and ${…} is a variable, so no setting that
# is in one takes these characters: AWS has them in no name of a secret, a parameter or a policy either.
# The ARN of a secret, or ``…:json-key:version-stage:version-id``, of which each part may be empty (ECS, "Secret").
_SECRET_ARN = re.compile(
    r"arn:aws[\w-]{0,20}:(secretsmanager:[\w-]{1,40}:\d{12}:secret:[\w/+=.@-]{1,600}(:[^\s:]{0,600}:[^\s:]{0,600}:[^\s:]{0,600})?"
    r"|ssm:[\w-]{1,40}:\d{12}:parameter/[\w.:/-]{1,2048})",
    re.ASCII,
)
_SECRET_WITH_KEY_ONLY = re.compile(
    r"arn:aws[\w-]{0,20}:secretsmanager:[\w-]{1,40}:\d{12}:secret(:[^\s:]{1,600}){2,4}:?"
)
_WEB_ACL = re.compile(
    r"arn:aws[\w-]{0,20}:wafv2:[\w-]{1,40}:\d{12}:regional/webacl/[\w-]{1,128}/[\w-]{1,36}", re.ASCII
)
_WEB_ACL_FOR_CLOUDFRONT = re.compile(
    r"arn:aws:wafv2:us-east-1:\d{12}:global/webacl/[\w-]{1,128}/[\w-]{1,36}", re.ASCII
)
_CLASSIC_WEB_ACL = re.compile(
    r"arn:aws[\w-]{0,20}:waf(-regional)?:[\w-]{0,40}:\d{12}:webacl/\S{1,128}|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"
)
_CACHE = re.compile(
    r"type=[a-z0-9]{1,32}(,[A-Za-z0-9_.-]{1,64}=[^,\s]{0,1024}){0,32}|[A-Za-z0-9][\w.:/@-]{1,511}", re.ASCII
)
_CACHE_CREDENTIALS = frozenset(
    {"token", "ghtoken", "access_key_id", "secret_access_key", "session_token", "account_key"}
)
# The slash is required, because a name without it could also be the secret itself.
_SECRET_NAME = re.compile(r"[A-Za-z0-9_.@-]{1,200}+(/[A-Za-z0-9_.@-]{1,200}+){1,10}")
_HALF = re.compile("[\ud800-\udfff]")  # of a surrogate pair
_CONTROL = re.compile("[\\x00-\\x1f\\x7f-\\x9f]")
# What programs get, which may contain line breaks, tabs and escape sequences.
_FOR_PROGRAMS = ("container.environment", "container.command", "images")
# The leading slash is required, because a name without it could also be a password.
_PARAMETER_NAME = re.compile(r"(/[A-Za-z0-9_.-]{1,2048}){1,15}")


def _matching(pattern: str, takes: str) -> AfterValidator:
    """Requires the whole value to match ``pattern``, in ASCII as AWS does; ``takes`` describes the accepted
    values."""
    compiled = re.compile(pattern, re.ASCII)

    def check(value: str) -> str:
        if not compiled.fullmatch(value):
            raise ValueError(takes)
        return value

    return AfterValidator(check)


def _elb_name(value: str) -> str:
    """Check the rules for names that CreateLoadBalancer and CreateTargetGroup have in common."""
    if len(value) > 32:
        raise ValueError(f"is {len(value)} characters long; Elastic Load Balancing takes at most 32")
    if not re.fullmatch(r"[A-Za-z0-9]([A-Za-z0-9-]{0,253}[A-Za-z0-9])?", value):
        raise ValueError("Elastic Load Balancing takes letters, digits and inner hyphens only")
    return value


def _load_balancer_name(value: str) -> str:
    if value.startswith("internal-"):
        raise ValueError("Elastic Load Balancing refuses names that begin with 'internal-'")
    return value


def _group_name(value: str) -> str:
    """Check the rules of CreateSecurityGroup for names."""
    if value.startswith("sg-"):
        raise ValueError("EC2 refuses security group names that begin with 'sg-'")
    if value == "default":
        raise ValueError("EC2 keeps this name for each VPC's own group")
    return value


def _web_acl(value: str) -> str:
    """Check that the value is the ARN of a web ACL that can protect a load balancer."""
    if _WEB_ACL.fullmatch(value):
        return value
    if _CLASSIC_WEB_ACL.fullmatch(value):
        raise ValueError(
            "is an AWS WAF Classic web ACL, which is not supported: migrate it (AWS WAF Developer Guide, "
            '"Migrating your AWS WAF Classic resources") and give the ARN of the new one'
        )
    if _WEB_ACL.fullmatch(value.replace(":global/", ":regional/", 1)):
        raise ValueError(
            "is of scope CLOUDFRONT, which protects distributions only; a load balancer takes one of scope REGIONAL: "
            "aws wafv2 list-web-acls --scope REGIONAL"
        )
    raise ValueError(
        "takes the ARN of a web ACL, as aws wafv2 list-web-acls --scope REGIONAL shows it: "
        "arn:aws:wafv2:<region>:<account>:regional/webacl/<name>/<id>"
    )


def _web_acl_for_cloudfront(value: str) -> str:
    """Check that the value is the ARN of a web ACL that can protect a distribution."""
    if _WEB_ACL_FOR_CLOUDFRONT.fullmatch(value):
        return value
    if _WEB_ACL.fullmatch(value):
        raise ValueError(
            "is of scope REGIONAL, which does not protect distributions; a distribution takes one of scope CLOUDFRONT: "
            "aws wafv2 list-web-acls --scope CLOUDFRONT --region us-east-1"
        )
    raise ValueError(
        "takes the ARN of a web ACL, as aws wafv2 list-web-acls --scope CLOUDFRONT --region us-east-1 shows it: "
        "arn:aws:wafv2:us-east-1:<account>:global/webacl/<name>/<id>"
    )


def _log_group_name(value: str) -> str:
    if value.lower().startswith("aws/"):
        raise ValueError("CloudWatch Logs keeps names that begin with 'aws/' for AWS")
    return value


def _secret_reference(value: str) -> str:
    """Check that the value refers to a secret; the message must not repeat it, because it may be a secret itself."""
    if _SECRET_ARN.fullmatch(value):
        return value
    _one_secret(value)
    if _SECRET_WITH_KEY_ONLY.fullmatch(value):
        raise ValueError("a JSON key needs its colons: <ARN>:<key>:: or <ARN>:<key>:<stage>:<version>")
    if not _PARAMETER_NAME.fullmatch(value):
        raise ValueError(
            "looks like a secret's value; use the ARN of a Secrets Manager secret or of an SSM parameter, "
            "or a parameter's name, which begins with '/'"
        )
    return value


def _one_secret(value: str) -> None:
    """Refuse an ARN that would be a pattern, or a variable, in a policy; the message must not repeat it."""
    if value.startswith("arn:") and any(sign in value for sign in "*?$"):
        raise ValueError("takes the ARN of one secret or parameter, without * ? $")


def _secret_in_secrets_manager(value: str) -> str:
    """Check that the value refers to a secret in Secrets Manager; the message must not repeat it."""
    is_arn = _SECRET_ARN.fullmatch(value) and ":secretsmanager:" in value
    if _SECRET_NAME.fullmatch(value) or (is_arn and value.split(":")[8:] in ([], ["", ""])):
        return value
    _one_secret(value)
    raise ValueError(
        "takes the ARN of a secret in Secrets Manager, <ARN>:<key>:: for one value of a JSON secret, or a secret's "
        "name with a '/' in it, as in app/sign-in; never the secret itself"
    )


def _comma_separated(value: object) -> object:
    """A list, from a list or from a text that is JSON, a YAML list in one line, or separated by commas."""
    if not isinstance(value, str):
        return value
    listed = _list_in(value)
    if listed is not None:
        return listed
    if value.strip()[:1] in _BRACKETS:
        _no_list(value)
    return [part.strip() for part in value.split(",") if part.strip()]


def _shell_words(value: object) -> object:
    """A list, from a list or from a text that is JSON, a YAML list in one line, or a shell's command line."""
    if isinstance(value, list | tuple):
        return [_text(each) for each in value]
    if not isinstance(value, str):
        return value
    listed = _list_in(value)
    return shlex.split(_no_list(value)) if listed is None else listed


def _no_list(text: str) -> str:
    """The text, if it was not meant as a list; else ValueError."""
    begins = text.strip()[:1]
    if begins in _BRACKETS or (begins in _QUOTES and len(_words_with_commas(text)) > 1):
        raise ValueError(
            'looks like a list, but is not one; write it with brackets, commas and double quotes, as in ["a", "b"]'
        )
    return text


_BRACKETS = frozenset("[({")
_QUOTES = frozenset("\"'")


def _words_with_commas(text: str) -> Sequence[object]:
    """The values of a list without its brackets; none for any other text."""
    return _list_in(f"[{text}]") or ()


def _list_in(text: str) -> list[Any] | None:
    """The list in a text of JSON, or of YAML in one line, with values as they are written; None for any other text."""
    found = _in_one_line(text, "[")
    return found if isinstance(found, list) else None


def _map_in(text: str) -> object:
    """The map in a text of JSON, or of YAML in one line, with values as they are written; any other text as it is."""
    found = _in_one_line(text, "{")
    return found if isinstance(found, dict) else text


def _in_one_line(text: str, begins: str) -> object:
    """The value of a text that begins as JSON's or YAML's lists or maps do; None for any other text."""
    if not text.lstrip().startswith(begins):
        return None
    try:
        return parsed(text, parse_int=str, parse_float=str, parse_constant=str)
    except ValueError:
        pass
    try:
        return load_yaml(text)
    except UnreadableError:
        return None


def _path_or_none(value: object) -> object:
    """A path, or None for ``false``, which files, environment variables and flags give as a word."""
    if value is False or (isinstance(value, str) and value.lower() in ("false", "no", "off", "")):
        return None
    if not isinstance(value, str) or not value.startswith("/"):
        raise ValueError("takes a path that begins with '/', or false")
    return value


def _listed(values: Iterable[object]) -> str:
    return ", ".join(map(str, values))


def _distinct(values: tuple[str, ...]) -> tuple[str, ...]:
    if twice := given_twice(values):
        raise ValueError(f"{_listed(sorted(twice))} is named more than once")
    return values


def _somebody(ranges: tuple[str, ...]) -> tuple[str, ...]:
    if not ranges:
        raise ValueError("allows nobody; delete the line to allow everybody")
    return ranges


def _cidr(text: str) -> str:
    """A CIDR block in the spelling of EC2."""
    try:
        network = ip_network(text, strict=False)
    except ValueError:
        raise ValueError("takes ranges of addresses, as in 203.0.113.0/24 or 2001:db8::/32") from None
    if text.lower() != str(network):
        raise ValueError(f"EC2 writes {text} as {network}; use this form")
    return str(network)


def _not_one(keep: int) -> int:
    if keep == 1:
        raise ValueError("should be greater than or equal to 2, or 0, which keeps all")
    return keep


def _as_tags(tags: dict[str, str]) -> dict[str, str]:
    """Check the rules for tags that IAM, ECS and Elastic Load Balancing share; IAM ignores the case of keys."""
    if taken := [key for key in tags if key.lower() in _OWN_TAGS or key.lower().startswith("aws:")]:
        raise ValueError(f"{_listed(taken)} is reserved for the stack")
    if len({key.lower() for key in tags}) < len(tags):
        raise ValueError("two keys differ only in upper and lower case")
    for key, value in tags.items():
        if not (0 < len(key) <= 128 and len(value) <= 256 and all(map(_is_tag_character, key + value))):
            raise ValueError(
                f"{key}: takes letters, digits, spaces and {_IN_TAGS}, 128 in a key and 256 in a value"
            )
    return tags


def _is_tag_character(character: str) -> bool:
    is_space = unicodedata.category(character).startswith("Z")
    return character.isalnum() or is_space or character in _IN_TAGS


def _build_secrets(secrets: tuple[str, ...]) -> tuple[str, ...]:
    """Check what names build secrets; the message must not repeat it, because it may be a secret itself."""
    read = tuple(map(read_secret, secrets))
    _distinct(tuple(secret.name for secret in read))
    return tuple(secret.written for secret in read)


def _cache(entry: str) -> str:
    """Check where a build cache is: an image reference, or ``type=…`` with attributes as in buildx."""
    parts = attributes_of(entry)
    if held := sorted(_CACHE_CREDENTIALS & parts.keys()):
        raise ValueError(f"{_listed(held)} is a credential; a builder takes it from the environment")
    if not _CACHE.fullmatch(entry):
        raise ValueError(
            "takes the reference of an image, or type=gha, type=registry,ref=REFERENCE and so on"
        )
    return entry


def _repository(value: str) -> str:
    """Refuse a repository's name that no repository of GitHub has, and so no token."""
    owner, _, name = value.partition("/")
    if name in (".", ".."):
        raise ValueError("takes owner/name, as in octocat/hello-world")
    if name.lower().endswith(".git"):  # the end of the address to clone from
        raise ValueError(f"takes owner/name without .git: {owner}/{name[: -len('.git')]}")
    return value


# How git calls a branch in full; GitHub "blocks branch and tag names which begin with refs/", and no others.
_FULL_NAME = re.compile(r"^refs/(?:heads|remotes/[^/]{1,255})/")
# "git check-ref-format": what no branch's name has.
_NO_BRANCH = re.compile(r"^[/.-]|//|\.\.|/\.|@\{|(\.lock)(/|$)|[/.]$|^@$")


def _branch(value: str) -> str:
    """Refuse what is not the name of a branch as GitHub's tokens have it after ``refs/heads/``."""
    if _NO_BRANCH.search(value):
        raise ValueError("takes a branch's name, as in main; no branch can have this one")
    if value.startswith("refs/"):
        own = _FULL_NAME.sub("", value)
        if own.startswith("refs/") or _NO_BRANCH.search(own):
            raise ValueError("takes a branch's name, as in main; on GitHub, none begins with refs/")
        raise ValueError(f"takes the branch's own name, {own}, not {value}")
    return value


def _given(value: object) -> object:
    """Refuse null in a map of variables: it cannot mean a default, and the variable would be missing silently."""
    if value is None:
        raise ValueError("has no value; delete the line, or set a value")
    return value


def _text(value: object) -> object:
    """Numbers and truth values from Python code as text, for environment variables; files give text already."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value) if isinstance(value, int | float) else value


Name = Annotated[
    str,
    Field(max_length=255),
    _matching(r"[A-Za-z0-9_-]{1,255}", "takes letters, digits, hyphens and underscores only"),
]
RoleName = Annotated[
    str, Field(max_length=64), _matching(r"[\w+=,.@-]{1,64}", "takes letters, digits and + = , . @ - _ only")
]
PolicyArn = Annotated[
    str,
    _matching(
        r"arn:aws[\w-]{0,20}:iam::(aws|\d{12}):policy/[\w+=,.@:/-]{1,512}",
        "takes ARNs of managed policies, without * ? $",
    ),
]
CertificateArn = Annotated[
    str,
    _matching(
        r"arn:aws[\w-]{0,20}:acm:[\w-]{1,40}:\d{12}:certificate/[\w+=,.@/-]{1,128}",
        "takes the ARN of a certificate in ACM",
    ),
]
TargetGroupName = Annotated[str, AfterValidator(_elb_name)]
LoadBalancerName = Annotated[str, AfterValidator(_elb_name), AfterValidator(_load_balancer_name)]
GroupName = Annotated[
    str,
    Field(max_length=255),
    _matching(
        r"[\w .\-:/()#,@\[\]+=&;{}!$*]{1,255}",
        "takes letters, digits, spaces and . _ - : / ( ) # , @ [ ] + = & ; { } ! $ * only",
    ),
    AfterValidator(_group_name),
]
SubnetId = Annotated[str, _matching(r"subnet-[0-9a-f]{1,40}", "takes subnet ids, as in subnet-0a1b2c3d")]
GroupId = Annotated[str, _matching(r"sg-[0-9a-f]{1,40}", "takes ids of security groups, as in sg-0a1b2c3d")]
KeyArn = Annotated[
    str,
    _matching(
        r"arn:aws[\w-]{0,20}:kms:[\w-]{1,40}:\d{12}:key/[\w-]{1,128}",
        "takes ARNs of KMS keys (not of aliases)",
    ),
]
Domain = Annotated[
    str,
    Field(max_length=253),
    _matching(
        r"(\*\.)?([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.){1,126}[a-z][a-z0-9-]{0,61}[a-z0-9]",
        "takes domain names in lower case, as in app.example.com",
    ),
]
Cidr = Annotated[str, AfterValidator(_cidr)]
HttpsUrl = Annotated[
    str,
    Field(max_length=2048),
    _matching(
        r"https://[A-Za-z0-9.-]{1,255}(:[0-9]{1,5})?(/\S{0,2000})?", "takes a URL that begins with https://"
    ),
]
Port = Annotated[int, Field(ge=1, le=65535)]
Path = Annotated[str, Field(max_length=1024), _matching(r"/\S{0,1023}", "takes a path that begins with '/'")]
Text = Annotated[str, BeforeValidator(_text), BeforeValidator(_given)]
BuildCache = Annotated[str, AfterValidator(_cache)]
SecretReference = Annotated[str, AfterValidator(_secret_reference), BeforeValidator(_given)]


class _Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


class TaskSettings(_Section):
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
        BeforeValidator(_comma_separated),
        AfterValidator(_distinct),
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
    """The app's container; ``secrets`` maps an environment variable to the ARN or name of its secret or parameter."""

    name: Name = "lobster-streamlit"
    port: Port = 8501
    command: Annotated[tuple[str, ...], BeforeValidator(_shell_words)] | None = None
    environment: dict[str, Text] = Field(default_factory=dict)
    secrets: dict[str, SecretReference] = Field(default_factory=dict)
    secret_keys: Annotated[
        tuple[KeyArn, ...], BeforeValidator(_comma_separated), AfterValidator(_distinct)
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
            raise ValueError(f"{_listed(both)} is in environment too; set it in only one of them")
        return secrets


class XRaySettings(_Section):
    """A sidecar container, the AWS Distro for OpenTelemetry collector, which sends the app's traces to AWS X-Ray."""

    enabled: bool = False
    image: Annotated[
        str,
        _matching(r"[A-Za-z0-9][\w.:/@-]{1,511}", "takes the reference of an image, as public.ecr.aws/x/y:1"),
    ] = "public.ecr.aws/aws-observability/aws-otel-collector:v0.43.1"


class LogSettings(_Section):
    """The log group in CloudWatch Logs."""

    group: Annotated[
        str,
        Field(max_length=512),
        _matching(r"[.\-_/#A-Za-z0-9]{1,512}", "takes letters, digits and . - _ / # only"),
        AfterValidator(_log_group_name),
    ] = "/ecs/lobster-streamlit"
    retention_days: int = 30

    @field_validator("retention_days")
    @classmethod
    def _retention_is_one_of(cls, days: int) -> int:
        if days not in RETENTION_DAYS:
            raise ValueError(f"CloudWatch Logs has no {days} days; it has {_listed(RETENTION_DAYS)}")
        return days


class NetworkSettings(_Section):
    """The network of the service; by default two subnets in two Availability Zones of the default VPC."""

    vpc: (
        Annotated[str, _matching(r"vpc-[0-9a-f]{1,40}", "takes the id of a VPC, as in vpc-0a1b2c3d")] | None
    ) = None
    subnets: (
        Annotated[tuple[SubnetId, ...], BeforeValidator(_comma_separated), AfterValidator(_distinct)] | None
    ) = None
    public: bool = True
    """Whether tasks get a public IP address, which they need in a public subnet to reach ECR and Secrets Manager."""
    task_subnets: Annotated[
        tuple[SubnetId, ...],
        Field(max_length=16),
        BeforeValidator(_comma_separated),
        AfterValidator(_distinct),
    ] = ()
    """Subnets of the tasks, where they differ from the load balancer's; they must be in its zones to get requests."""
    security_groups: Annotated[
        tuple[GroupId, ...],
        Field(max_length=4),
        BeforeValidator(_comma_separated),
        AfterValidator(_distinct),
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
            _second(self.name, _LONGEST_BALANCER_NAME),
            _second(self.target_group, _LONGEST_BALANCER_NAME),
            _second(self.security_group, _LONGEST_GROUP_NAME),
        )


def _second(name: str, most: int) -> str:
    """``name-2``, shortened to ``most`` characters; another number where that is the same name."""
    names = (f"{name[: most - 2].rstrip('-')}-{number}" for number in (2, 3))
    return next(each for each in names if each != name)


class LoadBalancerSettings(_Section):
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
            BeforeValidator(_comma_separated),
            AfterValidator(_distinct),
            AfterValidator(_somebody),
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
    web_acl: Annotated[str, AfterValidator(_web_acl)] | None = None
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


class FrontSettings(_Section):
    """What visitors connect to: the load balancer, or a CloudFront distribution in front of an internal one."""

    kind: Literal["none", "cloudfront"] = "none"
    certificate: CertificateArn | None = None
    """The ARN of an ACM certificate in us-east-1 for ``domains``, in place of one that ``inv cutover`` requests."""
    web_acl: Annotated[str, AfterValidator(_web_acl_for_cloudfront)] | None = None
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


class SignInSettings(_Section):
    """Sign-in at the load balancer, with an OpenID Connect provider or a user pool of Amazon Cognito.

    ``session_timeout`` in seconds.
    """

    kind: Literal["none", "oidc", "cognito"] = "none"
    issuer: HttpsUrl | None = None
    authorization_endpoint: HttpsUrl | None = None
    token_endpoint: HttpsUrl | None = None
    user_info_endpoint: HttpsUrl | None = None
    client_id: Annotated[str, _matching(r"[\x21-\x7e]{1,1024}", "takes an id without spaces")] | None = None
    client_secret: Annotated[str, AfterValidator(_secret_in_secrets_manager)] | None = None
    """The name or ARN of the secret in Secrets Manager that contains the client secret."""
    user_pool: (
        Annotated[
            str,
            _matching(
                r"arn:aws[\w-]{0,20}:cognito-idp:[\w-]{1,40}:\d{12}:userpool/[\w-]{1,55}|[a-z0-9-]{1,40}_[A-Za-z0-9]{1,40}",
                "takes the ARN or the id of a user pool, as in us-east-2_AbCdEfGhI",
            ),
        ]
        | None
    ) = None
    user_pool_domain: (
        Annotated[
            str,
            _matching(
                r"[a-z0-9]([a-z0-9.-]{0,250}[a-z0-9])?",
                "takes the prefix of the user pool's domain, or its own domain name",
            ),
        ]
        | None
    ) = None
    scope: Annotated[
        str, _matching(r"[\x21-\x7e]{1,255}( [\x21-\x7e]{1,255}){0,50}", "takes scopes separated by spaces")
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
        raise ValueError(f"kind {sign_in.kind} has no {_listed(more)}; kind {' or '.join(kinds)} has")
    if missing := [name for name in needs if getattr(sign_in, name) is None]:
        raise ValueError(f"kind {sign_in.kind} needs {_listed(missing)} too")
    return sign_in


class HealthCheckSettings(_Section):
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


class DeploymentSettings(_Section):
    """How ECS replaces tasks; ``deregistration_delay`` in seconds, ``wait_minutes`` is the time limit of a wait."""

    desired_count: Annotated[int, Field(ge=0)] = 1
    minimum_healthy_percent: Annotated[int, Field(ge=0, le=100)] = 100
    maximum_percent: Annotated[int, Field(ge=100, le=200, validate_default=True)] = 200
    deregistration_delay: Annotated[int, Field(ge=0, le=3600)] = 30
    wait_minutes: Annotated[float, Field(gt=0, le=MOST_WAIT_MINUTES)] = 15
    rollback: bool = True
    accept: Annotated[tuple[str, ...], BeforeValidator(_comma_separated), AfterValidator(_distinct)] = ()
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


class ScalingSettings(_Section):
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


class ImageSettings(_Section):
    """How many images ECR keeps (0 leaves the lifecycle policy alone), and how ``inv push-image`` builds."""

    keep: Annotated[int, Field(ge=0), AfterValidator(_not_one)] = 20
    builder: Literal["auto", "docker", "podman", "process"] = "auto"
    target: (
        Annotated[
            str,
            BeforeValidator(_text),
            _matching(
                r"[A-Za-z0-9][\w.-]{0,127}", "takes the name or the number of a stage of the Dockerfile"
            ),
        ]
        | None
    ) = None
    """The stage that becomes the image; None is the last one."""
    secrets: Annotated[
        tuple[str, ...], Field(max_length=32), BeforeValidator(_shell_words), AfterValidator(_build_secrets)
    ] = ()
    """Secrets that RUN mounts while the image is built: ``id=NAME,src=FILE`` or ``id=NAME,env=VARIABLE``."""
    cache_from: Annotated[tuple[BuildCache, ...], BeforeValidator(_shell_words)] = ()
    """Where a builder looks for results of earlier builds, as ``docker buildx build --cache-from`` takes it."""
    cache_to: Annotated[tuple[BuildCache, ...], BeforeValidator(_shell_words)] = ()
    """Where a builder leaves its results for later builds, as ``docker buildx build --cache-to`` takes it."""


class GitHubSettings(_Section):
    """The GitHub workflows that may deploy: those of a repository, on one branch or for one environment."""

    repository: (
        Annotated[
            str,
            _matching(r"[\w-]{1,100}/[\w.-]{1,100}", "takes owner/name, as in octocat/hello-world"),
            AfterValidator(_repository),
        ]
        | None
    ) = None
    branch: Annotated[
        str,
        _matching(r"[^\s:*?$\[\\^~\x00-\x1f\x7f]{1,255}", "takes a branch's name, as in main, without $"),
        AfterValidator(_branch),
    ] = "main"
    environment: (
        Annotated[
            str,
            Field(max_length=255),
            _matching(r"[^:*?$\x00-\x1f\x7f]{1,255}", "takes a name without : * ? $ and without line breaks"),
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


class ProbeSettings(_Section):
    """The paths that are probed as visitors reach them; ``websocket: false`` for an app without WebSockets."""

    path: Path = "/"
    websocket: Annotated[str | None, BeforeValidator(_path_or_none)] = "/_stcore/stream"


def service_name(given: str) -> str:
    """The name of an App Runner service, from its name or its ARN."""
    return given.split("/")[1] if given.startswith("arn:") else given


class AppRunnerSettings(_Section):
    """The App Runner service that the stack replaces, and the conditions for its clean-up."""

    service: (
        Annotated[
            str,
            _matching(
                r"[A-Za-z0-9][A-Za-z0-9_-]{3,39}|arn:aws[\w-]{0,20}:apprunner:[\w-]{1,40}:\d{12}:service/[A-Za-z0-9][\w-]{3,39}(/[\w-]{1,64})?",
                "takes the name of an App Runner service, or its ARN",
            ),
        ]
        | None
    ) = None
    paths: Annotated[tuple[Path, ...], BeforeValidator(_comma_separated), AfterValidator(_distinct)] = ()
    """Paths that ``inv compare-apprunner`` requests besides the health check path and ``probe.path``."""
    slow_path: Annotated[str | None, BeforeValidator(_path_or_none)] = None
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


class Settings(_Section):
    """All settings of one stack; the defaults are the names and numbers of the migration plan."""

    name: Annotated[
        str,
        Field(max_length=64),
        _matching(
            r"[A-Za-z0-9][A-Za-z0-9._-]{0,254}",
            "takes letters, digits and . - _ only, a letter or digit first",
        ),
    ] = "lobster"
    region: Annotated[str, _matching(_REGION, "takes a region's code, as in us-east-2")] = DEFAULT_REGION
    tags: Annotated[dict[str, Text], Field(max_length=MOST_TAGS), AfterValidator(_as_tags)] = Field(
        default_factory=dict
    )
    """Additional tags of every resource of the stack."""
    cluster: Name = "lobster-cluster"
    service: Name = "lobster-streamlit-service"
    repository: Annotated[
        str,
        Field(min_length=2, max_length=256),
        _matching(
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
        BeforeValidator(_comma_separated),
        AfterValidator(_distinct),
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

    def building(self, **images: object) -> Settings:
        """A copy with other values in the section ``images``, such as flags give; raises SettingsError."""
        given = {name: value for name, value in images.items() if value}
        try:
            section = ImageSettings.model_validate({**self.images.model_dump(), **given})
        except ValidationError as invalid:
            errors = [{**error, "loc": ("images", *error["loc"])} for error in invalid.errors()]
            raise SettingsError([], [_invalid_setting(error) for error in errors]) from None
        return self.model_copy(update={"images": section})

    def accepting(self, codes: Iterable[str]) -> Settings:
        """A copy with additional codes in ``deployment.accept``."""
        accept = tuple(dict.fromkeys([*self.deployment.accept, *codes]))
        return self.model_copy(update={"deployment": self.deployment.model_copy(update={"accept": accept})})


# Numbers of the migration plan, as defaults under ``profile: seed``.
SEED_PROFILE: dict[str, dict[str, Any]] = {
    "health_check": {"path": "/healthz", "interval": 30, "timeout": 5, "healthy_threshold": 2},
    "deployment": {"deregistration_delay": 300},
}


def load(
    section: Mapping[str, Any],
    environ: Mapping[str, str] | None = None,
    flags: Sequence[str] = (),
    profiles_region: Callable[[], tuple[str, str] | None] = lambda: None,
) -> Settings:
    """Settings from the ``lobster:`` section, the environment and ``--set key=value`` flags.

    Later sources override earlier ones. Null (``null`` or ``~``) in any of them is the default, whatever earlier ones
    say; of a map's members only a file has nulls, which are mistakes. ``profiles_region`` returns the name and the
    region of the AWS profile; it is called only where the region depends on it. Raises SettingsError with every
    problem.
    """
    environ = environ or {}
    merged = _without_nulls(section)
    problems: list[str] = []
    chosen = [*_from_environ(environ, problems), *_from_flags(flags, problems)]
    for path, value in chosen:
        _choose(merged, path, value)
    is_chosen = any(path == "region" and not _is_null(path, value) for path, value in chosen)
    problems += _settle_region(merged, environ, (lambda: None) if is_chosen else profiles_region)
    if merged.get("profile") == "seed":
        merged = merge(SEED_PROFILE, merged)
    broken: list[InvalidSetting] = []
    merged = _sound(merged, broken, _unwritable)
    try:
        settings = Settings.model_validate(merged)
    except ValidationError as invalid:
        broken += [_invalid_setting(error) for error in invalid.errors()]
        raise SettingsError(problems, broken) from None
    _sound(settings.model_dump(), broken, _flaw)  # what was JSON within a text
    if problems or broken:
        raise SettingsError(problems, broken)
    return settings


def _sound(
    tree: Mapping[str, Any],
    broken: list[InvalidSetting],
    flaw: Callable[[str, tuple[str, ...]], str],
    within: tuple[str, ...] = (),
) -> dict[str, Any]:
    """A copy without the settings in whose texts there is a ``flaw``; ``broken`` gets these."""
    kept = {}
    for key, value in tree.items():
        path = (*within, visible(str(key)))
        own = () if isinstance(value, Mapping) else _texts(value)
        if why := next((why for text in (str(key), *own) if (why := flaw(text, path))), ""):
            broken.append(InvalidSetting(path, why))
        else:
            kept[key] = _sound(value, broken, flaw, path) if isinstance(value, Mapping) else value
    return kept


def _texts(value: object) -> Iterator[str]:
    """A text, or those of a list, in which there may be mappings."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        yield from _texts([*value, *value.values()])
    elif isinstance(value, list | tuple | set | frozenset):
        for each in value:
            yield from _texts(each)


def _unwritable(text: str, _: tuple[str, ...]) -> str:
    """What no text can contain; NUL ends every path, word and variable (execve(2)).

    A byte that is not UTF-8, in a flag or a variable, and an escape sequence in a file make half of a surrogate pair.
    """
    if _HALF.search(text):
        return "contains something that is not a character: half of a surrogate pair, or a byte that is not UTF-8"
    return (
        "contains the character NUL, which no path, variable or text of AWS can contain"
        if "\0" in text
        else ""
    )


def _flaw(text: str, path: tuple[str, ...]) -> str:
    """What a setting's text cannot contain: no name, path or pattern of AWS's has a control character."""
    is_for_a_program = ".".join(path).startswith(_FOR_PROGRAMS)
    if not is_for_a_program and (found := _CONTROL.search(text)):
        return f"contains a control character, U+{ord(found[0]):04X}; a line break and a tab are such characters too"
    return _unwritable(text, path)


def keys(model: type[BaseModel] = Settings, prefix: str = "") -> Iterator[str]:
    """Every known key in dotted form, with the members of sections and without the sections themselves."""
    for name, field in model.model_fields.items():
        if isinstance(field.annotation, type) and issubclass(field.annotation, _Section):
            yield from keys(field.annotation, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}"


def _from_environ(environ: Mapping[str, str], problems: list[str]) -> list[tuple[str, str]]:
    variables = {ENV_PREFIX + key.replace(".", "_").upper(): key for key in keys()}
    maps = {f"{variable}_": key for variable, key in variables.items() if key in _MAPS}
    found = []
    for variable, value in environ.items():
        inside = next((start for start in maps if variable.startswith(start)), None)
        if variable in variables:
            found.append((variables[variable], value))
        elif inside:
            found.append((f"{maps[inside]}.{variable.removeprefix(inside)}", value))
        elif variable.startswith(ENV_PREFIX.rstrip("_")):
            section = variable.removeprefix(
                ENV_PREFIX
            ).lower()  # of one without the prefix there is no section
            problems.append(f"{variable}: {_not_a_setting(section, variable, variables)}")
    return sorted(found, key=lambda each: each[0] not in _MAPS)  # a complete map before what is added to it


def _from_flags(flags: Sequence[str], problems: list[str]) -> list[tuple[str, str]]:
    found, known = [], list(keys())
    for flag in flags:
        key, equals, value = flag.partition("=")
        key = key.strip()
        if not equals:  # the argument may contain a secret, so it is not repeated
            problems.append("--set: takes key=value, as in --set task.cpu=1024")
        elif key in known or any(key.startswith(f"{each}.") for each in _MAPS):
            found.append((key, value))
        else:
            problems.append(f"--set {key}: {_not_a_setting(key, key, known)}")
    return found


def _settle_region(
    merged: dict[str, Any],
    environ: Mapping[str, str],
    profiles_region: Callable[[], tuple[str, str] | None],
) -> list[str]:
    """Use the region of AWS's own tools where the settings have none, and report sources that differ.

    AWS_REGION takes precedence over a profile ("AWS SDKs and Tools Reference Guide", AWS Region). Some tools read
    AWS_REGION and others AWS_DEFAULT_REGION, so these two must agree.
    """
    variables = [(name, environ[name]) for name in ("AWS_REGION", "AWS_DEFAULT_REGION") if environ.get(name)]
    if len({region for _, region in variables}) > 1:
        said = ", ".join(f"{name} says {region}" for name, region in variables)
        return [f"region: {said}; they must agree"]
    if variables:
        name, region = variables[0]
        agree = f"they must agree: change one of them, or unset {name}"
        return _no_region(f"{name} says {region}", region, f"correct {name}, or unset it") or _differing(
            merged, f"{name} says {region}", region, agree
        )
    if found := profiles_region():
        name, region = found
        told = f"the AWS profile {name} says {region}"
        correct = f"correct it: aws configure set region us-east-2 --profile {name}"
        return _no_region(told, region, correct) or _differing(
            merged, told, region, "choose one with --set region=… or INVOKE_LOBSTER_REGION"
        )
    return []


def _no_region(told: str, region: str, what_to_do: str) -> list[str]:
    """The problem, if ``region`` does not have the form of one; ``told`` says where it comes from."""
    if re.fullmatch(_REGION, region, re.ASCII):
        return []
    return [f"region: {told}, which is not a region's code, as in us-east-2; {what_to_do}"]


def _differing(merged: dict[str, Any], told: str, region: str, what_to_do: str) -> list[str]:
    """The problem, if the settings have a region other than ``region``; ``told`` says where ``region`` comes from."""
    if merged.setdefault("region", region) == region:
        return []
    return [f"region: the settings say {merged['region']}, {told}; {what_to_do}"]


def _choose(tree: dict[str, Any], path: str, text: str) -> None:
    """Set a setting as a variable or a flag has it; null takes away what there is."""
    _put(tree, path, _map_in(text) if path in _MAPS else text)
    if _is_null(path, text):
        section, _, key = path.rpartition(".")
        inner = tree
        for name in section.split(".") if section else ():
            inner = inner[name]
        del inner[key]


def _is_null(path: str, text: str) -> bool:
    """Whether a text is YAML's null. A member of a map is text, whatever it is."""
    return text.strip() in _NULLS and not any(path.startswith(f"{each}.") for each in _MAPS)


def _put(tree: dict[str, Any], path: str, value: Any) -> None:
    """Set the value at a dotted path; in a map the rest of the path is one name, dots included."""
    within = next((each for each in _MAPS if path.startswith(f"{each}.")), path.rpartition(".")[0])
    for section in within.split(".") if within else ():
        inner = tree[section] = _mapping(tree.get(section))
        tree = inner
    tree[path.removeprefix(f"{within}.")] = value


def _mapping(value: object) -> dict[str, Any]:
    return dict(value) if isinstance(value, Mapping) else {}


def _without_nulls(tree: Mapping[str, Any], within: str = "") -> dict[str, Any]:
    """A copy without keys whose value is null, except in a map, where null is a mistake."""
    kept = {}
    for key, value in tree.items():
        path = f"{within}{key}"
        if isinstance(value, Mapping) and path not in _MAPS:
            kept[key] = _without_nulls(value, f"{path}.")
        elif value is not None:
            kept[key] = value
    return kept


def merge(low: Mapping[str, Any], high: Mapping[str, Any]) -> dict[str, Any]:
    """Both trees as one; ``high`` overrides ``low``."""
    merged = dict(low)
    for key, value in high.items():
        both = isinstance(value, Mapping) and isinstance(low.get(key), Mapping)
        merged[key] = merge(low[key], value) if both else value
    return merged


def _invalid_setting(error: Any) -> InvalidSetting:
    path = tuple(str(part) for part in error["loc"])
    name = ".".join(path)
    if error["type"] in ("extra_forbidden", "model_type"):  # the second: a value where a section belongs
        return InvalidSetting(path, _not_a_setting(name, name, list(keys())))
    return InvalidSetting(path, re.sub(r"^(Value error, |Input |String )", "", str(error["msg"])))


def _not_a_setting(key: str, given: str, known: Iterable[str]) -> str:
    """Why ``given`` cannot be set: ``key`` is a section, or there is no such key among ``known``."""
    if first := next((each for each in keys() if each.startswith(f"{key}.")), None):
        return f"is a section, not a setting; set what is in it, for example {first}"
    return f"there is no such setting{_nearest(given, known)}"


def _nearest(wrong: str, known: Iterable[str]) -> str:
    """The key that was probably meant: one with the same last part, a similar name, or a similar section."""
    keys_known = list(known)
    leaf = wrong.rpartition(".")[2]
    same = [key for key in keys_known if key.rpartition(".")[2] == leaf]
    sections = [key.rpartition(".")[0] for key in keys_known if "." in key]
    near = difflib.get_close_matches(wrong, same, n=1, cutoff=0)
    near = near or difflib.get_close_matches(wrong, [*keys_known, *sections], n=1, cutoff=0.6)
    return f"; did you mean {near[0]}?" if near else ""
