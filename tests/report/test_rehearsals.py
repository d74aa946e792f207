"""What a rehearsal says about what it leaves running."""

from __future__ import annotations

import pytest

from lobster_tasks import report

from .drawn import drawn

WARNS = "Your browser warns that it does not know who signed the certificate; continue to the page."


@pytest.mark.parametrize(
    ("app", "authority", "told"),
    [
        (None, "", ["is not up"]),
        ("http://127.0.0.1:8", "", ["http://127.0.0.1:8"]),
        ("https://127.0.0.1:8", "", ["https://127.0.0.1:8", WARNS]),
        (
            "https://127.0.0.1:8",
            "/tmp/a.pem",
            [
                "https://127.0.0.1:8",
                WARNS,
                "Or let a client trust the authority of the embedded AWS; its certificate is in a file until Ctrl-C:",
                "curl --cacert /tmp/a.pem https://127.0.0.1:8",
            ],
        ),
    ],
)
def test_what_is_left_running_says_how_to_open_the_app(
    app: str | None, authority: str, told: list[str]
) -> None:
    lines = [each.strip() for each in drawn(report.kept("http://127.0.0.1:9", "us-east-2", app, authority))]
    assert lines[lines.index("The app:") + 1 :] == told
