"""Dose and response on a model whose answer to a vector is known; side effects; the token-bias baseline."""

import math

import pytest
import torch

from tymbal.edits import (
    DoseConfig,
    Propensity,
    SteeringVector,
    as_rows,
    biased,
    carries,
    dose_response,
    draw_response,
    of_divergence,
    side_effects,
    token_bias,
    word_bias,
)
from tymbal.edits.doses import BIAS, PROMPT, RANDOM, STEERED, WORDS, repetition
from tymbal.models import LanguageModel, Tokens

PROMPTS = ["Once upon a time", "Lily saw", "The cat was", "a big red", "Lily ran home to"]


def _unrelated() -> list[Tokens]:
    generator = torch.Generator().manual_seed(0)
    return [Tokens.from_rows(torch.randint(3, 300, (4, 12), generator=generator).tolist())]


@pytest.fixture
def vector(model: LanguageModel) -> SteeringVector:
    """At the last site, toward the unembedding of " cat" and away from that of " mom": raises one over the other."""
    rows = model.torch_model.get_submodule("lm_head").weight.detach()
    cat, mom = (model.tokenizer(text)["input_ids"][1] for text in (" cat", " mom"))
    return SteeringVector(direction=rows[cat] - rows[mom], site="resid_post.3", model=model.identity)


def test_the_response_to_a_vector_of_the_unembedding_rises_with_the_dose(model: LanguageModel, vector, tmp_path):
    score = Propensity(("cat",), ("mom",))
    config = DoseConfig(strengths=(-1.0, 1.0, 3.0), tokens=6, randoms=2)
    words = word_bias(model, ["cat cat"], ["mom mom"])
    response = dose_response(
        model, vector, PROMPTS, score=score, unrelated=_unrelated(), config=config, lead="cat", words=words
    )
    values = [dose.score.value for dose in response.of(STEERED)]
    assert [dose.strength for dose in response.of(STEERED)] == [-1, 0, 1, 3]
    assert values == sorted(values)
    assert all(dose.score.low <= dose.score.value <= dose.score.high for dose in response.doses)
    strongest, plain = response.of(STEERED)[-1], response.of(STEERED)[1]
    assert strongest.wrong.value == 0
    assert plain.effects.kl == pytest.approx(0, abs=1e-9)
    assert strongest.effects.kl > 0.01
    control = response.of(RANDOM)[-1]
    assert abs(control.score.value - plain.score.value) < 0.5 * abs(strongest.score.value - plain.score.value)
    for system in (BIAS, WORDS):
        bias = response.of(system)[-1]
        assert bias.score.value > plain.score.value
        assert bias.effects.kl == pytest.approx(strongest.effects.kl, rel=0.02)
    assert response.of(PROMPT)[0].texts[0].startswith("cat Once upon a time")
    assert all(text.startswith(prompt) for text, prompt in zip(strongest.texts, PROMPTS, strict=True))
    draw_response(response, tmp_path / "response.svg")
    assert "<svg" in (tmp_path / "response.svg").read_text(encoding="utf-8")
    assert len(as_rows(response)) == len(response.doses)


def test_prompts_that_move_the_wrong_way_are_counted(model: LanguageModel, vector):
    turned = SteeringVector(direction=-vector.direction, site=vector.site)
    response = dose_response(
        model,
        turned,
        PROMPTS,
        score=Propensity(("cat",), ("mom",)),
        unrelated=_unrelated(),
        config=DoseConfig(strengths=(3.0,), tokens=2, randoms=1),
    )
    assert response.of(STEERED)[-1].wrong.value == 1


def test_propensity_is_the_difference_of_log_probabilities(model: LanguageModel):
    def log_probability(text: str) -> float:
        ids = model.tokenize([text]).ids
        logs = model.logits(ids)[0, :-1].log_softmax(-1)
        return float(logs.gather(-1, ids[0, 1:].unsqueeze(-1)).sum())

    found = Propensity(("cat", "red cat"), ("mom",))(model, PROMPTS[:2])
    for value, prompt in zip(found.tolist(), PROMPTS[:2], strict=True):
        toward = [log_probability(f"{prompt} {text}") for text in ("cat", "red cat")]
        assert value == pytest.approx(sum(toward) / 2 - log_probability(f"{prompt} mom"), abs=1e-3)


