"""The migration plan's five testing strategies, on real processes, with real ``inv`` commands.

1. The infrastructure is as in the plan's tables.
2. Health checks detect healthy and unhealthy tasks.
3. The load balancer routes to healthy targets only.
4. Environment and secrets are injected: the running process is asked.
5. The whole pipeline, from a git commit to the page that shows it.
"""

from __future__ import annotations

import json
import shutil
import subprocess
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
import requests

from tests.embedded_process import PATIENCE, EmbeddedProcess, control, eventually
from tests.project import Project, calls, forget_calls, make

ROOT = Path(__file__).parent.parent
ACCOUNT = "123456789012"

# --- 1. Infrastructure -------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Account:
    """What plain boto3 reads after ``inv setup-fargate``, by kind."""

    profile: str
    roles: dict[str, Any]
    log_group: dict[str, Any]
    repository: dict[str, Any]
    groups: dict[str, Any]
    vpc: dict[str, Any]
    balancer: dict[str, Any]
    attributes: dict[str, str]
    target_group: dict[str, Any]
    target_attributes: dict[str, str]
    listeners: list[Any]
    cluster: dict[str, Any]
    definition: dict[str, Any]
    service: dict[str, Any]


@pytest.fixture
def project(project: Project) -> Project:
    """A project in which each command runs in a new interpreter."""
    return replace(project, as_people_do=True)


@pytest.fixture(scope="module", params=["fast", "seed"])
def account(
    request: pytest.FixtureRequest,
    tmp_path_factory: pytest.TempPathFactory,
    embedded_process: EmbeddedProcess,
) -> Account:
    """The account after the setup of a project without settings (except the profile)."""
    embedded_process.reset()
    project = replace(make(tmp_path_factory.mktemp("plan"), embedded_process.url), as_people_do=True)
    if request.param != "fast":
        project.settings(f"profile: {request.param}")
    project.inv("setup-fargate").check()
    return _described(embedded_process, request.param)


def _described(embedded: EmbeddedProcess, profile: str) -> Account:
    ec2, elb, ecs = (embedded.client(each) for each in ("ec2", "elbv2", "ecs"))
    balancer = elb.describe_load_balancers(Names=["lobster-alb"])["LoadBalancers"][0]
    group = elb.describe_target_groups(Names=["lobster-tg"])["TargetGroups"][0]
    arn, group_arn = balancer["LoadBalancerArn"], group["TargetGroupArn"]
    filters = [{"Name": "group-name", "Values": ["lobster-alb-sg", "lobster-ecs-sg"]}]
    groups = ec2.describe_security_groups(Filters=filters)["SecurityGroups"]
    where = {"cluster": "lobster-cluster", "services": ["lobster-streamlit-service"]}
    return Account(
        profile,
        roles={name: _role(embedded, name) for name in ("ecsTaskExecutionRole", "ecsTaskRole")},
        log_group=embedded.client("logs").describe_log_groups()["logGroups"][0],
        repository=embedded.client("ecr").describe_repositories()["repositories"][0],
        groups={each["GroupName"]: each for each in groups},
        vpc=ec2.describe_vpcs(Filters=[{"Name": "is-default", "Values": ["true"]}])["Vpcs"][0],
        balancer=balancer,
        attributes=_pairs(elb.describe_load_balancer_attributes(LoadBalancerArn=arn)),
        target_group=group,
        target_attributes=_pairs(elb.describe_target_group_attributes(TargetGroupArn=group_arn)),
        listeners=elb.describe_listeners(LoadBalancerArn=arn)["Listeners"],
        cluster=ecs.describe_clusters(clusters=["lobster-cluster"])["clusters"][0],
        definition=ecs.describe_task_definition(taskDefinition="lobster-streamlit-task")["taskDefinition"],
        service=ecs.describe_services(**where)["services"][0],
    )


def _role(embedded: EmbeddedProcess, name: str) -> dict[str, Any]:
    iam = embedded.client("iam")
    policies = iam.list_role_policies(RoleName=name)["PolicyNames"]
    documents = [
        iam.get_role_policy(RoleName=name, PolicyName=each)["PolicyDocument"]["Statement"]
        for each in policies
    ]
    role: dict[str, Any] = iam.get_role(RoleName=name)["Role"]
    return {"role": role, "statements": [statement for document in documents for statement in document]}


def _pairs(answer: dict[str, Any]) -> dict[str, str]:
    return {each["Key"]: each["Value"] for each in answer["Attributes"]}


