"""Sign-in at the load balancer: what a visitor, an identity provider and a target see of it.

Quotes are from the Application Load Balancers user guide, "Authenticate users using an Application Load Balancer",
unless they name another source; "Troubleshoot" is "Troubleshoot your Application Load Balancers", "Knowledge Center"
is re:Post's "How do I troubleshoot authentication issues in my Application Load Balancer?".
"""

from __future__ import annotations

import base64
import json
import socket
import ssl
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.cookies import SimpleCookie
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
import requests
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.serialization import load_pem_public_key

from tests.embedded.guarded import Guarded
from tests.embedded.identity_provider import CLIENT, SECRET, id_token
from tests.embedded_process import PATIENCE, EmbeddedProcess, eventually
from tests.web_socket import WebSocket, connect

pytestmark = pytest.mark.filterwarnings("ignore::urllib3.exceptions.InsecureRequestWarning")

SESSION = "AWSELBAuthSessionCookie"
NONCE = "AWSALBAuthNonce"
OIDC_HEADERS = ("x-amzn-oidc-accesstoken", "x-amzn-oidc-identity", "x-amzn-oidc-data")


def get(browser: requests.Session, url: str, *, follow: bool = False, **headers: str) -> requests.Response:
    """One request, or all that redirects lead to."""
    return browser.get(url, headers=headers, allow_redirects=follow, timeout=PATIENCE)


def signed_in(guarded: Guarded, path: str = "/") -> requests.Session:
    """A client that has signed in."""
    browser = guarded.browser()
    answer = get(browser, guarded.secure + path, follow=True)
    assert (answer.status_code, answer.text) == (200, "one")
    return browser


def back(guarded: Guarded, browser: requests.Session, **more: str) -> requests.Response:
    """The answer to a client that went to the provider and came back, with ``more`` in place of what the provider said
    (empty: without)."""
    login = get(browser, guarded.secure).headers["Location"]
    returning = get(browser, login).headers["Location"]
    said = {name: value for name, value in {**query(returning), **more}.items() if value}
    return browser.get(returning.partition("?")[0], params=said, allow_redirects=False, timeout=PATIENCE)


def query(url: str) -> dict[str, str]:
    """The query parameters of a URL."""
    return dict(parse_qsl(urlsplit(url).query))


def cookies_of(answer: requests.Response) -> dict[str, Any]:
    """The cookies that an answer sets, each with its attributes."""
    found: dict[str, Any] = {}
    for line in answer.raw.headers.getlist("Set-Cookie"):
        found.update(SimpleCookie(line))
    return found


def told(guarded: Guarded) -> list[str | None]:
    """What the site was told of who has made the last request: access token, identity, claims."""
    seen = guarded.site.seen[-1]
    return [seen.header(name) for name in OIDC_HEADERS]


def claims_of(token: str | None) -> tuple[dict[str, Any], dict[str, Any]]:
    """The head and the claims of a token."""
    head, claims, _ = (token or "").split(".")
    decoded = [json.loads(base64.urlsafe_b64decode(part)) for part in (head, claims)]
    return decoded[0], decoded[1]


# The way to the provider and back


def test_who_has_no_session_is_sent_to_the_provider(guarded: Guarded) -> None:
    """ "If the cookie is not present, the load balancer redirects the user to the IdP authorization endpoint"; the
    redirect URL is ``https://DNS/oauth2/idpresponse``. ``openid`` is the default scope (AuthenticateOidcActionConfig).
    """
    guarded.guard()
    answer = get(guarded.browser(), f"{guarded.secure}/a?b=c")
    location = answer.headers["Location"]
    assert (answer.status_code, location.partition("?")[0]) == (302, f"{guarded.provider.issuer}/authorize")
    asked = query(location)
    assert asked.pop("state")
    assert asked == {
        "client_id": CLIENT,
        "redirect_uri": f"{guarded.secure}/oauth2/idpresponse",
        "response_type": "code",
        "scope": "openid",
    }
    assert guarded.site.seen == []


def test_extra_parameters_and_the_scope_arrive(guarded: Guarded) -> None:
    """AuthenticationRequestExtraParams: "The query parameters (up to 10) to include in the redirect request to the
    authorization endpoint"."""
    extra = {"display": "page", "prompt": "login now"}
    guarded.guard(Scope="openid email", AuthenticationRequestExtraParams=extra)
    asked = query(get(guarded.browser(), guarded.secure).headers["Location"])
    assert {name: asked[name] for name in ("scope", "display", "prompt")} == {
        "scope": "openid email",
        **extra,
    }


def test_the_callback_is_in_small_letters(guarded: Guarded) -> None:
    """ "The callback URL in the app client settings must use all lowercase letters"."""
    guarded.guard()
    answer = get(guarded.browser(), guarded.secure, Host="App.Example.COM")
    asked = query(answer.headers["Location"])
    assert asked["redirect_uri"] == "https://app.example.com/oauth2/idpresponse"


