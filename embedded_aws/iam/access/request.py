"""The members of a request in any protocol."""

from __future__ import annotations

import io
from collections.abc import Iterator, Mapping
from typing import Any

from ...moto.adapter import request_members
from ...moto.dispatch import model_name
from ...moto.wire import Call


def members(call: Call, environ: dict[str, Any]) -> Mapping[str, Any]:
    """The members of ``call`` by botocore's names; the environ can still be read afterwards."""
    copy = {**environ, "wsgi.input": io.BytesIO(environ["wsgi.input"].getvalue())}
    return request_members(model_name(call.service), call.operation, copy)


def texts(value: Any) -> Iterator[str]:
    """Every text in a request, at any depth."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for inner in value.values():
            yield from texts(inner)
    elif isinstance(value, list | tuple):
        for inner in value:
            yield from texts(inner)


def listed(value: Any) -> list[str]:
    """A member that is one text or a list of them, as a list."""
    if value is None:
        return []
    return [str(one) for one in value] if isinstance(value, list | tuple) else [str(value)]
