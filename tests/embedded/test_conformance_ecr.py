"""Amazon ECR: what its API reference and user guide say, asked over HTTP."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import requests
from botocore.exceptions import ClientError

from tests.embedded.images import (
    MANIFEST,
    ImageSpec,
    digest_of,
    layer_of,
    manifest_of,
    push,
    upload_blob,
)
from tests.embedded_process import PATIENCE

ACCOUNT = "123456789012"
MIB = 1024 * 1024
INDEX = "application/vnd.oci.image.index.v1+json"


@pytest.fixture
def ecr(client: Callable[[str], Any]) -> Any:
    """An ECR client, and a repository ``homara``."""
    ecr = client("ecr")
    ecr.create_repository(repositoryName="homara")
    return ecr


def refused(call: Callable[..., Any], **parameters: Any) -> tuple[str, str]:
    """Code and message of the error that a call ends in."""
    with pytest.raises(ClientError) as caught:
        call(**parameters)
    error = caught.value.response["Error"]
    return error["Code"], error["Message"]


def image(text: str, **more: Any) -> ImageSpec:
    """An image whose content is ``text``."""
    return ImageSpec({"/app/text": text}, ["python", "-V"], **more)


def manifest_in(ecr: Any, text: str, repository: str = "homara") -> str:
    """A manifest whose blobs are uploaded."""
    layer, config = layer_of({"/app/text": text}), json.dumps(image(text).config).encode()
    for data in (layer, config):
        upload_blob(ecr, repository, data)
    return manifest_of(config, [layer])


def put(ecr: Any, manifest: str, tag: str | None = None, repository: str = "homara", **more: Any) -> Any:
    """PutImage with what the test cares about."""
    more |= {"imageTag": tag} if tag else {}
    return ecr.put_image(repositoryName=repository, imageManifest=manifest, **more)["image"]


class TestRepositories:
    def test_create_echoes_what_was_asked(self, client: Callable[[str], Any]) -> None:
        """CreateRepository: repositoryUri "can be used for push and pull"; settings come back as given."""
        made = client("ecr").create_repository(
            repositoryName="team/app",
            imageTagMutability="IMMUTABLE",
            imageScanningConfiguration={"scanOnPush": True},
            encryptionConfiguration={"encryptionType": "KMS"},
        )["repository"]
        assert made["repositoryUri"] == f"{ACCOUNT}.dkr.ecr.us-east-2.amazonaws.com/team/app"
        assert made["repositoryArn"] == f"arn:aws:ecr:us-east-2:{ACCOUNT}:repository/team/app"
        assert made["imageTagMutability"] == "IMMUTABLE"
        assert made["imageScanningConfiguration"] == {"scanOnPush": True}
        assert made["encryptionConfiguration"]["encryptionType"] == "KMS"
        assert made["encryptionConfiguration"]["kmsKey"].startswith("arn:aws:kms:us-east-2:")

    def test_defaults(self, ecr: Any) -> None:
        """CreateRepository: "the default setting of MUTABLE"; scan on push off; AES256."""
        found = ecr.describe_repositories(repositoryNames=["homara"])["repositories"][0]
        assert found["imageTagMutability"] == "MUTABLE"
        assert found["imageScanningConfiguration"] == {"scanOnPush": False}
        assert found["encryptionConfiguration"] == {"encryptionType": "AES256"}

    def test_a_name_is_taken_once(self, ecr: Any) -> None:
        """RepositoryAlreadyExistsException: "The specified repository already exists"."""
        code, message = refused(ecr.create_repository, repositoryName="homara")
        assert code == "RepositoryAlreadyExistsException"
        assert message == (
            f"The repository with name 'homara' already exists in the registry with id '{ACCOUNT}'"
        )

    @pytest.mark.parametrize("name", ["Homara", "ho mara", "-homara", "homara/", "homara!"])
    def test_names(self, ecr: Any, name: str) -> None:
        """CreateRepository: names are lower case letters, digits and separators between them."""
        assert refused(ecr.create_repository, repositoryName=name)[0] == "InvalidParameterException"

    def test_absent(self, ecr: Any) -> None:
        """RepositoryNotFoundException: "The specified repository could not be found"."""
        for call, more in (
            (ecr.describe_repositories, {"repositoryNames": ["absent"]}),
            (ecr.delete_repository, {"repositoryName": "absent"}),
            (ecr.describe_images, {"repositoryName": "absent"}),
            (ecr.list_images, {"repositoryName": "absent"}),
            (ecr.put_image, {"repositoryName": "absent", "imageManifest": "{}"}),
            (ecr.initiate_layer_upload, {"repositoryName": "absent"}),
            (ecr.batch_get_image, {"repositoryName": "absent", "imageIds": [{"imageTag": "a"}]}),
            (ecr.batch_delete_image, {"repositoryName": "absent", "imageIds": [{"imageTag": "a"}]}),
            (ecr.get_lifecycle_policy, {"repositoryName": "absent"}),
        ):
            code, message = refused(call, **more)
            assert code == "RepositoryNotFoundException"
            assert message == (
                f"The repository with name 'absent' does not exist in the registry with id '{ACCOUNT}'"
            )

    def test_delete_with_images_needs_force(self, ecr: Any) -> None:
        """DeleteRepository: "If the repository isn't empty, you must … use the force option"."""
        push(ecr, image("a"))
        code, message = refused(ecr.delete_repository, repositoryName="homara")
        assert code == "RepositoryNotEmptyException"
        assert message == (
            f"The repository with name 'homara' in registry with id '{ACCOUNT}' cannot be deleted "
            "because it still contains images"
        )
        deleted = ecr.delete_repository(repositoryName="homara", force=True)["repository"]
        assert deleted["repositoryName"] == "homara"
        ecr.create_repository(repositoryName="homara")
        assert ecr.describe_images(repositoryName="homara")["imageDetails"] == []

    def test_pages(self, ecr: Any) -> None:
        """DescribeRepositories: "only returns maxResults results … along with a nextToken"."""
        for number in range(4):
            ecr.create_repository(repositoryName=f"more-{number}")
        pages = list(ecr.get_paginator("describe_repositories").paginate(PaginationConfig={"PageSize": 2}))
        assert [len(page["repositories"]) for page in pages] == [2, 2, 1]
        names = {one["repositoryName"] for page in pages for one in page["repositories"]}
        assert names == {"homara", *(f"more-{number}" for number in range(4))}

    def test_settings_can_change(self, ecr: Any) -> None:
        """PutImageTagMutability and PutImageScanningConfiguration update the repository."""
        ecr.put_image_tag_mutability(repositoryName="homara", imageTagMutability="IMMUTABLE")
        on = {"scanOnPush": True}
        ecr.put_image_scanning_configuration(repositoryName="homara", imageScanningConfiguration=on)
        found = ecr.describe_repositories(repositoryNames=["homara"])["repositories"][0]
        assert (found["imageTagMutability"], found["imageScanningConfiguration"]) == ("IMMUTABLE", on)

    def test_tags(self, ecr: Any) -> None:
        """TagResource, UntagResource, ListTagsForResource."""
        arn = f"arn:aws:ecr:us-east-2:{ACCOUNT}:repository/homara"
        ecr.tag_resource(resourceArn=arn, tags=[{"Key": "a", "Value": "1"}, {"Key": "b", "Value": "2"}])
        ecr.untag_resource(resourceArn=arn, tagKeys=["a"])
        assert ecr.list_tags_for_resource(resourceArn=arn)["tags"] == [{"Key": "b", "Value": "2"}]

    def test_policy(self, ecr: Any) -> None:
        """GetRepositoryPolicy: RepositoryPolicyNotFoundException before one is set."""
        assert refused(ecr.get_repository_policy, repositoryName="homara")[0] == (
            "RepositoryPolicyNotFoundException"
        )
        allow = {"Effect": "Allow", "Principal": "*", "Action": "ecr:BatchGetImage"}
        text = json.dumps({"Version": "2012-10-17", "Statement": [allow]})
        ecr.set_repository_policy(repositoryName="homara", policyText=text)
        assert json.loads(ecr.get_repository_policy(repositoryName="homara")["policyText"]) == json.loads(
            text
        )
        ecr.delete_repository_policy(repositoryName="homara")
        assert refused(ecr.delete_repository_policy, repositoryName="homara")[0] == (
            "RepositoryPolicyNotFoundException"
        )

    def test_authorization_token(self, ecr: Any) -> None:
        """GetAuthorizationToken: "a base64 encoded string" for docker login, "valid for 12 hours"."""
        data = ecr.get_authorization_token()["authorizationData"][0]
        assert base64.b64decode(data["authorizationToken"]).startswith(b"AWS:")
        assert data["proxyEndpoint"].endswith(f"/{ACCOUNT}.dkr.ecr.us-east-2.amazonaws.com")
        left = data["expiresAt"] - datetime.now(UTC)
        assert timedelta(hours=11) < left <= timedelta(hours=12)


class TestLifecyclePolicies:
    def rule(self, priority: int = 1, **selection: Any) -> dict[str, Any]:
        """A rule that expires untagged images after two weeks, unless the selection says otherwise."""
        usual = {
            "tagStatus": "untagged",
            "countType": "sinceImagePushed",
            "countUnit": "days",
            "countNumber": 14,
        }
        chosen = {name: value for name, value in {**usual, **selection}.items() if value is not None}
        return {"rulePriority": priority, "selection": chosen, "action": {"type": "expire"}}

    def put(self, ecr: Any, *rules: dict[str, Any]) -> Any:
        """PutLifecyclePolicy."""
        return ecr.put_lifecycle_policy(
            repositoryName="homara", lifecyclePolicyText=json.dumps({"rules": list(rules)})
        )

    def test_put_get_delete(self, ecr: Any) -> None:
        """GetLifecyclePolicy gives the text back; LifecyclePolicyNotFoundException when none is set."""
        assert refused(ecr.get_lifecycle_policy, repositoryName="homara")[0] == (
            "LifecyclePolicyNotFoundException"
        )
        self.put(ecr, self.rule())
        found = ecr.get_lifecycle_policy(repositoryName="homara")
        assert json.loads(found["lifecyclePolicyText"]) == {"rules": [self.rule()]}
        ecr.delete_lifecycle_policy(repositoryName="homara")
        assert refused(ecr.delete_lifecycle_policy, repositoryName="homara")[0] == (
            "LifecyclePolicyNotFoundException"
        )

    @pytest.mark.parametrize(
        "selections",
        [
            pytest.param([{"tagStatus": "tagged"}], id="tagged needs tagPrefixList or tagPatternList"),
            pytest.param([{"countUnit": None}], id="sinceImagePushed needs countUnit"),
            pytest.param([{"countType": "imageCountMoreThan"}], id="countUnit only with sinceImagePushed"),
            pytest.param([{"tagPrefixList": ["v"]}], id="tagPrefixList only with tagged"),
            pytest.param([{"countNumber": 0}], id="countNumber is at least 1"),
            pytest.param([{"countNumber": "many"}], id="countNumber is a number"),
            pytest.param([{"tagStatus": "some"}], id="tagStatus is tagged, untagged or any"),
            pytest.param([{"tagStatus": "any"}, {}], id="any must have the highest rulePriority"),
        ],
    )
    def test_rules(self, ecr: Any, selections: list[dict[str, Any]]) -> None:
        """User guide, "Lifecycle policy properties": each constraint, refused as InvalidParameterException."""
        rules = [self.rule(priority, **each) for priority, each in enumerate(selections, 1)]
        code, message = refused(lambda: self.put(ecr, *rules))
        assert code == "InvalidParameterException"
        assert "Lifecycle policy validation failure" in message

    def test_priorities_are_unique(self, ecr: Any) -> None:
        """User guide: "Each rule in a policy must have a unique value" for rulePriority."""
        code, _ = refused(lambda: self.put(ecr, self.rule(1), self.rule(1, countNumber=3)))
        assert code == "InvalidParameterException"


class TestLayers:
    def start(self, ecr: Any) -> str:
        """InitiateLayerUpload."""
        return str(ecr.initiate_layer_upload(repositoryName="homara")["uploadId"])

    def part(self, ecr: Any, upload: str, first: int, data: bytes, last: int | None = None) -> Any:
        """UploadLayerPart."""
        return ecr.upload_layer_part(
            repositoryName="homara",
            uploadId=upload,
            partFirstByte=first,
            partLastByte=first + len(data) - 1 if last is None else last,
            layerPartBlob=data,
        )

    def complete(self, ecr: Any, upload: str, *digests: str) -> Any:
        """CompleteLayerUpload."""
        return ecr.complete_layer_upload(repositoryName="homara", uploadId=upload, layerDigests=list(digests))

    def test_in_parts(self, ecr: Any) -> None:
        """UploadLayerPart "is called once per each new image layer part"; the layer is then AVAILABLE."""
        first, second = b"a" * 5 * MIB, b"b" * 10
        digest = digest_of(first + second)
        upload = self.start(ecr)
        assert self.part(ecr, upload, 0, first)["lastByteReceived"] == 5 * MIB - 1
        assert self.part(ecr, upload, 5 * MIB, second)["lastByteReceived"] == 5 * MIB + 9
        assert self.complete(ecr, upload, digest)["layerDigest"] == digest
        asked = ecr.batch_check_layer_availability(repositoryName="homara", layerDigests=[digest])
        layer = asked["layers"][0]
        assert (layer["layerAvailability"], layer["layerSize"]) == ("AVAILABLE", 5 * MIB + 10)

    def test_availability_of_others(self, ecr: Any) -> None:
        """BatchCheckLayerAvailability: failures with MissingLayerDigest or InvalidLayerDigest."""
        absent = digest_of(b"absent")
        asked = ecr.batch_check_layer_availability(repositoryName="homara", layerDigests=[absent, "nonsense"])
        codes = {each["layerDigest"]: each["failureCode"] for each in asked["failures"]}
        assert codes == {absent: "MissingLayerDigest", "nonsense": "InvalidLayerDigest"}

    def test_a_gap_between_parts(self, ecr: Any) -> None:
        """InvalidLayerPartException: "the first byte specified is not consecutive to the last byte"."""
        upload = self.start(ecr)
        self.part(ecr, upload, 0, b"x" * 10)
        with pytest.raises(ecr.exceptions.InvalidLayerPartException) as caught:
            self.part(ecr, upload, 11, b"y")
        assert caught.value.response["lastValidByteReceived"] == 9
        assert caught.value.response["uploadId"] == upload

    def test_a_part_of_another_size(self, ecr: Any) -> None:
        """InvalidLayerPartException: "The layer part size is not valid"."""
        upload = self.start(ecr)
        code, _ = refused(lambda: self.part(ecr, upload, 0, b"12345", last=9))
        assert code == "InvalidLayerPartException"

    def test_small_parts(self, ecr: Any) -> None:
        """LayerPartTooSmallException: "Layer parts must be at least 5 MiB in size"; the last may be smaller."""
        upload = self.start(ecr)
        self.part(ecr, upload, 0, b"12345")
        self.part(ecr, upload, 5, b"12345")
        code, message = refused(lambda: self.complete(ecr, upload, digest_of(b"1234512345")))
        assert (code, message) == (
            "LayerPartTooSmallException",
            "Layer parts must be at least 5 MiB in size.",
        )

    def test_another_digest(self, ecr: Any) -> None:
        """InvalidLayerException: the digest calculated "does not match the digest specified"."""
        upload = self.start(ecr)
        self.part(ecr, upload, 0, b"12345")
        assert refused(lambda: self.complete(ecr, upload, digest_of(b"54321")))[0] == "InvalidLayerException"

    def test_no_parts(self, ecr: Any) -> None:
        """EmptyUploadException: "The specified layer upload does not contain any layer parts"."""
        assert (
            refused(lambda: self.complete(ecr, self.start(ecr), digest_of(b"")))[0] == "EmptyUploadException"
        )

    def test_a_layer_is_kept_once(self, ecr: Any) -> None:
        """LayerAlreadyExistsException: "The image layer already exists in the associated repository"."""
        upload_blob(ecr, "homara", b"12345")
        upload = self.start(ecr)
        self.part(ecr, upload, 0, b"12345")
        assert refused(lambda: self.complete(ecr, upload, digest_of(b"12345")))[0] == (
            "LayerAlreadyExistsException"
        )

    def test_unknown_upload(self, ecr: Any) -> None:
        """UploadNotFoundException: "the specified upload ID is not valid for this repository"."""
        nothing = "00000000-0000-0000-0000-000000000000"
        assert refused(lambda: self.part(ecr, nothing, 0, b"1"))[0] == "UploadNotFoundException"
        assert refused(lambda: self.complete(ecr, nothing, digest_of(b"1")))[0] == "UploadNotFoundException"

    def test_download(self, ecr: Any) -> None:
        """GetDownloadUrlForLayer: "the pre-signed Amazon S3 download URL for the requested layer"."""
        push(ecr, image("a"))
        layer = layer_of({"/app/text": "a"})
        given = ecr.get_download_url_for_layer(repositoryName="homara", layerDigest=digest_of(layer))
        assert requests.get(given["downloadUrl"], timeout=PATIENCE).content == layer

    def test_download_of_others(self, ecr: Any) -> None:
        """LayersNotFoundException; LayerInaccessibleException: "not associated with an image"."""
        upload_blob(ecr, "homara", b"12345")
        for data, code in ((b"absent", "LayersNotFoundException"), (b"12345", "LayerInaccessibleException")):
            asked = {"repositoryName": "homara", "layerDigest": digest_of(data)}
            assert refused(ecr.get_download_url_for_layer, **asked)[0] == code


class TestPutImage:
    def test_digest_is_of_the_bytes_as_sent(self, ecr: Any) -> None:
        """ImageDetail: "The sha256 digest of the image manifest": white space counts."""
        plain = manifest_in(ecr, "a")
        spaced = json.dumps(json.loads(plain), indent=3)
        digests = {put(ecr, text)["imageId"]["imageDigest"] for text in (plain, spaced)}
        assert digests == {digest_of(plain.encode()), digest_of(spaced.encode())}

    def test_layers_must_be_there(self, ecr: Any) -> None:
        """LayersNotFoundException: "The specified layers could not be found"."""
        layer = layer_of({"/app/text": "a"})
        config = json.dumps(image("a").config).encode()
        upload_blob(ecr, "homara", config)
        code, message = refused(lambda: put(ecr, manifest_of(config, [layer])))
        assert code == "LayersNotFoundException"
        assert digest_of(layer) in message
        assert digest_of(config) not in message

    def test_the_same_again(self, ecr: Any) -> None:
        """ImageAlreadyExistsException: "no changes to the manifest or image tag after the last push"."""
        manifest = manifest_in(ecr, "a")
        put(ecr, manifest, "v1")
        code, message = refused(lambda: put(ecr, manifest, "v1"))
        assert code == "ImageAlreadyExistsException"
        assert message == (
            f"Image with digest '{digest_of(manifest.encode())}' and tag 'v1' already exists in the repository "
            f"with name 'homara' in registry with id '{ACCOUNT}'"
        )

    def test_a_second_tag(self, ecr: Any) -> None:
        """PutImage "creates or updates the image manifest and tags": one image, two tags."""
        manifest = manifest_in(ecr, "a")
        put(ecr, manifest, "v1")
        put(ecr, manifest, "latest")
        (detail,) = ecr.describe_images(repositoryName="homara")["imageDetails"]
        assert sorted(detail["imageTags"]) == ["latest", "v1"]

    def test_a_tag_moves(self, ecr: Any) -> None:
        """Image tag mutability: MUTABLE "will allow image tags to be overwritten"; the old image stays."""
        old, new = manifest_in(ecr, "a"), manifest_in(ecr, "b")
        put(ecr, old, "latest")
        put(ecr, new, "latest")
        details = {
            one["imageDigest"]: one for one in ecr.describe_images(repositoryName="homara")["imageDetails"]
        }
        assert details[digest_of(new.encode())]["imageTags"] == ["latest"]
        assert "imageTags" not in details[digest_of(old.encode())]

    def test_an_immutable_tag_does_not(self, ecr: Any) -> None:
        """ImageTagAlreadyExistsException: "The repository is configured for tag immutability"."""
        ecr.put_image_tag_mutability(repositoryName="homara", imageTagMutability="IMMUTABLE")
        put(ecr, manifest_in(ecr, "a"), "v1")
        code, message = refused(lambda: put(ecr, manifest_in(ecr, "b"), "v1"))
        assert code == "ImageTagAlreadyExistsException"
        assert message == (
            "The image tag 'v1' already exists in the 'homara' repository and cannot be overwritten "
            "because the repository is immutable."
        )
        put(ecr, manifest_in(ecr, "b"), "v2")

    def test_exclusion_filters(self, ecr: Any) -> None:
        """Image tag mutability: with IMMUTABLE_WITH_EXCLUSION, tags that match a filter stay mutable."""
        ecr.put_image_tag_mutability(
            repositoryName="homara",
            imageTagMutability="IMMUTABLE_WITH_EXCLUSION",
            imageTagMutabilityExclusionFilters=[{"filterType": "WILDCARD", "filter": "dev-*"}],
        )
        for tag in ("dev-1", "v1"):
            put(ecr, manifest_in(ecr, "a"), tag)
        put(ecr, manifest_in(ecr, "b"), "dev-1")
        assert refused(lambda: put(ecr, manifest_in(ecr, "b"), "v1"))[0] == "ImageTagAlreadyExistsException"

    def test_media_type(self, ecr: Any) -> None:
        """PutImage: a manifest without mediaType needs imageManifestMediaType, which is what is stored."""
        body = json.loads(manifest_in(ecr, "a"))
        del body["mediaType"]
        code, message = refused(lambda: put(ecr, json.dumps(body)))
        assert code == "InvalidParameterException"
        assert message == "image manifest mediatype not provided in manifest or parameter"
        made = put(ecr, json.dumps(body), imageManifestMediaType=MANIFEST)
        assert made["imageManifestMediaType"] == MANIFEST

    @pytest.mark.parametrize("text", ["no JSON", "[]", '{"layers": 3}', "{}"])
    def test_not_a_manifest(self, ecr: Any, text: str) -> None:
        """InvalidParameterException: "The specified parameter is invalid"."""
        assert (
            refused(lambda: put(ecr, text, imageManifestMediaType=MANIFEST))[0] == "InvalidParameterException"
        )

    def test_expected_digest(self, ecr: Any) -> None:
        """ImageDigestDoesNotMatchException: not "the digest that Amazon ECR calculated for the image"."""
        manifest, other = manifest_in(ecr, "a"), digest_of(b"other")
        assert refused(lambda: put(ecr, manifest, imageDigest=other))[0] == "ImageDigestDoesNotMatchException"
        put(ecr, manifest, imageDigest=digest_of(manifest.encode()))

    def test_an_index_needs_its_images(self, ecr: Any) -> None:
        """ReferencedImagesNotFoundException: "The manifest list is referencing an image that does not exist"."""
        manifest = manifest_in(ecr, "a")
        about = {"mediaType": MANIFEST, "size": len(manifest), "digest": digest_of(manifest.encode())}
        index = json.dumps({"schemaVersion": 2, "mediaType": INDEX, "manifests": [about]})
        assert refused(lambda: put(ecr, index, "v1"))[0] == "ReferencedImagesNotFoundException"
        put(ecr, manifest)
        put(ecr, index, "v1")
        (found,) = ecr.describe_images(repositoryName="homara", imageIds=[{"imageTag": "v1"}])["imageDetails"]
        assert found["imageManifestMediaType"] == INDEX
        assert found["imageSizeInBytes"] == len(layer_of({"/app/text": "a"}))


class TestReadImages:
    def test_details(self, ecr: Any) -> None:
        """DescribeImages: digest, tags, "the size, in bytes, of the image", when it was pushed, media types."""
        pushed = push(ecr, image("a"), tag="v1")
        (found,) = ecr.describe_images(repositoryName="homara", imageIds=[{"imageTag": "v1"}])["imageDetails"]
        assert (found["registryId"], found["repositoryName"]) == (ACCOUNT, "homara")
        assert (found["imageDigest"], found["imageTags"]) == (pushed.digest, ["v1"])
        assert found["imageSizeInBytes"] == len(layer_of({"/app/text": "a"}))
        assert abs(found["imagePushedAt"] - datetime.now(UTC)) < timedelta(minutes=1)
        assert found["imageManifestMediaType"] == MANIFEST
        assert found["artifactMediaType"] == "application/vnd.oci.image.config.v1+json"

    def test_absent(self, ecr: Any) -> None:
        """ImageNotFoundException: "The image requested does not exist in the specified repository"."""
        code, message = refused(ecr.describe_images, repositoryName="homara", imageIds=[{"imageTag": "nope"}])
        assert code == "ImageNotFoundException"
        assert message == (
            "The image with imageId {imageDigest:'null', imageTag:'nope'} does not exist within the repository "
            f"with name 'homara' in the registry with id '{ACCOUNT}'"
        )

    def test_pages_and_filters(self, ecr: Any) -> None:
        """DescribeImages and ListImages: maxResults, nextToken, and the tagStatus filter."""
        for text in "abcde":
            put(ecr, manifest_in(ecr, text), f"v-{text}" if text != "e" else None)
        describe = ecr.get_paginator("describe_images").paginate
        pages = [
            page["imageDetails"]
            for page in describe(repositoryName="homara", PaginationConfig={"PageSize": 2})
        ]
        assert [len(page) for page in pages] == [2, 2, 1]
        assert len({one["imageDigest"] for page in pages for one in page}) == 5
        (untagged,) = ecr.list_images(repositoryName="homara", filter={"tagStatus": "UNTAGGED"})["imageIds"]
        assert untagged == {"imageDigest": digest_of(manifest_in(ecr, "e").encode())}
        tagged = ecr.describe_images(repositoryName="homara", filter={"tagStatus": "TAGGED"})["imageDetails"]
        assert sorted(tag for one in tagged for tag in one["imageTags"]) == ["v-a", "v-b", "v-c", "v-d"]

    def test_list_has_a_line_for_each_tag(self, ecr: Any) -> None:
        """ListImages "lists all the image IDs": one for each tag."""
        manifest = manifest_in(ecr, "a")
        for tag in ("v1", "latest"):
            put(ecr, manifest, tag)
        found = ecr.list_images(repositoryName="homara")["imageIds"]
        assert sorted(one["imageTag"] for one in found) == ["latest", "v1"]
        assert {one["imageDigest"] for one in found} == {digest_of(manifest.encode())}

    def test_get_manifests(self, ecr: Any) -> None:
        """BatchGetImage: the manifest as pushed; failures with ImageNotFound."""
        pushed = push(ecr, image("a"), tag="v1")
        asked = [{"imageTag": "v1"}, {"imageDigest": pushed.digest}, {"imageTag": "nope"}]
        answer = ecr.batch_get_image(repositoryName="homara", imageIds=asked)
        assert [one["imageManifest"] for one in answer["images"]] == [pushed.manifest] * 2
        assert answer["images"][0]["imageId"] == {"imageDigest": pushed.digest, "imageTag": "v1"}
        assert answer["failures"] == [
            {
                "imageId": {"imageTag": "nope"},
                "failureCode": "ImageNotFound",
                "failureReason": "Requested image not found",
            }
        ]


class TestDeleteImages:
    def test_by_tag(self, ecr: Any) -> None:
        """BatchDeleteImage: "When you remove the last tag from an image, the image is deleted"."""
        manifest = manifest_in(ecr, "a")
        for tag in ("v1", "latest"):
            put(ecr, manifest, tag)
        for tag, left in (("latest", 1), ("v1", 0)):
            answer = ecr.batch_delete_image(repositoryName="homara", imageIds=[{"imageTag": tag}])
            assert answer["imageIds"] == [{"imageDigest": digest_of(manifest.encode()), "imageTag": tag}]
            assert len(ecr.describe_images(repositoryName="homara")["imageDetails"]) == left

    def test_by_digest(self, ecr: Any) -> None:
        """BatchDeleteImage: "You can completely delete an image (and all of its tags)" by its digest."""
        manifest = manifest_in(ecr, "a")
        for tag in ("v1", "latest"):
            put(ecr, manifest, tag)
        asked = [{"imageDigest": digest_of(manifest.encode())}]
        answer = ecr.batch_delete_image(repositoryName="homara", imageIds=asked)
        assert sorted(one["imageTag"] for one in answer["imageIds"]) == ["latest", "v1"]
        assert ecr.describe_images(repositoryName="homara")["imageDetails"] == []

    def test_failures(self, ecr: Any) -> None:
        """ImageFailure: ImageNotFound, MissingDigestAndTag, InvalidImageDigest, ImageTagDoesNotMatchDigest."""
        one, two = (push(ecr, image(text), tag=text) for text in "ab")
        asked = [
            {"imageTag": "nope"},
            {},
            {"imageDigest": "nonsense"},
            {"imageTag": one.tag, "imageDigest": two.digest},
        ]
        answer = ecr.batch_delete_image(repositoryName="homara", imageIds=asked)
        assert answer["imageIds"] == []
        assert [one["failureCode"] for one in answer["failures"]] == [
            "ImageNotFound",
            "MissingDigestAndTag",
            "InvalidImageDigest",
            "ImageTagDoesNotMatchDigest",
        ]

    def test_part_of_an_index(self, ecr: Any) -> None:
        """ImageFailure: ImageReferencedByManifestList."""
        manifest = manifest_in(ecr, "a")
        put(ecr, manifest)
        about = {"mediaType": MANIFEST, "size": len(manifest), "digest": digest_of(manifest.encode())}
        put(ecr, json.dumps({"schemaVersion": 2, "mediaType": INDEX, "manifests": [about]}), "v1")
        asked = [{"imageDigest": about["digest"]}]
        (failure,) = ecr.batch_delete_image(repositoryName="homara", imageIds=asked)["failures"]
        assert failure["failureCode"] == "ImageReferencedByManifestList"


class TestScans:
    def test_on_push(self, ecr: Any) -> None:
        """DescribeImageScanFindings: ScanNotFoundException without a scan; COMPLETE after a push that scans."""
        push(ecr, image("a"), tag="v1")
        asked = {"repositoryName": "homara", "imageId": {"imageTag": "v1"}}
        assert refused(ecr.describe_image_scan_findings, **asked)[0] == "ScanNotFoundException"
        ecr.put_image_scanning_configuration(
            repositoryName="homara", imageScanningConfiguration={"scanOnPush": True}
        )
        push(ecr, image("b"), tag="v2")
        found = ecr.describe_image_scan_findings(repositoryName="homara", imageId={"imageTag": "v2"})
        assert found["imageScanStatus"]["status"] == "COMPLETE"
        assert found["imageScanFindings"]["findings"] == []

    def test_on_demand(self, ecr: Any) -> None:
        """StartImageScan: once "per 24 hours" an image; then LimitExceededException."""
        push(ecr, image("a"), tag="v1")
        asked = {"repositoryName": "homara", "imageId": {"imageTag": "v1"}}
        assert ecr.start_image_scan(**asked)["imageScanStatus"]["status"] == "IN_PROGRESS"
        assert ecr.describe_image_scan_findings(**asked)["imageScanStatus"]["status"] == "COMPLETE"
        assert refused(ecr.start_image_scan, **asked)[0] == "LimitExceededException"
