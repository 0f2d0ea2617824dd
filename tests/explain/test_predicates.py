"""Planted features are explained by the rule that was planted, of every kind; what has no rule is called unclear."""

import json

import numpy as np
import planted_text
import pytest
from planted_text import ANIMALS

from tymbal.explain import Evidence, PredicateExplainer, TokenExplainer, parse_predicate


def _marks_before(passage, place):
    """Whether between this word and the word before there is the end of a sentence, or there is no word before."""
    before = place - 1
    while before >= 0 and not passage[before][0].isalnum():
        if passage[before] == ".":
            return True
        before -= 1
    return before < 0


RULES = {
    "token": (lambda p, i: p[i] == "horse", ["token", " horse"]),
    "set": (lambda p, i: p[i] in ("red", "blue"), ["token", " blue", " red"]),
    "prefix": (lambda p, i: p[i].startswith("un"), ["prefix", "un"]),
    "suffix": (lambda p, i: p[i].endswith("ed") and len(p[i]) > 2, ["suffix", "ed"]),
    "capital": (lambda p, i: p[i][0].isupper(), ["shape", "capital"]),
    "digits": (lambda p, i: p[i].isdigit(), ["shape", "digits"]),
    "first": (lambda p, i: i == 0, ["place", "passage 1"]),
    "sentence": (lambda p, i: p[i][0].isalnum() and _marks_before(p, i), ["place", "sentence 1"]),
    "previous": (lambda p, i: i > 0 and p[i - 1] == "green", ["previous token", " green"]),
    "phrase": (lambda p, i: i > 1 and p[i - 2 : i] == ["lives", "in"], ["after words", "lives in"]),
    "next": (lambda p, i: i + 1 < len(p) and p[i + 1] == "but", ["next token", " but"]),
    "quotation": (lambda p, i: "“" in p[: i + 1] and "”" not in p[:i], ["span", "quotation"]),
    "pair": (
        lambda p, i: i > 0 and any(p[j - 1 : j + 1] == p[i - 1 : i + 1] for j in range(1, i)),
        ["repetition", "pair"],
    ),
    "concept": (
        lambda p, i: p[i] == "cat" or (i > 0 and p[i - 1] == "cat" and p[i] not in ANIMALS),
        ["concept", "animal.cat"],
    ),
    "kind": (
        lambda p, i: p[i] in ANIMALS or (i > 0 and p[i - 1] in ANIMALS),
        ["concept", "animal.*"],
    ),
    "after concept": (
        lambda p, i: i > 1 and p[i - 2] in ANIMALS and p[i - 1] not in ANIMALS and p[i] not in ANIMALS,
        ["after concept", "animal.*"],
    ),
    "both": (
        lambda p, i: p[i] == "the" and "“" in p[: i + 1] and "”" not in p[:i],
        ["and", ["span", "quotation"], ["token", " the"]],
    ),
    "random": (lambda p, i: False, None),
}


@pytest.fixture(scope="module")
def made():
    return planted_text.passages()


@pytest.fixture(scope="module")
def evidence(made, tmp_path_factory):
    """One feature a rule, and after them random features from rare to frequent."""
    holds = planted_text.truth(made, [rule for rule, _ in RULES.values()])
    values = planted_text.noisy(holds)
    generator = np.random.default_rng(1)
    shares = np.array([0.001, 0.003, 0.01, 0.03, 0.1, 0.3])
    random = generator.gamma(4.0, 0.5, (len(holds), 30)) * (generator.random((len(holds), 30)) < np.repeat(shares, 5))
    store = planted_text.store_of(tmp_path_factory.mktemp("codes"), made, np.concatenate([values, random], axis=1))
    return Evidence.of(store, planted_text.spell, annotations=planted_text.annotations(made))


@pytest.fixture(scope="module")
def said(evidence):
    return list(PredicateExplainer().explain(range(evidence.activity.features), evidence))


@pytest.mark.parametrize("name", [name for name, (_, expression) in RULES.items() if expression])
def test_each_kind_of_rule_is_recovered_from_a_feature_with_noise(name, said):
    explanation = said[list(RULES).index(name)]
    assert explanation.predicate, f"{name} is unclear"
    assert _sorted(json.loads(explanation.predicate)) == RULES[name][1], explanation.text


def _sorted(expression):
    """Members of a set, and sides of a conjunction, in a fixed order."""
    if expression[0] == "and":
        return ["and", *sorted(map(_sorted, expression[1:]))]
    return [expression[0], *sorted(expression[1:])]


def test_random_features_are_unclear_however_rare_or_frequent(said):
    assert {explanation.kind for explanation in said[len(RULES) - 1 :]} == {"unclear"}


def test_what_is_said_of_a_feature_does_not_depend_on_the_others(evidence, said):
    again = list(PredicateExplainer().explain([7, 3], evidence))
    assert again == [said[7], said[3]]


def test_the_rows_of_an_expression_are_those_for_which_the_rule_holds(made, evidence):
    explain = [passage for number, passage in enumerate(made) if number % 3 == 0]
    for rule, expression in RULES.values():
        if expression:
            oracle = planted_text.truth(explain, [rule])[:, 0]
            assert (parse_predicate(json.dumps(expression)).mask(evidence.text) == oracle).all(), expression


def test_the_single_token_explainer_names_the_token_that_agrees_best(evidence):
    explanations = list(TokenExplainer().explain([0, list(RULES).index("both")], evidence))
    assert [json.loads(one.predicate or "") for one in explanations] == [["token", " horse"], ["token", " the"]]


def test_an_expression_reads_back_and_anything_else_is_refused(said):
    for explanation in said:
        if explanation.predicate:
            assert parse_predicate(explanation.predicate).expression() == explanation.predicate
    for wrong in ("", "[", '"token"', '["token"]', '["nonsense", "x"]', '["and", ["token", "x"]]', '["token", 1]'):
        with pytest.raises(ValueError, match=r"predicate|kind must be"):
            parse_predicate(wrong)
