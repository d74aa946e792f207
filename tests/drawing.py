"""Draws docs/architecture.svg from the import contracts: ``python -m tests.drawing``."""

from __future__ import annotations

import ast
import re
import tomllib
from collections.abc import Iterator, Sequence
from html import escape
from pathlib import Path

ROOT = Path(__file__).parents[1]
PICTURE = ROOT / "docs" / "architecture.svg"

COLUMN, GAP, MARGIN = 620, 40, 20  # pixels
LINE, PADDING = 17, 8
TOP = 64
FILLS = ("#eef4fb", "#f3f7ee")

Row = Sequence[tuple[str, str]]
"""The modules of one layer: name and purpose."""


def rows(package: str) -> list[Row]:
    """The layers of a package from the top, from the import contract about it."""
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    layers = next(
        contract["layers"]
        for contract in contracts
        if contract["type"] == "layers" and _is_about(contract, package)
    )
    named = [[name.strip().removeprefix(f"{package}.") for name in layer.split("|")] for layer in layers]
    return [[(name, _purpose(package, name)) for name in layer] for layer in named]


def _is_about(contract: dict[str, list[str]], package: str) -> bool:
    return package in contract.get("containers", ()) or contract["layers"][0].startswith(f"{package}.")


def _purpose(package: str, name: str) -> str:
    """The first sentence of a module's docstring."""
    file = ROOT / package / f"{name}.py"
    source = file if file.is_file() else ROOT / package / name / "__init__.py"
    text = ast.get_docstring(ast.parse(source.read_text())) or ""
    return re.split(r"(?<=[a-z])[.;] ", text.partition("\n\n")[0].replace("\n", " ").replace("``", ""))[
        0
    ].rstrip(".")


def svg() -> str:
    """Both packages side by side, each layer below those that may import it."""
    columns = {"lobster_tasks": rows("lobster_tasks"), "embedded_aws": rows("embedded_aws")}
    height = TOP + max(sum(map(_height, column)) for column in columns.values()) + MARGIN
    width = 2 * MARGIN + 2 * COLUMN + GAP
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" role="img" '
        'font-family="system-ui, sans-serif" font-size="13">'
    )
    title = "<title>The packages lobster_tasks and embedded_aws in their layers</title>"
    drawn = [head, title, f'<rect width="{width}" height="{height}" fill="#ffffff"/>']
    for number, (name, column) in enumerate(columns.items()):
        left = MARGIN + number * (COLUMN + GAP)
        drawn.append(f'<text x="{left}" y="30" font-size="18" font-weight="600">{name}/</text>')
        drawn.append(
            f'<text x="{left}" y="50" fill="#555555">each row imports from the rows below it only</text>'
        )
        drawn += _column(column, left, FILLS[number])
    between = MARGIN + COLUMN + GAP // 2
    drawn.append(
        f'<path d="M{between} {TOP} V{height - MARGIN}" stroke="#999999" stroke-dasharray="4 4"/>'
        f'<text x="{between}" y="30" fill="#555555" text-anchor="middle">HTTP</text>'
    )
    return "\n".join([*drawn, "</svg>", ""])


def _height(row: Row) -> int:
    return len(row) * LINE + PADDING + 6


def _column(column: Sequence[Row], left: int, fill: str) -> Iterator[str]:
    top = TOP
    for row in column:
        height = _height(row) - 6
        yield f'<rect x="{left}" y="{top}" width="{COLUMN}" height="{height}" rx="4" fill="{fill}" stroke="#b8c4d0"/>'
        for number, (name, purpose) in enumerate(row):
            y = top + PADDING // 2 + 13 + number * LINE
            yield f'<text x="{left + 10}" y="{y}" font-weight="600">{escape(name)}</text>'
            yield f'<text x="{left + 190}" y="{y}" font-size="12" fill="#333333">{escape(_short(purpose))}</text>'
        top += _height(row)


def _short(text: str, most: int = 68) -> str:
    """A sentence, shortened to the available width; a list after a colon is dropped first."""
    if len(text) > most and text.find(": ") > 30:
        text = text.partition(": ")[0]
    return text if len(text) <= most else f"{text[: most - 1].rsplit(' ', 1)[0].rstrip(',')} …"


if __name__ == "__main__":
    PICTURE.write_text(svg())
