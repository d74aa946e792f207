"""What a command listens on, and whether it hears SIGTERM."""

from __future__ import annotations

import shlex

import pytest

from lobster_tasks.dockerfile.commands import script_of
from lobster_tasks.doctor.command import ServerAddress, servers, swallows_signals

ENVIRONMENT = {"PORT": "9000"}


def listens(words: list[str], environment: dict[str, str], config: dict[str, object]) -> ServerAddress | None:
    """Where the one server listens whose words tell."""
    found = servers(words, environment, config)
    return found[0] if len(found) == 1 and found[0].port is not None else None


def words(text: str) -> list[str]:
    """A command as a list."""
    return shlex.split(text)


@pytest.mark.parametrize(
    ("command", "port", "address"),
    [
        ("streamlit run app.py", 8501, ""),
        ("streamlit run app.py --server.port=8080 --server.address=0.0.0.0", 8080, "0.0.0.0"),
        ("streamlit run app.py --server.port 8080 --server.address localhost", 8080, "localhost"),
        ("python -m streamlit run app.py --server.port=80", 80, ""),
        ("uv run streamlit run app.py", 8501, ""),
        ("/app/.venv/bin/streamlit run app.py --server.address=127.0.0.1", 8501, "127.0.0.1"),
        ("sh -c 'streamlit run app.py --server.port=$PORT'", 9000, ""),
        (
            "/bin/sh -c 'cd /app && exec streamlit run app.py --server.port ${PORT:-1} --server.address ::'",
            9000,
            "::",
        ),
        ("bash -o pipefail -c 'streamlit run app.py --server.port ${ABSENT:-8080}'", 8080, ""),
        ("streamlit run app.py -- --server.port=1", 8501, ""),
        ("sh -c 'echo \"a && b | c\"; exec streamlit run app.py'", 8501, ""),
        ("sh -c 'cd /app\nA=1 nohup streamlit run app.py > log 2>&1'", 8501, ""),
        ("tini -g -- env X=1 streamlit run app.py", 8501, ""),
        ("gunicorn app:app", 9000, "0.0.0.0"),
        ("gunicorn --bind 127.0.0.1:8000 app:server", 8000, "127.0.0.1"),
        ("gunicorn -w 4 -b :5000 app:app", 5000, ""),
        ("gunicorn -b[::]:5000 app:app", 5000, "[::]"),
        ("poetry run gunicorn --bind=0.0.0.0:8050 app:server", 8050, "0.0.0.0"),
        ("hypercorn app:app", 8000, "127.0.0.1"),
        ("uvicorn main:app", 8000, "127.0.0.1"),
        ("python -m uvicorn main:app --host 0.0.0.0 --port 80", 80, "0.0.0.0"),
        ("daphne -b 0.0.0.0 -p 8001 site.asgi:application", 8001, "0.0.0.0"),
        ("flask --app web run --host=0.0.0.0", 5000, "0.0.0.0"),
        ("fastapi run main.py --port 80", 80, "0.0.0.0"),
        ("fastapi dev main.py", 9000, "127.0.0.1"),
        ("waitress-serve --listen=*:8041 app:app", 8041, ""),
        ("python -m http.server 8080", 8080, ""),
        ("python3 manage.py runserver 0.0.0.0:8000", 8000, "0.0.0.0"),
        ("python manage.py runserver", 8000, "127.0.0.1"),
        ("python manage.py runserver --settings web.settings 0.0.0.0:8000", 8000, "0.0.0.0"),
        ("python manage.py runserver -v 2 --settings=web.settings 8001", 8001, "127.0.0.1"),
        ("gunicorn -b [::] app:app", 8000, "[::]"),
        ("hypercorn --bind [::] app:app", 8000, "[::]"),
        ("hypercorn --bind [::]:80 app:app", 80, "[::]"),
        ("waitress-serve --listen=0.0.0.0 app:app", 8080, "0.0.0.0"),
        ("waitress-serve --listen [::] app:app", 8080, "[::]"),
        ("python -m http.server -d 2024 8080", 8080, ""),
        ("python -m http.server --bind :: 8080", 8080, "::"),
        ("daphne -e tcp:port=80 -b 0.0.0.0 -p 8001 site.asgi:application", 8001, "0.0.0.0"),
    ],
)
def test_listens_on(command: str, port: int, address: str) -> None:
    found = listens(words(command), ENVIRONMENT, {})
    assert found is not None
    assert (found.port, found.address) == (port, address)


