"""Renders Jinja templates into dicts in the shape of AWS's API.

A file in the project's own ``task-definitions/`` replaces the packaged file of the same name. Every expression must
end in ``| tojson``, which makes the result valid JSON whatever a value contains. An undefined name is an error that
names the template and the line.
"""

from __future__ import annotations

import json
import os
import re
import traceback
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import cache
from importlib.resources import files
from itertools import takewhile
from pathlib import Path
from typing import Any, Literal

import jinja2
from jinja2.runtime import LoopContext
from markupsafe import Markup

from . import text_file
from .api_models import mistakes
from .as_written import given_twice
from .definition import containers, images, log_groups, secrets
from .errors import SettingsError, TemplateError
from .foreign import parsed
from .image_reference import ecr_image, repository_arn
from .settings import STACK_TAG, VIEWER_CERTIFICATES_IN, Settings, SignInSettings, service_name

TASK_DEFINITION = "ecs-task-definition.json.j2"
TRUST_POLICY = "ecs-trust-policy.json.j2"
ROLE_POLICIES = "fargate-iam-policies.json.j2"
GITHUB_ACTIONS_POLICY = "github-actions-policy.json.j2"
GITHUB_TRUST_POLICY = "github-trust-policy.json.j2"
DEPLOY_POLICY = "deploy-policy.json.j2"
SETUP_POLICY = "setup-policy.json.j2"
MIGRATION_POLICY = "migration-policy.json.j2"
_RECORD_NAMES_AT_MOST = (
    5_000  # characters of a managed policy's 6,144; the rest is for what is around the names
)
GITHUB_ISSUER = "token.actions.githubusercontent.com"
ROLES = ("execution", "task")
FOLDER = "task-definitions"
OWN_DEFINITION = f"{FOLDER}/{TASK_DEFINITION}"
"""The path of a project's own template of the task definition."""
LARGEST_DEFINITION = 65_536  # bytes: "Task definition size limit", Amazon ECS service quotas
_MOST_TOLD = 5  # mistakes in a task definition
MOST_CONTAINERS = 10  # "Containers per task definition", likewise
# Characters without white space ("IAM and AWS STS quotas"): a role's inline policies, and its trust policy.
LARGEST_INLINE, LARGEST_TRUST = 10_240, 2_048

# Who an IAM policy is for: a person who deploys, one who sets up, or one who migrates from App Runner.
Audience = Literal["deploy", "setup", "migration"]


def task_definition(settings: Settings, account: str, partition: str, image: str) -> dict[str, Any]:
    """The input of ECS RegisterTaskDefinition for ``image``, a full reference; it includes the stack's tags."""
    made = render(TASK_DEFINITION, settings, account, partition, image=image)
    _check_task_definition(made, settings)
    _check_size(made)
    ours = {**settings.tags, STACK_TAG: settings.name}
    others = [tag for tag in made.get("tags", ()) if tag.get("key") not in ours]
    return {**made, "tags": [*others, *({"key": key, "value": value} for key, value in ours.items())]}


def trust_policy(settings: Settings, account: str, partition: str) -> dict[str, Any]:
    """The trust policy of the execution role and the task role."""
    return _small(TRUST_POLICY, render(TRUST_POLICY, settings, account, partition), LARGEST_TRUST)


def role_policies(settings: Settings, account: str, partition: str) -> dict[str, dict[str, Any]]:
    """The inline policies of the ``execution`` role and the ``task`` role, by role."""
    made = render(
        ROLE_POLICIES, settings, account, partition, **_of_every_container(settings, account, partition)
    )
    if missing := [role for role in ROLES if not isinstance(made.get(role), dict)]:
        raise TemplateError(
            f"{FOLDER}/{ROLE_POLICIES} has no policy {missing[0]}.",
            f"it has to render an object with the members {' and '.join(ROLES)}, each a policy",
        )
    _small(f"{ROLE_POLICIES}, execution,", made["execution"], LARGEST_INLINE, _FEWER_SECRETS)
    _small(f"{ROLE_POLICIES}, task,", made["task"], LARGEST_INLINE, _MANAGED)
    return made


