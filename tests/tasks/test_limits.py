"""Settings that AWS would refuse somewhere on the way are refused before the first step, and named."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from tests.embedded_process import EmbeddedProcess
from tests.project import Project, calls

SECRET = "arn:aws:secretsmanager:us-east-2:123456789012:secret:some/longer/name-of-a-secret-number-{}-AbCd1{}"


def many_secrets(project: Project, count: int = 120, more: str = "") -> None:
    """So many secrets that a policy that names them is larger than IAM takes."""
    lines = [f"    V{number}: {SECRET.format(number, number % 10)}" for number in range(count)]
    project.settings(f"{more}\ncontainer:\n  secrets:\n" + "\n".join(lines))


def large_policy(project: Project) -> None:
    """A policy for the app that is larger than IAM takes."""
    buckets = [f"arn:aws:s3:::a-bucket-with-a-longer-name-{number:04}/*" for number in range(300)]
    statement = {"Sid": "Buckets", "Effect": "Allow", "Action": "s3:GetObject", "Resource": buckets}
    policy = {"Version": "2012-10-17", "Statement": [statement]}
    project.write("task-definitions/task-role-policy.json.j2", json.dumps(policy))


def large_trust(project: Project) -> None:
    """A trust policy that is larger than IAM takes."""
    trust = {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Sid": f"S{number}",
                "Effect": "Allow",
                "Principal": {"Service": "ecs-tasks.amazonaws.com"},
                "Action": "sts:AssumeRole",
            }
            for number in range(20)
        ],
    }
    project.write("task-definitions/ecs-trust-policy.json.j2", json.dumps(trust))


def many_containers(project: Project) -> None:
    """More containers than a task has."""
    containers = "".join(f'{{"name": "c{number}", "image": "x"}}, ' for number in range(10))
    project.write(
        "task-definitions/ecs-task-definition.json.j2",
        '{"family": {{ task.family | tojson }}, "containerDefinitions": ['
        + containers
        + '{"name": {{ container.name | tojson }}, "image": {{ image | tojson }}}]}',
    )


def setting(lines: str) -> Callable[[Project], None]:
    """These lines in invoke.yaml."""
    return lambda project: project.settings(lines)


TOO_MUCH: dict[str, tuple[Callable[[Project], None], int, tuple[str, ...]]] = {
    "inline policy, secrets": (
        many_secrets,
        2,
        ("IAM takes 10,240 at the most", "ReadTheNamedSecrets", "container.secrets"),
    ),
    "inline policy, the app's": (
        large_policy,
        2,
        ("IAM takes 10,240 at the most", "Buckets", "task.policies"),
    ),
    "trust policy": (large_trust, 2, ("IAM takes 2,048 at the most",)),
    "containers": (many_containers, 2, ("has 11 containers; ECS takes 10 at the most",)),
    "managed policies": (
        setting(
            "task:\n  policies: [" + ", ".join(f"arn:aws:iam::aws:policy/P{each}" for each in range(11)) + "]"
        ),
        2,
        ("task.policies: ", "at most 10"),
    ),
    "log group of AWS": (setting("logs: {group: aws/lobster}"), 2, ("logs.group: ", "begin with 'aws/'")),
    "rules of a security group": (
        setting(
            "load_balancer: {allowed_cidrs: [" + ", ".join(f"10.0.{each}.0/24" for each in range(31)) + "]}"
        ),
        2,
        ("load_balancer.allowed_cidrs: ", "at most 30"),
    ),
    "tags": (
        setting("tags: {" + ", ".join(f"k{each}: v" for each in range(48)) + "}"),
        2,
        ("tags: ", "at most 47"),
    ),
    "names of load balancers": (
        setting("load_balancer: {name: " + "a" * 33 + "}"),
        2,
        ("load_balancer.name: ", "at most 32"),
    ),
    "names of roles": (
        setting("task: {task_role: " + "a" * 65 + "}"),
        2,
        ("task.task_role: ", "at most 64"),
    ),
    "grace period": (
        setting("health_check: {grace_period: 2147483648}"),
        2,
        ("health_check.grace_period: ", "2147483647"),
    ),
}


@pytest.mark.parametrize("case", TOO_MUCH)
def test_setup_does_not_begin_with_what_aws_would_refuse_on_the_way(
    project: Project, embedded: EmbeddedProcess, case: str
) -> None:
    break_it, code, said = TOO_MUCH[case]
    break_it(project)
    ended = project.inv("setup-fargate", "--yes").check(code)
    assert all(part in ended.err for part in said), ended.err
    assert not calls(embedded)


def test_access_for_github_does_not_begin_with_too_large_a_policy(
    project: Project, embedded: EmbeddedProcess
) -> None:
    """Its role looks whether the secrets are there, so it names them too."""
    many_secrets(project, 85, "github: {repository: octocat/hello-world}")
    ended = project.inv("setup-aws", "--yes").check(2)
    for part in ("IAM takes 10,240 at the most", "SeeThatTheNamedSecretsAreThere", "container.secrets"):
        assert part in ended.err
    assert not calls(embedded)


def test_as_much_as_aws_takes_is_set_up(project: Project) -> None:
    """All at once: as many tags, ranges for two ports, policies and secrets as there may be."""
    tags = ", ".join(f"k{each}: v" for each in range(47))
    ranges = ", ".join(f"10.0.{each}.0/24" for each in range(30))
    secrets = "".join(f"\n    V{number}: {SECRET.format(number, number % 10)}" for number in range(80))
    policies = ", ".join(
        f"arn:aws:iam::aws:policy/{each}"
        for each in (
            *("AmazonS3ReadOnlyAccess", "AmazonSQSReadOnlyAccess", "AmazonSNSReadOnlyAccess"),
            *("AmazonDynamoDBReadOnlyAccess", "AmazonRDSReadOnlyAccess", "AmazonSSMReadOnlyAccess"),
            *(
                "CloudWatchReadOnlyAccess",
                "AmazonEC2ReadOnlyAccess",
                "IAMReadOnlyAccess",
                "AmazonVPCReadOnlyAccess",
            ),
        )
    )
    project.settings(
        f"tags: {{{tags}}}\nload_balancer: {{allowed_cidrs: [{ranges}]}}\ndomains: [app.example.com]\n"
        f"task: {{policies: [{policies}]}}\ncontainer:\n  secrets:{secrets}"
    )
    project.inv("setup-fargate", "--yes").check()
    assert project.inv("plan", "--json").check().json["changes"] == []


def test_a_full_list_of_ranges_is_exchanged_for_another(project: Project) -> None:
    """60 rules, and 60 others: EC2 takes no more than 60 at a time."""
    for net in (1, 2):
        ranges = ", ".join(f"10.{net}.{each}.0/24" for each in range(30))
        project.settings(f"load_balancer: {{allowed_cidrs: [{ranges}]}}\ndomains: [app.example.com]")
        project.inv("create-security-groups").check()
        assert project.inv("create-security-groups", "--json").check().json["changes"] == []
