"""What is not the stack's is not touched: what was there before it, what others have put on it, another region's."""

from __future__ import annotations

import inspect
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from lobster_tasks import converge
from lobster_tasks.apprunner.parity import compare_service
from lobster_tasks.aws import Aws
from lobster_tasks.clock import Clock
from lobster_tasks.converge import Plan
from lobster_tasks.errors import NotOursError, RefusedError
from lobster_tasks.probe import AllowedSources, allowed_sources
from lobster_tasks.settings import load
from lobster_tasks.stack import Resource, Stack, build_access
from lobster_tasks.stack.certificates import Certificate, ViewerCertificate
from lobster_tasks.stack.distribution import Distribution
from lobster_tasks.stack.ecr import Repository
from lobster_tasks.stack.ecs import Cluster, Service, TaskDefinition
from lobster_tasks.stack.firewall import WebAclAssociation
from lobster_tasks.stack.github import DeployRole, IdentityProvider
from lobster_tasks.stack.iam import Role
from lobster_tasks.stack.load_balancing import Listener, LoadBalancer, TargetGroup
from lobster_tasks.stack.logs import LogGroup
from lobster_tasks.stack.network import Network, SecurityGroup
from lobster_tasks.stack.origin_access import OriginAccess
from lobster_tasks.stack.origin_facing import OriginFacing
from lobster_tasks.stack.scaling import ScalableTarget
from lobster_tasks.stack.sign_in import SignIn
from lobster_tasks.stack.visitors import IpSet, WebAcl
from lobster_tasks.stack.vpc_origin import VpcOrigin
from tests.conftest import SPEED
from tests.embedded.apprunner_stack import Sites
from tests.embedded.firewalls import associate, web_acl
from tests.embedded_process import EmbeddedProcess
from tests.project import Project, make

from .converging import KINDS, READ_ONLY, SCALABLE, Account, Meddler, account_of, lifecycle
from .releasing import set_up

LOGS = "arn:aws:iam::aws:policy/CloudWatchLogsReadOnlyAccess"
THEIRS = '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:GetObject","Resource":"*"}]}'
WIDE = {
    "Version": "2012-10-17",
    "Statement": [
        {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"},
        {
            "Effect": "Allow",
            "Principal": {"AWS": "arn:aws:iam::123456789012:root"},
            "Action": "sts:AssumeRole",
            "Condition": {"StringEquals": {"sts:ExternalId": "theirs"}},
        },
    ],
}
ROLES = ("ecsTaskExecutionRole", "ecsTaskRole")
GITHUB, DEPLOYS = "token.actions.githubusercontent.com", "github-deploys"
PROVIDER = f"arn:aws:iam::123456789012:oidc-provider/{GITHUB}"
DOMAIN, FAMILY, LOG_GROUP = "app.example.com", "lobster-streamlit-task", "/ecs/lobster-streamlit"
FLAGS = (
    f"task.policies={READ_ONLY},{LOGS}",
    *("github.repository=somebody/app", f"domains={DOMAIN}", "scaling.max=4", "scaling.average_cpu=50"),
)


@pytest.fixture(scope="module")
def somewhere(embedded_process: EmbeddedProcess) -> Account:
    """The account of the module's embedded AWS."""
    return account_of(embedded_process, SPEED)


@pytest.fixture
def account(somewhere: Account, embedded: EmbeddedProcess) -> Account:
    """The account, empty."""
    assert embedded.url == somewhere.embedded.url
    return somewhere


# What was there before


def others_have(meddler: Meddler) -> None:
    """One of each adoptable kind, by our names, in use by others, and unlike the settings wherever it can be."""
    for each in THEIRS_OF.values():
        each.make(meddler)


def looks(meddler: Meddler) -> dict[str, Any]:
    """All that AWS says of these, by plain boto3: facts, and sets to which something may be added."""
    return {name: value for each in THEIRS_OF.values() for name, value in each.look(meddler)}


Look = Iterator[tuple[str, Any]]


@dataclass(frozen=True)
class Theirs:
    """A resource of somebody else's, by our name: how it is made, and what AWS says of it.

    ``adopted`` says whether the stack takes it over, or uses it as it is.
    """

    make: Callable[[Meddler], None]
    look: Callable[[Meddler], Look]
    adopted: bool = True


def _make_roles(m: Meddler) -> None:
    for name in ROLES:
        _make_role(m, name)


def _make_role(m: Meddler, name: str) -> None:
    m.iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(WIDE))
    m.iam.put_role_policy(RoleName=name, PolicyName="theirs", PolicyDocument=THEIRS)
    m.iam.attach_role_policy(RoleName=name, PolicyArn=READ_ONLY)


def _look_at_roles(m: Meddler) -> Look:
    for name in ROLES:
        yield from _look_at_role(m, name)


def _look_at_role(m: Meddler, name: str) -> Look:
    yield from ((f"role {name}: {what}", value) for what, value in _role(m, name))


def _make_provider(m: Meddler) -> None:
    m.iam.create_open_id_connect_provider(Url=f"https://{GITHUB}", ClientIDList=["theirs"])


def _look_at_provider(m: Meddler) -> Look:
    found = m.iam.get_open_id_connect_provider(OpenIDConnectProviderArn=PROVIDER)
    yield "provider: audiences", frozenset(found["ClientIDList"])
    yield "provider: tags", found.get("Tags", [])


def _make_log_group(m: Meddler) -> None:
    m.logs.create_log_group(logGroupName=LOG_GROUP)


def _look_at_log_group(m: Meddler) -> Look:
    (found,) = m.logs.describe_log_groups()["logGroups"]
    yield "log group", found.get("retentionInDays")
    yield (
        "log group: tags",
        m.logs.list_tags_for_resource(resourceArn=found["arn"].removesuffix(":*"))["tags"],
    )


def _make_repository(m: Meddler) -> None:
    m.ecr.create_repository(repositoryName="homara", imageTagMutability="IMMUTABLE")
    m.ecr.put_lifecycle_policy(repositoryName="homara", lifecyclePolicyText=lifecycle(3))


def _make_groups(m: Meddler) -> None:
    for name in ("lobster-alb-sg", "lobster-ecs-sg", "theirs"):
        m.ec2.create_security_group(GroupName=name, Description="theirs", VpcId=m.vpc)
        m.allow(name, 22, "10.0.0.0/8")


