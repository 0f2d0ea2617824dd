"""The live app: every page of the table under its path, with the headers that keep corpus text from acting.

1. `create_app` opens the folder once; each page is drawn on request, in FastAPI's pool of threads.
2. Every request passes the `Guard`, which says who may ask what.
3. The JSON that scripts and other programs read stands under `/api`, described by `/api/openapi.json`.
"""

import contextlib
import errno
import socket
from collections.abc import AsyncIterator, Callable, Iterable
from pathlib import Path

import uvicorn
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import HTMLResponse, Response
from fastapi.staticfiles import StaticFiles

from tymbal import __version__
from tymbal.errors import ArtifactError, TymbalError
from tymbal.serve import data
from tymbal.serve.api import API, api_router
from tymbal.serve.exhibit import open_exhibit
from tymbal.serve.forms import form_router
from tymbal.serve.guard import Guard
from tymbal.serve.page import Asked, Gallery, NothingThereError, Page
from tymbal.serve.pages import PAGES
from tymbal.serve.reader import reader_of

STATIC = Path(__file__).parent / "static"
EVERYWHERE = ("0.0.0.0", "::")


def create_app(folder: Path | str, *, hosts: Iterable[str] = (), compare: Path | None = None) -> FastAPI:
    """The app that shows a study or a bare atlas.

    `hosts` are further names under which it may be called, beside `localhost` and `127.0.0.1`;
    `compare` is another study of the same text. Raises `ArtifactError` where the folder has no finished atlas.
    """
    gallery = Gallery(open_exhibit(Path(folder), compare), PAGES)

    @contextlib.asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        with contextlib.closing(gallery.exhibit.atlas):
            yield

    app = FastAPI(
        title="Tymbal",
        version=__version__,
        docs_url=None,
        redoc_url=None,
        openapi_url=f"{API}/openapi.json",
        lifespan=lifespan,
    )
    for page in gallery.pages.values():
        drawn = _drawn(gallery, page)
        app.add_api_route(page.place.path, drawn, response_class=HTMLResponse, name=page.name, include_in_schema=False)
    app.add_api_route("/data/{name}.js", _data(gallery), name="data", include_in_schema=False)
    app.include_router(form_router(gallery))
    app.include_router(api_router(gallery.exhibit))
    app.mount("/static", StaticFiles(directory=STATIC), name="static")
    _answer_errors(app, gallery)
    app.add_middleware(Guard, hosts=list(hosts))
    return app


def _answer_errors(app: FastAPI, gallery: Gallery) -> None:
    """What is not there or cannot be done is said on a page, or in JSON to those who asked for JSON."""
    links = gallery.links(exported=False)

    def told(request: Request, reason: str, status: int) -> Response:
        if request.url.path.startswith(f"{API}/"):
            return Response(data.safe_json({"detail": reason}), status, media_type="application/json")
        return HTMLResponse(_encoded(gallery.sorry(links, reason)), status)

    def unfit(_: Request, error: Exception) -> Response:
        # Not FastAPI's own: it sends the input back, which may hold what no JSON of its can.
        assert isinstance(error, RequestValidationError)
        parts = [{name: part[name] for name in ("loc", "msg", "type")} for part in error.errors()]
        return Response(data.safe_json({"detail": parts}), 422, media_type="application/json")

    app.add_exception_handler(RequestValidationError, unfit)
    app.add_exception_handler(NothingThereError, lambda request, error: told(request, str(error), 404))
    app.add_exception_handler(404, lambda request, _: told(request, "There is no such page.", 404))
    app.add_exception_handler(TymbalError, lambda request, error: told(request, str(error), 409))


def _drawn(gallery: Gallery, page: Page) -> Callable[[Request], HTMLResponse]:
    links = gallery.links(exported=False)

    def draw(request: Request) -> HTMLResponse:
        reader = reader_of(request)
        known = "" if reader.new else reader.name
        asked = Asked(links, dict(request.path_params), dict(request.query_params), known)
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


def _encoded(html: str) -> bytes:
    return html.encode("utf-8", "replace")


def serve(
    folder: Path | str,
    host: str = "127.0.0.1",
    port: int = 7860,
    *,
    hosts: Iterable[str] = (),
    compare: Path | None = None,
) -> None:
    """Show a study or a bare atlas until interrupted; `hosts` are further names under which it may be called.

    `compare` is another study of the same text, to be shown beside it. Raises `ArtifactError` where the folder has no
    finished atlas, or the address cannot be listened on.
    """
    app = create_app(folder, hosts=[*hosts, *([] if host in EVERYWHERE else [host])], compare=compare)
    listener = _listen(host, port)
    with listener:
        # A stream of text may last; who asks the server to stop does not wait for it.
        config = uvicorn.Config(app, log_level="warning", server_header=False, ws="none", timeout_graceful_shutdown=2)
        server = uvicorn.Server(config)
        server.run(sockets=[listener])


def _listen(host: str, port: int) -> socket.socket:
    """A socket bound to the address, so that a port in use is told in one line before anything starts."""
    try:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
        # asyncio sends small packets at once only where the protocol is named; else each page waits 40 ms for an ACK.
        listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
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
