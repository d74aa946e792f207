"""What a command listens on, and whether it hears SIGTERM."""

from __future__ import annotations

import os
import shlex
import shutil
import signal
import subprocess
from contextlib import suppress
from pathlib import Path

import pytest

from lobster_tasks.dockerfile.commands import script_of
from lobster_tasks.doctor.command import ServerAddress, servers, swallows_signals
from tests.embedded_process import eventually

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
        # a variable counts wherever it is set
        ("env STREAMLIT_SERVER_PORT=80 streamlit run app.py", 80, ""),
        ("env -u PORT gunicorn app:app", 8000, "127.0.0.1"),
        ("env -i gunicorn app:app", 8000, "127.0.0.1"),
        ("env -S 'PORT=80 gunicorn app:app'", 80, "0.0.0.0"),
        ("sh -c 'STREAMLIT_SERVER_PORT=80 streamlit run app.py'", 80, ""),
        ("sh -c 'export STREAMLIT_SERVER_PORT=80 && exec streamlit run app.py'", 80, ""),
        ("sh -c 'STREAMLIT_SERVER_PORT=80; exec streamlit run app.py'", 8501, ""),
        ("sh -c 'STREAMLIT_SERVER_PORT=80; export STREAMLIT_SERVER_PORT; streamlit run app.py'", 80, ""),
        ("sh -c 'set -a; STREAMLIT_SERVER_PORT=80; streamlit run app.py'", 80, ""),
        ("sh -c 'PORT=80; exec gunicorn -b 0.0.0.0:$PORT app:app'", 80, "0.0.0.0"),
        ("sh -c 'PORT=80; exec gunicorn app:app'", 80, "0.0.0.0"),
        ("sh -c 'unset PORT; exec gunicorn app:app'", 8000, "127.0.0.1"),
        ("sh -c 'P=$PORT Q=1; exec gunicorn -b 0.0.0.0:$P app:app'", 9000, "0.0.0.0"),
        ("sh -c ': ${P:=80}; exec gunicorn -b 0.0.0.0:$P app:app'", 80, "0.0.0.0"),
        ("sh -c 'exec bash -c \"PORT=80 gunicorn app:app\"'", 80, "0.0.0.0"),
        ("tini -- sh -c 'PORT=80 exec gunicorn app:app'", 80, "0.0.0.0"),
        ("sh -c '. /venv/bin/activate && exec gunicorn app:app'", 9000, "0.0.0.0"),
        # of an option, the last one
        ("uvicorn main:app --port 80 --host localhost --port 81 --host 0.0.0.0", 81, "0.0.0.0"),
        ("streamlit run app.py --server.port 80 --server.port=81", 81, ""),
        ("flask run -p 80 --port 81 -h 0.0.0.0", 81, "0.0.0.0"),
        # the words behind a script are its parameters
        ("sh -c 'exec streamlit run app.py \"$@\"' -- --server.port=80", 80, ""),
        ("sh -c 'exec streamlit run app.py $*' -- --server.port 80", 80, ""),
        ("sh -c 'exec streamlit run app.py --server.port $1' -- 80", 80, ""),
        ("sh -c 'exec streamlit run app.py --server.port $0' 80", 80, ""),
        ("sh -c 'exec \"$@\"' -- streamlit run app.py --server.port 80", 80, ""),
        ("sh -c 'set -- streamlit run app.py --server.port 80; exec \"$@\"'", 80, ""),
        ("sh -c 'exec streamlit run app.py > log --server.port=80 2>&1 # it'\"'\"'s'", 80, ""),
        # branches that agree, and compound commands
        (
            "sh -c 'if [ -n \"$X\" ]; then exec streamlit run a.py; else exec streamlit run b.py; fi'",
            8501,
            "",
        ),
        ("sh -c 'while ! nc db 1; do sleep 1; done; exec streamlit run a.py'", 8501, ""),
        ("sh -c '{ exec streamlit run a.py --server.port=80; }'", 80, ""),
        ("sh -c 'case $X in a|b) exec streamlit run a.py;; *) exec streamlit run b.py;; esac'", 8501, ""),
        ("nice -n 5 streamlit run app.py --server.port=80", 80, ""),
        ("uv run --with rich streamlit run app.py --server.port=80", 80, ""),
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
        "sh -c '[ -n \"$X\" ] && PORT=80; exec gunicorn -b 0.0.0.0:$PORT a:b'",
        "sh -c '[ -n \"$X\" ] || PORT=80; exec gunicorn -b 0.0.0.0:$PORT a:b'",
        "sh -c 'if [ -n \"$X\" ]; then export PORT=80; fi; exec gunicorn a:b'",
        "sh -c 'PORT=$(cat port); exec gunicorn a:b'",
        "sh -c 'read PORT < port; exec gunicorn a:b'",
        "sh -c '. ./env.sh; exec gunicorn a:b'",
        "sh -c 'source env.sh && streamlit run app.py'",
        "sh -c 'eval \"$(./env)\"; streamlit run app.py'",
        "sh -c 'GUNICORN_CMD_ARGS=$(./bind) gunicorn a:b'",
        "sh -c '[ -n \"$X\" ] && set -- --port 80; uvicorn a:b --port $1'",
        "sh -c 'if a; then streamlit run a.py; else streamlit run a.py --server.port=80; fi'",
        "waitress-serve --listen='127.0.0.1:80 [::1]:80' app:app",
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


