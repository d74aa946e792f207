"""Sign-in at the load balancer: the authentication action of its HTTPS listener, and what the action needs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar

from ..aws import Aws
from ..errors import RefusedError
from ..foreign import parsed
from .certificates import ISSUED, Certificate
from .resource import Attributes, Live, LiveResources, Resource

OIDC, COGNITO = "authenticate-oidc", "authenticate-cognito"
NONE = "none"
SESSION_COOKIE = "AWSELBAuthSessionCookie"
"""The name of the session's cookies, without their numbers: AWS's default."""
# The tag of a listener with the version of the secret that its client secret is from: AWS never shows the secret.
SECRET_TAG = "lobster:sign-in-secret"
# Where it is not as desired, no visitor of an adopted listener may be let in.
DECISIVE = frozenset({"sign-in", "issuer", "client-id", "user-pool", "user-pool-client"})
_SECRET, _CERTIFICATE = "client-secret", "certificate"
_CONFIGS = {OIDC: "AuthenticateOidcConfig", COGNITO: "AuthenticateCognitoConfig"}
# The members of an action's configuration, by the code of the listener's attribute.
_MEMBERS = {
    "issuer": "Issuer",
    "authorization-endpoint": "AuthorizationEndpoint",
    "token-endpoint": "TokenEndpoint",
    "user-info-endpoint": "UserInfoEndpoint",
    "client-id": "ClientId",
    "user-pool": "UserPoolArn",
    "user-pool-client": "UserPoolClientId",
    "user-pool-domain": "UserPoolDomain",
    "scope": "Scope",
    "session-timeout": "SessionTimeout",
    "session-cookie": "SessionCookieName",
    "unauthenticated-requests": "OnUnauthenticatedRequest",
}
# The attributes that say who can sign in.
_PROVIDER = (
    *("issuer", "authorization-endpoint", "token-endpoint", "user-info-endpoint", "client-id"),
    *("user-pool", "user-pool-client", "user-pool-domain"),
)
_ABSENT = ("ResourceNotFoundException",)
_CURRENT = "a current one"


@dataclass(frozen=True)
class SignIn(Resource):
    """What an authentication action needs: an issued certificate, and with OIDC a client secret.

    ``action`` is the action's type, ``config`` its configuration by AWS's names, without the client secret. ``secret``
    is the name or ARN of the secret that contains it, as the whole value or as the value of ``json_key``. Without
    ``certificate`` the settings name one. Both prerequisites are only read, and never created.
    """

    kind: ClassVar[str] = "sign-in"
    taggable: ClassVar[bool] = False
    fixed: ClassVar[frozenset[str]] = frozenset({_SECRET, _CERTIFICATE})
    fixed_because: ClassVar[str] = "setup does not create it"
    action: str
    config: tuple[tuple[str, str | int], ...]
    secret: str = ""
    json_key: str = ""
    certificate: Certificate | None = None

    def read(self, aws: Aws, known: LiveResources) -> Live | None:
        """DescribeSecret: the current version of the secret, "" where there is none; the certificate's status."""
        found: dict[str, Any] = {}
        if self.secret:
            found[_SECRET] = self._current_version(aws)
        if self.certificate:
            certificate = known.get(self.certificate)
            found[_CERTIFICATE] = certificate.attributes["status"] if certificate else ""
        return Live(self.name, found)

    def once_issued(self, live: Live | None) -> Live | None:
        """What was read, as it would be with an issued certificate."""
        if live is None:
            return None
        known = {name: ISSUED if name == _CERTIFICATE else value for name, value in live.attributes.items()}
        return replace(live, attributes=known)

    def desired(self, known: LiveResources) -> Attributes:
        """A secret with a value, and an issued certificate."""
        found = known[self].attributes
        then = {_SECRET: found.get(_SECRET) or _CURRENT, _CERTIFICATE: ISSUED}
        return {name: then[name] for name in found}

    @property
    def noun(self) -> str:
        """As people write it."""
        return self.kind

    @property
    def impossible(self) -> str:
        """What is missing keeps visitors from signing in."""
        return "Visitors could not sign in."

    def instead(self, live: Live) -> str:
        """How to create what is missing."""
        if self.secret and not live.attributes[_SECRET]:
            return (
                "create the secret that sign_in.client_secret names: aws secretsmanager create-secret --name … "
                "--secret-string file://…"
            )
        return (
            "set up without sign_in first; with it again, inv cutover requests the certificate and turns the sign-in "
            "on, before it leads visitors here; or set load_balancer.certificate"
        )

    def attributes(self, known: LiveResources) -> dict[str, Any]:
        """The attributes of a listener with the action."""
        config = dict(self.config)
        told = {code: config[member] for code, member in _MEMBERS.items() if member in config}
        found = known.get(self)
        version = {_SECRET: found.attributes[_SECRET]} if found and self.secret else {}
        return {"sign-in": self.action, **told, "extra-parameters": (), **version}

    def authenticate(self, aws: Aws) -> tuple[dict[str, Any], dict[str, str]]:
        """The action with its client secret, and the tag that tells the secret's version. Raises RefusedError."""
        config, tags = dict(self.config), {}
        if self.secret:
            answer = aws.call("secretsmanager:GetSecretValue", self.label, SecretId=self.secret)
            config["ClientSecret"] = self._client_secret(answer.get("SecretString", ""))
            tags = {SECRET_TAG: str(answer["VersionId"])}
        return {"Type": self.action, "Order": 1, _CONFIGS[self.action]: config}, tags

    def _current_version(self, aws: Aws) -> str:
        found = aws.find("secretsmanager:DescribeSecret", _ABSENT, self.label, SecretId=self.secret)
        if not found or "DeletedDate" in found:
            return ""
        stages: Mapping[str, list[str]] = found.get("VersionIdsToStages", {})
        return next((id for id, names in stages.items() if "AWSCURRENT" in names), "")

    def _client_secret(self, text: str) -> str:
        """The client secret in a secret's value; errors must not repeat any of it."""
        try:
            found = parsed(text)
        except ValueError:
            found = None
        if self.json_key and isinstance(found, Mapping):
            text = str(found.get(self.json_key) or "")
        elif self.json_key:
            raise _unusable("its value is not JSON", "leave out the key: sign_in.client_secret: <ARN>")
        elif isinstance(found, Mapping):
            raise _unusable("its value is JSON", "name the key: sign_in.client_secret: <ARN>:<key>::")
        if not text.strip():
            where = f"its key {self.json_key} has no value" if self.json_key else "it has no text"
            raise _unusable(where, "store the client secret in it: aws secretsmanager put-secret-value")
        return text.strip()

    def create(self, aws: Aws, known: LiveResources) -> Live:
        """Never called: ``read`` always returns something."""
        raise AssertionError("what a sign-in needs is not created")

    def update(self, aws: Aws, live: Live, changed: frozenset[str], known: LiveResources) -> Live:
        """Does nothing: what is missing is refused."""
        return live

    def delete(self, aws: Aws, live: Live) -> None:
        """Does nothing: the secret is not ours."""

    def tag(self, aws: Aws, live: Live, tags: Mapping[str, str]) -> None:
        """Does nothing: it is never tagged."""

    def untag(self, aws: Aws, live: Live, names: tuple[str, ...]) -> None:
        """Does nothing: it is never tagged."""


