"""What the embedded AWS's own way to look for an answer's members is for, beside moto's."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from lobster_tasks.embedded import moto_door

from .common import median, seconds

_ROUNDS, _ANSWERS = 5, 100
_SUBNET = {
    "subnet_id": "subnet-1",
    "vpc_id": "vpc-1",
    "cidr_block": "10.0.0.0/24",
    "availability_zone": "us-east-2a",
}


def figures() -> Iterator[str]:
    """How long a DescribeSubnets answer of six subnets takes to write, both ways, and the ratio."""
    model = moto_door.get_service_model("ec2")
    operation = model.operation_model("DescribeSubnets")
    serializer = moto_door.get_serializer_class("ec2", str(model.protocol))
    motos_picker = moto_door.Picker.__base__
    assert motos_picker is not None

    def write(picker: type) -> None:
        for _ in range(_ANSWERS):
            serializer(operation, value_picker=picker()).serialize({"subnets": [_SUBNET] * 6})

    ours, motos = (
        [seconds(partial(write, picker)) for _ in range(_ROUNDS)]
        for picker in (moto_door.Picker, motos_picker)
    )
    each = median(ours) / _ANSWERS * 1000, median(motos) / _ANSWERS * 1000
    yield f"an answer of six subnets: {each[0]:.2f} ms, {each[1]:.2f} ms by moto alone, {each[1] / each[0]:.1f} times"
