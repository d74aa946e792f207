"""Jinja templates become AWS-shaped dicts.

A project's own ``task-definitions/`` wins over the packaged one, file by file. Every expression has to end in
``| tojson``, which makes the result valid JSON whatever a value contains; an undefined name is an error that
names the template and the line.
"""

from __future__ import annotations

import json
import re
import traceback
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

import jinja2
from jinja2.runtime import LoopContext
from markupsafe import Markup

from .errors import TemplateError
from .settings import Settings

TASK_DEFINITION = "ecs-task-definition.json.j2"
TRUST_POLICY = "ecs-trust-policy.json.j2"
ROLE_POLICIES = "fargate-iam-policies.json.j2"
GITHUB_ACTIONS_POLICY = "github-actions-policy.json.j2"
FOLDER = "task-definitions"


def task_definition(settings: Settings, account: str, partition: str, image: str) -> dict[str, Any]:
    """The input of ECS RegisterTaskDefinition for ``image``, a full reference."""
    return render(TASK_DEFINITION, settings, account, partition, image=image)


def trust_policy(settings: Settings, account: str, partition: str) -> dict[str, Any]:
    """Who may assume the execution role and the task role."""
    return render(TRUST_POLICY, settings, account, partition)


def role_policies(settings: Settings, account: str, partition: str) -> dict[str, dict[str, Any]]:
    """The inline policies of the ``execution`` role and of the ``task`` role."""
    return render(ROLE_POLICIES, settings, account, partition)


def github_actions_policy(settings: Settings, account: str, partition: str) -> dict[str, Any]:
    """What the deploy role may do."""
    return render(GITHUB_ACTIONS_POLICY, settings, account, partition)


def render(template: str, settings: Settings, account: str, partition: str, **more: str) -> dict[str, Any]:
    """Render one template; raises TemplateError with the template's name and line."""
    context = {**_context(settings, account, partition), **more}
    try:
        text = _environment(Path.cwd()).get_template(template).render(context)
    except jinja2.TemplateNotFound:
        raise TemplateError(
            f"There is no template {template}.", f"neither in {FOLDER}/ nor packaged"
        ) from None
    except jinja2.TemplateSyntaxError as error:
        raise TemplateError(f"{error.filename or template}, line {error.lineno}: {error.message}.") from None
    except jinja2.UndefinedError as error:
        raise TemplateError(f"{_where(error, template)}: {error.message}.") from None
    except _NotJsonError as error:
        raise TemplateError(
            f"{_where(error, template)}: an expression does not end in '| tojson'.",
            "without it a value with a quote in it would break the JSON, or change its meaning",
        ) from None
    return _parse(template, text)


def secret_arns(settings: Settings, account: str, partition: str) -> list[str]:
    """The Secrets Manager ARNs behind ``container.secrets``, without JSON key, stage and version."""
    named = {source for source in settings.container.secrets.values() if ":secretsmanager:" in source}
    return sorted({pattern for source in named for pattern in _secret_patterns(source)})


def parameter_arns(settings: Settings, account: str, partition: str) -> list[str]:
    """The SSM parameter ARNs behind ``container.secrets``."""
    prefix = f"arn:{partition}:ssm:{settings.region}:{account}:parameter/"
    return sorted(
        {
            source if ":ssm:" in source else prefix + source.lstrip("/")
            for source in settings.container.secrets.values()
            if ":secretsmanager:" not in source
        }
    )


class _NotJsonError(Exception):
    """An expression was printed without ``tojson``."""


def _secret_patterns(source: str) -> list[str]:
    """What IAM has to allow for one secret.

    Secrets Manager adds a hyphen and six random characters to a secret's name. Whether an ARN that ends in
    six characters has them already shows only when they are not a plain word.
    """
    arn = ":".join(source.split(":")[:7])
    suffix = re.search(r"-([A-Za-z0-9]{6})$", arn)
    if suffix and not suffix[1].islower():
        return [arn]
    return [arn, f"{arn}-??????"] if suffix else [f"{arn}-??????"]


def _context(settings: Settings, account: str, partition: str) -> dict[str, Any]:
    region = settings.region
    role = f"arn:{partition}:iam::{account}:role/"
    return {
        **{name: getattr(settings, name) for name in type(settings).model_fields},
        "account": account,
        "partition": partition,
        "execution_role_arn": role + settings.task.execution_role,
        "task_role_arn": role + settings.task.task_role,
        "repository_arn": f"arn:{partition}:ecr:{region}:{account}:repository/{settings.repository}",
        "log_group_arn": f"arn:{partition}:logs:{region}:{account}:log-group:{settings.logs.group}",
        "ecs_arn": f"arn:{partition}:ecs:{region}:{account}:",
        "logs_arn": f"arn:{partition}:logs:{region}:{account}:",
        "secret_arns": secret_arns(settings, account, partition),
        "parameter_arns": parameter_arns(settings, account, partition),
    }


@cache
def _environment(folder: Path) -> jinja2.Environment:
    packaged = Path(str(files("lobster_tasks"))) / FOLDER
    beside = packaged.parent.parent / FOLDER  # a checkout, where the folder is not inside the package
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader([folder / FOLDER, packaged, beside]),
        undefined=jinja2.StrictUndefined,
        autoescape=False,  # the output is JSON, guarded by _only_json
        finalize=_only_json,
    )
    environment.globals["comma"] = _comma
    return environment


def _only_json(value: Any) -> Any:
    if isinstance(value, jinja2.Undefined):
        str(value)  # raises UndefinedError, which names it
    if not isinstance(value, Markup):
        raise _NotJsonError
    return value


def _comma(loop: LoopContext) -> Markup:
    """A comma after every item of a list but the last, which is what JSON wants."""
    return Markup("" if loop.last else ",")


def _where(error: Exception, template: str) -> str:
    frames = traceback.extract_tb(error.__traceback__)
    inside = [frame for frame in frames if frame.filename.endswith(template)]
    return f"{FOLDER}/{template}, line {inside[-1].lineno}" if inside else f"{FOLDER}/{template}"


def _parse(template: str, text: str) -> dict[str, Any]:
    try:
        parsed = json.loads(text)
    except json.JSONDecodeError as error:
        raise TemplateError(
            f"{FOLDER}/{template} does not make valid JSON: {error.msg}.",
            f"in line {error.lineno} of what it renders: {text.splitlines()[error.lineno - 1].strip()}",
        ) from None
    if not isinstance(parsed, dict):
        raise TemplateError(f"{FOLDER}/{template} does not make a JSON object.")
    return parsed