@pytest.mark.parametrize("name", ["ecsTaskExecutionRole", "ecsTaskRole"])
def test_both_roles_are_for_tasks_only(account: Account, name: str) -> None:
    [trust] = account.roles[name]["role"]["AssumeRolePolicyDocument"]["Statement"]
    assert (trust["Effect"], trust["Action"]) == ("Allow", "sts:AssumeRole")
    assert trust["Principal"] == {"Service": "ecs-tasks.amazonaws.com"}


def test_the_execution_role_may_pull_and_log_and_no_more(account: Account) -> None:
    statements = account.roles["ecsTaskExecutionRole"]["statements"]
    by_action = {
        action: statement["Resource"]
        for statement in statements
        for action in _listed(statement["Action"])
        if statement["Effect"] == "Allow"
    }
    repository = f"arn:aws:ecr:us-east-2:{ACCOUNT}:repository/homara"
    group = f"arn:aws:logs:us-east-2:{ACCOUNT}:log-group:/ecs/lobster-streamlit:*"
    pull = ("ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer")
    assert by_action == {
        "ecr:GetAuthorizationToken": "*",  # it has no resource-level permissions
        **dict.fromkeys(pull, repository),
        **dict.fromkeys(("logs:CreateLogStream", "logs:PutLogEvents"), group),
    }
    assert account.roles["ecsTaskRole"]["statements"] == []


def _listed(value: str | list[str]) -> list[str]:
    return [value] if isinstance(value, str) else value


def test_logs_are_kept_in_the_one_region(account: Account) -> None:
    assert account.log_group["logGroupName"] == "/ecs/lobster-streamlit"
    assert account.log_group["retentionInDays"] == 30
    assert ":us-east-2:" in account.log_group["arn"]


def test_the_repository(account: Account) -> None:
    assert account.repository["repositoryUri"] == f"{ACCOUNT}.dkr.ecr.us-east-2.amazonaws.com/homara"
    assert account.repository["imageScanningConfiguration"]["scanOnPush"]


def test_visitors_reach_the_load_balancer_and_only_it_reaches_the_tasks(account: Account) -> None:
    balancer, tasks = account.groups["lobster-alb-sg"], account.groups["lobster-ecs-sg"]
    [visitors] = balancer["IpPermissions"]
    assert (visitors["IpProtocol"], visitors["FromPort"], visitors["ToPort"]) == ("tcp", 80, 80)
    assert [each["CidrIp"] for each in visitors["IpRanges"]] == ["0.0.0.0/0"]
    [inside] = tasks["IpPermissions"]
    assert (inside["IpProtocol"], inside["FromPort"], inside["ToPort"]) == ("tcp", 8501, 8501)
    assert inside["IpRanges"] == []
    assert [each["GroupId"] for each in inside["UserIdGroupPairs"]] == [balancer["GroupId"]]


def test_the_load_balancer(account: Account) -> None:
    balancer = account.balancer
    assert (balancer["Type"], balancer["Scheme"]) == ("application", "internet-facing")
    assert balancer["VpcId"] == account.vpc["VpcId"]
    assert balancer["SecurityGroups"] == [account.groups["lobster-alb-sg"]["GroupId"]]
    assert len({zone["ZoneName"] for zone in balancer["AvailabilityZones"]}) == 2  # each costs an address
    assert account.attributes["idle_timeout.timeout_seconds"] == "300"


def test_the_target_group(account: Account) -> None:
    group = account.target_group
    assert (group["Protocol"], group["Port"], group["TargetType"]) == ("HTTP", 8501, "ip")
    assert group["VpcId"] == account.vpc["VpcId"]
    assert (group["HealthyThresholdCount"], group["UnhealthyThresholdCount"]) == (2, 3)
    checks = (group["HealthCheckProtocol"], group["HealthCheckPath"], group["HealthCheckIntervalSeconds"])
    expected = {"seed": ("HTTP", "/healthz", 30), "fast": ("HTTP", "/_stcore/health", 5)}
    assert checks == expected[account.profile]
    delays = {"seed": "300", "fast": "30"}
    assert account.target_attributes["deregistration_delay.timeout_seconds"] == delays[account.profile]
    assert account.target_attributes["stickiness.enabled"] == "true"


