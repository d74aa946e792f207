"""What the Fargate agent does before a task's first process (Developer Guide, "Resolve stopped task errors")."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.embedded.ecs_stack import APP_RUNNER_TRUST, EXECUTION_POLICY, Stack
from tests.embedded.images import ImageSpec, web_app
from tests.embedded_process import eventually

AUTH = "ResourceInitializationError: unable to pull secrets or registry auth: "
RESOURCES = f"{AUTH}execution resource retrieval failed: "
LOGGER = "ResourceInitializationError: failed to validate logger args: "


def fails(stack: Stack, definition: str) -> dict[str, Any]:
    """Run a task that never starts; returns it, STOPPED."""
    task = stack.reaches(stack.run(definition)["taskArn"], "STOPPED")
    assert task["stopCode"] == "TaskFailedToStart"
    assert "startedAt" not in task
    return task


def environment_of(stack: Stack, **more: Any) -> dict[str, str]:
    """The environment that a program sees in a task, of a container with more members."""
    code = "import json, os; print(json.dumps(dict(os.environ)))"
    image = stack.image(ImageSpec({"/app/main.py": code}, ["python", "main.py"]), "env")
    container = stack.container(image, logConfiguration=stack.log_options(), **more)
    arn = stack.run(stack.definition(container))["taskArn"]
    task = stack.reaches(arn, "STOPPED")
    assert task["containers"][0]["exitCode"] == 0, task["stoppedReason"]
    return dict(json.loads(lines(stack, f"web/app/{arn.split('/')[-1]}")[0]))


def lines(stack: Stack, stream: str) -> list[str]:
    """The lines of a log stream."""
    logs = stack.aws.client("logs")
    events = logs.get_log_events(logGroupName=stack.logs, logStreamName=stream, startFromHead=True)["events"]
    return [event["message"] for event in events]


def allow(stack: Stack, action: str | list[str], resource: str = "*") -> None:
    """Give the execution role more permissions."""
    statement = {"Effect": "Allow", "Action": action, "Resource": resource}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    role = stack.execution_role.split("/")[-1]
    stack.aws.client("iam").put_role_policy(RoleName=role, PolicyName="more", PolicyDocument=policy)


def test_fargate_tells_a_program_where_it_runs(stack: Stack) -> None:
    """Developer Guide, "Amazon ECS environment variables": AWS_EXECUTION_ENV, AWS_REGION; PORT is not set."""
    seen = environment_of(stack, environment=[{"name": "MINE", "value": "1"}])
    assert (seen["AWS_EXECUTION_ENV"], seen["AWS_REGION"]) == ("AWS_ECS_FARGATE", "us-east-2")
    assert seen["AWS_ENDPOINT_URL"] == stack.aws.url
    assert seen["MINE"] == "1"
    assert "PORT" not in seen


def test_output_goes_to_the_log_stream_of_the_container(stack: Stack) -> None:
    """awslogs: stream ``<prefix>/<container>/<task id>``; stdout and stderr, a line an event."""
    code = "import sys; print('out'); print('err', file=sys.stderr)"
    image = stack.image(ImageSpec({"/app/main.py": code}, ["python", "-u", "main.py"]), "talk")
    container = stack.container(image, logConfiguration=stack.log_options())
    arn = stack.run(stack.definition(container))["taskArn"]
    stack.reaches(arn, "STOPPED")
    assert sorted(lines(stack, f"web/app/{arn.split('/')[-1]}")) == ["err", "out"]


def test_every_line_is_kept_but_empty_ones(stack: Stack) -> None:
    """PutLogEvents: an event's message has at least one character, so that empty lines are left out; all else
    arrives, in order, up to what a program writes last without a line end.
    """
    code = "import sys\nfor n in range(1000): print(n, '', ' ', sep='\\n')\nsys.stdout.write('the end')"
    image = stack.image(ImageSpec({"/app/main.py": code}, ["python", "main.py"]), "many")
    container = stack.container(image, logConfiguration=stack.log_options())
    arn = stack.run(stack.definition(container))["taskArn"]
    stack.reaches(arn, "STOPPED")
    written = [line for number in range(1000) for line in (str(number), " ")]
    assert lines(stack, f"web/app/{arn.split('/')[-1]}") == [*written, "the end"]


def test_a_stream_name_that_cannot_be(stack: Stack) -> None:
    """ "failed to create Cloudwatch log stream: InvalidParameterException: …": the service's own words are kept."""
    logs = stack.log_options(**{"awslogs-stream-prefix": "a:b"})
    task = fails(stack, stack.definition(stack.container(stack.app, logConfiguration=logs)))
    head = "create stream has been retried 1 times: failed to create Cloudwatch log stream: "
    assert task["stoppedReason"].startswith(f"{LOGGER}{head}InvalidParameterException: ")


