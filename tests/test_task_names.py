"""Messages use the project's names of the tasks."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console as Rich
from rich.console import Group
from rich.text import Text

from lobster_tasks import namespace
from lobster_tasks.console import _called
from lobster_tasks.report.layout import labelled
from lobster_tasks.task_names import as_called

PACKAGE = Path(__file__).parents[1] / "lobster_tasks"
NAMES = {"deploy": "aws.deploy", "push-image": "aws.push_image", "push": "no"}


@pytest.mark.parametrize(
    ("text", "called"),
    [
        (
            "inv push-image --tag T, then inv deploy --tag T",
            "inv aws.push_image --tag T, then inv aws.deploy --tag T",
        ),
        ("(inv deploy)", "(inv aws.deploy)"),
        ("inv deploys, inv deploy-x, inv deploy_x, inv deploy.x, xinv deploy", None),
        ("inv status", None),
        ("inv  deploy", None),
        ("", None),
    ],
)
def test_a_command_is_named_as_it_is_called(text: str, called: str | None) -> None:
    assert as_called(text, NAMES) == (text if called is None else called)
    assert as_called(text, {}) == text


def test_what_is_drawn_is_laid_out_with_the_names_of_the_project() -> None:
    drawn = Group(
        labelled("next", "inv push-image, then inv deploy --tag T"),
        Text.assemble(("inv deploy", "bold"), " now"),
        "inv deploy",
    )
    out = StringIO()
    Rich(file=out, width=33).print(_called(drawn, NAMES))
    lines = [line.rstrip() for line in out.getvalue().splitlines()]
    assert lines[:3] == ["next", "    inv aws.push_image, then inv", "    aws.deploy --tag T"]
    assert lines[3:] == ["inv aws.deploy now", "inv aws.deploy"]
    called = _called(Text.assemble(("inv deploy", "bold"), " now"), NAMES)
    assert isinstance(called, Text)
    assert called.plain == "inv aws.deploy now"
    bold = [bool(called.get_style_at_offset(Rich(), at).bold) for at in range(len(called))]
    assert bold == [at < len("inv aws.deploy") for at in range(len(called))]


def sentences() -> Iterator[str]:
    """Every text of the library except its docstrings, without inserted values."""
    for file in PACKAGE.rglob("*.py"):
        tree = ast.parse(file.read_text(encoding="utf-8"))
        statements = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
        for node in ast.walk(tree):
            if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in statements:
                yield node.value


def test_every_command_that_a_sentence_names_is_a_task() -> None:
    """Otherwise it would not be replaced by the project's name, and would not exist."""
    known = {name.replace("_", "-") for name in namespace().task_names}
    named = {found[1] for text in sentences() for found in re.finditer(r"\binv ([a-z][\w.-]*[\w])", text)}
    assert len(named) > 15
    assert named <= known, named - known