def test_gunicorns_own_file_counts_less_than_command_line_and_variable() -> None:
    """Gunicorn, "Settings", ``config``: "./gunicorn.conf.py" by default."""
    for environment, command, port in (
        ({}, "gunicorn a:b", None),
        ({}, "gunicorn -b 0.0.0.0:80 a:b", 80),
        ({"GUNICORN_CMD_ARGS": "-b 0.0.0.0:81"}, "gunicorn a:b", 81),
    ):
        (found,) = servers(words(command), environment, {}, gunicorn_file_binds=True)
        assert found.port == port


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
        ("/bin/bash -c 'cd /app; streamlit run a.py'", False),
        ("bash -c 'streamlit run a.py || true'", True),
        ("bash -c 'streamlit run a.py > log'", True),
        ("bash -c 'streamlit run a.py | tee log'", True),
        ("bash -c '{ streamlit run a.py; }'", True),
        ("ash -c '{ streamlit run a.py > log; }'", False),
        ("ash -c 'streamlit run a.py | tee log'", True),
        ("ash -c 'streamlit run a.py || true'", True),
        ("dash -c 'streamlit run a.py'", True),
        ("sh -c 'if a; then exec streamlit run a.py; else exec streamlit run b.py; fi'", False),
        ("sh -c 'if a; then exec streamlit run a.py; elif b; then streamlit run c.py; fi'", True),
        ("sh -c 'if a; then export B=1; fi; exec streamlit run a.py'", False),
        ("sh -c 'exec streamlit run a.py; fi'", False),
        ("sh -c '{ exec streamlit run a.py; }'", False),
        ("sh -c '{ streamlit run a.py; }'", True),
        ("sh -c 'exec streamlit run a.py || true'", False),
        ("sh -c 'exec streamlit run a.py || { echo no; exit 1; }'", False),
        ("sh -c 'streamlit run a.py || { echo no; exit 1; }'", True),
        ("sh -c 'case $X in a) exec streamlit run a.py;; *) streamlit run b.py;; esac'", True),
        ("sh -c 'case $X in a) exec streamlit run a.py;; *) exec streamlit run b.py;; esac'", False),
        ("sh -c 'A=1 exec streamlit run a.py'", False),
        ("sh -c 'streamlit run a.py & wait'", True),
        ("tini -- sh -c 'streamlit run a.py'", True),
        ("ash -c 'while true; do streamlit run a.py; done'", True),
        ("ash -c 'until false; do streamlit run a.py; done'", True),
        ("ash -c 'for i in 1 2; do streamlit run a.py; done'", True),
        ("ash -c 'for i in 1 2; do if a; then streamlit run a.py; fi; done'", True),
        ("ash -c 'while true; do streamlit run a.py; echo again; done'", True),
        ("sh -c 'while true; do exec streamlit run a.py; done'", False),
        ("ash -c 'while ! nc db 1; do sleep 1; done; streamlit run a.py'", False),
        ("bash -c 'trap : TERM; uvicorn a:b'", True),
        ("ash -c 'trap : TERM; uvicorn a:b'", True),
        ("ash -c 'if a; then trap \"echo no\" EXIT; fi; uvicorn a:b'", True),
        ("bash -c 'trap : TERM; exec uvicorn a:b'", False),
        ("bash -c 'trap - TERM; uvicorn a:b'", False),
        ("bash -c 'main() { uvicorn a:b; }; main'", True),
        ("ash -c 'main() { uvicorn a:b; }; main'", True),
        ("ash -c 'function main { uvicorn a:b; }; main'", True),
        ("bash -c 'function main() { uvicorn a:b; }; main'", True),
        ("bash -c 'function main() { exec uvicorn a:b; }\nmain \"$@\"'", False),
        ("sh -c 'main() { a; exec uvicorn a:b; }; main || exit 1'", False),
        ("sh -c 'a() { b; }; b() { if c; then exec uvicorn a:b; else exec d; fi; }; a'", False),
        ("ash -c 'a() { a; }; a'", True),
        ("ash -c 'main() { exec uvicorn a:b; }; main | tee log'", True),
        ("bash -c 'a() { true; }; uvicorn a:b'", False),
        ("bash -c 'uvicorn a:b; a() { true; }'", False),
        ("sh -c 'no() { echo no; }; uvicorn a:b || no'", True),
        ("sh -c 'no() { echo no; exit 1; }; case $X in a) exec uvicorn a:b;; *) no;; esac'", False),
        ("sh -c 'a() { uvicorn a:b; if c; then echo d; fi; }; a'", True),
        ("sh -c 'uvicorn a:b; if c; then echo d; fi'", True),
        ("ash -c 'nginx & uvicorn a:b'", False),
        ("bash -c 'nginx & uvicorn a:b'", True),
        ("ash -c 'uvicorn a:b & wait'", True),
        ("ash -c 'uvicorn a:b; echo done'", True),
        ("ash -c 'uvicorn a:b || { echo no; exit 1; }'", True),
        ("ash -c '! uvicorn a:b'", True),
        ("ash -c 'eval uvicorn a:b'", True),
        ("ash -c 'exec uvicorn a:b | tee log'", True),
        ("bash start.sh", False),
        ("", False),
    ],
)
def test_who_keeps_sigterm(command: str, swallows: bool) -> None:
    assert swallows_signals(words(command)) is swallows


