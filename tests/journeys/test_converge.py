"""From nothing to the whole stack and back, in any slices, over foreign resources, and with half an account."""

from __future__ import annotations

import random
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

from lobster_tasks import converge
from lobster_tasks.errors import AwsCallError, LobsterError, NotOursError, RefusedError
from lobster_tasks.settings import ADOPTED_TAG, STACK_TAG
from lobster_tasks.stack import LiveResources
from tests.conftest import SPEED
from tests.embedded.images import push, web_app
from tests.embedded_process import EmbeddedProcess, eventually
from tests.project import Project

from .converging import SLICES, Account, Meddler, account_of, trust

OURS = "lobster:stack"
ALLOW_NOTHING = (
    '{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Action":"s3:GetObject","Resource":"*"}]}'
)


@pytest.fixture(scope="module")
def somewhere(embedded_process: EmbeddedProcess) -> Account:
    """An account, and the plan's settings."""
    return account_of(embedded_process, SPEED)


@pytest.fixture
def account(embedded: EmbeddedProcess, somewhere: Account) -> Account:
    """The account, empty."""
    assert embedded.url == somewhere.embedded.url
    return somewhere


@pytest.fixture
def standing(account: Account) -> Account:
    """An account with the whole stack in it."""
    account.converge()
    return account


# Making it


def test_from_nothing_to_the_whole_stack_in_one_go(account: Account) -> None:
    before = account.counts()
    made = account.converge()
    assert {change.action for change in made.changes} == {"create"}
    assert len(made.changes) == 12
    assert account.plan().changes == ()
    after = account.counts()
    assert {kind: after[kind] - before[kind] for kind in after} == {
        "roles": 2,
        "log groups": 1,
        "repositories": 1,
        "security groups": 2,
        "ingress rules": 2,
        "load balancers": 1,
        "target groups": 1,
        "listeners": 1,
        "clusters": 1,
        "services": 1,
        "revisions": 1,
    }


def test_everything_carries_the_tag(standing: Account) -> None:
    meddler, mark = Meddler(standing), {OURS: "lobster"}

    def tags(found: list[dict[str, str]]) -> dict[str, str]:
        return {tag.get("Key", tag.get("key", "")): tag.get("Value", tag.get("value", "")) for tag in found}

    for name in ("ecsTaskExecutionRole", "ecsTaskRole"):
        found = tags(meddler.iam.list_role_tags(RoleName=name)["Tags"])
        assert found == mark | {"lobster:region": "us-east-2"}
    arns = [meddler.balancer, meddler.target_group, meddler.listener]
    for described in meddler.elbv2.describe_tags(ResourceArns=arns)["TagDescriptions"]:
        assert tags(described["Tags"]) == mark
    for name in ("lobster-alb-sg", "lobster-ecs-sg"):
        (group,) = meddler.ec2.describe_security_groups(GroupIds=[meddler.group(name)])["SecurityGroups"]
        assert tags(group["Tags"]) == mark
    assert tags(meddler.service()["tags"]) == mark
    (cluster,) = meddler.ecs.describe_clusters(clusters=["lobster-cluster"], include=["TAGS"])["clusters"]
    assert tags(cluster["tags"]) == mark


def test_without_an_image_the_service_stands_at_no_task(standing: Account) -> None:
    service = Meddler(standing).service()
    assert (service["desiredCount"], service["status"]) == (0, "ACTIVE")


def test_with_an_image_in_the_repository_it_stands_at_no_task_either(account: Account) -> None:
    account.converge("repository")
    push(account.client("ecr"), web_app(), repository="homara", tag="one")
    account.converge()
    meddler = Meddler(account)
    assert meddler.service()["desiredCount"] == 0
    assert meddler.newest()["containerDefinitions"][0]["image"].endswith("/homara:no-release-yet")


def test_a_second_run_changes_nothing(standing: Account) -> None:
    with standing.no_change():
        assert standing.converge().changes == ()
        for kinds in SLICES.values():
            assert standing.converge(*kinds).changes == ()


def test_a_plan_that_somebody_else_has_carried_out_meanwhile_makes_nothing_twice(account: Account) -> None:
    """Two machines that both found nothing; the second comes late to everything."""
    made = account.plan()
    account.apply(made)
    whole = account.snapshot()
    account.apply(made)
    assert account.snapshot() == whole
    assert account.plan().changes == ()


