"""The types of the settings' values: what each accepts, and the sentence for what it does not; the tags of a stack."""

from __future__ import annotations

import re
import shlex
import unicodedata
from collections.abc import Iterable, Sequence
from ipaddress import ip_network
from typing import Annotated, Any

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
)

from ..as_written import UnreadableError, given_twice, load_yaml
from ..build_secret import attributes_of, read_secret
from ..foreign import parsed

ENV_PREFIX = "INVOKE_LOBSTER_"
MOST_WAIT_MINUTES = 360
# "Data points with a period of 3600 seconds (1 hour) are available for 455 days" (CloudWatch, GetMetricStatistics).
LONGEST_QUIET_MINUTES = 455 * 24 * 60
# Settings that are maps: the user chooses the names of their members.
MAPS = ("container.environment", "container.secrets", "tags")
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

REGION = r"[a-z]{2,10}(-[a-z]{1,20}){1,4}-\d{1,3}"
_OWN_TAGS = (STACK_TAG, ADOPTED_TAG, REGION_TAG)
MOST_TAGS = 50 - len(_OWN_TAGS)  # AWS allows 50
_IN_TAGS = "_.:/=+-@"
LONGEST_BALANCER_NAME = 32  # a target group's too (CreateLoadBalancer, CreateTargetGroup)
LONGEST_GROUP_NAME = 255

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
SURROGATE = re.compile("[\ud800-\udfff]")  # of a surrogate pair
# The leading slash is required, because a name without it could also be a password.
_PARAMETER_NAME = re.compile(r"(/[A-Za-z0-9_.-]{1,2048}){1,15}")


def matching(pattern: str, takes: str) -> AfterValidator:
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


def web_acl_arn(value: str) -> str:
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


def web_acl_arn_for_cloudfront(value: str) -> str:
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


def log_group_name(value: str) -> str:
    """Refuse the prefix that CloudWatch Logs keeps for AWS."""
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


def secret_in_secrets_manager(value: str) -> str:
    """Check that the value refers to a secret in Secrets Manager; the message must not repeat it."""
    is_arn = _SECRET_ARN.fullmatch(value) and ":secretsmanager:" in value
    if _SECRET_NAME.fullmatch(value) or (is_arn and value.split(":")[8:] in ([], ["", ""])):
        return value
    _one_secret(value)
    raise ValueError(
        "takes the ARN of a secret in Secrets Manager, <ARN>:<key>:: for one value of a JSON secret, or a secret's "
        "name with a '/' in it, as in app/sign-in; never the secret itself"
    )


def comma_separated(value: object) -> object:
    """A list, from a list or from a text that is JSON, a YAML list in one line, or separated by commas."""
    if not isinstance(value, str):
        return value
    listed = _list_in(value)
    if listed is not None:
        return listed
    if value.strip()[:1] in _BRACKETS:
        _no_list(value)
    return [part.strip() for part in value.split(",") if part.strip()]


def shell_words(value: object) -> object:
    """A list, from a list or from a text that is JSON, a YAML list in one line, or a shell's command line."""
    if isinstance(value, list | tuple):
        return [as_text(each) for each in value]
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


def map_in(text: str) -> object:
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


def path_or_none(value: object) -> object:
    """A path, or None for ``false``, which files, environment variables and flags give as a word."""
    if value is False or (isinstance(value, str) and value.lower() in ("false", "no", "off", "")):
        return None
    if not isinstance(value, str) or not value.startswith("/"):
        raise ValueError("takes a path that begins with '/', or false")
    return value


def listed(values: Iterable[object]) -> str:
    """Values as people read a list of them."""
    return ", ".join(map(str, values))


def distinct(values: tuple[str, ...]) -> tuple[str, ...]:
    """Refuse a value that is named more than once."""
    if twice := given_twice(values):
        raise ValueError(f"{listed(sorted(twice))} is named more than once")
    return values


def somebody(ranges: tuple[str, ...]) -> tuple[str, ...]:
    """Refuse an empty list of address ranges, which would allow nobody."""
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


def not_one(keep: int) -> int:
    """Refuse 1: an image that is pushed would take the place of the one that runs."""
    if keep == 1:
        raise ValueError("should be greater than or equal to 2, or 0, which keeps all")
    return keep


