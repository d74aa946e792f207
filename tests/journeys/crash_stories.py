"""The tasks that are struck at every call, and what has happened before each of them."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from tests.embedded.apprunner_stack import Sites
from tests.embedded.certificates import make_certificate
from tests.embedded.firewalls import web_acl
from tests.embedded.zones import Zone, simple, weighted
from tests.embedded_process import eventually

from .crashing import CERTIFICATE, FIREWALL, SET_UP, TEAR_DOWN, Stage, Story, Task, deployed

DOMAIN = "app.crash.org"
SITE = "site"


def _with_firewall(stage: Stage) -> None:
    web_acl(stage.embedded, "firewall")


def _behind_firewall(stage: Stage) -> None:
    _with_firewall(stage)
    stage.done(BEHIND_FIREWALL)


def _with_secret(stage: Stage) -> None:
    """The client secret of a sign-in, which setup only reads."""
    stage.embedded.client("secretsmanager").create_secret(Name="crash/sign-in", SecretString="a secret")


def _with_sign_in(stage: Stage) -> None:
    """The same, and a certificate of somebody's own."""
    made = make_certificate(DOMAIN)
    stage.embedded.client("acm").import_certificate(Certificate=made.certificate, PrivateKey=made.key)
    _with_secret(stage)


def _signed_in(stage: Stage) -> None:
    _with_sign_in(stage)
    stage.done(SIGNED_IN)


def _with_image(stage: Stage) -> None:
    stage.done(SET_UP)
    stage.push("one")


def _with_release(stage: Stage) -> None:
    _with_image(stage)
    stage.done(deployed("one"))


def _with_second_image(stage: Stage) -> None:
    _with_release(stage)
    stage.push("two")


def _with_two_releases(stage: Stage) -> None:
    _with_second_image(stage)
    stage.done(deployed("two"))


def _beside_app_runner(stage: Stage, **more: Any) -> tuple[Zone, str]:
    """A release on Fargate, and the same app on App Runner; the zone of its domain, and its address."""
    _with_release(stage)
    return _app_runner(stage, **more)


def _app_runner(stage: Stage, **more: Any) -> tuple[Zone, str]:
    sites, zone = Sites(stage.embedded), Zone(stage.embedded, "crash.org")
    image = f"{stage.embedded.client('ecr').describe_repositories()['repositories'][0]['repositoryUri']}:one"
    service = sites.create(SITE, SourceConfiguration=sites.source(image), **more)
    sites.bind(service["ServiceArn"], DOMAIN, zone)
    return zone, service["ServiceUrl"]


def _before_the_cut(stage: Stage) -> None:
    """The domain leads to App Runner. Resolvers forget it soon: waiting for them is no part of what is struck."""
    zone, old = _beside_app_runner(stage)
    zone.settle(simple(DOMAIN, old, ttl=1))


def _before_the_cut_to_a_sign_in(stage: Stage) -> None:
    """The same, with the client secret of the sign-in that comes with the certificate."""
    _with_secret(stage)
    _before_the_cut(stage)


def _before_the_front(stage: Stage) -> None:
    """The same, where Fargate is behind a distribution."""
    stage.done(FRONTED)
    stage.push("one")
    stage.done(replace(deployed("one"), settings=FRONTED.settings))
    zone, old = _app_runner(stage)
    zone.settle(simple(DOMAIN, old, ttl=1))


def _after_the_cut(stage: Stage) -> None:
    """The domain leads to Fargate, by weight."""
    zone, old = _beside_app_runner(stage)
    zone.settle(weighted(DOMAIN, old, 0, ttl=1), weighted(DOMAIN, _balancer(stage), 100, ttl=1))


def _balancer(stage: Stage) -> str:
    found = stage.embedded.client("elbv2").describe_load_balancers()["LoadBalancers"]
    return str(found[0]["DNSName"])


def _moved(stage: Stage) -> None:
    """The domain leads to Fargate alone, and App Runner's service uses all that a public one can use."""
    zone, _ = _beside_app_runner(stage, **_companions(stage))
    zone.settle(simple(DOMAIN, _balancer(stage)))
    _speak_of_app_runner(stage)


