"""ECR's registries, asked by the OCI distribution API over HTTP.

"spec" is the OCI Distribution Specification 1.1 (github.com/opencontainers/distribution-spec, spec.md). What ECR itself
does is quoted from its user guide and from reports of its users, by repository and number; "own words" says that a text
has no source.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Callable
from typing import Any

import pytest
import requests

from tests.embedded.identities import allow, person, policy
from tests.embedded.images import CONFIG, MANIFEST, digest_of
from tests.embedded.registry_client import ACCOUNT, RegistryClient, error, manifest
from tests.embedded_process import PATIENCE, EmbeddedProcess

MIB = 1024 * 1024
INDEX = "application/vnd.oci.image.index.v1+json"
NAME = f"{ACCOUNT}.dkr.ecr.us-east-2.amazonaws.com"
CONFIGURATION = b'{"architecture": "amd64", "os": "linux"}'


@pytest.fixture
def ecr(client: Callable[[str], Any]) -> Any:
    """An ECR client, and a repository ``homara``."""
    ecr = client("ecr")
    ecr.create_repository(repositoryName="homara")
    return ecr


@pytest.fixture
def registry(ecr: Any) -> RegistryClient:
    """Signed in to the registry of the repository."""
    return RegistryClient.of(ecr)


class TestSignIn:
    def test_without_a_token(self, aws: EmbeddedProcess) -> None:
        """ "malformed challenge header: 'Basic realm="https://111111111111.dkr.ecr.us-east-1.amazonaws.com/",
        service="ecr.amazonaws.com"'" (mayflower/docker-ls 28)."""
        answer = requests.get(f"{aws.url}/v2/", timeout=PATIENCE)
        assert answer.status_code == 401
        assert answer.headers["WWW-Authenticate"] == f'Basic realm="{aws.url}/",service="ecr.amazonaws.com"'
        assert answer.headers["Docker-Distribution-Api-Version"] == "registry/2.0"

    def test_with_a_token(self, registry: RegistryClient) -> None:
        """spec, "Determining Support": "the response to this endpoint MUST be 200 OK" for an authorized client."""
        assert registry.ask("GET", registry.root).status_code == 200

    def test_the_endpoint_is_the_registry_at_this_address(self, aws: EmbeddedProcess, ecr: Any) -> None:
        """GetAuthorizationToken: "The registry URL to use for this authorization token in a docker login command"."""
        data = ecr.get_authorization_token()["authorizationData"][0]
        assert data["proxyEndpoint"] == f"{aws.url}/{NAME}"
        uri = ecr.describe_repositories()["repositories"][0]["repositoryUri"]
        assert uri == f"{NAME}/homara"  # as task definitions call it: the same, behind the address

    @pytest.mark.parametrize("token", ["nonsense", base64.b64encode(b"AWS:nonsense").decode()])
    def test_with_nonsense(self, registry: RegistryClient, token: str) -> None:
        """ "login attempt to https://… .dkr.ecr.us-east-2.amazonaws.com/v2/ failed with status: 400 Bad Request"
        (aws/aws-cli 5950); own words."""
        registry.token = token
        assert error(registry.ask("GET", registry.root))[:2] == (400, "DENIED")

    def test_with_an_expired_token(self, registry: RegistryClient) -> None:
        """ "denied: Your authorization token has expired. Reauthenticate and try again." (aws/aws-cli 6580), a 403
        (docker/docker-py 1170)."""
        told = json.dumps({"key": "AKIAEXAMPLE", "expiration": 0}).encode()
        registry.token = base64.b64encode(b"AWS:" + base64.b64encode(told)).decode()
        text = "Your authorization token has expired. Reauthenticate and try again."
        assert error(registry.ask("GET", "tags/list")) == (403, "DENIED", text)


