"""What servers print when they are up, and what it says about where."""

from __future__ import annotations

import pytest

from lobster_tasks.rollout.diagnosis.listening import listening_ports


@pytest.mark.parametrize(
    ("line", "port", "address", "loopback"),
    [
        (
            "INFO:     Uvicorn running on http://127.0.0.1:8000 (Press CTRL+C to quit)",
            8000,
            "127.0.0.1",
            True,
        ),
        (
            "INFO:     Uvicorn running on http://localhost:8000 (Press CTRL+C to quit)",
            8000,
            "localhost",
            True,
        ),
        ("INFO:     Uvicorn running on http://0.0.0.0:8501 (Press CTRL+C to quit)", 8501, "0.0.0.0", False),
        (" * Running on http://127.0.0.1:5000", 5000, "127.0.0.1", True),
        (
            "[2026-06-01 12:00:00 +0000] [7] [INFO] Listening at: http://127.0.0.1:8000 (7)",
            8000,
            "127.0.0.1",
            True,
        ),
        ("[INFO] Running on http://[::1]:8000 (CTRL + C to quit)", 8000, "[::1]", True),
        ("  URL: http://0.0.0.0:8501", 8501, "0.0.0.0", False),
        ("  URL: http://127.0.0.1:8501", 8501, "127.0.0.1", True),
        ("  Local URL: http://localhost:8502", 8502, "", False),
        ("  Network URL: http://10.0.0.7:8501", 8501, "10.0.0.7", False),
        ("Running on local URL:  http://127.0.0.1:7860", 7860, "127.0.0.1", True),
        ("Dash is running on http://127.0.0.1:8050/", 8050, "127.0.0.1", True),
        ("Starting development server at http://127.0.0.1:8000/", 8000, "127.0.0.1", True),
        ("Serving HTTP on 0.0.0.0 port 8000 (http://0.0.0.0:8000/) ...", 8000, "0.0.0.0", False),
        ("INFO:waitress:Serving on http://0.0.0.0:8080", 8080, "0.0.0.0", False),
        ("* Listening on http://0.0.0.0:3000", 3000, "0.0.0.0", False),
        ("Example app listening at http://localhost:3000", 3000, "", False),
        ("Server listening on port 3000", 3000, "", False),
        ("listening on 9000", 9000, "", False),
        ("listening on :8080", 8080, "", False),
        ("Tomcat started on port(s): 8080 (http) with context path ''", 8080, "", False),
        ("Tomcat started on port 8080 (http)", 8080, "", False),
        ("ready - started server on [::]:3000, url: http://localhost:3000", 3000, "[::]", False),
        ("   - Local:        http://localhost:3000", 3000, "", False),
        ("  ➜  Network: http://172.17.0.2:5173/", 5173, "172.17.0.2", False),
        ("======== Running on http://0.0.0.0:8080 ========", 8080, "0.0.0.0", False),
        ("Listening on TCP address 127.0.0.1:8000", 8000, "127.0.0.1", True),
        ("Started ServerConnector@1b2c{HTTP/1.1, (http/1.1)}{0.0.0.0:8080}", 8080, "0.0.0.0", False),
        (
            "[Mon Nov 30 10:00:00 2026] PHP 8.4.1 Development Server (http://0.0.0.0:80) started",
            80,
            "0.0.0.0",
            False,
        ),
        ('{"level":30,"msg":"Server listening at http://0.0.0.0:3000"}', 3000, "0.0.0.0", False),
        ("2026/11/30 10:00:00 Listening and serving HTTP on :8080", 8080, "", False),
        ("[GIN-debug] Listening and serving HTTP on :8080", 8080, "", False),
        ("2026-11-30 10:00:00,123 INFO app: server is running on port 8080", 8080, "", False),
        ("* Listening on tcp://0.0.0.0:3000", 3000, "0.0.0.0", False),
        ("Now listening on: http://[::]:8080", 8080, "[::]", False),
        ("⇨ http server started on [::]:1323", 1323, "[::]", False),
        ("INFO  Bokeh app running at: http://localhost:5006/app", 5006, "", False),
        # Apps that are served below a path of such a name
        ("INFO  Bokeh app running at: http://localhost:5006/worker", 5006, "", False),
        ("Dash is running on http://0.0.0.0:8050/admin/", 8050, "0.0.0.0", False),
        ("  ➜  Local:   http://localhost:5173/cluster/health/", 5173, "", False),
    ],
)
def test_what_a_line_says(line: str, port: int, address: str, loopback: bool) -> None:
    [told] = listening_ports([line])
    assert (told.port, told.address, told.is_on_loopback) == (port, address, loopback)


