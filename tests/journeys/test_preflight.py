"""What would keep a release from becoming live is found before anything is changed."""

from __future__ import annotations

import json
import re
import shlex
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from embedded_aws.runtime.unpack import READS_ZSTD
from lobster_tasks.aws import Aws
from lobster_tasks.clock import Clock
from lobster_tasks.errors import NotReadyError, UsageError
from lobster_tasks.rollout import Outcome, deploy, follow, preview
from lobster_tasks.settings import Settings, load
from tests.conftest import SPEED
from tests.embedded.images import ZSTD_LAYER, ImageSpec, push, web_app
from tests.embedded_process import EmbeddedProcess

from .releasing import Account, said, set_up

TRUST = {"Effect": "Allow", "Principal": {"Service": "ecs-tasks.amazonaws.com"}, "Action": "sts:AssumeRole"}
MISSING_SECRET = "arn:aws:secretsmanager:us-east-2:123456789012:secret:gone-AbCdEf"


@pytest.fixture(scope="module")
def ready(embedded_process: EmbeddedProcess) -> Account:
    """One account for all: what a case breaks it mends again."""
    embedded_process.reset()
    keys = {"aws_access_key_id": "AKIAEXAMPLE", "aws_secret_access_key": "example"}
    aws = Aws("us-east-2", endpoint_url=embedded_process.url, credentials=keys, clock=Clock(speed=SPEED))
    account = set_up(embedded_process, aws)
    account.push("one")
    push(account.client("ecr"), ImageSpec(command=["python"], architecture="arm64"), tag="arm")
    return account


def role(account: Account, name: str, *statements: dict[str, Any], trust: dict[str, Any] = TRUST) -> str:
    """A role that may do what the statements say; its name."""
    iam = account.client("iam")
    iam.create_role(RoleName=name, AssumeRolePolicyDocument=policy(trust))
    if statements:
        iam.put_role_policy(RoleName=name, PolicyName="p", PolicyDocument=policy(*statements))
    return name


def policy(*statements: dict[str, Any]) -> str:
    """A policy document."""
    return json.dumps({"Version": "2012-10-17", "Statement": statements})


def allowing(*actions: str) -> dict[str, Any]:
    """A statement that allows actions on everything."""
    return {"Effect": "Allow", "Action": list(actions), "Resource": "*"}


def untrusting(account: Account) -> list[str]:
    """A role of App Runner's."""
    trust = {**TRUST, "Principal": {"Service": "tasks.apprunner.amazonaws.com"}}
    return [f"task.execution_role={role(account, 'of-app-runner', trust=trust)}"]


def unreadable(account: Account) -> list[str]:
    """A secret that the execution role's policy does not name."""
    arn = account.client("secretsmanager").create_secret(Name="openai", SecretString="x")["ARN"]
    return [f"container.secrets.OPENAI_API_KEY={arn}"]


FLAGS: dict[str, tuple[str, Callable[[Account], list[str]], str]] = {
    "log-group-missing": (
        "one",
        lambda _: ["logs.group=/nowhere"],
        "There is no log group /nowhere in us-east-2.",
    ),
    "image-platform": ("arm", lambda _: [], " is for linux/arm64; the tasks run on linux/amd64."),
    "execution-role-not-assumable": (
        "one",
        untrusting,
        "it trusts tasks.apprunner.amazonaws.com, not ecs-tasks",
    ),
    "task-role-missing": ("one", lambda _: ["task.task_role=nobody"], "There is no role nobody."),
    "registry-denied": (
        "one",
        lambda account: [f"task.execution_role={role(account, 'poor')}"],
        "poor is not allowed to ecr:GetAuthorizationToken on *",
    ),
    "logs-denied": (
        "one",
        lambda account: [f"task.execution_role={role(account, 'silent', allowing('ecr:*'))}"],
        "silent is not allowed to logs:CreateLogStream on",
    ),
    "secret-not-found": (
        "one",
        lambda _: [f"container.secrets.KEY={MISSING_SECRET}"],
        "KEY: the secret does not exist or has no value.",
    ),
    "secret-not-readable": ("one", unreadable, "ecsTaskExecutionRole is not allowed to read OPENAI_API_KEY."),
    "target-group-mismatch": (
        "one",
        lambda _: ["container.port=9000"],
        "The service sends requests to lobster-streamlit:8501; the new revision has lobster-streamlit with 9000.",
    ),
    "image-not-found": ("v9", lambda _: [], "v9 is not in the repository homara."),
    "scaled-to-zero": ("one", lambda _: ["deployment.desired_count=0"], "has a desired count of 0"),
    "service-gone": ("one", lambda _: ["service=other"], "There is no service other in lobster-cluster."),
}


