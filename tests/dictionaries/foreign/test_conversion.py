"""A dictionary written in another tool's layout and read back is the same function, or is refused; nothing is lost."""

import json
from pathlib import Path
from typing import get_args

import pytest
import torch
from layout import FEATURES, WIDTH, K, close, dense, made, rows
from safetensors.torch import load_file

from tymbal.cli.convert import Options
from tymbal.cli.convert import main as convert
from tymbal.dictionaries import (
    KINDS,
    BatchTopK,
    Dictionary,
    Ends,
    Gated,
    JumpReLU,
    Matryoshka,
    Part,
    ReLU,
    Target,
    TopK,
    convert_dictionary,
    load_dictionary,
)
from tymbal.dictionaries.conversion import TARGETS
from tymbal.dictionaries.ends import AUTOENCODER
from tymbal.errors import ArtifactError

ENDS = {
    "plain": AUTOENCODER,
    "transcoder": Ends(target=Target(width=WIDTH, site="mlp_out.2")),
    "narrower": Ends(target=Target(width=7, site="mlp_out.2")),
    "skip": Ends(target=Target(width=WIDTH, site="mlp_out.2", skip=True)),
    "crosscoder": Ends(parts=(Part(width=4), Part(width=8))),
    "layer_norm": Ends(row_norm="layer_norm"),
    "norm": Ends(row_norm="norm"),
}
ALL, THRESHOLDS = frozenset(KINDS), frozenset({"jumprelu", "batch_topk", "matryoshka"})
TRANSCODERS = ("transcoder", "narrower", "skip")
HELD = {
    "tymbal": dict.fromkeys(ENDS, ALL),
    "saelens": dict.fromkeys(("plain", "layer_norm", "norm"), ALL) | dict.fromkeys(TRANSCODERS, THRESHOLDS | {"relu"}),
    "dictionary_learning": {"plain": ALL},
    "sparsify": dict.fromkeys(("plain", "transcoder", "skip"), frozenset({"topk"})),
    "gemma_scope": dict.fromkeys(("plain", *TRANSCODERS), THRESHOLDS),
}
"""Which kinds each layout can hold, by what the dictionary reads and writes; the rest it must refuse."""


@pytest.mark.parametrize("to", TARGETS)
@pytest.mark.parametrize("ends", ENDS)
@pytest.mark.parametrize("kind", list(KINDS.values()), ids=list(KINDS))
def test_what_is_written_is_read_back_as_the_same_function_or_refused(
    tmp_path: Path, kind: type[Dictionary], ends: str, to: str
) -> None:
    dictionary, x = made(kind, ENDS[ends]), rows()
    dictionary.save(tmp_path / "own")
    if kind.kind not in HELD[to].get(ends, frozenset()):
        with pytest.raises(ArtifactError, match="name another format") as caught:
            convert_dictionary(tmp_path / "own", tmp_path / "new", to)
        assert "\n" not in str(caught.value)
        assert sorted(path.name for path in tmp_path.iterdir()) == ["own"]
        return
    convert_dictionary(tmp_path / "own", tmp_path / "new", to)
    back = load_dictionary(tmp_path / "new")
    assert torch.equal(dense(back, x) > 0, dense(dictionary, x) > 0)
    close(dense(back, x), dense(dictionary, x))
    close(back(x), dictionary(x))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["new", "own"]


@pytest.mark.parametrize("to", ["saelens", "dictionary_learning", "sparsify"])
def test_a_ranking_is_written_as_directions_of_free_norm(tmp_path: Path, to: str) -> None:
    dictionary, x = made(TopK, ranked=True), rows()
    dictionary.save(tmp_path / "own")
    convert_dictionary(tmp_path / "own", tmp_path / "new", to)
    back = load_dictionary(tmp_path / "new")
    assert torch.equal(dense(back, x) > 0, dense(dictionary, x) > 0)
    close(back(x), dictionary(x))


@pytest.mark.parametrize(
    ("kind", "to", "read_as"),
    [
        (BatchTopK, "saelens", "jumprelu"),
        (Matryoshka, "saelens", "jumprelu"),
        (BatchTopK, "gemma_scope", "jumprelu"),
        (Gated, "saelens", "gated"),
        (ReLU, "saelens", "relu"),
        (BatchTopK, "dictionary_learning", "batch_topk"),
        (Matryoshka, "dictionary_learning", "matryoshka"),
        (Gated, "dictionary_learning", "gated"),
        (TopK, "sparsify", "topk"),
    ],
)
def test_kind_k_site_and_model_come_along(tmp_path: Path, kind: type[Dictionary], to: str, read_as: str) -> None:
    made(kind).save(tmp_path / "own")
    convert_dictionary(tmp_path / "own", tmp_path / "new", to)
    back = load_dictionary(tmp_path / "new")
    assert back.kind == read_as
    if kind in (TopK, BatchTopK, Matryoshka) and to != "gemma_scope":
        assert back.k == K
    if to != "sparsify":  # which names neither
        assert (back.site, back.model) == ("resid_post.2", {"name": "pythia"})


def test_another_tools_dictionary_becomes_ours_with_a_note_of_its_files(tmp_path: Path) -> None:
    made(JumpReLU).save(tmp_path / "own")
    convert_dictionary(tmp_path / "own", tmp_path / "theirs", "saelens")
    convert_dictionary(tmp_path / "theirs", tmp_path / "again", "tymbal")
    config = json.loads((tmp_path / "again" / "config.json").read_text())
    assert set(config["converted_from"]) == {"cfg.json", "sae_weights.safetensors"}
    close(load_dictionary(tmp_path / "again")(rows()), load_dictionary(tmp_path / "own")(rows()))


def test_saelens_is_given_one_threshold_a_feature(tmp_path: Path) -> None:
    made(BatchTopK).save(tmp_path / "own")
    convert_dictionary(tmp_path / "own", tmp_path / "new", "saelens")
    threshold = load_file(tmp_path / "new" / "sae_weights.safetensors")["threshold"]
    assert torch.equal(threshold, torch.full((FEATURES,), 0.4))


def test_nothing_is_overwritten(tmp_path: Path) -> None:
    made(TopK).save(tmp_path / "own")
    (tmp_path / "new").mkdir()
    with pytest.raises(ArtifactError, match="nothing is overwritten"):
        convert_dictionary(tmp_path / "own", tmp_path / "new", "saelens")
    assert not list((tmp_path / "new").iterdir())


def test_a_conversion_that_was_killed_leaves_nothing_in_the_way(tmp_path: Path) -> None:
    made(TopK).save(tmp_path / "own")
    (tmp_path / "new.part").mkdir()
    (tmp_path / "new.part" / "half").touch()
    convert_dictionary(tmp_path / "own", tmp_path / "new", "sparsify")
    assert sorted(path.name for path in (tmp_path / "new").iterdir()) == ["cfg.json", "sae.safetensors"]


def test_an_unknown_layout_is_refused_with_the_known_ones(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="expected one of tymbal, saelens"):
        convert_dictionary(tmp_path, tmp_path / "new", "pickle")


def test_the_command_offers_every_layout_and_prints_where_the_result_lies(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert get_args(Options.__annotations__["to"]) == TARGETS
    made(TopK).save(tmp_path / "own")
    convert([str(tmp_path / "own"), str(tmp_path / "new"), "--to", "saelens"])
    assert capsys.readouterr().out == f"{tmp_path / 'new'}\n"
    assert load_dictionary(tmp_path / "new").kind == "topk"
