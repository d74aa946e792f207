"""Images in the archive of Amazon ECR.

Quotes are from the User Guide ("Archiving an image in Amazon ECR", "Archiving an image", "Restoring an image") unless
they name the API (botocore's model).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.embedded.images import ImageSpec, manifest_of, push, upload_blob
from tests.embedded.refusals import refused
from tests.embedded.registry_client import RegistryClient
from tests.embedded.test_conformance_ecs_agent import fails
from tests.embedded_process import EmbeddedProcess, eventually

UNSUPPORTED = "ImageStorageClassUpdateNotSupportedException"


@pytest.fixture
def ecr(rapid_process: EmbeddedProcess) -> Any:
    """An ECR client of an AWS with 1000 seconds in one, and a repository ``homara`` with an image ``v1``."""
    rapid_process.reset()
    ecr = rapid_process.client("ecr")
    ecr.create_repository(repositoryName="homara")
    push(ecr, ImageSpec(command=["python"]), tag="v1")
    return ecr


def move(ecr: Any, target: str, **asked: str) -> Any:
    """UpdateImageStorageClass of ``v1``."""
    return ecr.update_image_storage_class(
        repositoryName="homara", imageId=asked or {"imageTag": "v1"}, targetStorageClass=target
    )


def detail(ecr: Any, **asked: Any) -> Any:
    """The image as DescribeImages tells it by its tag."""
    asked = asked or {"imageIds": [{"imageTag": "v1"}]}
    found = ecr.describe_images(repositoryName="homara", **asked)["imageDetails"]
    return found[0] if found else None


def test_an_image_goes_into_the_archive(ecr: Any) -> None:
    """ "The image is moved to the archival storage class"; API: imageStatus is "the current status of the image after
    the call"; lastArchivedAt."""
    before = detail(ecr)
    assert (before["imageStatus"], "lastArchivedAt" in before) == ("ACTIVE", False)
    answer = move(ecr, "ARCHIVE")
    assert (answer["imageStatus"], answer["repositoryName"]) == ("ARCHIVED", "homara")
    assert answer["imageId"] == {"imageDigest": before["imageDigest"], "imageTag": "v1"}
    after = detail(ecr)
    assert after["imageStatus"] == "ARCHIVED"
    assert after["lastArchivedAt"] >= before["imagePushedAt"]


def test_lists_leave_it_out_unless_asked(ecr: Any) -> None:
    """ "it can still be described using the describe-images command, or listed using the list-images command"; API,
    imageStatus of both filters: "If not specified, only images with ACTIVE status are returned"."""
    push(ecr, ImageSpec(command=["python", "-V"]), tag="v2")
    move(ecr, "ARCHIVE")

    def listed(**asked: Any) -> tuple[list[str], list[str]]:
        described = ecr.describe_images(repositoryName="homara", **asked)["imageDetails"]
        ids = ecr.list_images(repositoryName="homara", **asked)["imageIds"]
        return sorted(each["imageTags"][0] for each in described), sorted(each["imageTag"] for each in ids)

    assert listed() == (["v2"], ["v2"])
    assert listed(filter={"imageStatus": "ARCHIVED"}) == (["v1"], ["v1"])
    assert listed(filter={"imageStatus": "ANY"}) == (["v1", "v2"], ["v1", "v2"])
    assert listed(filter={"imageStatus": "ANY", "tagStatus": "UNTAGGED"}) == ([], [])


def test_it_cannot_be_pulled(ecr: Any) -> None:
    """ "Archived images cannot be pulled. Requests to pull the archived image will fail with a 404 error" (what
    BatchGetImage says: own words)."""
    move(ecr, "ARCHIVE")
    told = ecr.batch_get_image(repositoryName="homara", imageIds=[{"imageTag": "v1"}])
    assert (told["images"], told["failures"][0]["failureReason"]) == ([], "Requested image is archived")
    answer = RegistryClient.of(ecr).ask("GET", "manifests/v1")
    assert (answer.status_code, answer.json()["errors"][0]["code"]) == (404, "MANIFEST_UNKNOWN")


