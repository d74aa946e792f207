"""What a list of words has that only a shell interprets: what is certain, what may be meant, what is nothing of it."""

from __future__ import annotations

import pytest

from lobster_tasks.dockerfile.shell_syntax import uninterpreted, words_behind_a_script


@pytest.mark.parametrize(
    ("words", "text"),
    [
        (["streamlit", "run", "app.py && echo hi"], "&&"),
        (["streamlit", "run", "app.py&&echo hi"], "&&"),
        (["streamlit", "run", "app.py; echo hi"], ";"),
        (["streamlit", "run", "app.py | tee log"], "|"),
        (["streamlit", "run", "app.py > log 2>&1"], ">"),
        (["streamlit", "run", "app.py>log"], ">"),
        (["streamlit", "run", "app.py &"], "&"),
        (["streamlit", "run", "$(cat name)"], "$("),
        (["streamlit", "run", "`cat name`"], "`"),
        (["streamlit", "run", "$APP"], "$APP"),
        (["streamlit", "run", "${APP:-app.py}"], "${APP:-app.py}"),
        (["streamlit", "run", "~/app.py"], "~"),
        (["streamlit", "run", "app.py", "&&", "echo", "hi"], "&&"),
        (["streamlit", "run", "app.py", "|", "tee", "log"], "|"),
        (["streamlit", "run", "app.py", ">", "log"], ">"),
        (["streamlit", "run", "app.py", "2>&1"], "2>&1"),
        (["streamlit", "run", "app.py", "2>/dev/null"], "2>/dev/null"),
        (["streamlit", "run", "app.py", "&"], "&"),
        (["python", "-m", "streamlit", "run", "app.py || true"], "||"),
        (["tini", "--", "streamlit", "run", "app.py && echo"], "&&"),
        (["uv", "run", "streamlit", "run", "app.py; true"], ";"),
        (["env", "A=1", "gunicorn", "app:app", "&&", "true"], "&&"),
        (["python", "app.py && echo"], "&&"),
        (["python", "app.py", "||", "true"], "||"),
        (["gunicorn", "$MODULE"], "$MODULE"),
        (["exec", "streamlit", "run", "app.py"], "exec"),
        (["cd", "/app", "&&", "streamlit", "run", "app.py"], "cd"),
        (["source", "venv/bin/activate"], "source"),
        (["PORT=80", "streamlit", "run", "app.py"], "PORT="),
        (["$HOME/bin/run"], "$HOME"),
        (["~/run"], "~"),
    ],
)
def test_what_no_program_takes_is_certain(words: list[str], text: str) -> None:
    first = uninterpreted(words)[0]
    assert (first.text, first.is_certain) == (text, True)


@pytest.mark.parametrize(
    ("words", "text"),
    [
        (["./entry.sh", "streamlit", "run", "app.py", "&&", "echo"], "&&"),  # it may end with eval "$*"
        (["/entry", "a && b"], "&&"),
        (["bash", "start.sh", "$PORT"], "$PORT"),
        (["java", "-jar", "app.jar", "--server.port=${PORT}"], "${PORT}"),  # Spring replaces it
        (["streamlit", "run", "app.py", "--server.port=$PORT"], "$PORT"),  # its check fails
        (["streamlit", "run", "app.py", "--", "a && b"], "&&"),
        (["python", "search.py", "a && b"], "&&"),
        (["python", "split.py", ";"], ";"),
        (["python", "title.py", "Q & A"], "&"),
        (["run", "--hash", "$argon2id$v=19"], "$argon2id"),
        (["run", "~/data"], "~"),
    ],
)
def test_what_may_be_meant_is_not_certain(words: list[str], text: str) -> None:
    first = uninterpreted(words)[0]
    assert (first.text, first.is_certain) == (text, False)


@pytest.mark.parametrize(
    "words",
    [
        [],
        ["streamlit", "run", "app.py", "--server.port=8501"],
        ["sh", "-c", "a && b; echo $X > log"],
        ["/bin/bash", "-o", "pipefail", "-ec", "a | b"],
        ["tini", "-g", "--", "sh", "-c", "exec a && b", "$0"],
        ["/entry.sh", "/bin/sh", "-c", "a && b"],
        ["python", "-c", "x = 1; print(x)"],
        ["node", "-e", "a && b || `${c}`"],
        ["doppler", "run", "--command", "a && b"],
        ["find", ".", "-exec", "cat", "{}", ";"],
        ["awk", "{print $NF; x}"],
        ["npx", "concurrently", "a && b", "c"],
        ["curl", "http://example.com/?a=1&b=2;c"],
        ["streamlit", "run", "https://example.com/app.py?a=1&b=2"],
        ["streamlit", "run", "pages/R&D.py"],
        ["/opt/r&d/run"],
        ["run", "--flag=a;b", "--separator", ";", "--format", "%(h)s | %(s)s"],
        ["uvicorn", "app:app", "--header", "Content-Security-Policy: default-src 'self'; img-src *"],
        ["gunicorn", "app:create(a=1)", "--forwarded-allow-ips", "*"],
        ["nginx", "-g", "daemon off;"],
        ["pip", "install", "x>=1", ">=2", "<html>", "a->b"],
        ["run", "^foo$", "cost: $5", "$$"],
        ["caddy", "reverse-proxy", "--from", ":{$PORT}"],
    ],
)
def test_what_something_interprets_is_left_alone(words: list[str]) -> None:
    assert uninterpreted(words) == ()


@pytest.mark.parametrize(
    ("words", "behind"),
    [
        (["sh", "-c", "streamlit", "run", "app.py"], ("run", "app.py")),
        (["tini", "--", "bash", "-lc", "./start", "8501"], ("8501",)),
        (["sh", "-c", "streamlit run app.py"], ()),
        (["sh", "-c", 'exec run "$@"', "sh", "a"], ()),
        (["sh", "-c", "$0", "run"], ()),
        (["sh", "start.sh", "run"], ()),
        (["streamlit", "run", "app.py"], ()),
    ],
)
def test_words_that_a_script_does_not_use(words: list[str], behind: tuple[str, ...]) -> None:
    assert words_behind_a_script(words) == behind
