"""Runs tests with the product's sentences as they are, or ``reworded``; says what was decided in each, as JSON.

``python -m tests.wording <file> [reworded] <tests>…`` writes to the file: for each test what was decided, and
``error`` where it was the product that ended it: what tests say of sentences does not count.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.wording.rewording import install


class Listener:
    """Keeps for each test what was decided in it, and how it ended."""

    def __init__(self) -> None:
        self.found: dict[str, dict[str, Any]] = {}

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Any:
        """Each test has notes of its own."""
        from tests.wording.notes import NOTES

        NOTES.clear()
        self.found[item.nodeid] = {"notes": [], "passed": True, "error": ""}
        ended = yield
        self.found[item.nodeid]["notes"] = [*NOTES]
        return ended

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(self, item: pytest.Item, call: pytest.CallInfo[None]) -> Any:
        """What a test makes of words is not what this is about."""
        if call.excinfo is not None:
            self.found[item.nodeid]["passed"] = False
            is_assertion = isinstance(call.excinfo.value, AssertionError | pytest.fail.Exception)
            in_the_test = call.excinfo.traceback[-1].path == item.path
            ended = "" if is_assertion or in_the_test else call.excinfo.exconly(tryshort=True)
            self.found[item.nodeid]["error"] = ended
        return (yield)


def main(file: str, *rest: str) -> None:
    """Run them."""
    install(reword="reworded" in rest)
    listener, tests = Listener(), [each for each in rest if each != "reworded"]
    options = ("-q", "--tb=no", "--assert=plain", "-p", "no:xdist", "-o", "addopts=--import-mode=importlib")
    pytest.main([*options, "-p", "no:cacheprovider", "-m", "not exhaustive", *tests], plugins=[listener])
    Path(file).write_text(json.dumps(listener.found))


if __name__ == "__main__":
    main(*sys.argv[1:])
