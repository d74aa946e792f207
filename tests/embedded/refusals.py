"""Asserts that AWS refuses a call: its code, and its words."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from botocore.exceptions import ClientError


@contextmanager
def refused(code: str, message: str = "") -> Iterator[None]:
    """The block must raise a ClientError with this code, whose message contains ``message``."""
    with pytest.raises(ClientError) as caught:
        yield
    error = caught.value.response["Error"]
    assert error["Code"] == code, error
    assert message in error["Message"]
