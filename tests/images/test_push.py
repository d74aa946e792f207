"""Images in ECR, as AWS tells of them afterwards."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

import pytest

from lobster_tasks.account import is_embedded
from lobster_tasks.aws import Aws
from lobster_tasks.errors import RefusedError, UsageError
from lobster_tasks.images import BuildOptions, Transfer, push_image
from lobster_tasks.images.builder import Builder, choose_builder
from lobster_tasks.images.engines import Engine
from lobster_tasks.images.push import repository_of, with_engine
from lobster_tasks.settings import Settings, load
from tests.embedded_process import EmbeddedProcess
from tests.environment import environment
from tests.images import stand_in

DOCKERFILE = 'FROM python\nWORKDIR /app\nCOPY app.py .\nRUN pip install x\nCMD ["python", "app.py"]\n'


@pytest.fixture
def settings() -> Settings:
    """The defaults."""
    return Settings()


@pytest.fixture
def ecr(embedded: EmbeddedProcess) -> Any:
    """A client, and the repository."""
    client = embedded.client("ecr")
    client.create_repository(repositoryName="homara")
    return client


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A folder to push."""
    (tmp_path / "Dockerfile.streamlit").write_text(DOCKERFILE)
    (tmp_path / "app.py").write_text("print('hello')")
    return tmp_path


def held(ecr: Any, tag: str) -> dict[str, Any]:
    """What ECR says of a tag."""
    return dict(ecr.describe_images(repositoryName="homara", imageIds=[{"imageTag": tag}])["imageDetails"][0])


