"""Addresses of pages, in the two worlds a page lives in.

Live, a page has a path and its state stands in the query: `/explore?q=cat`. Exported, a page is a file, addresses are
relative to the file that holds them, and state stands in the fragment, which also works from `file://`:
`../explore.html#q=cat`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode


@dataclass(frozen=True)
class Place:
    """Where a page lies: its path in the live app and its file in the export, with `{names}` to be filled."""

    path: str
    file: str


@dataclass(frozen=True)
class Links:
    """Writes addresses for one page; templates call `to`, `asset` and `data`."""

    places: Mapping[str, Place]
    exported: bool
    depth: int = 0
    """folders between the exported file and the export's root"""

    def to(self, page: str, query: Mapping[str, Any] | None = None, **values: object) -> str:
        """The address of a page, with its state; raises `KeyError` for an unknown page."""
        place = self.places[page]
        state = urlencode({key: value for key, value in (query or {}).items() if value not in (None, "")})
        if self.exported:
            return self._up(place.file.format(**values)) + (f"#{state}" if state else "")
        return place.path.format(**values) + (f"?{state}" if state else "")

    def asset(self, name: str) -> str:
        """The address of a file in `static/`."""
        return self._up(f"static/{name}") if self.exported else f"/static/{name}"

    def data(self, name: str) -> str:
        """The address of a script of data (`data.py`)."""
        return self._up(f"data/{name}.js") if self.exported else f"/data/{name}.js"

    def _up(self, file: str) -> str:
        return "../" * self.depth + file