def github_actions_policy(settings: Settings, account: str, partition: str) -> dict[str, Any]:
    """The permissions policy of the deploy role."""
    made = render(GITHUB_ACTIONS_POLICY, settings, account, partition)
    if not settings.github.repository:  # there is no deploy role
        return made
    return _small(GITHUB_ACTIONS_POLICY, made, LARGEST_INLINE, _FEWER_SECRETS)


def github_trust_policy(settings: Settings, account: str, partition: str) -> dict[str, Any]:
    """The trust policy of the deploy role: which workflows may assume it."""
    made = render(GITHUB_TRUST_POLICY, settings, account, partition)
    return _small(GITHUB_TRUST_POLICY, made, LARGEST_TRUST)


_FEWER_SECRETS = (
    "put several values into one secret and name each by its key in container.secrets (<ARN>:<key>::), or allow more "
    "by fewer resources in a template of your own"
)
_MANAGED = "put a part of it into a managed policy and name that in task.policies"


def _small(
    what: str, policy: dict[str, Any], most: int, next_step: str = "use fewer statements"
) -> dict[str, Any]:
    """The policy, if it is within IAM's limit; otherwise raises TemplateError, which names its largest statement."""
    if (size := _size(policy)) <= most:
        return policy
    statements = [each for each in policy.get("Statement", ()) if isinstance(each, Mapping)]
    largest = max(statements, key=_size, default={})
    raise TemplateError(
        f"{FOLDER}/{what} makes a policy of {size:,} characters; IAM takes {most:,} at the most.",
        f"its largest statement is {largest.get('Sid', 'without a Sid')}: {_size(largest):,} characters",
        next_step,
    )


def deploy_policy(settings: Settings, account: str, partition: str) -> dict[str, Any]:
    """The policy for a person who deploys: the deploy role's permissions and some more."""
    role, more = (
        render(each, settings, account, partition) for each in (GITHUB_ACTIONS_POLICY, DEPLOY_POLICY)
    )
    return {**role, "Statement": [*role["Statement"], *more["Statement"]]}


def setup_policy(settings: Settings, account: str, partition: str) -> dict[str, Any]:
    """The policy for a person who sets up and tears down the stack."""
    return render(SETUP_POLICY, settings, account, partition)


def migration_policy(
    settings: Settings, account: str, partition: str, *, edits_policies: bool = False
) -> dict[str, Any]:
    """The policy, besides the setup policy, for a person who migrates the service ``apprunner.service``.

    ``edits_policies`` adds the permissions to remove App Runner from the account's own policies.
    """
    given = settings.apprunner.service or ""
    more = {
        "apprunner_name": service_name(given),
        "edits_policies": edits_policies,
        "record_names": _names_of_records(settings.domains),
        "record_groups": [_names_of_records(each) for each in domains_together(settings.domains)],
    }
    return render(MIGRATION_POLICY, settings, account, partition, **more)


def policy_of(
    audience: Audience, settings: Settings, account: str, partition: str, *, edits_policies: bool = False
) -> dict[str, Any]:
    """The policy for an audience; raises SettingsError where ``apprunner.service`` is needed and not set."""
    if audience == "deploy":
        return deploy_policy(settings, account, partition)
    if audience == "setup":
        return setup_policy(settings, account, partition)
    if settings.apprunner.service is None:
        raise SettingsError(["apprunner.service: set the App Runner service to migrate"])
    return migration_policy(settings, account, partition, edits_policies=edits_policies)


