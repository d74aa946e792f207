"""Requests of the query protocols, EC2's and others': ``Action``, ``Version``, and members as ``A.member.1.B``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ...moto.adapter import AwsError
from ...moto.wire import Call
from ...shapes import numbers
from .json_body import is_base64, is_date

Tree = dict[str, "Tree | str"]


def check_action(call: Call, model: Any, protocol: str) -> None:
    """Raise MissingAction, InvalidAction or NoSuchVersion unless the form names an operation of this version."""
    action, version = call.form.get("Action", ""), call.form.get("Version", "")
    if not action:
        raise AwsError("MissingAction", "The request must contain the parameter Action")
    if action not in model.operation_names or action != call.operation:
        raise AwsError("InvalidAction", _no_such_action(action, version, protocol))
    if protocol == "query" and version != model.api_version:
        raise AwsError("InvalidAction", _no_such_action(action, version, protocol))
    if protocol == "ec2" and version > model.api_version:
        message = f"The requested version ({version}) of service AmazonEC2 does not exist"
        raise AwsError("NoSuchVersion", message)


def _no_such_action(action: str, version: str, protocol: str) -> str:
    if protocol == "ec2":
        return f"The action {action} is not valid for this web service."
    return f"Could not find operation {action} for version {version or 'NO_VERSION_SPECIFIED'}"


def members(shape: Any, form: Mapping[str, str], protocol: str) -> Mapping[str, Any]:
    """A request's members by the model's names; MalformedInput or InvalidParameterValue."""
    tree: Tree = {}
    for key, value in form.items():
        _plant(tree, key.split("."), value)
    found = _Reader(protocol).read(shape, tree, "")
    assert isinstance(found, dict)
    return found


def _plant(tree: Tree, words: list[str], value: str) -> None:
    """Insert a value at its name; a longer name takes precedence over a shorter one that is its prefix."""
    for word in words[:-1]:
        below = tree.get(word)
        if not isinstance(below, dict):
            tree[word] = below = {}
        tree = below
    tree.setdefault(words[-1], value)


class _Reader:
    """Converts the tree of names with the shapes of the model."""

    def __init__(self, protocol: str) -> None:
        self._ec2 = protocol == "ec2"

    def read(self, shape: Any, node: Tree | str, path: str) -> Any:
        """The value at a node."""
        match shape.type_name:
            case "structure":
                return self._structure(shape, self._inner(node, path), path)
            case "list":
                return self._list(shape, node, path)
            case "map":
                return self._map(shape, self._inner(node, path), path)
        if isinstance(node, dict):
            raise self._malformed("a value", path)
        self._check(shape.type_name, node, path)
        return node

    def _structure(self, shape: Any, node: Tree, path: str) -> dict[str, Any]:
        found = {}
        for name, member in shape.members.items():
            written = self._name(member, name)
            if written in node:
                found[name] = self.read(member, node[written], f"{path}.{written}".lstrip("."))
        return found

    def _list(self, shape: Any, node: Tree | str, path: str) -> list[Any]:
        if node == "":
            return []
        inner = self._inner(node, path)
        if not self._ec2 and not shape.serialization.get("flattened"):
            inner = self._inner(inner.get(shape.member.serialization.get("name", "member"), {}), path)
        return [
            self.read(shape.member, each, f"{path}.{number}") for number, each in self._numbered(inner, path)
        ]

    def _map(self, shape: Any, node: Tree, path: str) -> dict[str, Any]:
        entries = node if shape.serialization.get("flattened") else self._inner(node.get("entry", {}), path)
        found = {}
        for number, each in self._numbered(entries, path):
            entry = self._inner(each, path)
            key = entry.get(self._name(shape.key, "key"))
            value = entry.get(self._name(shape.value, "value"))
            if isinstance(key, str):
                found[key] = None if value is None else self.read(shape.value, value, f"{path}.{number}")
        return found

    def _numbered(self, node: Tree, path: str) -> list[tuple[str, Tree | str]]:
        if not all(word.isascii() and word.isdigit() and len(word) < 6 for word in node):
            raise self._malformed("a list", path)
        return sorted(node.items(), key=lambda each: int(each[0]))

    def _inner(self, node: Tree | str, path: str) -> Tree:
        if isinstance(node, str):
            raise self._malformed("a structure", path)
        return node

    def _name(self, shape: Any, name: str) -> str:
        given = shape.serialization
        if not self._ec2:
            return str(given.get("name", name))
        written = str(given.get("queryName") or given.get("name", name))
        return written if "queryName" in given else written[:1].upper() + written[1:]

    def _check(self, kind: str, text: str, path: str) -> None:
        if kind in numbers.NAMES and not numbers.is_written(kind, text):
            raise self._malformed(numbers.NAMES[kind], path)
        if kind == "boolean" and text.lower() not in ("true", "false", "1", "0"):
            raise self._malformed("Boolean", path)
        if kind == "timestamp" and not is_date(text):
            raise self._malformed("Date", path)
        if kind == "blob" and not is_base64(text):
            raise self._malformed("Blob", path)

    def _malformed(self, expected: str, path: str) -> AwsError:
        if self._ec2:
            return AwsError(
                "InvalidParameterValue", f"Invalid value for the parameter {path}: it is no {expected}"
            )
        return AwsError("MalformedInput", f"Invalid value for {path}: it is no {expected}")
