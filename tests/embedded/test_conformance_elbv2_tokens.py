"""Tokens of machines at the load balancer (jwt-validation): what the API takes and shows, and who is let in.

Quotes are from "Verify JWTs using an Application Load Balancer" (Application Load Balancers guide) unless they name
another source. That a request is rejected with 401 is a report's word ("if invalid -> return 401",
theagenticguy/ai-gateway, ADR-005).
"""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from tests.embedded.guarded import Guarded
from tests.embedded.refusals import refused
from tests.embedded_process import PATIENCE

pytestmark = pytest.mark.filterwarnings("ignore::urllib3.exceptions.InsecureRequestWarning")

INVALID = "InvalidLoadBalancerAction"


def encoded(data: bytes) -> str:
    """Base64url without padding (RFC 7515)."""
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


@dataclass
class Machine:
    """A client with a token of the provider, signed with ``key``."""

    guarded: Guarded
    kid: str = field(default_factory=lambda: str(uuid4()))
    key: rsa.RSAPrivateKey = field(default_factory=lambda: rsa.generate_private_key(65537, 2048))

    def publish(self) -> None:
        """Publish the key, and no other."""
        self.guarded.provider.keys["keys"] = [self.jwk()]

    def jwk(self) -> dict[str, str]:
        """The public key (RFC 7517)."""
        numbers = self.key.public_key().public_numbers()
        n, e = numbers.n.to_bytes(256), numbers.e.to_bytes(3)
        return {"kty": "RSA", "use": "sig", "alg": "RS256", "kid": self.kid, "n": encoded(n), "e": encoded(e)}

    def token(self, head: dict[str, Any] | None = None, **claims: Any) -> str:
        """A token; claims that are None are left out."""
        whole = {"iss": self.guarded.provider.issuer, "exp": time.time() + 3600, **claims}
        parts = (
            {"alg": "RS256", "kid": self.kid, **(head or {})},
            {k: v for k, v in whole.items() if v is not None},
        )
        signed = ".".join(encoded(json.dumps(part).encode()) for part in parts)
        signature = self.key.sign(signed.encode(), padding.PKCS1v15(), hashes.SHA256())
        return f"{signed}.{encoded(signature)}"

    def get(self, token: str | None, scheme: str = "Bearer") -> int:
        """The status of a request with a token; 200 is the site's own."""
        headers = {} if token is None else {"Authorization": f"{scheme} {token}"}
        return self.guarded.browser().get(self.guarded.secure, headers=headers, timeout=PATIENCE).status_code


def validate(guarded: Guarded, **settings: Any) -> dict[str, Any]:
    """A jwt-validation action for the provider."""
    config = {
        "JwksEndpoint": f"{guarded.provider.issuer}/jwks",
        "Issuer": guarded.provider.issuer,
        **settings,
    }
    return {"Type": "jwt-validation", "Order": 1, "JwtValidationConfig": config}


def claim(name: str, form: str, *values: str) -> dict[str, Any]:
    """An additional claim."""
    return {"Name": name, "Format": form, "Values": list(values)}


@pytest.fixture
def machine(guarded: Guarded) -> Machine:
    """A machine whose key is published, in front of a listener that asks for a token with ``scope`` and ``roles``."""
    made = Machine(guarded)
    made.publish()
    claims = [
        claim("scope", "space-separated-values", "read", "write"),
        claim("roles", "string-array", "admin"),
    ]
    guard(guarded, AdditionalClaims=claims)
    return made


GOOD: dict[str, Any] = {"scope": "write other read", "roles": ["user", "admin"]}


def guard(guarded: Guarded, **settings: Any) -> None:
    """Ask everybody for a token."""
    actions = [validate(guarded, **settings), guarded.then()]
    guarded.elb.modify_listener(ListenerArn=guarded.listener, DefaultActions=actions)