def domains_together(domains: Sequence[str]) -> tuple[tuple[str, ...], ...]:
    """The domains in as few groups as it takes for the records of each to fit into one statement of a policy.

    A request to change records must be allowed by one statement with all its records ("ForAllValues"), so nobody
    changes records of domains of two groups in one request.
    """
    groups: list[tuple[str, ...]] = []
    for domain in domains:
        *full, last = groups or [()]
        fits = not last or _size(_names_of_records((*last, domain))) <= _RECORD_NAMES_AT_MOST
        groups = [*full, (*last, domain)] if fits else [*groups, (domain,)]
    return tuple(groups)


def _names_of_records(domains: Sequence[str]) -> list[str]:
    return [name for domain in domains for name in _record_names(domain)]


def _record_names(domain: str) -> tuple[str, str]:
    """The names of a domain's own and validation records, in the form of Route 53's condition keys.

    "Normalizing the Route 53 condition key values": lower case, no dot at the end, ``\\052`` for an asterisk.
    """
    name = domain.lower()
    return name.replace("*", "\\052"), f"_*.{name.removeprefix('*.')}"


def github_provider_arn(account: str, partition: str) -> str:
    """The ARN of the account's OIDC provider for GitHub's tokens."""
    return f"arn:{partition}:iam::{account}:oidc-provider/{GITHUB_ISSUER}"


def render(template: str, settings: Settings, account: str, partition: str, **more: Any) -> dict[str, Any]:
    """Render one template; raises TemplateError with the template's name and line."""
    context = {**_context(settings, account, partition), **more}
    try:
        text = _environment(Path.cwd()).get_template(template).render(context)
    except jinja2.TemplateNotFound as absent:
        raise TemplateError(
            f"There is no template {absent.name}.", f"neither in {FOLDER}/ nor packaged"
        ) from None
    except jinja2.TemplateSyntaxError as error:
        where = f"{FOLDER}/{error.name or template}, line {error.lineno}"
        raise TemplateError(f"{where}: {error.message}.") from None
    except _NotJsonError as error:
        raise TemplateError(
            f"{_where(error, template)}: an expression does not end in '| tojson'.",
            "without it a value with a quote in it would break the JSON, or change its meaning",
        ) from None
    except _MISTAKES as error:
        raise TemplateError(f"{_where(error, template)}: {error}.") from None
    return _parse(template, text)


_MEANING_MORE = str.maketrans({"*": "${*}", "?": "${?}", "$": "${$}"})


def literal(text: str) -> str:
    """A text as a part of a policy's resource that matches itself only.

    ``*`` and ``?`` are wildcards there, and ``${`` begins a variable ("IAM policy elements: Variables and tags",
    "Special characters").
    """
    return text.translate(_MEANING_MORE)


def secret_arns(sources: Iterable[str]) -> list[str]:
    """ARNs of the Secrets Manager secrets among the sources, without JSON key, version stage and version id."""
    named = {source for source in sources if ":secretsmanager:" in source}
    return sorted({pattern for source in named for pattern in _secret_patterns(source)})


def secret_and_key(source: str) -> tuple[str, str]:
    """The name or ARN of a Secrets Manager secret, and the JSON key within it, from an entry in the settings."""
    parts = source.split(":")
    return ":".join(parts[:7]), parts[7] if len(parts) > 7 else ""


def user_pool_arn(sign_in: SignInSettings, account: str, partition: str) -> str:
    """The ARN of the user pool that visitors sign in with; empty without one. A pool's id begins with its region."""
    pool = sign_in.user_pool or ""
    if not pool or pool.startswith("arn:"):
        return pool
    return f"arn:{partition}:cognito-idp:{pool.partition('_')[0]}:{account}:userpool/{pool}"


def client_secret_arns(settings: Settings, account: str, partition: str) -> list[str]:
    """Patterns for the ARN of the secret with the client secret of the sign-in; empty without one."""
    secret, _ = secret_and_key(settings.sign_in.client_secret or "")
    if secret and not secret.startswith("arn:"):
        secret = f"arn:{partition}:secretsmanager:{settings.region}:{account}:secret:{secret}"
    return secret_arns([secret])


