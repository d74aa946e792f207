"""Lists the sentences that people read: ``python -m tests.sentences [PATH …]``, one per line with its file and
line.

In the product: literals and f-strings with a blank and a word, expressions in braces; no docstrings, except for
the tasks' (their help), and no patterns. In the documents: paragraphs, list items and rows of tables outside blocks.
"""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[1]
PRODUCT, TASKS = ROOT / "lobster_tasks", ROOT / "lobster_tasks" / "tasks"
DOCUMENTS = ("*.md", "action.yml", "docs/**/*.md")
_WORDS = re.compile(r"[A-Za-z]{2,}.* |.* [A-Za-z]{2,}")
_BLOCK = re.compile(r"^```.*?^```$", re.MULTILINE | re.DOTALL)
_PARAGRAPH = re.compile(r"(?:^(?:\||- |#).+(?:\n {2,}.+)*|(?:^[^|#\n-].*\n?)+)", re.MULTILINE)

Sentence = tuple[Path, int, str]


def of_code(path: Path) -> Iterator[Sentence]:
    """A module's sentences in order, with the expressions of f-strings as written."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    skipped: set[ast.AST] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef) and ast.get_docstring(node):
            skipped |= set() if _is_task(path, node) else {node.body[0]}
        elif isinstance(node, ast.Call) and ast.unparse(node.func).startswith("re."):
            skipped.add(node)
    found = sorted(_texts(tree, skipped))
    yield from ((path, line, " ".join(text.split())) for line, text in found if _WORDS.match(text))


def of_document(path: Path) -> Iterator[Sentence]:
    """A document's paragraphs, each with its first line."""
    text = path.read_text(encoding="utf-8")
    prose = _BLOCK.sub(lambda block: "\n" * block[0].count("\n"), text)
    for each in _PARAGRAPH.finditer(prose):
        if _WORDS.search(each[0]):
            yield path, prose.count("\n", 0, each.start()) + 1, " ".join(each[0].split())


def _is_task(path: Path, node: ast.AST) -> bool:
    return path.parent == TASKS and any(
        "command" in ast.unparse(each) for each in getattr(node, "decorator_list", [])
    )


def _texts(node: ast.AST, skipped: set[ast.AST]) -> Iterator[tuple[int, str]]:
    if node in skipped:
        return
    if isinstance(node, ast.JoinedStr):
        yield node.lineno, ast.unparse(node)[1:].strip("'\"")
    elif isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield node.lineno, node.value
    for child in ast.iter_child_nodes(node):
        if not (isinstance(node, ast.JoinedStr) and isinstance(child, ast.Constant)):
            yield from _texts(child, skipped)


def main() -> None:
    """Print the sentences of the given paths, by default all."""
    chosen, product = [Path(each).resolve() for each in sys.argv[1:]], sorted(PRODUCT.rglob("*.py"))
    documents = [path for pattern in DOCUMENTS for path in sorted(ROOT.glob(pattern))]
    for path in [*product, *documents]:
        if not chosen or any(path.is_relative_to(each) for each in chosen):
            for where, line, text in of_code(path) if path.suffix == ".py" else of_document(path):
                sys.stdout.write(f"{where.relative_to(ROOT)}:{line}: {text}\n")


if __name__ == "__main__":
    main()
