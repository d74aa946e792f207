"""Patterns as Docker reads them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lobster_tasks.dockerfile.globs import BadPatternError
from lobster_tasks.dockerfile.ignore import DockerIgnore, compiled


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
    ignore = DockerIgnore(lines)
    assert [path for path in left_out if not ignore(path)] == []
    assert [path for path in kept if ignore(path)] == []


@pytest.mark.parametrize(
    ("exception", "folder", "reaches"),
    [
        ("src", ".venv", False),
        ("src/app", "src", True),
        ("src/app", "src/app", False),  # who keeps a folder keeps what is below it
        ("src/app", "src/other", False),
        ("src/*/x.py", "src/a", True),
        ("src/*/x.py", "src/a/b", False),
        ("s*/x.py", "src", True),
        ("**/x.py", "a/b/c", True),
        ("a/**/x.py", "a/b/c", True),
        ("a/**/x.py", "b", False),
    ],
)
def test_looks_only_where_an_exception_reaches(exception: str, folder: str, reaches: bool) -> None:
    assert DockerIgnore(["**", f"!{exception}"]).reaches_below(folder) is reaches


def test_without_exceptions_nothing_is_kept_below() -> None:
    assert not DockerIgnore(["*"]).reaches_below("src")


@pytest.mark.parametrize(
    ("pattern", "path", "matches"),
    [
        ("uv.lock*", "uv.lock", True),
        ("a*", "a/b", False),
        ("arr[[]0].txt", "arr[0].txt", True),
        ("src/**/x.py", "src/x.py", True),
        ("src/**/x.py", "src/a/b/x.py", True),
        ("a.c", "abc", False),
        ("a[]", "a[]", None),
        ("[unclosed", "[unclosed", None),
        ("[z-a]", "z", None),
        ("[^]", "^", None),
        ("**/[b-a]x", "x", None),
        ("[a-]", "a", None),
        ("[-a]", "a", None),
        ("a\\", "a\\", None),
        (r"[\]-]x", "]x", None),
        (r"[\]]x", "]x", True),
        ("[^/]", "a", True),
        ("a]", "a]", True),
        ("**", "a/b", True),
        ("a/**", "a/b/c", True),
        ("a**b", "ab", True),
        ("a**b", "axx/b", True),
        ("a**b", "axxb", False),
        ("**b", "axxb", True),
        ("**b*", "axxb", False),
        ("x*a**b", "xaab", True),
        ("*a?b*c", "aab-aabc", True),
    ],
)
def test_compiles(pattern: str, path: str, matches: bool | None) -> None:
    """As moby/patternmatcher does, and Go's filepath.Match, which refuses the pattern (None)."""
    if matches is None:
        with pytest.raises(BadPatternError):
            compiled(pattern)
    else:
        assert compiled(pattern).fullmatch(path) is matches


@given(st.text("ab/*?[]^-\\!# ", max_size=12), st.text("ab/]-", min_size=1, max_size=8))
def test_whatever_is_written_is_a_pattern_or_refused_with_its_line(line: str, path: str) -> None:
    refusal = "line 2: "
    try:
        assert DockerIgnore(["x", line])(path) in (True, False)
    except BadPatternError as error:
        refusal = str(error)
    assert refusal.startswith("line 2: ")
