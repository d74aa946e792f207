"""A running container of an engine: the attached order, its output and its end."""

from __future__ import annotations

import json
import re
import selectors
import subprocess
import threading
import time
from collections.abc import Callable, Sequence
from math import inf
from pathlib import Path
from typing import Any

from ..container import CHUNK, KILLED, Followed, LineSplitter
from ..interface import CannotStart, nowhere
from ..removal import remove
from .client import Engine, explained

NOT_STARTED = "0001-01-01"
LOOKS_EVERY = 0.03  # real seconds
LATE = 2.0  # real seconds
NOT_FOUND = ("not found", "no such file")
_REASON = re.compile(
    r"(?:unable to start container process|starting container process caused): (?P<reason>.*?)"
    r"(?:: unknown|: Attempted to invoke.*|: OCI .*)?$"
)

InBackground = Callable[[Callable[[], Any]], Any]
"""Does work in a thread, without waiting for it."""


class Attached(Followed):
    """An order of the engine that runs a program in a container (`exec`), with its output; see
    ``interface.Container``. Killing it ends the order, and the program with the container."""

    def __init__(
        self,
        engine: Engine,
        words: Sequence[str],
        log: Callable[[str], None],
        folder: Path | None = None,
    ) -> None:
        super().__init__()
        self.out_of_memory = False
        self._engine = engine
        self._log = log
        self.process = engine.begin(*words, folder=folder)

    def follow(self) -> None:
        """Begin to log the output; ``poll`` has an answer once it has ended."""
        threading.Thread(target=self._follow, name=f"engine-{self.process.pid}", daemon=True).start()

    def terminate(self) -> None:
        """End the order."""
        self.process.terminate()

    def kill(self) -> None:
        """End the order."""
        self.process.kill()

    def mute(self) -> None:
        """Log nothing more."""
        self._log = nowhere

    def terminal(self, command: Sequence[str]) -> list[str] | None:
        """None: it is a program in a container, not a container."""
        return None

    def longest_wait(self) -> float:
        """0 while it runs: how long a program in an engine waits for a processor is not known."""
        return 0.0 if self._exit_code is None else inf

    def _follow(self) -> None:
        code = KILLED
        try:
            self._drain()
            code = self._ended(self.process.wait())
        finally:
            self._exit_code = code
            self._over.set()

    def _ended(self, code: int) -> int:
        """The exit status of the program, by that of the order."""
        return code if code >= 0 else KILLED

    def _drain(self) -> None:
        with selectors.DefaultSelector() as open_ends:
            for stream in (self.process.stdout, self.process.stderr):
                assert stream is not None
                open_ends.register(stream, selectors.EVENT_READ, LineSplitter(lambda line: self._log(line)))
            while open_ends.get_map():
                for key, _ in open_ends.select():
                    data = key.fileobj.read1(CHUNK)  # type: ignore[union-attr]
                    if data:
                        key.data.feed(data)
                        continue
                    key.data.finish()
                    open_ends.unregister(key.fileobj)
                    key.fileobj.close()  # type: ignore[union-attr]


class EngineContainer(Attached):
    """A container of a task; see ``interface.Container``. It is removed from the engine when it has ended."""

    def __init__(
        self,
        engine: Engine,
        name: str,
        stop_signal: str,
        log: Callable[[str], None],
        in_background: InBackground,
        folder: Path,
    ) -> None:
        """Start a container that was created, and wait until its program runs. Raises CannotStart.

        ``folder`` is the container's own; it is removed with it.
        """
        super().__init__(engine, ["start", "--attach", name], log, folder)
        self._folder = folder
        self.name = name
        self._stop_signal = stop_signal
        self._was_killed = False
        self._in_background = in_background
        self._await_start()
        self.follow()

    def terminate(self) -> None:
        """Send the stop signal to the main process."""
        self._send(self._stop_signal)

    def kill(self) -> None:
        """Send SIGKILL to every process of the container."""
        self._was_killed = True
        self._send("KILL")

    def terminal(self, command: Sequence[str]) -> list[str] | None:
        """`exec` of the engine."""
        return [*self._engine.command, "exec", "--interactive", "--tty", self.name, *command]

    def _send(self, signal: str) -> None:
        if self._exit_code is None:
            self._in_background(lambda: self._engine.try_to("kill", "--signal", signal, self.name))

    def _await_start(self) -> None:
        while self._state().get("StartedAt", NOT_STARTED).startswith(NOT_STARTED):
            try:
                self.process.wait(LOOKS_EVERY)
            except subprocess.TimeoutExpired:
                continue
            if self._state().get("StartedAt", NOT_STARTED).startswith(NOT_STARTED):
                raise self._refusal()

    def _refusal(self) -> CannotStart:
        said, complaint = self.process.communicate()
        self._engine.try_to("rm", "--force", self.name)
        remove(self._folder)
        return refusal(self._engine.name, (complaint or said).decode(errors="replace"))

    def _ended(self, code: int) -> int:
        state = self._final_state()
        self._engine.try_to("rm", "--force", "--volumes", self.name)
        code = int(state.get("ExitCode", KILLED))
        self.out_of_memory = bool(state.get("OOMKilled")) and not self._anothers(code)
        remove(self._folder)
        return code

    def _anothers(self, code: int) -> bool:
        """Whether, of several that have a limit together, another one was killed: the kernel tells it of each."""
        return self._engine.limits_together and (code != KILLED or self._was_killed)

    def _final_state(self) -> dict[str, Any]:
        """The state after the end. The kernel's word that memory ran out may come later than the end itself."""
        self._engine.try_to("wait", self.name)
        latest = time.monotonic() + LATE
        while True:
            state = self._state()
            if (
                state and (self._folder / "oom").exists()
            ):  # podman's, with cgroups of version 1, in the wrong place
                state["OOMKilled"] = True
            settled = state.get("OOMKilled", True) or state["ExitCode"] != KILLED or self._was_killed
            if settled or time.monotonic() > latest:
                return state
            time.sleep(LOOKS_EVERY)

    def _state(self) -> dict[str, Any]:
        """The engine's ``State`` of the container; empty where it was removed."""
        told = self._engine.try_to("inspect", "--type", "container", "--format", "{{json .State}}", self.name)
        return dict(json.loads(told)) if told else {}


class NeverRan:
    """A container whose program the platform cannot load; see ``interface.Container``."""

    out_of_memory = False

    def __init__(self, program: str, log: Callable[[str], None]) -> None:
        log(f"exec {program}: exec format error")

    def poll(self) -> int | None:
        """255, as an engine reports it."""
        return 255

    def wait(self, timeout: float | None = None) -> int | None:
        """255."""
        return 255

    def terminate(self) -> None:
        """Nothing: it has ended."""

    def kill(self) -> None:
        """Nothing: it has ended."""

    def terminal(self, command: Sequence[str]) -> list[str] | None:
        """None: it has ended."""
        return None

    def longest_wait(self) -> float:
        """Infinite: it has ended."""
        return inf


def refusal(engine: str, said: str) -> CannotStart:
    """ECS's reason for a container that an engine could not start, by what the engine said. Pure."""
    lines = (_REASON.search(line.strip()) for line in said.splitlines())
    reason = next((found["reason"] for found in lines if found), None)
    if reason is None:
        return CannotStart(explained(engine, said), 127)
    return CannotStart(reason, 127 if any(word in reason for word in NOT_FOUND) else 126)
