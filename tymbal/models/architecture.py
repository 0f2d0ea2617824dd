"""Where things are in each architecture: a table, and nothing is guessed.

Read from the forward passes of transformers 5.23 (`transformers/models/*/modeling_*.py`) and checked by
`tests/models/test_architecture.py`, which adds up what the sites hold. To add an architecture: find the module whose
output enters the first block, the list of blocks, and in a block the modules whose outputs are added to the residual
stream (a norm after attention, or a dropout before the addition, belongs to what is added); then run the tests.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum, auto
from typing import Any, NamedTuple

import transformers
from torch import nn

from tymbal.errors import ModelError, listed


class Norm(Enum):
    """What the final norm does to a direction, up to the activation's scale."""

    LAYER = auto()
    """Centre it, multiply by the weight (LayerNorm)."""
    RMS = auto()
    """Multiply by the weight."""
    RMS_FROM_ONE = auto()
    """Multiply by one plus the weight (Gemma)."""


class Masks(Enum):
    """What an explicit attention mask must look like for the model to take it as given."""

    ONE = auto()
    """One mask for every block."""
    ONE_WINDOW = auto()
    """One mask for every block, cut to `config.sliding_window` where that is set."""
    BY_LAYER_TYPE = auto()
    """A dictionary of one full and one sliding mask."""


class Requirement(NamedTuple):
    """A field of the Hugging Face configuration, and the only value with which the table holds."""

    field: str
    value: Any


@dataclass(frozen=True, kw_only=True)
class Architecture:
    """Paths of modules: `backbone` and `unembedding` from the model, `heads`, `attn_out` and `mlp_out` from a block,
    others from the backbone.
    """

    model_type: str
    """The name in `config.json`."""
    backbone: str
    """The model without its head; empty where the model has none."""
    embed: str
    """The module whose output enters the first block."""
    blocks: str
    """The list of blocks."""
    heads: str
    """The module that turns the heads' outputs, side by side, into what attention adds."""
    attn_out: str
    """The module whose output is what attention adds to the residual stream."""
    mlp_out: str
    """The module whose output is what the MLP adds to the residual stream."""
    final_norm: str | None
    """The norm before the unembedding; None for an encoder."""
    unembedding: str | None
    """From the residual stream to logits; None for an encoder."""
    norm: Norm
    """What the final norm does to a direction."""
    masks: Masks = Masks.ONE
    """How packed passages are kept apart."""
    attention: tuple[str, ...] = ("sdpa", "eager")
    """Attention implementations whose masks are known; the first is the default."""
    requires: tuple[Requirement, ...] = ()
    """Variants that the table does not describe are refused."""

    @property
    def causal(self) -> bool:
        """Whether it predicts the next token; an encoder reads only."""
        return self.unembedding is not None


def _like_llama(model_type: str, **differences: Any) -> Architecture:
    fields: dict[str, Any] = {
        "backbone": "model",
        "embed": "embed_tokens",
        "blocks": "layers",
        "heads": "self_attn.o_proj",
        "attn_out": "self_attn",
        "mlp_out": "mlp",
        "final_norm": "norm",
        "unembedding": "lm_head",
        "norm": Norm.RMS,
    }
    return Architecture(model_type=model_type, **(fields | differences))


_POST_NORM = {"attn_out": "post_attention_layernorm", "mlp_out": "post_feedforward_layernorm"}
_GEMMA = {**_POST_NORM, "norm": Norm.RMS_FROM_ONE, "masks": Masks.BY_LAYER_TYPE}
_ONE_WAY = (Requirement("use_bidirectional_attention", False),)

ARCHITECTURES: Mapping[str, Architecture] = {
    architecture.model_type: architecture
    for architecture in (
        Architecture(
            model_type="gpt2",
            backbone="transformer",
            embed="drop",
            blocks="h",
            heads="attn.c_proj",
            attn_out="attn",
            mlp_out="mlp",
            final_norm="ln_f",
            unembedding="lm_head",
            norm=Norm.LAYER,
            requires=(Requirement("add_cross_attention", False),),
        ),
        Architecture(
            model_type="gpt_neox",
            backbone="gpt_neox",
            embed="emb_dropout",
            blocks="layers",
            heads="attention.dense",
            attn_out="post_attention_dropout",
            mlp_out="post_mlp_dropout",
            final_norm="final_layer_norm",
            unembedding="lm_head",
            norm=Norm.LAYER,
        ),
        _like_llama("llama"),
        _like_llama("mistral", masks=Masks.ONE_WINDOW),
        _like_llama("qwen2", masks=Masks.BY_LAYER_TYPE),
        _like_llama("qwen3", masks=Masks.BY_LAYER_TYPE),
        # Attention logits are soft-capped, which transformers computes in eager attention only.
        _like_llama("gemma2", **_GEMMA, attention=("eager",)),
        _like_llama("gemma3_text", **_GEMMA, requires=_ONE_WAY),
        _like_llama("gemma3", **_GEMMA, requires=_ONE_WAY, backbone="model.language_model"),
        _like_llama("phi3", attn_out="resid_attn_dropout", mlp_out="resid_mlp_dropout", masks=Masks.ONE_WINDOW),
        _like_llama("olmo2", **_POST_NORM),
        Architecture(
            model_type="bert",
            backbone="",
            embed="embeddings",
            blocks="encoder.layer",
            heads="attention.output.dense",
            attn_out="attention.output.dropout",
            mlp_out="output.dropout",
            final_norm=None,
            unembedding=None,
            norm=Norm.LAYER,
            requires=(
                Requirement("is_decoder", False),
                Requirement("add_cross_attention", False),
                Requirement("chunk_size_feed_forward", 0),
            ),
        ),
    )
}


def architecture_of(config: Mapping[str, Any]) -> Architecture:
    """The architecture of a `config.json`; raises `ModelError` for one that is not in the table."""
    model_type = config.get("model_type")
    if not isinstance(model_type, str) or model_type not in ARCHITECTURES:
        raise ModelError(
            expected=f"a model_type among {listed(ARCHITECTURES)}",
            got=repr(model_type),
            do="open a model of one of these architectures",
        )
    architecture = ARCHITECTURES[model_type]
    text_config = config.get("text_config", config)
    for field, value in architecture.requires:
        if (given := text_config.get(field, value)) not in (value, None):
            raise ModelError(
                expected=f"{field} {value!r} in the config of a {model_type} model",
                got=repr(given),
                do="open a model without this variant",
            )
    return architecture


def submodule(root: nn.Module, architecture: Architecture, path: str) -> Any:
    """The module at this path of the table; raises `ModelError` where this version of transformers has none."""
    try:
        return root.get_submodule(path)
    except AttributeError as error:
        raise ModelError(
            expected=f"a module {path!r} in a {architecture.model_type} model",
            got=f"none in transformers {transformers.__version__}",
            do="install the version named in constraints.txt",
        ) from error
