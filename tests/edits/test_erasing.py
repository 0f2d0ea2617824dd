"""Erasing a concept from a model: certified on held-out texts, and refused at another site or in another model."""

import json
import random
from pathlib import Path

import pytest
import torch

from tymbal.cli import main
from tymbal.edits import Erase, Eraser, EraserFitter, ErasureConfig, erase, load_eraser
from tymbal.errors import ModelError
from tymbal.models import LanguageModel, open_model
from tymbal.probes import Example, LabelledTexts

WORDS = ["Lily", "saw", "big", "red", "happy", "girl", "time", "named", "home", "her"]


def _texts(count: int) -> LabelledTexts:
    """Texts of random words that end on one of two."""
    drawn = random.Random(0)
    examples = []
    for number in range(count):
        label = ("cat", "mom")[number % 2]
        text = " ".join([*drawn.choices(WORDS, k=drawn.randint(3, 7)), label])
        examples.append(Example(text, 0, len(text), label, text, ""))
    return LabelledTexts(name="last word", examples=tuple(examples))


def test_a_concept_is_erased_certified_and_saved(model: LanguageModel, tmp_path):
    config = ErasureConfig(site="resid_post.0", pooling="last", margin=0.1, held_out=0.3)
    erasure = erase(model, _texts(1000), config)
    certificate = erasure.certificate
    assert certificate.before.low > 0.9
    assert certificate.linear.near_chance(0.1)
    assert certificate.loss_change is not None
    erasure.save(tmp_path)
    told = json.loads((tmp_path / "certificate.json").read_text(encoding="utf-8"))
    assert told["site"] == "resid_post.0"
    assert told["certificate"]["linear"][0] == certificate.linear.value
    again = load_eraser(tmp_path / "eraser")
    assert again.record.site == "resid_post.0"
    assert again.record.model["weights_sha256"] == model.identity["weights_sha256"]
    x = torch.randn(4, 32)
    assert torch.equal(again(x), erasure.eraser(x))


@pytest.fixture
def eraser(model: LanguageModel) -> Eraser:
    x = torch.randn(400, 32, generator=torch.Generator().manual_seed(0))
    labels = torch.arange(400) % 2
    return EraserFitter(32, 2, site="blocks.1.hook_resid_post", model=model).update(x, labels).fit()


def test_an_eraser_of_another_site_or_model_is_refused_in_one_line(model: LanguageModel, eraser: Eraser, tmp_path):
    with model.edited(Erase(eraser, site="resid_post.1")):
        pass
    with pytest.raises(ModelError, match=r"the site of the eraser, resid_post\.1; got resid_post\.2"):
        model.edited(Erase(eraser, site="resid_post.2")).__enter__()
    with torch.no_grad():
        model.torch_model.save_pretrained(tmp_path)
        model.tokenizer.save_pretrained(tmp_path)
    other = open_model(tmp_path)  # the fixture's weights, which are not those of its folder
    with pytest.raises(ModelError, match="whose weights_sha256 differs"):
        other.edited(Erase(eraser, site="resid_post.1")).__enter__()


def test_an_eraser_that_records_nothing_fits_any_site_of_its_width(model: LanguageModel):
    x, labels = torch.randn(400, 32), torch.arange(400) % 2
    plain = EraserFitter(32, 2).update(x, labels).fit()
    for site in ("resid_post.0", "mlp_out.2"):
        with model.edited(Erase(plain, site=site)):
            pass


def test_erase_from_the_command_line(tiny_llama_folder: Path, tmp_path, capsys):
    labels = tmp_path / "labels.csv"
    rows = [f"{example.text},{example.label}" for example in _texts(800).examples]
    labels.write_text("\n".join(["text,label", *rows]) + "\n", encoding="utf-8")
    given = ["--labels", str(labels), "--site", "resid_post.1", "--pooling", "last", "--margin", "0.1"]
    out = tmp_path / "out"
    assert main(["erase", str(tiny_llama_folder), *given, "--out", str(out)]) == 0
    printed = capsys.readouterr().out
    assert "linear probe after" in printed
    assert (out / "certificate.txt").read_text(encoding="utf-8") in printed
    with pytest.raises(SystemExit):
        main(["erase", str(tiny_llama_folder)])
