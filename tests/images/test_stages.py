"""Which files an image has."""

from __future__ import annotations

import io
import os
import tarfile
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from lobster_tasks.dockerfile import parse
from lobster_tasks.errors import DockerfileError
from lobster_tasks.images.build import read_context
from lobster_tasks.images.stages import StageFiles, assemble
from lobster_tasks.images.tree import Node

Build = Callable[..., StageFiles]
CONTEXT = {
    "app.py": "app",
    "requirements.txt": "streamlit",
    "uv.lock": "lock",
    "src/main.py": "main",
    "src/lib/util.py": "util",
    "src/notes.md": "notes",
    "data/a.csv": "a",
    "data/b.csv": "b",
}


def write(folder: Path, files: Mapping[str, str]) -> None:
    """Files with their folders."""
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


@pytest.fixture
def build(tmp_path: Path) -> Build:
    """``build("COPY a b")`` gives what the image has; the lines come after FROM and WORKDIR /app."""
    write(tmp_path, CONTEXT)

    def build(*lines: str, **files: str) -> StageFiles:
        write(tmp_path, files)
        text = "\n".join(("FROM python", "WORKDIR /app", *lines))
        return assemble(
            parse(text, name="Dockerfile.streamlit"), read_context(tmp_path, "Dockerfile.streamlit")
        )

    return build


def text(node: Node) -> str:
    """A file's content."""
    return node.content.read_text() if isinstance(node.content, Path) else (node.content or b"").decode()


def content(files: StageFiles) -> dict[str, str]:
    """The image's files by path."""
    return {path: text(node) for path, node in files.tree.nodes.items() if node.content is not None}


class TestDestinations:
    @pytest.mark.parametrize(
        ("line", "expected"),
        [
            ("COPY app.py .", {"app/app.py": "app"}),
            ("COPY app.py ./", {"app/app.py": "app"}),
            ("COPY app.py main.py", {"app/main.py": "app"}),
            ("COPY ./app.py /srv/main.py", {"srv/main.py": "app"}),
            ("COPY /app.py /app", {"app/app.py": "app"}),  # WORKDIR made the directory
            ("COPY app.py /usr/local/bin", {"usr/local/bin/app.py": "app"}),  # every image has it
            ("COPY app.py /new", {"new": "app"}),
            (
                "COPY app.py requirements.txt /new/",
                {"new/app.py": "app", "new/requirements.txt": "streamlit"},
            ),
            ("COPY data ./data", {"app/data/a.csv": "a", "app/data/b.csv": "b"}),
            ("COPY data/ .", {"app/a.csv": "a", "app/b.csv": "b"}),
            ("COPY data/*.csv ./d/", {"app/d/a.csv": "a", "app/d/b.csv": "b"}),
            (
                "COPY uv.lock* requirements.txt ./",
                {"app/uv.lock": "lock", "app/requirements.txt": "streamlit"},
            ),
            ("COPY app*.py main.py", {"app/main.py": "app"}),
            ("COPY s?c/lib ./l", {"app/l/util.py": "util"}),
            ("COPY --exclude=**/*.md src/ .", {"app/main.py": "main", "app/lib/util.py": "util"}),
            (
                "COPY --parents src/lib/util.py app.py ./",
                {"app/src/lib/util.py": "util", "app/app.py": "app"},
            ),
            ("COPY --parents src/./lib/*.py /x/", {"x/lib/util.py": "util"}),
            ("COPY --exclude=lib src/ .", {"app/main.py": "main", "app/notes.md": "notes"}),
            ("COPY --exclude=src/lib src/ .", {"app/main.py": "main", "app/notes.md": "notes"}),
            ("COPY --parents data /x/", {"x/data/a.csv": "a", "x/data/b.csv": "b"}),
            ("COPY <<EOF /app/run.sh\nexec it\nEOF", {"app/run.sh": "exec it\n"}),
            ("COPY <<run.sh app.py ./\nexec it\nrun.sh", {"app/run.sh": "exec it\n", "app/app.py": "app"}),
        ],
    )
    def test_copies_to(self, build: Build, line: str, expected: dict[str, str]) -> None:
        assert content(build(line)) == expected

    def test_a_later_line_wins(self, build: Build) -> None:
        assert content(build("COPY app.py x", "COPY uv.lock x")) == {"app/x": "lock"}

    def test_folders_are_merged(self, build: Build) -> None:
        found = content(build("COPY data /d/", "COPY src/lib /d/"))
        assert found == {"d/a.csv": "a", "d/b.csv": "b", "d/util.py": "util"}

    def test_workdir_makes_a_directory(self, build: Build) -> None:
        assert build("WORKDIR deep/er").tree.is_directory("app/deep/er")


