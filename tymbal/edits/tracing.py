"""Causal tracing: which activations carry what makes a model answer as it does.

Two prompts of equal length, one that gives the answer and one that does not. At each site and position in turn the
second run gets the first one's activation; how far the score moves from the second run's to the first's is what that
activation restores.

Source: Meng et al. 2022, "Locating and editing factual associations in GPT", section 2, with another prompt in place of
noise (Zhang and Nanda 2023 find this the sounder corruption).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from jaxtyping import Float, Int
from torch import Tensor

from tymbal import artifact
from tymbal.errors import ModelError
from tymbal.models import LanguageModel, TokenPlaces


@dataclass(frozen=True, kw_only=True)
class CausalTrace:
    """What each patch restores: 0 nothing, 1 the whole difference."""

    sites: tuple[str, ...]
    tokens: tuple[str, ...]
    """of the corrupted prompt"""
    restored: Float[Tensor, "site token"]
    clean: float
    """score of the clean run"""
    corrupted: float

    def draw(self, path: Path | str) -> None:
        """Write the picture as SVG: sites upward, tokens to the right."""
        from matplotlib.figure import Figure

        figure = Figure(figsize=(1.5 + 0.45 * len(self.tokens), 1.2 + 0.3 * len(self.sites)), layout="constrained")
        axes = figure.subplots()
        picture = axes.imshow(self.restored.numpy(), origin="lower", aspect="auto", cmap="viridis", vmin=0, vmax=1)
        axes.set_xticks(range(len(self.tokens)), self.tokens, rotation=60, ha="right", parse_math=False)
        axes.set_yticks(range(len(self.sites)), self.sites)
        figure.colorbar(picture, label=f"share restored of {self.corrupted:.2f} to {self.clean:.2f}")
        artifact.write_atomically(Path(path), lambda temporary: figure.savefig(temporary, format="svg"))


@dataclass(frozen=True)
class _PatchDiagonal:
    """Row i gets the source's activation at position i."""

    site: str
    source: Tensor

    def require(self, model: LanguageModel) -> None:
        del model

    def at(self, activation: Tensor, places: TokenPlaces) -> Tensor:
        own = places.positions == torch.arange(len(activation), device=activation.device).unsqueeze(1)
        return activation.where(~own.unsqueeze(-1), self.source.to(activation))


def causal_trace(
    model: LanguageModel,
    clean: Int[Tensor, "1 token"],
    corrupted: Int[Tensor, "1 length"],
    *,
    sites: Sequence[str],
    score: Callable[[Float[Tensor, "batch vocabulary"]], Float[Tensor, " batch"]],
) -> CausalTrace:
    """Patch each site and position; `score` reads the logits after the last token.

    Raises `ModelError` for prompts of unequal length, and for two that score the same.
    """
    if clean.shape != corrupted.shape:
        raise ModelError(
            expected="two prompts of as many tokens",
            got=f"{clean.shape[1]} and {corrupted.shape[1]}",
            do="word them alike",
        )
    best, worst = (float(score(model.logits(ids)[:, -1])) for ids in (clean, corrupted))
    if abs(best - worst) < 1e-6:
        raise ModelError(
            expected="prompts that score differently", got=f"{best:.4g} twice", do="choose another pair or score"
        )
    sources = model.read(clean, list(sites))
    rows = corrupted.expand(corrupted.shape[1], -1)
    restored = []
    for site in sites:
        with model.edited(_PatchDiagonal(site, sources[site])):
            restored.append((score(model.logits(rows)[:, -1]).double().cpu() - worst) / (best - worst))
    return CausalTrace(
        sites=tuple(sites),
        tokens=tuple(model.token_text(corrupted[0].tolist())),
        restored=torch.stack(restored),
        clean=best,
        corrupted=worst,
    )
