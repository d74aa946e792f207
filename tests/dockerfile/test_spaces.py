"""White space and letters outside of ASCII, as BuildKit takes them (moby/buildkit, parser.go and line_parsers.go)."""

from __future__ import annotations

import ast
import sys

import pytest

from lobster_tasks.dockerfile import parse
from lobster_tasks.dockerfile.ignore import DockerIgnore
from lobster_tasks.dockerfile.spaces import SPACE, trimmed
from lobster_tasks.errors import DockerfileError
from tests.test_architecture import PACKAGE, name_of, tree_of

BETWEEN = "\t\v\f\r "
# Python takes these for white space, Go's unicode.IsSpace does not.
ONLY_PYTHONS = "".join(
    char for char in map(chr, range(sys.maxunicode + 1)) if char.isspace() and char not in SPACE
)
OTHER = [char for char in SPACE if char not in BETWEEN + "\n"]


def test_what_go_takes_for_white_space() -> None:
    assert ONLY_PYTHONS == "\x1c\x1d\x1e\x1f"
    assert trimmed(f"{SPACE}a{ONLY_PYTHONS}") == f"a{ONLY_PYTHONS}"


@pytest.mark.parametrize("space", BETWEEN.replace("\r", ""))
def test_what_is_between_words(space: str) -> None:
    text = f"FROM{space}python{space}AS{space}one\nEXPOSE{space}80{space}81\nCMD{space}run\n"
    stage = parse(text).final
    assert (stage.base, stage.name, [str(port) for port in stage.ports]) == (
        "python",
        "one",
        ["80/tcp", "81/tcp"],
    )


@pytest.mark.parametrize("space", [*OTHER, *ONLY_PYTHONS])
def test_what_is_not(space: str) -> None:
    with pytest.raises(DockerfileError, match=r"there is no instruction|has no arguments"):
        parse(f"FROM{space}python\n")
    assert parse(f"FROM py{space}thon\n").final.base == f"py{space}thon"
    with pytest.raises(DockerfileError):
        parse(f"FROM a\nEXPOSE 80{space}x\n")


@pytest.mark.parametrize("space", OTHER)
def test_what_is_around_lines_and_between_words_that_may_be_in_quotes(space: str) -> None:
    text = f"{space}FROM python{space}\n{space}# a comment\n{space}\nENV A=1{space}B=2\n"
    stage = parse(text).final
    assert (stage.base, stage.environment["A"], stage.environment["B"]) == ("python", "1", "2")
    assert DockerIgnore([f"{space}a{space}"])("a")


@pytest.mark.parametrize("char", ONLY_PYTHONS)
def test_pythons_own_stay_in_words(char: str) -> None:
    assert parse(f"FROM a\nENV A=1{char}B=2\n").final.environment["A"] == f"1{char}B=2"
    assert not DockerIgnore([f"a{char}"])("a")


@pytest.mark.parametrize(
    "text", ['FROM a\n\u017fHELL ["x"]\n', "FROM a \u0101s b\n", "FROM a\nEXPOSE \u0663\n"]
)
def test_letters_and_digits_are_asciis(text: str) -> None:
    with pytest.raises(DockerfileError):
        parse(text)


def test_no_reader_of_dockerfiles_asks_python_what_white_space_is() -> None:
    folders = (PACKAGE / "dockerfile", PACKAGE / "images")
    readers = {
        *(folders[0] / name for name in ("lines.py", "words.py", "stages.py", "ignore.py")),
        folders[1] / "layer.py",
    }
    asking = {
        (name_of(file), ast.unparse(node))
        for file in readers
        for node in ast.walk(tree_of(file))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and not node.args
        if node.func.attr in ("split", "strip", "lstrip", "rstrip", "isspace", "isdigit", "isdecimal")
    }
    assert asking == set()
