"""The image that is made: its layer, its configuration, its manifest."""

from __future__ import annotations

import gzip
import hashlib
import json
import os
import tarfile
from pathlib import Path
from typing import Any

import pytest

from lobster_tasks.build_secret import BuildSecret
from lobster_tasks.errors import DockerfileError, RefusedError
from lobster_tasks.images import BuildOptions
from lobster_tasks.images.build import BuiltImage, build, read_context, read_dockerfile

NAME = "Dockerfile.streamlit"
DOCKERFILE = """
FROM python:3.13-slim
ARG RELEASE=dev
ENV RELEASE=$RELEASE
WORKDIR /app
COPY --chown=1000:app --chmod=750 app.py run.sh ./
RUN pip install streamlit
LABEL team=sea
EXPOSE 8501 9000/udp
USER 1000
STOPSIGNAL SIGINT
VOLUME /data
ENTRYPOINT ["./run.sh"]
CMD streamlit run app.py
"""


def project(folder: Path, dockerfile: str = DOCKERFILE, **files: str) -> Path:
    """A folder to build."""
    folder.mkdir(exist_ok=True)
    for name, text in {"app.py": "app", "run.sh": "run", NAME: dockerfile, **files}.items():
        (folder / name).write_text(text)
    return folder


def built(folder: Path, work: Path, architecture: str = "amd64", **build_args: str) -> BuiltImage:
    """Build as ``push_image`` does."""
    work.mkdir(exist_ok=True)
    options = BuildOptions(architecture, build_args)
    return build(read_dockerfile(folder, NAME, options), read_context(folder, NAME), options, work)


@pytest.mark.parametrize("pattern", ["[z-a]", "[^]", "**/[b-a]x", "a\\", "!"])
def test_a_pattern_that_docker_refuses_is_told_with_its_line(tmp_path: Path, pattern: str) -> None:
    folder = project(tmp_path / "p", **{".dockerignore": f"# ours\n{pattern}\n"})
    with pytest.raises(RefusedError) as refused:
        read_context(folder, NAME)
    assert refused.value.what == f"{folder / '.dockerignore'} has a pattern that Docker does not know."
    assert refused.value.why.startswith("line 2: ")
    assert refused.value.next_step == "correct .dockerignore"


def config(image: BuiltImage) -> dict[str, Any]:
    """The configuration blob, read back."""
    return dict(json.loads(image.config.part(0, image.config.size)))


def test_the_layer_is_a_tar_of_the_copied_files(tmp_path: Path) -> None:
    image = built(project(tmp_path / "p"), tmp_path / "w")
    with tarfile.open(image.layer.content) as archive:
        found = {entry.name: entry for entry in archive}
    assert list(found) == ["app", "app/app.py", "app/run.sh"]
    assert found["app"].isdir()
    script = found["app/run.sh"]
    assert (script.mode, script.uid, script.gname, script.mtime) == (0o750, 1000, "app", 0)


@pytest.mark.parametrize(
    ("owner", "expected"),
    [
        ("10:20", (10, 20, "", "")),
        ("10", (10, 10, "", "")),
        ("app", (0, 0, "app", "")),
        ("10:web", (10, 0, "", "web")),
    ],
)
def test_owners_in_numbers_and_names(tmp_path: Path, owner: str, expected: tuple[int, int, str, str]) -> None:
    image = built(project(tmp_path / "p", f"FROM x\nCOPY --chown={owner} app.py /"), tmp_path / "w")
    with tarfile.open(image.layer.content) as archive:
        found = archive.getmember("app.py")
    assert (found.uid, found.gid, found.uname, found.gname) == expected


def test_a_file_that_goes_away_is_named(tmp_path: Path) -> None:
    folder = project(tmp_path / "p")
    context = read_context(folder, NAME)
    (folder / "run.sh").unlink()
    with pytest.raises(RefusedError) as refused:
        build(read_dockerfile(folder, NAME, BuildOptions()), context, BuildOptions(), tmp_path)
    assert refused.value.what == f"{folder / 'run.sh'} cannot be read."
    assert refused.value.why == "No such file or directory"