def test_a_group_name_that_cannot_be(stack: Stack) -> None:
    """The same words for the group that awslogs-create-group makes."""
    logs = stack.log_options(**{"awslogs-group": "a:b", "awslogs-create-group": "true"})
    allow(stack, "logs:CreateLogGroup")
    task = fails(stack, stack.definition(stack.container(stack.app, logConfiguration=logs)))
    assert "Cloudwatch log group: InvalidParameterException: " in task["stoppedReason"]


def test_an_absent_image(stack: Stack) -> None:
    """ "CannotPullContainerError: pull image manifest has been retried 7 time(s): failed to resolve ref …", as agents
    say today. How long that takes AWS does not say: 6 minutes and a half are our own figure.
    """
    image = stack.app.replace(":v1", ":nowhere")
    task = fails(stack, stack.definition(stack.container(image)))
    reason = (
        "CannotPullContainerError: pull image manifest has been retried 7 time(s): "
        f"failed to resolve ref {image}: {image}: not found"
    )
    assert task["stoppedReason"] == reason
    assert task["containers"][0]["reason"] == reason


def test_an_image_for_another_machine(stack: Stack) -> None:
    """An image for arm64 on X86_64: the program cannot run, exit code 1 or 255, "exec format error" in the log."""
    image = stack.image(ImageSpec(command=["python"], architecture="arm64"), "arm")
    container = stack.container(image, logConfiguration=stack.log_options())
    arn = stack.run(stack.definition(container))["taskArn"]
    task = stack.reaches(arn, "STOPPED")
    assert task["stopCode"] == "EssentialContainerExited"
    assert "exec format error" in lines(stack, f"web/app/{arn.split('/')[-1]}")[0]


def test_a_program_that_is_not_there(stack: Stack) -> None:
    """ "CannotStartContainerError: …", of the task and of the container."""
    container = stack.container(stack.app, entryPoint=["/no/such/program"])
    task = fails(stack, stack.definition(container))
    assert task["stoppedReason"].startswith("CannotStartContainerError: ")
    assert task["containers"][0]["reason"] == task["stoppedReason"]


def test_an_execution_role_that_stays_within_its_account(stack: Stack) -> None:
    """A data perimeter: Deny with 'StringNotEquals' of aws:ResourceAccount, which is the repository's own account here
    (IAM User Guide, "AWS global condition context keys"); it would match if the key were missing."""
    outside = {"StringNotEquals": {"aws:ResourceAccount": "123456789012"}}
    statement = {"Effect": "Deny", "Action": "ecr:*", "Resource": "*", "Condition": outside}
    stack.aws.client("iam").put_role_policy(
        RoleName=stack.execution_role.split("/")[-1],
        PolicyName="perimeter",
        PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [statement]}),
    )
    assert environment_of(stack)["AWS_EXECUTION_ENV"] == "AWS_ECS_FARGATE"


def test_an_execution_role_that_may_not_pull(stack: Stack) -> None:
    """ "… unable to retrieve ecr registry auth: … AccessDeniedException: … ecr:GetAuthorizationToken …"."""
    role = stack.role("poor")
    task = fails(stack, stack.definition(executionRoleArn=role))
    head = f"{RESOURCES}unable to retrieve ecr registry auth: service call has been retried 3 time(s): "
    identifier = task["taskArn"].split("/")[-1]
    assert task["stoppedReason"].startswith(
        f"{head}AccessDeniedException: User: arn:aws:sts::123456789012:assumed-role/poor/{identifier} is not "
        "authorized to perform: ecr:GetAuthorizationToken on resource: *"
    )


