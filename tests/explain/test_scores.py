"""Scores agree with independent definitions of the same measures, and come from passages that explained nothing."""

import numpy as np
import planted_text
import pytest
from sklearn.metrics import f1_score, precision_score, recall_score, roc_auc_score

from tymbal.corpora import Role
from tymbal.dictionaries.bootstrap import Bootstrap
from tymbal.explain import Activity, Evidence, PredicateExplainer, Text, parse_predicate
from tymbal.explain.scores import Contender, ExactScorer

HORSE, RED = parse_predicate('["token", " horse"]'), parse_predicate('["token", " red"]')
MOST = 1 << 20


@pytest.fixture(scope="module")
def made():
    return planted_text.passages()


@pytest.fixture(scope="module")
def values(made):
    """A feature of horses in a quotation, or after “the”; and one that is never active."""
    holds = planted_text.truth(
        made, [lambda p, i: p[i] == "horse" and i > 0 and p[i - 1] in ("the", "a", "of"), lambda *_: False]
    )
    return planted_text.noisy(holds, alarm=0.003) * [1, 0]


@pytest.fixture(scope="module")
def store(made, values, tmp_path_factory):
    return planted_text.store_of(tmp_path_factory.mktemp("codes"), made, values)


@pytest.fixture(scope="module")
def scorer(store, made):
    text = Text.of(store, Role.SCORE, planted_text.spell, planted_text.annotations(made), MOST)
    return ExactScorer(text, Activity.of(store, Role.SCORE, MOST), Bootstrap(80, draws=200, seed=0))


@pytest.fixture(scope="module")
def rows(scorer):
    contenders = [Contender(0, HORSE, RED, None, [" horse", " red"]), Contender(1, HORSE, None, None, [])]
    return scorer.rows(contenders)


def on_score(made, values):
    """Activations and words of the score passages."""
    passages = [number for number in range(len(made)) if number % 3 == 1]
    taken = np.concatenate([np.arange(planted_text.LENGTH) + number * planted_text.LENGTH for number in passages])
    return values[taken, 0].astype(np.float32), np.array([word for number in passages for word in made[number]])


def test_measures_are_those_of_scikit_learn_and_numpy(made, values, rows):
    activation, words = on_score(made, values)
    active, predicted = activation > 0, words == "horse"
    assert rows[0]["tokens"] == len(words)
    assert rows[0]["active"] == active.sum()
    assert rows[0]["predicted"] == predicted.sum()
    assert rows[0]["precision"] == pytest.approx(precision_score(active, predicted))
    assert rows[0]["recall"] == pytest.approx(recall_score(active, predicted))
    assert rows[0]["f1"] == pytest.approx(f1_score(active, predicted))
    assert rows[0]["auroc"] == pytest.approx(roc_auc_score(active, predicted))
    assert rows[0]["correlation"] == pytest.approx(np.corrcoef(predicted, activation)[0, 1], rel=1e-6)
    assert rows[0]["token_auroc"] == pytest.approx(roc_auc_score(active, words == "red"))


def test_hard_negatives_are_silent_tokens_spelled_like_those_it_fired_on(made, values, rows):
    activation, words = on_score(made, values)
    hard = (activation > 0) | np.isin(words, ["horse", "red"])
    assert rows[0]["hard_negatives"] == (hard & (activation == 0)).sum()
    assert rows[0]["hard_auroc"] == pytest.approx(roc_auc_score(activation[hard] > 0, words[hard] == "horse"))
    assert rows[0]["hard_auroc"] < rows[0]["auroc"]


def test_what_predicts_nothing_scores_as_chance_does(scorer):
    row = scorer.rows([Contender(0, None, None, None, [" horse"])])[0]
    assert (row["f1"], row["auroc"], row["correlation"], row["hard_auroc"]) == (0, 0.5, 0, 0.5)


def test_a_feature_that_is_silent_on_the_score_passages_is_not_measured(rows):
    assert rows[1]["active"] == 0
    assert {rows[1][name] for name in ("f1", "auroc", "auroc_low", "correlation", "token_auroc")} == {None}


def test_intervals_hold_the_value_and_are_as_wide_as_passages_differ(made, values, rows):
    for name in ("f1", "auroc", "correlation", "hard_auroc"):
        assert rows[0][f"{name}_low"] < rows[0][name] < rows[0][f"{name}_high"]
    # Against the spread of the same number over passages drawn by another generator.
    activation, words = on_score(made, values)
    by_passage = (activation > 0).reshape(-1, planted_text.LENGTH), (words == "horse").reshape(-1, planted_text.LENGTH)
    generator = np.random.default_rng(7)
    drawn = []
    for _ in range(400):
        some = generator.integers(80, size=80)
        drawn.append(f1_score(by_passage[0][some].ravel(), by_passage[1][some].ravel()))
    width = rows[0]["f1_high"] - rows[0]["f1_low"]
    assert width == pytest.approx(np.quantile(drawn, 0.975) - np.quantile(drawn, 0.025), rel=0.25)


def test_passages_that_explain_and_passages_that_score_are_different_ones(store, made):
    explain, score = (Text.of(store, role, planted_text.spell, None, MOST) for role in (Role.EXPLAIN, Role.SCORE))
    assert len(explain.passage_ids) == len(score.passage_ids) == len(made) // 3
    assert not set(explain.passage_ids) & set(score.passage_ids)


def test_nothing_on_the_score_passages_changes_what_is_said(made, values, store, tmp_path):
    scrambled = values.copy()
    for number in range(len(made)):
        if number % 3 != 0:
            rows = slice(number * planted_text.LENGTH, (number + 1) * planted_text.LENGTH)
            scrambled[rows] = np.random.default_rng(number).gamma(4.0, 0.5, scrambled[rows].shape)
    other = planted_text.store_of(tmp_path, made, scrambled)
    said = [
        list(
            PredicateExplainer().explain(
                [0, 1], Evidence.of(codes, planted_text.spell, annotations=planted_text.annotations(made))
            )
        )
        for codes in (store, other)
    ]
    assert said[0] == said[1]
    assert said[0][0].predicate is not None


def test_a_cap_on_tokens_takes_whole_passages_evenly_over_the_text(store):
    some = Text.of(store, Role.EXPLAIN, planted_text.spell, None, 20 * planted_text.LENGTH)
    assert len(some.passage_ids) == 20
    assert np.bincount(some.passage).tolist() == [planted_text.LENGTH] * 20
    thirds = np.bincount(some.passage_ids * 3 // planted_text.PASSAGES, minlength=3)
    assert thirds.min() >= 6
    assert Activity.of(store, Role.EXPLAIN, 20 * planted_text.LENGTH).tokens == len(some)
