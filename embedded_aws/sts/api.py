"""AWS Security Token Service: assuming roles.

A token's signature is not verified, because its issuer's keys cannot be fetched here.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any, NoReturn

from ..iam import roles
from ..iam.access.call_context import CallContext, current
from ..iam.access.query import AuthorizationQuery
from ..moto import adapter
from ..moto.adapter import ActionResult, AwsError, TokenResponse, iam_backends
from .tokens import Token, read

WEB_IDENTITY = "sts:AssumeRoleWithWebIdentity"


class Sts(TokenResponse):
    """Sessions of roles that trust the caller."""

    def get_caller_identity(self) -> ActionResult:
        """GetCallerIdentity: a caller that IAM does not know is the root user, who may do everything."""
        if current() is not None:
            return ActionResult(super().get_caller_identity().result)
        account = self.current_account
        return ActionResult({"UserId": account, "Account": account, "Arn": f"arn:aws:iam::{account}:root"})

    def call_action(self) -> Any:
        """Handle a request; a refused AssumeRole is 403, as every AccessDenied of STS."""
        self._denied = False
        status, headers, body = super().call_action()
        return (403 if self._denied else status), headers, body

    def _deny(self, message: str) -> NoReturn:
        self._denied = True
        raise AwsError("AccessDenied", message)

    def assume_role(self) -> ActionResult:
        """AssumeRole: the role must trust the caller, whose own policies must allow it unless the trust policy
        names it."""
        arn = self._get_param("RoleArn")
        call_context = current()
        if not _may_assume(self.current_account, arn, call_context):
            told = call_context.caller.arn if call_context else f"arn:aws:iam::{self.current_account}:root"
            self._deny(f"User: {told} is not authorized to perform: sts:AssumeRole on resource: {arn}")
        return ActionResult(super().assume_role().result)

    def assume_role_with_web_identity(self) -> ActionResult:
        """AssumeRoleWithWebIdentity: the token's issuer is a provider of the account, and the role trusts it."""
        token = read(self._get_param("WebIdentityToken"))
        provider = self._provider(token)
        role = adapter.find_role(self.current_account, self._get_param("RoleArn"))
        context = {f"{token.issuer}:{claim}": value for claim, value in token.claims.items()}
        if role is None or not roles.trusts(role, provider, context, kind="Federated", action=WEB_IDENTITY):
            self._deny(f"Not authorized to perform {WEB_IDENTITY}")
        return ActionResult(super().assume_role_with_web_identity().result)

    def _provider(self, token: Token) -> str:
        """The ARN of the provider; InvalidIdentityToken, ExpiredTokenException."""
        arn = f"arn:aws:iam::{self.current_account}:oidc-provider/{token.issuer}"
        known: Mapping[str, Any] = iam_backends[self.current_account]["aws"].open_id_providers
        if arn not in known:
            message = f"No OpenIDConnect provider found in your account for https://{token.issuer}"
            raise AwsError("InvalidIdentityToken", message)
        if not set(token.audiences) & set(known[arn].client_id_list):
            raise AwsError("InvalidIdentityToken", "Incorrect token audience")
        now = int(time.time())
        if token.expires is not None and token.expires <= now:
            message = f"Token expired: current date/time {now} must be before the expiration date/time {token.expires}"
            raise AwsError("ExpiredTokenException", message)
        return arn


def _may_assume(account: str, arn: str, call_context: CallContext | None) -> bool:
    role = adapter.find_role(account, arn)
    if role is None:
        return False
    if call_context is None:
        return roles.trusts(role, f"arn:aws:iam::{account}:user/administrator", kind="AWS")
    caller = call_context.caller
    if roles.names(role, caller.principal) or roles.names(role, caller.arn):
        return True
    trusted = roles.trusts(role, caller.principal, kind="AWS")
    return trusted and call_context.ask(AuthorizationQuery("sts:AssumeRole", arn)).allowed