def test_an_execution_role_that_may_not_read_the_repository(stack: Stack) -> None:
    """CannotPullContainerError with 403 Forbidden when ecr:BatchGetImage is not allowed on the repository."""
    role = stack.role("half")
    token = {"Effect": "Allow", "Action": "ecr:GetAuthorizationToken", "Resource": "*"}
    stack.aws.client("iam").put_role_policy(
        RoleName="half",
        PolicyName="token",
        PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [token]}),
    )
    task = fails(stack, stack.definition(executionRoleArn=role))
    assert task["stoppedReason"].startswith("CannotPullContainerError: ")
    assert task["stoppedReason"].endswith("403 Forbidden")


def test_an_execution_role_that_may_not_have_the_layers(stack: Stack) -> None:
    """ "ref pull has been retried 1 time(s): failed to copy: httpReadSeeker: failed open: unexpected status code …
    403 Forbidden" without ecr:GetDownloadUrlForLayer on the repository.
    """
    role = stack.role("manifests")
    actions = ["ecr:GetAuthorizationToken", "ecr:BatchGetImage"]
    statement = {"Effect": "Allow", "Action": actions, "Resource": "*"}
    stack.aws.client("iam").put_role_policy(
        RoleName="manifests",
        PolicyName="manifests",
        PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [statement]}),
    )
    reason = fails(stack, stack.definition(executionRoleArn=role))["stoppedReason"]
    head = "CannotPullContainerError: ref pull has been retried 1 time(s): failed to copy: httpReadSeeker: failed open:"
    assert reason.startswith(
        f"{head} unexpected status code https://123456789012.dkr.ecr.us-east-2.amazonaws.com/"
    )
    assert reason.endswith("403 Forbidden")


@pytest.mark.parametrize("member", ["taskRoleArn", "executionRoleArn"])
@pytest.mark.parametrize("kind", ["missing", "untrusting"])
def test_roles_that_ecs_cannot_assume(stack: Stack, member: str, kind: str) -> None:
    """Event "service s failed to launch a task with (error ECS was unable to assume the role '…' …)."; no task."""
    role = "arn:aws:iam::123456789012:role/missing"
    if kind == "untrusting":
        role = stack.role("of-app-runner", trust=APP_RUNNER_TRUST)
    stack.service(stack.definition(**{member: role}))
    message = (
        f"service s failed to launch a task with (error ECS was unable to assume the role '{role}' that was "
        "provided for this task. Please verify that the role being passed has the proper trust relationship and "
        "permissions and that your IAM user has permissions to pass this role.)."
    )
    eventually(lambda: stack.messages()[:1] == [message])
    assert stack.tasks("s", "STOPPED") == stack.tasks("s") == []


def test_a_role_that_appears_later_heals_the_service(stack: Stack) -> None:
    """A new role may need a while: the service tries again until it can be assumed."""
    role = "arn:aws:iam::123456789012:role/later"
    stack.service(stack.definition(taskRoleArn=role))
    eventually(lambda: "failed to launch a task" in "".join(stack.messages()))
    stack.role("later")
    eventually(lambda: stack.describe()["runningCount"] == 1)


def test_an_absent_log_group(stack: Stack) -> None:
    """ "create stream has been retried 1 times: failed to create Cloudwatch log stream: …"."""
    logs = stack.log_options(**{"awslogs-group": "/nowhere"})
    task = fails(stack, stack.definition(stack.container(stack.app, logConfiguration=logs)))
    assert task["stoppedReason"] == (
        f"{LOGGER}create stream has been retried 1 times: failed to create Cloudwatch log stream: "
        "ResourceNotFoundException: The specified log group does not exist."
    )