def test_the_listener_forwards_to_the_target_group(account: Account) -> None:
    [listener] = account.listeners
    assert (listener["Protocol"], listener["Port"]) == ("HTTP", 80)
    [action] = listener["DefaultActions"]
    assert (action["Type"], action["TargetGroupArn"]) == ("forward", account.target_group["TargetGroupArn"])


def test_the_task_definition(account: Account) -> None:
    definition = account.definition
    assert definition["family"] == "lobster-streamlit-task"
    assert (definition["cpu"], definition["memory"]) == ("512", "1024")
    assert (definition["networkMode"], definition["requiresCompatibilities"]) == ("awsvpc", ["FARGATE"])
    role = f"arn:aws:iam::{ACCOUNT}:role/"
    assert definition["executionRoleArn"] == f"{role}ecsTaskExecutionRole"
    assert definition["taskRoleArn"] == f"{role}ecsTaskRole"


def test_the_container(account: Account) -> None:
    [container] = account.definition["containerDefinitions"]
    assert container["name"] == "lobster-streamlit"
    assert container["essential"]
    assert container["image"].startswith(f"{ACCOUNT}.dkr.ecr.us-east-2.amazonaws.com/homara:")
    [port] = container["portMappings"]
    assert (port["containerPort"], port["protocol"]) == (8501, "tcp")
    variables = {each["name"]: each["value"] for each in container["environment"]}
    assert variables == {"PORT": "8501", "PYTHONUNBUFFERED": "1", "STREAMLIT_SERVER_HEADLESS": "true"}
    assert container["logConfiguration"]["logDriver"] == "awslogs"
    assert container["logConfiguration"]["options"] == {
        "awslogs-group": "/ecs/lobster-streamlit",
        "awslogs-region": "us-east-2",
        "awslogs-stream-prefix": "ecs",
    }


def test_the_service(account: Account) -> None:
    service = account.service
    assert account.cluster["status"] == service["status"] == "ACTIVE"
    assert (service["launchType"], service["desiredCount"]) == ("FARGATE", 0)  # no release yet
    network = service["networkConfiguration"]["awsvpcConfiguration"]
    assert network["securityGroups"] == [account.groups["lobster-ecs-sg"]["GroupId"]]
    assert sorted(network["subnets"]) == sorted(z["SubnetId"] for z in account.balancer["AvailabilityZones"])
    assert network["assignPublicIp"] == "ENABLED"
    [behind] = service["loadBalancers"]
    assert behind["targetGroupArn"] == account.target_group["TargetGroupArn"]
    assert (behind["containerName"], behind["containerPort"]) == ("lobster-streamlit", 8501)
    deployment = service["deploymentConfiguration"]
    assert (deployment["minimumHealthyPercent"], deployment["maximumPercent"]) == (100, 200)
    assert deployment["deploymentCircuitBreaker"] == {"enable": True, "rollback": True}


def test_a_second_run_finds_nothing_to_do(project: Project) -> None:
    project.inv("setup-fargate").check()
    again = project.inv("setup-fargate", "--json").check().json
    assert (again["changes"], again["applied"]) == ([], False)


# --- 2. Health checks --------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Live:
    """A project with a live release at ``url``."""

    project: Project
    embedded: EmbeddedProcess
    url: str

    def get(self, path: str = "/") -> requests.Response:
        """Get a page as a visitor without cookies."""
        return requests.get(f"{self.url}{path}", timeout=PATIENCE)

    def targets(self) -> dict[str, str]:
        """Each target's address and port, and its state."""
        elb = self.embedded.client("elbv2")
        group = elb.describe_target_groups(Names=["lobster-tg"])["TargetGroups"][0]["TargetGroupArn"]
        found = elb.describe_target_health(TargetGroupArn=group)["TargetHealthDescriptions"]
        return {
            f"{each['Target']['Id']}:{each['Target']['Port']}": each["TargetHealth"]["State"]
            for each in found
        }

    def ask_task(self, target: str, path: str) -> str:
        """Ask one task directly, at the loopback address for its own."""
        ip, _, port = target.partition(":")
        vpc = self.embedded.client("ec2").describe_vpcs()["Vpcs"][0]["VpcId"]
        given = {"vpc": vpc, "ip": ip}
        found = control.post(f"{self.embedded.url}/_embedded/address", json=given, timeout=PATIENCE).json()
        return requests.get(f"http://{found['address']}:{port}{path}", timeout=PATIENCE).text


