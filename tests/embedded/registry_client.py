"""A client of an embedded AWS's registries, with plain requests, as an engine sends them."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import requests

from tests.embedded.images import CONFIG, LAYER, MANIFEST, digest_of
from tests.embedded_process import PATIENCE

ACCOUNT, REGION = "123456789012", "us-east-2"


@dataclass
class RegistryClient:
    """Signed in with a token; ``registry`` is ``HOST:PORT/ACCOUNT.dkr.ecr.REGION.amazonaws.com``."""

    registry: str
    token: str
    session: requests.Session = field(default_factory=requests.Session)

    @classmethod
    def of(cls, ecr: Any, **asked: Any) -> RegistryClient:
        """Sign in as who owns the ECR client."""
        data = ecr.get_authorization_token(**asked)["authorizationData"][0]
        return cls(data["proxyEndpoint"].removeprefix("http://"), data["authorizationToken"])

    @property
    def root(self) -> str:
        """The address, with ``/v2/``."""
        return f"http://{self.registry.partition('/')[0]}/v2/"

    def ask(
        self, method: str, path: str, repository: str | None = "homara", **more: Any
    ) -> requests.Response:
        """Ask about a repository of the registry; ``path`` is a URL, or below the repository."""
        name = self.registry.partition("/")[2]
        url = path if urlsplit(path).scheme else f"{self.root}{name}/{repository}/{path}"
        headers = {"Authorization": f"Basic {self.token}", **more.pop("headers", {})}
        return self.session.request(method, url, headers=headers, timeout=PATIENCE, **more)

    def upload(self, data: bytes, repository: str = "homara") -> str:
        """Upload a blob in one request (POST, then PUT); returns its digest."""
        digest = digest_of(data)
        begun = self.ask("POST", "blobs/uploads/", repository)
        assert begun.status_code == 202, begun.text
        done = self.ask("PUT", begun.headers["Location"], params={"digest": digest}, data=data)
        assert done.status_code == 201, done.text
        return digest

    def put(
        self, manifest: str | bytes, reference: str, repository: str = "homara", media_type: str = MANIFEST
    ) -> requests.Response:
        """Put a manifest."""
        headers = {"Content-Type": media_type}
        return self.ask("PUT", f"manifests/{reference}", repository, data=manifest, headers=headers)


def error(answer: requests.Response) -> tuple[int, str, str]:
    """Status, code and message of a refusal, which must be in the form that the specification has."""
    told = answer.json()
    assert set(told) == {"errors"}
    assert answer.headers["Content-Type"] == "application/json"
    return answer.status_code, told["errors"][0]["code"], told["errors"][0]["message"]


def manifest(config: bytes, layers: Iterable[bytes] = (), **more: Any) -> str:
    """An image manifest of blobs."""
    described = [_descriptor(LAYER, layer) for layer in layers]
    about = {
        "schemaVersion": 2,
        "mediaType": MANIFEST,
        "config": _descriptor(CONFIG, config),
        "layers": described,
    }
    return json.dumps({**about, **more})


def _descriptor(media_type: str, data: bytes) -> Mapping[str, Any]:
    return {"mediaType": media_type, "digest": digest_of(data), "size": len(data)}
