import builtins
from typing import Any

import numpy as np
import pytest
import torch

from tymbal.atlas.map import lay_out


def _families(*, each: int, families: int, width: int = 32) -> torch.Tensor:
    generator = torch.Generator().manual_seed(0)
    centres = torch.randn(families, width, generator=generator)
    return (centres.repeat_interleave(each, 0) + 0.1 * torch.randn(each * families, width, generator=generator)).float()


def test_umap_gives_the_same_bits_twice_and_families_become_clusters() -> None:
    directions = _families(each=30, families=4)
    one, two = lay_out(directions, "umap", 0), lay_out(directions, "umap", 0)
    assert one.method == "UMAP"
    np.testing.assert_array_equal(one.places, two.places)
    np.testing.assert_array_equal(one.clusters, two.clusters)
    families = np.repeat(np.arange(4), 30)
    for family in range(4):
        mine = one.clusters[families == family]
        assert len(set(mine[mine >= 0].tolist())) == 1
    assert len(set(one.clusters[one.clusters >= 0].tolist())) == 4


def test_without_umap_principal_components_lay_out_the_map_and_say_so(monkeypatch: pytest.MonkeyPatch) -> None:
    real = builtins.__import__

    def without_umap(name: str, *rest: Any, **named: Any) -> Any:
        if name.split(".")[0] == "umap":
            raise ImportError(name)
        return real(name, *rest, **named)

    monkeypatch.setattr(builtins, "__import__", without_umap)
    found = lay_out(_families(each=20, families=3), "umap", 0)
    assert found.method == "PCA, as umap-learn is not installed"
    np.testing.assert_array_equal(found.places, lay_out(_families(each=20, families=3), "pca", 0).places)


@pytest.mark.parametrize("features", [0, 1, 2, 5])
def test_few_features_have_a_map(features: int) -> None:
    found = lay_out(torch.randn(features, 8), "umap", 0)
    assert found.places.shape == (features, 2)
    assert np.isfinite(found.places).all()
    assert (found.clusters == -1).all()


def test_the_map_of_one_dimension_is_a_line() -> None:
    found = lay_out(torch.tensor([[1.0], [-1.0], [1.0]]), "pca", 0)
    assert (found.places[:, 1] == 0).all()