def _look_at_groups(m: Meddler) -> Look:
    for name in ("lobster-alb-sg", "lobster-ecs-sg"):
        yield f"{name}: rules", _rules(m, name)


def _make_balancer(m: Meddler) -> None:
    m.elbv2.create_load_balancer(Name="lobster-alb", Subnets=m.subnets, SecurityGroups=[m.group("theirs")])
    m.set_balancer(idle_timeout__timeout_seconds="77")


def _look_at_balancer(m: Meddler) -> Look:
    (found,) = m.elbv2.describe_load_balancers(LoadBalancerArns=[m.balancer])["LoadBalancers"]
    yield "load balancer: groups", frozenset(found["SecurityGroups"])
    yield "load balancer: zones", frozenset(each["SubnetId"] for each in found["AvailabilityZones"])
    described = m.elbv2.describe_load_balancer_attributes(LoadBalancerArn=m.balancer)
    yield "load balancer", described["Attributes"]
    yield "load balancer: tags", _balancing_tags(m, m.balancer)


def _make_target_group(m: Meddler) -> None:
    group = {"Protocol": "HTTP", "Port": 8501, "VpcId": m.vpc, "TargetType": "ip"}
    m.elbv2.create_target_group(Name="lobster-tg", HealthCheckPath="/theirs", **group)
    m.set_target_group(deregistration_delay__timeout_seconds="77")


def _look_at_target_group(m: Meddler) -> Look:
    (found,) = m.elbv2.describe_target_groups(TargetGroupArns=[m.target_group])["TargetGroups"]
    yield "target group: health", found["HealthCheckPath"]
    described = m.elbv2.describe_target_group_attributes(TargetGroupArn=m.target_group)
    yield "target group", described["Attributes"]
    yield "target group: tags", _balancing_tags(m, m.target_group)


def _make_certificate(m: Meddler) -> None:
    tags = [{"Key": "owner", "Value": "them"}]
    m.acm.request_certificate(DomainName=DOMAIN, ValidationMethod="DNS", Tags=tags)


def _look_at_certificate(m: Meddler) -> Look:
    (found,) = m.acm.list_certificates()["CertificateSummaryList"]
    yield "certificate", found["CertificateArn"]
    yield (
        "certificate: tags",
        m.acm.list_tags_for_certificate(CertificateArn=found["CertificateArn"])["Tags"],
    )


def _make_protection(m: Meddler) -> None:
    associate(m.embedded, web_acl(m.embedded, "theirs"), m.balancer)


def _look_at_protection(m: Meddler) -> Look:
    found = m.embedded.client("wafv2").get_web_acl_for_resource(ResourceArn=m.balancer)
    yield "web ACL", found["WebACL"]["ARN"]


def _look_at_network(m: Meddler) -> Look:
    yield "network", (m.vpc, m.subnets)


def _make_listener(m: Meddler) -> None:
    action = {"Type": "forward", "TargetGroupArn": m.target_group}
    m.elbv2.create_listener(LoadBalancerArn=m.balancer, Port=80, Protocol="HTTP", DefaultActions=[action])


def _look_at_listener(m: Meddler) -> Look:
    (found,) = m.elbv2.describe_listeners(LoadBalancerArn=m.balancer)["Listeners"]
    yield "listener", found["DefaultActions"]
    yield "listener: tags", _balancing_tags(m, m.listener)


def _balancing_tags(m: Meddler, arn: str) -> frozenset[str]:
    (found,) = m.elbv2.describe_tags(ResourceArns=[arn])["TagDescriptions"]
    return frozenset(each["Key"] for each in found["Tags"])


def _make_cluster(m: Meddler) -> None:
    settings = [{"name": "containerInsights", "value": "enabled"}]
    m.ecs.create_cluster(clusterName="lobster-cluster", settings=settings)


def _look_at_cluster(m: Meddler) -> Look:
    (found,) = m.ecs.describe_clusters(clusters=["lobster-cluster"], include=["SETTINGS", "TAGS"])["clusters"]
    yield "cluster", found["settings"]
    yield "cluster: tags", _keys(found["tags"])


def _make_definition(m: Meddler) -> None:
    container = {
        "name": "lobster-streamlit",
        "image": "public.ecr.aws/x/a:1",
        "portMappings": [{"containerPort": 8501}],
    }
    m.register(FAMILY, container)


def _look_at_definition(m: Meddler) -> Look:
    yield "revisions", frozenset(m.ecs.list_task_definitions(familyPrefix=FAMILY)["taskDefinitionArns"])
    first = m.ecs.describe_task_definition(taskDefinition=f"{FAMILY}:1", include=["TAGS"])
    yield "revision 1: tags", _keys(first.get("tags", []))


def _make_service(m: Meddler) -> None:
    container = {
        "name": "lobster-streamlit",
        "image": "public.ecr.aws/x/a:1",
        "portMappings": [{"containerPort": 8501}],
    }
    network = {"subnets": m.subnets[:2], "securityGroups": [m.group("theirs")], "assignPublicIp": "ENABLED"}
    m.ecs.create_service(
        cluster="lobster-cluster",
        serviceName="lobster-streamlit-service",
        taskDefinition=m.register("before", container),
        desiredCount=0,
        launchType="FARGATE",
        networkConfiguration={"awsvpcConfiguration": network},
        loadBalancers=[
            {"targetGroupArn": m.target_group, "containerName": "lobster-streamlit", "containerPort": 8501}
        ],
    )


def _look_at_service(m: Meddler) -> Look:
    found = m.service()
    network = found["networkConfiguration"]["awsvpcConfiguration"]
    yield "service: definition", found["taskDefinition"]
    yield "service: count", found["desiredCount"]
    yield "service: groups", frozenset(network.pop("securityGroups"))
    yield "service: network", network
    yield "service: deployment", found["deploymentConfiguration"]
    yield "service: tags", _keys(found.get("tags", []))


def _make_scaling(m: Meddler) -> None:
    m.scale_within(0, 9)
    tracking = {
        "TargetValue": 11.0,
        "PredefinedMetricSpecification": {"PredefinedMetricType": KINDS["average_cpu"]},
    }
    m.scaling.put_scaling_policy(
        **SCALABLE,
        PolicyName="theirs",
        PolicyType="TargetTrackingScaling",
        TargetTrackingScalingPolicyConfiguration=tracking,
    )


