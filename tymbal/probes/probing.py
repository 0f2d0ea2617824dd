"""Probe a model for a concept: every site in one pass, each with its controls.

1. Hold out whole groups.
2. Read all sites of the model, and of an untrained copy of it, in one pass each.
3. At each site fit the reader, judge it on the held-out groups, and run the controls.
4. The site to report is the one that does best across folds of the training rows, so that the held-out rows, which give
   the number, have no say in the choice.
"""

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

from tymbal import artifact
from tymbal.models import LanguageModel
from tymbal.probes.judging import Fitted, Judge, Judgement
from tymbal.probes.labelled import LabelledTexts
from tymbal.probes.readers import READERS, reader_for, save_probe
from tymbal.probes.reading import Pooling, Progress, read
from tymbal.probes.result import ProbeResult
from tymbal.probes.splits import grouped_split
from tymbal.probes.untrained import untrained_copy


@dataclass(frozen=True, kw_only=True)
class ProbeConfig:
    """What is read, how, and how the result is judged."""

    site: tuple[str, ...] = ()
    """sites to read, such as resid_post.3; none given: the residual stream at the embedding and after every block"""
    reader: Literal["logistic", "mean-difference", "ridge", "lda", "mlp", "attention"] | None = None
    """what reads; None: logistic for classes, ridge for numbers"""
    pooling: Literal["last", "first", "mean", "every"] = "last"
    """which of a span's tokens are read; the attention reader always takes all together"""
    held_out: float = 0.25
    """share of the rows that is held out, by whole groups"""
    draws: int = 1000
    """draws of held-out groups for the intervals"""
    permutations: int = 1000
    """permutations of the held-out labels for the p-value"""
    seed: int = 0
    """seed of the split, the draws, the control task and the untrained model"""

    def __post_init__(self) -> None:
        if self.reader is not None and self.reader not in READERS:
            raise ValueError(f"reader must be one of {', '.join(READERS)}, got {self.reader!r}")
        if not 0 < self.held_out < 1:
            raise ValueError(f"held_out must lie between 0 and 1, got {self.held_out}")
        if self.draws < 1 or self.permutations < 1:
            raise ValueError(f"draws and permutations must be at least 1, got {self.draws} and {self.permutations}")


@dataclass(frozen=True, kw_only=True)
class ProbeReport:
    """A concept in a model: one result a site, in the order of the sites."""

    concept: str
    model: dict[str, Any]
    """The model's identity."""
    config: ProbeConfig
    results: tuple[ProbeResult, ...]
    fitted: dict[str, Fitted]
    """The probe of each site and what it said of the held-out rows."""
    held_out: tuple[int, ...]
    """Numbers of the examples that were held out, in their order."""

    @property
    def best(self) -> ProbeResult:
        """The result at the site that does best across folds of the training rows."""
        return max(self.results, key=lambda result: (result.validated == result.validated, result.validated))

    @property
    def model_name(self) -> str:
        """What the model is called: its folder, or the one around it where that is only called "model"."""
        parts = [part for part in Path(str(self.model["name"])).parts if part != "model"]
        return parts[-1] if parts else "model"

    def as_json(self) -> dict[str, Any]:
        """The findings with their provenance, as JSON values."""
        return {
            "concept": self.concept,
            "model": self.model,
            "config": asdict(self.config),
            "provenance": artifact.provenance(),
            "best": self.best.site,
            "results": [result.as_json() for result in self.results],
        }


def probe(
    model: LanguageModel, texts: LabelledTexts, config: ProbeConfig | None = None, progress: Progress | None = None
) -> ProbeReport:
    """Probe the model for the labels of these texts.

    Raises `ProbeError` for labels that cannot be split or read, `ModelError` for a site that the model lacks.
    """
    config = config or ProbeConfig()
    sites = [model.site(name) for name in config.site] or _stream(model)
    reader = reader_for(config.reader, texts.target())
    pooling = Pooling.ATTENTION if reader.kind == "attention" else Pooling(config.pooling)
    readings = read(model, texts, sites, pooling, progress)
    untrained = read(untrained_copy(model, seed=config.seed), texts, sites, pooling)
    judgement = Judgement(draws=config.draws, permutations=config.permutations, seed=config.seed)
    judge = Judge(reader, readings, grouped_split(readings.groups, config.held_out, config.seed), judgement)
    shared = {"bag of tokens": judge.bag_of_tokens(), "position": judge.position()}
    results, fitted = [], {}
    for number, site in enumerate(sites, start=1):
        result, fitted[site] = judge.result(site, untrained.activations[site], shared)
        results.append(result)
        if progress:
            progress(number, len(sites), "sites")
    held_out = readings.examples[judge.split.held_out].unique().tolist()
    return ProbeReport(
        concept=texts.name,
        model=model.identity,
        config=config,
        results=tuple(results),
        fitted=fitted,
        held_out=tuple(held_out),
    )


def save_report(report: ProbeReport, folder: Path) -> None:
    """Write `finding.json` and the probe of the best site, `probe/`, into a folder."""
    best = report.best
    artifact.write_json(folder / "finding.json", report.as_json())
    of = {"concept": report.concept, "site": best.site, "model": report.model, "reader": best.reader}
    target = report.fitted[best.site].target
    save_probe(report.fitted[best.site].probe, folder / "probe", {**of, "pooling": best.pooling, "names": target.names})


def _stream(model: LanguageModel) -> list[str]:
    return ["embed", *(f"resid_post.{layer}" for layer in range(model.layers))]
