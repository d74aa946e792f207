"""Maps the source of the image, the role that pulls it, and how it is deployed."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from ...documentation import place
from ...masking import mask_shapes
from ...secrecy import hides_secret, looks_secret
from ..description import AwsDict, Description, ImageFacts, RoleFacts
from ..source import DOCKERFILE, FILE, base_image, build_commands, dockerfile, port_of
from .names import role_base
from .rows import MappingRow, Rule, RuleResult, approximated, no_equivalent, same, translated, unsettled

_PULL_POLICY = "AWSAppRunnerServicePolicyForECRAccess"
_SOURCE = "SourceConfiguration."
_IMAGE = f"{_SOURCE}ImageRepository."
_CODE = f"{_SOURCE}CodeRepository."
_VALUES = f"{_CODE}CodeConfiguration.CodeConfigurationValues."
_REPOSITORY = re.compile(r"[a-z0-9]{1,256}([._/-][a-z0-9]{1,256}){0,128}")


def image(description: Description) -> RuleResult:
    """ImageIdentifier and ImageRepositoryType."""
    source = description.service["SourceConfiguration"].get("ImageRepository")
    if not source:
        return RuleResult()
    identifier, kind = source["ImageIdentifier"], source["ImageRepositoryType"]
    facts = description.image
    settings = {"repository": _repository(description), "images": {"keep": 0}}
    if facts and is_taken_over(description):
        row = same(f"{_IMAGE}ImageIdentifier", identifier, f"repository {facts.repository}", _release(facts))
        kept = same(f"{_IMAGE}ImageRepositoryType", kind, note="all its images stay (images.keep: 0)")
        return RuleResult((row, kept), settings)
    return RuleResult(
        (_elsewhere(description, identifier), same(f"{_IMAGE}ImageRepositoryType", kind)), settings
    )


def is_taken_over(description: Description) -> bool:
    """Whether the stack can have the repository that App Runner pulls from: it is here, and no other stack's."""
    facts = description.image
    is_here = facts is not None and (facts.registry, facts.region) == (
        description.account,
        description.region,
    )
    return is_here and not _others(description)


def _others(description: Description) -> str:
    """The other stack that has the repository; setup would refuse to take it over."""
    stack = description.image.stack if description.image else ""
    return "" if stack == description.name else stack


def _repository(description: Description) -> str:
    """The repository's name, where it is one that ECR takes and no other stack has."""
    facts = description.image
    name = facts.repository if facts else ""
    if facts and not facts.registry:
        name = name.partition("/")[2]  # behind the alias
    own = re.sub(r"[^a-z0-9]++", "-", description.name.lower()).strip("-")
    if _others(description):
        return f"{own}-fargate" if own == name else own
    return name if len(name) > 1 and _REPOSITORY.fullmatch(name) else own


def _release(facts: ImageFacts) -> str:
    """How to deploy the very image that runs."""
    reference = facts.tag or facts.digest
    if facts.images is not None and not facts.digest:
        return f"the repository has no image {reference} any more"
    return f"inv deploy --tag {reference}" + (
        f" ({facts.digest[:19]}…)" if facts.tag and facts.digest else ""
    )


def _elsewhere(description: Description, identifier: str) -> MappingRow:
    repository = _repository(description)
    where = f"{description.account}.dkr.ecr.{description.region}.amazonaws.com/{repository}"
    tag = (description.image.tag if description.image else "") or "T"
    why = "releases come from a repository of this account and region"
    if stack := _others(description):
        why = f"its repository belongs to the stack {stack}, and setup never takes a resource from another stack"
    return approximated(
        f"{_IMAGE}ImageIdentifier",
        identifier,
        f"repository {repository}",
        why,
        "copy the image once the repository exists and docker is signed in to it",
        f"docker pull {identifier}",
        f"docker tag {identifier} {where}:{tag}",
        f"docker push {where}:{tag}",
    )


def deployments(description: Description) -> RuleResult:
    """AutoDeploymentsEnabled."""
    setting, enabled = f"{_SOURCE}AutoDeploymentsEnabled", is_automatic(description)
    if not enabled:
        return RuleResult((same(setting, False, note="automatic deployments are off"),))
    tag = (description.image.tag if description.image else "") or "T"
    note = "nothing monitors the repository: each release is deployed, followed and, if it fails, rolled back"
    decide = (
        f"let the workflow that pushes also deploy, with the GitHub Action or inv deploy --tag {tag}; if others push, "
        f"use the workflow for this in {place('docs/apprunner.md')}"
    )
    return RuleResult((approximated(setting, True, "the workflow that pushes deploys", note, decide),))


