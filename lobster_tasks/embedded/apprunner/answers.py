"""Small things that every App Runner operation shares: errors, pages, tags, rules of the model."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, TypeVar

from .. import paging
from ..moto_door import AwsError, get_service_model

T = TypeVar("T")


def invalid(message: str) -> AwsError:
    """InvalidRequestException."""
    return AwsError("InvalidRequestException", message)


def wrong_state(message: str) -> AwsError:
    """InvalidStateException."""
    return AwsError("InvalidStateException", message)


def quota_exceeded(message: str) -> AwsError:
    """ServiceQuotaExceededException."""
    return AwsError("ServiceQuotaExceededException", message)


def not_found(what: str, arn: str) -> AwsError:
    """ResourceNotFoundException."""
    return AwsError("ResourceNotFoundException", f"{what} not found for arn: {arn}")


def check(operation: str, request: Mapping[str, Any]) -> None:
    """InvalidRequestException for a member that the model's pattern, range, length or enumeration refuses.

    Clients check minimums only; AWS enforces all of it.
    """
    shape = get_service_model("apprunner").operation_model(operation).input_shape
    problem = next(_problems(shape, request, ""), None)
    if problem is not None:
        raise invalid(f"1 validation error detected: {problem}")


def _problems(shape: Any, value: Any, at: str) -> Iterator[str]:
    match shape.type_name:
        case "structure":
            for name, member in shape.members.items():
                inside = f"{at}.{_lower(name)}" if at else _lower(name)
                if name in value:
                    yield from _problems(member, value[name], inside)
                elif name in shape.required_members:
                    yield f"Value null at '{inside}' failed to satisfy constraint: Member must not be null"
        case "list":
            for index, item in enumerate(value, 1):
                yield from _problems(shape.member, item, f"{at}.{index}.member")
        case "map":
            for key, item in value.items():
                yield from _problems(shape.key, key, f"{at}.key")
                yield from _problems(shape.value, item, f"{at}.{key}.member")
        case _:
            yield from _constraints(shape, value, at)


def _constraints(shape: Any, value: Any, at: str) -> Iterator[str]:
    rules = shape.metadata
    shown = "**redacted**" if rules.get("sensitive") else value
    head = f"Value '{shown}' at '{at}' failed to satisfy constraint: Member must"
    if shape.type_name == "string":
        size, kind = len(value), "have length"
        pattern = rules.get("pattern", "")
        if pattern and not re.fullmatch(f"(?:{pattern})", value):
            yield f"{head} satisfy regular expression pattern: {pattern}"
        if rules.get("enum") and value not in rules["enum"]:
            yield f"{head} satisfy enum value set: [{', '.join(rules['enum'])}]"
    elif shape.type_name == "integer":
        size, kind = value, "have value"
    else:
        return
    if "min" in rules and size < rules["min"]:
        yield f"{head} {kind} greater than or equal to {rules['min']}"
    if "max" in rules and size > rules["max"]:
        yield f"{head} {kind} less than or equal to {rules['max']}"


def _lower(name: str) -> str:
    return name[:1].lower() + name[1:]


def page(found: Sequence[T], request: Mapping[str, Any], limit: int = 100) -> tuple[list[T], dict[str, str]]:
    """One page of ``found`` and, when more is left, ``{"NextToken": …}``; at most ``limit`` a page."""
    asked = request.get("MaxResults") or limit
    first = _offset(request.get("NextToken"))
    more = first + asked < len(found)
    return list(found[first : first + asked]), ({"NextToken": paging.token(first + asked)} if more else {})


def _offset(token: str | None) -> int:
    try:
        return paging.offset(token)
    except ValueError as error:
        raise invalid("Invalid NextToken.") from error


def tags_of(given: Sequence[Mapping[str, str]] | None) -> dict[str, str]:
    """AWS's list of tags as a dict."""
    return {tag["Key"]: tag.get("Value", "") for tag in given or ()}
