"""No text of a Dockerfile, a script, a variable or a configuration file ends the checks with anything but a finding."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lobster_tasks.dockerfile import mistake, parse
from lobster_tasks.dockerfile.scripts import faulty_scripts
from lobster_tasks.doctor import CHECKS, diagnose
from lobster_tasks.doctor.check import UnknownError
from lobster_tasks.doctor.command import servers, swallows_signals
from lobster_tasks.doctor.in_image import streamlit_server
from lobster_tasks.errors import DockerfileError
from tests.doctor.facts import facts

PROGRAMS = (
    "streamlit run a",
    "gunicorn a:b",
    "uvicorn a:b",
    "flask run",
    "fastapi run",
    "python -m http.server",
)
VARIABLES = (
    "GUNICORN_CMD_ARGS",
    "STREAMLIT_SERVER_PORT",
    "STREAMLIT_SERVER_ADDRESS",
    "PORT",
    "FLASK_RUN_PORT",
)
ODD = [
    "--access-logformat '%(h)s",
    '"',
    "\\",
    "9" * 5000,
    "\u00b2",
    "\u0663",
    "\0",
    "\ud800",
    "${X:-" * 3000,
    "$(" * 3000,
    "[" * 3000,
    "{ " * 3000,
    "if x; then " * 3000,
    "((((",
    "[::1",
    "[::1]]:80",
    "x" * 5000 + ".sh",
    "../" * 3000 + "x.sh",
    "${X/",
    "`",
    ">",
    "-b",
    "--",
    "env",
    "env -S",
    "sh -c",
    "<<EOF\nx",
    "<<A " * 3000 + "\nA" * 3000,
    '"${X#' * 3000,
    "f() { g; }; " * 300,
    "f() " * 300,
    "function",
    "trap",
    "case x in",
    "case x in a) ;;",
    ") fi } done",
    "",
]
TEXTS = st.sampled_from(ODD) | st.text(max_size=20)


def checked(text: str, folder: Path) -> None:
    """Everything that the doctor derives from a Dockerfile, which may be one that a builder refuses."""
    try:
        found = parse(text)
    except DockerfileError:
        return
    faulty_scripts(found, folder)
    found.lineage(found.final)
    about = {each: check for each, check in CHECKS.items() if each.startswith("dockerfile.")}
    assert {each.id for each in diagnose(facts(dockerfile=found)).checks} >= set(about)


@pytest.mark.parametrize("variable", VARIABLES)
@given(TEXTS)
def test_of_a_variable(variable: str, text: str) -> None:
    for program in PROGRAMS:
        for words in (
            program.split(),
            ["sh", "-c", program],
            ["env", f"{variable}={text}", *program.split()],
        ):
            servers(words, {variable: text}, {})


def test_gunicorn_refuses_arguments_with_an_open_quote() -> None:
    """``get_cmd_args_from_env`` of gunicorn.config calls ``shlex.split``, so nothing is known of where it listens."""
    environment = {"GUNICORN_CMD_ARGS": "--access-logformat '%(h)s", "PORT": "8501"}
    (found,) = servers(["gunicorn", "a:b"], environment, {})
    assert (found.port, found.address) == (None, "")


@given(TEXTS, st.sampled_from((*PROGRAMS, "", "exec", "if x; then", "source", "export A=", "PORT=")))
def test_of_a_script(text: str, program: str) -> None:
    for option in ("", "--port=", "--port ", "-b ", "--server.port="):
        words = ["sh", "-c", f"{program} {option}{text}", text]
        servers(words, {"PORT": text}, {})
        swallows_signals(words)


@given(st.lists(TEXTS, max_size=4), st.sampled_from(PROGRAMS))
def test_of_a_list(texts: list[str], program: str) -> None:
    for words in (texts, [*program.split(), *texts], [*texts, *program.split()]):
        servers(words, {}, {"port": texts and texts[0]})
        swallows_signals(words)
    for text in texts:
        mistake(text)


@pytest.mark.parametrize("text", ODD)
def test_of_a_dockerfile(text: str, tmp_path: Path) -> None:
    for keyword in ("CMD", "ENTRYPOINT", "ENV A=", "EXPOSE", "RUN", "SHELL", "STOPSIGNAL", "COPY", "USER"):
        for value in (text, json.dumps([text]), f'["{text}"]', f"{text} /x/"):
            checked(f"FROM x\nCOPY . .\n{keyword} {value}\nCMD [{json.dumps(text)}]", tmp_path)


def test_of_many_stages(tmp_path: Path) -> None:
    stages = "\n".join(f"FROM s{number} AS s{number + 1}" for number in range(2000))
    checked(f"FROM x AS s0\n{stages}", tmp_path)


@pytest.mark.parametrize("folders", ["/ /", "/a{0}/ /", "/ /a{0}/"])
def test_of_stages_that_copy_much_from_one_another(folders: str, tmp_path: Path) -> None:
    """The ways from a file of the last stage to one of the first are very many: 12 times as many with each stage."""
    stages = [
        "\n".join(
            (
                f"FROM x AS s{number}",
                *(f"COPY --from=s{number - 1} {folders.format(copy)}" for copy in range(12)),
            )
        )
        for number in range(1, 12)
    ]
    checked("\n".join(("FROM x AS s0", "COPY . .", *stages, 'CMD ["/a0/entry.sh"]')), tmp_path)


@pytest.mark.parametrize(
    "text",
    ["server = 3", 'server = "x"', "server = [1]", f"[server]\nport = {'9' * 5000}", "a = " + "[" * 3000],
)
def test_of_a_configuration_file(text: str) -> None:
    with pytest.raises(UnknownError, match=r"\.streamlit/config\.toml"):
        streamlit_server(text)
