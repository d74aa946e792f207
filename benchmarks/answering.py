"""What the embedded AWS's own ways to an answer's members, and to an operation's method, are for, beside moto's."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

from embedded_aws.moto import adapter, patches
from embedded_aws.moto.dispatch import answer_from

from .common import median, seconds

_ROUNDS, _ANSWERS = 5, 100
_SUBNET = {
    "subnet_id": "subnet-1",
    "vpc_id": "vpc-1",
    "cidr_block": "10.0.0.0/24",
    "availability_zone": "us-east-2a",
}


def figures() -> Iterator[str]:
    """How long an answer takes with and without each replacement, and the ratio."""
    yield from _members()
    yield from _methods()


def _members() -> Iterator[str]:
    """A DescribeSubnets answer of six subnets is written."""
    model = adapter.get_service_model("ec2")
    operation = model.operation_model("DescribeSubnets")
    serializer = adapter.get_serializer_class("ec2", str(model.protocol))
    motos_picker = patches.Picker.__base__
    assert motos_picker is not None

    def write(picker: type) -> None:
        for _ in range(_ANSWERS):
            serializer(operation, value_picker=picker()).serialize({"subnets": [_SUBNET] * 6})

    ours, motos = (
        [seconds(partial(write, picker)) for _ in range(_ROUNDS)] for picker in (patches.Picker, motos_picker)
    )
    each = median(ours) / _ANSWERS * 1000, median(motos) / _ANSWERS * 1000
    yield f"an answer of six subnets: {each[0]:.2f} ms, {each[1]:.2f} ms by moto alone, {each[1] / each[0]:.1f} times"


def _methods() -> Iterator[str]:
    """A DescribeAccountAttributes call is answered."""
    body = b"Action=DescribeAccountAttributes&Version=2016-11-15"

    def answer(names: Callable[[object], list[str]]) -> None:
        patches.responses.method_names_from_class = names
        for _ in range(_ANSWERS):
            answer_from(adapter.EC2Response(), _environ(body))

    ours, motos = (
        [seconds(partial(answer, names)) for _ in range(_ROUNDS)]
        for names in (patches.method_names, patches.motos_method_names)
    )
    patches.responses.method_names_from_class = patches.method_names
    each = median(ours) / _ANSWERS * 1000, median(motos) / _ANSWERS * 1000
    yield f"a small answer of EC2: {each[0]:.2f} ms, {each[1]:.2f} ms by moto alone, {each[1] / each[0]:.1f} times"


def _environ(body: bytes) -> dict[str, Any]:
    return {
        "REQUEST_METHOD": "POST",
        "PATH_INFO": "/",
        "QUERY_STRING": "",
        "SERVER_NAME": "127.0.0.1",
        "SERVER_PORT": "80",
        "HTTP_HOST": "ec2.us-east-2.amazonaws.com",
        "HTTP_AUTHORIZATION": "AWS4-HMAC-SHA256 Credential=AKIAEXAMPLE/20260101/us-east-2/ec2/aws4_request",
        "wsgi.url_scheme": "http",
        "wsgi.input": io.BytesIO(body),
        "CONTENT_TYPE": "application/x-www-form-urlencoded; charset=utf-8",
        "CONTENT_LENGTH": str(len(body)),
    }
