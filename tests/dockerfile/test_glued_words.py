"""Items of a list that hold several words, or quotes: what no program takes, what may be meant, what is right."""

from __future__ import annotations

import sys
from types import FrameType
from typing import Any

import pytest

from lobster_tasks.dockerfile.glued_words import glued_program, glued_words, quoted_script
from lobster_tasks.dockerfile.shell import ends_in_the_background
from lobster_tasks.dockerfile.shell_syntax import uninterpreted

WRAPPERS = [(), ("tini", "--"), ("env", "A=1"), ("dumb-init", "--"), ("uv", "run"), ("python", "-m")]


@pytest.mark.parametrize("wrapper", WRAPPERS)
@pytest.mark.parametrize(
    ("words", "word"),
    [
        (["streamlit", "run", "a.py --server.port=9000"], "a.py --server.port=9000"),
        (["streamlit", "run", "a.py", "--server.port 9000"], "--server.port 9000"),
        (["streamlit", "run", "a.py", "--server.port = 9000"], "--server.port = 9000"),
        (["streamlit", "run a.py"], "run a.py"),
        (["streamlit", "run", "'a.py'"], "'a.py'"),
        (["streamlit", "run", '"a.py"'], '"a.py"'),
        (["streamlit", "run", "a.py", "\u2014server.port=9000"], "\u2014server.port=9000"),
        (["streamlit", "run", "a.py", "\u2013\u2013server.port=9000"], "\u2013\u2013server.port=9000"),
        (["gunicorn", "--bind 0.0.0.0:8501", "app:app"], "--bind 0.0.0.0:8501"),
        (["gunicorn", "app:app --bind 0.0.0.0:8501"], "app:app --bind 0.0.0.0:8501"),
        (["gunicorn", "--workers=2", "app:app -b 0.0.0.0:8501"], "app:app -b 0.0.0.0:8501"),
        (["uvicorn", "app:app", "--host 0.0.0.0"], "--host 0.0.0.0"),
        (["flask", "run --host=0.0.0.0"], "run --host=0.0.0.0"),
        (["fastapi", "run app.py"], "run app.py"),
        (["celery", "worker -A app"], "worker -A app"),
    ],
)
def test_what_no_program_takes_is_certain(wrapper: tuple[str, ...], words: list[str], word: str) -> None:
    started = [*wrapper, *words]
    first = glued_words(started)[0]
    assert (started[first.index], first.is_certain, first.program) == (word, True, words[0])


@pytest.mark.parametrize(
    ("words", "word"),
    [
        (["python", "app.py --port 80"], "app.py --port 80"),
        (["python3", "-m http.server"], "-m http.server"),
        (["python", "-u", "app.py --x"], "app.py --x"),
        (["node", "server.js --port 80"], "server.js --port 80"),
        (["npm", "run start"], "run start"),
        (["sh", "-c streamlit run a.py"], "-c streamlit run a.py"),
        (["sh", "-e", "-c exec run"], "-c exec run"),
        (["python", "a.py --config b.py"], "a.py --config b.py"),
        (["python", "run --port 80"], "run --port 80"),
        (["/bin/bash", "-lc exec streamlit run a.py"], "-lc exec streamlit run a.py"),
        (["tini", "--", "sh", "-c exec run"], "-c exec run"),
    ],
)
def test_so_it_is_with_interpreters(words: list[str], word: str) -> None:
    first = glued_words(words)[0]
    assert (words[first.index], first.is_certain) == (word, True)


@pytest.mark.parametrize(
    ("words", "word"),
    [
        (["./entry.sh", "--server.port 9000"], "--server.port 9000"),
        (["/app/server", "--listen 0.0.0.0:80"], "--listen 0.0.0.0:80"),
        (["/app/server", "config.yaml --verbose"], "config.yaml --verbose"),
        (["/app/server", "\u2014port=80"], "\u2014port=80"),
        (["python", "app.py", "--port 80"], "--port 80"),
        (["python", "search.py", "a --b"], "a --b"),
        (["./search.py", "a --b"], "a --b"),
        (["./manage.py", "runserver 80"], "runserver 80"),
        (["sh", "start.sh", "--log-level info"], "--log-level info"),
        (["tini", "--", "sh", "/e.sh", "--a b"], "--a b"),
        (
            ["streamlit", "run", "a.py", "--server.headless", "\u2014server.port=9000"],
            "\u2014server.port=9000",
        ),
    ],
)
def test_what_may_be_meant_is_not_certain(words: list[str], word: str) -> None:
    first = glued_words(words)[0]
    assert (words[first.index], first.is_certain) == (word, False)


