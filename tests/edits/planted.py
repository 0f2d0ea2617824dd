"""Rows with a planted concept: correlated coordinates, class means apart, and the flaws that real activations have."""

import torch
from torch import Tensor


def planted(
    rows: int,
    *,
    width: int = 32,
    classes: int = 2,
    shares: tuple[float, ...] | None = None,
    gap: float = 2.0,
    seed: int = 0,
    draw: int = 0,
) -> tuple[Tensor, Tensor]:
    """Rows and labels; `seed` fixes the world (mixing, class means), `draw` the sample."""
    world, sample = torch.Generator().manual_seed(seed), torch.Generator().manual_seed(1000 * seed + draw + 1)
    mixing = torch.randn(width, width, generator=world) / width**0.5 + 0.5 * torch.eye(width)
    means = gap * torch.randn(classes, width, generator=world) / 2
    weights = torch.tensor(shares) if shares else torch.ones(classes)
    labels = torch.multinomial(weights, rows, replacement=True, generator=sample)
    x = torch.randn(rows, width, generator=sample) @ mixing + means[labels] + 5
    return x, labels


def gap_left(x: Tensor, erased: Tensor, labels: Tensor) -> float:
    """The largest distance of a class mean from the common one, as a share of what it was."""

    def largest(rows: Tensor) -> float:
        rows = rows.double()
        means = torch.stack([rows[labels == label].mean(0) for label in labels.unique()])
        return float((means - rows.mean(0)).norm(dim=1).max())

    return largest(erased) / largest(x)
