"""Responses that an Application Load Balancer generates itself."""

from __future__ import annotations

from aiohttp import web

REASONS = {
    301: "Moved Permanently",
    302: "Found",
    400: "Bad Request",
    401: "Authorization Required",
    403: "Forbidden",
    405: "Method Not Allowed",
    408: "Request Time-out",
    414: "Request-URI Too Large",
    460: "Client Closed Request",
    463: "X-Forwarded-For Too Long",
    500: "Internal Server Error",
    501: "Not Implemented",
    502: "Bad Gateway",
    503: "Service Temporarily Unavailable",
    504: "Gateway Time-out",
    505: "HTTP Version Not Supported",
    561: "Unauthorized",
}


def page(status: int, close: bool = False) -> web.Response:
    """The load balancer's error page for ``status``; ``close`` ends the client's connection after it."""
    title = f"{status} {REASONS[status]}"
    lines = ["<html>", f"<head><title>{title}</title></head>", "<body>"]
    lines += [f"<center><h1>{title}</h1></center>", "</body>", "</html>", ""]
    return answer(status, "text/html", "\r\n".join(lines), close)


def answer(status: int, content_type: str, body: str, close: bool = False) -> web.Response:
    """A response of the load balancer's own, with its ``Server`` header."""
    response = web.Response(
        status=status,
        reason=REASONS.get(status),
        body=body.encode(),
        headers={"Server": "awselb/2.0", "Content-Type": content_type},
    )
    if close:
        response.force_close()
    return response


def unnamed(response: web.Response) -> web.Response:
    """The same response without the ``Server`` header (routing.http.response.server.enabled)."""
    made = _Unnamed(
        status=response.status, reason=response.reason, body=response.body, headers=response.headers.copy()
    )
    if response.keep_alive is False:
        made.force_close()
    return made


class _Unnamed(web.Response):
    async def _prepare_headers(self) -> None:
        await super()._prepare_headers()
        self.headers.popall("Server", None)
