"""The log group and the repository: neighbours told apart, policies compared by what they mean."""

from __future__ import annotations

import json

import pytest

from lobster_tasks.aws import Aws
from lobster_tasks.stack.logs import LogGroup
from lobster_tasks.stack.neighbours import Neighbours
from tests.embedded.images import push, web_app
from tests.embedded_process import EmbeddedProcess

from .stand import Stand

GROUP = "/ecs/lobster-streamlit"


def test_a_log_group_whose_name_begins_alike_is_another(aws: Aws, embedded: EmbeddedProcess) -> None:
    logs, stand = embedded.client("logs"), Stand.of(aws, "log-group")
    for name in (f"{GROUP}-2", "/ecs/lobster", f"{GROUP}/x"):
        logs.create_log_group(logGroupName=name)
    (change,) = stand.plan().changes
    assert change.action == "create"
    stand.converge()
    stand.remove()
    left = [group["logGroupName"] for group in logs.describe_log_groups()["logGroups"]]
    assert sorted(left) == ["/ecs/lobster", f"{GROUP}-2", f"{GROUP}/x"]


def test_the_arn_of_a_log_group_is_the_one_that_takes_tags(aws: Aws) -> None:
    """DescribeLogGroups gives ``arn`` with ``:*`` at its end; TagResource takes it without."""
    stand = Stand.of(aws, "log-group")
    stand.converge()
    made = stand.live(f"log-group/{GROUP}")
    assert made.id == f"arn:aws:logs:us-east-2:123456789012:log-group:{GROUP}"
    assert made.stack == "lobster"


@pytest.mark.parametrize(("days", "words"), [(None, "for ever"), (30, "30 days")])
def test_retention_in_words(aws: Aws, embedded: EmbeddedProcess, days: int | None, words: str) -> None:
    logs = embedded.client("logs")
    logs.create_log_group(logGroupName=GROUP, tags={"lobster:stack": "lobster"})
    if days:
        logs.put_retention_policy(logGroupName=GROUP, retentionInDays=days)
    assert Stand.of(aws, "log-group").live(f"log-group/{GROUP}").attributes == {"retention": words}


def test_a_log_group_that_is_gone_already_is_deleted(aws: Aws, embedded: EmbeddedProcess) -> None:
    stand = Stand.of(aws, "log-group")
    stand.converge()
    live = stand.live(f"log-group/{GROUP}")
    embedded.client("logs").delete_log_group(logGroupName=GROUP)
    LogGroup(GROUP, "lobster", 30).delete(aws, live)


def test_a_lifecycle_policy_is_the_same_however_it_is_written(aws: Aws, embedded: EmbeddedProcess) -> None:
    stand, ecr = Stand.of(aws, "repository"), embedded.client("ecr")
    stand.converge()
    text = ecr.get_lifecycle_policy(repositoryName="homara")["lifecyclePolicyText"]
    turned = {"rules": [dict(reversed(rule.items())) for rule in json.loads(text)["rules"]]}
    ecr.put_lifecycle_policy(repositoryName="homara", lifecyclePolicyText=json.dumps(turned, indent=4))
    assert stand.plan().changes == ()


def test_the_number_of_kept_images_is_a_setting(aws: Aws, embedded: EmbeddedProcess) -> None:
    Stand.of(aws, "repository").converge()
    Stand.of(aws, "repository", images={"keep": 5}).converge()
    text = embedded.client("ecr").get_lifecycle_policy(repositoryName="homara")["lifecyclePolicyText"]
    assert json.loads(text)["rules"][0]["selection"]["countNumber"] == 5


def test_a_repository_with_images_goes_only_with_the_data(aws: Aws, embedded: EmbeddedProcess) -> None:
    stand = Stand.of(aws, "repository")
    stand.converge()
    push(embedded.client("ecr"), web_app(), tag="one")
    stand.remove()
    assert embedded.client("ecr").describe_repositories()["repositories"] == []


def test_a_repository_that_keeps_all_keeps_its_own_lifecycle_policy(
    aws: Aws, embedded: EmbeddedProcess
) -> None:
    stand, ecr = Stand.of(aws, "repository", images={"keep": 0}), embedded.client("ecr")
    stand.converge()
    with pytest.raises(ecr.exceptions.LifecyclePolicyNotFoundException):
        ecr.get_lifecycle_policy(repositoryName="homara")
    rule = {"rulePriority": 1, "selection": {"tagStatus": "untagged", "countType": "imageCountMoreThan"}}
    rule["selection"]["countNumber"], rule["action"] = 3, {"type": "expire"}  # type: ignore[index]
    ecr.put_lifecycle_policy(repositoryName="homara", lifecyclePolicyText=json.dumps({"rules": [rule]}))
    assert stand.plan().changes == ()


@pytest.mark.parametrize(
    ("effect", "principal", "told"),
    [
        ("Allow", "arn:aws:iam::210987654321:root", "lets in (arn:aws:iam::210987654321:root)"),
        ("Deny", "*", "whoever has set its repository policy"),
    ],
)
def test_a_repository_policy_is_somebodys_whether_or_not_it_lets_anybody_in(
    aws: Aws, embedded: EmbeddedProcess, effect: str, principal: str, told: str
) -> None:
    stand = Stand.of(aws, "repository")
    stand.converge()
    statement = {"Effect": effect, "Principal": {"AWS": principal}, "Action": "ecr:BatchGetImage"}
    text = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    embedded.client("ecr").set_repository_policy(repositoryName="homara", policyText=text)
    repository, live = stand.find("repository/homara"), stand.live("repository/homara")
    (using,) = repository.used_by(Neighbours(aws), live, stand.read())
    assert told in using
