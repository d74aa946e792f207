"""What IAM keeps, refuses and decides, fact by fact (IAM API Reference and User Guide)."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.embedded_process import EmbeddedProcess

ACCOUNT = "123456789012"
EXECUTION = "arn:aws:iam::aws:policy/service-role/AmazonECSTaskExecutionRolePolicy"
ADMIN = "arn:aws:iam::aws:policy/AdministratorAccess"
GITHUB = "https://token.actions.githubusercontent.com"


def document(**statement: Any) -> str:
    """A policy of one statement."""
    return json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", **statement}]})


TRUST = document(Principal={"Service": "ecs-tasks.amazonaws.com"}, Action="sts:AssumeRole")
S3 = document(Action="s3:*", Resource="*")


@pytest.fixture
def iam(client: Any) -> Any:
    """IAM of an account without roles."""
    return client("iam")


@pytest.fixture
def role(iam: Any) -> Callable[..., str]:
    """``role("name")`` makes a role and returns its ARN."""

    def make(name: str, trust: str = TRUST, **more: Any) -> str:
        return str(iam.create_role(RoleName=name, AssumeRolePolicyDocument=trust, **more)["Role"]["Arn"])

    return make


def refused(call: Callable[..., Any], **parameters: Any) -> tuple[str, str]:
    """The code and message that a call is refused with."""
    with pytest.raises(ClientError) as error:
        call(**parameters)
    return error.value.response["Error"]["Code"], error.value.response["Error"]["Message"]


def test_a_role_is_returned_as_it_was_made(iam: Any, role: Callable[..., str]) -> None:
    """GetRole: trust policy, path, description, tags, session duration, boundary."""
    tags = [{"Key": "lobster:stack", "Value": "x"}]
    arn = role(
        "r", Path="/app/", Description="d", Tags=tags, MaxSessionDuration=7200, PermissionsBoundary=ADMIN
    )
    found = iam.get_role(RoleName="r")["Role"]
    assert arn == found["Arn"] == f"arn:aws:iam::{ACCOUNT}:role/app/r"
    assert found["AssumeRolePolicyDocument"] == json.loads(TRUST)
    assert (found["Path"], found["Description"], found["MaxSessionDuration"]) == ("/app/", "d", 7200)
    assert found["Tags"] == tags
    assert found["PermissionsBoundary"] == {
        "PermissionsBoundaryType": "PermissionsBoundaryPolicy",
        "PermissionsBoundaryArn": ADMIN,
    }


def test_a_role_name_is_unique(iam: Any, role: Callable[..., str]) -> None:
    """EntityAlreadyExists, HTTP 409 (CreateRole)."""
    role("r")
    again = refused(iam.create_role, RoleName="r", AssumeRolePolicyDocument=TRUST)
    assert again == ("EntityAlreadyExists", "Role with name r already exists.")


def test_what_is_not_there_is_named(iam: Any, role: Callable[..., str]) -> None:
    """NoSuchEntity: 'it referenced a resource entity that does not exist. The error message describes the
    resource' (GetRole and others)."""
    no_role = ("NoSuchEntity", "The role with name none cannot be found.")
    assert refused(iam.get_role, RoleName="none") == no_role
    assert refused(iam.delete_role, RoleName="none") == no_role
    assert refused(iam.list_role_policies, RoleName="none") == no_role
    assert refused(iam.list_attached_role_policies, RoleName="none") == no_role
    assert refused(iam.attach_role_policy, RoleName="none", PolicyArn=ADMIN) == no_role
    role("r")
    no_policy = ("NoSuchEntity", "The role policy with name none cannot be found.")
    assert refused(iam.get_role_policy, RoleName="r", PolicyName="none") == no_policy
    assert refused(iam.delete_role_policy, RoleName="r", PolicyName="none") == no_policy
    absent = f"arn:aws:iam::{ACCOUNT}:policy/none"
    unknown = ("NoSuchEntity", f"Policy {absent} does not exist or is not attachable.")
    assert refused(iam.attach_role_policy, RoleName="r", PolicyArn=absent) == unknown
    detached = ("NoSuchEntity", f"Policy {ADMIN} was not found.")
    assert refused(iam.detach_role_policy, RoleName="r", PolicyArn=ADMIN) == detached


