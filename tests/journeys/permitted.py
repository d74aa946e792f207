"""Journeys under the roles that our policies make, and what IAM was asked on the way."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from embedded_aws.iam.policy import decide
from lobster_tasks import attachable, converge, doctor, rollout, stack, templates
from lobster_tasks.account import with_live_names
from lobster_tasks.apprunner.cutover import domains_here
from lobster_tasks.aws import Aws
from lobster_tasks.clock import Clock
from lobster_tasks.errors import NotReadyError
from lobster_tasks.images.engines import registry_access
from lobster_tasks.rollout.deployment.keeping import keep
from lobster_tasks.settings import REGION_TAG, Settings, load
from tests.conftest import SPEED
from tests.embedded.apprunner_stack import Sites
from tests.embedded.firewalls import web_acl
from tests.embedded.identities import ACCOUNT, Identity, identity, role
from tests.embedded.images import push, web_app
from tests.embedded.test_conformance_elbv2_tls import make_certificate
from tests.embedded_process import EmbeddedProcess, eventually
from tests.project import Project

from . import releasing
from .converging import READ_ONLY, Account, Meddler, account_of
from .test_drift import DRIFTS, POWER_USER, Drift

Document = Mapping[str, Any]
# Every setting that lets the setup policy say more, but the firewall; the log group and the images are there anyway.
FULL = (
    "github.repository=somebody/app",
    "task.policies=" + READ_ONLY,
    f"task.permissions_boundary={POWER_USER}",
    "scaling.max=4",
    "xray.enabled=true",
    "container.environment.A=1",
    "container.secrets.KEY=/lobster/key",
    "domains=app.example.com",
)
# The same with a firewall, whose ARN AWS makes up: as long, and with the same name.
FIREWALL = "ours"
LIKE_FULL = (*FULL, f"load_balancer.web_acl=arn:aws:wafv2:us-east-2:{ACCOUNT}:regional/webacl/{FIREWALL}/0")
RELEASED = (*releasing.FAST, "container.secrets.TOKEN=/lobster/token", "scaling.max=4")


@dataclass(frozen=True)
class Question:
    """One question that IAM was asked."""

    action: str
    resource: str
    context: str

    def allowed_by(self, policy: Document) -> bool:
        """Whether a policy allows it."""
        return decide([policy], self.action, self.resource, json.loads(self.context)).allowed


@dataclass(frozen=True)
class RecordedQuestions:
    """Settings, and what IAM was asked on the way that is for them."""

    settings: Settings
    questions: list[Question]


def asked(embedded: EmbeddedProcess) -> list[Question]:
    """What IAM was asked since the calls were forgotten, each once."""
    found = {
        Question(each["action"], each["resource"], json.dumps(each["context"], sort_keys=True))
        for call in embedded.calls()
        for each in call["asked"]
    }
    return sorted(found, key=lambda each: (each.action, each.resource, each.context))


def refusals(embedded: EmbeddedProcess) -> set[str]:
    """The actions for want of which calls were refused."""
    refused = [call for call in embedded.calls() if call["asked"] and call["status"] in (400, 403)]
    return {call["asked"][-1]["action"] for call in refused}


def settings_of(*flags: str) -> Settings:
    """The plan's settings with these flags."""
    return load({}, {}, flags)


def full_settings(embedded: EmbeddedProcess) -> Settings:
    """Every setting that lets the setup policy say more, in an account that has the firewall."""
    return settings_of(*FULL, f"load_balancer.web_acl={web_acl(embedded, FIREWALL)}")


def setup_policy(settings: Settings) -> Document:
    """The policy of whoever sets up."""
    return templates.setup_policy(settings, ACCOUNT, "aws")


# What no journey here asks for, and why it is allowed all the same.
FOR_AWS_ITSELF = {
    # The reference has the family as its resource, where it had none before: allowed in both forms.
    "RegisterWhereAwsNamesNoFamily": "ecs:RegisterTaskDefinition",
}


def deploy_policy(settings: Settings) -> Document:
    """The policy of the deploy role."""
    return templates.github_actions_policy(settings, ACCOUNT, "aws")


def account_as(embedded: EmbeddedProcess, who: Identity, settings: Settings) -> Account:
    """The account as somebody sees it who is not an administrator."""
    clock = Clock(speed=SPEED)
    aws = Aws("us-east-2", endpoint_url=embedded.url, credentials=who.credentials, clock=clock)
    return Account(embedded, aws, settings)


