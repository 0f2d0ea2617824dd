"""What clamping a feature changes, on a tiny model: against changes computed by hand, and none where nothing moves."""

from pathlib import Path

import pytest

from tymbal.dictionaries import Dictionary
from tymbal.edits import Clamp, InfluenceConfig, influence
from tymbal.edits.where import AFTER_FIRST
from tymbal.errors import ModelError
from tymbal.models import LanguageModel, open_model

TEXTS = ["Once upon a time a little girl", "Lily saw a big red cat", "the cat was happy"]
CONFIG = InfluenceConfig(doses=(0.0, 1.0), randoms=3, promoted=4, tokens=4)


def test_the_change_of_promoted_tokens_is_that_of_the_clamped_model(
    model: LanguageModel, dictionary: Dictionary
) -> None:
    told = influence(model, dictionary, 3, TEXTS, maximum=5.0, beginning="Once", config=CONFIG)
    ids = model.output_directions(dictionary.decoder.detach()[[3]])[0].topk(4).indices
    changes = []
    for text in TEXTS:
        tokens = model.tokenize([text])
        plain = model.logits(tokens)[0, :-1].double().log_softmax(-1)
        with model.edited(Clamp(dictionary, feature=3, value=5.0, where=AFTER_FIRST)):
            moved = model.logits(tokens)[0, :-1].double().log_softmax(-1)
        changes.append(float((moved - plain)[:, ids].mean()))
    up = told.responses[1]
    assert up.promoted.value == pytest.approx(sum(changes) / len(changes), abs=1e-4)
    assert up.promoted.low <= up.promoted.value <= up.promoted.high
    assert up.kl.value > 0
    assert told.sample["texts"] == 3
    assert list(told.promoted) == model.token_text(ids.tolist())


def test_the_tokens_that_rise_rise_more_than_those_that_fall(model: LanguageModel, dictionary: Dictionary) -> None:
    told = influence(model, dictionary, 3, TEXTS, maximum=50.0, beginning="Once", config=CONFIG)
    assert all(change > 0 for _, change in told.rising)
    assert all(change < 0 for _, change in told.falling)
    assert [change for _, change in told.rising] == sorted((change for _, change in told.rising), reverse=True)


def test_a_beginning_is_continued_each_way(model: LanguageModel, dictionary: Dictionary) -> None:
    told = influence(model, dictionary, 3, TEXTS, maximum=50.0, beginning="Once upon", config=CONFIG)
    assert set(told.texts) == {"plain", "up", "at zero", "down"}
    assert told.texts["plain"] == model.generate("Once upon", max_new_tokens=4)[len("Once upon") :]


def test_what_cannot_be_measured_is_refused(
    model: LanguageModel, dictionary: Dictionary, tiny_bert_folder: Path
) -> None:
    with pytest.raises(ValueError, match="two texts"):
        influence(model, dictionary, 3, TEXTS[:1], maximum=5.0, beginning="Once")
    with pytest.raises(ValueError, match="that fires"):
        influence(model, dictionary, 3, TEXTS, maximum=0.0, beginning="Once")
    with pytest.raises(ModelError, match="a model that writes"):
        influence(open_model(tiny_bert_folder), dictionary, 3, TEXTS, maximum=5.0, beginning="Once")
    with pytest.raises(ValueError, match="1 among them"):
        InfluenceConfig(doses=(0.5,))