BAD_TRUST = [
    ("no JSON", "{", "This policy contains invalid Json"),
    ("empty", "{}", "Syntax errors in policy."),
    ("a permissions policy", S3, "Has prohibited field Resource"),
    ("nobody", document(Action="sts:AssumeRole"), "Missing required field Principal"),
    (
        "an action of another service",
        document(Principal={"AWS": ACCOUNT}, Action="s3:*"),
        "AssumeRole policy may only specify STS AssumeRole actions.",
    ),
    (
        "no service",
        document(Principal={"Service": "ecs-tasks"}, Action="sts:AssumeRole"),
        'Invalid principal in policy: "SERVICE":"ecs-tasks"',
    ),
    (
        "a role that is not there",
        document(Principal={"AWS": f"arn:aws:iam::{ACCOUNT}:role/none"}, Action="sts:AssumeRole"),
        f'Invalid principal in policy: "AWS":"arn:aws:iam::{ACCOUNT}:role/none"',
    ),
]


@pytest.mark.parametrize(("trust", "text"), [b[1:] for b in BAD_TRUST], ids=[b[0] for b in BAD_TRUST])
def test_a_trust_policy_is_checked(iam: Any, role: Callable[..., str], trust: str, text: str) -> None:
    """MalformedPolicyDocument (CreateRole, UpdateAssumeRolePolicy)."""
    expected = ("MalformedPolicyDocument", text)
    assert refused(iam.create_role, RoleName="new", AssumeRolePolicyDocument=trust) == expected
    role("old")
    assert refused(iam.update_assume_role_policy, RoleName="old", PolicyDocument=trust) == expected
    assert iam.get_role(RoleName="old")["Role"]["AssumeRolePolicyDocument"] == json.loads(TRUST)


def test_a_role_may_trust_a_role_that_exists_and_any_account(role: Callable[..., str]) -> None:
    """Principals: 'AWS accounts, roles, users, services' (IAM JSON policy elements: Principal)."""
    first = role("first")
    role("second", document(Principal={"AWS": [first, ACCOUNT, "210987654321"]}, Action="sts:AssumeRole"))


def test_a_trust_policy_has_a_size_limit(iam: Any) -> None:
    """'Role trust policy length: 2,048 characters'; white space does not count (IAM quotas)."""
    names = [f"s{number}.amazonaws.com" for number in range(100)]
    long = document(Principal={"Service": names}, Action="sts:AssumeRole")
    code, text = refused(iam.create_role, RoleName="r", AssumeRolePolicyDocument=long)
    assert (code, text) == ("LimitExceeded", "Cannot exceed quota for ACLSizePerRole: 2048")
    iam.create_role(RoleName="r", AssumeRolePolicyDocument=TRUST + " " * 3000)


@pytest.mark.parametrize("name", ["a b", "a/b", "é", "x" * 65])
def test_role_names_are_checked(iam: Any, name: str) -> None:
    """RoleName: 1 to 64 characters of [\\w+=,.@-] (CreateRole)."""
    code, text = refused(iam.create_role, RoleName=name, AssumeRolePolicyDocument=TRUST)
    assert code == "ValidationError"
    assert f"Value '{name}' at 'roleName' failed to satisfy constraint" in text


@pytest.mark.parametrize("seconds", [3599, 43201])
def test_session_durations_are_checked(aws: EmbeddedProcess, seconds: int) -> None:
    """MaxSessionDuration: 'a value from 1 hour to 12 hours' (CreateRole)."""
    iam = aws.client("iam", parameter_validation=False)
    asked = {"RoleName": "r", "AssumeRolePolicyDocument": TRUST, "MaxSessionDuration": seconds}
    code, text = refused(iam.create_role, **asked)
    assert code == "ValidationError"
    assert f"Value '{seconds}' at 'maxSessionDuration' failed to satisfy constraint" in text


def test_a_boundary_must_exist(iam: Any) -> None:
    """NoSuchEntity (CreateRole)."""
    absent = f"arn:aws:iam::{ACCOUNT}:policy/none"
    made = {"RoleName": "r", "AssumeRolePolicyDocument": TRUST, "PermissionsBoundary": absent}
    text = f"Scope ARN: {absent} does not exist or is not attachable."
    assert refused(iam.create_role, **made) == ("NoSuchEntity", text)