def refused(account: Account, tag: str = "one") -> NotReadyError:
    """What a deployment is refused with; nothing is changed by it."""
    account.forget_calls()
    with pytest.raises(NotReadyError) as error:
        deploy(account.aws, account.settings, tag)
    assert not account.calls()
    assert error.value.exit_code == 5
    assert error.value.next_step
    return error.value


@pytest.mark.parametrize("code", FLAGS)
def test_settings_that_do_not_fit_the_account(ready: Account, code: str) -> None:
    tag, prepare, says = FLAGS[code]
    error = refused(ready.with_settings(*prepare(ready)), tag)
    assert (error.code, says in error.what) == (code, True), (error.code, error.what)
    outcome = Outcome.refused(error)
    assert outcome.exit_code == 5
    assert outcome.cause is not None, said(outcome)
    assert outcome.cause.code == code


REFUSED = [code for code in FLAGS if code not in ("image-not-found", "scaled-to-zero", "service-gone")]


@pytest.mark.parametrize("code", REFUSED)
def test_every_refusal_of_the_look_ahead_can_be_overridden_by_its_name(ready: Account, code: str) -> None:
    tag, prepare, _ = FLAGS[code]
    for name in ("of-app-runner", "poor", "silent"):
        with suppress(ClientError):
            iam = ready.client("iam")
            for each in iam.list_role_policies(RoleName=name)["PolicyNames"]:
                iam.delete_role_policy(RoleName=name, PolicyName=each)
            iam.delete_role(RoleName=name)
    with suppress(ClientError):
        ready.client("secretsmanager").delete_secret(SecretId="openai", ForceDeleteWithoutRecovery=True)
    settings = ready.with_settings(*prepare(ready))
    error = refused(settings, tag)
    accept = re.findall(r"--accept ([a-z-]+)", error.why)
    assert error.code in accept
    said = previewed(replace(settings, settings=with_accepted(settings.settings, accept)), tag)
    assert f"accepted ({code})" in said


def with_accepted(settings: Settings, codes: list[str]) -> Settings:
    """The settings that refuse nothing for these causes."""
    return load({**settings.model_dump(exclude_unset=True), "deployment": {"accept": codes}})


def test_what_is_no_cause_cannot_be_accepted(ready: Account) -> None:
    with pytest.raises(UsageError, match="unknown cause code"):
        previewed(ready.with_settings("deployment.accept=registry-refused"))


MFA = {"aws:MultiFactorAuthPresent": "false"}
UNSURE: dict[str, tuple[str, dict[str, Any]]] = {
    "without MFA": ("aws:MultiFactorAuthPresent", {"Effect": "Deny", "Condition": {"BoolIfExists": MFA}}),
    "from elsewhere": (
        "aws:SourceVpce",
        {"Effect": "Deny", "Condition": {"StringNotEquals": {"aws:SourceVpce": "vpce-1"}}},
    ),
    "from here only": (
        "aws:SourceVpce",
        {"Effect": "Allow", "Condition": {"StringEquals": {"aws:SourceVpce": "vpce-1"}}},
    ),
}


@pytest.mark.parametrize("what", UNSURE)
def test_what_iam_decides_by_what_nobody_knows_yet_is_not_held_against_the_release(
    ready: Account, what: str
) -> None:
    """MissingContextValues: a denial for want of a key is none."""
    key, about = UNSURE[what]
    name = f"unsure-{list(UNSURE).index(what)}"
    allow = [allowing("*")] if about["Effect"] == "Deny" else []
    role(ready, name, *allow, {"Action": "*", "Resource": "*", **about})
    said = previewed(ready.with_settings(f"task.execution_role={name}"))
    assert f"depends on {key}" in said
    assert {"roles.pull", "roles.logs"} <= not_checked(said)


