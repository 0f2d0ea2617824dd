"""What a study asks for.

`StudyConfig` is what the user says. What is left open there (`None`) is filled in by `completed` from the model's
width, depth and context (DESIGN.md, "Study defaults"); the completed config is what `study.json` holds.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

from tymbal.errors import ModelError

if TYPE_CHECKING:
    from tymbal.models import LanguageModel

BUNDLED = "bundled"
"""The name of the model and of the corpus that come with Tymbal."""
BUNDLED_TOKENS = 1_500_000
"""tokens of the bundled corpus, which has no end, unless others are asked for"""
PASSAGE_TOKENS = 2_048
NARROW = 256


@dataclass(frozen=True, kw_only=True)
class StudyConfig:
    """What is asked of the model and the corpus."""

    site: str | None = None
    """where to read, such as resid_post.3, the residual stream after block 3; None: after the middle block"""
    features: int | None = None
    """features of the dictionary; None: the power of two nearest 10 times the model's width"""
    k: int | None = None
    """features active on a token; None: 32, or 16 where the width is below 256"""
    kind: Literal["batch_topk", "topk", "matryoshka", "jumprelu", "gated", "relu"] = "batch_topk"
    """topk: k active features on every token; the others: k on average"""
    epochs: float | None = None
    """times that training goes through the activations; None: what suits their number"""
    tokens: int | None = None
    """tokens of the corpus to use; None: all of it, up to 5 million, or 1.5 million of the bundled one"""
    passage_tokens: int | None = None
    """tokens a passage, special ones included; None: the model's context, 2048 at most"""
    separator: str | None = None
    r"""regular expression between the documents of a .txt file, such as '(?<!\n)\n(?!\n)' where a lone newline
    separates stories; None: a file is one document, cut into passages"""
    field: str = "text"
    """the field of .jsonl and .parquet files that holds the text"""
    split_by: Literal["passage", "document"] = "passage"
    """hold out single passages, or whole documents"""
    autocast: bool | None = None
    """read the model in bfloat16 arithmetic, about twice as fast; None: where the processor has it"""
    device: str = "cpu"
    """where to compute: cpu or cuda"""
    seed: int = 0
    """of the split, of training and of the atlas"""

    def __post_init__(self) -> None:
        """Refuse what cannot be meant."""
        for name, least in (("features", 2), ("k", 1), ("tokens", 1), ("passage_tokens", 4)):
            value = getattr(self, name)
            if value is not None and value < least:
                raise ValueError(f"{name} must be at least {least}, not {value}")
        if self.epochs is not None and not self.epochs > 0:
            raise ValueError(f"epochs must be above 0, not {self.epochs}")
        if self.features is not None and self.k is not None and self.k > self.features:
            raise ValueError(f"k must be at most the number of features ({self.features}), not {self.k}")


def completed(config: StudyConfig, model: "LanguageModel", corpus: Sequence[str] = ()) -> StudyConfig:
    """The config with everything filled in that follows from the model and from which corpus it is.

    Raises `ModelError` for a site that the model lacks, passages beyond its context, or k above the features.
    """
    passage_tokens = config.passage_tokens or min(model.context, PASSAGE_TOKENS)
    if passage_tokens > model.context:
        raise ModelError(
            expected=f"passages of at most {model.context} tokens, the context of {model.name}",
            got=f"{passage_tokens}",
            do="lower --passage-tokens",
        )
    features = config.features or 2 ** round(math.log2(10 * model.width))
    k = config.k or (16 if model.width < NARROW else 32)
    if k > features:
        raise ModelError(expected=f"k of at most {features}, the number of features", got=f"{k}", do="lower --k")
    return replace(
        config,
        site=model.site(config.site or f"resid_post.{model.layers // 2}"),
        features=features,
        k=k,
        tokens=config.tokens or (BUNDLED_TOKENS if tuple(corpus) == (BUNDLED,) else None),
        passage_tokens=passage_tokens,
        autocast=_has_bfloat16(model.device.type) if config.autocast is None else config.autocast,
    )


def _has_bfloat16(device: str) -> bool:
    """Whether the processor multiplies bfloat16 matrices in hardware."""
    import torch

    if device == "cuda":
        return torch.cuda.is_bf16_supported(including_emulation=False)
    try:
        known = torch.cpu.get_capabilities()
    except AttributeError:  # a torch that cannot tell
        return False
    return any(known.get(name, False) for name in ("amx_bf16", "avx512_bf16", "bf16"))
