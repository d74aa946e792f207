"""Strikes every call of every task and writes docs/faults.md: ``python -m tests.journeys.fault_table``."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.embedded_process import start

from .crash_stories import BY_NAME, STORIES
from .crashing import FAULTS, HOW_OFTEN, OFTEN, SPEED, Fault, Result, Stage, every, strike

PAGE = Path(__file__).parents[2] / "docs" / "faults.md"
HEAD = """\
# Faults

`scripts/faults` writes this page. On the embedded AWS it injects a fault into each call of each task that can change
the account, one call at a time. A case passes if the task, or the same command run again, ends with exactly the account
of a run without faults: every resource and attribute is compared, with the records in Route 53, App Runner and its
companion resources, and the files of the project. After a kill, a teardown must also leave the account empty, except
for what never belonged to the stack. `cleanup-apprunner` runs again only after App Runner had no requests for the time
of its gate, because the comparison of the previous run counts as traffic.

## One call

Passed / tried; in brackets, how many needed the same command again. *Killed* means that the process that made the call
got SIGKILL when AWS had done the work, before the answer. The library does not retry a call that AWS could then do
twice, such as RegisterTaskDefinition or CreatePolicyVersion: the next run finds the result. The number of a teardown's
calls varies: AWS refuses to delete a resource while another one uses it.

"""
AGAIN = f"""
## Again and again

Every n-th call fails, reads included, for n = {", ".join(map(str, HOW_OFTEN))}.

"""
_WORKERS = 4  # much of it is waiting


def main() -> int:
    """Write the page; 1 where a fault was not survived."""
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
