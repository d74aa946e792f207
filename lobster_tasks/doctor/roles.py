"""Checks of the caller, the roles, and the secrets. Pure."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from ..definition import secrets as secrets_of
from ..templates import OWN_DEFINITION
from .check import CheckResult, UnknownError, failed, listed, passed, warned
from .facts import Decision, Facts, Name, Secret
from .permissions import denied
from .references import is_secret, who
from .trust import TASKS, objection

_FIX_ROLES = "inv create-iam-policies"


def caller(facts: Facts) -> CheckResult:
    """The caller's account, identity and region are known."""
    identity = facts.known("identity")
    return passed(f"{facts.account} as {who(identity['Arn'])}, {facts.settings.region}")


def execution_role(facts: Facts) -> CheckResult:
    """ECS tasks can assume the role that pulls the image, writes the logs and reads the secrets."""
    return _role(facts, "execution_role", facts.settings.task.execution_role, "executionRoleArn")


def task_role(facts: Facts) -> CheckResult:
    """ECS tasks can assume the role of the app itself."""
    return _role(facts, "task_role", facts.settings.task.task_role, "taskRoleArn")


def _role(facts: Facts, reading: Name, name: str, member: str) -> CheckResult:
    role = facts.known(reading)
    if role is None:
        return failed(f"there is no role {name}", _FIX_ROLES, "absent")
    named = _named(facts, member, name)
    if role["Arn"] != named:
        why = f"the task definition names {named}, but {name} is {role['Arn']}"
        return failed(why, f"set task.{reading} to another name in invoke.yaml; {_FIX_ROLES}", "absent", why)
    document = _document(role["AssumeRolePolicyDocument"])
    why_not = objection(document, facts.account, facts.partition, facts.settings.region)
    if why_not:
        saw = f"{name} cannot be assumed by {TASKS}: {why_not}"
        return failed(saw, _FIX_ROLES, "not-assumable", why_not)
    return passed(f"{name} can be assumed by {TASKS}")


def _named(facts: Facts, member: str, name: str) -> str:
    """The ARN by which ECS gets a role: that of the revision, or of the next one where its role has another name."""
    arn = str((facts.readings["task_definition"].value or {}).get(member, ""))
    is_its = arn.rpartition("/")[2] == name
    return arn if is_its else f"arn:{facts.partition}:iam::{facts.account}:role/{name}"


def _document(value: Any) -> Mapping[str, Any]:
    return dict(json.loads(value)) if isinstance(value, str) else value


def service_linked_role(facts: Facts) -> CheckResult:
    """ECS has its service-linked role, which the first cluster of an account creates."""
    if facts.known("service_linked_role"):
        return passed("AWSServiceRoleForECS exists")
    saw = "there is no AWSServiceRoleForECS; ECS creates it with the account's first cluster"
    return warned(saw, "inv create-ecs-cluster")


def pull(facts: Facts) -> CheckResult:
    """The execution role may pull the image."""
    return _allowed(facts, facts.known("may_pull"), f"pull from {facts.settings.repository}")


def log(facts: Facts) -> CheckResult:
    """The execution role may write the logs."""
    return _allowed(facts, facts.known("may_log"), f"write to {facts.settings.logs.group}")


def pass_roles(facts: Facts) -> CheckResult:
    """The caller can pass the roles to ECS; otherwise no revision can be registered."""
    decisions = facts.known("may_pass")
    if not decisions:
        raise UnknownError("there are no roles to pass")
    who_asks = who(facts.known("identity")["Arn"])
    refused = [each.resource.rpartition("/")[2] for each in denied(decisions)]
    if not refused:
        return passed(f"{who_asks} can pass the roles to ECS")
    arns = [each.resource for each in denied(decisions)]
    return failed(
        f"{who_asks} cannot pass {listed(refused)}", f"allow iam:PassRole on {listed(arns)} to {who_asks}"
    )