def test_who_signs_in_arrives_where_he_wanted_to_go(guarded: Guarded) -> None:
    """ "The Application Load Balancer redirects the user with the AWSELB authentication session cookie to the original
    URI"; later "every subsequent request starts at step 9 as long as the cookie has not expired"."""
    guarded.guard()
    browser = guarded.browser()
    answer = get(browser, f"{guarded.secure}/a%20b?c=d%26e", follow=True)
    assert (answer.status_code, answer.text, answer.url) == (200, "one", f"{guarded.secure}/a%20b?c=d%26e")
    assert [one.status_code for one in answer.history] == [302, 302, 302]
    assert get(browser, f"{guarded.secure}/more").text == "one"
    assert [one.path for one in guarded.site.seen] == ["/a%20b?c=d%26e", "/more"]
    assert len(guarded.provider.forms) == 1


def test_the_code_is_redeemed(guarded: Guarded) -> None:
    """ "The load balancer presents the authorization grant code to the IdP token endpoint" (RFC 6749, 4.1.3; the
    secret by client_secret_basic, OpenID Connect Core, 9)."""
    guarded.guard()
    signed_in(guarded)
    assert guarded.provider.forms == [
        {
            "grant_type": "authorization_code",
            "code": "the-code",
            "redirect_uri": f"{guarded.secure}/oauth2/idpresponse",
        }
    ]
    pair = base64.b64encode(f"{CLIENT}:{SECRET}".encode()).decode()
    assert [one["authorization"] for one in guarded.provider.calls("/token")] == [f"Basic {pair}"]


def test_the_access_token_is_exchanged_for_claims(guarded: Guarded) -> None:
    """ "The Application Load Balancer then sends the access token to the user info endpoint" (OpenID Connect Core,
    5.3.1: as a bearer token)."""
    guarded.guard()
    signed_in(guarded)
    assert [one["authorization"] for one in guarded.provider.calls("/userinfo")] == ["Bearer access-1"]


def test_the_callback_is_answered_whatever_the_rules_say(guarded: Guarded) -> None:
    """The guide's own example has a rule for ``/login`` alone, to whose provider ``/oauth2/idpresponse`` belongs."""
    guarded.rule(guarded.ask(), guarded.then())
    browser = guarded.browser()
    assert get(browser, guarded.secure).text == "one"
    assert get(browser, f"{guarded.secure}/login", follow=True).text == "one"
    assert [one.path for one in guarded.site.seen] == ["/", "/login"]


def test_without_such_a_rule_the_path_is_the_apps(guarded: Guarded) -> None:
    """A listener that asks nobody has no callback: an app's own OAuth 2.0 may use the path (own words)."""
    assert get(guarded.browser(), f"{guarded.secure}/oauth2/idpresponse?code=1&state=2").text == "one"
    assert guarded.site.seen[-1].path == "/oauth2/idpresponse?code=1&state=2"


@pytest.mark.parametrize(
    ("action", "status"),
    [
        ({"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": "418"}}, 418),
        ({"Type": "redirect", "RedirectConfig": {"StatusCode": "HTTP_301", "Path": "/else"}}, 301),
    ],
    ids=["fixed", "redirect"],
)
def test_every_last_action_waits_for_the_sign_in(
    guarded: Guarded, action: dict[str, Any], status: int
) -> None:
    """ "Each rule must include exactly one of the following routing actions: forward, fixed-response, or redirect"
    (Action), after the one that authenticates."""
    guarded.rule(guarded.ask(), guarded.then(action))
    browser = guarded.browser()
    if status == 418:
        answers = [get(browser, f"{guarded.secure}/login", follow=True)]
    else:
        answers = get(browser, f"{guarded.secure}/login", follow=True).history
    assert answers[0].status_code in (status, 302)
    assert get(browser, f"{guarded.secure}/login").status_code == status
    assert len(guarded.provider.forms) == 1