class TestUploads:
    def test_at_once(self, registry: RegistryClient) -> None:
        """spec, "POST then PUT": 202 with a Location, then 201 with the Location of the blob."""
        begun = registry.ask("POST", "blobs/uploads/")
        assert begun.status_code == 202
        data = b"a layer"
        done = registry.ask("PUT", begun.headers["Location"], params={"digest": digest_of(data)}, data=data)
        assert done.status_code == 201
        assert done.headers["Location"].endswith(f"/homara/blobs/{digest_of(data)}")
        assert done.headers["Docker-Content-Digest"] == digest_of(data)

    def test_in_chunks(self, registry: RegistryClient) -> None:
        """spec, "Pushing a blob in chunks"; ECR answers a PATCH with 201 ("Intermediate PATCH requests return 201
        Created instead of 202 Accepted", aws/containers-roadmap 2831)."""
        data = bytes(6 * MIB) + b"the rest"
        location = registry.ask("POST", "blobs/uploads/").headers["Location"]
        first = registry.ask(
            "PATCH", location, data=data[: 6 * MIB], headers={"Content-Range": f"0-{6 * MIB - 1}"}
        )
        assert (first.status_code, first.headers["Range"]) == (201, f"0-{6 * MIB - 1}")
        status = registry.ask("GET", location)
        assert (status.status_code, status.headers["Range"]) == (204, f"0-{6 * MIB - 1}")
        rest = registry.ask("PATCH", first.headers["Location"], data=data[6 * MIB :])
        assert rest.headers["Range"] == f"0-{len(data) - 1}"
        done = registry.ask("PUT", rest.headers["Location"], params={"digest": digest_of(data)})
        assert done.status_code == 201

    def test_as_docker_does(self, aws: EmbeddedProcess, registry: RegistryClient) -> None:
        """docker sends a layer in one PATCH of Transfer-Encoding: chunked; in ECR it becomes parts of 10 MiB."""
        data = bytes(21 * MIB) + b"end"
        location = registry.ask("POST", "blobs/uploads/").headers["Location"]
        aws.forget_calls()
        sent = registry.ask("PATCH", location, data=iter([data[: 3 * MIB], data[3 * MIB :]]))
        assert sent.headers["Range"] == f"0-{len(data) - 1}"
        assert len(aws.calls("UploadLayerPart")) == 3
        done = registry.ask("PUT", sent.headers["Location"], params={"digest": digest_of(data)})
        assert done.status_code == 201
        assert registry.ask("HEAD", f"blobs/{digest_of(data)}").headers["Content-Length"] == str(len(data))

    def test_chunks_are_large(self, registry: RegistryClient) -> None:
        """ "All layer parts except the last part should be at least 5MB" (dotnet/sdk-container-builds 424)."""
        location = registry.ask("POST", "blobs/uploads/").headers["Location"]
        for part in (b"small", b"smaller"):
            registry.ask("PATCH", location, data=part)
        done = registry.ask("PUT", location, params={"digest": digest_of(b"smallsmaller")})
        assert error(done)[:2] == (400, "BLOB_UPLOAD_INVALID")

    def test_chunks_out_of_order(self, registry: RegistryClient) -> None:
        """spec: "If a chunk is uploaded out of order, the registry MUST respond with a 416 Requested Range Not
        Satisfiable code"."""
        location = registry.ask("POST", "blobs/uploads/").headers["Location"]
        for given in ("5-9", "0-3", "nonsense"):
            answer = registry.ask("PATCH", location, data=b"chunk", headers={"Content-Range": given})
            assert error(answer)[:2] == (416, "BLOB_UPLOAD_INVALID")

    def test_the_digest_is_checked(self, registry: RegistryClient) -> None:
        """InvalidLayerException: "The layer digest calculation performed by Amazon ECR upon receipt of the image layer
        doesn't match the digest specified"; spec: DIGEST_INVALID."""
        location = registry.ask("POST", "blobs/uploads/").headers["Location"]
        done = registry.ask("PUT", location, params={"digest": digest_of(b"other")}, data=b"layer")
        assert error(done)[:2] == (400, "DIGEST_INVALID")
        done = registry.ask("PUT", location, params={"digest": "sha256:nonsense"}, data=b"layer")
        assert error(done)[:2] == (400, "DIGEST_INVALID")

    def test_an_unknown_upload(self, registry: RegistryClient) -> None:
        """spec: BLOB_UPLOAD_UNKNOWN, "blob upload unknown to registry"."""
        for method in ("GET", "PATCH", "PUT"):
            answer = registry.ask(method, "blobs/uploads/absent", params={"digest": digest_of(b"")})
            assert error(answer)[:2] == (404, "BLOB_UPLOAD_UNKNOWN")

    def test_a_second_time(self, registry: RegistryClient) -> None:
        """LayerAlreadyExistsException is no error for a client, whose upload was in vain."""
        registry.upload(b"layer")
        registry.upload(b"layer")

    def test_needs_a_repository(self, registry: RegistryClient) -> None:
        """ "NAME_UNKNOWN: The repository with name 'coreos/prometheus-operator' does not exist in the registry with id
        '<account-number>'" (plexsystems/sinker 55)."""
        text = f"The repository with name 'absent' does not exist in the registry with id '{ACCOUNT}'"
        for method, path in (("POST", "blobs/uploads/"), ("PATCH", "blobs/uploads/x"), ("GET", "tags/list")):
            assert error(registry.ask(method, path, "absent")) == (404, "NAME_UNKNOWN", text)


