"""Refuses requests that AWS refuses before the service handles them: malformed, unknown, or without a required
member.

Based on botocore's models, for every service, with the messages of its protocol. Sources are in
``tests/embedded/test_conformance_malformed.py``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from botocore.exceptions import UnknownServiceError

from ...moto.adapter import AwsError, determine_request_protocol
from ...moto.dispatch import Answer, model_of
from ...moto.wire import Call
from ...shapes.bounds import missing, reserved, violations, without_key
from . import form, json_body, rest
from .page_tokens import PageTokens

CODES = {
    "apprunner": "InvalidRequestException",
    "ecr": "InvalidParameterException",
    "ecs": "InvalidParameterException",
    "logs": "InvalidParameterException",
    "route53": "InvalidInput",
    "s3": "InvalidRequest",
    "tagging": "InvalidParameterException",
}
"""Error codes for a missing member: by service, otherwise by protocol."""

OWN_WORDS_FOR_TAGS = ("acm", "ec2", "ecs", "elasticloadbalancing")
"""Services whose messages about reserved tags are known."""

EMPTY_IS_ABSENT = ("elasticloadbalancing",)
"""Services that treat an empty text in an optional member as absent."""


@dataclass(frozen=True)
class Reading:
    """A request, parsed with botocore's model of its service, each part once."""

    call: Call
    environ: dict[str, Any]

    def why_refused(self) -> AwsError | None:
        """AWS's error for a malformed request; None where the service may handle it, or has no model."""
        try:
            if self._protocol:
                self._check(self._protocol)
        except AwsError as refusal:
            return refusal
        return None

    def why_not_allowed(self, tokens: PageTokens, failed: bool = False) -> AwsError | None:
        """AWS's error for values that the model does not allow, and for page tokens that are not in ``tokens``.

        EC2's model has few constraints, and EC2 has messages of its own: its values are checked only after the
        service has ``failed`` on them.
        """
        call, protocol, operation = self.call, self._protocol, self._operation
        if protocol is None or operation is None or operation.input_shape is None:
            return None
        members, unknown = tokens.told_apart(call, operation, self._members)
        wrong = violations(operation.input_shape, members) if protocol != "ec2" or failed else []
        if not wrong and (keyless := without_key(operation.input_shape, members)):
            return _no_key(call.service, protocol, keyless)
        if not wrong and not unknown and protocol != "ec2" and call.service not in OWN_WORDS_FOR_TAGS:
            wrong = reserved(operation.input_shape, members)
        return _validation(call.service, protocol, wrong) if wrong else unknown

    def learn_pages(self, answer: Answer, tokens: PageTokens) -> None:
        """Remember the page tokens of an answer."""
        if self._protocol and self._operation is not None:
            tokens.learn(self.call, self._operation, self._protocol, answer)

    @cached_property
    def _model(self) -> Any:
        return model_of(self.call.service, self.call.form.get("Version"), self.call.operation)

    @cached_property
    def _protocol(self) -> str | None:
        """The request's protocol; None without a model; UnknownOperationException where the service does not
        support it."""
        try:
            return str(determine_request_protocol(self._model, self.call.content_type))
        except UnknownServiceError:
            return None
        except NotImplementedError as error:
            raise AwsError("UnknownOperationException", "") from error

    @cached_property
    def _operation(self) -> Any:
        """botocore's model of the operation, or None."""
        if self._protocol is None or self.call.operation not in self._model.operation_names:
            return None
        return self._model.operation_model(self.call.operation)

    @cached_property
    def _members(self) -> Mapping[str, Any]:
        call, shape, protocol = self.call, self._operation.input_shape, self._protocol
        if protocol in ("query", "ec2"):
            given = form.members(shape, call.form, protocol)
            empty = [name for name in given if given[name] == "" and name not in shape.required_members]
            passed_over = empty if call.service in EMPTY_IS_ABSENT else ()
            return {name: value for name, value in given.items() if name not in passed_over}
        if protocol == "json":
            return json_body.members(shape, self._body)
        return rest.members(call, self._operation, self.environ, str(protocol))

    @property
    def _body(self) -> bytes:
        body: bytes = self.environ["wsgi.input"].getvalue()
        return body

    def _check(self, protocol: str) -> None:
        call, operation = self.call, self._operation
        match protocol:
            case "query" | "ec2":
                form.check_action(call, self._model, protocol)
            case "json":
                json_body.check_target(call, self.environ, self._model)
            case _ if not call.operation and call.service != "s3":  # S3 may have the bucket in the host name
                raise AwsError("UnknownOperationException", "")
        if operation is None:
            return
        if operation.input_shape is None:
            if protocol == "json":
                json_body.as_object(json_body.parsed(self._body))
            return
        lacking = missing(operation.input_shape, self._members)
        if lacking and protocol == "ec2":
            name = lacking[0].split(".")[-1]
            raise AwsError("MissingParameter", f"The request must contain the parameter {name}")
        if lacking:
            raise _validation(call.service, protocol, violations(operation.input_shape, self._members))


def _no_key(service: str, protocol: str, paths: list[str]) -> AwsError:
    """The error for tags without a key; its words are the general ones."""
    if protocol == "ec2":
        return AwsError("MissingParameter", "The request must contain the parameter Key")
    what = "failed to satisfy constraint: Member must not be null"
    return _validation(service, protocol, [f"Value null at '{path}' {what}" for path in paths])


def _validation(service: str, protocol: str, wrong: list[str]) -> AwsError:
    if service == "ecr":
        return AwsError(CODES[service], "; ".join(map(_in_ecrs_words, wrong)))
    number = f"{len(wrong)} validation error{'s' if len(wrong) > 1 else ''} detected: "
    usual = {"query": "ValidationError", "ec2": "InvalidParameterValue"}.get(protocol, "ValidationException")
    return AwsError(CODES.get(service, usual), number + "; ".join(wrong))


def _in_ecrs_words(wrong: str) -> str:
    """``Invalid parameter at '…' failed to satisfy constraint: 'must satisfy regular expression '…''``."""
    path, _, constraint = wrong.partition(" at '")[2].partition("' failed to satisfy constraint: Member ")
    head, colon, pattern = constraint.partition(" regular expression pattern: ")
    told = f"{head} regular expression '{pattern}'" if colon else constraint
    return f"Invalid parameter at '{path}' failed to satisfy constraint: '{told}'"
