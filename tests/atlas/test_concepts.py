import numpy as np
from planted import dense_shard, shard_of

from tymbal.atlas.concepts import ConceptCounts


def _f1(active: np.ndarray, there: np.ndarray) -> float:
    return 2 * (active & there).sum() / (active.sum() + there.sum())


def test_concepts_are_chosen_on_explain_and_measured_on_score() -> None:
    length, passages = 20, 30
    ids = np.repeat(np.arange(passages), length)
    values = dense_shard(rows=length * passages, features=6, seed=0)
    values[:, 5] = 0
    generator = np.random.default_rng(1)
    there = generator.random((len(ids), 4)) < 0.3
    there[:, 2] = values[:, 1] > 0.5

    def annotate(passage: int) -> tuple[np.ndarray, np.ndarray]:
        token, concept = np.nonzero(there[ids == passage])
        return token + 1, concept

    counts = ConceptCounts(list("abcd"), annotate, 6)
    cut = 11 * length
    for part in (slice(0, cut), slice(cut, None)):
        counts.update(shard_of(values[part], passages=ids[part]))
    best = counts.best()
    explain, score = ids % 3 == 0, ids % 3 == 1
    for feature in range(5):
        active = values[:, feature] > 0
        f1 = [_f1(active[explain], there[explain, concept]) for concept in range(4)]
        concept = int(np.argmax(f1))
        hits = (active & there[:, concept])[score].sum()
        assert best.concept[feature] == concept
        assert best.f1[feature] == _f1(active[score], there[score, concept])
        assert best.precision[feature] == hits / active[score].sum()
        assert best.recall[feature] == hits / there[score, concept].sum()
    assert best.concept[1] == 2
    assert best.concept[5] == -1


def test_annotations_of_tokens_without_rows_are_left_out() -> None:
    shard = shard_of(np.ones((3, 1), dtype=np.float32), passages=np.zeros(3, dtype=np.int64))
    # Position 0 is a BOS, 1 to 3 are rows, 9 lies beyond; a token named twice counts once.
    counts = ConceptCounts(["c"], lambda _: (np.array([0, 1, 1, 9]), np.zeros(4, dtype=np.int64)), 1)
    counts.update(shard)
    assert counts._there[1].tolist() == [1]
