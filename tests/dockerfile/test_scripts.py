"""Start scripts with the line ends of Windows, found before anything is built."""

from __future__ import annotations

import codecs
from pathlib import Path

import pytest

from lobster_tasks.dockerfile import parse
from lobster_tasks.dockerfile.scripts import FaultyScript, faulty_scripts
from lobster_tasks.text_file import read_as_written

CRLF = b'#!/bin/sh\r\nexec "$@"\r\n'


def found(folder: Path, *lines: str) -> tuple[str, ...]:
    """What is found for a Dockerfile."""
    return tuple(each.name for each in faults(folder, *lines))


def faults(folder: Path, *lines: str) -> tuple[FaultyScript, ...]:
    """The same, with what is wrong."""
    return faulty_scripts(parse("\n".join(("FROM x AS first", "WORKDIR /app", *lines))), folder)


@pytest.mark.parametrize(
    "lines",
    [
        ("COPY app.py entry.sh ./", 'ENTRYPOINT ["./entry.sh"]'),
        ("COPY . .", 'ENTRYPOINT ["/app/entry.sh"]', 'CMD ["streamlit", "run", "app.py"]'),
        ("COPY entry.sh /usr/local/bin/start", 'CMD ["/usr/local/bin/start"]'),
        ("COPY . /app/", 'CMD ["bash", "entry.sh"]'),
        ("COPY . .", "CMD cd /app && exec ./entry.sh"),
        ("COPY . .", 'ENTRYPOINT ["tini", "--"]', 'CMD ["./entry.sh"]'),
        ("COPY entry.sh /usr/local/bin/", 'ENTRYPOINT ["entry.sh"]'),
        ("COPY entry.sh /usr/local/bin/start", 'ENTRYPOINT ["tini", "--", "start"]'),
        ("COPY entry.sh /opt/", "ENV PATH=/opt:$PATH", "CMD exec entry.sh"),
        ("COPY *.sh /x/", 'ENTRYPOINT ["/x/entry.sh"]'),
        ("COPY e?try.[s]h /x/", 'ENTRYPOINT ["/x/entry.sh"]'),
        ("COPY entry.sh ./", "FROM first", 'ENTRYPOINT ["/app/entry.sh"]'),
        ("COPY entry.sh ./", "FROM y", "COPY --from=first /app/ /srv/", 'ENTRYPOINT ["/srv/entry.sh"]'),
        ("COPY . .", 'CMD ["bash", "-o", "pipefail", "entry.sh"]'),
        ("COPY . .", "CMD source ./entry.sh && exec streamlit run app.py"),
        ("COPY . .", "CMD . ./entry.sh; streamlit run app.py"),
        ("COPY --parents entry.sh /x/", 'CMD ["/x/entry.sh"]'),
        ("ENV P=/app", "COPY . .", "CMD $P/entry.sh"),
        ("COPY . /srv/", "CMD cd /srv && ./entry.sh"),
        ("COPY . .", "CMD if true; then ./entry.sh; fi"),
        ("COPY . .", 'CMD ["sh", "-c", "exec $@", "--", "./entry.sh"]'),
        ("RUN sed -i 's/\\r$//' entry.sh", "COPY . .", 'ENTRYPOINT ["./entry.sh"]'),
        ("COPY . .", "RUN sed -i 's/\\r$//' other.sh", 'ENTRYPOINT ["./entry.sh"]'),
        ("COPY . .", "RUN dos2unix other.sh", 'ENTRYPOINT ["./entry.sh"]'),
    ],
)
def test_a_script_with_the_line_ends_of_windows_is_found(tmp_path: Path, lines: tuple[str, ...]) -> None:
    (tmp_path / "entry.sh").write_bytes(CRLF)
    assert found(tmp_path, *lines) == ("entry.sh",)


def test_in_a_folder_of_its_own(tmp_path: Path) -> None:
    (tmp_path / "docker").mkdir()
    (tmp_path / "docker" / "entry.sh").write_bytes(CRLF)
    assert found(tmp_path, "COPY docker/ /opt/", 'ENTRYPOINT ["/opt/entry.sh"]') == ("docker/entry.sh",)


