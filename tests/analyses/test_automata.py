"""Features planted to follow one another."""

import numpy as np
import pytest
from analysed import PASSAGE, called, coded
from scipy import sparse

from tymbal.analyses import automata
from tymbal.analyses.automata import Edges, chains, edges

PASSAGES = 121  # so that half the text is no multiple of the period


def cycle() -> tuple[np.ndarray, np.ndarray]:
    """Tokens 0 to 5 in turn, often broken by others from 10 to 19; features 0 to 5 fire on their tokens, 6 on 15."""
    generator = np.random.default_rng(0)
    tokens = np.arange(PASSAGES * PASSAGE) % 6
    broken = generator.random(len(tokens)) < 0.6
    tokens[broken] = generator.integers(10, 20, int(broken.sum()))
    values = np.stack([tokens == number for number in (0, 1, 2, 3, 4, 5, 15)], 1).astype(float)
    return tokens, values


def promoted(*tokens: int) -> np.ndarray:
    return np.array([[token] for token in tokens], dtype=np.int64)


def test_edges_and_chains_follow_the_planted_order():
    tokens, values = cycle()
    text = coded(values, tokens=tokens)
    told = automata(text, promoted(1, 2, 3, 4, 5, 0, 15), called)
    assert told.sample["edges"] == 6
    assert told.sample["edges in moved text"] == 0
    features = [feature for feature, _, _ in told.rows[0][0]]
    assert len(features) == 7
    assert features == [(features[0] + step) % 6 for step in range(7)]


def test_an_edges_share_is_that_of_next_tokens_where_passages_score():
    tokens, values = cycle()
    text = coded(values, tokens=tokens)
    everything = sparse.csr_array(np.ones((7, 7)))
    found = edges(text, text.active, everything)
    place = [number for number in range(len(found.source)) if (found.source[number], found.target[number]) == (0, 1)]
    step = (text.role[:-1] == 2) & (np.diff(text.passage) == 0) & (tokens[:-1] == 0)
    assert found.share[place[0]] == pytest.approx((tokens[1:] == 1)[step].mean())


def test_no_edge_where_the_weights_do_not_promote_what_follows():
    tokens, values = cycle()
    told = automata(coded(values, tokens=tokens), promoted(*[16] * 7), called)
    assert told.sample["edges"] == 0
    assert told.rows == []


def test_no_step_goes_from_one_passage_to_the_next():
    values = np.zeros((PASSAGES * PASSAGE, 2))
    values[PASSAGE - 1 :: PASSAGE, 0] = 1
    values[PASSAGE::PASSAGE, 1] = 1
    text = coded(values, tokens=np.arange(len(values)) % PASSAGE)
    assert len(edges(text, text.active, sparse.csr_array(np.ones((2, 2)))).source) == 0


def test_chains_end_where_a_feature_comes_again():
    told = Edges(*(np.array(column) for column in ([0, 1, 2, 5], [1, 2, 0, 6], [0.9, 0.8, 0.7, 0.5], [9.0] * 4)))
    found = [[feature for feature, _ in chain] for chain in chains(told)]
    assert found[0] in ([0, 1, 2, 0], [1, 2, 0, 1], [2, 0, 1, 2])
    assert found[1] == [5, 6]
    assert len(found) == 2
