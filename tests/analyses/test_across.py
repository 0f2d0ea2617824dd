"""Concepts that one feature tells in both languages, and concepts for which every language has its own."""

import numpy as np
import pytest
import torch
from analysed import PASSAGE, called, coded

from tymbal.analyses import Annotated, Coded, across
from tymbal.dictionaries.concept_labels import Labels
from tymbal.errors import TymbalError

NAMES = ["animal.cat", "animal.dog", "language.de", "language.en"]
PASSAGES = 240


def text() -> Annotated:
    """Passages in German and English by turns of three; cats on tokens 10/11 and dogs on 20/21 (German/English).

    Feature 0 fires on cats in both languages; 1 and 2 on German and English dogs; 3 on anything.
    """
    generator = np.random.default_rng(0)
    rows = PASSAGES * PASSAGE
    english = (np.arange(rows) // PASSAGE // 3) % 2 == 1
    tokens = generator.integers(30, 60, rows)
    cat, dog = (generator.random((2, rows)) < 0.04).astype(bool)
    dog &= ~cat
    tokens[cat] = 10 + english[cat]
    tokens[dog] = 20 + english[dog]
    fired = np.stack([cat, dog & ~english, dog & english, generator.random(rows) < 0.1], 1)
    made = coded(fired.astype(float), tokens=tokens)
    concepts = np.stack([cat, dog, ~english, english], 1)
    return Annotated(made, lambda part: labels(part, made, concepts), NAMES)


def labels(part: Coded, whole: Coded, concepts: np.ndarray) -> Labels:
    kept = np.isin(whole.passage, part.passage)
    token, concept = np.nonzero(concepts[kept])
    passage = np.unique(part.passage, return_inverse=True)[1]
    return Labels(passage=torch.from_numpy(passage), token=torch.from_numpy(token), concept=torch.from_numpy(concept))


def test_a_feature_for_both_languages_is_told_from_one_for_each():
    told = across(text(), "language", called, str)
    rows = {row[0]: row for row in told.rows}
    assert set(rows) == {"animal.cat", "animal.dog"}
    assert rows["animal.cat"][1] == 0
    assert rows["animal.cat"][4] == [1, 1]
    assert rows["animal.dog"][1] in (1, 2)
    assert sorted(rows["animal.dog"][4]) == [0, 1]
    assert told.findings["concepts with one feature in every language"].value == 0.5


def test_single_tokens_speak_one_language_each():
    told = across(text(), "language", called, str)
    assert told.findings["concepts with one feature in every language"].baselines["best single token"].value == 0
    assert {row[5] for row in told.rows} <= {"10", "11", "20", "21"}
    assert all(sorted(row[7]) == [0, 1] for row in told.rows)


def test_f1_is_by_mention_on_passages_that_score():
    told = across(text(), "language", called, str)
    rows = {row[0]: row for row in told.rows}
    assert rows["animal.cat"][3] == pytest.approx(1)
    assert rows["animal.dog"][3] < 0.75


def test_text_in_one_language_is_refused():
    made = text()
    with pytest.raises(TymbalError, match=r"tone\.…"):
        across(made, "tone", called, str)
