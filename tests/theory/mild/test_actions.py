"""The table of actions, the picture and the command."""

from pathlib import Path

import numpy as np
import pytest

from tymbal import cli
from tymbal.errors import TheoryError
from tymbal.theory.mild import Cone, draw, maximin, read_actions

TABLE = "action,base,utility\nas usual,.4,0\na little more,.3,1\nbold,.2,3\nbizarre,.1,10\n"


@pytest.fixture
def table(tmp_path: Path) -> Path:
    path = tmp_path / "actions.csv"
    path.write_text(TABLE, encoding="utf-8")
    return path


def test_a_table_is_read(table):
    actions = read_actions(table)
    assert actions.names == ("as usual", "a little more", "bold", "bizarre")
    assert actions.base == pytest.approx([0.4, 0.3, 0.2, 0.1])
    assert actions.utility.tolist() == [0, 1, 3, 10]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("action,base\na,1\n", "no utility in"),
        ("action,base,utility\na,1,x\n", "'1' and 'x' in line 2"),
        ("action,base,utility\na,1\n", "in line 2"),
        ("action,base,utility\na,.7,1\n", "a sum of 0.7"),
        ("action,base,utility\n", "as one list"),
    ],
)
def test_tables_that_cannot_be_used_are_refused(text, words, tmp_path):
    path = tmp_path / "actions.csv"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(TheoryError) as refusal:
        read_actions(path)
    assert words in str(refusal.value)


def test_a_table_that_is_not_there(tmp_path):
    with pytest.raises(TheoryError, match="cannot be read"):
        read_actions(tmp_path / "none.csv")


def test_the_picture_is_the_same_each_time(table, tmp_path):
    actions = read_actions(table)
    found = maximin(actions.utility, Cone(actions.base, q=0.25))
    pictures = [tmp_path / "one.svg", tmp_path / "two.svg"]
    for path in pictures:
        draw(path, actions.names, actions.base, actions.utility, found)
    one, two = (path.read_bytes() for path in pictures)
    assert one == two
    assert b"<svg" in one


def test_the_command_prints_policy_value_and_proof(table, capsys):
    assert cli.main(["theory", "quantilize", str(table), "--q", ".25"]) == 0
    said = capsys.readouterr().out
    assert "bizarre          0.1000    0.4000         10        5.8" in said
    assert "value   5.8 at the worst; the base gets 1.9 as given" in said
    assert cli.main(["theory", "quantilize", str(table), "--budget", "1"]) == 0
    assert "value   2 at the worst" in capsys.readouterr().out


def test_the_command_shows_the_best_of_many_actions(tmp_path, capsys):
    rows = [f"a{number},{1 / 50},{number}" for number in range(50)]
    path = tmp_path / "many.csv"
    path.write_text("\n".join(["action,base,utility", *rows]), encoding="utf-8")
    assert cli.main(["theory", "quantilize", str(path)]) == 0
    said = capsys.readouterr().out
    assert "… and 30 actions of lower utility" in said
    assert "a49" in said
    assert "a29 " not in said


def test_the_command_refuses_a_q_that_is_none(table, capsys):
    assert cli.main(["theory", "quantilize", str(table), "--q", "2"]) == 1
    assert "expected q above 0 and at most 1; got 2" in capsys.readouterr().err


def test_a_picture_of_many_actions_shows_the_best(tmp_path):
    names = tuple(f"action {number}" for number in range(200))
    base, utility = np.full(200, 1 / 200), np.arange(200.0)
    draw(tmp_path / "p.svg", names, base, utility, maximin(utility, Cone(base, q=0.1)))
    drawn = (tmp_path / "p.svg").read_text(encoding="utf-8")
    assert "action 199" in drawn
    assert "action 100" not in drawn