class TestMounts:
    """User Guide, "Blob mounting in Amazon ECR": off by default, within a registry only."""

    @pytest.fixture
    def layer(self, ecr: Any, registry: RegistryClient) -> str:
        """A layer of an image in the repository ``base``."""
        ecr.create_repository(repositoryName="base")
        registry.upload(CONFIGURATION, "base")
        digest = registry.upload(b"shared", "base")
        assert registry.put(manifest(CONFIGURATION, [b"shared"]), "v1", "base").status_code == 201
        return digest

    def mount(self, registry: RegistryClient, digest: str, source: str = f"{NAME}/base") -> int:
        """The status of a mount; 201 is a mounted blob, 202 an upload."""
        asked = {"mount": digest, "from": source}
        return registry.ask("POST", "blobs/uploads/", params=asked).status_code

    def test_is_off_by_default(self, registry: RegistryClient, layer: str) -> None:
        """spec: "If a registry does not support cross-repository mounting …, it SHOULD return a 202"."""
        assert self.mount(registry, layer) == 202

    def test_takes_the_layer_of_another_repository(
        self, ecr: Any, registry: RegistryClient, layer: str
    ) -> None:
        """ "aws ecr put-account-setting --name BLOB_MOUNTING --value ENABLED"; spec: "The response to a successful
        mount MUST be 201 Created"."""
        assert ecr.get_account_setting(name="BLOB_MOUNTING")["value"] == "DISABLED"
        ecr.put_account_setting(name="BLOB_MOUNTING", value="ENABLED")
        assert self.mount(registry, layer) == 201
        assert registry.ask("HEAD", f"blobs/{layer}").headers["Content-Length"] == "6"

    def test_takes_only_layers_of_images(self, ecr: Any, registry: RegistryClient, layer: str) -> None:
        """ "ECR only mounts a blob once it is referenced by at least one image manifest in the source repository"
        (aws/containers-roadmap 2860), within the registry."""
        ecr.put_account_setting(name="BLOB_MOUNTING", value="ENABLED")
        assert self.mount(registry, registry.upload(b"of no image", "base")) == 202
        assert self.mount(registry, layer, f"{NAME.replace('us-east-2', 'eu-west-1')}/base") == 202