def test_inline_policies_are_listed_and_returned(iam: Any, role: Callable[..., str]) -> None:
    """PutRolePolicy, ListRolePolicies, GetRolePolicy; putting again replaces."""
    role("r")
    iam.put_role_policy(RoleName="r", PolicyName="p", PolicyDocument=document(Action="ecs:*", Resource="*"))
    iam.put_role_policy(RoleName="r", PolicyName="p", PolicyDocument=S3)
    assert iam.list_role_policies(RoleName="r")["PolicyNames"] == ["p"]
    assert iam.get_role_policy(RoleName="r", PolicyName="p")["PolicyDocument"] == json.loads(S3)


@pytest.mark.parametrize(
    ("policy", "text"),
    [
        ("{", "This policy contains invalid Json"),
        ("{}", "Syntax errors in policy."),
        (document(Action="s3:*"), "Policy statement must contain resources."),
        (document(Resource="*"), "Policy statement must contain actions."),
    ],
)
def test_a_permissions_policy_is_checked(iam: Any, role: Callable[..., str], policy: str, text: str) -> None:
    """MalformedPolicyDocument (PutRolePolicy, CreatePolicy)."""
    role("r")
    expected = ("MalformedPolicyDocument", text)
    assert refused(iam.put_role_policy, RoleName="r", PolicyName="p", PolicyDocument=policy) == expected
    assert refused(iam.create_policy, PolicyName="p", PolicyDocument=policy) == expected


KINDS = ("user", "role", "group")


@pytest.fixture
def principal(iam: Any) -> Callable[[str], dict[str, str]]:
    """``principal("user")`` makes one called x; the parameter that names it."""

    def make(kind: str) -> dict[str, str]:
        named = {f"{kind.title()}Name": "x"}
        trust = {"AssumeRolePolicyDocument": TRUST} if kind == "role" else {}
        getattr(iam, f"create_{kind}")(**named, **trust)
        return named

    return make


def of_size(characters: int) -> str:
    """A policy of so many characters, and of as much white space again that does not count."""
    short = document(Action="s3:*", Resource="arn:aws:s3:::")
    missing = characters - len("".join(short.split()))
    return short.replace("s3:::", "s3:::" + "x" * missing) + " " * characters


INLINE = [("user", 2048), ("role", 10240), ("group", 5120)]


@pytest.mark.parametrize(("kind", "most"), INLINE)
def test_inline_policies_have_a_size_limit_together(
    iam: Any, principal: Callable[[str], dict[str, str]], kind: str, most: int
) -> None:
    """User 2,048, role 10,240, group 5,120 characters: 'the total aggregate policy size' (IAM quotas).

    "Maximum policy size of 2048 bytes exceeded for user …", 409 LimitExceeded: real logs. 'IAM doesn't count white
    space'; a policy that is put again takes the place of what it was.
    """
    named = principal(kind)
    put = getattr(iam, f"put_{kind}_policy")
    put(**named, PolicyName="one", PolicyDocument=of_size(most - 300))
    put(**named, PolicyName="two", PolicyDocument=of_size(300))
    put(**named, PolicyName="two", PolicyDocument=of_size(300))
    assert refused(put, **named, PolicyName="two", PolicyDocument=of_size(301)) == (
        "LimitExceeded",
        f"Maximum policy size of {most} bytes exceeded for {kind} x",
    )


def test_managed_policies_have_a_size_limit(iam: Any) -> None:
    """'The size of each managed policy can't exceed 6,144 characters', white space apart (IAM quotas).

    "LimitExceeded: Cannot exceed quota for PolicySize: 6144": real logs, of CreatePolicy and of CreatePolicyVersion.
    """
    limit = ("LimitExceeded", "Cannot exceed quota for PolicySize: 6144")
    assert refused(iam.create_policy, PolicyName="p", PolicyDocument=of_size(6145)) == limit
    arn = iam.create_policy(PolicyName="p", PolicyDocument=of_size(6144))["Policy"]["Arn"]
    assert refused(iam.create_policy_version, PolicyArn=arn, PolicyDocument=of_size(6145)) == limit
    iam.create_policy_version(PolicyArn=arn, PolicyDocument=of_size(6144))


