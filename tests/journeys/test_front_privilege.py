"""No action of CloudFront is in a policy for nothing, and none is missing: it is all done under the policies."""

from __future__ import annotations

from pathlib import Path

import pytest

from lobster_tasks import converge, doctor, stack
from lobster_tasks.account import with_live_names
from lobster_tasks.apprunner.cutover import LedDomains, leave_former, refuse_led_to_former
from lobster_tasks.aws import Aws
from lobster_tasks.errors import AwsCallError
from lobster_tasks.probe import find_public_endpoint
from lobster_tasks.settings import Settings, load
from tests.clocks import PatientClock
from tests.conftest import SWIFT
from tests.embedded.certificates import issued
from tests.embedded.identities import ACCOUNT
from tests.embedded.strangers import Stranger
from tests.embedded_process import EmbeddedProcess

from .permitted import (
    Document,
    Question,
    RecordedQuestions,
    asked,
    deploy_policy,
    needless,
    session_with,
    setup_policy,
)
from .test_least_privilege import DONE_WITHOUT, denied

DOMAIN = "app.example.com"
# The statements that are there for CloudFront alone, and those that have something of it.
OURS = (
    *(
        "SeeWhatIsInFront",
        "MakeTheFrontWithOurTag",
        "TagTheFrontWithOurTag",
        "SeeDistributions",
        "SeeVpcOrigins",
    ),
    *("TheDistributionWithOurTag", "TheVpcOriginWithOurTag"),
    *("SeeWhatLeadsToTheLoadBalancer", "SeeTheDistribution"),
    *("WhoHasOurNames", "SeeWhoseCertificatesAre", "TheCertificateWithOurTag"),
)


@pytest.fixture(scope="module")
def seen(swift: EmbeddedProcess) -> tuple[RecordedQuestions, RecordedQuestions]:
    """Everything that the policies are for, under them: by who sets up, and by who deploys."""
    settings = load({"front": {"kind": "cloudfront"}, "domains": [DOMAIN]})
    aws = seen_as(swift, "sets-up", setup_policy(settings))
    swift.forget_calls()
    bring(aws, settings)
    with_domain(swift, aws, settings)
    doctor.examine(aws, settings, Path())
    cloudfront = swift.client("cloudfront")
    (made,) = cloudfront.list_distributions()["DistributionList"]["Items"]
    found = cloudfront.get_distribution_config(Id=made["Id"])
    config = {**found["DistributionConfig"], "Comment": "theirs"}
    cloudfront.update_distribution(Id=made["Id"], IfMatch=found["ETag"], DistributionConfig=config)
    bring(aws, settings)
    setting_up = asked(swift)
    deploying = RecordedQuestions(settings, deployed(swift, settings))
    swift.forget_calls()
    converge.remove(aws, whole(settings), keep_data=False)
    bring(aws, settings)
    for resource in converge.read(administrator(swift), whole(settings)).items():
        each, live = resource
        if live is not None and each.kind in ("distribution", "vpc-origin"):
            each.untag(administrator(swift), live, (stack.STACK_TAG, "lobster:region"))
    bring(aws, settings, adopt=True)
    converge.remove(aws, whole(settings), keep_data=False)
    return RecordedQuestions(settings, [*setting_up, *asked(swift)]), deploying


@pytest.fixture(scope="module")
def setting_up(seen: tuple[RecordedQuestions, RecordedQuestions]) -> RecordedQuestions:
    """What IAM was asked of who sets up."""
    return seen[0]


@pytest.fixture(scope="module")
def deploying(seen: tuple[RecordedQuestions, RecordedQuestions]) -> RecordedQuestions:
    """What IAM was asked of who deploys."""
    return seen[1]


