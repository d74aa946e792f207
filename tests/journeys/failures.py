"""Every way in which a release fails, each brought about for real.

``FAILURES`` is the list; ``bring_about`` does one of them to a service of its own, beside others, and answers with
the outcome. ``python -m tests.journeys.failures`` brings about all of them and writes the table of docs/causes.md.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from lobster_tasks.rollout import Outcome, Progress, deploy, follow
from lobster_tasks.rollout.diagnosis.causes import RECORDS, Heals
from tests.embedded.images import ImageSpec, digest_of, push
from tests.embedded_process import PATIENCE, control

from .releasing import Account, beside

Bring = Callable[[Account], Outcome]
AT_ONCE = 4
SECRET = "arn:aws:secretsmanager:us-east-2:123456789012:secret:"
TRUST = "ecs-tasks.amazonaws.com"
INDEX = "application/vnd.oci.image.index.v1+json"
# Waiting does not mend these.
PERMANENT = {code for code, record in RECORDS.items() if record.heals in (Heals.NEVER, Heals.WHEN_THERE)}


@dataclass(frozen=True)
class Failure:
    """``what`` is done, and what has to come of it. ``sample`` is brought about in every run of the tests."""

    name: str
    what: str
    code: str
    bring: Bring
    verdict: str = "rolled_back"
    also: tuple[str, ...] = ()
    findings: tuple[str, ...] = ()
    flags: tuple[str, ...] = ()
    first: bool = False
    sample: bool = False
    service: dict[str, Any] = field(default_factory=dict)
    rule: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Ended:
    """How one ended: the outcome, and how many seconds (AWS's) after ECS had decided it that was known."""

    outcome: Outcome
    late: float | None


def bring_about(account: Account, failure: Failure) -> Ended:
    """Make a service for it, and let it fail."""
    patience = {"deploymentConfiguration": PATIENT} if failure.code in PERMANENT else {}
    site = beside(
        account, failure.name, *failure.flags, first=failure.first, **{**patience, **failure.service}
    )
    if failure.rule:
        account.order_fault(**failure.rule)
    outcome = failure.bring(site)
    return Ended(outcome, _late(site))


def _late(site: Account) -> float | None:
    """From the end of the newest service deployment to the look that saw it; None where it did not end first."""
    where = {"cluster": site.settings.cluster, "service": site.settings.service}
    if site.service()["status"] != "ACTIVE":
        return None
    newest = site.client("ecs").list_service_deployments(**where)["serviceDeployments"][0]
    ended = newest.get("finishedAt")
    if ended is None or site.looked < ended.timestamp():
        return None
    return float(site.looked - ended.timestamp()) * site.aws.clock.speed


def all_of(account: Account, failures: Iterable[Failure]) -> dict[str, Ended]:
    """How many of them ended, a few at a time, by their names."""
    listed = list(failures)
    _ = account.image
    with ThreadPoolExecutor(AT_ONCE) as pool:
        return dict(
            zip([each.name for each in listed], pool.map(partial(bring_about, account), listed), strict=True)
        )


def released(**environment: str) -> Bring:
    """A release of the app with this environment in its image."""
    return lambda site: site.deploy(site.settings.service, **environment)


def followed(**members: Any) -> Bring:
    """A definition with these members of the container, or of the task, that somebody else deploys."""
    return lambda site: site.follow(**members)


def command(*words: str) -> Bring:
    """Another command."""
    return followed(command=list(words))


def shell(script: str) -> Bring:
    """A command of the shell."""
    return command("sh", "-c", script)


def role(site: Account, *statements: dict[str, Any], principal: str = TRUST) -> str:
    """A role of the service's own that may do what the statements say; its ARN."""
    iam, name = site.client("iam"), f"{site.settings.service}-role"
    trust = {"Effect": "Allow", "Principal": {"Service": principal}, "Action": "sts:AssumeRole"}
    arn = str(iam.create_role(RoleName=name, AssumeRolePolicyDocument=policy(trust))["Role"]["Arn"])
    if statements:
        iam.put_role_policy(RoleName=name, PolicyName="p", PolicyDocument=policy(*statements))
    return arn


def policy(*statements: dict[str, Any]) -> str:
    """A policy document."""
    return json.dumps({"Version": "2012-10-17", "Statement": statements})


def allow(*actions: str) -> dict[str, Any]:
    """A statement that allows actions on everything."""
    return {"Effect": "Allow", "Action": list(actions), "Resource": "*"}


def with_role(*actions: str, **members: Any) -> Bring:
    """An execution role that may do just this."""

    def bring(site: Account) -> Outcome:
        statements = [allow(*actions)] if actions else []
        return site.follow(executionRoleArn=role(site, *statements), **members)

    return bring


def with_secret(source: str, *actions: str, value: str | None = None) -> Bring:
    """A secret; ``{}`` in ``source`` is its ARN, where it has a ``value``."""

    def bring(site: Account) -> Outcome:
        named = source
        if value is not None:
            made = site.client("secretsmanager").create_secret(Name=site.settings.service, SecretString=value)
            named = source.format(made["ARN"])
        secrets = [{"name": "OPENAI_API_KEY", "valueFrom": named}]
        may = [allow("ecr:*", "logs:*", *actions)]
        return site.follow(executionRoleArn=role(site, *may), secrets=secrets)

    return bring


def hidden_secret(site: Account) -> Outcome:
    """A secret that the policy of the stack's execution role does not name."""
    arn = site.client("secretsmanager").create_secret(Name=site.settings.service, SecretString="x")["ARN"]
    return site.follow(secrets=[{"name": "OPENAI_API_KEY", "valueFrom": arn}])


def hidden_group(site: Account) -> Outcome:
    """A log group that the policy of the stack's execution role does not name."""
    group = f"/other/{site.settings.service}"
    site.client("logs").create_log_group(logGroupName=group)
    return site.follow(logConfiguration=logging_to(group))


def logging_to(group: str, region: str = "us-east-2") -> dict[str, Any]:
    """logConfiguration."""
    options = {"awslogs-group": group, "awslogs-region": region, "awslogs-stream-prefix": "ecs"}
    return {"logDriver": "awslogs", "options": options}


def for_arm(site: Account) -> Outcome:
    """An image of one program for another processor."""
    spec = ImageSpec(command=["python"], architecture="arm64")
    pushed = push(site.client("ecr"), spec, tag=site.settings.service)
    return site.follow(pushed.by_digest)


def index_for_arm(site: Account) -> Outcome:
    """An image of several platforms, without ours."""
    ecr = site.client("ecr")
    pushed = push(
        ecr, ImageSpec(command=["python"], architecture="arm64"), tag=f"{site.settings.service}-arm"
    )
    entry = {
        "mediaType": "application/vnd.oci.image.manifest.v1+json",
        "digest": pushed.digest,
        "size": len(pushed.manifest),
        "platform": {"os": "linux", "architecture": "arm64"},
    }
    index = json.dumps({"schemaVersion": 2, "mediaType": INDEX, "manifests": [entry]})
    ecr.put_image(
        repositoryName="homara",
        imageManifest=index,
        imageManifestMediaType=INDEX,
        imageTag=site.settings.service,
    )
    return site.follow(f"{pushed.by_digest.partition('@')[0]}@{digest_of(index.encode())}")


def closed_group(site: Account) -> Outcome:
    """Tasks in a security group that lets nobody in."""
    ec2, network = site.client("ec2"), site.service()["networkConfiguration"]["awsvpcConfiguration"]
    vpc = ec2.describe_subnets(SubnetIds=network["subnets"][:1])["Subnets"][0]["VpcId"]
    name = site.settings.service
    group = ec2.create_security_group(GroupName=name, Description=name, VpcId=vpc)["GroupId"]
    return elsewhere(site, {**network, "securityGroups": [group]})


def private_subnets(site: Account) -> Outcome:
    """Tasks without a public address in subnets that lead to an internet gateway."""
    network = site.service()["networkConfiguration"]["awsvpcConfiguration"]
    return elsewhere(site, {**network, "assignPublicIp": "DISABLED"})


def elsewhere(site: Account, network: dict[str, Any]) -> Outcome:
    """A release in another network."""
    arn = site.register(site.image, environment=[{"name": "VERSION", "value": "elsewhere"}])
    site.update(taskDefinition=arn, networkConfiguration={"awsvpcConfiguration": network})
    return follow(site.aws, site.settings, arn, observe=site.observe)


def idle_listener(site: Account) -> Outcome:
    """A listener that answers by itself once the deployment is under way."""
    elb = site.client("elbv2")
    balancer = elb.describe_load_balancers(Names=[site.settings.load_balancer.name])["LoadBalancers"][0]
    listener = elb.describe_listeners(LoadBalancerArn=balancer["LoadBalancerArn"])["Listeners"][0][
        "ListenerArn"
    ]
    fixed = {"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": "404"}}
    return meanwhile(site, lambda: elb.modify_listener(ListenerArn=listener, DefaultActions=[fixed]))