class TestBlobs:
    def test_leads_to_the_layer(self, registry: RegistryClient) -> None:
        """spec, "Pulling blobs": "A GET request to an existing blob URL MUST provide the expected blob, with a response
        code that MUST be 200 OK"; ECR redirects to S3, as GetDownloadUrlForLayer does."""
        digest = registry.upload(CONFIGURATION)
        registry.put(manifest(CONFIGURATION), "v1")
        there = registry.ask("GET", f"blobs/{digest}", allow_redirects=False)
        assert there.status_code == 307
        assert requests.get(there.headers["Location"], timeout=PATIENCE).content == CONFIGURATION
        assert registry.ask("GET", f"blobs/{digest}").content == CONFIGURATION

    def test_in_ranges(self, registry: RegistryClient) -> None:
        """spec: "A registry SHOULD support the Range request header in accordance with RFC 9110"."""
        digest = registry.upload(CONFIGURATION)
        registry.put(manifest(CONFIGURATION), "v1")
        for given, expected in (("bytes=0-4", CONFIGURATION[:5]), ("bytes=5-", CONFIGURATION[5:])):
            answer = registry.ask("GET", f"blobs/{digest}", headers={"Range": given})
            assert (answer.status_code, answer.content) == (206, expected)
        beyond = registry.ask("GET", f"blobs/{digest}", headers={"Range": "bytes=1000-"})
        assert (beyond.status_code, beyond.headers["Content-Range"]) == (416, f"bytes */{len(CONFIGURATION)}")

    def test_an_absent_one(self, registry: RegistryClient) -> None:
        """spec: "If the blob is not found in the repository, the response code MUST be 404 Not Found"."""
        digest = digest_of(b"absent")
        assert registry.ask("HEAD", f"blobs/{digest}").status_code == 404
        assert error(registry.ask("GET", f"blobs/{digest}"))[:2] == (404, "BLOB_UNKNOWN")