def test_what_nobody_wants_otherwise_is_left_alone(standing: Account) -> None:
    meddler = Meddler(standing)
    theirs = [{"Key": "team", "Value": "theirs"}]
    meddler.iam.tag_role(RoleName="ecsTaskRole", Tags=theirs)
    meddler.elbv2.add_tags(ResourceArns=[meddler.balancer, meddler.target_group], Tags=theirs)
    meddler.ec2.create_tags(Resources=[meddler.group("lobster-ecs-sg")], Tags=theirs)
    meddler.iam.put_role_policy(
        RoleName="ecsTaskRole",
        PolicyName="theirs",
        PolicyDocument='{"Version":"2012-10-17","Statement":'
        '[{"Effect":"Allow","Action":"s3:GetObject","Resource":"arn:aws:s3:::theirs/*"}]}',
    )
    meddler.iam.attach_role_policy(
        RoleName="ecsTaskRole", PolicyArn="arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess"
    )
    meddler.set_balancer(client_keep_alive__seconds="600")
    meddler.set_target_group(slow_start__duration_seconds="60")
    meddler.set_service(desiredCount=3, enableExecuteCommand=True)
    meddler.logs.put_metric_filter(
        logGroupName="/ecs/lobster-streamlit",
        filterName="errors",
        filterPattern="ERROR",
        metricTransformations=[{"metricName": "m", "metricNamespace": "n", "metricValue": "1"}],
    )
    with standing.no_change():
        assert standing.converge().changes == ()
    assert meddler.service()["desiredCount"] == 3


def test_a_rule_with_a_description_is_the_same_rule(standing: Account) -> None:
    meddler = Meddler(standing)
    meddler.forbid("lobster-alb-sg", 80, "0.0.0.0/0")
    rule = {"IpProtocol": "tcp", "FromPort": 80, "ToPort": 80}
    described = rule | {"IpRanges": [{"CidrIp": "0.0.0.0/0", "Description": "the world"}]}
    meddler.ec2.authorize_security_group_ingress(
        GroupId=meddler.group("lobster-alb-sg"), IpPermissions=[described]
    )
    assert standing.plan().changes == ()


@pytest.mark.parametrize("seed", [1, *(pytest.param(each, marks=pytest.mark.exhaustive) for each in (2, 3))])
def test_slices_in_any_order_any_number_of_times_make_the_same_whole(account: Account, seed: int) -> None:
    account.converge()
    whole = account.snapshot()
    account.embedded.reset()
    order = [*SLICES, *SLICES]
    random.Random(seed).shuffle(order)
    for name in order:
        account.converge(*SLICES[name])
        assert account.plan(*SLICES[name]).changes == (), name
    assert account.snapshot() == whole


def test_what_has_gone_is_made_again(standing: Account) -> None:
    whole, meddler = standing.snapshot(), Meddler(standing)
    meddler.elbv2.delete_listener(ListenerArn=meddler.listener)
    meddler.logs.delete_log_group(logGroupName="/ecs/lobster-streamlit")
    meddler.iam.delete_role_policy(RoleName="ecsTaskExecutionRole", PolicyName="lobster-lobster")
    meddler.iam.delete_role(RoleName="ecsTaskExecutionRole")
    made = standing.converge()
    assert {change.resource.label: change.reason for change in made.changes} == {
        "role/ecsTaskExecutionRole": "does not exist",
        "log-group//ecs/lobster-streamlit": "does not exist",
        "listener/lobster-alb:80": "does not exist",
    }
    assert standing.snapshot() == whole


def test_a_service_that_is_made_again_runs_the_repaired_revision(standing: Account) -> None:
    meddler = Meddler(standing)
    meddler.edit_definition(cpu="1024", memory="2048")
    meddler.ecs.delete_service(cluster="lobster-cluster", service="lobster-streamlit-service", force=True)
    standing.converge()
    running = meddler.service()["taskDefinition"]
    assert running == meddler.newest()["taskDefinitionArn"]
    assert meddler.newest()["cpu"] == "512"


def test_a_revision_made_by_hand_is_still_of_our_family(standing: Account) -> None:
    meddler = Meddler(standing)
    meddler.edit_definition()  # nothing differs, but it carries no tag
    with standing.no_change():
        assert standing.converge().changes == ()


