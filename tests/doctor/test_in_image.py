"""Configuration files count where the image contains them, and where their program looks for them."""

from __future__ import annotations

from pathlib import Path

import pytest

from lobster_tasks.dockerfile import Dockerfile, parse
from lobster_tasks.doctor.check import UnknownError
from lobster_tasks.doctor.in_image import gunicorn_file_binds, streamlit_config
from tests.doctor.facts import facts

CONTAINER = facts().settings.container
STREAMLIT = 'CMD ["streamlit", "run", "app.py"]'
GUNICORN = 'CMD ["gunicorn", "a:b"]'


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A project with configuration files."""
    (tmp_path / ".streamlit").mkdir()
    (tmp_path / ".streamlit" / "config.toml").write_text("[server]\nport = 80\n")
    (tmp_path / "gunicorn.conf.py").write_text('bind = "0.0.0.0:80"\n')
    return tmp_path


def dockerfile(*lines: str) -> Dockerfile:
    """One of some lines in /app."""
    return parse("\n".join(("FROM x AS first", "WORKDIR /app", *lines)))


@pytest.mark.parametrize(
    ("lines", "port"),
    [
        (("COPY . .", STREAMLIT), 80),
        (("COPY .streamlit .streamlit", STREAMLIT), 80),
        (("COPY .streamlit/config.toml /root/.streamlit/", STREAMLIT), 80),
        (("COPY .streamlit /home/app/.streamlit", "USER app", STREAMLIT), 80),
        (("COPY . /srv/", "CMD cd /srv && exec streamlit run app.py"), 80),
        (("COPY . .", "FROM first", STREAMLIT), 80),
        (("COPY . .", "FROM y", "COPY --from=first /app /app", "WORKDIR /app", STREAMLIT), 80),
        (("COPY <<EOF .streamlit/config.toml", "[server]", "port = 81", "EOF", STREAMLIT), 81),
        (("COPY app.py .", STREAMLIT), None),
        (("COPY . /srv/", STREAMLIT), None),
        (("COPY . .", "WORKDIR /srv", STREAMLIT), None),
        (("COPY . .", "FROM y", "WORKDIR /app", STREAMLIT), None),
        (("COPY . .", GUNICORN), None),
    ],
)
def test_a_config_file_of_streamlit(folder: Path, lines: tuple[str, ...], port: int | None) -> None:
    assert streamlit_config(dockerfile(*lines), CONTAINER, folder).get("port") == port


@pytest.mark.parametrize(
    ("lines", "why"),
    [
        (("COPY . .", "RUN echo port = 81 > .streamlit/config.toml", STREAMLIT), "a RUN line"),
        (("COPY . .", "CMD cd $(pwd) && exec streamlit run app.py"), "in which folder streamlit starts"),
    ],
)
def test_a_config_file_that_is_not_known(folder: Path, lines: tuple[str, ...], why: str) -> None:
    with pytest.raises(UnknownError, match=why):
        streamlit_config(dockerfile(*lines), CONTAINER, folder)


@pytest.mark.parametrize(
    "ignored", [".streamlit", "/.streamlit/", "*.toml\n.*", "**/config.toml", "./.streamlit"]
)
def test_a_config_file_that_is_ignored(folder: Path, ignored: str) -> None:
    (folder / ".dockerignore").write_text(f"# mine\n{ignored}\n")
    assert streamlit_config(dockerfile("COPY . .", STREAMLIT), CONTAINER, folder) == {}


@pytest.mark.parametrize("ignored", ["*\n!.streamlit", "**\n!.streamlit/*.toml", "x\n  # .streamlit\n!x"])
def test_a_config_file_that_is_an_exception(folder: Path, ignored: str) -> None:
    """The last pattern that matches decides; a ``#`` behind a blank begins no comment, but a pattern."""
    (folder / ".dockerignore").write_text(ignored)
    assert streamlit_config(dockerfile("COPY . .", STREAMLIT), CONTAINER, folder) == {"port": 80}


def test_the_ignore_file_of_a_dockerfile_counts_alone(folder: Path) -> None:
    (folder / ".dockerignore").write_text(".streamlit")
    (folder / "Dockerfile.dockerignore").write_text("x")
    assert streamlit_config(dockerfile("COPY . .", STREAMLIT), CONTAINER, folder) == {"port": 80}


@pytest.mark.parametrize("ignored", [b"[", b"!", b"\xff\xfe[\0"])
def test_an_ignore_file_that_cannot_be_read(folder: Path, ignored: bytes) -> None:
    (folder / ".dockerignore").write_bytes(ignored)
    with pytest.raises(UnknownError, match="dockerignore cannot be read"):
        streamlit_config(dockerfile("COPY . .", STREAMLIT), CONTAINER, folder)


def test_what_is_ignored_beside_it(folder: Path) -> None:
    (folder / ".dockerignore").write_text("data\n.streamlit/secrets.toml\n")
    assert streamlit_config(dockerfile("COPY . .", STREAMLIT), CONTAINER, folder) == {"port": 80}


@pytest.mark.parametrize(
    ("lines", "binds"),
    [
        (("COPY . .", GUNICORN), True),
        (("COPY gunicorn.conf.py .", GUNICORN), True),
        (("RUN echo x > gunicorn.conf.py", GUNICORN), True),
        (("COPY . .", "CMD cd $X && gunicorn a:b"), True),
        (("COPY app.py .", GUNICORN), False),
        (("COPY . .", "CMD cd /srv && gunicorn a:b"), False),
        (("COPY . .", STREAMLIT), False),
    ],
)
def test_the_own_file_of_gunicorn(folder: Path, lines: tuple[str, ...], binds: bool) -> None:
    assert gunicorn_file_binds(dockerfile(*lines), CONTAINER, folder) is binds


def test_a_file_of_gunicorn_that_sets_no_address(folder: Path) -> None:
    (folder / "gunicorn.conf.py").write_text("workers = 2\n")
    assert gunicorn_file_binds(dockerfile("COPY . .", GUNICORN), CONTAINER, folder) is False
