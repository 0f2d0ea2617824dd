"""Notes sent by plain HTML forms, which need no script: written down, and the reader goes back to the page."""

from urllib.parse import parse_qs, urlsplit

from fastapi import APIRouter, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import RedirectResponse, Response

from tymbal.errors import TymbalError
from tymbal.serve.notes import Kind
from tymbal.serve.page import Gallery, NothingThereError
from tymbal.serve.pages.address import whole
from tymbal.serve.reader import reader_of

MOST_FIELDS = 20


def form_router(gallery: Gallery) -> APIRouter:
    """The one address that forms are sent to."""
    router = APIRouter(include_in_schema=False)
    exhibit = gallery.exhibit
    path = gallery.places["notes"].path

    @router.post(path)
    async def write(request: Request) -> Response:
        """Write one note down and go back to the page it was written on."""
        sent = _fields(await request.body())
        feature = whole(sent.get("feature", ""))
        if feature is None or feature >= len(exhibit.atlas):
            raise NothingThereError(f"There is no feature {sent.get('feature', '')[:40]}.")
        if sent.get("kind") not in set(Kind):
            raise TymbalError(
                expected=f"a kind among {', '.join(Kind)}", got=repr(sent.get("kind", "")[:40]), do="send one"
            )
        reader = reader_of(request)
        await run_in_threadpool(
            exhibit.notes.add, feature, Kind(sent["kind"]), sent.get("value", ""), reader=reader.name
        )
        answer = RedirectResponse(_back(sent.get("back", ""), path), 303)
        reader.remember(answer)
        return answer

    return router


def _fields(body: bytes) -> dict[str, str]:
    """The fields of an urlencoded form; of several of one name the last."""
    try:
        found = parse_qs(body.decode("latin-1"), keep_blank_values=True, max_num_fields=MOST_FIELDS, errors="replace")
    except ValueError as error:
        raise TymbalError(
            expected="the fields of a form", got="something else", do="use the page's own form"
        ) from error
    return {name: values[-1] for name, values in found.items()}


def _back(address: str, usual: str) -> str:
    """A place in this app, whatever the form says: never another site."""
    parts = urlsplit(address)
    inside = address.startswith("/") and not address.startswith(("//", "/\\")) and not parts.netloc
    return address if inside and address.isprintable() and address.isascii() else usual