def test_a_load_balancer_stays_where_it_is_well_placed(standing: Account) -> None:
    """A subnet that sorts before the chosen one is no reason to move anything."""
    meddler = Meddler(standing)
    described = meddler.ec2.describe_subnets(SubnetIds=meddler.subnets)["Subnets"]
    first = min(described, key=lambda each: each["AvailabilityZone"])
    for third in range(200, 240):
        new = meddler.ec2.create_subnet(
            VpcId=meddler.vpc,
            CidrBlock=f"172.31.{third}.0/24",
            AvailabilityZone=first["AvailabilityZone"],
        )["Subnet"]["SubnetId"]
        if new < first["SubnetId"]:
            break
    with standing.no_change():
        assert standing.converge().changes == ()


# What cannot be changed in place


@pytest.mark.parametrize(
    ("flag", "resource", "reason"),
    [
        ("container.port=8502", "target-group/lobster-tg", "port: 8501 → 8502"),
        ("load_balancer.internal=true", "load-balancer/lobster-alb", "scheme: internet-facing → internal"),
    ],
)
def test_what_cannot_be_changed_in_place_is_refused_before_anything_changes(
    standing: Account, flag: str, resource: str, reason: str
) -> None:
    other = standing.with_settings(flag)
    made = other.plan()
    (impossible,) = made.impossible
    assert impossible.resource.label == resource
    assert reason in impossible.reason
    with (
        standing.no_change(),
        pytest.raises(RefusedError, match=f"{resource} cannot be changed in place"),
    ):
        other.apply(made)
    assert standing.plan().changes == ()


def test_the_command_refuses_it_with_exit_code_5(standing: Account, project: Project) -> None:
    with standing.no_change():
        ended = project.inv("setup-fargate", "--set", "container.port=8502")
    assert ended.code == 5
    assert "port: 8501 → 8502" in ended.err


# What is not ours


def by_hand(meddler: Meddler) -> None:
    """What a shell script made of the plan: same names, no tags, and half of it wrong."""
    subnets, vpc = meddler.subnets, meddler.vpc
    for name in ("ecsTaskExecutionRole", "ecsTaskRole"):
        meddler.iam.create_role(
            RoleName=name, AssumeRolePolicyDocument=trust("build.apprunner.amazonaws.com")
        )
    meddler.logs.create_log_group(logGroupName="/ecs/lobster-streamlit")
    meddler.ecr.create_repository(repositoryName="homara")
    for name in ("lobster-alb-sg", "lobster-ecs-sg"):
        meddler.ec2.create_security_group(GroupName=name, Description="by hand", VpcId=vpc)
    made = meddler.elbv2.create_load_balancer(
        Name="lobster-alb", Subnets=subnets, SecurityGroups=[meddler.group("lobster-alb-sg")]
    )
    group = meddler.elbv2.create_target_group(
        Name="lobster-tg", Protocol="HTTP", Port=8501, VpcId=vpc, TargetType="ip", HealthCheckPath="/healthz"
    )["TargetGroups"][0]["TargetGroupArn"]
    meddler.elbv2.create_listener(
        LoadBalancerArn=made["LoadBalancers"][0]["LoadBalancerArn"],
        Port=80,
        Protocol="HTTP",
        DefaultActions=[{"Type": "forward", "TargetGroupArn": group}],
    )
    meddler.ecs.create_cluster(clusterName="lobster-cluster")
    role = meddler.iam.get_role(RoleName="ecsTaskExecutionRole")["Role"]["Arn"]
    container = {
        "name": "lobster-streamlit",
        "image": "public.ecr.aws/docker/library/python:3.13",
        "portMappings": [{"containerPort": 8501}],
    }
    meddler.ecs.register_task_definition(
        family="lobster-streamlit-task",
        requiresCompatibilities=["FARGATE"],
        networkMode="awsvpc",
        cpu="256",
        memory="512",
        executionRoleArn=role,
        containerDefinitions=[container],
    )
    meddler.ecs.create_service(
        cluster="lobster-cluster",
        serviceName="lobster-streamlit-service",
        taskDefinition="lobster-streamlit-task",
        desiredCount=0,
        launchType="FARGATE",
        networkConfiguration={"awsvpcConfiguration": {"subnets": subnets}},
        loadBalancers=[
            {"targetGroupArn": group, "containerName": "lobster-streamlit", "containerPort": 8501}
        ],
    )


def test_what_others_made_is_named_all_of_it_and_left_alone(account: Account) -> None:
    by_hand(Meddler(account))
    with account.no_change(), pytest.raises(NotOursError) as refused:
        account.plan()
    for resource in account.resources().resources:
        there = not resource.former and resource.presence(LiveResources({})) == "present"
        assert (resource.label in refused.value.what) == (resource.taggable and there)
    assert refused.value.exit_code == 5