def set_up(account: Account) -> None:
    """Everything that the setup policy is for: make, look, repair, remove; make again, adopt, let go."""
    account.client("acm").request_certificate(
        DomainName="app.example.com",
        ValidationMethod="DNS",
        Tags=[{"Key": stack.STACK_TAG, "Value": account.settings.name}],
    )
    _converge(account)
    _keep_what_serves(account)
    doctor.examine(account.aws, account.settings, Path())
    _put_another_load_balancer_beside(account)
    _converge(account)
    meddler = Meddler(account)
    for drift in _one_for_each_repair():
        drift.do(meddler)
    _forget_the_audience(account)
    _converge(account)
    account.client("route53").create_hosted_zone(Name="example.com", CallerReference="once")
    domains_here(account.aws, account.settings)
    role = account.settings.task.execution_role
    account.client("iam").attach_role_policy(RoleName=role, PolicyArn=READ_ONLY)
    with _guests(account):
        _remove(account)
    _remove(account)
    _converge(account)
    _untag(account)
    _converge(account, adopt=True)
    _remove(account)


@contextmanager
def _guests(account: Account) -> Iterator[None]:
    """With HTTPS, and with a task of somebody else's in the cluster and an App Runner service of their image."""
    made, acm = make_certificate("app.example.com"), account.client("acm")
    arn = acm.import_certificate(Certificate=made.certificate, PrivateKey=made.key)["CertificateArn"]
    _converge(account)
    meddler = Meddler(account_of(account.embedded, SPEED))
    meddler.register("theirs", {"name": "a", "image": "public.ecr.aws/x/a:1"})
    started = meddler.ecs.run_task(
        cluster=account.settings.cluster,
        taskDefinition="theirs",
        launchType="FARGATE",
        networkConfiguration={"awsvpcConfiguration": {"subnets": meddler.subnets}},
    )
    sites = Sites(account.embedded)
    theirs = sites.create("theirs")["ServiceArn"]
    yield
    sites.api.delete_service(ServiceArn=theirs)
    eventually(lambda: not sites.api.list_services()["ServiceSummaryList"])
    for task in started["tasks"]:
        meddler.ecs.stop_task(cluster=account.settings.cluster, task=task["taskArn"])
    acm.delete_certificate(CertificateArn=arn)


def _one_for_each_repair() -> Iterator[Drift]:
    """The first drift of each kind; a revision by hand is nobody's, and port 443 is open here.

    A role without its region's tag and with another trust tells no region, and is nobody's either.
    """
    seen: set[tuple[str, ...]] = set()
    for drift in DRIFTS:
        nobodys = drift.resource.startswith("task-definition/") or drift.attribute == "region"
        apart = nobodys or drift.what == "more get in"
        if not apart and drift.repair not in seen:
            seen.add(drift.repair)
            yield drift


def _whole(account: Account) -> stack.Stack:
    settings = account.settings
    return stack.build_access(settings, ACCOUNT) + stack.build(settings, ACCOUNT)


def _converge(account: Account, *, adopt: bool = False) -> None:
    desired = _whole(account)
    made = converge.plan(desired, converge.read(account.aws, desired), adopt=adopt)
    converge.apply(account.aws, made, lambda _: None)
    converge.verify(account.aws, desired)


def _put_another_load_balancer_beside(account: Account) -> None:
    """An internal one, which has the other names, beside the public one."""
    section = account.settings.load_balancer.model_copy(update={"internal": True})
    inside = account.settings.model_copy(update={"load_balancer": section})
    inside = with_live_names(account.aws, inside, replacing=True)
    converge.bring(account.aws, stack.build_access(inside, ACCOUNT) + stack.build(inside, ACCOUNT))


def _remove(account: Account) -> None:
    desired = _whole(account)
    live = converge.read(account.aws, desired)
    others = converge.dependents(account.aws, desired, live)
    removal = converge.plan_removal(desired, live, others, keep_data=False)
    converge.apply(account.aws, removal, lambda _: None)


def _keep_what_serves(account: Account) -> None:
    """A release of somebody else's, before a lifecycle policy is put."""
    image = push(account_of(account.embedded, SPEED).client("ecr"), web_app(), repository="homara", tag="one")
    seen = releasing.Account(account.embedded, account.aws, account.settings)
    rollout.keep_serving(account.aws, account.settings, _unsaid)
    keep(account.aws, account.settings, seen.register(image.by_digest), _unsaid)


def _unsaid(what: str) -> None:
    """Nothing is to be said."""
    raise AssertionError(what)


def _forget_the_audience(account: Account) -> None:
    arn = templates.github_provider_arn(ACCOUNT, "aws")
    account.client("iam").remove_client_id_from_open_id_connect_provider(
        OpenIDConnectProviderArn=arn, ClientID="sts.amazonaws.com"
    )


def _untag(account: Account) -> None:
    """Take the stack's tag off everything but the security groups, which an administrator has to adopt."""
    administrator = account_of(account.embedded, SPEED).aws
    for resource, live in converge.read(administrator, _whole(account)).items():
        if live is not None and resource.kind != "security-group":
            resource.untag(administrator, live, (stack.STACK_TAG, REGION_TAG))