def test_a_region_that_is_asked_for_is_known(ready: Account) -> None:
    here = {"Condition": {"StringEquals": {"aws:RequestedRegion": "us-east-2"}}}
    name = role(ready, "of-this-region", {**allowing("*"), **here})
    said = previewed(ready.with_settings(f"task.execution_role={name}"))
    assert not_checked(said) & {"roles.pull", "roles.logs"} == set()


def test_a_repositorys_own_policy_may_let_a_role_in(ready: Account) -> None:
    name = role(ready, "let-in", allowing("ecr:GetAuthorizationToken", "logs:*"))
    settings = ready.with_settings(f"task.execution_role={name}")
    assert refused(settings).code == "registry-denied"
    let_in = {**allowing("ecr:*"), "Principal": {"AWS": f"arn:aws:iam::123456789012:role/{name}"}}
    del let_in["Resource"]
    ecr = ready.client("ecr")
    ecr.set_repository_policy(repositoryName="homara", policyText=policy(let_in))
    assert "roles.pull" in not_checked(previewed(settings))
    ecr.delete_repository_policy(repositoryName="homara")


def test_a_secrets_own_policy_may_let_a_role_in(ready: Account) -> None:
    secrets = ready.client("secretsmanager")
    arn = secrets.create_secret(Name="shared", SecretString="x")["ARN"]
    settings = ready.with_settings(f"container.secrets.SHARED={arn}")
    assert refused(settings).code == "secret-not-readable"
    let_in = {**allowing("secretsmanager:GetSecretValue"), "Principal": {"AWS": "123456789012"}}
    secrets.put_resource_policy(SecretId=arn, ResourcePolicy=policy(let_in))
    assert "roles.secrets" in not_checked(previewed(settings))


ACCOUNT_ROOT = {"AWS": "arn:aws:iam::123456789012:root"}


def under_a_key(account: Account, name: str, principal: dict[str, str], *actions: str) -> Account:
    """Settings with a secret under a key whose policy is about ``principal``; the role may do ``actions``."""
    kms, secrets = account.client("kms"), account.client("secretsmanager")
    statement = {**allowing("kms:*"), "Principal": principal}
    key = kms.create_key(Policy=policy(statement))["KeyMetadata"]["Arn"]
    kms.create_alias(AliasName=f"alias/{name}", TargetKeyId=key)
    arn = secrets.create_secret(Name=name, SecretString="x", KmsKeyId=f"alias/{name}")["ARN"]
    reads = allowing("ecr:*", "logs:*", "secretsmanager:GetSecretValue", *actions)
    return account.with_settings(
        f"task.execution_role={role(account, name, reads)}", f"container.secrets.KEY={arn}"
    )


@pytest.mark.parametrize(
    ("name", "principal", "actions", "says"),
    [
        ("left-to-iam", ACCOUNT_ROOT, (), "left-to-iam is not allowed to kms:Decrypt on arn:aws:kms:"),
        (
            "shut",
            {"AWS": "123456789012"},
            ("kms:Encrypt",),
            "shut is not allowed to kms:Decrypt on arn:aws:kms:",
        ),
        (
            "closed",
            {"AWS": "arn:aws:iam::123456789012:user/ann"},
            ("kms:Decrypt",),
            "the key's own policy does not allow it",
        ),
    ],
)
def test_a_role_that_may_not_decrypt_is_refused_by_name(
    ready: Account, name: str, principal: dict[str, str], actions: tuple[str, ...], says: str
) -> None:
    settings = under_a_key(ready, name, principal, *actions)
    error = refused(settings)
    assert (error.code, says in f"{error.what} {error.why}") == ("secret-not-readable", True)
    again = replace(settings, settings=with_accepted(settings.settings, ["secret-not-readable"]))
    assert "accepted (secret-not-readable)" in previewed(again)


