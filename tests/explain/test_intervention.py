"""Clamping features of which the next token is said: planted directions that do what is said, or the opposite."""

import random

import pytest
import torch

from tymbal.atlas import AtlasConfig, build_atlas
from tymbal.corpora import CutConfig, Document, PassageStore, cut
from tymbal.dictionaries import TopK
from tymbal.dictionaries.baselines import random_dictionary
from tymbal.errors import ModelError
from tymbal.explain import InterventionConfig, Subject, intervene
from tymbal.explain.intervention import next_tokens
from tymbal.models import open_model

SITE = "resid_post.1"
TEXT = "once upon a time a little girl named lily saw a big red cat and the cat was happy and she ran home"
WORDS = TEXT.split()
CONFIG = InterventionConfig(passages=6, length=24, draws=50)
SAID, DENIED, SILENT = 0, 1, 2


@pytest.fixture(scope="module")
def subject(tiny_llama_folder, tmp_path_factory):
    """A dictionary whose first feature writes along a token's unembedding and whose second writes against it."""
    folder = tmp_path_factory.mktemp("subject")
    model = open_model(str(tiny_llama_folder))
    draw = random.Random(0)
    documents = (Document(" ".join(draw.choices(WORDS, k=40)), source="words") for _ in range(60))
    cut(documents, model.tokenizer, CutConfig(length=64, heldout=1.0), folder / "corpus")
    store = PassageStore.open(folder / "corpus")
    rows = model.read(model.tokenize([TEXT] * 4), [SITE])[SITE].flatten(0, 1)
    dictionary = random_dictionary(TopK(model.width, 12, 6, site=SITE), rows, seed=3)
    directions = model.output_directions(torch.eye(model.width))
    towards = torch.nn.functional.normalize(directions[:, promoted(model)] - directions.mean(1), dim=0)
    with torch.no_grad():
        dictionary.decoder[SAID], dictionary.decoder[DENIED] = towards, -towards
    atlas = build_atlas(dictionary, model, SITE, store, folder / "atlas", AtlasConfig(layout="pca"))
    yield Subject(atlas=atlas, dictionary=dictionary, model=model, store=store)
    atlas.close()


def promoted(model) -> int:
    """The entry of the vocabulary whose token is said to follow."""
    return int(model.tokenize([TEXT]).ids[0, 3])


def said(subject) -> list[dict]:
    """The same explanation of two features that do the opposite, and one that says nothing of the next token."""
    token = subject.model.token_text([promoted(subject.model)])[0]
    says = f'["next token", "{token}"]'
    return [
        {"feature": SAID, "text": "said", "predicate": says},
        {"feature": DENIED, "text": "denied", "predicate": says},
        {"feature": SILENT, "text": "other", "predicate": '["shape", "digits"]'},
    ]


def test_a_feature_that_does_what_is_said_passes_and_one_that_does_the_opposite_fails(subject, tmp_path):
    made = intervene(subject, said(subject), tmp_path / "out", CONFIG)
    rows = made.by_feature("intervention")
    assert set(rows) == {SAID, DENIED}
    assert rows[SAID]["effect"] > 0 > rows[DENIED]["effect"]
    assert rows[SAID]["raised"] > 0.9
    assert rows[DENIED]["raised"] < 0.1
    assert rows[SAID]["raised_low"] <= rows[SAID]["raised"] <= rows[SAID]["raised_high"]
    assert made.summary["above_control"] == 1


def test_a_finished_folder_is_opened_as_it_is(subject, tmp_path):
    first = intervene(subject, said(subject), tmp_path / "out", CONFIG)
    assert intervene(subject, said(subject), tmp_path / "out", CONFIG).rows("intervention") == first.rows(
        "intervention"
    )


def test_an_encoder_is_refused(subject, tiny_bert_folder, tmp_path):
    encoder = open_model(str(tiny_bert_folder))
    other = Subject(atlas=subject.atlas, dictionary=subject.dictionary, model=encoder, store=subject.store)
    with pytest.raises(ModelError, match="next token"):
        intervene(other, said(subject), tmp_path / "out", CONFIG)


def test_the_next_token_is_found_on_either_side_of_a_conjunction():
    assert next_tokens('["and", ["token", " a"], ["next token", " b", " c"]]') == (" b", " c")
    assert next_tokens('["token", " a"]') == ()
    assert next_tokens(None) == ()
