"""Expansion as BuildKit does it."""

from __future__ import annotations

import pytest

from lobster_tasks.dockerfile.words import WordError, expand, raw_words

VARIABLES = {"PORT": "8501", "EMPTY": "", "HOST": "app.example", "PATHS": "/a/b/c", "STAR": "a*c"}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("plain", "plain"),
        ("$PORT", "8501"),
        ("${PORT}", "8501"),
        ("$PORT/tcp", "8501/tcp"),
        ("x${PORT}y", "x8501y"),
        ("$ABSENT", ""),
        ("${ABSENT:-9000}", "9000"),
        ("${ABSENT:-${PORT}}", "8501"),
        ("${ABSENT:-${ALSO_ABSENT:-deep}}", "deep"),
        ("${EMPTY:-9000}", "9000"),
        ("${EMPTY-9000}", ""),
        ("${PORT:-9000}", "8501"),
        ("${PORT:+set}", "set"),
        ("${EMPTY:+set}", ""),
        ("${EMPTY+set}", "set"),
        ("${PORT:?no port}", "8501"),
        (r"\$PORT", "$PORT"),
        (r"\${PORT}", "${PORT}"),
        ("'$PORT'", "$PORT"),
        ('"$PORT"', "8501"),
        (r'"a \"b\" c"', 'a "b" c'),
        (r'"\n stays"', r"\n stays"),
        (r"a\ b", "a b"),
        ("it costs $", "it costs $"),
        ("100%", "100%"),
        ("${PATHS#/*/}", "b/c"),
        ("${PATHS##*/}", "c"),
        ("${PATHS%/*}", "/a/b"),
        ("${PATHS%%/*}", ""),
        ("${PATHS/b/x}", "/a/x/c"),
        (r"${PATHS//\//-}", "-a-b-c"),
        (r"${STAR#a\*}", "c"),
        (r"${HOST%.*}", "app"),
        ("${PATHS//*/x}", "x"),
        ("${PATHS//?/x}", "xxxxxx"),
        ("${PATHS//\\/?/-}", "---"),
        ("${HOST/p*e/-}", "a-"),
        ("${HOST/z/-}", "app.example"),
        ("${EMPTY/*/x}", "x"),
    ],
)
def test_expands(text: str, expected: str) -> None:
    assert expand(text, VARIABLES) == expected


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("'open", "open"),
        ('"open', "open"),
        ("${PORT", "modifier"),
        ("${PORT:-x", "}"),
        ("${}", "name"),
        ("${PORT:=x}", "modifier"),
        ("${ABSENT:?give a port}", "ABSENT: give a port"),
        ("${ABSENT?}", "needs a value"),
    ],
)
def test_refuses(text: str, says: str) -> None:
    with pytest.raises(WordError) as refused:
        expand(text, VARIABLES)
    assert says in str(refused.value)


def test_keeps_quotes_in_a_heredoc() -> None:
    assert expand("say \"$PORT\" and 'it'", VARIABLES, quotes=False) == "say \"8501\" and 'it'"


def test_takes_another_escape_character() -> None:
    assert expand(r"c:\$PORT `$PORT", VARIABLES, escape="`") == r"c:\8501 $PORT"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a b", ["a", "b"]),
        ('a="x y" b=1', ['a="x y"', "b=1"]),
        ("a='x y'  b=1", ["a='x y'", "b=1"]),
        (r"a=x\ y b=1", [r"a=x\ y", "b=1"]),
        (r'a="say \"hi there\"" b', [r'a="say \"hi there\""', "b"]),
        ("it's=1 b", ["it's=1 b"]),
        (r"a='back\' b", [r"a='back\'", "b"]),
        ("", []),
    ],
)
def test_splits_outside_quotes(text: str, expected: list[str]) -> None:
    assert raw_words(text) == expected
