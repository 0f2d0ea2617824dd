"""The causal score on a model whose use of a direction is planted; behaviours as exact functions of logits."""

from pathlib import Path

import pytest
import torch

from tests.edits.planted_model import planted_model, token
from tymbal.edits import (
    AnswerOdds,
    CausalConfig,
    SpanLikelihood,
    SteeringVector,
    behaviour,
    causal_score,
    draw_causal,
    probe_vector,
)
from tymbal.errors import TymbalError
from tymbal.models import LanguageModel
from tymbal.probes import Classes, Example, LabelledTexts, MeanDifference, Pooling, read

SITE = "resid_post.3"
BEFORE = ["The", "saw", "a big", "Once upon a time", "happy", "her", "named", "a red", "home to", "The big"]
PROMPTS = [f"{before} {word}" for before in BEFORE for word in ("cat", "Lily")]
ODDS = AnswerOdds(answers=[(" a", " t")] * len(PROMPTS))


def _probe(model: LanguageModel) -> SteeringVector:
    """The direction of a probe of which word was read last."""
    examples = tuple(Example(text, 0, len(text), text.split()[-1], text, "") for text in PROMPTS)
    found = read(model, LabelledTexts(name="word", examples=examples), [SITE], Pooling.LAST)
    assert isinstance(found.target, Classes)
    probe = MeanDifference().fit(found.activations[SITE], found.target, found.groups)
    scores = probe.scores(found.activations[SITE])[:, 0]
    assert bool(((scores > 0) == (found.target.ids == 1)).all())  # perfectly decodable
    # Classes stand in the order of their names, "Lily" before "cat", which the planted direction leads to.
    return probe_vector(probe, site=SITE)


def test_a_direction_that_the_unembedding_reads_has_a_causal_score(tiny_llama_folder: Path, tmp_path):
    model, direction = planted_model(tiny_llama_folder, used=True)
    vector = SteeringVector(direction=direction, site=SITE)
    score = causal_score(model, vector, PROMPTS, score=ODDS)
    assert score.slope.low > 0
    assert score.times_random > 3
    assert score.p_value == pytest.approx(1 / 17)
    assert score.wrong.value == 0
    doses = [response.moved.value for response in score.responses]
    assert [response.dose for response in score.responses] == [-0.2, -0.1, 0, 0.1, 0.2]
    assert doses == sorted(doses)
    backwards = causal_score(model, vector.reversed(), PROMPTS, score=ODDS)
    assert backwards.slope.value == pytest.approx(-score.slope.value)
    assert backwards.wrong.value == 1
    draw_causal(score, "planted", tmp_path / "causal.svg")
    assert "<svg" in (tmp_path / "causal.svg").read_text(encoding="utf-8")
    assert "times random directions'" in str(score)
    assert score.as_json()["p_value"] == score.p_value


def test_a_probes_own_direction_scores_where_it_is_used(tiny_llama_folder: Path):
    model, direction = planted_model(tiny_llama_folder, used=True)
    vector = _probe(model)
    assert float(torch.cosine_similarity(vector.direction, direction, dim=0)) > 0.7
    assert causal_score(model, vector, PROMPTS, score=ODDS).times_random > 2


def test_a_direction_that_is_decodable_but_unused_scores_nothing(tiny_llama_folder: Path):
    model, direction = planted_model(tiny_llama_folder, used=False)
    assert float(torch.cosine_similarity(_probe(model).direction, direction, dim=0)) > 0.7
    score = causal_score(model, SteeringVector(direction=direction, site=SITE), PROMPTS, score=ODDS)
    assert abs(score.times_random) < 0.3
    assert score.p_value > 0.5


def test_intervals_draw_whole_groups(tiny_llama_folder: Path):
    model, direction = planted_model(tiny_llama_folder, used=True)
    vector = SteeringVector(direction=direction, site=SITE)
    config = CausalConfig(randoms=1, doses=(0.1,))
    prompts = [prompt for prompt in PROMPTS[:6] for _ in range(8)]
    odds = AnswerOdds(answers=[(" a", " t")] * len(prompts))
    alone = causal_score(model, vector, prompts, score=odds, config=config).slope
    groups = torch.arange(6).repeat_interleave(8)
    grouped = causal_score(model, vector, prompts, score=odds, config=config, groups=groups).slope
    assert grouped.value == pytest.approx(alone.value)
    assert grouped.high - grouped.low > 1.5 * (alone.high - alone.low)


def test_answer_odds_are_differences_of_log_probabilities(model: LanguageModel):
    found = AnswerOdds(answers=[(" cat", " Lily"), (" Lily", " cat")])(model, ["Lily saw", "The"])
    for value, prompt, (yes, no) in zip(
        found, ["Lily saw", "The"], [(" cat", " Lily"), (" Lily", " cat")], strict=True
    ):
        logits = model.logits(model.tokenize([prompt]).ids)[0, -1]
        assert float(value) == pytest.approx(float(logits[token(model, yes)] - logits[token(model, no)]), abs=1e-3)


def test_the_likelihood_of_a_span_counts_its_tokens_alone(model: LanguageModel):
    text = "Lily saw a big red cat"
    start = text.index("big")
    ids = model.tokenize([text]).ids
    logs = model.logits(ids)[0, :-1].log_softmax(-1).gather(-1, ids[0, 1:, None])[:, 0]
    head = len(model.tokenizer(text[: start - 1])["input_ids"])
    score = SpanLikelihood(spans=[(start, start + 7)], weights=[-2.0])
    tail = len(model.tokenizer(text[: start + 7])["input_ids"])
    assert float(score(model, [text])[0]) == pytest.approx(-2 * float(logs[head - 1 : tail - 1].sum()), abs=1e-3)
    led = SpanLikelihood(spans=[(0, len(text))], weights=[1.0])(model, [text], lead="The cat. ")
    assert float(led[0]) < 0


def test_both_sides_of_a_concept_weigh_the_same():
    examples = [Example("a letter", 0, 8, label, "", "") for label in ("warm", "curt", "curt", "sad")]
    found = behaviour("tone", examples, "warm")
    assert found.weights == pytest.approx([2, -2 / 3, -2 / 3, -2 / 3])
    with pytest.raises(TymbalError, match="got 0 of 4"):
        behaviour("tone", examples, "angry")
    with pytest.raises(TymbalError, match="a concept that shows in what is said"):
        behaviour("town.position", examples, "x")


def test_a_verdict_is_answered_in_the_language_of_the_question():
    from tymbal.corpora.world import generate_world
    from tymbal.probes import statements

    texts = statements(generate_world(0), examples=4, languages=("en", "de", "fr", "es"), asked=True)["true"]
    found = behaviour("verdict.true", texts.examples, "true")
    assert list(found.answers) == [(" true", " false"), (" wahr", " falsch"), (" vrai", " faux"), (" verdad", " falso")]
    turned = behaviour("verdict.true", texts.examples, "false")
    assert list(turned.answers) == [pair[::-1] for pair in found.answers]


def test_doses_and_prompts_that_say_nothing_are_refused(model: LanguageModel):
    with pytest.raises(ValueError, match="doses above 0"):
        CausalConfig(doses=(0.0,))
    with pytest.raises(ValueError, match="at least two prompts"):
        causal_score(model, SteeringVector(direction=torch.ones(32), site=SITE), ["one"], score=ODDS)
