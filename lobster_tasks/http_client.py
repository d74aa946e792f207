"""An HTTP client for the app, its earlier address, and the layers of images in ECR.

A redirect is an answer, and is followed only on request: it may lead to a sign-in page elsewhere.
"""

from __future__ import annotations

import socket
import ssl
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Self

import requests
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.poolmanager import pool_classes_by_scheme
from urllib3.response import HTTPResponse

WHOLE_ANSWER = 4
"""How many times as long as it may be silent a server may take for one whole answer."""

_CLOUDFRONTS_STATUSES = frozenset({403, 502, 504})


@dataclass(frozen=True)
class Response:
    """An answer; ``status`` is None where there is none. Names of ``headers`` are in lower case.

    ``error`` is why there is no answer, or describes a status of 400 and more. ``milliseconds`` is the real time until
    the requested part of the body had arrived.
    """

    status: int | None = None
    headers: dict[str, str] = field(default_factory=dict)
    cookies: frozenset[str] = frozenset()
    body: bytes = b""
    milliseconds: float = 0.0
    error: Exception | None = None

    @property
    def said(self) -> str:
        """The status, or the type of the error."""
        if self.is_error_page:
            return f"{self.status}, an error page of CloudFront"
        return type(self.error).__name__ if self.status is None else str(self.status)

    @property
    def is_tls_refused(self) -> bool:
        """Whether there is no answer because the TLS handshake failed, as with a certificate of another name."""
        return isinstance(self.error, requests.exceptions.SSLError)

    @property
    def is_error_page(self) -> bool:
        """Whether the status hides an error."""
        return is_error_page(self.status, self.headers)


