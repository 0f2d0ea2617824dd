"""`tymbal theory duel` and `tymbal theory tournament` from outside."""

import json

import pytest

from tymbal import cli


def test_a_duel_prints_outcome_reason_and_certificate(capsys, tmp_path):
    assert cli.main(["theory", "duel", "[]them(me)", "PrudentBot", "--certificate", str(tmp_path / "c.json")]) == 0
    printed = capsys.readouterr().out
    assert printed.startswith("FairBot and PrudentBot: both cooperate.")
    assert json.loads((tmp_path / "c.json").read_text())["certificate"]["claims"] == [
        "FairBot(PrudentBot)",
        "PrudentBot(FairBot)",
    ]


def test_a_tournament_prints_its_table_equilibria_and_picture(capsys, tmp_path):
    assert cli.main(["theory", "tournament", "--cost", "1/10", "--picture", str(tmp_path / "t.svg")]) == 0
    printed = capsys.readouterr().out
    assert "accepts the certificates of all 36 matches" in printed
    assert "everybody gets 1.9: CooperateBot 0.1, FairBot 0.85, PrudentBot 0.05" in printed
    assert (tmp_path / "t.svg").exists()


@pytest.mark.parametrize("source", ["[]them(", "them(me)", "[]Nobody(me)", "FairBott"])
def test_a_bad_formula_ends_with_one_statement_and_code_1(source, capsys):
    assert cli.main(["theory", "duel", "FairBot", source]) == 1
    ended = capsys.readouterr()
    assert not ended.out
    assert ended.err.startswith("tymbal: expected ")
    assert "Traceback" not in ended.err