def test_a_user_pool_is_asked_at_its_domain(guarded: Guarded) -> None:
    """UserPoolDomain: "The domain prefix or fully-qualified domain name of the Amazon Cognito user pool"; below it are
    ``/oauth2/authorize``, ``/oauth2/token`` and ``/oauth2/userInfo`` (Amazon Cognito Developer Guide, "User pool
    endpoints and managed login reference"). There are no user pools here, so the client has no secret."""
    pool = "https://cognito-idp.us-east-2.amazonaws.com/us-east-2_abc"
    claims = {"iss": pool, "aud": CLIENT, "sub": "user-1", "exp": int(time.time()) + 3600}
    guarded.provider.tokens["id_token"] = id_token(**claims)
    domain = urlsplit(guarded.provider.issuer).netloc
    guarded.rule(guarded.ask_pool(UserPoolDomain=domain), guarded.then())
    browser = guarded.browser()
    assert get(browser, f"{guarded.secure}/login", follow=True).text == "one"
    assert [one.path.partition("?")[0] for one in guarded.provider.seen] == [
        "/oauth2/authorize",
        "/oauth2/token",
        "/oauth2/userInfo",
    ]
    pair = base64.b64encode(f"{CLIENT}:".encode()).decode()
    assert guarded.provider.calls("/oauth2/token")[0]["authorization"] == f"Basic {pair}"
    assert claims_of(told(guarded)[2])[0]["iss"] == pool


def test_a_user_pool_may_have_a_prefix(guarded: Guarded) -> None:
    """A domain prefix stands for ``https://prefix.auth.region.amazoncognito.com``."""
    guarded.rule(guarded.ask_pool(UserPoolDomain="app"), guarded.then())
    location = get(guarded.browser(), f"{guarded.secure}/login").headers["Location"]
    assert location.partition("?")[0] == "https://app.auth.us-east-2.amazoncognito.com/oauth2/authorize"


# What the target is told


def test_the_target_is_told_who_it_is(guarded: Guarded) -> None:
    """``x-amzn-oidc-accesstoken``: "The access token from the token endpoint, in plain text"; ``x-amzn-oidc-identity``:
    "The subject field (sub) from the user info endpoint, in plain text"; ``x-amzn-oidc-data``: "The user claims, in
    JSON web tokens (JWT) format"."""
    guarded.guard()
    signed_in(guarded)
    access, identity, data = told(guarded)
    assert (access, identity) == ("access-1", "user-1")
    head, claims = claims_of(data)
    assert claims == guarded.provider.claims
    assert head["alg"] == "ES256"
    assert (head["signer"], head["iss"]) == (guarded.arn, guarded.provider.issuer)
    assert head["client"] == CLIENT
    assert time.time() < head["exp"] <= time.time() + 3600


def test_the_claims_are_signed(guarded: Guarded) -> None:
    """ "An Application Load Balancer uses ES256 (ECDSA using P-256 and SHA256) to generate the JWT signature", whose
    key is looked up by ``kid`` at ``https://public-keys.auth.elb.region.amazonaws.com/key-id``, here at the endpoint's
    ``/_embedded/public-keys/key-id``."""
    guarded.guard()
    signed_in(guarded)
    token = told(guarded)[2] or ""
    url = f"{guarded.aws.url}/_embedded/public-keys/{claims_of(token)[0]['kid']}"
    shown = requests.get(url, timeout=PATIENCE)
    assert shown.status_code == 200
    assert requests.get(f"{url}0", timeout=PATIENCE).status_code == 404
    key = load_pem_public_key(shown.content)
    assert isinstance(key, ec.EllipticCurvePublicKey)
    signed, _, signature = token.rpartition(".")
    pair = base64.urlsafe_b64decode(signature)
    numbers = encode_dss_signature(int.from_bytes(pair[:32]), int.from_bytes(pair[32:]))
    key.verify(numbers, signed.encode(), ec.ECDSA(hashes.SHA256()))


def test_the_parts_of_the_token_are_padded(guarded: Guarded) -> None:
    """ "base64 URL encoded, and includes padding characters at the end"."""
    guarded.guard()
    signed_in(guarded)
    parts = (told(guarded)[2] or "").split(".")
    assert [len(part) % 4 for part in parts] == [0, 0, 0]
    assert parts[2].endswith("==")


def test_nobody_tells_the_target_himself(guarded: Guarded) -> None:
    """ "verify that the claims were sent by the load balancer": what a client sends under their names does not pass a
    rule that asks who it is (own words)."""
    guarded.guard(OnUnauthenticatedRequest="allow")
    forged = dict.fromkeys(OIDC_HEADERS, "forged")
    assert get(guarded.browser(), guarded.secure, **forged).text == "one"
    assert told(guarded) == [None, None, None]
    guarded.guard()
    browser = signed_in(guarded)
    assert get(browser, guarded.secure, **forged).text == "one"
    named = [name.lower() for name, _ in guarded.site.seen[-1].headers]
    assert [named.count(name) for name in OIDC_HEADERS] == [1, 1, 1]
    assert told(guarded)[1] == "user-1"


def test_health_checks_are_not_asked(guarded: Guarded) -> None:
    """Health checks go from the load balancer to its targets ("Health checks for Application Load Balancer target
    groups"), past every rule: with everybody asked, the target stays healthy."""
    guarded.guard()
    guarded.site.checks.clear()
    eventually(lambda: len(guarded.site.checks) > 2)
    assert guarded.health(guarded.addresses["one"])["State"] == "healthy"
    assert guarded.provider.seen == []