class TestManifests:
    def test_come_back_as_sent(self, registry: RegistryClient) -> None:
        """spec, "Pulling manifests": "the exact byte representation"; by tag and by digest, HEAD without a body."""
        registry.upload(CONFIGURATION)
        sent = manifest(CONFIGURATION) + "\n "
        put = registry.put(sent, "v1")
        assert (put.status_code, put.headers["Docker-Content-Digest"]) == (201, digest_of(sent.encode()))
        for reference in ("v1", digest_of(sent.encode())):
            got = registry.ask("GET", f"manifests/{reference}")
            assert (got.content, got.headers["Content-Type"]) == (sent.encode(), MANIFEST)
            head = registry.ask("HEAD", f"manifests/{reference}")
            assert head.headers["Content-Length"] == str(len(sent))
            assert head.headers["Docker-Content-Digest"] == digest_of(sent.encode())
        assert (
            registry.put(sent, "v1").status_code == 201
        )  # ImageAlreadyExistsException is no error for a client

    def test_are_what_the_api_has(self, ecr: Any, registry: RegistryClient) -> None:
        """One registry with two interfaces."""
        registry.upload(CONFIGURATION)
        registry.put(manifest(CONFIGURATION), "v1")
        (found,) = ecr.describe_images(repositoryName="homara")["imageDetails"]
        assert (found["imageTags"], found["imageManifestMediaType"]) == (["v1"], MANIFEST)

    def test_an_absent_one(self, registry: RegistryClient) -> None:
        """{"errors":[{"code":"MANIFEST_UNKNOWN","message":"Requested image not found"}]}, 404
        (pulumi/pulumi-docker-build 849)."""
        for reference in ("absent", digest_of(b"absent")):
            answer = registry.ask("GET", f"manifests/{reference}")
            assert error(answer) == (404, "MANIFEST_UNKNOWN", "Requested image not found")
        assert registry.ask("HEAD", "manifests/absent").status_code == 404

    def test_what_is_no_tag(self, registry: RegistryClient) -> None:
        """ "HEAD https://… /v2/repo/manifests/2024.42.27+1234a5c05: unexpected status code 400 Bad Request"
        (bazel-contrib/rules_oci 720); own words."""
        assert registry.ask("HEAD", "manifests/2024.42.27+1234a5c05").status_code == 400

    def test_need_their_blobs(self, registry: RegistryClient) -> None:
        """ "manifest blob unknown: Images with digests '[sha256:88…, sha256:a2…]' required for pushing image into
        repository with name 'REPOSITORY' in the registry with id 'ACCOUNT' do not exist"
        (int128/docker-manifest-create-action 63)."""
        missing = digest_of(b"absent")
        where = f"required for pushing image into repository with name 'homara' in the registry with id '{ACCOUNT}'"
        of_layer = registry.put(manifest(b"absent"), "v1")
        text = f"Layers with digests '[{missing}]' {where} do not exist"
        assert error(of_layer) == (404, "MANIFEST_BLOB_UNKNOWN", text)
        part = {"mediaType": MANIFEST, "digest": missing, "size": 1}
        index = json.dumps({"schemaVersion": 2, "mediaType": INDEX, "manifests": [part]})
        text = f"Images with digests '[{missing}]' {where} do not exist"
        assert error(registry.put(index, "v1", media_type=INDEX)) == (404, "MANIFEST_BLOB_UNKNOWN", text)

    def test_what_is_no_manifest(self, registry: RegistryClient) -> None:
        """{"errors":[{"code":"UNSUPPORTED","message":"Invalid parameter at 'ImageManifest' failed to satisfy
        constraint: 'Invalid JSON syntax'"}]}, 405 Method Not Allowed (opcr-io/policy 149)."""
        text = "Invalid parameter at 'ImageManifest' failed to satisfy constraint: 'Invalid JSON syntax'"
        assert error(registry.put("nonsense", "v1")) == (405, "UNSUPPORTED", text)
        assert error(registry.put("[" * 100_000, "v1")) == (405, "UNSUPPORTED", text)
        assert error(registry.put(b"\xff", "v1"))[:2] == (400, "MANIFEST_INVALID")
        registry.upload(CONFIGURATION)
        less = manifest(CONFIGURATION).replace(f'"size": {len(CONFIGURATION)}', '"size": -1')
        assert error(registry.put(less, "v1"))[:2] == (405, "UNSUPPORTED")

    @pytest.mark.parametrize(
        "subject", [1, "text", [], {}, {"digest": 1}, {"digest": "sha256:x\r\nX-Header: y"}]
    )
    def test_with_what_is_no_subject(self, registry: RegistryClient, subject: Any) -> None:
        """Own words: ECR takes it, or does not; nothing of it becomes a header."""
        registry.upload(CONFIGURATION)
        sent = manifest(CONFIGURATION, subject=subject, annotations=subject, artifactType=subject)
        put = registry.put(sent, "v1")
        assert put.status_code == 201
        assert not {"OCI-Subject", "X-Header"} & set(put.headers)
        assert registry.ask("GET", f"referrers/{digest_of(b'x')}").json()["manifests"] == []

    def test_have_the_digest_that_they_are_put_by(self, registry: RegistryClient) -> None:
        """spec, "Pushing manifests" by digest; ImageDigestDoesNotMatchException."""
        registry.upload(CONFIGURATION)
        sent = manifest(CONFIGURATION)
        assert registry.put(sent, digest_of(sent.encode())).status_code == 201
        assert error(registry.put(sent, digest_of(b"other")))[:2] == (400, "DIGEST_INVALID")

    def test_of_an_immutable_tag(self, ecr: Any, registry: RegistryClient) -> None:
        """ "TAG_INVALID: The image tag '…' already exists in the '…' repository and cannot be overwritten because …"
        (osscontainertools/kaniko 204; "because the repository is immutable", moby/buildkit 3776)."""
        ecr.put_image_tag_mutability(repositoryName="homara", imageTagMutability="IMMUTABLE")
        registry.upload(CONFIGURATION)
        assert registry.put(manifest(CONFIGURATION), "v1").status_code == 201
        assert registry.put(manifest(CONFIGURATION), "v1").status_code == 201
        text = (
            "The image tag 'v1' already exists in the 'homara' repository and cannot be overwritten because the "
            "repository is immutable."
        )
        assert error(registry.put(manifest(CONFIGURATION) + " ", "v1")) == (400, "TAG_INVALID", text)

    def test_are_deleted(self, ecr: Any, registry: RegistryClient) -> None:
        """spec, "Deleting Manifests": "202 Accepted"; ECR: "support delete image registry API", shipped
        (aws/containers-roadmap 1229)."""
        registry.upload(CONFIGURATION)
        registry.put(manifest(CONFIGURATION), "v1")
        assert registry.ask("DELETE", "manifests/v1").status_code == 202
        assert error(registry.ask("DELETE", "manifests/v1"))[:2] == (404, "MANIFEST_UNKNOWN")
        assert ecr.list_images(repositoryName="homara")["imageIds"] == []