def test_adopted_it_is_tagged_and_gets_what_is_missing(account: Account) -> None:
    meddler = Meddler(account)
    by_hand(meddler)
    found = account.snapshot()
    made = account.converge(adopt=True)
    assert {change.action for change in made.changes} == {"adopt"}
    assert len(made.changes) == 12
    assert account.plan().changes == ()
    revisions = meddler.ecs.list_task_definitions(familyPrefix="lobster-streamlit-task")["taskDefinitionArns"]
    assert len(revisions) == 2
    (container,) = meddler.newest()["containerDefinitions"]
    assert container["image"] == "public.ecr.aws/docker/library/python:3.13"
    adopted = account.snapshot()
    differing = {
        f"{label}: {name}"
        for label, looks in adopted.items()
        if label != "counts" and not label.startswith("task-definition/")
        for name, value in looks[1].items()
        if found[label][1].get(name) != value
    }
    assert differing == {
        "role/ecsTaskExecutionRole: policy",
        "role/ecsTaskExecutionRole: trust",
        "role/ecsTaskRole: trust",
        "security-group/lobster-alb-sg: ingress",
        "security-group/lobster-ecs-sg: ingress",
        "service/lobster-streamlit-service: security-groups",
    }
    rules = found["counts"]["ingress rules"]
    assert adopted["counts"] == {**found["counts"], "ingress rules": rules + 2, "revisions": 2}


def marked(account: Account) -> set[str]:
    """What carries a tag of ours, as labels."""
    found = converge.read(account.aws, account.resources())
    return {
        each.label
        for each, live in found.items()
        if each.taggable and live is not None and {STACK_TAG, ADOPTED_TAG} & set(live.tags)
    }


def test_what_was_adopted_outlives_the_stack(account: Account) -> None:
    by_hand(Meddler(account))
    by_hands = account.snapshot()
    account.converge(adopt=True)
    before = account.snapshot()
    made = account.remove(data=True)
    assert {change.action for change in made.changes} == {"release"}
    assert len(made.changes) == 11
    # The revision that the adoption has registered is ours, but of the family of the service that is not ours.
    assert [each.label for each in made.kept] == ["task-definition/lobster-streamlit-task"]
    assert marked(account) == {"task-definition/lobster-streamlit-task"}
    after = account.snapshot()
    assert after["counts"] == {**before["counts"], "ingress rules": by_hands["counts"]["ingress rules"]}
    back = (
        "service/lobster-streamlit-service",
        "security-group/lobster-alb-sg",
        "security-group/lobster-ecs-sg",
    )
    expected = {**before, **{label: by_hands[label] for label in back}}
    assert {label: looks[1] for label, looks in after.items() if label != "counts"} == {
        label: looks[1] for label, looks in expected.items() if label != "counts"
    }
    with account.no_change():
        assert account.remove(data=True).changes == ()
    with pytest.raises(NotOursError):
        account.plan()


def test_an_adopted_role_stays_and_the_rest_of_the_stack_goes(account: Account) -> None:
    """AWS's own wizards make a role of this very name, which other services of the account use."""
    meddler, before = Meddler(account), account.counts()
    theirs = [{"Key": "team", "Value": "theirs"}]
    meddler.iam.create_role(
        RoleName="ecsTaskExecutionRole",
        AssumeRolePolicyDocument=trust("ecs-tasks.amazonaws.com"),
        Tags=theirs,
    )
    account.converge(adopt=True)
    meddler.iam.put_role_policy(RoleName="ecsTaskExecutionRole", PolicyName="x", PolicyDocument=ALLOW_NOTHING)
    account.converge()
    made = account.remove(data=True)
    assert made.count("release") == 1
    assert account.counts() == {**before, "roles": before["roles"] + 1}
    role = meddler.iam.get_role(RoleName="ecsTaskExecutionRole")["Role"]
    assert role["Tags"] == theirs
    policies = meddler.iam.list_role_policies(RoleName="ecsTaskExecutionRole")["PolicyNames"]
    assert policies == ["x"]


def test_revisions_from_before_the_adoption_stay_and_ours_go(account: Account) -> None:
    meddler = Meddler(account)
    container = {
        "name": "lobster-streamlit",
        "image": "public.ecr.aws/docker/library/python:3.13",
        "memory": 512,
    }
    family = "lobster-streamlit-task"
    for _ in range(2):
        meddler.ecs.register_task_definition(family=family, containerDefinitions=[container])
    account.converge(adopt=True)
    account.with_settings("container.environment.A=2").converge()
    account.remove(data=True)
    left = meddler.ecs.list_task_definitions(familyPrefix=family)["taskDefinitionArns"]
    assert [arn.rpartition(":")[2] for arn in left] == ["1", "2"]
    assert marked(account) == set()