# The session


def test_what_the_session_cookie_looks_like(guarded: Guarded) -> None:
    """ "This cookie always contains the secure attribute, because user authentication requires an HTTPS listener"; "The
    cookie expiry is an attribute of the cookie, which is set to 7 days"."""
    guarded.guard()
    found = cookies_of(back(guarded, guarded.browser()))
    assert list(found) == [f"{SESSION}-0"]
    attributes = found[f"{SESSION}-0"]
    assert (attributes["secure"], attributes["httponly"], attributes["path"]) == (True, True, "/")
    assert attributes["samesite"] == ""
    lasts = time.mktime(time.strptime(attributes["expires"], "%a, %d %b %Y %H:%M:%S GMT")) - time.timezone
    assert 604_700 < lasts - time.time() <= 604_800
    assert "user-1" not in attributes.value


def test_a_cookie_for_other_sites(guarded: Guarded) -> None:
    """ "This cookie contains the SameSite=None attribute with CORS (cross-origin resource sharing) requests"."""
    guarded.guard()
    browser = guarded.browser()
    browser.headers["Origin"] = "https://other.example.com"
    assert cookies_of(back(guarded, browser))[f"{SESSION}-0"]["samesite"] == "None"


def test_a_large_session_is_in_several_cookies(guarded: Guarded) -> None:
    """ "Because most browsers limit the cookie size to 4K, the load balancer shards a cookie that is greater than 4K in
    size into multiple cookies"; "up to 4 shards to send to the client"."""
    guarded.provider.claims["picture"] = "x" * 10_000
    guarded.guard()
    browser = guarded.browser()
    answer = back(guarded, browser)
    assert list(cookies_of(answer)) == [f"{SESSION}-{number}" for number in range(4)]
    assert max(map(len, answer.raw.headers.getlist("Set-Cookie"))) <= 4096
    assert get(browser, guarded.secure).text == "one"
    assert claims_of(told(guarded)[2])[1] == guarded.provider.claims


def test_a_smaller_session_ends_the_cookies_of_a_larger_one(guarded: Guarded) -> None:
    """What is left of an earlier session does not spoil the next (own words)."""
    guarded.provider.claims["picture"] = "x" * 5_000
    guarded.guard(SessionTimeout=100)
    browser = signed_in(guarded)
    assert shards(browser) == [f"{SESSION}-0", f"{SESSION}-1"]
    del guarded.provider.claims["picture"]
    eventually(lambda: get(browser, guarded.secure).status_code == 302)
    assert get(browser, guarded.secure, follow=True).text == "one"
    assert shards(browser) == [f"{SESSION}-0"]


def shards(browser: requests.Session) -> list[str]:
    """The names of the cookies that hold a client's session."""
    return sorted(cookie.name for cookie in browser.cookies if cookie.name.startswith(SESSION))


def test_more_claims_than_fit_are_an_error(guarded: Guarded) -> None:
    """ "If the total size of the user claims and access token received from the IdP is greater than 11K bytes in size,
    the load balancer returns an HTTP 500 error to the client"."""
    guarded.provider.claims["picture"] = "x" * 11 * 1024
    guarded.guard()
    assert back(guarded, guarded.browser()).status_code == 500


def test_a_cookie_of_a_name_of_its_own(guarded: Guarded) -> None:
    """ "each listener rule with an authenticate action should have a unique cookie name. This ensures that clients are
    always authenticated with the IdP before being routed to the target group specified in the rule": with the same
    name, one login is good for all."""
    guarded.guard(SessionCookieName="mine")
    guarded.rule(guarded.ask(SessionCookieName="mine"), guarded.then(), path="/same")
    guarded.rule(guarded.ask(SessionCookieName="theirs"), guarded.then(), path="/other", priority=2)
    browser = signed_in(guarded)
    assert "mine-0" in browser.cookies
    assert get(browser, f"{guarded.secure}/same").status_code == 200
    assert get(browser, f"{guarded.secure}/other").status_code == 302


def test_a_session_times_out(guarded: Guarded) -> None:
    """ "The actual length of the authentication session is determined by the session timeout configured on the
    Application Load Balancer", "as short as 1 second"; here 100 of AWS's seconds are one."""
    guarded.guard(SessionTimeout=100)
    browser = signed_in(guarded)
    eventually(lambda: get(browser, guarded.secure).status_code == 302)
    assert get(browser, guarded.secure, follow=True).text == "one"