def _companions(stage: Stage) -> dict[str, Any]:
    """Configurations, a connector and a role that are only this service's."""
    api = stage.embedded.client("apprunner")
    scaling = api.create_auto_scaling_configuration(AutoScalingConfigurationName="busy")
    traced = api.create_observability_configuration(ObservabilityConfigurationName="traced")
    subnet = stage.embedded.client("ec2").describe_subnets()["Subnets"][0]["SubnetId"]
    connector = api.create_vpc_connector(VpcConnectorName="inside", Subnets=[subnet])
    role = Sites(stage.embedded).role("instance", "tasks.apprunner.amazonaws.com", _ALLOW)
    return {
        "AutoScalingConfigurationArn": scaling["AutoScalingConfiguration"]["AutoScalingConfigurationArn"],
        "ObservabilityConfiguration": {
            "ObservabilityEnabled": True,
            "ObservabilityConfigurationArn": traced["ObservabilityConfiguration"][
                "ObservabilityConfigurationArn"
            ],
        },
        "NetworkConfiguration": {
            "EgressConfiguration": {
                "EgressType": "VPC",
                "VpcConnectorArn": connector["VpcConnector"]["VpcConnectorArn"],
            }
        },
        "InstanceConfiguration": {"InstanceRoleArn": role},
    }


_ALLOW = {"Effect": "Allow", "Action": "s3:ListBucket", "Resource": "*"}
_ABOUT = {"Effect": "Allow", "Action": "apprunner:*", "Resource": "*"}


def _speak_of_app_runner(stage: Stage) -> None:
    """A policy about nothing else, which a role has, and one that has as many versions as there may be."""
    iam = stage.embedded.client("iam")
    alone = iam.create_policy(PolicyName="alone", PolicyDocument=_document(_ABOUT))["Policy"]["Arn"]
    Sites(stage.embedded).role("people", "ec2.amazonaws.com")
    iam.attach_role_policy(RoleName="people", PolicyArn=alone)
    mixed = iam.create_policy(PolicyName="mixed", PolicyDocument=_document(_ALLOW))["Policy"]["Arn"]
    for _ in range(4):
        iam.create_policy_version(
            PolicyArn=mixed, PolicyDocument=_document(_ALLOW, _ABOUT), SetAsDefault=True
        )