@pytest.mark.parametrize(
    "command",
    [
        "",
        "./start.sh",
        "streamlit hello",
        "sh -c './run'",
        "sh -c 'nginx && streamlit run app.py --server.address 127.0.0.1'",
        "sh -c 'python worker.py & exec streamlit run app.py'",
        "sh -c 'uvicorn api:app --port 80 & streamlit run app.py'",
        "gunicorn -c conf.py app:app",
        "gunicorn --bind unix:/run/app.sock app:app",
        "gunicorn -b 127.0.0.1:9000 -b 0.0.0.0:8000 app:app",
        "waitress-serve --listen=127.0.0.1:9000 --listen=*:8080 app:app",
        "waitress-serve --unix-socket=/run/app.sock app:app",
        "uvicorn --uds /run/app.sock app:app",
        "uvicorn --fd=3 app:app",
        "daphne -e tcp:port=8000:interface=0.0.0.0 app:app",
        "daphne -u /run/app.sock app:app",
        "daphne --unix-socket /run/app.sock app:app",
        "uvicorn --uds /run/app.sock --host 0.0.0.0 app:app",
        "nginx -g 'daemon off;'",
        "supervisord -n",
        "sh -c 'streamlit run \"app.py'",
    ],
)
def test_does_not_guess(command: str) -> None:
    assert listens(words(command), ENVIRONMENT, {}) is None


def test_each_of_several_programs_is_named() -> None:
    found = servers(words("sh -c 'nginx && streamlit run a.py & python worker.py'"), ENVIRONMENT, {})
    assert [(each.program, each.port) for each in found] == [("nginx", None), ("streamlit", 8501)]


@pytest.mark.parametrize(
    ("command", "config"),
    [
        ("streamlit run a.py --server.baseUrlPath=tools/board", {}),
        ("streamlit run a.py --server.baseUrlPath /tools/board/", {}),
        ("streamlit run a.py", {"baseUrlPath": "tools/board"}),
    ],
)
def test_the_path_that_an_app_is_served_on(command: str, config: dict[str, object]) -> None:
    (found,) = servers(words(command), {}, config)
    assert found.base_path == "tools/board"


def test_gunicorns_command_line_counts_more_than_its_variable() -> None:
    environment = {"GUNICORN_CMD_ARGS": "--bind=127.0.0.1:1"}
    found = listens(words("gunicorn -b 0.0.0.0:8000 app:app"), environment, {})
    assert found is not None
    assert (found.port, found.address) == (8000, "0.0.0.0")


@pytest.mark.parametrize("port", ["$(cat port)", "`cat port`", "$((8500 + 1))"])
def test_what_a_shell_finds_out_is_not_known(port: str) -> None:
    (found,) = servers(["sh", "-c", f"streamlit run a.py --server.port={port}"], ENVIRONMENT, {})
    assert (found.port, found.port_text) == (None, "")


def test_a_port_that_is_no_number_is_not_known() -> None:
    assert listens(["streamlit", "run", "a.py", "--server.port=$PORT"], ENVIRONMENT, {}) is None


def test_options_count_more_than_environment_than_file() -> None:
    environment = {"STREAMLIT_SERVER_PORT": "2", "STREAMLIT_SERVER_ADDRESS": "localhost"}
    config = {"port": 3, "address": "127.0.0.1"}
    command = words("streamlit run a.py")
    by_option = listens([*command, "--server.port=1"], environment, config)
    assert by_option is not None
    assert (by_option.port, by_option.port_by) == (1, "--server.port")
    assert (by_option.address, by_option.address_by) == ("localhost", "STREAMLIT_SERVER_ADDRESS")
    by_file = listens(command, {}, config)
    assert by_file is not None
    assert (by_file.port, by_file.address, by_file.port_by) == (3, "127.0.0.1", ".streamlit/config.toml")


@pytest.mark.parametrize(
    ("address", "unreachable"),
    [("localhost", True), ("127.0.0.1", True), ("::1", True), ("0.0.0.0", False), ("", False), ("::", False)],
)
def test_which_addresses_nobody_reaches(address: str, unreachable: bool) -> None:
    found = listens(words(f"streamlit run a.py --server.address={address}"), {}, {})
    assert found is not None
    assert found.is_unreachable is unreachable


@pytest.mark.parametrize(
    ("command", "swallows"),
    [
        ("streamlit run a.py", False),
        ("/bin/sh -c 'streamlit run a.py'", True),
        ("sh -c 'exec streamlit run a.py'", False),
        ("sh -c 'cd /app && exec streamlit run a.py'", False),
        ("sh -c 'exec true; streamlit run a.py'", True),
        ("/bin/bash -c 'streamlit run a.py'", False),
        ("/bin/bash -c 'cd /app; streamlit run a.py'", True),
        ("bash start.sh", False),
        ("", False),
    ],
)
def test_who_keeps_sigterm(command: str, swallows: bool) -> None:
    assert swallows_signals(words(command)) is swallows


def test_finds_the_script_of_a_shell() -> None:
    assert script_of(words("/bin/bash -o pipefail -ec 'a b'")) == "a b"
    assert script_of(words("python -c 'a'")) is None
    assert script_of(words("sh -c")) is None
