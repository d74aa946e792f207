"""Sign-in at the HTTPS listener: made, put right, renewed with its secret, taken away, and never without HTTPS."""

from __future__ import annotations

import contextlib
import json
from typing import Any

import pytest

from lobster_tasks import templates
from lobster_tasks.aws import Aws
from lobster_tasks.clock import Clock
from lobster_tasks.errors import AwsCallError, RefusedError
from lobster_tasks.settings import load
from tests.conftest import SPEED
from tests.embedded.identities import ACCOUNT, allow, session
from tests.embedded.test_conformance_elbv2_tls import make_certificate
from tests.embedded_process import EmbeddedProcess
from tests.journeys.permitted import asked, needless, session_with

from .stand import Stand

KINDS = ("listener", "target-group")
SECURE, PLAIN = "listener/lobster-alb:443", "listener/lobster-alb:80"
NAME, SECRET = "lobster/sign-in", "the-client-secret"
PROVIDER = "https://login.example.com"
OIDC = {
    "kind": "oidc",
    "issuer": PROVIDER,
    "authorization_endpoint": f"{PROVIDER}/authorize",
    "token_endpoint": f"{PROVIDER}/token",
    "user_info_endpoint": f"{PROVIDER}/userinfo",
    "client_id": "the-client",
    "client_secret": NAME,
    "scope": "openid email",
    "session_timeout": 36_000,
}
COGNITO = {
    "kind": "cognito",
    "user_pool": "us-east-2_AbCdEfGhI",
    "user_pool_domain": "somebodys-app",
    "client_id": "the-client",
}
POOL = f"arn:aws:cognito-idp:us-east-2:{ACCOUNT}:userpool/us-east-2_AbCdEfGhI"


@pytest.fixture
def certificate(embedded: EmbeddedProcess) -> str:
    """The ARN of an issued certificate."""
    made = make_certificate("app.example.com")
    acm = embedded.client("acm")
    arn: str = acm.import_certificate(Certificate=made.certificate, PrivateKey=made.key)["CertificateArn"]
    return arn


@pytest.fixture
def secret(embedded: EmbeddedProcess) -> str:
    """The ARN of a secret with the client secret."""
    made = embedded.client("secretsmanager").create_secret(Name=NAME, SecretString=SECRET)
    return str(made["ARN"])


def stand(aws: Aws, certificate: str, sign_in: dict[str, Any] | None = None, **more: Any) -> Stand:
    """The load balancer and its listeners."""
    given = {"sign_in": sign_in} if sign_in else {}
    return Stand.of(aws, *KINDS, load_balancer={"certificate": certificate}, **given, **more)


def actions(embedded: EmbeddedProcess, made: Stand, label: str = SECURE) -> list[dict[str, Any]]:
    """The default actions of a listener, as AWS shows them."""
    arn = made.live(label).id
    found = embedded.client("elbv2").describe_listeners(ListenerArns=[arn])["Listeners"][0]
    return list(found["DefaultActions"])


def tags(embedded: EmbeddedProcess, made: Stand) -> dict[str, str]:
    """The tags of the HTTPS listener."""
    arn = made.live(SECURE).id
    (found,) = embedded.client("elbv2").describe_tags(ResourceArns=[arn])["TagDescriptions"]
    return {each["Key"]: each["Value"] for each in found["Tags"]}


def test_visitors_sign_in_at_the_provider_and_nobody_passes_without_https(
    aws: Aws, embedded: EmbeddedProcess, certificate: str, secret: str
) -> None:
    made = stand(aws, certificate, OIDC)
    made.converge()
    authenticate, forward = actions(embedded, made)
    assert authenticate["AuthenticateOidcConfig"] == {
        "Issuer": PROVIDER,
        "AuthorizationEndpoint": f"{PROVIDER}/authorize",
        "TokenEndpoint": f"{PROVIDER}/token",
        "UserInfoEndpoint": f"{PROVIDER}/userinfo",
        "ClientId": "the-client",
        "Scope": "openid email",
        "SessionTimeout": 36_000,
        "SessionCookieName": "AWSELBAuthSessionCookie",
        "OnUnauthenticatedRequest": "authenticate",
    }
    assert (authenticate["Order"], forward["Order"], forward["Type"]) == (1, 2, "forward")
    assert [each["Type"] for each in actions(embedded, made, PLAIN)] == ["redirect"]
    assert len(embedded.calls("GetSecretValue")) == 1
    made.remove()
    left = embedded.client("secretsmanager").describe_secret(SecretId=NAME)
    assert "DeletedDate" not in left


