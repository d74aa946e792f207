"""The program inside the test image `web_app`: a small web server that the environment misconfigures at will.

Standard library only. Settings (environment):

``VERSION`` text that ``/`` answers with; ``PORT`` (8501), ``BIND`` (0.0.0.0); ``HEALTH_STATUS`` (200) of
``/health`` and ``/_stcore/health``, ``HEALTH_DELAY`` seconds that their answer takes, ``SICK_AFTER`` seconds after
which it is 500; ``START_DELAY`` seconds before it listens; ``EXIT_CODE`` ends it now, or
after ``EXIT_AFTER`` seconds; ``IGNORE_SIGTERM`` set: it stays; ``STOP_DELAY`` seconds between SIGTERM
and exit 0; ``EAT_MIB`` memory that it holds; ``QUIET`` set: it prints nothing.

Paths: ``/env`` and ``/headers`` (JSON), ``/pid``, ``/slow?seconds=1``, ``/eat?mib=100``, ``/exit?code=3``,
``/print?line=x``, ``/status?code=404``, ``/set-health?status=500``,
``/connect?host=localhost&port=8501`` (tries a TCP connection);
``/_stcore/stream`` echoes WebSocket messages; anything else answers ``VERSION``, and a body with its length.
"""

import os
import signal
import socket
import sys
import threading
import time
from socketserver import StreamRequestHandler, ThreadingTCPServer

HEALTH = {"status": int(os.environ.get("HEALTH_STATUS", "200"))}
HELD: list[bytearray] = []


def say(line: str) -> None:
    """One line of the container's log."""
    if not os.environ.get("QUIET"):
        sys.stdout.write(f"{line}\n")
        sys.stdout.flush()


def eat(mib: int) -> None:
    """Hold ``mib`` MiB that are really touched."""
    HELD.append(bytearray(b"x") * (mib * 1024 * 1024))