def test_attached_policies_are_listed_and_attaching_again_changes_nothing(
    iam: Any, role: Callable[..., str]
) -> None:
    """AttachRolePolicy, ListAttachedRolePolicies, DetachRolePolicy."""
    role("r")
    for _ in range(2):
        iam.attach_role_policy(RoleName="r", PolicyArn=EXECUTION)
    attached = iam.list_attached_role_policies(RoleName="r")["AttachedPolicies"]
    assert attached == [{"PolicyName": "AmazonECSTaskExecutionRolePolicy", "PolicyArn": EXECUTION}]
    assert iam.get_policy(PolicyArn=EXECUTION)["Policy"]["AttachmentCount"] == 1
    iam.detach_role_policy(RoleName="r", PolicyArn=EXECUTION)
    assert iam.list_attached_role_policies(RoleName="r")["AttachedPolicies"] == []


@pytest.mark.parametrize("kind", KINDS)
def test_at_most_ten_policies_are_attached(
    iam: Any, principal: Callable[[str], dict[str, str]], kind: str
) -> None:
    """'Managed policies attached to an IAM role: 10' by default, a user or group 10 (IAM quotas).

    "Cannot exceed quota for PoliciesPerUser: 10", of roles and groups likewise: real logs.
    """
    named = principal(kind)
    attach = getattr(iam, f"attach_{kind}_policy")
    policies = [iam.create_policy(PolicyName=f"p{n}", PolicyDocument=S3)["Policy"]["Arn"] for n in range(11)]
    for arn in [*policies[:10], policies[0]]:
        attach(**named, PolicyArn=arn)
    assert iam.get_policy(PolicyArn=policies[0])["Policy"]["AttachmentCount"] == 1
    eleventh = refused(attach, **named, PolicyArn=policies[10])
    assert eleventh == ("LimitExceeded", f"Cannot exceed quota for PoliciesPer{kind.title()}: 10")


def test_the_execution_role_policy_is_awss_own(iam: Any) -> None:
    """AmazonECSTaskExecutionRolePolicy: pull and log, no log groups, no secrets (AWS managed policies for ECS)."""
    version = iam.get_policy(PolicyArn=EXECUTION)["Policy"]["DefaultVersionId"]
    (statement,) = iam.get_policy_version(PolicyArn=EXECUTION, VersionId=version)["PolicyVersion"][
        "Document"
    ]["Statement"]
    assert (statement["Effect"], statement["Resource"]) == ("Allow", "*")
    assert set(statement["Action"]) == {
        "ecr:GetAuthorizationToken",
        "ecr:BatchCheckLayerAvailability",
        "ecr:GetDownloadUrlForLayer",
        "ecr:BatchGetImage",
        "logs:CreateLogStream",
        "logs:PutLogEvents",
    }


def test_a_role_that_carries_policies_cannot_be_deleted(iam: Any, role: Callable[..., str]) -> None:
    """DeleteConflict: 'you must first delete or detach' (DeleteRole)."""
    role("r")
    iam.put_role_policy(RoleName="r", PolicyName="p", PolicyDocument=S3)
    iam.attach_role_policy(RoleName="r", PolicyArn=ADMIN)
    attached = ("DeleteConflict", "Cannot delete entity, must detach all policies first.")
    assert refused(iam.delete_role, RoleName="r") == attached
    iam.detach_role_policy(RoleName="r", PolicyArn=ADMIN)
    inline = ("DeleteConflict", "Cannot delete entity, must delete policies first.")
    assert refused(iam.delete_role, RoleName="r") == inline
    iam.delete_role_policy(RoleName="r", PolicyName="p")
    iam.delete_role(RoleName="r")
    assert refused(iam.get_role, RoleName="r")[0] == "NoSuchEntity"


def test_a_role_of_an_instance_profile_cannot_be_deleted(iam: Any, role: Callable[..., str]) -> None:
    """DeleteRole: "must remove roles from instance profile first", whatever else it carries."""
    role("r")
    iam.create_instance_profile(InstanceProfileName="p")
    iam.add_role_to_instance_profile(InstanceProfileName="p", RoleName="r")
    named = iam.list_instance_profiles_for_role(RoleName="r")["InstanceProfiles"]
    assert [each["InstanceProfileName"] for each in named] == ["p"]
    used = ("DeleteConflict", "Cannot delete entity, must remove roles from instance profile first.")
    assert refused(iam.delete_role, RoleName="r") == used
    iam.remove_role_from_instance_profile(InstanceProfileName="p", RoleName="r")
    iam.delete_role(RoleName="r")


