"""What was decided while a test ran, without the words."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Mapping
from dataclasses import fields, is_dataclass
from functools import wraps
from typing import Any

NOTES: list[str] = []
_WORDS = "…"
# AWS's, which differ from one account to the next.
_ID = re.compile("[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}|[0-9a-f]{8,}")
# Classes of the product, by their names: it is imported after this.
_RESOURCE, _ONLY_NAMED = "Resource", {"Live", "Settings"}


def noted(function: Callable[..., Any]) -> Callable[..., Any]:
    """``function``, noting what it answers, or the kind of error that it raises; in the test's own thread only."""

    @wraps(function)
    def noting(*given: Any, **named: Any) -> Any:
        try:
            answer = function(*given, **named)
        except Exception as error:
            _note(function, f"raises {type(error).__name__} {getattr(error, 'code', '')}")
            raise
        _note(function, repr(without_words(answer)))
        return answer

    return noting


def _note(function: Callable[..., Any], what: str) -> None:
    if threading.current_thread() is threading.main_thread():
        NOTES.append(f"{function.__module__}.{function.__name__}: {what}")


def without_words(value: Any) -> Any:
    """Codes, numbers and the shape of an answer; sentences, which have blanks, all look the same."""
    if isinstance(value, str):
        return _WORDS if " " in value else _ID.sub("#", value)
    classes = {each.__name__ for each in type(value).__mro__}
    if _RESOURCE in classes:
        return f"{type(value).__name__} {without_words(value.name)}"
    if classes & _ONLY_NAMED:
        return type(value).__name__
    if is_dataclass(value):
        members = {each.name: without_words(getattr(value, each.name)) for each in fields(value)}
        return type(value).__name__, members
    if isinstance(value, Mapping):
        return sorted((repr(without_words(key)), without_words(each)) for key, each in value.items())
    if isinstance(value, set | frozenset):
        return sorted(repr(without_words(each)) for each in value)
    if isinstance(value, list | tuple):
        return [without_words(each) for each in value]
    return value if value is None or isinstance(value, int | float) else type(value).__name__