def _look_at_scaling(m: Meddler) -> Look:
    (found,) = m.scaling.describe_scalable_targets(ServiceNamespace="ecs")["ScalableTargets"]
    yield "scalable target", (found["MinCapacity"], found["MaxCapacity"])
    policies = m.scaling.describe_scaling_policies(ServiceNamespace="ecs")["ScalingPolicies"]
    told = (
        (each["PolicyName"], each["TargetTrackingScalingPolicyConfiguration"]["TargetValue"])
        for each in policies
    )
    yield "scalable target: policies", frozenset(told)
    tags = m.scaling.list_tags_for_resource(ResourceARN=found["ScalableTargetARN"])["Tags"]
    yield "scalable target: tags", frozenset(tags)


def _keys(tags: list[dict[str, str]]) -> frozenset[str]:
    return frozenset(each["key"] for each in tags)


# By the class of the resource, in an order in which they can be made.
THEIRS_OF: dict[type[Resource], Theirs] = {
    Role: Theirs(_make_roles, _look_at_roles),
    DeployRole: Theirs(lambda m: _make_role(m, DEPLOYS), lambda m: _look_at_role(m, DEPLOYS)),
    IdentityProvider: Theirs(_make_provider, _look_at_provider, adopted=False),
    LogGroup: Theirs(_make_log_group, _look_at_log_group),
    Repository: Theirs(_make_repository, lambda m: _repository(m)),
    Network: Theirs(lambda m: None, _look_at_network, adopted=False),
    SecurityGroup: Theirs(_make_groups, _look_at_groups),
    LoadBalancer: Theirs(_make_balancer, _look_at_balancer),
    WebAclAssociation: Theirs(_make_protection, _look_at_protection, adopted=False),
    TargetGroup: Theirs(_make_target_group, _look_at_target_group),
    Certificate: Theirs(_make_certificate, _look_at_certificate, adopted=False),
    Listener: Theirs(_make_listener, _look_at_listener),
    Cluster: Theirs(_make_cluster, _look_at_cluster),
    TaskDefinition: Theirs(_make_definition, _look_at_definition),
    Service: Theirs(_make_service, _look_at_service),
    ScalableTarget: Theirs(_make_scaling, _look_at_scaling),
}


def every_kind(of: type[Resource] = Resource) -> Iterator[type[Resource]]:
    """The classes of resources that a stack can have."""
    for each in of.__subclasses__():
        if each.__module__.startswith("lobster_tasks.") and not inspect.isabstract(each):
            yield each
        yield from every_kind(each)


# What is in front of a load balancer that was adopted is held by tests/stack/test_front.py and test_visitors.py.
IN_FRONT = {OriginFacing, VpcOrigin, Distribution, OriginAccess, ViewerCertificate, IpSet, WebAcl}
# What is only read, and never created, changed, or removed (tests/stack/test_sign_in.py).
READ = {SignIn}


def test_every_kind_is_held() -> None:
    assert set(every_kind()) == set(THEIRS_OF) | IN_FRONT | READ


def _role(meddler: Meddler, name: str) -> Iterator[tuple[str, Any]]:
    role = meddler.iam.get_role(RoleName=name)["Role"]
    statements = role["AssumeRolePolicyDocument"]["Statement"]
    yield "trust", frozenset(json.dumps(each, sort_keys=True) for each in statements)
    yield "inline", frozenset(meddler.iam.list_role_policies(RoleName=name)["PolicyNames"])
    attached = meddler.iam.list_attached_role_policies(RoleName=name)["AttachedPolicies"]
    yield "attached", frozenset(each["PolicyArn"] for each in attached)
    yield "boundary", role.get("PermissionsBoundary")
    yield "tags", frozenset(each["Key"] for each in role.get("Tags", []))


def _repository(meddler: Meddler) -> Iterator[tuple[str, Any]]:
    (found,) = meddler.ecr.describe_repositories(repositoryNames=["homara"])["repositories"]
    yield "repository: scan", found["imageScanningConfiguration"]
    yield "repository: mutability", found["imageTagMutability"]
    kept = meddler.ecr.get_lifecycle_policy(repositoryName="homara")["lifecyclePolicyText"]
    yield "repository: lifecycle", json.loads(kept)
    tags = meddler.ecr.list_tags_for_resource(resourceArn=found["repositoryArn"])["tags"]
    yield "repository: tags", frozenset(each["Key"] for each in tags)


def _rules(meddler: Meddler, name: str) -> frozenset[str]:
    (group,) = meddler.ec2.describe_security_groups(GroupIds=[meddler.group(name)])["SecurityGroups"]
    members = ("IpRanges", "Ipv6Ranges", "UserIdGroupPairs", "PrefixListIds")
    return frozenset(
        json.dumps([rule["IpProtocol"], rule.get("FromPort"), peer], sort_keys=True)
        for rule in group["IpPermissions"]
        for member in members
        for peer in rule.get(member, [])
    )


def taken_away(before: dict[str, Any], after: dict[str, Any]) -> list[str]:
    """What is not as it was: facts that differ, members of sets that are gone."""
    return [
        name
        for name, value in before.items()
        if "tags" not in name
        and not (value <= after[name] if isinstance(value, frozenset) else value == after[name])
    ]


def whole(account: Account, *flags: str) -> Stack:
    """The stack with GitHub's access."""
    at = account.with_settings(*FLAGS, *flags)
    return build_access(at.settings, "123456789012") + at.resources()


