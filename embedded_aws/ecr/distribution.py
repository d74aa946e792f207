"""The OCI distribution API of ECR's registries (``/v2/…``), for docker, podman, skopeo and other clients.

On AWS every registry has a host of its own. Here they share one address, so a registry's host is the first part of
its repositories' names: ``127.0.0.1:PORT/123456789012.dkr.ecr.us-east-2.amazonaws.com/homara:v1`` is what task
definitions call ``123456789012.dkr.ecr.us-east-2.amazonaws.com/homara:v1``.

Each request becomes calls of ECR's API (``api_client``), which IAM authorizes, faults disturb and the log shows.
Specification: OCI Distribution Specification 1.1. Where ECR differs from it, this does what ECR does. Not supported:
DELETE of a blob or of an upload, ``/v2/_catalog``.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, BinaryIO
from urllib.parse import parse_qsl, quote, urlencode

from ..moto.adapter import DEFAULT_ACCOUNT_ID, ecr_backends
from ..moto.dispatch import Answer
from ..runtime.images import Images
from ..runtime.registry import digest_of, registry_name
from .api_client import ApiClient, ApiError, DroppedError, Send
from .distribution_errors import RegistryError, error_of
from .tokens import InvalidTokenError, Token

PART = 10 * 1024**2
"""The largest part of a layer, as the quota "Maximum layer part size" says."""
INDEX = "application/vnd.oci.image.index.v1+json"
VERSION = ("Docker-Distribution-Api-Version", "registry/2.0")

REGISTRY = re.compile(r"(?P<account>\d{12})\.dkr\.ecr\.(?P<region>[a-z0-9-]+)\.amazonaws\.com(?:\.cn)?")
NAME = re.compile(r"[a-z0-9]+(?:[._/-]+[a-z0-9]+)*")
TAG = re.compile(r"[a-zA-Z0-9_][a-zA-Z0-9._-]{0,127}")
DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
CONTENT_RANGE = re.compile(r"(?:bytes )?(?P<first>\d{1,18})-(?P<last>\d{1,18})(?:/\S+)?", re.ASCII)
COUNT = re.compile(r"\d{1,18}", re.ASCII)
PATHS = tuple(
    (kind, re.compile(f"/v2/(?P<name>.+)/{path}"))
    for kind, path in (
        ("uploads", "blobs/uploads/?"),
        ("upload", "blobs/uploads/(?P<reference>[^/]+)"),
        ("blob", "blobs/(?P<reference>[^/]+)"),
        ("manifest", "manifests/(?P<reference>[^/]+)"),
        ("referrers", "referrers/(?P<reference>[^/]+)"),
        ("tags", "tags/list"),
    )
)


def is_of_registry(environ: Mapping[str, Any]) -> bool:
    """Whether a request (WSGI environ) is one of a registry's client; others with this path are signed calls."""
    path, authorization = environ["PATH_INFO"], environ.get("HTTP_AUTHORIZATION", "")
    return (path == "/v2" or path.startswith("/v2/")) and not authorization.startswith("AWS4-")


@dataclass(frozen=True)
class Exchange:
    """One request about a repository: the tag, digest or upload that it names, and the client for its calls."""

    environ: Mapping[str, Any]
    registry: str
    account: str
    repository: str
    reference: str
    client: ApiClient

    @property
    def key(self) -> tuple[str, str, str]:
        """Account, region and name of the repository."""
        return self.account, self.client.region, self.repository

    @cached_property
    def query(self) -> Mapping[str, str]:
        """The parameters of the URL."""
        return dict(parse_qsl(self.environ.get("QUERY_STRING", ""), keep_blank_values=True))

    def call(self, operation: str, repository: str | None = None, **members: Any) -> dict[str, Any]:
        """Call the API about this repository, or another one of the registry."""
        where: dict[str, Any] = {
            "registryId": self.account,
            "repositoryName": repository or self.repository,
        }
        return self.client.call(operation, **where, **members)

    def put(self, operation: str, there: str, **members: Any) -> None:
        """Call the API for what may be there already, which is no error for clients: the error's code is ``there``."""
        try:
            self.call(operation, **members)
        except ApiError as error:
            if error.code != there:
                raise

    def url(self, path: str) -> str:
        """A URL of the repository."""
        return f"http://{self.environ['HTTP_HOST']}/v2/{self.registry}/{self.repository}/{path}"

    def upload_headers(self, upload_id: str, size: int) -> tuple[tuple[str, str], ...]:
        """Where an upload of ``size`` bytes goes on."""
        return (
            ("Location", self.url(f"blobs/uploads/{upload_id}")),
            ("Docker-Upload-UUID", upload_id),
            ("Range", f"0-{max(size - 1, 0)}"),
        )


