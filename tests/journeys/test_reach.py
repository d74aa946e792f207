"""What somebody with one of our policies tries against others, and against the boundary: SECURITY.md, tried."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

import pytest

from lobster_tasks import templates
from lobster_tasks.settings import Settings, load
from tests.embedded.identities import ACCOUNT, ANYBODY_HERE, Identity, allow, person, policy, role, trust
from tests.embedded.refusals import refused
from tests.embedded_process import EmbeddedProcess

BOUNDARY = "arn:aws:iam::aws:policy/PowerUserAccess"
ADMINISTRATOR = "arn:aws:iam::aws:policy/AdministratorAccess"
ROLES = ("ecsTaskExecutionRole", "ecsTaskRole", "github-deploys")
HERE = f"us-east-2:{ACCOUNT}"
BOUND = load({"task": {"permissions_boundary": BOUNDARY, "policies": [BOUNDARY]}})
FULL = load({"domains": ["app.example.com"], "scaling": {"max": 3}})
Policy = Callable[[Settings, str, str], Mapping[str, Any]]


@pytest.fixture(autouse=True)
def fresh(embedded_process: EmbeddedProcess) -> None:
    """An account of its own for every test."""
    embedded_process.reset()


def with_policy(aws: EmbeddedProcess, made: Policy, settings: Settings) -> Identity:
    """A person with the documents of one policy."""
    return person(aws, "mallory", made(settings, ACCOUNT, "aws"))


@pytest.mark.parametrize("name", ROLES)
def test_no_role_is_made_outside_of_the_boundary(embedded_process: EmbeddedProcess, name: str) -> None:
    iam = with_policy(embedded_process, templates.setup_policy, BOUND).client("iam")
    made = {"RoleName": name, "AssumeRolePolicyDocument": trust(ANYBODY_HERE)}
    for bounds in ({}, {"PermissionsBoundary": ADMINISTRATOR}):
        with refused("AccessDenied", "iam:CreateRole"):
            iam.create_role(**made, **bounds)
    iam.create_role(**made, PermissionsBoundary=BOUNDARY)
    iam.put_role_policy(RoleName=name, PolicyName="p", PolicyDocument=policy(allow("*")))


@pytest.mark.parametrize("name", ROLES)
def test_a_role_without_the_boundary_gets_nothing_before_it_has_it(
    embedded_process: EmbeddedProcess, name: str
) -> None:
    role(embedded_process, name)
    iam = with_policy(embedded_process, templates.setup_policy, BOUND).client("iam")
    document = policy(allow("*"))
    for call, members in (
        (iam.put_role_policy, {"PolicyName": "p", "PolicyDocument": document}),
        (iam.attach_role_policy, {"PolicyArn": BOUNDARY}),
        (iam.update_assume_role_policy, {"PolicyDocument": trust(ANYBODY_HERE)}),
        (iam.put_role_permissions_boundary, {"PermissionsBoundary": ADMINISTRATOR}),
    ):
        with refused("AccessDenied"):
            call(RoleName=name, **members)
    iam.put_role_permissions_boundary(RoleName=name, PermissionsBoundary=BOUNDARY)
    iam.put_role_policy(RoleName=name, PolicyName="p", PolicyDocument=document)
    with refused("AccessDenied", "iam:DeleteRolePermissionsBoundary"):
        iam.delete_role_permissions_boundary(RoleName=name)


def test_whoever_sets_up_touches_no_certificate_and_no_scaling_of_others(
    embedded_process: EmbeddedProcess,
) -> None:
    acm = embedded_process.client("acm")
    certificate = acm.request_certificate(DomainName="pay.example.org", ValidationMethod="DNS")[
        "CertificateArn"
    ]
    target = {
        "ServiceNamespace": "dynamodb",
        "ResourceId": "table/payments",
        "ScalableDimension": "dynamodb:table:ReadCapacityUnits",
    }
    bounds = {"MinCapacity": 1, "MaxCapacity": 2}
    embedded_process.client("application-autoscaling").register_scalable_target(**target, **bounds)
    who = with_policy(embedded_process, templates.setup_policy, FULL)
    with refused("AccessDeniedException", "acm:DeleteCertificate"):
        who.client("acm").delete_certificate(CertificateArn=certificate)
    scaling = who.client("application-autoscaling")
    with refused("AccessDeniedException"):
        scaling.register_scalable_target(**target, **bounds)
    with refused("AccessDeniedException"):
        scaling.deregister_scalable_target(**target)


@pytest.mark.parametrize(
    "made", [templates.setup_policy, templates.github_actions_policy, templates.deploy_policy]
)
def test_the_one_service_runs_the_one_family(embedded_process: EmbeddedProcess, made: Policy) -> None:
    ecs = with_policy(embedded_process, made, FULL).client("ecs")
    where = {"cluster": FULL.cluster, "service": FULL.service}
    for theirs in ("payments:1", f"arn:aws:ecs:{HERE}:task-definition/payments:1"):
        with refused("AccessDeniedException", "ecs:UpdateService"):
            ecs.update_service(**where, taskDefinition=theirs)
    with refused("ClusterNotFoundException"):  # allowed, and not there
        ecs.update_service(**where, taskDefinition=f"{FULL.task.family}:1")
    with refused("AccessDeniedException", "ecs:RegisterTaskDefinition"):
        ecs.register_task_definition(family="payments", containerDefinitions=[{"name": "x", "image": "x"}])


def test_a_person_who_deploys_reads_no_secret_and_changes_no_role(embedded_process: EmbeddedProcess) -> None:
    secrets = embedded_process.client("secretsmanager")
    arn = secrets.create_secret(Name="openai", SecretString="hidden")["ARN"]
    settings = load({"container": {"secrets": {"KEY": arn}}})
    who = with_policy(embedded_process, templates.deploy_policy, settings)
    who.client("secretsmanager").describe_secret(SecretId=arn)
    with refused("AccessDeniedException"):
        who.client("secretsmanager").get_secret_value(SecretId=arn)
    document = json.dumps({"Version": "2012-10-17", "Statement": []})
    with refused("AccessDenied"):
        who.client("iam").put_role_policy(RoleName=ROLES[1], PolicyName="p", PolicyDocument=document)