def test_the_app_may_end_the_session(guarded: Guarded) -> None:
    """ "it should set the expiration time of the authentication session cookie to -1": the app gets the cookie, and who
    comes without it is asked again."""
    guarded.guard()
    browser = signed_in(guarded)
    assert f"{SESSION}-0=" in (guarded.site.seen[-1].header("Cookie") or "")
    browser.cookies.clear()
    assert get(browser, guarded.secure).status_code == 302


# What the rule does with those who have no session


def test_deny_answers_401(guarded: Guarded) -> None:
    """ "If you use the deny option, the load balancer returns an HTTP 401 Unauthorized error to AJAX calls that have no
    authentication information"."""
    guarded.guard(OnUnauthenticatedRequest="deny")
    answer = get(guarded.browser(), guarded.secure)
    assert (answer.status_code, answer.headers["Server"]) == (401, "awselb/2.0")
    assert "401 Authorization Required" in answer.text
    assert guarded.site.seen == []


def test_deny_lets_those_in_who_have_signed_in_elsewhere(guarded: Guarded) -> None:
    """The session of another rule with the same cookie counts."""
    guarded.rule(guarded.ask(OnUnauthenticatedRequest="deny"), guarded.then(), path="/data")
    guarded.rule(guarded.ask(), guarded.then(), priority=2)
    browser = signed_in(guarded, "/login")
    assert get(browser, f"{guarded.secure}/data").text == "one"


def test_deny_sends_those_to_the_provider_whose_session_is_over(guarded: Guarded) -> None:
    """ "But if the user has expired authentication information, it redirects the client to the IdP authorization
    endpoint"."""
    guarded.rule(guarded.ask(SessionTimeout=1), guarded.then())
    guarded.guard(OnUnauthenticatedRequest="deny", SessionTimeout=1)
    browser = guarded.browser()
    login = get(browser, f"{guarded.secure}/login").headers["Location"]
    get(browser, get(browser, login).headers["Location"])
    assert f"{SESSION}-0" in browser.cookies
    answer = eventually(lambda: at_provider(guarded, get(browser, guarded.secure)))
    assert answer.status_code == 302


def at_provider(guarded: Guarded, answer: requests.Response) -> requests.Response | None:
    """An answer that leads to the provider; None for another."""
    leads = answer.headers.get("Location", "").startswith(f"{guarded.provider.issuer}/authorize")
    return answer if leads else None


def test_allow_lets_everybody_in(guarded: Guarded) -> None:
    """ "If the user is not logged in, the load balancer forwards the request without the user claims"; "If the user is
    logged in, the load balancer provides the user claims"."""
    guarded.guard(OnUnauthenticatedRequest="allow")
    guarded.rule(guarded.ask(), guarded.then())
    browser = guarded.browser()
    assert get(browser, guarded.secure).text == "one"
    assert told(guarded) == [None, None, None]
    assert get(browser, f"{guarded.secure}/login", follow=True).text == "one"
    assert get(browser, guarded.secure).text == "one"
    assert told(guarded)[1] == "user-1"


# Refresh tokens


def test_claims_are_refreshed(guarded: Guarded) -> None:
    """ "the load balancer saves the refresh token and uses it to refresh the user claims each time the access token
    expires" (RFC 6749, 6)."""
    guarded.provider.tokens = {"refresh_token": "again", "expires_in": 0}
    guarded.guard()
    browser = signed_in(guarded)
    guarded.provider.claims = {"sub": "user-1", "name": "New"}
    guarded.provider.tokens = {"expires_in": 3600, "id_token": None}
    answer = get(browser, guarded.secure)
    assert guarded.provider.forms[-1] == {"grant_type": "refresh_token", "refresh_token": "again"}
    assert claims_of(told(guarded)[2])[1] == {"sub": "user-1", "name": "New"}
    assert list(cookies_of(answer)) == [f"{SESSION}-0"]
    asked = len(guarded.provider.forms)
    assert get(browser, guarded.secure).text == "one"
    assert len(guarded.provider.forms) == asked


def test_what_is_refreshed_is_kept_whatever_answers(guarded: Guarded) -> None:
    """The new session reaches the client with an answer of the load balancer's own, too: a provider may take each
    refresh token once (RFC 6749, 6: "The authorization server MAY issue a new refresh token")."""
    guarded.provider.tokens = {"refresh_token": "first", "expires_in": 0}
    fixed = {"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": "418"}}
    guarded.rule(guarded.ask(), guarded.then(fixed))
    browser = guarded.browser()
    assert get(browser, f"{guarded.secure}/login", follow=True).status_code == 418
    guarded.provider.tokens["refresh_token"] = "second"
    for _ in range(3):
        assert get(browser, f"{guarded.secure}/login").status_code == 418
    sent = [form["refresh_token"] for form in guarded.provider.forms if "refresh_token" in form]
    assert sent[-2:] == ["second", "second"]


