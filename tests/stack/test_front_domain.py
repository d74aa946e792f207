"""The domains of a stack behind a distribution: aliases and a certificate in us-east-1, put right and taken away."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from lobster_tasks import converge
from lobster_tasks.account import find_authority
from lobster_tasks.aws import Aws
from lobster_tasks.errors import AwsCallError
from lobster_tasks.http_client import Client
from tests.clocks import PatientClock
from tests.conftest import SWIFT
from tests.embedded.certificates import issued
from tests.embedded.strangers import STRANGER, Stranger
from tests.embedded_process import PATIENCE, EmbeddedProcess

from .stand import Stand
from .test_front import DISTRIBUTION, Config, change, stand, whole

APP, OTHER = "app.example.com", "other.example.com"
OF_DOMAINS = {"aliases", "certificate", "TLS-policy", "SSL-support"}


@pytest.fixture(scope="module")
def door(swift: EmbeddedProcess) -> Aws:
    """The library's door to it."""
    keys = {"aws_access_key_id": "AKIAEXAMPLE", "aws_secret_access_key": "example"}
    return Aws("us-east-2", endpoint_url=swift.url, credentials=keys, clock=PatientClock(speed=SWIFT))


@pytest.fixture
def standing(swift: EmbeddedProcess, door: Aws) -> Iterator[Stand]:
    """A distribution with an alias, as it should be; made anew only where it is not."""
    made = stand(door, domains=[APP])
    if DISTRIBUTION not in {each.label for each in made.plan().kept} or made.plan().changes:
        swift.reset()
        issued(swift, APP)
        made.converge()
    yield made
    swift.forgive()


def named(stand: Stand) -> tuple[str, ...]:
    """The distribution's aliases."""
    found: tuple[str, ...] = stand.live(DISTRIBUTION).attributes["aliases"]
    return found


def test_visitors_of_the_domain_are_served_with_its_certificate(standing: Stand, door: Aws) -> None:
    url = f"https://{standing.live(DISTRIBUTION).raw['DomainName']}/"
    for name in (APP, ""):
        with Client(name, authority=find_authority(door, url)) as client:
            assert client.request(url, PATIENCE).status == 503, name  # there is no release


def viewer(**members: Any) -> Callable[[Config], object]:
    """Members of the viewer certificate."""
    return lambda config: config["ViewerCertificate"].update(members)


DRIFTS: dict[str, Callable[[Config], object]] = {
    "aliases": whole(Aliases={"Quantity": 0}),
    "TLS-policy": viewer(MinimumProtocolVersion="TLSv1.2_2019"),
    "SSL-support": viewer(SSLSupportMethod="vip"),
}


def test_what_somebody_changes_of_it_is_named_and_repaired(standing: Stand, swift: EmbeddedProcess) -> None:
    other = issued(swift, OTHER, APP)
    drifts = {**DRIFTS, "certificate": viewer(ACMCertificateArn=other, Certificate=other)}
    change(swift, standing, lambda config: [edit(config) for edit in drifts.values()])
    (found,) = standing.plan().changes
    assert (found.action, found.resource.label) == ("update", DISTRIBUTION)
    assert found.changed == drifts.keys() == OF_DOMAINS
    swift.forget_calls()
    standing.converge()
    assert [call["operation"] for call in swift.calls(mutating=True)] == ["UpdateDistribution"]
    swift.client("acm", "us-east-1").delete_certificate(CertificateArn=other)


@pytest.mark.exhaustive
@pytest.mark.parametrize("attribute", DRIFTS)
def test_a_drift_of_it_is_named_and_repaired_alone(
    standing: Stand, swift: EmbeddedProcess, attribute: str
) -> None:
    change(swift, standing, DRIFTS[attribute])
    (found,) = standing.plan().changes
    assert (found.resource.label, *found.changed) == (DISTRIBUTION, attribute)
    standing.converge()


def test_a_certificate_that_cloudfront_does_not_know_yet_is_waited_for(
    standing: Stand, swift: EmbeddedProcess
) -> None:
    change(swift, standing, DRIFTS["aliases"])
    told = "The specified SSL certificate doesn't exist, isn't in us-east-1 region, isn't valid."
    error = {"code": "InvalidViewerCertificate", "message": told}
    swift.order({"service": "cloudfront", "operation": "UpdateDistribution", "nth": 1, "error": error})
    standing.converge()
    assert (swift.applied(), named(standing)) == (1, (APP,))


def test_until_the_certificate_is_issued_everything_stays_as_it_is(standing: Stand) -> None:
    more = stand(standing.aws, domains=[APP, OTHER])
    assert more.desired.certificate is not None
    assert more.read()[more.desired.certificate] is None
    assert more.plan().changes == ()


