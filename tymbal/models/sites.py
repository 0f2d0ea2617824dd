"""Sites: the places in a model whose activations can be read or edited, and their names.

A name is a kind and, but for `embed`, a block counted from 0: `resid_post.3`. Names known from elsewhere are mapped:
TransformerLens's `blocks.3.hook_resid_post`, and a Hugging Face block `model.layers.3`, whose output is `resid_post.3`.
TransformerLens's `hook_embed` is not mapped: there it leaves out position embeddings.
"""

import re
from enum import StrEnum
from typing import NamedTuple

from tymbal.errors import ModelError, listed


class SiteKind(StrEnum):
    """The kinds of site, in the order in which a forward pass meets them."""

    EMBED = "embed"
    """What enters the first block."""
    RESID_PRE = "resid_pre"
    """The residual stream before a block."""
    HEADS = "heads"
    """What each attention head reads out, side by side, before the output projection adds them up."""
    ATTN_OUT = "attn_out"
    """Exactly what attention adds to the residual stream."""
    MLP_OUT = "mlp_out"
    """Exactly what the MLP adds to the residual stream."""
    RESID_POST = "resid_post"
    """The residual stream after a block (for post-norm encoders the block's output)."""


class Site(NamedTuple):
    """A kind of site and the block it belongs to (None for `embed`)."""

    kind: SiteKind
    layer: int | None = None

    def __str__(self) -> str:
        return self.kind.value if self.layer is None else f"{self.kind.value}.{self.layer}"


_IN_BLOCK = "|".join(kind.value for kind in SiteKind if kind is not SiteKind.EMBED)
_OWN = re.compile(rf"({_IN_BLOCK})\.(\d+)")
_TRANSFORMER_LENS = re.compile(rf"blocks\.(\d+)\.hook_({_IN_BLOCK})")
_HUGGING_FACE = re.compile(
    r"(?:transformer\.h|h|gpt_neox\.layers|model\.layers|model\.language_model\.layers|layers|bert\.encoder\.layer|encoder\.layer)\.(\d+)"
)


def parse_site(name: str) -> Site:
    """The site of this name; raises `ModelError` for a name that no model has."""
    if name == SiteKind.EMBED:
        return Site(SiteKind.EMBED)
    if match := _OWN.fullmatch(name):
        return Site(SiteKind(match[1]), int(match[2]))
    if match := _TRANSFORMER_LENS.fullmatch(name):
        return Site(SiteKind(match[2]), int(match[1]))
    if match := _HUGGING_FACE.fullmatch(name):
        return Site(SiteKind.RESID_POST, int(match[1]))
    kinds = [kind if kind is SiteKind.EMBED else f"{kind}.L" for kind in SiteKind]
    raise ModelError(
        expected=f"a site: {listed(kinds)}", got=repr(name), do="name one of these with L a block counted from 0"
    )
