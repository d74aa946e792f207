"""What journeys stand on."""

from __future__ import annotations

import pytest

from lobster_tasks.aws import Aws
from tests.embedded_process import EmbeddedProcess

from .releasing import Account, set_up


@pytest.fixture
def account(embedded: EmbeddedProcess, aws: Aws) -> Account:
    """The stack as `inv setup-fargate` makes it before there is a release: the service stands at 0."""
    return set_up(embedded, aws)
