"""What a page is, and the one way to draw it, live or exported.

A page is a row of the table in `pages/__init__.py`: a name, two addresses, a template, and a function that turns an
exhibit and what was asked into the template's variables. The live app and the export both call `draw`.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from tymbal import __version__
from tymbal.serve import text
from tymbal.serve.exhibit import Exhibit, told
from tymbal.serve.links import Links, Place, query_of

TEMPLATES = Path(__file__).parent / "templates"


class NothingThereError(Exception):
    """A page that was asked for and does not exist; the live app answers 404."""


class Asked(NamedTuple):
    """What a reader asked of a page."""

    links: Links
    values: Mapping[str, str] = {}
    """from the path, such as `{"number": "17"}`"""
    query: Mapping[str, str] = {}
    """from the query; always empty in the export"""
    reader: str = ""
    """who asks; empty in the export and for somebody who has not written anything yet"""


def _one(_: Exhibit) -> Iterable[dict[str, str]]:
    return [{}]


def _always(_: Exhibit) -> bool:
    return True


@dataclass(frozen=True, kw_only=True)
class Page:
    """One kind of page."""

    name: str
    place: Place
    template: str
    fill: Callable[[Exhibit, Asked], dict[str, Any]]
    """the template's variables; raises `NothingThereError` when there is no such page"""
    word: str | None = None
    """its word in the navigation; None for a page that is reached from others"""
    instances: Callable[[Exhibit], Iterable[dict[str, str]]] = _one
    """the values of each page of this kind, for the export"""
    there: Callable[[Exhibit], bool] = _always
    """whether the exhibit has what this page shows"""


class Gallery:
    """Draws the pages of one exhibit."""

    def __init__(self, exhibit: Exhibit, pages: Iterable[Page]) -> None:
        self.exhibit = exhibit
        self.pages = {page.name: page for page in pages if page.there(exhibit)}
        self.places = {page.name: page.place for page in self.pages.values()}
        self._templates = _environment()

    def links(self, *, exported: bool, depth: int = 0) -> Links:
        """Addresses as seen from a page."""
        return Links(self.places, exported, depth)

    def draw(self, page: Page, asked: Asked) -> str:
        """A page as HTML without lone surrogates; raises `NothingThereError` when there is no such page."""
        filled = page.fill(self.exhibit, asked)
        return self._templates.get_template(page.template).render(
            page=page, pages=self.pages.values(), links=asked.links, exhibit=self.exhibit, **filled
        )

    def sorry(self, links: Links, message: str) -> str:
        """The page that says that something is not there."""
        return self._templates.get_template("sorry.html").render(
            page=None, pages=self.pages.values(), links=links, exhibit=self.exhibit, message=message
        )


def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    for name in ("visible", "editable", "clipped", "spelled", "numeral", "percent", "one_in", "tick", "titled"):
        environment.filters[name] = getattr(text, name)
    environment.filters["told"] = told
    environment.filters["query"] = query_of
    environment.globals["version"] = __version__
    environment.globals["shades"] = range(2, text.SHADES + 1, 2)
    return environment