def test_who_has_signed_out_at_the_provider_is_asked_again(guarded: Guarded) -> None:
    """ "If the user logs out, the refresh fails and the load balancer redirects the user to the IdP authorization
    endpoint"."""
    guarded.provider.tokens = {"refresh_token": "again", "expires_in": 0}
    guarded.guard(OnUnauthenticatedRequest="deny")
    guarded.rule(guarded.ask(), guarded.then())
    browser = signed_in(guarded, "/login")
    guarded.provider.statuses["/token"] = 400
    assert at_provider(guarded, get(browser, guarded.secure))


def test_without_a_refresh_token_the_session_goes_on(guarded: Guarded) -> None:
    """ "If the session timeout is longer than the access token expiration and the IdP does not support refresh tokens,
    the load balancer keeps the authentication session until it times out"."""
    guarded.provider.tokens = {"expires_in": 0}
    guarded.guard()
    browser = signed_in(guarded)
    assert get(browser, guarded.secure).text == "one"
    assert len(guarded.provider.forms) == 1


# WebSockets


def open_socket(guarded: Guarded, browser: requests.Session) -> WebSocket:
    """A WebSocket with the cookies of a client."""
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    cookies = "; ".join(f"{name}={value}" for name, value in browser.cookies.items())
    headers = {"Cookie": cookies} if cookies else None
    return connect(f"wss://{guarded.host}/ws", ssl=context, additional_headers=headers)


def test_a_websocket_passes_with_a_session(guarded: Guarded) -> None:
    """The request that asks for the upgrade is a GET with cookies like any other ("The load balancer validates the
    cookie and forwards the user info to targets")."""
    guarded.guard()
    with open_socket(guarded, signed_in(guarded)) as opened:
        opened.send("name")
        assert opened.recv() == "one"
    assert (guarded.site.seen[-1].path, told(guarded)[1]) == ("/ws", "user-1")


@pytest.mark.parametrize(("otherwise", "status"), [("authenticate", 302), ("deny", 401)])
def test_a_websocket_without_a_session_is_refused(guarded: Guarded, otherwise: str, status: int) -> None:
    """ "the AJAX calls are redirected to the IdP and are blocked"; with deny they get 401."""
    guarded.guard(OnUnauthenticatedRequest=otherwise)
    upgrade = {
        "Connection": "Upgrade",
        "Upgrade": "websocket",
        "Sec-WebSocket-Key": "AAAAAAAAAAAAAAAAAAAAAA==",
        "Sec-WebSocket-Version": "13",
    }
    assert get(guarded.browser(), f"{guarded.secure}/ws", **upgrade).status_code == status
    assert guarded.site.seen == []


# What goes wrong


def set_tokens(**tokens: Any) -> Callable[[Guarded], None]:
    """Let the token endpoint say this."""
    return lambda guarded: guarded.provider.tokens.update(tokens)


def other_token(**claims: Any) -> Callable[[Guarded], None]:
    """Let the ID token say something else."""

    def change(guarded: Guarded) -> None:
        said = {"iss": guarded.provider.issuer, "aud": CLIENT, "sub": "user-1", "exp": int(time.time()) + 60}
        guarded.provider.tokens["id_token"] = id_token(**{**said, **claims})

    return change


def set_status(path: str, status: int) -> Callable[[Guarded], None]:
    """Let an endpoint answer an error."""
    return lambda guarded: guarded.provider.statuses.update({path: status})


def answers(**answer: str) -> Callable[[Guarded], None]:
    """Let the provider send this back in place of a code."""
    return lambda guarded: setattr(guarded.provider, "answer", answer)


BROKEN: dict[str, tuple[Callable[[Guarded], None], int]] = {
    # Troubleshoot, HTTP 401: "the IdP denied access"
    "denied": (answers(error="access_denied"), 401),
    # Troubleshoot, HTTP 561: "the IdP returned an error code when authenticating the user"
    "provider's error": (answers(error="server_error"), 561),
    # "Access logs", AuthTokenEpRequestFailed: "There is an error response (non-2XX) from the token endpoint"
    "token endpoint's error": (set_status("/token", 400), 561),
    # AuthUserinfoEpRequestFailed: "There is an error response (non-2XX) from the IdP user info endpoint"
    "user info endpoint's error": (set_status("/userinfo", 503), 561),
    # Troubleshoot, HTTP 401: "The requested scope doesn't return an ID token"
    "no ID token": (set_tokens(id_token=None), 401),
    # AuthInvalidIdToken; Knowledge Center, HTTP 401: "match on your Application Load Balancer and IdP: Issuer"
    "another issuer": (other_token(iss="https://other.example.com"), 401),
    "for somebody else": (other_token(aud="other"), 401),
    "too old": (other_token(exp=1), 401),
    "no token at all": (set_tokens(id_token="nonsense"), 401),
    # AuthInvalidTokenResponse: "The response from the token endpoint is not valid" (the status: own words)
    "no access token": (set_tokens(access_token=None), 401),
    "a token that is no header": (set_tokens(access_token="a\r\nb: c"), 401),
    # AuthInvalidUserinfoResponse: "The response from the user info endpoint is not valid" (the status: own words)
    "no subject": (lambda guarded: guarded.provider.claims.update(sub=None), 401),
    # AuthMissingCodeParam: "missing a query parameter named 'code'" (the status: own words)
    "no code": (answers(), 401),
}


