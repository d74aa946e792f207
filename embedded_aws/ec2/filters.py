"""The filters of EC2's Describe operations, by what the service's model says of each.

"availability-zone - The Availability Zone for the subnet. You can also use availabilityZone as the filter name."
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cache

from ..moto.adapter import AwsError, get_service_model

NAME = re.compile(r"<li>\s*<p>\s*<code>([^<]+)</code>")
OTHER_NAMES = re.compile(r"can also use (.{1,200}?) as the filter name", re.DOTALL)
UNLISTED = frozenset({"isDefault", "tag-value"})
"""Names that EC2 still takes, but no longer lists."""


def check(operation: str, names: Iterable[str]) -> None:
    """Refuse filters that an operation does not have: InvalidParameterValue."""
    known = _known(operation)
    for name in names:
        if known and (name.split(":")[0] if name.startswith("tag:") else name) not in known:
            raise AwsError("InvalidParameterValue", f"The filter '{name}' is invalid")


@cache
def _known(operation: str) -> frozenset[str]:
    """The names of an operation's filters; empty where the model does not list any."""
    shape = get_service_model("ec2").operation_model(operation).input_shape
    member = next((shape.members[name] for name in ("Filters", "Filter") if name in shape.members), None)
    told = member.documentation if member is not None else ""
    others = (re.findall(r"<code>([^<]+)</code>", words) for words in OTHER_NAMES.findall(told))
    listed = {*NAME.findall(told), *(name for names in others for name in names)}
    return frozenset(listed | UNLISTED) if listed else frozenset()
