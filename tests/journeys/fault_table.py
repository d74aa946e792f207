"""Strikes every call of every task and writes docs/faults.md: ``python -m tests.journeys.fault_table``."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tests.embedded_process import start

from .crashing import FAULTS, HOW_OFTEN, OFTEN, SPEED, STORIES, Fault, Result, Stage, Story, every, strike

PAGE = Path(__file__).parents[2] / "docs" / "faults.md"
HEAD = """\
# Faults

Written by `scripts/faults`: every call of every task that may change the account is struck, one at a time, on the
embedded AWS. A case is survived when the task, or the same command again, ends in exactly the account that an
undisturbed run ends in, compared thing by thing and attribute by attribute; after a kill a teardown has to leave the
account empty besides.

## One call

Survived / tried; in brackets, how many needed the same command again. `Killed` is SIGKILL to the process that made the
call, when the work was done and nothing more is carried out of what it asks for. A call that AWS may have carried out
twice, RegisterTaskDefinition, is not sent again by itself: the next run finds the revision.

"""
AGAIN = f"""
## Again and again

Every n-th call is struck, those that only read too, for n = {", ".join(map(str, HOW_OFTEN))}.

"""
_WORKERS = 2


def main() -> int:
    """Write the page; 1 where a fault was not survived."""
    show = sys.stderr
    with open(os.devnull, "w") as nowhere:  # what the tasks say
        sys.stdout = sys.stderr = nowhere
        with ThreadPoolExecutor(_WORKERS) as pool:
            results = [result for story in pool.map(_all_of, STORIES) for result in story]
    sys.stdout, sys.stderr = sys.__stdout__, show
    single = [result for result in results if not result.often]
    often = [result for result in results if result.often]
    PAGE.write_text(HEAD + _table(single, FAULTS) + AGAIN + _table(often, OFTEN))
    wrong = [str(result) for result in results if result.wrong]
    sys.stderr.write("\n".join([f"{PAGE}: {len(results)} faults, not survived: {len(wrong)}", *wrong, ""]))
    return 1 if wrong else 0


def _all_of(story: Story) -> list[Result]:
    """Every case of one task, on an embedded AWS of its own."""
    with start(speed=SPEED, boot_allowance=2) as embedded:
        stage = Stage(embedded)
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
