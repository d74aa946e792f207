"""Items of a list that hold several words, or quotes: what no program takes, what may be meant, what is right."""

from __future__ import annotations

import pytest

from lobster_tasks.dockerfile.glued_words import glued_program, glued_words, quoted_script
from lobster_tasks.dockerfile.shell import ends_in_the_background

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
    ],
)
def test_what_rightly_holds_blanks_is_left_alone(words: list[str]) -> None:
    assert glued_words(words) == ()


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
        ("echo '&'", False),
        ("a 2>&1", False),
        ("a && b", False),
        ("a '", False),
        ("", False),
    ],
)
def test_a_script_that_ends_while_its_program_goes_on(script: str, ends: bool) -> None:
    assert ends_in_the_background(script) is ends
