"""Errors of the OCI distribution API, with the codes of its specification and the texts of ECR.

Sources of the pairs of status and code: reports of ECR's users, named in
``tests/embedded/test_conformance_registry.py``; those without a source are marked there.
"""

from __future__ import annotations

import json

from ..moto.dispatch import Answer
from .api_client import ApiError

ERRORS = {
    "AccessDeniedException": (403, "DENIED"),
    "EmptyUploadException": (400, "BLOB_UPLOAD_INVALID"),
    "ImageDigestDoesNotMatchException": (400, "DIGEST_INVALID"),
    "ImageNotFoundException": (404, "MANIFEST_UNKNOWN"),
    "ImageTagAlreadyExistsException": (400, "TAG_INVALID"),
    "InvalidLayerException": (400, "DIGEST_INVALID"),
    "InvalidLayerPartException": (416, "BLOB_UPLOAD_INVALID"),
    "InvalidParameterException": (405, "UNSUPPORTED"),
    "LayerInaccessibleException": (404, "BLOB_UNKNOWN"),
    "LayerPartTooSmallException": (400, "BLOB_UPLOAD_INVALID"),
    "LimitExceededException": (429, "TOOMANYREQUESTS"),
    "ReferencedImagesNotFoundException": (404, "MANIFEST_BLOB_UNKNOWN"),
    "RepositoryNotFoundException": (404, "NAME_UNKNOWN"),
    "ThrottlingException": (429, "TOOMANYREQUESTS"),
    "UploadNotFoundException": (404, "BLOB_UPLOAD_UNKNOWN"),
}
"""The status and the code for each code of the API; see ``error_of`` for ``LayersNotFoundException``."""


class RegistryError(Exception):
    """A refusal: the HTTP status, the code and the message."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(f"{code}: {message}")
        self.status, self.code, self.message = status, code, message

    def answer(self, *headers: tuple[str, str]) -> Answer:
        """The refusal in the specification's form."""
        text = json.dumps({"errors": [{"code": self.code, "message": self.message}]})
        return Answer(self.status, (("Content-Type", "application/json"), *headers), f"{text}\n".encode())


def error_of(error: ApiError, *, in_manifest: bool) -> RegistryError:
    """The refusal for an error of the API; a layer is missing by itself, or is missing ``in_manifest``."""
    if error.code == "LayersNotFoundException":
        status, code = 404, "MANIFEST_BLOB_UNKNOWN" if in_manifest else "BLOB_UNKNOWN"
    else:
        status, code = ERRORS.get(error.code, (error.status, "UNKNOWN"))
    return RegistryError(status, code, error.message)
