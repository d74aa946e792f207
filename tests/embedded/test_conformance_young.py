"""A young account: what AWS refuses at first and then grants, and what it refuses until somebody asks it.

Sources: terraform-provider-aws, which waits these refusals out (``internal/service/ecs/cluster.go``
retryClusterCreate, ``ecs/service.go`` retryServiceCreate, ``appautoscaling/target.go`` registerScalableTarget,
``appautoscaling/policy.go`` resourcePolicyCreate); the API References; reports of people, where it is said.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.embedded.apprunner_stack import Sites
from tests.embedded.ecs_stack import Stack
from tests.embedded.refusals import refused
from tests.embedded.test_conformance_autoscaling import TARGET, TRACKING
from tests.embedded_process import EmbeddedProcess, eventually, start


@pytest.fixture
def young(aws: EmbeddedProcess) -> EmbeddedProcess:
    """A young account."""
    aws.order({"young_account": True})
    return aws


def refusals(call: Callable[[], Any]) -> list[tuple[str, str]]:
    """What AWS answers to a call that is made until it is granted, each refusal once."""
    met: dict[tuple[str, str], None] = {}

    def granted() -> bool:
        try:
            call()
        except ClientError as error:
            met[error.response["Error"]["Code"], error.response["Error"]["Message"]] = None
            return False
        return True

    eventually(granted)
    return list(met)


LINKED = "Unable to assume the service linked role. Please verify that the ECS service linked role exists."


@pytest.fixture(scope="module")
def standing_still() -> Iterator[EmbeddedProcess]:
    """An embedded AWS in which what is young stays so for minutes."""
    with start(speed=0.1, boot_allowance=2) as running:
        yield running


@pytest.fixture
def still(standing_still: EmbeddedProcess) -> Stack:
    """A service ``s`` of no tasks, made a moment before the account is taken for a young one."""
    standing_still.reset()
    stack = Stack(standing_still)
    stack.service(stack.definition(), desiredCount=0)
    return stack


def test_the_first_cluster_is_refused_while_ecs_cannot_assume_its_role(young: EmbeddedProcess) -> None:
    """Terraform, retryClusterCreate: InvalidParameterException "Unable to assume the service linked role"."""
    met = refusals(lambda: young.client("ecs").create_cluster(clusterName="c"))
    assert met == [("InvalidParameterException", LINKED)]


def test_an_account_that_was_used_before_has_a_cluster_at_once(aws: EmbeddedProcess) -> None:
    assert refusals(lambda: aws.client("ecs").create_cluster(clusterName="c")) == []


def test_the_first_service_is_refused_while_ecs_cannot_assume_its_role(still: Stack) -> None:
    """Terraform, retryServiceCreate: the same text."""
    still.aws.order({"young_account": True})
    with refused("InvalidParameterException", LINKED):
        still.service(still.definition(), serviceName="other")


def test_the_first_scalable_target_is_refused_for_a_while(still: Stack) -> None:
    """Terraform, registerScalableTarget: ValidationException "ECS service doesn't exist"."""
    still.aws.order({"young_account": True})
    with refused("ValidationException", "ECS service doesn't exist: service/c/s"):
        still.aws.client("application-autoscaling").register_scalable_target(
            **TARGET, MinCapacity=0, MaxCapacity=2
        )


def test_the_first_policy_is_refused_for_a_while(still: Stack) -> None:
    """Terraform, resourcePolicyCreate: FailedResourceAccessException "token included in the request is invalid", and
    ObjectNotFoundException.
    """
    scaling, iam = still.aws.client("application-autoscaling"), still.aws.client("iam")
    scaling.register_scalable_target(**TARGET, MinCapacity=0, MaxCapacity=2)
    still.aws.order({"young_account": True})
    with refused("FailedResourceAccessException", "The security token included in the request is invalid"):
        scaling.put_scaling_policy(PolicyName="p", **TARGET, **TRACKING)
    iam.delete_service_linked_role(RoleName="AWSServiceRoleForApplicationAutoScaling_ECSService")
    with refused("ObjectNotFoundException", "No scalable target registered"):
        scaling.put_scaling_policy(PolicyName="p", **TARGET, **TRACKING)


def test_a_scalable_target_and_its_policy_are_granted_in_the_end(young: EmbeddedProcess) -> None:
    """Terraform, registerScalableTarget: ValidationException "Unable to assume IAM role", until it is made known."""
    young.forgive()
    stack = Stack(young)
    stack.service(stack.definition(), desiredCount=0)
    young.order({"young_account": True})
    scaling = young.client("application-autoscaling")
    met = refusals(lambda: scaling.register_scalable_target(**TARGET, MinCapacity=0, MaxCapacity=2))
    assert met[-1][0] == "ValidationException"
    assert met[-1][1].startswith(
        "Unable to assume IAM role: arn:aws:iam::123456789012:role/aws-service-role/"
    )
    refusals(lambda: scaling.put_scaling_policy(PolicyName="p", **TARGET, **TRACKING))


def test_roles_of_a_young_account_are_assumable_after_a_while(young: EmbeddedProcess) -> None:
    """IAM User Guide, "Changes that I make are not always immediately visible"."""
    stack = Stack(young)
    refusals(lambda: young.client("ecs").create_cluster(clusterName="c"))
    image, numbers = stack.app, itertools.count()

    def was_too_young() -> bool:
        """Unless this machine took longer for a role and its service than AWS takes to make a role known."""
        name = f"s{next(numbers)}"
        role = stack.role(f"of-{name}", policies=["arn:aws:iam::aws:policy/AdministratorAccess"])
        stack.service(stack.definition(stack.container(image), executionRoleArn=role), name)
        stack.completed(name)
        return any("ECS was unable to assume the role" in each for each in stack.messages(name))

    eventually(was_too_young)


def test_app_runner_does_not_know_a_role_that_was_just_made(young: EmbeddedProcess) -> None:
    """terraform-provider-aws, pull request 19483, and pulumi-aws, issue 1697: InvalidRequestException "Error in
    assuming access role", or "instance role", which a second try a moment later does not meet.
    """
    sites = Sites(young)
    met = refusals(lambda: sites.begin(SourceConfiguration=sites.source()))
    assert met == [("InvalidRequestException", f"Error in assuming access role {sites.access_role}")]


@pytest.mark.parametrize(
    ("rules", "vcpus"), [([], 4000.0), ([{"young_account": True}], 6.0), ([{"vcpu_quota": 2}], 2.0)]
)
def test_the_quota_of_fargate_can_be_asked_for(
    aws: EmbeddedProcess, rules: list[dict[str, Any]], vcpus: float
) -> None:
    """Service Quotas, GetServiceQuota: "the applied quota value"; fargate L-3032A538 is "Fargate On-Demand vCPU
    resource count". People read 4000 in old accounts and 6 in new ones.
    """
    aws.order(*rules)
    quota = aws.client("service-quotas").get_service_quota(ServiceCode="fargate", QuotaCode="L-3032A538")[
        "Quota"
    ]
    assert (quota["QuotaName"], quota["Value"]) == ("Fargate On-Demand vCPU resource count", vcpus)
    assert quota["QuotaArn"] == "arn:aws:servicequotas:us-east-2:123456789012:fargate/L-3032A538"


def test_a_quota_that_is_not_there(client: Any) -> None:
    """Service Quotas, GetServiceQuota: NoSuchResourceException."""
    with refused("NoSuchResourceException"):
        client("service-quotas").get_service_quota(ServiceCode="fargate", QuotaCode="L-00000000")


def test_an_account_that_may_not_make_load_balancers(stack: Stack) -> None:
    """Reported by many, in accounts of every kind and in all regions: OperationNotPermitted, 400, though the quotas of
    load balancers look as they always do.
    """
    stack.aws.order({"account_hold": "load-balancers"})
    text = (
        "This AWS account currently does not support creating load balancers. "
        "For more information, please contact AWS Support."
    )
    with refused("OperationNotPermitted", text):
        stack.balanced  # noqa: B018
    stack.aws.forgive()
    assert stack.balanced


def test_an_account_that_aws_has_blocked_runs_no_tasks(stack: Stack) -> None:
    """RunTask, BlockedException: "Your Amazon Web Services account was blocked." A service has no call to refuse: its
    event tells (that ECS words it as RunTask does is not verified).
    """
    definition = stack.definition()
    stack.aws.order({"account_hold": "fargate"})
    with refused("BlockedException", "Your AWS account was blocked"):
        stack.run(definition)
    stack.service(definition)
    told = "(service s) was unable to place a task. Reason: Your AWS account was blocked."
    eventually(lambda: any(each.startswith(told) for each in stack.messages()))


def test_it_can_be_started_as_a_young_account_and_stays_one() -> None:
    with start(speed=20, boot_allowance=2, young=True) as started:
        for _ in range(2):
            with refused("InvalidParameterException", "Unable to assume the service linked role"):
                started.client("ecs").create_cluster(clusterName="c")
            started.reset()