def release(project: Project, embedded: EmbeddedProcess, tag: str = "one") -> Live:
    """Set up, push and deploy; the last line of stdout is the URL."""
    arguments = ("--tag", tag, "--build-arg", f"RELEASE={tag}")
    done = project.inv("setup-fargate", "push-image", *arguments, "deploy", "--tag", tag).check()
    return Live(project, embedded, done.out.splitlines()[-1])


def test_a_sick_task_is_found_out_and_replaced(project: Project, embedded: EmbeddedProcess) -> None:
    live = release(project, embedded)
    [(sick, state)] = live.targets().items()
    assert state == "healthy"
    assert live.get("/_stcore/health").text == "ok"
    live.get("/set-health?status=500")
    eventually(lambda: live.targets().get(sick) in ("unhealthy", "draining"))
    eventually(lambda: [state for target, state in live.targets().items() if target != sick] == ["healthy"])
    eventually(lambda: sick not in live.targets())
    assert live.get("/_stcore/health").text == "ok"
    told = project.inv("validate-fargate-setup", "--json").check().json["checks"]
    assert {each["id"]: each["status"] for each in told}["targets.healthy"] == "pass"


def test_a_release_that_is_never_healthy_is_rolled_back(project: Project, embedded: EmbeddedProcess) -> None:
    live = release(project, embedded)
    project.write("Dockerfile.streamlit", "FROM python:3.13-slim\nCMD exit 3\n")
    project.inv("push-image", "--tag", "two").check()
    ended = project.inv("deploy", "--tag", "two", "--json").check(3).json
    assert (ended["verdict"], ended["cause"]["code"]) == ("rolled_back", "exits")
    assert live.get().text == "one"


# --- 3. The load balancer ----------------------------------------------------------------------------------------


def test_only_healthy_targets_are_asked(project: Project, embedded: EmbeddedProcess) -> None:
    # A grace period longer than the test: ECS does not replace the unhealthy task, so both stay registered.
    project.settings("deployment: {desired_count: 2}\nhealth_check: {grace_period: 3600}")
    live = release(project, embedded)
    targets = {target: live.ask_task(target, "/pid") for target in live.targets()}
    eventually(lambda: {live.get("/pid").text for _ in range(4)} == set(targets.values()))
    sick, well = targets
    live.ask_task(sick, "/set-health?status=503")
    eventually(lambda: live.targets() == {sick: "unhealthy", well: "healthy"})
    answers = [live.get("/pid") for _ in range(20)]
    assert {(answer.status_code, answer.text) for answer in answers} == {(200, targets[well])}
    live.ask_task(sick, "/set-health?status=200")
    eventually(lambda: live.targets() == {sick: "healthy", well: "healthy"})
    eventually(lambda: {live.get("/pid").text for _ in range(4)} == set(targets.values()))


def test_without_a_release_the_load_balancer_says_so(project: Project) -> None:
    done = project.inv("setup-fargate").check()
    assert eventually(lambda: _status(done.out.splitlines()[-1])) == 503
    assert "inv push-image --tag T   then   inv deploy --tag T" in done.err


def _status(url: str) -> int | None:
    """The status; None while the load balancer is created and nothing answers."""
    try:
        return requests.get(url, timeout=PATIENCE).status_code
    except requests.ConnectionError:
        return None


# --- 4. Environment and secrets ----------------------------------------------------------------------------------

SECRETS = (
    *("OPENAI_API_KEY", "AWS_BEDROCK_ACCESS_KEY", "AWS_BEDROCK_SECRET_ACCESS_KEY", "NCBI_API_KEY"),
    *("LANGFUSE_PUBLIC_KEY", "LANGFUSE_SECRET_KEY"),
    *("STRIPE_PUBLISHABLE_KEY", "STRIPE_SECRET_KEY", "STRIPE_WEBHOOK_SECRET"),
)


def test_environment_and_all_secrets_reach_the_process(project: Project, embedded: EmbeddedProcess) -> None:
    sources = _store_secrets(embedded)
    lines = "".join(f"    {name}: {source}\n" for name, source in sources.items())
    variables = "{GENIE_PROFILE: prod, LANGFUSE_HOST: https://langfuse.example}"
    project.settings(f"container:\n  environment: {variables}\n  secrets:\n{lines}")
    live = release(project, embedded)
    seen = live.get("/env").json()
    assert {name: seen.get(name) for name in SECRETS} == {name: f"the value of {name}" for name in SECRETS}
    expected = {"PORT": "8501", "PYTHONUNBUFFERED": "1", "STREAMLIT_SERVER_HEADLESS": "true"}
    expected |= {"GENIE_PROFILE": "prod", "LANGFUSE_HOST": "https://langfuse.example"}
    assert {name: seen.get(name) for name in expected} == expected
    definition = embedded.client("ecs").describe_task_definition(taskDefinition="lobster-streamlit-task")
    assert "the value of" not in json.dumps(definition, default=str)