def test_digests_and_sizes_are_of_the_bytes(tmp_path: Path) -> None:
    image = built(project(tmp_path / "p"), tmp_path / "w")
    layer = image.layer.part(0, image.layer.size + 100)
    assert image.layer.size == len(layer)
    assert image.layer.digest == f"sha256:{hashlib.sha256(layer).hexdigest()}"
    inside = hashlib.sha256(gzip.decompress(layer)).hexdigest()
    assert config(image)["rootfs"] == {"type": "layers", "diff_ids": [f"sha256:{inside}"]}
    manifest = json.loads(image.manifest)
    assert manifest["mediaType"] == "application/vnd.oci.image.manifest.v1+json"
    assert manifest["layers"][0] == {
        "mediaType": "application/vnd.oci.image.layer.v1.tar+gzip",
        "digest": image.layer.digest,
        "size": image.layer.size,
    }
    assert manifest["config"]["digest"] == image.config.digest
    assert image.digest == f"sha256:{hashlib.sha256(image.manifest).hexdigest()}"
    assert image.size_bytes == image.layer.size + image.config.size


def test_the_configuration_is_what_the_dockerfile_says(tmp_path: Path) -> None:
    image = built(project(tmp_path / "p"), tmp_path / "w", "arm64", RELEASE="4f2c1e9")
    found = config(image)
    assert (found["architecture"], found["os"]) == ("arm64", "linux")
    assert found["config"] == {
        "Entrypoint": ["./run.sh"],
        "Cmd": ["/bin/sh", "-c", "streamlit run app.py"],
        "Env": [
            "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
            "RELEASE=4f2c1e9",
        ],
        "WorkingDir": "/app",
        "User": "1000",
        "ExposedPorts": {"8501/tcp": {}, "9000/udp": {}},
        "Volumes": {"/data": {}},
        "StopSignal": "SIGINT",
        "Labels": {
            "team": "sea",
            "lobster-tasks.builder": "process",
            "lobster-tasks.not-carried-out": "RUN",
        },
    }


def test_the_same_sources_give_the_same_image(tmp_path: Path) -> None:
    first = built(project(tmp_path / "one"), tmp_path / "w1")
    again = project(tmp_path / "two")
    (again / "app.py").chmod(0o600)
    os.utime(again / "app.py", (1, 1))
    assert built(again, tmp_path / "w2").digest == first.digest
    assert built(project(tmp_path / "three", **{"app.py": "other"}), tmp_path / "w3").digest != first.digest


def test_says_that_run_was_not_carried_out(tmp_path: Path) -> None:
    image = built(project(tmp_path / "p"), tmp_path / "w")
    sentence = "RUN was not run (line 7): the packages that it installs have to be on this machine."
    assert image.notes == (sentence,)
    assert json.loads(image.manifest)["annotations"] == {"lobster-tasks.not-carried-out": sentence}


def test_what_only_docker_knows_of_a_configuration(tmp_path: Path) -> None:
    """HEALTHCHECK, SHELL and ONBUILD are not of OCI's specification; times are nanoseconds."""
    text = (
        'FROM x\nMAINTAINER Somebody <s@example.com>\nSHELL ["/bin/bash", "-c"]\n'
        "HEALTHCHECK --interval=1m30s --start-interval=500ms --retries=5 CMD ask it\nONBUILD RUN make\nCMD run it"
    )
    found = config(built(project(tmp_path / "p", text), tmp_path / "w"))
    assert found["author"] == "Somebody <s@example.com>"
    inner = {name: found["config"][name] for name in ("Cmd", "Shell", "Healthcheck", "OnBuild")}
    assert inner == {
        "Cmd": ["/bin/bash", "-c", "run it"],
        "Shell": ["/bin/bash", "-c"],
        "Healthcheck": {
            "Test": ["CMD-SHELL", "ask it"],
            "Interval": 90_000_000_000,
            "StartInterval": 500_000_000,
            "Retries": 5,
        },
        "OnBuild": ["RUN make"],
    }