def meanwhile(site: Account, do: Callable[[], object], **environment: str) -> Outcome:
    """A release during which somebody does something, as soon as its deployment has been seen."""
    done: list[object] = []

    def interfere(progress: Progress) -> None:
        site.observe(progress)
        if progress.snapshot is not None and progress.snapshot.record is not None and not done:
            done.append(do())

    tag = site.settings.service
    site.push(tag, **environment)
    return deploy(site.aws, site.settings, tag, observe=interfere)


def superseded(site: Account) -> Outcome:
    """Somebody deploys something else."""
    other = site.register(site.image, environment=[{"name": "VERSION", "value": "other"}])
    return meanwhile(site, lambda: site.update(taskDefinition=other), START_DELAY="20")


def stopped(site: Account, kind: str) -> Outcome:
    """Somebody stops the deployment."""
    ecs, where = site.client("ecs"), {"cluster": site.settings.cluster, "service": site.settings.service}

    def stop() -> object:
        arn = ecs.list_service_deployments(**where)["serviceDeployments"][0]["serviceDeploymentArn"]
        return ecs.stop_service_deployment(serviceDeploymentArn=arn, stopType=kind)

    return meanwhile(site, stop, START_DELAY="20")


def deleted(site: Account) -> Outcome:
    """Somebody deletes the service."""
    where = {"cluster": site.settings.cluster, "service": site.settings.service}
    return meanwhile(site, lambda: site.client("ecs").delete_service(**where, force=True), START_DELAY="20")


