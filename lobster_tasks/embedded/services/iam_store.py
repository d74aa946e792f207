"""How IAM holds an account's roles and policies."""

from __future__ import annotations

from typing import Any, ClassVar

from ..moto_door import IAMBackend, iam_backends


class IamStore(IAMBackend):
    """moto's, but the 1600 policies that AWS manages are parsed once, not after each reset."""

    _managed: ClassVar[dict[tuple[str, str], list[Any]]] = {}

    def _init_aws_policies(self) -> list[Any]:
        key = (self.account_id, self.region_name)
        if key not in self._managed:
            self._managed[key] = super()._init_aws_policies()
        for policy in self._managed[key]:
            policy.attachment_count = 0
        return list(self._managed[key])


iam_backends.keep_in(IamStore)