def test_visitors_sign_in_with_a_user_pool(aws: Aws, embedded: EmbeddedProcess, certificate: str) -> None:
    made = stand(aws, certificate, COGNITO)
    made.converge()
    config = actions(embedded, made)[0]["AuthenticateCognitoConfig"]
    told = {name: config[name] for name in ("UserPoolArn", "UserPoolClientId", "UserPoolDomain", "Scope")}
    assert told == {
        "UserPoolArn": POOL,
        "UserPoolClientId": "the-client",
        "UserPoolDomain": "somebodys-app",
        "Scope": "openid",
    }
    assert embedded.calls("GetSecretValue") == []


DRIFTS: dict[str, tuple[str, Any]] = {
    "issuer": ("Issuer", "https://other.example.com"),
    "authorization-endpoint": ("AuthorizationEndpoint", "https://other.example.com/authorize"),
    "token-endpoint": ("TokenEndpoint", "https://other.example.com/token"),
    "user-info-endpoint": ("UserInfoEndpoint", "https://other.example.com/userinfo"),
    "client-id": ("ClientId", "other"),
    "scope": ("Scope", "openid profile"),
    "session-timeout": ("SessionTimeout", 60),
    "session-cookie": ("SessionCookieName", "Other"),
    "unauthenticated-requests": ("OnUnauthenticatedRequest", "allow"),
    "extra-parameters": ("AuthenticationRequestExtraParams", {"prompt": "login"}),
}
SHARED = {"scope", "session-timeout", "session-cookie", "unauthenticated-requests", "extra-parameters"}
POOL_DRIFTS: dict[str, tuple[str, Any]] = {
    "user-pool": ("UserPoolArn", f"{POOL}2"),
    "user-pool-client": ("UserPoolClientId", "other"),
    "user-pool-domain": ("UserPoolDomain", "other"),
}


def meddle(embedded: EmbeddedProcess, made: Stand, members: dict[str, Any]) -> None:
    """Change members of the action by hand."""
    first, second = actions(embedded, made)
    (config,) = [each for each in first if each.endswith("Config")]
    kept = {"UseExistingClientSecret": True} if config == "AuthenticateOidcConfig" else {}
    changed = {**first, config: {**first[config], **members, **kept}}
    arn = made.live(SECURE).id
    embedded.client("elbv2").modify_listener(ListenerArn=arn, DefaultActions=[changed, second])


@pytest.mark.parametrize(
    ("sign_in", "drifts"),
    [
        (OIDC, DRIFTS),
        (COGNITO, {name: drift for name, drift in DRIFTS.items() if name in SHARED} | POOL_DRIFTS),
    ],
)
def test_every_attribute_that_is_changed_by_hand_is_named_and_put_right(
    aws: Aws, embedded: EmbeddedProcess, certificate: str, secret: str, sign_in: Any, drifts: Any
) -> None:
    made = stand(aws, certificate, sign_in)
    made.converge()
    apart = {"sign-in", "client-secret", "protocol", "action", "certificate", "TLS-policy"}
    assert set(made.live(SECURE).attributes) - apart == set(drifts)
    before = actions(embedded, made)
    meddle(embedded, made, dict(drifts.values()))
    (change,) = made.plan().changes
    assert (change.action, change.resource.label) == ("update", SECURE)
    assert change.changed == set(drifts)
    made.converge()
    assert actions(embedded, made) == before