def test_no_scan_of_it(ecr: Any) -> None:
    """API, ImageArchivedException: "The specified image is archived and cannot be scanned."."""
    move(ecr, "ARCHIVE")
    with refused("ImageArchivedException", "The specified image is archived and cannot be scanned."):
        ecr.start_image_scan(repositoryName="homara", imageId={"imageTag": "v1"})


def test_it_comes_back_after_a_while(ecr: Any) -> None:
    """ "You can expect ECR to restore the image within 20 minutes"; "images that are being restored have an
    image-status of ACTIVATING"; it "cannot be pulled until the restoration is complete"; API: lastActivatedAt."""
    move(ecr, "ARCHIVE")
    assert move(ecr, "STANDARD")["imageStatus"] == "ACTIVATING"
    eventually(lambda: detail(ecr)["imageStatus"] == "ACTIVE")
    found = detail(ecr)
    assert found["lastActivatedAt"] >= found["lastArchivedAt"]
    assert RegistryClient.of(ecr).ask("GET", "manifests/v1").status_code == 200


def test_what_is_being_restored_cannot_be_pulled(client: Callable[[str], Any]) -> None:
    """The same at a pace at which it takes a minute."""
    ecr = client("ecr")
    ecr.create_repository(repositoryName="homara")
    push(ecr, ImageSpec(command=["python"]), tag="v1")
    move(ecr, "ARCHIVE")
    move(ecr, "STANDARD")
    found = detail(ecr, filter={"imageStatus": "ACTIVATING"})
    assert (found["imageStatus"], "lastActivatedAt" in found) == ("ACTIVATING", False)
    assert RegistryClient.of(ecr).ask("GET", "manifests/v1").status_code == 404
    assert move(ecr, "STANDARD")["imageStatus"] == "ACTIVATING"


def test_a_push_restores_it_at_once(client: Callable[[str], Any]) -> None:
    """ "When you push an image that is currently archived, that image will be immediately restored"; in a repository
    with immutable tags too, as its tag stays where it is."""
    ecr = client("ecr")
    ecr.create_repository(repositoryName="homara", imageTagMutability="IMMUTABLE")
    layer, config = b"layer", b'{"os": "linux", "architecture": "amd64"}'
    for data in (layer, config):
        upload_blob(ecr, "homara", data)
    manifest = manifest_of(config, [layer])
    ecr.put_image(repositoryName="homara", imageManifest=manifest, imageTag="v1")
    move(ecr, "ARCHIVE")
    ecr.put_image(repositoryName="homara", imageManifest=manifest, imageTag="v1")
    assert detail(ecr)["imageStatus"] == "ACTIVE"


def test_only_a_way_to_the_other_class(ecr: Any) -> None:
    """API, ImageStorageClassUpdateNotSupportedException: "The requested image storage class update is not supported."
    (for which one it is: not verified); ImageNotFoundException."""
    with refused(UNSUPPORTED):
        move(ecr, "STANDARD")
    move(ecr, "ARCHIVE")
    with refused(UNSUPPORTED):
        move(ecr, "ARCHIVE")
    with refused("ImageNotFoundException"):
        move(ecr, "ARCHIVE", imageTag="v9")


def test_it_can_be_deleted(ecr: Any) -> None:
    """ "If you must delete images that have been archived for less than 90 days, you need to use the batch-delete-image
    API"."""
    move(ecr, "ARCHIVE")
    deleted = ecr.batch_delete_image(repositoryName="homara", imageIds=[{"imageTag": "v1"}])
    assert (deleted["failures"], len(deleted["imageIds"])) == ([], 1)
    push(ecr, ImageSpec(command=["python"]), tag="v1")
    assert detail(ecr)["imageStatus"] == "ACTIVE"


def test_no_task_gets_it(stack: Any) -> None:
    """ "fail with a 404 error", which containerd calls "not found"."""
    repository, _, tag = stack.app.rpartition("/")[2].partition(":")
    stack.aws.client("ecr").update_image_storage_class(
        repositoryName=repository, imageId={"imageTag": tag}, targetStorageClass="ARCHIVE"
    )
    task = fails(stack, stack.definition(stack.container(stack.app)))
    assert f"failed to resolve ref {stack.app}: {stack.app}: not found" in task["stoppedReason"]