@pytest.mark.parametrize(
    "words",
    [
        [],
        ["streamlit", "run", "app.py", "--server.port", "8501"],
        ["streamlit", "run", "my app.py"],
        ["streamlit", "run", "app.py", "--server.port= 9000"],  # click's int takes the blank
        ["streamlit", "run", "app.py", "--browser.serverAddress=a b"],
        ["streamlit", "run", "app.py", "--", "--title A long one", "what --is it"],
        ["sh", "-c", "streamlit run app.py --server.port 80"],
        ["bash", "-o", "pipefail", "-c", "a --b c | d"],
        ["tini", "--", "sh", "-c", "exec a --b c"],
        ["./entry.sh", "sh", "-c", "a --b c"],
        ["python", "-c", "import app --now"],
        ["node", "-e", "'a b'"],
        ["python", "app.py", "--title", "a --b c"],
        ["java", "-jar", "app.jar", "--args", "--x 1 --y 2"],
        ["gunicorn", "-b 0.0.0.0:8501", "-w 4", "app:app"],  # argparse takes a short option's value so
        ["gunicorn", "app:create_app(debug=True, name='x')", "--access-logformat", "%(h)s --%(r)s"],
        ["nginx", "-g", "daemon off;"],
        ["curl", "-H Accept: text/html"],
        ["/opt/my app/run", "hello world"],
        ["/app/server", "'literal'"],
        ["awk", "{print --x}"],
        ["run", "a - b", "x -- y"],
        # What follows a shell's script file is for the script.
        ["ash", "-x", "run.sh", "-a b"],
        ["sh", "/entrypoint.sh", "-Xms512m -Xmx512m"],
        ["bash", "-o", "errexit", "run.sh", "-a b"],
        # Paths.
        ["streamlit", "run", "Dashboard -final.py"],
        ["streamlit", "run", "Dashboard --final.py", "--server.port=80"],
        ["fastapi", "run", "run app.py"],
        ["python", "-u", "Dashboard -final.py"],
        ["python", "run server.py"],
        ["python3.12", "dev server.py"],
        ["python", "run server"],
        ["node", "start -it.mjs"],
        ["java", "-jar", "my app -x.jar"],
        ["./search.py", "my -notes.py"],
        # Values of options.
        ["uvicorn", "app:app", "--header", "X-Frame-Options: a -b"],
        ["gunicorn", "app:app", "--access-logformat", "%(h)s --x"],
        ["nginx", "-g", "daemon off; error_log /dev/stderr -x --y"],
        ["celery", "--app", "worker -b"],
    ],
)
def test_what_rightly_holds_blanks_is_left_alone(words: list[str]) -> None:
    assert glued_words(words) == ()


@pytest.mark.parametrize("word", ["-u", "a", "a --b", "--x y", "--", "$X", "a;"])
@pytest.mark.parametrize("program", ["python", "sh", "streamlit", "./run"])
def test_long_lists_take_time_in_proportion(program: str, word: str) -> None:
    """Counted in lines that run, which is the same on each machine."""
    assert lines_of(program, word, 800) < 2.5 * lines_of(program, word, 400)


def lines_of(program: str, word: str, count: int) -> int:
    """How many lines are run to read a list with ``count`` times the word."""
    words, lines = [program, *[word] * count, "app.py"], 0

    def trace(_frame: FrameType, event: str, _arg: object) -> Any:
        nonlocal lines
        lines += event == "line"
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        glued_words(words)
        uninterpreted(words)
    finally:
        sys.settrace(before)
    return lines


@pytest.mark.parametrize(
    ("words", "at"),
    [
        (["tini", "--", "streamlit run a.py"], 2),
        (["env", "A=1", "gunicorn app:app"], 2),
        (["uv", "run", "streamlit run a.py"], 2),
        (["/usr/bin/dumb-init", "/usr/bin/python app.py"], 1),
        (["tini", "--", "/opt/my app/run"], None),
        (["env", "-S", "streamlit run a.py"], None),
        (["tini", "--", "streamlit", "run", "a b.py"], None),
        (["tini"], None),
    ],
)
def test_a_program_behind_a_wrapper_has_a_name_of_one_word(words: list[str], at: int | None) -> None:
    assert glued_program(words) == at


@pytest.mark.parametrize(
    ("words", "script"),
    [
        (["bash", "-c", "'streamlit run a.py'"], "'streamlit run a.py'"),
        (["sh", "-c", '"streamlit run a.py"'], '"streamlit run a.py"'),
        (["tini", "--", "sh", "-c", " 'exec a b' "], "'exec a b'"),
        (["sh", "-c", "'a' 'b c'"], ""),
        (["sh", "-c", "'/opt/my app/run'"], ""),
        (["sh", "-c", "'run'"], ""),
        (["sh", "-c", "run 'a b'"], ""),
        (["echo", "'a b'"], ""),
    ],
)
def test_quotes_around_a_whole_script_make_it_a_name(words: list[str], script: str) -> None:
    assert quoted_script(words) == script


@pytest.mark.parametrize(
    ("script", "ends"),
    [
        ("streamlit run a.py &", True),
        ("nohup streamlit run a.py > log 2>&1 &", True),
        ("cd /app && streamlit run a.py &\n", True),
        ("nginx & streamlit run a.py &", True),
        ("streamlit run a.py & wait", False),
        ("nginx & streamlit run a.py", False),
        ("f() { a & }; f; b", False),
        ("exec streamlit run a.py; b &", False),
        ("cd /app; exec streamlit run a.py\nb &", False),
        ("cd /app && exec streamlit run a.py; b &", True),
        ("exec a || b; c &", False),
        ("exec > log; a &", True),
        ("exec 2>&1\na &", True),
        ("exec a & b &", True),
        ("exec a | cat; b &", True),
        ("if x; then exec a; fi; b &", True),
        ("(exec a); b &", True),
        ("f() { exec a; }; b &", True),
        ("echo '&'", False),
        ("a 2>&1", False),
        ("a && b", False),
        ("a '", False),
        ("", False),
    ],
)
def test_a_script_that_ends_while_its_program_goes_on(script: str, ends: bool) -> None:
    assert ends_in_the_background(script) is ends