def test_the_key_of_a_parameter_counts_as_that_of_a_secret(ready: Account) -> None:
    key = ready.client("kms").create_key()["KeyMetadata"]["Arn"]
    asked = {"Value": "x", "Type": "SecureString", "KeyId": key}
    ready.client("ssm").put_parameter(Name="/keyed", **asked)
    name = role(ready, "reads-parameters", allowing("ecr:*", "logs:*", "ssm:GetParameters"))
    settings = ready.with_settings(f"task.execution_role={name}", "container.secrets.KEY=/keyed")
    error = refused(settings)
    assert (error.code, f"is not allowed to kms:Decrypt on {key}" in error.what) == (
        "secret-not-readable",
        True,
    )


def test_a_keys_policy_that_may_not_be_read_refuses_nothing(ready: Account) -> None:
    settings = under_a_key(ready, "unread", ACCOUNT_ROOT)
    ready.order_fault(service="kms", operation="GetKeyPolicy", error={"code": "AccessDeniedException"})
    said = previewed(settings)
    ready.clear_faults()
    assert "roles.decrypt" in not_checked(said)
    assert "the key's own policy, which could not be read" in said


def previewed(account: Account, tag: str = "one") -> str:
    """What a release would do says before anything is changed; it is not refused."""
    told: list[str] = []
    preview(account.aws, account.settings, tag, observe=lambda progress: told.extend(progress.said))
    return " ".join(told)


def not_checked(said: str) -> set[str]:
    """The names of the checks that could not be made."""
    return set(re.findall(r"[a-z-]+\.[a-z-]+", said.partition("not checked: ")[2]))


@contextmanager
def closed_group(account: Account) -> Iterator[None]:
    """The tasks' security group lets nobody in."""
    ec2 = account.client("ec2")
    named = [{"Name": "group-name", "Values": ["lobster-ecs-sg"]}]
    group = ec2.describe_security_groups(Filters=named)["SecurityGroups"][0]
    rules = {"GroupId": group["GroupId"], "IpPermissions": group["IpPermissions"]}
    ec2.revoke_security_group_ingress(**rules)
    yield
    ec2.authorize_security_group_ingress(**rules)


@contextmanager
def idle_listener(account: Account) -> Iterator[None]:
    """The listener answers by itself."""
    elb = account.client("elbv2")
    balancer = elb.describe_load_balancers(Names=["lobster-alb"])["LoadBalancers"][0]["LoadBalancerArn"]
    listener = elb.describe_listeners(LoadBalancerArn=balancer)["Listeners"][0]
    fixed = {"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": "404"}}
    elb.modify_listener(ListenerArn=listener["ListenerArn"], DefaultActions=[fixed])
    yield
    elb.modify_listener(ListenerArn=listener["ListenerArn"], DefaultActions=listener["DefaultActions"])


@contextmanager
def no_public_address(account: Account) -> Iterator[None]:
    """The tasks get no public address in subnets that route to an internet gateway."""
    network = account.service()["networkConfiguration"]
    private = {"awsvpcConfiguration": {**network["awsvpcConfiguration"], "assignPublicIp": "DISABLED"}}
    account.update(networkConfiguration=private)
    account.await_completed()
    yield
    account.update(networkConfiguration=network)
    account.await_completed()


@pytest.mark.parametrize(
    ("code", "broken", "says"),
    [
        (
            "security-group-blocks",
            closed_group,
            "lobster-ecs-sg lets nothing in; the container listens on 8501",
        ),
        ("target-not-in-use", idle_listener, "does not forward to lobster-tg"),
        ("no-route-to-registry", no_public_address, "they cannot reach AWS"),
    ],
)
def test_an_account_that_does_not_fit(
    ready: Account, code: str, broken: Callable[[Account], Any], says: str
) -> None:
    with broken(ready):
        error = refused(ready)
    assert (error.code, says in error.what) == (code, True), (error.code, error.what)