class TestListings:
    def test_of_tags(self, registry: RegistryClient) -> None:
        """spec, "Listing Tags": lexical order, ``n`` and ``last``, Link with rel="next"."""
        registry.upload(CONFIGURATION)
        for tag in ("c", "a", "b"):
            registry.put(manifest(CONFIGURATION), tag)
        assert registry.ask("GET", "tags/list").json() == {"name": f"{NAME}/homara", "tags": ["a", "b", "c"]}
        page = registry.ask("GET", "tags/list", params={"n": "2"})
        assert page.json()["tags"] == ["a", "b"]
        last = registry.ask("GET", page.links["next"]["url"])
        assert (last.json()["tags"], last.links) == (["c"], {})
        for no_number in ("9" * 5000, "\u0663", "-1"):
            every = registry.ask("GET", "tags/list", params={"n": no_number})
            assert every.json()["tags"] == ["a", "b", "c"]

    def test_of_many_tags(self, registry: RegistryClient) -> None:
        """ListImages has pages of 100."""
        registry.upload(CONFIGURATION)
        for number in range(101):
            registry.put(manifest(CONFIGURATION), f"{number:03}")
        assert len(registry.ask("GET", "tags/list").json()["tags"]) == 101

    def test_of_referrers(self, ecr: Any, registry: RegistryClient) -> None:
        """spec, "Listing Referrers": an image index, also where the subject is absent; ``artifactType`` filters, which
        OCI-Filters-Applied says; pushing answers OCI-Subject. ECR's own: ListImageReferrers."""
        registry.upload(CONFIGURATION)
        subject = digest_of(b"subject")
        assert registry.ask("GET", f"referrers/{subject}").json()["manifests"] == []
        described = {"mediaType": MANIFEST, "digest": subject, "size": 7}
        signature = manifest(
            CONFIGURATION, subject=described, artifactType="application/signature", annotations={"by": "me"}
        )
        put = registry.put(signature, digest_of(signature.encode()))
        assert put.headers["OCI-Subject"] == subject
        other = manifest(CONFIGURATION, subject=described)
        registry.put(other, digest_of(other.encode()))
        every = registry.ask("GET", f"referrers/{subject}")
        assert every.headers["Content-Type"] == INDEX
        assert [each["artifactType"] for each in every.json()["manifests"]] == [
            "application/signature",
            CONFIG,
        ]
        some = registry.ask("GET", f"referrers/{subject}", params={"artifactType": "application/signature"})
        assert some.headers["OCI-Filters-Applied"] == "artifactType"
        assert some.json()["manifests"] == [
            {
                "mediaType": MANIFEST,
                "digest": digest_of(signature.encode()),
                "size": len(signature),
                "artifactType": "application/signature",
                "annotations": {"by": "me"},
            }
        ]
        told = ecr.list_image_referrers(repositoryName="homara", subjectId={"imageDigest": subject})
        assert len(told["referrers"]) == 2