def parameter_arns(sources: Iterable[str], settings: Settings, account: str, partition: str) -> list[str]:
    """ARNs of the SSM parameters among the sources."""
    prefix = f"arn:{partition}:ssm:{settings.region}:{account}:parameter/"
    return sorted(
        {
            literal(source if ":ssm:" in source else prefix + source.lstrip("/"))
            for source in sources
            if ":secretsmanager:" not in source
        }
    )


def secret_sources(settings: Settings, account: str, partition: str) -> dict[str, str]:
    """Everything that the execution role reads for the stack's task definition, for any of its containers."""
    defined = task_definition(settings, account, partition, "")
    return {**settings.container.secrets, **secrets(defined, settings.container.name)}


def covered_sources(settings: Settings, account: str, partition: str) -> frozenset[str]:
    """The sources of secrets for which the execution role's policy is made.

    Those of the settings alone where a template of the project cannot be rendered.
    """
    try:
        return frozenset(secret_sources(settings, account, partition).values())
    except TemplateError:
        return frozenset(settings.container.secrets.values())


def _of_every_container(settings: Settings, account: str, partition: str) -> dict[str, Any]:
    """Resources that the execution role must reach for the other containers of the task definition."""
    defined = task_definition(settings, account, partition, "")
    sources = secret_sources(settings, account, partition).values()
    own = repository_arn(partition, settings.region, account, settings.repository)
    found = map(ecr_image, images(defined).values())
    others = {literal(each.repository_arn(partition)) for each in found if each}
    groups = {
        (options.get("awslogs-region", settings.region), options["awslogs-group"])
        for options in log_groups(defined).values()
    } | {(settings.region, settings.logs.group)}
    return {
        "secret_arns": secret_arns(sources),
        "parameter_arns": parameter_arns(sources, settings, account, partition),
        "repository_arns": sorted({own, *others}),
        "log_stream_arns": [
            f"arn:{partition}:logs:{literal(region)}:{account}:log-group:{literal(name)}:*"
            for region, name in sorted(groups)
        ],
    }


class _NotJsonError(Exception):
    """An expression without ``tojson``."""


# What an expression in a template can raise: for an undefined name, for the sum of a text and a number, …
_MISTAKES = (
    jinja2.TemplateRuntimeError,
    ArithmeticError,
    AttributeError,
    LookupError,
    TypeError,
    ValueError,
)


def _secret_patterns(source: str) -> list[str]:
    """The resource patterns that an IAM policy needs for one secret.

    Secrets Manager appends a hyphen and six random characters to a secret's name. An ARN that ends in six characters
    certainly contains them only where they are not a plain word.
    """
    arn = literal(":".join(source.split(":")[:7]))
    suffix = re.search(r"-([A-Za-z0-9]{6})$", arn)
    if suffix and not suffix[1].islower():
        return [arn]
    return [arn, f"{arn}-??????"] if suffix else [f"{arn}-??????"]


def _context(settings: Settings, account: str, partition: str) -> dict[str, Any]:
    region = settings.region
    role = f"arn:{partition}:iam::{account}:role/"
    return {
        **{name: getattr(settings, name) for name in type(settings).model_fields},
        "stack_tag": STACK_TAG,
        "certificate": settings.certificate,
        "certificates_in": VIEWER_CERTIFICATES_IN if settings.is_fronted else region,
        "task_policies": settings.task_policies(partition),
        "account": account,
        "partition": partition,
        "execution_role_arn": role + settings.task.execution_role,
        "task_role_arn": role + settings.task.task_role,
        "deploy_role_arn": role + settings.github.role,
        "github_provider_arn": github_provider_arn(account, partition),
        "github_subject_patterns": settings.github.subjects(partition),
        "github_claims": settings.github.claims(partition),
        "repository_arn": repository_arn(partition, region, account, settings.repository),
        "log_group_arn": f"arn:{partition}:logs:{region}:{account}:log-group:{settings.logs.group}",
        "ecs_arn": f"arn:{partition}:ecs:{region}:{account}:",
        "logs_arn": f"arn:{partition}:logs:{region}:{account}:",
        "secret_arns": secret_arns(settings.container.secrets.values()),
        "parameter_arns": parameter_arns(settings.container.secrets.values(), settings, account, partition),
        "client_secret_arns": client_secret_arns(settings, account, partition),
        "user_pool_arn": user_pool_arn(settings.sign_in, account, partition),
    }