def test_all_that_is_wrong_is_told_at_once(ready: Account) -> None:
    flags = ["logs.group=/nowhere", "task.task_role=nobody", f"container.secrets.KEY={MISSING_SECRET}"]
    error = refused(ready.with_settings(*flags), "arm")
    assert error.code == "image-platform"
    for what in ("is for linux/arm64", "no log group /nowhere", "no role nobody", "KEY: the secret"):
        assert [problem for problem in error.problems if what in problem], what


def test_what_may_not_be_looked_at_is_said_and_not_held_against_the_release(account: Account) -> None:
    account.push("one")
    for service, operation in (
        ("iam", "*"),
        ("ec2", "Describe*"),
        ("ecr", "BatchGetImage"),
        ("logs", "DescribeLogGroups"),
    ):
        denied = {"code": "AccessDenied", "message": "not for you", "status": 403}
        account.order_fault(service=service, operation=operation, error=denied)
    outcome = deploy(account.aws, account.settings, "one")
    assert outcome.verdict == "live"
    assert "not checked: " in said(outcome)
    for name in ("image.platform", "logs.group", "roles.execution", "network.routes", "security.tasks"):
        assert name in said(outcome), name


@pytest.mark.parametrize(
    ("name", "principal", "actions"),
    [
        ("allowed-by-iam", ACCOUNT_ROOT, ("kms:Decrypt",)),
        ("named-by-the-key", {"AWS": "arn:aws:iam::123456789012:role/named-by-the-key"}, ()),
    ],
)
def test_a_role_that_may_decrypt_is_let_through_and_starts(
    account: Account, name: str, principal: dict[str, str], actions: tuple[str, ...]
) -> None:
    settings = under_a_key(account, name, principal, *actions)
    account.push("one")
    said = previewed(settings)
    assert "roles.decrypt" not in not_checked(said)
    assert deploy(settings.aws, settings.settings, "one").verdict == "live"


def test_what_is_accepted_and_true_fails_with_the_same_cause(account: Account) -> None:
    settings = under_a_key(account, "tried", ACCOUNT_ROOT)
    account.push("one")
    tried = with_accepted(settings.settings, ["secret-not-readable"])
    outcome = deploy(settings.aws, tried, "one")
    assert (outcome.verdict == "live", outcome.cause and outcome.cause.code) == (False, "secret-not-readable")


@contextmanager
def without_requests(account: Account) -> Iterator[None]:
    """The listener has the target group with a weight of 0: the load balancer checks its health, and sends nothing."""
    elb = account.client("elbv2")
    balancer = elb.describe_load_balancers(Names=["lobster-alb"])["LoadBalancers"][0]
    listener = elb.describe_listeners(LoadBalancerArn=balancer["LoadBalancerArn"])["Listeners"][0]
    ours = elb.describe_target_groups(Names=["lobster-tg"])["TargetGroups"][0]
    spare = {"Name": "spare", "Protocol": "HTTP", "Port": 8501, "VpcId": ours["VpcId"], "TargetType": "ip"}
    other = elb.create_target_group(**spare)["TargetGroups"][0]["TargetGroupArn"]
    weights = [
        {"TargetGroupArn": ours["TargetGroupArn"], "Weight": 0},
        {"TargetGroupArn": other, "Weight": 1},
    ]
    forward = {"Type": "forward", "ForwardConfig": {"TargetGroups": weights}}
    elb.modify_listener(ListenerArn=listener["ListenerArn"], DefaultActions=[forward])
    yield
    elb.modify_listener(ListenerArn=listener["ListenerArn"], DefaultActions=listener["DefaultActions"])
    elb.delete_target_group(TargetGroupArn=other)


def test_a_release_that_visitors_are_not_led_to_yet_is_live_where_that_is_accepted(account: Account) -> None:
    """Its load balancer is another one than that of the settings; it is led to by hand later."""
    account.push("one")
    beside = account.with_settings("load_balancer.name=elsewhere")
    with without_requests(account):
        assert refused(beside).code == "target-not-in-use"
        outcome = deploy(beside.aws, with_accepted(beside.settings, ["target-not-in-use"]), "one")
        unaccepted = follow(beside.aws, beside.settings, outcome.task_definition)
    (told,) = outcome.findings
    assert (outcome.verdict, told.code) == ("live", "target-not-in-use"), said(outcome)
    assert told.message == "No listener of lobster-alb forwards to lobster-tg."
    assert unaccepted.cause is not None
    assert (unaccepted.verdict, unaccepted.cause.code) == ("failed", "target-not-in-use")