class Handler(StreamRequestHandler):
    """Answers every path of the module's docstring.

    http.server would take longer to import than everything else here together, and this is started for most tests.
    """

    def handle(self) -> None:
        """Answer one request after the other until the other side closes or is told that this one does."""
        self.closing = False
        while not self.closing and (line := self.rfile.readline().decode("latin-1").split()):
            self.method, self.path = line[:2]
            self.headers = dict(iter(self.header, None))
            self.asked = {name.lower(): value for name, value in self.headers.items()}
            self.closing = self.asked.get("connection", "").lower() == "close"
            self.answer()

    def header(self) -> tuple[str, str] | None:
        """The next header's name and value; None after the last."""
        name, colon, value = self.rfile.readline().decode("latin-1").partition(":")
        return (name, value.strip()) if colon else None

    def answer(self) -> None:
        """Answer any method."""
        body = self.rfile.read(int(self.asked.get("content-length", 0)))
        path, _, query = self.path.partition("?")
        action = getattr(self, "on_" + path.strip("/").replace("/", "_").replace("-", "_"), None)
        if action is not None:
            action(parsed(query))
        else:
            version = os.environ.get("VERSION", "web_app")
            self.reply(f"{version} {self.method} {len(body)}" if body else version)

    def reply(self, text: str, status: int = 200, kind: str = "text/plain") -> None:
        """Send ``text``."""
        body = text.encode()
        headers = {"Content-Type": kind, "Content-Length": str(len(body))}
        self.send(status, headers, b"" if self.method == "HEAD" else body)

    def send(self, status: int, headers: dict[str, str], body: bytes = b"") -> None:
        """Send an answer at once: who ends in the middle of a request has answered whole or not at all."""
        lines = [f"HTTP/1.1 {status} -", *(f"{name}: {value}" for name, value in headers.items()), "", ""]
        self.wfile.write("\r\n".join(lines).encode("latin-1") + body)

    def on_health(self, _query: dict[str, str]) -> None:
        """The health check's answer."""
        time.sleep(float(os.environ.get("HEALTH_DELAY", "0")))
        self.reply("ok" if HEALTH["status"] == 200 else "sick", HEALTH["status"])

    on__stcore_health = on_health

    def on_status(self, query: dict[str, str]) -> None:
        """An answer with a status of the caller's."""
        self.reply("", int(query["code"]))

    def on_set_health(self, query: dict[str, str]) -> None:
        """From now on the health check answers ``status``."""
        HEALTH["status"] = int(query["status"])
        self.reply("set")

    def show(self, names: dict[str, str]) -> None:
        """Send JSON."""
        import json

        self.reply(json.dumps(names), kind="application/json")

    def on_env(self, _query: dict[str, str]) -> None:
        """The environment."""
        self.show(dict(os.environ))

    def on_headers(self, _query: dict[str, str]) -> None:
        """The request's headers, and who asked."""
        self.show({**self.headers, ":peer": self.client_address[0], ":path": self.path})

    def on_pid(self, _query: dict[str, str]) -> None:
        """This process's id."""
        self.reply(str(os.getpid()))

    def on_slow(self, query: dict[str, str]) -> None:
        """Answers late."""
        time.sleep(float(query.get("seconds", "1")))
        self.reply("late")

    def on_eat(self, query: dict[str, str]) -> None:
        """Holds more memory."""
        eat(int(query["mib"]))
        self.reply("eaten")

    def on_print(self, query: dict[str, str]) -> None:
        """Writes to the log."""
        say(query["line"])
        self.reply("printed")

    def on_exit(self, query: dict[str, str]) -> None:
        """Ends the process."""
        self.reply("bye")
        os._exit(int(query.get("code", "0")))

    def on_connect(self, query: dict[str, str]) -> None:
        """Whether a TCP connection can be made from in here."""
        try:
            socket.create_connection((query["host"], int(query["port"])), timeout=2).close()
        except OSError as error:
            self.reply(f"{type(error).__name__}: {error}")
        else:
            self.reply("connected")

    def on__stcore_stream(self, _query: dict[str, str]) -> None:
        """A WebSocket that echoes; it takes the first subprotocol that is offered."""
        import base64
        import hashlib

        key = self.asked.get("sec-websocket-key")
        if not key:
            self.reply('Can "Upgrade" only to "WebSocket".', 400)
            return
        accept = base64.b64encode(
            hashlib.sha1(f"{key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11".encode()).digest()
        )
        headers = {"Upgrade": "websocket", "Connection": "Upgrade", "Sec-WebSocket-Accept": accept.decode()}
        if offered := self.asked.get("sec-websocket-protocol"):
            headers["Sec-WebSocket-Protocol"] = offered.split(",")[0].strip()
        self.send(101, headers)
        self.closing = True
        while self.echo():
            pass

    def echo(self) -> bool:
        """Send one frame back as it came; false once the other side has closed."""
        head = self.rfile.read(2)
        if len(head) < 2:
            return False
        opcode, length = head[0] & 0x0F, head[1] & 0x7F
        if length == 126:
            length = int.from_bytes(self.rfile.read(2))
        elif length == 127:
            length = int.from_bytes(self.rfile.read(8))
        mask = self.rfile.read(4) * (length // 4 + 1)
        data = bytes(byte ^ key for byte, key in zip(self.rfile.read(length), mask, strict=False))
        answer = {9: 10}.get(opcode, opcode)  # a ping is answered by a pong
        if length < 126:
            size = bytes([length])
        else:
            size = b"\x7e" + length.to_bytes(2) if length < 65536 else b"\x7f" + length.to_bytes(8)
        self.wfile.write(bytes([(head[0] & 0x80) | answer]) + size + data)
        return opcode != 8


def parsed(query: str) -> dict[str, str]:
    """What a URL's query says."""
    if not query:
        return {}
    from urllib.parse import parse_qsl

    return dict(parse_qsl(query))


class Server(ThreadingTCPServer):
    """A thread for each connection; they end with the program."""

    allow_reuse_address = True
    daemon_threads = True
    request_queue_size = 128


def stop_on_sigterm(server: Server) -> None:
    """Leave with 0 after ``STOP_DELAY``, unless told to ignore the signal."""

    def stop() -> None:
        time.sleep(float(os.environ.get("STOP_DELAY", "0")))
        server.shutdown()

    def on_sigterm(_number: int, _frame: object) -> None:
        say("SIGTERM")
        if not os.environ.get("IGNORE_SIGTERM"):
            threading.Thread(target=stop).start()

    signal.signal(signal.SIGTERM, on_sigterm)


def main() -> int:
    """Serve until SIGTERM."""
    say(f"starting {os.environ.get('VERSION', '')}")
    ends = os.environ.get("EXIT_CODE")
    if ends is not None and not os.environ.get("EXIT_AFTER"):
        sys.stderr.write(f"giving up with {ends}\n")
        return int(ends)
    eat(int(os.environ.get("EAT_MIB", "0")))
    time.sleep(float(os.environ.get("START_DELAY", "0")))
    server = Server((os.environ.get("BIND", "0.0.0.0"), int(os.environ.get("PORT", "8501"))), Handler)
    stop_on_sigterm(server)
    if ends is not None:
        threading.Timer(float(os.environ["EXIT_AFTER"]), os._exit, [int(ends)]).start()
    if sick_after := os.environ.get("SICK_AFTER"):
        threading.Timer(float(sick_after), HEALTH.update, [{"status": 500}]).start()
    say(f"listening on {os.environ.get('PORT', '8501')}")
    server.serve_forever(poll_interval=0.05)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
