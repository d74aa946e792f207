"""AWS's API models, as botocore has them: loaded once, and what is wrong with an input by them."""

from __future__ import annotations

from functools import cache
from typing import Any

_TYPES = {
    "str": "a text",
    "int": "a whole number",
    "float": "a number",
    "bool": "true or false",
    "dict": "an object",
    "list": "a list",
}


@cache
def loader(data_path: str | None) -> Any:
    """botocore's loader of models; ``data_path`` is the setting of the same name in AWS's configuration file, which is
    None by default."""
    from botocore.loaders import create_loader

    return create_loader(data_path)


def mistakes(service: str, operation: str, given: object) -> list[str]:
    """What is wrong with the input of an operation, a sentence for each member, without any value.

    As botocore would refuse the call ("botocore.validate"): members that are missing or unknown, and values of another
    type.
    """
    from botocore.validate import ParamValidator

    # "generate_report", which is public, repeats the values.
    found = vars(ParamValidator().validate(given, _input(service, operation)))["_errors"]
    return [_sentence(operation, reason, path.lstrip("."), more) for reason, path, more in found]


@cache
def _input(service: str, operation: str) -> Any:
    from botocore.model import ServiceModel

    model = ServiceModel(loader(None).load_service_model(service, "service-2"), service)
    return model.operation_model(operation).input_shape


def _sentence(operation: str, reason: str, path: str, more: dict[str, Any]) -> str:
    within = f"{path}." if path else ""
    if reason == "missing required field":
        return f"{within}{more['required_name']} is missing"
    if reason == "unknown field":
        return f"{within}{more['unknown_param']} is not a member of {operation}"
    if reason == "invalid type":
        names = [str(each).removeprefix("<class '").removesuffix("'>") for each in more["valid_types"]]
        return f"{path or 'it'} is not {' or '.join(_TYPES[each] for each in names if each in _TYPES)}"
    return f"{path or 'it'}: {reason}"