def test_side_effects_are_loss_and_divergence_over_real_tokens(model: LanguageModel, vector):
    batch = Tokens.from_rows([[0, 70, 71, 72], [0, 80]])
    found = side_effects(model, [batch], vector.steer(2.0))
    plain = model.logits(batch).log_softmax(-1)
    with model.edited(vector.steer(2.0)):
        edited = model.logits(batch).log_softmax(-1)
    places = [(0, 0, 70), (0, 1, 71), (0, 2, 72), (1, 0, 80)]
    assert found.tokens == 4
    assert found.loss == pytest.approx(-sum(float(edited[row, at, token]) for row, at, token in places) / 4, abs=1e-5)
    kl = sum(float((edited[r, a].exp() * (edited[r, a] - plain[r, a])).sum()) for r, a, _ in places) / 4
    assert found.kl == pytest.approx(kl, abs=1e-5)


def test_a_token_bias_stands_in_fully_for_an_edit_that_is_one(model: LanguageModel):
    ids = torch.tensor([[0, 70, 71, 72]])
    bias = torch.zeros(model.vocabulary)
    bias[85] = 2.0
    plain = model.logits(ids)
    with biased(model, bias):
        assert torch.equal(model.logits(ids), plain + bias)
        assert model.generate("Lily", max_new_tokens=2)
    assert torch.equal(model.logits(ids), plain)


def test_the_bias_of_an_edit_is_its_mean_change_of_log_probabilities(model: LanguageModel, vector):
    batches = _unrelated()
    bias = token_bias(model, batches, vector.steer(1.0))
    plain = model.logits(batches[0]).log_softmax(-1)
    with model.edited(vector.steer(1.0)):
        change = model.logits(batches[0]).log_softmax(-1) - plain
    torch.testing.assert_close(bias, change.reshape(-1, model.vocabulary).mean(0), rtol=1e-3, atol=1e-3)


def test_a_bias_is_scaled_to_the_divergence_asked_for(model: LanguageModel):
    batches = _unrelated()
    bias = torch.randn(model.vocabulary, generator=torch.Generator().manual_seed(1))
    for divergence in (0.01, 0.3):
        scaled = of_divergence(model, batches, bias, divergence)
        assert torch.allclose(scaled / scaled.norm(), bias / bias.norm(), atol=1e-5)
        plain = model.logits(batches[0])[:, :-1].log_softmax(-1)
        with biased(model, scaled):
            changed = model.logits(batches[0])[:, :-1].log_softmax(-1)
        assert float((changed.exp() * (changed - plain)).sum(-1).mean()) == pytest.approx(divergence, rel=0.01)


def test_a_word_bias_raises_the_words_of_the_wanted_texts(model: LanguageModel):
    bias = word_bias(model, ["a cat", "big cat"], ["a Lily", "big Lily"])
    cat, lily, big = (model.tokenizer(text)["input_ids"][-1] for text in (" cat", " Lily", " big"))
    assert float(bias[cat]) == pytest.approx(math.log(3), abs=1e-5)  # 2 + 1 against 0 + 1, of as many tokens
    assert float(bias[lily]) == pytest.approx(-math.log(3), abs=1e-5)
    assert float(bias[big]) == pytest.approx(0, abs=1e-6)


def test_an_edit_that_does_nothing_moves_no_prompt_the_wrong_way(model: LanguageModel):
    class Nothing:
        made, unit = "nothing", "of it"

        def edits(self, strength):
            del strength
            return []

        def random(self, seed):
            del seed
            return self

    response = dose_response(
        model,
        Nothing(),
        PROMPTS,
        score=Propensity(("cat",), ("mom",)),
        unrelated=[],
        config=DoseConfig(strengths=(1.0,), tokens=2, randoms=1),
    )
    plain, dose = response.of(STEERED)
    assert dose.wrong.value == 0
    assert dose.score.value == pytest.approx(plain.score.value)
    assert not response.of(BIAS)


def test_repetition_counts_sequences_that_stood_before():
    assert repetition("a b c d e f") == 0
    assert math.isclose(repetition("a b c d a b c d"), 1 / 5)
    assert repetition("so so so so so so so") == 0.75
    assert repetition("short") == 0


def test_the_worlds_parser_counts_what_a_text_carries():
    from tymbal.corpora.world import generate_world

    world = generate_world(0)
    german = world.document(3, language="de", form="letter").text
    assert carries(world, "language.de")(german)
    assert carries(world, "form.letter")(german)
    assert not carries(world, "language.en")(german)
    assert not carries(world, "language.de")("Es war einmal ein Schuh.")