def back_to_what_is_broken(site: Account) -> Outcome:
    """The release before cannot start either: its log group is gone, and its task was stopped."""
    group = f"/ecs/{site.settings.service}"
    site.client("logs").create_log_group(logGroupName=group)
    may = role(site, allow("ecr:*", "logs:*"))
    old = site.register(site.image, executionRoleArn=may, logConfiguration=logging_to(group))
    site.update(taskDefinition=old)
    assert follow(site.aws, site.settings, old).verdict == "live"
    ecs, where = site.client("ecs"), {"cluster": site.settings.cluster}

    def lose() -> object:
        site.client("logs").delete_log_group(logGroupName=group)
        for arn in ecs.list_tasks(**where, serviceName=site.settings.service)["taskArns"]:
            task = ecs.describe_tasks(**where, tasks=[arn])["tasks"][0]
            if task["taskDefinitionArn"] == old:
                ecs.stop_task(**where, task=arn)
        return True

    return meanwhile(site, lose, EXIT_CODE="3")


def taken_back(site: Account) -> Outcome:
    """Every task is interrupted as soon as it runs."""

    def take_back(progress: Progress) -> None:
        site.observe(progress)
        for task in progress.snapshot.ours if progress.snapshot else ():
            if task.running:
                order = {"task": task.arn}
                control.post(f"{site.embedded.url}/_embedded/interrupt-spot", json=order, timeout=PATIENCE)

    site.push("spot", START_DELAY="60")
    return deploy(site.aws, site.settings, "spot", observe=take_back)


