"""Requests with values of the right type that make little sense: empty, of another form, far too large, or left out."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from random import Random
from typing import Any

from tests.embedded.malformed_requests import Answered, Wire, model_of, request

NAMED = re.compile(
    r"arn:aws[^\"'<>\s,\\]{3,200}|\b(?:vpc|subnet|sg|sgr|igw|rtb|acl|eni|dopt)-[0-9a-f]{8,17}\b"
)
TEXTS = (
    *("", "x", "0", "-1", "*", "/", "a/b", "a:1", "é", "a b", "a\nb", "<&>", "null", "{}", "[]", "x" * 300),
    *(
        "99999999999999999999",
        "1.5",
        "%zz",
        "../..",
        "#",
        "true",
        "2020-01-01T00:00:00Z",
        "sha256:" + "0" * 64,
    ),
    *(
        "arn:",
        "arn:aws:::::",
        "arn:aws:ecs:us-east-2:123456789012:cluster/a",
        "arn:aws:iam::123456789012:role/a",
    ),
    "arn:aws:elasticloadbalancing:us-east-2:123456789012:loadbalancer/app/a/0123456789abcdef",
    "arn:aws:logs:us-east-2:123456789012:log-group:a",
    *(
        "service/a/b",
        "service/a",
        "ecs:service:DesiredCount",
        "10.0.0.0/16",
        "::/0",
        "a.example.com",
        "rate(1 minute)",
    ),
    *("sg-1", "vpc-12345678", "subnet-0123456789abcdef0", "latest", "default", "aws:x", "Z1", "tcp"),
    '{"Version":"2012-10-17","Statement":[]}',
)
NUMBERS = (0, 1, -1, 2, 80, 443, 65_535, 65_536, 2**31 - 1)


@dataclass
class OddValues:
    """Makes members for any shape; what answers name is used again."""

    random: Random
    seen: list[str] = field(default_factory=list)

    def members(self, shape: Any, depth: int = 0) -> dict[str, Any]:
        """Members of a structure: what is required, and some of the others."""
        likely = 0.4 if depth < 3 else 0.1
        given = [
            name for name in shape.members if name in shape.required_members or self.random.random() < likely
        ]
        return {name: self.value(shape.members[name], depth + 1) for name in given if depth < 8}

    def value(self, shape: Any, depth: int) -> Any:
        """A value of a shape's type, within what the model says of its size."""
        match shape.type_name:
            case "structure":
                return self.members(shape, depth)
            case "list":
                number = max(shape.metadata.get("min", 0), self.random.choice((0, 1, 1, 2)))
                return [self.value(shape.member, depth + 1) for _ in range(number if depth < 8 else 0)]
            case "map":
                return {self._text(shape.key) or "k": self.value(shape.value, depth + 1)}
            case "integer" | "long" | "float" | "double":
                return self._number(shape.metadata)
            case "boolean":
                return self.random.random() < 0.5
            case "blob":
                return self.random.choice((b"", b"x", b"{}"))
            case "timestamp":
                return self.random.choice(
                    ("2020-01-01T00:00:00Z", "9999-12-31T00:00:00Z", "1970-01-01T00:00:00Z")
                )
        return self._text(shape)

    def learn(self, answer: Answered) -> None:
        """Use again what an answer names."""
        if answer.status == 200:
            self.seen = [*dict.fromkeys([*NAMED.findall(answer.text)[:5], *self.seen])][:200]

    def _text(self, shape: Any) -> str:
        if shape.enum and self.random.random() < 0.8:
            return str(self.random.choice(shape.enum))
        text = self.random.choice(self.seen if self.seen and self.random.random() < 0.4 else TEXTS)
        least, most = shape.metadata.get("min", 0), shape.metadata.get("max", 2000)
        return (text if len(text) >= least else (text or "a") * least)[:most]

    def _number(self, bounds: Any) -> int:
        number = self.random.choice(NUMBERS)
        return int(min(max(number, bounds.get("min", number)), bounds.get("max", number)))


def send(wire: Wire, odd: OddValues, service: str, operation: str) -> tuple[dict[str, Any], Answered]:
    """Send one request with odd values: its members, and the answer."""
    shape = model_of(service).operation_model(operation).input_shape
    given = odd.members(shape) if shape else {}
    answer = wire.send(request(service, operation, given))
    odd.learn(answer)
    return given, answer
