"""A program that takes docker's place: it writes down how it was called, and does what it is told."""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

SCRIPT = """#!{python}
import json, os, pathlib, sys
folder = pathlib.Path({folder!r})
call = {{"arguments": sys.argv[1:], "cwd": os.getcwd()}}
if "--password-stdin" in sys.argv:
    call["input"] = sys.stdin.read()
with (folder / "calls").open("a") as calls:
    calls.write(json.dumps(call) + "\\n")
rule = json.loads((folder / "rules").read_text()).get(sys.argv[1], {{}})
print(rule.get("says", "working"), flush=True)
print(rule.get("complains", ""), file=sys.stderr)
exec(rule.get("does", ""))
sys.exit(rule.get("exit", 0))
"""


@dataclass(frozen=True)
class StandIn:
    """The program, and what it was told."""

    program: Path
    folder: Path

    def on(self, word: str, **rule: Any) -> None:
        """What to do on ``docker <word>``: exit, says, complains, does (Python)."""
        rules = json.loads((self.folder / "rules").read_text())
        (self.folder / "rules").write_text(json.dumps({**rules, word: rule}))

    @property
    def calls(self) -> list[dict[str, Any]]:
        """Every call so far."""
        record = self.folder / "calls"
        return [json.loads(line) for line in record.read_text().splitlines()] if record.exists() else []


def make(folder: Path, name: str) -> StandIn:
    """Put a program called ``name`` into ``folder/bin``."""
    program = folder / "bin" / name
    state = folder / f"{name}-state"
    program.parent.mkdir(exist_ok=True)
    state.mkdir()
    (state / "rules").write_text("{}")
    program.write_text(SCRIPT.format(python=sys.executable, folder=str(state)))
    program.chmod(0o755)
    return StandIn(program, state)