class TestContext:
    def test_leaves_out_what_dockerignore_names(self, build: Build) -> None:
        files = build("COPY . .", **{".dockerignore": "*\n!src\n**/*.md\n"})
        assert set(content(files)) == {"app/src/main.py", "app/src/lib/util.py"}

    def test_the_ignore_file_of_the_dockerfile_counts_more(self, build: Build) -> None:
        more = {".dockerignore": "app.py", "Dockerfile.streamlit.dockerignore": "data"}
        found = set(content(build("COPY . .", **more)))
        assert "app/app.py" in found
        assert "app/data/a.csv" not in found

    def test_keeps_links_and_the_executable_bit(self, build: Build, tmp_path: Path) -> None:
        (tmp_path / "latest").symlink_to("app.py")
        (tmp_path / "run.sh").write_text("")
        (tmp_path / "run.sh").chmod(0o711)
        nodes = build("COPY . .").tree.nodes
        assert nodes["app/latest"].target == "app.py"
        assert (nodes["app/run.sh"].mode, nodes["app/app.py"].mode) == (0o755, 0o644)

    def test_follows_a_link_that_is_the_source(self, build: Build, tmp_path: Path) -> None:
        (tmp_path / "latest").symlink_to("src")
        assert content(build("COPY latest/main.py m")) == {"app/m": "main"}
        assert set(content(build("COPY latest l"))) == {
            "app/l/main.py",
            "app/l/lib/util.py",
            "app/l/notes.md",
        }

    def test_an_absolute_link_begins_at_the_context(self, build: Build, tmp_path: Path) -> None:
        (tmp_path / "abs").symlink_to("/src")
        assert content(build("COPY abs/main.py m")) == {"app/m": "main"}

    def test_leaves_out_what_is_no_file(self, build: Build, tmp_path: Path) -> None:
        os.mkfifo(tmp_path / "src" / "pipe")
        assert "app/pipe" not in build("COPY src .").tree.nodes

    def test_owner_and_mode(self, build: Build) -> None:
        node = build("COPY --chown=10:app --chmod=u=rwx,go= app.py .").tree.nodes["app/app.py"]
        assert (node.owner, node.mode) == ("10:app", 0o700)


class TestAdd:
    def test_unpacks_an_archive(self, build: Build, tmp_path: Path) -> None:
        with tarfile.open(tmp_path / "all.tar.gz", "w:gz") as archive:
            for name in ("in/a", "../escape"):
                entry = tarfile.TarInfo(name)
                entry.size = 2
                archive.addfile(entry, io.BytesIO(b"hi"))
        assert content(build("ADD all.tar.gz /x/")) == {"x/in/a": "hi"}
        assert set(build("COPY all.tar.gz /x/").tree.nodes) == {"app", "x", "x/all.tar.gz"}
        assert "x/all.tar.gz" in build("ADD --unpack=false all.tar.gz /x/").tree.nodes

    def test_unpacks_directories_and_links(self, build: Build, tmp_path: Path) -> None:
        (tmp_path / "src" / "link").symlink_to("main.py")
        with tarfile.open(tmp_path / "all.tar", "w") as archive:
            archive.add(tmp_path / "src", "in")
        nodes = build("ADD all.tar /x/").tree.nodes
        assert nodes["x/in/lib"].is_directory
        assert nodes["x/in/link"].target == "main.py"

    def test_an_archive_that_cannot_be_unpacked_is_named_with_its_line(
        self, build: Build, tmp_path: Path
    ) -> None:
        with tarfile.open(tmp_path / "all.tar", "w") as archive:
            entry = tarfile.TarInfo("h")
            entry.type, entry.linkname = tarfile.LNKTYPE, "absent"
            archive.addfile(entry)
        with pytest.raises(DockerfileError) as refused:
            build("ADD all.tar /x/")
        assert refused.value.what == (
            "Dockerfile.streamlit, line 3: ADD: all.tar cannot be unpacked: "
            "h is a link to absent, which is not in the archive."
        )

    def test_fetches_nothing_and_says_so(self, build: Build) -> None:
        files = build("ADD https://app.example/x.zip /x/")
        assert files.notes == ("Line 3, ADD: https://app.example/x.zip was not fetched.",)


