"""Calls of ECR's API that a registry makes for its clients, in the name of their token's principal."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from ..moto.dispatch import Answer

TARGET = "AmazonEC2ContainerRegistry_V20150921"
JSON = "application/x-amz-json-1.1"
LAYER_PART = "embedded.layer_part"
"""A key of the environ: the bytes of ``layerPartBlob``, which JSON in base64 would make several times as slow."""
CREDENTIAL = "AWS4-HMAC-SHA256 Credential={}/20200101/{}/ecr/aws4_request, SignedHeaders=host, Signature=none"

Send = Callable[[dict[str, Any]], Answer | None]
"""Answers a call of the API, by its WSGI environ; None where its connection is dropped."""


class ApiError(Exception):
    """An error of the API: its code, its message and the HTTP status."""

    def __init__(self, code: str, message: str, status: int) -> None:
        super().__init__(f"{code}: {message}")
        self.code, self.message, self.status = code, message, status


class DroppedError(Exception):
    """The connection of the call was dropped, so that of the registry's client is too."""


@dataclass(frozen=True)
class ApiClient:
    """A client of the API in one region, for one request (a WSGI environ) of a registry's client."""

    environ: Mapping[str, Any]
    access_key: str
    region: str
    send: Send

    def call(self, operation: str, part: bytes | None = None, **members: Any) -> dict[str, Any]:
        """The result of an operation, with the bytes of a layer's part beside it; ApiError, DroppedError."""
        request = {**self._request(operation, members), LAYER_PART: part}
        answer = self.send(request)
        del request[LAYER_PART]  # what is left of the request may wait long for the garbage collector
        if answer is None:
            raise DroppedError
        told: dict[str, Any] = json.loads(answer.body or b"{}")
        if answer.status >= 300:
            code = str(told.get("__type", "")).rpartition("#")[2]
            raise ApiError(code, str(told.get("message") or told.get("Message") or ""), answer.status)
        return told

    def _request(self, operation: str, members: Mapping[str, Any]) -> dict[str, Any]:
        body = json.dumps(members).encode()
        rest = {name: value for name, value in self.environ.items() if not name.startswith("HTTP_")}
        return {
            **rest,
            "REQUEST_METHOD": "POST",
            "PATH_INFO": "/",
            "RAW_URI": "/",
            "REQUEST_URI": "/",
            "QUERY_STRING": "",
            "CONTENT_TYPE": JSON,
            "CONTENT_LENGTH": str(len(body)),
            "HTTP_HOST": self.environ["HTTP_HOST"],
            "HTTP_X_AMZ_TARGET": f"{TARGET}.{operation}",
            "HTTP_AUTHORIZATION": CREDENTIAL.format(self.access_key, self.region),
            "wsgi.input": io.BytesIO(body),
        }