def test_another_stacks_resources_are_named_with_their_owner(standing: Account) -> None:
    other = standing.with_settings("name=other")
    with pytest.raises(NotOursError, match=r"cluster/lobster-cluster \(belongs to the stack lobster\)"):
        other.plan()


def test_two_stacks_live_side_by_side(standing: Account) -> None:
    names = {
        "name": "b",
        "cluster": "b",
        "service": "b",
        "repository": "bb",
        "tasks_security_group": "b-tasks",
        "task": {"family": "b", "execution_role": "b-execution", "task_role": "b-task"},
        "logs": {"group": "/ecs/b"},
        "load_balancer": {"name": "b", "target_group": "b", "security_group": "b-alb"},
    }
    other = standing.with_settings(**names)
    assert len(other.converge().changes) == 12
    assert standing.plan().changes == ()
    other.remove(data=True)
    assert standing.plan().changes == ()


# Taking it away


def test_a_teardown_goes_in_order_and_keeps_the_data(standing: Account) -> None:
    before = standing.counts()
    standing.embedded.forget_calls()
    made = standing.remove()
    order = [f"{call['service']}:{call['operation']}" for call in standing.embedded.calls(mutating=True)]
    assert [each.label for each in made.kept] == ["repository/homara", "log-group//ecs/lobster-streamlit"]
    service, listener = order.index("ecs:DeleteService"), order.index("elasticloadbalancing:DeleteListener")
    balancer = order.index("elasticloadbalancing:DeleteLoadBalancer")
    last_group = len(order) - order[::-1].index("ec2:DeleteSecurityGroup")
    assert service < listener < balancer < last_group
    assert listener < order.index("elasticloadbalancing:DeleteTargetGroup")
    assert service < order.index("ecs:DeleteCluster")
    assert service < order.index("iam:DeleteRole")
    gone = {kind: before[kind] - count for kind, count in standing.counts().items()}
    assert gone == {
        "roles": 2,
        "log groups": 0,
        "repositories": 0,
        "security groups": 2,
        "ingress rules": 2,
        "load balancers": 1,
        "target groups": 1,
        "listeners": 1,
        "clusters": 1,
        "services": 1,
        "revisions": 1,
    }
    assert standing.plan_removal().changes == ()
    whole = standing.converge()  # and it can all be made again
    assert len(whole.changes) == 10


def test_the_data_goes_when_told(account: Account) -> None:
    before = account.counts()
    account.converge()
    push(account.client("ecr"), web_app(), repository="homara", tag="one")
    account.remove(data=True)
    assert account.counts() == before
    assert account.plan_removal(data=True).kept == ()


def test_a_teardown_is_over_when_nothing_of_it_is_seen_any_more(standing: Account) -> None:
    """IAM shows for some seconds what has been deleted; here somebody else's teardown is that late."""
    patient = account_of(standing.embedded, speed=1).aws
    standing.embedded.forget_calls()
    with ThreadPoolExecutor() as elsewhere:
        left = elsewhere.submit(converge.verify_removal, patient, standing.resources(), keep_data=False)
        eventually(lambda: len(standing.embedded.calls("GetRole")) > 2)
        standing.remove(data=True)
        assert left.result().changes == ()


def test_a_teardown_says_what_stays_seen(account: Account) -> None:
    account.converge("role")
    with pytest.raises(LobsterError, match=r"^role/ecsTaskRole, role/\w+: not deleted by the teardown\.$"):
        converge.verify_removal(account.aws, account.resources(), keep_data=False)


def test_a_teardown_of_a_running_service_waits_for_its_tasks(account: Account) -> None:
    account.converge("repository")
    pushed = push(account.client("ecr"), web_app(), repository="homara", tag="one")
    account.converge()
    meddler = Meddler(account)
    meddler.run(pushed.by_digest)
    eventually(lambda: meddler.service()["runningCount"] == 1)
    account.remove(data=True)
    assert account.plan_removal(data=True).changes == ()
    assert account.counts()["security groups"] == 1  # the default one


