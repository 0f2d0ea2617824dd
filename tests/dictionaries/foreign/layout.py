"""Tensors for folders written by hand, and whether a dictionary of ours says what the foreign formula says."""

from pathlib import Path

import pytest
import torch
from jaxtyping import Float
from torch import Tensor

from tymbal.dictionaries import BatchTopK, Dictionary, Ends, JumpReLU, Matryoshka, load_dictionary
from tymbal.dictionaries.ends import AUTOENCODER
from tymbal.errors import ArtifactError

WIDTH, FEATURES, ROWS, K = 12, 40, 60, 5


def rows() -> Float[Tensor, "row width"]:
    """Activations with a mean that is not zero."""
    return torch.randn(ROWS, WIDTH, generator=torch.Generator().manual_seed(7)) + 0.5


def drawn(*shape: int, seed: int = 0, scale: float = 0.5) -> Tensor:
    """Random numbers; a seed for each tensor of a folder."""
    return scale * torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def directions(*, free_norms: bool, width: int = WIDTH) -> Float[Tensor, "feature width"]:
    """Random directions, of norm 1 or of norms between 0.3 and 3."""
    unit = torch.nn.functional.normalize(drawn(FEATURES, width, seed=1), dim=1)
    return unit * (torch.linspace(0.3, 3, FEATURES)[:, None] if free_norms else 1)


def topk(scores: Float[Tensor, "row feature"], k: int = K) -> Float[Tensor, "row feature"]:
    """The k highest of each row, the rest and what is negative 0."""
    lowest = scores.sort(dim=1, descending=True).values[:, k - 1 : k]
    return torch.where(scores >= lowest, scores, 0).clamp(min=0)


def made(kind: type[Dictionary], ends: Ends = AUTOENCODER, *, ranked: bool = False) -> Dictionary:
    """A dictionary of ours with random parameters; `ranked`: folded from directions of different norms."""
    dictionary = kind(WIDTH, FEATURES, K, site="resid_post.2", ends=ends)
    dictionary.requires_grad_(False).model = {"name": "pythia", "revision": "1"}
    for seed, parameter in enumerate(dictionary.parameters()):
        parameter.copy_(drawn(*parameter.shape, seed=seed))
    dictionary.decoder.copy_(directions(free_norms=ranked, width=dictionary.target_width))
    if ranked:
        dictionary.fold_norms()
    if isinstance(dictionary, BatchTopK | Matryoshka):
        dictionary.threshold.fill_(0.4)
    if isinstance(dictionary, JumpReLU):
        dictionary.threshold.abs_()
    return dictionary


def dense(dictionary: Dictionary, x: Float[Tensor, "row width"]) -> Float[Tensor, "row feature"]:
    """Codes as a matrix."""
    codes = dictionary.encode(x)
    return torch.zeros(len(x), dictionary.features).scatter_add_(1, codes.indices, codes.values)


def close(ours: Tensor, theirs: Tensor) -> None:
    """Agree to 1e-5 relative; absolutely, to 1e-5 of the largest number."""
    torch.testing.assert_close(ours, theirs, rtol=1e-5, atol=1e-5 * float(theirs.abs().max()))


def require_agreement(
    dictionary: Dictionary,
    x: Float[Tensor, "row width"],
    activations: Float[Tensor, "row feature"],
    decoder: Float[Tensor, "feature target"],
    reconstruction: Float[Tensor, "row target"],
    *,
    scale: Tensor | float = 1.0,
) -> None:
    """The same features fire; each adds the same vector; the reconstruction is the same; directions have norm 1.

    `activations` and `decoder` are the foreign ones; `scale` is what a row is multiplied by after decoding.
    """
    values = dense(dictionary, x)
    assert 0 < int((activations > 0).sum()) < activations.numel()
    assert torch.equal(values > 0, activations > 0)
    norms = decoder.norm(dim=1)
    close(values, activations * norms * scale)
    close(values[..., None] * dictionary.decoder, (activations * scale)[..., None] * decoder)
    close(dictionary(x), reconstruction)
    torch.testing.assert_close(dictionary.decoder.norm(dim=1), torch.ones(dictionary.features))


def refusal(folder: Path) -> str:
    """The one line with which a folder is refused."""
    with pytest.raises(ArtifactError) as caught:
        load_dictionary(folder)
    message = str(caught.value)
    assert "\n" not in message
    return message
