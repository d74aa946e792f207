"""Brings about every failure and writes the table of docs/causes.md: ``python -m tests.journeys.table``."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from statistics import median, quantiles

from lobster_tasks.aws import Aws
from lobster_tasks.clock import Clock
from lobster_tasks.rollout import CODES
from tests.embedded_process import EmbeddedProcess, start

from .failures import ALONE, FAILURES, Ended, Failure, all_of, bring_about
from .releasing import Account, set_up

SPEED = 20.0
PAGE = Path(__file__).parents[2] / "docs" / "causes.md"
HEAD = """\
# Causes

A release that does not become live ends with one cause (or the two that fit), what shows it, and the next command.
Programs find the code in `cause.code` of `--json`; a code never changes its meaning.

| code | |
|---|---|
"""
TABLE = """
## Brought about

Written by `scripts/causes`: each failure is brought about on the embedded AWS, as real processes behind a real load
balancer. Seconds are AWS's, from the start of the command to the verdict; *stopped by* says who ended the deployment.

| what is done | verdict | cause | seconds | stopped by |
|---|---|---|---:|---|
"""


def main() -> int:
    """Write the page; 1 where a verdict or a cause is wrong."""
    with start(speed=SPEED, boot_allowance=2) as embedded:
        ended = all_of(_account(embedded), FAILURES)
        for failure in ALONE:
            ended[failure.name] = bring_about(_account(embedded), failure)
    every = [*FAILURES, *ALONE]
    PAGE.write_text(HEAD + "".join(_codes()) + TABLE + "".join(_rows(every, ended)) + _figures(every, ended))
    wrong = [
        failure.name
        for failure in every
        if not (_verdict_is_right(failure, ended) and _cause_is_right(failure, ended))
    ]
    sys.stderr.write(f"{PAGE}: {len(every)} failures, wrong: {', '.join(wrong) or 'none'}\n")
    return 1 if wrong else 0


def _account(embedded: EmbeddedProcess) -> Account:
    embedded.reset()
    keys = {"aws_access_key_id": "AKIAEXAMPLE", "aws_secret_access_key": "example"}
    return set_up(
        embedded, Aws("us-east-2", endpoint_url=embedded.url, credentials=keys, clock=Clock(speed=SPEED))
    )


def _codes() -> Iterator[str]:
    for code, meaning in CODES.items():
        yield f"| [{code}](causes/{code}.md) | {meaning} |\n"


def _rows(failures: list[Failure], ended: Mapping[str, Ended]) -> Iterator[str]:
    for failure in failures:
        outcome = ended[failure.name].outcome
        codes = [each.code for each in (outcome.cause, *outcome.also) if each]
        links = ", ".join(f"[{code}](causes/{code}.md)" for code in codes)
        verdict = outcome.verdict.replace("_", " ")
        yield f"| {failure.what} | {verdict} | {links} | {outcome.seconds:.0f} | {_stopped_by(ended[failure.name])} |\n"


def _stopped_by(ended: Ended) -> str:
    said = " ".join(moment.what for moment in ended.outcome.timeline)
    if "so the deployment is stopped and rolled back" in said or "desired count → 0" in said:
        return "`inv deploy`"
    return "circuit breaker" if "circuit breaker threshold" in said else ""


def _figures(failures: list[Failure], ended: Mapping[str, Ended]) -> str:
    verdicts = sum(_verdict_is_right(each, ended) for each in failures)
    causes = sum(_cause_is_right(each, ended) for each in failures)
    late = sorted(each.late for each in ended.values() if each.late is not None)
    p95 = quantiles(late, n=20)[-1]
    return f"""
{len(failures)} failures: the verdict is right in {verdicts}, the cause in {causes}. From the moment that the outcome is
decided in AWS to the verdict: median {median(late):.1f} s, 95th percentile {p95:.1f} s, of {len(late)} that ECS ends by
itself or when asked. The stock waiter (`services_stable`) looks every 15 s, calls a rolled-back deployment stable, and
gives up on one that cannot come after 600 s.
"""


def _verdict_is_right(failure: Failure, ended: Mapping[str, Ended]) -> bool:
    return ended[failure.name].outcome.verdict == failure.verdict


def _cause_is_right(failure: Failure, ended: Mapping[str, Ended]) -> bool:
    outcome = ended[failure.name].outcome
    codes = [each.code for each in (outcome.cause, *outcome.also) if each]
    return codes == [failure.code, *failure.also]


if __name__ == "__main__":
    raise SystemExit(main())