class Client:
    """Persistent connections; ``host`` is the host name to ask for, where it is not that of the URL.

    ``checked`` verifies the server's certificate; ``authority`` (PEM) is trusted instead of this machine's own;
    ``by_proxy`` uses the proxy of the environment. For one thread.
    """

    def __init__(
        self,
        host: str = "",
        *,
        checked: bool = True,
        authority: str = "",
        by_proxy: bool = True,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        self._headers = {**(headers or {}), **({"Host": host} if host else {})}
        self._checked = checked
        self._session = requests.Session()
        self._session.trust_env = by_proxy
        self._session.mount("http://", WatchedAdapter())
        self._session.mount("https://", _Tls(host, authority, checked=checked))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._session.close()

    def request(
        self,
        url: str,
        within: float,
        *,
        method: str = "GET",
        data: bytes | None = None,
        follow: bool = False,
        most: int | None = None,
        whole: float | None = None,
        stopwatch: Callable[[], float] = time.monotonic,
    ) -> Response:
        """Send one request. ``within`` is how many real seconds the server may be silent, at any speed of the
        clock, ``whole`` how many it may take for the answer from beginning to end, by default WHOLE_ANSWER times as
        many.

        Reads at most ``most`` bytes of the body, or all of it for None.
        """
        started = stopwatch()
        watch = _Watch(within * WHOLE_ANSWER if whole is None else whole)
        try:
            with (
                watch,
                self._session.request(
                    method,
                    url,
                    headers=self._headers,
                    data=data,
                    timeout=within,
                    allow_redirects=follow,
                    verify=self._checked,
                    stream=True,
                ) as answer,
            ):
                body = _body(answer, most)
                milliseconds = (stopwatch() - started) * 1000
        except requests.RequestException as error:
            return Response(error=watch.error or error)
        if watch.error:
            return Response(error=watch.error)
        headers = {name.lower(): value for name, value in answer.headers.items()}
        cookies = frozenset(answer.cookies.keys())
        return Response(answer.status_code, headers, cookies, body, milliseconds, _refusal(answer))


def get(url: str, within: float, *, follow: bool = False, most: int | None = None) -> Response:
    """GET over a new connection."""
    with Client() as client:
        return client.request(url, within, follow=follow, most=most)


class _Watch:
    """Ends the answer that the request of this thread waits for, ``seconds`` (real) after it was sent; where it is a
    redirect, they are those of all answers together.

    A socket's timeout counts from one byte to the next, so that a server that sends now and then is never too slow.
    """

    _of_thread = threading.local()

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._ends: float | None = None
        self._timer: threading.Timer | None = None
        self.error: requests.Timeout | None = None

    def __enter__(self) -> Self:
        self._of_thread.watch = self
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._of_thread.watch = None
        self._stop()

    @classmethod
    def begin(cls, connection: socket.socket | None) -> None:
        """Called when a request has been sent, before its answer is read."""
        watch: _Watch | None = getattr(cls._of_thread, "watch", None)
        if watch and connection:
            watch._begin(connection)

    def _begin(self, connection: socket.socket) -> None:
        self._stop()  # of the redirect that led here
        now = time.monotonic()
        self._ends = now + self._seconds if self._ends is None else self._ends
        self._timer = threading.Timer(max(0.0, self._ends - now), self._end, (connection,))
        self._timer.daemon = True
        self._timer.start()

    def _stop(self) -> None:
        if self._timer:
            self._timer.cancel()

    def _end(self, connection: socket.socket) -> None:
        self.error = requests.ReadTimeout(f"no whole answer within {self._seconds:g} s")
        below = getattr(connection, "socket", connection)  # of TLS in TLS, which is no socket
        with suppress(OSError, TypeError):  # it is closed already, or of another kind
            socket.socket.shutdown(
                below, socket.SHUT_RDWR
            )  # TLS has one of its own, which is not for two threads


class _Connection(HTTPConnection):
    def getresponse(self) -> HTTPResponse:  # type: ignore[override]  # as urllib3 has it
        """Called by urllib3."""
        _Watch.begin(self.sock)
        return super().getresponse()


class _TlsConnection(HTTPSConnection):
    def getresponse(self) -> HTTPResponse:  # type: ignore[override]  # as urllib3 has it
        """Called by urllib3."""
        _Watch.begin(self.sock)
        return super().getresponse()


class _Pool(HTTPConnectionPool):
    ConnectionCls = _Connection


class _TlsPool(HTTPSConnectionPool):
    ConnectionCls = _TlsConnection


_POOLS = {"http": _Pool, "https": _TlsPool}


class WatchedAdapter(HTTPAdapter):
    """Connections whose answers are watched."""

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        """Called by requests."""
        super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = _POOLS

    def proxy_manager_for(self, *args: Any, **kwargs: Any) -> Any:
        """Called by requests. A SOCKS proxy's connections take arguments of their own, and are not watched."""
        manager = super().proxy_manager_for(*args, **kwargs)
        if manager.pool_classes_by_scheme is pool_classes_by_scheme:
            manager.pool_classes_by_scheme = _POOLS
        return manager


class _Tls(WatchedAdapter):
    """Connects to the URL's host, and asks for ``name`` in the TLS handshake, if there is one.

    ``authority`` (PEM), if there is one, is the only one that is trusted. Without ``checked`` no certificate is
    verified.
    """

    def __init__(self, name: str, authority: str, *, checked: bool) -> None:
        self._name, self._authority, self._checked = name, authority, checked
        super().__init__()

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        """Called by requests."""
        if self._name:
            kwargs |= {"server_hostname": self._name, "assert_hostname": self._name}
        if not self._checked:
            kwargs |= {"ssl_context": unverified()}
        elif self._authority:
            kwargs |= {"ssl_context": trusting(self._authority)}
        super().init_poolmanager(*args, **kwargs)

    def cert_verify(self, conn: Any, url: str, verify: Any, cert: Any) -> None:
        """Called by requests for each connection, to which it adds the authorities of certifi."""
        super().cert_verify(conn, url, verify, cert)  # type: ignore[no-untyped-call]
        if self._authority:
            conn.ca_certs = None


def trusting(authority: str = "") -> ssl.SSLContext:
    """A TLS context that trusts ``authority`` (PEM), or without one this machine's authorities."""
    return ssl.create_default_context(cadata=authority or None)


def unverified() -> ssl.SSLContext:
    """A TLS context that accepts any certificate; without the authorities, which take longer to read than a
    handshake."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


def _body(answer: requests.Response, most: int | None) -> bytes:
    if most is None:
        return answer.content
    return next(answer.iter_content(most), b"") if most else b""


def _refusal(answer: requests.Response) -> Exception | None:
    try:
        answer.raise_for_status()
    except requests.HTTPError as refusal:
        return refusal
    return None


def is_error_page(status: int | None, headers: Mapping[str, str]) -> bool:
    """Whether an answer without an error is CloudFront's custom error page for one; ``headers`` have their names in
    lower case.

    Such a page can have the status 200 (CloudFront, "Change response codes returned by CloudFront"); what CloudFront
    says of the origin's answer stays.
    """
    return status is not None and status < 400 and says_error(headers)


def says_error(headers: Mapping[str, str]) -> bool:
    """Whether CloudFront says that the origin, or itself, has answered with an error."""
    return headers.get("x-cache", "").lower() == "error from cloudfront"


def is_by_cloudfront(status: int | None, headers: Mapping[str, str]) -> bool:
    """Whether an error is CloudFront's own; ``headers`` have their names in lower case.

    An origin's answer keeps the origin's own ``Server`` header (CloudFront, "Request and response behavior for custom
    origins").
    """
    return status in _CLOUDFRONTS_STATUSES and headers.get("server") == "CloudFront"
