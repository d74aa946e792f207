"""How the endpoint as a whole behaves."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError


def test_an_operation_that_is_not_known_is_refused_by_name(client: Any) -> None:
    """UnknownOperationException, HTTP 400, so that clients do not retry."""
    with pytest.raises(ClientError) as refused:
        client("ecs").submit_task_state_change(task="x", status="RUNNING")
    assert refused.value.response["Error"]["Code"] == "UnknownOperationException"
    assert "SubmitTaskStateChange" in refused.value.response["Error"]["Message"]
    assert refused.value.response["ResponseMetadata"]["HTTPStatusCode"] == 400