def test_a_policy_that_is_attached_cannot_be_deleted(iam: Any, role: Callable[..., str]) -> None:
    """DeleteConflict (DeletePolicy)."""
    role("r")
    arn = iam.create_policy(PolicyName="p", PolicyDocument=S3)["Policy"]["Arn"]
    iam.attach_role_policy(RoleName="r", PolicyArn=arn)
    attached = ("DeleteConflict", "Cannot delete a policy attached to entities.")
    assert refused(iam.delete_policy, PolicyArn=arn) == attached
    iam.detach_role_policy(RoleName="r", PolicyArn=arn)
    iam.delete_policy(PolicyArn=arn)


def test_roles_are_tagged(iam: Any, role: Callable[..., str]) -> None:
    """TagRole, ListRoleTags, UntagRole."""
    role("r", Tags=[{"Key": "a", "Value": "1"}])
    iam.tag_role(RoleName="r", Tags=[{"Key": "a", "Value": "2"}, {"Key": "b", "Value": "3"}])
    iam.untag_role(RoleName="r", TagKeys=["a"])
    assert iam.list_role_tags(RoleName="r")["Tags"] == [{"Key": "b", "Value": "3"}]


LINKED = {
    "ecs.amazonaws.com": "AWSServiceRoleForECS",
    "elasticloadbalancing.amazonaws.com": "AWSServiceRoleForElasticLoadBalancing",
    "ecs.application-autoscaling.amazonaws.com": "AWSServiceRoleForApplicationAutoScaling_ECSService",
    "apprunner.amazonaws.com": "AWSServiceRoleForAppRunner",
}


@pytest.mark.parametrize("service", sorted(LINKED))
def test_service_linked_roles_have_awss_names(iam: Any, service: str) -> None:
    """CreateServiceLinkedRole; the second is InvalidInput; only its service changes it (Service-linked roles)."""
    name = LINKED[service]
    made = iam.create_service_linked_role(AWSServiceName=service)["Role"]
    assert made["Arn"] == f"arn:aws:iam::{ACCOUNT}:role/aws-service-role/{service}/{name}"
    text = f"Service role name {name} has been taken in this account, please try a different suffix."
    assert refused(iam.create_service_linked_role, AWSServiceName=service) == ("InvalidInput", text)
    protected = (
        f"Cannot perform the operation on the protected role '{name}' - this role is only modifiable by AWS"
    )
    assert refused(iam.delete_role, RoleName=name) == ("UnmodifiableEntity", protected)
    assert len(iam.list_attached_role_policies(RoleName=name)["AttachedPolicies"]) == 1
    task = iam.delete_service_linked_role(RoleName=name)["DeletionTaskId"]
    assert iam.get_service_linked_role_deletion_status(DeletionTaskId=task)["Status"] == "SUCCEEDED"
    assert refused(iam.get_role, RoleName=name)[0] == "NoSuchEntity"


def test_one_identity_provider_for_each_url(iam: Any) -> None:
    """EntityAlreadyExists (CreateOpenIDConnectProvider); thumbprints are optional."""
    made = iam.create_open_id_connect_provider(Url=GITHUB, ClientIDList=["sts.amazonaws.com"])
    arn = f"arn:aws:iam::{ACCOUNT}:oidc-provider/token.actions.githubusercontent.com"
    assert made["OpenIDConnectProviderArn"] == arn
    again = refused(iam.create_open_id_connect_provider, Url=GITHUB, ClientIDList=["sts.amazonaws.com"])
    assert again == ("EntityAlreadyExists", f"Provider with url {GITHUB} already exists.")


def verdicts(answer: dict[str, Any]) -> dict[str, str]:
    """Decision by action."""
    return {one["EvalActionName"]: one["EvalDecision"] for one in answer["EvaluationResults"]}