def with_domain(swift: EmbeddedProcess, aws: Aws, settings: Settings) -> None:
    """A certificate, and a name that another account's distribution has for a while."""
    stranger, ours = Stranger(swift), {"lobster:stack": "lobster", "lobster:region": "us-east-2"}
    issued(swift, DOMAIN, tags=[{"Key": key, "Value": value} for key, value in ours.items()])
    stranger.take(DOMAIN)
    with pytest.raises(AwsCallError, match="another distribution has one of them"):
        bring(aws, settings)
    stranger.leave()
    bring(aws, settings)


def deployed(swift: EmbeddedProcess, settings: Settings) -> list[Question]:
    """What who deploys asks to know where visitors come in."""
    aws = seen_as(swift, "deploys", deploy_policy(settings))
    swift.forget_calls()
    (group,) = swift.client("elbv2").describe_target_groups()["TargetGroups"]
    endpoint = find_public_endpoint(aws, [group["TargetGroupArn"]], settings.name)
    assert endpoint is not None
    assert endpoint.url.startswith("https://")
    return asked(swift)


def whole(settings: Settings) -> stack.Stack:
    """The stack."""
    return stack.build(settings, ACCOUNT)


def bring(aws: Aws, settings: Settings, *, adopt: bool = False) -> None:
    """Bring the account to it."""
    converge.bring(aws, whole(settings), adopt=adopt)


def administrator(swift: EmbeddedProcess) -> Aws:
    """Who may do everything."""
    keys = {"aws_access_key_id": "AKIAEXAMPLE", "aws_secret_access_key": "example"}
    return Aws("us-east-2", endpoint_url=swift.url, credentials=keys, clock=PatientClock(speed=SWIFT))


def seen_as(swift: EmbeddedProcess, name: str, policy: Document) -> Aws:
    """The account under a role with this policy."""
    who = session_with(swift, name, policy)
    return Aws(
        "us-east-2", endpoint_url=swift.url, credentials=who.credentials, clock=PatientClock(speed=SWIFT)
    )


def test_setting_up_is_allowed_all_that_it_asks_for(setting_up: RecordedQuestions) -> None:
    assert denied(setting_up.questions, setup_policy(setting_up.settings)) <= DONE_WITHOUT


def test_deploying_is_allowed_all_that_it_asks_for(deploying: RecordedQuestions) -> None:
    assert denied(deploying.questions, deploy_policy(deploying.settings)) == set()


def test_nothing_of_cloudfront_is_allowed_besides(
    setting_up: RecordedQuestions, deploying: RecordedQuestions
) -> None:
    left = needless(setup_policy(setting_up.settings), setting_up.questions)
    left += needless(deploy_policy(deploying.settings), deploying.questions)
    assert [each for each in left if each.partition(":")[0] in OURS or "vpcorigin" in each] == []


def test_without_the_setting_an_old_internal_load_balancer_goes(swift: EmbeddedProcess) -> None:
    """Who has the policy that is printed for a public load balancer with a domain leaves the internal one."""
    swift.reset()
    inside, public = (
        load({"load_balancer": {"internal": each}, "domains": [DOMAIN]}) for each in (True, False)
    )
    aws = seen_as(swift, "moves", setup_policy(public))
    bring(aws, inside)
    settings = with_live_names(aws, public, replacing=True)
    bring(aws, settings)
    swift.client("route53").create_hosted_zone(Name="example.com", CallerReference="once")
    assert refuse_led_to_former(aws, settings) == LedDomains()
    leave_former(aws, settings)
    converge.refuse_unready(aws, whole(settings))
    converge.bring(aws, stack.build(settings, ACCOUNT, leaves_former=True))
    left = swift.client("elbv2").describe_load_balancers()["LoadBalancers"]
    assert [each["LoadBalancerName"] for each in left] == [settings.load_balancer.name]
    swift.reset()


def test_without_the_setting_no_policy_speaks_of_cloudfront() -> None:
    for policy in (setup_policy(load({})), deploy_policy(load({}))):
        assert "cloudfront" not in str(policy)
