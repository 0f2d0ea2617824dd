"""The live app: every page of the table under its path, with the headers that keep corpus text from acting.

1. `create_app` opens the folder once; each page is drawn on request, in FastAPI's pool of threads.
2. The Content-Security-Policy allows scripts and styles from here only: none inline, no eval.
3. Hosts other than this machine's name, or the one asked for, are refused, so that a hostile site whose name is made
   to point here (DNS rebinding) reads nothing.
"""

import contextlib
import errno
import socket
from collections.abc import AsyncIterator, Callable, Iterable
from pathlib import Path

import uvicorn
from fastapi import FastAPI, Request
from fastapi.responses import HTMLResponse, Response
from fastapi.staticfiles import StaticFiles
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from tymbal.errors import ArtifactError
from tymbal.serve import data
from tymbal.serve.exhibit import open_exhibit
from tymbal.serve.page import Asked, Gallery, NothingThereError, Page
from tymbal.serve.pages import PAGES

STATIC = Path(__file__).parent / "static"
LOCAL = ("localhost", "127.0.0.1", "[::1]")
HEADERS = {
    "content-security-policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
}


def create_app(folder: Path | str, *, hosts: Iterable[str] = ()) -> FastAPI:
    """The app that shows a study or a bare atlas.

    `hosts` are further names under which it may be called, beside `localhost` and `127.0.0.1`.
    Raises `ArtifactError` where the folder has no finished atlas.
    """
    gallery = Gallery(open_exhibit(Path(folder)), PAGES)

    @contextlib.asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        with contextlib.closing(gallery.exhibit.atlas):
            yield

    app = FastAPI(title="Tymbal", docs_url=None, redoc_url=None, openapi_url=None, lifespan=lifespan)
    links = gallery.links(exported=False)
    for page in gallery.pages.values():
        app.add_api_route(page.place.path, _drawn(gallery, page), response_class=HTMLResponse, name=page.name)
    app.add_api_route("/data/{name}.js", _data(gallery), name="data")
    app.mount("/static", StaticFiles(directory=STATIC), name="static")

    def nothing_there(_: Request, error: Exception) -> HTMLResponse:
        return HTMLResponse(_encoded(gallery.sorry(links, _reason(error))), 404)

    app.add_exception_handler(NothingThereError, nothing_there)
    app.add_exception_handler(404, nothing_there)
    app.add_middleware(TrustedHostMiddleware, allowed_hosts=[*LOCAL, *hosts], www_redirect=False)
    app.add_middleware(SafeHeaders)
    return app


class SafeHeaders:
    """Adds `HEADERS` to every answer, refusals included."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on and add the headers as the answer starts."""

        async def sending(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [
                    *message["headers"],
                    *((name.encode(), value.encode()) for name, value in HEADERS.items()),
                ]
            await send(message)

        await self.app(scope, receive, sending)


def _drawn(gallery: Gallery, page: Page) -> Callable[[Request], HTMLResponse]:
    links = gallery.links(exported=False)

    def draw(request: Request) -> HTMLResponse:
        asked = Asked(links, dict(request.path_params), dict(request.query_params))
        return HTMLResponse(_encoded(gallery.draw(page, asked)))

    return draw


def _data(gallery: Gallery) -> Callable[[str], Response]:
    scripts: dict[str, str] = {}

    def send(name: str) -> Response:
        if name not in data.DATA:
            raise NothingThereError(f"There is no data called {name[:40]}.")
        if name not in scripts:
            scripts[name] = data.script(gallery.exhibit, name)
        return Response(scripts[name], media_type="text/javascript")

    return send


def _reason(error: Exception) -> str:
    return str(error) if isinstance(error, NothingThereError) else "There is no such page."


def _encoded(html: str) -> bytes:
    return html.encode("utf-8", "replace")


def serve(folder: Path | str, host: str = "127.0.0.1", port: int = 7860) -> None:
    """Show a study or a bare atlas until interrupted.

    Raises `ArtifactError` where the folder has no finished atlas, or the address cannot be listened on.
    """
    app = create_app(folder, hosts=[] if host in ("0.0.0.0", "::") else [host])
    listener = _listen(host, port)
    with listener:
        server = uvicorn.Server(uvicorn.Config(app, log_level="warning", server_header=False, ws="none"))
        server.run(sockets=[listener])


def _listen(host: str, port: int) -> socket.socket:
    """A socket bound to the address, so that a port in use is told in one line before anything starts."""
    try:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
        listener = socket.socket(family, socket.SOCK_STREAM)
    except (OSError, OverflowError) as error:
        raise ArtifactError(expected="a host to listen on", got=f"{host}:{port}", do="name another --host") from error
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
    except (OSError, OverflowError) as error:
        listener.close()
        taken = isinstance(error, OSError) and error.errno == errno.EADDRINUSE
        raise ArtifactError(
            expected=f"a free address {host}:{port}",
            got="one in use" if taken else str(error),
            do="stop what uses it or name another --port",
        ) from error
    return listener