def is_automatic(description: Description) -> bool:
    """The default is true, but for ECR Public and the ECR of other accounts (CreateService)."""
    given = description.service["SourceConfiguration"].get("AutoDeploymentsEnabled")
    facts = description.image
    elsewhere = facts is not None and facts.registry != description.account
    return bool(given) if given is not None else not elsewhere


def access_role(description: Description) -> RuleResult:
    """AuthenticationConfiguration.AccessRoleArn: what pulls the image is the execution role."""
    role = description.access_role
    setting = f"{_SOURCE}AuthenticationConfiguration.AccessRoleArn"
    if role is None:
        return RuleResult()
    new = f"execution role {role_base(description)}-execution"
    note = f"a new role that pulls the one repository; {role.name} is not touched"
    rows = [translated(setting, role.arn, new, note if role.found else f"{note} (it is gone)")]
    if role.boundary:
        rows.append(_boundary(role, description.instance_role, role_base(description)))
    if more := [arn.rpartition("/")[2] for arn in role.managed if not arn.endswith(_PULL_POLICY)] + [
        *role.inline
    ]:
        rows.append(_more_permissions(role, more))
    return RuleResult(tuple(rows))


def _boundary(role: RoleFacts, instance_role: RoleFacts | None, base: str) -> MappingRow:
    """``task.permissions_boundary`` bounds all roles, and is that of the instance role."""
    what = "access role: PermissionsBoundary"
    taken = instance_role.boundary if instance_role else ""
    if taken == role.boundary:
        return same(what, role.boundary, "task.permissions_boundary")
    return approximated(
        what,
        role.boundary,
        "task.permissions_boundary" if taken else "none",
        f"task.permissions_boundary applies to all roles; it is {taken}, not this one"
        if taken
        else "the app's role has none, and task.permissions_boundary would apply to it too",
        f"set task.permissions_boundary to {role.boundary} if it allows what the app needs"
        if taken
        else "after inv setup-fargate, set the boundary on the execution role alone; setup does not change it",
        *(() if taken else (_bounding(role, base),)),
    )


def _bounding(role: RoleFacts, base: str) -> str:
    """The command that bounds the execution role alone."""
    return f"aws iam put-role-permissions-boundary --role-name {base}-execution --permissions-boundary {role.boundary}"


def _more_permissions(role: RoleFacts, more: list[str]) -> MappingRow:
    return approximated(
        "access role: policies",
        more,
        "what the execution role needs",
        "the execution role gets only permission to pull the image, write logs and read the named secrets",
        "",
    )


def code(description: Description) -> RuleResult:
    """CodeRepository: there is no image to take along, so a Dockerfile is drafted."""
    source = description.service["SourceConfiguration"].get("CodeRepository")
    if not source:
        return RuleResult()
    directory = source.get("SourceDirectory", "/")
    build = {
        name: value
        for name, value in description.configuration.get("BuildEnvironment", {}).items()
        if not looks_secret(name, value)
    }
    draft = dockerfile(description.name, description.configuration, directory, build)
    settings = {"repository": _repository(description), "dockerfile": DOCKERFILE}
    return RuleResult(tuple(_code_rows(description, source)), settings, {DOCKERFILE: draft})


def _code_rows(description: Description, source: Any) -> list[MappingRow]:
    version, configuration = source["SourceCodeVersion"], source.get("CodeConfiguration", {})
    told = description.configuration
    commands = ["hidden" if hides_secret(command) else command for command in build_commands(told)]
    rows = [
        approximated(
            f"{_CODE}RepositoryUrl",
            mask_shapes(source["RepositoryUrl"]),
            DOCKERFILE,
            "App Runner builds from source; here inv push-image builds the Dockerfile",
            f"review {DOCKERFILE} in a checkout of the repository, then inv push-image --tag T",
        ),
        translated(f"{_CODE}SourceCodeVersion.Type", version["Type"], "the checkout that is built"),
        translated(f"{_CODE}SourceCodeVersion.Value", version["Value"], "the checkout that is built"),
        translated(f"{_CODE}SourceDirectory", source.get("SourceDirectory", "/"), "COPY"),
        _configured_in(description, configuration),
        approximated(
            f"{_VALUES}Runtime",
            told.get("Runtime"),
            "FROM",
            "App Runner's own build images are not available",
        ),
        approximated(f"{_VALUES}BuildCommand", commands, "RUN", "run in another image"),
    ]
    if (
        connection := description.service["SourceConfiguration"]
        .get("AuthenticationConfiguration", {})
        .get("ConnectionArn")
    ):
        rows.append(_connection(description, connection))
    return [*rows, *_file_rows(description.source_file or {})]