def _document(*statements: dict[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": statements})


def _quiet(stage: Stage) -> None:
    """App Runner has reported, and reported again, that nobody asks it: a comparison asks too, and was perhaps made.

    It reports each minute, and a minute without requests is what the gate wants here.
    """
    asked_until = datetime.now(UTC)
    api, metrics = stage.embedded.client("apprunner"), stage.embedded.client("cloudwatch")

    def reports() -> float:
        points = metrics.get_metric_statistics(
            Namespace="AWS/AppRunner",
            MetricName="ActiveInstances",
            StartTime=asked_until,
            EndTime=datetime.now(UTC) + timedelta(seconds=1),
            Period=60,
            Statistics=["SampleCount"],
        )["Datapoints"]
        return float(sum(point["SampleCount"] for point in points))

    def is_running() -> bool:
        return any(each["Status"] == "RUNNING" for each in api.list_services()["ServiceSummaryList"])

    eventually(lambda: not is_running() or reports() > _REPORTS)


_REPORTS = 2
_OF_THE_DOMAIN = (f"domains={DOMAIN}", f"apprunner.service={SITE}")
_CLEAN = ("apprunner.soak_hours=0", "apprunner.quiet_minutes=1")
CUT_OVER = Task("cutover", "cutover", {"hold": "0", "wait": "300"}, _OF_THE_DOMAIN)
BACK = Task("cutover", "cutover", {"back": True}, _OF_THE_DOMAIN)
PAUSE = Task("apprunner", "cleanup_apprunner", {}, (*_OF_THE_DOMAIN, *_CLEAN))
DELETE = Task("apprunner", "cleanup_apprunner", {"delete": True}, (*_OF_THE_DOMAIN, *_CLEAN))
BEHIND_FIREWALL = replace(SET_UP, settings=(FIREWALL,))
_SIGN_IN = (
    "sign_in.kind=oidc",
    "sign_in.issuer=https://idp.example.com",
    "sign_in.authorization_endpoint=https://idp.example.com/authorize",
    "sign_in.token_endpoint=https://idp.example.com/token",
    "sign_in.user_info_endpoint=https://idp.example.com/userinfo",
    "sign_in.client_id=the-client",
    "sign_in.client_secret=crash/sign-in",
)
SIGNED_IN = replace(SET_UP, settings=(CERTIFICATE, *_SIGN_IN))
CUT_OVER_TO_SIGN_IN = replace(CUT_OVER, settings=(*_OF_THE_DOMAIN, *_SIGN_IN))
FRONTED = replace(SET_UP, settings=("front.kind=cloudfront",))
LISTED = replace(
    SET_UP, settings=(*FRONTED.settings, "load_balancer.allowed_cidrs=127.0.0.0/8,2001:db8::/32")
)
CUT_OVER_FRONT = replace(CUT_OVER, settings=(*_OF_THE_DOMAIN, *FRONTED.settings))
SWITCHED_BACK = replace(SET_UP, settings=("front.kind=none",))
REMOVE_OLD = Task("setup", "remove_old_load_balancer", {}, FRONTED.settings)
REMOVE_DISTRIBUTION = replace(REMOVE_OLD, settings=SWITCHED_BACK.settings)


def _beside_the_old(stage: Stage) -> None:
    """A distribution with its load balancer, beside the public one."""
    stage.done(SET_UP)
    stage.done(FRONTED)


def _beside_the_distribution(stage: Stage) -> None:
    """A public load balancer beside the one with a distribution."""
    stage.done(FRONTED)
    stage.done(SWITCHED_BACK)


STORIES = (
    Story("setup-fargate", SET_UP, lambda _: None),
    Story("setup-fargate, a web ACL", BEHIND_FIREWALL, _with_firewall, alone=False),
    Story("setup-fargate, a sign-in", SIGNED_IN, _with_sign_in, alone=False),
    Story("setup-fargate, a distribution", FRONTED, lambda _: None),
    Story("setup-fargate, a distribution with a web ACL", LISTED, lambda stage: stage.done(FRONTED)),
    Story("setup-fargate, to a distribution", FRONTED, lambda stage: stage.done(SET_UP)),
    Story("setup-fargate, back to none", SWITCHED_BACK, lambda stage: stage.done(FRONTED)),
    Story("remove-old-load-balancer", REMOVE_OLD, _beside_the_old),
    Story("remove-old-load-balancer, a distribution", REMOVE_DISTRIBUTION, _beside_the_distribution),
    Story("deploy, the first", deployed("one"), _with_image),
    Story("deploy", deployed("two"), _with_second_image),
    Story("rollback --to 2", Task("operate", "rollback", {"to": "2"}), _with_two_releases),
    Story("teardown", TEAR_DOWN, _with_release),
    Story("teardown, a web ACL", replace(TEAR_DOWN, settings=(FIREWALL,)), _behind_firewall, alone=False),
    Story(
        "teardown, a sign-in",
        replace(TEAR_DOWN, settings=SIGNED_IN.settings),
        _signed_in,
        alone=False,
    ),
    Story(
        "teardown, a distribution",
        replace(TEAR_DOWN, settings=FRONTED.settings),
        lambda stage: stage.done(FRONTED),
    ),
    Story(
        "teardown, a distribution with a web ACL",
        replace(TEAR_DOWN, settings=LISTED.settings),
        lambda stage: stage.done(LISTED),
    ),
    Story("cutover", CUT_OVER, _before_the_cut, alone=False),
    Story("cutover, a sign-in", CUT_OVER_TO_SIGN_IN, _before_the_cut_to_a_sign_in, alone=False),
    Story("cutover, a distribution", CUT_OVER_FRONT, _before_the_front, alone=False),
    Story("cutover --back", BACK, _after_the_cut, alone=False),
    Story("cleanup-apprunner", PAUSE, _moved, _quiet, alone=False),
    Story("cleanup-apprunner --delete", DELETE, _moved, _quiet, alone=False),
)
BY_NAME = {story.name: story for story in STORIES}