class TestWithoutAnEngine:
    def test_the_repository_holds_the_image(
        self, aws: Aws, ecr: Any, settings: Settings, project: Path
    ) -> None:
        said: list[str] = []
        pushed = push_image(aws, settings, "4f2c1e9", project, say=said.append)
        assert pushed.reference == "123456789012.dkr.ecr.us-east-2.amazonaws.com/homara:4f2c1e9"
        assert pushed.pushed
        assert held(ecr, "4f2c1e9")["imageDigest"] == pushed.digest
        assert held(ecr, "4f2c1e9")["imageSizeInBytes"] > 0
        assert pushed.notes == (
            "RUN was not run (line 4): the packages that it installs have to be on this machine.",
        )
        assert [line.split()[0] for line in said] == ["built", "uploaded", "uploaded"]

    def test_tells_how_far_it_is(self, aws: Aws, ecr: Any, settings: Settings, project: Path) -> None:
        (project / "Dockerfile.streamlit").write_text("FROM python\nWORKDIR /app\nCOPY . .\nCMD x\n")
        size = 5 * 1024 * 1024
        (project / "data").mkdir()
        (project / "data" / "all.bin").write_bytes(random.Random(1).randbytes(size))
        seen: list[Transfer] = []
        push_image(aws, settings, "v1", project, observe=seen.append)
        copied = [each for each in seen if each.verb == "copying"]
        assert {each.what for each in copied} == {"/app/data"}
        assert len(copied) >= 4
        assert [each.done for each in copied] == sorted({each.done for each in copied})
        assert all(0 < each.done <= each.total and each.total >= size for each in copied)
        uploaded = [each for each in seen if each.verb == "uploading"]
        assert uploaded == seen[len(copied) :]
        assert uploaded[0].what.startswith("sha256:")
        assert {each.what for each in uploaded if each.done == each.total} == {each.what for each in uploaded}

    @pytest.mark.parametrize(
        "written", [b"\xef\xbb\xbf.env\r\n*.pem\r\n", b"# caf\xe9\n.env\n", b"caf\xe9\n.env\n"]
    )
    def test_a_dockerignore_counts_whichever_editor_wrote_it(
        self, aws: Aws, ecr: Any, settings: Settings, project: Path, written: bytes
    ) -> None:
        (project / "Dockerfile.streamlit").write_bytes(
            b"\xef\xbb\xbf# Donn\xe9es\r\nFROM python\r\nCOPY . .\r\nCMD x\r\n"
        )
        (project / ".env").write_text("S=1")
        (project / ".dockerignore").write_bytes(written)
        assert push_image(aws, settings, "v1", project).notes == ()

    @pytest.mark.parametrize("name", [".dockerignore", "Dockerfile.streamlit"])
    def test_what_is_no_utf_8_is_refused_in_words(
        self, aws: Aws, ecr: Any, settings: Settings, project: Path, name: str
    ) -> None:
        (project / name).write_bytes(".env\r\n".encode("utf-16"))
        with pytest.raises(RefusedError) as refused:
            push_image(aws, settings, "v1", project)
        assert name in refused.value.what
        assert "UTF-16" in refused.value.why

    def test_says_before_anybody_deploys_what_a_builder_only_warns_of(
        self, aws: Aws, ecr: Any, settings: Settings, project: Path
    ) -> None:
        text = 'FROM python\nCOPY . .\nEXPOSE 8501:8501\nENTRYPOINT ["./entry.sh"]\n'
        (project / "Dockerfile.streamlit").write_text(text)
        (project / "entry.sh").write_bytes(b"#!/bin/sh\r\nexec python app.py\r\n")
        exposed, script = push_image(aws, settings, "v1", project).notes
        assert exposed.startswith("line 3: EXPOSE 8501:8501 contains a host port or address")
        assert script.startswith("entry.sh has Windows line endings (CR LF)")

    def test_once_builds_nothing_where_the_tag_is_there(
        self, aws: Aws, ecr: Any, settings: Settings, project: Path, embedded: EmbeddedProcess
    ) -> None:
        first = push_image(aws, settings, "4f2c1e9", project, once=True)
        assert first.pushed
        (project / "Dockerfile.streamlit").unlink()  # nothing to build with
        embedded.forget_calls()
        again = push_image(aws, settings, "4f2c1e9", project, once=True)
        assert (again.digest, again.pushed) == (first.digest, False)
        assert again.notes == ("4f2c1e9 is already in the repository; nothing was built.",)
        assert embedded.calls(mutating=True) == []

    @pytest.mark.parametrize("once", [False, True])
    def test_an_image_in_the_archive_is_pushed_again(
        self, aws: Aws, ecr: Any, settings: Settings, project: Path, once: bool
    ) -> None:
        """Which restores it at once (Amazon ECR User Guide, "Restoring an image"); as long as it is there, no task can
        pull it."""
        first = push_image(aws, settings, "v1", project)
        named = {"repositoryName": "homara", "imageId": {"imageTag": "v1"}}
        ecr.update_image_storage_class(**named, targetStorageClass="ARCHIVE")
        again = push_image(aws, settings, "v1", project, once=once)
        assert (again.digest, again.pushed) == (first.digest, True)
        (found,) = ecr.describe_images(repositoryName="homara", imageIds=[named["imageId"]])["imageDetails"]
        assert found["imageStatus"] == "ACTIVE"

    def test_the_manifest_and_the_layers_can_be_had_again(
        self, aws: Aws, ecr: Any, settings: Settings, project: Path
    ) -> None:
        pushed = push_image(aws, settings, "v1", project)
        asked = ecr.batch_get_image(repositoryName="homara", imageIds=[{"imageDigest": pushed.digest}])
        manifest = json.loads(asked["images"][0]["imageManifest"])
        digests = [layer["digest"] for layer in manifest["layers"]] + [manifest["config"]["digest"]]
        there = ecr.batch_check_layer_availability(repositoryName="homara", layerDigests=digests)
        assert [layer["layerAvailability"] for layer in there["layers"]] == ["AVAILABLE", "AVAILABLE"]

    def test_the_same_again_uploads_nothing(
        self, aws: Aws, ecr: Any, settings: Settings, project: Path
    ) -> None:
        first = push_image(aws, settings, "v1", project)
        said: list[str] = []
        again = push_image(aws, settings, "v1", project, say=said.append)
        assert (again.digest, again.pushed) == (first.digest, False)
        assert again.notes[0] == "v1 already named this image; nothing was uploaded."
        assert [line.split()[0] for line in said] == ["built"]

    def test_another_tag_for_the_same_image_uploads_no_blob(
        self, aws: Aws, ecr: Any, settings: Settings, project: Path
    ) -> None:
        push_image(aws, settings, "v1", project)
        said: list[str] = []
        pushed = push_image(aws, settings, "v2", project, say=said.append)
        assert pushed.pushed
        assert [line.split()[0] for line in said] == ["built"]
        assert held(ecr, "v2")["imageDigest"] == pushed.digest

    def test_says_when_a_tag_moves(self, aws: Aws, ecr: Any, settings: Settings, project: Path) -> None:
        first = push_image(aws, settings, "v1", project)
        (project / "app.py").write_text("print('changed')")
        second = push_image(aws, settings, "v1", project)
        assert second.digest != first.digest
        assert second.notes[0] == f"v1 named {first.digest} before."

    def test_a_large_layer_goes_up_in_parts(
        self, aws: Aws, ecr: Any, settings: Settings, project: Path
    ) -> None:
        (project / "app.py").write_bytes(random.Random(1).randbytes(25_000_000))
        pushed = push_image(aws, settings, "v1", project)
        assert pushed.size_bytes > 25_000_000
        assert held(ecr, "v1")["imageDigest"] == pushed.digest

    def test_an_immutable_tag_stays(self, aws: Aws, ecr: Any, settings: Settings, project: Path) -> None:
        ecr.put_image_tag_mutability(repositoryName="homara", imageTagMutability="IMMUTABLE")
        push_image(aws, settings, "v1", project)
        assert not push_image(aws, settings, "v1", project).pushed
        (project / "app.py").write_text("print('changed')")
        with pytest.raises(RefusedError) as refused:
            push_image(aws, settings, "v1", project)
        assert "immutable" in refused.value.what

    def test_refuses_without_a_repository(self, aws: Aws, settings: Settings, project: Path) -> None:
        with pytest.raises(RefusedError) as refused:
            push_image(aws, settings, "v1", project)
        assert refused.value.what == "There is no ECR repository homara in us-east-2."
        assert refused.value.next_step == "inv setup-fargate"


