import builtins

import pytest
from hypothesis import given, settings
from kripke_oracle import agent_trees, text

from tymbal.errors import MissingExtraError, TheoryError
from tymbal.theory.modal import parser
from tymbal.theory.modal.formula import Action, And, Box, Iff, Implies, Not, Or, inconsistent
from tymbal.theory.modal.parser import parse

ME, THEM = Action("me"), Action("them")


@pytest.mark.parametrize(
    ("source", "formula"),
    [
        ("[]them(me)", Box(THEM)),
        ("[]me(them)", Box(ME)),
        ("[]~them & []me | true & []me", None),
        ("~[]them & []me", And((Not(Box(THEM)), Box(ME)))),
        ("[]me | []them & []me", Or((Box(ME), And((Box(THEM), Box(ME)))))),
        ("[]me -> []them -> []me", Implies(Box(ME), Implies(Box(THEM), Box(ME)))),
        ("[]me <-> []them -> []me", Iff(Box(ME), Implies(Box(THEM), Box(ME)))),
        ("[](me -> them)", Box(Implies(ME, THEM))),
        ("<>them", Not(Box(Not(THEM)))),
        ("[1]them", Box(Implies(Not(inconsistent(1)), THEM))),
        ("[2]them", Box(Implies(Not(inconsistent(2)), THEM))),
        ("□(¬them ∧ me ∨ ⊥ → ⊤)", None),
    ],
)
def test_signs_bind_as_in_the_textbooks(source, formula):
    read = parse(source)
    assert parse(str(read)) == read
    if formula is not None:
        assert read == formula


@given(agent_trees())
@settings(max_examples=100, deadline=None)
def test_a_formula_written_out_is_read_back_as_itself(tree):
    formula = parse(text(tree))
    assert parse(str(formula)) == formula


def test_textbook_signs_mean_the_same_as_plain_ones():
    assert parse("□(¬them ∧ me ∨ ⊥ → ⊤)") == parse("[](~them & me | false -> true)")
    assert parse("◇them ↔ □me") == parse("<>them <-> []me")


@pytest.mark.parametrize(
    ("source", "caret", "expected", "advice"),
    [
        ("", 0, "a formula", "caret"),
        ("[]them &", 8, "a formula", "caret"),
        ("[]them && []me", 8, "a formula", "write & once"),
        ("[](them", 7, ") or one of & | -> <->", "close the bracket"),
        ("[]them)", 6, "one of & | -> <->, or the end", "leave out"),
        ("[]them []me", 7, "one of & | -> <->, or the end", "join the two parts"),
        ("[]them = []me", 7, "one of", "write <->"),
        ("!([]them)", 0, "a formula", "write ~"),
        ("[x]them", 0, "a formula", "caret"),
        ("[]them(", 7, "an agent", "known agent"),
        ("[](E >= x)", 8, "a number", "how many"),
        ("[](them >= 2)", 3, "E or others", "others >= 2"),
        ("[]DefectBott(me)", 2, "known agent", "did you mean DefectBot?"),
        ("[]Zyx(me)", 2, "known agent", "knows="),
    ],
)
def test_a_mistake_is_shown_with_a_caret_under_the_place(source, caret, expected, advice):
    with pytest.raises(TheoryError) as raised:
        parse(source, ["DefectBot"])
    sentence, shown, pointer = str(raised.value).split("\n")
    assert shown == f"    {source}"
    assert pointer == " " * (4 + caret) + "^"
    assert sentence.startswith(f"expected {expected}") or expected in sentence.split("; got")[0]
    assert "; got " in sentence
    assert advice in sentence


@pytest.mark.parametrize(
    ("source", "caret"), [("them(me)", 0), ("[]them & me", 9), ("~E", 1), ("[]them -> (true | others >= 1)", 18)]
)
def test_an_action_outside_every_box_is_refused_with_the_reason(source, caret):
    with pytest.raises(TheoryError, match="every action inside a box") as raised:
        parse(source)
    assert "wait for each other for ever" in str(raised.value)
    assert str(raised.value).split("\n")[-1].index("^") == 4 + caret


def test_without_lark_the_answer_is_how_to_install_it(monkeypatch):
    real = builtins.__import__

    def without_lark(name, *rest):
        if name == "lark":
            raise ModuleNotFoundError(name)
        return real(name, *rest)

    parser._lark.cache_clear()
    monkeypatch.setattr(builtins, "__import__", without_lark)
    with pytest.raises(MissingExtraError, match=r"pip install 'tymbal\[theory\]'"):
        parse("true")