def test_a_target_group_without_a_load_balancer_refuses_a_release_whatever_can_be_read_of_that(
    account: Account,
) -> None:
    """The group alone shows it; who accepts a target not in use accepts the closer reason, too."""
    account.push("one")
    elb = account.client("elbv2")
    balancer = elb.describe_load_balancers(Names=["lobster-alb"])["LoadBalancers"][0]["LoadBalancerArn"]
    elb.delete_load_balancer(LoadBalancerArn=balancer)
    assert refused(account).code == "load-balancer-missing"
    again = replace(account, settings=with_accepted(account.settings, ["target-not-in-use"]))
    assert "accepted (load-balancer-missing)" in previewed(again)
    for code in ("AccessDenied", "ValidationError"):
        account.order_fault(service="elbv2", operation="DescribeLoadBalancers", error={"code": code})
        error = refused(account)
        account.clear_faults()
        assert (error.code, error.next_step) == (
            "target-not-in-use",
            "inv setup-application-load-balancer",
        )
        assert error.what == "No load balancer forwards requests to lobster-tg."


def archive(account: Account, tag: str) -> None:
    """Move an image into ECR's archive."""
    account.client("ecr").update_image_storage_class(
        repositoryName="homara", imageId={"imageTag": tag}, targetStorageClass="ARCHIVE"
    )


def test_an_image_in_the_archive_is_refused_with_what_restores_it(account: Account) -> None:
    """The command is carried out as it is told; pushing the image again restores it at once."""
    account.push("one")
    archive(account, "one")
    error = refused(account)
    assert error.what == "one is archived, and cannot be pulled."
    assert "imageStatus ARCHIVED" in error.why
    command, _, then = error.next_step.partition("; ")
    assert then == "then the same command again"
    program, *given = shlex.split(command)
    here = Path(sys.executable).with_name(program)
    keys = {"AWS_ACCESS_KEY_ID": "AKIAEXAMPLE", "AWS_SECRET_ACCESS_KEY": "example"}
    where = {"AWS_ENDPOINT_URL": account.embedded.url, "AWS_DEFAULT_REGION": account.aws.region, **keys}
    told = subprocess.run([here, *given], env=where, capture_output=True, text=True, check=True).stdout
    assert json.loads(told)["imageStatus"] == "ACTIVATING"
    error = refused(account)
    assert error.what == "one is being restored from the archive, and cannot be pulled yet."
    assert "imageStatus ACTIVATING" in error.why
    assert "shows ACTIVE" in error.next_step
    account.push("one")
    assert account.with_settings("probe.websocket=false").deploy("one").verdict == "live"


def test_the_archive_behind_another_way_in(account: Account) -> None:
    """What somebody else deploys is not looked at before, and its task never starts."""
    image = account.push("two").by_digest
    archive(account, "two")
    outcome = account.follow(image)
    assert outcome.cause is not None, said(outcome)
    assert outcome.cause.code == "image-not-found"
    assert "is archived, and cannot be pulled" in outcome.cause.message
    assert "update-image-storage-class --repository-name homara" in outcome.cause.remedy


def test_layers_that_only_aws_reads(account: Account) -> None:
    """What the embedded AWS cannot do is not held against the image: the verdict names the media type and the way."""
    push(account.client("ecr"), web_app(VERSION="zstd"), tag="zstd", zstd=True)
    outcome = deploy(account.aws, account.settings, "zstd")
    if READS_ZSTD:
        assert outcome.verdict == "live", said(outcome)
        return
    assert outcome.cause is not None, said(outcome)
    assert outcome.cause.code == "cannot-pull"
    assert f"{ZSTD_LAYER} is read by AWS" in outcome.cause.message
    assert "compression=gzip,force-compression=true" in outcome.cause.remedy