@pytest.mark.parametrize(
    "script",
    [
        *(
            "sleep 99",
            "cd /; sleep 99",
            "cd / && sleep 99",
            "sleep 99 || true",
            "A=1 sleep 99",
            "sleep 99 >&2",
        ),
        *("if true; then sleep 99; fi", "{ sleep 99; }", "false || sleep 99", "exec sleep 99 || true"),
        *("if true; then exec sleep 99; fi", "set -e; sleep 99", "true | sleep 99", "sleep 99 | cat"),
        *("true & exec sleep 99", "true\nsleep 99", "case a in b) true;; a) exec sleep 99;; esac"),
        *("while true; do sleep 99; done", "for i in 1; do sleep 99; done", "until false; do sleep 99; done"),
        *("while true; do exec sleep 99; done", "while true; do sleep 99; echo again; done"),
        *(
            "trap : TERM; sleep 99",
            "trap : TERM; exec sleep 99",
            "trap - TERM; sleep 99",
            "trap : EXIT; sleep 99",
        ),
        *("f() { sleep 99; }; f", "f() { exec sleep 99; }; f || true", "f() { true; }; sleep 99"),
        *(
            "f() { g; }; g() { exec sleep 99; }; f",
            "f() (sleep 99); f",
            "trap : TERM; f() { exec sleep 99; }; f",
        ),
        *("true & sleep 99", "sleep 99 & wait", "sleep 99; exit", "! sleep 99", "eval sleep 99"),
        *("sleep 99 || { echo; exit; }", "exec sleep 99 | cat", "command sleep 99"),
        *("cat <<EOF\nexec true\nEOF\nsleep 99", "cat <<-'EOF'\n\tit's\n\tEOF\nsleep 99"),
    ],
)
@pytest.mark.parametrize("shell", ["dash", "bash", "busybox ash"])
def test_the_shells_of_this_machine_do_the_same(shell: str, script: str) -> None:
    name, *applet = shell.split()
    if not shutil.which(name):
        pytest.skip(f"there is no {name}")
    end_of_pipe, held = os.pipe()
    with subprocess.Popen(
        [name, *applet, "-c", script], stdin=end_of_pipe, start_new_session=True
    ) as process:
        try:
            eventually(lambda: _sleeps(os.getpgid(process.pid)))
            own = Path(f"/proc/{process.pid}/cmdline").read_bytes().split(b"\0")[0]
            assert swallows_signals([(applet or [name])[0], "-c", script]) is (own != b"sleep")
        finally:
            os.killpg(process.pid, signal.SIGKILL)
            os.close(held)
            os.close(end_of_pipe)