def test_a_roles_policies_are_simulated(iam: Any, role: Callable[..., str]) -> None:
    """SimulatePrincipalPolicy: allowed, explicitDeny, implicitDeny; inline and attached policies count."""
    arn = role("r")
    iam.attach_role_policy(RoleName="r", PolicyArn=EXECUTION)
    deny = document(Effect="Deny", Action="logs:CreateLogStream", Resource="*")
    iam.put_role_policy(RoleName="r", PolicyName="deny", PolicyDocument=deny)
    actions = ["ecr:BatchGetImage", "logs:CreateLogStream", "logs:CreateLogGroup"]
    answer = iam.simulate_principal_policy(PolicySourceArn=arn, ActionNames=actions)
    assert verdicts(answer) == dict(zip(actions, ["allowed", "explicitDeny", "implicitDeny"], strict=True))
    assert not any(one.get("ResourceSpecificResults") for one in answer["EvaluationResults"])
    matched = {
        one["EvalActionName"]: [statement["SourcePolicyId"] for statement in one["MatchedStatements"]]
        for one in answer["EvaluationResults"]
    }
    assert matched == {
        actions[0]: ["AmazonECSTaskExecutionRolePolicy"],
        actions[1]: ["role_r_deny"],
        actions[2]: [],
    }


def test_resources_and_context_are_simulated(iam: Any, role: Callable[..., str]) -> None:
    """ResourceArns: 'each API … is evaluated for each resource'; ContextEntries; MissingContextValues."""
    arn = role("r")
    target = f"arn:aws:iam::{ACCOUNT}:role/exec"
    condition = {"StringEquals": {"iam:PassedToService": "ecs-tasks.amazonaws.com"}}
    passing = document(Action="iam:PassRole", Resource=target, Condition=condition)
    iam.put_role_policy(RoleName="r", PolicyName="pass", PolicyDocument=passing)
    ask = {"PolicySourceArn": arn, "ActionNames": ["iam:PassRole"], "ResourceArns": [target, target + "2"]}
    missing = iam.simulate_principal_policy(**ask)["EvaluationResults"]
    assert of_each(missing) == {target: "implicitDeny", target + "2": "implicitDeny"}
    specific = missing[0]["ResourceSpecificResults"]
    assert [one["MissingContextValues"] for one in specific] == [["iam:PassedToService"], []]
    entry = {
        "ContextKeyName": "iam:PassedToService",
        "ContextKeyValues": ["ecs-tasks.amazonaws.com"],
        "ContextKeyType": "string",
    }
    answer = iam.simulate_principal_policy(**ask, ContextEntries=[entry])["EvaluationResults"]
    assert of_each(answer) == {target: "allowed", target + "2": "implicitDeny"}


def of_each(results: list[dict[str, Any]]) -> dict[str, str]:
    """The decision on each resource, of the one result that there is for the one action."""
    (result,) = results
    return {one["EvalResourceName"]: one["EvalResourceDecision"] for one in result["ResourceSpecificResults"]}


def test_there_is_one_result_for_each_action_however_many_resources(
    iam: Any, role: Callable[..., str]
) -> None:
    """'The simulator now returns a single EvaluationResult per action, regardless of how many resource ARNs are
    provided'; the top-level decision is 'the most restrictive', EvalResourceName 'the ARN template … not a specific
    customer-provided resource ARN', MissingContextValues 'the deduplicated set' (EvaluationResult)."""
    arn = role("r")
    one, two, three = (f"arn:aws:ecr:us-east-2:{ACCOUNT}:repository/{number}" for number in range(3))
    tagged = {"StringEquals": {"aws:ResourceTag/team": "us"}}
    statements = [
        {"Effect": "Allow", "Action": "ecr:*", "Resource": one},
        {"Effect": "Allow", "Action": "ecr:*", "Resource": two, "Condition": tagged},
        {"Effect": "Deny", "Action": "ecr:PutImage", "Resource": three},
    ]
    text = json.dumps({"Version": "2012-10-17", "Statement": statements})
    iam.put_role_policy(RoleName="r", PolicyName="p", PolicyDocument=text)
    actions = ["ecr:PutImage", "ecr:BatchGetImage"]
    ask = {"PolicySourceArn": arn, "ActionNames": actions, "ResourceArns": [one, two, three]}
    put, get = iam.simulate_principal_policy(**ask)["EvaluationResults"]
    assert (put["EvalActionName"], put["EvalDecision"]) == ("ecr:PutImage", "explicitDeny")
    assert of_each([put]) == {one: "allowed", two: "implicitDeny", three: "explicitDeny"}
    assert (get["EvalDecision"], get["MissingContextValues"]) == ("implicitDeny", ["aws:ResourceTag/team"])
    template = "arn:${Partition}:ecr:${Region}:${Account}:repository/${RepositoryName}"
    assert {put["EvalResourceName"], get["EvalResourceName"]} == {template}


