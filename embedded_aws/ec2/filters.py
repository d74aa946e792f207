"""The filters of EC2's Describe operations, by what the service's model says of each.

"availability-zone - The Availability Zone for the subnet. You can also use availabilityZone as the filter name."
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cache
from html import unescape
from typing import Any

from ..moto.adapter import AwsError, get_service_model

PART = re.compile(r"<(?P<end>/?)ul>|<li>\s*<p>\s*<code>(?P<name>[^<]+)</code>")
"""Where a list begins or ends, or a filter is named."""
OTHER_NAMES = re.compile(r"can also use (.{1,200}?) as the filter name", re.DOTALL)
UNLISTED = {
    "DescribeAddresses": frozenset({"domain"}),
    "DescribeNetworkInterfaces": frozenset({"group-name"}),
    "DescribeVpcs": frozenset({"isDefault"}),
}
"""By operation, names that earlier editions of EC2's model list and the present one no longer does."""
TAGS = frozenset({"tag:", "tag-key", "tag-value"})
"""The filters of all that has tags; of some operations they are not listed, and ``tag-value`` is only in earlier
editions."""


def check(operation: str, names: Iterable[str]) -> None:
    """Refuse filters that an operation does not have: InvalidParameterValue."""
    known = _known(operation)
    for name in names:
        kind, colon, _key = name.partition(":")
        if known and kind + colon not in known:
            raise AwsError("InvalidParameterValue", f"The filter '{name}' is invalid")


@cache
def _known(operation: str) -> frozenset[str]:
    """The names of an operation's filters, without the keys of tags; empty where the model does not list any."""
    model = get_service_model("ec2").operation_model(operation)
    member = next(
        (model.input_shape.members[name] for name in ("Filters", "Filter") if _has(model, name)), None
    )
    told = member.documentation if member is not None else ""
    listed = frozenset(_listed(told))
    if not listed:
        return listed
    others = (re.findall(r"<code>([^<]+)</code>", words) for words in OTHER_NAMES.findall(told))
    found = listed.union(UNLISTED.get(operation, ()), *others, TAGS if _tagged(model.output_shape) else ())
    return found | {f"{name.removesuffix('-key')}:" for name in found if name.endswith("tag-key")}


def _has(model: Any, name: str) -> bool:
    return name in model.input_shape.members


def _listed(told: str) -> Iterable[str]:
    """The names in the outermost list; the lists inside it are of values."""
    depth = 0
    for part in PART.finditer(told):
        if part["name"] is None:
            depth += -1 if part["end"] else 1
        elif depth == 1:
            # <code>tag</code> and <code>tag:&lt;key&gt;</code> are the same
            name = unescape(part["name"]).strip().partition(":")[0]
            yield f"{name}:" if re.search(r"\btag$", name) else name


def _tagged(shape: Any, above: tuple[str, ...] = ()) -> bool:
    """Whether what is listed in an answer has tags, at any depth."""
    if shape is None or shape.type_name != "structure" or shape.name in above:
        return False
    if above and not shape.members.keys().isdisjoint({"Tags", "TagSet"}):
        return True
    lists = (each.member for each in shape.members.values() if each.type_name == "list")
    return any(_tagged(each, (*above, shape.name)) for each in lists)