def test_adopting_takes_nothing_away_and_the_teardown_leaves_each_kind_as_it_was(account: Account) -> None:
    meddler = Meddler(account)
    others_have(meddler)
    before = looks(meddler)
    stack = whole(account)
    made = converge.plan(stack, converge.read(account.aws, stack), adopt=True)
    account.apply(made)
    converge.verify(account.aws, stack)
    kinds = {type(change.resource) for change in made.changes if change.action == "adopt"}
    assert kinds == {kind for kind, theirs in THEIRS_OF.items() if theirs.adopted}
    adopted = looks(meddler)
    assert taken_away(before, adopted) == []
    added = {name for name, value in before.items() if value != adopted[name] and "tags" not in name}
    assert added == {
        *(f"role {name}: trust" for name in (*ROLES, DEPLOYS)),
        *("role ecsTaskExecutionRole: inline", "role ecsTaskRole: attached", f"role {DEPLOYS}: inline"),
        *("lobster-alb-sg: rules", "lobster-ecs-sg: rules", "load balancer: groups", "service: groups"),
        *("provider: audiences", "revisions", "scalable target: policies"),
    }
    meddler.set_service(taskDefinition=FAMILY)  # as a release does
    removal = removing(account, stack)
    assert _parting(removal).endswith("goes back to before:1")
    account.apply(removal)
    left = looks(meddler)
    left["provider: audiences"] = before["provider: audiences"]  # not ours to know who asks by it
    assert left == before


def test_what_another_stack_has_is_not_taken_from_it(account: Account) -> None:
    """Every kind that can be adopted, of a stack in the same region, made by it or adopted by it."""
    others_have(Meddler(account))
    theirs, ours = whole(account, "name=theirs"), whole(account)
    account.apply(converge.plan(theirs, converge.read(account.aws, theirs), adopt=True))
    live = converge.read(account.aws, ours)
    for adopt in (False, True):
        with account.no_change(), pytest.raises(NotOursError) as refused:
            converge.plan(ours, live, adopt=adopt)
        assert "--adopt" not in refused.value.next_step
        kinds = {
            type(each) for each in live if f"{each.label} (belongs to the stack theirs" in refused.value.what
        }
        assert kinds == {kind for kind, each in THEIRS_OF.items() if each.adopted}
    assert converge.plan(theirs, converge.read(account.aws, theirs)).changes == ()


def removing(account: Account, stack: Stack) -> Plan:
    """The plan of a teardown with everything."""
    live = converge.read(account.aws, stack)
    others = converge.dependents(account.aws, stack, live)
    return converge.plan_removal(stack, live, others, keep_data=False)


def test_an_adopted_service_goes_back_to_what_it_ran(embedded: EmbeddedProcess, aws: Aws) -> None:
    ours = set_up(embedded, aws)
    assert ours.deploy("theirs").verdict == "live"
    account = Account(embedded, aws, ours.settings)
    meddler = Meddler(account)
    (container,) = meddler.newest()["containerDefinitions"]
    role = meddler.newest()["executionRoleArn"]
    meddler.set_service(
        taskDefinition=meddler.register("theirs", container, executionRoleArn=role), desiredCount=2
    )
    ours.await_completed()
    meddler.ecs.untag_resource(resourceArn=meddler.service()["serviceArn"], tagKeys=["lobster:stack"])
    account.converge(adopt=True)
    assert ours.deploy("ours").verdict == "live"
    assert "/lobster-streamlit-task:" in meddler.service()["taskDefinition"]
    meddler.set_service(desiredCount=1)
    ours.await_completed()
    meddler.ecs.deregister_task_definition(taskDefinition="theirs:1")
    told = account.plan_removal()
    assert "theirs:1, which it ran before, is not ACTIVE" in _parting(told)
    assert "task-definition/lobster-streamlit-task" in {each.label for each in told.kept}
    again = meddler.register("theirs", container, executionRoleArn=role).rpartition("/")[2]
    tags = [{"key": "lobster:before:task-definition", "value": again}]
    meddler.ecs.tag_resource(resourceArn=meddler.service()["serviceArn"], tags=tags)
    made = account.plan_removal()
    assert _parting(made).endswith(f"goes back to {again} and a desired count of 2")
    account.apply(made)
    service = meddler.service()
    assert (service["taskDefinition"].rpartition("/")[2], service["desiredCount"]) == (again, 2)
    assert [each["runningCount"] for each in service["deployments"]] == [2]
    assert not service.get("tags")
    assert {each.resource.kind for each in made.changes} == {"service", "task-definition", "role"}
    assert {each.resource.name for each in made.changes} & set(ROLES) == {"ecsTaskRole"}  # the other is used
    assert account.plan_removal().changes == ()


def _parting(made: Plan) -> str:
    (reason,) = [each.reason for each in made.changes if each.resource.kind == "service"]
    return reason


def test_what_stays_as_it_was_found_is_told(account: Account) -> None:
    others_have(Meddler(account))
    made = account.plan(adopt=True)
    told = {each.label: remarks for each, remarks in made.remarks.items() if remarks}
    assert told["log-group//ecs/lobster-streamlit"] == ("retention stays for ever; the settings say 30 days",)
    assert (
        "health check path stays /theirs; the settings say /_stcore/health" in told["target-group/lobster-tg"]
    )
    assert "idle_timeout.timeout_seconds stays 77; the settings say 300" in told["load-balancer/lobster-alb"]
    assert len(told["repository/homara"]) == 2


def test_what_was_added_and_lost_is_added_again_and_nothing_else(account: Account) -> None:
    meddler = Meddler(account)
    others_have(meddler)
    account.converge(adopt=True)
    adopted = looks(meddler)
    meddler.iam.update_assume_role_policy(RoleName="ecsTaskRole", PolicyDocument=json.dumps(WIDE))
    meddler.forbid("lobster-alb-sg", 80, "0.0.0.0/0")
    made = account.converge()
    assert {each.resource.label for each in made.changes} == {
        "role/ecsTaskRole",
        "security-group/lobster-alb-sg",
    }
    assert looks(meddler) == adopted


@pytest.mark.parametrize(
    ("meddle", "flags", "told"),
    [
        (lambda m: m.forward_elsewhere(), (), "listener/lobster-alb:80"),
        (lambda m: None, (f"task.permissions_boundary={READ_ONLY}",), r"role/ecsTask\w+"),
    ],
    ids=["a listener that leads elsewhere", "a role without the boundary"],
)
def test_what_would_not_fit_without_taking_something_away_is_refused(
    account: Account, meddle: Callable[[Meddler], None], flags: tuple[str, ...], told: str
) -> None:
    meddler = Meddler(account)
    others_have(meddler)
    meddle(meddler)
    stack = account.with_settings(*flags)
    with account.no_change(), pytest.raises(RefusedError, match=f"{told} cannot be changed") as refused:
        stack.apply(stack.plan(adopt=True))
    assert "it existed before, and others may depend on it" in refused.value.why