class _ProjectLoader(jinja2.FileSystemLoader):
    """Reloads a template when its file has changed, or when a file that takes precedence over it has appeared."""

    def get_source(
        self, environment: jinja2.Environment, template: str
    ) -> tuple[str, str, Callable[[], bool]]:
        """The text, its file, and a function that tells whether both are still current."""
        try:
            text, file, unchanged = super().get_source(environment, template)
        except UnicodeDecodeError:
            raise self._encoding_error(template) from None
        before = list(
            takewhile(lambda each: each != file, (f"{path}/{template}" for path in self.searchpath))
        )
        unmarked = text.removeprefix("\ufeff")
        return unmarked, file, lambda: unchanged() and not any(map(os.path.exists, before))

    def _encoding_error(self, template: str) -> TemplateError:
        """The error for the first existing file of this name."""
        path = next(path for each in self.searchpath if (path := Path(each) / template).is_file())
        try:
            text_file.read(path)
        except text_file.EncodingError as error:
            return TemplateError(f"{FOLDER}/{template} cannot be read.", str(error), "save it as UTF-8")
        return TemplateError(f"{FOLDER}/{template} was changed while it was read.")


@cache
def _environment(folder: Path) -> jinja2.Environment:
    packaged = Path(str(files("lobster_tasks"))) / FOLDER
    beside = packaged.parent.parent / FOLDER  # in a checkout the folder is not inside the package
    environment = jinja2.Environment(
        loader=_ProjectLoader([folder / FOLDER, packaged, beside]),
        undefined=jinja2.StrictUndefined,
        autoescape=False,  # the output is JSON, and _only_json requires tojson
        finalize=_only_json,
    )
    environment.policies["json.dumps_kwargs"] = {"default": _named}
    environment.globals["comma"] = _comma
    return environment


def _named(value: Any) -> Any:
    """Handles values that ``tojson`` cannot serialise: always raises an error."""
    if isinstance(value, jinja2.Undefined):
        str(value)  # raises UndefinedError, which names it
    raise TypeError(f"{type(value).__name__} cannot be written as JSON")


def _only_json(value: Any) -> Any:
    if isinstance(value, jinja2.Undefined):
        str(value)
    if not isinstance(value, Markup):
        raise _NotJsonError
    return value


def _comma(loop: LoopContext) -> Markup:
    """A comma after every item of a loop except the last, as JSON requires."""
    return Markup("" if loop.last else ",")


def _where(error: Exception, template: str) -> str:
    """The innermost template and line that the error passed through."""
    frames = traceback.extract_tb(error.__traceback__)
    inside = [frame for frame in frames if Path(frame.filename).parent.name == FOLDER]
    if not inside:
        return f"{FOLDER}/{template}"
    return f"{FOLDER}/{Path(inside[-1].filename).name}, line {inside[-1].lineno}"


def _parse(template: str, text: str) -> dict[str, Any]:
    try:
        made = parsed(text, object_pairs_hook=_each_once)
    except json.JSONDecodeError as error:
        line = (text.splitlines() or [""])[error.lineno - 1].strip()
        raise TemplateError(
            f"{FOLDER}/{template} does not render valid JSON: {error.msg}.",
            f"in line {error.lineno} of what it renders: {line}",
        ) from None
    except _TwiceError as twice:
        raise TemplateError(
            f"{FOLDER}/{template} contains {twice} twice in one object.", "only the last one would count"
        ) from None
    except ValueError as error:
        raise TemplateError(f"{FOLDER}/{template} does not render valid JSON: {error}.") from None
    if not isinstance(made, dict):
        raise TemplateError(f"{FOLDER}/{template} does not render a JSON object.")
    return made


