"""The same pages as files, readable from `file://` without a server.

1. Each page of the table is drawn once per instance, by the same functions and templates as in the live app.
2. Scripts, styles and data lie beside them; every address is relative.
3. `index.html` is written last, so that a killed export has no front door.
"""

import contextlib
import shutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import NamedTuple

from tymbal import artifact
from tymbal.errors import ArtifactError
from tymbal.serve import data
from tymbal.serve.app import STATIC
from tymbal.serve.exhibit import open_exhibit
from tymbal.serve.page import Asked, Gallery
from tymbal.serve.pages import PAGES

FRONT = "index.html"
READ_AHEAD = 256
"""features read at once; their examples take some 10 MB"""


class Drawing(NamedTuple):
    """One file to be exported: its place below the export's root, and what draws it."""

    file: str
    draw: Callable[[], str]


def export(folder: Path | str, out: Path | str, *, compare: Path | None = None) -> Path:
    """Write the pages of a study or a bare atlas below `out`; return its `index.html`.

    `compare` is another study of the same text, to be shown beside it.

    Raises `ArtifactError` where the folder has no finished atlas, or `out` holds something else.
    """
    exhibit = replace(open_exhibit(Path(folder), compare), read_ahead=READ_AHEAD)
    out = Path(out)
    with contextlib.closing(exhibit.atlas):
        _make_room(out)
        return _write(Gallery(exhibit, PAGES), out)


def _write(gallery: Gallery, out: Path) -> Path:
    shutil.copytree(STATIC, out / "static", dirs_exist_ok=True)
    for drawing in _drawings(gallery):
        target = out / drawing.file
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(drawing.draw().encode("utf-8", "replace"))
    front = gallery.draw(gallery.pages["overview"], Asked(gallery.links(exported=True)))
    artifact.write_text(out / FRONT, front)
    return out / FRONT


def _drawings(gallery: Gallery) -> Iterator[Drawing]:
    """Every page and script of data but the front page."""
    for name in data.DATA:
        yield Drawing(f"data/{name}.js", partial(data.script, gallery.exhibit, name))
    for page in gallery.pages.values():
        if page.place.file is None or page.place.file == FRONT:
            continue
        links = gallery.links(exported=True, depth=page.place.file.count("/"))
        for values in page.instances(gallery.exhibit):
            yield Drawing(page.place.file.format(**values), partial(gallery.draw, page, Asked(links, values)))


def _make_room(out: Path) -> None:
    """Refuse a folder that holds anything but an earlier export."""
    if out.is_dir() and any(out.iterdir()) and not (out / "static" / "tymbal.svg").exists():
        raise ArtifactError(expected="an empty folder or an earlier export", got=str(out), do="name another folder")
    try:
        out.mkdir(parents=True, exist_ok=True)
        (out / FRONT).unlink(missing_ok=True)
    except OSError as error:
        raise ArtifactError(
            expected=f"a folder that can be written at {out}", got=error.strerror or str(error), do="name another"
        ) from error