@pytest.mark.parametrize(("spoil", "status"), BROKEN.values(), ids=BROKEN)
def test_what_the_provider_says_is_checked(
    guarded: Guarded, spoil: Callable[[Guarded], None], status: int
) -> None:
    """The sources are beside the cases; nobody gets a session."""
    spoil(guarded)
    guarded.guard()
    browser = guarded.browser()
    assert get(browser, guarded.secure, follow=True).status_code == status
    assert f"{SESSION}-0" not in browser.cookies


def test_an_audience_may_be_a_list(guarded: Guarded) -> None:
    """OpenID Connect Core, 2: "In the general case, the aud value is an array of case-sensitive strings"."""
    other_token(aud=["other", CLIENT])(guarded)
    guarded.guard()
    signed_in(guarded)


FORGED = {
    # Knowledge Center, HTTP 401: "the state parameter in the authentication response isn't valid or missing"
    "no state": {"state": ""},
    "another state": {"state": "forged"},
}


@pytest.mark.parametrize("said", FORGED.values(), ids=FORGED)
def test_only_what_it_has_asked_for_is_taken(guarded: Guarded, said: dict[str, str]) -> None:
    """The source is beside the cases; the code is not redeemed."""
    guarded.guard()
    assert back(guarded, guarded.browser(), **said).status_code == 401
    assert guarded.provider.forms == []


@pytest.mark.parametrize("nonce", ["", "another"])
def test_only_who_was_sent_may_come_back(guarded: Guarded, nonce: str) -> None:
    """Knowledge Center, HTTP 401: "the nonce in the authentication state doesn't match a browser cookie. The cookie
    might differ or might be missing"; the code is not redeemed, so that who was sent can still do it."""
    guarded.guard()
    browser = guarded.browser()
    login = get(browser, guarded.secure).headers["Location"]
    returning = get(browser, login).headers["Location"]
    other = guarded.browser(**({NONCE: nonce} if nonce else {}))
    assert get(other, returning).status_code == 401
    assert guarded.provider.forms == []
    assert get(browser, returning, follow=True).text == "one"


def test_the_nonce_is_a_cookie(guarded: Guarded) -> None:
    """``AWSALBAuthNonce``, which comes with the redirect to the provider."""
    guarded.guard()
    found = cookies_of(get(guarded.browser(), guarded.secure))
    assert list(found) == [NONCE]
    assert (found[NONCE]["secure"], found[NONCE]["httponly"], found[NONCE]["path"]) == (True, True, "/")


def test_a_forged_session_is_refused(guarded: Guarded) -> None:
    """Knowledge Center, HTTP 401: "If your access log error code is "AuthInvalidCookie", then the authentication cookie
    isn't valid or is malformed"."""
    guarded.guard()
    assert get(guarded.browser(**{f"{SESSION}-0": "forged"}), guarded.secure).status_code == 401
    assert guarded.site.seen == []


def test_a_session_is_one_load_balancers(guarded: Guarded) -> None:
    """A cookie of another load balancer's counts as none: who has two behind one name is asked by each (own words)."""
    guarded.guard()
    browser = signed_in(guarded)
    with another(guarded) as url:
        assert get(browser, url).status_code == 302


@contextmanager
def another(guarded: Guarded, **settings: Any) -> Iterator[str]:
    """The URL of another load balancer, which asks everybody and then answers itself."""
    made = guarded.elb.create_load_balancer(
        Name="other", Subnets=guarded.subnets, SecurityGroups=[guarded.outer], **settings
    )["LoadBalancers"][0]
    shown = guarded.elb.describe_listener_certificates(ListenerArn=guarded.listener)["Certificates"][0]
    fixed = {"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": "418"}}
    guarded.elb.create_listener(
        LoadBalancerArn=made["LoadBalancerArn"],
        Protocol="HTTPS",
        Port=443,
        Certificates=[{"CertificateArn": shown["CertificateArn"]}],
        DefaultActions=[guarded.ask(), guarded.then(fixed)],
    )
    url = f"https://{made['DNSName']}"
    try:
        eventually(lambda: reachable(guarded.browser(), url))
        yield url
    finally:
        guarded.elb.delete_load_balancer(LoadBalancerArn=made["LoadBalancerArn"])