def read_secrets(facts: Facts) -> CheckResult:
    """The execution role may read every secret and parameter."""
    secrets: list[Secret] = facts.known("secrets")
    count = len(secrets)
    if not count:
        return passed("no secrets are named")
    decisions = facts.known("may_read_secrets") + facts.known("may_read_parameters")
    finding = _allowed(facts, decisions, f"read {count} of {count} secrets")
    if finding.status == "pass":
        return finding
    hidden = _hidden(secrets, denied(decisions))
    role = facts.settings.task.execution_role
    strange = [each.source for each in hidden if each.source not in facts.known("covered")]
    fix = (
        f"name {listed(strange)} in container.secrets or in {OWN_DEFINITION}; {_FIX_ROLES}"
        if strange
        else _FIX_ROLES
    )
    return failed(f"{role} is not allowed to read {listed([each.name for each in hidden])}", fix)


def decrypt(facts: Facts) -> CheckResult:
    """The execution role may decrypt with the secrets' own KMS keys."""
    decisions = facts.known("may_decrypt")
    if not decisions:
        return passed("no secret has a customer managed key")
    finding = _allowed(facts, decisions, "decrypt with the secrets' own keys")
    if finding.status == "pass":
        return finding
    refused, role = denied(decisions), facts.settings.task.execution_role
    if closed := [each for each in refused if each.by]:
        first = closed[0]
        return failed(
            f"{role} is not allowed to {first.action} on {first.resource}: {first.by} does not allow it",
            f"let {role} {first.action} in the policy of {listed([each.resource for each in closed])}: aws kms "
            "put-key-policy",
        )
    keys = [each.resource for each in refused]
    return failed(finding.saw, f"allow kms:Decrypt on {listed(keys)} (container.secret_keys; {_FIX_ROLES})")


def _allowed(facts: Facts, decisions: list[Decision], what: str) -> CheckResult:
    role = facts.settings.task.execution_role
    refused = denied(decisions)
    if not refused:
        return passed(f"{role} can {what}")
    first = refused[0]
    how = "is explicitly denied" if first.decision == "explicitDeny" else "is not allowed to"
    more = f" and {len(refused) - 1} more" if len(refused) > 1 else ""
    return failed(f"{role} {how} {first.action} on {first.resource}{more}", _FIX_ROLES)


def _hidden(secrets: list[Secret], refused: list[Decision]) -> list[Secret]:
    resources = {each.resource for each in refused}
    return [secret for secret in secrets if secret.arn in resources]


def secrets_exist(facts: Facts) -> CheckResult:
    """Every secret and parameter exists; the check does not read values."""
    secrets: list[Secret] = facts.known("secrets")
    missing = [secret.name for secret in secrets if secret.found is False]
    unknown = [secret for secret in secrets if secret.found is None]
    if missing:
        return failed(
            f"{listed(missing)}: the secret does not exist or has no value",
            f"store the values, or correct container.secrets (of other containers: {OWN_DEFINITION})",
        )
    if unknown:
        raise UnknownError(f"{len(unknown)} of {len(secrets)} secrets: {unknown[0].unknown}")
    return passed(f"{len(secrets)} of {len(secrets)} are there" if secrets else "no secrets are named")


def secret_forms(facts: Facts) -> CheckResult:
    """Two more colons follow a JSON key in a secret's ARN, in the running revision too."""
    definition = facts.known("task_definition")
    live = secrets_of(definition or {}, facts.settings.container.name)
    sources = {**facts.settings.container.secrets, **live}
    wrong = [
        name for name, source in sources.items() if is_secret(source) and source.count(":") not in (6, 9)
    ]
    if wrong:
        return failed(
            f"{listed(wrong)} has a JSON key in the wrong form", "write it as <the secret's ARN>:<key>::"
        )
    keyed = sum(source.count(":") == 9 for source in sources.values() if is_secret(source))
    return passed(f"{keyed} by JSON key" if keyed else "no secret uses a JSON key")
