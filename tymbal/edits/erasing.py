"""Erase a concept from a model's site, certify it on texts that were held out, and say what it costs other text.

1. Hold out whole groups of the labelled texts.
2. Fit the eraser to the activations of the rest, with the site and the model on its record.
3. Certify it on the held-out rows; where this cannot be claimed, `CertificateError` says why.
4. Measure the loss on unrelated texts, or else on the held-out ones, with the concept erased at each token.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

from tymbal import artifact
from tymbal.edits.certificate import Certificate, CertificateConfig
from tymbal.edits.eraser import Eraser
from tymbal.edits.fitting import EraserFitter
from tymbal.edits.project import Erase
from tymbal.edits.side_effects import side_effects
from tymbal.models import LanguageModel
from tymbal.probes import Classes, LabelledTexts, Pooling, Readings, read
from tymbal.probes.splits import Split, grouped_split

TEXTS, BATCH = 128, 16
MOST_SHARED = 0.5
"""Texts that begin alike have the same activations there, whichever side of the split they are on; these rows are left
out of the certificate. That whole documents are held out is seen to here."""


@dataclass(frozen=True, kw_only=True)
class ErasureConfig:
    """Where a concept is erased, and how that is certified."""

    site: str | None = None
    """where to erase, such as resid_post.3; None: the residual stream after the middle block"""
    pooling: Literal["last", "first", "mean", "every"] = "every"
    """which of a span's tokens the eraser is fitted to and certified on"""
    held_out: float = 0.25
    """share of the rows that is held out for the certificate, by whole groups"""
    margin: float = 0.05
    """how far from chance the held-out probe may score"""
    seed: int = 0
    """of the split and the certificate's folds"""

    def __post_init__(self) -> None:
        if not 0 < self.held_out < 1:
            raise ValueError(f"held_out must lie between 0 and 1, got {self.held_out}")


@dataclass(frozen=True, kw_only=True)
class Erasure:
    """An eraser and its certificate."""

    concept: str
    site: str
    eraser: Eraser
    certificate: Certificate
    config: ErasureConfig

    def save(self, folder: Path) -> None:
        """Write the eraser, `certificate.txt` for people and `certificate.json` with provenance."""
        self.eraser.save(folder / "eraser")
        artifact.write_text(folder / "certificate.txt", f"{self.concept} at {self.site}\n{self.certificate}\n")
        told: dict[str, Any] = {"concept": self.concept, "site": self.site, "model": dict(self.eraser.record.model)}
        told |= {"config": asdict(self.config), "certificate": asdict(self.certificate)}
        told |= {"notes": self.certificate.notes(), "provenance": artifact.provenance()}
        artifact.write_json(folder / "certificate.json", told)


def erase(
    model: LanguageModel,
    texts: LabelledTexts,
    config: ErasureConfig | None = None,
    *,
    unrelated: Sequence[str] | None = None,
) -> Erasure:
    """Fit and certify an eraser of these labels; the loss is measured on `unrelated`, or on the held-out texts.

    Raises `CertificateError` where erasure cannot be shown, `ProbeError` for labels that cannot be split, `ModelError`
    for a site that the model lacks.
    """
    config = config or ErasureConfig()
    site = model.site(config.site or f"resid_post.{model.layers // 2}")
    readings = read(model, texts, [site], Pooling(config.pooling))
    rows, target = readings.activations[site], readings.target
    split = grouped_split(readings.groups, config.held_out, config.seed)
    is_class = isinstance(target, Classes)
    labels = target.ids if isinstance(target, Classes) else target.values
    if is_class:
        target[split.train].require_all("among the rows to fit")
    fitter = EraserFitter(model.width, len(target.names) if is_class else None, site=site, model=model)
    eraser = fitter.update(rows[split.train], labels[split.train]).fit()
    certificate = eraser.certify(
        rows[split.held_out],
        labels[split.held_out],
        CertificateConfig(margin=config.margin, most_shared=MOST_SHARED, seed=config.seed),
        groups=readings.groups[split.held_out],
        loss_change=_loss_change(model, unrelated or _held_out(texts, readings, split), eraser, site),
    )
    return Erasure(concept=texts.name, site=site, eraser=eraser, certificate=certificate, config=config)


def _held_out(texts: LabelledTexts, readings: Readings, split: Split) -> list[str]:
    numbers = readings.examples[split.held_out].unique().tolist()
    return list(dict.fromkeys(texts.examples[number].text for number in numbers))


def _loss_change(model: LanguageModel, texts: Sequence[str], eraser: Eraser, site: str) -> float | None:
    """In nats a token; None for an encoder, which predicts nothing, and for texts of single tokens."""
    if not model.causal:
        return None
    batches = [model.tokenize(texts[start : start + BATCH]) for start in range(0, min(TEXTS, len(texts)), BATCH)]
    if not any(bool((batch.mask.sum(1) > 1).any()) for batch in batches):
        return None
    return side_effects(model, batches, Erase(eraser, site=site)).loss_change
