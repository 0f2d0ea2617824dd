"""From a foreign dictionary's tensors to one of ours, and back to theirs.

ours        encoder · (x - decoder_bias) + encoder_bias, directions of norm 1, values in units of the activation
bias        a foreign encoder that takes x itself gives the same scores with `encoder_bias + encoder · decoder_bias`
norms       a direction of norm n becomes one of norm 1, its feature's values grow by n: it is active on the same
            rows, and `value · direction` is the same vector (`Dictionary.fold_norms`)
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor

from tymbal.dictionaries.batch_topk import BatchTopK
from tymbal.dictionaries.dictionary import Dictionary
from tymbal.dictionaries.ends import Ends
from tymbal.dictionaries.foreign.contents import OTHER
from tymbal.dictionaries.gated import Gated
from tymbal.dictionaries.jumprelu import as_jumprelu
from tymbal.dictionaries.matryoshka import Matryoshka
from tymbal.dictionaries.topk import TopK
from tymbal.errors import ArtifactError, ModelError
from tymbal.models import parse_site

ROWS_AT_ONCE = 4096
"""Encoder rows that are multiplied in fp64 at once."""


class Linear(NamedTuple):
    """The linear part of a dictionary, with directions of any norm."""

    encoder: Float[Tensor, "feature width"]
    encoder_bias: Float[Tensor, " feature"]
    decoder: Float[Tensor, "feature target"]
    decoder_bias: Float[Tensor, " target"]


def assembled(
    kind: type[Dictionary],
    tensors: Mapping[str, Tensor],
    folder: Path,
    *,
    ends: Ends,
    site: str | None = None,
    model: str | None = None,
    **options: Any,
) -> Dictionary:
    """A dictionary of the tensors that a folder holds, under our names; `options` are its kind's, such as k.

    Raises `ArtifactError` where sizes do not fit each other.
    """
    features, width = tensors["encoder"].shape
    try:
        dictionary = kind(width, features, site=site, ends=ends, **options)
    except ValueError as error:
        raise ArtifactError(expected=f"sizes that fit each other in {folder}", got=str(error), do=OTHER) from error
    dictionary.load_state_dict(dictionary.state_dict() | dict(tensors))
    dictionary.model = {"name": model} if model else {}
    return dictionary.requires_grad_(False)


def centre(dictionary: Dictionary, sign: int = 1) -> None:
    """Make a dictionary whose encoder took x itself into one that takes x less the decoder bias; codes stay.

    With `sign` -1 the other way round.
    """
    shift = sign * product(dictionary.encoder, dictionary.decoder_bias)
    dictionary.encoder_bias.add_(shift)
    if isinstance(dictionary, Gated):
        dictionary.gain_bias.addcmul_(shift, dictionary.log_gain.exp())


def with_unit_norms(dictionary: Dictionary) -> Dictionary:
    """The same dictionary with directions of norm 1."""
    try:
        dictionary.fold_norms()
    except ValueError:
        # One threshold for all raw scores is another for each feature's values.
        assert isinstance(dictionary, BatchTopK | Matryoshka)
        dictionary = as_jumprelu(dictionary)
        dictionary.fold_norms()
    return dictionary


def product(matrix: Float[Tensor, "feature width"], vector: Float[Tensor, " width"]) -> Float[Tensor, " feature"]:
    """Matrix times vector, summed in fp64 and rounded to fp32."""
    return torch.cat([rows.double() @ vector.double() for rows in matrix.split(ROWS_AT_ONCE)]).float()


def linear(dictionary: Dictionary, *, centred: bool = True) -> Linear:
    """The linear part to be written, for an encoder that takes x less the decoder bias, or (not `centred`) x itself.

    That of a TopK with a ranking has directions of free norm and scores that are ranked as they are.
    """
    state = dictionary.state_dict()
    parts = Linear(*(state[name] for name in Linear._fields))
    if isinstance(dictionary, TopK) and dictionary.ranking is not None:
        ranking = dictionary.ranking
        parts = parts._replace(
            encoder=parts.encoder * ranking.unsqueeze(1),
            encoder_bias=parts.encoder_bias * ranking,
            decoder=parts.decoder / ranking.unsqueeze(1),
        )
    if centred or dictionary.ends.target:
        return parts
    return parts._replace(encoder_bias=parts.encoder_bias - product(parts.encoder, parts.decoder_bias))


def noted_k(k: int | float | None, features: int) -> int | None:
    """A mean number of active features that is noted and that no code depends on; None where it makes no sense."""
    return int(k) if k is not None and k in range(1, features + 1) else None


def site_of(hook: str | None) -> str | None:
    """Our name of the place that another tool names; None where it is no site of ours."""
    try:
        return str(parse_site(hook)) if hook else None
    except ModelError:
        return None


def unwritable(dictionary: Dictionary, format_name: str, can: str) -> ArtifactError:
    """The error that says that a format cannot hold this dictionary."""
    ends = dictionary.ends
    what = f"a {dictionary.kind} dictionary"
    if ends.target:
        what += f" that reads width {dictionary.width} and writes width {ends.target.width}"
        what += " with a skip connection" if ends.target.skip else ""
    if ends.parts:
        what += f" of {len(ends.parts)} sites"
    if ends.row_norm:
        what += f" that normalises rows ({ends.row_norm})"
    return ArtifactError(
        expected=f"what a folder of {format_name} can hold ({can})", got=what, do="name another format"
    )