def test_folders_belong_to_whom_the_files_are_copied_for(tmp_path: Path) -> None:
    """Folders that COPY makes have the owner of --chown, those of WORKDIR the user; RUN and ONBUILD make none."""
    text = "FROM x\nWORKDIR /a\nUSER 7\nWORKDIR b/c\nCOPY --chown=5:6 app.py /d/e/\nCOPY app.py /f/\nCMD x"
    image = built(project(tmp_path / "p", text), tmp_path / "w")
    with tarfile.open(image.layer.content) as archive:
        owners = {entry.name: (entry.uid, entry.gid) for entry in archive}
    assert owners == {
        "a": (0, 0),
        "a/b": (7, 7),
        "a/b/c": (7, 7),
        "d": (5, 6),
        "d/e": (5, 6),
        "d/e/app.py": (5, 6),
        "f": (0, 0),
        "f/app.py": (0, 0),
    }


def test_a_stage_carries_out_what_the_stage_below_left_for_it(tmp_path: Path) -> None:
    text = "FROM x AS base\nONBUILD ENV A=1\nONBUILD COPY app.py /app/\nFROM base AS mid\nENV B=$A\nFROM mid\nCMD x"
    image = built(project(tmp_path / "p", text), tmp_path / "w")
    with tarfile.open(image.layer.content) as archive:
        assert archive.getnames() == ["app", "app/app.py"]
    inner = config(image)["config"]
    assert (inner["Env"][1:], "OnBuild" in inner, image.notes) == (["A=1", "B=1"], False, ())


STAGES = """
FROM python AS base
WORKDIR /app
COPY app.py .
FROM base AS Web
COPY run.sh .
CMD ["./run.sh"]
FROM base AS tests
CMD ["pytest"]
"""


@pytest.mark.parametrize(
    ("target", "files", "command"),
    [
        ("", ["app", "app/app.py"], ["pytest"]),
        ("tests", ["app", "app/app.py"], ["pytest"]),
        ("web", ["app", "app/app.py", "app/run.sh"], ["./run.sh"]),
        ("1", ["app", "app/app.py", "app/run.sh"], ["./run.sh"]),
    ],
)
def test_the_target_is_the_stage_that_becomes_the_image(
    tmp_path: Path, target: str, files: list[str], command: list[str]
) -> None:
    folder, options = project(tmp_path / "p", STAGES), BuildOptions(target=target)
    image = build(read_dockerfile(folder, NAME, options), read_context(folder, NAME), options, tmp_path)
    with tarfile.open(image.layer.content) as archive:
        assert archive.getnames() == files
    assert config(image)["config"]["Cmd"] == command


@pytest.mark.parametrize("target", ["production", "3"])
def test_a_target_that_is_no_stage_is_refused_with_those_that_are(tmp_path: Path, target: str) -> None:
    folder = project(tmp_path / "p", STAGES)
    with pytest.raises(DockerfileError) as refused:
        read_dockerfile(folder, NAME, BuildOptions(target=target))
    assert refused.value.lines() == [
        f"{NAME} has no stage {target}.",
        "why   its stages: base, Web, tests",
    ]


@pytest.mark.parametrize(
    ("mount", "name"),
    [
        ("type=secret,id=token", "token"),
        ("type=secret,target=/run/key.pem", "key.pem"),
        ("type=secret,id=$WHICH,env=TOKEN,required=true", "pypi"),
        ("type=cache,target=/root/.cache", None),
    ],
)
def test_a_secret_that_run_mounts_and_nobody_gives_is_named(
    tmp_path: Path, mount: str, name: str | None
) -> None:
    text = f'FROM x\nARG WHICH=pypi\nRUN --mount={mount} pip install x\nCMD ["a"]'
    folder = project(tmp_path / "p", text)
    given = BuildOptions(secrets=(BuildSecret(name or "", "absent"),))
    told = []
    for options in (BuildOptions(), given):
        image = build(read_dockerfile(folder, NAME, options), read_context(folder, NAME), options, tmp_path)
        told.append([note for note in image.notes if "secret" in note])
    says = f"Line 3, RUN: the secret {name} is not given: --secret id={name},src=FILE, or env=VARIABLE."
    assert told == [[says] if name else [], []]


