"""All patches of moto, each with its reason; and the settings that moto reads when it is imported.

All of them are for moto 5.2 (``pyproject.toml`` allows no other), and concern only ``moto.core.responses`` and
``moto.core.serialize``. ``embedded_aws.moto`` imports this module before any other. Each patch keeps the
original as ``motos_…``, so that the benchmark and the test can compare them.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, ClassVar
from uuid import uuid4

os.environ["MOTO_IAM_LOAD_MANAGED_POLICIES"] = "true"
os.environ["MOTO_EC2_LOAD_DEFAULT_AMIS"] = "false"  # 1288 per region; there are no instances here
os.environ.pop("MOTO_ACCOUNT_ID", None)

from moto.core import responses
from moto.core.serialize import AttributePickerContext, ResponseSerializer

# Reason: moto lists the methods of a service's class again for each request, which is most of a small answer's time.
# Shown by: benchmarks/answering.py, "a small answer of EC2".

motos_method_names = responses.method_names_from_class
responses.method_names_from_class = method_names = cache(motos_method_names)

# Reason: for each member of each answer, moto computes the names that the member may have in its classes.
# Shown by: benchmarks/answering.py, "an answer of six subnets".


class Picker(responses.XFormedAttributePicker):
    """Looks for the members of an answer under the names that moto tries, which are computed once.

    The names follow from the class with the member, the member's shape and its name.
    """

    _names: ClassVar[dict[tuple[type, Any, str], tuple[str, ...]]] = {}

    def get_possible_keys(self, context: Any) -> Iterable[str]:
        """The names, the likeliest first."""
        return self._known(context.obj, context.key, context.shape)

    def of_dict(self, answer: Mapping[str, Any], key: str, shape: Any) -> Any:
        """A member of a dict; None where it does not exist."""
        return next((answer[name] for name in self._known(answer, key, shape) if name in answer), None)

    def of_object(self, answer: Any, key: str, shape: Any) -> Any:
        """A member of an object, from its attributes; None where it does not exist."""
        for name in self._known(answer, key, shape):
            if (value := getattr(answer, name, self)) is not self:
                return value
        return None

    def _known(self, holder: Any, key: str, shape: Any) -> Iterable[str]:
        asked = type(holder), shape, key
        if asked not in self._names:
            context = AttributePickerContext(holder, key, shape)
            self._names[asked] = tuple(super().get_possible_keys(context))
        return self._names[asked]


motos_get_value = ResponseSerializer.get_value


def get_value(serializer: ResponseSerializer, holder: Any, key: str, shape: Any) -> Any:
    """A member of an answer, with a shorter lookup for dicts and plain objects."""
    picker = serializer._value_picker
    if not isinstance(picker, Picker) or picker.response_transformers:
        return motos_get_value(serializer, holder, key, shape)
    if type(holder) is dict:
        return picker.of_dict(holder, key, shape)
    if hasattr(holder, "__getitem__"):
        return motos_get_value(serializer, holder, key, shape)
    return picker.of_object(holder, key, shape)


ResponseSerializer.get_value = get_value
responses.XFormedAttributePicker = Picker

# Reason: AWS's request ids are UUIDs, moto's are 52 letters and digits, and moto has no other way to set one.
# Shown by: tests/embedded/test_conformance_endpoint.py; it is unrelated to speed.


def request_id(headers: dict[str, Any]) -> str:
    """A request's id in AWS's form, also set in the answer's headers."""
    headers["x-amzn-requestid"] = made = str(uuid4())
    return made


responses.gen_amzn_requestid_long = request_id

# Reason: moto looks for the operation in the form, in the query string, in any text with "&Action=" in a body, and in a
# header, and for the region in the URL and in User-Agent; IAM has decided on another reading.
# Shown by: tests/embedded/test_conformance_one_reading.py; it is unrelated to speed.

CARRIED_OUT = "embedded.carried_out"
"""A key of the environ: what IAM has decided on."""


@dataclass(frozen=True)
class CarriedOut:
    """The operation and region of a call; ``by_path`` where method and path name the operation."""

    operation: str
    region: str
    by_path: bool


motos_get_action = responses.BaseResponse._get_action
motos_get_region = responses.BaseResponse.get_region_from_url


def get_action(response: responses.BaseResponse) -> str:
    """The operation that IAM has decided on; moto finds a path's parameters when it looks for it there."""
    request = response.normalized_request
    decided: CarriedOut | None = request.environ.get(CARRIED_OUT)
    if decided is None or not decided.operation:
        return str(motos_get_action(response))
    if decided.by_path:
        return response._get_action_from_method_and_request_uri(request) or decided.operation
    return decided.operation


def get_region(response: responses.BaseResponse, request: Any, full_url: str) -> str:
    """The region that IAM has decided on."""
    decided: CarriedOut | None = request.environ.get(CARRIED_OUT)
    return decided.region if decided else str(motos_get_region(response, request, full_url))


responses.BaseResponse._get_action = get_action
responses.BaseResponse.get_region_from_url = get_region
