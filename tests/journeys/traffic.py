"""Visitors: requests through a load balancer, one after another, for as long as a block lasts."""

from __future__ import annotations

import threading
from collections import Counter
from dataclasses import dataclass, field

import requests

from tests.embedded_process import PATIENCE


@dataclass
class Traffic:
    """Asks ``url`` each 20 ms or so, each time on a new connection; counts what is answered."""

    url: str
    answers: Counter[str] = field(default_factory=Counter)
    _over: threading.Event = field(default_factory=threading.Event)

    def __enter__(self) -> Traffic:
        self._thread = threading.Thread(target=self._ask)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def _ask(self) -> None:
        while not self._over.is_set():
            self.answers[ask(self.url)] += 1
            self._over.wait(0.02)


def ask(url: str) -> str:
    """The page's text; where it is not answered with 200, the status or the error."""
    try:
        answer = requests.get(url, timeout=PATIENCE)
    except requests.RequestException as error:
        return type(error).__name__
    return answer.text if answer.status_code == 200 else str(answer.status_code)
