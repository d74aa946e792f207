"""The example app: what it shows, and what this project's own settings and Dockerfile say about it."""

from __future__ import annotations

import http.server
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import yaml

from lobster_tasks import settings
from tests.environment import environment
from tests.serving import in_background

if TYPE_CHECKING:
    from streamlit.testing.v1 import AppTest

PROJECT = Path(__file__).parents[2]
APP = PROJECT / "examples" / "streamlit_app" / "app.py"


def shown(app: AppTest) -> dict[str, str]:
    """The page's figures by their labels."""
    assert not app.exception
    return {metric.label: metric.value for metric in app.metric}


@contextmanager
def metadata_endpoint(answer: Mapping[str, str]) -> Iterator[str]:
    """An endpoint that answers as the one that ECS gives to a container."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            found = self.path == "/v4/container/task"
            self.send_response(200 if found else 404)
            self.end_headers()
            self.wfile.write(json.dumps(answer).encode() if found else b"")

        def log_message(self, *_: object) -> None:
            pass

    with in_background(http.server.HTTPServer(("127.0.0.1", 0), Handler)) as address:
        yield f"http://{address}/v4/container"


def open_page() -> AppTest:
    """A new session in a process that has answered nobody yet."""
    import streamlit  # which takes long
    from streamlit.testing.v1 import AppTest

    streamlit.cache_resource.clear()
    return AppTest.from_file(str(APP), default_timeout=60).run()


def test_shows_its_release_and_counts_in_its_session() -> None:
    with environment(RELEASE="4f2c1e9"):
        page = open_page()
        assert shown(page)["Release"] == "4f2c1e9"
        page.button[0].click().run()
        page.button[0].click().run()
        assert shown(page)["Counted in this session"] == "2"
        assert shown(open_page())["Counted in this session"] == "0"


def test_shows_the_task_id_on_ecs() -> None:
    arn = "arn:aws:ecs:us-east-2:123456789012:task/lobster-cluster/5d2f0c1a9b7e4a6c8d3e2f1a0b9c8d7e"
    with metadata_endpoint({"TaskARN": arn}) as url, environment(ECS_CONTAINER_METADATA_URI_V4=url):
        assert shown(open_page())["Instance"] == "5d2f0c1a9b7e4a6c8d3e2f1a0b9c8d7e"


def test_shows_a_name_when_the_metadata_endpoint_does_not_answer() -> None:
    with environment(ECS_CONTAINER_METADATA_URI_V4="http://127.0.0.1:9/v4/container"):
        assert shown(open_page())["Instance"]


def test_the_projects_settings_name_every_key_at_its_default() -> None:
    given = yaml.safe_load((PROJECT / "invoke.yaml").read_text())["lobster"]
    assert settings.load(given) == settings.Settings()
    known = settings.keys()
    missing = [key for key in known if not _has(given, key)]
    assert missing == []


def _has(tree: Mapping[str, object], key: str) -> bool:
    section, _, rest = key.partition(".")
    inner = tree.get(section)
    return section in tree and (not rest or (isinstance(inner, dict) and _has(inner, rest)))