def test_a_sign_in_that_is_removed_by_hand_comes_back(
    aws: Aws, embedded: EmbeddedProcess, certificate: str, secret: str
) -> None:
    made = stand(aws, certificate, OIDC)
    made.converge()
    forward = {"Type": "forward", "TargetGroupArn": made.live("target-group/lobster-tg").id}
    embedded.client("elbv2").modify_listener(ListenerArn=made.live(SECURE).id, DefaultActions=[forward])
    plan = made.plan()
    (change,) = plan.changes
    assert "sign in: none → authenticate-oidc" in change.reason
    assert plan.openings == ()
    made.converge()
    assert actions(embedded, made)[0]["Type"] == "authenticate-oidc"


def test_a_sign_in_that_the_settings_no_longer_have_goes_and_the_plan_says_that_it_opens(
    aws: Aws, embedded: EmbeddedProcess, certificate: str, secret: str
) -> None:
    stand(aws, certificate, OIDC).converge()
    without = stand(aws, certificate)
    plan = without.plan()
    assert [(each.rule, each.label) for each in plan.openings] == [("sign-in", SECURE)]
    without.converge()
    assert [each["Type"] for each in actions(embedded, without)] == ["forward"]
    assert "lobster:sign-in-secret" not in tags(embedded, without)


def test_a_new_client_secret_is_known_by_its_version(
    aws: Aws, embedded: EmbeddedProcess, certificate: str, secret: str
) -> None:
    made = stand(aws, certificate, OIDC)
    made.converge()
    before = tags(embedded, made)["lobster:sign-in-secret"]
    secrets = embedded.client("secretsmanager")
    version = secrets.put_secret_value(SecretId=NAME, SecretString="the-next")["VersionId"]
    (change,) = made.plan().changes
    assert change.reason == f"client secret: {before} → {version}"
    made.converge()
    assert tags(embedded, made)["lobster:sign-in-secret"] == version


def test_a_run_that_ends_before_the_version_is_told_is_finished_by_the_next(
    aws: Aws, embedded: EmbeddedProcess, certificate: str, secret: str
) -> None:
    made = stand(aws, certificate, OIDC)
    made.converge()
    version = embedded.client("secretsmanager").put_secret_value(SecretId=NAME, SecretString="next")[
        "VersionId"
    ]
    embedded.order({"operation": "AddTags", "error": {"code": "InternalFailure", "message": "no"}, "nth": 1})
    with contextlib.suppress(AwsCallError):
        made.converge()
    made.converge()
    assert tags(embedded, made)["lobster:sign-in-secret"] == version


def test_all_of_it_is_done_under_the_setup_policy_and_nothing_of_that_is_needless(
    embedded: EmbeddedProcess, certificate: str, secret: str
) -> None:
    for name, sign_in in (("oidc", OIDC), ("pool", COGNITO)):
        given = {"load_balancer": {"certificate": certificate}, "sign_in": sign_in}
        policy = templates.setup_policy(load(given), ACCOUNT, "aws")
        who = session_with(embedded, name, policy)
        aws = Aws(
            "us-east-2", endpoint_url=embedded.url, credentials=who.credentials, clock=Clock(speed=SPEED)
        )
        embedded.forget_calls()
        made = stand(aws, certificate, sign_in)
        made.converge()
        made.remove()
        asking = asked(embedded)
        assert [each for each in asking if not each.allowed_by(policy)] == []
        assert [each for each in needless(policy, asking) if "OfTheSignIn" in each] == []


def test_a_client_secret_may_be_one_value_of_a_json_secret(
    aws: Aws, embedded: EmbeddedProcess, certificate: str
) -> None:
    text = json.dumps({"client": SECRET})
    arn = embedded.client("secretsmanager").create_secret(Name="app", SecretString=text)["ARN"]
    stand(aws, certificate, {**OIDC, "client_secret": f"{arn}:client::"}).converge()
    for source, why in ((arn, "its value is JSON"), (f"{arn}:other::", "its key other has no value")):
        changed = {**OIDC, "client_secret": source, "scope": "openid"}
        with pytest.raises(RefusedError) as refused:
            stand(aws, certificate, changed).converge()
        assert refused.value.why == why
        assert SECRET not in str(vars(refused.value))