def test_a_log_group_of_another_region(stack: Stack) -> None:
    """awslogs-region: the group must exist there."""
    logs = stack.log_options(**{"awslogs-region": "us-west-2"})
    definition = stack.definition(stack.container(stack.app, logConfiguration=logs))
    assert "The specified log group does not exist." in fails(stack, definition)["stoppedReason"]
    stack.aws.client("logs", "us-west-2").create_log_group(logGroupName=stack.logs)
    stack.reaches(stack.run(definition)["taskArn"], "RUNNING")


@pytest.mark.parametrize("option", ["awslogs-region", "awslogs-group", "awslogs-stream-prefix"])
def test_options_that_awslogs_needs(stack: Stack, option: str) -> None:
    """ "failed to validate logger args: unable to get awslogs driver arguments: awslogs-region is required"."""
    logs = stack.log_options()
    del logs["options"][option]
    task = fails(stack, stack.definition(stack.container(stack.app, logConfiguration=logs)))
    assert task["stoppedReason"] == (f"{LOGGER}unable to get awslogs driver arguments: {option} is required")


def test_a_buffer_needs_non_blocking_mode(stack: Stack) -> None:
    """awslogs max-buffer-size: "used when the mode is non-blocking"."""
    logs = stack.log_options(mode="blocking", **{"max-buffer-size": "25m"})
    task = fails(stack, stack.definition(stack.container(stack.app, logConfiguration=logs)))
    assert "max-buffer-size option is only supported with 'mode=non-blocking'" in task["stoppedReason"]


def test_awslogs_can_create_the_group_if_it_may(stack: Stack) -> None:
    """awslogs-create-group: "Your IAM policy must include the logs:CreateLogGroup permission"."""
    logs = stack.log_options(**{"awslogs-group": "/new", "awslogs-create-group": "true"})
    definition = stack.definition(stack.container(stack.app, logConfiguration=logs))
    assert "is not authorized to perform: logs:CreateLogGroup" in fails(stack, definition)["stoppedReason"]
    allow(stack, "logs:CreateLogGroup")
    stack.reaches(stack.run(definition)["taskArn"], "RUNNING")
    groups = stack.aws.client("logs").describe_log_groups(logGroupNamePrefix="/new")["logGroups"]
    assert len(groups) == 1


def test_an_execution_role_that_may_not_log(stack: Stack) -> None:
    """AccessDeniedException for logs:CreateLogStream."""
    role = stack.role("silent")
    pull = {"Effect": "Allow", "Action": "ecr:*", "Resource": "*"}
    stack.aws.client("iam").put_role_policy(
        RoleName="silent",
        PolicyName="pull",
        PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [pull]}),
    )
    container = stack.container(stack.app, logConfiguration=stack.log_options())
    task = fails(stack, stack.definition(container, executionRoleArn=role))
    assert task["stoppedReason"].startswith(LOGGER)
    assert (
        "is not authorized to perform: logs:CreateLogStream on resource: arn:aws:logs:"
        in task["stoppedReason"]
    )


def secret(stack: Stack, text: str = "hush") -> str:
    """A secret's ARN."""
    made = stack.aws.client("secretsmanager").create_secret(Name="app/key", SecretString=text)
    return str(made["ARN"])


def with_secret(stack: Stack, value_from: str) -> str:
    """A task definition whose container has a secret ``KEY``."""
    return stack.definition(stack.container(stack.app, secrets=[{"name": "KEY", "valueFrom": value_from}]))


def test_a_secret_by_its_arn(stack: Stack) -> None:
    """secrets valueFrom: the full ARN of a Secrets Manager secret; the execution role reads it."""
    arn = secret(stack)
    allow(stack, "secretsmanager:GetSecretValue", arn)
    assert environment_of(stack, secrets=[{"name": "KEY", "valueFrom": arn}])["KEY"] == "hush"


@pytest.mark.parametrize("granted", ["{partial}-??????", "{whole}"])
def test_a_secret_by_its_partial_arn(stack: Stack, granted: str) -> None:
    """Secrets Manager, "Permissions policy examples": ``secret:SecretName-??????`` is for a secret whose six characters
    are not known. That a request by a partial ARN is authorized for the secret it finds is UNVERIFIED.
    """
    whole = secret(stack)
    partial = whole[: -len("-x1Y2z3")]
    allow(stack, "secretsmanager:GetSecretValue", granted.format(partial=partial, whole=whole))
    assert environment_of(stack, secrets=[{"name": "KEY", "valueFrom": partial}])["KEY"] == "hush"


