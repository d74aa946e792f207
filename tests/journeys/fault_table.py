"""Strikes every call of every task and writes docs/faults.md: ``python -m tests.journeys.fault_table``."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.embedded_process import start
from tests.forks import start_server

from .crash_stories import BY_NAME, STORIES
from .crashing import FAULTS, HOW_OFTEN, OFTEN, SPEED, Fault, Result, Stage, every, strike

PAGE = Path(__file__).parents[2] / "docs" / "faults.md"
HEAD = """\
# Faults

Written by `scripts/faults`: every call of every task that may change the account is struck, one at a time, on the
embedded AWS. A case is survived when the task, or the same command again, ends in exactly the account that an
undisturbed run ends in, compared thing by thing and attribute by attribute, with the records in Route 53, App Runner
and what belongs to it, and the files in the project. After a kill a teardown has to leave the account empty besides,
but for what was never the stack's. `cleanup-apprunner` is given again once App Runner has been quiet for as long as its
gate wants: the comparison of the run before counts as visitors.

## One call

Survived / tried; in brackets, how many needed the same command again. `Killed` is SIGKILL to the process that made the
call, when the work was done and nothing more is carried out of what it asks for. A call that AWS may have carried out
twice, RegisterTaskDefinition or CreatePolicyVersion, is not sent again by itself: the next run finds what it made. A
teardown's calls vary in number: AWS refuses to delete what is in use until what uses it has gone.

"""
AGAIN = f"""
## Again and again

Every n-th call is struck, those that only read too, for n = {", ".join(map(str, HOW_OFTEN))}.

"""
_WORKERS = 4  # much of it is waiting


def main() -> int:
    """Write the page; 1 where a fault was not survived."""
    start_server()  # one for all workers
    with ProcessPoolExecutor(_WORKERS) as pool:
        longest_first = [story.name for story in reversed(STORIES)]
        results = [result for story in pool.map(_all_of, longest_first) for result in story]
    single = [result for result in results if not result.often]
    often = [result for result in results if result.often]
    PAGE.write_text(HEAD + _table(single, FAULTS) + AGAIN + _table(often, OFTEN))
    wrong = [str(result) for result in results if result.wrong]
    sys.stderr.write("\n".join([f"{PAGE}: {len(results)} faults, not survived: {len(wrong)}", *wrong, ""]))
    return 1 if wrong else 0


def _all_of(name: str) -> list[Result]:
    """Every case of one task, on an embedded AWS and in a process of its own, which is quiet."""
    story = BY_NAME[name]
    sys.stdout = sys.stderr = open(os.devnull, "w")  # noqa: SIM115 - what the tasks say, to the process's end
    with TemporaryDirectory() as folder, start(speed=SPEED, boot_allowance=2) as embedded:
        stage = Stage(embedded, Path(folder))
        single = [result for fault in FAULTS for result in every(stage, story, fault)]
        often = [strike(stage, story, fault, n) for fault in OFTEN for n in HOW_OFTEN]
    return [*single, *(result for result in often if result)]


def _table(results: list[Result], faults: Iterable[Fault]) -> str:
    names = [story.name for story in STORIES]
    return "".join(_rows(results, [fault.name for fault in faults], names))


def _rows(results: list[Result], faults: list[str], stories: list[str]) -> Iterator[str]:
    yield f"| | {' | '.join(f'`{name}`' for name in stories)} |\n"
    yield f"|---|{'---:|' * len(stories)}\n"
    for fault in faults:
        cells = [
            _cell([each for each in results if (each.fault, each.story) == (fault, name)]) for name in stories
        ]
        yield f"| {fault} | {' | '.join(cells)} |\n"


def _cell(results: list[Result]) -> str:
    survived = [result for result in results if result.how]
    again = sum(result.how == "by the same command again" for result in survived)
    return f"{len(survived)} / {len(results)}" + (f" ({again})" if again else "")


if __name__ == "__main__":
    raise SystemExit(main())
