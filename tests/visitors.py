"""Visitors of an app, who ask for its page again and again, and count what they get."""

from __future__ import annotations

import threading
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import ClassVar, Self


@dataclass(kw_only=True)
class Visitors(ABC):
    """``count`` browsers; ``answers`` are the texts of pages, and what went wrong, with their numbers."""

    pages: ClassVar[tuple[str, ...]]
    count: int
    answers: Counter[str] = field(default_factory=Counter)
    _over: threading.Event = field(default_factory=threading.Event)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @contextmanager
    def present(self) -> Iterator[Self]:
        """For as long as the block lasts."""
        threads = [threading.Thread(target=self._visit) for _ in range(self.count)]
        for thread in threads:
            thread.start()
        try:
            yield self
        finally:
            self._over.set()
            for thread in threads:
                thread.join()

    @property
    def failed(self) -> dict[str, int]:
        """Everything that is none of the ``pages``."""
        return {what: count for what, count in self.answers.items() if what not in self.pages}

    @abstractmethod
    def _visit(self) -> None:
        """One browser's visits, until they are over."""