# What others have put on it


def _guest_listener(m: Meddler) -> None:
    action = {"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": "200"}}
    m.elbv2.create_listener(LoadBalancerArn=m.balancer, Protocol="HTTP", Port=8080, DefaultActions=[action])


def _protection(m: Meddler) -> None:
    protected = {"Key": "deletion_protection.enabled", "Value": "true"}
    m.elbv2.modify_load_balancer_attributes(LoadBalancerArn=m.balancer, Attributes=[protected])


def _log_protection(m: Meddler) -> None:
    m.logs.put_log_group_deletion_protection(logGroupIdentifier=LOG_GROUP, deletionProtectionEnabled=True)


def _guest_rule(m: Meddler) -> None:
    action = {"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": "200"}}
    condition = {"Field": "host-header", "Values": ["other.example.com"]}
    m.elbv2.create_rule(ListenerArn=m.listener, Priority=10, Conditions=[condition], Actions=[action])


def _second_way(m: Meddler) -> None:
    action = {"Type": "forward", "TargetGroupArn": m.target_group}
    m.elbv2.create_listener(LoadBalancerArn=m.balancer, Protocol="HTTP", Port=8080, DefaultActions=[action])


def _guest_of_the_group(m: Meddler) -> None:
    m.ec2.create_security_group(GroupName="database", Description="theirs", VpcId=m.vpc)
    m.allow("database", 5432, "lobster-ecs-sg")


def _sharing_the_group(m: Meddler) -> None:
    groups = [m.group("lobster-alb-sg")]
    m.elbv2.create_load_balancer(Name="theirs", Subnets=m.subnets, SecurityGroups=groups)


def _guest_service(m: Meddler, cluster: str = "lobster-cluster", **members: Any) -> None:
    network = {"awsvpcConfiguration": {"subnets": m.subnets}}
    given = {"taskDefinition": "theirs", "networkConfiguration": network, **members}
    if given["taskDefinition"] == "theirs":
        m.register("theirs", {"name": "a", "image": "public.ecr.aws/x/a:1"})
    m.ecs.create_service(
        cluster=cluster,
        serviceName="theirs",
        desiredCount=0,
        launchType="FARGATE",
        **given,
    )


def _guest_elsewhere(m: Meddler) -> None:
    """A service in a cluster of its own that runs our family."""
    m.ecs.create_cluster(clusterName="elsewhere")
    _guest_service(m, "elsewhere", taskDefinition=FAMILY)


def _guest_behind(m: Meddler) -> None:
    """A service in a cluster of its own behind our target group."""
    m.ecs.create_cluster(clusterName="elsewhere")
    container = {"name": "a", "image": "public.ecr.aws/x/a:1", "portMappings": [{"containerPort": 80}]}
    balancers = [{"targetGroupArn": m.target_group, "containerName": "a", "containerPort": 80}]
    _guest_service(m, "elsewhere", taskDefinition=m.register("behind", container), loadBalancers=balancers)


def _guest_in_the_group(m: Meddler) -> None:
    m.ecs.create_cluster(clusterName="elsewhere")
    network = {"subnets": m.subnets, "securityGroups": [m.group("lobster-ecs-sg")]}
    _guest_service(m, "elsewhere", networkConfiguration={"awsvpcConfiguration": network})


def _guest_task(m: Meddler) -> None:
    m.register("alone", {"name": "a", "image": "public.ecr.aws/x/a:1"})
    m.ecs.run_task(
        cluster="lobster-cluster",
        taskDefinition="alone",
        launchType="FARGATE",
        networkConfiguration={"awsvpcConfiguration": {"subnets": m.subnets}},
    )


def _guest_definition(m: Meddler, **container: Any) -> None:
    ours, arn = "ecsTaskExecutionRole", "arn:aws:iam::123456789012:role/theirs"
    role = m.iam.get_role(RoleName=ours)["Role"]["Arn"] if not container else arn
    m.register("theirs", {"name": "a", "image": "public.ecr.aws/x/a:1", **container}, executionRoleArn=role)


def _guest_revision(m: Meddler) -> None:
    """A service runs a revision with our role; a newer one of its family has another."""
    role = m.iam.get_role(RoleName="ecsTaskRole")["Role"]["Arn"]
    container = {"name": "a", "image": "public.ecr.aws/x/a:1"}
    arn = m.register("older", container, taskRoleArn=role)
    m.register("older", container)
    m.ecs.create_cluster(clusterName="elsewhere")
    _guest_service(m, "elsewhere", taskDefinition=arn)


def _guest_image(m: Meddler) -> None:
    uri = m.ecr.describe_repositories(repositoryNames=["homara"])["repositories"][0]["repositoryUri"]
    _guest_definition(m, image=f"{uri}:theirs")


def _guest_log(m: Meddler) -> None:
    options = {
        "awslogs-group": LOG_GROUP,
        "awslogs-region": "us-east-2",
        "awslogs-stream-prefix": "theirs",
    }
    _guest_definition(m, logConfiguration={"logDriver": "awslogs", "options": options})


def _guest_profile(m: Meddler) -> None:
    m.iam.create_instance_profile(InstanceProfileName="theirs")
    m.iam.add_role_to_instance_profile(InstanceProfileName="theirs", RoleName="ecsTaskRole")


def _guest_trust(m: Meddler) -> None:
    trust = m.iam.get_role(RoleName="ecsTaskRole")["Role"]["AssumeRolePolicyDocument"]
    trust["Statement"].append(WIDE["Statement"][0])
    m.iam.update_assume_role_policy(RoleName="ecsTaskRole", PolicyDocument=json.dumps(trust))


def _guest_interface(m: Meddler) -> None:
    groups = [m.group("lobster-ecs-sg")]
    m.ec2.create_network_interface(SubnetId=m.subnets[0], Groups=groups, Description="RDSNetworkInterface")


def _guest_metric(m: Meddler) -> None:
    metric = {"metricName": "errors", "metricNamespace": "theirs", "metricValue": "1"}
    m.logs.put_metric_filter(
        logGroupName=LOG_GROUP, filterName="errors", filterPattern="ERROR", metricTransformations=[metric]
    )