@pytest.mark.parametrize(
    ("suffix", "value"),
    [(":user::", "new"), (":count::", "3"), (":user:AWSPREVIOUS:", "old"), ("::AWSCURRENT:", None)],
)
def test_a_part_of_a_secret(stack: Stack, suffix: str, value: str | None) -> None:
    """secrets valueFrom: ``ARN:json-key:version-stage:version-id``, of which each part may be empty."""
    first, second = '{"user": "old", "count": 2}', '{"user": "new", "count": 3}'
    arn = secret(stack, first)
    stack.aws.client("secretsmanager").put_secret_value(SecretId=arn, SecretString=second)
    allow(stack, "secretsmanager:GetSecretValue")
    seen = environment_of(stack, secrets=[{"name": "KEY", "valueFrom": f"{arn}{suffix}"}])
    assert seen["KEY"] == (value or second)


def test_a_version_of_a_secret(stack: Stack) -> None:
    """secrets valueFrom: a version id after the colons."""
    arn = secret(stack, "first")
    manager = stack.aws.client("secretsmanager")
    version = manager.describe_secret(SecretId=arn)["VersionIdsToStages"]
    manager.put_secret_value(SecretId=arn, SecretString="second")
    allow(stack, "secretsmanager:GetSecretValue")
    seen = environment_of(stack, secrets=[{"name": "KEY", "valueFrom": f"{arn}:::{next(iter(version))}"}])
    assert seen["KEY"] == "first"


@pytest.mark.parametrize("by", ["name", "ARN"])
@pytest.mark.parametrize("name", ["key", "/app/key"])
def test_a_parameter(stack: Stack, by: str, name: str) -> None:
    """secrets valueFrom: the ARN, or (same region) the name, of an SSM parameter."""
    ssm = stack.aws.client("ssm")
    ssm.put_parameter(Name=name, Value="hush", Type="SecureString")
    arn = f"arn:aws:ssm:us-east-2:123456789012:parameter/{name.lstrip('/')}"
    allow(stack, "ssm:GetParameters", arn)
    seen = environment_of(stack, secrets=[{"name": "KEY", "valueFrom": name if by == "name" else arn}])
    assert seen["KEY"] == "hush"


def test_a_secret_that_may_not_be_read(stack: Stack) -> None:
    """ "unable to retrieve secret from asm: … AccessDeniedException: …"."""
    arn = secret(stack)
    task = fails(stack, with_secret(stack, arn))
    head = (
        f"{RESOURCES}unable to retrieve secret from asm: service call has been retried 1 time(s): "
        f"failed to fetch secret {arn} from secrets manager: AccessDeniedException: "
    )
    assert task["stoppedReason"].startswith(head)
    assert (
        f"is not authorized to perform: secretsmanager:GetSecretValue on resource: {arn}"
        in task["stoppedReason"]
    )


def test_a_secret_without_a_value(stack: Stack) -> None:
    """Secrets Manager can't find the specified secret value for staging label: AWSCURRENT."""
    arn = stack.aws.client("secretsmanager").create_secret(Name="empty")["ARN"]
    allow(stack, "secretsmanager:GetSecretValue")
    reason = fails(stack, with_secret(stack, arn))["stoppedReason"]
    assert reason.endswith(
        "ResourceNotFoundException: Secrets Manager can't find the specified secret value for staging label: "
        "AWSCURRENT"
    )


def test_a_secret_that_is_not_there(stack: Stack) -> None:
    """ResourceNotFoundException: Secrets Manager can't find the specified secret."""
    allow(stack, "secretsmanager:GetSecretValue")
    arn = "arn:aws:secretsmanager:us-east-2:123456789012:secret:gone-AbCdEf"
    reason = fails(stack, with_secret(stack, arn))["stoppedReason"]
    assert reason.endswith("ResourceNotFoundException: Secrets Manager can't find the specified secret.")


