"""The actions of listener rules: forward, redirect, fixed-response, and those that ask who somebody is."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Action:
    """What a rule does with a request."""

    @property
    def target_groups(self) -> tuple[str, ...]:
        """The target groups that get requests from it."""
        return ()


@dataclass(frozen=True)
class Forward(Action):
    """Forward the request to one of these target groups, by weight.

    ``sticky_seconds`` is how long a client stays with its target group (None: no stickiness).
    """

    groups: tuple[tuple[str, int], ...]
    sticky_seconds: int | None = None

    @property
    def target_groups(self) -> tuple[str, ...]:
        """All of them, whatever their weight."""
        return tuple(arn for arn, _ in self.groups)


@dataclass(frozen=True)
class Redirect(Action):
    """Redirect the client.

    The parts may contain ``#{protocol}``, ``#{host}``, ``#{port}``, ``#{path}`` and ``#{query}`` of the request.
    """

    status: int
    protocol: str = "#{protocol}"
    host: str = "#{host}"
    port: str = "#{port}"
    path: str = "/#{path}"
    query: str = "#{query}"

    def location(self, protocol: str, host: str, port: str, path: str, query: str) -> str:
        """The Location header for a request with these parts; ``path`` without its leading slash."""
        parts = {"protocol": protocol.lower(), "host": host, "port": port, "path": path, "query": query}

        def fill(text: str) -> str:
            for name, value in parts.items():
                text = text.replace("#{" + name + "}", value)
            return text

        target = f"{fill(self.protocol).lower()}://{fill(self.host)}:{fill(self.port)}{fill(self.path)}"
        return f"{target}?{fill(self.query)}" if fill(self.query) else target


@dataclass(frozen=True)
class FixedResponse(Action):
    """Return a fixed response."""

    status: int
    content_type: str = "text/plain"
    body: str = ""


@dataclass(frozen=True)
class SignIn(Action):
    """Ask an identity provider who the client is, before the last action of the rule.

    ``cookie`` is the name of the session's cookies, without number; ``timeout`` is in AWS seconds; ``extra`` are query
    parameters of the authorization request; ``otherwise`` is OnUnauthenticatedRequest.
    """

    issuer: str
    authorization_endpoint: str
    token_endpoint: str
    user_info_endpoint: str
    client_id: str
    client_secret: str = field(repr=False)
    cookie: str
    scope: str
    timeout: int
    extra: tuple[tuple[str, str], ...]
    otherwise: str


@dataclass(frozen=True)
class ExpectedClaim:
    """A claim that a token must have with these values; ``format`` as AWS spells it."""

    name: str
    format: str
    values: tuple[str, ...]


@dataclass(frozen=True)
class ValidateToken(Action):
    """Ask for a token of this issuer, signed with a key of the set at ``jwks_endpoint``, before the last action."""

    jwks_endpoint: str
    issuer: str
    claims: tuple[ExpectedClaim, ...]


def read_action(data: dict[str, Any]) -> Action:
    """An action from AWS's shape; ValueError for an unsupported type."""
    match data["Type"]:
        case "forward":
            return _forward(data)
        case "redirect":
            return _redirect(data["RedirectConfig"])
        case "fixed-response":
            given = data["FixedResponseConfig"]
            kind = given.get("ContentType") or "text/plain"
            return FixedResponse(int(given["StatusCode"]), kind, given.get("MessageBody") or "")
        case "authenticate-oidc":
            return _sign_in(data["AuthenticateOidcConfig"])
        case "authenticate-cognito":
            return _sign_in(_of_user_pool(data["AuthenticateCognitoConfig"]))
        case "jwt-validation":
            return _validate_token(data["JwtValidationConfig"])
        case other:
            raise ValueError(f"no data plane for actions of type {other}")


def _forward(data: dict[str, Any]) -> Forward:
    config = data.get("ForwardConfig") or {}
    named = [{"TargetGroupArn": data["TargetGroupArn"]}] if data.get("TargetGroupArn") else []
    groups = config.get("TargetGroups") or named
    pairs = tuple((one["TargetGroupArn"], int(one.get("Weight", 1))) for one in groups)
    sticky = config.get("TargetGroupStickinessConfig") or {}
    seconds = int(sticky["DurationSeconds"]) if str(sticky.get("Enabled")).lower() == "true" else None
    return Forward(pairs, seconds)


def _redirect(config: dict[str, Any]) -> Redirect:
    names = {"protocol": "Protocol", "host": "Host", "port": "Port", "path": "Path", "query": "Query"}
    given = {name: config[key] for name, key in names.items() if config.get(key) is not None}
    return Redirect(int(config["StatusCode"].removeprefix("HTTP_")), **given)


def _sign_in(config: dict[str, Any]) -> SignIn:
    return SignIn(
        issuer=config["Issuer"],
        authorization_endpoint=config["AuthorizationEndpoint"],
        token_endpoint=config["TokenEndpoint"],
        user_info_endpoint=config["UserInfoEndpoint"],
        client_id=config["ClientId"],
        client_secret=config["ClientSecret"],
        cookie=config["SessionCookieName"],
        scope=config["Scope"],
        timeout=int(config["SessionTimeout"]),
        extra=tuple((config.get("AuthenticationRequestExtraParams") or {}).items()),
        otherwise=config["OnUnauthenticatedRequest"],
    )


def _validate_token(config: dict[str, Any]) -> ValidateToken:
    claims = config.get("AdditionalClaims") or ()
    expected = tuple(ExpectedClaim(one["Name"], one["Format"], tuple(one["Values"])) for one in claims)
    return ValidateToken(config["JwksEndpoint"], config["Issuer"], expected)


def _of_user_pool(config: dict[str, Any]) -> dict[str, Any]:
    """A user pool as any other provider ("User pool endpoints and managed login reference"), but without the secret of
    its client: there are no user pools here to take it from."""
    region, pool = config["UserPoolArn"].split(":")[3], config["UserPoolArn"].rpartition("/")[2]
    domain = config["UserPoolDomain"]
    host = domain if "." in domain else f"{domain}.auth.{region}.amazoncognito.com"
    return {
        **config,
        "Issuer": f"https://cognito-idp.{region}.amazonaws.com/{pool}",
        "AuthorizationEndpoint": f"https://{host}/oauth2/authorize",
        "TokenEndpoint": f"https://{host}/oauth2/token",
        "UserInfoEndpoint": f"https://{host}/oauth2/userInfo",
        "ClientId": config["UserPoolClientId"],
        "ClientSecret": "",
    }