@pytest.mark.parametrize(
    ("operator", "decision"),
    [("Bool", "allowed"), ("BoolIfExists", "explicitDeny"), ("Null", "explicitDeny")],
)
def test_what_a_denial_depends_on_is_told_when_it_is_not_given(
    iam: Any, role: Callable[..., str], operator: str, decision: str
) -> None:
    """MissingContextValues: 'context keys that are required by the included input policies but that were not
    provided'. A condition on a key that is not there does not match, but with '…IfExists', or Null, it does."""
    arn = role("r")
    iam.attach_role_policy(RoleName="r", PolicyArn=ADMIN)
    condition = {"aws:MultiFactorAuthPresent": "true" if operator == "Null" else "false"}
    deny = document(Effect="Deny", Action="*", Resource="*", Condition={operator: condition})
    iam.put_role_policy(RoleName="r", PolicyName="mfa", PolicyDocument=deny)
    (told,) = iam.simulate_principal_policy(PolicySourceArn=arn, ActionNames=["ecs:RunTask"])[
        "EvaluationResults"
    ]
    assert told["EvalDecision"] == decision
    assert told["MissingContextValues"] == ["aws:MultiFactorAuthPresent"]


def test_a_boundary_is_simulated(iam: Any, role: Callable[..., str]) -> None:
    """PermissionsBoundaryDecisionDetail (EvaluationResult)."""
    boundary = iam.create_policy(PolicyName="b", PolicyDocument=document(Action="ecs:*", Resource="*"))
    arn = role("r", PermissionsBoundary=boundary["Policy"]["Arn"])
    iam.attach_role_policy(RoleName="r", PolicyArn=ADMIN)
    answer = iam.simulate_principal_policy(PolicySourceArn=arn, ActionNames=["ecs:RunTask", "s3:GetObject"])
    assert verdicts(answer) == {"ecs:RunTask": "allowed", "s3:GetObject": "implicitDeny"}
    details = [one["PermissionsBoundaryDecisionDetail"] for one in answer["EvaluationResults"]]
    assert [one["AllowedByPermissionsBoundary"] for one in details] == [True, False]


def test_results_come_in_pages(iam: Any) -> None:
    """IsTruncated, Marker, MaxItems (SimulateCustomPolicy)."""
    names = [f"s3:Get{number}" for number in range(5)]
    ask = {"PolicyInputList": [S3], "ActionNames": names}
    first = iam.simulate_custom_policy(**ask, MaxItems=3)
    assert (first["IsTruncated"], len(first["EvaluationResults"])) == (True, 3)
    paged = iam.get_paginator("simulate_custom_policy").paginate(**ask, PaginationConfig={"PageSize": 2})
    assert [one["EvalActionName"] for page in paged for one in page["EvaluationResults"]] == names


def test_statements_are_shown_where_they_are(iam: Any) -> None:
    """StartPosition and EndPosition: line and column in the policy's text (Statement)."""
    text = '{"Version": "2012-10-17", "Statement": [\n  {"Effect": "Allow", "Action": "s3:*", "Resource": "*"}\n]}'
    answer = iam.simulate_custom_policy(PolicyInputList=[text], ActionNames=["s3:GetObject"])
    (matched,) = answer["EvaluationResults"][0]["MatchedStatements"]
    assert matched["SourcePolicyId"] == "PolicyInputList.1"
    assert matched["StartPosition"] == {"Line": 2, "Column": 3}
    assert matched["EndPosition"]["Line"] == 2


def test_only_what_exists_is_simulated(iam: Any) -> None:
    """NoSuchEntity, InvalidInput (SimulatePrincipalPolicy)."""
    ask = {"ActionNames": ["s3:GetObject"]}
    absent = f"arn:aws:iam::{ACCOUNT}:role/none"
    expected = ("NoSuchEntity", "The role with name none cannot be found.")
    assert refused(iam.simulate_principal_policy, PolicySourceArn=absent, **ask) == expected
    bad = f"arn:aws:iam::{ACCOUNT}:root"
    assert refused(iam.simulate_principal_policy, PolicySourceArn=bad, **ask)[0] == "InvalidInput"
    wrong = refused(iam.simulate_custom_policy, PolicyInputList=[S3], ActionNames=["GetObject"])
    assert wrong[0] == "InvalidInput"


