"""Runs a command in a task, with the AWS CLI and the Session Manager plugin (ECS Exec).

An embedded AWS has no sessions of Systems Manager; where its tasks are containers it names the engine's own command.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote

from ...account import is_embedded
from ...aws import Aws
from ...definition import named_or_first
from ...errors import RefusedError
from ...settings import Settings
from .service import active_service
from .watch import task_arns

_REFUSALS = ("InvalidParameterException", "TargetNotConnectedException")  # the AWS CLI tells them
_PLUGIN = "session-manager-plugin"
_PLUGIN_PAGE = "https://docs.aws.amazon.com/systems-manager/latest/userguide/session-manager-working-with-install-plugin.html"
_CLI_PAGE = "https://docs.aws.amazon.com/cli/latest/userguide/getting-started-install.html"
# Actions of the agent in the task, with the task role (Developer Guide, "Using Amazon ECS Exec").
_ACTIONS = (
    "ssmmessages:CreateControlChannel, ssmmessages:CreateDataChannel, ssmmessages:OpenControlChannel and "
    "ssmmessages:OpenDataChannel"
)


def exec_command(aws: Aws, settings: Settings, command: str, task: str = "") -> list[str]:
    """The words that run ``command`` in a running task; ``task`` is its id or the beginning of it.

    They are those of ``aws ecs execute-command``, or of the container engine of an embedded AWS. Raises RefusedError
    where a program is missing, the task does not exist, or execute command is not enabled.
    """
    if is_embedded(aws.endpoint_url) and (words := _of_an_engine(aws, settings, command, task)):
        return words
    _check_programs()
    service = active_service(aws, settings.cluster, settings.service)
    chosen = _task(aws, settings.cluster, service, task)
    _check_enabled(settings, service, chosen)
    return [
        *("aws", "ecs", "execute-command"),
        *("--region", aws.region),
        *("--cluster", settings.cluster),
        *("--task", chosen["taskArn"]),
        *("--container", _container(chosen, settings.container.name)),
        *("--interactive", "--command", command),
    ]


def _of_an_engine(aws: Aws, settings: Settings, command: str, task: str) -> list[str]:
    """The words for a container engine; empty where the embedded AWS names none, or refuses the session."""
    try:
        chosen = _task(aws, settings.cluster, active_service(aws, settings.cluster, settings.service), task)
    except RefusedError:
        return []
    answer = aws.find(
        "ecs:ExecuteCommand",
        _REFUSALS,
        settings.service,
        cluster=settings.cluster,
        task=chosen["taskArn"],
        container=_container(chosen, settings.container.name),
        command=command,
        interactive=True,
    )
    scheme, _, words = str((answer or {"session": {"streamUrl": ""}})["session"]["streamUrl"]).partition(":")
    return list(json.loads(unquote(words))) if scheme == "exec" else []


def _check_programs() -> None:
    for program, page in (("aws", _CLI_PAGE), (_PLUGIN, _PLUGIN_PAGE)):
        if shutil.which(program) is None:
            raise RefusedError(
                f"{program} is not installed.",
                "a session inside a task goes through the AWS CLI and its Session Manager plugin",
                f"install it: {page}",
            )


def _task(aws: Aws, cluster: str, service: Mapping[str, Any], task_id: str) -> Mapping[str, Any]:
    """The newest running task that matches, preferably of the current revision."""
    name = service["serviceName"]
    arns = [
        arn for arn in task_arns(aws, cluster, name, "RUNNING") if arn.rpartition("/")[2].startswith(task_id)
    ]
    answer = aws.call("ecs:DescribeTasks", name, cluster=cluster, tasks=arns[:100]) if arns else {}
    running = [each for each in answer.get("tasks", []) if each["lastStatus"] == "RUNNING"]
    if not running:
        what = f"no running task {task_id}" if task_id else "no running task"
        raise RefusedError(f"{name} has {what}.", next_step="inv status")
    current = service["taskDefinition"]
    return max(running, key=lambda each: (each["taskDefinitionArn"] == current, each["createdAt"]))


def _check_enabled(settings: Settings, service: Mapping[str, Any], task: Mapping[str, Any]) -> None:
    if task.get("enableExecuteCommand"):
        return
    where = f"--cluster {settings.cluster} --service {settings.service}"
    if service.get("enableExecuteCommand"):
        why = "ECS Exec was turned on after this task started; only new tasks have it"
        step = f"aws ecs update-service {where} --force-new-deployment"
    else:
        why = "ECS Exec is off for the service"
        step = f"aws ecs update-service {where} --enable-execute-command --force-new-deployment"
    name = task["taskArn"].rpartition("/")[2][:8]
    raise RefusedError(
        f"ECS Exec cannot run a command in task {name}.",
        why,
        f"allow {_ACTIONS} to {settings.task.task_role}, then {step}",
    )


def _container(task: Mapping[str, Any], name: str) -> str:
    return str(named_or_first(task["containers"], name)["name"])