def attributes_of(actions: Sequence[Mapping[str, Any]], tags: Mapping[str, str]) -> dict[str, Any]:
    """The attributes of a live listener's authentication action; ``sign-in: none`` without one."""
    found = next((each for each in actions if each["Type"] in _CONFIGS), None)
    if found is None:
        return {"sign-in": NONE}
    config = found[_CONFIGS[found["Type"]]]
    extra = config.get("AuthenticationRequestExtraParams", {})
    return {
        "sign-in": found["Type"],
        **{code: config[member] for code, member in _MEMBERS.items() if member in config},
        "extra-parameters": tuple(f"{name}={value}" for name, value in sorted(extra.items())),
        **({_SECRET: tags.get(SECRET_TAG, "")} if found["Type"] == OIDC else {}),
    }


def provider_of(attributes: Mapping[str, Any]) -> str:
    """Where visitors sign in before a listener with these attributes forwards them: the provider and the application.

    Empty where they do not have to: without an authentication action, and where it lets pass who has not signed in.
    """
    kind = attributes.get("sign-in", NONE)
    if kind == NONE or attributes.get("unauthenticated-requests") == "allow":
        return ""
    return " ".join([kind, *(f"{name}={attributes[name]}" for name in _PROVIDER if name in attributes)])


def _unusable(why: str, next_step: str) -> RefusedError:
    return RefusedError("The secret of sign_in.client_secret contains no client secret.", why, next_step)
