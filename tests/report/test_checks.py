"""The doctor's report: a check that was not made is told as one."""

from __future__ import annotations

import pytest

from lobster_tasks import report
from lobster_tasks.doctor import CHECKS, Check
from lobster_tasks.doctor.check import Report
from tests.report.drawn import drawn

GATES = ("dns.records", "parity.rows")
UNCHECKED = Report(
    (
        Check("targets.kind", "pass", "by address"),
        Check("targets.healthy", "skip", "the service has no running task"),
        Check("dns.records", "skip", "no custom domain; tell its users"),
    )
)


def test_which_check_why_and_what_to_do() -> None:
    assert drawn(report.checks(UNCHECKED))[:4] == [
        "targets  ✔  by address",
        "         –  not checked: whether the tasks are healthy: the service has no running task",
        "            → inv deploy --tag T if it does not exist yet; if AWS refused the call, allow it",
        "dns      –  not checked: whether DNS still leads to App Runner: no custom domain; tell its users",
    ]


def test_json_has_what_to_do_as_well() -> None:
    kind, healthy, dns = report.checks_json(UNCHECKED)["checks"]
    assert healthy["saw"] == "the service has no running task"
    assert healthy["fix"].startswith("inv deploy --tag T")
    assert kind["fix"] is None
    assert dns["fix"] is None


@pytest.mark.parametrize("name", [*CHECKS, *GATES])
def test_every_check_has_it(name: str) -> None:
    check = Check(name, "skip", "because")
    assert report.unchecked(check).endswith(": because")
    assert report.unchecked_fix(check) or name in GATES
