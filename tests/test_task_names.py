"""Messages use the project's names of the tasks."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterator, Mapping
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console as Rich
from rich.console import Group
from rich.text import Text

from lobster_tasks import namespace, report
from lobster_tasks.apprunner.mapping import MappingRow
from lobster_tasks.console import Console, _called
from lobster_tasks.report.layout import labelled
from lobster_tasks.rollout import Cause, Moment, Outcome
from lobster_tasks.task_names import Verbatim, all_as_called, as_called, verbatim

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


OTHERS = "the log says: inv deploy --tag v1"
HINT, CALLED = "inv deploy --tag v1", "inv aws.deploy --tag v1"


def ended() -> Outcome:
    """A release with the same command in texts of others and in a hint of ours."""
    cause = Cause("exits", "message", (OTHERS,), HINT, (OTHERS,))
    return Outcome("failed", "why", cause, timeline=(Moment(1.0, Verbatim(OTHERS)), Moment(2.0, HINT)))


def printed(capsys: pytest.CaptureFixture[str], result: Mapping[str, Any]) -> Any:
    """The JSON that a project prints whose tasks are in a collection."""
    Console(quiet=True, names=NAMES).json(result)
    return json.loads(capsys.readouterr().out)


def test_a_hint_in_json_is_named_as_it_is_called_and_a_text_of_others_is_not(
    capsys: pytest.CaptureFixture[str],
) -> None:
    told = printed(capsys, report.outcome_json(ended()))
    assert told["cause"]["remedy"] == CALLED
    assert told["cause"]["evidence"] == [OTHERS, f"changed: {OTHERS}"]
    assert [each["what"] for each in told["timeline"]] == [OTHERS, CALLED]


def test_values_in_json_are_as_they_are(capsys: pytest.CaptureFixture[str]) -> None:
    settings = {"container": {"environment": {}, "command": ["sh", "-c", HINT]}, "tags": {HINT: HINT}}
    told = printed(capsys, {**report.settings_json(settings), "next": HINT, "inv deploy": 1})
    assert told == {**settings, "next": CALLED, "inv deploy": 1}
    document = {"Statement": [{"Sid": HINT}]}
    policies = report.policies_json(report.named("a", [document]), "123456789012", "aws")
    assert printed(capsys, policies)["policies"][0]["document"] == document
    row = MappingRow("StartCommand", "same", HINT, [HINT], HINT, HINT, (HINT,))
    told = printed(capsys, report.row_json(row))
    assert (told["from"], told["to"]) == (HINT, [HINT])
    assert (told["note"], told["decide"], told["commands"]) == (CALLED, CALLED, [CALLED])


def test_a_hint_in_a_report_is_named_as_it_is_called_and_a_text_of_others_is_not(
    capsys: pytest.CaptureFixture[str],
) -> None:
    console = Console(names=NAMES)
    console.show(report.outcome(ended()))
    console.show(report.moment(1.0, Verbatim(OTHERS)))
    console.show(report.settings({"tags": {"a": HINT}, "container": {"command": [HINT]}}))
    console.show(report.moment(2.0, HINT))
    said = capsys.readouterr().out
    assert said.count(OTHERS) == 3
    assert said.count(CALLED) == 2
    assert said.count(HINT) == 5


@pytest.mark.parametrize("value", [HINT, [HINT], {"a": [{"b": HINT}]}, 3, None, True])
def test_a_value_stays_what_it_is(value: Any) -> None:
    assert all_as_called(verbatim(value), NAMES) == value
    assert json.loads(json.dumps(all_as_called(value, NAMES))) == json.loads(
        json.dumps(value).replace("inv deploy", "inv aws.deploy")
    )


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
