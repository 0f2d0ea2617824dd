"""Addresses of pages, in the two worlds a page lives in.

Live, a page has a path and its state stands in the query: `/explore?q=cat`. Exported, a page is a file, addresses are
relative to the file that holds them, and state stands in the fragment, which also works from `file://`:
`../explore.html#q=cat`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode


def query_of(state: Mapping[str, Any]) -> str:
    """State as it stands in an address; what is empty is left out."""
    return urlencode({key: value for key, value in state.items() if value not in (None, "")}, errors="replace")


@dataclass(frozen=True)
class Place:
    """Where a page lies: its path in the live app and its file in the export, with `{names}` to be filled."""

    path: str
    file: str | None
    """None for a page that needs a server"""


@dataclass(frozen=True)
class Links:
    """Writes addresses for one page; templates call `to`, `asset` and `data`."""

    places: Mapping[str, Place]
    exported: bool
    depth: int = 0
    """folders between the exported file and the export's root"""

    def has(self, page: str) -> bool:
        """Whether this page can be linked to from here."""
        return page in self.places and not (self.exported and self.places[page].file is None)

    def to(self, page: str, query: Mapping[str, Any] | None = None, **values: object) -> str:
        """The address of a page, with its state; raises `KeyError` for an unknown page."""
        place = self.places[page]
        state = query_of(query or {})
        if self.exported:
            if place.file is None:
                raise KeyError(page)
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
