"""What is written is what is read, whatever the text."""

from pathlib import Path

import pytest

from tymbal import artifact


@pytest.mark.parametrize("text", ["plain", "schön, 你好", "half a pair \ud83d", "\udfff and \ud800", "a\x00b"])
def test_json_holds_any_text(text: str, tmp_path: Path) -> None:
    artifact.write_json(tmp_path / "text.json", {"said": [text]})
    assert artifact.read_json(tmp_path / "text.json") == {"said": [text]}


def test_json_stays_readable_where_utf8_can_hold_it(tmp_path: Path) -> None:
    artifact.write_json(tmp_path / "text.json", "schön")
    assert (tmp_path / "text.json").read_text(encoding="utf-8") == '"schön"\n'
