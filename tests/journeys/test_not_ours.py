"""What is not the stack's is not touched: what was there before it, what others have put on it, another region's."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from lobster_tasks import converge
from lobster_tasks.aws import Aws
from lobster_tasks.clock import Clock
from lobster_tasks.errors import NotOursError, RefusedError
from lobster_tasks.probe import guests
from lobster_tasks.settings import load
from lobster_tasks.stack import Stack, build_access
from tests.conftest import SPEED
from tests.embedded_process import EmbeddedProcess
from tests.project import Project, make

from .converging import READ_ONLY, Account, Meddler, account_of, lifecycle

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
FLAGS = (f"task.policies={READ_ONLY},{LOGS}",)


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
    for name in ROLES:
        meddler.iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(WIDE))
        meddler.iam.put_role_policy(RoleName=name, PolicyName="theirs", PolicyDocument=THEIRS)
        meddler.iam.attach_role_policy(RoleName=name, PolicyArn=READ_ONLY)
    meddler.logs.create_log_group(logGroupName="/ecs/lobster-streamlit")
    meddler.ecr.create_repository(repositoryName="homara", imageTagMutability="IMMUTABLE")
    meddler.ecr.put_lifecycle_policy(repositoryName="homara", lifecyclePolicyText=lifecycle(3))
    for name in ("lobster-alb-sg", "lobster-ecs-sg", "theirs"):
        meddler.ec2.create_security_group(GroupName=name, Description="theirs", VpcId=meddler.vpc)
        meddler.allow(name, 22, "10.0.0.0/8")
    meddler.elbv2.create_load_balancer(
        Name="lobster-alb", Subnets=meddler.subnets, SecurityGroups=[meddler.group("theirs")]
    )
    meddler.set_balancer(idle_timeout__timeout_seconds="77")
    group = {"Protocol": "HTTP", "Port": 8501, "VpcId": meddler.vpc, "TargetType": "ip"}
    meddler.elbv2.create_target_group(Name="lobster-tg", HealthCheckPath="/theirs", **group)
    meddler.set_target_group(deregistration_delay__timeout_seconds="77")
    action = {"Type": "forward", "TargetGroupArn": meddler.target_group}
    meddler.elbv2.create_listener(
        LoadBalancerArn=meddler.balancer, Port=80, Protocol="HTTP", DefaultActions=[action]
    )
    settings = [{"name": "containerInsights", "value": "enabled"}]
    meddler.ecs.create_cluster(clusterName="lobster-cluster", settings=settings)


def looks(meddler: Meddler) -> dict[str, Any]:
    """All that AWS says of these, by plain boto3: facts, and sets to which something may be added."""
    elbv2, balancer, group = meddler.elbv2, meddler.balancer, meddler.target_group
    (described,) = elbv2.describe_load_balancers(LoadBalancerArns=[balancer])["LoadBalancers"]
    (cluster,) = meddler.ecs.describe_clusters(clusters=["lobster-cluster"], include=["SETTINGS"])["clusters"]
    return {
        **{f"role {name}: {what}": value for name in ROLES for what, value in _role(meddler, name)},
        "log group": meddler.logs.describe_log_groups()["logGroups"][0].get("retentionInDays"),
        **dict(_repository(meddler)),
        **{f"{name}: rules": _rules(meddler, name) for name in ("lobster-alb-sg", "lobster-ecs-sg")},
        "load balancer: groups": frozenset(described["SecurityGroups"]),
        "load balancer: zones": frozenset(each["SubnetId"] for each in described["AvailabilityZones"]),
        "load balancer": elbv2.describe_load_balancer_attributes(LoadBalancerArn=balancer)["Attributes"],
        "target group: health": elbv2.describe_target_groups(TargetGroupArns=[group])["TargetGroups"][0][
            "HealthCheckPath"
        ],
        "target group": elbv2.describe_target_group_attributes(TargetGroupArn=group)["Attributes"],
        "listener": elbv2.describe_listeners(LoadBalancerArn=balancer)["Listeners"][0]["DefaultActions"],
        "cluster": cluster["settings"],
        "tags": [
            tag
            for each in elbv2.describe_tags(ResourceArns=[balancer, group, meddler.listener])[
                "TagDescriptions"
            ]
            for tag in each["Tags"]
        ],
    }


def _role(meddler: Meddler, name: str) -> Iterator[tuple[str, Any]]:
    role = meddler.iam.get_role(RoleName=name)["Role"]
    statements = role["AssumeRolePolicyDocument"]["Statement"]
    yield "trust", frozenset(json.dumps(each, sort_keys=True) for each in statements)
    yield "inline", frozenset(meddler.iam.list_role_policies(RoleName=name)["PolicyNames"])
    attached = meddler.iam.list_attached_role_policies(RoleName=name)["AttachedPolicies"]
    yield "attached", frozenset(each["PolicyArn"] for each in attached)
    yield "boundary", role.get("PermissionsBoundary")


def _repository(meddler: Meddler) -> Iterator[tuple[str, Any]]:
    (found,) = meddler.ecr.describe_repositories(repositoryNames=["homara"])["repositories"]
    yield "repository: scan", found["imageScanningConfiguration"]
    yield "repository: mutability", found["imageTagMutability"]
    kept = meddler.ecr.get_lifecycle_policy(repositoryName="homara")["lifecyclePolicyText"]
    yield "repository: lifecycle", json.loads(kept)


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
        if name != "tags"
        and not (value <= after[name] if isinstance(value, frozenset) else value == after[name])
    ]


def test_adopting_takes_nothing_away_and_the_teardown_leaves_each_kind_as_it_was(account: Account) -> None:
    meddler = Meddler(account)
    others_have(meddler)
    before = looks(meddler)
    stack = account.with_settings(*FLAGS)
    made = stack.converge(adopt=True)
    kinds = {change.resource.kind for change in made.changes if change.action == "adopt"}
    assert kinds == {
        *("role", "log group", "repository", "security group"),
        *("load balancer", "target group", "listener", "cluster"),
    }
    adopted = looks(meddler)
    assert taken_away(before, adopted) == []
    added = {name for name, value in before.items() if value != adopted[name]} - {"tags"}
    assert added == {
        *(f"role {name}: trust" for name in ROLES),
        *("role ecsTaskExecutionRole: inline", "role ecsTaskRole: attached"),
        *("lobster-alb-sg: rules", "lobster-ecs-sg: rules", "load balancer: groups"),
    }
    assert stack.plan().changes == ()
    stack.remove(data=True)
    assert looks(meddler) == before


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
    assert "it was there before, and others may count on it" in refused.value.why


# What others have put on it


def _guest_listener(m: Meddler) -> None:
    action = {"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": "200"}}
    m.elbv2.create_listener(LoadBalancerArn=m.balancer, Protocol="HTTP", Port=8080, DefaultActions=[action])


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


def _guest_service(m: Meddler) -> None:
    definition = m.ecs.register_task_definition(
        family="theirs",
        requiresCompatibilities=["FARGATE"],
        networkMode="awsvpc",
        cpu="256",
        memory="512",
        containerDefinitions=[{"name": "a", "image": "public.ecr.aws/x/a:1"}],
    )["taskDefinition"]["taskDefinitionArn"]
    m.ecs.create_service(
        cluster="lobster-cluster",
        serviceName="theirs",
        taskDefinition=definition,
        desiredCount=0,
        launchType="FARGATE",
        networkConfiguration={"awsvpcConfiguration": {"subnets": m.subnets}},
    )


def _guest_definition(m: Meddler, **container: Any) -> None:
    ours, arn = "ecsTaskExecutionRole", "arn:aws:iam::123456789012:role/theirs"
    role = m.iam.get_role(RoleName=ours)["Role"]["Arn"] if not container else arn
    m.ecs.register_task_definition(
        family="theirs",
        requiresCompatibilities=["FARGATE"],
        networkMode="awsvpc",
        cpu="256",
        memory="512",
        executionRoleArn=role,
        containerDefinitions=[{"name": "a", "image": "public.ecr.aws/x/a:1", **container}],
    )


def _guest_image(m: Meddler) -> None:
    uri = m.ecr.describe_repositories(repositoryNames=["homara"])["repositories"][0]["repositoryUri"]
    _guest_definition(m, image=f"{uri}:theirs")


def _guest_log(m: Meddler) -> None:
    options = {
        "awslogs-group": "/ecs/lobster-streamlit",
        "awslogs-region": "us-east-2",
        "awslogs-stream-prefix": "theirs",
    }
    _guest_definition(m, logConfiguration={"logDriver": "awslogs", "options": options})


GUESTS: dict[str, tuple[Callable[[Meddler], None], str, str]] = {
    "a listener": (_guest_listener, "load-balancer/lobster-alb", "listener HTTP:8080"),
    "a rule": (_guest_rule, "listener/lobster-alb:80", "rule 10 of listener HTTP:80"),
    "a second way": (_second_way, "target-group/lobster-tg", "listener HTTP:8080"),
    "a rule of a group": (_guest_of_the_group, "security-group/lobster-ecs-sg", "security group database"),
    "a group": (_sharing_the_group, "security-group/lobster-alb-sg", "load balancer theirs"),
    "a service": (_guest_service, "cluster/lobster-cluster", "1 service that is not of this stack"),
    "a role": (_guest_definition, "role/ecsTaskExecutionRole", "task definition theirs"),
    "an image": (_guest_image, "repository/homara", "task definition theirs"),
    "a log": (_guest_log, "log-group//ecs/lobster-streamlit", "task definition theirs"),
}


@pytest.mark.parametrize(("arrives", "resource", "told"), GUESTS.values(), ids=GUESTS)
def test_what_others_use_is_kept_and_named_and_the_rest_goes(
    account: Account, arrives: Callable[[Meddler], None], resource: str, told: str
) -> None:
    account.converge()
    meddler = Meddler(account)
    arrives(meddler)
    made = account.plan_removal(data=True)
    said = {each.label: remarks for each, remarks in made.remarks.items()}
    assert said[resource] == (f"others use it: {told}",)
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
    wanted, here = stacks["us-east-2"]
    live = converge.read(here, wanted)
    removal = converge.plan_removal(wanted, live, converge.dependents(here, wanted, live))
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


def test_setup_keeps_to_the_list(account: Account) -> None:
    listed = account.with_settings(f"load_balancer.allowed_cidrs={OFFICE},2001:db8::/32")
    listed.converge()
    meddler = Meddler(account)
    wanted = _rules(meddler, "lobster-alb-sg")
    assert len(wanted) == 2
    meddler.allow("lobster-alb-sg", 80, "0.0.0.0/0")
    meddler.forbid("lobster-alb-sg", 80, OFFICE)
    listed.converge()
    assert _rules(meddler, "lobster-alb-sg") == wanted


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


def test_who_is_let_in_is_read_from_the_rules_that_are_there(account: Account) -> None:
    account.converge()
    meddler = Meddler(account)
    groups = [meddler.group("lobster-alb-sg")]
    assert guests(account.aws, groups, 80) == ()  # everybody
    meddler.allow("lobster-alb-sg", 80, OFFICE)
    assert guests(account.aws, groups, 80) == ()
    meddler.forbid("lobster-alb-sg", 80, "0.0.0.0/0")
    assert guests(account.aws, groups, 80) == (OFFICE,)
    assert guests(account.aws, groups, 443) == ()  # nobody: that is no question of where it is asked from