class TestRun:
    @pytest.mark.parametrize(
        ("run", "mode"),
        [
            ("chmod +x app.py", 0o755),
            ("apt-get update && chmod 700 /app/app.py && pip install x", 0o700),
            ("chmod -R u=rwX,go= /app", 0o600),
            ("chmod -x app.py", 0o644),
            ("chmod +x *.py", 0o644),  # a shell's work
            ("chmod +x absent", 0o644),
            ("chmod zzz app.py", 0o644),
            ("chmod +x $(echo app.py) app.py", 0o644),
            ("echo 'open", 0o644),
            ("<<EOF\nchmod +x app.py\nEOF", 0o755),
        ],
    )
    def test_gives_copied_files_their_mode(self, build: Build, run: str, mode: int) -> None:
        assert build("COPY app.py .", f"RUN {run}").tree.nodes["app/app.py"].mode == mode

    def test_makes_directories(self, build: Build) -> None:
        tree = build("RUN mkdir -p /data logs && useradd x", "COPY app.py /data").tree
        assert {"data", "app/logs", "data/app.py"} <= set(tree.nodes)


class TestStages:
    def test_copies_from_a_stage(self, build: Build) -> None:
        files = build("COPY src /build", "FROM scratch", "COPY --from=0 /build/lib /l")
        assert content(files) == {"l/util.py": "util"}

    def test_a_stage_has_what_its_parent_has(self, build: Build) -> None:
        files = build("COPY app.py .", "FROM python AS two", "COPY data /d", "FROM two", "COPY uv.lock /d")
        assert set(content(files)) == {"d/a.csv", "d/b.csv", "d/uv.lock"}

    def test_says_what_run_would_have_made(self, build: Build) -> None:
        files = build(
            "RUN uv sync", "FROM python", "COPY --from=0 /app/.venv /app/.venv", "RUN one", "RUN two"
        )
        assert files.notes == (
            "Line 5, COPY: /app/.venv is missing; RUN or the base image creates it in stage 0.",
            "RUN was not run (lines 6, 7): the packages that it installs have to be on this machine.",
        )

    def test_what_run_makes_in_an_empty_image_may_be_there(self, build: Build) -> None:
        files = build("FROM scratch", "RUN make", "FROM scratch", "COPY --from=1 /made /")
        assert files.notes == (
            "Line 6, COPY: /made is missing; RUN or the base image creates it in stage 1.",
        )

    def test_says_that_another_image_is_not_here(self, build: Build) -> None:
        files = build("COPY --from=ghcr.io/example/uv:1 /uv /bin/")
        assert files.notes == (
            "Line 3, COPY: --from=ghcr.io/example/uv:1 was skipped; that image is not available.",
        )

    def test_says_when_a_wildcard_matches_nothing(self, build: Build) -> None:
        assert build("COPY uv.lock* poetry.lock* ./").notes == (
            "Line 3, COPY: poetry.lock* matches nothing.",
        )


@pytest.mark.parametrize(
    ("lines", "says"),
    [
        (["COPY absent.py ."], "line 3: COPY: absent.py is not in the build context"),
        (["COPY ../outside ."], "line 3: COPY: ../outside is outside the build context."),
        (["COPY src/../../outside ."], "is outside the build context."),
        (["COPY out/secret ."], "line 3: COPY: out/secret is outside the build context."),
        (["COPY around ."], "line 3: COPY: around is outside the build context."),
        (["COPY [z-a].py ."], "line 3: COPY: the range z-a in [z-a].py is in reverse order."),
        (["COPY app[ ./"], "line 3: COPY: a [ in app[ does not begin a character class"),
        (
            ["COPY --exclude=[^] src ."],
            "line 3: COPY: --exclude: a [ in [^] does not begin a character class",
        ),
        (["COPY app.py uv.lock /x"], "the destination must end in a slash: /x/"),
        (["COPY --chmod=abc app.py ."], "--chmod=abc is neither octal nor symbolic"),
        (["FROM scratch AS s", "FROM scratch", "COPY --from=s /no /"], "line 5: COPY: /no is not in s."),
        (["COPY app.py d", "COPY data d"], "line 4: COPY: /app/d is a file"),
        (["COPY data app.py", "COPY app.py ."], "line 4: COPY: /app/app.py is a directory"),
    ],
)
def test_refuses(build: Build, tmp_path: Path, lines: list[str], says: str) -> None:
    (tmp_path / "out").symlink_to("../elsewhere")
    (tmp_path / "around").symlink_to("around")
    with pytest.raises(DockerfileError) as refused:
        build(*lines)
    assert says in refused.value.what