def test_a_certificate_that_is_named_is_used(standing: Stand, swift: EmbeddedProcess) -> None:
    arn = issued(swift, APP, OTHER)
    front = {"kind": "cloudfront", "certificate": arn}
    both = stand(standing.aws, domains=[OTHER, APP], front=front)
    assert both.desired.certificate is None
    both.converge()
    assert named(both) == (APP, OTHER)
    wrong = stand(standing.aws, domains=["www.example.org"], front=front)
    with pytest.raises(AwsCallError) as refused:
        wrong.converge()
    assert refused.value.code == "InvalidViewerCertificate"
    assert "issued one in us-east-1 for all of domains" in refused.value.next_step
    standing.converge()
    swift.client("acm", "us-east-1").delete_certificate(CertificateArn=arn)


def test_without_domains_it_has_neither_aliases_nor_certificate(standing: Stand) -> None:
    bare = stand(standing.aws)
    (found,) = bare.plan().changes
    assert found.changed == OF_DOMAINS
    bare.converge()
    standing.converge()


def test_an_alias_of_another_distribution_is_told_and_moved_as_the_next_step_says(
    standing: Stand, swift: EmbeddedProcess
) -> None:
    cloudfront, live = swift.client("cloudfront"), standing.live(DISTRIBUTION)
    arn, bare = live.attributes["certificate"], stand(standing.aws)
    bare.converge()
    config = cloudfront.get_distribution_config(Id=live.id)["DistributionConfig"]
    config |= {"CallerReference": "theirs", "Comment": "theirs", "Aliases": {"Quantity": 1, "Items": [APP]}}
    config["ViewerCertificate"] = {
        "ACMCertificateArn": arn,
        "SSLSupportMethod": "sni-only",
        "MinimumProtocolVersion": "TLSv1.2_2021",
    }
    theirs = cloudfront.create_distribution(DistributionConfig=config)["Distribution"]["Id"]
    with pytest.raises(AwsCallError, match="another distribution has one of them") as refused:
        standing.converge()
    assert refused.value.why == f"distribution {theirs} of this account has {APP}"
    move = f"aws cloudfront associate-alias --target-distribution-id {live.id} --alias {APP}"
    assert f"move it: {move}" in refused.value.next_step
    cloudfront.associate_alias(TargetDistributionId=live.id, Alias=APP)
    standing.converge()
    assert named(standing) == (APP,)
    swift.reset()


def test_an_alias_of_another_account_is_told_as_far_as_aws_tells_it(
    swift: EmbeddedProcess, door: Aws
) -> None:
    """Already when the distribution is made, which it then is without aliases."""
    swift.reset()
    stranger, made = Stranger(swift), stand(door, domains=[APP])
    (theirs,) = stranger.take(APP)
    arn = issued(swift, APP)
    for _ in range(2):
        with pytest.raises(AwsCallError, match="another distribution has one of them") as refused:
            made.converge()
        assert refused.value.why == (
            f"distribution *******{theirs[-7:]} of account *****{STRANGER[-7:]} has {APP}"
        )
        assert "have it deleted there" in refused.value.next_step
    swift.order({"operation": "ListConflictingAliases", "error": {"code": "AccessDenied", "message": "no"}})
    with pytest.raises(AwsCallError) as refused:
        made.converge()
    assert refused.value.why.startswith("CNAMEAlreadyExists: ")
    swift.forgive()
    assert made.live(DISTRIBUTION).attributes["certificate"] == arn
    assert len(swift.client("cloudfront").list_distributions()["DistributionList"]["Items"]) == 1
    stranger.leave()
    made.converge()
    assert named(made) == (APP,)


def test_a_teardown_takes_our_certificate_with_it_and_no_other(swift: EmbeddedProcess, door: Aws) -> None:
    swift.reset()
    acm, made = swift.client("acm", "us-east-1"), stand(door, domains=[APP])
    arn = issued(swift, APP)
    elsewhere = [
        {"Key": "lobster:stack", "Value": "lobster"},
        {"Key": "lobster:region", "Value": "eu-west-1"},
    ]
    acm.add_tags_to_certificate(CertificateArn=arn, Tags=elsewhere)
    made.converge()
    made.remove()
    assert len(acm.list_certificates()["CertificateSummaryList"]) == 1  # of the stack in another region
    acm.add_tags_to_certificate(CertificateArn=arn, Tags=[{"Key": "lobster:region", "Value": "us-east-2"}])
    made.converge()
    live = made.read()
    others = converge.dependents(door, made.desired, live)
    plan = converge.plan_removal(made.desired, live, others, keep_data=False)
    assert made.desired.certificate in {each.resource for each in plan.changes}
    converge.apply(door, plan, lambda _: None)
    assert acm.list_certificates()["CertificateSummaryList"] == []