def _store_secrets(embedded: EmbeddedProcess) -> dict[str, str]:
    """Three kinds of secrets: single values, keys of a JSON secret, SSM parameters."""
    manager, ssm = embedded.client("secretsmanager"), embedded.client("ssm")
    own, keys, parameters = SECRETS[:3], SECRETS[3:6], SECRETS[6:]
    values = {name: f"the value of {name}" for name in SECRETS}
    shared = json.dumps({name: values[name] for name in keys})
    arn = manager.create_secret(Name="lobster/shared", SecretString=shared)["ARN"]
    sources = {name: manager.create_secret(Name=name, SecretString=values[name])["ARN"] for name in own}
    sources |= {name: f"'{arn}:{name}::'" for name in keys}
    for name in parameters:
        ssm.put_parameter(Name=f"/lobster/{name}", Value=values[name], Type="SecureString")
    return sources | {name: f"/lobster/{name}" for name in parameters}


def test_without_its_secret_nothing_is_deployed(project: Project, embedded: EmbeddedProcess) -> None:
    live = release(project, embedded)
    project.settings("container:\n  secrets: {OPENAI_API_KEY: /lobster/nobody-made-it}")
    project.inv("create-iam-policies").check()
    forget_calls(embedded)
    ended = project.inv("deploy", "--tag", "one", "--json").check(5).json
    assert (ended["verdict"], ended["cause"]["code"]) == ("refused", "secret-not-found")
    assert "OPENAI_API_KEY" in ended["cause"]["message"]
    assert not calls(embedded)
    assert live.get().text == "one"


# --- 5. The pipeline ---------------------------------------------------------------------------------------------


def commit(project: Project, message: str) -> str:
    """Commit everything; returns the commit's short name, which is the release's tag."""

    def git(*arguments: str) -> str:
        who = ("-c", "user.name=Somebody", "-c", "user.email=somebody@example.com")
        command = ["git", *who, *arguments]
        return subprocess.run(command, cwd=project.folder, check=True, capture_output=True, text=True).stdout

    git("init", "--quiet", ".")
    git("add", "tasks.py", "Dockerfile.streamlit", "web_app.py")
    git("commit", "--quiet", "--message", message)
    return git("rev-parse", "--short", "HEAD").strip()


def test_from_a_commit_to_the_page_twice(project: Project, embedded: EmbeddedProcess) -> None:
    project.settings("deployment: {deregistration_delay: 0}")  # there are no connections to drain
    first = commit(project, "the first release")
    live = release(project, embedded, first)
    assert live.get().text == first
    project.write("web_app.py", (project.folder / "web_app.py").read_text() + "# better\n")
    second = commit(project, "a better one")
    project.inv("push-image", "--tag", second, "--build-arg", f"RELEASE={second}").check()
    done = project.inv("deploy", "--tag", second).check()
    assert done.out == f"{live.url}\n"  # a load balancer keeps its address
    assert "LIVE" in done.err
    assert {live.get().text for _ in range(5)} == {second}
    status = project.inv("status", "--json").check().json
    assert (status["running"], status["healthy"]) == (1, 1)
    image = embedded.client("ecr").describe_images(repositoryName="homara", imageIds=[{"imageTag": second}])
    assert status["image"].endswith(image["imageDetails"][0]["imageDigest"])


def test_the_streamlit_example(project: Project, embedded: EmbeddedProcess) -> None:
    shutil.copy(ROOT / "Dockerfile.streamlit", project.folder)
    shutil.copytree(ROOT / "examples", project.folder / "examples")
    live = release(project, embedded, "v1")
    assert live.get("/_stcore/health").text == "ok"
    told = project.inv("validate-fargate-setup", "--json").check().json
    statuses = {each["id"]: each["status"] for each in told["checks"]}
    assert (statuses["answers.page"], statuses["answers.websocket"]) == ("pass", "pass")
    [task] = project.inv("status", "--json").check().json["tasks"]
    written = project.inv("logs", "--task", task["task"][:8]).check().out
    assert "You can now view your Streamlit app" in written