def test_a_key_of_a_secret_that_is_no_json(stack: Stack) -> None:
    """ "invalid character 'p' in literal true (expecting 'r')": a JSON key of a secret that is not JSON."""
    arn = secret(stack, "tp-is-no-json")
    allow(stack, "secretsmanager:GetSecretValue")
    reason = fails(stack, with_secret(stack, f"{arn}:user::"))["stoppedReason"]
    assert reason.endswith("invalid character 'p' in literal true (expecting 'r')")


def test_a_key_that_a_secret_does_not_have(stack: Stack) -> None:
    """ "retrieved secret from Secrets Manager did not contain json key …"."""
    arn = secret(stack, "{}")
    allow(stack, "secretsmanager:GetSecretValue")
    reason = fails(stack, with_secret(stack, f"{arn}:user::"))["stoppedReason"]
    assert reason.endswith("retrieved secret from Secrets Manager did not contain json key user")


def test_a_parameter_that_may_not_be_read(stack: Stack) -> None:
    """ "unable to retrieve secrets from ssm: … operation error SSM: GetParameters, … AccessDeniedException"."""
    reason = fails(stack, with_secret(stack, "key"))["stoppedReason"]
    head = f"{RESOURCES}unable to retrieve secrets from ssm: service call has been retried 1 time(s): "
    assert reason.startswith(f"{head}operation error SSM: GetParameters, AccessDeniedException: ")


def test_a_parameter_that_is_not_there(stack: Stack) -> None:
    """ "invalid parameters: <name>"."""
    allow(stack, "ssm:GetParameters")
    assert fails(stack, with_secret(stack, "key"))["stoppedReason"].endswith("invalid parameters: key")


def key(stack: Stack) -> str:
    """A customer's KMS key."""
    return str(stack.aws.client("kms").create_key()["KeyMetadata"]["Arn"])


def test_a_secret_under_a_key_of_ones_own(stack: Stack) -> None:
    """ "kms:Decrypt — Required only if your secret uses a customer managed key and not the default key"."""
    arn = key(stack)
    made = stack.aws.client("secretsmanager").create_secret(Name="k", SecretString="hush", KmsKeyId=arn)
    allow(stack, "secretsmanager:GetSecretValue")
    reason = fails(stack, with_secret(stack, made["ARN"]))["stoppedReason"]
    assert reason.endswith("AccessDeniedException: Access to KMS is not allowed")
    allow(stack, ["secretsmanager:GetSecretValue", "kms:Decrypt"])
    assert environment_of(stack, secrets=[{"name": "KEY", "valueFrom": made["ARN"]}])["KEY"] == "hush"


WHOLE_ACCOUNT = "arn:aws:iam::123456789012:root"


@pytest.mark.parametrize(
    ("principal", "effect", "condition", "in_iam", "may"),
    [
        (WHOLE_ACCOUNT, "Allow", {}, True, True),
        (WHOLE_ACCOUNT, "Allow", {}, False, False),
        ("the role", "Allow", {}, False, True),
        ("another", "Allow", {}, True, False),
        ("the role", "Deny", {}, True, False),
        ("*", "Allow", {"kms:ViaService": "secretsmanager.us-east-2.amazonaws.com"}, False, True),
        ("*", "Allow", {"kms:ViaService": "ssm.us-east-2.amazonaws.com"}, True, False),
    ],
)
def test_the_keys_own_policy_decides(
    stack: Stack, principal: str, effect: str, condition: dict[str, str], in_iam: bool, may: bool
) -> None:
    """KMS Developer Guide, "Key policies in AWS KMS": "Unless the key policy explicitly allows it, you cannot use IAM
    policies to allow access to a KMS key. Without permission from the key policy, IAM policies that allow permissions
    have no effect"; "unless they are explicitly allowed, and never denied, in a key policy, IAM policy, or grant".
    """
    kms = stack.aws.client("kms")
    allow(stack, ["secretsmanager:GetSecretValue", *(["kms:Decrypt"] if in_iam else [])])
    arn = kms.create_key()["KeyMetadata"]["Arn"]
    who = {"the role": stack.execution_role, "another": stack.role("another")}.get(principal, principal)
    said = [{"Effect": effect, "Principal": {"AWS": who}, "Action": "kms:*", "Resource": "*"}]
    said[0] |= {"Condition": {"StringEquals": condition}} if condition else {}
    if effect == "Deny":
        said.append({**said[0], "Effect": "Allow", "Principal": {"AWS": WHOLE_ACCOUNT}})
    document = json.dumps({"Version": "2012-10-17", "Statement": said})
    kms.put_key_policy(KeyId=arn, PolicyName="default", Policy=document)
    made = stack.aws.client("secretsmanager").create_secret(Name="k", SecretString="hush", KmsKeyId=arn)
    if may:
        assert environment_of(stack, secrets=[{"name": "KEY", "valueFrom": made["ARN"]}])["KEY"] == "hush"
    else:
        reason = fails(stack, with_secret(stack, made["ARN"]))["stoppedReason"]
        assert reason.endswith("AccessDeniedException: Access to KMS is not allowed")