def test_what_was_given_comes_back(guarded: Guarded) -> None:
    """JwtValidationActionConfig (botocore's model), in rules and listeners."""
    action = validate(guarded, AdditionalClaims=[claim("aud", "single-string", "https://api.example.com")])
    made = guarded.rule(action, guarded.then())
    found = guarded.elb.describe_rules(RuleArns=[made["RuleArn"]])["Rules"][0]
    assert made["Actions"] == found["Actions"]
    assert found["Actions"][0] == action
    (certificate,) = guarded.elb.describe_listener_certificates(ListenerArn=guarded.listener)["Certificates"]
    arn = {"CertificateArn": certificate["CertificateArn"]}
    new = guarded.elb.create_listener(
        LoadBalancerArn=guarded.arn,
        Protocol="HTTPS",
        Port=8443,
        Certificates=[arn],
        DefaultActions=[action, guarded.then()],
    )["Listeners"][0]
    guarded.elb.delete_listener(ListenerArn=new["ListenerArn"])
    assert new["DefaultActions"][0] == action
    guard(guarded)
    (listener,) = guarded.elb.describe_listeners(ListenerArns=[guarded.listener])["Listeners"]
    assert listener["DefaultActions"][0] == validate(guarded)


BAD: dict[str, Callable[[Guarded], dict[str, Any]]] = {
    "no HTTPS": lambda to: validate(to, JwksEndpoint="http://idp.example.com/jwks"),
    "endpoint too long": lambda to: validate(to, JwksEndpoint="https://idp.example.com/" + "a" * 256),
    "issuer too long": lambda to: validate(to, Issuer="a" * 257),
    "too many claims": lambda to: validate(
        to, AdditionalClaims=[claim(f"a{number}", "single-string", "x") for number in range(11)]
    ),
    "own claim": lambda to: validate(to, AdditionalClaims=[claim("exp", "single-string", "x")]),
    "too many values": lambda to: validate(to, AdditionalClaims=[claim("a", "string-array", *"abcdefghijk")]),
    "value too long": lambda to: validate(to, AdditionalClaims=[claim("a", "single-string", "x" * 257)]),
    "two single values": lambda to: validate(to, AdditionalClaims=[claim("a", "single-string", "x", "y")]),
    "space": lambda to: validate(to, AdditionalClaims=[claim("a", "space-separated-values", "x y")]),
}


@pytest.mark.parametrize("action", BAD.values(), ids=BAD)
def test_limits(guarded: Guarded, action: Callable[[Guarded], dict[str, Any]]) -> None:
    """ "This must be a full URL, including the HTTPS protocol, the domain, and the path. The maximum length is 256
    characters"; "The maximum size of the list is 10"; "You can't specify exp, iss, nbf, or iat because we validate them
    by default"; "Each value can be up to 256 characters in length. If the format is space-separated-values, the values
    can't include spaces" (botocore's model); "Single-string: A single text value"."""
    with refused(INVALID, ""):
        guarded.rule(action(guarded), guarded.then())


def test_its_place_and_its_listener(guarded: Guarded) -> None:
    """ "Each rule must include exactly one of the following routing actions …, and it must be the last action to be
    performed. Optionally, a rule for an HTTPS listener can also include one of …: authenticate-oidc,
    authenticate-cognito, or jwt-validation" (Action)."""
    first, last = validate(guarded), guarded.then()
    with refused(INVALID, "last action"):
        guarded.rule(first)
    with refused(INVALID, "last action"):
        guarded.rule({**first, "Order": 3}, last)
    with refused("TooManyActions", "limit"):
        guarded.rule(first, {**guarded.ask(), "Order": 3}, {**last, "Order": 4})
    with refused(INVALID, "HTTPS listeners"):
        guarded.elb.create_listener(
            LoadBalancerArn=guarded.arn, Protocol="HTTP", Port=81, DefaultActions=[first, last]
        )
    text = (
        "For actions of type 'jwt-validation', you must specify the following fields: 'JwtValidationConfig'"
    )
    with refused(INVALID, text):
        guarded.rule({"Type": "jwt-validation", "Order": 1}, last)


def test_a_valid_token_is_forwarded_as_it_is(machine: Machine) -> None:
    """ "If the token is valid, the load balancer forwards the request with token as is to the target"; the key set is
    asked for once."""
    token = machine.token(**GOOD)
    assert machine.get(token) == 200
    (seen,) = [dict(one.headers) for one in machine.guarded.site.seen if one.path == "/"]
    assert seen["Authorization"] == f"Bearer {token}"
    assert machine.get(token, "bearer") == 200
    assert len(machine.guarded.provider.calls("/jwks")) == 1


def other(machine: Machine) -> str:
    """A token with the signature of another key."""
    return Machine(machine.guarded, machine.kid).token(**GOOD)