class Distribution:
    """Answers the clients of registries."""

    def __init__(self, images: Images) -> None:
        self._images = images
        self._routes: dict[tuple[str, str], Callable[[Exchange], Answer]] = {
            ("blob", "GET"): _get_blob,
            ("blob", "HEAD"): _head_blob,
            ("manifest", "DELETE"): _delete_manifest,
            ("manifest", "GET"): _get_manifest,
            ("manifest", "HEAD"): _get_manifest,
            ("manifest", "PUT"): _put_manifest,
            ("referrers", "GET"): _referrers,
            ("tags", "GET"): _tags,
            ("upload", "GET"): self._upload_status,
            ("upload", "PATCH"): self._patch_upload,
            ("upload", "PUT"): self._put_upload,
            ("uploads", "POST"): self._post_upload,
        }

    def answer(self, environ: Mapping[str, Any], send: Send, *, too_large: bool) -> Answer | None:
        """The answer to a request; None where the connection of one of its calls is dropped."""
        kind = ""
        try:
            token = _token(environ)
            if environ["PATH_INFO"] in ("/v2", "/v2/"):
                return Answer(200, (("Content-Type", "application/json"), VERSION), b"{}")
            if too_large:
                raise RegistryError(
                    413, "SIZE_INVALID", "The body is too large, or the disk is full"
                )  # own words
            kind, found = _routed(environ["PATH_INFO"])
            route = self._routes.get((kind, environ["REQUEST_METHOD"]))
            if route is None:
                message = f"ECR does not support {environ['REQUEST_METHOD']} here"  # own words
                raise RegistryError(405, "UNSUPPORTED", message)
            return route(_exchange(environ, found, token, send))
        except RegistryError as refusal:
            return refusal.answer(VERSION)
        except ApiError as error:
            return error_of(error, in_manifest=kind == "manifest").answer(VERSION)
        except DroppedError:
            return None
        except NotAuthorizedError:
            return _challenge(environ)

    def _post_upload(self, exchange: Exchange) -> Answer:
        """Begin an upload, or mount a blob of another repository of the registry."""
        upload_id = str(exchange.call("InitiateLayerUpload")["uploadId"])
        digest, source = exchange.query.get("mount", ""), exchange.query.get("from", "")
        registry, _, repository = source.partition("/")
        if digest and registry == exchange.registry and _may_mount(exchange, repository, digest):
            self._images.cancel_upload(*exchange.key, upload_id)
            self._images.mount(*exchange.key, repository, digest)
            return _created(exchange.url(f"blobs/{digest}"), digest)
        return Answer(202, exchange.upload_headers(upload_id, 0))

    def _upload_status(self, exchange: Exchange) -> Answer:
        size = self._images.uploaded(*exchange.key, exchange.reference)
        if size is None:
            raise _unknown_upload(exchange)
        return Answer(204, exchange.upload_headers(exchange.reference, size))

    def _patch_upload(self, exchange: Exchange) -> Answer:
        """Take a part, or the whole layer; ECR answers 201 where the specification says 202."""
        size = self._append(exchange)
        return Answer(201, exchange.upload_headers(exchange.reference, size))

    def _put_upload(self, exchange: Exchange) -> Answer:
        """End an upload, with the rest of the layer if there is any."""
        digest = _digest(exchange.query.get("digest", ""))
        self._append(exchange)
        members = {"uploadId": exchange.reference, "layerDigests": [digest]}
        exchange.put("CompleteLayerUpload", "LayerAlreadyExistsException", **members)
        return _created(exchange.url(f"blobs/{digest}"), digest)

    def _append(self, exchange: Exchange) -> int:
        """Add the body to the upload; returns how many bytes it has."""
        size = self._images.uploaded(*exchange.key, exchange.reference)
        if size is None:
            exchange.call(
                "BatchCheckLayerAvailability", layerDigests=["sha256:" + 64 * "0"]
            )  # is there a repository?
            raise _unknown_upload(exchange)
        length = int(exchange.environ["CONTENT_LENGTH"])
        _check_range(exchange, size, length)
        for part in _parts(exchange.environ["wsgi.input"], length):
            exchange.call(
                "UploadLayerPart",
                uploadId=exchange.reference,
                partFirstByte=size,
                partLastByte=size + len(part) - 1,
                layerPartBlob="",
                part=part,
            )
            size += len(part)
        return size


class NotAuthorizedError(Exception):
    """The request has no token."""


