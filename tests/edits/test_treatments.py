"""Vectors and features as treatments: what a dose changes, and that controls change as much elsewhere."""

import pytest
import torch

from tymbal.dictionaries import TopK
from tymbal.edits import (
    AddedVectors,
    ClampedFeatures,
    FeatureAt,
    Propensity,
    SearchConfig,
    SteeringVector,
    Treatment,
    Where,
    search,
)
from tymbal.errors import TymbalError
from tymbal.models import LanguageModel, Tokens

SITE = "resid_post.1"
IDS = torch.tensor([[0, 70, 71, 72, 73]])
PROMPTS = ["Once upon a time", "Lily saw", "The cat was"]


def _moved(model: LanguageModel, treatment: Treatment, strength: float, site: str = SITE) -> torch.Tensor:
    plain = model.read(IDS, [site])[site]
    with model.edited(*treatment.edits(strength)):
        return model.read(IDS, [site])[site] - plain


def test_vectors_at_several_sites_are_added_together(model: LanguageModel):
    vectors = tuple(SteeringVector(direction=torch.full((32,), size), site=site) for site, size in
                    (("embed", 0.5), (SITE, 2.0)))  # fmt: skip
    treatment = AddedVectors(vectors=vectors, where=Where(start=1))
    assert [edit.site for edit in treatment.edits(3.0)] == ["embed", SITE]
    at_embed = _moved(model, treatment, 3.0, "embed")
    torch.testing.assert_close(at_embed[0, :, 0], torch.tensor([0.0, 1.5, 1.5, 1.5, 1.5]), rtol=1e-4, atol=1e-5)
    lengths = [float(edit.vector.norm()) for edit in treatment.random(0).edits(1.0)]
    assert lengths == pytest.approx([float(vector.direction.norm()) for vector in vectors], rel=1e-5)
    drawn = [vector.direction for vector in treatment.random(0).vectors]
    assert abs(float(torch.cosine_similarity(*drawn, dim=0))) < 0.7  # each site has its own


def test_clamped_features_take_the_strength_times_their_scale(model: LanguageModel, dictionary: TopK):
    treatment = ClampedFeatures(features=(FeatureAt(dictionary, 7, 3.0),))
    x = model.read(IDS, [SITE])[SITE]
    codes = dictionary.encode(x)
    value = (codes.values * (codes.indices == 7)).sum(-1, keepdim=True)
    moved = _moved(model, treatment, 2.0)
    torch.testing.assert_close(moved, (6.0 - value) * dictionary.decoder[7], rtol=1e-3, atol=1e-4)


def test_the_control_of_a_clamp_moves_each_token_as_far_in_another_direction(model: LanguageModel, dictionary: TopK):
    treatment = ClampedFeatures(features=(FeatureAt(dictionary, 7, 3.0), FeatureAt(dictionary, 9, 1.0)))
    one = ClampedFeatures(features=treatment.features[:1])
    moved, control = _moved(model, one, 2.0), _moved(model, one.random(4), 2.0)
    torch.testing.assert_close(moved.norm(dim=-1), control.norm(dim=-1), rtol=1e-3, atol=1e-4)
    assert float(torch.cosine_similarity(moved[0, 1], control[0, 1], dim=0)) < 0.7
    assert torch.equal(control, _moved(model, one.random(4), 2.0))
    assert len(treatment.random(4).edits(1.0)) == 2
    with pytest.raises(ValueError, match="at least one feature"):
        ClampedFeatures(features=())


@pytest.fixture
def vector(model: LanguageModel) -> SteeringVector:
    """At the last site, toward the unembedding of " cat" and away from that of " mom"."""
    rows = model.torch_model.get_submodule("lm_head").weight.detach()
    cat, mom = (model.tokenizer(text)["input_ids"][1] for text in (" cat", " mom"))
    return SteeringVector(direction=rows[cat] - rows[mom], site="resid_post.3")


def test_a_search_finds_the_planted_direction_within_the_divergence_allowed(model: LanguageModel, vector):
    treatments = {
        "planted": AddedVectors(vectors=(vector,)),
        "reversed": AddedVectors(vectors=(vector.reversed(),)),
        "random": AddedVectors(vectors=(vector.random(0),)),
    }
    unrelated = [Tokens.from_rows([[0, 70, 71, 72, 73, 74, 75, 76]])]
    score = Propensity(("cat",), ("mom",))
    config = SearchConfig(strengths=(0.5, 1.0, 60.0), divergence=0.8)
    tried = search(model, treatments, PROMPTS, score=score, unrelated=unrelated, config=config)
    assert tried[0].name == "planted"
    assert tried[0].strength == 1.0
    assert len(tried) == 9
    assert all((one.score is None) == (one.divergence > 0.8) for one in tried)
    assert tried[-1].score is None
    with pytest.raises(TymbalError, match="a strength whose divergence is at most 1e-06"):
        search(
            model, treatments, PROMPTS, score=score, unrelated=unrelated,
            config=SearchConfig(strengths=(1.0,), divergence=1e-6),
        )  # fmt: skip
