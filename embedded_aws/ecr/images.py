"""Images: manifests with the digest of the bytes as sent, and their tags."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from ..kernel.wildcards import wildcard
from ..moto.adapter import ActionResult, AwsError
from ..runtime.registry import Archival, Manifest, Repository, digest_of
from .requests import EcrRequest, invalid

RESTORATION = 1200.0
"""AWS seconds: "You can expect ECR to restore the image within 20 minutes" (User Guide)."""
REFERRERS_PAGE = 20  # ListImageReferrers "returns up to 20 results"
IMAGE_DIGEST = re.compile(r"[a-zA-Z0-9-_+.]+:[a-fA-F0-9]+")
ImageId = Mapping[str, str]


class ImageOperations(EcrRequest):
    """The image operations of ECR."""

    def put_image(self) -> ActionResult:
        """PutImage."""
        held = self.held()
        text, tag = str(self._get_param("imageManifest")), self._get_param("imageTag")
        media_type = _media_type(text, self._get_param("imageManifestMediaType"))
        digest = digest_of(text.encode())
        self._check_manifest_digest(digest)
        self._check_parts(held, text)
        self._check_new(held, digest, tag)
        manifest = held.put(text, media_type, tag)
        if self.settings().image_scanning_configuration.get("scanOnPush"):
            held.scan(digest)
        return ActionResult({"image": self._image(manifest, tag)})

    def describe_images(self) -> ActionResult:
        """DescribeImages."""
        held, asked = self.held(), self._get_param("imageIds")
        if asked:
            found = {manifest.digest: manifest for manifest in (self.image(held, each) for each in asked)}
            return ActionResult({"imageDetails": [self._detail(held, each) for each in found.values()]})
        shown = [each for each in held.manifests.values() if self._matches_filter(held, each.digest)]
        page, more = self.page(shown)
        return ActionResult({"imageDetails": [self._detail(held, each) for each in page], **more})

    def list_images(self) -> ActionResult:
        """ListImages."""
        held = self.held()
        every: list[dict[str, str]] = []
        for digest in held.manifests:
            tags = held.tags_of(digest)
            if self._matches_filter(held, digest):
                named = [{"imageDigest": digest, "imageTag": tag} for tag in tags]
                every += named or [{"imageDigest": digest}]
        page, more = self.page(every)
        return ActionResult({"imageIds": page, **more})

    def batch_get_image(self) -> ActionResult:
        """BatchGetImage."""
        held = self.held()
        images: list[dict[str, Any]] = []
        failures: list[dict[str, Any]] = []
        for asked in self._get_param("imageIds"):
            manifest = held.find(asked.get("imageTag"), asked.get("imageDigest"))
            if manifest is None:
                failures.append(_failure(held, asked))
            elif held.status_of(manifest.digest) != "ACTIVE":
                failures.append(_archived(asked))
            else:
                images.append(self._image(manifest, asked.get("imageTag")))
        return ActionResult({"images": images, "failures": failures})

    def list_image_referrers(self) -> ActionResult:
        """ListImageReferrers: the images whose ``subject`` is an image, which need not be there."""
        held, subject = self.held(), self._get_param("subjectId")["imageDigest"]
        asked = self._get_param("filter") or {}
        types, status = asked.get("artifactTypes"), asked.get("artifactStatus", "ACTIVE")
        found = [each for each in held.manifests.values() if each.subject == subject]
        shown = [_referrer(held, each) for each in found if not types or each.artifact_type in types]
        page, more = self.page(
            [each for each in shown if status in ("ANY", each["artifactStatus"])], REFERRERS_PAGE
        )
        return ActionResult({"referrers": page, **more})

    def update_image_storage_class(self) -> ActionResult:
        """UpdateImageStorageClass: into the archive at once, out of it within 20 minutes."""
        held, asked = self.held(), self._get_param("imageId")
        digest = self.image(held, asked).digest
        wanted, status = self._get_param("targetStorageClass"), held.status_of(digest)
        if (wanted == "ARCHIVE") != (status == "ACTIVE"):
            text = f"The image with digest '{digest}' {self.where} is {status}"  # own words
            raise AwsError("ImageStorageClassUpdateNotSupportedException", text)
        if wanted == "ARCHIVE":
            held.archive[digest] = Archival(datetime.now(UTC))
        elif status == "ARCHIVED":
            held.restore(digest, self.images.after(RESTORATION))
        named = {**asked, "imageDigest": digest}
        return ActionResult({**self.place, "imageId": named, "imageStatus": held.status_of(digest)})

    def batch_delete_image(self) -> ActionResult:
        """BatchDeleteImage."""
        held = self.held()
        deleted: list[dict[str, str]] = []
        failures: list[dict[str, Any]] = []
        for asked in self._get_param("imageIds"):
            manifest = held.find(asked.get("imageTag"), asked.get("imageDigest"))
            if manifest is None:
                failures.append(_failure(held, asked))
            elif lists := _lists_that_need(held, manifest, asked.get("imageTag")):
                failures.append(_needed(asked, lists))
            else:
                deleted += _delete(held, manifest, asked.get("imageTag"))
        return ActionResult({"imageIds": deleted, "failures": failures})

    def image(self, held: Repository, asked: ImageId) -> Manifest:
        """The image of an ImageIdentifier; ImageNotFoundException."""
        tag, digest = asked.get("imageTag"), asked.get("imageDigest")
        found = held.find(tag, digest)
        if found is None:
            named = f"{{imageDigest:'{digest or 'null'}', imageTag:'{tag or 'null'}'}}"
            raise AwsError(
                "ImageNotFoundException",
                f"The image with imageId {named} does not exist within the repository with name "
                f"'{self.repository_name}' in the registry with id '{self.registry_id}'",
            )
        return found

    def _check_manifest_digest(self, digest: str) -> None:
        expected = self._get_param("imageDigest")
        if expected and expected != digest:
            raise AwsError(
                "ImageDigestDoesNotMatchException",
                f"Image digest '{expected}' does not match the digest '{digest}' of the manifest",
            )

    def _check_parts(self, held: Repository, text: str) -> None:
        """Check that every layer and image of a manifest is in the repository."""
        body = json.loads(text)
        described = [*([body["config"]] if "config" in body else []), *body.get("layers", [])]
        layers = [each["digest"] for each in described if each["digest"] not in held.layers]
        images = [
            each["digest"] for each in body.get("manifests", []) if each["digest"] not in held.manifests
        ]
        for missing, kind, code in (
            (layers, "Layers", "LayersNotFoundException"),
            (images, "Images", "ReferencedImagesNotFoundException"),
        ):
            if missing:
                raise AwsError(
                    code,
                    f"{kind} with digests '[{', '.join(missing)}]' required for pushing image into repository "
                    f"with name '{self.repository_name}' in the registry with id '{self.registry_id}' do not exist",
                )

    def _check_new(self, held: Repository, digest: str, tag: str | None) -> None:
        there = digest in held.manifests if tag is None else held.tags.get(tag) == digest
        if there and held.status_of(digest) != "ACTIVE":
            return  # a push restores it
        if there:
            raise AwsError(
                "ImageAlreadyExistsException",
                f"Image with digest '{digest}' and tag '{tag or 'null'}' already exists in the repository with "
                f"name '{self.repository_name}' in registry with id '{self.registry_id}'",
            )
        if tag in held.tags and _is_immutable(self.settings(), tag):
            raise AwsError(
                "ImageTagAlreadyExistsException",
                f"The image tag '{tag}' already exists in the '{self.repository_name}' repository and cannot be "
                "overwritten because the repository is immutable.",
            )

    def _matches_filter(self, held: Repository, digest: str) -> bool:
        """By tag and status: "If not specified, only images with ACTIVE status are returned"."""
        asked = self._get_param("filter") or {}
        tagged, status = asked.get("tagStatus", "ANY"), asked.get("imageStatus", "ACTIVE")
        fits = tagged == "ANY" or (tagged == "TAGGED") == bool(held.tags_of(digest))
        return bool(fits and status in ("ANY", held.status_of(digest)))

    def _image(self, manifest: Manifest, tag: str | None) -> dict[str, Any]:
        named = {"imageDigest": manifest.digest} | ({"imageTag": tag} if tag else {})
        about = {"imageManifest": manifest.text, "imageManifestMediaType": manifest.media_type}
        return {**self.place, "imageId": named, **about}

    def _detail(self, held: Repository, manifest: Manifest) -> dict[str, Any]:
        tags = held.tags_of(manifest.digest)
        artifact, pulled = manifest.config_media_type, held.pulls.get(manifest.digest)
        return {
            **self.place,
            "imageDigest": manifest.digest,
            **({"imageTags": tags} if tags else {}),
            "imageSizeInBytes": held.size_of(manifest),
            "imagePushedAt": manifest.pushed_at,
            "imageManifestMediaType": manifest.media_type,
            **({"artifactMediaType": artifact} if artifact else {}),
            **({"lastRecordedPullTime": pulled} if pulled else {}),
            "imageStatus": held.status_of(manifest.digest),
            **_archival(held, manifest.digest),
        }


def _media_type(text: str, given: str | None) -> str:
    try:
        body = json.loads(text)
        described = [body.get("config"), *body.get("layers", []), *body.get("manifests", [])]
        complete = all(_is_descriptor(each) for each in described if each is not None)
    except (AttributeError, KeyError, RecursionError, TypeError, ValueError) as error:
        raise invalid("ImageManifest", "Invalid JSON syntax") from error
    if not complete or not any(described):
        raise invalid("ImageManifest", "Invalid image manifest")
    found = given or body.get("mediaType")
    if not found:
        message = "image manifest mediatype not provided in manifest or parameter"
        raise AwsError("InvalidParameterException", message)
    return str(found)


def _is_descriptor(described: Any) -> bool:
    """Whether it describes a blob or an image, with a number of bytes as its size, if any."""
    size = described.get("size", 0)
    return isinstance(described["digest"], str) and type(size) is int and 0 <= size < 2**63


def _is_immutable(settings: Any, tag: str) -> bool:
    """Whether a repository's tag must not move; exclusion filters invert the rule for matching tags."""
    mode = str(getattr(settings.image_tag_mutability, "value", settings.image_tag_mutability))
    filters = settings.image_tag_mutability_exclusion_filters or ()
    excluded = any(wildcard(each["filter"]).fullmatch(tag) for each in filters)
    return mode.startswith("IMMUTABLE") != (mode.endswith("_WITH_EXCLUSION") and excluded)