REFUSED: dict[str, Callable[[Machine], str | None]] = {
    "none": lambda by: None,
    "nonsense": lambda by: "a.b.c",
    "two parts": lambda by: by.token(**GOOD).rpartition(".")[0],
    "no signature": lambda by: by.token(**GOOD).rpartition(".")[0] + ".",
    "another key": other,
    "changed claims": lambda by: ".".join(
        [
            by.token(**GOOD).split(".")[0],
            by.token(**GOOD, sub="x").split(".")[1],
            by.token(**GOOD).split(".")[2],
        ]
    ),
    "expired": lambda by: by.token(**GOOD, exp=time.time() - 1),
    "no expiration": lambda by: by.token(**GOOD, exp=None),
    "another issuer": lambda by: by.token(**GOOD, iss="https://other.example.com"),
    "no issuer": lambda by: by.token(**GOOD, iss=None),
    "not before": lambda by: by.token(**GOOD, nbf=time.time() + 3600),
    "issued later": lambda by: by.token(**GOOD, iat=time.time() + 3600),
    "a claim is missing": lambda by: by.token(roles=["admin"]),
    "a value is missing": lambda by: by.token(**{**GOOD, "scope": "read"}),
    "another format": lambda by: by.token(**{**GOOD, "roles": "admin"}),
    "unsigned": lambda by: by.token({"alg": "none"}, **GOOD),
    "another algorithm": lambda by: by.token({"alg": "HS256"}, **GOOD),
    "unknown key": lambda by: by.token({"kid": "two"}, **GOOD),
}


@pytest.mark.parametrize("token", REFUSED.values(), ids=REFUSED)
def test_any_other_is_refused(machine: Machine, token: Callable[[Machine], str | None]) -> None:
    """ "ALB will validate the token signature and requires two mandatory claims: 'iss' (issuer) and 'exp' (expiration).
    Additionally, if present in the token, ALB will also validate 'nbf' (not before) and 'iat' (issued at time) claims";
    "Otherwise, it rejects the request"; "Only the RS256 algorithm is supported"."""
    assert machine.get(token(machine)) == 401
    assert not [one for one in machine.guarded.site.seen if one.path == "/"]


def test_a_new_key_is_found(machine: Machine) -> None:
    """ "The load balancer acquires the public key published by the IdP in a well-known location that you configure":
    one that is new to it, too (when it asks again is not known)."""
    assert machine.get(machine.token(**GOOD)) == 200
    second = Machine(machine.guarded)
    machine.guarded.provider.keys["keys"].append(second.jwk())
    assert second.get(second.token(**GOOD)) == 200


@pytest.mark.parametrize(
    "keys",
    [
        lambda by: {"keys": [by.jwk() for _ in range(11)]},
        lambda by: {"keys": [by.jwk()], "padding": "x" * 150 * 1024},
        lambda by: {"keys": "none"},
        lambda by: {},
    ],
    ids=["too many", "too large", "no list", "none"],
)
def test_a_key_set_has_limits(machine: Machine, keys: Callable[[Machine], dict[str, Any]]) -> None:
    """ "Maximum response size: 150 KB", "Maximum number of keys: 10"; otherwise the load balancer "will not forward the
    requests to your backend targets" (the status: not verified)."""
    machine.guarded.provider.keys = keys(machine)
    assert machine.get(machine.token(**GOOD)) == 500
    assert not [one for one in machine.guarded.site.seen if one.path == "/"]


def test_a_key_set_that_cannot_be_had(machine: Machine) -> None:
    """The status is not verified; without a token there is nothing to ask a key for."""
    machine.guarded.provider.statuses["/jwks"] = 503
    assert machine.get(machine.token(**GOOD)) == 500
    assert machine.get(None) == 401


def test_a_rule_asks_for_its_own_requests_only(guarded: Guarded) -> None:
    """The action of a rule, in front of a fixed response as well."""
    fixed = {"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": "204"}}
    guarded.rule(validate(guarded), guarded.then(fixed))
    machine = Machine(guarded)
    machine.publish()
    headers = {"Authorization": f"Bearer {machine.token()}"}
    browser = guarded.browser()
    assert browser.get(f"{guarded.secure}/login", timeout=PATIENCE).status_code == 401
    assert browser.get(f"{guarded.secure}/login", headers=headers, timeout=PATIENCE).status_code == 204
    assert browser.get(guarded.secure, timeout=PATIENCE).status_code == 200