class TestWhoMayDoWhat:
    """The token's principal is the caller of what its requests become."""

    def signed_in(self, aws: EmbeddedProcess, *actions: str) -> RegistryClient:
        """Somebody who may do these actions, and get a token."""
        allowed = allow([f"ecr:{each}" for each in ("GetAuthorizationToken", *actions)])
        somebody = person(aws, "somebody", json.loads(policy(allowed)))
        return RegistryClient.of(somebody.client("ecr"))

    def push(self, registry: RegistryClient) -> list[tuple[str, str]]:
        """The codes and the refused actions of a push that goes on whatever is refused."""
        begun = registry.ask("POST", "blobs/uploads/")
        answers = [
            registry.ask("GET", f"blobs/{digest_of(b'x')}"),
            begun,
            registry.ask("PATCH", begun.headers["Location"], data=CONFIGURATION) if begun.ok else begun,
            registry.put(manifest(CONFIGURATION), "v1"),
            registry.ask("GET", "manifests/v1"),
        ]
        refused = [error(each)[1:] for each in answers if each.status_code == 403]
        return [(code, re.findall(r"perform: (\S+) on", text)[0]) for code, text in refused]

    def test_may_do_nothing(self, aws: EmbeddedProcess, ecr: Any) -> None:
        """ "denied: User: arn:aws:sts::754256621582:assumed-role/… is not authorized to perform:
        ecr:InitiateLayerUpload on resource: arn:aws:ecr:eu-west-2:754256621582:repository/laa-pcuam/csv-converter
        because no identity-based policy allows the ecr:InitiateLayerUpload action"
        (ministryofjustice/cloud-platform 7245)."""
        registry = self.signed_in(aws)
        text = (
            f"User: arn:aws:iam::{ACCOUNT}:user/somebody is not authorized to perform: ecr:InitiateLayerUpload on "
            f"resource: arn:aws:ecr:us-east-2:{ACCOUNT}:repository/homara because no identity-based policy allows "
            "the ecr:InitiateLayerUpload action"
        )
        assert error(registry.ask("POST", "blobs/uploads/")) == (403, "DENIED", text)

    def test_each_step_has_its_action(self, aws: EmbeddedProcess, ecr: Any) -> None:
        """User Guide, "IAM permissions for pushing an image to an Amazon ECR private repository"."""
        registry = self.signed_in(aws, "InitiateLayerUpload")
        assert self.push(registry) == [
            ("DENIED", "ecr:GetDownloadUrlForLayer"),
            ("DENIED", "ecr:UploadLayerPart"),
            ("DENIED", "ecr:PutImage"),
            ("DENIED", "ecr:BatchGetImage"),
        ]

    def test_may_push(self, aws: EmbeddedProcess, ecr: Any) -> None:
        """The actions of the user guide's policy are enough."""
        actions = (
            "BatchCheckLayerAvailability",
            "BatchGetImage",
            "CompleteLayerUpload",
            "InitiateLayerUpload",
        )
        registry = self.signed_in(aws, *actions, "PutImage", "UploadLayerPart")
        digest = digest_of(CONFIGURATION)
        assert registry.ask("HEAD", f"blobs/{digest}").status_code == 404
        registry.upload(CONFIGURATION)
        assert registry.put(manifest(CONFIGURATION), "v1").status_code == 201
        assert registry.ask("HEAD", "manifests/v1").status_code == 200

    @pytest.mark.parametrize(
        ("principal", "may"),
        [
            (f"arn:aws:iam::{ACCOUNT}:user/somebody", True),
            ("*", True),
            (f"arn:aws:iam::{ACCOUNT}:root", False),
            (f"arn:aws:iam::{ACCOUNT}:user/another", False),
        ],
    )
    def test_a_repositorys_policy_allows(
        self, aws: EmbeddedProcess, ecr: Any, principal: str, may: bool
    ) -> None:
        """User Guide, "Private repository policies": "both the IAM policies and repository policies"; IAM User Guide,
        "Policy evaluation logic": within an account one that names the user is enough, the account leaves it to IAM."""
        statement = {"Sid": "Push", "Effect": "Allow", "Principal": {"AWS": principal}, "Action": "ecr:*"}
        ecr.set_repository_policy(repositoryName="homara", policyText=policy(statement))
        registry = self.signed_in(aws)
        assert registry.ask("POST", "blobs/uploads/").status_code == (202 if may else 403)

    def test_a_repositorys_policy_denies(self, aws: EmbeddedProcess, ecr: Any) -> None:
        """ "An explicit deny in any policy overrides any allows" ("Policy evaluation logic")."""
        statement = {"Sid": "No", "Effect": "Deny", "Principal": "*", "Action": "ecr:InitiateLayerUpload"}
        ecr.set_repository_policy(repositoryName="homara", policyText=policy(statement))
        registry = self.signed_in(aws, "InitiateLayerUpload", "ListImages")
        status, code, text = error(registry.ask("POST", "blobs/uploads/"))
        assert (status, code) == (403, "DENIED")
        assert text.endswith("with an explicit deny in a resource-based policy")
        assert registry.ask("GET", "tags/list").status_code == 200

    def test_nobody_reaches_another_account(self, ecr: Any) -> None:
        """ "denied: User: arn:aws:sts::A:assumed-role/cp-sw-actions-runner/GitHubActions is not authorized to perform:
        ecr:InitiateLayerUpload on resource: arn:aws:ecr:us-west-2:B:repository/runner-test because no resource-based
        policy allows the ecr:InitiateLayerUpload action" (aws-actions/amazon-ecr-login 232)."""
        registry = RegistryClient.of(ecr, registryIds=["999999999999"])
        assert registry.registry.endswith("/999999999999.dkr.ecr.us-east-2.amazonaws.com")
        text = (
            f"User: arn:aws:iam::{ACCOUNT}:root is not authorized to perform: ecr:InitiateLayerUpload on resource: "
            "arn:aws:ecr:us-east-2:999999999999:repository/homara because no resource-based policy allows the "
            "ecr:InitiateLayerUpload action"
        )
        assert error(registry.ask("POST", "blobs/uploads/")) == (403, "DENIED", text)

    def test_a_token_is_for_every_region(self, client: Callable[..., Any], ecr: Any) -> None:
        """ "can be used to access any Amazon ECR registry that your IAM principal has access to"; each region has a
        registry of its own."""
        client("ecr", region="eu-west-1").create_repository(repositoryName="abroad")
        registry = RegistryClient.of(ecr)
        assert registry.ask("GET", "tags/list", "abroad").status_code == 404
        registry.registry = registry.registry.replace("us-east-2", "eu-west-1")
        assert registry.ask("GET", "tags/list", "abroad").status_code == 200