@pytest.mark.parametrize(
    "line",
    [
        "starting v2",
        "Traceback (most recent call last):",
        "loaded 1234 documents",
        "GET https://api.example.com/v1 200",
        "You can now view your Streamlit app in your browser.",
        "INFO:     Started server process [17]",
        "Server started in 350 ms",
        "started 12 workers",
        "running at 100 requests a second",
        "search server: http://10.0.3.4:9200",
        # Others' ports in the app's log: what it waits for, sends to, or opens beside its own address.
        'is the server running on host "db" (10.0.0.1) and accepting TCP/IP connections on port 5432?',
        'connection to server at "db" (10.0.0.1), port 5432 failed: Connection refused',
        "Connecting to postgres running on port 5432",
        "Waiting for redis to be running at localhost:6379",
        "Server running; database host db.internal port 5432",
        "Successfully started service 'SparkUI' on port 4040.",
        "Debugger listening on ws://127.0.0.1:9229/0f2c936f",
        "Debug server listening on http://127.0.0.1:5678",
        "Prometheus metrics server started on port 9090",
        "metrics listening on 9090",
        "Admin API listening on http://0.0.0.0:9901",
        "management server is running on http://0.0.0.0:9090",
        "statsd client started, sending to port 8125",
        "OTLP exporter started, sending to http://localhost:4317",
        "Serving cached model 12345 from /models",
        "URL: https://api.example.com/v1",
        "  Database URL: http://10.0.0.3:5432",
        "  URL: http://redis:6379",
        "Server is running at http://0.0.0.0:9100/metrics",
        "Listening at: http://0.0.0.0:9100/metrics",
        "Admin: Uvicorn running on http://0.0.0.0:9100/app",
        # Times and amounts
        "started listening at 2024-01-01 10:00:00",
        "Application started at 10:30:45",
        "Application started at 10:30",
        "started on 2024-05-01 at :30",
        "listening 1500 ms for peers",
        "listening for 30 seconds",
        "Server listening on port 99999",
    ],
)
def test_other_lines_say_nothing(line: str) -> None:
    assert listening_ports([line]) == ()


COLOURED = (
    # uvicorn and click, with a terminal or FORCE_COLOR
    "\x1b[32mINFO\x1b[0m:     Uvicorn running on \x1b[1mhttp://127.0.0.1:8501\x1b[0m (Press CTRL+C to quit)",
    # Streamlit, of which each word has its style
    "\x1b[0m\x1b[34m  URL: \x1b[0m\x1b[1mhttp://127.0.0.1:8501\x1b[0m",
    "\x1b[31m\x1b[1m * Running on http://127.0.0.1:8501\x1b[0m",
    "\x1b[38;5;208m[INFO]\x1b[m Listening at: \x1b[4mhttp://127.0.0.1:8501\x1b[24m (7)",
    "  \x9b32m➜\x9b39m  \x1b[1mLocal\x1b[22m:   \x1b]8;;http://127.0.0.1:8501\x07http://127.0.0.1:8501\x1b]8;;\x07",
    "server listening on \x1b(B\x1b[m127.0.0.1:8501",
)


@pytest.mark.parametrize("line", COLOURED)
def test_a_colour_hides_nothing(line: str) -> None:
    [told] = listening_ports([line])
    assert (told.port, told.address) == (8501, "127.0.0.1")


def test_streamlit_without_an_address_listens_everywhere() -> None:
    lines = ["  Local URL: http://localhost:8501", "  Network URL: http://10.0.0.7:8501"]
    assert [each.is_on_loopback for each in listening_ports(lines)] == [False]


@pytest.mark.parametrize(
    ("line", "path"),
    [
        ("  URL: http://0.0.0.0:8501/tools/board", "/tools/board"),
        ("  Local URL: http://localhost:8501/tools/board/", "/tools/board"),
        ("  Network URL: http://10.0.0.7:8501", ""),
        ("  Local URL: http://localhost:8501/admin", "/admin"),
        ("  URL: http://0.0.0.0:8501/proxy/app", "/proxy/app"),
        ("  External URL: http://203.0.113.7:8501/health/db/", "/health/db"),
    ],
)
def test_streamlit_says_below_which_path_it_is(line: str, path: str) -> None:
    assert [each.base_path for each in listening_ports([line])] == [path]


def test_flask_on_all_addresses_names_loopback_too() -> None:
    lines = [" * Running on all addresses (0.0.0.0)", " * Running on http://127.0.0.1:5000"]
    lines += [" * Running on http://172.31.0.9:5000"]
    assert [(each.port, each.is_on_loopback) for each in listening_ports(lines)] == [(5000, False)]


def test_two_ports() -> None:
    lines = ["Server listening on port 9090", "Uvicorn running on http://0.0.0.0:8501"]
    assert [each.port for each in listening_ports(lines)] == [9090, 8501]