def _guest_subscription(m: Meddler) -> None:
    m.logs.create_log_group(logGroupName="theirs")
    destination = "arn:aws:logs:us-east-2:123456789012:destination:theirs"
    m.logs.put_subscription_filter(
        logGroupName=LOG_GROUP, filterName="all", filterPattern="", destinationArn=destination
    )


def _guest_policy(m: Meddler) -> None:
    allow = {
        "Sid": "theirs",
        "Effect": "Allow",
        "Principal": {"AWS": "arn:aws:iam::210987654321:root"},
        "Action": "ecr:BatchGetImage",
    }
    text = json.dumps({"Version": "2012-10-17", "Statement": [allow]})
    m.ecr.set_repository_policy(repositoryName="homara", policyText=text)


def _guest_function(m: Meddler) -> None:
    """What Lambda needs in the repository before a function can have an image of it (AWS re:Post, "Lambda does not have
    permission to access the ECR image")."""
    allow = {
        "Sid": "LambdaECRImageRetrievalPolicy",
        "Effect": "Allow",
        "Principal": {"Service": "lambda.amazonaws.com"},
        "Action": ["ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"],
    }
    text = json.dumps({"Version": "2012-10-17", "Statement": [allow]})
    m.ecr.set_repository_policy(repositoryName="homara", policyText=text)


def _guest_app(m: Meddler) -> None:
    """An App Runner service with an image of the repository, and one without."""
    sites = Sites(m.embedded)
    sites.begin("theirs")
    public = {"ImageIdentifier": "public.ecr.aws/x/a:1", "ImageRepositoryType": "ECR_PUBLIC"}
    sites.begin("another", SourceConfiguration={"ImageRepository": public, "AutoDeploymentsEnabled": False})


def _unseen_apps(m: Meddler) -> None:
    """App Runner services that may not be seen: nobody knows whether they use the images."""
    denied = {"code": "AccessDeniedException", "message": "not this one", "status": 400}
    m.embedded.order({"service": "apprunner", "operation": "ListServices", "error": denied})


# What arrives, and of what kind of ours it is the guest.
GUESTS: dict[str, tuple[Callable[[Meddler], None], str, str]] = {
    "a listener": (_guest_listener, "load-balancer/lobster-alb", "listener HTTP:8080"),
    "protection": (
        _protection,
        "load-balancer/lobster-alb",
        "whoever has set its attribute deletion_protection",
    ),
    "a rule": (_guest_rule, "listener/lobster-alb:80", "rule 10 of listener HTTP:80"),
    "a second way": (_second_way, "target-group/lobster-tg", "listener HTTP:8080"),
    "a service behind": (_guest_behind, "target-group/lobster-tg", "service theirs"),
    "a rule of a group": (_guest_of_the_group, "security-group/lobster-ecs-sg", "security group database"),
    "a group": (_sharing_the_group, "security-group/lobster-alb-sg", "load balancer theirs"),
    "tasks in a group": (_guest_in_the_group, "security-group/lobster-ecs-sg", "service theirs"),
    "an interface": (_guest_interface, "security-group/lobster-ecs-sg", "network interface eni-"),
    "a service": (_guest_service, "cluster/lobster-cluster", "service theirs"),
    "a task": (_guest_task, "cluster/lobster-cluster", "task of family:alone"),
    "a service of our family": (_guest_elsewhere, f"task-definition/{FAMILY}", "service theirs"),
    "a role": (_guest_definition, "role/ecsTaskExecutionRole", "task definition theirs"),
    "a role of a revision": (_guest_revision, "role/ecsTaskRole", "task definition older"),
    "a role's profile": (_guest_profile, "role/ecsTaskRole", "instance profile theirs"),
    "a role's trust": (_guest_trust, "role/ecsTaskRole", "lambda.amazonaws.com, which can assume it"),
    "an image": (_guest_image, "repository/homara", "task definition theirs"),
    "another account": (
        _guest_policy,
        "repository/homara",
        "whom its repository policy lets in (arn:aws:iam::210987654321:root)",
    ),
    "a Lambda function": (
        _guest_function,
        "repository/homara",
        "whom its repository policy lets in (lambda.amazonaws.com)",
    ),
    "an App Runner service": (_guest_app, "repository/homara", "App Runner service theirs"),
    "App Runner unseen": (
        _unseen_apps,
        "repository/homara",
        "perhaps App Runner services, which were not checked: AccessDeniedException: not this one",
    ),
    "a log": (_guest_log, f"log-group/{LOG_GROUP}", "task definition theirs"),
    "a log's protection": (
        _log_protection,
        f"log-group/{LOG_GROUP}",
        "whoever has set its deletion protection",
    ),
    "a metric filter": (_guest_metric, f"log-group/{LOG_GROUP}", "metric filter errors"),
    "a subscription": (_guest_subscription, f"log-group/{LOG_GROUP}", "subscription filter all"),
}
# Of these others have nothing: the service and its auto scaling are the app; a web ACL and the network stay anyway.
ALONE = {Service, ScalableTarget, WebAclAssociation, Network}
# What others have of these is held by tests of their own.
APART = {Certificate, IdentityProvider, DeployRole}


def test_every_kind_that_others_may_use_is_held() -> None:
    kinds = {each.kind for each in set(THEIRS_OF) - ALONE - APART}
    assert {resource.partition("/")[0] for _, resource, _ in GUESTS.values()} == kinds
    telling = {each for each in every_kind() if each.used_by is not Resource.used_by}
    assert telling == set(THEIRS_OF) - ALONE | {VpcOrigin, ViewerCertificate}


@pytest.mark.parametrize(("arrives", "resource", "told"), GUESTS.values(), ids=GUESTS)
def test_what_others_use_is_kept_and_named_and_the_rest_goes(
    account: Account, arrives: Callable[[Meddler], None], resource: str, told: str
) -> None:
    account.converge()
    meddler = Meddler(account)
    arrives(meddler)
    made = account.plan_removal(data=True)
    said = {each.label: remarks for each, remarks in made.remarks.items()}
    assert said[resource][0].startswith(f"others use it: {told}")
    account.apply(made)
    left = {each.label for each, live in converge.read(account.aws, account.resources()).items() if live}
    assert left - {"network/the default VPC"} == set(said)
    assert all("needs it" in remarks[0] or told in remarks[0] for remarks in said.values())


