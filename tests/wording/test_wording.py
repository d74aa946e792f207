"""No logic reads its own prose: with other words in every sentence of the product it decides the same.

The tests below are run in two processes, in one of them reworded, and what was decided in each is compared: verdicts,
codes of causes and checks, statuses, plans. What they assert of sentences does not count there.
"""

from __future__ import annotations

import ast
import json
import subprocess
import sys
from collections.abc import Iterator, Mapping
from itertools import zip_longest
from pathlib import Path
from typing import Any

import pytest

from tests.embedded_process import PATIENCE
from tests.wording.rewording import DECIDING, NOT_OURS, PRODUCT, Rewording

ROOT = Path(__file__).parents[2]
TESTS = (
    *("tests/converge", "tests/dockerfile", "tests/rollout"),
    *(f"tests/doctor/test_{each}.py" for each in ("checks", "command", "expiry", "keys", "trust")),
    *(f"tests/apprunner/test_{each}.py" for each in ("cutover_routes", "comparison", "mapping")),
    *(f"tests/wording/test_{each}.py" for each in ("account", "across")),
)
Run = Mapping[str, Mapping[str, Any]]


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> tuple[Run, Run]:
    """What was decided in each test: with the product's words, and with others."""
    folder = tmp_path_factory.mktemp("wording")
    words = [[str(folder / "plain.json")], [str(folder / "reworded.json"), "reworded"]]
    started = [
        subprocess.Popen(
            [sys.executable, "-m", "tests.wording", *each, *TESTS],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        for each in words
    ]
    try:
        told = [each.communicate(timeout=PATIENCE)[0] for each in started]
    finally:
        for each in started:
            each.kill()
    assert [Path(each[0]).exists() for each in words] == [True, True], told
    plain, reworded = (json.loads(Path(each[0]).read_text()) for each in words)
    return plain, reworded


def test_the_tests_pass_as_they_are(runs: tuple[Run, Run]) -> None:
    plain, reworded = runs
    assert [name for name, each in plain.items() if not each["passed"]] == []
    assert plain.keys() == reworded.keys()
    assert sum(len(each["notes"]) for each in plain.values()) > 10_000


def test_other_words_decide_the_same(runs: tuple[Run, Run]) -> None:
    plain, reworded = runs
    found = [f"{name}\n  {other}" for name in plain for other in others(plain[name], reworded[name])]
    assert not found, "\n".join(found)


def others(plain: Mapping[str, Any], reworded: Mapping[str, Any]) -> Iterator[str]:
    """What was decided otherwise first; where an assertion about words ended the test there is no more to compare."""
    for was, now in zip_longest(plain["notes"], reworded["notes"]):
        if was != now and not (now is None and not reworded["passed"]):
            yield f"{was}\n  not {now}"
            return
    if reworded["error"]:
        yield reworded["error"]


def rewording(file: Path) -> Rewording:
    """What becomes of a module."""
    source = file.read_text(encoding="utf-8")
    module = ".".join(file.relative_to(ROOT / PRODUCT).with_suffix("").parts).removesuffix("__init__")
    made = Rewording(module.removesuffix("."), source)
    made.visit(ast.parse(source))
    return made


def test_most_of_the_product_is_reworded() -> None:
    files = (ROOT / PRODUCT).rglob("*.py")
    assert sum(len(rewording(each).reworded) for each in files) > 1500


def source_of(module: str) -> str:
    """Of a module, or of a package itself."""
    place = ROOT / PRODUCT / Path(*module.split("."))
    file = place / "__init__.py" if place.is_dir() else place.with_suffix(".py")
    return file.read_text(encoding="utf-8")


@pytest.mark.parametrize("module", DECIDING)
def test_what_decides_is_there(module: str) -> None:
    """The answers of a function that has another name now would be noted no more."""
    functions = {each.name for each in ast.parse(source_of(module)).body if isinstance(each, ast.FunctionDef)}
    assert DECIDING[module] <= functions


@pytest.mark.parametrize("module", NOT_OURS)
def test_what_is_left_alone_is_there(module: str) -> None:
    text = source_of(module)
    assert [each for each in NOT_OURS[module] if each not in text and each != "*"] == []


def test_each_place_gets_words_of_its_own() -> None:
    source = 'a = "there is no role"\nb = "there is no role"\nc = f"no {a:.3} for {b}"\nd = r"a b"\n'
    made = Rewording("m", source)
    values: dict[str, str] = {}
    code = compile(ast.fix_missing_locations(made.visit(ast.parse(source))), "m", "exec")
    exec(code, values)
    assert len({values["a"], values["b"], "there is no role"}) == 3
    assert values["d"] == "a b"
    assert "no " not in values["c"]
