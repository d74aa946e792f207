"""What the mapping tells somebody to do can be pasted and works: commands, settings and the page's snippets, run."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from lobster_tasks.apprunner.description import RoleFacts
from lobster_tasks.apprunner.mapping import MappedService, map_service
from lobster_tasks.aws import Aws
from lobster_tasks.settings import load
from tests.embedded_process import EmbeddedProcess
from tests.journeys.converging import Account

from .descriptions import ACCOUNT, code_source, described, image_source, mapped, row

PAGE = (Path(__file__).parents[2] / "docs" / "apprunner.md").read_text(encoding="utf-8")
BOUNDARY = "arn:aws:iam::aws:policy/PowerUserAccess"
# AWS has none: names under awsapprunner.com are App Runner's, and what this version does not know cannot be placed.
NO_EQUIVALENT = {"ServiceUrl"}


def every_row() -> MappedService:
    """A service that has everything for which somebody could look in vain."""
    key = f"arn:aws:kms:us-east-2:{ACCOUNT}:key/0f1e2d3c-0000-4000-8000-000000000000"
    source = image_source(
        RuntimeEnvironmentVariables={"DB_PASSWORD": "hunter22"}, RuntimeEnvironmentSecrets={"A": "/a"}
    )
    return mapped(
        {
            "SourceConfiguration": {**source, "AutoDeploymentsEnabled": True},
            "EncryptionConfiguration": {"KmsKey": key},
            "ObservabilityConfiguration": {"ObservabilityEnabled": True},
            "Status": "CREATE_FAILED",
        },
        access_role=RoleFacts(f"arn:aws:iam::{ACCOUNT}:role/pull", boundary=BOUNDARY),
        instance_role=RoleFacts(f"arn:aws:iam::{ACCOUNT}:role/app", found=False),
        vpc=None,
        scaling={},
        tags={f"t{number:02}": "a#b" for number in range(50)},
        unknown={"role app": "AWS refused iam:GetRole on app"},
        domains={"CustomDomains": [{"DomainName": "old.example.com", "Status": "CREATE_FAILED"}]},
        web_acl="arn:aws:wafv2:us-east-2:123456789012:regional/webacl/a/1",
    )


def test_no_equivalent_is_said_only_of_what_aws_has_none_for() -> None:
    made = every_row()
    assert {each.setting for each in made.rows if each.kind == "no_equivalent"} <= NO_EQUIVALENT
    code = mapped({"SourceConfiguration": code_source("REPOSITORY")}, image=None)
    assert {each.setting for each in code.rows if each.kind == "no_equivalent"} == {"ServiceUrl"}
    told = re.findall(r"^\| ([^|]+) \|[^|]+\| ([^|]*no equivalent[^|]*) \|$", PAGE, re.MULTILINE)
    assert {name for name, _ in told} <= {"ServiceUrl", "any other member"}


def test_whatever_is_only_like_it_says_what_to_do() -> None:
    for each in every_row().rows:
        if each.kind == "approximated" and each.new in ("to be decided", "left out", "none"):
            assert each.decide, each.setting


def in_a_shell(embedded: EmbeddedProcess, commands: str) -> None:
    """Run commands as they are pasted, with the AWS CLI."""
    environment = {
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        "HOME": "/nonexistent",
        "AWS_ENDPOINT_URL": embedded.url,
        "AWS_ACCESS_KEY_ID": "any",
        "AWS_SECRET_ACCESS_KEY": "thing",
        "AWS_DEFAULT_REGION": "us-east-2",
    }
    done = subprocess.run(
        ["bash", "-eu", "-c", commands], env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


def test_a_key_of_ones_own(embedded: EmbeddedProcess, aws: Aws) -> None:
    """The commands work once everything is set up, and setup leaves alone what they have set."""
    key = embedded.client("kms").create_key()["KeyMetadata"]["Arn"]
    made = map_service(described({"EncryptionConfiguration": {"KmsKey": key}}))
    account = Account(embedded, aws, load(made.settings))
    account.converge()
    told = row(made, "EncryptionConfiguration.KmsKey")
    assert (told.kind, told.old) == ("approximated", key)
    in_a_shell(embedded, "\n".join(told.commands))
    found = embedded.client("ecs").describe_clusters(clusters=["shop"], include=["CONFIGURATIONS"])
    storage = found["clusters"][0]["configuration"]["managedStorageConfiguration"]
    assert storage == {"fargateEphemeralStorageKmsKeyId": key}
    assert embedded.client("logs").describe_log_groups()["logGroups"][0]["kmsKeyId"] == key
    assert account.plan().changes == ()


def test_the_boundary_of_the_access_role(embedded: EmbeddedProcess, aws: Aws) -> None:
    role = RoleFacts(f"arn:aws:iam::{ACCOUNT}:role/pull", boundary=BOUNDARY)
    made = map_service(described(access_role=role))
    account = Account(embedded, aws, load(made.settings))
    account.converge()
    in_a_shell(embedded, "\n".join(row(made, "access role: PermissionsBoundary").commands))
    iam = embedded.client("iam")
    bounds = iam.get_role(RoleName="shop-execution")["Role"]["PermissionsBoundary"]
    assert bounds["PermissionsBoundaryArn"] == BOUNDARY
    assert "PermissionsBoundary" not in iam.get_role(RoleName="shop-task")["Role"]
    assert account.plan().changes == ()


def blocks(kind: str) -> list[str]:
    """The page's blocks of a language."""
    return re.findall(rf"^```{kind}\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)


def test_the_rule_that_starts_a_workflow_where_others_push(embedded: EmbeddedProcess) -> None:
    (block,) = [each for each in blocks("sh") if "aws events" in each]
    in_a_shell(embedded, block)
    events = embedded.client("events")
    (target,) = events.list_targets_by_rule(Rule="myapp-pushed")["Targets"]
    (destination,) = events.list_api_destinations()["ApiDestinations"]
    assert (target["Arn"], json.loads(target["Input"])) == (
        destination["ApiDestinationArn"],
        {"event_type": "image-pushed"},
    )
    assert destination["InvocationEndpoint"] == "https://api.github.com/repos/OWNER/NAME/dispatches"
    pattern: dict[str, Any] = json.loads(events.describe_rule(Name="myapp-pushed")["EventPattern"])
    # As ECR sends it (Amazon ECR User Guide, "Amazon ECR events and EventBridge").
    sent = {"result": "SUCCESS", "repository-name": "myapp", "action-type": "PUSH", "image-tag": "latest"}
    assert {name: [value] for name, value in sent.items()} == pattern["detail"]


def test_the_workflow_where_others_push_deploys_by_a_task_that_is_there() -> None:
    (block,) = [yaml.safe_load(each) for each in blocks("yaml") if "repository_dispatch" in each]
    assert block[True]["repository_dispatch"]["types"] == ["image-pushed"]
    steps = [step["run"] for step in block["jobs"]["deploy"]["steps"] if "run" in step]
    assert steps[-1] == "inv deploy --tag latest"


def test_a_key_policy_that_kms_takes(embedded: EmbeddedProcess) -> None:
    (statements,) = [json.loads(each) for each in blocks("json")]
    root = {
        "Effect": "Allow",
        "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"},
        "Action": "kms:*",
        "Resource": "*",
    }
    policy = json.dumps({"Version": "2012-10-17", "Statement": [root, *statements]})
    kms = embedded.client("kms")
    key = kms.create_key(Policy=policy)["KeyMetadata"]["KeyId"]
    assert (
        json.loads(kms.get_key_policy(KeyId=key, PolicyName="default")["Policy"])["Statement"][1:]
        == statements
    )


@pytest.mark.parametrize("service", ["shop", "my_shop"])
def test_the_command_that_moves_a_secret_names_the_service(service: str) -> None:
    source = image_source(RuntimeEnvironmentVariables={"DB_PASSWORD": "hunter22"})
    told = row(mapped({"ServiceName": service, "SourceConfiguration": source}), "DB_PASSWORD")
    assert (told.kind, told.old, told.new) == ("approximated", "hidden", "left out")
    assert told.commands == (f"inv import-apprunner --service {service} --lift-secrets",)
