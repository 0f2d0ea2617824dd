"""What a dictionary reads and writes: refused where it cannot be meant, and back from its folder."""

from pathlib import Path

import pytest
import torch

from tymbal.dictionaries import KINDS, Dictionary, Ends, Part, Target, load_dictionary

PARTS = (Part(width=4, site="resid_post.1", model={"name": "a"}), Part(width=6, site="resid_post.1"))
ENDS = [
    Ends(),
    Ends(target=Target(width=5, site="mlp_out.2", skip=True)),
    Ends(target=Target(width=5)),
    Ends(parts=PARTS),
    Ends(row_norm="layer_norm"),
    Ends(row_norm="norm"),
]


@pytest.mark.parametrize("kind", list(KINDS.values()))
@pytest.mark.parametrize("ends", ENDS)
def test_ends_come_back_from_the_folder(tmp_path: Path, kind: type[Dictionary], ends: Ends) -> None:
    dictionary = kind(10, 20, 3, ends=ends)
    for parameter in dictionary.parameters():
        torch.nn.init.normal_(parameter)
    dictionary.save(tmp_path)
    loaded = load_dictionary(tmp_path)
    assert type(loaded) is kind
    assert loaded.ends == ends
    assert loaded.config() == dictionary.config()
    x = torch.randn(9, 10)
    assert torch.equal(loaded(x), dictionary(x).detach())


def test_a_configuration_from_before_there_were_ends_is_an_autoencoder() -> None:
    assert Ends.from_json({"kind": "topk", "width": 10}) == Ends()


def test_parts_must_make_up_the_width() -> None:
    with pytest.raises(ValueError, match=r"expected parts that make up the width 11; got \[4, 6\]"):
        KINDS["relu"](11, 20, ends=Ends(parts=PARTS))


def test_ends_that_exclude_each_other_are_refused() -> None:
    with pytest.raises(ValueError, match="got more than one"):
        Ends(parts=PARTS, row_norm="norm")
    with pytest.raises(ValueError, match="at least two parts"):
        Ends(parts=PARTS[:1])