class _TwiceError(ValueError):
    """A name that occurs twice in a JSON object."""


def _each_once(members: list[tuple[str, Any]]) -> dict[str, Any]:
    if twice := given_twice(name for name, _ in members):
        raise _TwiceError(json.dumps(twice[0]))
    return dict(members)


def _check_size(made: Mapping[str, Any]) -> None:
    """Refuse a task definition over ECS's limit of 64 KiB; the error names its largest part without showing it."""
    size = _size(made)
    if size > LARGEST_DEFINITION:
        where, largest = _largest("", made, size // 2)
        raise TemplateError(
            f"The task definition has {size:,} bytes; ECS takes {LARGEST_DEFINITION:,} at the most.",
            f"the largest part is {where or 'all of it'}: {largest:,} bytes",
            "move large values into a file of the image, Amazon S3, or a secret",
        )


def _size(value: Any) -> int:
    return len(json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode())


def _largest(path: str, value: Any, least: int) -> tuple[str, int]:
    """The path and size of the innermost part that is larger than ``least``, which is half of everything or more."""
    for inner_path, inner in _parts(path, value):
        if _size(inner) > least:
            return _largest(inner_path, inner, least)
    return path, _size(value)


def _parts(path: str, value: Any) -> Iterator[tuple[str, Any]]:
    """The members of a mapping or a list; list items are identified by their name where they have one."""
    if isinstance(value, Mapping):
        for name, inner in value.items():
            yield f"{path}.{name}".lstrip("."), inner
    elif isinstance(value, list):
        for number, inner in enumerate(value):
            name = inner.get("name", number) if isinstance(inner, Mapping) else number
            yield f"{path}[{name}]", inner


def _check_task_definition(made: dict[str, Any], settings: Settings) -> None:
    """Check what the rest of the library and ECS require of a task definition, including one from a project's
    template."""
    if made.get("family") != settings.task.family:
        raise TemplateError(
            f"{OWN_DEFINITION} is of the family {made.get('family')}, task.family is {settings.task.family}.",
            next_step='say "family": {{ task.family | tojson }}',
        )
    if wrong := _mistakes(made):
        told = [*wrong[:_MOST_TOLD], *([f"and {len(wrong) - _MOST_TOLD} more"] if wrong[_MOST_TOLD:] else [])]
        raise TemplateError(
            f"{OWN_DEFINITION} does not make a task definition that ECS takes.",
            "; ".join(told),
            f"correct {OWN_DEFINITION}",
        )
    names = [each["name"] for each in containers(made)]
    if len(names) > MOST_CONTAINERS:
        raise TemplateError(
            f"{OWN_DEFINITION} has {len(names)} containers; ECS takes {MOST_CONTAINERS} at the most.",
            "every sidecar counts",
            "combine several containers into one",
        )
    if settings.container.name not in names:
        raise TemplateError(
            f"{OWN_DEFINITION} has no container {settings.container.name} (container.name).",
            f"its containers: {', '.join(names) or 'none'}",
            'say "name": {{ container.name | tojson }}',
        )


def _mistakes(made: Mapping[str, Any]) -> list[str]:
    """What ECS would refuse: by the shape of RegisterTaskDefinition, and that containers have names, each its own."""
    if wrong := mistakes("ecs", "RegisterTaskDefinition", {"containerDefinitions": [], **made}):
        return wrong
    names = [each.get("name", "") for each in containers(made)]
    nameless = [
        f"containerDefinitions[{number}].name is missing" for number, name in enumerate(names) if not name
    ]
    return [*nameless, *(f"two containers have the name {each}" for each in given_twice(filter(None, names)))]