def test_what_is_not_ours_is_never_deleted(standing: Account) -> None:
    meddler = Meddler(standing)
    meddler.iam.untag_role(RoleName="ecsTaskRole", TagKeys=[OURS])
    meddler.elbv2.remove_tags(ResourceArns=[meddler.target_group], TagKeys=[OURS])
    meddler.ecr.untag_resource(
        resourceArn=meddler.ecr.describe_repositories()["repositories"][0]["repositoryArn"], tagKeys=[OURS]
    )
    made = standing.remove(data=True)
    assert {each.label for each in made.kept} == {
        "role/ecsTaskRole",
        "target-group/lobster-tg",
        "repository/homara",
    }
    assert meddler.iam.get_role(RoleName="ecsTaskRole")
    assert meddler.target_group
    assert meddler.ecr.describe_repositories(repositoryNames=["homara"])["repositories"]


def test_a_cluster_in_which_others_have_services_stays(standing: Account) -> None:
    meddler = Meddler(standing)
    definition = meddler.newest()["taskDefinitionArn"]
    meddler.ecs.create_service(
        cluster="lobster-cluster",
        serviceName="theirs",
        taskDefinition=definition,
        desiredCount=0,
        launchType="FARGATE",
        networkConfiguration={"awsvpcConfiguration": {"subnets": meddler.subnets}},
    )
    made = standing.remove()
    assert "cluster/lobster-cluster" in {each.label for each in made.kept}
    (theirs,) = meddler.ecs.describe_services(cluster="lobster-cluster", services=["theirs"])["services"]
    assert theirs["status"] == "ACTIVE"


@pytest.mark.parametrize("kth", [2, 8])
def test_a_teardown_that_stopped_halfway_is_taken_up_again(standing: Account, kth: int) -> None:
    denied = {"code": "AccessDenied", "message": "not now", "status": 403}
    standing.embedded.order({"operation": "De[lr]*", "nth": kth, "error": denied})
    with pytest.raises(AwsCallError, match="AWS refused"):
        standing.remove(data=True)
    standing.embedded.forgive()
    standing.remove(data=True)
    assert standing.plan_removal(data=True).changes == ()
    assert standing.counts()["security groups"] == 1


# An account in which it cannot stand


def without_default_vpc(meddler: Meddler) -> None:
    """Delete the default VPC and all in it."""
    for subnet in meddler.subnets:
        meddler.ec2.delete_subnet(SubnetId=subnet)
    (gateway,) = meddler.ec2.describe_internet_gateways()["InternetGateways"]
    gateway_id = gateway["InternetGatewayId"]
    meddler.ec2.detach_internet_gateway(InternetGatewayId=gateway_id, VpcId=meddler.vpc)
    meddler.ec2.delete_internet_gateway(InternetGatewayId=gateway_id)
    meddler.ec2.delete_vpc(VpcId=meddler.vpc)


def with_one_zone(meddler: Meddler) -> None:
    """Delete all subnets but one."""
    for subnet in meddler.subnets[1:]:
        meddler.ec2.delete_subnet(SubnetId=subnet)


def with_private_subnets(meddler: Meddler) -> None:
    """Take the way to the internet away."""
    (gateway,) = meddler.ec2.describe_internet_gateways()["InternetGateways"]
    inside = [{"Name": "vpc-id", "Values": [meddler.vpc]}]
    for table in meddler.ec2.describe_route_tables(Filters=inside)["RouteTables"]:
        meddler.ec2.delete_route(RouteTableId=table["RouteTableId"], DestinationCidrBlock="0.0.0.0/0")
    assert gateway


@pytest.mark.parametrize(
    ("spoil", "flags", "says"),
    [
        (without_default_vpc, (), "There is no default VPC in us-east-2."),
        (with_one_zone, (), "the default VPC has public subnets in 1 zone."),
        (with_private_subnets, (), "the default VPC has public subnets in 0 zones."),
        (lambda _: None, ("network.subnets=subnet-0a,subnet-0b",), "has no subnet subnet-0a, subnet-0b."),
        (lambda _: None, ("network.vpc=vpc-0a",), "vpc-0a has public subnets in 0 zones."),
    ],
)
def test_an_account_in_which_it_cannot_stand_is_refused_unchanged(
    account: Account, spoil: Callable[[Meddler], None], flags: tuple[str, ...], says: str
) -> None:
    spoil(Meddler(account))
    other = account.with_settings(*flags)
    with account.no_change(), pytest.raises(RefusedError) as refused:
        other.converge()
    assert says in refused.value.what
    assert refused.value.next_step
    other.converge("role")  # what needs no network is not held up
