"""Patterns as Docker reads them."""

from __future__ import annotations

import pytest

from lobster_tasks.images.ignore import Ignore, compiled


@pytest.mark.parametrize(
    ("lines", "left_out", "kept"),
    [
        (["*.md"], ["README.md"], ["docs/README.md", "README.mdx"]),
        (["**/*.md"], ["README.md", "docs/README.md", "a/b/c.md"], ["README"]),
        (["/secret"], ["secret", "secret/inner/file"], ["other/secret"]),
        (["docs/"], ["docs", "docs/a"], ["docs2"]),
        (["temp?"], ["tempa", "tempb/x"], ["temp", "tempab", "x/tempa"]),
        (["*/temp*"], ["a/temporary", "a/temp/b"], ["temp", "a/b/temp"]),
        (["**/__pycache__"], ["__pycache__/x.pyc", "a/b/__pycache__"], ["pycache"]),
        (["**/node_modules/**"], ["node_modules/x", "a/node_modules/b/c"], ["node_modules"]),
        (["*", "!app.py", "!src"], ["data/x", "README"], ["app.py", "src/deep/x"]),
        (["*.md", "!README*.md", "README-secret.md"], ["x.md", "README-secret.md"], ["README.md"]),
        (["# comment", "", "  a  "], ["a"], ["# comment"]),
        (["./a/../b"], ["b"], ["a"]),
        (["[ab].txt"], ["a.txt"], ["c.txt", "[ab].txt"]),
        (["[^a].txt"], ["b.txt"], ["a.txt"]),
        ([r"\*.txt"], ["*.txt"], ["a.txt"]),
        ([".git"], [".git/HEAD"], [".gitignore"]),
        ([], [], ["anything"]),
    ],
)
def test_the_last_pattern_that_matches_decides(
    lines: list[str], left_out: list[str], kept: list[str]
) -> None:
    ignore = Ignore(lines)
    assert [path for path in left_out if not ignore(path)] == []
    assert [path for path in kept if ignore(path)] == []


def test_knows_of_exceptions() -> None:
    assert Ignore(["*", "!a"]).has_exceptions
    assert not Ignore(["a"]).has_exceptions


@pytest.mark.parametrize(
    ("pattern", "path", "matches"),
    [
        ("uv.lock*", "uv.lock", True),
        ("a*", "a/b", False),
        ("arr[[]0].txt", "arr[0].txt", True),
        ("src/**/x.py", "src/x.py", True),
        ("src/**/x.py", "src/a/b/x.py", True),
        ("a.c", "abc", False),
        ("[unclosed", "[unclosed", True),
    ],
)
def test_compiles(pattern: str, path: str, matches: bool) -> None:
    assert bool(compiled(pattern).fullmatch(path)) is matches
