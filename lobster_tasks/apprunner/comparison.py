"""Compares the answers of two addresses. Pure.

Statuses, headers that affect a browser, and the body of the health check path are compared; what changes from answer
to answer in every app (dates, bodies of pages) is not.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import quantiles
from typing import Literal
from urllib.parse import urlsplit

from ..http_client import Response

Verdict = Literal["same", "better", "differs", "skip"]

HEADERS = (
    "access-control-allow-origin",
    "cache-control",
    "content-disposition",
    "content-encoding",
    "content-security-policy",
    "content-type",
    "location",
    "referrer-policy",
    "strict-transport-security",
    "vary",
    "www-authenticate",
    "x-content-type-options",
    "x-frame-options",
)
_STICKINESS = re.compile(r"AWSALB(TG|APP-\d)?(CORS)?")
# A difference that a visitor notices: a good part of the second after which a train of thought breaks off (Nielsen,
# "Response Times: The 3 Important Limits"), more than a busy machine or a colder cache causes for the same app.
_SLOWER = 3.0
_NOTICED_MILLISECONDS = 500.0
_REFUSED_UPLOAD = frozenset({408, 411, 413, *range(500, 600)})


@dataclass(frozen=True)
class ComparisonRow:
    """One comparison: what was requested, each side's answer, and the verdict."""

    what: str
    old: str
    new: str
    verdict: Verdict
    note: str = ""


def statuses(path: str, old: Response, new: Response) -> ComparisonRow:
    """Both sides must answer, with the same status."""
    alike = old.status == new.status and new.status is not None and not new.is_error_page
    return ComparisonRow(f"GET {path}", old.said, new.said, "same" if alike else "differs")


def behind_sign_in(what: str, old: str, asks: bool, said: str) -> ComparisonRow:
    """The new side must ask visitors to sign in, so its answer cannot be compared."""
    if not asks:
        return ComparisonRow(what, old, said, "differs")
    note = "not compared: visitors of the new service sign in first"
    return ComparisonRow(what, old, "sign-in", "skip", note)


def headers(path: str, old: Response, new: Response) -> list[ComparisonRow]:
    """A row for each header that differs, or one row if none does; no row if a side did not answer."""
    if old.status is None or new.status is None:
        return []
    before, after = _compared_headers(old), _compared_headers(new)
    names = [name for name in (*HEADERS, "set-cookie") if before.get(name, "") != after.get(name, "")]
    if not names:
        return [ComparisonRow(f"headers of {path}", _counted(before), _counted(after), "same")]
    return [
        ComparisonRow(f"{name} of {path}", before.get(name, "–"), after.get(name, "–"), "differs")
        for name in names
    ]


def _counted(headers: Mapping[str, str]) -> str:
    return "1 compared" if len(headers) == 1 else f"{len(headers)} compared"


def _compared_headers(seen: Response) -> dict[str, str]:
    """The headers that are compared, without necessary differences: the side's own host, the load balancer's
    cookies."""
    found = {name: value for name, value in seen.headers.items() if name in HEADERS}
    if "location" in found:
        found["location"] = urlsplit(found["location"])._replace(scheme="", netloc="").geturl()
    own = sorted(name for name in seen.cookies if not _STICKINESS.fullmatch(name))
    return {**found, "set-cookie": ", ".join(own)} if own else found


def bodies(path: str, old: Response, new: Response) -> ComparisonRow:
    """The same body, byte by byte."""
    before, after = (f"{len(each.body)} bytes" for each in (old, new))
    return ComparisonRow(f"body of {path}", before, after, "same" if old.body == new.body else "differs")


def latencies(path: str, old: Sequence[float], new: Sequence[float]) -> ComparisonRow:
    """Median and 95th percentile in milliseconds; only a materially longer median is a difference."""
    before, after = (_percentiles(each) for each in (old, new))
    shown = [f"p50 {each[0]:.0f} ms, p95 {each[1]:.0f} ms" for each in (before, after)]
    verdict: Verdict = "same"
    if _is_slower(after[0], before[0]):
        verdict = "differs"
    elif _is_slower(before[0], after[0]):
        verdict = "better"
    return ComparisonRow(f"{len(new)} × GET {path}", shown[0], shown[1], verdict)


def _is_slower(one: float, other: float) -> bool:
    return one >= other * _SLOWER and one >= other + _NOTICED_MILLISECONDS


def _percentiles(milliseconds: Sequence[float]) -> tuple[float, float]:
    if len(milliseconds) < 2:
        return (milliseconds[0], milliseconds[0]) if milliseconds else (0.0, 0.0)
    cuts = quantiles(milliseconds, n=20, method="inclusive")
    return cuts[9], cuts[18]


def websockets(path: str, old: str, new: str) -> ComparisonRow:
    """``open``, or the status or trouble of the handshake, on each side."""
    what = f"WebSocket {path}"
    if new != "open":
        return ComparisonRow(
            what, old, new, "differs", "probe.websocket: false for an app without WebSockets"
        )
    if old == "open":
        return ComparisonRow(what, old, new, "same")
    return ComparisonRow(
        what, old, new, "better", "App Runner does not support WebSockets: this is a reason for moving"
    )


def uploads(size: int, old: Response, new: Response) -> ComparisonRow:
    """Whether a large request body is accepted; it is sent to a path that the app does not have."""
    what = f"upload of {size // 2**20} MiB"
    verdict: Verdict = "differs"
    if not _is_refused(new) and old.status == new.status:
        verdict = "same"
    elif not _is_refused(new) and _is_refused(old):
        verdict = "better"
    return ComparisonRow(what, old.said, new.said, verdict)


def _is_refused(upload: Response) -> bool:
    return upload.status is None or upload.status in _REFUSED_UPLOAD or upload.is_error_page


def slow_answers(path: str, old: Response, new: Response) -> ComparisonRow:
    """An answer that takes longer than App Runner's limit."""
    what = f"GET {path} (slow)"
    if new.status is None or new.status >= 500 or new.is_error_page:
        return ComparisonRow(
            what, old.said, new.said, "differs", "load_balancer.idle_timeout limits the time without data"
        )
    if old.status == new.status:
        return ComparisonRow(what, old.said, new.said, "same")
    return ComparisonRow(what, old.said, new.said, "better", "App Runner ends a request after 120 seconds")