SLOW_TO_DIE = {"deploymentCircuitBreaker": {"enable": True, "rollback": True, "resetOnHealthyTask": False}}
# What cannot heal has to be stopped by whoever watches: here tasks fail faster than a busy machine may look.
PATIENT = {
    "deploymentCircuitBreaker": {
        "enable": True,
        "rollback": True,
        "resetOnHealthyTask": True,
        "thresholdConfiguration": {"type": "COUNT", "value": 20},
    }
}
NO_ROOM = {
    "minimumHealthyPercent": 75,
    "maximumPercent": 125,
    "deploymentCircuitBreaker": {"enable": True, "rollback": True},
}
EXEC_CHECK = {"command": ["CMD-SHELL", "exit 1"], "interval": 5, "timeout": 2, "retries": 2, "startPeriod": 0}

# What uvicorn is with --ssl-certfile, down to its colours: a client that does not begin with a handshake is hung up on.
TLS = """
import signal, socket, ssl
signal.signal(signal.SIGTERM, lambda *_: exit())
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
listener = socket.create_server(("0.0.0.0", 8501))
print("\\x1b[32mINFO\\x1b[0m:     Uvicorn running on \\x1b[1mhttps://0.0.0.0:8501\\x1b[0m (CTRL+C)", flush=True)
while True:
    with listener.accept()[0] as connection:
        try:
            context.wrap_socket(connection, server_side=True)
        except OSError:
            pass
"""

