"""A load balancer that authenticates visitors with an identity provider, created through the API."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import requests

from tests.embedded.balanced import Balanced
from tests.embedded.certificates import import_certificate, server_context
from tests.embedded.identity_provider import CLIENT, SECRET, IdentityProvider
from tests.embedded_process import PATIENCE, EmbeddedProcess, eventually

POOL = "arn:aws:cognito-idp:us-east-2:123456789012:userpool/us-east-2_abc"


class Guarded(Balanced):
    """``listener`` is the HTTPS listener, to which tests add rules; ``site`` is its target."""

    def __init__(self, aws: EmbeddedProcess, folder: Path) -> None:
        super().__init__(aws)
        self.browsers: list[requests.Session] = []
        self.tls = server_context("localhost", folder)
        self.provider = self.make_provider()
        self.site = self.add("one")
        certificates = [{"CertificateArn": import_certificate(self, "app.example.com")[0]}]
        self.listener = self.listen(443, self.forward(self.target_group), "HTTPS", Certificates=certificates)
        self.await_tls()

    def make_provider(self) -> IdentityProvider:
        """An identity provider, which stops together with the sites."""
        made = IdentityProvider("idp", "127.0.0.1", 0, tls=self.tls)
        self.sites.append(made)
        return made

    def await_tls(self) -> None:
        """Wait until the load balancer speaks TLS."""

        def speaks() -> bool:
            try:
                return self.browser().get(self.secure, timeout=PATIENCE, allow_redirects=False).ok
            except requests.RequestException:
                return False

        eventually(speaks)

    @property
    def secure(self) -> str:
        """The load balancer's HTTPS address."""
        return f"https://{self.host}"

    def ask(self, provider: IdentityProvider | None = None, **settings: Any) -> dict[str, Any]:
        """An ``authenticate-oidc`` action, by default for the first provider; settings that are None are left out."""
        issuer = (provider or self.provider).issuer
        config = {
            "Issuer": issuer,
            "AuthorizationEndpoint": f"{issuer}/authorize",
            "TokenEndpoint": f"{issuer}/token",
            "UserInfoEndpoint": f"{issuer}/userinfo",
            "ClientId": CLIENT,
            "ClientSecret": SECRET,
            **settings,
        }
        kept = {name: value for name, value in config.items() if value is not None}
        return {"Type": "authenticate-oidc", "Order": 1, "AuthenticateOidcConfig": kept}

    def ask_pool(self, **settings: Any) -> dict[str, Any]:
        """An ``authenticate-cognito`` action."""
        config = {"UserPoolArn": POOL, "UserPoolClientId": CLIENT, "UserPoolDomain": "app", **settings}
        return {"Type": "authenticate-cognito", "Order": 1, "AuthenticateCognitoConfig": config}

    def then(self, action: dict[str, Any] | None = None) -> dict[str, Any]:
        """The last action, by default forward to the site."""
        return {**(action or self.forward(self.target_group)), "Order": 2}

    def guard(self, **settings: Any) -> None:
        """Require authentication of every visitor."""
        self.elb.modify_listener(
            ListenerArn=self.listener, DefaultActions=[self.ask(**settings), self.then()]
        )

    def rule(
        self, *actions: dict[str, Any], path: str = "/login", priority: int = 1, **more: Any
    ) -> dict[str, Any]:
        """Create a rule of the listener."""
        conditions = [{"Field": "path-pattern", "Values": [path]}]
        made = self.elb.create_rule(
            ListenerArn=self.listener,
            Priority=priority,
            Conditions=conditions,
            Actions=list(actions),
            **more,
        )
        found: dict[str, Any] = made["Rules"][0]
        return found

    def clean(self) -> None:
        """Delete every rule, let every visitor in, and restore the provider's first behaviour."""
        rules = self.elb.describe_rules(ListenerArn=self.listener)["Rules"]
        for rule in rules:
            if not rule["IsDefault"]:
                self.elb.delete_rule(RuleArn=rule["RuleArn"])
        self.elb.modify_listener(ListenerArn=self.listener, DefaultActions=[self.forward(self.target_group)])
        fresh = IdentityProvider.__dataclass_fields__
        for name in ("claims", "tokens", "keys", "statuses", "silent", "answer", "asked", "forms"):
            setattr(self.provider, name, fresh[name].default_factory())  # type: ignore[misc]
        self.provider.seen.clear()
        self.site.seen.clear()
        self._close_browsers()

    def browser(self, **cookies: str) -> requests.Session:
        """A client that keeps cookies and does not verify certificates."""
        made = requests.Session()
        made.trust_env, made.verify = False, False
        made.cookies.update(cookies)
        self.browsers.append(made)
        return made

    def close(self) -> None:
        """Stop every site, and every client."""
        super().close()
        self._close_browsers()

    def _close_browsers(self) -> None:
        while self.browsers:
            self.browsers.pop().close()