def test_a_secret_of_a_stage_that_is_not_built_is_not_missed(tmp_path: Path) -> None:
    text = 'FROM x AS a\nCMD ["a"]\nFROM x\nRUN --mount=type=secret,id=t y\nCMD ["b"]'
    folder, options = project(tmp_path / "p", text), BuildOptions(target="a")
    image = build(read_dockerfile(folder, NAME, options), read_context(folder, NAME), options, tmp_path)
    assert image.notes == ()


def test_says_nothing_where_all_was_carried_out(tmp_path: Path) -> None:
    image = built(project(tmp_path / "p", 'FROM scratch\nCOPY app.py /\nCMD ["/app.py"]'), tmp_path / "w")
    assert image.notes == ()
    assert config(image)["config"]["Labels"] == {"lobster-tasks.builder": "process"}


@pytest.mark.parametrize(
    ("dockerfile", "says"),
    [
        ("FROM x\nCOPY app.py .", "Dockerfile.streamlit has neither CMD nor ENTRYPOINT"),
        ('FROM x\nCOPY . .\nCMD ["a"]', "/.env is in the image"),
        ('FROM x\nCMD ["a"]', "--build-arg RELAESE matches no ARG."),
    ],
)
def test_warns(tmp_path: Path, dockerfile: str, says: str) -> None:
    folder = project(tmp_path / "p", dockerfile, **{".env": "KEY=x"})
    image = built(folder, tmp_path / "w", RELAESE="1")
    assert any(says in note for note in image.notes)


@pytest.mark.parametrize(("text", "warned"), [("PRIVATE KEY", True), ("CERTIFICATE", False)])
def test_a_certificate_is_no_secret(tmp_path: Path, text: str, warned: bool) -> None:
    """Python packages bring the public authorities' certificates, as cacert.pem."""
    pem = f"-----BEGIN {text}-----\n-----END {text}-----\n"
    image = built(project(tmp_path / "p", 'FROM x\nCOPY . .\nCMD ["a"]', **{"ca.pem": pem}), tmp_path / "w")
    assert any("ca.pem is in the image" in note for note in image.notes) is warned


def test_links_and_files_written_in_place(tmp_path: Path) -> None:
    folder = project(tmp_path / "p", "FROM scratch\nCOPY <<EOF /a\nhi\nEOF\nCOPY links /l/")
    (folder / "links").mkdir()
    (folder / "links" / "to").symlink_to("/a")
    with tarfile.open(built(folder, tmp_path / "w").layer.content) as archive:
        assert archive.getmember("l/to").linkname == "/a"
        file = archive.extractfile("a")
        assert file is not None
        assert file.read() == b"hi\n"


def test_refuses_without_a_dockerfile(tmp_path: Path) -> None:
    with pytest.raises(RefusedError) as refused:
        read_dockerfile(tmp_path, NAME, BuildOptions())
    assert str(tmp_path / NAME) in refused.value.what
    assert "invoke.yaml" in refused.value.next_step


def test_the_projects_own_image_has_the_app(tmp_path: Path) -> None:
    folder = Path(__file__).parents[2]
    image = built(folder, tmp_path, RELEASE="4f2c1e9")
    with tarfile.open(image.layer.content) as archive:
        assert archive.getnames() == ["app", "app/app.py", "app/requirements.txt"]
    assert config(image)["config"]["User"] == "10001"
    assert "RELEASE=4f2c1e9" in config(image)["config"]["Env"]
