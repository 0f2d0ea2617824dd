"""Vendored scripts are the ones whose licences are listed, and each is used."""

import hashlib
import re
from pathlib import Path

import tymbal.serve

SERVE = Path(tymbal.serve.__file__).parent
VENDOR = SERVE / "static" / "vendor"


def test_each_vendored_script_is_listed_with_its_checksum_and_used() -> None:
    listed = dict(re.findall(r"^\| (\S+\.js) \|.*\| ([0-9a-f]{64}) \|$", (VENDOR / "LICENSES.md").read_text(), re.M))
    assert listed == {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in VENDOR.glob("*.js")}
    templates = "".join(path.read_text() for path in (SERVE / "templates").glob("*.html"))
    assert all(f"vendor/{name}" in templates for name in listed)


def test_each_vendored_licence_lies_beside_its_script() -> None:
    named = re.findall(r"`(\S+\.txt)`", (VENDOR / "LICENSES.md").read_text())
    assert named
    assert all((VENDOR / name).stat().st_size > 100 for name in named)