def test_the_command_tells_what_is_kept_and_why(account: Account, project: Project) -> None:
    account.converge()
    _guest_listener(Meddler(account))
    for words in (("teardown", "--dry-run"), ("teardown", "--yes")):
        assert "kept · others use it: listener HTTP:8080" in project.inv(*words).check().said
    answer = project.inv("teardown", "--yes", "--json").check().json
    kept = {each["resource"]: each["reason"] for each in answer["kept"]}
    assert kept["load-balancer/lobster-alb"] == "others use it: listener HTTP:8080"


# Two regions of one account

OTHER = "eu-west-1"
OWN_ROLES = (f"task.execution_role=e-{OTHER}", f"task.task_role=t-{OTHER}")


def in_region(account: Account, region: str, *flags: str) -> Account:
    """The same account and settings in another region."""
    clock = Clock(speed=SPEED)
    credentials = {"aws_access_key_id": "AKIAEXAMPLE", "aws_secret_access_key": "example"}
    aws = Aws(region, endpoint_url=account.embedded.url, credentials=credentials, clock=clock)
    return replace(account, aws=aws, settings=load({"region": region}, {}, flags))


def test_a_stack_in_one_region_changes_nothing_of_anothers(account: Account) -> None:
    account.converge()
    before = {name: dict(_role(Meddler(account), name)) for name in ROLES}
    other = in_region(account, OTHER)
    for adopt in (False, True):
        with account.no_change(), pytest.raises(NotOursError) as refused:
            other.plan(adopt=adopt)
        assert "role/ecsTaskRole (belongs to the stack lobster in us-east-2)" in refused.value.what
        assert "--set task.task_role=ecsTaskRole-eu-west-1" in refused.value.next_step
    with account.no_change():
        made = other.remove(data=True)
    assert {each.label: remarks for each, remarks in made.remarks.items()} == {
        f"role/{name}": ("belongs to the stack lobster in us-east-2",) for name in ROLES
    }
    assert {name: dict(_role(Meddler(account), name)) for name in ROLES} == before


def test_a_role_from_before_the_tag_tells_its_region_by_its_trust_and_gets_the_tag(account: Account) -> None:
    account.converge()
    iam = account.client("iam")
    for name in ROLES:
        iam.untag_role(RoleName=name, TagKeys=["lobster:region"])
    with pytest.raises(NotOursError, match="belongs to the stack lobster in us-east-2"):
        in_region(account, OTHER).plan()
    made = account.converge()
    assert {change.resource.label: change.reason for change in made.changes} == {
        f"role/{name}": "region: none → us-east-2" for name in ROLES
    }
    for name in ROLES:
        iam.untag_role(RoleName=name, TagKeys=["lobster:region"])
    account.remove(data=True)  # and without it
    assert not [each for each in iam.list_roles()["Roles"] if each["RoleName"] in ROLES]


def test_a_role_that_does_not_tell_its_region_is_left_alone_until_somebody_says(account: Account) -> None:
    account.converge("role")
    iam = account.client("iam")
    iam.untag_role(RoleName="ecsTaskRole", TagKeys=["lobster:region"])
    iam.update_assume_role_policy(RoleName="ecsTaskRole", PolicyDocument=json.dumps(WIDE))
    assert "role/ecsTaskRole" in {each.label for each in account.plan_removal().kept}
    with pytest.raises(NotOursError) as refused:
        account.plan("role")
    command = "aws iam tag-role --role-name ecsTaskRole --tags Key=lobster:region,Value=us-east-2"
    assert command in refused.value.next_step
    iam.tag_role(RoleName="ecsTaskRole", Tags=[{"Key": "lobster:region", "Value": "us-east-2"}])
    assert [change.resource.label for change in account.converge("role").changes] == ["role/ecsTaskRole"]


def test_two_regions_are_set_up_and_deployed_and_one_is_torn_down(
    tmp_path: Path, embedded: EmbeddedProcess
) -> None:
    project = make(tmp_path, embedded.url)
    there = [word for flag in (f"region={OTHER}", *OWN_ROLES) for word in ("--set", flag)]
    bare = ("--set", f"region={OTHER}")
    for flags in ((), there):
        project.inv("setup-fargate", *flags).check()
        project.inv("push-image", "--tag", "one", "--builder", "process", *flags).check()
        assert "LIVE" in project.inv("deploy", "--tag", "one", *flags).check().said
    assert "belongs to the stack lobster in us-east-2" in project.inv("plan", *bare).check(5).err
    project.inv("teardown", "--yes", "--data", *there).check()
    told = project.inv("teardown", "--yes", "--data", *bare).check().said
    assert "ecsTaskRole · kept · belongs to the stack lobster in us-east-2" in told
    project.inv("push-image", "--tag", "two", "--builder", "process").check()
    assert "LIVE" in project.inv("deploy", "--tag", "two").check().said
    assert project.inv("plan", "--detailed-exitcode").check().code == 0


def test_the_deploy_role_and_the_provider_stay_with_the_region_that_made_them(account: Account) -> None:
    stacks = {
        region: build_access_of(account, region, *flags)
        for region, flags in (("us-east-2", ()), (OTHER, ("github.role=deploys-there",)))
    }
    for made, aws in stacks.values():
        converge.apply(aws, converge.plan(made, converge.read(aws, made)), lambda _: None)
        converge.verify(aws, made)
    same, aws = build_access_of(account, OTHER)
    with pytest.raises(
        NotOursError, match=r"role/github-deploys \(belongs to the stack lobster in us-east-2\)"
    ):
        converge.plan(same, converge.read(aws, same))
    desired, here = stacks["us-east-2"]
    live = converge.read(here, desired)
    removal = converge.plan_removal(desired, live, converge.dependents(here, desired, live))
    assert [change.resource.label for change in removal.changes] == ["role/github-deploys"]
    assert list(removal.remarks.values()) == [("others use it: role deploys-there",)]


def build_access_of(account: Account, region: str, *flags: str) -> tuple[Stack, Aws]:
    """GitHub's access in a region, and the door to AWS there."""
    at = in_region(account, region, "github.repository=somebody/app", *flags)
    return build_access(at.settings, "123456789012"), at.aws