@pytest.mark.parametrize("value", ["not-json", " \n"])
def test_a_secret_that_cannot_be_one_is_refused_without_repeating_it(
    aws: Aws, embedded: EmbeddedProcess, certificate: str, value: str
) -> None:
    arn = embedded.client("secretsmanager").create_secret(Name="app", SecretString=value)["ARN"]
    source = f"{arn}:key::" if value == "not-json" else arn
    with pytest.raises(RefusedError, match="contains no client secret") as refused:
        stand(aws, certificate, {**OIDC, "client_secret": source}).converge()
    assert "not-json" not in str(vars(refused.value))


def test_without_its_secret_nothing_is_changed(aws: Aws, embedded: EmbeddedProcess, certificate: str) -> None:
    embedded.forget_calls()
    made = stand(aws, certificate, OIDC)
    with pytest.raises(RefusedError, match="Visitors could not sign in") as refused:
        made.converge()
    assert "create-secret" in refused.value.next_step
    assert "client secret: none → a current one; setup does not create it" in refused.value.why
    assert embedded.calls(mutating=True) == []
    made.remove()  # a teardown needs no secret


def test_a_secret_that_is_about_to_be_deleted_is_none(
    aws: Aws, embedded: EmbeddedProcess, certificate: str, secret: str
) -> None:
    embedded.client("secretsmanager").delete_secret(SecretId=NAME)
    assert len(stand(aws, certificate, OIDC).plan().impossible) == 1


def test_a_domain_without_an_issued_certificate_is_refused(
    aws: Aws, embedded: EmbeddedProcess, secret: str
) -> None:
    made = Stand.of(aws, *KINDS, domains=["app.example.com"], sign_in=OIDC)
    embedded.forget_calls()
    for status in ("none", "PENDING_VALIDATION"):
        with pytest.raises(RefusedError) as refused:
            made.converge()
        assert f"certificate: {status} → ISSUED" in refused.value.why
        assert "inv cutover" in refused.value.next_step
        assert embedded.calls("CreateLoadBalancer") == []
        embedded.client("acm").request_certificate(DomainName="app.example.com", ValidationMethod="DNS")


def test_a_listener_that_was_there_before_is_not_taken_over_without_its_sign_in(
    aws: Aws, embedded: EmbeddedProcess, certificate: str, secret: str
) -> None:
    stand(aws, certificate).converge()
    arn = stand(aws, certificate).live(SECURE).id
    embedded.client("elbv2").remove_tags(ResourceArns=[arn], TagKeys=["lobster:stack"])
    with pytest.raises(RefusedError) as refused:
        stand(aws, certificate, OIDC).converge(adopt=True)
    assert "it existed before, and others may depend on it" in refused.value.why


@pytest.mark.parametrize(
    ("sign_in", "missing"),
    [
        (OIDC, "secretsmanager:GetSecretValue"),
        (OIDC, "secretsmanager:DescribeSecret"),
        (COGNITO, "cognito-idp:DescribeUserPoolClient"),
    ],
)
def test_who_may_not_read_what_it_needs_is_told_so(
    aws: Aws, embedded: EmbeddedProcess, certificate: str, secret: str, sign_in: Any, missing: str
) -> None:
    denied = {"Effect": "Deny", "Action": missing, "Resource": "*"}
    who = session(embedded, "sets-up", allow("*"), denied)
    less = Aws("us-east-2", endpoint_url=embedded.url, credentials=who.credentials)
    with pytest.raises(AwsCallError) as refused:
        stand(less, certificate, sign_in).converge()
    action = missing if sign_in is OIDC else "describeUserPoolClient"
    assert action in str(vars(refused.value))