def _archival(held: Repository, digest: str) -> dict[str, Any]:
    """When an image went into the archive, and when it came out of it."""
    there = held.archive.get(digest)
    if there is None:
        return {}
    back = {"lastActivatedAt": there.active_from} if there.status == "ACTIVE" else {}
    return {"lastArchivedAt": there.archived_at, **back}


def _referrer(held: Repository, manifest: Manifest) -> dict[str, Any]:
    """A descriptor, with "a concatenated list of annotations of the manifest" (OCI)."""
    return {
        "digest": manifest.digest,
        "mediaType": manifest.media_type,
        "size": len(manifest.text.encode()),
        "artifactStatus": held.status_of(manifest.digest),
        **({"artifactType": manifest.artifact_type} if manifest.artifact_type else {}),
        **({"annotations": manifest.annotations} if manifest.annotations else {}),
    }


def _failure(held: Repository, asked: ImageId) -> dict[str, Any]:
    tag, digest = asked.get("imageTag"), asked.get("imageDigest")
    if not tag and not digest:
        code, reason = "MissingDigestAndTag", "both tag and digest cannot be null"
    elif digest and not IMAGE_DIGEST.fullmatch(digest):
        code, reason = "InvalidImageDigest", f"image digest should satisfy the regex '{IMAGE_DIGEST.pattern}'"
    elif tag in held.tags and digest in held.manifests:
        code, reason = "ImageTagDoesNotMatchDigest", "image tag does not match digest"
    else:
        return {
            "imageId": asked,
            "failureCode": "ImageNotFound",
            "failureReason": "Requested image not found",
        }
    return {"imageId": asked, "failureCode": code, "failureReason": f"Invalid request parameters: {reason}"}