def session_with(embedded: EmbeddedProcess, name: str, policy: Document) -> Identity:
    """A session of a new role with this one policy, in as many documents as can be attached."""
    iam, arn = embedded.client("iam"), role(embedded, name)
    for number, part in enumerate(attachable.documents(policy)):
        made = iam.create_policy(PolicyName=f"{name}-{number}", PolicyDocument=json.dumps(part))
        iam.attach_role_policy(RoleName=name, PolicyArn=made["Policy"]["Arn"])
    answer = embedded.client("sts").assume_role(RoleArn=arn, RoleSessionName="test")
    return identity(embedded, answer)


@dataclass(frozen=True)
class Part:
    """One action, or one resource, of one statement, and the policy without it."""

    sid: str
    what: str
    policy: Document

    def __str__(self) -> str:
        return f"{self.sid}: {self.what}"


def parts(policy: Document) -> Iterator[Part]:
    """Every action and every resource of every statement, where there is more than one of them."""
    for at, statement in enumerate(policy["Statement"]):
        for element in ("Action", "Resource"):
            members = statement[element] if isinstance(statement[element], list) else [statement[element]]
            for member in members:
                yield Part(statement["Sid"], member, _without(policy, at, element, members, member))


def _without(policy: Document, at: int, element: str, members: Sequence[str], member: str) -> Document:
    reduced = copy.deepcopy(dict(policy))
    rest = [each for each in members if each != member]
    if rest:
        reduced["Statement"][at][element] = rest
    else:
        del reduced["Statement"][at]
    return reduced


def needless(policy: Document, questions: Iterable[Question]) -> list[str]:
    """The parts of a policy without which everything would be allowed as well."""
    return needless_beside({"Statement": []}, policy, questions)


def needless_beside(base: Document, policy: Document, questions: Iterable[Question]) -> list[str]:
    """The parts of a policy that who has ``base`` too does without, of what both together allow."""
    policy = {"Statement": [each for each in policy["Statement"] if each["Sid"] not in FOR_AWS_ITSELF]}
    left = [each for each in questions if not each.allowed_by(base)]
    allowed = [each for each in left if each.allowed_by(policy)]
    return [
        str(each)
        for each in parts(policy)
        if each.sid not in FOR_AWS_ITSELF and all(question.allowed_by(each.policy) for question in allowed)
    ]


def released(account: releasing.Account, project: Project) -> None:
    """Everything that the deploy role is for: push, deploy, look, a release that fails, back, more tasks."""
    aws, settings = account.aws, account.settings
    project.inv("push-image", "--tag", "one", "--builder", "process").check()
    project.inv("push-image", "--once", "--tag", "one", "--builder", "process").check()
    _ends(rollout.deploy(aws, settings, "one"), "live")
    account.push("two")
    _ends(rollout.deploy(aws, settings, "two"), "live")
    account.push("three", EXIT_CODE="127")
    _ends(rollout.deploy(aws, settings, "three"), "rolled_back")
    _ends(rollout.rollback(aws, settings), "live")
    rollout.scale(aws, settings, 2)
    for task in (("status",), ("logs",), ("logs", "--task", _a_task(account)), ("history",)):
        project.inv(*task).check()
    registry_access(aws)  # what docker and podman sign in with
    project.inv("render-task-definition", "--tag", "one", "--circuit-breaker").check()
    account.order_fault(operation="ListServiceDeployments", error={"code": "InvalidAction"})
    rollout.history(aws, settings)  # where ECS has no service deployments, the revisions tell
    account.clear_faults()
    network = account.service()["networkConfiguration"]
    network["awsvpcConfiguration"]["assignPublicIp"] = "DISABLED"
    account.update(networkConfiguration=network)
    with suppress(NotReadyError):  # public subnets, and no public address: are there endpoints?
        rollout.preview(aws, settings, "one")
    _take_policy(account)
    with suppress(
        NotReadyError
    ):  # the role may do nothing: do the repository and the secrets let it in themselves?
        rollout.preview(aws, settings, "one")


def _take_policy(account: releasing.Account) -> None:
    """The execution role's own policy is gone."""
    iam, role = account_of(account.embedded, SPEED).client("iam"), account.settings.task.execution_role
    for name in iam.list_role_policies(RoleName=role)["PolicyNames"]:
        iam.delete_role_policy(RoleName=role, PolicyName=name)


def _a_task(account: releasing.Account) -> str:
    where = {"cluster": account.settings.cluster, "serviceName": account.settings.service}
    return str(account.client("ecs").list_tasks(**where)["taskArns"][0]).rpartition("/")[2]


def _ends(outcome: rollout.Outcome, verdict: str) -> None:
    assert outcome.verdict == verdict, (outcome.why, outcome.cause)