def reachable(browser: requests.Session, url: str) -> bool:
    """Whether anything answers there."""
    try:
        get(browser, url)
    except requests.ConnectionError:
        return False
    return True


def test_without_a_host_nobody_can_be_sent(guarded: Guarded) -> None:
    """Troubleshoot, HTTP 401: "A client submitted an HTTP/1.0 request without a host header, and the load balancer was
    unable to generate a redirect URL"."""
    guarded.guard()
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    host, _, port = guarded.host.partition(":")
    with (
        socket.create_connection((host, int(port)), timeout=PATIENCE) as plain,
        context.wrap_socket(plain, server_hostname=host) as secure,
    ):
        secure.sendall(b"GET / HTTP/1.0\r\n\r\n")
        assert secure.recv(4096).split(b" ")[1] == b"401"


@pytest.mark.parametrize("path", ["/token", "/userinfo"])
def test_a_provider_that_does_not_answer_in_time(guarded: Guarded, path: str) -> None:
    """Troubleshoot, HTTP 500: "The IdP token endpoint or the IdP user info endpoint is taking longer than 5 seconds to
    respond"."""
    guarded.provider.silent.add(path)
    guarded.guard()
    assert back(guarded, guarded.browser()).status_code == 500


@pytest.mark.parametrize("member", ["TokenEndpoint", "UserInfoEndpoint"])
def test_a_provider_that_is_not_there(guarded: Guarded, member: str) -> None:
    """Troubleshoot, HTTP 500: "The load balancer is unable to communicate with the IdP token endpoint or the IdP user
    info endpoint"."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    guarded.guard(**{member: f"https://127.0.0.1:{port}/"})
    assert back(guarded, guarded.browser()).status_code == 500


def test_a_provider_with_a_name_needs_a_certificate_of_an_authority(guarded: Guarded) -> None:
    """ "The IdP endpoints certificates should be issued by a trusted public certificate authority": one that has signed
    itself will not do, but for an address of this machine, for which there is no other."""
    port = urlsplit(guarded.provider.issuer).port
    guarded.guard(TokenEndpoint=f"https://localhost:{port}/token")
    assert back(guarded, guarded.browser()).status_code == 500
    assert guarded.provider.forms == []


def test_the_way_to_the_provider_has_to_be_open(guarded: Guarded) -> None:
    """ "ensure the security groups for your load balancer and the network ACLs for your VPC allow access to the
    endpoints"; Knowledge Center, HTTP 500: "Add an outbound rule to the load balancer security group that
    allows traffic to the IdP endpoints over HTTPS port 443"."""
    everything = [{"IpProtocol": "-1", "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}]
    https = [{"IpProtocol": "tcp", "FromPort": 443, "ToPort": 443, "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}]
    inside = [{"IpProtocol": "tcp", "FromPort": 8501, "ToPort": 8501, "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}]
    guarded.guard()
    change = {"GroupId": guarded.outer}
    guarded.ec2.revoke_security_group_egress(**change, IpPermissions=everything)
    guarded.ec2.authorize_security_group_egress(**change, IpPermissions=inside)
    try:
        assert back(guarded, guarded.browser()).status_code == 500
        guarded.ec2.authorize_security_group_egress(**change, IpPermissions=https)
        signed_in(guarded)
        guarded.ec2.revoke_security_group_egress(**change, IpPermissions=[*https, *inside])
    finally:
        guarded.ec2.authorize_security_group_egress(**change, IpPermissions=everything)


@pytest.mark.parametrize(("scheme", "status"), [("internet-facing", 418), ("internal", 500)])
def test_an_internal_load_balancer_needs_a_nat_gateway(guarded: Guarded, scheme: str, status: int) -> None:
    """Troubleshoot, HTTP 500: "Verify that your VPC has internet access. If you have an internal-facing load balancer,
    use a NAT gateway to enable internet access": an internal one has no address for the internet gateway."""
    with another(guarded, Scheme=scheme) as url:
        assert get(guarded.browser(), url, follow=True).status_code == status


def test_a_login_may_take_fifteen_minutes(rapid_process: EmbeddedProcess, tmp_path: Any) -> None:
    """ "If a client fails to complete authentication within the 15-minute limit, it receives an HTTP 401 error from the
    load balancer"; here 1000 of AWS's seconds are one, but a login has two."""
    rapid_process.reset()
    guarded = Guarded(rapid_process, tmp_path)
    try:
        guarded.guard()
        browser = guarded.browser()
        login = get(browser, guarded.secure).headers["Location"]
        returning = get(browser, login).headers["Location"]
        eventually(lambda: get(browser, returning).status_code == 401)
    finally:
        guarded.close()
        rapid_process.reset()