def _token(environ: Mapping[str, Any]) -> Token:
    scheme, _, text = environ.get("HTTP_AUTHORIZATION", "").partition(" ")
    if scheme.lower() != "basic":
        raise NotAuthorizedError
    try:
        token = Token.read(text.strip())
    except InvalidTokenError:
        raise RegistryError(400, "DENIED", "The authorization token is not valid") from None  # own words
    if token.is_expired:
        message = "Your authorization token has expired. Reauthenticate and try again."
        raise RegistryError(403, "DENIED", message)
    return token


def _challenge(environ: Mapping[str, Any]) -> Answer:
    realm = f'Basic realm="http://{environ["HTTP_HOST"]}/",service="ecr.amazonaws.com"'
    headers = (("Content-Type", "text/plain; charset=utf-8"), ("WWW-Authenticate", realm), VERSION)
    return Answer(401, headers, b"Not Authorized\n")


def _routed(path: str) -> tuple[str, Mapping[str, str]]:
    for kind, pattern in PATHS:
        if found := pattern.fullmatch(path):
            return kind, found.groupdict()
    raise RegistryError(404, "UNSUPPORTED", "404 page not found")


def _exchange(environ: Mapping[str, Any], found: Mapping[str, str], token: Token, send: Send) -> Exchange:
    registry, _, repository = found["name"].partition("/")
    named = REGISTRY.fullmatch(registry)
    if named is None:
        example = f"{environ['HTTP_HOST']}/{registry_name(DEFAULT_ACCOUNT_ID, 'us-east-2')}/{found['name']}"
        message = (  # own words: no such thing can happen on AWS
            f"The repository with name '{found['name']}' is in no registry: the registries of the embedded AWS share "
            f"an address, so a name begins with the registry's, such as {example}"
        )
        raise RegistryError(404, "NAME_UNKNOWN", message)
    if not NAME.fullmatch(repository):
        raise RegistryError(
            400, "NAME_INVALID", f"'{repository}' is not the name of a repository"
        )  # own words
    client = ApiClient(environ, token.access_key, named["region"], send)
    return Exchange(environ, registry, named["account"], repository, found.get("reference", ""), client)


def _head_blob(exchange: Exchange) -> Answer:
    digest = _digest(exchange.reference)
    found = exchange.call("BatchCheckLayerAvailability", layerDigests=[digest])["layers"]
    if not found:
        raise RegistryError(404, "BLOB_UNKNOWN", f"Missing layer with digest '{digest}'")  # own words
    size = ("Content-Length", str(found[0]["layerSize"]))
    return Answer(
        200, (("Content-Type", "application/octet-stream"), size, ("Docker-Content-Digest", digest))
    )


def _get_blob(exchange: Exchange) -> Answer:
    """Lead to the layer, as ECR leads to S3."""
    told = exchange.call("GetDownloadUrlForLayer", layerDigest=_digest(exchange.reference))
    return Answer(307, (("Location", told["downloadUrl"]), ("Docker-Content-Digest", exchange.reference)))


def _may_mount(exchange: Exchange, source: str, digest: str) -> bool:
    """Whether a blob may be mounted: where the account has that enabled, an image of the other repository has the blob,
    and the client may read it."""
    store = ecr_backends[DEFAULT_ACCOUNT_ID][exchange.client.region]
    if store.account_setting("BLOB_MOUNTING") != "ENABLED":
        return False
    try:
        exchange.call("GetDownloadUrlForLayer", source, layerDigest=digest)
    except ApiError:
        return False
    return True


def _get_manifest(exchange: Exchange) -> Answer:
    told = exchange.call("BatchGetImage", imageIds=[_image_id(exchange.reference)])
    if not told["images"]:
        raise RegistryError(404, "MANIFEST_UNKNOWN", told["failures"][0]["failureReason"])
    image = told["images"][0]
    headers = (
        ("Content-Type", image["imageManifestMediaType"]),
        ("Docker-Content-Digest", image["imageId"]["imageDigest"]),
    )
    return Answer(200, (*headers, VERSION), image["imageManifest"].encode())


def _put_manifest(exchange: Exchange) -> Answer:
    body = exchange.environ["wsgi.input"].read()
    try:
        text = body.decode()
    except UnicodeDecodeError:
        raise RegistryError(400, "MANIFEST_INVALID", "The manifest is not in UTF-8") from None  # own words
    media_type = exchange.environ.get("CONTENT_TYPE", "").partition(";")[0].strip()
    about = {"imageManifest": text, **({"imageManifestMediaType": media_type} if media_type else {})}
    exchange.put("PutImage", "ImageAlreadyExistsException", **about, **_image_id(exchange.reference))
    digest, subject = digest_of(body), json.loads(text).get("subject")
    named = str(subject.get("digest")) if isinstance(subject, Mapping) else ""
    more = (("OCI-Subject", named),) if DIGEST.fullmatch(named) else ()
    return _created(exchange.url(f"manifests/{digest}"), digest, *more)


