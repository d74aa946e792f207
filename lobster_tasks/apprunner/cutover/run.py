"""Performs a cut-over step by step, and rolls it back."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, field
from functools import partial

from ... import converge
from ...account import NameServers
from ...aws import Aws
from ...errors import InterruptedRunError, RefusedError
from ...rollout import Observe, Timeline, unobserved
from ...settings import Settings
from ..firewalls import refuse_unprotected
from . import records, routes
from .delegation import refuse_undelegated
from .outcome import CutoverResult, CutoverVerdict
from .routes import WHOLE, RequiredRecord, Route
from .state import CutoverState, read_state, refresh_routes
from .steps import CutoverStep, stages, steps, steps_back
from .validation import validate
from .visits import VisitResult, refuse_unresponsive, visit

HOLD_SECONDS = 60.0
WAIT_SECONDS = 1800.0
_VISIT_EVERY_SECONDS = 10.0


def preview(
    aws: Aws,
    settings: Settings,
    *,
    to: int = WHOLE,
    back: bool = False,
    name_servers: NameServers | None = None,
    accept: Collection[str] = (),
) -> CutoverResult:
    """The steps that ``cut_over``, or ``go_back``, would take, without changing anything. Raises RefusedError."""
    now = read_state(aws, settings, name_servers)
    if not back:
        _unchecked(aws, settings, now, name_servers, accept)
    return CutoverResult(
        "planned", _shares(now), steps_back(now) if back else steps(now, to), _instructions(now)
    )


def cut_over(
    aws: Aws,
    settings: Settings,
    *,
    to: int = WHOLE,
    hold: float = HOLD_SECONDS,
    wait: float = WAIT_SECONDS,
    name_servers: NameServers | None = None,
    accept: Collection[str] = (),
    observe: Observe = unobserved,
) -> CutoverResult:
    """Lead the domains to Fargate until it gets ``to`` per cent of the visitors.

    Continues where an earlier run stopped, according to the account. Watches each share for ``hold`` seconds once every
    resolver has it; after the first wrong answer, all visitors go back to the previous location (``stepped_back``).
    ``wait`` is the time limit for the certificate in seconds. ``name_servers`` asks public DNS; None skips that check.
    ``accept`` are codes of ``firewalls`` and ``delegation`` that do not lead to a refusal.
    Raises RefusedError, OutOfTimeError, InterruptedRunError.
    """
    work = _CutoverRun(
        aws, settings, Timeline(aws.clock, observe), read_state(aws, settings, name_servers), hold
    )
    for each in _unchecked(aws, settings, work.now, name_servers, accept):
        work.journal.say(each)
    return _interruptible(lambda: work.go(to, wait))


def _unchecked(
    aws: Aws,
    settings: Settings,
    now: CutoverState,
    name_servers: NameServers | None,
    accept: Collection[str],
) -> tuple[str, ...]:
    """Sentences about what could not be checked or was accepted.

    Raises RefusedError, also for what could not be changed once there is a certificate, before one is requested.
    """
    converge.refuse_impossible(now.https_once_proven)
    delegated = refuse_undelegated(aws, now.zones, name_servers, accept) if name_servers else ()
    hosts = {route.leads_to for route in now.routes}
    is_over = bool(now.routes) and now.share == WHOLE
    protected = () if is_over else refuse_unprotected(aws, settings, hosts, accept)
    return (*delegated, *protected)


def go_back(aws: Aws, settings: Settings, *, observe: Observe = unobserved) -> CutoverResult:
    """Lead every domain back by one simple record. Raises RefusedError if the previous service does not answer."""
    work = _CutoverRun(aws, settings, Timeline(aws.clock, observe), read_state(aws, settings))
    return _interruptible(work.back)


def _interruptible(work: Callable[[], CutoverResult]) -> CutoverResult:
    try:
        return work()
    except KeyboardInterrupt:
        raise InterruptedRunError(
            "Interrupted.",
            "the records in Route 53 do not change; inv cutover --dry-run shows them",
            "continue: inv cutover; go back: inv cutover --back",
        ) from None


@dataclass
class _CutoverRun:
    """One run: ``now`` is the current state, ``last`` is Fargate's last answer."""

    aws: Aws
    settings: Settings
    journal: Timeline
    now: CutoverState
    hold: float = 0.0
    last: VisitResult = field(default_factory=VisitResult)

    def go(self, to: int, wait: float) -> CutoverResult:
        self._secure(wait)
        if not self.now.routes:
            return self._ended("instructions", to)
        if self.now.share < WHOLE:
            self._refuse_unwell()
        self._begin()
        cause = self._shift(to)
        reached: CutoverVerdict = "cut_over" if self.now.share == WHOLE else "partly"
        return self._ended("stepped_back" if cause else reached, to, cause)

    def back(self) -> CutoverResult:
        for route in self.now.routes:
            if route.before is None and route.share == WHOLE:
                raise RefusedError(
                    f"{route.domain} has one record, which leads to Fargate.",
                    "there is no other record to go back to",
                    f"change the record of {route.domain} by hand",
                )
        for route in self._pairs():
            refuse_unresponsive(self.aws, self.settings.probe.path, self.now, route)
        for step in steps_back(self.now):
            self._announce(step)
        self._change(self._pairs(), routes.restore, lambda route: not route.is_pair)
        return self._ended("back", WHOLE)

    def _secure(self, wait: float) -> None:
        """Set up a certificate, and HTTPS with it."""
        todo = {step.kind: step for step in steps(self.now) if not step.done}
        if not self.now.proven:
            self._announce(todo["certificate"])
            validate(self.aws, self.now, wait, self.journal.say)
            self.now = read_state(self.aws, self.settings, known=self.now.zones)
        if self.now.https.changes:
            self._announce(todo["https"])
            converge.carry_out(self.aws, self.now.desired, self.now.https)
            self.now = read_state(self.aws, self.settings, known=self.now.zones)

    def _refuse_unwell(self) -> None:
        self.last = visit(self.aws, self.settings, self.now)
        if self.last.trouble:
            raise RefusedError(
                "Fargate is not ready for visitors; DNS was not changed.",
                self.last.trouble,
                "inv validate-fargate-setup   or   inv status",
            )

    def _begin(self) -> None:
        """Replace simple records by pairs, then wait until the resolvers' caches have expired."""
        simple = [route for route in self.now.routes if route.after is None]
        for step in steps(self.now):
            if step.kind == "records" and not step.done:
                self._announce(step)
        destination, origin = self.now.destination, self.now.origin
        self._change(
            simple,
            lambda route: routes.begin(route, destination, origin),
            lambda route: route.after is not None,
        )
        self._forget(simple)

    def _shift(self, to: int) -> str:
        """Shift the visitors in stages; returns why it was rolled back, or an empty text."""
        for share in stages(to):
            pairs = [route for route in self._pairs() if route.share < share]
            if not pairs:
                continue
            self._announce(next(step for step in steps(self.now, to) if step.share == share))
            self._give(pairs, share)
            self._forget(pairs)
            if cause := self._watch():
                self.journal.say(f"back to {self.now.source}: {cause}")
                self._give(self._pairs(), 0)
                return cause
            self.journal.say(f"{share} %: {self.last.seen}")
        return ""

    def _give(self, pairs: Sequence[Route], share: int) -> None:
        self._change(pairs, lambda route: routes.shift(route, share), lambda route: route.share == share)

    def _forget(self, changed: Iterable[Route]) -> None:
        """Wait until no resolver caches an earlier answer of these routes."""
        if seconds := max((route.ttl for route in changed), default=0):
            self.journal.say(f"resolvers can cache the previous records for {seconds} s")
            self.aws.clock.sleep(seconds)

    def _watch(self) -> str:
        """Send visits while a share is held; returns the trouble, if there is any."""
        read_state = partial(visit, self.aws, self.settings, self.now)
        clock = self.aws.clock
        self.last = clock.poll(read_state, self.hold, _VISIT_EVERY_SECONDS, until=lambda seen: seen.trouble)
        return self.last.trouble

    def _pairs(self) -> list[Route]:
        return [route for route in self.now.routes if route.is_pair]

    def _change(
        self,
        changed: Sequence[Route],
        changes: Callable[[Route], list[routes.Change]],
        is_done: Callable[[Route], bool],
    ) -> None:
        """Change records, then read them again."""

        def are_done(batch: Sequence[Route]) -> bool:
            found = refresh_routes(self.aws, self.now).routes
            names = {(route.domain, route.kind) for route in batch}
            return all(is_done(route) for route in found if (route.domain, route.kind) in names)

        if changed:
            records.change(self.aws, changed, changes, are_done, self.now.domains)
            self.now = refresh_routes(self.aws, self.now)

    def _announce(self, step: CutoverStep) -> None:
        self.journal.say(f"{step.name}: {step.what}")
        self.journal.say(f"undo: {step.undo}")

    def _ended(self, verdict: CutoverVerdict, to: int, cause: str = "") -> CutoverResult:
        return CutoverResult(
            verdict,
            _shares(self.now),
            steps(self.now, to),
            () if verdict == "back" else _instructions(self.now),
            cause,
            self.last.seen,
            self.journal.seconds,
            tuple(self.journal.moments),
            source=self.now.source,
            goal=self.now.goal,
            replaces_address=self.now.replaces_address,
        )


def _shares(now: CutoverState) -> tuple[tuple[str, int | None], ...]:
    return tuple((domain, now.share_of(domain)) for domain in now.domains)


def _instructions(now: CutoverState) -> tuple[RequiredRecord, ...]:
    """The records that lead visitors here, for domains whose DNS is elsewhere."""
    why = "leads visitors to Fargate; at the apex of a zone an ALIAS or ANAME instead"
    return tuple(
        RequiredRecord(f"{domain}.", "CNAME", now.destination.dns_name, why) for domain in now.elsewhere
    )
