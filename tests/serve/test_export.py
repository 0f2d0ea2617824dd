"""The export holds the same pages as the live app, and every address in it leads somewhere."""

import re
from html.parser import HTMLParser
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from tymbal.errors import ArtifactError
from tymbal.serve import create_app, export

from .conftest import FEATURES


class Addresses(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        del tag
        self.found += [value for name, value in attrs if name in ("href", "src", "action") and value]


def test_every_address_is_relative_and_leads_to_a_file(exported: Path) -> None:
    pages = [path for path in exported.rglob("*.html") if "NUMBER" not in path.name]
    # overview, explore, map, completeness, safety, languages, compare, analyses and six of them, nine pairs
    assert len(pages) == 8 + 6 + 9 + FEATURES
    for page in pages:
        addresses = Addresses()
        addresses.feed(page.read_text(encoding="utf-8"))
        for address in addresses.found:
            target = address.split("#")[0]
            assert not re.match(r"[a-z]+:|/", target), (page, address)
            assert (page.parent / target).exists() if target else True, (page, address)


@pytest.mark.parametrize(
    ("path", "file"), [("/", "index.html"), ("/map", "map.html"), ("/feature/4", "feature/4.html")]
)
def test_live_and_exported_pages_read_the_same(study: Path, exported: Path, path: str, file: str) -> None:
    client = TestClient(create_app(study), base_url="http://localhost")
    assert words(client.get(path).text) == words((exported / file).read_text(encoding="utf-8"))


def words(html: str) -> str:
    """What is to be read, but for what needs a server: the way to other pages, and forms for notes."""
    html = re.sub(r'(?s)<nav aria-label="Pages">.*?</nav>|<section class="notes".*?</section>', "", html)
    return re.sub(r"\s+", " ", re.sub(r"<[^>]*>", " ", html))


def test_an_export_made_again_has_the_same_bytes(study: Path, exported: Path) -> None:
    first = {path: path.read_bytes() for path in exported.rglob("*") if path.is_file()}
    export(study, exported)
    assert {path: path.read_bytes() for path in exported.rglob("*") if path.is_file()} == first


def test_a_folder_that_holds_something_else_is_refused(study: Path, tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("years of work")
    with pytest.raises(ArtifactError, match="empty folder"):
        export(study, tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.txt"]


def test_a_file_in_the_way_is_told_in_one_line(study: Path, tmp_path: Path) -> None:
    (tmp_path / "out").write_text("")
    with pytest.raises(ArtifactError, match=r"^expected [^\n]*$"):
        export(study, tmp_path / "out")