def test_audiences_of_a_provider(client: Any) -> None:
    """AddClientIDToOpenIDConnectProvider and RemoveClientIDFromOpenIDConnectProvider are 'idempotent'."""
    iam = client("iam")
    url = "https://token.actions.githubusercontent.com"
    arn = iam.create_open_id_connect_provider(Url=url, ClientIDList=["one"])["OpenIDConnectProviderArn"]
    for _ in range(2):
        iam.add_client_id_to_open_id_connect_provider(OpenIDConnectProviderArn=arn, ClientID="two")
    assert iam.get_open_id_connect_provider(OpenIDConnectProviderArn=arn)["ClientIDList"] == ["one", "two"]
    for _ in range(2):
        iam.remove_client_id_from_open_id_connect_provider(OpenIDConnectProviderArn=arn, ClientID="one")
    assert iam.get_open_id_connect_provider(OpenIDConnectProviderArn=arn)["ClientIDList"] == ["two"]


NAMED: dict[str, tuple[Callable[..., Any], str]] = {
    "role": (
        lambda iam, name: iam.create_role(RoleName=name, AssumeRolePolicyDocument=TRUST),
        "Role with name APP already exists.",
    ),
    "user": (lambda iam, name: iam.create_user(UserName=name), "User with name APP already exists."),
    "group": (lambda iam, name: iam.create_group(GroupName=name), "Group with name APP already exists."),
    "policy": (
        lambda iam, name: iam.create_policy(PolicyName=name, PolicyDocument=S3, Path=f"/{name}/"),
        "A policy called APP already exists. Duplicate names are not allowed.",
    ),
    "instance profile": (
        lambda iam, name: iam.create_instance_profile(InstanceProfileName=name),
        "Instance Profile APP already exists.",
    ),
}


@pytest.mark.parametrize("kind", NAMED)
def test_names_are_not_distinguished_by_case(iam: Any, kind: str) -> None:
    """ "User, group, role, and policy names must be unique within the account. Names are not distinguished by case. For
    example, you cannot create resources named both "MyResource" and "myresource"" (CreateRole, CreatePolicy)."""
    make, words = NAMED[kind]
    make(iam, "app")
    assert refused(lambda: make(iam, "APP")) == ("EntityAlreadyExists", words)


@pytest.mark.parametrize("sid", ["a-b", "a b", "a_b", "é"])
def test_a_sid_has_letters_and_digits(iam: Any, sid: str) -> None:
    """ "Statement IDs (SID) must be alpha-numeric. Check that your input satisfies the regular expression
    [0-9A-Za-z]*", in permissions and trust policies: the words are our own."""
    trust = json.loads(TRUST)
    trust["Statement"][0]["Sid"] = sid
    words = (
        "Statement IDs (SID) must be alpha-numeric. Check that your input satisfies the regular expression "
    )
    expected = ("MalformedPolicyDocument", f"{words}[0-9A-Za-z]*")
    wrong = document(Sid=sid, Action="s3:*", Resource="*")
    assert refused(iam.create_policy, PolicyName="p", PolicyDocument=wrong) == expected
    assert refused(iam.create_role, RoleName="r", AssumeRolePolicyDocument=json.dumps(trust)) == expected
    iam.create_policy(PolicyName="p", PolicyDocument=document(Sid="Ab1", Action="s3:*", Resource="*"))


@pytest.mark.parametrize("element", ["Principal", "NotPrincipal"])
def test_a_permissions_policy_has_no_principal(iam: Any, role: Callable[..., str], element: str) -> None:
    """ "You can't use the Principal element in an identity-based policy" (IAM User Guide); "Policy document should not
    specify a principal.": the words are our own."""
    role("app")
    wrong = document(Action="s3:*", Resource="*", **{element: "*"})
    expected = ("MalformedPolicyDocument", "Policy document should not specify a principal.")
    assert refused(iam.create_policy, PolicyName="p", PolicyDocument=wrong) == expected
    assert refused(iam.put_role_policy, RoleName="app", PolicyName="p", PolicyDocument=wrong) == expected


def test_the_url_of_a_provider_begins_with_https(iam: Any) -> None:
    """ "The URL must begin with https://" (CreateOpenIDConnectProvider); InvalidInput is that operation's error."""
    words = "Invalid Open ID Connect Provider URL. The URL must begin with https://."
    assert refused(iam.create_open_id_connect_provider, Url="http://example.com") == ("InvalidInput", words)
