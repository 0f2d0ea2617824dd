"""Who may ask what of the live app, and the headers under which it answers.

1. Hosts other than this machine's names, or those asked for, are refused, so that a hostile site whose name is made to
   point here (DNS rebinding) reads nothing.
2. A request that changes something must come from a page of the app itself: its `Origin`, or where a browser leaves
   that out its `Sec-Fetch-Site`, must say so. One that says neither is refused (OWASP, "Cross-Site Request Forgery
   Prevention", verifying origin with standard headers).
3. Other sites may link here, but their pages may not load anything from here in the background.
4. A body is limited, and the Content-Security-Policy allows scripts and styles from here only: none inline, no eval.
"""

from collections.abc import Iterable
from urllib.parse import urlsplit

from fastapi.responses import PlainTextResponse
from starlette.datastructures import Headers
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.types import ASGIApp, Message, Receive, Scope, Send

LOCAL = ("localhost", "127.0.0.1", "[::1]")
HEADERS = {
    "content-security-policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    "x-content-type-options": "nosniff",
    # With `no-referrer` a browser would send its own forms with the origin `null`.
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
}
LONGEST_BODY = 1 << 20
"""bytes of a request"""
_READING = ("GET", "HEAD", "OPTIONS")


class Guard:
    """Refuses what may not be asked, and adds `HEADERS` to every answer, refusals included."""

    def __init__(self, app: ASGIApp, hosts: Iterable[str] = ()) -> None:
        """`hosts` are further names under which the app may be called, beside those of this machine."""
        self._app = app
        names = [*LOCAL, *(_bracketed(host) for host in hosts)]
        self._checked = TrustedHostMiddleware(self._ask, allowed_hosts=names, www_redirect=False)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, or refuse it; add the headers as the answer starts."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def sending(message: Message) -> None:
            if message["type"] == "http.response.start":
                added = [(name.encode(), value.encode()) for name, value in HEADERS.items()]
                message["headers"] = [*message["headers"], *added]
            await send(message)

        await self._checked(scope, receive, sending)

    async def _ask(self, scope: Scope, receive: Receive, send: Send) -> None:
        refusal = refused(scope["method"], Headers(scope=scope))
        if refusal is not None:
            await refusal(scope, receive, send)
            return
        await self._app(scope, receive, send)


def refused(method: str, headers: Headers) -> PlainTextResponse | None:
    """The answer to a request that must not be served; None for one that may be."""
    if method not in _READING and not _from_here(headers):
        return PlainTextResponse("expected a request from a page of this app; got another origin", 403)
    if headers.get("sec-fetch-site") in ("cross-site", "same-site") and headers.get("sec-fetch-mode") != "navigate":
        return PlainTextResponse("expected a request from a page of this app; got one from another site's page", 403)
    length = headers.get("content-length", "0" if "transfer-encoding" not in headers else "")
    if method not in _READING and not (length.isascii() and length.isdigit() and int(length) <= LONGEST_BODY):
        return PlainTextResponse(f"expected a body of at most {LONGEST_BODY} bytes that says its length", 413)
    return None


def _from_here(headers: Headers) -> bool:
    origin = headers.get("origin")
    if origin is not None:
        return urlsplit(origin).netloc.lower() == headers.get("host", "").lower() != ""
    return headers.get("sec-fetch-site") == "same-origin"


def _bracketed(host: str) -> str:
    """An IPv6 address as it stands in a Host header."""
    return f"[{host}]" if ":" in host and not host.startswith("[") else host