def _file_rows(told: AwsDict) -> Iterator[MappingRow]:
    """The members of ``apprunner.yaml`` that the API has no word for."""
    if version := told.get("FileVersion"):
        yield translated(f"{FILE}: version", version, "none", "it is the version of the file's format")
    if version := told.get("RuntimeVersion"):
        note = "the image of that version, if there is one"
        yield approximated(f"{FILE}: run.runtime-version", version, f"FROM {base_image(told)}", note)
    for name, value in sorted(told.get("BuildEnvironment", {}).items()):
        yield _build_variable(name, value)
    if commands := ["hidden" if hides_secret(each) else each for each in told.get("PreRun", ())]:
        yield approximated(f"{FILE}: run.pre-run", commands, "RUN", "run in another image")
    if variable := told.get("PortVariable"):
        yield translated(f"{FILE}: run.network.env", variable, "ENV", f"it holds the port, {port_of(told)}")
    for part in told.get("Misshapen", ()):
        note = "App Runner's file format expects another value there"
        yield unsettled(f"{FILE}: {part}", "set", note, f"correct {FILE}, or set the intended value by hand")
    for member in told.get("Unknown", ()):
        note = "App Runner's file format has no such member"
        yield no_equivalent(
            f"{FILE}: {member}", "set", note, "check whether anything in the project reads it"
        )


def _build_variable(name: str, value: str) -> MappingRow:
    setting = f"{FILE}: build.env.{name}"
    if looks_secret(name, value):
        note = "a value that looks like a secret is never written to a file"
        decide = f"pass it to the build: ARG {name} in {DOCKERFILE}, and --build-arg to inv push-image"
        return unsettled(setting, "hidden", note, decide, "left out")
    return translated(setting, "set", "ARG")


def _configured_in(description: Description, configuration: Any) -> MappingRow:
    setting, where = (
        f"{_CODE}CodeConfiguration.ConfigurationSource",
        configuration.get("ConfigurationSource", "API"),
    )
    if where == "REPOSITORY" and description.source_file is None:
        note = f"there is no {FILE} in this folder, and only that file says what runs"
        return unsettled(setting, where, note, "run it again in a checkout of the repository")
    return translated(setting, where, DOCKERFILE)


def _connection(description: Description, arn: str) -> MappingRow:
    provider = (description.connection or {}).get("ProviderType", "")
    return translated(
        f"{_SOURCE}AuthenticationConfiguration.ConnectionArn",
        arn,
        "github.role, which the repository's own workflow assumes",
        f"AWS no longer reads the repository{f' at {provider}' if provider else ''}",
        "inv setup-aws, then the workflow in the README (The GitHub Action)"
        if provider in ("", "GITHUB")
        else "let its own pipeline run inv push-image and inv deploy, with a role that trusts it",
    )


RULES = (
    Rule(
        (
            "Service.SourceConfiguration.ImageRepository.ImageIdentifier",
            "Service.SourceConfiguration.ImageRepository.ImageRepositoryType",
        ),
        image,
    ),
    Rule(
        (
            "Service.SourceConfiguration.CodeRepository.RepositoryUrl",
            "Service.SourceConfiguration.CodeRepository.SourceCodeVersion.Type",
            "Service.SourceConfiguration.CodeRepository.SourceCodeVersion.Value",
            "Service.SourceConfiguration.CodeRepository.SourceDirectory",
            "Service.SourceConfiguration.CodeRepository.CodeConfiguration.ConfigurationSource",
            "Service.SourceConfiguration.CodeRepository.CodeConfiguration.CodeConfigurationValues.Runtime",
            "Service.SourceConfiguration.CodeRepository.CodeConfiguration.CodeConfigurationValues.BuildCommand",
            "Service.SourceConfiguration.AuthenticationConfiguration.ConnectionArn",
            "Connection.ProviderType",
        ),
        code,
    ),
    Rule(("Service.SourceConfiguration.AutoDeploymentsEnabled",), deployments),
    Rule(("Service.SourceConfiguration.AuthenticationConfiguration.AccessRoleArn",), access_role),
)
