"""Names of sites."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tymbal.errors import ModelError
from tymbal.models import Site, SiteKind, parse_site

IN_BLOCK = [kind for kind in SiteKind if kind is not SiteKind.EMBED]


@given(st.sampled_from(IN_BLOCK), st.integers(0, 200))
def test_a_site_reads_back_from_its_name(kind: SiteKind, layer: int) -> None:
    site = Site(kind, layer)
    assert parse_site(str(site)) == site
    assert parse_site(f"blocks.{layer}.hook_{kind}") == site


@pytest.mark.parametrize(
    "name", ["model.layers.10", "transformer.h.10", "gpt_neox.layers.10", "encoder.layer.10", "bert.encoder.layer.10"]
)
def test_a_block_of_hugging_face_is_its_output(name: str) -> None:
    assert str(parse_site(name)) == "resid_post.10"


@pytest.mark.parametrize(
    "name",
    ["", "embed.0", "resid_post", "resid_post.", "resid_post.-1", "resid_post.1.2", "hook_embed", " embed", "mlp.1"],
)
def test_other_names_are_refused_with_the_known_kinds(name: str) -> None:
    with pytest.raises(ModelError) as error:
        parse_site(name)
    assert repr(name) in str(error.value)
    assert all(kind in str(error.value) for kind in SiteKind)
