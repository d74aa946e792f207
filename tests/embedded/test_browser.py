"""A page that a browser of this machine shows does nothing to an embedded AWS: with Chromium, as it really behaves."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit

import pytest
import requests

from tests.embedded.browser import BROWSER, Website
from tests.embedded_process import PATIENCE, EmbeddedProcess, control

pytestmark = pytest.mark.skipif(BROWSER is None, reason="no Chromium here (Debian: apt-get install chromium)")

SIGNED = "AWS4-HMAC-SHA256 Credential=any/20260101/us-east-2/{}/aws4_request, SignedHeaders=host, Signature=0"


def of_ecs(operation: str, **members: Any) -> dict[str, Any]:
    """A call of ECS as a script's ``fetch`` would send it."""
    headers = {
        "X-Amz-Target": f"AmazonEC2ContainerServiceV20141113.{operation}",
        "Content-Type": "application/x-amz-json-1.1",
        "Authorization": SIGNED.format("ecs"),
    }
    return {"method": "POST", "headers": headers, "body": json.dumps(members)}


def of_iam(operation: str, **members: str) -> dict[str, Any]:
    """A call of IAM likewise, in a form."""
    headers = {"Content-Type": "application/x-www-form-urlencoded", "Authorization": SIGNED.format("iam")}
    form = urlencode({"Action": operation, "Version": "2010-05-08", **members})
    return {"method": "POST", "headers": headers, "body": form}


CALLS = [
    ("/", of_ecs("CreateCluster", clusterName="evil")),
    ("/", of_iam("CreateUser", UserName="evil")),
    ("/", {"method": "GET", "headers": {"Authorization": SIGNED.format("iam")}}),
    (
        "/_embedded/faults",
        {"method": "POST", "headers": {"X-Embedded-Aws": "any"}, "body": '[{"throttle": true}]'},
    ),
]
"""What does something when a program of this machine sends it."""

SCRIPT = """
const results = {};
const note = (name, answer) => { results[name] = answer; };
async function attempt(name, path, options) {
  try {
    const answer = await fetch(base + path, options);
    note(name, answer.type === "opaque" ? "opaque" : answer.status);
  } catch (error) { note(name, "blocked"); }
}
function element(name, html) {
  return new Promise((done) => {
    const holder = document.createElement("div");
    holder.innerHTML = html;
    const child = holder.firstElementChild;
    child.onload = child.onerror = () => { note(name, "ended"); done(); };
    document.body.append(holder);
    if (child.tagName === "FORM") { child.submit(); done(); }
  });
}
function socket() {
  return new Promise((done) => {
    const opened = new WebSocket(base.replace("http", "ws") + "/");
    opened.onopen = () => { note("websocket", "open"); done(); };
    opened.onerror = () => { note("websocket", "blocked"); done(); };
  });
}
async function attack() {
  for (const [index, [path, options]] of calls.entries()) {
    await attempt("cors " + index, path, options);
    const {method, body} = options;
    for (const type of ["text/plain", "application/x-www-form-urlencoded"]) {
      const headers = {"Content-Type": type};
      await attempt("no-cors " + type + " " + index, path, {method, body, mode: "no-cors", headers});
    }
    if (body) navigator.sendBeacon(base + path, body);
  }
  await attempt("no-cors reset", "/_embedded/reset", {method: "POST", mode: "no-cors"});
  await attempt("no-cors page of moto", "/moto-api/reset", {method: "POST", mode: "no-cors"});
  const query = "/?Action=CreateUser&Version=2010-05-08&UserName=evil";
  await element("image", `<img src="${base}${query}">`);
  await element("frame", `<iframe src="${base}${query}"></iframe>`);
  await element("form", `<iframe name="t"></iframe>`);
  for (const [path, {body}] of calls) {
    await element("form", `<form target="t" method="post" enctype="text/plain" action="${base}${path}">
      <input name='${(body || "").replaceAll("'", "&#39;")}' value=""></form>`);
  }
  await socket();
  await fetch("/report", {method: "POST", body: JSON.stringify(results)});
}
attack();
"""


def page(base: str) -> str:
    """A page that tries everything a page can on the embedded AWS at ``base``."""
    known = f"const base = {json.dumps(base)}; const calls = {json.dumps(CALLS)};"
    return f"<!doctype html><body><script>{known}{SCRIPT}</script>"


@pytest.fixture
def account(aws: EmbeddedProcess) -> EmbeddedProcess:
    """An embedded AWS that holds one user, and of which no call is remembered."""
    aws.client("iam").create_user(UserName="ours")
    aws.forget_calls()
    return aws


def assert_untouched(aws: EmbeddedProcess) -> None:
    """Nothing was called, made, reset or ordered."""
    assert aws.calls() == []
    assert control.get(f"{aws.url}/_embedded/faults", timeout=PATIENCE).json() == []
    assert [user["UserName"] for user in aws.client("iam").list_users()["Users"]] == ["ours"]
    assert aws.client("ecs").list_clusters()["clusterArns"] == []


def test_the_attack_would_do_harm_in_a_program_s_hands(account: EmbeddedProcess) -> None:
    for path, options in CALLS[:2]:
        answer = requests.post(
            f"{account.url}{path}", options["body"], headers=options["headers"], timeout=PATIENCE
        )
        assert answer.status_code == 200
    assert len(account.client("iam").list_users()["Users"]) == 2
    assert len(account.client("ecs").list_clusters()["clusterArns"]) == 1


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "0.0.0.0"])
def test_a_page_of_another_site_does_nothing(account: EmbeddedProcess, host: str, tmp_path: Path) -> None:
    """fetch with and without CORS, beacons, images, frames, forms, a WebSocket."""
    seen = Website(page(f"http://{host}:{urlsplit(account.url).port}")).visit(tmp_path)
    readable = {name: answer for name, answer in seen.items() if answer not in ("blocked", "opaque", "ended")}
    assert readable == {}
    assert len(seen) > 12
    assert_untouched(account)


def test_a_site_whose_name_is_made_to_lead_here_does_nothing(
    account: EmbeddedProcess, tmp_path: Path
) -> None:
    """DNS rebinding: the browser takes the embedded AWS for the site's own server; its Host tells."""
    address = urlsplit(account.url)
    port = address.port or 0
    site = Website(page(f"http://evil.example:{port}"), port, ("127.0.0.1", port))
    seen = site.visit(tmp_path)
    answered = {answer for name, answer in seen.items() if name.startswith(("cors", "no-cors"))}
    assert answered == {403}
    assert_untouched(account)