def _delete_manifest(exchange: Exchange) -> Answer:
    told = exchange.call("BatchDeleteImage", imageIds=[_image_id(exchange.reference)])
    for failure in told["failures"]:
        known = failure["failureCode"] != "ImageNotFound"
        raise RegistryError(
            400 if known else 404, "DENIED" if known else "MANIFEST_UNKNOWN", failure["failureReason"]
        )
    return Answer(202, (VERSION,))


def _tags(exchange: Exchange) -> Answer:
    """The tags in their order, by pages of ``n``."""
    images = _every(exchange, "ListImages", "imageIds", filter={"tagStatus": "TAGGED"})
    after, most = exchange.query.get("last", ""), exchange.query.get("n", "")
    tags = sorted(image["imageTag"] for image in images if image["imageTag"] > after)
    shown = tags[: int(most)] if COUNT.fullmatch(most) else tags
    more = {"n": most, "last": shown[-1]} if shown and len(shown) < len(tags) else {}
    link = (("Link", f'<{exchange.url("tags/list")}?{urlencode(more)}>; rel="next"'),) if more else ()
    body = {"name": f"{exchange.registry}/{exchange.repository}", "tags": shown}
    return Answer(200, (("Content-Type", "application/json"), *link), json.dumps(body).encode())


def _referrers(exchange: Exchange) -> Answer:
    """An index of the images that refer to one."""
    wanted = exchange.query.get("artifactType")
    members: dict[str, Any] = {"subjectId": {"imageDigest": _digest(exchange.reference)}}
    if wanted:
        members["filter"] = {"artifactTypes": [wanted]}
    found = _every(exchange, "ListImageReferrers", "referrers", **members)
    described = [
        {name: value for name, value in each.items() if name != "artifactStatus" and value is not None}
        for each in found
    ]
    filtered = (("OCI-Filters-Applied", "artifactType"),) if wanted else ()
    body = {"schemaVersion": 2, "mediaType": INDEX, "manifests": described}
    return Answer(200, (("Content-Type", INDEX), *filtered), json.dumps(body).encode())


def _every(exchange: Exchange, operation: str, listed: str, **members: Any) -> Iterator[dict[str, Any]]:
    token: dict[str, str] = {}
    while True:
        told = exchange.call(operation, **members, **token)
        yield from told[listed]
        if not told.get("nextToken"):
            return
        token = {"nextToken": told["nextToken"]}


def _image_id(reference: str) -> dict[str, str]:
    if ":" in reference:
        return {"imageDigest": _digest(reference)}
    if not TAG.fullmatch(reference):
        raise RegistryError(400, "TAG_INVALID", f"'{quote(reference)}' is not a tag")  # own words
    return {"imageTag": reference}


def _digest(text: str) -> str:
    if not DIGEST.fullmatch(text):
        raise RegistryError(400, "DIGEST_INVALID", f"'{quote(text)}' is not a digest")  # own words
    return text


def _check_range(exchange: Exchange, size: int, length: int) -> None:
    """Raise RegistryError where a part does not follow the last one, or is not as long as its range."""
    given = exchange.environ.get("HTTP_CONTENT_RANGE")
    if given is None:
        return
    found = CONTENT_RANGE.fullmatch(given)
    if found is None or int(found["first"]) != size or int(found["last"]) - size + 1 != length:
        message = f"The range {quote(given)} does not follow the {size} bytes of the upload"  # own words
        raise RegistryError(416, "BLOB_UPLOAD_INVALID", message)


def _parts(body: BinaryIO, length: int) -> Iterator[bytes]:
    """A body in equal parts, each of which is as large as ECR requires where the body is."""
    count = -(-length // PART)
    while part := body.read(-(-length // count) if count else 0):
        yield part


def _created(location: str, digest: str, *more: tuple[str, str]) -> Answer:
    return Answer(201, (("Location", location), ("Docker-Content-Digest", digest), *more, VERSION))


def _unknown_upload(exchange: Exchange) -> RegistryError:
    message = f"Upload with id '{quote(exchange.reference)}' could not be found"  # own words
    return RegistryError(404, "BLOB_UPLOAD_UNKNOWN", message)
