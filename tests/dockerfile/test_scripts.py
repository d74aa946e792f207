"""Start scripts with the line ends of Windows, found before anything is built."""

from __future__ import annotations

from pathlib import Path

import pytest

from lobster_tasks.dockerfile import parse
from lobster_tasks.dockerfile.scripts import windows_line_ends

CRLF = b'#!/bin/sh\r\nexec "$@"\r\n'


def found(folder: Path, *lines: str) -> tuple[str, ...]:
    """What is found for a Dockerfile."""
    return windows_line_ends(parse("\n".join(("FROM x", "WORKDIR /app", *lines))).final, folder)


@pytest.mark.parametrize(
    "lines",
    [
        ("COPY app.py entry.sh ./", 'ENTRYPOINT ["./entry.sh"]'),
        ("COPY . .", 'ENTRYPOINT ["/app/entry.sh"]', 'CMD ["streamlit", "run", "app.py"]'),
        ("COPY entry.sh /usr/local/bin/start", 'CMD ["/usr/local/bin/start"]'),
        ("COPY . /app/", 'CMD ["bash", "entry.sh"]'),
        ("COPY . .", "CMD cd /app && exec ./entry.sh"),
        ("COPY . .", 'ENTRYPOINT ["tini", "--"]', 'CMD ["./entry.sh"]'),
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
        (CRLF, ("COPY . .", 'CMD ["streamlit", "run", "app.py"]')),
        (CRLF, ("COPY --from=other entry.sh .", 'ENTRYPOINT ["./entry.sh"]')),
    ],
)
def test_nothing_is_found_where_nothing_is_wrong(
    tmp_path: Path, content: bytes, lines: tuple[str, ...]
) -> None:
    (tmp_path / "entry.sh").write_bytes(content)
    assert found(tmp_path, *lines) == ()