FAILURES: tuple[Failure, ...] = (
    # the image
    Failure(
        "no-image",
        "an image that is not in the repository",
        "image-not-found",
        lambda site: site.follow(f"{site.image.partition('@')[0]}:gone"),
        sample=True,
    ),
    Failure("no-platform", "an index of images without ours", "image-platform", index_for_arm),
    Failure("no-processor", "one image, for arm64", "exec-format", for_arm),
    Failure("no-pull", "the execution role may do nothing", "registry-denied", with_role()),
    Failure(
        "no-layers",
        "the execution role gets a token, no image",
        "registry-denied",
        with_role("ecr:GetAuthorizationToken", "logs:*"),
    ),
    # secrets
    Failure(
        "no-secret",
        "a secret that is not there",
        "secret-not-found",
        with_secret(f"{SECRET}gone-AbCdEf", "secretsmanager:*"),
    ),
    Failure(
        "no-parameter", "a parameter that is not there", "secret-not-found", with_secret("/app/gone", "ssm:*")
    ),
    Failure(
        "no-key",
        "a JSON key that the secret does not have",
        "secret-key-missing",
        with_secret("{}:user::", "secretsmanager:*", value="{}"),
        sample=True,
    ),
    Failure(
        "no-json",
        "a JSON key of a secret that is no JSON",
        "secret-key-missing",
        with_secret("{}:user::", "secretsmanager:*", value="plain"),
    ),
    # logs
    Failure(
        "no-log-group",
        "a log group that is not there",
        "log-group-missing",
        with_role("ecr:*", "logs:*", logConfiguration=logging_to("/ecs/gone")),
        sample=True,
    ),
    Failure(
        "no-region",
        "a log group of another region",
        "log-group-region",
        with_role("ecr:*", "logs:*", logConfiguration=logging_to("/ecs/lobster-streamlit", "us-west-2")),
    ),
    Failure(
        "no-option",
        "awslogs without a stream prefix",
        "log-options",
        followed(
            logConfiguration={
                "logDriver": "awslogs",
                "options": {"awslogs-group": "/ecs/lobster-streamlit", "awslogs-region": "us-east-2"},
            }
        ),
    ),
    # roles
    Failure(
        "no-trust",
        "an execution role that trusts App Runner",
        "execution-role-not-assumable",
        lambda site: site.follow(executionRoleArn=role(site, principal="tasks.apprunner.amazonaws.com")),
        sample=True,
    ),
    Failure(
        "no-task-role",
        "a task role that is not there",
        "task-role-missing",
        followed(taskRoleArn="arn:aws:iam::123456789012:role/nobody"),
    ),
    Failure(
        "no-task-trust",
        "a task role that trusts App Runner",
        "task-role-not-assumable",
        lambda site: site.follow(taskRoleArn=role(site, principal="tasks.apprunner.amazonaws.com")),
    ),
    # the program
    Failure("exits-3", "the program exits with 3", "exits", released(EXIT_CODE="3"), sample=True),
    Failure("exits-0", "the program ends well", "exits", command("python", "-c", "print('done')")),
    Failure(
        "exits-import",
        "the program imports what is not there",
        "exits",
        command("python", "-c", "import pandaz"),
        sample=True,
    ),
    Failure("exits-126", "the program is not executable", "exits", shell("/app/web_app.py")),
    Failure("exits-137", "the program is killed", "exits", shell("kill -KILL $$")),
    Failure("exits-139", "the program crashes", "exits", shell("kill -SEGV $$")),
    Failure("exits-143", "the program is told to stop", "exits", shell("kill -TERM $$")),
    Failure("exits-255", "the program exits with 255", "exits", shell("exit 255")),
    Failure(
        "no-command",
        "a program that is not in the image",
        "command-not-found",
        command("streamlti"),
        sample=True,
    ),
    Failure("no-command-sh", "the same, by a shell", "command-not-found", shell("streamlti run app.py")),
    Failure(
        "no-start",
        "an entry point that is not executable",
        "cannot-start",
        followed(entryPoint=["/app/web_app.py"]),
    ),
    Failure(
        "no-memory",
        "600 MiB in a task of 512",
        "out-of-memory",
        released(EAT_MIB="600", START_DELAY="1"),  # it is noticed within some fifth of a second
        flags=("task.cpu=256", "task.memory=512"),
        sample=True,
    ),
    # the load balancer and the app
    Failure(
        "port-9000",
        "the app listens on 9000",
        "wrong-port",
        followed(environment=[{"name": "PORT", "value": "9000"}]),
        sample=True,
    ),
    Failure(
        "loopback",
        "the app listens on 127.0.0.1",
        "bound-to-loopback",
        released(BIND="127.0.0.1"),
        sample=True,
    ),
    Failure(
        "tls",
        "the app expects TLS",
        "target-group-mismatch",
        command("python", "-c", TLS),
        sample=True,
        service={"deploymentConfiguration": PATIENT},
    ),
    Failure(
        "silent",
        "the app listens on 9000 and says nothing",
        "wrong-port",
        followed(environment=[{"name": "PORT", "value": "9000"}, {"name": "QUIET", "value": "1"}]),
        also=("bound-to-loopback",),
    ),
    Failure(
        "health-404",
        "the health check's path answers 404",
        "health-path-status",
        released(HEALTH_STATUS="404"),
        sample=True,
    ),
    Failure("health-500", "it answers 500", "health-path-status", released(HEALTH_STATUS="500")),
    Failure("health-hangs", "it does not answer", "health-check-timeout", released(HEALTH_DELAY="60")),
    Failure(
        "closed", "a security group that lets nobody in", "security-group-blocks", closed_group, sample=True
    ),
    Failure(
        "sick-later",
        "healthy at first, then 500",
        "unhealthy-later",
        released(SICK_AFTER="1.5"),
        flags=("deployment.deregistration_delay=300",),
        service={"deploymentConfiguration": SLOW_TO_DIE},
    ),
    Failure(
        "own-check",
        "the container's own health check fails",
        "container-health-check",
        followed(healthCheck=EXEC_CHECK),
    ),
    Failure(
        "no-listener",
        "the listener forwards no more",
        "target-not-in-use",
        idle_listener,
        verdict="out_of_time",
        flags=("deployment.wait_minutes=1",),
    ),
    Failure(
        "no-socket",
        "no WebSocket at probe.websocket",
        "probe-failed",
        released(),
        verdict="failed",
        flags=("probe.websocket=/plain",),
        sample=True,
    ),
    # the network
    Failure("no-route", "no public address in a public subnet", "no-route-to-registry", private_subnets),
    # the deployment
    Failure(
        "first",
        "a first release exits with 3",
        "exits",
        released(EXIT_CODE="3"),
        verdict="failed",
        findings=("no-release-before",),
        first=True,
        sample=True,
    ),
    Failure(
        "first-no-image",
        "a first release has no program",
        "command-not-found",
        command("streamlti"),
        verdict="failed",
        findings=("no-release-before",),
        first=True,
    ),
    Failure(
        "other", "somebody deploys meanwhile", "superseded", superseded, verdict="superseded", sample=True
    ),
    Failure("stop", "somebody stops the deployment", "stopped-by-user", partial(stopped, kind="ROLLBACK")),
    Failure(
        "abort",
        "somebody aborts the deployment",
        "stopped-by-user",
        partial(stopped, kind="ABORT"),
        verdict="failed",
    ),
    Failure("gone", "somebody deletes the service", "service-gone", deleted, verdict="failed"),
    Failure(
        "slow",
        "the app takes minutes to start",
        "out-of-time",
        released(START_DELAY="60"),
        verdict="out_of_time",
        flags=("deployment.wait_minutes=0.3",),
        sample=True,
    ),
    Failure(
        "no-room",
        "minimum and maximum of 75 and 125 % of one task",
        "deployment-percent",
        followed(environment=[{"name": "VERSION", "value": "next"}]),
        verdict="out_of_time",
        flags=("deployment.wait_minutes=1",),
        service={"deploymentConfiguration": NO_ROOM},
    ),
    Failure(
        "no-way-back",
        "the previous release cannot start either",
        "exits",
        back_to_what_is_broken,
        verdict="failed",
        findings=("rollback-failed",),
    ),
    # what the stack's own execution role may not do
    Failure(
        "no-reading",
        "a secret that the execution role is not allowed to read",
        "secret-not-readable",
        hidden_secret,
        sample=True,
    ),
    Failure(
        "no-reading-ssm",
        "a parameter that the execution role is not allowed to read",
        "secret-not-readable",
        followed(secrets=[{"name": "KEY", "valueFrom": "/app/key"}]),
    ),
    Failure("no-logging", "the execution role is not allowed to log", "logs-denied", hidden_group),
)

SPOT = [{"capacityProvider": "FARGATE_SPOT", "weight": 1}]
NOBODY = "arn:aws:iam::123456789012:role/nobody"
# These change the whole account, so that nothing else goes on beside them.
ALONE: tuple[Failure, ...] = (
    Failure(
        "no-capacity",
        "Fargate has no room",
        "no-capacity",
        released(),
        verdict="out_of_time",
        flags=("deployment.wait_minutes=2",),
        rule={"capacity_unavailable_seconds": 100000},
        sample=True,
    ),
    Failure(
        "quota",
        "the quota of vCPUs is used up",
        "quota",
        released(),
        verdict="out_of_time",
        flags=("deployment.wait_minutes=2",),
        rule={"vcpu_quota": 0.6},
    ),
    Failure(
        "spot",
        "Spot takes every task back",
        "spot-interrupted",
        taken_back,
        verdict="out_of_time",
        flags=("deployment.wait_minutes=1",),
        service={"capacityProviderStrategy": SPOT},
    ),
    Failure(
        "late-events",
        "a task role that is not there, and events come late",
        "task-role-missing",
        followed(taskRoleArn=NOBODY),
        rule={"event_delay_seconds": 8},
        sample=True,
    ),
)