@pytest.mark.parametrize("tag", ["lobster-live-", "lobster-live-abc", "lobster-live-0123456789ab"])
def test_refuses_a_tag_of_images_that_were_live(settings: Settings, project: Path, tag: str) -> None:
    """The rule that keeps them counts every image with such a tag."""
    with pytest.raises(UsageError, match="is a tag of images that were live"):
        push_image(Aws("us-east-2", endpoint_url="http://127.0.0.1:9"), settings, tag, project)


@pytest.mark.parametrize("tag", ["", ".v1", "-v1", "a b", "a/b", "a:b", "x" * 129])
def test_refuses_what_is_no_tag(settings: Settings, project: Path, tag: str) -> None:
    with pytest.raises(UsageError):
        push_image(Aws("us-east-2", endpoint_url="http://127.0.0.1:9"), settings, tag, project)


# What `docker push` does: a second time it finds everything there, and is content.
PUSH = """
import boto3
keys = dict(aws_access_key_id="AKIAEXAMPLE", aws_secret_access_key="example")
client = boto3.client("ecr", region_name="us-east-2", endpoint_url={url!r}, **keys)
sys.path.insert(0, {tests!r})
from tests.embedded.images import ImageSpec, push
try:
    push(client, ImageSpec(dict([("/app/app.py", "app")])), tag=sys.argv[2].rpartition(":")[2])
except client.exceptions.ImageAlreadyExistsException:
    pass
"""


# What a push does of an image with attestations, under the tag: an index of the image and of what says how it was made.
PUSH_INDEX = (
    PUSH
    + """
import hashlib
image = client.describe_images(repositoryName="homara", imageIds=[dict(imageTag="v1")])["imageDetails"][0]
manifest = client.batch_get_image(repositoryName="homara", imageIds=[dict(imageTag="v1")])["images"][0]["imageManifest"]
entry = dict(mediaType=image["imageManifestMediaType"], digest=image["imageDigest"], size=len(manifest))
platform = dict(os="linux", architecture="amd64")
index = dict(schemaVersion=2, mediaType={media_type!r}, manifests=[dict(entry, platform=platform)])
client.put_image(repositoryName="homara", imageManifest=json.dumps(index), imageTag="v1")
"""
)
INDEX = "application/vnd.oci.image.index.v1+json"