def as_tags(tags: dict[str, str]) -> dict[str, str]:
    """Check the rules for tags that IAM, ECS and Elastic Load Balancing share; IAM ignores the case of keys."""
    if taken := [key for key in tags if key.lower() in _OWN_TAGS or key.lower().startswith("aws:")]:
        raise ValueError(f"{listed(taken)} is reserved for the stack")
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


def build_secrets(secrets: tuple[str, ...]) -> tuple[str, ...]:
    """Check what names build secrets; the message must not repeat it, because it may be a secret itself."""
    read = tuple(map(read_secret, secrets))
    distinct(tuple(secret.name for secret in read))
    return tuple(secret.written for secret in read)


def _cache(entry: str) -> str:
    """Check where a build cache is: an image reference, or ``type=…`` with attributes as in buildx."""
    parts = attributes_of(entry)
    if held := sorted(_CACHE_CREDENTIALS & parts.keys()):
        raise ValueError(f"{listed(held)} is a credential; a builder takes it from the environment")
    if not _CACHE.fullmatch(entry):
        raise ValueError(
            "takes the reference of an image, or type=gha, type=registry,ref=REFERENCE and so on"
        )
    return entry


def github_repository(value: str) -> str:
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


def github_branch(value: str) -> str:
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


def as_text(value: object) -> object:
    """Numbers and truth values from Python code as text, for environment variables; files give text already."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value) if isinstance(value, int | float) else value


Name = Annotated[
    str,
    Field(max_length=255),
    matching(r"[A-Za-z0-9_-]{1,255}", "takes letters, digits, hyphens and underscores only"),
]
RoleName = Annotated[
    str, Field(max_length=64), matching(r"[\w+=,.@-]{1,64}", "takes letters, digits and + = , . @ - _ only")
]
PolicyArn = Annotated[
    str,
    matching(
        r"arn:aws[\w-]{0,20}:iam::(aws|\d{12}):policy/[\w+=,.@:/-]{1,512}",
        "takes ARNs of managed policies, without * ? $",
    ),
]
CertificateArn = Annotated[
    str,
    matching(
        r"arn:aws[\w-]{0,20}:acm:[\w-]{1,40}:\d{12}:certificate/[\w+=,.@/-]{1,128}",
        "takes the ARN of a certificate in ACM",
    ),
]
TargetGroupName = Annotated[str, AfterValidator(_elb_name)]
LoadBalancerName = Annotated[str, AfterValidator(_elb_name), AfterValidator(_load_balancer_name)]
GroupName = Annotated[
    str,
    Field(max_length=255),
    matching(
        r"[\w .\-:/()#,@\[\]+=&;{}!$*]{1,255}",
        "takes letters, digits, spaces and . _ - : / ( ) # , @ [ ] + = & ; { } ! $ * only",
    ),
    AfterValidator(_group_name),
]
SubnetId = Annotated[str, matching(r"subnet-[0-9a-f]{1,40}", "takes subnet ids, as in subnet-0a1b2c3d")]
GroupId = Annotated[str, matching(r"sg-[0-9a-f]{1,40}", "takes ids of security groups, as in sg-0a1b2c3d")]
KeyArn = Annotated[
    str,
    matching(
        r"arn:aws[\w-]{0,20}:kms:[\w-]{1,40}:\d{12}:key/[\w-]{1,128}",
        "takes ARNs of KMS keys (not of aliases)",
    ),
]
Domain = Annotated[
    str,
    Field(max_length=253),
    matching(
        r"(\*\.)?([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.){1,126}[a-z][a-z0-9-]{0,61}[a-z0-9]",
        "takes domain names in lower case, as in app.example.com",
    ),
]
Cidr = Annotated[str, AfterValidator(_cidr)]
HttpsUrl = Annotated[
    str,
    Field(max_length=2048),
    matching(
        r"https://[A-Za-z0-9.-]{1,255}(:[0-9]{1,5})?(/\S{0,2000})?", "takes a URL that begins with https://"
    ),
]
Port = Annotated[int, Field(ge=1, le=65535)]
Path = Annotated[str, Field(max_length=1024), matching(r"/\S{0,1023}", "takes a path that begins with '/'")]
Text = Annotated[str, BeforeValidator(as_text), BeforeValidator(_given)]
BuildCache = Annotated[str, AfterValidator(_cache)]
SecretReference = Annotated[str, AfterValidator(_secret_reference), BeforeValidator(_given)]