def test_a_parameter_under_a_key_of_ones_own(stack: Stack) -> None:
    """The same of a SecureString: the error is KMS's, handed on by SSM."""
    arn = key(stack)
    stack.aws.client("ssm").put_parameter(Name="key", Value="hush", Type="SecureString", KeyId=arn)
    allow(stack, "ssm:GetParameters")
    reason = fails(stack, with_secret(stack, "key"))["stoppedReason"]
    assert "GetParameters, AccessDeniedException: The ciphertext refers to a customer master key" in reason
    allow(stack, ["ssm:GetParameters", "kms:Decrypt"])
    assert environment_of(stack, secrets=[{"name": "KEY", "valueFrom": "key"}])["KEY"] == "hush"


def test_an_explicit_deny_wins(stack: Stack) -> None:
    """IAM: an explicit deny overrides the managed policy's allow."""
    role = stack.role("denied", policies=[EXECUTION_POLICY])
    deny = {"Effect": "Deny", "Action": "ecr:GetAuthorizationToken", "Resource": "*"}
    stack.aws.client("iam").put_role_policy(
        RoleName="denied",
        PolicyName="deny",
        PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [deny]}),
    )
    task = fails(stack, stack.definition(executionRoleArn=role))
    assert "with an explicit deny in an identity-based policy" in task["stoppedReason"]


def test_the_init_process_passes_signals_on(stack: Stack) -> None:
    """linuxParameters initProcessEnabled: the program is not PID 1, so that SIGTERM ends what ignores it as PID 1."""
    image = stack.image(ImageSpec(command=["sleep", "600"]), "sleep")
    arn = stack.run(stack.definition(stack.container(image, linuxParameters={"initProcessEnabled": True})))[
        "taskArn"
    ]
    stack.reaches(arn, "RUNNING")
    stack.ecs.stop_task(cluster="c", task=arn)
    assert stack.reaches(arn, "STOPPED")["containers"][0]["exitCode"] == 143


def test_the_definition_wins_over_the_image(stack: Stack) -> None:
    """The image's own ENV reaches the program; the definition's environment wins over it."""
    image = stack.image(web_app(VERSION="image"), "both")
    stack.service(
        stack.definition(stack.container(image, environment=[{"name": "VERSION", "value": "definition"}])),
        loadBalancers=stack.balanced,
    )
    stack.completed()
    assert stack.get().text == "definition"


def test_an_image_that_is_not_there_is_retried_for_minutes(rapid_stack: Stack) -> None:
    """ "retried 7 time(s)": minutes, by a figure of our own; AWS gives none."""
    image = f"{rapid_stack.image().rpartition(':')[0]}:gone"
    task = rapid_stack.run(rapid_stack.definition(rapid_stack.container(image)))
    ended = rapid_stack.reaches(task["taskArn"], "STOPPED")
    assert (ended["stoppingAt"] - ended["createdAt"]).total_seconds() * 1000 >= 360
