"""Layers of images: multipart uploads, checked against their digest, and downloads."""

from __future__ import annotations

import base64
import re
from typing import Any
from urllib.parse import quote

from ..moto.adapter import ActionResult, AwsError
from ..runtime.registry import Upload
from .api_client import LAYER_PART
from .requests import EcrRequest

PART_SIZE = 10 * 1024 * 1024  # recommended by InitiateLayerUpload
LARGEST_PART = 20 * 1024 * 1024  # UploadLayerPart: "about 20MB"
SMALLEST_PART = 5 * 1024 * 1024  # LayerPartTooSmallException; the last part may be smaller
DIGEST = re.compile(r"[a-zA-Z0-9-_+.]+:[a-fA-F0-9]+")


class InvalidLayerPartError(AwsError):
    """InvalidLayerPartException, with the members that tell a client where to continue."""

    def __init__(self, request: EcrRequest, upload_id: str, last: int) -> None:
        super().__init__(
            "InvalidLayerPartException",
            f"The layer part size is not valid, or the first byte specified is not consecutive to the last "
            f"byte of a previous layer part upload. Upload ID: '{upload_id}'",
        )
        self.registry_id, self.repository_name = request.registry_id, request.repository_name
        self.upload_id, self.last_valid_byte_received = upload_id, last


class Layers(EcrRequest):
    """The layer operations of ECR."""

    def batch_check_layer_availability(self) -> ActionResult:
        """BatchCheckLayerAvailability."""
        held = self.held()
        layers: list[dict[str, Any]] = []
        failures: list[dict[str, str]] = []
        for digest in self._get_param("layerDigests"):
            if digest in held.layers:
                about = {"layerSize": held.layers[digest], "mediaType": held.media_type_of(digest)}
                layers.append({"layerDigest": digest, "layerAvailability": "AVAILABLE", **about})
            else:
                failures.append({"layerDigest": digest, **_why_unavailable(digest)})
        return ActionResult({"layers": layers, "failures": failures})

    def initiate_layer_upload(self) -> ActionResult:
        """InitiateLayerUpload."""
        self.held()
        upload_id = self.images.begin_upload(self.registry_id, self.region, self.repository_name)
        return ActionResult({"uploadId": upload_id, "partSize": PART_SIZE})

    def upload_layer_part(self) -> ActionResult:
        """UploadLayerPart."""
        upload_id, upload = self._upload()
        first, last = int(self._get_param("partFirstByte")), int(self._get_param("partLastByte"))
        part = self._part()
        if first != upload.size or len(part) != last - first + 1 or len(part) > LARGEST_PART:
            raise InvalidLayerPartError(self, upload_id, upload.size - 1)
        upload.append(part)
        return ActionResult({**self.place, "uploadId": upload_id, "lastByteReceived": last})

    def complete_layer_upload(self) -> ActionResult:
        """CompleteLayerUpload."""
        upload_id, upload = self._upload()
        if not upload.parts:
            raise AwsError(
                "EmptyUploadException",
                f"No layer parts were uploaded for upload with id '{upload_id}' {self.where}",
            )
        if any(part < SMALLEST_PART for part in upload.parts[:-1]):
            raise AwsError("LayerPartTooSmallException", "Layer parts must be at least 5 MiB in size.")
        digest = upload.digest
        self._check_layer_digest(digest)
        held = self.held()
        del held.uploads[upload_id]
        if digest in held.layers:
            upload.path.unlink()
            raise AwsError(
                "LayerAlreadyExistsException", f"The layer with digest '{digest}' already exists {self.where}"
            )
        self.images.store(self.registry_id, self.region, self.repository_name, upload)
        return ActionResult({**self.place, "uploadId": upload_id, "layerDigest": digest})

    def get_download_url_for_layer(self) -> ActionResult:
        """GetDownloadUrlForLayer; the URL is on this endpoint."""
        held, digest = self.held(), str(self._get_param("layerDigest"))
        if digest not in held.layers:
            raise AwsError(
                "LayersNotFoundException", f"The layer with digest {digest} does not exist {self.where}"
            )
        if not held.uses(digest):
            raise AwsError(
                "LayerInaccessibleException",
                f"The layer with digest {digest} belongs to no image {self.where}",
            )
        path = quote(f"{self.registry_id}/{self.region}/{digest}/{self.repository_name}")
        url = f"http://{self.headers['Host']}/_embedded/layers/{path}"
        return ActionResult({"downloadUrl": url, "layerDigest": digest})

    def _part(self) -> bytes:
        if (beside := self.normalized_request.environ.get(LAYER_PART)) is not None:
            return bytes(beside)
        blob = self._get_param("layerPartBlob")
        return base64.b64decode(blob) if isinstance(blob, str) else bytes(blob or b"")

    def _upload(self) -> tuple[str, Upload]:
        upload_id = str(self._get_param("uploadId"))
        upload = self.held().uploads.get(upload_id)
        if upload is None:
            raise AwsError(
                "UploadNotFoundException", f"Upload with id '{upload_id}' could not be found {self.where}"
            )
        return upload_id, upload

    def _check_layer_digest(self, digest: str) -> None:
        wrong = [each for each in self._get_param("layerDigests") or () if each != digest]
        if wrong:
            raise AwsError(
                "InvalidLayerException",
                f"The layer digest calculated by Amazon ECR, '{digest}', does not match '{wrong[0]}'",
            )


def _why_unavailable(digest: str) -> dict[str, str]:
    if not DIGEST.fullmatch(digest):
        return {"failureCode": "InvalidLayerDigest", "failureReason": f"Invalid layer digest '{digest}'"}
    return {"failureCode": "MissingLayerDigest", "failureReason": f"Missing layer with digest '{digest}'"}