def _archived(asked: ImageId) -> dict[str, Any]:
    """ "Requests to pull the archived image will fail with a 404 error" (User Guide; code and reason: own words)."""
    reason = "Requested image is archived"
    return {"imageId": asked, "failureCode": "ImageNotFound", "failureReason": reason}


def _lists_that_need(held: Repository, manifest: Manifest, tag: str | None) -> list[str]:
    """The manifest lists with an image that the request would delete, not only untag."""
    if tag is not None and len(held.tags_of(manifest.digest)) > 1:
        return []
    every = [each for each in held.manifests.values() if each.is_index]
    return [each.digest for each in every if manifest.digest in {one["digest"] for one in each.platforms}]


def _needed(asked: ImageId, lists: list[str]) -> dict[str, Any]:
    reason = f"Requested image referenced by manifest list: [{', '.join(lists)}]"
    return {"imageId": asked, "failureCode": "ImageReferencedByManifestList", "failureReason": reason}


def _delete(held: Repository, manifest: Manifest, tag: str | None) -> list[dict[str, str]]:
    """Untag by tag (the last tag deletes the image), delete by digest; returns what was removed, in ECR's form."""
    digest = {"imageDigest": manifest.digest}
    if tag is not None:
        held.untag(tag)
        return [{**digest, "imageTag": tag}]
    return [{**digest, "imageTag": each} for each in held.remove(manifest.digest)] or [digest]