# Who is let in

OFFICE = "203.0.113.0/24"


def test_a_plan_that_opens_the_app_to_the_internet_says_so_before_it_asks(
    account: Account, project: Project
) -> None:
    account.converge()
    meddler = Meddler(account)
    meddler.allow("lobster-alb-sg", 80, OFFICE)
    meddler.forbid("lobster-alb-sg", 80, "0.0.0.0/0")
    said = "the app becomes reachable from the internet"
    assert said in project.inv("plan").check().out
    assert project.inv("plan", "--json").check().json["opens"] == ["security-group/lobster-alb-sg"]
    asked = project.on_terminal("setup-fargate", answers="n\n")
    assert asked.code
    assert asked.out.index(said) < asked.out.index("Make these")
    listed = ("--set", f"load_balancer.allowed_cidrs={OFFICE}")
    assert project.inv("setup-fargate", "--json", *listed).check().json["changes"] == []
    assert said not in project.inv("plan", *listed).check().out
    checks = project.inv("validate-fargate-setup", "--json", *listed).json["checks"]
    (check,) = [each for each in checks if each["id"] == "security.visitors"]
    assert check["status"] == "pass"


def test_who_locks_themselves_out_is_asked_first(account: Account, project: Project) -> None:
    account.converge()
    listed = ("--set", f"load_balancer.allowed_cidrs={OFFICE}")
    said = "127.0.0.1, the address of this machine, is not in load_balancer.allowed_cidrs"
    assert said in project.inv("plan", *listed).check().out
    (warning,) = project.inv("plan", "--json", *listed).check().json["warnings"]
    assert warning["code"] == "own-address-not-allowed"
    before = _rules(Meddler(account), "lobster-alb-sg")
    asked = project.on_terminal("setup-fargate", *listed, answers="n\n", columns=200).check(5).out
    assert asked.index(said) < asked.index("Keep out 127.0.0.1, the address of this machine? [y/N]")
    assert "Make these" not in asked
    assert _rules(Meddler(account), "lobster-alb-sg") == before
    with_here = ("--set", f"load_balancer.allowed_cidrs={OFFICE},127.0.0.0/8")
    assert project.inv("plan", "--json", *with_here).check().json["warnings"] == []
    both = project.on_terminal("create-security-groups", *listed, answers="y\ny\n", columns=200).check().out
    assert "Keep out" in both
    assert "Make these" in both
    assert project.inv("setup-fargate", "--json", *listed).check().json["warnings"] == []  # it is done
    account.converge()
    answered = project.on_terminal("setup-fargate", "--yes", *listed, columns=200).check().out
    assert said in answered
    assert "[y/N]" not in answered


def test_setup_keeps_to_the_list(account: Account) -> None:
    listed = account.with_settings(f"load_balancer.allowed_cidrs={OFFICE},2001:db8::/32")
    listed.converge()
    meddler = Meddler(account)
    before = _rules(meddler, "lobster-alb-sg")
    assert len(before) == 2
    meddler.allow("lobster-alb-sg", 80, "0.0.0.0/0")
    meddler.forbid("lobster-alb-sg", 80, OFFICE)
    listed.converge()
    assert _rules(meddler, "lobster-alb-sg") == before


UNREADABLE = {
    "service": "ec2",
    "operation": "DescribeSecurityGroups",
    "error": {
        "code": "UnauthorizedOperation",
        "message": "You are not authorized to perform this operation.",
    },
}


def test_a_release_that_cannot_be_asked_from_here_is_live_with_a_finding(
    tmp_path: Path, embedded: EmbeddedProcess
) -> None:
    project = make(tmp_path, embedded.url)
    listed = ("--set", f"load_balancer.allowed_cidrs={OFFICE}")
    project.inv("setup-fargate", *listed).check()
    project.inv("push-image", "--tag", "one", "--builder", "process").check()
    answer = project.inv("deploy", "--tag", "one", "--json", *listed).check().json
    assert answer["verdict"] == "live"
    assert [each["code"] for each in answer["findings"]] == ["not-reachable-from-here"]
    embedded.order(UNREADABLE)
    answer = project.inv("deploy", "--tag", "one", "--json", *listed).check().json
    assert answer["verdict"] == "live"
    (unread,) = answer["findings"]
    assert (unread["code"], "whether it allows this machine is not known" in unread["message"]) == (
        "not-reachable-from-here",
        True,
    )
    seen = project.inv("validate-fargate-setup", "--json", *listed).json
    (page,) = [each for each in seen["checks"] if each["id"] == "answers.page"]
    assert (page["status"], "is not known: its security groups" in page["saw"]) == ("skip", True), page


def test_who_is_let_in_is_read_from_the_rules_that_are_there(account: Account) -> None:
    account.converge()
    meddler = Meddler(account)
    groups = [meddler.group("lobster-alb-sg")]
    assert allowed_sources(account.aws, groups, 80) == AllowedSources()  # everybody
    meddler.allow("lobster-alb-sg", 80, OFFICE)
    assert allowed_sources(account.aws, groups, 80) == AllowedSources()
    meddler.forbid("lobster-alb-sg", 80, "0.0.0.0/0")
    assert allowed_sources(account.aws, groups, 80) == AllowedSources((OFFICE,))
    assert (
        allowed_sources(account.aws, groups, 443) == AllowedSources()
    )  # nobody: that is no question of where it is asked from


def test_groups_that_cannot_be_read_are_not_open_to_everybody(
    account: Account, embedded: EmbeddedProcess
) -> None:
    account.converge()
    meddler = Meddler(account)
    groups = [meddler.group("lobster-alb-sg")]
    meddler.allow("lobster-alb-sg", 80, OFFICE)
    meddler.forbid("lobster-alb-sg", 80, "0.0.0.0/0")
    embedded.order(UNREADABLE)
    assert "not authorized" in allowed_sources(account.aws, groups, 80).unread
    running = {
        "ServiceName": "app",
        "Status": "RUNNING",
        "ServiceArn": "arn:app",
        "ServiceUrl": "app.example.com",
    }
    with pytest.raises(RefusedError) as refused:
        compare_service(account.aws, account.settings, running)
    assert "whether it allows this machine is not known" in refused.value.what
    assert "not authorized" in refused.value.why
