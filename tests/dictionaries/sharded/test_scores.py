"""Scores spread over processes: the same choice as from the whole matrix, with ties, zeros and few candidates."""

import pytest
import torch
from jaxtyping import Float
from torch import Tensor

from tymbal.dictionaries.active import Active
from tymbal.dictionaries.scores import DenseScores
from tymbal.dictionaries.sharded import Sharding
from tymbal.dictionaries.sharded.mesh import MeshRanks

ROWS, FEATURES, K = 24, 96, 5


def matrix(case: str) -> Float[Tensor, "row feature"]:
    """Scores of a batch; `case` says what is hard about them."""
    scores = torch.randn(ROWS, FEATURES, generator=torch.Generator().manual_seed(7))
    if case == "one row has them all":
        scores[3] += 50
    if case == "one part has them all":
        scores[:, : FEATURES // 4] += 50
    if case == "few are positive":
        scores -= 2.2
    if case == "none is positive":
        scores = -scores.abs()
    if case == "very different sizes":
        scores = scores.sign() * 10 ** (3 * scores)
    if case == "tiny":
        scores *= 1e-30
    return scores.double() if case == "fp64" else scores


def dense(active: Active, shape: tuple[int, int]) -> Float[Tensor, "row feature"]:
    """Entries in their places."""
    whole = torch.zeros(shape, dtype=active.values.dtype)
    lengths = torch.diff(active.offsets, append=torch.tensor([len(active.values)]))
    whole[torch.repeat_interleave(torch.arange(shape[0]), lengths), active.features] = active.values
    return whole


def chosen(scores: Tensor, sharding: Sharding, how: str) -> Tensor:
    """One rank's part of the choice, put into an otherwise empty matrix."""
    ranks = MeshRanks.spread(sharding, "cpu")
    rows = ROWS // sharding.row_parts
    features = FEATURES // sharding.feature_parts
    own = slice(ranks.row_part * rows, (ranks.row_part + 1) * rows), slice(
        ranks.feature_part * features, (ranks.feature_part + 1) * features
    )
    shared = ranks.scores(DenseScores(scores[own].contiguous()))
    part = torch.zeros_like(scores)
    part[own] = dense(getattr(shared, how)(K), (rows, features))
    return part


CASES = (
    "plain",
    "one row has them all",
    "one part has them all",
    "few are positive",
    "none is positive",
    "very different sizes",
    "tiny",
    "fp64",
)


@pytest.mark.parametrize("how", ["highest_in_each_row", "highest_of_batch"])
@pytest.mark.parametrize("sharding", [Sharding(row_parts=2, feature_parts=2), Sharding(feature_parts=4)], ids=["2·2", "4"])
def test_the_choice_is_that_of_the_whole_matrix(together, how: str, sharding: Sharding) -> None:
    matrices = {case: matrix(case) for case in CASES}
    found = together(lambda: [chosen(scores, sharding, how).numpy() for scores in matrices.values()], 4)
    for case, parts in zip(CASES, zip(*found, strict=True), strict=True):
        whole = DenseScores(matrices[case])
        expected = dense(getattr(whole, how)(K), (ROWS, FEATURES))
        assert torch.equal(sum(torch.from_numpy(part) for part in parts), expected), case


@pytest.mark.parametrize("how", ["highest_in_each_row", "highest_of_batch"])
def test_among_equal_scores_as_many_are_chosen_as_there_are_places(together, how: str) -> None:
    scores = torch.randint(1, 4, (ROWS, FEATURES), generator=torch.Generator().manual_seed(1)).float()
    found = together(lambda: chosen(scores, Sharding(row_parts=2, feature_parts=2), how).numpy(), 4)
    union = sum(torch.from_numpy(part) for part in found)
    assert int((union > 0).sum()) == K * ROWS
    expected = dense(getattr(DenseScores(scores), how)(K), (ROWS, FEATURES))
    assert torch.equal(union.flatten().sort().values, expected.flatten().sort().values)
    if how == "highest_in_each_row":
        assert ((union > 0).sum(1) == K).all()