@pytest.mark.parametrize(
    ("content", "lines"),
    [
        (CRLF.replace(b"\r", b""), ("COPY . .", 'ENTRYPOINT ["./entry.sh"]')),
        (b"\x7fELF\0\r\n", ("COPY . .", 'ENTRYPOINT ["./entry.sh"]')),
        (CRLF, ("COPY . .", "RUN sed -i 's/\\r$//' entry.sh", 'ENTRYPOINT ["./entry.sh"]')),
        (CRLF, ("COPY . .", "RUN dos2unix entry.sh", 'ENTRYPOINT ["./entry.sh"]')),
        (CRLF, ("COPY . .", "RUN dos2unix *.sh", 'ENTRYPOINT ["./entry.sh"]')),
        (CRLF, ("COPY . .", "RUN find . -name '*.sh' | xargs dos2unix", 'ENTRYPOINT ["./entry.sh"]')),
        (CRLF, ("COPY . .", "RUN tr -d '\\015' < entry.sh > e && mv e entry.sh", "CMD ./entry.sh")),
        (CRLF, ("COPY . .", "RUN dos2unix entry.sh", "FROM first", "CMD ./entry.sh")),
        (CRLF, ("COPY . .", "COPY <<EOF /app/entry.sh", "#!/bin/sh", "EOF", "CMD ./entry.sh")),
        (CRLF, ("COPY --parents entry.sh /x/", "CMD /x/y/entry.sh")),
        (CRLF, ("COPY . .", 'CMD ["streamlit", "run", "app.py"]')),
        (CRLF, ("COPY --from=other entry.sh .", 'ENTRYPOINT ["./entry.sh"]')),
        (b"#!/usr/bin/env python3\nprint()\r\n", ("COPY . .", 'ENTRYPOINT ["./entry.sh"]')),
        (b"#!/usr/bin/node\nx()\r\n", ("COPY . .", "CMD exec ./entry.sh")),
    ],
)
def test_nothing_is_found_where_nothing_is_wrong(
    tmp_path: Path, content: bytes, lines: tuple[str, ...]
) -> None:
    (tmp_path / "entry.sh").write_bytes(content)
    assert found(tmp_path, *lines) == ()


@pytest.mark.parametrize(
    ("content", "command", "fault"),
    [
        (CRLF, 'CMD ["./entry.sh"]', "interpreter"),
        (CRLF, 'CMD ["sh", "entry.sh"]', "shell"),
        (b"exec x\r\n", "CMD ./entry.sh", "shell"),
        (b"#!/bin/sh\nprintf 'a\r\n'\n", 'CMD ["./entry.sh"]', "line"),
        (b"#!/usr/bin/env -S bash -e\nexec x\r\n", 'CMD ["./entry.sh"]', "line"),
        (b"#! /bin/busybox ash\nexec x\r\n", 'CMD ["./entry.sh"]', "line"),
        (b"#!/usr/bin/env python3\nx\r\n", 'CMD ["sh", "entry.sh"]', "line"),
        (b"exec x\nexec y\r\n", "CMD ./entry.sh", "line"),
        (b"#!/usr/bin/env python3\r\nx\r\n", 'CMD ["./entry.sh"]', "interpreter"),
        (codecs.BOM_UTF8 + b"#!/bin/sh\nexec x\n", 'CMD ["./entry.sh"]', "byte-order-mark"),
        (codecs.BOM_UTF8 + CRLF, 'CMD ["./entry.sh"]', "byte-order-mark"),
    ],
)
def test_what_is_wrong_with_a_script(tmp_path: Path, content: bytes, command: str, fault: str) -> None:
    """The kernel (``fs/binfmt_script.c``) looks for ``#!`` at the first byte, and reads to the end of that line."""
    (tmp_path / "entry.sh").write_bytes(content)
    assert [each.fault for each in faults(tmp_path, "COPY . .", command)] == [fault]


def test_a_shell_reads_what_the_kernel_cannot_start(tmp_path: Path) -> None:
    (tmp_path / "entry.sh").write_bytes(codecs.BOM_UTF8 + b"#!/bin/sh\nexec x\n")
    assert found(tmp_path, "COPY . .", "CMD ./entry.sh") == ()


@pytest.mark.parametrize(
    ("command", "fault"),
    [
        ('CMD ["/entry.sh"]', "interpreter"),
        ("CMD exec /entry.sh", "interpreter"),
        ('CMD ["sh", "/entry.sh"]', "shell"),
    ],
)
@pytest.mark.parametrize(
    "copy", ["COPY --chmod=755 <<EOF /entry.sh", "COPY <<-'EOF' /entry.sh", "ADD <<EOF /entry.sh"]
)
def test_a_script_written_in_a_dockerfile_has_the_line_ends_of_the_dockerfile(
    tmp_path: Path, copy: str, command: str, fault: str
) -> None:
    """Source: moby/buildkit, ``parser.go``: ``heredoc.Content += string(bytesRead)``, where only the line that ends it
    is compared without its line end."""
    lines = ("FROM x", copy, "#!/bin/sh", "exec serve", "EOF", command, "")
    (tmp_path / "Dockerfile").write_bytes("\r\n".join(lines).encode())
    text = read_as_written(tmp_path / "Dockerfile", any_bytes=True)
    assert faulty_scripts(parse(text), tmp_path) == (FaultyScript("Dockerfile", fault, "/entry.sh"),)
    mended = text.replace("EOF\r\nCMD", "EOF\r\nRUN sed -i 's/\\r$//' /entry.sh\r\nCMD")
    assert mended != text
    assert faulty_scripts(parse(mended), tmp_path) == ()
    assert faulty_scripts(parse(text.replace("\r", "")), tmp_path) == ()