def _sleeps(group: int) -> bool:
    """Whether a process of the group runs sleep."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        with suppress(OSError):
            if os.getpgid(int(path.parent.name)) == group:
                found.append(path.read_bytes().split(b"\0")[0])
    return b"sleep" in found


@pytest.mark.parametrize(
    "script",
    ["uvicorn a:b; echo 'it", 'exec uvicorn "a:b', "cat <<EOF; exec uvicorn a:b\nx\n", "uvicorn ${A:-a:b"],
)
def test_nothing_is_known_of_a_script_that_cannot_be_read(script: str) -> None:
    """A quote, a bracket or a here-document is open."""
    assert swallows_signals(["sh", "-c", script]) is None
    (found,) = servers(["sh", "-c", script], ENVIRONMENT, {})
    assert (found.program, found.port, found.port_text) == ("sh", None, "")
    both = servers(["bash", "-c", f"uvicorn a:b --port 80 & sh -c {shlex.quote(script)}"], {}, {})
    assert [each.program for each in both] == ["uvicorn", "sh"]


@pytest.mark.parametrize(
    "before",
    [
        'echo "${MSG:-it\'s up}"',
        'echo "${A:-${B:-it\'s}}"',
        'echo "${A#\'"\'}"',
        'echo "$(echo \'a"\')"',
        "echo \"${A:-$(echo ')')}\"",
        "cat <<EOF > c.toml\nport=8080\nexec gunicorn a:b\nit's\nEOF",
        "cat <<-'E O F' > c.toml\n\tport=8080\n EOF\n\tE O F",
        'cat <<\\A << "B" >c # it\'s\nport=8080\nB\nA\nport=8080\nB',
        "if cat <<EOF; then\nport=8080; fi\nEOF\necho; fi",
        "cat <<<EOF",
    ],
)
def test_quotes_and_here_documents(before: str) -> None:
    """POSIX, 2.7.4: a here-document is no command. In double quotes ``'`` is a character, also in ``${…}``."""
    script = f"port=80\n{before}\nexec uvicorn a:b --port $port"
    found = listens(["sh", "-c", script], {}, {})
    assert found is not None
    assert (found.program, found.port) == ("uvicorn", 80)
    assert swallows_signals(["sh", "-c", script]) is False


def test_a_trap_may_pass_sigterm_on() -> None:
    script = "trap 'kill -TERM $child' TERM; uvicorn a:b & child=$!; wait $child"
    assert swallows_signals(["sh", "-c", script]) is None


def test_what_sh_is_in_alpine_ends_with_the_program() -> None:
    assert swallows_signals(words("/bin/sh -c 'streamlit run a.py'"), "ash") is False
    assert swallows_signals(words("/bin/sh -c 'streamlit run a.py'"), "dash") is True


def test_finds_the_script_of_a_shell() -> None:
    assert script_of(words("/bin/bash -o pipefail -ec 'a b'")) == "a b"
    assert script_of(words("python -c 'a'")) is None
    assert script_of(words("sh -c")) is None
