"""The parent of one container's main process; run as a script, imports only the standard library.

It does for the container what the kernel does for a PID namespace: when the main process ends, all remaining processes
end; when the embedded AWS ends, in any way, the pipe from it closes and everything ends. It
exits with the main process's status as docker reports it (128 + signal).

    python -I -S supervisor.py CONTROL STATUS SIGNAL PROGRAM ARGUMENT0 [ARGUMENT…]

CONTROL is a pipe for ``T`` (stop: SIGNAL to the main process) and ``K`` (kill everything); STATUS is a
pipe for ``pid N`` or ``error ERRNO``. SIGNAL is the stop signal's number, negative if the main process
is not PID 1 of its container (an init process would pass every signal on). PID 1 gets only signals that it
handles: the kernel drops the others, so a shell as PID 1 survives SIGTERM (pid_namespaces(7)).
"""

import ctypes
import os
import select
import signal
import sys

PR_SET_CHILD_SUBREAPER = 36
LOOKS = 100
LOOKS_ASLEEP = 5


def main() -> int:
    """Run the main process to its end."""
    control, status, stop_signal = int(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
    for end in (control, status):
        os.set_inheritable(end, False)
    adopt_orphans()
    wake, waker = os.pipe()
    for end in (wake, waker):
        os.set_blocking(end, False)
    signal.set_wakeup_fd(waker, warn_on_full_buffer=False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    for number in (signal.SIGHUP, signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    try:
        pid = spawn(sys.argv[4], sys.argv[5:])
    except OSError as error:
        os.write(status, f"error {error.errno}\n".encode())
        return 127
    os.write(status, f"pid {pid}\n".encode())
    let_go_of_output()
    code = supervise(pid, control, wake, stop_signal)
    end_all(pid)
    return code


def adopt_orphans() -> None:
    """Become the parent of orphaned descendants, so that none escapes (Linux)."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def spawn(program: str, arguments: list[str]) -> int:
    """Start the main process in a session of its own, with default signal handling."""
    every = [number for number in signal.valid_signals() if number not in (signal.SIGKILL, signal.SIGSTOP)]
    return os.posix_spawn(program, arguments, os.environ, setsid=True, setsigmask=[], setsigdef=every)


def let_go_of_output() -> None:
    """Close the output, so that only the container's own processes keep it open."""
    nothing = os.open(os.devnull, os.O_RDWR)
    for end in (1, 2):
        os.dup2(nothing, end)


def supervise(pid: int, control: int, wake: int, stop_signal: int) -> int:
    """Wait for the main process; its exit status, or 137 when everything was killed."""
    while True:
        readable, _, _ = select.select([control, wake], [], [])
        if wake in readable:
            os.read(wake, 512)
            code = reap(pid)
            if code is not None:
                return code
        if control in readable:
            order = os.read(control, 1)
            if order == b"T":
                stop(pid, stop_signal)
            else:  # K, or the embedded AWS has ended
                return 128 + signal.SIGKILL


def stop(pid: int, stop_signal: int) -> None:
    """Send the stop signal, unless the kernel of a container would drop it."""
    if stop_signal < 0 or handles(pid, stop_signal):
        os.kill(pid, abs(stop_signal))


def handles(pid: int, number: int) -> bool:
    """Whether a process handles a signal, or blocks it permanently to receive it itself (sigwait, signalfd).

    A shell blocks all signals while it forks, however long that takes; a process that waits for a signal sleeps. True
    where /proc has no answer.
    """
    asleep = 0
    for _ in range(LOOKS):
        state, caught, blocked = signal_masks(pid)
        if caught >> (number - 1) & 1:
            return True
        if not blocked >> (number - 1) & 1:
            return is_in_sigwait(pid)
        asleep += state == "S"
        if asleep == LOOKS_ASLEEP:
            break
        select.select([], [], [], 0.01)
    return True


def is_in_sigwait(pid: int) -> bool:
    """Whether a process waits in sigwait, as tini does; the signals that it waits for are not shown as blocked."""
    try:
        with open(f"/proc/{pid}/wchan", encoding="ascii", errors="replace") as place:
            return "sigtimedwait" in place.read()
    except OSError:
        return False


def signal_masks(pid: int) -> "tuple[str, int, int]":
    """A process's state, and the signals that it catches and blocks, as bits; all where /proc has no answer."""
    names = ("State", "SigCgt", "SigBlk")
    try:
        with open(f"/proc/{pid}/status", encoding="ascii", errors="replace") as lines:
            fields = dict(line.split(":", 1) for line in lines if line.startswith(names))
    except OSError:
        return "", -1, -1
    return fields["State"].split()[0], int(fields["SigCgt"], 16), int(fields["SigBlk"], 16)


def reap(pid: int) -> "int | None":
    """Reap every ended child; returns the main process's exit status if it is one of them."""
    code = None
    while True:
        try:
            ended, status = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return code
        if ended == 0:
            return code
        if ended == pid:
            result = os.waitstatus_to_exitcode(status)
            code = result if result >= 0 else 128 - result


def end_all(pid: int) -> None:
    """Kill the main process's group and every child, until none is left."""
    while True:
        for kill, target in [(os.killpg, pid), *((os.kill, child) for child in children())]:
            try:
                kill(target, signal.SIGKILL)
            except (ProcessLookupError, PermissionError):  # it has ended meanwhile
                continue
        try:
            os.waitpid(-1, 0)
        except ChildProcessError:
            return


def children() -> "list[int]":
    """The child processes (Linux; elsewhere only the group is used)."""
    found, me = [], str(os.getpid()).encode()
    for name in os.listdir("/proc") if os.path.isdir("/proc/self") else []:
        if name.isdigit():
            try:
                with open(f"/proc/{name}/stat", "rb") as file:
                    parent = file.read().rpartition(b")")[2].split()[1]
            except OSError:  # it has ended meanwhile
                continue
            if parent == me:
                found.append(int(name))
    return found


if __name__ == "__main__":
    sys.exit(main())