class TestAtThisAddress:
    def test_a_name_begins_with_the_registry(self, registry: RegistryClient) -> None:
        """Own words: on AWS every registry has a host."""
        answer = registry.ask("GET", f"{registry.root}homara/tags/list")
        assert error(answer)[:2] == (404, "NAME_UNKNOWN")
        assert f"{NAME}/homara" in answer.text

    def test_no_web_page_gets_in(self, registry: RegistryClient) -> None:
        """Pages have an Origin, and a name that resolves to this machine is not its own."""
        for headers in ({"Origin": "http://example.com"}, {"Host": "example.com"}):
            assert registry.ask("GET", "tags/list", headers=headers).status_code == 403

    def test_what_it_does_not_do(self, registry: RegistryClient) -> None:
        """spec: "UNSUPPORTED"; own words."""
        assert error(registry.ask("DELETE", f"blobs/{digest_of(b'x')}"))[:2] == (405, "UNSUPPORTED")
        assert error(registry.ask("GET", f"{registry.root}_catalog"))[:2] == (404, "UNSUPPORTED")
        assert error(registry.ask("GET", "tags/list", "Homara"))[:2] == (400, "NAME_INVALID")

    def test_a_large_layer(self, registry: RegistryClient) -> None:
        """ "Maximum layer size: 52,000 MiB" (service quotas): it is kept in a file, so it may be larger than other
        bodies, which end at 64 MiB."""
        data = bytes(70 * MIB)
        registry.upload(data)
        assert registry.ask("HEAD", f"blobs/{digest_of(data)}").headers["Content-Length"] == str(len(data))

    def test_a_large_body_without_a_token(self, registry: RegistryClient) -> None:
        """Only who may send a header that no page can send has room for it."""
        where = f"{registry.root}{NAME}/homara/blobs/uploads/x"
        assert requests.put(where, data=bytes(70 * MIB), timeout=PATIENCE).status_code == 401

    def test_faults_reach_it(self, aws: EmbeddedProcess, registry: RegistryClient) -> None:
        """ "toomanyrequests: Rate exceeded" is what docker says of a ThrottlingException."""
        aws.order({"service": "ecr", "operation": "BatchGetImage", "throttle": True})
        assert error(registry.ask("GET", "manifests/v1")) == (429, "TOOMANYREQUESTS", "Rate exceeded")
        aws.order({"service": "ecr", "operation": "ListImages", "drop": "before"})
        with pytest.raises(requests.ConnectionError):
            registry.ask("GET", "tags/list")
        aws.forgive()
