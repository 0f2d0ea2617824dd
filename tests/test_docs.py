"""The docs say what is true: every command stands in docs/cli.md with the help that it really gives.

`python tests/test_docs.py` writes the help anew.
"""

import io
import os
import re
from contextlib import redirect_stdout, suppress
from pathlib import Path
from unittest import mock

import pytest

from tymbal.cli import COMMANDS, main

ROOT = Path(__file__).parent.parent
PAGE = ROOT / "docs" / "cli.md"
WORDS = ("tymbal", *(f"tymbal {command.name}" for command in COMMANDS))


def help_of(words: str) -> str:
    """What `WORDS --help` prints, a hundred columns wide."""
    screen = io.TextIOWrapper(io.BytesIO(), encoding="utf-8")
    plain = {"COLUMNS": "100", "NO_COLOR": "1", "TERM": "dumb"}
    with mock.patch.dict(os.environ, plain), redirect_stdout(screen), suppress(SystemExit):
        main([*words.split()[1:], "--help"])
    screen.flush()
    return "\n".join(line.rstrip() for line in screen.buffer.getvalue().decode().strip().splitlines())


def sections(page: str) -> dict[str, str]:
    """Text by heading of the second level."""
    parts = re.split(r"^## (.+)$", page, flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


@pytest.mark.parametrize("words", WORDS)
def test_every_command_is_documented_with_the_help_it_gives(words):
    section = sections(PAGE.read_text(encoding="utf-8")).get(words)
    assert section is not None, f"no section '## {words}' in docs/cli.md"
    assert f"```text\n{help_of(words)}\n```" in section, "run: python tests/test_docs.py"


def test_no_section_is_about_a_command_that_is_gone():
    headings = set(sections(PAGE.read_text(encoding="utf-8")))
    assert not {heading for heading in headings if heading.startswith("tymbal")} - set(WORDS)


def test_every_package_has_a_page():
    packages = {path.parent.name for path in (ROOT / "tymbal").glob("*/__init__.py")}
    assert not {package for package in packages if not (ROOT / "docs" / f"{package}.md").exists()}


@pytest.mark.parametrize(
    "page", sorted([*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")]), ids=lambda page: page.name
)
def test_links_and_pictures_in_the_docs_are_there(page):
    code = re.compile(r"```.*?```|`[^`]*`|^ {4}[^\n]*$", re.DOTALL | re.MULTILINE)
    targets = re.findall(r"\]\(([^)#\s]+)", code.sub("", page.read_text(encoding="utf-8")))
    missing = [target for target in targets if "://" not in target and not (page.parent / target).exists()]
    assert not missing


@pytest.mark.parametrize(
    "page", sorted([*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")]), ids=lambda page: page.name
)
def test_make_targets_named_in_the_docs_exist(page):
    known = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    named = set(re.findall(r"`make ([a-z-]+)`", page.read_text(encoding="utf-8")))
    assert not named - known


def write() -> None:
    """Put the help into docs/cli.md."""
    page = PAGE.read_text(encoding="utf-8")
    for words in WORDS:
        text = sections(page)[words]
        kept = re.sub(r"\n```text\n.*?\n```\n", "", text, flags=re.DOTALL).rstrip()
        fresh = f"{kept}\n\n```text\n{help_of(words)}\n```\n\n"
        page = page.replace(f"## {words}\n{text.removeprefix(chr(10))}", f"## {words}\n{fresh.removeprefix(chr(10))}")
    PAGE.write_text(page.rstrip() + "\n", encoding="utf-8")


if __name__ == "__main__":
    write()
