"""The steps of a cut-over: what each does, how to undo it, and whether it is done. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from ...settings import VIEWER_CERTIFICATES_IN
from .routes import WHOLE, Route
from .state import CutoverState

STAGES = (10, 50, WHOLE)
Kind = Literal["certificate", "https", "records", "shift"]
_BACK = "inv cutover --back"


@dataclass(frozen=True)
class CutoverStep:
    """One step; ``share`` is the percentage that a shift gives to Fargate."""

    kind: Kind
    what: str
    undo: str
    done: bool = False
    share: int = 0

    @property
    def name(self) -> str:
        """The name to show."""
        return f"{self.share} %" if self.kind == "shift" else self.kind


def steps(now: CutoverState, to: int = WHOLE) -> tuple[CutoverStep, ...]:
    """All steps until ``to`` per cent, including those that are done."""
    return (*_secure(now), *_records(now), *_shifts(now, to))


def steps_back(now: CutoverState) -> tuple[CutoverStep, ...]:
    """The steps that move every domain back to where it was."""
    return tuple(
        CutoverStep(
            "records",
            f"{route.domain} {route.kind}: all to {route.leads_to}{'' if route.idle else ', one simple record'}",
            "inv cutover",
        )
        for route in now.routes
        if route.is_pair
    )


def _secure(now: CutoverState) -> Iterator[CutoverStep]:
    if now.certificate is not None:
        where = f" in {VIEWER_CERTIFICATES_IN}" if now.destination.is_distribution else ""
        what = f"a certificate of ACM{where} for {', '.join(now.domains)}, validated by DNS"
        yield CutoverStep(
            "certificate", what, "aws acm delete-certificate; inv teardown deletes it too", now.proven
        )
    name, front = now.destination.name, now.destination.is_distribution
    what = f"HTTPS on {name}:443, and a redirect from HTTP"
    if now.asks_to_sign_in:
        what += "; visitors of Fargate sign in before they reach the app"
    if front:
        what = f"{', '.join(now.domains)} on {name}, with the certificate; takes some minutes"
    setting = "front.certificate" if front else "load_balancer.certificate"
    undo = f"remove domains and {setting} from the settings, then inv setup-fargate"
    yield CutoverStep("https", what, undo, now.proven and not now.https.changes)


def _records(now: CutoverState) -> Iterator[CutoverStep]:
    for route in now.routes:
        done = route.after is not None
        if route.before is None:
            what = f"{route.domain} {route.kind}: an alias to {now.destination.name}"
            yield CutoverStep("records", what, f"delete the record of {route.domain}", done)
        else:
            yield CutoverStep("records", _weighted(route, now.goal), _BACK, done)


def _weighted(route: Route, goal: str) -> str:
    lower = f", TTL {route.ttl} → 60 s" if not route.is_pair and route.ttl > 60 else ""
    shares = f"{WHOLE - route.share} % {route.leads_to}, {route.share} % {goal}" if route.is_pair else ""
    return f"{route.domain} {route.kind}: {shares or f'weighted, all to {route.leads_to}{lower}'}"


def _shifts(now: CutoverState, to: int) -> Iterator[CutoverStep]:
    if not any(route.before is not None for route in now.routes):
        return
    for share in stages(to):
        what = f"{share} % of the visitors to {now.goal}, {WHOLE - share} % to {now.source}"
        yield CutoverStep("shift", what, _BACK, now.share >= share, share)


def stages(to: int) -> Sequence[int]:
    """The shares on the way to ``to`` per cent."""
    return (*(share for share in STAGES if share < to), to)