class TestWithAnEngine:
    @pytest.fixture
    def docker(self, embedded: EmbeddedProcess, tmp_path: Path) -> stand_in.StandIn:
        """A docker whose push reaches ECR."""
        docker = stand_in.make(tmp_path, "docker")
        docker.on("push", does=PUSH.format(url=embedded.url, tests=str(Path(__file__).parents[2])))
        return docker

    def test_builds_signs_in_and_pushes(
        self,
        embedded: EmbeddedProcess,
        aws: Aws,
        ecr: Any,
        settings: Settings,
        project: Path,
        docker: stand_in.StandIn,
    ) -> None:
        engine = Engine("docker", str(docker.program))
        repository = repository_of(aws, settings)
        said: list[str] = []
        pushed = with_engine(
            engine, repository, settings.dockerfile, "v1", project, BuildOptions(), said.append
        )
        assert [call["arguments"][0] for call in docker.calls] == ["build", "login", "push"]
        assert docker.calls[0]["arguments"][2] == "linux/amd64"
        registry, address = (
            "123456789012.dkr.ecr.us-east-2.amazonaws.com",
            embedded.url.removeprefix("http://"),
        )
        assert docker.calls[1]["arguments"][-1] == address
        assert docker.calls[2]["arguments"][-1] == f"{address}/{registry}/homara:v1"
        assert docker.calls[0]["arguments"][6] == f"{address}/{registry}/homara:v1"
        assert docker.calls[1]["input"] not in "\n".join(said)
        assert pushed.reference == f"{registry}/homara:v1"
        assert pushed.digest == held(ecr, "v1")["imageDigest"]
        assert (pushed.pushed, pushed.builder, pushed.notes) == (True, "docker", ())
        assert not with_engine(
            engine, repository, settings.dockerfile, "v1", project, BuildOptions(), said.append
        ).pushed

    def test_signs_in_before_a_build_whose_cache_is_in_the_registry(
        self,
        *,
        embedded: EmbeddedProcess,
        aws: Aws,
        ecr: Any,
        settings: Settings,
        project: Path,
        docker: stand_in.StandIn,
    ) -> None:
        registry = f"{embedded.url.removeprefix('http://')}/123456789012.dkr.ecr.us-east-2.amazonaws.com"
        options = BuildOptions(cache_from=(f"type=registry,ref={registry}/cache:main",))
        engine, repository = Engine("docker", str(docker.program)), repository_of(aws, settings)
        with_engine(engine, repository, settings.dockerfile, "v1", project, options, lambda _: None)
        called = [" ".join(call["arguments"][:2]) for call in docker.calls]
        assert called == ["buildx version", "login --username", "buildx build", f"push {registry}/homara:v1"]

    def test_an_index_is_told_with_the_size_of_its_image(
        self,
        *,
        embedded: EmbeddedProcess,
        aws: Aws,
        ecr: Any,
        settings: Settings,
        project: Path,
        docker: stand_in.StandIn,
    ) -> None:
        does = PUSH_INDEX.format(url=embedded.url, tests=str(Path(__file__).parents[2]), media_type=INDEX)
        docker.on("push", does=does)
        engine, repository = Engine("docker", str(docker.program)), repository_of(aws, settings)
        pushed = with_engine(
            engine, repository, settings.dockerfile, "v1", project, BuildOptions(), lambda _: None
        )
        assert held(ecr, "v1")["imageManifestMediaType"] == INDEX
        assert pushed.digest == held(ecr, "v1")["imageDigest"]
        [image] = [
            each
            for each in ecr.describe_images(repositoryName="homara")["imageDetails"]
            if each["imageDigest"] != pushed.digest
        ]
        assert pushed.size_bytes == image["imageSizeInBytes"] > 0
        assert pushed.notes[-1].startswith("The tag names an index of several manifests")

    def test_refuses_without_a_dockerfile(
        self, aws: Aws, ecr: Any, tmp_path: Path, docker: stand_in.StandIn
    ) -> None:
        other = load({"dockerfile": "absent/Dockerfile"})
        engine = Engine("docker", str(docker.program))
        with pytest.raises(RefusedError):
            with_engine(
                engine,
                repository_of(aws, other),
                other.dockerfile,
                "v1",
                tmp_path,
                BuildOptions(),
                lambda _: None,
            )
        assert docker.calls == []


class TestWhichBuilder:
    def test_the_embedded_aws_needs_no_engine(self) -> None:
        for url in ("http://127.0.0.1:4566", "http://localhost:1", "http://[::1]:2"):
            assert is_embedded(url)
            assert choose_builder(Aws("us-east-2", endpoint_url=url), "auto").engine is None

    def test_aws_itself_is_not_embedded(self) -> None:
        assert not is_embedded(None)
        assert not is_embedded("https://ecr.us-east-2.amazonaws.com")

    def test_refuses_an_image_without_its_run_results_on_aws(self) -> None:
        with pytest.raises(RefusedError) as refused:
            choose_builder(Aws("us-east-2", endpoint_url="https://ecr.us-east-2.amazonaws.com"), "process")
        assert "RUN" in refused.value.why

    def test_takes_an_engine_for_the_embedded_aws(self, tmp_path: Path) -> None:
        docker = stand_in.make(tmp_path, "docker")
        aws = Aws("us-east-2", endpoint_url="http://127.0.0.1:4566")
        with environment(PATH=str(tmp_path / "bin")):
            assert choose_builder(aws, "docker") == Builder(Engine("docker", str(docker.program)))
