"""`tymbal steer` prints both tables, draws the curve and refuses what it cannot use in one line."""

import json
from pathlib import Path

import pytest

from tymbal.cli import main


@pytest.fixture
def prompts(tmp_path: Path) -> Path:
    path = tmp_path / "prompts.txt"
    path.write_text("Lily saw\n\nThe cat\nOnce upon\n", encoding="utf-8")
    return path


def _steer(folder: Path, prompts: Path, *more: str) -> int:
    words = ["steer", str(folder), "--toward", "happy", "--away", "sad", "--prompts", str(prompts)]
    return main([*words, "--tokens", "3", "--out", str(prompts.parent / "out"), *more])


def test_steering_prints_tables_and_draws_the_curve(tiny_llama_folder, prompts, capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "140")
    assert _steer(tiny_llama_folder, prompts, "--strengths", "-0.2", "0.2") == 0
    printed = capsys.readouterr().out
    for words in (
        "dose and response, difference of 1 text at resid_post.2, n = 3 prompts",
        "random direction",
        "token bias",
        "side by side",
    ):
        assert words in printed
    assert "<svg" in (prompts.parent / "out" / "response.svg").read_text(encoding="utf-8")
    held = json.loads((prompts.parent / "out" / "response.json").read_text(encoding="utf-8"))
    assert held["treatment"] == "difference of 1 text at resid_post.2"
    assert {dose["strength"] for dose in held["doses"] if dose["system"] == "steered"} == {-0.2, 0.0, 0.2}


def test_what_cannot_be_used_is_refused_in_one_line(tiny_llama_folder, prompts, capsys):
    pair = prompts.parent / "pair.txt"
    pair.write_text("glad\njolly\n", encoding="utf-8")
    for more in (("--site", "resid_post.7"), ("--toward", str(pair)), ("--prompts", str(pair.with_name("none.txt")))):
        assert _steer(tiny_llama_folder, prompts, *more) == 1
        told = capsys.readouterr().err
        assert told.startswith("tymbal: expected")
        assert told.count("\n") == 1
